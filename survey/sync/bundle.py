"""Bundles: revisions in one immutable file, named by its own hash and signed by its sender (docs/formats.md).

::

    {"encryption":"none","format":"survey-bundle","v":1}\\n      envelope
    {"compression":"zlib","kind":"bundle",…}\\n                  manifest, names the hash of the payload
    {"signature":"…"}\\n                                         the sender's signature of the manifest
    payload                                                     zlib over the records

With ``"encryption":"age"`` everything after the envelope is one age file to the keys that the envelope and the manifest
name. A bundle is checked whole, by the manifest's signature and the payload's hash, before anything in it is unpacked.
Nothing unencrypted touches the disk, on the way out or in.
"""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from isal import isal_zlib

from survey.errors import NotAllowed, VerifyError
from survey.store import feed, receipts, vault
from survey.store.entry import Entry, Refused, check
from survey.store.framing import read_records, write_record
from survey.store.header import Malformed, Record
from survey.store.hearing import program
from survey.store.packing import NotDeflate
from survey.store.signed import read_signed, write_signed
from survey.store.signing import SigningKey
from survey.store.store import Store
from survey.sync.envelope import (
    COPY_AGAIN,
    LONGEST,
    PLAIN,
    SUFFIX,
    VERSION,
    NotForUs,
    already_in,
    damaged,
    read_envelope,
    write_envelope,
)
from survey.sync.files import hash_file, write_named
from survey.sync.keys import age_identity, publish_age_key, readers
from survey.sync.spool import Spool
from survey.text import Text

_BLOCK = 1 << 20
# What is packed is read in small blocks: what one step of unpacking leaves over is copied for the next.
_PACKED_BLOCK = 64 << 10
_LONGEST_LINE = 16 << 20
_LEVEL = 6


class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class Opened(ABC):
    """A bundle whose envelope, signature and payload hash hold.

    ``hash`` names its content: that of the file, or, of an encrypted one, that of what is inside.
    """

    path: Path
    hash: str
    manifest: dict[str, Any]

    @property
    def sender(self) -> str:
        """The device that signed it."""
        return str(self.manifest["sender"])

    @property
    def keys(self) -> dict[str, bytes]:
        """The public keys that came along, by device. Whoever uses one checks that it is the device's."""
        return {device: bytes.fromhex(key) for device, key in self.manifest["keys"].items()}

    @abstractmethod
    def entries(self) -> Iterator[Entry | Refused]:
        """What is to be merged. VerifyError where the payload is not what the manifest says."""


@dataclass(frozen=True)
class Bundle(Opened):
    """A bundle opened in this process; its records are unpacked as they are asked for."""

    _payload: Callable[[], _Readable]

    def entries(self) -> Iterator[Entry | Refused]:
        return map(check, self.records())

    def records(self) -> Iterator[Record]:
        """The records, one after the other. VerifyError where the payload is not what the manifest says."""
        count = 0
        with closing(self._payload()) as payload:
            try:
                for record in read_records(_Inflated(payload, self.manifest["content_size"])):
                    count += 1
                    yield record
            except (Malformed, NotDeflate):
                raise damaged(self.path) from None
        if count != self.manifest["revisions"]:
            raise damaged(self.path)


