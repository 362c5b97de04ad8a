"""Regressions by a second route each, tests of terms, missing answers, and models that cannot be fitted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.miscmodels.ordinal_model import OrderedModel

from analysis import Design, mean
from analysis.design import Calibration, Replicates
from analysis.fitting import fit_logistic
from analysis.model_terms import expand
from analysis.regression import beyond, beyond_r, linear, logistic, ordinal
from analysis.testing import two_sample_t
from survey.errors import InputError, Problems


@pytest.fixture
def people():
    """Satisfaction of 480 people in 40 villages, of waiting time, age and channel; neighbours are alike."""
    random = np.random.default_rng(11)
    village = np.repeat(np.arange(40), 12)
    lean = random.normal(0, 0.7, 40)[village]
    age = random.integers(18, 80, 480)
    wait = random.gamma(2, 10, 480).round(1)
    channel = random.choice(["office", "web", "post"], 480)
    score = lean + 0.02 * age - 0.05 * wait + (channel == "web") + random.logistic(0, 1, 480)
    return pd.DataFrame(
        {
            "village": [f"v{k}" for k in village],
            "stratum": np.where(village < 20, "n", "s"),
            "w": random.uniform(0.5, 3, 480),
            "age": age,
            "wait": wait,
            "channel": channel,
            "score": score,
            "satisfied": np.where(score > 0.3, "yes", "no"),
            "level": np.digitize(score, [-1.0, 0.3, 1.5]) + 1,
        }
    )


CLUSTERED = Design(weight="w", psu="village")


# -- second routes ------------------------------------------------------------------------------------------------


def clustered_errors(model, data):
    """statsmodels' own sandwich by village, with the factor G/(G − 1) of a with-replacement design."""
    groups = data["village"].astype("category").cat.codes
    found = model.fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False})
    return found.params, np.asarray(found.cov_params()) * 40 / 39


def test_linear_coefficients_and_errors_are_statsmodels_clustered_ones(people):
    ours = linear(people, "score", ["age", "wait"], CLUSTERED)
    x = sm.add_constant(people[["age", "wait"]])
    parameters, covariance = clustered_errors(sm.WLS(people["score"], x, weights=people["w"]), people)
    assert ours.names == ("(Intercept)", "age", "wait")
    assert ours.coefficients == pytest.approx(parameters.to_numpy())
    assert ours.covariance == pytest.approx(covariance, rel=1e-8)
    assert (ours.df, ours.n) == (39 + 1 - 3, 480)


def test_logistic_coefficients_and_errors_are_statsmodels_clustered_ones(people):
    plain = Design(psu="village")
    ours = logistic(people, "satisfied", ["age", "wait"], plain, success="yes")
    x = sm.add_constant(people[["age", "wait"]])
    y = (people["satisfied"] == "yes").astype(float)
    parameters, covariance = clustered_errors(sm.GLM(y, x, family=sm.families.Binomial()), people)
    assert ours.coefficients == pytest.approx(parameters.to_numpy(), rel=1e-7)
    assert ours.covariance == pytest.approx(covariance, rel=1e-6)


def test_ordered_coefficients_are_statsmodels_when_weights_are_equal(people):
    ours = ordinal(people, "level", ["age", "wait"], Design(psu="village"))
    theirs = OrderedModel(people["level"], people[["age", "wait"]], distr="logit").fit(method="bfgs", disp=False)
    assert ours.names == ("age", "wait", "1|2", "2|3", "3|4")
    cuts = theirs.model.transform_threshold_params(np.asarray(theirs.params))[1:-1]
    assert ours.coefficients == pytest.approx([*theirs.params[:2], *cuts], abs=2e-4)
    # The inverse information is the covariance of a model without a design.
    assert np.sqrt(np.diag(ours.fit.naive))[:2] == pytest.approx(theirs.bse[:2].to_numpy(), rel=1e-3)


