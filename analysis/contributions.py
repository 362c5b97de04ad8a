"""What each indicator contributes to a node: parts that add up to its score, with their errors and covariances.

A mean, sum or share gives each child its coefficient times its rescaled value; a pooled node each leaf its N_j/ΣD; a
geometric mean is shared by Euler's theorem (value × its slope), since it doubles when all children do. A rescale's
constant is split evenly. As the parts add up in every round, their differences add up to the change: compare the
contributions of two rounds (``survey compare``) for the contributions to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis import leaves
from analysis.design import Design
from analysis.estimation import df_of, domains_of, interval
from analysis.index import Index, load_index
from analysis.layout import lay
from analysis.publication import hide
from analysis.replicates import Replicated, replicate_sums
from analysis.scores import COLUMNS, WHOLE, Block, Scores, score
from analysis.table import Table
from analysis.totals import Slopes, Statistic, collect, influence
from survey.errors import InputError
from survey.questionnaire.index_sheet import IndexNode
from survey.text import Text

PART = Text("đóng góp", "contribution")
_STEP = 1e-30


def contributions(
    data: Any, index: Any, design: Design, by: str | Sequence[str] = (), *, top: str = "", round: str = ""
) -> Scores:
    """The contributions of the leaves below ``top`` (default: the first node) by the crossing of ``by``, as scores
    with the codes ``top/leaf``, after the node itself. Under the design's rule of publication those are hidden whose
    scores are.

    Raises:
        InputError: no such node, or one without leaves that name questions. Problems: as :func:`analysis.score`.
    """
    table, tree = Table.of(data), load_index(index)
    top = top or tree.nodes[0].code
    if top not in tree.by_code:
        raise InputError(tree.id, Text(f"không có “{top}”", f"there is no '{top}'"))
    answered = [leaf for leaf in tree.leaves_of(top) if leaf.question]
    if not answered:
        raise InputError(
            f"{tree.id}, {top}",
            Text("không có chỉ tiêu nào bên dưới gắn với câu hỏi", "nothing below it names a question"),
            Text("chọn mã khác", "choose another code"),
        )
    missing = leaves.problems(answered, table)
    if missing:
        from survey.errors import Problems

        raise Problems(missing)
    sample = lay(design, table)
    statistics: list[Statistic] = [leaves.statistic(leaf, table)[0] for leaf in answered]
    columns = [by] if isinstance(by, str) else list(by)
    names = [name.strip() for part in columns for name in part.replace(",", "*").split("*") if name.strip()]
    domain, labels = domains_of(table, names)
    totals = collect(sample, domain, len(labels), statistics)
    share = _Sharing(tree, tree.by_code[top], [leaf.code for leaf in answered])
    sums = [totals.sums(d) for d in range(len(labels))]
    numerator, denominator = (np.array([pair[k] for pair in sums]) for k in (0, 1))
    value, slopes = share.parts(numerator, denominator), share.slopes(numerator, denominator)
    if isinstance(sample, Replicated):
        again = [share.parts(n, d) for n, d in zip(*replicate_sums(sample, totals, statistics), strict=True)]
        made = [sample.deviations(value[d], np.array([part[d] for part in again])) for d in range(len(labels))]
    else:
        made = [influence(totals, d, slopes) for d in range(len(labels))]
    codes = [top, *(f"{top}/{leaf.code}" for leaf in answered)]
    level = "*".join(names) or WHOLE
    rows, blocks = [], []
    for d, label in enumerate(labels):
        name = "|".join(label) if names else WHOLE
        units, part = made[d]
        blocks.append(Block(level, name, units, part))
        df = float(df_of(sample, totals, d))
        se = np.sqrt(sample.known(value[d], sample.variance(units, part), df))
        low, high = interval(value[d], se, df, sample.level)
        n = int(totals.count[totals.rows(d)].sum())
        psus = len(sample.psus(totals.members(d)))
        for k, code in enumerate(codes):
            figures = (value[d, k], se[k], low[k], high[k], df, n, psus, np.nan)
            rows.append((tree.id, round, level, name, PART.vi if k else "1", code, *figures, ""))
    found = Index(tree.id, tuple(IndexNode(code=code, label=_label(tree, code, top)) for code in codes))
    parts = Scores(found, pd.DataFrame(rows, columns=list(COLUMNS)), blocks=tuple(blocks), sample=sample)
    if design.publication is None:
        return parts
    return _published(parts, score(table, tree, design, by), top)


def _published(found: Scores, scores: Scores, top: str) -> Scores:
    """Without the parts whose score is hidden, and without any where the node itself is."""
    out = {(level, domain, f"{top}/{code}"): why for (level, domain, code), why in scores.hidden.items()}
    for (level, domain, code), why in scores.hidden.items():
        if code == top:
            out |= {(level, domain, node.code): why for node in found.index.nodes}
    return hide(found, out)


def _label(tree: Index, code: str, top: str) -> Any:
    return tree.by_code[code.removeprefix(f"{top}/")].label


class _Sharing:
    """The parts of a node as a function of the sums of its leaves, which may be complex for the sake of the slopes."""

    def __init__(self, index: Index, top: IndexNode, codes: Sequence[str]):
        self.index, self.top, self.codes = index, top, list(codes)

    def parts(self, numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
        """(domain, node and its parts)."""
        self.numerator, self.denominator = numerator, denominator
        found = self._of(self.top)
        nothing = np.zeros(len(numerator), dtype=numerator.dtype)
        columns = [found.get(code, nothing) for code in self.codes]
        return np.column_stack([np.sum(columns, axis=0), *columns])

    def slopes(self, numerator: np.ndarray, denominator: np.ndarray) -> Slopes:
        """By complex steps, which lose no digits (Squire & Trapp 1998)."""
        made = []
        for which in (0, 1):
            columns = []
            for k in range(numerator.shape[1]):
                moved = [numerator.astype(complex), denominator.astype(complex)]
                moved[which][:, k] += 1j * _STEP
                columns.append(np.nan_to_num(self.parts(*moved).imag / _STEP))
            made.append(np.stack(columns, axis=2))
        return Slopes(made[0], -made[1])

    def _of(self, node: IndexNode) -> dict[str, np.ndarray]:
        leaf = not self.index.below[node.code]
        if leaf:
            found = {node.code: self._ratio(node.code)}
        elif node.combine == "pooled":
            found = self._pooled(node)
        else:
            found = self._combined(node)
        slope, intercept = node.rescale()
        return {code: slope * part + intercept / len(found) for code, part in found.items()}

    def _ratio(self, code: str) -> np.ndarray:
        if code not in self.codes:
            return np.full(len(self.numerator), np.nan, dtype=self.numerator.dtype)
        k = self.codes.index(code)
        bottom = self.denominator[:, k]
        there = bottom.real != 0
        return np.where(there, self.numerator[:, k] / np.where(there, bottom, 1), np.nan)

    def _pooled(self, node: IndexNode) -> dict[str, np.ndarray]:
        places = [self.codes.index(leaf.code) for leaf in self.index.leaves_of(node.code) if leaf.code in self.codes]
        bottom = self.denominator[:, places].sum(axis=1)
        empty = (self.denominator[:, places].real == 0).sum(axis=1)
        bad = (empty == len(places)) if node.if_missing == "rest" else (empty > 0)
        safe = np.where(bottom.real != 0, bottom, 1)
        return {self.codes[k]: np.where(bad, np.nan, self.numerator[:, k] / safe) for k in places}

    def _combined(self, node: IndexNode) -> dict[str, np.ndarray]:
        children = self.index.children[node.code]
        parts = [self._of(child) for child in children]
        values = np.stack([np.sum(list(part.values()), axis=0) for part in parts])
        there = np.isfinite(values.real)
        enough = there.any(axis=0) if node.if_missing == "rest" else there.all(axis=0)
        shares = np.array([1.0 if child.share is None else child.share for child in children])[:, None]
        weight: np.ndarray = there.astype(float)
        if node.combine == "mean":
            weight = weight / np.maximum(weight.sum(axis=0), 1)
        elif node.combine == "share":
            weight = weight * shares
        elif node.combine == "geometric":
            weight = weight * shares
            weight = weight / np.where(weight.sum(axis=0) > 0, weight.sum(axis=0), 1)
            positive = np.where(there & (values.real > 0), values, 1)
            enough = enough & ~np.any((weight > 0) & (values.real <= 0), axis=0)
            weight = np.exp((weight * np.log(positive)).sum(axis=0)) * weight / positive
        found: dict[str, np.ndarray] = {}
        for part, factor, known in zip(parts, weight, there, strict=True):
            for code, value in part.items():
                added = np.where(known, factor * np.where(known, value, 0), 0)
                found[code] = found.get(code, 0) + np.where(enough, added, np.nan)
        return found
