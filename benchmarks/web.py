"""How long the app takes over real HTTP: start to first page, and one answer saved (fsync included) with the page part.

    python benchmarks/web.py [--rounds 2]

``survey run`` is started as a process on an instance with each of the generated forms (``engine.py``: 500 questions in
20 gated sections, and 1,000 calculations); every question is answered through its page in order, on one kept-alive
connection, as the browser does. Printed with the machine's name, asserted nowhere: milliseconds from sending an answer
to having the reply, with median and 99th percentile; seconds from starting the process to its first page; its resident
memory; whether NumPy was imported. Beside it, so that the disk's share is seen: the time of one 4 KiB write with fsync
on the same disk.
"""

from __future__ import annotations

import argparse
import http.client
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from engine import calculations, questions

from survey.questionnaire.model import Node, Questionnaire
from survey.questionnaire.path import Context, open_path
from survey.store import Store, frame

PIN = "246813"
COMMAND = [sys.executable, "-c", "from survey.cli import main; main()"]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def set_up(instance: Path, form: Questionnaire) -> None:
    """A laptop with one person, the form, and one sample unit."""
    with Store.create(instance) as store:
        person = {"id": "p1", "name": "Lò Thị Hoa", "roles": ["enumerator"], "pin": frame.hash_pin(PIN)}
        frame.issue(store, "user", "p1", person)
        frame.issue(store, "questionnaire", form.hash, form.to_json())
        frame.issue(store, "round", "r1", {"id": "r1", "title": {"vi": "Đo"}, "questionnaire_hash": form.hash})
        frame.issue(store, "unit", "u1", {"id": "u1", "round": "r1", "list": "main", "order": "1", "assignee": "p1"})


