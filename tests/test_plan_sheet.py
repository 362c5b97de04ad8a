"""The improvement plan as a sheet, its papers, the extracts of agencies and what they report."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from click.testing import CliRunner
from docx import Document

from analysis.plan_sheet import HEADINGS, STATUS, collect, day_of, read_answers, read_sheet
from survey.cli import cli
from survey.errors import Problems
from survey.tables import read_table
from tests.outside import program

COLUMNS = {words.vi: name for name, words in HEADINGS.items()}


def run(*arguments):
    """Exit code, standard output, standard error of ``survey``."""
    result = CliRunner().invoke(cli, [*map(str, arguments)], catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def tree(tmp_path):
    """An index of two dimensions with two parts each, and its scores in six provinces, as published."""
    (tmp_path / "chi_so").mkdir()
    rows = ["code,parent,label::Tiếng Việt (vi),label::English (en),combine,from,to",
            "T,,Chỉ số chung,The whole,sum,,"]  # fmt: skip
    for d in "12":
        rows.append(f"D{d},T,Nội dung {d},Dimension {d},mean,,")
        rows += [f"S{d}.{k},D{d},Thành phần {d}.{k},Part {d}.{k},,1..10,1..10" for k in "12"]
    (tmp_path / "chi_so" / "index.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    codes, names = ["T", "D1", "D2", "S1.1", "S1.2", "S2.1", "S2.2"], "ABCDEF"
    cells = [(2022, f"Tỉnh {p}", c, 10 - k - (2 if c in ("D2", "S2.1", "S2.2") and p == "A" else 0) - (3 if p == "A" and
              c == "S2.2" else 0)) for k, p in enumerate(names) for c in codes]  # fmt: skip
    table = pd.DataFrame(cells, columns=["year", "province", "code", "mean"])
    table.to_csv(tmp_path / "diem.csv", index=False)
    return tmp_path


@pytest.fixture
def sheet(tree):
    """The plan's sheet of province A, drafted by the command."""
    file = tree / "ke_hoach.xlsx"
    code, _, _ = run("plan", "draft", tree / "diem.csv", "--index", tree / "chi_so", "--round", "2022",
                     "--unit", "tinh a", "--out", file, "--lang", "vi")  # fmt: skip
    assert code == 0
    return file


def fill(file: Path, changes: dict[str, dict[str, str]], to: Path | None = None) -> Path:
    """``file`` as a person changes it in Excel: by id, column → words."""
    book = openpyxl.load_workbook(file)
    page = book.worksheets[0]
    column = {COLUMNS[str(cell.value)]: cell.column for cell in page[1]}
    for row in range(2, page.max_row + 1):
        for name, words in changes.get(str(page.cell(row, column["id"]).value), {}).items():
            page.cell(row, column[name]).value = words
    book.save(to or file)
    return to or file


LEADS = {
    "N01": {"task": "Niêm yết danh sách", "lead": "Sở Nội vụ", "assist": "UBND xã Chiềng Mung; Thanh tra tỉnh",
            "due": "30/9/2026", "evidence": "Biên bản"},
    "N04": {"task": "Trả lời kiến nghị", "lead": "UBND xã Chiềng Mung", "due": "2026-12-15",
            "cause": "Chưa phân công người trả lời", "responsible": "Chủ tịch xã"},
}  # fmt: skip


@pytest.fixture
def filled(sheet):
    return fill(sheet, LEADS)


@pytest.fixture
def sent(filled, tree):
    """The folder of extracts."""
    folder = tree / "trich"
    assert run("plan", "extract", filled, "--name", "KH-2026", "--to", folder, "--lang", "vi")[0] == 0
    return folder


def texts(docx: Path | bytes) -> str:
    """Everything written in a .docx, tables too."""
    document = Document(io.BytesIO(docx) if isinstance(docx, bytes) else str(docx))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([paragraph.text for paragraph in document.paragraphs] + cells)


# -- the sheet ----------------------------------------------------------------------------------------------------


def test_a_draft_has_a_row_for_each_part_strengths_and_weaknesses_by_their_group(sheet):
    items = {item.code: item for item in read_sheet(read_table(sheet))}
    assert list(items) == ["D1", "S1.1", "S1.2", "D2", "S2.1", "S2.2"]
    # A leads in everything (10 against 9, 8 …) but in D2 (8: third of six) and S2.2 (5: fifth, from the bottom up).
    assert {code: item.finding for code, item in items.items()} == {
        "D1": "strength", "S1.1": "strength", "S1.2": "strength",
        "D2": "strength", "S2.1": "strength", "S2.2": "weakness",
    }  # fmt: skip
    assert items["D1"].assessment == "10,00 điểm, hạng 1/6, nhóm cao nhất, còn dư địa 0,00 điểm"
    assert "hạng 5/6, nhóm thấp nhất" in items["S2.2"].assessment


