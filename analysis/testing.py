"""Design-based tests: independence of two answers, and means of two groups.

Pearson's X² of the weighted table is referred to what the design makes of it (Rao & Scott 1981, 1984): the generalised
design effects δ are the eigenvalues of V_srs⁻¹ V on the interaction contrasts, F = X² / Σδ with d₀ = (Σδ)²/Σδ² and
d₀·ν degrees of freedom, or the first-order χ² = X² / mean δ. The Wald test looks at N_rc − N_r N_c / N itself (Koch,
Freeman & Freeman 1975); the adjusted one allows for the few degrees of freedom ν that estimated its covariance (Fellegi
1980; Thomas & Rao 1987). R: ``svychisq``, ``svyttest``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import chdtrc, fdtrc, stdtr, stdtrit

from analysis.design import Design
from analysis.estimation import Estimates, mean, total
from analysis.table import Table, take
from survey.errors import InputError
from survey.text import Text

STATISTICS = ("F", "chi2", "wald", "adjusted_wald")


@dataclass(frozen=True)
class Tested:
    """A test: its statistic, degrees of freedom (``ddf`` infinite for a χ²) and p value.

    ``pearson`` is X² of the weighted table at the sample's size; ``eigenvalues`` are the generalised design effects of
    a likelihood ratio.
    """

    name: str
    statistic: float
    df: float
    ddf: float
    p: float
    pearson: float = np.nan
    eigenvalues: tuple[float, ...] = ()


@dataclass(frozen=True)
class Difference:
    """The difference of two means, ``second`` minus ``first``, with its t test and interval."""

    first: str
    second: str
    difference: float
    se: float
    t: float
    df: float
    p: float
    low: float
    high: float
    level: float


def independence_test(data: Any, rows: str, columns: str, design: Design, statistic: str = "F") -> Tested:
    """Whether the answers to ``rows`` and ``columns`` go together, by one of :data:`STATISTICS`.

    Respondents without one of the two answers stay in the design and out of the table. ``F`` is the one to use;
    ``wald`` is kept for comparison and rejects too often when there are few PSUs.

    Raises:
        ValueError: no such statistic. InputError: fewer than two answers, or too few PSUs for the covariance.
    """
    if statistic not in STATISTICS:
        raise ValueError(f"statistic must be one of {', '.join(STATISTICS)}")
    table = Table.of(data)
    cells, names, shape = _cells(table, rows, columns)
    inside = table.with_columns(dict(zip(names, cells.T, strict=True)))
    if statistic in ("wald", "adjusted_wald"):
        return _wald(total(inside, names, design), shape, statistic, f"{table.source}, {rows} × {columns}")
    return _rao_scott(mean(inside, names, design), shape, statistic)


def _cells(table: Table, rows: str, columns: str) -> tuple[np.ndarray, list[str], tuple[int, int]]:
    """Indicators of the cells of the table, rows first, NaN where an answer is missing."""
    coded = []
    for name in (rows, columns):
        codes, labels = table.labels(name)
        coded.append((codes.astype(np.int64), labels))
    (r, row_labels), (c, column_labels) = coded
    answered = (r >= 0) & (c >= 0)
    present = [np.unique(codes[answered]) for codes, _ in coded]
    for name, kept in zip((rows, columns), present, strict=True):
        if len(kept) < 2:
            raise InputError(
                f"{table.source}, column {name}",
                Text("cần ít nhất hai câu trả lời khác nhau", "at least two different answers are needed"),
                Text("chọn cột khác", "choose another column"),
            )
    pairs = [(i, j) for i in present[0] for j in present[1]]
    found = np.column_stack([np.where(answered, ((r == i) & (c == j)).astype(float), np.nan) for i, j in pairs])
    names = [f"{rows}={row_labels[i]} {columns}={column_labels[j]}" for i, j in pairs]
    return found, names, (len(present[0]), len(present[1]))


def _rao_scott(cells: Estimates, shape: tuple[int, int], statistic: str) -> Tested:
    p, covariance, n = cells.values, cells.covariance, float(cells.n[0])
    expected = np.outer(p.reshape(shape).sum(axis=1), p.reshape(shape).sum(axis=0)).ravel()
    pearson = n * float(((p - expected) ** 2 / expected).sum())
    contrasts = _interaction(shape)
    inverse = np.where(p > 0, 1 / np.where(p > 0, p, 1.0), 0.0)[:, None]
    simple = contrasts.T @ (inverse * contrasts) / n
    weighted = inverse * contrasts
    delta = np.linalg.solve(simple, weighted.T @ covariance @ weighted)
    trace = float(np.trace(delta))
    count = contrasts.shape[1]
    if statistic == "chi2":
        return Tested("Rao-Scott chi2", pearson, count, np.inf, float(chdtrc(count, pearson * count / trace)), pearson)
    ndf = trace**2 / float(np.trace(delta @ delta))
    ddf = ndf * float(cells.df[0])
    value = pearson / trace
    return Tested("Rao-Scott F", value, ndf, ddf, float(fdtrc(ndf, ddf, value)), pearson)


def _interaction(shape: tuple[int, int]) -> np.ndarray:
    """The part of the interaction columns of a two-way table that its main effects do not explain."""
    r, c = (place.ravel() for place in np.indices(shape))
    rows = (r[:, None] == np.arange(1, shape[0])).astype(float)
    columns = (c[:, None] == np.arange(1, shape[1])).astype(float)
    main = np.column_stack([np.ones(len(r)), rows, columns])
    both = np.einsum("ki,kj->kij", rows, columns).reshape(len(r), -1)
    return both - main @ np.linalg.lstsq(main, both, rcond=None)[0]


def _wald(cells: Estimates, shape: tuple[int, int], statistic: str, where: str) -> Tested:
    counts = cells.values.reshape(shape)
    all_, row, column = counts.sum(), counts.sum(axis=1), counts.sum(axis=0)
    r, c = (place.ravel() for place in np.indices(shape))
    residual = (counts - np.outer(row, column) / all_).ravel()
    slopes = (
        np.eye(len(r))
        - (np.equal.outer(r, r) * column[c][:, None] + np.equal.outer(c, c) * row[r][:, None]) / all_
        + (row[r] * column[c])[:, None] / all_**2
    )
    free = (r > 0) & (c > 0)
    covariance = slopes[free] @ cells.covariance @ slopes[free].T
    count, nu = int(free.sum()), float(cells.df[0])
    if not np.isfinite(covariance).all() or np.linalg.matrix_rank(covariance) < count or nu < count:
        raise InputError(
            where,
            Text("quá ít đơn vị chọn mẫu cho kiểm định Wald", "too few sampled units for a Wald test of this table"),
            Text("dùng thống kê F (Rao–Scott)", "use the statistic F (Rao-Scott)"),
        )
    value = float(residual[free] @ np.linalg.solve(covariance, residual[free])) / count
    if statistic == "wald":
        return Tested("Wald", value, count, nu, float(fdtrc(count, nu, value)))
    ddf = nu - count + 1
    value *= ddf / nu
    return Tested("adjusted Wald", value, count, ddf, float(fdtrc(count, ddf, value)))


def two_sample_t(
    data: Any, variable: str, group: str, design: Design, groups: Sequence[str] = (), level: float | None = None
) -> Difference:
    """The difference of the means of ``variable`` between the two answers to ``group``, with a design-based t test.

    ``groups`` names the first and the second where ``group`` has more answers. Degrees of freedom are the PSUs minus
    the strata of the respondents used, minus 1.

    Raises:
        InputError: ``group`` has not two answers, or not those named.
    """
    table = Table.of(data)
    codes, labels = table.labels(group)
    values = table.numbers(variable)
    there = np.isfinite(values)
    present = [labels[k] for k in np.unique(codes[there & (codes >= 0)])]
    first_second = list(groups) or present
    if len(first_second) != 2 or not set(first_second) <= set(present):
        listed = ", ".join(present[:12])
        raise InputError(
            f"{table.source}, column {group}",
            Text(f"cần đúng hai nhóm, hiện có: {listed}", f"exactly two groups are needed, there are: {listed}"),
            Text("nêu tên hai nhóm", "name two of them"),
        )
    member = take(np.array([label in first_second for label in labels], dtype=bool), codes.astype(np.int64), False)
    used = there & member
    kept = table.with_columns({variable: np.where(used, values, np.nan)})
    own = replace(design, df="domain")
    # One domain of the rows used gives the degrees of freedom; the two groups within it give the means.
    inside = kept.with_columns({"_used": np.where(used, "1", "")})
    freedom = float(mean(inside, variable, own, "_used").df[0]) - 1
    means = mean(kept, variable, own, group)
    place = {domain[0]: k for k, domain in enumerate(means.domains)}
    contrast = np.zeros(len(means))
    contrast[place[first_second[0]]], contrast[place[first_second[1]]] = -1, 1
    # A group that is not compared may have no mean: nothing of it may come in, not even 0 × NaN.
    clean = replace(means, values=np.nan_to_num(means.values))
    found = clean.contrast(contrast, ["difference"])
    difference, se = float(found.values[0]), float(np.sqrt(found.variance[0]))
    level = design.level if level is None else level
    if freedom <= 0 or se == 0:
        t = p = low = high = np.nan
    else:
        t = difference / se
        p = 2 * float(stdtr(freedom, -abs(t)))
        reach = float(stdtrit(freedom, 0.5 + level / 2)) * se
        low, high = difference - reach, difference + reach
    first, second = first_second
    return Difference(first, second, difference, se, t, freedom, p, low, high, level)
