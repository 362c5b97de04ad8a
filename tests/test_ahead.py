"""Bundles that a second process reads ahead: whatever happens to it or to them, the store is the one that reading them
here would have made, and the report says the same."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import zlib
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from survey.errors import StoreError
from survey.store import Store, vault
from survey.store.signing import SigningKey
from survey.sync import ahead
from survey.sync.ahead import Bundles
from survey.sync.bundle import Bundle, write_records
from survey.sync.exchange import Report, sync
from survey.sync.keys import age_identity, publish_age_key
from tests.laptops import interview, keys, records, state
from tests.test_bundle import manifest_of, signed

PASSPHRASE = "bốn con voi uống trà"
LAPTOPS = 4

_BEFORE: set[int] = set()


@pytest.fixture(autouse=True)
def _reads_ahead_whatever_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few the bundles and the processors are."""
    _BEFORE.clear()
    _BEFORE.update(children())
    monkeypatch.setattr(ahead, "LEAST", 1)
    monkeypatch.setattr(ahead, "_processors", lambda: 2)


@pytest.fixture(scope="module", params=["", PASSPHRASE], ids=["plain", "encrypted"])
def origin(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a hub, and a stick with a bundle of each of some laptops, encrypted to the hub where it can be."""
    folder = tmp_path_factory.mktemp("origin")
    with Store.create(folder / "hub", "hub", name="hub", passphrase=request.param) as hub:
        publish_age_key(hub)
        identity = age_identity(hub)
    for number in range(LAPTOPS):
        with Store.create(folder / f"laptop{number}") as laptop:
            for unit in range(3):
                interview(laptop, f"u{number}{unit}", {"q1": "Chiềng Mung " * 40, "q2": str(unit)})
            to = [str(identity.to_public())] if identity else []
            public = {device: key.hex() for device, key in keys(laptop).items()}
            write_records(laptop.key, "device", folder / "stick" / "bundles", records(laptop), public, None, to)
    return folder


@pytest.fixture
def hub(origin: Path, tmp_path: Path) -> Iterator[Store]:
    """The hub, which has received nothing yet."""
    with Store.open(copy_of(origin, tmp_path / "hub")) as store:
        yield store


@pytest.fixture
def stick(origin: Path, tmp_path: Path) -> Path:
    """The stick."""
    return Path(shutil.copytree(origin / "stick", tmp_path / "stick"))


def copy_of(origin: Path, folder: Path) -> Path:
    shutil.copytree(origin / "hub", folder)
    if vault.is_encrypted(folder):
        vault.unlock(folder, PASSPHRASE)
    return folder


def bundles_on(stick: Path) -> list[Path]:
    return sorted((stick / "bundles").iterdir())


def others() -> list[int]:
    """The processes that read ahead for this one: those that it has started since the test began."""
    return sorted(children() - _BEFORE)


def children() -> set[int]:
    return {int(pid) for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()}


def told(report: Report) -> tuple[object, ...]:
    """What a report says, but for the receipt, which has its time."""
    return (
        report.new,
        report.known,
        report.conflicts,
        report.late_parts,
        report.for_others,
        [name for name, _ in report.quarantined],
        [problem.what for problem in report.problems],
    )


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 4
    file.write_bytes(content)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-9])


def double(file: Path) -> None:
    """The same once more right after it, under a name that tells nothing."""
    shutil.copyfile(file, file.with_name(f"{file.stem}~.bundle"))


def garble_inside(file: Path) -> None:
    """Signed and whole, and yet no records: told only when they are unpacked."""
    key, content = SigningKey(Ed25519PrivateKey.generate()), b"\x00\x00\x00\x05nope"
    file.write_bytes(signed(manifest_of(key, content, zlib.compress(content)), zlib.compress(content), key))
    file.rename(file.with_name(f"{file.name[:5]}.bundle"))


def leave(file: Path) -> None:
    """Nothing is wrong."""


@pytest.mark.parametrize(
    ("harm", "which"),
    [(leave, 0), (flip, 0), (flip, 2), (cut, -1), (double, 0), (double, 1), (garble_inside, 2)],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_what_is_read_ahead_makes_the_same_store_and_report(
    origin: Path,
    hub: Store,
    stick: Path,
    tmp_path: Path,
    harm: Callable[[Path], None],
    which: int,
    monkeypatch: pytest.MonkeyPatch,
):
    harm(bundles_on(stick)[which])
    report = sync(hub, [stick])
    assert others() == []
    monkeypatch.setattr(ahead, "_processors", lambda: 1)
    with Store.open(copy_of(origin, tmp_path / "twin")) as twin:
        assert told(sync(twin, [stick])) == told(report)
        assert state(twin) == state(hub)


def test_all_but_the_first_come_from_the_other_process(hub: Store, stick: Path):
    files = bundles_on(stick)
    with Bundles(hub, files) as bundles:
        assert len(others()) == 1
        opened = [bundles.open(file) for file in files[:1]]
        for file in files[1:]:
            opened.append(bundles.open(file))
            list(opened[-1].entries())
    assert [isinstance(bundle, Bundle) for bundle in opened] == [True] + [False] * (LAPTOPS - 1)
    assert others() == []


@pytest.mark.parametrize("when", [0, 2])
def test_the_other_process_may_be_killed_between_two_bundles(hub: Store, stick: Path, when: int):
    names = [file.name for file in bundles_on(stick)]

    def kill(name: str) -> None:
        if name == names[when]:
            for pid in others():
                os.kill(pid, signal.SIGKILL)

    report = sync(hub, [stick], progress=kill)
    assert (report.new, report.needs_a_person) == (LAPTOPS * 4, False)


def test_it_may_be_killed_in_the_middle_of_a_bundle(hub: Store, stick: Path):
    file = bundles_on(stick)[1]
    expected = [entry.header.id for entry in Bundles(hub).open(file).entries()]
    with Bundles(hub, [bundles_on(stick)[0], file]) as bundles:
        entries = bundles.open(file).entries()
        found = [next(entries).header.id]
        for pid in others():
            os.kill(pid, signal.SIGKILL)
        found += [entry.header.id for entry in entries]
    assert found == expected


@pytest.mark.parametrize(
    "ways", ["all all all all", "- all - all", "open open open all", "one all all all", "- open - one"]
)
def test_whatever_is_done_with_one_bundle_the_next_is_the_right_one(hub: Store, stick: Path, ways: str):
    read = {"open": 0, "one": 1, "all": None}
    with Bundles(hub, bundles_on(stick)) as bundles:
        for way, file in zip(ways.split(), bundles_on(stick), strict=True):
            if way in read:
                opened = bundles.open(file)
                expected = Bundles(hub).open(file)
                assert (opened.hash, opened.manifest) == (expected.hash, expected.manifest)
                whole = list(expected.entries())
                assert list(islice(opened.entries(), read[way])) == whole[: read[way]]
    assert others() == []


def test_no_program_that_lies_on_the_stick_is_run(hub: Store, stick: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("pickle", "sitecustomize", "survey"):
        (stick / f"{name}.py").write_text(f"open({str(stick / 'was here')!r}, 'w').close()")
    monkeypatch.chdir(stick)
    monkeypatch.setattr("sys.path", ["", *sys.path])
    files = bundles_on(stick)
    with Bundles(hub, files) as bundles:
        assert not isinstance(bundles.open(files[1]), Bundle)
    assert not (stick / "was here").exists()


def test_known_bundles_are_not_read_ahead(hub: Store, stick: Path):
    sync(hub, [stick])
    with Bundles(hub, bundles_on(stick)):
        assert others() == []


def test_a_disk_that_is_full_ends_both(hub: Store, stick: Path):
    size, own = hub.value("PRAGMA page_count"), len(records(hub))
    hub.execute(f"PRAGMA max_page_count = {size + 1}")
    with pytest.raises(StoreError, match="full"):
        sync(hub, [stick])
    assert others() == []
    hub.execute("PRAGMA max_page_count = 1000000")
    sync(hub, [stick])
    assert len(records(hub)) == own + LAPTOPS * 4


def test_the_evening_hand_over_of_one_laptop_needs_no_second_process(
    hub: Store, stick: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(ahead, "LEAST", 8 << 20)
    with Bundles(hub, bundles_on(stick)):
        assert others() == []
