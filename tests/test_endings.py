"""Whether an answer has come to its end: everything that could be added to it is tried against the constraint."""

from __future__ import annotations

import pytest

from survey.questionnaire import endings
from tests.forms import answered, begin, form

BOXES = form(
    """
    type | name | label | required | constraint | missing | appearance
    integer | age | Tuổi? | yes | . >= 18 and . <= 110 | dont_know
    integer | rooms | Mấy phòng? | | . >= 1 |
    integer | month | Tháng? | | . >= 1 and . <= 12 |
    integer | case | Số hồ sơ? | | . < 10 or . = 70000 |
    integer | any | Bao nhiêu? | | |
    integer | younger | Con mấy tuổi? | | . < ${age} |
    integer | gap | Lỗ? | | . mod 7 = 0 and . < 100 |
    decimal | share | Tỷ lệ? | | . >= 0 and . <= 9 |
    text | code | Mã? | | string-length(.) = 2 |
    text | phone | Điện thoại? | | regex(., '^0[0-9]{9}$') | refused | numbers
    text | plate | Biển số? | | string-length(.) = 3 | | numbers
    select_multiple who | present | Ai? | | not(selected(., 'none') and count-selected(.) > 1) |
    select_multiple who | two | Hai người? | | count-selected(.) <= 2 |
    select_multiple who | free | Ai cũng được? | | |
    """,
    choices="""
    list_name | name | label
    who | none | Không ai
    who | family | Người nhà
    who | neighbour | Hàng xóm
    """,
)


@pytest.mark.parametrize(
    ("name", "value", "full"),
    [
        ("age", "18", True),
        ("age", "35", True),
        ("age", "110", True),
        ("rooms", "3", False),  # 30 rooms hold too
        ("month", "1", False),  # 10, 11, 12
        ("month", "2", True),
        ("month", "12", True),
        ("case", "8", True),
        ("case", "7", False),  # 70000: the one number with four figures more
        ("any", "3", False),  # no constraint: no end
        ("gap", "7", False),  # 70 and 77
        ("gap", "0", False),  # 00 is 0 again, which holds
        ("gap", "14", True),
        ("share", "9", False),  # 9,0 may follow
        ("code", "12", False),  # a text: nobody knows what could be typed
        ("phone", "0912345678", True),
        ("plate", "123", True),
        ("plate", "12a", False),  # no figures
    ],
)
def test_a_number_is_full_when_nothing_longer_would_hold(name: str, value: str, full: bool) -> None:
    path = answered(begin(BOXES), **{name: value})
    assert endings.is_full(path, path.entry(name)) is full


def test_the_limit_may_be_another_answer() -> None:
    path = answered(begin(BOXES), age="25", younger="2")
    assert not endings.is_full(path, path.entry("younger"))
    path = answered(begin(BOXES), age="19", younger="2")
    assert endings.is_full(path, path.entry("younger"))


@pytest.mark.parametrize(
    ("name", "value", "full"),
    [
        ("present", ["none"], True),  # nobody else can be chosen beside it
        ("present", ["family"], False),
        ("present", ["family", "neighbour"], True),  # only "nobody" is left, which does not go with them
        ("two", ["family"], False),
        ("two", ["family", "none"], True),
        ("free", ["none", "family", "neighbour"], False),  # no constraint: a person says when it is enough
    ],
)
def test_several_choices_are_full_when_no_further_one_would_hold(name: str, value: list[str], full: bool) -> None:
    path = answered(begin(BOXES), **{name: value})
    assert endings.is_full(path, path.entry(name)) is full


def test_a_missing_or_an_empty_answer_is_not_full() -> None:
    path = begin(BOXES)
    assert not endings.is_full(path, path.entry("age"))
    path = path.set("age", {"missing": "dont_know"}).path
    assert not endings.is_full(path, path.entry("age"))


def test_asking_changes_nothing() -> None:
    path = answered(begin(BOXES), age="35", younger="3")
    endings.is_full(path, path.entry("age"))
    assert path.entry("age").value == "35"
    assert path.entry("younger").valid
