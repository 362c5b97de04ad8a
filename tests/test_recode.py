"""Answers "other, specify" counted as a choice in what is exported, by the table that the listing wrote."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from analysis import dataset
from analysis.recode import recode
from survey.errors import Problems
from survey.store import Store, current
from survey.tables import read_table
from tests.quality_field import ROUND, answers, interview, set_up

Survey = Callable[..., Result]


@pytest.fixture
def said(hub: Store) -> Store:
    """A hub with four interviews, three of which name another source."""
    set_up(hub, {"k": 4})
    for number, words in enumerate(("Nghe đài", "nghe  DAI", "Hàng xóm", "")):
        given = answers([4] * 24, source="other" if words else "radio")
        interview(hub, f"uk{number:03d}", {**given, **({"a/specify": words} if words else {})})
    return hub


def write(file: Path, *rows: tuple[str, str, str]) -> Path:
    with file.open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows([("question", "text", "code"), *rows])
    return file


def test_the_listing_is_a_table_that_recodes_the_export(survey: Survey, said: Store, tmp_path: Path):
    listing, out = tmp_path / "others.csv", tmp_path / "data.csv"
    assert survey("quality", "--others", listing, "--instance", said.folder).exit_code == 0
    told = survey("data", "export", out, "--state", "sealed", "--recode", listing, "--instance", said.folder)
    assert (told.exit_code, "Recoded 2 answers" in told.output) == (0, True), told.output
    rows = {row["unit"]: (row["source"], row["specify"]) for row in read_table(out).rows}
    assert rows == {
        "uk000": ("radio", ""),
        "uk001": ("radio", ""),
        "uk002": ("other", "Hàng xóm"),
        "uk003": ("radio", ""),
    }
    # What people said stays with the interviews.
    assert current.content(said, "iuk000")["answers"]["a/specify"] == "Nghe đài"


def test_what_is_wrong_in_the_table_is_told_at_once(said: Store, tmp_path: Path):
    data = dataset.load(said, ROUND, ("sealed",))
    wrong = write(tmp_path / "a.csv", ("a/age", "x", "1"), ("a/specify", "Hàng xóm", "neighbour"))
    with pytest.raises(Problems) as told:
        recode(data, read_table(wrong))
    assert [problem.where for problem in told.value.problems] == [
        "a.csv, row 2, column question",
        "a.csv, row 3, column code",
    ]
    (tmp_path / "b.csv").write_text("text,code\nx,1\n", encoding="utf-8")
    with pytest.raises(Problems):
        recode(data, read_table(tmp_path / "b.csv"))
