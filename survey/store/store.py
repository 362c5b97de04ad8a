"""One instance's store: a folder with ``keys/`` and ``survey.sqlite``. Opening, transactions, and what can go wrong.

The database connection is made in one place, :func:`connect`. SQLCipher is the engine of plain stores too, so that
there is one; the key of an encrypted one comes from its vault (:mod:`survey.store.vault`).
"""

from __future__ import annotations

import os
import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import Any

from sqlcipher3 import dbapi2 as sqlite3

from survey.errors import InputError, InUseError, StoreError
from survey.store import vault
from survey.store.header import PRACTICE
from survey.store.signing import SigningKey
from survey.text import Text

FILE = "survey.sqlite"
BACKUPS = "backups"
COPY = FILE + ".encrypted"
"""The encrypted copy of a plain store, while it is being made (:mod:`survey.store.converting`)."""
PLAIN_START = b"SQLite format 3\0"
KEY_FILE = Path("keys", "device.key")
SCHEMA = 20
"""The number of the newest migration; a file with a higher one comes from a newer program."""

APPLICATION_ID = 0x53727679
"""Written into the database file so that another program's database is never taken for a store."""

ROLES = ("device", "hub")
TIERS = ("device", "supervisor", "province", "ministry")
"""Where a store stands, lowest first. A device is at the bottom; a hub at one of the others."""

BUSY_MS = 10_000
"""How long a connection waits for another program that writes."""


def now_text(now: datetime | None = None) -> str:
    """``now`` (default: this moment) as RFC 3339 text with the zone's offset, to the second."""
    moment = now or datetime.now(UTC)
    return moment.astimezone(moment.tzinfo if now else None).isoformat(timespec="seconds")


