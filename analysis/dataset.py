"""Interviews from the store as columns: the only place of the analysis that opens it.

One row an interview: the frame's columns (contact never), then the questions of every version of the questionnaire
merged by path. An answer of a missing kind leaves the column empty and names the kind in ``q__missing``; a
select_multiple has its joined text and one 0/1 column for each choice, ``q/choice``; a repeat has the number of its
instances, and its rows in a table of their own.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from analysis.design import Design, Publication
from analysis.index import Index, load_index
from analysis.table import MISSING_SUFFIX, Table
from survey.errors import InputError
from survey.fieldwork.independence import REASON
from survey.fieldwork.places import Change, changes, placed_now
from survey.questionnaire.model import Node, Questionnaire, generic
from survey.text import Text, many

if TYPE_CHECKING:
    from survey.store import Store

META = ("interview", "state", "unit", "actor", "device", "time", "mode")
WEIGHT = "w_base"
PROBABILITY = "respondent_probability"
VOLUNTEERS = Text(
    "Phiếu tự nguyện: người trả lời tự chọn tham gia, không đại diện cho người dân; không gộp với mẫu được chọn",
    "Volunteers: they chose to answer and stand for nobody else; never pooled with the drawn sample",
)
_DOCUMENT = ("id", "round", "assignee", REASON, "list", "order")


@dataclass(frozen=True)
class Dataset:
    """The responses of a round.

    ``table`` has one row an interview, ``children`` one table for each repeat (with ``interview`` and the instance's
    id); ``questions`` the node behind each column; ``round`` the round's document; ``provisional`` says that interviews
    are among them which nobody has approved, ``volunteers`` that they are of people whom nobody drew. ``remarks`` are
    what a reader must know of a column beside its question, and of the whole (under ""). ``declared`` is the design,
    where it is another than the frame's columns say.
    """

    round: Mapping[str, Any]
    table: Table
    children: Mapping[str, Table] = field(default_factory=dict)
    questions: Mapping[str, Node] = field(default_factory=dict)
    questionnaires: Mapping[str, Questionnaire] = field(default_factory=dict)
    provisional: bool = False
    volunteers: bool = False
    remarks: Mapping[str, tuple[Text, ...]] = field(default_factory=dict)
    declared: Design | None = None

    @property
    def index(self) -> Index:
        """The index of the round's own questionnaire (of its latest version), else the one that the round names."""
        own = [form for form in self.questionnaires.values() if form.index]
        if own:
            return load_index(max(own, key=lambda form: form.version))
        return load_index(str(self.round.get("index", "")))

    @property
    def design(self) -> Design:
        """The design that the frame's own columns declare: base weight, stratum, PSU, PSUs taken with certainty.

        Raises:
            InputError: such a column is there for some interviews and blank for others; names the units.
        """
        if self.declared is not None:
            return self.declared

        def there(name: str) -> str:
            if name not in self.table:
                return ""
            blank = self.table.codes(name)[0] < 0
            if blank.any() and not blank.all():
                codes, units = self.table.labels("unit")
                first = ", ".join(units[code] for code in codes[blank][:5])
                count = int(blank.sum())
                raise InputError(
                    f"round {self.round['id']}, column {name}",
                    Text(
                        f"{count} phiếu để trống cột này: {first}",
                        f"{many(count, 'interview is', 'interviews are')} blank here: {first}",
                    ),
                    Text(
                        "bổ sung cho các đơn vị mẫu này, hoặc khai báo thiết kế bằng --design",
                        "fill it in for these sample units, or declare the design with --design",
                    ),
                )
            return "" if blank.all() else name

        certain = there("certain")
        some = bool(certain) and "1" in self.table.labels(certain)[1]
        return Design(there(WEIGHT), there("stratum"), there("psu"), certainty=certain if some else "", nest=True)

    @property
    def publication(self) -> Publication | None:
        """The round's rule for small cells, where it has one (``publication`` in its document)."""
        return Publication.of(self.round)


