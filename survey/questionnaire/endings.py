"""Where an answer ends: whether anything could be added to it, so that a page may go on by itself."""

from __future__ import annotations

from collections.abc import Iterator

from survey.questionnaire.path import Entry, Path

COMES_TO_ITS_END = {
    "integer": "typing",
    "text": "typing",
    "select_multiple": "key",
    "select_multiple_from_file": "key",
}
"""The types of question whose answer can come to its end, and what a person is doing when it does."""

LONGEST = 8
"""Figures behind those that stand there that are tried; nobody writes longer numbers by hand."""

MOST = 50
"""Choices of a question up to which every further tick is tried."""


def is_full(path: Path, entry: Entry) -> bool:
    """Whether the answer at ``entry`` of ``path`` holds and would not with anything added to it.

    A whole number: ``35`` where ages run from 18 to 110, but not ``11``; figures in a text (appearance ``numbers``): a
    telephone number with all its figures. Every number with one or two figures more is tried, and the first and last
    of those with up to eight. Several choices: "nothing of these", or the last one that may be chosen. False where
    there is no constraint, for a missing answer, and for every other type of question.
    """
    if not entry.node.constraint or not entry.valid or not entry.value or isinstance(entry.value, dict):
        return False
    more = _more(entry)
    if more is None:
        return False
    trial = Path(path.state.copy())
    for added in more:
        trial.state.values[entry.element] = added
        if trial.holds(entry.element):
            return False
    return True


def _more(entry: Entry) -> Iterator[str | float] | None:
    """The answers that begin with the one at ``entry``; None where they cannot be told."""
    node, value = entry.node, entry.value
    if isinstance(value, list):
        rest = [choice.name for choice in entry.choices() if choice.name not in value]
        if not node.type.startswith("select_multiple") or len(rest) > MOST:
            return None
        return (" ".join([*value, name]) for name in rest)
    if not isinstance(value, str) or not value.isdigit():
        return None
    if node.type == "integer":
        return (float(value + figures) for figures in _figures())
    if node.type == "text" and "numbers" in node.appearance.split():
        return (value + figures for figures in _figures())
    return None


def _figures() -> Iterator[str]:
    """What could be typed behind a number."""
    for length in (1, 2):
        yield from (f"{n:0{length}}" for n in range(10**length))
    for length in range(3, LONGEST + 1):
        yield "0" * length
        yield "9" * length
