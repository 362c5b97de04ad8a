"""A Word document in the layout of Decree 30/2020: read back as an office's Word would read it."""

from __future__ import annotations

import io
import zipfile

import pytest
from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Mm, Pt
from lxml import etree

from analysis.report.docx import OfficeDocument
from analysis.report.office import Office

OFFICE = Office(
    "Sở Nội vụ",
    "Ủy ban nhân dân tỉnh Sơn La",
    symbol="BC-SNV",
    place="Sơn La",
    day="2026-02-05",
    authority="KT. GIÁM ĐỐC",
    post="PHÓ GIÁM ĐỐC",
    signer="Lò Thị Hoa",
    recipients=("UBND tỉnh (b/c)", "Các sở, ban, ngành"),
    archive="CCHC",
)
NOTICE = "Kết quả khảo sát nội bộ, không phải kết quả công bố chính thức"


def written(office: Office = OFFICE, language: str = "vi") -> OfficeDocument:
    return OfficeDocument(office, "Báo cáo", "Kết quả khảo sát năm 2026", language=language, notice=NOTICE)


def read(made: OfficeDocument):
    return Document(io.BytesIO(made.finish()))


def test_the_page_is_a4_with_the_margins_of_the_decree_and_its_number_above() -> None:
    section = read(written()).sections[0]
    near = pytest.approx
    assert (section.page_width, section.page_height) == (near(Mm(210), abs=700), near(Mm(297), abs=700))
    assert 20 <= section.top_margin.mm <= 25
    assert 20 <= section.bottom_margin.mm <= 25
    assert 30 <= round(section.left_margin.mm) <= 35
    assert 15 <= round(section.right_margin.mm) <= 20
    number = section.header.paragraphs[0]
    assert "PAGE" in number._p.xml
    assert number.alignment == WD_ALIGN_PARAGRAPH.CENTER
    assert section.different_first_page_header_footer
    assert "PAGE" not in section.first_page_header._element.xml
    assert section.footer.paragraphs[0].text == section.first_page_footer.paragraphs[0].text == NOTICE


def test_the_head_names_the_state_the_agencies_the_number_and_the_day() -> None:
    left, right = read(written()).tables[0].rows[0].cells
    assert [p.text for p in left.paragraphs if p.text] == [
        "ỦY BAN NHÂN DÂN TỈNH SƠN LA", "SỞ NỘI VỤ", "Số: \u2003\u2003/BC-SNV",
    ]  # fmt: skip
    assert [p.text for p in right.paragraphs if p.text] == [
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", "Sơn La, ngày 05 tháng 02 năm 2026",
    ]  # fmt: skip
    assert right.paragraphs[-1].runs[0].italic


def test_a_document_without_symbol_has_that_of_its_kind() -> None:
    kinds = {"Báo cáo": "/BC-…", "Kế hoạch": "/KH-…", "Biên bản": "/BB-…", "Cẩm nang": "/…"}
    for kind, ending in kinds.items():
        left = read(OfficeDocument(Office("Sở Nội vụ"), kind, "Thử")).tables[0].rows[0].cells[0]
        assert left.paragraphs[-1].text.endswith(ending)


def test_what_is_not_known_yet_is_left_to_be_filled_in() -> None:
    made = written(Office("Sở Nội vụ"))
    made.sign()
    text = "\n".join(p.text for table in read(made).tables for cell in table.rows[0].cells for p in cell.paragraphs)
    assert "………, ngày … tháng … năm ……" in text
    assert "THỦ TRƯỞNG CƠ QUAN" in text
    assert "- Lưu: VT." in text


def test_the_body_is_in_times_new_roman_of_13_or_14_points_and_justified() -> None:
    made = written()
    made.heading("I. Kết quả")
    made.paragraph("Điểm đạt 82,4.")
    document = read(made)
    assert {document.styles[name].font.name for name in ("Normal", "Heading 1")} == {"Times New Roman"}
    body = document.paragraphs[-1]
    assert body.runs[0].font.size in (Pt(13), Pt(14))
    assert body.alignment == WD_ALIGN_PARAGRAPH.JUSTIFY


def test_tables_are_numbered_and_their_heads_come_again_on_each_page() -> None:
    made = written()
    first = made.table("Điểm theo xã", ["Xã", "Điểm"], [["A & B", "1,5"], ["Toàn tỉnh", "1,5"]], bold=[1])
    second = made.table("Nhóm", ["Nhóm", "n"], [["=1+1", "9"]], unit="Đơn vị tính: người")
    assert (first, second) == ("Biểu số 01", "Biểu số 02")
    document = read(made)
    assert [p.text for p in document.paragraphs if p.text.startswith("Biểu số")] == [
        "Biểu số 01. Điểm theo xã", "Biểu số 02. Nhóm",
    ]  # fmt: skip
    table = document.tables[1]
    assert [[cell.text for cell in row.cells] for row in table.rows] == [
        ["Xã", "Điểm"], ["A & B", "1,5"], ["Toàn tỉnh", "1,5"],
    ]  # fmt: skip
    assert "w:tblHeader" in table.rows[0]._tr.xml
    assert "w:tblHeader" not in table.rows[1]._tr.xml
    assert table.rows[2].cells[0].paragraphs[0].runs[0].bold
    assert not table.rows[1].cells[0].paragraphs[0].runs[0].bold
    with pytest.raises(ValueError, match="a row of 1 cells under 2 heads"):
        made.table("Sai", ["a", "b"], [["1"]])


