"""The interview: one section a page, every answer saved as it is given, and the pieces of the page that changed sent
back."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for

from survey.errors import NotAllowed, NotUnderstood
from survey.questionnaire import endings
from survey.questionnaire.model import ATTACHED_TYPES, Value, generic
from survey.questionnaire.path import Change, Entry
from survey.store import drafts, files, remarks
from survey.text import Text
from survey.web import forms, uploads, words
from survey.web.desk import Open, desk, store
from survey.web.draft import open_draft, stale, tongue_of
from survey.web.questions import Question, key, lost_words, question
from survey.web.rail import counted, place_of, rail
from survey.web.sections import Heading, Sheet, changed, sheet
from survey.web.words import t

pages = Blueprint("interview", __name__)

KEPT = Text("Câu trả lời trước vẫn được giữ:", "The answer before is kept:")


@pages.get("/interviews/<interview>/continue")
def resume(interview: str) -> Any:
    """The section where the interview stopped: the first one with a question still open; or the question ``at`` which
    the supervisor asks to be answered again."""
    opened = open_draft(interview)
    places = opened.path.sections
    try:
        wanted = opened.path.entry(request.args.get("at", ""))
        number = place_of(opened, wanted) + 1
        return redirect(url_for("interview.section", interview=interview, number=number, at=key(wanted.path)))
    except (KeyError, StopIteration):
        pass  # no question is meant, or it is no longer asked
    for number, section in enumerate(places):
        if section.state == "todo":
            return redirect(url_for("interview.section", interview=interview, number=number + 1))
    return redirect(url_for("finishing.finish", interview=interview))


@pages.get("/interviews/<interview>/<int:number>")
def section(interview: str, number: int) -> str:
    """One section as a page, opened for writing: pages opened before can no longer write. To the script of an open
    page only the pieces are sent that make it this section's."""
    with desk().lock:
        opened = open_draft(interview)
        places = opened.path.sections
        if not 1 <= number <= len(places):
            abort(404)
        desk().hand_on(interview, drafts.written_by(store(), interview), opened.draft["changes"])
        token = drafts.lease(store(), interview)
        shown = _section(opened, number - 1)
    return render_template(
        "section.html" if request.headers.get("HX-Request") else "interview.html",
        section=shown,
        lease=token,
        interview=interview,
        autosave=desk().settings.autosave_ms,
        idle_minutes=desk().settings.idle_minutes,
    )


def _section(opened: Open, place: int, before: Sheet | None = None) -> dict[str, Any]:
    """Everything that the page of a section shows."""
    language = tongue_of(opened)
    places = opened.path.sections
    here = places[place]
    built = sheet(opened, here, language, desk().typed.get(opened.draft["interview"], {}), before)
    desk().remember_sheet(opened.draft["interview"], here.path, language, words.interface(), built)
    asked = [one for one in built.questions.values() if one.shown and one.asks]
    wanted = [one for one in asked if one.key == request.args.get("at")]
    if request.args.get("at") == "last":
        wanted = asked[-1:]
    left = [one for one in asked if not one.answered or one.unsaved]
    first = next(iter([*wanted, *left, *asked]), None)
    beside = rail(opened, place, language)
    answered, total = counted(opened, here)
    built.steps = beside["rail"]
    return {
        **beside,
        "ready": _ready(built, beside["next_is_end"]),
        "sheet": built,
        "blocks": built.blocks,
        "title": here.label(language) or t("Câu hỏi", "Questions"),
        "count": t(f"{answered} / {total} đã trả lời", f"{answered} / {total} answered"),
        "start": first.id if first else "",
        "todo": here.state == "todo" and not request.args.get("at"),
        "scales": any(one.options and one.partial != "finder" for one in asked),
        "missing_keys": any(one.missing for one in asked),
        "sounds": any(one.sound for one in built.questions.values()),
        "not_applicable": any(option.value == "not_applicable" for one in asked for option in one.missing),
        "repeat_url": url_for("interview.repeat", interview=opened.draft["interview"]),
        "private": any(one.private for one in asked),
        "turn_url": url_for("private.turn", interview=opened.draft["interview"], number=place + 1),
        "again_url": url_for("private.again", interview=opened.draft["interview"], number=place + 1),
    }


