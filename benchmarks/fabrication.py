"""Who is noticed: simulated honest and fabricating enumerators before the quality checks at their default thresholds.

    python benchmarks/fabrication.py [--trials 20] [--seed 1]

Prints, for each check, the share of fabricated interviews (by way of fabricating) and of honest ones that it flags, and
the same for enumerators; docs/guides/quality.md says how the thresholds were set with it. Pure simulation: answers are
drawn for the scales and closed questions of ``sipas_2026``, no interview is walked through.

Honest interviews: a respondent's answer on a scale is the mean of the question, the commune and the person (who leans,
knows or refuses in their own way) with noise, rounded; one in twelve gives one answer throughout most batteries, as
people do. Durations follow the person and the enumerator. A tenth of communes are of one mind. Fabricators make up half
of their interviews: they **copy** an interview of their own in the same commune and change one answer in six; answer
**straight** through the batteries; answer at **random**; **speed** through a real interview; or make up a **likely**
person, with answers near the commune's mean: the hardest to see. **tired** are the honest respondents who give one
answer throughout: a sign of theirs is right, and nobody's fault; **original** are the real interviews that were copied.

    python benchmarks/fabrication.py --sweep

prints the same two shares over a range of values of each threshold, on rounds of other seeds.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import Any

from survey.fieldwork.measures import Details, Items, Measures, measure
from survey.fieldwork.quality import CHECKS, ENUMERATOR, INTERVIEW, Finding, thresholds
from survey.fieldwork.quality_round import findings, look
from survey.questionnaire import xlsform

WAYS = ("copy", "straight", "random", "speed", "likely")
HONEST, TIRED, ORIGINAL = "honest", "tired", "original"
COMMUNES, PER_COMMUNE, INTERVIEWS = 24, 3, 12
"""Communes, enumerators in each, and interviews of each enumerator there; every enumerator works in two communes."""

MORNING = datetime.fromisoformat("2026-11-02T07:30:00+07:00")
ROOT = Path(__file__).resolve().parents[1]


@dataclass
class Trial:
    """One simulated round: the measures, details, and what each interview and enumerator really was."""

    items: Items
    rows: list[Measures] = field(default_factory=list)
    details: dict[str, Details] = field(default_factory=dict)
    truth: dict[str, str] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)

    def findings(self, limits: dict[str, float] | None = None) -> list[Finding]:
        """What the checks say, at the default thresholds where none are given."""
        limits = limits or thresholds({})
        places: dict[tuple[str, str], list[Measures]] = defaultdict(list)
        for row in sorted(self.rows, key=lambda row: (row.enumerator, row.began or 0)):
            places[row.questionnaire, row.commune].append(row)
        communes = {key: look(self.items, rows, self.details, limits) for key, rows in places.items()}
        return findings(self.rows, communes, {"q": self.items}, {}, limits, MORNING + timedelta(days=99))


class World:
    """The questionnaire and its people, drawn from one seed."""

    def __init__(self, items: Items, seed: int):
        self.items, self.source = items, random.Random(seed)
        self.easy = {path: self.source.gauss(0, 0.45) for path, _ in items.scale}
        self.closed = [path for path in items.bits if path not in self.easy]
        self.popular = {
            path: [self.source.expovariate(1) + 0.05 for name in items.bits[path] if not name.startswith("?")]
            for path in self.closed
        }

    def commune(self) -> dict[str, float]:
        """A commune's mean and how far its people are apart."""
        alike = self.source.random() < 0.1
        return {"mean": self.source.gauss(0.4, 0.35), "apart": 0.25 if alike else 0.6, "noise": 0.45 if alike else 0.75}

    def person(self, commune: dict[str, float], apart: float = 1.0, tired: bool = False) -> dict[str, Any]:
        """The answers of one real person of a commune."""
        source, given = self.source, dict[str, Any]()
        leaning = commune["mean"] + source.gauss(0, commune["apart"] * apart)
        unsure, silent = source.betavariate(0.6, 14), source.betavariate(0.4, 30)
        for path in self.closed:
            names = [name for name in self.items.bits[path] if not name.startswith("?")]
            given[path] = source.choices(names, self.popular[path])[0]
        for path, order in self.items.scale:
            size, chance = len(order), source.random()
            if chance < unsure:
                given[path] = {"missing": "dont_know"}
            elif chance < unsure + silent:
                given[path] = {"missing": "refused"}
            else:
                noise = source.gauss(0, commune["noise"] * apart)
                place = round((size - 1) / 2 + (leaning + self.easy[path]) * (size - 1) / 4 + noise)
                given[path] = list(order)[min(max(place, 0), size - 1)]
        if tired:
            self._one_answer(given, source.uniform(0.6, 0.95))
        return given

    def _one_answer(self, given: dict[str, Any], share: float) -> None:
        """Gives most batteries one answer throughout."""
        level = self.source.choices((0.5, 0.75, 1.0), (2, 6, 2))[0]
        for battery in self.items.batteries:
            if self.source.random() < share:
                names = list(self.items.scales[self.items.names[battery[0]].list_name])
                for path in battery:
                    given[path] = names[round(level * (len(names) - 1))]

    def made_up(self, way: str, commune: dict[str, float], earlier: list[dict[str, Any]]) -> dict[str, Any]:
        """The answers of an interview that nobody gave."""
        source = self.source
        if way == "copy":
            fresh = self.person(commune)
            return {p: fresh[p] if source.random() < 1 / 6 else told for p, told in source.choice(earlier).items()}
        given = self.person(commune)
        if way == "straight":
            self._one_answer(given, 0.9)
        elif way == "random":
            for path, order in self.items.scale:
                given[path] = source.choice(list(order))
        elif way == "likely":
            return self.person(commune, 0.5)
        return given


