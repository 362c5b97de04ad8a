"""The supervisor's board, people and laptops, and the enumerator's own page, under the hand in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from survey.store import Store, current, drafts, fieldlog, frame
from survey.sync import exchange
from tests import field
from tests.field import HOA, LAN, PIN, ROUND
from tests.keyboard import Hand, Served

pytestmark = pytest.mark.browser

MAI = "pmai"
VILLAGES = (
    ("03646", "xã Chiềng Mung", "bản Khoang"),
    ("03650", "xã Mường Bú", "bản Nà Hạ"),
    ("03655", "xã Mai Sơn", "tổ 4"),
)


def carry(source: Path, target: Path, stick: Path) -> None:
    with Store.open(source) as giver, Store.open(target) as taker:
        exchange.export(giver, stick, plain=True)
        exchange.sync(taker, [stick])


def place(number: int) -> dict[str, object]:
    """A unit of one of three communes; every third is another enumerator's."""
    commune, name, village = VILLAGES[number % 3]
    own = {"commune": commune, "commune_name": name, "village": f"{commune}-01", "village_name": village}
    return {**field.unit_document(f"m{number}", number), **own, "assignee": MAI if number % 3 == 2 else HOA}


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """A hub in the middle of a round: 24 units in three communes, interviews in every state, a silent laptop."""
    folder = tmp_path / "hub"
    now = datetime.now(UTC).astimezone()
    with Store.create(folder, role="hub", name="Máy giám sát") as store:
        field.set_up(store, field.small(), [*field.PEOPLE, (MAI, "Vũ Thị Mai", ["enumerator"])])
        document = frame.round_document(store, ROUND)
        dates = {"starts": f"{now - timedelta(12):%Y-%m-%d}", "ends": f"{now + timedelta(6):%Y-%m-%d}"}
        frame.issue(store, "round", ROUND, {**document, **dates})
        for number in range(1, 25):
            frame.issue(store, "unit", f"m{number}", place(number), {"name": f"Người Số {number}"})
        made = [field.sealed(store, f"m{number}", field.small()) for number in (1, 3, 4, 6, 7, 9, 12, 15, 18)]
        current.decide(store, made[0], "approved", actor=LAN)
        current.decide(store, made[1], "returned", reason="Hỏi lại câu tuổi", question="a/age", actor=LAN)
        field.torn(store, made[2])
        for number, code in ((2, "2.112"), (5, "2.24"), (8, "4.61"), (10, "0.2")):
            visit = {"id": frame.new_id("visit"), "unit": f"m{number}", "round": ROUND, "disposition": code}
            frame.issue(store, "visit", visit["id"], {**visit, "time": now.isoformat(timespec="seconds")})
    return folder


@pytest.fixture
def lan(browser: Browser, hub: Path, shots: Path) -> Iterator[Hand]:
    with Served(hub) as served:
        hand = Hand(browser, served, shots, "ngay-giam-sat")
        hand.sign_in("Nguyễn Thị Lan", PIN)
        yield hand
        hand.close()


