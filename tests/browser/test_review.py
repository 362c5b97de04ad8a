"""Review under the hand: returned at a question, answered again on the enumerator's laptop, approved; what no rule
flagged approved together; a supervisor's own correction; a second approval."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from survey.store import Store, current, drafts, frame
from survey.sync import exchange
from tests import field
from tests.field import BINH, HOA, LAN, PIN, ROUND
from tests.keyboard import Hand, Served

pytestmark = pytest.mark.browser


def carry(source: Path, target: Path, stick: Path) -> None:
    """A stick written by one machine and read by the other, while both serve their pages."""
    with Store.open(source) as giver, Store.open(target) as taker:
        exchange.export(giver, stick, plain=True)
        exchange.sync(taker, [stick])


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    folder = tmp_path / "hub"
    with Store.create(folder, role="hub", name="Máy giám sát") as store:
        field.set_up(store, field.small())
    return folder


@pytest.fixture
def laptop(hub: Path, tmp_path: Path) -> Path:
    """A laptop with the hub's round, on which an interview was made."""
    folder = tmp_path / "laptop"
    Store.create(folder, name="Máy 1").close()
    carry(hub, folder, tmp_path / "stick")
    with Store.open(folder) as store:
        frame.sign_in(store, HOA, PIN)
        interview = drafts.start(store, "u1", field.small().hash, HOA)
        for path, value in field.WHOLE.items():
            given = {"missing": value[1:]} if isinstance(value, str) and value.startswith("?") else value
            drafts.save(store, interview, {path: given}, {path: 7.0})
        answers = drafts.answers(store, interview)
        drafts.seal(store, interview, answers, {}, {}, {}, HOA)
    carry(folder, hub, tmp_path / "stick")
    return folder


@pytest.fixture
def office(browser: Browser, hub: Path, laptop: Path, shots: Path) -> Iterator[Hand]:
    """Lan at the hub, after the laptop has handed over."""
    with Served(hub) as served:
        hand = Hand(browser, served, shots, "duyet")
        hand.sign_in("Nguyễn Thị Lan", PIN)
        yield hand
        hand.close()


def state(folder: Path) -> str:
    with Store.open(folder) as store:
        return str(current.interviews(store)[0]["state"])


def test_returned_at_a_question_answered_again_on_the_laptop_and_approved(
    office: Hand, browser: Browser, hub: Path, laptop: Path, shots: Path, tmp_path: Path
) -> None:
    page = office.page
    page.goto(f"{office.served.address}/review")
    expect(page.locator(".queue a[aria-current]")).to_contain_text("Đặng Thị Hoà")
    expect(page.locator("tr", has_text="47").locator(".spent")).to_have_text("7 giây")
    office.shot("mot-phieu")
    assert office.axe() == []
    office.press("ArrowDown", "ArrowDown")
    row = page.locator("tr.here")
    asked = row.get_attribute("data-path")
    assert asked == "a/age"
    office.press("r")
    expect(page.locator("#question")).to_have_value("a/age")
    expect(page.locator("#reason")).to_be_focused()
    office.write("Hỏi lại tuổi, sổ hộ khẩu ghi khác")
    office.go("Enter")
    expect(page.get_by_text("Yêu cầu sửa: đã lưu.")).to_be_visible()
    assert state(hub) == "returned"
    carry(hub, laptop, tmp_path / "stick")

    with Served(laptop) as served:
        hoa = Hand(browser, served, shots, "sua-lai")
        hoa.sign_in("Lò Thị Hoa", PIN)
        expect(hoa.page.get_by_text("Hỏi lại tuổi, sổ hộ khẩu ghi khác").first).to_be_visible()
        hoa.shot("hom-nay")
        hoa.tab_to("Sửa phiếu")
        hoa.go("Enter")
        hoa.at("#q-a_2f_age")
        expect(hoa.page.locator("#q-a_2f_age .asked")).to_contain_text("Hỏi lại tuổi")
        hoa.shot("dung-cau-hoi")
        assert hoa.axe() == []
        box = hoa.page.locator("#q-a_2f_age input[type=text]").first
        box.fill("52")
        hoa.press("Enter")
        expect(hoa.page.locator("#s-a_2f_age")).to_contain_text("đã lưu")
        hoa.page.goto(re.sub(r"/\d+(\?.*)?$", "/finish", hoa.page.url))
        hoa.page.get_by_role("button", name="Hoàn thành phiếu").click()
        expect(hoa.page.get_by_text("Phiếu đã hoàn thành và được khóa lại.")).to_be_visible()
        hoa.close()
    carry(laptop, hub, tmp_path / "stick")

    page.goto(f"{office.served.address}/review")
    changed = page.locator("tr.differs")
    expect(changed).to_have_count(1)
    expect(changed.locator("td")).to_have_text(["47", "52"])
    office.shot("da-sua")
    office.go("a")
    assert state(hub) == "approved"
    with Store.open(hub) as store:
        interview = current.interviews(store)[0]["interview"]
        assert current.content(store, interview)["answers"]["a/age"] == "52"
        assert [told["question"] for told in current.decisions(store, interview)] == ["a/age", ""]


