"""Soft checks in the form engine: an answer that is taken, and doubted."""

from __future__ import annotations

from pathlib import Path

import pytest

from survey.questionnaire import xlsform
from survey.questionnaire.model import Answers, Questionnaire
from survey.questionnaire.path import Context, open_path
from tests.forms import form, write

HEAD = (
    "type | name | label::V (vi) | label::E (en) | relevant | constraint | soft_constraint | {0}::V (vi) | {0}::E (en)"
)
HOUSEHOLD = f"""
{HEAD.format("soft_constraint_message")}
integer | age | Tuổi | Age | | . <= 110 | . <= 100 | Trên 100 tuổi? | Above 100? | |
begin_repeat | child | Con | Child | | | | |
integer | years | Tuổi con | Age | | | . < ${{age}} - 12 | | |
end_repeat | | | | | | | |
integer | income | Thu nhập | Income | ${{age}} < 101 | | . != 0 | |
"""


@pytest.fixture(scope="module")
def household() -> Questionnaire:
    return form(HOUSEHOLD)


def doubted(household: Questionnaire, answers: Answers) -> list[str]:
    return [entry.path for entry in open_path(household, answers, Context()).doubts()]


def test_an_unusual_answer_is_taken_and_doubted_and_an_impossible_one_is_not_taken(household: Questionnaire) -> None:
    way = open_path(household, {}, Context())
    assert way.doubts() == []
    unusual = way.set("age", "104")
    assert unusual.ok
    (entry,) = unusual.path.doubts()
    assert (entry.path, entry.valid, entry.doubt("vi"), entry.doubt("en")) == (
        "age",
        True,
        "Trên 100 tuổi?",
        "Above 100?",
    )
    assert not way.set("age", "111").ok
    assert unusual.path.set("age", "100").path.doubts() == []
    assert unusual.path.problems() == []


def test_a_soft_check_may_look_at_other_questions_and_sees_them_from_inside_a_repeat(household: Questionnaire) -> None:
    answers: Answers = {"age": "40", "child": ["c1", "c2"], "child[c1]/years": "30", "child[c2]/years": "10"}
    assert doubted(household, answers) == ["child[c1]/years"]
    assert doubted(household, {**answers, "age": "60"}) == []
    (entry,) = open_path(household, answers, Context()).doubts()
    assert "ít gặp" in entry.doubt("vi")
    assert "unusual" in entry.doubt("en")


def test_what_is_not_asked_or_not_answered_is_not_doubted(household: Questionnaire) -> None:
    assert doubted(household, {"age": "50", "income": "0"}) == ["income"]
    assert doubted(household, {"age": "101", "income": "0"}) == ["age"]
    assert doubted(household, {"age": "50"}) == []


def test_the_check_is_kept_in_the_compiled_questionnaire_and_in_the_workbook(
    household: Questionnaire, tmp_path: Path
) -> None:
    again = Questionnaire.from_json(household.to_json())
    assert doubted(again, {"age": "104"}) == ["age"]
    folder = write(tmp_path / "form", survey=HOUSEHOLD)
    file = tmp_path / "form.xlsx"
    xlsform.write_xlsx(folder, file)
    assert doubted(xlsform.load(file), {"age": "104"}) == ["age"]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("integer | a | A | . < | | ", "the expression is wrong"),
        ("integer | a | A | . < ${nobody} | | ", "nobody"),
        ("integer | a | A | . < 3 | Hơn ${a}? | ", "this message takes no"),
        ("text | a | A | . != '0' | | yes", "a contact question cannot have a soft check"),
    ],
)
def test_a_soft_check_that_cannot_work_is_named(tmp_path: Path, row: str, says: str) -> None:
    head = "type | name | label | soft_constraint | soft_constraint_message | contact"
    found, problems = xlsform.check(write(tmp_path / "form", survey=f"{head}\n{row}"))
    assert found is None
    assert any(says in problem.what.en and "soft_constraint" in problem.where for problem in problems), problems
