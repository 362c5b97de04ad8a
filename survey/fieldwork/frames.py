"""Sampling frames as offices keep them: which column is what, and what must be kept apart as contact data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from survey.errors import Problem, Problems
from survey.text import Text, fold

CONTACT = ("name", "phone", "address", "birth_date", "national_id")
"""Columns that say who someone is: kept as the unit's part ``contact``, never in the data set."""

WORDS = {
    "province": Text("mã tỉnh", "province code"),
    "province_name": Text("tỉnh", "province"),
    "district": Text("mã huyện", "district code"),
    "district_name": Text("huyện", "district"),
    "commune": Text("xã, phường", "commune"),
    "commune_name": Text("tên xã, phường", "commune's name"),
    "village": Text("thôn, bản, tổ dân phố", "village"),
    "village_name": Text("tên thôn, bản, tổ dân phố", "village's name"),
    "agency": Text("cơ quan", "agency"),
    "stratum": Text("tầng", "stratum"),
    "households": Text("số hộ", "households"),
    "persons": Text("số người", "persons"),
    "urban_rural": Text("thành thị, nông thôn", "urban or rural"),
    "sex": Text("giới tính", "sex"),
    "birth_year": Text("năm sinh", "year of birth"),
    "assignee": Text("điều tra viên", "enumerator"),
    "assignee_reason": Text("lý do giao cho người của cơ quan được đánh giá", "why given to somebody employed there"),
}
"""What the usual columns of a frame are called in front of people; others keep their own name."""

_PRIVATE_HEADING = re.compile(
    r"\b(dien thoai|di dong|so dt|sdt|dt|phone|telephone|mobile|zalo|facebook|e ?mail|thu dien tu|dia chi|address|cccd"
    r"|cmnd|cmtnd|can cuoc|chung minh|ho chieu|passport|ho ten|ho va ten|ten chu ho|full name|ngay sinh|date of birth"
    r"|dob|bhyt|bao hiem|tai khoan|account)\d*\b"
)
_PRIVATE_VALUE = re.compile(r"(\+?84|0)[\s.-]?\d{2,3}([\s.-]?\d{3}){2}\d?|\d{12}|\d{9}|[^@\s]+@[^@\s]+\.[^@\s]+")
"""Phone numbers of Viet Nam, identity numbers (12 or 9 digits), e-mail addresses."""

_ALIASES = {
    "id": ("ma", "ma so", "ma ho", "ma phieu", "code"),
    "name": (
        "ho ten",
        "ho va ten",
        "ten",
        "nguoi nop",
        "nguoi nop ho so",
        "ten chu ho",
        "chu ho",
        "ho ten chu ho",
        "nguoi tra loi",
        "full name",
    ),
    "phone": ("dien thoai", "so dien thoai", "sdt", "dt", "telephone", "phone number", "mobile"),
    "address": ("dia chi", "dia chi ho", "noi o", "cho o"),
    "birth_date": ("ngay sinh", "ngay thang nam sinh", "date of birth", "dob"),
    "national_id": ("cccd", "so cccd", "cmnd", "so cmnd", "can cuoc", "so can cuoc", "id card"),
    "province": ("ma tinh", "ma tinh thanh pho", "province code", "province id"),
    "province_name": ("tinh", "tinh thanh pho", "ten tinh"),
    "district": ("ma huyen", "district code"),
    "district_name": ("huyen", "quan huyen", "ten huyen"),
    "commune": ("ma xa", "ma phuong", "ma xa phuong", "commune code", "commune id", "ward code"),
    "commune_name": ("xa", "phuong", "xa phuong", "xa phuong dac khu", "ten xa", "ward"),
    "village": ("ma thon", "ma ban", "ma to dan pho", "ma dia ban", "village code", "village id"),
    "village_name": ("thon", "ban", "to dan pho", "thon ban", "thon to dan pho", "ten thon", "dia ban"),
    "agency": ("co quan", "ma co quan", "co quan giai quyet", "don vi giai quyet"),
    "case_id": ("ma ho so", "so ho so", "ma so ho so", "so bien nhan", "case number"),
    "procedure": ("thu tuc", "ten thu tuc", "thu tuc hanh chinh", "ten thu tuc hanh chinh", "tthc", "ten tthc"),
    "field": ("linh vuc", "ten linh vuc"),
    "returned": ("ngay tra ket qua", "ngay tra", "ngay tra kq", "ngay tra kqgq", "ngay co ket qua"),
    "stratum": ("tang", "tang mau"),
    "households": ("so ho", "tong so ho", "so ho trong thon", "so ho cua thon"),
    "persons": (
        "so nguoi",
        "so nguoi trong thon",
        "so nguoi cua thon",
        "dan so",
        "dan so cua thon",
        "so dan",
        "so nhan khau",
        "so khau",
        "number of persons",
        "population",
    ),
    "urban_rural": ("thanh thi nong thon", "khu vuc", "urban rural"),
    "sex": ("gioi tinh", "gioi"),
    "birth_year": ("nam sinh", "year of birth"),
    "assignee": ("dieu tra vien", "ma dieu tra vien", "enumerator"),
    "assignee_reason": ("ly do giao", "ly do giao viec"),
}
_KNOWN = {alias: name for name, aliases in _ALIASES.items() for alias in aliases}
_AREAS = {"thanh thi": "urban", "do thi": "urban", "urban": "urban", "nong thon": "rural", "rural": "rural"}
_PLACES = ("province", "district", "commune", "village")
_OURS = ("list", "order", "psu", "round", "probability", "certain", "contact")


