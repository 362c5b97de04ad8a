"""F2: the show card, full screen, for the respondent to read."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from survey.store import Store, drafts
from tests.keyboard import Hand

pytestmark = pytest.mark.browser


def lines(hand: Hand) -> list[str]:
    return [" ".join(text.split()) for text in hand.page.locator("#card-answers li").all_inner_texts()]


def test_the_scale_of_a_battery_fills_the_screen_and_no_key_answers_behind_it(hand: Hand, laptop: Path) -> None:
    hand.section(3)
    hand.calmly("4", "F2")
    assert lines(hand) == ["1 Rất không hài lòng", "2 Không hài lòng", "3 Bình thường", "4 Hài lòng", "5 Rất hài lòng"]
    box = hand.page.locator("#card").bounding_box()
    assert box == {"x": 0, "y": 0, "width": 1366, "height": 768}
    assert hand.page.evaluate("parseFloat(getComputedStyle(document.getElementById('card-answers')).fontSize)") > 48
    assert hand.page.evaluate("(c => c.scrollHeight <= c.clientHeight)(document.getElementById('card'))")
    hand.shot("luoi")
    hand.calmly("2", "/", "F9")
    hand.calmly("Escape")
    assert hand.where()["path"] == "b/b2"
    hand.calmly("F2", "F2")
    assert hand.where()["path"] == "b/b2"
    expect(hand.page.locator("#card")).to_be_hidden()
    with Store.open(laptop) as store:
        (draft,) = drafts.drafts(store)
        answers = drafts.answers(store, draft["interview"])
    assert {path for path in answers if path.startswith("b/")} == {"b/b1"}
    hand.calmly("5")
    assert hand.where()["path"] == "b/b3"


def test_the_card_follows_the_question_and_the_language_and_a_box_has_none(hand: Hand) -> None:
    hand.section(2)
    hand.press("F2")
    expect(hand.page.locator("#card")).to_be_hidden()
    hand.write("47")
    hand.calmly("Enter", "F2")
    assert lines(hand) == ["1 Có", "2 Không"]
    hand.calmly("F2")
    hand.go("F8")
    hand.at(".question")
    hand.page.get_by_role("button", name="F2 show card").click()
    assert lines(hand) == ["1 Yes", "2 No"]
    expect(hand.page.locator("#card-answers")).to_have_attribute("lang", "en")
    hand.page.get_by_role("button", name="Close the card").click()
    assert hand.where()["path"] == "a/job"


@pytest.mark.parametrize("language", ["vi", "en"])
def test_axe_finds_nothing_on_the_card(hand: Hand, language: str) -> None:
    hand.section(3)
    if language == "en":
        hand.go("F8")
        hand.at(".question")
    hand.press("F2")
    expect(hand.page.locator("#card")).to_be_visible()
    hand.shot(language)
    assert hand.axe() == []
