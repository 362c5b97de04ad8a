"""The interview through its pages: every answer on disk before the reply, nothing typed lost, the path kept up."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from survey.store import Store, current, drafts, feed, frame
from tests import field
from tests.field import HOA, LAN, ROUND, WHOLE, Clock, Interviewer, Visitor


@pytest.fixture
def hoa(hoa: Interviewer) -> Interviewer:
    """Hoa, in the middle of an interview."""
    hoa.start("u1")
    return hoa


def saved(device: Store, hoa: Interviewer) -> drafts.Answers:
    return drafts.answers(device, hoa.interview)


# -- one answer ---------------------------------------------------------------------------------------------------


def test_saved_means_on_disk(device: Store, hoa: Interviewer) -> None:
    reply = hoa.answer("opening/consent", "yes")
    assert reply.headers["X-Answer"] == "saved"
    assert "đã lưu" in reply.text
    assert saved(device, hoa)["opening/consent"] == "yes"


def test_the_time_spent_on_a_question_is_kept(device: Store, hoa: Interviewer) -> None:
    hoa.answer("opening/consent", "yes", ms="2500")
    assert device.value("SELECT seconds FROM draft_events WHERE path = 'opening/consent'") == 2.5


def test_the_time_at_an_answer_that_stays_as_it_is_counts_too(device: Store, hoa: Interviewer) -> None:
    hoa.answer("opening/consent", "yes", ms="2500")
    told = hoa.post(f"/interviews/{hoa.interview}/times", question=["opening/consent", "no/such"], ms=["4000", "9"])
    assert told.status_code == 204
    hoa.answers(WHOLE)
    hoa.finish()
    (sealed,) = feed.revisions(device, "interview", hoa.interview)
    events = feed.part_json(device, sealed.id, "paradata")["events"]
    own = [(one["seconds"], one.get("same", False)) for one in events if one["path"] == "opening/consent"]
    assert own == [(2.5, False), (4.0, True)]
    assert not [one for one in events if one["path"] == "no/such"]


def test_what_a_page_sends_while_it_is_left_counts_unless_the_next_page_has_written(
    device: Store, hoa: Interviewer
) -> None:
    hoa.answer("opening/consent", "yes")
    hoa.open(2)
    left = hoa.lease
    hoa.open(2)
    parting = hoa.answer("a/age", "47", why="parting", lease=left)
    assert parting.headers["X-Answer"] == "saved"
    assert saved(device, hoa)["a/age"] == "47"
    late = hoa.answer("a/age", "48", why="parting", lease=left)
    assert late.headers["X-Answer"] == "stale"
    assert saved(device, hoa)["a/age"] == "47"


def test_the_frame_fills_hidden_questions_and_labels(hoa: Interviewer) -> None:
    assert "ở xã 03646" in hoa.open(1).text


def test_consent_is_a_gate(hoa: Interviewer) -> None:
    closed = hoa.open(1).text
    assert f"/interviews/{hoa.interview}/2" not in closed
    opened = hoa.answer("opening/consent", "yes").text
    assert f"/interviews/{hoa.interview}/2" in opened


def test_a_question_appears_when_its_condition_comes_true_and_goes_when_it_does_not(hoa: Interviewer) -> None:
    hoa.answer("opening/consent", "yes")
    page = hoa.open(2).text
    assert "Làm nghề gì?" not in page
    assert 'id="q-a_2f_what_job"' in page
    appeared = hoa.answer("a/job", "yes").text
    assert "Làm nghề gì?" in appeared
    gone = hoa.answer("a/job", "no").text
    assert 'id="q-a_2f_what_job"' in gone
    assert "Làm nghề gì?" not in gone


def test_an_answer_sends_back_only_what_changed(hoa: Interviewer) -> None:
    hoa.answer("opening/consent", "yes")
    hoa.open(2)
    reply = hoa.answer("a/channels", ["radio"]).text
    assert 'id="s-a_2f_channels"' in reply
    assert "Ông/Bà bao nhiêu tuổi?" not in reply
    assert "Biết tin qua kênh nào?" not in reply
    # Of the list of sections only the line whose count moved.
    assert 'id="step-2"' in reply
    assert 'id="step-1"' not in reply
    assert 'id="rail"' not in reply


def test_a_label_that_pipes_an_answer_in_is_sent_anew(hoa: Interviewer) -> None:
    hoa.answer("opening/consent", "yes")
    hoa.open(2)
    assert "Sinh khoảng năm 1979" in hoa.answer("a/age", "47").text
    assert "Sinh khoảng năm 1978" in hoa.answer("a/age", "48").text


def test_an_answer_outside_its_limits_is_refused_with_words_and_stays_in_its_box(
    device: Store, hoa: Interviewer
) -> None:
    hoa.answer("opening/consent", "yes")
    hoa.open(2)
    hoa.answers({"a/age": "47"})
    refused = hoa.answer("a/age", "170")
    assert refused.headers["X-Answer"] == "refused"
    assert "Ghi tuổi từ 18 đến 110" in refused.text
    assert "Câu trả lời trước vẫn được giữ: 47" in refused.text
    assert saved(device, hoa)["a/age"] == "47"
    assert 'value="170"' in hoa.open(2).text
    assert hoa.answer("a/age", "71").headers["X-Answer"] == "saved"
    assert 'value="170"' not in hoa.open(2).text


def test_while_someone_types_nobody_is_scolded(device: Store, hoa: Interviewer) -> None:
    hoa.answer("opening/consent", "yes")
    hoa.open(2)
    typing = hoa.answer("a/age", "4", why="typing")
    assert typing.headers["X-Answer"] == "waiting"
    assert "chưa lưu" in typing.text
    assert "Ghi tuổi" not in typing.text
    assert "a/age" not in saved(device, hoa)


def test_leaving_a_question_empty_is_no_fault(hoa: Interviewer) -> None:
    hoa.answer("opening/consent", "yes")
    hoa.open(2)
    assert hoa.answer("a/age", "").headers["X-Answer"] == "saved"


def test_emptying_a_required_answer_keeps_the_old_one_and_says_so(device: Store, hoa: Interviewer) -> None:
    hoa.answer("opening/consent", "yes")
    hoa.open(2)
    hoa.answers({"a/age": "47"})
    reply = hoa.answer("a/age", "")
    assert reply.headers["X-Answer"] == "refused"
    assert "vẫn được giữ: 47" in reply.text
    assert saved(device, hoa)["a/age"] == "47"


def test_a_kind_of_missing_answer_is_an_answer(device: Store, hoa: Interviewer) -> None:
    hoa.answer("opening/consent", "yes")
    hoa.open(2)
    hoa.answers({"a/age": "?refused"})
    assert saved(device, hoa)["a/age"] == {"missing": "refused"}
    assert "checked" in hoa.open(2).text


def test_a_choice_that_stands_alone_is_told_in_the_forms_own_words(hoa: Interviewer) -> None:
    hoa.answer("opening/consent", "yes")
    hoa.open(2)
    refused = hoa.answer("a/channels", ["radio", "none"])
    assert "Không kênh nào thì đứng một mình" in refused.text


def test_before_answers_leave_the_path_a_person_is_asked(device: Store, hoa: Interviewer) -> None:
    hoa.answer("opening/consent", "yes")
    hoa.open(2)
    hoa.answers({"a/job": "yes", "a/what_job": "làm ruộng"})
    asked = hoa.answer("a/job", "no")
    assert asked.headers["X-Answer"] == "ask"
    assert "1 câu trả lời ở mục “A. Người trả lời” sẽ không dùng nữa" in asked.text
    assert "Làm nghề gì? – làm ruộng" in asked.text
    assert saved(device, hoa)["a/job"] == "yes"
    assert hoa.answer("a/job", "no", why="confirm").headers["X-Answer"] == "saved"
    assert saved(device, hoa)["a/job"] == "no"
    assert "làm ruộng" in hoa.answer("a/job", "yes").text


def test_keeping_the_old_answer_shows_it_again(hoa: Interviewer) -> None:
    hoa.answer("opening/consent", "yes")
    hoa.open(2)
    hoa.answers({"a/job": "yes", "a/what_job": "làm ruộng"})
    hoa.answer("a/job", "no")
    kept = hoa.answer("a/job", "no", why="keep")
    assert kept.headers["X-Answer"] == "saved"
    assert 'value="yes" data-key="1" checked' in kept.text


def test_no_answer_is_taken_for_a_question_that_does_not_exist(hoa: Interviewer) -> None:
    assert hoa.answer("a/nothing", "1").status_code == 404


def test_a_very_long_answer_and_a_pasted_table_are_kept_whole(device: Store, hoa: Interviewer) -> None:
    hoa.answer("opening/consent", "yes")
    hoa.open(2)
    hoa.answers({"a/job": "yes"})
    text = "Đức\tHoà\n" * 400 + "\u202e🙂"
    hoa.answers({"a/what_job": text})
    assert saved(device, hoa)["a/what_job"] == text


# -- pages --------------------------------------------------------------------------------------------------------


def test_a_battery_is_a_grid_with_the_scale_once_and_a_key_on_every_button(hoa: Interviewer) -> None:
    hoa.answer("opening/consent", "yes")
    page = hoa.open(3).text
    assert page.count('class="grid columns-8"') == 1
    assert page.count('role="radiogroup"') == 3
    assert page.count("<b>4</b>Hài lòng") == 1
    assert page.count('aria-label="4 Hài lòng"') == 3


def test_the_language_of_the_questions_changes_in_the_middle(hoa: Interviewer) -> None:
    hoa.answer("opening/consent", "yes")
    hoa.open(2)
    hoa.answers({"a/age": "47"})
    page = hoa.post("/language", language="en", next=f"/interviews/{hoa.interview}/2").text
    assert "How old are you?" in page
    assert "saved" in page
    assert "Write an age from 18 to 110" in hoa.answer("a/age", "3").text


def test_the_interview_goes_on_where_it_stopped(hoa: Interviewer) -> None:
    hoa.answer("opening/consent", "yes")
    hoa.open(2)
    hoa.answers({"a/age": "47"})
    page = hoa.get(f"/interviews/{hoa.interview}/continue")
    assert page.location.endswith("/2")
    assert 'data-start="q-a_2f_job"' in hoa.open(2).text


def test_after_a_restart_nothing_that_was_confirmed_is_gone(
    device: Store, hoa: Interviewer, instance: Path, clock: Clock
) -> None:
    hoa.answer("opening/consent", "yes")
    hoa.open(2)
    hoa.answers({"a/age": "47", "a/job": "no"})
    with field.running(instance, clock) as restarted:
        again = Interviewer(restarted)
        again.sign_in(HOA)
        again.interview = hoa.interview
        page = again.open(2).text
        assert 'value="47"' in page
        assert "2 / 3 đã trả lời" in page


def test_a_page_that_outlives_a_restart_goes_on_saving(
    device: Store, hoa: Interviewer, instance: Path, clock: Clock
) -> None:
    hoa.answer("opening/consent", "yes")
    hoa.open(2)
    with field.running(instance, clock) as restarted:
        hoa.client.application = restarted
        reply = hoa.answer("a/age", "47")
        assert reply.headers["X-Answer"] == "saved"
        assert 'id="questions"' in reply.text
        assert saved(device, hoa)["a/age"] == "47"


def test_of_two_windows_the_older_one_is_told_and_loses_nothing(device: Store, hoa: Interviewer) -> None:
    hoa.answer("opening/consent", "yes")
    hoa.open(2)
    old = hoa.lease
    hoa.open(2)
    new, hoa.lease = hoa.lease, old
    stale = hoa.answer("a/age", "47")
    assert (stale.status_code, stale.headers["X-Answer"]) == (409, "stale")
    assert "đang mở ở một cửa sổ khác" in stale.text
    assert "a/age" not in saved(device, hoa)
    hoa.post(f"/interviews/{hoa.interview}/lease")
    assert hoa.lease not in (old, new)
    assert hoa.answer("a/age", "47").headers["X-Answer"] == "saved"


def test_an_interview_is_only_for_the_one_who_makes_it_and_the_supervisor(
    app: Flask, device: Store, hoa: Interviewer
) -> None:
    frame.issue(device, "user", "pmay", {"id": "pmay", "name": "May", "roles": ["enumerator"], "pin": _pin(device)})
    other = Visitor(app)
    other.sign_in("pmay")
    assert other.get(f"/interviews/{hoa.interview}/1").status_code == 404
    lan = Visitor(app)
    lan.sign_in(LAN)
    assert lan.get(f"/interviews/{hoa.interview}/1").status_code == 200


def _pin(device: Store) -> str:
    person = frame.person(device, HOA)
    assert person is not None
    return str(person["pin"])


def test_locked_in_the_middle_the_page_is_told_and_goes_on_after_the_pin(
    device: Store, hoa: Interviewer, clock: Clock
) -> None:
    clock.go_on(minutes=45)
    away = hoa.answer("opening/consent", "yes")
    assert (away.status_code, away.headers["X-Answer"]) == (401, "locked")
    page, lease = hoa.token, hoa.lease
    hoa.sign_in(HOA)
    hoa.token, hoa.lease = page, lease
    assert hoa.answer("opening/consent", "yes").headers["X-Answer"] == "saved"


# -- repeats ------------------------------------------------------------------------------------------------------


def repeat(hoa: Interviewer, **what: str) -> str:
    reply = hoa.client.post(
        f"/interviews/{hoa.interview}/repeat",
        base_url=field.ADDRESS,
        data={"lease": hoa.lease, **what},
        headers={"X-CSRFToken": hoa.token, "HX-Request": "true"},
    )
    assert reply.status_code == 200
    return reply.text


def test_instances_of_a_repeat_are_added_and_taken_away(device: Store, hoa: Interviewer) -> None:
    hoa.answer("opening/consent", "yes")
    page = hoa.open(5).text
    assert page.count("Tên gọi") == 1
    assert repeat(hoa, add="member").count("Tên gọi") == 2
    first, second = saved(device, hoa)["member"]
    hoa.answers({f"member[{second}]/member_name": "Ơn"})
    left = repeat(hoa, remove=f"member[{first}]")
    assert left.count("Tên gọi") == 1
    assert 'value="Ơn"' in left
    assert saved(device, hoa)["member"] == [second]


def test_a_repeat_that_was_emptied_can_begin_again(device: Store, hoa: Interviewer) -> None:
    hoa.answer("opening/consent", "yes")
    hoa.open(5)
    repeat(hoa, add="member")
    for instance in list(saved(device, hoa)["member"]):
        page = repeat(hoa, remove=f"member[{instance}]")
    assert "Tên gọi" not in page
    assert "Thêm: Thành viên" in page
    assert "Tên gọi" in repeat(hoa, add="member")


# -- the end ------------------------------------------------------------------------------------------------------


def test_the_review_page_lists_what_is_open_with_links(hoa: Interviewer) -> None:
    hoa.answers({key: value for key, value in WHOLE.items() if key not in ("a/age", "b/b3")})
    page = hoa.get(f"/interviews/{hoa.interview}/finish").text
    assert "<b>2</b> câu còn để ngỏ" in page
    assert f'href="/interviews/{hoa.interview}/2?at=a_2f_age"' in page
    assert f'href="/interviews/{hoa.interview}/3?at=b_2f_b3"' in page
    assert 'data-start="q-b_2f_b3"' in hoa.get(f"/interviews/{hoa.interview}/3", at="b_2f_b3").text


def test_a_finished_interview_is_sealed_with_its_visit(device: Store, hoa: Interviewer) -> None:
    hoa.answers({**WHOLE, "c/phone": "0912345678"})
    done = hoa.finish()
    assert done.request.path == "/today"
    assert "đã hoàn thành và được khóa" in done.text
    assert drafts.draft(device, hoa.interview) is None
    content = current.content(device, hoa.interview)
    assert content["kind"] == "sealed"
    assert content["answers"]["b/b2"] == {"missing": "refused"}
    assert content["answers"]["a/birth"] == "1979"
    assert content["answers"]["opening/commune"] == "03646"
    assert content["contact"] == {"c/phone": "0912345678"}
    assert "0912345678" not in str(content["answers"]) + str(content["off_path"]) + str(content["paradata"])
    assert len(content["paradata"]["events"]) >= len(WHOLE)
    (visit,) = frame.visits(device, "u1")
    assert (visit["disposition"], visit["interview"]) == ("1.1", hoa.interview)


def test_answers_off_the_path_are_sealed_apart(device: Store, hoa: Interviewer) -> None:
    hoa.answers({"opening/consent": "yes", "a/job": "yes", "a/what_job": "làm ruộng"})
    hoa.answer("a/job", "no", why="confirm")
    hoa.answers({key: value for key, value in WHOLE.items() if key != "opening/consent"})
    hoa.finish()
    content = current.content(device, hoa.interview)
    assert content["off_path"] == {"a/what_job": "làm ruộng"}
    assert "a/what_job" not in content["answers"]


def test_an_interview_with_open_questions_is_not_sealed_as_finished(device: Store, hoa: Interviewer) -> None:
    hoa.answers({"opening/consent": "yes"})
    page = hoa.finish("1.1")
    assert page.status_code == 400
    assert "Chọn một lý do" in page.text
    assert drafts.draft(device, hoa.interview) is not None


def test_an_interview_that_broke_off_is_sealed_as_that(device: Store, hoa: Interviewer) -> None:
    hoa.answers({"opening/consent": "yes", "a/age": "47"})
    hoa.finish("2.12")
    assert current.content(device, hoa.interview)["paradata"]["disposition"] == "2.12"


def test_refused_consent_leaves_the_visit_and_nothing_else(device: Store, hoa: Interviewer) -> None:
    hoa.answers({"opening/consent": "no"})
    page = hoa.get(f"/interviews/{hoa.interview}/finish")
    assert "không đồng ý tham gia" in page.text
    done = hoa.post(f"/interviews/{hoa.interview}/refused", lease=hoa.lease)
    assert "Không câu trả lời nào được giữ" in done.text
    assert drafts.draft(device, hoa.interview) is None
    assert list(feed.revisions(device, "interview")) == []
    (visit,) = frame.visits(device, "u1")
    assert visit["disposition"] == "2.112"
    assert "interview" not in visit


def test_refused_consent_cannot_be_sealed(device: Store, hoa: Interviewer) -> None:
    hoa.answers({"opening/consent": "no"})
    hoa.finish("1.1")
    assert list(feed.revisions(device, "interview")) == []


def test_sealing_from_an_old_window_is_refused(device: Store, hoa: Interviewer) -> None:
    hoa.answers(WHOLE)
    hoa.get(f"/interviews/{hoa.interview}/finish")
    old = hoa.lease
    hoa.get(f"/interviews/{hoa.interview}/finish")
    page = hoa.post(f"/interviews/{hoa.interview}/finish", disposition="1.1", lease=old)
    assert "ở một cửa sổ khác" in page.text
    assert drafts.draft(device, hoa.interview) is not None


def test_a_round_whose_questionnaire_has_not_come_is_said_in_words(device: Store, hoa: Interviewer) -> None:
    document = frame.round_document(device, ROUND)
    frame.issue(device, "round", ROUND, {**document, "questionnaire_hash": "sha256:" + "0" * 64})
    page = hoa.post("/units/u2/start")
    assert page.status_code == 400
    assert "chưa có bảng hỏi" in page.text


def test_one_open_question_is_told_in_the_singular(hoa: Interviewer) -> None:
    hoa.start("u1")
    hoa.post("/language", language="en", next="/today")
    finish = f"/interviews/{hoa.interview}/finish"
    assert "<b>1</b> question is still open." in hoa.get(finish).text
    hoa.open(1)
    hoa.answers({"opening/consent": "yes"})
    assert "questions are still open." in hoa.get(finish).text
