"""Where a unit stands, part by part: its group (lift the low, keep the high), what each part gives to the score and to
its change, and how much room is left. Arithmetic on scores; none of it says what a measure would bring.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.breaks import breaks
from analysis.index import Index, load_index
from analysis.plan import Figures, find_domain
from analysis.ranking import quartile_groups
from analysis.report.tree import tree
from analysis.units import key
from survey.questionnaire.index_sheet import IndexNode
from survey.text import Text

ADVICE = {
    "best": Text("giữ vững", "keep"),
    "high_average": Text("giữ, nâng tiếp", "keep, lift on"),
    "low_average": Text("nâng lên", "lift"),
    "poor": Text("ưu tiên nâng", "lift first"),
    "": Text("", ""),
}
LEAST_UNITS = 4
"""Fewer units make no four groups."""
ROOM = Text(
    "“Còn dư địa tăng điểm” là phép tính: điểm chỉ số chung tăng bao nhiêu nếu phần này lên hết thang; "
    "không phải tác động của một biện pháp.",
    "“Room” is arithmetic: how much the whole would gain if this part were at the top of its scale; it is not the "
    "effect of a measure.",
)


@dataclass(frozen=True)
class Part:
    """One part of a node for one unit.

    ``coefficient`` is what one point of the part gives to the node (NaN: not linear); ``contribution`` and ``room`` are
    in points of the node, ``place`` is the share of the part's scale; ``change`` of the part since the baseline round
    and its ``change_share`` in the node's points are NaN over a break, which ``broken`` then tells.
    """

    code: str
    label: Text
    value: float
    rank: int
    ranked: int
    group: str
    best: float
    coefficient: float
    contribution: float
    place: float
    room: float
    change: float
    change_share: float
    broken: Text | None


def standing(figures: Figures, index: Index, top: str, domain: str, round: str, baseline: str = "") -> list[Part]:
    """The parts of ``top`` for one unit in one round, in the order of the sheet; those without a value are left out.

    Raises:
        InputError: the unit is not among the scores.
    """
    nodes, found = tree(index).nodes, []
    gone = breaks(index, index, (baseline, round)) if baseline else {}
    for child in index.children[top]:
        rows = figures.rows(index.id, child.code, round)
        if rows is None:
            continue
        row = find_domain(rows, domain, f"{index.id}, {child.code}")
        value = float(row["estimate"])
        if not np.isfinite(value):
            continue
        estimates = rows["estimate"].to_numpy(dtype=float)
        groups = quartile_groups(estimates, figures.rules.ties, figures.rules.missing)
        ranked = int(np.isfinite(estimates).sum())
        weight, scale = coefficient(index, top, child), nodes[child.code].scale
        change = math.nan if child.code in gone else value - _before(figures, index, child.code, domain, baseline)
        found.append(
            Part(
                code=child.code,
                label=nodes[child.code].label,
                value=value,
                rank=1 + int((estimates > value).sum()),
                ranked=ranked,
                group=groups.names[int(rows.index.get_loc(row.name))] if ranked >= LEAST_UNITS else "",
                best=float(np.nanmax(estimates)),
                coefficient=weight,
                contribution=weight * value,
                place=(value - scale[0]) / (scale[1] - scale[0]) if scale else math.nan,
                room=weight * (scale[1] - value) if scale else math.nan,
                change=change,
                change_share=weight * change,
                broken=gone.get(child.code),
            )
        )
    return found


def tree_of_parts(figures: Figures, index: Any, unit: str, round: str, since: str = "") -> list[tuple[str, Part]]:
    """``(code of its parent, part)``: the parts of the top, each followed by its own, as far as there are scores.

    Raises:
        InputError: the unit is not among the scores, or there is no such index.
    """
    tree = load_index(index)
    top, found = tree.nodes[0].code, []
    for part in standing(figures, tree, top, unit, round, since):
        found.append((top, part))
        found += [(part.code, below) for below in standing(figures, tree, part.code, unit, round, since)]
    return found


def coefficient(index: Index, top: str, child: IndexNode) -> float:
    """What one point of ``child``, as reported, gives to its parent ``top``; NaN where that is not linear or where the
    answers below are pooled."""
    node, children = index.by_code[top], index.children[top]
    slope = node.rescale()[0]
    if not index.below[child.code] and index.in_own_unit(child):
        slope *= child.rescale()[0]
    match node.combine:
        case "sum":
            return slope
        case "share":
            return slope * (1.0 if child.share is None else child.share)
        case "mean":
            return slope / len(children)
        case _:
            return math.nan


def order_of_work(parts: Sequence[Part]) -> list[Part]:
    """Parts in the order in which a plan takes them up: the low groups first, in each the largest room first."""
    rank = {group: place for place, group in enumerate(("poor", "low_average", "high_average", "best", ""))}
    return sorted(parts, key=lambda part: (rank[part.group], -part.room if part.room == part.room else math.inf))


def _before(figures: Figures, index: Index, code: str, domain: str, baseline: str) -> float:
    rows = figures.rows(index.id, code, baseline)
    if rows is None:
        return math.nan
    same: pd.DataFrame = rows[[key(name) == key(domain) for name in rows["domain"]]]
    return float(same["estimate"].iloc[0]) if len(same) == 1 else math.nan
