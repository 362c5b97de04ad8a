"""Two versions of one interview: what differs, told side by side, and the answers that a person's choice leaves."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from survey.questionnaire.model import Answers
from survey.questionnaire.path import Entry, Path
from survey.store.remarks import sealed_comments
from survey.web import forms, media
from survey.web.naming import device_name, person_name
from survey.web.questions import key

Version = Mapping[str, Any]
"""The content of one version, as the store gives it."""


class NotChosen(Exception):
    """A row that differs has no answer chosen, neither by itself nor with a whole version."""


def heads(versions: Sequence[Version]) -> list[dict[str, Any]]:
    """What tells the versions apart: laptop, person, time, what sort of version it is, how long it took, how many
    answers it has and what was noted in it."""
    return [
        {
            "id": v["head"],
            "device": device_name(v["device"]),
            "actor": person_name(v["actor"]),
            "time": v["time"],
            "answers": len(v["answers"]),
            "seconds": _seconds(v["paradata"]),
            "comments": list(sealed_comments(v["paradata"]).values()),
        }
        for v in versions
    ]


def _seconds(paradata: Mapping[str, Any]) -> float:
    events = paradata.get("events")
    spent = [event.get("seconds", 0) for event in events if isinstance(event, dict)] if isinstance(events, list) else []
    return float(sum(one for one in spent if isinstance(one, (int, float))))


def lines(
    interview: str, versions: Sequence[Version], ways: Sequence[Path], chosen: Mapping[str, int], language: str
) -> list[dict[str, Any]]:
    """One line for each question that the versions answer differently, with the words of each version and
    the file that was given. What is worked
    out from the answers, or filled from the frame, has no line: it follows anew."""
    entries = [{entry.path: entry for entry in way.entries} for way in ways]
    shown = []
    for path in _differing(versions, entries):
        found = [way.get(path) for way in entries]
        known = next(entry for entry in found if entry is not None)
        shown.append(
            {
                "path": path,
                "key": key(path),
                "section": known.section.label(language),
                "label": known.label(language) or known.node.name,
                "cells": [
                    {
                        "words": forms.in_words(entry, language),
                        "file": media.attached(interview, version["head"], entry),
                    }
                    if entry is not None and path in version["answers"]
                    else {}
                    for entry, version in zip(found, versions, strict=True)
                ],
                "chosen": chosen.get(path),
            }
        )
    return shown


def combined(
    versions: Sequence[Version], ways: Sequence[Path], whole: int | None, chosen: Mapping[str, int]
) -> tuple[int, Answers | None]:
    """The version to build on and the answers that the choice leaves; None for these when it is that version and
    nothing else. ``whole`` is the version taken as a whole, which ``chosen`` changes in single rows.

    NotChosen when a row is left open.
    """
    entries = [{entry.path: entry for entry in way.entries} for way in ways]
    taken: dict[str, int] = {}
    for path in _differing(versions, entries):
        number = chosen.get(path, whole)
        if number is None or number >= len(versions):
            raise NotChosen
        taken[path] = number
    if whole is not None and whole < len(versions) and set(taken.values()) <= {whole}:
        return whole, None
    # What has no row of its own (contact, what left the path) comes from the version that most rows come from.
    base = max(range(len(versions)), key=lambda number: (number == whole, [*taken.values()].count(number), -number))
    answers: Answers = dict(versions[base]["answers"])
    for path, number in taken.items():
        source = versions[number]["answers"]
        if path in source:
            answers[path] = source[path]
        else:
            answers.pop(path, None)
    return base, answers | _instances(versions, answers)


def _differing(versions: Sequence[Version], entries: Sequence[Mapping[str, Entry]]) -> list[str]:
    """The questions that a person answered in any version, and not alike in all, in document order."""
    order = dict.fromkeys(path for way in entries for path in way)
    asked = {path for way in entries for path, entry in way.items() if entry.node.control and not entry.read_only}
    first = versions[0]["answers"]
    return [
        path
        for path in order
        if path in asked and any(version["answers"].get(path) != first.get(path) for version in versions)
    ]


def _instances(versions: Sequence[Version], answers: Answers) -> Answers:
    """Which instances of each repeat there are, once answers of several versions stand together: all those that an
    answer is left of, in the order of the versions."""
    kept = {path[: found.end()] for path in answers for found in re.finditer(r"\[\w+\]", path)}
    orders: dict[str, dict[str, None]] = {}
    for version in versions:
        for path, value in version["answers"].items():
            if isinstance(value, list) and any(f"{path}[{one}]" in kept for one in value):
                orders.setdefault(path, {}).update(dict.fromkeys(value))
    return {path: [one for one in order if f"{path}[{one}]" in kept] for path, order in orders.items()}
