"""Weighted maximum likelihood: coefficients and, of each respondent, the influence on them.

Linear and logistic models are fitted by statsmodels; its ordered model takes no weights, so that one is fitted here by
Newton's method (its likelihood is concave in these parameters: Pratt 1981). Influence is A⁻¹ s_k with the score s_k and
the information A of the weighted sample, so that the variance of its total is the sandwich (Binder 1983).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from survey.errors import InputError
from survey.text import Text

_STEPS = 100


@dataclass(frozen=True)
class Fit:
    """``influence`` is by row, before its weight; ``naive`` is the inverse information."""

    parameters: np.ndarray
    influence: np.ndarray
    naive: np.ndarray
    deviance: float


Fitter = Callable[[np.ndarray, np.ndarray, np.ndarray], Fit]
"""(matrix, outcome, weights) → fit."""


def fit_linear(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> Fit:
    """Weighted least squares."""
    import statsmodels.api as sm

    parameters = sm.WLS(y, x, weights=w).fit().params
    residual = y - x @ parameters
    naive = np.linalg.inv(x.T @ (x * w[:, None]))
    return Fit(parameters, (x * residual[:, None]) @ naive, naive, float(w @ residual**2))


def fit_logistic(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> Fit:
    """Weighted logistic regression of 0 and 1.

    Raises:
        InputError: the terms separate the two answers, so that there is no finite estimate.
    """
    import statsmodels.api as sm
    from statsmodels.tools.sm_exceptions import ConvergenceWarning, PerfectSeparationError, PerfectSeparationWarning

    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        warnings.simplefilter("error", PerfectSeparationWarning)
        warnings.simplefilter("error", RuntimeWarning)
        try:
            model = sm.GLM(y, x, family=sm.families.Binomial(), var_weights=w)
            found = model.fit(tol=1e-13, tol_criterion="params", maxiter=_STEPS)
            fitted = np.asarray(found.fittedvalues)
            # One category that predicts the answer perfectly converges in a corner, where the information is singular.
            naive = np.linalg.inv(x.T @ (x * (w * fitted * (1 - fitted))[:, None]))
        except (
            ConvergenceWarning,
            PerfectSeparationError,
            PerfectSeparationWarning,
            RuntimeWarning,
            np.linalg.LinAlgError,
        ):
            raise separated() from None
    return Fit(np.asarray(found.params), (x * (y - fitted)[:, None]) @ naive, naive, float(found.deviance))


def fit_ordered(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> Fit:
    """Weighted proportional odds, P(Y ≤ k) = logit⁻¹(ζ_k − x'β): parameters β, then ζ. ``y`` counts from 0.

    Raises:
        InputError: the terms separate the answers, so that there is no finite estimate.
    """
    categories = int(y.max()) + 1
    shares = np.bincount(y, w, minlength=categories) / w.sum()
    cumulative = np.cumsum(shares)[:-1]
    parameters = np.concatenate([np.zeros(x.shape[1]), np.log(cumulative / (1 - cumulative))])
    value, score, information = _ordered(parameters, x, y, w)
    for _ in range(_STEPS):
        try:
            step = np.linalg.solve(information, w @ score)
        except np.linalg.LinAlgError:
            raise separated() from None
        size = 1.0
        while size > 1e-10:
            moved = parameters + size * step
            if np.all(np.diff(moved[x.shape[1] :]) > 0):
                after = _ordered(moved, x, y, w)
                if after[0] >= value - 1e-12 * abs(value):
                    break
            size /= 2
        else:
            raise separated()
        parameters, (value, score, information) = moved, after
        if np.max(np.abs(step) / (1 + np.abs(parameters))) < 1e-10:
            naive = np.linalg.inv(information)
            return Fit(parameters, score @ naive, naive, -2 * value)
    raise separated()


def _ordered(
    parameters: np.ndarray, x: np.ndarray, y: np.ndarray, w: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """Log likelihood, scores by row, and the (observed) information."""
    slopes = x.shape[1]
    ends = np.concatenate([[-np.inf], parameters[slopes:], [np.inf]])
    eta = x @ parameters[:slopes]
    rows, cuts = np.arange(len(y)), len(parameters) - slopes
    above, below = expit(ends[y + 1] - eta), expit(ends[y] - eta)
    p = np.maximum(above - below, 1e-300)
    d_above, d_below = above * (1 - above), below * (1 - below)
    # Derivatives of log p by the two ends of its interval, as rows of the gradient in (β, ζ).
    up = np.zeros((len(y), slopes + cuts))
    down = np.zeros_like(up)
    up[:, :slopes] = down[:, :slopes] = -x
    inner, lower = y < cuts, y > 0
    up[rows[inner], slopes + y[inner]] = 1
    down[rows[lower], slopes + y[lower] - 1] = 1
    score = up * (d_above / p)[:, None] - down * (d_below / p)[:, None]
    curve_up, curve_down = d_above * (1 - 2 * above) / p, d_below * (1 - 2 * below) / p
    information = score.T @ (score * w[:, None])
    information -= up.T @ (up * (w * curve_up)[:, None]) - down.T @ (down * (w * curve_down)[:, None])
    return float(w @ np.log(p)), score, information


def ordered_scores(parameters: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The score of each row at these parameters."""
    return _ordered(parameters, x, y, np.ones(len(y)))[1]


def separated() -> InputError:
    """The error of a model without finite estimates."""
    return InputError(
        "model",
        Text(
            "mô hình không hội tụ: các biến tách hẳn các câu trả lời",
            "the model does not converge: its terms separate the answers completely",
        ),
        Text("bỏ bớt biến hoặc gộp câu trả lời", "leave terms out or join answers"),
    )
