"""Private questions answered by the respondent alone: on disk, marked so, and shown to no enumerator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from survey.questionnaire.model import Questionnaire
from survey.store import Store, current, drafts, remarks
from tests import field
from tests.field import HOA, LAN, PIN, Interviewer
from tests.forms import form

SURVEY = """
type             | name    | label                  | relevant         | required | appearance | missing
begin_group      | opening | Opening                |                  |          |            |
select_one yn    | consent | Do you agree?          |                  | yes      |            |
end_group        |         |                        |                  |          |            |
begin_group      | p       | Payments               | ${consent}='yes' |          |            |
select_one yn    | used    | Used an office?        |                  | yes      |            |
select_one yn    | bribe   | Asked for money?       |                  | yes      | hoi-rieng  | dont_know refused
integer          | amount  | How much?              | ${bribe}='yes'   | yes      | private    | refused
text             | told    | Whom did you tell?     | ${bribe}='yes'   |          | private    |
end_group        |         |                        |                  |          |            |
"""
CHOICES = """
list_name | name | label
yn        | yes  | Yes
yn        | no   | No
"""


def private_form() -> Questionnaire:
    """A questionnaire with a private question, and two that follow from it."""
    return form(SURVEY, choices=CHOICES)


@pytest.fixture
def app(device: Store, instance: Path) -> Iterator[Flask]:
    field.set_up(device, private_form())
    with field.running(instance) as app:
        yield app


@pytest.fixture
def hoa(app: Flask) -> Interviewer:
    hoa = Interviewer(app)
    hoa.sign_in(HOA)
    hoa.post("/language", language="en")
    hoa.start("u1")
    hoa.open(1)
    hoa.answers({"opening/consent": "yes"})
    hoa.open(2)
    hoa.answers({"p/used": "no"})
    return hoa


def alone(hoa: Interviewer) -> str:
    return f"/interviews/{hoa.interview}/private"


def test_the_person_answers_alone_and_no_page_of_the_enumerator_tells_what(device: Store, hoa: Interviewer) -> None:
    page = hoa.post(alone(hoa) + "/2")
    assert "Asked for money?" in page.text
    hoa.post(alone(hoa), question="p/bribe", value="yes", lease=hoa.lease)
    hoa.post(alone(hoa), question="p/amount", value="123456", lease=hoa.lease)
    page = hoa.post(alone(hoa), question="p/told", value="the neighbour", lease=hoa.lease)
    assert "Thank you" in page.text
    assert drafts.answers(device, hoa.interview)["p/amount"] == "123456"
    hoa.post(alone(hoa) + "/back", pin=PIN)
    for page in (hoa.open(2), hoa.open(1), hoa.get(f"/interviews/{hoa.interview}/finish"), hoa.get("/today")):
        assert page.status_code == 200
        assert not any(said in page.text for said in ("123456", "the neighbour", "How much?", "4/4", "4 / 4"))
    assert "answered the private part alone" in hoa.open(2).text
    assert hoa.answer("p/bribe", "no").status_code == 404
    hoa.finish()
    paradata = current.content(device, hoa.interview)["paradata"]
    assert paradata["self_completed"] == ["p/amount", "p/bribe", "p/told"]
    assert [event["seconds"] for event in paradata["events"] if event["path"] == "p/amount"] == [0.0]


def test_while_the_screen_is_turned_over_no_other_page_opens(hoa: Interviewer) -> None:
    hoa.post(alone(hoa) + "/2")
    for path in ("/today", "/", "/hand-over", "/sign-in", f"/interviews/{hoa.interview}/2"):
        assert hoa.get(path).location == alone(hoa)
    refused = hoa.answer("p/used", "yes")
    assert (refused.status_code, refused.headers["X-Answer"]) == (401, "locked")
    assert hoa.post(alone(hoa) + "/back", pin="0000").status_code == 403
    assert hoa.get("/today").status_code == 302
    hoa.post(alone(hoa) + "/back", pin=PIN)
    assert hoa.get("/today").status_code == 200


def test_bad_answers_say_why_and_a_refusal_is_one(device: Store, hoa: Interviewer) -> None:
    hoa.post(alone(hoa) + "/2")
    assert "Please choose an answer" in hoa.post(alone(hoa), question="p/bribe", lease=hoa.lease).text
    hoa.post(alone(hoa), question="p/bribe", value="yes", lease=hoa.lease)
    assert "whole number" in hoa.post(alone(hoa), question="p/amount", value="much", lease=hoa.lease).text
    hoa.post(alone(hoa), question="p/amount", missing="refused", lease=hoa.lease)
    assert drafts.answers(device, hoa.interview)["p/amount"] == {"missing": "refused"}


def test_answering_again_does_not_show_the_answer_and_replaces_it(device: Store, hoa: Interviewer) -> None:
    hoa.post(alone(hoa) + "/2")
    hoa.post(alone(hoa), question="p/bribe", value="yes", lease=hoa.lease)
    page = hoa.get(alone(hoa), again="p/bribe")
    assert "Asked for money?" in page.text
    assert "checked" not in page.text
    hoa.post(alone(hoa), question="p/bribe", value="no", lease=hoa.lease)
    assert drafts.answers(device, hoa.interview)["p/bribe"] == "no"


def test_the_enumerator_can_erase_the_answers_unread_and_ask_again(device: Store, hoa: Interviewer) -> None:
    hoa.post(alone(hoa) + "/2")
    hoa.post(alone(hoa), question="p/bribe", value="no", lease=hoa.lease)
    hoa.post(alone(hoa) + "/back", pin=PIN)
    page = hoa.post(alone(hoa) + "/2/again")
    assert "Asked for money?" in page.text
    assert "p/bribe" not in drafts.answers(device, hoa.interview)
    assert remarks.alone(device, hoa.interview) == frozenset()
    hoa.answers({"p/bribe": "no"})


def test_who_corrects_a_returned_interview_still_does_not_see_the_answer(device: Store, hoa: Interviewer) -> None:
    hoa.post(alone(hoa) + "/2")
    hoa.post(alone(hoa), question="p/bribe", missing="dont_know", lease=hoa.lease)
    hoa.post(alone(hoa) + "/back", pin=PIN)
    hoa.finish()
    current.decide(device, hoa.interview, "returned", reason="Ask again", actor=LAN)
    hoa.get("/today")
    hoa.post(f"/interviews/{hoa.interview}/open-again")
    assert "answered the private part alone" in hoa.open(2).text
    assert "Asked for money?" not in hoa.open(2).text


def test_the_screen_is_turned_over_in_practice_too_and_says_that_it_is_practice(
    device: Store, hoa: Interviewer
) -> None:
    real = hoa.interview
    hoa.get("/practice")
    hoa.interview = hoa.post(f"/practice/{field.ROUND}/start", set="").request.path.split("/")[2]
    hoa.open(1)
    hoa.answers({"opening/consent": "yes"})
    page = hoa.post(alone(hoa) + "/2")
    assert "Asked for money?" in page.text
    assert "TRAINING" in page.text
    assert hoa.get("/today").location == alone(hoa)
    hoa.post(alone(hoa), question="p/bribe", value="no", lease=hoa.lease)
    assert hoa.post(alone(hoa) + "/back", pin="0000").status_code == 403
    hoa.post(alone(hoa) + "/back", pin=PIN)
    assert "answered the private part alone" in hoa.open(2).text
    assert "p/bribe" not in drafts.answers(device, real)
