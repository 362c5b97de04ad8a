"""A comment at a question: on disk before it says so, sealed with the interview, read by the supervisor."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from flask import Flask

from survey.errors import InputError
from survey.store import Store, current, drafts, remarks
from tests import laptops
from tests.field import BINH, HOA, LAN, WHOLE, Interviewer, Visitor

REST: dict[str, str | list[str]] = {path: value for path, value in WHOLE.items() if path != "opening/consent"}
SAID = "Người trả lời nói to, chồng ngồi bên cạnh"


@pytest.fixture
def hoa(hoa: Interviewer) -> Interviewer:
    """Hoa, at the second section of an interview with consent given."""
    return hoa.consented()


def read_by(app: Flask, user: str, interview: str) -> str:
    person = Visitor(app)
    person.sign_in(user)
    return person.get(f"/interviews/{interview}").text


def test_a_comment_is_on_disk_when_it_says_saved_and_stands_at_its_question(device: Store, hoa: Interviewer) -> None:
    reply = hoa.comment("a/age", SAID)
    assert reply.headers["X-Answer"] == "saved"
    assert "đã lưu" in reply.text
    assert remarks.comments(device, hoa.interview) == {"a/age": SAID}
    assert SAID in hoa.open(2).text
    hoa.comment("a/age", " ")
    assert remarks.comments(device, hoa.interview) == {}
    assert SAID not in hoa.open(2).text


def test_a_comment_is_kept_in_one_normal_form_and_may_have_2000_characters(device: Store, hoa: Interviewer) -> None:
    long = "ệ" * 2_000
    assert hoa.comment("a/age", unicodedata.normalize("NFD", long)).headers["X-Answer"] == "saved"
    assert remarks.comments(device, hoa.interview)["a/age"] == long
    refused = hoa.comment("a/age", long + "x")
    assert refused.headers["X-Answer"] == "refused"
    assert "Ghi chú dài 2001 ký tự" in refused.text
    assert remarks.comments(device, hoa.interview)["a/age"] == long


def test_a_comment_does_not_disturb_answering(device: Store, hoa: Interviewer) -> None:
    hoa.comment("a/age", SAID)
    hoa.answers({"a/age": "47"})
    assert drafts.answers(device, hoa.interview)["a/age"] == "47"
    assert remarks.comments(device, hoa.interview) == {"a/age": SAID}


def test_an_older_window_cannot_write_a_comment(device: Store, hoa: Interviewer) -> None:
    older = hoa.lease
    hoa.open(2)
    hoa.lease, newer = older, hoa.lease
    reply = hoa.comment("a/age", SAID)
    assert (reply.status_code, reply.headers["X-Answer"]) == (409, "stale")
    assert "chưa được lưu" in reply.text
    assert remarks.comments(device, hoa.interview) == {}
    hoa.lease = newer
    assert hoa.comment("a/age", SAID).headers["X-Answer"] == "saved"


def test_the_supervisor_reads_it_at_the_answer_and_the_statistician_does_not(
    device: Store, app: Flask, hoa: Interviewer
) -> None:
    hoa.comment("a/age", SAID)
    hoa.answers(REST)
    hoa.finish()
    assert current.content(device, hoa.interview)["paradata"]["comments"] == {"a/age": SAID}
    page = read_by(app, LAN, hoa.interview)
    assert SAID in page[page.index("bao nhiêu tuổi") : page.index("có việc làm")]
    assert SAID not in read_by(app, BINH, hoa.interview)


def test_a_comment_at_a_question_that_is_no_longer_asked_is_read_too(app: Flask, hoa: Interviewer) -> None:
    hoa.answers({"a/job": "yes"})
    hoa.comment("a/what_job", SAID)
    hoa.answer("a/job", "no", why="confirm")
    hoa.answers({**REST, "a/job": "no"})
    hoa.finish()
    page = read_by(app, LAN, hoa.interview)
    assert "Ghi chú ở câu không còn được hỏi" in page
    assert SAID in page


def test_a_returned_interview_opens_with_its_comments(device: Store, app: Flask, hoa: Interviewer) -> None:
    hoa.comment("a/age", SAID)
    hoa.answers(REST)
    hoa.finish()
    current.decide(device, hoa.interview, "returned", reason="Hỏi lại tuổi", actor=LAN)
    hoa.get("/today")
    hoa.post(f"/interviews/{hoa.interview}/open-again")
    assert SAID in hoa.open(2).text


def test_a_comment_goes_with_an_unfinished_interview_to_the_next_laptop(device: Store, hoa: Interviewer) -> None:
    drafts.partials(device)
    hoa.comment("a/age", SAID)
    (partial,) = drafts.partials(device)
    assert current.content(device, hoa.interview, partial)["paradata"]["comments"] == {"a/age": SAID}
    device.execute("DELETE FROM drafts")
    drafts.take_over(device, hoa.interview, HOA)
    assert remarks.comments(device, hoa.interview) == {"a/age": SAID}


def test_consent_refused_leaves_no_comment(device: Store, hoa: Interviewer) -> None:
    hoa.comment("a/age", SAID)
    drafts.discard(device, hoa.interview)
    assert device.value("SELECT count(*) FROM draft_comments") == 0


def test_a_comment_on_no_draft_is_refused(device: Store) -> None:
    with pytest.raises(InputError):
        drafts.comment(device, "nowhere", "a/age", SAID)


def test_a_store_of_the_first_release_is_brought_up_to_date(instance: Path) -> None:
    Store.create(instance, "device", name="laptop").close()
    laptops.set_back_to_the_first_release(instance)
    with Store.open(instance) as store:
        interview = drafts.start(store, "u1", "sha256:0", HOA)
        drafts.comment(store, interview, "a/age", SAID)
        assert remarks.comments(store, interview) == {"a/age": SAID}
