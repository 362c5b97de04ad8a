"""Tables that a person brings: ``.xlsx`` or CSV, with or without a byte order mark, with commas, semicolons or tabs,
decimal comma or point, in Unicode or the Vietnamese encodings from before it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Any

from survey import legacy
from survey.errors import InputError, Problem, Problems
from survey.text import Text, nfc


@dataclass(frozen=True)
class Table:
    """A table as text: the column names, a dict a row, and where each row stands in the file.

    ``decimal_comma``: whether the file's own convention (a semicolon between cells) says that a comma is decimal.
    ``converted``: the old encoding that its text was converted from, or "".
    """

    source: str
    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]
    places: tuple[int, ...]
    decimal_comma: bool = False
    converted: str = ""

    def where(self, number: int, column: str = "") -> str:
        """How to name a row (counted from 0) and column of this table to a person."""
        return f"{self.source}, row {self.places[number]}" + (f", column {column}" if column else "")


def written(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> bytes:
    """A table as CSV that a spreadsheet opens with its letters right; :func:`read_table` reads it back."""
    made = io.StringIO()
    writer = csv.DictWriter(made, list(columns), restval="", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return made.getvalue().encode("utf-8-sig")


def read_table(file: Path, encoding: str = "") -> Table:
    """The first sheet of an ``.xlsx``, or a CSV file; ``encoding`` is "", ``tcvn3`` or ``vni``.

    Cells are trimmed, in NFC; empty rows are left out. Raises InputError when the file is not a table, or when its text
    is in an old encoding and ``encoding`` does not say so (the message shows what conversion would give); Problems for
    columns without a name, columns of the same name, and rows longer than the header.
    """
    decimal_comma = False
    if file.suffix.lower() in (".xlsx", ".xlsm"):
        cells = _read_xlsx(file)
    else:
        cells, decimal_comma = _read_csv(file, encoding)
    convert: Callable[[str], str] = legacy.DECODERS[encoding] if encoding else str
    lines = [(place, [nfc(convert(cell)).strip() for cell in row]) for place, row in cells]
    lines = [(place, row) for place, row in lines if any(row)]
    if not lines:
        raise InputError(
            str(file), Text("bảng trống", "the table is empty"), Text("chọn tệp khác", "choose another file")
        )
    if not encoding:
        _refuse_old_text(file, [cell for _, row in lines for cell in row])
    (_, header), *body = lines
    header = _trimmed(header)
    body = [(place, _trimmed(row)) for place, row in body]
    _check_shape(file, header, body)
    rows = tuple(dict(zip(header, row + [""] * (len(header) - len(row)), strict=True)) for _, row in body)
    return Table(file.name, tuple(header), rows, tuple(place for place, _ in body), decimal_comma, encoding)


def numbers(values: Sequence[str], decimal_comma: bool = False) -> list[float | None]:
    """The numbers of one column, None where a cell is no number (or empty).

    Which of comma and point is decimal is decided for the column as a whole: where both stand in a cell, the last one;
    else one that is not followed by exactly three digits; else a comma by ``decimal_comma``, and a point always.
    """
    text = [re.sub(r"[\s\u00a0\u202f']", "", value) for value in values]
    both = [v for v in text if "," in v and "." in v]
    if both:
        comma = all(v.rfind(",") > v.rfind(".") for v in both)
    elif any(v.count(",") > 1 for v in text):
        comma = False
    elif any(v.count(".") > 1 for v in text):
        comma = True
    else:
        commas = [v for v in text if "," in v]
        comma = bool(commas) and (decimal_comma or not all(re.search(r",\d{3}$", v) for v in commas))
    thousands, point = (".", ",") if comma else (",", ".")
    # In a column of decimal commas a lone point would be read as thousands: "1.5" beside "2,5" is 1.5, not 15.
    plain = (v if comma and re.fullmatch(r"-?\d+\.\d+", v) and not both else v.replace(thousands, "") for v in text)
    return [_number(v.replace(point, ".")) for v in plain]


def plain_numbers(table: Table) -> list[dict[str, str]]:
    """The rows, with numbers written as ``1234.5`` in every column whose cells are all numbers and some of which carry
    separators; codes such as ``01`` therefore stay as they are."""
    plain: dict[str, list[str]] = {}
    for column in table.columns:
        cells = [row[column] for row in table.rows]
        filled = [cell for cell in cells if cell]
        if any(re.search(r"\d[.,\s\u00a0\u202f]\d", cell) for cell in filled):
            values = numbers(filled, table.decimal_comma)
            if None not in values:
                written = iter(_cell(value) for value in values)
                plain[column] = [next(written) if cell else "" for cell in cells]
    return [
        {column: plain[column][place] if column in plain else value for column, value in row.items()}
        for place, row in enumerate(table.rows)
    ]


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text) else None


# -- reading ------------------------------------------------------------------------------------------------------

_Lines = list[tuple[int, list[str]]]


def _read_csv(file: Path, encoding: str) -> tuple[_Lines, bool]:
    text = _decode(file.read_bytes(), encoding)
    if "\0" in text:
        raise InputError(
            str(file),
            Text("đây không phải bảng CSV hay .xlsx", "this is neither a CSV table nor an .xlsx workbook"),
            Text("lưu lại bằng Excel dưới dạng .xlsx hoặc CSV UTF-8", "save it from Excel as .xlsx or CSV UTF-8"),
        )
    first = re.sub(r'"[^"]*"', "", text.lstrip().partition("\n")[0])
    separator = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    lines: _Lines = []
    try:
        place = 1
        for row in reader:
            lines.append((place, row))
            place = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"{file}, row {reader.line_num}",
            Text(f"dấu nháy kép không khớp ({error})", f"the quotes do not match ({error})"),
            Text("sửa dòng đó", "mend that row"),
        ) from error
    return lines, separator == ";"


def _decode(content: bytes, encoding: str) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    # Bytes that are not UTF-8: an old encoding kept as it was, or Windows' Vietnamese code page.
    latin = content.decode("latin-1")
    if encoding or legacy.detect([latin]):
        return latin
    return content.decode("cp1258", errors="replace")


def _read_xlsx(file: Path) -> _Lines:
    import warnings
    from zipfile import BadZipFile

    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            # openpyxl warns of styles and extensions that it leaves out; we read only cells.
            warnings.simplefilter("ignore")
            book = load_workbook(file, read_only=True, data_only=True)
    except (BadZipFile, KeyError, ValueError, EOFError) as error:
        raise InputError(
            str(file),
            Text("không mở được sổ tính này", "this workbook cannot be opened"),
            Text("mở bằng Excel rồi lưu lại dưới dạng .xlsx", "open it in Excel and save it again as .xlsx"),
        ) from error
    try:
        sheet = book.worksheets[0]
        return [
            (place, [_cell(value) for value in row]) for place, row in enumerate(sheet.iter_rows(values_only=True), 1)
        ]
    finally:
        book.close()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    return str(value)


# -- checking -----------------------------------------------------------------------------------------------------


def _refuse_old_text(file: Path, cells: Iterable[str]) -> None:
    marked = [cell for cell in cells if not cell.isascii()]
    old = legacy.detect(marked)
    if old is None:
        return
    example = next(cell for cell in marked if legacy.likeness([cell]) < 1.0)
    shown = nfc(legacy.DECODERS[old](example))
    name = legacy.NAMES[old]
    raise InputError(
        str(file),
        Text(
            f"chữ trong bảng là mã {name}: {example!r} là {shown!r}", f"its text is in {name}: {example!r} is {shown!r}"
        ),
        Text(f"thêm --from-{old} để chuyển sang Unicode", f"add --from-{old} to convert it"),
    )


def _trimmed(row: list[str]) -> list[str]:
    while row and not row[-1]:
        row = row[:-1]
    return row


def _check_shape(file: Path, header: list[str], body: _Lines) -> None:
    problems = []
    for number, name in enumerate(header, start=1):
        if not name:
            problems.append(
                Problem(
                    f"{file}, column {number}",
                    Text("cột không có tên", "the column has no name"),
                    Text("đặt tên cột ở dòng đầu", "name it in the first row"),
                )
            )
        elif name in header[: number - 1]:
            problems.append(
                Problem(
                    f"{file}, column {number}",
                    Text(f"đã có cột {name!r}", f"there is another column {name!r}"),
                    Text("đổi tên một trong hai cột", "rename one of the two"),
                )
            )
    for place, row in body:
        if len(row) > len(header):
            problems.append(
                Problem(
                    f"{file}, row {place}",
                    Text(
                        f"có {len(row)} ô, dòng đầu có {len(header)} cột",
                        f"has {len(row)} cells for {len(header)} columns",
                    ),
                    Text(
                        "bỏ ô thừa hoặc đặt nội dung trong nháy kép", "remove the extra cells or put the text in quotes"
                    ),
                )
            )
    if problems:
        raise Problems(problems)
