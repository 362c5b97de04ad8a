"""A document as Word: the blocks in the layout of an office's report, to be edited, numbered, signed and stamped."""

from __future__ import annotations

from dataclasses import replace

from analysis.report.blocks import Entry, Heading, Headline, Listing, Paper, Paragraph, Picture, Points, Table
from analysis.report.docx import OfficeDocument
from analysis.report.office import Office

_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV")
_STEP = "\u2002\u2002"


def word(paper: Paper, office: Office, day: str = "") -> bytes:
    """``paper`` as a .docx of ``office``, dated ``day`` where the office names no day of its own."""
    vi = paper.language == "vi"
    made = OfficeDocument(
        replace(office, day=office.day or day),
        "Báo cáo" if vi else "Report",
        paper.title,
        language=paper.language,
        notice=paper.official,
    )
    made.paragraph(paper.subtitle + (f" – {paper.label}" if paper.label else ""), bold=True)
    made.paragraph(f"{paper.official}.", italic=True)
    for what, so_what in paper.marks:
        made.paragraph(f"{what}: {so_what}", bold=True)
    for name, value in paper.facts:
        made.item(f"{name}: {value}")
    parts = 0
    for block in paper.body:
        match block:
            case Heading(text, 1):
                parts += 1
                made.heading(f"{_ROMAN[parts - 1] if parts <= len(_ROMAN) else parts}. {text}")
            case Heading(text, _):
                made.heading(text, 2)
            case Paragraph(text):
                made.paragraph(text)
            case Headline():
                shown = f" ({block.interval_name} {block.interval})" if block.interval else ""
                made.paragraph(f"{block.value}{shown}", bold=True)
                made.paragraph(block.words)
                for line in block.small_print:
                    made.paragraph(line, italic=True, size=12)
            case Picture():
                for k, drawing in enumerate(block.drawings):
                    caption = block.caption if k == len(block.drawings) - 1 else ""
                    made.picture(drawing.png, caption, drawing.alt, drawing.width)
            case Table():
                _table(made, block)
            case Listing():
                for name, value in block.lines:
                    made.item(f"{name}: {value}")
                for command in block.commands:
                    made.item(f"{block.commands_name}: {command}")
            case Points():
                for line in block.lines:
                    made.item(line)
    made.sign()
    return made.finish()


def _table(made: OfficeDocument, table: Table) -> None:
    shown = [k for k, column in enumerate(table.columns) if not column.drawn]
    head = [table.first, *(table.paper_heads[k] for k in shown)]
    rows: list[list[str]] = []
    bold: list[int] = []
    for k, row in enumerate(table.rows):
        indent = _STEP * (row.depth - table.least_depth) if row.depth is not None else ""
        name = f"{indent}{row.name}{' †' if row.small else ''}" + (f" [{row.after}]" if row.after else "")
        rows.append([name + (f" ({row.remark})" if row.remark else ""), *(text_of(row.entries[k]) for k in shown)])
        if row.total or row.depth == 0:
            bold.append(k)
    many = len(shown)
    made.table(
        table.title,
        head,
        rows,
        widths=[table.first_wide, *(table.columns[k].wide for k in shown)],
        bold=bold,
        size=11 if many <= 5 else 10 if many <= 7 else 9,
        align="l" + "".join("l" if table.columns[k].words else "r" for k in shown),
        note=". ".join(part for part in (table.note, table.paper_note) if part),
    )


def text_of(entry: Entry) -> str:
    """An entry as one string: the value, its interval in brackets."""
    return f"{entry.text} ({entry.below})" if entry.below else entry.text
