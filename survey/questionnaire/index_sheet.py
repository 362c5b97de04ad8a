"""The `index` sheet: a published score, declared one row a node.

:func:`parse` reads the rows, reports every problem at once with sheet, row and column, and knows nothing of data. The
arithmetic is :mod:`analysis.index`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from survey.errors import Problem
from survey.questionnaire import base_rule
from survey.questionnaire.index_checks import Checks, did_you_mean, questions
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
    "break_from",
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
    break_from: tuple[str, ...] = ()
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
        self.told: set[tuple[int, str]] = set()
        self.questions = dict(questions(questionnaire.nodes)) if questionnaire is not None else {}
        self.lists = questionnaire.lists if questionnaire is not None else {}

    def complain(self, row: int, column: str, what: Text, todo: Text = Text("", "")) -> None:
        self.told.add((row, column))
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
        Checks(self.complain, self.questions, self.lists).check(nodes, self.told)
        return tuple(nodes), self.problems

    def check_headers(self, headers: Iterable[str]) -> None:
        for header in headers:
            if header in COLUMNS or _TEXT_COLUMN.match(header) or not header.strip():
                continue
            self.complain(
                1,
                header,
                Text("cột này không có trong trang tính chỉ số", "the index sheet has no such column"),
                did_you_mean(header, COLUMNS),
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
            break_from=self.rounds(cells.get("break_from", ""), row),
            row=row,
        )

    def rounds(self, text: str, row: int) -> tuple[str, ...]:
        words = tuple(text.split())
        for word in words:
            if not re.search(r"\d{4}", word):
                self.complain(
                    row,
                    "break_from",
                    Text(f"“{word}” không có năm", f"'{word}' names no year"),
                    Text("ghi năm bắt đầu chuỗi mới, ví dụ 2021", "write the year of the new series, such as 2021"),
                )
        return words

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
                    did_you_mean(column.name, self.questions),
                )
        return text


def _texts(cells: Mapping[str, str], column: str) -> dict[str, str]:
    found = {}
    for header, value in cells.items():
        match = _TEXT_COLUMN.match(header)
        if match and match.group(1) == column and value:
            found[match.group("code") or match.group("name") or "vi"] = value
    return found


def _one_of(value: str, allowed: Iterable[str]) -> Text:
    words = [word for word in allowed if word]
    close = get_close_matches(value, words, 1)
    if close:
        return did_you_mean(value, words)
    listed = ", ".join(words)
    return Text(f"dùng một trong: {listed}, hoặc để trống", f"use one of {listed}, or leave it blank")