_DAMAGE = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What shows that the file is damaged. Not even what SQLite says of it need be text then."""


class Store:
    """An open store; a context manager. Make one with :meth:`create` or :meth:`open`."""

    def __init__(self, folder: Path, db: sqlite3.Connection):
        self.folder = folder
        self.file = folder / FILE
        """The database file."""
        self.db = db
        self._key: SigningKey | None = None
        self._held: tuple[int, int] | None = None
        meta = {row["name"]: row["value"] for row in self.rows("SELECT name, value FROM meta")}
        self.device: str = meta["device"]
        self.role: str = meta["role"]
        self.tier: str = meta["tier"]

    # -- making and opening ---------------------------------------------------------------------------------------

    @classmethod
    def create(
        cls,
        folder: str | Path,
        role: str = "device",
        *,
        tier: str = "",
        name: str = "",
        passphrase: str = "",
        introduce: bool = True,
        practice: bool = False,
        now: datetime | None = None,
    ) -> Store:
        """Makes the keys and an empty store in ``folder`` and opens it.

        ``tier`` is where a hub stands (``supervisor``, ``province`` or ``ministry``; default ``supervisor``);
        ``name`` is what people call the laptop. The feed's first revision is this device's own ``device`` document.
        With a ``passphrase`` everything in it is encrypted (InputError for a weak one), without one nothing is. Keys
        that are already in the folder are kept; without ``introduce`` the device's document comes from elsewhere (a
        backup). Raises StoreError when the folder has a store.
        """
        folder = Path(folder)
        tier = tier or ("device" if role == "device" else "supervisor")
        if role not in ROLES or tier not in TIERS or (role == "device") != (tier == "device"):
            raise InputError(
                f"role={role}, tier={tier}",
                Text("vai trò hoặc cấp của máy không hợp lệ", "not a role and tier that go together"),
                Text(
                    "dùng device, hoặc hub với " + ", ".join(TIERS[1:]),
                    "use device, or hub with " + ", ".join(TIERS[1:]),
                ),
            )
        file = folder / FILE
        if file.exists():
            raise StoreError(
                str(file),
                Text("thư mục này đã có kho dữ liệu", "this folder already has a store"),
                Text("chọn thư mục khác, hoặc mở kho này", "choose another folder, or open this store"),
            )
        folder.mkdir(parents=True, exist_ok=True)
        if passphrase:
            vault.create(folder, passphrase)
        key_file = folder / KEY_FILE
        key = SigningKey.load(key_file) if key_file.exists() else SigningKey.create(key_file)
        # Built beside and renamed: a crash leaves no half-made store under the real name.
        part = folder / (FILE + ".part")
        for leftover in (part, *(part.with_name(part.name + end) for end in ("-wal", "-shm", "-journal"))):
            leftover.unlink(missing_ok=True)
        db = connect(part, vault.key_for(folder, "store"))
        try:
            _migrate(db)
            db.executemany(
                "INSERT INTO meta (name, value) VALUES (?, ?)",
                [("device", key.device), ("role", role), ("tier", tier), ("epoch", _random_epoch(practice))],
            )
            db.execute("INSERT INTO device_keys (device, public_key) VALUES (?, ?)", (key.device, key.public))
            if introduce:
                _introduce(cls(folder, db), name, now)
        except sqlite3.Error as error:
            raise told(part, error) from error
        finally:
            db.close()
        os.replace(part, file)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: str | Path) -> Store:
        """Opens the store in ``folder``, upgrading an older schema after keeping a copy of it.

        Raises StoreError (missing, not a store, from a newer version, damaged; InUseError; LockedError when it is
        encrypted and :func:`survey.store.vault.unlock` was not called) and then changes nothing.
        """
        file = Path(folder) / FILE
        db: sqlite3.Connection | None = None
        with _GUARD:
            check_file(file)
            try:
                db = connect(file, vault.key_for(file.parent, "store"))
                # Asked again: a newer program that was killed has its number in the write-ahead log alone.
                version = check_inside(file, db)
                if version != SCHEMA:
                    _keep_copy(file, db, version)
                    _migrate(db)
                store = cls(Path(folder), db)
            except (*_DAMAGE, sqlite3.Error, KeyError) as error:
                if db is not None:
                    db.close()
                raise told(file, error) from error
            except BaseException:
                if db is not None:
                    db.close()
                raise
            store._held = _identity(file)
            _OPEN[store._held] += 1
            return store

    def close(self) -> None:
        """Closes the database. Closing twice is harmless."""
        with _GUARD:
            self.db.close()
            if self._held is not None:
                _OPEN[self._held] -= 1
                self._held = None

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # -- this device ----------------------------------------------------------------------------------------------

    @property
    def key(self) -> SigningKey:
        """This device's signing key, read from ``keys/`` at first use."""
        if self._key is None:
            key = SigningKey.load(self.folder / KEY_FILE)
            if key.device != self.device:
                raise StoreError(
                    str(self.folder / KEY_FILE),
                    Text("khóa này không phải của máy này", "this key belongs to another device"),
                    Text("chép lại thư mục keys từ bản sao lưu", "put the keys folder back from a backup"),
                )
            self._key = key
        return self._key

    @property
    def epoch(self) -> str:
        """The epoch that this device writes now; asked anew each time, since another process may open a new one."""
        return str(self.value("SELECT value FROM meta WHERE name = 'epoch'"))

    @property
    def is_practice(self) -> bool:
        """Whether everything that is written here is practice."""
        return self.epoch.startswith(PRACTICE)

    def new_epoch(self) -> str:
        """Starts a new feed of this device (after a restore, or when someone holds entries that it lacks)."""
        epoch = _random_epoch(self.is_practice)
        with self.transaction():
            self.execute("UPDATE meta SET value = ? WHERE name = 'epoch'", (epoch,))
        return epoch

    # -- reading and writing --------------------------------------------------------------------------------------

    def execute(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> sqlite3.Cursor:
        """Runs one statement. What SQLite says about the file, now or while rows are read, becomes a StoreError."""
        cursor = self.db.cursor(_Cursor)
        cursor.file = self.file
        try:
            return cursor.execute(sql, parameters)
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError):
            raise
        except _DAMAGE as error:
            raise told(self.file, error) from error

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Runs one statement for every row."""
        try:
            self.db.executemany(sql, rows)
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError):
            raise
        except _DAMAGE as error:
            raise told(self.file, error) from error

    def rows(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[dict[str, Any]]:
        """All rows of a query, as dicts."""
        cursor = self.execute(sql, parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def value(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> Any:
        """The first column of a query's first row, or None when there is no row."""
        row = self.execute(sql, parameters).fetchone()
        return row[0] if row else None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is written together or not at all. One inside another joins it and can fail alone."""
        nested = self.db.in_transaction
        begin, keep, undo = ("SAVEPOINT inner", "RELEASE inner", "ROLLBACK TO inner") if nested else _WHOLE
        self.execute(begin)
        try:
            yield
            self.execute(keep)
        except BaseException:
            # A full disk makes SQLite roll back by itself; then there is nothing left to undo.
            if self.db.in_transaction:
                self.db.execute(undo)
                if nested:
                    self.db.execute(keep)
            raise


_WHOLE = ("BEGIN IMMEDIATE", "COMMIT", "ROLLBACK")


class _Cursor(sqlite3.Cursor):
    """Rows are read from the disk as they are asked for: a page that is damaged shows itself only then."""

    file: Path

    def __next__(self) -> Any:
        try:
            return sqlite3.Cursor.__next__(self)
        except _DAMAGE as error:
            raise told(self.file, error) from error

    def fetchone(self) -> Any:
        try:
            return sqlite3.Cursor.fetchone(self)
        except _DAMAGE as error:
            raise told(self.file, error) from error

    def fetchall(self) -> list[Any]:
        try:
            return sqlite3.Cursor.fetchall(self)
        except _DAMAGE as error:
            raise told(self.file, error) from error


def _introduce(store: Store, name: str, now: datetime | None) -> None:
    """Writes the device's own document, with its public key, as its first revision."""
    from survey.store import feed

    feed.append(
        store,
        subject_type="device",
        subject=store.device,
        kind="issued",
        parts={
            "document": {
                "id": store.device,
                "name": name,
                "public_key": store.key.public.hex(),
                "role": store.role,
                "tier": store.tier,
                "certificate": {},
            }
        },
        now=now,
    )


