"""Pictures, sound and other files as the pages show them: those of the questionnaire, and those given as answers."""

from __future__ import annotations

from typing import NamedTuple

from flask import Blueprint, Response, abort, request, url_for

from survey.questionnaire.model import ATTACHED_TYPES
from survey.questionnaire.path import Entry
from survey.store import files
from survey.web import uploads
from survey.web.desk import store
from survey.web.draft import open_draft

pages = Blueprint("media", __name__)

SHOWN = frozenset({"image", "audio", "video"})


@pages.get("/interviews/<interview>/file")
def answer(interview: str) -> Response:
    """The file that answers one question of a draft, as it lies on disk."""
    opened = open_draft(interview)
    try:
        entry = opened.path.entry(request.args.get("question", ""))
    except KeyError:
        abort(404)
    content = files.content(store(), interview, entry.value)
    if content is None or not isinstance(entry.value, str):
        abort(404)
    return sent(content, entry.value)


@pages.get("/interviews/<interview>/media/<name>")
def shown(interview: str, name: str) -> Response:
    """A picture or recording of the interview's questionnaire."""
    opened = open_draft(interview)
    hash = opened.questionnaire.media.get(name)
    content = files.of_questionnaire(store(), opened.draft["questionnaire_hash"], hash) if hash else None
    if content is None:
        abort(404)
    return sent(content, f"{name.rpartition('.')[0]}.{uploads.sort_of(content).ending}")


class Attached(NamedTuple):
    """A sealed file as the desk's pages show it: its address (empty while it has not come to this machine) and what
    family of files it is of."""

    address: str
    family: str


def attached(interview: str, head: str, entry: Entry) -> Attached | None:
    """The file that answers a question in the version ``head`` of an interview; None where no file was given."""
    if entry.node.type not in ATTACHED_TYPES or not isinstance(entry.value, str) or not entry.value:
        return None
    here = files.is_here(store(), interview, entry.value)
    address = url_for("records.file", interview=interview, head=head, question=entry.path) if here else ""
    return Attached(address, uploads.by_name(entry.value).family)


def sent(content: bytes, name: str) -> Response:
    """A file by its kind: pictures and sound to be shown, all others to be kept and never opened here."""
    sort = uploads.by_name(name)
    response = Response(content, mimetype=sort.media_type)
    response.headers["Content-Disposition"] = "inline" if sort.family in SHOWN else "attachment; filename=tep"
    return response
