"""Ranks and groups with their uncertainty, from estimates, their covariance and degrees of freedom.

Confidence sets for ranks are joint: with the given confidence every unit's true rank lies in its set. From joint
intervals, a unit's rank lies in [1 + #{j: L_j > U_k}, K − #{j: U_j < L_k}] (Klein, Wright & Wieczorek 2020); from all
pairwise differences, in [1 + #{j significantly above k}, K − #{j significantly below k}] (Mohamad, Goeman & van Zwet
2022; Mogstad, Romano, Shaikh & Wilhelm 2024), which uses the covariance and is never wider in our trials.
Rank 1 is the largest estimate, and ties share the better rank.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from analysis.score_file import provisional, score_table
from analysis.scores import PROVISIONAL, noted
from analysis.succession import of_one_list
from survey.errors import InputError
from survey.text import Text

METHODS = {
    "holm": Text("so sánh từng cặp, hiệu chỉnh Holm", "all pairs, Holm"),
    "bonferroni": Text("so sánh từng cặp, hiệu chỉnh Bonferroni", "all pairs, Bonferroni"),
    "unadjusted": Text("so sánh từng cặp, không hiệu chỉnh", "all pairs, not adjusted: not a joint statement"),
    "interval-bonferroni": Text("khoảng tin cậy đồng thời, Bonferroni", "joint intervals, Bonferroni t"),
    "interval-sidak": Text("khoảng tin cậy đồng thời, Šidák", "joint intervals, Šidák normal"),
}
LEAST_DF = 8
"""Below this no statement on ranks is made: with so few variance units the standard error itself is a guess."""
GROUP_WORDS = {
    "best": Text("cao nhất", "best"),
    "high_average": Text("trung bình cao", "high average"),
    "low_average": Text("trung bình thấp", "low average"),
    "poor": Text("thấp nhất", "poor"),
    "": Text("", ""),
}
GROUPS = ("best", "high_average", "low_average", "poor")
TIES, MISSING = ("up", "down"), ("drop", "zero")
DRAWS = 50_000
_NODES = 400
_EXACT_UP_TO = 200


@dataclass(frozen=True)
class RankSets:
    """Ranks and, for each unit, the lowest and highest rank that the data allow. NaN where nothing can be said."""

    rank: np.ndarray
    low: np.ndarray
    high: np.ndarray


def rank_sets(
    estimates: Any,
    covariance: Any,
    df: Any = np.inf,
    level: float = 0.95,
    method: str = "holm",
    *,
    separate: bool = False,
    largest_first: bool = True,
) -> RankSets:
    """Ranks of ``estimates`` and confidence sets for them at joint confidence ``level``.

    ``df`` is one number or one for each unit. A difference has the smaller of its two units' or, with ``separate``
    (the df are each unit's own) and without covariance between the two, Satterthwaite's (1946). A unit without an
    estimate has no rank; one without a variance has no set, and being unknown it narrows nobody else's.

    Raises:
        ValueError: no such method.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}")
    values = np.asarray(estimates, dtype=float) * (1 if largest_first else -1)
    matrix = np.asarray(covariance, dtype=float)
    freedom = np.broadcast_to(np.asarray(df, dtype=float), values.shape)
    variance = np.diag(matrix)
    able = np.isfinite(values) & np.isfinite(variance) & (freedom > 0)
    above = np.zeros((len(values), len(values)), dtype=bool)  # above[j, k]: j is above k for certain
    chosen = np.flatnonzero(able)
    if len(chosen) > 1:
        inside = np.ix_(chosen, chosen)
        if method.startswith("interval"):
            found = _apart(values[chosen], np.sqrt(variance[chosen]), freedom[chosen], level, method)
        else:
            found = _differ(values[chosen], matrix[inside], freedom[chosen], level, method, separate)
        above[inside] = found
    known = np.isfinite(values)
    rank = np.where(known, 1 + (values[:, None] > np.where(known, values, np.inf)).sum(axis=0), np.nan)
    low, high = 1 + above.sum(axis=0), known.sum() - above.sum(axis=1)
    return RankSets(rank, np.where(able, low, np.nan), np.where(able, high, np.nan))


