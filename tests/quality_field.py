"""A round with batteries, and interviews in it whose answers and times a test sets as it likes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from survey.fieldwork.measures import Items, Measures, measure
from survey.questionnaire.model import Questionnaire
from survey.store import Store, feed, frame
from survey.sync import rounds
from tests import forms

ROUND = "r1"
MORNING = datetime.fromisoformat("2026-11-23T08:00:00+07:00")

SURVEY = """
    type                | name     | label    | relevant                  | missing
    begin_group         | a        | A        |                           |
    integer             | age      | Age      |                           |
    select_one source   | source   | Source   |                           | dont_know
    text                | specify  | Which    | ${{source}} = 'other'       |
    end_group           |          |          |                           |
    begin_group         | b        | B        |                           |
    {b}
    end_group           |          |          |                           |
    begin_group         | c        | C        |                           |
    {c}
    end_group           |          |          |                           |
    begin_group         | d        | D        |                           |
    {d}
    end_group           |          |          |                           |
"""
CHOICES = """
    list_name | name  | label
    source    | radio | Đài
    source    | other | Other
    scale     | 1     | Bad
    scale     | 2     | Rather bad
    scale     | 3     | Neither
    scale     | 4     | Rather good
    scale     | 5     | Good
"""
PER_BATTERY = 8


@cache
def batteries() -> Questionnaire:
    """Three batteries of eight questions on a scale of five, an age, and a source with "other, specify"."""
    rows = {
        letter: "\n    ".join(
            f"select_one scale | {letter}{n} | {letter}{n} | | dont_know refused" for n in range(1, PER_BATTERY + 1)
        )
        for letter in "bcd"
    }
    return forms.form(SURVEY.format(**rows), choices=CHOICES)


def answers(scale: Sequence[int | str], *, age: int = 40, source: str = "radio") -> dict[str, Any]:
    """Answers with these codes on the 24 scale questions in order; a word is a missing kind."""
    paths = [f"{letter}/{letter}{n}" for letter in "bcd" for n in range(1, PER_BATTERY + 1)]
    given = {p: {"missing": v} if isinstance(v, str) else str(v) for p, v in zip(paths, scale, strict=True)}
    return {"a/age": str(age), "a/source": source, **given}


def paradata(given: Mapping[str, Any], *, at: datetime = MORNING, seconds: float = 15.0) -> dict[str, Any]:
    """The times of answers given one after the other, so many seconds each."""
    events = [
        {
            "path": path,
            "cleared": 0,
            "time": (at + timedelta(seconds=seconds * turn)).isoformat(timespec="seconds"),
            "ms": 5_000_000 + int(seconds * turn * 1000),
            "seconds": seconds,
        }
        for turn, path in enumerate(given, start=1)
    ]
    return {"started": at.isoformat(timespec="seconds"), "events": events}


def measured(given: Mapping[str, Any], times: Mapping[str, Any] | None = None, **about: str) -> Measures:
    """The measures of one interview without a store."""
    return measure(Items(batteries()), given, paradata(given) if times is None else times, {}, about)[0]


def set_up(store: Store, communes: Mapping[str, int], **more: Any) -> None:
    """A round with so many units in each commune; ``more`` goes into its document."""
    form = batteries()
    frame.issue(store, "questionnaire", form.hash, form.to_json())
    document = {"id": ROUND, "title": {"vi": "Đợt thử"}, "questionnaire_hash": form.hash, **more}
    rounds.issue_round(store, document)
    with store.transaction():
        for commune, count in communes.items():
            for number in range(count):
                unit = f"u{commune}{number:03d}"
                body = {"id": unit, "round": ROUND, "list": "main", "order": str(number), "commune": commune}
                frame.issue(store, "unit", unit, {**body, "assignee": "phoa"})


def interview(
    store: Store,
    unit: str,
    given: Mapping[str, Any],
    *,
    actor: str = "phoa",
    times: Mapping[str, Any] | None = None,
    contact: Mapping[str, Any] | None = None,
) -> str:
    """A sealed interview; its id is the unit's with an ``i`` before it."""
    parts = {"answers": dict(given), "paradata": dict(paradata(given) if times is None else times)}
    feed.append(
        store,
        subject_type="interview",
        subject=f"i{unit}",
        kind="sealed",
        target=unit,
        questionnaire_hash=batteries().hash,
        actor=actor,
        parts={**parts, **({"contact": dict(contact)} if contact else {})},
    )
    return f"i{unit}"
