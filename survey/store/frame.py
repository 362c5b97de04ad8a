"""Documents: rounds, questionnaires, sample units, people, devices and visits; and the imported frame of a round.

A document is issued as a revision; issuing it again replaces it. What people are called and where they live goes into
the part ``contact``, never into the document.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from survey.errors import InputError
from survey.store import authority, feed, reading
from survey.store.header import ISSUED, SUBJECT_TYPES, read_document, read_header
from survey.store.people import hash_pin, sign_in
from survey.store.store import Store
from survey.text import Text

__all__ = [
    "VOLUNTEER",
    "compiled",
    "contact",
    "contacts",
    "device_name",
    "devices",
    "document",
    "documents",
    "everyone",
    "frame_rows",
    "hash_pin",
    "import_frame",
    "issue",
    "issue_many",
    "new_id",
    "parts_of",
    "people",
    "person",
    "questionnaire",
    "questionnaires",
    "round_document",
    "rounds",
    "sign_in",
    "unit",
    "units",
    "visit_documents",
    "visits",
]

VOLUNTEER = "volunteer"
"""The list of those who answered without being drawn: a sample of their own, never pooled with the drawn one."""

_LETTERS = {"unit": "u", "user": "p", "visit": "v", "round": "r"}


def new_id(subject_type: str) -> str:
    """A random id for a unit, person, visit or round: a letter and 32 hexadecimal digits, so never a number."""
    return _LETTERS[subject_type] + uuid.uuid4().hex


def issue(
    store: Store,
    subject_type: str,
    subject: str,
    document: Mapping[str, Any] | bytes,
    contact: Mapping[str, Any] | None = None,
    actor: str = "",
    *,
    blobs: Mapping[str, bytes | None] | None = None,
    now: datetime | None = None,
) -> str:
    """Issues a document and returns the revision's id; the very same document again changes nothing.

    ``document`` as bytes (a compiled questionnaire) is kept byte for byte; ``blobs`` are its
    pictures and recordings by hash. It replaces everything that stood before,
    several concurrent versions too.
    """
    if subject_type not in SUBJECT_TYPES or subject_type == "interview" or not subject:
        raise ValueError(f"no document of type {subject_type!r} can be issued")
    if subject_type in _LETTERS and not subject[0].isalpha():
        raise InputError(
            f"{subject_type} {subject}",
            Text("mã phải bắt đầu bằng một chữ cái", "an id begins with a letter"),
            Text("thêm một chữ cái vào trước mã", "put a letter in front"),
        )
    with store.transaction():
        heads = store.value(
            "SELECT heads FROM documents WHERE subject_type = ? AND subject = ?", (subject_type, subject)
        )
        parents = json.loads(heads) if heads else []
        parts: dict[str, Any] = {"document": document if isinstance(document, bytes) else dict(document)}
        if contact:
            parts["contact"] = dict(contact)
        if len(parents) == 1 and _same(store, parents[0], parts, set(blobs or ())):
            return str(parents[0])
        return feed.append(
            store,
            subject_type=subject_type,
            subject=subject,
            kind=ISSUED,
            parts=parts,
            parents=parents,
            actor=actor,
            blobs=blobs,
            now=now,
        )


def issue_many(
    store: Store,
    subject_type: str,
    documents: Iterable[tuple[str, Mapping[str, Any], Mapping[str, Any] | None]],
    actor: str = "",
    *,
    now: datetime | None = None,
) -> list[str]:
    """Issues (subject, document, contact) many times in one transaction; returns the revisions' ids."""
    with store.transaction():
        return [
            issue(store, subject_type, subject, body, private, actor, now=now) for subject, body, private in documents
        ]


def _same(store: Store, head: str, parts: Mapping[str, Any], blobs: set[str]) -> bool:
    header = feed.header(store, head)
    if header is None or header.parts.keys() != parts.keys() or set(header.blobs) != blobs:
        return False
    for name, content in parts.items():
        held = feed.part(store, head, name)
        if held is None or (held != content if isinstance(content, bytes) else json.loads(held) != content):
            return False
    return True


# -- current documents --------------------------------------------------------------------------------------------


def document(store: Store, subject_type: str, subject: str) -> dict[str, Any] | None:
    """The current document of one subject, or None when there is none here; of a machine as it counts."""
    if subject_type == "device":
        return authority.machine(store, subject)
    return read_document(reading.document_bytes(store, subject_type, subject))


