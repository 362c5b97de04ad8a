"""Questionnaires in and out: every problem at once with its place, workbooks that are broken, round trips."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from click.testing import Result

from survey.errors import InputError, Problems
from survey.questionnaire import xlsform
from survey.questionnaire.model import Questionnaire
from tests import outside
from tests.forms import form, write

CHOICES = "list_name | name | label\nyn | 1 | Có\nyn | 2 | Không"


def told(folder: Path, survey: str, **sheets: str) -> list[str]:
    """What ``check`` says about these tables, in English; every problem must have its Vietnamese too."""
    _, problems = xlsform.check(write(folder / "form", survey=survey, **sheets))
    assert all(p.what.vi and p.what.en for p in problems)
    return [p("en") for p in problems]


# -- what is wrong ---------------------------------------------------------------------------------------------------


def test_every_problem_is_named_at_once_with_sheet_row_and_column(tmp_path: Path) -> None:
    problems = told(
        tmp_path,
        """
        type | name | label | relevant | calculation | missing
        select_one yn | visited | Có đến không? | | |
        selectone yn | twice | Hai lần? | ${visitd} = '1' | |
        select_one yess | bad list | Danh sách | | | refusd
        integer | visited | Trùng tên | ${visited} = | |
        calculate | sum | | | summ(${visited}) |
        begin_group | open | Nhóm chưa đóng | | |
        """,
        choices="list_name | name | label\nyn | 1 | Có\nyn | 1 | Có",
    )
    assert problems == [
        "form/survey.csv, row 3, column relevant: “visitd” is not the name of any question; did you mean “visited”?",
        "form/survey.csv, row 4, column name: the name “bad list” is not valid; "
        "use letters, digits and underscores; begin with a letter",
        "form/survey.csv, row 4, column type: there is no list “yess” in the sheet choices",
        "form/survey.csv, row 4, column missing: there is no missing kind “refusd”; "
        "the kinds are dont_know, refused, not_applicable, blank, multiple",
        "form/survey.csv, row 5, column name: the name “visited” is taken by row 2; choose another name",
        "form/survey.csv, row 5, column relevant: "
        "the expression is wrong at character 13: the expression ends too early",
        "form/survey.csv, row 6, column calculation: there is no function summ(); did you mean “sum”?",
        "form/survey.csv, row 7, column type: the group “open” is not closed; add a row end_group",
        "form/choices.csv, row 3, column name: “1” is in the list “yn” already, row 2",
    ]


@pytest.mark.parametrize(
    ("survey", "says"),
    [
        (
            "type | name | label\ntxt | a | A",
            "row 2, column type: there is no question type “txt”; did you mean “text”?",
        ),
        ("type | name | label\nselect_one | a | A", "“select_one” lacks the name of its list of choices"),
        ("type | name | label\nselect_one y | a | A", "there is no list “y” in the sheet choices; did you mean “yn”?"),
        (
            "type | name | label\nselect_multiple ${r} | a | A",
            "“select_multiple” cannot take its choices from a repeat",
        ),
        ("type | name | label\nend_group | |", "row 2, column type: “end_group” closes nothing"),
        (
            "type | name | label\nbegin_group | g | G\nbegin_repeat | r | R\nend_group | |\nend_repeat | |",
            "“end_group” closes “r”, which begin_repeat opened in row 3",
        ),
        ("type | name | label | constraint\ninteger | a | A | if(. > 1, 2)", "if() takes 3 arguments, not 2"),
        (
            "type | name | label | calculation\ncalculate | a | | phone-call('0')",
            "phone-call() is not supported",
        ),
        ("type | name | label\ntext | a | Chào ${b}", "row 2, column label: “b” is not the name of any question"),
        ("type | name | label\ntext | | Chào", "row 2, column name: the name is missing"),
        ("type | name | label | missing_codes\ninteger | a | A | 98", "“98” is not of the form code=kind"),
        ("type | name | label\ntext | a |", "no label"),
        ("type | name | label\n | a | A", "Question with no type"),
        ("name | label\na | A", "headers were not found"),
        ("type | name | label", "the sheet survey has no rows"),
    ],
)
def test_a_form_that_cannot_be_used_says_why(tmp_path: Path, survey: str, says: str) -> None:
    source = write(tmp_path / "form", survey=survey, choices=CHOICES)
    with pytest.raises(Problems) as error:
        xlsform.load(source)
    assert says in error.value("en")
    assert error.value("vi") != error.value("en")


@pytest.mark.parametrize(
    ("rows", "chain"),
    [
        ("calculate | a | | ${b} + 1 |\ncalculate | b | | ${a} + 1 |", "a → b → a"),
        ("calculate | a | | ${a} + 1 |", "a → a"),
        ("text | a | A | | ${b} = '1'\ntext | b | B | | ${a} = '1'", "a → b → a"),
        ("begin_group | g | G | | ${x} = '1'\ntext | x | X | |\nend_group | | | |", "g → g"),
    ],
)
def test_expressions_in_a_circle_are_named_as_a_chain(tmp_path: Path, rows: str, chain: str) -> None:
    problems = told(tmp_path, "type | name | label | calculation | relevant\n" + rows)
    assert len(problems) == 1
    found = problems[0].split("in a circle: ")[1].split(";")[0].split(" → ")
    assert set(found) == set(chain.split(" → "))
    assert found[0] == found[-1]


def test_a_constraint_may_look_at_its_own_question_and_others_at_it(tmp_path: Path) -> None:
    rows = "integer | a | A | . > ${b} |\ninteger | b | B | . < ${a} |"
    assert told(tmp_path, "type | name | label | constraint | relevant\n" + rows) == []


@pytest.mark.parametrize(
    ("survey", "sheets", "says"),
    [
        (
            "type | name | label | relevent\ntext | a | A |",
            {},
            "row 1, column relevent: there is no column “relevent”; did you mean “relevant”?",
        ),
        (
            "type | name | label::Tiếng Việt (vi) | label::English (en)\ntext | a | Tên | ",
            {},
            "row 2, column label: the translation into English (en) is missing",
        ),
        ("type | name | label\nbarcode | a | A", {}, "the type “barcode” is not supported (scanning a barcode"),
        ("type | name | label | default\ntext | a | A | ${last-saved#a}", {}, "${last-saved#…} is not supported"),
        ("type | name | label\nselect_one_from_file f.csv | a | A", {}, "the file “f.csv” is not there"),
        (
            "type | name | label | calculation\ncalculate | a | | ../b",
            {},
            "the path “../b” leads to no question",
        ),
        (
            "type | name | label\ntext | a | A",
            {"choices": "list_name | name | label | lable\nx | 1 | Một | "},
            "the column “lable” is used nowhere; did you mean “label”?",
        ),
    ],
)
def test_what_is_worth_a_look_does_not_keep_a_form_from_being_used(
    tmp_path: Path, survey: str, sheets: dict[str, str], says: str
) -> None:
    source = write(tmp_path / "form", survey=survey, **sheets)
    found, problems = xlsform.check(source)
    assert found is not None
    assert says in "\n".join(p("en") for p in problems)


def test_quotation_marks_of_a_word_processor_are_straightened() -> None:
    curly = form("type | name | label | relevant\ntext | a | A |\ntext | b | B | ${a} = ‘x’")
    assert curly.question("b").relevant.endswith("= 'x'")


# -- broken workbooks --------------------------------------------------------------------------------------------


def workbook(**sheets: str) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, text in sheets.items():
        page = book.create_sheet(name)
        for line in text.splitlines():
            page.append([cell.strip() for cell in line.split("|")])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


GOOD = workbook(survey="type | name | label\ntext | a | A", settings="form_id | version\nx | 1")


def _emptied(data: bytes) -> bytes:
    """The same archive with every sheet's content taken away."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, b"" if "sheet" in name else old.read(name))
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "damaged or is not an Excel workbook"),
        (b"type,name,label\ntext,a,A\n", "damaged or is not an Excel workbook"),
        (GOOD[: len(GOOD) // 2], "damaged or is not an Excel workbook"),
        (_emptied(GOOD), "damaged or is not an Excel workbook"),
        (workbook(survey=""), "sheet"),
        (workbook(notes="a | b\n1 | 2", more="c"), "there is no sheet “survey”"),
        (workbook(survey="type | name | label | label\ntext | a | A | B"), "Duplicate column header: label"),
    ],
)
def test_a_broken_workbook_is_a_sentence(tmp_path: Path, data: bytes, says: str) -> None:
    file = tmp_path / "broken.xlsx"
    file.write_bytes(data)
    found, problems = xlsform.check(file)
    assert found is None
    assert says in problems[0]("en")
    assert problems[0].where.startswith("broken.xlsx")


