"""Long lists: what a few letters find, and how the pages ask for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from survey import create_app
from survey.questionnaire.search import MOST, search
from survey.store import Store
from tests import field
from tests.field import Interviewer
from tests.places import FARMS, places

COMMUNES = [("1", "Xã Chiềng Mung"), ("2", "Xã Chiềng Mai"), ("3", "Phường Tô Hiệu"), ("4", "Xã Đăk Đoa")]
COMMUNES.append(("5", "Mung"))


def names(query: str) -> list[str]:
    return [label for _, label in search(COMMUNES, query).options]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("chieng", ["Xã Chiềng Mung", "Xã Chiềng Mai"]),
        ("CHIỀNG MU", ["Xã Chiềng Mung"]),
        ("mung chieng", ["Xã Chiềng Mung"]),
        ("dak doa", ["Xã Đăk Đoa"]),
        ("Đăk", ["Xã Đăk Đoa"]),
        ("Cha\u0323\u0302t", []),
        ("mung", ["Mung", "Xã Chiềng Mung"]),
        ("ieng", ["Xã Chiềng Mung", "Xã Chiềng Mai"]),
        ("3", ["Phường Tô Hiệu"]),
        ("", [label for _, label in COMMUNES]),
        ("  -  ", [label for _, label in COMMUNES]),
    ],
)
def test_letters_without_marks_find_words_and_codes(typed: str, found: list[str]) -> None:
    assert names(typed) == found


def test_no_more_than_fifty_lines_and_the_number_of_all() -> None:
    found = search([(str(n), f"Hộ {n}") for n in range(400)], "ho")
    assert len(found.options) == MOST == 50
    assert found.total == 400


@pytest.fixture
def inside(instance: Path) -> Interviewer:
    """An interview with the questionnaire of provinces, communes and 15,000 households."""
    with Store.create(instance, "device", name="laptop") as store:
        field.set_up(store, places())
    visitor = Interviewer(create_app(instance))
    visitor.sign_in(field.HOA)
    visitor.start("u1")
    return visitor


def lines(visitor: Interviewer, question: str, letters: str) -> list[str]:
    page = visitor.get(f"/interviews/{visitor.interview}/choices", question=question, q=letters, list="l")
    assert page.status_code == 200
    return re.findall(r'data-value="([^"]+)"', page.text)


def test_communes_follow_from_the_province(inside: Interviewer) -> None:
    assert lines(inside, "commune", "") == []
    inside.answers({"province": "14"})
    assert lines(inside, "commune", "chieng mung") == ["04123"]
    inside.answers({"commune": "04123", "worked": ["04123", "00004"], "farm": "h14999"})
    assert inside.answer("province", "01", why="confirm").headers["X-Answer"] == "saved"
    assert lines(inside, "commune", "chieng mung") == []
    assert "Chiềng Mung" not in re.split('name="question" value="worked"', inside.open(1).text)[0]


def test_a_page_with_fifteen_thousand_choices_stays_small(inside: Interviewer) -> None:
    page = inside.open(1)
    assert len(page.data) < 40_000
    assert len(lines(inside, "farm", "ho so")) == MOST
    assert lines(inside, "farm", f"hộ số {FARMS}") == [f"h{FARMS}"]


def test_only_what_is_in_the_list_is_an_answer(inside: Interviewer) -> None:
    assert inside.answer("farm", "h99999").headers["X-Answer"] == "refused"
    assert inside.get(f"/interviews/{inside.interview}/choices", question="nothing", q="").status_code == 404
