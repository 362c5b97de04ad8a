"""Bàn giao: a code over the telephone hands units, drafts and forms to somebody else, and both names stay."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from survey import create_app
from survey.errors import InputError, NotAllowed
from survey.fieldwork.handing import Scope, grouped, holds, make_code, number_of, read_code
from survey.store import Store, current, drafts, feed, fieldlog, frame, handing
from survey.sync.exchange import export, sync
from tests import field
from tests.field import HOA, LAN, WHOLE, Clock, Interviewer, Visitor

MAI = "pmai"
SCOPE = Scope(field.ROUND, HOA, MAI)


@given(st.integers(0, 15), st.integers(1, 9))
def test_one_wrong_digit_is_always_a_slip_and_never_a_wrong_code(place: int, by: int):
    code = make_code(SCOPE, "hash")
    wrong = code[:place] + str((int(code[place]) + by) % 10) + code[place + 1 :]
    with pytest.raises(InputError, match="not typed correctly"):
        read_code(wrong)
    assert read_code(grouped(code)) == code


def test_a_code_holds_for_its_scope_and_its_supervisor_alone():
    code = make_code(SCOPE, "hash", used=["0001"])
    assert number_of(code) != "0001"
    assert holds(code, SCOPE, "hash")
    assert not holds(code, SCOPE, "other hash")
    for other in (
        Scope(field.ROUND, HOA, MAI, "v"),
        Scope("r2027", HOA, MAI),
        Scope(field.ROUND, MAI, HOA),
        Scope(field.ROUND, LAN, MAI),
    ):
        assert not holds(code, other, "hash")


@pytest.fixture
def staff() -> tuple[field.Person, ...]:
    return (*field.PEOPLE, (MAI, "Vì Thị Mai", ["enumerator"]))


@pytest.fixture
def mai(app: Flask) -> Interviewer:
    person = Interviewer(app)
    person.sign_in(MAI)
    return person


def code_of(app: Flask, **fields: str) -> str:
    lan = Visitor(app)
    lan.sign_in(LAN)
    lan.get("/handing/code")
    page = lan.post("/handing/code", giver=HOA, taker=MAI, **fields).text
    found = re.search(r"\d{4} \d{4} \d{4} \d{4}", page)
    assert found is not None
    return found[0]


def test_units_drafts_and_forms_change_hands_and_both_names_stay_in_the_trail(
    app: Flask, device: Store, hoa: Interviewer, mai: Interviewer
):
    hoa.start("u1")
    hoa.answers({"opening/consent": "yes", "a/age": "47"})
    hoa.get("/units/u2/visit")
    hoa.post("/units/u2/visit", disposition="0.1")
    code = code_of(app)
    assert "Đặng Thị Hoà" not in mai.get("/today").text
    mai.get("/handing/take-over")
    done = mai.post("/handing/take-over", giver=HOA, village="", code=code)
    assert "Đã nhận từ Lò Thị Hoa: 4 đơn vị mẫu, 1 phiếu đang làm dở, 1 phiếu giấy chưa thu" in done.text
    assert {unit["assignee"] for unit in frame.units(device, field.ROUND)} == {MAI}
    assert frame.contact(device, "unit", "u1")["name"] == "Đặng Thị Hoà"
    assert hoa.answer("a/age", "48").status_code != 200 or "Đặng Thị Hoà" not in hoa.get("/today").text
    mai.start("u1")
    assert mai.interview == hoa.interview
    mai.answers(WHOLE)
    mai.finish()
    actors = [(header.kind, header.actor) for header in feed.revisions(device, "interview", mai.interview)]
    assert actors == [("partial", HOA), ("sealed", MAI)]
    (event,) = fieldlog.read(device, fieldlog.HANDOVER)
    assert (event["from"], event["to"], event["by"], event["forms"]) == (HOA, MAI, LAN, ["u2"])
    lan = Visitor(app)
    lan.sign_in(LAN)
    page = lan.get("/handing/code").text
    assert "Lò Thị Hoa → Vì Thị Mai" in page
    assert "không thấy nơi phát mã" not in page


def test_a_code_is_used_once_and_for_what_it_was_given(app: Flask, device: Store, mai: Interviewer, clock: Clock):
    code = code_of(app, village="03646-07")
    mai.get("/handing/take-over")
    wrong = mai.post("/handing/take-over", giver=HOA, village="", code=code)
    assert wrong.status_code == 400
    assert "không đúng cho việc bàn giao này" in wrong.text
    assert "Đã nhận từ" in mai.post("/handing/take-over", giver=HOA, village="03646-07", code=code).text
    frame.issue(device, "unit", "u1", field.unit_document("u1", 1), {"name": "Đặng Thị Hoà"})
    again = mai.post("/handing/take-over", giver=HOA, village="03646-07", code=code)
    assert "Mã này đã dùng rồi" in again.text


def test_guessing_is_slow(app: Flask, device: Store, clock: Clock):
    for _ in range(3):
        with pytest.raises(NotAllowed, match="not for this hand-over"):
            handing.accept(device, SCOPE, make_code(SCOPE, "a guess"), clock())
    with pytest.raises(NotAllowed, match="try again in 2 seconds"):
        handing.accept(device, SCOPE, make_code(SCOPE, "a guess"), clock())
    clock.go_on(seconds=3)
    right = handing.issue_code(device, SCOPE, LAN)
    assert handing.accept(device, SCOPE, right, clock()).units


def test_a_code_whose_making_nobody_recorded_is_pointed_out(app: Flask, device: Store, clock: Clock):
    pin = str((frame.person(device, LAN) or {})["pin"])
    handing.accept(device, SCOPE, make_code(SCOPE, pin), clock())
    lan = Visitor(app)
    lan.sign_in(LAN)
    assert "không thấy nơi phát mã" in lan.get("/handing/code").text


def test_an_interview_begun_on_a_broken_laptop_goes_on_at_another(device: Store, tmp_path: Path, clock: Clock):
    field.set_up(device, field.small(), (*field.PEOPLE, (MAI, "Vì Thị Mai", ["enumerator"])))
    interview = drafts.start(device, "u1", field.small().hash, HOA)
    drafts.save(device, interview, {"opening/consent": "yes", "a/age": "47"})
    stick = tmp_path / "stick"
    stick.mkdir()
    export(device, stick)
    with Store.create(tmp_path / "other", "device", name="other") as other:
        sync(other, [device.folder])
        app = create_app(other.folder, clock)
        mai = Interviewer(app)
        mai.sign_in(MAI)
        code = handing.issue_code(other, SCOPE, LAN)
        handed = handing.accept(other, SCOPE, code, clock())
        assert (len(handed.units), handed.left) == (4, [])
        # A laptop keeps answers of its own people's units only: the stick is read once more after the hand-over.
        sync(other, [device.folder])
        assert "Mở phiếu" in mai.get("/today").text
        mai.post(f"/interviews/{interview}/open-again")
        assert drafts.answers(other, interview)["a/age"] == "47"
        app.extensions["survey"].close()
        assert current.interviews(other, interview=interview)[0]["draft"]


@pytest.mark.parametrize(
    ("scope", "says"),
    [
        (Scope(field.ROUND, HOA, HOA), "giver and taker are the same"),
        (Scope(field.ROUND, "pnobody", MAI), "not known here"),
        (Scope(field.ROUND, LAN, MAI), "has no sample units"),
    ],
)
def test_a_hand_over_that_makes_no_sense_is_refused(app: Flask, device: Store, clock: Clock, scope: Scope, says: str):
    with pytest.raises(InputError, match=says):
        handing.accept(device, scope, handing.issue_code(device, scope, LAN), clock())
