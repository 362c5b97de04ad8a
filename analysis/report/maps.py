"""Maps of four groups: provinces as tiles of equal size, or the outlines of an office's own file.

A tile map gives Bắc Ninh as much room as Nghệ An, needs no boundary file, and names every unit. Groups are told apart
by lightness, pattern and a sign, so that a grey print reads like the screen. Results of a round before the merger of
1 July 2025 are drawn on the 63 former provinces only: a merged province never takes a colour from what its parts had.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, PathPatch, Rectangle
from matplotlib.path import Path as Outline

from analysis.ranking import GROUP_WORDS, GROUPS, Groups, group_rules, quartile_groups
from analysis.report.charts import wrapped
from analysis.report.drawing import GREY, INK, Drawing, Said
from analysis.report.format import known, number
from analysis.report.outlines import Shape
from analysis.units import provinces
from survey.text import Text

SIGNS = {"best": "++", "high_average": "+", "low_average": "−", "poor": "−−"}
NOTHING = Text("không có số liệu", "no figures")
_FILL = {"best": "#0b3c6f", "high_average": "#5f9bc9", "low_average": "#c8dcec", "poor": "#ffffff"}
_HATCH = {"best": "", "high_average": "", "low_average": "..", "poor": "//"}
_EMPTY, _EDGE = "#e6e6e6", "#8a8a8a"
_ISLANDS = ((Text("QĐ. Hoàng Sa\n(Đà Nẵng)", "Hoàng Sa\n(Đà Nẵng)"), "48"),
            (Text("QĐ. Trường Sa\n(Khánh Hòa)", "Trường Sa\n(Khánh Hòa)"), "56"))  # fmt: skip
_LAST_FORMER = 2024
_DAYS = {63: "2024-12-31", 34: "2025-07-01"}


@dataclass(frozen=True)
class Tile:
    """A province on its grid."""

    code: str
    name: str
    row: int
    column: int


@dataclass(frozen=True)
class Mapped:
    """What a map shows: the group and value of each place by its code, and the grid they were found on."""

    grid: int
    values: Mapping[str, float]
    groups: Mapping[str, str]
    all: Groups
    unknown: tuple[str, ...]


@cache
def tiles(grid: int) -> tuple[Tile, ...]:
    """The 34 provinces, or the 63 former ones."""
    with (Path(__file__).parent / "tiles.csv").open(encoding="utf-8", newline="") as rows:
        placed = {row["code"]: row for row in csv.DictReader(rows) if int(row["grid"]) == grid}
    return tuple(
        Tile(unit.code, unit.name, int(placed[unit.code]["row"]), int(placed[unit.code]["column"]))
        for unit in provinces().on(_DAYS[grid])
    )


def grid_of(places: Sequence[Sequence[str]], round: str = "") -> int:
    """Which provinces these are, each told by its code and names: the 63 of a round up to 2024, else those that fit."""
    year = re.search(r"(?<!\d)(20\d\d)(?!\d)", round)
    if year and int(year[1]) <= _LAST_FORMER:
        return 63
    return 34 if all(province(place, 34) for place in places) else 63


def province(place: Sequence[str], grid: int) -> str:
    """The code of the province that a code or a name means among the 34 or the 63; empty if there is none."""
    for word in place:
        found = provinces().lookup(word, _DAYS[grid])
        if len(found) == 1:
            return found[0].code
    return ""


def merged(code: str) -> bool:
    """Whether one of the 34 came out of several former provinces, so that no former figure speaks of it."""
    now = provinces().find(code, _DAYS[34])
    return provinces().same(now, _DAYS[63]) is None


def mapped(values: Mapping[str, tuple[Sequence[str], float]], *, round: str = "", index: str = "") -> Mapped:
    """Four groups of provinces. ``values`` gives by domain the words that name it, and its estimate.

    PAPI's rules of the year: in 2022 provinces without a total count as zeros when the cuts are made, in 2023 a value
    on the cut goes down. Provinces that all have one value are in no group.
    """
    grid = grid_of([words for words, _ in values.values()], round)
    found: dict[str, float] = {}
    unknown = []
    for domain, (words, value) in values.items():
        code = province(words, grid)
        if code:
            found[code] = value
        else:
            unknown.append(domain)
    ties, missing = group_rules(index, round)
    # A province that a file leaves out was without a total as much as one that is there and blank.
    estimates = [found.get(tile.code, float("nan")) for tile in tiles(grid)]
    groups = quartile_groups(estimates, ties, missing)
    valued = [value for value in found.values() if known(value)]
    named = groups.names if len(valued) >= len(GROUPS) and len(set(valued)) > 1 else ("",) * len(groups.names)
    by_code = {tile.code: name for tile, name in zip(tiles(grid), named, strict=True) if name}
    return Mapped(grid, found, by_code, groups, tuple(unknown))


def carried_over(shown: Mapped) -> Mapped:
    """What a map of the former 63 says of the 34: the provinces whose territory stayed the same keep value and group,
    the merged ones have none."""
    if shown.grid == 34:
        return shown
    former = {tile.code: tile for tile in tiles(63)}
    stays = {}
    for code in former:
        unit = provinces().find(code, _DAYS[63])
        same = provinces().same(unit, _DAYS[34])
        if same is not None:
            stays[code] = same.code
    return replace(
        shown,
        grid=34,
        values={stays[code]: value for code, value in shown.values.items() if code in stays},
        groups={stays[code]: group for code, group in shown.groups.items() if code in stays},
    )


def tile_map(shown: Mapped, *, key: str, title: str, language: str, places: int = 2) -> Drawing:
    """Tiles of :func:`mapped`, each with its name, value and the sign of its group."""
    grid = tiles(shown.grid)
    rows, columns = 1 + max(t.row for t in grid), 1 + max(t.column for t in grid)
    wide, high = (1.12, 0.47) if shown.grid == 63 else (1.3, 0.52)

    def draw(said: Said) -> Figure:
        figure = Figure(figsize=(columns * wide + 1.5, rows * high + 0.9))
        axes = figure.add_axes((0.01, 0.7 / (rows * high + 0.9), 0.98, (rows * high + 0.1) / (rows * high + 0.9)))
        for tile in grid:
            group, value = shown.groups.get(tile.code, ""), shown.values.get(tile.code)
            box = Rectangle((tile.column + 0.03, tile.row + 0.05), 0.94, 0.9, **_look(group))
            axes.add_patch(box)
            said.told(box, _words(tile.name, value, group, places, language))
            colour = "white" if group == "best" else INK
            printed = number(value, places, language) + (f"  {SIGNS[group]}" if group else "")
            # Behind words the pattern would be in the way.
            plain = _FILL.get(group, _EMPTY) if _HATCH.get(group) else ""
            back = {"facecolor": plain, "edgecolor": "none", "pad": 0.8} if plain else None
            small = 9.2 if len(tile.name) < 14 else 7.2
            axes.text(tile.column + 0.5, tile.row + 0.33, tile.name, ha="center", va="center", fontsize=small,
                      color=colour, weight="bold", bbox=back)  # fmt: skip
            axes.text(tile.column + 0.5, tile.row + 0.69, printed, ha="center", va="center", fontsize=9.2,
                      color=colour, bbox=back)  # fmt: skip
        for words, code in _ISLANDS:
            beside = next(tile for tile in grid if tile.code == code)
            axes.text(columns + 0.1, beside.row + 0.5, words(language), ha="left", va="center", fontsize=8.5,
                      style="italic", color=INK)  # fmt: skip
        axes.set_xlim(-0.02, columns + 1.35)
        axes.set_ylim(rows, -0.05)
        axes.axis("off")
        _legend(figure, shown, places, language)
        return figure

    return Drawing(key, title, described(shown, places, language), draw, 150 if shown.grid == 63 else 130)


def outline_map(
    shapes: Sequence[Shape], values: Mapping[str, float], groups: Mapping[str, str], *, key: str, title: str,
    language: str, names: Mapping[str, str], bounds: Mapping[str, tuple[float, float]], places: int = 2,
) -> Drawing:  # fmt: skip
    """The outlines of ``shapes``, coloured by the ``groups`` of their codes."""
    west = min(x for shape in shapes for ring in shape.rings for x, _ in ring)
    east = max(x for shape in shapes for ring in shape.rings for x, _ in ring)
    south = min(y for shape in shapes for ring in shape.rings for _, y in ring)
    north = max(y for shape in shapes for ring in shape.rings for _, y in ring)
    flat = 0.96  # a degree of longitude at Viet Nam's latitudes, as a share of one of latitude

    def draw(said: Said) -> Figure:
        width = 7.0
        tall = min(10.0, max(3.0, width * (north - south) / max((east - west) * flat, 1e-9)))
        figure = Figure(figsize=(width, tall + 0.7))
        axes = figure.add_axes((0.01, 0.6 / (tall + 0.7), 0.98, tall / (tall + 0.7)))
        for shape in shapes:
            group = groups.get(shape.code, "")
            patch = PathPatch(_path(shape), **_look(group, 0.4))
            axes.add_patch(patch)
            name = names.get(shape.code) or shape.name or shape.code
            said.told(patch, _words(name, values.get(shape.code), group, places, language))
        if len(shapes) <= 80:
            for shape in shapes:
                _label(axes, shape, groups.get(shape.code, ""))
        axes.set_xlim(west - 0.02 * (east - west), east + 0.02 * (east - west))
        axes.set_ylim(south - 0.02 * (north - south), north + 0.02 * (north - south))
        axes.set_aspect(1 / flat)
        axes.axis("off")
        _legend_of(figure, bounds, places, language)
        return figure

    listed = "; ".join(
        _words(names.get(s.code) or s.name or s.code, values[s.code], groups.get(s.code, ""), places, language)
        for s in shapes
        if s.code in values
    )
    return Drawing(key, title, listed, draw, 140)


def described(shown: Mapped, places: int, language: str) -> str:
    """The map for who cannot see it: each group with its provinces."""
    said = []
    for group in GROUPS:
        members = [t.name for t in tiles(shown.grid) if shown.groups.get(t.code) == group]
        if members:
            said.append(f"{GROUP_WORDS[group](language)} ({len(members)}): {', '.join(members)}")
    without = [t.name for t in tiles(shown.grid) if t.code not in shown.groups]
    if without:
        said.append(f"{NOTHING(language) if shown.groups else Text('không chia nhóm', 'not grouped')(language)}: "
                    f"{', '.join(without)}")  # fmt: skip
    return "; ".join(said)


def _words(name: str, value: float | None, group: str, places: int, language: str) -> str:
    return f"{name}: {_said(value, group, places, language)}"


def _said(value: float | None, group: str, places: int, language: str) -> str:
    if not known(value):
        return NOTHING(language)
    return number(value, places, language) + (f", {GROUP_WORDS[group](language)}" if group else "")


def _look(group: str, line: float = 0.7) -> dict[str, Any]:
    return {
        "facecolor": _FILL.get(group, _EMPTY),
        "hatch": _HATCH.get(group, ""),
        "edgecolor": _EDGE if group in ("low_average", "poor", "") else _FILL.get(group, _EDGE),
        "linewidth": line,
    }


def _legend(figure: Figure, shown: Mapped, places: int, language: str) -> None:
    _legend_of(figure, shown.all.bounds if shown.groups else {}, places, language)


def _legend_of(figure: Figure, bounds: Mapping[str, tuple[float, float]], places: int, language: str) -> None:
    handles = []
    for group in GROUPS if bounds else ():
        ends = "–".join(number(end, places, language) for end in bounds[group]) if group in bounds else ""
        handles.append(Patch(**_look(group), label=f"{SIGNS[group]} {GROUP_WORDS[group](language)}\n{ends}"))
    handles.append(Patch(facecolor=_EMPTY, edgecolor=_EDGE, label=NOTHING(language)))
    figure.legend(
        handles=handles, loc="lower center", ncols=len(handles), frameon=False, fontsize=8.5, handleheight=1.6
    )


def _label(axes: Axes, shape: Shape, group: str) -> None:
    x, y = shape.middle
    if group:
        axes.text(x, y, SIGNS[group], ha="center", va="center", fontsize=7, color="white" if group == "best" else INK,
                  weight="bold")  # fmt: skip
    elif shape.name:
        axes.text(x, y, wrapped(shape.name, 10), ha="center", va="center", fontsize=5.5, color=GREY)


def _path(shape: Shape) -> Outline:
    points: list[tuple[float, float]] = []
    codes: list[Any] = []
    for ring in shape.rings:
        points += ring
        codes += [Outline.MOVETO, *[Outline.LINETO] * (len(ring) - 2), Outline.CLOSEPOLY]
    return Outline(points, codes)
