"""Invitations: a hub lets one laptop in by a code that a person types, once and for a short time.

What is kept is a key derived from the code, so that neither a stolen store nor a listener in between can try codes
quickly.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from survey.store.store import Store, now_text

MINUTES = 60
TRIES = 5


class Invitation(NamedTuple):
    """An open invitation: its public first letters, who it is for, until when."""

    id: str
    name: str
    people: tuple[str, ...]
    expires: str


def add(store: Store, id: str, key: bytes, name: str, people: list[str], now: datetime) -> Invitation:
    """Keeps an invitation; the one that had the same letters before is gone."""
    expires = now_text(now + timedelta(minutes=MINUTES))
    with store.transaction():
        store.execute("DELETE FROM invitations WHERE id = ? OR expires_at < ?", (id, now.timestamp()))
        store.execute(
            "INSERT INTO invitations (id, key, name, people, expires, expires_at, tries) VALUES (?, ?, ?, ?, ?, ?, 0)",
            (id, key, name, " ".join(people), expires, (now + timedelta(minutes=MINUTES)).timestamp()),
        )
    return Invitation(id, name, tuple(people), expires)


def key_for(store: Store, id: str, now: datetime) -> bytes | None:
    """The key of an open invitation, for one try; None when there is none, it is over, or it was tried too often."""
    with store.transaction():
        row = store.execute(
            "SELECT key FROM invitations WHERE id = ? AND expires_at >= ? AND tries < ?", (id, now.timestamp(), TRIES)
        ).fetchone()
        if row is None:
            return None
        store.execute("UPDATE invitations SET tries = tries + 1 WHERE id = ?", (id,))
    return bytes(row[0])


def use_up(store: Store, id: str) -> Invitation | None:
    """Takes an invitation away, now that a laptop came with its code; None when another was quicker."""
    row = store.execute("DELETE FROM invitations WHERE id = ? RETURNING id, name, people, expires", (id,)).fetchone()
    return None if row is None else Invitation(row[0], row[1], tuple(row[2].split()), row[3])


def still_open(store: Store, now: datetime) -> list[Invitation]:
    """The invitations that can still be used."""
    rows = store.execute(
        "SELECT id, name, people, expires FROM invitations WHERE expires_at >= ? AND tries < ? ORDER BY expires_at",
        (now.timestamp(), TRIES),
    )
    return [Invitation(id, name, tuple(people.split()), expires) for id, name, people, expires in rows]
