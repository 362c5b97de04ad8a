"""Gaps between groups of people as a document: each group against the largest, in the index and in its components."""

from __future__ import annotations

import math
from typing import Any

from analysis.gaps import Gaps, gaps
from analysis.report import charts
from analysis.report.blocks import Block, Column, Entry, Heading, Paper, Paragraph, Row, Table
from analysis.report.figures import Figures
from analysis.report.format import MISSING, count, decimals, interval, known, number
from analysis.report.making import Report
from analysis.report.meta import PLACES
from analysis.report.overview import Setting, pictures
from analysis.report.tree import Node
from analysis.score_file import INDEPENDENT
from survey.errors import InputError
from survey.text import Text, many

_MOST = 24
_COMPONENTS = 9


def gap_pages(report: Report, language: str) -> Paper:
    """For every kind of group (sex, ethnicity, urban or rural, migrants, mode …) the gaps of all its groups.

    Raises:
        InputError: the scores hold no groups of people.
    """
    setting, figures = Setting(report.meta, language), Figures(report.meta, language)
    t = setting.t
    body: list[Block] = []
    for level in report.cells.levels():
        domains = report.cells.domains(level)
        if level in PLACES or not 2 <= len(domains) <= _MOST:
            continue
        body += _level(report, setting, figures, level)
    if not body:
        raise InputError(
            "--kind gaps",
            Text("tệp điểm không có nhóm người nào", "the scores hold no groups of people"),
            Text("tính điểm theo nhóm: survey score --by sex", "score by a group: survey score --by sex"),
        )
    body.insert(0, Paragraph(t(
        "Chênh lệch là điểm của nhóm trừ điểm của nhóm đông nhất. Chênh lệch giữa các nhóm là mô tả, không nói lên "
        "nguyên nhân: các nhóm còn khác nhau ở nhiều mặt khác.",
        "A gap is the score of a group less that of the largest group. It describes and tells no cause: the groups "
        "differ in other respects too.",
    )))  # fmt: skip
    body += setting.notes((), small=any(cell.small for cell in report.cells.all))
    title = Text(f"Chênh lệch giữa các nhóm: {report.meta.title.vi}", f"Gaps between groups: {report.meta.title.en}")
    return setting.paper(body, own=any(not cell.published for cell in report.cells.all), title=title)


def _level(report: Report, setting: Setting, figures: Figures, level: str) -> list[Block]:
    top = _top(report, level)
    found = None if top is None else _of(report, top.code, level)
    if top is None or found is None:
        return []
    t, say, places = setting.t, setting.language, decimals(top.width)
    word = report.meta.level_name(level)(say)
    names = {d: report.meta.domain_name(level, d)(say) for d in report.cells.domains(level)}
    reference = names[found.reference]
    rows, dots = [], []
    for row in found.table.to_dict("records"):
        cell = report.cells.domains(level)[row["domain"]].get(top.code)
        if cell is None:
            continue
        printed = signed(row["gap"], row["low"], row["high"], places, say)
        if known(row["gap"]):
            dots.append(charts.Dot(
                names[row["domain"]] + (" †" if cell.small else ""), row["gap"], row["low"], row["high"], printed,
                "small" if cell.small else "published" if cell.published else "own",
            ))  # fmt: skip
        rows.append(
            Row(
                names[row["domain"]],
                (
                    Entry(number(row["estimate"], places, say), value_of(row["estimate"]), places),
                    Entry(count(cell.n, say), value_of(cell.n), 0),
                    Entry(plus(row["gap"], places, say), value_of(row["gap"]), places),
                    Entry(
                        interval(row["low"], row["high"], places, say),
                        value_of(row["low"]),
                        places,
                        (row["low"], row["high"]) if known(row["low"]) else None,
                    ),
                    Entry(number(row["p_adjusted"], 3, say), value_of(row["p_adjusted"]), 3),
                ),
                small=cell.small,
            )
        )
    heading = t(f"Theo {word[:1].lower()}{word[1:]}", f"By {word[:1].lower()}{word[1:]}")
    said = [_sentence(found, names, setting)]
    if INDEPENDENT in found.notes:
        said.append(f"{INDEPENDENT(say)[:1].upper()}{INDEPENDENT(say)[1:]}.")
    blocks: list[Block] = [Heading(heading), *(Paragraph(sentence) for sentence in said if sentence)]
    if dots:
        zero = charts.Reference(0.0, None, None)
        drawing = charts.dots(
            dots, key=f"{say}-gap-{report.cells.levels().index(level)}", title=f"{heading}: {top.label(say)}",
            description=figures.read_aloud(dots), language=say, window=charts.window(dots, None, zero), reference=zero,
        )  # fmt: skip
        blocks += pictures((drawing,), t(
            f"Chênh lệch so với {reference}, vạch ngang là khoảng tin cậy {setting.sure}; "
            "đường đứt là không chênh lệch.",
            f"Gap to {reference}, bars are {setting.sure} confidence intervals; the dashed line is no gap.",
        ))  # fmt: skip
    columns = (Column(t("Ước lượng", "Estimate")), Column(t("Số người", "n")),
               Column(t(f"Chênh lệch so với {reference}", f"Gap to {reference}"), wide=1.3),
               Column(setting.interval_name(False), wide=1.75), Column(t("p (Holm)", "p (Holm)")))  # fmt: skip
    blocks.append(Table(f"{top.label(say)} – {word[:1].lower()}{word[1:]}", word, columns, tuple(rows)))
    if (components := _components(report, setting, level, names, reference)) is not None:
        blocks.append(components)
    return blocks


