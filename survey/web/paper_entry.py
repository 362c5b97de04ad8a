"""Keying a form from paper: one page, a box a question, every key on disk; nothing that the paper says is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, flash, g, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from survey.errors import NotAllowed, NotUnderstood
from survey.paper.fields import Field, fields, read, words, written
from survey.paper.layout import INSTANCES
from survey.paper.states import STATES, Form
from survey.paper.validity import FLAGS, Rule, Verdict, flags, judge, keyed_twice, rule_of, sealed, whole
from survey.questionnaire import consent
from survey.questionnaire.model import MISSING, Answers, Value, generic
from survey.questionnaire.path import Context, Entry, Path, open_path
from survey.store import consent as consents
from survey.store import current, drafts, frame, keying, paper
from survey.web import words as said
from survey.web.desk import desk, frame_columns, store
from survey.web.naming import called, full_place
from survey.web.paper import back_to, my_units
from survey.web.questions import key
from survey.web.words import t

pages = Blueprint("paper_entry", __name__)


@dataclass
class Keyed:
    """A form being keyed by this person: which entry, its answers so far, and the path that follows from them."""

    form: Form
    row: dict[str, Any]
    entry: int
    unit: dict[str, Any]
    answers: Answers
    path: Path
    boxes: dict[str, Field]
    rule: Rule

    def questions(self) -> list[Entry]:
        """The questions in the order of the paper; those of the contact sheet at the end."""
        found = [e for e in self.path.entries if e.kind == "question" and generic(e.path) in self.boxes]
        found = [entry for entry in found if "[]" not in entry.path]
        return sorted(found, key=lambda entry: entry.node.contact)

    def raw(self, path: str) -> str:
        """What stands in a box."""
        return written(self.boxes[generic(path)], self.answers.get(path))


# -- opening -----------------------------------------------------------------------------------------------------


def form_of(form: str) -> Form:
    """The form, when it is this person's to key; 404 otherwise."""
    found = paper.by_id(store(), form)
    if found is None or found.unit not in {unit["id"] for unit in my_units()}:
        abort(404)
    return found


def start(form: Form) -> Response:
    """Opens the form for whichever entry is next."""
    round_ = frame.round_document(store(), form.round)
    me, now = g.person["id"], desk().now()
    row = keying.begin(store(), form, str(round_["questionnaire_hash"]), me, now)
    if row["second_done"]:
        return redirect(url_for("paper_double.page", form=form.id))
    if row["first_done"]:
        keying.take_second(store(), form.id, me)
    elif row["first"] != me:
        raise NotAllowed(
            form.serial,
            said.Text("người khác đang nhập phiếu này", "another person is keying this form"),
            said.Text("nhập phiếu khác", "key another form"),
        )
    opened = _open(form, row, 2 if row["first_done"] else 1)
    _make_room(opened)
    return redirect(url_for("paper_entry.page", form=form.id))


def _make_room(opened: Keyed) -> None:
    """As many instances of each repeat as the paper has room for."""
    way, changes = opened.path, dict(opened.path.initial)
    for repeat in way.repeats:
        for _ in range(INSTANCES - len(repeat.instances)):
            if "[" in repeat.path or repeat.counted:
                continue
            change = way.add(repeat.path)
            way = change.path
            changes.update({p: v for p, v in change.save.items() if v is not None})
    if changes:
        _save(opened, changes)


def mine(form: str) -> Keyed:
    """The entry that this person has open. 404 when there is none: the other entry is nobody's business."""
    found = form_of(form)
    row = keying.of_form(store(), form)
    if row is None:
        abort(404)
    me = g.person["id"]
    if not row["first_done"] and row["first"] == me:
        return _open(found, row, 1)
    if row["first_done"] and not row["second_done"] and row["second"] == me:
        return _open(found, row, 2)
    abort(404)


def _open(form: Form, row: dict[str, Any], entry: int) -> Keyed:
    interview = row["interview"]
    answers = drafts.answers(store(), interview) if entry == 1 else keying.second_answers(store(), form.id)
    return laid(form, row, entry, answers)


def laid(form: Form, row: dict[str, Any], entry: int, answers: Answers) -> Keyed:
    """The form with these answers."""
    draft = drafts.draft(store(), row["interview"])
    assert draft is not None
    unit = frame.unit(store(), form.unit) or {"id": form.unit}
    # The time of the first entry: instances of repeats then have the same ids in both entries.
    context = Context(
        frame=frame_columns(unit),
        now=datetime.fromisoformat(draft["started"]),
        username=str(draft["actor"]),
        deviceid=store().device,
        interview=row["interview"],
    )
    path = open_path(desk().questionnaire(store(), draft["questionnaire_hash"]), answers, context)
    rule = rule_of(frame.round_document(store(), form.round))
    return Keyed(form, row, entry, unit, answers, path, fields(path.questionnaire), rule)


