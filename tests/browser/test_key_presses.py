"""A whole SIPAS interview by keyboard alone: how many keys it takes, counted on the page; and by the same rule, which
the page has confirmed, for many made-up respondents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from statistics import mean
from typing import Any

import pytest
from playwright.sync_api import Browser

from survey.fieldwork.respondent import Respondent, respond
from survey.questionnaire import endings, xlsform
from survey.questionnaire.codes import MISSING_KEYS, codes
from survey.questionnaire.model import Questionnaire
from survey.questionnaire.path import Context, Entry, open_path
from survey.questionnaire.path import Path as Way
from survey.store import Store, drafts, frame
from survey.web.desk import frame_columns
from tests import field
from tests.keyboard import Hand, Served
from tests.outside import ROOT

pytestmark = pytest.mark.browser

SEED = 3
PEOPLE = 40
GOAL = 1.15
"""Key presses per question asked, apart from the letters of what is written in words."""


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


def made_up(questionnaire: Questionnaire, unit: dict[str, Any], seed: int) -> dict[str, tuple[Way, Entry]]:
    """What a made-up respondent says to each question, drawn by seed; nothing is chosen for its keys."""
    path = open_path(questionnaire, {}, Context(frame=frame_columns(unit), interview="one"))
    person = Respondent(0.5, fixed={"consent": "yes", "adult": "yes", "age": "35", "phone": "0912345678"})
    return {
        question: (change.path, change.path.entry(question)) for question, change in respond(path, person, Random(seed))
    }


def keys(entry: Entry) -> str:
    """The keys that say this answer, codes with blanks between."""
    value = entry.value
    if isinstance(value, dict):
        return MISSING_KEYS[value["missing"]]
    names = [choice.name for choice in entry.choices()]
    key = dict(zip(names, codes(names), strict=True))
    return " ".join(key[one] for one in value) if isinstance(value, list) else key.get(value, value)


def presses(path: Way, entry: Entry) -> tuple[int, int]:
    """How many keys this answer takes, Enter included; and how many of them are letters of words."""
    said = keys(entry)
    if isinstance(entry.value, dict):
        return 1, 0
    if not entry.choices():
        words = 0 if said.isdigit() else len(said)
        return len(said) + (not endings.is_full(path, entry)), words
    offered = codes([choice.name for choice in entry.choices()])
    typed = sum(len(code) + any(one != code and one.startswith(code) for one in offered) for code in said.split())
    done = isinstance(entry.value, list) and not endings.is_full(path, entry)
    return typed + done, 0


def held_down(hand: Hand, words: str) -> None:
    """Writes the last answer and keeps Enter down over the page that opens: nothing may be sealed by that."""
    hand.write(words)
    hand.page.keyboard.down("Enter")
    hand.presses += 1
    hand.at("button#onward")
    hand.page.wait_for_timeout(750)
    hand.page.keyboard.down("Enter")
    hand.page.keyboard.up("Enter")
    hand.page.wait_for_timeout(200)
    assert hand.page.url.endswith("/finish")


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
    asked = []
    last = list(said)[-1]
    while not hand.page.url.endswith("/finish"):
        here = hand.where()
        assert here["id"] != "onward", "the page goes on by itself wherever nothing is left to be read or asked"
        if here["path"] == last:
            held_down(hand, keys(said[last][1]))
            asked.append(last)
            break
        asked.append(hand.answer_here({here["path"].rpartition("/")[2]: keys(said[here["path"]][1])}))
    assert asked == list(said), "every question in its order, none twice and none left out"
    with Store.open(instance) as store:
        (draft,) = drafts.drafts(store)
        held = drafts.answers(store, draft["interview"])
    assert {path: held[path] for path in said} == {path: entry.value for path, (_, entry) in said.items()}
    counted = [presses(path, entry) for path, entry in said.values()]
    assert hand.presses == sum(all_keys for all_keys, _ in counted)
    written = sum(words for _, words in counted)
    print(f"{len(asked)} questions, {hand.presses} key presses, {written} of them letters of words")
    assert hand.presses - written <= GOAL * len(asked)
    hand.seal()
    assert hand.page.url.endswith("/today")
    hand.close()


def test_so_it_is_for_many_respondents(sipas: Questionnaire, instance: Path) -> None:
    with Store.open(instance) as store:
        unit = frame.unit(store, "u1")
        assert unit is not None
    everything, without_words, no_remark = [], [], []
    for seed in range(PEOPLE):
        said = made_up(sipas, unit, seed)
        counted = {path: presses(*answer) for path, answer in said.items()}
        total, words = (sum(column) for column in zip(*counted.values(), strict=True))
        optional = sum(counted[path][0] - 1 for path, (_, entry) in said.items() if not entry.required)
        everything.append(total / len(said))
        without_words.append((total - words) / len(said))
        no_remark.append((total - optional) / len(said))
    for what, ratios in (
        ("every key", everything),
        ("every key, the optional remark left empty", no_remark),
        ("without the letters of words", without_words),
    ):
        print(f"{what}: {mean(ratios):.3f} keys a question ({min(ratios):.3f} to {max(ratios):.3f})")
    assert mean(without_words) <= GOAL
