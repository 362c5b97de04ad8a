"""Exchange.

1. What is handed over is safe when a receipt that verifies says so, and not before.
2. Merging is the union: again, in another order, in pieces, from another store.
3. What does not verify is set aside by name; the rest goes on; a later good copy clears it.
4. Gaps, forks and restored laptops are seen, and nothing of them is lost.
5. A laptop does not get what others were told.
6. The command line says all this and gives the exit codes.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from survey.cli import cli
from survey.errors import InputError, StoreError, VerifyError
from survey.store import Store, current, drafts, frame, receipts
from survey.store.header import Part, Record, hash_text
from survey.store.merge import unite
from survey.store.quarantine import dismiss, quarantine
from survey.store.signed import read_signed, write_signed
from survey.store.store import FILE
from survey.store.whereabouts import whereabouts
from survey.sync import rounds
from survey.sync.exchange import count_files, export, sync
from tests.laptops import FORM, clone, correct, headers, interview, keys, records, state
from tests.outside import ROOT
from tests.test_current import kinds
from tests.tried import tried


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """An empty stick."""
    (tmp_path / "stick").mkdir()
    return tmp_path / "stick"


@pytest.fixture
def province(tmp_path: Path) -> Iterator[Store]:
    """A hub above the supervisor's."""
    with Store.create(tmp_path / "province", "hub", tier="province") as store:
        yield store


# -- 1 receipts -------------------------------------------------------------------------------------------------


def test_what_was_handed_over_is_pending_until_a_receipt_comes_back(device: Store, hub: Store, stick: Path):
    id = interview(device)
    first = export(device, stick)
    assert first.path is not None
    assert (first.revisions, first.partials) == (2, 0)
    assert receipts.conservation(device) == (2, 0, 2)
    assert sync(hub, [stick]).new == 2
    assert receipts.conservation(device) == (2, 0, 2)
    report = sync(device, [stick])
    assert report.receipts_read == 1
    assert receipts.conservation(device) == (2, 2, 0)
    assert receipts.safe_at(device, id) == ["device", "supervisor"]
    assert whereabouts(device) == {"device": 1, "supervisor": 1, "province": 0, "ministry": 0}
    assert export(device, stick).path is None


def test_a_device_signs_no_receipts(device: Store, stick: Path):
    interview(device)
    export(device, stick)
    assert sync(device, [stick]).receipts_written == []
    with pytest.raises(InputError, match="this is not a hub"):
        receipts.make_receipt(device)


def test_the_same_stick_twice_brings_no_second_receipt(device: Store, hub: Store, stick: Path):
    interview(device)
    export(device, stick)
    first = sync(hub, [stick])
    assert sync(hub, [stick]).receipts_written == first.receipts_written
    assert len(list((stick / "receipts").iterdir())) == 1


def test_open_drafts_are_handed_over_and_still_open(device: Store, hub: Store, stick: Path):
    id = drafts.start(device, "u1", FORM, "phoa")
    drafts.save(device, id, {"q1": "4"})
    assert export(device, stick).partials == 1
    sync(hub, [stick])
    (row,) = current.interviews(hub)
    assert (row["interview"], row["state"]) == (id, "partial")
    assert whereabouts(hub)["device"] == whereabouts(device)["device"] == 0
    assert drafts.answers(device, id) == {"q1": "4"}


def test_a_receipt_travels_down_from_the_province(device: Store, hub: Store, province: Store, stick: Path):
    id = interview(device)
    export(device, stick)
    sync(hub, [stick])
    up = stick.parent / "up"
    export(hub, up)
    assert sync(province, [up]).new == 3
    sync(hub, [up])
    assert receipts.safe_at(hub, id) == ["supervisor", "province"]
    assert receipts.conservation(hub) == (1, 1, 0)
    assert whereabouts(hub) == {"device": 1, "supervisor": 1, "province": 1, "ministry": 0}
    sync(hub, [stick])
    sync(device, [stick])
    assert receipts.safe_at(device, id) == ["device", "supervisor", "province"]


def test_a_receipt_from_below_makes_nothing_safe(hub: Store, province: Store, stick: Path):
    export(province, stick)
    sync(hub, [stick])
    sync(province, [stick])
    assert receipts.conservation(province) == (1, 0, 1)