class _Inflated:
    """The unpacked payload, never more of it than the manifest announced: a bomb is refused, not swallowed."""

    def __init__(self, file: _Readable, size: int):
        self._file = file
        self._inflate = isal_zlib.decompressobj()
        self._left = size

    def read(self, size: int, /) -> bytes:
        """The next ``size`` bytes, fewer at the end alone. NotDeflate where there is no such end."""
        pieces: list[bytes] = []
        while size and not self._inflate.eof:
            packed = self._inflate.unconsumed_tail or self._file.read(_PACKED_BLOCK)
            # isal may hold the end back after the last byte was read, when ``size`` was too small for it.
            piece = self._inflate.decompress(packed, size)
            if not (packed or piece or self._inflate.eof):
                raise NotDeflate("the payload ends early")
            size -= len(piece)
            self._left -= len(piece)
            if self._left < 0:
                raise NotDeflate("more content than announced")
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def write_bundle(
    store: Store,
    folder: str | Path,
    numbers: Sequence[int],
    *,
    plain: bool = False,
    also: Iterable[str] = (),
    only: Iterable[str] | None = None,
    strip: Callable[[Record], Record] | None = None,
    lasting: bool = True,
) -> Path:
    """Writes the revisions with these database numbers as a bundle into ``folder``; returns its path.

    Encrypted to everybody whom :func:`survey.sync.keys.readers` names and to the age keys in ``also``, unless ``plain``
    or :func:`is_plain_for` says otherwise; with ``only`` to those keys and no others. ``strip`` takes away what they
    may not have. The same revisions for the same readers give one file, however often they are written. One that is
    not ``lasting`` is sent and removed. InputError when the disk is full or read-only, NotAllowed for a practice store.
    """
    if store.is_practice:
        raise NotAllowed(
            str(store.folder),
            Text("phiếu tập huấn không nộp đi đâu", "practice is handed over to nobody"),
            Text("nộp từ kho chính của máy", "hand over from the machine's own store"),
        )
    publish_age_key(store)
    to = (
        () if plain or (is_plain_for(store) and not also) else (*(readers(store).keys if only is None else only), *also)
    )
    records = feed.records(store, numbers)
    if strip is not None:
        records = map(strip, records)
    path, hash = _write(
        store.key, store.tier, Path(folder), records, receipts.keys_of(store, numbers), store.folder, to, lasting
    )
    if lasting:
        # Our own bundle need not be unpacked when the stick comes back.
        receipts.remember_bundle(store, hash, len(numbers))
    return path


def is_plain_for(store: Store) -> bool:
    """Whether what leaves this machine is written unencrypted because its readers have no keys: a laptop whose round
    names no hub's key, or a plain hub with enrolled machines that have none."""
    found = readers(store)
    if not found.others:
        return store.role == "device" or not vault.is_encrypted(store.folder)
    return bool(found.without) and not vault.is_encrypted(store.folder)


def write_records(
    key: SigningKey,
    tier: str,
    folder: Path,
    records: Iterable[Record],
    keys: dict[str, str],
    scratch: Path | None = None,
    to: Iterable[str] = (),
    *,
    lasting: bool = True,
) -> Path:
    """Writes records as a bundle signed by ``key``, encrypted to the public age keys ``to`` if there are any.
    ``scratch`` is a folder for what does not fit into memory, which nobody can read there."""
    return _write(key, tier, folder, records, keys, scratch, to, lasting)[0]


def _write(
    key: SigningKey,
    tier: str,
    folder: Path,
    records: Iterable[Record],
    keys: dict[str, str],
    scratch: Path | None,
    to: Iterable[str],
    lasting: bool,
) -> tuple[Path, str]:
    """Writes a bundle; returns its path and the hash of its content."""
    to = sorted(set(to))
    with closing(Spool(scratch)) as payload:
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
            "program": program(),
        }
        if to:
            manifest["recipients"] = to
        signed = write_signed(manifest, key)
        if not to:
            path = write_named(folder, SUFFIX, _blocks(PLAIN + signed, payload), lasting=lasting)
            return path, path.name.removesuffix(SUFFIX)
        whole = sha256()
        for block in _blocks(signed, payload):
            whole.update(block)
        envelope = write_envelope(whole.hexdigest(), to)
        return already_in(folder, envelope) or _write_encrypted(
            folder, envelope, signed, payload, to, scratch, lasting
        ), whole.hexdigest()


def _blocks(start: bytes, payload: Spool) -> Iterator[bytes]:
    yield start
    payload.rewind()
    while block := payload.read(_BLOCK):
        yield block


def _write_encrypted(
    folder: Path, envelope: bytes, signed: bytes, payload: Spool, to: Sequence[str], scratch: Path | None, lasting: bool
) -> Path:
    import pyrage

    recipients = [pyrage.x25519.Recipient.from_str(key) for key in to]
    with closing(Spool(scratch)) as encrypted:
        pyrage.encrypt_io(_Joined(_blocks(signed, payload)), encrypted, recipients)
        return write_named(folder, SUFFIX, _blocks(envelope, encrypted), lasting=lasting)


class _Joined:
    """Blocks, read as a file."""

    def __init__(self, blocks: Iterator[bytes]):
        self._blocks = blocks
        self._left = b""

    def read(self, size: int) -> bytes:
        """The next bytes, at most ``size``; none at the end."""
        if not self._left:
            self._left = next(self._blocks, b"")
        taken, self._left = self._left[:size], self._left[size:]
        return taken


