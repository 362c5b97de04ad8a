"""Phiếu: the interviews and their states; reading one; approve, return, void; settling two versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for

from survey.errors import InputError
from survey.questionnaire.model import Answers
from survey.questionnaire.path import Entry, Path
from survey.store import current, frame
from survey.text import Text
from survey.web import forms, roles, words
from survey.web.desk import desk, place, store
from survey.web.receive import unit_name
from survey.web.sections import key
from survey.web.words import STATES, t

pages = Blueprint("records", __name__)

ORDER = ("conflict", "sealed", "returned", "approved", "voided", "partial", "draft", "erased")
"""The states in the order in which they need a person."""

DECISIONS: dict[str, Text] = {
    "approved": Text("Duyệt", "Approved"),
    "returned": Text("Yêu cầu sửa", "Returned"),
    "voided": Text("Hủy phiếu", "Voided"),
    "commented": Text("Ghi chú", "Comment"),
}

NEEDS_REASON = frozenset({"returned", "voided"})


@pages.get("/interviews")
def page() -> str:
    """All interviews on this machine, by state."""
    rows = current.interviews(store())
    counts = Counter(row["state"] for row in rows)
    state = request.args.get("state", "")
    if state not in STATES:
        state = ""
    filters = [{"name": t("Tất cả", "All"), "count": len(rows), "url": url_for("records.page"), "here": not state}]
    filters += [
        {
            "name": STATES[one](words.interface()),
            "count": counts[one],
            "url": url_for("records.page", state=one),
            "here": one == state,
        }
        for one in ORDER
        if counts[one]
    ]
    shown = [_row(row) for row in rows if not state or row["state"] == state]
    shown.sort(key=lambda row: (ORDER.index(row["state"]), row["place"], row["time"]))
    return render_template("records.html", rows=shown, filters=filters)


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    unit = frame.unit(store(), row["unit"])
    return {
        **row,
        "name": unit_name(row["unit"]),
        "place": place([unit]) if unit else "",
        "actor": person_name(row["actor"]),
        "url": url_for("records.record", interview=row["interview"]),
    }


def person_name(user: str) -> str:
    """What a person is called, else the id."""
    return str((frame.person(store(), user) or {}).get("name") or user or "–")


def device_name(device: str) -> str:
    """What a laptop is called, else the beginning of its id."""
    return str((frame.document(store(), "device", device) or {}).get("name") or device[:9])


# -- reading one -------------------------------------------------------------------------------------------------


@pages.get("/interviews/<interview>")
def record(interview: str) -> str:
    """One interview as it was answered, what was decided about it, and the buttons to decide."""
    return _show(interview)


def _show(interview: str, reason: str = "") -> str:
    row = _found(interview)
    sections, withheld = [], ""
    if row["head"]:
        try:
            content = current.content(store(), interview)
        except InputError as absent:
            withheld = words.sentence(absent.problem.what(words.interface()))
        else:
            sections = _answers(_path(content, row))
    elif row["state"] == "draft":
        withheld = t("Phiếu này đang làm dở, chưa khóa.", "This interview is still a draft.")
    unit = frame.unit(store(), row["unit"])
    return render_template(
        "record.html",
        row=row,
        name=unit_name(row["unit"]),
        place=place([unit]) if unit else "",
        actor=person_name(row["actor"]),
        decisions=[
            {**told, "words": DECISIONS[told["kind"]](words.interface()), "actor": person_name(told["actor"])}
            for told in current.decisions(store(), interview)
        ],
        deciding=_may_decide() and row["kind"] in ("sealed", "corrected", "combined"),
        sections=sections,
        withheld=withheld,
        reason=reason,
        following=_following(interview),
    )


def _found(interview: str) -> dict[str, Any]:
    rows = current.interviews(store(), interview=interview)
    if not rows:
        abort(404)
    return rows[0]


def _may_decide() -> bool:
    return roles.may("records.decide", frozenset(g.person["roles"]))


def _following(interview: str) -> str:
    """The next interview that waits for a decision."""
    waiting = [row["interview"] for row in current.interviews(store(), state="sealed") if row["interview"] != interview]
    after = [one for one in waiting if one > interview] or waiting
    return url_for("records.record", interview=after[0]) if after else ""


def _path(content: Mapping[str, Any], row: Mapping[str, Any]) -> Path:
    unit = frame.unit(store(), content["unit"]) or {"id": content["unit"]}
    answers = {**content["off_path"], **content["answers"]}
    if roles.may("records.decide", frozenset(g.person["roles"])):
        # Names and phones stay away from those who only count.
        answers |= content["contact"]
    return desk().read(store(), content["questionnaire_hash"], unit, answers, row)


def _answers(path: Path) -> list[dict[str, Any]]:
    """The questions on the path with their answers in words, section by section."""
    language = words.tongue()
    shown = []
    for section in path.sections:
        lines = [
            {
                "label": entry.label(language),
                "words": forms.in_words(entry, language) or "–",
                "missing": isinstance(entry.value, dict) or not entry.is_answered,
            }
            for entry in section.entries
            if entry.asked and "[]" not in entry.path
        ]
        if lines:
            shown.append({"title": section.label(language) or t("Câu hỏi", "Questions"), "lines": lines})
    return shown


# -- deciding ----------------------------------------------------------------------------------------------------


@pages.post("/interviews/<interview>/decide")
def decide(interview: str) -> Any:
    """Approve, return with a sentence, or void. The version that the person saw is named, so nobody decides on
    what they have not seen."""
    kind = request.form.get("kind", "")
    reason = request.form.get("reason", "").strip()
    if kind not in DECISIONS or kind == "commented":
        abort(400)
    if kind in NEEDS_REASON and not reason:
        flash(t("Ghi một câu nêu lý do rồi bấm lại.", "Write a sentence that says why, then press again."), "look")
        return _show(interview), 400
    current.decide(store(), interview, kind, request.form.get("head", ""), reason, g.person["id"], now=desk().now())
    flash(f"{DECISIONS[kind](words.interface())}: {t('đã lưu.', 'saved.')}", "good")
    return redirect(
        _following(interview)
        if kind == "approved" and _following(interview)
        else url_for("records.record", interview=interview)
    )


# -- two versions ------------------------------------------------------------------------------------------------


@pages.get("/interviews/<interview>/conflict")
def conflict(interview: str) -> Any:
    """The versions side by side, what differs lit."""
    return _compare(interview)


def _compare(interview: str, complaint: str = "") -> Any:
    row = _found(interview)
    if row["state"] != "conflict":
        return redirect(url_for("records.record", interview=interview))
    versions = [current.content(store(), interview, head) for head in row["heads"]]
    lines = _lines(versions, row)
    page = render_template(
        "conflict.html",
        interview=interview,
        name=unit_name(row["unit"]),
        heads=[
            {"id": v["head"], "actor": person_name(v["actor"]), "device": device_name(v["device"]), "time": v["time"]}
            for v in versions
        ],
        lines=lines,
        differing=sum(line["differs"] for line in lines),
        deciding=_may_decide(),
        complaint=complaint,
        reason=request.form.get("reason", ""),
    )
    return page, 400 if complaint else 200


def _lines(versions: list[dict[str, Any]], row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One line a question that any version answers: the words of each, and whether they differ. What is worked out
    from the answers has no line: it will be worked out again."""
    language = words.tongue()
    ways = [{entry.path: entry for entry in _path(version, row).entries} for version in versions]
    lines = []
    for path in _answered(versions, ways):
        entries = [way.get(path) for way in ways]
        known = next(entry for entry in entries if entry is not None)
        values = [version["answers"].get(path) for version in versions]
        lines.append(
            {
                "path": path,
                "key": key(path),
                "label": known.label(language) or known.node.name,
                "cells": [
                    forms.in_words(entry, language) if entry is not None and value is not None else ""
                    for entry, value in zip(entries, values, strict=True)
                ],
                "differs": any(value != values[0] for value in values),
                "chosen": _chosen(path),
            }
        )
    return lines


