"""The form on paper: every question with the codes of the screen, conditions and arrows in words, serials, one file."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from survey.errors import InputError
from survey.paper.conditions import Wording, flat, parsed
from survey.paper.layout import Form, Grid, Question, Words, lay_out
from survey.paper.numbering import is_asked, numbers
from survey.paper.page import qr, render
from survey.paper.serial import Serial, check, read_printed, read_qr, serial
from survey.questionnaire import xlsform
from survey.questionnaire.codes import MISSING_KEYS
from survey.questionnaire.model import Questionnaire, Value
from survey.questionnaire.path import Entry
from survey.store import Store, frame
from survey.text import Text
from survey.web import forms
from tests.forms import begin, form

Survey = Callable[..., Result]

INSTRUMENTS = [name for name in xlsform.shipped() if xlsform.load(name).nodes]


def questions(laid: Form) -> Iterator[Question]:
    """Every question that stands on the form, the contact sheet included."""
    for section in laid.sections:
        for block in section.blocks:
            if isinstance(block, Grid):
                yield from block.rows
            elif isinstance(block, Question):
                yield block
    yield from laid.contacts


def asked(laid: Form, name: str) -> Question:
    return next(question for question in questions(laid) if question.path.rpartition("/")[2] == name)


def of_kind(laid: Form, kind: str) -> list[Words]:
    return [b for section in laid.sections for b in section.blocks if isinstance(b, Words) and b.kind == kind]


# -- everything is there -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_every_question_is_printed_once_with_the_codes_of_the_screen(name: str):
    questionnaire = xlsform.load(name)
    printed = {question.path: question for question in questions(lay_out(questionnaire))}
    path = begin(questionnaire)
    expected = [node.path for node in questionnaire.walk() if is_asked(node)]
    assert sorted(printed) == sorted(expected)
    assert len({question.number for question in printed.values()}) == len(expected) > 20
    for place in expected:
        entry, question = path.entry(place), printed[place]
        for at, language in enumerate(("vi", "en")):
            on_screen = forms.options(entry, language)
            assert [(box.code, box.label[at]) for box in question.options] == [(o.key, o.label) for o in on_screen]
            offered = forms.missing_options(entry.node.missing, language)
            assert [(box.code, box.label[at]) for box in question.missing] == [(o.key, o.label) for o in offered]


@pytest.mark.parametrize("name", INSTRUMENTS)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_number_word_and_code_reaches_the_page(name: str, language: str):
    questionnaire = xlsform.load(name)
    page = render(questionnaire, [language], [serial("", questionnaire.hash, 1)])
    at = ("vi", "en").index(language)
    for question in questions(lay_out(questionnaire)):
        assert page.count(f'<b class="number">{question.number}.</b>') == 1
        assert escaped(question.label[at]) in page
        for box in question.options:
            assert escaped(box.label[at]) in page
    answers = page[page.index("<h2") :]
    boxes = len(re.findall(r'<span class="box [a-z]*">', answers))
    assert boxes == sum(len(question.options) + len(question.missing) for question in questions(lay_out(questionnaire)))


def escaped(words: str) -> str:
    return "<br>".join(str(escape(line)) for line in words.splitlines())


def test_what_a_machine_works_out_or_fills_in_is_left_out():
    printed = {question.path for question in questions(lay_out(xlsform.load("sipas_2026")))}
    assert not {"a5_procedure/svc_known", "opening/province", "profile/area"} & printed


def test_consent_comes_first_and_the_circumstances_last():
    laid = lay_out(xlsform.load("sipas_2026"))
    note, consent = laid.sections[0].blocks[:2]
    assert isinstance(note, Words)
    assert "Luật Bảo vệ dữ liệu cá nhân" in note.label.vi
    assert isinstance(consent, Question)
    assert consent.path == "opening/consent"
    assert laid.sections[-1].title == Text("E. Hoàn cảnh phỏng vấn", "E. Circumstances of the interview")
    assert [place.vi for place in laid.places] == ["Tỉnh, thành phố", "Xã, phường, đặc khu", "Thôn, tổ dân phố"]


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_contact_questions_stand_on_a_sheet_of_their_own(name: str):
    questionnaire = xlsform.load(name)
    laid = lay_out(questionnaire)
    private = {node.path for node in questionnaire.walk() if node.contact}
    assert {question.path for question in laid.contacts} == private
    assert all("không ghi ở đây" in words.label.vi for words in of_kind(laid, "elsewhere"))
    page = render(questionnaire)
    answers, contact = page.index('<div id="flow">'), page.index('<div id="contact">')
    for question in laid.contacts:
        assert page.index(f'<b class="number">{question.number}.</b>') > contact > answers


def test_batteries_are_grids_with_the_scale_once():
    laid = lay_out(xlsform.load("sipas_2026"))
    (section,) = [one for one in laid.sections if one.title.vi.startswith("B1.")]
    stem, grid = section.blocks
    assert isinstance(stem, Words)
    assert isinstance(grid, Grid)
    assert [row.number for row in grid.rows] == ["B1.1", "B1.2", "B1.3", "B1.4"]
    assert [box.code for box in (*grid.options, *grid.kinds)] == ["1", "2", "3", "4", "5", "/", "*"]


def test_numbers_and_text_have_boxes_and_lines_of_their_size():
    laid = lay_out(xlsform.load("papi_2023"))
    sizes = {name: asked(laid, name).write for name in ("age", "school_km", "i4_4_3", "phone", "ethnicity_other")}
    assert {name: (w.pattern, w.lines) for name, w in sizes.items() if w} == {
        "age": ("###", 0),
        "school_km": ("##,#", 0),
        "i4_4_3": ("######", 0),
        "phone": ("##########", 0),
        "ethnicity_other": ("", 1),
    }


# -- conditions in words -------------------------------------------------------------------------------------------

SMALL = form(
    """
    type                | name    | label      | missing | calculation
    begin_group         | c       | C. Dịch vụ |         |
    select_one yn       | own     | Tự làm?    | refused |
    select_multiple way | how     | Cách nào?  |         |
    integer             | age     | Tuổi?      |         |
    calculate           | known   |            |         | if(${own} = 'no', 0, 1)
    calculate           | adult   |            |         | if(${age} >= 18, 'y', 'n')
    calculate           | double  |            |         | ${age} * 2
    hidden              | village |            |         |
    end_group           |         |            |         |
    """,
    choices="""
    list_name | name | label
    yn        | yes  | Có
    yn        | no   | Không
    way       | a    | Đi bộ
    way       | b    | Xe buýt
    """,
)


@pytest.mark.parametrize(
    ("expression", "vi", "en"),
    [
        ("{own} = 'yes'", "Chỉ hỏi nếu câu C.1 = 1 (Có)", "Ask only if question C.1 = 1 (Có)"),
        ("'yes' = {own}", "Chỉ hỏi nếu câu C.1 = 1 (Có)", "Ask only if question C.1 = 1 (Có)"),
        ("{own} != 'no'", "Không hỏi nếu câu C.1 = 2 (Không)", "Do not ask if question C.1 = 2 (Không)"),
        ("not({own} = 'yes')", "Chỉ hỏi nếu câu C.1 khác 1 (Có)", "Ask only if question C.1 is not 1 (Có)"),
        ("{known} = 1", "Không hỏi nếu câu C.1 = 2 (Không)", "Do not ask if question C.1 = 2 (Không)"),
        ("{known} = 0", "Chỉ hỏi nếu câu C.1 = 2 (Không)", "Ask only if question C.1 = 2 (Không)"),
        ("{adult} = 'y'", "Chỉ hỏi nếu câu C.3 từ 18 trở lên", "Ask only if question C.3 is 18 or more"),
        ("{adult} = 'n'", "Chỉ hỏi nếu câu C.3 dưới 18", "Ask only if question C.3 is less than 18"),
        ("{age} > 17", "Chỉ hỏi nếu câu C.3 trên 17", "Ask only if question C.3 is more than 17"),
        ("60 >= {age}", "Chỉ hỏi nếu câu C.3 từ 60 trở xuống", "Ask only if question C.3 is 60 or less"),
        ("{age} = ''", "Chỉ hỏi nếu câu C.3 không có câu trả lời", "Ask only if question C.3 has no answer"),
        (
            "selected({how}, 'b')",
            "Chỉ hỏi nếu câu C.2 có chọn 2 (Xe buýt)",
            "Ask only if question C.2 includes 2 (Xe buýt)",
        ),
        (
            "not(selected({how}, 'b'))",
            "Không hỏi nếu câu C.2 có chọn 2 (Xe buýt)",
            "Do not ask if question C.2 includes 2 (Xe buýt)",
        ),
        ("selected({own}, 'yes')", "Chỉ hỏi nếu câu C.1 = 1 (Có)", "Ask only if question C.1 = 1 (Có)"),
        (
            "count-selected({how}) > 1",
            "Chỉ hỏi nếu số ý chọn ở câu C.2 > 1",
            "Ask only if the count in question C.2 > 1",
        ),
        (
            "{own} = 'yes' and {age} < 60",
            "Chỉ hỏi nếu câu C.1 = 1 (Có) và câu C.3 dưới 60",
            "Ask only if question C.1 = 1 (Có) and question C.3 is less than 60",
        ),
        (
            "{age} > 60 and ({own} = 'yes' or selected({how}, 'a'))",
            "Chỉ hỏi nếu câu C.3 trên 60 và (câu C.1 = 1 (Có) hoặc câu C.2 có chọn 1 (Đi bộ))",
            "Ask only if question C.3 is more than 60 and (question C.1 = 1 (Có) or question C.2 includes 1 (Đi bộ))",
        ),
        (
            "not({own} = 'yes' and {age} < 60)",
            "Chỉ hỏi nếu câu C.1 khác 1 (Có) hoặc câu C.3 từ 60 trở lên",
            "Ask only if question C.1 is not 1 (Có) or question C.3 is 60 or more",
        ),
        (
            "{double} > 40 and {own} = 'yes'",
            "Chỉ hỏi nếu phù hợp với trả lời ở câu C.3 và câu C.1 = 1 (Có)",
            "Ask only if the answers to C.3 call for it and question C.1 = 1 (Có)",
        ),
        (
            "{village} = ''",
            "Chỉ hỏi nếu danh sách mẫu không ghi thôn, tổ dân phố",
            "Ask only if the sample list does not give the village",
        ),
        ("true()", "Chỉ hỏi nếu danh sách mẫu quy định như vậy", "Ask only if the sample list says so"),
    ],
)
def test_a_condition_in_words(expression: str, vi: str, en: str):
    wording = Wording(SMALL, numbers(SMALL))
    names = {node.name: f"/data/{node.path}" for node in SMALL.walk()}
    tree = parsed(re.sub(r"\{(\w+)\}", lambda match: names[match.group(1)], expression))
    assert tree is not None
    assert wording.sentence(flat(tree)) == Text(vi, en)


# -- where to go next ----------------------------------------------------------------------------------------------


def test_arrows_lead_past_what_an_answer_rules_out():
    laid = lay_out(xlsform.load("sipas_2026"))
    procedure, online, basis = (asked(laid, name) for name in ("exp_procedure", "exp_online", "svc_basis"))
    assert [box.arrow.vi for box in procedure.options] == ["", "câu A5.3"]
    # Who does not say is asked neither of the two, but what everybody who knows the service is asked.
    assert [box.arrow.en for box in procedure.missing] == ["A5.4", "A5.4"]
    assert online.arrow.vi == "câu A5.4"
    assert [box.arrow.vi for box in basis.options] == ["", "", "", "", "câu A6.1"]


def test_an_arrow_stands_at_the_answers_that_it_is_about():
    laid = lay_out(xlsform.load("papi_2023"))
    plan = asked(laid, "i2_4_1")
    assert plan.arrow == Text("", "")
    assert [box.arrow.en for box in (*plan.options, *plan.missing)] == ["", "2.4-5", "2.4-5", "2.4-5"]


def test_what_is_skipped_is_empty_for_what_depends_on_it():
    laid = lay_out(
        form(
            """
            type          | name | label | relevant
            select_one yn | a    | A?    |
            select_one yn | b    | B?    | ${a} = 'yes'
            select_one yn | c    | C?    | ${b} = 'yes'
            select_one yn | d    | D?    | ${c} != 'no'
            text          | e    | E?    | ${c} = ''
            """,
            choices="list_name | name | label\nyn | yes | Có\nyn | no | Không",
        )
    )
    assert [box.arrow.en for box in asked(laid, "a").options] == ["", "4"]
    assert [box.arrow.en for box in asked(laid, "b").options] == ["", "4"]
    # Whether E is asked after D hangs on C, which may have been answered or not.
    assert [box.arrow.en for box in asked(laid, "c").options] == ["", "end"]
    assert [box.arrow.en for box in asked(laid, "d").options] == ["", ""]


ANSWERS = {"text": "x", "integer": "40", "decimal": "3"}


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_arrows_and_conditions_lead_where_the_laptop_leads(name: str):
    """Interviews at random on the engine: after every answer the engine asks next what the arrow names; without an
    arrow, whatever it passes over has a condition of its own in print."""
    questionnaire = xlsform.load(name)
    laid = lay_out(questionnaire)
    printed = {question.path: question for question in questions(laid)}
    conditional = set(_conditional(laid))
    order = [node.path for node in questionnaire.walk() if is_asked(node)]
    followed = 0
    for seed in range(25):
        chance = random.Random(seed)
        path = begin(questionnaire)
        ended = False
        for at, place in enumerate(order):
            entry, question = path.entry(place), printed[place]
            assert not (ended and entry.asked), f"{place} is asked after the end"
            if not entry.asked:
                continue
            value, own_arrow = chance.choice(_possible(entry, question, eager=at < 4 and chance.random() < 0.8))
            path = path.set(place, value).path
            following = next((one for one in order[at + 1 :] if path.entry(one).asked), "")
            arrow = question.arrow.en or own_arrow
            if arrow:
                assert arrow == (printed[following].number if following else "end"), f"{place} = {value}"
                followed += 1
            else:
                passed = order[at + 1 : order.index(following) if following else None]
                assert set(passed) <= conditional, f"{place} = {value}"
            ended = arrow == "end"
    assert followed > 20


def _possible(entry: Entry, question: Question, eager: bool) -> list[tuple[Value, str]]:
    """Answers that may be given, each with the arrow at its box. Who is eager consents and is old enough, so that
    most of the form is walked through."""
    if not question.options:
        return [(ANSWERS[entry.node.type], "")]
    chosen: list[tuple[Value, str]] = [
        ([choice.name] if entry.node.is_list else choice.name, box.arrow.en)
        for choice, box in zip(entry.choices(), question.options, strict=True)
    ]
    kinds = [kind for kind in MISSING_KEYS if kind in entry.node.missing]
    missing: list[tuple[Value, str]] = [
        ({"missing": kind}, box.arrow.en) for kind, box in zip(kinds, question.missing, strict=True)
    ]
    return chosen[:1] if eager else chosen + missing


def _conditional(laid: Form) -> Iterator[str]:
    """The questions above which a condition stands: their own, that of the note before them, or of their section."""
    yield from (question.path for question in laid.contacts)
    for section in laid.sections:
        noted = False
        for block in section.blocks:
            if isinstance(block, Words):
                noted = block.kind == "note" and bool(block.condition.vi)
            else:
                if noted or section.condition.vi or block.condition.vi:
                    yield from (row.path for row in (block.rows if isinstance(block, Grid) else (block,)))
                noted = False


def test_who_does_not_consent_is_at_the_end_and_the_rule_is_told_once():
    laid = lay_out(xlsform.load("sipas_2026"))
    assert [box.arrow.vi for box in asked(laid, "consent").options] == ["", "kết thúc"]
    (gate,) = of_kind(laid, "gate")
    assert gate.label.vi.startswith("Chỉ hỏi tiếp nếu câu 1 = 1 (Đồng ý tham gia) và câu 2 = 1 (Có).")
    conditions = [section.condition.vi for section in laid.sections]
    assert {words for words in conditions if words} == {"Không hỏi nếu câu A5.3 = 5 (Không biết gì về việc này)"}


def test_a_calculated_rule_is_a_gate_too():
    laid = lay_out(xlsform.load("papi_2023"))
    (gate,) = of_kind(laid, "gate")
    assert gate.label.en.startswith("Go on only if question 1 = 1 (Agrees to take part) and question 2 is 18 or more.")
    elections = next(section for section in laid.sections if section.title.vi.startswith("1.3"))
    assert elections.condition.vi == "Chỉ hỏi nếu câu 1.2-5 = 1 (Người dân bầu)"


def test_other_please_specify_needs_no_arrow_round_it():
    laid = lay_out(xlsform.load("sipas_2026"))
    ethnicity, other = asked(laid, "ethnicity"), asked(laid, "ethnicity_other")
    assert not any(box.arrow.vi for box in ethnicity.options)
    assert other.condition.vi == "Chỉ hỏi nếu câu D1.3 = 13 (Dân tộc khác)"


def test_a_note_tells_its_condition_for_the_questions_that_it_introduces():
    laid = lay_out(xlsform.load("sipas_2026"))
    (section,) = [one for one in laid.sections if one.title.vi.startswith("A5.")]
    note, grid = section.blocks[-2:]
    assert isinstance(note, Words)
    assert note.condition.vi == "Không hỏi nếu câu A5.3 = 5 (Không biết gì về việc này)"
    assert isinstance(grid, Grid)
    assert grid.condition == Text("", "")


def test_sections_that_share_a_code_are_counted_through():
    found = numbers(xlsform.load("sipas_2017"))
    shared = [number for path, number in found.items() if path.startswith(("b_perception/", "b_integrity/"))]
    assert shared == [f"B.{n}" for n in range(1, len(shared) + 1)]


def test_a_repeat_is_printed_several_times_and_an_answer_piped_in_is_told_by_its_number():
    laid = lay_out(
        form(
            """
            type         | name  | label
            text         | head  | Tên gọi trong nhà?
            begin_repeat | hh    | Người trong hộ
            integer      | years | Tuổi của ${head}?
            end_repeat   |       |
            """
        )
    )
    (_, people) = laid.sections
    assert [b.label.vi for b in people.blocks if not isinstance(b, Grid)] == [
        words for n in (1, 2, 3) for words in (f"Lần {n}", "Tuổi của (câu 1)?")
    ]


# -- serials -------------------------------------------------------------------------------------------------------


def test_the_check_character_is_that_of_the_standard():
    # The example of ISO 7064 MOD 37,36 in the International Standard Recording "GRid".
    assert check("A12425GABC1234002") == "M"


SERIALS = st.builds(
    Serial,
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", max_size=12),
    st.text("0123456789abcdef", min_size=8, max_size=8),
    st.integers(1, 999_999),
)


@given(SERIALS)
def test_a_code_says_what_it_was_made_from(one: Serial):
    assert read_qr(one.qr) == one
    assert read_printed(one.printed, one.round, "sha256:" + one.version) == one


@given(SERIALS, st.data())
def test_a_wrong_character_or_two_that_changed_places_are_found(one: Serial, data: st.DataObject):
    digits = f"{one.number:06d}{one.check}"
    at = data.draw(st.integers(0, 5))
    wrong = data.draw(st.sampled_from([d for d in "0123456789" if d != digits[at]]))
    slips = [digits[:at] + wrong + digits[at + 1 :]]
    if at < 5 and digits[at] != digits[at + 1]:
        slips.append(digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :])
    for slip in slips:
        with pytest.raises(InputError, match="the serial is wrong"):
            read_printed(slip, one.round, "sha256:" + one.version)


def test_a_form_of_another_round_or_version_is_told_by_its_number():
    hash, other = "sha256:" + "3f" * 32, "sha256:" + "3e" * 32
    printed = serial("r2026", hash, 123).printed
    assert read_printed(printed.replace("-", " ").lstrip("0").lower(), "R-2026", hash).number == 123
    for round, version in (("r2027", hash), ("r2026", other)):
        with pytest.raises(InputError, match="another round's form"):
            read_printed(printed, round, version)
    with pytest.raises(InputError, match="not the code of a paper form"):
        read_qr("https://example.org")
    with pytest.raises(InputError, match="from 1 to"):
        serial("r", hash, 0)


def test_a_letter_keyed_as_the_figure_that_looks_like_it_is_told():
    hash = "sha256:" + "3f" * 32
    for letter, figure, words in (("O", "0", "the letter O or a zero"), ("I", "1", "the letter I or a one")):
        one = next(one for n in range(1, 1000) if (one := serial("r1", hash, n)).check == letter)
        with pytest.raises(InputError, match=words):
            read_printed(f"{one.number}{figure}", "r1", hash)
        assert read_printed(f"{one.number}{letter}", "r1", hash) == one


# -- the page ------------------------------------------------------------------------------------------------------


def test_the_page_asks_nothing_of_any_server_and_is_the_same_every_time():
    questionnaire = xlsform.load("sipas_2026")
    page = render(questionnaire, ["vi", "en"], [serial("r1", questionnaire.hash, 7)])
    assert page == render(questionnaire, ["vi", "en"], [serial("r1", questionnaire.hash, 7)])
    assert not re.search(r"(?:https?:)?//[a-z]|\bsrc=|\bhref=|@import|url\(", page)


def test_what_a_sheet_says_is_text_and_never_markup():
    nasty = "</script><b>x</b>"
    page = render(form(f"type | name | label\ntext | q | {nasty}", settings=f"form_title\n{nasty}"))
    assert nasty not in page
    assert page.count("</script>") == 2


def test_every_copy_has_its_own_serial_and_code_and_a_master_has_a_blank():
    questionnaire = xlsform.load("sipas_2017")
    serials = [serial("r1", questionnaire.hash, number) for number in (8, 9)]
    page = render(questionnaire, serials=serials)
    data = re.search(r'id="serials">(.*?)</script>', page)
    assert data is not None
    assert json.loads(data.group(1)) == [[one.printed, qr(one)] for one in serials]
    assert qr(serials[0]) != qr(serials[1])
    assert 'id="serials">[]</script>' in render(questionnaire)
    assert "______-_" in render(questionnaire)


# -- the command ---------------------------------------------------------------------------------------------------


def test_the_command_writes_a_form(survey: Survey, tmp_path: Path):
    file = tmp_path / "phieu.html"
    result = survey("questionnaire", "print", "sipas_2017", "--out", file, "--start", 12, "--lang", "vi")
    assert result.exit_code == 0, result.output
    number = serial("", xlsform.load("sipas_2017").hash, 12).printed
    assert result.output.splitlines() == [f"Đã ghi {file}", f"1 phiếu, từ số {number} đến {number}"]
    page = file.read_text("utf-8")
    assert "Hoàn cảnh phỏng vấn" in page
    assert "Circumstances" not in page
    survey("questionnaire", "print", "sipas_2017", "--out", file, "--both")
    page = file.read_text("utf-8")
    assert "Hoàn cảnh phỏng vấn" in page
    assert "Circumstances" in page


def test_many_copies_go_into_several_files(survey: Survey, tmp_path: Path):
    result = survey(
        "questionnaire", "print", "sipas_2017", "--out", tmp_path / "p.html", "--serials", 101, "--start", 5, "--json"
    )
    told = json.loads(result.stdout)
    assert [Path(file).name for file in told["files"]] == ["p-000005.html", "p-000055.html", "p-000105.html"]
    assert len(set(told["serials"])) == 101
    assert told["serials"][-1].startswith("000105-")


def test_a_round_stands_in_the_header_and_must_be_of_this_version(survey: Survey, device: Store, tmp_path: Path):
    questionnaire: Questionnaire = xlsform.load("sipas_2017")
    document = {
        "id": "r9",
        "title": {"vi": "Đợt thử nghiệm", "en": "Trial round"},
        "questionnaire_hash": questionnaire.hash,
        "starts": "2026-10-01",
        "ends": "2026-11-30",
        "legal_basis": {"vi": "Quyết định 1/QĐ", "en": "Decision 1"},
        "label": {"vi": "Dữ liệu mô phỏng", "en": "Synthetic"},
    }
    frame.issue(device, "round", "r9", document)
    frame.issue(device, "questionnaire", questionnaire.hash, questionnaire.to_json())
    file = tmp_path / "p.html"
    result = survey("questionnaire", "print", questionnaire.hash, "--round", "r9", "--out", file, "--lang", "vi")
    assert result.exit_code == 0, result.output
    page = file.read_text("utf-8")
    for words in ("Đợt thử nghiệm (01/10/2026 – 30/11/2026)", "Quyết định 1/QĐ", "Dữ liệu mô phỏng"):
        assert words in page
    assert serial("r9", questionnaire.hash, 1).printed in page
    other = survey("questionnaire", "print", "sipas_2026", "--round", "r9", "--out", tmp_path / "no.html")
    assert other.exit_code == 2
    assert "another version of the questionnaire" in other.output
    assert not (tmp_path / "no.html").exists()
    assert "no such round" in survey("questionnaire", "print", "sipas_2026", "--round", "r8").output
