"""Quantiles of a weighted distribution, with Woodruff's interval.

The quantile inverts the weighted distribution function by one of twelve rules (the nine of Hyndman & Fan 1996 with
weights, ``math`` = hf1, ``school`` = hf2, and Shah & Vaish's); the interval inverts the ends of the interval of the
share of values at or below it (Woodruff 1952).

Where equal weights let the distribution reach a probability exactly, the rules that jump must see that it does,
whatever the last bit of the sum says, and below the first share there is only the first value. R ``survey`` 4.5
compares bit by bit, and takes the second value there; its answer is kept as the rules ending in ``_r``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from scipy.special import stdtrit

from analysis.design import Design
from analysis.estimation import Estimate, domains_of, estimate_pairs
from analysis.layout import lay
from analysis.proportions import proportion_interval
from analysis.table import Table
from analysis.totals import Pair, Statistic
from survey.errors import InputError
from survey.text import Text

Rule = Callable[[np.ndarray, np.ndarray, float], float]

TIE = 1e-12
"""Shares nearer than this are the same share."""


def quantile(
    data: Any,
    variable: str,
    probabilities: Sequence[float],
    design: Design,
    by: str | Sequence[str] = (),
    *,
    rule: str = "school",
    interval: str = "wald",
    level: float | None = None,
) -> list[Estimate]:
    """Quantiles of a numeric column by the crossing of ``by``: for each domain, each probability.

    ``interval`` is that of the share at or below the quantile, one of :data:`analysis.proportions.METHODS`; an end off
    the scale has no value there. ``se`` is the width of the interval over 2t, as R ``survey`` has it. Raises InputError
    for a rule that is not one of :data:`RULES`, an unknown interval or a probability outside 0..1.
    """
    if rule not in RULES:
        listed = ", ".join(RULES)
        raise InputError(
            "rule",
            Text(f"không có quy tắc “{rule}”", f"there is no rule '{rule}'"),
            Text(f"dùng {listed}", f"use {listed}"),
        )
    table = Table.of(data)
    values = table.numbers(variable)
    sample = lay(design, table)
    domain, labels = domains_of(table, by)
    there = np.isfinite(values)
    found = []
    for d, label in enumerate(labels):
        inside = (domain == d) & there
        order = np.argsort(values[inside], kind="stable")
        x, w = values[inside][order], sample.weight[inside][order]
        for p in probabilities:
            if not 0 < p < 1:
                raise InputError("probability", Text(f"{p:g} không nằm giữa 0 và 1", f"{p:g} is not between 0 and 1"))
            at = RULES[rule](x, w, p) if len(x) else np.nan
            below = np.where(there, values <= at, 0.0), there.astype(float)
            share = estimate_pairs(sample, domain, labels, [variable], [_always(below)], level)[d]
            ends = proportion_interval(share, interval, level)
            low, high = (RULES[rule](x, w, end) if 0 <= end <= 1 else np.nan for end in ends)
            t = stdtrit(share.df, 0.5 + share.level / 2)
            nothing = {"deff": np.nan, "deff_replacement": np.nan}
            found.append(
                replace(
                    share,
                    name=f"{variable} {p:g}",
                    domain=label,
                    value=at,
                    se=(high - low) / (2 * t),
                    low=low,
                    high=high,
                    **nothing,
                )
            )
    return found


def _always(pair: Pair) -> Statistic:
    return lambda: pair


def _between(x: np.ndarray, w: np.ndarray, p: float, tie: float = TIE) -> tuple[int, int, float, float]:
    """The places below and above ``p``, and how far ``p`` lies from either's cumulated share."""
    total = float(np.sum(w, dtype=np.longdouble))
    cumulated = np.cumsum(w, dtype=np.longdouble).astype(float)
    below = np.flatnonzero(cumulated <= (p + tie) * total)
    if not len(below):
        return 0, 0 if tie else min(1, len(x) - 1), p - cumulated[0] / total, cumulated[0] / total - p
    low = int(below[-1])
    high = min(low + 1, len(x) - 1)
    under = p - cumulated[low] / total
    return low, high, 0.0 if abs(under) <= tie else under, cumulated[high] / total - p


def _math(x: np.ndarray, w: np.ndarray, p: float, tie: float = TIE) -> float:
    low, high, under, _ = _between(x, w, p, tie)
    return float(x[low] if under == 0 else x[high])


def _school(x: np.ndarray, w: np.ndarray, p: float, tie: float = TIE) -> float:
    low, high, under, _ = _between(x, w, p, tie)
    return float((x[low] + x[high]) / 2 if under == 0 else x[high])


def _even(x: np.ndarray, w: np.ndarray, p: float, tie: float = TIE) -> float:
    """hf3: the even place where p falls between two."""
    unique, place = np.unique(x, return_inverse=True)
    low, high, under, _ = _between(unique, np.bincount(place, w), p, tie)
    return float(unique[low] if under == 0 and (low + 1) % 2 == 0 else unique[high])


def _linear(x: np.ndarray, w: np.ndarray, p: float) -> float:
    low, high, under, over = _between(x, w, p)
    part = under / (under + over) if under + over else 0.0
    return float(x[low] * (1 - part) + x[high] * part)


def _along(points: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Rule:
    """A rule that interpolates between plotting positions, constant beyond the ends."""
    return lambda x, w, p: float(np.interp(p, points(np.cumsum(w), w), x))


def _before(cumulated: np.ndarray) -> np.ndarray:
    return np.r_[0.0, cumulated[:-1]]


def _shah_vaish(x: np.ndarray, w: np.ndarray, p: float) -> float:
    share = w / w.mean()
    return _step(x, (np.cumsum(share) + 0.5 - share / 2) / (len(x) + 1), p)


def _shah_vaish_as_r(x: np.ndarray, w: np.ndarray, p: float) -> float:
    """R survey 4.5 subtracts half the weight as it stands, not as a share of the mean weight."""
    return _step(x, (np.cumsum(w / w.mean()) + 0.5 - w / 2) / (len(x) + 1), p)


def _step(x: np.ndarray, place: np.ndarray, p: float) -> float:
    order = np.argsort(place, kind="stable")
    return float(x[order][max(int(np.searchsorted(place[order], p, side="right")) - 1, 0)])


RULES: dict[str, Rule] = {
    "math": _math,
    "school": _school,
    "shahvaish": _shah_vaish,
    "shahvaish_r": _shah_vaish_as_r,
    "math_r": partial(_math, tie=0.0),
    "school_r": partial(_school, tie=0.0),
    "hf1": _math,
    "hf1_r": partial(_math, tie=0.0),
    "hf2": _school,
    "hf2_r": partial(_school, tie=0.0),
    "hf3": _even,
    "hf3_r": partial(_even, tie=0.0),
    "hf4": _linear,
    "hf5": _along(lambda c, w: (c - w / 2) / c[-1]),
    "hf6": _along(lambda c, w: c / (c[-1] + w[-1])),
    "hf7": _along(lambda c, w: _before(c) / c[-2]),
    "hf8": _along(lambda c, w: (_before(c) / 3 + c * 2 / 3) / (c[-1] + w[-1] / 3)),
    "hf9": _along(lambda c, w: (_before(c) * 3 / 8 + c * 5 / 8) / (c[-1] + w[-1] / 4)),
}
"""Name → quantile of sorted values with their weights at a probability."""
