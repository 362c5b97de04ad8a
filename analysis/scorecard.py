"""PAR INDEX as what it is, a scorecard: areas, criteria, sub-criteria; self-score, appraisal, survey points.

Index = (appraised + survey points) / maximum points × 100; what does not apply is out of the maximum. SIPAS enters as
its points × percent (91.17 % of 10 points is 9.117, published as 9.12). What nobody has entered is missing, not zero.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from analysis.report.format import short
from survey.errors import InputError, Problem, Problems
from survey.tables import Table, numbers, read_table
from survey.text import LANGUAGES, Text

LEVELS = {
    "ministry": Text("bộ, cơ quan ngang bộ", "ministry"),
    "province": Text("tỉnh, thành phố", "province"),
    "department": Text("sở, ban, ngành", "provincial department"),
    "commune": Text("xã, phường, đặc khu", "commune"),
}
METHODS = {
    "appraisal": Text("tự chấm và thẩm định", "self-score and appraisal"),
    "survey": Text("điều tra xã hội học", "survey"),
    "sipas": Text("SIPAS (điểm × tỷ lệ)", "SIPAS (points × percent)"),
}
STEPS = {
    "self": Text("tự chấm điểm", "self-score"),
    "appraisal": Text("thẩm định", "appraisal"),
    "survey": Text("điểm điều tra", "survey points"),
}
GRADES = (("A", 90.0), ("B", 80.0), ("C", 70.0), ("D", 0.0))
"""Groups by percent: A from 90, B from 80, C from 70 as announced for 2015 and 2024; D is what is below."""
COLUMNS = ("code", "parent", "name_vi", "name_en", "points_max", "method")
_SLACK = 1e-9


@dataclass(frozen=True)
class Criterion:
    """One node: an area, a criterion or a sub-criterion. ``most`` are its maximum points (None: not entered)."""

    code: str
    parent: str
    label: Text
    most: float | None
    method: str = "appraisal"


@dataclass(frozen=True)
class Structure:
    """The criteria of one version, parents before their parts. ``id`` names the version: scores under another one are
    another series."""

    id: str
    level: str
    nodes: tuple[Criterion, ...]
    by_code: Mapping[str, Criterion] = field(init=False, repr=False, compare=False)
    parts: Mapping[str, tuple[Criterion, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts: dict[str, list[Criterion]] = {code: [] for code in ("", *(node.code for node in self.nodes))}
        for node in self.nodes:
            parts[node.parent].append(node)
        object.__setattr__(self, "by_code", {node.code: node for node in self.nodes})
        object.__setattr__(self, "parts", {code: tuple(below) for code, below in parts.items()})

    @property
    def leaves(self) -> tuple[Criterion, ...]:
        """What is scored."""
        return tuple(node for node in self.nodes if not self.parts[node.code])

    def depth(self, code: str) -> int:
        """0 for an area, 1 for a criterion, 2 for a sub-criterion."""
        parent = self.by_code[code].parent
        return 0 if not parent else 1 + self.depth(parent)

    @property
    def document(self) -> dict[str, Any]:
        """As a scorecard keeps it."""
        nodes = [{**asdict(node), "label": node.label._asdict(), "most": _text(node.most)} for node in self.nodes]
        return {"id": self.id, "level": self.level, "nodes": nodes}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Structure:
        """The structure that a scorecard keeps."""
        nodes = tuple(
            Criterion(one["code"], one["parent"], Text(**one["label"]), _number(one["most"]), one["method"])
            for one in document["nodes"]
        )
        return cls(document["id"], document["level"], nodes)


def read_structure(source: Path | Table, id: str, level: str) -> Structure:
    """The structure of a table ``code, parent, name_vi, name_en, points_max, method``. Points that are blank must be
    entered before anything is scored; a parent's may be left out, they are the sum of its parts.

    Raises:
        Problems: everything wrong with it: a parent that is not there, a code twice, points that are none or do not add
            up to their parent's, an unknown method, leaves without points.
    """
    table = source if isinstance(source, Table) else read_table(source)
    if level not in LEVELS:
        raise InputError(
            "--level",
            Text(f"không có cấp “{level}”", f"there is no level '{level}'"),
            Text(f"chọn: {', '.join(LEVELS)}", f"one of {', '.join(LEVELS)}"),
        )
    problems = [table_problem(table, name) for name in ("code", "parent", "name_vi", "points_max")
                if name not in table.columns]  # fmt: skip
    if problems:
        raise Problems(problems)
    points = numbers([row["points_max"] for row in table.rows], table.decimal_comma)
    codes = {row["code"] for row in table.rows}
    nodes, seen = [], set()
    for k, row in enumerate(table.rows):
        code, parent, method = row["code"], row["parent"], row.get("method") or "appraisal"
        if not code or code in seen:
            what = Text(f"mã “{code}” trống hoặc trùng", f"the code '{code}' is empty or used twice")
            problems.append(Problem(table.where(k, "code"), what, Text("đặt mã khác", "give another code")))
        if parent and parent not in codes:
            what = Text(f"không có mã “{parent}”", f"there is no code '{parent}'")
            problems.append(Problem(table.where(k, "parent"), what, Text("sửa mã cấp trên", "mend the parent")))
        most = points[k]
        if row["points_max"] and (most is None or most <= 0):
            what = Text(f"“{row['points_max']}” không phải điểm tối đa", f"'{row['points_max']}' are no points")
            problems.append(Problem(table.where(k, "points_max"), what, Text("ghi số dương", "give a number above 0")))
        if method not in METHODS:
            what = Text(f"không có cách chấm “{method}”", f"there is no method '{method}'")
            listed = ", ".join(METHODS)
            problems.append(Problem(table.where(k, "method"), what, Text(f"chọn: {listed}", f"one of {listed}")))
        seen.add(code)
        label = Text(row["name_vi"], row.get("name_en") or row["name_vi"])
        nodes.append(Criterion(code, parent, label, points[k], method))
    made = None if problems else Structure(id, level, tuple(_in_order(nodes)))
    if made is not None:
        problems += _circles(nodes, made, table)
    if problems or made is None:
        raise Problems(problems)
    problems = list(_points(made, table.source))
    if problems:
        raise Problems(problems)
    return _filled(made)


def structure_rows(tree: Path, version: str) -> list[dict[str, str]]:
    """The rows of a table to fill in, from a file of known versions (JSON: ``versions``, each with ``id`` and
    ``areas``). Points that the file does not know are left blank: they are the person's to enter.

    Raises:
        InputError: it cannot be read, has no such version, or knows no areas of it.
    """
    try:
        versions = {one["id"]: one for one in json.loads(tree.read_text(encoding="utf-8-sig"))["versions"]}
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(
            str(tree),
            Text("không phải tệp các phiên bản bộ tiêu chí", "not a file of versions of the criteria"),
            Text("cần tệp JSON có mục versions", "it has to be JSON with the entry versions"),
        ) from None
    known = ", ".join(one for one, body in versions.items() if body.get("areas"))
    if not versions.get(version, {}).get("areas"):
        raise InputError(
            f"{tree.name}, {version}",
            Text("không có lĩnh vực nào của bản này", "it knows no areas of this version"),
            Text(f"các bản có lĩnh vực: {known}", f"versions with areas: {known}"),
        )
    return [
        {
            "code": area["code"],
            "parent": "",
            "name_vi": area["vi"],
            "name_en": area.get("en", ""),
            "points_max": _text(area.get("points_max")),
            "method": "appraisal",
        }
        for area in versions[version]["areas"]
    ]


def _circles(nodes: Sequence[Criterion], structure: Structure, table: Table) -> list[Problem]:
    """Rows that hang on themselves, by whatever way: they would belong to no area."""
    return [
        Problem(
            table.where(k, "parent"),
            Text(f"mã “{node.code}” nằm dưới chính nó", f"'{node.code}' lies below itself"),
            Text("sửa mã cấp trên", "mend the parent"),
        )
        for k, node in enumerate(nodes)
        if node.code not in structure.by_code
    ]


def _points(structure: Structure, source: str) -> Iterable[Problem]:
    totals = _totals(structure)
    for node in structure.nodes:
        total = totals[node.code]
        if not structure.parts[node.code] and total is None:
            yield Problem(
                f"{source}, {node.code}",
                Text("chưa nhập điểm tối đa", "its maximum points are not entered"),
                Text("nhập theo quyết định ban hành bộ chỉ số", "enter them from the decision on the index"),
            )
        elif node.most is not None and total is not None and abs(total - node.most) > 1e-6:
            yield Problem(
                f"{source}, {node.code}",
                Text(
                    f"các phần cộng lại {short(total, 'vi')}, không phải {short(node.most, 'vi')}",
                    f"its parts add up to {short(total, 'en')}, not {short(node.most, 'en')}",
                ),
                Text("sửa điểm tối đa", "mend the points"),
            )


def _totals(structure: Structure) -> dict[str, float | None]:
    """Of each node the points of the leaves below it, None while one of them is missing."""
    found: dict[str, float | None] = {}
    for node in reversed(structure.nodes):
        below = structure.parts[node.code]
        found[node.code] = _sum(found[part.code] for part in below) if below else node.most
    return found


def _filled(structure: Structure) -> Structure:
    """With the points of parents that were left out."""
    totals = _totals(structure)
    return Structure(structure.id, structure.level, tuple(replace(n, most=totals[n.code]) for n in structure.nodes))


def _in_order(nodes: Sequence[Criterion]) -> Iterable[Criterion]:
    def below(parent: str) -> Iterable[Criterion]:
        for node in nodes:
            if node.parent == parent:
                yield node
                yield from below(node.code)

    return below("")


# -- what is entered ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """What stands for one leaf and one step. ``points`` None with ``not_applicable``; ``evidence`` are names of files.
    ``actor`` entered it."""

    code: str
    step: str
    points: float | None = None
    not_applicable: bool = False
    reason: str = ""
    evidence: tuple[str, ...] = ()
    actor: str = ""


def check(structure: Structure, entry: Entry, standing: Mapping[tuple[str, str], Entry], where: str) -> None:
    """Refuses an entry that may not stand. ``standing`` are the entries so far by (code, step).

    Raises:
        Problems: no such leaf, points below 0 or above the maximum, an appraisal or a "does not apply" without reason,
            an appraisal before there is a self-score or by the person who gave it, a step that is not the leaf's.
    """
    problems: list[Problem] = []

    def wrong(what: Text, todo: Text) -> None:
        problems.append(Problem(f"{where}, {entry.code}", what, todo))

    node = structure.by_code.get(entry.code)
    if node is None or structure.parts[entry.code]:
        wrong(
            Text("không phải tiêu chí chấm điểm", "it is no criterion that is scored"),
            Text("chọn một tiêu chí thành phần", "choose a sub-criterion"),
        )
        raise Problems(problems)
    own = ("survey",) if node.method in ("survey", "sipas") else ("self", "appraisal")
    if entry.step not in own:
        how = METHODS[node.method]
        wrong(
            Text(f"tiêu chí này chấm bằng {how.vi}", f"this one is scored by {how.en}"),
            Text("nhập ở đúng bước", "enter it in its own step"),
        )
    if entry.points is None and not entry.not_applicable:
        wrong(Text("chưa có điểm", "there are no points"), Text("nhập điểm", "enter the points"))
    if entry.points is not None and not -_SLACK <= entry.points <= (node.most or 0) + _SLACK:
        given, most = (Text(*(short(x, one) for one in LANGUAGES)) for x in (entry.points, node.most or 0.0))
        wrong(
            Text(f"{given.vi} điểm vượt thang 0–{most.vi}", f"{given.en} is beyond the scale 0–{most.en}"),
            Text(f"nhập từ 0 đến {most.vi}", f"enter 0 to {most.en}"),
        )
    if (entry.step == "appraisal" or entry.not_applicable) and not entry.reason.strip():
        wrong(
            Text("thẩm định phải ghi lý do", "an appraisal needs its reason")
            if entry.step == "appraisal"
            else Text("không áp dụng thì phải ghi lý do", "what does not apply needs its reason"),
            Text("ghi một câu", "write a sentence"),
        )
    before = standing.get((entry.code, "self"))
    if entry.step == "appraisal":
        if before is None:
            wrong(
                Text("đơn vị chưa tự chấm tiêu chí này", "the unit has not scored it yet"),
                Text("chờ đơn vị tự chấm", "wait for the self-score"),
            )
        elif before.actor and before.actor == entry.actor:
            wrong(
                Text("người tự chấm không thẩm định điểm của chính mình", "who scored it does not appraise it"),
                Text("nhờ người khác thẩm định", "let somebody else appraise it"),
            )
    if problems:
        raise Problems(problems)


def sipas_points(most: float, percent: float) -> float:
    """SIPAS as points: its points × percent / 100 (Hà Tĩnh 2021: 91.17 % of 10 is 9.117, published as 9.12).

    Raises:
        InputError: a percent outside 0–100.
    """
    if not 0 <= percent <= 100:
        raise InputError(
            "SIPAS",
            Text(f"{short(percent, 'vi')} không phải tỷ lệ phần trăm", f"{short(percent, 'en')} is no percentage"),
            Text("nhập từ 0 đến 100", "enter 0 to 100"),
        )
    return most * percent / 100


def entered(
    structure: Structure, code: str, step: str, points: float | None, out: bool, reason: str, actor: str
) -> tuple[Entry, dict[str, Any]]:
    """What a person typed as an entry and as the document that keeps it; SIPAS is typed in percent.

    Raises:
        InputError: SIPAS outside 0–100.
    """
    node = structure.by_code.get(code)
    percent = points if node is not None and node.method == "sipas" else None
    if node is not None and percent is not None:
        points = sipas_points(node.most or 0.0, percent)
    entry = Entry(code, step, None if out else points, out, reason.strip(), actor=actor)
    body = {"points": _exact(entry.points), "percent": _exact(percent), "not_applicable": out, "reason": entry.reason}
    return entry, body


def entry_of(document: Mapping[str, Any]) -> Entry:
    """The entry that a document keeps."""
    return Entry(
        str(document["code"]),
        str(document["step"]),
        _number(str(document["points"])),
        bool(document["not_applicable"]),
        str(document["reason"]),
        tuple(str(file["name"]) for file in document["evidence"]),
        str(document.get("actor", "")),
    )


# -- the result ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One node of a result. ``most`` without what does not apply; ``self``, ``appraised`` (final: appraised and survey
    points) None where a leaf below lacks its entry; ``difference`` appraised − self over what was self-scored."""

    node: Criterion
    most: float
    self: float | None
    appraised: float | None
    difference: float | None
    not_applicable: bool = False

    @property
    def percent(self) -> float | None:
        """Final points of the maximum, in percent; None where there is none."""
        return None if self.appraised is None or not self.most else 100 * self.appraised / self.most


