"""USB sticks and other drives that can be taken out of this machine."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

_MOUNTED_UNDER = ("/media", "/run/media", "/Volumes")


@dataclass(frozen=True)
class Stick:
    """A drive: what people call it, where it is, and how much room it has, in words."""

    name: str
    path: str
    free: str = ""


def sticks() -> list[Stick]:
    """The removable drives that are plugged in now, by name."""
    found = _windows() if sys.platform == "win32" else _mounted(_MOUNTED_UNDER)
    return sorted(found, key=lambda stick: stick.name)


def _mounted(roots: tuple[str, ...]) -> list[Stick]:
    """Mount points right below the folders where Linux and macOS put what is plugged in, or one level deeper (there
    with the user's name between)."""
    found = []
    for root in map(Path, roots):
        for folder in (*_folders(root), *(inner for outer in _folders(root) for inner in _folders(outer))):
            if os.path.ismount(folder) and os.access(folder, os.W_OK):
                found.append(Stick(folder.name, str(folder), _free(folder)))
    return found


def _folders(root: Path) -> list[Path]:
    try:
        return [folder for folder in root.iterdir() if folder.is_dir()]
    except OSError:
        return []


def _windows() -> list[Stick]:
    if sys.platform != "win32":
        return []
    import ctypes

    removable = 2
    kernel = ctypes.windll.kernel32
    letters = kernel.GetLogicalDrives()
    roots = [f"{chr(65 + n)}:\\" for n in range(26) if letters >> n & 1]
    return [Stick(root, root, _free(Path(root))) for root in roots if kernel.GetDriveTypeW(root) == removable]


def _free(folder: Path) -> str:
    try:
        return f"{shutil.disk_usage(folder).free / 1e9:.1f} GB".replace(".", ",")
    except OSError:
        return ""
