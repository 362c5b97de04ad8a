"""The pass over the respondents by cell: the same sums as row by row, whatever the file, its order and its chunks."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from analysis import Design, engines, leaves, score
from analysis.cells import CellSums, Declared, Pass, cells_of, gather
from analysis.crossing import Crossing
from analysis.design import Calibration
from analysis.estimation import domains_of
from analysis.index import index_of
from analysis.layout import lay
from analysis.reading import read_table
from analysis.table import Table
from analysis.totals import Rows
from survey.errors import InputError, Problems
from tests import outside

SHEET = [
    {"code": "T", "combine": "mean"},
    {"code": "P", "parent": "T", "combine": "pooled"},
    {"code": "Q1", "parent": "P", "question": "a", "score": "1 2"},
    {"code": "Q2", "parent": "P", "question": "b", "score": "yes", "base": "${a} > 1"},
    {"code": "S", "parent": "T", "combine": "mean"},
    {"code": "Q3", "parent": "S", "question": "c", "score": "linear", "from": "0..10", "to": "1..10"},
    {"code": "Q4", "parent": "S", "question": "d", "score": "linear", "dont_know": "zero"},
    {"code": "Q5", "parent": "S", "question": "e", "score": "1=0 2=50 4=100"},
]
DESIGN = Design("w", ("region", "kind"), "psu", nest=True)


def people(rows: int = 4000, seed: int = 3, shuffled: bool = False) -> pd.DataFrame:
    """Respondents with every kind of column that a file brings."""
    chance = np.random.default_rng(seed)
    psu = np.sort(chance.integers(0, rows // 15, rows))
    frame = pd.DataFrame(
        {
            "region": np.array(["Bắc", "Trung", "Nam"])[psu % 3],
            "kind": (psu % 2).astype(np.int8),
            "psu": psu,
            "sex": pd.Series(np.array(["nam", "nữ", ""])[chance.choice(3, rows, p=(0.5, 0.45, 0.05))]),
            "w": chance.uniform(1, 9, rows),
            "a": pd.array(chance.integers(1, 5, rows), dtype="Int8"),
            "b": pd.Categorical(np.array(["yes", "no", None])[chance.choice(3, rows)]),
            "c": np.where(chance.random(rows) < 0.2, np.nan, chance.integers(0, 11, rows)),
            "d": pd.array(chance.integers(0, 2, rows), dtype="Int64"),
            "e": chance.integers(1, 5, rows),
        }
    )
    frame.loc[chance.random(rows) < 0.15, ["a", "d"]] = None
    blank = frame["d"].isna()
    frame["d__missing"] = np.where(blank, np.where(chance.random(rows) < 0.5, "dont_know", "refused"), None)
    return frame.sample(frac=1, random_state=1) if shuffled else frame


def index():
    return index_of(SHEET, "toy")


def answered():
    return tuple(node for node in index().leaves if node.question)


def by_cell(data, by=("region", "sex"), design=DESIGN) -> CellSums:
    table = Table.of(data)
    assert engines.suits(design, table)
    declared = Declared(engines.keys_of(design, table, by), design.weight, answered(), plain=True)
    found = engines.by_cell(declared, design, table)
    assert found is not None
    return found


def by_row(data, design=DESIGN) -> Rows:
    table = Table.of(data)
    return Rows(lay(design, table), [leaves.statistic(node, table)[0] for node in answered()])


def crossings(data, by=("region", "sex")):
    """The same crossing by cell and by row."""
    cells, rows = by_cell(data, by), by_row(data)
    keys = domains_of(Table(cells.cells.keys), by)
    every = domains_of(Table.of(data), by)
    assert keys[1] == every[1]
    names = ["|".join(label) for label in every[1]]
    return [
        Crossing(index(), source, "x", names, answered(), domain, True)
        for source, domain in ((cells, keys[0]), (rows, every[0]))
    ]


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("row_group", [97, 100_000])
def test_a_file_read_in_parts_gives_the_scores_of_all_rows_at_once(tmp_path, shuffled, row_group):
    file = tmp_path / "people.parquet"
    parquet.write_table(pa.Table.from_pandas(people(shuffled=shuffled)), file, row_group_size=row_group)
    quick, slow = crossings(file)
    for ours, theirs in zip(quick.rows("", False), slow.rows("", False), strict=True):
        for column, value in theirs.items():
            if isinstance(value, float):
                assert ours[column] == pytest.approx(value, rel=1e-11, nan_ok=True), column
            else:
                assert ours[column] == value, column
    units = [np.concatenate([block.sums for block in one.blocks]) for one in (quick, slow)]
    covariance = [sums.T @ sums for sums in units]
    assert np.allclose(*covariance, rtol=1e-10, atol=1e-12)
    assert quick.unweighted == pytest.approx(slow.unweighted, rel=1e-12)


def test_what_is_strange_is_told_with_the_rows_of_the_whole_file(tmp_path):
    frame = people(600)
    frame["e"] = frame["e"].where(frame["e"] != 3, 4)
    frame.loc[[5, 250, 300, 301, 302, 590], "e"] = 3
    frame.loc[400, "c"] = 12.0
    file = tmp_path / "people.parquet"
    parquet.write_table(pa.Table.from_pandas(frame), file, row_group_size=100)
    said = [str(finding) for finding in score(file, index(), DESIGN, by="region").findings]
    assert any("6 rows (6, 251, 301, 302, 303, …)" in text for text in said), said
    assert any("column c, row 401" in text for text in said), said


def test_the_same_file_gives_the_same_bits_however_the_threads_run(tmp_path):
    file = tmp_path / "people.parquet"
    parquet.write_table(pa.Table.from_pandas(people(shuffled=True)), file, row_group_size=97)
    once, again = (by_cell(file).cells for _ in range(2))
    assert once.sums.tobytes() == again.sums.tobytes()


def test_cells_are_merged_as_often_as_memory_asks(monkeypatch):
    table, declared = Table.of(people()), Declared(("psu", "kind"), "w", answered())
    one = Pass(declared, table)
    parts = [one.add_up(Table(table.arrow.slice(at, 90))) for at in range(0, len(table), 90)]
    whole = one.add_up(table)
    monkeypatch.setattr("analysis.cells._HELD", 10_000)
    merged = gather(iter(parts), declared.keys)
    assert merged.keys.equals(whole.keys)
    assert np.allclose(merged.sums, whole.sums, rtol=1e-13)
    assert merged.count.sum() == len(table)


def test_a_bad_weight_in_the_middle_of_a_file_is_named_by_its_row(tmp_path):
    frame = people(500)
    frame.loc[333, "w"] = -1.0
    file = tmp_path / "people.parquet"
    parquet.write_table(pa.Table.from_pandas(frame), file, row_group_size=50)
    with pytest.raises(Problems, match=r"column w, row 334"):
        score(file, index(), DESIGN, by="region")
    frame["w"] = frame["w"].astype(str).where(frame.index != 100, "nhiều")
    parquet.write_table(pa.Table.from_pandas(frame), file, row_group_size=50)
    with pytest.raises(Problems, match=r"column w, row 101"):
        score(file, index(), DESIGN, by="region")


def test_a_stratum_with_one_unit_is_named_as_ever(tmp_path):
    frame = people(500)
    frame.loc[frame["psu"] == 3, "region"] = "Lẻ"
    with pytest.raises(Problems, match="a single sampled unit: Lẻ"):
        score(frame, index(), DESIGN, by="region")


def test_a_damaged_file_is_named(tmp_path):
    file = tmp_path / "people.parquet"
    parquet.write_table(pa.Table.from_pandas(people(500)), file, row_group_size=50)
    content = bytearray(file.read_bytes())
    content[200:1200] = bytes(1000)
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"people\.parquet"):
        score(file, index(), DESIGN, by="region")


def test_one_round_of_a_file_is_filtered_as_it_is_read(tmp_path):
    both = pd.concat([people(600).assign(round="r1"), people(700, seed=5).assign(round="r2")])
    file = tmp_path / "both.parquet"
    parquet.write_table(pa.Table.from_pandas(both, preserve_index=False), file, row_group_size=90)
    table = read_table(file)
    codes, rounds = table.labels("round")
    second = table.filter(codes == rounds.index("r2"))
    assert (len(second), second.places[0]) == (700, 601)
    found = score(second, index(), DESIGN, by="region").table
    alone = score(people(700, seed=5), index(), DESIGN, by="region").table
    assert (found["round"] == "r2").all()
    assert np.allclose(found["se"], alone["se"], rtol=1e-12)


def test_many_key_columns_do_not_run_over():
    rows = 2000
    chance = np.random.default_rng(1)
    columns = {f"k{i}": chance.integers(0, 10**9, rows) for i in range(6)}
    cell, first = cells_of(Table.of(columns | {"one": np.ones(rows)}), tuple(columns))
    assert len(first) == rows
    assert cell.tolist() == list(range(rows))


def test_bootstrap_replicates_spread_as_the_linear_variance_says():
    found = score(people(6000), index(), DESIGN, by="region", deff=False)
    replicates = found.bootstrap(["T", "Q1"], 600)
    assert replicates.shape == (600, 3, 2)
    for k, code in enumerate(("T", "Q1")):
        rows = found.table[found.table["code"] == code]
        assert replicates[:, :, k].std(axis=0, ddof=1) == pytest.approx(rows["se"].to_numpy(), rel=0.12)
        assert replicates[:, :, k].mean(axis=0) == pytest.approx(rows["estimate"].to_numpy(), rel=0.01)


def test_a_unit_shared_by_two_domains_is_drawn_for_both_at_once():
    found = score(people(6000), index(), DESIGN, by="sex", deff=False)
    correlation = np.corrcoef(found.bootstrap(["Q3"], 800)[:, :, 0].T)[0, 1]
    covariance = found.cov(["Q3"]).to_numpy()
    assert correlation == pytest.approx(covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]), abs=0.12)


def test_calibrated_scores_are_not_bootstrapped_as_if_they_were_not():
    frame = people(900)
    frame["sex"] = frame["sex"].replace("", "nam")
    margins = [{"variable": "sex", "category": name, "total": 500} for name in ("nam", "nữ")]
    design = Design("w", ("region", "kind"), "psu", nest=True, calibration=Calibration("raking", margins=margins))
    with pytest.raises(InputError, match="bootstrapped"):
        score(frame, index(), design, by="region").bootstrap(["T"])


LARGE = """
import resource, sys
from analysis import Design, score
from analysis.index import load_index
tree, design = load_index(sys.argv[1]), Design("w", "h", "psu")
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
score(sys.argv[2], tree, design, by="h")
before = peak()
found = score(sys.argv[3], tree, design, by="h")
print(peak() - before, found.table["n"].max())
"""


def test_a_file_larger_than_the_memory_allowed_is_scored_as_it_streams(tmp_path):
    items = [f"q{k}" for k in range(40)]
    sheet = [{"code": "T"}, *({"code": q.upper(), "parent": "T", "question": q, "score": "linear"} for q in items)]
    (tmp_path / "wide").mkdir()
    pd.DataFrame(sheet).to_csv(tmp_path / "wide" / "index.csv", index=False)
    chance, rows = np.random.default_rng(2), 25_000
    block = {"h": np.arange(rows) // (rows // 2), "psu": np.arange(rows) // 500, "w": np.ones(rows)}
    table = pa.table(block | {q: chance.integers(0, 5, rows) for q in items})
    for name, times in (("small", 1), ("large", 40)):
        with parquet.ParquetWriter(tmp_path / f"{name}.parquet", table.schema) as writer:
            for _ in range(times):
                writer.write_table(table)
    loose = 40 * table.nbytes / 2**20
    files = [str(tmp_path / name) for name in ("wide", "small.parquet", "large.parquet")]
    done = subprocess.run([sys.executable, "-c", LARGE, *files], capture_output=True, text=True, cwd=outside.ROOT)
    assert done.returncode == 0, done.stderr
    grown, people_found = map(int, done.stdout.split())
    assert people_found == 20 * rows
    assert grown < loose / 2.5, f"{grown} MiB more for a file of {loose:.0f} MiB"


class Offered:
    """A data frame of a library that this package does not know, which offers Arrow's stream."""

    def __init__(self, rows: pa.Table):
        self.rows = rows

    def __arrow_c_stream__(self, requested_schema=None):
        return self.rows.__arrow_c_stream__(requested_schema)


def test_any_data_frame_that_offers_arrow_is_scored_alike():
    frame = people(800)
    rows = pa.Table.from_pandas(frame, preserve_index=False)
    kinds = rows.column("b").combine_chunks()
    few = pa.DictionaryArray.from_arrays(kinds.indices.cast(pa.uint32()), kinds.dictionary)  # as polars has categories
    unsigned = rows.set_column(rows.column_names.index("b"), "b", few)
    views = rows.set_column(0, "region", rows.column("region").cast(pa.string_view()))
    expected = score(frame, index(), DESIGN, by="region").table
    for data in (rows, rows.to_reader(), rows.combine_chunks().to_batches()[0], Offered(views), Offered(unsigned)):
        assert score(data, index(), DESIGN, by="region").table.equals(expected), type(data)
