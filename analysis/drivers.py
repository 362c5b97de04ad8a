"""What goes with overall satisfaction: importance and performance of each attribute, with design-based errors.

Importance is the share of R² that an attribute holds in the weighted linear regression of the outcome on all of them:
averaged over every order of entry (Lindeman, Merenda & Gold 1980, the Shapley value), or, beyond :data:`MOST` of them,
Johnson's (2000) relative weights. Both are functions of the weighted covariance matrix; their errors are linearised
(:mod:`analysis.sample`). These are associations (mối liên hệ), not causes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import factorial
from typing import Any

import numpy as np
import pandas as pd

from analysis import leaves
from analysis.design import Design, Publication
from analysis.estimation import estimate_pairs, interval
from analysis.index import Index, load_index
from analysis.layout import lay
from analysis.replicates import Replicated
from analysis.sample import Sample
from analysis.table import Table
from analysis.totals import Pair, Slopes, Statistic, collect, influence
from survey.errors import InputError, Problems
from survey.text import Text, many, plural

MOST = 12
"""Up to so many attributes every order of entry is gone through (2^p regressions)."""
QUADRANTS = {
    "improve": Text("ưu tiên cải thiện", "improve first"),
    "keep": Text("giữ vững", "keep up"),
    "watch": Text("theo dõi", "watch"),
    "enough": Text("đã đủ", "enough"),
    "": Text("", ""),
}
METHODS = {
    "lmg": Text("phân rã R² theo Shapley (LMG)", "Shapley shares of R² (LMG)"),
    "relative": Text("trọng số tương đối (Johnson)", "relative weights (Johnson)"),
}
ASSOCIATION = Text(
    "đây là mối liên hệ, không phải quan hệ nhân quả", "these are associations, not causes: nothing here says why"
)


@dataclass(frozen=True)
class Drivers:
    """``table``: ``code, name, importance, se, low, high, performance, performance_se, performance_low,
    performance_high, n, quadrant, sure, note``; importance in per cent of R² (they add up to 100), performance on a
    scale of 0 to 100. ``sure`` says whether both intervals keep clear of the lines between the quadrants."""

    table: pd.DataFrame
    outcome: str
    method: str
    r2: float
    n: int
    df: float
    level: float
    lines: tuple[float, float]
    """Importance and performance at which the quadrants part: the means of both columns."""
    notes: tuple[Text, ...]


def drivers(
    data: Any,
    outcome: str,
    attributes: Sequence[str],
    design: Design,
    index: Any = None,
    *,
    method: str = "",
    level: float | None = None,
    language: str = "vi",
    within: np.ndarray | None = None,
) -> Drivers:
    """Importance and performance of ``attributes`` for ``outcome``: codes of ``index`` or numeric columns of ``data``.

    A code's value for a person is the mean of the leaves below it that the person answered, each put on 0 to 100 from
    the ends of its scores. Respondents who lack any of the values stay in the design and out of the regression, and so
    do those outside of ``within`` (one truth value a row), where a domain is asked for.

    Raises:
        InputError: fewer than two attributes, one that does not vary or repeats the others, nobody with all answers,
            or fewer than the design's rule of publication asks for.
        ValueError: no such method.
    """
    if method not in ("", *METHODS):
        raise ValueError(f"method must be one of {', '.join(METHODS)}")
    table = Table.of(data)
    tree = load_index(index) if index is not None else None
    names = list(dict.fromkeys(attributes))
    if len(names) < 2:
        raise InputError(
            "--attribute",
            Text("cần ít nhất hai yếu tố", "at least two attributes are needed"),
            Text("nêu các mã chỉ tiêu hoặc cột", "name codes of the index or columns"),
        )
    sample = lay(design, table)
    y = person_value(table, tree, outcome)
    x = np.column_stack([person_value(table, tree, name) for name in names])
    if within is not None:
        y, x = np.where(within, y, np.nan), np.where(within[:, None], x, np.nan)
    used = np.isfinite(y) & np.isfinite(x).all(axis=1) & (sample.weight > 0)
    z = np.column_stack([x, y])
    _estimable(table, z[used], [*names, outcome])
    _enough(table, design.publication, int(used.sum()), len(sample.psus(np.unique(sample.unit[used]))))
    chosen = method or ("lmg" if len(names) <= MOST else "relative")
    share = lmg if chosen == "lmg" else relative_weights
    value, covariance, df, r2 = _importance(sample, used, z, share)
    level = sample.level if level is None else level
    se = 100 * np.sqrt(np.diag(covariance))
    low, high = (np.clip(end, 0, 100) for end in interval(100 * value, se, df, level))
    performance = _performance(sample, x, names, level)
    found = pd.DataFrame(
        {
            "code": names,
            "name": [tree.by_code[n].name(language) if tree is not None and n in tree.by_code else n for n in names],
            "importance": 100 * value,
            "se": se,
            "low": low,
            "high": high,
            **performance,
        }
    )
    lines = float(found["importance"].mean()), float(found["performance"].mean())
    found["quadrant"] = [
        {(True, False): "improve", (True, True): "keep", (False, False): "watch", (False, True): "enough"}[
            bool(i >= lines[0]), bool(p >= lines[1])
        ]
        for i, p in zip(found["importance"], found["performance"], strict=True)
    ]
    clear_i = (found["low"] > lines[0]) | (found["high"] < lines[0])
    clear_p = (found["performance_low"] > lines[1]) | (found["performance_high"] < lines[1])
    found["sure"] = clear_i & clear_p
    unclear = Text("khoảng tin cậy chạm đường chia ô", "an interval touches a line between quadrants")
    found["note"] = ["" if sure else f"{unclear.vi} / {unclear.en}" for sure in found["sure"]]
    there = sample.weight > 0
    left_out = int((there if within is None else there & within).sum() - used.sum())
    notes = [ASSOCIATION]
    if left_out:
        notes.append(
            Text(
                f"{left_out} phiếu thiếu ít nhất một câu trả lời, không vào hồi quy",
                f"{many(left_out, 'respondent lacks', 'respondents lack')} at least one answer and "
                f"{plural(left_out, 'is', 'are')} not in the regression",
            )
        )
    return Drivers(found, outcome, chosen, r2, int(used.sum()), df, level, lines, tuple(notes))


def person_value(table: Table, index: Index | None, name: str) -> np.ndarray:
    """The value of a code or column by person; NaN where there is none.

    Raises:
        Problems: neither a code of the index nor a column of the data.
    """
    if index is None or name not in index.by_code:
        column = table.find(name)
        if column is None:
            raise Problems([table.missing_column(name, "attribute")])
        return table.numbers(column)
    below = [leaf for leaf in index.leaves_of(name) if leaf.question] or [index.by_code[name]]
    problems = leaves.problems(below, table) if all(leaf.question for leaf in below) else []
    if problems or not all(leaf.question for leaf in below):
        raise Problems(problems or [table.missing_column(name, "attribute")])
    total, count = np.zeros(len(table)), np.zeros(len(table))
    for leaf in below:
        coded, _ = leaves.statistic(leaf, table)
        scores, observed = coded()
        known = coded.y[coded.observed]
        low, high = leaf.from_ or (float(known.min(initial=0)), float(known.max(initial=1)))
        down = leaf.to is not None and leaf.to[0] > leaf.to[1]
        share = (scores - low) / (high - low) if high != low else np.zeros(len(table))
        total += observed * (1 - share if down else share)
        count += observed
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(count > 0, 100 * total / count, np.nan)


def _enough(table: Table, rule: Publication | None, n: int, psus: int) -> None:
    if rule is not None and (n < rule.least_n or psus < rule.least_psu):
        raise InputError(
            table.source,
            Text(
                f"chỉ {n} phiếu trong {psus} đơn vị chọn mẫu có đủ câu trả lời; quy tắc công bố cần {rule.least_n} và "
                f"{rule.least_psu}",
                f"only {many(n, 'interview')} in {many(psus, 'sampled unit')} {plural(n, 'has', 'have')} every "
                f"answer; the rule of publication asks for {rule.least_n} and {rule.least_psu}",
            ),
            Text("bỏ bớt yếu tố, hoặc dùng cả mẫu", "leave attributes out, or take the whole sample"),
        )


def _estimable(table: Table, z: np.ndarray, names: Sequence[str]) -> None:
    if len(z) <= len(names):
        raise InputError(
            table.source,
            Text(
                f"chỉ có {len(z)} phiếu đủ câu trả lời",
                f"only {many(len(z), 'respondent has', 'respondents have')} every answer",
            ),
            Text("bỏ bớt yếu tố", "leave attributes out"),
        )
    for k, name in enumerate(names):
        if np.ptp(z[:, k]) == 0:
            raise InputError(
                f"{table.source}, {name}",
                Text("mọi người trả lời như nhau", "everybody gave the same answer"),
                Text("bỏ yếu tố này", "leave it out"),
            )
    x = (z[:, :-1] - z[:, :-1].mean(axis=0)) / z[:, :-1].std(axis=0)
    for k in range(1, x.shape[1]):
        if np.linalg.matrix_rank(x[:, : k + 1], tol=1e-8 * len(x)) <= k:
            raise InputError(
                f"{table.source}, {names[k]}",
                Text("trùng hoàn toàn với các yếu tố đứng trước", "it repeats the attributes before it"),
                Text("bỏ yếu tố này", "leave it out"),
            )


Shares = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Covariance matrix (outcome last) → each attribute's part of R², and its slopes on the matrix."""


