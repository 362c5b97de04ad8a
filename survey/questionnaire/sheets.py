"""Workbooks and folders of CSV sheets, read into rows of text: what the author wrote, before pyxform sees it.

Row numbers are those a person sees: 1 is the header. A workbook that cannot be read is one Problem, not a traceback.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from survey.errors import InputError
from survey.text import Text, nfc

SHEETS = ("survey", "choices", "settings", "index", "external_choices", "entities", "osm")
"""The sheets of a questionnaire; others are only looked at for a misspelt name."""

Row = dict[str, str]


@dataclass
class Sheet:
    """One sheet: its name, its columns as written, its rows (blank ones kept, so that numbers stay right)."""

    name: str
    columns: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    def numbered(self) -> Iterable[tuple[int, Row]]:
        """(row number, row) of the rows that are not blank, their columns spelled as pyxform reads them."""
        return ((i, canonical(row)) for i, row in enumerate(self.rows, 2) if row)


@dataclass
class Book:
    """A questionnaire as the author wrote it. ``files`` are CSV files that questions read their choices from; ``media``
    are the pictures and recordings in the folder ``media`` (of a workbook: ``NAME-media``), by name."""

    name: str
    where: str
    sheets: dict[str, Sheet] = field(default_factory=dict)
    other_sheets: tuple[str, ...] = ()
    files: dict[str, tuple[Row, ...]] = field(default_factory=dict)
    media: dict[str, Path] = field(default_factory=dict)

    def rows(self, name: str) -> list[Row]:
        """The rows of a sheet; none if there is no such sheet."""
        return self.sheets[name].rows if name in self.sheets else []

    def place(self, sheet: str, row: int | None = None, column: str = "") -> str:
        """``survey.csv, row 41, column relevant`` in both languages' neutral form."""
        name = sheet if Path(self.where).suffix else f"{sheet}.csv"
        parts = [f"{self.where}/{name}" if not Path(self.where).suffix else f"{self.where} · {sheet}"]
        if row:
            parts.append(f"row {row}")
        if column:
            parts.append(f"column {column}")
        return ", ".join(parts)


@lru_cache(maxsize=1000)
def head_of(column: str) -> str:
    """The column without its language, as pyxform reads it: ``Constraint message::English`` is constraint_message."""
    return "_".join(column.partition("::")[0].strip().lower().split())


def canonical(row: Row) -> Row:
    """The row with its columns spelled as pyxform reads them, languages kept."""
    return {_spelled(c): v for c, v in row.items()}


@lru_cache(maxsize=1000)
def _spelled(column: str) -> str:
    return head_of(column) + "".join(column.partition("::")[1:])


def _bad(where: str, vi: str, en: str, todo_vi: str, todo_en: str) -> InputError:
    return InputError(where, Text(vi, en), Text(todo_vi, todo_en))


def read_book(source: str | Path) -> Book:
    """The sheets of a folder of CSV files or of an ``.xlsx`` / ``.xls`` workbook.

    Raises InputError when there is nothing there, or the workbook is damaged.
    """
    path = Path(source)
    if path.is_dir():
        return _read_folder(path)
    if not path.exists():
        raise _bad(
            str(source),
            "không tìm thấy tệp hay thư mục này",
            "there is no such file or folder",
            "kiểm tra lại tên; xem «survey questionnaire list»",
            "check the name; see “survey questionnaire list”",
        )
    if path.suffix.lower() not in (".xlsx", ".xlsm", ".xls"):
        raise _bad(
            str(source),
            "không phải bảng hỏi",
            "this is not a questionnaire",
            "đưa một thư mục có survey.csv hoặc một tệp .xlsx",
            "give a folder with survey.csv or an .xlsx file",
        )
    return _read_workbook(path)


def _read_folder(path: Path) -> Book:
    book = Book(path.name, path.name)
    for file in sorted(path.glob("*.csv")):
        sheet = read_csv(file)
        if file.stem in SHEETS:
            book.sheets[file.stem] = sheet
        else:
            book.files[file.stem] = tuple(row for row in sheet.rows if row)
    book.media = _media(path / "media")
    if not book.sheets:
        raise _bad(
            path.name,
            "thư mục không có survey.csv hay index.csv",
            "the folder has neither survey.csv nor index.csv",
            "chọn đúng thư mục của bảng hỏi",
            "choose the questionnaire's folder",
        )
    return book