@pytest.mark.parametrize("place", range(0, 700, 7))
def test_a_changed_receipt_is_refused(device: Store, hub: Store, place: int):
    content = bytearray(receipts.make_receipt(hub))
    content[place % len(content)] ^= 4
    with pytest.raises(VerifyError, match="the signature does not hold"):
        receipts.read_receipt(device, bytes(content))
    assert device.rows("SELECT * FROM receipts") == []


@pytest.mark.parametrize(
    "statement",
    [
        {"tier": "moon"},
        {"feeds": 7},
        {"feeds": [{}]},
        {"missing_parts": [7]},
        {"feeds": [{"device": "d", "epoch": "e", "held": [[1, 2]], "head": 5, "forks": {}}]},
    ],
)
def test_a_hub_that_signs_nonsense_is_refused(device: Store, hub: Store, statement: dict):
    good = read_signed(receipts.make_receipt(hub), "receipt", "hub", "")
    with pytest.raises(VerifyError, match="malformed"):
        receipts.read_receipt(device, write_signed({**good, **statement}, hub.key))


def test_a_receipt_says_which_parts_the_hub_lacks(device: Store, hub: Store):
    interview(device)
    without = [record._replace(parts={}) if i else record for i, record in enumerate(records(device))]
    unite(hub, without, "", keys(device))
    receipts.read_receipt(device, receipts.make_receipt(hub))
    assert receipts.conservation(device) == (2, 1, 1)
    assert kinds(hub) == ["pending"]
    outcome = unite(hub, records(device), "", keys(device))
    assert (outcome.new, outcome.known, outcome.late_parts) == (0, 2, 3)
    receipts.read_receipt(device, receipts.make_receipt(hub))
    assert receipts.conservation(device) == (2, 2, 0)
    assert kinds(hub) == []


def test_a_hub_that_lost_its_store_is_fed_again(device: Store, hub: Store, stick: Path, tmp_path: Path):
    interview(device)
    export(device, stick)
    sync(hub, [stick])
    sync(device, [stick])
    with Store.create(tmp_path / "new", "hub") as wiped:
        assert export(device, tmp_path / "stick2").path is None
        export(device, tmp_path / "stick2", everything=True)
        assert sync(wiped, [tmp_path / "stick2"]).new == 2
        assert state(wiped)["interviews"] == state(hub)["interviews"]


def test_what_came_from_the_hub_is_not_carried_back_to_it(device: Store, hub: Store, stick: Path):
    frame.issue(hub, "unit", "u1", {"id": "u1", "round": "r1"}, {"name": "Hoa"})
    export(hub, stick)
    sync(device, [stick])
    assert export(device, stick).revisions == 1


def test_decisions_come_down_to_the_device(device: Store, hub: Store, stick: Path):
    id = interview(device)
    export(device, stick)
    sync(hub, [stick])
    current.decide(hub, id, "returned", reason="Hỏi lại câu 2", actor="psup")
    export(hub, stick)
    sync(device, [stick])
    (row,) = current.interviews(device)
    assert row["state"] == "returned"
    assert current.decisions(device, id)[0]["reason"] == "Hỏi lại câu 2"
    assert drafts.take_over(device, id, "phoa") == id


def test_the_top_hub_sends_down_what_devices_need_and_not_what_they_told_it(device: Store, tmp_path: Path, stick: Path):
    with Store.create(tmp_path / "top", "hub", tier="ministry") as top:
        interview(device)
        open_id = drafts.start(device, "u2", FORM, "phoa")
        drafts.save(device, open_id, {"q1": "4"})
        export(device, stick)
        sync(top, [stick])
        export(top, tmp_path / "down")
        with Store.create(tmp_path / "b", "hub") as other:
            sync(other, [tmp_path / "down"])
            assert [(row["interview"], row["state"]) for row in current.interviews(other)] == [(open_id, "partial")]


# -- 2 the union ------------------------------------------------------------------------------------------------


def test_merging_again_changes_nothing(device: Store, hub: Store, stick: Path):
    interview(device)
    export(device, stick)
    assert (sync(hub, [stick]).new, sync(hub, [stick]).new) == (2, 0)
    before = state(hub), records(hub)
    assert sync(hub, [stick, stick / "bundles"]).known == 4
    assert unite(hub, records(device), "", keys(device)).known == 2
    assert (state(hub), records(hub)) == before


