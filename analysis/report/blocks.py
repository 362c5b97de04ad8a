"""What a document says, in one language, apart from how it is set: pages, Word, PDF and workbooks show the same blocks.

Every figure is a string already, as people read it; where a workbook wants to count with it, the number stands beside.
"""

from __future__ import annotations

from dataclasses import dataclass

from analysis.report.drawing import Drawing


@dataclass(frozen=True)
class Entry:
    """One cell of a table. ``value`` sorts it and goes to a workbook (with ``places`` decimals); ``ends`` are the two
    numbers of an interval; ``below`` is its second line; ``bar`` is (low, value, high) in percent of the scale."""

    text: str
    value: float | None = None
    places: int = 2
    ends: tuple[float, float] | None = None
    below: str = ""
    bar: tuple[float, float, float] | None = None
    small: bool = False


@dataclass(frozen=True)
class Column:
    """The head of a column; ``strong`` is its first line. A ``drawn`` column holds bars, which Word and workbooks leave
    out. ``wide`` is its share of the page, one figure being 1."""

    text: str
    strong: str = ""
    drawn: bool = False
    wide: float = 1.0

    @property
    def head(self) -> str:
        return f"{self.strong} {self.text}".strip()

    @property
    def words(self) -> bool:
        """Whether it holds words rather than figures."""
        return self.wide >= 2


@dataclass(frozen=True)
class Row:
    """A named line of a table; ``after`` is small print behind the name, ``remark`` says why a figure is missing."""

    name: str
    entries: tuple[Entry, ...]
    after: str = ""
    remark: str = ""
    depth: int | None = None
    small: bool = False
    total: bool = False


@dataclass(frozen=True)
class Table:
    """A table with its ``title``. ``style`` is "matrix" (domains down, nodes across), "narrow" or empty; ``note``
    stands above the rows of a page and below those of paper, ``bars`` with it where bars are drawn. Tables of one
    ``group`` are alike: a workbook lays them on one sheet, their titles in a column."""

    title: str
    first: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    note: str = ""
    style: str = ""
    bars: str = ""
    group: str = ""

    @property
    def first_wide(self) -> float:
        """The share of the page of the names; a tree's are long and stand in by their depth."""
        deep = any(row.depth for row in self.rows)
        return 2.2 if self.crowded else max(4.6 if deep else 2.6, 0.36 * len(self.columns))

    @property
    def crowded(self) -> bool:
        """Whether heads in words would stand higher than the rows on paper: codes do, with their words below."""
        return self.style == "matrix" and len(self.columns) > 5

    @property
    def paper_heads(self) -> list[str]:
        """The heads of the columns as a narrow page has room for."""
        return [column.strong if self.crowded else column.head for column in self.columns]

    @property
    def paper_note(self) -> str:
        """The words of codes that stand in the head, where they do."""
        return "; ".join(f"{column.strong}: {column.text}" for column in self.columns) if self.crowded else ""

    @property
    def note_with_bars(self) -> str:
        """All that is said of the table."""
        return ". ".join(part for part in (self.note, self.bars) if part)

    @property
    def least_depth(self) -> int:
        """The depth that is not indented."""
        return min((row.depth for row in self.rows if row.depth is not None), default=0)


@dataclass(frozen=True)
class Heading:
    """A heading, ``level`` 1 or 2 below the title."""

    text: str
    level: int = 1


@dataclass(frozen=True)
class Paragraph:
    """A sentence or more."""

    text: str
    quiet: bool = False


@dataclass(frozen=True)
class Picture:
    """One chart, or several that share an axis, with the words that say how to read it."""

    drawings: tuple[Drawing, ...]
    caption: str = ""


@dataclass(frozen=True)
class Headline:
    """The one figure of a document: the value, its interval and what they mean."""

    value: str
    interval_name: str
    interval: str
    words: str
    small_print: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listing:
    """Named lines: how the figures were made. ``commands`` are typed words, kept as they are."""

    lines: tuple[tuple[str, str], ...]
    commands_name: str = ""
    commands: tuple[str, ...] = ()


@dataclass(frozen=True)
class Points:
    """Short remarks, one a line."""

    lines: tuple[str, ...]


Block = Heading | Paragraph | Picture | Headline | Table | Listing | Points


@dataclass(frozen=True)
class Paper:
    """A whole document in one language. ``official`` stands on every page; ``marks`` are (what, so what) warnings;
    ``facts`` are named lines under the title."""

    language: str
    title: str
    subtitle: str
    label: str
    facts: tuple[tuple[str, str], ...]
    official: str
    marks: tuple[tuple[str, str], ...]
    body: tuple[Block, ...]

    def tables(self) -> list[Table]:
        """All tables in reading order."""
        return [block for block in self.body if isinstance(block, Table)]