def test_an_ordered_model_of_two_answers_is_the_logistic_one(people):
    people["high"] = (people["level"] >= 3).astype(int)
    two, one = (f(people, "high", ["age", "channel"], CLUSTERED) for f in (ordinal, logistic))
    assert two.coefficients[:-1] == pytest.approx(one.coefficients[1:], rel=1e-8)
    assert two.coefficients[-1] == pytest.approx(-one.coefficients[0], rel=1e-8)
    assert np.diag(two.covariance)[:-1] == pytest.approx(np.diag(one.covariance)[1:], rel=1e-7)
    assert two.df == one.df


def test_a_model_of_one_group_is_the_t_test(people):
    people["web"] = np.where(people["channel"] == "web", "yes", "no")
    row = linear(people, "score", ["web"], CLUSTERED).table.iloc[1]
    t = two_sample_t(people, "score", "web", CLUSTERED)
    assert row["name"] == "webyes"
    assert [row[key] for key in ("estimate", "se", "t", "p", "low", "high")] == pytest.approx(
        [t.difference, t.se, t.t, t.p, t.low, t.high]
    )


@pytest.mark.parametrize(
    "design",
    [
        Design(weight="w", strata="stratum", psu="village"),
        Design(weight="w", psu="village", replicates=Replicates("JK1")),
        Design(
            weight="w",
            psu="village",
            calibration=Calibration(
                "poststratify",
                margins=[
                    {"variable": "channel", "category": name, "total": total}
                    for name, total in (("office", 300), ("web", 250), ("post", 200))
                ],
            ),
        ),
    ],
    ids=["stratified", "replicates", "post-stratified"],
)
def test_an_intercept_alone_is_the_mean_with_its_error(people, design):
    """Whatever the design: strata, replicates, calibration."""
    model = linear(people, "score", [], design)
    (expected,) = mean(people, "score", design)
    assert model.coefficients[0] == pytest.approx(expected.value)
    assert np.sqrt(model.covariance[0, 0]) == pytest.approx(expected.se, rel=1e-6)


@pytest.mark.parametrize("fit", [linear, logistic, ordinal])
def test_leaving_out_one_village_at_a_time_gives_nearly_the_same_errors(people, fit):
    people["one"] = (people["satisfied"] == "yes").astype(int)
    outcome = {linear: "score", logistic: "one", ordinal: "level"}[fit]
    terms = ["age", "channel"]
    sandwich = fit(people, outcome, terms, CLUSTERED)
    jackknife = fit(people, outcome, terms, Design(weight="w", psu="village", replicates=Replicates("JK1")))
    assert jackknife.coefficients == pytest.approx(sandwich.coefficients)
    assert np.diag(jackknife.covariance) == pytest.approx(np.diag(sandwich.covariance), rel=0.15)


@pytest.mark.parametrize(("fit", "outcome"), [(logistic, "one"), (ordinal, "level")])
def test_r_s_rounding_is_an_option_and_small(people, fit, outcome):
    people["one"] = (people["satisfied"] == "yes").astype(int)
    exact, rounded = (fit(people, outcome, ["age", "wait"], CLUSTERED, as_r=as_r) for as_r in (False, True))
    assert rounded.coefficients == pytest.approx(exact.coefficients, rel=1e-5)
    assert rounded.covariance == pytest.approx(exact.covariance, rel=2e-3)
    assert not np.array_equal(rounded.covariance, exact.covariance)


# -- properties ---------------------------------------------------------------------------------------------------


@settings(max_examples=10)
@given(st.floats(1e-3, 1e3))
def test_the_unit_of_the_weights_changes_nothing(factor):
    random = np.random.default_rng(2)
    data = pd.DataFrame(
        {"w": random.uniform(1, 2, 60), "x": random.normal(size=60), "y": np.resize([0, 1, 1, 0, 1], 60)}
    )
    for fit in (linear, logistic, ordinal):
        one = fit(data, "y", ["x"], Design(weight="w"))
        other = fit(data.assign(w=data["w"] * factor), "y", ["x"], Design(weight="w"))
        assert other.coefficients == pytest.approx(one.coefficients, rel=1e-7)
        assert other.covariance == pytest.approx(one.covariance, rel=1e-6)


