"""Exchange: merging is the union, again, in another order, in pieces, from another store; a laptop does not get what
others were told; what interrupts a merge.

Receipts: test_receipts.py; what does not verify: test_quarantine.py; copied and restored laptops:
test_gaps_and_forks.py; by command: test_cli_exchange.py.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from survey.cli import cli
from survey.errors import InputError, StoreError
from survey.store import Store, current, drafts, frame
from survey.store.merge import unite
from survey.store.store import FILE
from survey.sync import rounds
from survey.sync.exchange import count_files, export, sync
from tests.laptops import FORM, interview, keys, records, state
from tests.outside import ROOT
from tests.test_current import kinds
from tests.tried import tried

# -- the union ---------------------------------------------------------------------------------------------------


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
    assert unite(hub, records(device), "", keys(device)).known == 2
    asked = "SELECT id, number, signature FROM revisions"
    assert any(asked in statement for statement in statements)
    statements.clear()
    assert sync(hub, [stick / "bundles"]).known == 2
    assert not any(asked in statement for statement in statements)


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
    assert "revoked (mất máy); 1 of its entries came after that (1 interview undecided)" in finding.what.en
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
    assert "not enrolled; 1 interview of it is undecided" in finding.what.en
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


# -- what goes down, and what a laptop gets ----------------------------------------------------------------------


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


# -- a merge that is interrupted ---------------------------------------------------------------------------------


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
