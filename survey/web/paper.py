"""Phiếu giấy: forms handed out, collected, spoilt or lost, by their serial numbers; how the villages add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from survey.errors import InputError, NotUnderstood, SurveyError
from survey.paper.states import DISPUTED, STATES, Form, tally
from survey.store import current, frame, keying, paper
from survey.text import Text, many
from survey.web import forms as readers
from survey.web import roles, words
from survey.web.desk import desk, store
from survey.web.naming import called, full_place, natural, person_name
from survey.web.words import t

pages = Blueprint("paper", __name__)

STEPS: dict[str, Text] = {
    "issued": Text("Phát phiếu", "Hand out"),
    "collected": Text("Thu phiếu", "Collect"),
    "lost": Text("Hỏng, mất", "Spoilt or lost"),
    "keyed": Text("Nhập phiếu", "Key in"),
}
"""What is recorded on this page, one serial after the other."""

DUE_DAYS = 2
"""A form stays at the household one or two days."""

STANDS = {**STATES, DISPUTED: Text("các máy ghi khác nhau", "laptops differ")}
STATE_TONES = {"lost": "look", "invalid": "look", DISPUTED: "stop", "keyed": "good"}


def everything() -> bool:
    """Whether this person sees the whole round: a supervisor, not only an enumerator."""
    return roles.SUPERVISOR in g.person["roles"]


def my_units() -> list[dict[str, Any]]:
    """The drawn units whose forms this person handles, village by village, main list first, in the order drawn."""
    found = frame.units(store(), assignee=None if everything() else g.person["id"])
    found = [unit for unit in found if unit.get("list", "main") in ("main", "reserve")]
    return sorted(found, key=lambda u: (natural(full_place(u)), u.get("list") == "reserve", float(u.get("order") or 0)))


def round_of(units: list[dict[str, Any]]) -> dict[str, Any]:
    """The round in which these units are worked on: the one named in the address, else the only or first one."""
    named = request.values.get("round", "")
    known = list(dict.fromkeys(str(unit.get("round", "")) for unit in units))
    if named and named not in known:
        abort(404)
    if not known:
        known = [str(one["id"]) for one in frame.rounds(store())]
    if not known:
        abort(404)
    return frame.round_document(store(), named or known[0])


@pages.get("/paper")
def page() -> str:
    """The box for the next serial, the villages, the forms."""
    return _page()


def _page(complaint: str = "", typed: Mapping[str, str] | None = None) -> str:
    units = my_units()
    round = round_of(units)
    units = [unit for unit in units if unit.get("round") == round["id"]]
    mine = {str(unit["id"]): unit for unit in units}
    found = [form for form in paper.forms(store(), str(round["id"])) if form.unit in mine]
    step = request.values.get("do", "")
    step = step if step in STEPS else "collected" if any(form.state == "issued" for form in found) else "issued"
    contacts = frame.contacts(store(), "unit")
    free = _free(units, found)
    village = request.values.get("village", "")
    villages = _villages(units, found)
    if village not in {row["code"] for row in villages}:
        village = next((str(u.get("village", "")) for u in free), villages[0]["code"] if villages else "")
    listed = [f for f in found if str(mine[f.unit].get("village", "")) == village]
    return render_template(
        "paper.html",
        round=round["id"],
        step=step,
        steps=[
            {"name": name(words.interface()), "do": do, "here": do == step, "url": _address(round, do, village)}
            for do, name in STEPS.items()
        ],
        villages=[
            {**row, "url": _address(round, step, row["code"]), "here": row["code"] == village} for row in villages
        ],
        village=village,
        place=next((full_place(u) for u in units if str(u.get("village", "")) == village), ""),
        free=[
            {"id": u["id"], "name": called(u, contacts.get(str(u["id"]), {})), "order": u.get("order", "")}
            for u in free
            if str(u.get("village", "")) == village
        ],
        forms=[_shown(form, mine[form.unit], contacts) for form in listed],
        due=(desk().now() + timedelta(days=DUE_DAYS)).strftime("%d/%m/%Y"),
        rates=_rates(),
        complaint=complaint,
        typed=typed or {},
    )


def _address(round: Mapping[str, Any], do: str, village: str) -> str:
    return url_for("paper.page", round=round["id"], do=do, village=village)


def _shown(form: Form, unit: Mapping[str, Any], contacts: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "form": form,
        "entry": _entry(form),
        "name": called(unit, contacts.get(form.unit, {})),
        "state": STANDS[form.state](words.interface()),
        "tone": STATE_TONES.get(form.state, ""),
        "by": person_name(form.by),
        "late": form.state == "issued" and form.due and form.due[:10] <= desk().now().date().isoformat(),
    }


def _entry(form: Form) -> dict[str, str]:
    """What is left to do where the form is being keyed, and the way there where there is one for this person."""
    row = keying.of_form(store(), form.id)
    if row is None:
        return {}
    if row["second_done"]:
        return {
            "words": t("hai lần nhập cần so", "entries to be settled"),
            "url": url_for("paper_double.page", form=form.id),
        }
    if row["first_done"]:
        return {"words": t("chờ nhập lần hai", "awaits the second entry"), "url": ""}
    return {"words": t("đang nhập", "being keyed"), "url": ""}


def _rates() -> list[dict[str, Any]]:
    """Error rates of double entry, person by person: those of others are a supervisor's business."""
    return [
        {**row, "name": person_name(person), "rate": 100 * row["errors"] / row["fields"] if row["fields"] else 0.0}
        for person, row in keying.error_rates(store()).items()
        if everything() or person == g.person["id"]
    ]


