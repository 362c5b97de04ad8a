"""The first line of a bundle: whether it is encrypted, and to whom. It is all that a stranger can read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from survey.errors import InputError, VerifyError
from survey.store.header import canonical
from survey.sync.files import hash_file
from survey.text import Text

SUFFIX = ".bundle"
FORMAT = "survey-bundle"
VERSION = 1

PLAIN = canonical({"encryption": "none", "format": FORMAT, "v": VERSION}) + b"\n"
LONGEST = 1 << 20

COPY_AGAIN = Text("chép lại tệp từ máy đã tạo ra nó", "copy the file again from the device that made it")


class NotForUs(InputError):
    """A bundle that is whole as far as can be seen, and encrypted to others than this machine."""


def write_envelope(content: str, to: Sequence[str]) -> bytes:
    """The line of an encrypted bundle: ``content`` is the hash of what is inside, ``to`` the age keys, sorted."""
    outer = {"content": f"sha256:{content}", "encryption": "age", "format": FORMAT, "recipients": list(to)}
    return canonical({**outer, "v": VERSION}) + b"\n"


def already_in(folder: Path, envelope: bytes) -> Path | None:
    """The bundle in ``folder`` that has this very content for these very readers. age never writes the same bytes
    twice, and a stick that is plugged in every evening would fill with copies."""
    for file in folder.glob(f"*{SUFFIX}"):
        try:
            with file.open("rb") as stream:
                same = stream.readline(LONGEST) == envelope
            if same and hash_file(file) == file.name.removesuffix(SUFFIX):
                return file
        except OSError:
            continue
    return None


def read_envelope(path: Path, envelope: bytes) -> dict[str, Any]:
    """What the first line says; VerifyError when it is none of ours, or of a newer version."""
    if envelope == PLAIN:
        return {"encryption": "none"}
    try:
        outer = json.loads(envelope)
        if outer["format"] != FORMAT:
            raise ValueError(FORMAT)
        kind = (outer["v"], outer["encryption"])
        if kind == (VERSION, "age"):
            content, to = str(outer["content"]).removeprefix("sha256:"), [str(key) for key in outer["recipients"]]
            if write_envelope(content, to) == envelope:
                return dict(outer)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise damaged(path) from None
    if kind in ((VERSION, "age"), (VERSION, "none")):
        raise damaged(path)
    raise VerifyError(
        str(path),
        Text("gói dữ liệu do phiên bản mới hơn tạo ra", "the bundle comes from a newer version"),
        Text("cài phiên bản mới", "install the newer version"),
    )


def content_of(path: Path) -> str:
    """The hash of what a bundle holds, without opening it: of one that is what its name says, whole and not changed
    since. Empty when only reading it can tell. OSError when it cannot be read."""
    named, found = path.name.removesuffix(SUFFIX), hash_file(path)
    with path.open("rb") as file:
        envelope = file.readline(LONGEST)
    try:
        outer = read_envelope(path, envelope)
    except VerifyError:
        return ""
    if outer["encryption"] == "none":
        return found
    return str(outer["content"]).removeprefix("sha256:") if found == named else ""


def damaged(path: Path) -> VerifyError:
    """That a bundle is not what its sender wrote."""
    return VerifyError(
        str(path),
        Text("gói dữ liệu bị hỏng hoặc bị cắt; không nhận gì từ gói này", "damaged or cut; nothing was merged from it"),
        COPY_AGAIN,
    )
