"""The index book: every node in every domain with its interval and degrees of freedom."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.report.blocks import Block, Column, Heading, Paper, Row, Table
from analysis.report.cells import Cell
from analysis.report.figures import Figures
from analysis.report.making import Report
from analysis.report.overview import Setting
from analysis.report.quadrant_pages import quadrant_blocks
from survey.text import Text


def book(report: Report, language: str) -> Paper:
    """A table for the whole and for each domain of each level: nodes down, figures across."""
    meta = report.meta
    setting, figures = Setting(meta, language), Figures(meta, language)
    body: list[Block] = []
    whole = report.cells.whole()
    if whole:
        name = setting.t("Kết quả chung", "Overall result")
        body += [Heading(name), *_tables(report, setting, figures, name, whole, "")]
    for level in report.cells.levels():
        domains = report.cells.domains(level)
        if len(domains) == 1 and whole is not None and next(iter(domains.values())) == whole:
            continue
        word = meta.level_name(level)(language)
        body.append(Heading(word))
        for domain, cells in domains.items():
            name = meta.domain_name(level, domain)(language)
            body += [Heading(name, 2), *_tables(report, setting, figures, name, cells, word)]
    body += quadrant_blocks(report, meta, language)
    body += setting.notes((), small=any(cell.small for cell in report.cells.all))
    own = any(not cell.published for cell in report.cells.all)
    title = Text(f"Sổ chỉ số: {meta.title.vi}", f"Index book: {meta.title.en}")
    return setting.paper(body, own=own, title=title)


def _tables(
    report: Report, setting: Setting, figures: Figures, name: str, cells: Mapping[str, Cell], group: str
) -> list[Block]:
    """The nodes of one domain; own and published ones in tables of their own."""
    found: list[Block] = []
    for published in (False, True):
        lines = [
            figures.line(cell, node)
            for node in report.tree.nodes.values()
            if (cell := cells.get(node.code)) is not None and cell.published == published
        ]
        if not lines:
            continue
        columns = [Column(setting.t("Thang", "Scale")), *setting.columns(published, drawn=True)]
        rows = tuple(
            Row(
                line.label,
                (setting.scale(line), *setting.entries(line, published, drawn=True)),
                after=line.code,
                remark=line.remark if line.missing else "",
                depth=max(line.depth, 2) if line.leaf else min(line.depth, 4),
                small=line.small,
            )
            for line in lines
        )
        found.append(Table(name, setting.t("Nội dung", "Content"), tuple(columns), rows, group=group))
    return found
