"""Whose word erases: an administrator's, written on a machine that a confirmed round key certified (decision 54)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
    device = _document(store, "device", tombstone.device)
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