@dataclass(frozen=True)
class Result:
    """A scorecard counted: rows by code, and the totals. ``appraised`` and ``survey`` points add up to ``total``;
    ``percent`` and ``grade`` are None and "" while something is ``missing`` (codes of leaves)."""

    rows: Mapping[str, Row]
    most: float
    appraised: float
    survey: float
    self: float | None
    missing: tuple[str, ...]

    @property
    def total(self) -> float:
        """Points so far."""
        return self.appraised + self.survey

    @property
    def percent(self) -> float | None:
        """The index: total points of the maximum in percent; None while something is missing."""
        return None if self.missing or not self.most else 100 * self.total / self.most

    @property
    def grade(self) -> str:
        """A, B, C or D; "" while there is no percent."""
        return "" if self.percent is None else grade(self.percent)


def grade(percent: float) -> str:
    """The group of an index, by its published two decimals."""
    return next(name for name, least in GRADES if round(percent, 2) >= least)


def count(structure: Structure, entries: Iterable[Entry]) -> Result:
    """The result of a scorecard from the entries that stand."""
    held = {(entry.code, entry.step): entry for entry in entries}
    leaves = {leaf.code: _leaf(leaf, held) for leaf in structure.leaves}
    rows = {node.code: leaves.get(node.code) or _node(structure, node, leaves) for node in structure.nodes}
    counted = [row for row in leaves.values() if not row.not_applicable]
    by_method = {
        method: sum(
            row.appraised or 0.0 for row in counted if (row.node.method == "appraisal") == (method == "appraisal")
        )
        for method in ("appraisal", "survey")
    }
    return Result(
        rows,
        sum(row.most for row in counted),
        by_method["appraisal"],
        by_method["survey"],
        _sum(row.self for row in counted if row.node.method == "appraisal"),
        tuple(row.node.code for row in counted if row.appraised is None),
    )


