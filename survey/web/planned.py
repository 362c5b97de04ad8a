"""What a plan of the store is made of, for its pages: items, targets, scores, reports as the analysis takes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import g

from survey.errors import InputError, SurveyError
from survey.store import plans as stored
from survey.tables import Table
from survey.text import LANGUAGES, Text
from survey.web import words
from survey.web.bringing import with_file
from survey.web.desk import desk, store
from survey.web.words import t

if TYPE_CHECKING:
    from analysis.agencies import Whom
    from analysis.plan import Figures, Rules
    from analysis.plan_sheet import Collected, Item
    from analysis.report.plan_papers import Plan
    from analysis.standing import Part
    from analysis.targets import Target
    from analysis.units import Register


def needs_analysis() -> None:
    """Says in words that the analysis part is not installed. Raises InputError."""
    if not words.at_desk():
        raise InputError(
            t("Trang này", "This page"),
            Text("máy này chưa cài phần phân tích", "the analysis part is not installed here"),
            Text(
                "dùng máy để bàn của tỉnh, hoặc cài citizen-survey[analysis]",
                "use the province's desk, or install citizen-survey[analysis]",
            ),
        )


def items_of(plan: str) -> dict[str, Item]:
    from analysis.plan_sheet import Item

    names = Item.__dataclass_fields__
    found = {}
    for one in stored.parts(store(), plan, stored.ITEM):
        known = {name: value for name, value in one.items() if name in names}
        found[one["id"]] = Item(**{**known, "assist": tuple(known["assist"])})
    return found


def document_of(item: Item) -> dict[str, Any]:
    return {**vars(item), "assist": list(item.assist)}


def target_of(document: dict[str, Any]) -> Target:
    from analysis.targets import COLUMNS, read_targets

    row = {name: str(document[name]) for name in COLUMNS}
    (found,) = read_targets(Table("target", COLUMNS, (row,), (1,)))
    return found


def collected_of(document: dict[str, Any]) -> Collected:
    """The plan after every report, quarter by quarter in the order of the first that came: only two reports of one
    quarter can contradict each other."""
    from analysis.plan_sheet import Answer, collect

    found = collect(list(items_of(document["id"]).values()), ())
    held = sorted(stored.parts(store(), document["id"], stored.REPORT), key=lambda one: str(one["time"]))
    for quarter in dict.fromkeys(one["quarter"] for one in held):
        answers = [Answer(**one) for report in held if report["quarter"] == quarter for one in report["answers"]]
        found = collect(found.items, answers)
    return found


def papers_of(document: dict[str, Any]) -> Plan:
    from analysis.index import load_index
    from analysis.plan import outlook
    from analysis.report.plan_papers import Plan

    figures, node = figures_of(document), load_index(document["index"]).nodes[0]
    targets = [target_of(one) for one in stored.parts(store(), document["id"], stored.TARGET)]
    return Plan(
        unit=document["unit_name"],
        index=Text(node.name("vi"), node.name("en")),
        round=document["round"],
        known=document["known"],
        items=tuple(items_of(document["id"]).values()),
        parts=tuple(parts_of(document)),
        targets=tuple(outlook(one, figures) for one in targets),
        basis=tuple(dict.fromkeys(one.source for one in targets if one.source)),
        own=figures.own,
    )


@cache
def index_name(id: str) -> Text:
    """A shipped index by the name of its top and the year of its framework; one that is not shipped here by its id."""
    from analysis.index import load_index

    try:
        top = load_index(id).nodes[0]
    except SurveyError:
        return Text(id, id)
    year = id.rpartition("_")[2]
    name = Text(top.name("vi"), top.name("en"))
    return Text(f"{name.vi}, khung {year}", f"{name.en}, framework of {year}") if year.isdigit() else name


def part_name(code: str, index: str) -> Text:
    """A part of an index with its code; the whole by its name, which has it."""
    from analysis.index import load_index

    nodes = load_index(index).nodes
    node = next((one for one in nodes if one.code == code), None)
    if node is None:
        return Text(code, code)
    return Text(*((f"{code} " if node is not nodes[0] else "") + node.name(language) for language in LANGUAGES))


def agency_name(name: str, unit: str) -> Text:
    """An agency in both languages where the unit's list has an English name for it, else as it was typed."""
    register, _ = register_for(unit)
    return Text(name, next((one.name_en for one in register.lookup(name) if one.name_en), name))