def test_missing_answers_leave_the_model_and_their_villages_stay_in_the_design(people):
    """Dropping the rows would forget the village; as zeros its influence counts among 40 villages, not 39."""
    people["age"] = people["age"].where(people["village"] != "v0")
    kept = linear(people, "score", ["age"], CLUSTERED)
    dropped = linear(people.dropna(), "score", ["age"], CLUSTERED)
    assert kept.coefficients == pytest.approx(dropped.coefficients)
    assert (kept.n, kept.df) == (dropped.n, dropped.df) == (468, 37)
    assert kept.covariance == pytest.approx(dropped.covariance * (40 / 39) / (39 / 38))


def test_terms_are_crossed_and_written_out():
    assert expand(["a*b", "c", "a"]) == ["a", "b", "c", "a:b"]


def test_answers_become_indicators_of_all_but_the_first(people):
    model = linear(people, "score", ["channel*age"], CLUSTERED)
    assert model.names == ("(Intercept)", "channelpost", "channelweb", "age", "channelpost:age", "channelweb:age")
    numbers = linear(people, "score", ["level"], CLUSTERED, categorical=["level"])
    assert numbers.names == ("(Intercept)", "level2", "level3", "level4")


def test_the_order_of_answers_can_be_given_and_turns_the_signs(people):
    up = ordinal(people, "level", ["age"], CLUSTERED)
    down = ordinal(people, "level", ["age"], CLUSTERED, order=[4, 3, 2, 1])
    assert down.names == ("age", "4|3", "3|2", "2|1")
    assert down.coefficients == pytest.approx(-up.coefficients[[0, 3, 2, 1]], rel=1e-7)


def test_answers_outside_the_order_are_missing(people):
    some = ordinal(people, "level", ["age"], CLUSTERED, order=[1, 2, 3])
    assert some.n == (people["level"] < 4).sum()
    assert some.names == ("age", "1|2", "2|3")


# -- tests of terms -----------------------------------------------------------------------------------------------


def test_the_wald_test_of_one_coefficient_is_its_t_squared(people):
    model = logistic(people, "satisfied", ["age", "wait"], CLUSTERED, success="yes")
    row = model.table.set_index("name").loc["wait"]
    found = model.test(["wait"])
    assert (found.statistic, found.p) == pytest.approx((row["t"] ** 2, row["p"]))
    assert (found.df, found.ddf) == (1, 37)


def test_without_a_design_the_likelihood_ratio_is_the_classic_one(people):
    model = logistic(people, "satisfied", ["age", "wait", "channel"], Design(), success="yes")
    found = model.test(["channel", "wait"], "lrt")
    y = (people["satisfied"] == "yes").astype(float)
    indicators = pd.get_dummies(people["channel"], drop_first=True, dtype=float)
    full = sm.GLM(y, sm.add_constant(pd.concat([people[["age", "wait"]], indicators], axis=1)), sm.families.Binomial())
    small = sm.GLM(y, sm.add_constant(people[["age"]]), sm.families.Binomial())
    assert found.statistic == pytest.approx(small.fit().deviance - full.fit().deviance)
    assert found.df == 3
    assert found.eigenvalues == pytest.approx([1, 1, 1], abs=0.2)


def test_a_term_of_an_ordered_model_is_tested_too(people):
    model = ordinal(people, "level", ["age", "channel"], CLUSTERED)
    wald, ratio = model.test(["channel"]), model.test(["channel"], "lrt")
    assert wald.df == ratio.df == 2
    assert wald.p < 0.001
    assert ratio.p < 0.001
    assert model.test(["age", "channel"], "lrt").statistic > ratio.statistic


@pytest.mark.parametrize(("value", "roots", "df"), [(9.0, [2.0, 1.0], 12), (30.0, [4.0, 1.0, 0.5], 40), (2, [2, 2], 9)])
def test_the_reference_distribution_of_the_ratio_is_that_of_its_definition(value, roots, df):
    """Σ λ χ²₁ against χ²_df / df by simulation; R's saddlepoint is good to a few percent of p."""
    random = np.random.default_rng(4)
    weights = np.array(roots, dtype=float)
    sums = random.chisquare(1, (1_000_000, len(roots))) @ weights
    simulated = (sums > value * random.chisquare(df, 1_000_000) / df).mean()
    assert beyond(value, weights, df) == pytest.approx(simulated, abs=4 * np.sqrt(simulated / 1_000_000))
    assert beyond_r(value, weights, df) == pytest.approx(simulated, rel=0.06)


