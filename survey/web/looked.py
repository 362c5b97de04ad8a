"""Views of contact data, for the log of access: a page says whom it shows, and before it leaves that is noted."""

from __future__ import annotations

from typing import Any

from flask import Response, g, make_response, request

from survey.errors import SurveyError
from survey.store import audit
from survey.web import problems
from survey.web.desk import desk, store


def saw(unit: Any) -> None:
    """This page shows the name, address or phone of a sample unit, or answers that are contact data."""
    g.setdefault("looked_at", set()).add(str(unit))


def note(response: Response) -> Response:
    """Writes down what the page shows, once a day for each person and unit. A page whose view cannot be written down is
    not shown."""
    looked_at: set[str] = g.pop("looked_at", set())
    if not looked_at or g.get("person") is None or response.status_code >= 400:
        return response
    user, day = str(g.person["id"]), f"{desk().now():%Y-%m-%d}"
    fresh = looked_at - desk().noted_views(day).get(user, set())
    if fresh:
        try:
            audit.note_views(store(), user, fresh, str(request.endpoint), desk().now())
        except SurveyError as wrong:
            return make_response(problems.page((wrong.problem,), 500))
        desk().noted_views(day).setdefault(user, set()).update(fresh)
    return response
