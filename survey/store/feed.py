"""Feeds: writing this device's next revision, and reading what is held (docs/formats.md).

Merging other devices' feeds is in :mod:`survey.store.merge`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from survey.errors import NotAllowed
from survey.store import derived
from survey.store.header import (
    CONTACT,
    PARTS,
    SUBJECT_TYPES,
    Header,
    Part,
    Record,
    blob,
    commitment,
    hash_text,
    make_part,
    read_header,
    write_header,
)
from survey.store.packing import pack, unpack
from survey.store.store import Store, now_text
from survey.text import Text


def raw_id(id: str) -> bytes:
    """A revision id as the 32 bytes that the database keeps; anything that is no id gives bytes that match nothing."""
    try:
        return bytes.fromhex(id.removeprefix("sha256:"))
    except ValueError:
        return b""


def text_id(raw: bytes) -> str:
    """The 32 bytes of the database as a revision id."""
    return "sha256:" + raw.hex()


def append(
    store: Store,
    *,
    subject_type: str,
    subject: str,
    kind: str,
    parts: Mapping[str, Any],
    parents: Iterable[str] = (),
    target: str = "",
    questionnaire_hash: str = "",
    actor: str = "",
    blobs: Mapping[str, bytes | None] | None = None,
    now: datetime | None = None,
) -> str:
    """Writes the next revision of this device's feed, signed, and returns its id. One transaction.

    A part is bytes, kept as they are, or anything that JSON can say, written as RFC 8785. ``target`` is the revision
    that a decision decides on, or the sample unit that an interview's content is about. ``blobs`` are files by their
    hash; None for one that is not here. Raises NotAllowed when the
    subject was erased.
    """
    if subject_type not in SUBJECT_TYPES or not subject or not set(parts) <= set(PARTS):
        raise ValueError(f"no such subject or part: {subject_type} {subject!r} {sorted(parts)}")
    blobs = blobs or {}
    made = {name: make_part(content) for name, content in sorted(parts.items())}
    files = {hash: blob(content) for hash, content in sorted(blobs.items()) if content is not None}
    if any(hash_text(file.content) != hash for hash, file in files.items()):
        raise ValueError("a blob is named by another hash than its own")
    with store.transaction():
        if is_erased(store, subject_type, subject):
            raise NotAllowed(
                f"{subject_type} {subject}",
                Text("dữ liệu này đã được xóa theo yêu cầu", "this was erased on request"),
                Text("không thể ghi thêm nội dung", "nothing more can be written about it"),
            )
        if CONTACT in parts and is_contact_erased(store, subject_type, subject):
            raise NotAllowed(
                f"{subject_type} {subject}",
                Text("dữ liệu liên hệ đã được xóa", "the contact data were erased"),
                Text("không ghi lại dữ liệu liên hệ", "they cannot be written again"),
            )
        epoch = store.epoch
        feed = feed_number(store, store.device, epoch)
        last = store.execute(
            "SELECT seq, id FROM revisions WHERE feed = ? ORDER BY seq DESC, id LIMIT 1", (feed,)
        ).fetchone()
        seq, prev = (last[0] + 1, text_id(last[1])) if last else (1, "")
        header = write_header(
            subject_type=subject_type,
            subject=subject,
            kind=kind,
            parents=parents,
            target=target,
            questionnaire_hash=questionnaire_hash,
            actor=actor,
            device=store.device,
            epoch=epoch,
            seq=seq,
            prev=prev,
            time=now_text(now),
            parts={name: commitment(part) for name, part in made.items()},
            blobs=sorted(blobs),
        )
        id = hash_text(header)
        number = store.execute(
            "INSERT INTO revisions (id, header, signature, feed, seq, subject_type, subject, kind)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (raw_id(id), header, store.key.sign(id.encode("ascii")), feed, seq, subject_type, subject, kind),
        ).lastrowid
        store.executemany(
            "INSERT INTO parts (revision, name, salt, content) VALUES (?, ?, ?, ?)",
            [(number, name, part.salt, pack(name, part.content)) for name, part in {**made, **files}.items()],
        )
        store.executemany(
            "INSERT INTO missing (revision, name) VALUES (?, ?)",
            [(number, hash) for hash, content in sorted(blobs.items()) if content is None],
        )
        derived.update(store, [(subject_type, subject)], [(feed, read_header(header))])
    return id


def feed_number(store: Store, device: str, epoch: str) -> int:
    """The database's number of a feed, made when it is new."""
    number = store.value("SELECT number FROM feeds WHERE device = ? AND epoch = ?", (device, epoch))
    if number is None:
        number = store.execute("INSERT INTO feeds (device, epoch) VALUES (?, ?)", (device, epoch)).lastrowid
    return int(number)


