"""Forms being keyed from paper: the first entry is the interview's draft, the second one, blind, lies beside it.

When a form is keyed twice, nothing is sealed until both entries are done and their differences settled.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from survey.errors import InputError, NotAllowed
from survey.paper.states import Form
from survey.store import drafts, paper, reading
from survey.store.drafts import Answers, Value
from survey.store.store import Store, now_text
from survey.text import Text

_SPACE = uuid.UUID("5b0c7a52-0f0e-4d0b-9d43-6d3a5f1c2e77")


def interview_of(form: Form) -> str:
    """The interview that a form becomes: the same wherever it is keyed, so that none becomes two by accident."""
    return str(uuid.uuid5(_SPACE, form.id))


def of_form(store: Store, form: str) -> dict[str, Any] | None:
    """``interview, form, first, first_done, second, second_done`` of a form that is being keyed, or None."""
    rows = store.rows("SELECT * FROM keying WHERE form = ?", (form,))
    return rows[0] if rows else None


def of_interview(store: Store, interview: str) -> dict[str, Any] | None:
    """The same by the interview."""
    rows = store.rows("SELECT * FROM keying WHERE interview = ?", (interview,))
    return rows[0] if rows else None


def all_open(store: Store) -> dict[str, dict[str, Any]]:
    """The forms being keyed here, by form."""
    return {row["form"]: row for row in store.rows("SELECT * FROM keying ORDER BY form")}


def begin(store: Store, form: Form, questionnaire_hash: str, actor: str, now: datetime | None = None) -> dict[str, Any]:
    """Opens a form for its first entry, or goes on with the one that is open. A form that was not recorded as collected
    is: the sheet is in the hand of whoever keys it. InputError when the form was keyed before and nobody returned it.
    """
    with store.transaction():
        known = of_form(store, form.id)
        if known is not None:
            return known
        interview = interview_of(form)
        rows = reading.interviews(store, interview=interview)
        if rows and rows[0]["heads"]:
            if rows[0]["state"] not in ("returned", "voided", "partial"):
                raise InputError(
                    form.serial,
                    Text("phiếu này đã nhập rồi", "this form was keyed already"),
                    Text(
                        "muốn sửa, nhờ giám sát viên gửi yêu cầu sửa", "to change it, ask your supervisor to return it"
                    ),
                )
            drafts.take_over(store, interview, actor, now=now)
        else:
            if form.state == "issued":
                paper.record(store, form.round, form, "collected", actor, now=now)
            elif form.state != "collected":
                raise InputError(
                    form.serial,
                    Text("phiếu này chưa thu được", "this form was not collected"),
                    Text("ghi thu phiếu trước", "record that it was collected first"),
                )
            drafts.start(store, form.unit, questionnaire_hash, actor, now, interview=interview)
        store.execute("INSERT INTO keying VALUES (?, ?, ?, '', '', '')", (interview, form.id, actor))
    found = of_form(store, form.id)
    assert found is not None
    return found


def take_second(store: Store, form: str, actor: str) -> None:
    """Gives the second entry to a person. NotAllowed for the one who keyed the first, or when another has it."""
    with store.transaction():
        row = _open(store, form)
        if row["first"] == actor:
            raise NotAllowed(
                actor,
                Text("người nhập lần một không nhập lần hai", "who keyed a form first does not key it again"),
                Text("để người khác nhập lần hai", "leave the second entry to another person"),
            )
        if not row["first_done"] or row["second"] not in ("", actor):
            raise NotAllowed(
                actor,
                Text("người khác đang nhập phiếu này", "another person is keying this form"),
                Text("nhập phiếu khác", "key another form"),
            )
        store.execute("UPDATE keying SET second = ? WHERE form = ?", (actor, form))


def save_second(store: Store, form: str, changes: Mapping[str, Value | None]) -> None:
    """Saves answers of the second entry; when this returns they are on disk. None clears one."""
    with store.transaction():
        interview = _open(store, form)["interview"]
        for path, value in changes.items():
            if value is None:
                store.execute("DELETE FROM second_answers WHERE interview = ? AND path = ?", (interview, path))
            else:
                store.execute(
                    "INSERT OR REPLACE INTO second_answers VALUES (?, ?, ?)",
                    (interview, path, json.dumps(drafts.clean(value), ensure_ascii=False)),
                )


def second_answers(store: Store, form: str) -> Answers:
    """What the second person has keyed so far."""
    interview = _open(store, form)["interview"]
    rows = store.execute("SELECT path, value FROM second_answers WHERE interview = ? ORDER BY path", (interview,))
    return {path: json.loads(value) for path, value in rows}


def finish(store: Store, form: str, entry: int, now: datetime | None = None) -> None:
    """Ends the first (1) or the second (2) entry; its person cannot change it any more."""
    column = {1: "first_done", 2: "second_done"}[entry]
    store.execute(f"UPDATE keying SET {column} = ? WHERE form = ?", (now_text(now), form))


def error_rates(store: Store) -> dict[str, dict[str, int]]:
    """Person to ``forms``, ``fields`` compared in double entry, and ``errors``: fields in which what this person keyed
    is not what was settled. Of sealed forms whose paradata are here."""
    found: dict[str, dict[str, int]] = {}
    rows = store.execute(
        "SELECT json_extract(CAST(p.content AS TEXT), '$.double') FROM parts p"
        " JOIN revisions r ON r.number = p.revision"
        " WHERE p.name = 'paradata' AND r.subject_type = 'interview' AND r.kind IN ('sealed', 'corrected')"
        " AND json_extract(CAST(p.content AS TEXT), '$.double') IS NOT NULL"
    )
    for (content,) in rows:
        told = json.loads(content)
        for person, errors in told.get("errors", {}).items():
            mine = found.setdefault(person, {"forms": 0, "fields": 0, "errors": 0})
            mine["forms"] += 1
            mine["fields"] += int(told.get("fields", 0))
            mine["errors"] += int(errors)
    return dict(sorted(found.items()))


def _open(store: Store, form: str) -> dict[str, Any]:
    row = of_form(store, form)
    if row is None:
        raise InputError(
            form,
            Text("phiếu này không đang được nhập", "this form is not being keyed"),
            Text("mở lại từ trang Phiếu giấy", "open it again under Paper forms"),
        )
    return row
