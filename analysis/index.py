"""The tree of a published score: from the index sheet to the value of every node and its slope on the leaves.

The sheet's rules (formats, section 3): a node combines its children's rescaled values, then rescales the result from
`from` to `to`, and is reported so. A leaf is reported in the unit in which it is published: before its own rescale
where a parent combines the rescaled value (PAPI's shares of 0 to 1), after it where none does (SIPAS's percents, since
pooled parents rescale none). Node values are smooth functions of the leaves' ratios, so one gradient gives every
standard error and covariance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from survey.errors import InputError, Problems
from survey.questionnaire.index_sheet import IndexNode, parse
from survey.text import Text


@dataclass(frozen=True)
class Index:
    """An index sheet, checked. ``years`` are the rounds that a structure for published scores was made for."""

    id: str
    nodes: tuple[IndexNode, ...]

    @cached_property
    def by_code(self) -> dict[str, IndexNode]:
        """The nodes by code."""
        return {node.code: node for node in self.nodes}

    @cached_property
    def children(self) -> dict[str, tuple[IndexNode, ...]]:
        """The nodes that count in each node; `share = 0` counts in none."""
        found: dict[str, list[IndexNode]] = {node.code: [] for node in self.nodes}
        for node in self.nodes:
            for parent in node.parents if node.share != 0 else ():
                found[parent].append(node)
        return {code: tuple(nodes) for code, nodes in found.items()}

    @cached_property
    def below(self) -> dict[str, tuple[IndexNode, ...]]:
        """The nodes written below each node, those of share 0 too."""
        found: dict[str, list[IndexNode]] = {node.code: [] for node in self.nodes}
        for node in self.nodes:
            for parent in node.parents:
                found[parent].append(node)
        return {code: tuple(nodes) for code, nodes in found.items()}

    @cached_property
    def leaves(self) -> tuple[IndexNode, ...]:
        """The nodes with nothing below them, in the order of the sheet."""
        return tuple(node for node in self.nodes if not self.below[node.code])

    @cached_property
    def depth(self) -> dict[str, int]:
        """1 for a root, 2 for what lies below it, …"""
        depth: dict[str, int] = {}
        for node in reversed(self.upwards):
            depth[node.code] = 1 + max((depth[parent] for parent in node.parents), default=0)
        return depth

    @cached_property
    def upwards(self) -> tuple[IndexNode, ...]:
        """The nodes, children before their parents."""
        done: dict[str, IndexNode] = {}

        def visit(node: IndexNode) -> None:
            if node.code not in done:
                for child in self.below[node.code]:
                    visit(child)
                done[node.code] = node

        for node in self.nodes:
            visit(node)
        return tuple(done.values())

    def leaves_of(self, code: str) -> list[IndexNode]:
        """The leaves that count below ``code``, each once, in the order of the sheet."""
        found: set[str] = set()
        waiting = [code]
        while waiting:
            here = waiting.pop()
            if self.children[here]:
                waiting += [child.code for child in self.children[here]]
            elif here != code:
                found.add(here)
        return [leaf for leaf in self.leaves if leaf.code in found]

    def in_own_unit(self, leaf: IndexNode) -> bool:
        """Whether ``leaf`` is reported before its rescale, which then is its parents' affair."""
        return any(self.by_code[parent].combine != "pooled" for parent in leaf.parents)

    def level_of(self, node: IndexNode) -> str:
        """What the sheet calls nodes of this kind (`level_name`), else the depth in the tree."""
        names = node.level_name or {}
        return next(iter(names.values()), str(self.depth[node.code]))


def load_index(source: Any) -> Index:
    """The index of a shipped instrument (by id), a folder, an ``index.csv``, an ``.xlsx`` or a compiled questionnaire.

    Raises:
        Problems: everything that is wrong with the index sheet. InputError: nothing of that name.
    """
    if isinstance(source, Index):
        return source
    if hasattr(source, "index") and hasattr(source, "nodes"):
        return index_of(source.index, source.id, questionnaire=source if source.nodes else None)
    path = located(source)
    from survey.tables import read_table

    if path.suffix.lower() == ".xlsx":
        return index_of(_sheet_rows(path), path.stem, f"{path.name}, sheet index")
    file = path / "index.csv" if path.is_dir() else path
    if not file.is_file():
        raise InputError(
            str(path),
            Text("thư mục này không có index.csv", "the folder has no index.csv"),
            Text("chọn thư mục khác", "name another folder"),
        )
    return index_of(read_table(file).rows, file.parent.name, f"{file.parent.name}/{file.name}")


