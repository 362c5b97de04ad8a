"""Villages, communes and provinces that are renamed, merged or split while a round is in the field. Pure.

A drawn unit keeps its id, stratum, PSU and probabilities: the frame was what it was. The round's document lists the
changes (key ``places``), and a page shows the name of today with the name of the frame and the date.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from survey.text import Text

LEVELS = ("province", "district", "commune", "village")
KINDS: dict[str, Text] = {
    "renamed": Text("đổi tên", "renamed"),
    "merged": Text("nhập vào", "merged into"),
    "split": Text("tách thành", "split into"),
}


@dataclass(frozen=True)
class Change:
    """One change of one place: from ``old`` (code in the frame, or an earlier change's new code) to ``new`` with
    ``name``, on ``date`` (ISO). ``village``: of a split, only this village (code in the frame) went to the new place;
    empty for all of it. ``basis``: the resolution."""

    level: str
    old: str
    new: str
    name: str
    date: str
    kind: str = "renamed"
    village: str = ""
    basis: str = ""

    @property
    def document(self) -> dict[str, str]:
        """As a round document holds it."""
        return {name: value for name, value in asdict(self).items() if value}


def changes(round: Mapping[str, Any]) -> list[Change]:
    """The changes that a round document lists, in the order of their dates."""
    known = Change.__dataclass_fields__
    told = round.get("places") or []
    listed = [Change(**{k: str(v) for k, v in one.items() if k in known}) for one in told]
    return sorted(listed, key=lambda change: change.date)


def placed_now(unit: Mapping[str, Any], listed: Iterable[Change], today: str) -> dict[str, Any]:
    """The unit as places are called on the day ``today`` (ISO): for every level that changed ``{level}_now`` and
    ``{level}_now_name``, ``{level}_since``, and ``{level}_was``, the frame's name. Nothing that the draw wrote is
    changed."""
    now = dict(unit)
    for change in listed:
        level = change.level
        code = str(now.get(f"{level}_now", unit.get(level, "")))
        of_village = change.village in ("", str(unit.get("village", "")))
        if change.date <= today and code == change.old and of_village:
            now[f"{level}_now"], now[f"{level}_now_name"] = change.new, change.name
            now[f"{level}_since"] = change.date
            now[f"{level}_was"] = str(unit.get(f"{level}_name") or unit.get(level, ""))
    return now
