"""The report in every form: Word, PDF, workbook and tidy files read back; the same figures everywhere, and on every
page or sheet what they are not."""

from __future__ import annotations

import io
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from docx import Document
from fontTools.fontBuilder import FontBuilder
from openpyxl import load_workbook
from pypdf import PdfReader

from analysis.report.cells import cells
from analysis.report.meta import INTERNAL, PUBLISHED, Meta
from analysis.report.office import Office, read_office
from analysis.report.overview import overview
from analysis.report.pdf import LETTERS, checked, pdf
from analysis.report.sheets import tidy, workbook
from analysis.report.view import view
from analysis.report.word import word
from survey.errors import InputError
from survey.text import Text
from tests import outside
from tests.test_report import COMMUNES, META, SEX, WHOLE, index, own, published

OFFICE = Office("Sở Nội vụ", "UBND tỉnh Sơn La", place="Sơn La", recipients=("UBND tỉnh",))
ROWS = [*WHOLE, *COMMUNES, *SEX]


def paper(rows=ROWS, language: str = "vi", meta: Meta = META):
    return overview(view(cells(rows), index(), meta, language), meta)


def pages(made: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(made)).pages]


def texts(document) -> list[str]:
    return [row.cells[k].text for table in document.tables for row in table.rows for k in range(len(row.cells))]


# -- Word ---------------------------------------------------------------------------------------------------------


def test_word_has_a_numbered_table_for_every_table_and_its_figures_are_those_of_the_text() -> None:
    document = Document(io.BytesIO(word(paper(), OFFICE, META.made)))
    captions = [p.text for p in document.paragraphs if p.text.startswith("Biểu số")]
    assert captions[0] == "Biểu số 01. Chỉ số chung – thang 0–100"
    assert len(captions) == len(paper().tables()) == 4
    body = "\n".join(p.text for p in document.paragraphs)
    assert "Chỉ số chung ước lượng đạt 82,40 trên thang 0–100" in body
    assert texts(document).count("82,40") == 1, "the total stands in the tree with the figure of the text"
    assert "Sơn La, ngày 02 tháng 11 năm 2026" in texts(document)[1]


def test_word_says_on_every_page_that_it_is_not_official() -> None:
    document = Document(io.BytesIO(word(paper(), OFFICE)))
    section = document.sections[0]
    assert INTERNAL.vi in section.footer.paragraphs[0].text
    assert INTERNAL.vi in section.first_page_footer.paragraphs[0].text


def test_pictures_have_words_for_who_cannot_see_them() -> None:
    document = Document(io.BytesIO(word(paper(language="en"), OFFICE)))
    shapes = [shape._inline.docPr.get("descr") for shape in document.inline_shapes]
    assert len(shapes) == 3
    assert any("Chiềng Mung: 80.00 (75.00–85.00)" in words for words in shapes)


def test_an_office_is_read_from_a_file_and_a_wrong_entry_is_named(tmp_path: Path) -> None:
    file = tmp_path / "co_quan.toml"
    file.write_text('name = "Sở Nội vụ"\nplace = "Sơn La"\nrecipients = ["UBND tỉnh"]\n', encoding="utf-8-sig")
    assert read_office(file) == Office("Sở Nội vụ", place="Sơn La", recipients=("UBND tỉnh",))
    for wrong, where in (
        ('name = "A"\nphone = "1"', "phone"),
        ("name = 5", "name"),
        ('place = "B"', "name"),
        ("=", ""),
    ):
        file.write_text(wrong, encoding="utf-8")
        with pytest.raises(InputError) as raised:
            read_office(file)
        assert raised.value.problem.where.endswith(where)


# -- PDF ----------------------------------------------------------------------------------------------------------


def test_every_page_of_the_pdf_says_what_it_is_not_and_its_number() -> None:
    rows = [*ROWS, *(own("T", 50 + k / 9, level="province", domain=f"Tỉnh {k}") for k in range(70))]
    found = pages(pdf(paper(rows), day="2026-11-02"))
    assert len(found) >= 3
    assert all(INTERNAL.vi in text for text in found)
    assert [text.split()[0] for text in found[1:]] == [str(k) for k in range(2, len(found) + 1)]


