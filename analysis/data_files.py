"""The data set as files that other programs open: CSV, a workbook, Parquet, Stata, SPSS, each with its codebook.

A text that a spreadsheet would take for a formula stays text: in a workbook the cell is of type string; in CSV it gets
an apostrophe in front, which the codebook counts. Parquet, Stata and SPSS keep every text as it was written.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from analysis.data_coding import FORMATS, Column, cells, columns, short_labels
from analysis.data_variables import CODES, FLAG, NUMBER, Part, parts
from analysis.dataset import Dataset
from analysis.output import whole_file
from analysis.scores import PILOT, PROVISIONAL, SYNTHETIC
from survey.errors import InputError
from survey.text import Text

_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
_NUMBER = re.compile(r"\s*[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?\s*")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_SHEET_ROWS, _SHEET_COLUMNS, _SHEET_CELL = 1_048_576, 16_384, 32_767


@dataclass(frozen=True)
class Written:
    """One table of a file: its place, what it holds, and in CSV the cells that got an apostrophe."""

    file: Path
    part: Part
    columns: tuple[Column, ...]
    sheet: str = ""
    guarded: int = 0


def named(file: Path, format: str = "") -> tuple[Path, str]:
    """The file and its format, from the ending, from ``format``, or CSV.

    Raises:
        InputError: the ending is that of no format, or of another than ``format``.
    """
    ending = file.suffix.lower()
    if not ending:
        chosen = format or "csv"
        return file.with_name(file.name + FORMATS[chosen].ending), chosen
    found = next((name for name, one in FORMATS.items() if one.ending == ending), "")
    if not found:
        listed = ", ".join(one.ending for one in FORMATS.values())
        raise InputError(
            str(file),
            Text("không ghi được loại tệp này", "files of this kind are not written"),
            Text(f"dùng {listed}", f"use {listed}"),
        )
    if format and found != format:
        raise InputError(
            str(file),
            Text(f"tên tệp không hợp với --format {format}", f"the name does not go with --format {format}"),
            Text(f"đặt đuôi {FORMATS[format].ending}", f"let it end in {FORMATS[format].ending}"),
        )
    return file, found


def write_data(data: Dataset, file: Path, format: str, language: str) -> list[Written]:
    """Writes the interviews to ``file`` and each repeat beside it (``X.hh.csv``) or to a sheet of its own.

    ``format`` is a key of :data:`analysis.data_coding.FORMATS`; labels inside ``.dta`` and ``.sav`` are in
    ``language``. Each file is there whole or not at all.

    Raises:
        InputError: a workbook cannot hold so many rows or columns, or so long a text.
    """
    chosen = FORMATS[format]
    written = []
    names = _part_names(data)
    for part in parts(data):
        place = file if not part.name else file.with_name(f"{file.stem}.{names[part.name]}{file.suffix}")
        written.append(Written(place, part, columns(part, chosen, language)))
    if format == "xlsx":
        sheets = _sheet_names([names[one.part.name] if one.part.name else "interviews" for one in written])
        rows = {sheet: _sheet_rows(one) for sheet, one in zip(sheets, written, strict=True)}
        write_workbook(file, rows)
        return [replace(one, file=file, sheet=sheet) for sheet, one in zip(sheets, written, strict=True)]
    if format == "csv":
        return [replace(one, guarded=_write_csv(one)) for one in written]
    write = {"parquet": _write_parquet, "dta": _write_dta, "sav": _write_sav}[format]
    for one in written:
        whole_file(one.file, partial(write, one, data, language))
    return written


def write_contact(rows: Sequence[Mapping[str, str]], file: Path, format: str) -> Path:
    """Contact data to a file of their own, which only its owner may read: ``X.contact.xlsx`` or ``X.contact.csv``.

    ``rows`` are those of :func:`survey.store.contacts.contact_rows`.
    """
    place = file.with_name(f"{file.stem}.contact{'.xlsx' if format == 'xlsx' else '.csv'}")
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = [names, *([row.get(name, "") for name in names] for row in rows)]
    if format == "xlsx":
        write_workbook(place, {"contact": table}, mode=0o600)
    else:
        whole_file(place, lambda path: _csv(path, [[guard(cell) for cell in row] for row in table], 0o600))
    return place


def title(data: Dataset, language: str) -> str:
    """The name of the round, with what a reader of its data must know first."""
    titles = data.round.get("title") or {}
    said = titles.get(language) or titles.get("vi") or str(data.round["id"])
    told = (
        (SYNTHETIC, data.round.get("synthetic")),
        (PILOT, data.round.get("pilot")),
        (PROVISIONAL, has_provisional(data)),
    )
    marks = [mark(language) for mark, there in told if there]
    # In front: SPSS keeps 64 bytes of it.
    return (f"[{', '.join(marks)}] " if marks else "") + said


def has_provisional(data: Dataset) -> bool:
    """Whether an interview among them is not approved."""
    return any(state != "approved" for state in data.table.arrow.column("state").to_pylist())


# -- text -----------------------------------------------------------------------------------------------------------


def guard(text: str) -> str:
    """``text`` with an apostrophe in front where a spreadsheet would take it for a formula; numbers stay."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def _write_csv(one: Written) -> int:
    changed = 0
    body = []
    for column in one.columns:
        texts = [text or "" for text in one.part.table.arrow.column(column.variable.name).to_pylist()]
        safe = [guard(text) for text in texts]
        changed += sum(before != after for before, after in zip(texts, safe, strict=True))
        body.append(safe)
    header = [guard(column.name) for column in one.columns]
    whole_file(one.file, lambda path: _csv(path, [header, *zip(*body, strict=True)]))
    return changed


