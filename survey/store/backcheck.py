"""Back-check rounds as they lie in the store: a round of its own whose units point at those of the round it checks
(decision 110)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from survey.fieldwork.backcheck import Case, Pair
from survey.fieldwork.quality import risk
from survey.store import feed, fieldlog, frame, quality, reading
from survey.store.store import Store

OF = "backcheck_of"
"""Key of a back-check round's document: the round that it checks."""

FINISHED = ("sealed", "approved", "returned")


def round_of(store: Store, round: str) -> dict[str, Any] | None:
    """The back-check round of a round, or None before the first draw."""
    return next((one for one in frame.rounds(store) if one.get(OF) == round), None)


def cases(store: Store, round: str, *, by_risk: bool = False) -> list[Case]:
    """First visits that may be checked: finished interviews, and units whose last visit ended without one."""
    quality.refresh(store)
    points = risk(quality.findings(store, round)) if by_risk else {}
    rows = quality.rows(store, round)
    found = [Case(row.unit, row.enumerator, row.interview, points.get(row.interview, 0)) for row in rows if row.unit]
    seen = {case.unit for case in found}
    actors = {visit["unit"]: visit for visit in frame.visits(store, round=round) if visit.get("unit")}
    for unit, code in fieldlog.cases(store, round):
        if unit["id"] not in seen and unit["id"] in actors and not code.startswith("1."):
            found.append(Case(unit["id"], str(unit.get("assignee", ""))))
    return found


def drawn(store: Store, checks: str) -> dict[str, dict[str, Any]]:
    """Checked unit to its unit in the back-check round ``checks``."""
    return {str(unit.get("of_unit", "")): unit for unit in frame.units(store, checks)}


def states(store: Store, checks: str) -> dict[str, str]:
    """Unit of the back-check round to the state of its interview, or the code of its last visit; "" before either."""
    found = {str(unit["id"]): "" for unit in frame.units(store, checks)}
    for visit in frame.visits(store, round=checks):
        found[str(visit.get("unit", ""))] = str(visit["disposition"])
    for row in reading.interviews(store, checks):
        if row["state"] not in ("voided", "erased"):
            found[row["unit"]] = row["state"]
    return found


def pairs(store: Store, checks: Mapping[str, Any]) -> list[Pair]:
    """First and second visits, of the units whose back-check is finished and whose content is here."""
    units = {str(unit["id"]): unit for unit in frame.units(store, str(checks["id"]))}
    first = {row.unit: row for row in quality.rows(store, str(checks[OF]))}
    outcomes = {unit["id"]: code for unit, code in fieldlog.cases(store, str(checks[OF]))}
    teams = {str(one["id"]): str(one.get("team", "")) for one in frame.people(store)}
    found = []
    for row in reading.interviews(store, str(checks["id"]), FINISHED):
        unit = units.get(row["unit"])
        second = feed.part_json(store, row["head"], "answers")
        if unit is None or second is None:
            continue
        checked = str(unit.get("of_unit", ""))
        before = first.get(checked)
        answers = (feed.part_json(store, before.head, "answers") or {}) if before else {}
        who = before.enumerator if before else str((frame.unit(store, checked) or {}).get("assignee", ""))
        found.append(
            Pair(
                checked,
                who,
                row["actor"],
                answers,
                second,
                "1.1" if before else outcomes.get(checked, "3.11"),
                teams.get(who, ""),
                str(unit.get("commune", "")),
                before.interview if before else "",
            )
        )
    return found


def progress(store: Store, checks: str) -> dict[str, tuple[int, int]]:
    """Enumerator to (drawn, done) back-checks."""
    made = {row.unit: row.enumerator for row in quality.rows(store, str(frame.round_document(store, checks)[OF]))}
    known = states(store, checks)
    all_of, done = Counter[str](), Counter[str]()
    for checked, unit in drawn(store, checks).items():
        who = made.get(checked) or str((frame.unit(store, checked) or {}).get("assignee", ""))
        all_of[who] += 1
        done[who] += known[str(unit["id"])] in FINISHED
    return {who: (count, done[who]) for who, count in sorted(all_of.items())}
