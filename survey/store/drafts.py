"""Interviews being made: rows (interview, path, value, when) on this device, until sealing turns them into a revision.

Every :func:`save` is one small transaction that is on disk when it returns (``synchronous=FULL``): what it confirmed
survives a kill and a power cut.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
import uuid
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from survey.errors import InputError, NotAllowed
from survey.questionnaire.aside import version_of
from survey.store import feed, files, reading, remarks
from survey.store.erasure import delete_parts, wipe
from survey.store.header import CONTACT, CONTENT_KINDS, ERASED
from survey.store.store import Store, now_text
from survey.text import Text, nfc

Value = str | list[str] | dict[str, str]
Answers = dict[str, Value]

_ANSWERS = ("answers", "off_path", "contact")


def start(
    store: Store, unit: str, questionnaire_hash: str, actor: str, now: datetime | None = None, *, interview: str = ""
) -> str:
    """Begins an interview at a sample unit and returns its id, which it keeps for ever: :func:`new_id`, or
    ``interview`` where it follows from a paper form."""
    interview = interview or new_id(store.device, secrets.randbits(128))
    _insert(store, interview, unit, questionnaire_hash, actor, (), now)
    return interview


def new_id(device: str, chance: int) -> str:
    """A UUID (RFC 9562, version 8) out of 128 random bits: the first twelve follow from the device, so that what one
    laptop brings lies close together in every index of a hub that holds a country's (decision 135)."""
    place = int.from_bytes(hashlib.sha256(device.encode("ascii")).digest()[:2], "big") >> 4
    bits = (place << 116) | (chance & ((1 << 116) - 1))
    version, variant = 8 << 76, 2 << 62
    return str(uuid.UUID(int=bits & ~(0xF << 76) & ~(3 << 62) | version | variant))


def draft(store: Store, interview: str) -> dict[str, Any] | None:
    """``interview, unit, questionnaire_hash, actor, started, parents, changes`` of an open draft, or None."""
    rows = store.rows(
        "SELECT interview, unit, questionnaire_hash, actor, started, parents, changes FROM drafts WHERE interview = ?",
        (interview,),
    )
    return {**rows[0], "parents": json.loads(rows[0]["parents"])} if rows else None


def drafts(store: Store) -> list[dict[str, Any]]:
    """All open drafts of this device, oldest first; ``answered`` counts their answers, ``saved`` is the last time."""
    return store.rows(
        "SELECT d.interview, d.unit, d.questionnaire_hash, d.actor, d.started,"
        " (SELECT count(*) FROM draft_answers a WHERE a.interview = d.interview) AS answered,"
        " coalesce((SELECT e.time FROM draft_events e WHERE e.interview = d.interview"
        "   ORDER BY e.number DESC LIMIT 1), d.started) AS saved"
        " FROM drafts d ORDER BY d.rowid"
    )


def answers(store: Store, interview: str) -> Answers:
    """Every answer saved in an open draft, on and off the path. InputError when there is no such draft."""
    _require(store, interview)
    rows = store.execute("SELECT path, value FROM draft_answers WHERE interview = ? ORDER BY path", (interview,))
    return {path: json.loads(value) for path, value in rows}


def lease(store: Store, interview: str) -> str:
    """Opens the draft for writing in one page and returns the page's token; pages opened earlier can no longer write.

    Two tabs on one draft would otherwise overwrite each other's answers without anyone seeing it.
    """
    token = secrets.token_hex(8)
    with store.transaction():
        _require(store, interview)
        store.execute("UPDATE drafts SET lease = ? WHERE interview = ?", (token, interview))
    return token


def written_by(store: Store, interview: str) -> str:
    """The token of the page that may write to the draft now; empty when none may. InputError when there is no draft."""
    return _require(store, interview)


def save(
    store: Store,
    interview: str,
    changes: Mapping[str, Value | None],
    seconds: Mapping[str, float] | None = None,
    *,
    token: str | None = None,
    now: datetime | None = None,
) -> None:
    """Saves answers; when this returns they are on disk. None clears an answer. Saving the same again does nothing.

    ``seconds`` is the time spent on each question, measured by the page. ``token`` is the page's :func:`lease`: a
    stale one raises NotAllowed and nothing is written. InputError when there is no such draft.
    """
    seconds = seconds or {}
    when = now_text(now)
    monotonic = time.monotonic_ns() // 1_000_000
    with store.transaction():
        _check_lease(store, interview, token)
        changed = 0
        for path, value in changes.items():
            if value is None:
                cursor = store.execute("DELETE FROM draft_answers WHERE interview = ? AND path = ?", (interview, path))
            else:
                cursor = store.execute(
                    "INSERT INTO draft_answers (interview, path, value) VALUES (?, ?, ?)"
                    " ON CONFLICT (interview, path) DO UPDATE SET value = excluded.value"
                    " WHERE value <> excluded.value",
                    (interview, path, json.dumps(clean(value), ensure_ascii=False)),
                )
            if cursor.rowcount:
                changed += 1
                store.execute(
                    "INSERT INTO draft_events (interview, path, cleared, time, monotonic_ms, seconds)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    (interview, path, int(value is None), when, monotonic, float(seconds.get(path, 0.0))),
                )
        if changed:
            store.execute("UPDATE drafts SET changes = changes + ? WHERE interview = ?", (changed, interview))


