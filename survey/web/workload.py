"""Targets of a round by place: typed one by one, or brought as a table."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for

from survey.errors import InputError, SurveyError
from survey.fieldwork import workload
from survey.store import board, frame, progress
from survey.store.where import Where
from survey.sync import rounds
from survey.tables import read_table
from survey.text import natural
from survey.web.bringing import brought, sentences
from survey.web.desk import store
from survey.web.words import t

pages = Blueprint("workload", __name__)

TYPED = 200
"""Places that can still be typed one by one; more come as a table."""


@pages.route("/rounds/<round>/targets", methods=["GET", "POST"])
def page(round: str) -> Any:
    """The targets of one level of place."""
    document = frame.document(store(), "round", round)
    if document is None:
        abort(404)
    own = workload.of_round(document)
    level = request.values.get("level", "") or (own.level if own else "commune")
    if level not in workload.LEVELS:
        abort(404)
    board.refresh(store())
    groups = progress.groups(store(), Where(round=round), level)
    found = {one.key: one for one in groups if one.key}
    names = {code: one.name or code for code, one in found.items()}
    wrong = None
    if request.method == "POST":
        try:
            told = _told(level, names)
            rounds.issue_round(store(), with_workload(document, told), g.person["id"])
        except SurveyError as error:
            wrong = error
        else:
            flash(
                t(f"Đã ghi mục tiêu của {len(told.of)} nơi.", f"The targets of {len(told.of)} places are set."), "good"
            )
            return redirect(url_for("workload.page", round=round, level=level))
    set_here = own.of if own and own.level == level else {}
    shown = render_template(
        "workload.html",
        round=document,
        level=level,
        levels=workload.LEVELS,
        places=[
            {"code": code, "name": names[code], "target": request.form.get(f"of-{code}", set_here.get(code, ""))}
            | {"done": found[code].done, "units": found[code].units}
            for code in sorted(names, key=lambda code: natural(names[code]))[:TYPED]
        ],
        more=max(0, len(names) - TYPED),
        other=own is not None and own.level != level,
        count=len(set_here),
        total=progress.target(store(), Where(round=round)),
        complaints=sentences(wrong),
    )
    return shown, 400 if wrong else 200


def with_workload(document: dict[str, Any], told: workload.Workload) -> dict[str, Any]:
    """The round's document with these targets; without any when none is told."""
    kept = {name: value for name, value in document.items() if name != "workload"}
    return kept | ({"workload": {"level": told.level, "of": dict(told.of)}} if told.of else {})


def _told(level: str, names: dict[str, str]) -> workload.Workload:
    sent = request.files.get("file")
    if sent and sent.filename:
        return brought("file", lambda file: from_table(level, names, file))
    typed = {}
    for code in names:
        number = request.form.get(f"of-{code}", "").strip()
        if not number:
            continue
        if not (number.isascii() and number.isdigit() and int(number) <= workload.MOST):
            raise InputError(names[code], *workload.wrong_number(number))
        typed[code] = int(number)
    return workload.Workload(level, typed)


def from_table(level: str, names: dict[str, str], file: Any) -> workload.Workload:
    """The targets of an office's table."""
    table = read_table(file)
    return workload.read(level, names, table.columns, ((table.where(n), row) for n, row in enumerate(table.rows)))
