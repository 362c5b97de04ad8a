"""The end of an interview: what is still open, then the seal; or it stops here until another day; or consent was
refused, and nothing is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for

from survey.errors import NotAllowed, NotUnderstood, SurveyError
from survey.fieldwork.dispositions import DISPOSITIONS
from survey.questionnaire import consent
from survey.questionnaire.path import Entry
from survey.store import consent as consents
from survey.store import drafts, feed, personal
from survey.store.header import CONTENT_KINDS
from survey.sync.backup import back_up
from survey.text import Text
from survey.web import forms, practising, roles, words
from survey.web.desk import Open, desk, store
from survey.web.draft import open_draft, tongue_of
from survey.web.questions import key
from survey.web.rail import place_of, rail
from survey.web.today import record_visit
from survey.web.words import t

pages = Blueprint("finishing", __name__)

UNFINISHED = ["1.2", "2.12", "2.32", "2.332", "2.36"]
"""How an interview with open questions may end: enough to be used, broken off, or the person cannot go on."""


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
        reason = request.form.get("reason", "").strip()
        if request.method == "POST" and not _refused_consent(opened):
            if doubts:
                complaint = t(
                    "Còn câu trả lời ít gặp chưa giải thích: đổi câu trả lời, hoặc giữ nguyên và ghi lý do.",
                    "Unusual answers are not explained yet: change them, or keep them and give the reason.",
                )
            elif chosen not in offered:
                complaint = t("Chọn một lý do.", "Choose one reason.")
            elif _explains(opened) and not reason:
                complaint = t("Ghi lý do sửa phiếu.", "Say why the interview is corrected.")
            else:
                return _seal(opened, chosen, reason)
        token = drafts.lease(store(), interview)
    language = tongue_of(opened)
    page = render_template(
        "finish.html",
        section=rail(opened, None, language),
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
        explains=_explains(opened),
        reason=reason,
        abandonable=_abandonable(opened),
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
        except NotUnderstood as wrong:
            flash(wrong.reason(words.interface()), "look")
            return redirect(url_for("finishing.finish", interview=interview, again=request.form.get("again", "")))
        record_visit(opened.unit, DISPOSITIONS["0.2"], again=again, interview=interview)
    flash(
        t("Phiếu được giữ nguyên, làm tiếp lúc nào cũng được.", "The interview is kept as it is; go on at any time."),
        "good",
    )
    return redirect(practising.home())


def _explains(opened: Open) -> bool:
    """Whether the person corrects what somebody else has sealed, as a supervisor: then the reason is asked for."""
    return _is_correction(opened) and roles.SUPERVISOR in g.person["roles"] and store().role == "hub"


def _is_correction(opened: Open) -> bool:
    return any(_kind(parent) not in ("", "partial") for parent in opened.draft["parents"])


def _abandonable(opened: Open) -> bool:
    """Whether the draft can be dropped without a trace: the interview stands sealed, and nothing of the draft has been
    handed over yet."""
    kinds = {_kind(parent) for parent in opened.draft["parents"]}
    return bool(kinds) and not kinds & {"", "partial"}


@pages.post("/interviews/<interview>/abandon")
def abandon(interview: str) -> Any:
    """Drops the correction of a sealed interview, which stays as it was sealed."""
    with desk().lock:
        opened = open_draft(interview)
        if not _abandonable(opened):
            abort(404)
        try:
            drafts.discard(store(), interview, token=request.form.get("lease", ""))
        except SurveyError as stale:
            flash(words.sentence(stale.problem.what(words.interface())), "look")
            return redirect(url_for("finishing.finish", interview=interview))
        desk().forget(interview)
    flash(t("Đã bỏ bản sửa. Phiếu giữ nguyên như trước.", "The correction is dropped; the interview stays."), "good")
    if roles.may("records.record", frozenset(g.person["roles"])):
        return redirect(url_for("records.record", interview=interview))
    return redirect(practising.home())


def _usual(opened: Open) -> str:
    """Finished, unless nothing beyond the first section was to be asked: then the person is not eligible."""
    places = opened.path.sections
    return "4.70" if len(places) > 1 and all(one.state == "not_asked" for one in places[1:]) else "1.1"


def _open_question(opened: Open, entry: Entry, message: Text | str, language: str) -> dict[str, str]:
    place = place_of(opened, entry)
    address = url_for("interview.section", interview=opened.draft["interview"], number=place + 1)
    said = message(language) if isinstance(message, Text) else message
    return {
        "url": f"{address}?at={key(entry.path)}",
        "label": entry.label(language),
        "section": opened.path.sections[place].label(language),
        "complaint": said,
    }


def _seal(opened: Open, code: str, reason: str = "") -> Any:
    """The draft becomes a signed revision, and the visit is recorded, in one transaction."""
    interview, now = opened.draft["interview"], desk().now()
    first, explained = not _is_correction(opened), _explains(opened)
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
                reason=reason if explained else "",
                token=request.form.get("lease", ""),
                now=now,
            )
            if first:
                record_visit(opened.unit, DISPOSITIONS[code], interview=interview)
    except NotAllowed as stale:
        flash(words.sentence(stale.problem.what(words.interface())), "look")
        return redirect(url_for("finishing.finish", interview=interview))
    desk().forget(interview)
    if practising.is_on():
        practising.finished(opened)
        flash(t("Xong phiếu tập huấn.", "The practice interview is finished."), "good")
        return redirect(practising.home())
    flash(t("Phiếu đã hoàn thành và được khóa lại.", "The interview is finished and sealed."), "good")
    _second_copy()
    if explained:
        return redirect(url_for("records.record", interview=interview))
    return redirect(practising.home())


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
            return redirect(url_for("finishing.finish", interview=interview))
        desk().forget(interview)
    flash(
        t("Đã ghi nhận từ chối. Không câu trả lời nào được giữ.", "The refusal is recorded. No answer is kept."), "good"
    )
    return redirect(practising.home())
