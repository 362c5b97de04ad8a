"""The public site of a round: static pages in both languages, one for the country, each province and each commune.

A page needs no script and asks nobody else for anything; its figures are there as CSV too. Searching has a small index
of its own (``places.js``), without diacritics. What the rule for small cells hides is nowhere in the folder.
"""

from __future__ import annotations

import csv
import math
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from analysis.design import Publication
from analysis.report import format as words
from analysis.report.cells import Cell, Cells
from analysis.report.figures import Figures, Line
from analysis.report.meta import INTERNAL, PLACES, PUBLISHED, Meta
from analysis.report.places import COMMUNE, FEW, NONE, PROVINCE, SHOWN, STATES, WHOLE, Place, Places, places
from analysis.report.tree import Node, Tree
from survey.errors import InputError
from survey.text import LANGUAGES, Text, nfc

_FOLDER = Path(__file__).parent
MARKER = ".survey-site"
_SHORT = 2  # the depth of the tree that a page shows at once
_COLUMNS = (
    "round",
    "domain_level",
    "domain",
    "name",
    "code",
    "label_vi",
    "label_en",
    "estimate",
    "se",
    "low",
    "high",
    "df",
    "n",
    "note",
    "source",
)


@dataclass(frozen=True)
class Row:
    """A line of a table: of an index (``line``), or of a place with its page; ``bar`` (low, value, high) and ``mark``,
    the wider place's value, are in percent of the line's scale, or of the axis of its table."""

    line: Line
    bar: tuple[float, float, float] | None = None
    mark: float | None = None
    page: str = ""
    state: str = ""


@dataclass(frozen=True)
class Table:
    """Rows on one axis, which shows the stretch from ``low`` to ``high`` percent of each line's scale."""

    rows: tuple[Row, ...]
    low: int = 0
    high: int = 100

    @property
    def small(self) -> bool:
        """Whether a figure of few interviews is among them, where the round's rule lets it out."""
        return any(row.line.small and not row.line.missing for row in self.rows)

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Table:
        """The rows on the shortest stretch in tens of percent that holds all their intervals and marks."""
        listed = tuple(rows)
        ends = [x for row in listed for x in (*(row.bar or ()), row.mark) if x is not None]
        low = 10 * math.floor(min(ends, default=0) / 10 - 1e-9)
        high = 10 * math.ceil(max(ends, default=100) / 10 + 1e-9)
        low, high = max(low, 0), min(high, 100)

        def on(x: float) -> float:
            return round(100 * (x - low) / (high - low), 1)

        moved = (
            replace(
                row,
                bar=(on(row.bar[0]), on(row.bar[1]), on(row.bar[2])) if row.bar else None,
                mark=None if row.mark is None else on(row.mark),
            )
            for row in listed
        )
        return cls(tuple(moved), low, high)


@dataclass(frozen=True)
class Written:
    """What was written: the folder, how many pages in each language, the largest page in bytes with its name."""

    folder: Path
    pages: int
    surveyed: int
    largest: int
    largest_page: str


