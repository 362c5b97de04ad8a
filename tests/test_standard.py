"""The standard, part by part: nothing that pyxform knows is missing from our table, and nothing that a form uses and we
do not carry out is passed over in silence."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyxform import aliases
from pyxform import constants as names
from pyxform.question_type_dictionary import QUESTION_TYPE_DICT

from survey.questionnaire import standard, xlsform
from survey.questionnaire.standard import family
from survey.questionnaire.xform import _TYPES
from tests.forms import begin, form, write
from tools import xlsform_table

WORDY = ("add ", "q ", "get ", "number of days", "select ", "sim ", "subscriber ", "device ", "uri:", "start ", "end ")
"""The wordy spellings of the first years of XLSForm and of XForms itself, which pyxform reads as the usual types."""


def told(folder: Path, **sheets: str) -> list[str]:
    """What ``check`` says of the form, in English."""
    return [problem("en") for problem in xlsform.check(write(folder / "form", **sheets))[1]]


def test_every_column_that_pyxform_reads_is_in_the_table() -> None:
    assert {column.lower() for column in aliases.survey_header} - standard.SURVEY.keys() - {"body"} == set()
    assert set(aliases.list_header) - standard.CHOICES.keys() == set()
    assert set(aliases.settings_header) - standard.SETTINGS.keys() == set()


def test_every_type_that_pyxform_knows_is_in_the_table() -> None:
    known = {_TYPES.get(name, name) for name in QUESTION_TYPE_DICT if not name.startswith(WORDY)}
    assert known - standard.TYPES.keys() - {"percentage", "date time", "phone number", "select one external"} == set()


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("range", names.ParametersRange),
        ("select", names.ParametersSelectFromFile),
        ("image", names.ParametersImage),
        ("text", names.ParametersText),
        ("audio", names.ParametersAudio),
        ("audit", names.ParametersAudit),
        ("geo", names.ParametersGeo),
        ("geo", names.ParametersGeoPoint),
    ],
)
def test_every_parameter_that_pyxform_takes_is_in_the_table(kind: str, words: type[names.ParametersText]) -> None:
    assert {str(word.value) for word in words} - standard.PARAMETERS[kind].keys() == set()


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("save_to", "price", "row 1, column save_to: the column “save_to” is not supported"),
        ("bind::odk:length", "3", "row 1, column bind::odk:length: the column “bind::odk:length” is not supported"),
        ("body::accuracyThreshold", "3", "column body::accuracyThreshold: the column"),
        ("instance::odk:tag", "x", "column instance::odk:tag: the column"),
        ("autoplay", "audio", "column autoplay: the column “autoplay” is not supported"),
        ("intent", "a.b.c", "column intent: the column “intent” is not supported"),
        ("frobnicate", "1", "there is no column “frobnicate”"),
        ("appearance", "masked", "row 2, column appearance: the appearance “masked” is not supported"),
        ("appearance", "ex:org.example.scan", "no other app is opened"),
        ("appearance", "buddhist", "there is no such calendar"),
        ("appearance", "w4", "only arranges a telephone's screen, no effect here: w4"),
        ("parameters", "rows=5", "no effect here: rows"),
    ],
)
def test_what_is_not_carried_out_is_named_with_its_place(tmp_path: Path, column: str, cell: str, said: str) -> None:
    found = told(tmp_path, survey=f"type | name | label | {column}\ntext | a | A | {cell}")
    assert [said in problem for problem in found].count(True) == 1


@pytest.mark.parametrize("word", ["month-year", "year", "multiline", "quick", "list-nolabel", "table-list", "minimal"])
def test_what_is_carried_out_is_not_remarked_upon(tmp_path: Path, word: str) -> None:
    assert told(tmp_path, survey=f"type | name | label | appearance\ntext | a | A | {word}") == []


def test_attributes_that_are_read_from_the_xform_are_carried_out(tmp_path: Path) -> None:
    sheet = (
        "type | name | label | bind::relevant | bind::constraint\ninteger | a | A | | . < 5\ntext | b | B | ${a} > 1 |"
    )
    assert told(tmp_path, survey=sheet) == []
    path = begin(form(sheet))
    assert path.set("a", "7").verdict == "constraint"
    assert not path.entry("b").relevant


def test_settings_that_have_no_effect_or_do_not_exist_are_named(tmp_path: Path) -> None:
    said = told(
        tmp_path,
        survey="type | name | label\ntext | a | A",
        settings="form_id | auto_send | frobnicate\nx | true | 1",
    )
    assert [line.partition("column ")[2].partition(":")[0] for line in said] == ["auto_send", "frobnicate"]


def test_a_wrong_parameter_is_named_with_its_row(tmp_path: Path) -> None:
    said = told(tmp_path, survey="type | name | label | parameters\ninteger | n | N | strat=1")
    assert any("row 2, column parameters: this type has no parameter “strat”" in line for line in said)


def test_families_share_their_parameters() -> None:
    assert [family(kind) for kind in ("select_one_from_file", "rank", "geoshape", "photo", "range")] == [
        "select",
        "select",
        "geo",
        "image",
        "range",
    ]


def test_the_page_about_the_standard_says_what_the_table_says() -> None:
    assert xlsform_table.PAGE.read_text(encoding="utf-8") == xlsform_table.page()


def test_pulldata_reads_the_file_beside_the_form() -> None:
    sheet = """
        type         | name  | label | calculation
        text         | code  | Code  |
        csv-external | units |       |
        calculate    | place |       | pulldata('units', 'place', 'code', ${code})
    """
    path = begin(form(sheet, units="code | place\n01 | Một cửa\n02 | Công an xã"))
    assert path.set("code", "02").path.values["place"] == "Công an xã"
    assert "place" not in path.set("code", "9").path.values
