"""What a published figure owes its reader: its scale, its parts, its missing answers, its small cells, its breaks."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from scipy.stats import binom

from analysis import Design, compare, load_index, score
from analysis.breaks import breaks
from analysis.contributions import contributions
from analysis.design import Publication, Replicates, design_of
from analysis.ends import scales
from analysis.index import index_of
from analysis.missing_answers import missing_answers
from survey.cli import cli
from survey.errors import Problems

TREE = [
    {"code": "T", "combine": "geometric"},
    {"code": "D", "parent": "T"},
    {"code": "A", "parent": "D", "question": "a", "score": "linear", "from": "1..5", "to": "1..10"},
    {"code": "B", "parent": "D", "question": "b", "score": "yes", "from": "0..1", "to": "10..1"},
    {"code": "P", "parent": "T", "combine": "pooled", "from": "0..1", "to": "1..10"},
    {"code": "C", "parent": "P", "question": "c", "score": "4 5"},
    {"code": "E", "parent": "P", "question": "e", "score": "4 5"},
]
INDEX = index_of(TREE, "t")


def people(seed=2, lift=0.0, n=480):
    chance = np.random.default_rng(seed)
    village = np.repeat(np.arange(n // 12), 12)
    shift = chance.normal(lift, 0.4, n // 12)[village]

    def answer():
        return np.clip(np.rint(3 + shift + chance.normal(0, 1, n)), 1, 5)

    c = pd.Series(answer()).where(chance.random(n) > 0.2)
    return pd.DataFrame(
        {
            "a": answer(),
            "b": np.where(chance.random(n) < 0.4, "yes", "no"),
            "c": c,
            "c__missing": np.where(c.isna(), np.where(chance.random(n) < 0.7, "dont_know", "refused"), None),
            "e": answer(),
            "province": np.where(village < n // 24, "01", "02"),
            "v": village,
            "w": chance.integers(1, 4, n).astype(float),
        }
    )


DATA = people()
DESIGN = Design("w", psu="v", strata="province")


# -- the scale ----------------------------------------------------------------------------------------------------


def test_the_ends_of_every_node_follow_from_the_sheet():
    found = scales(INDEX)
    assert found == {"A": (1, 5), "B": (0, 1), "D": (1, 10), "C": (0, 1), "E": (0, 1), "P": (1, 10), "T": (1, 10)}
    papi = scales(load_index("papi_2023"))
    assert papi["S1.1"] == (0.25, 2.5)
    assert papi["D1"] == pytest.approx((1, 10))


def test_an_interval_that_would_leave_the_scale_is_made_on_its_logit():
    rare = DATA.assign(b=np.where(np.arange(len(DATA)) % 160 == 0, "yes", "no"), w=1.0)
    row = score(rare, INDEX, DESIGN).table.set_index("code").loc["B"]
    half = 2.02 * row["se"]
    assert row["estimate"] - half < 0 < row["low"] < row["estimate"] < row["high"]
    assert "interval kept on its scale" in row["note"]
    plain = score(DATA, INDEX, DESIGN).table.set_index("code").loc["B"]
    assert plain["high"] - plain["estimate"] == pytest.approx(plain["estimate"] - plain["low"])


def test_where_everybody_agrees_the_interval_is_that_of_as_many_people():
    row = score(DATA.assign(b="no"), INDEX, DESIGN).table.set_index("code").loc["B"]
    assert (row["estimate"], row["se"], row["low"]) == (0, 0, 0)
    assert binom.pmf(0, row["n"], row["high"]) == pytest.approx(0.025)


# -- the parts ----------------------------------------------------------------------------------------------------


def test_contributions_add_up_to_the_node_and_covary_as_it_does():
    found = contributions(DATA, INDEX, DESIGN, "province")
    whole = score(DATA, INDEX, DESIGN, "province").table
    total = whole[whole["code"] == "T"].set_index("domain")
    for domain, rows in found.table.groupby("domain"):
        parts = rows[rows["code"] != "T"]
        assert list(parts["code"]) == ["T/A", "T/B", "T/C", "T/E"]
        assert parts["estimate"].sum() == pytest.approx(total.loc[domain, "estimate"], rel=1e-12)
        covariance = found.cov(list(parts["code"]), [domain]).to_numpy()
        assert np.sqrt(covariance.sum()) == pytest.approx(total.loc[domain, "se"], rel=1e-9)


def test_contributions_have_about_the_jackknife_s_errors():
    ours = contributions(DATA, INDEX, DESIGN).table
    again = contributions(DATA, INDEX, Design("w", psu="v", strata="province", replicates=Replicates("JKn"))).table
    assert again["estimate"].tolist() == pytest.approx(ours["estimate"].tolist())
    assert again["se"].to_numpy() == pytest.approx(ours["se"].to_numpy(), rel=0.02)


def test_the_contributions_to_a_change_add_up_to_it(tmp_path):
    changes = []
    for kind in ("scores", "parts"):
        files = []
        for year, data in ((2024, people(3)), (2025, people(4, 0.5))):
            source, made = tmp_path / f"{year}.csv", tmp_path / f"{kind}{year}.csv"
            data.assign(round=str(year)).to_csv(source, index=False)
            (tmp_path / "design.toml").write_text('weight = "w"\npsu = ["v"]\nstrata = ["province"]\n')
            (tmp_path / "t").mkdir(exist_ok=True)
            pd.DataFrame(TREE).to_csv(tmp_path / "t" / "index.csv", index=False)
            call = [
                "score",
                source,
                "--index",
                tmp_path / "t",
                "--design",
                tmp_path / "design.toml",
                "--by",
                "province",
            ]
            call += ["--out" if kind == "scores" else "--contributions", made]
            assert CliRunner().invoke(cli, [*map(str, call)]).exit_code == 0
            files.append(made)
        options = {"codes": ["T"]} if kind == "scores" else {}
        changes.append(compare(*files, **options).table)
    whole = changes[0].set_index("domain")
    for domain, rows in changes[1].groupby("domain"):
        parts = rows[rows["code"] != "T"]
        assert parts["change"].sum() == pytest.approx(whole.loc[domain, "change"], rel=1e-9)
        assert (parts["se"] > 0).all()


# -- missing answers ----------------------------------------------------------------------------------------------


def test_the_share_of_dont_knows_is_weighted_and_among_those_asked():
    row = missing_answers(DATA, INDEX, DESIGN).shares.set_index("code").loc["C"]
    said = DATA["c__missing"] == "dont_know"
    assert row["dont_know"] == pytest.approx(np.average(said, weights=DATA["w"]))
    assert row["asked"] == len(DATA)
    assert row[["answered", "dont_know", "refused"]].sum() == pytest.approx(1)


def test_bounds_are_the_scores_with_every_dont_know_at_an_end():
    bounds = missing_answers(DATA, INDEX, DESIGN).bounds.set_index("code")
    for end, answer in (("worst", 1.0), ("best", 5.0)):
        filled = DATA.assign(c=DATA["c"].mask(DATA["c__missing"] == "dont_know", answer))
        by_hand = score(filled, INDEX, DESIGN).table.set_index("code")["estimate"]
        assert bounds[end].to_dict() == pytest.approx(by_hand.to_dict())
    assert (bounds["low"] <= bounds["worst"]).all()
    assert (bounds["worst"] <= bounds["estimate"]).all()
    assert (bounds["estimate"] <= bounds["best"]).all()


def test_a_reversed_indicator_is_worst_at_its_high_end():
    data = DATA.assign(b__missing=np.where(np.arange(len(DATA)) % 5 == 0, "dont_know", None))
    data["b"] = data["b"].where(data["b__missing"].isna())
    found = missing_answers(data, INDEX, DESIGN).bounds.set_index("code")
    worst = score(data.assign(b=data["b"].fillna("yes")), INDEX, DESIGN).table.set_index("code")
    assert score(data, INDEX, DESIGN, dont_know="worst").table.set_index("code").loc["B", "estimate"] == pytest.approx(
        worst.loc["B", "estimate"]
    )
    assert found.loc["D", "worst"] == pytest.approx(worst.loc["D", "estimate"])


def test_ranks_that_dont_knows_could_turn_are_told():
    ranks = missing_answers(DATA, INDEX, DESIGN, "province").ranks.set_index("domain")
    assert (ranks["rank_best"] <= ranks["rank"]).all()
    assert (ranks["rank"] <= ranks["rank_worst"]).all()
    sure = missing_answers(DATA.assign(c__missing=None), INDEX, DESIGN, "province").ranks
    assert sure["rank_best"].tolist() == sure["rank"].tolist() == sure["rank_worst"].tolist()


def test_without_kinds_nobody_is_known_not_to_know_and_that_is_said():
    found = missing_answers(DATA.drop(columns="c__missing"), INDEX, DESIGN)
    assert "the data have no columns" in found.notes[0].en


# -- small cells --------------------------------------------------------------------------------------------------


def cells(**rule):
    """Three communes, the first with 24 interviews, the others with 120 and 336."""
    data = DATA.assign(commune=np.where(DATA["v"] < 2, "c1", np.where(DATA["v"] < 12, "c2", "c3")))
    design = Design("w", psu="v", strata="province", publication=Publication(**rule))
    return score(data, INDEX, design, "commune", total=True)


def test_a_small_cell_loses_its_figures_and_says_why():
    scores = cells(least_n=30, complementary=False)
    hidden = scores.table[scores.table["domain"] == "c1"]
    assert hidden[["estimate", "se", "low", "high", "n"]].isna().all().all()
    assert hidden["note"].str.contains("hidden: fewer than 30 interviews").all()
    assert scores.table.loc[scores.table["domain"] == "c2", "estimate"].notna().all()
    sums = scores.psu_table()
    assert (sums.loc[sums["domain"] == "c1", "influence"] == 0).all()


def test_a_single_hidden_cell_takes_the_next_smallest_with_it_where_the_whole_is_published():
    table = cells(least_n=30).table
    assert table.loc[table["domain"] == "c2", "estimate"].isna().all()
    assert table.loc[table["domain"] == "c2", "note"].str.contains("cannot be worked out").all()
    assert table.loc[table["domain"].isin(["c3", "all"]), "estimate"].notna().all()


def test_the_rule_stands_in_the_design_and_a_wrong_one_is_named():
    assert design_of({"publication": {"least_n": 20}}).publication == Publication(20)
    with pytest.raises(Problems, match="did you mean 'least_n'"):
        design_of({"publication": {"least": 20}})


def test_the_command_hides_and_writes_what_is_missing(tmp_path):
    data = DATA.assign(commune=np.select([DATA["v"] < 2, DATA["v"] < 12], ["c1", "c2"], "c3"))
    data.to_csv(tmp_path / "d.csv", index=False)
    (tmp_path / "t").mkdir()
    pd.DataFrame(TREE).to_csv(tmp_path / "t" / "index.csv", index=False)
    (tmp_path / "design.toml").write_text('weight = "w"\npsu = ["v"]\nstrata = ["province"]\n')
    call = ["score", tmp_path / "d.csv", "--index", tmp_path / "t", "--design", tmp_path / "design.toml"]
    call += ["--by", "commune", "--least", 30, "--missing", tmp_path / "m.csv", "--json"]
    done = CliRunner().invoke(cli, [*map(str, call)], catch_exceptions=False)
    assert done.exit_code == 0
    said = json.loads(done.stdout)
    assert any("cells hidden for their size" in note["en"] for note in said["notes"])
    assert any("most don't-knows: C" in note["en"] for note in said["notes"])
    missing = pd.read_csv(tmp_path / "m.csv")
    assert {"worst", "best", "dont_know", "rank_worst"} <= set(missing.columns)


# -- breaks declared in the sheet ---------------------------------------------------------------------------------


def test_a_new_series_declared_in_the_sheet_breaks_its_node_and_all_above_it():
    index = index_of([{**row, "break_from": "2018 2021" if row["code"] == "A" else ""} for row in TREE], "t")
    assert set(breaks(index, index, ("2017", "2019"))) == {"A", "D", "T"}
    assert set(breaks(index, index, ("r2020", "r2021"))) == {"A", "D", "T"}
    assert breaks(index, index, ("2018", "2020")) == {}
    assert breaks(index, index) == {}


def test_a_break_without_a_year_is_a_problem_of_the_sheet():
    with pytest.raises(Problems, match="row 2, column break_from: 'soon' names no year"):
        index_of([{**TREE[0], "break_from": "soon"}, *TREE[1:]], "t")


def test_published_papi_is_not_compared_across_2018(shared_data):
    from survey.errors import InputError

    with pytest.raises(InputError, match="a new series from 2018"):
        compare(
            shared_data / "papi_published.csv",
            shared_data / "papi_published.csv",
            rounds=("2017", "2018"),
            codes=["TOTAL_UNW"],
            indices=["papi_2018"],
        )
