"""The options of a long list, at most fifty at a time, for the letters that were typed."""

from __future__ import annotations

from flask import Blueprint, abort, render_template, request

from survey.questionnaire.search import search
from survey.web import forms
from survey.web.desk import desk
from survey.web.draft import open_draft, tongue_of

pages = Blueprint("finding", __name__)


@pages.get("/interviews/<interview>/choices")
def choices(interview: str) -> str:
    """The options of one question that its letters may mean, as the rows of a list box."""
    with desk().lock:
        opened = open_draft(interview)
        try:
            entry = opened.path.entry(request.args.get("question", ""))
        except KeyError:
            abort(404)
        language = tongue_of(opened)
        labelled = forms.labelled(entry, language)
    found = search(labelled, request.args.get("q", ""))
    stands = entry.value
    return render_template(
        "found.html",
        found=found,
        stands=stands if isinstance(stands, list) else [stands],
        id=request.args.get("list", ""),
        language=language,
    )
