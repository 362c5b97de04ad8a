"""The checks of enumerators against each other, of questions and of communes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import exp, log, sqrt
from statistics import fmean, median

from survey.fieldwork import quality_interviews as single
from survey.fieldwork.measures import Measures
from survey.fieldwork.quality import COMMUNE, ENUMERATOR, Finding, percent, shown
from survey.fieldwork.quality_summary import day
from survey.text import Text, many

LEAST_OTHERS = 5
"""Interviews of colleagues in a commune from which on they are the measure there; else all colleagues are."""

LEAST_COMMUNES = 5
SIX_HOURS = 21_600.0
SERIOUS = 2
"""Points of an interview from which on it counts as one to look at again."""


@dataclass(frozen=True)
class Trait:
    """Something in which enumerators are compared: its value for an interview (None: nothing to say), from which
    difference on it matters at all, which sides matter (1 more, -1 less, 0 both), and how a mean is told."""

    name: Text
    value: Callable[[Measures], float | None]
    matters: float
    side: int = 1
    told: Callable[[float], Text] = percent


def _minutes(value: float) -> Text:
    text = shown(exp(value) / 60)
    return Text(f"{text.vi} phút", f"{text.en} minutes")


TRAITS: dict[str, Trait] = {
    "seconds": Trait(
        Text("thời gian", "duration"), lambda row: log(row.seconds) if row.seconds else None, 0.35, 0, _minutes
    ),
    "quick": Trait(
        Text("câu trả lời dưới một giây", "answers within a second"),
        lambda row: row.quick / row.timed if row.timed >= single.LEAST_SCALE else None,
        0.05,
    ),
    "straight": Trait(
        Text("bảng trả lời một kiểu", "straight batteries"),
        lambda row: single.straight(row) if row.batteries >= single.LEAST_BATTERIES else None,
        0.1,
    ),
    "spread": Trait(
        Text("phương sai trong bảng", "variance within batteries"),
        lambda row: row.spread if row.batteries >= single.LEAST_BATTERIES else None,
        0.15,
        0,
        lambda value: shown(value, 2),
    ),
    "level": Trait(
        Text("mức hài lòng", "level of the answers"),
        lambda row: row.level if row.scale >= single.LEAST_SCALE else None,
        0.08,
        0,
    ),
    "neutral": Trait(
        Text("câu ở giữa thang", "neutral answers"),
        lambda row: single.neutral(row) if row.scale >= single.LEAST_SCALE else None,
        0.1,
    ),
    "dont_know": Trait(
        Text("câu không biết", "don't know answers"), lambda row: single.dont_know(row) if row.asked else None, 0.05
    ),
    "refused": Trait(
        Text("câu không trả lời", "refusals"), lambda row: single.refused(row) if row.asked else None, 0.03
    ),
    # These two come from other findings, not from an interview alone (survey.fieldwork.quality_round).
    "alike": Trait(Text("trùng quá mức thường thấy", "match beyond the usual"), lambda row: None, 0.1),
    "signs": Trait(Text("phiếu cần xem lại", "interviews to look at again"), lambda row: None, 0.15),
}


@dataclass(frozen=True)
class Standing:
    """Where one enumerator lies among all in one trait: the mean of ``interviews`` interviews, what their communes let
    expect of it, and how many standard deviations they are apart."""

    enumerator: str
    trait: str
    interviews: int
    mean: float
    expected: float
    distance: float


Sums = tuple[int, float, float]
"""How many values, their sum, the sum of their squares."""

Cells = Mapping[tuple[str, str], Sums]
"""(enumerator, commune) to the sums of one trait."""


def sums(rows: Iterable[Measures], value: Callable[[Measures], float | None]) -> dict[str, Sums]:
    """Enumerator to the sums of one trait over interviews of one commune."""
    found: dict[str, Sums] = {}
    for row in rows:
        told = value(row)
        if told is not None:
            n, total, squares = found.get(row.enumerator, (0, 0.0, 0.0))
            found[row.enumerator] = n + 1, total + told, squares + told * told
    return found


def standings(cells: Cells, trait: str) -> list[Standing]:
    """Every enumerator with two or more interviews in one trait.

    An interview is held against the mean of colleagues in its commune, or of all colleagues where there are too few.
    The distance of an enumerator's mean difference from the median of all is told in units of what is usual among
    enumerators (1.4826 times the median absolute deviation) and of its own sampling error together, so that neither
    a commune of one's own nor few interviews make anyone stand out.
    """
    communes: dict[str, Sums] = defaultdict(lambda: (0, 0.0, 0.0))
    people: dict[str, Sums] = defaultdict(lambda: (0, 0.0, 0.0))
    everyone = (0, 0.0, 0.0)
    for (who, commune), told in cells.items():
        communes[commune], people[who], everyone = (
            _plus(communes[commune], told),
            _plus(people[who], told),
            _plus(everyone, told),
        )
    differences: dict[str, Sums] = defaultdict(lambda: (0, 0.0, 0.0))
    for (who, commune), (n, total, squares) in cells.items():
        others, rest = communes[commune][0] - n, communes[commune][1] - total
        if not commune or others < LEAST_OTHERS:
            others, rest = everyone[0] - people[who][0], everyone[1] - people[who][1]
        if others:
            usual = rest / others
            away = (n, total - n * usual, squares - 2 * usual * total + n * usual * usual)
            differences[who] = _plus(differences[who], away)
    gaps = {who: total / n for who, (n, total, _) in differences.items() if n >= 2}
    if not gaps:
        return []
    middle = median(gaps.values()) if len(gaps) > 2 else 0.0
    usual = 1.4826 * median([abs(gap - middle) for gap in gaps.values()]) if len(gaps) > 3 else 0.0
    variance = fmean(differences[who][2] / differences[who][0] - gap * gap for who, gap in gaps.items())
    found = []
    for who, gap in sorted(gaps.items()):
        n, total, _ = people[who]
        error = sqrt(usual**2 + max(variance, 0.0) / n)
        distance = (gap - middle) / error if error else 0.0
        found.append(Standing(who, trait, n, total / n, total / n - gap + middle, distance))
    return found


def _plus(one: Sums, other: Sums) -> Sums:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def enumerator_findings(cells: Mapping[str, Cells], limits: Mapping[str, float]) -> Iterator[Finding]:
    """Enumerators who differ from their colleagues in a trait; ``cells`` by name of the trait."""
    for name, found in cells.items():
        trait = TRAITS[name]
        for one in standings(found, name):
            gap = one.mean - one.expected
            if one.interviews < limits["least"] or abs(gap) < trait.matters or abs(one.distance) <= limits["differs"]:
                continue
            if gap * trait.side < 0:
                continue
            mean, expected = trait.told(one.mean), trait.told(one.expected)
            words = Text(
                f"{trait.name.vi}: {mean.vi} ({one.interviews} phiếu), đồng nghiệp {expected.vi}",
                f"{trait.name.en}: {mean.en} in {many(one.interviews, 'interview')}, colleagues {expected.en}",
            )
            yield Finding(
                ENUMERATOR,
                one.enumerator,
                "differs",
                one.distance,
                limits["differs"],
                words,
                enumerator=one.enumerator,
                question=name,
            )


def day_findings(rows: Iterable[Measures], limits: Mapping[str, float]) -> Iterator[Finding]:
    """Days of an enumerator that are longer, or hold more interviews, than a person can do well."""
    days: dict[tuple[str, str], list[Measures]] = defaultdict(list)
    for row in rows:
        if date := day(row):
            days[row.enumerator, date].append(row)
    for (who, date), members in sorted(days.items()):
        starts = [row.began for row in members if row.began is not None]
        # An interview that goes on the next day says nothing of when this one ended.
        ends = [row.ended for row in members if row.ended and row.began and row.ended - row.began < SIX_HOURS]
        hours = (max(ends, default=min(starts)) - min(starts)) / 3600
        if hours <= limits["day_hours"] and len(members) <= limits["day_interviews"]:
            continue
        crowded = len(members) > limits["day_interviews"]
        told = shown(hours, 1)
        words = Text(
            f"ngày {date[8:]}/{date[5:7]}: {len(members)} phiếu trong {told.vi} giờ",
            f"{date}: {many(len(members), 'interview')} in {told.en} hours",
        )
        yield Finding(
            ENUMERATOR,
            who,
            "day",
            float(len(members)) if crowded else hours,
            limits["day_interviews"] if crowded else limits["day_hours"],
            words,
            tuple(row.interview for row in members),
            enumerator=who,
        )


def commune_findings(expected: Mapping[tuple[str, str], float], limits: Mapping[str, float]) -> Iterator[Finding]:
    """Communes whose interviews are more alike, also between enumerators, than those of the other communes;
    ``expected`` matches by (questionnaire, commune), where there are enough pairs."""
    usual: dict[str, list[float]] = defaultdict(list)
    for (questionnaire, _), match in expected.items():
        usual[questionnaire].append(match)
    for (questionnaire, commune), match in expected.items():
        others = usual[questionnaire]
        if len(others) < LEAST_COMMUNES or not commune:
            continue
        middle = median(others)
        if match - middle > limits["alike"]:
            told, often = percent(match), percent(middle)
            words = Text(
                f"hai phiếu bất kỳ trùng {told.vi}, các xã khác {often.vi}",
                f"any two interviews share {told.en}, {often.en} in other communes",
            )
            yield Finding(COMMUNE, commune, "alike", match, middle + limits["alike"], words, commune=commune)
