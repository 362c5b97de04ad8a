"""The places of a public site: the country, its provinces, their communes, each with what may be shown of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from analysis.design import Publication
from analysis.publication import HIDDEN
from analysis.report.cells import Cell, Cells
from analysis.report.format import known
from analysis.report.meta import Meta
from analysis.report.tree import Node, Tree
from analysis.succession import REORGANISED, day_of, told_by_places
from analysis.units import Unit, communes, key, provinces
from survey.errors import InputError
from survey.text import Text, fold, many

WHOLE, PROVINCE, COMMUNE = "whole", "province", "commune"
SHOWN, FEW, BLANK, NONE = "shown", "few", "blank", "none"
"""What a place has: figures; interviews, but too few to publish; a row without any figure; no survey."""
STATES = {
    BLANK: Text("không có số liệu", "no figures"),
    FEW: Text("có khảo sát, chưa đủ phiếu để công bố", "surveyed, too few interviews to publish"),
    NONE: Text("chưa khảo sát", "not surveyed"),
}

KINDS = {
    "Tỉnh": Text("Tỉnh", "province"),
    "Thành phố": Text("Thành phố", "city"),
    "Xã": Text("Xã", "commune"),
    "Phường": Text("Phường", "ward"),
    "Đặc khu": Text("Đặc khu", "special zone"),
}


@dataclass(frozen=True)
class Place:
    """A place of the site: ``page`` is the name of its page without the ending, ``cells`` its scores by code."""

    level: str
    code: str
    name: str
    kind: str = ""
    parent: str = ""
    state: str = NONE
    cells: Mapping[str, Cell] = field(default_factory=dict)
    former: tuple[str, ...] = ()

    @property
    def page(self) -> str:
        """``index``, ``tinh-14``, ``xa-03979``."""
        return {WHOLE: "index", PROVINCE: f"tinh-{self.slug}", COMMUNE: f"xa-{self.slug}"}[self.level]

    @property
    def slug(self) -> str:
        """The code as it may stand in the name of a file."""
        return "".join(c if c.isascii() and c.isalnum() else "-" for c in fold(self.code)) or "-"

    def full(self, language: str) -> str:
        """The name with the kind of unit: ``Tỉnh Sơn La``, ``Sơn La province``."""
        kind = KINDS.get(self.kind, Text(self.kind, self.kind))
        return (f"{kind.vi} {self.name}" if language == "vi" else f"{self.name} {kind.en}").strip()


@dataclass(frozen=True)
class Places:
    """All places; ``top`` is the node whose value stands for a place."""

    whole: Place
    provinces: tuple[Place, ...]
    communes: Mapping[str, tuple[Place, ...]]
    top: Node

    @property
    def count(self) -> int:
        return 1 + len(self.provinces) + sum(map(len, self.communes.values()))


def places(cells: Cells, tree: Tree, meta: Meta, units: Any = (), rule: Publication | None = None) -> Places:
    """The places of these scores: the provinces in them, with all communes of the official list where the round is of
    after 1 July 2025. ``units`` are the sample's documents (names, the province of a commune).

    Raises:
        InputError: figures of fewer interviews or units than ``rule`` (by default 15 and 2) asks for: scores for a
            site are made with small cells hidden; nothing below the country to show; a commune of no known province.
    """
    _published_rule(cells, tree, rule or Publication())
    scored = {level: cells.domains(level) for level in (PROVINCE, COMMUNE)}
    day = day_of(meta.round, meta.ends[:10]) or told_by_places(provinces(), list(scored[PROVINCE])) or meta.made[:10]
    top = _top(cells, tree)
    known_units = _Units(day, meta, units)
    communes_of: dict[str, list[Place]] = {}
    alone = next(iter(scored[PROVINCE])) if len(scored[PROVINCE]) == 1 else ""
    for code, own in scored[COMMUNE].items():
        unit, parent = known_units.commune(code)
        parent = parent or (known_units.province(alone).code if alone else "")
        if not parent:
            raise InputError(
                f"--site, commune {code}",
                Text("không biết xã này thuộc tỉnh nào", "the province of this commune is not known"),
                Text("nêu --round để lấy từ khung mẫu của đợt", "name the --round, whose frame tells it"),
            )
        communes_of.setdefault(parent, []).append(_place(COMMUNE, code, unit, own, top, parent))
    found = {
        domain: _place(PROVINCE, domain, known_units.province(domain), own, top)
        for domain, own in scored[PROVINCE].items()
    }
    by_code = {known_units.province(domain).code: domain for domain in found}
    for parent in list(communes_of):
        if parent not in by_code:
            unit = known_units.province(parent)
            # A survey of one province has its values as those of everybody.
            only = len(communes_of) == 1 and not found
            found[parent] = _place(PROVINCE, parent, unit, cells.whole() if only else {}, top)
            by_code[parent] = parent
    if not found:
        raise InputError(
            "--site",
            Text("không có điểm của tỉnh hay xã nào", "there are no scores of provinces or communes"),
            Text("tính điểm với --by province và --by commune", "score --by province and --by commune"),
        )
    rest = {code: list(communes_of.get(code, ())) for code in by_code}
    if day >= REORGANISED:
        for code, there in rest.items():
            have = {place.code for place in there}
            there += [
                Place(COMMUNE, unit.code, unit.name, unit.kind, code)
                for unit in communes(code).on(day)
                if unit.code not in have
            ]
    return Places(
        Place(WHOLE, "", meta.title.vi, state=_state(cells.whole(), top), cells=cells.whole()),
        tuple(sorted(found.values(), key=lambda place: _order(place.name))),
        {by_code[code]: tuple(sorted(there, key=lambda place: _order(place.name))) for code, there in rest.items()},
        top,
    )


class _Units:
    """Names and parents: by the official list of the day, else by the frame's own columns."""

    def __init__(self, day: str, meta: Meta, units: Any):
        self.day, self.meta = day, meta
        self.parents = {str(unit["commune"]): str(unit.get("province", "")) for unit in units if unit.get("commune")}
        self.communes = {unit.code: unit for unit in communes().on(day)}

    def province(self, domain: str) -> Unit:
        found = provinces().lookup(domain, self.day)
        return found[0] if len(found) == 1 else Unit(domain, self.meta.domain_name(PROVINCE, domain).vi)

    def commune(self, code: str) -> tuple[Unit, str]:
        unit = self.communes.get(code)
        if unit is not None:
            return unit, unit.parent
        return Unit(code, self.meta.domain_name(COMMUNE, code).vi), self.parents.get(code, "")


