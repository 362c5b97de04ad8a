"""What the communes of a round say among themselves, kept until one of their interviews or the thresholds change.

A commune's row stands for the contents named in its digest. An interview that goes takes the row with it (a trigger:
erased answers must not stand on in sums); one that comes is compared with the others, which are not compared again.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from survey.fieldwork.matches import Compared
from survey.fieldwork.measures import VERSION, Details, Items, Measures
from survey.fieldwork.quality import Finding
from survey.fieldwork.quality_questions import Counted
from survey.fieldwork.quality_round import Commune, Key, look
from survey.store.store import Store
from survey.text import Text

_KEPT = ("findings", "judged", "expected", "cells", "numbers")


def communes(
    store: Store, measures: Sequence[Measures], items: Mapping[str, Items], limits: Mapping[str, float]
) -> dict[Key, Commune]:
    """What each commune of a round says; worked out again only where an interview has come or changed, or the
    thresholds have. ``measures`` are all rows of the round, as :func:`survey.store.quality.rows` gives them."""
    members: dict[Key, list[Measures]] = defaultdict(list)
    for row in measures:
        members[row.questionnaire, row.commune].append(row)
    round = measures[0].round if measures else ""
    held = store.execute(
        "SELECT questionnaire, commune, digest, content, answers, variance FROM quality_groups WHERE round = ?",
        (round,),
    )
    kept = {(questionnaire, commune): rest for questionnaire, commune, *rest in held}
    rules = json.dumps([VERSION, sorted(limits.items())])
    found, new = {}, []
    for key, own in members.items():
        digest = sha256("\n".join([rules, *[row.head for row in own]]).encode()).hexdigest()
        if key in kept and kept[key][0] == digest:
            found[key] = _read(*kept[key][1:])
        else:
            before = _compared(store, round, key) if key in kept else None
            found[key] = look(items[key[0]], own, _details(store, round, key), limits, before)
            new.append((round, *key, digest, *_written(found[key])))
    if new:
        with store.transaction():
            store.executemany("INSERT OR REPLACE INTO quality_groups VALUES (?, ?, ?, ?, ?, ?, ?, ?)", new)
    return found


def _details(store: Store, round: str, key: Key) -> dict[str, Details]:
    """Interview to the closed answers and numbers of a commune."""
    found = store.execute(
        "SELECT d.interview, d.bits, d.closed, d.numbers FROM quality q JOIN quality_details d"
        " ON d.interview = q.interview WHERE q.round = ? AND q.questionnaire = ? AND q.commune = ?",
        (round, *key),
    )
    return {
        interview: Details(
            int.from_bytes(bits, "little"), int.from_bytes(closed, "little"), json.loads(numbers), {}, {}
        )
        for interview, bits, closed, numbers in found
    }


def _written(said: Commune) -> tuple[str, bytes, bytes, str]:
    """A commune as a row keeps it."""
    content = {name: getattr(said, name) for name in _KEPT}
    content["findings"] = [vars(one) for one in said.findings]
    answers, between = (number.to_bytes((number.bit_length() + 7) // 8, "little") for number in said.counted)
    return _json(content), answers, between, _json(vars(said.compared)) if said.compared else ""


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _read(content: str, answers: bytes, between: bytes) -> Commune:
    told = json.loads(content)
    told["findings"] = tuple(
        Finding(**{**one, "words": Text(*one["words"]), "interviews": tuple(one["interviews"])})
        for one in told["findings"]
    )
    return Commune(**told, counted=Counted(int.from_bytes(answers, "little"), int.from_bytes(between, "little")))


def _compared(store: Store, round: str, key: Key) -> Compared:
    content = store.value(
        "SELECT compared FROM quality_groups WHERE round = ? AND questionnaire = ? AND commune = ?", (round, *key)
    )
    return Compared(**json.loads(content)) if content else Compared()
