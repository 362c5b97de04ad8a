"""Gaps, forks and restored laptops are seen, and nothing of them is lost."""

from __future__ import annotations

import json
from pathlib import Path

from survey.store import Store, current, drafts, receipts
from survey.store.merge import unite
from survey.sync.exchange import export, sync
from tests.laptops import FORM, clone, correct, headers, interview, keys, records, state
from tests.test_current import kinds


def test_entries_after_a_gap_are_taken_and_the_gap_is_told(device: Store, hub: Store):
    for unit in ("u1", "u2", "u3"):
        interview(device, unit)
    every = records(device)
    assert unite(hub, [every[0], every[3]], "", keys(device)).new == 2
    assert kinds(hub) == ["gap"]
    assert "entries 2–3 have not come" in [f.what.en for f in current.findings(hub)]
    unite(hub, every[1:3], "", keys(device))
    assert kinds(hub) == []
    unite(hub, every, "", keys(device))
    assert kinds(hub) == []


def test_a_cloned_disk_is_seen_and_both_sides_count(device: Store, hub: Store, tmp_path: Path):
    interview(device, "u1")
    with clone(device, tmp_path / "clone") as twin:
        mine, theirs = interview(device, "u2"), interview(twin, "u3")
        unite(hub, records(device), "", keys(device))
        assert kinds(hub) == []
        unite(hub, records(twin), "", keys(twin))
        assert {row["interview"] for row in current.interviews(hub)} >= {mine, theirs}
        assert kinds(hub) == ["forked"]
        receipt = receipts.make_receipt(hub)
        for laptop in (device, twin):
            receipts.read_receipt(laptop, receipt)
    assert current.verify(hub).problems == []
    # One of the two holds the entry that the receipt names as the feed's last; the other begins a new feed.
    named = [
        feed_["head"] for feed_ in json.loads(receipt.split(b"\n")[0])["feeds"] if feed_["device"] == device.device
    ]
    assert len(named) == 1


def test_the_same_draft_on_a_copied_disk_gives_two_versions_and_a_person_decides(
    device: Store, hub: Store, tmp_path: Path
):
    draft = drafts.start(device, "u1", FORM, "phoa")
    drafts.save(device, draft, {"q1": "1", "q2": "2"})
    with clone(device, tmp_path / "clone") as twin:
        said = {}
        for laptop, value in ((device, "4"), (twin, "5")):
            drafts.save(laptop, draft, {"q2": value})
            given = drafts.answers(laptop, draft)
            said[drafts.seal(laptop, draft, given, {}, {}, {}, "phoa")] = given
            unite(hub, records(laptop), "", keys(laptop))
    (row,) = current.interviews(hub)
    assert (row["state"], set(row["heads"])) == ("conflict", set(said))
    assert {head: current.content(hub, draft, head)["answers"] for head in row["heads"]} == said
    assert kinds(hub) == ["conflict", "forked"]
    current.settle(hub, draft, row["heads"][0], reason="đã gọi lại", actor="psup")
    assert current.interviews(hub)[0]["state"] == "sealed"
    assert current.verify(hub).problems == []


def test_verify_tells_an_entry_whose_predecessor_here_is_its_twins(device: Store, hub: Store, tmp_path: Path):
    with clone(device, tmp_path / "clone") as twin:
        interview(device, "u1")
        interview(device, "u3")
        interview(twin, "u2")
        unite(hub, records(twin), "", keys(twin))
    mine = records(device)
    unite(hub, mine[2:], "", keys(device))
    (problem,) = current.verify(hub).problems
    assert "follows another entry than the one held before it" in problem("en")
    unite(hub, mine, "", keys(device))
    assert current.verify(hub).problems == []


def test_a_clone_does_not_take_its_twins_receipt_for_its_own(device: Store, hub: Store, tmp_path: Path):
    with clone(device, tmp_path / "clone") as twin:
        interview(device, "u1")
        unite(hub, records(device), "", keys(device))
        mine = interview(twin, "u2")
        before = twin.epoch
        receipts.read_receipt(twin, receipts.make_receipt(hub))
        assert receipts.safe_at(twin, mine) == ["device"]
        assert twin.epoch != before
        interview(twin, "u3")
        unite(hub, records(twin), "", keys(twin))
        receipts.read_receipt(twin, receipts.make_receipt(hub))
        assert receipts.conservation(twin).created == 3
    assert len(current.interviews(hub)) == 3


