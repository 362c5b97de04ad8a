"""Nộp phiếu by its three doors and Nhận phiếu with its door to the room, by hand in the browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from survey.store import Store, receipts
from survey.sync import rounds
from tests import field
from tests.keyboard import Hand, Served

LAN = "Nguyễn Thị Lan"
HOA = "Lò Thị Hoa"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Served]:
    """A supervisor's hub with the small round, served."""
    folder = tmp_path / "office"
    with Store.create(folder, "hub", name="Máy giám sát") as store:
        field.set_up(store, field.small())
        rounds.issue_round(store, {"id": "rkey", "title": {"vi": "Khóa", "en": "Key"}})
    (folder / "config.toml").write_text("hub_port = 18451\n", encoding="utf-8")
    with Served(folder) as served:
        yield served


@pytest.mark.browser
def test_a_laptop_is_invited_joins_and_hands_over_with_one_button(
    browser: Browser, laptop: Path, served: Served, office: Served, shots: Path
) -> None:
    with Store.open(laptop) as store:
        interview = field.sealed(store, "u1", field.small())
    lan = Hand(browser, office, shots, "network")
    hoa = Hand(browser, served, shots, "network")
    lan.sign_in(LAN, field.PIN)
    lan.page.goto(office.address + "/receive")
    lan.shot("receive-shut")
    assert lan.axe() == []
    lan.tab_to("Mở nhận phiếu qua mạng")
    lan.go("Enter")
    lan.page.locator("details summary").click()
    lan.page.locator("#name").fill("Máy của Hoa")
    lan.page.locator("#people").select_option(label=HOA)
    lan.page.locator("button:has-text('Tạo mã mời')").click()
    code = lan.page.locator(".note strong.invited").inner_text()
    lan.shot("receive-invitation")
    assert lan.axe() == []

    hoa.sign_in(HOA, field.PIN)
    hoa.page.goto(served.address + "/hand-over")
    hoa.shot("hand-over-unknown")
    assert hoa.axe() == []
    hoa.page.locator("#hub").fill("127.0.0.1:18451")
    hoa.page.locator("#code").fill(code.lower())
    hoa.page.locator("button:has-text('Đăng ký')").click()
    told = hoa.page.locator(".note.good")
    expect(told).to_contain_text("Giám sát viên đã nhận 1 phiếu, mã xác nhận", timeout=30_000)
    hoa.shot("hand-over-done")
    assert hoa.axe() == []
    button = hoa.page.locator("button:has-text('Nộp cho')")
    expect(button).to_contain_text("Máy giám sát")
    button.click()
    expect(hoa.page.locator(".note.good")).to_contain_text("mã xác nhận", timeout=30_000)
    with Store.open(laptop) as store:
        assert receipts.safe_at(store, interview) == ["device", "supervisor"]

    lan.page.goto(office.address + "/receive")
    expect(lan.page.locator("#network ~ .scroll table, section:has(#network) table")).to_contain_text("Máy của Hoa")
    lan.shot("receive-seen")
    assert lan.axe() == []
    for hand in (hoa, lan):
        hand.page.goto(hand.served.address + "/day-sheet")
        expect(hand.page.locator("h1")).to_have_text("Biên bản giao nhận phiếu")
        hand.shot("day-sheet-" + ("laptop" if hand is hoa else "hub"))
        assert hand.axe() == []
        hand.page.locator("button[name=language][value=en]").click()
        expect(hand.page.locator("h1")).to_contain_text("Day sheet")
        for path in ("/day-sheet", "/hand-over" if hand is hoa else "/receive"):
            hand.page.goto(hand.served.address + path)
            assert hand.axe() == []
        hand.shot("english-" + ("laptop" if hand is hoa else "hub"))
        hand.close()
