"""Ranks, confidence sets for ranks, chances of a place, PAPI's groups; and ``survey rank``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analysis import Design, score
from analysis.ranking import METHODS, quartile_groups, rank, rank_probabilities, rank_sets
from analysis.scores import PROVISIONAL
from survey.cli import cli
from survey.errors import InputError

PAPI = Path(__file__).parent / "fixtures" / "papi_small"


def run(*arguments):
    """Exit code, standard output, standard error of ``survey``."""
    result = CliRunner().invoke(cli, [*map(str, arguments)], catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


# -- confidence sets ----------------------------------------------------------------------------------------------


def test_units_far_apart_have_one_rank_each_and_equal_ones_have_all():
    apart = rank_sets([3.0, 1.0, 2.0], np.eye(3) * 1e-6, 20)
    assert [apart.rank.tolist(), apart.low.tolist(), apart.high.tolist()] == [[1, 3, 2]] * 3
    equal = rank_sets([1.0, 1.0, 1.0], np.eye(3), 20)
    assert (equal.rank.tolist(), equal.low.tolist(), equal.high.tolist()) == ([1, 1, 1], [1, 1, 1], [3, 3, 3])


def test_differences_use_the_covariance_and_intervals_cannot():
    """Two estimates one standard error apart, nearly perfectly correlated: their order is certain."""
    tied = np.array([[1, 0.999], [0.999, 1]])
    for method, order_known in (("holm", True), ("bonferroni", True), ("interval-bonferroni", False)):
        assert bool(rank_sets([2.0, 1.0], tied, 30, method=method).high[0] == 1) is order_known


def test_a_unit_without_a_variance_has_an_order_but_no_set_and_narrows_nobody_else():
    found = rank_sets([9.0, 5.0, 1.0], np.diag([np.nan, 1e-6, 1e-6]), 20)
    assert found.rank.tolist() == [1, 2, 3]
    assert np.isnan(found.low[0])
    assert np.isnan(found.high[0])
    assert (found.low[1:].tolist(), found.high[1:].tolist()) == ([1, 2], [2, 3])


def test_units_with_units_of_their_own_pool_their_degrees_of_freedom():
    """Satterthwaite: two equal variances with 9 df each give 18; t = 2.2 is significant with 18 df and not with 9."""
    variance = np.eye(2) / 2
    assert rank_sets([2.2, 0.0], variance, 9).low.tolist() == [1, 1]
    assert rank_sets([2.2, 0.0], variance, 9, separate=True).low.tolist() == [1, 2]


def test_units_that_share_their_villages_do_not_pool_their_degrees_of_freedom():
    variance = np.eye(2) / 2 + 1e-9
    assert rank_sets([2.2, 0.0], variance, 9, separate=True).low.tolist() == [1, 1]


def test_the_smallest_can_be_first():
    assert rank_sets([3.0, 1.0, 2.0], np.eye(3), largest_first=False).rank.tolist() == [3, 1, 2]


@given(st.lists(st.integers(0, 30), min_size=2, max_size=9), st.integers(8, 200), st.floats(0, 0.9))
def test_every_set_holds_the_rank_and_holm_lies_within_bonferroni(values, df, correlation):
    units = len(values)
    covariance = np.full((units, units), correlation) + np.eye(units) * (1 - correlation)
    sets = {method: rank_sets(values, covariance * 4, df, method=method) for method in METHODS}
    for found in sets.values():
        assert (found.low <= found.rank).all()
        assert (found.rank <= found.high).all()
    assert (sets["bonferroni"].low <= sets["holm"].low).all()
    assert (sets["holm"].high <= sets["bonferroni"].high).all()
    assert (sets["holm"].high >= sets["unadjusted"].high).all()


@pytest.mark.parametrize("method", [method for method in METHODS if method != "unadjusted"])
def test_the_sets_cover_all_true_ranks_at_once(trials, method):
    """Eight units, three of them equal, estimated with 12 df each: at least 95 % of the draws, all sets hold."""
    draws = trials(400, 4000)
    random = np.random.default_rng(5)
    truth, df = np.array([0.0, 0.0, 0.0, 0.5, 1.0, 1.5, 1.5, 3.0]), 12
    best = 1 + (truth[None, :] > truth[:, None]).sum(axis=1)
    worst = (truth[None, :] >= truth[:, None]).sum(axis=1)
    held = 0
    for _ in range(draws):
        estimates = truth + 0.4 * random.standard_normal(8)
        variance = 0.16 * random.chisquare(df, 8) / df
        found = rank_sets(estimates, np.diag(variance), df, method=method)
        held += bool(((found.low <= best) & (found.high >= worst)).all())
    print(f"{method}: all eight sets hold in {held} of {draws} draws, {held / draws:.2%}")
    assert held / draws >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / draws) - (0.02 if method == "interval-sidak" else 0)


# -- chances ------------------------------------------------------------------------------------------------------


def test_the_chance_of_the_first_of_two_is_that_of_their_difference():
    chance, exact = rank_probabilities([1.0, 0.0], np.diag([0.5, 0.5]))
    assert exact
    assert chance[0, 0] == pytest.approx(stats.norm.cdf(1), abs=1e-5)
    tied, exact = rank_probabilities([1.0, 0.0], [[0.5, 0.25], [0.25, 0.5]], draws=200_000)
    assert not exact
    assert tied[0, 0] == pytest.approx(stats.norm.cdf(1 / np.sqrt(0.5)), abs=0.004)


def test_integration_and_simulation_agree():
    estimates, variance = np.array([3.0, 2.5, 2.4, 1.0, 0.0]), np.diag([0.3, 0.1, 0.2, 0.5, 0.02])
    df = np.array([8, 20, np.inf, 11, 30])
    integrated, _ = rank_probabilities(estimates, variance, df)
    simulated, exact = rank_probabilities(estimates, variance + 1e-12, df, draws=200_000)
    assert not exact
    assert integrated == pytest.approx(simulated, abs=0.006)
    assert integrated.sum(axis=0) == pytest.approx(np.ones(5), abs=1e-4)


def test_a_seed_repeats_itself_and_another_does_not():
    covariance = [[1, 0.5], [0.5, 1]]
    one, again, other = (rank_probabilities([0.2, 0], covariance, draws=1000, seed=s)[0][0, 0] for s in (1, 1, 2))
    assert one == again != other


# -- groups -------------------------------------------------------------------------------------------------------


def totals(folder: Path, year: int) -> np.ndarray:
    """Totals of the 63 provinces as published; NaN where there is none."""
    rows = pd.read_csv(folder / "papi_published.csv", dtype={"year": str})
    rows = rows[rows["year"] == str(year)]
    total = rows[rows["code"] == "TOTAL_UNW"].set_index("province")["mean"]
    return total.reindex(sorted(set(rows["province"]))).to_numpy()


@pytest.mark.parametrize(
    ("year", "missing", "sizes", "bounds"),
    [
        (2019, "drop", [16, 16, 15, 16], {}),
        (2020, "drop", [16, 16, 15, 16], {}),
        (
            2022,
            "zero",
            [16, 16, 15, 14],
            {"best": (43.44, 47.88), "high_average": (42.15, 43.25), "low_average": (40.74, 42.14)}
            | {"poor": (38.80, 40.72)},
        ),
    ],
)
def test_published_papi_groups_are_reproduced(shared_data, year, missing, sizes, bounds):
    groups = quartile_groups(totals(shared_data, year), "up", missing)
    assert list(groups.sizes.values()) == sizes
    for name, ends in bounds.items():
        assert groups.bounds[name] == pytest.approx(ends, abs=0.005)


def test_a_value_on_the_cut_goes_up_or_down():
    """61 units: each cut is a value. Down gives the 15 / 15 / 15 / 16 of 2023."""
    values = np.arange(61.0)
    assert list(quartile_groups(values, "down").sizes.values()) == [15, 15, 15, 16]
    assert list(quartile_groups(values, "up").sizes.values()) == [16, 15, 15, 15]


def test_a_unit_without_an_estimate_is_in_no_group_but_may_move_the_cuts():
    values = np.array([4.0, 3.0, 2.0, 1.0, np.nan])
    dropped, kept = quartile_groups(values), quartile_groups(values, missing="zero")
    assert dropped.names == ("best", "high_average", "low_average", "poor", "")
    assert kept.names == ("best", "best", "high_average", "low_average", "")


def test_an_unknown_option_is_refused():
    with pytest.raises(ValueError, match="up or down"):
        quartile_groups([1.0], "sideways")
    with pytest.raises(ValueError, match="holm"):
        rank_sets([1.0], [[1.0]], method="guess")


# -- scores ranked ------------------------------------------------------------------------------------------------


@pytest.fixture
def respondents():
    """Four provinces of ten villages with six people each; province a is the best by far, d has four villages only."""
    random = np.random.default_rng(3)
    rows = []
    for province, chance, villages in (("a", 0.9, 10), ("b", 0.5, 10), ("c", 0.5, 10), ("d", 0.2, 4)):
        for village in range(villages):
            rows += [
                {"province": province, "village": f"{province}{village}", "q": int(random.random() < chance)}
                for _ in range(6)
            ]
    return pd.DataFrame(rows)


@pytest.fixture
def index(tmp_path):
    (tmp_path / "index.csv").write_text("code,parent,question,score\nT,,,\nA,T,q,1=1 0=0\n")
    return tmp_path


def test_below_eight_degrees_of_freedom_a_unit_has_an_order_and_a_reason(respondents, index):
    design = Design(strata="province", psu="village")
    found = rank(score(respondents, index, design, "province"), first=1).table.set_index("domain")
    assert found["rank"].to_dict() == {"a": 1, "b": 2, "c": 3, "d": 4} | {
        name: found["rank"][name] for name in ("b", "c")
    }
    assert found.loc["d", ["rank_low", "p_best"]].isna().all()
    assert "3 degrees of freedom, below 8: no statement on its rank" in found.loc["d", "note"]
    assert found.loc["a", "note"] == ""
    assert (found.loc["a", "rank_low"], found.loc["a", "p_first"] > 0.99) == (1, True)
    # d is surely last by its figures, but nothing is said of it: a keeps rank 2 as possible.
    assert found.loc["a", "rank_high"] == 2


def test_scores_in_memory_and_their_file_give_the_same_ranks(respondents, index, tmp_path):
    respondents.to_csv(tmp_path / "phieu.csv", index=False)
    (tmp_path / "design.toml").write_text('psu = ["village"]\nstrata = ["province"]\n')
    run("score", tmp_path / "phieu.csv", "--index", index, "--by", "province", "--out", tmp_path / "s.csv")
    ours = rank(score(respondents, index, Design(strata="province", psu="village"), "province"), "T").table
    pd.testing.assert_frame_equal(rank(tmp_path / "s.csv", "T").table, ours, rtol=1e-9)


def test_a_few_figures_without_errors_give_an_order_and_groups_only():
    table = {"province": list("abcd"), "code": ["T"] * 4, "mean": [1, 4, 3, None]}
    found = rank(table)
    assert found.table["domain"].tolist() == ["b", "c", "a", "d"]
    assert found.table["rank"].tolist()[:3] == [1, 2, 3]
    assert found.table["rank_low"].isna().all()
    assert [note.partition(" / ")[2] for note in found.table["note"]] == [
        *["no standard error: an order only"] * 3,
        "no estimate",
    ]
    assert found.notes == ()


def test_standard_errors_without_df_are_taken_as_normal_and_independent_and_both_are_said():
    found = rank({"domain": ["a", "b"], "code": ["T", "T"], "estimate": [2.0, 1.0], "se": [0.1, 0.1]}, first=1)
    assert found.table["rank_high"].tolist() == [1, 2]
    assert [note.en for note in found.notes] == [
        "no .psu.parquet beside it: the estimates are taken as independent of each other",
        "no degrees of freedom: taken as normal",
        "probabilities by numerical integration",
    ]


def test_ranks_of_provisional_scores_are_provisional(respondents, index):
    """Scores of interviews that nobody has approved are marked wherever they go."""
    scores = score(respondents, index, Design(strata="province", psu="village"), "province", provisional=True)
    found = rank(scores, "T")
    assert PROVISIONAL in found.notes
    assert found.table["note"].str.contains("provisional, interviews not yet approved").all()


def test_thousands_of_units_get_fewer_draws_and_that_is_said():
    units = 400
    table = {"domain": [f"c{k}" for k in range(units)], "code": ["T"] * units, "estimate": np.arange(units) / 50.0}
    found = rank(table | {"se": [0.3] * units, "df": [20] * units}, first=10, draws=100_000)
    assert found.exact is False
    assert found.notes[-1].en.startswith("probabilities simulated 50000 times (seed 1)")
    assert found.table["p_first"].sum() == pytest.approx(10)


@pytest.mark.parametrize(
    ("table", "options", "sentence"),
    [
        ({"code": ["A", "B"]}, {}, "there are several: A, B; choose one with --code"),
        ({"code": ["A", "A"]}, {"code": "C"}, "there is no 'C'; there are A"),
        ({"code": ["A", "A"], "round": ["1", "2"]}, {}, "there are several: 1, 2; choose one with --round"),
        ({"code": ["A", "A"], "domain": ["x", "x"]}, {}, "two rows for one cell"),
        ({"code": ["A", "A"], "estimate": [None, None]}, {}, "there are no estimates to rank"),
        ({"code": ["A", "A"]}, {"first": 3}, "3 is not within 1 … 2"),
    ],
)
def test_what_cannot_be_ranked_is_answered_with_what_to_do(table, options, sentence):
    with pytest.raises(InputError, match=sentence.replace("(", r"\(")):
        rank({"domain": ["x", "y"], "estimate": [1.0, 2.0], **table}, **options)


# -- the command --------------------------------------------------------------------------------------------------


def test_the_command_gives_the_reference_sets(oracles, tmp_path):
    """R's sets for the five provinces of 2025, from a scores file that holds both years."""
    out = tmp_path / "scores.csv"
    run("score", oracles / "data" / "papi_small_a.csv", "--index", PAPI, "--by", "year*province", "--out", out)
    scores, sums = pd.read_csv(out, dtype=str), pd.read_parquet(out.with_suffix(".psu.parquet"))
    latest = scores["domain"].str.startswith("2025")
    scores[latest].to_csv(out, index=False)
    assert sums["domain"].nunique() == 10
    (case,) = (
        c
        for c in json.loads((oracles / "08_ranks.json").read_text())["cases"]
        if c["id"] == "ranks/small_a/stacked/none/overall"
    )
    for ours, name in (("holm", "diff_holm_t"), ("interval-sidak", "kww_sidak_normal")):
        code, printed, _ = run("rank", out, "--code", "PAPI", "--method", ours, "--json")
        assert code == 0
        found = {row["domain"]: row for row in json.loads(printed)["ranks"]}
        for k, domain in enumerate(f"2025|{p}" for p in range(1, 6)):
            sets = case["expected"][name]
            assert [found[domain]["rank_low"], found[domain]["rank_high"]] == [sets["lo"][k], sets["hi"][k]]