def _csv(path: Path, rows: Iterable[Sequence[str]], mode: int = 0o666) -> None:
    path.touch(mode=mode)
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        csv.writer(stream).writerows(rows)


def _sheet_rows(one: Written) -> list[list[Any]]:
    """Numbers as numbers, everything else as text: a code ``01`` must stay ``01``."""
    body = []
    for column in one.columns:
        found = cells(one.part.table, column)
        if column.variable.kind == CODES and all(re.fullmatch("0|[1-9][0-9]{0,8}", code) for code in found if code):
            found = [None if code is None else int(code) for code in found]
        body.append(found)
    return [[column.name for column in one.columns], *map(list, zip(*body, strict=True))]


def write_workbook(file: Path, sheets: Mapping[str, Sequence[Sequence[Any]]], mode: int = 0o666) -> None:
    """Writes a workbook of sheets by name, the first row of each its header. No text becomes a formula.

    Raises:
        InputError: more rows, columns or characters in a cell than a workbook holds.
    """
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font

    for rows in sheets.values():
        longest = max((len(cell) for row in rows for cell in row if isinstance(cell, str)), default=0)
        if len(rows) > _SHEET_ROWS or len(rows[0]) > _SHEET_COLUMNS or longest > _SHEET_CELL:
            raise InputError(
                str(file),
                Text("số liệu vượt giới hạn của sổ tính Excel", "the data exceed what an Excel workbook holds"),
                Text("dùng .csv hoặc .parquet", "use .csv or .parquet"),
            )
    book = Workbook(write_only=True)
    bold, top = Font(bold=True), Alignment(vertical="top", wrap_text=True)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        sheet.freeze_panes = "A2"
        for number, row in enumerate(rows):
            line: list[Any] = []
            for value in row:
                text = _CONTROL.sub("", value) if isinstance(value, str) else value
                # openpyxl takes a text that begins with "=" for a formula, and "#N/A" for an error.
                if number == 0 or (isinstance(text, str) and text.startswith(("=", "#"))):
                    cell = WriteOnlyCell(sheet, text)
                    if isinstance(text, str):
                        cell.data_type = "s"
                    if number == 0:
                        cell.font, cell.alignment = bold, top
                    line.append(cell)
                else:
                    line.append(text)
            sheet.append(line)

    def save(path: Path) -> None:
        path.touch(mode=mode)
        book.save(path)

    whole_file(file, save)


