"""What does not verify is set aside by name; the rest goes on; a later good copy clears it."""

from __future__ import annotations

from pathlib import Path

import pytest

from survey.errors import InputError
from survey.store import Store, current
from survey.store.header import Part, Record, hash_text
from survey.store.merge import unite
from survey.store.quarantine import dismiss, quarantine
from survey.sync.exchange import export, sync
from tests.laptops import headers, interview, keys, records
from tests.test_current import kinds


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
