"""The rows of the board (:mod:`survey.store.board`), made of what documents, interviews, visits and receipts say."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from survey.fieldwork.dispositions import final
from survey.fieldwork.measures import Events, scanned
from survey.store import fieldlog, frame, reading
from survey.store.header import read_document
from survey.store.store import Store
from survey.store.words import indexed
from survey.text import natural

ORDER = ("conflict", "sealed", "returned", "approved", "voided", "partial", "draft", "erased")
"""The states in the order in which they need a person."""

LEVELS = ("province", "commune", "village")

WORTH = 10
"""What a point of a quality finding adds to the risk."""

_CHOSEN = "IN (SELECT value FROM json_each(?))"

Row = tuple[Any, ...]


def write(store: Store, wanted: list[str]) -> None:
    """Makes the rows of some units and of their interviews anew. Part of the caller's transaction."""
    names = json.dumps(wanted)
    units, contacts = unit_parts(store, names)
    visits: dict[str, list[dict[str, Any]]] = defaultdict(list)
    # Of a unit that is not known nothing is shown, and what a machine notes of itself (its log) has none.
    for visit in _visits(store, json.dumps(sorted(units))):
        visits[str(visit.get("unit", ""))].append(visit)
    interviews: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in reading.interviews(store, units=wanted):
        interviews[row["unit"]].append(row)
    told = _Told(store, [row["interview"] for rows in interviews.values() for row in rows])
    people = dict(store.execute("SELECT person, words FROM board_people").fetchall())
    unit_rows, interview_rows, places = [], list[Row](), set()
    words: dict[str, tuple[str, str, str]] = {}
    for unit in wanted:
        document = units.get(unit, {})
        if document:
            unit_rows.append(_unit_row(unit, document, visits[unit], interviews[unit]))
            places |= _places(document)
        standing = [row for row in interviews[unit] if row["state"] not in ("voided", "erased")]
        place = " ".join([*(_named(document, level) for level in LEVELS), str(document.get("order") or "")])
        called = str(contacts.get(unit, {}).get("name") or "")
        for row in interviews[unit]:
            twice = bool(unit) and len(standing) > 1 and row in standing
            made = _interview_row(row, document, told, twice)
            interview_rows.append(made)
            words[row["interview"]] = _indexed(place), _indexed(called), people.get(made[7], "")
    numbers = _write_words(store, names, words)
    store.execute(f"DELETE FROM board_units WHERE unit {_CHOSEN}", (names,))
    store.execute(f"DELETE FROM board_interviews WHERE unit {_CHOSEN}", (names,))
    # One that was told of another unit before: a row that is replaced tells the counts nothing.
    store.execute(f"DELETE FROM board_interviews WHERE interview {_CHOSEN}", (json.dumps(list(words)),))
    _insert(store, "board_units", unit_rows)
    _insert(store, "board_interviews", [(numbers[row[0]], *row) for row in interview_rows])
    _insert(store, "board_places", sorted(places))


def note_people(store: Store) -> None:
    """Takes in how the people who interview are called now; the units of those who are called otherwise are out of
    date. Part of the caller's transaction."""
    stale = {person for (person,) in store.execute("SELECT person FROM stale_people")}
    if not stale:
        return
    before = dict(store.execute("SELECT person, words FROM board_people").fetchall())
    now = {str(one["id"]): indexed(str(one.get("name") or "")) for one in frame.people(store) if "id" in one}
    changed = [person for person in stale if before.get(person, "") != now.get(person, "")]
    store.executemany(
        "INSERT OR REPLACE INTO board_people VALUES (?, ?)", [(person, now.get(person, "")) for person in changed]
    )
    store.execute(
        f"INSERT OR IGNORE INTO stale_units SELECT unit FROM board_interviews WHERE enumerator {_CHOSEN}",
        (json.dumps(changed),),
    )
    store.execute("DELETE FROM stale_people")


