"""What calibration to known margins leaves for the variance.

After calibration the influence u of a statistic counts only as far as the calibration variables x cannot explain it:
u is replaced by u − x'β with β from the regression of u on x under the design weights, summed with the final weights
(Deville & Särndal 1992; post-stratification is the case of one indicator per cell, Valliant 1993; raking and the other
distances share the linear case's variance).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Calibrated:
    """The calibration variables of every row with the weights before and after."""

    x: np.ndarray
    before: np.ndarray
    after: np.ndarray

    def coefficients(self, cross: np.ndarray) -> np.ndarray:
        """β of the regression on x, from Σ before · x · u (one column per statistic). Redundant columns are allowed."""
        return np.linalg.pinv(self.x.T @ (self.x * self.before[:, None]), hermitian=True) @ cross

    def unit_sums(self, unit: np.ndarray, units: int) -> np.ndarray:
        """Σ after · x by unit."""
        return np.column_stack([np.bincount(unit, self.after * column, minlength=units) for column in self.x.T])
