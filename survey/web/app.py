"""Puts the app together: settings, one store per working thread, protection, the pages."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from flask import Flask
from flask_wtf.csrf import CSRFProtect

from survey import config
from survey.store import Store, vault
from survey.store.store import FILE, check_file
from survey.web import (
    access,
    account,
    agencies,
    backchecks,
    beginning,
    daysheet,
    desk,
    fieldwork,
    finding,
    finishing,
    handing,
    handover,
    interview,
    listening,
    live,
    looked,
    media,
    mine,
    network,
    office,
    paper,
    paper_double,
    paper_entry,
    people,
    personal,
    place_changes,
    plans,
    practice,
    practising,
    private,
    problems,
    progress,
    receive,
    records,
    remarks,
    review,
    roles,
    scorecards,
    security,
    setting_up,
    slip,
    today,
    unlock,
    words,
    workload,
)


def build(instance: Path, now: Callable[[], datetime] | None = None) -> Flask:
    """The app over the instance in ``instance``; see :func:`survey.create_app`."""
    # Opened once here so that a folder without a store is said at the start, not on somebody's first page.
    locked = vault.is_locked(instance)
    if locked:
        check_file(instance / FILE)
    else:
        Store.open(instance).close()
    settings = config.load(instance)
    app = Flask("survey.web", instance_path=str(instance.resolve()))
    app.secret_key = secrets.token_bytes(32) if locked else security.secret_key(instance)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.extensions["survey"] = desk.Desk(instance, settings, now or (lambda: datetime.now(UTC).astimezone()))
    app.extensions["survey.door"] = listening.Door(app.extensions["survey"])
    app.config["ASSETS"] = _assets(Path(app.static_folder or ""))
    security.protect(app)
    CSRFProtect(app)
    words.teach(app)
    problems.answer(app)
    on_paper = (paper, paper_entry, paper_double)
    talk = (interview, finishing, private, remarks, finding, media)
    shown = (unlock, account, today, fieldwork, handing, *talk, *on_paper, handover, receive, records)
    desks = (progress, beginning, setting_up, place_changes, network, daysheet, agencies, office, plans, scorecards)
    for pages in (*shown, slip, backchecks, live, personal, access, *desks):
        app.register_blueprint(pages.pages)
    app.before_request(unlock.guard)
    app.before_request(account.guard)
    app.before_request(practising.enter)
    app.after_request(looked.note)
    app.teardown_appcontext(desk.put_back)
    for pages in (mine, review, people, practice, workload):
        app.register_blueprint(pages.pages)
    missing = {rule.endpoint for rule in app.url_map.iter_rules()} ^ roles.PAGES.keys()
    if missing:
        raise RuntimeError(f"the table of roles and the pages differ: {sorted(missing)}")
    return app


def _assets(folder: Path) -> str:
    """A short hash of the static files: a browser that kept an older release's stylesheet asks again."""
    digest = sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
