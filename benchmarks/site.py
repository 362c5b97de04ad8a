"""A public site of the whole country: 34 provinces and 3,321 generated communes, all with figures.

    python benchmarks/site.py [--index sipas_2026] [--surveyed 1.0]

Writes made-up scores to a file, makes the site from it with `survey report --site` in a process of its own, and prints
the seconds (of the clock and of the processor) beside the 120 that are wanted, the pages, the largest one with all that
it loads beside the 150 KB that are wanted, and the memory.
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from analysis.index import load_index
from analysis.units import communes, provinces

DAY, SECONDS, BYTES = "2026-11-01", 120, 150_000


def write_scores(file: Path, index: str, surveyed: float) -> int:
    """Scores of everybody, every province and a share of the communes; returns the number of rows."""
    codes = [node.code for node in load_index(index).nodes]
    chance = random.Random(1)
    rows = 0
    with file.open("w", encoding="utf-8") as out:
        out.write("index,round,domain_level,domain,level,code,estimate,se,df,low,high,n,n_psu,deff,note\n")

        def domain(level: str, name: str, n: int) -> None:
            for code in codes:
                value, error = chance.uniform(60, 90), chance.uniform(0.5, 4)
                figures = (
                    f"{value:.4f},{error:.4f},30,{value - 2 * error:.4f},{value + 2 * error:.4f},{n},{max(2, n // 6)}"
                )
                out.write(f"{index},r2026,{level},{name},1,{code},{figures},1.4,\n")

        domain("", "", 90_000)
        for province in provinces().on(DAY):
            domain("province", province.code, 2_600)
            for commune in communes(province.code).on(DAY):
                if chance.random() < surveyed:
                    domain("commune", commune.code, chance.randint(15, 60))
                    rows += len(codes)
    return rows


def main() -> None:
    """Makes the site once and prints what it took."""
    given = argparse.ArgumentParser()
    given.add_argument("--index", default="sipas_2026")
    given.add_argument("--surveyed", type=float, default=1.0)
    asked = given.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scores, site = Path(folder, "scores.csv"), Path(folder, "site")
        rows = write_scores(scores, asked.index, asked.surveyed)
        print(f"{rows:,} rows of communes, {scores.stat().st_size / 1e6:.0f} MB")
        start = time.perf_counter()
        line = [sys.executable, "-m", "survey", "report", str(scores), "--index", asked.index, "--site", str(site)]
        subprocess.run(line, check=True)
        clock = time.perf_counter() - start
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor = used.ru_utime + used.ru_stime
        print(
            f"{clock:.0f} s by the clock, {processor:.0f} s of the processor: {processor / SECONDS:.2f} of {SECONDS} s"
        )
        pages = list(site.rglob("*.html"))
        shared = (site / "site.css").stat().st_size
        search = (site / "tim-kiem.html").stat().st_size + sum(
            (site / n).stat().st_size for n in ("places.js", "search.js")
        )
        largest = max(shared + max(page.stat().st_size for page in pages), shared + search)
        told = f"{largest / 1000:.0f} KB: {largest / BYTES:.2f} of 150 KB"
        print(f"{len(pages):,} pages; the largest with what it loads {told}")
        whole = sum(file.stat().st_size for file in site.rglob("*") if file.is_file())
        print(f"{whole / 1e6:.0f} MB in all; {used.ru_maxrss / 1024:.0f} MB of memory")


if __name__ == "__main__":
    main()
