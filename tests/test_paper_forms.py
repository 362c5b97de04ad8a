"""Paper forms handed out, collected, lost: states by person and date, and whether a village adds up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from survey.errors import InputError
from survey.paper import states
from survey.paper.serial import Serial, serial
from survey.store import Store, current, feed, frame, paper, verify
from survey.store.merge import unite
from tests import field, laptops
from tests.field import HOA, LAN, ROUND, Clock, Visitor

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=timezone(timedelta(hours=7)))


def number(n: int) -> Serial:
    return serial(ROUND, field.small().hash, n)


@pytest.fixture
def store(device: Store) -> Store:
    field.set_up(device, field.small())
    return device


# -- one form ------------------------------------------------------------------------------------------------------


def test_each_step_of_a_form_is_a_signed_revision_with_person_and_date(store: Store) -> None:
    paper.record(store, ROUND, number(1), "issued", HOA, unit="u1", due="2026-11-25", now=NOW)
    form = paper.record(store, ROUND, number(1), "collected", LAN, now=NOW + timedelta(days=2))
    assert (form.state, form.by, form.unit, form.time[:10]) == ("collected", LAN, "u1", "2026-11-25")
    steps = paper.history(store, form.id)
    assert [(step["state"], step["by"]) for step in steps] == [("issued", HOA), ("collected", LAN)]
    first, second = feed.revisions(store, "visit", form.id)
    assert second.parents == (first.id,)
    assert not verify.verify(store).problems


def test_the_visits_of_the_unit_tell_that_a_form_was_left(store: Store) -> None:
    paper.record(store, ROUND, number(1), "issued", HOA, unit="u1", now=NOW)
    assert [visit["disposition"] for visit in frame.visits(store, "u1")] == ["0.1"]


@pytest.mark.parametrize(
    ("before", "step", "said"),
    [
        ([], "collected", "not recorded as handed out"),
        (["issued"], "issued", "left at the household already"),
        (["issued", "collected"], "collected", "collected already"),
        (["issued", "lost"], "lost", "spoilt or lost already"),
        (["issued", "collected", "keyed"], "lost", "keyed already"),
    ],
)
def test_a_step_that_does_not_follow_is_refused_and_changes_nothing(
    store: Store, before: list[str], step: str, said: str
) -> None:
    for one in before:
        paper.record(store, ROUND, number(1), one, HOA, unit="u1", now=NOW)
    count = store.value("SELECT count(*) FROM revisions")
    with pytest.raises(InputError, match=said):
        paper.record(store, ROUND, number(1), step, HOA, unit="u1", now=NOW)
    assert store.value("SELECT count(*) FROM revisions") == count


def test_a_form_that_was_lost_and_is_found_is_collected(store: Store) -> None:
    for step in ("issued", "lost", "collected"):
        form = paper.record(store, ROUND, number(1), step, HOA, unit="u1", now=NOW)
    assert form.state == "collected"


def test_a_range_is_handed_out_whole_or_not_at_all(store: Store) -> None:
    paper.record(store, ROUND, number(2), "issued", HOA, unit="u4", now=NOW)
    with pytest.raises(InputError, match="already"):
        paper.issue_range(store, ROUND, [number(1), number(2)], ["u1", "u2"], HOA)
    assert [form.serial for form in paper.forms(store)] == [number(2).printed]
    with pytest.raises(InputError, match="only 1 household "):
        paper.issue_range(store, ROUND, [number(5), number(6)], ["u1"], HOA)


def test_the_check_character_finds_a_slip_and_the_form_of_another_round(store: Store) -> None:
    document = frame.round_document(store, ROUND)
    right = number(12)
    assert paper.read_serial(f"12{right.check.lower()}", document) == right
    assert paper.read_serial(right.qr, document) == right
    other = serial("r2025", field.small().hash, 12)
    for wrong in (f"21-{right.check}", "12", other.printed if other.check != right.check else other.qr, other.qr):
        with pytest.raises(InputError):
            paper.read_serial(wrong, document)


# -- two laptops ---------------------------------------------------------------------------------------------------


def two_laptops(tmp_path: Path, first: list[str], second: list[str], units: tuple[str, str] = ("u1", "u1")) -> Store:
    """A hub that received steps of form 1 from two laptops that did not know of each other."""
    hub = Store.create(tmp_path / "hub", "hub")
    field.set_up(hub, field.small())
    for name, steps, unit in (("one", first, units[0]), ("two", second, units[1])):
        with Store.create(tmp_path / name) as laptop:
            for step in steps:
                paper.record(laptop, ROUND, number(1), step, HOA, unit=unit, now=NOW)
            report = unite(hub, laptops.records(laptop), "", laptops.keys(laptop))
            assert not report.quarantined
    return hub


def test_what_two_laptops_tell_of_one_form_is_united_where_it_agrees(tmp_path: Path) -> None:
    with two_laptops(tmp_path, ["issued"], ["issued", "collected"]) as hub:
        (form,) = paper.forms(hub)
        assert form.state == "collected"
        assert paper.tallies(hub, ROUND)["03646-07"] == states.Tally(issued=1, collected=1)
        assert not [finding for finding in current.findings(hub) if finding.kind in ("form", "forms", "document")]


@pytest.mark.parametrize(
    ("first", "second", "units"),
    [
        (["issued", "lost"], ["issued", "collected"], ("u1", "u1")),
        (["issued"], ["issued"], ("u1", "u2")),
    ],
    ids=["lost here, collected there", "one number at two households"],
)
def test_a_form_in_dispute_breaks_the_sum_of_its_village_and_is_a_finding(
    tmp_path: Path, first: list[str], second: list[str], units: tuple[str, str]
) -> None:
    with two_laptops(tmp_path, first, second, units) as hub:
        tally = paper.tallies(hub, ROUND)["03646-07"]
        assert (tally.issued, tally.collected, tally.outstanding, tally.lost) == (1, 0, 0, 0)
        assert not tally.holds
        assert [finding.kind for finding in current.findings(hub) if finding.kind.startswith("form")][:2] == [
            "form",
            "forms",
        ]
        # Whoever finds the sheet of paper records it anew, and the village adds up.
        paper.record(hub, ROUND, number(1), "collected", LAN, unit="u1", now=NOW)
        assert paper.tallies(hub, ROUND)["03646-07"].holds
        assert not [finding for finding in current.findings(hub) if finding.kind.startswith("form")]


@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from([*states.STATES, states.DISPUTED])), max_size=30).map(dict)
)
def test_a_village_adds_up_exactly_when_no_form_is_in_dispute(stands: dict[int, str]) -> None:
    tally = states.tally(states.Form(f"f{n}", str(n), "u", "r", state) for n, state in stands.items())
    assert tally.issued == len(stands)
    assert tally.holds == (states.DISPUTED not in stands.values())
    assert tally.keyed + tally.invalid <= tally.collected


@given(st.permutations([{"state": "issued", "unit": "u1"}, {"state": "collected", "unit": "u1"}, {"state": "lost"}]))
def test_the_order_in_which_documents_arrive_decides_nothing(heads: list[dict[str, str]]) -> None:
    assert states.merged("f1", heads) == states.merged("f1", list(reversed(heads)))
    assert states.merged("f1", heads[:2]) == states.merged("f1", heads[1::-1])


# -- the page ------------------------------------------------------------------------------------------------------


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(store: Store, instance: Path, clock: Clock) -> Iterator[Flask]:
    with field.running(instance, clock) as app:
        yield app


@pytest.fixture
def hoa(app: Flask) -> Visitor:
    person = Visitor(app)
    person.sign_in(HOA)
    return person


def out(hoa: Visitor, first: str, last: str = "", **fields: str) -> str:
    hoa.get("/paper", do="issued")
    return hoa.post("/paper", do="issued", village="03646-07", serial=first, last=last, **fields).text


def test_a_range_goes_to_the_households_in_the_order_drawn(hoa: Visitor, store: Store) -> None:
    said = out(hoa, number(1).printed, number(3).printed, due="25/11/2026")
    assert "Đã phát 3 phiếu" in said
    assert [(form.unit, form.due) for form in paper.forms(store)] == [(u, "2026-11-25") for u in ("u1", "u2", "u3")]


def test_one_form_goes_to_the_household_that_is_chosen(hoa: Visitor, store: Store) -> None:
    out(hoa, number(7).printed, unit="u3", due="25/11/2026")
    (form,) = paper.forms(store)
    assert (form.serial, form.unit) == (number(7).printed, "u3")


@pytest.mark.parametrize("wrong", ["12-0", "hello", "", "000012"])
def test_a_wrong_serial_is_said_and_stays_in_the_box(hoa: Visitor, store: Store, wrong: str) -> None:
    hoa.get("/paper")
    page = hoa.post("/paper", do="collected", serial=wrong)
    assert page.status_code == 400
    assert 'role="alert"' in page.text
    assert f'value="{wrong}"' in page.text
    assert paper.forms(store) == []


def test_today_lists_a_form_on_the_day_it_is_due_and_calls_nobody_back_for_it(
    hoa: Visitor, store: Store, clock: Clock
) -> None:
    out(hoa, number(1).printed, due="25/11/2026")
    page = hoa.get("/today").text
    assert "1 phiếu giấy chưa đến hạn thu" in page
    assert "Phiếu giấy đến hạn thu" not in page
    clock.go_on(days=2)
    hoa.sign_in(HOA)
    page = hoa.get("/today").text
    assert "Phiếu giấy đến hạn thu" in page
    assert number(1).printed in page
    assert "<h2>Đến lại</h2>" not in page
    hoa.post("/paper", do="collected", serial=number(1).printed)
    assert "Phiếu giấy đến hạn thu" not in hoa.get("/today").text


def test_nobody_collects_the_forms_of_another_enumerator(app: Flask, store: Store, hoa: Visitor) -> None:
    frame.issue(store, "user", "pkhac", {"id": "pkhac", "name": "Khác", "roles": ["enumerator"]})
    frame.issue(store, "unit", "u9", {**field.unit_document("u9", 9), "assignee": "pkhac"})
    paper.record(store, ROUND, number(9), "issued", "pkhac", unit="u9", now=NOW)
    hoa.get("/paper")
    assert hoa.post("/paper", do="collected", serial=number(9).printed).status_code == 404
    assert hoa.get(f"/paper/forms/{states.form_id(ROUND, number(9))}").status_code == 404
