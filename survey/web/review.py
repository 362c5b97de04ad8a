"""Duyệt: the queue by risk, what no rule flagged approved together, a supervisor's correction, a second approval."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from survey.errors import InputError, SurveyError
from survey.fieldwork.quality import CHECKS, INTERVIEW
from survey.fieldwork.reviewing import Rule, Waiting, kept_for_reading
from survey.store import board, current, drafts, frame, lists, progress, quality
from survey.store.commune import closed_communes
from survey.store.where import ONCE, Where
from survey.text import many
from survey.web import words
from survey.web.counting import up_to_date
from survey.web.desk import asked_round, desk, store
from survey.web.words import t

pages = Blueprint("review", __name__)

AT_ONCE = 500
"""Interviews approved by one press: about as long as a person waits."""

QUICK = 3_000
"""Up to so many interviews the checks of quality are run whenever something is new; beyond it a person asks for it."""


@pages.get("/review")
def page() -> Response:
    """The interview that most wants to be read."""
    for round in frame.rounds(store()):
        look(round)
    up_to_date()
    where = Where(state="sealed", closed=closed_communes(store(), g.person))
    for row in lists.interviews(store(), where, order="risk", limit=1).rows:
        return redirect(url_for("records.record", interview=row["interview"]))
    flash(t("Không còn phiếu nào chờ duyệt.", "No interview awaits review."), "good")
    return redirect(url_for("records.page"))


def look(round: dict[str, Any], *, however_many: bool = False) -> bool:
    """Runs the checks of quality where something is new since the last time, and puts what they found into the queue;
    whether they are up to date now."""
    up_to_date()
    name = str(round.get("id", ""))
    if board.is_looked_through(store(), name):
        return True
    done = sum(one.done for one in progress.groups(store(), Where(round=name), "province"))
    if done > QUICK and not however_many:
        return False
    try:
        told = quality.findings(store(), name, desk().now())
    except SurveyError as wrong:
        flash(words.sentence(wrong.problem.what(words.interface())), "look")
        return False
    signs = [
        board.Sign(one.subject, one.check, one.words, CHECKS[one.check].points)
        for one in told
        if one.subject_type == INTERVIEW
    ]
    board.note_signs(store(), name, signs)
    return True


@pages.post("/review/signs")
def signs() -> Response:
    """Runs the checks of quality over all rounds, however long it takes."""
    for round in frame.rounds(store()):
        look(round, however_many=True)
    flash(t("Đã tìm xong các dấu hiệu cần xem lại.", "The checks have been run."), "good")
    return redirect(url_for("records.page", state="flagged"))


# -- what no rule flagged -----------------------------------------------------------------------------------------


@pages.route("/review/bulk", methods=["GET", "POST"])
def bulk() -> Any:
    """Approves what no rule flagged in one round, but for the share that a person reads."""
    rounds = frame.rounds(store())
    round = asked_round(rounds)
    if round is None:
        flash(t("Máy này chưa có đợt khảo sát nào.", "There is no round on this machine."), "look")
        return redirect(url_for("records.page"))
    complete = look(round)
    up_to_date()
    rule, where = Rule.of(round), Where(round=str(round["id"]), closed=closed_communes(store(), g.person))
    counts = lists.states(store(), where)
    free, read = _sorted_out(where, rule, round)
    if request.method == "POST":
        return _approve(free, rule, str(round["id"]))
    return render_template(
        "bulk.html",
        rounds=rounds,
        round=round,
        complete=complete,
        waiting=counts.get("sealed", 0),
        flagged=counts.get("flagged", 0),
        free=len(free),
        read=len(read),
        at_once=AT_ONCE,
        share=words.decimal(rule.share * 100, 0),
        flagged_url=url_for("records.page", round=round["id"], state="flagged"),
    )


def _seed(round: dict[str, Any]) -> str:
    return f"{(round.get('draw') or {}).get('seed', '')}/{round['id']}/read"


def _sorted_out(where: Where, rule: Rule, round: dict[str, Any]) -> tuple[list[str], set[str]]:
    """The interviews that may be approved unread, and those that are kept for reading."""
    first = lists.firsts(store(), where)
    unflagged = [
        Waiting(interview, person, first.get(person) == interview)
        for interview, person in lists.unflagged(store(), where)
    ]
    read = kept_for_reading(unflagged, rule.share, _seed(round))
    return [one.interview for one in unflagged if one.interview not in read], read


def _approve(free: list[str], rule: Rule, round: str) -> Response:
    reason = t(
        f"Duyệt hàng loạt: không dấu hiệu nào; {words.decimal(rule.share * 100, 0)} % để đọc",
        f"Approved together: no sign; {words.decimal(rule.share * 100, 0)} % kept for reading",
    )
    done = 0
    with store().transaction():
        for interview in free[:AT_ONCE]:
            try:
                current.decide(store(), interview, "approved", "", reason, g.person["id"], now=desk().now())
            except InputError:
                continue  # another hub's content has just come: it waits for a person
            done += 1
    left = len(free) - done
    flash(
        t(f"Đã duyệt {done} phiếu.", f"{many(done, 'interview is', 'interviews are')} approved.")
        + (t(f" Còn {left} phiếu: bấm lần nữa.", f" {left} are left: press again.") if left else ""),
        "good",
    )
    return redirect(url_for("review.bulk", round=round))


# -- one interview ------------------------------------------------------------------------------------------------


@pages.post("/interviews/<interview>/correct")
def correct(interview: str) -> Response:
    """Opens a finished interview as a draft on this machine, for the supervisor to correct it. The reason is asked for
    before it is sealed again."""
    rows = current.interviews(store(), interview=interview)
    if not rows or rows[0]["state"] not in ("sealed", "approved", "returned") or rows[0]["draft"]:
        abort(404)
    with desk().lock:
        desk().questionnaire(store(), rows[0]["questionnaire_hash"])
        drafts.take_over(store(), interview, g.person["id"], now=desk().now())
    question = request.form.get("question", "")
    return redirect(url_for("interview.resume", interview=interview, at=question or None))


@pages.post("/interviews/<interview>/confirm")
def confirm(interview: str) -> Response:
    """The second approval, where the round asks for one."""
    head = request.form.get("head", "")
    try:
        current.decide(store(), interview, "approved", head, "", g.person["id"], second=True, now=desk().now())
    except InputError as wrong:
        flash(words.advice(wrong.problem), "look")
        return redirect(url_for("records.record", interview=interview))
    flash(t("Đã duyệt lần hai.", "The second approval is saved."), "good")
    up_to_date()
    where = Where(state=ONCE, closed=closed_communes(store(), g.person))
    for row in lists.interviews(store(), where, limit=1).rows:
        return redirect(url_for("records.record", interview=row["interview"]))
    return redirect(url_for("records.record", interview=interview))


def queue(interview: str) -> list[dict[str, Any]]:
    """The interviews around this one in the queue, those that most want to be read first."""
    where = Where(state="sealed", closed=closed_communes(store(), g.person))
    before = lists.interviews(store(), where, order="risk", before=interview, limit=4).rows
    after = lists.interviews(store(), where, order="risk", after=interview, limit=10).rows
    here = lists.one(store(), interview)
    return [*before, *([here] if here else []), *after]
