"""Proving a store: every hash, link, commitment and signature; derived tables = rebuild; nothing lost on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from survey.errors import Problem
from survey.store import access_log, derived, feed
from survey.store.feed import text_id
from survey.store.header import Header, Malformed, Part, hash_text, read_header
from survey.store.packing import unpack
from survey.store.quarantine import OPEN
from survey.store.receipts import conservation
from survey.store.signing import device_id
from survey.store.signing import verify as holds
from survey.store.store import FILE, Store
from survey.text import Text, many

_RESTORE = Text(
    "giữ nguyên kho này, khôi phục từ bản sao lưu rồi nhận lại các gói dữ liệu",
    "keep this store, restore a backup, then sync the bundles again",
)
_REBUILD = Text("chạy: survey verify --repair", "run: survey verify --repair")


@dataclass
class Report:
    """What :func:`verify` saw. ``problems`` empty = proved. ``created = receipted + pending``, always."""

    problems: list[Problem] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    created: int = 0
    receipted: int = 0
    pending: int = 0


def verify(store: Store, progress: Callable[[int], None] | None = None) -> Report:
    """Checks everything that is held; changes nothing. ``progress`` is told how many revisions were just checked."""
    report = Report()
    report.problems += _file_problems(store)
    links = _Links()
    revisions, unreadable = 0, False
    rows = store.execute(
        "SELECT r.number, r.id, r.header, r.signature, r.seq, r.subject_type, r.subject, r.kind, f.device, f.epoch"
        " FROM revisions r JOIN feeds f ON f.number = r.feed ORDER BY r.feed, r.seq, r.id"
    )
    keys: dict[str, bytes | None] = {}
    for number, raw, content, signature, *columns in rows:
        revisions += 1
        id = text_id(raw)
        try:
            header = read_header(content)
        except Malformed as error:
            report.problems.append(Problem(id, error.reason, _RESTORE))
            unreadable = True
            continue
        stored = (header.seq, header.subject_type, header.subject, header.kind, header.device, header.epoch)
        if hash_text(content) != id or stored != tuple(columns):
            report.problems.append(
                Problem(id, Text("phần đầu không khớp với mã của nó", "the header is not what its id says"), _RESTORE)
            )
        if header.device not in keys:
            keys[header.device] = feed.public_key(store, header.device)
        key = keys[header.device]
        if key is None or device_id(key) != header.device or not holds(key, signature, header.id.encode("ascii")):
            report.problems.append(Problem(id, Text("chữ ký không đúng", "the signature does not hold"), _RESTORE))
        report.problems += links.problems(header)
        report.problems += _part_problems(store, number, header)
        if progress is not None:
            progress(1)
    # Nothing can be derived again from headers that cannot be read: those come first.
    differences = [] if unreadable else derived.differences(store)
    report.problems += [
        Problem(
            f"{table} {name}".strip(),
            Text("phần suy ra khác với khi dựng lại", "what is derived differs from a rebuild"),
            _REBUILD,
        )
        for table, name in differences
    ]
    report.problems += access_log.problems(store)
    report.created, report.receipted, report.pending = conservation(store)
    if report.created != report.receipted + report.pending:
        lost = report.created - report.receipted - report.pending
        report.problems.append(
            Problem(
                f"device {store.device}",
                Text(
                    f"đã tạo {report.created} bản ghi nhưng chỉ thấy {report.receipted} đã xác nhận và "
                    f"{report.pending} còn chờ: thiếu {lost}",
                    f"{many(report.created, 'entry was', 'entries were')} created, but {report.receipted} are "
                    f"receipted and {report.pending} pending: {lost} are lost",
                ),
                _RESTORE,
            )
        )
    count = {
        "feeds": "SELECT count(*) FROM feeds",
        "interviews": "SELECT count(*) FROM interviews",
        "documents": "SELECT count(*) FROM documents",
        "parts": "SELECT count(*) FROM parts",
        "missing_parts": "SELECT count(*) FROM missing",
        "quarantined": f"SELECT count(*) {OPEN}",
        "drafts": "SELECT count(*) FROM drafts",
    }
    report.counts = {"revisions": revisions, **{name: store.value(sql) for name, sql in count.items()}}
    return report


def revision_count(store: Store) -> int:
    """How many revisions :func:`verify` will look at."""
    return int(store.value("SELECT count(*) FROM revisions"))


def _file_problems(store: Store) -> Iterator[Problem]:
    where = str(store.folder / FILE)
    for (said,) in store.execute("PRAGMA integrity_check(20)"):
        if said != "ok":
            yield Problem(where, Text(f"kho dữ liệu bị hỏng ({said})", f"the file is damaged ({said})"), _RESTORE)
    for row in store.execute("PRAGMA foreign_key_check"):
        yield Problem(where, Text(f"dòng mồ côi trong bảng {row[0]}", f"an orphan row in table {row[0]}"), _RESTORE)


class _Links:
    """Follows ``prev`` through feeds that come in order of their numbers."""

    def __init__(self) -> None:
        self._feed = ("", "")
        self._seq = 0
        self._before: set[str] = set()
        self._here: set[str] = set()

    def problems(self, header: Header) -> Iterator[Problem]:
        """What is wrong with one entry's link: its predecessor is held under its number, and is not the one named."""
        if (header.device, header.epoch) != self._feed:
            self._feed, self._seq, self._before, self._here = (header.device, header.epoch), 0, set(), set()
        if header.seq != self._seq:
            self._before = self._here if header.seq == self._seq + 1 else set()
            self._here, self._seq = set(), header.seq
        self._here.add(header.id)
        broken = header.prev != "" if header.seq == 1 else self._before and header.prev not in self._before
        if broken:
            yield Problem(
                header.id,
                Text(
                    "nối tiếp một bản ghi khác với bản ghi đứng trước nó ở đây (ổ đĩa bị sao chép?)",
                    "follows another entry than the one held before it (a cloned disk?)",
                ),
                Text("nhận nốt dữ liệu của máy này", "sync with this device again"),
            )


def _part_problems(store: Store, number: int, header: Header) -> Iterator[Problem]:
    rows = store.execute("SELECT name, salt, content FROM parts WHERE revision = ? ORDER BY name", (number,))
    for name, salt, kept in rows:
        if not header.holds(name, Part(salt, unpack(name, kept))):
            yield Problem(
                f"{header.id}/{name}",
                Text("nội dung không khớp với cam kết", "the content is not what its header commits to"),
                _RESTORE,
            )
