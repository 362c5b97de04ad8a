"""The picture of drivers: importance upwards, performance to the right, four named quadrants, intervals as crosses."""

from __future__ import annotations

import html
import io
import re
import textwrap
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from analysis.drivers import ASSOCIATION, QUADRANTS, Drivers
from analysis.output import whole_file
from analysis.report.drawing import Drawing, Said
from analysis.report.format import count, number, percent
from survey.errors import InputError
from survey.text import Text

INK, BLUE, GREY, BAND = "#1a1a1a", "#0b4f8a", "#6b6b6b", "#eef2f6"
_CORNERS = {"improve": (0.01, 0.985), "keep": (0.99, 0.985), "watch": (0.01, 0.015), "enough": (0.99, 0.015)}
_LABEL = 26


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
    figure = Figure(figsize=(9.0, 6.4), layout="constrained")
    axes = figure.add_subplot()
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
        axes.annotate(
            "\n".join(textwrap.wrap(str(row["name"]), _LABEL)[:2]),
            (row["performance"], row["importance"]),
            xytext=(7, 6),
            textcoords="offset points",
            fontsize=8,
            color=INK,
            zorder=4,
            bbox={"facecolor": BAND, "edgecolor": "none", "pad": 1, "alpha": 0.85},
        )
    axes.margins(0.18)
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
    axes.set_facecolor(BAND)
    axes.set_xlabel(Text("Mức đạt được", "Performance")(language))
    axes.set_ylabel(
        Text("Mức liên hệ với hài lòng chung (% của R²)", "Association with the outcome (% of R²)")(language)
    )
    hollow = Text("vòng rỗng: khoảng tin cậy chạm đường chia ô", "hollow: an interval touches a line")(language)
    rests_on = f"n = {count(found.n, language)}, R² = {number(found.r2, 2, language)}"
    figure.supxlabel(f"{ASSOCIATION(language)}; {hollow}. {rests_on}", fontsize=8, color=GREY)
    return figure
