"""PSU totals: the one pass over the respondents from which every estimate follows.

For each domain and finest sampled unit: the respondents and their weights, and for each statistic Σ w·y and Σ w·o,
where o says that y is observed (Σ w·x for a ratio to x). Sums run in the order of the rows, so the same data give the
same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.sample import Sample

Pair = tuple[np.ndarray, np.ndarray]
"""A statistic by row: the numerator's value and the denominator's, both 0 where not observed."""
Statistic = Callable[[], Pair]


@dataclass(frozen=True)
class Coded:
    """A statistic of few answers: a code by row (−1 = none), and for each code its y and whether it is observed.

    The last entry of both tables stands for the code −1. Weights are then summed by answer, once instead of twice.
    """

    codes: np.ndarray
    y: np.ndarray
    observed: np.ndarray

    def __call__(self) -> Pair:
        return self.y[self.codes], self.observed[self.codes].astype(float)


_CHUNK = 65_536
_FEW = 24


@dataclass(frozen=True)
class Totals:
    """Sums by (domain, finest unit); the rows of domain ``d`` are ``start[d]:start[d + 1]``."""

    sample: Sample
    domain: np.ndarray
    """Row of the data → domain, −1 for none."""
    start: np.ndarray
    unit: np.ndarray
    count: np.ndarray
    weight: np.ndarray
    numerator: np.ndarray
    denominator: np.ndarray
    cross_numerator: np.ndarray | None = None
    cross_denominator: np.ndarray | None = None

    @property
    def domains(self) -> int:
        """The number of domains."""
        return len(self.start) - 1

    def rows(self, domain: int) -> slice:
        """The rows of ``domain`` in the tables of sums."""
        return slice(int(self.start[domain]), int(self.start[domain + 1]))

    def members(self, domain: int) -> np.ndarray:
        """The finest units in which ``domain`` has members."""
        return self.unit[self.rows(domain)]

    def sums(self, domain: int) -> tuple[np.ndarray, np.ndarray]:
        """Σ w·y and Σ w·o of each statistic over ``domain``."""
        rows = self.rows(domain)
        return self.numerator[rows].sum(axis=0), self.denominator[rows].sum(axis=0)


@dataclass(frozen=True)
class Rows:
    """Statistics by row under a design: what a crossing of domains takes its totals from."""

    sample: Sample
    statistics: Sequence[Statistic]

    def collect(self, domain: np.ndarray, domains: int, plain: bool = False) -> Totals:
        """The totals of ``domains`` domains; ``domain`` is that of each row (−1: none), ``plain`` means unweighted."""
        sample = self.sample
        if plain:
            sample = replace(sample, weight=np.ones(len(sample)), calibrated=None)
        return collect(sample, domain, domains, self.statistics)

    def spread(self, totals: Totals, slopes: Slopes, counts: np.ndarray) -> Spread:
        """The second pass over the rows (see :func:`spread`)."""
        return spread(totals, self.statistics, slopes, counts)


def collect(sample: Sample, domain: np.ndarray, domains: int, statistics: Sequence[Statistic]) -> Totals:
    """The totals of ``statistics`` in ``domains`` domains (``domain`` is a code by row, −1 for rows in none)."""
    inside = domain >= 0
    key = np.where(inside, domain * sample.units + sample.unit, -1)
    present, place = np.unique(key, return_inverse=True)
    first = int(len(present) > 0 and present[0] == -1)
    cells, place = len(present) - first, place.reshape(len(key)) - first
    rows = None if inside.all() else np.flatnonzero(inside)
    if rows is not None:
        place = place[rows]
    weight = sample.weight if rows is None else sample.weight[rows]

    def add(values: np.ndarray | None = None) -> np.ndarray:
        return np.bincount(place, values, minlength=cells)

    numerator = np.empty((cells, len(statistics)))
    denominator = np.empty((cells, len(statistics)))
    calibrated = sample.calibrated
    cross = None if calibrated is None else np.zeros((2, domains, calibrated.x.shape[1], len(statistics)))
    for k, statistic in enumerate(statistics):
        if isinstance(statistic, Coded) and calibrated is None and len(statistic.y) <= _FEW:
            answers = len(statistic.y)
            codes = statistic.codes if rows is None else statistic.codes[rows]
            by_answer = np.bincount(place * answers + codes + 1, weight, minlength=cells * answers + 1)
            by_answer = by_answer[: cells * answers].reshape(cells, answers)
            # Code −1 counts as answer 0 of its cell, so that the tables turn by one place.
            numerator[:, k] = by_answer @ np.roll(statistic.y, 1)
            denominator[:, k] = by_answer @ np.roll(statistic.observed.astype(float), 1)
            continue
        y, o = statistic()
        if rows is not None:
            y, o = y[rows], o[rows]
        numerator[:, k] = add(weight * y)
        denominator[:, k] = add(weight * o)
        if calibrated is not None and cross is not None:
            before = calibrated.before if rows is None else calibrated.before[rows]
            x = calibrated.x if rows is None else calibrated.x[rows]
            where = domain if rows is None else domain[rows]
            for j in range(x.shape[1]):
                cross[0, :, j, k] = np.bincount(where, before * x[:, j] * y, minlength=domains)
                cross[1, :, j, k] = np.bincount(where, before * x[:, j] * o, minlength=domains)
    cell = present[first:]
    return Totals(
        sample=sample,
        domain=domain,
        start=np.searchsorted(cell, np.arange(domains + 1) * sample.units),
        unit=cell % max(sample.units, 1),
        count=add().astype(np.int64),
        weight=add(weight),
        numerator=numerator,
        denominator=denominator,
        cross_numerator=None if cross is None else cross[0],
        cross_denominator=None if cross is None else cross[1],
    )


@dataclass(frozen=True)
class Spread:
    """Of each (domain, statistic): people counted, their weight, and Σ w·e² of the row influence times that weight."""

    n: np.ndarray
    weight: np.ndarray
    squares: np.ndarray

    def srs(self, replacement: bool) -> np.ndarray:
        """The variance under simple random sampling of as many people: S²/n, times 1 − n/N without replacement."""
        n, total = self.n, self.weight
        with np.errstate(divide="ignore", invalid="ignore"):
            variance = self.squares / total / np.where(n > 1, n - 1, np.nan)
            return variance if replacement else variance * np.where(total > n, 1 - n / total, np.nan)


@dataclass(frozen=True)
class Slopes:
    """How results of a domain answer to its sums: the influence of a person on result r of domain d is
    Σ_k ``numerator[d, r, k]``·y_k − ``denominator[d, r, k]``·o_k."""

    numerator: np.ndarray
    denominator: np.ndarray

    def of(self, domain: int, y: np.ndarray, o: np.ndarray) -> np.ndarray:
        """Influence of rows (or sums of rows) of ``domain``; one column a result."""
        return y @ self.numerator[domain].T - o @ self.denominator[domain].T


def influence(totals: Totals, domain: int, slopes: Slopes) -> tuple[np.ndarray, np.ndarray]:
    """``(units, sums)``: the weighted influence of the results of ``domain`` by finest unit.

    After calibration every unit has a share, since what the calibration variables explain is taken out everywhere.
    """
    rows = totals.rows(domain)
    units, sample = totals.unit[rows], totals.sample
    sums = slopes.of(domain, totals.numerator[rows], totals.denominator[rows])
    calibrated = sample.calibrated
    if calibrated is None or totals.cross_numerator is None or totals.cross_denominator is None:
        return units, sums
    crossed = slopes.of(domain, totals.cross_numerator[domain], totals.cross_denominator[domain])
    every = np.zeros((sample.units, sums.shape[1]))
    every[units] = sums
    return np.arange(sample.units), every - calibrated.unit_sums(sample.unit, sample.units) @ calibrated.coefficients(
        crossed
    )


def spread(totals: Totals, statistics: Sequence[Statistic], slopes: Slopes, counts: np.ndarray) -> Spread:
    """The second pass over the rows, which PSU totals cannot replace: S² of composites for the design effect.

    ``counts`` (result, statistic) says which statistics make a person count for a result.
    """
    domains, results = slopes.numerator.shape[:2]
    n, weight, squares = (np.zeros((domains, results)) for _ in range(3))
    order = np.argsort(totals.domain, kind="stable")
    edges = np.searchsorted(totals.domain[order], np.arange(domains + 1))
    columns = [statistic() for statistic in statistics]
    counted = counts.astype(float).T
    for d in range(domains):
        for start in range(int(edges[d]), int(edges[d + 1]), _CHUNK):
            rows = order[start : min(start + _CHUNK, int(edges[d + 1]))]
            w = totals.sample.weight[rows]
            y = np.column_stack([pair[0][rows] for pair in columns])
            o = np.column_stack([pair[1][rows] for pair in columns])
            here = ((o != 0) @ counted) > 0
            n[d] += here.sum(axis=0)
            weight[d] += w @ here
            squares[d] += w @ slopes.of(d, y, o) ** 2
    return Spread(n, weight, squares * weight**2)