def _node(structure: Structure, node: Criterion, leaves: Mapping[str, Row]) -> Row:
    inside: list[Row] = []
    waiting = [node.code]
    while waiting:
        code = waiting.pop()
        if code in leaves:
            inside.append(leaves[code])
        waiting += [part.code for part in structure.parts[code]]
    counted = [row for row in inside if not row.not_applicable]
    scored = [row for row in counted if row.node.method == "appraisal"]
    return Row(
        node,
        sum(row.most for row in counted),
        _sum(row.self for row in scored),
        _sum(row.appraised for row in counted),
        _sum(row.difference for row in scored),
        not counted,
    )


def _leaf(node: Criterion, held: Mapping[tuple[str, str], Entry]) -> Row:
    most = node.most or 0.0
    if node.method != "appraisal":
        entry = held.get((node.code, "survey"))
        if entry is not None and entry.not_applicable:
            return Row(node, 0.0, None, None, None, True)
        return Row(node, most, None, entry.points if entry else None, None)
    own, final = held.get((node.code, "self")), held.get((node.code, "appraisal"))
    word = final or own  # whether it applies is the appraiser's word; until then the unit's
    if word is not None and word.not_applicable:
        return Row(node, 0.0, None, None, None, True)
    given = own.points if own else None
    points = final.points if final else None
    difference = points - given if points is not None and given is not None else None
    return Row(node, most, given, points, difference)


