"""The first page of an encrypted laptop: the passphrase, by keyboard alone, and nothing else before it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from survey.store import Store, vault
from tests import field
from tests.keyboard import Hand, Served

pytestmark = pytest.mark.browser

PASSPHRASE = "bốn con voi uống trà"


def test_an_encrypted_laptop_asks_for_its_passphrase_once_and_then_for_pins(
    browser: Browser, instance: Path, shots: Path
):
    with Store.create(instance, name="laptop", passphrase=PASSPHRASE) as store:
        field.set_up(store, field.small())
    vault.lock(instance)
    with Served(instance) as served:
        hand = Hand(browser, served, shots, "unlock")
        page = hand.page
        page.goto(served.address + "/today")
        expect(page).to_have_url(served.address + "/unlock")
        expect(page.locator("#passphrase")).to_be_focused()
        assert "Lò Thị Hoa" not in page.content()
        assert hand.axe() == []
        hand.shot("asked")
        page.keyboard.insert_text("sai cụm mật khẩu")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("Cụm mật khẩu không đúng. Thử lại: kiểm tra phím Caps Lock")
        expect(page.locator("#passphrase")).to_be_focused()
        assert hand.axe() == []
        hand.shot("wrong")
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        expect(page.locator("#passphrase")).to_have_attribute("type", "text")
        expect(page.locator("#passphrase")).to_be_focused()
        page.keyboard.insert_text(PASSPHRASE)
        page.keyboard.press("Enter")
        expect(page.get_by_text("Lò Thị Hoa")).to_be_visible()
        page.goto(served.address + "/unlock")
        expect(page.get_by_text("Lò Thị Hoa")).to_be_visible()
        hand.close()