def test_recipients_stand_left_and_the_signature_with_room_for_the_stamp_right() -> None:
    made = written()
    made.sign()
    left, right = read(made).tables[-1].rows[0].cells
    assert [p.text for p in left.paragraphs] == [
        "Nơi nhận:", "- UBND tỉnh (b/c);", "- Các sở, ban, ngành;", "- Lưu: VT, CCHC.",
    ]  # fmt: skip
    assert [p.text for p in right.paragraphs] == ["KT. GIÁM ĐỐC", "PHÓ GIÁM ĐỐC", "(Ký, đóng dấu)", "Lò Thị Hoa"]
    assert right.paragraphs[-1].paragraph_format.space_before >= Pt(60)


def test_the_same_content_is_the_same_file_and_well_formed_in_both_languages() -> None:
    assert written().finish() == written().finish()
    english = read(written(language="en"))
    assert "Independence - Freedom - Happiness" in english.tables[0].rows[0].cells[1].text
    with zipfile.ZipFile(io.BytesIO(written().finish())) as package:
        assert package.testzip() is None


def test_borders_stand_before_spacing_in_every_paragraph_so_that_word_needs_no_repair() -> None:
    made = written()
    for properties in made.document.element.iter("{http://schemas.openxmlformats.org/wordprocessingml/2006/main}pPr"):
        names = [child.tag.rsplit("}", 1)[1] for child in properties]
        if "pBdr" in names:
            assert names.index("pBdr") < min(names.index(name) for name in names if name in ("spacing", "ind", "jc"))


_ORDER = {
    "pPr": "pStyle keepNext keepLines pageBreakBefore framePr widowControl numPr suppressLineNumbers pBdr shd tabs "
    "suppressAutoHyphens kinsoku wordWrap overflowPunct topLinePunct autoSpaceDE autoSpaceDN bidi adjustRightInd "
    "snapToGrid spacing ind contextualSpacing mirrorIndents suppressOverlap jc textDirection textAlignment "
    "textboxTightWrap outlineLvl divId cnfStyle rPr sectPr pPrChange",
    "rPr": "rStyle rFonts b bCs i iCs caps smallCaps strike dstrike outline shadow emboss imprint noProof snapToGrid "
    "vanish webHidden color spacing w kern position sz szCs highlight u effect bdr shd fitText vertAlign rtl cs em "
    "lang eastAsianLayout specVanish oMath",
    "tblPr": "tblStyle tblpPr tblOverlap bidiVisual tblStyleRowBandSize tblStyleColBandSize tblW jc tblCellSpacing "
    "tblInd tblBorders shd tblLayout tblCellMar tblLook tblCaption tblDescription tblPrChange",
    "tcPr": "cnfStyle tcW gridSpan hMerge vMerge tcBorders shd noWrap tcMar textDirection tcFitText vAlign hideMark",
    "sectPr": "headerReference footerReference footnotePr endnotePr type pgSz pgMar paperSrc pgBorders lnNumType "
    "pgNumType cols formProt vAlign noEndnote titlePg textDirection bidi rtlGutter docGrid printerSettings",
    "tblBorders": "top left start bottom right end insideH insideV",
}
"""Children in the order of the schema (ECMA-376, part 1, sections 17.3 to 17.6, and tblCaption of part 4)."""


def test_elements_stand_in_the_order_of_the_schema() -> None:
    """Word says that a file is damaged where they do not; LibreOffice does not mind."""
    made = written()
    made.heading("I. Kết quả")
    made.paragraph("Nội dung", bold=True, italic=True)
    made.table("Điểm", ["Nội dung", "Điểm"], [["A", "1"], ["B", "2"]], bold=[1], unit="điểm", note="Ghi chú", height=8)
    made.page_break()
    made.signed_by(["Bên giao", "Bên nhận"])
    made.sign()
    package = zipfile.ZipFile(io.BytesIO(made.finish()))
    seen = set()
    for name in (name for name in package.namelist() if name.startswith("word/") and name.endswith(".xml")):
        for element in etree.fromstring(package.read(name)).iter("{*}" + "*"):
            kind = etree.QName(element).localname
            inside = [etree.QName(child).localname for child in element]
            if kind in _ORDER:
                seen.add(kind)
                assert inside == sorted(inside, key=_ORDER[kind].split().index), f"{name}, {kind}"
            if kind == "tc":
                assert inside[-1] == "p", "a cell ends with a paragraph"
    assert seen == set(_ORDER)
