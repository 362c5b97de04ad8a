"""An improvement plan in the browser: from scores to a target with its warning, to the Word document, to an extract
that comes back filled in."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from docx import Document
from playwright.sync_api import Browser, expect

from survey.store import Store
from tests import field
from tests.field import PIN
from tests.keyboard import Hand, Served
from tests.test_web_plans import SCORES, filled

pytestmark = pytest.mark.browser


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """A hub with its people."""
    folder = tmp_path / "office"
    with Store.create(folder, role="hub", name="hub") as store:
        field.set_up(store, field.small())
    return folder


def test_a_plan_from_scores_to_the_document_to_a_collected_extract(
    browser: Browser, office: Path, shots: Path, tmp_path: Path
) -> None:
    scores = tmp_path / "diem.csv"
    scores.write_text(SCORES, encoding="utf-8")
    with Served(office) as served:
        hand = Hand(browser, served, shots, "ke-hoach")
        page = hand.page
        hand.sign_in("Trần Văn Bình", PIN)
        page.get_by_role("link", name="Kế hoạch").click()
        assert hand.axe() == []
        page.locator("#index").select_option("sipas_2026")
        page.locator("#scores").set_input_files(scores)
        for box, words in (("name", "KH-2027"), ("unit_name", "Sơn La"), ("known", "2026"), ("round", "2027")):
            page.locator(f"#{box}").focus()
            hand.write(words)
        hand.shot("lap-moi")
        with page.expect_navigation(timeout=120_000):  # the first use loads the analysis part
            hand.press("Enter")

        page.locator("#target").focus()
        hand.write("72,5")
        with page.expect_navigation():
            page.get_by_role("button", name="Lưu mục tiêu").click()
        expect(page.locator("#asked")).to_contain_text("Mức tăng này nhỏ hơn sai số, sẽ không kết luận được.")
        hand.shot("canh-bao")
        assert hand.axe() == []
        page.get_by_role("button", name="Vẫn lưu, đã đọc cảnh báo").click()
        expect(page.get_by_text("Đã lưu mục tiêu")).to_be_visible()
        page.locator("#standing").scroll_into_view_if_needed()
        hand.shot("ke-hoach")
        page.get_by_role("link", name="N04").click()
        page.locator("#task").focus()
        hand.write("Rút ngắn thời gian giải quyết")
        page.locator("#lead").select_text()
        hand.write("chieng mung")
        expect(page.locator("#lead-list [role=option]")).to_have_text(["UBND xã Chiềng Mung"])
        hand.shot("co-quan")
        assert hand.axe() == []
        hand.press("ArrowDown", "Enter")
        expect(page.locator("#lead")).to_have_value("UBND xã Chiềng Mung")
        page.locator("#assist").select_text()
        hand.write("Tổ giúp việc; y te")
        expect(page.locator("#assist-list [role=option]").first).to_have_text("Sở Y tế")
        hand.press("ArrowDown", "Enter")
        expect(page.locator("#assist")).to_have_value("Tổ giúp việc; Sở Y tế; ")
        page.locator("#due").focus()
        hand.write("30/9/2027")
        hand.shot("nhiem-vu")
        assert hand.axe() == []
        hand.go("Enter")
        expect(page.get_by_text("“Tổ giúp việc”: không có đơn vị này")).to_be_visible()
        page.get_by_role("link", name="Danh sách cơ quan").click()
        hand.shot("danh-sach-co-quan")
        assert hand.axe() == []
        page.get_by_role("button", name="Dùng danh sách này").click()
        page.get_by_role("link", name="KH-2027").click()
        page.get_by_role("link", name="Cơ quan ban hành").click()
        page.locator("#name").focus()
        hand.write("Sở Nội vụ")
        hand.shot("co-quan-ban-hanh")
        assert hand.axe() == []
        hand.go("Enter")
        page.goto(served.address + "/plans")
        page.get_by_role("link", name="KH-2027").click()

        with page.expect_download() as paper:
            page.get_by_role("link", name="Tải dự thảo kế hoạch").click()
        document = Document(str(paper.value.path()))
        cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
        assert "Rút ngắn thời gian giải quyết" in cells
        assert any("SỞ NỘI VỤ" in cell for cell in cells)

        with page.expect_download() as archive:
            page.get_by_role("link", name="Tải tệp trích").click()
        with zipfile.ZipFile(archive.value.path()) as sent:
            book = sent.read("ubnd_xa_chieng_mung.xlsx")
        back = tmp_path / "ubnd_xa_chieng_mung.xlsx"
        words = {"status": "đã hoàn thành", "progress": "Giảm từ 5 còn 3 ngày", "by": "Hoa"}
        back.write_bytes(filled(book, {"N04": words}).getvalue())
        page.locator("#extracts").set_input_files(back)
        page.locator("#quarter").focus()
        hand.write("quý I/2027")
        hand.go("Enter")
        expect(page.get_by_text("Đã nhận 1 báo cáo")).to_be_visible()
        expect(page.get_by_role("row", name="N04")).to_contain_text("đã hoàn thành")
        page.locator("#reports").scroll_into_view_if_needed()
        hand.shot("bao-cao")
        page.get_by_role("button", name="English").click()
        expect(page.get_by_role("heading", name="Reports of the agencies")).to_be_visible()
        hand.shot("plan")
        assert hand.axe() == []
        assert not hand.complaints
        hand.close()
