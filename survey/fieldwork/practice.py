"""Practice against a key: the answers that a script asks for, and what somebody entered when it was played. Pure.

A key is what stands in a round's document: ``{path: {"answers": [right answers], "tolerance": "0.5"}}``, for a rank
also ``ordered``. An answer is as in a sealed interview: text, a list of choices, or ``{"missing": kind}``; no answer at
all (``[]``) means that the question must not be asked. Instances of a repeat are numbered: ``hh[1]/age``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from survey.errors import InputError, Problem, Problems
from survey.questionnaire.model import MISSING, Node, Questionnaire, Value, generic
from survey.text import Text, fold, nfc

PASS = 80
"""Per cent that are right to pass, where a set says nothing else."""

OUTCOMES: dict[str, Text] = {
    "right": Text("đúng", "right"),
    "wrong": Text("sai", "wrong"),
    "left": Text("bỏ sót", "left out"),
    "extra": Text("hỏi thừa", "asked needlessly"),
}

_NUMERIC = ("integer", "decimal", "range")
_MISSING = {fold(word): kind for kind, words in MISSING.items() for word in (kind, *words)}
_HEADS = {
    "question": ("question", "cau hoi", "ma cau hoi", "ma cau"),
    "answer": ("answer", "answers", "dap an", "tra loi", "cau tra loi"),
    "tolerance": ("tolerance", "sai lech", "sai lech cho phep", "dung sai"),
}

Key = dict[str, dict[str, Any]]


class Mark(NamedTuple):
    """One question of a key: how it came out (one of :data:`OUTCOMES`), what was given and what would be right."""

    path: str
    outcome: str
    given: Value | None
    right: tuple[Value, ...]


class Score(NamedTuple):
    """The marks in the order of the key, and how many other questions were answered."""

    marks: tuple[Mark, ...]
    others: int

    @property
    def right(self) -> int:
        """Questions that are right."""
        return sum(mark.outcome == "right" for mark in self.marks)

    @property
    def percent(self) -> float:
        """Right answers among the questions of the key, from 0 to 100."""
        return 100 * self.right / len(self.marks) if self.marks else 0.0


def score(key: Key, answers: Mapping[str, Value]) -> Score:
    """Marks the answers of a practice interview against a key. ``others`` counts answered questions that are not in the
    key: as many as a wrong branch leads to; they cost nothing beyond the branch itself."""
    given = numbered(answers)
    marks = []
    for path, told in key.items():
        right: tuple[Value, ...] = tuple(told.get("answers", ()))
        said = given.get(path)
        if said in (None, "", []):
            outcome = "left" if right else "right"
        elif not right:
            outcome = "extra"
        else:
            outcome = "right" if any(_same(said, one, told) for one in right) else "wrong"
        marks.append(Mark(path, outcome, said, right))
    return Score(tuple(marks), len(given.keys() - key.keys()))


def _same(said: Value, right: Value, told: Mapping[str, Any]) -> bool:
    if isinstance(right, dict) or isinstance(said, dict):
        return said == right
    if isinstance(right, list) or isinstance(said, list):
        if told.get("ordered") or not (isinstance(right, list) and isinstance(said, list)):
            return said == right
        return sorted(said) == sorted(right)
    if told.get("tolerance"):
        try:
            return abs(Decimal(said) - Decimal(right)) <= Decimal(str(told["tolerance"]))
        except InvalidOperation:
            return False
    return " ".join(fold(said).split()) == " ".join(fold(right).split())


def numbered(answers: Mapping[str, Value]) -> dict[str, Value]:
    """The answers with the instances of repeats counted from 1 in place of their random ids, without the lists of
    instances: two interviews can then be compared."""
    return {
        _numbered(path, answers): value
        for path, value in answers.items()
        if not any(other.startswith(f"{path}[") for other in answers)
    }


def _numbered(path: str, answers: Mapping[str, Value]) -> str:
    made, before = "", ""
    for plain, id in re.findall(r"([^\[\]]+)(?:\[([^\]]+)\])?", path):
        order = answers.get(before + plain, [])
        place = order.index(id) + 1 if isinstance(order, list) and id in order else id
        made += plain + (f"[{place}]" if id else "")
        before += plain + (f"[{id}]" if id else "")
    return made


# -- making a key --------------------------------------------------------------------------------------------------


def key_of(questionnaire: Questionnaire, answers: Mapping[str, Value]) -> Key:
    """The key that a filled interview is: every question that was asked and answered by a person. Calculations, notes
    and what is filled by the program are no question. InputError when nothing is left."""
    given = asked(questionnaire, answers)
    found = {path: _expected(questionnaire.by_path[generic(path)], [value], "") for path, value in given.items()}
    if not found:
        raise InputError(
            "key",
            Text("phiếu này không có câu trả lời nào", "this interview has no answers"),
            Text("điền phiếu mẫu trước", "fill the model interview first"),
        )
    return found


def asked(questionnaire: Questionnaire, answers: Mapping[str, Value]) -> dict[str, Value]:
    """What a person answered: without calculations, what the program fills in, and contact answers; instances of
    repeats numbered."""
    return {
        path: value
        for path, value in numbered(answers).items()
        if (node := questionnaire.by_path.get(generic(path))) and _is_asked(node) and value not in ("", [])
    }


def _is_asked(node: Node) -> bool:
    return node.kind == "question" and bool(node.control) and node.type != "note" and not node.contact


def _expected(node: Node, answers: list[Value], tolerance: str) -> dict[str, Any]:
    near = tolerance or ("0" if node.type in _NUMERIC else "")
    told: dict[str, Any] = {"answers": answers, **({"tolerance": near} if near else {})}
    return told | ({"ordered": True} if node.type == "rank" else {})


def read_key(
    questionnaire: Questionnaire, columns: Sequence[str], rows: Iterable[tuple[str, Mapping[str, str]]]
) -> Key:
    """A key from a table: columns ``question``, ``answer`` and, optional, ``tolerance`` (or their Vietnamese headings).
    Several right answers stand in one cell, divided by ``|``; choices of one answer by blanks; an empty answer means
    that the question must not be asked. ``rows`` are (where it stands, cells).

    Raises:
        Problems: every row that cannot be used.
    """
    names = {_plain(column): column for column in columns}
    found = {head: next((names[w] for w in words if w in names), "") for head, words in _HEADS.items()}
    if not found["question"] or not found["answer"]:
        raise InputError(
            ", ".join(columns),
            Text("thiếu cột câu hỏi hoặc đáp án", "a column is missing: question or answer"),
            Text("các cột: question, answer, tolerance", "columns are question, answer, tolerance"),
        )
    key: Key = {}
    problems = []
    for where, cells in rows:
        try:
            path, expected = _row(questionnaire, {head: cells.get(column, "") for head, column in found.items()})
            if path in key:
                raise InputError(path, Text("câu này có hai dòng", "this question stands twice"), _ONE_ROW)
            key[path] = expected
        except InputError as wrong:
            problems.append(Problem(f"{where}, {wrong.problem.where}", wrong.problem.what, wrong.problem.todo))
    if problems:
        raise Problems(problems)
    return key


_ONE_ROW = Text("gộp vào một dòng, các đáp án cách nhau bằng |", "one row a question, right answers divided by |")


def _plain(heading: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", fold(heading)))


def _row(questionnaire: Questionnaire, cells: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    name = cells["question"].strip()
    try:
        node = questionnaire.by_path.get(generic(name)) or questionnaire.question(name)
    except KeyError:
        raise InputError(
            name,
            Text("bảng hỏi không có câu này", "the questionnaire has no such question"),
            Text("ghi tên câu (cột name) hoặc đường dẫn", "write the question's name or its path"),
        ) from None
    if not _is_asked(node):
        raise InputError(
            name,
            Text("câu này không do điều tra viên trả lời", "this is not answered by an enumerator"),
            Text("bỏ dòng này", "remove this row"),
        )
    path = name if generic(name) == node.path else node.path
    if "[" not in path and _in_repeat(questionnaire, node):
        raise InputError(
            name,
            Text("câu nằm trong nhóm lặp: ghi lần thứ mấy", "it stands in a repeat: say which instance"),
            Text("ví dụ ho[1]/tuoi", "for example hh[1]/age"),
        )
    tolerance = cells["tolerance"].strip().replace(",", ".")
    if tolerance and (node.type not in _NUMERIC or not re.fullmatch(r"\d+(\.\d+)?", tolerance)):
        raise InputError(
            name,
            Text("sai lệch cho phép chỉ ghi bằng số, ở câu có trả lời là số", "a tolerance is a number, for numbers"),
            Text("bỏ trống ô này", "leave this cell empty"),
        )
    options = [nfc(one).strip() for one in cells["answer"].split("|")]
    answers = [_answer(questionnaire, node, one, name) for one in options if one]
    return path, _expected(node, answers, tolerance)


def _in_repeat(questionnaire: Questionnaire, node: Node) -> bool:
    parts = node.path.split("/")
    above = ("/".join(parts[:depth]) for depth in range(1, len(parts)))
    return any(one in questionnaire.by_path and questionnaire.by_path[one].kind == "repeat" for one in above)


def _answer(questionnaire: Questionnaire, node: Node, text: str, name: str) -> Value:
    codes = {choice.name: choice for choice in questionnaire.lists.get(node.list_name, ())}
    words = text.split() if node.is_list else [text]
    if text not in codes and fold(text) in _MISSING:
        return {"missing": _MISSING[fold(text)]}
    if codes:
        by_label = {fold(label): code for code, choice in codes.items() for label in choice.label.values()}
        if not node.is_list:
            words = [text if text in codes else by_label.get(fold(text), text)]
        unknown = [word for word in words if word not in codes]
        if unknown:
            listed = ", ".join(list(codes)[:20])
            raise InputError(
                name,
                Text(f"không có lựa chọn {', '.join(unknown)}", f"there is no choice {', '.join(unknown)}"),
                Text(f"các mã: {listed}", f"codes are {listed}"),
            )
    if node.type in _NUMERIC and not re.fullmatch(r"-?\d+([.,]\d+)?", text):
        raise InputError(
            name, Text(f"{text!r} không phải số", f"{text!r} is no number"), Text("ghi một số", "write a number")
        )
    if node.is_list:
        return words
    return words[0].replace(",", ".") if node.type in _NUMERIC else words[0]


# -- results of many -----------------------------------------------------------------------------------------------


class Hardness(NamedTuple):
    """How one question came out over everybody's last attempt."""

    path: str
    counts: Counter[str]

    @property
    def wrong(self) -> int:
        """Everybody who did not have it right."""
        return sum(self.counts.values()) - self.counts["right"]


def hardest(scores: Iterable[Score]) -> list[Hardness]:
    """The questions by how many had them wrong, most first; then in the order of the key."""
    found: dict[str, Counter[str]] = {}
    for one in scores:
        for mark in one.marks:
            found.setdefault(mark.path, Counter())[mark.outcome] += 1
    return sorted((Hardness(path, counts) for path, counts in found.items()), key=lambda one: -one.wrong)
