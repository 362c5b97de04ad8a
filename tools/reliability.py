"""Tries every fault of the field at length, counts how often, and writes the table of ``docs/reliability.md``.

    python -m tools.reliability                  what was not tried at this commit yet, at length; then both pages
    python -m tools.reliability flipped          those whose test has the word in its name, once more
    python -m tools.reliability --minutes 10     a long form that takes longer is stopped; the parts that it did count,
                                                 or else the suite's form
    python -m tools.reliability --short          each only as often as the suite does
    python -m tools.reliability --processes 2    so many beside each other
    python -m tools.reliability --write          the pages alone, from what was counted before

What was counted stands in ``docs/soak/faults.json`` after each fault, with its commit, so that a run that was cut goes
on where it was. A fault whose test failed is never written down as tried.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tools.faults import TABLE

ROOT = Path(__file__).resolve().parent.parent
COUNTED = ROOT / "docs" / "soak" / "faults.json"
PAGES = {"en": ROOT / "docs" / "reliability.md", "vi": ROOT / "docs" / "reliability.vi.md"}
HEADS = {"en": ("Fault", "Test", "Tried", "Answers lost"), "vi": ("Sự cố", "Phép thử", "Số lần thử", "Câu trả lời mất")}
CODE = ("survey", "analysis", "questionnaires", "tests", "setup.cfg")
"""What a commit must hold unchanged for a count to be that commit's."""

Counted = dict[str, dict[str, Any]]
"""By test: how often ``tried``, in how many ``seconds``, whether it ``passed``, on which ``date``, at which ``commit``,
in the ``long`` form or the suite's."""


class Counting:
    """A plugin of pytest: how often each test tried its fault, and whether it passed."""

    def __init__(self) -> None:
        self.found: Counted = {}

    def pytest_runtest_setup(self, item: Any) -> None:
        """Begins to count; an example of Hypothesis is a trial."""
        from tests import tried

        tried.times = 0
        inner = getattr(getattr(item.obj, "hypothesis", None), "inner_test", None)
        if inner is not None:
            item.obj.hypothesis.inner_test = _counted(inner, tried.tried)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Notes how a test ended."""
        from tests import tried

        if report.when != "call" and report.passed:
            return
        name = report.nodeid.partition("[")[0]
        one = self.found.setdefault(name, {"tried": 0, "seconds": 0.0, "passed": True, "date": ""})
        one["tried"] += tried.times or 1
        one["seconds"] = round(one["seconds"] + report.duration, 1)
        one["passed"] = one["passed"] and report.passed
        one["date"] = f"{datetime.now(UTC):%Y-%m-%d}"
        if told := report.capstdout.strip():
            one["told"] = [*one.get("told", []), *told.splitlines()[-40:]]


def _counted(inner: Callable[..., Any], count: Callable[[], None]) -> Callable[..., Any]:
    def example(*arguments: Any, **named: Any) -> Any:
        count()
        return inner(*arguments, **named)

    return example


# -- trying ---------------------------------------------------------------------------------------------------------


def left(counted: Counted, commit: str, words: Sequence[str] = ()) -> list[str]:
    """The tests that are still to be tried at ``commit``, those that took longest before first; with ``words`` all
    whose names have one of them."""

    def is_due(test: str) -> bool:
        one = counted.get(test, {})
        return any(word in test for word in words) or (
            not words and not (one.get("passed") and one.get("commit") == commit)
        )

    due = [fault.test for fault in TABLE if is_due(fault.test)]
    return sorted(due, key=lambda test: -float(counted.get(test, {}).get("seconds", 0)))


def try_one(test: str, *, long: bool, minutes: float) -> dict[str, Any] | None:
    """Runs one test in a process of its own; what was counted, with the end of what it said. What is not done after
    ``minutes`` is ended, with all that it began: then the parts (parameters) that were done count, and None says that
    there are none."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "counted.json")
        process, cut = started(test, out, long=long), False
        try:
            said, _ = process.communicate(timeout=minutes * 60)
        except subprocess.TimeoutExpired:
            cut, said = True, ended(process)
        found = json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}
    one: dict[str, Any] = found.get(test) or {"tried": 0, "seconds": 0.0, "passed": False, "date": ""}
    if cut and not one["tried"]:
        return None
    return {**one, "long": long and not cut, "said": said[-4_000:]}


def started(test: str, out: Path, *, long: bool) -> subprocess.Popen[str]:
    """Begins to run one test in a process of its own, which writes what it counted into ``out``."""
    code = f"import tools.reliability as r; r.count({test!r}, {str(out)!r})"
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "SURVEY_SOAK": "1" if long else "", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def ended(process: subprocess.Popen[str]) -> str:
    """Tells a process to end, so that it can write what it counted, or kills it; what it said."""
    for how, seconds in ((signal.SIGTERM, 30.0), (signal.SIGKILL, None)):
        os.killpg(process.pid, how)
        try:
            return process.communicate(timeout=seconds)[0]
        except subprocess.TimeoutExpired:
            continue
    return ""


