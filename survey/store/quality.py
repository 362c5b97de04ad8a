"""Measures of interviews kept beside their content, and the quality findings of a round from them.

A measure depends on nothing but a revision that never changes, so it is kept by the revision's id and made once; what
is new since the last time is all that is measured again. Throwing the rows away costs time and nothing else.
"""

from __future__ import annotations

import json
import secrets
import struct
from base64 import b64decode, b64encode
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import blake2b, sha256
from typing import Any

from survey.fieldwork import quality_round
from survey.fieldwork.measures import COLUMNS, VERSION, Details, Items, Measures, measure, scanned
from survey.fieldwork.others import Other
from survey.fieldwork.others import others as listed
from survey.fieldwork.quality import Finding, thresholds
from survey.fieldwork.quality_interviews import known_by
from survey.fieldwork.quality_questions import Counted
from survey.fieldwork.quality_round import Commune, Key, look
from survey.questionnaire.model import Questionnaire
from survey.store import feed, frame
from survey.store.header import Header, read_header
from survey.store.packing import unpack
from survey.store.store import Store
from survey.text import Text

_BATCH = 500

# Interviews that are looked at: those with one content that was finished.
_CURRENT = "i.state IN ('sealed', 'approved', 'returned')"


# -- measuring ----------------------------------------------------------------------------------------------------


