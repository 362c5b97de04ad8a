"""Estimates that keep their uncertainty: means, totals, ratios and smooth functions of them, by domain.

A statistic is linearised: its influence values, summed by sampled unit, give its variance and its covariance with every
other statistic of the same sample, across variables and domains (Binder 1983; Deville 1999). Domains keep the whole
design, with zero outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import stdtrit

from analysis.design import Design
from analysis.layout import lay
from analysis.replicates import Replicated, replicate_sums
from analysis.sample import Sample
from analysis.table import Table, cross
from analysis.totals import Pair, Slopes, Spread, Statistic, Totals, collect, influence, spread


@dataclass(frozen=True)
class Estimate:
    """One figure with its uncertainty. ``low`` and ``high`` are the t interval of ``level`` with ``df``.

    ``deff`` compares the variance with simple random sampling without replacement, ``deff_replacement`` with
    replacement; NaN where the sum of the weights is no population.
    """

    name: str
    domain: tuple[str, ...]
    value: float
    se: float
    df: float
    low: float
    high: float
    n: int
    n_psu: int
    deff: float
    deff_replacement: float
    level: float


@dataclass(frozen=True)
class Estimates(Sequence[Estimate]):
    """Several estimates of one sample with all that their covariance needs."""

    sample: Sample
    names: tuple[str, ...]
    domains: tuple[tuple[str, ...], ...]
    values: np.ndarray
    units: np.ndarray
    sums: np.ndarray
    df: np.ndarray
    n: np.ndarray
    n_psu: np.ndarray
    srs: np.ndarray
    srs_replacement: np.ndarray
    level: float

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, k: Any) -> Any:
        if isinstance(k, slice):
            return [self[i] for i in range(*k.indices(len(self)))]
        variance = self.variance[k]
        se = float(np.sqrt(variance))
        low, high = interval(self.values[k], se, self.df[k], self.level)
        with np.errstate(divide="ignore", invalid="ignore"):
            deff, replacement = (
                variance / by if by > 1e-24 * self.values[k] ** 2 else np.nan
                for by in (self.srs[k], self.srs_replacement[k])
            )
        return Estimate(
            name=self.names[k],
            domain=self.domains[k],
            value=float(self.values[k]),
            se=se,
            df=float(self.df[k]),
            low=float(low),
            high=float(high),
            n=int(self.n[k]),
            n_psu=int(self.n_psu[k]),
            deff=float(deff),
            deff_replacement=float(replacement),
            level=self.level,
        )

    def __iter__(self) -> Iterator[Estimate]:
        return (self[k] for k in range(len(self)))

    @property
    def variance(self) -> np.ndarray:
        """The variance of each estimate; NaN where the estimate is missing or the design says nothing of it."""
        return self.sample.known(self.values, self.sample.variance(self.units, self.sums), self.df)

    @property
    def covariance(self) -> np.ndarray:
        """The covariance of all estimates, in their order."""
        return self.sample.covariance(self.units, self.sums)

    def contrast(self, coefficients: Any, names: Sequence[str]) -> Estimates:
        """Linear combinations: one row of ``coefficients`` for each name (a difference is ``[1, -1]``)."""
        matrix = np.atleast_2d(np.asarray(coefficients, dtype=float))
        return self._derived(matrix @ self.values, matrix, names)

    def function(self, functions: Sequence[Callable[[np.ndarray], Any]], names: Sequence[str]) -> Estimates:
        """Smooth functions of the estimates, by the delta method.

        Each function takes the array of values and must accept complex numbers: the derivative is taken by a complex
        step, which loses no digits (Squire & Trapp 1998).
        """
        step = 1e-30
        gradient = np.empty((len(functions), len(self)))
        for k in range(len(self)):
            moved = self.values.astype(complex)
            moved[k] += 1j * step
            gradient[:, k] = [np.imag(function(moved)) / step for function in functions]
        return self._derived(np.array([float(np.real(f(self.values))) for f in functions]), gradient, names)

    def _df_together(self, used: np.ndarray) -> float:
        """PSUs minus strata of all domains that a result draws on; never fewer than of one of them."""
        if not used.any():
            return 0.0
        own = float(self.df[used].max())
        if self.sample.calibrated is not None or isinstance(self.sample, Replicated):
            return own  # every influence is spread over the whole sample
        touched = self.units[(self.sums[:, used] != 0).any(axis=1)]
        return max(own, float(self.sample.df(touched)))

    def _derived(self, values: np.ndarray, gradient: np.ndarray, names: Sequence[str]) -> Estimates:
        used = gradient != 0

        def least(numbers: np.ndarray) -> np.ndarray:
            return np.array([numbers[row].min() if row.any() else 0 for row in used])

        nothing = np.full(len(values), np.nan)
        sums = self.sums @ gradient.T
        # What draws on an estimate of unknown error has none either: that one's share is not 0.
        unknown = np.isfinite(self.values) & np.isnan(self.variance)
        sums[:, used[:, unknown].any(axis=1)] = np.nan
        df = np.array([self._df_together(row) for row in used])
        return Estimates(
            self.sample,
            tuple(names),
            ((),) * len(values),
            values,
            self.units,
            sums,
            df,
            least(self.n),
            least(self.n_psu),
            nothing,
            nothing,
            self.level,
        )


def interval(value: Any, se: Any, df: Any, level: float) -> tuple[Any, Any]:
    """The t interval; NaN where there are no degrees of freedom."""
    df = np.asarray(df, dtype=float)
    t = np.where(df > 0, stdtrit(np.maximum(df, 1.0), 0.5 + level / 2), np.nan)
    return value - t * se, value + t * se


def mean(
    data: Any, variables: str | Sequence[str], design: Design, by: str | Sequence[str] = (), **options: Any
) -> Estimates:
    """Weighted means of numeric columns, each over the rows that have a value, by the crossing of ``by``.

    ``level`` overrides the design's. Raises Problems or InputError for columns that cannot be used.
    """
    table = Table.of(data)
    names = _list(variables)
    statistics = [_observed(table.numbers(name)) for name in names]
    return _estimate(table, design, by, names, statistics, ratios=True, **options)


def total(
    data: Any, variables: str | Sequence[str], design: Design, by: str | Sequence[str] = (), **options: Any
) -> Estimates:
    """Weighted totals of numeric columns over the rows that have a value, by the crossing of ``by``."""
    table = Table.of(data)
    names = _list(variables)
    statistics = [_observed(table.numbers(name)) for name in names]
    return _estimate(table, design, by, names, statistics, ratios=False, **options)


def ratio(
    data: Any, numerator: str, denominator: str, design: Design, by: str | Sequence[str] = (), **options: Any
) -> Estimates:
    """The ratio of two totals over the rows that have both values, by the crossing of ``by``."""
    table = Table.of(data)
    y, x = table.numbers(numerator), table.numbers(denominator)
    both = np.isfinite(y) & np.isfinite(x)
    pair = np.where(both, y, 0.0), np.where(both, x, 0.0)
    return _estimate(table, design, by, [f"{numerator}/{denominator}"], [lambda: pair], ratios=True, **options)


def proportion(data: Any, variable: str, design: Design, by: str | Sequence[str] = (), **options: Any) -> Estimates:
    """The shares of the answers of a categorical column among the rows that have one, by the crossing of ``by``."""
    table = Table.of(data)
    codes, labels = table.labels(variable)

    def share(k: int) -> Statistic:
        return lambda: ((codes == k).astype(float), (codes >= 0).astype(float))

    return _estimate(table, design, by, labels, [share(k) for k in range(len(labels))], ratios=True, **options)


def population_variance(data: Any, variable: str, design: Design, **options: Any) -> Estimates:
    """The variance of a numeric column in the population, n/(n − 1) times the weighted mean square deviation.

    With replicate weights each replicate takes its deviations from its own mean, as R's ``svyvar``.
    """
    table = Table.of(data)
    values = table.numbers(variable)
    (centre,) = mean(table, variable, design)
    n = max(centre.n, 2)
    gaps = [_observed((values - centre.value) ** 2 * n / (n - 1)), _observed(values - centre.value)]
    found = _estimate(table, design, (), [variable], gaps[:1], ratios=True, **options)
    if not isinstance(found.sample, Replicated):
        return found
    totals = collect(found.sample, np.zeros(len(table), dtype=np.int64), 1, gaps)
    again = _quotient(*replicate_sums(found.sample, totals, gaps))[:, 0]
    moved = again[:, :1] - again[:, 1:] ** 2 * n / (n - 1)
    units, sums = found.sample.deviations(found.values, moved)
    return replace(found, units=units, sums=sums)


def _estimate(
    table: Table,
    design: Design,
    by: str | Sequence[str],
    names: Sequence[str],
    statistics: Sequence[Statistic],
    *,
    ratios: bool,
    level: float | None = None,
) -> Estimates:
    domain, labels = domains_of(table, by)
    return estimate_pairs(lay(design, table), domain, labels, names, statistics, level, ratios=ratios)


def estimate_pairs(
    sample: Sample,
    domain: np.ndarray,
    labels: Sequence[tuple[str, ...]],
    names: Sequence[str],
    statistics: Sequence[Statistic],
    level: float | None = None,
    *,
    ratios: bool = True,
) -> Estimates:
    """Estimates of statistics given by row, in domains given by row: ratios Σ w·y / Σ w·o, or totals Σ w·y."""
    totals = collect(sample, domain, len(labels), statistics)
    value, slopes = ratios_of(totals) if ratios else _totals_of(totals)
    rows = spread(totals, statistics, slopes, np.eye(len(names), dtype=bool))
    if isinstance(sample, Replicated):
        numerator, denominator = replicate_sums(sample, totals, statistics)
        again = _quotient(numerator, denominator) if ratios else numerator
        blocks = [sample.deviations(value[d], again[:, d]) for d in range(len(labels))]
    else:
        blocks = [influence(totals, d, slopes if ratios else _plain(slopes)) for d in range(len(labels))]
    return _joined(sample, totals, blocks, value, rows, names, labels, level or sample.level)


def _quotient(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(denominator != 0, numerator / denominator, np.nan)


def df_of(sample: Sample, totals: Totals, domain: int) -> int:
    """Degrees of freedom of a domain of the totals."""
    if isinstance(sample, Replicated):
        return sample.df_of_rows(totals.domain == domain)
    return sample.df(totals.members(domain))


def ratios_of(totals: Totals) -> tuple[np.ndarray, Slopes]:
    """Σ w·y / Σ w·o by domain and statistic (NaN where nobody is observed), and their slopes."""
    sums = [totals.sums(d) for d in range(totals.domains)]
    numerator, denominator = (np.array([pair[k] for pair in sums]).reshape(totals.domains, -1) for k in (0, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(denominator != 0, 1 / denominator, 0.0)
    value = _quotient(numerator, denominator)
    unit = np.eye(value.shape[1])
    return value, Slopes(unit * scale[:, None, :], unit * (scale * np.nan_to_num(value))[:, None, :])


def _totals_of(totals: Totals) -> tuple[np.ndarray, Slopes]:
    # Under simple random sampling a total varies as N times the mean does: hence the mean in the slopes.
    value = np.array([totals.sums(d)[0] for d in range(totals.domains)]).reshape(totals.domains, -1)
    unit = np.eye(value.shape[1])
    mean_value = np.nan_to_num(ratios_of(totals)[0])
    return value, Slopes(np.repeat(unit[None], totals.domains, axis=0), unit * mean_value[:, None, :])


def _plain(slopes: Slopes) -> Slopes:
    return Slopes(slopes.numerator, np.zeros_like(slopes.denominator))


def _joined(
    sample: Sample,
    totals: Totals,
    blocks: Sequence[tuple[np.ndarray, np.ndarray]],
    value: np.ndarray,
    rows: Spread,
    names: Sequence[str],
    labels: Sequence[tuple[str, ...]],
    level: float,
) -> Estimates:
    units, sums = join(blocks)
    statistics = len(names)
    df = [df_of(sample, totals, d) for d in range(totals.domains)]
    psus = []
    for d in range(totals.domains):
        part = totals.rows(d)
        observed = totals.denominator[part] != 0
        psus += [len(sample.psus(totals.unit[part][observed[:, k]])) for k in range(statistics)]
    return Estimates(
        sample=sample,
        names=tuple(names) * totals.domains,
        domains=tuple(label for label in labels for _ in names),
        values=value.ravel(),
        units=units,
        sums=sums,
        df=np.repeat(df, statistics),
        n=rows.n.ravel(),
        n_psu=np.array(psus),
        srs=rows.srs(replacement=False).ravel(),
        srs_replacement=rows.srs(replacement=True).ravel(),
        level=level,
    )


def join(blocks: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Influence sums of several domains side by side over the units of any of them."""
    units = np.unique(np.concatenate([units for units, _ in blocks])) if blocks else np.zeros(0, dtype=np.int64)
    sums = np.zeros((len(units), sum(part.shape[1] for _, part in blocks)))
    column = 0
    for here, part in blocks:
        sums[np.searchsorted(units, here), column : column + part.shape[1]] = part
        column += part.shape[1]
    return units, sums


def domains_of(table: Table, by: str | Sequence[str]) -> tuple[np.ndarray, list[tuple[str, ...]]]:
    """Domain of each row (−1 where a crossing column is empty) and the domains' names, in their natural order."""
    return cross([table.labels(name) for name in _list(by)], len(table))


def _list(names: str | Sequence[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _observed(values: np.ndarray) -> Callable[[], Pair]:
    there = np.isfinite(values)
    pair = np.where(there, values, 0.0), there.astype(float)
    return lambda: pair
