"""Finding one of thousands by keyboard: the country's communes behind their provinces."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from survey.store import Store, drafts
from tests import field
from tests.keyboard import Hand
from tests.places import places

pytestmark = pytest.mark.browser


@pytest.fixture
def laptop(instance: Path) -> Path:
    with Store.create(instance, "device", name="laptop") as store:
        field.set_up(store, places())
    return instance


@pytest.fixture
def hand(starting: Hand) -> Hand:
    return starting


def on_disk(laptop: Path) -> drafts.Answers:
    with Store.open(laptop) as store:
        (draft,) = drafts.drafts(store)
        return drafts.answers(store, draft["interview"])


def find(hand: Hand, question: str, letters: str) -> None:
    expect(hand.page.locator(f"#q-{question}-find")).to_be_focused()
    hand.write(letters)
    expect(hand.page.locator(f"#q-{question}-list .active")).to_be_visible()


def test_a_commune_is_found_by_its_letters_and_enter_goes_on(hand: Hand, laptop: Path) -> None:
    find(hand, "province", "son la")
    hand.press("Enter")
    find(hand, "commune", "chieng m")
    hand.shot("xa")
    assert not hand.axe()
    hand.press("ArrowDown", "ArrowUp")
    hand.write("ung")
    expect(hand.page.locator("#q-commune-list [role=option]")).to_have_count(1)
    hand.press("Enter")
    expect(hand.page.locator("#q-worked-find")).to_be_focused()
    assert on_disk(laptop) == {"province": "14", "commune": "04123"}
    expect(hand.page.locator("#q-commune-find")).to_have_value("Xã Chiềng Mung")


def test_enter_that_comes_before_the_lines_waits_for_them(hand: Hand, laptop: Path) -> None:
    hand.page.keyboard.type("ha noi\n", delay=0)
    expect(hand.page.locator("#q-commune-find")).to_be_focused()
    assert on_disk(laptop) == {"province": "01"}


def back_from_worked_to_commune(hand: Hand) -> None:
    """Chooses Sơn La and Chiềng Mung by keyboard, which goes on to the next question, and goes back to the commune."""
    hand.page.keyboard.type("son la\n")
    find(hand, "commune", "chieng mung")
    hand.press("Enter")
    expect(hand.page.locator("#q-worked-find")).to_be_focused()
    hand.press("Shift+Enter")
    expect(hand.page.locator("#q-commune-find")).to_be_focused()


def test_another_province_takes_the_commune_back_after_asking(hand: Hand, laptop: Path) -> None:
    back_from_worked_to_commune(hand)
    hand.press("Shift+Enter")
    expect(hand.page.locator("#q-province-find")).to_be_focused()
    hand.page.locator("#q-province-find").select_text()
    hand.page.keyboard.type("hue\n")
    expect(hand.page.locator("#q-commune-find")).to_be_focused()
    expect(hand.page.locator("#q-commune-find")).to_have_value("")
    assert on_disk(laptop)["province"] == "46"
    assert "commune" not in on_disk(laptop)


def test_several_are_gathered_one_after_the_other(hand: Hand, laptop: Path) -> None:
    hand.page.locator("#q-worked-find").focus()
    for letters in ("chieng mung", "to hieu"):
        find(hand, "worked", letters)
        hand.press("Enter")
        expect(hand.page.locator("#q-worked-find")).to_have_value("")
    expect(hand.page.locator("#s-worked.saved")).to_be_visible()
    expect(hand.page.locator("#q-worked .picked input:checked")).to_have_count(2)
    hand.page.locator("#q-worked .picked").scroll_into_view_if_needed()
    hand.shot("nhieu-xa")
    assert on_disk(laptop)["worked"] == ["03646", "04123"]
    hand.page.locator("#q-worked .picked label").first.click()
    expect(hand.page.locator("#q-worked .picked input:checked")).to_have_count(1)
    expect(hand.page.locator("#s-worked.saved")).to_be_visible()
    assert len(on_disk(laptop)["worked"]) == 1


def test_letters_that_choose_nothing_are_no_answer(hand: Hand, laptop: Path) -> None:
    find(hand, "province", "an giang")
    hand.press("Escape")
    hand.press("Tab")
    assert on_disk(laptop) == {}
    hand.page.keyboard.press("Shift+Tab")
    hand.page.locator("#q-province-find").fill("")
    hand.press("ArrowDown")
    expect(hand.page.locator("#q-province-list [role=option]")).to_have_count(34)
    hand.press("ArrowDown", "ArrowDown", "Enter")
    expect(hand.page.locator("#s-province.saved")).to_be_visible()


def test_fifteen_thousand_lines_and_the_other_language(hand: Hand, laptop: Path) -> None:
    hand.page.locator("#q-farm-find").focus()
    find(hand, "farm", "ho so 14")
    expect(hand.page.locator("#q-farm-list .none")).to_contain_text("50 /")
    hand.shot("mot-van-nam-nghin")
    hand.press("F8")
    expect(hand.page.locator("html")).to_have_attribute("lang", "en")
    hand.page.locator("#q-farm-find").focus()
    find(hand, "farm", "household 15000")
    assert not hand.axe()
    hand.press("Enter")
    expect(hand.page.locator("#s-farm.saved")).to_be_visible()
    assert on_disk(laptop)["farm"] == "h15000"
    hand.shot("en")


def test_a_missing_kind_takes_the_place_of_what_was_chosen(hand: Hand, laptop: Path) -> None:
    back_from_worked_to_commune(hand)
    hand.press("*")
    expect(hand.page.locator("#q-worked-find")).to_be_focused()
    assert on_disk(laptop)["commune"] == {"missing": "refused"}
    expect(hand.page.locator("#q-commune-find")).to_have_value("")
