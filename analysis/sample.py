"""A design laid on a data set, and the variance of a total under it.

Every estimate becomes a total of influence values; what is kept of them is their sum per sampled unit. With
replacement, V = Σ_h (1 − f_h) n_h/(n_h − 1) Σ_i (z_hi − z̄_h)², where a PSU without members counts with z = 0; further
stages with a population count add f_h times the same form within each PSU (Särndal, Swensson & Wretman 1992, ch. 4;
the recursion of R ``survey``'s ``svyrecvar``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from analysis.calibration import Calibrated

_ROUNDING = 1e-9
"""An error below this part of its estimate is rounding."""


@dataclass(frozen=True)
class Stage:
    """One stage of sampling. Units and strata are numbered so that both grow with the finest unit."""

    unit: np.ndarray
    """Finest unit → unit of this stage."""
    stratum: np.ndarray
    """Unit of this stage → its stratum."""
    size: np.ndarray
    """Stratum → units in the sample."""
    scale: np.ndarray
    """Stratum → product of the sampling fractions above × (1 − f); the factor n/(n − 1) is not in it."""
    fraction: np.ndarray
    """Stratum → f, the share of its units that is in the sample; 0 without a population count."""
    quadratic: Mapping[int, np.ndarray] = field(default_factory=dict)
    """Stratum of PSUs drawn by size without replacement → the matrix of its variance (:mod:`analysis.pps`)."""


@dataclass(frozen=True)
class Sample:
    """Rows of a data set with their weights and units. Made by :func:`analysis.layout.lay`."""

    weight: np.ndarray
    unit: np.ndarray
    stages: tuple[Stage, ...]
    psu_names: Sequence[str]
    stratum_names: Sequence[str]
    lonely_psu: str = "error"
    lonely_domain: bool = False
    df_rule: str = "domain"
    level: float = 0.95
    calibrated: Calibrated | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.weight)

    @property
    def units(self) -> int:
        """The number of finest units."""
        return len(self.stages[-1].unit)

    @property
    def design_df(self) -> int:
        """PSUs minus strata of the whole design."""
        first = self.stages[0]
        return len(first.stratum) - len(first.size)

    def psus(self, units: np.ndarray) -> np.ndarray:
        """The PSUs of the given finest units (sorted, each once)."""
        return np.unique(self.stages[0].unit[units])

    def df(self, units: np.ndarray) -> int:
        """Degrees of freedom of a domain whose members lie in ``units``: its PSUs minus its strata, or the design's."""
        if self.df_rule == "design":
            return self.design_df
        psus = self.psus(units)
        return len(psus) - len(np.unique(self.stages[0].stratum[psus]))

    def spread(self, units: np.ndarray, sums: np.ndarray) -> np.ndarray:
        """A matrix A with AᵀA = the covariance of the totals of ``sums``, but for strata drawn by size without
        replacement, whose form need not be one (:meth:`covariance` has them).

        ``units`` are finest units in growing order, ``sums`` their weighted influence sums, one column per statistic;
        units that are absent have none. Columns are NaN where the strata left cannot give a variance.
        """
        parts = [self._stage_spread(stage, units, sums, first=k == 0) for k, stage in enumerate(self.stages)]
        return np.concatenate(parts)

    def covariance(self, units: np.ndarray, sums: np.ndarray) -> np.ndarray:
        """The covariance matrix of the totals of ``sums``."""
        spread = self.spread(units, sums)
        return spread.T @ spread + self._unequal(units, sums)

    def variance(self, units: np.ndarray, sums: np.ndarray) -> np.ndarray:
        """The variances alone."""
        usual = len(self.stages) == 1 and not self.stages[0].quadratic
        if usual and self.lonely_psu not in ("adjust", "average") and len(units):
            return self._plain_variance(units, sums)
        spread = self.spread(units, sums)
        found = np.einsum("ij,ij->j", spread, spread)
        if not self.stages[0].quadratic:
            return found
        found = found + np.diag(self._unequal(units, sums))
        # Horvitz–Thompson's estimate of a variance may be negative: then there is none.
        return np.where(found < 0, np.nan, found)

    def known(self, value: np.ndarray, variance: np.ndarray, df: np.ndarray | float) -> np.ndarray:
        """``variance``, NaN where the design says nothing of it: the respondents of a domain lie in one PSU a stratum
        (no degrees of freedom), so that a mean cannot be seen to vary, and 0 would claim that it does not.

        With ``df_rule`` "design" it stays 0, as R ``survey`` has it.
        """
        if self.df_rule == "design":
            return np.where(np.isfinite(value), variance, np.nan)
        with np.errstate(invalid="ignore"):
            unseen = (np.asarray(df) <= 0) & (variance <= (_ROUNDING * np.abs(value)) ** 2)
        return np.where(np.isfinite(value) & ~unseen, variance, np.nan)

    def _unequal(self, units: np.ndarray, sums: np.ndarray) -> np.ndarray:
        """Σ z'Qz over the first stage's strata drawn by size without replacement; PSUs without members have z = 0."""
        found = np.zeros((sums.shape[1], sums.shape[1]))
        stage = self.stages[0]
        if not stage.quadratic or not len(units):
            return found
        psu = stage.unit[units]
        starts = _starts(psu)
        z, psus = np.add.reduceat(sums, starts, axis=0), psu[starts]
        first = np.searchsorted(stage.stratum, np.arange(len(stage.size)))
        for h, matrix in stage.quadratic.items():
            inside = stage.stratum[psus] == h
            place = psus[inside] - first[h]
            found += z[inside].T @ matrix[np.ix_(place, place)] @ z[inside]
        return found

    def _plain_variance(self, units: np.ndarray, sums: np.ndarray) -> np.ndarray:
        """The usual case, one stage and no lonely strata to make up for, without the matrix that covariances need."""
        stage = self.stages[0]
        stratum = stage.stratum[units]
        edges = _starts(stratum)
        h, present = stratum[edges], np.diff(np.append(edges, len(stratum)))
        size = stage.size[h]
        mean = np.add.reduceat(sums, edges, axis=0) / size[:, None]
        factor = stage.scale[h] * np.where(size > 1, size / np.maximum(size - 1, 1), 0.0)
        gap = sums - np.repeat(mean, present, axis=0)
        inside = np.einsum("ij,ij,i->j", gap, gap, np.repeat(factor, present))
        return inside + np.einsum("ij,ij,i->j", mean, mean, factor * (size - present))

    def _stage_spread(self, stage: Stage, units: np.ndarray, sums: np.ndarray, *, first: bool) -> np.ndarray:
        if not len(units):
            return np.zeros((1, sums.shape[1]))
        group = stage.unit[units]
        starts = _starts(group)
        z = np.add.reduceat(sums, starts, axis=0)
        stratum = stage.stratum[group[starts]]
        edges = _starts(stratum)
        h = stratum[edges]
        present = np.diff(np.append(edges, len(stratum)))
        size = stage.size[h]
        mean = np.add.reduceat(z, edges, axis=0) / size[:, None]
        factor = stage.scale[h] * np.where(size > 1, size / np.maximum(size - 1, 1), 0.0)
        centre, factors = mean, np.broadcast_to(factor[:, None], mean.shape)
        if first and self.lonely_psu in ("adjust", "average"):
            centre, factors = self._lonely(stage, h, edges, z, mean, factors)
        repeat = np.repeat(np.arange(len(h)), present)
        root = np.sqrt(factors)
        absent = np.sqrt(size - present)[:, None]
        return np.concatenate([(z - centre[repeat]) * root[repeat], centre * root * absent])

    def _lonely(
        self, stage: Stage, h: np.ndarray, edges: np.ndarray, z: np.ndarray, mean: np.ndarray, factors: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Centre and factor of each (stratum, statistic) where a stratum has one PSU, in the sample or in the domain.

        ``adjust`` centres at the mean over all PSUs of the design, as R survey 4.5 does; ``average`` gives such a
        stratum the average variance of the others.
        """
        alone = np.repeat(((stage.size[h] == 1) & (stage.scale[h] > 0))[:, None], z.shape[1], axis=1)
        lonely = alone.copy()
        members = np.add.reduceat(z != 0, edges, axis=0, dtype=int)
        if self.lonely_domain:
            alone |= (members == 1) & (stage.size[h] > 1)[:, None]
        if self.lonely_psu == "adjust":
            grand = z.sum(axis=0) / stage.size.sum()
            return np.where(alone, grand, mean), np.where(lonely, stage.scale[h][:, None], factors)
        counted = members > 0
        nothing = ~counted.any(axis=0)  # a total of zeros: its variance is 0
        left = (counted & ~alone).sum(axis=0)
        with np.errstate(divide="ignore"):
            share = np.where(left > 0, counted.sum(axis=0) / np.maximum(left, 1), np.where(nothing, 1.0, np.nan))
        return mean, np.where(alone, 0.0, factors) * share


def _starts(values: np.ndarray) -> np.ndarray:
    """Where each run of equal values begins."""
    return np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