def read_bundle(
    path: str | Path, store: Store | None = None, identities: Sequence[Any] = (), scratch: Path | None = None
) -> Bundle:
    """Checks a bundle whole and returns it, unpacked not yet.

    An encrypted one is opened with the key of ``store``, or with one of ``identities`` (pyrage); ``scratch`` is a
    folder for what does not fit into memory, that of ``store`` if there is one. VerifyError when it is damaged, cut,
    not what its name says, not signed by its sender, or newer; NotForUs when it is encrypted to others.
    """
    path = Path(path)
    named = path.name.removesuffix(SUFFIX)
    try:
        with path.open("rb") as file:
            envelope = file.readline(LONGEST)
            outer = read_envelope(path, envelope)
            if outer["encryption"] == "none":
                payload = None
                manifest, whole, start = _check(path, file, envelope)
            else:
                if len(named) == 64 and hash_file(path) != named:
                    raise damaged(path)
                own = age_identity(store) if store is not None else None
                keys = [key for key in (own, *identities) if key is not None]
                payload = _decrypted(path, file, outer, keys, store.folder if store is not None else scratch)
                manifest, whole, start = _check(path, payload, b"")
                if f"sha256:{whole}" != outer["content"]:
                    raise damaged(path)
    except OSError as error:
        raise VerifyError(
            str(path), Text(f"không đọc được ({error.strerror})", f"it cannot be read ({error.strerror})"), COPY_AGAIN
        ) from error
    if payload is None and len(named) == 64 and named != whole:
        raise damaged(path)
    # What the envelope says for all to see must be what the sender signed inside.
    if manifest.get("recipients", []) != outer.get("recipients", []):
        raise damaged(path)

    def again() -> _Readable:
        if payload is None:
            opened = path.open("rb")
            opened.seek(start)
            return opened
        return _Part(payload, start)

    return Bundle(path, whole, manifest, again)


class _Part:
    """A decrypted bundle from its payload on, once more from the start; what is in memory stays for the next time."""

    def __init__(self, spool: Spool, start: int):
        self._spool = spool
        spool.rewind()
        spool.read(start)

    def read(self, size: int = -1, /) -> bytes:
        return self._spool.read(size)

    def close(self) -> None:
        """Leaves the content where it is."""


class _Lines:
    """Reads lines and then blocks off something that only reads."""

    def __init__(self, file: _Readable):
        self._file = file
        self._left = b""

    def line(self) -> bytes:
        while b"\n" not in self._left and len(self._left) < _LONGEST_LINE and (more := self._file.read(_BLOCK)):
            self._left += more
        end = self._left.find(b"\n") + 1 or len(self._left)
        found, self._left = self._left[:end], self._left[end:]
        return found

    def block(self) -> bytes:
        found, self._left = self._left or self._file.read(_BLOCK), b""
        return found


def _check(path: Path, file: _Readable, envelope: bytes) -> tuple[dict[str, Any], str, int]:
    """Reads manifest and payload to the end: the manifest, the hash of it all in hexadecimal, where the payload is."""
    lines = _Lines(file)
    signed = lines.line() + lines.line()
    manifest = read_signed(signed, "bundle", "sender", str(path))
    whole, payload, size = sha256(envelope + signed), sha256(), 0
    while block := lines.block():
        whole.update(block)
        payload.update(block)
        size += len(block)
    if (
        not _is_well_formed(manifest)
        or manifest["payload_size"] != size
        or manifest["payload"] != "sha256:" + payload.hexdigest()
    ):
        raise damaged(path)
    return manifest, whole.hexdigest(), len(envelope + signed)


def _decrypted(
    path: Path, file: _Readable, outer: dict[str, Any], identities: Sequence[Any], scratch: Path | None
) -> Spool:
    import pyrage

    keys = [key for key in identities if str(key.to_public()) in outer["recipients"]]
    if not keys:
        raise NotForUs(
            str(path),
            Text(
                "gói dữ liệu này được mã hóa cho máy khác, máy này không mở được",
                "this bundle is encrypted to others; this machine cannot open it",
            ),
            Text(
                "nhờ máy gửi nhập tệp đợt khảo sát mới (có khóa của máy này) rồi nộp lại",
                "let the sender load a new round file, which has this machine's key, and hand over again",
            ),
        )
    opened = Spool(scratch)
    try:
        pyrage.decrypt_io(file, opened, keys)
    except (pyrage.DecryptError, OSError):
        raise damaged(path) from None
    opened.rewind()
    return opened


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
