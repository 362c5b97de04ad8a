"""What the log of access of a hub costs to look at: its newest page and one in the middle, beside all of it.

    python benchmarks/access_log.py [--entries 50000] [--laptops 10]

Half of the entries are the hub's own, half were handed over by laptops. Prints seconds of the processor, the best of
three, and how many times a page goes into the whole.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from survey.store import Store, access_log, audit, drafts
from survey.sync import exchange

FORM = "sha256:" + "ab" * 32
START = datetime(2026, 3, 1, tzinfo=UTC)
AT_ONCE = 50


def note(store: Store, many: int) -> None:
    """Notes so many views of contact data, some minutes after each other."""
    for first in range(0, many, AT_ONCE):
        units = [f"u{number}" for number in range(first, first + AT_ONCE)]
        audit.note_all(store, "contact", units, actor=f"p{first % 40}", now=START + timedelta(minutes=first))


def best(what: Callable[[], object]) -> float:
    """Seconds of the processor, the best of three."""
    took = []
    for _ in range(3):
        begun = time.process_time()
        what()
        took.append(time.process_time() - begun)
    return min(took)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="The log of access, by page and whole.")
    parser.add_argument("--entries", type=int, default=50_000)
    parser.add_argument("--laptops", type=int, default=10)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=".") as folder, Store.create(Path(folder, "hub"), "hub") as hub:
        note(hub, asked.entries // 2)
        for number in range(asked.laptops):
            with Store.create(Path(folder, f"laptop{number}")) as laptop:
                note(laptop, asked.entries // 2 // asked.laptops)
                made = drafts.start(laptop, "u1", FORM, "p1")
                drafts.seal(laptop, made, {"q1": "1"}, {}, {}, {}, "p1")
                exchange.export(laptop, Path(folder, "stick"))
        exchange.sync(hub, [Path(folder, "stick")])
        whole = best(lambda: access_log.entries(hub))
        count = access_log.count(hub)
        ways: dict[str, Callable[[], object]] = {
            "count": lambda: access_log.count(hub),
            "newest page": lambda: access_log.entries(hub, most=100),
            "middle page": lambda: access_log.entries(hub, most=100, skip=count // 2),
            "page of one person": lambda: access_log.entries(hub, most=100, actor="p10"),
        }
        print(f"{count:,} entries, all of them: {whole:.3f} s")
        for name, way in ways.items():
            took = best(way)
            print(f"{name:20} {took:.3f} s   {whole / took:5.1f} times")


if __name__ == "__main__":
    main()
