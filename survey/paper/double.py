"""Two entries of one form compared field by field, and who erred once a person has settled them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from survey.questionnaire.model import Answers, Value

BLANK: Value = {"missing": "blank"}


def compared(first: Answers, second: Answers) -> list[str]:
    """The fields that the two entries say anything about. A field left alone and one keyed as blank say the same."""
    return [path for path in dict.fromkeys([*first, *second]) if not _order(first, second, path)]


def differing(first: Answers, second: Answers) -> list[str]:
    """The fields in which the two entries differ."""
    return [path for path in compared(first, second) if first.get(path, BLANK) != second.get(path, BLANK)]


def report(
    people: tuple[str, str], first: Answers, second: Answers, settled: Mapping[str, Value], private: Iterable[str]
) -> dict[str, Any]:
    """What the sealed form tells of its double entry: how many fields were compared, and for each person the fields in
    which what was keyed is not what was settled. The values of ``private`` fields (contact) are not told."""
    hidden = set(private)
    fields = compared(first, second)
    wrong = {
        person: [path for path in settled if entry.get(path, BLANK) != settled[path]]
        for person, entry in zip(people, (first, second), strict=True)
    }
    return {
        "first": people[0],
        "second": people[1],
        "fields": len(fields),
        "errors": {person: len(paths) for person, paths in wrong.items()},
        "settled": {
            path: {}
            if path in hidden
            else {"first": first.get(path, BLANK), "second": second.get(path, BLANK), "is": value}
            for path, value in settled.items()
        },
    }


def _order(first: Answers, second: Answers, path: str) -> bool:
    """Whether ``path`` is the order of a repeat's instances, which nobody keys."""
    inside = f"{path}["
    return any(other.startswith(inside) for entry in (first, second) for other in entry)