def test_the_pdf_keeps_vietnamese_as_text_with_bookmarks_language_and_alternative_text() -> None:
    made = pdf(paper(), day="2026-11-02")
    reader = PdfReader(io.BytesIO(made))
    text = "".join(pages(made))
    assert "Tiếp cận dịch vụ" in text
    assert "82,40" in text
    assert reader.outline[0].title == "Kết quả chung"
    assert reader.root_object["/Lang"] == "vi"
    assert reader.metadata.title == "Khảo sát Sơn La"
    assert b"/Alt" in made
    assert pdf(paper(), day="2026-11-02") == made, "no clock goes in"


def test_a_long_table_has_its_head_on_every_page() -> None:
    rows = [own("T", 50 + k / 9, level="province", domain=f"Tỉnh {k}") for k in range(120)]
    found = [text for text in pages(pdf(paper(rows))) if "Tỉnh 1" in text and "2,40" in text]
    assert len(found) >= 2
    assert all("Sai số" in text for text in found)


def test_the_font_of_a_user_is_used_if_it_has_the_letters() -> None:
    serif = next(path for path in _dejavu() if path.name == "DejaVuSerif.ttf")
    fonts = {
        font["/BaseFont"]
        for page in PdfReader(io.BytesIO(pdf(paper(), fonts=[serif]))).pages
        for font in (entry.get_object() for entry in page["/Resources"]["/Font"].values())
    }
    assert all("DejaVuSerif" in name for name in fonts)


def _dejavu() -> list[Path]:
    import matplotlib

    return sorted((Path(matplotlib.get_data_path()) / "fonts" / "ttf").glob("DejaVuS*.ttf"))


def test_a_font_without_vietnamese_letters_is_refused_with_their_names(tmp_path: Path) -> None:
    assert {"ế", "ữ", "Ặ", "đ", "ỹ"} <= LETTERS
    poor = FontBuilder(1000)
    names = [".notdef", *(chr(code) for code in range(97, 123))]
    poor.setupGlyphOrder(names)
    poor.setupCharacterMap({ord(name): name for name in names[1:]})
    poor.setupHorizontalMetrics(dict.fromkeys(names, (500, 0)))
    poor.setupGlyf({name: _empty() for name in names})
    poor.setupHorizontalHeader()
    poor.setupNameTable({})
    poor.setupOS2()
    poor.setupPost()
    poor.save(tmp_path / "poor.ttf")
    with pytest.raises(InputError, match="Vietnamese letters: "):
        checked(tmp_path / "poor.ttf")
    (tmp_path / "no.ttf").write_bytes(b"not a font")
    with pytest.raises(InputError, match="not a font that can be read"):
        pdf(paper(), fonts=[tmp_path / "no.ttf"])


def _empty():
    from fontTools.ttLib.tables._g_l_y_f import Glyph

    return Glyph()


# -- workbooks and tidy files -------------------------------------------------------------------------------------


def test_every_sheet_begins_with_what_it_is_not_and_counts_with_numbers() -> None:
    book = load_workbook(io.BytesIO(workbook(paper())))
    assert book.sheetnames[0] == "Giới thiệu"
    assert len(book.sheetnames) == 5
    for sheet in book.worksheets[1:]:
        assert INTERNAL.vi in sheet["A1"].value
        assert INTERNAL.vi in sheet.oddFooter.center.text
        assert sheet.freeze_panes == "B6"
        assert sheet.auto_filter.ref
    tree = book.worksheets[-1]
    head = [cell.value for cell in tree[5]]
    total = dict(zip(head, (cell.value for cell in tree[6]), strict=True))
    assert total["Ước lượng"] == 82.4
    assert (total["Khoảng tin cậy 95\u00a0%: từ"], total["Khoảng tin cậy 95\u00a0%: đến"]) == (77.4, 87.4)
    assert tree.cell(6, head.index("Ước lượng") + 1).number_format == "#,##0.00"