def _documents(store: Store, subject_type: str, **columns: str | None) -> list[dict[str, Any]]:
    given = {name: value for name, value in columns.items() if value is not None}
    rows = store.execute(
        "SELECT p.content FROM documents d JOIN revisions r ON r.subject = d.subject"
        " AND r.subject_type = d.subject_type JOIN parts p ON p.revision = r.number AND p.name = 'document'"
        " WHERE d.subject_type = ? AND d.state = 'current' AND 'sha256:' || lower(hex(r.id)) = d.head"
        + "".join(f" AND d.{name} = ?" for name in given)
        # Sorted by the key itself, SQLite would go through all of a type for the few of a person.
        + f" ORDER BY {'+' if given else ''}d.subject",
        (subject_type, *given.values()),
    )
    return [document for (content,) in rows if (document := read_document(content)) is not None]


def documents(store: Store, subject_type: str) -> list[dict[str, Any]]:
    """All current documents of one type."""
    return _documents(store, subject_type)


def parts_of(store: Store, subject_type: str, whole: str) -> list[tuple[str, dict[str, Any]]]:
    """The current documents whose ``unit`` is another one of their type (a plan, a scorecard), by subject: each with
    ``actor``, ``time`` and ``conflict`` (several heads: two people wrote it apart)."""
    rows = store.execute(
        "SELECT d.subject, d.heads, r.header, p.content FROM documents d JOIN revisions r ON r.id ="
        " unhex(substr(d.head, 8)) JOIN parts p ON p.revision = r.number AND p.name = 'document'"
        " WHERE d.subject_type = ? AND d.unit = ? AND d.state = 'current' ORDER BY d.subject",
        (subject_type, whole),
    )
    found = []
    for subject, heads, content, body in rows:
        header = read_header(content)
        told = {"actor": header.actor, "time": header.time, "conflict": len(json.loads(heads)) > 1}
        found.append((str(subject), {**(read_document(body) or {}), **told}))
    return found


def rounds(store: Store) -> list[dict[str, Any]]:
    """The current round documents."""
    return _documents(store, "round")


def round_document(store: Store, round: str) -> dict[str, Any]:
    """One round's document; InputError when there is no such round here."""
    found = document(store, "round", round)
    if found is None:
        known = ", ".join(str(other.get("id", "")) for other in rounds(store))
        raise InputError(
            f"round {round}",
            Text("không có đợt khảo sát này", "there is no such round"),
            Text(f"các đợt có trên máy: {known or 'chưa có'}", f"rounds on this device: {known or 'none'}"),
        )
    return found


def units(
    store: Store, round: str | None = None, *, assignee: str | None = None, list: str | None = None
) -> list[dict[str, Any]]:
    """The current unit documents, of one round, of one person, of ``main`` or ``reserve``; by list and order drawn.

    Volunteers (:data:`VOLUNTEER`) were not drawn, and come only when they are asked for by that list.
    """
    found = _documents(store, "unit", round=round, assignee=assignee)
    wanted = list or VOLUNTEER
    found = [unit for unit in found if (unit.get("list") == wanted) == (list is not None)]
    return sorted(found, key=lambda unit: (str(unit.get("list", "")), _order(unit), str(unit.get("id", ""))))


def everyone(store: Store, round: str | None = None) -> list[dict[str, Any]]:
    """The drawn units and the volunteers: for showing and guarding their interviews, never for counting."""
    return units(store, round) + units(store, round, list=VOLUNTEER)


def _order(unit: Mapping[str, Any]) -> float:
    try:
        return float(unit.get("order", 0))
    except (TypeError, ValueError):
        return 0.0


def unit(store: Store, unit: str) -> dict[str, Any] | None:
    """One unit's current document."""
    return document(store, "unit", unit)


def contact(store: Store, subject_type: str, subject: str) -> dict[str, Any]:
    """The contact data (name, address, phone) of a unit or person; empty where they are not here."""
    head = store.value(
        "SELECT head FROM documents WHERE subject_type = ? AND subject = ? AND state = 'current'",
        (subject_type, subject),
    )
    return (feed.part_json(store, head, "contact") if head else None) or {}


