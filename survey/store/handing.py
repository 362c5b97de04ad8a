"""Bàn giao: a person's units, drafts and uncollected forms given to another by a supervisor's code, offline."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from survey.errors import InputError, NotAllowed
from survey.fieldwork.handing import Scope, holds, make_code, number_of, read_code
from survey.fieldwork.independence import REASON, checked_reason
from survey.store import drafts, feed, fieldlog, frame, people, reading
from survey.store.store import Store
from survey.text import Text
from survey.vocabulary import SUPERVISOR

HERE = "hub"
"""In place of a code's number: the supervisor gave the work to another at the hub itself."""


class Handed(NamedTuple):
    """What changed hands: units, drafts (interviews), units with a form still at the household; and units that stay
    because this machine lacks their contact data."""

    units: list[str]
    drafts: list[str]
    forms: list[str]
    left: list[str]


def issue_code(
    store: Store, scope: Scope, supervisor: str, now: datetime | None = None, *, tie_reason: str = ""
) -> str:
    """A new one-time code by which ``scope.taker`` takes over; noted, so that its use can be told from a forgery.
    InputError when giver and taker are one, somebody is unknown, or the taker's employer is rated at some of the units
    and ``tie_reason`` does not say why it is them (:mod:`survey.fieldwork.independence`)."""
    person = frame.person(store, supervisor) or {}
    _check(store, scope)
    tied = checked_reason(frame.person(store, scope.taker) or {}, _own(store, scope), tie_reason)
    used = {str(event["number"]) for event in fieldlog.read(store, fieldlog.CODE, round=scope.round)}
    code = make_code(scope, str(person.get("pin", "")), used)
    body = {"number": number_of(code), "from": scope.giver, "to": scope.taker, "village": scope.village}
    body |= {REASON: next(iter(tied.values()))} if tied else {}
    fieldlog.write(store, fieldlog.CODE, body, round=scope.round, actor=supervisor, now=now)
    return code


def accept(store: Store, scope: Scope, typed: str, now: datetime, *, tie_reason: str = "") -> Handed:
    """Hands everything in ``scope`` to its taker, if the code is a supervisor's, for this, and was not used before.

    Drafts are written as ``partial`` under the giver's name first, so that the seal of the taker builds on them and
    both names stay. InputError for a code that was mistyped, and where the taker needs a ``tie_reason`` as in
    :func:`issue_code`; NotAllowed for one that does not hold, is used up, or comes while the delay after wrong ones
    runs.
    """
    code = read_code(typed)
    _check(store, scope)
    tries = f"handover/{scope.taker}"
    people.count_guess(store, tries, now)
    supervisor = next((str(person["id"]) for person in frame.people(store) if _gave(person, code, scope)), "")
    if not supervisor:
        raise NotAllowed(
            "code",
            Text("mã này không đúng cho việc bàn giao này", "this code is not for this hand-over"),
            Text(
                "so lại người giao, người nhận và địa bàn với giám sát viên",
                "compare giver, taker and village with your supervisor",
            ),
        )
    people.guessed_right(store, tries)
    with store.transaction():
        for event in fieldlog.read(store, fieldlog.HANDOVER, round=scope.round):
            if (event["number"], event["by"]) == (number_of(code), supervisor):
                raise NotAllowed(
                    "code",
                    Text("mã này đã dùng rồi", "this code has been used"),
                    Text("xin giám sát viên mã mới", "ask your supervisor for another"),
                )
        return _hand_on(store, scope, code, supervisor, now, tie_reason=tie_reason)


def reassign(
    store: Store, scope: Scope, supervisor: str, reason: str, now: datetime, *, tie_reason: str = ""
) -> Handed:
    """Gives everything in ``scope`` to its taker at the hub, without a code: the supervisor sits here. The taker's
    laptop gets it with the next exchange, unfinished interviews with it. InputError as :func:`accept`."""
    _check(store, scope)
    with store.transaction():
        return _hand_on(store, scope, HERE, supervisor, now, reason, tie_reason)


def _own(store: Store, scope: Scope) -> list[dict[str, Any]]:
    """The giver's units in the scope."""
    return [
        unit
        for unit in frame.units(store, scope.round, assignee=scope.giver)
        if scope.village in ("", str(unit.get("village", "")))
    ]


def _hand_on(
    store: Store,
    scope: Scope,
    code: str,
    supervisor: str,
    now: datetime,
    reason: str = "",
    tie_reason: str = "",
) -> Handed:
    own = _own(store, scope)
    if code == HERE:
        # Whose interview is made keeps it: what is given is what is still to be done.
        own = [unit for unit in own if not _is_done(store, str(unit["id"]))]
    if not own:
        raise InputError(
            "units",
            Text("người giao không còn đơn vị mẫu nào phải làm ở đây", "the giver has no sample units to do here"),
            Text("kiểm tra người giao và địa bàn", "check giver and village"),
        )
    left = [unit["id"] for unit in own if not _has_contact(store, unit["id"])]
    units = [unit for unit in own if unit["id"] not in left]
    ids = {str(unit["id"]) for unit in units}
    tied = checked_reason(frame.person(store, scope.taker) or {}, units, tie_reason)
    drafts.partials(store, now)
    moved = drafts.hand_on(store, ids, scope.taker)
    codes = fieldlog.outcomes(store, scope.round)
    forms = sorted(unit for unit in ids if codes.get(unit, [""])[-1] == "0.1")
    actor = supervisor if code == HERE else scope.taker
    for unit in units:
        private = frame.contact(store, "unit", unit["id"])
        document = {**unit, "assignee": scope.taker}
        if unit["id"] in tied:
            document[REASON] = tied[unit["id"]]
        elif not _is_done(store, unit["id"]):  # an interview that is made keeps why its interviewer made it
            document.pop(REASON, None)
        frame.issue(store, "unit", unit["id"], document, private, actor, now=now)
    body = {
        "number": number_of(code),
        "from": scope.giver,
        "to": scope.taker,
        "village": scope.village,
        "by": supervisor,
        "units": sorted(ids),
        "drafts": moved,
        "forms": forms,
        "reason": reason,
    }
    fieldlog.write(store, fieldlog.HANDOVER, body, round=scope.round, actor=actor, now=now)
    return Handed(sorted(ids), moved, forms, left)


def _is_done(store: Store, unit: str) -> bool:
    return any(row["state"] in ("sealed", "approved", "conflict") for row in reading.interviews(store, unit=unit))


def _gave(person: Mapping[str, Any], code: str, scope: Scope) -> bool:
    """Whether this person is a supervisor who gave the code."""
    may = SUPERVISOR in person.get("roles", ()) and not person.get("disabled") and bool(person.get("pin"))
    return may and holds(code, scope, str(person["pin"]))


def _has_contact(store: Store, unit: str) -> bool:
    """Whether re-issuing the unit would lose no contact data: it has none, or has it here."""
    head = store.value("SELECT head FROM documents WHERE subject_type = 'unit' AND subject = ?", (unit,))
    header = feed.header(store, head) if head else None
    return header is not None and ("contact" not in header.parts or feed.part(store, head, "contact") is not None)


def _check(store: Store, scope: Scope) -> None:
    for person in (scope.giver, scope.taker):
        if frame.person(store, person) is None:
            raise InputError(
                person or "person",
                Text("máy này không có người ấy", "this person is not known here"),
                Text("chọn người giao và người nhận", "choose giver and taker"),
            )
    if scope.giver == scope.taker:
        raise InputError(
            scope.giver,
            Text("người giao và người nhận là một", "giver and taker are the same"),
            Text("chọn hai người khác nhau", "choose two people"),
        )
