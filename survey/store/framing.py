"""A revision as bytes on the way: length-prefixed, nothing re-written, the header exactly as it was signed. Pure.

::

    record := u32 length, header | 64 bytes signature | u8 number of parts, part*
    part   := u8 length, name | 32 bytes salt | u32 length, content        (integers big-endian)
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import Protocol

from survey.store.header import Malformed, Part, Record
from survey.text import Text

_LENGTH = Struct(">I")

LARGEST_HEADER = 1 << 20
LARGEST_PART = 64 << 20
"""Bytes. No honest header or part comes near; a longer one is refused before memory is set aside for it."""


class Readable(Protocol):
    """Anything with ``read(n)`` that returns fewer bytes only at the end."""

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
    while True:
        start = stream.read(4)
        if not start:
            return
        header = _exactly(stream, _length(start, LARGEST_HEADER))
        signature = _exactly(stream, 64)
        parts: dict[str, Part] = {}
        for _ in range(_exactly(stream, 1)[0]):
            try:
                name = _exactly(stream, _exactly(stream, 1)[0]).decode("utf-8")
            except UnicodeDecodeError:
                raise _cut() from None
            salt = _exactly(stream, 32)
            parts[name] = Part(salt, _exactly(stream, _length(_exactly(stream, 4), LARGEST_PART)))
        yield Record(header, signature, parts)


def _length(raw: bytes, largest: int) -> int:
    if len(raw) != 4 or (length := _LENGTH.unpack(raw)[0]) > largest:
        raise _cut()
    return int(length)


def _exactly(stream: Readable, size: int) -> bytes:
    content = stream.read(size)
    if len(content) != size:
        raise _cut()
    return content


def _cut() -> Malformed:
    return Malformed(Text("các bản ghi bên trong bị cắt hoặc sai cấu trúc", "the records inside are cut or malformed"))
