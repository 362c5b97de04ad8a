"""How long a country's index takes: ``python benchmarks/score.py [respondents …] [--spark] [--minutes 5]``.

34 provinces in four strata each, villages of 16 to 20 people, 120 items with 13 % missing in 28 sub-dimensions, 8
dimensions and one total, in Parquet. The whole job is every node in every province with standard error and interval,
the covariance of the 34 totals, their 561 differences, and 500 Rao–Wu replicates. Beside ours stand a lower bound
written by hand (one pass by NumPy, and by numba where it is installed), and R's ``survey`` where R is: its best form
(one svytotal a province and svycontrast, without replicates) and the usual loop of svyby (stopped after ``--minutes``,
then extrapolated). Every run is a process of its own; time is that of the work, without start. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv, parquet
from scipy.special import stdtrit

PROVINCES, ITEMS, DIMENSIONS, STRATA, REPLICATES = 34, 120, (4, 4, 3, 4, 3, 4, 3, 3), 4, 500
SCALES = ((0, 1), (1, 4), (1, 5), (0, 10))
SUBS = [(d, s) for d, count in enumerate(DIMENSIONS, 1) for s in range(1, count + 1)]
NAMES = [f"i{k:03}" for k in range(ITEMS)]


def sheet() -> list[dict[str, str]]:
    """The index sheet of a PAPI-like score."""
    rows = [{"code": "T", "combine": "mean"}]
    rows += [{"code": f"D{d}", "parent": "T"} for d in range(1, len(DIMENSIONS) + 1)]
    rows += [{"code": f"S{d}.{s}", "parent": f"D{d}"} for d, s in SUBS]
    for k, name in enumerate(NAMES):
        d, s = SUBS[k % len(SUBS)]
        low, high = SCALES[k % len(SCALES)]
        row = {"code": name.upper(), "parent": f"S{d}.{s}", "question": name, "score": "linear"}
        rows.append(row | {"from": f"{low}..{high}", "to": "1..10"})
    return rows


def loadings() -> tuple[np.ndarray, np.ndarray]:
    """The same tree as a matrix: 157 scores = loadings · item means + constants."""
    slope = np.array([9 / (SCALES[k % 4][1] - SCALES[k % 4][0]) for k in range(ITEMS)])
    constant = 1 - slope * np.array([SCALES[k % 4][0] for k in range(ITEMS)])
    of = np.array([k % len(SUBS) for k in range(ITEMS)])
    subs = np.array([(of == s) / (of == s).sum() for s in range(len(SUBS))])
    dims = np.array([[(d == e) / DIMENSIONS[e - 1] for d, _ in SUBS] for e in range(1, len(DIMENSIONS) + 1)]) @ subs
    upper = np.vstack([subs, dims, dims.mean(axis=0)])
    return np.vstack([np.eye(ITEMS), upper * slope]), np.concatenate([np.zeros(ITEMS), upper @ constant])


def simulate(people: int) -> Path:
    """Respondents whose answers hang on province, village and person, kept in the temporary folder between runs."""
    file = Path(tempfile.gettempdir()) / f"citizen-survey-bench-{people}.parquet"
    if file.is_file():
        return file
    writer, unfinished, village_base = None, file.with_suffix(".part"), 0
    for province in range(PROVINCES):
        chance = np.random.default_rng([20260101, people, province])
        villages = max(2 * STRATA, round(people / PROVINCES / 18))
        size = chance.integers(16, 21, villages)
        stratum = np.sort(chance.integers(0, STRATA, villages))
        stratum[: 2 * STRATA] = np.repeat(np.arange(STRATA), 2)
        stratum.sort()
        village = np.repeat(np.arange(villages), size)
        n = len(village)
        lean = chance.normal(0, 0.35, (villages, len(DIMENSIONS)))[village] + chance.normal(
            0, 0.6, (n, len(DIMENSIONS))
        )
        lean += chance.normal(0, 0.25, len(DIMENSIONS))
        columns: dict[str, object] = {
            "province": np.full(n, province + 1, dtype=np.int16),
            "stratum": ((province + 1) * 10 + stratum[village] + 1).astype(np.int32),
            "psu": (village_base + village + 1).astype(np.int32),
            "w": chance.uniform(50, 400, STRATA)[stratum[village]] * np.exp(chance.normal(0, 0.2, n)),
        }
        for k, name in enumerate(NAMES):
            low, high = SCALES[k % 4]
            pull = lean[:, SUBS[k % len(SUBS)][0] - 1] + chance.normal(0, 1, n)
            answer = np.rint(low + (high - low) / (1 + np.exp(-1.2 * pull))).astype(np.int8)
            columns[name] = pa.array(answer, mask=chance.random(n) < 0.13)
        table = pa.table(columns)
        writer = writer or parquet.ParquetWriter(unfinished, table.schema, compression="zstd")
        writer.write_table(table)
        village_base += villages
    assert writer is not None
    writer.close()
    unfinished.replace(file)
    return file


def ours(file: Path, engine: str = "local") -> dict[str, float]:
    """The whole job by this package."""
    from analysis import Design, score
    from analysis.index import index_of

    index = index_of(sheet(), "bench")
    if engine == "spark":
        from analysis.spark import session

        session()
    clock = Clock()
    scores = score(file, index, Design("w", "stratum", "psu"), by="province", deff=False, engine=engine)
    clock.lap("scores")
    covariance = scores.cov(["T"]).to_numpy()
    first, second = np.triu_indices(PROVINCES, 1)
    errors = np.sqrt(np.diag(covariance)[first] + np.diag(covariance)[second] - 2 * covariance[first, second])
    clock.lap("covariance")
    replicates = scores.bootstrap(["T"], REPLICATES)[:, :, 0]
    clock.lap("bootstrap")
    top = scores.table[scores.table["code"] == "T"]
    ratio = float((replicates.std(axis=0, ddof=1) / top["se"].to_numpy()).mean())
    return clock.said(float(top["estimate"].sum()), float(top["se"].sum()), float(errors.max()), ratio)


def bound(file: Path, by: str) -> dict[str, float]:
    """The whole job with nothing around it: sums by village, then matrices."""
    adder = _numba() if by == "numba" else _bincount
    clock = Clock()
    found: list[list[np.ndarray]] = [[], [], [], []]
    with parquet.ParquetFile(file) as opened, ThreadPoolExecutor(os.cpu_count()) as pool:
        for group in range(opened.num_row_groups):
            rows = opened.read_row_group(group)
            village, first, place = np.unique(rows["psu"].to_numpy(), return_index=True, return_inverse=True)
            weight = rows["w"].to_numpy()
            columns = [rows[name].combine_chunks() for name in NAMES]
            work = [(column, weight, place, len(village)) for column in columns]
            sums = list(pool.map(adder, work) if by == "numba" else map(adder, work))
            found[0].append(rows["province"].to_numpy()[first])
            found[1].append(rows["stratum"].to_numpy()[first])
            found[2].append(np.column_stack([z for z, _ in sums]))
            found[3].append(np.column_stack([d for _, d in sums]))
    province, stratum, z, d = map(np.concatenate, found)  # villages lie in the order of province and stratum
    clock.lap("sums")
    matrix, constant = loadings()
    starts = np.flatnonzero(np.r_[True, province[1:] != province[:-1]])
    of = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(province)]))
    down = np.add.reduceat(d, starts)
    mean = np.add.reduceat(z, starts) / down
    influence = ((z - mean[of] * d) / down[of]) @ matrix.T
    edges = np.flatnonzero(np.r_[True, stratum[1:] != stratum[:-1]])
    size = np.diff(np.r_[edges, len(stratum)])
    factor = (size / (size - 1))[:, None]
    inside = factor * (np.add.reduceat(influence**2, edges) - np.add.reduceat(influence, edges) ** 2 / size[:, None])
    error = np.sqrt(np.add.reduceat(inside, np.flatnonzero(np.r_[True, np.diff(province[edges]) != 0])))
    estimate = mean @ matrix.T + constant
    df = np.bincount(of[edges], size - 1)
    limits = stdtrit(df, 0.975)[:, None] * error
    clock.lap("errors")
    wide = np.zeros((len(of), len(starts)))
    wide[np.arange(len(of)), of] = influence[:, -1]
    group = np.repeat(np.arange(len(size)), size)
    gap = (wide - (np.add.reduceat(wide, edges) / size[:, None])[group]) * np.sqrt(factor[group])
    covariance = gap.T @ gap
    variances = np.diag(covariance)
    pairs = np.sqrt(np.add.outer(variances, variances) - 2 * covariance + np.eye(len(starts)))[np.triu_indices(34, 1)]
    clock.lap("covariance")
    chance, again = np.random.default_rng(1), np.empty((REPLICATES, len(starts)))
    for p in range(len(starts)):
        rows = np.flatnonzero(of == p)
        drawn = [
            chance.multinomial(m - 1, np.full(m, 1 / m), REPLICATES).T * (m / (m - 1)) for m in size[of[edges] == p]
        ]
        weights = np.concatenate(drawn).T
        again[:, p] = (weights @ z[rows]) / (weights @ d[rows]) @ matrix[-1] + constant[-1]
    clock.lap("bootstrap")
    assert np.isfinite(limits).all()
    ratio = float((again.std(axis=0, ddof=1) / error[:, -1]).mean())
    return clock.said(float(estimate[:, -1].sum()), float(error[:, -1].sum()), float(pairs.max()), ratio)


def _bincount(work: tuple[pa.Array, np.ndarray, np.ndarray, int]) -> tuple[np.ndarray, np.ndarray]:
    column, weight, place, villages = work
    there = np.where(np.asarray(column.is_valid()), weight, 0.0)
    answers = np.asarray(column.fill_null(0))
    return np.bincount(place, there * answers, villages), np.bincount(place, there, villages)


def _numba() -> Callable[[tuple[pa.Array, np.ndarray, np.ndarray, int]], tuple[np.ndarray, np.ndarray]]:
    import numba

    @numba.njit(nogil=True)
    def loop(answers, bits, weight, place, z, d):
        for row in range(len(answers)):
            if (bits[row >> 3] >> (row & 7)) & 1:
                z[place[row]] += weight[row] * answers[row]
                d[place[row]] += weight[row]

    def add(work: tuple[pa.Array, np.ndarray, np.ndarray, int]) -> tuple[np.ndarray, np.ndarray]:
        column, weight, place, villages = work
        valid, data = column.buffers()
        z, d = np.zeros(villages), np.zeros(villages)
        loop(np.frombuffer(data, np.int8), np.frombuffer(valid, np.uint8), weight, place, z, d)
        return z, d

    one = np.ones(1), np.zeros(1, dtype=np.int64)
    loop(np.zeros(1, dtype=np.int8), np.ones(1, dtype=np.uint8), *one, np.zeros(1), np.zeros(1))
    return add


class Clock:
    """Laps in seconds, of the wall and of the processors."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self.start, self.processors = time.perf_counter(), time.process_time()
        self.last = self.start

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name], self.last = now - self.last, now

    def said(self, estimate: float, error: float, difference: float, ratio: float) -> dict[str, float]:
        """What the run tells the process that started it; the checksums must agree between runs."""
        total, cpu = self.last - self.start, time.process_time() - self.processors
        sums = {"estimate": estimate, "error": error, "difference": difference, "bootstrap / linear": ratio}
        return {"seconds": total, "cpu": cpu, **self.laps, **sums}


