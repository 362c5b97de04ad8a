"""Dữ liệu cá nhân, for the administrator: what is held about a person, by the code of the interview; handing it out,
erasing it."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for

from survey.errors import InputError, SurveyError
from survey.store import current, personal
from survey.store.commune import require_other_commune
from survey.text import Text
from survey.web import words
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
            complaint = complaint or _sentence(wrong)
    shown = render_template(
        "personal.html",
        typed=code,
        row=row,
        code=personal.code_of(row["interview"]) if row else "",
        place=unit_place(row["unit"]) if row else "",
        complaint=complaint,
        reason=reason,
        erased=[personal.code_of(one["interview"]) for one in current.interviews(store(), state="erased")],
    )
    return shown, 400 if complaint else 200


def _sentence(wrong: SurveyError) -> str:
    problem, language = wrong.problem, words.interface()
    return f"{words.sentence(problem.what(language))} {words.sentence(problem.todo(language))}"


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
        return _show(code, _sentence(wrong), reason)
    desk().forget(interview)
    flash(
        t(
            f"Đã xóa {len(done)} mục. Ghi USB cho các máy khác: chúng xóa khi nhận.",
            f"{len(done)} items erased. Write the sticks: other machines erase as they receive.",
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
        return _show("", _sentence(wrong))
    body = json.dumps(held, ensure_ascii=False, indent=2) + "\n"
    name = f"{held['code']}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, mimetype="application/json", headers=headers)
