"""Who of a household is interviewed: against Kish's published table, and on the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
from flask import Flask

from survey.errors import InputError
from survey.fieldwork.household import KISH, Adult, choose, days_to, kish_probability, kish_table
from survey.store import Store, fieldlog, frame
from tests import field
from tests.field import HOA, Interviewer

TODAY = date(2026, 11, 23)


def family(*ages: int) -> list[Adult]:
    """Women, unless the age is negative."""
    return [Adult(f"n{n}", "male" if age < 0 else "female", abs(age)) for n, age in enumerate(ages)]


def test_the_grid_is_kishs_own():
    # Kish (1949), table 1, as survey manuals print it: table, share of addresses, adult for 1, 2, 3, 4, 5, 6 or more.
    published = """
        A 1/6 1 1 1 1 1 1
        B1 1/12 1 1 1 1 2 2
        B2 1/12 1 1 1 2 2 2
        C 1/6 1 1 2 2 3 3
        D 1/6 1 2 2 3 4 4
        E1 1/12 1 2 3 3 3 5
        E2 1/12 1 2 3 4 5 5
        F 1/6 1 2 3 4 5 6
    """
    rows = [line.split() for line in published.strip().splitlines()]
    assert {name: (Fraction(share), tuple(map(int, row))) for name, share, *row in rows} == KISH


def test_everybody_has_the_same_chance_but_in_households_of_five():
    # Kish's own remark: exact for 1, 2, 3, 4 and 6 adults; of five, the third and the fifth come a little more often.
    assert sum(share for share, _ in KISH.values()) == 1
    for adults in (1, 2, 3, 4, 6):
        assert {kish_probability(adults, n) for n in range(1, adults + 1)} == {Fraction(1, adults)}
    five = [kish_probability(5, number) for number in range(1, 6)]
    assert five == [Fraction(1, 6), Fraction(1, 6), Fraction(1, 4), Fraction(1, 6), Fraction(1, 4)]


def test_tables_come_in_kishs_proportions_and_a_seed_always_gives_the_same():
    counts = Counter(kish_table(f"r2026/u{n}") for n in range(6000))
    for name, (share, _) in KISH.items():
        # Four standard errors of a binomial share of 6000.
        assert abs(counts[name] / 6000 - share) < 4 * (float(share) * (1 - float(share)) / 6000) ** 0.5
    assert [kish_table(f"r2026/u{n}") for n in range(4)] == [kish_table(f"r2026/u{n}") for n in range(4)]


def test_men_come_first_by_age_then_women_whatever_the_order_of_the_list():
    people = family(30, -25, 70, -50)
    chosen = choose(people, "kish", "s", TODAY)
    assert [(adult.sex, adult.age) for adult in chosen.order] == [
        *(("male", 50), ("male", 25), ("female", 70), ("female", 30)),
    ]
    assert choose(people[::-1], "kish", "s", TODAY) == chosen
    assert chosen.number == KISH[chosen.table][1][3]
    assert chosen.probability == Fraction(1, 4)


def test_a_household_larger_than_the_grid_is_drawn_from_evenly():
    people = family(*range(20, 29))
    counts = Counter(choose(people, "kish", f"s{n}", TODAY).number for n in range(2700))
    assert set(counts) == set(range(1, 10))
    assert max(abs(count / 2700 - 1 / 9) for count in counts.values()) < 4 * (8 / 81 / 2700) ** 0.5


@pytest.mark.parametrize(
    ("birthdays", "taken"),
    [([(11, 22), (11, 24), (1, 1)], 1), ([(11, 23), (11, 24), (1, 1)], 0), ([(11, 22), (10, 1), (9, 1)], 2)],
)
def test_the_next_birthday_is_the_one_that_comes_first_from_today(birthdays: list[tuple[int, int]], taken: int):
    people = [Adult(f"n{n}", "female", 40 - n, birthday) for n, birthday in enumerate(birthdays)]
    assert choose(people, "next_birthday", "s", TODAY).adult.name == f"n{taken}"


def test_the_29th_of_february_is_kept_on_the_first_of_march():
    assert days_to((2, 29), date(2027, 2, 28)) == 1
    assert days_to((2, 29), date(2028, 2, 28)) == 1
    assert days_to((2, 29), date(2028, 3, 1)) == 365


@pytest.mark.parametrize(
    ("people", "method", "says"),
    [
        ([], "kish", "nobody is listed"),
        (family(*[30] * 21), "kish", "21 people are listed"),
        ([Adult("a", "", 30)], "random", "person 1 lacks age or sex"),
        ([Adult("a", "male", 0)], "random", "person 1 lacks age or sex"),
        ([Adult("a", "male", 30, (2, 30))], "next_birthday", "person 1 lacks a birthday"),
    ],
)
def test_a_list_that_will_not_do_is_told_by_row(people: list[Adult], method: str, says: str):
    with pytest.raises(InputError, match=says):
        choose(people, method, "s", TODAY)


# -- the page ----------------------------------------------------------------------------------------------------


@pytest.fixture
def app(device: Store, instance: Path) -> Iterator[Flask]:
    field.set_up(device, field.small())
    document = frame.round_document(device, field.ROUND)
    frame.issue(device, "round", field.ROUND, {**document, "respondent": {"method": "kish", "age": 18}})
    with field.running(instance) as app:
        yield app


@pytest.fixture
def hoa(app: Flask) -> Interviewer:
    person = Interviewer(app)
    person.sign_in(HOA)
    return person


LIST = {"name": ["Hoà", "Pó", "May"], "sex": ["female", "male", "female"], "age": ["41", "44", "19"]}


def test_no_interview_begins_before_somebody_is_chosen_and_the_choice_is_kept(device: Store, hoa: Interviewer):
    hoa.get("/today")
    assert "Chọn người trả lời" in hoa.post("/units/u1/start").text
    page = hoa.post("/units/u1/respondent", **LIST).text
    (event,) = fieldlog.read(device, fieldlog.SELECTION, unit="u1")
    assert (event["method"], event["adults"], event["actor"]) == ("kish", "3", HOA)
    assert event["listed"] == ["male 44", "female 41", "female 19"]
    assert event["number"] == str(KISH[event["table"]][1][2])
    assert "name" not in event
    name = ["Pó", "Hoà", "May"][int(event["number"]) - 1]
    assert frame.contact(device, "visit", event["id"])["name"] == name
    assert name in page
    assert name in hoa.get("/today").text
    hoa.start("u1")
    assert hoa.interview


def test_a_list_is_made_again_only_with_a_reason_and_both_stay(device: Store, hoa: Interviewer):
    hoa.get("/units/u1/respondent")
    hoa.post("/units/u1/respondent", **LIST)
    longer = {key: [*value, other] for (key, value), other in zip(LIST.items(), ("Dế", "male", "70"), strict=True)}
    refused = hoa.post("/units/u1/respondent", **longer)
    assert refused.status_code == 400
    assert "Ghi lý do phải lập lại danh sách" in refused.text
    assert "Dế" in refused.text
    hoa.post("/units/u1/respondent", **longer, because="quên ông cụ")
    events = fieldlog.read(device, fieldlog.SELECTION, unit="u1")
    assert {event["list"]: event["adults"] for event in events} == {"1": "3", "2": "4"}
    assert (fieldlog.respondent(device, "u1") or {})["adults"] == "4"
    hoa.start("u1")
    again = hoa.post("/units/u1/respondent", **LIST, because="thử lại")
    assert "Phiếu của hộ này đã bắt đầu" in again.text


def test_more_lines_keep_what_was_typed(hoa: Interviewer):
    hoa.get("/units/u1/respondent")
    page = hoa.post("/units/u1/respondent", **LIST, more="1").text
    assert page.count('name="age"') == 10
    assert 'value="Pó"' in page
