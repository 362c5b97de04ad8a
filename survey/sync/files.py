"""Files that never change, named by their own hash, and how to put one on a stick that may be pulled or full."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from survey.errors import InputError
from survey.text import Text

_BLOCK = 1 << 20
BROUGHT = "brought-"
"""How the folder begins in which a file that a person uploaded lies while it is read."""

_SPOOL = re.compile(rf"(up-|down-|{BROUGHT})\w{{8}}")
_SPOOL_SECONDS = 900


def write_named(folder: Path, suffix: str, blocks: Iterable[bytes], *, lasting: bool = True) -> Path:
    """Writes ``<sha256 of the content><suffix>`` into ``folder`` and returns its path.

    Written under another name, forced to disk, read back and compared, then renamed: at any interruption the folder
    has the whole file or nothing under that name. One that is not ``lasting``, since it is read at once and then
    removed, is not forced to disk. InputError when the disk is full, read-only or gone.
    """
    part = folder / f".{secrets.token_hex(8)}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        digest = sha256()
        try:
            with part.open("wb") as stream:
                for block in blocks:
                    digest.update(block)
                    stream.write(block)
                if lasting:
                    stream.flush()
                    os.fsync(stream.fileno())
            if lasting and hash_file(part) != digest.hexdigest():
                raise OSError(errno.EIO, "read back wrong")
            target = folder / (digest.hexdigest() + suffix)
            os.replace(part, target)
            if lasting:
                _sync_folder(folder)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _told(folder, error) from error
    return target


def put(file: Path, content: bytes, mode: int = 0o600) -> None:
    """Writes a file of the instance anew: after a power cut it is what it was, or all of ``content``."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Another process may be writing the same: each has a name of its own, and the last one counts.
    part = file.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def sweep(folder: Path, *, starting: bool = False) -> int:
    """Removes what a crash left of chunks on their way (``up-…``, ``down-…``) and of uploaded files (``brought-…``) in
    an instance folder; returns how many. A chunk takes minutes at most, so what is younger than that may still be
    somebody's. Uploaded files may have names in them and are not encrypted: those go whatever their age when the
    program is ``starting``."""
    swept = 0
    for left in folder.iterdir():
        if not _SPOOL.fullmatch(left.name) or not left.is_dir():
            continue
        try:
            old = abs(time.time() - left.stat().st_mtime) > _SPOOL_SECONDS
        except FileNotFoundError:
            continue
        if old or (starting and left.name.startswith(BROUGHT)):
            shutil.rmtree(left, ignore_errors=True)
            swept += 1
    return swept


def hash_file(file: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    digest = sha256()
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _sync_folder(folder: Path) -> None:
    """Forces the rename to disk where the operating system lets a folder be opened (not on Windows)."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        except OSError as error:
            # Network shares and some drivers of sticks know no such thing as a folder that is forced to disk.
            if error.errno not in (errno.EINVAL, errno.ENOTSUP):
                raise
        finally:
            os.close(handle)


def _told(folder: Path, error: OSError) -> InputError:
    what, todo = {
        errno.ENOSPC: (
            Text("ổ đĩa đã đầy, chưa ghi được gì", "the disk is full, nothing was written"),
            Text("giải phóng dung lượng hoặc dùng ổ khác", "free some space or use another disk"),
        ),
        errno.EROFS: (
            Text("ổ đĩa chỉ cho đọc", "the disk is read-only"),
            Text("gạt khóa chống ghi hoặc dùng ổ khác", "release its write lock or use another disk"),
        ),
        errno.EIO: (
            Text(
                "ổ đĩa bị lỗi: nội dung đọc lại khác với nội dung đã ghi, hoặc không đọc được",
                "the disk is failing: what was read back is not what was written, or cannot be read",
            ),
            Text("dùng ổ khác", "use another disk"),
        ),
        errno.EACCES: (
            Text("không có quyền ghi vào thư mục này", "no permission to write into this folder"),
            Text("chọn thư mục khác", "choose another folder"),
        ),
    }.get(
        error.errno or 0,
        (
            Text(f"không ghi được ({error.strerror})", f"it cannot be written ({error.strerror})"),
            Text("cắm lại ổ hoặc dùng ổ khác", "plug it in again or use another disk"),
        ),
    )
    return InputError(str(folder), what, todo)
