"""What each column of a data set is: where it comes from, its words, its categories, whom it was asked of.

Versions of a questionnaire are merged by path as the data set merges them; the words are those of the latest version.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa

from analysis.dataset import WEIGHT, Dataset
from analysis.table import MISSING_SUFFIX, Table, natural
from survey.questionnaire.matching import offered
from survey.questionnaire.model import ATTACHED_TYPES, MISSING, Node, Questionnaire
from survey.text import LANGUAGES, Text

PROVISIONAL, SYNTHETIC = "provisional", "synthetic"
SUPPRESSED = "suppressed"
"""The missing kind of an answer that open data hide to protect the person."""

NUMBER, CODES, FLAG, TEXT, KIND = "number", "codes", "flag", "text", "kind"
"""What a column holds: a number, one code of a list, 0 or 1, text, or the missing kind of the column before it."""

EVERYBODY = Text("Mọi người được phỏng vấn", "Everybody interviewed")
FROM_SYSTEM = Text("ghi nhận của hệ thống", "recorded by the system")
FROM_FRAME = Text("khung mẫu", "sampling frame")
FROM_QUESTION = Text("câu hỏi", "question")
FROM_CALCULATION = Text("tính từ các câu hỏi", "calculated from questions")

_SYSTEM = {
    "interview": Text("Mã phiếu", "Interview id"),
    "round": Text("Đợt khảo sát", "Round"),
    "state": Text("Trạng thái phiếu", "State of the interview"),
    PROVISIONAL: Text("Phiếu chưa duyệt, số liệu tạm tính", "Not approved yet: provisional"),
    SYNTHETIC: Text("Dữ liệu giả lập", "Synthetic data"),
    "unit": Text("Đơn vị mẫu", "Sample unit"),
    "actor": Text("Người thực hiện", "Person who recorded it"),
    "device": Text("Máy thực hiện", "Device"),
    "time": Text("Thời điểm hoàn thành", "Time of completion"),
    "mode": Text("Hình thức trả lời", "How the form was filled in"),
}
_WEIGHTS = {
    WEIGHT: Text("Quyền số cơ sở: nghịch đảo xác suất chọn", "Base weight: inverse of the probability of selection"),
    "w_nonresponse": Text("Quyền số sau hiệu chỉnh không trả lời", "Weight adjusted for nonresponse"),
    "w_calibrated": Text("Quyền số sau hiệu chỉnh theo tổng đã biết", "Weight calibrated to known totals"),
    "weight": Text("Quyền số dùng khi ước lượng", "Weight for estimation"),
}
_FRAME = {
    "province": Text("Mã tỉnh, thành phố", "Code of the province"),
    "province_name": Text("Tỉnh, thành phố", "Province"),
    "commune": Text("Mã xã, phường, đặc khu", "Code of the commune"),
    "commune_name": Text("Xã, phường, đặc khu", "Commune"),
    "village": Text("Mã thôn, tổ dân phố", "Code of the village"),
    "village_name": Text("Thôn, tổ dân phố", "Village"),
    "urban_rural": Text("Khu vực thành thị, nông thôn", "Urban or rural area"),
    "stratum": Text("Tầng", "Stratum"),
    "psu": Text("Đơn vị chọn mẫu cấp một", "Primary sampling unit"),
    "certain": Text("Đơn vị cấp một chắc chắn được chọn", "PSU taken with certainty"),
    "probability": Text("Xác suất chọn", "Probability of selection"),
}
_STATES = {
    "approved": Text("đã duyệt", "approved"),
    "sealed": Text("đã hoàn thành, chưa duyệt", "sealed, not approved yet"),
}
_WHY = Text("Lý do trống", "Why empty")
_YES_NO = {"0": Text("không", "no"), "1": Text("có", "yes")}
_IDENTIFIERS = re.compile(r"(.*_)?(id|code|name)|province|district|commune|village|psu|stratum|interview|unit")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_PLAIN_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d+)?([eE][+-]?\d+)?")
_PIPED = re.compile(r"\$\{([^}]*/)?([^}/]+)\}")

Words = Mapping[str, str]
"""Language code to text."""


A_FILE = Text(
    "mỗi ô là đường dẫn của một tệp cạnh tệp dữ liệu này (media/…); tệp chưa có ở máy xuất thì ô là SHA-256 của nó",
    "each cell is the path of a file beside this one (media/…); of a file not on the exporting machine, its SHA-256",
)
"""What stands in the column of a question that is answered by a file."""


@dataclass(frozen=True)
class Variable:
    """One column: ``name`` in the data set, ``kind`` (what it holds), its words by language.

    ``categories`` are the codes with their labels, ``missing`` the missing kinds that it offers or holds, ``of`` the
    column that a flag or a missing kind belongs to, ``whole`` whether all its numbers are whole, ``universe`` whom it
    was asked of, ``notes`` what a reader must know besides.
    """

    name: str
    kind: str
    label: Words
    source: Text
    question: Words = field(default_factory=dict)
    hint: Words = field(default_factory=dict)
    categories: Mapping[str, Words] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    of: str = ""
    whole: bool = False
    universe: Text = EVERYBODY
    calculation: str = ""
    notes: tuple[Text, ...] = ()


@dataclass(frozen=True)
class Part:
    """A table of the data set with what its columns are; ``name`` is empty for the interviews, else the repeat's."""

    name: str
    table: Table
    variables: tuple[Variable, ...]

    def variable(self, name: str) -> Variable:
        """The variable of that name."""
        return next(variable for variable in self.variables if variable.name == name)


