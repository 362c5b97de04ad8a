"""Encryption at rest: the passphrase, the recovery key, and what lies in the files of an encrypted instance."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from survey.errors import InputError, LockedError, NotAllowed, StoreError
from survey.store import Store, vault
from survey.store.store import FILE, KEY_FILE
from survey.sync import rounds
from survey.sync.keys import AGE_KEY, ROUND_KEY
from tests import laptops

Survey = Callable[..., Result]

PASSPHRASE = "bốn con voi uống trà"
OTHER = "mười hai cây bưởi xanh"


@pytest.fixture
def locked(instance: Path) -> Iterator[Path]:
    """An encrypted laptop with one interview, as it is after a start: nobody has given the passphrase."""
    with Store.create(instance, name="laptop", passphrase=PASSPHRASE) as store:
        laptops.interview(store)
    vault.lock(instance)
    yield instance
    vault.lock(instance)


def test_a_locked_store_opens_with_its_passphrase_and_with_nothing_else(locked: Path):
    with pytest.raises(LockedError, match="encrypted, and locked; give this machine's passphrase"):
        Store.open(locked)
    with pytest.raises(NotAllowed, match="the passphrase is not right"):
        vault.unlock(locked, PASSPHRASE + "!")
    with pytest.raises(LockedError):
        Store.open(locked)
    vault.unlock(locked, PASSPHRASE)
    with Store.open(locked) as store:
        assert store.value("SELECT count(*) FROM interviews") == 1
        assert store.key.device == store.device


def test_the_same_words_in_another_unicode_form_are_the_same_passphrase(locked: Path):
    import unicodedata

    vault.unlock(locked, unicodedata.normalize("NFD", PASSPHRASE) + " ")
    assert not vault.is_locked(locked)


@pytest.mark.parametrize("weak", ["", "ngắn quá", "1234567890123", "aaaaaaaaaaaa", "           a"])
def test_a_passphrase_that_is_easy_to_guess_is_refused_and_nothing_is_made(instance: Path, weak: str):
    with pytest.raises(InputError, match="too easy to guess; use at least 10 characters"):
        vault.create(instance, weak)
    assert not (instance / vault.FILE).exists()


def test_a_changed_passphrase_opens_and_the_old_one_does_not(locked: Path):
    vault.unlock(locked, PASSPHRASE)
    vault.change_passphrase(locked, OTHER)
    vault.lock(locked)
    with pytest.raises(NotAllowed):
        vault.unlock(locked, PASSPHRASE)
    vault.unlock(locked, OTHER)
    Store.open(locked).close()


def test_database_keys_and_log_are_not_plain_and_a_second_process_reads_them(locked: Path):
    assert not (locked / FILE).read_bytes().startswith(b"SQLite format 3")
    assert b"PRIVATE KEY" not in (locked / KEY_FILE).read_bytes()
    vault.unlock(locked, PASSPHRASE)
    with Store.open(locked) as store:
        laptops.interview(store, "u2", {"q1": "một câu trả lời dài để tìm thấy"})
        log = (locked / (FILE + "-wal")).read_bytes()
        assert len(log) > 1000
        assert "một câu".encode() not in log
        with Store.open(locked) as second:
            assert second.value("SELECT count(*) FROM interviews") == 2


def test_a_plain_database_put_in_the_place_of_an_encrypted_one_is_not_taken(locked: Path, tmp_path: Path):
    Store.create(tmp_path / "plain").close()
    vault.unlock(locked, PASSPHRASE)
    (locked / FILE).write_bytes((tmp_path / "plain" / FILE).read_bytes())
    with pytest.raises(StoreError, match="not a survey store"):
        Store.open(locked)


def test_a_flipped_bit_in_an_encrypted_store_its_keys_or_its_vault_is_told(locked: Path):
    vault.unlock(locked, PASSPHRASE)
    for name in (KEY_FILE, FILE):
        whole = (locked / name).read_bytes()
        (locked / name).write_bytes(whole[:60] + bytes([whole[60] ^ 1]) + whole[61:])
        with pytest.raises(StoreError, match="damaged"), Store.open(locked) as store:
            store.key.sign(b"x")
        (locked / name).write_bytes(whole)
    written = json.loads((locked / vault.FILE).read_text())
    written["passphrase"]["memory"] = 1 << 30
    (locked / vault.FILE).write_text(json.dumps(written))
    vault.lock(locked)
    with pytest.raises(StoreError, match="keys are damaged"):
        vault.unlock(locked, PASSPHRASE)


def test_a_forgotten_passphrase_is_replaced_with_the_recovery_key_of_the_round(tmp_path: Path, locked: Path):
    with Store.create(tmp_path / "hub", "hub", passphrase=OTHER) as hub:
        rounds.issue_round(hub, {"id": "r1", "title": {"vi": "Đợt", "en": "Round"}})
        public, reissued = rounds.make_recovery_key(hub, tmp_path / "recovery.txt")
        assert reissued == ["r1"]
        vault.unlock(locked, PASSPHRASE)
        with Store.open(locked) as laptop:
            rounds.export_round(hub, "r1", tmp_path / "r1.round", plain=True)
            signers = {one.fingerprint for one in rounds.rounds_in(tmp_path / "r1.round")}
            rounds.import_round(laptop, tmp_path / "r1.round", signers)
        assert vault.recipients(locked) == vault.recipients(hub.folder) == [public]
    secret = next(line for line in (tmp_path / "recovery.txt").read_text().splitlines() if line.startswith("AGE-"))
    vault.lock(locked)
    vault.recover(locked, secret)
    vault.change_passphrase(locked, OTHER)
    vault.lock(locked)
    vault.unlock(locked, OTHER)
    Store.open(locked).close()
    for file in (*locked.rglob("*"), *(tmp_path / "hub").rglob("*")):
        assert not file.is_file() or secret.encode() not in file.read_bytes()


def test_another_rounds_recovery_key_opens_nothing(locked: Path):
    import pyrage

    with pytest.raises(NotAllowed, match="not one of this machine's"):
        vault.recover(locked, str(pyrage.x25519.Identity.generate()))
    with pytest.raises(InputError, match="not a recovery key"):
        vault.recover(locked, "AGE-SECRET-KEY-1ABC")


# -- on the command line -------------------------------------------------------------------------------------------


def test_init_encrypts_unless_it_is_told_not_to(survey: Survey, instance: Path, monkeypatch: pytest.MonkeyPatch):
    refused = survey("init")
    assert refused.exit_code == 2
    assert "there is no passphrase, and nobody to ask; set SURVEY_PASSPHRASE" in refused.stderr
    assert not (instance / FILE).exists()
    monkeypatch.setenv("SURVEY_PASSPHRASE", PASSPHRASE)
    assert json.loads(survey("init", "--json").stdout)["encrypted"] is True
    for name in (KEY_FILE, AGE_KEY):
        assert (instance / name).read_bytes().startswith(b"survey-sealed 1\n")
    vault.lock(instance)
    assert survey("verify").exit_code == 0
    vault.lock(instance)
    monkeypatch.delenv("SURVEY_PASSPHRASE")
    told = survey("verify")
    assert told.exit_code == 2
    assert "encrypted, and locked" in told.stderr


def test_passphrases_come_from_files_too(survey: Survey, instance: Path, tmp_path: Path):
    old, new = tmp_path / "old.txt", tmp_path / "new.txt"
    old.write_text(PASSPHRASE + "\n", encoding="utf-8")
    new.write_text(OTHER + "\r\n", encoding="utf-8")
    assert survey("--passphrase-file", old, "init").exit_code == 0
    vault.lock(instance)
    assert survey("passphrase", "--passphrase-file", old, "--new-file", new).exit_code == 0
    vault.lock(instance)
    wrong = survey("user", "list", "--passphrase-file", old)
    assert wrong.exit_code == 2
    assert "the passphrase is not right" in wrong.stderr
    assert survey("user", "list", "--passphrase-file", new).exit_code == 0


def test_the_recovery_key_is_made_once_put_away_and_opens(survey: Survey, instance: Path, tmp_path: Path):
    old, new = tmp_path / "old.txt", tmp_path / "new.txt"
    old.write_text(PASSPHRASE, encoding="utf-8")
    new.write_text(OTHER, encoding="utf-8")
    assert survey("--passphrase-file", old, "init", "--role", "hub").exit_code == 0
    made = survey("recovery-key", "--out", tmp_path / "key.txt")
    assert made.exit_code == 0
    assert survey("recovery-key", "--out", tmp_path / "key.txt").exit_code == 2
    vault.lock(instance)
    assert survey("recover", "--key", tmp_path / "key.txt", "--new-file", new).exit_code == 0
    vault.lock(instance)
    assert survey("user", "list", "--passphrase-file", new).exit_code == 0
    assert not (instance / ROUND_KEY).exists()
