"""The locked screen: what stands on the page stays there, and the PIN opens it where it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from survey.store import Store, drafts
from tests.field import PIN
from tests.keyboard import Hand

pytestmark = pytest.mark.browser


def on_disk(laptop: Path) -> drafts.Answers:
    with Store.open(laptop) as store:
        (draft,) = drafts.drafts(store)
        return drafts.answers(store, draft["interview"])


def test_after_half_an_hour_the_page_is_covered_and_the_pin_opens_it_at_the_same_question(
    hand: Hand, laptop: Path
) -> None:
    hand.page.clock.install()
    hand.section(2)
    hand.write("4")
    hand.page.clock.run_for(29 * 60_000)
    expect(hand.page.locator("#lock")).to_be_hidden()
    hand.write("7")
    hand.page.clock.run_for(30 * 60_000 + 1_000)
    expect(hand.page.locator("#lock")).to_be_visible()
    expect(hand.page.locator("#lock-pin")).to_be_focused()
    hand.shot("khoa")
    hand.page.clock.resume()
    assert hand.axe() == []
    hand.press("Escape", "F2", "1")
    hand.press("Enter")
    expect(hand.page.locator("#lock-said")).to_be_visible()
    expect(hand.page.locator("#lock")).to_be_visible()
    hand.shot("sai-ma")
    hand.write(PIN)
    hand.press("Enter")
    expect(hand.page.locator("#lock")).to_be_hidden()
    assert on_disk(laptop)["a/age"] == "47"


def test_an_answer_refused_while_locked_stays_on_the_page_and_is_saved_after_the_pin(hand: Hand, laptop: Path) -> None:
    hand.section(2)
    other = hand.context.new_page()
    other.goto(hand.page.url.rpartition("/")[0] + "/3")
    other.locator("#lock-now").click()
    expect(other.locator("#lock")).to_be_visible()
    hand.page.bring_to_front()
    hand.page.reload()
    assert "/sign-in/" in hand.page.url, "a page that is loaded anew shows nothing while locked"
    hand.write(PIN)
    hand.go("Enter")
    hand.at("#q-a_2f_age")
    hand.page.evaluate(
        """async () => await fetch('/lock', {
            method: 'POST', headers: {'X-CSRFToken': document.getElementById('lock').dataset.csrf},
        })"""
    )
    hand.write("4")
    hand.write("7")
    expect(hand.page.locator("#lock")).to_be_visible()
    assert "a/age" not in on_disk(laptop)
    hand.write(PIN)
    hand.press("Enter")
    expect(hand.page.locator("#lock")).to_be_hidden()
    expect(hand.page.locator("#s-a_2f_age")).to_have_text("đã lưu")
    assert on_disk(laptop)["a/age"] == "47"
