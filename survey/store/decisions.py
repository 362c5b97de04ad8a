"""What a person decides about an interview: approve, return, void, comment, settle a conflict."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from survey.errors import InputError
from survey.store import feed, reading
from survey.store.header import DECISION_KINDS
from survey.store.store import Store
from survey.text import Text


def decide(
    store: Store,
    interview: str,
    kind: str,
    head: str = "",
    reason: str = "",
    actor: str = "",
    *,
    question: str = "",
    second: bool = False,
    now: datetime | None = None,
) -> str:
    """Writes a decision (``approved``, ``returned``, ``voided``) or a comment on one content; returns its id.

    ``head`` is the content that the person saw (default: the only one); InputError when it is no longer current, so
    that nobody decides on what they have not seen. A decision replaces the standing ones on the same content.
    ``question`` is the path that a returned sentence or a comment belongs to. ``second``: an approval beside the
    supervisor's, by somebody else, where the round asks for two; InputError when there is no first one.
    """
    if kind not in DECISION_KINDS:
        raise ValueError(f"{kind!r} is no decision kind")
    with store.transaction():
        row = _interview(store, interview)
        target = head or row["head"]
        if not target or target not in row["heads"]:
            raise InputError(
                interview,
                Text(
                    "phiếu này có bản mới hơn, hoặc có hai bản khác nhau", "there is newer content, or several versions"
                ),
                Text("xem lại phiếu rồi quyết định", "look at the interview again, then decide"),
            )
        if second:
            _require_first(store, interview, kind, actor)
        replaced = [] if kind == "commented" or second else _standing(store, interview, target)
        body = {"reason": reason, **({"question": question} if question else {})}
        body |= {"approval": "second"} if second else {}
        return feed.append(
            store,
            subject_type="interview",
            subject=interview,
            kind=kind,
            parts={"decision": body},
            parents=replaced,
            target=target,
            questionnaire_hash=row["questionnaire_hash"],
            actor=actor,
            now=now,
        )


def _require_first(store: Store, interview: str, kind: str, actor: str) -> None:
    first = [told for told in reading.decisions(store, interview) if told["standing"] and told["kind"] == "approved"]
    if kind != "approved" or not first:
        raise InputError(
            interview,
            Text("phiếu này chưa được giám sát viên duyệt", "no supervisor has approved this interview yet"),
            Text("đợi giám sát viên duyệt trước", "let a supervisor approve it first"),
        )
    if actor and actor in {told["actor"] for told in first}:
        raise InputError(
            interview,
            Text("hai lần duyệt phải do hai người", "the two approvals are two people's"),
            Text("để người khác duyệt lần hai", "leave the second one to somebody else"),
        )


def settle(
    store: Store,
    interview: str,
    chosen_head: str = "",
    answers: Mapping[str, Any] | None = None,
    reason: str = "",
    actor: str = "",
    *,
    now: datetime | None = None,
) -> str:
    """Ends a conflict with one ``combined`` content that builds on all heads; returns its id.

    Either ``chosen_head``, whose content is taken as it is, or ``answers`` chosen from several, with the rest of the
    content (off the path, contact, paradata) of ``chosen_head`` or else of the first head that has its answers here.
    InputError when there is no conflict.
    """
    with store.transaction():
        row = _interview(store, interview)
        heads = row["heads"]
        if len(heads) < 2 or (chosen_head and chosen_head not in heads) or not (chosen_head or answers):
            raise InputError(
                interview,
                Text("phiếu này không có hai bản để chọn", "there are no several versions to choose from"),
                Text("xem lại phiếu", "look at the interview again"),
            )
        base = reading.content(store, interview, chosen_head or _first_held(store, heads))
        parts = {name: base[name] for name in ("answers", "off_path", "contact", "paradata") if base[name]}
        if answers is not None:
            parts["answers"] = dict(answers)
        parts["decision"] = {"reason": reason, "chosen": chosen_head}
        return feed.append(
            store,
            subject_type="interview",
            subject=interview,
            kind="combined",
            parts=parts,
            parents=heads,
            target=base["unit"],
            questionnaire_hash=base["questionnaire_hash"],
            actor=actor,
            now=now,
        )


def _interview(store: Store, interview: str) -> dict[str, Any]:
    rows = reading.interviews(store, interview=interview)
    if not rows or not rows[0]["heads"]:
        raise InputError(
            interview,
            Text("không có phiếu khảo sát đã khóa này", "there is no such sealed interview"),
            Text("kiểm tra mã phiếu", "check its id"),
        )
    return rows[0]


def _standing(store: Store, interview: str, target: str) -> list[str]:
    """The standing decisions on one head. Asked of the revisions: in a conflict the derived row lists none."""
    own = [
        header
        for header in feed.revisions(store, "interview", interview)
        if header.kind in DECISION_KINDS and header.target == target
    ]
    replaced = {parent for header in own for parent in header.parents}
    return sorted(header.id for header in own if header.kind != "commented" and header.id not in replaced)


def _first_held(store: Store, heads: list[str]) -> str:
    return next((head for head in heads if feed.part(store, head, "answers") is not None), heads[0])