def index_of(rows: Sequence[Mapping[str, Any]], id: str, where: str = "index", questionnaire: Any = None) -> Index:
    """The index of rows as they stand in the sheet. Raises Problems with everything that is wrong."""
    nodes, problems = parse(rows, questionnaire, where)
    if problems:
        raise Problems(problems)
    return Index(id, nodes)


def located(source: Any) -> Path:
    """The file or folder of an index: a path, or the id of a shipped instrument. Raises InputError for neither."""
    path = Path(source)
    if path.exists():
        return path
    shipped = resources.files("questionnaires") / str(source)
    if "/" not in str(source) and shipped.is_dir():
        return Path(str(shipped))
    raise InputError(
        str(source),
        Text("không có chỉ số hay thư mục này", "there is no such index or folder"),
        Text("xem survey questionnaire list", "see survey questionnaire list"),
    )


def _sheet_rows(path: Path) -> list[dict[str, Any]]:
    from openpyxl import load_workbook

    book = load_workbook(path, read_only=True, data_only=True)
    try:
        if "index" not in book.sheetnames:
            raise InputError(str(path), Text("không có trang tính index", "there is no sheet named index"))
        header, *rows = [list(row) for row in book["index"].iter_rows(values_only=True)] or [[]]
    finally:
        book.close()
    return [dict(zip(map(str, header), row, strict=True)) for row in rows]


@dataclass(frozen=True)
class Base:
    """What a tree is computed from: ratios by domain, one column each, and which node each column gives.

    ``known`` columns are nodes' values as published, or with ``ratios`` the leaves' ratios from respondents; ``pooled``
    columns are ΣN/ΣD of pooled nodes, not yet rescaled.
    """

    values: np.ndarray
    known: Mapping[str, int]
    pooled: Mapping[str, int]
    ratios: bool = True


@dataclass(frozen=True)
class Values:
    """Every node's reported value by domain, and its gradient by the base's columns; NaN and a reason where missing."""

    codes: tuple[str, ...]
    value: np.ndarray
    gradient: np.ndarray
    reasons: Mapping[tuple[int, str], Text]
    findings: tuple[tuple[int, str, float, tuple[float, float]], ...]


def evaluate(index: Index, base: Base, slopes: bool = True) -> Values:
    """The whole tree from ``base``; without ``slopes`` the gradient is left out, as many replicates would fill memory.

    Findings are ``(domain, code, value, scale)`` for values outside a node's `from`; nothing is clamped.
    """
    return _Tree(index, base, slopes).evaluate()


