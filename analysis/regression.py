"""Regressions with design-based covariance: linear, logistic, ordered logit; and tests of their terms.

Coefficients are weighted maximum likelihood; their covariance is that of the total of their influence under the whole
design (Binder 1983), calibration and replicate weights included (each replicate is fitted anew). t tests have
PSUs − strata + 1 − coefficients degrees of freedom, as R's ``svyglm``. Read coefficients as associations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import fdtrc, ndtr, stdtr

from analysis.design import Design
from analysis.estimation import interval
from analysis.fitting import Fit, Fitter, fit_linear, fit_logistic, fit_ordered
from analysis.fitting_r import fit_logistic_r, fit_ordered_r
from analysis.layout import lay
from analysis.model_terms import INTERCEPT, Terms, expand, terms_of
from analysis.replicates import Replicated
from analysis.sample import Sample
from analysis.table import Table, text_of
from analysis.testing import Tested
from analysis.totals import Pair, Slopes, Statistic, collect, influence
from survey.errors import InputError
from survey.text import Text, many

METHODS = ("wald", "lrt", "lrt_r")


@dataclass(frozen=True)
class Model:
    """A fitted model. ``df`` are the degrees of freedom of its t tests, ``n`` the respondents used."""

    names: tuple[str, ...]
    coefficients: np.ndarray
    covariance: np.ndarray
    df: float
    n: int
    level: float
    places: dict[str, tuple[int, ...]] = field(repr=False)
    fit: Fit = field(repr=False)
    inputs: tuple[Fitter, np.ndarray, np.ndarray, np.ndarray] = field(repr=False)

    @property
    def table(self) -> pd.DataFrame:
        """``name, estimate, se, t, p, low, high``; t tests and intervals are missing without degrees of freedom."""
        se = np.sqrt(np.diag(self.covariance))
        with np.errstate(divide="ignore", invalid="ignore"):
            t = self.coefficients / se
        p = 2 * stdtr(self.df, -np.abs(t)) if self.df > 0 else np.full(len(t), np.nan)
        low, high = interval(self.coefficients, se, self.df, self.level)
        columns = {"estimate": self.coefficients, "se": se, "t": t, "p": p, "low": low, "high": high}
        return pd.DataFrame({"name": self.names, **columns})

    def test(self, terms: Sequence[str], method: str = "wald") -> Tested:
        """Whether all coefficients of ``terms`` are zero: Wald F, or the Rao–Scott likelihood ratio (``lrt``; Lumley &
        Scott 2014) referred to Σ λ_i χ²_1 over χ²_df/df (``lrt_r``: with R's approximation of that distribution).

        Raises:
            ValueError: no such method. InputError: a term that is not in the model.
        """
        if method not in METHODS:
            raise ValueError(f"method must be one of {', '.join(METHODS)}")
        chosen = self._columns(terms)
        count, covariance = len(chosen), self.covariance[np.ix_(chosen, chosen)]
        values = self.coefficients[chosen]
        if method == "wald":
            statistic = float(values @ np.linalg.solve(covariance, values)) / count
            p = float(fdtrc(count, self.df, statistic)) if self.df > 0 else np.nan
            return Tested("Wald F", statistic, count, self.df, p)
        fitter, x, y, w = self.inputs
        without = fitter(np.delete(x, chosen, axis=1), y, w)
        statistic = without.deviance - self.fit.deviance
        naive = self.fit.naive[np.ix_(chosen, chosen)]
        roots = np.sort(np.linalg.eigvals(np.linalg.solve(naive, covariance)).real)[::-1]
        tail = beyond_r if method == "lrt_r" else beyond
        p = tail(statistic, roots, self.df) if self.df > 0 else np.nan
        return Tested("Rao-Scott LRT", statistic, count, self.df, p, eigenvalues=tuple(roots.tolist()))

    def _columns(self, terms: Sequence[str]) -> list[int]:
        unknown = [term for term in expand(terms) if term not in self.places]
        if unknown:
            listed = ", ".join(self.places)
            raise InputError(
                ", ".join(unknown),
                Text("không có trong mô hình", "not in the model"),
                Text(f"các biến: {listed}", f"its terms are {listed}"),
            )
        return sorted(place for term in expand(terms) for place in self.places[term])


def linear(
    data: Any, outcome: str, terms: Sequence[str], design: Design, *, categorical: Sequence[str] = (), **options: Any
) -> Model:
    """Linear regression of a numeric column on ``terms`` (columns, ``a:b``, ``a*b``); texts become indicators.

    ``level`` overrides the design's. Respondents with a missing value stay in the design and out of the model.

    Raises:
        Problems: columns that are missing. InputError: terms that cannot be told apart, too few respondents.
    """
    table = Table.of(data)
    return _model(table, table.numbers(outcome), terms_of(table, terms, categorical), design, fit_linear, **options)


def logistic(
    data: Any,
    outcome: str,
    terms: Sequence[str],
    design: Design,
    *,
    success: Any = None,
    categorical: Sequence[str] = (),
    as_r: bool = False,
    **options: Any,
) -> Model:
    """Logistic regression of answering ``success`` to ``outcome`` (of its 1 against 0 by default) on ``terms``.

    ``as_r`` repeats the rounding of R's ``svyglm`` (:mod:`analysis.fitting_r`).

    Raises:
        Problems, InputError: as :func:`linear`; an outcome that is not 0 or 1; terms that separate the answers.
    """
    table = Table.of(data)
    codes, labels = table.labels(outcome)
    wanted = "1" if success is None else text_of(success)
    if wanted not in labels or len(labels) < 2 or (success is None and set(labels) != {"0", "1"}):
        listed = ", ".join(labels[:12])
        raise InputError(
            f"{table.source}, column {outcome}",
            Text(f"cần hai câu trả lời, hiện có: {listed}", f"two answers are needed, there are: {listed}"),
            Text("nêu câu trả lời được tính là 1", "name the answer that counts as 1"),
        )
    y = np.where(codes < 0, np.nan, (codes == labels.index(wanted)).astype(float))
    return _model(
        table, y, terms_of(table, terms, categorical), design, fit_logistic_r if as_r else fit_logistic, **options
    )


def ordinal(
    data: Any,
    outcome: str,
    terms: Sequence[str],
    design: Design,
    *,
    order: Sequence[Any] = (),
    categorical: Sequence[str] = (),
    as_r: bool = False,
    **options: Any,
) -> Model:
    """Ordered logit (proportional odds) of an answer on ``terms``: P(Y ≤ k) = logit⁻¹(ζ_k − x'β).

    ``order`` gives the answers from lowest to highest (by default their natural order); answers not in it are missing.
    The cuts ζ follow the coefficients, named ``lower|upper``. ``as_r`` repeats the rounding of R's ``svyolr``.

    Raises:
        Problems, InputError: as :func:`linear`; fewer than two answers in the order.
    """
    table = Table.of(data)
    codes, labels = table.labels(outcome)
    answers = [text_of(answer) for answer in order] or labels
    present = [answer for answer in answers if answer in labels]
    if len(present) < 2:
        listed = ", ".join(labels[:12])
        raise InputError(
            f"{table.source}, column {outcome}",
            Text(f"cần ít nhất hai câu trả lời, hiện có: {listed}", f"two answers are needed, there are: {listed}"),
            Text("kiểm tra thứ tự các câu trả lời", "check the order of the answers"),
        )
    place = np.array([present.index(label) if label in present else -1 for label in labels] + [-1], dtype=float)
    y = place[codes]
    y[y < 0] = np.nan
    columns = terms_of(table, terms, categorical)
    slopes = Terms(
        columns.names[1:],
        columns.matrix[:, 1:],
        {term: tuple(k - 1 for k in at) for term, at in columns.places.items()},
    )
    # An answer that only respondents outside the model gave has no cut.
    whole = np.isfinite(y) & np.isfinite(slopes.matrix).all(axis=1)
    kept = np.unique(y[whole]).astype(int)
    dense = np.full(len(present), np.nan)
    dense[kept] = np.arange(len(kept))
    y = np.where(np.isfinite(y), dense[np.nan_to_num(y).astype(int)], np.nan)
    cuts = tuple(f"{present[a]}|{present[b]}" for a, b in pairwise(kept))
    return _model(table, y, slopes, design, fit_ordered_r if as_r else fit_ordered, cuts=cuts, **options)


def _model(
    table: Table,
    y: np.ndarray,
    terms: Terms,
    design: Design,
    fitter: Fitter,
    *,
    cuts: tuple[str, ...] = (),
    level: float | None = None,
) -> Model:
    # The respondents used are a domain: its degrees of freedom are its PSUs minus its strata.
    sample = lay(replace(design, df="domain"), table)
    used = np.isfinite(y) & np.isfinite(terms.matrix).all(axis=1) & (sample.weight > 0)
    x, outcome = terms.matrix[used], y[used] if not cuts else y[used].astype(np.int64)
    names = (*terms.names, *cuts)
    _estimable(table, x, terms.names, len(names), bool(cuts))
    scale = sample.weight[sample.weight > 0].mean()
    weight = sample.weight[used] / scale
    fit = fitter(x, outcome, weight)
    units, sums = _sums(sample, used, fit, fitter, (x, outcome), scale)
    freedom = _psus_less_strata(sample, used) + 1 - (len(terms.names) + bool(cuts))
    return Model(
        names=names,
        coefficients=fit.parameters,
        covariance=sample.covariance(units, sums),
        df=float(freedom),
        n=int(used.sum()),
        level=sample.level if level is None else level,
        places=terms.places,
        fit=fit,
        inputs=(fitter, x, outcome, weight),
    )


def _estimable(table: Table, x: np.ndarray, names: Sequence[str], count: int, ordered: bool) -> None:
    if len(x) <= count:
        raise InputError(
            table.source,
            Text(
                f"chỉ có {len(x)} phiếu đủ câu trả lời",
                f"only {many(len(x), 'respondent has', 'respondents have')} every answer",
            ),
            Text("bỏ bớt biến", "leave terms out"),
        )
    whole = np.column_stack([np.ones(len(x)), x]) if ordered else x
    labels = [INTERCEPT, *names] if ordered else list(names)
    scaled = whole / np.maximum(np.abs(whole).max(axis=0), 1e-300)
    for k in range(1, len(labels)):
        if np.linalg.matrix_rank(scaled[:, : k + 1]) <= k:
            raise InputError(
                labels[k],
                Text("không tách được khỏi các biến đứng trước", "cannot be told apart from the terms before it"),
                Text("bỏ biến này", "leave this term out"),
            )


def _psus_less_strata(sample: Sample, used: np.ndarray) -> int:
    if isinstance(sample, Replicated):
        return sample.df_of_rows(used)
    return sample.df(np.unique(sample.unit[used]))


def _sums(
    sample: Sample,
    used: np.ndarray,
    fit: Fit,
    fitter: Fitter,
    data: tuple[np.ndarray, np.ndarray],
    scale: float,
) -> tuple[np.ndarray, np.ndarray]:
    """``(units, sums)``: the coefficients' influence by unit, or their deviations by replicate."""
    if isinstance(sample, Replicated):
        again = []
        for column in (sample.replicate_weights[used] / scale).T:
            inside = column > 0
            again.append(fitter(data[0][inside], data[1][inside], column[inside]).parameters)
        return sample.deviations(fit.parameters, np.array(again))
    rows = np.zeros((len(used), len(fit.parameters)))
    rows[used] = fit.influence / scale
    nothing = np.zeros(len(used))
    count = rows.shape[1]
    totals = collect(sample, np.where(used, 0, -1), 1, [_given((column, nothing)) for column in rows.T])
    return influence(totals, 0, Slopes(np.eye(count)[None], np.zeros((1, count, count))))


def _given(pair: Pair) -> Statistic:
    return lambda: pair


def beyond(value: float, roots: np.ndarray, df: float) -> float:
    """P(Σ λ_i χ²_1 > value · χ²_df / df), by Imhof's (1961) integral of the characteristic function."""
    if value <= 0:
        return 1.0
    parts, times = np.append(roots, -value / df) / roots.max(), np.append(np.ones(len(roots)), df)

    def integrand(u: float) -> float:
        angle = 0.5 * float((times * np.arctan(parts * u)).sum())
        return np.sin(angle) / u * float(np.exp(-0.25 * (times * np.log1p((parts * u) ** 2)).sum()))

    area, _ = quad(integrand, 0, np.inf, limit=1000, epsabs=1e-12, epsrel=1e-10)
    return min(max(0.5 + area / np.pi, 0.0), 1.0)


def beyond_r(value: float, roots: np.ndarray, df: float) -> float:
    """The same by R's approximation: a saddlepoint (Kuonen 1999), good to a few percent of p.

    At the mean it has no value; Satterthwaite's F takes its place.
    """
    if value <= 0:
        return 1.0
    parts, times = np.append(roots, -value / df) / roots.max(), np.append(np.ones(len(roots)), df)

    def slope(z: float) -> float:
        return float((times * parts / (1 - 2 * z * parts)).sum())

    low, high = 0.99999 / (2 * parts.min()), 0.99999 / (2 * parts.max())
    if slope(low) < 0 < slope(high):
        z = brentq(slope, low, high, xtol=1e-13)
        if abs(z) > 1e-4:
            w = np.sign(z) * np.sqrt(float((times * np.log(1 - 2 * z * parts)).sum()))
            v = z * np.sqrt(2 * float((times * parts**2 / (1 - 2 * z * parts) ** 2).sum()))
            return float(ndtr(-(w + np.log(v / w) / w)))
    total, squares = float(roots.sum()), float((roots**2).sum())
    return float(fdtrc(total**2 / squares, df, value / total))
