"""Two versions of a questionnaire: what stays compatible, what does not, and the sentence that says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from survey.questionnaire import xlsform
from survey.questionnaire.compare import Difference, compare
from survey.store import Store, frame
from tests.forms import form, write

Survey = Callable[..., Result]

SHEET = """
    type             | name  | label::Tiếng Việt (vi)        | label::English (en)      | relevant | {rules} | missing
    select_one yn    | own   | Ông/Bà có tự nộp hồ sơ không? | Did you file it yourself? |         | | yes | | refused
    select_one scale | happy | Ông/Bà hài lòng ở mức nào?    | How satisfied are you? | ${own} = 'yes' | | | | dont_know
    integer          | age   | Ông/Bà bao nhiêu tuổi?        | How old are you?         |          | . >= 18 | | |
    calculate        | adult |                               |                          |          | | | ${age} > 17 |
""".replace("{rules}", "constraint | required | calculation")
CHOICES = """
    list_name | name | label::Tiếng Việt (vi) | label::English (en)
    yn        | yes  | Có                     | Yes
    yn        | no   | Không                  | No
    scale     | 1    | Không hài lòng         | Dissatisfied
    scale     | 2    | Hài lòng               | Satisfied
    scale     | 3    | Rất hài lòng           | Very satisfied
"""
SETTINGS = "form_id | form_title | default_language\nx | Phiếu | Tiếng Việt (vi)"
INDEX = """
    code | parent | label::English (en) | combine | share | from | to | question | score
    A    |        | All                 | mean    |       | 0..1 | 0..100 |       |
    A.1  | A      | Satisfaction        |         |       | 0..1 | 0..100 | happy | 2 3
