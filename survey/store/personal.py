"""What is held about one person, by the code that the respondent was given: to show, to hand out, to erase."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from survey.errors import InputError
from survey.fieldwork.independence import REASON
from survey.store import feed, frame, reading, requests
from survey.store.erasure import erase, wipe
from survey.store.header import CONTENT_KINDS, DECISION_KINDS
from survey.store.store import Store
from survey.text import Text

SHORTEST = 8
"""Digits of a code that are needed: fewer would name several interviews of a country."""


def code_of(interview: str) -> str:
    """The first twelve digits of the interview's id in groups of four: ``1C9E-04AB-77F0``."""
    digits = interview.replace("-", "")[:12].upper()
    return "-".join(digits[start : start + 4] for start in range(0, len(digits), 4))


def by_code(store: Store, code: str) -> str:
    """The interview that a code (or its id) names; InputError when it is too short, unknown, or names several."""
    typed = "".join(sign for sign in code.lower() if sign.isalnum())
    rows = store.execute(
        "SELECT interview FROM (SELECT interview FROM interviews UNION SELECT interview FROM drafts)"
        " WHERE replace(lower(interview), '-', '') LIKE ? || '%' ORDER BY interview LIMIT 2",
        (typed,),
    ).fetchall()
    if len(typed) < SHORTEST or len(rows) != 1:
        several = len(typed) >= SHORTEST and len(rows) > 1
        raise InputError(
            code.strip() or "code",
            Text("mã này ứng với nhiều phiếu", "several interviews begin like this")
            if several
            else Text("không có phiếu nào mang mã này trên máy này", "no interview with this code is on this machine"),
            Text("nhập đủ mã in trên tờ giấy, ví dụ 1C9E-04AB-77F0", "type the whole code of the slip, 1C9E-04AB-77F0"),
        )
    return str(rows[0][0])


def erase_person(store: Store, interview: str, actor: str, reason: str, *, now: datetime | None = None) -> list[str]:
    """Erases an interview for good, and the contact data of its sample unit, of the visits there and of its row in the
    frame; returns what was erased, as ``type id``. What was erased before is left out."""
    rows = reading.interviews(store, interview=interview)
    unit = str(rows[0]["unit"]) if rows else ""
    done = []
    with store.transaction():
        if not feed.is_erased(store, "interview", interview):
            erase(store, "interview", interview, actor, reason, now=now)
            done.append(f"interview {interview}")
        done += erase_contact(store, unit, actor, reason, now=now) if unit else []
        requests.carried_out(store, interview, ("erase", "withdraw"), actor, now=now)
    wipe(store)
    return done


def erase_contact(store: Store, unit: str, actor: str, reason: str, *, now: datetime | None = None) -> list[str]:
    """Erases the contact data of a sample unit, of the visits and interviews there, and in its row of the frame;
    returns what. Answers stay."""
    document = frame.unit(store, unit) or {}
    done = []
    with store.transaction():
        for subject_type, subject in _with_contact(store, unit):
            erase(store, subject_type, subject, actor, reason, contact=True, now=now)
            done.append(f"{subject_type} {subject}")
        store.execute(
            "UPDATE frame SET contact = '{}' WHERE round = ? AND json_extract(row, '$.id') = ?",
            (str(document.get("round", "")), str(document.get("frame_id", ""))),
        )
    wipe(store)
    return done


def due(store: Store, today: str) -> list[str]:
    """The rounds of which this machine still holds contact data after their ``contact_until`` (a date)."""
    ended = [str(one["id"]) for one in frame.rounds(store) if "" < str(one.get("contact_until") or "") < today]
    return [round for round in ended if contact_held(store, round)]


def contact_held(store: Store, round: str) -> int:
    """How many records with contact data of a round this machine holds: of sample units, visits, interviews, and rows
    of the frame."""
    query = """
        WITH units AS (SELECT subject FROM documents WHERE subject_type = 'unit' AND round = :round)
        SELECT count(*) FROM parts p JOIN revisions r ON r.number = p.revision WHERE p.name = 'contact' AND (
            r.subject_type = 'unit' AND r.subject IN units
            OR r.subject_type = 'visit'
                AND r.subject IN (SELECT subject FROM documents WHERE subject_type = 'visit' AND round = :round)
            OR r.subject_type = 'interview' AND r.subject IN (SELECT interview FROM interviews WHERE unit IN units)
        )"""
    rows = store.value("SELECT count(*) FROM frame WHERE round = ? AND contact <> '{}'", (round,))
    return int(store.value(query, {"round": round})) + int(rows)


