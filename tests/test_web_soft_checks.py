"""Soft checks on the pages: an unusual answer stays with a reason, which the supervisor reads, or is changed."""

from __future__ import annotations

import pytest
from flask import Flask

from survey.store import Store, current, drafts, remarks
from tests.field import BINH, LAN, WHOLE, Interviewer, Visitor

WHY = "Cụ sinh năm 1922, đã xem căn cước"
REST: dict[str, str | list[str]] = {path: WHOLE[path] for path in WHOLE if path not in ("opening/consent", "a/age")}


@pytest.fixture
def hoa(hoa: Interviewer) -> Interviewer:
    """Hoa, at the second section of an interview with consent given."""
    return hoa.consented()


def test_an_unusual_answer_is_saved_and_the_page_asks(device: Store, hoa: Interviewer) -> None:
    reply = hoa.answer("a/age", "104")
    assert reply.headers["X-Answer"] == "saved"
    assert "Trên 100 tuổi?" in reply.text
    assert "Giữ nguyên, vì …" in reply.text
    assert drafts.answers(device, hoa.interview)["a/age"] == "104"
    assert "Trên 100 tuổi?" in hoa.open(2).text
    assert "Trên 100 tuổi?" not in hoa.answer("a/age", "84").text
    assert "Trên 100 tuổi?" not in hoa.open(2).text


def test_a_reason_is_kept_and_asked_again_only_when_the_answer_changes(device: Store, hoa: Interviewer) -> None:
    hoa.answers({"a/age": "104"})
    reply = hoa.comment("a/age", WHY, about="reason")
    assert reply.headers["X-Answer"] == "saved"
    assert WHY in reply.text
    hoa.answers({"a/job": "no"})
    assert WHY in hoa.open(2).text
    assert "Giữ nguyên, vì …</button>" not in hoa.open(2).text
    other = hoa.answer("a/age", "105").text
    assert WHY not in other
    assert "Giữ nguyên, vì …</button>" in other
    assert remarks.reasons(device, hoa.interview) == {}
    hoa.answers({"a/age": "104"})
    assert remarks.reasons(device, hoa.interview) == {"a/age": WHY}


def test_only_a_doubted_answer_has_a_reason(hoa: Interviewer) -> None:
    hoa.answers({"a/age": "84"})
    assert hoa.comment("a/age", WHY, about="reason").status_code == 404


def test_without_a_reason_the_interview_is_not_sealed(device: Store, app: Flask, hoa: Interviewer) -> None:
    hoa.answers({"a/age": "104", **REST})
    page = hoa.get(f"/interviews/{hoa.interview}/finish").text
    assert "Trên 100 tuổi?" in page
    assert f"/interviews/{hoa.interview}/2?at=a_2f_age" in page
    assert "Mọi câu cần hỏi đều đã có câu trả lời" not in page
    refused = hoa.finish()
    assert refused.status_code == 400
    assert "ít gặp chưa giải thích" in refused.text
    assert drafts.draft(device, hoa.interview) is not None
    hoa.open(2)
    hoa.comment("a/age", WHY, about="reason")
    assert "Trên 100 tuổi?" not in hoa.get(f"/interviews/{hoa.interview}/finish").text
    hoa.finish()
    content = current.content(device, hoa.interview)
    assert content["paradata"]["kept"] == {"a/age": {"reason": WHY, "value": "104"}}
    lan = Visitor(app)
    lan.sign_in(LAN)
    read = lan.get(f"/interviews/{hoa.interview}").text
    assert "Trên 100 tuổi?" in read
    assert WHY in read
    binh = Visitor(app)
    binh.sign_in(BINH)
    assert WHY not in binh.get(f"/interviews/{hoa.interview}").text


def test_an_unfinished_interview_is_not_sealed_without_the_reason_either(device: Store, hoa: Interviewer) -> None:
    hoa.answers({"a/age": "104"})
    assert hoa.finish("1.2").status_code == 400
    assert drafts.draft(device, hoa.interview) is not None


def test_a_reason_comes_along_when_the_interview_is_returned(device: Store, hoa: Interviewer) -> None:
    hoa.answers({"a/age": "104", **REST})
    hoa.comment("a/age", WHY, about="reason")
    hoa.finish()
    current.decide(device, hoa.interview, "returned", reason="Hỏi lại nghề", actor=LAN)
    hoa.get("/today")
    hoa.post(f"/interviews/{hoa.interview}/open-again")
    assert WHY in hoa.open(2).text
    hoa.answers({"a/job": "yes"})
    hoa.answers({"a/what_job": "Thợ rèn"})
    hoa.finish()
    assert current.content(device, hoa.interview)["paradata"]["kept"]["a/age"]["reason"] == WHY


def test_consent_refused_leaves_no_reason(device: Store, hoa: Interviewer) -> None:
    hoa.answers({"a/age": "104"})
    hoa.comment("a/age", WHY, about="reason")
    drafts.discard(device, hoa.interview)
    assert device.value("SELECT count(*) FROM draft_kept") == 0