def said(words: Words, language: str) -> str:
    """The words in ``language``, else in any language that has them; on one line."""
    found = words.get(language) or words.get("vi") or words.get("en") or next(filter(None, words.values()), "")
    return " ".join(_PIPED.sub(r"[\2]", found).split())


def missing_words(kind: str) -> Words:
    """A missing kind in both languages."""
    hidden = Text("Ẩn để bảo vệ người trả lời", "Hidden to protect the respondent")
    return (hidden if kind == SUPPRESSED else MISSING.get(kind, Text(kind, kind)))._asdict()


def parts(data: Dataset) -> tuple[Part, ...]:
    """The tables of ``data`` with their variables: the interviews first, then each repeat.

    Columns say which interviews are provisional and that a round is synthetic. Notes, which have no answer, are left
    out, and so is whatever any version of the questionnaire calls contact data.
    """
    merged = _Merged(data)
    found = [Part("", table := merged.kept(_marked(data)), tuple(merged.variables(table)))]
    for repeat, child in data.children.items():
        found.append(Part(repeat, table := merged.kept(child), tuple(merged.variables(table))))
    return tuple(found)


def _marked(data: Dataset) -> Table:
    """The interviews with their marks behind the column ``state``."""
    arrow = data.table.arrow
    states = arrow.column("state").to_pylist()
    marks = {
        PROVISIONAL: [str(int(state != "approved")) for state in states],
        SYNTHETIC: [str(int(bool(data.round.get("synthetic"))))] * len(states),
    }
    place = arrow.column_names.index("state") + 1
    for name, cells in marks.items():
        if name in arrow.column_names:  # a frame's own column of this name keeps its content under another
            arrow = arrow.rename_columns([f"frame_{one}" if one == name else one for one in arrow.column_names])
        arrow = arrow.add_column(place, name, pa.array(cells, pa.string()))
        place += 1
    return Table(arrow, data.table.source)


@dataclass
class _Question:
    """A question over all versions: the latest node, the categories of all, the versions that have it."""

    node: Node
    relevant: tuple[str, ...]
    root: str
    categories: dict[str, Words] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)
    versions: list[str] = field(default_factory=list)
    relabelled: set[str] = field(default_factory=set)
    contact: bool = False


