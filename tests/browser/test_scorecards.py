"""A PAR INDEX scorecard in the browser: from the criteria to self-score, appraisal and result."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from survey.store import Store
from tests import field
from tests.field import PIN
from tests.keyboard import Hand, Served
from tests.test_scorecard import CRITERIA, PDF, PEOPLE

pytestmark = pytest.mark.browser


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """A hub with its people."""
    folder = tmp_path / "office"
    with Store.create(folder, role="hub", name="hub") as store:
        field.set_up(store, field.small(), PEOPLE)
    return folder


def score(hand: Hand, step: str, points: str, reason: str = "", file: Path | None = None) -> None:
    """Types points and reason into the form of a step and saves with Enter."""
    if file is not None:
        hand.page.locator(f"#{step}-evidence").set_input_files(file)
    hand.page.locator(f"#{step}-points").focus()
    hand.write(points)
    hand.press("Tab", "Tab")
    hand.write(reason)
    hand.go("Enter")


def test_a_scorecard_from_self_score_to_appraisal_to_result(
    browser: Browser, office: Path, shots: Path, tmp_path: Path
) -> None:
    criteria, plan = tmp_path / "bo_tieu_chi.csv", tmp_path / "ke_hoach.pdf"
    criteria.write_text(CRITERIA, encoding="utf-8")
    plan.write_bytes(PDF)
    with Served(office) as served:
        binh = Hand(browser, served, shots, "cham-diem")
        binh.sign_in("Trần Văn Bình", PIN)
        binh.page.get_by_role("link", name="Chấm điểm").click()
        binh.shot("danh-sach-trong")
        assert binh.axe() == []
        binh.page.locator("#unit_name").focus()
        binh.write("Sơn La")
        binh.page.locator("#level").select_option("province")
        binh.page.locator("#period").fill("2026")
        binh.page.locator("#version").fill("tinh-2026")
        binh.page.locator("#structure").set_input_files(criteria)
        binh.page.locator("#version").focus()
        binh.go("Enter")
        card = binh.page.url
        expect(binh.page.get_by_text("Chưa có chỉ số")).to_be_visible()

        lan = Hand(browser, served, shots, "tu-cham")
        lan.sign_in("Nguyễn Thị Lan", PIN)
        lan.page.goto(f"{card}/criteria/1.1")
        score(lan, "self", "4,5", "đủ")
        expect(lan.page.get_by_role("alert")).to_contain_text("4,5 điểm vượt thang 0–4")
        lan.shot("vuot-thang")
        lan.page.locator("#self-points").fill("")
        score(lan, "self", "4", "", plan)
        expect(lan.page.get_by_role("heading", level=1)).to_contain_text("1.2.1")
        score(lan, "self", "2")
        score(lan, "self", "3", "kiểm tra 3 đơn vị")
        lan.page.goto(card)
        assert lan.axe() == []
        lan.page.get_by_role("button", name="Nộp để thẩm định").click()
        expect(lan.page.get_by_text("đã nộp, chờ thẩm định")).to_be_visible()
        assert not lan.complaints
        lan.close()

        hanh = Hand(browser, served, shots, "tham-dinh")
        hanh.sign_in("Đỗ Thị Hạnh", PIN)
        hanh.page.goto(f"{card}/criteria/1.1")
        expect(hanh.page.get_by_role("link", name="ke_hoach.pdf")).to_be_visible()
        hanh.shot("tieu-chi")
        assert hanh.axe() == []
        score(hanh, "appraisal", "3,5")
        expect(hanh.page.get_by_role("alert")).to_contain_text("hẩm định phải ghi lý do")
        hanh.page.locator("#appraisal-points").fill("")
        score(hanh, "appraisal", "3,5", "thiếu báo cáo quý")
        score(hanh, "appraisal", "2", "đủ")
        score(hanh, "appraisal", "2,5", "xử lý chậm")
        hanh.close()

        binh.page.goto(f"{card}/criteria/8.1")
        score(binh, "survey", "4,2")
        score(binh, "survey", "91,17")
        binh.page.goto(card)
        expect(binh.page.locator("#result")).to_contain_text("85,27")
        expect(binh.page.locator("#result")).to_contain_text("21,32 / 25,00")
        binh.shot("ket-qua")
        assert binh.axe() == []
        binh.page.get_by_role("button", name="English").click()
        expect(binh.page.get_by_text("appraised points")).to_be_visible()
        binh.shot("result")
        assert binh.axe() == []
        binh.page.get_by_role("link", name="Audit trail").click()
        expect(binh.page.get_by_role("cell", name="thiếu báo cáo quý")).to_be_visible()
        binh.shot("trail")
        assert binh.axe() == []
        binh.page.get_by_role("link", name="Scorecards").click()
        expect(binh.page.get_by_role("row", name="Sơn La")).to_contain_text("85.27")
        assert not binh.complaints
        binh.close()
