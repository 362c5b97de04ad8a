"""Hôm nay: what to do now, in order. Returned interviews, call-backs, drafts, then the sample units."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import RadioField, StringField
from wtforms.validators import InputRequired, Length

from survey.errors import NotUnderstood
from survey.fieldwork.dispositions import DISPOSITIONS, Disposition
from survey.store import current, drafts, frame, keying, lists, paper
from survey.store.commune import closed_communes
from survey.store.quarantine import quarantine
from survey.store.where import Where
from survey.store.whereabouts import reached
from survey.text import fold, plural
from survey.web import fieldwork, forms, paper_entry, roles, words
from survey.web.counting import up_to_date
from survey.web.desk import desk, place_name, store
from survey.web.fieldwork import mine
from survey.web.looked import saw
from survey.web.naming import full_place, natural, safe_at
from survey.web.paper import due

pages = Blueprint("today", __name__)

SHOWN = 50
"""Finished units on the page at once; the search finds the rest."""

OPEN_SHOWN = 500
"""Open units on the page at once: more than one person ever has to visit."""

OPEN_STATES = frozenset({"draft", "partial", "returned"})
"""An interview in one of these is still the enumerator's to finish."""

VISIT_CODES = [code for code, row in DISPOSITIONS.items() if row.outcome not in ("I", "P")]
VISIT_CODES = [code for code in VISIT_CODES if code not in ("3.11", "0.3", "0.4")]
"""What a person can record without an interview. A finished or partial interview records itself, as do paper forms."""

OFTEN = ("2.24", "2.25", "2.112", "0.2")
"""What most visits without an interview end with; shown first."""


class Visit(FlaskForm):
    """How a visit ended."""

    disposition = RadioField(choices=VISIT_CODES, validators=[InputRequired()])
    again = StringField(validators=[Length(max=40)])
    note = StringField(validators=[Length(max=500)])


@pages.get("/today")
def page() -> str:
    """What to do now."""
    if _receives():
        return waiting()
    work = _work()
    return render_template("today.html", **work, **_listed(work["units"], request.args.get("q", "")))


@pages.get("/today/units")
def units() -> str:
    """The part of the page with the sample units that match a search, without diacritics and case."""
    work = _work()
    return render_template("units.html", progress=work["progress"], **_listed(work["units"], request.args.get("q", "")))


def _listed(found: list[dict[str, Any]], query: str) -> dict[str, Any]:
    """Village by village, what is still to do before what is done."""
    wanted = fold(query).split()
    hits = [unit for unit in found if all(any(w.startswith(q) for w in unit["searched"]) for q in wanted)]
    opened, finished = [unit for unit in hits if unit["open"]], [unit for unit in hits if not unit["open"]]
    return {
        "open": _by_village(opened[:OPEN_SHOWN]),
        "more_open": len(opened[OPEN_SHOWN:]),
        "finished": _by_village(finished[:SHOWN]),
        "more_finished": len(finished[SHOWN:]),
        "finished_count": len(finished),
        "query": query,
    }


