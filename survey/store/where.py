"""Which rows of the board a page is about: one set of conditions for the counts and for the lists behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from survey.store.board import LEVELS

FLAGGED = "flagged"
"""In place of a state: what waits for a decision and has something that speaks for reading it."""

ONCE = "once"
"""In place of a state: approved by a supervisor, and by nobody else yet."""


@dataclass(frozen=True)
class Where:
    """Conditions, each empty for any. ``person`` is who interviewed, of a unit who has it; ``state`` of an interview
    (or :data:`FLAGGED`), ``code`` the AAPOR code of a unit; ``closed`` communes (round, code) that the reader may not
    see."""

    round: str = ""
    province: str = ""
    commune: str = ""
    village: str = ""
    unit: str = ""
    person: str = ""
    device: str = ""
    day: str = ""
    state: str = ""
    code: str = ""
    missing: str = ""
    """A tier that does not have the interview yet."""
    closed: frozenset[tuple[str, str]] = field(default_factory=frozenset)

    @classmethod
    def of(cls, given: Mapping[str, str], closed: frozenset[tuple[str, str]] = frozenset()) -> Where:
        """From the query of an address; names that are none are passed over."""
        names = [name for name in cls.__dataclass_fields__ if name != "closed"]
        return cls(**{name: given[name] for name in names if given.get(name)}, closed=closed)

    @property
    def query(self) -> dict[str, Any]:
        """As the query of an address."""
        found: dict[str, Any] = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "closed"}
        return {name: value for name, value in found.items() if value}

    @property
    def is_counted(self) -> bool:
        """Whether it asks for nothing but places and people, by which all is counted beforehand."""
        return set(self.query) <= {"round", *LEVELS, "person"}

    def also(self, **more: Any) -> Where:
        """With further conditions."""
        return replace(self, **more)

    def units(self) -> tuple[str, list[str]]:
        """The condition on ``board_units`` as SQL, and its values."""
        columns = {"round": self.round, **{level: getattr(self, level) for level in LEVELS}}
        return self._sql({**columns, "unit": self.unit, "assignee": self.person, "code": self.code}, [])

    def interviews(self) -> tuple[str, list[str]]:
        """The condition on ``board_interviews`` as SQL, and its values."""
        more = []
        columns = {"round": self.round, **{level: getattr(self, level) for level in LEVELS}}
        columns |= {"unit": self.unit, "enumerator": self.person, "device": self.device, "day": self.day}
        if self.state == FLAGGED:
            more.append("calm < 0")
        elif self.state == ONCE:
            more.append("approvals = 1")
        columns["state"] = {FLAGGED: "sealed", ONCE: "approved"}.get(self.state, self.state)
        if self.missing in _HAS:
            more.append(f"held AND NOT {_HAS[self.missing]}")
        return self._sql(columns, more)

    def _sql(self, columns: Mapping[str, str], more: list[str]) -> tuple[str, list[str]]:
        given = {name: value for name, value in columns.items() if value}
        said = [f"{name} = ?" for name in given] + more + ["NOT (round = ? AND commune = ?)"] * len(self.closed)
        values = [*given.values(), *(value for pair in sorted(self.closed) for value in pair)]
        return " AND ".join(said) or "1", values


_HAS = {"supervisor": "supervisor", "province": "province_has", "ministry": "ministry"}
