"""A thousand values that JavaRosa, the engine of ODK Collect, gave for our own expressions: operators, coercions, empty
answers and functions, recorded once (``tests/fixtures/javarosa_values.json`` says of which version and when).

Left out on purpose: ``item[3]``, which JavaRosa finds empty and every other XPath takes for a position.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from survey.questionnaire import xlsform
from tests.forms import begin
from tests.outside import ROOT
from tests.walk_cases import same_value

GROUPS: list[dict[str, Any]] = json.loads(
    (ROOT / "tests" / "fixtures" / "javarosa_values.json").read_text(encoding="utf-8")
)["groups"]

ASKED = {
    **{"n": "integer", "k": "integer", "d": "decimal", "s": "text", "t": "text", "dt": "date", "tm": "time"},
    **{"dtm": "dateTime", "m": "select_multiple c", "o": "select_one c", "r": "range", "gp": "geopoint"},
}
CHOICES = [
    *(("c", name, label) for name, label in (("1", "One"), ("2", "Two"), ("10", "Ten"), ("a", "A a"), ("b-c", "B"))),
    *(("big", name, f"S{name}") for name in "123"),
]


def write(file: Path, *rows: tuple[str, ...]) -> None:
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(rows)


@pytest.mark.parametrize("number", range(len(GROUPS)))
def test_expressions_have_the_values_that_javarosa_gave_them(number: int, tmp_path: Path) -> None:
    group = GROUPS[number]
    worked_out = [("calculate", f"x{i}", "", text, "") for i, text in enumerate(group["expressions"])]
    asked = [
        (kind, name, name, "", "start=0 end=5 step=0.5" if kind == "range" else "") for name, kind in ASKED.items()
    ]
    write(tmp_path / "survey.csv", ("type", "name", "label", "calculation", "parameters"), *asked, *worked_out)
    write(tmp_path / "choices.csv", ("list_name", "name", "label"), *CHOICES)
    questionnaire = xlsform.load(tmp_path)
    for state in group["states"]:
        path = begin(questionnaire)
        for name, value in state["given"].items():
            path = path.set(name, value).path
        for i, (text, expected) in enumerate(zip(group["expressions"], state["values"], strict=True)):
            got = path.entry(f"x{i}").value or None
            assert same_value(expected, None if got is None else str(got)), (text, state["given"], expected, got)
