"""The rules of the round at a sample unit: replacing one that is given up, choosing whom of a household to ask."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for

from survey.errors import InputError, NotAllowed
from survey.fieldwork.household import LARGEST, METHODS, Adult
from survey.fieldwork.replacement import Rule, is_open, opening
from survey.store import current, fieldlog, frame
from survey.text import Text
from survey.web import roles, words
from survey.web.desk import desk, store
from survey.web.naming import called, full_place

pages = Blueprint("fieldwork", __name__)

ROWS = 6
"""Adults that a list has room for at first."""


def mine(unit: str) -> dict[str, Any]:
    """The unit, when it is this person's to visit; 404 otherwise, so that ids cannot be tried out."""
    document = frame.unit(store(), unit)
    if document is None:
        abort(404)
    if document.get("assignee") != g.person["id"] and roles.SUPERVISOR not in g.person["roles"]:
        abort(404)
    g.unit = document
    return document


def lay_rules(units: Sequence[dict[str, Any]], documents: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """Adds to each row of Today what the rule of its round says: ``shut`` (a reserve unit that is not opened),
    ``replaceable``, ``replaces`` and ``replaced_by`` (names), ``respondent`` (who was chosen).

    Returns how far each village is: ``done``, ``target`` (0: the round sets none).
    """
    rounds = {str(document.get("round", "")) for document in documents}
    rules = {name: Rule.of(frame.document(store(), "round", name) or {}) for name in rounds}
    primary = {name: fieldlog.primary_units(store(), name) for name in rounds}
    chosen = _chosen_names()
    named = {row["id"]: row["name"] for row in units}
    progress: dict[str, dict[str, int]] = defaultdict(lambda: {"done": 0, "target": 0})
    counted = set()
    for row, document in _pairs(units, documents):
        round = str(document.get("round", ""))
        members, rule = primary[round][fieldlog.place_of(document)], rules[round]
        own = next(unit for unit in members if unit.id == row["id"])
        now_open = opening(members, rule)
        successor = next((unit.id for unit in members if unit.replaces == own.id), "")
        row["shut"] = not is_open(own)
        row["replaceable"] = now_open.reserve is not None and own in now_open.given_up
        row["replaces"] = named.get(own.replaces, own.replaces)
        row["replaced_by"] = named.get(successor, successor)
        row["respondent"] = chosen.get(row["id"], "")
        # What was replaced, or cannot be reached after all its visits, waits for nobody any more.
        row["again"] = row["again"] and not successor
        row["final"] = row["final"] or bool(successor)
        row["open"] = row["open"] and not successor
        place = (round, *fieldlog.place_of(document))
        if place not in counted:
            counted.add(place)
            progress[row["village"]]["done"] += sum(unit.complete for unit in members)
            progress[row["village"]]["target"] += rule.target
    return dict(progress)


def _pairs(units: Sequence[dict[str, Any]], documents: Sequence[Mapping[str, Any]]) -> Any:
    by_id = {document["id"]: document for document in documents}
    return ((row, by_id[row["id"]]) for row in units)


def _chosen_names() -> dict[str, str]:
    events = sorted(fieldlog.read(store(), fieldlog.SELECTION), key=lambda event: int(event.get("list", 1)))
    contacts = frame.contacts(store(), "visit") if events else {}
    return {str(event["unit"]): _person(event, contacts.get(event["id"], {})) for event in events}


def _person(event: Mapping[str, Any], contact: Mapping[str, Any]) -> str:
    sex = words.t("nam", "man") if event["sex"] == "male" else words.t("nữ", "woman")
    age = words.t(f"{event['age']} tuổi", f"aged {event['age']}")
    return " · ".join(word for word in (str(contact.get("name", "")), f"{sex}, {age}") if word)


def require_open(unit: Mapping[str, Any]) -> None:
    """Raises NotAllowed at a reserve unit that nobody has opened in place of another."""
    round = str(unit.get("round", ""))
    rule = Rule.of(frame.document(store(), "round", round) or {})
    members = fieldlog.primary_units(store(), round)[fieldlog.place_of(unit)]
    own = next(member for member in members if member.id == unit["id"])
    name = called(unit, frame.contact(store(), "unit", str(unit["id"])))
    if any(member.replaces == own.id for member in members):
        raise NotAllowed(
            name,
            Text("hộ này đã được thay", "this unit has been replaced"),
            Text("đến hộ thay nó, ghi ở trang Hôm nay", "go to the one that replaces it, named on Today"),
        )
    if is_open(own):
        return
    now_open = opening(members, rule)
    first = (
        now_open.reason if now_open.reserve is None else Text("còn phải chọn hộ được thay", "choose whom it replaces")
    )
    raise NotAllowed(
        name,
        Text(f"hộ dự phòng chưa được mở: {first.vi}", f"this reserve unit is not open: {first.en}"),
        Text("trang Hôm nay nói hộ nào được thay", "Today says which unit may be replaced"),
    )


def must_choose(unit: Mapping[str, Any]) -> bool:
    """Whether somebody of the household has to be chosen before the interview can begin."""
    round = frame.document(store(), "round", str(unit.get("round", ""))) or {}
    return bool(fieldlog.respondent_method(round)) and fieldlog.respondent(store(), str(unit["id"])) is None


# -- replacing ---------------------------------------------------------------------------------------------------


@pages.route("/units/<unit>/replace", methods=["GET", "POST"])
def replace(unit: str) -> Any:
    """Opens the next reserve unit in place of one that is given up."""
    document = mine(unit)
    round = frame.round_document(store(), str(document.get("round", "")))
    members = fieldlog.primary_units(store(), round["id"])[fieldlog.place_of(document)]
    now_open = opening(members, Rule.of(round))
    own = next(member for member in members if member.id == unit)
    if now_open.reserve is None or own not in now_open.given_up:
        reason = now_open.reason(words.interface()) or words.t("hộ này chưa được thay", "this unit is not given up")
        flash(words.sentence(reason), "look")
        return redirect(url_for("today.page"))
    complaint = ""
    reason = request.form.get("reason", "").strip()
    if request.method == "POST":
        if reason:
            try:
                expected = request.form.get("reserve", "")
                opened = fieldlog.replace(store(), unit, reason, g.person["id"], expected=expected, now=desk().now())
            except NotAllowed as wrong:
                flash(words.sentence(wrong.problem.what(words.interface())), "look")
            else:
                name = _name(opened)
                flash(words.t(f"Đã mở hộ dự phòng: {name}.", f"Opened the reserve unit {name}."), "good")
            return redirect(url_for("today.page"))
        complaint = words.t("Ghi vì sao phải thay hộ này.", "Say why this unit has to be replaced.")
    outcome = own.outcome
    page = render_template(
        "replace.html",
        out=_name(unit),
        place=full_place(document),
        outcome=outcome.label(words.interface()),
        visits=len(own.codes),
        reserve=now_open.reserve,
        reserve_name=_name(now_open.reserve.id),
        reason=reason,
        complaint=complaint,
    )
    return page, 400 if complaint else 200


def _name(unit: str) -> str:
    return called(frame.unit(store(), unit) or {"id": unit}, frame.contact(store(), "unit", unit))


# -- who is interviewed ------------------------------------------------------------------------------------------


@pages.route("/units/<unit>/respondent", methods=["GET", "POST"])
def respondent(unit: str) -> Any:
    """Lists the adults of a household and draws the one to interview."""
    document = mine(unit)
    require_open(document)
    round = frame.round_document(store(), str(document.get("round", "")))
    method = fieldlog.respondent_method(round)
    if not method:
        return redirect(url_for("today.page"))
    complaint = ""
    size = min(max(ROWS, len(request.form.getlist("name"))), LARGEST)
    if "more" in request.form:
        size = min(size + 4, LARGEST)
    elif request.method == "POST":
        try:
            adults = _adults(method)
            because = request.form.get("because", "")
            fieldlog.choose_respondent(store(), document, adults, g.person["id"], because=because, now=desk().now())
        except (InputError, NotAllowed) as wrong:
            complaint = words.advice(wrong.problem)
        else:
            return redirect(url_for("fieldwork.respondent", unit=unit))
    standing = fieldlog.respondent(store(), unit)
    begun = [row for row in current.interviews(store(), unit=unit) if row["state"] not in ("voided", "erased")]
    page = render_template(
        "respondent.html",
        unit=document,
        name=_name(unit),
        method=METHODS[method],
        birthdays=method == "next_birthday",
        youngest=_youngest(round),
        standing=standing,
        whom=_person(standing, standing) if standing else "",
        begun=bool(begun),
        rows=_typed(size),
        because=request.form.get("because", ""),
        complaint=complaint,
        full=size >= LARGEST,
    )
    return page, 400 if complaint else 200


def _youngest(round: Mapping[str, Any]) -> int:
    told = round.get("respondent")
    return int(told.get("age", 18)) if isinstance(told, Mapping) else 18


def _typed(size: int) -> list[dict[str, str]]:
    columns = [request.form.getlist(name) for name in ("name", "sex", "age", "birthday")]
    cell = [[*column, *[""] * size][:size] for column in columns]
    return [dict(zip(("name", "sex", "age", "birthday"), row, strict=True)) for row in zip(*cell, strict=True)]


def _adults(method: str) -> list[Adult]:
    """The rows that are filled. InputError names the first that cannot be understood."""
    found = []
    for number, row in enumerate(_typed(LARGEST), start=1):
        if not any(value.strip() for value in row.values()):
            continue
        age = row["age"].strip()
        found.append(
            Adult(
                row["name"].strip()[:100],
                row["sex"],
                int(age) if re.fullmatch(r"\d{1,3}", age, re.ASCII) else 0,
                _birthday(row["birthday"], number) if method == "next_birthday" else None,
            )
        )
    return found


def _birthday(typed: str, number: int) -> tuple[int, int] | None:
    found = re.fullmatch(r"\s*(\d{1,2})\s*[/.\-\s]\s*(\d{1,2})(?:\s*[/.\-]\s*\d{2,4})?\s*", typed, re.ASCII)
    return (int(found[2]), int(found[1])) if found else None
