"""How fast bundles are merged, first and again, and in how much memory:
``python benchmarks/merge.py [devices] [interviews per device]``.

Every revision has 250 answers and a contact part, as a SIPAS interview has. It is merged into an encrypted store and
into a plain one, each in a process of its own, bundle by bundle: the rate of the first and of the last tenth says
whether the cost grows with what is held. Beside each time stands the processor's own, which a machine that does other
things at once does not stretch so much. Nothing here is asserted: times belong to the machine they are printed with.
Beside them stands the lower bound, ``INSERT … SELECT`` by ``ATTACH`` between two plain files.
"""

from __future__ import annotations

import json
import platform
import random
import sqlite3
import subprocess
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


def merge(folder: Path, hub: str, passphrase: str) -> dict[str, float]:
    """Merges the stick bundle by bundle into a new hub, then all of it again. Run in a process of its own, for the
    memory: ``peak`` and ``early`` (after the first tenth) are in MB."""
    times, processor = [], 0.0
    bundles = sorted((folder / "stick" / "bundles").iterdir())
    with Store.create(folder / hub, "hub", passphrase=passphrase) as store:
        new, early = 0, 0.0
        for number, bundle in enumerate(bundles, start=1):
            start, used = time.perf_counter(), time.process_time()
            new += sync(store, [bundle]).new
            times.append(time.perf_counter() - start)
            processor += time.process_time() - used
            if number == max(1, len(bundles) // 10):
                early = peak_memory()
        start = time.perf_counter()
        known = sync(store, [folder / "stick"]).known
        again = time.perf_counter() - start
    tenth = max(1, len(times) // 10)
    return {
        "new": new,
        "known": known,
        "first": sum(times),
        "processor": processor,
        "again": again,
        "start": sum(times[:tenth]) / tenth,
        "end": sum(times[-tenth:]) / tenth,
        "early": early,
        "peak": peak_memory(),
    }


def peak_memory() -> float:
    """The most memory that this process has had, in MB; 0 on Windows, which does not say."""
    try:
        import resource
    except ImportError:
        return 0.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000


def lower_bound(source: Path, target: Path) -> tuple[float, float]:
    """Seconds, and those of the processor, that SQLite alone needs to copy the same rows, indexes included, into an
    empty database."""
    with Store.create(target.parent / "empty") as store:
        store.close()
    db = sqlite3.connect(target.parent / "empty" / FILE, isolation_level=None)
    db.execute("ATTACH ? AS source", (str(source),))
    start, used = time.perf_counter(), time.process_time()
    db.execute("BEGIN")
    for table in ("feeds", "revisions", "parts", "interviews"):
        db.execute(f"INSERT OR IGNORE INTO main.{table} SELECT * FROM source.{table} WHERE true")
    db.execute("COMMIT")
    seconds, processor = time.perf_counter() - start, time.process_time() - used
    db.close()
    return seconds, processor


def main() -> None:
    """Prints the figures."""
    if sys.argv[1:2] == ["--merge"]:
        print(json.dumps(merge(Path(sys.argv[2]), sys.argv[3], sys.argv[4])))
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    interviews = int(sys.argv[2]) if len(sys.argv) > 2 else 2_000
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        devices(folder, count, interviews)
        size = sum(file.stat().st_size for file in (folder / "stick" / "bundles").iterdir())
        print(f"{platform.node()}: {platform.processor() or platform.machine()}, Python {platform.python_version()}")
        print(f"{count} bundles, {count * interviews} interviews of {QUESTIONS} answers, {size / 1e6:.1f} MB packed")
        found = {}
        for name, passphrase in (("encrypted", "mật khẩu của máy đo thử"), ("plain", "")):
            command = [sys.executable, __file__, "--merge", str(folder), name, passphrase]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found[name] = json.loads(done.stdout)
        new = found["plain"]["new"]
        bound, bound_processor = lower_bound(folder / "plain" / FILE, folder / "copy")
    for name, told in found.items():
        print(f"{name} store")
        print(f"  first merge  {told['first']:8.2f} s  {new / told['first']:10,.0f} revisions/s")
        print(f"    processor  {told['processor']:8.2f} s  {new / told['processor']:10,.0f} revisions/s")
        print(f"    a bundle of the first tenth {told['start']:.3f} s, of the last {told['end']:.3f} s")
        print(f"  second merge {told['again']:8.3f} s  ({100 * told['again'] / count:.2f} s for 100 devices)")
        print(f"  memory       {told['peak']:8.0f} MB at most, {told['early']:.0f} MB after the first tenth")
        print(
            f"  {told['first'] / bound:.1f} times the lower bound,"
            f" {told['processor'] / bound_processor:.1f} times by the processor"
        )
    print(f"INSERT … SELECT {bound:5.2f} s  {new / bound:10,.0f} revisions/s (the lower bound, nothing checked)")
    print(f"    processor   {bound_processor:5.2f} s  {new / bound_processor:10,.0f} revisions/s")


if __name__ == "__main__":
    main()
