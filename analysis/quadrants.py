"""The picture of drivers: importance upwards, performance to the right, four named quadrants, intervals as crosses."""

from __future__ import annotations

import html
import io
import re
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from analysis.drivers import ASSOCIATION, QUADRANTS, Drivers
from analysis.output import whole_file
from analysis.report.drawing import Drawing, Said
from analysis.report.format import count, number, percent
from survey.errors import InputError
from survey.text import Text

INK, BLUE, GREY, BAND = "#1a1a1a", "#0b4f8a", "#6b6b6b", "#eef2f6"
_CORNERS = {"improve": (0.01, 0.985), "keep": (0.99, 0.985), "watch": (0.01, 0.015), "enough": (0.99, 0.015)}
_LABEL, _LETTER, _LINE = 26, 4.6, 11.0
"""Letters of a line of a name, and points that a letter and a line take."""
_SIDES = [(side, far) for far in (0, 16, 32) for side in ((1, 1), (1, -1), (-1, 1), (-1, -1))]


def draw(found: Drivers, file: Path, language: str = "vi") -> None:
    """Draws ``found`` to ``file`` (.svg or .png), whole or not at all. Attributes that are not sure of their quadrant
    are hollow. Raises InputError for another ending."""
    canvases = {".svg": FigureCanvasSVG, ".png": FigureCanvasAgg}
    kind = file.suffix.lower()
    if kind not in canvases:
        raise InputError(
            str(file),
            Text("không vẽ được loại tệp này", "pictures of this kind are not drawn"),
            Text("dùng .svg hoặc .png", "use .svg or .png"),
        )
    words = told(found, language)
    with rc_context({"svg.fonttype": "none", "font.family": ["DejaVu Sans"], "svg.hashsalt": "survey"}):
        figure = _figure(found, language)
        canvas = canvases[kind](figure)
        if kind == ".png":
            described = {"Description": words}
            whole_file(file, lambda path: canvas.print_figure(path, format="png", dpi=150, metadata=described))
            return
        drawn = io.StringIO()
        canvas.print_figure(drawn, format="svg", metadata={"Date": None})
    opening = re.compile(r"<svg\b[^>]*", re.DOTALL)
    spoken = opening.sub(
        lambda tag: f'{tag[0]} role="img" aria-label="{html.escape(words)}"', drawn.getvalue(), count=1
    )
    whole_file(file, lambda path: Path(path).write_text(spoken, encoding="utf-8", newline="\n"))


def picture(found: Drivers, key: str, language: str, title: str) -> Drawing:
    """The picture as a chart of a report."""
    return Drawing(key, title, told(found, language), lambda said: _figure(found, language, said))


def told(found: Drivers, language: str) -> str:
    """The picture in words, for who cannot see it: each attribute's figures and quadrant, the strongest first."""
    rows = found.table.sort_values("importance", ascending=False, kind="stable")
    return f"{ASSOCIATION(language)}. {'; '.join(_line(row, language) for _, row in rows.iterrows())}."


def _line(row: Any, language: str) -> str:
    linked, reached = Text("liên hệ", "association")(language), Text("đạt", "performance")(language)
    return (
        f"{row['name']}: {linked} {percent(row['importance'] / 100, 1, language)}, "
        f"{reached} {number(row['performance'], 1, language)}, {QUADRANTS[row['quadrant']](language)}"
    )


def _figure(found: Drivers, language: str, said: Said | None = None) -> Figure:
    figure = Figure(figsize=(9.0, 6.4))
    axes = figure.add_axes((0.085, 0.125, 0.9, 0.86))
    line_i, line_p = found.lines
    for _, row in found.table.iterrows():
        sure = bool(row["sure"])
        marks = axes.errorbar(
            row["performance"],
            row["importance"],
            xerr=[
                [row["performance"] - row["performance_low"]],
                [row["performance_high"] - row["performance"]],
            ],
            yerr=[[row["importance"] - row["low"]], [row["high"] - row["importance"]]],
            fmt="o",
            color=BLUE,
            mfc=BLUE if sure else "white",
            ecolor=GREY,
            elinewidth=0.8,
            ms=7,
            zorder=3,
        )
        if said is not None:
            said.told(marks.lines[0], _line(row, language))
    axes.margins(0.12)
    axes.autoscale_view()  # now, not when it is drawn: names are laid on the final scale
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda x, _: number(x, 0 if float(x).is_integer() else 1, language)))
    _label(axes, found)
    axes.axhline(line_i, color=INK, lw=0.8, ls="--")
    axes.axvline(line_p, color=INK, lw=0.8, ls="--")
    for quadrant, (x, y) in _CORNERS.items():
        axes.text(
            x,
            y,
            QUADRANTS[quadrant](language),
            transform=axes.transAxes,
            ha="left" if x < 0.5 else "right",
            va="top" if y > 0.5 else "bottom",
            fontsize=11,
            weight="bold",
            color=GREY,
        )
    if said is None:
        axes.set_facecolor(BAND)
    axes.set_xlabel(Text("Mức đạt được", "Performance")(language))
    axes.set_ylabel(Text("Mức liên hệ (% của R²)", "Association (% of R²)")(language))
    hollow = Text("vòng rỗng: khoảng tin cậy chạm đường chia ô", "hollow: an interval touches a line")(language)
    rests_on = f"n = {count(found.n, language)}, R² = {number(found.r2, 2, language)}"
    figure.supxlabel(f"{ASSOCIATION(language)}; {hollow}. {rests_on}", fontsize=8, color=GREY)
    return figure


def _label(axes: Axes, found: Drivers) -> None:
    """A name beside each mark, on the side where it covers least of the other names and marks."""
    scale = axes.figure.dpi / 72
    points = axes.transData.transform(found.table[["performance", "importance"]].to_numpy(dtype=float)) / scale
    frame = axes.get_window_extent()
    low, high = (np.array(end) / scale for end in ((frame.x0, frame.y0), (frame.x1, frame.y1)))
    placed: list[tuple[np.ndarray, np.ndarray]] = []
    for k in np.argsort(-found.table["importance"].to_numpy(dtype=float), kind="stable"):
        lines = textwrap.wrap(str(found.table["name"].iloc[k]), _LABEL)[:2]
        size = np.array([max(map(len, lines)) * _LETTER, len(lines) * _LINE])

        def box(side: tuple[int, int], far: int, at: np.ndarray = points[k], size: np.ndarray = size) -> Any:
            near = at + np.array(side) * (7, 5 + far)
            return np.minimum(near, near + np.array(side) * size), np.maximum(near, near + np.array(side) * size)

        def cost(corners: Any) -> float:
            start, end = corners
            covered = sum(float(np.prod(np.clip(np.minimum(end, b) - np.maximum(start, a), 0, None)))
                          for a, b in placed)  # fmt: skip
            hidden = int(((points > start - 3) & (points < end + 3)).all(axis=1).sum())
            beyond = float(np.clip(low - start, 0, None).sum() + np.clip(end - high, 0, None).sum())
            return covered + 400 * hidden + 100 * beyond

        side, far = min(_SIDES, key=lambda one: cost(box(*one)))
        placed.append(box(side, far))
        axes.annotate(
            "\n".join(lines),
            (found.table["performance"].iloc[k], found.table["importance"].iloc[k]),
            xytext=(7 * side[0], (5 + far) * side[1]),
            textcoords="offset points",
            ha="left" if side[0] > 0 else "right",
            va="bottom" if side[1] > 0 else "top",
            fontsize=8,
            color=INK,
            zorder=4,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.75},
        )
