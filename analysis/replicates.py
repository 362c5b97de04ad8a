"""Replicate weights, given or made, and the variance that they give: V = C Σ_r c_r (t_r − centre)².

JK1 and JKn leave out one PSU at a time, BRR and Fay halve strata of two by a Hadamard matrix, the bootstrap of Rao and
Wu draws n_h − 1 PSUs with replacement, successive differences compare neighbours (Wolter 2007; Rao, Wu & Yue 1992; Fay
& Train 1995). Where a sample stands with its influence sums, a replicated one stands with the deviations t_r − centre.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

import numpy as np
from scipy.linalg import hadamard, qr

from analysis.design import Design, Replicates
from analysis.sample import Sample
from analysis.table import Table
from analysis.totals import Statistic, Totals
from survey.errors import InputError, Problems
from survey.text import Text, many

SEED, COUNT = 20260101, 500
_TOGETHER = 512


@dataclass(frozen=True, kw_only=True)
class Replicated(Sample):
    """A sample with replicate weights; its "units" are the replicates."""

    replicate_weights: np.ndarray
    coefficients: np.ndarray
    mse: bool

    def spread(self, units: np.ndarray, sums: np.ndarray) -> np.ndarray:
        """The deviations of the replicates, weighted so that AᵀA is the covariance."""
        return sums * np.sqrt(self.coefficients[units])[:, None]

    def variance(self, units: np.ndarray, sums: np.ndarray) -> np.ndarray:
        """The variances alone."""
        return np.asarray(self.coefficients[units] @ sums**2)

    @property
    def design_df(self) -> int:
        """The rank of the replicate weights minus 1."""
        return _rank(self.replicate_weights) - 1

    def df_of_rows(self, rows: np.ndarray) -> int:
        """Degrees of freedom of a domain: the rank of its members' replicate weights minus 1, or the design's."""
        return self.design_df if self.df_rule == "design" else _rank(self.replicate_weights[rows]) - 1

    def deviations(self, value: np.ndarray, replicates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """``(units, sums)`` of statistics from their full-sample values and their values in each replicate."""
        used = self.coefficients > 0
        centre = value if self.mse else np.nanmean(replicates[used], axis=0) if used.any() else value
        return np.arange(len(replicates)), np.nan_to_num(replicates - centre)


def _rank(weights: np.ndarray) -> int:
    """The rank, with R's tolerance of 1e-5 (``qr``)."""
    small = weights if weights.shape[0] <= weights.shape[1] else weights.T @ weights
    scale = np.sqrt(np.maximum(np.diag(small), 1e-300)) if small is not weights else None
    matrix = weights if scale is None else small / np.outer(scale, scale)
    pivots = np.abs(np.diag(qr(matrix, mode="r", pivoting=True)[0])) if matrix.size else np.zeros(0)
    tolerance = 1e-5 if scale is None else 1e-10
    return int((pivots > tolerance * pivots.max(initial=0.0)).sum())


def replicate(sample: Sample, design: Design, data: Table) -> Replicated:
    """``sample`` with the replicate weights that ``design`` declares: columns of the data, or made here.

    Raises:
        InputError: no column fits the pattern, or the design does not suit the method. Problems: unusable columns.
    """
    rule = design.replicates
    assert rule is not None
    if rule.type == "given":
        weights, coefficients, mse = _given(rule, sample, data)
    else:
        factors, coefficients, mse = make_factors(sample, rule)
        weights = sample.weight[:, None] * factors[sample.stages[0].unit[sample.unit]]
        if sample.calibrated is not None:
            weights = _calibrated(weights, design, data)
    known = {name: getattr(sample, name) for name in Sample.__dataclass_fields__}
    return Replicated(**{**known, "calibrated": None}, replicate_weights=weights, coefficients=coefficients, mse=mse)


