"""The settings of one instance: one table, kept as ``config.toml`` in the instance folder.

Nothing here is read from the environment. A setting that the file lacks has its default; a name or value that is not
understood is an error that names the line's key, never silently ignored.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from survey.errors import InputError, Problem, Problems
from survey.text import LANGUAGES, Text

FILE = "config.toml"


def _setting(default: Any, help: Text, allowed: range | tuple[str, ...] | None) -> Any:
    return field(default=default, metadata={"help": help, "allowed": allowed})


@dataclass(frozen=True)
class Config:
    """Every setting with its default, its meaning and the values it may take."""

    language: str = _setting(
        "vi",
        Text("Ngôn ngữ mở đầu của các trang: vi hoặc en", "Language in which the pages open: vi or en"),
        LANGUAGES,
    )
    port: int = _setting(
        8450,
        Text(
            "Cổng trên máy này mà chương trình phục vụ các trang", "Port of this machine on which the pages are served"
        ),
        range(1024, 65536),
    )
    hub_port: int = _setting(
        8451,
        Text(
            "Cổng mà máy chủ tiếp nhận mở cho các máy khác (khi được mở)",
            "Port on which a hub listens for other machines (when told to)",
        ),
        range(1024, 65536),
    )
    autosave_ms: int = _setting(
        300,
        Text(
            "Số mili giây sau phím cuối cùng thì câu trả lời chữ và số được lưu",
            "Milliseconds after the last key when an answer in text or numbers is saved",
        ),
        range(50, 5001),
    )
    idle_minutes: int = _setting(
        30,
        Text("Số phút không dùng thì màn hình tự khóa", "Minutes without use after which the screen is locked"),
        range(1, 1441),
    )
    backup: str = _setting(
        "",
        Text(
            "Thư mục hoặc USB nhận bản sao sau mỗi phiếu, trong dấu nháy đơn: 'E:\\'; để trống là không sao lưu",
            "Folder or stick that gets a second copy after each interview, in single quotes: 'E:\\'; empty for none",
        ),
        None,
    )


def load(folder: Path) -> Config:
    """The settings of the instance in ``folder``; defaults where there is no file.

    Raises Problems naming every key that is unknown or has a value that is not allowed, InputError for broken TOML.
    """
    file = folder / FILE
    try:
        written = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return Config()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(
            str(file),
            Text(f"không đọc được dưới dạng TOML ({error})", f"is not TOML ({error})"),
            Text("sửa dòng đó hoặc xóa tệp để dùng mặc định", "mend that line, or delete the file to use the defaults"),
        ) from error
    known = {entry.name: entry for entry in dataclasses.fields(Config)}
    problems = []
    for name, value in written.items():
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            problems.append(
                Problem(
                    f"{file}, {name}",
                    Text("không có thiết lập tên này", "there is no setting of this name"),
                    Text(f"ý là {close[0]}?", f"did you mean {close[0]}?")
                    if close
                    else Text("các tên có thể dùng: " + ", ".join(known), "the names are " + ", ".join(known)),
                )
            )
        elif not _fits(value, known[name]):
            allowed = _words(known[name].metadata["allowed"])
            problems.append(
                Problem(
                    f"{file}, {name}",
                    Text(f"không dùng được giá trị {value!r}", f"the value {value!r} cannot be used"),
                    Text(f"dùng {allowed.vi}", f"use {allowed.en}"),
                )
            )
    if problems:
        raise Problems(problems)
    return Config(**written)


def _fits(value: Any, entry: dataclasses.Field[Any]) -> bool:
    allowed = entry.metadata["allowed"]
    return type(value) is type(entry.default) and (allowed is None or value in allowed)


def write(folder: Path, config: Config) -> Path:
    """Writes ``config.toml`` with every setting and its meaning in both languages; returns its path."""
    lines = []
    for entry in dataclasses.fields(config):
        help_text: Text = entry.metadata["help"]
        value = getattr(config, entry.name)
        lines += [f"# {help_text.vi}", f"# {help_text.en}", f"{entry.name} = " + _toml(value), ""]
    file = folder / FILE
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def _toml(value: str | int) -> str:
    # TOML's basic strings escape as JSON's do.
    return str(value) if isinstance(value, int) else json.dumps(value, ensure_ascii=False)


def _words(allowed: range | tuple[str, ...] | None) -> Text:
    if allowed is None:
        return Text("chữ trong dấu nháy", "text in quotes")
    if isinstance(allowed, range):
        return Text(
            f"số nguyên từ {allowed[0]} đến {allowed[-1]}", f"a whole number from {allowed[0]} to {allowed[-1]}"
        )
    return Text(" hoặc ".join(f'"{a}"' for a in allowed), " or ".join(f'"{a}"' for a in allowed))
