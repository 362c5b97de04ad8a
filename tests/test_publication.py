"""Small cells are hidden everywhere alike, and cannot be worked out from what is left."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from analysis import Design, compare, score
from analysis.contributions import contributions
from analysis.design import Publication
from analysis.drivers import drivers
from analysis.index import index_of
from analysis.missing_answers import missing_answers
from survey.cli import cli
from survey.errors import InputError

TREE = [
    {"code": "T"},
    {"code": "D", "parent": "T"},
    {"code": "A", "parent": "D", "question": "a", "score": "linear", "from": "1..5", "to": "1..10"},
    {"code": "B", "parent": "D", "question": "b", "score": "linear", "from": "1..5", "to": "1..10"},
    {"code": "E", "parent": "T", "question": "e", "score": "linear", "from": "1..5", "to": "1..10"},
]
INDEX = index_of(TREE, "t")
RULE = Publication(30)
DESIGN = Design("w", psu="v", publication=RULE)


def people(seed: int = 1) -> pd.DataFrame:
    """Four communes of 24, 60, 96 and 120 people in villages of 12; few of the second answer question a."""
    chance = np.random.default_rng(seed)
    size = np.array([24, 60, 96, 120])
    commune = np.repeat(np.arange(4), size)
    data = pd.DataFrame({name: chance.integers(1, 6, len(commune)).astype(float) for name in "abe"})
    few = (commune == 1) & (np.arange(len(commune)) % 3 > 0)
    data.loc[few, "a"] = np.nan
    data["a__missing"] = np.where(few, "dont_know", None)
    data["commune"] = np.array(["c1", "c2", "c3", "c4"])[commune]
    data["sex"] = np.where(chance.random(len(data)) < 0.5, "f", "m")
    data["v"], data["w"] = np.arange(len(data)) // 12, chance.integers(1, 4, len(data)).astype(float)
    return data


DATA = people()


def hidden(table: pd.DataFrame) -> set[tuple[str, str]]:
    rows = table[table["estimate"].isna()]
    return set(zip(rows["domain"], rows["code"], strict=True))


def test_one_small_indicator_cannot_be_worked_out_from_its_node_and_the_others():
    table = score(DATA, INDEX, DESIGN, "commune").table
    assert DATA.loc[DATA["commune"] == "c2", "a"].notna().sum() < 30
    gone = hidden(table)
    assert {("c2", "A"), ("c2", "B")} <= gone, "B would give A away with D"
    for domain in ("c1", "c2", "c3", "c4"):
        for node, children in (("T", ("D", "E")), ("D", ("A", "B"))):
            assert sum((domain, code) in gone for code in (node, *children)) != 1
    for code in "TDABE":
        assert sum((domain, code) in gone for domain in ("c1", "c2", "c3", "c4")) != 1


def test_the_same_cells_are_hidden_with_and_without_the_whole():
    alone, both = (score(DATA, INDEX, DESIGN, "commune", total=total) for total in (False, True))
    assert alone.hidden == both.hidden
    assert both.table.loc[both.table["domain_level"] == "all", "estimate"].notna().all()


def test_a_crossing_is_covered_in_both_directions():
    data = DATA.assign(sex=np.where((DATA["commune"] == "c3") & (np.arange(len(DATA)) % 8 > 0), "m", DATA["sex"]))
    gone = hidden(score(data, INDEX, Design("w", psu="v", publication=Publication(20)), ["commune", "sex"]).table)
    cells = {domain for domain, code in gone if code == "T"}
    assert cells
    for place in (0, 1):
        for name in {cell.split("|")[place] for cell in cells}:
            assert sum(cell.split("|")[place] == name for cell in cells) != 1


def test_bounds_and_contributions_hide_what_the_scores_hide():
    scores = score(DATA, INDEX, DESIGN, "commune")
    gone = hidden(scores.table)
    missing = missing_answers(DATA, INDEX, DESIGN, "commune").table(INDEX)
    figures = missing.drop(columns=["domain", "code", "rank", "rank_best", "rank_worst"])
    cells = missing[["domain", "code"]].itertuples(index=False)
    for (domain, code), row in zip(cells, figures.to_numpy(), strict=True):
        if (domain, code) in gone:
            assert np.isnan(row).all(), f"{domain}, {code}"
        else:
            assert np.isfinite(row[:5]).all(), f"{domain}, {code}"
    tops = missing[missing["code"] == "T"].set_index("domain")
    assert tops["rank"].isna().to_dict() == {name: (name, "T") in gone for name in tops.index}
    parts = contributions(DATA, INDEX, DESIGN, "commune")
    for (domain, code), empty in zip(
        parts.table[["domain", "code"]].itertuples(index=False), parts.table["estimate"].isna(), strict=True
    ):
        leaf = code.removeprefix("T/")
        assert empty == ((domain, leaf) in gone or (domain, "T") in gone), f"{domain}, {code}"
    sums = parts.psu_table()
    assert (sums.loc[(sums["domain"] == "c2") & (sums["code"] == "T/A"), "influence"] == 0).all()


def test_without_a_rule_nothing_is_hidden():
    plain = Design("w", psu="v")
    assert not hidden(score(DATA, INDEX, plain, "commune").table)
    assert not hidden(contributions(DATA, INDEX, plain, "commune").table)


def test_a_change_from_a_hidden_cell_is_none_and_says_so():
    before, after = (score(people(seed), INDEX, DESIGN, "commune", round=str(2024 + seed)) for seed in (1, 2))
    table = compare(before, after, codes=["T"]).table.set_index("domain")
    assert table.loc["c1", ["before", "after", "change", "se"]].isna().all()
    assert "no estimate before (hidden: fewer than 30 interviews" in table.loc["c1", "note"]
    assert "(ẩn: dưới 30 phiếu" in table.loc["c1", "note"]


def test_drivers_of_fewer_people_than_the_rule_asks_for_are_refused():
    few = DATA[DATA["commune"] == "c1"]
    assert drivers(few, "E", ["A", "B"], Design("w", psu="v"), INDEX).n == 24
    with pytest.raises(InputError, match=r"only 24 interviews in 2 sampled units have every answer.*asks for 30 and 2"):
        drivers(few, "E", ["A", "B"], DESIGN, INDEX)


def test_the_command_hides_alike_in_every_file_it_writes(tmp_path):
    DATA.to_csv(tmp_path / "d.csv", index=False)
    (tmp_path / "t").mkdir()
    pd.DataFrame(TREE).to_csv(tmp_path / "t" / "index.csv", index=False)
    (tmp_path / "design.toml").write_text('weight = "w"\npsu = ["v"]\n')
    files = {name: tmp_path / f"{name}.csv" for name in ("out", "missing", "contributions")}
    call = ["score", tmp_path / "d.csv", "--index", tmp_path / "t", "--design", tmp_path / "design.toml"]
    call += ["--by", "commune", "--least", 30, "--json"]
    call += [part for name, file in files.items() for part in (f"--{name}", file)]
    done = CliRunner().invoke(cli, [*map(str, call)], catch_exceptions=False)
    assert done.exit_code == 0
    read = {name: pd.read_csv(file) for name, file in files.items()}
    gone = hidden(read["out"])
    assert ("c2", "A") in gone
    assert hidden(read["missing"]) == gone
    leaves = {(domain, f"T/{code}") for domain, code in gone if code in "ABE"}
    assert leaves <= hidden(read["contributions"])
    most = next(note["en"] for note in json.loads(done.stdout)["notes"] if "most don't-knows" in note["en"])
    assert "A, c2" not in most, "the share of a hidden cell is not told either"
    call = ["drivers", tmp_path / "d.csv", "--outcome", "E", "--attribute", "A", "--attribute", "B"]
    call += ["--index", tmp_path / "t", "--least", 500]
    refused = CliRunner().invoke(cli, [*map(str, call), "--lang", "en"])
    assert refused.exit_code == 2
    assert "the rule of publication asks for 500" in refused.stderr
