"""A made-up respondent: answers any questionnaire through the form engine, for demonstrations and trials.

Opinions follow a simple model, so that scores differ between places as real ones do: on an ordered scale the answer is
``centre + leaning + noise``, where the *leaning* is what the person, the village and the commune have in common. All
else is drawn evenly from what the question offers. Nothing here looks at a question's wording.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from survey.questionnaire.model import Questionnaire, Value
from survey.questionnaire.path import Change, Entry, Path

TRIES = 40
"""How many answers a question may refuse before it is left open."""

WORDS = ("Không có ý kiến thêm", "Cần hướng dẫn rõ hơn", "Nên trả kết quả đúng hẹn", "Đường sá cần sửa sớm")
"""What a made-up respondent says to an open question."""


@dataclass(frozen=True)
class Respondent:
    """One person's way of answering.

    ``leaning``: how far above (+) or below (−) the middle of an ordered scale, in steps of the scale.
    ``fixed``: answers by question name that the story needs (consent, age).
    ``dont_know``, ``refused``: chances of these missing kinds where a question offers them.
    """

    leaning: float = 0.0
    fixed: Mapping[str, Value] = field(default_factory=dict)
    dont_know: float = 0.03
    refused: float = 0.01


def scales(questionnaire: Questionnaire) -> frozenset[str]:
    """The choice lists that are ordered scales: used by three questions or more, with the codes 1, 2, 3 …"""
    used = Counter(node.list_name for node in questionnaire.walk() if node.type == "select_one")
    return frozenset(
        name
        for name, count in used.items()
        if count >= 3
        and len(questionnaire.lists.get(name, ())) >= 3
        and [choice.name for choice in questionnaire.lists[name]]
        == [str(n) for n in range(1, len(questionnaire.lists[name]) + 1)]
    )


def respond(path: Path, person: Respondent, source: random.Random) -> Iterator[tuple[str, Change]]:
    """Answers question after question to the end of the path; yields (question, what the answer did) each time.

    A question that refuses every try gets a missing kind if it offers one, else it stays open for the finish page.
    """
    ordered = scales(path.questionnaire)
    passed: set[str] = set()
    while (entry := _next(path, passed)) is not None:
        passed.add(entry.path)
        for attempt in range(TRIES + 1):
            value = _answer(entry, person, ordered, source) if attempt < TRIES else _way_out(entry)
            if value is not None and (change := path.set(entry.path, value)).ok:
                path = change.path
                yield entry.path, change
                break


def _next(path: Path, passed: set[str]) -> Entry | None:
    return next((e for e in path.entries if e.asked and not e.is_answered and e.path not in passed), None)


def _way_out(entry: Entry) -> Value | None:
    return {"missing": entry.node.missing[0]} if entry.node.missing else None


def _answer(entry: Entry, person: Respondent, ordered: frozenset[str], source: random.Random) -> Value:
    node = entry.node
    if node.name in person.fixed:
        return person.fixed[node.name]
    for kind, chance in (("dont_know", person.dont_know), ("refused", person.refused)):
        if kind in node.missing and source.random() < chance:
            return {"missing": kind}
    names = [choice.name for choice in entry.choices()]
    if node.type.startswith("select_one") and names:
        if node.list_name in ordered:
            middle = (len(names) - 1) / 2
            return names[round(min(max(middle + person.leaning + source.gauss(0, 0.8), 0), len(names) - 1))]
        return source.choice(names)
    if node.type.startswith("select_multiple") and names:
        chosen = [name for name in names if source.random() < 0.25]
        return chosen or [source.choice(names)]
    if node.type == "rank":
        return source.sample(names, len(names))
    if node.type in ("integer", "decimal", "range"):
        return str(source.choice((source.randint(18, 80), source.randint(0, 10), source.randint(1, 5), 0, 1)))
    if node.type == "date":
        return f"{source.randint(2024, 2026)}-{source.randint(1, 12):02d}-{source.randint(1, 28):02d}"
    if node.type == "time":
        return f"{source.randint(7, 17):02d}:{source.choice((0, 15, 30, 45)):02d}"
    if node.type == "acknowledge":
        return "OK"
    return source.choice(WORDS)
