"""The slip for the respondent: the code of the interview, and what can be asked for with it."""

from __future__ import annotations

from flask import Blueprint, abort, g, render_template

from survey.store import current, frame
from survey.store.personal import code_of
from survey.web import roles
from survey.web.desk import store

pages = Blueprint("slip", __name__)


@pages.get("/interviews/<interview>/slip")
def page(interview: str) -> str:
    """A short page to print: also after the interview was sealed."""
    rows = current.interviews(store(), interview=interview)
    mine = rows and g.person["id"] in (rows[0]["actor"], rows[0]["assignee"])
    if not rows or not (mine or roles.SUPERVISOR in g.person["roles"]):
        abort(404)
    round = frame.document(store(), "round", rows[0]["round"]) or {}
    return render_template("slip.html", code=code_of(interview), round=round)
