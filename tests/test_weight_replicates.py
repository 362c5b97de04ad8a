"""Replicate weights repeat the recipe: nonresponse has its part in the variance, which fixed factors leave out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from analysis import Design, mean
from analysis.design import Calibration
from analysis.table import Table
from analysis.weight_replicates import recipe_replicates
from analysis.weight_steps import Plan, make_weights
from analysis.weighting import join_weights, joined_design
from survey.cli import cli
from survey.errors import InputError


def sample(seed=5, villages=40, people=10):
    chance = np.random.default_rng(seed)
    n = villages * people
    village = np.repeat(np.arange(villages), people)
    young = chance.random(n) < 0.4
    answered = chance.random(n) < np.where(young, 0.6, 0.8)
    y = np.where(young, 3.0, 6.0) + chance.normal(0, 1, n)
    return pd.DataFrame(
        {
            "interview": [f"i{k}" if a else None for k, a in enumerate(answered)],
            "disposition": np.where(answered, "1.1", "2.112"),
            "village": village,
            "age": np.where(young, "young", "old"),
            "sex": chance.choice(["f", "m"], n),
            "w": 10.0,
            "y": np.where(answered, y, np.nan),
        }
    )


DESIGN = Design("w", psu="village")
PLAN = Plan(classes=("age",))


def test_every_replicate_is_made_by_every_step():
    data = Table.of(sample())
    margins = [{"variable": "sex", "category": c, "total": 2000} for c in "fm"]
    design = Design("w", psu="village", calibration=Calibration("raking", margins=margins))
    columns, notes = recipe_replicates(data, design, PLAN, 60)
    sex = sample().loc[sample()["interview"].notna(), "sex"].to_numpy()
    assert list(columns) == [f"rw_{k:03d}" for k in range(1, 61)]
    for weight in columns.values():
        assert [weight[sex == c].sum() for c in "fm"] == pytest.approx([2000, 2000])
    assert notes[0].en == "60 replicate weights repeat every step"


def test_the_error_of_a_nonresponse_weighted_mean_is_that_over_many_samples(trials):
    """Villages drawn and answering again and again: the replicates' error is the real one within 20 %."""
    means = []
    for seed in range(trials(60, 600)):
        made = make_weights(Table.of(sample(seed)), DESIGN, PLAN).table
        means.append(np.average(sample(seed)["y"].dropna(), weights=made["weight"]))
    data = Table.of(sample())
    columns, _ = recipe_replicates(data, DESIGN, PLAN, 300)
    weights = Table.of(make_weights(data, DESIGN, PLAN).table.join(pd.DataFrame(columns)))
    (found,) = mean(join_weights(data, weights), "y", joined_design(DESIGN, weights))
    assert found.se == pytest.approx(np.std(means, ddof=1), rel=0.25)


def test_replicates_that_cannot_be_made_are_an_error_when_none_can():
    data = sample(villages=4, people=3)
    data["age"] = [f"a{k}" for k in range(len(data))]
    silent = np.arange(len(data)) % 3 == 0  # one in every village, alone in a class
    data = data.assign(interview=[None if s else f"i{k}" for k, s in enumerate(silent)])
    data["disposition"] = np.where(silent, "2.112", "1.1")
    with pytest.raises(InputError, match="no replicate can be made"):
        recipe_replicates(Table.of(data), DESIGN, PLAN, 50)


def test_scores_use_the_replicates_of_the_file(tmp_path):
    sample().to_csv(tmp_path / "d.csv", index=False)
    (tmp_path / "design.toml").write_text('weight = "w"\npsu = ["village"]\n')
    call = ["weight", tmp_path / "d.csv", "--design", tmp_path / "design.toml", "--class", "age", "--replicates", 50]
    done = CliRunner().invoke(cli, [*map(str, call), "--out", str(tmp_path / "w.csv")], catch_exceptions=False)
    assert done.exit_code == 0
    assert "50 replicate weights repeat every step" in done.stdout
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "index.csv").write_text("code,question,score\nT,y,linear\n")
    call = ["score", tmp_path / "d.csv", "--index", tmp_path / "t", "--design", tmp_path / "design.toml"]
    call += ["--weights", tmp_path / "w.csv", "--out", tmp_path / "s.csv"]
    assert CliRunner().invoke(cli, [*map(str, call)], catch_exceptions=False).exit_code == 0
    row = pd.read_csv(tmp_path / "s.csv").iloc[0]
    assert row["se"] > 0
    assert row["df"] > 20
