"""Two versions of one interview put together without a person, where nothing speaks against it.

That is: both build on one earlier version, they changed different questions, and what comes of it passes every check of
the questionnaire. Everything else stays in conflict until a person decides (:func:`survey.store.decisions.settle`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from survey.errors import InputError
from survey.questionnaire.model import Answers, Questionnaire
from survey.questionnaire.path import Context, open_path
from survey.store import feed, reading
from survey.store.header import CONTENT_KINDS, Header
from survey.store.store import Store

REASON = "two sides changed different questions"


def combine_all(store: Store, interviews: Iterable[str], now: datetime | None = None) -> list[str]:
    """Combines those of these interviews where nothing speaks against it; returns the ones that still wait for a
    person."""
    return [interview for interview in interviews if not combine(store, interview, now)]


def combine(store: Store, interview: str, now: datetime | None = None) -> str:
    """Combines one interview's two versions; returns the new revision's id, or "" when a person has to decide."""
    headers = {h.id: h for h in feed.revisions(store, "interview", interview) if h.kind in CONTENT_KINDS}
    rows = reading.interviews(store, interview=interview)
    if not rows or rows[0]["state"] != "conflict" or len(rows[0]["heads"]) != 2:
        return ""
    left, right = rows[0]["heads"]
    base = _base(headers, left, right)
    if base is None or "partial" in (headers[left].kind, headers[right].kind):
        return ""
    about = {(headers[id].questionnaire_hash, headers[id].target) for id in (base, left, right)}
    compiled = reading.document_bytes(store, "questionnaire", headers[left].questionnaire_hash)
    if len(about) != 1 or compiled is None:
        return ""
    try:
        versions = [reading.content(store, interview, id) for id in (base, left, right)]
    except InputError:
        return ""  # one of them is not here
    questionnaire = Questionnaire.from_json(compiled)
    unit = headers[left].target
    context = _context(store, interview, unit, versions[1], now)
    given = [_given(questionnaire, version, context) for version in versions]
    together = _merged(*given)
    kept = {**_part(versions[1], "kept"), **_part(versions[2], "kept")}
    if together is None:
        return ""
    way = open_path(questionnaire, together, context)
    if way.problems() or any(doubt.path not in kept for doubt in way.doubts()):
        return ""
    answers, off_path, contact = way.sealed
    comments = {**_part(versions[1], "comments"), **_part(versions[2], "comments")}
    paradata = {**versions[1]["paradata"], "comments": comments, "kept": kept}
    parts: dict[str, Any] = {"answers": answers, "off_path": off_path, "contact": contact, "paradata": paradata}
    return feed.append(
        store,
        subject_type="interview",
        subject=interview,
        kind="combined",
        parts={
            **{name: part for name, part in parts.items() if part},
            "decision": {"reason": REASON, "chosen": ""},
        },
        parents=[left, right],
        target=unit,
        questionnaire_hash=headers[left].questionnaire_hash,
        now=now,
    )


def _base(headers: Mapping[str, Header], left: str, right: str) -> str | None:
    """The one version that both build on and that no other common one builds on; None when there is none or several."""
    common = _ancestors(headers, left) & _ancestors(headers, right)
    newest = common - {older for id in common for older in _ancestors(headers, id) - {id}}
    return newest.pop() if len(newest) == 1 else None


def _ancestors(headers: Mapping[str, Header], id: str) -> set[str]:
    found: set[str] = set()
    stack = [id]
    while stack:
        at = stack.pop()
        if at in headers and at not in found:
            found.add(at)
            stack.extend(headers[at].parents)
    return found


def _context(store: Store, interview: str, unit: str, version: Mapping[str, Any], now: datetime | None) -> Context:
    body = reading.document_bytes(store, "unit", unit)
    columns = json.loads(body) if body else {}
    return Context(
        frame={name: str(value) for name, value in columns.items() if isinstance(value, (str, int, float))},
        now=now or datetime.now(UTC).astimezone(),
        username=str(version["actor"]),
        deviceid=str(version["device"]),
        interview=interview,
    )


def _given(questionnaire: Questionnaire, version: Mapping[str, Any], context: Context) -> Answers:
    """What people answered in one version: what is worked out from it follows anew."""
    everything: Answers = {**version["off_path"], **version["answers"], **version["contact"]}
    way = open_path(questionnaire, everything, context)
    worked_out = {entry.path for entry in way.entries if not entry.node.control or entry.read_only}
    return {path: value for path, value in everything.items() if path not in worked_out}


def _merged(base: Answers, left: Answers, right: Answers) -> Answers | None:
    """Three-way by question; None when one question was changed in two ways."""
    together: Answers = {}
    for path in base.keys() | left.keys() | right.keys():
        before, one, other = base.get(path), left.get(path), right.get(path)
        if one != other and before not in (one, other):
            return None
        value = other if one == before else one
        if value is not None:
            together[path] = value
    return together


def _part(version: Mapping[str, Any], name: str) -> dict[str, Any]:
    return dict(version["paradata"].get(name) or {})
