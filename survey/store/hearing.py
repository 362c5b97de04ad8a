"""When each machine was heard of, by this machine's clock: of use to people alone, and never sent."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from survey.store.store import Store, now_text

WAYS = ("stick", "network")


@cache
def program() -> str:
    """The version of this program, as a machine tells it to a hub."""
    try:
        return version("citizen-survey")
    except PackageNotFoundError:
        return ""


def note(store: Store, device: str, way: str, program: str = "", now: datetime | None = None) -> None:
    """Notes that a machine has handed over. An exchange that does not tell the version leaves the one known."""
    store.execute(
        "INSERT INTO heard (device, time, way, program) VALUES (?, ?, ?, ?) ON CONFLICT (device) DO UPDATE"
        " SET time = excluded.time, way = excluded.way,"
        " program = CASE excluded.program WHEN '' THEN heard.program ELSE excluded.program END",
        (device, now_text(now), way, program[:40]),
    )