R = """
a <- commandArgs(TRUE); suppressMessages({library(survey); library(data.table)}); setDTthreads(2)
x <- as.data.frame(fread(a[1])); a1 <- scan(a[2], quiet = TRUE)
items <- sprintf("i%03d", 0:119); limit <- as.numeric(a[4])
t0 <- proc.time()[3]; design <- svydesign(id = ~psu, strata = ~stratum, weights = ~w, data = x)
if (a[3] == "best") {
  both <- matrix(0, nrow(x), 240)
  for (k in 1:120) { y <- x[[items[k]]]; o <- !is.na(y); both[o, 2 * k - 1] <- y[o]; both[, 2 * k] <- o }
  colnames(both) <- as.vector(rbind(paste0("n", 1:120), paste0("d", 1:120)))
  whole <- parse(text = paste(sprintf("%.17g*n%d/d%d", a1, 1:120, 1:120), collapse = "+"))[[1]]
  province <- x$province; design$variables <- as.data.frame(both); rm(both, x)
  f <- as.formula(paste("~", paste(names(design$variables), collapse = "+"))); error <- 0
  for (p in sort(unique(province))) {
    error <- error + SE(svycontrast(svytotal(f, design[province == p, ]), list(T = whole)))
  }
  took <- proc.time()[3] - t0; done <- 1
} else {
  done <- 0; error <- 0
  for (k in items) { b <- svyby(as.formula(paste0("~", k)), ~province, design, svymean, na.rm = TRUE)
    error <- error + sum(SE(b)); done <- done + 1 / 120; if (proc.time()[3] - t0 > limit) break }
  took <- (proc.time()[3] - t0) / done
}
cat(sprintf('{"seconds": %f, "error": %.12f, "share done": %f}\\n', took, error, done))
"""