def count(test: str, out: str) -> None:
    """Runs one test in this process and writes what was counted into the file ``out``."""
    import pytest

    # Whoever is told to end writes what was counted first. No interrupt: a shell that began us in the background had
    # those ignored until here, and one that came earlier would be lost.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    counting = Counting()
    pytest.main([test, "-rA", "-n", "0", "-p", "no:cacheprovider"], plugins=[counting])
    Path(out).write_text(json.dumps(counting.found), encoding="utf-8")


def try_all(
    tests: Sequence[str], *, long: bool, minutes: float, processes: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Tries them, ``processes`` beside each other; gives each as it is done."""

    def best(test: str) -> dict[str, Any]:
        one = try_one(test, long=True, minutes=minutes) if long else None
        return one or try_one(test, long=False, minutes=60.0) or {"tried": 0, "seconds": 0.0, "passed": False}

    with ThreadPoolExecutor(processes) as pool:
        under_way = {pool.submit(best, test): test for test in tests}
        for done in as_completed(under_way):
            yield under_way[done], done.result()


def commit() -> str:
    """The commit that is checked out, short; with a ``+`` where the code is not what was committed."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    return git("rev-parse", "--short", "HEAD") + ("+" if git("status", "--porcelain", "--", *CODE) else "")


# -- writing --------------------------------------------------------------------------------------------------------


def whence(counted: Counted, language: str) -> str:
    """Under the table: at which commits and when it was tried, and which rows are those of the suite."""
    rows = [counted[fault.test] for fault in TABLE]
    whole = sum(bool(one.get("long")) for one in rows)
    at = ", ".join(f"`{name}`" for name in dict.fromkeys(str(one.get("commit") or "?") for one in rows))
    when = _days({str(one["date"]) for one in rows if one.get("date")})
    if language == "vi":
        told = f"{whole} trong {len(rows)} dòng thử đủ ở dạng dài; dòng có * thử ít hơn thế"
        return f"Thử ở bản {at}, {when}: {told}."
    told = f"{whole} of {len(rows)} rows in their long form to the end; rows with * less often"
    return f"Tried at commit {at}, {when}: {told}."


def _days(days: Iterable[str]) -> str:
    found = sorted(days)
    return found[0] if len(found) == 1 else f"{found[0]} – {found[-1]}" if found else "?"


def page(text: str, counted: Counted, language: str) -> str:
    """``text`` with its table of faults made anew. ValueError when a fault was not tried, or its test failed."""
    rows = ["| " + " | ".join(HEADS[language]) + " |", "|---|---|---|---|"]
    for fault in TABLE:
        one = counted.get(fault.test)
        if one is None or not one["passed"]:
            raise ValueError(f"{fault.test} was {'not tried' if one is None else 'tried and failed'}")
        number = f"{one['tried']:,}" if language == "en" else f"{one['tried']:,}".replace(",", ".")
        name = fault.vi if language == "vi" else fault.en
        rows.append(f"| {name} | `{fault.test}` | {number}{'' if one.get('long') else ' *'} | 0 |")
    rows += ["", whence(counted, language)]
    before, _, rest = text.partition("<!-- faults -->\n")
    _, end, after = rest.partition("<!-- end of faults -->")
    if not end:
        raise ValueError("the page has no place for the table")
    return before + "<!-- faults -->\n" + "\n".join(rows) + "\n" + end + after


def main(arguments: Sequence[str]) -> int:
    """See above."""
    read = argparse.ArgumentParser(description="Tries every fault of the field and writes docs/reliability.md.")
    read.add_argument("words", nargs="*")
    read.add_argument("--minutes", type=float, default=60.0)
    read.add_argument("--processes", type=int, default=1)
    read.add_argument("--short", action="store_true")
    read.add_argument("--write", action="store_true")
    asked = read.parse_args(arguments)
    counted: Counted = json.loads(COUNTED.read_text(encoding="utf-8")) if COUNTED.exists() else {}
    if not asked.write:
        at = commit()
        due = left(counted, at, asked.words)
        for test, one in try_all(due, long=not asked.short, minutes=asked.minutes, processes=asked.processes):
            if not one["passed"]:
                print(one.get("said", ""))
            counted[test] = {name: value for name, value in one.items() if name != "said"} | {"commit": at}
            _keep(counted)
            form = "long " if one.get("long") else "suite"
            how = f"{one['tried']:>7,} tried  {one['seconds']:>7,.1f} s  {'passed' if one['passed'] else 'FAILED'}"
            print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} {at} {form} {how}  {test}", flush=True)
    try:
        pages = {file: page(file.read_text(encoding="utf-8"), counted, language) for language, file in PAGES.items()}
    except ValueError as error:
        print(f"the pages stay as they are: {error}")
        return 1
    for file, text in pages.items():
        file.write_text(text, encoding="utf-8")
    return 0


def _keep(counted: Mapping[str, Any]) -> None:
    """Writes what was counted, of the faults that are in the table; a power cut leaves the file as it was or is."""
    known = {fault.test for fault in TABLE}
    part = COUNTED.with_suffix(".part")
    kept = {test: one for test, one in counted.items() if test in known}
    part.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    os.replace(part, COUNTED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
