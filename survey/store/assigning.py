"""Interviews that people made at units where their employer is rated, and why: what the method annex tells."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from survey.fieldwork.independence import REASON, is_tied
from survey.store import frame, reading
from survey.store.store import Store

CONDUCTED = ("sealed", "approved", "returned", "conflict")


class Tied(NamedTuple):
    """Interviews of a round: ``all`` conducted by people, of whom ``told`` is known who employs them; ``kinds`` counts
    those tied to the unit by kind of employer, ``reasons`` the reasons kept with these units ("" where none is)."""

    all: int
    told: int
    kinds: Counter[str]
    reasons: Counter[str]


def tied(store: Store, round: str) -> Tied:
    """Counts the conducted interviews of a round by what their interviewer's employer has to do with the unit."""
    people = {str(one["id"]): one for one in frame.people(store)}
    units = {str(unit["id"]): unit for unit in frame.units(store, round)}
    conducted = [row for row in reading.interviews(store, round, CONDUCTED) if row["unit"] in units]
    kinds: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    told = 0
    for row in conducted:
        person, unit = people.get(str(row["actor"]), {}), units[row["unit"]]
        told += bool(person.get("employer_kind"))
        if is_tied(person, unit):
            kinds[str(person["employer_kind"])] += 1
            reasons[str(unit.get(REASON) or "")] += 1
    return Tied(len(conducted), told, kinds, reasons)
