"""Paper forms: what is recorded of them in the feed, and how each stands."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from survey.errors import InputError
from survey.paper import states
from survey.paper.serial import Serial, read_printed, read_qr, serial
from survey.paper.states import Form, Tally
from survey.store import feed, frame
from survey.store.store import Store, now_text
from survey.text import Text, many

LONGEST_RANGE = 500
"""Forms that are handed out in one go; a longer range is a slip of the finger."""


def read_serial(text: str, round_document: dict[str, Any]) -> Serial:
    """The serial that was scanned or keyed, its check character verified, of a form of this round. InputError else."""
    round, hash = str(round_document["id"]), str(round_document["questionnaire_hash"])
    if not text.strip().upper().startswith("P1/"):
        return read_printed(text, round, hash)
    found = read_qr(text)
    if found != serial(round, hash, found.number):
        raise InputError(
            found.printed,
            Text("đây là phiếu của đợt khác hoặc bản khác", "this form is of another round or version"),
            Text("để riêng và hỏi giám sát viên", "put it aside and ask your supervisor"),
        )
    return found


def read_range(first: str, last: str, round_document: dict[str, Any]) -> list[Serial]:
    """The serials from ``first`` to ``last`` (default: only the first). InputError for a serial that is wrong."""
    start = read_serial(first, round_document)
    end = read_serial(last, round_document) if last.strip() else start
    count = end.number - start.number + 1
    if not 1 <= count <= LONGEST_RANGE:
        raise InputError(
            f"{start.printed} – {end.printed}",
            Text(f"dải số phải có từ 1 đến {LONGEST_RANGE} phiếu", f"a range has 1 to {LONGEST_RANGE} forms"),
            Text("xem lại số đầu và số cuối", "look at the first and the last number again"),
        )
    round, hash = str(round_document["id"]), str(round_document["questionnaire_hash"])
    return [serial(round, hash, number) for number in range(start.number, end.number + 1)]


def forms(store: Store, round: str | None = None, unit: str | None = None) -> list[Form]:
    """How every form recorded here stands, by serial number."""
    rows = store.execute(
        "SELECT d.subject, p.content FROM documents d JOIN revisions r ON r.subject = d.subject"
        " AND r.subject_type = d.subject_type JOIN json_each(d.heads) h ON h.value = 'sha256:' || lower(hex(r.id))"
        " JOIN parts p ON p.revision = r.number AND p.name = 'document'"
        " WHERE d.subject_type = 'visit' AND d.subject LIKE 'f%' AND d.state = 'current'"
        + (" AND d.round = ?" if round is not None else "")
        + (" AND d.unit = ?" if unit is not None else ""),
        [value for value in (round, unit) if value is not None],
    )
    heads: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for subject, content in rows:
        document = json.loads(content)
        if isinstance(document, dict) and document.get("state") is not None:
            heads[subject].append(document)
    found = [states.merged(subject, documents) for subject, documents in heads.items()]
    return sorted(found, key=lambda form: (form.round, form.serial.zfill(12), form.id))


def form(store: Store, round: str, one: Serial) -> Form | None:
    """One form as it stands, or None when nothing was recorded of it here."""
    return by_id(store, states.form_id(round, one))


def by_id(store: Store, id: str) -> Form | None:
    """One form by its id."""
    row = store.rows(
        "SELECT heads FROM documents WHERE subject_type = 'visit' AND subject = ? AND state = 'current'", (id,)
    )
    if not row or not id.startswith("f"):
        return None
    documents = [feed.part_json(store, head, "document") for head in json.loads(row[0]["heads"])]
    held = [document for document in documents if isinstance(document, dict) and document.get("state") is not None]
    return states.merged(id, held) if held else None


def record(
    store: Store,
    round: str,
    one: Serial | Form,
    state: str,
    actor: str,
    *,
    unit: str = "",
    due: str = "",
    reason: str = "",
    interview: str = "",
    now: datetime | None = None,
) -> Form:
    """Records a step of a form, with person and date; the form as it then stands.

    ``unit`` is where it was left (with ``issued``), ``due`` the day when it is to be collected, ``reason`` why it is
    spoilt or not valid. InputError when the step does not follow from how the form stands, or no unit is known.
    """
    id = one.id if isinstance(one, Form) else states.form_id(round, one)
    printed = one.serial if isinstance(one, Form) else one.printed
    with store.transaction():
        before = by_id(store, id)
        now_state = before.state if before else ""
        settling = now_state == states.DISPUTED
        if not settling and state not in states.NEXT.get(now_state, ()):
            raise _not_now(printed, before, state)
        unit = unit or (before.unit if before else "")
        if not unit:
            raise InputError(
                printed,
                Text("chưa biết phiếu để lại ở hộ nào", "it is not known where this form was left"),
                Text("chọn hộ", "choose the household"),
            )
        document = {
            "id": id,
            "round": round,
            "unit": unit,
            "serial": printed,
            "state": state,
            "disposition": states.DISPOSITIONS[state],
            "time": now_text(now),
            "by": actor,
            "again": due if state == "issued" else "",
            "reason": reason,
            "interview": interview or (before.interview if before else ""),
        }
        kept = {name: value for name, value in document.items() if value != ""}
        frame.issue(store, "visit", id, kept, actor=actor, now=now)
    found = by_id(store, id)
    assert found is not None
    return found


def _not_now(printed: str, before: Form | None, state: str) -> InputError:
    if before is None:
        return InputError(
            printed,
            Text("phiếu này chưa được ghi là đã phát", "this form was not recorded as handed out"),
            Text("ghi phát phiếu trước", "record the hand-out first"),
        )
    said = states.STATES[before.state]
    return InputError(
        printed,
        Text(f"phiếu này {said.vi} rồi", f"this form is {said.en} already"),
        Text("xem lại số phiếu", "look at the serial number again"),
    )


def issue_range(
    store: Store,
    round: str,
    serials: Iterable[Serial],
    units: Iterable[str],
    actor: str,
    due: str = "",
    now: datetime | None = None,
) -> list[Form]:
    """Records that these forms were left at these units, one each, all or none. InputError when units are too few, or
    a form was handed out before."""
    serials, units = list(serials), list(units)
    if len(units) < len(serials):
        raise InputError(
            f"{serials[0].printed} – {serials[-1].printed}",
            Text(
                f"có {len(serials)} phiếu nhưng chỉ còn {len(units)} hộ chưa có phiếu",
                f"{many(len(serials), 'form')}, and only {many(len(units), 'household')} without one",
            ),
            Text("phát ít phiếu hơn, hoặc chọn thôn khác", "hand out fewer, or choose another village"),
        )
    with store.transaction():
        return [
            record(store, round, one, "issued", actor, unit=unit, due=due, now=now)
            for one, unit in zip(serials, units, strict=False)
        ]


def history(store: Store, id: str) -> list[dict[str, Any]]:
    """Every step recorded of a form, by feed: ``state, by, time, reason, device``."""
    found = []
    for header in feed.revisions(store, "visit", id):
        document = feed.part_json(store, header.id, "document") or {}
        found.append({name: document.get(name, "") for name in ("state", "by", "time", "reason")})
        found[-1]["device"] = header.device
    return found


def tallies(store: Store, round: str) -> dict[str, Tally]:
    """Village code to the tally of its forms, for every village of the round that has any."""
    places = {str(unit["id"]): str(unit.get("village", "")) for unit in frame.units(store, round)}
    villages: dict[str, list[Form]] = defaultdict(list)
    for one in forms(store, round):
        villages[places.get(one.unit, "")].append(one)
    return {village: states.tally(found) for village, found in sorted(villages.items())}
