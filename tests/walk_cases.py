"""Recorded walks through XLSForms, and our engine made to play them.

A walk file says what JavaRosa, the engine inside ODK Collect, showed after every step (README beside the walks).
Paths there count repeat instances from 1: ``hh[2]/visit[1]/mins``; ours carry ids, so the two are matched by place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from survey.questionnaire import xlsform
from survey.questionnaire.model import Questionnaire, Value, generic
from survey.questionnaire.path import Change, Context, open_path
from survey.questionnaire.tree import Element, Slot

VERDICTS = {"ok": "OK", "required": "REQUIRED_BUT_EMPTY", "constraint": "CONSTRAINT_VIOLATED", "type": "NOT_OF_TYPE"}


@dataclass
class Expected:
    """What the reference engine shows: paths of leaves, their values, repeats with their number of instances."""

    relevant: set[str] = field(default_factory=set)
    values: dict[str, str | None] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    repeats: dict[str, int] = field(default_factory=dict)


def documents(folder: Path) -> Iterator[dict[str, Any]]:
    """The walk files of a folder."""
    for file in sorted((folder / "walks").glob("*.json")):
        yield json.loads(file.read_text(encoding="utf-8"))


@lru_cache(maxsize=4)
def questionnaire(file: Path) -> Questionnaire:
    """The form of a walk file, as a field laptop gets it: compiled, through its JSON."""
    return Questionnaire.from_json(xlsform.load(file).to_json())


def not_compared(document: dict[str, Any]) -> set[str]:
    """Generic paths that differ between two runs, or on which a second engine says something else."""
    volatile = {n["path"] for n in document["nodes"] if "volatile" in n}
    return volatile | {d["path"] for d in document["disputed"]}


def states(document: dict[str, Any], walk: dict[str, Any]) -> Iterator[tuple[dict[str, Any] | None, Expected]]:
    """(None, state at the start), then (step, state after it) for each step."""
    volatile = {n["path"] for n in document["nodes"] if "volatile" in n}
    now = Expected(
        set(walk["relevant_at_start"]),
        dict(walk["values_at_start"]),
        set(walk["required_at_start"]),
        dict(walk.get("repeats_at_start", {})),
    )
    yield None, now
    for step in walk["steps"]:
        if step["op"] == "set" and step["verdict"] == "OK" and generic(step["path"]) not in volatile:
            now.values[step["path"]] = step["value"]
        gone = set(step.get("becomes_irrelevant", ()))
        now.relevant = (now.relevant - gone) | set(step.get("becomes_relevant", ()))
        now.required = (now.required | set(step.get("becomes_required", ()))) - set(step.get("becomes_optional", ()))
        if step["path"] in step.get("cleared_by_filter", ()):
            # An answer that its own filter drops at once is no change to the question, which was empty before.
            now.values[step["path"]] = None
        now.values = {p: v for p, v in now.values.items() if p not in gone} | step.get("changes", {})
        now.values = {p: v for p, v in now.values.items() if v is not None}
        now.repeats = {p: n for p, n in (now.repeats | step.get("repeats", {})).items() if n is not None}
        yield step, now


def same_value(expected: str | None, got: str | None) -> bool:
    """Equal as text, as numbers, as booleans (JavaRosa writes 1 and 0), or as the same day or moment."""
    if expected is None or got is None or expected == got:
        return expected == got
    try:
        a, b = float(expected), float(got)
        return abs(a - b) <= 1e-9 * max(1.0, abs(a))
    except ValueError:
        pass
    if (expected, got) in {("1", "true"), ("0", "false")}:
        return True
    midnight = re.compile(r"T00:00(:00(\.000)?)?(\+07:00)?$")
    short = [re.sub(r"(:\d\d)(:00(\.000)?)?(\+07:00)?$", r"\1", midnight.sub("", v)) for v in (expected, got)]
    return short[0] == short[1] or expected.replace("; ", ";") == got.replace("; ", ";")


class Player:
    """An interview with our engine that is told what to do in the walk's words."""

    def __init__(self, document: dict[str, Any], folder: Path):
        clock = document["clock"]
        now = datetime.fromisoformat(clock["now"]).astimezone(ZoneInfo(clock["timezone"]))
        self.path = open_path(questionnaire(folder / document["form"]), {}, Context(now=now))

    @property
    def places(self) -> dict[str, Element]:
        """Path with numbers to element, groups and instances included."""
        state, found = self.path.state, {}

        def go(element: Element, at: str) -> None:
            for definition, kid in element.kids.items():
                name = f"{at}/{definition.name}" if at else definition.name
                inside = state.instances.get(kid, ()) if isinstance(kid, Slot) else (kid,)
                for i, each in enumerate(inside, 1):
                    place = f"{name}[{i}]" if isinstance(kid, Slot) else name
                    found[place] = each
                    go(each, place)

        go(state.root, "")
        return found

    def do(self, step: dict[str, Any]) -> str:
        """Carries a step out and gives the verdict."""
        path, places = step["path"], self.places
        if step["op"] == "set":
            change: Change = self.path.set(places[path].path, step["value"] or "")
        elif step["op"] == "add_repeat":
            head, _, name = path.rpartition("[")[0].rpartition("/")
            change = self.path.add(f"{places[head].path}/{name}" if head else name)
        else:
            change = self.path.remove(places[path].path)
        self.path = change.path
        return VERDICTS[change.verdict]

    def offered(self, path: str) -> list[str]:
        """The names of the choices a question offers."""
        return [c.name for c in self.path.state.choices(self.places[path])]

    def leaves(self) -> dict[str, Element]:
        """Path with numbers to element of everything that holds a value."""
        return {p: e for p, e in self.places.items() if e.of.is_leaf}

    def relevant(self) -> set[str]:
        return {p for p, e in self.leaves().items() if e not in self.path.state.hidden}

    def required(self) -> set[str]:
        return {p for p, e in self.leaves().items() if e in self.path.state.required}

    def values(self) -> dict[str, str]:
        leaves, state = self.leaves(), self.path.state
        found = {p: _text(state.answer(e)) for p, e in leaves.items() if e not in state.hidden}
        return {p: v for p, v in found.items() if v}

    def repeats(self) -> dict[str, int]:
        """Repeats that have instances, with their number."""
        found: dict[str, int] = {}
        for place, element in self.places.items():
            if element.of.is_repeat:
                head = place.rpartition("[")[0]
                found[head] = found.get(head, 0) + 1
        return found

    def problems(self) -> dict[str, str]:
        by_element = {e: p for p, e in self.places.items()}
        return {by_element[entry.element]: VERDICTS[kind] for entry, kind, _ in self.path.problems()}


def _text(value: Value) -> str:
    return " ".join(value) if isinstance(value, list) else str(value)