def _ready(built: Sheet, is_last: bool) -> str:
    """Where the page goes by itself once the last question is answered: the next ``section``, the ``end``, or nowhere.
    The last words of an interview are read out first: they may say why it ends here."""
    if not built.is_through or (is_last and built.has_last_words):
        return ""
    return "end" if is_last else "section"


# -- one answer --------------------------------------------------------------------------------------------------


@pages.post("/interviews/<interview>/answer")
def answer(interview: str) -> Response:
    """Takes one answer: understood, checked, on disk, and the pieces of the page that changed sent back.

    ``X-Answer`` says how it went: ``saved``, ``waiting`` (still being typed), ``refused``, ``ask`` (other answers
    would leave the path, which a person has to confirm) or ``stale`` (another window has the interview). ``X-Full``
    says that nothing could be added to the answer.
    """
    with desk().lock:
        opened = open_draft(interview)
        try:
            entry = opened.path.entry(request.form.get("question", ""))
        except KeyError:
            abort(404)
        if entry.path in opened.alone:
            abort(404)  # the respondent's own answer: first it has to be taken away
        if not entry.node.control:
            abort(404)  # what the form or the frame fills in, nobody types
        why = request.form.get("why", "")
        lease: str | None = request.form.get("lease", "")
        if why == "parting" and desk().is_parting(interview, lease or "", opened.draft["changes"]):
            lease = None
        typed = desk().typed.setdefault(interview, {})
        if why == "keep":
            typed.pop(entry.path, None)
            return _reply(opened, entry, "saved", whole=True)
        values = request.form.getlist("value")
        try:
            if entry.node.type in ATTACHED_TYPES and request.files.get("file"):
                value: Value | None = _uploaded(opened, entry)
            else:
                value = forms.read(entry, values, request.form.get("missing", ""))
        except (NotUnderstood, uploads.NotTaken) as wrong:
            return _refuse(opened, entry, values, why, wrong.reason(words.interface()))
        change = opened.path.set(entry.path, "" if value is None else value)
        if not change.ok:
            if value is None and not entry.is_answered:
                typed.pop(entry.path, None)
                return _reply(opened, entry, "saved")
            return _refuse(opened, entry, values, why, _message(opened, entry, change))
        if change.lost and why != "confirm":
            if why == "typing":
                return _reply(opened, entry, "waiting")
            return _reply(opened, entry, "ask", change=change)
        typed.pop(entry.path, None)
        try:
            after = _save(opened, change, {entry.path: _seconds(request.form.get("ms"))}, lease)
        except NotAllowed:
            return stale(interview)
        given = after.path.entry(entry.path)
        reply = _reply(after, given, "saved", confirmed=why == "confirm", whole=entry.node.type in ATTACHED_TYPES)
        if why == endings.COMES_TO_ITS_END.get(entry.node.type) and endings.is_full(after.path, given):
            reply.headers["X-Full"] = "yes"
        return reply


def _uploaded(opened: Open, entry: Entry) -> Value:
    """Keeps the file that was sent, on disk, and gives the answer that stands for it."""
    with closing(request.files["file"]) as file:
        content = file.read(uploads.LARGEST_REQUEST)
    sort = uploads.check(content, entry.node.type)
    files.put(store(), opened.draft["interview"], content)
    return files.name_of(content, sort.ending)


def _seconds(milliseconds: str | None) -> float:
    try:
        return min(max(float(milliseconds or "0") / 1000, 0.0), 86_400.0)
    except ValueError:
        return 0.0


def _save(opened: Open, change: Change, seconds: dict[str, float], lease: str | None) -> Open:
    """Writes what a change stores; when this returns it is on disk. NotAllowed when another window has the draft."""
    interview = opened.draft["interview"]
    drafts.save(store(), interview, change.save, seconds, token=lease, now=desk().now())
    row = drafts.draft(store(), interview)
    assert row is not None
    desk().keep(interview, row["changes"], change.path)
    return replace(opened, draft=row, path=change.path, reasons=remarks.reasons(store(), interview))


