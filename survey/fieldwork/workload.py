"""Targets of fieldwork: how many interviews a round wants of each place, where it is not simply its main list. Pure.

A round's document has them as ``workload``: ``{"level": "commune", "of": {"03646": 20}}``. A place that is not named
keeps the number of its units on the main list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from survey.errors import InputError, Problem, Problems
from survey.text import Text, fold

LEVELS = {
    "province": Text("tỉnh", "province"),
    "commune": Text("xã, phường", "commune"),
    "village": Text("thôn, bản, tổ dân phố", "village"),
}
MOST = 100_000
"""Interviews of one place; more is a slip of the hand."""

_PLACE = {
    "province": ("province", "ma tinh", "tinh", "province name"),
    "commune": ("commune", "ma xa", "xa", "xa phuong", "commune name", "ten xa"),
    "village": ("village", "ma thon", "thon", "ban", "thon ban", "village name", "ten thon", "dia ban"),
}
_TARGET = ("target", "muc tieu", "so phieu", "chi tieu", "interviews")


class Workload(NamedTuple):
    """How many interviews are wanted of places of one level, by their codes."""

    level: str
    of: Mapping[str, int]


def of_round(document: Mapping[str, Any]) -> Workload | None:
    """The targets that a round's document has, if it has any."""
    told = document.get("workload") or {}
    if told.get("level") not in LEVELS or not told.get("of"):
        return None
    return Workload(str(told["level"]), {str(code): int(wanted) for code, wanted in told["of"].items()})


def read(
    level: str, places: Mapping[str, str], columns: Iterable[str], rows: Iterable[tuple[str, Mapping[str, str]]]
) -> Workload:
    """The targets of a table: a column for the place (its code, or its name where only one has it) and one for the
    target. ``places`` are the names of the sample's places by code, ``rows`` (where it stands, cells). A blank target
    leaves the place as it is.

    Raises:
        InputError: a column is missing.
        Problems: every row whose place or number cannot be used.
    """
    plain = {" ".join(re.findall(r"[a-z0-9]+", fold(column))): column for column in columns}
    place = next((plain[name] for name in _PLACE[level] if name in plain), "")
    target = next((plain[name] for name in _TARGET if name in plain), "")
    if not place or not target:
        raise InputError(
            ", ".join(plain.values()),
            Text("thiếu cột nơi hoặc cột mục tiêu", "the column of the place or of the target is missing"),
            Text(f"các cột: {level}, target", f"columns are {level}, target"),
        )
    named: dict[str, list[str]] = {}
    for code, name in places.items():
        named.setdefault(fold(name), []).append(code)
    found: dict[str, int] = {}
    problems = []
    for where, cells in rows:
        said, number = cells[place].strip(), cells[target].strip()
        codes = [said] if said in places else named.get(fold(said), [])
        if len(codes) != 1 or codes[0] in found:
            problems.append(Problem(f"{where}, {said}", *_wrong_place(codes, found, places)))
        elif number and not (number.isascii() and number.isdigit() and int(number) <= MOST):
            problems.append(Problem(f"{where}, {said}", *wrong_number(number)))
        elif number:
            found[codes[0]] = int(number)
    if problems:
        raise Problems(problems)
    return Workload(level, found)


def wrong_number(number: str) -> tuple[Text, Text]:
    """What is wrong with a target that is no number of interviews, and what to do."""
    return (
        Text(f"“{number}” không phải số phiếu", f"“{number}” is no number of interviews"),
        Text(f"ghi số từ 0 đến {MOST}", f"write a number from 0 to {MOST}"),
    )


def _wrong_place(codes: list[str], found: Mapping[str, int], places: Mapping[str, str]) -> tuple[Text, Text]:
    if len(codes) > 1:
        listed = ", ".join(codes)
        return Text("có nhiều nơi cùng tên", "several places have this name"), Text(f"ghi mã: {listed}", f"{listed}")
    if codes:
        return Text("nơi này có hai dòng", "this place stands twice"), Text("bỏ một dòng", "remove one row")
    listed = ", ".join(list(places)[:15])
    return (
        Text("mẫu không có nơi này", "the sample has no such place"),
        Text(f"các mã có: {listed}", f"codes in the sample: {listed}"),
    )
