"""A store of an earlier release: kept as it was beside, then upgraded; one of a later release is not touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlcipher3 import dbapi2 as sqlite3

from survey.errors import StoreError
from survey.store import Store, vault
from survey.store.store import BACKUPS, FILE, SCHEMA, connect
from tests import laptops

PASSPHRASE = "bốn con voi uống trà"


def test_an_older_store_is_upgraded_and_a_copy_of_it_stays_beside(instance: Path):
    with Store.create(instance) as store:
        interview = laptops.interview(store)
    laptops.set_back_to_the_first_release(instance)
    with Store.open(instance) as store:
        assert store.value("PRAGMA user_version") == SCHEMA
        assert store.value("SELECT interview FROM interviews") == interview
    copy = instance / BACKUPS / f"{FILE}.1"
    assert [file.name for file in copy.parent.iterdir()] == [copy.name]
    with sqlite3.connect(copy) as old:
        assert old.execute("PRAGMA user_version").fetchone() == (1,)
        assert old.execute("SELECT interview FROM interviews").fetchone() == (interview,)
    old.close()


def test_the_copy_of_an_encrypted_store_is_encrypted_and_whole(instance: Path):
    with Store.create(instance, passphrase=PASSPHRASE) as store:
        interview = laptops.interview(store)
        store.execute(f"PRAGMA user_version = {SCHEMA - 1}")
    Store.open(instance).close()
    copy = instance / BACKUPS / f"{FILE}.{SCHEMA - 1}"
    assert not copy.read_bytes().startswith(b"SQLite format 3")
    with pytest.raises(sqlite3.DatabaseError):
        connect(copy, None)
    old = connect(copy, vault.key_for(instance, "store"))
    assert old.execute("SELECT interview FROM interviews").fetchone() == (interview,)
    old.close()


def test_a_newer_encrypted_store_is_refused_and_not_changed(instance: Path):
    with Store.create(instance, passphrase=PASSPHRASE) as store:
        store.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    before = (instance / FILE).read_bytes()
    with pytest.raises(StoreError, match="comes from a newer version; install the newer version"):
        Store.open(instance)
    assert (instance / FILE).read_bytes() == before
