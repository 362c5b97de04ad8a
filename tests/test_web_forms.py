"""How each type of question is read and which key presses which button."""

from __future__ import annotations

from pathlib import Path

import pytest

from survey.errors import NotUnderstood
from survey.questionnaire.path import Context, Entry, open_path
from survey.questionnaire.path import Path as Way
from survey.web import forms
from tests import field


@pytest.fixture(scope="module")
def way() -> Way:
    return open_path(field.small(), {"opening/consent": "yes"}, Context(frame={"commune": "Chiềng Mung"}))


def entry(way: Way, name: str) -> Entry:
    return way.entry(way.questionnaire.question(name).path)


@pytest.mark.parametrize(
    ("name", "typed", "stored"),
    [
        ("age", "47", "47"),
        ("age", " 047 ", "47"),
        ("age", "", None),
        ("age", "1.234", "1234"),
        ("age", "1 234 567", "1234567"),
        ("hours", "3,5", "3.5"),
        ("hours", "3.5", "3.5"),
        ("hours", "1.234,5", "1234.5"),
        ("hours", "0,125", "0.125"),
        ("hours", "−2", "-2"),
        ("day", "5/3/2026", "2026-03-05"),
        ("day", "05032026", "2026-03-05"),
        ("day", "2026-03-05", "2026-03-05"),
        ("phone", "0912 345 678", "0912 345 678"),
        ("phone", "   ", None),
        ("consent", "yes", "yes"),
        ("mark", "10", "10"),
        ("read_out", "OK", "OK"),
        ("read_out", "", None),
    ],
)
def test_what_people_type_is_understood(way: Way, name: str, typed: str, stored: str | None) -> None:
    assert forms.read(entry(way, name), [typed] if typed else [], "") == stored


@pytest.mark.parametrize(
    ("name", "typed", "helps"),
    [
        ("age", "bốn bảy", "digits only"),
        ("age", "3,5", "digits only"),
        ("age", "٣٥", "digits only"),
        ("hours", "nhiều", "like 3.5"),
        ("hours", "1e999", "like 3.5"),
        ("hours", "NaN", "like 3.5"),
        ("hours", "1.234", "two ways: write 1234 or 1.2340"),
        ("day", "31/6/2026", "real day"),
        ("day", "hôm qua", "real day"),
        ("consent", "maybe", "no longer offered"),
        ("mark", "11", "no longer offered"),
    ],
)
def test_what_cannot_be_read_gets_a_sentence_that_helps(way: Way, name: str, typed: str, helps: str) -> None:
    with pytest.raises(NotUnderstood, match=helps):
        forms.read(entry(way, name), [typed], "")


def test_text_is_kept_in_nfc_and_otherwise_as_it_was_typed(way: Way) -> None:
    separate_marks = "Hoa\u0300 \U0001f642 \u202eأ\r\ndòng hai"
    assert forms.read(entry(way, "phone"), [separate_marks], "") == "Hoà \U0001f642 \u202eأ\ndòng hai"


def test_several_choices_are_stored_in_the_order_of_the_list(way: Way) -> None:
    assert forms.read(entry(way, "channels"), ["people", "radio"], "") == ["radio", "people"]
    assert forms.read(entry(way, "channels"), [], "") is None


def test_a_ranking_counts_once_every_item_has_a_place_of_its_own(way: Way) -> None:
    order = entry(way, "order")
    assert forms.read(order, ["radio=2", "people=1", "none=3"], "") == ["people", "radio", "none"]
    assert forms.read(order, ["radio=", "people=", "none="], "") is None
    with pytest.raises(NotUnderstood, match="one place"):
        forms.read(order, ["radio=1", "people=1", "none=3"], "")


def test_a_missing_kind_is_taken_where_it_is_offered_and_nowhere_else(way: Way) -> None:
    assert forms.read(entry(way, "age"), [], "refused") == {"missing": "refused"}
    with pytest.raises(NotUnderstood):
        forms.read(entry(way, "age"), [], "dont_know")


def test_a_digit_presses_the_choice_with_that_code_else_by_its_place(way: Way) -> None:
    assert [(o.value, o.key) for o in forms.options(entry(way, "b1"), "vi")] == [(c, c) for c in "12345"]
    assert [(o.value, o.key) for o in forms.options(entry(way, "consent"), "vi")] == [("yes", "1"), ("no", "2")]


def test_with_more_than_nine_choices_the_code_is_typed(way: Way) -> None:
    assert [o.key for o in forms.options(entry(way, "mark"), "vi")] == [str(n) for n in range(11)]


def test_missing_kinds_have_the_keys_that_the_strip_names(way: Way) -> None:
    offered = forms.missing_options(entry(way, "b3").node.missing, "vi")
    assert [(o.key, o.label) for o in offered] == [
        ("/", "Không biết"),
        ("*", "Không trả lời"),
        ("+", "Không thuộc diện hỏi"),
    ]


def test_only_neighbours_on_one_short_scale_stand_in_a_grid(way: Way) -> None:
    assert forms.battery([entry(way, "b1"), entry(way, "b2"), entry(way, "b3")])
    assert not forms.battery([entry(way, "job"), entry(way, "b1")])
    assert not forms.battery([entry(way, "age"), entry(way, "age")])
    assert forms.grid([entry(way, "b1"), entry(way, "b2")])
    assert not forms.grid([entry(way, "b1")])
    assert not forms.grid([entry(way, "job"), entry(way, "job")])
    assert forms.grid([entry(way, "job")] * 3)


def test_a_stored_answer_reads_as_people_write_it(way: Way) -> None:
    assert forms.written(entry(way, "day").node, "2026-03-05") == "05/03/2026"
    assert forms.written(entry(way, "hours").node, "3.5") == "3,5"
    answered = way.set("b/b1", "4").path.set("a/channels", ["radio", "people"]).path.set("b/b2", {"missing": "refused"})
    assert forms.in_words(entry(answered.path, "b1"), "vi") == "Hài lòng"
    assert forms.in_words(entry(answered.path, "channels"), "en") == "Radio; Neighbours"
    assert forms.in_words(entry(answered.path, "b2"), "en") == "Refused"


def test_every_type_of_the_table_has_its_partial() -> None:
    widgets = Path(forms.__file__).parent / "templates" / "widgets"
    assert {kind.partial for kind in forms.KINDS.values()} <= {file.stem for file in widgets.glob("*.html")}
