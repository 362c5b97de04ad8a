"""Hubs that listen on this machine, and laptops enrolled at them: for the tests of the exchange over the network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from survey.store import Store
from survey.sync import pairing, rounds
from survey.sync.client import Hub, enrol
from survey.sync.reception import Reception
from survey.sync.server import Listening, listen

HOST = "127.0.0.1"


@contextmanager
def listening(hub: Store) -> Iterator[Listening]:
    """The hub listens on a free port of this machine, over TLS."""
    pairing.ensure_certificate(hub.folder, hub.device)
    idle: list[Store] = []

    def take() -> Store:
        try:
            return idle.pop()
        except IndexError:
            return Store.open(hub.folder)

    fingerprint = pairing.ensure_certificate(hub.folder, hub.device)
    server = listen(Reception(hub.folder, take, idle.append, fingerprint), hub.folder, hub.device, HOST, 0)
    try:
        yield server
    finally:
        server.stop()
        for store in idle:
            store.close()


def address(server: Listening) -> str:
    """Where it listens."""
    return f"https://{HOST}:{server.port}"


def round_of(hub: Store) -> None:
    """A round whose key the hub holds: who enrols is certified by it."""
    rounds.issue_round(hub, {"id": "r2026", "title": {"vi": "Đợt thử", "en": "Trial"}})


def invited(hub: Store, name: str = "", people: list[str] | None = None) -> str:
    """A fresh invitation's code."""
    return str(rounds.invite(hub, name, people or [], datetime.now(UTC)))


def join(store: Store, hub: Store, server: Listening, people: list[str] | None = None) -> Hub:
    """Enrols a laptop at the hub by a code."""
    return enrol(store, address(server), invited(hub, "", people))
