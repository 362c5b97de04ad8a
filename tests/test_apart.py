"""A hub's stick: each laptop finds what is meant for it, and cannot open what is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from survey.store import Store, current, frame
from survey.store.header import read_header
from survey.store.merge import unite
from survey.sync import exchange, rounds
from survey.sync.bundle import NotForUs, read_bundle
from survey.sync.keys import publish_age_key, readers
from tests import laptops

PASSPHRASE = "bốn con voi uống trà"
NAMES = {"a": "Đặng Thị Hoà", "b": "Quàng Văn Ơn"}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Store]:
    """An encrypted hub with a round and two households, each somebody's."""
    with Store.create(tmp_path / "hub", "hub", name="hub", passphrase=PASSPHRASE) as store:
        rounds.issue_round(store, {"id": "r1", "title": {"vi": "Đợt", "en": "Round"}})
        for who, name in NAMES.items():
            frame.issue(store, "user", f"p{who}", {"id": f"p{who}", "name": who, "roles": ["enumerator"]})
            unit = {"id": f"u{who}", "round": "r1", "assignee": f"p{who}"}
            frame.issue(store, "unit", f"u{who}", unit, {"name": name})
        yield store


@pytest.fixture
def team(tmp_path: Path, office: Store) -> Iterator[dict[str, Store]]:
    """Two encrypted laptops, enrolled for one person each."""
    made = {who: Store.create(tmp_path / who, name=who, passphrase=PASSPHRASE) for who in NAMES}
    for who, store in made.items():
        exchange.export(store, tmp_path / "first")
        exchange.sync(office, [tmp_path / "first"])
        rounds.enrol(office, frame.document(office, "device", store.device) or {}, people=[f"p{who}"])
    for store in made.values():
        fingerprint = rounds.signed_by(frame.round_document(office, "r1"))
        rounds.confirm(store, fingerprint)
    yield made
    for store in made.values():
        store.close()


def readable(store: Store, stick: Path) -> set[tuple[str, str]]:
    """(subject, part) of everything that this machine can open on a stick."""
    found = set()
    for file in (stick / "bundles").glob("*.bundle"):
        try:
            records = list(read_bundle(file, store).records())
        except NotForUs:
            continue
        found |= {(read_header(record.header).subject, part) for record in records for part in record.parts}
    return found


def test_each_laptop_can_open_its_own_parts_and_not_those_of_another(
    office: Store, team: dict[str, Store], tmp_path: Path
) -> None:
    id = laptops.interview(team["a"], "ua", actor="pa")
    exchange.export(team["a"], tmp_path / "up")
    exchange.sync(office, [tmp_path / "up"])
    current.decide(office, id, "returned", reason="hỏi lại câu 3", actor="pa")
    usb = tmp_path / "usb"
    assert exchange.export(office, usb).path is not None
    mine, others = readable(team["a"], usb), readable(team["b"], usb)
    assert {("ua", "contact"), ("ua", "document"), ("ub", "document"), (id, "answers"), (id, "decision")} <= mine
    assert ("ub", "contact") in others
    assert not {("ua", "contact"), (id, "answers"), (id, "contact"), (id, "decision")} & others
    assert ("ub", "contact") not in mine
    for who, store in team.items():
        report = exchange.sync(store, [usb])
        assert (report.problems, report.quarantined) == ([], [])
        for unit in ("ua", "ub"):
            wanted = {"name": NAMES[who]} if unit == f"u{who}" else {}
            assert frame.contact(store, "unit", unit) == wanted
            assert frame.unit(store, unit) is not None, "the document of every unit is for all"
        assert current.verify(store).problems == []
    assert current.interviews(team["a"], interview=id)[0]["state"] == "returned"
    # The stick comes back to the hub, which wrote it, and asks nothing of anybody.
    assert exchange.sync(office, [usb]).needs_a_person is False


def test_a_hub_above_can_open_everything_and_laptops_nothing_of_what_goes_up(
    office: Store, team: dict[str, Store], tmp_path: Path
) -> None:
    id = laptops.interview(team["a"], "ua", actor="pa")
    exchange.export(team["a"], tmp_path / "up")
    exchange.sync(office, [tmp_path / "up"])
    with Store.create(tmp_path / "province", "hub", tier="province", passphrase=PASSPHRASE) as province:
        publish_age_key(province)
        unite(office, laptops.records(province), "stick", laptops.keys(province))
        rounds.enrol(office, frame.document(office, "device", province.device) or {})
        assert len(readers(office).above) == 1
        usb = tmp_path / "usb"
        exchange.export(office, usb)
        assert (id, "answers") in readable(province, usb)
        assert {("ua", "contact"), ("ub", "contact")} <= readable(province, usb)
        assert (id, "answers") not in readable(team["a"], usb) | readable(team["b"], usb)
        report = exchange.sync(province, [usb])
        assert (report.problems, report.quarantined) == ([], [])
        assert current.content(province, id)["answers"] == {"q1": "4", "q2": "5"}


def test_a_unit_that_changes_hands_brings_its_name_on_the_next_stick(
    office: Store, team: dict[str, Store], tmp_path: Path
) -> None:
    exchange.export(office, tmp_path / "one")
    exchange.sync(team["b"], [tmp_path / "one"])
    assert frame.contact(team["b"], "unit", "ua") == {}
    document = frame.unit(office, "ua") or {}
    frame.issue(office, "unit", "ua", {**document, "assignee": "pb"}, frame.contact(office, "unit", "ua"))
    exchange.export(office, tmp_path / "two")
    exchange.sync(team["b"], [tmp_path / "two"])
    assert frame.contact(team["b"], "unit", "ua") == {"name": NAMES["a"]}


def test_the_envelopes_name_the_readers_and_no_more(office: Store, team: dict[str, Store], tmp_path: Path) -> None:
    exchange.export(office, tmp_path / "usb")
    counts = sorted(
        len(json.loads(file.read_bytes().split(b"\n", 1)[0])["recipients"])
        for file in (tmp_path / "usb" / "bundles").glob("*.bundle")
    )
    assert counts == [2, 2, 3], "one for each laptop and the hub, one for all"
