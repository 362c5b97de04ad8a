"""Hôm nay: what to do now and in which order; visits without an interview."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from survey.store import Store, current, drafts, frame
from survey.web import today
from tests import field
from tests.field import HOA, WHOLE, Clock, Interviewer


def headings(page: str) -> list[str]:
    return re.findall(r"<h2>([^<]+)</h2>", page)


def test_the_one_big_button_starts_the_first_unit_of_the_main_list(hoa: Interviewer) -> None:
    page = hoa.get("/today").text
    assert "Phỏng vấn tiếp theo: Đặng Thị Hoà" in page
    assert page.count("next big") == 1


def test_an_open_draft_comes_before_the_next_interview(hoa: Interviewer) -> None:
    hoa.start("u2")
    hoa.answer("opening/consent", "yes")
    page = hoa.get("/today").text
    assert "Làm tiếp phiếu: Quàng Văn Ơn" in page
    assert headings(page) == ["Phiếu đang làm dở", "Đơn vị mẫu"]


def test_going_on_never_makes_a_second_interview(device: Store, hoa: Interviewer) -> None:
    hoa.start("u1")
    first = hoa.interview
    hoa.start("u1")
    assert hoa.interview == first
    assert len(current.interviews(device)) == 1


def test_a_unit_with_a_finished_interview_is_not_asked_again(device: Store, hoa: Interviewer) -> None:
    hoa.start("u1")
    hoa.answers(WHOLE)
    hoa.finish()
    again = hoa.post("/units/u1/start")
    assert "đã có phiếu" in again.text
    assert len(current.interviews(device)) == 1


def test_six_clicks_at_once_begin_one_interview(app: Flask, device: Store) -> None:
    people = [Interviewer(app) for _ in range(6)]
    for person in people:
        person.sign_in(HOA)
        person.get("/today")
    with ThreadPoolExecutor(len(people)) as pool:
        list(pool.map(lambda person: person.post("/units/u1/start"), people))
    assert len(current.interviews(device)) == 1


def test_a_returned_interview_is_opened_by_nobody_but_the_one_whose_unit_it_is(device: Store, hoa: Interviewer) -> None:
    hoa.start("u1")
    hoa.answers(WHOLE)
    hoa.finish()
    current.decide(device, hoa.interview, "returned", reason="Hỏi lại tuổi", actor="plan")
    frame.issue(device, "unit", "u1", {**field.unit_document("u1", 1), "assignee": "pother"}, {"name": "Đặng Thị Hoà"})
    assert hoa.post(f"/interviews/{hoa.interview}/open-again").status_code == 404
    assert drafts.draft(device, hoa.interview) is None


def test_returned_interviews_stand_first_with_the_supervisors_sentence(device: Store, hoa: Interviewer) -> None:
    hoa.start("u1")
    hoa.answers(WHOLE)
    hoa.finish()
    current.decide(device, hoa.interview, "returned", reason="Hỏi lại tuổi", actor="plan")
    page = hoa.get("/today").text
    assert headings(page)[0] == "Yêu cầu sửa"
    assert "Giám sát viên: “Hỏi lại tuổi”" in page
    for door in (f"/interviews/{hoa.interview}/open-again", "/units/u1/start"):
        assert "Giám sát viên yêu cầu sửa: “Hỏi lại tuổi”" in hoa.post(door).text
    hoa.open(2)
    hoa.answers({"a/age": "48"})
    hoa.finish()
    content = current.content(device, hoa.interview)
    assert (content["kind"], content["answers"]["a/age"]) == ("corrected", "48")
    assert "Yêu cầu sửa" not in headings(hoa.get("/today").text)
    assert len(frame.visits(device, "u1")) == 1


@pytest.mark.parametrize("query", ["dang thi hoa", "Đặng", "HOA", "1 khoang"])
def test_search_ignores_diacritics_and_case(hoa: Interviewer, query: str) -> None:
    found = hoa.get("/today/units", q=query).text
    assert "Đặng Thị Hoà" in found
    assert "Quàng Văn Ơn" not in found


def test_a_search_that_finds_nobody_says_so(hoa: Interviewer) -> None:
    assert "Không tìm thấy ai với “xyz”" in hoa.get("/today/units", q="xyz").text


def test_villages_follow_one_another_whole_and_by_number_with_the_reserve_after_the_main_list(
    device: Store, hoa: Interviewer
) -> None:
    for unit, village, order, kind in (
        ("u11", "Bản 18", 1, "main"),
        ("u12", "Bản 4", 1, "reserve"),
        ("u13", "Bản 4", 2, "main"),
        ("u14", "Bản 18", 2, "main"),
    ):
        document = field.unit_document(unit, order, kind) | {"village": unit, "village_name": village}
        frame.issue(device, "unit", unit, document, {"name": f"Người {unit}"})
    page = hoa.get("/today/units").text
    assert list(dict.fromkeys(re.findall(r"Bản \d+|Người u\d+", page))) == [
        *("Bản 4", "Người u13", "Người u12"),
        *("Bản 18", "Người u11", "Người u14"),
    ]


def test_units_of_other_people_are_not_shown(device: Store, hoa: Interviewer) -> None:
    frame.issue(device, "unit", "u9", {**field.unit_document("u9", 9), "assignee": "pother"}, {"name": "Người khác"})
    assert "Người khác" not in hoa.get("/today").text
    assert hoa.post("/units/u9/start").status_code == 404
    assert hoa.get("/units/u9/visit").status_code == 404


def test_a_visit_without_an_interview_is_recorded_in_aapor_codes(device: Store, hoa: Interviewer) -> None:
    page = hoa.get("/units/u1/visit").text
    assert "Không có ai ở nhà" in page
    done = hoa.post("/units/u1/visit", disposition="2.24", note="hàng xóm bảo đi nương", again="25/11/2026 18:30")
    assert "Đã lưu kết quả lần đến" in done.text
    (visit,) = frame.visits(device, "u1")
    assert (visit["disposition"], visit["again"]) == ("2.24", "2026-11-25T18:30")
    assert visit["time"].startswith("2026-11-23T09:00")
    assert "hàng xóm bảo đi nương" in hoa.get("/units/u1/visit").text


def test_a_call_back_is_due_from_its_day_on(hoa: Interviewer, clock: Clock) -> None:
    hoa.get("/units/u1/visit")
    hoa.post("/units/u1/visit", disposition="0.2", again="24/11/2026")
    assert "Đến lại" not in headings(hoa.get("/today").text)
    clock.go_on(minutes=20)
    clock.go_on(hours=23)
    hoa.sign_in(HOA)
    assert headings(hoa.get("/today").text)[0] == "Đến lại"


def test_after_a_refusal_nobody_is_sent_there_again(hoa: Interviewer) -> None:
    hoa.get("/units/u1/visit")
    hoa.post("/units/u1/visit", disposition="2.112")
    page = hoa.get("/today").text
    assert "Đến lại" not in headings(page)
    assert "Phỏng vấn tiếp theo: Quàng Văn Ơn" in page


@pytest.mark.parametrize("wrong", [{"disposition": ""}, {"disposition": "1.1"}, {"disposition": "9.9"}])
def test_a_visit_needs_a_result_that_can_be_recorded_by_hand(
    device: Store, hoa: Interviewer, wrong: dict[str, str]
) -> None:
    hoa.get("/units/u1/visit")
    page = hoa.post("/units/u1/visit", **wrong)
    assert page.status_code == 400
    assert "Chọn kết quả lần đến" in page.text
    assert frame.visits(device, "u1") == []


def test_an_appointment_that_cannot_be_read_keeps_what_was_written(device: Store, hoa: Interviewer) -> None:
    hoa.get("/units/u1/visit")
    page = hoa.post("/units/u1/visit", disposition="0.2", again="chiều mai", note="sau bữa cơm")
    assert page.status_code == 400
    assert 'value="chiều mai"' in page.text
    assert "sau bữa cơm" in page.text
    assert frame.visits(device, "u1") == []


def test_the_line_on_top_says_round_place_person_and_where_the_data_is(hoa: Interviewer) -> None:
    hoa.start("u1")
    hoa.answers(WHOLE)
    hoa.finish()
    line = re.sub(r"<[^>]+>|\s+", " ", hoa.get("/today").text.partition("<nav")[0])
    line = " ".join(line.split())
    assert "SIPAS 2026 · bản Khoang" in line
    assert "Lò Thị Hoa" in line
    assert "● máy này 1 ◐ giám sát viên 0 ○ tỉnh 0" in line


def test_a_synthetic_round_says_so_on_every_page(hoa: Interviewer) -> None:
    for page in ("/today", "/hand-over", "/units/u1/visit"):
        assert "dữ liệu giả lập" in hoa.get(page).text
    hoa.start("u1")
    assert "dữ liệu giả lập" in hoa.open(1).text


def test_a_pilot_round_says_so_on_every_page(hoa: Interviewer, device: Store) -> None:
    assert ">thí điểm<" not in hoa.get("/today").text
    frame.issue(device, "round", field.ROUND, {**frame.round_document(device, field.ROUND), "pilot": True})
    for page in ("/today", "/hand-over", "/units/u1/visit"):
        assert ">thí điểm<" in hoa.get(page).text
    hoa.start("u1")
    assert ">thí điểm<" in hoa.open(1).text


# -- long lists ---------------------------------------------------------------------------------------------------


def visited(device: Store, number: int, done: int) -> None:
    """Units in one village, of which the first ``done`` have refused."""
    for n in range(1, number + 1):
        frame.issue(device, "unit", f"m{n}", field.unit_document(f"m{n}", n), {"name": f"Người Số {n}"})
        if n <= done:
            visit = {"id": f"v{n}", "unit": f"m{n}", "disposition": "2.112", "time": "2026-11-23T08:00:00+07:00"}
            frame.issue(device, "visit", f"v{n}", visit)


def names(page: str) -> list[str]:
    return re.findall(r'title">Người Số (\d+)', page)


def test_what_is_still_to_do_stands_before_what_is_done(device: Store, hoa: Interviewer) -> None:
    visited(device, 6, done=3)
    page = hoa.get("/today/units", q="nguoi so").text
    assert names(page) == ["4", "5", "6", "1", "2", "3"]
    assert names(page.partition("Đã xong")[0]) == ["4", "5", "6"]


def test_no_limit_hides_a_unit_that_is_still_to_visit(device: Store, hoa: Interviewer) -> None:
    visited(device, 130, done=60)
    page = hoa.get("/today").text
    opened, _, finished = page.partition("Đã xong <span")
    assert names(opened) == [str(n) for n in range(61, 131)]
    assert len(names(finished)) == 50
    assert "Còn 10 đơn vị đã xong không hiện ở đây. Gõ vào ô tìm để thấy." in finished
    assert names(hoa.get("/today/units", q="so 60").text) == ["60"]


def test_more_open_units_than_a_page_holds_are_counted_with_the_way_to_find_them(
    device: Store, hoa: Interviewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(today, "OPEN_SHOWN", 5)
    visited(device, 9, done=0)
    page = hoa.get("/today/units", q="nguoi so").text
    assert len(names(page)) == 5
    assert "Còn 4 đơn vị mẫu chưa xong không hiện ở đây" in page
    assert names(hoa.get("/today", q="nguoi so 9").text) == ["9"]
