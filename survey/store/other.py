"""Reading another store's file, for merging it: read-only, nothing in it is changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlcipher3 import dbapi2 as sqlite3

from survey.errors import StoreError
from survey.store.header import Part, Record
from survey.store.packing import unpack
from survey.store.store import Store, check_file, check_inside, connect, told
from survey.store.vault import key_for
from survey.text import Text


class Other:
    """Another store, open for reading."""

    def __init__(self, db: sqlite3.Connection):
        self._db = db
        self.known = 0

    @property
    def keys(self) -> dict[str, bytes]:
        """The public keys it knows, by device."""
        return dict(self._db.execute("SELECT device, public_key FROM device_keys").fetchall())

    def count(self) -> int:
        """How many revisions it holds."""
        return int(self._db.execute("SELECT count(*) FROM revisions").fetchone()[0])

    def records_unknown_to(self, store: Store) -> Iterator[Record]:
        """Its revisions that ``store`` lacks, or lacks parts of, feed by feed; the others are counted in ``known``."""
        query = "SELECT number, id, header, signature FROM revisions ORDER BY feed, seq, id"
        for number, id, header, signature in self._db.execute(query):
            mine = store.value("SELECT number FROM revisions WHERE id = ?", (id,))
            parts = {
                name: Part(salt, unpack(name, kept))
                for name, salt, kept in self._db.execute(
                    "SELECT name, salt, content FROM parts WHERE revision = ? ORDER BY name", (number,)
                )
                if mine is None or self._is_missing(store, mine, name)
            }
            if mine is None or parts:
                yield Record(header, signature, parts)
            else:
                self.known += 1

    @staticmethod
    def _is_missing(store: Store, number: int, name: str) -> bool:
        return store.value("SELECT 1 FROM missing WHERE revision = ? AND name = ?", (number, name)) is not None


@contextmanager
def open_other(file: Path) -> Iterator[Other]:
    """Opens another store's database file for reading. StoreError when it is none, newer, damaged, in
    use, or encrypted and not unlocked in this process."""
    check_file(file)
    try:
        with closing(connect(file, key_for(file.parent, "store"), read_only=True)) as db:
            db.execute("BEGIN")
            check_inside(file, db)
            yield Other(db)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError) and "no such table" in str(error):
            raise StoreError(
                str(file),
                Text("tệp này không phải kho dữ liệu khảo sát", "this file is not a survey store"),
                Text("chọn đúng tệp", "choose the right file"),
            ) from error
        raise told(file, error) from error
