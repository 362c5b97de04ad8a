"""Importance and performance in a report of a round: what goes with an outcome, and how well it is done.

It rests on interviews, never on scores: only a report of a round's own answers has it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from analysis.design import Design
from analysis.drivers import METHODS, QUADRANTS, Drivers, drivers
from analysis.index import Index
from analysis.quadrants import picture
from analysis.report.blocks import Block, Column, Entry, Heading, Paragraph, Picture, Row, Table
from analysis.report.cells import WHOLE
from analysis.report.figures import Figures
from analysis.report.format import count, interval, number
from analysis.report.meta import Meta
from analysis.report.tree import Tree
from analysis.table import Table as Data
from survey.errors import InputError

if TYPE_CHECKING:
    from analysis.report.making import Report

Drive = Callable[[str, str, str], Drivers]
"""Domain level, domain, language → what goes with the outcome there; the level of the whole for everybody."""


def drive(data: Data, design: Design, index: Index, tree: Tree, outcome: str, attributes: Sequence[str] = ()) -> Drive:
    """What computes the drivers of ``outcome`` in a domain; without ``attributes`` they are the index's components
    that are neither the outcome, nor part of it, nor made of each other."""
    names = tuple(attributes) or default_attributes(index, tree, outcome)

    def found(level: str, domain: str, language: str) -> Drivers:
        within = None
        if level not in WHOLE:
            codes, values = data.labels(level)
            within = codes == (values.index(domain) if domain in values else -2)
        return drivers(data, outcome, names, design, index, language=language, within=within)

    return found


def default_attributes(index: Index, tree: Tree, outcome: str) -> tuple[str, ...]:
    """The components that an outcome can be held against."""

    def below(code: str) -> set[str]:
        return {code, *(one for child in index.children.get(code, ()) for one in below(child.code))}

    shown = [node.code for node in tree.components(14)]
    own = below(outcome) if outcome in index.by_code else set()
    apart = [code for code in shown if code not in own and outcome not in below(code)]
    return tuple(code for code in apart if not (below(code) - {code}) & set(apart))


def quadrant_blocks(report: Report, meta: Meta, language: str, level: str = "", domain: str = "") -> list[Block]:
    """The picture with its table; a sentence where the place has too few interviews for it. Nothing where no outcome
    was asked for.

    Raises:
        Problems, InputError: as :func:`analysis.drivers.drivers`, where it is asked of everybody.
    """
    if report.drive is None:
        return []
    figures = Figures(meta, language)
    t = figures.t
    heading = Heading(t("Mức liên hệ và mức đạt được", "Association and performance"))
    try:
        told = report.drive(level, domain, language)
    except InputError as wrong:
        if level in WHOLE:
            raise
        what = wrong.problem.what(language)
        return [heading, Paragraph(t(f"Không vẽ được ở nơi này: {what}.", f"Not drawn for this place: {what}."))]
    node = report.tree.nodes.get(told.outcome)
    outcome = node.label(language) if node else told.outcome
    key = f"{language}-quadrants"
    drawing = picture(told, key, language, t(f"Mức liên hệ và mức đạt được: {outcome}",
                                             f"Association and performance: {outcome}"))  # fmt: skip
    caption = t(
        f"Trục đứng: phần của R² ({METHODS[told.method].vi}) với “{outcome}”; trục ngang: mức đạt được, thang "
        "0–100. Dấu rỗng: khoảng tin cậy chạm đường chia ô.",
        f"Upwards: the share of R² ({METHODS[told.method].en}) with '{outcome}'; to the right: performance, 0 to "
        "100. Hollow marks: an interval touches a line.",
    )
    columns = (
        Column(t("% của R²", "% of R²")),
        Column(t("Khoảng tin cậy", "Interval"), wide=1.6),
        Column(t("Mức đạt", "Performance")),
        Column(t("Khoảng tin cậy", "Interval"), wide=1.6),
        Column(t("Ô", "Quadrant"), wide=1.6),
    )
    rows = []
    for _, row in told.table.sort_values("importance", ascending=False, kind="stable").iterrows():
        linked = float(row["low"]), float(row["high"])
        reached = float(row["performance_low"]), float(row["performance_high"])
        word = QUADRANTS[row["quadrant"]](language) + ("" if row["sure"] else t(" (chưa chắc)", " (not certain)"))
        rows.append(
            Row(
                str(row["name"]),
                (
                    Entry(number(row["importance"], 1, language), float(row["importance"]), 1),
                    Entry(interval(linked[0], linked[1], 1, language), linked[0], 1, linked),
                    Entry(number(row["performance"], 1, language), float(row["performance"]), 1),
                    Entry(interval(reached[0], reached[1], 1, language), reached[0], 1, reached),
                    Entry(word),
                ),
                after=str(row["code"]) if row["code"] != row["name"] else "",
            )
        )
    basis = t(
        f"n = {count(told.n, language)}, R² = {number(told.r2, 2, language)}, {count(told.df, language)} bậc tự do",
        f"n = {count(told.n, language)}, R² = {number(told.r2, 2, language)}, {count(told.df, language)} df",
    )
    said = ". ".join(note(language)[:1].upper() + note(language)[1:] for note in told.notes)
    title = t("Yếu tố theo mức liên hệ", "Attributes by association")
    return [
        heading,
        Paragraph(f"{said}."),
        Picture((drawing,), caption),
        Table(title, t("Yếu tố", "Attribute"), columns, tuple(rows), basis),
    ]
