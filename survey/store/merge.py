"""Merging: the union by id of what is held and what came, with everything that does not verify set aside by name.

An entry is accepted when its own signature verifies or when an accepted entry names it as ``prev``: a signature
covers the whole run before it. That is a property of the *set* of entries, so neither order nor splitting matters;
what was set aside is looked at again whenever more of its feed arrives.
"""

from __future__ import annotations

import gc
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from survey.errors import NotAllowed, Problem
from survey.store import derived
from survey.store.authority import may_erase
from survey.store.entry import Entry, Kept, Refused, check
from survey.store.erasure import delete_contact, delete_parts, wipe
from survey.store.feed import feed_number, raw_id, text_id
from survey.store.framing import read_records, write_record
from survey.store.header import (
    CONTACT,
    ERASED,
    PRACTICE,
    Header,
    Record,
    hash_text,
)
from survey.store.meant import Meant
from survey.store.proof import Proof
from survey.store.quarantine import GET_AGAIN, set_aside
from survey.store.signing import verify
from survey.store.store import Store
from survey.text import Text

_CHUNK = 2_000
_LARGE = 64 << 20

_FORGED = Text("chữ ký không đúng", "the signature does not hold")
_UNKNOWN_KEY = Text("chưa biết khóa của máy đã ký", "the key of the device that signed is not known")
# Kept with what is set aside, and asked for by these words at the next merge: they are not to be changed.
_NO_AUTHORITY = Text(
    "yêu cầu xóa này không do quản trị viên trên máy đã đăng ký ghi; chưa xóa gì",
    "this erasure was not written by an administrator on an enrolled machine; nothing was erased",
)
_PRACTICE = Text(
    "bản ghi tập huấn, không bao giờ được nhận vào số liệu", "practice, which is never taken into the data"
)
_WRONG_PART = Text("nội dung không khớp với cam kết trong phần đầu", "the content is not what its header commits to")


@dataclass
class Outcome:
    """What a merge did. ``conflicts`` are the touched interviews that now have several contents; ``erased`` and
    ``withheld`` count parts that were not kept, because their subject was erased or this laptop need not have them."""

    new: int = 0
    known: int = 0
    late_parts: int = 0
    erased: int = 0
    withheld: int = 0
    conflicts: set[str] = field(default_factory=set)
    quarantined: list[tuple[str, Problem]] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        """Adds another outcome to this one."""
        self.new += other.new
        self.known += other.known
        self.late_parts += other.late_parts
        self.erased += other.erased
        self.withheld += other.withheld
        self.conflicts |= other.conflicts
        self.quarantined += other.quarantined


class Holder(NamedTuple):
    """A hub whose signed bundle this is: it holds what it sent."""

    hub: str
    tier: str


def unite(
    store: Store,
    records: Iterable[Record],
    source: str = "",
    keys: Mapping[str, bytes] | None = None,
    holder: Holder | None = None,
    note: Callable[[Outcome], None] | None = None,
) -> Outcome:
    """Merges records into the store, in one transaction; what ``records`` raises undoes it all.

    See :func:`unite_checked`."""
    return unite_checked(store, map(check, records), source, keys, holder, note)


def unite_checked(
    store: Store,
    entries: Iterable[Entry | Refused],
    source: str = "",
    keys: Mapping[str, bytes] | None = None,
    holder: Holder | None = None,
    note: Callable[[Outcome], None] | None = None,
) -> Outcome:
    """Merges what :func:`survey.store.entry.check` made of records, in one transaction; what ``entries`` raises undoes
    it all.

    ``keys`` are the public keys that came along, by device; one that is not its device's is ignored. ``source`` is
    where the records came from, for people. ``note`` is called at the end of the transaction, to write what
    belongs to it. Merging the same again changes nothing. Revisions that are practice are set aside, whoever signed
    them; NotAllowed when the store itself is practice.
    """
    if store.is_practice:
        raise NotAllowed(
            str(store.folder),
            Text("kho tập huấn không nhận dữ liệu của máy khác", "a practice store takes nothing from other machines"),
            Text("nhận vào kho chính của máy", "receive into the machine's own store"),
        )
    merge = _Merge(store, source, keys or {}, holder)
    with store.transaction(), _uncollected():
        for chunk in _chunks(entries):
            merge.chunk(chunk)
        merge.finish()
        if merge.continues_elsewhere:
            # Someone holds entries of the feed that this device is writing: it was restored or copied.
            store.new_epoch()
        if note is not None:
            note(merge.outcome)
    if merge.tombstones:
        wipe(store)
    return merge.outcome


