"""Erasing what a person has the right to have erased. The headers stay, so every chain still verifies."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import datetime

from survey.store import derived, feed
from survey.store.framing import read_records, write_record
from survey.store.header import CONTACT, ERASED, Malformed, read_header
from survey.store.store import Store


def erase(
    store: Store,
    subject_type: str,
    subject: str,
    actor: str,
    reason: str = "",
    *,
    contact: bool = False,
    now: datetime | None = None,
) -> str:
    """Erases a subject's content for good, here and wherever the tombstone travels; returns the tombstone's id.

    The parts, an open draft and what quarantine holds of it are overwritten on disk. No later merge brings them back.
    With ``contact`` only the contact data go, and everything else about the subject stays.
    """
    with store.transaction():
        id = feed.append(
            store,
            subject_type=subject_type,
            subject=subject,
            kind=ERASED,
            parts={"decision": {"reason": reason}},
            target=CONTACT if contact else "",
            actor=actor,
            now=now,
        )
        (delete_contact if contact else delete_parts)(store, [(subject_type, subject)])
    wipe(store)
    return id


def delete_parts(store: Store, subjects: Iterable[derived.Subject]) -> None:
    """Deletes what is held of erased subjects; the triggers refuse any other. Part of the caller's transaction."""
    gone = set(subjects)
    for subject_type, subject in gone:
        of_subject = "SELECT number FROM revisions WHERE subject = ? AND subject_type = ? AND kind <> 'erased'"
        for table in ("parts", "missing"):
            store.execute(f"DELETE FROM {table} WHERE revision IN ({of_subject})", (subject, subject_type))
        if subject_type == "interview":
            for table in ("drafts", "quality", "board_findings"):
                store.execute(f"DELETE FROM {table} WHERE interview = ?", (subject,))
    for name, content in store.execute("SELECT name, content FROM quarantine").fetchall():
        if _quarantined_subject(store, name, content) in gone:
            store.execute("DELETE FROM quarantine WHERE name = ?", (name,))
    # What depended on the parts that are now gone: a unit's round, for one.
    derived.update(store, gone, [])


def delete_contact(store: Store, subjects: Iterable[derived.Subject]) -> None:
    """Deletes the contact data held of subjects that keep the rest. Part of the caller's transaction."""
    gone = set(subjects)
    for subject_type, subject in gone:
        of_subject = "SELECT number FROM revisions WHERE subject = ? AND subject_type = ?"
        for table in ("parts", "missing"):
            store.execute(
                f"DELETE FROM {table} WHERE name = ? AND revision IN ({of_subject})", (CONTACT, subject, subject_type)
            )
        if subject_type == "interview":
            # Measured anew without: it keeps hashes of names and phones.
            store.execute("DELETE FROM quality WHERE interview = ?", (subject,))
    for name, content in store.execute("SELECT name, content FROM quarantine").fetchall():
        if _quarantined_subject(store, name, content) not in gone:
            continue
        if name.startswith("sha256:"):
            if name.endswith(f"/{CONTACT}"):
                store.execute("DELETE FROM quarantine WHERE name = ?", (name,))
            continue
        record = next(read_records(io.BytesIO(content)))
        rest = {part: held for part, held in record.parts.items() if part != CONTACT}
        bare = write_record(record._replace(parts=rest))
        store.execute("UPDATE quarantine SET content = ? WHERE name = ? AND content = ?", (bare, name, content))


def wipe(store: Store) -> None:
    """Moves the write-ahead log into the file and empties it, so that deleted content is not readable there."""
    if not store.db.in_transaction:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _quarantined_subject(store: Store, name: str, content: bytes) -> derived.Subject | None:
    if name.startswith("sha256:"):
        header = feed.header(store, name.partition("/")[0])
        return (header.subject_type, header.subject) if header else None
    try:
        header = read_header(next(read_records(io.BytesIO(content))).header)
    except (Malformed, StopIteration):
        return None
    return header.subject_type, header.subject
