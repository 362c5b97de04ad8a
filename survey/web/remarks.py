"""What an enumerator adds to an answer, saved like an answer: the comment at a question, the reason why an unusual
answer stays."""

from __future__ import annotations

from flask import Blueprint, Response, abort, make_response, render_template, request

from survey.errors import InputError, NotAllowed
from survey.store import drafts, remarks
from survey.web import words
from survey.web.desk import desk, store
from survey.web.draft import open_draft, stale, tongue_of
from survey.web.questions import question
from survey.web.rail import rail_of

pages = Blueprint("remarks", __name__)


@pages.post("/interviews/<interview>/comment")
def comment(interview: str) -> Response:
    """Keeps the comment at one question; with ``about=reason``, why its unusual answer stays. ``X-Answer`` says
    ``saved``, ``refused`` (too long) or ``stale``."""
    with desk().lock:
        opened = open_draft(interview)
        try:
            entry = opened.path.entry(request.form.get("question", ""))
        except KeyError:
            abort(404)
        explains = request.form.get("about") == "reason"
        if explains and not entry.doubtful:
            abort(404)
        write = drafts.keep if explains else drafts.comment
        try:
            write(store(), interview, entry.path, request.form.get("comment", ""), token=request.form.get("lease", ""))
        except NotAllowed:
            return _reply("stale", 409, stale=True, interview=interview)
        except InputError as wrong:
            return _reply("refused", 200, complaint=words.sentence(wrong.problem.what(words.interface())))
        row = drafts.draft(store(), interview)
        assert row is not None
        desk().keep(interview, row["changes"], opened.path)
        opened.comments = remarks.comments(store(), interview)
        opened.reasons = remarks.reasons(store(), interview)
        shown = question(opened, entry, tongue_of(opened), desk().typed.get(interview, {}))
    return _reply("saved", 200, q=shown if shown.shown else None)


@pages.post("/interviews/<interview>/flag")
def flag(interview: str) -> Response:
    """Marks a question to come back to, or takes the mark away. ``X-Answer`` says ``saved`` or ``stale``."""
    with desk().lock:
        opened = open_draft(interview)
        try:
            entry = opened.path.entry(request.form.get("question", ""))
        except KeyError:
            abort(404)
        try:
            drafts.flag(store(), interview, entry.path, token=request.form.get("lease", ""))
        except NotAllowed:
            return stale(interview)
        row = drafts.draft(store(), interview)
        assert row is not None
        desk().keep(interview, row["changes"], opened.path)
        opened.flags = remarks.flags(store(), interview)
        shown = question(opened, entry, tongue_of(opened), desk().typed.get(interview, {}))
        page = render_template("flag.html", q=shown, section=rail_of(opened, entry))
    response = make_response(page)
    response.headers["X-Answer"] = "saved"
    return response


def _reply(verdict: str, status: int, **shown: object) -> Response:
    response = make_response(render_template("comment.html", **shown), status)
    response.headers["X-Answer"] = verdict
    return response
