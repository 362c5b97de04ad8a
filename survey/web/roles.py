"""Who may open which page: the one table, and the guard that reads it. What is not in the table is open to nobody.

A command that a person runs by name (``--as``) is measured by the same table, by the page that does the same.
"""

from __future__ import annotations

from collections.abc import Iterable

from survey.errors import NotAllowed
from survey.text import Text
from survey.vocabulary import ADMINISTRATOR, ENUMERATOR, OBSERVER, ROLES, STATISTICIAN, SUPERVISOR

ANYONE = frozenset({"anyone"})
SIGNED_IN = frozenset(ROLES)
FIELD = frozenset({ENUMERATOR, SUPERVISOR})
ASKING = FIELD | {OBSERVER}
"""Who may conduct an interview that is theirs: an observer those of the back-checks given to them (decision 110)."""

HANDING = SIGNED_IN
"""Who may hand over what lies on a machine: everybody, an observer the back-checks of a laptop of their own (decision
120). It is signed where it was written; handing over changes none of it.
"""

FOLLOWING = frozenset({SUPERVISOR, STATISTICIAN, ADMINISTRATOR, OBSERVER})
RECEIVING = frozenset({SUPERVISOR, ADMINISTRATOR})
PRIVACY = frozenset({ADMINISTRATOR})
READING = frozenset({SUPERVISOR, STATISTICIAN, ADMINISTRATOR})
DECIDING = frozenset({SUPERVISOR})
SCORING = frozenset({SUPERVISOR, STATISTICIAN})
APPRAISING = frozenset({STATISTICIAN, ADMINISTRATOR})
DRAFTING = frozenset({STATISTICIAN, ADMINISTRATOR})
STEERING = frozenset({STATISTICIAN, ADMINISTRATOR})
"""Who sees scores before the round ends: those who steer it, never those who interview or supervise interviews."""
CHECKING = frozenset({SUPERVISOR, OBSERVER})
"""Who draws back-checks. The answers of both visits are for those who read interviews (:data:`READING`)."""

CONTACTING = FIELD
"""Who may read respondents' names, addresses and phones: those who visit them, and those who check the visits."""