def _save(opened: Keyed, changes: Mapping[str, Value | None]) -> None:
    if opened.entry == 1:
        drafts.save(store(), opened.row["interview"], changes, now=desk().now())
    else:
        keying.save_second(store(), opened.form.id, changes)


# -- the page ----------------------------------------------------------------------------------------------------


@pages.get("/paper/key/<form>")
def page(form: str) -> str:
    """All questions of the form, many on a screen."""
    opened = mine(form)
    g.unit = opened.unit
    language = said.tongue()
    flagged = flags(opened.path, opened.answers)
    sections: list[dict[str, Any]] = []
    for entry in opened.questions():
        title = (
            t("Phiếu liên hệ (tờ rời)", "Contact sheet (a sheet of its own)")
            if entry.node.contact
            else entry.section.label(language) or t("Câu hỏi", "Questions")
        )
        if not sections or sections[-1]["title"] != title:
            sections.append({"title": title, "rows": []})
        sections[-1]["rows"].append(_row(opened, entry, language, flagged))
    return render_template(
        "paper_key.html",
        form=opened.form,
        entry=opened.entry,
        name=called(opened.unit, frame.contact(store(), "unit", opened.form.unit)),
        place=full_place(opened.unit),
        sections=sections,
        count=_count(opened),
    )


def _row(opened: Keyed, entry: Entry, language: str, flagged: Mapping[str, str]) -> dict[str, Any]:
    box, value = opened.boxes[generic(entry.path)], opened.answers.get(entry.path)
    instance = entry.element.parent
    while instance is not None and not instance.of.is_repeat:
        instance = instance.parent
    position = opened.path.state.position.get(instance, 0) if instance is not None else 0
    return {
        "path": entry.path,
        "key": key(entry.path),
        "number": box.number + (f" · {position}" if position else ""),
        "label": entry.label(language) or entry.node.name,
        "value": opened.raw(entry.path),
        "at_once": box.at_once,
        "codes": " ".join([*box.codes, *box.missing]) if box.at_once else "",
        "figures": box.kind in ("integer", "decimal"),
        "wide": box.kind in ("text", "list"),
        "legend": _legend(box, language),
        "words": words(box, value, language),
        "flag": FLAGS[flagged[entry.path]](said.interface()) if _told(flagged, entry.path, value) else "",
        "off": not entry.relevant,
    }


def _told(flagged: Mapping[str, str], path: str, value: Value | None) -> bool:
    """A box that nobody has come to yet is not called blank."""
    return path in flagged and not (value is None and flagged[path] == "required")


def _legend(box: Field, language: str) -> str:
    codes = [
        f"{code} {box.labels.get(name, {}).get(language) or next(iter(box.labels.get(name, {}).values()), '')}".strip()
        for code, name in box.codes.items()
        if box.kind != "list"
    ]
    if box.kind == "rank":
        codes = [t("thứ hạng của từng ý:", "the rank of each item:"), *(code.partition(" ")[2] for code in codes)]
    return " · ".join([*codes, *(f"{sign} {MISSING[kind](said.interface())}" for sign, kind in box.missing.items())])


def _count(opened: Keyed) -> str:
    asked = [e for e in opened.questions() if e.relevant]
    done = sum(entry.path in opened.answers for entry in asked)
    return t(f"{done} / {len(asked)} câu đã nhập", f"{done} of {len(asked)} keyed")


@pages.post("/paper/key/<form>/answer")
def answer(form: str) -> Any:
    """Takes what was keyed in one box: on disk when this returns, and how the boxes then stand."""
    with desk().lock:
        opened = mine(form)
        before = [entry.path for entry in opened.questions()]
        path = request.form.get("question", "")
        if path not in before:
            abort(404)
        box = opened.boxes[generic(path)]
        try:
            value = read(box, request.form.get("value", ""))
        except NotUnderstood as wrong:
            return jsonify(saved=False, complaint=wrong.reason(said.interface()))
        _save(opened, {path: value})
        after = mine(form)
        orders = {p: v for p, v in after.path.answers.items() if after.path.form.by_path[generic(p)].is_repeat}
        if any(after.answers.get(p) != v for p, v in orders.items()):
            _save(after, dict(orders))
    language = said.tongue()
    flagged = flags(after.path, after.answers)
    rows = {
        key(entry.path): {
            "off": not entry.relevant,
            "flag": FLAGS[flagged[entry.path]](said.interface())
            if _told(flagged, entry.path, after.answers.get(entry.path))
            else "",
        }
        for entry in after.questions()
    }
    return jsonify(
        saved=True,
        value=after.raw(path),
        words=words(box, value, language),
        rows=rows,
        count=_count(after),
        reshaped=before != [entry.path for entry in after.questions()],
    )


