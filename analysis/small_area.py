"""Small communes: estimates borrowed from a model, and three classes against the level of the whole.

Fay & Herriot (1979): direct estimate y_i = x_i'β + v_i + e_i with known sampling variance ψ_i. The model variance A is
estimated by restricted maximum likelihood, the estimate is γ_i y_i + (1 − γ_i) x_i'β with γ_i = A/(A + ψ_i), and its
mean squared error g1 + g2 + 2 g3 (Prasad & Rao 1990; Datta & Lahiri 2000). Model-based figures are never ranked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtr

from analysis.change import adjusted
from analysis.score_file import score_table
from analysis.scores import WHOLE, noted
from survey.errors import InputError
from survey.text import Text

MODEL = Text("ước lượng theo mô hình, không dùng để xếp hạng", "model-based, not for ranking or reward")
CLASSES = {
    "higher": Text("cao hơn", "higher"),
    "same": Text("chưa thấy khác biệt", "no difference seen"),
    "lower": Text("thấp hơn", "lower"),
    "": Text("", ""),
}
_STEPS = 200


@dataclass(frozen=True)
class FayHerriot:
    """Estimates and root mean squared errors by area, the model variance, β and its standard errors."""

    estimate: np.ndarray
    mse: np.ndarray
    model_variance: float
    beta: np.ndarray
    beta_se: np.ndarray
    weight: np.ndarray
    """γ: how much of the direct estimate is kept; 0 where there is none."""


def fay_herriot(direct: Any, variance: Any, x: Any = None) -> FayHerriot:
    """The model of ``direct`` estimates with sampling ``variance`` on ``x`` (one row an area; default an intercept).

    An area without a direct estimate gets the model's alone. Raises InputError for fewer areas than columns of ``x``
    plus 2, or variances that are not above 0.
    """
    y, psi = np.asarray(direct, dtype=float), np.asarray(variance, dtype=float)
    design = np.ones((len(y), 1)) if x is None else np.asarray(x, dtype=float)
    there = np.isfinite(y) & np.isfinite(psi)
    if there.sum() < design.shape[1] + 2 or (psi[there] <= 0).any():
        raise InputError(
            "model",
            Text(
                "cần nhiều đơn vị có ước lượng và phương sai dương hơn số biến",
                "it needs more areas with an estimate and a variance above 0 than it has terms",
            ),
            Text("bỏ bớt biến, hoặc kiểm tra cột se", "leave terms out, or look at the column se"),
        )
    a = _reml(y[there], psi[there], design[there])
    v = 1 / (a + psi[there])
    precision = np.linalg.inv(design[there].T @ (design[there] * v[:, None]))
    beta = precision @ design[there].T @ (v * y[there])
    gamma = np.zeros(len(y))
    gamma[there] = a / (a + psi[there])
    fitted = design @ beta
    g2 = (1 - gamma) ** 2 * np.einsum("ij,jk,ik->i", design, precision, design)
    g1, g3 = np.full(len(y), a), np.zeros(len(y))
    g1[there] = gamma[there] * psi[there]
    g3[there] = psi[there] ** 2 * v**3 * 2 / (v**2).sum()
    estimate = np.where(there, gamma * np.nan_to_num(y) + (1 - gamma) * fitted, fitted)
    return FayHerriot(estimate, g1 + g2 + 2 * g3, a, beta, np.sqrt(np.diag(precision)), gamma)


def _reml(y: np.ndarray, psi: np.ndarray, x: np.ndarray) -> float:
    """A by Fisher scoring, not below 0 (Rao & Molina 2015, section 6.1.2)."""
    a = float(np.median(psi))
    for _ in range(_STEPS):
        v = np.diag(1 / (a + psi))
        vx = v @ x
        p = v - vx @ np.linalg.solve(x.T @ vx, vx.T)
        py = p @ y
        score = -0.5 * np.trace(p) + 0.5 * py @ py
        step = score / (0.5 * (p * p.T).sum())
        moved = max(a + step, 0.0)
        if abs(moved - a) <= 1e-10 * max(a, float(psi.mean())):
            return moved
        a = moved
    raise InputError(
        "model",
        Text("phương sai mô hình không hội tụ", "the model variance does not converge"),
        Text("bỏ bớt biến", "leave terms out"),
    )


def model_estimates(scores: Any, code: str = "", *, by: str = "", round: str = "", x: Any = None) -> pd.DataFrame:
    """Fay–Herriot estimates of the domains of ``scores``: ``domain, direct, direct_se, estimate, rmse, kept, note``.

    Raises:
        InputError: see :func:`fay_herriot`, and :meth:`analysis.score_file.ScoreTable.choose`.
    """
    rows = score_table(scores).choose(code, by, round)
    se = rows["se"].to_numpy(dtype=float)
    found = fay_herriot(rows["estimate"], np.where(se > 0, se**2, np.nan), x)
    return pd.DataFrame(
        {
            "domain": rows["domain"],
            "code": rows["code"],
            "direct": rows["estimate"],
            "direct_se": se,
            "estimate": found.estimate,
            "rmse": np.sqrt(found.mse),
            "kept": found.weight,
            "note": noted([MODEL]),
        }
    )


@dataclass(frozen=True)
class Classes:
    """``domain, estimate, se, df, difference, difference_se, p, p_adjusted, class (higher, same, lower), note``, in the
    order of their names; ``level_of_whole`` is what they are compared with."""

    table: pd.DataFrame
    code: str
    round: str
    by: str
    level_of_whole: float
    level: float
    notes: tuple[Text, ...]


def classes(
    scores: Any, code: str = "", *, by: str = "", round: str = "", level: float | None = None, adjust: str = "holm"
) -> Classes:
    """The three classes of the domains of ``scores`` against the level of the whole, family-wise error controlled.

    The whole is the row ``all`` of the same file (``survey score --total``). Its covariance with each domain, a part
    of it, counts where the influence sums are there.

    Raises:
        InputError: the file has no row of the whole.
    """
    table = score_table(scores)
    rows = table.choose(code, by, round)
    one = rows.iloc[0]
    whole = table.frame[
        (table.frame["domain_level"] == WHOLE)
        & (table.frame["code"] == one["code"])
        & (table.frame["round"] == one["round"])
    ]
    if len(whole) != 1 or not np.isfinite(whole["estimate"].iloc[0]):
        raise InputError(
            f"{table.source}, column domain_level",
            Text("không có dòng cho toàn bộ (all)", "there is no row of the whole (all)"),
            Text("tính điểm với --total", "score with --total"),
        )
    both = pd.concat([rows, whole], ignore_index=True)
    covariance, notes = table.covariance(both)
    variance = np.diag(covariance)
    last = len(rows)
    difference = both["estimate"].to_numpy(dtype=float)[:last] - float(whole["estimate"].iloc[0])
    se = np.sqrt(np.maximum(variance[:last] + variance[last] - 2 * covariance[:last, last], 0))
    df = rows["df"].to_numpy(dtype=float)
    df = np.where(np.isfinite(rows["se"]) & np.isnan(df), np.inf, df)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = np.where((df > 0) & (se > 0), 2 * stdtr(df, -np.abs(difference / se)), np.nan)
    level = table.level if level is None else level
    corrected = adjusted(p, adjust)
    named = np.where(
        np.isnan(corrected),
        "",
        np.where(corrected < 1 - level, np.where(difference > 0, "higher", "lower"), "same"),
    )
    why = Text("không đủ đơn vị chọn mẫu để so sánh", "too few sampled units to compare")
    found = pd.DataFrame(
        {
            "domain": rows["domain"],
            "estimate": rows["estimate"],
            "se": rows["se"],
            "df": rows["df"],
            "difference": difference,
            "difference_se": se,
            "p": p,
            "p_adjusted": corrected,
            "class": named,
            "note": ["" if word else noted([why]) for word in named],
        }
    )
    return Classes(
        found, one["code"], one["round"], one["domain_level"], float(whole["estimate"].iloc[0]), level, tuple(notes)
    )


def is_commune_level(by: str) -> bool:
    """Whether domains of this kind are communes, for which places are not the default."""
    return by.split("*")[-1].strip().casefold() in _COMMUNES


_COMMUNES: Sequence[str] = ("commune", "ward", "xa", "xã", "phuong", "phường", "commune_code", "commune_name")
