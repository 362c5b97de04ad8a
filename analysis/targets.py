"""Targets that a province set itself, as they stand in a table: of a score, a rank or a group, each with its source.

Formats, section 12: ``index, round, domain, code, kind, target, of, baseline_round, source``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.index import Index, load_index
from analysis.ranking import GROUP_WORDS, GROUPS
from analysis.report.format import short
from analysis.report.tree import tree
from analysis.units import provinces
from survey.errors import InputError, Problem, Problems
from survey.tables import Table, numbers, read_table
from survey.text import LANGUAGES, Text, fold, many

KINDS = {
    "score": Text("điểm", "score"),
    "rank": Text("thứ hạng", "rank"),
    "group": Text("nhóm", "group"),
}
COLUMNS = ("index", "round", "domain", "code", "kind", "target", "of", "baseline_round", "source")
_NEEDED = ("round", "domain", "code", "kind", "target")


@dataclass(frozen=True)
class Target:
    """One target: ``value`` is the score or the rank r of "r of ``of``" (of 0: not stated), ``group`` the lowest group
    that satisfies. ``where`` names its row to a person."""

    index: str
    round: str
    domain: str
    code: str
    kind: str
    value: float = 0.0
    group: str = ""
    of: int = 0
    baseline_round: str = ""
    source: str = ""
    where: str = ""


def read_targets(source: Path | Table) -> list[Target]:
    """The targets of a table or file.

    Raises:
        Problems: everything wrong with it at once: columns that are missing, a code that the index does not have, a
        score beyond its scale, a rank that is none or beyond the units ranked, an unknown group, the same target twice.
    """
    table = source if isinstance(source, Table) else read_table(source)
    missing = [name for name in _NEEDED if name not in table.columns]
    if missing:
        raise Problems(
            Problem(
                f"{table.source}, column {name}",
                Text("thiếu cột này", "the column is missing"),
                Text(f"các cột: {', '.join(COLUMNS)}", f"the columns are {', '.join(COLUMNS)}"),
            )
            for name in missing
        )
    texts = [row["target"] for row in table.rows]
    figures = dict(
        zip(
            (k for k, text in enumerate(texts) if _numeric(text)),
            numbers([text for text in texts if _numeric(text)], table.decimal_comma),
            strict=True,
        )
    )
    found, problems = [], []
    seen: dict[tuple[str, ...], int] = {}
    for k, row in enumerate(table.rows):
        target, wrong = _target(row, figures.get(k), table, k)
        key = tuple(row.get(name, "") for name in ("index", "round", "domain", "code", "kind"))
        if key in seen:
            first = table.places[seen[key]]
            wrong.append(
                Problem(
                    table.where(k),
                    Text(f"trùng mục tiêu ở dòng {first}", f"the same target as in row {first}"),
                    Text("giữ lại một dòng", "keep one of them"),
                )
            )
        seen.setdefault(key, k)
        problems += wrong
        if target is not None:
            found.append(target)
    if problems:
        raise Problems(problems)
    return found


def index_of(name: str) -> Index | None:
    """The index that a target names, None where there is no such structure here (PAR INDEX is a scorecard)."""
    try:
        return load_index(name) if name else None
    except Problems:
        raise
    except InputError:
        return None


def group_of(word: str) -> str:
    """The group that ``word`` names, in either language or by its code; "" for none."""
    wanted = fold(word).removeprefix("nhom ").strip()
    for group in GROUPS:
        if wanted in (group, fold(GROUP_WORDS[group].vi), fold(GROUP_WORDS[group].en)):
            return group
    return ""


def provinces_of(round: str) -> int:
    """How many provinces there were in the year that the round's name tells; 0 where it tells none."""
    year = year_of(round)
    return len(provinces().on(f"{year}-12-31")) if year else 0


def year_of(round: str) -> int:
    """The year in a round's name, 0 if there is none."""
    found = re.search(r"(?:19|20)\d\d", round)
    return int(found[0]) if found else 0