def times(source: random.Random, given: dict[str, Any], at: datetime, pace: float) -> dict[str, Any]:
    """The paradata of an interview: so many seconds a question, now and then somebody comes to the door."""
    events, passed = [], 0.0
    for path in given:
        spent = max(0.3, source.lognormvariate(0, 0.5) * pace)
        rest = source.uniform(60, 900) if source.random() < 0.001 else 0.0
        passed += spent + rest
        when = (at + timedelta(seconds=passed)).isoformat(timespec="seconds")
        events.append({"path": path, "time": when, "ms": int(passed * 1000), "seconds": round(spent, 2)})
    return {"started": at.isoformat(timespec="seconds"), "events": events}


def trial(items: Items, seed: int, dishonest: float = 0.15) -> Trial:
    """One round of :data:`COMMUNES` communes in which this share of enumerators fabricates half of its interviews, each
    in one of :data:`WAYS` (in turn, so that each way has about as many)."""
    world, made = World(items, seed), Trial(items)
    source = world.source
    communes = [world.commune() for _ in range(COMMUNES)]
    count = COMMUNES * PER_COMMUNE // 2
    turn = seed
    for number in range(count):
        who = f"p{number:03d}"
        way = HONEST
        if source.random() < dishonest:
            way, turn = WAYS[turn % len(WAYS)], turn + 1
        made.people[who] = way
        habit = source.lognormvariate(0, 0.12)
        at = MORNING + timedelta(minutes=source.randrange(60))
        for place in (number % COMMUNES, (number * 5 + 7) % COMMUNES):
            earlier: list[dict[str, Any]] = []
            for turn_here in range(INTERVIEWS):
                fabricated = way != HONEST and turn_here >= INTERVIEWS // 2
                commune = communes[place]
                tired = not fabricated and source.random() < 1 / 12
                given = world.made_up(way, commune, earlier) if fabricated else world.person(commune, tired=tired)
                earlier += [] if fabricated else [given]
                pace = habit * source.lognormvariate(0, 0.25) * 9
                if fabricated:
                    pace = source.uniform(0.6, 2.0) if way == "speed" else pace * 0.8
                told = times(source, given, at, pace)
                name = f"{who}-{place:02d}-{turn_here:02d}"
                about = {
                    **{"interview": name, "head": name, "unit": name, "round": "r", "questionnaire": "q", "mode": ""},
                    **{"enumerator": who, "device": who, "commune": f"{place:02d}"},
                }
                row, details = measure(items, given, told, {}, about)
                made.rows.append(row)
                made.details[name] = details
                copied = way == "copy" and not fabricated
                made.truth[name] = way if fabricated else TIRED if tired else ORIGINAL if copied else HONEST
                at += timedelta(seconds=(row.ended or 0) - (row.began or 0) + source.uniform(600, 2400))
                if at.hour >= 18 or turn_here % 6 == 5:
                    at = at.replace(hour=7, minute=30) + timedelta(days=1)
    return made


@dataclass
class Told:
    """What was flagged, over several trials: by check and truth, of how many."""

    flagged: Counter[tuple[str, str]] = field(default_factory=Counter)
    total: Counter[str] = field(default_factory=Counter)

    def share(self, check: str, truth: str) -> float:
        """The share of one truth that a check flags."""
        return self.flagged[check, truth] / self.total[truth] if self.total[truth] else 0.0


ANY = "any"


