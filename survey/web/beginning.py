"""The two first pages of a machine that knows nobody yet: a hub's first person, a laptop's round file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for

from survey.errors import InputError, SurveyError
from survey.store import frame
from survey.sync import founding, rounds
from survey.sync.keys import read_aloud
from survey.text import Text
from survey.vocabulary import ADMINISTRATOR, SUPERVISOR
from survey.web.bringing import sentences
from survey.web.desk import desk, store
from survey.web.sticks import sticks
from survey.web.words import t

pages = Blueprint("beginning", __name__)


def _nobody_yet() -> bool:
    return not frame.people(store())


@pages.route("/first-person", methods=["GET", "POST"])
def first_person() -> Any:
    """On a new hub: who sets up. Closed as soon as there is anybody."""
    if not _nobody_yet() or store().role != "hub":
        abort(404)
    complaints: list[str] = []
    if request.method == "POST":
        form = request.form
        try:
            if form.get("pin") != form.get("again"):
                raise InputError(
                    "PIN", Text("hai lần nhập không giống nhau", "the two are not the same"), Text("nhập lại", "again")
                )
            person = founding.add_person(
                store(), form.get("name", ""), [ADMINISTRATOR, SUPERVISOR], form.get("pin", "")
            )
        except SurveyError as wrong:
            complaints = sentences(wrong)
        else:
            session["user"] = session["last_user"] = person["id"]
            session["seen"] = desk().now().timestamp()
            return redirect(url_for("setting_up.page"))
    shown = render_template("first_person.html", complaints=complaints, typed=request.form)
    return shown, 400 if complaints else 200


@pages.route("/load-round", methods=["GET", "POST"])
def load() -> Any:
    """On a new laptop: the round file from a stick, once its key was compared with the one read out by the hub."""
    if not _nobody_yet():
        abort(404)
    typed = request.form.get("place", "").strip().strip('"')
    found: list[rounds.SignedRound] = []
    complaints: list[str] = []
    file = Path(typed) if typed else None
    if file is not None:
        try:
            file = _round_file(file)
            found = rounds.rounds_in(file)
            agreed = set(request.form.getlist("fingerprint"))
            if agreed:
                rounds.import_round(store(), file, agreed)
                flash(t("Đã nhận đợt khảo sát. Chọn tên của bạn.", "The round is loaded. Choose your name."), "good")
                return redirect(url_for("account.people"))
        except SurveyError as wrong:
            complaints = sentences(wrong)
    return render_template(
        "load_round.html",
        file=file,
        found=[
            {
                "id": signed.document["id"],
                "title": signed.document.get("title"),
                "fingerprint": signed.fingerprint,
                "aloud": read_aloud(signed.fingerprint),
            }
            for signed in found
        ],
        complaints=complaints,
        typed=typed,
        sticks=sticks(),
        verb=t("Tìm ở", "Look in"),
        example=t("ví dụ E:\\r2026.round", "for example E:\\r2026.round"),
    ), 400 if complaints else 200


def _round_file(place: Path) -> Path:
    """``place``, or the one round file in it."""
    if place.is_file():
        return place
    found = sorted(place.glob("*.round")) if place.is_dir() else []
    if len(found) == 1:
        return found[0]
    names = ", ".join(file.name for file in found)
    raise InputError(
        str(place),
        Text("có nhiều tệp đợt khảo sát", "there are several round files")
        if found
        else Text("không thấy tệp đợt khảo sát (.round)", "no round file (.round) is there"),
        Text(f"ghi rõ đường dẫn một tệp: {names}", f"type the path of one: {names}")
        if found
        else Text("xin tệp từ giám sát viên", "ask your supervisor for it"),
    )
