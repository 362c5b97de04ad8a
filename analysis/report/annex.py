"""The method annex: what was really done to get the figures, from the objects that did it, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis.report.blocks import Block, Column, Entry, Heading, Listing, Paper, Paragraph, Points, Row, Table
from analysis.report.facts import COMBINED
from analysis.report.format import number, short
from analysis.report.making import Report
from analysis.report.overview import Setting
from analysis.table import Table as Data
from survey.questionnaire.index_sheet import IndexNode
from survey.text import Text

_STEPS = {
    "w_base": Text("Quyền số gốc", "Base weight"),
    "w_nonresponse": Text("Sau hiệu chỉnh không trả lời", "After the nonresponse adjustment"),
    "w_calibrated": Text("Sau hiệu chỉnh theo tổng đã biết", "After calibration to known totals"),
    "weight": Text("Quyền số cuối cùng", "Final weight"),
}
_SCORED = {
    "share": Text("đạt nếu trả lời {}", "counts as reached if answered {}"),
    "any": Text("đạt nếu chọn một trong {}", "counts as reached if any of {} is chosen"),
    "count": Text("số lựa chọn trong {}", "number chosen among {}"),
    "linear": Text("số đã trả lời", "the number answered"),
}


def method(report: Report, language: str, weights: Any = None) -> Paper:
    """The method box in full, the weights step by step where a weights file is given (``interview, w_base, …,
    weight``), the assumptions, and how each node is made.

    Raises:
        InputError: the weights file cannot be read.
    """
    setting = Setting(report.meta, language)
    t = setting.t
    body: list[Block] = [Heading(t("Cách làm", "How this was made"))]
    facts = tuple((fact.name(language), fact.value(language)) for fact in report.meta.method)
    repeat = t("Lệnh để tính lại", "Commands that repeat this")
    body.append(Listing(facts, repeat if report.meta.commands else "", report.meta.commands))
    if weights is not None:
        body += [Heading(t("Quyền số qua từng bước", "Weights step by step")), _weights(Data.of(weights), setting)]
    if report.meta.assumptions:
        body += [
            Heading(t("Giả định và tính độc lập", "Assumptions and independence")),
            Points(tuple(note(language) for note in report.meta.assumptions)),
        ]
    body += [
        Heading(t("Cách tính từng chỉ số", "How each node is made")),
        Paragraph(t(
            "Câu trả lời của từng người thành điểm, điểm trung bình có quyền số được đưa từ thang gốc sang thang công "
            "bố, rồi gộp lên cấp trên.",
            "Each person's answer becomes a score; the weighted mean is taken from its own scale to the published one "
            "and combined upwards.",
        )),
        _nodes(report, setting),
    ]  # fmt: skip
    body += setting.notes(tuple(note(language) for note in report.meta.notes), small=False)
    own = any(not cell.published for cell in report.cells.all)
    title = Text(f"Phụ lục phương pháp: {report.meta.title.vi}", f"Method annex: {report.meta.title.en}")
    return setting.paper(body, own=own, title=title)


def _weights(data: Data, setting: Setting) -> Table:
    """Of each step: how many weights, their sum, range and coefficient of variation, and Kish's 1 + CV²."""
    t, say = setting.t, setting.language
    heads = (t("Số phiếu", "n"), t("Tổng", "Sum"), t("Nhỏ nhất", "Smallest"), t("Lớn nhất", "Largest"),
             t("Hệ số biến thiên", "CV"), "1 + CV²")  # fmt: skip
    rows = []
    for name, words in _STEPS.items():
        if name not in data:
            continue
        values = data.numbers(name)
        values = values[np.isfinite(values)]
        if not len(values):
            continue
        cv = float(values.std() / values.mean()) if values.mean() else float("nan")
        figures = [(len(values), 0), (values.sum(), 1), (values.min(), 3), (values.max(), 3), (cv, 3), (1 + cv**2, 3)]
        rows.append(Row(words(say), tuple(Entry(number(value, p, say), float(value), p) for value, p in figures)))
    note = t("1 + CV²: phương sai tăng bao nhiêu lần vì quyền số không đều (Kish)",
             "1 + CV²: how many times unequal weights raise the variance (Kish)")  # fmt: skip
    return Table(t("Quyền số", "Weights"), t("Bước", "Step"), tuple(map(Column, heads)), tuple(rows), note)


def _nodes(report: Report, setting: Setting) -> Table:
    t = setting.t
    columns = (Column(t("Gộp từ dưới lên", "Combined"), wide=1.3), Column(t("Tỷ trọng", "Share")),
               Column(t("Từ thang", "From")), Column(t("Sang thang", "To")),
               Column(t("Câu hỏi và cách tính điểm", "Question and score"), wide=2.5))  # fmt: skip
    rows = []
    for node in report.index.nodes:
        shown = report.tree.nodes[node.code]
        leaf = not report.index.children[node.code]
        combine = "" if leaf else COMBINED[node.combine](setting.language)
        share = "" if node.share is None else short(node.share, setting.language)
        entries = (Entry(combine), Entry(share), Entry(_ends(node.from_, setting)),
                   Entry(_ends(node.to, setting)), Entry(_score(node, setting) if leaf else ""))  # fmt: skip
        rows.append(
            Row(
                shown.label(setting.language),
                entries,
                after=node.code,
                depth=max(shown.depth, 2) if leaf else min(shown.depth, 4),
            )
        )
    return Table(t("Cây chỉ số", "The tree of the index"), t("Nội dung", "Content"), columns, tuple(rows))


def _ends(ends: tuple[float, float] | None, setting: Setting) -> str:
    if ends is None:
        return ""
    return " … ".join(short(x, setting.language) for x in ends)


def _score(node: IndexNode, setting: Setting) -> str:
    if not node.question:
        return setting.t("lấy từ điểm công bố", "taken from published scores")
    said = [node.question]
    if node.score is not None:
        if node.score.kind == "map":
            said.append(", ".join(f"{answer} = {number(value, 2, setting.language)}"
                                  for answer, value in node.score.values))  # fmt: skip
        else:
            said.append(_SCORED[node.score.kind](setting.language).format(", ".join(a for a, _ in node.score.values)))
    if node.base:
        said.append(setting.t(f"hỏi người: {node.base}", f"asked of: {node.base}"))
    silent = {
        setting.t("không biết", "don't know"): node.dont_know,
        setting.t("không trả lời", "refused"): node.refused,
    }
    zero = [word for word, rule in silent.items() if rule == "zero"]
    if zero:
        said.append(setting.t(f"{', '.join(zero)}: tính là không đạt", f"{', '.join(zero)}: counted as not"))
    return "; ".join(said)
