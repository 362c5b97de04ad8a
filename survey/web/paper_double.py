"""Two entries of one form side by side: only what differs, settled by a person with the paper in hand, then sealed."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, render_template, request

from survey.errors import NotUnderstood
from survey.paper import double
from survey.paper.fields import read, words, written
from survey.paper.validity import judge
from survey.questionnaire.model import Value, generic
from survey.store import drafts, frame, keying
from survey.web import words as said
from survey.web.desk import desk, store
from survey.web.naming import called, full_place, person_name
from survey.web.paper_entry import Keyed, form_of, laid, seal
from survey.web.questions import key
from survey.web.words import t

pages = Blueprint("paper_double", __name__)


def _both(form: str) -> tuple[Keyed, Keyed]:
    found, row = form_of(form), keying.of_form(store(), form)
    if row is None or not row["second_done"]:
        abort(404)
    first = laid(found, row, 1, drafts.answers(store(), row["interview"]))
    return first, laid(found, row, 2, keying.second_answers(store(), form))


@pages.get("/paper/double/<form>")
def page(form: str) -> Any:
    """The fields in which the two entries differ."""
    return _page(*_both(form))


def _page(first: Keyed, second: Keyed, complaints: dict[str, str] | None = None) -> Any:
    paths = double.differing(first.answers, second.answers)
    entries = {entry.path: entry for way in (second.path, first.path) for entry in way.entries}
    language = said.tongue()
    lines = []
    for path in paths:
        box = first.boxes[generic(path)]
        cells = [
            {"value": written(box, value) or "-", "words": words(box, value, language)}
            for value in (keyed.answers.get(path, double.BLANK) for keyed in (first, second))
        ]
        lines.append(
            {
                "path": path,
                "key": key(path),
                "number": box.number,
                "label": entries[path].label(language) or entries[path].node.name,
                "cells": cells,
                "chosen": request.form.get(f"row.{path}", ""),
                "other": request.form.get(f"other.{path}", ""),
                "complaint": (complaints or {}).get(path, ""),
            }
        )
    page = render_template(
        "paper_double.html",
        form=first.form,
        name=called(first.unit, frame.contact(store(), "unit", first.form.unit)),
        place=full_place(first.unit),
        people=[person_name(first.row["first"]), person_name(first.row["second"])],
        lines=lines,
        compared=len(double.compared(first.answers, second.answers)),
        complaint=bool(complaints),
    )
    return page, 400 if complaints else 200


@pages.post("/paper/double/<form>")
def settle(form: str) -> Any:
    """Takes what was chosen in every row, the first entry, the second, or a third answer read from the paper."""
    with desk().lock:
        first, second = _both(form)
        settled: dict[str, Value] = {}
        complaints: dict[str, str] = {}
        for path in double.differing(first.answers, second.answers):
            chosen = request.form.get(f"row.{path}", "")
            if chosen in ("0", "1"):
                settled[path] = (first, second)[int(chosen)].answers.get(path, double.BLANK)
                continue
            try:
                value = read(first.boxes[generic(path)], request.form.get(f"other.{path}", ""))
            except NotUnderstood as wrong:
                complaints[path] = wrong.reason(said.interface())
                continue
            if value is None:
                complaints[path] = t(
                    "Chọn một trong hai, hoặc ghi theo phiếu.", "Choose one, or key what the paper says."
                )
            else:
                settled[path] = value
        if complaints:
            return _page(first, second, complaints)
        private = [e.path for e in first.path.entries if e.node.contact]
        told = double.report((first.row["first"], first.row["second"]), first.answers, second.answers, settled, private)
        with store().transaction():
            drafts.save(store(), first.row["interview"], settled, now=desk().now())
            final = laid(first.form, first.row, 1, drafts.answers(store(), first.row["interview"]))
            return seal(final, judge(final.path, final.rule), told)
