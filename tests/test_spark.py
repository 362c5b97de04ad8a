"""The pass on Spark: one session on this machine gives the figures of the local pass."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from analysis import score
from tests import outside
from tests.test_cells import DESIGN, SHEET, index, people

SESSION = """
import json, sys
import pandas as pd
from analysis import Design, score
from analysis.index import load_index
from analysis.spark import session
from survey.cli import main
from survey.errors import InputError, Problems

file, sheet, design, out = sys.argv[1:]
tree = load_index(sheet)
under = Design("w", ("region", "kind"), "psu", nest=True)
frame = session().read.parquet(file).repartition(5)
found = score(frame, tree, under, by=("region", "sex"), total=True, engine="spark")
found.table.to_pickle(out + ".table")
found.cov(["T"]).to_pickle(out + ".cov")
said = {"findings": [str(one) for one in found.findings], "notes": [note.en for note in found.notes]}
for name, declared in (("rows", Design("w")), ("weights", Design("c", ("region", "kind"), "psu", nest=True))):
    try:
        score(frame, tree, declared, by="region", engine="spark", deff=False)
    except (InputError, Problems) as error:
        said[name] = str(error)
sys.argv = ["survey", "--lang", "en", "score", file, "--index", sheet, "--design", design]
sys.argv += ["--by", "region", "--engine", "spark", "--out", out]
try:
    main()
except SystemExit as end:
    said["code"] = end.code
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    """What one session on Spark said, and where it wrote."""
    outside.program("java")
    if importlib.util.find_spec("pyspark") is None:
        outside.missing("pyspark")
    folder = tmp_path_factory.mktemp("spark")
    frame = people(3000, shuffled=True)
    parquet.write_table(
        pa.Table.from_pandas(frame, preserve_index=False), folder / "people.parquet", row_group_size=400
    )
    (folder / "toy").mkdir()
    pd.DataFrame(SHEET).to_csv(folder / "toy" / "index.csv", index=False)
    (folder / "design.toml").write_text('weight = "w"\nstrata = ["region", "kind"]\npsu = "psu"\nnest = true\n')
    names = [folder / name for name in ("people.parquet", "toy/index.csv", "design.toml", "scores.csv")]
    done = subprocess.run(
        [sys.executable, "-c", SESSION, *map(str, names)],
        capture_output=True,
        text=True,
        cwd=outside.ROOT,
        env={**os.environ, "PYTHONPATH": str(outside.ROOT)},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return names, json.loads(done.stdout.splitlines()[-1])


def test_the_figures_are_those_of_the_local_pass_to_the_twelfth_digit(spark):
    (file, *_, out), _ = spark
    here = score(file, index(), DESIGN, by=("region", "sex"), total=True)
    there = pd.read_pickle(f"{out}.table")
    for column in here.table:
        if here.table[column].dtype.kind == "f":
            assert np.allclose(there[column], here.table[column], rtol=1e-12, atol=0, equal_nan=True), column
        else:
            assert there[column].tolist() == here.table[column].tolist(), column
    assert np.allclose(pd.read_pickle(f"{out}.cov"), here.cov(["T"]), rtol=1e-12, atol=1e-14)


def test_what_a_person_must_look_at_is_counted_over_all_partitions(spark):
    (file, *_), said = spark
    here = score(pd.read_parquet(file), index(), DESIGN, by=("region", "sex"), total=True)
    assert len(here.findings) > 0
    bare = [str(one).partition(" rows")[0] for one in here.findings]
    assert [text.partition(" rows")[0] for text in said["findings"]] == bare
    assert said["notes"] == [note.en for note in here.notes]


def test_the_command_writes_the_same_table(spark):
    (file, *_, out), said = spark
    assert said["code"] == 1  # there are findings
    assert np.allclose(pd.read_csv(out)["se"], score(file, index(), DESIGN, by="region").table["se"], rtol=1e-12)


def test_a_design_that_needs_every_row_says_so(spark):
    assert "needs every row" in spark[1]["rows"]


def test_a_bad_weight_is_told_as_ever(spark):
    assert "column c" in spark[1]["weights"]
    assert "a weight must be above 0" in spark[1]["weights"] or "blank" in spark[1]["weights"]