def judged(trials: Iterator[Trial], limits: dict[str, float] | None = None) -> tuple[Told, Told]:
    """What was flagged among interviews, and among enumerators."""
    interviews, enumerators = Told(), Told()
    for one in trials:
        interviews.total.update(one.truth.values())
        enumerators.total.update(one.people.values())
        seen: set[tuple[str, str, str]] = set()
        for sign in one.findings(limits):
            check = f"differs: {sign.question}" if sign.check == "differs" else sign.check
            seen |= {(sign.subject_type, sign.subject, name) for name in (check, ANY)}
        for subject_type, subject, check in seen:
            if subject_type == INTERVIEW:
                interviews.flagged[check, one.truth[subject]] += 1
            elif subject_type == ENUMERATOR:
                enumerators.flagged[check, one.people[subject]] += 1
    return interviews, enumerators


def instrument() -> Items:
    """The scales and closed questions of the SIPAS instrument for government in two tiers."""
    return Items(xlsform.load(ROOT / "questionnaires" / "sipas_2026"))


def table(told: Told, what: str) -> Iterator[str]:
    """Rows of a Markdown table: checks by truth."""
    truths = [name for name in (*WAYS, ORIGINAL, TIRED, HONEST) if told.total[name]]
    yield f"| {what} | {' | '.join(truths)} |"
    yield f"|---|{'---:|' * len(truths)}"
    names = sorted({check for check, _ in told.flagged} - {ANY}, key=lambda name: (name not in CHECKS, name))
    for check in [*names, ANY]:
        yield f"| {check} | {' | '.join(f'{told.share(check, truth) * 100:.1f}' for truth in truths)} |"
    yield f"| number | {' | '.join(str(told.total[truth]) for truth in truths)} |"


SWEEPS: dict[str, tuple[str, tuple[float, ...]]] = {
    "short": ("speed", (0.25, 0.3, 0.4, 0.5, 0.6)),
    "quick": ("speed", (0.05, 0.1, 0.2, 0.3, 0.4)),
    "straight": ("straight", (0.2, 0.3, 0.4, 0.5, 0.6)),
    "even": ("straight", (0.15, 0.2, 0.25, 0.3, 0.4)),
    "uneven": ("random", (1.4, 1.6, 1.8, 2.0, 2.5)),
    "run": ("straight", (2.0, 2.5, 3.0, 4.0, 5.0)),
    "neutral": ("straight", (0.2, 0.3, 0.4, 0.5)),
    "dont_know": ("likely", (0.1, 0.15, 0.2, 0.25, 0.3)),
    "refused": ("likely", (0.05, 0.1, 0.15, 0.2)),
    "match": ("copy", (0.4, 0.5, 0.6, 0.7, 0.8)),
    "differs": ("", (2.0, 2.5, 3.0, 3.5, 4.0)),
}


def sweep(trials: list[Trial]) -> Iterator[str]:
    """Each threshold over a range of values: who it is for, and honest people, as shares flagged by that check."""
    yield "| threshold | value | of | detected | false alarms |"
    yield "|---|---:|---|---:|---:|"
    for name, (way, values) in SWEEPS.items():
        for value in values:
            interviews, enumerators = judged(iter(trials), {**thresholds({}), name: value})
            if way:
                found, false = interviews.share(name, way), interviews.share(name, HONEST)
            else:
                found = fmean(enumerators.share(ANY, one) for one in WAYS if enumerators.total[one])
                false = enumerators.share(ANY, HONEST)
            mark = " (default)" if value == thresholds({})[name] else ""
            yield f"| {name} | {value:g}{mark} | {way or 'enumerators'} | {found * 100:.1f} % | {false * 100:.2f} % |"


def main() -> None:
    """Prints the tables."""
    options = argparse.ArgumentParser(description="Detection and false-alarm rates of the quality checks")
    options.add_argument("--trials", type=int, default=20)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--sweep", action="store_true")
    given = options.parse_args()
    items = instrument()
    if given.sweep:
        print("\n".join(sweep([trial(items, 1_000 + given.seed + n) for n in range(given.trials)])))
        return
    print(
        f"{given.trials} rounds from seed {given.seed}: {COMMUNES} communes, {COMMUNES * PER_COMMUNE // 2} enumerators,"
    )
    print(f"{COMMUNES * PER_COMMUNE * INTERVIEWS} interviews, {len(items.scale)} scale questions in", end=" ")
    print(f"{len(items.batteries)} batteries, {len(items.bits)} closed questions. Per cent flagged:\n")
    interviews, enumerators = judged(trial(items, given.seed + n) for n in range(given.trials))
    print("\n".join(table(interviews, "interviews")))
    print()
    print("\n".join(table(enumerators, "enumerators")))
    fabricators = [enumerators.share(ANY, way) for way in WAYS if enumerators.total[way]]
    print(f"\nEnumerators who fabricate half of their interviews: {fmean(fabricators) * 100:.0f} % noticed.")


if __name__ == "__main__":
    main()
