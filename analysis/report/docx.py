"""A Word document as a Vietnamese office edits, numbers, signs and stamps it: the layout of Decree 30/2020/NĐ-CP,
annex I.

A4, margins 20 mm above and below, 30 mm left, 15 mm right; Times New Roman 13–14; page numbers centred on top from the
second page on; quốc hiệu – tiêu ngữ, names of the agencies, number and symbol, place and date, kind and subject,
body, "Biểu số …" tables, nơi nhận, signature and stamp. What is not known is left to be filled in by hand.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from docx import Document
from docx.document import Document as Opened
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt
from docx.text.paragraph import Paragraph

from analysis.report.office import Office
from survey.text import Text, nfc

FONT = "Times New Roman"
BODY, SMALL = 14.0, 11.0
WIDTH = 165
"""Millimetres between the margins."""
_TOP, _LEFT, _RIGHT = 20, 30, 15
_HEAD = (68, 97)  # the two columns of the head: agencies, quốc hiệu
_STATE = Text("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "SOCIALIST REPUBLIC OF VIET NAM")
_MOTTO = Text("Độc lập - Tự do - Hạnh phúc", "Independence - Freedom - Happiness")
_SYMBOLS = {Text("Báo cáo", "Report"): "BC", Text("Kế hoạch", "Plan"): "KH", Text("Biên bản", "Record"): "BB"}
"""Kinds of document and their abbreviations in the ký hiệu (Decree 30/2020/NĐ-CP, annex III)."""
_ALIGN = {"l": "left", "r": "right", "c": "center"}
_EPOCH = (1980, 1, 1, 0, 0, 0)


class OfficeDocument:
    """One document, written from top to bottom; :meth:`finish` gives its bytes.

    ``kind`` is tên loại văn bản ("BÁO CÁO"), ``subject`` its trích yếu. ``notice`` stands at the foot of every page.
    """

    def __init__(self, office: Office, kind: str, subject: str, *, language: str = "vi", notice: str = ""):
        self.office, self.language = office, language
        self.tables = 0
        self.document: Opened = Document()
        self._styles()
        self._page(notice)
        self._head(kind)
        self._line(kind.upper(), bold=True, center=True, before=12)
        self._line(subject, bold=True, center=True)
        self._rule(WIDTH / 3, WIDTH)
        properties = self.document.core_properties
        properties.title, properties.author, properties.language = nfc(f"{kind} {subject}"), office.name, language
        properties.comments, properties.last_modified_by = "", ""
        properties.created = properties.modified = _stamp(office.day)

    def t(self, vi: str, en: str) -> str:
        """The text in the document's language."""
        return vi if self.language == "vi" else en

    # -- the body ---------------------------------------------------------------------------------------------------

    def heading(self, text: str, level: int = 1) -> None:
        """A heading: level 1 is "I. …" in bold, 2 "1. …" in bold, 3 in bold italics. The number is the caller's."""
        paragraph = self.document.add_heading(nfc(text), level)
        paragraph.paragraph_format.keep_with_next = True

    def paragraph(self, text: str, *, bold: bool = False, italic: bool = False, size: float = BODY) -> None:
        """A paragraph of the body: justified, first line indented by 1 cm."""
        paragraph = self._line(text, bold=bold, italic=italic, size=size)
        paragraph.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
        paragraph.paragraph_format.first_line_indent = Mm(10)
        paragraph.paragraph_format.space_after = Pt(6)

    def item(self, text: str) -> None:
        """One line of a list, "- …"."""
        self.paragraph(f"- {text}")

    def table(
        self,
        title: str,
        head: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        align: str = "",
        widths: Sequence[float] = (),
        bold: Sequence[int] = (),
        size: float = SMALL,
        note: str = "",
        unit: str = "",
        height: float = 0,
    ) -> str:
        """A "Biểu số …" table with its title above it and ``note`` below; returns its name ("Biểu số 01").

        ``align`` has a letter (l, c, r) for each column, by default the first left and the others right; ``widths`` are
        relative; ``bold`` are numbers of rows (a total). The head is repeated on each page, no row is split.
        ``unit`` stands in italics at the right above the table ("Đơn vị tính: điểm"). ``height``: millimetres that a
        row has at least, to be written in by hand.
        """
        self.tables += 1
        name = self.t(f"Biểu số {self.tables:02d}", f"Table {self.tables:02d}")
        caption = self._line(f"{name}. {title}", bold=True, center=True, size=13, before=6)
        caption.paragraph_format.keep_with_next = True
        if unit:
            line = self._line(unit, italic=True, size=SMALL)
            line.alignment, line.paragraph_format.keep_with_next = WD_ALIGN_PARAGRAPH.RIGHT, True
        body = self.document.element.body
        grid = _grid(head, rows, align, widths, frozenset(bold), size, name, title, height)
        body.insert(len(body) - 1, parse_xml(grid))
        self._line(note, italic=True, size=SMALL, before=2).paragraph_format.space_after = Pt(6)
        return name

    def picture(self, png: bytes, caption: str, alt: str, width: float = WIDTH) -> None:
        """A picture of ``width`` mm in the middle with its caption below; ``alt`` is what is read aloud."""
        paragraph = self.document.add_paragraph()
        paragraph.alignment, paragraph.paragraph_format.keep_with_next = WD_ALIGN_PARAGRAPH.CENTER, True
        shape = paragraph.add_run().add_picture(io.BytesIO(png), width=Mm(width))
        shape._inline.docPr.set("descr", nfc(alt))
        self._line(caption, italic=True, center=True, size=12).paragraph_format.space_after = Pt(6)

    def page_break(self) -> None:
        """What follows begins on a new page."""
        self.document.add_page_break()

    # -- the foot ---------------------------------------------------------------------------------------------------

    def sign(self) -> None:
        """Nơi nhận at the left; authority, post, room for signature and stamp, and name at the right."""
        office = self.office
        if self.document.paragraphs:  # a signature never stands alone on a page
            self.document.paragraphs[-1].paragraph_format.keep_with_next = True
        left, right = self._columns((75, 90))
        _put(left, self.t("Nơi nhận:", "Recipients:"), size=12, bold=True, italic=True)
        for recipient in office.recipients or (self.t("Như trên", "As above"),):
            _put(left, f"- {recipient};", size=11)
        _put(left, self.t("- Lưu: VT", "- File: VT") + (f", {office.archive}" if office.archive else "") + ".", size=11)
        for words in filter(
            None, (office.authority, office.post or self.t("THỦ TRƯỞNG CƠ QUAN", "HEAD OF THE AGENCY"))
        ):
            _put(right, words.upper() if not office.post else words, size=BODY, bold=True, center=True)
        _put(right, self.t("(Ký, đóng dấu)", "(Signature, stamp)"), size=SMALL, italic=True, center=True)
        _put(
            right, office.signer or "…………………………", size=BODY, bold=True, center=True
        ).paragraph_format.space_before = Pt(72)
        for cell in (left, right):
            for paragraph in cell.paragraphs[:-1]:
                paragraph.paragraph_format.keep_with_next = True

    def signed_by(self, posts: Sequence[str]) -> None:
        """Who signs a list or a record, side by side, each with room for the signature and the name."""
        for cell, post in zip(self._columns([WIDTH / len(posts)] * len(posts)), posts, strict=True):
            _put(cell, post, size=13, bold=True, center=True)
            words = self.t("(Ký, ghi rõ họ tên)", "(Signature, full name)")
            _put(cell, words, size=SMALL, italic=True, center=True).paragraph_format.space_after = Pt(60)

    def finish(self) -> bytes:
        """The document as a file; the same content gives the same bytes."""
        made = io.BytesIO()
        self.document.save(made)
        return repacked(made.getvalue())

    # -- how it is laid out -------------------------------------------------------------------------------------------

    def _styles(self) -> None:
        styles = self.document.styles
        for name, size in (("Normal", BODY), ("Heading 1", BODY), ("Heading 2", BODY), ("Heading 3", BODY)):
            style: Any = styles[name]
            style.font.name, style.font.size = FONT, Pt(size)
            fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
            for key in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
                fonts.attrib.pop(qn(key), None)
            for key in ("w:ascii", "w:hAnsi", "w:eastAsia", "w:cs"):
                fonts.set(qn(key), FONT)
            style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(0), Pt(0)
            style.paragraph_format.line_spacing = 1.0
            if name != "Normal":
                style.font.bold, style.font.italic = True, name == "Heading 3"
                style.font.color.rgb = None
                style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(8), Pt(4)
                style.paragraph_format.first_line_indent = Mm(10)
        for latent in styles.element.findall(".//" + qn("w:lang")):
            latent.set(qn("w:val"), "vi-VN" if self.language == "vi" else "en-GB")

    def _page(self, notice: str) -> None:
        section = self.document.sections[0]
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.top_margin = section.bottom_margin = Mm(_TOP)
        section.left_margin, section.right_margin = Mm(_LEFT), Mm(_RIGHT)
        section.header_distance = section.footer_distance = Mm(10)
        section.different_first_page_header_footer = True
        number = section.header.paragraphs[0]
        number.alignment = WD_ALIGN_PARAGRAPH.CENTER
        for xml in (
            '<w:fldChar w:fldCharType="begin"/>',
            '<w:instrText xml:space="preserve"> PAGE </w:instrText>',
            '<w:fldChar w:fldCharType="end"/>',
        ):
            number._p.append(parse_xml(f"<w:r {nsdecls('w')}><w:rPr><w:sz w:val='26'/></w:rPr>{xml}</w:r>"))
        for footer in (section.footer, section.first_page_footer) if notice else ():
            _write(footer.paragraphs[0], notice, size=9, italic=True, center=True)

    def _head(self, kind: str) -> None:
        office = self.office
        left, right = self._columns(_HEAD)
        if office.parent:
            _put(left, office.parent.upper(), size=13, center=True)
        _put(left, office.name.upper() or self.t("[TÊN CƠ QUAN]", "[AGENCY]"), size=13, bold=True, center=True)
        _rule(left.add_paragraph(), _HEAD[0] / 3, _HEAD[0])
        kinds = [short for names, short in _SYMBOLS.items() if kind in names]
        symbol = office.symbol or "-".join([*kinds, office.abbreviation or "…"])
        number = office.number or "\u2003\u2003"
        _put(left, self.t("Số: ", "No.: ") + f"{number}/{symbol}", size=13, center=True)
        _put(right, _STATE(self.language), size=12.5, bold=True, center=True)
        _put(right, _MOTTO(self.language), size=13, bold=True, center=True)
        _rule(right.add_paragraph(), 62 if self.language == "vi" else 80, _HEAD[1])
        _put(right, self._dated(), size=13.5, italic=True, center=True)

    def _dated(self) -> str:
        place = self.office.place or "………"
        try:
            when = date.fromisoformat(self.office.day[:10])
        except ValueError:
            return self.t(f"{place}, ngày … tháng … năm ……", f"{place}, … … ……")
        # Decree 30: days below ten and the months 1 and 2 get a leading zero.
        month = f"{when.month:02d}" if when.month < 3 else str(when.month)
        return self.t(
            f"{place}, ngày {when.day:02d} tháng {month} năm {when.year}",
            f"{place}, {when.day}/{when.month}/{when.year}",
        )

    def _columns(self, widths: Sequence[float]) -> tuple[Any, ...]:
        """Cells side by side without borders, each with no paragraph of its own yet."""
        table = self.document.add_table(rows=1, cols=len(widths))
        table.autofit = False
        for column, cell, width in zip(table.columns, table.rows[0].cells, widths, strict=True):
            column.width = cell.width = Mm(width)
            for paragraph in list(cell.paragraphs):
                paragraph._p.getparent().remove(paragraph._p)
        table.rows[0]._tr.get_or_add_trPr().append(parse_xml(f"<w:cantSplit {nsdecls('w')}/>"))
        return tuple(table.rows[0].cells)

    def _line(self, text: str, *, bold: bool = False, italic: bool = False, center: bool = False,
              size: float = BODY, before: float = 0) -> Paragraph:  # fmt: skip
        paragraph = self.document.add_paragraph()
        _write(paragraph, text, size=size, bold=bold, italic=italic, center=center)
        paragraph.paragraph_format.space_before = Pt(before)
        return paragraph

    def _rule(self, length: float, room: float) -> None:
        paragraph = self.document.add_paragraph()
        _rule(paragraph, length, room)
        paragraph.paragraph_format.space_after = Pt(8)