def same_share(rank: float, of: int, now: int) -> int:
    """The rank among ``now`` units that is the same share as ``rank`` among ``of``: 30 of 63 is 16 of 34."""
    return max(1, round(rank * now / of))


def _numeric(text: str) -> bool:
    return bool(re.search(r"\d", text)) and not re.search(r"[^\d\s.,+\-\u00a0\u202f]", text)


def _target(row: Mapping[str, str], figure: float | None, table: Table, k: int) -> tuple[Target | None, list[Problem]]:
    problems: list[Problem] = []

    def wrong(column: str, what: Text, todo: Text) -> None:
        problems.append(Problem(table.where(k, column), what, todo))

    for column in _NEEDED:
        if not row[column]:
            wrong(column, Text("ô trống", "the cell is empty"), Text("điền vào", "fill it in"))
    kind = row["kind"] or "score"
    index = index_of(row.get("index", ""))
    of_text = row.get("of", "")
    of = int(of_text) if of_text.isdecimal() else 0
    if kind not in KINDS:
        wrong("kind", Text(f"không có loại “{kind}”", f"there is no kind '{kind}'"), _one_of(list(KINDS)))
        return None, problems
    if of_text and not of:
        wrong("of", Text(f"“{of_text}” không phải số đơn vị", f"'{of_text}' is no number of units"), _WHOLE)
    if index is not None and row["code"] and row["code"] not in index.by_code:
        known = ", ".join(list(index.by_code)[:12])
        wrong(
            "code",
            Text(f"chỉ số {index.id} không có mã “{row['code']}”", f"the index {index.id} has no code '{row['code']}'"),
            Text(f"các mã: {known}, …", f"its codes: {known}, …"),
        )
        index = None
    group = ""
    if kind == "group":
        group = group_of(row["target"])
        if not group and row["target"]:
            what = Text(f"không có nhóm “{row['target']}”", f"there is no group '{row['target']}'")
            wrong("target", what, _one_of(list(GROUPS)))
    elif row["target"] and figure is None:
        wrong("target", Text(f"“{row['target']}” không phải số", f"'{row['target']}' is no number"), _NUMBER)
    elif kind == "rank" and figure is not None and (figure < 1 or figure != int(figure) or (of and figure > of)):
        among = Text(f" trong {of} đơn vị" if of else "", f" among {many(of, 'unit')}" if of else "")
        place = Text(*(short(figure, one) for one in LANGUAGES))
        what = Text(f"không có hạng {place.vi}{among.vi}", f"there is no rank {place.en}{among.en}")
        wrong("target", what, _WHOLE)
    elif kind == "score" and figure is not None and index is not None:
        scale = tree(index).nodes[row["code"]].scale
        if scale is not None and not scale[0] <= figure <= scale[1]:
            told = {one: [short(value, one) for value in (figure, *scale)] for one in LANGUAGES}
            wrong(
                "target",
                Text(
                    "{} nằm ngoài thang {}–{} của {}".format(*told["vi"], row["code"]),
                    "{} is beyond the scale {}–{} of {}".format(*told["en"], row["code"]),
                ),
                Text("ghi mục tiêu trên thang đó", "state the target on that scale"),
            )
    if problems:
        return None, problems
    kept: dict[str, Any] = {name: row.get(name, "") for name in ("index", "baseline_round", "source")}
    return Target(
        round=row["round"],
        domain=row["domain"],
        code=row["code"],
        kind=kind,
        value=figure or 0.0,
        group=group,
        of=of,
        where=table.where(k),
        **kept,
    ), []


_WHOLE = Text("ghi một số nguyên từ 1", "give a whole number from 1")
_NUMBER = Text("ghi một con số", "give a number")


def _one_of(names: Sequence[str]) -> Text:
    listed = ", ".join(names)
    return Text(f"chọn: {listed}", f"one of {listed}")
