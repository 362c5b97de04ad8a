"""Phúc tra: who is visited again and how far that is, the draw, and what the two visits say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from survey.errors import SurveyError
from survey.fieldwork import backcheck as core
from survey.fieldwork.backcheck import Plan
from survey.fieldwork.backcheck_form import comparable
from survey.questionnaire.model import MISSING, Questionnaire
from survey.store import backcheck, frame, quality
from survey.store.commune import closed_units
from survey.sync.backchecks import draw_backchecks
from survey.vocabulary import OBSERVER, STATES, SUPERVISOR
from survey.web import words
from survey.web.desk import asked_round, place_name, store
from survey.web.network import tell
from survey.web.words import pick, t

pages = Blueprint("backchecks", __name__)

_SAID = {
    core.INTERVIEWED: ("đã được hỏi", "was interviewed"),
    core.CAME: ("có đến, không hỏi", "came, no interview"),
    core.NOBODY: ("chưa có ai đến", "nobody came"),
}


@pages.get("/backchecks")
def page() -> str:
    """The rounds that may be checked; of the chosen one its back-checks and the form for drawing."""
    rounds = [one for one in frame.rounds(store()) if not one.get(backcheck.OF)]
    round = asked_round(rounds)
    own = backcheck.round_of(store(), round["id"]) if round else None
    return render_template(
        "backchecks.html",
        rounds=rounds,
        round=round,
        own=own,
        rows=_drawn(own) if own else [],
        progress=_progress(own) if own else [],
        **(_form(round, own) if round else {}),
    )


def _form(round: dict[str, Any], own: dict[str, Any] | None) -> dict[str, Any]:
    """What the form for drawing shows: the plan, the questions that can be asked again, and who may check."""
    plan = Plan.of(own) if own else Plan({})
    content = frame.questionnaire(store(), str(round.get("questionnaire_hash", "")))
    questions = []
    if content:
        for path, node in comparable(Questionnaire.from_json(content)).items():
            questions.append({"path": path, "label": pick(node.label) or path, "type": plan.variables.get(path, 0)})
    people = [
        {"id": one["id"], "name": one.get("name", one["id"])}
        for one in frame.people(store())
        if not one.get("disabled") and {OBSERVER, SUPERVISOR} & set(one.get("roles", ()))
    ]
    return {
        "plan": plan,
        "questions": questions,
        "people": people,
        "types": {type: name(words.interface()) for type, name in core.TYPES.items()},
    }


def _names() -> dict[str, str]:
    return {str(one["id"]): str(one.get("name", one["id"])) for one in frame.people(store())}


def _drawn(own: dict[str, Any]) -> list[dict[str, Any]]:
    known, names = backcheck.states(store(), own["id"]), _names()
    rows = []
    for unit in frame.units(store(), own["id"]):
        state = known[str(unit["id"])]
        shown = STATES[state](words.interface()) if state in STATES else state
        rows.append(
            {
                "order": unit.get("order", ""),
                "place": " · ".join(filter(None, (place_name(unit, "village"), place_name(unit, "commune")))),
                "to": names.get(str(unit["assignee"]), unit["assignee"]),
                "state": shown or t("chưa đến", "not visited"),
            }
        )
    return rows


def _progress(own: dict[str, Any]) -> list[dict[str, Any]]:
    names = _names()
    counts = backcheck.progress(store(), own["id"])
    return [{"name": names.get(who, who), "drawn": drawn, "done": done} for who, (drawn, done) in counts.items()]


@pages.post("/backchecks/draw")
def draw() -> Response:
    """Draws what is due by the plan of the form."""
    round = request.form.get("round", "")
    own = backcheck.round_of(store(), round)
    plan = Plan.of(own) if own else Plan({})
    try:
        chosen = {
            name.removeprefix("type:"): int(told)
            for name, told in request.form.items()
            if name.startswith("type:") and told in ("1", "2", "3")
        }
        plan = replace(
            plan,
            variables=chosen,
            share=float(request.form.get("share", "10").replace(",", ".")) / 100,
            least=int(request.form.get("least", "2")),
            by_risk=request.form.get("by_risk") == "yes",
            seed=int(request.form.get("seed", "1")),
            tolerance={path: told for path, told in plan.tolerance.items() if path in chosen},
        )
        _, found = draw_backchecks(store(), round, plan, request.form.getlist("to"), actor=g.person["id"])
    except ValueError:
        flash(t("Tỷ lệ, số phiếu và số gieo phải là số.", "Share, number and seed must be numbers."), "stop")
    except SurveyError as error:
        tell(error)
    else:
        count = len(found)
        flash(
            t(f"Đã chọn thêm {count} phiếu để phúc tra.", f"Drew {count} more back-checks.")
            if count
            else t("Theo quy định của đợt không còn phiếu nào phải phúc tra.", "No more back-checks are due."),
            "good",
        )
    return redirect(url_for("backchecks.page", round=round))


@pages.get("/backchecks/<round>/compared")
def compared(round: str) -> str:
    """The two visits side by side: error rates with intervals, visits recorded otherwise, the differences."""
    own = frame.document(store(), "round", round)
    if own is None or not own.get(backcheck.OF):
        abort(404)
    quality.refresh(store())
    closed = closed_units(store(), g.person)
    pairs = [pair for pair in backcheck.pairs(store(), own) if pair.unit not in closed]
    found = core.compare(pairs, Plan.of(own))
    content = frame.questionnaire(store(), str(own["questionnaire_hash"]))
    form = Questionnaire.from_json(content) if content else None
    labels = {path: pick(node.label) or path for path, node in form.by_path.items()} if form else {}
    names = _names()
    tables = [
        {
            "type": name(words.interface()),
            "by": [
                (core.BY[by](words.interface()), [_rate(one, labels if by == "variable" else names) for one in rates])
                for by in ("enumerator", "variable", "team")
                if (rates := [one for one in core.rates(found, by, (type,)) if one.name])
            ],
        }
        for type, name in core.TYPES.items()
    ]
    return render_template(
        "backchecks_compared.html",
        own=own,
        pairs=len(pairs),
        tables=[table for table in tables if table["by"]],
        visits=[_visit(one, names) for one in core.visits(pairs) if one.differs],
        tests=_tests(found, labels),
        differences=[_difference(one, labels, names, form) for one in found if one.differs],
        by_risk=Plan.of(own).by_risk,
    )


def _rate(one: core.Rate, names: dict[str, str]) -> dict[str, Any]:
    return {
        "name": names.get(one.name, one.name),
        "interviews": one.interviews,
        "compared": one.compared,
        "differ": one.differ,
        "rate": f"{words.decimal(one.rate * 100, 0)} %",
        "interval": f"{words.decimal(one.low * 100, 0)}–{words.decimal(one.high * 100, 0)} %",
        "low": one.low * 100,
        "high": one.high * 100,
        "point": one.rate * 100,
    }


def _visit(one: core.Visit, names: dict[str, str]) -> dict[str, str]:
    from survey.fieldwork.dispositions import DISPOSITIONS

    known = DISPOSITIONS.get(one.disposition)
    return {
        "unit": one.unit,
        "enumerator": names.get(one.enumerator, one.enumerator),
        "recorded": known.label(words.interface()) if known else one.disposition,
        "said": t(*_SAID[one.said]),
    }


def _difference(
    one: core.Compared, labels: dict[str, str], names: dict[str, str], form: Questionnaire | None
) -> dict[str, str]:
    return {
        "question": labels.get(one.variable, one.variable),
        "type": str(one.type),
        "unit": one.unit,
        "enumerator": names.get(one.enumerator, one.enumerator),
        "first": _answer(one.first, one.variable, form),
        "second": _answer(one.second, one.variable, form),
    }


def _answer(value: Any, path: str, form: Questionnaire | None) -> str:
    """An answer in the words of the questionnaire."""
    if isinstance(value, dict):
        kind = MISSING.get(str(value.get("missing", "")))
        return kind(words.interface()) if kind else "–"
    node = form.by_path.get(path) if form else None
    choices = {c.name: pick(c.label) or c.name for c in form.lists.get(node.list_name, ())} if form and node else {}
    told = value if isinstance(value, list) else [value]
    return ", ".join(choices.get(str(name), str(name)) for name in told)


def _tests(found: list[core.Compared], labels: dict[str, str]) -> list[dict[str, str]]:
    """Tests by question, where this machine has the analysis part."""
    try:
        from analysis.backcheck import paired
    except ModuleNotFoundError:
        return []

    def shown(value: float | None) -> str:
        return "–" if value is None else words.decimal(value, 3)

    return [
        {
            "question": labels.get(one.variable, one.variable),
            "pairs": str(one.pairs),
            "mean": shown(one.mean),
            "t": shown(one.t),
            "signed_rank": shown(one.signed_rank),
            "mcnemar": shown(one.mcnemar),
            "reliability": shown(one.reliability),
        }
        for one in paired(found)
    ]