class _Merged:
    def __init__(self, data: Dataset):
        self.data = data
        self.questions: dict[str, _Question] = {}
        forms = sorted(data.questionnaires.values(), key=lambda form: natural(form.version), reverse=True)
        self.versions = [form.version for form in forms]
        for form in forms:
            for node, relevant in _asked(form.nodes, ()):
                self._add(form, node, relevant)
        self.of = {
            name: self.questions[node.path] for name, node in data.questions.items() if node.path in self.questions
        }
        self.flags = {
            f"{name}/{code}": (name, code)
            for name, question in self.of.items()
            if question.node.type == "select_multiple"
            for code in [*question.categories, *question.typed]
        }

    def _add(self, form: Questionnaire, node: Node, relevant: tuple[str, ...]) -> None:
        question = self.questions.setdefault(node.path, _Question(node, relevant, form.root))
        question.versions.append(form.version)
        question.contact |= node.contact
        kinds = {choice.name: choice.missing_kind for choice in form.lists.get(node.list_name, ())}
        question.typed |= {code: kind for code, kind in {**kinds, **node.missing_codes}.items() if kind}
        if not node.type.startswith("select") and node.type != "rank":
            return
        for code, words in offered(form, node).items():
            if code in question.typed:
                continue
            known = question.categories.setdefault(code, words)
            if dict(known) != dict(words):
                question.relabelled.add(code)

    def _base(self, column: str) -> str:
        """The question that a column belongs to, "" if none."""
        if column in self.of:
            return column
        if column in self.flags:
            return self.flags[column][0]
        base = column.removesuffix(MISSING_SUFFIX)
        return base if base != column and base in self.of else ""

    def kept(self, table: Table) -> Table:
        """``table`` without empty notes and without contact data."""

        def stays(column: str) -> bool:
            question = self.of.get(self._base(column))
            if question is None:
                return True
            empty = question.node.type == "note" and table.arrow.column(column).null_count == len(table)
            return not question.contact and not empty

        return Table(table.arrow.select([name for name in table.names if stays(name)]), table.source)

    def variables(self, table: Table) -> Iterator[Variable]:
        for variable in self._described(table):
            remarks = self.data.remarks.get(variable.name, ())
            yield replace(variable, notes=(*variable.notes, *remarks)) if remarks else variable

    def _described(self, table: Table) -> Iterator[Variable]:
        for name in table.names:
            if name in self.of:
                yield self._question(name, self.of[name], table)
            elif name in self.flags:
                yield self._flag(name, *self.flags[name], table)
            elif self._base(name):
                yield self._kind(name, table)
            elif name in self.data.children:
                yield self._repeat(name, table)
            else:
                yield self._other(name, table)

    def _question(self, name: str, question: _Question, table: Table) -> Variable:
        node, found = question.node, table.labels(name)[1]
        notes = [_versions(question.versions)] if len(question.versions) < len(self.versions) else []
        notes += [
            Text(f"mã {code} trên phiếu = {MISSING[kind].vi}", f"code {code} on the form = {MISSING[kind].en}")
            for code, kind in question.typed.items()
            if kind in MISSING
        ]
        if question.relabelled:
            codes = ", ".join(sorted(question.relabelled, key=natural))
            notes.append(
                Text(f"nhãn của mã {codes} đã đổi giữa các bản", f"labels of {codes} changed between versions")
            )
        if node.type in ATTACHED_TYPES:
            notes.append(A_FILE)
        hidden = node.type == "hidden"
        variable = Variable(
            name,
            TEXT,
            _FRAME[name]._asdict() if hidden and name in _FRAME else node.label or {"": name},
            FROM_FRAME if hidden else FROM_CALCULATION if node.calculation else FROM_QUESTION,
            question=node.label,
            hint=node.hint,
            missing=_kinds(node, question, table, name),
            universe=_universe(question),
            calculation=_readable(node.calculation, question.root),
            notes=tuple(notes),
        )
        if node.type.startswith("select_one"):
            # Of a file of thousands of choices only those that occur; of a list all.
            listed = question.categories
            if len(listed) > 200:
                listed = {code: listed[code] for code in found if code in listed}
            extra = {code: {"": code} for code in found if code not in listed}
            return replace(variable, kind=CODES, categories={**listed, **extra})
        if node.type in ("select_multiple", "rank"):
            return replace(variable, categories=question.categories)
        if node.type in ("integer", "decimal", "range") or node.data_type in ("int", "decimal"):
            if all(_NUMBER.fullmatch(value) for value in found):
                return replace(variable, kind=NUMBER, whole=_whole(found))
            odd = Text("có câu trả lời không phải là số: giữ dạng chữ", "some answers are no numbers: kept as text")
            return replace(variable, notes=(*notes, odd))
        return _by_content(variable, found) if node.calculation or hidden else variable

    def _flag(self, name: str, of: str, code: str, table: Table) -> Variable:
        question = self.of[of]
        whole, choice = question.node.label, question.categories.get(code, {})
        label = {
            language: f"{said(choice, language) or code} — {said(whole, language) or of}" for language in LANGUAGES
        }
        return Variable(
            name,
            FLAG,
            label,
            FROM_QUESTION,
            question=whole,
            categories={code: words._asdict() for code, words in _YES_NO.items()},
            missing=_kinds(question.node, question, table, of),
            of=of,
            whole=True,
            universe=_universe(question),
        )

    def _kind(self, name: str, table: Table) -> Variable:
        of = self._base(name)
        question = self.of[of]
        words = question.node.label or {"": of}
        kinds = _kinds(question.node, question, table, of)
        return Variable(
            name,
            KIND,
            {language: f"{_WHY(language)} — {said(words, language)}" for language in LANGUAGES},
            FROM_QUESTION,
            categories={kind: missing_words(kind) for kind in kinds},
            of=of,
            universe=_universe(question),
        )

    def _repeat(self, name: str, table: Table) -> Variable:
        whole = _whole(table.labels(name)[1]) and "state" in table
        forms = self.data.questionnaires.values()
        words = next((form.by_path[name].label for form in forms if name in form.by_path), {})
        label = Text("Số lần của nhóm lặp", "Number of instances of") if whole else Text("Mã lần lặp", "Instance of")
        return Variable(
            name,
            NUMBER if whole else TEXT,
            {language: f"{label(language)} {said(words, language) or name}" for language in LANGUAGES},
            FROM_SYSTEM,
            whole=whole,
        )

    def _other(self, name: str, table: Table) -> Variable:
        found = table.labels(name)[1]
        known = _SYSTEM.get(name) or _WEIGHTS.get(name)
        words = (known or _FRAME.get(name) or Text(name, name))._asdict()
        variable = Variable(name, TEXT, words, FROM_FRAME if known is None else FROM_SYSTEM)
        if name in (PROVISIONAL, SYNTHETIC):
            yes_no = {code: text._asdict() for code, text in _YES_NO.items()}
            return replace(variable, kind=FLAG, whole=True, categories=yes_no)
        if name == "state":
            return replace(variable, kind=CODES, categories={code: text._asdict() for code, text in _STATES.items()})
        return variable if known and name not in _WEIGHTS else _by_content(variable, found)


