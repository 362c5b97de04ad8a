"""Replicate weights: made and given, against linearisation, on single figures and on a whole index."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis import Design, mean, score, total
from analysis.design import Calibration, Replicates
from analysis.estimation import population_variance
from analysis.index import index_of
from survey.errors import InputError

RNG = np.random.default_rng(3)


def people(strata, villages, size=8):
    """Respondents of ``size`` a village, ``villages`` a stratum."""
    n = strata * villages * size
    village = np.repeat(np.arange(strata * villages), size)
    y = RNG.normal(5, 1, n) + RNG.normal(0, 1, strata * villages)[village]
    return pd.DataFrame(
        {
            "stratum": [f"h{k // villages}" for k in village],
            "village": [f"v{k}" for k in village],
            "w": RNG.uniform(1, 5, n),
            "y": y,
            "x": RNG.uniform(1, 5, n),
            "sex": RNG.choice(["f", "m"], n),
        }
    )


MANY, PAIRS = people(4, 12), people(7, 2)


def design(rule, **more):
    return Design("w", "stratum", "village", replicates=Replicates(rule) if rule else None, **more)


@pytest.mark.parametrize(("rule", "data"), [("JKn", MANY), ("BRR", PAIRS), ("Fay", PAIRS)])
def test_a_total_has_exactly_the_linearised_error(rule, data):
    """A total is linear, so these replicates must reproduce the between-PSU variance to the last digits."""
    (linear,), (again,) = total(data, "y", design(None)), total(data, "y", design(rule))
    assert again.value == linear.value
    assert again.se == pytest.approx(linear.se, rel=1e-9)


def test_leaving_one_psu_out_without_strata_is_jk1():
    plain = Design("w", psu="village")
    (linear,) = total(MANY, "y", plain)
    (again,) = total(MANY, "y", Design("w", psu="village", replicates=Replicates("JK1")))
    assert again.se == pytest.approx(linear.se, rel=1e-9)
    assert again.df == linear.df == 47


@pytest.mark.parametrize(("rule", "tolerance"), [("JKn", 0.01), ("bootstrap", 0.08), ("SDR", 0.35)])
def test_a_mean_has_about_the_linearised_error(rule, tolerance):
    (linear,), (again,) = mean(MANY, "y", design(None)), mean(MANY, "y", design(rule))
    assert again.se == pytest.approx(linear.se, rel=tolerance)


def test_population_counts_shrink_the_jackknife_as_they_shrink_the_linearised_error():
    data = MANY.assign(N=30)
    linear = total(data, "y", Design("w", "stratum", "village", "N"))[0]
    again = total(data, "y", Design("w", "stratum", "village", "N", replicates=Replicates("JKn")))[0]
    assert again.se == pytest.approx(linear.se, rel=1e-9)
    assert again.se < total(MANY, "y", design("JKn"))[0].se


def test_the_bootstrap_is_the_same_every_time():
    first, second = (mean(MANY, "y", design("bootstrap"), "sex").covariance for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_given_factors_are_multiplied_with_the_weight_and_combined_ones_are_not():
    factors = {f"rw_{k}": RNG.uniform(0.5, 1.5, len(MANY)) for k in range(30)}
    whole = {name: column * MANY.w for name, column in factors.items()}
    found = []
    for columns, combined in ((factors, False), (whole, True)):
        rule = Replicates("given", "rw_*", scale=0.1, combined=combined)
        found.append(mean(MANY.assign(**columns), "y", Design("w", replicates=rule))[0].se)
    assert found[0] == pytest.approx(found[1], rel=1e-12)


def test_every_node_of_an_index_has_the_same_error_by_both_routes():
    index = index_of(
        [
            {"code": "T", "combine": "geometric"},
            {"code": "D", "parent": "T"},
            {"code": "Y", "parent": "D", "question": "y", "score": "linear", "from": "0..10", "to": "1..10"},
            {"code": "P", "parent": "T", "combine": "pooled"},
            {"code": "X", "parent": "P", "question": "x", "score": "linear"},
        ],
        "t",
    )
    linear, again = (score(MANY, index, design(rule), by="sex") for rule in (None, "JKn"))
    assert again.table["estimate"].tolist() == linear.table["estimate"].tolist()
    assert again.table["se"].to_numpy() == pytest.approx(linear.table["se"].to_numpy(), rel=0.02)
    ours, theirs = (s.cov(["T", "Y"]).to_numpy() for s in (again, linear))
    assert np.abs(ours - theirs).max() < 0.03 * np.abs(theirs).max()


def test_replicates_are_calibrated_one_by_one():
    known = [{"variable": "sex", "category": c, "total": t} for c, t in (("f", 500), ("m", 700))]
    calibration = Calibration("poststratify", margins=known)
    data = MANY.assign(woman=(MANY.sex == "f").astype(float))
    (women,) = total(data, "woman", design("JKn", calibration=calibration))
    assert (women.value, women.se) == (pytest.approx(500), pytest.approx(0, abs=1e-9))
    linear, again = (mean(data, "y", design(rule, calibration=calibration))[0] for rule in (None, "JKn"))
    assert again.se == pytest.approx(linear.se, rel=0.02)


def test_a_method_that_does_not_suit_the_design_says_which_does():
    with pytest.raises(InputError, match="BRR needs two PSUs in every stratum; use JKn or bootstrap"):
        mean(MANY, "y", design("BRR"))


def test_a_pattern_that_fits_no_column_is_named():
    with pytest.raises(InputError, match="columns rw_\\*: no column of replicate weights fits"):
        mean(MANY, "y", Design("w", replicates=Replicates("given", "rw_*")))


def test_blank_replicate_weights_are_named_with_their_rows():
    with pytest.raises(InputError, match="columns rw_\\*, row 2: replicate weights are blank"):
        mean(MANY.assign(rw_1=MANY.w.where(MANY.index != 1)), "y", Design("w", replicates=Replicates("given", "rw_*")))


@pytest.mark.parametrize(("mse", "se"), [(False, 1.72274011293134), (True, 1.74171017277204)])
def test_each_replicate_of_a_variance_has_its_own_mean(mse, se):
    """svyvar of R survey 4.5 with as.svrepdesign(type = "JKn") on the people of its data set fpc."""
    data = pd.DataFrame({"x": [2.8, 4.1, 6.8, 6.8, 9.2, 3.7, 6.6, 4.2], "w": [3] * 5 + [4] * 3, "h": [1] * 5 + [2] * 3})
    (found,) = population_variance(data, "x", Design("w", "h", replicates=Replicates("JKn", mse=mse)))
    assert found.value == pytest.approx(4.37872623946698, rel=1e-13)
    assert found.se == pytest.approx(se, rel=1e-13)
