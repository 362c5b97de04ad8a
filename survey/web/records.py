"""Phiếu: the interviews and their states; reading one; approve, return, void; settling two versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, abort, flash, g, redirect, render_template, request, url_for

from survey.errors import InputError
from survey.paper.importing import MODES
from survey.paper.validity import FLAGS
from survey.questionnaire.path import Entry, Path
from survey.store import current, files, frame, receipts
from survey.store.commune import closed_units
from survey.store.remarks import sealed_comments, sealed_reasons
from survey.text import Text, fold
from survey.web import conflicts, forms, media, roles, words
from survey.web.desk import desk, store
from survey.web.naming import (
    called,
    full_place,
    interviewer,
    may_contact,
    natural,
    person_name,
    safe_at,
    unit_name,
    unit_place,
)
from survey.web.words import STATES, t

pages = Blueprint("records", __name__)

ORDER = ("conflict", "sealed", "returned", "approved", "voided", "partial", "draft", "erased")
"""The states in the order in which they need a person."""

DECISIONS: dict[str, Text] = {
    "approved": Text("Duyệt", "Approved"),
    "returned": Text("Yêu cầu sửa", "Returned"),
    "voided": Text("Hủy phiếu", "Voided"),
    "commented": Text("Ghi chú", "Comment"),
}

SHOWN = 100
"""Interviews on one page."""

NEEDS_REASON = frozenset({"returned", "voided"})


@pages.get("/interviews")
def page() -> str:
    """The interviews on this machine, by state, a page at a time, with a search."""
    state = request.args.get("state", "")
    query = request.args.get("q", "").strip()
    rows = _matching(query)
    counts = Counter(row["state"] for row in rows)
    if state not in STATES:
        state = ""
    found = [row for row in rows if not state or row["state"] == state]
    found.sort(key=lambda row: (ORDER.index(row["state"]), row["sorting"], row["time"]))
    pages_ = max(1, -(-len(found) // SHOWN))
    number = min(max(1, request.args.get("page", 1, int)), pages_)

    def address(**different: Any) -> str:
        return url_for("records.page", **{name: value for name, value in different.items() if value})

    filters = [{"name": t("Tất cả", "All"), "count": len(rows), "url": address(q=query), "here": not state}]
    filters += [
        {
            "name": STATES[one](words.interface()),
            "count": counts[one],
            "url": address(state=one, q=query),
            "here": one == state,
        }
        for one in ORDER
        if counts[one]
    ]
    shown = found[(number - 1) * SHOWN : number * SHOWN]
    return render_template(
        "records.html",
        rows=[{**row, "name": row["name"] or unit_name(row["unit"])} for row in shown],
        filters=filters,
        state=state,
        query=query,
        named=may_contact(),
        count=len(found),
        first=(number - 1) * SHOWN + 1,
        before=address(state=state, q=query, page=number - 1) if number > 1 else "",
        after=address(state=state, q=query, page=number + 1) if number < pages_ else "",
    )


def _matching(query: str) -> list[dict[str, Any]]:
    """The interviews in which each word of ``query`` begins a word of the name, the place, the number or the
    enumerator, without diacritics and case. Units are read at once: thousands, one by one, take seconds. ``name`` is
    empty while nothing is looked for.
    """
    units = {str(unit["id"]): unit for unit in frame.everyone(store())}
    wanted = fold(query).split()
    contacts = frame.contacts(store(), "unit") if wanted and may_contact() else {}
    people = {str(one["id"]): str(one.get("name") or one["id"]) for one in frame.people(store())}
    sealed = current.interviewers(store())
    found = []
    places: dict[str, tuple[str, tuple[str, ...]]] = {}
    for row in _readable(current.interviews(store())):
        unit = units.get(row["unit"]) or {"id": row["unit"]}
        place = full_place(unit)
        if place not in places:
            places[place] = (fold(place), natural(place))
        name = called(unit, contacts.get(row["unit"], {})) if wanted else ""
        actor = ", ".join(people.get(user, user) for user in sealed.get(row["interview"]) or [row["actor"]] if user)
        if wanted:
            said = f"{fold(name)} {places[place][0]} {unit.get('order', '')} {fold(actor)}".split()
            if not all(any(one.startswith(start) for one in said) for start in wanted):
                continue
        found.append(
            {
                **row,
                "name": name,
                "place": place,
                "actor": actor or "–",
                "sorting": places[place][1],
            }
        )
    return found


def _readable(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the interviews of the person's own commune, until the results are published."""
    closed = closed_units(store(), g.person)
    return [row for row in rows if row["unit"] not in closed]


# -- reading one -------------------------------------------------------------------------------------------------


@pages.get("/interviews/<interview>")
def record(interview: str) -> str:
    """One interview as it was answered, what was decided about it, and the buttons to decide."""
    return _show(interview)


