"""Measures of interviews kept beside their content, and the quality findings of a round from them.

A measure depends on nothing but a revision that never changes, so it is kept by the revision's id and made once; what
is new since the last time is all that is measured again. Throwing the rows away costs time and nothing else.
"""

from __future__ import annotations

import json
import secrets
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from survey.fieldwork import quality_round
from survey.fieldwork.measures import COLUMNS, VERSION, Details, Items, Measures, measure, scanned
from survey.fieldwork.others import Other
from survey.fieldwork.others import others as listed
from survey.fieldwork.quality import Finding, thresholds
from survey.fieldwork.quality_interviews import known_by
from survey.questionnaire.form import kept_whole
from survey.questionnaire.model import Questionnaire
from survey.store import feed, frame
from survey.store.header import DECISION_KINDS, Header, read_header
from survey.store.packing import unpack
from survey.store.quality_groups import communes
from survey.store.store import Store

_BATCH = 500

# Interviews that are looked at: those with one content that was finished.
_CURRENT = "i.state IN ('sealed', 'approved', 'returned')"

# Up to which revision everything is measured: "2/1234" says that it is measured as version 2 of a measure says.
_SEEN = "quality_seen"

_GONE = f"""
    DELETE FROM quality
    WHERE interview IN (SELECT subject FROM revisions WHERE number > :seen AND subject_type = 'interview')
    AND NOT EXISTS
        (SELECT 1 FROM interviews i WHERE i.interview = quality.interview AND i.head = quality.head AND {_CURRENT})
"""

# Interviews that content came to, or something to their unit, or a part late; a decision changes nothing that is
# measured.
_CAME = f"""
    SELECT r.subject FROM revisions r LEFT JOIN quality q ON q.interview = r.subject
    WHERE r.number > :seen AND r.subject_type = 'interview'
    AND (q.interview IS NULL OR r.kind NOT IN ({", ".join(f"'{kind}'" for kind in sorted(DECISION_KINDS))}))
    UNION ALL SELECT i.interview FROM revisions r CROSS JOIN interviews i ON i.unit = r.subject
    WHERE r.number > :seen AND r.subject_type = 'unit'
    UNION ALL SELECT interview FROM stale_interviews
"""

# A questionnaire may have been waited for by any interview that is not measured.
_FORM_CAME = "SELECT EXISTS (SELECT 1 FROM revisions WHERE number > :seen AND subject_type = 'questionnaire')"
_UNMEASURED = f"""
    SELECT i.interview FROM interviews i LEFT JOIN quality q ON q.interview = i.interview
    WHERE q.interview IS NULL AND {_CURRENT}
"""


# -- measuring ----------------------------------------------------------------------------------------------------


def refresh(store: Store) -> int:
    """Measures every finished interview of which something has come since the last time, forgets what is no longer
    current; returns how many were measured. An interview whose answers or questionnaire have not come waits until they
    do."""
    if _seen(store) == _newest(store) and not store.value("SELECT EXISTS (SELECT 1 FROM stale_interviews)"):
        return 0
    with store.transaction():
        since = {"seen": _seen(store)}
        came = set()
        if since["seen"]:
            store.execute(_GONE, since)
            came = {name for (name,) in store.execute(_CAME, since)}
        else:
            forget(store)
        if store.value(_FORM_CAME, since):
            came |= {name for (name,) in store.execute(_UNMEASURED)}
        wanted = sorted(came)
        measuring = _Measuring(store)
        for start in range(0, len(wanted), _BATCH):
            measuring.write(wanted[start : start + _BATCH])
        store.execute("DELETE FROM stale_interviews")
        seen = f"{VERSION}/{_newest(store)}"
        store.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (_SEEN, seen))
    return measuring.count


def forget(store: Store) -> None:
    """Throws all measures away; the next :func:`refresh` takes them anew."""
    with store.transaction():
        for table in ("quality_groups", "quality", "stale_interviews"):
            store.execute(f"DELETE FROM {table}")
        store.execute("DELETE FROM meta WHERE name = ?", (_SEEN,))


def _seen(store: Store) -> int:
    version, _, number = str(store.value("SELECT value FROM meta WHERE name = ?", (_SEEN,)) or "").partition("/")
    return int(number) if version == str(VERSION) else 0


def _newest(store: Store) -> int:
    return int(store.value("SELECT max(number) FROM revisions"))


