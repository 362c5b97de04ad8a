"""F2: the show card, full screen, for the respondent to read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from survey.store import Store, drafts
from tests import field
from tests.field import PIN
from tests.keyboard import Hand, Served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pictures go: ``SURVEY_SCREENSHOTS``, else a folder that is thrown away."""
    folder = Path(os.environ.get("SURVEY_SCREENSHOTS") or tmp_path_factory.mktemp("shots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def laptop(instance: Path) -> Path:
    """A laptop with the small questionnaire."""
    with Store.create(instance, "device", name="laptop") as store:
        field.set_up(store, field.small())
    return instance


@pytest.fixture
def hand(browser: Browser, laptop: Path, shots: Path) -> Iterator[Hand]:
    """The enumerator, signed in, consent given."""
    with Served(laptop) as served:
        hand = Hand(browser, served, shots, "the-tra-loi")
        hand.sign_in("Lò Thị Hoa", PIN)
        hand.page.get_by_role("button", name="Phỏng vấn tiếp theo").click()
        hand.page.wait_for_selector(".question:focus-within")
        hand.press("1")
        expect(hand.page.locator("#s-opening_2f_consent")).to_have_text("đã lưu")
        yield hand
        hand.close()


def section(hand: Hand, number: int) -> None:
    hand.page.goto(hand.page.url.rpartition("/")[0] + f"/{number}")
    hand.page.wait_for_selector(".question:focus-within")


def lines(hand: Hand) -> list[str]:
    return [" ".join(text.split()) for text in hand.page.locator("#card-answers li").all_inner_texts()]


def test_the_scale_of_a_battery_fills_the_screen_and_no_key_answers_behind_it(hand: Hand, laptop: Path) -> None:
    section(hand, 3)
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
    section(hand, 2)
    hand.press("F2")
    expect(hand.page.locator("#card")).to_be_hidden()
    hand.write("47")
    hand.calmly("Enter", "F2")
    assert lines(hand) == ["1 Có", "2 Không"]
    hand.calmly("F2")
    hand.go("F8")
    hand.page.wait_for_selector(".question:focus-within")
    hand.page.get_by_role("button", name="F2 show card").click()
    assert lines(hand) == ["1 Yes", "2 No"]
    expect(hand.page.locator("#card-answers")).to_have_attribute("lang", "en")
    hand.page.get_by_role("button", name="Close the card").click()
    assert hand.where()["path"] == "a/job"


@pytest.mark.parametrize("language", ["vi", "en"])
def test_axe_finds_nothing_on_the_card(hand: Hand, language: str) -> None:
    section(hand, 3)
    if language == "en":
        hand.go("F8")
        hand.page.wait_for_selector(".question:focus-within")
    hand.press("F2")
    expect(hand.page.locator("#card")).to_be_visible()
    hand.shot(language)
    hand.page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    found = hand.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert [(rule["id"], node["target"]) for rule in found["violations"] for node in rule["nodes"]] == []
