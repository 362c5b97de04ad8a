"""Dot charts with intervals.

Shape carries the meaning before colour does: filled circle = estimate, hollow circle = too few answers, diamond =
published value, bar = interval. One chart is drawn per language.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from analysis.report.drawing import BAND, BLUE, GREY, INK, ORANGE, Drawing, Said
from analysis.report.format import known, number

_WIDTH = 9.0  # inches; the page scales it
_ROW = 0.27  # inches of one line of text
_LEADING = 11.5  # points from line to line of a label
_LABEL = 40  # characters of a row's label before it wraps
_STEPS = [1, 2, 5, 10]


@dataclass(frozen=True)
class Dot:
    """One row: a value, its interval if it has one, and what is printed at the right."""

    label: str
    value: float
    low: float | None
    high: float | None
    printed: str
    kind: str = "own"  # own | small | published
    strong: bool = False


@dataclass(frozen=True)
class Reference:
    """A vertical line all rows are read against, with its interval as a band."""

    value: float
    low: float | None
    high: float | None


def dots(
    rows: Sequence[Dot],
    *,
    key: str,
    title: str,
    description: str,
    language: str,
    window: tuple[float, float],
    reference: Reference | None = None,
    alike: Sequence[Dot] = (),
) -> Drawing:
    """A chart of ``rows`` from top to bottom on the axis ``window``; ``key`` makes its ids unique.

    ``alike`` are the rows of all panels of one chart, so that their axes stand below each other.
    """
    labels = [wrapped(row.label) for row in rows]
    lines = [label.count("\n") + 1 for label in labels]
    heights = [0.85 + 0.62 * (n - 1) if n > 1 else 1.0 for n in lines]
    middles, used = [], 0.0
    for height in heights:
        middles.append(used + height / 2)
        used += height
    tall = used * _ROW + 0.38

    def draw(said: Said) -> Figure:
        figure = Figure(figsize=(_WIDTH, tall))
        left = 0.075 * max(len(line) for row in alike or rows for line in wrapped(row.label).split("\n")) + 0.2
        right = 0.074 * max(len(row.printed) for row in alike or rows) + 0.2
        axes = figure.add_axes(
            (left / _WIDTH, 0.3 / tall, (_WIDTH - left - right) / _WIDTH, used * _ROW / tall), frameon=False
        )
        _scale(axes, window, used, language)
        if reference is not None:
            if known(reference.low) and known(reference.high):
                axes.axvspan(reference.low, reference.high, color=BAND, lw=0, zorder=0)
            axes.axvline(reference.value, color=ORANGE, lw=1.1, dashes=(5, 3), zorder=1)
        for row, label, y in zip(rows, labels, middles, strict=True):
            _row(axes, row, label, y, said)
        return figure

    return Drawing(key, title, description, draw)


def window(
    rows: Sequence[Dot], scale: tuple[float, float] | None, reference: Reference | None = None
) -> tuple[float, float]:
    """The stretch of the axis that shows all ``rows`` with air, inside the ``scale`` unless a value leaves it."""
    values = [row.value for row in rows] + ([reference.value] if reference is not None else [])
    ends = values + [x for row in rows for x in (row.low, row.high) if x is not None and known(x)]
    low, high = min(ends), max(ends)
    air = 0.06 * (high - low) or 0.05 * (abs(high) or 1)
    ticks = MaxNLocator(nbins=6, steps=_STEPS).tick_values(low - air, high + air)
    start, end = float(ticks[0]), float(ticks[-1])
    if scale is not None:
        start, end = max(start, min(scale[0], *values)), min(end, max(scale[1], *values))
    return start, end


def wrapped(label: str, most: int = _LABEL) -> str:
    """``label`` in as few lines of ``most`` characters as it needs, all about equally long."""

    def lines(width: int) -> list[str]:
        return textwrap.wrap(label, width, break_long_words=False) or [" "]

    few = len(lines(most))
    narrowest = next(width for width in range(8, most + 1) if len(lines(width)) == few)
    return "\n".join(lines(narrowest))


def _scale(axes: Axes, window: tuple[float, float], rows: float, language: str) -> None:
    axes.set_xlim(*window)
    axes.set_ylim(rows, 0)
    axes.set_yticks([])
    ticks = [float(x) for x in MaxNLocator(nbins=7, steps=_STEPS).tick_values(*window)]
    ticks = [x for x in ticks if window[0] - 1e-9 <= x <= window[1] + 1e-9]
    axes.set_xticks(ticks)
    places = next((p for p in range(4) if all(abs(round(x, p) - x) < 1e-9 for x in ticks)), 4)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: number(x, places, language)))
    axes.tick_params(axis="x", length=0, pad=5, colors=INK)
    axes.grid(axis="x", color="#d0d0d0", lw=0.7)
    axes.set_axisbelow(True)


def _row(axes: Axes, row: Dot, label: str, y: float, said: Said) -> None:
    colour = {"own": BLUE, "small": GREY, "published": INK}[row.kind]
    if row.low is not None and row.high is not None and known(row.low) and known(row.high):
        start, end = axes.get_xlim()
        width = 2.6 if row.kind != "small" else 1.4
        shown = [max(row.low, start), min(row.high, end)]
        (bar,) = axes.plot(shown, [y, y], color=colour, lw=width, zorder=2, solid_capstyle="butt", clip_on=False)
        said.told(bar, f"{row.label}: {row.printed}")
        # An interval that leaves the scale ends in an arrow; its true ends are printed at the right.
        for beyond, x, arrow in ((row.low < start, start, "<"), (row.high > end, end, ">")):
            if beyond:
                axes.plot([x], [y], marker=arrow, color=colour, markersize=5, linestyle="none", clip_on=False)
    (mark,) = axes.plot(
        [row.value], [y], marker="D" if row.kind == "published" else "o", markersize=7 if row.strong else 6,
        markerfacecolor="white" if row.kind == "small" else colour, markeredgecolor=colour, markeredgewidth=1.3,
        linestyle="none", zorder=3, clip_on=False,
    )  # fmt: skip
    said.told(mark, f"{row.label}: {row.printed}")
    weight = "bold" if row.strong else "normal"
    text = GREY if row.kind == "small" else INK
    lines = label.split("\n")
    for number_of_line, line in enumerate(lines):
        # One text a line, anchored at its end: the reader's font has other widths than the one measured here.
        axes.annotate(
            line, (-0.012, y), xycoords=axes.get_yaxis_transform(), textcoords="offset points", ha="right", va="center",
            xytext=(0, _LEADING * ((len(lines) - 1) / 2 - number_of_line)), color=text, weight=weight,
        )  # fmt: skip
    axes.text(1.015, y, row.printed, transform=axes.get_yaxis_transform(), ha="left", va="center", color=text,
              weight=weight)  # fmt: skip
