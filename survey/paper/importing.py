"""Forms that were keyed elsewhere (Excel, Google Forms): what their columns mean, and their rows as answers. Pure.

The map is a table that a person looks through, with the columns ``column, question, value, choice``: a row without
``value`` says what a column of the file is, a row with one what is meant by it. ``question`` is a question's name, or
``question/choice`` for a column of ticks, or one of :data:`MARKS` and :data:`PLACES`. :func:`draft` proposes a map
without regard to case and diacritics.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from survey.errors import NotUnderstood, Problem, Problems
from survey.paper.cells import Cell, column_values, read_times, ticked, value_of
from survey.paper.conditions import FRAME
from survey.paper.fields import Field, fields
from survey.questionnaire.model import Answers, Questionnaire, Value
from survey.tables import Table
from survey.text import Text, fold

MODES: dict[str, Text] = {
    "paper": Text("phiếu giấy", "on paper"),
    "web": Text("tự điền trên mạng", "on the web"),
    "phone": Text("qua điện thoại", "by telephone"),
    "interview": Text("phỏng vấn trực tiếp", "in person"),
}
"""How a form was filled in."""

COLUMNS = ("column", "question", "value", "choice")
KEY, UNIT, TIME, MODE = MARKS = ("#key", "#unit", "#time", "#mode")
"""What a column may be besides a question: what tells one row from another, the sample unit (its id, its number in the
frame, or the serial of its form), when the form was filled in; ``#mode`` stands alone, with its mode in ``choice``.
"""

PLACES = tuple(f"#{name}{more}" for name in FRAME for more in ("", "_name"))
"""Where a volunteer lives or was served; of a drawn unit the frame says it."""

_TIMES = ("dau thoi gian", "timestamp", "thoi gian gui", "submissiondate", "submission time", "_submission_time")
_UNITS = ("unit", "frame id", "ma don vi mau", "ma phieu", "so phieu", "serial", "ma ho")
_LISTED = 60


@dataclass(frozen=True)
class Map:
    """What the columns of a file mean: ``questions`` column to question (or ``question/choice``), ``values`` column to
    what is written in it to a choice or missing kind, ``places`` column to the frame's column of a volunteer."""

    mode: str
    key: tuple[str, ...] = ()
    unit: str = ""
    time: str = ""
    questions: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> set[str]:
        """The columns that mean something."""
        return {*self.key, self.unit, self.time, *self.questions, *self.places}


@dataclass(frozen=True)
class Row:
    """One row read: where it stands, its key, the sample unit it names, when it was filled in, its answers by path."""

    number: int
    where: str
    key: str
    unit: str
    time: datetime | None
    answers: Answers
    place: Mapping[str, str] = field(default_factory=dict)


# -- the map -------------------------------------------------------------------------------------------------------


def read_map(table: Table, data: Table, questionnaire: Questionnaire, mode: str = "") -> Map:
    """The map in a table, for the file ``data``; ``mode`` goes before the map's own. Raises Problems that name every
    row which fits neither file nor questionnaire."""
    absent = [name for name in COLUMNS if name not in table.columns]
    if absent:
        listed = ", ".join(absent)
        raise Problems([_problem(table.source, f"thiếu cột {listed}", f"lacks the columns {listed}", *_DRAFT)])
    boxes = _by_name(questionnaire)
    problems: list[Problem] = []
    key: list[str] = []
    marks = {MODE: mode}
    questions: dict[str, str] = {}
    places: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    for number, row in enumerate(table.rows):
        column, question, value, choice = (row[name] for name in COLUMNS)
        where = table.where(number, "question")
        if question == MODE:
            marks[MODE] = mode or choice
        elif column not in data.columns:
            said = f"{data.source} không có cột {column!r}", f"{data.source} has no column {column!r}"
            problems.append(_problem(table.where(number, "column"), *said, *_COPY))
        elif value:
            values.setdefault(column, {})[value] = choice
        elif question == KEY:
            key.append(column)
        elif question in (UNIT, TIME):
            if question in marks:
                problems.append(_problem(where, f"{question} có hai cột", f"{question} has two columns", *_ONE))
            marks[question] = column
        elif question in PLACES:
            places[column] = question[1:]
        elif question:
            name, _, tick = question.partition("/") if question not in boxes else (question, "", "")
            if name not in boxes or (tick and tick not in boxes[name].labels):
                said = f"không có câu hoặc phương án {question!r}", f"there is no question or choice {question!r}"
                problems.append(_problem(where, *said, *_SHOW))
            elif question in questions.values() or column in questions:
                said = f"{question!r} hoặc cột này đã được ghi", f"{question!r} or this column stands above already"
                problems.append(_problem(where, *said, *_ONE))
            else:
                questions[column] = question
    problems += _wrong_values(table, values, questions, boxes)
    if marks[MODE] not in MODES:
        listed = ", ".join(MODES)
        said = "chưa ghi phiếu được điền bằng cách nào", "does not say how the forms were filled in"
        todo = (
            f"thêm dòng #mode với choice là một trong: {listed}",
            f"add a row #mode with one of these choices: {listed}",
        )
        problems.append(_problem(f"{table.source}, #mode", *said, *todo))
    for column in key:
        if column in questions and boxes[questions[column].partition("/")[0]].node.contact:
            # Ids of interviews follow from the key, and are seen by machines that must not know who took part.
            said = "cột liên hệ không làm khóa được", "contact data cannot be a key"
            problems.append(_problem(f"{table.source}, {column}", *said, *_STAMP))
    if not key and UNIT not in marks:
        said = "chưa có cột nào phân biệt các dòng", "names no column that tells the rows apart"
        problems.append(_problem(f"{table.source}, #key", *said, *_STAMP))
    if problems:
        raise Problems(problems)
    return Map(marks[MODE], tuple(key), marks.get(UNIT, ""), marks.get(TIME, ""), questions, values, places)


