"""How long a country's report takes, and how heavy a commune's page is: ``python benchmarks/report.py``.

34 provinces and the whole, 157 nodes each (the tree of ``benchmarks/score.py``), with intervals, and six communes. The
national report and the index book are made in every form (HTML in both languages, DOCX, PDF, XLSX, CSV, Parquet), then
one commune's page. Printed are seconds, and seconds of the processor (on a machine with other work the two differ),
beside the bound of 30 s for all of it, and sizes. Nothing is asserted.
"""

from __future__ import annotations

import csv
import tempfile
import time
from pathlib import Path

import numpy as np
from score import sheet  # the tree of benchmarks/score.py, which lies beside this file

from analysis.report.documents import Wanted, write
from analysis.report.kinds import KINDS, Choice
from analysis.report.making import from_files
from analysis.report.office import Office
from analysis.units import provinces

BOUND, PAGE = 30.0, 150_000
FORMATS = ("html", "docx", "pdf", "xlsx", "csv", "parquet")


def scores(folder: Path) -> list[Path]:
    """The whole, the provinces and some communes, each level a tidy file."""
    random = np.random.default_rng(7)
    levels = {
        "all": ["all"],
        "province": [unit.code for unit in provinces().on("2026-01-01")],
        "commune": [f"{k:05}" for k in range(6)],
    }
    columns = ("index", "round", "domain_level", "domain", "level", "code", "estimate", "se", "low", "high", "df", "n",
               "n_psu", "deff", "note")  # fmt: skip
    files = []
    for level, domains in levels.items():
        files.append(folder / f"{level}.csv")
        with files[-1].open("w", encoding="utf-8-sig", newline="") as handle:
            out = csv.writer(handle)
            out.writerow(columns)
            for domain in domains:
                for node in sheet():
                    value, se = random.uniform(3, 8), random.uniform(0.05, 0.3)
                    row = ["", "2026", level, domain, "", node["code"], value, se, value - 2 * se, value + 2 * se]
                    out.writerow([*row, 40, 480, 48, 1.6, ""])
    return files


def index(folder: Path) -> Path:
    """The index sheet as a file."""
    file, rows = folder / "index.csv", sheet()
    with file.open("w", encoding="utf-8", newline="") as handle:
        out = csv.DictWriter(handle, list(dict.fromkeys(name for row in rows for name in row)))
        out.writeheader()
        out.writerows(rows)
    return file


def main() -> None:
    """Makes everything once and prints what it took."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start = time.perf_counter()
        report = from_files(scores(folder), index(folder))
        print(f"read: {time.perf_counter() - start:.1f} s, {len(report.cells.all)} figures")
        whole = cpu = 0.0
        for kind in ("national", "book"):
            for form in FORMATS:
                start, work = time.perf_counter(), time.process_time()
                papers = {spoken: KINDS[kind].make(report, spoken, Choice()) for spoken in ("vi", "en")}
                wanted = Wanted((form,), ("vi",), Office("Sở Nội vụ"))
                (file,) = write(report, papers, folder / kind, wanted)
                took, busy = time.perf_counter() - start, time.process_time() - work
                whole, cpu = whole + took, cpu + busy
                size = file.stat().st_size / 1000
                print(f"{kind:9} {form:8} {took:6.1f} s, {busy:5.1f} s of the processor  {size:9,.0f} kB")
        print(f"all forms: {whole:.1f} s, {whole / BOUND:.2f} of the bound of {BOUND:.0f} s; "
              f"{cpu:.1f} s of the processor, {cpu / BOUND:.2f}")  # fmt: skip
        papers = {spoken: KINDS["commune"].make(report, spoken, Choice("00000")) for spoken in ("vi", "en")}
        (file,) = write(report, papers, folder / "commune", Wanted())
        size = file.stat().st_size
        print(f"a commune's page: {size / 1000:.0f} kB, {size / PAGE:.2f} of the bound of {PAGE / 1000:.0f} kB")


if __name__ == "__main__":
    main()