def _show(interview: str, reason: str = "") -> str:
    row = _found(interview)
    sections, others, withheld, origin, elsewhere = [], [], "", "", list[dict[str, str]]()
    if row["head"]:
        try:
            content = current.content(store(), interview)
        except InputError as absent:
            withheld = words.sentence(absent.problem.what(words.interface()))
        else:
            path = _path(content, row)
            told = content["paradata"] if _may_decide() else {}
            said = sealed_comments(told)
            sections, others = _answers(interview, content["head"], path, told), _elsewhere(path, said)
            origin, elsewhere = _origin(told), _written_elsewhere(path, told)
    elif row["state"] == "draft":
        withheld = t("Phiếu này đang làm dở, chưa khóa.", "This interview is still a draft.")
    return render_template(
        "record.html",
        row=row,
        name=unit_name(row["unit"]),
        place=unit_place(row["unit"]),
        actor=interviewer(row),
        decisions=[
            {**told, "words": DECISIONS[told["kind"]](words.interface()), "actor": person_name(told["actor"])}
            for told in current.decisions(store(), interview)
        ],
        deciding=_may_decide() and row["kind"] in ("sealed", "corrected", "combined"),
        sections=sections,
        others=others,
        origin=origin,
        elsewhere=elsewhere,
        withheld=withheld,
        reason=reason,
        safe=safe_at(receipts.safe_at(store(), interview)) if row["head"] or row["heads"] else "",
        following=_following(interview),
    )


def _found(interview: str) -> dict[str, Any]:
    rows = current.interviews(store(), interview=interview)
    if not rows:
        abort(404)
    return rows[0]


def _may_decide() -> bool:
    return roles.may("records.decide", frozenset(g.person["roles"]))


def _following(interview: str) -> str:
    """The next interview that waits for a decision."""
    rows = _readable(current.interviews(store(), state="sealed"))
    waiting = [row["interview"] for row in rows if row["interview"] != interview]
    after = [one for one in waiting if one > interview] or waiting
    return url_for("records.record", interview=after[0]) if after else ""


def _path(content: Mapping[str, Any], row: Mapping[str, Any]) -> Path:
    unit = frame.unit(store(), content["unit"]) or {"id": content["unit"]}
    answers = {**content["off_path"], **content["answers"]}
    if may_contact():
        # Names and phones stay away from those who only count.
        answers |= content["contact"]
    return desk().read(store(), content["questionnaire_hash"], unit, answers, row)


def _origin(paradata: Mapping[str, Any]) -> str:
    """How a form was filled in, its serial, and the file that it was brought from; empty for one asked on a laptop."""
    how, brought = MODES.get(str(paradata.get("mode", ""))), paradata.get("imported") or {}
    said = [how(words.interface()) if how else "", str(paradata.get("form", ""))]
    if brought:
        row = brought.get("row", "")
        said.append(t(f"tệp {brought.get('source', '')}, dòng {row}", f"file {brought.get('source', '')}, row {row}"))
    return " · ".join(filter(None, said))


def _written_elsewhere(path: Path, paradata: Mapping[str, Any]) -> list[dict[str, str]]:
    """What the form says where nothing was to be answered: kept, and counted nowhere."""
    flagged, language = paradata.get("flags") or {}, words.tongue()
    return [
        {"label": e.label(language), "words": forms.in_words(e, language)}
        for e in path.entries
        if flagged.get(e.path) == "off_path" and not _is_shown(e)
    ]


