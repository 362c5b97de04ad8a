"""Scores as workbooks and tidy files: numbers that can be counted with, and on every sheet what they are not.

A workbook has a sheet for each table, its figures as numbers in the form of the reader's language; CSV and Parquet are
the tidy scores with the names of nodes and domains in both languages, and ``standing``, the sentence that says of each
row that it is no official publication.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from analysis.output import write_table
from analysis.report.blocks import Column, Entry, Listing, Paper, Points, Table
from analysis.report.cells import Cells
from analysis.report.docx import repacked
from analysis.report.meta import INTERNAL, PUBLISHED, Meta
from analysis.report.tree import Tree

_FONT = "Times New Roman"
_LINE = Border(bottom=Side(style="hair"))
_HEAD = PatternFill("solid", fgColor="E8ECF1")


def workbook(paper: Paper) -> bytes:
    """``paper`` as .xlsx: what it is on the first sheet, then each table on its own."""
    book = Workbook()
    first = book.active
    assert isinstance(first, Worksheet)
    first.title = "Giới thiệu" if paper.language == "vi" else "About"
    _about(first, paper)
    names = {first.title.casefold()}
    for number, table in enumerate(_gathered(paper.tables()), 1):
        sheet = book.create_sheet(_name(f"{number:02d} {table.title}", names))
        _sheet(sheet, paper, table)
    book.properties.title, book.properties.creator = paper.title, "survey report"
    made = io.BytesIO()
    book.save(made)
    return repacked(made.getvalue())


def tidy(cells: Cells, tree: Tree, meta: Meta) -> pd.DataFrame:
    """All scores as rows, with names in both languages and what each row's standing is."""
    rows: list[dict[str, Any]] = []
    for cell in cells.all:
        node = tree.nodes.get(cell.code)
        name = meta.domain_name(cell.domain_level, cell.domain)
        standing = PUBLISHED if cell.published else INTERNAL
        rows.append(
            {
                "index": meta.index,
                "round": meta.round,
                "domain_level": cell.domain_level,
                "domain": cell.domain,
                "domain_vi": name.vi,
                "domain_en": name.en,
                "code": cell.code,
                "label_vi": node.label.vi if node else "",
                "label_en": node.label.en if node else "",
                **{key: getattr(cell, key) for key in
                   ("estimate", "se", "low", "high", "df", "n", "n_psu", "deff", "note")},
                "source": "published" if cell.published else "own",
                "standing": f"{standing.vi} / {standing.en}",
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def write_tidy(cells: Cells, tree: Tree, meta: Meta, file: Path) -> None:
    """Writes :func:`tidy` to ``file`` (.csv, .parquet), whole or not at all."""
    write_table(tidy(cells, tree, meta), file)


def _about(sheet: Worksheet, paper: Paper) -> None:
    lines: list[tuple[str, str]] = [(paper.title, ""), (paper.subtitle, ""), (f"{paper.official}.", "")]
    lines += [(what, so_what) for what, so_what in paper.marks]
    lines += list(paper.facts)
    for block in paper.body:
        if isinstance(block, Listing):
            lines += [("", ""), *block.lines, *((block.commands_name, command) for command in block.commands)]
        elif isinstance(block, Points):
            lines += [("", ""), *((line, "") for line in block.lines)]
    for row, (name, value) in enumerate(lines, 1):
        for column, text in enumerate((name, value), 1):
            cell = sheet.cell(row, column)
            _put(cell, text)
            cell.alignment = Alignment(wrap_text=column == 2, vertical="top")
    sheet["A1"].font = Font(name=_FONT, size=16, bold=True)
    sheet["A3"].font = Font(name=_FONT, size=12, bold=True)
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 34, 90
    _printed(sheet, paper)


def _gathered(tables: Sequence[Table]) -> list[Table]:
    """The tables, those of one group with the same columns as one: the title of each stands before its rows."""
    found: dict[tuple[object, ...], list[Table]] = {}
    for number, table in enumerate(tables):
        found.setdefault((table.group, table.columns) if table.group else (number,), []).append(table)
    return [_one(alike) if len(alike) > 1 else alike[0] for alike in found.values()]


def _one(alike: Sequence[Table]) -> Table:
    rows = [
        replace(row, entries=(Entry(row.name), *row.entries), name=table.title) for table in alike for row in table.rows
    ]
    rows = [replace(row, depth=None, total=False) for row in rows]
    first = alike[0]
    return replace(first, title=first.group, first=first.group, columns=(Column(first.first, wide=3), *first.columns),
                   rows=tuple(rows))  # fmt: skip


def _sheet(sheet: Worksheet, paper: Paper, table: Table) -> None:
    """The sentence, the title, the note, the heads, the rows."""
    vi = paper.language == "vi"
    for line, text in enumerate((f"{paper.official}.", table.title, table.note), 1):
        _put(sheet.cell(line, 1), text)
        sheet.cell(line, 1).font = Font(name=_FONT, size=12 if line == 2 else 11, bold=line < 3, italic=line == 3)
    shown = [k for k, column in enumerate(table.columns) if not column.drawn]
    with_code = any(row.after for row in table.rows)
    pairs = {k for k in shown if any(row.entries[k].ends for row in table.rows)}
    below = {k for k in shown if any(row.entries[k].below for row in table.rows)}
    head = [table.first] + (["Mã" if vi else "Code"] if with_code else [])
    for k in shown:
        name = table.columns[k].head
        if k in pairs:
            head += [f"{name}: {'từ' if vi else 'from'}", f"{name}: {'đến' if vi else 'to'}"]
        elif k in below:
            head += [name, f"{name}: {'khoảng' if vi else 'interval'}"]
        else:
            head.append(name)
    for column, text in enumerate(head, 1):
        cell = sheet.cell(5, column)
        _put(cell, text)
        cell.font, cell.fill = Font(name=_FONT, size=11, bold=True), _HEAD
        cell.alignment = Alignment(wrap_text=True, vertical="center", horizontal="center")
    for number, row in enumerate(table.rows, 6):
        name = sheet.cell(number, 1)
        _put(name, row.name + (" †" if row.small else "") + (f" ({row.remark})" if row.remark else ""))
        indent = (row.depth - table.least_depth) if row.depth is not None else 0
        name.alignment = Alignment(indent=indent, wrap_text=True, vertical="top")
        name.font = Font(name=_FONT, size=11, bold=row.total or row.depth == 0)
        column = 2
        if with_code:
            _put(sheet.cell(number, 2), row.after)
            column = 3
        for k in shown:
            column = _figure(sheet, number, column, row.entries[k], k in pairs, k in below)
    texts = {column.head for column in table.columns if column.words}
    sheet.freeze_panes = "B6"
    sheet.auto_filter.ref = f"A5:{get_column_letter(len(head))}{5 + len(table.rows)}"
    sheet.column_dimensions["A"].width = 46
    for column in range(2, len(head) + 1):
        wide = 24 if with_code and column == 2 else 40 if head[column - 1] in texts else 16
        sheet.column_dimensions[get_column_letter(column)].width = wide
    sheet.print_title_rows = "5:5"
    _printed(sheet, paper, wide=len(head) > 7)


def _figure(sheet: Worksheet, row: int, column: int, entry: Entry, pair: bool, below: bool) -> int:
    """Writes one entry and returns the column after it."""
    shape = "#,##0" + ("." + "0" * entry.places if entry.places else "")
    values = list(entry.ends or (None, None)) if pair else [entry.value]
    for k, value in enumerate(values):
        cell = sheet.cell(row, column + k)
        if value is None:
            _put(cell, "" if pair else entry.text)
        else:
            cell.value, cell.number_format = value, shape
        cell.font, cell.border = Font(name=_FONT, size=11, italic=entry.small), _LINE
        cell.alignment = Alignment(horizontal="right", vertical="top")
    if below:
        _put(sheet.cell(row, column + 1), entry.below)
    return column + len(values) + int(below)


def _put(cell: Any, text: str) -> None:
    """A text stays a text: a name that begins with ``=`` must never become a formula in somebody's Excel."""
    cell.value = text
    if cell.data_type == "f":
        cell.data_type = "s"
    cell.font = Font(name=_FONT, size=11)


def _printed(sheet: Worksheet, paper: Paper, *, wide: bool = False) -> None:
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.orientation = "landscape" if wide else "portrait"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.oddHeader.center.text = "&P"
    sheet.oddFooter.center.text = paper.official.replace("&", "&&")


def _name(text: str, taken: set[str]) -> str:
    """A name for a sheet: 31 characters, none that Excel forbids, none twice."""
    name = re.sub(r"[\[\]:*?/\\]", " ", text)[:31].strip().strip("'")
    plain, number = name, 2
    while name.casefold() in taken:
        name = f"{plain[:27]} ({number})"
        number += 1
    taken.add(name.casefold())
    return name