_DRAFT = ("tạo bằng: survey import map", "make it by: survey import map")
_COPY = ("chép đúng tên cột của tệp", "copy the name from the file")
_ONE = ("để lại một", "leave one")
_SHOW = ("xem: survey questionnaire show", "see: survey questionnaire show")
_STAMP = ("ghi #key cho dấu thời gian hoặc số thứ tự", "write #key for the time stamp or a running number")


def _problem(where: str, vi: str, en: str, todo_vi: str, todo_en: str) -> Problem:
    return Problem(where, Text(vi, en), Text(todo_vi, todo_en))


def _wrong_values(
    table: Table, values: Mapping[str, Mapping[str, str]], questions: Mapping[str, str], boxes: Mapping[str, Field]
) -> Iterator[Problem]:
    for column, meant in values.items():
        box = boxes.get(questions.get(column, ""))
        if box is None:
            continue  # a column that is left out, or of ticks: what is listed of it does no harm
        for value, choice in meant.items():
            if choice and choice not in box.labels and choice not in box.missing.values():
                known = ", ".join([*list(box.labels)[:12], *box.missing.values()])
                yield _problem(
                    f"{table.source}, {column}, {value!r}",
                    f"câu {box.node.name} không có phương án {choice!r}",
                    f"{box.node.name} has no choice {choice!r}",
                    f"chọn một trong: {known}",
                    f"choose one of: {known}",
                )


def _by_name(questionnaire: Questionnaire) -> dict[str, Field]:
    """The questions outside repeats, by path, and by name where one has it alone."""
    repeats = tuple(node.path + "/" for node in questionnaire.walk() if node.kind == "repeat")
    boxes = {p: box for p, box in fields(questionnaire).items() if not (repeats and p.startswith(repeats))}
    names = [box.node.name for box in boxes.values()]
    return {**boxes, **{box.node.name: box for box in boxes.values() if names.count(box.node.name) == 1}}


# -- rows ----------------------------------------------------------------------------------------------------------


def read_rows(table: Table, map: Map, questionnaire: Questionnaire) -> tuple[list[Row], list[Problem]]:
    """The rows of the file as answers, and every cell that cannot be read by row and column, every row that no key
    tells from the others."""
    boxes = _by_name(questionnaire)
    problems: list[Problem] = []
    columns: dict[str, list[Value | bool | None]] = {}
    for column, question in map.questions.items():
        cells = [row[column] for row in table.rows]
        if question not in boxes:
            read_cells: list[Cell] = [ticked(cell) for cell in cells]
        else:
            read_cells = column_values(boxes[question], cells, map.values.get(column, {}), table.decimal_comma)
        columns[column] = [None if isinstance(one, NotUnderstood) else one for one in read_cells]
        for number, one in enumerate(read_cells):
            if isinstance(one, NotUnderstood):
                shown = cells[number][:60]
                said = f"{shown!r} không phải câu trả lời của {question}", f"{shown!r} is no answer to {question}"
                problems.append(Problem(table.where(number, column), Text(*said), one.reason))
    times = read_times([row[map.time] for row in table.rows]) if map.time else [None] * len(table.rows)
    found: list[Row] = []
    seen: dict[str, str] = {}
    for number, cells_of in enumerate(table.rows):
        unit = cells_of.get(map.unit, "")
        key = "\x1f".join(cells_of[column] for column in map.key).strip("\x1f")
        own = key or (f"#unit {unit}" if unit else "")
        if not own or own in seen:
            same = f"trùng khóa với {seen[own]}" if own else "dòng không có khóa"
            same_en = f"has the same key as {seen[own]}" if own else "has no key"
            problems.append(_problem(table.where(number, ", ".join(map.key) or map.unit), same, same_en, *_STAMP))
        seen.setdefault(own, table.where(number))
        when = times[number]
        if isinstance(when, str):
            said = f"{when!r} không phải thời điểm", f"{when!r} is no time"
            todo = "ghi ngày/tháng/năm giờ:phút", "write day/month/year hour:minute"
            problems.append(_problem(table.where(number, map.time), *said, *todo))
        answers = _answers(boxes, map, {column: read_cells[number] for column, read_cells in columns.items()})
        place = {name: cells_of[column] for column, name in map.places.items() if cells_of[column]}
        known = when if isinstance(when, datetime) else None
        found.append(Row(table.places[number], table.where(number), key, unit, known, answers, place))
    problems.sort(key=lambda problem: [part.zfill(9) for part in re.split(r"(\d+)", problem.where)])
    return found, problems