def load(store: Store, round: str, states: Collection[str] = ("approved",), *, volunteers: bool = False) -> Dataset:
    """The interviews of ``round`` whose state is one of ``states``: of the drawn sample, or of the volunteers alone.

    Besides the frame's columns there is what fieldwork noted of a unit (decision 76): ``respondent_adults`` and
    ``respondent_probability`` of the choice within the household, which is in the base weight; ``replaces`` and
    ``replaced``; and ``commune_now``, ``commune_now_name`` … of places that have changed since the draw.

    Raises:
        InputError: there is no such round, or it has no interview in these states.
    """
    from survey.store import current, frame

    document = frame.round_document(store, round)
    interviews = list(current.responses(store, round, states, volunteers=volunteers))
    field = _Fieldwork.of(store, document)
    interviews = [(key, field.told(unit), hash, answers, meta) for key, unit, hash, answers, meta in interviews]
    if not interviews:
        if "sealed" in states:
            what = Text("chưa có phiếu nào hoàn thành", "no interview is finished yet")
            todo = Text("nhận phiếu của các máy trước", "receive the interviews of the laptops first")
        else:
            what = Text("chưa có phiếu nào được duyệt", "no interview is approved")
            todo = Text(
                "duyệt phiếu trước, hoặc dùng --state sealed", "approve interviews first, or use --state sealed"
            )
        raise InputError(f"round {round}", what, todo)
    questionnaires = {}
    for key in sorted({hash for _, _, hash, _, _ in interviews}):
        content = frame.questionnaire(store, key)
        if content is None:
            raise InputError(
                f"round {round}",
                Text(f"máy này không có bảng hỏi {key}", f"the questionnaire {key} is not here"),
                Text("đồng bộ lại với máy đã tạo đợt", "sync with the machine that made the round"),
            )
        questionnaires[key] = Questionnaire.from_json(content)
    found = _Columns(document, questionnaires).lay(interviews, provisional=set(states) != {"approved"})
    return replace(found, volunteers=volunteers)


def load_sample(store: Store, round: str, states: Collection[str] = ("approved",)) -> Dataset:
    """The units of a round that were to be interviewed, whether they were or not: what weights are made from.

    The rows of :func:`load`, and one for each other unit of the main list and each reserve unit that was visited, with
    the frame's columns. Two more columns: ``list``, and ``disposition``, the AAPOR code of a unit's visits (1.1 with
    an interview in these states; 3.11 never visited). A household in which nobody was chosen stands for as many
    people as the households of the respondents do on average.

    Raises:
        InputError: as :func:`load`; two interviews of one unit.
    """
    from survey.fieldwork.dispositions import final
    from survey.store import frame

    data = load(store, round, states)
    field = _Fieldwork.of(store, data.round)
    units = {str(unit["id"]): field.told(unit) for unit in frame.units(store, round)}
    usual = _usual_household(data.table)
    visited: dict[str, list[str]] = {}
    for visit in frame.visits(store):
        visited.setdefault(str(visit.get("unit", "")), []).append(str(visit.get("disposition", "")))
    codes, names = data.table.labels("unit")
    twice = [names[k] for k in np.flatnonzero(np.bincount(codes) > 1)]
    if twice:
        shown = ", ".join(twice[:5])
        raise InputError(
            f"round {round}",
            Text(
                f"số đơn vị có hơn một phiếu: {len(twice)} ({shown})",
                f"units with two interviews: {len(twice)} ({shown})",
            ),
            Text("chọn một: survey review settle hoặc void", "keep one: survey review settle or void"),
        )
    answered = [units.get(names[code], {}) for code in codes]
    here = {"list": [str(unit.get("list", "")) for unit in answered], "disposition": ["1.1"] * len(answered)}
    others = []
    for name, unit in units.items():
        if name not in set(names) and (unit.get("list") != "reserve" or name in visited):
            row = {column: _plain(value) for column, value in unit.items() if column not in _DOCUMENT}
            row |= {
                "unit": name,
                "round": round,
                "list": str(unit.get("list", "")),
                WEIGHT: _base_weight({**unit, PROBABILITY: unit.get(PROBABILITY) or usual}, data.round),
            }
            others.append({**row, "disposition": final(visited.get(name, ())).code})
    table = data.table.with_columns(here)
    if others:
        columns = [name for name in dict.fromkeys(column for row in others for column in row) if name in table]
        rest = _table(others, columns, table.source).arrow
        whole = pa.concat_tables([table.arrow, rest], promote_options="default")
        table = Table(whole, table.source, table.first_row)
    return replace(data, table=table)


