"""Lập đợt without a command line: a new hub's first person sets up a round, and a new laptop loads its file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from survey.store import Store, frame
from survey.sync.exchange import export
from tests.keyboard import Hand, Served

pytestmark = pytest.mark.browser

FRAME = "Mã;Họ và tên;Số điện thoại;Xã;Thôn;Dân số\r\n" + "".join(
    f"m{village}{person};Người {person};09123456{village}{person};Xã Chiềng Mung;Bản {village};{100 + village}\r\n"
    for village in range(1, 5)
    for person in range(6)
)


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """A hub that has just been made."""
    with Store.create(tmp_path / "hub", role="hub", name="Máy tỉnh"):
        pass
    return tmp_path / "hub"


@pytest.fixture
def lan(browser: Browser, office: Path, shots: Path) -> Iterator[Hand]:
    """Somebody at the new hub."""
    with Served(office) as served:
        hand = Hand(browser, served, shots, "lap-dot")
        yield hand
        hand.close()


def first_person(lan: Hand) -> None:
    lan.page.goto(lan.served.address)
    lan.tab_to("Bắt đầu")
    lan.go("Enter")
    expect(lan.page.locator("#name")).to_be_focused()
    lan.write("Nguyễn Thị Lan")
    for _ in range(2):
        lan.press("Tab")
        lan.write("135790")
    lan.shot("1-nguoi-dau-tien")
    lan.go("Enter")


def test_a_round_is_set_up_and_loaded_without_a_command_line(
    lan: Hand, browser: Browser, office: Path, shots: Path, tmp_path: Path
) -> None:
    stick = tmp_path / "USB"
    stick.mkdir()
    laptop = tmp_path / "laptop"
    with Store.create(laptop, "device", name="Máy 1") as store:
        export(store, stick)
    found = []

    first_person(lan)
    found += lan.axe()
    lan.page.locator("#title").focus()
    lan.write("SIPAS thử")
    lan.page.locator("#starts").focus()
    lan.write("01/03/2026")
    lan.shot("2-dot-moi")
    lan.go("Enter")
    expect(lan.page.get_by_text("Đã lập đợt r2026.")).to_be_visible()
    found += lan.axe()

    (tmp_path / "danh sách.csv").write_text(FRAME, encoding="utf-8-sig")
    lan.page.set_input_files("#file", tmp_path / "danh sách.csv")
    lan.shot("3-khung")
    lan.tab_to("Nhập danh sách")
    lan.go("Enter")
    expect(lan.page.get_by_text("Đã nhập 24 dòng.")).to_be_visible()

    lan.write("Lò Thị Hoa")
    lan.press("Tab")
    lan.write("246813")
    lan.shot("4-nguoi")
    found += lan.axe()
    lan.go("Enter")
    expect(lan.page.get_by_text("Đã thêm Lò Thị Hoa.")).to_be_visible()
    lan.tab_to("Đủ người")
    lan.go("Enter")

    lan.page.locator("#clusters").focus()
    lan.write("2")
    lan.page.locator("#take").fill("7")
    lan.page.locator("#seed").fill("2026")
    lan.go("Enter")
    expect(lan.page.get_by_role("alert")).to_contain_text("7")
    assert lan.page.locator("#clusters").input_value() == "2"
    lan.page.locator("#take").fill("3")
    lan.page.locator("#reserve").fill("2")
    lan.shot("5-chon-mau")
    found += lan.axe()
    lan.tab_to("Chọn mẫu")
    lan.page.locator("#seed").focus()
    lan.go("Enter")
    expect(lan.page.get_by_text("Đã chọn 6 đơn vị chính thức và 4 dự phòng.")).to_be_visible()

    lan.page.goto(lan.served.address + "/receive")
    lan.page.locator("#place").fill(str(stick))
    lan.page.locator("#place").focus()
    lan.go("Enter")
    lan.page.goto(lan.served.address + "/rounds/r2026")
    expect(lan.page.get_by_text("Máy đã báo tên")).to_be_visible()
    lan.shot("6-may")
    found += lan.axe()
    lan.tab_to("Đăng ký các máy")
    lan.go("Enter")
    expect(lan.page.get_by_text("Đã đăng ký 1 máy.")).to_be_visible()
    lan.page.locator("#place").focus()
    lan.write(str(stick))
    lan.go("Enter")
    expect(lan.page.get_by_text("bản ghi).")).to_be_visible()
    lan.shot("7-tep-dot")
    found += lan.axe()
    read_out = lan.page.locator(".key").inner_text()

    with Served(laptop) as served:
        hand = Hand(browser, served, shots, "nhan-dot")
        hand.page.goto(served.address)
        hand.tab_to("Nhận tệp đợt khảo sát")
        hand.go("Enter")
        hand.page.locator("#place").focus()
        hand.write(str(stick))
        hand.go("Enter")
        assert hand.page.locator(".key").inner_text() == read_out
        hand.shot("8-so-khoa")
        found += hand.axe()
        hand.tab_to("Giống hệt")
        hand.go("Enter")
        expect(hand.page.get_by_text("Đã nhận đợt khảo sát.")).to_be_visible()
        hand.sign_in("Lò Thị Hoa", "246813")
        expect(hand.page.get_by_role("button", name="Phỏng vấn tiếp theo")).to_be_visible()
        hand.page.goto(served.address + "/load-round")
        expect(hand.page.get_by_text("Lập đợt", exact=True)).to_have_count(0)
        hand.close()

    with Store.open(office) as store:
        assert len(frame.units(store, "r2026")) == 10
        assert frame.round_document(store, "r2026")["draw"]["stages"] == [
            "village total=2 method=pps size=persons",
            "take=3 reserve=2",
        ]
    assert not any(path.name.startswith("tmp") for path in office.iterdir())
    assert found == []
