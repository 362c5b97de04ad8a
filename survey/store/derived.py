"""The derived tables: brought up to date for what a write touched, rebuilt whole, and compared with a rebuild."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from survey.store.fold import (
    Document,
    Feed,
    Interview,
    Revision,
    breaks,
    extend_feed,
    fold_document,
    fold_interview,
    is_contact_erased,
    is_erased,
)
from survey.store.header import CONTACT, ERASED, Header, read_document, read_header
from survey.store.store import Store

Subject = tuple[str, str]
"""(subject_type, subject)"""

_BATCH = 500

_REVISIONS = """
    SELECT r.subject_type, r.subject, r.header, p.content
    FROM revisions r LEFT JOIN parts p
      ON p.revision = r.number AND p.name = 'document' AND r.subject_type <> 'interview'
"""


def update(
    store: Store,
    subjects: Iterable[Subject],
    entries: Iterable[tuple[int, Header]],
    known: Mapping[int, Header] | None = None,
) -> list[str]:
    """Brings the derived tables up to date; returns the touched interviews that are in conflict.

    ``subjects`` got revisions or parts; ``entries`` are the new revisions with their feed's number; ``known`` are
    headers that need not be read again, by database number. Belongs into the transaction that wrote them.
    """
    conflicts = []
    wanted = sorted(set(subjects))
    for start in range(0, len(wanted), _BATCH):
        interviews, documents, erased, contact = [], [], [], []
        for key, revisions in _of_subjects(store, wanted[start : start + _BATCH], known or {}):
            interview, document = _fold_subject(key, revisions)
            if is_erased(revisions):
                erased.append(key)
            if is_contact_erased(revisions):
                contact.append(key)
            if interview is not None:
                interviews.append(_interview_row(interview))
                if interview.state == "conflict":
                    conflicts.append(interview.interview)
            if document is not None:
                documents.append(_document_row(document))
        _write_subjects(store, interviews, documents, erased, contact)
    feeds: dict[int, list[Header]] = defaultdict(list)
    for feed, header in entries:
        feeds[feed].append(header)
    for feed, new in feeds.items():
        before = read_feed(store, feed)
        broken = _breaks(store, feed, new) if before.revisions else breaks((h.seq, h.id, h.prev) for h in new)
        _write_feed(store, feed, extend_feed(before, [(header.seq, header.id) for header in new], broken))
    return conflicts


def rebuild(store: Store) -> None:
    """Makes every derived table anew from the evidence, in one transaction."""
    with store.transaction():
        state = list(_all(store))
        feeds = _feeds(store)
        missing = sorted(_missing(store))
        for table in ("interviews", "documents", "feed_state", "erased", "erased_contact", "missing"):
            store.execute(f"DELETE FROM {table}")
        _write_subjects(
            store,
            [_interview_row(interview) for _, interview, _, _, _ in state if interview is not None],
            [_document_row(document) for _, _, document, _, _ in state if document is not None],
            [key for key, _, _, erased, _ in state if erased],
            [key for key, _, _, _, contact in state if contact],
        )
        for number, feed in feeds.items():
            _write_feed(store, number, feed)
        store.executemany("INSERT INTO missing (revision, name) VALUES (?, ?)", missing)


def differences(store: Store) -> list[tuple[str, str]]:
    """(table, name) of every derived row that is not what a rebuild would write; empty when all is well."""
    wrong = []
    interviews = {row[0]: tuple(row) for row in store.execute("SELECT * FROM interviews")}
    documents = {tuple(row[:2]): tuple(row) for row in store.execute("SELECT * FROM documents")}
    erased = {tuple(row) for row in store.execute("SELECT subject_type, subject FROM erased")}
    contact = {tuple(row) for row in store.execute("SELECT subject_type, subject FROM erased_contact")}
    for key, interview, document, is_gone, no_contact in _all(store):
        if interview is not None and interviews.pop(key[1], None) != _interview_row(interview):
            wrong.append(("interviews", key[1]))
        if document is not None and documents.pop(key, None) != _document_row(document):
            wrong.append(("documents", " ".join(key)))
        if is_gone != (key in erased):
            wrong.append(("erased", " ".join(key)))
        erased.discard(key)
        if no_contact != (key in contact):
            wrong.append(("erased_contact", " ".join(key)))
        contact.discard(key)
    wrong += [("interviews", name) for name in interviews]
    wrong += [("documents", " ".join(key)) for key in documents]
    wrong += [("erased", " ".join(key)) for key in erased]
    wrong += [("erased_contact", " ".join(key)) for key in contact]
    for number, feed in _feeds(store).items():
        try:
            told = read_feed(store, number)
        except (ValueError, TypeError):
            told = None
        if told != feed:
            wrong.append(("feed_state", " ".join(feed_name(store, number))))
    if {tuple(row) for row in store.execute("SELECT revision, name FROM missing")} != _missing(store):
        wrong.append(("missing", ""))
    return wrong


def snapshot(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every derived row by its names, sorted: equal, byte for byte, in any two stores that hold the same revisions."""
    return {
        "interviews": [tuple(row) for row in store.execute("SELECT * FROM interviews ORDER BY interview")],
        "documents": [tuple(row) for row in store.execute("SELECT * FROM documents ORDER BY subject_type, subject")],
        "erased": [tuple(row) for row in store.execute("SELECT * FROM erased ORDER BY subject_type, subject")],
        "erased_contact": [
            tuple(row) for row in store.execute("SELECT * FROM erased_contact ORDER BY subject_type, subject")
        ],
        "feeds": [
            tuple(row)
            for row in store.execute(
                "SELECT f.device, f.epoch, s.revisions, s.held, s.forked, s.head"
                " FROM feeds f JOIN feed_state s ON s.feed = f.number ORDER BY f.device, f.epoch"
            )
        ],
        "missing": [
            tuple(row)
            for row in store.execute(
                "SELECT r.id, m.name FROM missing m JOIN revisions r ON r.number = m.revision ORDER BY r.id, m.name"
            )
        ],
    }


