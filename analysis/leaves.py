"""A leaf of an index as a statistic: whom it is asked of, what a missing answer means, what each answer scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.base import holds
from analysis.table import Table, take, text_of
from analysis.totals import Coded
from survey.errors import Problem
from survey.questionnaire import base_rule
from survey.questionnaire.index_sheet import IndexNode, Score
from survey.text import Text


def problems(nodes: Sequence[IndexNode], table: Table) -> list[Problem]:
    """Every column that the leaves need and the data lack."""
    found = []
    for node in nodes:
        if table.find(node.question) is None and not _choice_columns(node, table):
            found.append(table.missing_column(node.question, node.code))
        for column in base_rule.columns(base_rule.read(node.base)) if node.base else ():
            if table.find(column.name) is None:
                found.append(table.missing_column(column.name, f"base, {node.code}"))
    return found


def statistic(node: IndexNode, table: Table) -> tuple[Coded, list[Problem]]:
    """The scores of ``node`` by person, and what a person must look at: answers without a score, scores off the scale.

    The statistic keeps one small code a row; the numbers are looked up when a pass asks for them.
    """
    assert node.score is not None
    name = table.find(node.question)
    if name is None:
        codes, values, found = _from_choices(node, table)
    else:
        codes, answers = table.codes(name)
        values, found = _score_answers(node, table, name, codes, answers)
        table.forget(name)
    zero = len(values)
    values = np.append(values, 0.0)
    kinds = table.kinds(name) if name is not None else None
    if kinds is not None and "zero" in (node.dont_know, node.refused):
        counted = [word for word in ("dont_know", "refused") if getattr(node, word) == "zero"]
        typed = take(np.array([kind in counted for kind in kinds[1]], dtype=bool), kinds[0], False)
        codes = np.where((codes < 0) & typed, zero, codes).astype(np.int32 if zero > 126 else np.int8)
    if node.base:
        codes = np.where(holds(base_rule.read(node.base), table), codes, np.int8(-1))
    observed = np.append(np.isfinite(values), False)
    scores = np.append(np.nan_to_num(values), 0.0)
    return Coded(codes, scores, observed), found


def _score_answers(
    node: IndexNode, table: Table, name: str, codes: np.ndarray, answers: Sequence[object]
) -> tuple[np.ndarray, list[Problem]]:
    assert node.score is not None
    texts = [text_of(answer) for answer in answers]
    values = np.array(
        [_one(node.score, text, table.number(a)) for text, a in zip(texts, answers, strict=True)], dtype=float
    )
    blank = np.array([text == "" for text in texts], dtype=bool)
    found = []
    unlisted = ~np.isfinite(values) & ~blank
    if unlisted.any():
        rows = take(unlisted, codes, False)
        if rows.any():
            words = ", ".join(f"'{texts[k]}'" for k in np.flatnonzero(unlisted)[:5])
            found.append(
                Problem(
                    f"{node.code}, {table.source}, column {name}, {table.rows_text(rows)}",
                    Text(f"câu trả lời {words} không có điểm, không được tính", f"no score for {words}: left out"),
                    Text("sửa dữ liệu hoặc bổ sung cách tính điểm", "correct the data or complete the scoring rule"),
                )
            )
    if node.from_ is not None:
        low, high = sorted(node.from_)
        beyond = np.isfinite(values) & ((values < low) | (values > high))
        rows = take(beyond, codes, False)
        if rows.any():
            found.append(
                Problem(
                    f"{node.code}, {table.source}, column {name}, {table.rows_text(rows)}",
                    Text(
                        f"điểm nằm ngoài thang {low:g}..{high:g}", f"a score lies outside the scale {low:g}..{high:g}"
                    ),
                    Text("kiểm tra câu trả lời hoặc cột `from`", "check the answers or the column `from`"),
                )
            )
    return values, found


def _one(score: Score, text: str, number: float) -> float:
    """The score of one answer; NaN if the rule has none for it (or if it is blank)."""
    if text == "":
        return np.nan
    listed = dict(score.values)
    match score.kind:
        case "map":
            return listed.get(text, np.nan)
        case "share":
            return float(text in listed)
        case "linear":
            return number
        case "any":
            return float(any(choice in listed for choice in text.split()))
        case _:
            return float(len(text.split()))


def _choice_columns(node: IndexNode, table: Table) -> list[str]:
    """Columns ``question/choice`` of a select_multiple that came without its joined text."""
    if node.score is None or node.score.kind not in ("any", "count"):
        return []
    return [name for name in table.names if name.startswith(node.question + "/")]


def _from_choices(node: IndexNode, table: Table) -> tuple[np.ndarray, np.ndarray, list[Problem]]:
    assert node.score is not None
    listed = {choice for choice, _ in node.score.values}
    names = _choice_columns(node, table)
    marked = np.column_stack([table.numbers(name) for name in names])
    wanted = np.array([node.score.kind == "count" or name.rpartition("/")[2] in listed for name in names])
    chosen = np.nansum(marked[:, wanted], axis=1)
    count = np.minimum(chosen, 1) if node.score.kind == "any" else chosen
    codes = np.where(np.isnan(marked).all(axis=1), -1, count).astype(np.int8)
    return codes, np.arange(len(names) + 1, dtype=float), []