def _free(units: list[dict[str, Any]], found: list[Form]) -> list[dict[str, Any]]:
    """The units of the main list, then of the reserve, that have neither a form nor an interview."""
    taken = {form.unit for form in found if form.state not in ("lost", "invalid")}
    taken |= {row["unit"] for row in current.interviews(store()) if row["state"] not in ("voided", "erased")}
    return [unit for unit in units if unit["id"] not in taken]


def _villages(units: list[dict[str, Any]], found: list[Form]) -> list[dict[str, Any]]:
    places = {str(unit["id"]): str(unit.get("village", "")) for unit in units}
    names = {str(unit.get("village", "")): full_place(unit) for unit in units}
    drawn = Counter(str(u.get("village", "")) for u in units if u.get("list", "main") == "main")
    return [
        {
            "code": code,
            "name": name,
            "drawn": drawn[code],
            "tally": tally(form for form in found if places[form.unit] == code),
        }
        for code, name in names.items()
    ]


# -- recording ---------------------------------------------------------------------------------------------------


@pages.post("/paper")
def record() -> Any:
    """Records one step of one form, or the hand-out of a range, and comes back to the empty box."""
    units = my_units()
    round = round_of(units)
    step = request.form.get("do", "")
    if step not in STEPS:
        abort(400)
    try:
        if step == "keyed":
            return _key(units, round)
        said = _issue(units, round) if step == "issued" else _step(units, round, step)
    except NotUnderstood as wrong:
        return _page(wrong.reason(words.interface()), request.form), 400
    except SurveyError as wrong:
        problem = wrong.problem
        return _page(
            words.sentence(f"{problem.what(words.interface())}; {problem.todo(words.interface())}"), request.form
        ), 400
    flash(said, "good")
    return redirect(_address(round, step, request.form.get("village", "")))


