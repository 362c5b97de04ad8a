"""How far a round is, counted from the board: by province, commune, village, person or day."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from survey.store.store import Store
from survey.store.where import Where

BY = ("province", "commune", "village", "person", "day")

FINISHED = frozenset({"sealed", "approved", "returned", "conflict"})
"""An interview in one of these was conducted to its end."""


@dataclass
class Group:
    """One place, person or day. ``main`` is how many units of the main list it has, ``codes`` how the units that were
    to be interviewed stand (AAPOR), ``states`` how its interviews stand, ``flagged`` how many of those that wait have
    something that speaks for reading them."""

    key: str
    name: str = ""
    parent: str = ""
    main: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    flagged: int = 0

    @property
    def done(self) -> int:
        """Interviews conducted to their end."""
        return sum(self.states[state] for state in FINISHED)

    @property
    def units(self) -> int:
        """Units that were to be interviewed."""
        return sum(self.codes.values())

    def add(self, other: Group) -> None:
        """Counts another group in."""
        self.main += other.main
        self.codes.update(other.codes)
        self.states.update(other.states)
        self.flagged += other.flagged


def groups(store: Store, where: Where, by: str) -> list[Group]:
    """The groups of a round within ``where``, in no order; volunteers are in none. By day there are no units: a unit
    has no day."""
    found: dict[str, Group] = {}

    def group(key: str) -> Group:
        return found.setdefault(key, Group(key))

    if by != "day":
        column = "assignee" if by == "person" else by
        said, values = where.units()
        for key, code, listed, count in store.execute(
            f"SELECT {column}, code, list, count(*) FROM board_units WHERE counted = 1 AND {said} GROUP BY 1, 2, 3",
            values,
        ):
            one = group(key)
            one.codes[code] += count
            one.main += count if listed == "main" else 0
    column = "enumerator" if by == "person" else by
    said, values = where.interviews()
    for key, state, calm, count in store.execute(
        f"SELECT {column}, state, calm < 0, count(*) FROM board_interviews WHERE list <> 'volunteer' AND {said}"
        " GROUP BY 1, 2, 3",
        values,
    ):
        one = group(key)
        one.states[state] += count
        one.flagged += count if calm and state == "sealed" else 0
    if by in ("province", "commune", "village"):
        for code, name, parent in store.execute(
            "SELECT code, name, parent FROM board_places WHERE round = ? AND level = ?", (where.round, by)
        ):
            if code in found:
                found[code].name, found[code].parent = name, parent
    return list(found.values())


def days(store: Store, where: Where) -> dict[str, int]:
    """How many interviews were conducted on each day, as the laptops' clocks told it."""
    said, values = where.interviews()
    rows = store.execute(
        "SELECT day, count(*) FROM board_interviews WHERE list <> 'volunteer'"
        f" AND state IN ('sealed', 'approved', 'returned', 'conflict') AND {said} GROUP BY 1",
        values,
    )
    return dict(rows.fetchall())


def place_names(store: Store, round: str, **codes: str) -> dict[str, str]:
    """What the places with these codes are called: ``place_names(store, "r1", commune="03646")``."""
    found = {}
    for level, code in codes.items():
        name = store.value(
            "SELECT name FROM board_places WHERE round = ? AND level = ? AND code = ?", (round, level, code)
        )
        found[level] = str(name or code)
    return found


def safe(store: Store, where: Where) -> dict[str, int]:
    """Of the interviews held here: ``device`` (all of them), ``supervisor``, ``province``, ``ministry``."""
    said, values = where.interviews()
    row = store.execute(
        "SELECT count(*), coalesce(sum(supervisor), 0), coalesce(sum(province_has), 0), coalesce(sum(ministry), 0)"
        f" FROM board_interviews WHERE held = 1 AND {said}",
        values,
    ).fetchone()
    return dict(zip(("device", "supervisor", "province", "ministry"), row, strict=True))


def devices(store: Store, round: str) -> dict[str, dict[str, Any]]:
    """device -> ``interviews`` made there, ``last`` (the time of the latest one, by the laptop's own clock) and
    ``heard`` (when an exchange with it was last noted here, by this machine's clock), ``way``, ``program``."""
    found: dict[str, dict[str, Any]] = defaultdict(
        lambda: {"interviews": 0, "last": "", "heard": "", "way": "", "program": ""}
    )
    for device, count, last in store.execute(
        "SELECT device, count(*), max(time) FROM board_interviews"
        f" WHERE state <> 'draft' {'AND round = ?' if round else ''} GROUP BY device",
        (round,) if round else (),
    ):
        found[device] |= {"interviews": count, "last": last}
    for device, time, way, program in store.execute("SELECT device, time, way, program FROM heard"):
        found[device] |= {"heard": time, "way": way, "program": program}
    return dict(found)
