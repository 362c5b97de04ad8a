"""What the page shows, in one language: every figure already a string, every chart already drawn.

The template only lays out; whatever must be decided (what is small, what may be ranked, which sentence is true) is
decided here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from analysis.report import charts
from analysis.report.cells import FEW_DF, SMALL, Cell, Cells
from analysis.report.format import count, decimals, interval, known, level, number
from analysis.report.meta import PLACES, Meta
from analysis.report.tree import Node, Tree
from survey.text import Text

_PANEL = 36  # rows of a chart that fit a printed page
_COLUMNS = 9  # components that fit side by side on A4


@dataclass(frozen=True)
class Line:
    """One line of a table of figures. ``bar`` is (low, value, high) in percent of the scale, None without a value."""

    label: str
    estimate: str
    interval: str
    se: str
    df: str
    n: str
    n_psu: str
    deff: str
    bar: tuple[float, float, float] | None
    small: bool
    missing: bool
    code: str = ""
    level_name: str = ""
    scale: str = ""
    depth: int = 0
    rank: str = ""
    also_in: str = ""
    note: str = ""


@dataclass(frozen=True)
class Matrix:
    """Domains down, components across; each cell is (estimate, interval, small)."""

    columns: tuple[Node, ...]
    rows: tuple[tuple[str, tuple[tuple[str, str, bool], ...]], ...]


@dataclass(frozen=True)
class Section:
    """One domain level: chart, table, sentences and components."""

    id: str
    name: str
    heading: str
    node: Node
    published: bool
    is_place: bool
    charts: tuple[str, ...]
    caption: str
    sentences: tuple[str, ...]
    lines: tuple[Line, ...]
    ranked: bool
    matrix: Matrix | None


@dataclass(frozen=True)
class View:
    """The whole page in one language."""

    language: str
    headline: Line | None
    headline_text: str
    components: str
    components_caption: str
    index: tuple[Line, ...]
    index_published: bool
    sections: tuple[Section, ...]
    notes: tuple[str, ...]
    own: bool
    published: bool
    has_small: bool


class Builder:
    """Builds the :class:`View` of one language."""

    def __init__(self, cells: Cells, tree: Tree, meta: Meta, language: str):
        self.cells, self.tree, self.meta, self.language = cells, tree, meta, language

    def t(self, vi: str, en: str) -> str:
        return vi if self.language == "vi" else en

    def build(self) -> View:
        """The page; what the scores do not hold is left out of it."""
        whole = self.cells.whole()
        top = self.headline_node()
        headline = whole.get(top.code)
        sections = [section for name in self.cells.levels() for section in self.sections(name, top)]
        known_codes = [cell for cell in self.cells.all if cell.code in self.tree.nodes]
        components, caption = self.components_chart(whole, top)
        return View(
            language=self.language,
            headline=self.line(headline, top) if headline is not None and known(headline.estimate) else None,
            headline_text=self.headline_sentence(headline, top),
            components=components,
            components_caption=caption,
            index=self.index_lines(whole),
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

    # -- single figures ---------------------------------------------------------------------------------------

    def line(self, cell: Cell | None, node: Node, *, label: str = "", rank: str = "") -> Line:
        """One line of a table; dashes where the cell or a figure of it is missing."""
        say, places = self.language, decimals(node.width)
        missing = cell is None or not known(cell.estimate)
        return Line(
            label=label or node.label(say),
            code=node.code,
            level_name=node.level_name(say),
            depth=node.depth,
            scale=self.scale(node),
            estimate=number(cell.estimate, places, say) if cell else number(None, 0, say),
            interval=interval(cell.low, cell.high, places, say) if cell else number(None, 0, say),
            se=number(cell.se if cell else None, places + 1, say),
            df=count(cell.df if cell else None, say),
            n=count(cell.n if cell else None, say),
            n_psu=count(cell.n_psu if cell else None, say),
            deff=number(cell.deff if cell else None, 2, say),
            bar=None if cell is None or missing else self.bar(cell, node),
            small=cell is not None and cell.small,
            missing=missing,
            rank=rank,
            also_in=", ".join(node.also_in),
            note=cell.note if cell else "",
        )

    def scale(self, node: Node) -> str:
        """``0–100``; empty where the scale is not known."""
        if node.scale is None:
            return ""
        low, high = node.scale
        places = next((p for p in range(3) if all(abs(round(x, p) - x) < 1e-9 for x in node.scale)), 2)
        return interval(low, high, places, self.language)

    def bar(self, cell: Cell, node: Node) -> tuple[float, float, float] | None:
        if node.scale is None or not node.width:
            return None
        ends = (cell.low, cell.estimate, cell.high) if cell.has_interval else (cell.estimate,) * 3
        low, value, high = (min(100.0, max(0.0, 100 * (x - node.scale[0]) / node.width)) for x in ends)
        return round(low, 2), round(value, 2), round(high, 2)

    def printed(self, cell: Cell, node: Node) -> str:
        """``83,94 (81,20–86,68)``, without brackets where there is no interval."""
        places = decimals(node.width)
        value = number(cell.estimate, places, self.language)
        return f"{value} ({interval(cell.low, cell.high, places, self.language)})" if cell.has_interval else value

    def dot(self, cell: Cell, node: Node, label: str, strong: bool = False) -> charts.Dot:
        kind = "published" if cell.published else "small" if cell.small else "own"
        mark = " †" if cell.small else ""
        return charts.Dot(label + mark, cell.estimate, cell.low, cell.high, self.printed(cell, node), kind, strong)

    # -- headline and index -----------------------------------------------------------------------------------

    def headline_sentence(self, cell: Cell | None, node: Node) -> str:
        if cell is None or not known(cell.estimate):
            return ""
        scale = self.scale(node)
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
        ends = self.t(" đến ", " to ").join(
            number(x, decimals(node.width), self.language) for x in (cell.low, cell.high)
        )
        if cell.published:
            return self.t(
                f"{label} công bố là {value}{on_scale}, khoảng công bố từ {ends}.",
                f"{label} was published as {value}{on_scale}, with the published interval {ends}.",
            )
        sure = level(self.meta.level, self.language)
        return self.t(
            f"{label} ước lượng đạt {value}{on_scale}. Khoảng tin cậy {sure} là từ {ends}: chênh lệch nhỏ hơn độ rộng "
            "khoảng này có thể chỉ do chọn mẫu.",
            f"{label} is estimated at {value}{on_scale}. The {sure} confidence interval is {ends}: a difference "
            "smaller than this width may come from sampling alone.",
        )

    def components_chart(self, whole: Mapping[str, Cell], top: Node) -> tuple[str, str]:
        """The dots of the components with their caption; empty if the whole was not scored."""
        nodes = [n for n in self.tree.components(14) if (cell := whole.get(n.code)) and known(cell.estimate)]
        if not nodes:
            return "", ""
        outer = min(node.depth for node in nodes)
        mixed = len({node.depth for node in nodes}) > 1
        rows = [
            self.dot(whole[n.code], n, n.label(self.language), strong=mixed and n.depth == outer) for n in nodes
        ]
        heading = self.t("Điểm thành phần", "Components")
        reference = self.reference(whole.get(top.code)) if top.scale == nodes[0].scale else None
        window = charts.window(rows, nodes[0].scale, reference)
        chart = charts.dots(
            rows,
            key=f"{self.language}-components",
            title=f"{heading}: {self.meta.index_title(self.language)}",
            description=self.read_aloud(rows),
            language=self.language,
            window=window,
            reference=reference,
        )
        return chart, self.caption(nodes[0], window, rows, self.t("toàn bộ", "the whole") if reference else "")

    def reference(self, cell: Cell | None) -> charts.Reference | None:
        if cell is None or not known(cell.estimate):
            return None
        return charts.Reference(cell.estimate, cell.low, cell.high)

    def caption(self, node: Node, window: tuple[float, float], rows: Sequence[charts.Dot], reference: str) -> str:
        """How to read the chart: what a mark is, and that the axis shows only a stretch of the scale."""
        kinds = {row.kind for row in rows}
        parts = []
        if kinds & {"own", "small"}:
            sure = level(self.meta.level, self.language)
            parts.append(self.t(
                f"Chấm là giá trị ước lượng, vạch ngang là khoảng tin cậy {sure}",
                f"Dots are estimates, bars their {sure} confidence intervals",
            ))  # fmt: skip
        if "published" in kinds:
            has_bars = any(known(row.low) for row in rows if row.kind == "published")
            parts.append(self.t("Hình thoi là giá trị công bố", "Diamonds are published values")
                         + (self.t(", vạch ngang là khoảng công bố", ", bars the published intervals") if has_bars
                            else self.t(" (không công bố sai số)", " (published without errors)")))  # fmt: skip
        if "small" in kinds:
            parts.append(self.t(
                f"† chấm rỗng, chữ xám: dưới {SMALL} người trả lời, chỉ để tham khảo",
                f"† hollow dot, grey: fewer than {SMALL} answers, for orientation only",
            ))  # fmt: skip
        if reference:
            parts.append(self.t(f"Đường đứt và dải nền: {reference}", f"Dashed line and band: {reference}"))
        if node.scale and (window[0] > node.scale[0] or window[1] < node.scale[1]):
            shown = interval(*window, 0 if node.width >= 20 else 2, self.language)
            parts.append(self.t(
                f"Trục chỉ vẽ đoạn {shown} của thang {self.scale(node)}",
                f"The axis shows only {shown} of the scale {self.scale(node)}",
            ))  # fmt: skip
        return ". ".join(parts) + "."

    def read_aloud(self, rows: Sequence[charts.Dot]) -> str:
        """The chart for who cannot see it: every row in words."""
        return "; ".join(f"{row.label.removesuffix(' †')}: {row.printed}" for row in rows)

    def index_lines(self, whole: Mapping[str, Cell]) -> tuple[Line, ...]:
        """The whole tree; branches of which nothing was scored are left out."""
        if not any(known(cell.estimate) for code, cell in whole.items() if code in self.tree.nodes):
            return ()
        return tuple(
            self.line(whole.get(node.code), node) for node in self.tree.nodes.values() if self.holds(node, whole)
        )

    def holds(self, node: Node, whole: Mapping[str, Cell]) -> bool:
        return node.code in whole or any(self.holds(self.tree.nodes[child], whole) for child in node.children)

    # -- domains ----------------------------------------------------------------------------------------------

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
        order = sorted(domains, key=lambda d: self.place(domains[d].get(top.code))) if is_place else list(domains)
        shown = [(label[d], domains[d].get(top.code)) for d in order]
        valued = [(text, cell) for text, cell in shown if cell is not None and known(cell.estimate)]
        ranks = self.ranks([cell for _, cell in shown]) if is_place else [""] * len(shown)
        key = f"{self.language}-{name.replace('*', '-')}-{'published' if published else 'own'}"
        rows = [self.dot(cell, top, text) for text, cell in valued]
        reference = None if published else self.reference(self.cells.whole().get(top.code))
        window = charts.window(rows, top.scale, reference)
        heading = self.t(f"Kết quả theo {words[:1].lower()}{words[1:]}", f"Results by {words[:1].lower()}{words[1:]}")
        if published:
            heading += self.t(": số liệu công bố", ": published values")
        panels = [rows[i : i + _PANEL] for i in range(0, len(rows), _PANEL)]
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
                    description=self.read_aloud(panel),
                    language=self.language,
                    window=window,
                    reference=reference,
                )
                for i, panel in enumerate(panels)
            ),
            caption=self.caption(top, window, rows, self.t("toàn bộ", "the whole") if reference else ""),
            sentences=self.order_sentences([cell for _, cell in valued]) if is_place else (),
            lines=tuple(
                self.line(cell, top, label=text, rank=rank)
                for (text, cell), rank in zip(shown, ranks, strict=True)
            ),
            ranked=any(rank not in ("", "–") for rank in ranks),
            matrix=self.matrix(order, label, domains),
        )

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
                f"Không ghi số thứ hạng cho {len(unranked)} trong {len(cells)} đơn vị có dưới {FEW_DF} bậc tự do "
                f"hoặc dưới {SMALL} người trả lời.",
                f"{len(unranked)} of {len(cells)} places with fewer than {FEW_DF} degrees of freedom or fewer than "
                f"{SMALL} answers carry no rank number.",
            ))  # fmt: skip
        return tuple(said)

    def matrix(self, order: Sequence[str], label: Mapping[str, str], domains: dict[str, dict[str, Cell]]) -> Matrix | None:
        """Components by domain, each value with its interval."""
        columns = [
            node for node in self.tree.components(_COLUMNS) if any(node.code in domains[d] for d in order)
        ]
        if not columns:
            return None

        def entry(cell: Cell | None, node: Node) -> tuple[str, str, bool]:
            line = self.line(cell, node)
            return line.estimate, line.interval if cell and cell.has_interval else "", line.small

        rows = tuple((label[d], tuple(entry(domains[d].get(n.code), n) for n in columns)) for d in order)
        return Matrix(tuple(columns), rows)

    # -- notes ------------------------------------------------------------------------------------------------

    def notes(self) -> tuple[str, ...]:
        """Remarks: told by the caller, found in the scores, and what was left out."""
        found = [note(self.language) for note in self.meta.notes]
        unknown = {cell.code for cell in self.cells.all} - set(self.tree.nodes)
        if unknown:
            found.append(self.t(
                f"{count(len(unknown), 'vi')} mã trong tệp điểm không có trong cây chỉ số, không đưa vào báo cáo.",
                f"{count(len(unknown), 'en')} codes of the scores file are not in the index tree and were left out.",
            ))  # fmt: skip
        return tuple(found)


def rankable(cell: Cell | None) -> bool:
    """Whether a place may carry a rank number: a value that is not small, on enough degrees of freedom."""
    if cell is None or not known(cell.estimate):
        return False
    return cell.published or not (cell.small or cell.few_df)


def view(cells: Cells, tree: Tree, meta: Meta, language: str) -> View:
    """The page in ``language``."""
    return Builder(cells, tree, meta, language).build()


__all__ = ["Line", "Matrix", "Section", "Text", "View", "view"]