def test_every_number_of_the_board_opens_the_list_behind_it(lan: Hand) -> None:
    page = lan.page
    page.goto(f"{lan.served.address}/progress")
    expect(page.locator(".numbers b").first).to_have_text("9 / 27")
    expect(page.locator(".tiles li")).to_have_count(3)
    lan.shot("tien-do")
    assert lan.axe() == []
    page.locator(".numbers a", has_text="đã yêu cầu sửa").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("Người Số 3")
    page.go_back()
    page.get_by_role("row", name="xã Mường Bú").get_by_role("link", name="chưa đến").click()
    expect(page.locator("tbody tr")).to_have_count(4)
    lan.shot("don-vi-mau")
    assert lan.axe() == []
    page.go_back()
    page.get_by_role("link", name="xã Mường Bú").first.click()
    expect(page.get_by_role("navigation", name="Đang xem")).to_contain_text("xã Mường Bú")
    page.get_by_role("link", name="Điều tra viên", exact=True).click()
    expect(page.locator("tbody th").first).to_contain_text("Lò Thị Hoa")
    page.get_by_role("link", name="Ngày", exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("button", name="English").click()
    page.goto(f"{lan.served.address}/progress?by=person")
    expect(page.get_by_role("row", name="Vũ Thị Mai")).to_contain_text("behind")
    lan.shot("progress-en")
    assert lan.axe() == []


def test_work_begun_on_a_broken_laptop_goes_on_with_another_person_on_another_laptop(
    lan: Hand, browser: Browser, hub: Path, shots: Path, tmp_path: Path
) -> None:
    broken, other, stick = tmp_path / "broken", tmp_path / "other", tmp_path / "stick"
    Store.create(broken, name="Máy hỏng").close()
    Store.create(other, name="Máy Mai").close()
    carry(hub, broken, stick)
    with Store.open(broken) as store:
        interview = drafts.start(store, "u2", field.small().hash, HOA)
        drafts.save(store, interview, {"opening/consent": "yes", "a/age": "61"})
    carry(broken, hub, stick)
    page = lan.page
    page.goto(f"{lan.served.address}/people")
    expect(page.get_by_role("row", name="Máy hỏng")).to_contain_text("USB")
    lan.shot("nguoi-va-may")
    assert lan.axe() == []
    page.get_by_role("link", name="Giao lại Lò Thị Hoa").click()
    expect(page.locator("#giver")).to_have_value(HOA)
    page.locator("#taker").select_option(label="Vũ Thị Mai")
    page.locator("#why").fill("Máy của Hoa hỏng ổ đĩa")
    page.get_by_role("button", name="Giao lại").last.click()
    expect(page.get_by_text("đơn vị mẫu cho Vũ Thị Mai")).to_be_visible()
    with Store.open(hub) as store:
        (event,) = fieldlog.read(store, fieldlog.HANDOVER)
        assert (event["from"], event["to"], event["by"], event["reason"]) == (HOA, MAI, LAN, "Máy của Hoa hỏng ổ đĩa")
        assert {unit["id"] for unit in frame.units(store, ROUND, assignee=HOA)} & {"u2", "m10"} == set()
        assert len(frame.units(store, ROUND, assignee=HOA)) == 8  # whose interviews she made, but for the returned one
    with Store.open(other) as store:
        exchange.sync(store, [stick])
        frame.sign_in(store, MAI, PIN)
    carry(hub, other, stick)
    with Served(other) as served:
        mai = Hand(browser, served, shots, "mai")
        mai.sign_in("Vũ Thị Mai", PIN)
        mai.page.goto(f"{served.address}/mine")
        expect(mai.page.get_by_role("heading", level=2).first).to_contain_text("1 / 19")
        mai.shot("viec-cua-toi")
        assert mai.axe() == []
        mai.page.goto(f"{served.address}/today")
        mai.page.locator("li", has_text="Quàng Văn Ơn").get_by_role("button").first.click()
        expect(mai.page.locator("#q-a_2f_age input[type=text]").first).to_have_value("61")
        mai.close()


def test_a_person_is_disabled_and_let_in_again_and_a_laptop_revoked(lan: Hand, hub: Path, tmp_path: Path) -> None:
    Store.create(tmp_path / "lost", name="Máy mất").close()
    with Store.open(tmp_path / "lost") as store:
        exchange.export(store, tmp_path / "stick", plain=True)
    with Store.open(hub) as store:
        exchange.sync(store, [tmp_path / "stick"])
    page = lan.page
    page.goto(f"{lan.served.address}/people")
    page.get_by_role("button", name="Ngừng Vũ Thị Mai").click()
    expect(page.get_by_text("Đã ngừng Vũ Thị Mai.")).to_be_visible()
    page.get_by_role("button", name="Cho làm lại Vũ Thị Mai").click()
    expect(page.get_by_text("Vũ Thị Mai đăng nhập lại được.")).to_be_visible()
    row = page.get_by_role("row", name="Máy mất")
    row.locator("summary").click()
    row.get_by_role("textbox").fill("Mất trên xe khách")
    row.get_by_role("button", name="Thu hồi máy này").click()
    expect(page.get_by_role("row", name="Máy mất")).to_contain_text("đã thu hồi")


def test_who_employs_a_person_is_told_and_work_at_their_own_authority_needs_a_reason(lan: Hand, hub: Path) -> None:
    page = lan.page
    page.goto(f"{lan.served.address}/people")
    page.get_by_role("link", name="Ghi rõ Vũ Thị Mai").click()
    page.locator("#employer").fill("UBND xã Mường Bú")
    page.locator("#employer_kind").select_option("commune")
    page.locator("#team").fill("Nhóm 2")
    lan.shot("nguoi-ghi-ro")
    assert lan.axe() == []
    page.locator("#team").press("Enter")
    row = page.get_by_role("row", name="Vũ Thị Mai")
    expect(row).to_contain_text("UBND xã Mường Bú được đánh giá")
    expect(row).to_contain_text("Nhóm 2")
    page.get_by_role("link", name="Giao lại Lò Thị Hoa").click()
    page.locator("#taker").select_option(label="Vũ Thị Mai")
    page.locator("#why").fill("Hoa ốm")
    page.get_by_role("button", name="Giao lại").last.click()
    expect(page.get_by_text("người này làm việc cho cơ quan được đánh giá ở")).to_be_visible()
    expect(page.locator("#tie")).to_be_focused()
    expect(page.locator("#taker")).to_have_value(MAI)
    expect(page.locator("#why")).to_have_value("Hoa ốm")
    lan.shot("giao-can-ly-do")
    page.locator("#tie").fill("Chỉ có một người biết tiếng Mông")
    page.get_by_role("button", name="Giao lại").last.click()
    expect(page.get_by_text("đơn vị mẫu cho Vũ Thị Mai")).to_be_visible()
    with Store.open(hub) as store:
        given = frame.units(store, ROUND, assignee=MAI)
    why = {(unit["commune"], unit.get("assignee_reason", "")) for unit in given}
    assert ("03650", "Chỉ có một người biết tiếng Mông") in why
    assert {commune for commune, reason in why if reason} == {"03650"}
    page.locator("summary", has_text="Nhập danh sách người").click()
    table = "Họ và tên;Nhóm;Vai trò;Mã PIN\nLò Thị Hoa;Nhóm 1;;\nCà Văn Pó;Nhóm 1;điều tra viên;2468\n"
    page.locator("input[type=file]").set_input_files(
        {"name": "nguoi.csv", "mimeType": "text/csv", "buffer": table.encode()}
    )
    page.get_by_role("button", name="Nhập", exact=True).click()
    expect(page.get_by_text("Đã thêm 1 người, ghi lại 1 người.")).to_be_visible()
    page.get_by_role("button", name="English").click()
    lan.shot("people-en")
    assert lan.axe() == []
