"""Keying forms from paper: what it says is never refused, a rule of the round judges it, two people key blind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from survey.errors import InputError, NotUnderstood
from survey.paper import double, validity
from survey.paper.fields import fields, read, words, written
from survey.paper.states import Form, form_id
from survey.paper.validity import Rule
from survey.questionnaire import xlsform
from survey.questionnaire.model import MISSING
from survey.store import Store, current, drafts, feed, frame, keying, paper, verify
from tests import field
from tests.field import HOA, LAN, ROUND, Visitor
from tests.forms import begin
from tests.test_paper_forms import NOW, number

BOXES = fields(field.small())

# -- one box -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "keyed", "answer"),
    [
        ("opening/consent", "1", "yes"),
        ("a/age", "17", "17"),
        ("a/age", "-", {"missing": "blank"}),
        ("a/age", ".", {"missing": "multiple"}),
        ("a/age", ",", {"missing": "multiple"}),
        ("a/age", "*", {"missing": "refused"}),
        ("a/channels", "13", ["radio", "none"]),
        ("a/channels", "3 1", ["radio", "none"]),
        ("b/b1", "4", "4"),
        ("b/b1", "/", {"missing": "dont_know"}),
        ("c/hours", "2,5", "2.5"),
        ("c/day", "05032026", "2026-03-05"),
        ("c/order", "312", None),
        ("c/mark", "10", "10"),
        ("c/read_out", "1", "OK"),
        ("c/phone", "0912 345 678", "0912 345 678"),
        ("a/what_job", "  ", None),
    ],
)
def test_the_codes_printed_and_the_keys_of_paper_are_read(path: str, keyed: str, answer: Any) -> None:
    if path == "c/order":
        answer = [list(BOXES[path].codes.values())[at] for at in (1, 2, 0)] if len(BOXES[path].codes) == 3 else answer
        if answer is None:
            pytest.fail("the fixture's list of channels has three choices")
    assert read(BOXES[path], keyed) == answer


@pytest.mark.parametrize(
    ("path", "keyed"),
    [
        ("b/b1", "9"),
        ("b/b1", "x"),
        ("a/age", "ba mươi"),
        ("c/day", "31062026"),
        ("a/channels", "18"),
        ("c/order", "113"),
    ],
)
def test_what_is_no_answer_of_its_question_is_refused_with_what_can_be_keyed(path: str, keyed: str) -> None:
    with pytest.raises(NotUnderstood) as refused:
        read(BOXES[path], keyed)
    assert refused.value.reason.vi
    assert refused.value.reason.en


@pytest.mark.parametrize("name", ["sipas_2017", "sipas_2024", "sipas_2026", "papi_2023"])
def test_every_printed_code_is_keyed_back_to_the_answer_it_stands_for(name: str) -> None:
    for box in fields(xlsform.load(xlsform.find(name))).values():
        for code, choice in box.codes.items():
            if box.kind != "rank":
                assert read(box, code) == ([choice] if box.kind == "many" else choice), (box.node.path, code)
        for key, kind in box.missing.items():
            assert read(box, key) == {"missing": kind}
            assert words(box, {"missing": kind}, "en") == MISSING[kind].en


@given(st.data())
def test_what_stands_in_a_box_reads_as_the_answer_again(data: st.DataObject) -> None:
    box = data.draw(st.sampled_from([box for box in BOXES.values() if box.codes and box.kind != "rank"]))
    names = list(box.codes.values())
    if box.kind == "many":
        chosen = data.draw(st.sets(st.sampled_from(names), min_size=1))
        value: Any = [name for name in names if name in chosen]
    else:
        value = data.draw(st.sampled_from(names))
    assert read(box, written(box, value)) == value


# -- what makes a form valid ---------------------------------------------------------------------------------------

SOME = {"opening/consent": "yes", "a/age": "47", "b/b1": "4", "b/b2": {"missing": "blank"}}


def test_the_share_of_core_questions_decides_and_a_tick_at_dont_know_is_an_answer() -> None:
    path = begin(field.small(), SOME)
    verdict = validity.judge(path, Rule(share=0.4))
    assert (verdict.answered, verdict.core, verdict.valid) == (3, 7, True)
    assert not validity.judge(path, Rule(share=0.5)).valid
    ticked = begin(field.small(), {**SOME, "b/b2": {"missing": "dont_know"}})
    assert validity.judge(ticked, Rule(share=0.5)).valid


def test_a_condition_of_the_round_is_written_as_in_the_questionnaire() -> None:
    path = begin(field.small(), {**SOME, "a/age": "17"})
    assert validity.judge(path, Rule(0, "${consent} = 'yes'")).valid
    young = validity.judge(path, Rule(0, "${consent} = 'yes' and ${age} >= 18"))
    assert not young.valid
    assert "${age} >= 18" in young.reason.en
    with pytest.raises(InputError, match="no such question"):
        validity.judge(path, Rule(0, "${nobody} = 1"))
    with pytest.raises(InputError, match="cannot be worked out"):
        validity.judge(path, Rule(0, "${age} >="))


def test_what_breaks_the_rules_of_the_questionnaire_is_flagged() -> None:
    keyed = {**field.WHOLE, "a/age": "12", "a/what_job": "thợ", "b/b2": "3", "b/b3": {"missing": "blank"}}
    flags = validity.flags(begin(field.small(), keyed), keyed)
    assert flags == {"a/age": "constraint", "a/what_job": "off_path", "b/b3": "required"}


@given(st.floats(0, 1), st.lists(st.text(min_size=1), min_size=1, max_size=20))
def test_the_forms_keyed_twice_are_drawn_by_the_form_alone_and_grow_with_the_share(
    share: float, ids: list[str]
) -> None:
    for id in ids:
        assert validity.keyed_twice(Rule(double=1), id)
        assert not validity.keyed_twice(Rule(double=0), id)
        if validity.keyed_twice(Rule(double=share / 2), id):
            assert validity.keyed_twice(Rule(double=share), id)


def test_about_the_share_asked_for_is_keyed_twice() -> None:
    drawn = sum(validity.keyed_twice(Rule(double=0.2), form_id("r", number(n))) for n in range(1, 1001))
    assert 150 < drawn < 250


# -- two entries ---------------------------------------------------------------------------------------------------


def test_an_error_is_counted_to_who_keyed_what_was_not_settled() -> None:
    first = {"a": "1", "b": "2", "c": {"missing": "blank"}, "p": "0912", "hh": ["r1"], "hh[r1]/x": "1"}
    second = {"a": "1", "b": "3", "d": "4", "p": "0913", "hh": ["r1"], "hh[r1]/x": "1"}
    assert double.compared(first, second) == ["a", "b", "c", "p", "hh[r1]/x", "d"]
    assert double.differing(first, second) == ["b", "p", "d"]
    told = double.report(("pa", "pb"), first, second, {"b": "5", "p": "0912", "d": "4"}, ["p"])
    assert told["errors"] == {"pa": 2, "pb": 2}
    assert told["fields"] == 6
    assert "0912" not in json.dumps(told)


# -- the pages -----------------------------------------------------------------------------------------------------

VILLAGE = "03646-07"


def ruled(store: Store, **rule: Any) -> None:
    frame.issue(store, "round", ROUND, {**frame.round_document(store, ROUND), "paper": rule})


@pytest.fixture
def store(device: Store) -> Store:
    field.set_up(device, field.small())
    ruled(device, valid_share=0.5)
    paper.issue_range(device, ROUND, [number(n) for n in (1, 2, 3)], ["u1", "u2", "u3"], HOA, now=NOW)
    return device


@pytest.fixture
def app(store: Store, instance: Path) -> Iterator[Flask]:
    with field.running(instance) as app:
        yield app


class Keyer(Visitor):
    """Somebody who keys forms."""

    form = ""

    def open(self, n: int) -> Any:
        self.form = form_id(ROUND, number(n))
        self.get("/paper", do="keyed")
        return self.post("/paper", do="keyed", village=VILLAGE, serial=number(n).printed)

    def key(self, path: str, keyed: str) -> dict[str, Any]:
        reply = self.post(f"/paper/key/{self.form}/answer", question=path, value=keyed)
        assert reply.status_code == 200, reply.text
        return dict(reply.get_json())

    def form_keyed(self, n: int, **keyed: str) -> Any:
        self.open(n)
        for name, value in {**GOOD, **keyed}.items():
            path = field.small().question(name).path
            assert self.key(path, value)["saved"], (path, value)
        self.get(f"/paper/key/{self.form}/finish")
        return self.post(f"/paper/key/{self.form}/finish")


GOOD = {"consent": "1", "age": "47", "job": "2", "channels": "12", "b1": "4", "b2": "*", "b3": "5"}


@pytest.fixture
def hoa(app: Flask) -> Keyer:
    person = Keyer(app)
    person.sign_in(HOA)
    return person


@pytest.fixture
def lan(app: Flask) -> Keyer:
    person = Keyer(app)
    person.sign_in(LAN)
    return person


def stands(store: Store, n: int) -> Form:
    found = paper.form(store, ROUND, number(n))
    assert found is not None
    return found


def test_a_form_becomes_a_sealed_interview_that_tells_how_it_was_made(hoa: Keyer, store: Store) -> None:
    hoa.form_keyed(1, b3="-")
    form = stands(store, 1)
    assert (form.state, form.by) == ("keyed", HOA)
    content = current.content(store, form.interview)
    assert (content["unit"], content["kind"], content["actor"]) == ("u1", "sealed", HOA)
    assert content["answers"]["a/age"] == "47"
    assert content["answers"]["b/b3"] == {"missing": "blank"}
    told = content["paradata"]
    assert (told["mode"], told["form"], told["flags"]["b/b3"]) == ("paper", form.serial, "required")
    assert [step["state"] for step in paper.history(store, form.id)] == ["issued", "collected", "keyed"]
    assert not verify.verify(store).problems


def test_neither_required_nor_relevance_nor_a_constraint_stands_in_the_way(hoa: Keyer, store: Store) -> None:
    hoa.open(1)
    assert hoa.key("b/b1", "4")["saved"]  # before consent: off the path
    assert hoa.key("opening/consent", "1")["saved"]
    reply = hoa.key("a/age", "12")  # below 18
    assert reply["saved"]
    assert reply["rows"]["a_2f_age"]["flag"]
    assert hoa.key("a/what_job", "thợ xây")["saved"]  # nobody said that there is a job
    assert hoa.key("a/channels", "13")["saved"]  # "none" beside another
    with Store.open(store.folder) as again:
        row = keying.of_form(again, hoa.form)
        assert row is not None
        saved = drafts.answers(again, row["interview"])
    assert saved["a/age"] == "12"
    assert saved["a/what_job"] == "thợ xây"


def test_what_should_have_been_skipped_is_kept_and_never_scored(hoa: Keyer, store: Store) -> None:
    hoa.form_keyed(1, what_job="thợ")
    content = current.content(store, stands(store, 1).interview)
    assert content["off_path"]["a/what_job"] == "thợ"
    assert "a/what_job" not in content["answers"]


def test_questions_that_nobody_keyed_are_blank_and_unused_lines_of_a_repeat_are_not(hoa: Keyer, store: Store) -> None:
    hoa.open(1)
    hoa.form_keyed(1)
    answers = current.content(store, stands(store, 1).interview)["answers"]
    assert answers["c/hours"] == {"missing": "blank"}
    assert not [path for path in answers if path.startswith("member[") and path.endswith("/member_name")]


def test_a_form_that_is_not_valid_is_kept_with_its_reason_and_not_scored(hoa: Keyer, store: Store) -> None:
    page = hoa.form_keyed(1, b1="-", b2="-", b3="-", job="-", channels="-")
    assert "không hợp lệ" in page.text
    form = stands(store, 1)
    assert form.state == "invalid"
    assert "2/7" in form.reason
    (row,) = current.interviews(store)
    assert (row["state"], row["unit"]) == ("voided", "u1")
    assert current.content(store, row["interview"])["answers"]["a/age"] == "47"
    assert paper.tallies(store, ROUND)[VILLAGE].invalid == 1


def test_refused_consent_leaves_the_sheet_of_paper_and_no_answer(hoa: Keyer, store: Store) -> None:
    hoa.form_keyed(1, consent="2")
    assert stands(store, 1).state == "invalid"
    assert current.interviews(store) == []
    assert drafts.drafts(store) == []
    assert not list(feed.revisions(store, "interview"))


def test_a_form_is_keyed_once(hoa: Keyer, store: Store) -> None:
    hoa.form_keyed(1)
    page = hoa.open(1)
    assert page.status_code == 400
    assert "đã nhập rồi" in page.text


def test_a_form_that_was_returned_is_keyed_again_as_a_correction(hoa: Keyer, store: Store) -> None:
    hoa.form_keyed(1)
    interview = stands(store, 1).interview
    current.decide(store, interview, "returned", reason="xem lại tuổi", actor=LAN)
    hoa.get("/today")
    page = hoa.post(f"/interviews/{interview}/open-again")
    assert page.request.path.startswith("/paper/key/")
    hoa.form = stands(store, 1).id
    hoa.key("a/age", "48")
    hoa.get(f"/paper/key/{hoa.form}/finish")
    hoa.post(f"/paper/key/{hoa.form}/finish")
    content = current.content(store, interview)
    assert (content["kind"], content["answers"]["a/age"]) == ("corrected", "48")


def test_a_form_being_keyed_is_no_draft_of_an_interview(hoa: Keyer, store: Store) -> None:
    hoa.open(1)
    hoa.key("opening/consent", "1")
    page = hoa.get("/today").text
    assert "Phiếu đang làm dở" not in page
    (draft,) = drafts.drafts(store)
    assert hoa.get(f"/interviews/{draft['interview']}/1").status_code == 404
    assert hoa.post("/units/u1/start").request.path.startswith("/paper/key/")


# -- verified double entry -----------------------------------------------------------------------------------------


@pytest.fixture
def twice(store: Store) -> None:
    ruled(store, valid_share=0.5, double=1.0)


@pytest.mark.usefixtures("twice")
def test_nothing_is_sealed_before_two_people_have_keyed_and_the_differences_are_settled(
    hoa: Keyer, lan: Keyer, store: Store
) -> None:
    page = hoa.form_keyed(1)
    assert "nhập lần hai" in page.text
    assert current.interviews(store, state="sealed") == []
    assert hoa.open(1).status_code == 400  # the same person does not key it again

    page = lan.open(1)
    assert 'value="47"' not in page.text  # blind
    assert hoa.get(f"/paper/key/{lan.form}").status_code == 404
    assert lan.get(f"/paper/double/{lan.form}").status_code == 404
    page = lan.form_keyed(1, age="74", b1="3", b3="4")
    assert page.request.path == f"/paper/double/{lan.form}"
    assert page.text.count('class="differs"') == 3
    assert current.interviews(store, state="sealed") == []

    page = lan.post(f"/paper/double/{lan.form}", **{"row.a/age": "0"})
    assert page.status_code == 400
    choices = {"row.a/age": "0", "row.b/b1": "1", "other.b/b3": "2"}
    lan.post(f"/paper/double/{lan.form}", **choices)
    content = current.content(store, stands(store, 1).interview)
    assert [content["answers"][p] for p in ("a/age", "b/b1", "b/b3")] == ["47", "3", "2"]
    told = content["paradata"]["double"]
    assert (told["first"], told["second"], told["errors"]) == (HOA, LAN, {HOA: 2, LAN: 2})
    assert told["settled"]["b/b3"] == {"first": "5", "second": "4", "is": "2"}
    rates = keying.error_rates(store)
    assert rates[HOA] == {"forms": 1, "fields": told["fields"], "errors": 2}
    assert told["fields"] >= 7
    assert "Tỷ lệ lỗi" in lan.get("/paper").text


@pytest.mark.usefixtures("twice")
def test_two_entries_that_agree_are_sealed_without_more_ado(hoa: Keyer, lan: Keyer, store: Store) -> None:
    hoa.form_keyed(1)
    page = lan.form_keyed(1)
    assert "Hai lần nhập giống hệt nhau" in page.text
    lan.post(f"/paper/double/{lan.form}")
    assert stands(store, 1).state == "keyed"
    assert keying.error_rates(store)[LAN]["errors"] == 0
    assert keying.all_open(store) == {}


@pytest.mark.usefixtures("twice")
def test_lines_of_a_repeat_are_compared_line_by_line(hoa: Keyer, lan: Keyer, store: Store) -> None:
    for person, age in ((hoa, "30"), (lan, "31")):
        person.open(1)
        row = keying.of_form(store, person.form)
        assert row is not None
        own = drafts.answers(store, row["interview"]) if person is hoa else keying.second_answers(store, person.form)
        second = own["member"][1]
        assert person.key(f"member[{second}]/member_age", age)["saved"]
        page = person.form_keyed(1)
    assert page.text.count('class="differs"') == 1


@pytest.mark.usefixtures("twice")
def test_the_second_entry_goes_nowhere_before_it_is_settled(hoa: Keyer, lan: Keyer, store: Store) -> None:
    hoa.form_keyed(1)
    lan.open(1)
    lan.key("a/age", "99")
    drafts.partials(store)
    (row,) = current.interviews(store)
    assert row["unit"] == "u1"
    assert current.content(store, row["interview"])["answers"]["a/age"] == "47"
