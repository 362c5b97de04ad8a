"""The design: what design.toml may say, and every way in which its columns can be wrong."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.design import (
    LONELY,
    METHODS,
    REPLICATES,
    VARIANCES,
    Calibration,
    Design,
    Publication,
    Replicates,
    Sensitivity,
    design_of,
    load_design,
)
from analysis.estimation import mean
from analysis.layout import lay
from analysis.scores import COLUMNS
from analysis.table import Table
from survey.errors import InputError, Problems
from tests.outside import ROOT

DATA = {
    "w": [2.0, 2.0, 3.0, 3.0, 4.0, 4.0],
    "stratum": ["a", "a", "a", "a", "b", "b"],
    "village": ["1", "1", "2", "2", "3", "4"],
}


def problems_of(design, data):
    with pytest.raises(Problems) as error:
        lay(design, Table.of(data))
    return [problem("en") for problem in error.value.problems]


def test_a_design_file_declares_columns_and_rules(tmp_path):
    (tmp_path / "design.toml").write_text(
        'weight = "w"\nstrata = ["stratum"]\npsu = ["village", "person"]\nfpc = ["N", "M"]\nlonely_psu = "adjust"\n'
        '[calibration]\nmethod = "poststratify"\nmargins = "margins.csv"\n'
    )
    design = load_design(tmp_path)
    assert design.psu == ("village", "person")
    assert design.df == "domain"
    assert design.calibration == Calibration("poststratify", margins=str(tmp_path / "margins.csv"))


def test_every_unknown_key_and_wrong_value_is_told_with_the_nearest_name():
    with pytest.raises(Problems) as error:
        design_of({"weigth": "w", "lonely_psu": "ignore", "strata": 3, "calibration": {"method": "rake"}, "level": 95})
    assert [problem("en") for problem in error.value.problems] == [
        "design.toml, weigth: there is no such key; did you mean 'weight'?",
        'design.toml, strata: the value is of the wrong kind; write a list such as ["stratum"]',
        "design.toml, [calibration]: there is no option 'rake'; use poststratify, raking, linear, logit, bounded",
        "Design, lonely_psu: there is no option 'ignore'; use error, adjust, average, certainty, remove, collapse",
        "Design, level: 95 is not between 0 and 1; for example 0.95",
    ]


def test_a_design_file_that_is_not_toml_is_named(tmp_path):
    (tmp_path / "design.toml").write_text("weight = w\n")
    with pytest.raises(InputError, match=r"design\.toml: not valid TOML"):
        load_design(tmp_path / "design.toml")


def test_every_bad_column_is_told_at_once_with_its_rows():
    data = {
        "w": [2.0, -1.0, 0.0, None, 4.0, 4.0],
        "stratum": ["a", "a", "", "a", "b", "b"],
        "village": ["1", "1", "2", "2", "3", "4"],
    }
    assert problems_of(Design("w", "stratum", "vilage", certainty="sure"), data) == [
        "data, column w (weight), row 4: a design column has blank cells; fill them in, or leave these rows out for a "
        "reason",
        "data, column stratum (strata), row 3: a design column has blank cells; fill them in, or leave these rows out "
        "for a reason",
        "data, column vilage (psu): there is no such column; did you mean 'village'?",
        "data, column sure (certainty): there is no such column; the columns are: w, stratum, village",
        "data, column w, 2 rows (2, 3): a weight must be above 0; correct these values",
    ]


def test_text_in_a_weight_column_is_named_with_its_row():
    assert problems_of(Design("w"), {"w": ["1.5", "abc", "2"]}) == [
        "data, column w, row 2: 'abc' is not a number; correct these cells or leave them blank"
    ]


def test_a_stratum_with_one_psu_is_named():
    data = {**DATA, "village": ["1", "1", "2", "2", "3", "3"]}
    assert problems_of(Design("w", "stratum", "village"), data) == [
        "data, column stratum, 2 rows (5, 6): 1 stratum with a single sampled unit: b; join strata "
        '(lonely_psu = "collapse") or choose adjust, average, certainty, remove'
    ]


def test_a_psu_in_two_strata_is_an_error_unless_ids_are_nested():
    data = {**DATA, "village": ["1", "1", "2", "2", "1", "2"]}
    (line,) = problems_of(Design("w", "stratum", "village"), data)
    assert line.startswith(
        "data, column village, 6 rows (1, 2, 3, 4, 5, …): 2 PSU in more than one stratum (1: a, b; 2: a, b); "
        "set nest = true"
    )
    assert lay(Design("w", "stratum", "village", nest=True), Table.of(data)).design_df == 2


def test_a_population_count_below_the_sample_is_an_error():
    data = {**DATA, "N": [1, 1, 1, 1, 5, 5]}
    assert problems_of(Design("w", "stratum", "village", "N"), data) == [
        "data, column N (fpc): population count below the sample: a (1 < 2); give the count in the population, not a "
        "fraction"
    ]


def test_a_lonely_stratum_joins_the_one_that_its_rows_name():
    data = {**DATA, "village": ["1", "1", "2", "2", "3", "3"], "join": ["", "", "", "", "a", "a"]}
    sample = lay(Design("w", "stratum", "village", lonely_psu="collapse", collapse="join"), Table.of(data))
    assert sample.stratum_names == ["a"]
    assert sample.design_df == 2


def test_collapse_without_a_target_still_names_the_stratum():
    data = {**DATA, "village": ["1", "1", "2", "2", "3", "3"], "join": [""] * 6}
    (line,) = problems_of(Design("w", "stratum", "village", lonely_psu="collapse", collapse="join"), data)
    assert "a single sampled unit: b" in line


def test_a_certainty_psu_is_a_stratum_of_its_next_stage():
    data = {
        "w": [1.0] * 8,
        "village": ["seat"] * 4 + ["x", "x", "y", "y"],
        "house": list("abcdefgh"),
        "sure": [1] * 4 + [0] * 4,
    }
    sample = lay(Design("w", psu=["village", "house"], certainty="sure"), Table.of(data))
    assert len(sample.stratum_names) == 2
    assert sample.design_df == (4 - 1) + (2 - 1)


def test_weights_follow_from_the_population_counts_when_none_are_named():
    data = {"psu": ["1", "1", "2"], "ssu": ["a", "b", "a"], "N": [10, 10, 10], "M": [4, 4, 1]}
    sample = lay(Design(psu=["psu", "ssu"], fpc=["N", "M"]), Table.of(data))
    assert sample.weight.tolist() == [10.0, 10.0, 5.0]


def test_levels_of_confidence_and_rules_are_checked_in_python_too():
    with pytest.raises(Problems, match="level"):
        Design("w", level=95)
    with pytest.raises(TypeError, match="clusters"):
        Design("w", clusters="village")


@pytest.mark.parametrize("guide", ["scoring.md", "scoring.vi.md"])
def test_the_guide_names_every_key_and_every_option(guide):
    text = (ROOT / "docs" / "guides" / guide).read_text(encoding="utf-8")
    kinds = (Design, Calibration, Replicates, Sensitivity, Publication)
    keys = [field.name for kind in kinds for field in fields(kind)]
    words = [*keys, *LONELY, *METHODS, *REPLICATES, *VARIANCES]
    assert [word for word in words if f"`{word}`" not in text and f"[{word}]" not in text] == []
    assert ", ".join(COLUMNS) in text.replace("\n", " ")


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=40))
def test_units_are_numbered_so_that_stages_grow_together(rows):
    data = {"h": [str(h) for h, _ in rows], "i": [str(i) for _, i in rows]}
    sample = lay(Design(strata="h", psu="i", nest=True, lonely_psu="remove"), Table.of(data))
    first = sample.stages[0]
    assert len(first.stratum) == len(set(rows))
    assert (np.diff(first.stratum) >= 0).all()
    assert first.size.sum() == len(set(rows))
    assert sample.unit.max() + 1 == sample.units


def test_a_coarser_interval_stands_beside_the_design_s_own():
    """Villages in two districts of one province: 6 df against 1, the second interval in the note."""
    from analysis import score
    from analysis.index import index_of

    random = np.random.default_rng(3)
    data = {
        "y": random.normal(5, 1, 32),
        "village": np.repeat(np.arange(8), 4),
        "district": np.repeat([1, 2], 16),
        "province": np.repeat(["p"], 32),
    }
    index = index_of([{"code": "T", "question": "y", "score": "linear"}], "t")
    design = Design(psu="village", strata="district", sensitivity=Sensitivity(("province",), ("district",)))
    row = score(data, index, design).table.iloc[0]
    (wide,) = mean(data, "y", Design(psu="district", strata="province"))
    assert row["df"] == 6
    assert f"by district: {wide.low:.6g} … {wide.high:.6g} (1 df)" in row["note"]
    without = score({**data, "district": [None] * 32}, index, Design(psu="village", sensitivity=design.sensitivity))
    assert "no interval by coarser units: without the columns province, district" in [n.en for n in without.notes]


@pytest.mark.parametrize("name", ["papi_2023", "sipas_2024", "sipas_2026"])
def test_the_ready_design_files_declare_villages_a_collapse_and_the_coarser_units(name):
    design = load_design(ROOT / "questionnaires" / name)
    assert (design.psu, design.lonely_psu, design.collapse) == (("village",), "collapse", "collapse_to")
    assert design.sensitivity is not None
    assert design.sensitivity.psu in {("district",), ("commune",)}
