"""Tidy scores as the report reads them: one :class:`Cell` per domain and node.

A cell is *own* if it was computed from answers (it knows its n) and *published* if it was taken from a scores file that
gives values only. The two are never put on one list.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from analysis.publication import HIDDEN
from analysis.scores import PILOT, PROVISIONAL, SYNTHETIC, UNWEIGHTED

WHOLE = ("", "all", "total", "national")
SMALL = 15  # PAPI leaves cells with fewer answers blank; here they are greyed
FEW_DF = 8  # below this an interval says too little to number ranks
_UNWEIGHTED = re.compile(re.escape(UNWEIGHTED.en) + r" (\S+?)(?:;|$)")


@dataclass(frozen=True)
class Cell:
    """One figure; NaN where a number is not known. ``note`` holds the remarks of scoring."""

    code: str
    domain_level: str
    domain: str
    estimate: float
    se: float
    low: float
    high: float
    df: float
    n: float
    n_psu: float
    deff: float
    note: str = ""

    @property
    def unweighted(self) -> float:
        """The pooled share without weights that scoring notes beside a pooled node; NaN where it is not given."""
        found = _UNWEIGHTED.search(self.note)
        return float(found[1]) if found else math.nan

    @property
    def provisional(self) -> bool:
        """Whether interviews not yet approved went into it."""
        return PROVISIONAL.en in self.note

    @property
    def synthetic(self) -> bool:
        """Whether it comes from made-up interviews."""
        return SYNTHETIC.en in self.note

    @property
    def pilot(self) -> bool:
        """Whether it is of a pilot round."""
        return PILOT.en in self.note

    def remark(self, language: str) -> str:
        """Why there is no value or interval, in ``language``; what has a place of its own on the page is left out."""
        parts = [part.partition(" / ") for part in self.note.split("; ") if part]
        said = [
            (vi, en or vi)
            for vi, _, en in parts
            if en not in (PROVISIONAL.en, SYNTHETIC.en, PILOT.en) and not en.startswith(UNWEIGHTED.en)
        ]
        return "; ".join(vi if language == "vi" else en for vi, en in said)

    @property
    def published(self) -> bool:
        """Taken from a file of values, not computed from answers (a small cell that is hidden shows no n either)."""
        return math.isnan(self.n) and HIDDEN not in self.note

    @property
    def small(self) -> bool:
        """Computed from too few answers to be relied on."""
        return self.n < SMALL

    @property
    def has_interval(self) -> bool:
        return not (math.isnan(self.low) or math.isnan(self.high))

    @property
    def few_df(self) -> bool:
        """An interval on fewer degrees of freedom than ranks may be numbered with."""
        return not self.df >= FEW_DF


@dataclass(frozen=True)
class Cells:
    """All cells of one round, found by domain level, domain and code; domains keep the order of the file."""

    all: tuple[Cell, ...]

    def levels(self) -> list[str]:
        """Domain levels in the order of the file, the whole left out."""
        return list(dict.fromkeys(c.domain_level for c in self.all if c.domain_level not in WHOLE))

    def whole(self) -> Mapping[str, Cell]:
        """Cells of the whole by code; where there is a single domain only, that one."""
        domains = {(c.domain_level, c.domain) for c in self.all}
        only = len(domains) == 1
        return {c.code: c for c in self.all if only or c.domain_level in WHOLE}

    def domains(self, level: str) -> dict[str, dict[str, Cell]]:
        """``{domain: {code: cell}}`` of one level."""
        found: dict[str, dict[str, Cell]] = {}
        for cell in self.all:
            if cell.domain_level == level:
                found.setdefault(cell.domain, {})[cell.code] = cell
        return found


def cells(rows: Iterable[Mapping[str, Any]]) -> Cells:
    """Cells from rows of the tidy scores table; a column that is absent counts as not known."""
    return Cells(tuple(_cell(row) for row in rows))


def _cell(row: Mapping[str, Any]) -> Cell:
    words = {name: _word(row.get(name)) for name in ("code", "domain_level", "domain", "note")}
    numbers = {field.name: _number(row.get(field.name)) for field in fields(Cell) if field.name not in words}
    return Cell(**words, **numbers)  # type: ignore[arg-type]


def _word(value: Any) -> str:
    return "" if value is None or value != value else str(value)


def _number(value: Any) -> float:
    return math.nan if value is None or value == "" else float(value)