def in_english(item: Item, unit: str) -> dict[str, str]:
    """The agencies of an item by their English names, where the list has one that says something new."""
    told = {"lead": (item.lead,) if item.lead else (), "assist": item.assist}
    found = {field: [agency_name(name, unit).en for name in names] for field, names in told.items()}
    return {field: "; ".join(names) for field, names in found.items() if names != list(told[field])}


def item_words(item: Item, parts: Mapping[str, Part], since: str) -> tuple[Text, Text]:
    """An item's indicator and how it stands, in both languages as far as they are the draft's; what somebody changed
    is told as it was typed."""
    from analysis.plan_sheet import assessment

    name, stands = Text(item.name, item.name), Text(item.assessment, item.assessment)
    part = parts.get(item.code)
    if part is None:
        return name, stands
    drafted = Text(*(assessment(part, language, since) for language in LANGUAGES))
    return part.label if item.name in part.label else name, drafted if item.assessment in drafted else stands


def parts_of(document: dict[str, Any]) -> list[tuple[str, Part]]:
    from analysis.standing import tree_of_parts

    unit, known = document["unit_name"], document["known"]
    return tree_of_parts(figures_of(document), document["index"], unit, known, document["since"])


def parts_by_code(document: dict[str, Any]) -> dict[str, Part]:
    """The parts of a plan's scores by code; none while the scores file has not come to this machine."""
    try:
        return {part.code: part for _, part in parts_of(document)}
    except InputError:
        return {}


def register_for(unit: str) -> tuple[Register, bool]:
    """The agencies of a unit, and whether the list is its own; else it is the example. Read once a request."""
    from analysis.agencies import EXAMPLE, example, register_of

    held = g.setdefault("registers", {})
    if unit not in held:
        own = stored.agencies(store(), unit)
        today = desk().now().date().isoformat()
        rows = own["rows"] if own else example(unit, today)
        held[unit] = register_of(rows, "agencies.csv" if own else EXAMPLE(words.interface())), own is not None
    found: tuple[Register, bool] = held[unit]
    return found


def whom(told: Mapping[str, Any]) -> dict[str, Whom]:
    """Whom the parts of a new plan are given to: as in the unit's last plan of this kind, else as suggested."""
    from analysis.agencies import assigned
    from analysis.index import load_index

    family = str(told["index"]).partition("_")[0]
    last = [one for one in stored.plans(store()) if one["unit_name"] == told["unit_name"]
            and str(one["index"]).partition("_")[0] == family]  # fmt: skip
    before = {
        item.code: (item.lead, *item.assist)
        for one in last  # by round: a later plan's word stands
        for item in items_of(one["id"]).values()
        if item.lead and not item.assigned
    }
    register, _ = register_for(str(told["unit_name"]))
    return assigned(load_index(told["index"]), register, desk().now().date().isoformat(), before)


def now_named(item: Item, unit: str) -> tuple[Item, list[Text]]:
    """An item with its agencies as they are called today, and what there is to say: replaced, or not in the list."""
    from analysis.agencies import named

    register, _ = register_for(unit)
    today, said, lists = desk().now().date().isoformat(), [], []
    for listed in ((item.lead,) if item.lead else (), item.assist):
        names: list[str] = []
        for one in listed:
            found, remark = named(register, one, today)
            names += found
            said += [remark] if remark else []
        lists.append(names)
    lead, assist = lists
    return replace(item, lead=next(iter(lead), ""), assist=tuple(dict.fromkeys([*lead[1:], *assist]))), said


def rules_of(document: Mapping[str, Any]) -> Rules:
    """How a plan's groups are cut: as was chosen, else as its index cut them in the round of its results."""
    from analysis.plan import Rules
    from analysis.ranking import group_rules

    ties, missing = group_rules(str(document["index"]), str(document["known"]))
    return Rules(document.get("ties") or ties, document.get("missing") or missing)


def figures_of(document: dict[str, Any]) -> Figures:
    """The scores of a plan, read once a request."""
    if "figures" not in g:
        content = stored.scores(store(), document)
        if content is None:
            raise InputError(
                document["scores"]["name"],
                Text("tệp điểm chưa về máy này", "the scores file has not come to this machine"),
                Text("đồng bộ với máy đã lập kế hoạch", "sync with the machine that made the plan"),
            )
        rules = rules_of(document)
        g.figures = with_file(document["scores"]["name"], content, lambda file: read_figures(file, rules))
    found: Figures = g.figures
    return found


def read_figures(file: Path, rules: Rules) -> Figures:
    from analysis.plan import Figures

    return Figures([file], rules)
