"""The `index` sheet: a published score, declared one row a node.

:func:`parse` reads the rows, reports every problem at once with sheet, row and column, and knows nothing of data. The
arithmetic is :mod:`analysis.index`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from survey.errors import Problem
from survey.questionnaire import base_rule
from survey.text import Text, nfc

COLUMNS = (
    "code",
    "parent",
    "level_name",
    "combine",
    "share",
    "if_missing",
    "from",
    "to",
    "question",
    "score",
    "base",
    "dont_know",
    "refused",
    "agency",
)
COMBINE = ("mean", "sum", "share", "pooled", "geometric")
_TEXT_COLUMN = re.compile(r"(label|level_name)(?:::(?P<name>.*?)(?:\s*\((?P<code>[A-Za-z][\w-]*)\))?)?$")
_RANGE = re.compile(r"\s*(-?\d+(?:[.,]\d+)?)\s*\.\.\s*(-?\d+(?:[.,]\d+)?)\s*$")


@dataclass(frozen=True, slots=True)
class Score:
    """How one person's answer becomes a number.

    ``kind`` is ``map`` (each answer its number), ``share`` (1 if the answer is one of ``values``, else 0), ``linear``
    (the number answered), ``any`` (1 if any of ``values`` is selected) or ``count`` (how many are selected).
    """

    kind: str
    values: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class IndexNode:
    """One row of the index sheet. ``share`` is ``None`` where the cell is blank."""

    code: str
    parents: tuple[str, ...] = ()
    label: Mapping[str, str] | None = None
    level_name: Mapping[str, str] | None = None
    combine: str = "mean"
    share: float | None = None
    if_missing: str = ""
    from_: tuple[float, float] | None = None
    to: tuple[float, float] | None = None
    question: str = ""
    score: Score | None = None
    base: str = ""
    dont_know: str = "exclude"
    refused: str = "exclude"
    agency: tuple[str, ...] = ()
    row: int = 0

    @property
    def parent(self) -> str:
        """The parents as the sheet writes them: codes separated by spaces."""
        return " ".join(self.parents)

    def name(self, language: str) -> str:
        """The label in ``language``, else in any language, else the code."""
        labels = self.label or {}
        return labels.get(language) or next((text for text in labels.values() if text), self.code)

    def rescale(self) -> tuple[float, float]:
        """``(slope, intercept)`` of `from` → `to`; ``(1, 0)`` where there is nothing to rescale."""
        if self.from_ is None or self.to is None:
            return 1.0, 0.0
        (a, b), (c, d) = self.from_, self.to
        slope = (d - c) / (b - a)
        return slope, c - slope * a


def parse(
    rows: Iterable[Mapping[str, Any]], questionnaire: Any = None, where: str = "index"
) -> tuple[tuple[IndexNode, ...], list[Problem]]:
    """The nodes of the index sheet and everything that is wrong with it.

    ``rows`` are the data rows by header, the first of them row 2 of the sheet; blank rows are skipped. A compiled
    ``questionnaire`` that has questions makes their names, choices and types part of the check; an index without one
    is a structure for published scores. ``where`` names the sheet in the problems.
    """
    return _Sheet(where, questionnaire).parse(rows)


class _Sheet:
    def __init__(self, where: str, questionnaire: Any):
        self.where = where
        self.problems: list[Problem] = []
        self.questions = dict(_questions(questionnaire.nodes)) if questionnaire is not None else {}
        self.lists = questionnaire.lists if questionnaire is not None else {}

    def complain(self, row: int, column: str, what: Text, todo: Text = Text("", "")) -> None:
        self.problems.append(Problem(f"{self.where}, row {row}, column {column}", what, todo))

    def parse(self, rows: Iterable[Mapping[str, Any]]) -> tuple[tuple[IndexNode, ...], list[Problem]]:
        nodes: list[IndexNode] = []
        headers: dict[str, None] = {}
        for number, raw in enumerate(rows, 2):
            headers.update(dict.fromkeys(str(key) for key in raw if key is not None))
            cells = {str(key): nfc(str(value)).strip() for key, value in raw.items() if key and value is not None}
            if any(cells.values()):
                nodes.append(self.node(cells, number))
        self.check_headers(headers)
        if not nodes:
            self.problems.append(
                Problem(
                    self.where,
                    Text("trang tính chỉ số không có dòng nào", "the index sheet has no rows"),
                    Text("ghi mỗi chỉ tiêu thành một dòng", "write one row for each node of the index"),
                )
            )
        self.check_tree(nodes)
        for node in nodes:
            self.check_leaf(node, has_children=any(node.code in other.parents for other in nodes))
        return tuple(nodes), self.problems

    def check_headers(self, headers: Iterable[str]) -> None:
        for header in headers:
            if header in COLUMNS or _TEXT_COLUMN.match(header) or not header.strip():
                continue
            self.complain(
                1,
                header,
                Text("cột này không có trong trang tính chỉ số", "the index sheet has no such column"),
                _did_you_mean(header, COLUMNS),
            )
        if headers and "code" not in headers:
            self.complain(1, "code", Text("thiếu cột này", "the column is missing"))

    def node(self, cells: Mapping[str, str], row: int) -> IndexNode:
        def word(column: str, allowed: tuple[str, ...], default: str) -> str:
            value = cells.get(column, "") or default
            if value in allowed:
                return value
            self.complain(
                row,
                column,
                Text(f"không có lựa chọn “{value}”", f"there is no option '{value}'"),
                _one_of(value, allowed),
            )
            return default

        code = cells.get("code", "")
        if not code:
            self.complain(row, "code", Text("dòng này không có mã", "the row has no code"))
        elif len(code.split()) > 1:
            self.complain(row, "code", Text("mã không được có dấu cách", "a code may not contain spaces"))
        return IndexNode(
            code=code,
            parents=tuple(dict.fromkeys(cells.get("parent", "").split())),
            label=_texts(cells, "label"),
            level_name=_texts(cells, "level_name"),
            combine=word("combine", COMBINE, "mean"),
            share=self.number(cells, "share", row),
            if_missing=word("if_missing", ("", "rest"), ""),
            from_=self.range(cells, "from", row),
            to=self.range(cells, "to", row),
            question=cells.get("question", ""),
            score=self.score(cells.get("score", ""), row),
            base=self.base(cells.get("base", ""), row),
            dont_know=word("dont_know", ("exclude", "zero"), "exclude"),
            refused=word("refused", ("exclude", "zero"), "exclude"),
            agency=tuple(cells.get("agency", "").split()),
            row=row,
        )

    def number(self, cells: Mapping[str, str], column: str, row: int) -> float | None:
        text = cells.get(column, "")
        if not text:
            return None
        try:
            value = float(text.replace(",", "."))
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            self.complain(row, column, Text(f"“{text}” không phải là số", f"'{text}' is not a number"))
            return None
        return value

    def range(self, cells: Mapping[str, str], column: str, row: int) -> tuple[float, float] | None:
        text = cells.get(column, "")
        if not text:
            return None
        match = _RANGE.match(text)
        ends = tuple(float(end.replace(",", ".")) for end in match.groups()) if match else (0.0, 0.0)
        if match is None or (column == "from" and ends[0] == ends[1]):
            self.complain(
                row,
                column,
                Text(f"“{text}” không phải là một khoảng", f"'{text}' is not a range"),
                Text("viết hai đầu như 0..1 hoặc 1..10", "write its two ends, such as 0..1 or 1..10"),
            )
            return None
        return ends[0], ends[1]

    def score(self, text: str, row: int) -> Score | None:
        words = text.split()
        if not words:
            return None
        if text in ("linear", "count"):
            return Score(text)
        if words[0] == "any" and len(words) > 1:
            return Score("any", tuple((choice, 1.0) for choice in words[1:]))
        pairs = [part.partition("=") for part in words]
        mapped = [separator for _, separator, _ in pairs]
        try:
            if all(mapped):
                values = tuple((answer, float(number.replace(",", "."))) for answer, _, number in pairs)
            elif any(mapped) or words[0] == "any":
                raise ValueError(text)
            else:
                values = tuple((answer, 1.0) for answer in words)
        except ValueError:
            values = ()
        names = [answer for answer, _ in values]
        if not values or len(set(names)) < len(names) or not all(math.isfinite(number) for _, number in values):
            self.complain(
                row,
                "score",
                Text(f"không đọc được cách tính điểm “{text}”", f"'{text}' is not a scoring rule"),
                Text(
                    "viết như “1=1 2=0.5 3=0”, “4 5”, “linear”, “any 1 2” hoặc “count”",
                    "write it like '1=1 2=0.5 3=0', '4 5', 'linear', 'any 1 2' or 'count'",
                ),
            )
            return None
        return Score("map" if all(mapped) else "share", values)

    def base(self, text: str, row: int) -> str:
        if not text:
            return ""
        try:
            rule = base_rule.read(text)
        except base_rule.BaseRuleError as error:
            self.complain(
                row,
                "base",
                Text(f"không đọc được biểu thức ở chỗ “{error}”", f"the expression cannot be read at '{error}'"),
                Text(
                    "chỉ dùng cột đã lưu, so sánh, selected(), and, or, not()",
                    "use stored columns, comparisons, selected(), and, or, not() only",
                ),
            )
            return ""
        for column in base_rule.columns(rule):
            if column.question and self.questions and column.name not in self.questions:
                self.complain(
                    row,
                    "base",
                    Text(f"không có câu hỏi “{column.name}”", f"there is no question '{column.name}'"),
                    _did_you_mean(column.name, self.questions),
                )
        return text

    def check_tree(self, nodes: list[IndexNode]) -> None:
        rows: dict[str, int] = {}
        for node in nodes:
            first = rows.setdefault(node.code, node.row)
            if first != node.row and node.code:
                self.complain(
                    node.row,
                    "code",
                    Text(f"mã “{node.code}” đã có ở dòng {first}", f"code '{node.code}' already stands in row {first}"),
                    Text("mỗi mã chỉ dùng một lần", "use each code once"),
                )
        by_code = {node.code: node for node in nodes}
        for node in nodes:
            for parent in node.parents:
                if parent not in by_code:
                    self.complain(
                        node.row,
                        "parent",
                        Text(f"không có mã cấp trên “{parent}”", f"there is no node with the code '{parent}'"),
                        _did_you_mean(parent, by_code),
                    )
                elif node.share is None and by_code[parent].combine == "share":
                    self.complain(
                        node.row,
                        "share",
                        Text(
                            f"“{parent}” cộng theo hệ số nhưng dòng này không có hệ số",
                            f"'{parent}' combines by share but this row has none",
                        ),
                        Text("ghi hệ số; 0 nếu không tính", "write the share; 0 if it does not count"),
                    )
            if _own_ancestor(node.code, by_code):
                self.complain(
                    node.row,
                    "parent",
                    Text(f"“{node.code}” nằm dưới chính nó", f"'{node.code}' stands below itself"),
                    Text("sửa mã cấp trên", "correct the parent code"),
                )

    def check_leaf(self, node: IndexNode, *, has_children: bool) -> None:
        if node.to is not None and node.from_ is None:
            self.complain(
                node.row, "from", Text("có `to` nhưng không có `from`", "there is a `to` but no `from` to rescale")
            )
        if not node.question:
            if node.score is not None:
                self.complain(
                    node.row, "question", Text("có cách tính điểm nhưng không có câu hỏi", "a score without a question")
                )
            if not has_children and self.questions:
                self.complain(
                    node.row,
                    "question",
                    Text(
                        f"“{node.code}” không có câu hỏi và cũng không có mục con",
                        f"'{node.code}' has neither a question nor children",
                    ),
                    Text("ghi câu hỏi, hoặc bỏ dòng này", "name its question or remove the row"),
                )
            return
        if has_children:
            self.complain(
                node.row,
                "question",
                Text(
                    f"“{node.code}” vừa có câu hỏi vừa có mục con",
                    f"'{node.code}' has both a question and children",
                ),
                Text("thêm một dòng riêng cho câu hỏi", "give the question a row of its own"),
            )
        if node.score is None:
            if not any(f"row {node.row}, column score" in problem.where for problem in self.problems):
                self.complain(
                    node.row,
                    "score",
                    Text("câu hỏi này chưa có cách tính điểm", "the question has no scoring rule"),
                    Text("ghi ví dụ “4 5” hoặc “linear”", "write for example '4 5' or 'linear'"),
                )
            return
        if self.questions:
            self.check_question(node, node.score)

    def check_question(self, node: IndexNode, score: Score) -> None:
        question = self.questions.get(node.question)
        if question is None:
            self.complain(
                node.row,
                "question",
                Text(f"không có câu hỏi “{node.question}”", f"there is no question '{node.question}'"),
                _did_you_mean(node.question, self.questions),
            )
            return
        kind = str(question.type).partition(" ")[0]
        if (kind == "select_multiple") != (score.kind in ("any", "count")):
            self.complain(
                node.row,
                "score",
                Text(f"cách tính này không hợp với câu hỏi kiểu {kind}", f"the rule does not suit a {kind} question"),
                Text(
                    "`any 1 2` và `count` chỉ dùng cho câu chọn nhiều",
                    "`any 1 2` and `count` are for select_multiple, and it takes no other",
                ),
            )
            return
        choices = [c.name for c in self.lists.get(question.list_name, ()) if not c.missing_kind]
        if not question.list_name or not choices:
            return
        unknown = [answer for answer, _ in score.values if answer not in choices]
        if unknown:
            self.complain(
                node.row,
                "score",
                Text(
                    f"danh sách {question.list_name} không có lựa chọn {', '.join(unknown)}",
                    f"list {question.list_name} has no choice {', '.join(unknown)}",
                ),
                _did_you_mean(unknown[0], choices),
            )
        scored = {answer for answer, _ in score.values}
        unlisted = {
            "map": [choice for choice in choices if choice not in scored],
            "linear": [choice for choice in choices if not _is_number(choice)],
        }.get(score.kind, [])
        if unlisted:
            self.complain(
                node.row,
                "score",
                Text(
                    f"lựa chọn {', '.join(unlisted)} không có điểm",
                    f"the rule gives no number to {', '.join(unlisted)}",
                ),
                Text("ghi điểm cho mọi lựa chọn", "give every choice its number"),
            )


def _questions(nodes: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """Every question that is answered once per person, by path and by name."""
    for node in nodes:
        if node.kind == "question":
            yield node.path, node
            yield node.name, node
        elif node.kind == "group":
            yield from _questions(node.children)


def _texts(cells: Mapping[str, str], column: str) -> dict[str, str]:
    found = {}
    for header, value in cells.items():
        match = _TEXT_COLUMN.match(header)
        if match and match.group(1) == column and value:
            found[match.group("code") or match.group("name") or "vi"] = value
    return found


def _own_ancestor(code: str, by_code: Mapping[str, IndexNode]) -> bool:
    seen: set[str] = set()
    waiting = list(by_code[code].parents)
    while waiting:
        parent = waiting.pop()
        if parent == code:
            return True
        if parent in by_code and parent not in seen:
            seen.add(parent)
            waiting += by_code[parent].parents
    return False


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _one_of(value: str, allowed: Iterable[str]) -> Text:
    words = [word for word in allowed if word]
    close = get_close_matches(value, words, 1)
    if close:
        return _did_you_mean(value, words)
    listed = ", ".join(words)
    return Text(f"dùng một trong: {listed}, hoặc để trống", f"use one of {listed}, or leave it blank")


def _did_you_mean(word: str, known: Iterable[str]) -> Text:
    close = get_close_matches(word, list(known), 1)
    if not close:
        return Text("kiểm tra lại cách viết", "check the spelling")
    return Text(f"có phải là “{close[0]}” không?", f"did you mean '{close[0]}'?")
