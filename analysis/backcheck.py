"""Tests of what changed between a first visit and its back-check, question by question.

Paired t test, Wilcoxon's signed-rank test and McNemar's exact test by scipy, and the reliability ratio of IPA's
program bcstats: 1 − (variance of the differences / 2) / variance of the back-check.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from survey.fieldwork.backcheck import Compared

LEAST_PAIRS = 3


@dataclass(frozen=True)
class Paired:
    """One question: the number of pairs, the mean of second − first with its 95 % interval (numbers and scales), p
    values, and the reliability ratio. None where a test says nothing: answers that are no numbers or never differ."""

    variable: str
    type: int
    pairs: int
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    t: float | None = None
    signed_rank: float | None = None
    mcnemar: float | None = None
    reliability: float | None = None


def paired(compared: Iterable[Compared], level: float = 0.95) -> list[Paired]:
    """The tests of every question with three pairs or more, in the order in which they come."""
    groups: dict[tuple[str, int], list[Compared]] = defaultdict(list)
    for one in compared:
        groups[one.variable, one.type].append(one)
    return [
        _paired(variable, type, members, level)
        for (variable, type), members in groups.items()
        if len(members) >= LEAST_PAIRS
    ]


def _paired(variable: str, type: int, members: list[Compared], level: float) -> Paired:
    from scipy import stats

    try:
        first = np.array([float(one.first) for one in members])
        second = np.array([float(one.second) for one in members])
    except (TypeError, ValueError):
        return Paired(variable, type, len(members), mcnemar=_mcnemar(members))
    gaps = second - first
    n, spread = len(gaps), float(gaps.std(ddof=1))
    mean = float(gaps.mean())
    reach = float(stats.t.ppf((1 + level) / 2, n - 1)) * spread / n**0.5
    variance = float(second.var(ddof=1))
    some = bool(np.any(gaps != 0))
    return Paired(
        variable,
        type,
        n,
        mean,
        mean - reach,
        mean + reach,
        float(stats.ttest_rel(second, first).pvalue) if spread > 0 else None,
        float(stats.wilcoxon(second, first).pvalue) if some else None,
        _mcnemar(members),
        1 - spread**2 / 2 / variance if variance > 0 else None,
    )


def _mcnemar(members: list[Compared]) -> float | None:
    """McNemar's exact test, where both visits together know two answers: as many changes one way as the other?"""
    from scipy import stats

    answers = sorted({str(value) for one in members for value in (one.first, one.second)})
    if len(answers) != 2:
        return None
    up = sum((str(one.first), str(one.second)) == (answers[0], answers[1]) for one in members)
    down = sum((str(one.first), str(one.second)) == (answers[1], answers[0]) for one in members)
    return float(stats.binomtest(up, up + down).pvalue) if up + down else None
