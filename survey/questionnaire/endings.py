"""Where a number ends: whether anything more could be typed behind it."""

from __future__ import annotations

from collections.abc import Iterator

from survey.questionnaire.path import Entry, Path

LONGEST = 8
"""Figures behind the number that are tried; nobody writes longer numbers by hand."""


def is_full(path: Path, entry: Entry) -> bool:
    """Whether the whole number at ``entry`` of ``path`` holds and no number that begins with its figures would: ``35``
    where ages run from 18 to 110, but not ``11``. Every number with one or two figures more is tried, and the first
    and last of those with up to eight; False where there is no constraint, and for every other type of question."""
    value = entry.value
    if entry.node.type != "integer" or not entry.node.constraint or not isinstance(value, str) or not entry.valid:
        return False
    if not value.isdigit():
        return False
    trial = Path(path.state.copy())
    for longer in _longer(int(value)):
        trial.state.values[entry.element] = float(longer)
        if trial.holds(entry.element):
            return False
    return True


def _longer(number: int) -> Iterator[int]:
    for figures in (1, 2):
        yield from range(number * 10**figures, (number + 1) * 10**figures)
    for figures in range(3, LONGEST + 1):
        yield number * 10**figures
        yield (number + 1) * 10**figures - 1
