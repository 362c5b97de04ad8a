"""How fast the supervisor's pages are: ``python benchmarks/board.py [interviews] [--plain]``.

A hub's store gets as many interviews (100,000) of 250 answers with their paradata, in 34 provinces, 300 communes and
3,000 villages, by 500 enumerators, written at the level of SQL with true headers (a hundred different sets of answers,
shared). Printed are the first refresh of the board over all of it, that after 100 further interviews, the pages as a
browser asks for them, each the median of five: the board by each grouping, the lists with their first, a middle and a
search page, the queue, one interview; then the quality findings of all and after 100 further interviews. Beside each
stands the goal (issue 7) and the time of the processor: on a machine with other work the clock says nothing.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from engine import questions

from survey import create_app
from survey.questionnaire.model import Node
from survey.store import Store, board, frame, lists, quality
from survey.store.header import canonical, commitment, hash_text, make_part, write_header
from survey.store.packing import pack
from survey.store.where import Where

QUESTIONS = 250
ROUND = "r2026"
PIN = "246813"
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
START = datetime(2026, 10, 1, 8, tzinfo=UTC)


class Writer:
    """Writes revisions with their parts and derived rows, many in one transaction."""

    def __init__(self, store: Store):
        self.store = store
        self.feed = 1
        self.seq = int(store.value("SELECT max(seq) FROM revisions"))
        self.number = int(store.value("SELECT max(number) FROM revisions"))

    def write(self, subject_type: str, subject: str, kind: str, target: str, when: str, **parts: bytes) -> str:
        """One revision of this hub's feed; returns its id."""
        self.seq += 1
        self.number += 1
        made = {name: make_part(content) for name, content in parts.items()}
        header = write_header(
            subject_type=subject_type,
            subject=subject,
            kind=kind,
            parents=(),
            target=target,
            questionnaire_hash=self.form if subject_type == "interview" else "",
            actor=self.actor if subject_type != "unit" else "",
            device=self.store.device,
            epoch=self.store.epoch,
            seq=self.seq,
            prev="",
            time=when,
            parts={name: commitment(part) for name, part in made.items()},
            blobs=(),
        )
        id = hash_text(header)
        self.store.execute(
            "INSERT INTO revisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (self.number, bytes.fromhex(id[7:]), header, b"", self.feed, self.seq, subject_type, subject, kind),
        )
        self.store.executemany(
            "INSERT INTO parts (revision, name, salt, content) VALUES (?, ?, ?, ?)",
            [(self.number, name, part.salt, pack(name, part.content)) for name, part in made.items()],
        )
        return id

    form = ""
    actor = ""


def fill(store: Store, count: int, first: int = 0) -> None:
    """Writes ``count`` units and interviews, numbered from ``first``."""
    chance = random.Random(2026 + first)
    questionnaire = questions()
    if not first:
        frame.issue(store, "questionnaire", questionnaire.hash, questionnaire.to_json())
        title = {"vi": "SIPAS 2026", "en": "SIPAS 2026"}
        document = {"id": ROUND, "title": title, "questionnaire_hash": questionnaire.hash, "ends": "2026-12-15"}
        frame.issue(store, "round", ROUND, document)
        pin = frame.hash_pin(PIN)
        frame.issue(store, "user", "plan", {"id": "plan", "name": "Lan", "roles": ["supervisor"], "pin": pin})
        for person in range(500):
            name = f"Điều tra viên {person}"
            frame.issue(store, "user", f"p{person}", {"id": f"p{person}", "name": name, "roles": ["enumerator"]})
    paths = [node.path for top in questionnaire.nodes for node in top.walk() if _asks(node)][:QUESTIONS]
    events = [
        {"path": path, "cleared": 0, "time": "2026-10-01T08:00:00+07:00", "ms": 4000 * n, "seconds": 4.2}
        for n, path in enumerate(paths)
    ]
    pool = [_content(paths, events, chance) for _ in range(100)]
    writer = Writer(store)
    writer.form = questionnaire.hash
    for start in range(first, first + count, 2_000):
        with store.transaction():
            for n in range(start, min(start + 2_000, first + count)):
                _one(writer, store, n, pool[n % len(pool)], chance)


def _content(paths: list[str], events: list[dict[str, Any]], chance: random.Random) -> dict[str, bytes]:
    """One person's answers and paradata; one in twenty kept an unusual answer."""
    answers = dict(zip(paths, chance.choices("12345", weights=(3, 8, 20, 48, 21), k=len(paths)), strict=True))
    told: dict[str, Any] = {"started": "", "events": events}
    if chance.random() < 0.05:
        told["kept"] = {paths[0]: {"reason": "đã hỏi lại", "value": answers[paths[0]]}}
    return {"answers": canonical(answers), "paradata": canonical(told)}


def _asks(node: Node) -> bool:
    return node.kind == "question" and bool(node.control)


