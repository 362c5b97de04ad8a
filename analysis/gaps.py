"""Gaps between groups of people: the difference of each group from the largest, with its error, tested.

Groups of one round share sampled units, so a difference has the covariance of the two where the influence sums are
known; else they are taken as independent and that is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtr

from analysis.change import adjusted
from analysis.estimation import interval
from analysis.score_file import score_table
from survey.text import Text


@dataclass(frozen=True)
class Gaps:
    """``domain, estimate, n, gap, se, df, low, high, p, p_adjusted``; the row of ``reference`` has no gap."""

    table: pd.DataFrame
    reference: str
    notes: tuple[Text, ...]


def gaps(scores: Any, code: str, by: str, *, round: str = "", level: float | None = None) -> Gaps:
    """Of every domain of the kind ``by`` the difference from the one with most answers (the first where none is known
    to be largest), Holm-adjusted over the domains. The degrees of freedom are the smaller of the two.

    Raises:
        InputError: there is no such code or kind of domain.
    """
    table = score_table(scores)
    rows = table.choose(code, by, round)
    level = table.level if level is None else level
    estimates, n = (rows[name].to_numpy(dtype=float) for name in ("estimate", "n"))
    known = np.isfinite(estimates)
    first = int(np.argmax(np.where(known, np.nan_to_num(n, nan=0.0) + 1, 0.0))) if len(rows) else 0
    covariance, notes = table.covariance(rows)
    variance = np.diag(covariance)
    df = rows["df"].to_numpy(dtype=float)
    df = np.where(np.isnan(df), np.inf if np.isnan(df).all() else 0.0, df)
    gap = estimates - estimates[first]
    with np.errstate(divide="ignore", invalid="ignore"):
        se = np.sqrt(np.maximum(variance + variance[first] - 2 * covariance[:, first], 0))
        gap[first] = se[first] = np.nan
        se = np.where(np.isfinite(gap), se, np.nan)
        freedom = np.minimum(df, df[first])
        p = np.where((freedom > 0) & (se > 0), 2 * stdtr(freedom, -np.abs(gap / se)), np.nan)
    low, high = interval(gap, se, freedom, level)
    found = pd.DataFrame(
        {
            "domain": rows["domain"],
            "estimate": estimates,
            "n": n,
            "gap": gap,
            "se": se,
            "df": np.where(np.isfinite(se), freedom, np.nan),
            "low": low,
            "high": high,
            "p": p,
            "p_adjusted": adjusted(p, "holm"),
        }
    )
    return Gaps(found, str(rows["domain"].iloc[first]), notes)
