"""Nobody sees answers of the commune they belong to before its round is published (decision 53)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from survey.errors import NotAllowed
from survey.store import frame, reading
from survey.store.store import Store
from survey.text import Text


def closed_units(store: Store, person: Mapping[str, Any]) -> set[str]:
    """The sample units of the person's own commune (``commune`` in the person's document) in rounds that are not
    published yet; empty for a person of no commune."""
    commune = str(person.get("commune") or "")
    if not commune:
        return set()
    published = {str(one.get("id", "")) for one in frame.rounds(store) if one.get("published")}
    return {
        str(unit["id"])
        for unit in frame.everyone(store)
        if str(unit.get("commune", "")) == commune and str(unit.get("round", "")) not in published
    }


def closed_communes(store: Store, person: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """The same as (round, commune), for the lists of the board."""
    commune = str(person.get("commune") or "")
    rounds = frame.rounds(store) if commune else []
    return frozenset((str(one.get("id", "")), commune) for one in rounds if not one.get("published"))


def require_other_commune(store: Store, person: Mapping[str, Any], *, unit: str = "", interview: str = "") -> None:
    """Raises NotAllowed when the sample unit, or the unit of the interview, is closed to this person."""
    if not person.get("commune"):
        return
    if interview:
        unit = next((str(row["unit"]) for row in reading.interviews(store, interview=interview)), unit)
    if unit and unit in closed_units(store, person):
        raise NotAllowed(
            str(person.get("name") or person.get("id", "")),
            Text(
                "phiếu của xã mình không được xem trước khi kết quả được công bố",
                "nobody sees interviews of their own commune before the results are published",
            ),
            Text("giao việc này cho người của xã khác", "leave this to someone from another commune"),
        )