def r_survey(file: Path, form: str, minutes: float) -> dict[str, float]:
    """R's ``survey`` on the same people, from CSV; reading is not counted."""
    text, weights, script = (file.with_suffix(end) for end in (".csv", ".loadings", ".R"))
    if not text.is_file():
        csv.write_csv(parquet.read_table(file), text)
    weights.write_text(" ".join(map(repr, loadings()[0][-1].tolist())))
    script.write_text(R)
    command = ["Rscript", str(script), str(text), str(weights), form, str(60 * minutes)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])


def alone(run: str, file: Path, minutes: float) -> dict[str, float] | None:
    """``run`` in a process of its own, with the peak of its memory; ``None`` if it fails."""
    command = [sys.executable, __file__, "--one", run, "--file", str(file), "--minutes", str(minutes)]
    root = str(Path(__file__).resolve().parent.parent)
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": root})
    if done.returncode:
        print(f"  {run:14} failed: {done.stderr.strip().splitlines()[-1]}")
        return None
    return json.loads(done.stdout.splitlines()[-1])


def one(run: str, file: Path, minutes: float) -> None:
    jobs: dict[str, Callable[[], dict[str, float]]] = {
        "ours": lambda: ours(file),
        "ours on Spark": lambda: ours(file, "spark"),
        "bound NumPy": lambda: bound(file, "NumPy"),
        "bound numba": lambda: bound(file, "numba"),
        "R best": lambda: r_survey(file, "best", minutes),
        "R svyby": lambda: r_survey(file, "loop", minutes),
    }
    found = jobs[run]()
    who = resource.RUSAGE_CHILDREN if run.startswith("R ") else resource.RUSAGE_SELF
    print(json.dumps({**found, "MiB": resource.getrusage(who).ru_maxrss / 1024}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("respondents", nargs="*", type=int, default=[200_000, 1_000_000])
    parser.add_argument("--spark", action="store_true")
    parser.add_argument("--no-r", action="store_true")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(options.one, options.file, options.minutes)
        return
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(
        platform.machine(), f"{os.cpu_count()} cores{load}, Python", platform.python_version(), "NumPy", np.__version__
    )
    runs = ["ours", "bound NumPy", "bound numba"] + ["ours on Spark"] * options.spark
    runs += ["R best", "R svyby"] * bool(shutil.which("Rscript") and not options.no_r)
    for people in options.respondents:
        file = simulate(people)
        print(f"{people:,} respondents, {file.stat().st_size / 1e6:.0f} MB of Parquet")
        ran = {run: found for run in runs if (found := alone(run, file, options.minutes)) is not None}
        mine = ran.get("ours")
        for run, found in ran.items():
            times = f"  × {found['seconds'] / mine['seconds']:6.2f}" if mine else ""
            rest = "  ".join(f"{k} {v:.6g}" for k, v in found.items() if k not in ("seconds", "MiB"))
            print(f"  {run:14} {found['seconds']:8.2f} s{times}  {found['MiB']:6.0f} MiB   {rest}")


if __name__ == "__main__":
    main()
