"""How far a round is, counted from the board: by province, commune, village, person or day."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from survey.fieldwork import workload as workloads
from survey.store import frame, reading
from survey.store.store import Store
from survey.store.where import Where

BY = ("province", "commune", "village", "person", "day")

PLACES = ("province", "commune", "village")
"""Levels of place, the largest first."""

FINISHED = frozenset({"sealed", "approved", "returned", "conflict"})
"""An interview in one of these was conducted to its end."""


@dataclass
class Group:
    """One place, person or day. ``main`` is how many units of the main list it has, ``codes`` how the units that were
    to be interviewed stand (AAPOR), ``states`` how its interviews stand, ``flagged`` how many of those that wait have
    something that speaks for reading them."""

    key: str
    name: str = ""
    within: str = ""
    """what the place is called that it lies in"""
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
    has no day. Places have the round's own target (:mod:`survey.fieldwork.workload`) in ``main``, where it names one;
    what is smaller than that, and people, have their units of the main list."""
    found = _groups(store, where, by)
    own = workload(store, where.round) if by in workloads.LEVELS else None
    if own is not None and PLACES.index(by) <= PLACES.index(own.level):
        for key, more in _more(store, where, own, by).items():
            if key in found:
                found[key].main += more
    return list(found.values())


def target(store: Store, where: Where) -> int | None:
    """How many interviews the round wants within ``where``; None where it names no targets, or none for anything as
    small: then it is the main list."""
    own = workload(store, where.round)
    shut = next((level for level in reversed(PLACES) if getattr(where, level)), "")
    if own is None or where.person or (shut and PLACES.index(shut) > PLACES.index(own.level)):
        return None
    whole = sum(one.main for one in _groups(store, where, own.level).values())
    return whole + sum(_more(store, where, own, own.level).values())


def workload(store: Store, round: str) -> workloads.Workload | None:
    """The targets that a round names."""
    return workloads.of_round(frame.document(store, "round", round) or {})


def _more(store: Store, where: Where, own: workloads.Workload, by: str) -> dict[str, int]:
    """By how many interviews the targets within ``where`` differ from the main list, in each place of level ``by``."""
    said, values = where.units()
    more: dict[str, int] = defaultdict(int)
    table, counts = ("count_units", "n") if where.is_counted else ("board_units", "counted")
    for key, code, main in store.execute(
        f"SELECT {by}, {own.level}, sum(CASE WHEN list = 'main' THEN {counts} ELSE 0 END) FROM {table}"
        f" WHERE {said} GROUP BY 1, 2",
        values,
    ):
        if code in own.of:
            more[key] += own.of[code] - main
    return more


def _groups(store: Store, where: Where, by: str) -> dict[str, Group]:
    found: dict[str, Group] = {}

    def group(key: str) -> Group:
        return found.setdefault(key, Group(key))

    if by != "day":
        column = "assignee" if by == "person" else by
        said, values = where.units()
        table, counts = ("count_units", "n") if where.is_counted else ("board_units", "counted")
        for key, code, listed, count in store.execute(
            f"SELECT {column}, code, list, sum({counts}) AS c FROM {table} WHERE {said} GROUP BY 1, 2, 3 HAVING c > 0",
            values,
        ):
            one = group(key)
            one.codes[code] += count
            one.main += count if listed == "main" else 0
    column = "enumerator" if by == "person" else by
    for key, state, flagged, count in _interviews(store, where, f"{column}, state, {{flagged}}", by):
        one = group(key)
        one.states[state] += count
        one.flagged += count if flagged and state == "sealed" else 0
    if by in ("province", "commune", "village"):
        for code, name, within in store.execute(
            "SELECT p.code, p.name, coalesce(o.name, '') FROM board_places p LEFT JOIN board_places o"
            " ON o.round = p.round AND o.code = p.parent AND o.level = CASE p.level WHEN 'village' THEN 'commune'"
            " ELSE 'province' END WHERE p.round = ? AND p.level = ?",
            (where.round, by),
        ):
            if code in found:
                found[code].name, found[code].within = name, within
    return found


def days(store: Store, where: Where) -> dict[str, int]:
    """How many interviews were conducted on each day, as the laptops' clocks told it."""
    found: dict[str, int] = defaultdict(int)
    for day, state, count in _interviews(store, where, "day, state", "day"):
        if state in FINISHED:
            found[day] += count
    return dict(found)


