"""Change between rounds: shared units, tests, PAPI's rule, breaks in the series; and ``survey compare``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis import Design, compare, score
from analysis.breaks import breaks
from analysis.change import adjusted
from analysis.index import index_of, load_index
from analysis.scores import PILOT, PROVISIONAL
from survey.errors import InputError
from tests.commands import run

PAPI = Path(__file__).parent / "fixtures" / "papi_small"


# -- the variance -------------------------------------------------------------------------------------------------


@pytest.fixture
def years(oracles, tmp_path):
    """The two years of the reference survey scored one by one, 60 % of the villages kept."""
    data = pd.read_csv(oracles / "data" / "papi_small_a.csv", dtype=str)
    files = []
    for year in sorted(data["year"].unique()):
        file = tmp_path / f"{year}.csv"
        data[data["year"] == year].assign(round=year).to_csv(file, index=False)
        files.append(tmp_path / f"scores_{year}.csv")
        assert run("score", file, "--index", PAPI, "--by", "province", "--out", files[-1])[0] == 0
    return files


def changes_of_r(oracles, design):
    cases = json.loads((oracles / "07_papi_composite.json").read_text())["cases"]
    (case,) = (
        c
        for c in cases
        if c["estimator"]["kind"] == "change_last_year_minus_first_year"
        and c["id"].startswith(f"small_a/{design}/none")
    )
    return {row["name"][1:]: row for row in case["expected"]}


def test_shared_villages_give_the_covariance_that_stacking_the_files_gives(years, oracles):
    """R: both years stacked with shared ids, svycontrast of the two composites, to 1e-8."""
    code, out, _ = run("compare", *years, "--code", "PAPI", "--index", PAPI, "--json")
    assert code == 0
    result = json.loads(out)
    expected = changes_of_r(oracles, "stacked")
    assert [row["domain"] for row in result["changes"]] == list(expected)
    for row in result["changes"]:
        theirs = expected[row["domain"]]
        assert row["change"] == pytest.approx(theirs["estimate"], rel=1e-8)
        assert row["se"] == pytest.approx(theirs["se"], rel=1e-8)
        assert row["df"] == theirs["df"]
        assert [row["low"], row["high"]] == pytest.approx(theirs["ci_t"], rel=1e-7)
        assert row["p"] == pytest.approx(2 * stats.t.sf(abs(row["change"] / row["se"]), row["df"]), rel=1e-9)
    assert result["notes"] == [
        {"vi": "có tính đến các đơn vị chọn mẫu chung", "en": "with the covariance from shared sampled units"}
    ]


def test_independent_rounds_add_their_variances(years, oracles):
    expected = changes_of_r(oracles, "independent")
    found = compare(*years, codes=["PAPI"], indices=[PAPI], independent=True)
    assert found.table["se"].tolist() == pytest.approx([row["se"] for row in expected.values()], rel=1e-8)
    assert [note.en for note in found.notes] == ["the two rounds are taken as independent"]


def test_without_the_sums_beside_the_rounds_are_independent_and_that_is_said(years):
    asked = compare(*years, codes=["PAPI"], indices=[PAPI], independent=True)
    years[0].with_suffix(".psu.parquet").unlink()
    found = compare(*years, codes=["PAPI"], indices=[PAPI])
    pd.testing.assert_frame_equal(found.table, asked.table)
    assert found.notes == asked.notes


@pytest.fixture
def index():
    return index_of([{"code": "T"}, {"code": "A", "parent": "T", "question": "q", "score": "1=1 0=0"}], "own", "index")


def people(seed: int, villages, chance: float = 0.5) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    rows = [{"village": v, "q": int(random.random() < chance), "area": v[0]} for v in villages for _ in range(5)]
    return pd.DataFrame(rows)


def test_rows_of_two_rounds_with_one_number_are_not_one_unit(index):
    """Without villages each respondent is a unit; respondent 7 of one round is not respondent 7 of the other."""
    one, two = (score(people(s, ["a1", "a2", "a3"]), index, Design()) for s in (1, 2))
    found = compare(one, two, codes=["T"])
    se = [scores.table.set_index("code").loc["T", "se"] for scores in (one, two)]
    assert found.table["se"].tolist() == pytest.approx([np.hypot(*se)])
    assert found.notes[-1].en == "the two rounds are taken as independent"


def test_a_domain_has_the_degrees_of_freedom_of_its_villages_in_either_round(index):
    design = Design(strata="area", psu="village")
    one = score(people(1, ["a1", "a2", "a3", "b1", "b2"]), index, design, "area")
    two = score(people(2, ["a2", "a3", "a4", "b1", "b2"]), index, design, "area")
    found = compare(one, two, codes=["T"]).table.set_index("domain")
    assert found["df"].to_dict() == {"a": 3, "b": 1}


def test_changes_of_provisional_scores_are_provisional(index):
    one, two = (score(people(s, ["a1", "a2"]), index, Design(psu="village"), provisional=s == 2) for s in (1, 2))
    found = compare(one, two, codes=["T"])
    assert found.notes[-1] == PROVISIONAL
    assert "provisional, interviews not yet approved" in found.table["note"].iloc[0]


def test_a_pilot_round_is_no_earlier_value_of_the_main_one_unless_somebody_insists(index):
    old, new = (score(people(seed, ["a1", "a2", "a3"]), index, Design(psu="village")) for seed in (1, 2))
    with pytest.raises(InputError, match=r"pilot round.*--with-pilot"):
        compare(old.marked(PILOT), new)
    with pytest.raises(InputError, match="pilot round"):
        compare(old, new.marked(PILOT))
    assert len(compare(old.marked(PILOT), new, pilots=True).table)
    assert len(compare(old.marked(PILOT), new.marked(PILOT)).table)  # two pilots are of one standing


def test_independent_domains_have_satterthwaite_s_degrees_of_freedom():
    table = {"domain": ["a"], "code": ["T"]}
    before = table | {"estimate": [1.0], "se": [0.3], "df": [10]}
    after = table | {"estimate": [2.0], "se": [0.4], "df": [20]}
    row = compare(before, after).table.iloc[0]
    assert row["se"] == pytest.approx(0.5)
    assert row["df"] == pytest.approx(0.25**2 / (0.09**2 / 10 + 0.16**2 / 20))


# -- tests and rules ----------------------------------------------------------------------------------------------


def test_the_seven_notable_risers_of_2016_to_2017(shared_data):
    """As the report of 2017 names them: above 5 % of the total, and none declined by as much."""
    code, out, _ = run(
        "compare",
        shared_data / "papi_published.csv",
        "--before",
        2016,
        "--after",
        2017,
        "--code",
        "TOTAL_UNW",
        "--json",
    )
    assert code == 0
    result = json.loads(out)
    rows = pd.DataFrame(result["changes"]).set_index("domain")
    assert set(rows.index[rows["rule5"] == "up"]) == {
        *("Bac Lieu", "Quang Ninh", "Tra Vinh", "Kien Giang", "Ba Ria-Vung Tau", "Dong Nai", "An Giang")
    }
    assert "down" not in set(rows["rule5"])
    assert 100 * rows.loc["Quang Ninh", "relative"] == pytest.approx(11.3, abs=0.05)
    assert set(rows["verdict"]) == {""}
    assert result["notes"][0]["en"].endswith("breaks in the series were not looked for")


def test_a_large_relative_change_may_prove_nothing_and_a_small_one_may_be_certain():
    before = {"domain": ["a", "b"], "code": ["T", "T"], "estimate": [40.0, 40.0], "se": [2.0, 0.1], "df": [20, 20]}
    found = compare(before, before | {"estimate": [42.5, 41.0]}).table.set_index("domain")
    assert found["rule5"].to_dict() == {"a": "up", "b": ""}
    assert found["verdict"].to_dict() == {"a": "unclear", "b": "up"}


def test_the_number_of_tests_counts():
    """Ten equal differences of t = 2.5: each significant alone, none after Holm, all at a false discovery rate."""
    units = [f"d{k}" for k in range(10)]
    before = {"domain": units, "code": ["T"] * 10, "estimate": [0.0] * 10, "se": [0.0] * 10, "df": [1000] * 10}
    after = before | {"estimate": [2.5] * 10, "se": [1.0] * 10}
    verdicts = {how: set(compare(before, after, adjust=how).table["verdict"]) for how in ("none", "holm", "bh")}
    assert verdicts == {"none": {"up"}, "holm": {"unclear"}, "bh": {"up"}}
    with pytest.raises(ValueError, match="holm"):
        compare(before, after, adjust="wish")


def test_adjusted_p_values_are_those_of_their_definitions():
    p = np.array([0.01, np.nan, 0.04, 0.03])
    assert adjusted(p, "holm")[[0, 2, 3]] == pytest.approx([0.03, 0.06, 0.06])
    assert adjusted(p, "bh")[[0, 2, 3]] == pytest.approx([0.03, 0.04, 0.04])
    assert np.isnan(adjusted(p, "holm")[1])


def test_a_domain_of_one_round_only_has_no_change_and_a_reason():
    before = {"domain": ["a", "b"], "code": ["T", "T"], "estimate": [1.0, 2.0]}
    after = {"domain": ["b", "c"], "code": ["T", "T"], "estimate": [3.0, 4.0]}
    found = compare(before, after).table.set_index("domain")
    assert found.loc["b", "change"] == 1
    assert found.loc[["a", "c"], "change"].isna().all()
    notes = found["note"].str.partition(" / ")[2].to_dict()
    assert notes == {"b": "no standard error: not tested", "c": "no estimate before", "a": "no estimate after"}


# -- breaks -------------------------------------------------------------------------------------------------------

SHEET = [
    {"code": "T", "combine": "sum"},
    {"code": "D1", "parent": "T"},
    {"code": "A", "parent": "D1", "question": "a", "score": "1=1 0=0", "from": "0..1", "to": "1..10"},
    {"code": "B", "parent": "D1", "question": "b", "score": "linear", "from": "1..5", "to": "1..10"},
    {"code": "D2", "parent": "T", "combine": "share"},
    {"code": "C", "parent": "D2", "question": "c", "score": "1 2", "share": "0.4", "from": "0..1", "to": "1..10"},
    {"code": "E", "parent": "D2", "question": "e", "score": "1 2", "share": "0.6", "from": "0..1", "to": "1..10"},
]


def changed(code: str, **cells: str):
    rows = [row | cells if row["code"] == code else row for row in SHEET]
    return {name: text.en for name, text in breaks(index_of(SHEET, "old", "old"), index_of(rows, "new", "new")).items()}


def test_the_same_sheet_has_no_breaks_and_neither_has_other_wording():
    assert changed("A") == {}
    assert changed("A", question="a_2026", **{"label::English (en)": "Another label"}) == {}


@pytest.mark.parametrize(
    ("code", "cells", "reason", "also"),
    [
        ("A", {"score": "1=1 2=0.5 0=0"}, "another scoring rule", {"D1", "T"}),
        ("A", {"base": "b = 1"}, "asked of other people", {"D1", "T"}),
        ("A", {"dont_know": "zero"}, "don't know counts differently", {"D1", "T"}),
        ("D2", {"to": "0..1", "from": "1..10"}, "another rescale", {"T"}),
        ("T", {"combine": "mean"}, "combined differently", set()),
    ],
)
def test_a_break_is_named_and_breaks_all_above_it(code, cells, reason, also):
    found = changed(code, **cells)
    assert set(found) == {code, *also}
    assert found[code] == reason
    for name in also:
        assert reason in found[name]


def test_a_leaf_in_its_own_unit_is_not_broken_by_its_rescale_but_its_parents_are():
    assert changed("A", to="0..100") == {"D1": "A: another rescale", "T": "D1: A: another rescale"}


def test_other_shares_and_other_parts_break_their_node():
    assert changed("C", share="0.5")["D2"] == "other shares: C"
    rows = [*SHEET[:3], SHEET[3] | {"code": "B2"}, *SHEET[4:]]
    found = breaks(index_of(SHEET, "old", "old"), index_of(rows, "new", "new"))
    assert found["D1"].en == "other parts (new B2; gone B)"
    assert found["D1"].vi == "thành phần khác (thêm B2; bớt B)"
    assert set(found) == {"D1", "T"}


def test_published_papi_of_2019_and_2022_breaks_where_the_structure_changed():
    found = breaks(load_index("papi_2019"), load_index("papi_2022"))
    assert "S3.2" in found
    assert {"D3", "TOTAL_UNW"} <= set(found)
    assert "S1.1" not in found


def test_compare_refuses_a_broken_code_and_goes_on_with_the_others(shared_data, tmp_path):
    published = pd.read_csv(shared_data / "papi_published.csv", dtype=str)
    files = []
    for year in ("2019", "2022"):
        files.append(tmp_path / f"{year}.csv")
        rows = published[published["year"] == year]
        rows.assign(index=f"papi_{year}").to_csv(files[-1], index=False)
    code, out, err = run("compare", *files, "--json")
    assert code == 1
    compared = {row["code"] for row in json.loads(out)["changes"]}
    assert "S1.1" in compared
    assert not compared & {"S3.2", "D3", "TOTAL_UNW"}
    assert "S3.2: a break in the series: " in err
    code, out, err = run("compare", *files, "--code", "D3")
    assert (code, out) == (2, "")
    assert err.startswith("D3: a break in the series: ")
    assert "S3.2" in err


# -- the command --------------------------------------------------------------------------------------------------


def test_the_command_prints_a_table_and_writes_it(tmp_path):
    before, after, out = tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "change.csv"
    before.write_text("round,domain,code,estimate,se,df\n2025,Hà Nội,T,40,0.5,30\n")
    after.write_text("round,domain,code,estimate,se,df\n2026,Hà Nội,T,43,0.5,30\n")
    code, printed, err = run("compare", before, after, "--out", out)
    assert (code, err) == (0, "")
    assert printed.startswith("2025 → 2026\nadjusted p: Holm\n")
    assert "+7.5" in printed
    assert pd.read_csv(out)["verdict"].tolist() == ["up"]
    assert "tăng" in run("--lang", "vi", "compare", before, after)[1]


def test_one_file_needs_two_rounds_and_codes_must_be_in_both(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("round,domain,code,estimate\n1,x,T,1\n2,x,T,2\n2,x,U,2\n")
    assert run("compare", file)[2].startswith("a.csv: two files are needed, or two rounds of one file; ")
    assert (
        "not in both rounds; codes in common: T" in run("compare", file, "--before", 1, "--after", 2, "--code", "U")[2]
    )
    with pytest.raises(InputError, match="not in both"):
        compare({"domain": ["x"], "code": ["A"], "estimate": [1]}, {"domain": ["x"], "code": ["B"], "estimate": [1]})


def test_sums_of_earlier_scores_do_not_outlive_them(index, tmp_path):
    """A file written again without covariances must not find those of the scores that it replaces."""
    from analysis.output import write_scores
    from analysis.rollup import roll_up

    scores = score(people(1, ["a1", "a2", "a3"]), index, Design(psu="village"), "area")
    out = tmp_path / "scores.csv"
    assert write_scores(scores, out) == [out, tmp_path / "scores.psu.parquet"]
    published = {"domain": ["a"], "code": ["A"], "estimate": [0.5]}
    assert write_scores(roll_up(published, index), out) == [out]
    assert not (tmp_path / "scores.psu.parquet").exists()
