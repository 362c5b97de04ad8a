"""Installs or upgrades the survey program from this stick: no network, no administrator's rights, no other package.

The program goes into a folder of its own beside the data; the data (``instance``) are copied to ``backups`` first and
are never touched. The new program is complete before the start scripts point to it, so a failed upgrade leaves the old
one.
"""

from __future__ import annotations

import filecmp
import getpass
import io
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

HERE = Path(__file__).resolve().parent
WINDOWS = os.name == "nt"
VAULT = Path("keys", "vault.json")


def say(vi: str, en: str) -> None:
    print(f"{vi}\n    {en}", flush=True)


def base_folder() -> Path:
    """Where program and data live: the person's own application folder, or ``SURVEY_HOME``."""
    if os.environ.get("SURVEY_HOME"):
        return Path(os.environ["SURVEY_HOME"])
    if WINDOWS:
        return Path(os.environ["LOCALAPPDATA"], "citizen-survey")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share", "citizen-survey")


def back_up(base: Path, stamp: str) -> None:
    """Copies the data folder, if there is one, to ``backups``; an incomplete copy never bears a backup's name.

    A database with a write-ahead log (the program runs, or was cut off) is copied by SQLite, so that the copy is whole.
    Of an encrypted one SQLite can make nothing here: it is copied with its log, and the copy counts when neither has
    changed meanwhile.
    """
    instance = base / "instance"
    if not instance.exists():
        return
    part = base / "backups" / f"part-{stamp}"
    encrypted = (instance / VAULT).exists()
    in_use = (instance / "survey.sqlite-wal").exists() and not encrypted
    shutil.copytree(instance, part, ignore=shutil.ignore_patterns("survey.sqlite*" if in_use else ""))
    if in_use:
        source = sqlite3.connect(f"{(instance / 'survey.sqlite').as_uri()}?mode=ro", uri=True)
        copy = sqlite3.connect(part / "survey.sqlite")
        with closing(source), closing(copy):
            source.backup(copy)
    for name in ("survey.sqlite", "survey.sqlite-wal"):
        if encrypted and (part / name).exists() and not same(instance / name, part / name):
            shutil.rmtree(part, ignore_errors=True)
            raise OSError("đóng chương trình rồi làm lại / close the program and try again")
    part.rename(base / "backups" / f"instance-{stamp}")
    say(f"Đã sao lưu dữ liệu vào {base / 'backups'}", f"Backed up the data to {base / 'backups'}")


def same(one: Path, other: Path) -> bool:
    """Whether two files have the same content now."""
    return one.exists() and filecmp.cmp(one, other, shallow=False)


