"""The log of access of this machine and what others have handed over of theirs: carried, read, proved.

Two sources, one list (decision 80). What changes data is in the feeds already, signed and linked: erasures, people and
their roles, machines, publication. What changes nothing is noted by :mod:`survey.store.audit`; at every hand-over the
new entries leave as a document of the feed, so a hub holds them under the machine's signature.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
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


def entries(store: Store, *, most: int = -1, skip: int = 0, **narrowed: Any) -> list[Entry]:
    """The log, newest first; each condition narrows it: ``actor`` and ``device`` (ids; of a device its beginning will
    do), ``actions`` (any of them), ``since`` and ``until`` (days, both included). With ``most`` no more than so many,
    after the ``skip`` newest; only those are read."""
    where, values = _where(**narrowed)
    rows = store.execute(
        f"{_LOG} SELECT device, line, revision FROM ({_TOLD}) WHERE {where}"
        " ORDER BY time DESC, device DESC, number DESC, revision LIMIT :most OFFSET :skip",
        {"own": store.device, "most": most, "skip": skip, **values},
    ).fetchall()
    found = []
    for device, line, revision in rows:
        if revision is not None:
            found.append(_of_feed(store, device, revision))
        else:
            # Of what is no entry nothing is said here: :func:`problems` names it.
            found += _entry(device, _line(line.encode("utf-8")))
    return found


def count(store: Store, **narrowed: Any) -> int:
    """How many entries :func:`entries` would give."""
    where, values = _where(**narrowed)
    sql = f"{_LOG} SELECT count(*) FROM ({_TOLD}) WHERE {where}"
    return int(store.value(sql, {"own": store.device, **values}))


def kinds(store: Store) -> dict[str, int]:
    """How many entries of each kind there are."""
    sql = f"{_LOG} SELECT action, count(*) FROM ({_TOLD}) WHERE action IS NOT NULL GROUP BY action ORDER BY action"
    return dict(store.execute(sql, {"own": store.device}).fetchall())


def _where(
    actor: str = "", actions: Collection[str] = (), device: str = "", since: str = "", until: str = ""
) -> tuple[str, dict[str, str]]:
    given = {
        "actor": (actor, "(actor = :actor OR action = 'person' AND subject = :actor)"),
        "actions": (
            json.dumps(sorted(actions)) if actions else "",
            "action IN (SELECT value FROM json_each(:actions))",
        ),
        "device": (device, "substr(device, 1, length(:device)) = :device"),
        "since": (since, "substr(time, 1, 10) >= :since"),
        "until": (until, "substr(time, 1, 10) <= :until"),
    }
    asked = {name: (value, sql) for name, (value, sql) in given.items() if value}
    return " AND ".join(sql for _, sql in asked.values()) or "1", {name: value for name, (value, _) in asked.items()}


def _json(column: str) -> str:
    """SQL of a column's JSON; of what is none an empty object."""
    return f"CASE WHEN json_valid(CAST({column} AS TEXT)) THEN CAST({column} AS TEXT) ELSE '{{}}' END"


_LOG = f"""
WITH documents_of_it AS MATERIALIZED (
    SELECT p.number AS part, f.device, CAST(p.told ->> '$.from' AS INTEGER) AS first,
        CAST(p.told ->> '$.to' AS INTEGER) AS last, p.told ->> '$.head' AS head
    FROM documents d JOIN revisions r ON r.subject = d.subject AND r.subject_type = d.subject_type
    JOIN (SELECT number, revision, {_json("content")} AS told FROM parts WHERE name = 'document') p
        ON p.revision = r.number
    JOIN feeds f ON f.number = r.feed
    WHERE d.subject_type = 'visit' AND d.unit = '' AND d.round = '' AND p.told ->> '$.event' = '{fieldlog.LOG}'
        AND json_array_length(p.told, '$.entries') > 0
), log AS MATERIALIZED (
    SELECT one.*, device = :own AND first <= (SELECT max(number) FROM audit) OR EXISTS (
        SELECT 1 FROM documents_of_it other WHERE other.device = one.device AND other.part < one.part
            AND other.first <= one.last AND one.first <= other.last) AS doubtful
    FROM documents_of_it one
    WHERE NOT (device = :own AND EXISTS (SELECT 1 FROM audit WHERE number = one.last AND hash = one.head))
)
"""
"""The documents of the log, but those whose entries all stand in this machine's own table, as their last one's hash
shows. ``doubtful`` are those that may say again what another says: a restored machine notes under the same numbers, and
hands over once more what its backup did not know to be handed over."""

_NUMBER = "CAST(line ->> '$.number' AS INTEGER)"
_AGAIN = f"""
EXISTS (SELECT 1 FROM audit a WHERE device = :own AND a.number = {_NUMBER} AND a.entry = CAST(line AS BLOB))
OR EXISTS (
    SELECT 1 FROM log other JOIN parts q ON q.number = other.part
    WHERE other.device = said.device AND other.part < said.part
        -- Entries have one number after the other, so it is known where in the other document this one stands.
        AND CASE WHEN {_NUMBER} BETWEEN other.first AND other.last
            THEN CAST(q.content AS TEXT) ->> ('$.entries[' || ({_NUMBER} - other.first) || ']') = line END)
"""

_WHICH = " ".join(f"WHEN '{kind}' THEN '{action}'" for kind, action in _ISSUED.items())

_TOLD = f"""
SELECT :own AS device, line, NULL AS revision, number, line ->> '$.time' AS time,
    line ->> '$.actor' AS actor, line ->> '$.action' AS action, line ->> '$.subject' AS subject
FROM (SELECT number, {_json("entry")} AS line FROM audit ORDER BY number DESC)
UNION ALL
SELECT device, line, NULL, line ->> '$.number', line ->> '$.time',
    line ->> '$.actor', line ->> '$.action', line ->> '$.subject'
FROM (
    SELECT log.device, log.part, log.doubtful, {_json("e.value")} AS line
    FROM log CROSS JOIN parts p ON p.number = log.part, json_each(CAST(p.content AS TEXT), '$.entries') e
    WHERE e.type = 'text'
) said
WHERE NOT (doubtful AND ({_AGAIN}))
UNION ALL
SELECT f.device, NULL, r.number, 0, r.told ->> '$.time', r.told ->> '$.actor',
    CASE WHEN kind <> 'erased' THEN CASE subject_type {_WHICH} END
        WHEN r.told ->> '$.target' <> '' THEN 'contact_erased' ELSE 'erased' END, r.subject
FROM (SELECT number, feed, subject, subject_type, kind, {_json("header")} AS told FROM revisions
    WHERE kind = 'erased' OR subject_type IN ({", ".join(f"'{kind}'" for kind in _ISSUED)})) r
JOIN feeds f ON f.number = r.feed
"""
"""Every entry: its ``line``, or the ``revision`` that says it, and what it is found and sorted by. The own ones
come newest first, so that whoever sorts for the newest hundred seldom puts one before the others."""


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


def _of_feed(store: Store, device: str, revision: int) -> Entry:
    content, body = store.execute(
        "SELECT r.header, p.content FROM revisions r LEFT JOIN parts p ON p.revision = r.number"
        " AND p.name IN ('decision', 'document') WHERE r.number = ?",
        (revision,),
    ).fetchone()
    header, told = read_header(content), read_document(body) or {}
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
    return Entry(header.time, device, header.actor, action, subject, detail, 0)


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
