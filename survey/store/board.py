"""The board: one row a sample unit and one row an interview, with all that pages count, filter and sort by.

Everything in it follows from documents, interviews, visits and receipts. Triggers note each unit that something
happened to, whoever wrote it; who reads the board brings it up to date first (:func:`refresh`), so that nothing in the
field waits for it. It can be thrown away at any moment (:func:`forget`).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from survey.errors import InUseError
from survey.fieldwork.dispositions import final
from survey.store import fieldlog, reading
from survey.store.header import read_document
from survey.store.store import BUSY_MS, Store
from survey.text import Text, fold, natural

ORDER = ("conflict", "sealed", "returned", "approved", "voided", "partial", "draft", "erased")
"""The states in the order in which they need a person."""

LEVELS = ("province", "commune", "village")

_BATCH = 500
_WORTH = 10
"""What a point of a quality finding adds to the risk."""
_PATIENCE_MS = 300
"""While a merge writes, pages show the board as it was instead of waiting for the end."""


def refresh(store: Store) -> bool:
    """Brings the rows of everything that happened since the last time up to date. False when somebody else was
    writing, so that the board is as it was a moment ago."""
    if store.value("SELECT 1 FROM stale_units LIMIT 1") is None:
        return True
    store.execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
    try:
        while store.value("SELECT 1 FROM stale_units LIMIT 1") is not None:
            with store.transaction():
                _bring_up_to_date(store)
    except InUseError:
        return False
    finally:
        store.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    return True


def forget(store: Store) -> None:
    """Throws the board away; the next :func:`refresh` makes it anew."""
    with store.transaction():
        for table in ("board_units", "board_interviews", "board_names", "board_places"):
            store.execute(f"DELETE FROM {table}")
        store.execute(
            "INSERT OR IGNORE INTO stale_units SELECT unit FROM interviews"
            " UNION SELECT subject FROM documents WHERE subject_type = 'unit' UNION SELECT unit FROM drafts"
        )


def known(store: Store, units: Iterable[str]) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """unit -> (document, contact data) of some units, as far as they are here: what a page of them shows."""
    names = json.dumps(sorted(set(units)))
    private = _contacts(store, names)
    found = _documents(store, "d.subject_type = 'unit' AND d.subject", names)
    return {unit: (document, private.get(unit, {})) for unit, document in found.items()}


# -- what the checks of quality found ------------------------------------------------------------------------------


class Sign(NamedTuple):
    """A quality finding about one interview, as the queue shows it (:mod:`survey.fieldwork.quality`)."""

    interview: str
    name: str
    words: Text
    points: int


def note_signs(store: Store, round: str, signs: Iterable[Sign]) -> None:
    """Keeps what the checks found in a round, in place of what they found before, and puts the queue in its order."""
    held = "SELECT interview FROM board_findings WHERE round = ?"
    points = "(SELECT sum(f.points) FROM board_findings f WHERE f.interview = board_interviews.interview)"
    with store.transaction():
        change = "UPDATE board_interviews SET calm = calm {} {} * {} WHERE interview IN ({})"
        store.execute(change.format("+", _WORTH, points, held), (round,))
        store.execute("DELETE FROM board_findings WHERE round = ?", (round,))
        store.executemany(
            "INSERT INTO board_findings VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(one.interview, n, round, one.name, *one.words, one.points) for n, one in enumerate(signs)],
        )
        store.execute(change.format("-", _WORTH, points, held), (round,))
        newest = str(store.value("SELECT max(number) FROM revisions"))
        store.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (f"signs/{round}", newest))


def is_looked_through(store: Store, round: str) -> bool:
    """Whether nothing has come since the checks of quality were last run over a round."""
    seen = store.value("SELECT value FROM meta WHERE name = ?", (f"signs/{round}",))
    return seen == str(store.value("SELECT max(number) FROM revisions"))


def signs(store: Store, interviews: Iterable[str]) -> dict[str, list[Sign]]:
    """interview -> what the checks found about it when they were last run, the weightiest first."""
    found: dict[str, list[Sign]] = defaultdict(list)
    for interview, name, vi, en, points in store.execute(
        "SELECT interview, name, vi, en, points FROM board_findings WHERE interview IN (SELECT value FROM json_each(?))"
        " ORDER BY points DESC, number",
        (json.dumps(sorted(set(interviews))),),
    ):
        found[interview].append(Sign(interview, name, Text(vi, en), points))
    return found


# -- making the rows ----------------------------------------------------------------------------------------------


def _bring_up_to_date(store: Store) -> None:
    """Makes the rows of some of the noted units anew. Part of the caller's transaction."""
    wanted = [unit for (unit,) in store.execute("SELECT unit FROM stale_units LIMIT ?", (_BATCH,))]
    names = json.dumps(wanted)
    chosen = "IN (SELECT value FROM json_each(?))"
    units = _documents(store, "d.subject_type = 'unit' AND d.subject", names)
    visits: dict[str, list[dict[str, Any]]] = defaultdict(list)
    # Of a unit that is not known nothing is shown, and what a machine notes of itself (its log) has none.
    for visit in _documents(store, "d.subject_type = 'visit' AND d.unit", json.dumps(sorted(units))).values():
        visits[str(visit.get("unit", ""))].append(visit)
    interviews: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in reading.interviews(store, units=wanted):
        interviews[row["unit"]].append(row)
    told = _Told(store, [row["interview"] for rows in interviews.values() for row in rows])
    contacts = _contacts(store, names)
    unit_rows, interview_rows, name_rows, places = [], [], [], set()
    for unit in wanted:
        document = units.get(unit, {})
        place = _place(document)
        if document:
            unit_rows.append(_unit_row(unit, document, place, visits[unit], interviews[unit]))
            places |= _places(document)
        standing = [row for row in interviews[unit] if row["state"] not in ("voided", "erased")]
        for row in interviews[unit]:
            twice = bool(unit) and len(standing) > 1 and row in standing
            interview_rows.append(_interview_row(row, document, place, told, twice))
        if called := fold(str(contacts.get(unit, {}).get("name") or "")):
            name_rows.append((unit, f" {called} "))
    for table in ("board_units", "board_interviews", "board_names"):
        store.execute(f"DELETE FROM {table} WHERE unit {chosen}", (names,))
    # One that was told of another unit before: a row that is replaced tells the counts nothing.
    moved = json.dumps([row[0] for row in interview_rows])
    store.execute(f"DELETE FROM board_interviews WHERE interview {chosen}", (moved,))
    _insert(store, "board_units", 12, unit_rows)
    _insert(store, "board_interviews", 27, interview_rows)
    _insert(store, "board_names", 2, name_rows)
    _insert(store, "board_places", 5, sorted(places))
    store.execute(f"DELETE FROM stale_units WHERE unit {chosen}", (names,))


