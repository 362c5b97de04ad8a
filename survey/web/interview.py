"""The interview: one section a page, every answer saved as it is given, then the review page and the seal."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, flash, g, make_response, redirect, render_template, request, url_for

from survey.errors import NotAllowed, SurveyError
from survey.fieldwork.dispositions import DISPOSITIONS
from survey.questionnaire import consent, endings
from survey.questionnaire.model import ATTACHED_TYPES, Value
from survey.questionnaire.path import Change, Entry
from survey.store import consent as consents
from survey.store import drafts, feed, files, keying, personal, remarks
from survey.store.header import CONTENT_KINDS
from survey.sync.backup import back_up
from survey.text import Text
from survey.web import forms, roles, uploads, words
from survey.web.desk import Open, desk, store
from survey.web.sections import (
    SECTION_STATES,
    SIGNS,
    Heading,
    Question,
    Sheet,
    changed,
    counted,
    key,
    lost_words,
    question,
    sheet,
)
from survey.web.today import record_visit
from survey.web.words import t

pages = Blueprint("interview", __name__)

UNFINISHED = ["1.2", "2.12", "2.32", "2.332", "2.36"]
"""How an interview with open questions may end: enough to be used, broken off, or the person cannot go on."""

KEPT = Text("Câu trả lời trước vẫn được giữ:", "The answer before is kept:")


# -- opening -----------------------------------------------------------------------------------------------------


def open_draft(interview: str) -> Open:
    """The draft, when it is this person's to work on. Sets what the line on top says."""
    opened = desk().open(store(), interview)
    if keying.of_interview(store(), interview):
        abort(404)  # keyed from paper, on a page of its own; of two people neither sees what the other keyed
    mine = g.person["id"] in (opened.draft["actor"], opened.unit.get("assignee"))
    if not mine and roles.SUPERVISOR not in g.person["roles"]:
        abort(404)
    g.unit = opened.unit
    languages = opened.questionnaire.languages
    if languages:
        known = {code: (code.upper(), name) for code, name in languages.items()}
        g.tongues = {code: words.TONGUES.get(code, known[code]) for code in sorted(known, key=_usual_first)}
    return opened


def _usual_first(code: str) -> tuple[bool, int]:
    usual = list(words.TONGUES)
    return (code not in usual, usual.index(code) if code in usual else 0)


def tongue_of(opened: Open) -> str:
    chosen = words.tongue()
    languages = opened.questionnaire.languages
    return chosen if chosen in languages or not languages else next(iter(languages))


@pages.get("/interviews/<interview>/continue")
def resume(interview: str) -> Any:
    """The section where the interview stopped: the first one with a question still open."""
    opened = open_draft(interview)
    places = opened.path.sections
    for number, section in enumerate(places):
        if section.state == "todo":
            return redirect(url_for("interview.section", interview=interview, number=number + 1))
    return redirect(url_for("interview.finish", interview=interview))


