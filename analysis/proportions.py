"""Confidence intervals of a proportion that know its ends are 0 and 1.

The plain interval value ± t·se leaves the scale near its ends. Of these the logit, beta (Korn & Graubard 1998) and
Wilson intervals are the usual choices for survey data; with few PSUs the degrees of freedom matter more than the
formula (Franco, Little, Louis & Slud 2019).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.interpolate import make_interp_spline
from scipy.optimize import brentq
from scipy.special import betaincinv, expit, logit, ndtr, stdtrit, xlogy

from analysis.estimation import Estimate
from survey.errors import InputError
from survey.text import Text


def proportion_interval(
    estimate: Estimate, method: str = "logit", level: float | None = None, *, naive: float | None = None
) -> tuple[float, float]:
    """The interval of a proportion by ``method``: one of :data:`METHODS`.

    At 0 and 1, where the standard error is zero, ``beta`` and ``wilson`` take the number of respondents as the
    effective size (the rule of the US National Center for Health Statistics, 2017); the others have no interval (NaN).
    ``likelihood_r`` alone takes ``naive``, the variance of the logit that R's fit reports:
    ``logistic(data, y, [], design, as_r=True).fit.naive``; without it 1/(n p (1 − p)), where the fit would end.

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
    if method == "likelihood_r":
        low, high = _likelihood_r(estimate, t, level, naive=naive)
    else:
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
    reach = t**2 * e.se**2 * n / (p * (1 - p))

    def beyond(q: float) -> float:
        return _ratio(p, n, q) - reach

    edge = 1e-12
    low = brentq(beyond, edge, p, xtol=1e-14) if beyond(edge) > 0 else 0.0
    high = brentq(beyond, p, 1 - edge, xtol=1e-14) if beyond(1 - edge) > 0 else 1.0
    return low, high


def _ratio(p: float, n: int, q: float) -> float:
    """Twice the log likelihood ratio of ``p`` to ``q``, over the dispersion n/(n − 1) of a binomial model."""
    return float(2 * (n - 1) * (xlogy(p, p / q) + xlogy(1 - p, (1 - p) / (1 - q))))


def _likelihood_r(e: Estimate, t: float, level: float, *, naive: float | None = None) -> tuple[float, float]:
    """As ``svyciprop(method = "likelihood")`` of R ``survey`` 4.5 interpolates it, for comparison.

    Its ends are off the equation that :func:`_likelihood` solves, and that has the better right to be the default: by
    up to 1e-3 of an end for most shares, by a tenth and more where a large design effect makes the steps coarse.

    The signed root of the ratio is taken at steps of a fifth of the furthest root wanted, in standard errors of the
    logit, at most nine to a side; a cubic spline through these is read at three times as many places, and a straight
    line between them. Beyond the last step, and where R fails, there is no end (NaN). The furthest root comes from F
    with n − 1 degrees of freedom, at half the level at which a normal root reaches the cutoff. With ``naive`` this is
    R's to 1e-6 and mostly to its last digits, except with replicate weights (R takes n for n − 1 there).

    Sources: ``confint`` of ``svyglm``; profile.glm of R (Venables & Ripley 2002, 8.4); the ends of the spline
    (Forsythe, Malcolm & Moler 1977, 4.4).
    """
    if not _inside(e):
        return np.nan, np.nan
    p, n, centre, error = e.value, e.n, logit(e.value), e.se / (e.value * (1 - e.value))
    cutoff = t * error / np.sqrt(1 / (n * p * (1 - p)) if naive is None else naive)
    furthest = -stdtrit(n - 1, ndtr(-cutoff) / 4)
    if not np.isfinite(furthest):
        return np.nan, np.nan
    roots = {centre: 0.0}
    for sign in (-1, 1):
        for step in range(1, 10):
            at = centre + sign * step * furthest / 5 * error
            q = expit(at if abs(at) <= 30 else -sign * np.log(np.finfo(float).eps))  # R cuts its logits there
            roots[at] = sign * np.sqrt(max(_ratio(p, n, q), 0))
            if abs(roots[at]) >= furthest:
                break
    x, root = np.array(sorted(roots.items())).T
    ends = [(3, _third_derivative(x[part], root[part])) for part in (slice(4), slice(-4, None))]
    spline = make_interp_spline(x, root, 3, bc_type=([ends[0]], [ends[1]]))
    places = np.linspace(x[0], x[-1], 3 * len(x))
    read = spline(places)
    order = np.argsort(read, kind="stable")
    low, high = expit(np.interp([-cutoff, cutoff], read[order], places[order], np.nan, np.nan))
    return low, high


def _third_derivative(x: np.ndarray, y: np.ndarray) -> float:
    """Of the cubic through four points; of fewer 0."""
    return 6 * sum(y[k] / np.prod(x[k] - np.delete(x, k)) for k in range(4)) if len(x) == 4 else 0.0


METHODS: dict[str, Callable[[Estimate, float, float], tuple[float, float]]] = {
    "logit": _logit,
    "wald": _wald,
    "wilson": _wilson,
    "beta": _beta,
    "asin": _asin,
    "asin_r": partial(_asin, clipped=False),
    "likelihood": _likelihood,
    "likelihood_r": _likelihood_r,
}
"""Name → interval from (estimate, t quantile, level)."""
