"""Chấm điểm PAR INDEX, on a hub: scorecards, one criterion at a time: self-score with evidence, appraisal with its
reason, survey points, the result, the audit trail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, abort, flash, g, redirect, render_template, request, url_for

from survey import evidence
from survey.errors import InputError, NotAllowed, SurveyError
from survey.store import scorecards
from survey.tables import numbers
from survey.text import Text
from survey.web import roles
from survey.web.bringing import attached, brought, sentences
from survey.web.desk import desk, store
from survey.web.naming import person_name
from survey.web.planned import needs_analysis
from survey.web.words import t

if TYPE_CHECKING:
    from analysis.scorecard import Entry, Result, Structure

pages = Blueprint("scorecards", __name__)
pages.before_request(needs_analysis)

STATES = {
    "open": Text("đang tự chấm", "being self-scored"),
    "submitted": Text("đã nộp, chờ thẩm định", "handed in, being appraised"),
    "done": Text("đã có kết quả", "has its result"),
}


@pages.get("/scorecards")
def page() -> str:
    """The scorecards of this hub with their results and ranks."""
    return _listed()


@pages.post("/scorecards")
def create() -> Any:
    """Opens a scorecard from a table of criteria."""
    from analysis.scorecard import read_structure

    told = {name: request.form.get(name, "").strip() for name in ("unit_name", "level", "period", "version")}
    try:
        if not all(told.values()):
            raise InputError(
                t("Mở phiếu", "New scorecard"),
                Text("chưa đủ đơn vị, kỳ, tên bộ tiêu chí", "unit, period and version are all needed"),
                Text("điền đủ rồi bấm lại", "fill them in and press again"),
            )
        structure = brought("structure", lambda file: read_structure(file, told["version"], told["level"]))
        body = {**told, "structure": structure.document}
        card = scorecards.create(store(), body, g.person["id"], now=desk().now())
    except SurveyError as wrong:
        return _listed(wrong, told), 400
    return redirect(url_for("scorecards.card", card=card))


def _listed(wrong: SurveyError | None = None, typed: dict[str, str] | None = None) -> str:
    from analysis.scorecard import LEVELS, count, places

    found = []
    for document in scorecards.cards(store()):
        structure, standing, _ = _standing(document)
        found.append((document, count(structure, standing.values())))
    order = places(found)
    rows = [
        {
            **{name: document[name] for name in ("id", "unit_name", "period", "version")},
            "level": LEVELS[document["level"]],
            "state": _state(document, result),
            "self": _share(result.self, _self_most(result)),
            "percent": result.percent,
            "grade": result.grade,
            "rank": order.get(document["id"]),
            "missing": len(result.missing),
        }
        for document, result in found
    ]
    return render_template(
        "scorecards.html",
        rows=rows,
        levels=LEVELS,
        wrong=sentences(wrong),
        typed=typed or {},
        creating=roles.may("scorecards.create", frozenset(g.person["roles"])),
    )


@pages.get("/scorecards/<card>")
def card(card: str) -> str:
    """One scorecard: its criteria with points, and the result so far."""
    from analysis.scorecard import LEVELS, count

    document = scorecards.read(store(), card)
    structure, standing, conflicts = _standing(document)
    result = count(structure, standing.values())
    mine = frozenset(g.person["roles"])
    rows = [
        {
            "code": code,
            "name": row.node.label,
            "depth": structure.depth(code),
            "leaf": not structure.parts[code],
            "most": row.most,
            "self": row.self,
            "final": row.appraised,
            "difference": row.difference,
            "percent": row.percent,
            "out": row.not_applicable,
            "evidence": sum(len(one.evidence) for (of, _), one in standing.items() if of == code),
            "conflict": code in conflicts,
        }
        for code, row in result.rows.items()
    ]
    return render_template(
        "scorecard.html",
        card=document,
        level=LEVELS[document["level"]],
        state=_state(document, result),
        rows=rows,
        result=result,
        self_percent=_share(result.self, _self_most(result)),
        history=_history(document),
        open_self=_unscored(structure, standing),
        may_submit=document["state"] == "open" and roles.may("scorecards.submit", mine),
        may_reopen=document["state"] == "submitted" and roles.may("scorecards.reopen", mine),
    )


@pages.get("/scorecards/<card>/criteria/<code>")
def criterion(card: str, code: str) -> str:
    """One criterion: what the unit says, what the appraisal says, the files."""
    return _criterion(card, code)


@pages.post("/scorecards/<card>/criteria/<code>/self")
def self_score(card: str, code: str) -> Any:
    """The unit's own points, with evidence."""
    return _enter(card, code, "self")