def _random_epoch(practice: bool = False) -> str:
    return (PRACTICE if practice else "e") + secrets.token_hex(8)


def connect(file: Path, key: bytes | None, *, read_only: bool = False) -> sqlite3.Connection:
    """The one place where a connection to a store's database is made. ``key`` (32 bytes) encrypts every page of the
    file and of its write-ahead log; what SQLite sorts or sets aside stays in memory."""
    name = f"{file.resolve().as_uri()}?mode=ro" if read_only else file
    db = sqlite3.connect(name, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False, uri=read_only)
    try:
        if key is not None:
            db.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
            db.execute("PRAGMA temp_store = MEMORY")
        if read_only:
            return db
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA secure_delete = ON")
        db.execute("PRAGMA cache_size = -32000")
    except (*_DAMAGE, sqlite3.Error):
        db.close()
        raise
    return db


def _keep_copy(file: Path, db: sqlite3.Connection, version: int) -> None:
    """The store as it was before an upgrade, under ``backups/survey.sqlite.<version>``, encrypted as it was itself. To
    go back to the older program: put it in the place of ``survey.sqlite``."""
    target = file.parent / BACKUPS / f"{FILE}.{version}"
    if target.exists():
        return
    target.parent.mkdir(exist_ok=True)
    part = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with closing(connect(part, vault.key_for(file.parent, "store"))) as copy:
            db.backup(copy)
            # Another program may have upgraded it meanwhile, and has then kept the copy.
            if copy.execute("PRAGMA user_version").fetchone()[0] != version:
                return
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def _migrate(db: sqlite3.Connection) -> None:
    from sqlite_utils import Database

    from survey.store.migrations import migrations

    # The lock comes first: of two programs that open an older store at once, the second finds it upgraded.
    db.execute("BEGIN IMMEDIATE")
    try:
        migrations.apply(Database(db))
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {SCHEMA}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


_GUARD = RLock()
_OPEN: Counter[tuple[int, int]] = Counter()
"""How many connections this process has to each database file."""


