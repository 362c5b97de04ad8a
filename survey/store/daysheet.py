"""The day sheet (Biên bản giao nhận phiếu): per laptop, what was made, what is confirmed, and where its feed ends."""

from __future__ import annotations

from typing import NamedTuple

from survey.store import derived
from survey.store.feed import text_id
from survey.store.receipts import conservation
from survey.store.store import Store


class Line(NamedTuple):
    """One laptop on the sheet. ``created = safe + open``, each counted by itself: on the laptop, entries made, named
    by a receipt from above, and not; on a hub, entries that the laptop has numbered, that are held here, and that are
    not."""

    device: str
    interviews: int
    today: int
    created: int
    safe: int
    open: int
    epoch: str
    seq: int
    head: str


def lines(store: Store, day: str) -> list[Line]:
    """The laptops of the sheet: this one, or on a hub every device that wrote interviews. ``day`` is ``2026-11-26``."""
    if store.role == "device":
        devices = [store.device]
    else:
        rows = store.execute(
            "SELECT DISTINCT f.device FROM feeds f JOIN revisions r ON r.feed = f.number"
            " WHERE r.kind IN ('sealed', 'partial') ORDER BY f.device"
        )
        devices = [device for (device,) in rows]
    return [_line(store, device, day) for device in devices]


def _line(store: Store, device: str, day: str) -> Line:
    sealed = (
        "SELECT count(DISTINCT r.subject) FROM revisions r JOIN feeds f ON f.number = r.feed"
        " WHERE f.device = ? AND r.subject_type = 'interview' AND r.kind = 'sealed'"
    )
    interviews = int(store.value(sealed, (device,)))
    today = int(store.value(sealed + " AND json_extract(CAST(r.header AS TEXT), '$.time') LIKE ?", (device, day + "%")))
    feeds = store.execute("SELECT number, epoch FROM feeds WHERE device = ? ORDER BY number", (device,)).fetchall()
    # What is written now stands last; a hub shows the feed that it heard of last.
    feeds.sort(key=lambda feed: device == store.device and feed[1] == store.epoch)
    number, epoch = feeds[-1]
    seq, raw = store.execute(
        "SELECT seq, id FROM revisions WHERE feed = ? ORDER BY seq DESC, id LIMIT 1", (number,)
    ).fetchone() or (0, b"")
    counted = conservation(store) if device == store.device else _held(store, [feed[0] for feed in feeds])
    return Line(device, interviews, today, *counted, epoch, seq, text_id(raw) if raw else "")


def _held(store: Store, feeds: list[int]) -> tuple[int, int, int]:
    """(numbered, held, missing) entries of another device."""
    numbered = held = missing = 0
    for number in feeds:
        numbered += store.value("SELECT coalesce(max(seq), 0) FROM revisions WHERE feed = ?", (number,))
        held += store.value("SELECT count(DISTINCT seq) FROM revisions WHERE feed = ?", (number,))
        after = 0
        for first, last in derived.read_feed(store, number).held:
            missing += first - after - 1
            after = last
    return numbered, held, missing


def mark(head: str) -> str:
    """The beginning of an entry's id, as people compare it."""
    digits = head.removeprefix("sha256:")[:12].upper()
    return " ".join(digits[i : i + 4] for i in range(0, len(digits), 4))
