"""Improvement plans in the store: the plan a document with its scores file beneath; targets, items and reports are
documents of their own (decision 100), so that two people work on one plan and nothing is overwritten. A unit's list of
agencies is a document too (decision 126)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from survey.errors import InputError
from survey.store import frame
from survey.store.header import hash_text
from survey.store.store import Store
from survey.text import Text, fold

TYPE = "plan"
TARGET, ITEM, REPORT = "target", "item", "report"


def create(
    store: Store,
    body: Mapping[str, Any],
    scores: tuple[str, bytes],
    items: Iterable[Mapping[str, Any]],
    actor: str,
    *,
    now: datetime | None = None,
) -> str:
    """Opens a plan (``name, unit_name, index, known, round, since``) over a scores file, with its drafted items.

    Returns its id."""
    identity = f"k{uuid.uuid4().hex}"
    name, content = scores
    hash = hash_text(content)
    document = {**body, "id": identity, "scores": {"name": name, "hash": hash}}
    with store.transaction():
        frame.issue(store, TYPE, identity, document, actor=actor, blobs={hash: content}, now=now)
        for item in items:
            put(store, identity, ITEM, str(item["id"]), item, actor, now=now)
    return identity


def put(
    store: Store, plan: str, kind: str, name: str, body: Mapping[str, Any], actor: str, *, now: datetime | None = None
) -> str:
    """Puts down one target, item or report of a plan, in the place of what stood under its name."""
    document = {**body, "unit": plan, "kind_of_part": kind}
    return frame.issue(store, TYPE, f"{plan}/{kind}/{name}", document, actor=actor, now=now)


def add(store: Store, plan: str, kind: str, body: Mapping[str, Any], actor: str, *, now: datetime | None = None) -> str:
    """Puts down one more; returns its name."""
    name = uuid.uuid4().hex
    put(store, plan, kind, name, {**body, "name": name}, actor, now=now)
    return name


def read(store: Store, plan: str) -> dict[str, Any]:
    """One plan's document. InputError where there is none."""
    found = frame.document(store, TYPE, plan)
    if found is None or "scores" not in found:
        raise InputError(
            plan, Text("không có kế hoạch này", "there is no such plan"), Text("mở danh sách", "open the list")
        )
    return found


def plans(store: Store) -> list[dict[str, Any]]:
    """All plans, by unit and round."""
    found = [one for one in frame.documents(store, TYPE) if "scores" in one]
    return sorted(found, key=lambda one: (str(one["unit_name"]), str(one["round"]), str(one["name"])))


def parts(store: Store, plan: str, kind: str) -> list[dict[str, Any]]:
    """The targets, items or reports that stand, by name, with ``actor``, ``time`` and ``conflict`` (several heads). One
    that was taken away (``gone``) is left out."""
    own = f"{plan}/{kind}/"
    return [
        one for subject, one in frame.parts_of(store, TYPE, plan) if subject.startswith(own) and not one.get("gone")
    ]


def agencies(store: Store, unit: str) -> dict[str, Any] | None:
    """The agencies of a unit, ``rows`` of ``agencies.csv``; None: none were brought yet."""
    return frame.document(store, TYPE, _agencies(unit))


def put_agencies(
    store: Store, unit: str, rows: Iterable[Mapping[str, str]], actor: str, *, now: datetime | None = None
) -> str:
    """Puts down the whole list of a unit's agencies, with dates, in the place of the one before."""
    body = {"unit_name": unit, "rows": [dict(row) for row in rows]}
    return frame.issue(store, TYPE, _agencies(unit), body, actor=actor, now=now)


def _agencies(unit: str) -> str:
    return "agencies/" + re.sub(r"[^a-z0-9]", "", fold(unit))


def scores(store: Store, plan: Mapping[str, Any]) -> bytes | None:
    """The scores file of a plan; None where it has not come to this machine."""
    found = store.value(
        "SELECT p.content FROM parts p JOIN revisions r ON r.number = p.revision"
        " WHERE r.subject_type = ? AND r.subject = ? AND p.name = ? LIMIT 1",
        (TYPE, plan["id"], plan["scores"]["hash"]),
    )
    return None if found is None else bytes(found)
