"""Reading what is current: interviews and their states, their content, documents, and the responses of a round."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

from survey.errors import InputError
from survey.fieldwork.reviewing import Rule
from survey.store import feed
from survey.store.header import DECISION_KINDS, read_header
from survey.store.store import Store
from survey.text import Text


def interviews(
    store: Store,
    round: str | None = None,
    state: str | Collection[str] | None = None,
    *,
    unit: str | None = None,
    units: Collection[str] | None = None,
    interview: str | None = None,
) -> list[dict[str, Any]]:
    """The interviews, drafts of this device among them, as dicts; of one round, one unit, some ``units`` or by id.

    Keys: ``interview, unit, round, assignee, questionnaire_hash, state, head, heads, kind, decisions, opposed, actor,
    device, time`` and ``draft`` (True while a draft is open here). An interview that is only a draft, or a ``partial``
    that goes on here, has the state ``draft``.
    """
    wheres, values = [], []
    for where, value in (("u.round = ?", round), ("i.unit = ?", unit), ("i.interview = ?", interview)):
        if value is not None:
            wheres.append(where)
            values.append(value)
    if units is not None:
        wheres.append("i.unit IN (SELECT value FROM json_each(?))")
        values.append(json.dumps(sorted(units)))
    rows = store.rows(
        f"""
        WITH i AS (
            SELECT t.interview, t.unit, t.questionnaire_hash,
                   CASE WHEN d.interview IS NOT NULL AND t.state = 'partial' THEN 'draft' ELSE t.state END AS state,
                   t.head, t.heads, t.kind, t.decisions, t.opposed, t.actor, t.device, t.time,
                   d.interview IS NOT NULL AS draft
            FROM interviews t LEFT JOIN drafts d ON d.interview = t.interview
            UNION ALL
            SELECT d.interview, d.unit, d.questionnaire_hash, 'draft', '', '[]', '', '[]', 0, d.actor,
                   (SELECT value FROM meta WHERE name = 'device'), d.started, 1
            FROM drafts d WHERE d.interview NOT IN (SELECT interview FROM interviews)
        )
        SELECT i.*, coalesce(u.round, '') AS round, coalesce(u.assignee, '') AS assignee
        FROM i LEFT JOIN documents u ON u.subject_type = 'unit' AND u.subject = i.unit
        {"WHERE " + " AND ".join(wheres) if wheres else ""}
        ORDER BY i.interview
        """,
        values,
    )
    wanted = {state} if isinstance(state, str) else set(state) if state is not None else None
    for row in rows:
        row["heads"] = json.loads(row["heads"])
        row["decisions"] = json.loads(row["decisions"])
        row["opposed"] = bool(row["opposed"])
        row["draft"] = bool(row["draft"])
    return rows if wanted is None else [row for row in rows if row["state"] in wanted]


def interviewers(store: Store, interview: str | None = None) -> dict[str, list[str]]:
    """Who sealed each interview, in the order of time: the people who interviewed, whoever corrected or settled it
    afterwards. An interview that nobody has sealed yet is left out."""
    found: dict[str, list[str]] = {}
    for subject, actor in store.execute(
        "SELECT subject, json_extract(CAST(header AS TEXT), '$.actor') FROM revisions"
        " WHERE subject_type = 'interview' AND kind = 'sealed'"
        + (" AND subject = ?" if interview is not None else "")
        + " ORDER BY json_extract(CAST(header AS TEXT), '$.time'), id",
        () if interview is None else (interview,),
    ):
        if actor not in found.setdefault(subject, []):
            found[subject].append(actor)
    return found


def conflicts(store: Store) -> list[dict[str, Any]]:
    """The interviews with several contents that wait for a person."""
    return interviews(store, state="conflict")


def content(store: Store, interview: str, head: str = "") -> dict[str, Any]:
    """What an interview says: ``answers, off_path, contact, paradata`` (empty dicts where a part is not here), and
    ``head, kind, unit, questionnaire_hash, actor, device, time, parents``.

    ``head`` names one of several contents, or an earlier one. InputError when it is in conflict and none was named,
    or when its answers are not here.
    """
    rows = store.rows("SELECT head, heads, state FROM interviews WHERE interview = ?", (interview,))
    if not rows:
        raise InputError(
            interview,
            Text("không có phiếu khảo sát này", "there is no such interview"),
            Text("kiểm tra mã phiếu", "check its id"),
        )
    if not head and not rows[0]["head"]:
        raise InputError(
            interview,
            Text("phiếu này có hai bản khác nhau", "this interview has several versions"),
            Text("chọn một bản, hoặc giải quyết trước", "name one of them, or settle it first"),
        )
    chosen = head or rows[0]["head"]
    header = feed.header(store, chosen)
    answers = feed.part_json(store, chosen, "answers")
    if header is None or header.subject != interview or answers is None:
        raise InputError(
            interview,
            Text("nội dung của bản này không có trên máy này", "the content of this version is not on this device"),
            Text("nhận lại dữ liệu từ máy đã làm phiếu", "sync again with the device that made it"),
        )
    return {
        "answers": answers,
        **{name: feed.part_json(store, chosen, name) or {} for name in ("off_path", "contact", "paradata")},
        "head": chosen,
        "kind": header.kind,
        "unit": header.target,
        "questionnaire_hash": header.questionnaire_hash,
        "actor": header.actor,
        "device": header.device,
        "time": header.time,
        "parents": list(header.parents),
    }


def decisions(store: Store, interview: str) -> list[dict[str, Any]]:
    """All decisions and comments on an interview, in feed order: ``id, kind, target, actor, device, time, reason``,
    ``question`` (the path that it belongs to), ``second`` (the second of two approvals) and ``standing`` (nothing
    replaced it and its target is a current head)."""
    row = store.rows("SELECT heads, decisions FROM interviews WHERE interview = ?", (interview,))
    standing = set(json.loads(row[0]["decisions"])) if row else set()
    found = []
    for header in feed.revisions(store, "interview", interview):
        if header.kind in DECISION_KINDS:
            body = feed.part_json(store, header.id, "decision") or {}
            found.append(
                {
                    "id": header.id,
                    "kind": header.kind,
                    "target": header.target,
                    "actor": header.actor,
                    "device": header.device,
                    "time": header.time,
                    "reason": body.get("reason", ""),
                    "question": str(body.get("question", "")),
                    "second": body.get("approval") == "second",
                    "standing": header.id in standing,
                }
            )
    return found


def asked_again(store: Store, interview: str) -> list[dict[str, Any]]:
    """What the enumerator of a returned interview is asked, in feed order: the return that nothing replaced and the
    comments at questions that were made on the same content. A correction that was handed over unfinished is still
    asked the same. Empty when the interview is not returned."""
    headers = {header.id: header for header in feed.revisions(store, "interview", interview)}
    heads = store.value("SELECT heads FROM interviews WHERE interview = ?", (interview,))
    current, targets = json.loads(heads or "[]"), set()
    while current:
        header = headers.get(current.pop())
        if header is not None and header.id not in targets:
            targets.add(header.id)
            current.extend(header.parents if header.kind == "partial" else ())
    replaced = {parent for header in headers.values() if header.kind in DECISION_KINDS for parent in header.parents}
    told = [one for one in decisions(store, interview) if one["target"] in targets and one["id"] not in replaced]
    if not any(one["kind"] == "returned" for one in told):
        return []
    return [one for one in told if one["kind"] == "returned" or (one["kind"] == "commented" and one["question"])]


def remarks_about(store: Store, enumerator: str, limit: int) -> list[dict[str, Any]]:
    """What was decided or noted with words about the interviews that a person sealed, the last first: ``interview,
    unit, questionnaire_hash, kind, reason, question, actor, time``."""
    found = []
    for interview, unit, form, kind, header, content in store.execute(
        "SELECT i.interview, i.unit, i.questionnaire_hash, d.kind, d.header, p.content FROM interviews i"
        " JOIN revisions d ON d.subject = i.interview AND d.subject_type = 'interview'"
        " AND d.kind IN ('returned', 'voided', 'commented')"
        " JOIN parts p ON p.revision = d.number AND p.name = 'decision'"
        " WHERE EXISTS (SELECT 1 FROM revisions s WHERE s.subject = i.interview AND s.subject_type = 'interview'"
        "  AND s.kind = 'sealed' AND json_extract(CAST(s.header AS TEXT), '$.actor') = ?)"
        " ORDER BY json_extract(CAST(d.header AS TEXT), '$.time') DESC, d.id LIMIT ?",
        (enumerator, limit),
    ):
        told, body = read_header(header), json.loads(content)
        if body.get("reason"):
            found.append(
                {
                    "interview": interview,
                    "unit": unit,
                    "questionnaire_hash": form,
                    "kind": kind,
                    "reason": str(body["reason"]),
                    "question": str(body.get("question", "")),
                    "actor": told.actor,
                    "time": told.time,
                }
            )
    return found


def document_bytes(store: Store, subject_type: str, subject: str) -> bytes | None:
    """The current document of a unit, round, questionnaire …, as it was written; None when it is not here."""
    head = store.value(
        "SELECT head FROM documents WHERE subject_type = ? AND subject = ? AND state = 'current'",
        (subject_type, subject),
    )
    return feed.part(store, head, "document") if head else None


def responses(
    store: Store, round: str, states: Collection[str] = ("approved",), *, volunteers: bool = False
) -> Iterator[tuple[str, dict[str, Any], str, dict[str, Any], dict[str, Any]]]:
    """The interviews of a round in one of ``states``, in order of their sample units, for the data set: ids of
    interviews are random, and sums taken in a random order differ in their last digits. Of the drawn sample, or of the
    volunteers alone.

    Where the round asks for two approvals, one that was approved once counts as sealed.

    Yields (interview, unit document, questionnaire hash, answers, meta); ``meta`` has ``state, head, kind, actor,
    device, time, unit, mode`` (``interview``, but where the paradata say ``paper``, ``web`` or ``phone``). Interviews
    whose answers are not here are left out: they are findings.
    """
    modes = _modes(store)
    apart = _volunteers(store, round)
    body = document_bytes(store, "round", round)
    once = approved_once(store) if body and Rule.of(json.loads(body)).second else set()
    wanted = {*states, *(("approved",) if once and "sealed" in states else ())}
    for row in sorted(interviews(store, round, wanted), key=lambda row: (row["unit"], row["interview"])):
        if (row["unit"] in apart) != volunteers:
            continue
        if row["interview"] in once and row["state"] == "approved":
            row["state"] = "sealed"
        if row["state"] not in states:
            continue
        answers = feed.part_json(store, row["head"], "answers") if row["head"] else None
        if answers is not None:
            unit = document_bytes(store, "unit", row["unit"])
            meta = {key: row[key] for key in ("state", "head", "kind", "actor", "device", "time", "unit")}
            meta["mode"] = modes.get(row["interview"], "interview")
            yield (
                row["interview"],
                json.loads(unit) if unit else {"id": row["unit"]},
                row["questionnaire_hash"],
                answers,
                meta,
            )


def approved_once(store: Store) -> set[str]:
    """The approved interviews of which no standing approval is a second one."""
    found = set()
    for interview, standing in store.execute("SELECT interview, decisions FROM interviews WHERE state = 'approved'"):
        parts = (feed.part_json(store, id, "decision") or {} for id in json.loads(standing))
        if not any(part.get("approval") == "second" for part in parts):
            found.add(interview)
    return found


def _volunteers(store: Store, round: str) -> set[str]:
    """The units of a round that nobody drew."""
    rows = store.execute(
        "SELECT d.subject FROM documents d JOIN revisions r ON r.subject = d.subject AND r.subject_type = 'unit'"
        " JOIN parts p ON p.revision = r.number AND p.name = 'document'"
        " WHERE d.subject_type = 'unit' AND d.round = ? AND 'sha256:' || lower(hex(r.id)) = d.head"
        " AND json_extract(CAST(p.content AS TEXT), '$.list') = 'volunteer'",
        (round,),
    )
    return {subject for (subject,) in rows}


def _modes(store: Store) -> dict[str, str]:
    """Interview to how it was filled in, where the paradata of one of its versions say it (from paper, imported)."""
    rows = store.execute(
        "SELECT r.subject, json_extract(CAST(p.content AS TEXT), '$.mode') FROM parts p"
        " JOIN revisions r ON r.number = p.revision WHERE p.name = 'paradata' AND r.subject_type = 'interview'"
    )
    return {interview: str(mode) for interview, mode in rows if mode}
