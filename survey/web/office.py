"""Cơ quan ban hành, on a hub: the office whose name, place and signer stand on every document of this machine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for

from survey.errors import InputError, SurveyError
from survey.text import Text, nfc
from survey.web import roles
from survey.web.bringing import sentences
from survey.web.desk import desk
from survey.web.planned import needs_analysis
from survey.web.words import t

if TYPE_CHECKING:
    from analysis.report.office import Office

pages = Blueprint("office", __name__)
pages.before_request(needs_analysis)

TYPED = ("parent", "name", "abbreviation", "place", "authority", "post", "signer", "archive")


@pages.get("/office")
def page() -> str:
    """What stands at the head and foot of the documents."""
    return _page()


def _page(wrong: SurveyError | None = None, typed: Office | None = None) -> str:
    from analysis.report.office import Office, own_office

    try:
        office = typed or own_office(desk().instance)
    except SurveyError as error:  # somebody wrote the file by hand
        office, wrong = Office(""), wrong or error
    return render_template(
        "office.html",
        office=office,
        wrong=sentences(wrong),
        drafting=roles.may("office.save", frozenset(g.person["roles"])),
    )


@pages.post("/office")
def save() -> Any:
    """Keeps the office, as the file that the commands read too."""
    from analysis.output import whole_file
    from analysis.report.office import FILE, Office, own_office, written_office

    typed = {name: nfc(" ".join(request.form.get(name, "").split())) for name in TYPED}
    recipients = tuple(nfc(line.strip(" -;.")) for line in request.form.get("recipients", "").splitlines())
    try:
        before = own_office(desk().instance)
    except SurveyError:
        before = Office("")
    office = replace(before, **typed, recipients=tuple(filter(None, recipients)))
    if not office.name:
        missing = Text("thiếu tên cơ quan ban hành", "the name of the office is missing")
        todo = Text("điền tên cơ quan", "fill in its name")
        return _page(InputError(t("Tên cơ quan ban hành", "Name of the office"), missing, todo), office), 400
    text = written_office(office)
    whole_file(desk().instance / FILE, lambda path: path.write_text(text, encoding="utf-8"))
    flash(t("Đã lưu cơ quan ban hành.", "The office is saved."), "good")
    return redirect(url_for("office.page"))
