"""Phiếu: the interviews and their states; reading one; approve, return, void; settling two versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, abort, flash, g, redirect, render_template, request, url_for

from survey.errors import InputError
from survey.fieldwork.reviewing import Rule
from survey.paper.importing import MODES
from survey.paper.validity import FLAGS
from survey.questionnaire.path import Entry, Path
from survey.store import board, current, files, frame, lists, progress, receipts
from survey.store.board import ORDER
from survey.store.commune import closed_communes
from survey.store.remarks import sealed_comments, sealed_reasons
from survey.store.where import FLAGGED, ONCE, Where
from survey.store.words import Words
from survey.text import Text
from survey.web import conflicts, forms, history, media, review, roles, words
from survey.web.counting import up_to_date
from survey.web.desk import desk, place_name, store
from survey.web.looked import saw
from survey.web.naming import (
    called,
    device_name,
    full_place,
    interviewer,
    may_contact,
    person_name,
    safe_at,
    unit_name,
    unit_place,
)
from survey.web.questions import key
from survey.web.words import STATES, t

pages = Blueprint("records", __name__)

DECISIONS: dict[str, Text] = {
    "approved": Text("Duyệt", "Approved"),
    "returned": Text("Yêu cầu sửa", "Returned"),
    "voided": Text("Hủy phiếu", "Voided"),
    "commented": Text("Ghi chú", "Comment"),
}

SHOWN = 100
"""Interviews on one page."""

NEEDS_REASON = frozenset({"returned", "voided", "commented"})

CORRECTABLE = frozenset({"sealed", "approved", "returned"})
"""The states in which a supervisor may correct an interview."""


@pages.get("/interviews")
def page() -> str:
    """The interviews on this machine, by state, place, person or day, a page at a time, with a search."""
    up_to_date()
    query, state = request.args.get("q", "").strip(), request.args.get("state", "")
    where = Where.of(request.args, closed_communes(store(), g.person))
    where = where if state in {*STATES, FLAGGED, ONCE} else where.also(state="")
    looked = Words(query, may_contact())
    counts = lists.states(store(), where.also(state=""), looked)
    found = lists.interviews(
        store(),
        where,
        after=request.args.get("after", ""),
        before=request.args.get("before", ""),
        limit=SHOWN,
        words=looked,
    )
    start = max(1, request.args.get("from", 1, int))
    rows = _shown(found.rows)

    def address(**different: Any) -> str:
        given = {**where.query, "q": query, **different}
        return url_for("records.page", **{name: value for name, value in given.items() if value})

    filters = [
        {
            "name": t("Tất cả", "All"),
            "count": words.whole(sum(counts[one] for one in ORDER if one in counts)),
            "url": address(state=""),
            "here": not where.state,
        }
    ]
    named = {one: STATES[one] for one in ORDER} | {FLAGGED: Text("nên đọc trước", "to be read first")}
    if any(Rule.of(one).second for one in frame.rounds(store())):
        named[ONCE] = Text("chờ duyệt lần hai", "awaiting the second approval")
    filters += [
        {
            "name": name(words.interface()),
            "count": words.whole(counts[one]),
            "url": address(state=one),
            "here": one == where.state,
        }
        for one, name in named.items()
        if counts.get(one)
    ]
    return render_template(
        "records.html",
        rows=rows,
        filters=filters,
        narrowed=_narrowed(where),
        kept={**where.also(state=where.state).query},
        query=query,
        named=may_contact(),
        deciding=_may_decide(),
        count=words.whole(counts.get(where.state, 0) if where.state else sum(counts[s] for s in ORDER if s in counts)),
        first=start,
        before=address(before=rows[0]["interview"], **{"from": max(1, start - SHOWN)}) if found.before and rows else "",
        after=address(after=rows[-1]["interview"], **{"from": start + SHOWN}) if found.after else "",
    )


def _shown(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of the board with what people call the unit, the place and who interviewed."""
    known = board.known(store(), (row["unit"] for row in rows))
    people = {str(one["id"]): str(one.get("name") or one["id"]) for one in frame.people(store())}
    shown = []
    for row in rows:
        unit, contact = known.get(row["unit"], ({"id": row["unit"]}, {}))
        actor = people.get(row["enumerator"], row["enumerator"])
        place = full_place({"round": row["round"], **unit})
        shown.append({**row, "name": called(unit, contact), "place": place, "actor": actor or "–"})
    return shown


def _narrowed(where: Where) -> list[dict[str, str]]:
    """What the list is narrowed to besides its state, each with the way to take that away."""
    found = []
    for level in ("province", "commune", "village"):
        if code := getattr(where, level):
            unit = {"round": where.round, level: code}
            unit[f"{level}_name"] = progress.place_names(store(), where.round, **{level: code})[level]
            found.append((level, place_name(unit, level)))
    if where.person:
        found.append(("person", person_name(where.person)))
    if where.device:
        found.append(("device", device_name(where.device)))
    if where.unit:
        found.append(("unit", unit_name(where.unit)))
    if where.day:
        found.append(("day", words.day(where.day)))
    if where.missing:
        found.append(("missing", t("chưa tới cấp trên", "not at the next level yet")))
    return [{"name": name, "url": url_for("records.page", **where.also(**{key: ""}).query)} for key, name in found]


# -- reading one -------------------------------------------------------------------------------------------------


@pages.get("/interviews/<interview>")
def record(interview: str) -> str:
    """One interview as it was answered, what was decided about it, and the buttons to decide."""
    return _show(interview)


