"""The record of processing of one round: what personal data are held, of whom, on what basis, where, how long, and what
was done with them. Read from the store, so that it cannot differ from what is there; what only the office knows (who
answers for the data, to whom results go) is in the round's document under ``privacy``.

The heads follow the duties of Law 91/2025/QH15 as ``docs/security.md`` lists them; decision 81 says which of them are
sourced and which are our choice.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from datetime import datetime
from typing import Any

from survey.fieldwork.independence import REASON
from survey.questionnaire.consent import QUESTION
from survey.questionnaire.model import Questionnaire
from survey.store import access_log, frame, personal, reading, vault
from survey.store import requests as asked_for
from survey.store.certificates import certified_by
from survey.store.store import Store, now_text

_REFERENCE = re.compile(r"\$\{(?:[^}]*/)?([^}/]*)\}")
PRIVACY = ("controller", "contact", "officer", "purpose", "recipients")
"""What the office states in the round's ``privacy``: who answers for the data, how they are reached, the person in
charge of protecting them, what for, who else gets them."""


_REQUESTS = ("erased", "contact_erased", "person_export")
_EXPORTS = ("export", "export_contact")


def record(store: Store, round: str, now: datetime | None = None) -> dict[str, Any]:
    """Everything the record says of a round. InputError when there is no such round."""
    document = frame.round_document(store, round)
    units = frame.everyone(store, round)
    rows = [row for row in reading.interviews(store, round) if row["state"] != "draft"]
    hash = str(document.get("questionnaire_hash", ""))
    compiled = frame.questionnaire(store, hash)
    today = now_text(now)[:10]
    until = str(document.get("contact_until") or "")
    log = access_log.entries(store, actions=(*_REQUESTS, *_EXPORTS))
    subjects = {f"interview {row['interview']}" for row in rows} | {f"unit {unit['id']}" for unit in units}
    return {
        "made": now_text(now),
        "on": _machine(frame.document(store, "device", store.device) or {"id": store.device}),
        "round": {
            name: document.get(name, "")
            for name in ("id", "title", "starts", "ends", "legal_basis", "synthetic", "pilot")
        },
        "privacy": {name: str((document.get("privacy") or {}).get(name, "")) for name in PRIVACY},
        "subjects": {
            "units": len(units),
            "interviews": dict(sorted(Counter(row["state"] for row in rows).items())),
            "people": dict(sorted(_roles(store).items())),
        },
        "contact_fields": _contact_fields(store, round),
        "unit_columns": sorted({name for unit in units for name in unit} - {"id", "round", "assignee", REASON}),
        "questions": _questions(Questionnaire.from_json(compiled)) if compiled else {},
        "consent": _consents(store, round),
        "machines": [{**_machine(one), "last": _last(store, str(one["id"]))} for one in frame.devices(store)],
        "retention": {
            "contact_until": until,
            "held": personal.contact_held(store, round),
            "over": bool(until) and until < today,
        },
        "measures": {"encrypted": vault.is_encrypted(store.folder), "log_holds": not access_log.problems(store)},
        "requests": [
            {"time": entry.time, "action": entry.action, "subject": entry.subject, **_reason(entry)}
            for entry in log
            if entry.action in _REQUESTS and entry.subject in subjects
        ],
        "asked": [
            {
                "kind": one.kind,
                "received": one.received,
                "do_by": one.do_by,
                "closed": one.closed,
                "outcome": one.outcome,
            }
            for one in asked_for.everything(store)
            if not one.interview or f"interview {one.interview}" in subjects
        ],
        "exports": [
            {"time": entry.time, "action": entry.action, "by": entry.actor, **entry.detail}
            for entry in log
            if entry.action in _EXPORTS and entry.subject == round
        ],
        "log": access_log.kinds(store),
    }


def _reason(entry: access_log.Entry) -> dict[str, str]:
    return {"reason": str(entry.detail["reason"])} if entry.detail.get("reason") else {}


def _machine(document: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(document["id"]),
        "name": str(document.get("name") or ""),
        "role": str(document.get("role") or "device"),
        "tier": str(document.get("tier") or ""),
        "enrolled": bool(certified_by(document)),
        "revoked": str(document.get("revoked") or ""),
    }


def _last(store: Store, device: str) -> str:
    """The time of the newest entry of a machine that is here, as that machine told it."""
    return str(
        store.value(
            "SELECT max(json_extract(CAST(r.header AS TEXT), '$.time')) FROM revisions r JOIN feeds f"
            " ON f.number = r.feed WHERE f.device = ?"
            " AND r.seq = (SELECT max(o.seq) FROM revisions o WHERE o.feed = r.feed)",
            (device,),
        )
        or ""
    )


def _roles(store: Store) -> Counter[str]:
    return Counter(role for one in frame.people(store) if not one.get("disabled") for role in one.get("roles", ()))


def _contact_fields(store: Store, round: str) -> dict[str, int]:
    """The names of the contact data of sample units, and of how many units each is held."""
    rows = store.execute(
        "SELECT j.key, count(DISTINCT d.subject) FROM documents d JOIN revisions r ON r.subject = d.subject"
        " AND r.subject_type = 'unit' JOIN parts p ON p.revision = r.number AND p.name = 'contact',"
        " json_each(CAST(p.content AS TEXT)) j WHERE d.subject_type = 'unit' AND d.round = ? GROUP BY 1 ORDER BY 1",
        (round,),
    )
    return {str(name): int(count) for name, count in rows}


def _questions(questionnaire: Questionnaire) -> dict[str, Any]:
    asked = [node for node in questionnaire.walk() if node.kind == "question"]
    return {
        "id": questionnaire.id,
        "version": questionnaire.version,
        "count": len(asked),
        "contact": [{"name": node.name, "label": dict(node.label)} for node in asked if node.contact],
        "private": [{"name": node.name, "label": dict(node.label)} for node in asked if node.private],
    }


def _consents(store: Store, round: str) -> list[dict[str, Any]]:
    """What was consented to, by questionnaire, language and way, with how often; interviews without a record last.

    ``text`` is the wording up to the question of consent, as the questionnaire has it; ``wordings`` how many were read
    out (``sha256`` when it is one), since a place that is named in it makes another.
    """
    rows = store.execute(
        "SELECT i.questionnaire_hash, json_extract(CAST(p.content AS TEXT), '$.consent') FROM interviews i"
        " JOIN documents d ON d.subject_type = 'unit' AND d.subject = i.unit AND d.round = ?"
        " JOIN revisions r ON 'sha256:' || lower(hex(r.id)) = i.head"
        " LEFT JOIN parts p ON p.revision = r.number AND p.name = 'paradata'"
        " WHERE i.state IN ('sealed', 'approved', 'returned', 'conflict')",
        (round,),
    )
    found: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for questionnaire, content in rows:
        told = json.loads(content) if content else {}
        key = (questionnaire if told else "", *(str(told.get(name, "")) for name in ("version", "language", "way")))
        found[key][str(told.get("text", ""))] += 1
    return [
        {
            "text": _wording(store, questionnaire, language) if questionnaire else "",
            "wordings": len(texts) if questionnaire else 0,
            "sha256": next(iter(texts)) if len(texts) == 1 else "",
            "version": version,
            "language": language,
            "way": way,
            "interviews": texts.total(),
        }
        for (questionnaire, version, language, way), texts in sorted(
            found.items(), key=lambda one: (not one[0][0], one[0])
        )
    ]


def _wording(store: Store, hash: str, language: str) -> str:
    """What is said up to the question of consent, line by line; names filled in from the frame are in braces."""
    compiled = frame.questionnaire(store, hash)
    lines = []
    for node in Questionnaire.from_json(compiled).walk() if compiled else ():
        if node.kind == "question":
            lines.append(_REFERENCE.sub(r"{\1}", str(node.label.get(language, ""))))
            if node.name == QUESTION:
                return "\n".join(line for line in lines if line)
    return ""
