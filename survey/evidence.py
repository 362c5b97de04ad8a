"""Evidence files (tài liệu kiểm chứng): which kinds are taken and how large, by their first bytes and their name."""

from __future__ import annotations

from pathlib import PurePath
from typing import NamedTuple

from survey.errors import InputError
from survey.text import Text

LARGEST = 20 << 20
"""Bytes of one file: a scanned decision of 100 pages has about 10 MB."""

_OFFICE, _OLD_OFFICE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_KINDS: dict[str, tuple[bytes, str]] = {
    ".pdf": (b"%PDF-", "application/pdf"),
    ".jpg": (b"\xff\xd8\xff", "image/jpeg"),
    ".jpeg": (b"\xff\xd8\xff", "image/jpeg"),
    ".png": (b"\x89PNG\r\n\x1a\n", "image/png"),
    ".docx": (_OFFICE, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ".xlsx": (_OFFICE, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ".pptx": (_OFFICE, "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ".doc": (_OLD_OFFICE, "application/msword"),
    ".xls": (_OLD_OFFICE, "application/vnd.ms-excel"),
}
_PROGRAMS = (b"MZ", b"\x7fELF", b"#!", b"\xfe\xed\xfa", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")


class Evidence(NamedTuple):
    """A file that was taken: its name without a folder, its media type, its bytes."""

    name: str
    media_type: str
    content: bytes


def taken(name: str, content: bytes) -> Evidence:
    """The file, when it may be evidence.

    Raises:
        InputError: it is empty, larger than :data:`LARGEST`, a program, or of another kind than its ending says.
    """
    plain = PurePath(name.replace("\\", "/")).name
    ending = PurePath(plain).suffix.lower()
    allowed = ", ".join(_KINDS)
    if not content:
        raise InputError(plain, Text("tệp rỗng", "the file is empty"), Text("chọn tệp khác", "choose another"))
    too_large(plain, len(content))
    if content.startswith(_PROGRAMS):
        raise InputError(
            plain,
            Text("đây là chương trình chạy được, không phải tài liệu", "this is a program and no document"),
            Text(f"nộp tài liệu {allowed}", f"hand in a document: {allowed}"),
        )
    magic, media_type = _KINDS.get(ending, (b"", ""))
    if not magic or not content.startswith(magic):
        raise InputError(
            plain,
            Text(
                "không nhận loại tệp này, hoặc nội dung không đúng với đuôi tệp",
                "files of this kind are not taken, or its content is not what its ending says",
            ),
            Text(f"nộp tài liệu {allowed}", f"hand in a document: {allowed}"),
        )  # fmt: skip
    return Evidence(plain, media_type, content)


def too_large(name: str, size: int) -> None:
    """Raises InputError where ``size`` bytes are more than :data:`LARGEST`: to be asked before a file is read."""
    if size > LARGEST:
        raise InputError(
            name,
            Text(f"tệp {size / (1 << 20):.0f} MB, lớn hơn {LARGEST >> 20} MB", f"{size / (1 << 20):.0f} MB, more than "
                 f"{LARGEST >> 20} MB"),
            Text("quét ở độ phân giải thấp hơn, hoặc chia nhỏ", "scan it at a lower resolution, or split it"),
        )  # fmt: skip


def media_type(name: str) -> str:
    """The media type of a file that was taken, by its name."""
    return _KINDS.get(PurePath(name).suffix.lower(), (b"", "application/octet-stream"))[1]
