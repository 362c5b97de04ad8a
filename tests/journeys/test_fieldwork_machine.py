"""Anything may happen to laptops and hubs, in any order: a state machine that Hypothesis drives.

Rules: interviews are made, corrected, decided on, settled, erased; sticks carry all or some of it, replies get lost;
programs die at any SQL statement; a disk is copied, a laptop is lost and restored from its second copy, a hub is wiped.

Invariants, by name:

* ``no_confirmed_answer_is_lost`` — every answer that was confirmed at a laptop is there: in its draft or in a revision.
* ``every_store_proves_itself`` — ``verify`` finds nothing: hashes, links, commitments, signatures, derived = rebuilt.
* ``what_was_created_is_receipted_or_pending`` — the law of conservation, in every store.
* ``no_receipt_claims_what_its_hub_does_not_hold`` — what counts as safe lies at that hub, every part of it.
* ``what_was_erased_stays_erased`` — where the tombstone is, no part of the content is.
* at the end: every order of everything gives one state; merging again changes nothing; hubs that met agree.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from survey.errors import SurveyError
from survey.store import Store, current, drafts, feed, receipts
from survey.store.header import CONTENT_KINDS, Record, hash_text
from survey.store.merge import unite
from survey.store.quarantine import quarantine
from survey.sync import backup
from survey.sync.exchange import export, sync
from tests.laptops import FORM, headers, keys, records, state
from tests.outside import SOAK
from tests.tried import tried

LAPTOPS, HUBS = 2, 2

TRIED: Counter[tuple[str, str]] = Counter()
"""How often each rule was tried and how it ended: done, refused (by a rule of the program), killed."""

which = st.integers(0, 9)
any_number = st.integers(0, 10_000)


class Place:
    """A laptop or a hub: its open store, and what it promised to the people in front of it."""

    def __init__(self, store: Store):
        self.store = store
        self.promised: dict[str, dict[str, str]] = {}
        """Interview → answers that :func:`drafts.save` confirmed."""
        self.copied: dict[str, dict[str, str]] | None = None
        """What was promised when the second copy was last made; None before the first."""

    @property
    def is_hub(self) -> bool:
        """Whether it receives."""
        return self.store.role == "hub"


_TEMPLATES: dict[str, Path] = {}


def _fresh(role: str, number: int, folder: Path) -> Store:
    """A new store; made once, since keys and tables take longer than the rest of a history."""
    name = f"{role}{number}"
    if name not in _TEMPLATES:
        home = Path(tempfile.mkdtemp(prefix="template-")) / name
        Store.create(home, role, tier="" if role == "device" else ("supervisor", "province")[number % 2]).close()
        _TEMPLATES[name] = home
    shutil.copytree(_TEMPLATES[name], folder)
    return Store.open(folder)


class Fieldwork(RuleBasedStateMachine):
    """Two laptops, two hubs, and what happens to them."""

    def __init__(self) -> None:
        super().__init__()
        TRIED["histories", "done"] += 1
        self.folder = Path(tempfile.mkdtemp())
        self.stick = self.folder / "stick"
        self.stick.mkdir()
        self.made = 0
        self.erased: set[str] = set()
        self.cloned = False
        self.wiped: set[str] = set()
        self._looked: dict[tuple[str, str], int] = {}
        self.places = [Place(self._store("device", n)) for n in range(LAPTOPS)]
        self.places += [Place(self._store("hub", n)) for n in range(HUBS)]

    def _store(self, role: str, number: int) -> Store:
        self.made += 1
        return _fresh(role, number, self.folder / f"s{self.made}")

    def teardown(self) -> None:
        """Everybody meets; then everything is looked at once more."""
        try:
            self._meet()
        finally:
            for place in self.places:
                place.store.close()
            shutil.rmtree(self.folder)

    # -- who and what ----------------------------------------------------------------------------------------------

    def place(self, number: int) -> Place:
        """One of all."""
        return self.places[number % len(self.places)]

    def laptop(self, number: int) -> Place:
        """One of the laptops."""
        laptops = [place for place in self.places if not place.is_hub]
        return laptops[number % len(laptops)]

    def hub(self, number: int) -> Place:
        """One of the hubs."""
        hubs = [place for place in self.places if place.is_hub]
        return hubs[number % len(hubs)]

    def known(self, store: Store, number: int) -> dict[str, Any] | None:
        """An interview that the store knows and that was sealed."""
        rows = [row for row in current.interviews(store) if row["heads"] and row["state"] != "erased"]
        return rows[number % len(rows)] if rows else None

    def open_drafts(self, number: int, choice: int) -> list[dict[str, Any]]:
        """The interviews that are being made at a laptop, at least one."""
        if not drafts.drafts(self.laptop(number).store):
            self.begin(number, choice % 4, choice % 10)
        return drafts.drafts(self.laptop(number).store)

    def attempt(self, place: Place, what: Callable[[Store], Any], dies_at: int = 0) -> bool:
        """Does ``what``, or dies at its ``dies_at``-th statement: then the machine goes on with what was on the disk at
        that moment. True when it was done and confirmed."""
        ended = self._attempt(place, what, dies_at)
        TRIED[what.__qualname__.split(".")[1], ended] += 1
        return ended == "done"

    def _attempt(self, place: Place, what: Callable[[Store], Any], dies_at: int) -> str:
        if not dies_at:
            try:
                what(place.store)
            except SurveyError:
                return "refused"
            return "done"
        self.made += 1
        image, stick, count = self.folder / f"s{self.made}", self.folder / "stick then", 0

        def statement(sql: str) -> None:
            nonlocal count
            count += 1
            if count == dies_at:
                # The shared memory dies with the program; what the system was told to write is written.
                shutil.copytree(place.store.folder, image, ignore=shutil.ignore_patterns("*-shm", "receipts"))
                shutil.copytree(self.stick, stick)

        place.store.db.set_trace_callback(statement)
        try:
            what(place.store)
            ended = "done"
        except SurveyError:
            ended = "refused"
        finally:
            place.store.db.set_trace_callback(None)
        if not image.exists():
            return ended
        # What it did after its death did not happen, on the stick neither.
        shutil.rmtree(self.stick)
        stick.rename(self.stick)
        place.store.close()
        place.store = Store.open(image)
        return "killed"

    dies = st.one_of(st.just(0), st.integers(1, 12), st.integers(1, 60))

    def changed(self, invariant: str) -> list[Place]:
        """The places whose stores were written to since this invariant last looked at them."""
        found = []
        for place in self.places:
            name, count = (invariant, place.store.folder.name), place.store.db.total_changes
            if self._looked.get(name) != count:
                self._looked[name] = count
                found.append(place)
        return found

    # -- interviews ------------------------------------------------------------------------------------------------

    @initialize()
    def one_sealed_and_one_open(self) -> None:
        """Every history begins with something to lose."""
        for number in range(LAPTOPS):
            self.begin(number, number, 1)
        (row,) = drafts.drafts(self.places[0].store)
        drafts.seal(self.places[0].store, row["interview"], {"q0": "1"}, {}, {"phone": "09"}, {}, "phoa")
        self.carry_it_there_and_back(0, LAPTOPS)

    @rule(number=which, unit=st.integers(0, 3), value=st.integers(0, 9))
    def begin(self, number: int, unit: int, value: int) -> None:
        """An interview is begun, and its first answer given."""
        place = self.laptop(number)
        interview = drafts.start(place.store, f"u{unit}", FORM, "phoa")
        drafts.save(place.store, interview, {"q0": str(value)})
        place.promised[interview] = {"q0": str(value)}
        TRIED["begin", "done"] += 1

    @rule(number=which, choice=any_number, question=st.integers(0, 4), value=st.integers(0, 9), dies=dies)
    def answer(self, number: int, choice: int, question: int, value: int, dies: int) -> None:
        """An answer is given; once it is confirmed it must never be gone."""
        place = self.laptop(number)
        open_drafts = self.open_drafts(number, choice)
        interview = open_drafts[choice % len(open_drafts)]["interview"]
        given = {f"q{question}": str(value)}
        promised = place.promised.setdefault(interview, {})
        if self.attempt(place, lambda store: drafts.save(store, interview, dict(given)), dies):
            promised.update(given)
        else:
            # Either value may stand now: the next confirmation says which.
            promised.pop(f"q{question}", None)

    @rule(number=which, choice=any_number, dies=dies)
    def seal(self, number: int, choice: int, dies: int) -> None:
        """An interview is finished."""
        place = self.laptop(number)
        open_drafts = self.open_drafts(number, choice)
        row = open_drafts[choice % len(open_drafts)]
        answers = drafts.answers(place.store, row["interview"])
        draft = drafts.draft(place.store, row["interview"])
        assert draft is not None
        kind = "corrected" if draft["parents"] else "sealed"
        self.attempt(
            place, lambda s: drafts.seal(s, row["interview"], answers, {}, {"phone": "09"}, {}, "phoa", kind), dies
        )

    @rule(number=which, choice=any_number)
    def take_up_again(self, number: int, choice: int) -> None:
        """A sealed interview is opened again to be corrected."""
        place = self.laptop(number)
        row = self.known(place.store, choice)
        if row is not None and self.attempt(
            place, lambda s: drafts.take_over(s, row["interview"], "phoa", row["heads"][0])
        ):
            place.promised[row["interview"]] = {}

    @rule(number=which, choice=any_number)
    def two_copies_of_a_laptop_correct_the_same_interview(self, number: int, choice: int) -> None:
        """A conflict comes about, and both sides reach a hub."""
        if len(self.places) == LAPTOPS + HUBS:
            self.copy_a_disk(number)
        twin = self.places[-1]
        others = [p for p in self.places if p is not twin and p.store.device == twin.store.device]
        if not others:
            return
        other = others[0]
        both = {row["interview"] for row in current.interviews(other.store) if row["head"] and row["state"] != "erased"}
        row = self.known(twin.store, choice)
        if row is None or row["interview"] not in both:
            return
        for value, place in (("8", twin), ("9", other)):
            if not self.attempt(place, lambda s: drafts.take_over(s, row["interview"], "phoa")):
                continue
            answers = {**drafts.answers(place.store, row["interview"]), "q0": value}
            place.promised.pop(row["interview"], None)
            drafts.seal(place.store, row["interview"], answers, {}, {}, {}, "phoa", "corrected")
            self.carry_it_there_and_back(self.places.index(place), self.places.index(self.hub(number)))

    @rule(
        number=which,
        choice=any_number,
        kind=st.sampled_from(["approved", "returned", "voided", "commented"]),
        dies=dies,
    )
    def decide(self, number: int, choice: int, kind: str, dies: int) -> None:
        """A supervisor decides."""
        place = self.hub(number)
        row = self.known(place.store, choice)
        if row is not None:
            head = row["heads"][choice % len(row["heads"])]
            self.attempt(place, lambda s: current.decide(s, row["interview"], kind, head, "vì sao", "psup"), dies)

    @rule(number=which, choice=any_number, dies=dies)
    def settle(self, number: int, choice: int, dies: int) -> None:
        """A supervisor settles a conflict, if there is one."""
        place = self.hub(number)
        rows = [row for row in current.interviews(place.store) if row["state"] == "conflict"]
        row = rows[choice % len(rows)] if rows else self.known(place.store, choice)
        if row is not None:
            answers: dict[str, Any] = {"q0": str(choice)}
            self.attempt(place, lambda s: current.settle(s, row["interview"], "", answers, "vì sao", "psup"), dies)

    @rule(number=which, choice=any_number, dies=dies)
    def erase(self, number: int, choice: int, dies: int) -> None:
        """Somebody withdraws consent."""
        place = self.place(number)
        row = self.known(place.store, choice)
        if row is not None:
            self.erased.add(row["interview"])
            self.attempt(place, lambda s: current.erase(s, "interview", row["interview"], "padmin"), dies)

    # -- on the way ------------------------------------------------------------------------------------------------

    @rule(giver=which, taker=which, dies=dies)
    def carry_a_stick(self, giver: int, taker: int, dies: int) -> None:
        """One writes a stick, the other reads it; the receipt, if there is one, stays on it."""
        if self.attempt(self.place(giver), lambda s: export(s, self.stick, plain=True)):
            self.attempt(self.place(taker), lambda s: sync(s, [self.stick]), dies)

    @rule(giver=which, taker=which)
    def carry_it_there_and_back(self, giver: int, taker: int) -> None:
        """One hands over and gets a receipt."""
        with tempfile.TemporaryDirectory(dir=self.folder) as stick:
            if not self.attempt(self.place(giver), lambda s: export(s, stick, plain=True)):
                return
            for one in (taker, giver):
                self.attempt(self.place(one), lambda s: sync(s, [stick]))

    @rule(number=which, choices=st.lists(any_number, min_size=1, max_size=4), thousandth=st.integers(0, 999))
    def some_of_the_files_arrive_in_any_order(self, number: int, choices: list[int], thousandth: int) -> None:
        """A few of the files that ever lay on the stick, some twice, one of them cut."""
        files = [*self.stick.glob("bundles/*.bundle"), *self.stick.glob("receipts/*.receipt")]
        if not files:
            return
        files.sort(key=lambda file: (file.suffix, file.stat().st_mtime_ns))
        chosen = [files[choice % len(files)] for choice in choices]
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            cut = Path(folder) / ("cut" + chosen[0].suffix)
            content = chosen[0].read_bytes()
            cut.write_bytes(content[: len(content) * thousandth // 1000])
            self.attempt(self.place(number), lambda s: sync(s, [*chosen, cut]))

    # -- accidents -------------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.places) < LAPTOPS + HUBS + 1)
    @rule(number=which)
    def copy_a_disk(self, number: int) -> None:
        """A laptop's disk is copied and both go on."""
        place = self.laptop(number)
        place.store.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self.made += 1
        folder = self.folder / f"s{self.made}"
        shutil.copytree(place.store.folder, folder)
        twin = Place(Store.open(folder))
        twin.promised = {interview: dict(answers) for interview, answers in place.promised.items()}
        self.places.append(twin)
        self.cloned = True
        TRIED["copy_a_disk", "done"] += 1

    @rule(number=which)
    def back_up(self, number: int) -> None:
        """The second copy is brought up to date."""
        place = self.laptop(number)
        copies = self.folder / f"copies{self.places.index(place)}"
        copies.mkdir(exist_ok=True)
        if self.attempt(place, lambda s: backup.back_up(s, copies)):
            place.copied = {interview: dict(answers) for interview, answers in place.promised.items()}

    @rule(number=which)
    def lose_a_laptop_and_restore_it(self, number: int) -> None:
        """A laptop is gone; its second copy is all there is."""
        place = self.laptop(number)
        if place.copied is None:
            return
        copies = self.folder / f"copies{self.places.index(place)}"
        self.made += 1
        instance = self.folder / f"s{self.made}"
        place.store.close()
        backup.restore(copies, instance, lambda folder: None)
        place.store = Store.open(instance)
        place.promised = {interview: dict(answers) for interview, answers in place.copied.items()}
        TRIED["lose_a_laptop_and_restore_it", "done"] += 1

    @rule(number=which)
    def wipe_a_hub(self, number: int) -> None:
        """A hub is set up anew and gets a new name; the devices feed it again."""
        place = self.hub(number)
        self.wiped.add(place.store.device)
        place.store.close()
        self.made += 1
        place.store = Store.create(self.folder / f"s{self.made}", "hub", tier=place.store.tier)
        TRIED["wipe_a_hub", "done"] += 1

    # -- what always holds -------------------------------------------------------------------------------------------

    @invariant()
    def no_confirmed_answer_is_lost(self) -> None:
        """Every confirmed answer is in a draft or in a revision of its interview, unless the interview was erased."""
        for place in self.changed("no_confirmed_answer_is_lost"):
            for interview, answers in place.promised.items():
                if not answers or interview in self.erased:
                    continue
                found = {
                    (path, value) for content in _contents(place.store, interview) for path, value in content.items()
                }
                assert answers.items() <= found, interview

    @invariant()
    def every_store_proves_itself(self) -> None:
        """Nothing that ``verify`` looks for; a twin whose other half has not come is told as such."""
        for place in self.changed("every_store_proves_itself"):
            problems = current.verify(place.store).problems
            assert [p for p in problems if not (self.cloned and "a cloned disk?" in p.what.en)] == []

    @invariant()
    def what_was_created_is_receipted_or_pending(self) -> None:
        """The law of conservation."""
        for place in self.changed("what_was_created_is_receipted_or_pending"):
            told = receipts.conservation(place.store)
            assert told.created == told.receipted + told.pending

    @invariant()
    def no_receipt_claims_what_its_hub_does_not_hold(self) -> None:
        """What counts as safe at a hub lies there, with every part that is held here."""
        hubs = {place.store.device: place.store for place in self.places if place.is_hub}
        for place in self.changed("no_receipt_claims_what_its_hub_does_not_hold"):
            rows = place.store.execute(
                "SELECT r.number, r.id, r.subject, t.hub FROM receipted t JOIN revisions r ON r.number = t.revision"
            )
            for number, id, subject, device in rows.fetchall():
                if device in self.wiped:
                    continue
                there = hubs[device].value("SELECT number FROM revisions WHERE id = ?", (id,))
                assert there is not None
                if subject not in self.erased:
                    here = place.store.execute("SELECT name FROM parts WHERE revision = ?", (number,)).fetchall()
                    assert set(here) <= set(
                        hubs[device].execute("SELECT name FROM parts WHERE revision = ?", (there,)).fetchall()
                    )

    @invariant()
    def what_was_erased_stays_erased(self) -> None:
        """Where the tombstone is, nothing else of the interview has a part, and no draft is open."""
        for place in self.changed("what_was_erased_stays_erased"):
            for (interview,) in place.store.execute("SELECT subject FROM erased").fetchall():
                left = place.store.value(
                    "SELECT count(*) FROM parts p JOIN revisions r ON r.number = p.revision"
                    " WHERE r.subject = ? AND r.kind <> 'erased'",
                    (interview,),
                )
                assert left == 0
                assert drafts.draft(place.store, interview) is None

    # -- the end -----------------------------------------------------------------------------------------------------

    def _meet(self) -> None:
        """Everything comes together: in any order it is one state, and hubs that met agree."""
        every: dict[bytes, Record] = {}
        public: dict[str, bytes] = {}
        for place in self.places:
            drafts.partials(place.store)
            public |= keys(place.store)
            for record in records(place.store):
                before = every.get(record.header)
                every[record.header] = record if before is None else record._replace(parts=before.parts | record.parts)
        order, chance = list(every.values()), random.Random(len(every))
        states = []
        for number in range(2):
            self.made += 1
            with _fresh("hub", 9, self.folder / f"s{self.made}") as meeting:
                for start in range(0, len(order), 7 if number else max(1, len(order))):
                    unite(meeting, order[start : start + (7 if number else len(order))], "", public)
                states.append(state(meeting))
                if number:
                    again = unite(meeting, order, "", public)
                    assert (again.new, again.late_parts) == (0, 0)
                    assert state(meeting) == states[0]
                    assert quarantine(meeting) == []
                    assert current.verify(meeting).problems == []
                    self._nothing_sealed_is_missing(meeting, {hash_text(one.header) for one in order if _told(one)})
            chance.shuffle(order)
        assert states[0] == states[1]

    def _nothing_sealed_is_missing(self, meeting: Store, told: set[str]) -> None:
        """Every content that nobody built on is a head, and can be read when anybody still has it: what only a laptop
        had that was lost before its next copy is gone."""
        for row in current.interviews(meeting):
            content = [h for h in headers(meeting, "interview", row["interview"]) if h.kind in CONTENT_KINDS]
            built_on = {parent for header in content for parent in header.parents}
            if row["state"] not in ("erased", "draft"):
                assert {header.id for header in content} - built_on <= set(row["heads"])
                for head in told.intersection(row["heads"]):
                    current.content(meeting, row["interview"], head)


def _told(record: Record) -> bool:
    return "answers" in record.parts


def _contents(store: Store, interview: str) -> list[dict[str, Any]]:
    """Every version of an interview's answers that the store holds: the draft's and each revision's."""
    found = [dict(drafts.answers(store, interview))] if drafts.draft(store, interview) else []
    for header in headers(store, "interview", interview):
        for part in ("answers", "contact"):
            content = feed.part_json(store, header.id, part)
            if isinstance(content, dict):
                found.append(content)
    return found


@pytest.mark.soak
@pytest.mark.parametrize("quarter", range(4 if SOAK else 1))
def test_nothing_is_lost_whatever_happens_in_whatever_order(quarter: int):
    """2,000 histories in ``make soak``, in four parts that can run beside each other; the same 40 in every suite."""
    TRIED.clear()
    run_state_machine_as_test(
        Fieldwork,
        settings=settings(
            max_examples=500 if SOAK else 40,
            stateful_step_count=20,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
        ),
    )
    tried(TRIED["histories", "done"])
    for (name, ended), times in sorted(TRIED.items()):
        print(f"{name:40} {ended:8} {times:7,}")
