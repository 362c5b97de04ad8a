"""The columns of a data set as one kind of file can hold them: names, labels and codes within the format's limits.

CSV, workbooks and Parquet take a column as it is, with the missing kinds in a column of their own. Stata and SPSS take
short ASCII names, short labels and numbers for codes; the missing kinds become ``.a .b .c …`` or user-missing numbers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from string import ascii_lowercase
from typing import Any

from analysis.data_variables import CODES, FLAG, KIND, NUMBER, TEXT, Part, Variable, missing_words, said
from analysis.table import MISSING_SUFFIX, Table, text_of
from survey.questionnaire.model import MISSING
from survey.text import Text, nfc


@dataclass(frozen=True)
class Format:
    """What a kind of file allows. Sizes of names and labels are counted as ``size`` counts; 0 is no limit."""

    ending: str
    numeric: bool = False
    name_limit: int = 0
    label_limit: int = 0
    choice_limit: int = 0
    size: Callable[[str], int] = len
    one_case: bool = False
    reserved: frozenset[str] = frozenset()


def _bytes(text: str) -> int:
    return len(text.encode())


_STATA = "_all _b byte double float int long if in using with strL _n _N _pi _rc _skip _cons _coef _pred"
_SPSS = "all and by eq ge gt le lt ne not or to with"
_STATA_STRINGS = (f"str{length}" for length in range(1, 2046))
FORMATS = {
    "csv": Format(".csv"),
    "xlsx": Format(".xlsx"),
    "parquet": Format(".parquet"),
    "dta": Format(".dta", True, 32, 80, 32_000, len, False, frozenset([*_STATA.split(), *_STATA_STRINGS])),
    "sav": Format(".sav", True, 64, 256, 120, _bytes, True, frozenset(_SPSS.split())),
}

Value = int | float | str


@dataclass(frozen=True)
class Column:
    """A variable as one kind of file holds it.

    ``values`` gives the value of each code, ``labels`` the words of each value, ``missing`` the value of each missing
    kind; all empty where the file keeps the text. ``notes`` say what differs from the data set.
    """

    variable: Variable
    name: str
    label: str
    values: Mapping[str, Value] = field(default_factory=dict)
    labels: dict[Any, str] = field(default_factory=dict)
    missing: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[Text, ...] = ()


def columns(part: Part, format: Format, language: str) -> tuple[Column, ...]:
    """The columns of ``part`` in the order of the data set, with labels in ``language``."""
    if not format.numeric:
        return tuple(Column(v, v.name, said(v.label, language)) for v in part.variables)
    kinds = {variable.name: variable.kind for variable in part.variables}
    # A missing kind has its place inside the numbers; only text has no room for it.
    kept = [v for v in part.variables if v.kind != KIND or kinds.get(v.of) == TEXT]
    names = short_names([variable.name for variable in kept], format, [_room(v, len(kept), format) for v in kept])
    labels = short_labels([said(variable.label, language) for variable in kept], format.label_limit, format.size)
    return tuple(
        _coded(part.table, variable, name, label, format, language)
        for variable, name, label in zip(kept, names, labels, strict=True)
    )


def _room(variable: Variable, count: int, format: Format) -> int:
    """The characters that a name may have: pyreadstat calls Stata's set of value labels by name and running number."""
    labelled = variable.kind in (CODES, FLAG, KIND) or (variable.kind == NUMBER and bool(variable.missing))
    return format.name_limit - (len(str(count)) if labelled and format.ending == ".dta" else 0)


def _coded(table: Table, variable: Variable, name: str, label: str, format: Format, language: str) -> Column:
    notes: list[Text] = []
    if name != variable.name:
        notes.append(Text(f"tên trong bảng hỏi: {variable.name}", f"name in the questionnaire: {variable.name}"))
    full = said(variable.label, language)
    if label != full:
        notes.append(Text(f"nhãn đầy đủ: {full}", f"full label: {full}"))
    if variable.kind == TEXT:
        return Column(variable, name, label, notes=tuple(notes))
    values = numeric_codes(variable.categories) if variable.kind in (CODES, KIND, FLAG) else {}
    if any(str(value) != code for code, value in values.items()):
        listed = ", ".join(f"{value} = {code}" for code, value in values.items())
        notes.append(Text(f"mã số trong tệp: {listed}", f"numbers in this file: {listed}"))
    missing = _missing_values(table, variable, values, format)
    full_labels = [
        *(said(words, language) or code for code, words in variable.categories.items()),
        *(said(missing_words(kind), language) for kind in missing),
    ]
    shortened = short_labels(full_labels, format.choice_limit, format.size)
    notes += [
        Text(f"nhãn giá trị đầy đủ: {one}", f"full value label: {one}")
        for one, cut in zip(full_labels, shortened, strict=True)
        if not cut.startswith(one)
    ]
    labels: dict[Any, str] = dict(zip([*values.values(), *missing.values()], shortened, strict=True))
    return Column(variable, name, label, values, labels, missing, tuple(notes))