def test_a_forked_entry_is_receipted_by_name(device: Store, hub: Store, tmp_path: Path):
    with clone(device, tmp_path / "clone") as twin:
        interview(device, "u1")
        interview(twin, "u2")
        for laptop in (device, twin):
            unite(hub, records(laptop), "", keys(laptop))
        head = max(row["head"] for row in current.interviews(hub))
        receipt = receipts.make_receipt(hub)
        told = json.loads(receipt.split(b"\n")[0])["feeds"]
        (forked,) = [entry for entry in told if entry["device"] == device.device]
        assert forked["held"] == [[1, 2]]
        assert len(forked["forks"]["2"]) == 2
        assert head in forked["forks"]["2"]


def test_of_two_entries_with_one_number_only_the_one_that_the_hub_names_is_safe(
    device: Store, hub: Store, tmp_path: Path
):
    with clone(device, tmp_path / "clone") as twin:
        mine, twins = interview(device, "u1"), interview(twin, "u2")
        unite(hub, records(twin), "", keys(twin))
        unite(device, records(twin), "", keys(twin))
    receipts.read_receipt(device, receipts.make_receipt(hub))
    assert receipts.safe_at(device, mine) == ["device"]
    unite(hub, records(device), "", keys(device))
    receipts.read_receipt(device, receipts.make_receipt(hub))
    assert receipts.safe_at(device, mine) == receipts.safe_at(device, twins) == ["device", "supervisor"]


def test_a_copied_disk_whose_entries_reached_two_hubs_is_told_only_what_each_of_them_holds(
    device: Store, hub: Store, province: Store, stick: Path, tmp_path: Path
):
    def hand_over(laptop: Store, to: Store, name: str) -> None:
        export(laptop, stick / name)
        sync(to, [stick / name])
        sync(laptop, [stick / name])

    interview(device, "u1")
    with clone(device, tmp_path / "clone") as twin:
        interview(device, "u2")
        hand_over(device, province, "1")
        mine = interview(twin, "u3")
        hand_over(twin, hub, "2")
        # The hub has u3, so this stick carries u4 alone; the province has the other laptop's entry where u3 belongs.
        later = interview(twin, "u4")
        hand_over(twin, province, "3")
        assert "forked" in kinds(province)
        held = {header.id for header in headers(province)}
        named = twin.execute(
            "SELECT r.id FROM receipted t JOIN revisions r ON r.number = t.revision WHERE t.hub = ?", (province.device,)
        )
        assert {"sha256:" + raw.hex() for (raw,) in named} <= held
        assert "province" in receipts.safe_at(twin, later)
        export(hub, stick / "4")
        sync(province, [stick / "4"])
        sync(twin, [stick / "4"])
        assert "province" in receipts.safe_at(twin, mine)


def test_an_entry_of_a_copied_disk_that_has_not_come_is_not_counted_as_lost(device: Store, tmp_path: Path):
    with clone(device, tmp_path / "clone") as twin:
        for unit in ("u1", "u2", "u3"):
            interview(twin, unit)
        first, *_, last = records(twin)
        before = device.epoch
        unite(device, [first, last], "", keys(twin))
        assert device.epoch != before
        interview(device, "u4")
        told = receipts.conservation(device)
        assert told.created == told.receipted + told.pending == 3
        assert "gap" in kinds(device)
        assert current.verify(device).problems == []


def test_a_laptop_restored_from_a_backup_begins_a_new_feed_when_it_meets_its_own_entries(
    device: Store, hub: Store, stick: Path, tmp_path: Path
):
    with clone(device, tmp_path / "backup") as restored:
        lost = interview(device, "u1")
        export(device, stick)
        sync(hub, [stick])
        before = restored.epoch
        sync(restored, [stick])
        assert restored.epoch != before
        assert [row["interview"] for row in current.interviews(restored)] == [lost]
        interview(restored, "u2")
        unite(hub, records(restored), "", keys(restored))
    assert len(current.interviews(hub)) == 2
    assert "forked" not in kinds(hub)


def test_two_hubs_that_each_got_half_agree_once_they_met(device: Store, hub: Store, province: Store, tmp_path: Path):
    id = interview(device, "u1")
    correct(device, id, {"q1": "1"})
    interview(device, "u2")
    every = records(device)
    unite(hub, every[:2], "", keys(device))
    unite(province, every[2:], "", keys(device))
    assert sorted(kinds(province)) == ["gap", "parent"]
    unite(hub, records(province), "", keys(province))
    unite(province, records(hub), "", keys(hub))
    assert state(hub) == state(province)
    assert kinds(hub) == []