def erase_due(store: Store, today: str, actor: str, reason: str, *, now: datetime | None = None) -> list[str]:
    """Erases the contact data of every round in :func:`due`, also of those in the frame who were never drawn; returns
    what, as ``type id``. Tombstones are written for subjects whose contact data another machine may hold too."""
    done = []
    with store.transaction():
        for round in due(store, today):
            for unit in frame.everyone(store, round):
                done += erase_contact(store, str(unit["id"]), actor, reason, now=now)
            store.execute("UPDATE frame SET contact = '{}' WHERE round = ?", (round,))
            done.append(f"frame {round}")
    wipe(store)
    return done


def _with_contact(store: Store, unit: str) -> list[tuple[str, str]]:
    """Whose contact data at a sample unit are not erased yet: (subject type, id). Asked of the headers: a laptop may
    hold what this machine was never given."""
    subjects = [("unit", unit)]
    subjects += [("visit", str(visit["id"])) for visit in frame.visit_documents(store, unit=unit)]
    subjects += [("interview", str(row["interview"])) for row in reading.interviews(store, unit=unit)]
    return [
        subject
        for subject in subjects
        if not feed.is_erased(store, *subject)
        and not feed.is_contact_erased(store, *subject)
        and any("contact" in header.parts for header in feed.revisions(store, *subject))
    ]


def everything(store: Store, interview: str) -> dict[str, Any]:
    """Everything held here about one interview: its versions with all parts, decisions, the sample unit with contact
    data, the visits, and which hubs have confirmed that they hold it. Of other people nothing: those who worked on it
    are told by their roles, and the rest of a household is left out."""
    row = next(iter(reading.interviews(store, interview=interview)), {})
    unit = str(row.get("unit", ""))
    versions, decided = [], []
    for header in feed.revisions(store, "interview", interview):
        told = {"time": header.time, "kind": header.kind, "by": _roles(store, header.actor)}
        parts = {name: feed.part_json(store, header.id, name) for name in header.parts}
        held = {name: content for name, content in parts.items() if content is not None}
        if header.kind in CONTENT_KINDS:
            versions.append({**told, "questionnaire": header.questionnaire_hash, "files": list(header.blobs), **held})
        elif header.kind in DECISION_KINDS or header.kind == "erased":
            decided.append({**told, **held})
    hubs = store.execute(
        "SELECT DISTINCT c.hub, c.tier FROM receipted c JOIN revisions r ON r.number = c.revision"
        " WHERE r.subject_type = 'interview' AND r.subject = ? ORDER BY c.tier, c.hub",
        (interview,),
    ).fetchall()
    draft = store.execute("SELECT path, value FROM draft_answers WHERE interview = ?", (interview,)).fetchall()
    begun = store.value("SELECT questionnaire_hash FROM drafts WHERE interview = ?", (interview,))
    holders = [{"device": store.device, "tier": store.tier}, *({"device": hub, "tier": tier} for hub, tier in hubs)]
    return {
        "code": code_of(interview),
        "interview": interview,
        "state": row.get("state", ""),
        "unit": {
            name: value for name, value in (frame.unit(store, unit) or {}).items() if name not in ("assignee", REASON)
        },
        "contact": frame.contact(store, "unit", unit),
        "visits": [
            {
                **{name: value for name, value in visit.items() if name not in ("actor", "listed")},
                "contact": _own_contact(store, visit),
            }
            for visit in frame.visit_documents(store, unit=unit)
        ]
        if unit
        else [],
        "versions": versions,
        "questionnaire": begun or row.get("questionnaire_hash", ""),
        "draft": {path: json.loads(value) for path, value in draft},
        "decisions": decided,
        "held_by": holders,
    }


def _roles(store: Store, user: str) -> list[str]:
    """What those who worked on it are, not who: their names are theirs."""
    person: Mapping[str, Any] = frame.person(store, user) or {}
    return [str(role) for role in person.get("roles", ())]


def _own_contact(store: Store, visit: Mapping[str, Any]) -> dict[str, Any]:
    """Contact data of a visit without the other members of the household, who were listed to choose one."""
    return {name: value for name, value in frame.contact(store, "visit", str(visit["id"])).items() if name != "listed"}