def _missing_values(table: Table, variable: Variable, values: Mapping[str, Value], format: Format) -> dict[str, Any]:
    """Stata's ``a b c …``, always the same letter for a kind; SPSS's negative numbers below everything answered."""
    known = [*MISSING, *sorted(set(variable.missing) - set(MISSING))]
    if not variable.missing or variable.kind not in (NUMBER, CODES, FLAG):
        return {}
    if format.ending == ".dta":
        return {kind: ascii_lowercase[known.index(kind)] for kind in variable.missing}
    taken = set(values.values())
    if variable.kind == NUMBER:
        numbers = table.numbers(variable.name)
        taken = set(numbers[numbers < 0].tolist())
    offset = next(k for k in (10**power - 10 if power > 1 else 0 for power in range(1, 16)) if _free(k, taken))
    return {kind: -(offset + known.index(kind) + 1) for kind in variable.missing}


def _free(offset: int, taken: Iterable[Any]) -> bool:
    """Whether no answer lies among the ten numbers below ``-offset``: SPSS declares them as one range."""
    return not any(isinstance(value, (int, float)) and -(offset + 10) <= value < -offset for value in taken)


def numeric_codes(codes: Iterable[str]) -> dict[str, Value]:
    """A whole number for each code: the code itself where all are whole (``01`` is 1), else 1, 2, 3 … in order."""
    listed = list(codes)
    if listed and all(re.fullmatch(r"-?\d{1,9}", code) for code in listed):
        numbers = [int(code) for code in listed]
        if len(set(numbers)) == len(numbers):
            return dict(zip(listed, numbers, strict=True))
    return {code: number for number, code in enumerate(listed, 1)}


def short_names(names: Sequence[str], format: Format, room: Sequence[int] = ()) -> list[str]:
    """Names that the format takes, each once; a name that it takes as it is stays. ``room`` limits single names."""
    limits = room or [format.name_limit] * len(names)

    def key(name: str) -> str:
        return name.lower() if format.one_case else name

    used: set[str] = set()
    found: dict[int, str] = {}
    wanted = [_fitted(_ascii_name(name, format), limit) for name, limit in zip(names, limits, strict=True)]
    # Names that need no change come first, so that a changed one never takes the name of an unchanged one.
    for place in sorted(range(len(names)), key=lambda place: wanted[place] != names[place]):
        name, number = wanted[place], 2
        while key(name) in used:
            name = _fitted(wanted[place], limits[place], f"_{number}")
            number += 1
        used.add(key(name))
        found[place] = name
    return [found[place] for place in range(len(names))]


def _ascii_name(name: str, format: Format) -> str:
    plain = unicodedata.normalize("NFD", name.replace("đ", "d").replace("Đ", "D"))
    plain = re.sub(r"[^A-Za-z0-9_]", "_", "".join(c for c in plain if not unicodedata.combining(c)))
    if not re.match(r"[A-Za-z]", plain):
        plain = "v" + plain
    taken = plain.lower() if format.one_case else plain
    return plain + "_" if taken in format.reserved else plain


def _fitted(name: str, limit: int, ending: str = "") -> str:
    return name[: limit - len(ending)] + ending


def short_labels(labels: Sequence[str], limit: int, size: Callable[[str], int]) -> list[str]:
    """Labels no longer than ``limit``; those that would read alike once cut are numbered: ``… (2)``."""
    used: set[str] = set()
    found = []
    for label in labels:
        short, number = _cut(nfc(label), limit, size), 2
        while short in used and short != label:
            short = _cut(nfc(label), limit, size, f" ({number})")
            number += 1
        used.add(short)
        found.append(short)
    return found


def _cut(text: str, limit: int, size: Callable[[str], int], ending: str = "") -> str:
    if size(text) + size(ending) <= limit:
        return text + ending
    ending = "…" + ending
    kept = text[:limit]
    while size(kept) + size(ending) > limit:
        kept = kept[:-1]
    return kept.rstrip() + ending


def cells(table: Table, column: Column) -> list[Any]:
    """The cells of a column as the file holds them: numbers, text, missing values; None where nothing was asked."""
    variable = column.variable
    texts = [text_of(value) for value in table.arrow.column(variable.name).to_pylist()]
    if variable.kind == TEXT or (variable.kind in (CODES, KIND) and not column.values):
        return [text or None for text in texts]
    found: list[Any] = [column.values[text] if column.values and text else _number(text) for text in texts]
    if column.missing:
        of = (variable.of or variable.name) + MISSING_SUFFIX
        if of in table:
            kinds = table.arrow.column(of).to_pylist()
            found = [column.missing.get(kind) if kind else one for one, kind in zip(found, kinds, strict=True)]
    return found


def _number(text: str) -> int | float | None:
    if not text:
        return None
    return int(text) if re.fullmatch(r"[+-]?\d{1,15}", text) else float(text)
