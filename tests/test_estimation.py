"""Estimates: two routes to one figure, domains that keep the design, arithmetic that keeps its covariance."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import Design, mean, ratio, score, total
from analysis.estimation import interval, proportion
from analysis.index import index_of
from survey.errors import Problems
from tests import test_oracles

RNG = np.random.default_rng(20260601)
N = 400
FRAME = pd.DataFrame(
    {
        "stratum": np.repeat(list("abcd"), N // 4),
        "village": np.repeat(np.arange(40), N // 40),
        "w": RNG.uniform(1, 20, N),
        "y": RNG.normal(3, 1, N),
        "x": RNG.uniform(1, 5, N),
        "sex": RNG.choice(["male", "female"], N),
        "province": np.repeat(["01", "02"], N // 2),
    }
)
DESIGN = Design("w", "stratum", "village")


def test_every_case_of_the_reference_folder_is_collected_once(oracles):
    written = Counter(file.stem for file in oracles.glob("*.json") for _ in json.loads(file.read_text())["cases"])
    collected = Counter(param.id.partition(":")[0] for param in test_oracles._cases())
    assert collected == written


def test_an_estimate_is_frozen_and_says_all_about_itself():
    (estimate,) = mean(FRAME, "y", DESIGN)
    assert (estimate.n, estimate.n_psu, estimate.df, estimate.level) == (400, 40, 36.0, 0.95)
    assert estimate.low < estimate.value < estimate.high
    with pytest.raises(FrozenInstanceError):
        estimate.value = 0.0


def test_the_standard_error_is_that_of_clustered_least_squares():
    """A weighted mean is a regression on a constant: with one stratum both routes must give one figure."""
    import statsmodels.api as sm

    (estimate,) = mean(FRAME, "y", Design("w", psu="village"))
    fit = sm.WLS(FRAME.y, np.ones(N), FRAME.w).fit(
        cov_type="cluster", cov_kwds={"groups": FRAME.village.to_numpy(), "use_correction": False}
    )
    villages = 40
    assert estimate.value == pytest.approx(float(fit.params.iloc[0]), rel=1e-12)
    assert estimate.se == pytest.approx(float(fit.bse.iloc[0]) * np.sqrt(villages / (villages - 1)), rel=1e-10)


def test_a_domain_keeps_the_design_and_differs_from_filtered_rows():
    women = next(e for e in mean(FRAME, "y", DESIGN, "sex") if e.domain == ("female",))
    (cut,) = mean(FRAME[FRAME.sex == "female"], "y", DESIGN)
    assert women.value == pytest.approx(cut.value, rel=1e-12)
    inside = (FRAME.sex == "female").to_numpy()
    u = np.where(inside, FRAME.y - women.value, 0) * FRAME.w / FRAME.w[inside].sum()
    z = u.groupby([FRAME.stratum, FRAME.village]).sum()
    by_hand = sum(10 / 9 * ((g - g.mean()) ** 2).sum() for _, g in z.groupby(level=0))
    assert women.se == pytest.approx(np.sqrt(by_hand), rel=1e-12)


def test_degrees_of_freedom_are_the_domain_s_own_unless_the_design_s_are_asked_for():
    own = mean(FRAME, "y", DESIGN, "province")
    whole = mean(FRAME, "y", Design("w", "stratum", "village", df="design"), "province")
    assert [estimate.df for estimate in own] == [18.0, 18.0]
    assert [estimate.df for estimate in whole] == [36.0, 36.0]


def test_a_psu_without_members_counts_as_zero():
    frame = FRAME.assign(part=np.where(FRAME.village % 2 == 0, "in", "out"))
    (estimate,) = [e for e in mean(frame, "y", DESIGN, "part") if e.domain == ("in",)]
    assert (estimate.n_psu, estimate.df) == (20, 16.0)
    (alone,) = mean(frame[frame.part == "in"], "y", DESIGN)
    assert estimate.se != pytest.approx(alone.se, rel=1e-6)


def test_domains_that_share_villages_covary_and_a_difference_uses_it():
    both = mean(FRAME, "y", DESIGN, "sex")
    assert both.covariance[0, 1] != 0
    (difference,) = both.contrast([[1, -1]], ["female - male"])
    variance = both.covariance[0, 0] + both.covariance[1, 1] - 2 * both.covariance[0, 1]
    assert difference.se == pytest.approx(np.sqrt(variance), rel=1e-12)


def test_a_difference_of_provinces_has_the_degrees_of_freedom_of_both():
    both = mean(FRAME, "y", DESIGN, "province")
    assert both.contrast([[1, -1]], ["01 - 02"])[0].df == 36.0


def test_provinces_that_share_no_stratum_are_independent():
    assert mean(FRAME, "y", DESIGN, "province").covariance[0, 1] == 0


def test_a_ratio_is_the_quotient_of_totals_by_the_delta_method():
    (direct,) = ratio(FRAME, "y", "x", DESIGN)
    (derived,) = total(FRAME, ["y", "x"], DESIGN).function([lambda v: v[0] / v[1]], ["y/x"])
    assert derived.value == pytest.approx(direct.value, rel=1e-12)
    assert derived.se == pytest.approx(direct.se, rel=1e-10)


def test_missing_values_leave_the_estimate_and_not_the_design():
    holes = FRAME.assign(y=FRAME.y.where(FRAME.village != 0))
    (estimate,) = mean(holes, "y", DESIGN)
    assert (estimate.n, estimate.n_psu, estimate.df) == (390, 39, 36.0)


def test_shares_of_a_category_add_up_to_one_and_to_no_variance():
    shares = proportion(FRAME, "sex", DESIGN)
    assert sum(share.value for share in shares) == pytest.approx(1)
    assert shares.covariance.sum() == pytest.approx(0, abs=1e-18)


def test_a_sample_of_equal_weights_without_clusters_has_a_design_effect_of_one():
    (estimate,) = mean(FRAME.assign(w=10.0), "y", Design("w"))
    assert estimate.deff_replacement == pytest.approx(1, rel=1e-12)
    assert estimate.deff == pytest.approx(1 / (1 - 0.1), rel=1e-12)


def test_without_degrees_of_freedom_there_is_no_interval():
    low, high = interval(5.0, 1.0, 0, 0.95)
    assert np.isnan(low)
    assert np.isnan(high)


def test_any_kind_of_table_gives_the_same_estimate(tmp_path):
    import pyarrow as pa

    FRAME.to_csv(tmp_path / "d.csv", index=False)
    FRAME.to_csv(tmp_path / "semi.csv", index=False, sep=";", decimal=",", encoding="utf-8-sig")
    FRAME.to_parquet(tmp_path / "d.parquet", index=False)
    FRAME.to_excel(tmp_path / "d.xlsx", index=False)
    forms = [
        pa.Table.from_pandas(FRAME),
        {name: FRAME[name].tolist() for name in FRAME},
        *(tmp_path / name for name in ("d.csv", "semi.csv", "d.parquet", "d.xlsx")),
    ]
    (wanted,) = mean(FRAME, "y", DESIGN)
    for form in forms:
        (found,) = mean(form, "y", DESIGN)
        assert found.value == pytest.approx(wanted.value, rel=1e-12)
        assert found.se == pytest.approx(wanted.se, rel=1e-10)


def test_a_column_that_is_missing_is_named():
    with pytest.raises(Problems, match="column vilage"):
        mean(FRAME, "y", Design("w", psu="vilage"))


@given(st.floats(0.01, 1000))
@settings(max_examples=25, deadline=None)
def test_scaling_all_weights_moves_no_mean_and_no_standard_error(factor):
    (before,) = mean(FRAME, "y", DESIGN)
    (after,) = mean(FRAME.assign(w=FRAME.w * factor), "y", DESIGN)
    assert after.value == pytest.approx(before.value, rel=1e-9)
    assert after.se == pytest.approx(before.se, rel=1e-9)


@given(st.randoms())
@settings(max_examples=10, deadline=None)
def test_the_order_of_the_rows_does_not_matter(random):
    order = list(range(N))
    random.shuffle(order)
    (before,), (after,) = mean(FRAME, "y", DESIGN), mean(FRAME.iloc[order], "y", DESIGN)
    assert after.value == pytest.approx(before.value, rel=1e-12)
    assert after.se == pytest.approx(before.se, rel=1e-10)


ONE_PSU = pd.DataFrame(
    {
        "y": [1.0, 2, 4, 3, 5, 5, 2, 6],
        "k": np.repeat([1, 2, 3, 4], 2),
        "g": ["a", "a", "b", "b", "b", "b", "b", "b"],
        "w": np.arange(1.0, 9),
    }
)
"""Domain a lies in one village. R survey 4.5: means 1.67 (se 1e-16), 4.27 (0.3556), totals 5 (5), 141 (57.44)."""


def test_the_mean_of_a_domain_in_one_psu_has_no_standard_error_rather_than_none_at_all():
    here, there = mean(ONE_PSU, "y", Design("w", psu="k"), "g")
    assert (here.value, here.df, here.n_psu) == (pytest.approx(5 / 3), 0, 1)
    assert np.isnan([here.se, here.low, here.high]).all()
    assert there.se == pytest.approx(0.355617400839778, rel=1e-12)


def test_with_the_degrees_of_freedom_of_the_design_it_is_zero_as_in_r_survey():
    (here, _) = mean(ONE_PSU, "y", Design("w", psu="k", df="design"), "g")
    assert here.se == pytest.approx(0.0, abs=1e-12)


def test_the_total_of_a_domain_in_one_psu_varies_with_that_psu():
    here, there = total(ONE_PSU, "y", Design("w", psu="k"), "g")
    assert (here.se, there.se) == pytest.approx((5.0, 57.4427250978457), rel=1e-12)


def test_a_difference_from_a_domain_of_unknown_error_has_an_unknown_error():
    found = mean(ONE_PSU.assign(c=["c", "d"] * 4), "y", Design("w", psu="k"), ["g"])
    difference, other = found.contrast([[1, -1], [0, 1]], ["a - b", "b"])
    assert difference.value == pytest.approx(5 / 3 - 4.27272727272727)
    assert np.isnan(difference.se)
    assert other.se == pytest.approx(0.355617400839778, rel=1e-12)


def test_what_everybody_says_alike_has_no_design_effect():
    (constant,) = mean(ONE_PSU.assign(y=7.0, w=3.0), "y", Design("w", psu="k"))
    assert constant.se == pytest.approx(0, abs=1e-12)
    assert np.isnan([constant.deff, constant.deff_replacement]).all()


def test_a_total_of_zeros_has_the_variance_zero_under_every_rule_for_lonely_strata():
    """svytotal of R survey 4.5 with survey.lonely.psu = "average": 0, se 0."""
    data = pd.DataFrame({"h": [1, 2, 2, 3, 3], "y": 0.0, "w": [2.0, 1, 3, 1, 2]})
    for rule in ("adjust", "average", "certainty", "remove"):
        assert total(data, "y", Design("w", "h", lonely_psu=rule))[0].se == 0


def test_a_weight_that_is_also_the_population_count_is_not_summed_as_a_key():
    """Cells are told apart by the count; the same column as weight must stay each person's."""
    data = FRAME.assign(count=60.0)
    design = Design("count", psu="village", fpc="count")
    (plain,) = mean(data, "y", design)
    sheet = [{"code": "T", "combine": "mean"}]
    sheet += [{"code": "A", "parent": "T", "question": "y", "score": "linear", "from": "0..10", "to": "0..10"}]
    whole = score(data, index_of(sheet, "one"), design, deff=False).table.set_index("code").loc["T"]
    assert (whole.estimate, whole.se) == pytest.approx((plain.value, plain.se), rel=1e-12)