def _given(rule: Replicates, sample: Sample, data: Table) -> tuple[np.ndarray, np.ndarray, bool]:
    names = [name for name in data.names if fnmatchcase(name, rule.columns)]
    if not names:
        raise InputError(
            f"{data.source}, columns {rule.columns}",
            Text("không có cột quyền số lặp nào khớp", "no column of replicate weights fits this pattern"),
            Text('sửa [replicates] columns, ví dụ "rw_*"', 'correct [replicates] columns, such as "rw_*"'),
        )
    problems = []
    columns = []
    for name in names:
        try:
            columns.append(data.numbers(name))
        except InputError as error:
            problems.append(error.problem)
    if problems:
        raise Problems(problems)
    weights = np.column_stack(columns)
    if np.isnan(weights).any():
        bad = np.isnan(weights).any(axis=1)
        raise InputError(
            f"{data.source}, columns {rule.columns}, {data.rows_text(bad)}",
            Text("quyền số lặp bị trống", "replicate weights are blank"),
            Text("điền đủ các cột", "fill in every column"),
        )
    if not rule.combined:
        weights = weights * sample.weight[:, None]
    count = weights.shape[1]
    scale = 1 / count if rule.scale is None else rule.scale
    rscales = np.array(rule.rscales, dtype=float) if rule.rscales else np.ones(count)
    if len(rscales) != count:
        raise InputError(
            "design.toml, [replicates], rscales",
            Text(
                f"có {len(rscales)} hệ số cho {count} cột",
                f"{many(len(rscales), 'factor')} for {many(count, 'column')}",
            ),
            Text("ghi mỗi cột một hệ số, hoặc để trống", "give each column one, or leave them out"),
        )
    return weights, scale * rscales, rule.mse


def _calibrated(weights: np.ndarray, design: Design, data: Table) -> np.ndarray:
    """Every replicate calibrated as the whole was, so that its variance has the calibration in it."""
    from analysis.weighting import read_margins, solve

    assert design.calibration is not None
    margins = read_margins(design.calibration, data)
    columns = []
    for column in weights.T:
        used = column > 0
        found = np.zeros(len(column))
        found[used] = solve(column[used], replace(margins, x=margins.x[used]), design.calibration)
        columns.append(found)
    return np.column_stack(columns)


def make_factors(
    sample: Sample, rule: Replicates, count: int = COUNT, seed: int = SEED
) -> tuple[np.ndarray, np.ndarray, bool]:
    """``(factor of each PSU in each replicate, coefficients C·c_r, mse)`` for the methods that make replicates.

    Raises InputError where the design does not suit the method.
    """
    stage = sample.stages[0]
    stratum, size = stage.stratum, stage.size
    psus = len(stratum)
    n = size[stratum]
    left = 1 - stage.fraction[stratum]
    if rule.type in ("JK1", "JKn"):
        factors = np.where(stratum[:, None] == stratum, (n / np.maximum(n - 1, 1))[:, None], 1.0)
        np.fill_diagonal(factors, 0.0)
        return factors, left * (n - 1) / n, rule.mse
    if rule.type in ("BRR", "Fay"):
        return _balanced(rule, stratum, size)
    if rule.type == "SDR":
        return _successive(psus, stratum, size)
    chance = np.random.default_rng(seed)
    factors = np.ones((psus, count))
    for h in range(len(size)):
        members = np.flatnonzero(stratum == h)
        m = len(members)
        if m > 1:
            factors[members] = _rao_wu(chance, m, count, stage.fraction[h]).T
    return factors, np.full(count, 1 / count), True


def _rao_wu(chance: np.random.Generator, m: int, count: int, fraction: float) -> np.ndarray:
    """Factors of ``m`` PSUs of a stratum in ``count`` replicates: m − 1 of them drawn with replacement."""
    if m < 2:
        return np.ones((count, m))
    drawn = chance.integers(m, size=(count, m - 1)) + m * np.arange(count)[:, None]
    draws = np.bincount(drawn.ravel(), minlength=count * m).reshape(count, m) * (m / (m - 1))
    # With a population count the deviation shrinks by its root (Rao & Wu 1988).
    return 1 + np.sqrt(1 - fraction) * (draws - 1)


