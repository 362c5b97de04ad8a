"""How fast bundles are merged, first and again, in how much memory, and whether that stays so as the store grows:
``python benchmarks/merge.py [revisions …]`` (10000 100000; a million takes 6 GB of disk).

Laptops with 2,000 revisions each, SIPAS interviews of 250 answers and contact data, under ids as laptops and draws make
them, signed one by one, in bundles encrypted to the hub. A hub in a process of its own merges them as from a stick, up
to each of the sizes in one go, and tells the time of all so far and of the last tenth; then it merges everything once
more, and copies its rows by ``INSERT … SELECT`` from the ``ATTACH``-ed store into an empty one of the same kind: the
lower bound, nothing checked. A plain store does the same up to the smallest size.

Beside the clock stands the processor's own time, which a machine that does other things at once does not stretch so
much: of the process that writes, and of the one that reads ahead. Nothing here is asserted: times belong to the
machine they are printed with. docs/merge.txt is what it printed.
"""

from __future__ import annotations

import json
import os
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from survey.store import Store, vault
from survey.store.drafts import new_id
from survey.store.header import Part, Record, canonical, commitment, hash_text
from survey.store.signing import SigningKey
from survey.store.store import FILE, connect
from survey.sync import bundle
from survey.sync.exchange import sync
from survey.sync.founding import unit_id
from survey.sync.keys import age_identity, publish_age_key

QUESTIONS = 250
REVISIONS = 2_000
"""Of each laptop, its own document among them."""

_POOL = 2_000
_CLUSTER = 20
"""Sample units of a primary unit."""

_PASSPHRASE = "mật khẩu của máy đo thử"
_PATHS = sorted(f"group_{question // 25}/question_{question}" for question in range(QUESTIONS))


def answers(chance: random.Random) -> bytes:
    """One person's answers on the five-point scale."""
    given = chance.choices("12345", weights=(3, 8, 20, 48, 21), k=QUESTIONS)
    return canonical(dict(zip(_PATHS, given, strict=True)))


def laptop(key: SigningKey, device: int, pool: list[bytes], chance: random.Random) -> Iterator[Record]:
    """The feed of one laptop: its document, then sealed interviews, their answers drawn from ``pool``."""
    prev, form = "", hash_text(b"form")
    document = {"id": key.device, "public_key": key.public.hex(), "role": "device", "tier": "device"}
    for seq in range(1, REVISIONS + 1):
        first = seq == 1
        contact = f'{{"name":"Người {seq}","phone":"0900{seq:06d}"}}'.encode()
        contents = {"document": canonical(document)} if first else {"answers": chance.choice(pool), "contact": contact}
        parts = {name: Part(chance.randbytes(32), content) for name, content in contents.items()}
        header = {
            "v": 1,
            "subject_type": "device" if first else "interview",
            "subject": key.device if first else new_id(key.device, chance.getrandbits(128)),
            "kind": "issued" if first else "sealed",
            "parents": [],
            "target": "" if first else unit_id("r1", "", f"{device}.{seq // _CLUSTER}", str(seq)),
            "questionnaire_hash": "" if first else form,
            "actor": f"p{device:05d}",
            "device": key.device,
            "epoch": f"e{device:016x}",
            "seq": seq,
            "prev": prev,
            "time": f"2026-10-{1 + seq // 100:02d}T08:00:00+07:00",
            "parts": {name: commitment(part) for name, part in parts.items()},
            "blobs": [],
        }
        # Letters, digits and sorted keys alone: the same as RFC 8785, much faster.
        written = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
        prev = hash_text(written)
        yield Record(written, key.sign(prev.encode("ascii")), parts)


def write_bundles(folder: Path, count: int, to: list[str]) -> None:
    """Writes one bundle for each of ``count`` laptops into ``folder``, in the order of their names."""
    chance = random.Random(2026)
    pool = [answers(chance) for _ in range(_POOL)]
    folder.mkdir()
    # The sender's choice and none of the reader's: a laptop packs its few interviews tighter and slower.
    bundle._LEVEL = 1
    for device in range(count):
        key = SigningKey(Ed25519PrivateKey.from_private_bytes(chance.randbytes(32)))
        keys = {key.device: key.public.hex()}
        path = bundle.write_records(key, "device", folder, laptop(key, device, pool, chance), keys, None, to)
        assert path.is_file()