def read_feed(store: Store, number: int) -> Feed:
    """The derived row of one feed; an empty one when nothing is held."""
    row = store.execute("SELECT revisions, held, forked, head FROM feed_state WHERE feed = ?", (number,)).fetchone()
    if row is None:
        return Feed()
    held = tuple((first, last) for first, last in json.loads(row[1]))
    return Feed(row[0], held, tuple(json.loads(row[2])), row[3])


def feed_name(store: Store, number: int) -> tuple[str, str]:
    """(device, epoch) of a feed; of one whose row a damaged disk has lost, its number."""
    row = store.execute("SELECT device, epoch FROM feeds WHERE number = ?", (number,)).fetchone()
    return (row[0], row[1]) if row else (f"feed {number}", "")


# -- reading the evidence ---------------------------------------------------------------------------------------


def _of_subjects(
    store: Store, subjects: Iterable[Subject], known: Mapping[int, Header]
) -> Iterator[tuple[Subject, list[Revision]]]:
    """The revisions of each subject that has any. Only the headers that are not ``known`` are read."""
    numbers: dict[Subject, list[int]] = {key: [] for key in subjects}
    names = json.dumps(sorted({subject for _, subject in numbers}))
    held = "SELECT subject_type, subject, number FROM revisions WHERE subject IN (SELECT value FROM json_each(?))"
    for subject_type, subject, number in store.execute(held, (names,)):
        if (subject_type, subject) in numbers:
            numbers[subject_type, subject].append(number)
    unread = [number for own in numbers.values() for number in own if number not in known]
    headers = {
        number: read_header(header)
        for number, header in store.execute(
            "SELECT number, header FROM revisions WHERE number IN (SELECT value FROM json_each(?))",
            (json.dumps(unread),),
        )
    }
    documented = [number for key, own in numbers.items() if key[0] != "interview" for number in own]
    documents = {
        number: read_document(content)
        for number, content in store.execute(
            "SELECT revision, content FROM parts"
            " WHERE name = 'document' AND revision IN (SELECT value FROM json_each(?))",
            (json.dumps(documented),),
        )
    }
    for key, own in numbers.items():
        if own:
            yield key, [Revision(known.get(number) or headers[number], documents.get(number)) for number in own]


def _grouped(rows: Iterable[tuple[str, str, bytes, bytes | None]]) -> Iterator[tuple[Subject, list[Revision]]]:
    for key, group in groupby(rows, lambda row: (row[0], row[1])):
        yield key, [Revision(read_header(header), read_document(content)) for _, _, header, content in group]


def _fold_subject(key: Subject, revisions: list[Revision]) -> tuple[Interview | None, Document | None]:
    if key[0] == "interview":
        return fold_interview(key[1], revisions), None
    return None, fold_document(key[0], key[1], revisions)


