"""What encryption at rest costs: a commit with ``synchronous=FULL`` in a plain and in an encrypted store, side by side.

    python benchmarks/at_rest.py [--commits 400]

Prints medians and their ratio. The two take turns, so that a busy disk slows both.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from survey.store import Store, drafts, vault

FORM = "sha256:" + "ab" * 32


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="A commit, plain and encrypted.")
    parser.add_argument("--commits", type=int, default=400)
    commits = parser.parse_args().commits
    with tempfile.TemporaryDirectory(dir=".") as folder:
        root = Path(folder)
        begun = time.perf_counter()
        vault.create(root / "encrypted", "four unrelated words")
        unlocking = time.perf_counter() - begun
        stores = {
            "plain": Store.create(root / "plain"),
            "encrypted": Store.create(root / "encrypted", passphrase="four unrelated words"),
        }
        begun_at = {name: drafts.start(store, "u1", FORM, "p1") for name, store in stores.items()}
        took: dict[str, list[float]] = {name: [] for name in stores}
        for number in range(commits):
            for name, store in stores.items():
                begun = time.perf_counter()
                drafts.save(store, begun_at[name], {f"q{number % 250}": str(number)})
                took[name].append(time.perf_counter() - begun)
        for store in stores.values():
            store.close()
    middle = {name: statistics.median(times) for name, times in took.items()}
    for name, value in middle.items():
        print(f"{name:10} median {value * 1000:.2f} ms, 95 % {sorted(took[name])[int(commits * 0.95)] * 1000:.2f} ms")
    print(f"encrypted / plain: {middle['encrypted'] / middle['plain']:.2f}")
    print(f"unlocking once per start (Argon2id): {unlocking:.2f} s")


if __name__ == "__main__":
    main()
