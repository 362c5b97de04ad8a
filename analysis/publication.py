"""Small cells are not published: by the rule of the round, and with what would give them away by subtraction.

A cell with fewer respondents or sampled units than the rule asks for loses its figures. Where a single hidden cell
could be worked out from what remains, the next smallest goes too (complementary suppression): among the domains that
add up to a wider one, which may be published elsewhere, and in the tree of the index, where a node follows from its
children and one child from the node and the others. What is hidden hangs on data and crossing alone, so that every
table of a scoring hides the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.design import Publication
from analysis.index import Index
from analysis.scores import WHOLE, Scores, noted
from survey.text import Text, many

FIGURES = ("estimate", "se", "low", "high", "deff")
HIDDEN = "hidden"
"""What every note of a hidden cell says in English."""
COMPLEMENT = Text("ẩn để không suy ngược ra ô nhỏ khác", f"{HIDDEN} so that another small cell cannot be worked out")


def suppress(scores: Scores, rule: Publication) -> Scores:
    """``scores`` without the figures of small cells and of those that would give them away; ``hidden`` names them.

    A family are the cells of one code that share all but one of their crossing columns. The whole is never hidden.
    """
    table = scores.table
    n, psus = table["n"].to_numpy(dtype=float), table["n_psu"].to_numpy(dtype=float)
    known = table["estimate"].notna().to_numpy()
    few = known & ((n < rule.least_n) | (psus < rule.least_psu)) & (table["domain_level"] != WHOLE).to_numpy()
    hidden = few.copy()
    if rule.complementary and few.any():
        families, by_domain = _families(table), _by_domain(table, scores.index)
        while True:
            before = hidden.sum()
            _complete_families(families, hidden, known, n)
            for places in by_domain:
                _complete_tree(scores.index, places, hidden, known, n)
            if hidden.sum() == before:
                break
    if not hidden.any():
        return scores
    keys = table.loc[hidden, ["domain_level", "domain", "code"]].astype(str)
    small = Text(
        f"ẩn: dưới {rule.least_n} phiếu, {rule.least_psu} đơn vị chọn mẫu",
        f"{HIDDEN}: fewer than {rule.least_n} interviews, {rule.least_psu} units",
    )
    why = [noted([small if one else COMPLEMENT]) for one in few[hidden]]
    made = hide(scores, dict(zip(keys.itertuples(index=False, name=None), why, strict=True)))
    extra = hidden & ~few
    told = Text(
        f"{int(few.sum())} ô ẩn vì cỡ nhỏ, {int(extra.sum())} ô ẩn kèm để không suy ngược được",
        f"{many(int(few.sum()), 'cell')} hidden for their size, {int(extra.sum())} more so that none can be worked out",
    )
    return replace(made, notes=(*scores.notes, told))


def hide(scores: Scores, cells: Mapping[tuple[str, str, str], str]) -> Scores:
    """``scores`` without the figures of these (kind of domain, domain, code), in the table and in the influence sums;
    ``n`` of a hidden cell is blank, its note is the one given."""
    table = scores.table.copy()
    keys = list(table[["domain_level", "domain", "code"]].astype(str).itertuples(index=False, name=None))
    out = np.array([key in cells for key in keys], dtype=bool)
    if not out.any():
        return scores
    for name in FIGURES:
        table.loc[out, name] = np.nan
    table[["n", "n_psu"]] = table[["n", "n_psu"]].astype("Int64")
    table.loc[out, ["n", "n_psu"]] = pd.NA
    table.loc[out, "note"] = [cells[key] for key in keys if key in cells]
    codes = [node.code for node in scores.index.nodes]
    blocks = tuple(
        replace(block, sums=block.sums * [float((block.level, block.domain, code) not in cells) for code in codes])
        for block in scores.blocks
    )
    return replace(scores, table=table, blocks=blocks, hidden=dict(cells))


def _families(table: pd.DataFrame) -> list[np.ndarray]:
    """The rows of every family, in each direction of the crossing."""
    found: dict[tuple[Any, ...], list[int]] = {}
    for place, (kind, domain, code) in enumerate(
        zip(table["domain_level"], table["domain"], table["code"], strict=True)
    ):
        parts = domain.split("|")
        for k in range(len(parts) if kind != WHOLE else 0):
            found.setdefault((kind, code, k, *parts[:k], *parts[k + 1 :]), []).append(place)
    return [np.array(rows) for rows in found.values()]


def _by_domain(table: pd.DataFrame, index: Index) -> list[dict[str, int]]:
    """Of each domain, the place in the table of each of its codes."""
    found = []
    for (kind, _), rows in table.groupby(["domain_level", "domain"], sort=False).groups.items():
        if kind != WHOLE:
            places = table.index.get_indexer(rows)
            found.append(dict(zip(table["code"].iloc[places], places.tolist(), strict=True)))
    return found


def _complete_families(families: list[np.ndarray], hidden: np.ndarray, known: np.ndarray, n: np.ndarray) -> None:
    for rows in families:
        if hidden[rows].sum() == 1:
            _hide_smallest(rows, hidden, known, n)


def _complete_tree(index: Index, places: dict[str, int], hidden: np.ndarray, known: np.ndarray, n: np.ndarray) -> None:
    """Until no node follows from its children, and no child from its node and the other children."""
    if not any(hidden[place] for place in places.values()):
        return
    for node in reversed(index.nodes):
        at = places.get(node.code)
        children = np.array([places[c.code] for c in index.children[node.code] if c.code in places], dtype=np.int64)
        children = children[known[children]]
        if at is None or not known[at] or not len(children):
            continue
        family = np.array([at, *children])
        if hidden[family].sum() == 1 and not _hide_smallest(children, hidden, known, n):
            hidden[at] = True


def _hide_smallest(rows: np.ndarray, hidden: np.ndarray, known: np.ndarray, n: np.ndarray) -> bool:
    others = rows[known[rows] & ~hidden[rows]]
    if len(others):
        hidden[others[np.argmin(n[others])]] = True
    return len(others) > 0
