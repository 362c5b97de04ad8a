"""Honesty about missing answers: how many did not know, what that could hide, and whether the ranks depend on it.

Every "don't know" is given the worst and then the best score of its indicator (Manski's bounds); the interval from the
low end of the one to the high end of the other holds whatever the don't-knows would have said.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.design import Design
from analysis.estimation import domains_of, estimate_pairs
from analysis.index import Index, load_index
from analysis.layout import lay
from analysis.leaves import asked
from analysis.ranking import rank_sets
from analysis.scores import WHOLE, Scores, score
from analysis.table import Table, take
from survey.text import Text

KINDS = ("dont_know", "refused", "blank")
BOUNDS = Text(
    "biên khi mọi câu “không biết” nhận điểm thấp nhất, rồi cao nhất",
    "bounds with every don't-know at the lowest, then the highest score",
)
UNTYPED = Text(
    "số liệu không có cột …__missing: không biết ai trả lời “không biết”",
    "the data have no columns …__missing: nobody is known to have said don't know",
)


@dataclass(frozen=True)
class MissingAnswers:
    """``shares``: of each indicator and domain, ``domain, code, asked, answered, dont_know, refused, blank`` (weighted
    shares of those asked; ``asked`` is a count). ``bounds``: of each node, ``domain, code, estimate, worst, best, low,
    high``. ``ranks``: of the top node, ``domain, rank, rank_worst, rank_best``: the unit's rank when its own
    don't-knows are at their worst and all others' at their best, and the other way round."""

    shares: pd.DataFrame
    bounds: pd.DataFrame
    ranks: pd.DataFrame
    notes: tuple[Text, ...]

    def table(self, index: Index) -> pd.DataFrame:
        """All three side by side: one row a domain and node, ranks at the top node."""
        top = next(node.code for node in index.nodes if index.depth[node.code] == 1)
        both = self.bounds.merge(self.shares, on=["domain", "code"], how="left")
        return both.merge(self.ranks.assign(code=top), on=["domain", "code"], how="left")


def missing_answers(data: Any, index: Any, design: Design, by: str | Sequence[str] = ()) -> MissingAnswers:
    """Shares of missing answers, bounds and the sensitivity of ranks by the crossing of ``by``.

    Under the design's rule of publication the cells that the scores hide are blank here too; ranks are among the rest.

    Raises:
        Problems: as :func:`analysis.score`.
    """
    table, tree = Table.of(data), load_index(index)
    plain = replace(design, publication=None)
    usual, worst, best = (score(table, tree, plain, by, deff=False, dont_know=rule) for rule in ("", "worst", "best"))
    columns = [by] if isinstance(by, str) else list(by)
    shares, typed = _shares(
        table, tree, design, [name for part in columns for name in part.replace(",", "*").split("*") if name]
    )
    bounds = usual.table[["domain", "code", "estimate"]].assign(
        worst=np.fmin(worst.table["estimate"], best.table["estimate"]),
        best=np.fmax(worst.table["estimate"], best.table["estimate"]),
        low=np.fmin(worst.table["low"], best.table["low"]),
        high=np.fmax(worst.table["high"], best.table["high"]),
    )
    if design.publication is not None:
        cells = {(domain, code) for _, domain, code in score(table, tree, design, by).hidden}
        shares, bounds = _without(shares, cells), _without(bounds, cells)
    return MissingAnswers(shares, bounds, _ranks(usual, bounds), (BOUNDS,) if typed else (UNTYPED, BOUNDS))


def _without(frame: pd.DataFrame, cells: Collection[tuple[str, str]]) -> pd.DataFrame:
    """The rows of these (domain, code) without their figures."""
    keys = zip(frame["domain"].astype(str), frame["code"].astype(str), strict=True)
    out = np.array([key in cells for key in keys], dtype=bool)
    figures = [name for name in frame.columns if name not in ("domain", "code")]
    return frame.assign(**{name: frame[name].astype(float).mask(out) for name in figures}) if out.any() else frame


def _shares(table: Table, index: Index, design: Design, by: list[str]) -> tuple[pd.DataFrame, bool]:
    sample = lay(replace(design, calibration=None, replicates=None), table)
    domain, labels = domains_of(table, by)
    names = ["|".join(label) if by else WHOLE for label in labels]
    parts, typed = [], False
    for leaf in index.leaves:
        column = table.find(leaf.question) if leaf.question else None
        if column is None:
            continue
        codes, _ = table.codes(column)
        base = asked(leaf, table)
        kinds = table.kinds(column)
        typed |= kinds is not None
        told = {kind: np.zeros(len(table), dtype=bool) for kind in KINDS}
        outside = np.zeros(len(table), dtype=bool)
        if kinds is not None:
            for kind in (*KINDS, "not_applicable"):
                found = take(np.array([word == kind for word in kinds[1]], dtype=bool), kinds[0], False)
                if kind in told:
                    told[kind] = found
                else:
                    outside = found
        base = base & ~outside
        rows = {"answered": codes >= 0, **told}
        statistics = [_share(base & flag, base) for flag in rows.values()]
        shares = estimate_pairs(sample, domain, labels, list(rows), statistics)
        values = shares.values.reshape(len(labels), len(rows))
        frame = pd.DataFrame(values, columns=list(rows))
        frame.insert(0, "asked", np.bincount(domain[base & (domain >= 0)], minlength=len(labels)))
        frame.insert(0, "code", leaf.code)
        frame.insert(0, "domain", names)
        parts.append(frame)
    return pd.concat(parts, ignore_index=True), typed


def _share(hit: np.ndarray, base: np.ndarray) -> Any:
    return lambda: (hit.astype(float), base.astype(float))


def _ranks(scores: Scores, bounds: pd.DataFrame) -> pd.DataFrame:
    top = next(node.code for node in scores.index.nodes if scores.index.depth[node.code] == 1)
    rows = bounds[bounds["code"] == top].reset_index(drop=True)
    count = len(rows)
    value, low, high = (rows[name].to_numpy(dtype=float) for name in ("estimate", "worst", "best"))
    rank = rank_sets(value, np.zeros((count, count))).rank
    better = np.array([(np.delete(low, k) > high[k]).sum() for k in range(count)])
    possible = np.array([(np.delete(high, k) > low[k]).sum() for k in range(count)])
    known = np.isfinite(value)
    return pd.DataFrame(
        {
            "domain": rows["domain"],
            "rank": rank,
            "rank_best": np.where(known, 1 + better, np.nan),
            "rank_worst": np.where(known, 1 + possible, np.nan),
        }
    )
