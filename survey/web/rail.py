"""The list of sections beside an interview: how far each has got, and where back and on lead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import url_for

from survey.questionnaire.path import Entry, Section
from survey.text import Text
from survey.web.desk import Open
from survey.web.draft import tongue_of
from survey.web.words import interface, t

SIGNS = {"done": "✓", "here": "●", "todo": "○", "not_asked": "–"}

SECTION_STATES = {
    "done": Text("xong", "done"),
    "todo": Text("chưa xong", "to do"),
    "here": Text("chưa xong", "to do"),
    "not_asked": Text("không hỏi", "not asked"),
}


@dataclass(frozen=True)
class Step:
    """One line of the list: a section, where its page is, how far it has got, and how many marks stand in it."""

    number: int
    title: str
    url: str
    here: bool
    open: bool
    sign: str
    flags: int
    state: str
    count: str


def place_of(opened: Open, entry: Entry) -> int:
    """The place of the section that ``entry`` stands in, from 0."""
    path = entry.section.path
    return next(number for number, one in enumerate(opened.path.sections) if one.path == path)


def rail_of(opened: Open, entry: Entry) -> dict[str, Any]:
    """The list of sections as it stands at the page of ``entry``."""
    return rail(opened, place_of(opened, entry), tongue_of(opened))


def rail(opened: Open, place: int | None, language: str) -> dict[str, Any]:
    """The list of sections with their states, and where back and on lead from ``place`` (None: the review page)."""
    interview = opened.draft["interview"]
    finish = url_for("finishing.finish", interview=interview)
    pages = url_for("interview.section", interview=interview, number=0).removesuffix("0")
    steps = []
    for number, one in enumerate(opened.path.sections):
        here = number == place
        answered, total = counted(opened, one)
        step = Step(
            number + 1,
            one.label(language) or t("Câu hỏi", "Questions"),
            f"{pages}{number + 1}",
            here,
            one.state != "not_asked" or here,
            SIGNS["here" if here else one.state],
            sum(entry.path in opened.flags and entry.asked for entry in one.seen) if opened.flags else 0,
            SECTION_STATES[one.state](interface()),
            f"{answered}/{total}" if total else "",
        )
        steps.append(step)
    onward, back = steps[place + 1 :] if place is not None else [], steps[: place or 0]
    following = next((one for one in onward if one.open), None)
    return {
        "rail": steps,
        "language": language,
        "next": following or {"title": t("Hoàn thành phiếu", "Finish"), "url": finish},
        "next_is_end": following is None,
        "previous": next((one for one in reversed(back) if one.open), None),
        "finish_url": finish,
        "finishing": place is None,
    }


def counted(opened: Open, section: Section) -> tuple[int, int]:
    """How many questions of a section are answered and asked; without the private ones where the respondent answered
    some alone: how many were asked may follow from what was answered."""
    if not opened.alone or not any(entry.path in opened.alone for entry in section.entries):
        return section.answered, section.total
    asked = [entry for entry in section.entries if entry.asked and not entry.node.private and "[]" not in entry.path]
    return sum(entry.is_answered for entry in asked), len(asked)
