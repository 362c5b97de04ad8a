"""Only what is new is measured and compared, and the findings are those that all interviews give from the beginning."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from survey.fieldwork.matches import Answered, matches
from survey.store import Store, current, feed, frame, quality
from survey.store.merge import unite
from survey.sync import rounds
from tests.laptops import keys, records
from tests.quality_field import MORNING, ROUND, answers, batteries, interview, paradata, set_up

NOW = MORNING + timedelta(days=30)
COMMUNES = ("k", "l", "m")
TABLES = ("quality", "quality_details", "quality_known", "quality_groups")


class _Undo(Exception):
    """Everything was only tried."""


def told(store: Store) -> dict[str, Any]:
    """The findings of the round, and all that is kept to make them."""
    found: dict[str, Any] = {"findings": quality.findings(store, ROUND, NOW)}
    for table in TABLES:
        columns = [name for _, name, *_ in store.execute(f"PRAGMA table_info({table})") if name != "compared"]
        found[table] = sorted(map(tuple, store.execute(f"SELECT {', '.join(columns)} FROM {table}")))
    return found


def from_the_beginning(store: Store) -> dict[str, Any]:
    """The same after everything kept was thrown away; the store is left as it was."""
    found = {}
    try:
        with store.transaction():
            quality.forget(store)
            found = told(store)
            raise _Undo
    except _Undo:
        return found


class Fieldwork:
    """Weeks on a hub, by chance: what comes, is corrected, decided, moved to another commune and erased."""

    def __init__(self, hub: Store, laptop: Store, seed: int):
        self.hub, self.laptop, self.source = hub, laptop, random.Random(seed)
        self.units, self.done, self.count = list[str](), list[str](), 0
        self.events = (
            [self.arrives] * 8
            + [self.arrives_before_its_unit, self.arrives_in_two_pieces, self.is_corrected, self.is_decided] * 2
            + [self.moves, self.is_erased, self.loses_its_contact, self.is_judged_otherwise]
        )

    def happens(self) -> None:
        """One thing more."""
        self.source.choice(self.events)()

    def given(self) -> dict[str, Any]:
        """Answers, some of them copied, so that matches are often equal."""
        if self.done and self.source.random() < 0.3:
            held = current.content(self.hub, self.source.choice(self.done))
            if held and held.get("answers"):
                return dict(held["answers"])
        leaning = self.source.choice((2, 4))
        scale: list[int | str] = [min(5, max(1, round(self.source.gauss(leaning, 0.7)))) for _ in range(24)]
        if self.source.random() < 0.2:
            scale[:10] = ["dont_know"] * 10
        return answers(scale, age=self.source.choice((19, 30, 31, 32, 55, 150)))

    def unit(self, *, issued: bool = True) -> str:
        """A unit of its own; ``issued``: its document is here."""
        self.count += 1
        name = f"v{self.count:04d}"
        if issued:
            self.place(name)
        return name

    def place(self, unit: str) -> None:
        """Puts a unit into one of the communes."""
        body = {"id": unit, "round": ROUND, "list": "main", "order": unit[1:], "commune": self.source.choice(COMMUNES)}
        frame.issue(self.hub, "unit", unit, body)
        self.units.append(unit)

    def write(self, store: Store, unit: str) -> None:
        """An interview at a unit, by one of three people, at a time that may overlap another."""
        given = self.given()
        at = MORNING + timedelta(minutes=self.source.randrange(1_000))
        contact = {"a/phone": f"0912 345 67{self.source.randrange(4)}"} if self.source.random() < 0.4 else None
        times = paradata(given, at=at, seconds=self.source.choice((0.7, 15.0, 17.0, 20.0)))
        self.done.append(
            interview(
                store, unit, given, actor=self.source.choice(("phoa", "plan", "pmai")), times=times, contact=contact
            )
        )

    def arrives(self) -> None:
        self.write(self.hub, self.unit())

    def arrives_before_its_unit(self) -> None:
        unit = self.unit(issued=False)
        self.write(self.hub, unit)
        if self.source.random() < 0.5:
            quality.refresh(self.hub)
        self.place(unit)

    def arrives_in_two_pieces(self) -> None:
        self.write(self.laptop, self.unit())
        whole = records(self.laptop)
        for record in (whole[-1]._replace(parts={}), whole[-1]._replace(parts={"answers": whole[-1].parts["answers"]})):
            unite(self.hub, [*whole[:-1], record], "", keys(self.laptop))
            if self.source.random() < 0.5:
                quality.findings(self.hub, ROUND, NOW)
        unite(self.hub, whole, "", keys(self.laptop))

    def is_corrected(self) -> None:
        for id in self.source.sample(self.done, min(1, len(self.done))):
            before = current.content(self.hub, id)
            if before and before.get("answers"):
                feed.append(
                    self.hub,
                    subject_type="interview",
                    subject=id,
                    kind="corrected",
                    parents=[before["head"]],
                    target=id[1:],
                    questionnaire_hash=batteries().hash,
                    actor="pchief",
                    parts={"answers": self.given(), "paradata": {}},
                )

    def is_decided(self) -> None:
        for id in self.source.sample(self.done, min(2, len(self.done))):
            state = self.hub.value("SELECT state FROM interviews WHERE interview = ?", (id,))
            if state in ("sealed", "approved", "returned", "voided"):
                kind = self.source.choice(("approved", "returned", "voided"))
                current.decide(self.hub, id, kind, reason="đã gọi lại", actor="pchief")

    def moves(self) -> None:
        for unit in self.source.sample(self.units, min(2, len(self.units))):
            self.place(unit)

    def is_erased(self) -> None:
        for id in self.source.sample(self.done, min(1, len(self.done))):
            current.erase(self.hub, "interview", id, "padmin")
            self.done.remove(id)

    def loses_its_contact(self) -> None:
        for id in self.source.sample(self.done, min(1, len(self.done))):
            current.erase(self.hub, "interview", id, "padmin", contact=True)

    def is_judged_otherwise(self) -> None:
        document = frame.round_document(self.hub, ROUND)
        limits = {"match": self.source.choice((0.3, 0.6)), "least": self.source.choice((3, 10))}
        rounds.issue_round(self.hub, {**document, "quality": limits})


def test_an_erased_interview_takes_along_what_its_commune_said(hub: Store):
    set_up(hub, {"k": 3, "l": 3})
    for unit in ("uk000", "uk001", "ul000"):
        interview(hub, unit, answers([4] * 24), contact={"a/phone": "0912 345 678"})
    quality.findings(hub, ROUND, NOW)
    assert hub.value("SELECT count(*) FROM quality_groups") == 2
    for contact_only, left in ((True, 1), (False, 0)):
        current.erase(hub, "interview", "iuk001" if contact_only else "iul000", "padmin", contact=contact_only)
        assert hub.value("SELECT count(*) FROM quality_groups") == left
    assert told(hub) == from_the_beginning(hub)
    assert hub.value("SELECT count(*) FROM quality_groups") == 1


PEOPLE = st.lists(
    st.tuples(
        st.sampled_from("abc"), st.integers(0, 2**24 - 1) | st.sampled_from((7, 2**24 - 1)), st.integers(0, 2**6)
    ),
    min_size=2,
    max_size=14,
)


@drawn(people=PEOPLE, kept=st.sets(st.integers(0, 13)), more=st.sets(st.integers(0, 13)))
def test_a_comparison_that_goes_on_is_one_from_the_beginning(
    people: list[tuple[str, int, int]], kept: set[int], more: set[int]
) -> None:
    everyone = [
        Answered(f"i{place}", who, bits & ~left_out, (2**24 - 1) & ~left_out)
        for place, (who, bits, left_out) in enumerate(sorted(people, key=lambda one: one[0]))
    ]
    first = [one for place, one in enumerate(everyone) if place in kept]
    second = [one for place, one in enumerate(everyone) if place in kept | more]
    codes = (0xFFF, 0xFFF000)
    between = matches(second, codes, matches(first, codes).compared)
    whole = matches(everyone, codes)
    on = matches(everyone, codes, between.compared)
    assert (on.nearest, on.expected, on.pairs) == (whole.nearest, whole.expected, whole.pairs)
    fewer = matches(first, codes, whole.compared)
    assert fewer == matches(first, codes)


@pytest.mark.soak
def test_what_is_new_gives_the_findings_that_everything_gives(
    hub: Store, device: Store, trials: Callable[[int, int], int]
):
    set_up(hub, {}, starts="2026-11-20", ends="2026-12-20")
    for seed in range(trials(1, 5)):
        work, checks = Fieldwork(hub, device, seed), set[str]()
        work.count = 1_000 * seed
        for turn in range(120):
            work.happens()
            if turn % 4 == 3:
                kept = told(hub)
                assert kept == from_the_beginning(hub), (seed, turn)
                checks |= {one.check for one in kept["findings"]}
        assert {"match", "short", "outlier", "respondent", "overlap", "dont_know"} <= checks
