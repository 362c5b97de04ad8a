"""How a paper form stands, from what was recorded of it, and whether the forms of a village add up. Pure.

A form is a document of the subject ``visit`` (FORMATS: docs/formats.md) that is issued again at each step, so its
revisions are its history. Two laptops may record steps of one form without knowing of each other: :func:`merged` unites
what agrees, and calls the form disputed where it does not.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from survey.paper.serial import Serial
from survey.text import Text

STATES: dict[str, Text] = {
    "issued": Text("đã phát", "left at the household"),
    "collected": Text("đã thu", "collected"),
    "keyed": Text("đã nhập", "keyed"),
    "invalid": Text("không hợp lệ", "not valid"),
    "lost": Text("hỏng, mất", "spoilt or lost"),
}
"""The states of a form, in the order in which it goes through them."""

DISPUTED = "disputed"

NEXT: dict[str, tuple[str, ...]] = {
    "": ("issued",),
    "issued": ("collected", "lost"),
    # What was taken down by mistake is taken back, and a form that was lost may be found again.
    "collected": ("keyed", "invalid", "lost", "issued"),
    "lost": ("issued", "collected"),
    "keyed": ("keyed", "invalid"),
    "invalid": ("keyed", "invalid"),
}
"""Which states may follow a state; nothing recorded yet is the empty one."""

DISPOSITIONS = {"issued": "0.1", "collected": "0.3", "keyed": "1.1", "invalid": "2.12", "lost": "0.4"}
"""What the visits of a sample unit say of a form left there: AAPOR's codes, and ours while the case is open."""


@dataclass(frozen=True)
class Form:
    """One paper form as it stands. ``time`` and ``by`` are of the last step, ``due`` is the day to collect it."""

    id: str
    serial: str
    unit: str
    round: str
    state: str
    by: str = ""
    time: str = ""
    due: str = ""
    reason: str = ""
    interview: str = ""


@dataclass(frozen=True)
class Tally:
    """The forms of one village. Keyed and invalid forms are among the collected."""

    issued: int = 0
    collected: int = 0
    outstanding: int = 0
    lost: int = 0
    keyed: int = 0
    invalid: int = 0
    disputed: int = 0

    @property
    def holds(self) -> bool:
        """Whether every form that was issued is accounted for: issued = collected + outstanding + lost."""
        return self.issued == self.collected + self.outstanding + self.lost


def form_id(round: str, serial: Serial) -> str:
    """The subject of a form: the same on every laptop, so that one serial is one form. Begins with ``f``."""
    return "f" + sha256(f"form\x1f{round}\x1f{serial.qr}".encode()).hexdigest()[:32]


def merged(id: str, heads: Sequence[Mapping[str, Any]]) -> Form:
    """The form that documents of it, which no other builds on, amount to: usually one document.

    Several are united where one only goes on from the other: the furthest state counts. They are in dispute when they
    name different units, or one says lost and another collected, or one says keyed and another not valid.
    """
    documents = sorted(heads, key=lambda document: json.dumps(document, sort_keys=True, ensure_ascii=False))
    order = list(STATES)
    last = max(documents, key=lambda document: order.index(document["state"]) if document["state"] in order else -1)
    state = str(last["state"])
    states = {str(document["state"]) for document in documents}
    units = {str(document.get("unit", "")) for document in documents}
    contrary = ("lost" in states and not states <= {"lost", "issued"}) or {"keyed", "invalid"} <= states
    if len(units) > 1 or contrary or state not in STATES:
        state = DISPUTED
    texts = {name: str(last.get(name, "")) for name in ("serial", "unit", "round", "by", "time", "reason", "interview")}
    return Form(id, state=state, due=str(last.get("again", "")), **texts)


def tally(forms: Iterable[Form]) -> Tally:
    """The forms counted by where they are; each counts as issued."""
    states = Counter(form.state for form in forms)
    return Tally(
        issued=sum(states.values()),
        collected=states["collected"] + states["keyed"] + states["invalid"],
        outstanding=states["issued"],
        lost=states["lost"],
        keyed=states["keyed"],
        invalid=states["invalid"],
        disputed=states[DISPUTED],
    )
