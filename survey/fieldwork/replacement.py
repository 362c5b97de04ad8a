"""When a reserve unit may be opened, by the rule that the round declares. Pure.

A unit of the main list that is given up releases one reserve unit of its own primary unit, the next in the order drawn:
nobody picks a neighbour who happens to be at home. A reserve unit that is given up in its turn releases the next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from survey.fieldwork.dispositions import DISPOSITIONS, Disposition, final
from survey.text import Text, many

ALLOWED = tuple(code for code, row in DISPOSITIONS.items() if row.outcome in ("R", "NC", "O", "UH", "UO", "NE"))
_NEVER = ("0.1", "0.2", "3.11")
"""What still waits, or was never tried, is not given up."""


@dataclass(frozen=True)
class Rule:
    """The round's rule (key ``replacement`` of its document).

    ``visits``: how many visits a unit gets before it is given up where another visit might succeed (no one at home,
    person away); an outcome that is settled (refused, moved away) needs one. ``dispositions``: the AAPOR codes after
    which a unit may be replaced. ``target``: interviews wanted in each primary unit; a reserve unit opens only while
    the interviews made and the units still open together are fewer (PAPI: 20 main, 10 reserve, 16 wanted). 0: every
    unit given up is replaced. ``allowed``: False where the round allows no replacement at all.
    """

    visits: int = 3
    dispositions: tuple[str, ...] = tuple(code for code in ALLOWED if code not in _NEVER)
    target: int = 0
    allowed: bool = True

    @classmethod
    def of(cls, round: Mapping[str, Any]) -> Rule:
        """The rule of a round document; the default one where it declares none."""
        told = round.get("replacement")
        if not isinstance(told, Mapping):
            return cls()
        return cls(
            int(told.get("visits", cls.visits)),
            tuple(map(str, told.get("dispositions", cls.dispositions))),
            int(told.get("target", 0)),
            told.get("allowed", True) is not False,
        )

    @property
    def document(self) -> dict[str, Any]:
        """The rule as a round document holds it."""
        return {
            "visits": self.visits,
            "dispositions": list(self.dispositions),
            "target": self.target,
            "allowed": self.allowed,
        }


@dataclass(frozen=True)
class Unit:
    """A unit of one primary unit: its list and order, the codes of its visits in order, whether an interview is begun
    or made (``taken``), and which unit it replaces, once it was opened."""

    id: str
    reserve: bool
    order: int
    codes: tuple[str, ...] = ()
    taken: bool = False
    replaces: str = ""

    @property
    def outcome(self) -> Disposition:
        """How the unit stands."""
        return final(self.codes)

    @property
    def complete(self) -> bool:
        """Whether there is an interview."""
        return self.outcome.outcome in ("I", "P")


@dataclass(frozen=True)
class Opening:
    """What the rule says of one primary unit now: ``reserve`` is the next unit that may be opened (None: none may),
    ``given_up`` the units that it may replace, ``reason`` why none may be opened."""

    reserve: Unit | None
    given_up: tuple[Unit, ...]
    reason: Text = Text("", "")


def is_given_up(unit: Unit, rule: Rule) -> bool:
    """Whether the rule lets this unit be replaced: by its outcome, after enough visits."""
    how = unit.outcome
    if unit.taken or unit.complete or how.code in _NEVER or how.code not in rule.dispositions:
        return False
    return not how.again or len(unit.codes) >= rule.visits


def is_open(unit: Unit) -> bool:
    """Whether a unit may be visited at all: of the main list, or opened as a replacement, or visited already (before
    the rule was there)."""
    return not unit.reserve or bool(unit.replaces) or unit.taken or bool(unit.codes)


def opening(units: Sequence[Unit], rule: Rule) -> Opening:
    """Which reserve unit of one primary unit may be opened now, and in place of which units."""
    replaced = {unit.replaces for unit in units if unit.replaces}
    # Given up and replaced already, or visited before there was a rule: one reserve unit each.
    given_up = tuple(u for u in _in_order(units) if is_open(u) and is_given_up(u, rule) and u.id not in replaced)
    waiting = [unit for unit in _in_order(units) if unit.reserve and not is_open(unit)]
    if not rule.allowed:
        return Opening(None, (), Text("đợt này không cho thay hộ", "this round allows no replacement"))
    if not waiting:
        return Opening(None, given_up, Text("danh sách dự phòng đã hết", "the reserve list is used up"))
    if not given_up:
        return Opening(
            None,
            (),
            Text(
                f"chưa có hộ nào được thay: hộ phải có kết quả cuối cùng mà quy định cho thay, "
                f"hoặc đã đến đủ {rule.visits} lần",
                f"no unit can be replaced yet: one must have ended in a way that the rule allows, "
                f"or have had {many(rule.visits, 'visit')}",
            ),
        )
    if rule.target:
        made = sum(unit.complete for unit in units)
        hoped = sum(is_open(unit) and not unit.complete and not is_given_up(unit, rule) for unit in units)
        if made + hoped >= rule.target:
            return Opening(
                None,
                given_up,
                Text(
                    f"chưa cần: đã xong {made}, còn {hoped} hộ đang làm, cần {rule.target}",
                    f"not needed yet: {made} done, {hoped} still open, {rule.target} wanted",
                ),
            )
    return Opening(waiting[0], given_up)


def _in_order(units: Iterable[Unit]) -> list[Unit]:
    return sorted(units, key=lambda unit: (unit.reserve, unit.order, unit.id))