class _Measuring:
    """What measuring many interviews of one store needs to know once."""

    def __init__(self, store: Store):
        self.store, self.count = store, 0
        self.items: dict[str, Items | None] = {}
        key = store.value("SELECT value FROM meta WHERE name = 'quality_key'")
        if key is None:
            key = secrets.token_hex(32)
            store.execute("INSERT INTO meta (name, value) VALUES ('quality_key', ?)", (key,))
        self.key = bytes.fromhex(key)

    def write(self, interviews: list[str]) -> None:
        """Measures these interviews, and writes down what is new or has become something else. Part of the caller's
        transaction."""
        wanted = json.dumps(interviews)
        held = {
            row[0]: (*row, self._known(row[0]))
            for row in self.store.execute(
                f"SELECT {', '.join('q.' + name for name in COLUMNS)}, d.bits, d.closed, d.numbers, d.others"
                " FROM json_each(?) w CROSS JOIN quality q ON q.interview = w.value"
                " JOIN quality_details d ON d.interview = q.interview",
                (wanted,),
            ).fetchall()
        }
        found = {row.interview: (*row, *self.packed(row, details)) for row, details in self.measured(wanted)}
        gone = [(name,) for name, row in held.items() if found.get(name) != row]
        new = [row for name, row in found.items() if held.get(name) != row]
        width = len(COLUMNS)
        self.store.executemany("DELETE FROM quality WHERE interview = ?", gone)
        self.store.executemany(
            f"INSERT INTO quality VALUES ({', '.join('?' * (width + 1))})", [(*row[:width], VERSION) for row in new]
        )
        self.store.executemany(
            "INSERT INTO quality_details VALUES (?, ?, ?, ?, ?)", [(row[0], *row[width:-1]) for row in new]
        )
        self.store.executemany(
            "INSERT INTO quality_known VALUES (?, ?, ?)", [(row[0], *one) for row in new for one in row[-1].items()]
        )
        self.count += len(new)

    def _known(self, interview: str) -> dict[str, str]:
        return dict(
            self.store.execute("SELECT path, known FROM quality_known WHERE interview = ?", (interview,)).fetchall()
        )

    def measured(self, wanted: str) -> Iterator[tuple[Measures, Details]]:
        """The measures of interviews (a JSON list), without those that are not finished or of which something is not
        here yet."""
        rows = self.store.execute(
            "SELECT i.unit, r.header, a.content, p.content, c.content FROM json_each(?) w"
            " CROSS JOIN interviews i ON i.interview = w.value"
            " CROSS JOIN revisions r ON r.subject = i.interview AND r.subject_type = 'interview'"
            "  AND 'sha256:' || lower(hex(r.id)) = i.head"
            " JOIN parts a ON a.revision = r.number AND a.name = 'answers'"
            " LEFT JOIN parts p ON p.revision = r.number AND p.name = 'paradata'"
            " LEFT JOIN parts c ON c.revision = r.number AND c.name = 'contact'"
            f" WHERE {_CURRENT}",
            (wanted,),
        ).fetchall()
        units = self._units([unit for unit, *_ in rows])
        for unit, raw, answers, paradata, contact in rows:
            head = header = read_header(raw)
            items = self._items(head.questionnaire_hash)
            if items is None:
                continue
            if head.kind != "sealed" or head.parents:
                header, paradata = self._conducted(head)
            told = scanned(paradata) if paradata else {}
            document = units.get(unit, {})
            about = {
                "interview": head.subject,
                "head": head.id,
                "unit": unit,
                "round": "" if document.get("list") == frame.VOLUNTEER else str(document.get("round", "")),
                "questionnaire": head.questionnaire_hash,
                "enumerator": header.actor,
                "device": header.device,
                "mode": str(told.get("mode", "")),
                "commune": str(document.get("commune", "")),
            }
            given = json.loads(unpack("answers", answers))
            yield measure(items, given, told, json.loads(contact) if contact else {}, about)

    def _items(self, questionnaire: str) -> Items | None:
        if questionnaire not in self.items:
            content = frame.questionnaire(self.store, questionnaire)
            self.items[questionnaire] = Items(Questionnaire.from_json(content)) if content else None
        return self.items[questionnaire]

    def _units(self, units: list[str]) -> dict[str, dict[str, Any]]:
        rows = self.store.execute(
            "SELECT d.subject, p.content FROM json_each(?) w CROSS JOIN documents d"
            " ON d.subject_type = 'unit' AND d.subject = w.value"
            " CROSS JOIN revisions r ON r.subject = d.subject AND r.subject_type = 'unit'"
            "  AND 'sha256:' || lower(hex(r.id)) = d.head"
            " JOIN parts p ON p.revision = r.number AND p.name = 'document'",
            (json.dumps(units),),
        )
        return {subject: json.loads(content) for subject, content in rows}

    def _conducted(self, head: Header) -> tuple[Header, bytes | None]:
        """The revision in which the interview itself was sealed, and its paradata: later ones tell how it was
        corrected."""
        rows = self.store.execute(
            "SELECT header FROM revisions WHERE subject = ? AND subject_type = 'interview' AND kind = 'sealed'",
            (head.subject,),
        ).fetchall()
        found = min((read_header(header) for (header,) in rows), key=lambda one: (one.time, one.id), default=head)
        return found, feed.part(self.store, found.id, "paradata")

    def packed(self, row: Measures, details: Details) -> tuple[bytes, bytes, str, str, dict[str, str]]:
        """Details as the tables keep them. What a person is known by is kept as a keyed hash: enough to compare."""
        known = {}
        for path, told in known_by(row.commune, details.contact, details.numbers):
            kind, _, rest = told.partition(":")
            known[path] = f"{kind}:{blake2b(rest.encode(), key=self.key, digest_size=16).hexdigest()}"
        return (
            details.bits.to_bytes((details.bits.bit_length() + 7) // 8, "little"),
            details.closed.to_bytes((details.closed.bit_length() + 7) // 8, "little"),
            json.dumps(details.numbers),
            json.dumps(details.others, ensure_ascii=False),
            known,
        )


def unmeasured(store: Store, round: str) -> int:
    """How many finished interviews of a round could not be measured: their answers, paradata or questionnaire have not
    come to this machine."""
    return int(
        store.value(
            "SELECT count(*) FROM interviews i JOIN documents u ON u.subject_type = 'unit' AND u.subject = i.unit"
            " LEFT JOIN quality q ON q.interview = i.interview"
            f" WHERE u.round = ? AND q.interview IS NULL AND {_CURRENT}",
            (round,),
        )
    )


# -- reading ------------------------------------------------------------------------------------------------------


def rows(store: Store, round: str) -> list[Measures]:
    """The measures of a round's interviews as they were last refreshed, by enumerator and time."""
    found = store.execute(
        f"SELECT {', '.join(COLUMNS)} FROM quality WHERE round = ? ORDER BY enumerator, began, interview", (round,)
    )
    return list(map(Measures._make, found.fetchall()))


def items_of(store: Store, questionnaire: str) -> Items:
    """What there is to look at in a questionnaire of which interviews were measured."""
    content = frame.questionnaire(store, questionnaire)
    assert content is not None
    return Items(Questionnaire.from_json(content))


def others(store: Store, round: str) -> list[Other]:
    """What was said at "other, specify" in a round, by question and frequency. Measures what is new before."""
    refresh(store)
    said: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for questionnaire, text in store.execute(
        "SELECT q.questionnaire, d.others FROM quality q JOIN quality_details d ON d.interview = q.interview"
        " WHERE q.round = ? AND d.others <> '{}' ORDER BY q.interview",
        (round,),
    ):
        said[questionnaire] += json.loads(text).items()
    return [one for name, found in said.items() for one in listed(found, items_of(store, name))]


# -- findings -----------------------------------------------------------------------------------------------------


def findings(store: Store, round: str, now: datetime | None = None) -> list[Finding]:
    """All quality findings of a round, interviews first. Measures what is new before.

    ``now`` (default: the clock) only says which dates lie in the future.

    Raises:
        InputError: there is no such round. Problems: its thresholds are none.
    """
    document = frame.round_document(store, round)
    limits = thresholds(document)
    with kept_whole():
        refresh(store)
        measures = rows(store, round)
        items = {name: items_of(store, name) for name in dict.fromkeys(row.questionnaire for row in measures)}
        said = communes(store, measures, items, limits)
        bounds = quality_round.bounds(said, limits)
        beyond = set(quality_round.beyond(said, bounds))
        far = [row for row in measures if (row.questionnaire, row.commune) in beyond]
        numbers = dict(
            store.execute(
                "SELECT interview, numbers FROM quality_details WHERE interview IN (SELECT value FROM json_each(?))",
                (json.dumps([row.interview for row in far]),),
            ).fetchall()
        )
        return quality_round.findings(
            measures,
            said,
            items,
            document,
            limits,
            now or datetime.now(UTC).astimezone(),
            issued=_issued(store, str(document.get("questionnaire_hash", ""))),
            reach=bounds,
            far=[(row, json.loads(numbers[row.interview])) for row in far],
            known=_known_twice(store),
        )


def _known_twice(store: Store) -> dict[str, list[tuple[str, str]]]:
    """Interview to what its respondent is known by, of those who share it with another."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for interview, path, known in store.execute(
        "SELECT k.interview, k.path, k.known FROM (SELECT known, path FROM quality_known GROUP BY known, path"
        " HAVING count(*) > 1) s JOIN quality_known k ON k.known = s.known AND k.path = s.path"
        " ORDER BY k.interview, k.path"
    ):
        found[interview].append((path, known))
    return found


def _issued(store: Store, questionnaire: str) -> str:
    """When a questionnaire was issued, by the clock of the machine that did."""
    head = store.value(
        "SELECT head FROM documents WHERE subject_type = 'questionnaire' AND subject = ?", (questionnaire,)
    )
    header = feed.header(store, head) if head else None
    return header.time if header else ""
