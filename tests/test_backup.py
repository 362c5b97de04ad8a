"""The second copy: what is new after each interview, never in the way, and a laptop set up again from it."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from survey import config, create_app
from survey.errors import InputError, NotAllowed, StoreError
from survey.store import Store, current, drafts, vault
from survey.store.store import KEY_FILE
from survey.sync import exchange
from survey.sync.backup import back_up, restore
from tests import field, laptops
from tests.field import HOA, WHOLE, Interviewer

Survey = Callable[..., Result]

PASSPHRASE = "bốn con voi uống trà"


@pytest.fixture
def laptop(instance: Path) -> Iterator[Store]:
    """An encrypted laptop with one interview."""
    with Store.create(instance, name="laptop", passphrase=PASSPHRASE) as store:
        laptops.interview(store)
        yield store


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "usb"
    folder.mkdir()
    return folder


def known(folder: Path) -> None:
    vault.unlock(folder, PASSPHRASE)


def test_each_copy_adds_only_what_is_new(laptop: Store, stick: Path):
    first = back_up(laptop, stick)
    assert first.revisions > 0
    assert back_up(laptop, stick).revisions == 0
    laptops.interview(laptop, "u2")
    assert back_up(laptop, stick).revisions == 1
    assert len(list(first.folder.glob("bundles/*.bundle"))) == 2


def test_another_or_an_emptied_stick_gets_everything_again(laptop: Store, stick: Path):
    first = back_up(laptop, stick)
    shutil.rmtree(first.folder / "bundles")
    assert back_up(laptop, stick).revisions == first.revisions


def test_a_lost_laptop_is_set_up_again_and_writes_a_new_epoch(laptop: Store, stick: Path, tmp_path: Path):
    begun = drafts.start(laptop, "u9", laptops.FORM, HOA)
    drafts.save(laptop, begun, {"q1": "3"})
    back_up(laptop, stick)
    report = restore(stick, tmp_path / "new", known)
    assert not report.needs_a_person
    with Store.open(tmp_path / "new") as again:
        assert (again.device, again.role) == (laptop.device, "device")
        assert again.epoch != laptop.epoch
        assert laptops.state(again)["interviews"] == laptops.state(laptop)["interviews"]
        assert current.content(again, begun) == current.content(laptop, begun)
        assert current.verify(again).problems == []
        laptops.interview(again, "u3")
        laptops.interview(laptop, "u4")
        # The old disk turns up after all: both go on, nothing is forked.
        with Store.create(tmp_path / "hub", "hub") as hub:
            for one in (again, laptop):
                exchange.export(one, tmp_path / "both", plain=True)
            assert exchange.sync(hub, [tmp_path / "both"]).needs_a_person is False
            assert hub.value("SELECT count(*) FROM interviews") == 4


def test_with_a_wrong_passphrase_nothing_is_restored_and_it_can_be_tried_again(
    laptop: Store, stick: Path, tmp_path: Path
):
    back_up(laptop, stick)
    with pytest.raises(NotAllowed):
        restore(stick, tmp_path / "new", lambda folder: vault.unlock(folder, "not the passphrase"))
    with pytest.raises(StoreError, match="no store here"):
        Store.open(tmp_path / "new")
    assert restore(stick, tmp_path / "new", known).new > 0
    with pytest.raises(StoreError, match="already has a store"):
        restore(stick, tmp_path / "new", known)


def test_a_plain_machine_is_copied_and_restored_too(device: Store, stick: Path, tmp_path: Path):
    laptops.interview(device)
    back_up(device, stick)
    assert restore(stick, tmp_path / "new", known).new > 0
    assert (tmp_path / "new" / KEY_FILE).read_bytes() == (device.folder / KEY_FILE).read_bytes()


def test_what_is_no_backup_is_told(tmp_path: Path, laptop: Store):
    with pytest.raises(InputError, match="there is no backup here"):
        restore(tmp_path, tmp_path / "new", known)
    with pytest.raises(InputError, match="the folder for backups is not there; plug the stick in"):
        back_up(laptop, tmp_path / "gone")


@pytest.mark.parametrize("there", [True, False])
def test_after_each_interview_a_copy_is_made_and_a_missing_stick_only_warns(
    instance: Path, device: Store, stick: Path, there: bool
):
    field.set_up(device, field.small())
    config.write(instance, dataclasses.replace(config.Config(), backup=str(stick if there else stick / "gone")))
    hoa = Interviewer(create_app(instance))
    hoa.sign_in(HOA)
    hoa.start("u1")
    for section in (1, 2, 3):
        hoa.open(section)
    hoa.answers(WHOLE)
    page = hoa.finish()
    assert "được khóa lại" in page.text
    assert ("Chưa sao lưu được" in page.text) is not there
    assert current.interviews(device)[0]["state"] == "sealed"
    assert bool(list(stick.glob("*/bundles/*.bundle"))) is there


def test_the_commands_copy_and_restore(
    survey: Survey, laptop: Store, stick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    assert "there is no place to copy to" in survey("backup").stderr
    assert survey("backup", "--to", stick).exit_code == 0
    monkeypatch.setenv("SURVEY_PASSPHRASE", PASSPHRASE)
    done = survey("restore", stick, "--instance", tmp_path / "new")
    assert done.exit_code == 0, done.output
    assert "Restored" in done.stdout


def test_repair_builds_again_what_is_derived(survey: Survey, device: Store):
    laptops.interview(device)
    device.execute("UPDATE interviews SET state = 'approved'")
    assert survey("verify").exit_code == 1
    repaired = survey("verify", "--repair")
    assert repaired.exit_code == 0, repaired.output
    assert current.interviews(device)[0]["state"] == "sealed"
