"""How fast interviews come in, what is needed to finish in time, and who is behind. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

WINDOW = 7
"""Days, today among them, over which the present pace is taken."""

BEHIND = 0.75
"""Whoever has done less than this share of what the calendar would have is named as behind."""


@dataclass(frozen=True)
class Pace:
    """``left`` interviews to the target; ``per_day`` in the last days; ``needed`` a day until the round's end (None
    without an end, or after it); ``finish`` the day on which the present pace reaches the target (None when it never
    does); ``late`` whether that is after the end; ``odd`` interviews whose day lies outside the round, as a wrong clock
    tells it."""

    left: int
    per_day: float
    needed: float | None
    days_left: int | None
    finish: date | None
    late: bool
    odd: int


def pace(days: Mapping[str, int], target: int, starts: str, ends: str, today: date) -> Pace:
    """The pace of a round from its interviews by day (ISO; what is no date counts as odd), all of them done.

    ``starts`` and ``ends`` are ISO dates or empty.
    """
    first, last = day(starts), day(ends)
    known = {when: count for text, count in days.items() if (when := day(text)) and within(when, first, today)}
    done = sum(days.values())
    left = max(0, target - done)
    since = max(today - timedelta(WINDOW - 1), first or min(known, default=today))
    window = max(1, (today - since).days + 1)
    per_day = sum(count for when, count in known.items() if when >= since) / window
    days_left = None if last is None or last < today else (last - today).days + 1
    finish = today + timedelta(math.ceil(left / per_day)) if per_day and left / per_day < 3_650 else None
    if not left:
        finish = today
    return Pace(
        left,
        per_day,
        left / days_left if days_left else None,
        days_left,
        finish,
        bool(left and last and (finish is None or finish > last)),
        done - sum(known.values()),
    )


def within(when: date, first: date | None, today: date) -> bool:
    """Whether a day can be one of the round's: not before it began, not after tomorrow (zones differ)."""
    return (first is None or when >= first) and when <= today + timedelta(1)


def day(text: str) -> date | None:
    """An ISO date, or the date of an ISO time; None for anything else."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


SILENT_DAYS = 2
"""After so many days without an exchange a laptop in the field is named."""


def is_silent(heard: str, now: datetime) -> bool:
    """Whether a laptop has not handed over for more than :data:`SILENT_DAYS` (``heard``: the time of its last exchange
    by the hub's own clock, ISO), or never."""
    try:
        last = datetime.fromisoformat(heard)
    except ValueError:
        return True
    return now - last > timedelta(SILENT_DAYS) if last.tzinfo else True


def behind(done: int, target: int, starts: str, ends: str, today: date) -> bool:
    """Whether someone has done much less than the calendar would have: under :data:`BEHIND` of the target's share of
    the days gone by. Nobody is behind before a fifth of the time is over, without a target, or without dates."""
    first, last = day(starts), day(ends)
    if first is None or last is None or last <= first or not target:
        return False
    gone = ((min(today, last) - first).days + 1) / ((last - first).days + 1)
    return gone >= 0.2 and done < BEHIND * gone * target
