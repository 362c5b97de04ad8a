"""The whole way to a report: scores and what is known about their round, put together.

:func:`from_files` takes scores that were written before; :func:`from_round` scores the interviews of a round now. Both
give a :class:`Report`, from which :mod:`analysis.report.documents` makes documents; nothing is printed or written here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.design import Design, Publication
from analysis.index import Index, load_index
from analysis.report import facts
from analysis.report.cells import WHOLE, Cells, cells
from analysis.report.meta import NONE, Fact, Meta
from analysis.report.quadrant_pages import Drive, drive
from analysis.report.reading import read_scores
from analysis.report.tree import Tree, tree
from analysis.small_area import Classes, classes, is_commune_level
from analysis.succession import day_of
from analysis.units import provinces
from survey.errors import InputError, Problem
from survey.questionnaire.model import Questionnaire
from survey.text import Text

if TYPE_CHECKING:
    from analysis.dataset import Dataset
    from analysis.table import Table


USUAL = ("province", "commune", "sex", "ethnicity", "area", "interview_mode")
"""Columns that a report of a round compares by, where the data have them."""
_MOST_DOMAINS = 200


@dataclass(frozen=True)
class Background:
    """What is known about a round besides its scores; every part may be missing.

    ``document`` is the round's document, ``units`` the documents of its sample units, ``strata`` how many strata the
    sample has, ``silent`` the share of don't know and refused by code, ``facts`` further lines of the method box,
    ``commands`` what was typed, ``made`` the ISO date of today.
    """

    document: Mapping[str, Any] = field(default_factory=dict)
    questionnaire: Questionnaire | None = None
    units: Sequence[Mapping[str, Any]] = ()
    strata: int | None = None
    silent: Mapping[str, float] = field(default_factory=dict)
    facts: Sequence[Fact] = ()
    commands: Sequence[str] = ()
    made: str = ""


@dataclass(frozen=True)
class Report:
    """All that a document is made of, and what a person should look at before it is given out.

    ``sources`` are the scores as :func:`analysis.score_file.score_table` takes them, for what needs covariances;
    ``units`` the documents of the sample, ``publication`` the rule for small cells, ``drive`` computes what goes with
    an outcome where one was asked for.
    """

    cells: Cells
    tree: Tree
    meta: Meta
    index: Index
    sources: tuple[Any, ...] = ()
    units: Sequence[Mapping[str, Any]] = ()
    publication: Publication | None = None
    findings: tuple[Problem, ...] = ()
    drive: Drive | None = None

    @property
    def domains(self) -> int:
        """How many domains there are, over all their levels."""
        return sum(len(self.cells.domains(name)) for name in self.cells.levels())

    @property
    def provisional(self) -> bool:
        return self.meta.provisional

    def classes(self, level: str, code: str) -> Classes | None:
        """The places of a level in three classes against the whole, from the first source that can tell them."""
        for source in self.sources:
            try:
                return classes(source, code, by=level, round=self.meta.round)
            except InputError:
                continue
        return None


def from_files(
    paths: Sequence[str | Path],
    index: Any,
    *,
    round: str = "",
    design: Design | None = None,
    background: Background | None = None,
) -> Report:
    """A report of scores in ``paths`` (several files where they hold different domain levels).

    Raises:
        Problems, InputError: as :func:`analysis.report.reading.read_scores` and :func:`analysis.index.load_index`.
    """
    loaded = load_index(index)
    rows = read_scores(paths, loaded, round)
    round = round or str(rows[0]["round"])  # the only one
    found = cells(rows)
    return _report(found, loaded, design, round, background or Background(), (), (), tuple(paths))


def from_round(
    dataset: Dataset,
    index: Any = None,
    design: Design | None = None,
    by: Sequence[str] = (),
    *,
    background: Background,
    outcome: str = "",
    attributes: Sequence[str] = (),
) -> Report:
    """A report of the interviews of a round: everybody together, and by each of the columns ``by`` alone.

    Without ``index`` it is the one of the round's questionnaire; without ``by`` what the data hold
    of :data:`USUAL`, without ``design`` the one that the frame's columns declare, at the round's level. With an
    ``outcome`` the documents show what of ``attributes`` goes with it (:mod:`analysis.report.quadrant_pages`).

    Raises:
        Problems, InputError: as :func:`analysis.scores.score`.
    """
    from analysis.scores import score

    questionnaire = _questionnaire(dataset)
    loaded, table, round = load_index(index or questionnaire), dataset.table, str(dataset.round["id"])
    design = design or replace(dataset.design, level=float(dataset.round.get("level") or 0.95))
    if design.publication is None:
        design = replace(design, publication=dataset.publication)
    by = by or [name for name in USUAL if name in table and 2 <= len(table.labels(name)[1]) <= _MOST_DOMAINS]
    made = [
        # Communes are read against the whole, a part of which they are: their covariance with it is wanted.
        score(table, loaded, design, name, total=is_commune_level(name), round=round, provisional=dataset.provisional)
        for name in ("", *by)
    ]
    background = replace(
        background,
        document=dataset.round,
        questionnaire=questionnaire,
        strata=len(made[0].sample.stratum_names) if made[0].sample and design.strata else None,
        silent=_silent(table, loaded),
        facts=[
            *([facts.volunteers_fact()] if dataset.volunteers else []),
            *facts.state_fact(_states(table)),
            *background.facts,
            *_mode(dataset),
        ],
    )
    rows = list({
        (row["domain_level"], row["domain"], row["code"]): row
        for scores in made
        for row in scores.table.to_dict("records")
    }.values())  # fmt: skip
    findings = {finding: None for scores in made for finding in scores.findings}
    notes = tuple({note: None for scores in made for note in scores.notes})
    report = _report(cells(rows), loaded, design, round, background, notes, tuple(findings), tuple(made))
    if outcome:
        report = replace(report, drive=drive(table, design, loaded, report.tree, outcome, attributes))
    return report


def _report(
    found: Cells,
    index: Index,
    design: Design | None,
    round: str,
    background: Background,
    notes: Iterable[Text],
    findings: tuple[Problem, ...],
    sources: tuple[Any, ...],
) -> Report:
    document, questionnaire = background.document, background.questionnaire
    levels = found.levels()
    provisional = any(cell.provisional for cell in found.all)
    top = tree(index)
    settings = questionnaire.settings if questionnaire else {}
    own = any(not cell.published for cell in found.all)
    basis = _told(document.get("legal_basis"))
    method = [Fact(Text("Căn cứ", "Legal basis"), basis)] if basis else []
    method += [*_sample(found, top.top.code, background.strata), *facts.draw_facts(document), *background.facts]
    if own:
        method += facts.design_facts(design)
        method += facts.index_facts(index, _bilingual(settings, "note"))
    method += facts.software_facts()
    meta = Meta(
        title=_told(document.get("title")) or top.top.label,
        index_title=_titled(questionnaire) or Text(index.id, index.id),
        index=index.id,
        round=str(document.get("id") or round),
        label=_told(document.get("label")) or NONE,
        places=_places(background.units),
        starts=str(document.get("starts") or ""),
        ends=str(document.get("ends") or ""),
        made=background.made,
        synthetic=bool(document.get("synthetic")) or any(cell.synthetic for cell in found.all),
        pilot=bool(document.get("pilot")) or any(cell.pilot for cell in found.all),
        provisional=provisional,
        level=design.level if design else float(document.get("level") or 0.95),
        method=tuple(method),
        commands=tuple(background.commands),
        silent=background.silent,
        notes=(*_published_interval(found, index), *(Text(problem("vi"), problem("en")) for problem in findings)),
        assumptions=tuple(notes),
        level_names=_level_names(levels, questionnaire),
        domain_names=_domain_names(levels, questionnaire, background.units)
        | _provinces(found, str(document.get("id") or round), background.units),
    )
    rule = (design.publication if design else None) or Publication.of(document)
    return Report(found, top, meta, index, sources, background.units, rule, findings)


def _questionnaire(dataset: Dataset) -> Questionnaire:
    """The round's questionnaire; where it names a version that nobody answered, one that was."""
    held = dataset.questionnaires
    return held.get(str(dataset.round.get("questionnaire_hash"))) or list(held.values())[-1]


