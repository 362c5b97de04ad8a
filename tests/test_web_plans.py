"""The improvement plan on the pages of a hub: from a scores file to targets, items, papers, and what comes back."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner
from docx import Document
from flask import Flask
from werkzeug.test import TestResponse

from analysis.plan_sheet import HEADINGS
from survey.cli import cli
from survey.store import Store, plans
from tests import field
from tests.field import BINH, HOA, LAN, Clock, Visitor

SCORES = "round,province,code,estimate,se,df,n\n" + "".join(
    f"2026,{name},{code},{70 - 4 * place - (13 if code == 'SVC.2' and name == 'Sơn La' else 0)},1.5,30,400\n"
    for place, name in enumerate(("Sơn La", "Điện Biên", "Lai Châu", "Hòa Bình", "Lào Cai"))
    for code in ("SIPAS", "POL", "SVC", "SVC.1", "SVC.2")
)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Store]:
    with Store.create(tmp_path / "hub", "hub", name="tỉnh") as store:
        field.set_up(store, field.small())
        yield store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(hub: Store, tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    with field.running(tmp_path / "hub", clock) as app:
        yield app


@pytest.fixture
def binh(app: Flask) -> Visitor:
    visitor = Visitor(app)
    visitor.sign_in(BINH)
    visitor.get("/plans")
    return visitor


def open_plan(visitor: Visitor, **changes: str) -> TestResponse:
    told = {"name": "KH-2027", "unit_name": "Sơn La", "index": "sipas_2026", "known": "2026", "round": "2027"} | changes
    return visitor.post("/plans", scores=(io.BytesIO(SCORES.encode()), "diem.csv"), **told)


@pytest.fixture
def plan(binh: Visitor) -> str:
    page = open_plan(binh)
    assert page.status_code == 200, page.text
    return page.request.path


def filled(book: bytes, words: dict[str, dict[str, str]]) -> io.BytesIO:
    """A workbook as a person fills it in: by id, column → words."""
    opened = openpyxl.load_workbook(io.BytesIO(book))
    sheet = opened.worksheets[0]
    columns = {cell.value: cell.column for cell in sheet[1]}
    for row in range(2, sheet.max_row + 1):
        for name, text in words.get(str(sheet.cell(row, columns[HEADINGS["id"].vi]).value), {}).items():
            sheet.cell(row, columns[HEADINGS[name].vi]).value = text
    made = io.BytesIO()
    opened.save(made)
    made.seek(0)
    return made


def test_a_scores_file_becomes_a_plan_with_strengths_and_weaknesses(hub: Store, binh: Visitor, plan: str) -> None:
    page = binh.get(plan).text
    assert "ưu điểm cần phát huy" in page
    assert "tồn tại, hạn chế" in page  # SVC.2: 57, fourth of five
    assert "không phải kết quả công bố chính thức" in page
    footer = Document(io.BytesIO(binh.get(f"{plan}/document").data)).sections[0].footer
    assert "không phải kết quả công bố chính thức" in footer.paragraphs[0].text
    (held,) = plans.plans(hub)
    assert plans.scores(hub, held) == SCORES.encode()
    codes = [one["code"] for one in plans.parts(hub, held["id"], plans.ITEM)]
    assert codes == ["POL", "SVC", "SVC.1", "SVC.2"]


def test_in_english_a_plan_has_english_names_and_what_people_typed_as_it_was_typed(binh: Visitor, plan: str) -> None:
    listed = binh.get("/plans").text
    assert ">Chỉ số hài lòng về sự phục vụ hành chính (SIPAS), khung 2026</td>" in listed
    binh.post(f"{plan}/items/N01", task="Niêm yết thủ tục", lead="Sở Nội vụ", due="30/9/2027", status="planned")
    assert 'value="30/09/2027"' in binh.get(f"{plan}/items/N01").text
    binh.post(f"{plan}/items/N02", lead="Tổ giúp việc", status="planned")
    binh.post(f"{plan}/targets", what="anyway", code="SVC", kind="score", target="72,5", of="", source="")
    binh.post("/language", language="en", next="/plans")
    page, item = (binh.get(address).text for address in (plan, f"{plan}/items/N03"))
    assert "sipas_2026" not in page + item
    assert "(SIPAS), framework of 2026 · from the results of 2026" in page
    assert "SVC Administrative service delivery: ≥ 72.50 (2027)" in page
    assert "Department of Home Affairs" in page
    assert "<td>Niêm yết thủ tục</td><td>" in page
    assert "<td>Tổ giúp việc " in page
    assert "scored 70.00, rank 1 of 5" in item
    first = binh.get(f"{plan}/items/N01").text
    assert 'value="Sở Nội vụ"' in first
    assert '<p class="soft">Department of Home Affairs</p>' in first
    listed = binh.get("/plans/agencies?unit=Sơn La").text
    assert "People&#39;s Committee of Chiềng Mung" in listed


def test_groups_are_cut_by_the_rule_of_the_index_or_as_chosen(hub: Store, binh: Visitor) -> None:
    own = "round,province,code,estimate\n" + "".join(
        f"2022,{name},D1,{value}\n" for name, value in (("Sơn La", 6), ("Huế", 5), ("Hà Nội", 4), ("Lào Cai", 3),
                                                        ("Cà Mau", 2), ("Tây Ninh", ""), ("Nghệ An", ""))
    )  # fmt: skip
    told = {"name": "KH", "unit_name": "Lào Cai", "index": "papi_2022", "known": "2022", "round": "2023"}
    seen = {}
    for chosen in ("", "drop"):
        plan = binh.post("/plans", scores=(io.BytesIO(own.encode()), "papi.csv"), missing=chosen, **told)
        assert plan.status_code == 200, plan.text
        seen[chosen] = "trung bình cao" in plan.text[plan.text.index("standing") :].partition("</table>")[0]
        assert ("đơn vị không có điểm thì tính là 0" in plan.text) == (chosen == "")
    assert seen == {"": True, "drop": False}
    assert {one.get("missing", "") for one in plans.plans(hub)} == {"", "drop"}


def test_a_unit_or_round_that_is_not_in_the_file_is_told_and_nothing_is_made(hub: Store, binh: Visitor) -> None:
    unknown = open_plan(binh, unit_name="Sơn Lâm")
    assert unknown.status_code == 400
    assert "Sơn La" in unknown.text
    assert open_plan(binh, known="2019").status_code == 400
    assert 'value="KH-2027"' in unknown.text
    assert plans.plans(hub) == []


def test_a_target_is_checked_and_one_that_the_sample_cannot_tell_is_saved_only_after_the_warning(
    hub: Store, binh: Visitor, plan: str
) -> None:
    wish = {"code": "SIPAS", "kind": "score", "target": "72,5", "of": "", "source": "Nghị quyết 5"}
    asked = binh.post(f"{plan}/targets", what="check", **wish)
    assert "Mức tăng này nhỏ hơn sai số, sẽ không kết luận được." in asked.text
    assert "4,16" in asked.text  # 1.96·√(1.5² + 1.5²)
    (held,) = plans.plans(hub)
    assert plans.parts(hub, held["id"], plans.TARGET) == []
    again = binh.post(f"{plan}/targets", what="save", **wish)
    assert "Vẫn lưu, đã đọc cảnh báo" in again.text
    assert plans.parts(hub, held["id"], plans.TARGET) == []
    assert "Đã lưu mục tiêu" in binh.post(f"{plan}/targets", what="anyway", **wish).text
    enough = binh.post(f"{plan}/targets", what="save", **wish | {"target": "75"})
    assert "Đã lưu mục tiêu" in enough.text
    assert [one["target"] for one in plans.parts(hub, held["id"], plans.TARGET)].count("72.5") == 1
    (first, _) = plans.parts(hub, held["id"], plans.TARGET)
    binh.get(plan)
    binh.post(f"{plan}/targets/{first['name']}/drop")
    assert len(plans.parts(hub, held["id"], plans.TARGET)) == 1


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({"kind": "score", "target": "130"}, "nằm ngoài thang 0–100"),
        ({"kind": "rank", "target": "40", "of": "34"}, "không có hạng 40 trong 34 đơn vị"),
        ({"kind": "group", "target": "khá"}, "không có nhóm “khá”"),
        ({"kind": "score", "target": "cao"}, "không phải số"),
    ],
)
def test_a_target_that_cannot_be_is_refused_and_stays_typed(
    binh: Visitor, plan: str, wish: dict[str, str], told: str
) -> None:
    page = binh.post(f"{plan}/targets", **{"what": "save", "code": "SIPAS", "of": "", "source": "", **wish})
    assert page.status_code == 400
    assert told in page.text.lower() or told in page.text
    assert f'value="{wish["target"]}"' in page.text


def test_an_item_is_filled_in_on_its_page_and_the_draft_has_it(binh: Visitor, plan: str) -> None:
    binh.get(f"{plan}/items/N04")
    bad = binh.post(f"{plan}/items/N04", task="Rút ngắn thời gian", lead="Sở Nội vụ", due="cuối năm")
    assert bad.status_code == 400
    assert "không phải ngày" in bad.text
    assert "Rút ngắn thời gian" in bad.text
    told = {"cause": "Chưa liên thông", "responsible": "Giám đốc Sở", "task": "Rút ngắn thời gian", "lead": "Sở Nội vụ"}
    binh.post(f"{plan}/items/N04", assist="UBND xã Chiềng Mung", due="30/9/2027", status="doing", **told)
    file = binh.get(f"{plan}/document")
    assert "KH-2027.docx" in file.headers["Content-Disposition"]
    made = Document(io.BytesIO(file.data))
    cells = [cell.text for table in made.tables for row in table.rows for cell in row.cells]
    cells = [cell.text for table in made.tables for row in table.rows for cell in row.cells]
    written = "\n".join([paragraph.text for paragraph in made.paragraphs] + cells)
    for words in ("Rút ngắn thời gian", "Nguyên nhân: Chưa liên thông. Trách nhiệm: Giám đốc Sở.", "30/09/2027"):
        assert words in written


def test_the_sheet_goes_out_to_excel_and_comes_back(hub: Store, binh: Visitor, plan: str) -> None:
    book = binh.get(f"{plan}/sheet").data
    binh.get(plan)
    page = binh.post(
        f"{plan}/sheet", sheet=(filled(book, {"N01": {"task": "Công khai", "lead": "Sở Tài chính"}}), "kh.xlsx")
    )
    assert "Đã nhận 4 nhiệm vụ" in page.text
    assert "Sở Tài chính" in page.text
    wrong = binh.post(f"{plan}/sheet", sheet=(filled(book, {"N01": {"due": "mai"}}), "kh.xlsx"))
    assert wrong.status_code == 400
    assert "kh.xlsx, row 2, column due" in wrong.text
    (held,) = plans.plans(hub)
    assert plans.parts(hub, held["id"], plans.ITEM)[0]["task"] == "Công khai"


def test_extracts_go_out_and_two_that_differ_are_both_kept_until_one_is_taken_away(
    binh: Visitor, plan: str, clock: Clock
) -> None:
    binh.get(f"{plan}/items/N01")
    binh.post(f"{plan}/items/N01", task="Công khai", lead="UBND xã Chiềng Mung", assist="Sở Nội vụ")
    archive = zipfile.ZipFile(io.BytesIO(binh.get(f"{plan}/extracts").data))
    assert sorted(archive.namelist()) == ["so_noi_vu.xlsx", "ubnd_xa_chieng_mung.docx", "ubnd_xa_chieng_mung.xlsx"]
    book = archive.read("ubnd_xa_chieng_mung.xlsx")
    done = filled(book, {"N01": {"status": "đã hoàn thành", "progress": "Niêm yết 12 bản", "by": "Hoa"}})
    other = filled(book, {"N01": {"status": "đang thực hiện", "progress": "Mới 3 bản", "by": "Mai"}})
    binh.get(plan)
    binh.post(f"{plan}/reports", quarter="quý I/2027", extracts=[(done, "hoa.xlsx"), (other, "mai.xlsx")])
    page = binh.get(plan).text
    assert "Niêm yết 12 bản" in page
    assert "Mới 3 bản" in page
    assert "báo cáo khác nhau" in page
    report = binh.get(f"{plan}/quarter.docx")
    assert "Mới 3 bản" in "\n".join(p.text for p in Document(io.BytesIO(report.data)).paragraphs)
    drop = page.split("mai.xlsx")[1].split('action="')[1].split('"')[0]
    after = binh.post(drop).text
    assert "Mới 3 bản" not in after
    # Another report of the next quarter is no contradiction of this one.
    clock.go_on(minutes=5)
    more = filled(book, {"N01": {"status": "đã hoàn thành", "progress": "Đủ 15 bản", "by": "Hoa"}})
    binh.post(f"{plan}/reports", quarter="quý II/2027", extracts=(more, "hoa2.xlsx"))
    summary = openpyxl.load_workbook(io.BytesIO(binh.get(f"{plan}/quarter.xlsx").data))
    assert [row[1].value for row in summary["Tổng hợp"].iter_rows(min_row=2)] == [3, 0, 1, 0, 0, 4]
    assert "Đủ 15 bản" in [cell.value for row in summary["Kế hoạch"].iter_rows() for cell in row]


def test_each_role_has_its_part_of_a_plan(app: Flask, plan: str) -> None:
    lan, hoa = Visitor(app), Visitor(app)
    lan.sign_in(LAN)
    assert lan.get(plan).status_code == 200
    assert lan.post(f"{plan}/targets", what="save", code="SIPAS", kind="score", target="90").status_code == 403
    hoa.sign_in(HOA)
    assert hoa.get(plan).status_code == 403
    assert hoa.get(f"{plan}/document").status_code == 403


# -- agencies ---------------------------------------------------------------------------------------------------------


def test_a_draft_suggests_agencies_and_saving_or_one_press_confirms_them(hub: Store, binh: Visitor, plan: str) -> None:
    (held,) = plans.plans(hub)

    def waiting() -> list[str]:
        return [one["id"] for one in plans.parts(hub, held["id"], plans.ITEM) if one["assigned"]]

    page = binh.get(plan).text
    assert "Trung tâm Phục vụ hành chính công tỉnh" in page
    assert page.count('<span class="tag">gợi ý</span>') == 4
    assert waiting() == ["N01", "N02", "N03", "N04"]
    cells = {cell.text for table in Document(io.BytesIO(binh.get(f"{plan}/document").data)).tables
             for row in table.rows for cell in row.cells}  # fmt: skip
    assert "Văn phòng UBND tỉnh (gợi ý)" in cells
    assert zipfile.ZipFile(io.BytesIO(binh.get(f"{plan}/extracts").data)).namelist() == []
    binh.get(f"{plan}/items/N01")
    binh.post(f"{plan}/items/N01", task="Công khai", lead="Sở Tài chính", assist="")
    assert waiting() == ["N02", "N03", "N04"]
    assert "Đã xác nhận phân công của 3 nhiệm vụ" in binh.post(f"{plan}/confirm").text
    assert waiting() == []


def test_an_agency_that_is_no_more_becomes_its_successor_and_one_of_no_list_stays_with_a_warning(
    hub: Store, binh: Visitor, plan: str
) -> None:
    binh.get(f"{plan}/items/N02")
    saved = binh.post(f"{plan}/items/N02", lead="Sở Kế hoạch và Đầu tư", assist="Tổ giúp việc; so y te")
    assert "Sở Kế hoạch và Đầu tư nay là Sở Tài chính." in saved.text
    assert "“Tổ giúp việc”: không có đơn vị này trong danh sách cơ quan; giữ như đã ghi." in saved.text
    (held,) = plans.plans(hub)
    (item,) = (one for one in plans.parts(hub, held["id"], plans.ITEM) if one["id"] == "N02")
    assert (item["lead"], item["assist"]) == ("Sở Tài chính", ["Tổ giúp việc", "Sở Y tế"])


def test_agencies_are_searched_without_diacritics(binh: Visitor) -> None:
    found = binh.get("/plans/agencies/found", unit="Sơn La", q="y te", list="lead-list").text
    assert "Sở Y tế" in found
    assert "UBND xã Chiềng Mung" in binh.get("/plans/agencies/found", unit="Sơn La", q="chieng mung", list="l").text


def test_the_list_of_a_unit_is_taken_changed_and_used_by_the_next_plan(hub: Store, binh: Visitor, plan: str) -> None:
    page = binh.get("/plans/agencies", unit="Sơn La")
    assert "Đây là danh sách mẫu" in page.text
    assert "Đã lưu danh sách 100 cơ quan" in binh.post("/plans/agencies/file", unit="Sơn La", what="example").text
    binh.get("/plans/agencies", unit="Sơn La")
    added = binh.post("/plans/agencies", unit="Sơn La", what="add", code="TTCDS", name_vi="Trung tâm Chuyển đổi số",
                      level="province", day="01/10/2026")  # fmt: skip
    assert "Trung tâm Chuyển đổi số" in added.text
    binh.get(f"{plan}/items/N01")
    binh.post(f"{plan}/items/N01", lead="Trung tâm Chuyển đổi số", assist="")
    binh.get("/plans/agencies", unit="Sơn La")
    ended = binh.post("/plans/agencies", unit="Sơn La", what="end", code="TTCDS", day="15/10/2026", successor="abc")
    assert ended.status_code == 400
    assert "Không có đơn vị này" in ended.text
    binh.post("/plans/agencies", unit="Sơn La", what="end", code="TTCDS", day="15/10/2026", successor="SKHCN")
    again = open_plan(binh, name="KH-2028", round="2028")
    assert again.status_code == 200
    (_, second) = sorted(plans.plans(hub), key=lambda one: one["name"])
    leads = {one["code"]: (one["lead"], one["assigned"]) for one in plans.parts(hub, second["id"], plans.ITEM)}
    assert leads["POL"] == ("Sở Khoa học và Công nghệ", "")
    assert leads["SVC"][1] == "suggested"


def test_a_list_that_contradicts_itself_is_refused_with_the_row(binh: Visitor) -> None:
    binh.get("/plans/agencies", unit="Sơn La")
    text = "code,name_vi,valid_from,valid_to,successor\nA,Sở A,2026-01-01,2025-01-01,\n"
    page = binh.post("/plans/agencies/file", unit="Sơn La", list=(io.BytesIO(text.encode()), "agencies.csv"))
    assert page.status_code == 400
    assert "Kết thúc trước khi bắt đầu" in page.text
    assert "row 2" in page.text
    assert "Đây là danh sách mẫu" in page.text, "the list before stands"


# -- the issuing office -----------------------------------------------------------------------------------------------


def test_the_office_is_typed_once_and_stands_on_documents_of_pages_and_commands(
    binh: Visitor, plan: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Văn bản Word chưa có tên cơ quan" in binh.get(plan).text
    assert "Sở Nội vụ" not in binh.get("/office").text
    told = {"parent": "UBND tỉnh Sơn La", "name": "Sở Nội vụ", "abbreviation": "SNV", "place": "Sơn La",
            "post": "Giám đốc", "signer": "Lò Văn B", "recipients": "- UBND tỉnh;\nCác sở, ngành"}  # fmt: skip
    saved = binh.post("/office", **told)
    assert 'value="Sở Nội vụ"' in saved.text

    def head(content: bytes) -> list[str]:
        cells = [cell for table in Document(io.BytesIO(content)).tables for cell in table.rows[0].cells]
        return [paragraph.text for cell in cells for paragraph in cell.paragraphs]

    words = head(binh.get(f"{plan}/document").data)
    assert words[:2] == ["UBND TỈNH SƠN LA", "SỞ NỘI VỤ"]
    assert "Số: \u2003\u2003/KH-SNV" in words
    assert {"- UBND tỉnh;", "- Các sở, ngành;", "Lò Văn B", "Giám đốc"} <= set(words)
    assert "Văn bản Word chưa có tên cơ quan" not in binh.get(plan).text

    scores, out = tmp_path / "diem.csv", tmp_path / "bao_cao.docx"
    scores.write_text(SCORES, encoding="utf-8")
    monkeypatch.setenv("SURVEY_INSTANCE", str(tmp_path / "hub"))
    command = ["report", str(scores), "--index", "sipas_2026", "--kind", "province", "--domain", "Sơn La"]
    assert CliRunner().invoke(cli, [*command, "--out", str(out)]).exit_code == 0
    assert head(out.read_bytes())[:2] == ["UBND TỈNH SƠN LA", "SỞ NỘI VỤ"]
    assert any(line.endswith("/BC-SNV") for line in head(out.read_bytes()))


def test_an_office_file_that_was_broken_by_hand_is_told_and_can_be_saved_anew(
    hub: Store, binh: Visitor, plan: str
) -> None:
    (hub.folder / "office.toml").write_text("name = Sở Nội vụ", encoding="utf-8")
    assert "office.toml" in binh.get("/office").text
    assert binh.get(f"{plan}/document").status_code == 400
    binh.get("/office")
    nameless = binh.post("/office", place="Sơn La")
    assert nameless.status_code == 400
    assert "Thiếu tên cơ quan ban hành" in nameless.text
    assert 'value="Sơn La"' in nameless.text
    assert 'value="Sở Nội vụ"' in binh.post("/office", name="Sở Nội vụ").text
    assert binh.get(f"{plan}/document").status_code == 200