def _answers(boxes: Mapping[str, Field], map: Map, cells: Mapping[str, Value | bool | None]) -> Answers:
    answers: Answers = {}
    ticks: dict[str, list[str]] = {}
    for column, value in cells.items():
        question = map.questions[column]
        if isinstance(value, bool):
            name, _, choice = question.partition("/")
            ticks.setdefault(name, []).extend([choice] if value else [])
        elif value is not None:
            answers[boxes[question].node.path] = value
    for name, chosen in ticks.items():
        if chosen:
            box = boxes[name]
            answers[box.node.path] = [one for one in box.codes.values() if one in chosen]
            if box.kind != "many":
                answers[box.node.path] = chosen[0] if len(chosen) == 1 else {"missing": "multiple"}
    return answers


# -- a proposal ----------------------------------------------------------------------------------------------------


def draft(table: Table, questionnaire: Questionnaire) -> list[tuple[str, str, str, str]]:
    """A map proposed from the headings, as rows of :data:`COLUMNS`: a question where one has the heading's name, words
    or number, and what the values of its choices seem to mean. What was not found is empty, for a person to fill in or
    to leave out."""
    boxes = _by_name(questionnaire)
    times = [column for column in table.columns if fold(column).strip() in _TIMES]
    rows = [("", MODE, "", "web" if times else "paper")]
    taken: set[str] = set()
    for column in table.columns:
        if column in times[:1]:
            rows += [(column, KEY, "", ""), (column, TIME, "", "")]
            continue
        if _words(column) in _UNITS and not any(question == UNIT for _, question, _, _ in rows):
            rows.append((column, UNIT, "", ""))
            continue
        box = _best(column, boxes, taken)
        if box is None:
            rows.append((column, _tick(column, boxes), "", ""))
            continue
        taken.add(box.node.path)
        name = box.node.name if boxes.get(box.node.name) is box else box.node.path
        rows.append((column, name, "", ""))
        if box.labels:
            rows += [(column, "", value, choice) for value, choice in _drafted(box, table, column)]
    return rows


def _drafted(box: Field, table: Table, column: str) -> Iterator[tuple[str, str]]:
    """(value, choice or nothing) of a column; of cells with several choices only those that are not understood."""
    shown = 0
    for cell in dict.fromkeys(row[column] for row in table.rows):
        if not cell or shown >= _LISTED:
            continue
        try:
            value = value_of(box, cell)
        except NotUnderstood:
            value = None
        if box.kind in ("many", "rank") and value is not None:
            continue
        shown += 1
        choice = value.get("missing", "") if isinstance(value, dict) else value if isinstance(value, str) else ""
        yield cell, choice


def _tick(column: str, boxes: Mapping[str, Field]) -> str:
    """``question/choice`` where a heading names both, as exports of other programs write their columns of ticks."""
    question, _, choice = column.rpartition("/")
    box = boxes.get(question) or boxes.get(question.rpartition("/")[2])
    return f"{box.node.name}/{choice}" if box and choice in box.labels else ""


def _best(heading: str, boxes: Mapping[str, Field], taken: set[str]) -> Field | None:
    free = list({box.node.path: box for box in boxes.values() if box.node.path not in taken}.values())
    told = _words(heading)
    numbered = re.match(r"(?:cau |question )?([a-z]{0,2}\d+(?:[.-]\d+)*)(?:[.:)\s]|$)", fold(heading).strip())

    def labels(box: Field) -> set[str]:
        return {_words(label) for label in box.node.label.values()} - {""}

    tries = (
        [box for box in free if fold(heading).strip() in (fold(box.node.name), fold(box.node.path))],
        [box for box in free if told in labels(box)],
        [box for box in free if any(told.endswith(" " + words) for words in labels(box))],
        [box for box in free if numbered and box.number and fold(box.number) == numbered.group(1)],
    )
    return next((found[0] for found in tries if len(found) == 1), None)


def _words(text: str) -> str:
    """A text without case, diacritics, signs, and the brackets that Google puts around the row of a grid."""
    return " ".join(re.findall(r"\w+", fold(re.sub(r"\$\{[^}]*\}", "", text))))
