"""The log of access of this machine and what others have handed over of theirs: carried, read, proved.

Two sources, one list (decision 80). What changes data is in the feeds already, signed and linked: erasures, people and
their roles, machines, publication. What changes nothing is noted by :mod:`survey.store.audit`; at every hand-over the
new entries leave as a document of the feed, so a hub holds them under the machine's signature.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from survey.errors import Problem
from survey.store import fieldlog, receipts
from survey.store.header import hash_text, read_document, read_header
from survey.store.store import Store
from survey.text import Text
from survey.vocabulary import ACCESS

_ISSUED = {"user": "person", "device": "device", "round": "round"}
_MOST = 2000
"""Entries in one document of the feed."""


class Entry(NamedTuple):
    """One line: when, on which machine, who (an id; empty: whoever held the machine), what, about what, and more.
    ``number`` counts the machine's own entries; 0 for what the feeds say."""

    time: str
    device: str
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]
    number: int

    @property
    def name(self) -> Text:
        """What was done, in words; the bare name of what only a newer program knows."""
        return ACCESS.get(self.action, Text(self.action, self.action))


def carry(store: Store, now: datetime | None = None) -> None:
    """Writes the entries that no document of the feed has yet as documents of it: part of every hand-over that has
    something else to give, so that a hand-over without news stays one."""
    if not receipts.unsent(store):
        return
    with store.transaction():
        while True:
            done = int(store.value("SELECT value FROM meta WHERE name = 'audit_carried'") or 0)
            rows = store.execute(
                "SELECT number, entry, hash FROM audit WHERE number > ? ORDER BY number LIMIT ?", (done, _MOST)
            ).fetchall()
            if not rows:
                return
            body = {
                "device": store.device,
                "from": str(rows[0][0]),
                "to": str(rows[-1][0]),
                "head": rows[-1][2],
                # As they were hashed: never written again from what was read.
                "entries": [entry.decode("utf-8") for _, entry, _ in rows],
            }
            fieldlog.write(store, fieldlog.LOG, body, round="", now=now)
            store.execute(
                "INSERT INTO meta (name, value) VALUES ('audit_carried', ?)"
                " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (str(rows[-1][0]),),
            )


# -- reading ------------------------------------------------------------------------------------------------------


def entries(
    store: Store, *, actor: str = "", action: str = "", device: str = "", since: str = "", until: str = ""
) -> list[Entry]:
    """The log, newest first; each condition narrows it. ``since`` and ``until`` are days, both included."""
    found = [
        entry
        for entry in (*_noted(store), *_of_feeds(store))
        if (not actor or entry.actor == actor or (entry.action == "person" and entry.subject == actor))
        and (not action or entry.action == action)
        and (not device or entry.device == device)
        and (not since or entry.time[:10] >= since)
        and (not until or entry.time[:10] <= until)
    ]
    return sorted(found, key=lambda entry: (entry.time, entry.device, entry.number), reverse=True)


def _noted(store: Store) -> Iterator[Entry]:
    """This machine's own entries, and those that came as documents; after a restore its own are among the latter."""
    own = set()
    for content, hash in store.execute("SELECT entry, hash FROM audit ORDER BY number"):
        own.add(hash)
        yield from _entry(store.device, _line(content))
    for document in _documents(store):
        for content in document.entries:
            if document.device != store.device or hash_text(content) not in own:
                yield from _entry(document.device, _line(content))


class _Document(NamedTuple):
    """A document of the log: its part's database number, whose feed it is in and where, its first and last entry's
    numbers, the last one's hash. One that cannot be understood has no entries."""

    part: int
    device: str
    epoch: str
    seq: int
    first: int
    last: int
    head: str
    entries: list[bytes]


def _documents(store: Store, after: int = 0) -> list[_Document]:
    """In the order of the feeds, those whose parts have larger database numbers than ``after``. ``device`` is who
    signed, whatever the document says."""
    rows = store.execute(
        "SELECT p.number, f.device, f.epoch, r.seq, p.content FROM documents d JOIN revisions r"
        " ON r.subject = d.subject AND r.subject_type = d.subject_type"
        " JOIN parts p ON p.revision = r.number AND p.name = 'document'"
        " JOIN feeds f ON f.number = r.feed WHERE d.subject_type = 'visit' AND d.unit = '' AND d.round = ''"
        " AND p.number > ? ORDER BY f.device, f.epoch, r.seq",
        (after,),
    )
    found = []
    for part, device, epoch, seq, content in rows:
        told = read_document(content) or {}
        if told.get("event") == fieldlog.LOG:
            try:
                lines = [str(line).encode("utf-8") for line in told["entries"]]
                said = (int(told["from"]), int(told["to"]), str(told["head"]))
                found.append(_Document(part, device, epoch, seq, *said, lines))
            except (KeyError, TypeError, ValueError):
                found.append(_Document(part, device, epoch, seq, 0, 0, "", []))
    return found


def _entry(device: str, told: dict[str, Any]) -> Iterator[Entry]:
    """The entry that one line of a log is; none for a line that is none, which :func:`problems` names."""
    with suppress(KeyError, TypeError, ValueError):
        time, actor, action, subject = (str(told[name]) for name in ("time", "actor", "action", "subject"))
        yield Entry(time, device, actor, action, subject, dict(told["detail"]), int(told["number"]))


