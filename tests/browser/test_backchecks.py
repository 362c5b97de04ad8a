"""Phúc tra in the browser: drawn by a supervisor, asked by an observer, compared; and the index so far."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from survey.store import Store, frame
from survey.sync import rounds
from tests import field
from tests.field import PIN, ROUND
from tests.keyboard import Hand, Served
from tests.test_live import fill

pytestmark = pytest.mark.browser

MAI = ("pmai", "Vũ Thị Mai", ["observer"])


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """A hub where the small round was set up, with two interviews of Hoa and an observer."""
    folder = tmp_path / "office"
    with Store.create(folder, role="hub", name="hub") as store:
        field.set_up(store, field.small(), [*field.PEOPLE, MAI])
        document = frame.round_document(store, ROUND)
        # The same round, signed here: only who set a round up can add to it.
        rounds.issue_round(store, {**document, "id": "r1"})
        for unit in frame.units(store, ROUND):
            private = frame.contact(store, "unit", unit["id"])
            frame.issue(store, "unit", unit["id"], {**unit, "round": "r1"}, private)
        for unit in ("u1", "u2"):
            field.sealed(store, unit, field.small())
    return folder


def test_a_back_check_is_drawn_asked_and_compared(browser: Browser, office: Path, shots: Path) -> None:
    with Served(office) as served:
        lan = Hand(browser, served, shots, "phuc-tra")
        lan.sign_in("Nguyễn Thị Lan", PIN)
        lan.page.goto(f"{served.address}/backchecks?round=r1")
        lan.shot("1-chon")
        assert lan.axe() == []
        # By keyboard alone: who checks, what is asked again, draw.
        lan.page.get_by_role("checkbox", name=MAI[1]).focus()
        lan.press("Space")
        lan.page.get_by_label("Ông/Bà bao nhiêu tuổi?").focus()
        lan.write("loại 1")
        lan.page.get_by_label("Ông/Bà có việc làm không?").focus()
        lan.write("loại 2")
        lan.page.get_by_label("Biển chỉ dẫn").focus()
        lan.write("loại 3")
        lan.page.get_by_role("button", name="Chọn phiếu").focus()
        lan.go("Enter")
        expect(lan.page.get_by_role("status")).to_contain_text("Đã chọn thêm 2 phiếu để phúc tra.")
        expect(lan.page.get_by_role("row", name="Lò Thị Hoa").get_by_role("cell")).to_have_text(["2", "0"])
        lan.shot("2-danh-sach")

        mai = Hand(browser, served, shots, "phuc-tra")
        mai.sign_in(MAI[1], PIN)
        mai.page.get_by_role("navigation", name="Các trang").get_by_role("link", name="Hôm nay").click()
        mai.shot("3-hom-nay")
        mai.start()
        expect(mai.page.locator("body")).not_to_contain_text("47")  # the age that was told the first time
        mai.shot("4-hoi")
        mai.interview({"visited": "1", "consent": "1", "age": "52", "job": "2", "b1": "4"})
        mai.shot("5-xong")
        mai.seal()
        mai.close()

        lan.page.goto(f"{served.address}/backchecks/r1-pt/compared")
        expect(lan.page.get_by_role("heading", level=1)).to_have_text("So phúc tra với lần đầu")
        row = lan.page.get_by_role("row", name="Ông/Bà bao nhiêu tuổi? 1")
        expect(row.first.get_by_role("cell").nth(3)).to_have_text("100 %")
        differs = lan.page.get_by_role("table", name="Câu trả lời hai lần").get_by_role("row").nth(1)
        expect(differs.get_by_role("cell")).to_contain_text(["1", "", "Lò Thị Hoa", "47", "52"])
        lan.shot("6-so")
        assert lan.axe() == []
        lan.page.goto(f"{served.address}/records")
        expect(lan.page.locator("main")).to_be_visible()
        lan.close()


def test_a_statistician_sees_the_index_so_far(browser: Browser, tmp_path: Path, shots: Path) -> None:
    with Store.create(tmp_path / "office", role="hub", name="hub") as store:
        fill(store)
    with Served(tmp_path / "office") as served:
        hand = Hand(browser, served, shots, "tam-tinh")
        hand.sign_in("Trần Văn Bình", PIN)
        hand.page.get_by_role("navigation", name="Các trang").get_by_role("link", name="Chỉ số tạm tính").click()
        hand.page.goto(f"{served.address}/live?round=r1")
        expect(hand.page.locator("main")).to_contain_text("Không công bố")
        row = hand.page.get_by_role("row", name="xã 03646")
        expect(row.get_by_role("cell").first).to_have_text("40")
        hand.shot("1")
        assert hand.axe() == []
        hand.close()
