"""Scores as workbooks and tidy files: numbers that can be counted with, and on every sheet what they are not.

A workbook has a sheet for each table, its figures as numbers in the form of the reader's language; CSV and Parquet are
the tidy scores with the names of nodes and domains in both languages, and ``standing``, the sentence that says of each
row that it is no official publication.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from copy import copy
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
_PLAIN, _BOLD, _ITALIC = (Font(name=_FONT, size=11, bold=bold, italic=italic)
                          for bold, italic in ((False, False), (True, False), (False, True)))  # fmt: skip
_RIGHT = Alignment(horizontal="right", vertical="top")
_INDENTED = tuple(Alignment(indent=k, wrap_text=True, vertical="top") for k in range(7))


def workbook(paper: Paper) -> bytes:
    """``paper`` as .xlsx: what it is on the first sheet, then each table on its own."""
    return _Book(paper).bytes()


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


class _Book:
    """One workbook."""

    def __init__(self, paper: Paper):
        self.paper = paper
        self.book = Workbook()
        self.styles: dict[tuple[Any, ...], Any] = {}
        first = self.book.active
        assert isinstance(first, Worksheet)
        first.title = "Giới thiệu" if paper.language == "vi" else "About"
        self._about(first)
        names = {first.title.casefold()}
        for number, table in enumerate(_gathered(paper.tables()), 1):
            self._sheet(self.book.create_sheet(sheet_name(f"{number:02d} {table.title}", names)), table)
        self.book.properties.title, self.book.properties.creator = paper.title, "survey report"

    def bytes(self) -> bytes:
        """The workbook as a file; the same content gives the same bytes but for the time that it holds."""
        made = io.BytesIO()
        self.book.save(made)
        return repacked(made.getvalue())

    def _about(self, sheet: Worksheet) -> None:
        lines: list[tuple[str, str]] = [
            (self.paper.title, ""),
            (self.paper.subtitle, ""),
            (f"{self.paper.official}.", ""),
        ]
        lines += [(what, so_what) for what, so_what in self.paper.marks]
        lines += list(self.paper.facts)
        for block in self.paper.body:
            if isinstance(block, Listing):
                lines += [("", ""), *block.lines, *((block.commands_name, command) for command in block.commands)]
            elif isinstance(block, Points):
                lines += [("", ""), *((line, "") for line in block.lines)]
        for row, (name, value) in enumerate(lines, 1):
            for column, text in enumerate((name, value), 1):
                cell = sheet.cell(row, column)
                self._put(cell, text)
                cell.alignment = Alignment(wrap_text=column == 2, vertical="top")
        sheet["A1"].font = Font(name=_FONT, size=16, bold=True)
        sheet["A3"].font = Font(name=_FONT, size=12, bold=True)
        sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 34, 90
        self._printed(sheet)

    def _sheet(self, sheet: Worksheet, table: Table) -> None:
        """The sentence, the title, the note, the heads, the rows."""
        vi = self.paper.language == "vi"
        for line, text in enumerate((f"{self.paper.official}.", table.title, table.note), 1):
            self._put(sheet.cell(line, 1), text)
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
            self._put(cell, text)
            cell.font, cell.fill = Font(name=_FONT, size=11, bold=True), _HEAD
            cell.alignment = Alignment(wrap_text=True, vertical="center", horizontal="center")
        for number, row in enumerate(table.rows, 6):
            name = sheet.cell(number, 1)
            self._put(name, row.name + (" †" if row.small else "") + (f" ({row.remark})" if row.remark else ""))
            indent = (row.depth - table.least_depth) if row.depth is not None else 0
            self._styled(name, _BOLD if row.total or row.depth == 0 else _PLAIN, _INDENTED[min(indent, 6)])
            column = 2
            if with_code:
                self._put(sheet.cell(number, 2), row.after)
                column = 3
            for k in shown:
                column = self._figure(sheet, number, column, row.entries[k], table.columns[k], k in pairs, k in below)
        texts = {column.head for column in table.columns if column.words}
        sheet.freeze_panes = "B6"
        sheet.auto_filter.ref = f"A5:{get_column_letter(len(head))}{5 + len(table.rows)}"
        sheet.column_dimensions["A"].width = 46
        for column in range(2, len(head) + 1):
            wide = 24 if with_code and column == 2 else 40 if head[column - 1] in texts else 16
            sheet.column_dimensions[get_column_letter(column)].width = wide
        sheet.print_title_rows = "5:5"
        self._printed(sheet, wide=len(head) > 7)

    def _figure(
        self, sheet: Worksheet, row: int, column: int, entry: Entry, head: Column, pair: bool, below: bool
    ) -> int:
        """Writes one entry and returns the column after it."""
        shape = "#,##0" + ("." + "0" * entry.places if entry.places else "")
        values = list(entry.ends or (None, None)) if pair else [entry.value]
        for k, value in enumerate(values):
            cell = sheet.cell(row, column + k)
            if value is None:
                self._put(cell, "" if pair else entry.text)
            else:
                cell.value, cell.number_format = value, shape
            self._styled(cell, _ITALIC if entry.small else _PLAIN, _INDENTED[0] if head.words else _RIGHT, _LINE)
        if below:
            self._put(sheet.cell(row, column + 1), entry.below)
        return column + len(values) + int(below)

    def _put(self, cell: Any, text: str) -> None:
        """A text stays a text: a name that begins with ``=`` must never become a formula in somebody's Excel."""
        cell.value = text
        if cell.data_type == "f":
            cell.data_type = "s"
        self._styled(cell, _PLAIN)

    def _styled(self, cell: Any, *parts: Any) -> None:
        """Gives a cell font, alignment and border. Each set of parts is worked out once: that takes longer than the
        cell itself, and a book has tens of thousands."""
        key = (cell.number_format, *map(id, parts))
        if key not in self.styles:
            for part in parts:
                setattr(cell, type(part).__name__.lower(), part)
            self.styles[key] = copy(cell._style)
        cell._style = copy(self.styles[key])

    def _printed(self, sheet: Worksheet, *, wide: bool = False) -> None:
        sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
        sheet.page_setup.orientation = "landscape" if wide else "portrait"
        sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
        sheet.sheet_properties.pageSetUpPr.fitToPage = True
        sheet.oddHeader.center.text = "&P"
        sheet.oddFooter.center.text = self.paper.official.replace("&", "&&")


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


def sheet_name(text: str, taken: set[str]) -> str:
    """A name for a sheet: 31 characters, none that Excel forbids, none twice."""
    name = re.sub(r"[\[\]:*?/\\]", " ", text)[:31].strip().strip("'")
    plain, number = name, 2
    while name.casefold() in taken:
        name = f"{plain[:27]} ({number})"
        number += 1
    taken.add(name.casefold())
    return name
