"""The supervisor's pages under the hand: two versions are settled with the keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from survey.store import Store, current
from tests import field
from tests.field import PIN
from tests.keyboard import Hand, Served

pytestmark = pytest.mark.browser


@pytest.fixture
def torn(tmp_path: Path) -> tuple[Path, str]:
    """A hub with an interview that has two versions, in which the age differs; and the interview."""
    folder = tmp_path / "hub"
    with Store.create(folder, role="hub", name="hub") as store:
        field.set_up(store, field.small())
        interview = field.sealed(store, "u1", field.small())
        field.torn(store, interview)
    return folder, interview


@pytest.fixture
def lan(browser: Browser, torn: tuple[Path, str], tmp_path: Path) -> Iterator[Hand]:
    with Served(torn[0]) as served:
        hand = Hand(browser, served, tmp_path, "hai-ban")
        hand.sign_in("Nguyễn Thị Lan", PIN)
        hand.page.goto(f"{served.address}/interviews/{torn[1]}/conflict")
        yield hand
        hand.close()


def test_a_whole_version_marks_every_row_and_enter_leads_to_the_reason_and_settles(
    lan: Hand, torn: tuple[Path, str]
) -> None:
    ages = lan.page.locator("tr.differs label")
    expect(ages).to_have_count(2)
    wanted = (ages.nth(1).text_content() or "").strip()
    lan.press("ArrowRight")
    expect(ages.nth(1).locator("input")).to_be_checked()
    lan.press("Enter")
    expect(ages.nth(1).locator("input")).to_be_focused()
    lan.press("Enter")
    expect(lan.page.locator("#reason")).to_be_focused()
    lan.write("đã hỏi lại")
    lan.go("Enter")
    expect(lan.page.get_by_text("Đã chọn xong. Phiếu chờ duyệt.")).to_be_visible()
    with Store.open(torn[0]) as store:
        assert current.content(store, torn[1])["answers"]["a/age"] == wanted


def test_a_single_row_can_be_changed_after_a_whole_version_was_taken(lan: Hand, torn: tuple[Path, str]) -> None:
    ages = lan.page.locator("tr.differs label")
    wanted = (ages.nth(0).text_content() or "").strip()
    for key in ("ArrowRight", "Enter", "ArrowLeft", "Enter"):
        lan.press(key)
    lan.write("hỏi lại qua điện thoại")
    lan.go("Enter")
    with Store.open(torn[0]) as store:
        assert current.content(store, torn[1])["answers"]["a/age"] == wanted
