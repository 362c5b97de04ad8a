"""How fast bundles are merged, first and again: ``python benchmarks/merge.py [devices] [interviews per device]``.

Every revision has 250 answers and a contact part, as a SIPAS interview has. Nothing here is asserted: times belong to
the machine they are printed with. Beside them stands the lower bound, plain ``INSERT … SELECT`` between two files.
"""

from __future__ import annotations

import platform
import random
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from survey.store import Store
from survey.store.feed import append
from survey.store.store import FILE
from survey.sync.exchange import export, sync

QUESTIONS = 250
_PATHS = [f"group_{question // 25}/question_{question}" for question in range(QUESTIONS)]


def answers(chance: random.Random) -> dict[str, str]:
    """One person's answers on the five-point scale."""
    return dict(zip(_PATHS, chance.choices("12345", weights=(3, 8, 20, 48, 21), k=QUESTIONS), strict=True))


def devices(folder: Path, count: int, interviews: int) -> None:
    """Writes one bundle for each of ``count`` laptops with ``interviews`` sealed interviews into ``folder``."""
    chance = random.Random(2026)
    for device in range(count):
        with Store.create(folder / f"laptop{device}") as store:
            with store.transaction():
                for number in range(interviews):
                    append(
                        store,
                        subject_type="interview",
                        subject=f"{device:04d}-{number:06d}",
                        kind="sealed",
                        target=f"u{device}-{number}",
                        parts={
                            "answers": answers(chance),
                            "contact": {"name": f"Người {number}", "phone": "0900000000"},
                        },
                    )
            export(store, folder / "stick")


def timed(store: Store, stick: Path) -> tuple[int, int, float]:
    """(new, known, seconds) of one merge of the whole stick."""
    start = time.perf_counter()
    report = sync(store, [stick])
    return report.new, report.known, time.perf_counter() - start


def lower_bound(source: Path, target: Path) -> float:
    """Seconds that SQLite alone needs to copy the same rows, indexes included, into an empty database."""
    with Store.create(target.parent / "empty") as store:
        store.close()
    db = sqlite3.connect(target.parent / "empty" / FILE, isolation_level=None)
    db.execute("ATTACH ? AS source", (str(source),))
    start = time.perf_counter()
    db.execute("BEGIN")
    for table in ("feeds", "revisions", "parts", "interviews"):
        db.execute(f"INSERT OR IGNORE INTO main.{table} SELECT * FROM source.{table} WHERE true")
    db.execute("COMMIT")
    seconds = time.perf_counter() - start
    db.close()
    return seconds


def main() -> None:
    """Prints the figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    interviews = int(sys.argv[2]) if len(sys.argv) > 2 else 2_000
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        devices(folder, count, interviews)
        size = sum(file.stat().st_size for file in (folder / "stick" / "bundles").iterdir())
        with Store.create(folder / "hub", "hub") as hub:
            new, _, first = timed(hub, folder / "stick")
            _, known, again = timed(hub, folder / "stick")
        bound = lower_bound(folder / "hub" / FILE, folder / "copy")
    print(f"{platform.node()}: {platform.processor() or platform.machine()}, Python {platform.python_version()}")
    print(f"{count} bundles, {new} revisions of {QUESTIONS} answers, {size / 1e6:.1f} MB packed")
    print(f"first merge  {first:8.2f} s  {new / first:10,.0f} revisions/s")
    print(f"second merge {again:8.3f} s  {known / again:10,.0f} revisions/s, {first / again:,.0f} times faster")
    print(f"INSERT … SELECT {bound:5.2f} s  {new / bound:10,.0f} revisions/s (the lower bound, nothing checked)")


if __name__ == "__main__":
    main()
