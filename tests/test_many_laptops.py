"""Many laptops at once at one hub, over HTTPS on this machine's own address."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from survey.store import Store, feed, frame, receipts, verify
from survey.store.merge import unite
from survey.sync import client, exchange, rounds
from survey.sync.server import Listening
from tests import network
from tests.laptops import interview

INTERVIEWS = 10


@pytest.mark.soak
def test_many_laptops_push_at_once_and_nothing_is_lost(tmp_path: Path, hub: Store, trials: Callable[[int, int], int]):
    many = trials(8, 200)
    network.round_of(hub)
    answers = {f"group/q{number}": str(number % 5 + 1) for number in range(250)}
    with network.listening(hub) as listening:
        made: dict[Path, list[str]] = {}
        for number in range(many):
            with Store.create(tmp_path / f"laptop{number}") as store:
                _enrolled(store, hub, listening)
                made[store.folder] = [interview(store, f"u{number}-{n}", answers) for n in range(INTERVIEWS)]

        def push(folder: Path) -> float:
            start = time.monotonic()
            with Store.open(folder) as store:
                exchange.sync(store, [network.address(listening)])
                assert receipts.conservation(store).pending == 0
                for one in made[folder]:
                    assert receipts.safe_at(store, one) == ["device", "supervisor"]
            return time.monotonic() - start

        start = time.monotonic()
        with ThreadPoolExecutor(many) as pool:
            took = sorted(pool.map(push, made))
        whole = time.monotonic() - start
    held = {row[0] for row in hub.execute("SELECT interview FROM interviews WHERE state = 'sealed'")}
    assert held == {one for own in made.values() for one in own}
    assert verify.verify(hub).problems == []
    print(
        f"\n{many} laptops at once, {many * INTERVIEWS} interviews of 250 answers: {whole:.1f} s,"
        f" {many * INTERVIEWS / whole:.0f} interviews/s; a laptop waits {took[len(took) // 2]:.1f} s (median),"
        f" {took[-1]:.1f} s (longest); errors 0, lost 0"
    )


def _enrolled(store: Store, hub: Store, listening: Listening) -> None:
    """Enrols without the code, whose slow key is the subject of other tests."""
    (number,) = store.execute("SELECT number FROM revisions").fetchone()
    unite(hub, feed.records(store, [number]), "", {store.device: store.key.public})
    rounds.enrol(hub, frame.document(hub, "device", store.device) or {})
    rounds.confirm(store, next(iter(rounds.confirmed(hub))))
    client.pin(store, client.Hub(network.address(listening), hub.device, listening.reception.fingerprint))
