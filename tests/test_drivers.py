"""Drivers: shares of R² against their definition and a second route, errors against the bootstrap, the picture."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from analysis import Design
from analysis.design import Replicates
from analysis.drivers import drivers, lmg, relative_weights
from analysis.index import index_of
from survey.cli import cli
from survey.errors import InputError, Problems


def people(n=600, villages=40, seed=11):
    chance = np.random.default_rng(seed)
    village = np.repeat(np.arange(villages), n // villages)
    shift = chance.normal(0, 0.5, villages)[village]
    x = chance.normal(0, 1, (n, 3)) + 0.6 * chance.normal(0, 1, (n, 1)) + shift[:, None]
    y = 1.0 * x[:, 0] + 0.5 * x[:, 1] + chance.normal(0, 1.2, n) + 0.5 * shift
    columns = {name: np.clip(np.rint(3 + x[:, k]), 1, 5) for k, name in enumerate("abc")}
    return pd.DataFrame({**columns, "y": y, "v": village, "w": chance.integers(1, 4, n).astype(float)})


DATA = people()
DESIGN = Design("w", psu="v")


def covariance(seed=1):
    random = np.random.default_rng(seed)
    z = random.normal(size=(80, 4)) @ random.normal(size=(4, 4))
    return np.cov(z.T)


def r2(c, inside):
    return (
        float(c[-1, inside] @ np.linalg.solve(c[np.ix_(inside, inside)], c[inside, -1]) / c[-1, -1]) if inside else 0.0
    )


def test_the_shapley_shares_are_the_gains_averaged_over_every_order():
    c = covariance()
    gains = np.zeros(3)
    for order in permutations(range(3)):
        for place, k in enumerate(order):
            gains[k] += (r2(c, [*order[: place + 1]]) - r2(c, [*order[:place]])) / 6
    value, _ = lmg(c)
    assert value == pytest.approx(gains, rel=1e-10)
    assert value.sum() == pytest.approx(r2(c, [0, 1, 2]), rel=1e-10)


def test_uncorrelated_attributes_have_their_squared_correlations_by_both_methods():
    c = np.diag([1.0, 4.0, 9.0, 1.0])
    c[3, :3] = c[:3, 3] = [0.5, 0.8, 0.3]
    squared = np.array([0.25, 0.64 / 4, 0.09 / 9])
    assert lmg(c)[0] == pytest.approx(squared)
    assert relative_weights(c)[0] == pytest.approx(squared)


def test_relative_weights_add_up_to_r2():
    c = covariance(2)
    assert relative_weights(c)[0].sum() == pytest.approx(r2(c, [0, 1, 2]), rel=1e-9)


@pytest.mark.parametrize("share", [lmg, relative_weights])
def test_the_slopes_are_those_of_small_steps(share):
    c = covariance(3)
    step = np.random.default_rng(4).normal(size=c.shape)
    step = 1e-6 * (step + step.T)
    change = (share(c + step)[0] - share(c - step)[0]) / 2
    assert (share(c)[1] * step).sum(axis=(1, 2)) == pytest.approx(change, rel=1e-4)


@pytest.mark.parametrize("method", ["lmg", "relative"])
def test_linearised_and_bootstrapped_errors_agree(method):
    ours = drivers(DATA, "y", list("abc"), DESIGN, method=method).table
    again = drivers(
        DATA, "y", list("abc"), Design("w", psu="v", replicates=Replicates("bootstrap")), method=method
    ).table
    assert ours["importance"].sum() == pytest.approx(100)
    assert again["importance"].tolist() == pytest.approx(ours["importance"].tolist())
    assert again["se"].to_numpy() == pytest.approx(ours["se"].to_numpy(), rel=0.15)


def test_the_strongest_attribute_is_found_and_quadrants_part_at_the_means():
    found = drivers(DATA, "y", list("abc"), DESIGN)
    table = found.table.set_index("code")
    assert table["importance"].idxmax() == "a"
    assert found.lines == pytest.approx((100 / 3, table["performance"].mean()))
    assert set(table["quadrant"]) <= {"improve", "keep", "watch", "enough"}
    assert table.loc["a", "performance"] == pytest.approx(np.average(DATA["a"], weights=DATA["w"]))


def test_a_code_of_the_index_is_the_mean_of_its_answered_leaves_and_a_reversed_one_is_turned():
    index = index_of(
        [
            {"code": "T"},
            {"code": "D", "parent": "T"},
            {"code": "A", "parent": "D", "question": "a", "score": "linear", "from": "1..5", "to": "1..10"},
            {"code": "B", "parent": "D", "question": "b", "score": "linear", "from": "1..5", "to": "10..1"},
            {"code": "C", "parent": "T", "question": "c", "score": "4 5", "from": "0..1", "to": "1..10"},
        ],
        "t",
    )
    table = drivers(DATA, "y", ["D", "C"], DESIGN, index).table.set_index("code")
    person = 12.5 * ((DATA["a"] - 1) + (5 - DATA["b"]))
    assert table.loc["D", "performance"] == pytest.approx(np.average(person, weights=DATA["w"]))
    assert table.loc["C", "performance"] == pytest.approx(100 * np.average(DATA["c"] >= 4, weights=DATA["w"]))


@pytest.mark.parametrize(
    ("change", "attributes", "sentence"),
    [
        ({}, ["a"], "at least two attributes"),
        ({"b": 3.0}, ["a", "b"], "b: everybody gave the same answer"),
        ({"b": DATA["a"] * 2}, ["a", "b"], "b: it repeats the attributes before it"),
        ({"b": np.nan}, ["a", "b"], "only 0 respondents have every answer"),
    ],
)
def test_what_explains_nothing_is_named(change, attributes, sentence):
    with pytest.raises(InputError, match=sentence):
        drivers(DATA.assign(**change), "y", attributes, DESIGN)


def test_an_unknown_attribute_is_named():
    with pytest.raises(Problems, match="zz"):
        drivers(DATA, "y", ["a", "zz"], DESIGN)


def test_the_command_prints_writes_and_draws(tmp_path):
    DATA.to_csv(tmp_path / "d.csv", index=False)
    (tmp_path / "design.toml").write_text('weight = "w"\npsu = ["v"]\n')
    call = ["drivers", tmp_path / "d.csv", "--outcome", "y", "--design", tmp_path / "design.toml"]
    call += ["--attribute", "a", "--attribute", "b", "--attribute", "c"]
    files = [tmp_path / "t.csv", tmp_path / "q.svg", tmp_path / "q.png"]
    for figure in files[1:]:
        done = CliRunner().invoke(cli, [*map(str, call), "--out", str(files[0]), "--figure", str(figure)])
        assert done.exit_code == 0, done.output
        assert "associations, not causes" in done.output
    assert len(pd.read_csv(files[0])) == 3
    picture = ET.fromstring(files[1].read_text(encoding="utf-8"))
    assert "keep up" in "".join(picture.itertext())
    assert picture.get("role") == "img"
    assert picture.get("aria-label").count(": association") == 3
    assert files[2].read_bytes().startswith(b"\x89PNG")
    plain = json.loads(CliRunner().invoke(cli, [*map(str, call), "--json"]).stdout)
    assert sum(row["importance"] for row in plain["drivers"]) == pytest.approx(100)
