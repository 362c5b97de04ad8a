"""A plain store made an encrypted one: nothing is lost at any interruption, and nothing stays readable."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import Result

from survey.errors import InputError, NotAllowed, StoreError
from survey.store import Store, converting, current, drafts, frame, vault
from survey.store.store import FILE
from survey.sync import rounds
from survey.sync.keys import publish_age_key
from tests import laptops

PASSPHRASE = "bốn con voi uống trà"
SECRET = "điều chỉ người trả lời biết"
Survey = Callable[..., Result]


@pytest.fixture
def plain(instance: Path) -> Iterator[Path]:
    """A plain hub with a round, an interview, an open draft and a frame."""
    with Store.create(instance, "hub", name="hub") as store:
        rounds.issue_round(store, {"id": "r1"})
        publish_age_key(store)
        laptops.interview(store, "u1", {"q1": SECRET})
        drafts.save(store, drafts.start(store, "u2", laptops.FORM, "phoa"), {"q1": SECRET})
        frame.import_frame(store, "r1", [{"id": "h1", "contact": {"name": "Đặng Thị Hoà"}}])
        frame.issue(store, "user", "phoa", {"id": "phoa", "name": "Hoa", "roles": ["enumerator"], "pin": "x"})
    yield instance
    vault.lock(instance)


def everything(folder: Path) -> tuple[object, ...]:
    with Store.open(folder) as store:
        rows = store.rows("SELECT id, header, signature FROM revisions ORDER BY number")
        parts = store.rows("SELECT revision, name, salt, content FROM parts ORDER BY revision, name")
        answers = store.rows("SELECT interview, path, value FROM draft_answers")
        return rows, parts, answers, laptops.state(store), frame.frame_rows(store, "r1"), store.epoch


def readable(folder: Path, text: str) -> list[str]:
    files = [file for file in folder.rglob("*") if file.is_file()]
    return [str(file.relative_to(folder)) for file in files if text.encode() in file.read_bytes()]


def test_everything_is_there_afterwards_and_nothing_readable(plain: Path) -> None:
    before = everything(plain)
    assert readable(plain, SECRET) == [FILE]
    keys = {name: (plain / "keys" / name).read_bytes() for name in ("device.key", "round.key")}
    with Store.open(plain) as store:
        count = store.value("SELECT count(*) FROM revisions")
    assert converting.encrypt(plain, PASSPHRASE) == count
    assert readable(plain, SECRET) == readable(plain, "Đặng Thị Hoà") == []
    for content in keys.values():
        assert readable(plain, content.decode().splitlines()[1]) == []
    assert [file.name for file in plain.rglob("*.plain")] == []
    assert everything(plain) == before
    vault.lock(plain)
    with pytest.raises(NotAllowed):
        vault.unlock(plain, "cụm mật khẩu khác hẳn")
    vault.unlock(plain, PASSPHRASE)
    with Store.open(plain) as store:
        assert current.verify(store).problems == []
        laptops.interview(store, "u3")
        rounds.issue_round(store, {"id": "r2"})
        with pytest.raises(Exception, match="only an erased subject"):
            store.execute("DELETE FROM parts")


def test_the_command_encrypts_once_and_a_weak_passphrase_or_a_second_time_changes_nothing(
    plain: Path, survey: Survey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SURVEY_PASSPHRASE", "1234567890")
    assert survey("encrypt").exit_code == 2
    assert not vault.is_encrypted(plain)
    assert readable(plain, SECRET) == [FILE]
    monkeypatch.setenv("SURVEY_PASSPHRASE", PASSPHRASE)
    assert survey("encrypt").exit_code == 0
    assert survey("verify").exit_code == 0
    again = survey("--lang", "en", "encrypt")
    assert again.exit_code == 2
    assert "encrypted already" in again.stderr


def test_a_store_that_another_program_has_open_is_left_as_it_was(plain: Path) -> None:
    before = everything(plain)
    opened = "import sys\nfrom survey.store import Store\nheld = Store.open(sys.argv[1])\n"
    opened += "print('open', flush=True)\ninput()"
    other = subprocess.Popen(
        [sys.executable, "-c", opened, str(plain)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(StoreError, match="in use by another program"):
            converting.encrypt(plain, PASSPHRASE)
    finally:
        other.communicate("\n")
    assert not vault.is_encrypted(plain)
    assert everything(plain) == before


@pytest.mark.parametrize("at", ["draft.write", "os.replace", "os.link", "vault.write_secret", "converting.overwrite"])
@pytest.mark.parametrize("after", [False, True])
def test_cut_off_anywhere_the_store_is_whole_and_the_same_command_finishes(
    plain: Path, monkeypatch: pytest.MonkeyPatch, at: str, after: bool
) -> None:
    before = everything(plain)

    def cut(really: Callable[..., object]) -> Callable[..., object]:
        def function(*arguments: object, **named: object) -> object:
            if after:
                really(*arguments, **named)
            raise KeyboardInterrupt

        return function

    owner, name = {
        "draft.write": (vault.Draft, "write"),
        "os.replace": (os, "replace"),
        "os.link": (os, "link"),
        "vault.write_secret": (vault, "write_secret"),
        "converting.overwrite": (converting, "overwrite"),
    }[at]
    with monkeypatch.context() as crash:
        crash.setattr(owner, name, cut(getattr(owner, name)))
        with pytest.raises(KeyboardInterrupt):
            converting.encrypt(plain, PASSPHRASE)
    vault.lock(plain)
    if vault.is_encrypted(plain):
        vault.unlock(plain, PASSPHRASE)
        if (plain / converting.COPY).exists():
            with pytest.raises(StoreError, match="survey encrypt"):
                Store.open(plain)
    else:
        assert everything(plain) == before
    vault.lock(plain)
    # Where the last step was through, there is nothing left to finish.
    with suppress(InputError):
        converting.encrypt(plain, PASSPHRASE)
    vault.unlock(plain, PASSPHRASE)
    assert everything(plain) == before
    assert readable(plain, SECRET) == []
    assert [file.name for file in plain.rglob("*.plain")] == []