@dataclass(frozen=True)
class _Fieldwork:
    """What was noted of the units of a round beside visits, by unit: choice of the respondent, replacement, places."""

    chosen: Mapping[str, Mapping[str, Any]]
    replaces: Mapping[str, str]
    replaced: Mapping[str, str]
    changes: Sequence[Change]
    today: str

    @classmethod
    def of(cls, store: Store, round: Mapping[str, Any]) -> _Fieldwork:
        from survey.store import fieldlog

        opened = fieldlog.read(store, fieldlog.REPLACEMENT, round=round["id"])
        replaces = {str(event["unit"]): str(event["replaces"]) for event in opened}
        chosen = fieldlog.respondents(store, round["id"]) if fieldlog.respondent_method(round) else {}
        back = {old: new for new, old in replaces.items()}
        return cls(chosen, replaces, back, changes(round), f"{datetime.now(UTC).astimezone():%Y-%m-%d}")

    def told(self, unit: Mapping[str, Any]) -> dict[str, Any]:
        """The unit with these columns; a choice that was not noted is blank where others' were."""
        name, found = str(unit["id"]), placed_now(unit, self.changes, self.today)
        if self.chosen:
            noted = self.chosen.get(name, {})
            found |= {"respondent_adults": noted.get("adults", ""), PROBABILITY: noted.get("probability", "")}
        if self.replaces:
            found |= {"replaces": self.replaces.get(name, ""), "replaced": self.replaced.get(name, "")}
        return found


def _usual_household(table: Table) -> float:
    """The chance within the household that stands in where nobody was chosen in it: one over the mean number of people
    whom each respondent stands for; 1 where nobody is chosen in households."""
    within = table.numbers(PROBABILITY) if PROBABILITY in table else np.ones(1)
    known = within[np.isfinite(within)]
    return float(1 / np.mean(1 / known)) if len(known) else 1.0


