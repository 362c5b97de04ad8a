"""Samples drawn by size without replacement: R survey's figures, and exact ones from every possible sample.

The county data are those of the R package survey (``election_pps``, US presidential election of 2004: 40 counties
drawn by size from 4,600); the figures are those that R survey 4.1-1 gives for them, three of them stand in its
documentation. Counties of the sample here: the first twelve, re-drawn in R as a sample of their own.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from analysis import Design, mean, ratio, total
from analysis.layout import lay
from analysis.pps import quadratic
from analysis.table import Table
from survey.errors import InputError, Problems

COUNTIES = {
    "County": ["c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "c10", "c11", "c12"],
    "Bush": [954764, 439242, 55541, 114703, 152838, 108126, 37322, 7745, 583774, 9432, 1182, 32329],
    "votes": [2625105, 833994, 175362, 220819, 264187, 185634, 52184, 10644, 1973405, 13722, 1439, 44909],
    "p": [
        0.9036575625948237711,
        0.2870913678724117402,
        0.0603660415456728355,
        0.0760140106070524429,
        0.0909428691382777876,
        0.0639020412420560346,
        0.0179636495479031447,
        0.0036640557601540905,
        0.6793184852843746624,
        0.0047236164168390112,
        0.0004953566552857701,
        0.0154593273330289414,
    ],
    "wt": [
        1.106613878302011,
        3.483211659796114,
        16.565605005645466,
        13.155469524814439,
        10.995914352333763,
        15.648952374026310,
        55.667975337268125,
        272.921610766629101,
        1.472063577927491,
        211.702202667249651,
        2018.747480889506505,
        64.685867532120511,
    ],
    "strat": [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2],
}
"""Votes of both candidates, the chance of being drawn, and a stratum."""

R = {
    ("brewer", "YG", False): [1473532.0120198, 0.042270320183614],
    ("overton", "HT", False): [2066572.0958092, 0.042270320183614],
    ("overton", "YG", False): [1527366.3527833, 0.043814633305002],
    ("hartley_rao", "HT", False): [1579327.4831525, 0.04200741539166],
    ("hartley_rao", "YG", False): [1473532.0120198, 0.042270320183614],
    ("brewer", "YG", True): [1136576.0954345, 0.032604269927738],
    ("overton", "YG", True): [1284672.3815532, 0.036852618372957],
}
"""(design, form, strata): se of the total, se of the ratio to all votes."""


def county_design(pps, form="YG", **options):
    return Design("wt", psu="County", fpc="p", pps=pps, pps_variance=form, **options)


@pytest.mark.parametrize(("pps", "form", "strata"), R)
def test_the_errors_are_those_of_r(pps, form, strata):
    design = county_design(pps, form, strata=["strat"] if strata else [])
    (found,) = total(COUNTIES, "Bush", design)
    (share,) = ratio(COUNTIES, "Bush", "votes", design)
    assert [found.se, share.se] == pytest.approx(R[pps, form, strata], rel=1e-9)
    assert found.df == len(COUNTIES["p"]) - (2 if strata else 1)


SIZES = np.array([2.0, 3.0, 4.0, 5.0, 6.0])
VALUES = np.array([5.0, 4.0, 9.0, 11.0, 10.0])


def brewer_pairs():
    """Every sample of two by Brewer's method of 1963, with its probability (Cochran 1977, section 9A.8)."""
    z = SIZES / SIZES.sum()
    scale = 0.5 * (1 + (z / (1 - 2 * z)).sum())
    return {
        (i, j): 2 * z[i] * z[j] / (2 * scale) * (1 / (1 - 2 * z[i]) + 1 / (1 - 2 * z[j]))
        for i, j in combinations(range(5), 2)
    }