def standard_names(columns: Iterable[str]) -> dict[str, str]:
    """What each column of a frame is called here: ``Mã xã`` → ``commune``, ``Diện tích (m2)`` → ``dien_tich_m2``.

    Names that are identifiers already stay as they are, so that ``hidden`` questions find their column. Raises Problems
    for two columns that come to one name and for names that the draw itself writes.
    """
    names: dict[str, str] = {}
    problems = []
    for column in columns:
        words = " ".join(re.findall(r"[a-z0-9]+", fold(column)))
        plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", column)
        name = _KNOWN.get(words) or (column if plain else re.sub(r"^(?=\d)|^$", "c", words.replace(" ", "_")))
        if name in names.values():
            other = next(old for old, new in names.items() if new == name)
            problems.append(
                Problem(
                    f"column {column}",
                    Text(f"trùng nghĩa với cột {other!r} ({name})", f"means the same as column {other!r} ({name})"),
                    Text("đổi tên hoặc bỏ một trong hai cột", "rename or remove one of the two"),
                )
            )
        elif name in _OURS:
            problems.append(
                Problem(
                    f"column {column}",
                    Text(f"tên {name!r} dành cho kết quả chọn mẫu", f"the name {name!r} is written by the draw"),
                    Text("đổi tên cột", "rename the column"),
                )
            )
        names[column] = name
    if problems:
        raise Problems(problems)
    return names


def private_columns(rows: Sequence[Mapping[str, str]], names: Mapping[str, str]) -> set[str]:
    """Standard names of the columns that say who someone is: by their heading, or because most of what is in them
    reads like a phone, identity number or e-mail. Better one column too many kept apart than one name in the data set.
    """
    found = set()
    for column, name in names.items():
        words = " ".join(re.findall(r"[a-z0-9]+", fold(column)))
        filled = [row[column].strip() for row in rows if row.get(column, "").strip()]
        private = sum(bool(_PRIVATE_VALUE.fullmatch(value)) for value in filled)
        if name in CONTACT or (name not in _ALIASES and (_PRIVATE_HEADING.search(words) or private * 2 > len(filled))):
            found.add(name)
    return found


def frame_rows(rows: Sequence[Mapping[str, str]], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """The rows under their standard names, with what says who someone is under the key ``contact``.

    A frame without an ``id`` column gets one: the row's number in the file, with leading zeros. A place without a code
    is known by its name: ``commune`` is then ``commune_name``. ``urban_rural`` becomes ``urban`` or ``rural``, the
    codes of the instruments, where it says so in words.
    """
    width = len(str(len(rows)))
    private = private_columns(rows, names)
    made: list[dict[str, Any]] = []
    for number, row in enumerate(rows, start=1):
        named = {names[column]: value for column, value in row.items()}
        contact = {name: named.pop(name) for name in list(named) if name in private}
        contact = {name: value for name, value in contact.items() if value}
        places = {place: named[f"{place}_name"] for place in _PLACES if f"{place}_name" in named}
        if "urban_rural" in named:
            named["urban_rural"] = _AREAS.get(fold(named["urban_rural"]).strip(), named["urban_rural"])
        made.append({"id": f"{number:0{width}}", **places, **named, "contact": contact})
    return made
