"""How a part lies in the database: answers packed, everything else as it is.

Two hundred answers are mostly the names of questions, and packing makes a store a third of its size. That is also what
makes merging fast: encrypting and writing a page costs more than packing what is on it. What is hashed, committed to
and sent are the bytes of the part, never these. What is written is deflate as every zlib reads it; isal makes it in
less than half of zlib's time (decision 119).
"""

from __future__ import annotations

from typing import cast

from isal import isal_zlib

from survey.store.framing import LARGEST_PART

PACKED = frozenset({"answers", "off_path"})
"""Names of parts that are packed. No query looks into them."""

_MARK = b"\0"
"""What a packed part begins with. A JSON text cannot; a part that does all the same is packed, however small."""

NotDeflate = cast(type[Exception], isal_zlib.error)
"""What isal raises for bytes that are no deflate; its stubs take the class for an instance."""

_SMALL = 200
_LEVEL, _WINDOW, _MEMORY = 1, -13, 6


def pack(name: str, content: bytes) -> bytes:
    """``content`` of the part ``name`` as it is written to the database."""
    if name not in PACKED or (len(content) < _SMALL and not content.startswith(_MARK)):
        return content
    deflate = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _WINDOW, _MEMORY)
    return _MARK + deflate.compress(content) + deflate.flush()


def unpack(name: str, kept: bytes) -> bytes:
    """The part ``name`` out of what the database has. Damaged bytes are given as they are: they break the commitment
    of their header, which whoever reads them to hand them on or to prove them will see."""
    if name not in PACKED or not kept.startswith(_MARK):
        return kept
    inflate = isal_zlib.decompressobj(_WINDOW)
    try:
        content = inflate.decompress(kept[1:], LARGEST_PART + 1)
    except NotDeflate:
        return kept
    return content if inflate.eof else kept
