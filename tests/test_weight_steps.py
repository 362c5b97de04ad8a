"""The steps of the weights: worked by hand where they are small, by what they must keep where they are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import Design
from analysis.design import Calibration
from analysis.nonresponse import propensity_classes, statuses
from analysis.table import Table
from analysis.trimming import Trim, parse_trim, trim
from analysis.weight_steps import Plan, diagnosis, make_weights
from survey.errors import InputError, Problems


def margins(**variables):
    return [
        {"variable": variable, "category": category, "total": size}
        for variable, totals in variables.items()
        for category, size in totals.items()
    ]


def sample(codes, **columns):
    """A sample whose rows ended as ``codes``; interviews are i1, i2, …"""
    names = [f"i{k}" if code in ("1.1", "1.2") else "" for k, code in enumerate(codes, 1)]
    return {"interview": names, "disposition": list(codes), "probability": ["0.1"] * len(codes), **columns}


def made(data, design=None, **plan):
    return make_weights(Table.of(data), design or Design(), Plan(**plan))


def column(weights, name="weight"):
    return dict(zip(weights.table["interview"], weights.table[name], strict=True))


# -- base weights -------------------------------------------------------------------------------------------------


def test_base_weights_are_the_inverse_of_the_product_of_the_stages():
    """Province certain, commune 0.5, village 0.25, person 0.1: 80 people each."""
    data = {"interview": ["a", "b"], "p_1": ["1", "1"], "p_2": [".5", ".5"], "p_3": [".25", "1"], "p_4": [".1", ".1"]}
    assert column(made(data)) == pytest.approx({"a": 80, "b": 20})


def test_named_probabilities_go_before_what_the_data_say():
    data = {"interview": ["a"], "probability": [0.5], "first": [0.1], "second": [0.4]}
    assert column(made(data, probability=("first", "second"))) == pytest.approx({"a": 25})
    assert column(made(data)) == {"a": 2}


def test_base_weights_come_from_the_design_s_weight_or_counts():
    data = {"interview": ["a", "b"], "w": [3, 4], "N": [10, 10]}
    assert column(made(data, Design("w"))) == {"a": 3, "b": 4}
    assert column(made(data, Design(fpc="N"))) == {"a": 5, "b": 5}
    assert column(made(data, Design("weight", fpc="N"))) == {"a": 5, "b": 5}  # the column that is still to be made


def test_a_quota_by_village_is_weighted_by_what_each_village_counts():
    """Two of 6 villages in the north, one of 4 in the south, which is a stratum with a single PSU: people of village a
    (2 of 100) stand for 3 · 50, of b (1 of 30) for 3 · 30, of c (2 of 10) for 4 · 5."""
    data = {
        "interview": list("vwxyz"),
        "region": list("nnnss"),
        "village": list("aabcc"),
        "villages": [6, 6, 6, 4, 4],
        "people": [100, 100, 30, 10, 10],
    }
    design = Design("weight", "region", "village", ["villages", "people"])
    assert made(data, design).table["weight"].tolist() == pytest.approx([150, 150, 90, 20, 20])


def test_the_columns_are_those_of_the_format():
    assert list(made(sample(["1.1"])).table) == ["interview", "w_base", "w_nonresponse", "w_calibrated", "weight"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"interview": ["a"]}, "data: neither probabilities of selection nor base weights; name the columns"),
        (
            {"interview": ["a", "b", "c"], "probability": [0.1, 0, None]},
            "data, column probability, 2 rows (2, 3): blank, or not above 0",
        ),
        (
            {"interview": ["a", "b"], "probability": [0.5, 50]},
            "data, column probability, row 2: a probability above 1; give probabilities up to 1, not per cent",
        ),
        ({"interview": ["a", "a"], "probability": [1, 1]}, "data, column interview, 2 rows (1, 2): an interview has"),
        ({"interview": ["a", ""], "probability": [1, 1]}, "data, column interview, row 2: the interview's id is blank"),
        ({"probability": [1]}, "data, column interview: there is no such column"),
        (
            {"interview": ["a", ""], "disposition": ["1.1", "9.9"], "probability": [1, 1]},
            "data, column disposition, row 2: blank or no AAPOR disposition code",
        ),
        (
            {"interview": [""], "disposition": ["2.112"], "probability": [1]},
            "data, column disposition: there are no respondents",
        ),
    ],
)
def test_what_is_wrong_with_the_sample_is_told_with_its_rows(data, message):
    with pytest.raises(InputError) as error:
        made(data)
    assert str(error.value).startswith(message)


# -- nonresponse --------------------------------------------------------------------------------------------------


def test_nonrespondents_give_their_weight_to_the_respondents_of_their_class():
    """Rural: 3 drawn, 2 answer, so 10 becomes 15. Urban: all answer."""
    data = sample(["1.1", "1.1", "2.112", "1.1", "1.1"], area=["r", "r", "r", "u", "u"])
    found = made(data, classes=("area",))
    assert column(found, "w_nonresponse") == pytest.approx({"i1": 15, "i2": 15, "i4": 10, "i5": 10})
    assert column(found, "w_base") == pytest.approx(dict.fromkeys(["i1", "i2", "i4", "i5"], 10))
    rural, urban = found.classes
    assert (rural.name, rural.respondents, rural.nonrespondents, rural.factor) == ("r", 2, 1, 1.5)
    assert (urban.name, urban.factor) == ("u", 1)


def test_unknown_cases_are_shared_among_the_known_and_ineligible_cases_leave():
    """10 each: 2 answer, 1 refuses, 1 is not eligible, 1 was never found. The lost 10 go to the four known ones, 12.5
    each; those of the refusal go to the two: 18.75. The ineligible takes its 12.5 away."""
    data = sample(["1.1", "1.1", "2.112", "4.70", "3.18"], area=["r"] * 5)
    found = made(data, classes=("area",))
    assert column(found) == pytest.approx({"i1": 18.75, "i2": 18.75})
    assert found.classes[0].total == pytest.approx(50)


def test_a_spreadsheet_s_4_1_is_the_code_4_10():
    status, _ = statuses(Table.of({"interview": ["a", "b"], "disposition": [1.1, 4.1]}))
    assert status.tolist() == [0, 3]


def test_reserve_units_share_what_the_main_list_stands_for():
    """Four were drawn at 1 in 10 and one did not answer; one from the reserve list did. Five asked stand for the 40."""
    data = sample(["1.1", "1.1", "1.1", "2.112", "1.1"], list=["main"] * 4 + ["reserve"], psu=["v"] * 5, all=["x"] * 5)
    assert column(made(data)) == pytest.approx(dict.fromkeys(["i1", "i2", "i3", "i5"], 10))
    assert made(data).notes[-1].en.endswith("reserve units stand in for those they replaced")
    found = made(data, classes=("all",))
    assert found.classes[0].total == pytest.approx(40)
    assert found.table["weight"].tolist() == pytest.approx([10] * 4)


def test_a_small_class_and_a_steep_one_are_findings():
    data = sample(["1.1", "2.112", "2.112"], area=["r"] * 3)
    small, steep = made(data, classes=("area",)).findings
    assert small("en") == "--class r (1): classes with fewer than 20 respondents: 1; better join classes"
    assert steep("en").startswith("--class r (×3.00): classes whose weights grow more than 2 times: 1")


def test_a_class_where_nobody_answered_is_an_error_that_names_it():
    data = sample(["1.1", "2.112"], area=["r", "u"])
    with pytest.raises(InputError, match="--class u: a weighting class without respondents; join classes"):
        made(data, classes=("area",))


def test_interviews_that_do_not_count_yet_are_told():
    data = {"interview": ["a", ""], "disposition": ["1.1", "1.1"], "probability": [0.1, 0.1], "area": ["r", "r"]}
    found = made(data, classes=("area",), least=1)
    assert column(found) == pytest.approx({"a": 20})
    (finding,) = found.findings
    assert finding("en").startswith("data, column interview, row 2: interviewed, but without an interview that counts")


def test_classes_need_to_be_known_of_everybody():
    data = sample(["1.1", "2.112"], area=["r", ""])
    with pytest.raises(Problems) as error:
        made(data, classes=("area", "aree"))
    assert [problem("en") for problem in error.value.problems] == [
        "data, column aree (nonresponse): there is no such column; did you mean 'area'?",
        "data, column area, row 2: a column of weighting classes has blank cells; "
        "take a column that nonrespondents have as well",
    ]
    with pytest.raises(InputError, match="without this column nobody is known not to respond"):
        made({"interview": ["a"], "probability": [1], "area": ["r"]}, classes=("area",))
    with pytest.raises(InputError, match="two ways to do the same"):
        made(data, classes=("area",), propensity=("area",))


def test_propensity_with_one_category_column_gives_its_response_rates_as_classes():
    """Three regions answer 1/4, 2/4, 3/4: the model is saturated, so that its classes are the regions."""
    codes = [*["1.1"] * 1, *["2.112"] * 3, *["1.1"] * 2, *["2.112"] * 2, *["1.1"] * 3, *["2.112"] * 1]
    data = sample(codes, region=list("aaaabbbbcccc"))
    by_class, by_model = made(data, classes=("region",)), made(data, propensity=("region",), groups=3)
    assert column(by_model) == pytest.approx(column(by_class))
    assert [row.name for row in by_model.classes] == ["1 (~0.25)", "2 (~0.50)", "3 (~0.75)"]


def test_a_category_where_everybody_responds_has_a_propensity_of_one():
    codes = [*["1.1"] * 4, *["1.1"] * 3, *["2.112"] * 1]
    found = made(sample(codes, region=list("aaaabbbb")), propensity=("region",), groups=2)
    assert [(row.name, row.factor) for row in found.classes] == [("1 (~0.75)", pytest.approx(4 / 3)), ("2 (~1.00)", 1)]


def test_propensity_classes_hold_equal_shares_and_rise_with_a_number():
    rng = np.random.default_rng(5)
    age = rng.uniform(18, 80, 500)
    codes = np.where(rng.uniform(size=500) < 0.2 + age / 130, "1.1", "2.112")
    data = Table.of(sample(codes, age=age))
    status, _ = statuses(data)
    group, names = propensity_classes(data, (), ("age",), status, np.ones(500), 5)
    assert np.bincount(group).tolist() == [100] * 5
    assert len(names) == 5
    oldest = [age[group == k].max() for k in range(5)]
    assert oldest == sorted(oldest)


def test_a_propensity_that_cannot_be_estimated_is_a_sentence():
    data = sample(["1.1", "2.112", "1.1", "2.112"], a=list("xyxy"), b=list("pqpq"), c=list("xxyy"))
    with pytest.raises(InputError, match="--propensity: the columns repeat each other"):
        made(data, propensity=("a", "b"))
    with pytest.raises(InputError, match=r"--class 1 \(~0.00\): a weighting class without respondents"):
        made(data, propensity=("a",), groups=2)
    everybody = sample(["1.1", "1.1"], a=["x", "y"])
    with pytest.raises(InputError, match="everybody responded"):
        made(everybody, propensity=("a",))


ENDS = st.sampled_from(["1.1", "1.2", "2.112", "2.24", "3.18", "0.2"])


@given(st.lists(st.tuples(ENDS, st.sampled_from("abc"), st.floats(0.01, 1)), min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_the_totals_of_all_classes_are_kept(rows):
    rows = [("1.1", name, 0.5) for name in "abc"] + rows
    data = sample([code for code, _, _ in rows], area=[area for _, area, _ in rows])
    data["probability"] = [p for _, _, p in rows]
    found = made(data, classes=("area",))
    kept = dict.fromkeys("abc", 0.0)
    for _, area, p in rows:
        kept[area] += 1 / p
    area_of = dict(zip(data["interview"], data["area"], strict=True))
    sums = found.table.groupby(found.table["interview"].map(area_of))["w_nonresponse"].sum()
    assert sums.to_dict() == pytest.approx(kept)
    assert (found.table["w_nonresponse"] >= found.table["w_base"] * (1 - 1e-12)).all()


# -- calibration --------------------------------------------------------------------------------------------------

PEOPLE = pd.DataFrame(
    {
        "interview": [f"i{k}" for k in range(200)],
        "w": np.random.default_rng(2).uniform(5, 20, 200),
        "sex": ["f", "m"] * 100,
        "age": (["young"] * 70 + ["old"] * 130),
    }
)
KNOWN = margins(sex={"f": 1500, "m": 1300}, age={"young": 1200, "old": 1600})


def test_post_strata_by_hand():
    """Two women of weight 10 stand for 30, one man of weight 10 for 25."""
    data = {"interview": ["a", "b", "c"], "w": [10, 10, 10], "sex": ["f", "f", "m"]}
    rule = Calibration("poststratify", margins=margins(sex={"f": 30, "m": 25}))
    found = made(data, Design("w", calibration=rule))
    assert column(found) == {"a": 15, "b": 15, "c": 25}
    assert found.margins.to_dict("list") == {
        "variable": ["sex", "sex"],
        "category": ["f", "m"],
        "total": [30, 25],
        "before": [20, 10],
        "after": [30, 25],
    }


@pytest.mark.parametrize("method", ["raking", "linear", "logit", "bounded"])
@given(factor=st.floats(0.01, 100))
@settings(max_examples=10, deadline=None)
def test_margins_are_met_and_scaling_the_base_weights_scales_what_comes_before(method, factor):
    rule = Calibration(method, margins=KNOWN, bounds=(0.001, 1000))
    plain, scaled = (made(PEOPLE.assign(w=PEOPLE.w * k), Design("w", calibration=rule)) for k in (1, factor))
    assert scaled.margins["after"].tolist() == pytest.approx([row["total"] for row in sorted_known()], rel=1e-8)
    assert scaled.table["w_base"].tolist() == pytest.approx((plain.table["w_base"] * factor).tolist())
    if method in ("raking", "linear"):
        # One factor for everybody is what the margins take back first: these two do not see it.
        assert scaled.table["weight"].tolist() == pytest.approx(plain.table["weight"].tolist(), rel=1e-6)


def sorted_known():
    """Margins stand in the order of their variables, categories in their own."""
    return sorted(KNOWN, key=lambda row: (["sex", "age"].index(row["variable"]), row["category"]))


@given(st.floats(0.01, 1000))
@settings(max_examples=20, deadline=None)
def test_without_known_totals_scaling_all_base_weights_scales_all_weights(factor):
    codes = np.where(np.arange(200) % 5, "1.1", "2.112")
    data = sample(codes, sex=PEOPLE.sex, w=PEOPLE.w)
    plan = {"classes": ("sex",), "trim": Trim(times=1.5)}
    plain = made(data, Design("w"), **plan).table["weight"]
    scaled = made({**data, "w": PEOPLE.w * factor}, Design("w"), **plan).table["weight"]
    assert scaled.tolist() == pytest.approx((plain * factor).tolist())


def test_already_applied_is_for_the_scores_not_for_the_step_that_makes_the_weights():
    rule = Calibration(margins=KNOWN, already_applied=True, base_weight="w_nonresponse")
    found = made(PEOPLE, Design("w", calibration=rule))
    assert found.table["weight"].sum() == pytest.approx(2800)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (
            {"margins": margins(sex={"f": 1500, "m": 1300}, age={"young": 1200, "old": 1700})},
            "margins: the variables add up to different totals: sex 2800, age 2900; correct the totals",
        ),
        (
            {"method": "poststratify", "margins": KNOWN},
            "margins: post-stratification takes one variable with categories; cross them (sex*age), or use raking",
        ),
        (
            {"method": "linear", "margins": margins(sex={"f": 2799, "m": 1}, age={"young": 1200, "old": 1600})},
            "data, column w_calibrated, 65 rows (72, 74, 76, 78, 80, …): calibration by 'linear' makes weights of 0",
        ),
        (
            {"method": "bounded", "bounds": (0.9, 1.1), "margins": margins(sex={"f": 5000, "m": 10})},
            "margins, sex = m: calibration does not converge, 1085.42 off",
        ),
        (
            {"margins": margins(sex={"f": 1500, "m": 1300, "x": 9})},
            "margins, sex: with a total but not in the data: x; correct the margins or join categories",
        ),
        (
            {"margins": margins(sex={"f": 1500})},
            "data, column sex, 100 rows (2, 4, 6, 8, 10, …): categories without a total in the margins: m; correct",
        ),
        (
            {"margins": [*margins(sex={"f": 1500, "m": 1300}), *margins(sex={"f": 1})]},
            "margins, row 4, sex = f: this category stands above already",
        ),
        ({"margins": [{"variable": "sex", "total": 1}]}, "margins: without the column category; give the columns"),
    ],
)
def test_margins_that_cannot_be_met_are_told(rule, message):
    with pytest.raises(InputError) as error:
        made(PEOPLE, Design("w", calibration=Calibration(**rule)))
    assert str(error.value).startswith(message)


def test_a_number_with_blanks_is_no_margin():
    data = PEOPLE.assign(income=np.where(PEOPLE.index < 3, np.nan, 1.0))
    rule = Calibration("linear", margins=[{"variable": "income", "category": "", "total": 100}])
    with pytest.raises(Problems, match=r"data, column income, 3 rows \(1, 2, 3\): a calibration variable is blank"):
        made(data, Design("w", calibration=rule))


# -- trimming -----------------------------------------------------------------------------------------------------


def test_trimming_by_hand_goes_on_until_nobody_is_above_the_cap():
    """Median 2, cap 4: 10 becomes 4, and the other 14 of the sum of 18 go to 1, 2, 2, 3 as 1.75, 3.5, 3.5, 5.25. So 3
    becomes 4 as well, and the 10 that are left go to 1, 2, 2 as 2, 4, 4."""
    found, done, lost = trim(np.array([1.0, 2, 2, 3, 10]), Trim(times=2))
    assert found.tolist() == pytest.approx([2, 4, 4, 4, 4])
    assert done.en == "1 weight trimmed at 4"
    assert not lost


def test_the_margins_are_kept_where_they_can_be():
    rule = Calibration(margins=KNOWN)
    found = made(PEOPLE, Design("w", calibration=rule), trim=Trim(times=1.5))
    cap = 1.5 * found.table["w_calibrated"].median()
    assert found.table["w_calibrated"].max() > cap
    assert found.table["weight"].max() <= cap * (1 + 1e-8)
    assert found.margins["after"].tolist() == pytest.approx(found.margins["total"].tolist(), rel=1e-8)
    assert found.notes[-1].en.endswith("margins kept")
    assert not found.findings


def test_margins_that_are_lost_are_said():
    rule = Calibration(margins=margins(sex={"f": 1800, "m": 1000}))
    found = made(PEOPLE, Design("w", calibration=rule), trim=Trim(times=1.25))
    (finding,) = found.findings
    assert "the margins cannot be kept below the cap" in finding("en")
    assert found.table["weight"].sum() == pytest.approx(2800)
    assert found.table["weight"].max() <= 1.25 * found.table["w_calibrated"].median() * (1 + 1e-8)


@given(st.lists(st.floats(0.1, 100), min_size=3, max_size=40), st.floats(1.2, 5))
@settings(max_examples=60, deadline=None)
def test_trimming_keeps_the_sum_and_the_cap(weights, times):
    before = np.array(weights)
    rule = Trim(times=times)
    try:
        after, _, _ = trim(before, rule)
    except InputError:
        assert rule.cap(before) < before.mean()
        return
    assert after.sum() == pytest.approx(before.sum())
    assert after.max() <= rule.cap(before) * (1 + 1e-8)
    assert (after[before <= rule.cap(before)] >= before[before <= rule.cap(before)] * (1 - 1e-9)).all()


def test_rules_for_trimming_are_read_or_refused():
    assert (parse_trim("5"), parse_trim("2,5"), parse_trim("99%")) == (Trim(5), Trim(2.5), Trim(quantile=0.99))
    for wrong in ("0.5", "100%", "five", "", "nan", "20%"):
        with pytest.raises(InputError, match="no rule for trimming"):
            parse_trim(wrong)


def test_kish_s_design_effect_by_hand():
    """Weights 1 and 3: n Σw² / (Σw)² = 2 · 10 / 16."""
    found = diagnosis(np.array([1.0, 3.0]))
    assert (found["deff"], found["n_effective"], found["sum"]) == (1.25, 1.6, 4)