class _Tree:
    def __init__(self, index: Index, base: Base, slopes: bool):
        self.index, self.base = index, base
        self.domains, self.columns = len(base.values), base.values.shape[1] if slopes else 0
        self.reported: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self.rescaled: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self.reasons: dict[tuple[int, str], Text] = {}
        self.findings: list[tuple[int, str, float, tuple[float, float]]] = []

    def evaluate(self) -> Values:
        for node in self.index.upwards:
            leaf = not self.index.below[node.code]
            if node.code in self.base.known:
                value, gradient = self.column(self.base.known[node.code])
                self.because(np.isnan(value), node, Text("không có câu trả lời", "no answers"))
            elif leaf:
                value, gradient = self.nothing(node, Text("không có số liệu", "no data"))
            else:
                value, gradient = self.combined(node)
            slope, intercept = node.rescale()
            own = leaf and self.index.in_own_unit(node)
            published = node.code in self.base.known and not self.base.ratios and not own
            self.check(node, value, node.to if published else node.from_)
            moved = (value, gradient) if published else (slope * value + intercept, slope * gradient)
            self.rescaled[node.code] = moved
            self.reported[node.code] = (value, gradient) if own else moved
        codes = tuple(node.code for node in self.index.nodes)
        return Values(
            codes,
            np.column_stack([self.reported[code][0] for code in codes]),
            np.stack([self.reported[code][1] for code in codes], axis=1),
            self.reasons,
            tuple(self.findings),
        )

    def because(self, missing: Any, node: IndexNode, why: Text) -> None:
        """Notes why ``node`` is missing in these domains, unless a reason is known."""
        for d in np.flatnonzero(missing).tolist():
            self.reasons.setdefault((d, node.code), why)

    def nothing(self, node: IndexNode, why: Text) -> tuple[np.ndarray, np.ndarray]:
        self.because(np.ones(self.domains, dtype=bool), node, why)
        return np.full(self.domains, np.nan), np.zeros((self.domains, self.columns))

    def column(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        gradient = np.zeros((self.domains, self.columns))
        if self.columns:
            gradient[:, k] = 1
        return self.base.values[:, k], gradient

    def check(self, node: IndexNode, value: np.ndarray, scale: tuple[float, float] | None) -> None:
        """Values off their scale are findings: what comes in against `from`, what was published against `to`."""
        if scale is None:
            return
        low, high = sorted(scale)
        slack = 1e-9 * (high - low)
        for d in np.flatnonzero((value < low - slack) | (value > high + slack)):
            self.findings.append((int(d), node.code, float(value[d]), (low, high)))

    def combined(self, node: IndexNode) -> tuple[np.ndarray, np.ndarray]:
        """The children combined, before the node's own `from` → `to`."""
        children = self.index.children[node.code]
        if not children:
            return self.nothing(node, Text("không có mục con nào được tính", "no child counts in it"))
        if node.combine == "pooled":
            return self.pooled(node)
        values = np.stack([self.rescaled[child.code][0] for child in children])
        gradients = np.stack([self.rescaled[child.code][1] for child in children])
        there = np.isfinite(values)
        self.explain(node, [child.code for child in children], there)
        shares = np.array([1.0 if child.share is None else child.share for child in children])
        filled, weight = np.where(there, values, 0.0), there.astype(float)
        match node.combine:
            case "sum":
                pass
            case "share":
                weight = weight * shares[:, None]
            case "mean":
                weight = weight / np.maximum(weight.sum(axis=0), 1)
            case _:
                return self.geometric(node, values, gradients, weight * shares[:, None])
        value = (weight * filled).sum(axis=0)
        gradient = np.einsum("cd,cdb->db", weight, gradients)
        return self.blanked(node, value, gradient)

    def geometric(
        self, node: IndexNode, values: np.ndarray, gradients: np.ndarray, weight: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        weight = weight / np.where(weight.sum(axis=0) > 0, weight.sum(axis=0), 1.0)
        used = weight > 0
        why = Text("trung bình nhân cần giá trị dương", "a geometric mean needs positive values")
        self.because(np.any(used & (values <= 0), axis=0), node, why)
        positive = np.where(used & (values > 0), values, 1.0)
        value = np.exp((weight * np.log(positive)).sum(axis=0))
        gradient = value[:, None] * np.einsum("cd,cdb->db", weight / positive, gradients)
        return self.blanked(node, value, gradient)

    def pooled(self, node: IndexNode) -> tuple[np.ndarray, np.ndarray]:
        leaves = self.index.leaves_of(node.code)
        if node.code not in self.base.pooled:
            why = Text("gộp câu trả lời cần số liệu từng người", "pooling needs the respondents")
            return self.nothing(node, why)
        there = np.stack([np.isfinite(self.rescaled[leaf.code][0]) for leaf in leaves])
        self.explain(node, [leaf.code for leaf in leaves], there)
        return self.blanked(node, *self.column(self.base.pooled[node.code]))

    def explain(self, node: IndexNode, codes: Sequence[str], there: np.ndarray) -> None:
        enough = there.any(axis=0) if node.if_missing == "rest" else there.all(axis=0)
        for d in np.flatnonzero(~enough):
            missing = [code for code, present in zip(codes, there[:, d], strict=True) if not present]
            listed = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
            self.reasons[int(d), node.code] = Text(f"thiếu {listed}", f"missing {listed}")

    def blanked(self, node: IndexNode, value: np.ndarray, gradient: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if not self.reasons:
            return value, gradient
        missing = np.array([(d, node.code) in self.reasons for d in range(self.domains)])
        return np.where(missing, np.nan, value), np.where(missing[:, None], 0.0, gradient)
