"""What a revision is, byte for byte (docs/formats.md). Pure: nothing here knows a database, a file or a clock."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable, Mapping
from hashlib import sha256
from operator import itemgetter
from typing import Any, NamedTuple

import rfc8785

from survey.errors import VerifyError
from survey.text import Text

VERSION = 1

SUBJECT_TYPES = ("interview", "visit", "unit", "round", "questionnaire", "user", "device", "scorecard", "plan")
CONTENT_KINDS = frozenset({"partial", "sealed", "corrected", "combined"})
DECISION_KINDS = frozenset({"approved", "returned", "voided", "commented"})
ISSUED = "issued"
ERASED = "erased"
CONTACT = "contact"
"""The part by which people can be found; as the ``target`` of a tombstone: that part alone is erased."""

PRACTICE = "practice-"
"""With this begins the epoch of every revision that is practice: no store takes it from another (decision 113)."""

PARTS = ("answers", "off_path", "contact", "paradata", "decision", "document")

_TEXT_KEYS = (
    "subject_type",
    "subject",
    "kind",
    "target",
    "questionnaire_hash",
    "actor",
    "device",
    "epoch",
    "prev",
    "time",
)
_texts = itemgetter(*_TEXT_KEYS)
_KEYS = frozenset({"v", "seq", "parents", "parts", "blobs", *_TEXT_KEYS})


class Header(NamedTuple):
    """A revision's header, read. ``id`` is the hash of the bytes that it was read from."""

    id: str
    subject_type: str
    subject: str
    kind: str
    parents: tuple[str, ...]
    target: str
    questionnaire_hash: str
    actor: str
    device: str
    epoch: str
    seq: int
    prev: str
    time: str
    parts: dict[str, str]
    blobs: tuple[str, ...]

    @property
    def contents(self) -> list[str]:
        """The names of everything that hangs beneath: parts by name, blobs by their hash."""
        return [*self.parts, *dict.fromkeys(self.blobs)]

    def holds(self, name: str, part: Part) -> bool:
        """Whether ``part`` is what the header says of ``name``: the content committed to, or the blob of this hash."""
        if name in self.parts:
            return self.parts[name] == commitment(part)
        return name in self.blobs and part == blob(part.content) and hash_text(part.content) == name


class Part(NamedTuple):
    """Content that hangs beneath a header: the salt of its commitment, and the bytes."""

    salt: bytes
    content: bytes


class Record(NamedTuple):
    """A revision as it travels: header bytes, the signature of its id, and the parts that came along."""

    header: bytes
    signature: bytes
    parts: dict[str, Part]


class Malformed(VerifyError):
    """Bytes that are no header, or no records; ``reason`` says why. Merging turns it into quarantine."""

    def __init__(self, reason: Text):
        self.reason = reason
        super().__init__("revision", reason, Text("lấy lại từ máy gốc", "get it again from where it was made"))


def hash_text(content: bytes) -> str:
    """``"sha256:"`` and the hexadecimal SHA-256 of ``content``."""
    return "sha256:" + sha256(content).hexdigest()


def canonical(value: Any) -> bytes:
    """``value`` as RFC 8785 JSON."""
    return rfc8785.dumps(value)


def make_part(content: bytes | Any) -> Part:
    """A part with a fresh random salt. Anything but bytes is written as RFC 8785 JSON."""
    return Part(secrets.token_bytes(32), content if isinstance(content, bytes) else canonical(content))


def blob(content: bytes) -> Part:
    """A blob as it is held and travels: like a part named by its hash, with no salt to hide what it is."""
    return Part(bytes(32), content)


def commitment(part: Part) -> str:
    """``"sha256:"`` and the SHA-256 of salt ‖ content: names the content without letting it be guessed."""
    return hash_text(part.salt + part.content)


