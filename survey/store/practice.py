"""Practice interviews: made in a store of their own below the instance, which never merges and is never merged.

The store in ``practice/`` has its own key, and its feed's epoch begins with ``practice-``: every revision of it says in
its signed header that it is practice, :func:`survey.store.merge.unite` takes none, anywhere, and no bundle is written
of it (decision 113). What leaves it is the result against a key, as an event of the real store.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from survey.fieldwork import practice as marking
from survey.store import drafts, fieldlog, frame, reading, vault
from survey.store.store import FILE, Store

FOLDER = "practice"
KEY = Path("keys", "practice.key")
"""Of an encrypted instance: the passphrase of its practice store, which nobody types, sealed as its other keys are."""

ATTEMPT = "practice"
"""The event of the real store that tells how somebody played a set."""

FREE = ""
"""In place of a set's id: practice without a script."""


def exists(instance: Path) -> bool:
    """Whether anybody has practised on this machine."""
    return (instance / FOLDER / FILE).is_file()


def opened(instance: Path) -> Store:
    """The practice store below an instance whose own store is open (unlocked), made where there is none yet."""
    folder = instance / FOLDER
    phrase = ""
    if vault.is_encrypted(instance):
        if not (instance / KEY).is_file():
            vault.write_secret(instance / KEY, secrets.token_hex(32).encode())
        phrase = vault.read_secret(instance / KEY).decode()
    if not exists(instance):
        return Store.create(folder, "device", name="practice", passphrase=phrase, practice=True)
    if vault.is_locked(folder):
        vault.unlock(folder, phrase)
    return Store.open(folder)


def sets(store: Store) -> list[dict[str, Any]]:
    """The practice sets of all rounds, each with its ``round``: ``id, title, pass, questionnaire_hash, key``."""
    return [{**one, "round": str(round["id"])} for round in frame.rounds(store) for one in round.get("practice") or ()]


def place_of(store: Store, round: str) -> dict[str, str]:
    """The place in which practice is played: the frame's columns of the first unit here, so that questions which are
    filled or filtered by them work; never who lives there."""
    document = frame.round_document(store, round)
    first = next(iter(frame.units(store, round)), {})
    places = (f"{one}{end}" for one in ("province", "commune", "village") for end in ("", "_name"))
    wanted = dict.fromkeys([*(document.get("frame_columns") or ()), *places])
    return {str(name): str(first[name]) for name in wanted if isinstance(first.get(name), (str, int, float))}


def begin(
    store: Store, practice: Store, person: Mapping[str, Any], round: str, set: str, now: datetime, *, name: str = ""
) -> str:
    """Begins a practice interview in ``practice`` (an open practice store) with the round, questionnaire and person of
    the real ``store``; returns its id. ``name`` is what the played respondent is called. InputError for a round or a
    questionnaire that is not here."""
    document = frame.round_document(store, round)
    chosen = next((one for one in sets(store) if (one["round"], one["id"]) == (round, set)), None)
    hash = str(chosen["questionnaire_hash"] if chosen else document["questionnaire_hash"])
    compiled = frame.compiled(store, hash)
    unit = frame.new_id("unit")
    columns = chosen["columns"] if chosen else place_of(store, round)
    body = {**columns, "id": unit, "round": round, "list": "main", "order": "1"}
    body |= {"assignee": str(person["id"]), "set": set}
    with practice.transaction():
        frame.issue(practice, "questionnaire", hash, compiled, now=now)
        frame.issue(practice, "round", round, document, now=now)
        frame.issue(practice, "user", str(person["id"]), person, now=now)
        frame.issue(practice, "unit", unit, body, {"name": name} if name else None, now=now)
        return drafts.start(practice, unit, hash, str(person["id"]), now)


def note(
    store: Store, unit: Mapping[str, Any], answers: Mapping[str, Any], actor: str, started: str, now: datetime
) -> str:
    """Notes in the real store how somebody played the set of a practice unit; "" for practice without a script.
    ``answers`` are as :func:`survey.fieldwork.practice.asked` gives them. They travel with the event, so that a key
    that is mended later marks them anew."""
    if not unit.get("set"):
        return ""
    body = {"set": str(unit["set"]), "answers": dict(answers), "started": started}
    return fieldlog.write(store, ATTEMPT, body, round=str(unit["round"]), actor=actor, now=now)


def attempts(store: Store, round: str, set: str, actor: str | None = None) -> list[dict[str, Any]]:
    """The attempts at a set, the oldest first, of everybody or of one person; each with ``score`` against the key of
    today."""
    key: marking.Key = next((one["key"] for one in sets(store) if (one["round"], one["id"]) == (round, set)), {})
    return [
        {**event, "score": marking.score(key, event.get("answers") or {})}
        for event in fieldlog.read(store, ATTEMPT, round=round)
        if event.get("set") == set and actor in (None, event["actor"])
    ]


def played(practice: Store, actor: str | None = None) -> list[dict[str, Any]]:
    """The sealed practice interviews of a practice store, the newest first: what a key can be made of."""
    found = [row for row in reading.interviews(practice) if row["state"] == "sealed" and actor in (None, row["actor"])]
    return sorted(found, key=lambda row: str(row["time"]), reverse=True)
