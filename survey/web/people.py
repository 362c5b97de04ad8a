"""Người và máy, at the hub: who has what to do and how far it is, units given to another, people who leave, the laptops
with their last exchange and their versions."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from survey.errors import NotAllowed, SurveyError
from survey.fieldwork.handing import Scope
from survey.fieldwork.pace import SILENT_DAYS, behind, is_silent
from survey.store import frame, handing, progress
from survey.store.where import Where
from survey.sync import rounds, staffing
from survey.tables import read_table
from survey.text import Text, fold, many
from survey.vocabulary import ADMINISTRATOR, EMPLOYERS, ENUMERATOR, ROLES
from survey.web import roles, words
from survey.web.bringing import brought, sentences
from survey.web.counting import up_to_date
from survey.web.desk import asked_round, desk, place_name, store
from survey.web.naming import full_place, person_name
from survey.web.network import tell
from survey.web.words import t

pages = Blueprint("people", __name__)

WAYS = {"stick": Text("USB", "stick"), "network": Text("mạng", "network")}


LARGEST_FILE = 4 << 20
"""Bytes of a table of people."""


@pages.get("/people")
def page() -> str:
    """The people and the laptops of a round."""
    return _everybody()


def _everybody(wrong: SurveyError | None = None) -> str:
    """The whole page; ``wrong``: why the form that was just sent could not be carried out, shown beside it with what
    was typed."""
    every = frame.rounds(store())
    round = asked_round(every) or {}
    up_to_date()
    groups = {one.key: one for one in progress.groups(store(), Where(round=str(round.get("id", ""))), "person")}
    people = [_person(one, groups.get(str(one["id"])), round) for one in frame.people(store())]
    people.sort(key=lambda one: (bool(one["disabled"]), ENUMERATOR not in one["held"], fold(one["name"])))
    left = groups.get("")
    return render_template(
        "people_and_devices.html",
        rounds=every,
        round=round,
        people=people,
        unassigned=left.main if left else 0,
        devices=devices(round),
        silent_days=SILENT_DAYS,
        givers=[one for one in people if one["units"]],
        takers=[one for one in people if ENUMERATOR in one["held"] and not one["disabled"]],
        villages=_villages(str(round.get("id", ""))),
        typed=request.form,
        giving="giver" in request.form,
        chosen=request.values.get("giver", ""),
        tied=any(one["rated"] for one in people),
        complaints=sentences(wrong),
        may_revoke=roles.may("people.revoke", frozenset(g.person["roles"])),
    )


def _person(person: dict[str, Any], group: progress.Group | None, round: dict[str, Any]) -> dict[str, Any]:
    held = [role for role in person.get("roles", ()) if role in ROLES]
    done, main = (group.done, group.main) if group else (0, 0)
    starts, ends = str(round.get("starts") or ""), str(round.get("ends") or "")
    where = Where(round=str(round.get("id", "")), person=str(person["id"]))
    return {
        "id": str(person["id"]),
        "name": str(person.get("name") or person["id"]),
        "held": held,
        "roles": ", ".join(ROLES[role](words.interface()) for role in held),
        "disabled": bool(person.get("disabled")),
        "team": str(person.get("team") or ""),
        "employer": str(person.get("employer") or ""),
        "rated": _rated(person),
        "units": group.units if group else 0,
        "done": done,
        "target": main,
        "returned": group.states["returned"] if group else 0,
        "partial": group.states["partial"] if group else 0,
        "behind": behind(done, main, starts, ends, desk().now().date()),
        "list": url_for("records.page", **where.query),
        "returned_url": url_for("records.page", **where.also(state="returned").query),
        "partial_url": url_for("records.page", **where.also(state="partial").query),
        "cases": url_for("progress.units", **where.query),
        "myself": person["id"] == g.person["id"],
    }


def _rated(person: dict[str, Any]) -> bool:
    kind = EMPLOYERS.get(str(person.get("employer_kind") or ""))
    return kind is not None and kind.rated


def _villages(round: str) -> list[tuple[str, str]]:
    found = [(str(one["village"]), full_place(one)) for one in progress.villages(store(), round)]
    return sorted(found, key=lambda item: fold(item[1]))


def devices(round: dict[str, Any]) -> list[dict[str, Any]]:
    """The machines with what is known of each: its people, its last exchange, its last interview by its own clock, the
    versions of program and questionnaire, and what a person should look at."""
    now = desk().now()
    told = progress.devices(store(), str(round.get("id", "")))
    versions = progress.questionnaires(store())
    shown = []
    for device in frame.devices(store()):
        if device["id"] == store().device:
            continue
        one = told.get(device["id"], {"interviews": 0, "last": "", "heard": "", "way": "", "program": ""})
        enrolled = rounds.is_enrolled(store(), device)
        revoked = str(device.get("revoked") or "")
        running = bool(enrolled and not revoked and device.get("role") == "device")
        silent = running and _in_the_field(round, now) and is_silent(one["heard"], now)
        clock = _clock(one["last"], one["heard"], now)
        shown.append(
            {
                **one,
                "id": device["id"],
                "name": str(device.get("name") or device["id"][:9]),
                "hub": device.get("role") == "hub",
                "people": ", ".join(person_name(str(who)) for who in device.get("people") or ()),
                "way": WAYS[one["way"]](words.interface()) if one["way"] in WAYS else "",
                "enrolled": enrolled,
                "revoked": revoked,
                "silent": silent,
                "clock": clock,
                "questionnaire": versions.get(device["id"], ""),
                "list": url_for("records.page", device=device["id"]) if one["interviews"] else "",
            }
        )
    return sorted(shown, key=lambda one: (bool(one["revoked"]), not (one["silent"] or one["clock"]), fold(one["name"])))


def _in_the_field(round: dict[str, Any], now: datetime) -> bool:
    """Whether the round is being interviewed today; one without dates always is."""
    today = f"{now:%Y-%m-%d}"
    return str(round.get("starts") or today) <= today <= str(round.get("ends") or today)


def _clock(last: str, heard: str, now: datetime) -> str:
    """What is odd about a laptop's clock: an interview in the future, or handed over before it was made."""
    try:
        made = datetime.fromisoformat(last) if last else None
        came = datetime.fromisoformat(heard) if heard else now
    except ValueError:
        return t("đồng hồ máy ghi ngày không đọc được", "its clock writes a date that cannot be read")
    if made is None or made.tzinfo is None or came.tzinfo is None or made <= min(came, now) + timedelta(hours=1):
        return ""
    return t("đồng hồ máy chạy trước: kiểm tra ngày giờ", "its clock is ahead: check date and time")


