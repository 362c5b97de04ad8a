"""Cells of a file of forms that were keyed elsewhere: answers as spreadsheets and their people write them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta, timezone

from survey.errors import NotUnderstood
from survey.paper.fields import Field, read, read_day
from survey.questionnaire.model import MISSING, Value
from survey.tables import numbers
from survey.text import Text, fold

Cell = Value | bool | NotUnderstood | None
"""An answer, a tick or none of it, nothing, or why the cell is none of these."""

_ZONE = timezone(timedelta(hours=7))


def ticked(cell: str) -> bool | NotUnderstood:
    """Whether a cell says that its box was ticked."""
    told = fold(cell)
    if told in ("", "0", "khong", "no", "false", "-"):
        return False
    if told in ("1", "x", "co", "yes", "true", "✓", "v"):
        return True
    return NotUnderstood(Text("Ghi 1 hoặc x nếu được đánh dấu, nếu không thì 0.", "Write 1 or x, else 0."))


def column_values(box: Field, cells: Sequence[str], given: Mapping[str, str], decimal_comma: bool) -> list[Cell]:
    """The answers of one column, or why a cell is none. Commas and points in numbers are judged by the whole column."""
    plain = dict.fromkeys(cell for cell in cells if cell and not given.get(cell))
    if box.kind == "decimal":
        for cell, number in zip(plain, numbers(list(plain), decimal_comma), strict=True):
            plain[cell] = None if number is None else f"{number:.15g}"
    known: dict[str, Cell] = {"": None}
    for cell in dict.fromkeys(cells):
        if cell in known:
            continue
        if given.get(cell):
            known[cell] = _meant(box, given[cell])
            continue
        try:
            known[cell] = value_of(box, plain[cell] or cell)
        except NotUnderstood as wrong:
            known[cell] = wrong
    return [known[cell] for cell in cells]


def _meant(box: Field, choice: str) -> Value:
    """What the map says for a value: a choice, else a missing kind."""
    if choice in box.labels:
        return [choice] if box.node.is_list else choice
    return {"missing": choice}


def value_of(box: Field, cell: str) -> Value | None:
    """The answer that a cell holds: a choice by its name, words or printed code; what else :func:`read` takes. Raises
    NotUnderstood."""
    if box.labels:
        return _several(box, cell) if box.kind == "many" else _choice(box, cell) or read(box, cell)
    if kind := _kind(box, cell):
        return {"missing": kind}
    if box.kind == "integer" and (whole := re.fullmatch(r"([+-]?\d+)[.,]0{1,2}", cell)):
        cell = whole.group(1)
    if box.kind == "date":
        cell = re.sub(r"[T ]\d{1,2}:.*$", "", cell)
    return read(box, cell)


def _choice(box: Field, cell: str) -> Value | None:
    """A choice by its name, its words in any language, or a missing kind by its words."""
    if cell in box.labels:
        return [cell] if box.node.is_list else cell
    wanted = fold(cell).strip(" .")
    same = [n for n, labels in box.labels.items() if wanted in (fold(words).strip(" .") for words in labels.values())]
    if len(same) == 1:
        return [same[0]] if box.node.is_list else same[0]
    kind = "" if same else _kind(box, cell)
    return {"missing": kind} if kind else None


def _kind(box: Field, cell: str) -> str:
    """The missing kind whose words these are, where the question offers it."""
    wanted = fold(cell).strip(" .")
    return next((kind for kind in box.missing.values() if wanted in map(fold, MISSING[kind])), "")


def _several(box: Field, cell: str) -> Value | None:
    """The choices in a cell, between commas or semicolons; words that have commas in them are found as a whole."""
    whole = _choice(box, cell)
    if whole is not None:
        return whole
    if set(cell.split()) <= box.labels.keys():  # names between blanks, as ODK's exports and our own have them
        return [name for name in box.codes.values() if name in cell.split()]
    names: dict[str, str] = {}
    for name, labels in box.labels.items():
        names |= {fold(words).strip(): name for words in (name, *labels.values()) if words}
    rest, chosen = fold(cell), set()
    while rest := rest.lstrip(" ,;\n"):
        fitting = [words for words in names if re.match(rf"{re.escape(words)}\s*([,;\n]|$)", rest)]
        if not fitting:
            return read(box, cell)
        longest = max(fitting, key=len)
        chosen.add(names[longest])
        rest = rest[len(longest) :]
    return [name for name in box.codes.values() if name in chosen]


# -- times ---------------------------------------------------------------------------------------------------------


def read_times(cells: Sequence[str]) -> list[datetime | str | None]:
    """The moments of a column, in Viet Nam's time unless the cell says another; None for an empty cell, the cell itself
    where it is no moment. Day before month, unless the column has days that only fit after it."""
    slashed = [found for cell in cells if (found := re.match(r"(\d{1,2})[/.-](\d{1,2})[/.-]\d{4}", cell))]
    american = any(int(f[2]) > 12 for f in slashed) and not any(int(f[1]) > 12 for f in slashed)
    return [_moment(cell, american) for cell in cells]


def _moment(cell: str, american: bool) -> datetime | str | None:
    if not cell:
        return None
    try:
        found = datetime.fromisoformat(cell)
        return found if found.tzinfo else found.replace(tzinfo=_ZONE)
    except ValueError:
        pass  # as people and spreadsheets write it
    parts = re.fullmatch(
        r"(\d{1,4})[/.-](\d{1,2})[/.-](\d{1,4})[ ,T]*(?:(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?"
        r"\s*(am|pm|sa|ch)?\s*(?:(?:gmt|utc)([+-]\d{1,2})(?::?00)?)?",
        cell.strip(),
        re.IGNORECASE,
    )
    if parts is None:
        return cell
    first, second, third, hour, minute, second_of, half, zone = parts.groups()
    year, month, day = (first, second, third) if len(first) == 4 else (third, second, first)
    if american and len(first) < 4:
        month, day = day, month
    clock = int(hour or 0)
    if half and clock <= 12:
        clock = clock % 12 + (12 if half.lower() in ("pm", "ch") else 0)
    try:
        on = read_day(f"{year}-{month}-{day}")
        at = time(clock, int(minute or 0), int(second_of or 0))
    except (NotUnderstood, ValueError):
        return cell
    return datetime.combine(on, at, timezone(timedelta(hours=int(zone))) if zone else _ZONE)