@contextmanager
def _uncollected() -> Iterator[None]:
    """Lets the interpreter look for cyclic garbage afterwards: there is none, and looking goes through all that came,
    again and again (an eighth of the time of a merge)."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _chunks(entries: Iterable[Entry | Refused]) -> Iterator[list[Entry | Refused]]:
    """What came, in handfuls that fit into memory: photographs make revisions large."""
    chunk: list[Entry | Refused] = []
    size = 0
    for entry in entries:
        chunk.append(entry)
        if isinstance(entry, Entry):
            size += sum([len(kept.content) for kept in entry.parts.values()])
        if len(chunk) == _CHUNK or size > _LARGE:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def place(header: Header) -> str:
    """``device/epoch/seq``: the name under which a revision that does not verify is set aside."""
    return f"{header.device}/{header.epoch}/{header.seq}"


def _unframed(content: bytes) -> Entry | Refused:
    """What was set aside as a whole record."""
    return check(next(read_records(io.BytesIO(content))))


class _Merge:
    """One merge under way."""

    def __init__(self, store: Store, source: str, keys: Mapping[str, bytes], holder: Holder | None):
        self.store = store
        self.source = source
        self.holder = holder
        self.outcome = Outcome()
        self.tombstones = False
        self.continues_elsewhere = False
        self._proof = Proof(store, keys)
        self._feeds: dict[tuple[str, str], int] = {}
        self._erased: set[derived.Subject] = set()
        self._uncontacted: set[derived.Subject] = set()
        self._waiting: list[Entry | Refused] = []
        self._last = False

    def finish(self) -> None:
        """Looks at the tombstones that nobody known had the right to write: with everything merged, who wrote them and
        on what machine may have become known."""
        self._last = True
        held = self.store.execute("SELECT content FROM quarantine WHERE reason_en = ?", (_NO_AUTHORITY.en,)).fetchall()
        waiting = [*self._waiting, *(_unframed(content) for (content,) in held)]
        if waiting:
            self.chunk(waiting)

    def chunk(self, came: list[Entry | Refused]) -> None:
        """Merges some of what came."""
        store = self.store
        self._erased = {(row[0], row[1]) for row in store.execute("SELECT subject_type, subject FROM erased")}
        self._uncontacted = {
            (row[0], row[1]) for row in store.execute("SELECT subject_type, subject FROM erased_contact")
        }
        self._meant = Meant(store)
        self._has_quarantine = store.value("SELECT 1 FROM quarantine LIMIT 1") is not None
        fresh: dict[str, Entry] = {}
        repeated: list[tuple[int, Entry]] = []
        again: list[Entry] = []
        entries = self._readable(came)
        held = self._held(entries)
        for entry in entries:
            id = entry.header.id
            if id in held:
                number, signature = held[id]
                self._heal(number, signature, entry)
                repeated.append((number, entry))
            elif id in fresh:
                again.append(entry)
            else:
                fresh[id] = entry
        returned = self._retried(fresh)
        accepted = self._proof.accepted({**returned, **fresh})
        unheard = self._unheard(accepted)
        numbers = self._insert(list(accepted.values()))
        repeated += [(numbers[entry.header.id], entry) for entry in again if entry.header.id in numbers]
        self.outcome.known += len(repeated)
        late = self._late_parts(repeated)
        headers = [entry.header for entry in accepted.values()]
        touched = {(header.subject_type, header.subject) for header in headers} | late
        added = [(self._feed(header), header) for header in headers]
        known = dict(zip(numbers.values(), headers, strict=True))
        self.outcome.conflicts |= set(derived.update(store, touched, added, known))
        for id, entry in fresh.items():
            if id not in accepted and id not in unheard:
                self._reject(entry)
        self._bury({key for key in touched if key in self._erased})
        self._bury_contact({key for key in touched if key in self._uncontacted - self._erased})
        if self.holder is not None:
            self._note_holder([*numbers.values(), *(number for number, _ in repeated)])

    def _readable(self, came: list[Entry | Refused]) -> list[Entry]:
        """What may be merged; what is no revision, or practice, is set aside."""
        entries = []
        for entry in came:
            if isinstance(entry, Refused):
                record, reason = entry
                self._set_aside(hash_text(record.header), write_record(record), reason)
                continue
            header = entry.header
            if header.epoch.startswith(PRACTICE):
                self._set_aside(place(header), write_record(entry.record()), _PRACTICE)
                continue
            if header.subject_type == "device":
                self._proof.learn(entry)
            entries.append(entry)
        return entries

    def _held(self, entries: list[Entry]) -> dict[str, tuple[int, bytes]]:
        """Database number and signature of those that are held already, by id."""
        ids = json.dumps([entry.header.id.removeprefix("sha256:") for entry in entries])
        rows = self.store.execute(
            "SELECT id, number, signature FROM revisions WHERE id IN (SELECT unhex(value) FROM json_each(?))", (ids,)
        )
        return {text_id(id): (number, signature) for id, number, signature in rows}

    # -- which entries hold -----------------------------------------------------------------------------------------

    def _unheard(self, accepted: dict[str, Entry]) -> set[str]:
        """Takes the tombstones out that nobody with the right to wrote; returns their ids."""
        unheard = {
            id
            for id, entry in accepted.items()
            if entry.header.kind == ERASED and not may_erase(self.store, entry.header)
        }
        for id in unheard:
            entry = accepted.pop(id)
            if self._last:
                self._set_aside(place(entry.header), write_record(entry.record()), _NO_AUTHORITY)
            else:
                self._waiting.append(entry)
        return unheard

    def _heal(self, number: int, signature: bytes, entry: Entry) -> None:
        """Replaces a signature that was damaged on its way by the good one that now came."""
        key = self._proof.key(entry.header.device)
        if entry.signature == signature or key is None:
            return
        message = entry.header.id.encode("ascii")
        if verify(key, entry.signature, message) and not verify(key, signature, message):
            self.store.execute("UPDATE revisions SET signature = ? WHERE number = ?", (entry.signature, number))

    # -- writing ------------------------------------------------------------------------------------------------------

    def _insert(self, entries: list[Entry]) -> dict[str, int]:
        """Writes accepted entries with the parts that hold; returns their database numbers by id."""
        store = self.store
        number = store.value("SELECT coalesce(max(number), 0) FROM revisions")
        for entry in entries:
            header = entry.header
            if header.kind == ERASED:
                gone = self._uncontacted if header.target == CONTACT else self._erased
                gone.add((header.subject_type, header.subject))
        numbers: dict[str, int] = {}
        revisions, parts, missing = [], [], []
        for entry in entries:
            header = entry.header
            number += 1
            id, subject_type, subject, kind = header.id, header.subject_type, header.subject, header.kind
            numbers[id] = number
            feed = self._feed(header)
            revisions.append(
                (number, raw_id(id), entry.content, entry.signature, feed, header.seq, subject_type, subject, kind)
            )
            held = self._good_parts(entry)
            parts += [(number, name, part.salt, part.content) for name, part in held.items()]
            if (header.blobs or len(held) < len(header.parts)) and not self._is_erased(header):
                missing += [
                    (number, name)
                    for name in header.contents
                    if name not in held and not self._is_contact_erased(header, name)
                ]
            if header.device == store.device and header.epoch == store.epoch:
                self.continues_elsewhere = True
        store.executemany(
            "INSERT INTO revisions (number, id, header, signature, feed, seq, subject_type, subject, kind)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            revisions,
        )
        store.executemany("INSERT INTO parts (revision, name, salt, content) VALUES (?, ?, ?, ?)", parts)
        store.executemany("INSERT INTO missing (revision, name) VALUES (?, ?)", missing)
        self.outcome.new += len(revisions)
        for device in {entry.header.device for entry in entries}:
            store.execute(
                "INSERT OR IGNORE INTO device_keys (device, public_key) VALUES (?, ?)",
                (device, self._proof.key(device)),
            )
        if self._has_quarantine:
            store.executemany("DELETE FROM quarantine WHERE name = ?", [(place(entry.header),) for entry in entries])
        return numbers

    def _late_parts(self, repeated: list[tuple[int, Entry]]) -> set[derived.Subject]:
        """Parts that were not here when their header came; returns the subjects that got some."""
        touched = set()
        for number, entry in repeated:
            header = entry.header
            if not entry.parts:
                continue
            wanted = {name for (name,) in self.store.execute("SELECT name FROM missing WHERE revision = ?", (number,))}
            if not wanted:
                continue
            parts = {name: part for name, part in entry.parts.items() if name in wanted}
            for name, part in self._good_parts(entry._replace(parts=parts)).items():
                self.store.execute(
                    "INSERT INTO parts (revision, name, salt, content) VALUES (?, ?, ?, ?)",
                    (number, name, part.salt, part.content),
                )
                self.store.execute("DELETE FROM missing WHERE revision = ? AND name = ?", (number, name))
                # A receipt for the revision said nothing about this part.
                self.store.execute("DELETE FROM receipted WHERE revision = ?", (number,))
                self.store.execute("DELETE FROM quarantine WHERE name = ?", (f"{header.id}/{name}",))
                self.outcome.late_parts += 1
                touched.add((header.subject_type, header.subject))
        return touched

    def _good_parts(self, entry: Entry) -> dict[str, Kept]:
        """The parts that are what the header commits to; the others are set aside, those of the erased dropped."""
        header = entry.header
        if self._is_erased(header):
            self.outcome.erased += len(entry.parts)
            return {}
        if not self._meant.for_us(header):
            self.outcome.withheld += len(entry.parts)
            return {}
        good = {}
        for name, part in entry.parts.items():
            if self._is_contact_erased(header, name):
                self.outcome.erased += 1
            elif name == CONTACT and not self._meant.to_call_on(entry):
                self.outcome.withheld += 1
            elif part.holds:
                good[name] = part
            else:
                self._set_aside(f"{header.id}/{name}", part.salt + entry.part(name), _WRONG_PART)
        return good

    def _is_contact_erased(self, header: Header, part: str) -> bool:
        return part == CONTACT and (header.subject_type, header.subject) in self._uncontacted

    def _is_erased(self, header: Header) -> bool:
        return header.kind != ERASED and (header.subject_type, header.subject) in self._erased

    def _feed(self, header: Header) -> int:
        key = (header.device, header.epoch)
        if key not in self._feeds:
            self._feeds[key] = feed_number(self.store, *key)
        return self._feeds[key]

    def _bury(self, gone: set[derived.Subject]) -> None:
        """Deletes the parts of subjects that this chunk erased."""
        if gone:
            self.tombstones = True
            delete_parts(self.store, gone)

    def _bury_contact(self, gone: set[derived.Subject]) -> None:
        """Deletes the contact data of subjects of which this chunk erased them."""
        if gone:
            self.tombstones = True
            delete_contact(self.store, gone)

    def _note_holder(self, numbers: list[int]) -> None:
        """A hub's signed bundle proves that the hub holds what other devices wrote and it sent; only its receipt
        proves that it holds what *this* device wrote."""
        assert self.holder is not None
        self.store.executemany(
            "INSERT OR IGNORE INTO receipted (revision, hub, tier) SELECT r.number, ?, ? FROM revisions r"
            " JOIN feeds f ON f.number = r.feed WHERE r.number = ? AND f.device <> ?",
            [(*self.holder, number, self.store.device) for number in numbers],
        )

    # -- setting aside ------------------------------------------------------------------------------------------------

    def _retried(self, fresh: dict[str, Entry]) -> dict[str, Entry]:
        """What was set aside earlier of the feeds that now bring more."""
        if not self._has_quarantine:
            return {}
        found = {}
        for device, epoch in {(entry.header.device, entry.header.epoch) for entry in fresh.values()}:
            prefix = f"{device}/{epoch}/"
            for (content,) in self.store.execute(
                "SELECT content FROM quarantine WHERE substr(name, 1, ?) = ?", (len(prefix), prefix)
            ).fetchall():
                entry = _unframed(content)
                if isinstance(entry, Entry) and entry.header.id not in fresh:
                    found[entry.header.id] = entry
        return found

    def _reject(self, entry: Entry) -> None:
        header = entry.header
        if self._is_erased(header):
            entry = entry._replace(parts={})
        record = entry.record(without=CONTACT if self._is_contact_erased(header, CONTACT) else "")
        reason = _FORGED if self._proof.key(header.device) else _UNKNOWN_KEY
        self._set_aside(place(header), write_record(record), reason)

    def _set_aside(self, name: str, content: bytes, reason: Text) -> None:
        set_aside(self.store, name, content, reason, self.source)
        self.outcome.quarantined.append(
            (name, Problem(f"{self.source}: {name}" if self.source else name, reason, GET_AGAIN))
        )
