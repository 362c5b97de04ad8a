"""Pages that count: the board is brought up to date before they are shown, and while it is made from nothing, which
takes a minute at a hundred thousand interviews, they say how far it is."""

from __future__ import annotations

from flask import abort, make_response, render_template, request

from survey.store import board
from survey.web import words
from survey.web.desk import PATIENCE, store


def up_to_date() -> bool:
    """Brings the board up to date, for as long as a page may take; False when it is as it was a moment ago. Instead of
    a page that would show a part of it for the whole, the browser gets one that asks again at once."""
    fresh = board.refresh(store(), PATIENCE)
    made = board.being_made(store()) if request.method == "GET" else None
    if made is not None:
        done, every = made
        page = render_template("counting.html", top=None, done=done, every=every, left=words.whole(every - done))
        # Every time the page is asked for, some more of the work is done: no clock decides when it goes on.
        abort(make_response(page, 200, {"Refresh": "0", "Cache-Control": "no-store"}))
    return fresh
