"""Outlines of an office's own file: TopoJSON or GeoJSON, read without a geographic library."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from survey.errors import InputError
from survey.text import Text, many

Point = tuple[float, float]
_CODES = ("code", "ma", "province", "commune", "id", "ID", "CODE")
_NAMES = ("name", "ten", "NAME", "name_vi", "TEN")


@dataclass(frozen=True)
class Shape:
    """One place: closed rings of (longitude, latitude); ``parent`` is the code of the province it lies in, if told."""

    code: str
    name: str
    parent: str
    rings: tuple[tuple[Point, ...], ...]

    @property
    def middle(self) -> Point:
        """The middle of its largest ring, where a sign has room: centroid by the shoelace formula."""
        ring = max(self.rings, key=lambda points: abs(_area(points)))
        area = _area(ring)
        if not area:
            return ring[0]
        pairs = list(pairwise(ring))
        x = sum((a[0] + b[0]) * (a[0] * b[1] - b[0] * a[1]) for a, b in pairs) / (6 * area)
        y = sum((a[1] + b[1]) * (a[0] * b[1] - b[0] * a[1]) for a, b in pairs) / (6 * area)
        return x, y


def read_outlines(file: Path) -> tuple[Shape, ...]:
    """The polygons of ``file`` with their codes (a property ``code``, ``province`` or ``id``, or the feature's id).

    Raises:
        InputError: no JSON, neither TopoJSON nor GeoJSON, no polygon, or a polygon without a code.
    """
    try:
        told = json.loads(file.read_text(encoding="utf-8-sig"))
        shapes = tuple(_topology(told) if told.get("type") == "Topology" else _features(told))
    except (OSError, UnicodeDecodeError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise InputError(
            str(file),
            Text(f"không phải TopoJSON hay GeoJSON đọc được ({type(error).__name__})",
                 f"neither TopoJSON nor GeoJSON that can be read ({type(error).__name__})"),
            Text("xuất lại từ phần mềm bản đồ, dạng GeoJSON, kinh độ – vĩ độ",
                 "export it again from the map program as GeoJSON in longitude and latitude"),
        ) from None  # fmt: skip
    if not shapes:
        raise InputError(str(file), Text("không có vùng nào", "there is no polygon"))
    nameless = sum(not shape.code for shape in shapes)
    if nameless:
        raise InputError(
            str(file),
            Text(f"{nameless} vùng không có mã", f"{many(nameless, 'polygon has', 'polygons have')} no code"),
            Text(f"thêm thuộc tính {_CODES[0]}", f"add the property {_CODES[0]}"),
        )
    return shapes


def arcs(topology: Mapping[str, Any]) -> list[list[Point]]:
    """The arcs of a TopoJSON topology as points: quantized ones are sums of steps, scaled and moved (TopoJSON 1.0)."""
    transform = topology.get("transform")
    found = []
    for arc in topology["arcs"]:
        if transform is None:
            found.append([(float(p[0]), float(p[1])) for p in arc])
            continue
        (kx, ky), (dx, dy) = transform["scale"], transform["translate"]
        x = y = 0
        points = []
        for step in arc:
            x, y = x + step[0], y + step[1]
            points.append((x * kx + dx, y * ky + dy))
        found.append(points)
    return found


def _topology(told: Mapping[str, Any]) -> Iterable[Shape]:
    lines = arcs(told)

    def ring(numbers: Sequence[int]) -> list[Point]:
        points: list[Point] = []
        for number in numbers:
            # ~n is arc n walked backwards; the point where two arcs meet is in both.
            line = lines[number] if number >= 0 else lines[~number][::-1]
            points += line[1:] if points else line
        return points

    for layer in told["objects"].values():
        for geometry in layer.get("geometries", [layer]):
            polygons = _polygons(geometry, "arcs")
            yield from _shape(geometry, [ring(numbers) for polygon in polygons for numbers in polygon])


def _features(told: Mapping[str, Any]) -> Iterable[Shape]:
    if told["type"] not in ("FeatureCollection", "Feature"):
        raise ValueError(told["type"])
    for feature in told.get("features", [told]):
        polygons = _polygons(feature["geometry"] or {}, "coordinates")
        yield from _shape(
            feature, [[(float(p[0]), float(p[1])) for p in ring] for polygon in polygons for ring in polygon]
        )


def _polygons(geometry: Mapping[str, Any], where: str) -> list[Any]:
    """The polygons of a geometry, each a list of rings; none of a point or a line."""
    if geometry.get("type") == "Polygon":
        return [geometry[where]]
    return list(geometry[where]) if geometry.get("type") == "MultiPolygon" else []


def _shape(owner: Mapping[str, Any], rings: list[list[Point]]) -> Iterable[Shape]:
    told = owner.get("properties") or {}
    code = next((str(told[name]) for name in _CODES if told.get(name) not in (None, "")), str(owner.get("id") or ""))
    name = next((str(told[key]) for key in _NAMES if told.get(key)), "")
    closed = tuple(tuple([*ring, ring[0]] if ring[0] != ring[-1] else ring) for ring in rings if len(ring) > 2)
    if closed:
        parent = str(told.get("province") or told.get("parent") or "")
        yield Shape(code, name, parent if parent != code else "", closed)


def _area(ring: Sequence[Point]) -> float:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring)) / 2