def _answered(versions: list[dict[str, Any]], ways: list[dict[str, Entry]]) -> list[str]:
    """The paths that a person answered in any version, in document order."""
    given = {path for version in versions for path in version["answers"]}
    order = dict.fromkeys(path for way in ways for path in way)
    asked = {path for way in ways for path, entry in way.items() if entry.node.control and not entry.read_only}
    return [path for path in order if path in given and path in asked]


def _chosen(path: str) -> int | None:
    chosen = request.form.get(f"row.{path}", "")
    return int(chosen) if chosen.isdigit() else None


@pages.post("/interviews/<interview>/settle")
def settle(interview: str) -> Any:
    """Ends a conflict: the chosen answer of every row that differs, and one reason. All versions are kept."""
    row = _found(interview)
    if row["state"] != "conflict" or row["heads"] != request.form.getlist("head"):
        flash(t("Phiếu này vừa thay đổi. Xem lại rồi chọn.", "This interview has just changed. Look again."), "look")
        return redirect(url_for("records.record", interview=interview))
    versions = [current.content(store(), interview, head) for head in row["heads"]]
    reason = request.form.get("reason", "").strip()
    ways = [_path(version, row) for version in versions]
    entries = [{entry.path: entry for entry in way.entries} for way in ways]
    answers: Answers = dict(versions[0]["answers"])
    for path in _answered(versions, entries):
        values = [version["answers"].get(path) for version in versions]
        chosen = 0 if all(value == values[0] for value in values) else _chosen(path)
        if chosen is None or chosen >= len(values):
            return _compare(interview, t("Còn dòng chưa chọn.", "A row is not chosen yet."))
        if (value := values[chosen]) is None:
            answers.pop(path, None)
        else:
            answers[path] = value
    if not reason:
        return _compare(interview, t("Ghi lý do.", "Give the reason."))
    # What follows from the chosen answers follows anew: calculations, and which questions were asked at all.
    combined = _path({**versions[0], "answers": answers, "contact": {}, "off_path": {}}, row).sealed[0]
    current.settle(store(), interview, answers=combined, reason=reason, actor=g.person["id"], now=desk().now())
    flash(t("Đã chọn xong. Phiếu chờ duyệt.", "Settled. The interview awaits review."), "good")
    return redirect(url_for("records.record", interview=interview))
