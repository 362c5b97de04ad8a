"""The passphrase, asked once per start: until it is given, an encrypted laptop shows this page and no other.

The key lives in this process's memory; stopping the program locks the store again.
"""

from __future__ import annotations

from threading import Lock
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from wtforms import PasswordField
from wtforms.validators import InputRequired, Length

from survey.errors import NotAllowed
from survey.store import Store, audit, vault
from survey.web import security, words
from survey.web.desk import desk
from survey.web.listening import door
from survey.web.words import t

pages = Blueprint("unlock", __name__)

OPEN_WHILE_LOCKED = frozenset({"static", "unlock.page", "account.language"})

_ONE_AT_A_TIME = Lock()
"""A try takes 64 MiB and a third of a second; ten at once would bring an old laptop to its knees."""


class Unlock(FlaskForm):
    """The passphrase of this machine."""

    passphrase = PasswordField(validators=[InputRequired(), Length(max=1000)])


def guard() -> Any:
    """Before every page: is the store open?"""
    if request.endpoint in OPEN_WHILE_LOCKED or not vault.is_locked(desk().instance):
        return None
    return redirect(url_for("unlock.page"))


@pages.route("/unlock", methods=["GET", "POST"])
def page() -> Any:
    """Asks for the passphrase; a wrong one says what to look at."""
    instance = desk().instance
    form = Unlock()
    complaint = ""
    if form.validate_on_submit():
        try:
            with _ONE_AT_A_TIME:
                vault.unlock(instance, form.passphrase.data or "")
        except NotAllowed as refused:
            desk().wrong_passphrases += 1
            complaint = words.advice(refused.problem)
        else:
            # Says in words what is wrong with a store that cannot be used, as a start without a passphrase does.
            with Store.open(instance) as opened:
                # Wrong ones could not be noted before: the log is behind the lock.
                audit.note(opened, "unlock", detail={"wrong": desk().wrong_passphrases}, now=desk().now())
            desk().wrong_passphrases = 0
            current_app.secret_key = security.secret_key(instance)
            door().unlocked()
    elif form.is_submitted():
        complaint = t("Nhập cụm mật khẩu.", "Enter the passphrase.")
    if not vault.is_locked(instance):
        return redirect(url_for("account.home"))
    return render_template("unlock.html", form=form, complaint=complaint), 403 if complaint else 200
