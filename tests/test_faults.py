"""Kills, full disks, torn logs, flipped bits: whatever was confirmed is there afterwards, and the work can go on.

1. A program killed at any SQL statement of a save, a seal, a hand-over, a merge, a receipt or an erasure.
2. A disk that is full at any write of them; a power cut that leaves any part of the write-ahead log.
3. Flipped bits, cut and joined files, sticks that cannot be written.
"""

from __future__ import annotations

import hashlib
import random
import resource
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from survey.errors import InputError, StoreError, SurveyError, VerifyError
from survey.store import Store, current, drafts, receipts, vault
from survey.store.store import FILE
from survey.sync.exchange import export, sync
from tests.killing import PASSPHRASE, victim
from tests.laptops import FORM, correct, headers, interview, records, state
from tests.tried import tried

Trials = Callable[[int, int], int]

ANSWERS = {f"q{number}": str(number % 5) for number in range(40)}


@pytest.fixture(params=["", PASSPHRASE], ids=["plain", "encrypted"])
def passphrase(request: pytest.FixtureRequest) -> str:
    """Every fault meets a plain and an encrypted store."""
    return str(request.param)


@pytest.fixture
def laptop(tmp_path: Path, passphrase: str) -> Iterator[Store]:
    """A laptop with one sealed interview at u1 and one being made at u2."""
    with Store.create(tmp_path / "laptop", passphrase=passphrase) as store:
        id = interview(store, "u1", ANSWERS)
        correct(store, id, {**ANSWERS, "q1": "1"})
        drafts.save(store, drafts.start(store, "u2", FORM, "phoa"), ANSWERS)
        yield store
    vault.lock(tmp_path / "laptop")


@pytest.fixture
def centre(tmp_path: Path, passphrase: str) -> Iterator[Store]:
    """A hub that has received nothing yet."""
    with Store.create(tmp_path / "centre", "hub", passphrase=passphrase) as store:
        yield store
    vault.lock(tmp_path / "centre")


def answers_held(store: Store) -> dict[str, dict[str, object]]:
    """Every answer that the store holds, by unit, in a draft or sealed."""
    found = {
        row["unit"]: current.content(store, row["interview"])["answers"]
        for row in current.interviews(store)
        if row["head"] and row["state"] != "erased"
    }
    return found | {row["unit"]: drafts.answers(store, row["interview"]) for row in drafts.drafts(store)}


# -- 1 killed at any statement ------------------------------------------------------------------------------------

SAVE = """
from survey.store import drafts
def work(store, say):
    interview = drafts.drafts(store)[0]["interview"]
    for number in range(3):
        drafts.save(store, interview, {"later": str(number)})
        say("later", number)
    drafts.comment(store, interview, "later", "bà cụ nghe không rõ")
"""

SEAL = """
from survey.store import drafts
def work(store, say):
    interview = drafts.drafts(store)[0]["interview"]
    drafts.seal(store, interview, drafts.answers(store, interview), {"off": "1"}, {"phone": "0912"}, {}, "phoa")
    say("sealed")
"""

HAND_OVER = """
from survey.sync.exchange import export
def work(store, say, stick):
    export(store, stick, plain=True)
    say("handed over")
"""

MERGE = """
from survey.sync.exchange import sync
def work(store, say, stick):
    sync(store, [stick])
    say("merged")
"""

ERASE = """
from survey.store import current
def work(store, say, interview):
    current.erase(store, "interview", interview, "padmin")
    say("erased")
"""


@pytest.mark.soak
def test_killed_at_any_statement_while_answers_are_saved(laptop: Store, passphrase: str, trials: Trials):
    laptop.close()
    with victim(SAVE, laptop.folder, passphrase=passphrase) as saving:
        for death in saving.everywhere(trials(6, 10_000)):
            with Store.open(laptop.folder) as store:
                held = answers_held(store)["u2"]
                assert ANSWERS.items() <= held.items()
                if death.said:
                    assert int(str(held["later"])) >= int(death.said[-1][1])
                assert current.verify(store).problems == []


