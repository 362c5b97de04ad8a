"""What of this store is already in its second copy: noted per place, so that each copy adds only what is new."""

from __future__ import annotations

import json
from pathlib import Path

from survey.store.store import Store


def pending(store: Store, place: Path) -> list[int]:
    """Database numbers, feed by feed, of the revisions that are not in the copy at ``place``, or got a part since."""
    noted = _noted(store, place)
    rows = store.execute(
        "SELECT number FROM revisions r WHERE number > :revision OR EXISTS"
        " (SELECT 1 FROM parts p WHERE p.revision = r.number AND p.number > :part) ORDER BY feed, seq, id",
        {"revision": noted.get("revision", 0), "part": noted.get("part", 0)},
    )
    return [number for (number,) in rows]


def last_bundle(store: Store, place: Path) -> str:
    """The name of the last bundle of the copy at ``place``; empty before the first."""
    return str(_noted(store, place).get("bundle", ""))


def note(store: Store, place: Path, bundle: str) -> None:
    """Notes that the copy at ``place`` now has everything; its last bundle is ``bundle``."""
    state = {
        "revision": store.value("SELECT coalesce(max(number), 0) FROM revisions"),
        "part": store.value("SELECT coalesce(max(number), 0) FROM parts"),
        "bundle": bundle,
    }
    store.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (_name(place), json.dumps(state)))


def forget(store: Store, place: Path) -> None:
    """The copy at ``place`` begins anew: another stick stands there now."""
    store.execute("DELETE FROM meta WHERE name = ?", (_name(place),))


def _noted(store: Store, place: Path) -> dict[str, object]:
    found = store.value("SELECT value FROM meta WHERE name = ?", (_name(place),))
    return dict(json.loads(found)) if found else {}


def _name(place: Path) -> str:
    return f"copied to {place}"
