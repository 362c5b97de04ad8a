"""Quantiles of a weighted distribution, with Woodruff's interval.

The quantile inverts the weighted distribution function by one of twelve rules (the nine of Hyndman & Fan 1996 with
weights, ``math`` = hf1, ``school`` = hf2, and Shah & Vaish's); the interval inverts the ends of the interval of the
share of values at or below it (Woodruff 1952).

Where equal weights let the distribution reach a probability exactly, the rules must see that it does, whatever the
last bit of the sum says, and below the first share there is only the first value. R ``survey`` 4.5 compares bit by bit
and counts a probability below the first share as reached by it; its answer is kept as the rules ending in ``_r``.
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
            at = at if rule.endswith("_r") or np.isnan(at) else _on_a_value(x, at)
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


def _on_a_value(x: np.ndarray, at: float) -> float:
    """``at``, or the value of ``x`` from which only the rounding of an interpolation parts it: whether that value
    counts as at or below the quantile must not hang on the last bit."""
    nearest = x[np.argmin(np.abs(x - at))]
    return float(nearest) if abs(nearest - at) <= TIE * np.abs(x).max() else at


def _between(x: np.ndarray, w: np.ndarray, p: float, exact: bool = False) -> tuple[int, int, float, float]:
    """The places below and above ``p``, and how far ``p`` lies from either's cumulated share; ``exact`` as R has it."""
    if exact:
        w = 1 / (1 / w)  # R keeps probabilities, and a tie hangs on the last bit
    total = float(np.sum(w, dtype=np.longdouble))
    cumulated = np.cumsum(w, dtype=np.longdouble).astype(float)
    tie = 0.0 if exact else TIE
    below = np.flatnonzero(cumulated <= (p + tie) * total)
    if not len(below) and not exact:
        return 0, 0, 0.0, 0.0
    low = int(below[-1]) if len(below) else 0
    high = min(low + 1, len(x) - 1)
    under = p - cumulated[low] / total
    return low, high, 0.0 if abs(under) <= tie else under, cumulated[high] / total - p


def _math(x: np.ndarray, w: np.ndarray, p: float, exact: bool = False) -> float:
    low, high, under, _ = _between(x, w, p, exact)
    return float(x[low] if under <= 0 else x[high])


def _school(x: np.ndarray, w: np.ndarray, p: float, exact: bool = False) -> float:
    low, high, under, _ = _between(x, w, p, exact)
    return float((x[low] + x[high]) / 2 if under <= 0 else x[high])


def _even(x: np.ndarray, w: np.ndarray, p: float, exact: bool = False) -> float:
    """hf3: the even place where p falls between two."""
    unique, place = np.unique(x, return_inverse=True)
    low, high, under, _ = _between(unique, np.bincount(place, w), p, exact)
    return float(unique[low] if under <= 0 and (low + 1) % 2 == 0 else unique[high])


def _linear(x: np.ndarray, w: np.ndarray, p: float, exact: bool = False) -> float:
    low, high, under, over = _between(x, w, p, exact)
    part = under / (under + over) if under + over else 0.0
    return float(x[low] * (1 - part) + x[high] * part)


def _along(points: Callable[[np.ndarray, np.ndarray], np.ndarray], exact: bool = False) -> Rule:
    """A rule that interpolates between plotting positions, constant beyond the ends; ``exact`` with R's rounding."""

    def rule(x: np.ndarray, w: np.ndarray, p: float) -> float:
        if not exact:
            return float(np.interp(p, points(np.cumsum(w), w), x))
        if len(x) == 1:
            return float(x[0])
        w = 1 / (1 / w)
        at = points(np.cumsum(w, dtype=np.longdouble).astype(float), w)
        if p <= at[0] or p >= at[-1]:
            return float(x[0] if p <= at[0] else x[-1])
        k = int(np.searchsorted(at, p, side="right")) - 1
        return float(x[k] + (x[k + 1] - x[k]) * ((p - at[k]) / (at[k + 1] - at[k])))

    return rule


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


_PLOTTED: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "hf5": lambda c, w: (c - w / 2) / c[-1],
    "hf6": lambda c, w: c / (c[-1] + w[-1]),
    "hf7": lambda c, w: _before(c) / c[-2],
    "hf8": lambda c, w: (_before(c) / 3 + c * 2 / 3) / (c[-1] + w[-1] / 3),
    "hf9": lambda c, w: (_before(c) * 3 / 8 + c * 5 / 8) / (c[-1] + w[-1] / 4),
}
"""Plotting positions from cumulated weights and weights."""

RULES: dict[str, Rule] = {
    "math": _math,
    "school": _school,
    "shahvaish": _shah_vaish,
    "shahvaish_r": _shah_vaish_as_r,
    "math_r": partial(_math, exact=True),
    "school_r": partial(_school, exact=True),
    "hf1": _math,
    "hf1_r": partial(_math, exact=True),
    "hf2": _school,
    "hf2_r": partial(_school, exact=True),
    "hf3": _even,
    "hf3_r": partial(_even, exact=True),
    "hf4": _linear,
    "hf4_r": partial(_linear, exact=True),
    **{name: _along(points) for name, points in _PLOTTED.items()},
    **{f"{name}_r": _along(points, exact=True) for name, points in _PLOTTED.items()},
}
"""Name → quantile of sorted values with their weights at a probability."""
