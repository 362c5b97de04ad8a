"""How long the form engine takes: opening an interview and taking one answer, on two large generated forms.

    python benchmarks/engine.py [--interviews 20]

The forms are those on which JavaRosa (the engine inside ODK Collect) was timed: 500 questions in 20 gated sections,
and 1,000 calculations in chains of about 100. Printed: milliseconds, median and 99th percentile, and the ratio to
JavaRosa's warm median (0.015 ms and 1.9 ms an answer, measured on 2 cores of an AMD EPYC server).

Reading, compiling and opening are timed in a process of their own each time, as at a start, on the clock and in
processor time (which other programs of the machine hardly lengthen). With ``SURVEY_WALKS`` set, the two workbooks
``big_*.xlsx`` of that folder, made by its own generator, are measured in place of the forms built here.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path as File

from survey.questionnaire.model import Choice, Node, Questionnaire
from survey.questionnaire.path import Context, Path, open_path

CONTEXT = Context(now=datetime(2026, 11, 22, 9, 30, tzinfo=UTC), interview="3f6c2a52-0f0e-4c66-9d53-2f1f6f0d8a11")


def _question(name: str, type: str, control: str, at: str = "", **more: object) -> Node:
    path = f"{at}/{name}" if at else name
    label = {"vi": f"Câu {name}"}
    return Node("question", name, path, type=type, control=control, label=label, **more)  # type: ignore[arg-type]


def questions(sections: int = 20, each: int = 25) -> Questionnaire:
    """500 questions: each section behind a gate, every fifth question integer, choice, choices, text or decimal."""
    nodes: list[Node] = []
    for s in range(sections):
        section = f"sec{s}"
        nodes.append(_question(f"gate{s}", "select_one", "select1", required="true()", itemset=_list("yn")))
        inside: list[Node] = []
        rated = []
        for i in range(1, each):
            here, before = f"/data/{section}/q{s}_", f"/data/{section}/q{s}_{i - 1}"
            kind = i % 5
            if kind == 1:
                node = _question(
                    f"q{s}_{i}",
                    "integer",
                    "input",
                    section,
                    data_type="int",
                    required="true()",
                    constraint=". >= 0 and . <= 120",
                )
            elif kind == 2:
                node = _question(f"q{s}_{i}", "select_one", "select1", section, required="true()", itemset=_list("sat"))
                rated.append(f"{here}{i}")
            elif kind == 3:
                node = _question(
                    f"q{s}_{i}",
                    "select_multiple",
                    "select",
                    section,
                    itemset=_list("many"),
                    constraint="count-selected(.) <= 4",
                    relevant=f"{before} <= 3",
                )
            elif kind == 4:
                node = _question(
                    f"q{s}_{i}",
                    "text",
                    "input",
                    section,
                    relevant=f"selected({before}, '3') or {here}{i - 3} > 60",
                    constraint="string-length(.) < 200",
                )
            else:
                node = _question(
                    f"q{s}_{i}",
                    "decimal",
                    "input",
                    section,
                    data_type="decimal",
                    constraint=f". <= 10 * ({here}{i - 4} + 1)",
                )
            inside.append(node)
        total = " + ".join(f"coalesce({path}, 0)" for path in rated)
        inside.append(_question(f"sum{s}", "calculate", "", section, calculation=total))
        nodes.append(
            Node("group", section, section, type="group", relevant=f"/data/gate{s} = '1'", children=tuple(inside))
        )
    return _form("big_500_questions", nodes)


def calculations(inputs: int = 100, count: int = 1000) -> Questionnaire:
    """100 integer questions and 1,000 calculations, each upon the one ten before it, and a total over 100 of them."""
    bounds = ". >= 0 and . <= 1000"
    nodes = [_question(f"a{i}", "integer", "input", data_type="int", constraint=bounds) for i in range(inputs)]
    for k in range(count - 2):
        back = f"/data/c{k - 10}" if k >= 10 else "0"
        text = f"round((coalesce(/data/a{k % inputs}, 0) * {k % 7 + 1} + {back}) div 3, 4)"
        nodes.append(_question(f"c{k}", "calculate", "", calculation=text))
    total = " + ".join(f"/data/c{k}" for k in range(0, count - 2, 10))
    nodes.append(_question("total", "calculate", "", calculation=total))
    level = "if(/data/total > 10000, 'high', if(/data/total > 1000, 'middle', 'low'))"
    nodes.append(_question("level", "calculate", "", calculation=level))
    nodes.append(_question("why_high", "text", "input", relevant="/data/level = 'high'"))
    return _form("big_1000_calculations", nodes)


def _list(name: str) -> str:
    return f"instance('{name}')/root/item"


def _form(id: str, nodes: list[Node]) -> Questionnaire:
    lists = {
        name: tuple(Choice(str(i), {"vi": f"Lựa chọn {i}"}) for i in range(1, size + 1))
        for name, size in (("yn", 2), ("sat", 5), ("many", 12))
    }
    return Questionnaire(
        id, "1", languages={"vi": "Tiếng Việt (vi)"}, default_language="vi", nodes=tuple(nodes), lists=lists
    )


def _answer(path: Path, name: str, turn: int) -> str | list[str]:
    node = path.entry(name).node
    if node.type == "select_one":
        return "1" if name.startswith("gate") else str(turn % 5 + 1)
    if node.type == "select_multiple":
        return ["1", "3"]
    return {"integer": str(turn * 7 % 100), "decimal": "2.5"}.get(node.type, "Nguyễn Văn An")


@dataclass
class Times:
    """Durations in milliseconds."""

    seconds: list[float]

    def __str__(self) -> str:
        ordered = sorted(self.seconds)
        p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
        return f"median {self.median:8.3f} ms   p99 {p99 * 1000:8.3f} ms   max {ordered[-1] * 1000:8.3f} ms"

    @property
    def median(self) -> float:
        return statistics.median(self.seconds) * 1000


def timed(work: Callable[[], Path]) -> tuple[float, Path]:
    """Seconds that ``work`` takes, and its result."""
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


LOAD = """
import json, sys, time
from pathlib import Path
from engine import CONTEXT
from survey.questionnaire.form import compiled
from survey.questionnaire.model import Questionnaire
from survey.questionnaire.path import open_path
document = Path(sys.argv[1]).read_bytes()
clocks = lambda: (time.perf_counter(), time.process_time())
times = [clocks()]
questionnaire = Questionnaire.from_json(document)
times.append(clocks())
compiled(questionnaire)
times.append(clocks())
open_path(questionnaire, {}, CONTEXT)
times.append(clocks())
print(json.dumps(times))
"""


def load_times(document: bytes, starts: int) -> str:
    """Median milliseconds of reading, compiling and opening a form in ``starts`` fresh processes."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        file = File(folder) / "form.json"
        file.write_bytes(document)
        for _ in range(starts):
            command = [sys.executable, "-c", LOAD, str(file)]
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(File(__file__).parent), *sys.path])}
            found.append(json.loads(subprocess.run(command, check=True, capture_output=True, env=environment).stdout))

    def median(clock: int, first: int, last: int) -> float:
        return statistics.median(one[last][clock] - one[first][clock] for one in found) * 1000

    parts = " + ".join(f"{median(1, step, step + 1):.1f}" for step in range(3))
    return f"{median(1, 0, 3):8.1f} ms of processor ({parts}), {median(0, 0, 3):.1f} ms on the clock"