def write_site(
    cells: Cells, tree: Tree, meta: Meta, folder: Path, *, units: Iterable[Any] = (), rule: Publication | None = None
) -> Written:
    """Writes the site to ``folder``, whole or not at all; a site that was there is replaced.

    Raises:
        InputError: as :func:`analysis.report.places.places`; the folder holds something that is no site.
    """
    found = places(cells, tree, meta, list(units), rule)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())) and not (folder / MARKER).is_file():
        raise InputError(
            str(folder),
            Text("thư mục đã có thứ khác, không phải trang công khai", "the folder holds something that is no site"),
            Text("chọn thư mục mới hoặc thư mục trống", "choose a new or an empty folder"),
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        made.chmod(0o755)
        largest = _write(cells, tree, meta, found, made)
        if folder.exists():
            shutil.rmtree(folder)
        made.rename(folder)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    surveyed = sum(place.state == SHOWN for listed in found.communes.values() for place in listed)
    return Written(folder, found.count, surveyed, *largest)


def _write(cells: Cells, tree: Tree, meta: Meta, found: Places, folder: Path) -> tuple[int, str]:
    (folder / MARKER).write_text("survey report --site\n", encoding="ascii")
    for name in ("site.css", "search.js"):
        shutil.copyfile(_FOLDER / name, folder / name)
    _put(folder / "places.js", _places_script(found))
    _write_data(cells, tree, meta, found, folder / "data")
    largest = (0, "")
    for spoken in LANGUAGES:
        at = folder if spoken == "vi" else folder / spoken
        at.mkdir(exist_ok=True)
        for name, text in _Pages(cells, tree, meta, found, spoken).all():
            _put(at / f"{name}.html", text)
            largest = max(largest, (len(text.encode()), f"{name}.html"))
    return largest


def _put(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8", newline="\n")


class _Pages:
    """The pages of one language."""

    def __init__(self, cells: Cells, tree: Tree, meta: Meta, found: Places, language: str):
        self.cells, self.tree, self.meta, self.found, self.language = cells, tree, meta, found, language
        self.figures = Figures(meta, language)
        self.short = [node for node in tree.index() if node.depth <= _SHORT]
        short = {node.code for node in self.short}
        self.long = [node for node in (*tree.index(), *tree.beside()) if node.code not in short]
        published = [cell.published for cell in cells.all if words.known(cell.estimate)]
        self.official = PUBLISHED if published and all(published) else INTERNAL
        environment = Environment(
            loader=FileSystemLoader(_FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.globals.update(
            t=self.figures.t,
            language=language,
            root="" if language == "vi" else "../",
            meta=meta,
            official=self.official(language),
            states={state: text(language) for state, text in STATES.items()},
            whole=found.whole,
            provinces=found.provinces,
            interval_name=self.interval_name(),
            day=words.day,
            days=words.days,
            places={level: text(language) for level, text in PLACES.items()},
            SHOWN=SHOWN, FEW=FEW, NONE=NONE, WHOLE=WHOLE, PROVINCE=PROVINCE, COMMUNE=COMMUNE,
        )  # fmt: skip
        self.template: Template = environment.get_template("site.html")
        self.search: Template = environment.get_template("site_search.html")

    def interval_name(self) -> str:
        """What the intervals of the page are: ours, or as published."""
        sure = words.level(self.meta.level, self.language)
        if self.official is PUBLISHED:
            return self.figures.t("khoảng công bố", "published interval").capitalize()
        return self.figures.t(f"Khoảng tin cậy {sure}", f"{sure} interval")

    def all(self) -> Iterator[tuple[str, str]]:
        """Name and text of every page."""
        whole = self.found.whole
        yield whole.page, self.page(whole, (), self.place_rows(self.found.provinces, whole), self.groups())
        yield "tim-kiem", self.search.render()
        for province in self.found.provinces:
            listed = self.found.communes.get(province.code, ())
            yield province.page, self.page(province, (whole,), self.place_rows(listed, province))
            for commune in listed:
                yield commune.page, self.page(commune, (whole, province))

    def page(
        self,
        place: Place,
        above: Sequence[Place],
        rows: Sequence[Row] = (),
        groups: Sequence[tuple[str, Sequence[Row]]] = (),
    ) -> str:
        """One page: what is known of the place, beside the place above it that has figures."""
        wider = next((one for one in reversed(above) if one.state == SHOWN and one.cells != place.cells), None)
        shown, deep = place.state == SHOWN, place.level != COMMUNE
        return self.template.render(
            place=place,
            above=above,
            wider=wider,
            headline=self.line(place) if place.state == SHOWN else None,
            beside=self.line(wider) if wider else None,
            top=self.found.top,
            scale=self.figures.scale(self.found.top.scale),
            lines=Table.of(self.index_rows(place, wider, self.short) if shown else ()),
            more=Table.of(self.index_rows(place, wider, self.long) if shown and deep else ()),
            rest=0 if deep else sum(node.code in place.cells for node in self.long),
            listed=Table.of(rows),
            bare=[row for row in rows if row.state == NONE],
            shown=sum(row.state == SHOWN for row in rows),
            groups=[(name, Table.of(listed)) for name, listed in groups],
        )

    def line(self, place: Place) -> Line:
        return self.figures.line(place.cells.get(self.found.top.code), self.found.top)

    def index_rows(self, place: Place, wider: Place | None, nodes: Sequence[Node]) -> tuple[Row, ...]:
        """Nodes of a place; those that it has no cell of are left out."""
        found = []
        for node in nodes:
            cell = place.cells.get(node.code)
            if cell is not None:
                mark = self.mark(wider.cells.get(node.code), node) if wider else None
                line = self.figures.line(cell, node)
                found.append(Row(line, line.bar, mark))
        return tuple(found)

    def mark(self, cell: Cell | None, node: Node) -> float | None:
        bar = self.figures.bar(cell, node) if cell is not None and words.known(cell.estimate) else None
        return bar[1] if bar else None

    def place_rows(self, listed: Sequence[Place], wider: Place) -> list[Row]:
        """Places by their headline value, in the order of their names."""
        top = self.found.top
        mark = self.mark(wider.cells.get(top.code), top)
        found = []
        for place in listed:
            line = self.figures.line(place.cells.get(top.code), top, label=place.full(self.language))
            found.append(Row(line, line.bar, mark if place.state == SHOWN else None, place.page, place.state))
        return found

    def groups(self) -> list[tuple[str, list[Row]]]:
        """Groups of people, of everybody alone: crossings with a place have no page."""
        top, found = self.found.top, []
        for level in self.cells.levels():
            if level in PLACES or "*" in level:
                continue
            rows = []
            for domain, own in self.cells.domains(level).items():
                if cell := own.get(top.code):
                    name = self.meta.domain_name(level, domain)(self.language)
                    line = self.figures.line(cell, top, label=name)
                    rows.append(Row(line, line.bar))
            if rows:
                found.append((self.meta.level_name(level)(self.language), rows))
        return found


def _places_script(found: Places) -> str:
    """The index of the search, a place a line: ``/page|name|kind|state|former names`` of a province, and below it
    ``slug|name|kind|state`` of each commune, where the kind Xã and the state shown are left out."""
    lines = []
    for province in found.provinces:
        former = ", ".join(province.former)
        lines.append((f"/{province.page}", province.name, province.kind, province.state, former))
        for place in found.communes.get(province.code, ()):
            kind, state = (place.kind if place.kind != "Xã" else ""), (place.state if place.state != SHOWN else "")
            lines.append((place.slug, place.name, kind, state, ""))
    text = "\n".join("|".join(nfc(part).replace("|", " ") for part in line).rstrip("|") for line in lines)
    safe = text.replace("\\", "").replace("`", "'").replace("${", "$ {")
    return f"window.PLACES = `{safe}`;\n"


def _write_data(cells: Cells, tree: Tree, meta: Meta, found: Places, folder: Path) -> None:
    """The figures as CSV: ``all.csv``, and one file for each place that has some."""
    folder.mkdir()
    whole = found.whole
    every = [whole, *found.provinces, *(place for listed in found.communes.values() for place in listed)]
    with (folder / "all.csv").open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(_COLUMNS)
        for place in every:
            rows = list(_data_rows(place, tree, meta))
            writer.writerows(rows)
            if place.level != WHOLE and place.state == SHOWN:
                with (folder / f"{place.page}.csv").open("w", encoding="utf-8-sig", newline="") as own:
                    one = csv.writer(own)
                    one.writerow(_COLUMNS)
                    one.writerows(rows)


def _data_rows(place: Place, tree: Tree, meta: Meta) -> Iterator[tuple[Any, ...]]:
    if place.state == FEW:
        return
    for code, cell in place.cells.items():
        node = tree.nodes.get(code)
        if node is None:
            continue
        figures: Mapping[str, float] = vars(cell)
        source = "published elsewhere" if cell.published else "own survey, not an official publication"
        yield (
            meta.round,
            place.level,
            place.code,
            place.full("vi"),
            code,
            node.label.vi,
            node.label.en,
            *(_plain(figures[name]) for name in ("estimate", "se", "low", "high", "df", "n")),
            cell.note,
            source,
        )


def _plain(value: float) -> str:
    return "" if value != value else f"{value:.10g}"
