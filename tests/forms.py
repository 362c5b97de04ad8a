"""Small questionnaires written into the tests: one table a sheet, columns between bars."""

from __future__ import annotations

import csv
import tempfile
from datetime import datetime
from pathlib import Path as File
from typing import Any

from survey.questionnaire import xlsform
from survey.questionnaire.model import Answers, Node, Questionnaire
from survey.questionnaire.path import Context, Path, open_path
from survey.questionnaire.values import Atom

NOW = datetime.fromisoformat("2026-11-22T09:30:00+07:00")


def table(text: str) -> list[list[str]]:
    """The cells of a table whose columns stand between bars; the first line is the header."""
    return [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]


def write(folder: File, **sheets: str) -> File:
    """Writes the tables as the CSV sheets of a questionnaire."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in sheets.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(table(text))
    return folder


def form(survey: str, **sheets: str) -> Questionnaire:
    """The questionnaire of these tables, compiled and read back from its JSON as a field laptop gets it."""
    with tempfile.TemporaryDirectory() as folder:
        found = xlsform.load(write(File(folder) / "form", survey=survey, **sheets))
    return Questionnaire.from_json(found.to_json())


def begin(questionnaire: Questionnaire, answers: Answers | None = None, **context: Any) -> Path:
    """An interview on 22 November 2026, half past nine in Hanoi."""
    return open_path(questionnaire, answers or {}, Context(**{"now": NOW, "interview": "one", **context}))


def answered(path: Path, **answers: Any) -> Path:
    """The path after these answers, all of which must be taken."""
    for name, value in answers.items():
        change = path.set(path.questionnaire.question(name).path, value)
        assert change.ok, f"{name}={value!r}: {change.verdict}"
        path = change.path
    return path


_TYPES = {
    str: ("text", "string"),
    float: ("decimal", "decimal"),
    int: ("integer", "int"),
    list: ("select_multiple", ""),
}


def worked_out(expression: str, **given: Any) -> Atom:
    """The value of an expression in an interview with these answers (a name with the value "" is not answered).

    A name that begins with ``date`` or ``time`` is a date or time question.
    """
    nodes = []
    for name, value in given.items():
        kind, data_type = _TYPES[type(value)]
        if name.startswith(("date", "time")):
            kind = data_type = name[:4]
        control = "select" if kind == "select_multiple" else "input"
        nodes.append(Node("question", name, name, type=kind, data_type=data_type or "string", control=control))
    nodes.append(Node("question", "it", "it", type="calculate", calculation=expression))
    path = begin(Questionnaire("x", nodes=tuple(nodes)))
    for name, value in given.items():
        stored = value if isinstance(value, list) else str(value)
        if stored:
            path = answered(path, **{name: stored})
    assert not path.trouble, path.trouble
    element = path.entry("it").element
    return path.state.values.get(element, "")