def repacked(package: bytes) -> bytes:
    """A zipped document (.docx, .xlsx) with no time of its making in it, so that the same content is the same file."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name, _EPOCH), old.read(name), zipfile.ZIP_DEFLATED)
    return made.getvalue()


def _stamp(day: str) -> datetime:
    try:
        when = date.fromisoformat(day[:10])
    except ValueError:
        when = date(*_EPOCH[:3])
    return datetime.combine(when, time(), UTC)


def _put(cell: Any, text: str, **how: Any) -> Paragraph:
    paragraph: Paragraph = cell.add_paragraph()
    _write(paragraph, text, **how)
    return paragraph


def _write(paragraph: Paragraph, text: str, *, size: float, bold: bool = False, italic: bool = False,
           center: bool = False) -> None:  # fmt: skip
    run = paragraph.add_run(nfc(text))
    run.font.size, run.bold, run.italic = Pt(size), bold or None, italic or None
    if center:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER


def _rule(paragraph: Paragraph, length: float, room: float) -> None:
    """A line of ``length`` mm in the middle of ``room`` mm: the top border of a paragraph indented from both sides."""
    margin = max(0.0, (room - length) / 2)
    form = paragraph.paragraph_format
    form.left_indent = form.right_indent = Mm(margin)
    form.space_before, form.space_after, form.line_spacing = Pt(1), Pt(2), Pt(5)
    border = f'<w:pBdr {nsdecls("w")}><w:top w:val="single" w:sz="6" w:space="0" w:color="000000"/></w:pBdr>'
    # The order of elements is part of the format; Word repairs a file that has another.
    paragraph._p.get_or_add_pPr().insert_element_before(parse_xml(border), "w:spacing", "w:ind", "w:jc")


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]], align: str, widths: Sequence[float],
          bold: frozenset[int], size: float, name: str, title: str, height: float = 0) -> str:  # fmt: skip
    """A table's XML. Written at once, since python-docx takes minutes for the tables of a whole country."""
    align = align or "l" + "r" * (len(head) - 1)
    widths = widths or [3.0, *[1.0] * (len(head) - 1)]
    twips = [round(WIDTH / 25.4 * 1440 * width / sum(widths)) for width in widths]
    half = round(size * 2)
    middle = '<w:vAlign w:val="center"/>' if height else ""

    def cell(text: str, k: int, strong: bool, side: str) -> str:
        b = "<w:b/>" if strong else ""
        return (
            f'<w:tc><w:tcPr><w:tcW w:w="{twips[k]}" w:type="dxa"/>{middle}</w:tcPr>'
            f'<w:p><w:pPr><w:jc w:val="{side}"/></w:pPr>'
            f'<w:r><w:rPr>{b}<w:sz w:val="{half}"/></w:rPr><w:t xml:space="preserve">{escape(nfc(str(text)))}</w:t>'
            "</w:r></w:p></w:tc>"
        )

    def row(cells: Sequence[str], strong: bool, heading: bool) -> str:
        if len(cells) != len(head):
            raise ValueError(f"{name}: a row of {len(cells)} cells under {len(head)} heads")
        sides = ["center" if heading else _ALIGN[letter] for letter in align]
        inside = "".join(cell(text, k, strong, sides[k]) for k, text in enumerate(cells))
        least = 0 if heading else round(height / 25.4 * 1440)
        tall = f'<w:trHeight w:val="{least}" w:hRule="atLeast"/>' if least else ""
        return f"<w:tr><w:trPr><w:cantSplit/>{tall}{'<w:tblHeader/>' if heading else ''}</w:trPr>{inside}</w:tr>"

    line = 'w:val="single" w:sz="4" w:space="0" w:color="000000"'
    borders = "".join(f"<w:{side} {line}/>" for side in ("top", "left", "bottom", "right", "insideH", "insideV"))
    columns = "".join(f'<w:gridCol w:w="{width}"/>' for width in twips)
    body = "".join(row(cells, k in bold, False) for k, cells in enumerate(rows))
    return (
        f'<w:tbl {nsdecls("w")}><w:tblPr><w:tblW w:w="{sum(twips)}" w:type="dxa"/><w:jc w:val="center"/>'
        f'<w:tblBorders>{borders}</w:tblBorders><w:tblLayout w:type="fixed"/>'
        '<w:tblCellMar><w:left w:w="70" w:type="dxa"/><w:right w:w="70" w:type="dxa"/></w:tblCellMar>'
        f"<w:tblCaption w:val={quoteattr(nfc(name))}/><w:tblDescription w:val={quoteattr(nfc(title))}/></w:tblPr>"
        f"<w:tblGrid>{columns}</w:tblGrid>{row(list(head), True, True)}{body}</w:tbl>"
    )
