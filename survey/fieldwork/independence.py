"""Independence: nobody who works for an authority asks its own public about it without a written reason. Pure.

A person's document tells who employs them (``employer``: a name or a code of the frame; ``employer_kind``: one of
:data:`survey.vocabulary.EMPLOYERS`). Only kinds of employer that are rated can be tied to a sample unit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from survey.errors import InputError, Problem
from survey.text import Text, fold, nfc
from survey.vocabulary import EMPLOYERS

REASON = "assignee_reason"
"""Of a sample unit: why it was given to somebody whose employer is rated there."""

LONGEST = 500
"""Characters of a reason."""

_PLACES = ("agency", "agency_name", "commune", "commune_name")
_PROVINCES = ("province", "province_name")
_KINDS_OF_PLACE = re.compile(
    r"^(xa|phuong|dac khu|thi tran|tinh|thanh pho|tp|ubnd|uy ban nhan dan|commune|ward|province)\b[. ]*"
)


def is_tied(person: Mapping[str, Any], unit: Mapping[str, Any]) -> bool:
    """Whether the person's employer is rated by the interview at ``unit``: it is the unit's agency, or an authority of
    its commune; a provincial or state one also of its province, where the unit names no agency."""
    employer = _words(str(person.get("employer") or ""))
    kind = EMPLOYERS.get(str(person.get("employer_kind") or ""))
    if not employer or kind is None or not kind.rated:
        return False
    columns: tuple[str, ...] = _PLACES
    if person["employer_kind"] in ("province", "central") and not unit.get("agency"):
        columns = _PLACES + _PROVINCES
    return any(_names(employer, _words(str(unit.get(column) or ""))) for column in columns)


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", fold(text)))


def _names(employer: str, place: str) -> bool:
    """Whether the employer's name is, or contains as whole words, that of the place."""
    bare = _KINDS_OF_PLACE.sub("", place)
    if not bare:
        return False
    if bare.isdigit() or employer == place:
        return employer == place
    return f" {bare} " in f" {employer} "


def checked_reason(person: Mapping[str, Any], units: Iterable[Mapping[str, Any]], reason: str) -> dict[str, str]:
    """unit -> the reason to keep with it, for those of ``units`` to which the person is tied.

    Raises:
        InputError: there are such units and no reason is given, or it is longer than :data:`LONGEST`.
    """
    tied = [str(unit["id"]) for unit in units if is_tied(person, unit)]
    kept = " ".join(nfc(reason).split())
    if tied and (not kept or len(kept) > LONGEST):
        problem = lacking(person, len(tied))
        raise InputError(problem.where, problem.what, problem.todo)
    return dict.fromkeys(tied, kept)


def lacking(person: Mapping[str, Any], units: int) -> Problem:
    """Says that a reason is missing, without saying more of the person than the page does."""
    name, employer = str(person.get("name") or person.get("id")), str(person.get("employer"))
    return Problem(
        name,
        Text(
            f"người này làm việc cho cơ quan được đánh giá ở {units} đơn vị mẫu này ({employer})",
            f"this person works for the authority that is rated at {units} of these sample units ({employer})",
        ),
        Text(
            f"giao cho người khác, hoặc ghi lý do (tối đa {LONGEST} ký tự, không ghi tên người); lý do được in trong "
            "phụ lục phương pháp",
            f"give them to somebody else, or write the reason (at most {LONGEST} characters, without names); the "
            "method annex prints it",
        ),
    )