def _one(writer: Writer, store: Store, n: int, parts: dict[str, bytes], chance: random.Random) -> None:
    commune = n % 300
    village, person, unit = n % 3_000, f"p{n % 500}", f"u{n}"
    writer.actor = person
    document = {
        "id": unit,
        "round": ROUND,
        "list": "main",
        "order": n // 3_000 + 1,
        "province": f"{commune % 34:02}",
        "province_name": f"tỉnh {commune % 34}",
        "commune": f"{commune:05}",
        "commune_name": f"xã {commune}",
        "village": f"{village:06}",
        "village_name": f"bản {village}",
        "assignee": person,
    }
    contact = {"name": f"Nguyễn Văn {n}"}
    id = writer.write("unit", unit, "issued", "", "", document=canonical(document), contact=canonical(contact))
    store.execute(
        "INSERT INTO documents VALUES ('unit', ?, 'current', ?, ?, ?, '', ?)",
        (unit, id, json.dumps([id]), ROUND, person),
    )
    if n % 20 == 19:
        return  # a unit in twenty is still to be visited
    interview = f"{n:08x}-0000-4000-8000-{n:012x}"
    when = (START + timedelta(minutes=n % 60_000)).isoformat(timespec="seconds")
    id = writer.write("interview", interview, "sealed", unit, when, **parts)
    decided = chance.random()
    state = "approved" if decided < 0.7 else "returned" if decided < 0.73 else "sealed"
    heads = json.dumps([id])
    store.execute(
        "INSERT INTO interviews VALUES (?, ?, ?, ?, ?, ?, 'sealed', '[]', 0, ?, ?, ?, '[]')",
        (interview, unit, writer.form, state, id, heads, person, store.device, when),
    )


def timed(act: Callable[[], Any], times: int = 5) -> str:
    """The median of the milliseconds that ``act`` takes, after one time that does not count; and of the processor's."""
    act()
    taken, worked = [], []
    for _ in range(times):
        begun, busy = time.perf_counter(), time.process_time()
        act()
        taken.append((time.perf_counter() - begun) * 1_000)
        worked.append((time.process_time() - busy) * 1_000)
    return f"{statistics.median(taken):8.0f} ms  (processor {statistics.median(worked):5.0f} ms)"


def main() -> None:
    """Prints the figures."""
    options = argparse.ArgumentParser(description="The supervisor's pages at 100,000 interviews")
    options.add_argument("interviews", nargs="?", type=int, default=100_000)
    options.add_argument("--plain", action="store_true", help="a store that is not encrypted")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        instance = Path(folder) / "hub"
        passphrase = "" if chosen.plain else secrets.token_hex(12)
        with Store.create(instance, "hub", name="hub", passphrase=passphrase) as store:
            begun = time.perf_counter()
            fill(store, chosen.interviews)
            size = (store.file.stat().st_size + Path(f"{store.file}-wal").stat().st_size) / 1e9
            kind = "plain" if chosen.plain else "encrypted"
            print(f"{platform.node()}, Python {platform.python_version()}, {kind} store of {size:.1f} GB")
            print(f"{chosen.interviews:,} units and interviews written in {time.perf_counter() - begun:.0f} s")
            whole = chosen.interviews / 100_000
            once("first refresh of the board (before: 202 s)", 100 * whole, lambda: board.refresh(store))
            fill(store, 100, chosen.interviews)
            once("refresh after 100 further interviews", 2, lambda: board.refresh(store))
            middle = lists.interviews(store, Where(state="approved"), limit=chosen.interviews // 3).rows[-1][
                "interview"
            ]
            queued = lists.interviews(store, Where(state="sealed"), order="risk", limit=1).rows[0]["interview"]
        measure(instance, middle, queued)
        with Store.open(instance) as store:
            look = partial(quality.findings, store, ROUND, NOW)
            once("all quality findings", 60 * whole, look)
            fill(store, 100, chosen.interviews + 100)
            once("quality findings after 100 further interviews", 2, look)


def once(name: str, goal: float, act: Callable[[], Any]) -> None:
    """Does something that happens once, and prints how many seconds it took beside its goal."""
    begun, busy = time.perf_counter(), time.process_time()
    act()
    taken, worked = time.perf_counter() - begun, time.process_time() - busy
    print(f"{name:70} {taken:8.1f} s   (processor {worked:5.1f} s)   goal {goal:5.1f} s", flush=True)


def measure(instance: Path, middle: str, queued: str) -> None:
    """Asks for the pages and prints how long each took."""
    app = create_app(instance, lambda: NOW)
    client = app.test_client()
    sign = client.get("/sign-in/plan").text.partition('name="csrf_token" value="')[2].partition('"')[0]
    client.post("/sign-in/plan", data={"csrf_token": sign, "pin": PIN})
    dashboard, listed = 300, 200
    pages = [
        *(f"/progress?round={ROUND}&by={by}" for by in ("province", "commune", "village", "person", "day")),
        f"/progress?round={ROUND}&by=village&commune=00007",
        f"/progress/units?round={ROUND}",
        f"/progress/units?round={ROUND}&code=3.11",
        "/interviews",
        f"/interviews?state=approved&after={middle}",
        "/interviews?commune=00007",
        "/interviews?person=p7&state=sealed",
        "/interviews?q=van+4711",
        "/interviews?q=nguyen",
        f"/interviews/{queued}",
        "/people",
        "/today",
    ]
    for page in pages:
        answer = client.get(page)
        if answer.status_code != 200:
            print(f"{page:52} {answer.status_code}")
            continue
        goal = dashboard if page.startswith("/progress?") else listed
        told = f"{timed(lambda page=page: client.get(page))}   goal {goal:5} ms {len(answer.data) / 1024:6.0f} KB"
        print(f"{page:70} {told}", flush=True)


if __name__ == "__main__":
    main()