def refresh(store: Store) -> int:
    """Measures every finished interview that has not been measured, forgets what is no longer current; returns how
    many were measured. An interview whose answers or questionnaire have not come waits until they do."""
    with store.transaction():
        store.execute(
            "DELETE FROM quality WHERE version <> ? OR NOT EXISTS"
            " (SELECT 1 FROM interviews i WHERE i.interview = quality.interview AND i.head = quality.head"
            f" AND {_CURRENT})",
            (VERSION,),
        )
        waiting = store.execute(
            f"SELECT i.interview FROM interviews i LEFT JOIN quality q ON q.interview = i.interview"
            f" WHERE q.interview IS NULL AND {_CURRENT}"
        ).fetchall()
        measuring = _Measuring(store)
        for start in range(0, len(waiting), _BATCH):
            found = list(measuring.measured([name for (name,) in waiting[start : start + _BATCH]]))
            store.executemany(
                f"INSERT INTO quality VALUES ({', '.join('?' * (len(COLUMNS) + 1))})",
                [(*row, VERSION) for row, _ in found],
            )
            store.executemany(
                "INSERT INTO quality_details VALUES (?, ?, ?, ?, ?, ?)",
                [(row.interview, *measuring.packed(details)) for row, details in found],
            )
            measuring.count += len(found)
    return measuring.count


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

    def measured(self, interviews: list[str]) -> Iterator[tuple[Measures, Details]]:
        """The measures of these interviews, without those of which something is not here yet."""
        wanted = json.dumps(interviews)
        rows = self.store.execute(
            "SELECT i.unit, r.header, a.content, p.content, c.content FROM json_each(?) w"
            " CROSS JOIN interviews i ON i.interview = w.value"
            " CROSS JOIN revisions r ON r.subject = i.interview AND r.subject_type = 'interview'"
            "  AND 'sha256:' || lower(hex(r.id)) = i.head"
            " JOIN parts a ON a.revision = r.number AND a.name = 'answers'"
            " LEFT JOIN parts p ON p.revision = r.number AND p.name = 'paradata'"
            " LEFT JOIN parts c ON c.revision = r.number AND c.name = 'contact'",
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

    def packed(self, details: Details) -> tuple[bytes, bytes, str, str, str]:
        """Details as the table keeps them. Names and telephones are kept as keyed hashes: enough to compare."""
        known = {}
        for path, value in details.contact.items():
            kind, _, told = value.partition(":")
            known[path] = f"{kind}:{blake2b(told.encode(), key=self.key, digest_size=16).hexdigest()}"
        return (
            details.bits.to_bytes((details.bits.bit_length() + 7) // 8, "little"),
            details.closed.to_bytes((details.closed.bit_length() + 7) // 8, "little"),
            json.dumps(details.numbers),
            json.dumps(details.others, ensure_ascii=False),
            json.dumps(known),
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


def details(store: Store, round: str, questionnaire: str = "", commune: str | None = None) -> dict[str, Details]:
    """Interview to the details of a round's interviews, or of those of one questionnaire in one commune."""
    where = "" if commune is None else " AND q.questionnaire = ? AND q.commune = ?"
    found = store.execute(
        "SELECT d.interview, d.bits, d.closed, d.numbers, d.others, d.contact FROM quality q"
        f" JOIN quality_details d ON d.interview = q.interview WHERE q.round = ?{where}",
        (round, questionnaire, commune) if where else (round,),
    )
    return {
        interview: Details(
            int.from_bytes(bits, "little"), int.from_bytes(closed, "little"), *(json.loads(text) for text in texts)
        )
        for interview, bits, closed, *texts in found
    }


def items_of(store: Store, questionnaire: str) -> Items:
    """What there is to look at in a questionnaire of which interviews were measured."""
    content = frame.questionnaire(store, questionnaire)
    assert content is not None
    return Items(Questionnaire.from_json(content))


def communes(
    store: Store, measures: list[Measures], items: Mapping[str, Items], limits: Mapping[str, float]
) -> dict[Key, Commune]:
    """What each commune of a round says; worked out again only where an interview has come or changed, or the
    thresholds have. ``measures`` are all rows of the round, as :func:`rows` gives them."""
    members: dict[Key, list[Measures]] = defaultdict(list)
    for row in measures:
        members[row.questionnaire, row.commune].append(row)
    round = measures[0].round if measures else ""
    kept = {
        (questionnaire, commune): (digest, content)
        for questionnaire, commune, digest, content in store.execute(
            "SELECT questionnaire, commune, digest, content FROM quality_groups WHERE round = ?", (round,)
        )
    }
    found, new = {}, []
    rules = json.dumps([VERSION, sorted(limits.items())])
    for key, own in members.items():
        digest = sha256("\n".join([rules, *(row.head for row in own)]).encode()).hexdigest()
        if key in kept and kept[key][0] == digest:
            found[key] = _read(kept[key][1])
        else:
            found[key] = look(items[key[0]], own, details(store, round, *key), limits)
            new.append((round, *key, digest, _written(found[key])))
    with store.transaction():
        store.executemany("INSERT OR REPLACE INTO quality_groups VALUES (?, ?, ?, ?, ?)", new)
    return found


def _written(said: Commune) -> str:
    counted = {"counts": _packed("I", said.counted.counts), "between": list(said.counted.between)}
    counted["values"] = _packed("d", [value for parts in said.counted.between.values() for value in parts])
    plain = {**vars(said), "findings": [vars(one) for one in said.findings], "counted": counted}
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def _packed(kind: str, numbers: list[Any]) -> str:
    """Thousands of numbers as one text: hundreds of communes are read whenever somebody looks."""
    return b64encode(struct.pack(f"<{len(numbers)}{kind}", *numbers)).decode("ascii")


def _unpacked(kind: str, packed: str) -> tuple[Any, ...]:
    content = b64decode(packed)
    return struct.unpack(f"<{len(content) // struct.calcsize('<' + kind)}{kind}", content)


def _read(content: str) -> Commune:
    told = json.loads(content)
    told["findings"] = tuple(
        Finding(**{**one, "words": Text(*one["words"]), "interviews": tuple(one["interviews"])})
        for one in told["findings"]
    )
    counted = told["counted"]
    values = iter(_unpacked("d", counted["values"]))
    between = dict(zip(counted["between"], zip(*[values] * 5, strict=True), strict=True))
    told["counted"] = Counted(list(_unpacked("I", counted["counts"])), between)
    return Commune(**told)


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
        known=_known(store, round),
    )


def _known(store: Store, round: str) -> dict[str, list[tuple[str, str]]]:
    """Interview to what its respondent is known by."""
    found = store.execute(
        "SELECT q.interview, q.commune, d.contact, d.numbers FROM quality q"
        " JOIN quality_details d ON d.interview = q.interview WHERE q.round = ? AND d.contact <> '{}'",
        (round,),
    )
    return {
        interview: known_by(commune, json.loads(contact), json.loads(numbers))
        for interview, commune, contact, numbers in found
    }


def _issued(store: Store, questionnaire: str) -> str:
    """When a questionnaire was issued, by the clock of the machine that did."""
    head = store.value(
        "SELECT head FROM documents WHERE subject_type = 'questionnaire' AND subject = ?", (questionnaire,)
    )
    header = feed.header(store, head) if head else None
    return header.time if header else ""
