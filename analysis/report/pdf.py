"""A document as PDF, made here without LibreOffice or a browser: A4, an embedded font with every Vietnamese letter, the
number of the page on top and the sentence on its standing at the foot of each, bookmarks, alternative text.
"""

from __future__ import annotations

import io
import os
import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path

import matplotlib
from fontTools.ttLib import TTFont, TTLibError
from fpdf import FPDF

from analysis.report.blocks import Block, Heading, Headline, Listing, Paper, Paragraph, Picture, Points, Row, Table
from analysis.report.drawing import Drawing
from analysis.report.word import text_of
from survey.errors import InputError
from survey.text import Text

_MARGIN, _TOP, _BOTTOM, _WIDTH = 20.0, 18.0, 18.0, 170.0
_TEXT, _TABLE = 10.5, 8.0
_FAMILY = "report"
_VOWELS = "aăâeêioôơuưy"
_TONES = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
LETTERS = frozenset(
    unicodedata.normalize("NFC", vowel + tone) for vowel in _VOWELS + _VOWELS.upper() for tone in _TONES
) | {"đ", "Đ"}
"""The letters that Vietnamese adds to ASCII, with their tones, and the bare vowels."""


def pdf(paper: Paper, *, day: str = "", fonts: Sequence[Path] = ()) -> bytes:
    """``paper`` as a PDF; ``fonts`` are a TrueType file for the text and one for bold, by default DejaVu Sans.

    Raises:
        InputError: a font that cannot be read or lacks Vietnamese letters.
    """
    made = _Pages(paper, day, [checked(font) for font in fonts] or _own())
    made.lay()
    return bytes(made.output())


def checked(font: Path) -> Path:
    """``font`` if it can write Vietnamese.

    Raises:
        InputError: it cannot be read, or lacks letters.
    """
    todo = Text(
        "chọn tệp .ttf có đủ chữ tiếng Việt (Times New Roman, Arial, DejaVu Sans), hoặc bỏ --font",
        "choose a .ttf with all Vietnamese letters (Times New Roman, Arial, DejaVu Sans), or leave --font out",
    )
    try:
        with font.open("rb") as opened, TTFont(opened, lazy=True) as read:
            held = set(read.getBestCmap() or {})
    except (TTLibError, OSError, KeyError):
        raise InputError(
            str(font), Text("không phải tệp phông chữ đọc được", "not a font that can be read"), todo
        ) from None
    missing = sorted(letter for letter in LETTERS if ord(letter) not in held)
    if missing:
        some = ", ".join(missing[:6]) + (", …" if len(missing) > 6 else "")
        raise InputError(
            str(font),
            Text(f"phông này thiếu {len(missing)} chữ tiếng Việt: {some}",
                 f"this font lacks {len(missing)} Vietnamese letters: {some}"),
            todo,
        )  # fmt: skip
    return font


def _own() -> list[Path]:
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return [folder / "DejaVuSans.ttf", folder / "DejaVuSans-Bold.ttf"]