def form_of(name: str, make: Callable[[], Questionnaire]) -> Questionnaire:
    """The form of the shared generator where it is at hand, else the same form as it is built here."""
    folder = os.environ.get("SURVEY_WALKS")
    workbook = File(folder) / "forms" / f"{name}.xlsx" if folder else None
    if workbook is None or not workbook.is_file():
        return make()
    from survey.questionnaire import xlsform

    return xlsform.load(workbook)


def measure(name: str, form: Questionnaire, interviews: int, javarosa: float) -> None:
    """Prints the times of one form."""
    document = form.to_json()
    loading = load_times(document, 5)
    questionnaire = Questionnaire.from_json(document)
    opening, resuming, answering = [], [], []
    for turn in range(interviews):
        seconds, path = timed(lambda: open_path(questionnaire, {}, CONTEXT))
        opening.append(seconds)
        for question in [n.path for n in questionnaire.walk() if n.control]:
            if path.entry(question).relevant:
                value = _answer(path, question, turn + len(answering))
                seconds, path = timed(lambda path=path, question=question, value=value: path.set(question, value).path)  # type: ignore[misc]
                answering.append(seconds)
        stored = path.answers
        seconds, _ = timed(lambda stored=stored: open_path(questionnaire, stored, CONTEXT))  # type: ignore[misc]
        resuming.append(seconds)
    print(f"{name}: {len(document):,} bytes of JSON, {len(answering)} answers in {interviews} interviews")
    print(f"  read JSON, compile, open   {loading}, once a start")
    print(f"  open a new interview       {Times(opening)}")
    print(f"  open one that was begun    {Times(resuming)}")
    print(f"  one answer, set()          {Times(answering)}")
    print(f"  ratio to JavaRosa, warm    {Times(answering).median / javarosa:8.1f} ×")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--interviews", type=int, default=5)
    options = parser.parse_args()
    print(f"{platform.node()}, {platform.machine()}, Python {platform.python_version()}")
    measure("500 questions", form_of("big_500_questions", questions), options.interviews, 0.015)
    measure("1,000 calculations", form_of("big_1000_calculations", calculations), options.interviews, 1.9)