@pages.get("/interviews/<interview>/<int:number>")
def section(interview: str, number: int) -> str:
    """One section as a page, opened for writing: pages opened before can no longer write. To the script of an open
    page only the pieces are sent that make it this section's."""
    with desk().lock:
        opened = open_draft(interview)
        places = opened.path.sections
        if not 1 <= number <= len(places):
            abort(404)
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
    rail = _rail(opened, place, language)
    answered, total = counted(opened, here)
    return {
        **rail,
        "ready": built.is_through and not rail["next_is_end"],
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


def rail_of(opened: Open, entry: Entry) -> dict[str, Any]:
    """The list of sections as it stands at the page of ``entry``."""
    return _rail(opened, _place(opened, entry), tongue_of(opened))


def _rail(opened: Open, place: int | None, language: str) -> dict[str, Any]:
    """The list of sections with their states, and where back and on lead from ``place`` (None: the review page)."""
    interview = opened.draft["interview"]
    rail = []
    for number, one in enumerate(opened.path.sections):
        here = number == place
        answered, total = counted(opened, one)
        rail.append(
            {
                "title": one.label(language) or t("Câu hỏi", "Questions"),
                "url": url_for("interview.section", interview=interview, number=number + 1),
                "here": here,
                "open": one.state != "not_asked" or here,
                "sign": SIGNS["here" if here else one.state],
                "flags": sum(entry.path in opened.flags and entry.asked for entry in one.entries),
                "state": SECTION_STATES[one.state](words.interface()),
                "count": f"{answered}/{total}" if total else "",
            }
        )
    end = {"title": t("Hoàn thành phiếu", "Finish"), "url": url_for("interview.finish", interview=interview)}
    onward, back = rail[place + 1 :] if place is not None else [], rail[: place or 0]
    return {
        "rail": rail,
        "language": language,
        "next": next((one for one in onward if one["open"]), end),
        "next_is_end": not any(one["open"] for one in onward),
        "previous": next((one for one in reversed(back) if one["open"]), None),
        "finish_url": end["url"],
        "finishing": place is None,
    }


# -- one answer --------------------------------------------------------------------------------------------------


@pages.post("/interviews/<interview>/answer")
def answer(interview: str) -> Response:
    """Takes one answer: understood, checked, on disk, and the pieces of the page that changed sent back.

    ``X-Answer`` says how it went: ``saved``, ``waiting`` (still being typed), ``refused``, ``ask`` (other answers
    would leave the path, which a person has to confirm) or ``stale`` (another window has the interview). ``X-Full``
    says that nothing more can be typed behind a number.
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
        except (forms.NotUnderstood, uploads.NotTaken) as wrong:
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
            after = _save(opened, change, {entry.path: _seconds()})
        except NotAllowed:
            return stale(interview)
        given = after.path.entry(entry.path)
        reply = _reply(after, given, "saved", confirmed=why == "confirm", whole=entry.node.type in ATTACHED_TYPES)
        if why == "typing" and endings.is_full(after.path, given):
            reply.headers["X-Full"] = "yes"
        return reply


def _uploaded(opened: Open, entry: Entry) -> Value:
    """Keeps the file that was sent, on disk, and gives the answer that stands for it."""
    with closing(request.files["file"]) as file:
        content = file.read(uploads.LARGEST_REQUEST)
    sort = uploads.check(content, entry.node.type)
    files.put(store(), opened.draft["interview"], content)
    return files.name_of(content, sort.ending)


def _seconds() -> float:
    try:
        return min(max(float(request.form.get("ms", "0")) / 1000, 0.0), 86_400.0)
    except ValueError:
        return 0.0


def _save(opened: Open, change: Change, seconds: dict[str, float]) -> Open:
    """Writes what a change stores; when this returns it is on disk. NotAllowed when another window has the draft."""
    interview = opened.draft["interview"]
    token = request.form.get("lease", "")
    drafts.save(store(), interview, change.save, seconds, token=token, now=desk().now())
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
    place = _place(opened, entry)
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
    reshaped = before is None or before.shape != after.shape
    if before is not None and not reshaped:
        questions, headings = changed(before, after, answered=entry.path)
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
        moved=verdict == "saved",
    )
    response = make_response(page)
    response.headers["X-Answer"] = verdict
    return response


def _place(opened: Open, entry: Entry) -> int:
    path = entry.section.path
    return next(number for number, one in enumerate(opened.path.sections) if one.path == path)


def stale(interview: str) -> Response:
    response = make_response(render_template("stale.html", interview=interview), 409)
    response.headers["X-Answer"] = "stale"
    return response


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
                opened = _save(opened, change, {})
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


# -- the end -----------------------------------------------------------------------------------------------------


def _refused_consent(opened: Open) -> bool:
    return any(
        entry.node.name == consent.QUESTION and entry.relevant and entry.value == consent.REFUSED
        for entry in opened.path.entries
    )


@pages.route("/interviews/<interview>/finish", methods=["GET", "POST"])
def finish(interview: str) -> Any:
    """What is still open, each with a link; then the seal."""
    complaint = ""
    with desk().lock:
        opened = open_draft(interview)
        problems = opened.path.problems()
        explained = opened.alone.union(opened.reasons)
        doubts = [entry for entry in opened.path.doubts() if entry.path not in explained]
        offered = UNFINISHED if problems else ["1.1", "4.70"]
        chosen = request.form.get("disposition") or ("" if problems else _usual(opened))
        if request.method == "POST" and not _refused_consent(opened):
            if doubts:
                complaint = t(
                    "Còn câu trả lời ít gặp chưa giải thích: đổi câu trả lời, hoặc giữ nguyên và ghi lý do.",
                    "Unusual answers are not explained yet: change them, or keep them and give the reason.",
                )
            elif chosen not in offered:
                complaint = t("Chọn một lý do.", "Choose one reason.")
            else:
                return _seal(opened, chosen)
        token = drafts.lease(store(), interview)
    language = tongue_of(opened)
    page = render_template(
        "finish.html",
        section=_rail(opened, None, language),
        interview=interview,
        lease=token,
        refused=_refused_consent(opened),
        open=[_open_question(opened, entry, message, language) for entry, _, message in problems],
        doubts=[_open_question(opened, entry, entry.doubt(language), language) for entry in doubts],
        flags=[
            _open_question(opened, entry, "", language)
            for entry in opened.path.entries
            if entry.path in opened.flags and entry.asked and entry.path not in opened.alone
        ],
        again=request.args.get("again", ""),
        answered=sum(one.answered for one in opened.path.sections),
        results=[DISPOSITIONS[code] for code in offered],
        chosen=chosen,
        complaint=complaint,
        code=personal.code_of(interview),
        back=url_for("interview.resume", interview=interview),
    )
    return page, 400 if complaint else 200


@pages.post("/interviews/<interview>/postpone")
def postpone(interview: str) -> Any:
    """Stops here and goes on another day: the visit says so with its appointment, and the draft waits."""
    with desk().lock:
        opened = open_draft(interview)
        try:
            again = forms.read_moment(request.form.get("again", ""))
        except forms.NotUnderstood as wrong:
            flash(wrong.reason(words.interface()), "look")
            return redirect(url_for("interview.finish", interview=interview, again=request.form.get("again", "")))
        record_visit(opened.unit, DISPOSITIONS["0.2"], again=again, interview=interview)
    flash(
        t("Phiếu được giữ nguyên, làm tiếp lúc nào cũng được.", "The interview is kept as it is; go on at any time."),
        "good",
    )
    return redirect(url_for("today.page"))


def _usual(opened: Open) -> str:
    """Finished, unless nothing beyond the first section was to be asked: then the person is not eligible."""
    places = opened.path.sections
    return "4.70" if len(places) > 1 and all(one.state == "not_asked" for one in places[1:]) else "1.1"


def _open_question(opened: Open, entry: Entry, message: Text | str, language: str) -> dict[str, str]:
    place = _place(opened, entry)
    address = url_for("interview.section", interview=opened.draft["interview"], number=place + 1)
    said = message(language) if isinstance(message, Text) else message
    return {
        "url": f"{address}?at={key(entry.path)}",
        "label": entry.label(language),
        "section": opened.path.sections[place].label(language),
        "complaint": said,
    }


def _seal(opened: Open, code: str) -> Any:
    """The draft becomes a signed revision, and the visit is recorded, in one transaction."""
    interview, now = opened.draft["interview"], desk().now()
    first = not any(_kind(parent) not in ("", "partial") for parent in opened.draft["parents"])
    said = consent.record(opened.path, tongue_of(opened))
    try:
        with store().transaction():
            drafts.seal(
                store(),
                interview,
                *opened.path.sealed,
                {
                    "language": tongue_of(opened),
                    "disposition": code,
                    "ended": now.isoformat(timespec="seconds"),
                    **consents.given(store(), interview, said, consents.SPOKEN),
                },
                g.person["id"],
                kind="sealed" if first else "corrected",
                token=request.form.get("lease", ""),
                now=now,
            )
            if first:
                record_visit(opened.unit, DISPOSITIONS[code], interview=interview)
    except NotAllowed as stale:
        flash(words.sentence(stale.problem.what(words.interface())), "look")
        return redirect(url_for("interview.finish", interview=interview))
    desk().forget(interview)
    flash(t("Phiếu đã hoàn thành và được khóa lại.", "The interview is finished and sealed."), "good")
    _second_copy()
    return redirect(url_for("today.page"))


def _second_copy() -> None:
    """Copies what is new to the place for backups, if one is set. What goes wrong with it is told and stops nothing."""
    place = desk().settings.backup
    if not place:
        return
    try:
        back_up(store(), Path(place), now=desk().now())
    except SurveyError as wrong:
        said = wrong.problem
        flash(
            t("Chưa sao lưu được: ", "No second copy was made: ")
            + f"{said.what(words.interface())}. {words.sentence(said.todo(words.interface()))}",
            "look",
        )


def _kind(revision: str) -> str:
    header = feed.header(store(), revision)
    return header.kind if header is not None and header.kind in CONTENT_KINDS else ""


@pages.post("/interviews/<interview>/refused")
def refused(interview: str) -> Any:
    """Consent was refused: the visit says so, and the draft is thrown away with every answer in it."""
    with desk().lock:
        opened = open_draft(interview)
        if not _refused_consent(opened):
            abort(404)
        try:
            with store().transaction():
                drafts.discard(store(), interview, token=request.form.get("lease", ""))
                record_visit(opened.unit, DISPOSITIONS["2.112"])
        except SurveyError as stale:
            flash(words.sentence(stale.problem.what(words.interface())), "look")
            return redirect(url_for("interview.finish", interview=interview))
        desk().forget(interview)
    flash(
        t("Đã ghi nhận từ chối. Không câu trả lời nào được giữ.", "The refusal is recorded. No answer is kept."), "good"
    )
    return redirect(url_for("today.page"))