def _by_village(units: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    villages: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for unit in units:
        villages[unit["village"]].append(unit)
    return villages


# -- a supervisor at the hub -------------------------------------------------------------------------------------


def _receives() -> bool:
    """Whether a supervisor sits at the machine that receives: there nobody is interviewed."""
    return (
        store().role == "hub"
        and roles.SUPERVISOR in g.person["roles"]
        and not frame.units(store(), assignee=g.person["id"])
    )


def waiting() -> str:
    """What waits for the supervisor, each number with the way there, and the one thing to do next."""
    up_to_date()
    where = Where(closed=closed_communes(store(), g.person))
    counts = lists.states(store(), where)
    t = words.t
    told = (
        ("conflict", "phiếu có hai bản khác nhau", "with versions that differ"),
        ("sealed", "phiếu chờ duyệt", "awaiting review"),
        ("returned", "phiếu đã yêu cầu sửa, chưa sửa xong", "returned and not corrected yet"),
    )
    shown = [
        {
            "count": counts.get(state, 0),
            "name": t(vi, f"{plural(counts.get(state, 0), 'interview')} {en}"),
            "url": url_for("records.page", state=state),
        }
        for state, vi, en in told
    ]
    aside = len(quarantine(store()))
    name = t("tệp để riêng", f"{plural(aside, 'file')} set aside")
    shown.append({"count": aside, "name": name, "url": url_for("receive.page", _anchor="aside")})
    return render_template("waiting.html", waiting=shown, following=_next(where))


def _next(where: Where) -> dict[str, str] | None:
    for state, endpoint, name in (
        ("conflict", "records.conflict", words.t("So hai bản và chọn", "Compare the versions and choose")),
        ("sealed", "records.record", words.t("Duyệt phiếu tiếp theo", "Review the next interview")),
    ):
        for row in lists.interviews(store(), where.also(state=state), order="risk", limit=1).rows:
            return {"name": name, "url": url_for(endpoint, interview=row["interview"])}
    return None


# -- an enumerator's work ----------------------------------------------------------------------------------------


def _work() -> dict[str, Any]:
    """Everything the page shows, for the person who is signed in."""
    me = g.person["id"]
    everything = roles.SUPERVISOR in g.person["roles"] and roles.ENUMERATOR not in g.person["roles"]
    # At the machine that receives, a supervisor's own work is the back-checks that were given to them.
    everything = everything and store().role != "hub"
    own = frame.units(store(), assignee=None if everything else me)
    interviews = defaultdict(list)
    for row in current.interviews(store()):
        interviews[row["unit"]].append(row)
    visits = defaultdict(list)
    for visit in frame.visits(store()):
        visits[visit.get("unit")].append(visit)
    open_here = {row["interview"]: row for row in drafts.drafts(store())}
    kept = reached(store())
    keyed = {row["interview"] for row in keying.all_open(store()).values()}
    units = [_unit(unit, interviews[unit["id"]], visits[unit["id"]], open_here, kept) for unit in own]
    progress = fieldwork.lay_rules(units, own)
    units.sort(key=_in_order)
    today = desk().now().date()
    left = due(units)
    waiting = [unit for unit in units if unit["again"] and not unit["interview"] and unit["id"] not in left["left"]]
    return {
        "units": units,
        **left,
        "returned": [unit for unit in units if unit["state"] == "returned"],
        "callbacks": sorted((u for u in waiting if u["due"] <= today), key=lambda u: (u["due"], u["order"])),
        "later": sum(1 for unit in waiting if unit["due"] > today),
        "replaceable": [unit for unit in units if unit["replaceable"]],
        "progress": progress,
        "drafts": [u for u in units if u["draft"] and u["state"] != "returned" and u["interview"] not in keyed],
        "first": _first([u for u in units if u["interview"] not in keyed and u["id"] not in left["left"]], today),
        "done": sum(1 for unit in units if unit["state"] in ("sealed", "approved", "conflict")),
        "target": sum(1 for unit in units if unit["main"]),
    }


def _unit(
    unit: Mapping[str, Any],
    interviews: list[dict[str, Any]],
    visits: list[dict[str, Any]],
    open_here: Mapping[str, Mapping[str, Any]],
    kept: Mapping[str, list[str]],
) -> dict[str, Any]:
    contact = frame.contact(store(), "unit", str(unit["id"]))
    if contact:
        saw(unit["id"])
    standing = [row for row in interviews if row["state"] not in ("voided", "erased")]
    interview = standing[-1] if standing else None
    last = visits[-1] if visits else None
    how = DISPOSITIONS.get(str(last.get("disposition"))) if last else None
    name = str(contact.get("name") or unit.get("name") or unit["id"])
    address = str(contact.get("address") or "")
    return {
        "id": unit["id"],
        "name": name,
        "address": address,
        "order": int(unit.get("order") or 0),
        "main": unit.get("list", "main") != "reserve",
        "village": full_place(unit),
        "searched": fold(" ".join([name, address, str(unit.get("order") or ""), place_name(unit, "village")])).split(),
        "interview": interview["interview"] if interview else "",
        "state": interview["state"] if interview else "",
        "draft": bool(interview and interview["draft"]),
        "safe": safe_at(kept.get(interview["interview"], ())) if interview else "",
        "answered": open_here.get(interview["interview"], {}).get("answered", 0) if interview else 0,
        "saved": open_here.get(interview["interview"], {}).get("saved", "") if interview else "",
        "reason": _reason(interview) if interview and interview["state"] == "returned" else "",
        "visit": how.label(words.interface()) if how else "",
        "visited": last.get("time", "") if last else "",
        "again": bool(how and how.again),
        "final": bool(how and not how.again),
        "open": interview["state"] in OPEN_STATES if interview else not (how and not how.again),
        "due": _due(last),
        "appointment": last.get("again", "") if last else "",
        "postponed": bool(last and interview and last.get("interview") == interview["interview"]),
    }


def _in_order(unit: Mapping[str, Any]) -> tuple[Any, ...]:
    """Village by village (Bản 4 before Bản 18), the main list before the reserve, in the order drawn."""
    return natural(unit["village"]), not unit["main"], unit["order"]


def _reason(interview: Mapping[str, Any]) -> str:
    told = [d for d in current.decisions(store(), interview["interview"]) if d["kind"] == "returned" and d["standing"]]
    return str(told[-1]["reason"]) if told else ""


def _due(visit: Mapping[str, Any] | None) -> date:
    """The day from which another visit makes sense: the appointment, else at once."""
    try:
        return datetime.fromisoformat(str(visit["again"])).date() if visit and visit.get("again") else date.min
    except ValueError:
        return date.min


def _first(units: list[dict[str, Any]], today: date) -> dict[str, Any] | None:
    """The one thing to do next: the newest draft, unless it was postponed to a later day; else the next unit of the
    main list that nobody has been to."""
    opened = [unit for unit in units if unit["draft"] and not (unit["postponed"] and unit["due"] > today)]
    if opened:
        return max(opened, key=lambda unit: str(unit["saved"]))
    fresh = [
        u for u in units if not u["interview"] and not u["final"] and not u["shut"] and (u["main"] or u["replaces"])
    ]
    return next((unit for unit in fresh if not unit["visit"]), fresh[0] if fresh else None)


# -- beginning ---------------------------------------------------------------------------------------------------


@pages.post("/units/<unit>/start")
def start(unit: str) -> Response:
    """Begins the interview at a sample unit, or goes on with the one that is open."""
    document = mine(unit)
    fieldwork.require_open(document)
    if fieldwork.must_choose(document):
        return redirect(url_for("fieldwork.respondent", unit=unit))
    # A double click comes twice at once: the second waits, and finds the draft that the first has begun.
    with desk().lock:
        return _begin(unit, document)


def _begin(unit: str, document: Mapping[str, Any]) -> Response:
    standing = [row for row in current.interviews(store(), unit=unit) if row["state"] not in ("voided", "erased")]
    for row in standing:
        if row["draft"]:
            _remind(row)
            if keyed := keying.of_interview(store(), row["interview"]):
                return paper_entry.start(paper_entry.form_of(keyed["form"]))
            return redirect(url_for("interview.resume", interview=row["interview"]))
    if standing:
        flash(
            words.t(
                "Đơn vị mẫu này đã có phiếu. Muốn sửa, nhờ giám sát viên gửi yêu cầu sửa.",
                "This sample unit already has an interview. To change it, ask your supervisor to return it.",
            ),
            "look",
        )
        return redirect(url_for("today.page"))
    round_ = frame.round_document(store(), str(document.get("round", "")))
    interview = drafts.start(store(), unit, str(round_["questionnaire_hash"]), g.person["id"], desk().now())
    opened = desk().open(store(), interview)
    defaults = dict(opened.path.initial)
    if defaults:
        drafts.save(store(), interview, defaults, now=desk().now())
    return redirect(url_for("interview.resume", interview=interview))


@pages.post("/interviews/<interview>/open-again")
def open_again(interview: str) -> Response:
    """Opens a returned interview, to correct it; or one left unfinished by another laptop, to go on."""
    rows = current.interviews(store(), interview=interview)
    if not rows or rows[0]["state"] not in ("returned", "partial"):
        abort(404)
    mine(str(rows[0]["unit"]))
    # Without its questionnaire it could not be shown: said before a draft of it is made.
    desk().questionnaire(store(), str(rows[0]["questionnaire_hash"]))
    with desk().lock:
        form = next(
            (one for one in paper.forms(store(), unit=str(rows[0]["unit"])) if one.interview == interview), None
        )
        if form is not None:
            _remind(rows[0])
            return paper_entry.start(form)
        if drafts.draft(store(), interview) is None:
            drafts.take_over(store(), interview, g.person["id"], now=desk().now())
    opened = desk().open(store(), interview)
    here = [entry.path for entry in opened.path.entries if entry.path in opened.asked and entry.asked]
    if not here:
        _remind(rows[0])  # else it stands beside the question
    return redirect(url_for("interview.resume", interview=interview, at=here[0] if here else None))


def _remind(interview: Mapping[str, Any]) -> None:
    """Repeats what the supervisor asks for. A returned interview has all its answers, so it opens at its end, where
    pressing Enter would seal it as it was."""
    reason = _reason(interview)
    if reason:
        flash(f"{words.t('Giám sát viên yêu cầu sửa:', 'Your supervisor asks:')} “{reason}”", "look")


# -- a visit without an interview --------------------------------------------------------------------------------


@pages.route("/units/<unit>/visit", methods=["GET", "POST"])
def visit(unit: str) -> Any:
    """Records how a visit ended when there was no interview."""
    document = mine(unit)
    fieldwork.require_open(document)
    form = Visit()
    complaint = ""
    if form.validate_on_submit():
        try:
            again = forms.read_moment(form.again.data or "")
        except NotUnderstood as wrong:
            complaint = wrong.reason(words.interface())
        else:
            record_visit(document, DISPOSITIONS[form.disposition.data], note=form.note.data or "", again=again)
            flash(words.t("Đã lưu kết quả lần đến.", "The result of the visit is saved."), "good")
            return redirect(url_for("today.page"))
    elif form.is_submitted():
        complaint = words.t("Chọn kết quả lần đến.", "Choose how the visit ended.")
    contact = frame.contact(store(), "unit", unit)
    if contact:
        saw(unit)
    past = [
        {**old, "words": DISPOSITIONS[old["disposition"]].label(words.interface())}
        for old in frame.visits(store(), unit)
        if old.get("disposition") in DISPOSITIONS
    ]
    page = render_template(
        "visit.html",
        unit=document,
        contact=contact,
        form=form,
        complaint=complaint,
        past=past,
        often=[DISPOSITIONS[code] for code in OFTEN],
        rest=[DISPOSITIONS[code] for code in VISIT_CODES if code not in OFTEN],
    )
    return page, 400 if complaint else 200


def record_visit(
    unit: Mapping[str, Any], how: Disposition, *, note: str = "", again: str = "", interview: str = ""
) -> None:
    """Issues a visit document at ``unit``: when, how it ended, and what to do about it."""
    identity = frame.new_id("visit")
    now = desk().now()
    document = {
        "id": identity,
        "unit": unit["id"],
        "round": unit.get("round", ""),
        "disposition": how.code,
        "time": now.isoformat(timespec="seconds"),
        "note": note.strip(),
        "again": again,
        "interview": interview,
    }
    kept = {key: value for key, value in document.items() if value != ""}
    frame.issue(store(), "visit", identity, kept, actor=g.person["id"], now=now)