def looked(store: Store, interview: str, seconds: Mapping[str, float], *, now: datetime | None = None) -> None:
    """Notes the time spent at questions whose answer stayed as it was. InputError when there is no such draft."""
    when = now_text(now)
    monotonic = time.monotonic_ns() // 1_000_000
    with store.transaction():
        _require(store, interview)
        store.executemany(
            "INSERT INTO draft_events (interview, path, cleared, time, monotonic_ms, seconds, same)"
            " VALUES (?, ?, 0, ?, ?, ?, 1)",
            [(interview, path, when, monotonic, float(spent)) for path, spent in seconds.items() if spent > 0],
        )


def save_alone(
    store: Store,
    interview: str,
    path: str,
    changes: Mapping[str, Value | None],
    seconds: float,
    *,
    token: str | None = None,
    now: datetime | None = None,
) -> None:
    """Saves what a respondent answered alone at ``path``, as :func:`save` does, and that it was so."""
    with store.transaction():
        save(store, interview, changes, {path: seconds}, token=token, now=now)
        if remarks.put_alone(store, interview, path):
            store.execute("UPDATE drafts SET changes = changes + 1 WHERE interview = ?", (interview,))


def ask_again(store: Store, interview: str, path: str) -> None:
    """Takes the answer that a respondent gave alone at ``path`` away, so that it can be asked anew."""
    with store.transaction():
        save(store, interview, {path: None})
        remarks.take_alone(store, interview, path)
        store.execute("UPDATE drafts SET changes = changes + 1 WHERE interview = ?", (interview,))


def comment(store: Store, interview: str, path: str, words: str, *, token: str | None = None) -> None:
    """Keeps what the enumerator notes at a question; when this returns it is on disk. Empty takes the note away.

    ``token`` as in :func:`save`. InputError when there is no such draft or the note is too long.
    """
    kept = remarks.tidy(words)
    with store.transaction():
        _check_lease(store, interview, token)
        if remarks.put_comment(store, interview, path, kept):
            store.execute("UPDATE drafts SET changes = changes + 1 WHERE interview = ?", (interview,))


def flag(store: Store, interview: str, path: str, *, token: str | None = None) -> bool:
    """Marks the question at ``path`` to come back to, or takes the mark away; whether it is marked now.

    ``token`` as in :func:`save`. InputError when there is no such draft.
    """
    with store.transaction():
        _check_lease(store, interview, token)
        marked = remarks.turn_flag(store, interview, path)
        store.execute("UPDATE drafts SET changes = changes + 1 WHERE interview = ?", (interview,))
    return marked


def keep(store: Store, interview: str, path: str, reason: str, *, token: str | None = None) -> None:
    """Keeps why the unusual answer at ``path`` stays as it is; when this returns it is on disk. A reason belongs to
    the answer that stands now: another answer is doubted anew. Empty takes the reason away.

    ``token`` as in :func:`save`. InputError when there is no such draft or the reason is too long.
    """
    kept = remarks.tidy(reason)
    with store.transaction():
        _check_lease(store, interview, token)
        if remarks.put_reason(store, interview, path, kept):
            store.execute("UPDATE drafts SET changes = changes + 1 WHERE interview = ?", (interview,))


def change_version(
    store: Store,
    interview: str,
    questionnaire_hash: str,
    changes: Mapping[str, Value | None],
    *,
    now: datetime | None = None,
) -> None:
    """Puts a draft under another version of its questionnaire and saves ``changes``, in one transaction.

    Pages opened before can no longer write: they show questions of the old version.
    """
    with store.transaction():
        save(store, interview, changes, now=now)
        store.execute(
            "UPDATE drafts SET questionnaire_hash = ?, lease = '', changes = changes + 1 WHERE interview = ?",
            (questionnaire_hash, interview),
        )