def _answers(interview: str, head: str, path: Path, paradata: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The questions on the path with their answers in words, the files given as answers, the enumerator's comments, why
    an unusual answer was kept and what is wrong with one from paper, section by section."""
    comments, kept, flagged = sealed_comments(paradata), sealed_reasons(paradata), paradata.get("flags") or {}
    language = words.tongue()
    shown = []
    for section in path.sections:
        lines = [
            {
                "label": entry.label(language),
                "words": forms.in_words(entry, language) or "–",
                "file": media.attached(interview, head, entry),
                "missing": isinstance(entry.value, dict) or not entry.is_answered,
                "comment": comments.get(entry.path, ""),
                "doubt": entry.doubt(language) if entry.doubtful else "",
                "kept": _reason_of(entry, kept),
                "flag": FLAGS[flagged[entry.path]](words.interface())
                if flagged.get(entry.path) in FLAGS and flagged[entry.path] != "doubt"
                else "",
            }
            for entry in section.entries
            if _is_shown(entry)
        ]
        if lines:
            shown.append({"title": section.label(language) or t("Câu hỏi", "Questions"), "lines": lines})
    return shown


def _reason_of(entry: Entry, kept: Mapping[str, Mapping[str, Any]]) -> str:
    """Why the answer was kept; a reason given for another answer is none."""
    said = kept.get(entry.path, {})
    return str(said["reason"]) if said and said["value"] == entry.value else ""


def _is_shown(entry: Entry) -> bool:
    return entry.asked and "[]" not in entry.path


def _elsewhere(path: Path, comments: Mapping[str, str]) -> list[dict[str, str]]:
    """The comments at questions that have no line: no longer on the path, or not of this questionnaire."""
    entries = {entry.path: entry for entry in path.entries}
    shown = {name for name, entry in entries.items() if _is_shown(entry)}
    return [
        {"label": entries[name].label(words.tongue()) or name if name in entries else name, "comment": said}
        for name, said in sorted(comments.items())
        if name not in shown
    ]


@pages.get("/interviews/<interview>/sealed-file")
def file(interview: str) -> Response:
    """The file that answers a question of a sealed version. A question that is contact data has an answer only for
    those who may read contact data, here as on the page."""
    row = _found(interview)
    try:
        content = current.content(store(), interview, request.args.get("head", ""))
        entry = _path(content, row).entry(request.args.get("question", ""))
    except (InputError, KeyError):
        abort(404)
    given = media.attached(interview, content["head"], entry)
    found = files.content(store(), interview, entry.value) if given else None
    if found is None or not isinstance(entry.value, str):
        abort(404)
    return media.sent(found, entry.value)


# -- deciding ----------------------------------------------------------------------------------------------------


@pages.post("/interviews/<interview>/decide")
def decide(interview: str) -> Any:
    """Approve, return with a sentence, or void. The version that the person saw is named, so nobody decides on
    what they have not seen."""
    kind = request.form.get("kind", "")
    reason = request.form.get("reason", "").strip()
    if kind not in DECISIONS or kind == "commented":
        abort(400)
    if kind in NEEDS_REASON and not reason:
        flash(t("Ghi một câu nêu lý do rồi bấm lại.", "Write a sentence that says why, then press again."), "look")
        return _show(interview), 400
    current.decide(store(), interview, kind, request.form.get("head", ""), reason, g.person["id"], now=desk().now())
    flash(f"{DECISIONS[kind](words.interface())}: {t('đã lưu.', 'saved.')}", "good")
    return redirect(
        _following(interview)
        if kind == "approved" and _following(interview)
        else url_for("records.record", interview=interview)
    )


# -- two versions ------------------------------------------------------------------------------------------------


@pages.get("/interviews/<interview>/conflict")
def conflict(interview: str) -> Any:
    """The versions side by side, what differs lit."""
    return _compare(interview)


def _compare(interview: str, complaint: str = "") -> Any:
    row = _found(interview)
    if row["state"] != "conflict":
        return redirect(url_for("records.record", interview=interview))
    versions, ways = _versions(row)
    page = render_template(
        "conflict.html",
        interview=interview,
        name=unit_name(row["unit"]),
        place=unit_place(row["unit"]),
        heads=conflicts.heads(versions),
        lines=conflicts.lines(interview, versions, ways, _chosen(), words.tongue()),
        whole=_number("whole"),
        deciding=_may_decide(),
        complaint=complaint,
        reason=request.form.get("reason", ""),
    )
    return page, 400 if complaint else 200


def _versions(row: Mapping[str, Any]) -> tuple[list[dict[str, Any]], list[Path]]:
    versions = [current.content(store(), row["interview"], head) for head in row["heads"]]
    return versions, [_path(version, row) for version in versions]


def _chosen() -> dict[str, int]:
    """The version chosen in each row, by path."""
    rows = {name.removeprefix("row."): _number(name) for name in request.form if name.startswith("row.")}
    return {path: number for path, number in rows.items() if number is not None}


def _number(name: str) -> int | None:
    written = request.form.get(name, "")
    return int(written) if written.isdecimal() else None


@pages.post("/interviews/<interview>/settle")
def settle(interview: str) -> Any:
    """Ends a conflict: a whole version, or the chosen answer of every row that differs, and one reason. All versions
    are kept."""
    row = _found(interview)
    if row["state"] != "conflict" or row["heads"] != request.form.getlist("head"):
        flash(t("Phiếu này vừa thay đổi. Xem lại rồi chọn.", "This interview has just changed. Look again."), "look")
        return redirect(url_for("records.record", interview=interview))
    versions, ways = _versions(row)
    reason = request.form.get("reason", "").strip()
    try:
        base, answers = conflicts.combined(versions, ways, _number("whole"), _chosen())
    except conflicts.NotChosen:
        return _compare(interview, t("Còn dòng chưa chọn.", "A row is not chosen yet."))
    if not reason:
        return _compare(interview, t("Ghi lý do.", "Give the reason."))
    if answers is not None:
        # What follows from the chosen answers follows anew: calculations, and which questions were asked at all.
        answers = _path({**versions[base], "answers": answers, "contact": {}, "off_path": {}}, row).sealed[0]
    head = row["heads"][base]
    current.settle(store(), interview, head, answers, reason, g.person["id"], now=desk().now())
    flash(t("Đã chọn xong. Phiếu chờ duyệt.", "Settled. The interview awaits review."), "good")
    return redirect(url_for("records.record", interview=interview))