def _insert(store: Store, table: str, columns: int, rows: list[tuple[Any, ...]]) -> None:
    store.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({', '.join('?' * columns)})", rows)


def _documents(store: Store, where: str, names: str, part: str = "document") -> dict[str, dict[str, Any]]:
    rows = store.execute(
        "SELECT d.subject, p.content FROM documents d JOIN revisions r ON r.id = unhex(substr(d.head, 8))"
        " JOIN parts p ON p.revision = r.number AND p.name = ?"
        f" WHERE {where} IN (SELECT value FROM json_each(?)) AND d.state = 'current'",
        (part, names),
    )
    return {subject: told for subject, content in rows if (told := read_document(content)) is not None}


def _contacts(store: Store, names: str) -> dict[str, dict[str, Any]]:
    return _documents(store, "d.subject_type = 'unit' AND d.subject", names, "contact")


def _place(unit: Mapping[str, Any]) -> tuple[str, str, str]:
    """The codes of a unit's province, commune and village."""
    return str(unit.get("province") or ""), str(unit.get("commune") or ""), str(unit.get("village") or "")


def _named(unit: Mapping[str, Any], level: str) -> str:
    return str(unit.get(f"{level}_name") or unit.get(level) or "")


def _places(unit: Mapping[str, Any]) -> set[tuple[str, str, str, str, str]]:
    parents = {"province": "", "commune": "province", "village": "commune"}
    round = str(unit.get("round", ""))
    return {
        (round, level, str(unit[level]), str(unit.get(parents[level]) or ""), _named(unit, level))
        for level in LEVELS
        if unit.get(level)
    }


def _sorting(unit: Mapping[str, Any]) -> str:
    """Commune by commune, village by village as people count them, main list first, in the order drawn."""
    place = (_named(unit, level) for level in LEVELS)
    try:
        order = int(float(unit.get("order") or 0))
    except (TypeError, ValueError):
        order = 0
    return "\x1f".join(["".join(natural(name)) for name in place] + [str(unit.get("list") or "main"), f"{order:09}"])


def _unit_row(
    unit: str,
    document: Mapping[str, Any],
    place: tuple[str, str, str],
    visits: list[dict[str, Any]],
    interviews: list[dict[str, Any]],
) -> tuple[Any, ...]:
    listed = str(document.get("list") or "main")
    visits = sorted(visits, key=lambda visit: str(visit.get("time", "")))
    paid = [visit for visit in visits if "disposition" in visit]
    codes = fieldlog.codes(paid, interviews)
    opened = any(visit.get("event") == fieldlog.REPLACEMENT for visit in visits)
    return (
        unit,
        str(document.get("round", "")),
        listed,
        int(listed == "main" or (listed == "reserve" and (opened or bool(codes)))),
        *place,
        str(document.get("assignee", "")),
        final(codes).code,
        len(paid),
        str(paid[-1].get("time", "")) if paid else "",
        _sorting(document),
    )


