"""Bad input to scoring: a sentence with the column, the rows (how many, the first five) and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import Design, score
from analysis.design import Calibration
from analysis.index import index_of
from analysis.reading import read_table
from survey.cli import cli
from survey.errors import SurveyError

TREE = [
    {"code": "T"},
    {"code": "A", "parent": "T", "question": "a", "score": "linear", "from": "1..5", "to": "1..10"},
    {"code": "B", "parent": "T", "question": "b", "score": "linear", "from": "1..5", "to": "1..10"},
]
INDEX = index_of(TREE, "t")
DESIGN = Design("w", "stratum", "village")
MARGINS = [
    {"variable": "sex", "category": "f", "total": 50},
    {"variable": "sex", "category": "m", "total": 50},
]


def people() -> pd.DataFrame:
    """Forty people in ten villages of two strata; the first village is a commune of its own."""
    chance, rows = np.random.default_rng(1), np.arange(40)
    return pd.DataFrame(
        {
            "a": chance.integers(1, 6, 40).astype(str),
            "b": chance.integers(1, 6, 40).astype(str),
            "w": "2.5",
            "stratum": np.where(rows < 20, "x", "y"),
            "village": [f"v{row // 4}" for row in rows],
            "commune": np.where(rows < 4, "c1", "c2"),
            "sex": np.where(rows % 2 == 0, "f", "m"),
        }
    )


def spoilt(column: str, value: object, rows: int = 7) -> pd.DataFrame:
    """The people with ``value`` in the first rows of a column."""
    data = people()
    data.loc[: rows - 1, column] = value
    return data


FIVE = "7 rows (1, 2, 3, 4, 5, …)"
BLANK = "a design column has blank cells; fill them in, or leave these rows out for a reason"
NOT_THERE = "there is no such column; the columns are: a, b, stratum, village, commune, sex"

REFUSED = {
    "a missing design column": (people().drop(columns="w"), f"data, column w (weight): {NOT_THERE}"),
    "a misspelt design column": (
        people().rename(columns={"village": "vilage"}),
        "data, column village (psu): there is no such column; did you mean 'vilage'?",
    ),
    "a blank weight": (spoilt("w", None), f"data, column w (weight), {FIVE}: {BLANK}"),
    "a blank stratum": (spoilt("stratum", ""), f"data, column stratum (strata), {FIVE}: {BLANK}"),
    "a blank PSU": (spoilt("village", " "), f"data, column village (psu), {FIVE}: {BLANK}"),
    "a negative weight": (spoilt("w", "-1"), f"data, column w, {FIVE}: a weight must be above 0; correct these values"),
    "a weight of zero": (spoilt("w", "0"), f"data, column w, {FIVE}: a weight must be above 0; correct these values"),
    "text among the weights": (
        spoilt("w", "abc"),
        f"data, column w, {FIVE}: 'abc' is not a number; correct these cells or leave them blank",
    ),
    "a PSU in two strata": (
        spoilt("stratum", "y", 2),
        "data, column village, 4 rows (1, 2, 3, 4): 1 PSU in more than one stratum (v0: x, y); "
        "set nest = true if the ids start anew in each stratum, or correct them",
    ),
    "a stratum with one PSU": (
        spoilt("stratum", "z", 4),
        "data, column stratum, 4 rows (1, 2, 3, 4): 1 stratum with a single sampled unit: z; "
        'join strata (lonely_psu = "collapse") or choose adjust, average, certainty, remove',
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_design_column_is_refused(name: str) -> None:
    data, sentence = REFUSED[name]
    with pytest.raises(SurveyError) as error:
        score(data, INDEX, DESIGN)
    assert error.value("en") == sentence
    assert error.value("vi") != sentence


MARGINS_REFUSED = {
    "a category in the data that the margins lack": (
        spoilt("sex", "other"),
        MARGINS,
        f"data, column sex, {FIVE}: categories without a total in the margins: other; "
        "correct the margins or join categories",
    ),
    "a category in the margins that the data lack": (
        people(),
        [*MARGINS, {"variable": "sex", "category": "x", "total": 3}],
        "margins, sex: with a total but not in the data: x; correct the margins or join categories",
    ),
}


@pytest.mark.parametrize("name", MARGINS_REFUSED)
def test_margins_that_do_not_fit_the_data_are_refused(name: str) -> None:
    data, margins, sentence = MARGINS_REFUSED[name]
    design = Design("w", "stratum", "village", calibration=Calibration("raking", margins=margins))
    with pytest.raises(SurveyError) as error:
        score(data, INDEX, design)
    assert error.value("en") == sentence


def test_margins_that_do_not_add_up_name_both_and_their_sums() -> None:
    margins = [*MARGINS, {"variable": "commune", "category": "c1", "total": 10}]
    margins.append({"variable": "commune", "category": "c2", "total": 99})
    design = Design("w", "stratum", "village", calibration=Calibration("raking", margins=margins))
    with pytest.raises(SurveyError) as error:
        score(people(), INDEX, design)
    assert error.value("en") == (
        "margins: the variables add up to different totals: sex 100, commune 109; "
        "correct the totals, or scale them to the same sum"
    )


def test_an_empty_domain_is_refused_and_a_partly_empty_one_counted() -> None:
    with pytest.raises(SurveyError) as error:
        score(spoilt("commune", None, 40), INDEX, DESIGN, "commune")
    assert error.value("en") == (
        "data, column commune, 40 rows (1, 2, 3, 4, 5, …): no domain: its cells are all blank; choose another column"
    )
    found = score(spoilt("commune", ""), INDEX, DESIGN, "commune")
    assert "7 interviews have no commune and are in no domain" in [note.en for note in found.notes]


def test_a_domain_in_one_psu_has_its_estimate_no_interval_and_a_note() -> None:
    found = score(people(), INDEX, DESIGN, "commune")
    row = found.table.set_index(["domain", "code"]).loc[("c1", "T")]
    assert np.isfinite(row["estimate"])
    assert np.isnan([row["low"], row["high"]]).all()
    assert "too few sampled units for an interval" in row["note"]
    assert "domains in a single sampled unit, without an interval: commune c1; join domains" in [
        note.en for note in found.notes
    ]


FINDINGS = {
    "an item nobody answered": (
        spoilt("a", None, 40),
        INDEX,
        "A, data, column a, 40 rows (1, 2, 3, 4, 5, …): nobody answered; "
        "check the column and the indicator's base, or take the indicator out of the index",
    ),
    "text among the answers": (
        spoilt("a", "abc"),
        INDEX,
        f"A, data, column a, {FIVE}: no score for 'abc': left out; correct the data or complete the scoring rule",
    ),
    "a node with neither children nor a question": (
        people(),
        index_of([*TREE, {"code": "D", "parent": "T"}], "t"),
        "t, row 5: neither children nor a question: D; fill in the column question, or take these rows out",
    ),
}


@pytest.mark.parametrize("name", FINDINGS)
def test_what_leaves_a_node_without_a_figure_is_a_finding(name: str) -> None:
    data, index, sentence = FINDINGS[name]
    found = score(data, index, DESIGN, "commune")
    assert [problem("en") for problem in found.findings] == [sentence]


def _csv(file: Path) -> Path:
    file.write_text("a,b,a\n1,2,3\n")
    return file


def _large(file: Path) -> Path:
    with file.open("wb") as stream:
        stream.write(b"a,b,c\n1,2,3\n")
        stream.truncate(50_000_000)
    file.write_bytes(file.read_bytes().replace(b"a,b,c", b"a,b,a"))
    return file


@pytest.mark.parametrize("made", [_csv, _large])
def test_a_repeated_column_of_a_file_is_named(tmp_path: Path, made: Callable[[Path], Path]) -> None:
    with pytest.raises(SurveyError, match=r"d\.csv, (row 1: repeated column: a|column 3: there is another column 'a')"):
        read_table(made(tmp_path / "d.csv"))


def test_a_repeated_column_of_a_frame_is_named() -> None:
    data = people()
    data.columns = [*data.columns[:-1], "a"]
    with pytest.raises(SurveyError) as error:
        score(data, INDEX, DESIGN)
    assert error.value("en") == "data: repeated column: a; give every column a name of its own"


def test_a_file_larger_than_the_memory_is_refused_before_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "d.csv"
    with file.open("wb") as stream:
        stream.write(b"a,b\n")
        stream.truncate(1 << 42)  # no disk is used: the rest of the file is a hole
    with pytest.raises(SurveyError, match=r"4096\.0 GB is larger than the memory.*save it as \.parquet"):
        read_table(file)


def test_a_refusal_leaves_by_exit_code_2_and_writes_nothing(tmp_path: Path) -> None:
    from click.testing import CliRunner

    spoilt("w", "0").to_csv(tmp_path / "d.csv", index=False)
    (tmp_path / "t").mkdir()
    pd.DataFrame(TREE).to_csv(tmp_path / "t" / "index.csv", index=False)
    (tmp_path / "design.toml").write_text('weight = "w"\npsu = ["village"]\n')
    call = ["score", tmp_path / "d.csv", "--index", tmp_path / "t", "--design", tmp_path / "design.toml"]
    files = [tmp_path / f"{name}.csv" for name in ("out", "missing", "contributions")]
    call += [part for file in files for part in (f"--{file.stem}", file)]
    done = CliRunner().invoke(cli, [*map(str, call), "--lang", "en"])
    assert done.exit_code == 2
    assert done.stderr == "d.csv, column w, 7 rows (2, 3, 4, 5, 6, …): a weight must be above 0; correct these values\n"
    assert not any(file.exists() for file in files)