@contextmanager
def served(instance: Path) -> Iterator[tuple[int, int, float]]:
    """``survey run``: its port, its process id, and the seconds from its start to its first page."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        [*COMMAND, "--instance", str(instance), "--lang", "en", "run", "--port", "0", "--no-browser"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline().split()[2].rstrip("/").rpartition(":")[2])
        laptop = Laptop(port)
        laptop.get("/sign-in")
        yield port, process.pid, time.perf_counter() - begun
    finally:
        process.terminate()
        process.wait()


class Laptop:
    """A browser reduced to what takes time: one connection, one cookie, one token."""

    def __init__(self, port: int):
        self.connection = http.client.HTTPConnection("127.0.0.1", port)
        self.cookie = ""
        self.token = ""

    def send(self, method: str, path: str, body: str = "", **headers: str) -> tuple[http.client.HTTPResponse, str]:
        """One request on the kept-alive connection."""
        sent = {"Cookie": self.cookie, **(FORM if body else {}), **headers}
        self.connection.request(method, path, body.encode() or None, sent)
        reply = self.connection.getresponse()
        text = reply.read().decode()
        if cookie := reply.getheader("Set-Cookie"):
            self.cookie = cookie.partition(";")[0]
        if found := re.search(r'name="csrf_token" value="([^"]+)"', text):
            self.token = found[1]
        return reply, text

    def get(self, path: str) -> str:
        """A page, redirects followed."""
        reply, text = self.send("GET", path)
        while location := reply.getheader("Location"):
            path = location
            reply, text = self.send("GET", location)
        self.place = path
        return text

    def post(self, path: str, **fields: str) -> str:
        """A form, its redirects followed."""
        reply, text = self.send("POST", path, urlencode({"csrf_token": self.token, **fields}))
        location = reply.getheader("Location")
        return self.get(location) if location else text


def value(node: Node, turn: int) -> str | list[str]:
    """An answer that the form takes."""
    if node.type == "select_one":
        return "1" if node.name.startswith("gate") else str(turn % 5 + 1)
    if node.type == "select_multiple":
        return ["1", str(turn % 3 + 2)]
    return {"integer": str(turn * 7 % 100), "decimal": "2,5"}.get(node.type, f"Nguyễn Văn An {turn}")


def interview(laptop: Laptop, form: Questionnaire, rounds: int) -> dict[str, list[float]]:
    """Answers everything ``rounds`` times; milliseconds of each answer by type of question."""
    laptop.get("/sign-in/p1")
    laptop.post("/sign-in/p1", pin=PIN)
    laptop.post("/units/u1/start")
    name = laptop.place.split("/")[2]
    times: dict[str, list[float]] = {}
    way = open_path(form, {}, Context())
    pages = [section.path for section in way.sections]
    for turn in range(rounds):
        here = 0
        for top in form.nodes:
            if top.kind == "question" and not top.control:
                continue
            first = next(node for node in top.walk() if node.kind == "question")
            number = pages.index(way.entry(first.path).section.path) + 1
            if number != here:
                here, page = number, laptop.get(f"/interviews/{name}/{number}")
            found = re.search(r'id="lease" name="lease" value="([^"]+)"', page)
            assert found
            for node in top.walk():
                if node.kind != "question" or not node.control:
                    continue
                fields = {"question": node.path, "value": value(node, turn), "lease": found[1], "why": "leave"}
                body = urlencode(fields, doseq=True)
                begun = time.perf_counter()
                reply, _ = laptop.send(
                    "POST", f"/interviews/{name}/answer", body, **{"X-CSRFToken": laptop.token, "HX-Request": "true"}
                )
                took = (time.perf_counter() - begun) * 1000
                if reply.getheader("X-Answer") == "saved":
                    times.setdefault(node.type, []).append(took)
    return times


def fsync_time(folder: Path) -> float:
    """Median milliseconds of writing 4 KiB and having it on disk."""
    taken = []
    with (folder / "probe").open("wb") as file:
        for _ in range(100):
            begun = time.perf_counter()
            file.write(os.urandom(4096))
            file.flush()
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)


def line(name: str, taken: list[float]) -> str:
    """Median and 99th percentile of durations."""
    ordered = sorted(taken)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return f"{name:16} {len(ordered):5} answers   median {statistics.median(ordered):6.1f} ms   p99 {p99:6.1f} ms"


def main() -> None:
    """Runs the benchmark and prints its figures."""
    options = argparse.ArgumentParser(description="The app over HTTP: start, memory, one answer")
    options.add_argument("--rounds", type=int, default=2)
    rounds = options.parse_args().rounds
    print(f"{platform.node()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for name, form in (("500 questions", questions()), ("1,000 calculations", calculations())):
        print(f"-- {name}")
        measure(form, rounds)


def measure(form: Questionnaire, rounds: int) -> None:
    """Prints the figures of one form."""
    with tempfile.TemporaryDirectory() as folder:
        instance = Path(folder) / "instance"
        set_up(instance, form)
        print(f"write and fsync of 4 KiB: median {fsync_time(Path(folder)):.2f} ms")
        starts = []
        for _ in range(3):
            with served(instance) as (_, _, seconds):
                starts.append(seconds)
        with served(instance) as (port, process, seconds):
            starts.append(seconds)
            _print_process("after the first page", process)
            times = interview(Laptop(port), form, rounds)
            _print_process("after the interview", process)
        print(f"start to first page: median of {len(starts)} {statistics.median(starts):.2f} s")
        for kind, taken in times.items():
            print(line(kind, taken))
        print(line("all", [one for taken in times.values() for one in taken]))


def _print_process(when: str, process: int) -> None:
    """Resident memory and NumPy, from Linux' own account of the process."""
    status, maps = Path(f"/proc/{process}/status"), Path(f"/proc/{process}/maps")
    if not status.exists():
        print(f"{when}: memory is not known on this system")
        return
    found = re.search(r"VmRSS:\s+(\d+) kB", status.read_text())
    assert found
    numpy = "imported" if "numpy" in maps.read_text() else "not imported"
    print(f"{when}: {int(found[1]) / 1024:.0f} MB resident, NumPy {numpy}")


if __name__ == "__main__":
    main()
