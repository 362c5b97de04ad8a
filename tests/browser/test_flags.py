"""F3: a mark at a question to come back to, by key or mouse; stopping the interview for today."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.keyboard import Hand

pytestmark = pytest.mark.browser


def test_f3_marks_the_question_and_the_finish_page_leads_back_to_it(hand: Hand) -> None:
    hand.section(2)
    hand.write("4")
    hand.press("F3")
    expect(hand.page.locator("#f-a_2f_age")).to_contain_text("xem lại sau")
    expect(hand.page.locator("#rail [aria-current] .flagged")).to_contain_text("1")
    expect(hand.page.locator("#q-a_2f_age-box")).to_be_focused()
    expect(hand.page.locator("#q-a_2f_age-box")).to_have_value("4")
    hand.section(3)
    hand.press("F3")
    expect(hand.page.locator("#f-b_2f_b1")).to_contain_text("xem lại sau")
    hand.press("4")
    hand.at("#q-b_2f_b2")
    expect(hand.page.locator("#f-b_2f_b1")).to_contain_text("xem lại sau")
    assert hand.axe() == []
    hand.shot("luoi")
    hand.page.locator("#flag-turn").click()
    expect(hand.page.locator("#f-b_2f_b2")).to_contain_text("xem lại sau")
    hand.page.locator("#flag-turn").click()
    expect(hand.page.locator("#f-b_2f_b2")).to_be_empty()
    hand.page.goto(hand.page.url.rpartition("/")[0] + "/finish")
    assert hand.axe() == []
    hand.shot("hoan-thanh")
    hand.tab_to("Ông/Bà bao nhiêu tuổi")
    hand.go("Enter")
    hand.at("#q-a_2f_age")
    hand.press("F3")
    expect(hand.page.locator("#f-a_2f_age")).to_be_empty()


def test_an_interview_is_postponed_with_an_appointment_and_goes_on_from_today(hand: Hand) -> None:
    hand.page.goto(hand.page.url.rpartition("/")[0] + "/finish")
    hand.page.locator("#again").fill("25/12/2099 18:30")
    hand.go("Enter")
    expect(hand.page.get_by_text("hẹn 25/12/2099 18:30")).to_be_visible()
    hand.shot("hom-nay")
    hand.page.get_by_role("button", name="Làm tiếp", exact=True).click()
    hand.at("#q-a_2f_age")
