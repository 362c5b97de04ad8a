"""The auditors' papers (:mod:`survey.fieldwork.papers`) as a Word document of an office, or as a workbook."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from analysis.report import format
from analysis.report.docx import FONT, OfficeDocument, repacked
from analysis.report.office import Office
from analysis.report.sheets import sheet_name
from survey.fieldwork.papers import Cell, Paper, Table
from survey.text import Text

PRIVATE = Text(
    "Có dữ liệu cá nhân (Luật số 91/2025/QH15): chỉ giao cho người có trách nhiệm, giữ riêng với phiếu trả lời, "
    "hủy khi hết hạn giữ.",
    "Personal data (Law 91/2025/QH15): give it only to those responsible, keep it apart from the answers, destroy it "
    "when its time is over.",
)
SYNTHETIC = Text("Dữ liệu giả lập, không phải kết quả khảo sát.", "Synthetic data, not the result of any survey.")
PILOT = Text("Đợt thí điểm.", "Pilot round.")
_THIN = Side(style="thin", color="000000")
_BOX = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
_FILL = PatternFill("solid", fgColor="E8ECF1")
_SIGNING = 9.0  # millimetres of a row with room for a signature


@dataclass(frozen=True)
class About:
    """What stands above the tables: facts such as round, commune, which forms count; ``synthetic``
    and ``pilot`` mark every page."""

    facts: tuple[Text, ...] = ()
    synthetic: bool = False
    pilot: bool = False

    def notice(self, paper: Paper, language: str) -> str:
        """The foot of every page."""
        told = [PRIVATE] if paper.private else []
        return " ".join(text(language) for text in [*told, *[SYNTHETIC] * self.synthetic, *[PILOT] * self.pilot])


def word(paper: Paper, about: About, office: Office, language: str = "vi") -> bytes:
    """``paper`` as .docx, in the layout of Decree 30/2020/NĐ-CP."""
    made = OfficeDocument(
        office, paper.kind(language), paper.subject(language), language=language, notice=about.notice(paper, language)
    )
    for fact in about.facts:
        made.item(fact(language))
    for table in paper.tables:
        rows = [[_shown(cell, language) for cell in row] for row in table.rows]
        made.table(
            table.title(language),
            [head(language) for head in table.heads],
            rows,
            align=table.align,
            widths=table.widths,
            bold=[len(rows) - 1] if table.total else (),
            size=9 if len(table.heads) > 8 else 10 if len(table.heads) > 6 else 11,
            note=table.note(language),
            height=_SIGNING if table.signed else 0,
        )
    made.signed_by([post(language) for post in paper.signers])
    return made.finish()


def workbook(paper: Paper, about: About, office: Office, language: str = "vi") -> bytes:
    """``paper`` as .xlsx: a sheet a table, figures as numbers and days as dates."""
    book = Workbook()
    first, names = book.active, set[str]()
    for table in paper.tables:
        sheet = first if first is not None and not names else book.create_sheet()
        assert isinstance(sheet, Worksheet)
        sheet.title = sheet_name(table.title(language), names)
        _sheet(sheet, paper, table, about, office, language)
    book.properties.title = f"{paper.kind(language)} {paper.subject(language)}"
    book.properties.creator = office.name or "survey papers"
    made = io.BytesIO()
    book.save(made)
    return repacked(made.getvalue())


def _sheet(sheet: Worksheet, paper: Paper, table: Table, about: About, office: Office, language: str) -> None:
    titles = [office.name, f"{paper.kind(language)}: {paper.subject(language)}", table.title(language)]
    above = [*filter(None, titles), *(fact(language) for fact in about.facts)]
    for row, text in enumerate(above, 1):
        _put(sheet.cell(row, 1), text)
        sheet.cell(row, 1).font = Font(name=FONT, size=12, bold=text in titles)
    head = len(above) + 2
    for k, words in enumerate(table.heads, 1):
        cell = sheet.cell(head, k)
        _put(cell, words(language))
        cell.font, cell.fill, cell.border = Font(name=FONT, size=11, bold=True), _FILL, _BOX
        cell.alignment = Alignment(wrap_text=True, horizontal="center", vertical="center")
        sheet.column_dimensions[get_column_letter(k)].width = max(6.0, table.widths[k - 1] * 0.7)
    sheet.row_dimensions[head].height = 32
    for number, cells in enumerate(table.rows, head + 1):
        last = table.total and number == head + len(table.rows)
        for k, value in enumerate(cells, 1):
            _fill(sheet.cell(number, k), value, table.align[k - 1], bold=last, language=language)
        if table.signed:
            sheet.row_dimensions[number].height = _SIGNING / 25.4 * 72
    end = head + len(table.rows) + 1
    if table.note(language):
        _put(sheet.cell(end, 1), table.note(language))
        end += 1
    for k, post in enumerate(paper.signers):
        column = 1 + k * max(1, len(table.heads) // len(paper.signers))
        _put(sheet.cell(end + 1, column), post(language))
        sheet.cell(end + 1, column).font = Font(name=FONT, size=11, bold=True)
    sheet.freeze_panes = sheet.cell(head + 1, 1)
    sheet.print_title_rows = f"{head}:{head}"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.orientation = "landscape" if len(table.heads) > 6 else "portrait"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.oddHeader.center.text = "&P"
    sheet.oddFooter.center.text = about.notice(paper, language).replace("&", "&&")


def _put(cell: Any, text: str) -> None:
    """A text stays a text: a name that begins with ``=`` must never become a formula in somebody's Excel."""
    cell.value = text
    if cell.data_type == "f":
        cell.data_type = "s"
    cell.font = Font(name=FONT, size=11)


def _fill(cell: Any, value: Cell, side: str, *, bold: bool, language: str) -> None:
    if isinstance(value, (int, date)):
        cell.value = value
        cell.number_format = "#,##0" if isinstance(value, int) else "dd/mm/yyyy"
    else:
        _put(cell, _shown(value, language))
    cell.font, cell.border = Font(name=FONT, size=11, bold=bold), _BOX
    across = {"l": "left", "r": "right", "c": "center"}[side]
    cell.alignment = Alignment(wrap_text=True, vertical="center", horizontal=across)


def _shown(value: Cell, language: str) -> str:
    if value is None:
        return ""
    if isinstance(value, Text):
        return value(language)
    if isinstance(value, int):
        return format.number(value, 0, language)
    return format.day(value.isoformat(), "vi") if isinstance(value, date) else value
