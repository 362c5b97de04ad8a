"""Receipts: a hub's signed statement of what it holds (docs/formats.md), and what follows from those that verify."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from survey.errors import InputError, VerifyError
from survey.store import derived
from survey.store.authority import may_confirm
from survey.store.feed import raw_id, text_id
from survey.store.header import DECISION_KINDS, canonical, hash_text, read_header
from survey.store.signed import read_signed, write_signed
from survey.store.store import TIERS, Store, now_text
from survey.text import Text

VERSION = 1


class Conservation(NamedTuple):
    """What this device created is either named by a receipt or still to be handed over."""

    created: int
    receipted: int
    pending: int


def make_receipt(store: Store, now: datetime | None = None, devices: Collection[str] | None = None) -> bytes:
    """This hub's receipt for everything it holds, or for the feeds of ``devices`` alone: what one of them is told after
    each chunk, and nobody else needs. InputError on a device, which receives for nobody."""
    if store.role != "hub":
        raise InputError(
            store.device,
            Text("máy này không phải máy chủ tiếp nhận", "this is not a hub"),
            Text("chỉ máy chủ tiếp nhận ký xác nhận", "only a hub signs receipts"),
        )
    feeds = held_feeds(store, devices)
    missing = store.execute(
        # CROSS: begin with the few that are missing, not with all revisions because they lie in the order asked for.
        "SELECT r.id, m.name FROM missing m CROSS JOIN revisions r ON r.number = m.revision"
        " JOIN feeds f ON f.number = r.feed WHERE ? IS NULL OR f.device IN (SELECT value FROM json_each(?))"
        " ORDER BY r.id, m.name",
        [None if devices is None else json.dumps(sorted(devices))] * 2,
    )
    statement = {
        "v": VERSION,
        "kind": "receipt",
        "hub": store.device,
        "public_key": store.key.public.hex(),
        "tier": store.tier,
        "time": now_text(now),
        "feeds": feeds,
        "missing_parts": [f"{text_id(raw)}/{name}" for raw, name in missing],
    }
    if devices is not None:
        return write_signed(statement, store.key)
    # While nothing changed the last receipt stands: the same stick, read twice, does not fill up with receipts.
    last = store.value("SELECT content FROM receipts WHERE hub = ? ORDER BY rowid DESC LIMIT 1", (store.device,))
    if last is not None:
        before = read_signed(last, "receipt", "hub", "receipt")
        if before == {**statement, "time": before["time"]}:
            return bytes(last)
    content = write_signed(statement, store.key)
    _keep(store, store.device, store.tier, content)
    return content


def held_feeds(store: Store, devices: Collection[str] | None = None) -> list[dict[str, Any]]:
    """What is held of every feed (of ``devices`` where given), as a receipt states it."""
    feeds = []
    for number, device, epoch in store.execute(
        "SELECT number, device, epoch FROM feeds ORDER BY device, epoch"
    ).fetchall():
        if devices is not None and device not in devices:
            continue
        feed = derived.read_feed(store, number)
        feeds.append(
            {
                "device": device,
                "epoch": epoch,
                "held": [list(range) for range in feed.held],
                "head": feed.head,
                "forks": {str(seq): _ids_at(store, number, seq) for seq in sorted({*feed.forked, *_ends(feed)[:-1]})},
            }
        )
    return feeds


def _ends(feed: derived.Feed) -> list[int]:
    """The last number of every unbroken stretch of a feed."""
    return [last for _, last in feed.held]


def code(content: bytes) -> str:
    """A receipt's code, for people to read to each other: ``AB12 CD34``."""
    digits = hash_text(content).removeprefix("sha256:")[:8].upper()
    return f"{digits[:4]} {digits[4:]}"


class NotCounted(InputError):
    """A receipt that holds, by a machine that is not known here as a hub: anybody with a key can sign one."""


