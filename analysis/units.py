"""Units with dates: provinces, communes, agencies, and what became of each. Pure but for reading its own table.

A unit is a code *with a day*: 91 was Kiên Giang until 30 June 2025 and is An Giang since. :func:`provinces` is the
shipped list; :func:`read_register` reads an office's own (``agencies.csv``: ``code, name_vi, name_en, level,
valid_from, valid_to, successor``). Names are found without diacritics, in either placement of the tone (Hoà, Hòa),
with or without "tỉnh", "TP." and the like.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from difflib import get_close_matches
from functools import cache, cached_property
from pathlib import Path

from survey.errors import InputError, Problem, Problems
from survey.tables import Table, read_table
from survey.text import Text, fold, nfc

FACTS = Path(__file__).parent / "facts"
_EVER, _NEVER = "0001-01-01", "9999-12-31"
_BEFORE = re.compile(
    r"^(?:tinh|thanh pho|t\.?p\.?|thi xa|t\.?x\.?|thi tran|quan|huyen|phuong|dac khu|xa|province of|city of)"
    r"[\s.]+(?=\S)"
)
_SHORT = re.compile(r"^tp\.?(?=[a-z])")
_AFTER = re.compile(r"\s+(?:city|province|ward|commune)$")
_TONES = "\u0300\u0301\u0303\u0309\u0323"
_OLD_TONE = re.compile(rf"(?i)(o(?=[ae])|(?<!q)u(?=y))([aey])([{_TONES}])(?![\w\u0300-\u036f])")


@dataclass(frozen=True)
class Unit:
    """One unit as long as it was the same: ``code`` and ``name`` from the day ``valid_from`` to ``valid_to`` (ISO, both
    included; blank: not known, still). ``successors`` are codes of the units that follow it on the day after."""

    code: str
    name: str
    kind: str = ""
    valid_from: str = ""
    valid_to: str = ""
    successors: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    name_en: str = ""
    level: str = ""
    parent: str = ""

    def on(self, day: str) -> bool:
        """Whether the unit is valid on a day (ISO)."""
        return (self.valid_from or _EVER) <= day <= (self.valid_to or _NEVER)

    @property
    def day_after(self) -> str:
        """The day on which its successors begin; blank while it lasts."""
        return (date.fromisoformat(self.valid_to) + timedelta(days=1)).isoformat() if self.valid_to else ""


@dataclass(frozen=True)
class Register:
    """A list of units with dates; ``name`` says which in messages."""

    name: str
    units: tuple[Unit, ...]
    _found: dict[str, tuple[Unit, ...]] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def _names(self) -> dict[str, list[Unit]]:
        found: dict[str, list[Unit]] = {}
        for unit in self.units:
            for name in dict.fromkeys(_squeezed(name) for name in (unit.name, unit.name_en, *unit.also) if name):
                found.setdefault(name, []).append(unit)
        return found

    def on(self, day: str) -> tuple[Unit, ...]:
        """The units that are valid on a day."""
        return tuple(unit for unit in self.units if unit.on(day))

    def lookup(self, text: str, day: str = "") -> tuple[Unit, ...]:
        """The units that a name or a code may mean, on a day or ever: those spelled with the same diacritics if any
        are, else those that are alike without."""
        if text not in self._found:
            by_code = [unit for unit in self.units if unit.code == text.strip()]
            by_name = [unit for name in (_squeezed(text), key(text)) for unit in self._names.get(name, ())]
            self._found[text] = tuple(dict.fromkeys(by_code or by_name))
        found = tuple(unit for unit in self._found[text] if not day or unit.on(day))
        return tuple(unit for unit in found if _spelled(unit.name) == _spelled(text)) or found

    def find(self, text: str, day: str = "") -> Unit:
        """The one unit that a name or a code means.

        Raises:
            InputError: no such unit (with what it may have been), none on that day, or several without a day.
        """
        found = self.lookup(text, day)
        if len(found) == 1:
            return found[0]
        ever = self.lookup(text)
        where = f"{self.name}, {text}"
        if not ever:
            near = [self._names[name][0].name for name in get_close_matches(key(text), list(self._names), 3, 0.75)]
            meant = Text(f"có phải là {', '.join(near)}?", f"did you mean {', '.join(near)}?")
            check = Text("kiểm tra tên hoặc mã", "check the name or the code")
            raise InputError(where, Text("không có đơn vị này", "there is no such unit"), meant if near else check)
        listed = "; ".join(f"{unit.name} {unit.code} ({span(unit)})" for unit in ever)
        if found or not day:
            raise InputError(
                where,
                Text(f"có thể là nhiều đơn vị: {listed}", f"may be several units: {listed}"),
                Text("nêu ngày, mã luôn đi kèm ngày", "name the day: a code goes with a day"),
            )
        then = ", ".join(
            f"{one.name} {one.code}" for one in dict.fromkeys(on for unit in ever for on in self.at(unit, day))
        )
        raise InputError(
            where,
            Text(f"không có hiệu lực ngày {day}: {listed}", f"not valid on {day}: {listed}"),
            Text(f"ngày ấy là {then}" if then else "kiểm tra ngày", f"then it is {then}" if then else "check the day"),
        )

    def at(self, unit: Unit, day: str) -> tuple[Unit, ...]:
        """What a unit is on another day: itself, its successors, or those it was made of."""
        if unit.on(day):
            return (unit,)
        near = self._next(unit) if (unit.valid_to or _NEVER) < day else self._previous(unit)
        return tuple(dict.fromkeys(found for one in near for found in self.at(one, day)))

    def same(self, unit: Unit, day: str) -> Unit | None:
        """The unit of another day that has the same territory: nothing was merged or split in between."""
        there = self.at(unit, day)
        if len(there) == 1 and self.at(there[0], unit.valid_from or unit.valid_to or day) == (unit,):
            return there[0]
        return None

    def whole(self, unit: Unit, day: str) -> tuple[Unit, ...]:
        """The units of another day that make up this one, all of each; none where one of them also went elsewhere."""
        there = self.at(unit, day)
        start = unit.valid_from or day
        return there if all(self.at(one, start) == (unit,) for one in there) else ()

    def _next(self, unit: Unit) -> Iterator[Unit]:
        for code in unit.successors:
            yield from (other for other in self.units if other.code == code and other.on(unit.day_after))

    def _previous(self, unit: Unit) -> Iterator[Unit]:
        return (other for other in self.units if other.valid_to and unit in tuple(self._next(other)))


def span(unit: Unit) -> str:
    """The days of a unit as text: ``2008-08-01 – 2025-06-30``."""
    return f"{unit.valid_from or '…'} – {unit.valid_to or '…'}"


def key(text: str) -> str:
    """What a name is looked up by: no case, diacritics, kind of unit, spaces or marks ("TP. Hồ Chí Minh", "Ho Chi Minh
    City" and "TPHCM" lose their kind)."""
    return _squeezed(_SHORT.sub("", _AFTER.sub("", _BEFORE.sub("", fold(text).strip()))))


def _squeezed(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", fold(text))


def modern(text: str) -> str:
    """``text`` with the tone mark of a final oa, oe, uy on its first letter, as official lists write names since 2025:
    Hoà → Hòa, Thuỷ → Thủy; Hoàn and Quý stay."""
    moved = _OLD_TONE.sub(lambda found: found[1] + found[3] + found[2], unicodedata.normalize("NFD", text))
    return nfc(moved)


def _spelled(text: str) -> str:
    name = modern(nfc(text)).casefold().strip()
    for kind in ("tỉnh ", "thành phố ", "tp. ", "tp.", "tp ", "phường ", "xã ", "đặc khu "):
        name = name.removeprefix(kind)
    return re.sub(r"[\W_]+", "", name)


@cache
def provinces() -> Register:
    """The provinces of Viet Nam since 2008 (``analysis/facts/provinces.csv``, sources in its README)."""
    return read_register(FACTS / "provinces.csv", "provinces")


@cache
def communes(province: str = "") -> Register:
    """The communes, wards and special zones since 1 July 2025, of one province (its code) or all
    (``analysis/facts/communes.csv``)."""
    if not province:
        return read_register(FACTS / "communes.csv", "communes")
    whole = communes()
    return Register(whole.name, tuple(unit for unit in whole.units if unit.parent == province))


def read_register(file: Path | Table, name: str = "") -> Register:
    """A register from a table (or file) ``code, name (or name_vi), kind, valid_from, valid_to, successor, also,
    name_en, level, province``; several successors are separated by
    spaces, spellings by ``;``.

    Raises:
        Problems: a column that is missing, a day that is none, a unit that ends before it begins, two units of one
            code on one day, a successor that is not there on the day after.
    """
    table = read_table(file) if isinstance(file, Path) else file
    rows, where = table.rows, name or Path(table.source).name
    problems = _columns(where, table.columns)
    units = []
    for number, row in zip(table.places, rows, strict=True):
        days = {column: (row.get(column) or "").strip() for column in ("valid_from", "valid_to")}
        problems += [_no_day(where, number, column, text) for column, text in days.items() if not _is_day(text)]
        units.append(
            Unit(
                (row.get("code") or "").strip(),
                nfc((row.get("name") or row.get("name_vi") or "").strip()),
                (row.get("kind") or "").strip(),
                **days,
                successors=tuple((row.get("successor") or "").split()),
                also=tuple(nfc(one.strip()) for one in (row.get("also") or "").split(";") if one.strip()),
                name_en=(row.get("name_en") or "").strip(),
                level=(row.get("level") or "").strip(),
                parent=(row.get("province") or "").strip(),
            )
        )
    if not problems:
        problems = list(_contradictions(where, units))
    if problems:
        raise Problems(problems)
    return Register(where, tuple(units))


def _columns(where: str, columns: Sequence[str]) -> list[Problem]:
    there = set(columns)
    found = [] if "code" in there else ["code"]
    found += [] if there & {"name", "name_vi"} else ["name_vi"]
    return [
        Problem(
            f"{where}, {column}",
            Text("thiếu cột này", "this column is missing"),
            Text("thêm cột", "add the column"),
        )
        for column in found
    ]


def _is_day(text: str) -> bool:
    try:
        return not text or date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _no_day(where: str, row: int, column: str, text: str) -> Problem:
    return Problem(
        f"{where}, row {row}, column {column}",
        Text(f"“{text}” không phải là ngày", f"'{text}' is no day"),
        Text("ghi theo dạng 2025-07-01", "write it as 2025-07-01"),
    )


def _contradictions(where: str, units: Sequence[Unit]) -> Iterator[Problem]:
    of_code: dict[str, list[Unit]] = {}
    for unit in units:
        of_code.setdefault(unit.code, []).append(unit)
    for number, unit in enumerate(units, 2):
        at = f"{where}, row {number}, {unit.code}"
        if unit.valid_to and unit.valid_from > unit.valid_to:
            yield Problem(
                at,
                Text("kết thúc trước khi bắt đầu", "it ends before it begins"),
                Text("sửa valid_from, valid_to", "mend valid_from, valid_to"),
            )
        if any(other is not unit and _overlap(unit, other) for other in of_code[unit.code]):
            yield Problem(
                at,
                Text("hai đơn vị cùng mã trong cùng một ngày", "two units have this code on one day"),
                Text("sửa valid_from, valid_to", "mend valid_from, valid_to"),
            )
        for code in unit.successors:
            if not unit.valid_to or not any(other.on(unit.day_after) for other in of_code.get(code, ())):
                yield Problem(
                    at,
                    Text(f"đơn vị kế thừa {code} không có vào ngày hôm sau", f"its successor {code} is not there"),
                    Text("thêm đơn vị ấy, hoặc sửa valid_to", "add that unit, or mend valid_to"),
                )


def _overlap(one: Unit, other: Unit) -> bool:
    return (one.valid_from or _EVER) <= (other.valid_to or _NEVER) and (other.valid_from or _EVER) <= (
        one.valid_to or _NEVER
    )


def names(units: Iterable[Unit]) -> str:
    """The names of units, for a sentence."""
    return ", ".join(unit.name for unit in units)
