"""What people said where none of the choices fitted ("other, specify"), with a table for coding it anew."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from survey.fieldwork.measures import Items
from survey.text import fold

COLUMNS = ("question", "of", "text", "count", "code", "label")
"""Columns of the recode table: the text question, the question whose "other" it explains, what was said, how often, and
the choice that it is to be counted as, empty for one that stays "other"."""

SHORTEST = 3
"""Letters that a label must have to be looked for inside what was said."""


@dataclass(frozen=True)
class Other:
    """One thing that was said, in its commonest spelling; ``code`` and ``label`` are a choice that says the same."""

    question: str
    of: str
    text: str
    count: int
    code: str
    label: str


def others(said: Iterable[tuple[str, str]], items: Items) -> list[Other]:
    """The texts of (path, text), counted without regard to case and diacritics, by question and frequency."""
    spellings: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for path, text in said:
        if path in items.others:
            spellings[path, " ".join(fold(text).split())][text.strip()] += 1
    found = []
    for (path, folded), written in spellings.items():
        asked, other = items.others[path]
        code, label = _choice(folded, asked, other, items)
        text = max(sorted(written), key=lambda one: written[one])
        found.append(Other(path, asked, text, written.total(), code, label))
    order = list(items.others)
    return sorted(found, key=lambda one: (order.index(one.question), -one.count, fold(one.text)))


def _choice(said: str, asked: str, other: str, items: Items) -> tuple[str, str]:
    """The choice of the question whose label is what was said, or stands in it as whole words; the longest."""
    node = items.questionnaire.by_path[asked]
    fitting = []
    for choice in items.questionnaire.lists.get(node.list_name, ()):
        if choice.name == other or choice.missing_kind:
            continue
        for label in choice.label.values():
            words = " ".join(fold(label).split())
            if words == said or (len(words) >= SHORTEST and f" {words} " in f" {said} "):
                fitting.append((len(words), choice.name, label))
    _, code, label = max(fitting, default=(0, "", ""))
    return code, label