def test_with_one_unit_parts_are_held_against_their_siblings_and_no_group_is_named(tree):
    table = pd.read_csv(tree / "diem.csv")
    table[table["province"] == "Tỉnh A"].to_csv(tree / "mot.csv", index=False)
    out = tree / "mot.xlsx"
    run(
        "plan",
        "draft",
        tree / "mot.csv",
        "--index",
        tree / "chi_so",
        "--round",
        "2022",
        "--unit",
        "Tỉnh A",
        "--out",
        out,
    )
    items = {item.code: item for item in read_sheet(read_table(out))}
    assert (items["D1"].finding, items["D2"].finding) == ("strength", "weakness")
    assert "group" not in items["D1"].assessment


def test_what_is_wrong_in_a_filled_sheet_is_told_with_its_place(filled):
    fill(filled, {"N02": {"due": "cuối năm"}, "N03": {"status": "gần xong"}, "N05": {"id": "N04"}})
    with pytest.raises(Problems) as error:
        read_sheet(read_table(filled))
    told = error.value("vi").splitlines()
    assert [line.partition(":")[0] for line in told] == [
        "ke_hoach.xlsx, row 3, column due",
        "ke_hoach.xlsx, row 4, column status",
        "ke_hoach.xlsx, row 6",
    ]
    assert "“cuối năm” không phải ngày" in told[0]
    assert "chưa thực hiện, đang thực hiện, đã hoàn thành" in told[1]


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("30/9/2026", "2026-09-30"),
        ("2026-09-30", "2026-09-30"),
        ("1.2.2027", "2027-02-01"),
        ("", ""),
        ("31/2/2026", None),
    ],
)
def test_days_are_read_as_offices_write_them(written, day):
    assert day_of(written) == day


def test_an_agency_is_named_by_code_or_name_and_a_replaced_one_becomes_its_successor(tree, sheet):
    agencies = tree / "agencies.csv"
    agencies.write_text(
        "code,name_vi,name_en,level,valid_from,valid_to,successor\n"
        "STTTT,Sở Thông tin và Truyền thông,,province,2008-01-01,2025-02-28,SKHCN\n"
        "SKHCN,Sở Khoa học và Công nghệ,,province,2025-03-01,,\n"
        "SNV,Sở Nội vụ,,province,,,\n",
        encoding="utf-8",
    )
    fill(sheet, {"N01": {"task": "Mở cổng", "lead": "STTTT", "assist": "So Noi vu"}, "N02": {"lead": "Sở Nọi vụ 2"}})
    code, _, said = run("plan", "extract", sheet, "--name", "K", "--to", tree / "t", "--agencies", agencies)
    assert code == 2
    assert "row 3, column lead: there is no such unit" in said
    fill(sheet, {"N02": {"lead": "SNV"}})
    assert run("plan", "extract", sheet, "--name", "K", "--to", tree / "t", "--agencies", agencies)[0] == 0
    assert sorted(file.name for file in (tree / "t").iterdir()) == ["so_khoa_hoc_va_cong_nghe.xlsx", "so_noi_vu.xlsx"]


# -- the papers ---------------------------------------------------------------------------------------------------


def write(filled, tree, **more):
    out = tree / "ke_hoach.docx"
    options = [part for name, value in more.items() for part in (f"--{name}", value)]
    code, _, _ = run("plan", "write", filled, tree / "diem.csv", "--index", tree / "chi_so", "--round", "2022",
                     "--unit", "Tỉnh A", "--out", out, "--lang", "vi", *options)  # fmt: skip
    assert code == 0
    return out