@pages.post("/people/reassign")
def reassign() -> Any:
    """Gives one person's units to another, also those of an interview that was begun on a broken laptop."""
    form = request.form
    scope = Scope(form.get("round", ""), form.get("giver", ""), form.get("taker", ""), form.get("village", ""))
    reason = form.get("reason", "").strip()
    if not reason:
        flash(t("Ghi lý do giao lại.", "Say why it is given to another."), "look")
        return redirect(url_for("people.page", round=scope.round, giver=scope.giver, _anchor="reassign"))
    try:
        why = form.get("tie_reason", "")
        handed = handing.reassign(store(), scope, g.person["id"], reason, desk().now(), tie_reason=why)
    except SurveyError as wrong:
        return _everybody(wrong), 400
    for interview in handed.drafts:
        desk().forget(interview)
    taker = person_name(scope.taker)
    flash(
        t(
            f"Đã giao {len(handed.units)} đơn vị mẫu cho {taker}. Ghi USB ở trang Nộp phiếu (hoặc để máy của {taker} "
            "nộp qua mạng) thì việc mới tới máy ấy, cùng các phiếu đang làm dở đã nộp.",
            f"{many(len(handed.units), 'sample unit is', 'sample units are')} given to {taker}. "
            "Write a stick with Hand over (or let that laptop exchange over the network): the work gets there with it, "
            "and the unfinished interviews handed over.",
        ),
        "good",
    )
    if handed.left:
        flash(
            t(
                f"{len(handed.left)} đơn vị chưa giao được: máy này không có tên và địa chỉ của họ.",
                f"{many(len(handed.left), 'unit stays', 'units stay')}: their names and addresses are not "
                f"on this machine.",
            ),
            "look",
        )
    return redirect(url_for("people.page", round=scope.round))


