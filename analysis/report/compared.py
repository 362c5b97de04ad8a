"""Charts that compare: a radar of components, slopes of change between two rounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.projections.polar import PolarAxes

from analysis.report.charts import wrapped
from analysis.report.drawing import BLUE, GREY, INK, ORANGE, Drawing, Said
from analysis.report.format import known, number

_STYLES = {"up": (BLUE, "-", "▲"), "down": (ORANGE, "-", "▼"), "": (GREY, (0, (4, 2)), "")}
_LEAST = 3  # spokes of a radar


@dataclass(frozen=True)
class Spoke:
    """One component of a radar: values and interval ends as shares (0–1) of its own scale."""

    label: str
    value: float
    low: float | None
    high: float | None
    beside: float | None
    printed: str


@dataclass(frozen=True)
class Slope:
    """One line from the round before to the round after; ``verdict`` is up, down or empty where it is not certain."""

    label: str
    before: float
    after: float
    verdict: str
    printed: str


def radar(spokes: Sequence[Spoke], *, key: str, title: str, names: tuple[str, str]) -> Drawing | None:
    """Components around a circle, each from the lowest to the highest value of its own scale, with intervals as bars;
    ``names`` are those of the place and of what it is read against. None where fewer than three have a value."""
    if len(spokes) < _LEAST:
        return None
    described = "; ".join(f"{spoke.label}: {spoke.printed}" for spoke in spokes)

    def draw(said: Said) -> Figure:
        figure = Figure(figsize=(6.4, 5.2))
        axes = figure.add_axes((0.2, 0.14, 0.6, 0.7), projection="polar")
        angles = np.linspace(0, 2 * np.pi, len(spokes), endpoint=False)
        assert isinstance(axes, PolarAxes)
        axes.set_theta_offset(np.pi / 2)
        axes.set_theta_direction(-1)
        closed = [*angles, angles[0]]
        if all(known(spoke.beside) for spoke in spokes):
            others = [spoke.beside for spoke in spokes if known(spoke.beside)]
            axes.plot(closed, [*others, others[0]], color=ORANGE, lw=1.3, ls=(0, (5, 3)), label=names[1])
        values = [spoke.value for spoke in spokes]
        axes.plot(closed, [*values, values[0]], color=BLUE, lw=1.8, label=names[0])
        for angle, spoke in zip(angles, spokes, strict=True):
            if known(spoke.low) and known(spoke.high):
                axes.plot([angle, angle], [max(spoke.low, 0), min(spoke.high, 1)], color=BLUE, lw=4, alpha=0.45,
                          solid_capstyle="butt")  # fmt: skip
            (mark,) = axes.plot([angle], [spoke.value], "o", color=BLUE, ms=6)
            said.told(mark, f"{spoke.label}: {spoke.printed}")
            across = float(np.sin(angle))
            side = "center" if abs(across) < 0.2 else "left" if across > 0 else "right"
            level = "center" if abs(across) > 0.6 else "bottom" if np.cos(angle) > 0 else "top"
            axes.annotate(wrapped(spoke.label, 22), (angle, 1.08), ha=side, va=level, fontsize=8, color=INK,
                          annotation_clip=False)  # fmt: skip
        axes.set_ylim(0, 1)
        axes.set_xticks(angles, [""] * len(angles))
        axes.set_yticks([0.25, 0.5, 0.75, 1.0], ["", "50 %", "", "100 %"], fontsize=7, color=GREY)
        axes.grid(color="#d0d0d0", lw=0.7)
        axes.spines["polar"].set_color("#d0d0d0")
        figure.legend(loc="lower center", ncols=2, frameon=False, fontsize=8.5)
        return figure

    return Drawing(key, title, described, draw, 120)


def slopes(lines: Sequence[Slope], *, key: str, title: str, rounds: tuple[str, str], language: str,
           places: int = 2) -> Drawing | None:  # fmt: skip
    """Lines between two rounds: solid and marked where the change is certain, dashed where it is not. None where
    nothing was measured in both."""
    both = [line for line in lines if known(line.before) and known(line.after)]
    if not both:
        return None
    described = "; ".join(f"{line.label}: {line.printed}" for line in both)

    def draw(said: Said) -> Figure:
        tall = max(3.0, 0.3 * len(both) + 1.0)
        figure = Figure(figsize=(9.0, tall))
        axes = figure.add_axes((0.32, 0.06, 0.36, 0.84), frameon=False)
        low = min(min(line.before, line.after) for line in both)
        high = max(max(line.before, line.after) for line in both)
        air = 0.05 * (high - low) or 0.5
        axes.set_ylim(low - air, high + air)
        axes.set_xlim(0, 1)
        for x in (0, 1):
            axes.axvline(x, color="#b0b0b0", lw=0.8)
        for line in both:
            colour, style, _ = _STYLES[line.verdict]
            (drawn,) = axes.plot([0, 1], [line.before, line.after], color=colour, ls=style, lw=1.8, marker="o", ms=4.5,
                                 clip_on=False)  # fmt: skip
            said.told(drawn, f"{line.label}: {line.printed}")
        step = (high - low + 2 * air) * 0.27 / (tall * 0.84 * 1.45)
        _beside(axes, [(line.before, f"{wrapped(line.label, 60)}  {number(line.before, places, language)}", GREY)
                       for line in both], 0, step)  # fmt: skip
        _beside(axes, [(line.after, f"{number(line.after, places, language)} {_STYLES[line.verdict][2]} {line.label}",
                        INK if line.verdict else GREY) for line in both], 1, step)  # fmt: skip
        axes.set_xticks([0, 1], rounds, fontsize=10, weight="bold")
        axes.xaxis.tick_top()
        axes.tick_params(axis="x", length=0)
        axes.set_yticks([])
        return figure

    return Drawing(key, title, described, draw)


def _beside(axes: Axes, labels: Sequence[tuple[float, str, str]], x: int, step: float) -> None:
    """Labels beside their ends, pushed apart so that none lies on another, with a thin line where one had to move."""
    order = sorted(labels)
    at = [y for y, _, _ in order]
    for _ in range(60):
        for k in range(len(at) - 1):
            short = step - (at[k + 1] - at[k])
            if short > 1e-9:
                at[k] -= short / 2
                at[k + 1] += short / 2
    away = -0.04 if x == 0 else 1.04
    for (y, words, colour), moved in zip(order, at, strict=True):
        axes.annotate(_short(words), (x, y), (away * 1.0 if x else away, moved), ha="right" if x == 0 else "left",
                      va="center", fontsize=7.8, color=colour, annotation_clip=False,
                      arrowprops={"arrowstyle": "-", "lw": 0.4, "color": "#b0b0b0"})  # fmt: skip


def _short(words: str) -> str:
    return words if len(words) <= 52 else words[:50] + "…"
