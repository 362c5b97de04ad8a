"""Expressions mean what they mean in ODK Collect: empty values, numbers, dates, text, choices, functions."""

from __future__ import annotations

import math
from decimal import ROUND_FLOOR, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey.questionnaire.functions import BUILT_IN, FUNCTIONS, shuffled
from survey.questionnaire.model import Node, Questionnaire
from survey.questionnaire.patterns import pattern
from survey.questionnaire.syntax import BadExpression, parse, walk
from survey.questionnaire.values import Fault, java_double, number_text, to_number
from tests.forms import NOW, begin, worked_out


@pytest.mark.parametrize(
    ("expression", "answers", "result"),
    [
        # There is one kind of empty.
        ("/data/n > 3", {"n": ""}, False),
        ("/data/n < 3", {"n": ""}, False),
        ("/data/n = 0", {"n": ""}, False),
        ("/data/n != 3", {"n": ""}, True),
        ("not(/data/n > 3)", {"n": ""}, True),
        ("/data/n = ''", {"n": ""}, True),
        ("/data/a = /data/b", {"a": "", "b": ""}, True),
        ("/data/n + 1", {"n": ""}, ""),
        ("if(/data/n, 'yes', 'no')", {"n": ""}, "no"),
        ("boolean(/data/n)", {"n": 0}, False),
        ("coalesce(/data/n, 7)", {"n": ""}, 7.0),
        ("coalesce(/data/n, 7)", {"n": 3}, 3.0),
        ("concat('[', /data/n, ']')", {"n": ""}, "[]"),
        ("concat('[', /data/n + 1, ']')", {"n": ""}, "[NaN]"),
        ("selected(/data/m, '')", {"m": ""}, True),
        # Numbers.
        ("1 + 2 * 3 - 4 div 2", {}, 5.0),
        ("3 - 2 - 1", {}, 0.0),
        ("1 - - 1", {}, 2.0),
        ("-/data/n mod 7", {"n": 9}, -2.0),
        ("/data/n div 0", {"n": 1}, math.inf),
        ("round(2.5)", {}, 3.0),
        ("round(-2.5)", {}, -2.0),
        ("round(183.76999999999998 div 2, 2)", {}, 91.88),
        ("round(33.33, -1)", {}, 30.0),
        ("int(-2.7)", {}, -2.0),
        ("number('3,5')", {}, 3.5),
        ("number('1e3') = 1000", {}, False),
        ("max(-5, -3)", {}, 0.0),
        ("min(4, /data/n, 2)", {"n": ""}, 2.0),
        ("pow(2, 10)", {}, 1024.0),
        ("floor(-1.5) + ceiling(1.2)", {}, 0.0),
        ("log10(1000)", {}, 3.0),
        ("sqrt(-1)", {}, ""),
        ("'12' + '3'", {}, 15.0),
        ("1 = '1'", {}, True),
        ("2 > 1 > 0", {}, True),
        ("true() = 'x'", {}, True),
        # Text.
        ("substr('Chiềng Mung', 0, 6)", {}, "Chiềng"),
        ("substr('abcdef', -3)", {}, "def"),
        ("string-length('Ánh')", {}, 3.0),
        ("substring-before('xã Chiềng Mung', ' ')", {}, "xã"),
        ("substring-after('abc', 'x')", {}, ""),
        ("translate('bar', 'abc', 'AB')", {}, "BAr"),
        ("normalize-space('  hai   từ ')", {}, "hai từ"),
        ("starts-with('Sơn La', 'Sơn') and ends-with('Sơn La', 'La') and contains('Sơn La', 'n L')", {}, True),
        ("concat(/data/x, '')", {"x": 0.0003}, "3.0E-4"),
        ("concat(/data/x, '')", {"x": 3.0}, "3"),
        ("join(', ', 'a', /data/n, 'b')", {"n": 2}, "a, 2, b"),
        ("regex(/data/t, '[0-9]+')", {"t": "a12"}, False),
        ("regex(/data/t, '(0|\\+84)[0-9]{9}')", {"t": "0912345678"}, True),
        ("boolean-from-string('TRUE')", {}, True),
        # Choices.
        ("selected(/data/m, '1')", {"m": ["10", "2"]}, False),
        ("selected(/data/m, '10')", {"m": ["10", "2"]}, True),
        ("count-selected(/data/m)", {"m": ["a", "b", "c"]}, 3.0),
        ("selected-at(/data/m, 1)", {"m": ["a", "b"]}, "b"),
        ("selected-at(/data/m, 5)", {"m": ["a", "b"]}, ""),
        ("checklist(1, 2, true(), false(), true())", {}, True),
        ("weighted-checklist(2, 3, true(), 1.5, true(), 1)", {}, True),
        # Dates: days apart, midnight, text by the day.
        ("/data/date2 - /data/date1", {"date1": "2026-02-27", "date2": "2026-03-01"}, 2.0),
        ("/data/date1 < today()", {"date1": "2026-11-21"}, True),
        ("/data/date1 < '2026-11-22'", {"date1": "2026-11-21"}, False),
        ("concat(now(), '')", {}, "2026-11-22"),
        ("format-date(/data/date1, '%d/%m/%Y %a %b %e %y %n')", {"date1": "2024-02-29"}, "29/02/2024 Thu Feb 29 24 2"),
        ("format-date('2026-01-01', '%W')", {}, "1"),
        ("format-date-time(now(), '%H:%M')", {}, "09:30"),
        ("decimal-time(/data/time1) * 24", {"time1": "18:00"}, 18.0),
        ("int(decimal-date-time('1970-01-03T07:00:00+07:00'))", {}, 2.0),
        ("date(/data/date1 + 30) = date('2026-03-29')", {"date1": "2026-02-27"}, True),
        ("if(/data/date1 = '', 'none', 'some')", {"date1": ""}, "none"),
        # Others.
        ("digest('abc', 'SHA-256', 'hex')", {}, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("base64-decode('SMOgIE7hu5lp')", {}, "Hà Nội"),
        ("round(distance('21.03 105.85', '10.78 106.70') div 1000)", {}, 1145.0),
        ("round(area('0 0;0 0.01;0.01 0.01;0.01 0;0 0') div 1000)", {}, 1239.0),
        ("geofence('0.5 0.5', '0 0;0 1;1 1;1 0;0 0')", {}, True),
        ("property('deviceid')", {}, ""),
    ],
)
def test_an_expression_means_what_it_means_in_odk_collect(
    expression: str, answers: dict[str, Any], result: Any
) -> None:
    found = worked_out(expression, **answers)
    assert type(found) is type(result)
    assert found == (pytest.approx(result) if isinstance(result, float) else result)


def test_today_is_midnight_of_the_day_in_the_local_zone() -> None:
    assert worked_out("today()") == NOW.replace(tzinfo=None, hour=0, minute=0)


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [
        ("1 +", 3, "ends too early"),
        ("if(1, 2", 7, "“)” is missing"),
        ("'abc", 0, "quotation mark"),
        ("/data/a ? 2", 8, "“?”"),
        ("//a", 0, "“//” is not supported"),
        ("ancestor::a", 0, "axis “ancestor”"),
        ("1 2", 2, "“2” is not expected"),
        ("(1)[2]", 3, "parentheses"),
        ("()", 1, "not expected"),
    ],
)
def test_a_syntax_error_is_said_in_words_with_its_place(text: str, at: int, says: str) -> None:
    with pytest.raises(BadExpression) as error:
        parse(text)
    assert says in error.value.what.en
    assert error.value.what.vi
    assert error.value.at == at


