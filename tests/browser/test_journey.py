"""One interview from the key press to the report that opens, with a power cut in the middle, by keyboard alone."""

from __future__ import annotations

import signal
from pathlib import Path
from random import Random

import pytest
from playwright.sync_api import Browser, expect

from survey.fieldwork.respondent import Respondent, respond
from survey.questionnaire.model import Questionnaire
from survey.questionnaire.path import Context, open_path
from survey.store import Store, current, drafts, frame, verify
from survey.web.desk import frame_columns
from tests.keyboard import LIGHT, Hand, Served, survey

pytestmark = pytest.mark.browser

HOA_PIN, LAN_PIN = "246813", "135790"

FRAME = """province,province_name,commune,commune_name,village,village_name,stratum,urban_rural,name,address
14,Sơn La,03646,xã Chiềng Mung,v1,bản Khoang,rural,rural,Đặng Thị Hoà,Bản Khoang
14,Sơn La,03646,xã Chiềng Mung,v1,bản Khoang,rural,rural,Quàng Văn Ơn,Bản Khoang
14,Sơn La,03646,xã Chiềng Mung,v2,bản Nà Hạ,rural,rural,Lường Thị Phượng,Bản Nà Hạ
14,Sơn La,03646,xã Chiềng Mung,v2,bản Nà Hạ,rural,rural,Cà Văn Đức,Bản Nà Hạ
"""

CHOOSE = {"phone": "0912345678", "backcheck_phone": "0912345678"}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub with a round of SIPAS 2026, set up with the commands; the round file stands beside it."""
    folder = tmp_path_factory.mktemp("office")
    hub = folder / "hub"
    (folder / "frame.csv").write_text(FRAME, encoding="utf-8-sig")
    survey(hub, "init", "--plain", "--role", "hub", "--name", "Hub")
    for name, role, id, pin in (
        ("Lò Thị Hoa", "enumerator", "phoa", HOA_PIN),
        ("Nguyễn Thị Lan", "supervisor", "plan", LAN_PIN),
    ):
        survey(hub, "user", "add", "--name", name, "--role", role, "--id", id, "--pin", pin)
    survey(hub, "round", "create", "r2026", "--questionnaire", "sipas_2026", "--title", "SIPAS 2026", "--synthetic")
    survey(hub, "frame", "import", folder / "frame.csv")
    stages = ["--stage", "village take=2", "--stage", "take=2"]
    survey(hub, "sample", "draw", "--seed", "2026", "--strata", "stratum", *stages, "--assign", "phoa")
    survey(hub, "round", "export", folder / "r2026.round")
    return hub


@pytest.fixture(scope="module")
def laptop(office: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A field laptop that has loaded the round file."""
    instance = tmp_path_factory.mktemp("laptop") / "instance"
    survey(instance, "init", "--plain", "--name", "Laptop")
    survey(instance, "round", "import", office.parent / "r2026.round", input="y\n")
    return instance


def held(laptop: Path) -> dict[str, object]:
    """The answers of the one open draft as they are on disk, missing kinds written as the page sends them."""
    with Store.open(laptop) as store:
        (draft,) = drafts.drafts(store)
        answers = drafts.answers(store, draft["interview"])
    return {path: "?" + v["missing"] if isinstance(v, dict) else v for path, v in answers.items()}


def confirmed_is_held(hand: Hand, laptop: Path) -> None:
    on_disk = held(laptop)
    assert {path: on_disk.get(path) for path in hand.confirmed} == {
        path: value if not isinstance(on_disk.get(path), list) or isinstance(value, list) else [value]
        for path, value in hand.confirmed.items()
    }


def others(laptop: Path) -> int:
    """The rest of the sample, interviewed by the form engine alone: a score needs more than one person."""
    with Store.open(laptop) as store:
        compiled = frame.questionnaire(store, frame.rounds(store)[0]["questionnaire_hash"])
        questionnaire = Questionnaire.from_json(compiled or b"")
        done = {row["unit"] for row in current.interviews(store)}
        left = [unit for unit in frame.units(store) if unit["id"] not in done]
        for number, unit in enumerate(left):
            name = drafts.start(store, unit["id"], questionnaire.hash, "phoa")
            path = open_path(questionnaire, {}, Context(frame=frame_columns(unit), interview=name))
            person = Respondent(0.5 + number / 2, fixed={"consent": "yes", "adult": "yes"})
            for _, change in respond(path, person, Random(number)):
                path = change.path
            drafts.seal(store, name, *path.sealed, {}, "phoa")
    return len(left)