class _Told:
    """What the revisions, parts and receipts of some interviews say, asked for all of them at once."""

    def __init__(self, store: Store, interviews: list[str]):
        names = json.dumps(interviews)
        chosen = "r.subject_type = 'interview' AND r.subject IN (SELECT value FROM json_each(?))"
        self.seals: dict[str, tuple[str, str, str]] = {}
        """interview -> (time, id, actor) of its first seal"""
        self.paradata: dict[str, dict[str, Any]] = {}
        """revision -> its paradata"""
        self.answers: set[str] = set()
        self.tiers: dict[str, set[str]] = defaultdict(set)
        self.points: dict[str, int] = dict(
            store.execute(
                "SELECT interview, sum(points) FROM board_findings WHERE interview IN (SELECT value FROM json_each(?))"
                " GROUP BY interview",
                (names,),
            ).fetchall()
        )
        self.second: set[str] = set()
        """the decisions that are a second approval"""
        self.own = store.tier
        for subject, raw, time, actor in store.execute(
            "SELECT r.subject, r.id, json_extract(CAST(r.header AS TEXT), '$.time'),"
            f" json_extract(CAST(r.header AS TEXT), '$.actor') FROM revisions r WHERE {chosen} AND r.kind = 'sealed'",
            (names,),
        ):
            told = (time, "sha256:" + raw.hex(), actor)
            self.seals[subject] = min(self.seals.get(subject, told), told)
        for raw, name, content in store.execute(
            "SELECT r.id, p.name, CASE p.name WHEN 'answers' THEN NULL ELSE p.content END FROM revisions r"
            f" JOIN parts p ON p.revision = r.number WHERE {chosen} AND p.name IN ('answers', 'paradata', 'decision')",
            (names,),
        ):
            id = "sha256:" + raw.hex()
            if name == "answers":
                self.answers.add(id)
            elif name == "paradata":
                self.paradata[id] = _counted(read_document(content) or {})
            elif (read_document(content) or {}).get("approval") == "second":
                self.second.add(id)
        for raw, tier in store.execute(
            f"SELECT DISTINCT r.id, c.tier FROM revisions r JOIN receipted c ON c.revision = r.number WHERE {chosen}",
            (names,),
        ):
            self.tiers["sha256:" + raw.hex()].add(tier)

    def safe(self, heads: Iterable[str], tier: str) -> int:
        """Whether every current version is at this tier."""
        heads = list(heads)
        return int(bool(heads) and (tier == self.own or all(tier in self.tiers[head] for head in heads)))


def _counted(paradata: Mapping[str, Any]) -> dict[str, Any]:
    """The little of a version's paradata that is counted: the whole of it would be kept for hundreds at once."""
    events = paradata.get("events")
    spent = [event.get("seconds", 0) for event in events if isinstance(event, dict)] if isinstance(events, list) else []

    def count(name: str) -> int:
        found = paradata.get(name)
        return len(found) if isinstance(found, (dict, list)) else 0

    return {
        "seconds": float(sum(one for one in spent if isinstance(one, (int, float)))),
        **{name: count(name) for name in ("kept", "flags", "comments")},
    }


def _interview_row(
    row: Mapping[str, Any], unit: Mapping[str, Any], place: tuple[str, str, str], told: _Told, twice: bool
) -> tuple[Any, ...]:
    time, first, actor = told.seals.get(row["interview"], (row["time"], row["head"], row["actor"]))
    here = told.paradata.get(row["head"] or first, {})
    kept, flags, comments = (int(here.get(name, 0)) for name in ("kept", "flags", "comments"))
    counted = row["state"] not in ("draft", "partial", "erased")
    held = int(counted and any(head in told.answers for head in row["heads"]))
    approvals = (2 if told.second & set(row["decisions"]) else 1) if row["state"] == "approved" else 0
    words = fold(" ".join([*(_named(unit, level) for level in LEVELS), str(unit.get("order") or "")]))
    return (
        row["interview"],
        row["unit"],
        str(unit.get("round", "")),
        str(unit.get("list") or "main"),
        *place,
        actor,
        row["device"],
        row["state"],
        ORDER.index(row["state"]),
        time,
        time[:10],
        float(told.paradata.get(first, {}).get("seconds", 0)),
        kept,
        flags,
        comments,
        int(row["opposed"]),
        int(twice),
        approvals,
        -risk(opposed=row["opposed"], twice=twice, kept=kept, flags=flags, comments=comments)
        - _WORTH * told.points.get(row["interview"], 0),
        held,
        *(int(held and told.safe(row["heads"], tier)) for tier in ("supervisor", "province", "ministry")),
        _sorting(unit),
        f" {words} ",
    )


def risk(*, opposed: bool, twice: bool, kept: int, flags: int, comments: int) -> int:
    """How much an interview wants to be read, from what its own trail says: contradicting decisions and a unit with two
    interviews before all else, then unusual answers that were kept, marks left standing, comments."""
    return 100 * bool(opposed) + 60 * bool(twice) + 10 * min(kept, 5) + 5 * min(flags, 5) + 2 * min(comments, 5)