def read_csv(file: Path) -> Sheet:
    """A CSV sheet in UTF-8 (with or without a byte order mark), separated by commas or semicolons.

    Raises InputError when it is in another encoding.
    """
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _bad(
            f"{file.parent.name}/{file.name}",
            f"không phải UTF-8 (byte thứ {error.start + 1})",
            f"the file is not UTF-8 (byte {error.start + 1})",
            "lưu lại tệp dạng «CSV UTF-8»",
            "save the file as “CSV UTF-8”",
        ) from None
    head = text.split("\n", 1)[0]
    delimiter = ";" if head.count(";") > head.count(",") else ","
    lines = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    return _sheet(file.stem, lines[0] if lines else [], lines[1:])


def _sheet(name: str, header: Iterable[Any], lines: Iterable[Iterable[Any]]) -> Sheet:
    columns = [re.sub(r" +", " ", nfc(str(c or "")).strip()) for c in header]
    rows: list[Row] = []
    blank = 0
    for line in lines:
        row = {c: nfc(v) for c, v in zip(columns, map(_cell, line), strict=False) if c and v}
        blank = 0 if row else blank + 1
        # A sheet may carry a million formatted, empty rows: what follows so many blank ones is not the form.
        if blank > 60:
            break
        rows.append(row)
    while rows and not rows[-1]:
        rows.pop()
    return Sheet(name, [c for c in columns if c], rows)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).replace("\xa0", " ").strip()


def _read_workbook(path: Path) -> Book:
    import warnings

    from pyxform.errors import PyXFormError, PyXFormReadError
    from pyxform.xls2json_backends import xls_to_dict, xlsx_to_dict

    where = path.name
    with warnings.catch_warnings():
        # openpyxl remarks on styles and properties that have no meaning for a form.
        warnings.simplefilter("ignore")
        try:
            # pyxform's own reading of cells, so that a workbook means here what it means elsewhere.
            found: Mapping[str, Any] = (xls_to_dict if path.suffix.lower() == ".xls" else xlsx_to_dict)(str(path))
            index = _extra_sheet(path, "index")
        except PyXFormReadError as error:
            raise _damaged(where, error) from None
        except PyXFormError as error:
            raise _bad(where, f"không đọc được: {error}", f"cannot be read: {error}", "", "") from None
        except Exception as error:
            # openpyxl and xlrd raise whatever a damaged file makes them stumble over.
            raise _damaged(where, error) from None
    book = Book(path.stem, where)
    for name in SHEETS:
        if name in found:
            columns = [re.sub(r" +", " ", c) for h in found.get(f"{name}_header") or [] for c in h]
            rows = [{k: nfc(v) for k, v in row.items() if v is not None} for row in found[name]]
            book.sheets[name] = Sheet(name, columns, rows)
    if index is not None:
        book.sheets["index"] = index
    book.other_sheets = tuple(n for n in found.get("sheet_names", ()) if n.lower() not in SHEETS)
    if "survey" not in book.sheets and "index" not in book.sheets:
        raise _bad(
            where,
            "không có trang «survey»",
            "there is no sheet “survey”",
            "đặt tên trang câu hỏi là survey",
            "name the sheet of questions survey",
        )
    media = path.with_name(f"{path.stem}-media")
    if media.is_dir():
        for file in sorted(media.glob("*.csv")):
            book.files[file.stem] = tuple(row for row in read_csv(file).rows if row)
    book.media = _media(media)
    return book


def _media(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        return {}
    return {nfc(file.name): file for file in sorted(folder.iterdir()) if file.is_file() and file.suffix != ".csv"}


def _damaged(where: str, error: Exception) -> InputError:
    return _bad(
        where,
        f"tệp bị hỏng hoặc không phải bảng tính Excel ({type(error).__name__})",
        f"the file is damaged or is not an Excel workbook ({type(error).__name__})",
        "mở bằng Excel rồi lưu lại thành .xlsx",
        "open it in Excel and save it again as .xlsx",
    )


def _extra_sheet(path: Path, name: str) -> Sheet | None:
    """A sheet that pyxform does not read."""
    if path.suffix.lower() == ".xls":
        import xlrd

        with xlrd.open_workbook(str(path), on_demand=True) as book:
            found = next((n for n in book.sheet_names() if n.lower() == name), None)
            if found is None:
                return None
            sheet = book.sheet_by_name(found)
            lines = [sheet.row_values(i) for i in range(sheet.nrows)]
        return _sheet(name, lines[0] if lines else [], lines[1:])
    import openpyxl

    workbook = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        found = next((n for n in workbook.sheetnames if n.lower() == name), None)
        if found is None:
            return None
        iterator = workbook[found].iter_rows(values_only=True)
        return _sheet(name, next(iterator, ()), iterator)
    finally:
        workbook.close()