def test_names_of_questions_that_look_like_operators_are_names() -> None:
    form = Questionnaire(
        "x",
        nodes=(
            Node("question", "div", "div", data_type="int", control="input", default="7"),
            Node("question", "or", "or", data_type="int", control="input", default="2"),
            Node("question", "it", "it", calculation="/data/div div /data/or mod 2"),
        ),
    )
    assert begin(form).values["it"] == "1.5"


def test_operators_may_stand_close_to_their_operands() -> None:
    assert worked_out("7mod4") == 3.0
    assert worked_out("2*3>5and 1<2") is True


def test_deep_nesting_is_a_sentence_not_a_crash() -> None:
    with pytest.raises(BadExpression, match="nested too deeply"):
        parse("(" * 5000 + "1" + ")" * 5000)


def test_every_function_has_a_right_number_of_arguments() -> None:
    assert not set(FUNCTIONS) & set(BUILT_IN)
    for least, most in [*BUILT_IN.values(), *((f.least, f.most) for f in FUNCTIONS.values())]:
        assert most is None or least <= most


@pytest.mark.parametrize(
    ("java", "text", "matches"),
    [
        (r"[\w-\.]+@([\w-]+\.)+[\w-]{2,}", "a-b.c@d-e.vn", True),
        (r"[\w-\.]+@([\w-]+\.)+[\w-]{2,}", "Lê Hoàng", False),
        (r"[\p{L} ]+", "Nguyễn Thị Ánh", True),
        (r"\p{Lu}\p{L}*", "Đặng", True),
        (r"\p{Lu}\p{L}*", "đặng", False),
        (r"\d{3}", "١٢٣", False),
        (r"\Qa.b\E+", "a.bb", True),
        (r"[a-c[x-z]]+", "axz", True),
        (r"(?<year>\d{4})-\d\d", "2026-11", True),
        (r"(?i)ab?", "A", True),
    ],
)
def test_regular_expressions_are_those_of_java(java: str, text: str, matches: bool) -> None:
    assert (pattern(java).fullmatch(text) is not None) is matches


