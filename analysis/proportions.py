"""Confidence intervals of a proportion that know its ends are 0 and 1.

The plain interval value ± t·se leaves the scale near its ends. Of these the logit, beta (Korn & Graubard 1998) and
Wilson intervals are the usual choices for survey data; with few PSUs the degrees of freedom matter more than the
formula (Franco, Little, Louis & Slud 2019).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.optimize import brentq
from scipy.special import betaincinv, expit, logit, stdtrit, xlogy

from analysis.estimation import Estimate
from survey.errors import InputError
from survey.text import Text


def proportion_interval(estimate: Estimate, method: str = "logit", level: float | None = None) -> tuple[float, float]:
    """The interval of a proportion by ``method``: one of :data:`METHODS`.

    At 0 and 1, where the standard error is zero, ``beta`` and ``wilson`` take the number of respondents as the
    effective size (the rule of the US National Center for Health Statistics, 2017); the others have no interval (NaN).

    Raises:
        InputError: there is no such method.
    """
    if method not in METHODS:
        listed = ", ".join(METHODS)
        raise InputError(
            "method",
            Text(f"không có cách tính “{method}”", f"there is no method '{method}'"),
            Text(f"dùng {listed}", f"use {listed}"),
        )
    level = estimate.level if level is None else level
    if not (estimate.df > 0 and estimate.n > 1 and 0 <= estimate.value <= 1):
        return float("nan"), float("nan")
    if 0 < estimate.value < 1 and estimate.se <= 1e-9 * estimate.value * (1 - estimate.value):
        # The weights were calibrated to this share, or every stratum is of one mind.
        return estimate.value, estimate.value
    t = float(stdtrit(estimate.df, 0.5 + level / 2))
    low, high = METHODS[method](estimate, t, level)
    return float(low), float(high)


def _inside(estimate: Estimate) -> bool:
    return 0 < estimate.value < 1 and estimate.se > 0


def _effective(estimate: Estimate) -> float:
    p = estimate.value
    return p * (1 - p) / estimate.se**2 if _inside(estimate) else float(estimate.n)


def _wald(e: Estimate, t: float, level: float) -> tuple[float, float]:
    return e.value - t * e.se, e.value + t * e.se


def _logit(e: Estimate, t: float, level: float) -> tuple[float, float]:
    if not _inside(e):
        return np.nan, np.nan
    centre, half = logit(e.value), t * e.se / (e.value * (1 - e.value))
    return expit(centre - half), expit(centre + half)


def _asin(e: Estimate, t: float, level: float, *, clipped: bool = True) -> tuple[float, float]:
    """R ``survey`` does not clip (``asin_r``): an end beyond 0 or 1 on the arcsine's scale comes back as one inside."""
    if not _inside(e):
        return np.nan, np.nan
    centre, half = np.arcsin(np.sqrt(e.value)), t * e.se / (2 * np.sqrt(e.value * (1 - e.value)))
    low, high = np.clip([centre - half, centre + half], *((0, np.pi / 2) if clipped else (-np.inf, np.inf)))
    return np.sin(low) ** 2, np.sin(high) ** 2


def _beta(e: Estimate, t: float, level: float) -> tuple[float, float]:
    size, tail = _effective(e), (1 - level) / 2
    size *= (stdtrit(e.n - 1, 1 - tail) / t) ** 2
    hits, misses = size * e.value, size * (1 - e.value)
    low = betaincinv(hits, misses + 1, tail) if hits > 0 else 0.0
    high = betaincinv(hits + 1, misses, 1 - tail) if misses > 0 else 1.0
    return low, high


def _wilson(e: Estimate, t: float, level: float) -> tuple[float, float]:
    size = _effective(e)
    centre = (e.value + t**2 / (2 * size)) / (1 + t**2 / size)
    half = t * np.sqrt(e.value * (1 - e.value) / size + t**2 / (4 * size**2)) / (1 + t**2 / size)
    return centre - half, centre + half


def _likelihood(e: Estimate, t: float, level: float) -> tuple[float, float]:
    """Where the likelihood ratio of the binomial, scaled by its design effect (Rao & Scott), reaches t²."""
    if not _inside(e):
        return np.nan, np.nan
    p, n = e.value, e.n
    reach = t**2 * e.se**2 * n / (p * (1 - p)) * n / (n - 1)

    def beyond(q: float) -> float:
        return float(2 * n * (xlogy(p, p / q) + xlogy(1 - p, (1 - p) / (1 - q))) - reach)

    edge = 1e-12
    low = brentq(beyond, edge, p, xtol=1e-14) if beyond(edge) > 0 else 0.0
    high = brentq(beyond, p, 1 - edge, xtol=1e-14) if beyond(1 - edge) > 0 else 1.0
    return low, high


METHODS: dict[str, Callable[[Estimate, float, float], tuple[float, float]]] = {
    "logit": _logit,
    "wald": _wald,
    "wilson": _wilson,
    "beta": _beta,
    "asin": _asin,
    "asin_r": partial(_asin, clipped=False),
    "likelihood": _likelihood,
}
"""Name → interval from (estimate, t quantile, level)."""
