"""Merging is the union, whatever happened before and however it arrives.

1. Any order, repetition and splitting of the same revisions gives the same derived state, byte for byte.
2. So it does when copies came damaged or stripped of parts, once good copies came too.
3. Stores that exchanged everything agree; nothing that was sealed is lost; every store proves itself.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from survey.errors import SurveyError
from survey.store import Store, current, drafts, frame
from survey.store.header import CONTENT_KINDS, Part, Record
from survey.store.merge import unite
from survey.store.quarantine import quarantine
from survey.sync.bundle import write_records
from survey.sync.exchange import export, sync
from tests.laptops import FORM, headers, interview, keys, records, state
from tests.outside import SOAK

pytestmark = pytest.mark.soak

many = settings(
    max_examples=1_000 if SOAK else 25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

STORES = 4
"""Two laptops and two hubs take part in every history."""

HAPPENINGS = (
    *("seal", "seal", "draft", "correct", "settle", "erase", "unit"),
    *("approve", "return", "void", "comment", "exchange", "exchange", "epoch", "clone"),
)

steps = st.lists(
    st.tuples(st.sampled_from(HAPPENINGS), st.integers(0, STORES - 1), st.integers(0, 10_000)),
    min_size=1,
    max_size=14,
)


class World:
    """Some laptops and hubs, and what happened to them."""

    def __init__(self, folder: Path, stack: ExitStack):
        self.folder = folder
        self.stack = stack
        roles = ["device", "device", "hub", "hub"]
        self.stores = [stack.enter_context(Store.create(folder / f"s{n}", role)) for n, role in enumerate(roles)]
        self.empty = folder / "empty"
        Store.create(self.empty, "hub").close()
        self.copies = 0

    def live(self, history: list[tuple[str, int, int]]) -> None:
        """Does everything in ``history``; what a store refuses does not happen."""
        for what, number, choice in history:
            try:
                self.step(what, number, choice)
            except SurveyError:
                continue

    def step(self, what: str, number: int, choice: int) -> None:
        """One thing happens at one store."""
        store = self.stores[number]
        known = [row["interview"] for row in current.interviews(store) if row["heads"]]
        target = known[choice % len(known)] if known else ""
        answers = {"q1": str(choice % 5), "q2": str(choice)}
        if what == "seal":
            interview(store, f"u{choice % 3}", answers)
        elif what == "draft":
            drafts.save(store, drafts.start(store, f"u{choice % 3}", FORM, "phoa"), answers)
            drafts.partials(store)
        elif what == "unit":
            document = {"id": f"u{choice % 3}", "round": f"r{choice % 2}", "assignee": f"p{choice % 4}"}
            frame.issue(store, "unit", f"u{choice % 3}", document, {"name": f"Hoa {choice}"})
        elif what == "epoch":
            store.new_epoch()
        elif what == "clone":
            self.clone(number)
        elif what == "exchange":
            self.exchange(store, self.stores[choice % len(self.stores)])
        elif target:
            self.decide(store, what, target, choice, answers)

    def decide(self, store: Store, what: str, target: str, choice: int, answers: dict[str, str]) -> None:
        """Something happens to an interview that the store knows."""
        (row,) = current.interviews(store, interview=target)
        head = row["heads"][choice % len(row["heads"])]
        kinds = {"approve": "approved", "return": "returned", "void": "voided", "comment": "commented"}
        if what in kinds:
            current.decide(store, target, kinds[what], head, "vì sao", "psup")
        elif what == "correct":
            drafts.take_over(store, target, "phoa", head)
            drafts.seal(store, target, answers, {}, {}, {}, "phoa", "corrected")
        elif what == "settle":
            current.settle(store, target, head, None if choice % 2 else answers, "vì sao", "psup")
        elif what == "erase":
            current.erase(store, "interview", target, "padmin")

    def exchange(self, giver: Store, taker: Store) -> None:
        """One hands a stick to the other, who brings it back with what it has."""
        with tempfile.TemporaryDirectory(dir=self.folder) as stick:
            export(giver, stick)
            sync(taker, [stick])
            export(taker, stick)
            sync(giver, [stick])

    def clone(self, number: int) -> None:
        """A laptop's disk is copied, and both go on."""
        store = self.stores[number]
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copytree(store.folder, self.folder / f"clone{len(self.stores)}")
        self.stores.append(self.stack.enter_context(Store.open(self.folder / f"clone{len(self.stores)}")))

    def everything(self) -> tuple[list[Record], dict[str, bytes]]:
        """Every revision that any store holds, each once with all parts that any store has, and all keys."""
        found: dict[bytes, Record] = {}
        public: dict[str, bytes] = {}
        for store in self.stores:
            public |= keys(store)
            for record in records(store):
                before = found.get(record.header)
                found[record.header] = record if before is None else record._replace(parts=before.parts | record.parts)
        return list(found.values()), public

    @contextmanager
    def hub(self) -> Iterator[Store]:
        """A fresh hub, always the same one: its own device document is part of the derived state."""
        self.copies += 1
        folder = self.folder / f"hub{self.copies}"
        shutil.copytree(self.empty, folder)
        with Store.open(folder) as store:
            yield store