def _identity(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_dev, found.st_ino


def check_file(file: Path) -> None:
    """Raises StoreError unless ``file`` is a store that this program can read. Only reads its first 100 bytes.

    A file that this process has open is not read again: on POSIX, closing any handle of a file lets go of every lock
    that the process has on it. Another process that then came and went would take itself for the last one, and remove
    the write-ahead log under those that still write.
    """
    try:
        with _GUARD:
            if _OPEN[_identity(file)]:
                return
            with file.open("rb") as stream:
                start = stream.read(100)
    except (FileNotFoundError, NotADirectoryError):
        raise StoreError(
            str(file),
            Text("ở đây chưa có kho dữ liệu", "there is no store here"),
            Text("chạy: survey init, hoặc kiểm tra đường dẫn", "run: survey init, or check the path"),
        ) from None
    except OSError as error:
        raise StoreError(
            str(file),
            Text(f"không mở được ({error.strerror})", f"it cannot be opened ({error.strerror})"),
            Text("kiểm tra quyền truy cập", "check the permissions"),
        ) from error
    plain = start[:16] == PLAIN_START
    if vault.is_encrypted(file.parent):
        # Answers must not go on into a file that somebody put in the encrypted one's place.
        if plain and file.with_name(COPY).exists():
            raise StoreError(
                str(file),
                Text("việc mã hóa kho dữ liệu bị ngắt giữa chừng", "the store was being encrypted when it was cut off"),
                Text("chạy lại: survey encrypt (không mất gì)", "run again: survey encrypt (nothing is lost)"),
            )
        if plain or len(start) < 100:
            raise _no_store(file)
        return  # what is inside can be asked only once it is open
    if not plain or int.from_bytes(start[68:72], "big") != APPLICATION_ID:
        raise _no_store(file)
    check_version(file, int.from_bytes(start[60:64], "big"))


def check_inside(file: Path, db: sqlite3.Connection) -> int:
    """The ``user_version`` of an open database; StoreError when it is no store or newer than this program."""
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise _no_store(file)
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    check_version(file, version)
    return version


def _no_store(file: Path) -> StoreError:
    return StoreError(
        str(file),
        Text("tệp này không phải kho dữ liệu khảo sát", "this file is not a survey store"),
        Text("chọn đúng tệp, hoặc lấy lại từ bản sao lưu", "choose the right file, or restore it from a backup"),
    )


def check_version(file: Path, version: int) -> None:
    """Raises StoreError when a store's ``user_version`` is newer than this program."""
    if version > SCHEMA:
        raise StoreError(
            str(file),
            Text("kho dữ liệu do phiên bản mới hơn của phần mềm tạo ra", "the store comes from a newer version"),
            Text("cài phiên bản mới rồi mở lại", "install the newer version and open it again"),
        )


def told(file: Path, error: Exception) -> StoreError:
    """What SQLite says about a file, as a sentence."""
    said = str(error)
    if "locked" in said or "busy" in said:
        return InUseError(
            str(file),
            Text("kho dữ liệu đang được chương trình khác dùng", "the store is in use by another program"),
            Text("đóng chương trình đó rồi thử lại", "close that program and try again"),
        )
    if "full" in said:
        return StoreError(
            str(file),
            Text("ổ đĩa đã đầy; dữ liệu đã lưu trước đó vẫn nguyên", "the disk is full; what was saved before is safe"),
            Text("giải phóng dung lượng rồi làm lại", "free some space and try again"),
        )
    if "readonly" in said or "unable to open" in said:
        return StoreError(
            str(file),
            Text("không ghi được vào kho dữ liệu", "the store cannot be written"),
            Text("kiểm tra quyền ghi của thư mục", "check that the folder is writable"),
        )
    if "disk I/O" in said:
        return StoreError(
            str(file),
            Text("ổ đĩa báo lỗi khi đọc hoặc ghi", "the disk failed while reading or writing"),
            Text("chép thư mục này sang ổ khác rồi thử lại", "copy this folder to another disk and try again"),
        )
    return StoreError(
        str(file),
        Text(f"kho dữ liệu bị hỏng ({said})", f"the store is damaged ({said})"),
        Text("giữ nguyên tệp này và khôi phục từ bản sao lưu", "keep this file and restore from a backup"),
    )
