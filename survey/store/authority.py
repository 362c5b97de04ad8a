"""Whose word counts: an administrator's erases, written on a machine that a confirmed round key certified (decision
54); about a machine decides a hub, never the machine itself (decision 136)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from survey.store import feed
from survey.store.certificates import certified_by
from survey.store.header import Header, read_document
from survey.store.reading import document_bytes
from survey.store.store import Store
from survey.vocabulary import ADMINISTRATOR

CONFIRMED = Path("keys", "round-keys.txt")


def confirmed(store: Store) -> set[str]:
    """Fingerprints of the round keys that a person has confirmed on this machine."""
    file = store.folder / CONFIRMED
    return set(file.read_text(encoding="ascii").split()) if file.exists() else set()


def may_erase(store: Store, tombstone: Header) -> bool:
    """Whether this tombstone is to be obeyed, by what this machine knows now.

    A certified laptop may take back what was never finished (``partial`` alone: consent was refused); everything else
    needs an administrator. A machine that has confirmed no round key has nothing to judge by, and obeys.
    """
    trusted = confirmed(store)
    if not trusted or tombstone.device == store.device:
        return True
    device = machine(store, tombstone.device) or {}
    if device.get("revoked") or certified_by(device) not in trusted:
        return False
    if tombstone.subject_type == "interview":
        kinds = store.value(
            "SELECT group_concat(DISTINCT kind) FROM revisions WHERE subject_type = 'interview' AND subject = ?"
            " AND kind <> 'erased'",
            (tombstone.subject,),
        )
        if kinds == "partial":
            return True
    person = _document(store, "user", tombstone.actor)
    return ADMINISTRATOR in person.get("roles", ()) and not person.get("disabled")


def _document(store: Store, subject_type: str, subject: str) -> dict[str, Any]:
    return read_document(document_bytes(store, subject_type, subject)) or {}


# -- machines --------------------------------------------------------------------------------------------------------

DECIDED = ("certificate", "revoked", "people", "role", "tier")
"""What a hub decides about a machine."""


def machine(store: Store, device: str) -> dict[str, Any] | None:
    """A machine's current document as it counts; None when there is none here."""
    return _machine(store, device, frozenset())


def may_confirm(store: Store, hub: str) -> bool:
    """Whether a receipt of this machine counts: anybody with a key can sign one. A machine that has confirmed no round
    key has nothing to judge by."""
    return not confirmed(store) or _is_hub(store, hub, frozenset({hub}))


def machines(store: Store) -> list[dict[str, Any]]:
    """All of them, as :func:`machine` gives each."""
    rows = store.execute(
        "SELECT d.subject, f.device, json_array_length(d.heads), p.content FROM documents d"
        " JOIN revisions r ON r.id = unhex(substr(d.head, 8)) JOIN feeds f ON f.number = r.feed"
        " JOIN parts p ON p.revision = r.number AND p.name = 'document'"
        " WHERE d.subject_type = 'device' AND d.state = 'current' ORDER BY d.subject"
    ).fetchall()
    is_hub = cache(lambda author: author == store.device or _is_hub(store, author, frozenset({author})))
    found = (
        # What a hub wrote last, and nobody else beside it, need not be looked for.
        read_document(content) if heads == 1 and author != subject and is_hub(author) else machine(store, subject)
        for subject, author, heads, content in rows
    )
    return [document for document in found if document is not None]


def _machine(store: Store, device: str, asking: frozenset[str]) -> dict[str, Any] | None:
    said = read_document(document_bytes(store, "device", device))
    if said is None:
        return None
    revisions = list(feed.revisions(store, "device", device))
    if all(header.device == device for header in revisions):
        return said
    own = asking | {device}
    authors = {header.device for header in revisions} - own
    hubs = {author for author in authors if author == store.device or _is_hub(store, author, own)}
    last = _last(store, revisions, hubs)
    if last is None:
        return said
    rest = {name: value for name, value in said.items() if name not in DECIDED}
    return rest | {name: last[name] for name in DECIDED if name in last}


def _is_hub(store: Store, author: str, asking: frozenset[str]) -> bool:
    """Whether what this machine says about others counts: a hub that a confirmed round key certified. A machine that
    has confirmed no key has nothing to judge by."""
    found = _machine(store, author, asking) or {}
    trusted = confirmed(store)
    return found.get("role") == "hub" and not found.get("revoked") and (not trusted or certified_by(found) in trusted)


def _last(store: Store, revisions: list[Header], hubs: set[str]) -> dict[str, Any] | None:
    """What a hub said last; where two did not know of each other, the one that revokes, then the later one."""
    parents = {header.id: header.parents for header in revisions}
    known: set[str] = set()
    said = [header for header in revisions if header.device in hubs]
    for header in said:
        above = list(header.parents)
        while above:
            id = above.pop()
            if id not in known:
                known.add(id)
                above += parents.get(id, ())
    found = [
        (bool(told.get("revoked")), header.time, header.id, told)
        for header in said
        if header.id not in known and (told := read_document(feed.part(store, header.id, "document"))) is not None
    ]
    return max(found, key=lambda one: one[:3])[3] if found else None
