"""Intervals of proportions and quantiles: on the scale, at its ends, and in agreement with each other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtrit

from analysis import Design, mean
from analysis.estimation import Estimate, proportion
from analysis.proportions import METHODS, proportion_interval
from analysis.quantiles import RULES, quantile
from analysis.regression import logistic
from survey.errors import InputError


def share(value, se, df=30.0, n=200):
    return Estimate("p", (), value, se, df, value - 2 * se, value + 2 * se, n, 31, 1.0, 1.0, 0.95)


@given(st.floats(0.01, 0.99), st.floats(0.001, 0.2), st.integers(1, 100))
def test_every_interval_but_the_plain_one_stays_on_the_scale_and_holds_the_estimate(value, se, df):
    for method in METHODS.keys() - {"asin_r", "likelihood_r"}:
        low, high = proportion_interval(share(value, se, df), method)
        assert low <= value <= high
        assert method == "wald" or 0 <= low <= high <= 1


@pytest.mark.parametrize(("value", "closed"), [(0.0, 0), (1.0, 1)])
def test_at_the_ends_beta_and_wilson_still_say_something(value, closed):
    for method in ("beta", "wilson"):
        ends = proportion_interval(share(value, 0.0), method)
        assert ends[closed] == pytest.approx(value, abs=1e-12)
        assert 0.005 < abs(ends[1 - closed] - value) < 0.05
    for method in ("logit", "asin", "likelihood", "likelihood_r"):
        assert np.isnan(proportion_interval(share(value, 0.0), method)).all()


def test_with_many_units_and_a_middling_share_all_methods_agree():
    ends = [proportion_interval(share(0.5, 0.005, 5000.0, 10000), method) for method in METHODS]
    assert np.ptp(np.array(ends), axis=0).max() < 1e-4


def test_fewer_degrees_of_freedom_make_a_wider_interval():
    narrow, wide = (proportion_interval(share(0.3, 0.03, df), "beta") for df in (60.0, 3.0))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_a_method_that_is_not_there_is_named():
    with pytest.raises(InputError, match="there is no method 'exact'; use logit"):
        proportion_interval(share(0.3, 0.03), "exact")


RNG = np.random.default_rng(8)
FRAME = pd.DataFrame(
    {
        "v": np.repeat(np.arange(40), 10),
        "w": RNG.uniform(1, 4, 400),
        "x": RNG.normal(50, 10, 400),
        "g": RNG.choice(["a", "b"], 400),
    }
)
DESIGN = Design("w", psu="v")


def test_the_median_splits_the_weights_in_half():
    (median,) = quantile(FRAME, "x", [0.5], DESIGN)
    below = FRAME.w[FRAME.x <= median.value].sum() / FRAME.w.sum()
    assert below == pytest.approx(0.5, abs=0.01)
    assert median.low < median.value < median.high


def test_the_rules_differ_by_no_more_than_neighbouring_values():
    step = FRAME.x.sort_values().diff().quantile(0.99)
    found = [quantile(FRAME, "x", [0.5], DESIGN, rule=rule)[0].value for rule in RULES]
    assert np.ptp(found) < 5 * step


def test_equal_weights_reach_a_round_probability_exactly_whatever_the_last_bit_says():
    """30.97 added twenty times is not a tenth of 30.97 added two hundred times, in binary; R survey 4.5 says 20."""
    equal = pd.DataFrame({"w": 30.97, "x": np.arange(200.0)})
    rules = ("math", "school", "math_r")
    by_rule = {rule: quantile(equal, "x", [0.1], Design("w"), rule=rule)[0].value for rule in rules}
    assert by_rule == {"math": 19.0, "school": 19.5, "math_r": 20.0}


def test_below_the_first_share_there_is_only_the_first_value_where_r_survey_halves_or_passes_it():
    """qrule_math, school, hf3 and hf4 of R survey 4.5 on (1, 2, 3, 4, 10), all of one weight: 1, 1.5, 2, 0.5 at 0.1."""
    x, w = np.array([1.0, 2, 3, 4, 10]), np.ones(5)
    for rule, theirs in {"math": 1, "school": 1.5, "hf1": 1, "hf2": 1.5, "hf3": 2, "hf4": 0.5}.items():
        found = RULES[rule](x, w, 0.1), RULES[f"{rule}_r"](x, w, 0.1)
        assert found == pytest.approx((1, theirs), rel=1e-12)


@given(st.floats(0.01, 0.99), st.lists(st.floats(0.5, 50), min_size=2, max_size=30))
def test_an_interpolated_quantile_has_a_compatible_twin_that_differs_by_rounding_only(p, weights):
    x = np.arange(len(weights), dtype=float)
    for rule in ("hf5", "hf6", "hf7", "hf8", "hf9"):
        twins = [RULES[name](x, np.array(weights), p) for name in (rule, f"{rule}_r")]
        assert twins[0] == pytest.approx(twins[1], abs=1e-9)


def test_a_quantile_that_rounding_alone_parts_from_a_value_counts_that_value_as_reached():
    """The same answers with and without a factor that binary fractions cannot hold have the same interval."""
    data = pd.DataFrame({"w": np.tile([0.1, 0.7, 0.3], 40), "x": np.repeat(np.arange(20.0), 6)})
    for rule in ("hf5", "hf7", "hf9"):
        one = quantile(data, "x", [0.25, 0.5, 0.75], Design("w"), rule=rule)
        other = quantile(data.assign(w=data.w / 3), "x", [0.25, 0.5, 0.75], Design("w"), rule=rule)
        assert [e.se for e in one] == pytest.approx([e.se for e in other], rel=1e-9)


def test_the_arcsine_interval_ends_at_zero_where_r_survey_turns_back():
    """svyciprop(method = "asin") of R survey 4.5 on one yes among twelve people in four villages: 0.0345 … 0.4872."""
    data = pd.DataFrame({"y": [1.0] + [0.0] * 11, "k": np.repeat([1, 2, 3, 4], 3), "w": 1.0})
    (share,) = mean(data, "y", Design("w", psu="k", df="design"))
    assert proportion_interval(share, "asin_r") == pytest.approx((0.0345373729714181, 0.487217833282913), rel=1e-12)
    assert proportion_interval(share, "asin") == pytest.approx((0.0, 0.487217833282913), rel=1e-12)


VILLAGERS = pd.DataFrame({"k": np.arange(80) // 8, "w": 1.0 + np.arange(80) * 7 % 5}).assign(
    rare=np.isin(np.arange(80), [3, 4, 41, 70]).astype(float),
    half=(np.arange(80) % 2).astype(float),
    some=np.where(np.arange(80) % 9 == 4, np.nan, np.arange(80) ** 2 % 7 < 3),
)
VILLAGES = Design("w", psu="k", df="design")


@pytest.mark.parametrize(
    ("answer", "level", "theirs"),
    [
        ("rare", 0.95, (0.00608462843688328, 0.12985439815631994)),
        ("rare", 0.99, (0.00173490418167169, 0.18501303943946543)),
        ("half", 0.95, (0.461335114502570587, 0.538664885497429968)),
        ("some", 0.95, (0.591986360907006, 0.764543081566339)),
    ],
)
def test_the_likelihood_interval_of_r_survey_is_repeated_with_its_interpolation(answer, level, theirs):
    """svyciprop(method = "likelihood") of R survey 4.5 on 80 people in ten villages, shares of 4, 50 and 68 %."""
    (share,) = mean(VILLAGERS, answer, VILLAGES)
    naive = logistic(VILLAGERS, answer, [], VILLAGES, as_r=True).fit.naive[0, 0]
    assert proportion_interval(share, "likelihood_r", level, naive=naive) == pytest.approx(theirs, rel=1e-10)
    if answer != "some":  # R's variance of the logit counts respondents without an answer
        assert proportion_interval(share, "likelihood_r", level) == pytest.approx(theirs, rel=1e-6)
        assert proportion_interval(share, "likelihood", level) == pytest.approx(theirs, rel=1e-3)


@pytest.mark.parametrize(
    ("people", "theirs"),
    [
        (10, (0.000130251334952524, 0.881651527615978)),
        (60, (0.000103580728140291, 0.953836119074074)),
        (400, (np.nan, np.nan)),  # R stops: 'from' must be a finite number
    ],
)
def test_where_all_who_say_yes_live_in_one_village_the_steps_of_r_survey_are_repeated_too(people, theirs):
    """R survey 4.5 on four villages: steps so coarse that its upper end is 0.954, where the equation's is 0.821."""
    person = np.arange(4 * people)
    yes = (person // people == 1) & (person % 3 != 0)
    data = pd.DataFrame({"k": person // people, "w": 1.0 + person * 7 % 5, "yes": yes.astype(float)})
    (share,) = mean(data, "yes", VILLAGES)
    naive = logistic(data, "yes", [], VILLAGES, as_r=True).fit.naive[0, 0]
    found = proportion_interval(share, "likelihood_r", naive=naive)
    assert found == pytest.approx(theirs, rel=1e-9, nan_ok=True)


@pytest.mark.parametrize("answer", ["rare", "half"])
def test_at_the_ends_of_the_likelihood_interval_the_scaled_ratio_is_the_square_of_t(answer):
    (share,) = mean(VILLAGERS, answer, VILLAGES)
    p, scale = share.value, share.se**2 * 80 / (share.value * (1 - share.value))
    for q in proportion_interval(share, "likelihood"):
        ratio = 2 * 79 * (p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q)))
        assert ratio / scale == pytest.approx(stdtrit(9, 0.975) ** 2, rel=1e-9)


@pytest.mark.parametrize("rounding", [0.0, 1e-18, 1e-13, 1e-11])
def test_a_share_that_the_weights_were_calibrated_to_is_known_by_every_method(rounding):
    known = Estimate("p", (), 0.25, rounding, 20, 0, 0, 300, 21, 1, 1, 0.95)
    for method in METHODS:
        assert proportion_interval(known, method) == pytest.approx((0.25, 0.25), abs=1e-12)


@pytest.mark.parametrize("interval", ["logit", "beta", "asin", "wilson"])
def test_the_interval_of_an_extreme_quantile_can_stay_on_the_scale(interval):
    """At 1 % the plain interval of the share runs below zero and the quantile has no lower end."""
    (plain,) = quantile(FRAME, "x", [0.01], DESIGN)
    (bounded,) = quantile(FRAME, "x", [0.01], DESIGN, interval=interval)
    assert np.isnan(plain.low)
    assert plain.value == bounded.value
    assert FRAME.x.min() <= bounded.low <= bounded.value <= bounded.high < FRAME.x.median()


def test_quantiles_come_by_domain_and_probability():
    found = quantile(FRAME, "x", [0.25, 0.75], DESIGN, "g")
    assert [(e.domain, e.name) for e in found] == [
        (("a",), "x 0.25"),
        (("a",), "x 0.75"),
        (("b",), "x 0.25"),
        (("b",), "x 0.75"),
    ]
    assert found[0].n == (FRAME.g == "a").sum()


def test_the_share_below_a_quantile_is_a_plain_proportion():
    """Woodruff's interval is that share's interval, read back on the scale of the values."""
    (median,) = quantile(FRAME, "x", [0.5], DESIGN, rule="math")
    under = FRAME.assign(under=(FRAME.x <= median.value).map({True: "yes", False: "no"}))
    yes = next(e for e in proportion(under, "under", DESIGN) if e.name == "yes")
    (direct,) = mean(FRAME.assign(u=(FRAME.x <= median.value).astype(float)), "u", DESIGN)
    assert (yes.low, yes.high) == pytest.approx((direct.low, direct.high))
    ordered = FRAME.sort_values("x")
    cumulated = (ordered.w.cumsum() / ordered.w.sum()).to_numpy()
    assert median.low == ordered.x.to_numpy()[np.searchsorted(cumulated, yes.low, side="right")]


def test_a_probability_off_the_scale_is_refused():
    with pytest.raises(InputError, match=r"1\.5 is not between 0 and 1"):
        quantile(FRAME, "x", [1.5], DESIGN)
    with pytest.raises(InputError, match="there is no rule 'median'"):
        quantile(FRAME, "x", [0.5], DESIGN, rule="median")
