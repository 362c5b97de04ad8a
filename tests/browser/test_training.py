"""Training under the hand: the trainer's model interview becomes a key, an enumerator plays it, both see the score."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from survey.store import Store, current, frame, practice
from survey.sync import exchange, rounds
from tests import field
from tests.field import HOA, PIN, ROUND
from tests.keyboard import Hand, Served

pytestmark = pytest.mark.browser

SCRIPT = {"age": "47", "job": "2", "b1": "4", "b2": "4", "b3": "5"}
"""What the trainer enters, by the keys pressed; Hoa misses the age and one satisfaction."""


def carry(source: Path, target: Path, stick: Path) -> None:
    with Store.open(source) as giver, Store.open(target) as taker:
        exchange.export(giver, stick, plain=True)
        exchange.sync(taker, [stick])


def play(hand: Hand, script: dict[str, str]) -> None:
    """Goes through the practice interview that is open: what must be answered by keys, then its seal."""
    hand.at(".question")
    expect(hand.page.locator(".top.practising .mark")).to_be_visible()
    hand.consent()
    assert hand.interview(script, until=6) == 6
    while "b/b3" not in hand.confirmed:
        hand.page.wait_for_event("response")
    hand.page.goto(hand.page.url.rpartition("/")[0] + "/finish")
    expect(hand.page.locator(".top.practising .mark")).to_be_visible()
    hand.seal()
    expect(hand.page.get_by_role("heading", level=1)).to_have_text("Tập huấn")


def test_a_set_is_written_played_and_marked(browser: Browser, shots: Path, tmp_path: Path) -> None:
    hub, laptop, stick = tmp_path / "hub", tmp_path / "laptop", tmp_path / "stick"
    with Store.create(hub, role="hub", name="Máy giám sát") as store:
        field.set_up(store, field.small())
        own = {**frame.round_document(store, ROUND), "id": "r2027", "title": {"vi": "SIPAS 2027", "en": "SIPAS 2027"}}
        rounds.issue_round(store, own)
    with Store.create(laptop, name="Máy Hoa") as store:
        field.set_up(store, field.small())
    with Served(hub) as served:
        lan = Hand(browser, served, shots, "tap-huan")
        lan.sign_in("Nguyễn Thị Lan", PIN)
        lan.page.goto(f"{served.address}/people")
        lan.page.get_by_role("link", name="Tập huấn").click()
        lan.page.get_by_role("button", name="Phỏng vấn thử SIPAS 2027").click()
        lan.at(".question")
        lan.shot("phieu")
        assert lan.axe() == []
        play(lan, SCRIPT)
        form = lan.page.get_by_role("region", name="SIPAS 2027")
        form.get_by_label("Tên bài").fill("Tình huống 1: bà Hoà")
        form.get_by_label("Đạt từ bao nhiêu").fill("90")
        lan.shot("soan-bai")
        assert lan.axe() == []
        form.get_by_role("button", name="Lưu bài").click()
        expect(lan.page.get_by_text("câu có đáp án. Ghi lại tệp")).to_be_visible()
        carry(hub, laptop, stick)
        with Served(laptop) as other:
            hoa = Hand(browser, other, shots, "tap-huan-hoa")
            hoa.sign_in("Lò Thị Hoa", PIN)
            hoa.page.get_by_role("link", name="Tập huấn").click()
            hoa.shot("danh-sach")
            assert hoa.axe() == []
            hoa.page.get_by_role("button", name="Làm bài Tình huống 1").click()
            play(hoa, {**SCRIPT, "age": "74", "b1": "2"})
            expect(hoa.page.get_by_text("chưa đạt")).to_be_visible()
            hoa.page.locator("summary", has_text="Lần cuối chưa đúng: 2 câu").click()
            expect(hoa.page.get_by_role("row", name="bao nhiêu tuổi")).to_contain_text("sai")
            hoa.shot("ket-qua")
            assert hoa.axe() == []
            hoa.page.get_by_role("button", name="English").click()
            hoa.shot("result-en")
            assert hoa.axe() == []
            hoa.page.goto(f"{other.address}/today")
            expect(hoa.page.locator(".practising")).to_have_count(0)
            hoa.close()
        carry(laptop, hub, stick)
        lan.page.get_by_role("link", name="Tập huấn").first.click()
        lan.page.get_by_role("link", name="Kết quả mọi người").click()
        expect(lan.page.get_by_role("row", name="Lò Thị Hoa")).to_contain_text("chưa đạt")
        expect(lan.page.get_by_role("heading", name="Câu hay sai nhất")).to_be_visible()
        lan.shot("ket-qua-moi-nguoi")
        assert lan.axe() == []
        with lan.page.expect_download() as got:
            lan.page.get_by_role("link", name="Tải bảng .xlsx").click()
        assert got.value.path().stat().st_size > 1000
        lan.page.get_by_role("button", name="English").click()
        lan.shot("results-en")
        assert lan.axe() == []
        lan.close()
    with Store.open(hub) as store:
        assert current.interviews(store) == []
        (one,) = practice.attempts(store, "r2027", practice.sets(store)[0]["id"])
        assert one["actor"] == HOA
