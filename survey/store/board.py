"""The board: one row a sample unit and one row an interview, with all that pages count, filter and sort by.

Everything in it follows from documents, interviews, visits and receipts. Triggers note each unit that something
happened to, whoever wrote it; who reads the board brings it up to date first (:func:`refresh`), so that nothing in the
field waits for it. It can be thrown away at any moment (:func:`forget`), and is then made in steps that anybody goes on
with.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from math import inf
from time import monotonic
from typing import Any, NamedTuple

from survey.errors import InUseError
from survey.store.board_rows import LEVELS, ORDER, WORTH, note_people, unit_parts, write
from survey.store.store import BUSY_MS, Store
from survey.text import Text

__all__ = [
    "LEVELS",
    "ORDER",
    "Sign",
    "being_made",
    "forget",
    "is_looked_through",
    "known",
    "note_signs",
    "refresh",
    "signs",
]

_BATCH, _LARGE_BATCH = 500, 2_000
_MANY = 20_000
"""Units from which on an empty board is filled without its indexes, which are made at the end."""
_PATIENCE_MS = 300
"""While a merge writes, pages show the board as it was instead of waiting for the end."""
_ASIDE = "board_indexes"
"""The entry of ``meta`` that has the indexes as SQL while the board is made without them."""


def refresh(store: Store, seconds: float = inf) -> bool:
    """Brings the rows of everything that happened since the last time up to date, for some ``seconds`` at most (a page
    is asked for again). False when there is more to do, or somebody else was writing: then the board is as it was a
    moment ago, or still :func:`being_made`."""
    if _is_fresh(store):
        return True
    store.execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
    until = monotonic() + seconds
    try:
        while not _is_fresh(store):
            with store.transaction():
                _step(store)
            if monotonic() > until:
                return _is_fresh(store)
    except InUseError:
        return False
    finally:
        store.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    return True


def being_made(store: Store) -> tuple[int, int] | None:
    """(units that are in it, all of them) while the board is made from nothing; None when it only follows."""
    if store.value("SELECT 1 FROM meta WHERE name = ?", (_ASIDE,)) is None:
        return None
    left = int(store.value("SELECT count(*) FROM stale_units"))
    every = max(left, int(store.value("SELECT count(*) FROM documents WHERE subject_type = 'unit'")))
    return every - left, every


def _is_fresh(store: Store) -> bool:
    return not store.value(
        "SELECT EXISTS (SELECT 1 FROM stale_units) OR EXISTS (SELECT 1 FROM stale_people)"
        " OR EXISTS (SELECT 1 FROM meta WHERE name = ?)",
        (_ASIDE,),
    )


def _step(store: Store) -> None:
    """Some of the work: the people, then units, then an index that was laid aside. Part of the caller's
    transaction."""
    note_people(store)
    aside = json.loads(store.value("SELECT value FROM meta WHERE name = ?", (_ASIDE,)) or "null")
    if aside is None and _is_worth_laying_aside(store):
        _lay_indexes_aside(store)
        return
    limit = _BATCH if aside is None else _LARGE_BATCH
    wanted = [unit for (unit,) in store.execute("SELECT unit FROM stale_units ORDER BY unit LIMIT ?", (limit,))]
    if wanted:
        write(store, wanted)
        names = json.dumps(wanted)
        store.execute("DELETE FROM stale_units WHERE unit IN (SELECT value FROM json_each(?))", (names,))
    elif aside:
        store.execute(aside.pop())
        store.execute("UPDATE meta SET value = ? WHERE name = ?", (json.dumps(aside), _ASIDE))
    else:
        store.execute("DELETE FROM meta WHERE name = ?", (_ASIDE,))


def _is_worth_laying_aside(store: Store) -> bool:
    if store.value("SELECT 1 FROM board_interviews LIMIT 1") is not None:
        return False
    return bool(store.value("SELECT 1 FROM stale_units LIMIT 1 OFFSET ?", (_MANY,)))


def _lay_indexes_aside(store: Store) -> None:
    """Drops the indexes of the board but the one that filling it needs: kept up row by row over a hundred thousand rows
    they are written many times over, and made at the end once. Whoever is interrupted goes on from here."""
    found = store.execute(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql <> ''"
        " AND tbl_name IN ('board_units', 'board_interviews') AND name <> 'board_interviews_unit' ORDER BY name"
    ).fetchall()
    before = json.loads(store.value("SELECT value FROM meta WHERE name = ?", (_ASIDE,)) or "[]")
    for name, _ in found:
        store.execute(f"DROP INDEX {name}")
    aside = json.dumps(before + [sql for _, sql in found])
    store.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (_ASIDE, aside))


def forget(store: Store) -> None:
    """Throws the board away; the next :func:`refresh` makes it anew."""
    with store.transaction():
        _lay_indexes_aside(store)
        # Emptied row by row, every row would be counted out of the counts, and every word out of the index.
        for table in ("board_units", "board_interviews", "board_words"):
            made = store.execute(
                "SELECT sql FROM sqlite_schema WHERE tbl_name = ? AND sql <> '' ORDER BY type = 'table' DESC", (table,)
            ).fetchall()
            store.execute(f"DROP TABLE {table}")
            for (sql,) in made:
                store.execute(sql)
        store.execute("INSERT INTO board_words (board_words, rank) VALUES ('secure-delete', 1)")
        for table in ("units", "interviews", "days", "safe", "devices"):
            store.execute(f"DELETE FROM count_{table}")
        for table in ("board_places", "board_people"):
            store.execute(f"DELETE FROM {table}")
        store.execute("INSERT OR IGNORE INTO stale_people SELECT subject FROM documents WHERE subject_type = 'user'")
        store.execute(
            "INSERT OR IGNORE INTO stale_units SELECT unit FROM interviews"
            " UNION SELECT subject FROM documents WHERE subject_type = 'unit' UNION SELECT unit FROM drafts"
        )


def known(store: Store, units: Iterable[str]) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """unit -> (document, contact data) of some units, as far as they are here: what a page of them shows."""
    found, private = unit_parts(store, json.dumps(sorted(set(units))))
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
        store.execute(change.format("+", WORTH, points, held), (round,))
        store.execute("DELETE FROM board_findings WHERE round = ?", (round,))
        store.executemany(
            "INSERT INTO board_findings VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(one.interview, n, round, one.name, *one.words, one.points) for n, one in enumerate(signs)],
        )
        store.execute(change.format("-", WORTH, points, held), (round,))
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
