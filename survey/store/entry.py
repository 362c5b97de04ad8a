"""A revision that came, after everything that needs no database: its header read, its parts held against what the
header commits to and packed as the database keeps them. Pure, and plain values alone: another process may do it."""

from __future__ import annotations

from typing import NamedTuple

from survey.store.header import Header, Malformed, Part, Record, read_header
from survey.store.packing import pack, unpack
from survey.text import Text


class Kept(NamedTuple):
    """A part as the database keeps it, and whether it is what the header says of it."""

    salt: bytes
    content: bytes
    holds: bool


class Entry(NamedTuple):
    """A revision whose header could be read."""

    header: Header
    content: bytes
    """The header's bytes, as they were signed."""
    signature: bytes
    parts: dict[str, Kept]

    def part(self, name: str) -> bytes:
        """The content of one of its parts, as it was sent."""
        return unpack(name, self.parts[name].content)

    def record(self, without: str = "") -> Record:
        """It as it came, all parts but the one called ``without``."""
        parts = {name: Part(kept.salt, self.part(name)) for name, kept in self.parts.items() if name != without}
        return Record(self.content, self.signature, parts)


class Refused(NamedTuple):
    """A record whose header is none, and why."""

    record: Record
    reason: Text


def check(record: Record) -> Entry | Refused:
    """``record`` made ready to be merged."""
    try:
        header = read_header(record.header)
    except Malformed as error:
        return Refused(record, error.reason)
    parts = {
        name: Kept(part.salt, pack(name, part.content), header.holds(name, part)) for name, part in record.parts.items()
    }
    return Entry(header, record.header, record.signature, parts)
