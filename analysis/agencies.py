"""Who answers for what: the dated list of a unit's agencies, and whom an index's parts are given to at first.

The shipped list (``facts/agencies.csv``, labelled *mẫu*) is the structure that decrees of 2025 give to every province,
with the former departments as predecessors; the shipped assignment (``facts/answers_for.csv``) is our suggestion
(*gợi ý*) and nobody's decision. Both are replaced by a unit's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

from analysis.index import Index
from analysis.units import FACTS, Register, communes, provinces, read_register
from survey.errors import InputError
from survey.tables import Table, read_table
from survey.text import Text

COLUMNS = ("code", "name_vi", "name_en", "level", "valid_from", "valid_to", "successor", "also")
EXAMPLE = Text("danh sách mẫu", "example list")
SUGGESTED = Text("gợi ý của phần mềm, chưa ai xác nhận", "suggested by the program, confirmed by nobody")


@dataclass(frozen=True)
class Whom:
    """The agencies of one part of an index by name, the first leads; ``suggested``: by us, not by a person."""

    names: tuple[str, ...]
    suggested: bool = False


def example(province: str, day: str) -> list[dict[str, str]]:
    """The example list as rows of ``agencies.csv``, with the People's Committee of each commune that the province has
    on a day (ISO); of a unit that is no province the departments alone."""
    rows = [{name: row.get(name, "") for name in COLUMNS} for row in read_table(FACTS / "agencies.csv").rows]
    found = provinces().lookup(province, day)
    for unit in communes(found[0].code).on(day) if len(found) == 1 else ():
        name = f"UBND {unit.kind.lower()} {unit.name}"
        row = {"code": f"X{unit.code}", "name_vi": name, "name_en": f"People's Committee of {unit.name}"}
        row |= {"level": "commune", "valid_from": unit.valid_from, "valid_to": unit.valid_to}
        rows.append({column: row.get(column, "") for column in COLUMNS})
    return rows


def register_of(rows: Sequence[Mapping[str, str]], name: str = "agencies.csv") -> Register:
    """The register of such rows. Raises Problems, as :func:`analysis.units.read_register`."""
    columns = tuple(dict.fromkeys(column for row in rows for column in row)) or COLUMNS
    table = Table(name, columns, tuple(dict(row) for row in rows), tuple(range(2, len(rows) + 2)))
    return read_register(table, name)


@cache
def _structure() -> Register:
    return read_register(FACTS / "agencies.csv", EXAMPLE.vi)


@cache
def _assignment() -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    rows = read_table(FACTS / "answers_for.csv").rows
    return tuple((row["index"], row["code"], (row["lead"], *row["assist"].split())) for row in rows)


def suggestions(index: Index) -> dict[str, tuple[str, ...]]:
    """Codes of the example list for each node of an index: its own, else those of the node above it."""
    known = [(pattern, codes) for family, pattern, codes in _assignment() if index.id.startswith(family)]

    def of(code: str) -> tuple[str, ...]:
        own = [codes for pattern, codes in known if pattern == code]
        own += [codes for pattern, codes in known if fnmatchcase(code, pattern)]
        above = (codes for parent in index.by_code[code].parents if (codes := of(parent)))
        return own[0] if own else next(above, ())

    return {node.code: codes for node in index.nodes if (codes := of(node.code))}


def assigned(
    index: Index, register: Register | None, day: str, before: Mapping[str, Sequence[str]] | None = None
) -> dict[str, Whom]:
    """Whom each node of an index is given to on a day: as in the plan ``before`` (code → names, replaced agencies by
    their successors), else as the index sheet says, else as we suggest, by the names of ``register`` where it has them.
    """
    found = {}
    for code, codes in suggestions(index).items():
        names = [name for one in codes for name in _suggested_names(one, register, day)]
        if names:
            found[code] = Whom(tuple(dict.fromkeys(names)), suggested=True)
    for node in index.nodes:
        if node.agency:
            found[node.code] = Whom(tuple(name for one in node.agency for name in named(register, one, day)[0]))
    for code, held in (before or {}).items():
        if held and held[0]:
            found[code] = Whom(tuple(dict.fromkeys(name for one in held for name in named(register, one, day)[0])))
    return found


def _suggested_names(code: str, register: Register | None, day: str) -> list[str]:
    structure = _structure()
    own = [unit for one in structure.lookup(code) for unit in structure.at(one, day)]
    if register is None:
        return [unit.name for unit in own]
    return [here[0].name for unit in own if len(here := register.lookup(unit.name, day)) == 1]


def named(register: Register | None, text: str, day: str) -> tuple[tuple[str, ...], Text | None]:
    """The names under which an agency that somebody named by name or code stands on a day, and what is to be said:
    that it was replaced, or that the list does not have it (then as it was typed)."""
    if register is None:
        return (text,), None
    try:
        unit = register.find(text, day if register.lookup(text, day) else "")
    except InputError as wrong:
        what = wrong.problem.what
        return (text,), Text(
            f"“{text}”: {what.vi} trong danh sách cơ quan; giữ như đã ghi",
            f"'{text}': {what.en} in the list of agencies; kept as typed",
        )
    now = tuple(one.name for one in register.at(unit, day))
    if not now:
        return (unit.name,), Text(
            f"{unit.name} không còn hoạt động và không có cơ quan kế thừa trong danh sách",
            f"{unit.name} is no more, and the list names no successor",
        )
    if now == (unit.name,):
        return now, None
    return now, Text(f"{unit.name} nay là {', '.join(now)}", f"{unit.name} is now {', '.join(now)}")