def _place(level: str, code: str, unit: Unit, cells: Mapping[str, Cell], top: Node, parent: str = "") -> Place:
    former: tuple[str, ...] = ()
    if level == PROVINCE and unit.valid_from:
        before = provinces().at(unit, "2025-06-30") if unit.valid_from >= REORGANISED else ()
        former = tuple(one.name for one in before if key(one.name) != key(unit.name))
    return Place(level, code, unit.name, unit.kind, parent, _state(cells, top), cells, former)


def _state(cells: Mapping[str, Cell], top: Node) -> str:
    if not cells:
        return NONE
    cell = cells.get(top.code)
    hidden = [HIDDEN in one.note and not known(one.estimate) for one in cells.values()]
    if any(known(one.estimate) for one in cells.values()) and not (cell and HIDDEN in cell.note):
        return SHOWN
    return FEW if any(hidden) else BLANK


def _top(cells: Cells, tree: Tree) -> Node:
    """The index itself, or the first node that has a value where the total was not scored."""
    valued = {cell.code for cell in cells.all if known(cell.estimate)}
    return next((node for node in tree.nodes.values() if node.code in valued), tree.top)


def _published_rule(cells: Cells, tree: Tree, rule: Publication) -> None:
    small = [
        cell
        for cell in cells.all
        if cell.domain_level not in ("", "all", "total", "national")
        and cell.code in tree.nodes
        and known(cell.estimate)
        and (cell.n < rule.least_n or cell.n_psu < rule.least_psu)
    ]
    if small:
        first = ", ".join(dict.fromkeys(cell.domain for cell in small[:5]))
        raise InputError(
            "--site",
            Text(
                f"{len(small)} ô có ít hơn {rule.least_n} phiếu hoặc {rule.least_psu} đơn vị chọn mẫu: {first}",
                f"{many(len(small), 'cell has', 'cells have')} fewer than {rule.least_n} interviews or "
                f"{rule.least_psu} units: {first}",
            ),
            Text(
                f"ẩn ô nhỏ khi tính điểm: survey score --least {rule.least_n}",
                f"hide small cells when scoring: survey score --least {rule.least_n}",
            ),
        )


_ALPHABET = {letter: number for number, letter in enumerate("aăâbcdđeêghiklmnoôơpqrstuưvxy")}
_TONE = str.maketrans(
    "àáảãạằắẳẵặầấẩẫậèéẻẽẹềếểễệìíỉĩịòóỏõọồốổỗộờớởỡợùúủũụừứửữựỳýỷỹỵ",
    "aaaaaăăăăăâââââeeeeeêêêêêiiiiioooooôôôôôơơơơơuuuuuưưưưưyyyyy",
)


def _order(name: str) -> tuple[Any, ...]:
    """The order of a Vietnamese list: ă after a, đ after d, tones last."""
    plain = name.casefold().translate(_TONE)
    return tuple(_ALPHABET.get(letter, -1 if letter == " " else 99) for letter in plain), plain, name