def test_what_no_rule_flagged_is_approved_together_and_a_share_stays(office: Hand, hub: Path) -> None:
    with Store.open(hub) as store:
        for number in range(1, 31):
            unit = field.unit_document(f"m{number}", number)
            frame.issue(store, "unit", f"m{number}", unit, {"name": f"Người Số {number}"})
            field.sealed(store, f"m{number}", field.small())
        twice = field.sealed(store, "m7", field.small())
    page = office.page
    page.goto(f"{office.served.address}/review")
    page.evaluate("""() => { window.pressed = 0; document.querySelector('[data-press=a]')
        .addEventListener('click', (event) => { event.preventDefault(); window.pressed += 1; }); }""")
    page.keyboard.down("a")
    page.keyboard.down("a")  # still held: it would decide about the next interview, unread
    page.keyboard.up("a")
    assert page.evaluate("window.pressed") == 1
    page.goto(f"{office.served.address}/interviews")
    page.get_by_role("link", name="Duyệt hàng loạt").click()
    numbers = page.locator("dl.counts dd")
    office.shot("hang-loat")
    assert office.axe() == []
    waiting, flagged, kept, free = (int(text) for text in numbers.all_inner_texts())
    assert waiting == 32
    assert flagged >= 2
    assert kept >= 1
    assert flagged + kept + free == waiting
    office.go("Enter")
    expect(page.get_by_text(f"Đã duyệt {free} phiếu.")).to_be_visible()
    expect(numbers).to_have_text([str(flagged + kept), str(flagged), str(kept), "0"])
    with Store.open(hub) as store:
        states = {row["interview"]: row["state"] for row in current.interviews(store)}
    assert states[twice] == "sealed"
    assert sum(told == "approved" for told in states.values()) == free


def test_a_supervisor_corrects_with_a_reason_or_drops_the_correction(office: Hand, hub: Path) -> None:
    page = office.page
    for _ in range(2):
        page.goto(f"{office.served.address}/review")
        page.get_by_role("button", name="Tự sửa phiếu").click()
        page.goto(re.sub(r"/(\d+|finish)(\?.*)?$", "/finish", page.url))
        if page.get_by_role("button", name="Bỏ bản sửa").count() and _ == 0:
            page.get_by_role("button", name="Bỏ bản sửa").click()
            expect(page.get_by_text("Phiếu giữ nguyên như trước")).to_be_visible()
            assert state(hub) == "sealed"
    page.locator("#reason").fill("Điều tra viên gọi điện báo bấm nhầm")
    page.get_by_role("button", name="Hoàn thành phiếu").click()
    page.locator("summary").click()
    expect(page.get_by_text("Điều tra viên gọi điện báo bấm nhầm")).to_be_visible()
    with Store.open(hub) as store:
        row = current.interviews(store)[0]
        assert (row["kind"], row["state"]) == ("corrected", "sealed")


def test_a_round_that_asks_for_two_approvals_counts_an_interview_after_the_second(
    office: Hand, browser: Browser, hub: Path, shots: Path
) -> None:
    with Store.open(hub) as store:
        document = frame.round_document(store, ROUND)
        frame.issue(store, "round", ROUND, {**document, "review": {"second": True}})
        interview = current.interviews(store)[0]["interview"]
        current.decide(store, interview, "approved", actor=LAN)
        assert list(current.responses(store, ROUND)) == []
        assert [meta["state"] for *_, meta in current.responses(store, ROUND, ("sealed",))] == ["sealed"]
    binh = Hand(browser, office.served, shots, "lan-hai")
    binh.sign_in("Trần Văn Bình", PIN)
    binh.page.get_by_role("link", name="chờ duyệt lần hai").click()
    binh.page.locator("tbody th a").first.click()
    binh.shot("phieu")
    binh.page.get_by_role("button", name="Duyệt lần hai").click()
    expect(binh.page.get_by_text("Đã duyệt lần hai.")).to_be_visible()
    binh.close()
    with Store.open(hub) as store:
        assert len(list(current.responses(store, ROUND))) == 1
        assert [told["actor"] for told in current.decisions(store, interview)] == [LAN, BINH]
