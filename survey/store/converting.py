"""A plain store made an encrypted one. At any interruption the store is whole: plain before the vault is in its place,
and after that finished by asking for it again."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import sqlcipher3.dbapi2 as sqlite3

from survey.errors import InputError, StoreError
from survey.store import vault
from survey.store.store import APPLICATION_ID, BACKUPS, COPY, FILE, PLAIN_START, SCHEMA, Store, connect, told
from survey.text import Text

_BLOCK = 1 << 20
_OLD = ".plain"
_SECRETS = ("device.key", "round.key", "age.key", "hub.key")
_UNUSED = "session.key"
"""Of a plain instance alone: an encrypted one makes it from its own key."""


def encrypt(folder: Path, passphrase: str) -> int:
    """Encrypts the instance in ``folder``; returns how many revisions are in it.

    The plain file, plain keys and plain copies of older schemas are overwritten and removed: on a flash disk what lay
    there may survive all the same. InputError for a weak passphrase or a store that is encrypted already, StoreError
    when another program has it open or the disk is full: then it stays as it was.
    """
    file, copy = folder / FILE, folder / COPY
    if not vault.is_encrypted(folder):
        Store.open(folder).close()  # upgraded first, by the program that knows how
        _write_copy(folder, file, copy, passphrase)
    elif _is_unfinished(folder):
        vault.unlock(folder, passphrase)
    else:
        raise InputError(
            str(folder),
            Text("kho dữ liệu này đã mã hóa", "this store is encrypted already"),
            Text("đổi cụm mật khẩu: survey passphrase", "to change the passphrase: survey passphrase"),
        )
    if copy.exists():
        _replace(file, lambda: os.replace(copy, file))
    for end in ("-wal", "-shm"):
        file.with_name(file.name + end).unlink(missing_ok=True)
    for name in _SECRETS:
        key = folder / "keys" / name
        if key.exists() and not vault.is_sealed(content := key.read_bytes()):
            _replace(key, partial(vault.write_secret, key, content))
    for old in _left(folder):
        overwrite(old)
    with Store.open(folder) as store:
        return int(store.value("SELECT count(*) FROM revisions"))


def _is_unfinished(folder: Path) -> bool:
    unsealed = [
        k for name in _SECRETS if (k := folder / "keys" / name).exists() and not vault.is_sealed(k.read_bytes())
    ]
    return bool((folder / COPY).exists() or unsealed or _left(folder))


def _left(folder: Path) -> list[Path]:
    """What is plain and of no use any more: second names of replaced files, copies made before upgrades."""
    found = [*folder.glob("*" + _OLD), *(folder / "keys").glob("*" + _OLD), *(folder / "keys").glob(_UNUSED)]
    return found + [old for old in (folder / BACKUPS).glob(FILE + ".*") if _is_plain(old)]


def _is_plain(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(len(PLAIN_START)) == PLAIN_START


def _write_copy(folder: Path, file: Path, copy: Path, passphrase: str) -> None:
    """The encrypted copy beside, complete and proved; then the vault, which says that from now on it counts."""
    for left in (copy, *(copy.with_name(copy.name + end) for end in ("-wal", "-shm", "-journal"))):
        left.unlink(missing_ok=True)
    draft = vault.draft(passphrase)
    try:
        with closing(connect(file, None)) as db:
            # Nobody else may write while it is copied, or open it afterwards by its old name.
            db.execute("PRAGMA locking_mode = EXCLUSIVE")
            db.execute("PRAGMA foreign_keys = OFF")
            if db.execute("PRAGMA journal_mode = DELETE").fetchone()[0] != "delete":
                raise sqlite3.OperationalError("database is locked")
            db.execute("BEGIN EXCLUSIVE")
            db.execute("COMMIT")
            db.execute(f"ATTACH DATABASE ? AS copy KEY \"x'{draft.of('store').hex()}'\"", (str(copy),))
            db.execute("SELECT sqlcipher_export('copy')").fetchall()
            db.execute(f"PRAGMA copy.application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA copy.user_version = {SCHEMA}")
            db.execute("DETACH DATABASE copy")
            _prove(db, copy, draft.of("store"))
            _sync(copy)
            draft.write(folder)
    except sqlite3.Error as error:
        copy.unlink(missing_ok=True)
        raise told(file, error) from error


def _prove(db: sqlite3.Connection, copy: Path, key: bytes) -> None:
    """Raises StoreError unless the copy has every table, trigger and row of the store."""
    schema = "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name"
    with closing(connect(copy, key, read_only=True)) as other:
        same = db.execute(schema).fetchall() == other.execute(schema).fetchall()
        for (table,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            count = f'SELECT count(*) FROM "{table}"'
            same = same and db.execute(count).fetchone() == other.execute(count).fetchone()
        same = same and other.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    if not same:
        copy.unlink(missing_ok=True)
        raise StoreError(
            str(copy),
            Text("bản mã hóa không khớp với kho dữ liệu", "the encrypted copy is not what the store is"),
            Text("chưa đổi gì; chạy survey verify", "nothing was changed; run survey verify"),
        )


def _replace(file: Path, write: Callable[[], object]) -> None:
    """Lets ``write`` put another file in the place of ``file``; a second name of the old one lets it be overwritten."""
    old = file.with_name(file.name + _OLD)
    # On a disk without hard links (FAT) the old blocks are only let go.
    with suppress(OSError):
        old.unlink(missing_ok=True)
        os.link(file, old)
    write()
    if old.exists():
        overwrite(old)


def overwrite(file: Path) -> None:
    """Writes zeros over a file and removes it."""
    size = file.stat().st_size
    with file.open("r+b") as stream:
        for start in range(0, size, _BLOCK):
            stream.write(bytes(min(_BLOCK, size - start)))
        stream.flush()
        os.fsync(stream.fileno())
    file.unlink()


def _sync(file: Path) -> None:
    with file.open("r+b") as stream:
        os.fsync(stream.fileno())