def _blocks(edges: np.ndarray) -> list[tuple[int, int]]:
    """Consecutive strata, so many together that their PSUs make a matrix worth multiplying, and no more."""
    found, first = [], 0
    for h in range(1, len(edges)):
        if edges[h] - edges[first] >= _TOGETHER or h == len(edges) - 1:
            found.append((first, h))
            first = h
    return found


def rao_wu_sums(totals: Totals, count: int = COUNT, seed: int = SEED) -> tuple[np.ndarray, np.ndarray]:
    """Σ w·y and Σ w·o in ``count`` bootstrap replicates, by replicate, domain and statistic, from the totals alone.

    Some strata at a time, so that no replicate weight of a respondent is ever made.
    """
    stage = totals.sample.stages[0]
    shape = (count, totals.domains, totals.numerator.shape[1])
    numerator, denominator = np.zeros(shape), np.zeros(shape)
    chance = np.random.default_rng(seed)
    edges = np.concatenate([[0], np.cumsum(stage.size)])
    psus = [stage.unit[totals.members(d)] for d in range(totals.domains)]
    ends = [np.searchsorted(of, edges) + totals.start[d] for d, of in enumerate(psus)]
    for first, last in _blocks(edges):
        factors = np.hstack([_rao_wu(chance, int(stage.size[h]), count, stage.fraction[h]) for h in range(first, last)])
        for d in range(totals.domains):
            rows = slice(int(ends[d][first]), int(ends[d][last]))
            if rows.start < rows.stop:
                psu = psus[d][rows.start - totals.start[d] : rows.stop - totals.start[d]] - edges[first]
                here = factors[:, psu[0] : psu[-1] + 1] if len(psu) == psu[-1] - psu[0] + 1 else factors[:, psu]
                numerator[:, d] += here @ totals.numerator[rows]
                denominator[:, d] += here @ totals.denominator[rows]
    return numerator, denominator


def _balanced(rule: Replicates, stratum: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
    if (size != 2).any():
        raise InputError(
            "design.toml, [replicates], type",
            Text(f"{rule.type} cần đúng hai đơn vị mỗi tầng", f"{rule.type} needs two PSUs in every stratum"),
            Text("dùng JKn hoặc bootstrap", "use JKn or bootstrap"),
        )
    order = 1 << (len(size)).bit_length()
    signs = hadamard(order)[1 : len(size) + 1]
    rho = 0.0 if rule.type == "BRR" else 0.5
    first = np.r_[True, stratum[1:] != stratum[:-1]]
    kept = np.where(first[:, None], signs[stratum], -signs[stratum])
    factors = np.where(kept > 0, 2 - rho, rho)
    return factors, np.full(order, 1 / (order * (1 - rho) ** 2)), rule.mse


def _successive(psus: int, stratum: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
    """Fay and Train's rows of a Hadamard matrix: each PSU takes two neighbouring rows of its own."""
    order = 1 << (psus + 1).bit_length()
    rows = hadamard(order)
    turn = np.arange(psus)
    following = np.where(np.r_[stratum[1:] == stratum[:-1], False], turn + 1, turn - size[stratum] + 1)
    factors = 1 + 2**-1.5 * (rows[turn + 1] - rows[following + 1])
    return factors, np.full(order, 4 / order), True


def replicate_sums(
    sample: Replicated, totals: Totals, statistics: Sequence[Statistic]
) -> tuple[np.ndarray, np.ndarray]:
    """Σ w_r·y and Σ w_r·o by replicate, domain and statistic."""
    shape = (sample.replicate_weights.shape[1], totals.domains, len(statistics))
    numerator, denominator = np.empty(shape), np.empty(shape)
    members = [np.flatnonzero(totals.domain == d) for d in range(totals.domains)]
    for k, statistic in enumerate(statistics):
        y, o = statistic()
        for d, rows in enumerate(members):
            weights = sample.replicate_weights[rows].T
            numerator[:, d, k] = weights @ y[rows]
            denominator[:, d, k] = weights @ o[rows]
    return numerator, denominator
