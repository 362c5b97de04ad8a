"""Fay–Herriot against the published fit of the milk data, and three classes for communes.

Milk expenditure: Arora & Lahiri (1997), You & Chapman (2006); the fit is that of the R package sae 1.3 (eblupFH, mseFH
with REML), whose stopping rule of 1e-4 limits the agreement.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from analysis import Design, score
from analysis.index import index_of
from analysis.output import write_scores
from analysis.small_area import classes, fay_herriot, model_estimates
from survey.cli import cli
from survey.errors import InputError

Y = """
1.099 1.075 1.105 0.628 0.753 0.981 1.257 1.095 1.405 1.356 0.615 1.46 1.338 0.854 1.176 1.111 1.257 1.43
1.278 1.292 1.002 1.183 1.044 1.267 1.193 0.791 0.795 0.759 0.796 0.565 0.886 0.952 0.807 0.582 0.684 0.787
0.44 0.759 0.77 0.8 0.756 0.865 0.64
"""
SD = """
0.163 0.08 0.083 0.109 0.119 0.141 0.202 0.127 0.168 0.178 0.1 0.201 0.148 0.143 0.149 0.145 0.135 0.172 0.137
0.163 0.125 0.247 0.14 0.171 0.106 0.121 0.121 0.259 0.106 0.089 0.225 0.205 0.119 0.067 0.106 0.126 0.092
0.132 0.1 0.113 0.083 0.121 0.129
"""
AREA = """
1 1 1 1 1 1 1 2 2 2 2 2 2 2 3 3 3 3 3 3 3 3 3 3 3 4 4 4 4 4 4 4 4 4 4 4 4 4 4 4 4 4 4
"""
EBLUP = """
1.02197 1.0476 1.06795 0.760817 0.846157 0.974373 1.05845 1.09778 1.22154 1.19515 0.785216 1.21395 1.20966
0.983497 1.18642 1.1557 1.22634 1.28565 1.23632 1.23496 1.0903 1.19231 1.12165 1.22303 1.19381 0.762719
0.764955 0.733844 0.769929 0.613442 0.769556 0.795825 0.772319 0.61023 0.700178 0.759279 0.529887 0.743447
0.7549 0.770192 0.748116 0.804077 0.681087
"""
MSE = """
0.0134602 0.00537288 0.00570199 0.00854174 0.00957959 0.0116706 0.0159261 0.0105865 0.014184 0.0149015
0.00769426 0.0163365 0.0125627 0.0121174 0.0120312 0.0117091 0.0108598 0.0136909 0.0110347 0.0130797
0.00994864 0.017244 0.0112923 0.0136253 0.00806579 0.00920513 0.00920513 0.0164769 0.00780063 0.00609867
0.0154416 0.0146579 0.0090247 0.00387079 0.00780063 0.00964614 0.00640434 0.0101556 0.00720994 0.00847028
0.00548486 0.00920513 0.00990363
"""


def numbers(text):
    return np.array(text.split(), dtype=float)


def test_the_milk_data_give_the_published_fit():
    area = numbers(AREA)
    x = np.column_stack([np.ones(43), *(area == k for k in (2, 3, 4))])
    found = fay_herriot(numbers(Y), numbers(SD) ** 2, x)
    assert found.model_variance == pytest.approx(0.01855022, rel=2e-3)
    assert found.beta == pytest.approx([0.9681890, 0.1327801, 0.2269462, -0.2413011], rel=1e-4)
    assert found.beta_se == pytest.approx([0.0693621, 0.1030007, 0.0923298, 0.0816171], rel=1e-3)
    assert found.estimate == pytest.approx(numbers(EBLUP), rel=1e-3)
    assert found.mse == pytest.approx(numbers(MSE), rel=2e-3)


def test_an_area_without_a_direct_estimate_has_the_model_s_and_a_larger_error():
    y, v = numbers(Y), numbers(SD) ** 2
    y[3] = np.nan
    found = fay_herriot(y, v)
    assert found.estimate[3] == pytest.approx(found.beta[0])
    assert found.mse[3] > found.mse[np.arange(43) != 3].max()


def test_the_stated_error_is_the_error_over_many_draws(trials):
    """A = 1, variances 0.5 to 2, 30 areas: the mean of the stated MSE meets the mean squared error."""
    random = np.random.default_rng(8)
    psi = np.linspace(0.5, 2, 30)
    stated = real = 0.0
    for _ in range(trials(100, 3000)):
        truth = 5 + random.normal(0, 1, 30)
        found = fay_herriot(truth + random.normal(0, np.sqrt(psi)), psi)
        stated, real = stated + found.mse.mean(), real + ((found.estimate - truth) ** 2).mean()
    assert stated == pytest.approx(real, rel=0.12)


def test_too_few_areas_are_refused():
    with pytest.raises(InputError, match="more areas with an estimate"):
        fay_herriot([1.0, 2.0], [0.1, 0.1])


INDEX = index_of([{"code": "T", "question": "y", "score": "linear"}], "t")


def communes(count=12, villages=6, high=2, low=2, seed=1):
    chance = np.random.default_rng(seed)
    commune = np.repeat(np.arange(count), villages * 8)
    village = np.repeat(np.arange(count * villages), 8)
    level = np.where(commune < high, 2.0, np.where(commune >= count - low, -2.0, 0.0))
    y = 5 + level + chance.normal(0, 0.3, count * villages)[village] + chance.normal(0, 1, len(commune))
    return {"y": y, "commune": [f"c{k:02d}" for k in commune], "v": village}


def test_communes_that_differ_are_told_from_those_that_do_not():
    scores = score(communes(), INDEX, Design(psu="v", strata="commune"), "commune", total=True)
    found = classes(scores)
    named = found.table.set_index("domain")["class"]
    assert set(named.index[named == "higher"]) == {"c00", "c01"}
    assert set(named.index[named == "lower"]) == {"c10", "c11"}
    assert (named == "same").sum() == 8
    assert list(named.index) == sorted(named.index)


def test_the_covariance_with_the_whole_counts():
    scores = score(communes(), INDEX, Design(psu="v", strata="commune"), "commune", total=True)
    found = classes(scores).table.set_index("domain")
    both = scores.estimates(["T"], ["c00", "all"]).contrast([[1, -1]], ["d"])[0]
    assert found.loc["c00", "difference_se"] == pytest.approx(both.se, rel=1e-10)


def test_equal_communes_are_falsely_told_apart_in_few_rounds_at_most(trials):
    """Family-wise: in at most 5 % of the rounds is any of twelve equal communes called higher or lower."""
    times = trials(25, 1000)
    wrong = 0
    for seed in range(times):
        scores = score(
            communes(high=0, low=0, seed=seed), INDEX, Design(psu="v", strata="commune"), "commune", total=True
        )
        wrong += bool((classes(scores).table["class"] != "same").any())
    assert wrong / times <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / times)


def test_without_the_whole_there_is_nothing_to_compare_with():
    scores = score(communes(), INDEX, Design(psu="v", strata="commune"), "commune")
    with pytest.raises(InputError, match="there is no row of the whole"):
        classes(scores)


def test_model_based_figures_say_so_in_every_row():
    scores = score(communes(), INDEX, Design(psu="v", strata="commune"), "commune", total=True)
    found = model_estimates(scores)
    assert found["note"].str.contains("model-based, not for ranking").all()
    assert (found["rmse"] <= found["direct_se"] * 1.2).all()


def test_the_command_gives_communes_classes_and_places_only_on_request(tmp_path):
    file = tmp_path / "s.csv"
    write_scores(score(communes(), INDEX, Design(psu="v", strata="commune"), "commune", total=True), file)

    def run(*arguments):
        done = CliRunner().invoke(cli, ["rank", str(file), *arguments], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    found = json.loads(run("--by", "commune", "--model", "--json"))
    assert {row["class"] for row in found["classes"]} == {"higher", "same", "lower"}
    assert all(row["model"] is not None for row in found["classes"])
    assert "rank" not in found["classes"][0]
    assert "places of small units belong in an annex" in run("--by", "commune")
    assert "rank_low" in run("--by", "commune", "--as", "places", "--json")