def seal(
    store: Store,
    interview: str,
    path_values: Mapping[str, Any],
    off_path: Mapping[str, Any],
    contact: Mapping[str, Any],
    paradata: Mapping[str, Any],
    actor: str,
    kind: str = "sealed",
    *,
    reason: str = "",
    token: str | None = None,
    now: datetime | None = None,
) -> str:
    """Turns a draft into a signed revision and returns its id, in one transaction: the draft is gone, the revision
    there, or nothing happened.

    ``path_values`` are the answers on the path and the calculations, ``off_path`` the rest, ``contact`` the answers to
    contact questions. The times of the answers are added to ``paradata`` as ``events``, what was noted at questions as
    ``comments``, why unusual answers stay as ``kept``, and answers to an earlier version of the questionnaire that the
    present one did not take to ``off_path`` or ``contact``. ``reason``: why somebody corrected it.
    """
    if kind not in CONTENT_KINDS:
        raise ValueError(f"{kind!r} is no content kind")
    with store.transaction():
        _check_lease(store, interview, token)
        # A calculation may have put a letter and its tone mark together: what is sealed is in one normal form.
        parts: dict[str, Any] = {"answers": _cleaned(path_values), "paradata": _paradata(store, interview, paradata)}
        earlier = {path: value for path, value in answers(store, interview).items() if version_of(path)[0]}
        private = _contact_paths(store, interview, earlier)
        off_path = {**off_path, **{path: value for path, value in earlier.items() if path not in private}}
        contact = {**contact, **{path: earlier[path] for path in sorted(private)}}
        if reason:
            parts["decision"] = {"reason": nfc(reason)}
        if off_path:
            parts["off_path"] = _cleaned(off_path)
        if contact:
            parts["contact"] = _cleaned(contact)
        revision = _append(store, interview, kind, parts, actor, now)
        store.execute("DELETE FROM drafts WHERE interview = ?", (interview,))
    return revision


def discard(store: Store, interview: str, *, token: str | None = None) -> None:
    """Throws a draft away with all its answers: consent was refused, and only the visit may remain.

    What a hand-over wrote of it meanwhile (``partial``) is erased, here and wherever it went. An interview that was
    sealed before stays as it was sealed.
    """
    with store.transaction():
        _check_lease(store, interview, token)
        actor = store.value("SELECT actor FROM drafts WHERE interview = ?", (interview,))
        store.execute("DELETE FROM drafts WHERE interview = ?", (interview,))
        written = {header.kind for header in feed.revisions(store, "interview", interview)} & CONTENT_KINDS
        if written == {"partial"}:
            feed.append(
                store,
                subject_type="interview",
                subject=interview,
                kind=ERASED,
                parts={"decision": {"reason": "consent refused"}},
                actor=actor,
            )
            delete_parts(store, [("interview", interview)])
    wipe(store)


def partials(store: Store, now: datetime | None = None) -> list[str]:
    """Writes a ``partial`` revision of every open draft that changed since its last one; returns their ids.

    Never scored; it lets another laptop take the interview over.
    """
    written = []
    with store.transaction():
        for interview, actor in store.execute(
            "SELECT interview, actor FROM drafts WHERE changes > changes_written ORDER BY rowid"
        ).fetchall():
            own = answers(store, interview)
            private = _contact_paths(store, interview, own)
            parts: dict[str, Any] = {
                "answers": {path: value for path, value in own.items() if path not in private},
                "paradata": _paradata(store, interview, {}),
            }
            if private:
                parts["contact"] = {path: own[path] for path in sorted(private)}
            revision = _append(store, interview, "partial", parts, actor, now)
            store.execute(
                "UPDATE drafts SET parents = ?, changes_written = changes WHERE interview = ?",
                (json.dumps([revision]), interview),
            )
            written.append(revision)
    return written


def hand_on(store: Store, units: Collection[str], actor: str) -> list[str]:
    """Gives the open drafts at ``units`` to another person; pages that show them can no longer write. Returns their
    ids. What the one before did is sealed by :func:`partials`, which has to come first."""
    moved = [
        interview
        for interview, unit in store.execute("SELECT interview, unit FROM drafts ORDER BY rowid").fetchall()
        if unit in units
    ]
    store.executemany(
        "UPDATE drafts SET actor = ?, lease = '', changes = changes + 1 WHERE interview = ?",
        [(actor, interview) for interview in moved],
    )
    return moved


def take_over(store: Store, interview: str, actor: str, head: str = "", now: datetime | None = None) -> str:
    """Opens a draft from an interview's content, to correct it or to go on where a broken laptop stopped.

    ``head`` chooses one where there are several. Answers off the path, contact answers and comments come along.
    Returns the interview's id. InputError when a draft is open, or the content is not here.
    """
    content = reading.content(store, interview, head)
    with store.transaction():
        if draft(store, interview) is not None:
            raise InputError(
                interview,
                Text("phiếu này đang mở trên máy này", "this interview is already open on this device"),
                Text("tiếp tục phiếu đang làm dở", "continue the draft"),
            )
        _insert(store, interview, content["unit"], content["questionnaire_hash"], actor, (content["head"],), now)
        taken = {**content["off_path"], **content["answers"], **content["contact"]}
        store.executemany(
            "INSERT INTO draft_answers (interview, path, value) VALUES (?, ?, ?)",
            [(interview, path, json.dumps(clean(value), ensure_ascii=False)) for path, value in taken.items()],
        )
        remarks.bring(store, interview, content["paradata"])
    return interview