def test_a_known_bundle_is_not_unpacked(device: Store, hub: Store, stick: Path):
    interview(device)
    export(device, stick)
    sync(hub, [stick])
    statements: list[str] = []
    hub.db.set_trace_callback(statements.append)
    assert sync(hub, [stick / "bundles"]).known == 2
    assert not any("SELECT number, signature FROM revisions" in statement for statement in statements)


def test_another_instance_folder_or_its_file_is_merged_and_left_alone(device: Store, hub: Store):
    id = interview(device)
    device.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = (device.folder / FILE).read_bytes()
    assert sync(hub, [device.folder]).new == 2
    report = sync(hub, [device.folder / FILE])
    assert (report.new, report.known) == (0, 2)
    assert current.content(hub, id)["answers"] == {"q1": "4", "q2": "5"}
    assert (device.folder / FILE).read_bytes() == before


def test_a_store_gives_the_parts_that_did_not_come_before(device: Store, hub: Store):
    interview(device)
    unite(hub, [record._replace(parts={}) for record in records(device)], "", keys(device))
    assert sync(hub, [device.folder]).late_parts == 4
    assert state(hub)["missing"] == []


def test_a_source_that_is_not_there_is_told_before_anything_is_merged(device: Store, hub: Store, stick: Path):
    interview(device)
    export(device, stick)
    with pytest.raises(InputError, match="no such file or folder"):
        sync(hub, [stick, stick / "nowhere"])
    with pytest.raises(InputError, match="no such file or folder"):
        sync(hub, [stick, "x" * 5000])
    with pytest.raises(InputError, match="not enrolled at that hub"):
        sync(hub, [stick, "https://hub.example"])
    assert current.interviews(hub) == []


def test_a_source_that_is_no_store_is_told_and_the_rest_goes_on(device: Store, hub: Store, stick: Path, tmp_path: Path):
    interview(device)
    export(device, stick)
    (tmp_path / "x.sqlite").write_bytes(b"SQLite format 3\0" + bytes(200))
    report = sync(hub, [tmp_path / "x.sqlite", stick])
    assert [problem.where for problem in report.problems] == [str(tmp_path / "x.sqlite")]
    assert report.new == 2
    assert report.needs_a_person


def test_an_empty_folder_is_no_error(hub: Store, stick: Path):
    report = sync(hub, [stick])
    assert (report.new, report.known, report.needs_a_person) == (0, 0, False)
    assert count_files([stick]) == 1  # the receipt


def test_what_a_revoked_laptop_still_hands_over_is_merged_and_named(device: Store, hub: Store):
    before = interview(device, "u1")
    unite(hub, records(device), "", keys(device))
    rounds.revoke(hub, frame.document(hub, "device", device.device) or {}, "mất máy")
    (finding,) = [finding for finding in current.findings(hub) if finding.kind == "revoked"]
    assert "revoked (mất máy); 0 of its entries came after that (0 interviews undecided)" in finding.what.en
    assert verified(hub) == 0
    # Done before the theft, or by the thief: no clock can tell, so a person decides about each.
    after = interview(device, "u2")
    unite(hub, records(device), "", keys(device))
    (finding,) = [finding for finding in current.findings(hub) if finding.kind == "late"]
    assert finding.where == f"device {device.device}"
    assert "revoked (mất máy); 1 of its entries came after that (1 interviews undecided)" in finding.what.en
    assert {row["interview"]: row["state"] for row in current.interviews(hub)} == {before: "sealed", after: "sealed"}
    assert current.verify(hub).problems == []
    assert verified(hub) == 1, "somebody has to look"
    current.decide(hub, after, "voided", reason="không phải điều tra viên làm")
    assert verified(hub) == 0, "and has"