def _asked(nodes: Sequence[Node], relevant: tuple[str, ...]) -> Iterator[tuple[Node, tuple[str, ...]]]:
    """The questions with the conditions of everything around them."""
    for node in nodes:
        conditions = (*relevant, node.relevant) if node.relevant.strip() else relevant
        if node.kind == "question":
            yield node, conditions
        else:
            yield from _asked(node.children, conditions)


def _kinds(node: Node, question: _Question, table: Table, name: str) -> tuple[str, ...]:
    """The missing kinds that a question offers or that its answers have, in the order of the product."""
    held = table.kinds(name)
    there = {*node.missing, *question.typed.values(), *(held[1] if held else ())}
    return (*(kind for kind in MISSING if kind in there), *sorted(there - set(MISSING)))


def _universe(question: _Question) -> Text:
    conditions = [_readable(condition, question.root) for condition in question.relevant]
    if not conditions:
        return EVERYBODY
    joined = " and ".join(f"({one})" if len(conditions) > 1 else one for one in dict.fromkeys(conditions))
    return Text(f"Người được hỏi khi: {joined}", f"Those asked if: {joined}")


def _readable(expression: str, root: str) -> str:
    """An expression with the names of questions for their paths."""
    return " ".join(re.sub(rf"/{re.escape(root)}/(?:[^\s/()\[\],=<>!+*|']+/)*", "", expression).split())


def _versions(versions: Sequence[str]) -> Text:
    listed = ", ".join(reversed(versions))
    return Text(f"chỉ có trong bản {listed} của bảng hỏi", f"only in version {listed} of the questionnaire")


def _by_content(variable: Variable, found: Sequence[str]) -> Variable:
    """A column nobody declared: a number if all of it is written as one and its name is not that of a code."""
    if found and not _IDENTIFIERS.fullmatch(variable.name) and all(_PLAIN_NUMBER.fullmatch(value) for value in found):
        return replace(variable, kind=NUMBER, whole=_whole(found))
    return variable


def _whole(found: Sequence[str]) -> bool:
    return all(re.fullmatch(r"[+-]?\d{1,15}", value) for value in found)
