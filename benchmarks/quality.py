"""How long quality findings take: all of a round, and what 100 new interviews cost.

    python benchmarks/quality.py [interviews] [--plain]

An encrypted store (``--plain``: an open one) with interviews of 250 answers in communes of 200 (``--commune``), three
enumerators in each, with the times of every key, a name and a telephone. Printed, as seconds by the clock and of the
processor: the first pass over all interviews, a pass with nothing new, passes after 100 new ones that come from one
place and after 100 from as many communes as there are, at most 100, and the memory. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import platform
import random
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from survey.questionnaire.model import Choice, Node, Questionnaire
from survey.store import Store, feed, frame, quality

BATTERIES, PER_BATTERY = 24, 10
MORNING = datetime.fromisoformat("2026-11-02T07:30:00+07:00")
ROUND = "r1"


def questionnaire() -> Questionnaire:
    """24 batteries of ten questions on a scale, and ten numbers."""
    groups = []
    for group in range(BATTERIES):
        questions = [
            Node(
                "question",
                f"q{group}_{number}",
                f"g{group}/q{group}_{number}",
                type="select_one",
                control="select1",
                list_name="scale",
                missing=("dont_know", "refused"),
            )
            for number in range(PER_BATTERY)
        ]
        groups.append(Node("group", f"g{group}", f"g{group}", children=tuple(questions)))
    numbers = [Node("question", f"n{n}", f"n{n}", type="integer", data_type="int", control="input") for n in range(10)]
    scale = tuple(Choice(str(code)) for code in range(1, 6))
    return Questionnaire("benchmark", "1", nodes=(*groups, *numbers), lists={"scale": scale})


def write(store: Store, form: Questionnaire, first: int, count: int, where: Callable[[int], int]) -> None:
    """Interviews ``first`` … with their units, as a hub holds them after a merge; ``where`` says which commune."""
    source = random.Random(first)
    scale = [node.path for node in form.walk() if node.type == "select_one"]
    numbers = [node.path for node in form.walk() if node.type == "integer"]
    with store.transaction():
        for number in range(first, first + count):
            commune = where(number)
            unit = f"u{number:06d}"
            body = {"id": unit, "round": ROUND, "list": "main", "order": str(number), "commune": f"{commune:05d}"}
            frame.issue(store, "unit", unit, body)
            leaning = source.gauss(3.6, 0.6)
            given: dict[str, str] = {
                path: str(min(5, max(1, round(leaning + source.gauss(0, 0.8))))) for path in scale
            } | {path: str(source.randint(18, 80)) for path in numbers}
            at, passed, events = MORNING + timedelta(minutes=number % 20 * 27, days=number // 20), 0, []
            for path in given:
                passed += source.randint(2_000, 12_000)
                when = (at + timedelta(milliseconds=passed)).isoformat(timespec="seconds")
                events.append({"path": path, "cleared": 0, "time": when, "ms": passed, "seconds": 4.0})
            person = {"name": f"Nguyễn Thị {source.randrange(10**6):06d}", "phone": f"09{source.randrange(10**8):08d}"}
            times = {"started": at.isoformat(timespec="seconds"), "events": events}
            feed.append(
                store,
                subject_type="interview",
                subject=f"i{number:06d}",
                kind="sealed",
                target=unit,
                questionnaire_hash=form.hash,
                actor=f"p{commune:05d}-{number % 3}",
                parts={"answers": given, "paradata": times, "contact": person},
            )


def timed(name: str, work: Callable[[], object], goal: float | None = None) -> None:
    """Does some work and prints how long it took, by the clock and of the processor, beside the goal."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    beside = "" if goal is None else f", goal {goal:.1f} s"
    print(f"{name:22} {clock:8.2f} s by the clock, {processor:8.2f} s of the processor{beside}", flush=True)


def main() -> None:
    """Prints the figures."""
    options = argparse.ArgumentParser(description="Quality findings: the first pass, and what is new afterwards")
    options.add_argument("interviews", type=int, nargs="?", default=20_000)
    options.add_argument("--commune", type=int, default=200, metavar="INTERVIEWS")
    options.add_argument("--plain", action="store_true")
    given = options.parse_args()
    communes = max(1, given.interviews // given.commune)
    form = questionnaire()
    print(f"{platform.node()}: {platform.processor() or platform.machine()}, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as folder:
        passphrase = "" if given.plain else "mật khẩu của máy đo thử"
        with Store.create(Path(folder) / "hub", "hub", passphrase=passphrase) as store:
            frame.issue(store, "questionnaire", form.hash, form.to_json())
            document = {"id": ROUND, "title": {"vi": "Đo"}, "questionnaire_hash": form.hash}
            frame.issue(store, "round", ROUND, document)
            for first in range(0, given.interviews, 5_000):
                count = min(5_000, given.interviews - first)
                write(store, form, first, count, lambda number: number // given.commune)
            print(
                f"{given.interviews} interviews of 250 answers, {communes} communes,"
                f" {'plain' if given.plain else 'encrypted'} store",
                flush=True,
            )

            def look() -> object:
                return quality.findings(store, ROUND, MORNING + timedelta(days=60_000))

            # The goals (issue 7) are those of 100,000 interviews: a minute for all, two seconds after 100 new ones.
            timed("all findings", look, 60 * given.interviews / 100_000)
            timed("nothing new", look, 2)
            first = given.interviews
            for name, where in (
                ("after 100 new", lambda number: number // given.commune),
                ("after 100 new", lambda number: number // given.commune),
                ("… in 100 communes", lambda number: number % min(100, communes)),
                ("… in 100 communes", lambda number: number % min(100, communes)),
            ):
                write(store, form, first, 100, where)
                first += 100
                timed(name, look, 2)
    print(f"memory                 {memory():7.0f} MB at most")


def memory() -> float:
    """The most memory that this process has had, in MB; 0 on Windows, which does not say."""
    try:
        import resource
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1_000_000 if sys.platform == "darwin" else 1_000)


if __name__ == "__main__":
    main()