def read_receipt(
    store: Store, content: bytes, where: str = "", *, keep: bool = True, vouched: bool = False
) -> dict[str, Any]:
    """Checks a receipt and notes what it makes safe; returns it. VerifyError when it does not hold, NotCounted when its
    hub is none that counts here (:func:`survey.store.authority.may_confirm`) and nobody ``vouched`` for it, as the hub
    does that this machine was enrolled at.

    ``keep=False`` for one about a few feeds, which is not to be handed on in place of the hub's last whole one. It
    counts for a feed only when the last entry it names is held here too: only then is it about the same entries.
    """
    receipt = read_signed(content, "receipt", "hub", where)
    if receipt["hub"] == store.device:
        return receipt
    if not vouched and not may_confirm(store, receipt["hub"]):
        raise NotCounted(
            where or "receipt",
            Text(
                "giấy xác nhận của máy chưa được đăng ký làm máy chủ tiếp nhận; không tính là đã nộp",
                "a receipt by a machine that is not enrolled as a hub; nothing counts as handed over by it",
            ),
            Text(
                "máy chủ thật thì đăng ký máy ấy ở nơi lập đợt rồi nhập lại tệp đợt; không thì báo giám sát viên",
                "if the hub is genuine, enrol it where the round was set up and load the round file again; if not, "
                "tell your supervisor",
            ),
        )
    restored = False
    try:
        absent = {tuple(name.rpartition("/")[::2]) for name in receipt["missing_parts"]}
        if receipt["tier"] not in TIERS:
            raise ValueError("unknown tier")
        with store.transaction():
            if keep:
                _keep(store, receipt["hub"], receipt["tier"], content)
            for feed in receipt["feeds"]:
                restored |= not _note_feed(store, receipt, feed, absent)
            if restored:
                store.new_epoch()
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise VerifyError(
            where or "receipt",
            Text("nội dung xác nhận sai cấu trúc", "the receipt is malformed"),
            Text("xin máy chủ tiếp nhận cấp lại", "ask the hub for another"),
        ) from None
    return receipt


def _keep(store: Store, hub: str, tier: str, content: bytes) -> None:
    store.execute(
        "INSERT OR IGNORE INTO receipts (hash, hub, tier, content) VALUES (?, ?, ?, ?)",
        (hash_text(content), hub, tier, content),
    )


def _note_feed(store: Store, receipt: dict[str, Any], feed: dict[str, Any], absent: set[tuple[str, ...]]) -> bool:
    """Notes one feed of a receipt; False when the hub holds entries of *our own* feed that we lack."""
    number = store.value(
        "SELECT number FROM feeds WHERE device = ? AND epoch = ?", (str(feed["device"]), str(feed["epoch"]))
    )
    raw_id(feed["head"])  # nonsense is told before anything is noted
    named = None if number is None else _named(store, number, feed)
    if named is None:
        return (feed["device"], feed["epoch"]) != (store.device, store.epoch)
    for batch in named:
        store.executemany(
            "INSERT OR IGNORE INTO receipted (revision, hub, tier) VALUES (?, ?, ?)",
            [
                (revision, receipt["hub"], receipt["tier"])
                for revision, id in batch
                if not _lacks(store, revision, id, absent)
            ],
        )
    return True


def _named(store: Store, number: int, feed: dict[str, Any]) -> Iterator[list[tuple[int, str]]] | None:
    """(database number, id) of the revisions of one feed that a statement about it names, a stretch at a time; None
    when the last entry it names is not held here, so that it may be about others.

    An entry is named by its id, or by an entry named with the next number that continues it: a number alone may stand
    for another entry, since a cloned disk writes two lines of entries.
    """
    if store.value("SELECT 1 FROM revisions WHERE id = ? AND feed = ?", (raw_id(feed["head"]), number)) is None:
        return None
    ranges = [(int(first), int(last)) for first, last in feed["held"]]
    listed = {int(seq): {str(id) for id in ids} for seq, ids in feed["forks"].items()}
    if ranges:
        listed.setdefault(ranges[-1][1], {feed["head"]})
    own = derived.read_feed(store, number)
    # Between these numbers, here as there, each entry continues the one before it and there is no other.
    doubtful = {*listed, *own.forked, *_ends(own)}

    def batches() -> Iterator[list[tuple[int, str]]]:
        for first, last in ranges:
            marks = sorted({last, *(seq for seq in doubtful if first <= seq <= last)}, reverse=True)
            above: list[tuple[int, str]] = []
            for mark, below in zip(marks, [*marks[1:], first - 1], strict=True):
                sure = listed[mark] if mark in listed else _prevs(store, above, mark + 1)
                above = [row for row in _entries(store, number, mark, mark) if row[1] in sure]
                yield above
                if above and below + 1 < mark:
                    yield _entries(store, number, below + 1, mark - 1)
                    above = _entries(store, number, below + 1, below + 1)

    return batches()


def _entries(store: Store, feed: int, first: int, last: int) -> list[tuple[int, str]]:
    rows = store.execute("SELECT number, id FROM revisions WHERE feed = ? AND seq BETWEEN ? AND ?", (feed, first, last))
    return [(revision, text_id(raw)) for revision, raw in rows.fetchall()]