def _issue(units: list[dict[str, Any]], round: Mapping[str, Any]) -> str:
    identity, village = str(round["id"]), request.form.get("village", "")
    serials = paper.read_range(request.form.get("serial", ""), request.form.get("last", ""), dict(round))
    due = readers.read_moment(request.form.get("due", ""))
    here = [u for u in units if u.get("round") == identity and str(u.get("village", "")) == village]
    with desk().lock:
        free = [str(u["id"]) for u in _free(here, paper.forms(store(), identity))]
        chosen = request.form.get("unit", "")
        if chosen in free:
            # The named household first; a range goes on with those after it.
            free = free[free.index(chosen) :] + free[: free.index(chosen)]
        made = paper.issue_range(store(), identity, serials, free, g.person["id"], due, desk().now())
    if len(made) == 1:
        return t(f"Đã phát phiếu {made[0].serial}.", f"Form {made[0].serial} is handed out.")
    return t(
        f"Đã phát {len(made)} phiếu, từ {made[0].serial} đến {made[-1].serial}.",
        f"{many(len(made), 'form is', 'forms are')} handed out, {made[0].serial} to {made[-1].serial}.",
    )


def _step(units: list[dict[str, Any]], round: Mapping[str, Any], step: str) -> str:
    one = paper.read_serial(request.form.get("serial", ""), dict(round))
    with desk().lock:
        form = paper.form(store(), str(round["id"]), one)
        if form is not None and form.unit not in {unit["id"] for unit in units}:
            abort(404)
        reason = request.form.get("reason", "").strip()[:500]
        made = paper.record(
            store(),
            str(round["id"]),
            one,
            step,
            g.person["id"],
            reason=reason if step == "lost" else "",
            now=desk().now(),
        )
    name = called(frame.unit(store(), made.unit) or {"id": made.unit}, frame.contact(store(), "unit", made.unit))
    return f"{made.serial} · {name}: {STATES[step](words.interface())}."


def _key(units: list[dict[str, Any]], round: Mapping[str, Any]) -> Response:
    from survey.web import paper_entry

    form = paper.form(store(), str(round["id"]), paper.read_serial(request.form.get("serial", ""), dict(round)))
    if form is None or form.unit not in {unit["id"] for unit in units}:
        raise InputError(
            request.form.get("serial", ""),
            Text("phiếu này chưa được ghi là đã phát", "this form was not recorded as handed out"),
            Text("ghi phát phiếu trước", "record the hand-out first"),
        )
    with desk().lock:
        return paper_entry.start(form)


@pages.get("/paper/forms/<form>")
def form_page(form: str) -> str:
    """One form: everything that was recorded of it, with person and date."""
    found = paper.by_id(store(), form)
    if found is None or found.unit not in {unit["id"] for unit in my_units()}:
        abort(404)
    unit = frame.unit(store(), found.unit) or {"id": found.unit}
    return render_template(
        "paper_form.html",
        **_shown(found, unit, {found.unit: frame.contact(store(), "unit", found.unit)}),
        place=full_place(unit),
        steps=[
            {
                **step,
                "words": STANDS.get(step["state"], STANDS[DISPUTED])(words.interface()),
                "by": person_name(step["by"]),
            }
            for step in paper.history(store(), form)
        ],
        back=_address({"id": found.round}, "collected", str(unit.get("village", ""))),
    )


# -- for Hôm nay ---------------------------------------------------------------------------------------------------


def due(units: list[dict[str, Any]]) -> dict[str, Any]:
    """What Hôm nay says of forms left at the units of its list: which are to be collected, how many are not due yet."""
    known = {str(unit["id"]): unit for unit in units}
    today = desk().now().date().isoformat()
    out = [form for form in paper.forms(store()) if form.state == "issued" and form.unit in known]
    ready = [form for form in out if form.due[:10] <= today]
    return {
        "forms_due": [
            {"form": form, "unit": known[form.unit], "url": _collect(form)}
            for form in sorted(ready, key=lambda form: (form.due, form.serial))
        ],
        "forms_later": len(out) - len(ready),
        "left": {form.unit for form in out},
    }


def _collect(form: Form) -> str:
    unit = frame.unit(store(), form.unit) or {}
    return url_for("paper.page", round=form.round, do="collected", village=unit.get("village", ""), serial=form.serial)


def back_to(form: Form) -> Response:
    """The page of the form's village."""
    unit = frame.unit(store(), form.unit) or {}
    return redirect(_address({"id": form.round}, "collected", str(unit.get("village", ""))))