def _show(interview: str, reason: str = "") -> str:
    row = _found(interview)
    sections, others, withheld, origin, elsewhere = [], [], "", "", list[dict[str, str]]()
    changed: list[dict[str, Any]] = []
    found = history.contents(interview)
    spent = history.spent(found) if _may_decide() else {}
    if row["head"]:
        try:
            content = current.content(store(), interview)
        except InputError as absent:
            withheld = words.sentence(absent.problem.what(words.interface()))
        else:
            path = _path(content, row)
            told = content["paradata"] if _may_decide() else {}
            said = sealed_comments(told)
            sections, others = _answers(interview, content["head"], path, told, spent), _elsewhere(path, said)
            changed = history.changes(interview, content, path, lambda older: _path(older, row))
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
            {
                **told,
                "words": DECISIONS[told["kind"]](words.interface()),
                "actor": person_name(told["actor"]),
                "label": _question_label(sections, told["question"]),
            }
            for told in current.decisions(store(), interview)
        ],
        **_reviewing(row, unfinished=withheld != ""),
        versions=history.versions(found),
        changes=changed,
        took=history.short(sum(spent.values())) if spent else "",
        chosen=request.form.get("question", ""),
        sections=sections,
        others=others,
        origin=origin,
        elsewhere=elsewhere,
        withheld=withheld,
        reason=reason,
        safe=safe_at(receipts.safe_at(store(), interview)) if row["head"] or row["heads"] else "",
        following=_following(interview),
    )


def _question_label(sections: list[dict[str, Any]], path: str) -> str:
    """What a question is called on the page; its path where it is not on it."""
    return next((line["label"] for part in sections for line in part["lines"] if line["path"] == path), path)


def _reviewing(row: Mapping[str, Any], *, unfinished: bool) -> dict[str, Any]:
    """What only those see who decide: the queue, why this one wants to be read, and what they may do."""
    finished = row["kind"] in ("sealed", "corrected", "combined")
    deciding = _may_decide() and finished
    up_to_date()
    counted = lists.one(store(), row["interview"])
    round = frame.document(store(), "round", row["round"]) or {}
    once = bool(counted and counted["approvals"] == 1 and Rule.of(round).second)
    shown: dict[str, Any] = {
        "deciding": deciding,
        "once": once,
        "confirming": once and finished and roles.may("review.confirm", frozenset(g.person["roles"])),
        "correctable": deciding and not unfinished and not row["draft"] and row["state"] in CORRECTABLE,
        "round": row["round"],
        "queue": [],
        "reasons": [],
    }
    if deciding and counted:
        shown["reasons"] = history.reasons(counted, board.signs(store(), [row["interview"]])[row["interview"]])
    if deciding and row["state"] == "sealed":
        around = review.queue(row["interview"])
        signs = board.signs(store(), (one["interview"] for one in around))
        shown["queue"] = [
            {**one, "why": next(iter(history.reasons(one, signs[one["interview"]])), "")} for one in _shown(around)
        ]
        where = Where(closed=closed_communes(store(), g.person))
        shown["waiting"] = words.whole(lists.states(store(), where).get("sealed", 0))
    return shown


def _found(interview: str) -> dict[str, Any]:
    rows = current.interviews(store(), interview=interview)
    if not rows:
        abort(404)
    return rows[0]


def _may_decide() -> bool:
    return roles.may("records.decide", frozenset(g.person["roles"]))


def _following(interview: str) -> str:
    """The next interview that waits for a decision: the one that most wants to be read."""
    up_to_date()
    where = Where(state="sealed", closed=closed_communes(store(), g.person))
    for after in (interview, ""):
        for row in lists.interviews(store(), where, order="risk", after=after, limit=2).rows:
            if row["interview"] != interview:
                return url_for("records.record", interview=row["interview"])
    return ""


def _path(content: Mapping[str, Any], row: Mapping[str, Any]) -> Path:
    unit = frame.unit(store(), content["unit"]) or {"id": content["unit"]}
    answers = {**content["off_path"], **content["answers"]}
    if may_contact():
        # Names and phones stay away from those who only count.
        answers |= content["contact"]
        if content["contact"]:
            saw(content["unit"])
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


def _answers(
    interview: str, head: str, path: Path, paradata: Mapping[str, Any], spent: Mapping[str, float]
) -> list[dict[str, Any]]:
    """The questions on the path with their answers in words, the files given as answers, the time they took, the
    enumerator's comments, why an unusual answer was kept and what is wrong with one from paper, section by section."""
    comments, kept, flagged = sealed_comments(paradata), sealed_reasons(paradata), paradata.get("flags") or {}
    language = words.tongue()
    shown = []
    for section in path.sections:
        lines = [
            {
                "path": entry.path,
                "key": key(entry.path),
                "label": entry.label(language),
                "words": forms.in_words(entry, language) or "–",
                "spent": history.short(spent[entry.path]) if spent.get(entry.path) else "",
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
    kind, question = request.form.get("kind", ""), request.form.get("question", "")
    reason = request.form.get("reason", "").strip()
    if kind not in DECISIONS:
        abort(400)
    if kind in NEEDS_REASON and not reason:
        flash(t("Ghi một câu nêu lý do rồi bấm lại.", "Write a sentence that says why, then press again."), "look")
        return _show(interview), 400
    # An approval is of the whole: the question stands in the form because it was read last.
    question = question if kind in ("returned", "commented") else ""
    head, now = request.form.get("head", ""), desk().now()
    current.decide(store(), interview, kind, head, reason, g.person["id"], question=question, now=now)
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
        heads=[
            {**one, "took": history.short(one["seconds"]) if one["seconds"] else ""}
            for one in conflicts.heads(versions)
        ],
        decisions=[
            {**told, "words": DECISIONS[told["kind"]](words.interface()), "actor": person_name(told["actor"])}
            for told in current.decisions(store(), interview)
        ],
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