@pages.post("/scorecards/<card>/criteria/<code>/appraisal")
def appraise(card: str, code: str) -> Any:
    """The appraisal's points, with the reason."""
    return _enter(card, code, "appraisal")


@pages.post("/scorecards/<card>/criteria/<code>/survey")
def survey_points(card: str, code: str) -> Any:
    """Points from the survey, or SIPAS in percent."""
    return _enter(card, code, "survey")


def _enter(card: str, code: str, step: str) -> Any:
    from analysis.scorecard import check, entered

    document = scorecards.read(store(), card)
    structure, standing, _ = _standing(document)
    typed = {name: request.form.get(name, "").strip() for name in ("points", "reason")}
    try:
        if step == "self" and document["state"] != "open":
            raise NotAllowed(
                code,
                Text("phiếu đã nộp, không tự chấm thêm được", "it was handed in: no more self-scores"),
                Text("nhờ người thẩm định trả lại", "ask the appraiser to give it back"),
            )
        files = [
            (taken.name, taken.content)
            for sent in request.files.getlist("evidence")
            if sent.filename
            for taken in [evidence.taken(sent.filename, sent.stream.read(evidence.LARGEST + 1))]
        ]
        entry, body = entered(
            structure,
            code,
            step,
            _points(typed["points"]),
            "not_applicable" in request.form,
            typed["reason"],
            g.person["id"],
        )
        check(structure, entry, standing, document["unit_name"])
        scorecards.enter(store(), card, code, step, body, files, g.person["id"], now=desk().now())
    except SurveyError as wrong:
        return _criterion(
            card, code, wrong, {**typed, "step": step, "out": request.form.get("not_applicable", "")}
        ), 403 if isinstance(wrong, NotAllowed) else 400
    flash(t(f"Đã lưu {code}.", f"{code} saved."), "good")
    return redirect(url_for("scorecards.criterion", card=card, code=_next(structure, code, step, standing)))


def _criterion(card: str, code: str, wrong: SurveyError | None = None, typed: dict[str, str] | None = None) -> str:
    from analysis.scorecard import METHODS, STEPS

    document = scorecards.read(store(), card)
    structure, _, conflicts = _standing(document)
    node = structure.by_code.get(code)
    if node is None or structure.parts[code]:
        abort(404)
    held = {one["step"]: one for one in scorecards.entries(store(), card) if one["code"] == code}
    for one in held.values():
        one["person"] = person_name(one["actor"])
        one["points"] = float(one["points"]) if one["points"] else None
    leaves = [leaf.code for leaf in structure.leaves]
    place, mine = leaves.index(code), frozenset(g.person["roles"])
    above: list[Text] = []
    parent = node.parent
    while parent:
        above.insert(0, structure.by_code[parent].label)
        parent = structure.by_code[parent].parent
    return render_template(
        "criterion.html",
        card=document,
        node=node,
        above=above,
        method=METHODS[node.method],
        steps=STEPS,
        held=held,
        conflict=code in conflicts,
        typed=typed or {},
        wrong=sentences(wrong),
        before=leaves[place - 1] if place else "",
        after=leaves[place + 1] if place + 1 < len(leaves) else "",
        place=place + 1,
        count=len(leaves),
        may_score=document["state"] == "open" and roles.may("scorecards.self_score", mine),
        may_appraise=roles.may("scorecards.appraise", mine),
        may_survey=roles.may("scorecards.survey_points", mine),
        megabytes=evidence.LARGEST >> 20,
    )


@pages.post("/scorecards/<card>/submit")
def submit(card: str) -> Any:
    """The unit hands its self-scores in: they stand from here on."""
    document = scorecards.read(store(), card)
    structure, standing, _ = _standing(document)
    still = _unscored(structure, standing)
    if still:
        flash(t(f"Còn {len(still)} tiêu chí chưa tự chấm.", f"{len(still)} criteria are not scored yet."), "look")
        return redirect(url_for("scorecards.criterion", card=card, code=still[0]))
    scorecards.change(store(), card, g.person["id"], now=desk().now(), state="submitted", note="")
    return redirect(url_for("scorecards.card", card=card))


