"""A leaf of an index as a statistic: whom it is asked of, what a missing answer means, what each answer scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.base import holds
from analysis.table import Table, said, take, text_of
from analysis.totals import Coded
from survey.errors import Problem
from survey.questionnaire import base_rule
from survey.questionnaire.index_sheet import IndexNode, Score
from survey.text import Text


def problems(nodes: Sequence[IndexNode], table: Table) -> list[Problem]:
    """Every column that the leaves need and the data lack."""
    found = []
    for node in nodes:
        if table.find(node.question) is None and not choice_columns(node, table):
            found.append(table.missing_column(node.question, node.code))
        for column in base_rule.columns(base_rule.read(node.base)) if node.base else ():
            if table.find(column.name) is None:
                found.append(table.missing_column(column.name, f"base, {node.code}"))
    return found


@dataclass(frozen=True)
class Odd:
    """Answers that want a person's eye: those without a score (``answers``), or scores off the ``scale``.

    ``rows`` are the first of the ``count`` rows, as a person numbers them; none where nobody knows.
    """

    code: str
    column: str
    answers: tuple[str, ...]
    scale: tuple[float, float] | None
    count: int
    rows: tuple[int, ...]

    def __add__(self, other: Odd) -> Odd:
        """The same finding in two parts of the data, the first of them first."""
        answers = tuple(dict.fromkeys((*self.answers, *other.answers)))
        return replace(self, answers=answers, count=self.count + other.count, rows=(*self.rows, *other.rows)[:5])

    def problem(self, source: str) -> Problem:
        """The finding as a person reads it."""
        where = f"{self.code}, {source}, column {self.column}, {said(self.count, self.rows)}"
        if self.scale is None:
            words = ", ".join(f"'{answer}'" for answer in self.answers[:5])
            return Problem(
                where,
                Text(f"câu trả lời {words} không có điểm, không được tính", f"no score for {words}: left out"),
                Text("sửa dữ liệu hoặc bổ sung cách tính điểm", "correct the data or complete the scoring rule"),
            )
        low, high = self.scale
        return Problem(
            where,
            Text(f"điểm nằm ngoài thang {low:g}..{high:g}", f"a score lies outside the scale {low:g}..{high:g}"),
            Text("kiểm tra câu trả lời hoặc cột `from`", "check the answers or the column `from`"),
        )


def gathered(odd: Sequence[Odd]) -> list[Odd]:
    """One finding for each leaf and kind, in the order of their first appearance."""
    found: dict[tuple[str, bool], Odd] = {}
    for one in odd:
        key = one.code, one.scale is None
        found[key] = found[key] + one if key in found else one
    return list(found.values())


def asked(node: IndexNode, table: Table) -> np.ndarray:
    """The rows that the leaf is asked of."""
    return holds(base_rule.read(node.base), table) if node.base else np.ones(len(table), dtype=bool)


def extreme(node: IndexNode, values: np.ndarray, which: str) -> float:
    """The ``worst`` or ``best`` score of a leaf: an end of `from`, of the scores its rule gives, or of those found."""
    if node.from_ is not None:
        low, high = sorted(node.from_)
    elif node.score is not None and node.score.kind in ("share", "any"):
        low, high = 0.0, 1.0
    else:
        given = [number for _, number in node.score.values] if node.score is not None else []
        known = np.array(given) if given else values[np.isfinite(values)]
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    down = node.from_ is not None and node.to is not None and node.rescale()[0] < 0
    return high if (which == "worst") == down else low


def statistic(node: IndexNode, table: Table, dont_know: str = "") -> tuple[Coded, list[Odd]]:
    """The scores of ``node`` by person, and what a person must look at: answers without a score, scores off the scale.

    ``dont_know`` (``worst``, ``best``) gives every "don't know" that end of the scale, whatever the sheet says.
    The statistic keeps one small code a row; the numbers are looked up when a pass asks for them.
    """
    assert node.score is not None
    name = table.find(node.question)
    if name is None:
        codes, values = _from_choices(node, table)
        found: list[Odd] = []
    else:
        codes, answers = table.codes(name)
        scored = Scored.of(node, answers, table)
        values, found = scored.values, scored.odd(node, table, name, codes)
        table.forget(name)
    zero = len(values)
    values = np.append(values, [0.0, extreme(node, values, dont_know)] if dont_know else 0.0)
    kinds = table.kinds(name) if name is not None else None
    if kinds is not None and "zero" in (node.dont_know, node.refused):
        counted = [word for word in ("dont_know", "refused") if getattr(node, word) == "zero"]
        typed = take(np.array([kind in counted for kind in kinds[1]], dtype=bool), kinds[0], False)
        codes = np.where((codes < 0) & typed, zero, codes).astype(np.int32 if zero > 126 else np.int8)
    if kinds is not None and dont_know:
        typed = take(np.array([kind == "dont_know" for kind in kinds[1]], dtype=bool), kinds[0], False)
        missing = table.codes(name)[0] < 0 if name is not None else np.zeros(len(table), dtype=bool)
        codes = np.where(missing & typed, zero + 1, codes).astype(np.int32 if zero > 125 else np.int8)
    if node.base:
        codes = np.where(holds(base_rule.read(node.base), table), codes, np.int8(-1))
    observed = np.append(np.isfinite(values), False)
    scores = np.append(np.nan_to_num(values), 0.0)
    return Coded(codes, scores, observed), found


@dataclass(frozen=True)
class Scored:
    """Distinct answers and what each scores: NaN, and ``unlisted`` unless blank, where the rule has no score for it."""

    texts: list[str]
    values: np.ndarray
    unlisted: np.ndarray
    beyond: np.ndarray

    @classmethod
    def of(cls, node: IndexNode, answers: Sequence[object], table: Table) -> Scored:
        """What the leaf ``node`` makes of ``answers``; ``table`` knows how its numbers are written."""
        assert node.score is not None
        listed, texts = dict(node.score.values), [text_of(answer) for answer in answers]
        pairs = zip(texts, answers, strict=True)
        values = np.array([_one(node.score, listed, text, table.number(a)) for text, a in pairs], dtype=float)
        blank = np.array([text == "" for text in texts], dtype=bool)
        beyond = np.zeros(len(values), dtype=bool)
        if node.from_ is not None:
            low, high = sorted(node.from_)
            beyond = np.isfinite(values) & ((values < low) | (values > high))
        return cls(texts, values, ~np.isfinite(values) & ~blank, beyond)

    def odd(self, node: IndexNode, table: Table, column: str, codes: np.ndarray) -> list[Odd]:
        """The rows of ``table`` whose answer has no score or lies off the scale."""
        found = []
        for wrong, scale in ((self.unlisted, None), (self.beyond, node.from_)):
            if wrong.any() and (rows := np.flatnonzero(take(wrong, codes, False))).size:
                answers = () if scale else tuple(self.texts[k] for k in np.flatnonzero(wrong)[:5])
                ends = (min(scale), max(scale)) if scale else None
                first = tuple(int(place) for place in table.places[rows[:5]])
                found.append(Odd(node.code, column, answers, ends, len(rows), first))
        return found


def _one(score: Score, listed: dict[str, float], text: str, number: float) -> float:
    """The score of one answer; NaN if the rule has none for it (or if it is blank)."""
    if text == "":
        return np.nan
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


def choice_columns(node: IndexNode, table: Table) -> list[str]:
    """Columns ``question/choice`` of a select_multiple that came without its joined text."""
    if node.score is None or node.score.kind not in ("any", "count"):
        return []
    return [name for name in table.names if name.startswith(node.question + "/")]


def _from_choices(node: IndexNode, table: Table) -> tuple[np.ndarray, np.ndarray]:
    assert node.score is not None
    listed = {choice for choice, _ in node.score.values}
    names = choice_columns(node, table)
    marked = np.column_stack([table.numbers(name) for name in names])
    wanted = np.array([node.score.kind == "count" or name.rpartition("/")[2] in listed for name in names])
    chosen = np.nansum(marked[:, wanted], axis=1)
    count = np.minimum(chosen, 1) if node.score.kind == "any" else chosen
    codes = np.where(np.isnan(marked).all(axis=1), -1, count).astype(np.int8)
    return codes, np.arange(len(names) + 1, dtype=float)