def test_the_draft_plan_has_its_five_parts_and_tables_whose_totals_equal_the_items(filled, tree):
    wishes = tree / "muc_tieu.csv"
    header = "index,round,domain,code,kind,target,baseline_round,source\n"
    row = f"{tree / 'chi_so'},2023,Tỉnh A,D2,score,9,2022,Kế hoạch 9/KH-UBND\n"
    wishes.write_text(header + row, encoding="utf-8")
    paper = write(filled, tree, targets=str(wishes))
    told = texts(paper)
    for heading in ("I. MỤC ĐÍCH", "II. MỤC TIÊU", "III. ĐÁNH GIÁ HIỆN TRẠNG", "IV. NHIỆM VỤ", "V. TỔ CHỨC THỰC HIỆN"):
        assert heading in told
    assert "Căn cứ Kế hoạch 9/KH-UBND;" in told
    assert "Nguyên nhân: ……………. Trách nhiệm: ……………." in told  # S2.2, not filled in yet
    assert "Giá trị gốc không có sai số công bố" in told
    last = Document(str(paper)).tables[-2]  # the one after it holds the signature
    rows = [[cell.text for cell in row.cells] for row in last.rows]
    assert rows[-1] == ["Tổng số", "6"]
    assert sum(int(count) for _, count in rows[1:-1]) == 6


