"""The part of the page that compares domains: places by value, groups of people in their own order.

Own and published figures never share a list, and a place carries a rank number only where its sample bears one.
Communes and villages never do: they stand in three classes against the whole, in each by name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from analysis.report import charts
from analysis.report.cells import FEW_DF, SMALL, Cell, Cells
from analysis.report.drawing import Drawing
from analysis.report.figures import Figures, Line
from analysis.report.format import count, known, number
from analysis.report.meta import PLACES
from analysis.report.tree import Node, Tree
from analysis.small_area import CLASSES, Classes, is_commune_level
from survey.text import fold

Classed = Callable[[str, str], Classes | None]
"""Domain level, code of a node → the classes of its places, None where they cannot be told."""

_PANEL = 20  # most rows of one chart: two charts fit a printed page
_COLUMNS = 9  # components that fit side by side on A4


@dataclass(frozen=True)
class Matrix:
    """Domains down, components across."""

    columns: tuple[Node, ...]
    rows: tuple[tuple[str, tuple[Line, ...]], ...]


@dataclass(frozen=True)
class Section:
    """One domain level: chart, table, sentences and components."""

    id: str
    name: str
    heading: str
    node: Node
    published: bool
    is_place: bool
    charts: tuple[Drawing, ...]
    caption: str
    sentences: tuple[str, ...]
    lines: tuple[Line, ...]
    ranked: bool
    classes: tuple[str, ...]
    matrix: Matrix | None


class Domains:
    """Makes the sections of all domain levels."""

    def __init__(self, cells: Cells, tree: Tree, figures: Figures, classed: Classed | None = None):
        self.cells, self.tree, self.figures, self.classed = cells, tree, figures, classed
        self.meta, self.language, self.t = figures.meta, figures.language, figures.t

    def sections(self, level_name: str, top: Node) -> list[Section]:
        """The section of one domain level: own figures and published ones apart."""
        domains = self.cells.domains(level_name)
        if len(domains) < 2:
            return []
        made = []
        for published in (False, True):
            part = {
                domain: held
                for domain, cells in domains.items()
                if (held := {code: cell for code, cell in cells.items() if cell.published == published})
            }
            if any(top.code in held and known(held[top.code].estimate) for held in part.values()):
                made.append(self.section(level_name, top, part, published))
        return made

    def section(self, name: str, top: Node, domains: dict[str, dict[str, Cell]], published: bool) -> Section:
        is_place = name in PLACES
        words = self.meta.level_name(name)(self.language)
        label = {domain: self.meta.domain_name(name, domain)(self.language) for domain in domains}
        local = is_place and is_local(name)
        classes = self.classes(name, top.code) if local and not published else {}
        if local:
            order = sorted(domains, key=lambda d: (_CLASS_ORDER[classes.get(d, "")], fold(label[d])))
        else:
            order = sorted(domains, key=lambda d: self.place(domains[d].get(top.code))) if is_place else list(domains)
        shown = [(label[d], domains[d].get(top.code)) for d in order]
        valued = [(text, cell) for text, cell in shown if cell is not None and known(cell.estimate)]
        ranks = self.ranks([cell for _, cell in shown]) if is_place and not local else [""] * len(shown)
        # By its place, not its name: a column may be called anything, an id may not.
        key = f"{self.language}-{self.cells.levels().index(name)}-{'published' if published else 'own'}"
        rows = [self.figures.dot(cell, top, text) for text, cell in valued]
        reference = None if published else self.figures.reference(self.cells.whole().get(top.code))
        window = charts.window(rows, top.scale, reference)
        heading = self.t(f"Kết quả theo {words[:1].lower()}{words[1:]}", f"Results by {words[:1].lower()}{words[1:]}")
        if published:
            heading += self.t(": số liệu công bố", ": published values")
        size = math.ceil(len(rows) / math.ceil(len(rows) / _PANEL))
        panels = [rows[i : i + size] for i in range(0, len(rows), size)]
        return Section(
            id=key,
            name=words,
            heading=heading,
            node=top,
            published=published,
            is_place=is_place,
            charts=tuple(
                charts.dots(
                    panel,
                    key=f"{key}-{i}",
                    title=f"{heading}: {top.label(self.language)}",
                    description=self.figures.read_aloud(panel),
                    language=self.language,
                    window=window,
                    reference=reference,
                    alike=rows,
                )
                for i, panel in enumerate(panels)
            ),
            caption=self.figures.caption(top.scale, window, rows, reference is not None),
            sentences=self.class_sentences(words, classes)
            if local
            else self.order_sentences([cell for _, cell in valued])
            if is_place
            else (),
            lines=tuple(
                self.figures.line(cell, top, label=text, rank=rank)
                for (text, cell), rank in zip(shown, ranks, strict=True)
            ),
            ranked=any(rank not in ("", "–") for rank in ranks),
            classes=tuple(CLASSES[classes.get(d, "")](self.language) for d in order),
            matrix=self.matrix(order, label, domains),
        )

    def classes(self, level: str, code: str) -> dict[str, str]:
        """The class of each place of a level where its scores tell it."""
        found = self.classed(level, code) if self.classed else None
        return {} if found is None else dict(zip(found.table["domain"], found.table["class"], strict=True))

    def class_sentences(self, words: str, classes: Mapping[str, str]) -> tuple[str, ...]:
        """How many places are in each class, and where places in order are to be had."""
        said = []
        told = [name for name in classes.values() if name]
        if told:
            vi, en = (
                ", ".join(f"{told.count(name)} {CLASSES[name](spoken)}" for name in ("higher", "same", "lower"))
                for spoken in ("vi", "en")
            )
            said.append(self.t(
                f"So với kết quả chung, hiệu chỉnh cho {len(told)} nơi so sánh: {vi}.",
                f"Against the overall result, adjusted for {len(told)} places compared: {en}.",
            ))  # fmt: skip
        said.append(self.t(
            f"{words}: trong mỗi lớp xếp theo tên, không theo điểm, vì thứ tự giữa các nơi có mẫu nhỏ phần lớn do ngẫu "
            "nhiên. Thứ hạng kèm khoảng chỉ lập riêng làm phụ lục (survey rank --as places).",
            f"{words}: in each class by name, not by score, since the order of places with small samples is mostly "
            "chance. Ranks with their sets are an annex of their own (survey rank --as places).",
        ))  # fmt: skip
        return tuple(said)

    def place(self, cell: Cell | None) -> tuple[int, float]:
        """Sorting key of a place: by value, those with few answers after the rest, those without a value last."""
        if cell is None or not known(cell.estimate):
            return 2, 0.0
        return int(cell.small), -cell.estimate

    def ranks(self, cells: Sequence[Cell | None]) -> list[str]:
        """Rank numbers of sorted cells, a dash where the sample does not carry one."""
        given, counted, last, shown = [], 0, None, 0
        for cell in cells:
            if not rankable(cell):
                given.append(number(None, 0, self.language))
                continue
            counted += 1
            if last is None or cell is None or cell.estimate != last:
                shown, last = counted, cell.estimate if cell else None
            given.append(count(shown, self.language))
        return given

    def order_sentences(self, cells: Sequence[Cell]) -> tuple[str, ...]:
        """What a reader may and may not conclude from the order."""
        with_interval = [cell for cell in cells if cell.has_interval and not cell.small]
        said = []
        if len(with_interval) >= 2:
            pairs = list(pairwise(with_interval))
            overlapping = sum(upper.low <= lower.high and lower.low <= upper.high for upper, lower in pairs)
            said.append(self.t(
                f"Nơi nào khoảng chồng lên nhau thì thứ tự giữa các đơn vị chưa chắc chắn: ở đây {overlapping} trong "
                f"{len(pairs)} cặp đứng liền nhau có khoảng chồng lên nhau.",
                f"Where intervals overlap, the order of the places is uncertain: here {overlapping} of {len(pairs)} "
                "neighbouring pairs overlap.",
            ))  # fmt: skip
        elif len(cells) >= 2 and not with_interval:
            said.append(self.t(
                "Không có khoảng tin cậy, vì vậy không biết thứ tự chắc chắn đến đâu.",
                "There are no intervals, so how certain the order is cannot be told.",
            ))  # fmt: skip
        unranked = [cell for cell in cells if not cell.published and not rankable(cell)]
        if unranked:
            said.append(self.t(
                f"Không ghi số thứ hạng khi có dưới {FEW_DF} bậc tự do hoặc dưới {SMALL} người trả lời "
                f"({len(unranked)} trong {len(cells)} đơn vị).",
                f"No rank number is given where there are fewer than {FEW_DF} degrees of freedom or fewer than "
                f"{SMALL} answers ({len(unranked)} of {len(cells)} places).",
            ))  # fmt: skip
        return tuple(said)

    def matrix(
        self, order: Sequence[str], label: Mapping[str, str], domains: dict[str, dict[str, Cell]]
    ) -> Matrix | None:
        """Components by domain, each value with its interval."""
        columns = [node for node in self.tree.components(_COLUMNS) if any(node.code in domains[d] for d in order)]
        if not columns:
            return None

        rows = tuple(
            (label[d], tuple(self.figures.line(domains[d].get(node.code), node) for node in columns)) for d in order
        )
        return Matrix(tuple(columns), rows)


_CLASS_ORDER = {"higher": 0, "same": 1, "lower": 2, "": 3}


def is_local(level: str) -> bool:
    """Whether places of this level are too small to be put in an order by default."""
    return is_commune_level(level) or level == "village"


def rankable(cell: Cell | None) -> bool:
    """Whether a place may carry a rank number: a value that is not small, on enough degrees of freedom."""
    if cell is None or not known(cell.estimate):
        return False
    return cell.published or not (cell.small or cell.few_df)