def test_the_command_prints_a_table_and_writes_it(tmp_path):
    file, out = tmp_path / "scores.csv", tmp_path / "ranks.csv"
    file.write_text("domain,code,estimate,se,df\nLào Cai,T,3,0.1,20\nHà Nội,T,5,0.1,20\n")
    code, printed, _ = run("rank", file, "--first", "1", "--out", out)
    assert code == 0
    assert "95 % confidence sets for ranks (all pairs, Holm)" in printed
    assert "Hà Nội" in printed
    assert f"Wrote {out}" in printed
    written = pd.read_csv(out)
    assert written["domain"].tolist() == ["Hà Nội", "Lào Cai"]
    assert written["p_first"].tolist() == pytest.approx([1, 0], abs=1e-6)
    vietnamese = run("--lang", "vi", "rank", file)[1]
    assert "tập tin cậy 95 % của thứ hạng" in vietnamese
    assert "cao nhất" in vietnamese


def test_influence_sums_of_another_scoring_are_refused(respondents, index, tmp_path):
    out = tmp_path / "s.csv"
    respondents.to_csv(tmp_path / "phieu.csv", index=False)
    run("score", tmp_path / "phieu.csv", "--index", index, "--by", "province", "--out", out)
    scores = pd.read_csv(out)
    scores.assign(se=scores["se"] / 2).to_csv(out, index=False)
    code, _, err = run("rank", out, "--code", "T")
    assert code == 2
    assert err == ("s.csv: the .psu.parquet beside it is of other scores; score again with survey score --out\n")
    out.with_suffix(".psu.parquet").write_bytes(b"PAR1")
    assert "the file cannot be read" in run("rank", out, "--code", "T")[2]