class _Columns:
    """The columns of all versions, by path; a name stands for its path where only one path has it."""

    def __init__(self, round: Mapping[str, Any], questionnaires: Mapping[str, Questionnaire]):
        self.round, self.questionnaires = round, questionnaires
        self.nodes: dict[str, Node] = {}
        self.repeats: dict[str, list[str]] = {}
        self.choices: dict[str, dict[str, None]] = {}
        self.codes: dict[str, dict[str, dict[str, str]]] = {}
        for key, questionnaire in questionnaires.items():
            for node, repeat in _questions(questionnaire.nodes, ""):
                self.nodes.setdefault(node.path, node)
                if repeat:
                    paths = self.repeats.setdefault(repeat, [])
                    paths += [node.path] if node.path not in paths else []
                listed = questionnaire.lists.get(node.list_name, ())
                self.choices.setdefault(node.path, {}).update(dict.fromkeys(choice.name for choice in listed))
                typed = {choice.name: choice.missing_kind for choice in listed if choice.missing_kind}
                self.codes.setdefault(key, {})[node.path] = {**typed, **node.missing_codes}
        names: dict[str, int] = {}
        for path in self.nodes:
            names[path.rpartition("/")[2]] = names.get(path.rpartition("/")[2], 0) + 1
        self.names = {path: name if names[name := path.rpartition("/")[2]] == 1 else path for path in self.nodes}

    def lay(self, interviews: Sequence[Any], *, provisional: bool) -> Dataset:
        frame = list(dict.fromkeys(str(name) for _, unit, _, _, _ in interviews for name in unit))
        # A question of this name goes before what the machine knows of how the form was filled in.
        meta = [name for name in META[1:] if name != "mode" or name not in self.names.values()]
        frame = [name for name in frame if name not in _DOCUMENT and name not in META]
        rows: list[dict[str, str]] = []
        children: dict[str, list[dict[str, str]]] = {repeat: [] for repeat in self.repeats}
        for interview, unit, hash, answers, told in interviews:
            row = {"interview": interview, "round": str(self.round["id"])}
            row |= {name: str(told.get(name, "")) for name in meta}
            row |= {name: _plain(unit.get(name, "")) for name in frame}
            row[WEIGHT] = _base_weight(unit, self.round)
            rows.append(row)
            for path, value in answers.items():
                place, instance = generic(path), _instance(path)
                if place in self.repeats and not instance:
                    row[place] = str(len(value))
                elif place in self.nodes:
                    target = row
                    if instance:
                        target = self._child(children, place, interview, instance)
                    if self.names[place] not in frame:
                        target |= self._cells(hash, place, value)
        columns = ["interview", "round", *meta, *frame, *([WEIGHT] if any(row[WEIGHT] for row in rows) else [])]
        columns += [name for name in self._headings(inside="") if name not in columns]
        tables = {
            repeat: _table(found, ["interview", repeat, *self._headings(inside=repeat)], repeat)
            for repeat, found in children.items()
        }
        label = f"round {self.round['id']}"
        questions = {self.names[path]: node for path, node in self.nodes.items()}
        return Dataset(self.round, _table(rows, columns, label), tables, questions, self.questionnaires, provisional)

    def _child(
        self, children: dict[str, list[dict[str, str]]], path: str, interview: str, instance: str
    ) -> dict[str, str]:
        repeat = next(repeat for repeat, paths in self.repeats.items() if path in paths)
        rows = children[repeat]
        if not rows or (rows[-1]["interview"], rows[-1][repeat]) != (interview, instance):
            found = [row for row in rows if (row["interview"], row[repeat]) == (interview, instance)]
            if found:
                return found[0]
            rows.append({"interview": interview, repeat: instance})
        return rows[-1]

    def _cells(self, hash: str, path: str, value: Any) -> dict[str, str]:
        name, node = self.names[path], self.nodes[path]
        if isinstance(value, Mapping):
            return {name + MISSING_SUFFIX: str(value.get("missing", ""))}
        typed = self.codes[hash].get(path, {})
        if isinstance(value, list):
            kinds = [typed[choice] for choice in value if choice in typed]
            if kinds and len(kinds) == len(value):
                return {name + MISSING_SUFFIX: kinds[0]}
            cells = {name: " ".join(value)}
            if node.type == "select_multiple":
                cells |= {f"{name}/{choice}": str(int(choice in value)) for choice in self.choices[path]}
            return cells
        if value in typed:
            return {name + MISSING_SUFFIX: typed[value]}
        return {name: str(value)}

    def _headings(self, inside: str) -> Iterator[str]:
        """The columns of the questions asked once (``inside`` empty) or within a repeat, in the order of the form."""
        within = {path: repeat for repeat, paths in self.repeats.items() for path in paths}
        for path, node in self.nodes.items():
            if within.get(path, "") == inside and not node.contact:
                name = self.names[path]
                yield name
                yield name + MISSING_SUFFIX
                if node.type == "select_multiple":
                    yield from (f"{name}/{choice}" for choice in self.choices[path])
        if not inside:
            yield from self.repeats


def _questions(nodes: Sequence[Node], repeat: str) -> Iterator[tuple[Node, str]]:
    for node in nodes:
        if node.kind == "question":
            yield node, repeat
        else:
            yield from _questions(node.children, node.path if node.kind == "repeat" else repeat)


def _instance(path: str) -> str:
    """The ids of the repeat instances on ``path``, outermost first: ``r7f`` of ``hh[r7f]/age``."""
    return "/".join(part.partition("[")[2].rstrip("]") for part in path.split("/") if "[" in part)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return "" if value is None or isinstance(value, (dict, list)) else str(value)


def _base_weight(unit: Mapping[str, Any], round: Mapping[str, Any]) -> str:
    """The inverse of the unit's probability of being drawn, if the sample says it, times that of the person within the
    household, if one was chosen there; times the person's cases where the round counts by case (a one-stop frame)."""
    try:
        within = float(unit.get(PROBABILITY, 1))
        cases = float(unit.get("cases", 1)) if round.get("count_by") == "case" else 1.0
        probability = float(unit.get("probability", "")) * within / cases
    except (TypeError, ValueError):
        return ""
    return repr(1 / probability) if 0 < probability <= 1 and math.isfinite(1 / probability) else ""


def _table(rows: Sequence[Mapping[str, str]], columns: Sequence[str], source: str) -> Table:
    names = list(dict.fromkeys(columns))
    arrays = {name: pa.array([row.get(name) or None for row in rows], pa.string()) for name in names}
    kept = {name: a for name, a in arrays.items() if not name.endswith(MISSING_SUFFIX) or a.null_count < len(a)}
    return Table(pa.table(kept), source)