@contextmanager
def world(history: list[tuple[str, int, int]]) -> Iterator[World]:
    """A world in which this history took place."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        made = World(Path(folder), stack)
        made.live(history)
        yield made


def pieces(every: list[Record], chance: random.Random) -> list[list[Record]]:
    """The records in any order, cut anywhere, some of the pieces twice and some records in several."""
    order = chance.sample(every, len(every)) if chance.random() < 0.5 else list(every)
    cuts = sorted(chance.sample(range(len(order) + 1), chance.randrange(len(order) + 1)))
    parts = [order[a:b] for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True)]
    parts += [chance.sample(every, chance.randrange(len(every) + 1)) for _ in range(chance.randrange(3))]
    chance.shuffle(parts)
    return parts


def damaged(record: Record, chance: random.Random) -> Record:
    """A copy of the record with something wrong with it."""
    what = chance.choice(["header", "signature", "part", "stripped"])
    if what == "header":
        place = chance.randrange(len(record.header))
        return record._replace(header=record.header[:place] + b"\x01" + record.header[place + 1 :])
    if what == "signature":
        return record._replace(signature=chance.randbytes(64))
    kept = {name: part for name, part in record.parts.items() if chance.random() < 0.5}
    if what == "part":
        kept = {name: Part(part.salt, part.content + b" ") for name, part in kept.items()}
    return record._replace(parts=kept)


@many
@given(steps, st.randoms(use_true_random=False))
def test_any_order_repetition_and_splitting_gives_the_same_state(history: list, chance: random.Random):
    with world(history) as made:
        every, public = made.everything()
        with made.hub() as whole:
            unite(whole, every, "", public)
            expected = state(whole)
            assert current.verify(whole).problems == []
            assert quarantine(whole) == []
        with made.hub() as pieced:
            for piece in pieces(every, chance):
                unite(pieced, piece, "", public)
            assert state(pieced) == expected
            assert quarantine(pieced) == []
            assert current.verify(pieced).problems == []


@many
@given(steps, st.randoms(use_true_random=False))
def test_bundle_files_in_any_order_give_the_same_state(history: list, chance: random.Random):
    with world(history) as made:
        every, public = made.everything()
        with made.hub() as whole:
            unite(whole, every, "", public)
            expected = state(whole)
        signer, named = made.stores[2], {device: key.hex() for device, key in public.items()}
        files = [
            write_records(signer.key, "supervisor", made.folder / "stick", piece, named, made.folder)
            for piece in pieces(every, chance)
        ]
        with made.hub() as hub:
            for file in [*files, *chance.sample(files, len(files))]:
                assert sync(hub, [file]).quarantined == []
            assert state(hub) == expected


@many
@given(steps, st.randoms(use_true_random=False))
def test_damaged_and_stripped_copies_leave_no_trace_once_good_ones_came(history: list, chance: random.Random):
    with world(history) as made:
        every, public = made.everything()
        with made.hub() as whole:
            unite(whole, every, "", public)
            expected = state(whole)
        with made.hub() as hub:
            for piece in pieces(every, chance):
                unite(
                    hub, [damaged(record, chance) if chance.random() < 0.4 else record for record in piece], "", public
                )
                assert [p for p in current.verify(hub).problems if "signature" not in p.what.en] == []
            unite(hub, every, "", public)
            assert state(hub) == expected
            assert current.verify(hub).problems == []


@many
@given(steps)
def test_hubs_that_exchanged_everything_agree_and_nothing_sealed_is_lost(history: list):
    with world(history) as made:
        hubs = [store for store in made.stores if store.role == "hub"]
        laptops = [store for store in made.stores if store.role == "device"]
        for hub in hubs:
            for store in (*laptops, *hubs):
                sync(hub, [store.folder])
        for hub in hubs:
            for store in hubs:
                sync(hub, [store.folder])
        every, _ = made.everything()
        for hub in hubs:
            assert state(hub) == state(hubs[0])
            assert {record.header for record in records(hub)} == {record.header for record in every}
        for store in made.stores:
            report = current.verify(store)
            assert report.problems == []
            assert report.created == report.receipted + report.pending
        for row in current.interviews(hubs[0]):
            content = {h.id for h in headers(hubs[0], "interview", row["interview"]) if h.kind in CONTENT_KINDS}
            built_on = {p for h in headers(hubs[0], "interview", row["interview"]) for p in h.parents}
            assert content - built_on <= set(row["heads"])
            if row["state"] not in ("erased", "draft"):
                for head in row["heads"]:
                    said = current.content(hubs[0], row["interview"], head)
                    assert said["answers"] or said["contact"]
