"""A revision as bytes on the way: length-prefixed, nothing re-written, the header exactly as it was signed. Pure.

::

    record := u32 length, header | 64 bytes signature | u8 number of parts, part*
    part   := u8 length, name | 32 bytes salt | u32 length, content        (integers big-endian)
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import Protocol

from survey.store.header import PARTS, Malformed, Part, Record
from survey.text import Text

_LENGTH = Struct(">I")
_BLOCK = 256 << 10

LARGEST_HEADER = 1 << 20
LARGEST_PART = 64 << 20
"""Bytes. No honest header or part comes near; a longer one is refused before memory is set aside for it."""


class Readable(Protocol):
    """Anything with ``read(n)`` that returns at most so many bytes, and none at the end alone."""

    def read(self, size: int, /) -> bytes: ...


def write_record(record: Record) -> bytes:
    """``record`` as bytes."""
    pieces = [_LENGTH.pack(len(record.header)), record.header, record.signature, bytes([len(record.parts)])]
    for name, part in sorted(record.parts.items()):
        encoded = name.encode("utf-8")
        pieces += [bytes([len(encoded)]), encoded, part.salt, _LENGTH.pack(len(part.content)), part.content]
    return b"".join(pieces)


def read_records(stream: Readable) -> Iterator[Record]:
    """The records in ``stream`` up to its end. Raises Malformed where the bytes stop making sense."""
    block, at = b"", 0
    while True:
        record, end = _record(block, at)
        if record is not None:
            yield record
            at = end
            continue
        left = block[at:]
        more = stream.read(max(_BLOCK, end - len(block)))
        if not more:
            if left:
                raise _cut()
            return
        block, at = left + more, 0


def _record(block: bytes, at: int) -> tuple[Record | None, int]:
    """The record that begins at ``at`` and where it ends; None, and how far the block would have to reach, when it ends
    before that. Written out rather than in small steps: merging is measured by the microsecond."""
    size = len(block)
    start = at + 4
    if start > size:
        return None, start
    signed = start + _length(block, at, LARGEST_HEADER)
    at = signed + 65
    if at > size:
        return None, at
    parts: dict[str, Part] = {}
    for _ in range(block[at - 1]):
        named = at + 1
        if named > size:
            return None, named
        salt = named + block[at]
        begin = salt + 36
        if begin > size:
            return None, begin
        at = begin + _length(block, begin - 4, LARGEST_PART)
        if at > size:
            return None, at
        raw = block[named:salt]
        parts[_NAMES.get(raw) or _name(raw)] = Part(block[salt : begin - 4], block[begin:at])
    return Record(block[start:signed], block[signed : signed + 64], parts), at


def _length(block: bytes, at: int, largest: int) -> int:
    length: int = _LENGTH.unpack_from(block, at)[0]
    if length > largest:
        raise _cut()
    return length


_NAMES = {name.encode("utf-8"): name for name in PARTS}


def _name(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise _cut() from None


def _cut() -> Malformed:
    return Malformed(Text("các bản ghi bên trong bị cắt hoặc sai cấu trúc", "the records inside are cut or malformed"))
