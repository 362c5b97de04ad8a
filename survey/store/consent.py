"""When and how consent was given: from the key presses of a draft, or from what it builds on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from survey.store import feed
from survey.store.store import Store

SPOKEN, PAPER = "spoken", "paper"
"""Ways of consenting: said to the enumerator, who recorded it; written on a form of paper."""


def given(store: Store, interview: str, said: Mapping[str, Any], way: str) -> dict[str, Any]:
    """``consent`` for the paradata: what was said (:func:`survey.questionnaire.consent.record`) with ``time`` and
    ``way``; empty when nothing was said.

    A draft that goes on from an earlier version keeps the consent of that one, unless it was asked anew.
    """
    if not said:
        return {}
    time = store.value(
        "SELECT time FROM draft_events WHERE interview = ? AND path = ? AND NOT cleared ORDER BY number DESC LIMIT 1",
        (interview, said["question"]),
    )
    if time is None:
        earlier = json.loads(store.value("SELECT parents FROM drafts WHERE interview = ?", (interview,)) or "[]")
        for revision in earlier:
            told = feed.part_json(store, revision, "paradata") or {}
            if told.get("consent"):
                return {"consent": dict(told["consent"])}
            times = [e["time"] for e in told.get("events", ()) if e["path"] == said["question"] and not e["cleared"]]
            time = times[-1] if times else time
    return {"consent": {**said, "time": time or "", "way": way}}