@pytest.mark.soak
def test_killed_at_any_statement_of_a_seal(laptop: Store, passphrase: str, trials: Trials):
    laptop.close()
    seen = set()
    with victim(SEAL, laptop.folder, passphrase=passphrase) as sealing:
        for _ in sealing.everywhere(trials(6, 10_000)):
            with Store.open(laptop.folder) as store:
                # The draft with everything in it, or the sealed interview: never both, never neither.
                left = drafts.drafts(store)
                sealed = current.interviews(store, unit="u2", state="sealed")
                seen.add((len(left), len(sealed)))
                assert answers_held(store) == {"u1": {**ANSWERS, "q1": "1"}, "u2": ANSWERS}
                assert current.verify(store).problems == []
                if left:
                    drafts.seal(store, left[0]["interview"], ANSWERS, {}, {}, {}, "phoa")
                assert [h.seq for h in headers(store)] == [1, 2, 3, 4]
                assert current.verify(store).problems == []
    assert seen == {(1, 0)}  # the last statement is the commit: killed before it, nothing has happened


@pytest.mark.soak
def test_killed_at_any_statement_of_a_hand_over(
    laptop: Store, centre: Store, passphrase: str, tmp_path: Path, trials: Trials
):
    laptop.close()
    stick = tmp_path / "stick"
    stick.mkdir()
    with victim(HAND_OVER, laptop.folder, str(stick), passphrase=passphrase) as handing:
        for _ in handing.everywhere(trials(6, 10_000)):
            with Store.open(laptop.folder) as store:
                assert answers_held(store).keys() == {"u1", "u2"}
                assert current.verify(store).problems == []
                export(store, stick, plain=True)
            report = sync(centre, [stick])
            assert report.quarantined == []
            assert {row["unit"] for row in current.interviews(centre)} == {"u1", "u2"}
            assert current.verify(centre).problems == []


@pytest.mark.soak
def test_killed_at_any_statement_of_a_merge(
    laptop: Store, centre: Store, passphrase: str, tmp_path: Path, trials: Trials
):
    stick = tmp_path / "stick"
    export(laptop, stick, plain=True)
    centre.close()
    # What was set aside before, what is erased and what conflicts is all part of the merge that dies.
    with Store.open(centre.folder) as store:
        sync(store, [stick])
        current.decide(store, current.interviews(store, unit="u1")[0]["interview"], "approved", actor="psup")
    twin = tmp_path / "twin"
    laptop.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copytree(laptop.folder, twin)
    if passphrase:
        vault.unlock(twin, passphrase)
    with Store.open(twin) as other:
        correct(other, current.interviews(other, unit="u1")[0]["interview"], {**ANSWERS, "q1": "3"})
        current.erase(other, "interview", interview(other, "u3"), "padmin")
        export(other, stick, plain=True)
    correct(laptop, current.interviews(laptop, unit="u1")[0]["interview"], {**ANSWERS, "q1": "4"})
    export(laptop, stick, plain=True)
    with victim(MERGE, centre.folder, str(stick), passphrase=passphrase) as merging:
        merging.run()
        with Store.open(centre.folder) as store:
            expected = state(store)
            assert len(current.interviews(store, unit="u1")[0]["heads"]) == 2
        for _ in merging.everywhere(trials(6, 10_000)):
            with Store.open(centre.folder) as store:
                assert answers_held(store).keys() >= {"u2"}
                assert current.verify(store).problems == []
                sync(store, [stick])
                assert state(store) == expected
                assert current.verify(store).problems == []


@pytest.mark.soak
def test_killed_at_any_statement_while_a_receipt_is_read(
    laptop: Store, centre: Store, passphrase: str, tmp_path: Path, trials: Trials
):
    stick = tmp_path / "stick"
    export(laptop, stick, plain=True)
    sync(centre, [stick])
    laptop.close()
    with victim(MERGE, laptop.folder, str(stick), passphrase=passphrase) as reading:
        reading.run()
        with Store.open(laptop.folder) as store:
            expected = receipts.conservation(store)
            assert expected.pending == 0
        for _ in reading.everywhere(trials(6, 10_000)):
            with Store.open(laptop.folder) as store:
                told = receipts.conservation(store)
                assert told.created == told.receipted + told.pending == expected.created
                assert current.verify(store).problems == []
                sync(store, [stick])
                assert receipts.conservation(store) == expected