def test_interviews_of_a_laptop_that_nobody_enrolled_need_a_person_until_it_is(device: Store, hub: Store):
    interview(device, "u1")
    unite(hub, records(device), "", keys(device))
    assert verified(hub) == 0, "a hub without a round enrols nobody"
    rounds.issue_round(hub, {"id": "r1"})
    (finding,) = [finding for finding in current.findings(hub) if finding.kind == "stranger"]
    assert "not enrolled; 1 interviews of it are undecided" in finding.what.en
    assert verified(hub) == 1
    rounds.enrol(hub, frame.document(hub, "device", device.device) or {})
    assert verified(hub) == 0


def verified(store: Store) -> int:
    """How ``survey verify`` ends."""
    return CliRunner().invoke(cli, ["--instance", str(store.folder), "verify"]).exit_code


def test_an_interview_may_come_before_its_questionnaire_and_its_unit(device: Store, hub: Store):
    interview(device, "u1")
    unite(hub, records(device), "", keys(device))
    assert current.interviews(hub, "r1") == []
    frame.issue(hub, "unit", "u1", {"id": "u1", "round": "r1"})
    assert len(current.interviews(hub, "r1")) == 1


def test_a_clock_ten_years_wrong_decides_nothing(device: Store, hub: Store, tmp_path: Path):
    id = interview(device)
    for year, kind in ((2036, "approved"), (2016, "returned")):
        current.decide(device, id, kind, actor="psup", now=datetime.fromisoformat(f"{year}-01-01T00:00:00+07:00"))
        tried()
    unite(hub, records(device), "", keys(device))
    assert current.interviews(hub)[0]["state"] == "returned"


def test_text_in_any_script_and_ids_with_leading_zeros_arrive_unchanged(device: Store, hub: Store):
    id = interview(device, "01", {"đường/phố": "Nguyễn Thị Minh Khai \u2028 💥"})
    unite(hub, records(device), "", keys(device))
    assert current.content(hub, id)["answers"] == {"đường/phố": "Nguyễn Thị Minh Khai \u2028 💥"}
    assert current.interviews(hub, unit="01")[0]["interview"] == id
    assert current.interviews(hub, unit="1") == []


# -- 3 what does not verify -------------------------------------------------------------------------------------