@pytest.mark.parametrize("form", ["HT", "YG"])
def test_the_variance_from_joint_probabilities_is_unbiased_over_every_possible_sample(form):
    pairs = brewer_pairs()
    inclusion = 2 * SIZES / SIZES.sum()
    assert sum(pairs.values()) == pytest.approx(1, abs=1e-12)
    joint = [{"psu": f"v{i}", "other": f"v{j}", "probability": p} for (i, j), p in pairs.items()]
    expected = truth = 0.0
    for (i, j), chance in pairs.items():
        data = {"y": VALUES[[i, j]], "p": inclusion[[i, j]], "v": [f"v{i}", f"v{j}"]}
        design = Design(psu="v", fpc="p", pps="joint", pps_variance=form, joint=joint)
        (found,) = total(data, "y", design)
        assert found.value == pytest.approx((VALUES[[i, j]] / inclusion[[i, j]]).sum())
        sample = lay(design, Table.of(data))
        # Horvitz–Thompson's may be negative in a sample, where there is then no error; the form itself is unbiased.
        raw = sample.covariance(np.arange(2), (VALUES / inclusion)[[i, j], None])[0, 0]
        assert np.isnan(found.se) if raw < 0 else found.se**2 == pytest.approx(raw)
        expected += chance * raw
        truth += chance * (found.value - VALUES.sum()) ** 2
    assert expected == pytest.approx(truth, rel=1e-10)


def test_equal_probabilities_give_simple_random_sampling_by_every_way():
    p = np.full(6, 0.3)
    z = np.array([1.0, 4.0, 2.0, 8.0, 5.0, 7.0])
    plain = 0.7 * 6 * z.var(ddof=1)
    joint = np.full((6, 6), 6 * 5 / (20 * 19))
    for method in ("brewer", "hartley_rao", "joint"):
        assert z @ quadratic(method, "YG", p, joint) @ z == pytest.approx(plain, rel=1e-9), method
    assert z @ quadratic("overton", "YG", p) @ z == pytest.approx(plain, rel=0.02)


def test_the_second_stage_counts_by_the_chance_of_its_psu():
    """π_i times the variance within, as R's recursion has it."""
    within = {"a": [1.0, 3.0, 5.0], "b": [2.0, 2.0, 8.0], "c": [4.0, 6.0, 5.0]}
    data = {
        "v": [name for name in within for _ in range(3)],
        "y": [y for ys in within.values() for y in ys],
        "p": np.repeat([0.2, 0.4, 0.5], 3),
        "N": np.full(9, 12.0),
    }
    (found,) = total(data, "y", Design(psu=["v"], fpc=["p", "N"], pps="brewer"))
    p = np.array([0.2, 0.4, 0.5])
    z = np.array([4 * sum(ys) for ys in within.values()]) / p
    first = z @ quadratic("brewer", "YG", p) @ z
    second = sum(
        pi * (1 - 3 / 12) * 3 * np.var([4 * y / pi for y in ys], ddof=1)
        for pi, ys in zip(p, within.values(), strict=True)
    )
    assert found.value == pytest.approx(z.sum())
    assert found.se**2 == pytest.approx(first + second, rel=1e-10)


def test_a_psu_that_is_certain_is_a_stratum_of_its_people():
    data = {"v": ["a", "a", "b", "c"], "y": [1.0, 3.0, 2.0, 6.0], "p": [1.0, 1.0, 0.3, 0.4], "w": [1.0] * 4}
    sample = lay(Design("w", psu="v", fpc="p", pps="brewer"), Table.of(data))
    assert sorted(sample.stages[0].size.tolist()) == [2, 2]
    assert list(sample.stages[0].quadratic) == [0]
    (found,) = mean(data, "y", Design("w", psu="v", fpc="p", pps="brewer"))
    assert found.df == 2


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"p": [0.2, 0.3, 1.5]}, "column p, row 3: an inclusion probability above 1; with pps the first column of fpc"),
        ({"v": ["a", "a", "b"]}, "column p (fpc): the probability differs within a; a PSU has one probability"),
    ],
)
def test_probabilities_that_are_none_are_named_with_their_rows(change, sentence):
    data = {"v": ["a", "b", "c"], "p": [0.2, 0.3, 0.4], "y": [1.0, 2.0, 3.0]} | change
    with pytest.raises(Problems) as error:
        lay(Design(psu="v", fpc="p", pps="brewer"), Table.of(data))
    assert sentence in error.value.problems[0]("en")


def test_a_pair_without_a_probability_is_named():
    data = {"v": ["a", "b", "c"], "p": [0.2, 0.3, 0.4], "y": [1.0, 2.0, 3.0]}
    joint = [{"psu": "a", "other": "b", "probability": 0.05}]
    with pytest.raises(InputError, match="2 pairs without one: a – c; b – c"):
        lay(Design(psu="v", fpc="p", pps="joint", joint=joint), Table.of(data))


def test_pps_without_a_column_of_probabilities_is_refused():
    with pytest.raises(Problems, match="pps needs the PSU's inclusion probability"):
        Design("w", pps="brewer")
