"""Cases of the statistical oracles whose expected results are no plain estimates: ranks, tests, models, quantiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from analysis import ranking, testing

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


def _close(case: dict[str, Any], ours: Any, theirs: Any, what: str) -> None:
    tolerance = float(case["tolerance"]["relative"])
    assert np.allclose(ours, theirs, rtol=tolerance, atol=0), f"{what}: {ours!r}, expected {theirs!r}"


def _independence(case: dict[str, Any], question: Callable[[], Any]) -> None:
    q, given = question(), case["estimator"]
    for row in case["expected"]:
        found = testing.independence_test(q.table, given["rows"], given["cols"], q.design, STATISTICS[row["id"]])
        statistic = found.pearson if row["id"] == "rao_scott_chisq" else found.statistic
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


CHECKS: dict[str, Callable[[dict[str, Any], Callable[[], Any]], None]] = {
    "rank_sets": _rank_sets,
    "independence_test": _independence,
    "two_sample_t": _two_sample_t,
}