@pytest.mark.soak
def test_killed_at_any_statement_while_a_restored_laptop_meets_what_it_had_written(
    laptop: Store, centre: Store, passphrase: str, tmp_path: Path, trials: Trials
):
    stick, restored = tmp_path / "stick", tmp_path / "restored"
    laptop.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copytree(laptop.folder, restored)
    before = laptop.epoch
    lost = interview(laptop, "u3", ANSWERS)
    export(laptop, stick, plain=True)
    sync(centre, [stick])
    if passphrase:
        vault.unlock(restored, passphrase)
    learnt = set()
    with victim(MERGE, restored, str(stick), passphrase=passphrase) as meeting:
        for number, _ in enumerate(meeting.everywhere(trials(6, 10_000))):
            with Store.open(restored) as store:
                # Whoever knows that the feed goes on writes another: what is written next never takes a number twice.
                knows = store.value("SELECT 1 FROM revisions WHERE subject = ?", (lost,)) is not None
                assert (store.epoch != before) >= knows
                learnt.add((knows, store.epoch != before))
                sync(store, [stick])
                assert store.epoch != before
                new = interview(store, f"w{number}", ANSWERS)
                assert answers_held(store).keys() == {"u1", "u2", "u3", f"w{number}"}
                assert [h.seq for h in headers(store) if h.subject == new] == [1]
                assert current.verify(store).problems == []
                told = receipts.conservation(store)
                assert told.created == told.receipted + told.pending
    assert (False, False) in learnt
    vault.lock(restored)


@pytest.mark.soak
def test_killed_at_any_statement_of_an_erasure(laptop: Store, passphrase: str, trials: Trials):
    (row,) = current.interviews(laptop, unit="u1")
    laptop.close()
    with victim(ERASE, laptop.folder, row["interview"], passphrase=passphrase) as erasing:
        for _ in erasing.everywhere(trials(6, 10_000)):
            with Store.open(laptop.folder) as store:
                (now,) = current.interviews(store, unit="u1")
                parts = {
                    name for record in records(store) for name in record.parts if b'"q39":"4"' in record.parts[name][1]
                }
                assert parts == (set() if now["state"] == "erased" else {"answers"})
                assert answers_held(store)["u2"] == ANSWERS
                assert current.verify(store).problems == []


# -- 2 full disks, torn logs --------------------------------------------------------------------------------------


@pytest.fixture
def full_after() -> Iterator[Callable[[int], None]]:
    """``full_after(n)``: no file of this process grows beyond n bytes; -1 ends that."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(size: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before[1] if size < 0 else size, before[1]))

    yield limit
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def _save(store: Store, stick: Path) -> None:
    drafts.save(store, drafts.drafts(store)[0]["interview"], {f"q{n}": "5" * 400 for n in range(40)})


def _seal(store: Store, stick: Path) -> None:
    drafts.seal(store, drafts.drafts(store)[0]["interview"], ANSWERS, {}, {"phone": "0912" * 4_000}, {}, "phoa")


def _hand_over(store: Store, stick: Path) -> None:
    export(store, stick, plain=True)


def _merge(store: Store, stick: Path) -> None:
    sync(store, [stick / "bundles"])


FRAME_HEADER, PAGE = 24, 4_096
"""Of SQLite's write-ahead log: what stands before each page in it."""