@pytest.mark.parametrize("value", [0.0, 0.5, 2.0, 2.0000001, 7.0, 60.0])
def test_equal_roots_give_the_f_distribution_wherever_the_statistic_lies(value):
    """At the mean (2 here) the saddlepoint has no value and Satterthwaite's F, then exact, takes its place."""
    exact = stats.f.sf(value / 2, 2, 50)
    assert beyond(value, np.array([1.0, 1.0]), 50) == pytest.approx(exact, rel=1e-6, abs=1e-9)
    assert beyond_r(value, np.array([1.0, 1.0]), 50) == pytest.approx(exact, rel=0.06)


# -- what cannot be fitted ----------------------------------------------------------------------------------------


def test_a_model_that_cannot_be_fitted_says_why(people):
    people["twice"] = 2 * people["age"]
    people["same"] = "x"
    people["rare"] = pd.array([1, 2, 3, *[None] * 477], dtype="Int64")
    people["sure"] = (people["satisfied"] == "yes").astype(int)
    refused = [
        (lambda: linear(people, "score", ["age", "twice"], CLUSTERED), "twice: cannot be told apart"),
        (lambda: ordinal(people, "level", ["age", "twice"], CLUSTERED), "twice: cannot be told apart"),
        (lambda: linear(people, "score", ["same"], CLUSTERED), "column same: it has a single answer"),
        (lambda: linear(people, "score", ["rare"], CLUSTERED), None),
        (lambda: linear(people, "score", ["rare", "age"], CLUSTERED), "only 3 respondents have every answer"),
        (lambda: logistic(people, "sure", ["sure"], CLUSTERED), "separate the answers completely"),
        (lambda: ordinal(people, "sure", ["sure"], CLUSTERED), "separate the answers completely"),
        (lambda: logistic(people, "satisfied", ["age"], CLUSTERED), "two answers are needed, there are: no, yes"),
        (lambda: logistic(people, "satisfied", ["age"], CLUSTERED, success="maybe"), "two answers are needed"),
        (lambda: ordinal(people, "level", ["age"], CLUSTERED, order=["a", "b"]), "two answers are needed"),
    ]
    for call, sentence in refused:
        if sentence is None:
            assert call().n == 3
        else:
            with pytest.raises(InputError, match=sentence):
                call()


def test_all_missing_columns_are_named_at_once(people):
    with pytest.raises(Problems) as error:
        linear(people, "score", ["agee", "wayt"], CLUSTERED)
    assert [problem.where for problem in error.value.problems] == ["data, column agee", "data, column wayt"]


def test_an_unknown_term_or_method_of_a_test_is_refused(people):
    model = linear(people, "score", ["age"], CLUSTERED)
    with pytest.raises(InputError, match="wait: not in the model; its terms are age"):
        model.test(["wait"])
    with pytest.raises(ValueError, match="lrt"):
        model.test(["age"], "guess")


def test_without_degrees_of_freedom_there_are_coefficients_and_no_tests(people):
    few = people[people["village"].isin(["v0", "v1"])]
    model = linear(few, "score", ["age", "wait"], CLUSTERED)
    assert model.df == -1
    assert np.isfinite(model.coefficients).all()
    assert model.table[["p", "low", "high"]].isna().all().all()
    assert np.isnan(model.test(["age"]).p)


def test_a_category_that_always_answers_yes_is_told_not_a_singular_matrix():
    random = np.random.default_rng(1)
    group = np.repeat([0, 1, 2], 60)
    terms = np.column_stack([np.ones(180), group == 1, group == 2]).astype(float)
    answers = np.where(group == 2, 1.0, random.integers(0, 2, 180))
    with pytest.raises(InputError, match="separate the answers completely"):
        fit_logistic(terms, answers, np.ones(180))
