"""One figure as the reader sees it, in one language: a line of a table, a dot of a chart, the words under a chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.report import charts
from analysis.report.cells import SMALL, Cell
from analysis.report.format import count, decimals, interval, known, level, number, percent
from analysis.report.meta import Meta
from analysis.report.tree import Bounds, Node


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
    remark: str = ""
    unweighted: str = ""
    silent: str = ""
    aside: bool = False
    leaf: bool = False
    cell: Cell | None = None
    places: int = 2


class Figures:
    """Turns cells into words, strings and dots of one ``language``."""

    def __init__(self, meta: Meta, language: str):
        self.meta, self.language = meta, language

    def t(self, vi: str, en: str) -> str:
        """The text in this language."""
        return vi if self.language == "vi" else en

    @property
    def sure(self) -> str:
        """The confidence level in words: ``95 %``."""
        return level(self.meta.level, self.language)

    def line(self, cell: Cell | None, node: Node, *, label: str = "", rank: str = "") -> Line:
        """One line of a table; dashes where the cell or a figure of it is missing."""
        say, places = self.language, decimals(node.width)
        missing = cell is None or not known(cell.estimate)
        return Line(
            label=label or node.label(say),
            code=node.code,
            level_name=node.level_name(say),
            depth=node.depth,
            scale=self.scale(node.scale),
            estimate=number(cell.estimate, places, say) if cell else number(None, 0, say),
            interval=interval(cell.low, cell.high, places, say) if cell else number(None, 0, say),
            se=number(cell.se if cell else None, 2 if node.width >= 20 else places + 1, say),
            df=count(cell.df if cell else None, say),
            n=count(cell.n if cell else None, say),
            n_psu=count(cell.n_psu if cell else None, say),
            deff=number(cell.deff if cell else None, 2, say),
            bar=None if cell is None or missing else self.bar(cell, node),
            small=cell is not None and cell.small,
            missing=missing,
            rank=rank,
            also_in=", ".join(node.also_in),
            remark=cell.remark(say) if cell else "",
            unweighted=number(cell.unweighted if cell else None, places, say),
            silent=percent(self.meta.silent.get(node.code), 1, say),
            aside=not node.counts,
            leaf=not node.children,
            cell=cell,
            places=places,
        )

    def scale(self, scale: Bounds | None) -> str:
        """``0–100``; empty where the scale is not known."""
        if scale is None:
            return ""
        places = next((p for p in range(3) if all(abs(round(x, p) - x) < 1e-9 for x in scale)), 2)
        return interval(*scale, places, self.language)

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

    def reference(self, cell: Cell | None) -> charts.Reference | None:
        if cell is None or not known(cell.estimate):
            return None
        return charts.Reference(cell.estimate, cell.low, cell.high)

    def caption(self, scale: Bounds | None, window: Bounds, rows: Sequence[charts.Dot], reference: bool) -> str:
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
            parts.append(self.t(
                "Đường đứt và dải nền là kết quả chung của cuộc khảo sát và khoảng tin cậy của nó",
                "The dashed line and band are the overall result and its interval",
            ))  # fmt: skip
        if scale and (window[0] > scale[0] or window[1] < scale[1]):
            parts.append(self.t(
                f"Trục chỉ vẽ đoạn {self.scale(window)} của thang {self.scale(scale)}",
                f"The axis shows only {self.scale(window)} of the scale {self.scale(scale)}",
            ))  # fmt: skip
        return ". ".join(parts) + "."

    def read_aloud(self, rows: Sequence[charts.Dot]) -> str:
        """The chart for who cannot see it: every row in words."""
        return "; ".join(f"{row.label.removesuffix(' †')}: {row.printed}" for row in rows)