def _apart(values: np.ndarray, se: np.ndarray, df: np.ndarray, level: float, method: str) -> np.ndarray:
    """``[j, k]``: the joint interval of j lies above that of k."""
    units = len(values)
    if method == "interval-sidak":
        critical = np.full(units, ndtri(1 - (1 - level ** (1 / units)) / 2))
    else:
        critical = stdtrit(df, 1 - (1 - level) / (2 * units))
    return (values - critical * se)[:, None] > (values + critical * se)[None, :]


def _differ(
    values: np.ndarray, covariance: np.ndarray, df: np.ndarray, level: float, method: str, separate: bool
) -> np.ndarray:
    """``[j, k]``: j is significantly above k."""
    j, k = np.triu_indices(len(values), 1)
    variance = np.diag(covariance)
    difference = values[j] - values[k]
    error = np.sqrt(np.maximum(variance[j] + variance[k] - 2 * covariance[j, k], 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = np.minimum(df[j], df[k])
        if separate:
            pooled = satterthwaite(variance[j], df[j], variance[k], df[k])
            freedom = np.where(covariance[j, k] == 0, pooled, freedom)
        p = 2 * stdtr(freedom, -np.abs(difference / error))
    p = np.where(difference == 0, 1.0, p)
    if method == "bonferroni":
        p = np.minimum(p * len(p), 1)
    elif method == "holm":
        p = _holm(p)
    found = np.zeros(covariance.shape, dtype=bool)
    sure = p < 1 - level
    found[j, k] = sure & (difference > 0)
    found[k, j] = sure & (difference < 0)
    return found


def _holm(p: np.ndarray) -> np.ndarray:
    """p values adjusted by Holm (1979). statsmodels collects garbage at each such call, 90 ms a ranking."""
    order = np.argsort(p)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1)
    return adjusted


def satterthwaite(variance: Any, df: Any, other: Any, other_df: Any) -> np.ndarray:
    """Degrees of freedom of the sum of two independent variances (Satterthwaite 1946): between the smaller of the two
    and their sum."""
    a, b = np.asarray(variance, dtype=float), np.asarray(other, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (a + b) ** 2 / (a**2 / df + b**2 / other_df)
    return np.where(np.isfinite(found) & (a + b > 0), found, np.minimum(df, other_df) * np.ones_like(a + b))


def rank_probabilities(
    estimates: Any, covariance: Any, df: Any = np.inf, *, draws: int = DRAWS, seed: int = 1
) -> tuple[np.ndarray, bool]:
    """``([unit, rank − 1], exact)``: the probability of each rank, given the estimates alone (a flat prior).

    Each estimate has a t distribution with its own df about what was observed, tied to the others by a normal copula
    with the correlations of the covariance. Uncorrelated estimates are integrated numerically (the number of units
    above a point is Poisson-binomial; error below 1e-4); correlated ones are simulated ``draws`` times from ``seed``,
    which leaves a Monte-Carlo error of at most 0.5/√draws. Thousands of units get fewer draws (:func:`draws_for`).
    """
    values = np.asarray(estimates, dtype=float)
    matrix = np.asarray(covariance, dtype=float)
    freedom = np.broadcast_to(np.asarray(df, dtype=float), values.shape)
    se = np.sqrt(np.diag(matrix))
    if len(values) <= _EXACT_UP_TO and not np.any(matrix - np.diag(np.diag(matrix))):
        return _integrated(values, se, freedom), True
    return _simulated(values, matrix, se, freedom, draws_for(len(values), draws), seed), False


def draws_for(units: int, draws: int = DRAWS) -> int:
    """How often so many units are drawn: at most ``draws`` times, and 20 million figures in all."""
    return min(draws, max(1_000, 20_000_000 // max(units, 1)))


def _integrated(values: np.ndarray, se: np.ndarray, df: np.ndarray) -> np.ndarray:
    units = len(values)
    found = np.zeros((units, units))
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    for k in range(units):
        at = values[k] + se[k] * stdtrit(df[k], (nodes + 1) / 2)
        above = np.zeros((units, _NODES))  # the probability that so many others lie above each point
        above[0] = 1
        others = [j for j in range(units) if j != k]
        for count, j in enumerate(others):
            p = stdtr(df[j], (values[j] - at) / se[j]) if se[j] > 0 else (values[j] > at) + 0.5 * (values[j] == at)
            above[1 : count + 2] = above[1 : count + 2] * (1 - p) + above[: count + 1] * p
            above[0] *= 1 - p
        found[k] = above @ weights / 2
    return found


def _simulated(
    values: np.ndarray, covariance: np.ndarray, se: np.ndarray, df: np.ndarray, draws: int, seed: int
) -> np.ndarray:
    random = np.random.default_rng(seed)
    units = len(values)
    scale = np.where(se > 0, se, 1.0)
    roots, vectors = np.linalg.eigh(covariance / np.outer(scale, scale))
    factor = vectors * np.sqrt(np.maximum(roots, 0))
    found = np.zeros(units * units)
    done = 0
    while done < draws:
        some = min(draws - done, max(1, 2_000_000 // units))
        normal = random.standard_normal((some, units)) @ factor.T
        moved = np.where(np.isinf(df), normal, stdtrit(df, ndtr(normal)))
        order = np.argsort(-(values + se * moved), axis=1, kind="stable")
        found += np.bincount((order * units + np.arange(units)).ravel(), minlength=units * units)
        done += some
    return found.reshape(units, units) / draws


@dataclass(frozen=True)
class Groups:
    """Units in four groups by the quartiles of their estimates: ``names`` is "" for a unit without an estimate.

    ``cuts`` are the 75th, 50th and 25th percentile; ``bounds`` the lowest and highest estimate of each group.
    """

    names: tuple[str, ...]
    cuts: tuple[float, float, float]
    sizes: Mapping[str, int]
    bounds: Mapping[str, tuple[float, float]]


def group_rules(index: str, round: str) -> tuple[str, str]:
    """``ties, missing`` of :func:`quartile_groups` for a round of an index; PAPI changed them."""
    papi = index.startswith("papi")
    return "down" if papi and "2023" in round else "up", "zero" if papi and "2022" in round else "drop"


def quartile_groups(estimates: Any, ties: str = "up", missing: str = "drop") -> Groups:
    """PAPI's four groups: linear percentiles of the units' estimates.

    ``ties``: a value on the cut goes ``up`` (rounds 2019, 2020, 2022) or ``down`` (2023). ``missing``: units without an
    estimate are left out (``drop``) or kept as zeros at the bottom when the cuts are made (``zero``, as in 2022);
    they are in no group either way.

    Raises:
        ValueError: no such option.
    """
    if ties not in TIES or missing not in MISSING:
        raise ValueError("ties is up or down, missing is drop or zero")
    values = np.asarray(estimates, dtype=float)
    known = np.isfinite(values)
    counted = values[known] if missing == "drop" else np.where(known, values, 0.0)
    if not known.any():
        return Groups(("",) * len(values), (np.nan,) * 3, dict.fromkeys(GROUPS, 0), {})
    cuts = np.percentile(counted, (75, 50, 25))
    below = np.less if ties == "up" else np.less_equal
    with np.errstate(invalid="ignore"):
        place = sum(below(values, cut).astype(int) for cut in cuts)
    names = tuple(GROUPS[k] if there else "" for k, there in zip(place, known, strict=True))
    inside = {group: values[[name == group for name in names]] for group in GROUPS}
    return Groups(
        names,
        (float(cuts[0]), float(cuts[1]), float(cuts[2])),
        {group: len(found) for group, found in inside.items()},
        {group: (float(found.min()), float(found.max())) for group, found in inside.items() if len(found)},
    )


@dataclass(frozen=True)
class Ranking:
    """Units in the order of their ranks: ``domain, estimate, se, df, rank, rank_low, rank_high, group, p_first,
    p_best, note``. ``exact`` says whether probabilities were integrated or simulated (None: there are none)."""

    code: str
    round: str
    by: str
    method: str
    level: float
    first: int
    table: pd.DataFrame
    groups: Groups
    exact: bool | None
    notes: tuple[Text, ...]


def rank(
    scores: Any,
    code: str = "",
    *,
    by: str = "",
    round: str = "",
    method: str = "holm",
    level: float | None = None,
    first: int = 0,
    ties: str = "up",
    missing: str = "drop",
    draws: int = DRAWS,
    seed: int = 1,
    day: str = "",
) -> Ranking:
    """Ranks of the domains of ``scores`` (from :func:`analysis.score`, a file, a table) by the node ``code``.

    Of each unit its rank, its confidence set, its group, the probability of being among the ``first`` and in the best
    group. No statement is made on a unit with fewer than 8 degrees of freedom: ``note`` says so. ``day`` is the day
    whose list of provinces the round uses, where its name does not tell.

    Raises:
        InputError: a code, round or kind of domain that is not there or has to be chosen; provinces of before and after
            the merger among them.
    """
    table = score_table(scores)
    rows = table.choose(code, by, round)
    of_one_list(rows, table.source, day)
    estimates = rows["estimate"].to_numpy(dtype=float)
    known = np.isfinite(estimates)
    if not known.any():
        raise InputError(
            f"{table.source}, {rows['code'].iloc[0]}",
            Text("không có giá trị nào để xếp hạng", "there are no estimates to rank"),
            Text("chọn mã hoặc đợt khác", "choose another code or round"),
        )
    if not 0 <= first <= known.sum():
        raise InputError(
            "--first",
            Text(f"{first} không nằm trong 1 … {known.sum()}", f"{first} is not within 1 … {known.sum()}"),
            Text("đặt số nhỏ hơn", "give a smaller number"),
        )
    level = table.level if level is None else level
    covariance, notes = table.covariance(rows)
    df, normal = _freedom(rows)
    if normal:
        notes += (Text("không có bậc tự do: dùng phân phối chuẩn", "no degrees of freedom: taken as normal"),)
    variance = np.diag(covariance)
    with np.errstate(invalid="ignore"):
        stated = known & np.isfinite(variance) & (df >= LEAST_DF)
    shown = np.where(np.outer(stated, stated), covariance, np.nan)
    sets = rank_sets(estimates, shown, df, level, method, separate=table.own_df(rows))
    groups = quartile_groups(estimates, ties, missing)
    found = pd.DataFrame({"domain": rows["domain"], "estimate": estimates, "se": rows["se"], "df": rows["df"]})
    for name, ranks in (("rank", sets.rank), ("rank_low", sets.low), ("rank_high", sets.high)):
        found[name] = pd.array([None if np.isnan(value) else int(value) for value in ranks], dtype="Int64")
    found["group"] = groups.names
    exact = None
    found["p_first"] = found["p_best"] = np.nan
    placed = np.isfinite(variance) & (df > 0) & known
    if stated.any() and placed[known].all():
        inside = np.flatnonzero(known)
        chance, exact = rank_probabilities(
            estimates[inside], covariance[np.ix_(inside, inside)], df[inside], draws=draws, seed=seed
        )
        told = stated[inside]
        for name, places in (("p_first", first), ("p_best", groups.sizes["best"])):
            if places:
                found.loc[inside[told], name] = np.minimum(chance[told, :places].sum(axis=1), 1.0)
        notes += (_how(exact, draws_for(len(inside), draws), seed),)
    said = [provisional(note) for note in rows["note"]]
    if any(said):
        notes += (PROVISIONAL,)
    found["note"] = [
        noted([*_why(*cell), *words]) for *cell, words in zip(known, np.isfinite(variance), df, said, strict=True)
    ]
    found = found.sort_values(["rank", "domain"], na_position="last", kind="stable").reset_index(drop=True)
    one = rows.iloc[0]
    return Ranking(
        one["code"], one["round"], one["domain_level"], method, level, first, found, groups, exact, tuple(notes)
    )


def _freedom(rows: pd.DataFrame) -> tuple[np.ndarray, bool]:
    """Degrees of freedom of each row; without any in the table, but with standard errors, the normal's."""
    df = rows["df"].to_numpy(dtype=float)
    normal = bool(np.isnan(df).all() and rows["se"].notna().any())
    return (np.full(len(df), np.inf) if normal else np.nan_to_num(df)), normal


def _how(exact: bool, draws: int, seed: int) -> Text:
    if exact:
        return Text("xác suất tính bằng tích phân số", "probabilities by numerical integration")
    error = 50 / np.sqrt(draws)
    return Text(
        f"xác suất mô phỏng {draws} lần (số gieo {seed}), sai số nhiều nhất ±{error:.1f} điểm phần trăm",
        f"probabilities simulated {draws} times (seed {seed}), Monte-Carlo error at most {error:.1f} points",
    )


def _why(known: bool, error: bool, df: float) -> list[Text]:
    if not known:
        return [Text("không có điểm", "no estimate")]
    if not error:
        return [Text("không có sai số chuẩn: chỉ có thứ tự", "no standard error: an order only")]
    if df < LEAST_DF:
        return [
            Text(
                f"{df:g} bậc tự do, dưới {LEAST_DF}: không kết luận về thứ hạng",
                f"{df:g} degrees of freedom, below {LEAST_DF}: no statement on its rank",
            )
        ]
    return []
