"""Weights: calibrated to known totals, and what that leaves for the variance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import Design, load_design, mean, total
from analysis.design import Calibration
from analysis.layout import lay
from analysis.table import Table
from survey.errors import InputError, Problems

RNG = np.random.default_rng(11)
N = 300
FRAME = pd.DataFrame(
    {
        "village": np.repeat(np.arange(30), N // 30).astype(str),
        "w": RNG.uniform(5, 20, N),
        "sex": RNG.choice(["f", "m"], N),
        "age": RNG.choice(["young", "old", "middle"], N),
        "income": RNG.uniform(1, 9, N),
        "y": RNG.normal(3, 1, N),
    }
)


def margins(**variables):
    return [
        {"variable": variable, "category": category, "total": size}
        for variable, totals in variables.items()
        for category, size in totals.items()
    ]


KNOWN = margins(sex={"f": 2000, "m": 1900}, age={"young": 1300, "middle": 1500, "old": 1100})


def rows_of(column, *categories):
    """How a sentence counts the rows with these categories and names the first five."""
    found = np.flatnonzero(FRAME[column].isin(categories)) + 1
    return f"{len(found)} rows ({', '.join(map(str, found[:5]))}, …)"


def weights(calibration):
    return lay(Design("w", psu="village", calibration=calibration), Table.of(FRAME)).weight


@pytest.mark.parametrize("method", ["raking", "linear", "logit", "bounded"])
def test_calibrated_weights_meet_every_margin(method):
    found = weights(Calibration(method, margins=KNOWN, bounds=(0.5, 2.5)))
    sums = pd.concat([pd.Series(found).groupby(FRAME[name]).sum() for name in ("sex", "age")])
    assert sums.to_dict() == pytest.approx({row["category"]: row["total"] for row in KNOWN}, rel=1e-9)


def test_bounded_methods_keep_the_ratio_of_the_weights_within_the_bounds():
    for method in ("logit", "bounded"):
        ratio = weights(Calibration(method, margins=KNOWN, bounds=(0.5, 2.5))) / FRAME.w
        assert ratio.between(0.5 - 1e-9, 2.5 + 1e-9).all()


def test_the_total_of_a_number_is_a_margin_too():
    known = [*KNOWN, {"variable": "income", "category": "", "total": 20000}]
    assert weights(Calibration("linear", margins=known)) @ FRAME.income == pytest.approx(20000, rel=1e-9)


def test_numbers_alone_are_calibrated_with_the_size_of_the_population():
    """With both totals the regression has its intercept: a mean of the number has no variance left either."""
    known = [{"variable": "1", "category": "", "total": 3900}, {"variable": "income", "category": "", "total": 20000}]
    design = Design("w", psu="village", calibration=Calibration("linear", margins=known))
    (income,) = mean(FRAME, "income", design)
    assert income.value == pytest.approx(20000 / 3900, rel=1e-9)
    assert income.se == pytest.approx(0, abs=1e-9)


def test_a_total_that_is_known_has_no_variance_left():
    design = Design("w", psu="village", calibration=Calibration("raking", margins=KNOWN))
    (men,) = total(FRAME.assign(men=(FRAME.sex == "m").astype(float)), "men", design)
    assert men.value == pytest.approx(1900, rel=1e-9)
    assert men.se == pytest.approx(0, abs=1e-7)


def test_post_strata_are_crossings_written_with_a_star():
    cells = FRAME.groupby(["sex", "age"]).w.sum() * 1.3
    known = margins(**{"sex*age": {"|".join(map(str, cell)): size for cell, size in cells.items()}})
    assert weights(Calibration("poststratify", margins=known)) == pytest.approx(FRAME.w * 1.3)


def test_weights_calibrated_elsewhere_keep_their_part_in_the_variance():
    calibration = Calibration("raking", margins=KNOWN)
    made = FRAME.assign(final=weights(calibration))
    done = Calibration("raking", already_applied=True, base_weight="w", margins=KNOWN)
    (ours,) = mean(FRAME, "y", Design("w", psu="village", calibration=calibration))
    (theirs,) = mean(made, "y", Design("final", psu="village", calibration=done))
    assert (theirs.value, theirs.se) == pytest.approx((ours.value, ours.se), rel=1e-9)


def test_calibration_agrees_with_the_jackknife_that_calibrates_again():
    calibration = Calibration("raking", margins=KNOWN)
    (estimate,) = mean(FRAME, "y", Design("w", psu="village", calibration=calibration))
    again = []
    for village in FRAME.village.unique():
        left = FRAME[FRAME.village != village]
        again.append(mean(left.assign(w=left.w * 30 / 29), "y", Design("w", calibration=calibration))[0].value)
    jackknife = np.sqrt(29 / 30 * ((np.array(again) - estimate.value) ** 2).sum())
    assert estimate.se == pytest.approx(jackknife, rel=0.05)


def test_the_variance_of_r_s_rake_is_an_option():
    """With equal weights and one margin the two are the same; with unequal weights they are not."""
    one = margins(sex={"f": 2000, "m": 1900})
    errors = {}
    for label, data in (("equal", FRAME.assign(w=10.0)), ("unequal", FRAME)):
        for variance in ("regression", "sweeps"):
            calibration = Calibration("raking", margins=one, variance=variance)
            errors[label, variance] = mean(data, "y", Design("w", psu="village", calibration=calibration))[0].se
    assert errors["equal", "sweeps"] == pytest.approx(errors["equal", "regression"], rel=1e-12)
    assert errors["unequal", "sweeps"] != pytest.approx(errors["unequal", "regression"], rel=1e-6)


def test_margins_that_do_not_fit_the_data_are_all_named():
    known = [*margins(sex={"f": 1, "x": 1}, agee={"young": 1}), {"variable": "age", "category": "old", "total": "?"}]
    with pytest.raises(Problems) as error:
        weights(Calibration(margins=known))
    remedy = "correct the margins or join categories"
    assert [problem("en") for problem in error.value.problems] == [
        "margins, row 5, column total: not a number of at least 0; give the known total",
        f"data, column sex, {rows_of('sex', 'm')}: categories without a total in the margins: m; {remedy}",
        f"margins, sex: with a total but not in the data: x; {remedy}",
        "data, column agee (margins): there is no such column; did you mean 'age'?",
        f"data, column age, {rows_of('age', 'middle', 'young')}: categories without a total in the margins: "
        f"middle, young; {remedy}",
    ]


def test_margins_that_contradict_each_other_are_named_with_their_sums():
    known = margins(sex={"f": 2000, "m": 1900}, age={"young": 1300, "middle": 1500, "old": 9999})
    with pytest.raises(InputError, match="add up to different totals: sex 3900, age 12799; correct the totals"):
        weights(Calibration(margins=known))


def test_a_design_file_finds_its_margins_beside_it(tmp_path):
    pd.DataFrame(KNOWN).to_csv(tmp_path / "margins.csv", index=False)
    (tmp_path / "design.toml").write_text('weight = "w"\n[calibration]\nmethod = "raking"\nmargins = "margins.csv"\n')
    (estimate,) = total(FRAME.assign(one=1), "one", load_design(tmp_path))
    assert estimate.value == pytest.approx(3900, rel=1e-9)


@given(st.floats(0.3, 3), st.floats(0.3, 3))
@settings(max_examples=20, deadline=None)
def test_raking_meets_whatever_positive_margins_agree(sex, age):
    known = margins(
        sex={"f": 1000 * sex, "m": 1000},
        age={"young": (1000 * sex + 1000) / (age + 2), "middle": (1000 * sex + 1000) / (age + 2)},
    )
    known += margins(age={"old": age * (1000 * sex + 1000) / (age + 2)})
    found = weights(Calibration(margins=known))
    assert found.min() > 0
    assert found[FRAME.sex == "f"].sum() == pytest.approx(1000 * sex, rel=1e-8)