@pages.route("/people/<user>", methods=["GET", "POST"])
def person(user: str) -> Any:
    """Who employs a person, their team, the commune they belong to."""
    known = frame.person(store(), user)
    if known is None:
        abort(404)
    wrong = None
    if request.method == "POST":
        about = {name: request.form.get(name, "") for name in staffing.ABOUT}
        try:
            staffing.change(store(), user, about, g.person["id"])
        except SurveyError as error:
            wrong = error
        else:
            flash(t(f"Đã ghi cho {known.get('name', user)}.", f"Noted for {known.get('name', user)}."), "good")
            return redirect(url_for("people.page"))
    others = frame.people(store())
    shown = render_template(
        "person.html",
        one=known | ({name: request.form.get(name, "") for name in staffing.ABOUT} if wrong else {}),
        complaints=sentences(wrong),
        kinds=EMPLOYERS,
        communes=_communes(),
        teams=sorted({str(one["team"]) for one in others if one.get("team")}, key=fold),
        employers=sorted({str(one["employer"]) for one in others if one.get("employer")}, key=fold),
    )
    return shown, 400 if wrong else 200


def _communes() -> list[tuple[str, str]]:
    found = {str(u["commune"]): place_name(u, "commune") for u in frame.units(store()) if u.get("commune")}
    return sorted(found.items(), key=lambda item: fold(item[1]))


@pages.post("/people/table")
def bring() -> Any:
    """Adds and describes many people from an office's table."""
    request.max_content_length = LARGEST_FILE
    may_add = frozenset(ROLES) if ADMINISTRATOR in g.person["roles"] else frozenset(ROLES) - {ADMINISTRATOR}
    try:
        done = brought("file", lambda file: staffing.bring(store(), read_table(file), g.person["id"], may_add=may_add))
    except SurveyError as wrong:
        return _everybody(wrong), 400
    flash(
        t(
            f"Đã thêm {len(done.added)} người, ghi lại {len(done.changed)} người.",
            f"{many(len(done.added), 'person added', 'people added')}, {len(done.changed)} changed.",
        ),
        "good",
    )
    return redirect(url_for("people.page"))


@pages.post("/people/<user>/able")
def able(user: str) -> Response:
    """Stops a person from signing in, or lets them again. What they did stays under their name."""
    person = frame.person(store(), user)
    if person is None:
        abort(404)
    if user == g.person["id"]:
        tell(
            NotAllowed(
                str(person.get("name")),
                Text("không tự ngừng chính mình", "nobody disables themselves"),
                Text("nhờ người khác", "ask somebody else"),
            )
        )
        return redirect(url_for("people.page"))
    if ADMINISTRATOR in person.get("roles", ()) and ADMINISTRATOR not in g.person["roles"]:
        roles.require("", frozenset())
    off = request.form.get("what") == "disable"
    document = {name: value for name, value in person.items() if name != "disabled"} | (
        {"disabled": True} if off else {}
    )
    frame.issue(store(), "user", user, document, frame.contact(store(), "user", user), g.person["id"], now=desk().now())
    name = person.get("name", user)
    flash(
        t(f"Đã ngừng {name}.", f"{name} is disabled.")
        if off
        else t(f"{name} đăng nhập lại được.", f"{name} can sign in again."),
        "good",
    )
    return redirect(url_for("people.page"))


@pages.post("/devices/<device>/revoke")
def revoke(device: str) -> Response:
    """Nothing new is encrypted to a lost laptop; what it handed over stays."""
    document = frame.document(store(), "device", device)
    reason = request.form.get("reason", "").strip()
    if document is None or device == store().device:
        abort(404)
    if not reason:
        flash(t("Ghi lý do thu hồi.", "Say why it is revoked."), "look")
        return redirect(url_for("people.page", _anchor="devices"))
    try:
        rounds.revoke(store(), document, reason, actor=g.person["id"])
    except SurveyError as wrong:
        tell(wrong)
    else:
        flash(t(f"Đã thu hồi máy {document.get('name', '')}.", f"{document.get('name', '')} is revoked."), "good")
    return redirect(url_for("people.page", _anchor="devices"))
