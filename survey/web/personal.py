"""Dữ liệu cá nhân, for the administrator: what is held about a person, by the code of the interview; handing it out,
erasing it."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for

from survey.errors import InputError, NotUnderstood, SurveyError
from survey.store import audit, current, frame, personal, processing, requests
from survey.store.commune import require_other_commune
from survey.text import Text, many
from survey.vocabulary import REQUESTS
from survey.web import forms, handout, words
from survey.web import processing as shown
from survey.web.bringing import attached
from survey.web.desk import desk, store
from survey.web.naming import unit_place
from survey.web.words import t

pages = Blueprint("personal", __name__)


@pages.get("/personal-data")
def page() -> Any:
    """The box for a code; the interview that it names, without its answers; what was erased."""
    return _show(request.args.get("code", "").strip())


def _show(code: str, complaint: str = "", reason: str = "") -> Any:
    row: dict[str, Any] = {}
    if code:
        try:
            row = current.interviews(store(), interview=personal.by_code(store(), code))[0]
        except SurveyError as wrong:
            complaint = complaint or words.advice(wrong.problem)
    drawn = render_template(
        "personal.html",
        typed=code,
        row=row,
        code=personal.code_of(row["interview"]) if row else "",
        place=unit_place(row["unit"]) if row else "",
        complaint=complaint,
        reason=reason,
        requests=[_request(one) for one in requests.everything(store())],
        kinds=[(kind, asked.name(words.interface())) for kind, asked in REQUESTS.items()],
        today=f"{desk().now():%d/%m/%Y}",
        rounds=[_round(document) for document in frame.rounds(store())],
        erased=[personal.code_of(one["interview"]) for one in current.interviews(store(), state="erased")],
    )
    return drawn, 400 if complaint else 200


def _round(document: dict[str, Any]) -> dict[str, Any]:
    until = str(document.get("contact_until") or "")
    held = personal.contact_held(store(), str(document["id"]))
    over = bool(until) and until < f"{desk().now():%Y-%m-%d}"
    return {
        "id": document["id"],
        "title": document.get("title"),
        "until": words.day(until) if until else "",
        "held": held,
        "over": over and held,
    }


def _request(one: requests.Request) -> dict[str, Any]:
    return {
        **one._asdict(),
        "name": REQUESTS[one.kind].name(words.interface()),
        "code": personal.code_of(one.interview) if one.interview else "",
        "late": one.late(f"{desk().now():%Y-%m-%d}"),
    }


@pages.post("/personal-data/erase")
def erase() -> Any:
    """Erases the interview and the contact data for good. Needs a reason, and the box that says it is meant."""
    code, reason = request.form.get("code", "").strip(), request.form.get("reason", "").strip()
    try:
        interview = personal.by_code(store(), code)
        if not reason or not request.form.get("sure"):
            raise InputError(
                code,
                Text("chưa ghi lý do hoặc chưa đánh dấu xác nhận", "the reason or the confirmation is missing"),
                Text("ghi một câu, đánh dấu vào ô, rồi bấm lại", "write a sentence, tick the box, press again"),
            )
        done = personal.erase_person(store(), interview, g.person["id"], reason, now=desk().now())
    except SurveyError as wrong:
        return _show(code, words.advice(wrong.problem), reason)
    desk().forget(interview)
    flash(
        t(
            f"Đã xóa {len(done)} mục. Ghi USB cho các máy khác: chúng xóa khi nhận.",
            f"{many(len(done), 'item')} erased. Write the sticks: other machines erase as they receive.",
        ),
        "good",
    )
    return redirect(url_for("personal.page"))


@pages.post("/personal-data/export")
def export() -> Any:
    """Everything held about the interview as a file, for the person who asked."""
    try:
        interview = personal.by_code(store(), request.form.get("code", ""))
        require_other_commune(store(), g.person, interview=interview)
        held = personal.everything(store(), interview)
    except SurveyError as wrong:
        return _show("", words.advice(wrong.problem))
    kind = "json" if request.form.get("as") == "json" else "html"
    audit.note(
        store(),
        "person_export",
        actor=g.person["id"],
        subject=f"interview {interview}",
        detail={"format": kind},
        now=desk().now(),
    )
    requests.carried_out(store(), interview, ["access"], g.person["id"], now=desk().now())
    if kind == "html":
        return attached(handout.html(store(), held, desk().now()), f"{held['code']}.html", "text/html")
    return attached(json.dumps(held, ensure_ascii=False, indent=2) + "\n", f"{held['code']}.json", "application/json")


@pages.post("/personal-data/requests")
def register() -> Any:
    """Registers what a respondent asks for."""
    form = request.form
    try:
        code = form.get("asked_code", "").strip()
        interview = personal.by_code(store(), code) if code else ""
        received = date.fromisoformat(forms.read_moment(form.get("received", ""))[:10] or f"{desk().now():%Y-%m-%d}")
        kind, note = form.get("kind", ""), form.get("note", "")
        requests.add(store(), kind, received, g.person["id"], interview=interview, note=note, now=desk().now())
    except SurveyError as wrong:
        return _show("", words.advice(wrong.problem))
    except NotUnderstood as wrong:
        return _show("", words.sentence(wrong.reason(words.interface())))
    flash(t("Đã ghi yêu cầu vào sổ.", "The request is registered."), "good")
    return redirect(url_for("personal.page"))


@pages.post("/personal-data/requests/<id>")
def request_step(id: str) -> Any:
    """Notes that a request was answered, done or refused."""
    what, reason = request.form.get("step", ""), request.form.get("reason", "")
    try:
        requests.step(store(), id, what, g.person["id"], reason, now=desk().now())
    except SurveyError as wrong:
        return _show("", words.advice(wrong.problem))
    return redirect(url_for("personal.page"))


@pages.post("/personal-data/erase-due")
def erase_due() -> Any:
    """Erases the contact data of the rounds whose date is past. Needs the box that says it is meant."""
    if not request.form.get("sure"):
        return _show("", t("Đánh dấu vào ô xác nhận rồi bấm lại.", "Tick the box and press again."))
    today, reason = f"{desk().now():%Y-%m-%d}", "hết hạn giữ / retention is over"
    done = personal.erase_due(store(), today, g.person["id"], reason, now=desk().now())
    flash(
        t(
            f"Đã xóa dữ liệu liên hệ ({len(done)} mục). Ghi USB cho các máy khác: chúng xóa khi nhận.",
            f"Contact data erased ({many(len(done), 'item')}). Write the sticks: other machines erase as they receive.",
        ),
        "good",
    )
    return redirect(url_for("personal.page"))


@pages.post("/personal-data/record")
def record() -> Any:
    """The record of processing of a round as a file."""
    try:
        round = str(frame.round_document(store(), request.form.get("round", ""))["id"])
    except SurveyError as wrong:
        return _show("", words.advice(wrong.problem))
    found = processing.record(store(), round, desk().now())
    audit.note(store(), "record", actor=g.person["id"], subject=round, now=desk().now())
    return attached(shown.as_html(found), f"ho-so-xu-ly-{round}.html", "text/html")
