"""Which store answers a page: an interview that was begun as practice lives in the practice store, and every page of it
says so. Decided by the interview in the address, so that a page left open of a real one goes on saving where it was."""

from __future__ import annotations

from dataclasses import replace
from threading import Lock

from flask import current_app, g, request, url_for

from survey.fieldwork.practice import asked
from survey.store import drafts, practice
from survey.web.desk import Desk, Open, desk, put_back

PAGES = frozenset({"interview", "finishing", "private", "remarks", "finding", "media"})
"""The pages on which an interview is made; no other page knows practice interviews."""

_MAKING = Lock()


def practice_desk(*, make: bool = False) -> Desk | None:
    """The desk of the practice store; None where nobody has practised yet and ``make`` does not say to begin."""
    real = real_desk()
    with _MAKING:
        if real.practice is None and (make or practice.exists(real.instance)):
            practice.opened(real.instance).close()
            settings = replace(real.settings, backup="")
            real.practice = Desk(real.instance / practice.FOLDER, settings, real.now)
        return real.practice


def real_desk() -> Desk:
    """The desk of the instance itself, on whatever page."""
    found = current_app.extensions["survey"]
    assert isinstance(found, Desk)
    return found


def enter() -> None:
    """Before a page of an interview: is it practice?"""
    interview = str((request.view_args or {}).get("interview", ""))
    if not interview or request.blueprint not in PAGES or g.get("person") is None:
        return
    own = practice_desk()
    if own is None:
        return
    held = own.take()
    try:
        known = drafts.draft(held, interview) is not None
    finally:
        own.give_back(held)
    if known:
        put_back()
        g.desk = own


def is_on() -> bool:
    """Whether this page is of a practice interview."""
    return desk() is not real_desk()


def home() -> str:
    """Where a person goes on after an interview."""
    return url_for("practice.page" if is_on() else "today.page")


def finished(opened: Open) -> None:
    """Tells the real store how the set was played; nothing else of a practice interview ever gets there."""
    real = real_desk()
    held = real.take()
    try:
        answers = asked(opened.questionnaire, opened.path.sealed[0])
        practice.note(held, opened.unit, answers, g.person["id"], str(opened.draft["started"]), real.now())
    finally:
        real.give_back(held)