def _components(report: Report, setting: Setting, level: str, names: dict[str, str], reference: str) -> Table | None:
    """The gaps in every component: groups down, components across."""
    t, say = setting.t, setting.language
    columns, by_domain = [], {domain: list[Entry]() for domain in names}
    for node in report.tree.components(_COMPONENTS):
        found = _of(report, node.code, level)
        if found is None:
            continue
        places = decimals(node.width)
        columns.append(Column(node.label(say), strong=node.code))
        for row in found.table.to_dict("records"):
            # Signs on both ends: a semicolon is read faster than a dash, and is shorter than a word.
            ends = "; ".join(number(row[end], places, say) for end in ("low", "high")) if known(row["low"]) else ""
            by_domain[row["domain"]].append(
                Entry(plus(row["gap"], places, say), value_of(row["gap"]), places, below=ends)
            )
    if not columns:
        return None
    rows = tuple(Row(names[domain], tuple(entries)) for domain, entries in by_domain.items() if entries)
    word = report.meta.level_name(level)(say)
    title = t(f"Chênh lệch so với {reference} ở các thành phần", f"Gap to {reference} in the components")
    note = t(f"Chênh lệch, dưới là khoảng tin cậy {setting.sure}", f"Gap, below it the {setting.sure} interval")
    return Table(title, word, tuple(columns), rows, note, "matrix")


def _sentence(found: Gaps, names: dict[str, str], setting: Setting) -> str:
    """How many gaps are certain."""
    p = found.table["p_adjusted"]
    tested = int(p.notna().sum())
    if not tested:
        return setting.t("Không có sai số chuẩn: chưa biết chênh lệch nào là chắc chắn.",
                         "There are no standard errors: which gaps are certain is not known.")  # fmt: skip
    sure = [names[d] for d, value in zip(found.table["domain"], p, strict=True) if value < 1 - setting.meta.level]
    listed = f" ({', '.join(sure)})" if sure else ""
    return setting.t(
        f"{len(sure)} trong {tested} chênh lệch có ý nghĩa thống kê sau hiệu chỉnh Holm{listed}.",
        f"{len(sure)} of {many(tested, 'gap is', 'gaps are')} significant after Holm's adjustment{listed}.",
    )


def _top(report: Report, level: str) -> Node | None:
    """The index, or the first node that has a value in this level."""
    valued = {cell.code for cell in report.cells.all if cell.domain_level == level and known(cell.estimate)}
    return next((node for node in report.tree.nodes.values() if node.code in valued), None)


def _of(report: Report, code: str, level: str) -> Gaps | None:
    """The gaps from the first source that has this code at this level."""
    for source in report.sources:
        try:
            return gaps(source, code, level, round=report.meta.round, level=report.meta.level)
        except InputError:
            continue
    return None


def plus(value: float, places: int, language: str) -> str:
    if not known(value):
        return MISSING
    text = number(value, places, language)
    return f"+{text}" if value > 0 and text.strip("0,.") else text


def signed(value: float, low: float, high: float, places: int, language: str) -> str:
    ends = interval(low, high, places, language)
    return plus(value, places, language) + (f" ({ends})" if ends != MISSING else "")


def value_of(value: Any) -> float | None:
    return None if value is None or math.isnan(value) else float(value)