def test_every_cut_of_a_workbook_is_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "cut.xlsx"
    for size in range(0, len(GOOD), 211):
        file.write_bytes(GOOD[:size])
        assert xlsform.check(file)[0] is None


def test_a_sheet_with_a_million_blank_rows_is_read_up_to_the_last_that_is_not(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(io.BytesIO(GOOD))
    book["survey"].cell(1_048_576, 1).font = openpyxl.styles.Font(bold=True)
    book.create_sheet("index").cell(1_048_576, 1).font = openpyxl.styles.Font(bold=True)
    book.save(tmp_path / "long.xlsx")
    assert [n.path for n in xlsform.load(tmp_path / "long.xlsx").walk() if n.control] == ["a"]


def test_csv_that_is_not_utf8_says_where(tmp_path: Path) -> None:
    folder = write(tmp_path / "form", survey="type | name | label\ntext | a | A")
    (folder / "survey.csv").write_bytes("type,name,label\ntext,a,Tên\n".encode("cp1258"))
    _, problems = xlsform.check(folder)
    assert "not UTF-8" in problems[0]("en")
    assert problems[0].where == "form/survey.csv"


def test_csv_from_excel_with_semicolons_and_byte_order_mark_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "form"
    folder.mkdir()
    (folder / "survey.csv").write_bytes("\ufefftype;name;label\r\ntext;a;Tên, tuổi\r\n".encode())
    assert xlsform.load(folder).question("a").label == {"default": "Tên, tuổi"}


def test_what_is_not_there_or_no_questionnaire_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "form.docx").write_text("x")
    for name, says in (
        ("nowhere", "no such file"),
        ("empty", "neither survey.csv"),
        ("form.docx", "not a questionnaire"),
    ):
        with pytest.raises(InputError, match=says):
            xlsform.load(tmp_path / name)