def _prevs(store: Store, entries: Iterable[tuple[int, str]], seq: int) -> set[str]:
    """The ids that those of ``entries`` with the number ``seq`` continue."""
    found = set()
    for number, _ in entries:
        header = read_header(store.value("SELECT header FROM revisions WHERE number = ?", (number,)))
        if header.seq == seq:
            found.add(header.prev)
    return found


def lacking(store: Store, stated: list[dict[str, Any]]) -> list[int]:
    """Database numbers of the revisions that a peer lacks, going by its statement of feeds (as in a receipt).

    ValueError, KeyError or TypeError when the statement is malformed.
    """
    theirs = {(str(feed["device"]), str(feed["epoch"])): feed for feed in stated}
    absent = []
    for number, device, epoch in store.execute("SELECT number, device, epoch FROM feeds").fetchall():
        feed, own = theirs.get((device, epoch)), derived.read_feed(store, number)
        same = [list(range) for range in own.held] if not own.forked else None
        if feed is not None and feed["head"] == own.head and feed["held"] == same and not feed["forks"]:
            continue
        named = _named(store, number, feed) if feed is not None else None
        known = {revision for batch in named for revision, _ in batch} if named is not None else set()
        rows = store.execute("SELECT number FROM revisions WHERE feed = ?", (number,))
        absent += [revision for (revision,) in rows if revision not in known]
    return absent


