"""Signing in with a PIN. A PIN is short, so guessing must be slow: Argon2id for each try, and a growing delay."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from survey.errors import NotAllowed
from survey.store import audit, reading
from survey.store.store import Store
from survey.text import Text, many

FREE_TRIES = 3
LONGEST_DELAY = 900
"""Seconds. From the fourth wrong PIN on the wait doubles, from two seconds up to this."""


@cache
def _hasher() -> PasswordHasher:
    # OWASP's second profile: 19 MiB, 2 passes. A field laptop has to do it while someone stands at the door.
    return PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


@cache
def _nobody() -> str:
    return _hasher().hash("nobody has this PIN")


def hash_pin(pin: str) -> str:
    """``pin`` as an Argon2id PHC string for a user document."""
    return _hasher().hash(pin)


def delay(failures: int) -> int:
    """Seconds to wait after so many wrong PINs in a row."""
    return 0 if failures < FREE_TRIES else int(min(LONGEST_DELAY, 2 ** (failures - FREE_TRIES + 1)))


def sign_in(store: Store, user: str, pin: str, now: datetime | None = None) -> dict[str, Any]:
    """The user document of a person who knows the PIN.

    Raises NotAllowed for a wrong PIN, an unknown or disabled person, and while the delay after wrong PINs runs; a
    right PIN does not shorten the delay. ``now`` must carry a time zone.
    """
    now = now or datetime.now(UTC)
    # Counted as wrong before it is tried: many tries at once must not all pass while none has failed yet.
    failures, wait = _count_try(store, user, now)
    if wait > 0:
        seconds = max(1, round(wait))
        raise NotAllowed(
            user,
            Text("đã nhập sai PIN nhiều lần", "the PIN was wrong several times"),
            Text(f"thử lại sau {seconds} giây", f"try again in {many(seconds, 'second')}"),
        )
    body = reading.document_bytes(store, "user", user)
    person = json.loads(body) if body else {}
    # An unknown person costs the same time as a known one, so that names cannot be found out by a stop-watch.
    right = _matches(str(person.get("pin") or _nobody()), pin) and bool(person.get("pin"))
    if right and not person.get("disabled"):
        with store.transaction():
            store.execute("UPDATE sign_ins SET failures = 0, was_here = 1 WHERE user = ?", (user,))
            audit.note(store, "sign_in", actor=user, now=now)
        return person
    # Of somebody who is not known here only that it was tried: what was typed may be anything, a PIN for one.
    audit.note(store, "sign_in_failed", actor=user if person else "", detail={"wrong": failures}, now=now)
    wait = delay(failures)
    again = (
        Text(f"thử lại sau {wait} giây", f"try again in {many(wait, 'second')}")
        if wait
        else Text("thử lại", "try again")
    )
    raise NotAllowed(user, Text("người dùng hoặc PIN không đúng", "the person or the PIN is not right"), again)


def count_guess(store: Store, name: str, now: datetime) -> None:
    """Counts a try at something else that must not be guessed, under ``name``; NotAllowed while the delay runs."""
    _, wait = _count_try(store, name, now)
    if wait > 0:
        seconds = max(1, round(wait))
        raise NotAllowed(
            name,
            Text("đã nhập sai nhiều lần", "it was wrong several times"),
            Text(f"thử lại sau {seconds} giây", f"try again in {many(seconds, 'second')}"),
        )


def guessed_right(store: Store, name: str) -> None:
    """Ends the delay that wrong tries under ``name`` have made."""
    store.execute("UPDATE sign_ins SET failures = 0 WHERE user = ?", (name,))


def _count_try(store: Store, user: str, now: datetime) -> tuple[int, float]:
    """(tries in a row, this one included; seconds still to wait). A try that must wait does not count."""
    moment = now.isoformat(timespec="seconds")
    with store.transaction():
        rows = store.rows("SELECT failures, last FROM sign_ins WHERE user = ?", (user,))
        failures = rows[0]["failures"] if rows else 0
        last = datetime.fromisoformat(rows[0]["last"]) if rows else now
        if now < last:
            # The clock was set back; without this the person would be locked out until it catches up.
            last = now
            store.execute("UPDATE sign_ins SET last = ? WHERE user = ?", (moment, user))
        wait = delay(failures) - (now - last).total_seconds()
        if wait > 0:
            return failures, wait
        store.execute(
            "INSERT INTO sign_ins (user, failures, last, was_here) VALUES (?, 1, ?, 0)"
            " ON CONFLICT (user) DO UPDATE SET failures = failures + 1, last = excluded.last",
            (user, moment),
        )
        return failures + 1, 0.0


def _matches(hashed: str, pin: str) -> bool:
    try:
        return _hasher().verify(hashed, pin)
    except (VerificationError, InvalidHashError):
        return False