class _Pages(FPDF):
    """The pages of one document."""

    def __init__(self, paper: Paper, day: str, fonts: Sequence[Path]):
        super().__init__(format="A4")
        self.paper = paper
        for style, font in (("", fonts[0]), ("B", fonts[-1])):
            self.add_font(_FAMILY, style, os.fspath(font))
        self.set_margins(_MARGIN, _TOP, _MARGIN)
        self.set_auto_page_break(True, _BOTTOM)
        self.set_title(paper.title)
        self.set_subject(paper.official)
        self.set_lang(paper.language)
        try:
            when = date.fromisoformat(day[:10])
        except ValueError:
            when = date(1980, 1, 1)
        self.set_creation_date(datetime.combine(when, time(), UTC))
        self._widths: dict[tuple[str, bool], float] = {}

    # -- every page ---------------------------------------------------------------------------------------------------

    def header(self) -> None:
        if self.page_no() > 1:
            self._face(9)
            self.set_y(9)
            self.cell(0, 5, str(self.page_no()), align="C")
        self.set_y(_TOP)

    def footer(self) -> None:
        self._face(7)
        self.set_y(-12)
        self.cell(0, 4, self.paper.official, align="C")

    # -- blocks -------------------------------------------------------------------------------------------------------

    def lay(self) -> None:
        """All of the document."""
        paper = self.paper
        self.add_page()
        self._say(paper.title, 18, bold=True, after=1)
        self._say(paper.subtitle + (f" – {paper.label}" if paper.label else ""), 11.5, after=2)
        for name, value in paper.facts:
            self._say(f"{name}: {value}", 9.5, after=0.3)
        self._boxed(f"{paper.official}.", bold=True)
        for what, so_what in paper.marks:
            self._boxed(f"{what} – {so_what}")
        for k, block in enumerate(paper.body):
            self._block(block, paper.body[k + 1] if k + 1 < len(paper.body) else None)

    def _block(self, block: Block, after: Block | None) -> None:
        match block:
            case Heading(text, depth):
                # A heading is kept with what follows: room for a chart, or for some lines.
                room = 14 + (self._tall(after.drawings[0]) if isinstance(after, Picture) else 25)
                if self.will_page_break(min(room, self.eph - 1)) and self.get_y() > _TOP + 1:
                    self.add_page()
                self.ln(3 if depth == 1 else 1.5)
                self.start_section(text, level=depth - 1)
                self._say(text, 13.5 if depth == 1 else 11.5, bold=True, after=1.5)
            case Paragraph(text, quiet):
                self._say(text, 8.5 if quiet else _TEXT)
            case Headline():
                self._say(block.value, 30, bold=True, after=0.5)
                if block.interval:
                    self._say(f"{block.interval_name}: {block.interval}", 11.5, bold=True, after=1.5)
                self._say(block.words)
                for line in block.small_print:
                    self._say(line, 8.5)
            case Picture():
                for drawing in block.drawings:
                    self._picture(drawing)
                self._say(block.caption, 8.5, after=2.5)
            case Table():
                self._table(block)
            case Listing():
                for name, value in block.lines:
                    self._say(name, 9.5, bold=True, after=0)
                    self._say(value, 9.5)
                if block.commands:
                    self._say(block.commands_name, 9.5, bold=True, after=0)
                for command in block.commands:
                    self._say(command, 9)
            case Points():
                for line in block.lines:
                    self._say(f"•  {line}", 9.5)

    def _face(self, size: float, bold: bool = False) -> None:
        self.set_font(_FAMILY, "B" if bold else "", size)

    def _say(self, text: str, size: float = _TEXT, *, bold: bool = False, after: float = 1.2) -> None:
        if text:
            self._face(size, bold)
            self.set_x(_MARGIN)
            self.multi_cell(_WIDTH, size * 0.47, text, align="L", new_x="LMARGIN", new_y="NEXT")
            self.ln(after)

    def _boxed(self, text: str, *, bold: bool = False) -> None:
        self.ln(1.5)
        self._face(9.5, bold)
        self.multi_cell(_WIDTH, 5.2, text, border=1, align="L", padding=1, new_x="LMARGIN", new_y="NEXT")
        self.ln(1)

    def _tall(self, drawing: Drawing) -> float:
        return float(min(drawing.width, _WIDTH) * drawing.shape)

    def _picture(self, drawing: Drawing) -> None:
        width, high = min(drawing.width, _WIDTH), self._tall(drawing)
        if high > self.eph:
            width, high = width * self.eph / high, self.eph
        if self.will_page_break(high):
            self.add_page()
        self.image(io.BytesIO(drawing.png), x=_MARGIN + (_WIDTH - width) / 2, w=width, alt_text=drawing.alt)
        self.ln(1)

    # -- tables -------------------------------------------------------------------------------------------------------

    def _table(self, table: Table) -> None:
        """Drawn cell by cell: the library's own tables take minutes for those of a whole country."""
        size = _TABLE if len(table.columns) <= 8 else 7.0
        leading = size * 0.46
        shares = [table.first_wide, *(column.wide for column in table.columns)]
        widths = [_WIDTH * share / sum(shares) for share in shares]
        head = [table.first, *table.paper_heads]

        def line(texts: Sequence[str], *, bold: bool, indent: float = 0.0, row: Row | None = None) -> None:
            self._face(size, bold)
            cells = [
                self._wrapped(text, widths[k] - (1.6 if row else 3) - (indent if k == 0 else 0), bold)
                for k, text in enumerate(texts)
            ]
            high = max(len(lines) for lines in cells) * leading + 1.1
            if row is not None and self.will_page_break(high):
                self.add_page()
                line(head, bold=True)
                self._face(size, bold)
            x, y = _MARGIN, self.get_y()
            for k, lines in enumerate(cells):
                for n, words in enumerate(lines):
                    left = k == 0 or table.columns[k - 1].words
                    at = x + 0.8 + indent if left else x + widths[k] - 0.8 - self._wide(words, bold)
                    self.text(at, y + 0.5 + leading * (n + 0.8), words)
                if row is not None and k and (bar := row.entries[k - 1].bar) and table.columns[k - 1].drawn:
                    self._bar(bar, x + 1, widths[k] - 2, y + high / 2)
                x += widths[k]
                indent = 0.0
            self.set_line_width(0.3 if row is None else 0.1)
            self.line(_MARGIN, y + high, _MARGIN + _WIDTH, y + high)
            self.set_y(y + high)

        self._say(table.title, 9.5, bold=True, after=0.5)
        if self.will_page_break(22):
            self.add_page()
        line(head, bold=True)
        for row in table.rows:
            name = f"{row.name}{' †' if row.small else ''}" + (f"  {row.after}" if row.after else "")
            name += f" ({row.remark})" if row.remark else ""
            texts = [name, *(text_of(entry) for entry in row.entries)]
            indent = 2.2 * (row.depth - table.least_depth) if row.depth is not None else 0.0
            line(texts, bold=row.total or row.depth in (0, 1), indent=indent, row=row)
        self.ln(1)
        self._say(". ".join(part for part in (table.note_with_bars, table.paper_note) if part), 8, after=2.5)

    def _bar(self, bar: tuple[float, float, float], x: float, width: float, y: float) -> None:
        self.set_draw_color(154, 163, 173)
        self.set_line_width(0.15)
        self.line(x, y, x + width, y)
        self.set_draw_color(11, 79, 138)
        self.set_line_width(0.9)
        if bar[0] < bar[2]:
            self.line(x + width * bar[0] / 100, y, x + width * bar[2] / 100, y)
        self.set_draw_color(0, 0, 0)
        self.set_line_width(0.35)
        self.line(x + width * bar[1] / 100, y - 1.2, x + width * bar[1] / 100, y + 1.2)

    def _wrapped(self, text: str, width: float, bold: bool) -> list[str]:
        """``text`` in lines of ``width`` mm in the present face; a word that is wider stands as it is."""
        if self._wide(text, bold) <= width:
            return [text]
        lines, line = [], ""
        for word in text.split():
            longer = f"{line} {word}" if line else word
            if line and self._wide(longer, bold) > width:
                lines.append(line)
                line = word
            else:
                line = longer
        return [part for one in (*lines, line) for part in self._parted(one, width, bold)]

    def _parted(self, line: str, width: float, bold: bool) -> list[str]:
        """An interval that is wider than its column goes on below its dash."""
        low, dash, high = line.partition("–")
        return [low + dash, high] if high and self._wide(line, bold) > width else [line]

    def _wide(self, text: str, bold: bool) -> float:
        """The width of ``text``, remembered per point of size: the words of a table come again and again."""
        key = text, bold
        if key not in self._widths:
            self._widths[key] = self.get_string_width(text) / self.font_size_pt
        return self._widths[key] * self.font_size_pt
