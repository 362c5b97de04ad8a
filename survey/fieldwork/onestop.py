"""A one-stop office's list of finished cases as a frame of people. Pure.

Someone with several cases in the window is one unit, with their number in ``cases``; agency, field, procedure and date
are those of one case drawn evenly, by the person's own key, so that quotas by agency and field fill without favour.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from survey.errors import Problem
from survey.fieldwork.selection import stream
from survey.text import Text, fold

NEEDED = ("case_id", "returned")
COUNT_BY: dict[str, Text] = {
    "person": Text("theo người", "by person"),
    "case": Text("theo hồ sơ", "by case"),
}
"""What a round estimates for: people (each once) or cases (each person as often as they had one)."""


def day(text: str) -> date | None:
    """A date as offices write it: ``05/03/2026``, ``2026-03-05``, with or without a time, or Excel's day number."""
    words = text.strip()
    if found := re.match(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})(?!\d)", words):
        year, month, of_month = int(found[3]), int(found[2]), int(found[1])
    elif found := re.match(r"(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)", words):
        year, month, of_month = int(found[1]), int(found[2]), int(found[3])
    elif re.fullmatch(r"[345]\d{4}(\.0+)?", words):
        return date(1899, 12, 30) + timedelta(days=int(float(words)))
    else:
        return None
    try:
        return date(year, month, of_month)
    except ValueError:
        return None


def people(
    rows: Sequence[Mapping[str, Any]], places: Sequence[str], first: date | None = None, last: date | None = None
) -> tuple[list[dict[str, Any]], list[Problem]]:
    """(one row a person with a case returned from ``first`` to ``last``, both included; what is wrong with which rows).

    ``rows`` as :func:`survey.fieldwork.frames.frame_rows` gives them, ``places`` names each one's row in the file. A
    person is known by identity number, else by phone and name, else each case is a person. Rows with a problem are
    in no person: a case without a number or a date, and a number that stands twice.
    """
    problems: list[Problem] = []
    cases: dict[str, list[dict[str, Any]]] = {}
    seen: dict[str, str] = {}
    for row, place in zip(rows, places, strict=True):
        returned = day(str(row.get("returned", "")))
        case = str(row.get("case_id", ""))
        if not case:
            problems.append(_bad(place, Text("thiếu mã hồ sơ", "the case has no number")))
        elif case in seen:
            problems.append(
                _bad(place, Text(f"mã {case} đã có ở {seen[case]}", f"case {case} stands in {seen[case]} already"))
            )
        elif returned is None:
            told = str(row.get("returned", "")) or "∅"
            problems.append(
                _bad(place, Text(f"ngày trả kết quả không đọc được: {told}", f"the date cannot be read: {told}"))
            )
        else:
            seen[case] = place
            if (first is None or returned >= first) and (last is None or returned <= last):
                cases.setdefault(_person(row), []).append({**row, "returned": returned.isoformat()})
    return [_one(own) for own in cases.values()], problems


def _one(own: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    in_order = sorted(own, key=lambda row: str(row["case_id"]))
    key = str(in_order[0]["case_id"])
    drawn = in_order[int(stream("case", key).random() * len(in_order))]
    contact: dict[str, str] = {}
    for row in in_order:
        contact = {**row["contact"], **contact}
    return {**drawn, "id": key, "cases": str(len(in_order)), "contact": contact}


def _person(row: Mapping[str, Any]) -> str:
    contact = row.get("contact", {})
    number = re.sub(r"\D", "", str(contact.get("national_id", "")))
    if number:
        return f"n{number.lstrip('0')}"
    phone = re.sub(r"\D", "", str(contact.get("phone", "")))
    name = " ".join(fold(str(contact.get("name", ""))).split())
    return f"p{phone.removeprefix('84').lstrip('0')}/{name}" if phone and name else f"c{row['case_id']}"


def _bad(place: str, what: Text) -> Problem:
    return Problem(
        place, what, Text("sửa dòng này, hoặc dùng --skip-bad để bỏ", "correct the row, or leave it out: --skip-bad")
    )