def _states(table: Table) -> list[str]:
    return table.labels("state")[1]


def _silent(table: Table, index: Index) -> dict[str, float]:
    """By leaf: people who did not know or refused, as a share of these and of those who answered (unweighted)."""
    found = {}
    for leaf in index.leaves:
        name = table.find(leaf.question) if leaf.question else None
        kinds = table.kinds(name) if name else None
        if name is None or kinds is None:
            continue
        counted = {"dont_know", "refused"} & set(kinds[1])
        silent = sum(int((kinds[0] == kinds[1].index(kind)).sum()) for kind in counted)
        answered = int((table.codes(name)[0] >= 0).sum())
        if answered + silent:
            found[leaf.code] = silent / (answered + silent)
    return found


def _mode(dataset: Dataset) -> list[Fact]:
    """How the interviews were done, where the questionnaire records it."""
    table, name = dataset.table, "interview_mode"
    if name not in table or name not in dataset.questions:
        return []
    node = dataset.questions[name]
    choices = [choice for one in dataset.questionnaires.values() for choice in one.lists.get(node.list_name, ())]
    words = {choice.name: _told(dict(choice.label)) or Text(choice.name, choice.name) for choice in choices}
    codes, values = table.labels(name)
    return facts.answers_fact(
        Text("Hình thức thực hiện", "Mode of interview"), [values[code] for code in codes if code >= 0], words
    )


