"""The register of what respondents ask for under the law, with the days by which it has to be answered and done.

A request, and each step taken about it, is a document of the feed that nobody replaces (decision 40), so two machines
may both note something. The days: see :data:`survey.vocabulary.REQUESTS` and decision 81.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from survey.errors import InputError
from survey.store import fieldlog, frame, reading
from survey.store.store import Store
from survey.text import Text
from survey.vocabulary import REQUESTS

REQUEST = "request"
STEP = "request_step"
STEPS = ("answered", "done", "refused")
WORKING_DAYS = 2
"""To answer in."""


class Request(NamedTuple):
    """One request as it stands. Days are ISO dates; ``answered`` and ``closed`` are empty until then."""

    id: str
    kind: str
    interview: str
    received: str
    note: str
    actor: str
    answer_by: str
    do_by: str
    answered: str
    closed: str
    outcome: str
    reason: str

    def late(self, today: str) -> str:
        """``answer`` or ``do`` when that should have been done before ``today``; empty when nothing is late."""
        if self.closed:
            return ""
        if self.do_by < today:
            return "do"
        return "answer" if not self.answered and self.answer_by < today else ""


def answer_by(received: date) -> date:
    """Two working days after a day. Public holidays are not known here: on them it is early, never late."""
    day, left = received, WORKING_DAYS
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < 5
    return day


def add(
    store: Store,
    kind: str,
    received: date,
    actor: str,
    *,
    interview: str = "",
    note: str = "",
    now: datetime | None = None,
) -> str:
    """Registers a request; returns its id. InputError for a kind that is none, or neither interview nor note."""
    if kind not in REQUESTS or not (interview or note.strip()):
        raise InputError(
            kind or "request",
            Text("thiếu loại yêu cầu, hoặc cả mã phiếu và ghi chú", "the kind, or both code and note, are missing"),
            Text("chọn loại; ghi mã phiếu, hoặc một câu", "choose a kind; give the code, or a sentence"),
        )
    rows = reading.interviews(store, interview=interview) if interview else []
    round = str((frame.unit(store, rows[0]["unit"]) or {}).get("round", "")) if rows else ""
    body = {"kind": kind, "received": received.isoformat(), "interview": interview, "note": note.strip()}
    return fieldlog.write(store, REQUEST, body, round=round, actor=actor, now=now)


def step(store: Store, request: str, what: str, actor: str, reason: str = "", *, now: datetime | None = None) -> None:
    """Notes that a request was answered, done or refused. InputError for another step, an unknown or closed request, or
    a refusal without a reason."""
    known = {one.id: one for one in everything(store)}
    found = known.get(request)
    if what not in STEPS or found is None or found.closed or (what == "refused" and not reason.strip()):
        raise InputError(
            request or "request",
            Text(
                "không có yêu cầu nào đang mở với mã này, hoặc thiếu lý do từ chối",
                "no such open request, or no reason given",
            ),
            Text("xem: survey request list", "see: survey request list"),
        )
    fieldlog.write(
        store, STEP, {"request": request, "step": what, "reason": reason.strip()}, round="", actor=actor, now=now
    )


def carried_out(
    store: Store, interview: str, kinds: Collection[str], actor: str, *, now: datetime | None = None
) -> list[str]:
    """Closes the open requests of these kinds about an interview, because what they asked for was done; their ids."""
    mine = [one.id for one in everything(store) if one.interview == interview and one.kind in kinds and not one.closed]
    for request in mine:
        step(store, request, "done", actor, now=now)
    return mine


def _is_request(event: Mapping[str, Any]) -> bool:
    """Whether an event is a request that can be understood; another machine may have written anything."""
    try:
        date.fromisoformat(event["received"])
        return event.get("event") == REQUEST and event["kind"] in REQUESTS and bool(event["id"])
    except (KeyError, TypeError, ValueError):
        return False


def everything(store: Store) -> list[Request]:
    """All requests, the open ones first, by the day by which they have to be done."""
    steps: dict[str, list[dict[str, str]]] = defaultdict(list)
    noted = frame.visit_documents(store, unit="")
    for event in noted:
        if event.get("event") == STEP and event.get("step") in STEPS:
            steps[str(event.get("request"))].append({name: str(value) for name, value in event.items()})
    found = []
    for event in filter(_is_request, noted):
        received, own = date.fromisoformat(event["received"]), steps[event["id"]]
        closing = next((one for one in own if one["step"] != "answered"), None)
        found.append(
            Request(
                event["id"],
                event["kind"],
                str(event.get("interview", "")),
                event["received"],
                str(event.get("note", "")),
                str(event.get("actor", "")),
                answer_by(received).isoformat(),
                (received + timedelta(days=REQUESTS[event["kind"]].days)).isoformat(),
                own[0].get("time", "") if own else "",
                closing.get("time", "") if closing else "",
                closing["step"] if closing else "",
                closing.get("reason", "") if closing else "",
            )
        )
    return sorted(found, key=lambda one: (bool(one.closed), one.do_by, one.id))
