"""Cases of the statistical oracles whose expected results are no plain estimates: ranks, tests, models, quantiles."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from analysis import ranking, regression, testing
from analysis.regression import Model

RANK_METHODS = {
    "kww_bonferroni_t": "interval-bonferroni",
    "kww_sidak_normal": "interval-sidak",
    "diff_bonferroni_t": "bonferroni",
    "diff_holm_t": "holm",
    "diff_unadjusted_t": "unadjusted",
}


def _rank_sets(case: dict[str, Any], question: Callable[[], Any]) -> None:
    given, expected = case["estimator"], case["expected"]
    assert set(expected) <= {"rank", *RANK_METHODS}
    for name, method in RANK_METHODS.items():
        if name in expected:
            found = ranking.rank_sets(
                given["estimates"],
                np.array(given["covariance"], dtype=float),
                given["df"],
                case["options"]["level"],
                method,
                largest_first="smallest" not in given.get("order", ""),
            )
            assert found.low.tolist() == expected[name]["lo"], name
            assert found.high.tolist() == expected[name]["hi"], name
            assert found.rank.tolist() == expected["rank"]


STATISTICS = {"rao_scott_F": "F", "rao_scott_chisq": "chi2", "wald": "wald", "adjusted_wald": "adjusted_wald"}


def _depth(row: dict[str, Any], key: str) -> float:
    """A relative error of t is one of p many times over, where p is small: by −2 log p about."""
    return max(1.0, -2 * float(np.log(max(row[key], 1e-300)))) if key == "p" else 1.0


def _close(case: dict[str, Any], ours: Any, theirs: Any, what: str, times: float = 1.0) -> None:
    tolerance = float(case["tolerance"]["relative"]) * times
    assert np.allclose(ours, theirs, rtol=tolerance, atol=0), f"{what}: {ours!r}, expected {theirs!r}"


def _independence(case: dict[str, Any], question: Callable[[], Any]) -> None:
    q, given = question(), case["estimator"]
    for row in case["expected"]:
        found = testing.independence_test(q.table, given["rows"], given["cols"], q.design, STATISTICS[row["id"]])
        # R scales X² to all rows, those without an answer too; its p does not depend on that.
        answered = np.logical_and(*(q.table.labels(given[side])[0] >= 0 for side in ("rows", "cols"))).mean()
        statistic = found.pearson / answered if row["id"] == "rao_scott_chisq" else found.statistic
        _close(case, statistic, row["statistic"], f"{row['id']} statistic")
        _close(case, found.p, row["p"], f"{row['id']} p")
        freedom = [found.df, found.ddf] if isinstance(row["parameter"], list) else found.df
        _close(case, freedom, row["parameter"], f"{row['id']} parameter")


def _two_sample_t(case: dict[str, Any], question: Callable[[], Any]) -> None:
    q, (row,) = question(), case["expected"]
    variable, group = (part.strip() for part in case["estimator"]["formula"].split("~"))
    found = testing.two_sample_t(q.table, variable, group, q.design)
    for ours, key in (("difference", "difference"), ("t", "t"), ("df", "df"), ("p", "p")):
        _close(case, getattr(found, ours), row[key], key)
    _close(case, [found.low, found.high], row["ci"], "ci")


def _model(kind: str, formula: str, q: Any) -> Model:
    """The model of an R formula: ``y ~ a + b``, ``(y=='Yes') ~ a``, ``cut(y,[0,1],(1,2]) ~ a``."""
    left, right = (part.strip() for part in formula.split("~"))
    terms = [term.strip() for term in right.split("+")]
    if kind == "linear_regression":
        return regression.linear(q.table, left, terms, q.design)
    if kind == "logistic_regression":
        outcome = re.fullmatch(r"\(?([\w.]+)\s*==\s*'([^']*)'\)?", left)
        if outcome is None:
            return regression.logistic(q.table, left, terms, q.design, as_r=True)
        return regression.logistic(q.table, outcome[1], terms, q.design, success=outcome[2], as_r=True)
    name, cuts = re.fullmatch(r"cut\(([\w.]+),(.*)\)", left).groups() if "cut(" in left else (left, "")
    intervals = re.findall(r"([\[(])\s*([-\d.]+)\s*,\s*([-\d.]+)\s*([\])])", cuts)
    if not intervals:
        return regression.ordinal(q.table, name, terms, q.design, as_r=True)
    values, classes = q.table.numbers(name), np.full(len(q.table), "", dtype=object)
    order = []
    for opening, low, high, closing in intervals:
        above = values >= float(low) if opening == "[" else values > float(low)
        below = values <= float(high) if closing == "]" else values < float(high)
        order.append(f"{opening}{low},{high}{closing}")
        classes[above & below] = order[-1]
    table = q.table.with_columns({"class": classes})
    return regression.ordinal(table, "class", terms, q.design, order=order, as_r=True)


def _regression(case: dict[str, Any], question: Callable[[], Any]) -> None:
    found = _model(case["estimator"]["kind"], case["estimator"]["formula"], question())
    rows = found.table.to_dict("records")
    assert [row["name"] for row in rows] == [row["name"] for row in case["expected"]]
    for ours, theirs in zip(rows, case["expected"], strict=True):
        for key in ("estimate", "se", "t", "p"):
            if key in theirs:
                _close(case, ours[key], theirs[key], f"{ours['name']} {key}", _depth(theirs, key))
    if "residual_df" in case["options"]:
        assert found.df == case["options"]["residual_df"]
    if "expected_covariance" in case:
        matrix = np.array(case["expected_covariance"], dtype=float)
        scale = np.sqrt(np.outer(np.diag(matrix), np.diag(matrix)))
        assert (np.abs(found.covariance - matrix) <= float(case["tolerance"]["relative"]) * scale).all()


def _term_test(case: dict[str, Any], question: Callable[[], Any]) -> None:
    given = case["estimator"]
    kind = "logistic_regression" if "==" in given["model"] else "linear_regression"
    model = _model(kind, given["model"], question())
    terms = [term.strip() for term in given["terms"].split("+")]
    for row in case["expected"]:
        likelihood = "LRT" in row["name"]
        found = model.test(terms, "lrt_r" if likelihood else "wald")
        for key in ("statistic", "df", "ddf"):
            _close(case, getattr(found, key), row[key], f"{row['name']} {key}")
        # R looks for its saddlepoint to 1e-8 only, and p has what that leaves.
        near = max(1e-6 if likelihood else 0.0, float(case["tolerance"]["relative"]))
        assert np.isclose(found.p, row["p"], rtol=near, atol=0), f"{row['name']} p: {found.p!r}, expected {row['p']!r}"
        if "lambda" in row:
            _close(case, found.eigenvalues, row["lambda"], "lambda")


CHECKS: dict[str, Callable[[dict[str, Any], Callable[[], Any]], None]] = {
    "rank_sets": _rank_sets,
    "independence_test": _independence,
    "two_sample_t": _two_sample_t,
    "linear_regression": _regression,
    "logistic_regression": _regression,
    "ordinal_logit": _regression,
    "term_test": _term_test,
}
