"""A laptop that goes back is emptied once the receipt that its round asks for names everything, and not before."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from survey.errors import InputError, StoreError
from survey.store import Store, drafts, frame, purging, receipts, vault
from survey.store.store import FILE
from survey.sync.exchange import export, sync
from tests import field, network
from tests.field import HOA, LAN
from tests.laptops import FORM, interview
from tests.test_stolen import ANSWER, PASSPHRASE, found

Survey = Callable[..., Result]


def handed_over(laptop: Store, to: Store, stick: Path) -> None:
    export(laptop, stick, plain=True)
    sync(to, [stick])
    sync(laptop, [stick])


def test_nothing_goes_before_the_receipt_that_the_round_asks_for(
    device: Store, hub: Store, province: Store, tmp_path: Path
) -> None:
    frame.issue(hub, "round", "r1", {"id": "r1", "title": {"vi": "Đợt"}, purging.ASKED: "province"})
    export(hub, tmp_path / "down", plain=True)
    sync(device, [tmp_path / "down"])
    interview(device, "u1", {"q1": ANSWER})
    handed_over(device, hub, tmp_path / "up")
    now = purging.standing(device)
    assert (now.tier, now.is_safe) == ("province", False)
    device.close()
    with pytest.raises(InputError, match="no receipt of the province"):
        purging.purge(device.folder)
    with Store.open(device.folder) as laptop:
        assert laptop.value("SELECT count(*) FROM interviews") == 1
        export(hub, tmp_path / "on", plain=True)
        sync(province, [tmp_path / "on"])
        sync(laptop, [tmp_path / "on"])
        assert purging.standing(laptop).is_safe
        draft = drafts.start(laptop, "u2", FORM, HOA)
        assert (purging.standing(laptop).open, purging.standing(laptop).is_safe) == (1, False)
        drafts.discard(laptop, draft)
        with pytest.raises(StoreError):
            purging.purge(device.folder)  # this very program has it open
        assert (device.folder / FILE).exists()
    done = purging.purge(device.folder, LAN)
    assert done.created == done.safe > 0
    assert [file.name for file in sorted(device.folder.rglob("*")) if file.is_file()] == [purging.RECORD]
    assert json.loads((device.folder / purging.RECORD).read_text())["actor"] == LAN


def test_a_receipt_of_somebody_who_calls_himself_a_hub_empties_no_laptop(
    device: Store, hub: Store, province: Store, tmp_path: Path
) -> None:
    network.round_of(hub)
    with network.listening(hub) as listening:
        network.join(device, hub, listening)
        sync(device, [network.address(listening)])
    interview(device, "u1")
    # Everything is right about this receipt but that nobody knows who signs it.
    export(device, tmp_path / "one")
    sync(province, [tmp_path / "one"])
    report = sync(device, [tmp_path / "one"])
    assert [problem("en") for problem in report.problems if "not enrolled as a hub" in problem("en")]
    assert (report.receipts_read, receipts.conservation(device).pending) == (0, 1)
    now = purging.standing(device)
    assert (now.safe, now.is_safe) == (1, False), "the hub's receipt names the laptop's own document alone"
    with pytest.raises(InputError, match="of an enrolled hub"):
        purging.require_safe(now)
    export(device, tmp_path / "two")
    sync(hub, [tmp_path / "two"])
    sync(device, [tmp_path / "two"])
    assert purging.standing(device).is_safe


def test_an_interview_made_after_the_last_receipt_keeps_the_laptop_as_it_is(
    device: Store, hub: Store, tmp_path: Path
) -> None:
    interview(device, "u1")
    handed_over(device, hub, tmp_path / "one")
    assert purging.standing(device).is_safe
    interview(device, "u2")
    now = purging.standing(device)
    assert (now.created - now.safe, now.is_safe) == (1, False)
    with pytest.raises(InputError, match="this is a hub"):
        purging.standing(hub)


def test_the_command_tells_first_and_empties_an_encrypted_laptop_only_when_told_to(
    survey: Survey, instance: Path, hub: Store, tmp_path: Path
) -> None:
    with Store.create(instance, passphrase=PASSPHRASE) as laptop:
        field.set_up(laptop, field.small())
        interview(laptop, "u1", {"q1": ANSWER})
        told = survey("--lang", "en", "purge", "--yes")
        assert told.exit_code == 2
        assert "nothing was removed" in told.output
        assert json.loads(survey("purge", "--json").stdout)["is_safe"] is False
        handed_over(laptop, hub, tmp_path / "up")
    assert survey("purge").exit_code == 0
    assert survey("purge", "--yes", "--as", HOA).exit_code == 2, "an enumerator does not decide it"
    assert (instance / FILE).exists()
    done = survey("--lang", "en", "purge", "--yes", "--as", LAN)
    assert done.exit_code == 0, done.output
    assert "The machine is emptied" in done.output
    assert not (instance / FILE).exists()
    assert not vault.is_encrypted(instance)
    assert found(instance, {"answer": ANSWER, "passphrase": PASSPHRASE}) == []
    assert survey("verify").exit_code == 2