def test_a_name_never_becomes_a_formula_in_a_workbook() -> None:
    rows = [own("T", 80 + k, level="province", domain=name) for k, name in enumerate(("=1+1", "b"))]
    book = load_workbook(io.BytesIO(workbook(paper(rows))))
    cell = next(cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value == "=1+1")
    assert cell.data_type == "s"


def test_tidy_files_name_everything_and_tell_own_from_published_rows() -> None:
    rows = [*WHOLE, *SEX, published("T", 65, "Hà Nội")]
    table = tidy(cells(rows), index(), META)
    assert len(table) == len(rows)
    nu = table[(table["domain"] == "f")].iloc[0]
    assert (nu["domain_vi"], nu["domain_en"], nu["label_vi"]) == ("Nữ", "Female", "Chỉ số chung")
    assert set(table["source"]) == {"own", "published"}
    assert table.loc[table["source"] == "own", "standing"].str.contains(INTERNAL.vi).all()
    assert table.loc[table["source"] == "published", "standing"].str.contains(PUBLISHED.vi).all()


def test_missing_totals_stay_missing_in_every_form() -> None:
    rows = [published("T", float("nan"), "Bắc Ninh"), published("T", 60, "Hà Nội"), published("T", 50, "Sơn La")]
    made = paper(rows)
    document = Document(io.BytesIO(word(made, OFFICE)))
    words = texts(document)
    assert words[words.index("Bắc Ninh") + 1] == "–"
    book = load_workbook(io.BytesIO(workbook(made)))
    row = next(row for row in book.worksheets[1].iter_rows(values_only=True) if row[0] == "Bắc Ninh")
    assert row[1] == "–"
    assert tidy(cells(rows), index(), META)["estimate"].isna().sum() == 1
    assert PUBLISHED.vi in "".join(pages(pdf(made)))


@pytest.mark.parametrize("count", [1, 3])
def test_one_province_or_provinces_all_alike_make_a_report_in_every_form(count: int) -> None:
    rows = [own(code, 70, level="province", domain=f"Tỉnh {k}") for k in range(count) for code in "TABCD"]
    made = paper(rows)
    assert len(pages(pdf(made))) >= 1
    assert "70,00" in texts(Document(io.BytesIO(word(made, OFFICE))))
    assert pd.ExcelFile(io.BytesIO(workbook(made))).sheet_names


def test_synthetic_pilot_and_provisional_marks_are_in_every_form() -> None:
    marked = Meta(title=META.title, index_title=Text("x", "x"), synthetic=True, provisional=True, pilot=True)
    made = paper(WHOLE, meta=marked)
    for text in (
        "".join(pages(pdf(made))),
        "\n".join(p.text for p in Document(io.BytesIO(word(made, OFFICE))).paragraphs),
        str([cell.value for row in load_workbook(io.BytesIO(workbook(made))).worksheets[0] for cell in row]),
    ):
        assert "DỮ LIỆU GIẢ LẬP" in text
        assert "KẾT QUẢ TẠM TÍNH" in text
        assert "ĐỢT THÍ ĐIỂM" in text


def test_an_office_suite_opens_and_converts_every_document(trials: Callable[[int, int], int], tmp_path: Path) -> None:
    """The structure always; in the long trial LibreOffice turns Word and workbook to PDF, whose text is read back."""
    made = {"r.docx": word(paper(), OFFICE), "r.xlsx": workbook(paper())}
    for name, content in made.items():
        (tmp_path / name).write_bytes(content)
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            parts = [part for part in package.namelist() if part.endswith((".xml", ".rels"))]
            assert all(ElementTree.fromstring(package.read(part)) is not None for part in parts)
            kinds = package.read("[Content_Types].xml").decode()
            assert all(f'PartName="/{part}"' in kinds or 'Extension="xml"' in kinds for part in parts)
    for name in list(made)[: trials(0, 2)]:
        command = [outside.program("soffice", "libreoffice"), "--headless", "--convert-to", "pdf", "--outdir", tmp_path]
        profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
        subprocess.run([*command, profile, tmp_path / name], check=True, capture_output=True, timeout=240)
        text = "".join(pages((tmp_path / "r.pdf").read_bytes()))
        assert "Chiềng Mung" in text
        assert INTERNAL.vi in " ".join(text.split())