@pytest.mark.parametrize("wrong", ["[", "(a", "*", "[a&&b]", r"\p{"])
def test_a_bad_regular_expression_is_a_fault_that_names_it(wrong: str) -> None:
    with pytest.raises(Fault, match=r"regular expression|intersects"):
        pattern(wrong)


def test_shuffling_gives_the_order_that_every_odk_client_gives() -> None:
    # Orders that JavaRosa 5.1 recorded for these seeds.
    items = ["road", "school", "clinic", "water"]
    assert shuffled(items, 42) == ["road", "water", "clinic", "school"]
    assert sorted(shuffled(items, -5)) == sorted(items)


numbers = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12)


@given(numbers)
def test_a_number_written_as_text_is_read_back(value: float) -> None:
    assert float(java_double(value)) == value


@given(st.integers(-(10**9), 10**9))
def test_whole_numbers_have_no_point(value: int) -> None:
    assert number_text(float(value)) == str(value)
    assert to_number(str(value)) == value


@given(st.decimals(-10000, 10000, places=4), st.integers(0, 3))
def test_rounding_is_on_decimal_digits_with_halves_up(value: Decimal, places: int) -> None:
    expected = (value.scaleb(places) + Decimal("0.5")).quantize(Decimal(1), rounding=ROUND_FLOOR).scaleb(-places)
    got = FUNCTIONS["round"].call(None, float(value), float(places))
    assert got == float(expected)


@given(st.lists(st.integers(), max_size=40), st.integers(-(2**40), 2**40))
def test_shuffling_keeps_every_item_and_follows_from_the_seed(items: list[int], seed: int) -> None:
    assert sorted(shuffled(items, seed)) == sorted(items)
    assert shuffled(items, seed) == shuffled(items, seed)


expressions = st.recursive(
    st.sampled_from(["1", "2.5", "'a'", ".", "..", "/data/a", "current()/../b", "true()", "today()"]),
    lambda inner: st.one_of(
        st.tuples(
            inner, st.sampled_from(["+", " - ", "*", " div ", " mod ", "=", "!=", "<", ">=", " and ", " or "]), inner
        ).map("".join),
        inner.map(lambda x: f"({x})"),
        inner.map(lambda x: f"-{x}"),
        inner.map(lambda x: f"not({x})"),
        st.tuples(inner, inner).map(lambda x: f"concat({x[0]}, {x[1]})"),
        inner.map(lambda x: f"/data/r[{x}]/c"),
    ),
    max_leaves=12,
)


@given(expressions)
def test_what_is_well_formed_is_read(text: str) -> None:
    assert list(walk(parse(text)))


def _refusal(text: str) -> BadExpression | None:
    try:
        parse(text)
    except BadExpression as error:
        return error
    return None


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    refusal = _refusal(text)
    assert refusal is None or (refusal.what.vi and refusal.what.en and 0 <= refusal.at <= len(text))
