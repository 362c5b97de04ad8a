"""Who gets what: every header goes to every device, parts only to those whose work they are (docs/formats.md, 10).

A device's document may name the people who work on it (``people``); without, the laptop is shared and gets the contact
data of every sample unit, so that whoever signs in finds their households.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator

from survey.store import feed, receipts
from survey.store.authority import machine
from survey.store.header import CONTENT_KINDS, Header, Record, read_header
from survey.store.store import Store


class Scope:
    """What one device or hub may have, as this store knows it now."""

    def __init__(self, store: Store, device: str, people: Iterable[str] = ()):
        """``people`` are those who have signed in there, as the device itself says: they count only while nobody has
        named the people of this device."""
        document = machine(store, device) or {}
        self.is_hub: bool = document.get("role") == "hub"
        named = document.get("people")
        self.named: list[str] | None = [str(person) for person in named] if isinstance(named, list) and named else None
        self.people = set(self.named) if self.named is not None else {*people, *_actors(store, device)}
        wanted = json.dumps(sorted(self.people))
        self.units = _column(
            store,
            "SELECT subject FROM documents WHERE subject_type = 'unit'"
            " AND assignee IN (SELECT value FROM json_each(?))",
            (wanted,),
        )
        self.interviews = _column(
            store,
            "SELECT DISTINCT r.subject FROM revisions r JOIN feeds f ON f.number = r.feed"
            " WHERE f.device = ? AND r.subject_type = 'interview'",
            (device,),
        )
        self.visits = _column(
            store,
            "SELECT subject FROM documents d WHERE subject_type = 'visit' AND (unit IN (SELECT value FROM json_each(?))"
            " OR EXISTS (SELECT 1 FROM revisions r JOIN feeds f ON f.number = r.feed"
            "  WHERE r.subject = d.subject AND r.subject_type = 'visit' AND f.device = ?))",
            (json.dumps(sorted(self.units)), device),
        )
        of_units = "SELECT interview FROM interviews WHERE unit IN (SELECT value FROM json_each(?))"
        self.interviews |= _column(store, of_units, (json.dumps(sorted(self.units)),))
        if self.is_hub:
            # Interviews go up; what comes down to a lower hub is what another laptop may have to go on with.
            self.interviews |= _column(
                store, "SELECT interview FROM interviews WHERE state IN ('partial', 'returned')", ()
            )

    def may_have(self, header: Header, part: str) -> bool:
        """Whether this part of a revision is for the device."""
        if header.subject_type == "interview":
            if self.is_hub and header.kind not in CONTENT_KINDS:
                return True
            return header.subject in self.interviews or header.target in self.units
        if self.is_hub:
            return True
        if header.subject_type in ("scorecard", "plan"):
            return False  # papers of the desk: a field laptop carries their headers only
        if header.subject_type == "visit":
            return header.subject in self.visits
        if header.subject_type == "unit" and part == "contact":
            return self.named is None or header.subject in self.units
        return True

    def strip(self, record: Record) -> Record:
        """A revision as the device may have it: parts that are not its business are left out."""
        header = read_header(record.header)
        return record._replace(parts={name: part for name, part in record.parts.items() if self.may_have(header, name)})


def missing_from(store: Store, scope: Scope, stated: list[dict[str, object]], wants: Collection[str]) -> list[int]:
    """Database numbers of what a device or hub is to get: the revisions whose headers it lacks by its own statement of
    feeds, and those of which it wants parts (``<id>/<part>``) that are here and that it may have, feed by feed.

    Of interviews that a lower hub does not know it gets nothing: it would count what it cannot read.
    """
    lacking = receipts.lacking(store, stated)
    if scope.is_hub:
        down = set(receipts.downward(store))
        lacking = [number for number in lacking if number in down]
    return receipts.in_feed_order(store, {*lacking, *_wanted(store, scope, wants)})


def _wanted(store: Store, scope: Scope, wants: Collection[str]) -> Iterator[int]:
    for name in wants:
        id, _, part = name.rpartition("/")
        row = store.execute(
            "SELECT r.number, r.header FROM revisions r JOIN parts p ON p.revision = r.number AND p.name = ?"
            " WHERE r.id = ?",
            (part, feed.raw_id(id)),
        ).fetchone()
        if row is not None and scope.may_have(read_header(row[1]), part):
            yield row[0]


def wanted(store: Store, limit: int) -> list[str]:
    """``<id>/<part>`` of parts that this store lacks and should have, at most ``limit`` of them."""
    scope = Scope(store, store.device, here(store))
    found: list[str] = []
    rows = store.execute(
        "SELECT r.id, r.header, m.name FROM missing m JOIN revisions r ON r.number = m.revision ORDER BY m.revision"
    )
    last, header = b"", None
    for raw, content, name in rows:
        if len(found) == limit:
            break
        if raw != last:
            last, header = raw, read_header(content)
        if scope.is_hub or (header is not None and scope.may_have(header, name)):
            found.append(f"{feed.text_id(raw)}/{name}")
    return found


def here(store: Store) -> list[str]:
    """The people who have signed in on this machine."""
    return sorted(_column(store, "SELECT user FROM sign_ins WHERE was_here", ()))


def _actors(store: Store, device: str) -> set[str]:
    return _column(
        store,
        "SELECT DISTINCT json_extract(CAST(r.header AS TEXT), '$.actor') FROM revisions r"
        " JOIN feeds f ON f.number = r.feed WHERE f.device = ? AND r.subject_type IN ('interview', 'visit')",
        (device,),
    ) - {""}


def _column(store: Store, sql: str, parameters: tuple[str, ...]) -> set[str]:
    return {str(row[0]) for row in store.execute(sql, parameters)}
