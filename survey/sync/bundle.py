"""Bundles: revisions in one immutable file, named by its own hash and signed by its sender (docs/formats.md).

::

    {"encryption":"none","format":"survey-bundle","v":1}\\n      outer envelope
    {"compression":"zlib","kind":"bundle",…}\\n                  manifest, names the hash of the payload
    {"signature":"…"}\\n                                         the sender's signature of the manifest
    payload                                                     zlib over the records

Everything after the envelope is what encryption will wrap. A bundle is checked whole, by the manifest's signature and
the payload's hash, before anything in it is unpacked.
"""

from __future__ import annotations

import io
import json
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from survey.errors import VerifyError
from survey.store import feed, receipts
from survey.store.framing import read_records, write_record
from survey.store.header import Malformed, Record, canonical
from survey.store.signed import read_signed, write_signed
from survey.store.signing import SigningKey
from survey.store.store import Store
from survey.sync.files import write_named
from survey.text import Text

SUFFIX = ".bundle"
FORMAT = "survey-bundle"
VERSION = 1

_ENVELOPE = canonical({"encryption": "none", "format": FORMAT, "v": VERSION}) + b"\n"
_BLOCK = 1 << 20
_LONGEST_LINE = 16 << 20
_IN_MEMORY = 4 << 20
_LEVEL = 6

_COPY_AGAIN = Text("chép lại tệp từ máy đã tạo ra nó", "copy the file again from the device that made it")


@dataclass(frozen=True)
class Bundle:
    """A bundle whose envelope, signature and payload hash hold; its records are unpacked as they are asked for."""

    path: Path
    hash: str
    manifest: dict[str, Any]
    _payload_at: int

    @property
    def sender(self) -> str:
        """The device that signed it."""
        return str(self.manifest["sender"])

    @property
    def keys(self) -> dict[str, bytes]:
        """The public keys that came along, by device. Whoever uses one checks that it is the device's."""
        return {device: bytes.fromhex(key) for device, key in self.manifest["keys"].items()}

    def records(self) -> Iterator[Record]:
        """The records, one after the other. VerifyError where the payload is not what the manifest says."""
        count = 0
        with self.path.open("rb") as file:
            file.seek(self._payload_at)
            try:
                with io.BufferedReader(_Inflated(file, self.manifest["content_size"]), _BLOCK) as stream:
                    for record in read_records(stream):
                        count += 1
                        yield record
            except (Malformed, zlib.error):
                raise _damaged(self.path) from None
        if count != self.manifest["revisions"]:
            raise _damaged(self.path)


class _Inflated(io.RawIOBase):
    """The unpacked payload, never more of it than the manifest announced: a bomb is refused, not swallowed."""

    def __init__(self, file: IO[bytes], size: int):
        self._file = file
        self._inflate = zlib.decompressobj()
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = b""
        while not content and not self._inflate.eof:
            packed = self._inflate.unconsumed_tail or self._file.read(_BLOCK)
            if not packed:
                raise zlib.error("the payload ends early")
            content = self._inflate.decompress(packed, len(buffer))
        self._left -= len(content)
        if self._left < 0:
            raise zlib.error("more content than announced")
        buffer[: len(content)] = content
        return len(content)


def write_bundle(store: Store, folder: str | Path, numbers: Sequence[int]) -> Path:
    """Writes the revisions with these database numbers as a bundle into ``folder``; returns its path.

    The same revisions give the same file, so writing twice leaves one. InputError when the disk is full or read-only.
    """
    records = feed.records(store, numbers)
    keys = receipts.keys_of(store, numbers)
    path = write_records(store.key, store.tier, Path(folder), records, keys, store.folder)
    # Our own bundle need not be unpacked when the stick comes back.
    receipts.remember_bundle(store, path.name.removesuffix(SUFFIX), len(numbers))
    return path


