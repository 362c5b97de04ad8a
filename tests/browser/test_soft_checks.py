"""A soft check by keyboard alone: the amber question, the reason, the finish page."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from survey.store import Store, drafts, remarks
from tests.keyboard import Hand

pytestmark = pytest.mark.browser


@pytest.fixture
def hand(hand: Hand) -> Hand:
    """The enumerator at the question about age, which doubts an age above 100."""
    hand.section(2)
    return hand


def test_an_unusual_answer_stays_with_its_reason_by_keyboard_alone(hand: Hand, laptop: Path) -> None:
    hand.write("104")
    hand.press("Enter")
    keep = hand.page.get_by_role("button", name="Giữ nguyên, vì …")
    expect(keep).to_be_focused()
    expect(hand.page.get_by_text("Trên 100 tuổi? Xem lại.")).to_be_visible()
    expect(hand.page.locator("#s-a_2f_age")).to_have_text("đã lưu")
    hand.shot("hoi")
    assert hand.axe() == []
    hand.press("Enter")
    expect(hand.page.locator("#comment-text")).to_be_focused()
    hand.write("đã xem căn cước")
    hand.shot("ly-do")
    assert hand.axe() == []
    hand.press("Enter")
    expect(hand.page.locator("#comment")).to_be_hidden()
    assert hand.where()["path"] == "a/job"
    expect(hand.page.locator("#d-a_2f_age")).to_contain_text("đã xem căn cước")
    with Store.open(laptop) as store:
        (draft,) = drafts.drafts(store)
        assert remarks.reasons(store, draft["interview"]) == {"a/age": "đã xem căn cước"}
    hand.calmly("Shift+Enter", "Enter")
    assert hand.where()["path"] == "a/job"
    hand.shot("da-ghi")


def test_an_unusual_answer_is_changed_instead(hand: Hand, laptop: Path) -> None:
    hand.write("104")
    hand.press("Enter")
    expect(hand.page.get_by_role("button", name="Giữ nguyên, vì …")).to_be_focused()
    hand.press("Tab", "Enter")
    expect(hand.page.locator("#q-a_2f_age-box")).to_be_focused()
    hand.press("Control+a")
    hand.write("84")
    hand.press("Enter")
    hand.at("#q-a_2f_job")
    expect(hand.page.get_by_text("Trên 100 tuổi?")).to_have_count(0)
    with Store.open(laptop) as store:
        (draft,) = drafts.drafts(store)
        assert drafts.answers(store, draft["interview"])["a/age"] == "84"


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_finish_page_leads_to_what_is_not_explained(hand: Hand, language: str) -> None:
    hand.write("104")
    hand.press("Enter")
    expect(hand.page.locator("[data-explain]")).to_be_focused()
    hand.press("Tab", "Tab")
    assert hand.where()["path"] == "a/job"
    if language == "en":
        hand.go("F8")
    hand.page.goto(hand.page.url.partition("?")[0].rpartition("/")[0] + "/finish")
    door = hand.page.get_by_role("link", name="Ông/Bà bao nhiêu tuổi?" if language == "vi" else "How old are you?")
    expect(door.last).to_be_visible()
    hand.shot(f"hoan-thanh-{language}")
    assert hand.axe() == []
    door.last.focus()
    hand.go("Enter")
    hand.at("#q-a_2f_age")
    hand.press("Enter")
    expect(hand.page.locator("[data-explain]")).to_be_focused()