def test_a_damaged_bundle_is_named_and_the_others_go_on(device: Store, hub: Store, stick: Path, tmp_path: Path):
    interview(device)
    export(device, stick)
    with Store.create(tmp_path / "b") as other:
        interview(other)
        path = export(other, stick).path
    assert path is not None
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    report = sync(hub, [stick])
    assert report.new == 2
    assert [name for name, _ in report.quarantined] == [f"bundles/{path.name}"]
    assert [name for name, _ in quarantine(hub)] == [path.name]
    assert hub.value("SELECT content FROM quarantine") == whole[: len(whole) // 2]
    path.write_bytes(whole)
    assert sync(hub, [stick]).new == 2
    assert quarantine(hub) == []


def test_what_a_person_has_dismissed_is_kept_and_told_no_more(device: Store, hub: Store, stick: Path):
    (stick / "broken.bundle").write_bytes(b"broken")
    assert sync(hub, [stick]).needs_a_person
    with pytest.raises(InputError, match="no reason"):
        dismiss(hub, "broken.bundle", " ")
    with pytest.raises(InputError, match="nothing that is set aside has this name"):
        dismiss(hub, "other.bundle", "handed over again")
    assert [name for name, _ in quarantine(hub)] == ["broken.bundle"]
    dismiss(hub, "broken.bundle", "handed over again", "plan")
    assert quarantine(hub) == []
    assert current.verify(hub).counts["quarantined"] == 0
    assert hub.value("SELECT content FROM quarantine") == b"broken"
    assert hub.rows("SELECT reason, actor FROM dismissed") == [{"reason": "handed over again", "actor": "plan"}]
    assert not sync(hub, [stick]).needs_a_person
    (stick / "broken.bundle").write_bytes(b"broken otherwise")
    assert sync(hub, [stick]).needs_a_person
    assert [name for name, _ in quarantine(hub)] == ["broken.bundle"]


@pytest.mark.parametrize("index", [0, 1, 3])
def test_a_forged_signature_sets_one_entry_aside_until_a_good_copy_comes(device: Store, hub: Store, index: int):
    for unit in ("u1", "u2", "u3"):
        interview(device, unit)
    good = records(device)
    forged = good[index]._replace(signature=bytes(64))
    outcome = unite(hub, [forged], "stick", keys(device))
    header = headers(device)[index]
    assert (outcome.new, [name for name, _ in outcome.quarantined]) == (
        0,
        [f"{header.device}/{header.epoch}/{header.seq}"],
    )
    assert "stick: " in outcome.quarantined[0][1]("en")
    assert "the signature does not hold" in outcome.quarantined[0][1]("en")
    rest = [record for record in good if record != good[index]]
    unite(hub, rest[:index], "", keys(device))
    unite(hub, good, "", keys(device))
    assert quarantine(hub) == []
    assert current.verify(hub).problems == []


def test_a_later_entry_vouches_for_one_whose_signature_was_damaged(device: Store, hub: Store):
    for unit in ("u1", "u2"):
        interview(device, unit)
    first, second, third = records(device)
    assert unite(hub, [first, second._replace(signature=bytes(64))], "", keys(device)).new == 1
    assert len(quarantine(hub)) == 1
    assert unite(hub, [third], "", keys(device)).new == 2
    assert quarantine(hub) == []
    assert [p.what.en for p in current.verify(hub).problems] == ["the signature does not hold"]
    unite(hub, [second], "", keys(device))
    assert current.verify(hub).problems == []


def test_a_changed_header_is_set_aside_and_the_entries_around_it_are_not(device: Store, hub: Store):
    for unit in ("u1", "u2", "u3"):
        interview(device, unit)
    good = records(device)
    changed = good[2]._replace(header=good[2].header.replace(b'"u2"', b'"u9"'))
    outcome = unite(hub, [*good[:2], changed, good[3]], "", keys(device))
    assert (outcome.new, len(outcome.quarantined)) == (3, 1)
    assert kinds(hub) == ["gap"]
    assert "entries 3 have not come" in str([f.what.en for f in current.findings(hub)])
    unite(hub, good, "", keys(device))
    assert (quarantine(hub), kinds(hub)) == ([], [])


def test_a_part_that_is_not_what_was_committed_to_is_set_aside_alone(device: Store, hub: Store):
    id = interview(device)
    good = records(device)
    salt, content = good[1].parts["answers"]
    wrong = {**good[1].parts, "answers": Part(salt, content.replace(b"4", b"1"))}
    outcome = unite(hub, [good[0], good[1]._replace(parts=wrong)], "", keys(device))
    assert (outcome.new, [name.rpartition("/")[2] for name, _ in outcome.quarantined]) == (2, ["answers"])
    assert kinds(hub) == ["pending"]
    assert unite(hub, good, "", keys(device)).late_parts == 1
    assert quarantine(hub) == []
    assert current.content(hub, id)["answers"] == {"q1": "4", "q2": "5"}


def test_a_part_that_no_header_names_is_set_aside(device: Store, hub: Store):
    extra = {**records(device)[0].parts, "contact": Part(bytes(32), b"{}")}
    outcome = unite(hub, [records(device)[0]._replace(parts=extra)], "", keys(device))
    assert (outcome.new, len(outcome.quarantined)) == (1, 1)


@pytest.mark.parametrize("header", [b"", b"{}", b"\xff", b'{"v":2}'])
def test_bytes_that_are_no_header_are_set_aside(device: Store, hub: Store, header: bytes):
    outcome = unite(hub, [Record(header, bytes(64), {}), *records(device)], "", keys(device))
    assert (outcome.new, len(outcome.quarantined)) == (1, 1)
    assert unite(hub, [Record(header, bytes(64), {})], "", keys(device)).new == 0
    assert len(quarantine(hub)) == 1


def test_an_unknown_device_waits_for_its_key(device: Store, hub: Store):
    interview(device)
    document, sealed = records(device)
    outcome = unite(hub, [sealed], "")
    assert outcome.new == 0
    assert "the key of the device that signed is not known" in outcome.quarantined[0][1]("en")
    assert unite(hub, [document], "").new == 2
    assert quarantine(hub) == []
    assert kinds(hub) == []


def test_a_key_under_anothers_name_is_not_believed(device: Store, hub: Store, province: Store):
    interview(device)
    (_, forged) = records(device)
    forged = forged._replace(signature=province.key.sign(hash_text(forged.header).encode("ascii")))
    outcome = unite(hub, [forged], "", {device.device: province.key.public})
    assert outcome.new == 0
    assert len(quarantine(hub)) == 1


# -- 4 gaps, forks, restored laptops ----------------------------------------------------------------------------


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


# -- 5 what a laptop gets ---------------------------------------------------------------------------------------


def test_a_laptop_keeps_the_headers_and_not_the_answers_of_others(
    device: Store, hub: Store, stick: Path, tmp_path: Path
):
    with Store.create(tmp_path / "b") as other:
        theirs = interview(other, "u2", {"q1": "bí mật"})
        export(other, stick)
    sync(hub, [stick])
    current.decide(hub, theirs, "returned", actor="psup")
    export(hub, tmp_path / "down")
    sync(device, [tmp_path / "down"])
    assert [(row["interview"], row["state"]) for row in current.interviews(device)] == [(theirs, "returned")]
    with pytest.raises(InputError, match="not on this device"):
        current.content(device, theirs)
    assert "bí mật".encode() not in (device.folder / (FILE + "-wal")).read_bytes()
    assert kinds(device) == []
    assert current.verify(device).problems == []


def test_a_laptop_gets_the_interviews_of_units_assigned_to_people_who_work_on_it(
    device: Store, hub: Store, stick: Path, tmp_path: Path
):
    frame.issue(hub, "user", "pmai", {"id": "pmai", "name": "Mai", "pin": frame.hash_pin("2468")})
    frame.issue(hub, "unit", "u1", {"id": "u1", "round": "r1", "assignee": "phoa"}, {"name": "Lò Thị Hoa"})
    with Store.create(tmp_path / "broken") as broken:
        id = drafts.start(broken, "u1", FORM, "phoa")
        drafts.save(broken, id, {"q1": "4"})
        export(broken, stick)
    sync(hub, [stick])
    frame.issue(hub, "unit", "u1", {"id": "u1", "round": "r1", "assignee": "pmai"}, {"name": "Lò Thị Hoa"})
    export(hub, tmp_path / "down")
    sync(device, [tmp_path / "down"])
    with pytest.raises(InputError, match="not on this device"):
        drafts.take_over(device, id, "pmai")
    frame.sign_in(device, "pmai", "2468")
    assert sync(device, [tmp_path / "down"]).late_parts == 3
    drafts.take_over(device, id, "pmai")
    drafts.save(device, id, {"q2": "5"})
    drafts.seal(device, id, drafts.answers(device, id), {}, {}, {}, "pmai")
    export(device, tmp_path / "up")
    sync(hub, [tmp_path / "up"])
    (row,) = current.interviews(hub)
    assert (row["state"], row["actor"], row["device"]) == ("sealed", "pmai", device.device)


# -- a merge that is interrupted --------------------------------------------------------------------------------


@pytest.fixture
def file_limit() -> Iterator[None]:
    """Gives the process back its right to write files of any size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("file_limit")
def test_a_merge_onto_a_disk_that_fills_up_leaves_what_was_there(device: Store, hub: Store, stick: Path):
    for unit in range(30):
        interview(device, f"u{unit}", {f"q{n}": "5" for n in range(200)})
    export(device, stick)
    before = records(hub), state(hub)
    base = (hub.folder / (FILE + "-wal")).stat().st_size
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    for room in range(0, 150_000, 30_000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (base + room, hard))
        try:
            with pytest.raises(StoreError, match="the disk failed"):
                sync(hub, [stick])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        assert (records(hub), state(hub)) == before
    assert sync(hub, [stick]).new == 31
    assert current.verify(hub).problems == []


def test_a_stick_that_cannot_be_written_is_merged_and_the_missing_receipt_told(device: Store, hub: Store, stick: Path):
    interview(device)
    export(device, stick)
    (stick / "receipts").write_text("not a folder")
    report = sync(hub, [stick])
    assert report.new == 2
    assert [problem.where for problem in report.problems] == [str(stick / "receipts")]


def test_many_processes_push_the_same_bundle_at_once(device: Store, hub: Store, stick: Path):
    for unit in range(20):
        interview(device, f"u{unit}")
    export(device, stick)
    program = "import sys\nfrom survey.store import Store\nfrom survey.sync.exchange import sync\n" + (
        "with Store.open(sys.argv[1]) as store: print(sync(store, [sys.argv[2]]).new)"
    )
    arguments = [sys.executable, "-c", program, str(hub.folder), str(stick / "bundles")]
    running = [subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert sorted(int(process.communicate()[0]) for process in running) == [0, 0, 0, 21]
    assert current.verify(hub).problems == []


# -- 6 the command line -----------------------------------------------------------------------------------------

Survey = Callable[..., Result]


def test_export_and_sync_by_command(survey: Survey, device: Store, hub: Store, stick: Path):
    interview(device)
    result = survey("export", "--to", stick)
    assert (result.exit_code, "Wrote 2 revisions (0 open drafts)" in result.stdout) == (0, True)
    result = survey("--instance", hub.folder, "sync", stick)
    assert result.exit_code == 0
    assert "new 2 · known 0 · conflicts 0 · quarantined 0" in result.stdout
    assert "receipt: " in result.stdout
    assert survey("sync", stick).exit_code == 0
    assert "Nothing is waiting" in survey("export", "--to", stick).stdout
    assert "Không có gì chưa nộp" in survey("--lang", "vi", "export", "--to", stick).stdout


def test_sync_names_what_it_set_aside_and_exits_1(survey: Survey, device: Store, stick: Path):
    (stick / "broken.bundle").write_bytes(b"broken")
    result = survey("sync", stick)
    assert result.exit_code == 1
    assert "broken.bundle: damaged or cut; nothing was merged from it; copy the file again" in result.stdout
    told = json.loads(survey("sync", stick, "--json").stdout)
    assert (told["new"], told["known"], told["conflicts"], len(told["quarantined"])) == (0, 0, [], 1)


def test_what_is_set_aside_is_named_once_and_dismissed_by_command(survey: Survey, device: Store, stick: Path):
    (stick / "broken.bundle").write_bytes(b"broken")
    survey("sync", stick)
    told = survey("verify")
    assert (told.exit_code, told.stdout.count("broken.bundle")) == (1, 1)
    listed = survey("quarantine", "list")
    assert (listed.exit_code, "broken.bundle" in listed.stdout, "damaged or cut" in listed.stdout) == (1, True, True)
    assert json.loads(survey("quarantine", "list", "--json").stdout)["quarantined"][0][0] == "broken.bundle"
    assert survey("quarantine", "dismiss", "broken.bundle").exit_code == 2
    assert survey("quarantine", "dismiss", "other.bundle", "--reason", "x").exit_code == 2
    assert survey("quarantine", "dismiss", "broken.bundle", "--reason", "x", "--as", "pnobody").exit_code == 2
    assert survey("quarantine", "dismiss", "broken.bundle", "--reason", "handed over again").exit_code == 0
    assert "Nothing is set aside" in survey("quarantine", "list").stdout
    assert survey("verify").exit_code == 0


def test_sync_without_a_source_or_with_a_wrong_one_exits_2(survey: Survey, device: Store):
    assert survey("sync").exit_code == 2
    result = survey("sync", "nowhere")
    assert result.exit_code == 2
    assert "nowhere: there is no such file or folder; check the path" in result.stderr


def test_verify_by_command(survey: Survey, device: Store):
    interview(device)
    result = survey("verify")
    assert result.exit_code == 0
    assert "this device created 2 = receipted 0 + pending 2" in result.stdout
    assert "The store is proved." in result.stdout
    assert "revisions 2 · feeds 1 · interviews 1 · documents 1 · parts 4" in result.stdout
    assert "bản ghi 2 · chuỗi 1 · phiếu 1" in survey("--lang", "vi", "verify").stdout
    device.execute("UPDATE revisions SET signature = zeroblob(64)")
    result = survey("verify")
    assert result.exit_code == 1
    assert "the signature does not hold" in result.stdout
    assert "The store is proved." not in result.stdout
    assert len(json.loads(survey("verify", "--json").stdout)["report"]["problems"]) == 2


def test_verify_of_a_folder_without_a_store_exits_2(survey: Survey):
    result = survey("verify")
    assert result.exit_code == 2
    assert "there is no store here; run: survey init" in result.stderr