def _part_names(data: Dataset) -> dict[str, str]:
    """A repeat's own name where it is the only one of that name, else its path, as it may stand in a file name."""
    last = [path.rpartition("/")[2] for path in data.children]
    return {
        path: (name if last.count(name) == 1 and name != "contact" else path.replace("/", "-"))
        for path, name in zip(data.children, last, strict=True)
    }


def _sheet_names(names: Sequence[str]) -> list[str]:
    """Names of at most 31 characters, each once whatever its case."""
    found: list[str] = []
    for name in names:
        short, number = name[:31], 2
        while short.lower() in {one.lower() for one in found}:
            short = f"{name[:28]}_{number}"
            number += 1
        found.append(short)
    return found


# -- columns --------------------------------------------------------------------------------------------------------


def _write_parquet(one: Written, data: Dataset, language: str, path: Path) -> None:
    from pyarrow import parquet

    arrays = {column.name: pa.array(cells(one.part.table, column), _arrow_type(column)) for column in one.columns}
    facts = {
        "title": title(data, language),
        "round": str(data.round["id"]),
        "questionnaires": " ".join(sorted(data.questionnaires)),
        "provisional": str(int(has_provisional(data))),
        "synthetic": str(int(bool(data.round.get("synthetic")))),
    }
    parquet.write_table(pa.table(arrays).replace_schema_metadata(facts), path)


def _arrow_type(column: Column) -> pa.DataType:
    variable = column.variable
    if variable.kind == FLAG:
        return pa.int8()
    if variable.kind == NUMBER:
        return pa.int64() if variable.whole else pa.float64()
    return pa.string()


def _frame(one: Written) -> pd.DataFrame:
    series = {}
    for column in one.columns:
        found = cells(one.part.table, column)
        if _is_number(column):
            plain = not any(isinstance(value, str) for value in found)
            numbers = [float(v) if isinstance(v, int) else v for v in found]
            series[column.name] = pd.Series(numbers, dtype="float64" if plain else "object")
        else:
            series[column.name] = pd.Series([_CONTROL.sub("", v) if v else "" for v in found], dtype="object")
    return pd.DataFrame(series)


def _is_number(column: Column) -> bool:
    return bool(column.values) or column.variable.kind in (NUMBER, FLAG)


def _write_dta(one: Written, data: Dataset, language: str, path: Path) -> None:
    import pyreadstat

    pyreadstat.write_dta(
        _frame(one),
        str(path),
        file_label=short_labels([title(data, language)], 80, len)[0],
        column_labels={column.name: column.label for column in one.columns},
        variable_value_labels={column.name: column.labels for column in one.columns if column.labels},
        missing_user_values={column.name: [*column.missing.values()] for column in one.columns if column.missing},
    )


def _write_sav(one: Written, data: Dataset, language: str, path: Path) -> None:
    import pyreadstat

    missing: dict[str, Any] = {}
    for column in one.columns:
        values = [value for value in column.missing.values() if not isinstance(value, str)]
        if values:
            missing[column.name] = [{"lo": min(values), "hi": max(values)}]
    numbers = [column for column in one.columns if _is_number(column)]
    whole = {column.name: bool(column.values) or column.variable.whole for column in numbers}
    pyreadstat.write_sav(
        _frame(one),
        str(path),
        file_label=short_labels([title(data, language)], 64, lambda text: len(text.encode()))[0],
        column_labels={column.name: column.label for column in one.columns},
        variable_value_labels={column.name: column.labels for column in one.columns if column.labels},
        missing_ranges=missing,
        variable_measure={
            column.name: "scale" if column.variable.kind == NUMBER else "nominal" for column in one.columns
        },
        variable_format={name: "F12.0" if is_whole else "F16.6" for name, is_whole in whole.items()},
        row_compress=True,
    )
