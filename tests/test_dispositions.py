"""Dispositions and AAPOR outcome rates."""

from __future__ import annotations

import pytest

from survey.errors import InputError
from survey.fieldwork.dispositions import DISPOSITIONS, OUTCOMES, Case, final, grouped_rates, rates


def codes(**counts: int) -> list[str]:
    one_of = {"i": "1.1", "p": "1.2", "r": "2.112", "nc": "2.24", "o": "2.32", "uh": "3.18", "uo": "3.21", "ne": "4.61"}
    return [one_of[name] for name, count in counts.items() for _ in range(count)]


def test_rates_by_hand():
    found = rates(codes(i=60, p=5, r=10, nc=15, o=4, uh=3, uo=3, ne=6), e=0.5).rates
    expected = {
        "RR1": 60 / 100,
        "RR2": 65 / 100,
        "RR3": 60 / 97,
        "RR4": 65 / 97,
        "RR5": 60 / 94,
        "RR6": 65 / 94,
        "COOP1": 60 / 79,
        "COOP2": 65 / 79,
        "COOP3": 60 / 75,
        "COOP4": 65 / 75,
        "REF1": 10 / 100,
        "REF2": 10 / 97,
        "REF3": 10 / 94,
        "CON1": 79 / 100,
        "CON2": 79 / 97,
        "CON3": 79 / 94,
    }
    assert found == pytest.approx(expected)


def test_the_published_example_of_100_interviews_and_20_non_contacts():
    # README of the R package responserates: rates(c(rep("I", 100), rep("NC", 20))).
    found = rates(codes(i=100, nc=20)).rates
    assert {name: round(value, 3) for name, value in found.items() if value is not None} == {
        **dict.fromkeys(["RR1", "RR2", "RR3", "RR4", "RR5", "RR6", "CON1", "CON2", "CON3"], 0.833),
        **dict.fromkeys(["COOP1", "COOP2", "COOP3", "COOP4"], 1.0),
        **dict.fromkeys(["REF1", "REF2", "REF3"], 0.0),
    }


def test_the_published_example_of_twelve_cases():
    # README of the R package outcomerate (rOpenSci): I=4 P=2 R=1 NC=1 O=1 UH=1 UO=1 NE=1, e by eligibility_rate(freq).
    found = rates(codes(i=4, p=2, r=1, nc=1, o=1, uh=1, uo=1, ne=1))
    assert {name: round(value, 3) for name, value in found.rates.items() if value is not None} == {
        **{"RR1": 0.364, "RR2": 0.545, "RR3": 0.370, "RR4": 0.556, "RR5": 0.444, "RR6": 0.667},
        **{"COOP1": 0.500, "COOP2": 0.750, "COOP3": 0.571, "COOP4": 0.857},
        **{"REF1": 0.091, "REF2": 0.093, "REF3": 0.111},
        **{"CON1": 0.727, "CON2": 0.741, "CON3": 0.889},
    }


def test_the_published_example_of_weighted_cases():
    # The same README: x <- I P I UO R I NC I O P UH, w <- c(rep(1.3, 6), rep(2.5, 5)): RR2w 0.50, CON1w 0.69.
    letters = ["i", "p", "i", "uo", "r", "i", "nc", "i", "o", "p", "uh"]
    one_of = [codes(**{letter: 1})[0] for letter in letters]
    weighted = rates(one_of, weights=[1.3] * 6 + [2.5] * 5).rates
    plain = rates(one_of).rates
    assert (plain["RR2"], plain["CON1"]) == (pytest.approx(0.55, abs=0.005), pytest.approx(0.73, abs=0.005))
    assert (weighted["RR2"], weighted["CON1"]) == (pytest.approx(0.50, abs=0.005), pytest.approx(0.69, abs=0.005))


def test_weights_and_codes_go_together():
    with pytest.raises(ValueError, match="shorter"):
        rates(["1.1", "1.1"], weights=[1.0])


def test_groups_share_the_estimate_of_eligibility_of_the_whole():
    cases = [Case("1.1", "a"), Case("4.61", "a"), Case("1.1", "b"), Case("3.18", "b", 2.0), Case("1.1", "b")]
    found = grouped_rates(cases)
    assert list(found) == ["a", "b", ""]
    assert found["b"].e == found[""].e == pytest.approx(3 / 4)
    assert found["b"].rates["RR3"] == pytest.approx(2 / (2 + 3 / 4 * 2))
    assert found["a"].rates["RR1"] == 1.0


def test_unknown_cases_are_taken_to_be_eligible_like_the_known_ones():
    assert rates(codes(i=60, ne=20, uh=10)).e == 0.75
    assert rates(codes(uh=10)).e == 1.0


def test_a_case_that_still_waits_is_counted_apart_and_in_no_rate():
    found = rates(["1.1", "0.1", "0.2"])
    assert found.open == 2
    assert found.rates["RR1"] == 1.0


def test_a_rate_without_cases_is_none_rather_than_a_number():
    assert set(rates([]).rates.values()) == {None}


@pytest.mark.parametrize(
    ("visits", "outcome"),
    [
        ([], "3.11"),
        (["2.24", "2.25"], "2.25"),
        (["2.112", "2.24"], "2.112"),
        (["2.24", "1.1"], "1.1"),
        (["2.12", "1.1", "2.24"], "1.1"),
        (["0.2", "2.24"], "0.2"),
        (["0.1", "2.112"], "2.112"),
        (["3.18", "3.21"], "3.21"),
        (["2.24", "4.61"], "4.61"),
    ],
)
def test_a_case_keeps_its_most_telling_outcome(visits: list[str], outcome: str):
    assert final(visits).code == outcome


def test_an_unknown_code_is_refused_by_name():
    with pytest.raises(InputError, match=r"disposition 9\.9: there is no such disposition"):
        rates(["9.9"])


def test_every_code_belongs_to_the_class_its_first_digit_says():
    classes = {"1": {"I", "P"}, "2": {"R", "NC", "O"}, "3": {"UH", "UO"}, "4": {"NE"}, "0": {"UO"}}
    for code, row in DISPOSITIONS.items():
        assert row.code == code
        assert row.outcome in classes[code[0]]
        assert row.label.vi
        assert row.label.en
    assert {row.outcome for row in DISPOSITIONS.values()} == set(OUTCOMES)
