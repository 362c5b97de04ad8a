"""Pages for those who do not interview: an observer follows the work by numbers alone."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from survey.store import Store, current, frame
from survey.store.personal import code_of
from survey.vocabulary import ACCESS
from tests import field
from tests.field import PIN
from tests.keyboard import Hand, Served

pytestmark = pytest.mark.browser

MAI = ("pmai", "Vũ Thị Mai", ["observer"])


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """A hub of the small round with an observer and a sealed interview."""
    folder = tmp_path / "office"
    with Store.create(folder, role="hub", name="hub") as store:
        field.set_up(store, field.small(), [*field.PEOPLE, MAI])
        field.sealed(store, "u1", field.small())
    return folder


def test_an_observer_lands_on_the_progress_of_the_communes(browser: Browser, office: Path, shots: Path) -> None:
    with Served(office) as served:
        hand = Hand(browser, served, shots, "mat-tran")
        hand.sign_in(MAI[1], PIN)
        row = hand.page.get_by_role("row", name="xã Chiềng Mung")
        figures = ["1 / 3", "0", "1", "0", "2", "33,3 %", "100,0 %", "0,0 %", "33,3 %"]
        expect(row.get_by_role("cell")).to_have_text(figures)
        assert not row.get_by_role("cell").get_by_role("link").count()
        expect(hand.page.get_by_role("navigation", name="Các trang").get_by_role("link")).to_have_text(
            ["Tiến độ", "Phúc tra"]
        )
        hand.shot("tien-do")
        assert hand.axe() == []
        hand.close()


QUAN = ("pquan", "Vũ Văn Quân", ["administrator"])


def test_an_administrator_erases_by_the_code_with_the_keyboard_alone(
    browser: Browser, office: Path, shots: Path
) -> None:
    with Store.open(office) as store:
        frame.issue(store, "user", QUAN[0], {**(frame.person(store, MAI[0]) or {}), "id": QUAN[0], "name": QUAN[1]})
        frame.issue(store, "user", QUAN[0], {**(frame.person(store, QUAN[0]) or {}), "roles": QUAN[2]})
        (row,) = current.interviews(store)
    with Served(office) as served:
        hand = Hand(browser, served, shots, "quan-tri")
        hand.sign_in(QUAN[1], PIN)
        hand.page.goto(f"{served.address}/personal-data")
        hand.write(code_of(row["interview"]).lower())
        hand.go("Enter")
        expect(hand.page.get_by_text("xã Chiềng Mung")).to_be_visible()
        hand.shot("du-lieu-ca-nhan")
        assert hand.axe() == []
        taken = {}
        for name, button in (("copy", "Tải bản cho người dân"), ("record", "Tải hồ sơ xử lý")):
            with hand.page.expect_download() as download:
                hand.page.get_by_role("button", name=button).press("Enter")
            taken[name] = shots / f"{name}.html"
            download.value.save_as(taken[name])
        hand.page.locator("#reason").focus()
        hand.write("người dân yêu cầu")
        hand.press("Tab", "Space", "Tab")
        hand.go("Enter")
        expect(hand.page.get_by_role("status")).to_contain_text("Đã xóa 2 mục")
        hand.shot("da-xoa")
        assert hand.axe() == []
        hand.page.goto(f"{served.address}/access-log")
        hand.page.locator("#action").focus()
        hand.press(*["ArrowDown"] * (list(ACCESS).index("erased") + 1))
        hand.press("Tab", "Tab", "Tab", "Tab")
        hand.go("Enter")
        expect(hand.page.locator("tbody tr")).to_have_count(1)
        expect(hand.page.locator("tbody")).to_contain_text("người dân yêu cầu")
        hand.shot("nhat-ky")
        assert hand.axe() == []
        hand.close()
    with Store.open(office) as store:
        assert current.interviews(store)[0]["state"] == "erased"
    # The files are read without the program, on anybody's machine, and ask nothing of any other.
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for name, heading in (("copy", "Dữ liệu đang giữ về Ông/Bà"), ("record", "Hồ sơ xử lý dữ liệu cá nhân")):
        page.goto(taken[name].as_uri())
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        assert [rule["id"] for rule in found["violations"]] == []
    assert asked == [file.as_uri() for file in taken.values()]
    page.close()


def test_the_code_for_the_respondent_stands_on_the_finish_page_and_on_a_slip(hand: Hand, served: Served) -> None:
    hand.page.goto(f"{hand.page.url.rpartition('/')[0]}/finish")
    hand.shot("ma-phieu")
    assert hand.axe() == []
    hand.page.goto(hand.page.url.replace("/finish", "/slip"))
    expect(hand.page.get_by_role("heading", name="Mã phiếu khảo sát của Ông/Bà")).to_be_visible()
    hand.shot("to-giay")
    assert hand.axe() == []