@pytest.mark.soak
@pytest.mark.parametrize("work", [_save, _seal, _hand_over, _merge])
def test_a_disk_that_is_full_at_any_write_loses_nothing_and_the_work_is_done_once_there_is_room(
    laptop: Store,
    centre: Store,
    tmp_path: Path,
    work: Callable[[Store, Path], None],
    full_after: Callable[[int], None],
    trials: Trials,
):
    store, stick = (centre if work is _merge else laptop), tmp_path / "stick"
    if work is _merge:
        for unit in range(5):
            interview(laptop, f"v{unit}", ANSWERS)
        export(laptop, stick, plain=True)
    store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before, held = state(store), answers_held(store)
    refused, room, done, told = 0, 0, False, set()
    while not done:
        # A write of the log is its header, the header of a page, or a page: full before each, and in the middle of it.
        full_after(room)
        try:
            work(store, stick)
            done = True
        except (StoreError, InputError) as refusal:
            refused += 1
            told.add(refusal.problem.what.en.partition(" (")[0])
        finally:
            full_after(-1)
        if not done:
            if work is _merge:
                # A file is merged whole or not at all; what fills the disk may be the note that it was.
                assert len(current.interviews(store)) in (0, 7)
            else:
                # Of a hand-over the open draft may have been written; the bundle is there whole or not at all.
                assert answers_held(store) == held
                assert state(store) == before or work is _hand_over
                for file in stick.glob("bundles/*.bundle"):
                    assert hashlib.sha256(file.read_bytes()).hexdigest() == file.stem
            assert current.verify(store).problems == []
            store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        room += trials(PAGE + FRAME_HEADER, 512)
    tried(refused)
    assert refused > 2
    assert told <= {
        "the disk failed while reading or writing",
        "the disk is full; what was saved before is safe",
        "it cannot be written",
    }
    assert answers_held(store).keys() >= held.keys()
    assert len(current.interviews(store)) == (7 if work is _merge else 2)
    assert current.verify(store).problems == []


@pytest.mark.soak
def test_a_power_cut_that_leaves_any_part_of_the_log_keeps_what_was_confirmed(
    laptop: Store, passphrase: str, tmp_path: Path, trials: Trials
):
    (draft,) = drafts.drafts(laptop)
    drafts.save(laptop, draft["interview"], {"last": "confirmed"})
    log = laptop.folder / (FILE + "-wal")
    confirmed = log.stat().st_size
    # Written and never confirmed: any part of it may have reached the disk, in any order.
    drafts.save(laptop, draft["interview"], {"last": "not yet", "q1": "9"})
    interview(laptop, "u3", ANSWERS)
    after = log.read_bytes()
    assert len(after) > confirmed
    chance = random.Random(2026)
    torn = tmp_path / "torn"
    for _ in range(trials(15, 500)):
        shutil.rmtree(torn, ignore_errors=True)
        shutil.copytree(laptop.folder, torn, ignore=shutil.ignore_patterns("*-shm"))
        rest = bytearray(after[confirmed : chance.randint(confirmed, len(after))])
        for place in range(0, len(rest), 512):
            if chance.random() < 0.2:
                rest[place : place + 512] = bytes(len(rest[place : place + 512]))
        (torn / log.name).write_bytes(after[:confirmed] + rest)
        if passphrase:
            vault.unlock(torn, passphrase)
        with Store.open(torn) as store:
            held = answers_held(store)
            assert held["u2"].items() >= ANSWERS.items() - {("q1", "1")}
            assert held["u2"]["last"] in ("confirmed", "not yet")
            assert held["u1"] == {**ANSWERS, "q1": "1"}
            assert current.verify(store).problems == []
            interview(store, "u4", ANSWERS)
        vault.lock(torn)
        tried()


# -- 3 flipped bits, cut and joined files, sticks that cannot be written ------------------------------------------


@pytest.mark.soak
def test_one_flipped_bit_anywhere_in_a_store_is_told_and_a_good_copy_makes_it_whole(
    laptop: Store, centre: Store, passphrase: str, tmp_path: Path, trials: Trials
):
    """No answer is shown changed: each is as it was, or the store, the merge or ``verify`` says that it is damaged."""
    stick = tmp_path / "stick"
    for number in range(60):
        # So that evidence, and not empty pages of tables, is what most of the file consists of.
        interview(laptop, f"v{number}", ANSWERS)
    export(laptop, stick, plain=True)
    sync(centre, [stick])
    good = answers_held(centre)
    expected = state(centre)["interviews"]
    centre.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = centre.file.read_bytes()
    centre.close()
    chance = random.Random(4)
    harmless = 0
    for _ in range(trials(40, 3_000)):
        place, bit = chance.randrange(len(whole)), 1 << chance.randrange(8)
        flipped = bytearray(whole)
        flipped[place] ^= bit
        for file in centre.folder.glob(FILE + "-*"):
            file.unlink()
        centre.file.write_bytes(flipped)
        try:
            with Store.open(centre.folder) as store:
                if current.verify(store).problems == []:
                    # Free space, a counter, a tuning table: nothing that anybody reads.
                    harmless += 1
                    assert (answers_held(store), state(store)["interviews"]) == (good, expected)
        except SurveyError:
            continue
        finally:
            tried()
    assert harmless < trials(40, 3_000)
    centre.file.unlink()
    shutil.rmtree(centre.folder)
    with Store.create(tmp_path / "again", "hub") as again:
        sync(again, [stick])
        assert answers_held(again) == good


