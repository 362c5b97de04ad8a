"""How long a country's index takes: ``python benchmarks/score.py [respondents …]`` (default 20000 200000).

34 provinces, 120 items with 12 % left blank, 28 sub-dimensions, 8 dimensions, one total: every node in every province
with standard error, the covariance of the 34 totals and their 561 differences, read from Parquet. Beside it stands a
lower bound by hand: the same sums with NumPy alone, variances of the items' means only. Nothing is asserted.
"""

from __future__ import annotations

import platform
import resource
import sys
import tempfile
import time
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from analysis import Design, score
from analysis.index import Index, index_of
from analysis.scores import Scores

PROVINCES, ITEMS, DIMENSIONS = 34, 120, (4, 4, 3, 4, 3, 4, 3, 3)
SCALES = ((0, 1), (1, 4), (1, 5), (0, 10))
VILLAGE = 18


def tree() -> Index:
    """The index sheet of a PAPI-like score."""
    rows: list[dict[str, str]] = [{"code": "T", "combine": "sum"}]
    subs = [(d, s) for d, count in enumerate(DIMENSIONS, 1) for s in range(1, count + 1)]
    rows += [{"code": f"D{d}", "parent": "T"} for d in range(1, len(DIMENSIONS) + 1)]
    rows += [{"code": f"S{d}.{s}", "parent": f"D{d}"} for d, s in subs]
    for k in range(ITEMS):
        d, s = subs[k % len(subs)]
        low, high = SCALES[k % len(SCALES)]
        row = {"code": f"I{k:03}", "parent": f"S{d}.{s}", "question": f"i{k:03}", "score": "linear"}
        rows.append(row | {"from": f"{low}..{high}", "to": "1..10"})
    return index_of(rows, "bench")


def simulate(file: Path, people: int) -> None:
    """Respondents in villages in four strata a province, written row group by row group."""
    chance = np.random.default_rng(1)
    writer = None
    for province in range(PROVINCES):
        n = people // PROVINCES
        village = np.arange(n) // VILLAGE
        columns: dict[str, np.ndarray | pa.Array] = {
            "province": np.full(n, province, dtype=np.int8),
            "stratum": (province * 4 + village % 4).astype(np.int16),
            "psu": (province * 1_000_000 + village).astype(np.int32),
            "w": chance.uniform(50, 500, n),
        }
        level = chance.normal(0, 0.5, village.max() + 1)[village]
        for k in range(ITEMS):
            low, high = SCALES[k % len(SCALES)]
            answer = np.clip(np.rint((low + high) / 2 + level + chance.normal(0, (high - low) / 3, n)), low, high)
            columns[f"i{k:03}"] = pa.array(answer.astype(np.int8), mask=chance.random(n) < 0.12)
        table = pa.table(columns)
        writer = writer or parquet.ParquetWriter(file, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()


def whole_job(file: Path, index: Index, deff: bool) -> Scores:
    """What a published table needs."""
    scores = score(file, index, Design("w", "stratum", "psu"), by="province", deff=deff)
    totals = scores.estimates(["T"])
    pairs = list(combinations(range(len(totals)), 2))
    rows = np.zeros((len(pairs), len(totals)))
    for row, (a, b) in zip(rows, pairs, strict=True):
        row[a], row[b] = 1, -1
    differences = totals.contrast(rows, [""] * len(pairs))
    assert np.isfinite(differences.variance).all()
    return scores


def lower_bound(file: Path) -> float:
    """The same sums and the variances of the items' means, by hand."""
    table = parquet.read_table(file)
    province, stratum = (table[name].to_numpy().astype(np.int64) for name in ("province", "stratum"))
    psus, place = np.unique(table["psu"].to_numpy(), return_inverse=True)
    first = np.unique(place, return_index=True)[1]
    weight = table["w"].to_numpy()
    total = 0.0
    strata = stratum[first]
    size = np.bincount(strata)
    for k in range(ITEMS):
        column = table[f"i{k:03}"].combine_chunks()
        there = np.asarray(column.is_valid())
        wo = np.where(there, weight, 0.0)
        z = np.bincount(place, wo * np.asarray(column.fill_null(0)), len(psus))
        d = np.bincount(place, wo, len(psus))
        of = province[first]
        mean = np.bincount(of, z) / np.bincount(of, d)
        u = (z - mean[of] * d) / np.bincount(of, d)[of]
        spread = np.bincount(strata, u * u) - np.bincount(strata, u) ** 2 / size
        total += float((spread * size / (size - 1)).sum())
    return total


def timed(what: str, job: object, *arguments: object) -> float:
    """Runs ``job`` and prints how long it took."""
    start = time.perf_counter()
    job(*arguments)  # type: ignore[operator]
    took = time.perf_counter() - start
    print(f"  {what:34} {took:8.2f} s")
    return took


def main(sizes: list[int]) -> None:
    print(platform.node(), platform.machine(), "Python", platform.python_version(), "NumPy", np.__version__)
    index = tree()
    for people in sizes:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "people.parquet"
            simulate(file, people)
            print(f"{people:,} respondents")
            bound = timed("lower bound by hand", lower_bound, file)
            plain = timed("score without design effects", whole_job, file, index, False)
            timed("score with design effects", whole_job, file, index, True)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"  ratio to the bound {plain / bound:.1f}, peak memory {memory:.0f} MiB")


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or [20_000, 200_000])
