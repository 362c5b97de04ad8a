"""Bàn giao: a supervisor makes a one-time code, and the person who takes over types it on any laptop of the round."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for

from survey.errors import SurveyError
from survey.fieldwork.handing import Scope, grouped
from survey.store import fieldlog, frame, handing
from survey.text import many
from survey.vocabulary import EMPLOYERS, ENUMERATOR
from survey.web import words
from survey.web.desk import desk, place_name, store
from survey.web.naming import full_place, person_name

pages = Blueprint("handing", __name__)


@pages.route("/handing/code", methods=["GET", "POST"])
def code() -> Any:
    """A supervisor's page: makes a code, and lists what was handed over."""
    made = complaint = ""
    if request.method == "POST":
        try:
            made = grouped(
                handing.issue_code(
                    store(), _scope(request.form.get("taker", "")), g.person["id"], desk().now(), tie_reason=_why()
                )
            )
        except SurveyError as wrong:
            complaint = words.advice(wrong.problem)
    page = render_template("handing_code.html", made=made, complaint=complaint, trail=_trail(), **_offered())
    return page, 400 if complaint else 200


@pages.route("/handing/take-over", methods=["GET", "POST"])
def take_over() -> Any:
    """The page of the person who takes over."""
    complaint = ""
    if request.method == "POST":
        try:
            scope = _scope(g.person["id"])
            handed = handing.accept(store(), scope, request.form.get("code", ""), desk().now(), tie_reason=_why())
        except SurveyError as wrong:
            complaint = words.advice(wrong.problem)
        else:
            for interview in handed.drafts:
                desk().forget(interview)
            flash(_told(scope.giver, handed), "good")
            if handed.left:
                flash(
                    words.t(
                        f"{len(handed.left)} đơn vị chưa chuyển được: máy này không có tên và địa chỉ của họ.",
                        f"{many(len(handed.left), 'unit stays', 'units stay')}: their names and addresses are not "
                        f"on this laptop.",
                    ),
                    "look",
                )
            return redirect(url_for("today.page"))
    page = render_template("handing_take.html", complaint=complaint, code=request.form.get("code", ""), **_offered())
    return page, 400 if complaint else 200


def _why() -> str:
    """Why somebody takes over units at which their employer is rated."""
    return request.form.get("tie_reason", "")


def _scope(taker: str) -> Scope:
    units = [unit for unit in frame.units(store()) if unit.get("assignee") == request.form.get("giver", "")]
    village = request.form.get("village", "")
    rounds = {str(unit.get("round", "")) for unit in units if village in ("", str(unit.get("village", "")))}
    last = str(frame.rounds(store())[-1]["id"]) if frame.rounds(store()) else ""
    return Scope(max(rounds, default=last), request.form.get("giver", ""), taker, village)


def _offered() -> dict[str, Any]:
    """Who may give, who may take, which villages there are, and what was chosen."""
    units = frame.units(store())
    active = [person for person in frame.people(store()) if ENUMERATOR in person.get("roles", ())]
    working = {str(unit.get("assignee", "")) for unit in units}
    villages = {str(unit["village"]): full_place(unit) for unit in units if unit.get("village")}
    return {
        "givers": [
            {"id": p["id"], "name": p.get("name", p["id"])}
            for p in active
            if p["id"] in working and p["id"] != g.person["id"]
        ],
        "takers": [{"id": p["id"], "name": p.get("name", p["id"])} for p in active if not p.get("disabled")],
        "tied": any(EMPLOYERS[kind].rated for p in active if (kind := p.get("employer_kind")) in EMPLOYERS),
        "villages": sorted(villages.items(), key=lambda item: item[1]),
        "chosen": {name: request.form.get(name, "") for name in ("giver", "taker", "village", "tie_reason")},
    }


def _told(giver: str, handed: handing.Handed) -> str:
    name = person_name(giver)
    return words.t(
        f"Đã nhận từ {name}: {len(handed.units)} đơn vị mẫu, {len(handed.drafts)} phiếu đang làm dở, "
        f"{len(handed.forms)} phiếu giấy chưa thu.",
        f"Taken over from {name}: {many(len(handed.units), 'sample unit')}, {many(len(handed.drafts), 'draft')}, "
        f"{many(len(handed.forms), 'paper form')} not collected yet.",
    )


def _trail() -> list[dict[str, Any]]:
    """What was handed over, the newest first, and whether the code came from a machine whose record is here."""
    issued = {(event["actor"], event["number"]) for event in fieldlog.read(store(), fieldlog.CODE)}
    return [_line(event, issued) for event in reversed(fieldlog.read(store(), fieldlog.HANDOVER))]


def _line(event: Mapping[str, Any], issued: set[tuple[str, str]]) -> dict[str, Any]:
    first = frame.unit(store(), event["units"][0]) or {} if event.get("village") else {}
    return {
        "time": event["time"],
        "giver": person_name(event["from"]),
        "taker": person_name(event["to"]),
        "by": person_name(event["by"]),
        "place": place_name(first, "village"),
        "units": len(event["units"]),
        "drafts": len(event["drafts"]),
        "forms": len(event["forms"]),
        "known": event["number"] == handing.HERE or (event["by"], event["number"]) in issued,
    }