def test_bundles_and_receipts_cut_joined_or_with_something_after_them_are_set_aside_and_the_rest_goes_on(
    device: Store, hub: Store, tmp_path: Path
):
    stick = tmp_path / "stick"
    interview(device, "u1", ANSWERS)
    bundle = export(device, stick).path
    assert bundle is not None
    sync(hub, [stick])
    (receipt,) = (stick / "receipts").iterdir()
    spoiled = tmp_path / "spoiled"
    spoiled.mkdir()
    for file in (bundle, receipt):
        content = file.read_bytes()
        for number, bad in enumerate(
            (b"", content[:-1], content[: len(content) // 2], content + content, content + b"x")
        ):
            (spoiled / f"{number}{file.suffix}").write_bytes(bad)
    with Store.create(tmp_path / "other", "hub") as other:
        shutil.copy(bundle, spoiled)
        report = sync(other, [spoiled])
        tried(len(report.quarantined))
        assert len(report.quarantined) == 10
        assert answers_held(other) == {"u1": ANSWERS}
    shutil.rmtree(spoiled / "receipts")
    before = receipts.conservation(device)
    assert len(sync(device, [spoiled]).quarantined) == 10
    assert receipts.conservation(device) == before


def test_one_flipped_bit_in_a_receipt_makes_nothing_safe(device: Store, hub: Store, tmp_path: Path):
    stick = tmp_path / "stick"
    interview(device)
    export(device, stick)
    sync(hub, [stick])
    (file,) = (stick / "receipts").iterdir()
    content = file.read_bytes()
    for place in range(len(content)):
        flipped = bytearray(content)
        flipped[place] ^= 1 << place % 8
        with pytest.raises(VerifyError):
            receipts.read_receipt(device, bytes(flipped))
        tried()
    assert receipts.conservation(device).receipted == 0


def test_a_file_name_with_a_path_in_it_writes_nowhere_else(device: Store, hub: Store, tmp_path: Path):
    interview(device)
    bundle = export(device, tmp_path / "stick").path
    assert bundle is not None
    stick = tmp_path / "odd"
    stick.mkdir()
    content = bundle.read_bytes()
    for number, name in enumerate(
        ("..bundle", "..\\..\\evil.bundle", "%2e%2e%2fevil.bundle", "C:evil.bundle", "a\nb.bundle", "-rf.bundle")
    ):
        (stick / name).write_bytes(content if number % 2 else content[:-9])
        tried()
    before = {file for file in tmp_path.rglob("*") if "hub" not in file.parts and "odd" not in file.parts}
    report = sync(hub, [stick])
    assert report.new == 2
    assert len(report.quarantined) == 2  # names that begin with a dot are unfinished files
    assert {file for file in tmp_path.rglob("*") if "hub" not in file.parts and "odd" not in file.parts} == before


@pytest.mark.parametrize("where", ["/dev/full", "read-only"])
def test_a_stick_that_cannot_be_written_is_told_and_nothing_counts_as_handed_over(
    device: Store, tmp_path: Path, where: str
):
    interview(device)
    if where == "read-only":
        stick = tmp_path / "stick"
        stick.mkdir()
        # Root may write everywhere; a stick whose folder is a file cannot be written by anybody.
        (stick / "bundles").write_text("")
    else:
        stick = Path(where)
    with pytest.raises(InputError, match="cannot be written"):
        export(device, stick)
    assert receipts.conservation(device).pending == receipts.conservation(device).created
    assert export(device, tmp_path / "another").revisions == 2
