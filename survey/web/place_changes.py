"""Places that are renamed, merged or split while a round is in the field: recorded here, shown everywhere with both
names and the date. What was drawn stays as it was drawn."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for

from survey.errors import InputError, SurveyError
from survey.fieldwork.places import KINDS, LEVELS, Change, changes
from survey.store import frame
from survey.sync import rounds
from survey.text import Text, fold, many, nfc
from survey.web import words
from survey.web.bringing import day_of, sentences
from survey.web.desk import desk, store
from survey.web.words import t

pages = Blueprint("place_changes", __name__)

CALLED: dict[str, Text] = {
    "commune": Text("Xã, phường", "Commune"),
    "village": Text("Thôn, bản", "Village"),
    "district": Text("Huyện (cũ)", "District (former)"),
    "province": Text("Tỉnh", "Province"),
}
"""The levels as they are offered: what changes most often first."""


@pages.route("/rounds/<round>/places", methods=["GET", "POST"])
def page(round: str) -> Any:
    """The changes of a round's places by their dates, and the form for another one."""
    document = frame.document(store(), "round", round)
    if document is None:
        abort(404)
    wrong = None
    if request.method == "POST":
        try:
            change = _told()
            units = rounds.change_place(store(), document, change, g.person["id"])
        except SurveyError as error:
            wrong = error
        else:
            flash(
                t(
                    f"Đã ghi: {change.name}. {units} đơn vị mẫu, giữ nguyên mã, tầng và xác suất. "
                    "Ghi lại tệp đợt khảo sát cho các máy.",
                    f"Recorded: {change.name}. {many(units, 'sample unit')}, drawn as they were. "
                    "Write the round file again for the laptops.",
                ),
                "good",
            )
            return redirect(url_for("place_changes.page", round=round))
    units_of = frame.units(store(), round)
    shown = render_template(
        "place_changes.html",
        round=document,
        changes=changes(document),
        names={(level, code): name for level in LEVELS for code, name in _places(units_of, level)},
        places=[
            (level, name(words.interface()), found)
            for level, name in CALLED.items()
            if (found := _places(units_of, level))
        ],
        kinds=KINDS,
        called=CALLED,
        complaints=sentences(wrong),
        typed=request.form,
        today=f"{desk().now():%d/%m/%Y}",
    )
    return shown, 400 if wrong else 200


def _places(units: list[dict[str, Any]], level: str) -> list[tuple[str, str]]:
    """(code, name) of the places of one level in the sample, by name."""
    found = {str(unit[level]): str(unit.get(f"{level}_name") or unit[level]) for unit in units if unit.get(level)}
    return sorted(found.items(), key=lambda place: fold(place[1]))


def _told() -> Change:
    """What a person typed. InputError when something is missing."""
    form = request.form
    level, _, code = form.get("place", "").partition(":")
    name, kind = nfc(form.get("name", "")).strip(), form.get("kind", "renamed")
    if level not in LEVELS or not code or kind not in KINDS:
        raise InputError(t("nơi thay đổi", "place"), Text("chưa chọn nơi nào", "no place is chosen"))
    if not name:
        raise InputError(
            t("tên mới", "new name"), Text("chưa ghi tên mới", "the new name is empty"), Text("ghi tên", "write it")
        )
    day = day_of(form.get("date", ""))
    if not day:
        raise InputError(
            t("ngày", "date"), Text("chưa ghi ngày có hiệu lực", "the day is empty"), Text("ghi ngày", "write the day")
        )
    village = form.get("village", "") if kind == "split" else ""
    new, basis = form.get("new", "").strip() or code, nfc(form.get("basis", "")).strip()
    return Change(level, code, new, name, day, kind, village, basis)
