"""Who issues a document: the head and foot of an office's papers, kept once in a TOML file."""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from survey.errors import InputError
from survey.text import Text, nfc

FILE = "office.toml"
"""In the instance folder: the office whose name stands on every document that no other is named for."""


@dataclass(frozen=True)
class Office:
    """Who issues a document. Only ``name`` must be known; what is empty stands as dots or a gap.

    ``name`` and ``parent`` are tên cơ quan ban hành and cơ quan chủ quản, ``abbreviation`` is the office's in the ký
    hiệu (``SNV``), ``symbol`` the whole ký hiệu after the number (``BC-SNV``) where it is not to follow from the kind;
    ``day`` is an ISO date. ``authority`` is ``TM. ỦY BAN NHÂN DÂN``, ``KT. GIÁM ĐỐC``; ``post`` is ``CHỦ TỊCH``;
    ``archive`` is what stands after "Lưu: VT".
    """

    name: str
    parent: str = ""
    number: str = ""
    symbol: str = ""
    place: str = ""
    day: str = ""
    authority: str = ""
    post: str = ""
    signer: str = ""
    recipients: tuple[str, ...] = ()
    archive: str = ""
    abbreviation: str = ""


def read_office(file: Path) -> Office:
    """The office that a TOML file describes, with the names of :class:`Office` as keys.

    Raises:
        InputError: the file cannot be read, has another key, or no ``name``.
    """
    try:
        told = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            str(file),
            Text(f"không đọc được ({error})", f"cannot be read ({error})"),
            Text('ghi mỗi dòng một mục, ví dụ name = "SỞ NỘI VỤ"', 'write an entry a line, such as name = "SỞ NỘI VỤ"'),
        ) from None
    names = [field.name for field in fields(Office)]
    for key, value in told.items():
        right = isinstance(value, list) if key == "recipients" else isinstance(value, str)
        if key not in names or not right:
            listed = ", ".join(names)
            raise InputError(
                f"{file}, {key}",
                Text("không hiểu mục này", "this entry is not understood"),
                Text(f"các mục là chữ: {listed}; recipients là danh sách", f"texts: {listed}; recipients is a list"),
            )
    if not told.get("name"):
        raise InputError(
            f"{file}, name",
            Text("thiếu tên cơ quan ban hành", "the name of the office is missing"),
            Text('thêm name = "SỞ NỘI VỤ"', 'add name = "SỞ NỘI VỤ"'),
        )
    return Office(**told | {"recipients": tuple(str(one) for one in told.get("recipients", ()))})


def written_office(office: Office) -> str:
    """The file that :func:`read_office` reads; what is empty is left out."""
    lines = []
    for key, value in asdict(office).items():
        if value:
            # TOML's strings and lists of strings are JSON's.
            text = [nfc(one) for one in value] if isinstance(value, tuple) else nfc(value)
            lines.append(f"{key} = {json.dumps(text, ensure_ascii=False)}")
    return "\n".join(lines) + "\n"


def own_office(folder: Path) -> Office:
    """The office that an instance folder names, else one without a name. Raises InputError as :func:`read_office`."""
    return read_office(folder / FILE) if (folder / FILE).is_file() else Office("")