def _all(store: Store) -> Iterator[tuple[Subject, Interview | None, Document | None, bool, bool]]:
    for key, revisions in _grouped(store.execute(_REVISIONS + " ORDER BY r.subject_type, r.subject")):
        yield key, *_fold_subject(key, revisions), is_erased(revisions), is_contact_erased(revisions)


def _feeds(store: Store) -> dict[int, Feed]:
    query = "SELECT feed, seq, id, json_extract(CAST(header AS TEXT), '$.prev') FROM revisions ORDER BY feed, seq"
    return {
        number: extend_feed(Feed(), [link[:2] for link in links], breaks(links))
        for number, entries in groupby(store.execute(query), lambda row: row[0])
        if (links := [(seq, "sha256:" + id.hex(), prev) for _, seq, id, prev in entries])
    }


def _missing(store: Store) -> set[tuple[int, str]]:
    """(revision number, part name) of parts that a header names and that are not here, erased ones apart."""
    held = {tuple(row) for row in store.execute("SELECT revision, name FROM parts")}
    gone: set[Subject] = set()
    uncontacted: set[Subject] = set()
    for subject_type, subject, header in store.execute(
        "SELECT subject_type, subject, header FROM revisions WHERE kind = ?", (ERASED,)
    ):
        (uncontacted if read_header(header).target == CONTACT else gone).add((subject_type, subject))
    absent = set()
    for number, kind, subject_type, subject, header in store.execute(
        "SELECT number, kind, subject_type, subject, header FROM revisions"
    ):
        if kind == ERASED or (subject_type, subject) not in gone:
            named = set(read_header(header).contents)
            if (subject_type, subject) in uncontacted:
                named.discard(CONTACT)
            absent |= {(number, name) for name in named} - held
    return absent


def _breaks(store: Store, feed: int, new: list[Header]) -> set[int]:
    """The breaks of a feed that held something before ``new`` came, as far as they touch ``new``."""
    numbers = sorted({near for header in new for near in (header.seq - 1, header.seq, header.seq + 1)})
    prevs = {header.id: header.prev for header in new}
    links = []
    for seq, raw, number in store.execute(
        "SELECT seq, id, number FROM revisions WHERE feed = ? AND seq IN (SELECT value FROM json_each(?))",
        (feed, json.dumps(numbers)),
    ).fetchall():
        id = "sha256:" + raw.hex()
        if id not in prevs:
            prevs[id] = read_header(store.value("SELECT header FROM revisions WHERE number = ?", (number,))).prev
        links.append((seq, id, prevs[id]))
    touched = {near for header in new for near in (header.seq - 1, header.seq)}
    return breaks(links) & touched


# -- writing ------------------------------------------------------------------------------------------------------


_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def _texts(values: Collection[Any]) -> str:
    return _encode(list(values)) if values else "[]"


def _ids(values: Collection[str]) -> str:
    """Ids as JSON: there is nothing in them to be escaped."""
    return '["' + '","'.join(values) + '"]' if values else "[]"


def _interview_row(interview: Interview) -> tuple[Any, ...]:
    return (
        interview.interview,
        interview.unit,
        interview.questionnaire_hash,
        interview.state,
        interview.head,
        _ids(interview.heads),
        interview.kind,
        _ids(interview.decisions),
        int(interview.opposed),
        interview.actor,
        interview.device,
        interview.time,
        _texts(interview.unknown_parents),
    )


def _document_row(document: Document) -> tuple[Any, ...]:
    return (*document[:4], _ids(document.heads), *document[5:])


def _write_subjects(
    store: Store,
    interviews: list[tuple[Any, ...]],
    documents: list[tuple[Any, ...]],
    erased: list[Subject],
    contact: list[Subject],
) -> None:
    store.executemany(f"INSERT OR REPLACE INTO interviews VALUES ({', '.join('?' * 13)})", interviews)
    store.executemany(f"INSERT OR REPLACE INTO documents VALUES ({', '.join('?' * 8)})", documents)
    store.executemany("INSERT OR IGNORE INTO erased (subject_type, subject) VALUES (?, ?)", erased)
    store.executemany("INSERT OR IGNORE INTO erased_contact (subject_type, subject) VALUES (?, ?)", contact)


def _write_feed(store: Store, number: int, feed: Feed) -> None:
    store.execute(
        "INSERT OR REPLACE INTO feed_state (feed, revisions, held, forked, head) VALUES (?, ?, ?, ?, ?)",
        (number, feed.revisions, _texts(feed.held), _texts(feed.forked), feed.head),
    )
