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
_BLOCK = 256 << 10

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
    source = _Source(stream)
    while source.has_more():
        header = source.take(_length(source.take(4), LARGEST_HEADER))
        signed = source.take(65)
        parts: dict[str, Part] = {}
        for _ in range(signed[64]):
            try:
                name = source.take(source.take(1)[0]).decode("utf-8")
            except UnicodeDecodeError:
                raise _cut() from None
            salted = source.take(36)
            parts[name] = Part(salted[:32], source.take(_length(salted[32:], LARGEST_PART)))
        yield Record(header, signed[:64], parts)


class _Source:
    """A stream read in large blocks and handed out in small pieces: merging is measured by the microsecond."""

    def __init__(self, stream: Readable):
        self._stream = stream
        self._block = b""
        self._at = 0

    def has_more(self) -> bool:
        """Whether the stream goes on."""
        if self._at == len(self._block):
            self._block, self._at = self._stream.read(_BLOCK), 0
        return bool(self._block)

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        start, end = self._at, self._at + size
        if end > len(self._block):
            left = self._block[start:]
            self._block = left + self._stream.read(max(_BLOCK, size - len(left)))
            start, end = 0, size
            if end > len(self._block):
                raise _cut()
        self._at = end
        return self._block[start:end]


def _length(raw: bytes, largest: int) -> int:
    length = int.from_bytes(raw)
    if length > largest:
        raise _cut()
    return length


def _cut() -> Malformed:
    return Malformed(Text("các bản ghi bên trong bị cắt hoặc sai cấu trúc", "the records inside are cut or malformed"))
