"""What calibration to known margins leaves for the variance.

After calibration the influence u of a statistic counts only as far as the calibration variables x cannot explain it:
u is replaced by u − x'β with β from the regression of u on x under the design weights, summed with the final weights
(Deville & Särndal 1992; post-stratification is the case of one indicator per cell, Valliant 1993; raking and the other
distances share the linear case's variance).

R's ``rake()`` has another variance for raked weights: ten sweeps over the margins, each taking away the *unweighted*
mean influence of every category. It is kept as the option ``sweeps`` for comparison; with unequal weights it can be far
off.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SWEEPS = 10
"""How often R's ``rake()`` goes over the margins for the variance."""


@dataclass(frozen=True)
class Calibrated:
    """The calibration variables of every row with the weights before and after.

    ``swept`` numbers the margin of each variable where the residual is that of R's ``rake()``; ``before`` is then 1.
    """

    x: np.ndarray
    before: np.ndarray
    after: np.ndarray
    swept: np.ndarray | None = None

    def coefficients(self, cross: np.ndarray) -> np.ndarray:
        """β of the regression on x, from Σ before · x · u (one column per statistic). Redundant columns are allowed."""
        if self.swept is not None:
            return self._swept(cross, self.swept)
        return np.linalg.pinv(self.x.T @ (self.x * self.before[:, None]), hermitian=True) @ cross

    def _swept(self, cross: np.ndarray, margins: np.ndarray) -> np.ndarray:
        counts = self.x.T @ self.x
        beta = np.zeros_like(cross)
        for _ in range(SWEEPS):
            for margin in range(int(margins.max()) + 1):
                of = margins == margin
                left = cross[of] - counts[of] @ beta
                beta[of] += left / np.diag(counts)[of][:, None]
        return beta

    def unit_sums(self, unit: np.ndarray, units: int) -> np.ndarray:
        """Σ after · x by unit."""
        return np.column_stack([np.bincount(unit, self.after * column, minlength=units) for column in self.x.T])