def sizes(store: Store, numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """(database number, bytes as they lie here) of revisions, in the order given."""
    for number in numbers:
        header, parts = store.execute(
            "SELECT length(r.header), (SELECT coalesce(sum(length(content)), 0) FROM parts WHERE revision = r.number)"
            " FROM revisions r WHERE r.number = ?",
            (number,),
        ).fetchone()
        yield number, header + parts + 100


def _lacks(store: Store, revision: int, id: str, absent: set[tuple[str, ...]]) -> bool:
    """Whether the hub says that it lacks a part that is held here."""
    if not absent:
        return False
    return any(
        (id, name) in absent for (name,) in store.execute("SELECT name FROM parts WHERE revision = ?", (revision,))
    )


def _ids_at(store: Store, feed: int, seq: int) -> list[str]:
    rows = store.execute("SELECT id FROM revisions WHERE feed = ? AND seq = ? ORDER BY id", (feed, seq))
    return [text_id(raw) for (raw,) in rows]


# -- what follows -------------------------------------------------------------------------------------------------


def _above(store: Store) -> str:
    """SQL list of the tiers above this store's: a receipt from below makes nothing safe."""
    return ", ".join(f"'{tier}'" for tier in TIERS[TIERS.index(store.tier) + 1 :]) or "''"


def unsent(store: Store) -> list[int]:
    """Database numbers of the revisions that no receipt from above names, feed by feed."""
    return [
        number
        for (number,) in store.execute(
            "SELECT r.number FROM revisions r WHERE NOT EXISTS (SELECT 1 FROM receipted s"
            f" WHERE s.revision = r.number AND s.tier IN ({_above(store)})) ORDER BY r.feed, r.seq, r.id"
        )
    ]


def downward(store: Store) -> list[int]:
    """Database numbers of what devices need from a hub, feed by feed: documents, decisions, tombstones, and the content
    of unfinished and returned interviews, so that another laptop can take them over."""
    kinds = ", ".join(f"'{kind}'" for kind in sorted(DECISION_KINDS))
    return [
        number
        for (number,) in store.execute(
            f"SELECT number FROM revisions WHERE subject_type <> 'interview' OR kind IN ({kinds}, 'erased')"
            " OR subject IN (SELECT interview FROM interviews WHERE state IN ('partial', 'returned'))"
            " ORDER BY feed, seq, id"
        )
    ]


def in_feed_order(store: Store, numbers: Iterable[int]) -> list[int]:
    """Database numbers sorted feed by feed, so that a merge finds unbroken runs."""
    rows = store.execute(
        "SELECT number FROM revisions WHERE number IN (SELECT value FROM json_each(?)) ORDER BY feed, seq, id",
        (json.dumps(sorted(numbers)),),
    )
    return [number for (number,) in rows]


def everything(store: Store) -> list[int]:
    """Database numbers of all revisions held, feed by feed."""
    return [number for (number,) in store.execute("SELECT number FROM revisions ORDER BY feed, seq, id")]


def tells_of_people(store: Store, numbers: Iterable[int]) -> bool:
    """Whether there is anything else among these revisions than the documents of machines."""
    sql = (
        "SELECT 1 FROM revisions WHERE subject_type <> 'device' AND number IN (SELECT value FROM json_each(?)) LIMIT 1"
    )
    return store.value(sql, (json.dumps(sorted(numbers)),)) is not None


def conservation(store: Store) -> Conservation:
    """How many revisions this device created, and how many of them a receipt from above names or none does.

    Each is counted by itself: created from the numbers that the device has given out (its feeds count from 1), the
    other two from the rows. ``created != receipted + pending`` therefore means that an entry was lost.
    """
    created = 0
    for number, epoch in store.execute("SELECT number, epoch FROM feeds WHERE device = ?", (store.device,)).fetchall():
        if epoch != store.epoch:
            # A copy of this disk may have gone on there, and not all that it wrote has come: what came was counted.
            created += derived.read_feed(store, number).revisions
            continue
        last = store.value("SELECT coalesce(max(seq), 0) FROM revisions WHERE feed = ?", (number,))
        twice = store.value(
            "SELECT count(*) - count(DISTINCT seq) FROM revisions WHERE feed = ?",
            (number,),
        )
        created += last + twice
    count = (
        "SELECT count(*) FROM revisions r JOIN feeds f ON f.number = r.feed WHERE f.device = ? AND {} EXISTS"
        f" (SELECT 1 FROM receipted s WHERE s.revision = r.number AND s.tier IN ({_above(store)}))"
    )
    receipted = store.value(count.format(""), (store.device,))
    pending = store.value(count.format("NOT"), (store.device,))
    return Conservation(created, receipted, pending)


def safe_at(store: Store, interview: str) -> list[str]:
    """The tiers that hold every current content of an interview, this store's own first."""
    heads = json.loads(store.value("SELECT heads FROM interviews WHERE interview = ?", (interview,)) or "[]")
    reached = [
        {
            tier
            for (tier,) in store.execute(
                "SELECT DISTINCT s.tier FROM receipted s JOIN revisions r ON r.number = s.revision WHERE r.id = ?",
                (raw_id(head),),
            )
        }
        for head in heads
    ]
    shared = set.intersection(*reached) if reached else set()
    return [tier for tier in TIERS if tier == store.tier or tier in shared]


def taken(store: Store, numbers: Iterable[int], hub: str) -> tuple[int, int]:
    """Of the revisions with these database numbers: how many ``hub`` has named in a receipt, and how many others this
    device wrote. What it carries for another machine is named once it holds all that the hub has of that one."""
    named, left = store.execute(
        "SELECT coalesce(sum(named), 0), coalesce(sum(own AND NOT named), 0) FROM (SELECT f.device = ? AS own,"
        " EXISTS (SELECT 1 FROM receipted s WHERE s.revision = r.number AND s.hub = ?) AS named"
        " FROM revisions r JOIN feeds f ON f.number = r.feed WHERE r.number IN (SELECT value FROM json_each(?)))",
        (store.device, hub, json.dumps(list(numbers))),
    ).fetchone()
    return named, left


def bundle_known(store: Store, hash: str) -> int | None:
    """How many revisions a bundle had that was read to its end with nothing set aside; None for any other."""
    count = store.value("SELECT revisions FROM bundles WHERE hash = ?", (hash,))
    return None if count is None else int(count)


def remember_bundle(store: Store, hash: str, revisions: int) -> None:
    """Notes that a bundle need not be unpacked again."""
    store.execute("INSERT OR IGNORE INTO bundles (hash, revisions) VALUES (?, ?)", (hash, revisions))


def keys_of(store: Store, numbers: Iterable[int]) -> dict[str, str]:
    """The public keys (hex) of the devices that wrote these revisions."""
    wanted = canonical(list(numbers)).decode()
    rows = store.execute(
        "SELECT k.device, k.public_key FROM device_keys k WHERE k.device IN (SELECT f.device FROM feeds f"
        " JOIN revisions r ON r.feed = f.number WHERE r.number IN (SELECT value FROM json_each(?))) ORDER BY k.device",
        (wanted,),
    )
    return {device: bytes(key).hex() for device, key in rows}


def held_receipts(store: Store) -> Iterator[bytes]:
    """The last receipt that this store has read from each other hub, to hand on."""
    query = (
        "SELECT content FROM receipts WHERE rowid IN (SELECT max(rowid) FROM receipts WHERE hub <> ? GROUP BY hub)"
        " ORDER BY hash"
    )
    for (content,) in store.execute(query, (store.device,)):
        yield bytes(content)