def unit_parts(store: Store, names: str) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """unit -> document, and unit -> contact data, of some units (a JSON list), as far as they are here."""
    found: dict[str, dict[str, dict[str, Any]]] = {"document": {}, "contact": {}}
    for subject, name, content in store.execute(
        "SELECT d.subject, p.name, p.content FROM json_each(?) w"
        " CROSS JOIN documents d ON d.subject_type = 'unit' AND d.subject = w.value AND d.state = 'current'"
        " CROSS JOIN revisions r ON r.subject = d.subject AND r.subject_type = 'unit'"
        "  AND r.id = unhex(substr(d.head, 8))"
        " JOIN parts p ON p.revision = r.number AND p.name IN ('document', 'contact')",
        (names,),
    ):
        told = read_document(content)
        if told is not None:
            found[name][subject] = told
    return found["document"], found["contact"]


def _visits(store: Store, units: str) -> Iterator[dict[str, Any]]:
    for (content,) in store.execute(
        "SELECT p.content FROM documents d JOIN revisions r ON r.id = unhex(substr(d.head, 8))"
        " JOIN parts p ON p.revision = r.number AND p.name = 'document'"
        f" WHERE d.subject_type = 'visit' AND d.unit {_CHOSEN} AND d.state = 'current'",
        (units,),
    ):
        if (told := read_document(content)) is not None:
            yield told


def _write_words(store: Store, units: str, words: Mapping[str, tuple[str, str, str]]) -> dict[str, int]:
    """Brings the index of words up to date, touching only what changed in it; returns the number of each interview."""
    held = {
        interview: (number, (place, name, person))
        for interview, number, place, name, person in store.execute(
            "SELECT b.interview, b.number, w.place, w.name, w.person FROM board_interviews b"
            f" LEFT JOIN board_words w ON w.rowid = b.number WHERE b.unit {_CHOSEN} OR b.interview {_CHOSEN}",
            (units, json.dumps(list(words))),
        )
    }
    new = [interview for interview in words if interview not in held]
    after = int(store.value("SELECT coalesce(max(number), 0) FROM board_interviews")) + 1
    numbers = {interview: number for interview, (number, _) in held.items()}
    numbers |= {interview: after + n for n, interview in enumerate(new)}
    changed = [interview for interview, told in words.items() if interview not in held or held[interview][1] != told]
    gone = [held[interview][0] for interview in {*held} - {*words} | {*changed} & {*held}]
    store.execute(f"DELETE FROM board_words WHERE rowid {_CHOSEN}", (json.dumps(gone),))
    store.executemany(
        "INSERT INTO board_words (rowid, place, name, person) VALUES (?, ?, ?, ?)",
        [(numbers[interview], *words[interview]) for interview in changed],
    )
    return numbers


def _insert(store: Store, table: str, rows: list[Row]) -> None:
    if rows:
        store.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)


# -- one row ------------------------------------------------------------------------------------------------------


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


# Names of places come back with every unit that lies there.
_indexed = lru_cache(50_000)(indexed)


@lru_cache(50_000)
def _counted_on(name: str) -> str:
    return "".join(natural(name))


def _sorting(unit: Mapping[str, Any]) -> str:
    """Commune by commune, village by village as people count them, main list first, in the order drawn."""
    place = (_named(unit, level) for level in LEVELS)
    try:
        order = int(float(unit.get("order") or 0))
    except (TypeError, ValueError):
        order = 0
    return "\x1f".join([*map(_counted_on, place), str(unit.get("list") or "main"), f"{order:09}"])


