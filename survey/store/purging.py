"""Emptying a laptop that goes back: only once the receipts that its rounds ask for name all that it wrote (decision
121). Nothing else in this program removes anything because it was handed over."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlcipher3 import dbapi2 as sqlite3

from survey.errors import InputError
from survey.store import frame, vault
from survey.store.authority import may_confirm
from survey.store.converting import overwrite
from survey.store.receipts import conservation
from survey.store.store import FILE, TIERS, Store, connect, now_text, told
from survey.text import Text, many
from survey.vocabulary import TIERS as NAMES

ASKED = "receipt"
"""In a round's document: the tier whose receipt its laptops need before they may be emptied; ``supervisor`` without."""

RECORD = "purged.json"
_FOLDERS = ("keys", "receipts", "backups", "bundles")


class Standing(NamedTuple):
    """Whether a laptop may be emptied: the ``tier`` whose receipt its rounds ask for, how many entries it ``created``,
    how many of them such a receipt names (``safe``), and how many interviews are unfinished (``open``)."""

    device: str
    tier: str
    created: int
    safe: int
    open: int

    @property
    def is_safe(self) -> bool:
        """Whether nothing would be lost."""
        return self.created == self.safe and not self.open


def standing(store: Store) -> Standing:
    """How far what this laptop wrote is safe. InputError on a hub, which keeps what others handed over."""
    if store.role != "device":
        raise InputError(
            store.device,
            Text("đây là máy chủ tiếp nhận, giữ dữ liệu của nhiều máy", "this is a hub, which keeps others' data"),
            Text("chỉ làm trống máy đi phỏng vấn", "only a field laptop is emptied"),
        )
    # The round that asks for most decides.
    tier = max((_asked(one) for one in frame.rounds(store)), key=TIERS.index, default=TIERS[1])
    enough = TIERS[TIERS.index(tier) :]
    known = {hub for (hub,) in store.execute("SELECT DISTINCT hub FROM receipted").fetchall()}
    hubs = sorted(hub for hub in known if may_confirm(store, hub))
    safe = store.value(
        "SELECT count(*) FROM revisions r JOIN feeds f ON f.number = r.feed WHERE f.device = ? AND EXISTS"
        " (SELECT 1 FROM receipted s WHERE s.revision = r.number AND s.hub IN (SELECT value FROM json_each(?))"
        " AND s.tier IN (SELECT value FROM json_each(?)))",
        (store.device, json.dumps(hubs), json.dumps(enough)),
    )
    unfinished = store.value("SELECT count(*) FROM drafts")
    return Standing(store.device, tier, conservation(store).created, int(safe), int(unfinished))


def _asked(round: dict[str, object]) -> str:
    said = str(round.get(ASKED) or TIERS[1])
    return said if said in TIERS[1:] else TIERS[-1]


def require_safe(now: Standing) -> None:
    """Raises InputError, saying what is missing, unless a laptop that stands so may be emptied."""
    if now.is_safe:
        return
    name, missing = NAMES[now.tier], now.created - now.safe
    raise InputError(
        now.device,
        Text(
            f"còn {now.open} phiếu dở và {missing} bản ghi chưa có giấy xác nhận của cấp {name.vi} (máy chủ đã đăng "
            "ký)",
            f"{many(now.open, 'interview is', 'interviews are')} unfinished, and "
            f"{many(missing, 'entry has', 'entries have')} no receipt of the {name.en} (of an enrolled hub)",
        ),
        Text(
            "làm xong hoặc bàn giao phiếu dở, nộp (survey export --everything nộp lại tất cả), rồi nhận giấy xác nhận "
            "về; chưa xóa gì",
            "finish them or hand them on, hand over (survey export --everything does all once more), and take the "
            "receipt in; nothing was removed",
        ),
    )


def purge(folder: Path, actor: str = "", now: datetime | None = None) -> Standing:
    """Empties the instance in ``folder`` for good; returns how it stood. Keys first, so that what a power cut leaves of
    an encrypted instance can be opened by nobody; a plain store is overwritten. ``purged.json`` stays behind and says
    when, by whom, and that all of it was receipted.

    InputError while anything is not safe, StoreError while another program has the store open: then nothing is gone.
    """
    with Store.open(folder) as store:
        found = standing(store)
        require_safe(found)
    _alone(folder)
    record = {**found._asdict(), "actor": actor, "time": now_text(now)}
    (folder / RECORD).write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    vault.lock(folder)
    keys = sorted(file for file in (folder / "keys").rglob("*") if file.is_file())
    for file in (*keys, *sorted(folder.glob(FILE + "*")), *sorted((folder / "backups").glob("*"))):
        overwrite(file)
    for name in _FOLDERS:
        shutil.rmtree(folder / name, ignore_errors=True)
    for file in folder.iterdir():
        if file.is_dir() and file.name.partition("-")[0] in ("up", "down", "brought"):
            shutil.rmtree(file, ignore_errors=True)
    (folder / "survey-errors.log").unlink(missing_ok=True)
    return found


def _alone(folder: Path) -> None:
    """Raises StoreError while another program has the store open."""
    file = folder / FILE
    try:
        with closing(connect(file, vault.key_for(folder, "store"))) as db:
            db.execute("PRAGMA locking_mode = EXCLUSIVE")
            if db.execute("PRAGMA journal_mode = DELETE").fetchone()[0] != "delete":
                raise sqlite3.OperationalError("database is locked")
            db.execute("BEGIN EXCLUSIVE")
            db.execute("COMMIT")
    except sqlite3.Error as error:
        raise told(file, error) from error
