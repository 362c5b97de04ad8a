"""Many laptops at once at one hub, over HTTPS on this machine's own address."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

import pytest

from survey.store import Store, feed, frame, receipts, verify
from survey.store.merge import unite
from survey.sync import client, rounds
from survey.sync.server import Listening
from tests import network
from tests.laptops import interview
from tests.tried import tried

INTERVIEWS = 10
PROCESSES = 4
"""Laptops share these among them, so that they do not share the hub's interpreter."""


def made(folder: Path, number: int) -> list[str]:
    """A new laptop with interviews of 250 answers; returns their ids."""
    answers = {f"group/q{question}": str(question % 5 + 1) for question in range(250)}
    with Store.create(folder) as store:
        return [interview(store, f"u{number}-{n}", answers) for n in range(INTERVIEWS)]


def pushed(folder: Path, address: str, interviews: list[str]) -> tuple[float, float, float]:
    """When a laptop began its exchange, when everything of it was at the hub with a receipt, and when it had all that
    the hub has for it."""
    start = given = time.monotonic()

    def progress(way: str, done: int, whole: int) -> None:
        nonlocal given
        if way == "give":
            given = time.monotonic()

    with Store.open(folder) as store:
        client.exchange(store, address, progress=progress)
        assert receipts.conservation(store).pending == 0
        for one in interviews:
            assert receipts.safe_at(store, one) == ["device", "supervisor"]
    return start, given, time.monotonic()


def all_at_once(laptops: dict[Path, list[str]], address: str) -> list[tuple[float, float, float]]:
    """Some of the laptops, each in a thread of this process."""
    with ThreadPoolExecutor(len(laptops)) as pool:
        return list(pool.map(pushed, laptops, repeat(address), laptops.values()))


@pytest.mark.soak
def test_many_laptops_push_at_once_and_nothing_is_lost(tmp_path: Path, hub: Store, trials: Callable[[int, int], int]):
    many = trials(8, 200)
    network.round_of(hub)
    with network.listening(hub) as listening, ProcessPoolExecutor(PROCESSES, get_context("spawn")) as processes:
        folders = [tmp_path / f"laptop{number}" for number in range(many)]
        laptops = dict(zip(folders, processes.map(made, folders, range(many)), strict=True))
        for folder in folders:
            with Store.open(folder) as store:
                _enrolled(store, hub, listening)
        parts = [dict(list(laptops.items())[start::PROCESSES]) for start in range(PROCESSES)]
        times = [one for part in processes.map(all_at_once, parts, repeat(network.address(listening))) for one in part]
    held = {row[0] for row in hub.execute("SELECT interview FROM interviews WHERE state = 'sealed'")}
    assert held == {one for own in laptops.values() for one in own}
    assert verify.verify(hub).problems == []
    tried(many)
    start = min(began for began, _, _ in times)
    safe, whole = (max(row[column] for row in times) - start for column in (1, 2))
    waits = sorted(given - began for began, given, _ in times)
    print(
        f"\n{many} laptops at once, {many * INTERVIEWS} interviews of 250 answers:"
        f" all at the hub with receipts after {safe:.1f} s ({many * INTERVIEWS / safe:.0f} interviews/s;"
        f" a laptop waits {waits[len(waits) // 2]:.1f} s in the middle, {waits[-1]:.1f} s at most),"
        f" everybody has everybody's headers after {whole:.1f} s; errors 0, lost 0"
    )


def _enrolled(store: Store, hub: Store, listening: Listening) -> None:
    """Enrols without the code, whose slow key is the subject of other tests."""
    (number,) = store.execute("SELECT number FROM revisions WHERE subject_type = 'device'").fetchone()
    unite(hub, feed.records(store, [number]), "", {store.device: store.key.public})
    rounds.enrol(hub, frame.document(hub, "device", store.device) or {})
    rounds.confirm(store, next(iter(rounds.confirmed(hub))))
    client.pin(store, client.Hub(network.address(listening), hub.device, listening.reception.fingerprint))