def write_records(
    key: SigningKey, tier: str, folder: Path, records: Iterable[Record], keys: dict[str, str], scratch: Path
) -> Path:
    """Writes records as a bundle signed by ``key``. ``scratch`` is a folder for what does not fit into memory."""
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=str(scratch)) as payload:
        deflate, digest = zlib.compressobj(_LEVEL), sha256()
        count = size = packed_size = 0

        def put(packed: bytes) -> None:
            nonlocal packed_size
            packed_size += len(packed)
            digest.update(packed)
            payload.write(packed)

        for record in records:
            content = write_record(record)
            count += 1
            size += len(content)
            put(deflate.compress(content))
        put(deflate.flush())
        manifest = {
            "v": VERSION,
            "kind": "bundle",
            "sender": key.device,
            "public_key": key.public.hex(),
            "tier": tier,
            "compression": "zlib",
            "revisions": count,
            "content_size": size,
            "payload_size": packed_size,
            "payload": "sha256:" + digest.hexdigest(),
            "keys": keys,
        }

        def blocks() -> Iterator[bytes]:
            yield _ENVELOPE
            yield write_signed(manifest, key)
            payload.seek(0)
            while block := payload.read(_BLOCK):
                yield block

        return write_named(folder, SUFFIX, blocks())


def read_bundle(path: str | Path) -> Bundle:
    """Checks a bundle whole and returns it, unpacked not yet.

    VerifyError when it is damaged, cut, not what its name says, not signed by its sender, encrypted, or newer.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            envelope = file.readline(1_000)
            _check_envelope(path, envelope)
            signed = file.readline(_LONGEST_LINE) + file.readline(_LONGEST_LINE)
            manifest = read_signed(signed, "bundle", "sender", str(path))
            start = file.tell()
            whole, payload, size = sha256(envelope + signed), sha256(), 0
            while block := file.read(_BLOCK):
                whole.update(block)
                payload.update(block)
                size += len(block)
    except OSError as error:
        raise VerifyError(
            str(path), Text(f"không đọc được ({error.strerror})", f"it cannot be read ({error.strerror})"), _COPY_AGAIN
        ) from error
    named = path.name.removesuffix(SUFFIX)
    renamed = len(named) == 64 and named != whole.hexdigest()
    if (
        renamed
        or not _is_well_formed(manifest)
        or manifest["payload_size"] != size
        or manifest["payload"] != "sha256:" + payload.hexdigest()
    ):
        raise _damaged(path)
    return Bundle(path, whole.hexdigest(), manifest, start)


def _check_envelope(path: Path, envelope: bytes) -> None:
    if envelope == _ENVELOPE:
        return
    try:
        outer = json.loads(envelope)
        is_ours = outer["format"] == FORMAT
    except (ValueError, KeyError, TypeError, RecursionError):
        is_ours = False
    if is_ours and (outer.get("v"), outer.get("encryption")) != (VERSION, "none"):
        raise VerifyError(
            str(path),
            Text("gói dữ liệu được mã hóa hoặc do phiên bản mới hơn tạo ra", "encrypted, or from a newer version"),
            Text("cài phiên bản mới", "install the newer version"),
        )
    raise _damaged(path)


def _is_well_formed(manifest: dict[str, Any]) -> bool:
    sizes = [manifest.get(name) for name in ("revisions", "content_size", "payload_size")]
    keys = manifest.get("keys")
    try:
        return (
            all(type(size) is int and size >= 0 for size in sizes)
            and manifest.get("compression") == "zlib"
            and isinstance(keys, dict)
            and all(len(bytes.fromhex(key)) == 32 for key in keys.values())
            and isinstance(manifest.get("payload"), str)
            and isinstance(manifest.get("tier"), str)
        )
    except (TypeError, ValueError):
        return False


def _damaged(path: Path) -> VerifyError:
    return VerifyError(
        str(path),
        Text("gói dữ liệu bị hỏng hoặc bị cắt; không nhận gì từ gói này", "damaged or cut; nothing was merged from it"),
        _COPY_AGAIN,
    )
