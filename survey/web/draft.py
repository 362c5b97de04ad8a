"""A draft as a page opens it: whose it is, the language in which its questions are asked, and who writes to it now."""

from __future__ import annotations

from flask import Response, abort, g, make_response, render_template

from survey.store import keying
from survey.web import roles, words
from survey.web.desk import Open, desk, store


def open_draft(interview: str) -> Open:
    """The draft, when it is this person's to work on. Sets what the line on top says."""
    opened = desk().open(store(), interview)
    if keying.of_interview(store(), interview):
        abort(404)  # keyed from paper, on a page of its own; of two people neither sees what the other keyed
    mine = g.person["id"] in (opened.draft["actor"], opened.unit.get("assignee"))
    if not mine and roles.SUPERVISOR not in g.person["roles"]:
        abort(404)
    g.unit = opened.unit
    languages = opened.questionnaire.languages
    if languages:
        known = {code: (code.upper(), name) for code, name in languages.items()}
        g.tongues = {code: words.TONGUES.get(code, known[code]) for code in sorted(known, key=_usual_first)}
    return opened


def _usual_first(code: str) -> tuple[bool, int]:
    usual = list(words.TONGUES)
    return (code not in usual, usual.index(code) if code in usual else 0)


def tongue_of(opened: Open) -> str:
    chosen = words.tongue()
    languages = opened.questionnaire.languages
    return chosen if chosen in languages or not languages else next(iter(languages))


def stale(interview: str) -> Response:
    response = make_response(render_template("stale.html", interview=interview), 409)
    response.headers["X-Answer"] = "stale"
    return response
