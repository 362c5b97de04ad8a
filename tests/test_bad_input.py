"""What people type, paste and write into a form that they should not: a message or the right result, nothing lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from survey import create_app
from survey.questionnaire import xlsform
from survey.questionnaire.model import Answers, Questionnaire
from survey.store import Store, drafts
from survey.web import forms
from tests import field
from tests.field import Interviewer
from tests.forms import begin, form, write

SHEET = """
type      | name    | label::Tiếng Việt (vi) | constraint     | parameters             | appearance
text      | why     | Vì sao?                |                |                        | multiline
integer   | persons | Mấy người?             |                |                        |
decimal   | hours   | Mấy giờ?               |                |                        |
date      | born    | Ngày sinh              | . <= today()   |                        |
date      | paper   | Ngày trên giấy         |                |                        |
range     | points  | Điểm                   |                | start=0 end=100 step=5 |
geopoint  | place   | Vị trí nhà             |                |                        |
geotrace  | way     | Đường đi               |                |                        |
geoshape  | field   | Thửa ruộng             |                |                        |
barcode   | code    | Mã vạch                |                |                        |
"""


@pytest.fixture(scope="module")
def instance_of_all(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bad") / "instance"


@pytest.fixture(scope="module")
def inside(instance_of_all: Path) -> Interviewer:
    instance = instance_of_all
    with Store.create(instance, "device", name="laptop") as store:
        field.set_up(store, form(SHEET))
    visitor = Interviewer(create_app(instance, now=field.Clock()))
    visitor.sign_in(field.HOA)
    visitor.start("u1")
    return visitor


def on_disk(instance: Path) -> Answers:
    with Store.open(instance) as store:
        (draft,) = drafts.drafts(store)
        return drafts.answers(store, draft["interview"])


@pytest.mark.parametrize(
    "text",
    [
        "Chờ lâu quá. " * 230 + "Hết.",
        "Vui lắm 😀👩‍👩‍👧 \U0001f1fb\U0001f1f3",
        "trái \u202ephải\u202c sang",
        "Thôn\tSố hộ\nBản Khoang\t41\nBản Áng\t38",
        "<b>&amp;</b> {{ 1 }} ${persons} ' \"",
    ],
    ids=["3,000 letters", "emoji", "right to left", "a pasted table", "marks of markup"],
)
def test_what_is_written_comes_back_letter_by_letter(inside: Interviewer, instance_of_all: Path, text: str) -> None:
    assert inside.answer("why", text).headers["X-Answer"] == "saved"
    assert on_disk(instance_of_all)["why"] == text
    page = inside.open(1)
    assert page.status_code == 200
    assert "<b>&amp;</b>" not in page.text


@pytest.mark.parametrize(
    ("question", "typed", "stored"),
    [
        ("hours", "2,5", "2.5"),
        ("hours", "2.5", "2.5"),
        ("paper", "1/2/1890", "1890-02-01"),
        ("paper", "31/12/2099", "2099-12-31"),
        ("born", "5/3/1931", "1931-03-05"),
        ("points", "35", "35"),
        ("place", "21,3278 103,9188", "21.3278 103.9188 0 0"),
        ("place", "21.3278, 103.9188", "21.3278 103.9188 0 0"),
        ("place", "21.3278,103.9188,640.5,8", "21.3278 103.9188 640.5 8"),
        ("place", "21, 103", "21 103 0 0"),
        ("way", "21.32, 103.91; 21.33, 103.92", "21.32 103.91 0 0; 21.33 103.92 0 0"),
        (
            "field",
            "21.1 103.1\n21.1 103.2\n21.2 103.2",
            "21.1 103.1 0 0; 21.1 103.2 0 0; 21.2 103.2 0 0; 21.1 103.1 0 0",
        ),
        ("code", "8 934588 012228", "8 934588 012228"),
    ],
)
def test_what_can_be_read_is_stored_in_one_form_and_shown_again(
    inside: Interviewer, instance_of_all: Path, question: str, typed: str, stored: str
) -> None:
    reply = inside.answer(question, typed)
    assert reply.headers["X-Answer"] == "saved", reply.text
    assert on_disk(instance_of_all)[question] == stored
    way = begin(form(SHEET), on_disk(instance_of_all))
    entry = way.entry(question)
    assert forms.read(entry, [forms.written(entry.node, stored)], "") == stored


@pytest.mark.parametrize(
    ("question", "typed", "says"),
    [
        ("persons", "Thôn\tSố hộ\r\nKhoang\t41", "số nguyên"),
        ("persons", "😀", "số nguyên"),
        ("hours", "nhiều", "một số"),
        ("born", "5/3/2031", "Câu trả lời"),
        ("paper", "30/2/2026", "có thật"),
        ("points", "37", "từ 0 đến 100, mỗi bước 5"),
        ("points", "105", "từ 0 đến 100"),
        ("place", "21.3278", "vĩ độ rồi kinh độ"),
        ("place", "103.9188, 21.3278", "vĩ độ rồi kinh độ"),
        ("place", "chợ", "vĩ độ rồi kinh độ"),
        ("way", "21.32, 103.91", "ít nhất 2"),
        ("field", "21.1 103.1; 21.1 103.2; 21.1 103.1", "ít nhất 3"),
    ],
)
def test_what_cannot_stand_gets_a_sentence_and_stays_on_the_page(
    inside: Interviewer, instance_of_all: Path, question: str, typed: str, says: str
) -> None:
    before = on_disk(instance_of_all)
    reply = inside.answer(question, typed)
    assert reply.headers["X-Answer"] == "refused"
    assert says in reply.text
    assert on_disk(instance_of_all) == before
    assert typed.split()[0] in inside.open(1).text


def test_a_division_by_zero_leaves_the_page_whole(instance: Path) -> None:
    questionnaire: Questionnaire = form(
        """
        type      | name  | label::Tiếng Việt (vi)        | calculation          | relevant
        integer   | all   | Bao nhiêu người?              |                      |
        calculate | share |                               | 100 div ${all}       |
        calculate | rest  |                               | 100 mod ${all}       |
        note      | said  | Tỷ lệ ${share} và ${rest}     |                      |
        text      | after | Còn gì nữa?                   |                      | ${share} > 5
        """
    )
    with Store.create(instance, "device", name="laptop") as store:
        field.set_up(store, questionnaire)
    visitor = Interviewer(create_app(instance))
    visitor.sign_in(field.HOA)
    visitor.start("u1")
    visitor.answers({"all": "0"})
    assert visitor.open(1).status_code == 200
    visitor.answers({"all": "4"})
    assert "Tỷ lệ 25 và 0" in visitor.open(1).text


def test_a_question_that_does_not_exist_is_named_with_its_row(tmp_path: Path) -> None:
    folder = write(tmp_path / "f", survey="type | name | label | relevant\ntext | a | A | ${nowhere} = 1")
    questionnaire, problems = xlsform.check(folder)
    assert questionnaire is None
    assert any("nowhere" in problem.what.en and "row 2" in problem.where for problem in problems)


@pytest.mark.parametrize("word", ["signature", "ethiopian", "map", "ex:org.odk.counter"])
def test_an_appearance_that_changes_nothing_here_is_named(tmp_path: Path, word: str) -> None:
    folder = write(tmp_path / "f", survey=f"type | name | label | appearance\ntext | a | A | {word}")
    questionnaire, problems = xlsform.check(folder)
    assert questionnaire is not None
    assert any(word in problem.what.en for problem in problems)
