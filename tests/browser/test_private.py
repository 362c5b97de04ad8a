"""Hỏi riêng in the browser: the screen turned over, by keyboard alone, large, and back with the PIN."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from survey.store import Store, drafts
from tests import field
from tests.field import PIN
from tests.keyboard import Hand
from tests.test_web_private import private_form

pytestmark = pytest.mark.browser


@pytest.fixture
def laptop(instance: Path) -> Path:
    with Store.create(instance, "device", name="laptop") as store:
        field.set_up(store, private_form())
    return instance


def test_a_person_answers_alone_by_keyboard_and_the_pin_leads_back(hand: Hand, laptop: Path) -> None:
    hand.press("2")
    hand.at("#q-p_2f_bribe")
    hand.shot("nut")
    assert hand.axe() == []
    hand.go("F7")
    expect(hand.page.locator("h1")).to_have_text("Asked for money?")
    hand.shot("tu-tra-loi")
    found = [*hand.axe()]
    hand.page.emulate_media(color_scheme="dark")
    found += hand.axe()
    hand.shot("tu-tra-loi-toi")
    hand.page.emulate_media(color_scheme="light")
    hand.press("1")
    hand.go("Enter")
    expect(hand.page.locator("#box")).to_be_focused()
    hand.shot("o-so")
    hand.write("50")
    hand.go("Enter")
    hand.at("#box")
    hand.write("nobody")
    hand.go("Enter")
    expect(hand.page.get_by_text("Xin đưa máy lại cho điều tra viên.")).to_be_visible()
    hand.shot("cam-on")
    found += hand.axe()
    hand.page.go_back()
    assert "nobody" not in hand.page.content()
    hand.page.goto(hand.served.address + "/today")
    assert hand.page.url.endswith("/private")
    expect(hand.page.locator("#pin")).to_be_focused()
    hand.write(PIN)
    hand.go("Enter")
    expect(hand.page.get_by_text("Người dân đã tự trả lời phần hỏi riêng.")).to_be_visible()
    hand.shot("da-tra-loi")
    found += hand.axe()
    assert "nobody" not in hand.page.content()
    assert found == []
    with Store.open(laptop) as store:
        (draft,) = drafts.drafts(store)
        assert drafts.answers(store, draft["interview"])["p/told"] == "nobody"
