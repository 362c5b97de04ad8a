"""Tập huấn: practice interviews, sets with a key, and how everybody did."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from survey.errors import InputError, SurveyError
from survey.fieldwork import practice as marking
from survey.fieldwork.practice import OUTCOMES, Score
from survey.questionnaire.model import MISSING, Questionnaire, Value, generic
from survey.store import drafts, frame, practice
from survey.sync import training
from survey.tables import read_table
from survey.text import fold, many
from survey.vocabulary import ENUMERATOR
from survey.web import practising, roles, words
from survey.web.bringing import attached, brought, sentences
from survey.web.desk import desk, store
from survey.web.naming import person_name
from survey.web.words import t

pages = Blueprint("practice", __name__)

LARGEST_FILE = 4 << 20
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pages.get("/practice")
def page() -> str:
    """What to practise and how it went; for those who train, also the sets."""
    return _page()


def _page(wrong: SurveyError | None = None) -> str:
    g.practising = True
    mine = frozenset(g.person["roles"])
    trains = roles.may("practice.make", mine) and store().role == "hub"
    known = [one for one in frame.rounds(store()) if not one.get("backcheck_of")]
    found = practice.sets(store())
    played = _played() if trains else []
    rounds = [
        {
            "id": str(one["id"]),
            "title": words.pick(one.get("title")) or str(one["id"]),
            "sets": [_set(each) for each in found if each["round"] == one["id"]],
            "played": [row for row in played if row["round"] == one["id"]],
        }
        for one in known
    ]
    return render_template(
        "practice.html",
        rounds=rounds,
        asks=roles.may("practice.start", mine),
        trains=trains,
        drafts=_open_drafts(),
        usual=marking.PASS,
        typed=request.form,
        complaints=sentences(wrong),
    )


def _set(each: dict[str, Any]) -> dict[str, Any]:
    own = practice.attempts(store(), each["round"], each["id"], g.person["id"])
    questionnaire = _questionnaire(str(each["questionnaire_hash"]))
    return {
        **each,
        "name": words.pick(each["title"]),
        "questions": len(each["key"]),
        "attempts": [_attempt(one, each) for one in reversed(own)],
        "misses": _misses(own[-1]["score"], questionnaire) if own else [],
        "url": url_for("practice.results", round=each["round"], set=each["id"]),
    }


def _attempt(one: dict[str, Any], each: dict[str, Any]) -> dict[str, Any]:
    score: Score = one["score"]
    return {
        "time": one["time"],
        "percent": score.percent,
        "right": score.right,
        "of": len(score.marks),
        "passed": training.is_passed(score, each),
        "others": score.others,
    }


def _misses(score: Score, questionnaire: Questionnaire | None) -> list[dict[str, str]]:
    """What was not right, in words."""
    say = words.interface()
    return [
        {
            "question": label(questionnaire, mark.path),
            "outcome": OUTCOMES[mark.outcome](say),
            "given": shown(questionnaire, mark.path, mark.given),
            "right": " / ".join(shown(questionnaire, mark.path, one) for one in mark.right)
            or t("không hỏi", "not asked"),
        }
        for mark in score.marks
        if mark.outcome != "right"
    ]


def _right(questionnaire: Questionnaire | None, path: str, answers: Sequence[Value]) -> str:
    return " / ".join(shown(questionnaire, path, one) for one in answers) or t("không hỏi", "not asked")


def _questionnaire(hash: str) -> Questionnaire | None:
    try:
        return desk().questionnaire(store(), hash)
    except InputError:
        return None


def label(questionnaire: Questionnaire | None, path: str) -> str:
    """A question in words, by its path; the path where it is not known."""
    node = questionnaire.by_path.get(generic(path)) if questionnaire else None
    text = words.pick(node.label) if node else ""
    place = "".join(re.findall(r"\[\d+\]", path))
    return f"{re.sub(r'[*_]', '', text) or path.rpartition('/')[2]} {place}".strip()


def shown(questionnaire: Questionnaire | None, path: str, value: Value | None) -> str:
    """An answer in words."""
    if isinstance(value, dict):
        kind = MISSING.get(str(value.get("missing")))
        return kind(words.interface()) if kind else str(value.get("missing"))
    if value in (None, "", []):
        return "–"
    node = questionnaire.by_path.get(generic(path)) if questionnaire else None
    listed = questionnaire.lists.get(node.list_name, ()) if questionnaire and node else ()
    called = {choice.name: words.pick(choice.label) or choice.name for choice in listed}
    return ", ".join(called.get(one, one) for one in ([value] if isinstance(value, str) else value or ()))


def _open_drafts() -> list[dict[str, Any]]:
    own = practising.practice_desk()
    if own is None:
        return []
    names = {(one["round"], one["id"]): words.pick(one["title"]) for one in practice.sets(store())}
    held = own.take()
    try:
        found = []
        for row in drafts.drafts(held):
            if row["actor"] == g.person["id"]:
                unit = frame.unit(held, row["unit"]) or {}
                name = names.get((unit.get("round"), unit.get("set")), t("tập tự do", "free practice"))
                found.append({**row, "name": name})
        return found
    finally:
        own.give_back(held)


def _played() -> list[dict[str, Any]]:
    own = practising.practice_desk()
    if own is None:
        return []
    held = own.take()
    try:
        return practice.played(held, g.person["id"])
    finally:
        own.give_back(held)


@pages.post("/practice/<round>/start")
def start(round: str) -> Response:
    """Begins a practice interview; everything of it stays in the practice store."""
    own = practising.practice_desk(make=True)
    assert own is not None
    held = own.take()
    try:
        name = t("người đóng vai", "a played respondent")
        chosen = request.form.get("set", practice.FREE)
        interview = practice.begin(store(), held, g.person, round, chosen, desk().now(), name=name)
        opened = own.open(held, interview)
        if defaults := dict(opened.path.initial):
            drafts.save(held, interview, defaults, now=desk().now())
    finally:
        own.give_back(held)
    return redirect(url_for("interview.resume", interview=interview))


@pages.post("/practice/<round>/set")
def make(round: str) -> Any:
    """A set: its title, what passes, and its key from a table or from a practice interview of the trainer."""
    request.max_content_length = LARGEST_FILE
    form = request.form
    title, least, set = form.get("title", ""), form.get("pass", "") or str(marking.PASS), form.get("set", "")
    try:
        if form.get("interview"):
            own = practising.practice_desk()
            if own is None:
                abort(404)
            held = own.take()
            try:
                made = training.set_from_interview(
                    store(), held, round, form["interview"], title, least, set=set, actor=g.person["id"]
                )
            finally:
                own.give_back(held)
        else:
            made = brought(
                "file",
                lambda file: training.set_from_table(
                    store(), round, read_table(file), title, least, set=set, actor=g.person["id"]
                ),
            )
    except SurveyError as wrong:
        return _page(wrong), 400
    count = len(made["key"])
    flash(
        t(
            f"Đã lưu bài tập huấn: {count} câu có đáp án. Ghi lại tệp đợt khảo sát (hoặc nộp qua mạng) để các máy "
            "nhận.",
            f"The practice set is kept: {many(count, 'question has', 'questions have')} a key. Write the round "
            "file again (or exchange over the network) for the laptops to get it.",
        ),
        "good",
    )
    return redirect(url_for("practice.results", round=round, set=made["id"]))


@pages.post("/practice/<round>/<set>/drop")
def drop(round: str, set: str) -> Response:
    """Takes a set away; attempts that were handed over stay where they are and are shown no more."""
    try:
        training.drop(store(), round, set, actor=g.person["id"])
    except SurveyError as wrong:
        flash(words.advice(wrong.problem), "look")
    else:
        flash(t("Đã bỏ bài tập huấn.", "The practice set is taken away."), "good")
    return redirect(url_for("practice.page"))


def _one(round: str, set: str) -> dict[str, Any]:
    found = next((one for one in practice.sets(store()) if (one["round"], one["id"]) == (round, set)), None)
    if found is None:
        abort(404)
    return found


@pages.get("/practice/<round>/<set>")
def results(round: str, set: str) -> str:
    """How everybody did at a set, and what was most often wrong."""
    g.practising = True
    each = _one(round, set)
    questionnaire = _questionnaire(str(each["questionnaire_hash"]))
    table = training.results(store(), each)
    done = {one.person for one in table}
    people = [one for one in frame.people(store()) if ENUMERATOR in one.get("roles", ()) and not one.get("disabled")]
    return render_template(
        "practice_results.html",
        each=each | {"name": words.pick(each["title"]), "questions": len(each["key"])},
        people=sorted(
            (
                {
                    "name": person_name(one.person),
                    "team": one.team,
                    "attempts": one.attempts,
                    "first": one.first,
                    "last": one.last.percent,
                    "counts": one.counts,
                    "passed": one.passed,
                    "time": one.time,
                    "misses": _misses(one.last, questionnaire),
                }
                for one in table
            ),
            key=lambda one: (one["last"], fold(str(one["name"]))),
        ),
        absent=sorted((person_name(str(one["id"])) for one in people if one["id"] not in done), key=fold),
        hardest=[
            {"question": label(questionnaire, one.path), "counts": one.counts, "wrong": one.wrong, "of": len(table)}
            for one in marking.hardest(one.last for one in table)
            if one.wrong
        ],
        key=[
            {
                "question": label(questionnaire, path),
                "right": _right(questionnaire, path, each["key"][path]["answers"]),
                "tolerance": each["key"][path].get("tolerance", "0"),
            }
            for path in each["key"]
        ],
        outcomes={name: text(words.interface()) for name, text in OUTCOMES.items()},
        xlsx=words.at_desk(),
    )


@pages.get("/practice/<round>/<set>/table")
def export(round: str, set: str) -> Response:
    """The result of everybody, a column a question, as a table for the office."""
    each = _one(round, set)
    questionnaire = _questionnaire(str(each["questionnaire_hash"]))
    table = training.table(store(), each, words.interface(), lambda path: label(questionnaire, path))
    if request.args.get("format") == "xlsx" and words.at_desk():
        return attached(training.as_xlsx(table), f"tap-huan-{set}.xlsx", _XLSX)
    return attached(training.as_csv(table), f"tap-huan-{set}.csv", "text/csv")
