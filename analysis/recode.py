"""Answers "other, specify" counted as the choice that says the same, by a table that a person filled in."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

from analysis.dataset import Dataset
from survey.errors import Problem, Problems
from survey.fieldwork.measures import Items
from survey.tables import Table as Sheet
from survey.text import Text, fold


def recode(data: Dataset, sheet: Sheet) -> tuple[Dataset, int]:
    """``data`` with the answers of ``sheet`` recoded, and how many were.

    ``sheet`` has the columns ``question`` (path of the text), ``text`` and ``code`` (a choice of the question whose
    "other" it explains; empty: stays "other"), as ``survey quality --others`` writes it. The text is compared without
    case and diacritics, and taken away where it became a choice. The interviews themselves stay as they are.

    Raises:
        Problems: columns, questions and codes that are not there, all at once.
    """
    asked: dict[str, tuple[str, str]] = {}
    choices: dict[str, dict[str, None]] = defaultdict(dict)
    for questionnaire in data.questionnaires.values():
        for path, (parent, other) in Items(questionnaire).others.items():
            asked[path] = parent, other
            listed = questionnaire.lists.get(questionnaire.by_path[parent].list_name, ())
            choices[path].update(dict.fromkeys(choice.name for choice in listed))
    wanted = _wanted(sheet, asked, choices)
    names = {node.path: name for name, node in data.questions.items()}
    table, count = data.table, 0
    for path, codes in wanted.items():
        parent, other = asked[path]
        column, text = names[parent], names[path]
        if text not in table:
            continue
        answers, said = table.arrow[column].to_pylist(), table.arrow[text].to_pylist()
        ticks: dict[str, list[Any]] = {}
        for row, words in enumerate(said):
            code = codes.get(_folded(words or ""))
            given = (answers[row] or "").split(" ")
            if not code or other not in given:
                continue
            answers[row] = " ".join(dict.fromkeys(code if one == other else one for one in given))
            said[row] = None
            count += 1
            for name, value in ((other, "0"), (code, "1")):
                tick = f"{column}/{name}"
                if tick in table:
                    ticks.setdefault(tick, table.arrow[tick].to_pylist())[row] = value
        table = table.with_columns({column: answers, text: said, **ticks})
    return replace(data, table=table), count


def _folded(text: str) -> str:
    return " ".join(fold(text).split())


def _wanted(
    sheet: Sheet, asked: dict[str, tuple[str, str]], choices: dict[str, dict[str, None]]
) -> dict[str, dict[str, str]]:
    """Path to folded text to code."""
    problems = [
        Problem(
            sheet.source,
            Text(f"thiếu cột {name}", f"there is no column {name}"),
            Text("ghi bảng bằng: survey quality --others", "write the table by: survey quality --others"),
        )
        for name in ("question", "text", "code")
        if name not in sheet.columns
    ]
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for number, row in enumerate(sheet.rows if not problems else ()):
        path, code = row["question"], row["code"]
        if path not in asked:
            problems.append(
                Problem(
                    sheet.where(number, "question"),
                    Text(f"{path!r} không phải câu “khác, ghi rõ”", f"{path!r} is no “other, specify”"),
                    Text("các câu: " + ", ".join(asked), "they are: " + ", ".join(asked)),
                )
            )
        elif code and code not in choices[path]:
            known = ", ".join(choices[path])
            problems.append(
                Problem(
                    sheet.where(number, "code"),
                    Text(f"câu hỏi không có lựa chọn {code!r}", f"the question has no choice {code!r}"),
                    Text(f"chọn một: {known}", f"choose one: {known}"),
                )
            )
        elif code:
            found[path][_folded(row["text"])] = code
    if problems:
        raise Problems(problems)
    return found
