"""Review where it is delicate: two approvals, what stays for reading, two hubs that disagree, a return that outlives an
unfinished correction, a questionnaire that is gone, rounds with nothing in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from survey.errors import InputError
from survey.fieldwork.reviewing import Rule, Waiting, kept_for_reading
from survey.store import Store, board, current, drafts, frame, lists
from survey.store.where import Where
from survey.sync import exchange
from tests import field
from tests.field import BINH, HOA, LAN, ROUND, Visitor


@pytest.fixture
def office(hub: Store) -> Store:
    field.set_up(hub, field.small())
    return hub


@pytest.fixture
def app(office: Store) -> Iterator[Flask]:
    with field.running(office.folder) as app:
        yield app


@pytest.fixture
def lan(app: Flask) -> Visitor:
    person = Visitor(app)
    person.sign_in(LAN)
    return person


# -- what stays for reading -------------------------------------------------------------------------------------------


def test_about_the_share_stays_for_reading_and_the_first_of_everybody() -> None:
    waiting = [Waiting(f"i{n}", f"p{n % 10}", n < 10) for n in range(2_000)]
    kept = kept_for_reading(waiting, 0.1, "2026/r2026")
    assert {f"i{n}" for n in range(10)} <= kept
    assert 150 < len(kept) < 260
    assert kept_for_reading(waiting, 0.1, "another") != kept


def test_a_second_pass_keeps_what_the_first_one_kept_whatever_came_meanwhile() -> None:
    first = [Waiting(f"i{n}", "p", False) for n in range(300)]
    kept = kept_for_reading(first, 0.2, "seed")
    later = [one for one in first if one.interview in kept] + [Waiting(f"j{n}", "p", False) for n in range(300)]
    assert kept_for_reading(later, 0.2, "seed") & {one.interview for one in first} == kept


@pytest.mark.parametrize("told", [None, "yes", {"share": "much"}, {"share": 7}, {"second": "yes"}])
def test_a_rule_that_says_nonsense_is_the_usual_one(told: object) -> None:
    assert Rule.of({"review": told}) == Rule()


# -- two approvals ------------------------------------------------------------------------------------------------


def test_the_second_approval_is_another_persons_and_comes_after_the_first(office: Store) -> None:
    interview = field.sealed(office, "u1", field.small())
    with pytest.raises(InputError, match="no supervisor has approved"):
        current.decide(office, interview, "approved", actor=BINH, second=True)
    current.decide(office, interview, "approved", actor=LAN)
    with pytest.raises(InputError, match="two people's"):
        current.decide(office, interview, "approved", actor=LAN, second=True)
    current.decide(office, interview, "approved", actor=BINH, second=True)
    told = current.decisions(office, interview)
    assert [(one["actor"], one["second"], one["standing"]) for one in told] == [(LAN, False, True), (BINH, True, True)]
    current.decide(office, interview, "returned", reason="tuổi", actor=LAN)
    assert [one["standing"] for one in current.decisions(office, interview)] == [False, False, True]
    assert current.interviews(office)[0]["state"] == "returned"


def test_without_the_rule_one_approval_is_enough(office: Store) -> None:
    interview = field.sealed(office, "u1", field.small())
    current.decide(office, interview, "approved", actor=LAN)
    assert [found[0] for found in current.responses(office, ROUND)] == [interview]


# -- two hubs -----------------------------------------------------------------------------------------------------


def test_two_supervisors_who_decide_differently_lead_the_queue_until_one_more_decision(
    office: Store, tmp_path: Path, lan: Visitor
) -> None:
    calm, torn = (field.sealed(office, unit, field.small()) for unit in ("u1", "u2"))
    with Store.create(tmp_path / "second", "hub", name="máy chủ hai") as second:
        exchange.export(office, tmp_path / "a", plain=True)
        exchange.sync(second, [tmp_path / "a"])
        current.decide(second, torn, "voided", reason="nhầm hộ", actor="pkhac")
        exchange.export(second, tmp_path / "b", plain=True)
    current.decide(office, torn, "approved", actor=LAN)
    exchange.sync(office, [tmp_path / "b"])
    board.refresh(office)
    queue = [row["interview"] for row in lists.interviews(office, Where(state="sealed"), order="risk").rows]
    assert queue == [torn, calm]
    page = lan.get("/review").text
    assert "trái ngược" in lan.get(f"/interviews/{torn}").text
    assert torn in lan.get("/review").location or torn in page
    head = current.content(office, torn)["head"]
    lan.post(f"/interviews/{torn}/decide", kind="approved", head=head)
    assert current.interviews(office, interview=torn)[0]["state"] == "approved"
    assert "trái ngược" not in lan.get(f"/interviews/{torn}").text


# -- a return -----------------------------------------------------------------------------------------------------


def test_an_unfinished_correction_that_was_handed_over_is_still_asked_the_same(office: Store) -> None:
    interview = field.sealed(office, "u1", field.small())
    current.decide(office, interview, "commented", reason="xem lại kênh", question="a/channels", actor=LAN)
    assert current.asked_again(office, interview) == []
    current.decide(office, interview, "returned", reason="hỏi lại tuổi", question="a/age", actor=LAN)
    drafts.take_over(office, interview, HOA)
    drafts.save(office, interview, {"a/age": "51"})
    drafts.partials(office)
    assert current.interviews(office, interview=interview)[0]["state"] == "draft"
    asked = {told["question"]: told["reason"] for told in current.asked_again(office, interview)}
    assert asked == {"a/channels": "xem lại kênh", "a/age": "hỏi lại tuổi"}
    drafts.seal(office, interview, {"a/age": "51"}, {}, {}, {}, HOA, "corrected")
    assert current.asked_again(office, interview) == []


def test_a_returned_interview_whose_questionnaire_is_gone_is_told_and_nothing_is_begun(
    device: Store, instance: Path
) -> None:
    field.set_up(device, field.small())
    interview = drafts.start(device, "u1", "sha256:" + "00" * 32, HOA)
    drafts.seal(device, interview, {"a/age": "47"}, {}, {}, {}, HOA)
    current.decide(device, interview, "returned", reason="hỏi lại tuổi", question="a/age", actor=LAN)
    with field.running(instance) as app:
        hoa = Visitor(app)
        hoa.sign_in(HOA)
        assert "hỏi lại tuổi" in hoa.get("/mine").text
        page = hoa.post(f"/interviews/{interview}/open-again")
        assert "Máy này chưa có bảng hỏi của phiếu này" in page.text
        assert drafts.drafts(device) == []


# -- rounds with nothing in them ------------------------------------------------------------------------------------

PAGES = ("/progress", "/progress?by=person", "/progress?by=day", "/progress/units", "/review/bulk", "/people")


@pytest.mark.parametrize("page", PAGES)
def test_a_hub_without_a_round_says_so(hub: Store, page: str) -> None:
    person = {"id": LAN, "name": "Lan", "roles": ["supervisor"], "pin": frame.hash_pin(field.PIN)}
    frame.issue(hub, "user", LAN, person)
    with field.running(hub.folder) as app:
        lan = Visitor(app)
        lan.sign_in(LAN)
        assert lan.client.get(page, base_url=field.ADDRESS, follow_redirects=True).status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_a_round_without_sample_places_or_interviews_is_shown(office: Store, lan: Visitor, page: str) -> None:
    bare = {"id": "rbare", "title": {"vi": "Đợt trống"}, "questionnaire_hash": field.small().hash}
    frame.issue(office, "round", "rbare", bare)
    frame.issue(office, "unit", "x1", {"id": "x1", "round": "rnoplace", "list": "main"})
    frame.issue(office, "round", "rnoplace", {**bare, "id": "rnoplace"})
    for round in ("rbare", "rnoplace", ROUND):
        query = "&" if "?" in page else "?"
        answer = lan.client.get(f"{page}{query}round={round}", base_url=field.ADDRESS)
        assert answer.status_code == 200, (page, round)
        assert "nan" not in answer.text.casefold().split()


def test_while_the_board_is_made_from_nothing_its_pages_say_so_and_the_others_count_all(
    office: Store, lan: Visitor
) -> None:
    field.sealed(office, "u1", field.small())
    current.rebuild(office)
    with Store.open(office.folder) as other, other.transaction():
        for page in ("/progress", "/interviews", "/today", "/people", "/review/bulk"):
            answer = lan.client.get(page, base_url=field.ADDRESS)
            assert "Máy đang lập bảng theo dõi" in answer.text, page
            assert answer.headers["Refresh"] == "0"
            assert "Còn 4 đơn vị mẫu" in answer.text
        assert "máy chủ này <b>1</b>" in lan.get("/hand-over").text
    assert "Máy đang lập bảng theo dõi" not in lan.get("/progress").text


def test_interviews_of_one_enumerator_with_one_and_another_with_none_are_counted(office: Store, lan: Visitor) -> None:
    frame.issue(office, "user", "pmot", {"id": "pmot", "name": "Người Chưa Làm", "roles": ["enumerator"]})
    frame.issue(office, "unit", "u9", field.unit_document("u9", 9) | {"assignee": "pmot"}, {"name": "Ai đó"})
    field.sealed(office, "u1", field.small())
    page = lan.get("/progress", by="person").text
    assert "Người Chưa Làm" in page
    assert "Lò Thị Hoa" in page
