"""Scorecards (PAR INDEX): each card a document, and each entry at a criterion one of its own, with its evidence.

An entry is never overwritten: another one replaces it and names it as its parent, so that who gave how many points
when, and why, can be read for ever, and two people who enter one criterion on two machines leave two heads for a person
to settle (decision 100). Who may enter what is checked by :mod:`analysis.scorecard` before it comes here.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from survey.errors import InputError
from survey.store import feed, frame, reading
from survey.store.store import Store
from survey.text import Text

TYPE = "scorecard"


class Trail(NamedTuple):
    """One revision of a card or of an entry, as the audit trail tells it."""

    revision: str
    subject: str
    time: str
    actor: str
    document: dict[str, Any]


def create(store: Store, body: Mapping[str, Any], actor: str, *, now: datetime | None = None) -> str:
    """Opens a scorecard (``unit_name, level, period, structure``); returns its id."""
    identity = f"s{uuid.uuid4().hex}"
    frame.issue(store, TYPE, identity, {**body, "id": identity, "state": "open"}, actor=actor, now=now)
    return identity


def change(store: Store, card: str, actor: str, *, now: datetime | None = None, **values: Any) -> None:
    """Issues a card again with other values (its ``state``)."""
    frame.issue(store, TYPE, card, {**read(store, card), **values}, actor=actor, now=now)


def read(store: Store, card: str) -> dict[str, Any]:
    """One card's document. InputError where there is none."""
    found = frame.document(store, TYPE, card)
    if found is None or "structure" not in found:
        raise InputError(
            card,
            Text("không có phiếu chấm điểm này", "there is no such scorecard"),
            Text("xem danh sách phiếu chấm điểm", "see the list of scorecards"),
        )
    return found


def cards(store: Store) -> list[dict[str, Any]]:
    """All cards, by period, level and unit."""
    found = [one for one in frame.documents(store, TYPE) if "structure" in one]
    return sorted(found, key=lambda one: (str(one["period"]), str(one["level"]), str(one["unit_name"])))


def enter(
    store: Store,
    card: str,
    code: str,
    step: str,
    body: Mapping[str, Any],
    files: Sequence[tuple[str, bytes]] = (),
    actor: str = "",
    *,
    now: datetime | None = None,
) -> str:
    """Puts down what ``step`` (self, appraisal, survey) says of one criterion; returns the revision's id.

    ``files`` (name, bytes) are added to the evidence that the entry already has.
    """
    subject = subject_of(card, code, step)
    held = frame.document(store, TYPE, subject) or {}
    evidence = {one["hash"]: one for one in held.get("evidence", ())}
    new = {f"sha256:{sha256(content).hexdigest()}": (name, content) for name, content in files}
    evidence |= {hash: {"hash": hash, "name": name, "size": str(len(content))} for hash, (name, content) in new.items()}
    blobs: dict[str, bytes | None] = {
        hash: new[hash][1] if hash in new else file(store, card, hash) for hash in evidence
    }
    document = {**body, "unit": card, "code": code, "step": step, "evidence": list(evidence.values())}
    return frame.issue(store, TYPE, subject, document, actor=actor, blobs=blobs, now=now)


def entries(store: Store, card: str) -> list[dict[str, Any]]:
    """The entries that stand, with ``actor``, ``time`` and ``conflict``: several heads, two people entered it apart."""
    found = []
    rows = store.execute(
        "SELECT subject, head, heads FROM documents WHERE subject_type = ? AND unit = ? AND state = 'current'"
        " ORDER BY subject",
        (TYPE, card),
    ).fetchall()
    for subject, head, heads in rows:
        body = reading.document_bytes(store, TYPE, subject)
        header = feed.header(store, head)
        if body is not None and header is not None:
            several = len(json.loads(heads)) > 1
            found.append({**json.loads(body), "actor": header.actor, "time": header.time, "conflict": several})
    return found


def file(store: Store, card: str, hash: str) -> bytes | None:
    """The bytes of an evidence file of a card; None where it has not come to this machine."""
    found = store.value(
        "SELECT p.content FROM parts p JOIN revisions r ON r.number = p.revision"
        " WHERE r.subject_type = ? AND r.subject LIKE ? AND p.name = ? LIMIT 1",
        (TYPE, f"{card}/%", hash),
    )
    return None if found is None else bytes(found)


def trail(store: Store, card: str) -> list[Trail]:
    """Everything that was ever put down in a card, by time: the audit trail."""
    subjects = store.execute(
        "SELECT DISTINCT subject FROM revisions WHERE subject_type = ? AND (subject = ? OR subject LIKE ?)",
        (TYPE, card, f"{card}/%"),
    ).fetchall()
    found = []
    for (subject,) in subjects:
        for header in feed.revisions(store, TYPE, subject):
            body = feed.part_json(store, header.id, "document") or {}
            found.append(Trail(header.id, subject, header.time, header.actor, body))
    return sorted(found, key=lambda one: (one.time, one.revision))


def subject_of(card: str, code: str, step: str) -> str:
    """The subject of one entry."""
    return f"{card}/{step}/{code}"