def read_document(content: bytes | None) -> dict[str, Any] | None:
    """What the part ``document`` says; None for one that is absent or no JSON object. Whoever signs can write what they
    like, and one such document must not stop those who read all of them."""
    if content is None:
        return None
    try:
        document = json.loads(content.decode("utf-8"))
        if b"\\u" in content:
            # Half of a character (\ud800 alone) is JSON but no text, and SQLite would refuse the derived row.
            json.dumps(document, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def write_header(
    *,
    subject_type: str,
    subject: str,
    kind: str,
    parents: Iterable[str],
    target: str,
    questionnaire_hash: str,
    actor: str,
    device: str,
    epoch: str,
    seq: int,
    prev: str,
    time: str,
    parts: Mapping[str, str],
    blobs: Iterable[str],
) -> bytes:
    """The header's bytes: RFC 8785 JSON with every key present."""
    return canonical(
        {
            "v": VERSION,
            "subject_type": subject_type,
            "subject": subject,
            "kind": kind,
            "parents": list(parents),
            "target": target,
            "questionnaire_hash": questionnaire_hash,
            "actor": actor,
            "device": device,
            "epoch": epoch,
            "seq": seq,
            "prev": prev,
            "time": time,
            "parts": dict(parts),
            "blobs": list(blobs),
        }
    )


def read_header(content: bytes) -> Header:
    """The header in ``content``. Raises :class:`Malformed`.

    The id is the hash of these very bytes: a header is never written again in order to check it.
    """
    return _read_canonical(content) or _read_any(content)


_TEXT = r'"([^"\\\x00-\x1f]*)"'
_LIST = r'\[((?:"[^"\\\x00-\x1f]*"(?:,(?=")|(?=\])))*)\]'
_MAP = r'\{((?:"[^"\\\x00-\x1f]*":"[^"\\\x00-\x1f]*"(?:,(?=")|(?=\})))*)\}'
_FORMS = {"blobs": _LIST, "parents": _LIST, "parts": _MAP, "seq": "([1-9][0-9]{0,14})", "v": str(VERSION)}
_CANONICAL = re.compile(
    r"\{" + ",".join(f'"{key}":{_FORMS.get(key, _TEXT)}' for key in sorted(_KEYS)) + r"\}"
).fullmatch


def _read_canonical(content: bytes) -> Header | None:
    """The header as all programs write it, without an escape in any text: the same as :func:`_read_any` finds, in a
    third of the time. None for any other bytes, good or bad."""
    try:
        found = _CANONICAL(content.decode("utf-8"))
    except UnicodeDecodeError:
        return None
    if found is None:
        return None
    actor, blobs, device, epoch, kind, parents, parts, prev, questionnaire, seq, *rest = found.groups()
    subject, subject_type, target, time = rest
    named = parts.split('"')
    return Header(
        hash_text(content),
        subject_type,
        subject,
        kind,
        tuple(parents.split('"')[1::2]),
        target,
        questionnaire,
        actor,
        device,
        epoch,
        int(seq),
        prev,
        time,
        dict(zip(named[1::4], named[3::4], strict=True)),
        tuple(blobs.split('"')[1::2]),
    )


def _read_any(content: bytes) -> Header:
    try:
        # Decoded here: json would take UTF-16 and half characters too, which RFC 8785 has not and SQLite refuses.
        fields = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Malformed(Text("không đọc được phần đầu của bản ghi", "the header is not JSON")) from None
    if not isinstance(fields, dict) or fields.keys() != _KEYS:
        if isinstance(fields, dict) and isinstance(fields.get("v"), int) and fields["v"] > VERSION:
            raise Malformed(
                Text("bản ghi do phiên bản mới hơn của phần mềm tạo ra", "written by a newer version of this program")
            )
        raise Malformed(Text("phần đầu thiếu hoặc thừa mục", "the header lacks fields or has unknown ones"))
    if fields["v"] != VERSION or type(fields["v"]) is not int:
        raise Malformed(
            Text(
                f"phiên bản định dạng {fields['v']!r} chưa được hỗ trợ", f"format version {fields['v']!r} is not known"
            )
        )
    parents, blobs, parts, seq = fields["parents"], fields["blobs"], fields["parts"], fields["seq"]
    if (
        not _are_texts(_texts(fields))
        or type(seq) is not int
        or not 1 <= seq <= 2**53 - 1
        or type(parents) is not list
        or not _are_texts(parents)
        or type(blobs) is not list
        or not _are_texts(blobs)
        or type(parts) is not dict
        or not _are_texts(parts.values())
    ):
        raise Malformed(Text("một mục ở phần đầu sai kiểu", "a field of the header has the wrong type"))
    if b"\\u" in content and not all(map(_is_plain, [*_texts(fields), *parents, *blobs, *parts, *parts.values()])):
        raise Malformed(
            Text("phần đầu có ký tự không dùng được", "a field of the header has characters that are no text")
        )
    return Header(
        hash_text(content),
        fields["subject_type"],
        fields["subject"],
        fields["kind"],
        tuple(parents),
        fields["target"],
        fields["questionnaire_hash"],
        fields["actor"],
        fields["device"],
        fields["epoch"],
        seq,
        fields["prev"],
        fields["time"],
        parts,
        tuple(blobs),
    )


def _are_texts(values: Iterable[object]) -> bool:
    return {str}.issuperset(map(type, values))


def _is_plain(text: str) -> bool:
    """Whether a text has neither control characters nor halves of characters, as every id, name and time."""
    return not any(char < " " or "\ud800" <= char <= "\udfff" for char in text)


def follows(later: Header, earlier: Header) -> bool:
    """Whether ``later`` is the next entry of ``earlier``'s feed and says so by its ``prev``."""
    return (
        later.prev == earlier.id
        and later.seq == earlier.seq + 1
        and later.device == earlier.device
        and later.epoch == earlier.epoch
    )
