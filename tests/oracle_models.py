"""Cases of the statistical oracles whose expected results are no plain estimates: ranks, tests, models, quantiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from analysis import ranking

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


CHECKS: dict[str, Callable[[dict[str, Any], Callable[[], Any]], None]] = {"rank_sets": _rank_sets}