def install(base: Path, stamp: str) -> Path:
    """A new virtual environment with the program in it; returns its Python."""
    program = base / f"program-{stamp}"
    python = program / ("Scripts/python.exe" if WINDOWS else "bin/python")
    try:
        subprocess.run([sys.executable, "-m", "venv", str(program)], check=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
        subprocess.run([*command, "--find-links", str(HERE / "wheels"), "citizen-survey"], check=True)
        subprocess.run([str(python), "-m", "survey", "--version"], check=True)
    except BaseException:
        shutil.rmtree(program, ignore_errors=True)
        raise
    return python


def set_up(base: Path, python: Path) -> None:
    """What a new laptop needs before its first interview, and offers the rounds that lie on the stick.

    A laptop without data gets its store, and leaves its name on the stick so that the hub learns of it. A round is
    loaded only when the person at the keyboard confirms its key. The commands say themselves what went wrong. The
    passphrase is asked here once and told to the commands in their environment, which no file keeps.
    """
    stick = HERE.parent
    instance = base / "instance"
    survey = [str(python), "-m", "survey", "--instance", str(instance)]
    new = not (instance / "survey.sqlite").exists()
    found = sorted(stick.glob("*.round"))
    environment = dict(os.environ)
    for _ in range(3):
        if (new or (found and (instance / VAULT).exists())) and not os.environ.get("SURVEY_PASSPHRASE"):
            environment["SURVEY_PASSPHRASE"] = ask_passphrase(new)
        command = [*survey, "init", "--name", platform.node()] if new else [*survey, "user", "list", "--json"]
        if subprocess.run(command, env=environment, stdout=None if new else subprocess.DEVNULL).returncode == 0:
            break
    else:
        say("Chưa thiết lập xong; chạy lại khi có cụm mật khẩu.", "Not set up; do this again with the passphrase.")
        return
    if new:
        subprocess.run([*survey, "export", "--to", str(stick)], env=environment)
    for file in found:
        subprocess.run([*survey, "round", "import", str(file)], env=environment)


def ask_passphrase(new: bool) -> str:
    """The passphrase as it is typed, unseen; a new one twice. Empty when nobody is there to be asked."""
    if not sys.stdin.isatty():
        return ""
    if not new:
        return getpass.getpass("Cụm mật khẩu của máy / Passphrase of this machine: ")
    say(
        "Đặt cụm mật khẩu cho máy này: ít nhất 10 ký tự, tốt nhất bốn từ. Mỗi lần mở chương trình sẽ hỏi.",
        "Choose a passphrase for this machine: at least 10 characters, best four words. Each start asks for it.",
    )
    while True:
        first = getpass.getpass("Cụm mật khẩu mới / New passphrase: ")
        if first == getpass.getpass("Nhập lại / Once more: "):
            return first
        say("Hai lần gõ khác nhau.", "The two differ.")


def write_scripts(base: Path, python: Path) -> Path:
    """``survey`` (the command, for this machine's data) and ``start`` (opens the pages); returns the latter's path.

    They name their neighbours by where they stand themselves, so their text is plain ASCII.
    """
    inside = python.relative_to(base)
    if WINDOWS:
        survey, start = base / "survey.bat", base / "start.bat"
        _write(
            survey,
            f'@echo off\r\nchcp 65001 >nul\r\n"%~dp0{inside}" -m survey --instance "%~dp0instance" %*\r\n',
        )
        _write(start, '@echo off\r\ncall "%~dp0survey.bat" run || pause\r\n')
    else:
        survey, start = base / "survey", base / "start.sh"
        here = '#!/bin/sh\nhere=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd) || exit 1\n'
        _write(survey, f'{here}exec "$here/{inside.as_posix()}" -m survey --instance "$here/instance" "$@"\n')
        _write(start, f'{here}exec "$here/survey" run "$@"\n')
    return start


def _write(script: Path, text: str) -> None:
    part = script.with_name(script.name + ".part")
    part.write_bytes(text.encode("ascii"))
    part.chmod(0o755)
    part.replace(script)


def write_shortcut(script: Path) -> None:
    """Something to double-click on the desktop; on Linux also in the menu, and the command ``survey``."""
    if os.environ.get("SURVEY_HOME"):
        return
    if WINDOWS:
        desktop = Path(os.environ.get("USERPROFILE", ""), "Desktop")
        if desktop.is_dir():
            command = '@call "%LOCALAPPDATA%\\citizen-survey\\start.bat"\r\n'
            (desktop / "Khao sat hai long.bat").write_bytes(command.encode("ascii"))
        return
    # The desktop entry specification: a quoted argument escapes these four, and the value's backslashes once more.
    quoted = "".join(f"\\\\{c}" if c in '"`$\\' else c for c in str(script)).replace("%", "%%")
    entry = (
        "[Desktop Entry]\nType=Application\nTerminal=true\n"
        "Name=Citizen survey\nName[vi]=Khảo sát hài lòng\n"
        f'Exec=sh "{quoted}"\n'
    )
    menu = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share", "applications")
    link = Path.home() / ".local" / "bin" / "survey"
    if not os.path.lexists(link):
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(script.with_name("survey"))
    for folder in (menu, Path.home() / "Desktop"):
        if folder == menu:
            folder.mkdir(parents=True, exist_ok=True)
        if folder.is_dir():
            file = folder / "citizen-survey.desktop"
            file.write_text(entry, encoding="utf-8")
            file.chmod(0o755)


def remove_old(base: Path, keep: Path) -> None:
    """Removes earlier programs. One that is still running stays until the next upgrade."""
    for program in base.glob("program-*"):
        if program not in keep.parents:
            shutil.rmtree(program, ignore_errors=True)


def main() -> int:
    """Installs; 0 when all is done, 1 when not, and then the old program and the data are as they were."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    base = base_folder().absolute()
    stamp = time.strftime("%Y%m%d-%H%M%S")
    say(f"Cài chương trình khảo sát vào {base}", f"Installing the survey program in {base}")
    try:
        base.mkdir(parents=True, exist_ok=True)
        back_up(base, stamp)
        python = install(base, stamp)
        script = write_scripts(base, python)
        write_shortcut(script)
        remove_old(base, python)
    except (OSError, shutil.Error, sqlite3.Error, subprocess.CalledProcessError) as error:
        say(
            f"Chưa cài được ({error}). Dữ liệu và bản cũ vẫn nguyên.",
            f"Not installed ({error}). The data and the earlier version are as they were.",
        )
        return 1
    say(f"Đã cài xong. Mở chương trình: {script}", f"Installed. Start it with: {script}")
    set_up(base, python)
    return 0


if __name__ == "__main__":
    sys.exit(main())