# -- what is read --------------------------------------------------------------------------------------------------


BOTH = """
type | name | label::Tiếng Việt (vi) | label::English (en) | missing | missing_codes | contact | appearance | required
select_one s | q | Mức độ | How much | dont_know refused | | | likert | yes
integer | n | Số | Number | | 888=dont_know 999=refused | | |
text | phone | Điện thoại | Phone | | | yes | private |
note | end | Cảm ơn ${q} | Thanks ${q} | | | | |
"""


def test_languages_missing_kinds_contact_and_rows_are_read() -> None:
    found = form(
        BOTH,
        choices="""
        list_name | name | label::Tiếng Việt (vi) | label::English (en) | missing_kind
        s | 1 | Kém | Poor |
        s | 98 | Không biết | Don't know | dont_know
        """,
        settings="""
        form_title | form_id | version | default_language | title::English (en)
        Phiếu | p | 3 | Tiếng Việt (vi) | Form
        """,
        index="""
        code | parent | label::Tiếng Việt (vi) | label::English (en) | combine | question | score
        T | | Chỉ số | Index | mean | |
        I | T | Mức độ | How much | | q | 1=1 98=0
        """,
    )
    assert (found.id, found.version, found.default_language) == ("p", "3", "vi")
    assert found.title == {"vi": "Phiếu", "en": "Form"}
    assert found.languages == {"vi": "Tiếng Việt (vi)", "en": "English (en)"}
    q, n, phone = (found.question(name) for name in ("q", "n", "phone"))
    assert (q.label, q.missing, q.sheet_row) == ({"vi": "Mức độ", "en": "How much"}, ("dont_know", "refused"), 2)
    assert n.missing_codes == {"888": "dont_know", "999": "refused"}
    assert (phone.contact, phone.private, q.contact, q.required) == (True, True, False, "true()")
    assert found.question("end").label["vi"] == "Cảm ơn ${/data/q}"
    assert [(c.name, c.missing_kind) for c in found.lists["s"]] == [("1", ""), ("98", "dont_know")]
    assert [row["code"] for row in found.index] == ["T", "I"]


