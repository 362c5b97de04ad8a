"""The tree of an index as the report walks it: labels in two languages, depth, and the scale each node is told on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from analysis.index import Index
from survey.questionnaire.index_sheet import IndexNode
from survey.text import Text

Bounds = tuple[float, float]
_ALIKE = 0.7  # of the axis that each scale must cover to be drawn with others


@dataclass(frozen=True)
class Node:
    """One line of the index table; ``scale`` is the lowest and highest value it can take, where that is known."""

    code: str
    label: Text
    level_name: Text
    depth: int
    children: tuple[str, ...]
    scale: Bounds | None
    counts: bool
    also_in: tuple[str, ...]

    @property
    def width(self) -> float:
        """Width of the scale; 100 where it is not known, so that figures get two decimals."""
        return self.scale[1] - self.scale[0] if self.scale else 100.0


@dataclass(frozen=True)
class Tree:
    """All nodes in reading order (each parent before its children, siblings in the order of the sheet)."""

    nodes: Mapping[str, Node]
    top: Node

    def components(self, most: int) -> list[Node]:
        """The nodes just below the top that tell its story, at most ``most`` of them, all on one scale.

        The top's children (PAPI's dimensions); where these are fewer than four, as SIPAS's two parts, together with
        their children if they fit, else these alone.
        """
        first = self._counted(self.top)
        second = [node for parent in first for node in self._counted(parent)]
        both = [node for parent in first for node in (parent, *self._counted(parent))]
        for nodes in (both, second, first) if 0 < len(first) < 4 else (first,):
            if 2 <= len(nodes) <= most and one_scale(nodes):
                return nodes
        return [node for node in first if node.scale == first[0].scale][:most]

    def index(self) -> list[Node]:
        """The index itself: the top and all below it that is part of it, in reading order."""
        return [
            self.top,
            *(node for code in self.top.children for node in self._branch(code) if self.nodes[code].counts),
        ]

    def beside(self) -> list[Node]:
        """What is scored with the index but is no part of it: other roots, branches of share 0 below the top."""
        inside = {node.code for node in self.index()}
        return [node for node in self.nodes.values() if node.code not in inside]

    def _branch(self, code: str) -> list[Node]:
        return [self.nodes[code], *(node for child in self.nodes[code].children for node in self._branch(child))]

    def _counted(self, parent: Node) -> list[Node]:
        return [self.nodes[code] for code in parent.children if self.nodes[code].counts]


def one_scale(nodes: Sequence[Node]) -> Bounds | None:
    """The scale on which all ``nodes`` may be drawn together, the commonest of theirs; None if they have none.

    Ranges need not be equal: PAPI's dimensions run from 1 to 10, but some to 8 or 9.9 since their items are fewer.
    """
    scales = [node.scale for node in nodes if node.scale is not None]
    if not nodes or len(scales) < len(nodes):
        return None
    hull = max(high for _, high in scales) - min(low for low, _ in scales)
    alike = all(high - low >= _ALIKE * hull for low, high in scales)
    return Counter(scales).most_common(1)[0][0] if alike else None


def tree(index: Index) -> Tree:
    """The tree of ``index``; a node with several parents stands under the first."""
    rows = index.nodes
    by_code = {row.code: row for row in rows}
    children: dict[str, list[str]] = {code: [] for code in by_code}
    for row in rows:
        for parent in row.parents[:1]:
            children[parent].append(row.code)
    roots = [row.code for row in rows if not row.parents]
    scales = _scales(rows)
    nodes: dict[str, Node] = {}

    def walk(code: str, depth: int) -> None:
        row = by_code[code]
        nodes[code] = Node(
            code=code,
            label=Text(row.name("vi"), row.name("en")),
            level_name=_text(row.level_name),
            depth=depth,
            children=tuple(children[code]),
            scale=_own_unit(row) if not children[code] and index.in_own_unit(row) else scales[code],
            counts=row.share != 0,
            also_in=row.parents[1:],
        )
        for child in children[code]:
            walk(child, depth + 1)

    for root in roots:
        walk(root, 0)
    return Tree(nodes, nodes[roots[0]])


def _own_unit(leaf: IndexNode) -> Bounds | None:
    return (min(leaf.from_), max(leaf.from_)) if leaf.from_ else _of_score(leaf)


def _scales(rows: Sequence[IndexNode]) -> dict[str, Bounds | None]:
    """What each node can hand to its parents: its ``to``, else the range of its score or of its children together."""
    children: dict[str, list[IndexNode]] = {row.code: [] for row in rows}
    for row in rows:
        for parent in row.parents:
            children[parent].append(row)
    found: dict[str, Bounds | None] = {}

    def scale(row: IndexNode) -> Bounds | None:
        if row.code not in found:
            found[row.code] = (min(row.to), max(row.to)) if row.to else _raw(row, scale, children[row.code])
        return found[row.code]

    for row in rows:
        scale(row)
    return found


def _raw(row: IndexNode, scale: Callable[[IndexNode], Bounds | None], below: Iterable[IndexNode]) -> Bounds | None:
    if row.combine == "pooled":
        return 0.0, 1.0  # a ratio of all answers below, none of them rescaled
    counted = [child for child in below if child.share != 0]
    if not counted:
        return _of_score(row)
    parts = [part for child in counted if (part := scale(child)) is not None]
    if len(parts) < len(counted):
        return None
    factors = [child.share or 1.0 if row.combine == "share" else 1.0 for child in counted]
    lows = [min(f * low, f * high) for f, (low, high) in zip(factors, parts, strict=True)]
    highs = [max(f * low, f * high) for f, (low, high) in zip(factors, parts, strict=True)]
    if row.combine in ("sum", "share"):
        return sum(lows), sum(highs)
    return min(lows), max(highs)


def _of_score(row: IndexNode) -> Bounds | None:
    """The range of one person's score: known for shares and lists of points, not for a number taken as it is."""
    if row.score is None or row.score.kind in ("linear", "count"):
        return None
    if row.score.kind in ("share", "any"):
        return 0.0, 1.0
    points = [value for _, value in row.score.values]
    return min(points), max(points)


def _text(words: Mapping[str, str] | None) -> Text:
    some = next((word for word in (words or {}).values() if word), "")
    return Text((words or {}).get("vi") or some, (words or {}).get("en") or some)
