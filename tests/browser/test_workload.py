"""A pilot round is set up, gets targets by place, and says what it is on every page."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from survey.store import Store, frame
from tests import field
from tests.field import PIN
from tests.keyboard import Hand, Served

pytestmark = pytest.mark.browser


def test_a_pilot_with_targets_by_place(browser: Browser, shots: Path, tmp_path: Path) -> None:
    hub = tmp_path / "hub"
    with Store.create(hub, role="hub", name="Máy giám sát") as store:
        field.set_up(store, field.small())
        for unit in (*frame.units(store), *frame.units(store, list="reserve")):
            # Of the round that is going to be set up: its places stand before anybody draws.
            frame.issue(store, "unit", unit["id"], {**unit, "round": "thidiem"}, {"name": "Người dân"})
    with Served(hub) as served:
        lan = Hand(browser, served, shots, "thi-diem")
        lan.sign_in("Nguyễn Thị Lan", PIN)
        page = lan.page
        page.goto(f"{served.address}/rounds")
        page.locator("#title").fill("SIPAS 2026 làm thử")
        page.locator("#id").fill("thidiem")
        page.get_by_label("Đợt thí điểm").check()
        lan.shot("lap-dot")
        assert lan.axe() == []
        page.get_by_role("button", name="Lập đợt").click()
        page.get_by_role("link", name="Mục tiêu số phiếu theo địa bàn").click()
        expect(page.locator(".top .tag", has_text="thí điểm")).to_be_visible()
        page.get_by_label("xã Chiềng Mung").fill("7")
        lan.shot("muc-tieu")
        assert lan.axe() == []
        page.get_by_label("xã Chiềng Mung").press("Enter")
        expect(page.get_by_text("Đã ghi mục tiêu của 1 nơi.")).to_be_visible()
        page.goto(f"{served.address}/progress?round=thidiem")
        expect(page.locator(".numbers b").first).to_have_text("0 / 7")
        lan.shot("tien-do")
        assert lan.axe() == []
        page.get_by_role("button", name="English").click()
        page.goto(f"{served.address}/rounds/thidiem/targets")
        expect(page.get_by_role("heading", level=1)).to_contain_text("whole round: 7")
        lan.shot("targets-en")
        assert lan.axe() == []
        lan.close()