def _line(content: bytes) -> dict[str, Any]:
    return read_document(content) or {}


def _of_feeds(store: Store) -> Iterator[Entry]:
    rows = store.execute(
        "SELECT r.header, p.content FROM revisions r LEFT JOIN parts p ON p.revision = r.number"
        " AND p.name IN ('decision', 'document')"
        " WHERE r.kind = 'erased' OR r.subject_type IN ('user', 'device', 'round') ORDER BY r.number"
    ).fetchall()
    for content, body in rows:
        header = read_header(content)
        told = read_document(body) or {}
        if header.kind == "erased":
            action = "contact_erased" if header.target else "erased"
            subject, detail = f"{header.subject_type} {header.subject}", {"reason": str(told.get("reason", ""))}
        else:
            action, subject = _ISSUED[header.subject_type], header.subject
            shown = {
                "user": ("name", "roles", "disabled", "commune"),
                "device": ("name", "role", "revoked"),
                "round": ("published",),
            }[header.subject_type]
            detail = {name: told[name] for name in shown if told.get(name)}
        yield Entry(header.time, header.device, header.actor, action, subject, detail, 0)


def as_csv(found: Iterable[Entry]) -> str:
    """The entries as CSV for people: with a BOM, and no cell that a spreadsheet would take for a formula."""
    out = io.StringIO()
    out.write("\ufeff")
    write = csv.writer(out).writerow
    write(["time", "machine", "number", "person", "action", "action_vi", "action_en", "subject", "detail"])
    for entry in found:
        detail = json.dumps(entry.detail, ensure_ascii=False, sort_keys=True)
        about = (entry.action, *entry.name, entry.subject, detail)
        cells = (entry.time, entry.device, str(entry.number or ""), entry.actor, *about)
        write([f"'{cell}" if cell[:1] in tuple("=+-@\t\r") else cell for cell in cells])
    return out.getvalue()


# -- proving ------------------------------------------------------------------------------------------------------


class Proved(NamedTuple):
    """How far a log held: the number and hash of this machine's last entry, the database number of the last document
    of the log that came, and of every feed where its documents end (number in the feed, hash)."""

    number: int = 0
    hash: str = ""
    part: int = 0
    feeds: Mapping[tuple[str, str], tuple[int, str]] = MappingProxyType({})


NOTHING = Proved()


def problems(store: Store) -> list[Problem]:
    """What is wrong with the log, empty when nothing is: entries out of their chain here, or documents of the log that
    do not continue each other (a machine whose log was cut, replaced, or restored from a backup)."""
    return prove(store)[0]


def prove(store: Store, proved: Proved = NOTHING) -> tuple[list[Problem], Proved]:
    """What :func:`problems` says of what came after ``proved``, and how far the log is proved now.

    What an earlier call proved is not read again: whoever changes it afterwards is found by :func:`problems` alone,
    but where its last entry is gone, and after every problem, all is proved.
    """
    if store.value("SELECT hash FROM audit WHERE number = ?", (proved.number,)) != (proved.hash or None):
        proved = NOTHING
    documents = _documents(store, proved.part)
    if any(one.seq <= proved.feeds.get((one.device, one.epoch), (0, ""))[0] for one in documents):
        # What lay before a document that is proved has only come now.
        return prove(store)
    found: list[Problem] = []
    expected, prev = proved.number + 1, proved.hash
    for number, content, hash in store.execute(
        "SELECT number, entry, hash FROM audit WHERE number > ? ORDER BY number", (proved.number,)
    ):
        told = _line(content)
        linked = (told.get("number"), told.get("prev")) == (expected, prev)
        if number != expected or not linked or hash_text(content) != hash:
            found.append(_problem(store.device, number))
            break
        expected, prev = number + 1, hash
    ends, part = dict(proved.feeds), proved.part
    for document in documents:
        feed = document.device, document.epoch
        # Where a feed begins (a new machine, a restored one) its log may begin.
        last, broken = ends[feed][1] if feed in ends else None, not document.entries
        for content in document.entries:
            told = _line(content)
            follows = last is None or told.get("prev") == last
            broken = broken or not follows or not any(_entry(document.device, told))
            last = hash_text(content)
        ends[feed], part = (document.seq, document.head), max(part, document.part)
        if feed == (store.device, store.epoch):
            here = store.value("SELECT hash FROM audit WHERE number = ?", (document.last,))
            broken = broken or here != document.head
        if broken or last != document.head:
            found.append(_problem(document.device, document.first))
    return found, NOTHING if found else Proved(expected - 1, prev, part, ends)


def _problem(device: str, number: int) -> Problem:
    return Problem(
        f"device {device}",
        Text(f"nhật ký truy cập bị sửa hoặc thiếu từ mục {number}", f"the log of access breaks at entry {number}"),
        Text(
            "giữ nguyên máy, báo người phụ trách bảo vệ dữ liệu",
            "keep the machine as it is, tell whoever answers for it",
        ),
    )
