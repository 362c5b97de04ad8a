"""Files that people give as answers: which kinds, how large, told by their first bytes and never by their name."""

from __future__ import annotations

from typing import NamedTuple

from survey.text import Text

LARGEST = 10 << 20
"""Bytes of one file. The page makes photographs smaller before it sends them, so that a stick holds a day's work."""

LARGEST_REQUEST = 64 << 20
"""Bytes that are taken in at all, so that a file that is too large gets a sentence and not a broken connection."""


class Sort(NamedTuple):
    """What a file is: its ending, its media type, and whether it is an image, audio, video or another file."""

    ending: str
    media_type: str
    family: str


_SORTS: tuple[tuple[int, bytes, Sort], ...] = (
    (0, b"\xff\xd8\xff", Sort("jpg", "image/jpeg", "image")),
    (0, b"\x89PNG\r\n\x1a\n", Sort("png", "image/png", "image")),
    (0, b"GIF8", Sort("gif", "image/gif", "image")),
    (8, b"WEBP", Sort("webp", "image/webp", "image")),
    (8, b"WAVE", Sort("wav", "audio/wav", "audio")),
    (0, b"ID3", Sort("mp3", "audio/mpeg", "audio")),
    (0, b"\xff\xfb", Sort("mp3", "audio/mpeg", "audio")),
    (0, b"\xff\xf3", Sort("mp3", "audio/mpeg", "audio")),
    (0, b"OggS", Sort("ogg", "audio/ogg", "audio")),
    (0, b"fLaC", Sort("flac", "audio/flac", "audio")),
    (0, b"#!AMR", Sort("amr", "audio/amr", "audio")),
    (4, b"ftypM4A", Sort("m4a", "audio/mp4", "audio")),
    (4, b"ftyp3g", Sort("3gp", "video/3gpp", "video")),
    (4, b"ftypheic", Sort("heic", "image/heic", "file")),
    (4, b"ftyp", Sort("mp4", "video/mp4", "video")),
    (0, b"\x1aE\xdf\xa3", Sort("webm", "video/webm", "video")),
    (0, b"%PDF-", Sort("pdf", "application/pdf", "file")),
)
_OTHER = Sort("bin", "application/octet-stream", "file")

_ASKED = {
    "image": Text("một ảnh JPEG, PNG, WebP hoặc GIF", "a JPEG, PNG, WebP or GIF picture"),
    "audio": Text("một tệp âm thanh MP3, M4A, OGG hoặc WAV", "a sound file, MP3, M4A, OGG or WAV"),
    "video": Text("một tệp phim MP4, WebM hoặc 3GP", "a video file, MP4, WebM or 3GP"),
}


class NotTaken(ValueError):
    """A file that cannot be taken; ``reason`` says why and what to do."""

    def __init__(self, reason: Text):
        self.reason = reason
        super().__init__(reason.en)


def sort_of(content: bytes) -> Sort:
    """What a file is, by its first bytes."""
    head = content[:16]
    return next((sort for at, magic, sort in _SORTS if head[at : at + len(magic)] == magic), _OTHER)


def by_name(name: str) -> Sort:
    """What the ending of a kept file's name says."""
    ending = name.rpartition(".")[2]
    return next((sort for _, _, sort in _SORTS if sort.ending == ending), _OTHER)


def check(content: bytes, asked: str) -> Sort:
    """What the file is, when it may answer a question of type ``asked``. Raises NotTaken when it is empty, larger than
    :data:`LARGEST`, or of another sort."""
    if not content:
        raise NotTaken(Text("Tệp này rỗng. Chọn tệp khác.", "This file is empty. Choose another."))
    if len(content) > LARGEST:
        size, most = len(content) / (1 << 20), LARGEST >> 20
        raise NotTaken(
            Text(
                f"Tệp này {size:.0f} MB, lớn hơn {most} MB. Giảm cỡ tệp rồi chọn lại.",
                f"This file has {size:.0f} MB, more than {most} MB. Make it smaller and choose it again.",
            )
        )
    sort = sort_of(content)
    # These hold sound, film or both; their first bytes do not tell which.
    either = asked in ("audio", "video") and sort.ending in ("mp4", "webm", "ogg", "3gp")
    if not (sort.family == asked or asked == "file" or either):
        wanted = _ASKED[asked]
        raise NotTaken(Text(f"Tệp này không phải {wanted.vi}.", f"This file is not {wanted.en}."))
    return sort
