"""What the page shows, in one language: every figure already a string, every chart already drawn.

The template only lays out; whatever must be decided (what is small, what may be ranked, which sentence is true) is
decided here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.report import charts
from analysis.report.cells import Cell, Cells
from analysis.report.domains import Classed, Domains, Section
from analysis.report.drawing import Drawing
from analysis.report.figures import Figures, Line
from analysis.report.format import count, counts, decimals, known, level, number
from analysis.report.meta import Meta
from analysis.report.tree import Node, Tree, one_scale
from survey.text import plural


@dataclass(frozen=True)
class View:
    """The whole page in one language."""

    language: str
    headline: Line | None
    headline_node: Node
    headline_text: str
    components: Drawing | None
    components_caption: str
    index: tuple[Line, ...]
    beside: tuple[Line, ...]
    index_published: bool
    index_scale: str
    has_unweighted: bool
    index_df: str
    sections: tuple[Section, ...]
    notes: tuple[str, ...]
    own: bool
    published: bool
    has_small: bool


class Builder:
    """Builds the :class:`View` of one language."""

    def __init__(self, cells: Cells, tree: Tree, meta: Meta, language: str, classed: Classed | None = None):
        self.cells, self.tree, self.meta, self.language, self.classed = cells, tree, meta, language, classed
        self.figures = Figures(meta, language)
        self.t = self.figures.t

    def build(self) -> View:
        """The page; what the scores do not hold is left out of it."""
        whole = self.cells.whole()
        top = self.headline_node()
        headline = whole.get(top.code)
        domains = Domains(self.cells, self.tree, self.figures, self.classed)
        sections = [section for name in self.cells.levels() for section in domains.sections(name, top)]
        known_codes = [cell for cell in self.cells.all if cell.code in self.tree.nodes]
        components, caption = self.components_chart(whole, top)
        return View(
            language=self.language,
            headline=self.figures.line(headline, top) if headline is not None and known(headline.estimate) else None,
            headline_node=top,
            headline_text=self.headline_sentence(headline, top),
            components=components,
            components_caption=caption,
            index=(lines := self.index_lines(whole, self.tree.index())),
            beside=self.index_lines(whole, self.tree.beside()),
            index_scale=lines[0].scale if len({line.scale for line in lines}) == 1 else "",
            index_df=lines[0].df if len({line.df for line in lines}) == 1 else "",
            has_unweighted=any(known(cell.unweighted) for cell in whole.values()),
            index_published=all(cell.published for cell in whole.values()),
            sections=tuple(sections),
            notes=self.notes(),
            own=any(not cell.published for cell in known_codes),
            published=any(cell.published and known(cell.estimate) for cell in known_codes),
            has_small=any(cell.small for cell in known_codes),
        )

    def headline_node(self) -> Node:
        """The index itself, or the first node that has a value if its total was not scored."""
        valued = {cell.code for cell in self.cells.all if known(cell.estimate)}
        return next((node for node in self.tree.nodes.values() if node.code in valued), self.tree.top)

    def headline_sentence(self, cell: Cell | None, node: Node) -> str:
        if cell is None or not known(cell.estimate):
            return ""
        scale = self.figures.scale(node.scale)
        on_scale = self.t(f" trên thang {scale}", f" on the scale {scale}") if scale else ""
        value = number(cell.estimate, decimals(node.width), self.language)
        label = node.label(self.language)
        if not cell.has_interval:
            reason = (
                self.t("không có khoảng tin cậy được công bố", "no interval was published")
                if cell.published
                else self.t("chưa tính được khoảng tin cậy", "its interval could not be computed")
            )
            return self.t(f"{label} đạt {value}{on_scale}; {reason}.", f"{label} is {value}{on_scale}; {reason}.")
        ends = self.t(" đến ", " to " if cell.published else " and ").join(
            number(x, decimals(node.width), self.language) for x in (cell.low, cell.high)
        )
        if cell.published:
            return self.t(
                f"{label} công bố là {value}{on_scale}, khoảng công bố từ {ends}.",
                f"{label} was published as {value}{on_scale}, with the published interval {ends}.",
            )
        sure = level(self.meta.level, self.language)
        said = self.t(
            f"{label} ước lượng đạt {value}{on_scale}. Với độ tin cậy {sure}, giá trị của toàn bộ đối tượng khảo sát "
            f"nằm trong khoảng từ {ends}.",
            f"{label} is estimated at {value}{on_scale}. With {sure} confidence, the value of the whole population "
            f"surveyed lies between {ends}.",
        )
        if cell.few_df:
            said += self.t(
                f" Chỉ có {count(cell.df, 'vi')} bậc tự do, nên khoảng này chỉ là ước chừng.",
                f" {plural(cell.df, 'There is', 'There are')} only {counts(cell.df, 'degree')} of freedom, so this "
                "interval is rough.",
            )
        return said

    def components_chart(self, whole: Mapping[str, Cell], top: Node) -> tuple[Drawing | None, str]:
        """The dots of the components with their caption; none if the whole was not scored."""
        nodes = [n for n in self.tree.components(14) if (cell := whole.get(n.code)) and known(cell.estimate)]
        if not nodes:
            return None, ""
        outer = min(node.depth for node in nodes)
        mixed = len({node.depth for node in nodes}) > 1
        rows = [
            self.figures.dot(whole[n.code], n, n.label(self.language), strong=mixed and n.depth == outer) for n in nodes
        ]
        heading = self.t("Điểm thành phần", "Components")
        reference = self.figures.reference(whole.get(top.code)) if one_scale([top, *nodes]) else None
        scale = one_scale(nodes)
        window = charts.window(rows, scale, reference)
        chart = charts.dots(
            rows,
            key=f"{self.language}-components",
            title=f"{heading}: {self.meta.index_title(self.language)}",
            description=self.figures.read_aloud(rows),
            language=self.language,
            window=window,
            reference=reference,
        )
        return chart, self.figures.caption(scale, window, rows, reference is not None)

    def index_lines(self, whole: Mapping[str, Cell], nodes: Sequence[Node]) -> tuple[Line, ...]:
        """``nodes`` as lines of a table; branches of which nothing was scored are left out."""
        if not any(node.code in whole and known(whole[node.code].estimate) for node in nodes):
            return ()
        return tuple(self.figures.line(whole.get(node.code), node) for node in nodes if self.holds(node, whole))

    def holds(self, node: Node, whole: Mapping[str, Cell]) -> bool:
        return node.code in whole or any(self.holds(self.tree.nodes[child], whole) for child in node.children)

    def notes(self) -> tuple[str, ...]:
        """Remarks: told by the caller, found in the scores, and what was left out."""
        found = [note(self.language) for note in self.meta.notes]
        if any(known(cell.unweighted) for cell in self.cells.all):
            found.append(self.t(
                "Cột “không quyền số” là tỷ lệ gộp mọi câu trả lời, không dùng quyền số: cách hiểu của chúng tôi về số "
                "SIPAS công bố, chỉ để đối chiếu.",
                "The column “unweighted” is the pooled share of all answers without weights: our reading of the "
                "published SIPAS figure, for comparison only.",
            ))  # fmt: skip
        if any(cell.se == 0 for cell in self.cells.all):
            found.append(self.t(
                "Sai số chuẩn bằng 0 là khi mọi người được hỏi trả lời như nhau, không có nghĩa là kết quả chắc chắn.",
                "A standard error of 0 means that everyone asked gave the same answer, not that the figure is certain.",
            ))  # fmt: skip
        unknown = {cell.code for cell in self.cells.all} - set(self.tree.nodes)
        if unknown:
            found.append(self.t(
                f"{count(len(unknown), 'vi')} mã trong tệp điểm không có trong cây chỉ số, không đưa vào báo cáo.",
                f"{counts(len(unknown), 'code')} of the scores file {plural(len(unknown), 'is', 'are')} not in the "
                f"index tree and {plural(len(unknown), 'was', 'were')} left out.",
            ))  # fmt: skip
        return tuple(found)


def view(cells: Cells, tree: Tree, meta: Meta, language: str, classed: Classed | None = None) -> View:
    """The page in ``language``; ``classed`` tells the classes of communes."""
    return Builder(cells, tree, meta, language, classed).build()
