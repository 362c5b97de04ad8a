"""A whole SIPAS interview by keyboard alone: how many keys it takes, counted on the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from playwright.sync_api import Browser

from survey.fieldwork.respondent import Respondent, respond
from survey.questionnaire import xlsform
from survey.questionnaire.codes import MISSING_KEYS, codes
from survey.questionnaire.model import Questionnaire
from survey.questionnaire.path import Context, Entry, open_path
from survey.store import Store, drafts, frame
from survey.web.desk import frame_columns
from tests import field
from tests.keyboard import Hand, Served
from tests.outside import ROOT

pytestmark = pytest.mark.browser

SEED = 3
GOAL = 1.15
"""Key presses per question asked, apart from the letters and figures of what is written into boxes."""


@pytest.fixture
def sipas(instance: Path) -> Questionnaire:
    questionnaire = xlsform.load(ROOT / "questionnaires" / "sipas_2026")
    with Store.create(instance, "device", name="laptop") as store:
        field.set_up(store, questionnaire)
    return questionnaire


@pytest.fixture
def served(sipas: Questionnaire, instance: Path) -> Iterator[Served]:
    with Served(instance) as served:
        yield served


def made_up(questionnaire: Questionnaire, unit: dict[str, Any], seed: int) -> dict[str, Any]:
    """What a made-up respondent says to each question, drawn by seed; nothing is chosen for its keys."""
    path = open_path(questionnaire, {}, Context(frame=frame_columns(unit), interview="one"))
    person = Respondent(0.5, fixed={"consent": "yes", "adult": "yes", "age": "35", "phone": "0912345678"})
    said = {}
    for question, change in respond(path, person, Random(seed)):
        said[question] = change.path.entry(question)
    return said


def keys(entry: Entry) -> str:
    """The keys that say this answer, codes with blanks between."""
    value = entry.value
    if isinstance(value, dict):
        return MISSING_KEYS[value["missing"]]
    names = [choice.name for choice in entry.choices()]
    key = dict(zip(names, codes(names), strict=True))
    return " ".join(key[one] for one in value) if isinstance(value, list) else key.get(value, value)


def test_a_sipas_interview_takes_about_one_key_a_question(
    browser: Browser, served: Served, instance: Path, sipas: Questionnaire, shots: Path
) -> None:
    with Store.open(instance) as store:
        unit = frame.unit(store, "u1")
        assert unit is not None
    said = made_up(sipas, unit, SEED)
    hand = Hand(browser, served, shots, "phim")
    hand.sign_in("Lò Thị Hoa", field.PIN)
    hand.start()
    hand.presses = 0
    asked, written = [], 0
    while not hand.page.url.endswith("/finish"):
        here = hand.where()
        if here["id"] == "onward":
            hand.go("Enter")
            continue
        entry = said[here["path"]]
        if entry.node.type in ("text", "integer") and not isinstance(entry.value, dict):
            written += len(entry.value)
        asked.append(hand.answer_here({here["path"].rpartition("/")[2]: keys(entry)}))
    assert asked == list(said), "every question in its order, none twice and none left out"
    with Store.open(instance) as store:
        (draft,) = drafts.drafts(store)
        held = drafts.answers(store, draft["interview"])
    assert {path: held[path] for path in said} == {path: entry.value for path, entry in said.items()}
    print(f"{len(asked)} questions, {hand.presses} key presses, {written} of them to write words and figures")
    assert hand.presses - written <= GOAL * len(asked)
    hand.close()