def lmg(c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each attribute's gain in R², averaged over all orders of entry, and the slopes on every entry of ``c``."""
    p = len(c) - 1
    value, slope = np.zeros(p), np.zeros((p, p + 1, p + 1))
    weight = [factorial(k) * factorial(p - k - 1) / factorial(p) for k in range(p)]
    for subset in range(1, 1 << p):
        inside = [k for k in range(p) if subset >> k & 1]
        b = np.linalg.solve(c[np.ix_(inside, inside)], c[inside, p])
        r2 = float(b @ c[inside, p]) / c[p, p]
        gradient = np.zeros_like(c)
        gradient[np.ix_(inside, inside)] = -np.outer(b, b)
        gradient[inside, p] = gradient[p, inside] = b
        gradient[p, p] = -r2
        gradient /= c[p, p]
        size = len(inside)
        for k in range(p):
            factor = weight[size - 1] if subset >> k & 1 else -weight[size]
            value[k] += factor * r2
            slope[k] += factor * gradient
    return value, slope


def relative_weights(c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Johnson's relative weights: R² shared through the closest orthogonal attributes; slopes by differences."""

    def shares(m: np.ndarray) -> np.ndarray:
        sd = np.sqrt(np.diag(m))
        r = m / np.outer(sd, sd)
        roots, vectors = np.linalg.eigh(r[:-1, :-1])
        half = vectors @ np.diag(np.sqrt(np.maximum(roots, 0))) @ vectors.T
        return np.asarray(half**2 @ np.linalg.solve(half, r[:-1, -1]) ** 2)

    p = len(c) - 1
    slope = np.zeros((p, p + 1, p + 1))
    for i in range(p + 1):
        for j in range(i, p + 1):
            step = 1e-5 * np.sqrt(c[i, i] * c[j, j])
            moved = np.zeros_like(c)
            moved[i, j] = moved[j, i] = step
            change = (shares(c + moved) - shares(c - moved)) / (2 * step)
            slope[:, i, j] = slope[:, j, i] = change / (1 if i == j else 2)
    return shares(c), slope


def _moments(z: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean = weight @ z / weight.sum()
    centred = z - mean
    return mean, (centred * weight[:, None]).T @ centred / weight.sum()


def _importance(
    sample: Sample, used: np.ndarray, z: np.ndarray, share: Shares
) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Shares of R² that add up to 1, their covariance, degrees of freedom, R²."""
    weight = sample.weight[used]
    mean, c = _moments(z[used], weight)
    raw, slope = share(c)
    r2 = float(raw.sum())
    value = raw / r2
    slope = (slope - value[:, None, None] * slope.sum(axis=0)) / r2
    if isinstance(sample, Replicated):
        again = []
        for column in sample.replicate_weights[used].T:
            part, _ = share(_moments(z[used], column)[1])
            again.append(part / part.sum())
        units, sums = sample.deviations(value, np.array(again))
        return value, sample.covariance(units, sums), float(sample.df_of_rows(used)), r2
    centred = z[used] - mean
    rows = np.zeros((len(used), len(value)))
    for k, matrix in enumerate(slope):
        rows[used, k] = (np.einsum("ij,jk,ik->i", centred, matrix, centred) - (matrix * c).sum()) / weight.sum()
    nothing = np.zeros(len(used))
    totals = collect(sample, np.where(used, 0, -1), 1, [_always((column, nothing)) for column in rows.T])
    count = len(value)
    units, sums = influence(totals, 0, Slopes(np.eye(count)[None], np.zeros((1, count, count))))
    df = float(sample.df(np.unique(sample.unit[used])))
    return value, sample.covariance(units, sums), df, r2


def _performance(sample: Sample, x: np.ndarray, names: Sequence[str], level: float) -> dict[str, Any]:
    there = np.isfinite(x)
    pairs = [_always((np.where(o, v, 0.0), o.astype(float))) for v, o in zip(x.T, there.T, strict=True)]
    found = list(estimate_pairs(sample, np.zeros(len(x), dtype=np.int64), [()], names, pairs, level))
    return {
        "performance": [e.value for e in found],
        "performance_se": [e.se for e in found],
        "performance_low": [e.low for e in found],
        "performance_high": [e.high for e in found],
        "n": [e.n for e in found],
    }


def _always(pair: Pair) -> Statistic:
    return lambda: pair
