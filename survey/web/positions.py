"""GPS positions that people type: read from a telephone, a map or a paper, checked, and written the XForms way."""

from __future__ import annotations

import re
from decimal import Decimal

_FIGURE = re.compile(r"[+-]?\d{1,9}(?:\.\d{1,12})?")


class NoPosition(ValueError):
    """What was typed is no position."""


def point(text: str) -> str:
    """``21,3278 103,9188`` or ``21.3278, 103.9188 640`` as ``21.3278 103.9188 640 0``: latitude, longitude, and where
    given altitude and accuracy in metres. Raises NoPosition, also for a latitude beyond 90° or a longitude beyond 180°.
    """
    text = text.replace("−", "-").replace("°", " ").strip()
    # With decimal points a comma parts the numbers; without, it is the decimal comma where blanks part them.
    plain = text.replace(",", " ") if "." in text else re.sub(r",(?=\s|$)", " ", text).replace(",", ".")
    figures = plain.split()
    if not 2 <= len(figures) <= 4 or not all(_FIGURE.fullmatch(figure) for figure in figures):
        raise NoPosition(text)
    numbers = [Decimal(figure) for figure in figures]
    if abs(numbers[0]) > 90 or abs(numbers[1]) > 180 or (len(numbers) == 4 and numbers[3] < 0):
        raise NoPosition(text)
    return " ".join(f"{number:f}" for number in [*numbers, Decimal(0), Decimal(0)][:4])


def line(text: str, closed: bool) -> str:
    """Positions, a line each or parted by ``;``, as XForms writes a line (two at least) or, ``closed``, an area (three
    at least; the first stands again at the end). Raises NoPosition."""
    points = [point(part) for part in re.split(r"[;\n]", text) if part.strip()]
    if closed and points and points[0] == points[-1] and len(points) > 1:
        points.pop()
    if len(set(points)) < (3 if closed else 2):
        raise NoPosition(text)
    return "; ".join([*points, points[0]] if closed else points)


def written(value: str) -> str:
    """A stored position or line as it stands in a box: altitude and accuracy only where they were given."""
    parts = [part.split() for part in value.split(";")]
    return "\n".join(", ".join(part[:2] if part[2:] in ([], ["0", "0"]) else part) for part in parts)
