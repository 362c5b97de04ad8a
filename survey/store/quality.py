"""Measures of interviews kept beside their content, and the quality findings of a round from them.

A measure depends on nothing but a revision that never changes, so it is kept by the revision's id and made once; what
is new since the last time is all that is measured again. Throwing the rows away costs time and nothing else.
"""

from __future__ import annotations

import json
import secrets
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from hashlib import blake2b, sha256
from typing import Any

from survey.fieldwork import quality_interviews as single
from survey.fieldwork.matches import Answered, Group, Nearest, matches
from survey.fieldwork.measures import COLUMNS, VERSION, Details, Items, Measures, measure
from survey.fieldwork.quality import Finding, thresholds
from survey.questionnaire.model import Questionnaire
from survey.store import feed, frame
from survey.store.header import Header, read_header
from survey.store.store import Store

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
            "SELECT i.interview, i.head, i.unit, i.questionnaire_hash FROM interviews i"
            f" LEFT JOIN quality q ON q.interview = i.interview WHERE q.interview IS NULL AND {_CURRENT}"
        ).fetchall()
        measuring = _Measuring(store)
        for start in range(0, len(waiting), _BATCH):
            found = [one for row in waiting[start : start + _BATCH] if (one := measuring.measured(*row)) is not None]
            store.executemany(
                f"INSERT INTO quality VALUES ({', '.join('?' * (len(COLUMNS) + 1))})",
                [(*(getattr(row, name) for name in COLUMNS), VERSION) for row, _ in found],
            )
            store.executemany(
                "INSERT INTO quality_details VALUES (?, ?, ?, ?, ?, ?)",
                [(row.interview, *measuring.packed(details)) for row, details in found],
            )
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

    def measured(self, interview: str, head: str, unit: str, questionnaire: str) -> tuple[Measures, Details] | None:
        """The measures of one interview; None while something of it is not here."""
        if questionnaire not in self.items:
            content = frame.questionnaire(self.store, questionnaire)
            self.items[questionnaire] = Items(Questionnaire.from_json(content)) if content else None
        items, answers = self.items[questionnaire], feed.part_json(self.store, head, "answers")
        if items is None or not isinstance(answers, dict):
            return None
        first = self._conducted(interview, head)
        paradata = feed.part_json(self.store, first.id, "paradata") or {}
        contact = feed.part_json(self.store, head, "contact") or {}
        document = frame.unit(self.store, unit) or {}
        about = {
            "interview": interview,
            "head": head,
            "unit": unit,
            "round": "" if document.get("list") == frame.VOLUNTEER else str(document.get("round", "")),
            "questionnaire": questionnaire,
            "enumerator": first.actor,
            "device": first.device,
            "mode": str(paradata.get("mode", "")),
            "commune": str(document.get("commune", "")),
        }
        self.count += 1
        return measure(items, answers, paradata, contact, about)

    def _conducted(self, interview: str, head: str) -> Header:
        """The revision in which the interview itself was sealed: later ones tell how it was corrected."""
        rows = self.store.execute(
            "SELECT header FROM revisions WHERE subject = ? AND subject_type = 'interview' AND kind = 'sealed'",
            (interview,),
        ).fetchall()
        sealed = [read_header(header) for (header,) in rows]
        found = min(sealed, key=lambda one: (one.time, one.id)) if sealed else feed.header(self.store, head)
        assert found is not None
        return found

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


# -- reading ------------------------------------------------------------------------------------------------------


def rows(store: Store, round: str) -> list[Measures]:
    """The measures of a round's interviews as they were last refreshed, by enumerator and time."""
    found = store.execute(
        f"SELECT {', '.join(COLUMNS)} FROM quality WHERE round = ? ORDER BY enumerator, began, interview", (round,)
    )
    return [Measures(*row) for row in found]


def details(
    store: Store, round: str, columns: Collection[str] = ("numbers", "others", "contact")
) -> dict[str, Details]:
    """Details of a round's interviews, with the named columns filled."""
    texts = [name if name in columns else "'{}'" for name in ("numbers", "others", "contact")]
    found = store.execute(
        f"SELECT d.interview, {', '.join(texts)} FROM quality q JOIN quality_details d ON d.interview = q.interview"
        " WHERE q.round = ?",
        (round,),
    )
    empty: dict[str, Any] = {}
    return {
        interview: Details(0, 0, *(empty if text == "{}" else json.loads(text) for text in texts))
        for interview, *texts in found
    }


def groups(store: Store, measures: list[Measures]) -> dict[tuple[str, str], Group]:
    """(questionnaire, commune) to its matches, computed again only where an interview has come or changed.

    ``measures`` are all rows of one round, as :func:`rows` gives them.
    """
    heads: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in measures:
        heads[row.questionnaire, row.commune].append(row.head)
    round = measures[0].round if measures else ""
    kept = {
        (questionnaire, commune): (digest, content)
        for questionnaire, commune, digest, content in store.execute(
            "SELECT questionnaire, commune, digest, content FROM quality_groups WHERE round = ?", (round,)
        )
    }
    found, new = {}, []
    for key, members in heads.items():
        digest = sha256("\n".join([str(VERSION), *sorted(members)]).encode()).hexdigest()
        if key in kept and kept[key][0] == digest:
            found[key] = _group(kept[key][1])
        else:
            found[key] = matches(list(_answered(store, round, *key)))
            content = json.dumps(asdict(found[key]), separators=(",", ":"))
            new.append((round, *key, digest, content))
    with store.transaction():
        store.executemany("INSERT OR REPLACE INTO quality_groups VALUES (?, ?, ?, ?, ?)", new)
    return found


def _answered(store: Store, round: str, questionnaire: str, commune: str) -> Iterator[Answered]:
    found = store.execute(
        "SELECT q.interview, q.enumerator, d.bits, d.closed FROM quality q"
        " JOIN quality_details d ON d.interview = q.interview"
        " WHERE q.round = ? AND q.questionnaire = ? AND q.commune = ? ORDER BY q.enumerator, q.began, q.interview",
        (round, questionnaire, commune),
    )
    for interview, enumerator, bits, closed in found:
        yield Answered(interview, enumerator, int.from_bytes(bits, "little"), int.from_bytes(closed, "little"))


def _group(content: str) -> Group:
    told = json.loads(content)
    told["nearest"] = {interview: Nearest(**near) for interview, near in told["nearest"].items()}
    return Group(**told)


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
    private = details(store, round, ("numbers", "contact"))
    norms = single.Norms(measures, limits["least"])
    return [
        *single.duration_findings(measures, norms, limits),
        *single.answer_findings(measures, norms, limits),
        *single.match_findings(measures, groups(store, measures), limits),
        *single.time_findings(measures, document, limits, now or datetime.now(UTC).astimezone()),
        *single.kept_findings(measures, limits),
        *single.outlier_findings(measures, private, limits),
        *single.respondent_findings(measures, private),
    ]
