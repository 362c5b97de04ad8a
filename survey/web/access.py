"""Nhật ký truy cập, for the administrator: who signed in, looked at contact data, exported, erased, and where."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g, render_template, request

from survey.errors import NotUnderstood
from survey.store import access_log, audit, frame
from survey.store.personal import code_of
from survey.text import Text, fold
from survey.vocabulary import ACCESS, ROLES, STATES
from survey.web import forms, words
from survey.web.bringing import attached
from survey.web.desk import desk, store
from survey.web.naming import called, device_name, full_place, person_name
from survey.web.words import t

pages = Blueprint("access", __name__)

SHOWN = 100
FILTERS = ("actor", "action", "device", "since", "until")


@pages.get("/access-log")
def page() -> str:
    """The newest entries first, a hundred a page."""
    asked, narrowed, complaint = _asked()
    count = access_log.count(store(), **narrowed)
    pages_ = max(1, -(-count // SHOWN))
    number = min(max(1, request.args.get("page", 1, int)), pages_)
    spoken = words.interface()
    # Each view proves what came since the last one; the whole is for `survey verify` and `survey audit`.
    wrong, desk().log_proved = access_log.prove(store(), desk().log_proved)
    people = [(str(one["id"]), str(one.get("name") or one["id"])) for one in frame.people(store())]
    machines = [(str(one["id"]), device_name(str(one["id"]))) for one in frame.devices(store())]
    return render_template(
        "access.html",
        rows=[_row(entry) for entry in access_log.entries(store(), most=SHOWN, skip=(number - 1) * SHOWN, **narrowed)],
        count=count,
        number=number,
        last=pages_,
        asked=asked,
        complaint=complaint,
        actions=[(name, action(spoken)) for name, action in ACCESS.items()],
        people=sorted(people, key=lambda one: fold(one[1])),
        machines=sorted(machines, key=lambda one: fold(one[1])),
        broken=[
            {
                "where": device_name(problem.where.removeprefix("device ")),
                "what": words.sentence(problem.what(spoken)),
                "todo": words.sentence(problem.todo(spoken)),
            }
            for problem in wrong
        ],
    )


@pages.post("/access-log")
def export() -> Response:
    """The entries as a CSV file; taking it is an entry too."""
    found = access_log.entries(store(), **_asked()[1])
    audit.note(store(), "log_export", actor=g.person["id"], detail={"entries": len(found)}, now=desk().now())
    return attached(access_log.as_csv(found), "nhat-ky-truy-cap.csv", "text/csv")


def _asked() -> tuple[dict[str, str], dict[str, Any], str]:
    """The conditions as they were typed, as the log takes them, and what is wrong with a day."""
    typed = {name: request.values.get(name, "").strip() for name in FILTERS}
    narrowed: dict[str, Any] = {name: typed[name] for name in ("actor", "device")}
    narrowed["actions"] = [typed["action"]] if typed["action"] else []
    complaint = ""
    for name in ("since", "until"):
        try:
            narrowed[name] = forms.read_moment(typed[name])[:10]
        except NotUnderstood as wrong:
            narrowed[name], complaint = "", words.sentence(wrong.reason(words.interface()))
    return typed, narrowed, complaint


_DETAILS = {
    "wrong": ("lần sai", "times wrong"),
    "reason": ("lý do", "reason"),
    "roles": ("vai trò", "roles"),
    "interviews": ("số phiếu", "interviews"),
    "entries": ("số mục", "entries"),
    "file": ("tệp", "file"),
    "format": ("định dạng", "format"),
    "state": ("trạng thái", "state"),
    "open": ("dữ liệu mở", "open data"),
    "account": ("tài khoản máy", "account"),
    "name": ("tên", "name"),
    "revoked": ("thu hồi", "revoked"),
    "disabled": ("đã khóa", "disabled"),
    "commune": ("xã", "commune"),
    "published": ("công bố", "published"),
    "role": ("vai trò", "role"),
}


_PAGES = {
    **{endpoint.partition(".")[0]: Text(f"trang {name.vi}", f"page {name.en}") for endpoint, name in words.DOORS},
    "interview": Text("phiếu đang hỏi", "the interview"),
    "paper_entry": Text("nhập phiếu giấy", "keying a paper form"),
    "paper_double": Text("đối chiếu phiếu giấy", "settling a paper form"),
    "fieldwork": Text("thay hộ, chọn người trả lời", "replacing, choosing a respondent"),
}


def _told(name: str, value: Any) -> str:
    """One thing that an entry says, in words; empty for what says nothing."""
    spoken = words.interface()
    if value in ("", None, False):
        return ""
    if name == "page":
        shown = _PAGES.get(str(value).partition(".")[0])
        return shown(spoken) if shown else str(value)
    if name == "roles":
        value = ", ".join(ROLES[role](spoken) if role in ROLES else str(role) for role in value)
    if name == "state" and value in STATES:
        value = STATES[str(value)](spoken)
    said = t(*_DETAILS.get(name, (name, name)))
    return said if value is True else f"{said}: {value}"


def _subject(entry: access_log.Entry) -> str:
    """What an entry is about, as people call it."""
    kind, _, id = entry.subject.partition(" ")
    if entry.action == "person":
        return person_name(entry.subject)
    if entry.action == "device":
        return device_name(entry.subject)
    if kind == "interview":
        return f"{t('phiếu', 'interview')} {code_of(id)}"
    if kind == "visit":
        return f"{t('lần đến', 'visit')} {id}"
    if kind == "unit" or entry.action == "contact":
        unit = frame.unit(store(), id or entry.subject) or {"id": id or entry.subject}
        return ", ".join(filter(None, (called(unit, {}), full_place(unit))))  # the log tells no names
    return entry.subject


def _row(entry: access_log.Entry) -> dict[str, Any]:
    shown = {
        name: value
        for name, value in entry.detail.items()
        if entry.action not in ("person", "device") or name != "name"
    }
    return {
        "time": entry.time,
        "machine": device_name(entry.device),
        "who": person_name(entry.actor) if entry.actor else t("người giữ máy", "whoever held the machine"),
        "what": entry.name(words.interface()),
        "look": entry.action in ("sign_in_failed", "recovered", "export_contact") or bool(entry.detail.get("revoked")),
        "about": " · ".join(filter(None, (_subject(entry), *(_told(*one) for one in shown.items())))),
    }
