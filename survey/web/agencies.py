"""Cơ quan, on a hub: the dated list of a unit's agencies that its plans choose from, and what is searched in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, abort, flash, g, redirect, render_template, request, url_for

from survey.errors import InputError, SurveyError
from survey.questionnaire.search import search
from survey.store import plans as stored
from survey.tables import read_table, written
from survey.text import Text, many
from survey.web import roles
from survey.web.bringing import attached, brought, day_of, sentences
from survey.web.desk import desk, store
from survey.web.planned import document_of, items_of, needs_analysis, register_for
from survey.web.words import t

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.units import Register

pages = Blueprint("agencies", __name__)
pages.before_request(needs_analysis)

LEVELS = {
    "province": Text("cấp tỉnh", "province"),
    "commune": Text("cấp xã", "commune"),
    "central": Text("ngành dọc trung ương", "central, at the place"),
    "front": Text("Mặt trận, đoàn thể", "Front, mass organisations"),
    "district": Text("cấp huyện (đến 30/6/2025)", "district (to 30 June 2025)"),
}


@pages.get("/plans/agencies")
def page() -> str:
    """The agencies of one unit: those of today first, then those that are no more and what follows them."""
    return _page(_unit())


def _unit() -> str:
    unit = (request.values.get("unit") or "").strip()
    if not unit:
        abort(404)
    return unit


def _today() -> str:
    return desk().now().date().isoformat()


def _page(unit: str, wrong: SurveyError | None = None, typed: dict[str, str] | None = None) -> str:
    register, own = register_for(unit)
    today = _today()
    now = [one for one in register.units if one.on(today)]
    return render_template(
        "agencies.html",
        unit=unit,
        own=own,
        now=now,
        gone=[
            (one, ", ".join(t(after.name, after.name_en or after.name) for after in register.at(one, today)))
            for one in register.units
            if not one.on(today)
        ],
        levels=LEVELS,
        wrong=sentences(wrong),
        typed=typed or {},
        drafting=roles.may("agencies.bring", frozenset(g.person["roles"])),
        back=[one for one in stored.plans(store()) if one["unit_name"] == unit],
    )


@pages.get("/plans/agencies/found")
def found() -> str:
    """The agencies of today that a few letters may mean, as the rows of a list box."""
    register, _ = register_for(_unit())
    named = [(one.name, one.name) for one in register.on(_today())]
    return render_template(
        "found.html",
        found=search(named, request.args.get("q", ""), 12),
        stands=[],
        id=request.args.get("list", ""),
        language="vi",
    )


@pages.get("/plans/agencies/file")
def file() -> Response:
    """The list as a file, to be edited in a spreadsheet."""
    from analysis.agencies import COLUMNS

    return attached(written(COLUMNS, _rows(_unit())), "agencies.csv", "text/csv; charset=utf-8")


@pages.post("/plans/agencies/file")
def bring() -> Any:
    """Takes a whole list: an edited file, or the example as it is."""
    from analysis.agencies import register_of

    unit = _unit()
    try:
        if request.form.get("what") == "example":
            rows: Sequence[dict[str, str]] = _rows(unit)
        else:
            rows = brought("list", read_table).rows
        count = len(register_of(rows).units)
        stored.put_agencies(store(), unit, rows, g.person["id"], now=desk().now())
    except SurveyError as wrong:
        return _page(unit, wrong), 400
    flash(t(f"Đã lưu danh sách {count} cơ quan.", f"The list of {many(count, 'agency')} is saved."), "good")
    return redirect(url_for("agencies.page", unit=unit))


@pages.post("/plans/agencies")
def change() -> Any:
    """Adds an agency from a day on, or ends one on a day, with what follows it."""
    from analysis.agencies import register_of

    unit = _unit()
    typed = {name: request.form.get(name, "").strip() for name in ("what", "code", "name_vi", "name_en", "level", "day",
                                                                   "successor")}  # fmt: skip
    try:
        day = day_of(typed["day"])
        rows = [dict(row) for row in _rows(unit)]
        rows = _ended(rows, typed, day, register_for(unit)[0]) if typed["what"] == "end" else _added(rows, typed, day)
        register_of(rows)
        stored.put_agencies(store(), unit, rows, g.person["id"], now=desk().now())
    except SurveyError as wrong:
        return _page(unit, wrong, typed), 400
    flash(t("Đã lưu danh sách cơ quan.", "The list of agencies is saved."), "good")
    return redirect(url_for("agencies.page", unit=unit))


def _added(rows: list[dict[str, str]], typed: dict[str, str], day: str) -> list[dict[str, str]]:
    if not typed["code"] or not typed["name_vi"]:
        raise InputError(
            t("Thêm cơ quan", "Add an agency"),
            Text("thiếu mã hoặc tên", "the code or the name is missing"),
            Text("điền mã ngắn và tên đầy đủ", "fill in a short code and the full name"),
        )
    new = {"code": typed["code"], "name_vi": typed["name_vi"], "name_en": typed["name_en"], "level": typed["level"]}
    return [*rows, {**new, "valid_from": day, "valid_to": "", "successor": "", "also": ""}]


def _ended(rows: list[dict[str, str]], typed: dict[str, str], day: str, register: Register) -> list[dict[str, str]]:
    from datetime import date, timedelta

    if not day:
        raise InputError(
            t("Kết thúc", "End"),
            Text("thiếu ngày cuối cùng", "the last day is missing"),
            Text("ghi ngày, ví dụ 30/6/2026", "write the day, such as 30/6/2026"),
        )
    ending = register.find(typed["code"], _today())
    after = (date.fromisoformat(day) + timedelta(days=1)).isoformat()
    follow = " ".join(register.find(one.strip(), after).code for one in typed["successor"].split(";") if one.strip())
    for row in rows:
        if row["code"] == ending.code and (row.get("valid_to") or "") == ending.valid_to:
            row["valid_to"], row["successor"] = day, follow
    return rows


@pages.post("/plans/<plan>/confirm")
def confirm(plan: str) -> Any:
    """Makes every suggested assignment of a plan a person's own."""
    stored.read(store(), plan)
    waiting = [item for item in items_of(plan).values() if item.assigned]
    with store().transaction():
        for item in waiting:
            body = {**document_of(item), "assigned": ""}
            stored.put(store(), plan, stored.ITEM, item.id, body, g.person["id"], now=desk().now())
    flash(
        t(f"Đã xác nhận phân công của {len(waiting)} nhiệm vụ.", f"{many(len(waiting), 'assignment')} confirmed."),
        "good",
    )
    return redirect(url_for("plans.plan", plan=plan) + "#items")


def _rows(unit: str) -> list[dict[str, str]]:
    """The rows of a unit's own list, else of the example."""
    from analysis.agencies import example

    held = stored.agencies(store(), unit)
    return [dict(row) for row in held["rows"]] if held else example(unit, _today())
