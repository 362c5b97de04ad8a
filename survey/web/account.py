"""Signing in and out, the language, and the guard before every page."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, current_app, g, redirect, render_template, request, session, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import PasswordField
from wtforms.validators import InputRequired, Length

from survey.errors import NotAllowed, Problem
from survey.store import frame, paper
from survey.store.commune import require_other_commune
from survey.text import LANGUAGES, Text, fold
from survey.web import private, problems, roles, words
from survey.web.desk import desk, store

pages = Blueprint("account", __name__)

SIGNED_OUT = Problem(
    "survey",
    Text("bạn đã đăng xuất ở một cửa sổ khác", "you have signed out in another window"),
    Text(
        "mở một cửa sổ mới, đăng nhập lại, rồi quay về đây: trang sẽ lưu tiếp",
        "open a new window, sign in there, and come back: this page will go on saving",
    ),
)


class SignIn(FlaskForm):
    """A PIN and nothing else; who it belongs to is in the address."""

    pin = PasswordField(validators=[InputRequired(), Length(max=64)])


def guard() -> Any:
    """Before every page: who is it, and may they? Runs for static files too, which are open to anyone."""
    g.person = _person() if request.endpoint != "static" else None
    mine = frozenset(g.person["roles"]) if g.person else frozenset()
    if g.person and request.endpoint and (away := private.keep_turned(request.endpoint)):
        return away
    if request.endpoint is None or roles.may(request.endpoint, mine):
        if g.person is not None:
            _keep_out_of_own_commune(g.person, request.view_args or {})
        return None
    if g.person is not None:
        roles.require(request.endpoint, mine)
    if session.get("locked"):
        if request.headers.get("HX-Request"):
            return Response("", 401, {"X-Answer": "locked"})
        back = request.full_path.rstrip("?") if request.method == "GET" else None
        return redirect(url_for("account.sign_in", user=session["user"], next=back))
    if request.headers.get("HX-Request"):
        return problems.page((SIGNED_OUT,), 401)
    return redirect(url_for("account.people"))


def _keep_out_of_own_commune(person: dict[str, Any], named: dict[str, Any]) -> None:
    """Before every page whose address names an interview, a sample unit or a paper form: it is not of this person's
    own commune, unless the results are out."""
    if not person.get("commune"):
        return
    form = paper.by_id(store(), str(named["form"])) if "form" in named else None
    unit = form.unit if form else str(named.get("unit", ""))
    require_other_commune(store(), person, unit=unit, interview=str(named.get("interview", "")))


def _person() -> dict[str, Any] | None:
    """The person of this session, as the store knows them now; None when nobody, disabled, or locked: by hand, or idle
    for too long. Then only the PIN opens the pages again."""
    user = session.get("user")
    if not user:
        return None
    known = frame.person(store(), user)
    if known is None or known.get("disabled"):
        _forget_person()
        return None
    now = desk().now().timestamp()
    seen = float(session.get("seen", 0))
    if not 0 <= now - seen <= desk().settings.idle_minutes * 60:
        session["locked"] = True
    if session.get("locked"):
        return None
    if now - seen > 30:
        session["seen"] = now
    return known


def _forget_person() -> None:
    for key in ("user", "seen", "locked", "turned"):
        session.pop(key, None)


@pages.get("/")
def home() -> Response:
    """The page that this person needs first."""
    if g.person is None:
        return redirect(url_for("account.people"))
    for role, endpoint in roles.HOMES.items():
        if role in g.person["roles"]:
            return redirect(url_for(endpoint))
    abort(404)


@pages.get("/sign-in")
def people() -> str:
    """Who works on this laptop."""
    known = [one for one in frame.people(store()) if not one.get("disabled")]
    shown = [{"id": one["id"], "name": one.get("name", one["id"]), "roles": _roles(one)} for one in known]
    shown.sort(key=lambda one: fold(str(one["name"])))
    return render_template("people.html", people=shown, hub=store().role == "hub")


def _roles(person: dict[str, Any]) -> str:
    return ", ".join(roles.ROLES[role](words.interface()) for role in person.get("roles", ()) if role in roles.ROLES)


@pages.route("/sign-in/<user>", methods=["GET", "POST"])
def sign_in(user: str) -> Any:
    """Asks for the PIN. A wrong one says so and how long to wait; the delay grows and is kept in the store."""
    known = frame.person(store(), user)
    if known is None or known.get("disabled"):
        abort(404)
    form = SignIn()
    complaint, tone = "", "look"
    if form.validate_on_submit():
        try:
            person = frame.sign_in(store(), user, form.pin.data or "", desk().now())
        except NotAllowed as refused:
            complaint = words.advice(refused.problem)
        else:
            _remember(person)
            return redirect(_own(request.args.get("next", "/")))
    elif form.is_submitted():
        complaint = words.t("Nhập mã PIN.", "Enter the PIN.")
    form.pin.data = ""
    status = 403 if complaint else 200
    return render_template("sign_in.html", one=known, form=form, complaint=complaint, tone=tone), status


@pages.post("/lock")
def lock() -> Response:
    """Locks the pages of this person until the PIN is given; what stands on an open page stays there."""
    session["locked"] = True
    return Response("", 204)


@pages.post("/pin")
def pin() -> Response:
    """Takes the PIN of the person whose pages are locked, for a page that stayed open: 204, or why not in words."""
    user = session.get("user")
    if not user:
        return Response(words.sentence(SIGNED_OUT.what(words.interface())), 403)
    try:
        person = frame.sign_in(store(), user, request.form.get("pin", ""), desk().now())
    except NotAllowed as refused:
        return Response(words.advice(refused.problem), 403)
    _remember(person)
    return Response("", 204)


def _remember(person: dict[str, Any]) -> None:
    # The CSRF token stays: a page left open in another window must still be able to save what stands on it.
    if session.get("user") != person["id"] and session.get("last_user") not in (None, person["id"]):
        session.pop("csrf_token", None)
    if session.get("user") != person["id"]:
        session.pop("turned", None)
    session.pop("locked", None)
    session["user"] = session["last_user"] = person["id"]
    session["seen"] = desk().now().timestamp()
    if "ui" not in session and person.get("language") in LANGUAGES:
        session["ui"] = person["language"]


@pages.post("/sign-out")
def sign_out() -> Response:
    """Ends the session."""
    session.clear()
    return redirect(url_for("account.people"))


@pages.post("/language")
def language() -> Response:
    """Another language, at any moment, and back to the same page."""
    chosen = request.form.get("language", "")
    session["tongue"] = chosen
    if chosen in LANGUAGES:
        session["ui"] = chosen
    return redirect(_own(request.form.get("next", "")))


@pages.post("/text-size")
def size() -> Response:
    """Larger or smaller letters on the pages, for this session, and back to the same page."""
    step = 1 if request.form.get("step") == "larger" else -1
    session["size"] = min(max(int(session.get("size", 1)) + step, 1), words.SIZES)
    return redirect(_own(request.form.get("next", "")))


def _own(target: str) -> str:
    """``target`` when it is a path of this app, else the front page: never a way out to another site."""
    adapter = current_app.url_map.bind("")
    path = target.partition("?")[0].partition("#")[0]
    if not target.startswith("/") or target.startswith("//") or "\\" in target:
        return url_for("account.home")
    return target if adapter.test(path, "GET") else url_for("account.home")
