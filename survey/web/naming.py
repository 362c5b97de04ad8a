"""What people, laptops, sample units and places are called on a page, for the person who looks at it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import g

from survey import text
from survey.errors import InputError
from survey.questionnaire.model import generic
from survey.store import current, frame
from survey.text import Text
from survey.web import roles, words
from survey.web.desk import desk, place_name, store
from survey.web.looked import saw
from survey.web.words import t


def may_contact() -> bool:
    """Whether the person who is signed in may read who the respondents are."""
    return roles.may_contact(g.person["roles"])


def person_name(user: str) -> str:
    """What a person is called, else the id."""
    return str((frame.person(store(), user) or {}).get("name") or user or "–")


def device_name(device: str) -> str:
    """What a laptop is called, else the beginning of its id."""
    return frame.device_name(store(), device)


def full_place(unit: Mapping[str, Any]) -> str:
    """Village and commune: many communes have a "Bản 1"."""
    return " · ".join(name for name in (place_name(unit, "village"), place_name(unit, "commune")) if name)


def natural(place: str) -> tuple[str, ...]:
    """Sorts places of :func:`full_place` by commune, then by village as people count them: Bản 4 before Bản 18."""
    return text.natural(" · ".join(reversed(place.split(" · "))))


def called(unit: Mapping[str, Any], contact: Mapping[str, Any]) -> str:
    """A sample unit by its person's name where it is known here and may be read, else by its number on the list. A name
    goes into the log of access."""
    number = str(unit.get("order") or str(unit.get("id", ""))[:8])
    if unit.get("list") == frame.VOLUNTEER:
        return t(f"Người tự nguyện {number}", f"Volunteer {number}")
    name = contact.get("name") if may_contact() else ""
    if name:
        saw(unit.get("id", ""))
    # Both lists of a village count from one.
    reserve = t(" dự phòng", " reserve") if unit.get("list") == "reserve" else ""
    return str(name or f"{t('Đơn vị mẫu số', 'Sample unit no.')} {number}{reserve}")


def unit_name(unit: str) -> str:
    """:func:`called`, by the unit's id."""
    return called(frame.unit(store(), unit) or {"id": unit}, frame.contact(store(), "unit", unit))


def unit_place(unit: str) -> str:
    """:func:`full_place`, by the unit's id."""
    return full_place(frame.unit(store(), unit) or {})


def question_label(questionnaire_hash: str, path: str) -> str:
    """What a question is called in the language of the questions; its path where the questionnaire is not here, empty
    for no question."""
    if not path:
        return ""
    try:
        node = desk().questionnaire(store(), questionnaire_hash).by_path.get(generic(path))
    except InputError:
        return path
    return words.pick(node.label, words.tongue()) if node is not None else path


def respondent(interview: str) -> str:
    """Whom an interview is about, name or number with the place; the id when there is no such interview here."""
    rows = current.interviews(store(), interview=interview)
    if not rows:
        return interview[:8]
    return " · ".join(word for word in (unit_name(rows[0]["unit"]), unit_place(rows[0]["unit"])) if word)


def interviewer(row: Mapping[str, Any]) -> str:
    """Who interviewed: those who sealed it, whoever settled or corrected it afterwards."""
    sealed = current.interviewers(store(), row["interview"]).get(row["interview"])
    return ", ".join(person_name(user) for user in sealed or [row["actor"]])


_SAFE = {
    "device": Text("● máy này", "● this laptop"),
    "supervisor": Text("◐ giám sát viên", "◐ supervisor"),
    "province": Text("○ tỉnh", "○ province"),
    "ministry": Text("◇ bộ", "◇ ministry"),
}


def safe_at(tiers: Iterable[str]) -> str:
    """Where an interview is kept, in the signs of the line on top."""
    return " · ".join(_SAFE[tier](words.interface()) for tier in tiers)
