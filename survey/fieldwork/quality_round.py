"""All findings of a round: what a commune says by itself, and what only all of them together say.

What is said of a commune depends on its interviews and the thresholds alone, so it is worked out once and kept
(:mod:`survey.store.quality`); after new interviews only their communes are worked out again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from survey.fieldwork import quality_enumerators as several
from survey.fieldwork import quality_interviews as single
from survey.fieldwork.matches import Answered, Compared, matches
from survey.fieldwork.measures import Details, Items, Measures
from survey.fieldwork.quality import Finding, risk
from survey.fieldwork.quality_questions import Counted, count, question_findings

SERIOUS = 2
"""Points of an interview from which on it counts as one to look at again."""

Key = tuple[str, str]
"""(questionnaire, commune)"""


@dataclass(frozen=True)
class Commune:
    """What the interviews of one commune and questionnaire say among themselves.

    ``judged``: there were enough to say what is usual here. ``expected``: the match to be expected of two of them (None
    with too few pairs). ``cells``: trait, enumerator to sums. ``numbers``: path to the numbers given, sorted, and how
    often each was.
    ``compared`` is where the next comparison goes on.
    """

    findings: tuple[Finding, ...]
    judged: bool
    expected: float | None
    cells: Mapping[str, Mapping[str, several.Sums]]
    counted: Counted
    numbers: Mapping[str, tuple[Sequence[float], Sequence[int]]]
    compared: Compared | None = None


def look(
    items: Items,
    rows: Sequence[Measures],
    details: Mapping[str, Details],
    limits: Mapping[str, float],
    before: Compared | None = None,
) -> Commune:
    """Looks at the interviews of one commune, sorted by enumerator and time; ``details`` by interview, ``before`` what
    was compared when it was last looked at."""
    norm = single.norm_of(rows, limits["least"])
    group = matches(
        [
            Answered(r.interview, r.enumerator, details[r.interview].bits, details[r.interview].closed, r.head)
            for r in rows
        ],
        items.codes,
        before,
    )
    findings = [
        *single.quick_findings(rows, limits),
        *single.kept_findings(rows, limits),
        *(single.answer_findings(rows, norm, limits) if norm else ()),
        *single.match_findings(rows, group, limits),
    ]
    by_enumerator: dict[str, list[int]] = defaultdict(list)
    numbers: dict[str, Counter[float]] = defaultdict(Counter)
    for row in rows:
        told = details[row.interview]
        by_enumerator[row.enumerator].append(told.bits)
        for path, value in told.numbers.items():
            numbers[path][value] += 1

    def beyond(row: Measures) -> float | None:
        near = group.nearest.get(row.interview)
        return near.beyond if near else None

    cells = {name: several.sums(rows, trait.value) for name, trait in several.TRAITS.items()}
    return Commune(
        tuple(findings),
        norm is not None,
        group.expected if group.pairs >= limits["least"] else None,
        {name: found for name, found in {**cells, "alike": several.sums(rows, beyond)}.items() if found},
        count(items, by_enumerator),
        {path: _ordered(found) for path, found in numbers.items()},
        group.compared,
    )


def _ordered(counts: Mapping[float, int]) -> tuple[list[float], list[int]]:
    values = sorted(counts)
    return values, [counts[value] for value in values]


def bounds(communes: Mapping[Key, Commune], limits: Mapping[str, float]) -> dict[str, dict[str, tuple[float, float]]]:
    """Questionnaire to path to the numbers beyond which one is far from the rest."""
    counts: dict[Key, dict[float, int]] = defaultdict(lambda: defaultdict(int))
    for (questionnaire, _), commune in communes.items():
        for path, found in commune.numbers.items():
            sums = counts[questionnaire, path]
            for value, n in zip(*found, strict=True):
                sums[value] += n
    result: dict[str, dict[str, tuple[float, float]]] = defaultdict(dict)
    for (questionnaire, path), sums in counts.items():
        limit = single.far_away(sums, limits["outlier"])
        if limit is not None:
            result[questionnaire][path] = limit
    return result


def beyond(communes: Mapping[Key, Commune], limits: Mapping[str, Mapping[str, tuple[float, float]]]) -> list[Key]:
    """The communes in which some number lies beyond the :func:`bounds`."""
    return [
        (questionnaire, name)
        for (questionnaire, name), commune in communes.items()
        if any(
            values[0] < limit[0] or values[-1] > limit[1]
            for path, (values, _) in commune.numbers.items()
            if (limit := limits.get(questionnaire, {}).get(path))
        )
    ]


def findings(
    rows: Sequence[Measures],
    communes: Mapping[Key, Commune],
    items: Mapping[str, Items],
    round: Mapping[str, Any],
    limits: Mapping[str, float],
    now: datetime,
    *,
    issued: str = "",
    reach: Mapping[str, Mapping[str, tuple[float, float]]] | None = None,
    far: Iterable[tuple[Measures, Mapping[str, float]]] = (),
    known: Mapping[str, Sequence[tuple[str, str]]] = {},
) -> list[Finding]:
    """All findings of a round, those of interviews first.

    ``rows`` are all its measures, ``communes`` all of :func:`look`, ``items`` by questionnaire; ``issued`` when the
    round's questionnaire was; ``reach`` their :func:`bounds`, where they are known already, ``far`` the numbers of
    interviews of the communes :func:`beyond` them, ``known`` what respondents are known by
    (:func:`survey.fieldwork.quality_interviews.known_by`).
    """
    found = [one for commune in communes.values() for one in commune.findings]
    found += _small_communes(rows, communes, limits)
    found += single.duration_findings(rows, limits)
    found += single.time_findings(rows, round, limits, now)
    found += single.version_findings(rows, round, issued)
    reach = bounds(communes, limits) if reach is None else reach
    for row, given in far:
        found += single.outlier_findings([(row, given)], reach.get(row.questionnaire, {}), limits)
    found += single.respondent_findings(rows, known)
    cells = _cells(rows, communes, risk(found))
    counted: dict[str, list[Counted]] = defaultdict(list)
    for (questionnaire, _), commune in communes.items():
        counted[questionnaire].append(commune.counted)
    return [
        *found,
        *several.enumerator_findings(cells, limits),
        *several.day_findings(rows, limits),
        *several.commune_findings({k: c.expected for k, c in communes.items() if c.expected is not None}, limits),
        *(one for name, told in counted.items() for one in question_findings(items[name], Counted.sum(told), limits)),
    ]


def _small_communes(
    rows: Sequence[Measures], communes: Mapping[Key, Commune], limits: Mapping[str, float]
) -> list[Finding]:
    """Interviews of communes too small to say what is usual there, against the whole questionnaire."""
    small = {key for key, commune in communes.items() if not commune.judged}
    found: list[Finding] = []
    for name in {questionnaire for questionnaire, _ in small}:
        norm = single.norm_of([row for row in rows if row.questionnaire == name], limits["least"])
        if norm is not None:
            own = [row for row in rows if row.questionnaire == name and (name, row.commune) in small]
            found += single.answer_findings(own, norm, limits)
    return found


def _cells(
    rows: Sequence[Measures], communes: Mapping[Key, Commune], points: Mapping[str, int]
) -> dict[str, dict[tuple[str, str], several.Sums]]:
    """Trait to (enumerator, commune) to sums, over questionnaires, and of how many interviews are to be looked at."""
    cells: dict[str, dict[tuple[str, str], several.Sums]] = defaultdict(dict)
    for (_, name), commune in communes.items():
        for trait, people in commune.cells.items():
            for who, told in people.items():
                before = cells[trait].get((who, name), (0, 0.0, 0.0))
                cells[trait][who, name] = before[0] + told[0], before[1] + told[1], before[2] + told[2]
    number = Counter((row.enumerator, row.commune) for row in rows)
    serious = {interview for interview, sum_of_points in points.items() if sum_of_points >= SERIOUS}
    flagged = Counter((row.enumerator, row.commune) for row in rows if row.interview in serious)
    cells["signs"] = {key: (n, float(flagged[key]), float(flagged[key])) for key, n in number.items()}
    return cells
