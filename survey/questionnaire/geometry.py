"""Lengths and areas of GPS positions, with the formulas of ODK Collect (a sphere of radius 6,378,100 m).

A position is ``"latitude longitude [altitude [accuracy]]"`` in degrees; a line is positions joined by ``;``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from survey.questionnaire.values import Atom, Fault, to_string

RADIUS = 6_378_100.0


def _positions(values: Sequence[Atom]) -> list[tuple[float, float]]:
    found = []
    for value in values:
        for part in to_string(value).split(";"):
            if not part.strip():
                continue
            try:
                latitude, longitude = (float(number) for number in part.split()[:2])
            except ValueError:
                raise Fault(f"“{part}” is not a GPS position") from None
            found.append((latitude, longitude))
    return found


def area(values: Sequence[Atom]) -> float:
    """Square metres inside the closed line; 0 for fewer than three positions."""
    points = _positions(values)
    if len(points) < 3:
        return 0.0
    (lat0, lon0), metres = points[0], 2 * RADIUS * math.pi / 360
    xs = [(lon - lon0) * metres * math.cos(math.radians(lat)) for lat, lon in points[1:]]
    ys = [(lat - lat0) * metres for lat, _ in points[1:]]
    return abs(sum((ys[i - 1] * xs[i] - xs[i - 1] * ys[i]) / 2 for i in range(1, len(xs))))


def distance(values: Sequence[Atom]) -> float:
    """Metres along the line through the positions (spherical law of cosines)."""
    points, total = _positions(values), 0.0
    for (lat1, lon1), (lat2, lon2) in pairwise(points):
        a, b, turn = math.radians(lat1), math.radians(lat2), math.radians(lon1 - lon2)
        cosine = math.sin(a) * math.sin(b) + math.cos(a) * math.cos(b) * math.cos(turn)
        total += math.acos(max(-1.0, min(1.0, cosine))) * RADIUS
    return total


def inside(point: Atom, shape: Atom) -> bool:
    """Whether the position lies inside the closed line (even-odd rule on latitude and longitude)."""
    position = _positions([point])
    if not position:
        raise Fault("geofence() needs a position")
    (y, x), corners, hit = position[0], _positions([shape]), False
    for (lat1, lon1), (lat2, lon2) in pairwise(corners):
        if (lat2 > y) != (lat1 > y) and x < (lon1 - lon2) * (y - lat2) / (lat1 - lat2) + lon2:
            hit = not hit
    return hit
