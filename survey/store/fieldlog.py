"""What happened to sample units in the field besides visits: a reserve unit opened, a respondent chosen in a household,
work handed over. Each is a document that nobody replaces, of the subject type ``visit`` and with an ``event``
(decision 40): unit documents stay as they were drawn, so that what two machines note at once never hides either.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from survey.errors import NotAllowed
from survey.fieldwork.dispositions import DISPOSITIONS, final
from survey.fieldwork.household import METHODS, Adult, Chosen, choose
from survey.fieldwork.replacement import Rule, Unit, opening
from survey.store import frame, reading
from survey.store.store import Store, now_text
from survey.text import Text

REPLACEMENT = "replacement"
SELECTION = "selection"
CODE = "handover_code"
HANDOVER = "handover"
LOG = "log"
"""Of a machine, not of a unit: entries of its log of access (:mod:`survey.store.audit`)."""


def write(
    store: Store,
    event: str,
    body: Mapping[str, Any],
    *,
    round: str,
    unit: str = "",
    contact: Mapping[str, Any] | None = None,
    actor: str = "",
    now: datetime | None = None,
) -> str:
    """Notes an event; returns the document's id. ``contact`` holds what says who someone is."""
    identity = frame.new_id("visit")
    own = {"id": identity, "event": event, "round": round, "unit": unit, "actor": actor, "time": now_text(now)}
    document = {**body, **own}
    frame.issue(store, "visit", identity, {k: v for k, v in document.items() if v != ""}, contact, actor, now=now)
    return identity


def read(store: Store, event: str, *, round: str | None = None, unit: str | None = None) -> list[dict[str, Any]]:
    """The events of one kind, by their time as the devices told it; ``actor`` is who noted it."""
    return [row for row in frame.visit_documents(store, round=round, unit=unit) if row.get("event") == event]


def outcomes(store: Store, round: str) -> dict[str, list[str]]:
    """The codes of the visits at every unit of a round, in order; a unit without any is not there.

    A visit whose interview was voided did not happen, and an interview without a visit is one that ended with 1.1.
    """
    visits, interviews = defaultdict(list), defaultdict(list)
    for visit in frame.visits(store, round=round):
        visits[str(visit.get("unit", ""))].append(visit)
    for row in reading.interviews(store, round):
        interviews[row["unit"]].append(row)
    found = {unit: codes(visits[unit], interviews[unit]) for unit in [*visits, *interviews]}
    return {unit: own for unit, own in found.items() if own}


def codes(visits: Iterable[Mapping[str, Any]], interviews: Collection[Mapping[str, Any]]) -> list[str]:
    """The codes of one unit's visits, in their order, as :func:`outcomes` counts them."""
    voided = {row["interview"] for row in interviews if row["state"] in ("voided", "erased")}
    found = [
        str(visit["disposition"])
        for visit in visits
        if visit.get("interview") not in voided and visit["disposition"] in DISPOSITIONS
    ]
    done = any(row["state"] in ("sealed", "approved", "returned", "conflict") for row in interviews)
    return [*found, "1.1"] if done and not {"1.1", "1.2"} & set(found) else found


def cases(store: Store, round: str) -> list[tuple[dict[str, Any], str]]:
    """(unit document, final code) of every unit that was to be interviewed: the main list, and reserve units that
    were opened or visited. A unit that nobody has visited is 3.11."""
    codes = outcomes(store, round)
    opened = {row["unit"] for row in read(store, REPLACEMENT, round=round)} | codes.keys()
    return [
        (unit, final(codes.get(unit["id"], ())).code)
        for unit in frame.units(store, round)
        if unit.get("list") != "reserve" or unit["id"] in opened
    ]


# -- replacement --------------------------------------------------------------------------------------------------


def primary_units(store: Store, round: str) -> dict[tuple[str, str], list[Unit]]:
    """The units of each primary unit (stratum, PSU) as the rule of replacement sees them."""
    codes = outcomes(store, round)
    replaces = {row["unit"]: str(row["replaces"]) for row in read(store, REPLACEMENT, round=round)}
    taken = {row["unit"] for row in reading.interviews(store, round) if row["state"] not in ("voided", "erased")}
    found: dict[tuple[str, str], list[Unit]] = defaultdict(list)
    for unit in frame.units(store, round):
        found[place_of(unit)].append(
            Unit(
                unit["id"],
                unit.get("list") == "reserve",
                int(float(unit.get("order") or 0)),
                tuple(codes.get(unit["id"], ())),
                unit["id"] in taken,
                replaces.get(unit["id"], ""),
            )
        )
    return found


def place_of(unit: Mapping[str, Any]) -> tuple[str, str]:
    """The primary unit that a sample unit belongs to: (stratum, PSU)."""
    return str(unit.get("stratum", "")), str(unit.get("psu", ""))