def _message(opened: Open, entry: Entry, change: Change) -> str:
    said = change.message
    if isinstance(said, Text):
        said = said(tongue_of(opened) if tongue_of(opened) in ("vi", "en") else words.interface())
    kept = forms.in_words(entry, tongue_of(opened))
    return f"{words.sentence(said)} {KEPT(words.interface())} {kept}" if kept else words.sentence(said)


def _refuse(opened: Open, entry: Entry, values: list[str], why: str, complaint: str) -> Response:
    """The answer cannot stand. What was typed stays on the page and is kept in memory, so that no page loses it."""
    desk().typed[opened.draft["interview"]][entry.path] = (values, complaint)
    return _reply(opened, entry, "waiting" if why == "typing" else "refused")


def _reply(
    opened: Open,
    entry: Entry,
    verdict: str,
    *,
    change: Change | None = None,
    whole: bool = False,
    confirmed: bool = False,
) -> Response:
    """The pieces of the page that are no longer right after an answer to ``entry``."""
    interview, language = opened.draft["interview"], tongue_of(opened)
    place = place_of(opened, entry)
    here = opened.path.sections[place]
    before = desk().sheet(interview, here.path, language, words.interface())
    shown = _section(opened, place, before)
    after: Sheet = shown["sheet"]
    mine = question(opened, entry, language, desk().typed.get(interview, {}))
    mine.in_grid = after.questions[entry.path].in_grid
    mine.missing_columns = after.questions[entry.path].missing_columns
    if verdict == "waiting":
        mine.complaint, mine.unsaved = "", True
    if change is not None:
        mine.lost_sentence, mine.lost = lost_words(change.lost, language, opened.alone)
        mine.unsaved = True
    questions: list[Question] = []
    headings: list[Heading] = []
    steps = after.steps
    reshaped = before is None or before.shape != after.shape
    if before is not None and not reshaped:
        questions, headings = changed(before, after, answered=entry.path)
        steps = [now for old, now in zip(before.steps, after.steps, strict=True) if old != now]
    if whole:
        questions = [*(one for one in questions if one.path != mine.path), mine]
    page = render_template(
        "answer.html",
        section=shown,
        mine=mine,
        whole=whole,
        questions=questions,
        headings=headings,
        reshaped=reshaped,
        steps=steps,
        moved=verdict == "saved",
    )
    response = make_response(page)
    response.headers["X-Answer"] = verdict
    return response


@pages.post("/interviews/<interview>/times")
def times(interview: str) -> Response:
    """Notes the time that was spent at questions whose answer stayed as it was."""
    with desk().lock:
        opened = open_draft(interview)
        told = zip(request.form.getlist("question"), request.form.getlist("ms"), strict=False)
        known = opened.path.form.by_path
        seconds = {path: _seconds(ms) for path, ms in told if generic(path) in known}
        drafts.looked(store(), interview, seconds, now=desk().now())
    return make_response("", 204)


@pages.post("/interviews/<interview>/lease")
def take_lease(interview: str) -> Response:
    """This window writes from now on, and the other one no longer."""
    with desk().lock:
        open_draft(interview)
        token = drafts.lease(store(), interview)
    return make_response(render_template("lease.html", lease=token))


@pages.post("/interviews/<interview>/repeat")
def repeat(interview: str) -> Response:
    """Adds an instance of a repeat, or takes one away with its answers."""
    with desk().lock:
        opened = open_draft(interview)
        path = request.form.get("add") or request.form.get("remove") or ""
        try:
            change = opened.path.add(path) if "add" in request.form else opened.path.remove(path)
        except KeyError:
            abort(404)
        place = _section_of(opened, path)
        if change.ok:
            try:
                opened = _save(opened, change, {}, request.form.get("lease", ""))
            except NotAllowed:
                return stale(interview)
        shown = _section(opened, place)
    return make_response(render_template("answer.html", section=shown, reshaped=True, moved=True))


def _section_of(opened: Open, path: str) -> int:
    top = path.partition("/")[0].partition("[")[0]
    for number, one in enumerate(opened.path.sections):
        if one.path.partition("/")[0].partition("[")[0] == top:
            return number
    abort(404)