def _unit_row(
    unit: str, document: Mapping[str, Any], visits: list[dict[str, Any]], interviews: list[dict[str, Any]]
) -> Row:
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
        *_place(document),
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
        self.seals: dict[str, tuple[str, str, str]] = {}
        """interview -> (time, id, actor) of its first seal"""
        self.paradata: dict[str, dict[str, Any]] = {}
        """revision -> its paradata"""
        self.answers: set[str] = set()
        self.tiers: dict[str, set[str]] = defaultdict(set)
        self.points: dict[str, int] = dict(
            store.execute(
                f"SELECT interview, sum(points) FROM board_findings WHERE interview {_CHOSEN} GROUP BY interview",
                (names,),
            ).fetchall()
        )
        self.second: set[str] = set()
        """the decisions that are a second approval"""
        self.own = store.tier
        revisions = dict[int, str]()
        for number, subject, raw, time, actor in store.execute(
            "SELECT r.number, r.subject, r.id, CASE r.kind WHEN 'sealed' THEN CAST(r.header AS TEXT) ->> '$.time' END,"
            " CASE r.kind WHEN 'sealed' THEN CAST(r.header AS TEXT) ->> '$.actor' END FROM json_each(?) w"
            " CROSS JOIN revisions r ON r.subject = w.value AND r.subject_type = 'interview'",
            (names,),
        ):
            revisions[number] = id = "sha256:" + raw.hex()
            if time is not None:
                told = (time, id, actor)
                self.seals[subject] = min(self.seals.get(subject, told), told)
        numbers = json.dumps(list(revisions))
        for number, name, content in store.execute(
            "SELECT p.revision, p.name, CASE p.name WHEN 'answers' THEN NULL ELSE p.content END FROM json_each(?) w"
            " CROSS JOIN parts p ON p.revision = w.value AND p.name IN ('answers', 'paradata', 'decision')",
            (numbers,),
        ):
            id = revisions[number]
            if name == "answers":
                self.answers.add(id)
            elif name == "paradata":
                self.paradata[id] = _counted(scanned(content))
            elif (read_document(content) or {}).get("approval") == "second":
                self.second.add(id)
        for number, tier in store.execute(
            "SELECT DISTINCT c.revision, c.tier FROM json_each(?) w CROSS JOIN receipted c ON c.revision = w.value",
            (numbers,),
        ):
            self.tiers[revisions[number]].add(tier)

    def safe(self, heads: Iterable[str], tier: str) -> int:
        """Whether every current version is at this tier."""
        heads = list(heads)
        return int(bool(heads) and (tier == self.own or all(tier in self.tiers[head] for head in heads)))


def _counted(paradata: Mapping[str, Any]) -> dict[str, Any]:
    """The little of a version's paradata that is counted: the whole of it would be kept for hundreds at once."""
    events = paradata.get("events")
    if isinstance(events, Events):
        seconds = sum(events.spent)
    else:
        spent = (
            [event.get("seconds", 0) for event in events if isinstance(event, dict)] if isinstance(events, list) else []
        )
        seconds = sum(one for one in spent if isinstance(one, (int, float)))

    def count(name: str) -> int:
        found = paradata.get(name)
        return len(found) if isinstance(found, (dict, list)) else 0

    return {
        "seconds": float(seconds),
        **{name: count(name) for name in ("kept", "flags", "comments")},
    }


def _interview_row(row: Mapping[str, Any], unit: Mapping[str, Any], told: _Told, twice: bool) -> Row:
    """A row without its number."""
    time, first, actor = told.seals.get(row["interview"], (row["time"], row["head"], row["actor"]))
    here = told.paradata.get(row["head"] or first, {})
    kept, flags, comments = (int(here.get(name, 0)) for name in ("kept", "flags", "comments"))
    counted = row["state"] not in ("draft", "partial", "erased")
    held = int(counted and any(head in told.answers for head in row["heads"]))
    approvals = (2 if told.second & set(row["decisions"]) else 1) if row["state"] == "approved" else 0
    return (
        row["interview"],
        row["unit"],
        str(unit.get("round", "")),
        str(unit.get("list") or "main"),
        *_place(unit),
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
        - WORTH * told.points.get(row["interview"], 0),
        held,
        *(int(held and told.safe(row["heads"], tier)) for tier in ("supervisor", "province", "ministry")),
        _sorting(unit),
    )


def risk(*, opposed: bool, twice: bool, kept: int, flags: int, comments: int) -> int:
    """How much an interview wants to be read, from what its own trail says: contradicting decisions and a unit with two
    interviews before all else, then unusual answers that were kept, marks left standing, comments."""
    return 100 * bool(opposed) + 60 * bool(twice) + 10 * min(kept, 5) + 5 * min(flags, 5) + 2 * min(comments, 5)