def test_our_columns_do_not_reach_the_standard_converter(tmp_path: Path) -> None:
    source = write(tmp_path / "form", survey=BOTH, choices="list_name | name | label::English (en)\ns | 1 | Poor")
    found, problems = xlsform.check(source)
    assert found is not None
    assert not [p for p in problems if "no column" in p("en")]


def test_a_compiled_questionnaire_has_a_hash_that_says_what_it_is() -> None:
    first, second = form(BOTH, choices=CHOICES.replace("yn", "s")), form(BOTH, choices=CHOICES.replace("yn", "s"))
    assert first == second
    assert first.hash == second.hash == Questionnaire.from_json(first.to_json()).hash
    changed = form(BOTH.replace("How much", "How many"), choices=CHOICES.replace("yn", "s"))
    assert changed.hash != first.hash
    assert list(json.loads(first.to_json())) == sorted(json.loads(first.to_json()))


def test_a_compiled_questionnaire_of_another_format_is_refused() -> None:
    with pytest.raises(InputError, match="questionnaire/1"):
        Questionnaire.from_json(b'{"schema":"questionnaire/99"}')


@pytest.mark.parametrize("name", xlsform.shipped())
def test_shipped_questionnaires_have_no_problem_and_survive_a_workbook(name: str, tmp_path: Path) -> None:
    found, problems = xlsform.check(name)
    assert problems == []
    assert found is not None
    assert found.id == name
    xlsform.write_xlsx(name, tmp_path / f"{name}.xlsx")
    assert xlsform.load(tmp_path / f"{name}.xlsx").hash == found.hash


def test_files_that_questions_read_travel_with_the_questionnaire(tmp_path: Path) -> None:
    source = write(
        tmp_path / "form",
        survey="type | name | label\nselect_one_from_file units.csv | u | Đơn vị",
        units="name | label\n01 | Một cửa",
        unused="name | label\nx | y",
    )
    found = xlsform.load(source)
    assert found.files == {"units": ({"name": "01", "label": "Một cửa"},)}
    xlsform.write_xlsx(source, tmp_path / "out.xlsx")
    assert (tmp_path / "out-media" / "units.csv").exists()
    assert xlsform.load(tmp_path / "out.xlsx").files == found.files


# -- the command ---------------------------------------------------------------------------------------------------


def test_check_works_from_any_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "survey", "--lang", "en", "questionnaire", "check", "sipas_2024"]
    run = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(outside.ROOT)}
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("sipas_2024: ")


def test_check_tells_good_doubtful_and_bad_by_its_exit_code(survey: Callable[..., Result], tmp_path: Path) -> None:
    good = write(tmp_path / "good", survey="type | name | label\ntext | a | A")
    doubtful = write(tmp_path / "doubtful", survey="type | name | label\nbarcode | a | A")
    bad = write(tmp_path / "bad", survey="type | name | label\ntext | a | ${b}\ntext | a | ${c}")
    assert survey("questionnaire", "check", good).exit_code == 0
    assert survey("questionnaire", "check", doubtful).exit_code == 1
    result = survey("questionnaire", "check", bad)
    assert result.exit_code == 2
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == [
        "bad/survey.csv, row 2, column label",
        "bad/survey.csv, row 3, column name",
        "bad/survey.csv, row 3, column label",
    ]
    plain = json.loads(survey("questionnaire", "check", bad, "--json").stdout)
    assert plain["usable"] is False
    assert len(plain["problems"]) == 3


def test_list_show_and_export_print_what_a_person_looks_for(survey: Callable[..., Result], tmp_path: Path) -> None:
    assert "papi_2018" in survey("questionnaire", "list").stdout
    assert "${consent}" in survey("questionnaire", "show", "sipas_2024").stdout
    result = survey("questionnaire", "export", "sipas_2024", tmp_path / "sipas.xlsx")
    assert result.exit_code == 0
    assert openpyxl.load_workbook(tmp_path / "sipas.xlsx").sheetnames == ["choices", "index", "settings", "survey"]
    assert survey("questionnaire", "export", "sipas_2024", tmp_path / "no" / "folder.xlsx").exit_code == 2