def _sample(found: Cells, top: str, strata: int | None) -> list[Fact]:
    whole = found.whole().get(top)
    if whole is None or whole.published:
        return []
    return facts.sample_facts(int(whole.n), int(whole.n_psu), strata)


def _told(words: Any) -> Text | None:
    """A text of a document, ``{"vi": …, "en": …}`` or one word for both; None if it is empty."""
    if isinstance(words, Mapping):
        some = next((str(word) for word in words.values() if word), "")
        words = Text(str(words.get("vi") or some), str(words.get("en") or some))
    elif words:
        words = Text(str(words), str(words))
    return words if words and words.vi else None


def _titled(questionnaire: Questionnaire | None) -> Text | None:
    return _told(dict(questionnaire.title)) if questionnaire else None


def _bilingual(settings: Mapping[str, str], name: str) -> Text:
    """A settings column that is written in two languages: ``note::Tiếng Việt (vi)``, ``note::English (en)``."""
    found = {code: text for code in ("vi", "en") for key, text in settings.items()
             if key.startswith(f"{name}::") and key.endswith(f"({code})")}  # fmt: skip
    return _told(found) or NONE


def _places(units: Sequence[Mapping[str, Any]]) -> tuple[Text, ...]:
    """The provinces of the sample, by name."""
    names = {str(unit.get("province_name") or unit.get("province") or "") for unit in units}
    return tuple(Text(name, name) for name in sorted(names - {""}))


def _level_names(levels: Sequence[str], questionnaire: Questionnaire | None) -> dict[str, Text]:
    """What the questionnaire asks for as a domain level, where the report has no word of its own for it."""
    from analysis.report.meta import LEVELS

    found = {}
    for level in {one for crossing in levels for one in crossing.split("*")} - set(LEVELS) - set(WHOLE):
        node = _question(questionnaire, level)
        if node is not None and (label := _told(dict(node.label))):
            found[level] = label
    return found


def _domain_names(
    levels: Sequence[str], questionnaire: Questionnaire | None, units: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, Text]]:
    """Domains by code: choices of the question, else names that the frame gives to its codes."""
    found: dict[str, dict[str, Text]] = {}
    for level in dict.fromkeys(one for crossing in levels for one in crossing.split("*")):
        names = {}
        node = _question(questionnaire, level)
        if questionnaire is not None:
            # A calculated column has no list of its own; by custom it is named like the list of what it holds.
            for choice in questionnaire.lists.get(node.list_name if node and node.list_name else level, ()):
                names[choice.name] = _told(dict(choice.label)) or Text(choice.name, choice.name)
        name_column = level.removesuffix("_code") if level.endswith("_code") else f"{level}_name"
        for unit in units:
            if unit.get(level) and unit.get(name_column):
                name = str(unit[name_column])
                names.setdefault(str(unit[level]), Text(name, name))
        found[level] = names
    return found


def _provinces(found: Cells, round: str, units: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Text]]:
    """Provinces by the code or spelling of the scores, with their official names on the day of the round; nothing
    where the frame names them itself."""
    if any(unit.get("province_name") for unit in units):
        return {}
    names = {}
    for domain in dict.fromkeys(
        name
        for cell in found.all
        for level, name in zip(cell.domain_level.split("*"), cell.domain.split("|"), strict=False)
        if level == "province"
    ):
        known = provinces().lookup(domain, day_of(round))
        if len({unit.name for unit in known}) == 1:
            names[domain] = Text(known[0].name, known[0].name_en or known[0].name)
    return {"province": names} if names else {}


def _question(questionnaire: Questionnaire | None, name: str) -> Any:
    if questionnaire is None:
        return None
    return next((node for node in questionnaire.walk() if node.kind == "question" and node.name == name), None)


def _published_interval(found: Cells, index: Index) -> list[Text]:
    """What PAPI's published intervals really are, where some are shown."""
    if not index.id.startswith("papi") or not any(cell.published and cell.has_interval for cell in found.all):
        return []
    return [
        Text(
            "Khoảng do PAPI công bố (đã kiểm tra 2019, 2022, 2023) bằng giá trị ± 1,645 lần sai số chuẩn: về số học "
            "là khoảng 90\u00a0% hai phía, dù được ghi là 95\u00a0%.",
            "PAPI's published intervals (checked: 2019, 2022, 2023) are the value ± 1.645 standard errors: numerically "
            "two-sided 90% intervals, although labelled 95%.",
        )
    ]