def _sum(values: Iterable[float | None]) -> float | None:
    found = list(values)
    return None if not found or any(value is None for value in found) else sum(value or 0.0 for value in found)


def ranks(percents: Mapping[str, float | None]) -> dict[str, int]:
    """The rank of each unit that has a percent, by its published two decimals; ties share the better one."""
    known = {unit: round(value, 2) for unit, value in percents.items() if value is not None}
    return {unit: 1 + sum(other > value for other in known.values()) for unit, value in known.items()}


def places(cards: Sequence[tuple[Mapping[str, Any], Result]]) -> dict[str, int]:
    """The rank of each scorecard among those of its period, level and version, by id."""
    groups: dict[tuple[str, ...], dict[str, float | None]] = {}
    for card, result in cards:
        group = tuple(str(card[name]) for name in ("period", "level", "version"))
        groups.setdefault(group, {})[str(card["id"])] = result.percent
    return {id: rank for percents in groups.values() for id, rank in ranks(percents).items()}


def table_problem(table: Table, name: str) -> Problem:
    """A column that is missing."""
    return Problem(
        f"{table.source}, column {name}",
        Text("thiếu cột này", "the column is missing"),
        Text(f"các cột: {', '.join(COLUMNS)}", f"the columns are {', '.join(COLUMNS)}"),
    )


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _exact(value: float | None) -> str:
    return "" if value is None else repr(value)


def _number(text: str) -> float | None:
    return float(text) if text else None