class Spent(NamedTuple):
    """Seconds: of the clock, of this process's processor, and of the processes that it started and that ended."""

    clock: float
    own: float
    ahead: float

    @classmethod
    def so_far(cls) -> Spent:
        """Up to now."""
        times = os.times()
        return cls(time.perf_counter(), time.process_time(), times.children_user + times.children_system)

    def until(self, later: Spent) -> Spent:
        """From this to ``later``."""
        return Spent(*(end - start for start, end in zip(self, later, strict=True)))


def merge(hub: Path, stick: Path, sizes: list[int], encrypted: bool) -> None:
    """Merges the bundles into the hub, size by size, and prints a line of JSON at each. Run in a process of its own,
    for the memory."""
    if encrypted:
        vault.unlock(hub, _PASSPHRASE)
    bundles = sorted(stick.iterdir())
    first, done, memory = Spent(0, 0, 0), 0, 0.0
    with Store.open(hub) as store:
        for size in sizes:
            part, marks = bundles[done : size // REVISIONS], []

            def note(name: str, marks: list[Spent] = marks) -> None:
                nonlocal memory
                marks.append(Spent.so_far())
                memory = max(memory, peak_memory(*children()))

            start = Spent.so_far()
            report = sync(store, part, progress=note)
            end = Spent.so_far()
            assert report.new == len(part) * REVISIONS, report
            first = Spent(*(before + now for before, now in zip(first, start.until(end), strict=True)))
            tenth = min(max(1, size // REVISIONS // 10), len(marks))
            tell(store, bundles[: done + len(part)], first, marks[-tenth].until(end), tenth, memory)
            done += len(part)
        mend = store.value("SELECT count(*) FROM quarantine")
        assert mend == 0, mend


def tell(store: Store, bundles: list[Path], first: Spent, last: Spent, tenth: int, memory: float) -> None:
    """One size: what was merged so far, all of it again, and the lower bound."""
    start = Spent.so_far()
    known = sync(store, bundles).known
    again = start.until(Spent.so_far())
    assert known == len(bundles) * REVISIONS, known
    print(
        json.dumps(
            {
                "revisions": known,
                "first": first,
                "last": [last.clock, last.own, 0],
                "lately": tenth * REVISIONS,
                "again": [100 * seconds / len(bundles) for seconds in again[:2]],
                "bytes": store.file.stat().st_size / known,
                "memory": memory,
                "bound": lower_bound(store.folder),
            }
        ),
        flush=True,
    )


def children() -> list[str]:
    """The processes that this one started and that still run, where the system says."""
    with suppress(OSError):
        return [pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()]
    return []


def peak_memory(*others: str) -> float:
    """The most memory that this process has had and others have, in MB together; 0 where the system does not say."""
    most = 0.0
    for pid in ("self", *others):
        with suppress(OSError, IndexError):
            told = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
            most += int(told.partition("VmHWM:")[2].split()[0]) * 1.024e-3
    return most


def lower_bound(hub: Path) -> list[float]:
    """Seconds, and those of the processor, that SQLite alone needs to copy the same rows, indexes included, into an
    empty store of the same kind. In a process of its own: it needs more memory than a merge."""
    told = subprocess.run([sys.executable, __file__, "--bound", str(hub)], check=True, capture_output=True, text=True)
    return [float(seconds) for seconds in json.loads(told.stdout)]


def copy_rows(hub: Path) -> tuple[float, float, float]:
    """What :func:`lower_bound` asks for."""
    if vault.is_encrypted(hub):
        vault.unlock(hub, _PASSPHRASE)
    key, copy = vault.key_for(hub, "store"), hub.with_name("copy")
    shutil.copyfile(hub.with_name("empty") / f"{hub.name}.sqlite", copy)
    db = connect(copy, key)
    db.execute("ATTACH ? AS source KEY " + (f"\"x'{key.hex()}'\"" if key else "''"), (str(hub / FILE),))
    start, used = time.perf_counter(), time.process_time()
    db.execute("BEGIN")
    for table in ("feeds", "revisions", "parts", "interviews"):
        db.execute(f"INSERT OR IGNORE INTO main.{table} SELECT * FROM source.{table} WHERE true")
    db.execute("COMMIT")
    taken = time.perf_counter() - start, time.process_time() - used, 0.0
    db.close()
    for file in copy.parent.glob("copy*"):
        file.unlink()
    return taken


def make_hub(folder: Path, encrypted: bool) -> list[str]:
    """An empty hub, its database kept beside for the lower bound; returns the keys to encrypt to."""
    with Store.create(folder, "hub", passphrase=_PASSPHRASE if encrypted else "") as store:
        publish_age_key(store)
        identity = age_identity(store)
    (folder.parent / "empty").mkdir(exist_ok=True)
    shutil.copyfile(folder / FILE, folder.parent / "empty" / f"{folder.name}.sqlite")
    return [str(identity.to_public())] if identity else []


def figure(name: str, taken: list[float], revisions: int, bound: list[float] | None = None) -> None:
    """Prints one figure, by the clock and by the processor."""
    seconds, own, ahead = taken
    times = f"  {seconds / bound[0]:4.1f} and {(own + ahead) / bound[1]:3.1f} times the bound" if bound else ""
    beside = f" + {ahead:.2f} s reading ahead" if ahead else ""
    print(
        f"  {name:22}{seconds:9.2f} s {revisions / seconds:8,.0f} /s   processor {own:8.2f} s"
        f" {revisions / own:8,.0f} /s{beside}{times}"
    )


def show(told: dict[str, Any]) -> None:
    """Prints the figures of one size."""
    revisions, bound = told["revisions"], told["bound"]
    print(f"{revisions:,} revisions, {told['bytes']:,.0f} bytes each in the store, {told['memory']:.0f} MB at most")
    figure("merged", told["first"], revisions, bound)
    figure("the last tenth", told["last"], told["lately"])
    figure("INSERT … SELECT", bound, revisions)
    print(
        f"  all of it once more: {told['again'][0]:.2f} s for 100 devices, processor {told['again'][1]:.2f} s",
        flush=True,
    )


def machine() -> str:
    """What this machine is, as far as the system says."""
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        told = ""
    name = told.partition("model name")[2].partition("\n")[0].strip("\t :") or platform.processor()
    return f"{platform.node()}: {os.cpu_count()} × {name}, {platform.system()}, Python {platform.python_version()}"


def main() -> None:
    """Prints the figures."""
    if sys.argv[1:2] == ["--merge"]:
        merge(Path(sys.argv[2]), Path(sys.argv[3]), json.loads(sys.argv[4]), sys.argv[5] == "encrypted")
        return
    if sys.argv[1:2] == ["--bound"]:
        print(json.dumps(copy_rows(Path(sys.argv[2]))))
        return
    sizes = [int(argument) for argument in sys.argv[1:]] or [10_000, 100_000]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        print(f"{datetime.now().astimezone().date()}, {machine()}", flush=True)
        for kind, wanted in (("encrypted", sizes), ("plain", sizes[:1])):
            to = make_hub(folder / kind, kind == "encrypted")
            stick = folder / f"for-{kind}"
            write_bundles(stick, wanted[-1] // REVISIONS, to)
            packed = sum(file.stat().st_size for file in stick.iterdir()) / wanted[-1]
            load = f"; load {os.getloadavg()[0]:.0f}" if hasattr(os, "getloadavg") else ""
            print(f"\n{kind} store; bundles of {REVISIONS:,} revisions, {packed:,.0f} bytes each{load}", flush=True)
            command = [sys.executable, __file__, "--merge", str(folder / kind), str(stick), json.dumps(wanted), kind]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as hub:
                assert hub.stdout is not None
                for told in map(json.loads, hub.stdout):
                    show(told)
            if hub.returncode:
                raise SystemExit(hub.returncode)


if __name__ == "__main__":
    main()
