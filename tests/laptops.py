"""Laptops and hubs for tests: real stores, real interviews, real sticks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from survey.store import Store, derived, drafts, feed
from survey.store.header import Header, Record
from survey.store.migrations import migrations
from survey.store.store import FILE

FORM = "sha256:" + "ab" * 32


def interview(store: Store, unit: str = "u1", answers: dict[str, Any] | None = None, actor: str = "phoa") -> str:
    """Makes and seals an interview; returns its id."""
    id = drafts.start(store, unit, FORM, actor)
    given = answers or {"q1": "4", "q2": "5"}
    drafts.save(store, id, given)
    drafts.seal(store, id, given, {}, {"phone": "0912 345 678"}, {}, actor)
    return id


def correct(store: Store, id: str, answers: dict[str, Any], actor: str = "phoa") -> str:
    """Takes an interview up again and seals other answers; returns the revision."""
    drafts.take_over(store, id, actor)
    return drafts.seal(store, id, answers, {}, {}, {}, actor, "corrected")


def records(store: Store) -> list[Record]:
    """Everything a store holds, feed by feed."""
    numbers = [number for (number,) in store.execute("SELECT number FROM revisions ORDER BY feed, seq, id")]
    return list(feed.records(store, numbers))


def keys(store: Store) -> dict[str, bytes]:
    """The public keys a store knows."""
    return {row["device"]: row["public_key"] for row in store.rows("SELECT * FROM device_keys")}


def headers(store: Store, *subject: str) -> list[Header]:
    """The headers a store holds."""
    return list(feed.revisions(store, *subject))


def state(store: Store) -> dict[str, Any]:
    """Everything derived, to compare two stores."""
    return derived.snapshot(store)


def clone(store: Store, folder: Path) -> Store:
    """The same laptop a second time, as when its disk is copied."""
    store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copytree(store.folder, folder)
    return Store.open(folder)


@contextmanager
def stores(*made: Store) -> Iterator[tuple[Store, ...]]:
    """Closes them all at the end."""
    try:
        yield made
    finally:
        for store in made:
            store.close()


def set_back_to_the_first_release(instance: Path) -> None:
    """Makes a closed store what the first release would have left: its tables, its number."""
    first, db = Database(memory=True), Database(instance / FILE)
    migrations.apply(first, stop_before="m002_comments")
    for name in first.table_names():
        for column in {one.name for one in db[name].columns} - {one.name for one in first[name].columns}:
            db.execute(f"ALTER TABLE {name} DROP COLUMN {column}")
    for sort in ("trigger", "index", "table"):
        known, there = (
            {name for (name,) in one.execute("SELECT name FROM sqlite_master WHERE type = ? AND sql <> ''", (sort,))}
            for one in (first, db)
        )
        # The index of words takes its own tables along.
        for name in sorted(there - known):
            db.execute(f"DROP {sort} IF EXISTS {name}")
    db.execute("DELETE FROM _sqlite_migrations WHERE name > 'm002'")
    db.execute("PRAGMA user_version = 1")
    db.conn.commit()
    db.close()
    first.close()
