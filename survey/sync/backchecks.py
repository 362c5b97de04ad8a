"""Drawing back-checks: the round, its short form and its units are made and signed where the round itself was."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from survey.errors import InputError, NotAllowed
from survey.fieldwork import independence
from survey.fieldwork.backcheck import Case, Plan, draw, require_variables
from survey.fieldwork.backcheck_form import chosen, short_form
from survey.questionnaire.model import Questionnaire
from survey.store import backcheck, fieldlog, frame
from survey.store.store import Store
from survey.sync import rounds
from survey.text import Text

_OWN = {"id", "round", "list", "order", "assignee", "probability", independence.REASON}
"""What a back-check unit does not take over from the unit that it checks."""


def draw_backchecks(
    store: Store,
    round: str,
    plan: Plan,
    checkers: Collection[str],
    *,
    actor: str = "",
) -> tuple[dict[str, Any], list[Case]]:
    """Draws the back-checks that are due by the plan and gives them to the checkers in turn; returns the back-check
    round's document and what was drawn now. ``plan.variables`` are names or paths of questions.

    Nobody checks their own interviews, nor their own commune (decision 53), as long as somebody else is named. The
    first draw makes the round and its questionnaire; later ones add units, and a changed plan is issued as the new one.

    Raises:
        InputError: no question, no person to check, no such round. Problems: the plan is none. NotAllowed: the round
            was set up on another machine.
    """
    document = frame.round_document(store, round)
    if document.get(backcheck.OF):
        raise InputError(
            f"round {round}",
            Text("đây đã là đợt phúc tra", "this is a back-check round itself"),
            Text(f"nêu đợt {document[backcheck.OF]}", f"name the round {document[backcheck.OF]}"),
        )
    require_variables(plan.variables)
    questionnaire = Questionnaire.from_json(frame.compiled(store, str(document.get("questionnaire_hash", ""))))
    paths = {name: questionnaire.question(name).path for name in plan.tolerance if _has(questionnaire, name)}
    plan = replace(
        plan,
        variables=chosen(questionnaire, plan.variables),
        tolerance={paths.get(name, name): told for name, told in plan.tolerance.items()},
    )
    plan.check(f"round {round}, backcheck")
    people = _checkers(store, checkers)
    short = short_form(questionnaire, plan.variables)
    own = f"{round}-pt"
    with store.transaction():
        frame.issue(store, "questionnaire", short.hash, short.to_json(), actor=actor)
        title = {
            str(code): ("Phúc tra: " if code == "vi" else "Back-check: ") + str(text)
            for code, text in document["title"].items()
        }
        told: dict[str, Any] = {
            "id": own,
            backcheck.OF: round,
            "title": title,
            "questionnaire_hash": short.hash,
            "backcheck": plan.document,
            **{name: document[name] for name in ("synthetic", "pilot", "label") if name in document},
        }
        rounds.issue_round(store, told, actor)
        before = backcheck.drawn(store, own)
        found = draw(backcheck.cases(store, round, by_risk=plan.by_risk), plan, before)
        for number, case in enumerate(found, start=len(before)):
            _unit(store, own, case, people, number, actor)
    return frame.round_document(store, own), found


def _has(questionnaire: Questionnaire, name: str) -> bool:
    try:
        questionnaire.question(name)
    except KeyError:
        return False
    return True


def _checkers(store: Store, named: Collection[str]) -> list[dict[str, Any]]:
    people = {str(one["id"]): one for one in frame.people(store) if not one.get("disabled")}
    unknown = [name for name in named if name not in people]
    if unknown or not named:
        listed = ", ".join(sorted(people))
        raise InputError(
            f"--to {', '.join(unknown)}".rstrip(),
            Text("không có người này", "there is no such person")
            if unknown
            else Text("chưa nêu ai phúc tra", "nobody is named"),
            Text(f"những người có: {listed}", f"people here: {listed}"),
        )
    return [people[name] for name in named]


def _unit(store: Store, round: str, case: Case, people: list[dict[str, Any]], number: int, actor: str) -> None:
    """Issues the unit of one back-check, given to the next person who neither made the visit nor lives there nor works
    for the authority that is rated there."""
    first = frame.unit(store, case.unit) or {"id": case.unit}
    commune = str(first.get("commune", ""))
    others = [
        one
        for one in people
        if one["id"] != case.enumerator
        and str(one.get("commune") or "-") != commune
        and not independence.is_tied(one, first)
    ]
    if not others:
        raise NotAllowed(
            f"unit {case.unit}",
            Text(
                "không ai trong những người được nêu được phúc tra hộ này (tự làm phiếu, là người của xã, hoặc làm "
                "việc cho cơ quan được đánh giá)",
                "none of the people named may check this unit (made it themselves, belong to the commune, or work for "
                "the authority that is rated)",
            ),
            Text("nêu thêm người phúc tra", "name more people"),
        )
    identity = "ub" + hashlib.sha256(f"{round}/{case.unit}".encode()).hexdigest()[:32]
    body = {name: value for name, value in first.items() if name not in _OWN}
    body |= {"id": identity, "round": round, "list": "main", "order": str(number + 1)}
    body |= {"assignee": others[number % len(others)]["id"], "of_unit": case.unit}
    contact = dict(frame.contact(store, "unit", case.unit))
    respondent = fieldlog.respondent(store, case.unit)
    if respondent and respondent.get("name"):
        contact["name"] = respondent["name"]
    frame.issue(store, "unit", identity, body, contact or None, actor)
