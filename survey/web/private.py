"""Hỏi riêng: the screen is turned over, and the person answers alone. Until the enumerator gives the PIN no other page
opens, and no page of an enumerator ever shows what was answered."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from survey.errors import NotAllowed, NotUnderstood
from survey.questionnaire.path import Entry
from survey.store import drafts, frame
from survey.web import forms, words
from survey.web.desk import Open, desk, store
from survey.web.draft import open_draft, tongue_of
from survey.web.questions import question
from survey.web.words import t

pages = Blueprint("private", __name__)

ALWAYS = frozenset({"static", "account.language"})
"""What else answers while the screen is turned over."""


def turned() -> dict[str, Any] | None:
    """``interview``, ``section`` (its number) and ``done`` (the paths answered) while the screen is turned over."""
    found = session.get("turned")
    return found if isinstance(found, dict) else None


def keep_turned(endpoint: str) -> Response | None:
    """Back to the person's own page, whatever else was asked for while the screen is turned over."""
    here = turned()
    if here is None or endpoint in ALWAYS or endpoint.startswith("private."):
        return None
    if request.headers.get("HX-Request"):
        return Response("", 401, {"X-Answer": "locked"})
    return redirect(url_for("private.page", interview=here["interview"]))


def _here(interview: str) -> dict[str, Any]:
    here = turned()
    if here is None or here["interview"] != interview:
        abort(404)
    return here


def _asked(opened: Open, number: int) -> list[Entry]:
    """The private questions of a section that are asked now."""
    places = opened.path.sections
    if not 1 <= number <= len(places):
        abort(404)
    return [entry for entry in places[number - 1].entries if entry.node.private and entry.asked]


def _left(entries: Collection[Entry], alone: Collection[str]) -> list[Entry]:
    return [entry for entry in entries if not entry.is_answered and entry.path not in alone]


@pages.post("/interviews/<interview>/private/<int:number>")
def turn(interview: str, number: int) -> Response:
    """Turns the screen over for the private questions of a section."""
    opened = open_draft(interview)
    if _left(_asked(opened, number), opened.alone):
        session["turned"] = {"interview": interview, "section": number, "done": []}
        return redirect(url_for("private.page", interview=interview))
    return redirect(url_for("interview.section", interview=interview, number=number))


@pages.get("/interviews/<interview>/private")
def page(interview: str) -> str:
    """The next private question, large and alone; after the last one, thanks, and the PIN."""
    here = _here(interview)
    return _show(open_draft(interview), here)


def _show(opened: Open, here: dict[str, Any], complaint: str = "", typed: str = "", wrong: str = "") -> str:
    language = tongue_of(opened)
    left = _left(_asked(opened, here["section"]), opened.alone)
    again = request.args.get("again", "")
    entry = opened.path.entry(again) if again in here["done"] and not wrong else next(iter(left), None)
    shown = None
    if entry is not None:
        # An earlier answer is not shown, not even to who answers again: the laptop may have changed hands.
        shown = question(Open(opened.draft, opened.unit, opened.path), entry, language, {})
        shown.value, shown.values, shown.missing_value, shown.text = "", [], "", typed
        shown.complaint = complaint
    return render_template(
        "private.html",
        interview=opened.draft["interview"],
        q=shown,
        lease=drafts.lease(store(), opened.draft["interview"]),
        language=language,
        before=here["done"][-1] if here["done"] and shown and shown.path not in here["done"] else "",
        optional=bool(entry and not entry.required),
        wrong=wrong,
    )


@pages.post("/interviews/<interview>/private")
def answer(interview: str) -> Any:
    """Takes one answer of the person: on disk, marked as given alone, and never shown to an enumerator."""
    here = _here(interview)
    with desk().lock:
        opened = open_draft(interview)
        path = request.form.get("question", "")
        entry = next((one for one in _asked(opened, here["section"]) if one.path == path), None)
        if entry is None or (path in opened.alone and path not in here["done"]):
            abort(404)
        values = request.form.getlist("value")
        missing = request.form.get("missing", "")
        try:
            value = forms.read(entry, values, missing)
        except NotUnderstood as wrong:
            return _show(opened, here, wrong.reason(words.interface()), values[0] if values else ""), 400
        if value is None and entry.required:
            return _show(opened, here, t("Xin chọn một câu trả lời.", "Please choose an answer.")), 400
        change = opened.path.set(path, "" if value is None else value)
        if not change.ok:
            said = change.message if isinstance(change.message, str) else change.message(words.interface())
            return _show(opened, here, words.sentence(said), values[0] if values else ""), 400
        try:
            drafts.save_alone(
                store(),
                interview,
                path,
                change.save,
                _seconds(),
                token=request.form.get("lease", ""),
                now=desk().now(),
            )
        except NotAllowed:
            return _show(opened, here, t("Xin chọn lại.", "Please choose again.")), 409
        row = drafts.draft(store(), interview)
        assert row is not None
        desk().keep(interview, row["changes"], change.path)
        desk().typed.get(interview, {}).pop(path, None)
    session["turned"] = {**here, "done": [*(one for one in here["done"] if one != path), path]}
    return redirect(url_for("private.page", interview=interview))


def _seconds() -> float:
    try:
        return min(max(float(request.form.get("ms", "0")) / 1000, 0.0), 86_400.0)
    except ValueError:
        return 0.0


@pages.post("/interviews/<interview>/private/back")
def back(interview: str) -> Any:
    """The enumerator has the laptop again, and shows it with the PIN."""
    here = _here(interview)
    opened = open_draft(interview)
    try:
        frame.sign_in(store(), session["user"], request.form.get("pin", ""), desk().now())
    except NotAllowed as refused:
        return _show(opened, here, wrong=words.advice(refused.problem)), 403
    session.pop("turned")
    return redirect(url_for("interview.section", interview=interview, number=here["section"]))


@pages.post("/interviews/<interview>/private/<int:number>/again")
def again(interview: str, number: int) -> Response:
    """Takes the answers that a person gave alone in a section away, unread, so that they can be asked anew."""
    with desk().lock:
        opened = open_draft(interview)
        for entry in _asked(opened, number):
            if entry.path in opened.alone:
                drafts.ask_again(store(), interview, entry.path)
        desk().forget(interview)
    return redirect(url_for("interview.section", interview=interview, number=number))
