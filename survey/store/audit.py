"""Noting who signed in, looked at contact data, exported, unlocked: what changes nothing and is in no feed (decision
80). Each entry has the hash of the one before; triggers refuse to change or delete one. :mod:`survey.store.access_log`
reads them, with what the feeds say.

An entry names people, units, interviews and files by their ids, never a respondent.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import datetime
from typing import Any

from survey.store.header import canonical, hash_text
from survey.store.store import Store, now_text
from survey.vocabulary import ACCESS, IN_FEEDS


def note(
    store: Store,
    action: str,
    *,
    actor: str = "",
    subject: str = "",
    detail: Mapping[str, Any] | None = None,
    now: datetime | None = None,
) -> None:
    """Adds one entry. Joins the caller's transaction."""
    note_all(store, action, [subject], actor=actor, detail=detail, now=now)


def note_all(
    store: Store,
    action: str,
    subjects: Iterable[str],
    *,
    actor: str = "",
    detail: Mapping[str, Any] | None = None,
    now: datetime | None = None,
) -> None:
    """Adds an entry for each subject, in one transaction."""
    if action not in ACCESS or action in IN_FEEDS:
        raise ValueError(action)
    with store.transaction():
        last = store.execute("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1").fetchone() or (0, "")
        number, prev = last
        rows = []
        for subject in subjects:
            number += 1
            entry = canonical(
                {
                    "number": number,
                    "time": now_text(now),
                    "actor": actor,
                    "action": action,
                    "subject": subject,
                    "detail": dict(detail or {}),
                    "prev": prev,
                }
            )
            prev = hash_text(entry)
            rows.append((number, entry, prev))
        store.executemany("INSERT INTO audit (number, entry, hash) VALUES (?, ?, ?)", rows)


def note_views(store: Store, actor: str, units: Iterable[str], page: str, now: datetime | None = None) -> None:
    """Notes that a person was shown contact data of these sample units: once a day for each, however often the page is
    drawn."""
    fresh, day = set(units), now_text(now)[:10]
    # Backwards through today alone; a clock that steps costs an entry more, never one less.
    with closing(store.execute("SELECT entry FROM audit ORDER BY number DESC")) as rows:
        for (content,) in rows:
            told = json.loads(content)
            if told["time"][:10] != day or not fresh:
                break
            if (told["action"], told["actor"]) == ("contact", actor):
                fresh.discard(told["subject"])
    if fresh:
        note_all(store, "contact", sorted(fresh), actor=actor, detail={"page": page}, now=now)