def replace(
    store: Store, given_up: str, reason: str, actor: str, *, expected: str = "", now: datetime | None = None
) -> str:
    """Opens the next reserve unit in place of ``given_up``, as the round's rule allows, and returns its id.

    ``expected`` is the unit that the person saw. NotAllowed, with the rule's reason, when none may be opened in place
    of that one, or another one is next by now.
    """
    with store.transaction():
        document = frame.unit(store, given_up) or {}
        round = frame.round_document(store, str(document.get("round", "")))
        rule = Rule.of(round)
        now_open = opening(primary_units(store, round["id"])[place_of(document)], rule)
        out = next((unit for unit in now_open.given_up if unit.id == given_up), None)
        if now_open.reserve is None or out is None or expected not in ("", now_open.reserve.id):
            raise NotAllowed(
                given_up,
                now_open.reason
                if now_open.reserve is None
                else Text("không thay được hộ này", "it cannot be replaced"),
                Text("tải lại trang Hôm nay", "load Today again"),
            )
        body = {
            "replaces": given_up,
            "disposition_of_replaced": out.outcome.code,
            "visits_of_replaced": str(len(out.codes)),
            "reason": reason.strip(),
            "rule": rule.document,
        }
        write(store, REPLACEMENT, body, round=round["id"], unit=now_open.reserve.id, actor=actor, now=now)
    return now_open.reserve.id


# -- who is interviewed in a household ----------------------------------------------------------------------------


def choose_respondent(
    store: Store,
    unit: Mapping[str, Any],
    adults: Sequence[Adult],
    actor: str,
    *,
    because: str = "",
    now: datetime,
) -> Chosen:
    """Draws the person to interview by the method of the round and notes list, draw and person for good.

    The same list gives the same person again. NotAllowed when a list stands already and ``because`` gives no reason for
    another one, or an interview was begun. InputError as :func:`survey.fieldwork.household.choose`.
    """
    round = frame.round_document(store, str(unit.get("round", "")))
    method = respondent_method(round)
    seed = f"{(round.get('draw') or {}).get('seed', '')}/{round['id']}/{unit['id']}"
    chosen = choose(adults, method, seed, now.date())
    body = {
        "method": method,
        "seed": seed,
        "table": chosen.table,
        "adults": str(len(chosen.order)),
        "number": str(chosen.number),
        "probability": repr(float(chosen.probability)),
        "sex": chosen.adult.sex,
        "age": str(chosen.adult.age),
        "listed": [f"{adult.sex} {adult.age}" for adult in chosen.order],
        "because": because.strip(),
    }
    contact = {"name": chosen.adult.name, "listed": [adult.name for adult in chosen.order]}
    with store.transaction():
        standing = respondent(store, unit["id"])
        if standing is not None and not because.strip():
            raise NotAllowed(
                str(unit["id"]),
                Text("hộ này đã chọn người trả lời", "the respondent of this household is chosen already"),
                Text("ghi lý do phải lập lại danh sách", "say why the list has to be made again"),
            )
        begun = [r for r in reading.interviews(store, unit=unit["id"]) if r["state"] not in ("voided", "erased")]
        if begun:
            raise NotAllowed(
                str(unit["id"]),
                Text("phiếu của hộ này đã bắt đầu", "the interview of this household has begun"),
                Text("nhờ giám sát viên hủy phiếu trước", "ask your supervisor to void it first"),
            )
        body["list"] = str(standing["lists"] + 1 if standing else 1)
        write(store, SELECTION, body, round=round["id"], unit=unit["id"], contact=contact, actor=actor, now=now)
    return chosen


def respondent_method(round: Mapping[str, Any]) -> str:
    """How the round chooses within a household, ``""`` where its units are the people to interview."""
    told = round.get("respondent")
    method = told.get("method", "") if isinstance(told, Mapping) else ""
    return method if method in METHODS else ""


def respondent(store: Store, unit: str) -> dict[str, Any] | None:
    """The choice that stands for a household, with ``name`` where it is known here; None before there is one."""
    # By the number of the list: two lists may be made within one second.
    found = sorted(read(store, SELECTION, unit=unit), key=lambda event: int(event.get("list", 1)))
    if not found:
        return None
    return {**found[-1], "name": frame.contact(store, "visit", found[-1]["id"]).get("name", ""), "lists": len(found)}


def respondents(store: Store, round: str) -> dict[str, dict[str, Any]]:
    """The choice that stands for each household of a round, as :func:`respondent` without the name."""
    found: dict[str, dict[str, Any]] = {}
    for event in sorted(read(store, SELECTION, round=round), key=lambda event: int(event.get("list", 1))):
        found[str(event.get("unit", ""))] = event
    return found


def respondent_columns(store: Store, unit: str) -> dict[str, str]:
    """What a questionnaire may use of the choice, as columns of the unit: ``respondent_adults``, ``respondent_number``,
    ``respondent_sex``, ``respondent_age``, ``respondent_probability``."""
    chosen = respondent(store, unit)
    names = ("adults", "number", "sex", "age", "probability")
    return {} if chosen is None else {f"respondent_{name}": str(chosen[name]) for name in names}