# -- the end -----------------------------------------------------------------------------------------------------


@pages.route("/paper/key/<form>/finish", methods=["GET", "POST"])
def finish(form: str) -> Any:
    """What is blank, what is odd, whether the form is valid; then it is sealed, or waits for the second entry."""
    with desk().lock:
        opened = mine(form)
        full = laid(opened.form, opened.row, opened.entry, whole(opened.path, opened.answers))
        verdict = judge(full.path, opened.rule)
        twice = keyed_twice(opened.rule, form) and not verdict.refused
        if request.method == "POST":
            if opened.entry == 2:
                return _second_done(opened, full)
            if twice:
                return _first_done(opened, full)
            return seal(full, verdict)
    language = said.tongue()
    flagged = flags(full.path, full.answers)
    entries = {entry.path: entry for entry in full.path.entries}
    return render_template(
        "paper_finish.html",
        form=opened.form,
        entry=opened.entry,
        verdict=verdict,
        twice=twice or opened.entry == 2,
        blank=sum(path not in opened.answers for path in full.answers),
        flagged=[
            {
                "url": url_for("paper_entry.page", form=form, _anchor=f"k-{key(path)}"),
                "number": full.boxes[generic(path)].number,
                "label": entries[path].label(language),
                "words": FLAGS[flag](said.interface()),
            }
            for path, flag in flagged.items()
            if flag != "required" and generic(path) in full.boxes
        ],
    )


def _first_done(opened: Keyed, full: Keyed) -> Response:
    with store().transaction():
        _save(opened, dict(full.answers))
        keying.finish(store(), opened.form.id, 1, desk().now())
    flash(
        t(
            f"Phiếu {opened.form.serial} đã nhập lần một; người khác nhập lần hai rồi mới khóa.",
            f"Form {opened.form.serial} is keyed once; another person keys it again before it is sealed.",
        ),
        "good",
    )
    return back_to(opened.form)


def _second_done(opened: Keyed, full: Keyed) -> Response:
    with store().transaction():
        _save(opened, dict(full.answers))
        keying.finish(store(), opened.form.id, 2, desk().now())
    return redirect(url_for("paper_double.page", form=opened.form.id))


def seal(full: Keyed, verdict: Verdict, twice: Mapping[str, Any] | None = None) -> Response:
    """The form becomes a sealed interview, kept and not scored where it is not valid, and its state says so. Where
    consent was refused only the form's own record remains."""
    form, interview, now, me = full.form, full.row["interview"], desk().now(), g.person["id"]
    state = "keyed" if verdict.valid else "invalid"
    with store().transaction():
        if verdict.refused:
            drafts.discard(store(), interview)
        else:
            told = {
                "mode": "paper",
                "form": form.serial,
                "keyed": {
                    "first": full.row["first"],
                    "second": full.row["second"],
                    "time": now.isoformat(timespec="seconds"),
                },
                "flags": flags(full.path, full.answers),
                "disposition": "1.1" if verdict.valid else "2.12",
                **({"double": dict(twice)} if twice else {}),
                **consents.given(store(), interview, consent.record(full.path, said.tongue()), consents.PAPER),
            }
            first = not current.interviews(store(), interview=interview)[0]["heads"]
            head = drafts.seal(
                store(),
                interview,
                *sealed(full.path, full.answers),
                told,
                full.row["first"],
                kind="sealed" if first else "corrected",
                now=now,
            )
            if not verdict.valid:
                reason = f"phiếu không hợp lệ: {verdict.reason.vi} / not valid: {verdict.reason.en}"
                current.decide(store(), interview, "voided", head, reason, me, now=now)
        paper.record(
            store(),
            form.round,
            form,
            state,
            me,
            reason=verdict.reason(said.interface()),
            now=now,
            interview="" if verdict.refused else interview,
        )
    desk().forget(interview)
    flash(
        f"{form.serial}: {STATES[state](said.interface())}. {said.sentence(verdict.reason(said.interface()))}", "good"
    )
    return back_to(form)