@pages.post("/scorecards/<card>/reopen")
def reopen(card: str) -> Any:
    """The appraisal gives a scorecard back, with a sentence."""
    note = request.form.get("note", "").strip()
    if not note:
        flash(t("Ghi một câu vì sao trả lại.", "Say in a sentence why it is given back."), "look")
    else:
        scorecards.change(store(), card, g.person["id"], now=desk().now(), state="open", note=note)
    return redirect(url_for("scorecards.card", card=card))


@pages.get("/scorecards/<card>/evidence/<hash>")
def evidence_file(card: str, hash: str) -> Response:
    """An evidence file, to be kept and never opened here."""
    named = [one for entry in scorecards.entries(store(), card) for one in entry["evidence"] if one["hash"] == hash]
    content = scorecards.file(store(), card, hash) if named else None
    if content is None:
        abort(404)
    return attached(content, named[0]["name"], evidence.media_type(named[0]["name"]))


@pages.get("/scorecards/<card>/trail")
def trail(card: str) -> str:
    """Everything that was ever put down in a scorecard: who, when, what, why."""
    from analysis.scorecard import STEPS

    document = scorecards.read(store(), card)
    rows = []
    for one in scorecards.trail(store(), card):
        body = one.document
        step = STEPS[body["step"]] if "step" in body else STATES[body.get("state", "open")]
        rows.append(
            {
                "time": one.time,
                "person": person_name(one.actor),
                "code": body.get("code", ""),
                "step": step,
                "points": float(body["points"]) if body.get("points") else None,
                "out": body.get("not_applicable", False),
                "reason": body.get("reason") or body.get("note", ""),
                "files": len(body.get("evidence", ())),
            }
        )
    return render_template("scorecard_trail.html", card=document, rows=rows)


def _standing(document: dict[str, Any]) -> tuple[Structure, dict[tuple[str, str], Entry], set[str]]:
    """The structure of a card, what stands by (code, step), and the codes where two people entered apart."""
    from analysis.scorecard import Structure, entry_of

    listed = scorecards.entries(store(), document["id"])
    standing = {(one["code"], one["step"]): entry_of(one) for one in listed}
    conflicts = {one["code"] for one in listed if one["conflict"]}
    return Structure.of(document["structure"]), standing, conflicts


def _history(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The other periods of the unit: under another version of the criteria they are another series."""
    from analysis.scorecard import count

    found = []
    for one in scorecards.cards(store()):
        if one["id"] != document["id"] and all(one[name] == document[name] for name in ("unit_name", "level")):
            structure, standing, _ = _standing(one)
            result = count(structure, standing.values())
            found.append(
                {
                    "id": one["id"],
                    "period": one["period"],
                    "version": one["version"],
                    "percent": result.percent,
                    "grade": result.grade,
                    "same": one["version"] == document["version"],
                }
            )
    return found


def _unscored(structure: Structure, standing: dict[tuple[str, str], Entry]) -> list[str]:
    return [
        leaf.code for leaf in structure.leaves if leaf.method == "appraisal" and (leaf.code, "self") not in standing
    ]


def _next(structure: Structure, code: str, step: str, standing: dict[tuple[str, str], Entry]) -> str:
    """The next criterion of the same step that nobody has entered, else this one."""
    leaves = [leaf.code for leaf in structure.leaves if (leaf.method == "appraisal") == (step != "survey")]
    later = leaves[leaves.index(code) + 1 :] + leaves[: leaves.index(code)]
    return next((one for one in later if (one, step) not in standing), code)


def _points(text: str) -> float | None:
    found = numbers([text], decimal_comma=True)[0] if text else None
    if text and found is None:
        raise InputError(
            t("Điểm", "Points"), Text(f"“{text}” không phải số", f"'{text}' is no number"), Text("ghi số", "give one")
        )
    return found


def _state(document: dict[str, Any], result: Result) -> Text:
    return STATES["done" if document["state"] == "submitted" and not result.missing else document["state"]]


def _self_most(result: Result) -> float:
    return sum(row.most for row in result.rows.values() if row.self is not None and _is_leaf(result, row.node.code))


def _is_leaf(result: Result, code: str) -> bool:
    return all(row.node.parent != code for row in result.rows.values())


def _share(points: float | None, most: float) -> float | None:
    return None if points is None or not most else 100 * points / most