def contacts(store: Store, subject_type: str) -> dict[str, dict[str, Any]]:
    """The contact data of all units or people by id, as far as they are here: one question where :func:`contact`
    would be asked thousands of times."""
    rows = store.execute(
        "SELECT d.subject, p.content FROM documents d JOIN revisions r ON r.subject = d.subject"
        " AND r.subject_type = d.subject_type JOIN parts p ON p.revision = r.number AND p.name = 'contact'"
        " WHERE d.subject_type = ? AND d.state = 'current' AND 'sha256:' || lower(hex(r.id)) = d.head",
        (subject_type,),
    )
    return {subject: json.loads(content) for subject, content in rows}


def people(store: Store) -> list[dict[str, Any]]:
    """The current user documents."""
    return _documents(store, "user")


def person(store: Store, user: str) -> dict[str, Any] | None:
    """One person's current document."""
    return document(store, "user", user)


def devices(store: Store) -> list[dict[str, Any]]:
    """The current device documents as they count, this device's own among them."""
    return authority.machines(store)


def device_name(store: Store, device: str) -> str:
    """What people call a machine, or the beginning of its id."""
    return str((read_document(reading.document_bytes(store, "device", device)) or {}).get("name") or device[:9])


def questionnaires(store: Store) -> list[dict[str, Any]]:
    """``hash, id, version, title`` of every compiled questionnaire held."""
    found = []
    for subject, content in store.execute(
        "SELECT d.subject, p.content FROM documents d JOIN revisions r ON r.subject = d.subject"
        " AND r.subject_type = d.subject_type JOIN parts p ON p.revision = r.number AND p.name = 'document'"
        " WHERE d.subject_type = 'questionnaire' AND d.state = 'current'"
        " AND 'sha256:' || lower(hex(r.id)) = d.head ORDER BY d.subject"
    ):
        body = read_document(content) or {}
        found.append({"hash": subject, **{key: body.get(key, "") for key in ("id", "version", "title")}})
    return found


def questionnaire(store: Store, hash: str) -> bytes | None:
    """A compiled questionnaire's bytes by its hash, or None when it has not come yet."""
    return reading.document_bytes(store, "questionnaire", hash)


def compiled(store: Store, hash: str) -> bytes:
    """A compiled questionnaire's bytes by its hash. InputError when it has not come yet."""
    found = questionnaire(store, hash)
    if found is None:
        raise InputError(
            hash or "questionnaire",
            Text("máy này chưa có bảng hỏi với mã này", "no questionnaire with this hash is on this machine"),
            Text(
                "nhận lại tệp đợt khảo sát, hoặc đồng bộ với máy đã lập đợt",
                "load the round file again, or sync with the machine where the round was set up",
            ),
        )
    return found


def visits(store: Store, unit: str | None = None, *, round: str | None = None) -> list[dict[str, Any]]:
    """The visit documents, of one unit, of one round, or all, by their time as the devices told it."""
    return [row for row in visit_documents(store, round=round, unit=unit) if "disposition" in row]


def visit_documents(store: Store, *, round: str | None = None, unit: str | None = None) -> list[dict[str, Any]]:
    """Visits and what else is noted at units (:mod:`survey.store.fieldlog`), by their time as the devices told it."""
    return sorted(_documents(store, "visit", round=round, unit=unit), key=lambda visit: str(visit.get("time", "")))


# -- the frame of a round -----------------------------------------------------------------------------------------


def import_frame(store: Store, round: str, rows: Iterable[Mapping[str, Any]]) -> int:
    """Keeps the rows of a round's sampling frame on this machine, replacing what was there; returns how many.

    A row's key ``contact`` (name, address, phone) is kept apart from its columns. Drawn units leave as documents; the
    frame itself is never sent.
    """
    kept = []
    for number, row in enumerate(rows, start=1):
        columns = {key: value for key, value in row.items() if key != "contact"}
        kept.append((round, number, json.dumps(columns, ensure_ascii=False), json.dumps(row.get("contact") or {})))
    with store.transaction():
        store.execute("DELETE FROM frame WHERE round = ?", (round,))
        store.executemany("INSERT INTO frame (round, number, row, contact) VALUES (?, ?, ?, ?)", kept)
    return len(kept)


def frame_rows(store: Store, round: str) -> list[dict[str, Any]]:
    """The rows of a round's frame in their order, each with its ``contact`` under that key."""
    rows = store.execute("SELECT row, contact FROM frame WHERE round = ? ORDER BY number", (round,))
    return [{**json.loads(row), "contact": json.loads(private)} for row, private in rows]
