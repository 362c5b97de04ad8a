"""Marks to come back to, stopping an interview with an appointment, and how an unfinished one may end."""

from __future__ import annotations

import pytest
from werkzeug.test import TestResponse

from survey.store import Store, drafts, frame, reading, remarks
from tests import field
from tests.field import HOA, WHOLE, Clock, Interviewer


@pytest.fixture
def hoa(hoa: Interviewer) -> Interviewer:
    """Hoa, at the second section of an interview with consent given."""
    hoa.start("u1")
    hoa.answers({"opening/consent": "yes"})
    hoa.open(2)
    return hoa


def flag(hoa: Interviewer, question: str, lease: str = "") -> TestResponse:
    """Turns the mark at a question on the page that is open, as its script does."""
    return hoa.client.post(
        f"/interviews/{hoa.interview}/flag",
        base_url=field.ADDRESS,
        data={"question": question, "lease": lease or hoa.lease},
        headers={"X-CSRFToken": hoa.token, "HX-Request": "true"},
    )


def test_a_mark_is_on_disk_stands_at_its_question_on_the_rail_and_on_the_finish_page(
    device: Store, hoa: Interviewer
) -> None:
    reply = flag(hoa, "a/age")
    assert reply.headers["X-Answer"] == "saved"
    assert remarks.flags(device, hoa.interview) == {"a/age"}
    assert "⚑ xem lại sau" in reply.text
    assert "⚑ 1" in reply.text
    assert hoa.get(f"/interviews/{hoa.interview}/2").text.count("⚑ xem lại sau") == 1
    assert "Câu đã đánh dấu xem lại sau:" in hoa.get(f"/interviews/{hoa.interview}/finish").text
    hoa.open(2)
    flag(hoa, "a/age")
    assert remarks.flags(device, hoa.interview) == frozenset()
    assert "⚑" not in hoa.get(f"/interviews/{hoa.interview}/finish").text


def test_an_answer_keeps_the_mark_and_a_question_that_is_not_asked_any_more_is_not_listed(
    device: Store, hoa: Interviewer
) -> None:
    hoa.answer("a/job", "yes")
    flag(hoa, "a/what_job")
    assert hoa.answer("a/what_job", "làm ruộng").headers["X-Answer"] == "saved"
    assert remarks.flags(device, hoa.interview) == {"a/what_job"}
    assert "⚑ 1" in hoa.get(f"/interviews/{hoa.interview}/3").text
    hoa.open(2)
    hoa.answer("a/job", "no", why="confirm")
    assert "⚑" not in hoa.get(f"/interviews/{hoa.interview}/finish").text


def test_an_older_window_marks_nothing_and_no_mark_stands_where_there_is_no_question(
    device: Store, hoa: Interviewer
) -> None:
    assert flag(hoa, "a/age", lease="0000").headers["X-Answer"] == "stale"
    assert flag(hoa, "a/nothing").status_code == 404
    assert remarks.flags(device, hoa.interview) == frozenset()


def test_marks_are_sealed_with_the_interview_and_come_back_with_it(device: Store, hoa: Interviewer) -> None:
    flag(hoa, "a/age")
    hoa.answers({path: value for path, value in WHOLE.items() if path != "opening/consent"})
    hoa.finish()
    assert reading.content(device, hoa.interview)["paradata"]["flags"] == ["a/age"]
    drafts.take_over(device, hoa.interview, HOA)
    assert remarks.flags(device, hoa.interview) == {"a/age"}


def test_stopping_records_the_visit_with_its_appointment_and_keeps_the_draft(
    device: Store, hoa: Interviewer, clock: Clock
) -> None:
    hoa.answer("a/age", "47")
    assert (
        hoa.post(f"/interviews/{hoa.interview}/postpone", follow=False, again="25/12/2026 18:30").location == "/today"
    )
    (visit,) = frame.visits(device, "u1")
    assert (visit["disposition"], visit["again"], visit["interview"]) == ("0.2", "2026-12-25T18:30", hoa.interview)
    assert drafts.answers(device, hoa.interview)["a/age"] == "47"
    today = hoa.get("/today").text
    assert "hẹn 25/12/2026 18:30" in today
    assert "Làm tiếp phiếu:" not in today, "the one thing to do next is not what waits for a later day"
    clock.go_on(days=32)
    assert "Làm tiếp phiếu:" in hoa.sign_in(HOA).text


def test_an_appointment_that_cannot_be_read_is_said_and_stays_in_its_box(device: Store, hoa: Interviewer) -> None:
    page = hoa.post(f"/interviews/{hoa.interview}/postpone", again="chiều mai").text
    assert 'value="chiều mai"' in page
    assert "note look" in page
    assert frame.visits(device, "u1") == []


def test_an_interview_that_the_person_cannot_finish_is_sealed_with_that_reason(device: Store, hoa: Interviewer) -> None:
    hoa.get(f"/interviews/{hoa.interview}/finish")
    page = hoa.post(f"/interviews/{hoa.interview}/finish", disposition="2.31")
    assert page.status_code == 400, "nobody who has died answered the first questions"
    hoa.finish("2.32")
    assert reading.content(device, hoa.interview)["paradata"]["disposition"] == "2.32"
    assert [visit["disposition"] for visit in frame.visits(device, "u1")] == ["2.32"]
