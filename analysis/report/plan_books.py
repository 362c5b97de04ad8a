"""The workbooks of an improvement plan: the sheet that people fill in, an agency's extract, the quarter's summary."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from analysis.plan_sheet import ASSIGNED, FINDINGS, HEADINGS, ROLES, STANDS, STATUS, Answer, Collected, Item, rows_of
from analysis.report.docx import repacked
from survey.text import Text

_WIDTHS = {"id": 10, "code": 12, "name": 34, "finding": 18, "status": 18, "assigned": 18, "lead": 26, "assist": 26,
           "due": 13, "role": 12, "plan": 14, "agency": 26, "by": 22}  # fmt: skip
_HEAD = PatternFill("solid", fgColor="E8ECF1")
_FILL_IN = PatternFill("solid", fgColor="FFF8E1")
_THIN = Side(style="thin", color="9AA5B1")
_LINE = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
_FILLED_BY_AGENCY = ("status", "progress", "evidence", "by")
_EXTRACT = ("id", "code", "name", "task", "role", "due", "status", "progress", "evidence", "by", "agency", "plan")


def plan_book(items: Sequence[Item], language: str = "vi") -> bytes:
    """The plan as a workbook to fill in; :func:`analysis.plan_sheet.read_sheet` reads it back."""
    rows = rows_of(items, language)
    columns = list(rows[0]) if rows else list(HEADINGS)[:15]
    book, sheet = _book(Text("Kế hoạch", "Plan")(language))
    _write(sheet, columns, rows, language, editable=columns)
    return _bytes(book)


def extract_book(items: Sequence[Item], agency: str, plan: str, language: str = "vi") -> bytes:
    """One agency's items: what is given stands fixed, what it reports is yellow and has its list of words."""
    rows = []
    for item, row in zip(items, rows_of(items, language), strict=True):
        role = ROLES[item.agencies[agency]](language)
        rows.append({**row, "role": role, "plan": plan, "agency": agency, "by": ""})
    book, sheet = _book(Text("Nhiệm vụ", "Tasks")(language))
    _write(sheet, list(_EXTRACT), rows, language, editable=_FILLED_BY_AGENCY)
    sheet.protection.sheet = True
    sheet.protection.formatColumns = sheet.protection.formatRows = False
    return _bytes(book)


def quarter_book(collected: Collected, language: str = "vi") -> bytes:
    """The quarter: the plan as the leads report it, by status with a total, all answers, conflicts, silence."""
    book, sheet = _book(Text("Kế hoạch", "Plan")(language))
    rows = rows_of(collected.items, language)
    for row in rows:
        if row["id"] in collected.conflicts:
            row["status"] = STANDS["conflict"](language)
    _write(sheet, list(rows[0]) if rows else ["id"], rows, language, editable=())
    counts = collected.counts()
    table = [[STANDS[key](language), count] for key, count in counts.items()]
    table.append([Text("Tổng số", "Total")(language), sum(counts.values())])
    _plain(book, Text("Tổng hợp", "Summary"), [HEADINGS["status"], Text("Số nhiệm vụ", "Items")], table, language)
    heads = [HEADINGS[name] for name in ("id", "agency", "status", "progress", "evidence", "by")]

    def lines(answers: Mapping[str, Sequence[Answer]]) -> list[list[object]]:
        return [
            [one.item, one.agency, STATUS[one.status](language), one.progress, one.evidence, one.by]
            for held in answers.values()
            for one in held
        ]

    _plain(book, Text("Báo cáo", "Reports"), heads, lines(collected.answers), language)
    _plain(book, Text("Khác nhau", "Differ"), heads, lines(collected.conflicts), language)
    silent: list[list[object]] = [[item.id, item.lead, item.task or item.name] for item in collected.silent]
    _plain(book, Text("Chưa báo cáo", "Not reported"), [HEADINGS[n] for n in ("id", "lead", "task")], silent, language)
    return _bytes(book)


def _book(title: str) -> tuple[Workbook, Worksheet]:
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = title
    return book, sheet


def _write(
    sheet: Worksheet, columns: Sequence[str], rows: Sequence[dict[str, str]], language: str, editable: Sequence[str]
) -> None:
    sheet.append([HEADINGS[name](language) for name in columns])
    for row in rows:
        sheet.append([row[name] for name in columns])
    for k, name in enumerate(columns, 1):
        sheet.column_dimensions[get_column_letter(k)].width = _WIDTHS.get(name, 40)
    for number, cells in enumerate(sheet.iter_rows(min_row=1, max_row=len(rows) + 1), 1):
        for cell, name in zip(cells, columns, strict=True):
            cell.alignment, cell.border = Alignment(wrap_text=True, vertical="top"), _LINE
            cell.font = Font(name="Times New Roman", size=12, bold=number == 1)
            if cell.data_type == "f":
                cell.data_type = "s"  # what somebody wrote must never become a formula in somebody's Excel
            if number == 1:
                cell.fill = _HEAD
            elif name in editable:
                cell.protection = Protection(locked=False)
                if len(editable) < len(columns):
                    cell.fill = _FILL_IN
    for name, table in (("status", STATUS), ("finding", FINDINGS), ("assigned", ASSIGNED)):
        if name in columns and name in editable and rows:
            _choice(sheet, columns.index(name) + 1, len(rows), [word(language) for word in table.values()])
    sheet.freeze_panes = "B2"
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", 9
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = "1:1"


def _choice(sheet: Worksheet, column: int, rows: int, words: Sequence[str]) -> None:
    """A list to choose from. The words stand on a hidden sheet: in the rule itself a comma would part them."""
    book, name = sheet.parent, "words"
    assert isinstance(book, Workbook)
    hidden = book[name] if name in book.sheetnames else book.create_sheet(name)
    hidden.sheet_state = "hidden"
    letter = get_column_letter(hidden.max_column + 1 if hidden["A1"].value else 1)
    for k, word in enumerate(words, 1):
        hidden[f"{letter}{k}"] = word
    choice = DataValidation("list", f"{name}!${letter}$1:${letter}${len(words)}", allow_blank=True)
    own = get_column_letter(column)
    choice.add(f"{own}2:{own}{rows + 1}")
    sheet.add_data_validation(choice)


def _plain(book: Workbook, title: Text, heads: Sequence[Text], rows: Sequence[Sequence[object]], language: str) -> None:
    sheet = book.create_sheet(title(language))
    sheet.append([head(language) for head in heads])
    for row in rows:
        sheet.append(list(row))
    for cells in sheet.iter_rows():
        for cell in cells:
            cell.alignment, cell.border = Alignment(wrap_text=True, vertical="top"), _LINE
            cell.font = Font(name="Times New Roman", size=12, bold=cell.row == 1)
            if cell.data_type == "f":
                cell.data_type = "s"
    for k in range(len(heads)):
        sheet.column_dimensions[get_column_letter(k + 1)].width = 24


def _bytes(book: Workbook) -> bytes:
    made = io.BytesIO()
    book.save(made)
    return repacked(made.getvalue())