"""


def differences(
    *changes: tuple[str, str], survey: str = SHEET, choices: str = CHOICES, index: str = INDEX
) -> list[Difference]:
    """What :func:`compare` finds after these replacements in the sheets, each of which must replace something."""
    sheets = {"survey": survey, "choices": choices, "index": index}
    old = form(settings=SETTINGS, **sheets)
    for before, after in changes:
        assert any(before in sheet for sheet in sheets.values()), before
        sheets = {name: sheet.replace(before, after) for name, sheet in sheets.items()}
    return compare(old, form(settings=SETTINGS, **sheets))


def told(found: list[Difference]) -> list[tuple[str, str, bool]]:
    return [(one.kind, one.name, one.compatible) for one in found]


def test_a_version_differs_in_nothing_from_itself():
    assert differences() == []
    for name in xlsform.shipped():
        questionnaire = xlsform.load(name)
        assert compare(questionnaire, questionnaire) == []


@pytest.mark.parametrize(
    ("before", "after", "kind", "name"),
    [
        ("How old are you?", "What is your age?", "label", "age"),
        ("    integer ", "    text | more | Thêm | More | | | | |\n    integer ", "question_added", "more"),
        ("Very satisfied", "Very, very satisfied", "choice_label", "happy, scale"),
        ("    yn        | no ", "    yn | other | Khác | Other\n    yn        | no ", "choice_added", "own, yn"),
        ("| yes |", "| |", "required", "own"),
        ("Satisfaction", "Contentment", "index_label", "A.1"),
    ],
)
def test_compatible(before: str, after: str, kind: str, name: str):
    assert told(differences((before, after))) == [(kind, name, True)]


@pytest.mark.parametrize(
    ("before", "after", "kind", "name"),
    [
        ("integer          | age", "decimal | age", "type", "age"),
        ("| dont_know", "|", "missing", "happy"),
        ("| refused", "| refused dont_know", "missing", "own"),
        ("${own} = 'yes'", "${own} != ''", "relevant", "happy"),
        (". >= 18", ". >= 16", "constraint", "age"),
        ("${age} > 17", "${age} > 20", "calculation", "adult"),
        ("    scale     | 3    | Rất hài lòng           | Very satisfied\n", "", "choice_removed", "happy, scale"),
        ("| 2 3", "| 3", "index", "A.1"),
        ("| mean ", "| sum ", "index", "A"),
        ("| happy | 2 3", "| happy | 2 3\n A.2 | A | Age | | | 0..1 | 0..100 | adult | linear", "index_added", "A.2"),
    ],
)
def test_not_compatible(before: str, after: str, kind: str, name: str):
    assert told(differences((before, after))) == [(kind, name, False)]


def test_a_question_that_is_gone_may_be_shown_as_renamed_but_stays_gone():
    found = differences(("| age ", "| years "), ("${age}", "${years}"))
    assert told(found) == [
        ("question_removed", "age", False),
        ("calculation", "adult", False),
        ("question_added", "years", True),
    ]
    assert found[0].remark.en == "perhaps renamed to “years”?"


def test_very_different_words_are_pointed_out_and_decide_nothing():
    (found,) = differences(
        ("How old are you?", "Where do the children in this household go to school?"),
        ("Ông/Bà bao nhiêu tuổi?", "Trẻ em trong hộ đang học ở đâu?"),
    )
    assert found.compatible
    assert "whether it is still that question" in found.remark.en


def test_two_codes_that_change_places_are_recoded_both():
    found = differences(("scale     | 1 ", "scale     | x "), ("scale     | 2 ", "scale     | 1 "), ("| x ", "| 2 "))
    recoded = [one.what.en for one in found if one.kind == "choice_recoded"]
    assert recoded == ["the choice “Dissatisfied” was 1, is 2", "the choice “Satisfied” was 2, is 1"]
    assert not any(one.compatible for one in found if one.kind == "choice_recoded")


def test_a_code_that_is_used_again_for_another_choice_has_another_meaning():
    found = differences(
        ("    scale     | 3    | Rất hài lòng           | Very satisfied\n", ""),
        ("| 2    | Hài lòng               | Satisfied", "| 2 | Rất hài lòng | Very satisfied"),
    )
    assert [(one.kind, one.what.en) for one in found] == [
        ("choice_recoded", "the choice “Very satisfied” was 3, is 2"),
        ("choice_recoded", "the code 2 (Satisfied) has another meaning now"),
    ]


def test_another_list_with_the_same_choices_is_no_difference():
    assert differences(("yn ", "agree ")) == []


def test_another_order_is_compatible():
    rows = SHEET.strip("\n").split("\n")
    moved = "\n".join([rows[0], rows[3], rows[1], rows[2], rows[4]])
    found = compare(form(SHEET, choices=CHOICES, settings=SETTINGS), form(moved, choices=CHOICES, settings=SETTINGS))
    assert told(found) == [("order", "age", True)]
    choices = CHOICES.strip("\n").split("\n")
    swapped = "\n".join([choices[0], choices[2], choices[1], *choices[3:]])
    found = compare(form(SHEET, choices=CHOICES, settings=SETTINGS), form(SHEET, choices=swapped, settings=SETTINGS))
    assert told(found) == [("choice_order", "own, yn", True)]


def test_a_question_in_another_section_is_the_same_question_unless_others_are_asked_it():
    grouped = """
        type        | name | label | relevant
        integer     | age  | Age?  |
        begin_group | g    | G     | {asked}
        integer     | kids | Kids? |
        end_group   |      |       |
    """
    apart = """
        type        | name | label
        integer     | age  | Age?
        integer     | kids | Kids?
    """
    assert told(compare(form(apart), form(grouped.format(asked="")))) == [
        ("moved", "kids", True),
        ("group_added", "g", True),
    ]
    asked = compare(form(apart), form(grouped.format(asked="${age} > 17")))
    assert ("relevant", "kids", False) in told(asked)
    repeated = grouped.format(asked="").replace("group", "repeat")
    assert ("repeat", "kids", False) in told(compare(form(apart), form(repeated)))


def test_each_sentence_names_the_question_and_both_rows_in_both_languages():
    new = ("    integer ", "    text | more | Thêm | More | | | | |\n    integer ")
    constraint = next(one for one in differences(new, (". >= 18", ". >= 16")) if one.kind == "constraint")
    assert constraint("en") == (
        "age (survey, row 4 → 5): changes which answers are taken (constraint); “. >= 18” → “. >= 16”"
    )
    assert constraint("vi") == (
        "age (survey, dòng 4 → 5): thay đổi câu trả lời được nhận (constraint); «. >= 18» → «. >= 16»"
    )


# -- the command ---------------------------------------------------------------------------------------------------


def test_the_command_ends_with_1_where_something_is_not_compatible(survey: Survey, tmp_path: Path):
    old = write(tmp_path / "old", survey=SHEET, choices=CHOICES, settings=SETTINGS)
    words = write(tmp_path / "words", survey=SHEET.replace("How old", "Old"), choices=CHOICES, settings=SETTINGS)
    types = write(tmp_path / "types", survey=SHEET.replace("integer", "decimal"), choices=CHOICES, settings=SETTINGS)
    assert survey("questionnaire", "diff", old, old).output == "The two versions are the same.\n"
    compatible = survey("questionnaire", "diff", old, words)
    assert (compatible.exit_code, compatible.output.splitlines()[0]) == (0, "Compatible (1):")
    broken = survey("questionnaire", "diff", old, types, "--json")
    assert broken.exit_code == 1
    (difference,) = json.loads(broken.stdout)["differences"]
    assert (difference["kind"], difference["old_row"], difference["compatible"]) == ("type", 4, False)


def test_a_version_can_be_named_by_its_hash_in_the_store(survey: Survey, device: Store, tmp_path: Path):
    folder = write(tmp_path / "old", survey=SHEET, choices=CHOICES, settings=SETTINGS)
    old = xlsform.load(folder)
    frame.issue(device, "questionnaire", old.hash, old.to_json())
    file = tmp_path / "new.xlsx"
    xlsform.write_xlsx(folder, file)
    assert survey("questionnaire", "diff", old.hash[:15], file).exit_code == 0
    unknown = survey("questionnaire", "diff", "sha256:00000000", file)
    assert unknown.exit_code == 2
    assert "no questionnaire with this hash" in unknown.output


def test_sipas_2024_and_2026_differ_by_the_district_alone():
    found = compare(xlsform.load("sipas_2024"), xlsform.load("sipas_2026"))
    assert [one.name for one in found if not one.compatible] == ["district"]