def test_from_the_key_press_to_the_report(
    browser: Browser, served: Served, laptop: Path, office: Path, shots: Path, tmp_path: Path
) -> None:
    hand = Hand(browser, served, shots, "vi")
    hand.page.goto(served.address)
    hand.shot("01-nguoi-lam")
    hand.sign_in("Lò Thị Hoa", HOA_PIN)
    hand.shot("02-hom-nay")
    hand.tab_to("Phỏng vấn tiếp theo")
    hand.go("Enter")
    hand.presses = 0
    interview = hand.page.url.split("/")[4]
    asked = hand.interview(CHOOSE, until=4)
    hand.shot("03-luoi-cau-hoi")
    asked += hand.interview(CHOOSE, until=20)

    # The power goes off in the middle of the interview, between two key presses.
    served.stop(signal.SIGKILL)
    confirmed_is_held(hand, laptop)
    before = dict(hand.confirmed)
    assert len(before) >= 20
    here = hand.where()
    hand.press(here["key"])
    expect(hand.page.locator("#silent")).to_be_visible()
    hand.shot("04-mat-dien")
    assert hand.where()["question"] == here["question"]

    # It comes back: the page saves what it still had, and the interview goes on from there.
    served.start()
    expect(hand.page.locator("#silent")).to_be_hidden(timeout=10_000)
    hand.page.wait_for_function("id => document.getElementById(id).querySelector('.state.saved')", arg=here["question"])
    assert hand.confirmed.keys() == {*before, here["path"]}
    confirmed_is_held(hand, laptop)
    hand.page.reload()
    asked += 1 + hand.interview(CHOOSE)
    assert asked > 90
    assert hand.presses < 1.6 * asked
    hand.shot("05-hoan-thanh")
    confirmed_is_held(hand, laptop)
    hand.seal()
    expect(hand.page.get_by_text("Phiếu đã hoàn thành và được khóa lại.")).to_be_visible()
    hand.shot("06-da-khoa")

    assert others(laptop) == 3
    stick = tmp_path / "USB của Hoa"
    stick.mkdir()
    hand.tab_to("Nộp phiếu")
    hand.go("Enter")
    hand_over(hand, stick)
    expect(hand.page.get_by_text("Đã ghi và đọc lại kiểm tra")).to_be_visible()
    hand.shot("07-nop-phieu")

    with Served(office) as hub:
        lan = Hand(browser, hub, shots, "vi")
        lan.sign_in("Nguyễn Thị Lan", LAN_PIN)
        lan.tab_to("Nhận phiếu")
        lan.go("Enter")
        lan.shot("08-nhan-phieu")
        hand_over(lan, stick)
        expect(lan.page.get_by_text("Giấy xác nhận đã ghi vào đó")).to_be_visible()
        lan.shot("09-da-nhan")
        lan.tab_to("Xem các phiếu")
        lan.go("Enter")
        lan.shot("10-phieu")
        with Store.open(office) as store:
            content = current.content(store, interview)
        assert {**content["answers"], **content["contact"]}.keys() >= hand.confirmed.keys()
        lan.page.locator(f"table a[href$='{interview}']").focus()
        lan.go("Enter")
        lan.shot("11-doc-phieu")
        lan.go("a")
        expect(lan.page.get_by_text("Duyệt: đã lưu.")).to_be_visible()
        lan.close()

    # The confirmation comes back to the laptop on the same stick.
    hand_over(hand, stick)
    expect(hand.page.get_by_text("giám sát viên đang giữ 4 phiếu của máy này")).to_be_visible()
    hand.shot("12-xac-nhan")
    hand.close()

    with Store.open(office) as store:
        states = {row["interview"]: row["state"] for row in current.interviews(store)}
    assert states.pop(interview) == "approved"
    for name, state in states.items():
        assert state == "sealed"
        survey(office, "review", "approve", name, "--as", "plan")

    scores = tmp_path / "scores.csv"
    survey(office, "score", "--round", "r2026", "--index", "sipas_2026", "--state", "approved", "--out", scores)
    assert "sipas_2026" in scores.read_text(encoding="utf-8-sig")
    report = tmp_path / "report.html"
    survey(office, "report", "--round", "r2026", "--out", report)
    page = browser.new_page(viewport=LIGHT["viewport"])
    page.goto(report.as_uri())
    expect(page.locator("h1:visible").first).to_contain_text("SIPAS 2026")
    page.screenshot(path=shots / "vi-13-bao-cao.png")
    page.close()

    for instance in (laptop, office):
        with Store.open(instance) as store:
            assert not verify.verify(store).problems


def hand_over(hand: Hand, stick: Path) -> None:
    """Types the stick's folder into the box of the page and presses Enter."""
    hand.page.locator("#place").focus()
    hand.press("Control+a")
    hand.write(str(stick))
    hand.go("Enter")
