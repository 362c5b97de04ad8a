"""Long lists of the board, a page at a time: each page begins after the last row of the one before (keyset), so that
the thousandth page costs what the first one does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from survey.store.store import Store
from survey.store.where import FLAGGED, ONCE, Where
from survey.store.words import Words

ORDERS: dict[str, tuple[str, ...]] = {
    "place": ("need", "sort", "time", "interview"),
    "risk": ("calm", "seconds", "interview"),
    "short": ("seconds", "interview"),
}
"""The orders of interviews: by what needs a person and place; by risk, the shortest first among equals; by length."""


@dataclass(frozen=True)
class Page:
    """Rows of one page, and whether there are rows before and after it."""

    rows: list[dict[str, Any]]
    before: bool
    after: bool


def interviews(
    store: Store,
    where: Where,
    *,
    order: str = "place",
    after: str = "",
    before: str = "",
    limit: int = 100,
    words: Words | None = None,
) -> Page:
    """A page of interviews: the first one, the one ``after`` an interview, or the one ``before`` it."""
    said, values = where.interviews()
    looked, more = (words or Words()).sql(store)
    columns = ORDERS[order]
    narrow = where.person or where.commune or where.village or where.day
    if where.state and order == "place" and not narrow:
        columns = ("state", *columns[1:])  # all alike: the index of one state has them in this order
    return _page(
        store, "board_interviews", "interview", columns, f"{said} AND {looked}", [*values, *more], after, before, limit
    )


def one(store: Store, interview: str) -> dict[str, Any] | None:
    """The row of one interview."""
    rows = store.rows("SELECT * FROM board_interviews WHERE interview = ?", (interview,))
    return rows[0] if rows else None


def unflagged(store: Store, where: Where) -> list[tuple[str, str]]:
    """(interview, enumerator) of what waits for a decision and has nothing that speaks for reading it."""
    said, values = where.also(state="sealed").interviews()
    rows = store.execute(
        f"SELECT interview, enumerator FROM board_interviews WHERE calm = 0 AND {said} ORDER BY interview", values
    )
    return rows.fetchall()


def firsts(store: Store, where: Where) -> dict[str, str]:
    """enumerator -> the first interview that they made, whatever became of it."""
    said, values = where.also(state="").interviews()
    rows = store.execute(
        f"SELECT enumerator, interview, min(time || interview) FROM board_interviews WHERE state <> 'draft' AND {said}"
        " GROUP BY enumerator",
        values,
    )
    return {person: interview for person, interview, _ in rows}


def units(store: Store, where: Where, *, after: str = "", before: str = "", limit: int = 100) -> Page:
    """A page of the units that were to be interviewed, in the order of the list."""
    said, values = where.units()
    return _page(
        store, "board_units", "unit", ("sort", "unit"), f"counted = 1 AND {said}", values, after, before, limit
    )


def _page(
    store: Store,
    table: str,
    key: str,
    columns: Sequence[str],
    said: str,
    values: Sequence[str],
    after: str,
    before: str,
    limit: int,
) -> Page:
    at, back = before or after, bool(before)
    listed = ", ".join(f"b.{column}" for column in columns)
    place: list[Any] = []
    if at:
        found = store.execute(f"SELECT {', '.join(columns)} FROM {table} WHERE {key} = ?", (at,)).fetchone()
        place = list(found) if found else []
    here = f"AND ({listed}) {'<' if back else '>'} ({', '.join('?' * len(columns))})" if place else ""
    direction = " DESC" if back else ""
    rows = store.rows(
        f"SELECT b.* FROM {table} b WHERE {said} {here}"
        f" ORDER BY {', '.join(f'b.{column}{direction}' for column in columns)} LIMIT ?",
        [*values, *place, limit + 1],
    )
    more = len(rows) > limit
    rows = rows[:limit]
    if back:
        return Page(rows[::-1], before=more, after=True)
    return Page(rows, before=bool(place), after=more)


def states(store: Store, where: Where, words: Words | None = None) -> dict[str, int]:
    """How many interviews stand in each state; under :data:`FLAGGED` those that wait and want to be read, under
    :data:`ONCE` those that one person has approved."""
    said, values = where.interviews()
    looked, more = (words or Words()).sql(store)
    found: dict[str, int] = {}
    counted = where.is_counted and not (words and words.query)
    table, columns = ("count_interviews", "b.flagged, b.once, sum(b.n)")
    if not counted:
        table, columns = ("board_interviews", "b.calm < 0, b.approvals = 1, count(*)")
    for state, flagged, once, count in store.execute(
        f"SELECT b.state, {columns} AS c FROM {table} b WHERE {said} AND {looked} GROUP BY 1, 2, 3 HAVING c > 0",
        [*values, *more],
    ):
        also = {FLAGGED: flagged and state == "sealed", ONCE: once}
        for name in (state, *(name for name, holds in also.items() if holds)):
            found[name] = found.get(name, 0) + count
    return found
