"""Small cells are not published: by the rule of the round, and with what would give them away by subtraction.

A cell with fewer respondents or sampled units than the rule asks for loses its figures; so does the next smallest of
its family where a single hidden cell could be worked out from the row of the whole (complementary suppression).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from analysis.design import Publication
from analysis.scores import WHOLE, Scores, noted
from survey.text import Text

FIGURES = ("estimate", "se", "low", "high", "deff")
COMPLEMENT = Text("ẩn để không suy ngược ra ô nhỏ khác", "hidden so that another small cell cannot be worked out")


def suppress(scores: Scores, rule: Publication) -> Scores:
    """``scores`` with the figures of small cells taken out of the table (and out of what is written beside it).

    A family are the cells of one code that share all but the last of their crossing columns; where the family's whole
    is published and exactly one cell is hidden, the next smallest cell goes too. ``n`` of a hidden cell is blank.
    """
    table = scores.table.copy()
    n, psus = table["n"].to_numpy(dtype=float), table["n_psu"].to_numpy(dtype=float)
    known = table["estimate"].notna().to_numpy()
    few = known & ((n < rule.least_n) | (psus < rule.least_psu)) & (table["domain_level"] != WHOLE).to_numpy()
    hidden, complement = few.copy(), np.zeros(len(table), dtype=bool)
    if rule.complementary:
        wholes = _published_wholes(table)
        family = table["domain"].where(table["domain_level"].str.contains("*", regex=False), "")
        family = family.str.rpartition("|")[0]
        keys = [table["domain_level"], family, table["code"]]
        for (kind, above, code), rows in table.groupby(keys, sort=False).indices.items():
            inside = np.asarray(rows)
            if hidden[inside].sum() != 1 or kind == WHOLE or (str(kind), str(above), str(code)) not in wholes:
                continue
            others = inside[known[inside] & ~hidden[inside]]
            if len(others):
                next_smallest = others[np.argmin(n[others])]
                hidden[next_smallest] = complement[next_smallest] = True
    if not hidden.any():
        return scores
    asked = (
        f"{rule.least_n} phiếu, {rule.least_psu} đơn vị chọn mẫu",
        f"{rule.least_n} interviews, {rule.least_psu} units",
    )
    small = Text(f"ẩn: dưới {asked[0]}", f"hidden: fewer than {asked[1]}")
    for name in FIGURES:
        table.loc[hidden, name] = np.nan
    table[["n", "n_psu"]] = table[["n", "n_psu"]].astype("Int64")
    table.loc[hidden, ["n", "n_psu"]] = pd.NA
    table.loc[hidden, "note"] = [noted([COMPLEMENT if extra else small]) for extra in complement[hidden]]
    cells = set(
        zip(table.loc[hidden, "domain_level"], table.loc[hidden, "domain"], table.loc[hidden, "code"], strict=True)
    )
    codes = [node.code for node in scores.index.nodes]
    blocks = tuple(
        replace(block, sums=block.sums * [float((block.level, block.domain, code) not in cells) for code in codes])
        for block in scores.blocks
    )
    told = Text(
        f"{int(few.sum())} ô ẩn vì cỡ nhỏ, {int(complement.sum())} ô ẩn kèm để không suy ngược được",
        f"{int(few.sum())} cells hidden for their size, {int(complement.sum())} more so that none can be worked out",
    )
    return replace(scores, table=table, blocks=blocks, notes=(*scores.notes, told))


def _published_wholes(table: pd.DataFrame) -> set[tuple[str, str, str]]:
    """(kind, family, code) for which the figure of the whole family stands in the same table."""
    there = set(zip(table["domain_level"], table["domain"], table["code"], strict=True))
    found = set()
    for kind in table["domain_level"].unique():
        outer = kind.rpartition("*")[0]
        for level, domain, code in there:
            if outer and level == outer:
                found.add((kind, domain, code))
            elif level == WHOLE and not outer and kind != WHOLE:
                found.add((kind, "", code))
    return found