def _interviews(store: Store, where: Where, columns: str, by: str) -> list[tuple[Any, ...]]:
    """The drawn interviews in ``where`` by some columns, and how many; from what is counted beforehand, where that
    tells what is asked. ``{flagged}`` stands for whether something speaks for reading them."""
    said, values = where.interviews()
    table = ""
    if where.is_counted:
        in_days = not (where.village or where.person)
        table = ("count_days" if in_days else "") if by == "day" else "count_interviews"
    counts, flagged = ("n", "flagged") if table else ("1", "calm < 0")
    columns = columns.format(flagged=flagged)
    return store.execute(
        f"SELECT {columns}, sum({counts}) AS c FROM {table or 'board_interviews'}"
        f" WHERE list <> 'volunteer' AND {said} GROUP BY {columns} HAVING c > 0",
        values,
    ).fetchall()


def place_names(store: Store, round: str, **codes: str) -> dict[str, str]:
    """What the places with these codes are called: ``place_names(store, "r1", commune="03646")``."""
    found = {}
    for level, code in codes.items():
        name = store.value(
            "SELECT name FROM board_places WHERE round = ? AND level = ? AND code = ?", (round, level, code)
        )
        found[level] = str(name or code)
    return found


def villages(store: Store, round: str) -> list[dict[str, str]]:
    """The villages of a round as the columns of a sample unit that say where it lies."""
    columns = ("round", "village", "village_name", "commune", "commune_name", "province")
    rows = store.execute(
        "SELECT v.round, v.code, v.name, v.parent, coalesce(c.name, v.parent), coalesce(c.parent, '')"
        " FROM board_places v LEFT JOIN board_places c ON c.round = v.round AND c.level = 'commune'"
        "  AND c.code = v.parent WHERE v.round = ? AND v.level = 'village'",
        (round,),
    )
    return [dict(zip(columns, row, strict=True)) for row in rows]


def safe(store: Store, where: Where) -> dict[str, int]:
    """Of the interviews held here: ``device`` (all of them), ``supervisor``, ``province``, ``ministry``."""
    said, values = where.interviews()
    counted = set(where.query) <= {"round"} and not where.closed
    table, n = ("count_safe", "n") if counted else ("board_interviews", "1")
    row = store.execute(
        f"SELECT coalesce(sum({n}), 0), coalesce(sum({n} * supervisor), 0), coalesce(sum({n} * province_has), 0),"
        f" coalesce(sum({n} * ministry), 0) FROM {table} WHERE held = 1 AND {said}",
        values,
    ).fetchone()
    return dict(zip(("device", "supervisor", "province", "ministry"), row, strict=True))


def questionnaires(store: Store) -> dict[str, str]:
    """device -> the version of the questionnaire that its latest interview was made with."""
    found = {}
    for device, hash in store.execute(
        "SELECT d.device, i.questionnaire_hash FROM (SELECT DISTINCT device FROM count_devices) d"
        " JOIN interviews i ON i.interview = (SELECT b.interview FROM board_interviews b WHERE b.device = d.device"
        "  ORDER BY b.time DESC LIMIT 1)"
    ):
        body = reading.document_bytes(store, "questionnaire", hash)
        form = json.loads(body) if body else {}
        found[device] = str(form.get("version") or hash.removeprefix("sha256:")[:8])
    return found


def devices(store: Store, round: str) -> dict[str, dict[str, Any]]:
    """device -> ``interviews`` made there, ``last`` (the time of the latest one, by the laptop's own clock) and
    ``heard`` (when an exchange with it was last noted here, by this machine's clock), ``way``, ``program``."""
    found: dict[str, dict[str, Any]] = defaultdict(
        lambda: {"interviews": 0, "last": "", "heard": "", "way": "", "program": ""}
    )
    for device, count in store.execute(
        f"SELECT device, sum(n) FROM count_devices {'WHERE round = ?' if round else ''} GROUP BY device",
        (round,) if round else (),
    ).fetchall():
        last = store.value("SELECT time FROM board_interviews WHERE device = ? ORDER BY time DESC LIMIT 1", (device,))
        found[device] |= {"interviews": count, "last": last or ""}
    for device, time, way, program in store.execute("SELECT device, time, way, program FROM heard"):
        found[device] |= {"heard": time, "way": way, "program": program}
    return dict(found)
