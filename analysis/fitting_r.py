"""The same models as R's ``survey`` computes them, for comparison to its last digits.

R's ``svyglm`` stops at a relative change of the deviance of 1e-8 and takes the information from the step before the
last; ``svyolr`` takes it by numerical differentiation with steps of 1e-3, which is felt in the fourth digit of a
standard error when a variable has large values. :mod:`analysis.fitting` has neither habit.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, xlogy

from analysis.fitting import Fit, fit_ordered, ordered_scores, separated

_STEP = 1e-3
_CHANGE = 1e-8


def fit_logistic_r(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> Fit:
    """``glm.fit`` (binomial) and the influence of ``svyglm``.

    Raises:
        InputError: 25 steps are not enough.
    """
    mean = (w * y + 0.5) / (w + 1)
    eta = np.log(mean / (1 - mean))
    deviance = _deviance(y, mean, w)
    for _ in range(25):
        spread = mean * (1 - mean)
        root = np.sqrt(w * spread)
        parameters = np.linalg.lstsq(x * root[:, None], root * (eta + (y - mean) / spread), rcond=None)[0]
        eta = x @ parameters
        mean = expit(eta)
        before, deviance = deviance, _deviance(y, mean, w)
        if abs(deviance - before) / (abs(deviance) + 0.1) < _CHANGE:
            naive = np.linalg.inv(x.T @ (x * (root**2)[:, None]))
            residual = (y - mean) / (mean * (1 - mean)) * spread
            return Fit(parameters, (x * residual[:, None]) @ naive, naive, deviance)
    raise separated()


def _deviance(y: np.ndarray, mean: np.ndarray, w: np.ndarray) -> float:
    return float(-2 * (w @ (xlogy(y, mean) + xlogy(1 - y, 1 - mean))))


def fit_ordered_r(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> Fit:
    """``svyolr``: the information in β, ζ_1 and the logarithms of the steps from cut to cut, by central differences.

    Raises:
        InputError: the terms separate the answers.
    """
    fit, slopes = fit_ordered(x, y, w), x.shape[1]
    cuts = fit.parameters[slopes:]
    inner = np.concatenate([fit.parameters[: slopes + 1], np.log(np.diff(cuts))])

    def outer(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Parameters (β, ζ) and their derivatives by the inner ones."""
        steps = np.exp(values[slopes + 1 :])
        moved = np.concatenate([values[:slopes], values[slopes] + np.concatenate([[0.0], np.cumsum(steps)])])
        jacobian = np.eye(len(values))
        jacobian[slopes:, slopes] = 1
        for k, step in enumerate(steps):
            jacobian[slopes + 1 + k :, slopes + 1 + k] = step
        return moved, jacobian

    def gradient(values: np.ndarray) -> np.ndarray:
        moved, jacobian = outer(values)
        return -(w @ ordered_scores(moved, x, y)) @ jacobian

    size = np.eye(len(inner)) * _STEP
    hessian = np.array([(gradient(inner + step) - gradient(inner - step)) / (2 * _STEP) for step in size])
    _, jacobian = outer(inner)
    naive = jacobian @ np.linalg.inv((hessian + hessian.T) / 2) @ jacobian.T
    return Fit(fit.parameters, ordered_scores(fit.parameters, x, y) @ naive, naive, fit.deviance)