def test_a_communes_handbook_has_two_pages(sent, tree, trials):
    """Always by its lines of about 80 letters, 45 to a page; in the long trial as LibreOffice breaks the pages."""
    handbook = Document(str(sent / "ubnd_xa_chieng_mung.docx"))
    rows = [max((cell.text for cell in row.cells), key=len) for table in handbook.tables for row in table.rows]
    lines = [1 + len(text) // 80 for text in [paragraph.text for paragraph in handbook.paragraphs] + rows]
    assert 15 < sum(lines) + len(rows) <= 90
    for _ in range(trials(0, 1)):
        subprocess.run(
            [program("soffice", "libreoffice"), f"-env:UserInstallation=file://{tree}/office", "--headless",
             "--convert-to", "pdf", "--outdir", str(tree), str(sent / "ubnd_xa_chieng_mung.docx")],
            check=True, capture_output=True, timeout=180,
        )  # fmt: skip
        pdf = (tree / "ubnd_xa_chieng_mung.pdf").read_bytes()
        assert 1 <= pdf.count(b"/Type/Page") - pdf.count(b"/Type/Pages") <= 2


# -- extracts and what comes back ---------------------------------------------------------------------------------


def test_each_agency_gets_its_own_items_and_a_commune_its_handbook_too(sent):
    assert sorted(file.name for file in sent.iterdir()) == [
        "so_noi_vu.xlsx", "thanh_tra_tinh.xlsx", "ubnd_xa_chieng_mung.docx", "ubnd_xa_chieng_mung.xlsx",
    ]  # fmt: skip
    rows = read_table(sent / "ubnd_xa_chieng_mung.xlsx").rows
    assert [(row["Mã nhiệm vụ"], row["Vai trò"]) for row in rows] == [("N01", "phối hợp"), ("N04", "chủ trì")]
    assert "Trả lời kiến nghị" in texts(sent / "ubnd_xa_chieng_mung.docx")


def test_an_extract_lets_only_the_report_be_written_and_offers_its_words(sent):
    page = openpyxl.load_workbook(sent / "so_noi_vu.xlsx").worksheets[0]
    assert page.protection.sheet
    open_cells = {COLUMNS[str(cell.value)] for cell in page[1] if not page.cell(2, cell.column).protection.locked}
    assert open_cells == {"status", "progress", "evidence", "by"}
    (choice,) = page.data_validations.dataValidation
    words = openpyxl.load_workbook(sent / "so_noi_vu.xlsx")["words"]
    assert choice.formula1 == "words!$A$1:$A$4"
    assert [cell.value for cell in words["A"]] == [word.vi for word in STATUS.values()]


def test_filled_extracts_become_the_quarterly_report(filled, sent, tree):
    fill(sent / "so_noi_vu.xlsx", {"N01": {"status": "đã hoàn thành", "progress": "Niêm yết 22/22 bản", "by": "Lan"}})
    fill(sent / "thanh_tra_tinh.xlsx", {"N01": {"status": "đang thực hiện", "progress": "Kiểm tra 3 xã", "by": "Bình"}})
    out = tree / "quy.xlsx"
    code, told, _ = run("plan", "collect", filled, *sent.glob("*.xlsx"), "--name", "KH-2026", "--quarter",
                        "quý III/2026", "--out", out, "--json")  # fmt: skip
    assert code == 0
    report = json.loads(told)
    # The lead's word is the item's; another agency's own stands beside it. N04 is led by the commune, which is silent.
    assert report["counts"] == {"planned": 5, "doing": 0, "done": 1, "stopped": 0, "conflict": 0}
    assert "N04" in report["silent"]
    assert "N01" not in report["silent"]
    book = openpyxl.load_workbook(out)
    assert [row[1].value for row in book["Summary"].iter_rows(min_row=2)] == [5, 0, 1, 0, 0, 6]
    assert len(list(book["Reports"].iter_rows(min_row=2))) == 2
    run("plan", "collect", filled, *sent.glob("*.xlsx"), "--name", "KH-2026", "--quarter", "quý III/2026", "--unit",
        "Tỉnh A", "--out", tree / "quy.docx", "--lang", "vi")  # fmt: skip
    assert "II. CHƯA CÓ BÁO CÁO" in texts(tree / "quy.docx"), "where nothing differs, it is the second part"


def test_an_extract_filled_by_two_people_is_a_conflict_and_both_are_kept(filled, sent, tree):
    for name, words in (("lan", "Niêm yết 22/22 bản"), ("binh", "Mới niêm yết 9 bản")):
        fill(sent / "so_noi_vu.xlsx", {"N01": {"status": "đang thực hiện", "progress": words, "by": name}},
             tree / f"{name}.xlsx")  # fmt: skip
    out = tree / "quy.docx"
    code, told, said = run("plan", "collect", filled, tree / "lan.xlsx", tree / "binh.xlsx", "--name", "KH-2026",
                           "--quarter", "quý III/2026", "--unit", "Tỉnh A", "--out", out, "--lang", "vi")  # fmt: skip
    assert code == 1
    assert "1 báo cáo khác nhau" in told
    for words in ("Niêm yết 22/22 bản", "Mới niêm yết 9 bản"):
        assert words in said
        assert words in texts(out)
    rows = [[cell.text for cell in row.cells] for row in Document(str(out)).tables[1].rows]
    assert rows[-1] == ["Tổng số", "6"]
    assert sum(int(count) for _, count in rows[1:-1]) == 6


def test_the_same_extract_sent_twice_is_one_report(filled, sent, tree):
    file = fill(sent / "so_noi_vu.xlsx", {"N01": {"status": "đã hoàn thành", "progress": "Xong", "by": "Lan"}})
    again = shutil.copy(file, tree / "lan_nua.xlsx")
    answers = [one for name in (file, again) for one in read_answers(read_table(Path(name)), "KH-2026")[0]]
    found = collect(read_sheet(read_table(filled)), answers)
    assert (len(answers), dict(found.conflicts), len(found.answers["N01"])) == (2, {}, 1)


def test_an_extract_of_another_plan_and_a_status_nobody_knows_are_told_and_the_rest_is_taken(filled, sent, tree):
    fill(sent / "so_noi_vu.xlsx", {"N01": {"status": "gần xong", "progress": "…"}})
    fill(sent / "ubnd_xa_chieng_mung.xlsx", {"N04": {"status": "đã hoàn thành", "progress": "Trả lời đủ", "by": "Hoa"}})
    other = tree / "khac.xlsx"
    fill(sent / "thanh_tra_tinh.xlsx", {"N01": {"plan": "KH-2025"}}, other)
    code, told, said = run("plan", "collect", filled, sent / "so_noi_vu.xlsx", sent / "ubnd_xa_chieng_mung.xlsx", other,
                           "--name", "KH-2026", "--quarter", "Q3", "--out", tree / "quy.xlsx", "--json")  # fmt: skip
    assert code == 1
    assert json.loads(told)["counts"]["done"] == 1
    assert "so_noi_vu.xlsx, row 2, column status: 'gần xong' is not understood" in said
    assert "khac.xlsx, row 2: it belongs to another plan: KH-2025" in said


def test_what_somebody_wrote_never_becomes_a_formula(filled, sent, tree):
    fill(sent / "so_noi_vu.xlsx", {"N01": {"status": "đã hoàn thành", "by": "x"}})
    book = openpyxl.load_workbook(sent / "so_noi_vu.xlsx")
    page = book.worksheets[0]
    column = next(cell.column for cell in page[1] if cell.value == HEADINGS["progress"].vi)
    page.cell(2, column).value = "=1+1"
    page.cell(2, column).data_type = "s"
    book.save(sent / "so_noi_vu.xlsx")
    out = tree / "quy.xlsx"
    run("plan", "collect", filled, sent / "so_noi_vu.xlsx", "--name", "KH-2026", "--quarter", "Q3", "--out", out)
    with zipfile.ZipFile(out) as package:
        assert all(b"<f>" not in package.read(name) for name in package.namelist())
    assert "=1+1" in [cell.value for row in openpyxl.load_workbook(out)["Reports"].iter_rows() for cell in row]
