"""Sampling with unequal probabilities and without replacement: what the first stage contributes to a variance.

With weighted sums z_i of the PSUs of a stratum the variance is a quadratic form Σ_ij Q_ij z_i z_j. Horvitz–Thompson
has Q_ij = D_ij = (π_ij − π_i π_j)/π_ij; Yates–Grundy ½ Σ_ij −D_ij (z_i − z_j)². The joint probabilities π_ij are given,
or approximated from the π_i: Brewer (2002) Σ_i (1 − π_i) n/(n − 1) (z_i − z̄)²; Overton (1985)
π_ij = π_i π_j (n − 1)/(n − (π_i + π_j)/2); Hartley & Rao (1962) −D_ij = (1 − π_i − π_j + Σ_U π²/n)/(n − 1), where
Σ_U π² is estimated by Σ_s π, which makes its Yates–Grundy form Brewer's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from analysis.reading import read_table, rows_of
from survey.errors import InputError, Problem, Problems
from survey.text import Text, many

CERTAIN = 1 - 1e-9
"""From this probability on a PSU is taken with certainty."""


def quadratic(method: str, form: str, p: np.ndarray, joint: np.ndarray | None = None) -> np.ndarray:
    """Q of one stratum for PSUs with inclusion probabilities ``p`` (below 1); ``joint`` are those of pairs."""
    n = len(p)
    if n < 2:
        return np.zeros((n, n))
    if method == "brewer":
        centre = np.eye(n) - 1 / n
        return centre @ np.diag((1 - p) * n / (n - 1)) @ centre
    if method == "overton":
        d = 1 - (n - (p[:, None] + p[None, :]) / 2) / (n - 1)
    elif method == "hartley_rao":
        d = -(1 - p[:, None] - p[None, :] + p.sum() / n) / (n - 1)
    else:
        assert joint is not None
        d = (joint - np.outer(p, p)) / joint
    np.fill_diagonal(d, 1 - p)
    return d if form == "HT" else d - np.diag(d.sum(axis=1))


def read_joint(source: Any) -> dict[tuple[str, str], float]:
    """Joint inclusion probabilities, from a file or rows of ``psu, other, probability`` (each pair once is enough).

    Raises:
        Problems: columns that are missing, values that are no probability, with their rows.
    """
    rows: Sequence[Mapping[str, Any]] = rows_of(read_table(source)) if isinstance(source, str) else source
    lacking = [name for name in ("psu", "other", "probability") if not rows or name not in rows[0]]
    if lacking:
        raise InputError(
            "joint",
            Text(f"thiếu cột {', '.join(lacking)}", f"without the column {', '.join(lacking)}"),
            Text("ghi các cột psu, other, probability", "give the columns psu, other, probability"),
        )
    found: dict[tuple[str, str], float] = {}
    problems = []
    for number, row in enumerate(rows, 2):
        try:
            value = float(str(row["probability"]).replace(",", "."))
        except ValueError:
            value = float("nan")
        if not 0 < value <= 1:
            problems.append(
                Problem(
                    f"joint, row {number}, column probability",
                    Text("không phải xác suất trên 0 đến 1", "not a probability above 0 and at most 1"),
                    Text("ghi xác suất hai đơn vị cùng được chọn", "give the chance that both PSUs are drawn"),
                )
            )
        a, b = str(row["psu"]).strip(), str(row["other"]).strip()
        found[a, b] = found[b, a] = value
    if problems:
        raise Problems(problems[:5])
    return found


def joint_matrix(pairs: Mapping[tuple[str, str], float], names: Sequence[str]) -> np.ndarray:
    """The joint probabilities of the PSUs of one stratum (1 on the diagonal, where they are not asked for).

    Raises:
        InputError: a pair without one, which is named.
    """
    matrix = np.ones((len(names), len(names)))
    missing = []
    for i, a in enumerate(names):
        for j in range(i + 1, len(names)):
            value = pairs.get((a, names[j]))
            if value is None:
                missing.append(f"{a} – {names[j]}")
            else:
                matrix[i, j] = matrix[j, i] = value
    if missing:
        shown = "; ".join(missing[:5])
        raise InputError(
            "joint",
            Text(f"{len(missing)} cặp chưa có xác suất: {shown}", f"{many(len(missing), 'pair')} without one: {shown}"),
            Text("bổ sung các cặp này, hoặc dùng brewer", 'add them, or use pps = "brewer"'),
        )
    return matrix
