"""Intervals that stay on their scale: the ends of every node, and the interval near them.

The t interval stands where it stays on the scale. Where it would leave it, the interval is made on the logit of the
scale's share, as for a proportion; where everybody stands at one end, and the standard error is 0, the far end is that
of an exact binomial interval of as many people (Clopper & Pearson 1934).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import expit, logit, stdtrit

from analysis.index import Index
from survey.questionnaire.index_sheet import IndexNode

Scale = tuple[float, float]


def scales(index: Index) -> Mapping[str, Scale]:
    """The lowest and highest value that each node can be reported with; nodes without known ends are left out."""
    raw: dict[str, Scale] = {}
    used: dict[str, Scale] = {}
    reported: dict[str, Scale] = {}
    for node in index.upwards:
        leaf = not index.below[node.code]
        found = _of_leaf(node) if leaf else _of_parts(index, node, raw, used)
        if found is None:
            continue
        raw[node.code] = found
        ends = (min(node.to), max(node.to)) if node.from_ is not None and node.to is not None else found
        used[node.code] = ends
        reported[node.code] = found if leaf and index.in_own_unit(node) else ends
    return reported


def _of_leaf(node: IndexNode) -> Scale | None:
    if node.from_ is not None:
        return min(node.from_), max(node.from_)
    if node.score is not None and node.score.kind in ("share", "any"):
        return 0.0, 1.0
    if node.score is not None and node.score.kind == "map":
        values = [number for _, number in node.score.values]
        return min(values), max(values)
    return None


def _of_parts(index: Index, node: IndexNode, raw: dict[str, Scale], used: dict[str, Scale]) -> Scale | None:
    if node.combine == "pooled":
        ends = [raw.get(leaf.code) for leaf in index.leaves_of(node.code)]
    else:
        ends = [used.get(child.code) for child in index.children[node.code]]
    known = [pair for pair in ends if pair is not None]
    if not known or len(known) < len(ends):
        return None
    if node.combine in ("sum", "share"):
        shares = [
            1.0 if node.combine == "sum" or child.share is None else child.share for child in index.children[node.code]
        ]
        pairs = [sorted((share * low, share * high)) for share, (low, high) in zip(shares, known, strict=True)]
        return sum(low for low, _ in pairs), sum(high for _, high in pairs)
    return min(low for low, _ in known), max(high for _, high in known)


def kept_within(
    value: float, se: float, df: float, level: float, ends: tuple[float, float], scale: Scale | None, n: int
) -> tuple[float, float, bool]:
    """The interval ``ends`` kept on ``scale``, and whether it was changed."""
    if scale is None or not (df > 0 and np.isfinite(value) and scale[0] < scale[1]):
        return *ends, False
    low, high = scale
    share = (value - low) / (high - low)
    slack = 1e-9
    if not -slack <= share <= 1 + slack:
        return *ends, False  # a value off its scale is a finding of its own
    if share <= slack or share >= 1 - slack:
        if se > slack * (high - low) or n < 1:
            return max(ends[0], low), min(ends[1], high), True
        reach = (1 - ((1 - level) / 2) ** (1 / n)) * (high - low)
        return (low, low + reach, True) if share < 0.5 else (high - reach, high, True)
    if ends[0] >= low and ends[1] <= high:
        return *ends, False
    half = float(stdtrit(df, 0.5 + level / 2)) * se / (high - low) / (share * (1 - share))
    centre = logit(share)
    return low + (high - low) * float(expit(centre - half)), low + (high - low) * float(expit(centre + half)), True
