"""Bundles that only their readers can open: age, to the keys that a confirmed round and its enrolled machines name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from survey.errors import InputError, VerifyError
from survey.store import Store, frame
from survey.store.header import canonical
from survey.sync import exchange, rounds
from survey.sync.bundle import NotForUs, read_bundle
from survey.sync.keys import AGE_KEY, age_identity, age_key_of, publish_age_key, readers
from tests import laptops

PASSPHRASE = "bốn con voi uống trà"
ROUND = {"id": "r1", "title": {"vi": "Đợt một", "en": "Round one"}}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Store]:
    """An encrypted hub with a round."""
    with Store.create(tmp_path / "hub", "hub", name="hub", passphrase=PASSPHRASE) as store:
        rounds.issue_round(store, ROUND)
        yield store


@pytest.fixture
def laptop(tmp_path: Path, hub: Store) -> Iterator[Store]:
    """An encrypted laptop that is enrolled and has loaded the round."""
    with Store.create(tmp_path / "laptop", name="laptop", passphrase=PASSPHRASE) as store:
        enrolled(hub, store, tmp_path / "first")
        yield store


def enrolled(hub: Store, laptop: Store, stick: Path) -> None:
    """The way of a new laptop: its name goes to the hub, the round file comes back."""
    exchange.export(laptop, stick)
    exchange.sync(hub, [stick])
    for document in frame.devices(hub):
        if document["id"] == laptop.device:
            rounds.enrol(hub, document)
    rounds.export_round(hub, "r1", stick / "r1.round")
    signers = {one.fingerprint for one in rounds.rounds_in(stick / "r1.round", laptop)}
    rounds.import_round(laptop, stick / "r1.round", signers)


def only(folder: Path) -> Path:
    (bundle,) = (folder / "bundles").glob("*.bundle")
    return bundle


def test_interviews_travel_so_that_the_hub_reads_them_and_the_stick_tells_nothing(
    laptop: Store, hub: Store, tmp_path: Path
):
    interview = laptops.interview(laptop, answers={"q1": "trả lời tìm được"})
    done = exchange.export(laptop, tmp_path / "usb")
    assert (done.open, done.without) == (False, ())
    content = only(tmp_path / "usb").read_bytes()
    envelope = json.loads(content.split(b"\n", 1)[0])
    assert envelope["encryption"] == "age"
    assert set(envelope["recipients"]) == {key_of(laptop), key_of(hub)}
    assert laptop.device.encode() not in content
    report = exchange.sync(hub, [tmp_path / "usb"])
    assert report.new + report.known == done.revisions
    assert report.new > 0
    assert not report.problems
    assert hub.value("SELECT count(*) FROM interviews WHERE interview = ?", (interview,)) == 1


def key_of(store: Store) -> str:
    identity = age_identity(store)
    assert identity is not None
    return str(identity.to_public())


def test_writing_the_same_twice_leaves_one_file_and_reading_it_twice_merges_once(
    laptop: Store, hub: Store, tmp_path: Path
):
    laptops.interview(laptop)
    first = exchange.export(laptop, tmp_path / "usb").path
    assert exchange.export(laptop, tmp_path / "usb").path == first
    assert exchange.sync(hub, [tmp_path / "usb"]).new > 0
    again = exchange.sync(hub, [tmp_path / "usb"])
    assert (again.new, again.problems) == (0, [])


def test_what_is_known_is_not_decrypted_again_and_damage_is_told_all_the_same(
    laptop: Store, hub: Store, tmp_path: Path
):
    laptops.interview(laptop)
    exchange.export(laptop, tmp_path / "usb")
    first = exchange.sync(hub, [tmp_path / "usb"])
    assert first.new > 0
    (hub.folder / AGE_KEY).rename(tmp_path / "age.key")
    again = exchange.sync(hub, [tmp_path / "usb"])
    assert (again.new, again.known, again.needs_a_person) == (0, first.new + first.known, False)
    bundle = only(tmp_path / "usb")
    bundle.write_bytes(bundle.read_bytes()[:-1])
    damaged = exchange.sync(hub, [tmp_path / "usb"])
    assert (damaged.known, [name for name, _ in damaged.quarantined]) == (0, [f"bundles/{bundle.name}"])


def test_a_bundle_for_somebody_else_says_so_and_is_passed_over_on_a_stick(laptop: Store, hub: Store, tmp_path: Path):
    laptops.interview(laptop)
    exchange.export(laptop, tmp_path / "usb")
    with Store.create(tmp_path / "other", name="other", passphrase=PASSPHRASE) as other:
        publish_age_key(other)
        with pytest.raises(NotForUs, match="encrypted to others; this machine cannot open it; let the sender load"):
            read_bundle(only(tmp_path / "usb"), other)
        passed = exchange.sync(other, [tmp_path / "usb"])
        assert (passed.for_others, passed.needs_a_person) == (1, False)
        named = exchange.sync(other, [only(tmp_path / "usb")])
        assert "encrypted to others" in named.problems[0].what.en


def test_a_hub_tells_of_a_bundle_that_it_cannot_open(laptop: Store, tmp_path: Path):
    laptops.interview(laptop)
    exchange.export(laptop, tmp_path / "usb")
    with Store.create(tmp_path / "hub2", "hub") as second:
        assert exchange.sync(second, [tmp_path / "usb"]).needs_a_person


def test_a_plain_laptop_encrypts_to_the_hub_whose_round_it_has(hub: Store, tmp_path: Path):
    with Store.create(tmp_path / "plain", name="plain") as plain:
        fingerprint = rounds.signed_by(frame.round_document(hub, "r1"))
        rounds.export_round(hub, "r1", tmp_path / "r1.round", plain=True)
        rounds.import_round(plain, tmp_path / "r1.round", {fingerprint})
        laptops.interview(plain)
        assert exchange.export(plain, tmp_path / "usb").open is False
        assert exchange.sync(hub, [tmp_path / "usb"]).new > 0


def test_without_any_key_interviews_go_as_they_are_and_that_is_said(tmp_path: Path):
    with Store.create(tmp_path / "laptop", passphrase=PASSPHRASE) as store:
        assert exchange.about_keys(exchange.export(store, tmp_path / "first")) == []
        laptops.interview(store)
        done = exchange.export(store, tmp_path / "usb")
        assert done.open
        assert "NOT encrypted" in exchange.about_keys(done)[0].en
        assert read_bundle(only(tmp_path / "usb")).sender == store.device


def test_a_round_file_with_names_is_not_written_while_nobody_could_open_it(hub: Store, tmp_path: Path):
    with pytest.raises(InputError, match=r"no laptop's key is known.*--plain"):
        rounds.export_round(hub, "r1", tmp_path / "r1.round")
    assert not (tmp_path / "r1.round").exists()
    done = exchange.export(hub, tmp_path / "usb")
    assert (done.path, done.waiting) == (None, True)


def test_an_enrolled_machine_without_a_key_is_named(laptop: Store, hub: Store, tmp_path: Path):
    with Store.create(tmp_path / "plain", name="Máy cũ") as plain:
        exchange.export(plain, tmp_path / "usb")
        exchange.sync(hub, [tmp_path / "usb"])
        found = frame.document(hub, "device", plain.device)
        assert found is not None
        rounds.enrol(hub, found)
        assert rounds.export_round(hub, "r1", tmp_path / "r1.round")[1] == ("Máy cũ",)
        with pytest.raises(NotForUs):
            rounds.rounds_in(tmp_path / "r1.round", plain)


def test_nobody_can_name_a_key_for_another_machine_and_a_revoked_one_gets_nothing(
    laptop: Store, hub: Store, tmp_path: Path
):
    found = frame.document(hub, "device", laptop.device)
    assert found is not None
    assert age_key_of(found) == key_of(laptop)
    assert age_key_of({**found, "age": key_of(hub)}) == ""
    assert key_of(laptop) in readers(hub).keys
    rounds.revoke(hub, found, "lost")
    assert key_of(laptop) not in readers(hub).keys


@pytest.mark.parametrize("where", [5, 40, 200, 600, -20, -1])
def test_a_flipped_bit_anywhere_is_refused_under_any_name(laptop: Store, hub: Store, tmp_path: Path, where: int):
    laptops.interview(laptop)
    exchange.export(laptop, tmp_path / "usb")
    content = bytearray(only(tmp_path / "usb").read_bytes())
    content[where] ^= 1
    for name in (only(tmp_path / "usb").name, "copy.bundle"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises((VerifyError, NotForUs)):
            read_bundle(tmp_path / name, hub)


@pytest.mark.parametrize("cut", [0, 30, 700, -1])
def test_a_cut_bundle_is_refused(laptop: Store, hub: Store, tmp_path: Path, cut: int):
    laptops.interview(laptop)
    exchange.export(laptop, tmp_path / "usb")
    (tmp_path / "copy.bundle").write_bytes(only(tmp_path / "usb").read_bytes()[:cut])
    with pytest.raises(VerifyError):
        read_bundle(tmp_path / "copy.bundle", hub)


def test_an_envelope_that_names_other_readers_than_the_sender_signed_is_refused(
    laptop: Store, hub: Store, tmp_path: Path
):
    laptops.interview(laptop)
    exchange.export(laptop, tmp_path / "usb")
    first, rest = only(tmp_path / "usb").read_bytes().split(b"\n", 1)
    envelope = json.loads(first)
    envelope["recipients"] = [key_of(hub)]
    (tmp_path / "copy.bundle").write_bytes(canonical(envelope) + b"\n" + rest)
    with pytest.raises(VerifyError, match="damaged"):
        read_bundle(tmp_path / "copy.bundle", hub)


def test_a_large_bundle_leaves_nothing_readable_in_temporary_files(
    laptop: Store, hub: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    import secrets

    from survey.sync import spool

    monkeypatch.setattr(spool, "_IN_MEMORY", 1000)
    known = "câu trả lời phải tìm " * 3
    laptops.interview(laptop, answers={"q1": known, "q2": secrets.token_hex(5000)})
    exchange.export(laptop, tmp_path / "usb")
    bundle = read_bundle(only(tmp_path / "usb"), hub)
    assert any(known.encode() in part.content for record in bundle.records() for part in record.parts.values())
    assert len(list(bundle.records())) == len(list(bundle.records())) == bundle.manifest["revisions"]