# -- inside -------------------------------------------------------------------------------------------------------


def _insert(
    store: Store,
    interview: str,
    unit: str,
    questionnaire_hash: str,
    actor: str,
    parents: tuple[str, ...],
    now: datetime | None,
) -> None:
    store.execute(
        "INSERT INTO drafts (interview, unit, questionnaire_hash, actor, started, parents, lease, changes,"
        " changes_written) VALUES (?, ?, ?, ?, ?, ?, '', 0, 0)",
        (interview, unit, questionnaire_hash, actor, now_text(now), json.dumps(parents)),
    )


def _require(store: Store, interview: str) -> str:
    """The draft's lease; InputError when there is no such draft."""
    token = store.value("SELECT lease FROM drafts WHERE interview = ?", (interview,))
    if token is None:
        raise InputError(
            interview,
            Text("không có phiếu đang làm dở này trên máy", "there is no such draft on this device"),
            Text("mở lại danh sách phiếu", "go back to the list of interviews"),
        )
    return str(token)


def _check_lease(store: Store, interview: str, token: str | None) -> None:
    if _require(store, interview) != token and token is not None:
        raise NotAllowed(
            interview,
            Text("phiếu này đã được mở ở một cửa sổ khác", "this interview was opened in another window"),
            Text("tiếp tục ở cửa sổ kia, hoặc tải lại trang này", "go on in the other window, or reload this page"),
        )


def clean(value: Value) -> Value:
    """An answer as it is kept: its texts in NFC. TypeError for what is no answer."""
    if isinstance(value, str):
        return nfc(value)
    if isinstance(value, list):
        return [nfc(item) for item in value]
    if isinstance(value, dict):
        return {key: nfc(item) for key, item in value.items()}
    raise TypeError(f"an answer is text, a list of texts or a missing kind, not {type(value).__name__}")


def _cleaned(answers: Mapping[str, Value]) -> Answers:
    return {path: clean(value) for path, value in answers.items()}


def _paradata(store: Store, interview: str, paradata: Mapping[str, Any]) -> dict[str, Any]:
    started = store.value("SELECT started FROM drafts WHERE interview = ?", (interview,))
    events = store.rows(
        "SELECT path, cleared, time, monotonic_ms AS ms, seconds, same FROM draft_events WHERE interview = ?"
        " ORDER BY number",
        (interview,),
    )
    for event in events:
        if event.pop("same"):
            event["same"] = True
    return {"started": started, **paradata, **remarks.written(store, interview), "events": events}


def _append(store: Store, interview: str, kind: str, parts: Mapping[str, Any], actor: str, now: datetime | None) -> str:
    own = draft(store, interview)
    assert own is not None
    if feed.is_contact_erased(store, "interview", interview):
        parts = {name: content for name, content in parts.items() if name != CONTACT}
    return feed.append(
        store,
        subject_type="interview",
        subject=interview,
        kind=kind,
        parts=parts,
        parents=own["parents"],
        target=own["unit"],
        questionnaire_hash=own["questionnaire_hash"],
        actor=actor,
        blobs=files.of_answers(
            store, interview, (value for part in _ANSWERS for value in parts.get(part, {}).values())
        ),
        now=now,
    )


def _contact_paths(store: Store, interview: str, own: Answers) -> set[str]:
    """The answers that belong into the part ``contact``: as the version of the questionnaire says that asked them.
    All answers to a version while it is not here to say."""
    present = store.value("SELECT questionnaire_hash FROM drafts WHERE interview = ?", (interview,))
    names: dict[str, set[str] | None] = {}
    found = set()
    for path in own:
        version, asked = version_of(path)
        hash = version or present
        if hash not in names:
            compiled = reading.document_bytes(store, "questionnaire", hash)
            names[hash] = None if compiled is None else set(_contact_names(json.loads(compiled).get("nodes", [])))
        private = names[hash]
        if private is None or asked.rsplit("/", 1)[-1].split("[", 1)[0] in private:
            found.add(path)
    return found


def _contact_names(nodes: list[dict[str, Any]]) -> list[str]:
    return [
        name
        for node in nodes
        for name in ([node["name"]] if node.get("contact") else []) + _contact_names(node.get("children", []))
    ]
