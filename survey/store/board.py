"""The board: one row a sample unit and one row an interview, with all that pages count, filter and sort by.

Everything in it follows from documents, interviews, visits and receipts. Triggers note each unit that something
happened to, whoever wrote it; who reads the board brings it up to date first (:func:`refresh`), so that nothing in the
field waits for it. It can be thrown away at any moment (:func:`forget`).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from survey.errors import InUseError
from survey.store.board_rows import LEVELS, ORDER, WORTH, note_people, unit_parts, write
from survey.store.store import BUSY_MS, Store
from survey.text import Text

__all__ = ["LEVELS", "ORDER", "Sign", "forget", "is_looked_through", "known", "note_signs", "refresh", "signs"]

_BATCH = 500
_PATIENCE_MS = 300
"""While a merge writes, pages show the board as it was instead of waiting for the end."""


def refresh(store: Store) -> bool:
    """Brings the rows of everything that happened since the last time up to date. False when somebody else was
    writing, so that the board is as it was a moment ago."""
    if _is_fresh(store):
        return True
    store.execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
    try:
        while not _is_fresh(store):
            with store.transaction():
                note_people(store)
                wanted = [unit for (unit,) in store.execute("SELECT unit FROM stale_units LIMIT ?", (_BATCH,))]
                write(store, wanted)
                names = json.dumps(wanted)
                store.execute("DELETE FROM stale_units WHERE unit IN (SELECT value FROM json_each(?))", (names,))
    except InUseError:
        return False
    finally:
        store.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    return True


def _is_fresh(store: Store) -> bool:
    waiting = "SELECT EXISTS (SELECT 1 FROM stale_units) OR EXISTS (SELECT 1 FROM stale_people)"
    return not store.value(waiting)


def forget(store: Store) -> None:
    """Throws the board away; the next :func:`refresh` makes it anew."""
    with store.transaction():
        for table in ("board_units", "board_interviews", "board_places", "board_people"):
            store.execute(f"DELETE FROM {table}")
        # Row by row the index would be emptied word by word.
        made = store.value("SELECT sql FROM sqlite_schema WHERE name = 'board_words'")
        store.execute("DROP TABLE board_words")
        store.execute(made)
        store.execute("INSERT INTO board_words (board_words, rank) VALUES ('secure-delete', 1)")
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