PAGES: dict[str, frozenset[str]] = {
    "static": ANYONE,
    "unlock.page": ANYONE,
    "account.home": ANYONE,
    "account.people": ANYONE,
    "account.sign_in": ANYONE,
    "account.language": ANYONE,
    "account.sign_out": SIGNED_IN,
    "account.lock": SIGNED_IN,
    "account.pin": ANYONE,
    "today.page": ASKING,
    "today.units": ASKING,
    "today.visit": ASKING,
    "today.start": ASKING,
    "today.open_again": ASKING,
    "handing.code": DECIDING,
    "handing.take_over": FIELD,
    "fieldwork.replace": FIELD,
    "fieldwork.respondent": FIELD,
    "interview.resume": ASKING,
    "interview.section": ASKING,
    "interview.answer": ASKING,
    "finding.choices": ASKING,
    "media.answer": ASKING,
    "media.shown": ASKING,
    "interview.repeat": ASKING,
    "interview.take_lease": ASKING,
    "interview.times": ASKING,
    "finishing.finish": ASKING,
    "account.size": ANYONE,
    "remarks.comment": ASKING,
    "remarks.flag": ASKING,
    "finishing.postpone": ASKING,
    "finishing.refused": ASKING,
    "slip.page": FIELD,
    "personal.page": PRIVACY,
    "personal.erase": PRIVACY,
    "personal.export": PRIVACY,
    "personal.record": PRIVACY,
    "personal.register": PRIVACY,
    "personal.request_step": PRIVACY,
    "personal.erase_due": PRIVACY,
    "access.page": PRIVACY,
    "access.export": PRIVACY,
    "paper.page": FIELD,
    "paper.record": FIELD,
    "paper.form_page": FIELD,
    "paper_entry.page": FIELD,
    "paper_entry.answer": FIELD,
    "paper_entry.finish": FIELD,
    "paper_double.page": FIELD,
    "paper_double.settle": FIELD,
    "private.turn": ASKING,
    "private.page": ASKING,
    "private.answer": ASKING,
    "private.back": ASKING,
    "private.again": ASKING,
    "handover.page": HANDING,
    "handover.hand_over": HANDING,
    "progress.page": FOLLOWING,
    "live.page": STEERING,
    "backchecks.page": CHECKING,
    "backchecks.draw": CHECKING,
    "backchecks.compared": READING,
    "progress.units": READING,
    "network.exchange": HANDING,
    "network.progress": HANDING,
    "network.join": HANDING,
    "daysheet.page": FIELD | RECEIVING,
    "receive.page": RECEIVING,
    "receive.take": RECEIVING,
    "receive.dismiss": DECIDING,
    "network.open_door": RECEIVING,
    "network.invite": RECEIVING,
    "records.page": READING,
    "records.record": READING,
    "records.file": READING,
    "records.decide": DECIDING,
    "records.conflict": READING,
    "review.page": DECIDING,
    "review.signs": DECIDING,
    "review.bulk": DECIDING,
    "review.correct": DECIDING,
    "review.confirm": frozenset({STATISTICIAN}),
    "records.settle": DECIDING,
    "people.page": RECEIVING,
    "people.reassign": DECIDING,
    "people.able": RECEIVING,
    "people.person": RECEIVING,
    "people.bring": RECEIVING,
    "people.revoke": RECEIVING,
    "mine.page": FIELD,
    "practice.page": ASKING | RECEIVING,
    "practice.start": ASKING,
    "practice.make": RECEIVING,
    "practice.drop": RECEIVING,
    "practice.results": RECEIVING,
    "practice.export": RECEIVING,
    "finishing.abandon": FIELD,
    "setting_up.page": RECEIVING,
    "setting_up.create": RECEIVING,
    "setting_up.round": RECEIVING,
    "setting_up.import_frame": RECEIVING,
    "setting_up.draw": RECEIVING,
    "setting_up.add_person": RECEIVING,
    "setting_up.enrol": RECEIVING,
    "setting_up.carry": RECEIVING,
    "place_changes.page": RECEIVING,
    "office.page": READING,
    "office.save": DRAFTING,
    "agencies.page": READING,
    "agencies.found": READING,
    "agencies.file": READING,
    "agencies.bring": DRAFTING,
    "agencies.change": DRAFTING,
    "agencies.confirm": DRAFTING,
    "workload.page": RECEIVING,
    "plans.page": READING,
    "plans.create": DRAFTING,
    "plans.plan": READING,
    "plans.target": DRAFTING,
    "plans.drop_target": DRAFTING,
    "plans.item": READING,
    "plans.save_item": READING,
    "plans.sheet": READING,
    "plans.upload_sheet": DRAFTING,
    "plans.document": READING,
    "plans.extracts": READING,
    "plans.reports": READING,
    "plans.drop_report": READING,
    "plans.quarter": READING,
    "scorecards.page": READING,
    "scorecards.create": APPRAISING,
    "scorecards.card": READING,
    "scorecards.criterion": READING,
    "scorecards.self_score": SCORING,
    "scorecards.appraise": APPRAISING,
    "scorecards.survey_points": APPRAISING,
    "scorecards.submit": SCORING,
    "scorecards.reopen": APPRAISING,
    "scorecards.evidence_file": READING,
    "scorecards.trail": READING,
    # These two close by themselves as soon as the machine knows anybody.
    "beginning.first_person": ANYONE,
    "beginning.load": ANYONE,
}


HOMES: dict[str, str] = {
    ENUMERATOR: "today.page",
    SUPERVISOR: "records.page",
    STATISTICIAN: "records.page",
    ADMINISTRATOR: "receive.page",
    OBSERVER: "progress.page",
}
"""The page that each role needs first; of several roles the first one here counts."""


def may(endpoint: str | None, roles: frozenset[str]) -> bool:
    """Whether a person with ``roles`` (none when nobody is signed in) may open the page ``endpoint``."""
    allowed = PAGES.get(endpoint or "", frozenset())
    return allowed is ANYONE or bool(allowed & roles)


def may_contact(roles: Iterable[str]) -> bool:
    """Whether a person with ``roles`` may read who the respondents are. A page for others tells the sample unit's
    number and place instead."""
    return not CONTACTING.isdisjoint(roles)


def require(endpoint: str | None, roles: frozenset[str], who: str = "") -> None:
    """Raises NotAllowed unless a person with ``roles`` may open the page ``endpoint``. ``who``: named on a command
    line, where there is no page."""
    if may(endpoint, roles):
        return
    allowed = [name for role, name in ROLES.items() if role in PAGES.get(endpoint or "", frozenset())]
    raise NotAllowed(
        who or endpoint or "survey",
        Text("vai trò của người này không cho phép việc này", "this person's role does not allow this")
        if who
        else Text("trang này không dành cho vai trò của bạn", "this page is not for your role"),
        Text(
            "nhờ người có vai trò " + " hoặc ".join(name.vi for name in allowed),
            "ask someone who is " + " or ".join(name.en for name in allowed),
        )
        if allowed
        else Text("về trang đầu", "go back to the first page"),
    )