def is_erased(store: Store, subject_type: str, subject: str) -> bool:
    """Whether the subject was erased, so that nothing more is kept about it."""
    query = "SELECT 1 FROM erased WHERE subject_type = ? AND subject = ?"
    return store.value(query, (subject_type, subject)) is not None


def is_contact_erased(store: Store, subject_type: str, subject: str) -> bool:
    """Whether the subject's contact data alone were erased."""
    query = "SELECT 1 FROM erased_contact WHERE subject_type = ? AND subject = ?"
    return store.value(query, (subject_type, subject)) is not None


# -- reading ------------------------------------------------------------------------------------------------------


def revisions(store: Store, subject_type: str = "", subject: str = "") -> Iterator[Header]:
    """The headers held, of one type or one subject where named, feed by feed."""
    query = "SELECT r.header FROM revisions r JOIN feeds f ON f.number = r.feed"
    wheres = {"r.subject_type = ?": subject_type, "r.subject = ?": subject}
    given = {where: value for where, value in wheres.items() if value}
    query += (" WHERE " + " AND ".join(given) if given else "") + " ORDER BY f.device, f.epoch, r.seq, r.id"
    for (header,) in store.execute(query, tuple(given.values())):
        yield read_header(header)


def header(store: Store, revision: str) -> Header | None:
    """The header with this id, or None when it is not held."""
    content = store.value("SELECT header FROM revisions WHERE id = ?", (raw_id(revision),))
    return None if content is None else read_header(content)


def part(store: Store, revision: str, name: str) -> bytes | None:
    """The bytes of a revision's part, or None when it has none or it is not here."""
    content = store.value(
        "SELECT p.content FROM parts p JOIN revisions r ON r.number = p.revision WHERE r.id = ? AND p.name = ?",
        (raw_id(revision), name),
    )
    return None if content is None else unpack(name, content)


def part_json(store: Store, revision: str, name: str) -> Any:
    """A revision's part read as JSON, or None when it has none or it is not here."""
    content = part(store, revision, name)
    return None if content is None else json.loads(content)


def records(
    store: Store, numbers: Sequence[int], may_have: Callable[[Header, str], bool] | None = None
) -> Iterator[Record]:
    """The revisions with these database numbers, complete with the parts held, in the order given; with ``may_have``
    with those parts alone that it allows, and the others are not even read."""
    for number in numbers:
        header, signature = store.execute(
            "SELECT header, signature FROM revisions WHERE number = ?", (number,)
        ).fetchone()
        wanted = None
        if may_have is not None:
            held = [name for (name,) in store.execute("SELECT name FROM parts WHERE revision = ?", (number,))]
            read = read_header(header) if held else None
            wanted = json.dumps([name for name in held if read is not None and may_have(read, name)])
            if wanted == "[]":
                yield Record(header, signature, {})
                continue
        parts = store.execute(
            "SELECT name, salt, content FROM parts WHERE revision = ?"
            " AND (? IS NULL OR name IN (SELECT value FROM json_each(?))) ORDER BY name",
            (number, wanted, wanted),
        )
        yield Record(header, signature, {name: Part(salt, unpack(name, kept)) for name, salt, kept in parts})


def public_key(store: Store, device: str) -> bytes | None:
    """A device's raw public key, where it is known."""
    key = store.value("SELECT public_key FROM device_keys WHERE device = ?", (device,))
    return None if key is None else bytes(key)
