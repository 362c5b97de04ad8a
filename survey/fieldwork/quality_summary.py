"""The figures of an enumerator, a commune or a day side by side: what a supervisor reads before any finding."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from statistics import fmean, median

from survey.fieldwork import quality_interviews as single
from survey.fieldwork.measures import Measures
from survey.fieldwork.quality import COMMUNE, ENUMERATOR, INTERVIEW, Finding
from survey.text import Text

DAY = "day"


@dataclass(frozen=True)
class Summary:
    """The interviews of one enumerator, commune or day: means over them, None where nothing is known.

    ``minutes``: least, mean, median and most of the durations. ``days``: on how many an interview was begun;
    ``hours``: mean hours from the first key of a day to the last. ``flagged``: interviews with a finding, and
    ``findings`` how many of each check, those about the enumerator or commune itself among them.
    """

    name: str
    interviews: int
    days: int
    hours: float | None
    minutes: tuple[float, float, float, float] | None
    dont_know: float | None
    refused: float | None
    neutral: float | None
    straight: float | None
    spread: float | None
    level: float | None
    flagged: int
    findings: Mapping[str, int]


def day(row: Measures) -> str:
    """The local day on which an interview was begun, ``2026-11-26``; "" where it is not known."""
    if row.began is None or row.hour is None:
        return ""
    # Local midnight by the device's own clock, written as if it were in Greenwich.
    shift = (row.hour * 3600 - row.began) % 86_400
    shift -= 86_400 if shift > 50_400 else 0
    return _date(int((row.began + shift) // 86_400))


@lru_cache(4_096)
def _date(days: int) -> str:
    """The day so many days after 1970-01-01."""
    return f"{datetime.fromtimestamp(days * 86_400, UTC):%Y-%m-%d}"


BY: dict[str, tuple[Text, Callable[[Measures], str]]] = {
    ENUMERATOR: (Text("điều tra viên", "enumerator"), lambda row: row.enumerator),
    COMMUNE: (Text("xã, phường", "commune"), lambda row: row.commune),
    DAY: (Text("ngày", "day"), day),
}
"""What interviews may be summed up by."""


def summaries(rows: Iterable[Measures], findings: Iterable[Finding], by: str = ENUMERATOR) -> list[Summary]:
    """One summary a group, by name; ``by`` is a key of :data:`BY`."""
    key = BY[by][1]
    groups: dict[str, list[Measures]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    of_interview: dict[str, list[str]] = defaultdict(list)
    of_group: dict[str, Counter[str]] = defaultdict(Counter)
    for one in findings:
        if one.subject_type == INTERVIEW:
            of_interview[one.subject].append(one.check)
        elif one.subject_type == by:
            of_group[one.subject][one.check] += 1
    return [_summary(name, members, of_interview, of_group[name]) for name, members in sorted(groups.items())]


def _summary(name: str, rows: list[Measures], found: Mapping[str, list[str]], own: Counter[str]) -> Summary:
    minutes = sorted(row.seconds / 60 for row in rows if row.seconds is not None)
    spans: dict[tuple[str, str], tuple[float, float]] = {}
    for row in rows:
        if row.began is not None and row.ended is not None and row.ended - row.began < 86_400:
            first, last = spans.get((row.enumerator, day(row)), (row.began, row.ended))
            spans[row.enumerator, day(row)] = min(first, row.began), max(last, row.ended)
    counted = Counter(own)
    for row in rows:
        counted.update(found.get(row.interview, ()))
    return Summary(
        name,
        len(rows),
        len({day(row) for row in rows} - {""}),
        fmean((last - first) / 3600 for first, last in spans.values()) if spans else None,
        (minutes[0], fmean(minutes), median(minutes), minutes[-1]) if minutes else None,
        _mean([single.dont_know(row) for row in rows if row.asked]),
        _mean([single.refused(row) for row in rows if row.asked]),
        _mean([single.neutral(row) for row in rows if row.scale]),
        _mean([single.straight(row) for row in rows if row.batteries]),
        _mean([row.spread for row in rows if row.spread is not None]),
        _mean([row.level for row in rows if row.level is not None]),
        sum(row.interview in found for row in rows),
        dict(sorted(counted.items())),
    )


def _mean(values: list[float]) -> float | None:
    return fmean(values) if values else None
