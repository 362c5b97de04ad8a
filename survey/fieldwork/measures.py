"""What one interview says about how it was made, as a row of numbers: the raw material of quality findings.

A measure looks at one interview alone, so it never changes while the content stays and is kept beside its id
(:mod:`survey.store.quality`). What is unusual follows from many such rows (:mod:`survey.fieldwork.quality`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from statistics import fmean, pvariance
from typing import Any

from survey.questionnaire.model import Choice, Node, Questionnaire
from survey.text import fold

VERSION = 1
"""To be raised when a measure changes its meaning: rows of another version are measured again."""

PAUSE = 600
"""Seconds without a key after which an interview is taken to rest: a longer gap counts as this much."""

QUICK = 1.0
"""Seconds within which nobody has read a question out and heard an answer."""

LEAST_BATTERY = 4
"""Answers that a battery must have before sameness in it says anything."""

MISSING_BITS = ("dont_know", "refused", "other")

_OTHER = re.compile(r"""selected\s*\(\s*(/[\w./-]+)\s*,\s*['"]([^'"]+)['"]\s*\)|(/[\w./-]+)\s*=\s*['"]([^'"]+)['"]""")


@dataclass(frozen=True)
class Measures:
    """One interview in numbers; None where it cannot be said (a paper form has no duration).

    ``began`` and ``ended``: seconds since 1970 by the device's clock, ``hour`` the local hour of the day at the start.
    ``seconds``: time at work by the monotonic clock, pauses cut off. ``asked``: questions answered or left with a
    missing kind; ``scale`` the answers on ordered scales, ``neutral`` those in the middle of one, ``run`` the longest
    run of one code on scales, ``batteries`` those with enough answers, ``straight`` those with one answer throughout,
    ``spread`` the mean variance within batteries and ``level`` the mean answer (0 lowest to 1 highest of a scale).
    ``quick``: answers of ``timed`` given within a second. ``kept``: unusual answers kept with a reason.
    """

    interview: str
    head: str
    unit: str
    round: str
    questionnaire: str
    enumerator: str
    device: str
    mode: str
    commune: str
    began: float | None
    ended: float | None
    hour: float | None
    seconds: float | None
    asked: int
    dont_know: int
    refused: int
    scale: int
    neutral: int
    run: int
    batteries: int
    straight: int
    spread: float | None
    level: float | None
    timed: int
    quick: int
    kept: int


COLUMNS = tuple(field.name for field in fields(Measures))


@dataclass(frozen=True)
class Details:
    """What only some checks need of an interview.

    ``bits``: its closed answers as one number, a bit for each (question, answer) in the order of :attr:`Items.bits`;
    ``closed``: which closed questions it answers, a bit each in the same order.
    ``numbers``: path to value of integer and decimal questions. ``others``: path to text of "other, specify".
    ``contact``: what the respondent can be known by, path to :func:`recognisable`.
    """

    bits: int
    closed: int
    numbers: Mapping[str, float]
    others: Mapping[str, str]
    contact: Mapping[str, str]


class Items:
    """What there is to look at in one questionnaire: its scales, batteries, closed and numeric questions.

    A *scale* is a list of three or more ordered codes (1, 2, 3 …; codes of missing kinds apart) that three or more
    questions use; a *battery* is four or more questions of one group that follow each other with the same scale.
    """

    def __init__(self, questionnaire: Questionnaire):
        self.questionnaire = questionnaire
        self.scales = _scales(questionnaire)
        self.bits: dict[str, dict[str, int]] = {}
        self.turn: dict[str, int] = {}
        self.typed: dict[str, dict[str, str]] = {}
        self.numbers: list[str] = []
        self.others: dict[str, tuple[str, str]] = {}
        self.names: dict[str, Node] = {}
        self.scale: list[tuple[str, Mapping[str, int], int]] = []
        self.batteries: list[list[str]] = []
        self.width = 0
        repeats = [node.path + "/" for node in questionnaire.walk() if node.kind == "repeat"]
        battery: list[str] = []
        last: tuple[str, str] | None = None
        for node in questionnaire.walk():
            if node.kind != "question" or any(node.path.startswith(repeat) for repeat in repeats):
                continue
            self.names[node.path] = node
            choices = questionnaire.lists.get(node.list_name, ())
            typed = {choice.name: choice.missing_kind for choice in choices if choice.missing_kind}
            self.typed[node.path] = {**typed, **node.missing_codes}
            if node.type == "select_one" and choices and not node.contact:
                self._closed(node, choices)
            elif node.type in ("integer", "decimal") and node.control and not node.contact:
                self.numbers.append(node.path)
            elif node.type == "text" and node.control and not node.contact:
                self._other(node, questionnaire)
            if node.type == "select_one" and node.list_name in self.scales:
                here = node.path.rpartition("/")[0], node.list_name
                if here != last:
                    battery, last = [], here
                    self.batteries.append(battery)
                battery.append(node.path)
                self.scale.append((node.path, self.scales[node.list_name], len(self.scales[node.list_name])))
            elif node.control:
                last = None
        self.batteries = [battery for battery in self.batteries if len(battery) >= LEAST_BATTERY]

    def _closed(self, node: Node, choices: Sequence[Choice]) -> None:
        own = {}
        names = [choice.name for choice in choices if choice.name not in self.typed[node.path]]
        for name in [*names, *(f"?{kind}" for kind in MISSING_BITS)]:
            own[name] = 1 << self.width
            self.width += 1
        self.turn[node.path] = 1 << len(self.bits)
        self.bits[node.path] = own

    def _other(self, node: Node, questionnaire: Questionnaire) -> None:
        """Text asked because one certain choice was taken: "other, specify"."""
        found = _OTHER.fullmatch(node.relevant.strip())
        if found:
            asked, choice = (found[1] or found[3]), (found[2] or found[4])
            path = asked.removeprefix(f"/{questionnaire.root}/")
            if path in questionnaire.by_path and questionnaire.by_path[path].type.startswith("select"):
                self.others[node.path] = (path, choice)

    def kind(self, path: str, value: Any) -> str:
        """The missing kind of an answer, also of a code that stands for one; "" for a substantive answer."""
        if isinstance(value, Mapping):
            return str(value.get("missing", ""))
        return self.typed.get(path, {}).get(value, "") if isinstance(value, str) else ""


def _scales(questionnaire: Questionnaire) -> dict[str, dict[str, int]]:
    used = Counter(node.list_name for node in questionnaire.walk() if node.type == "select_one")
    found = {}
    for name, count in used.items():
        codes = [choice.name for choice in questionnaire.lists.get(name, ()) if not choice.missing_kind]
        numbers = [int(code) if code.isdigit() else None for code in codes]
        first = numbers[0] if numbers else None
        if count >= 3 and len(codes) >= 3 and first is not None and numbers == list(range(first, first + len(codes))):
            found[name] = {code: place for place, code in enumerate(codes)}
    return found


def measure(
    items: Items,
    answers: Mapping[str, Any],
    paradata: Mapping[str, Any],
    contact: Mapping[str, Any],
    about: Mapping[str, str],
) -> tuple[Measures, Details]:
    """The measures of one interview. ``about`` has the text fields of :class:`Measures`; ``paradata`` is that of the
    interview itself, not of a later correction. Anything malformed in it is left out, never an error."""
    asked = dont_know = refused = bits = answered = 0
    kinds: dict[str, str] = {}
    for path, value in answers.items():
        if path not in items.names:
            continue
        node = items.names[path]
        kind = items.kind(path, value)
        if kind:
            kinds[path] = kind
        if not node.control or kind == "not_applicable":
            continue
        asked += 1
        dont_know += kind == "dont_know"
        refused += kind == "refused"
        closed = items.bits.get(path)
        if closed is not None:
            name = (f"?{kind}" if f"?{kind}" in closed else "?other") if kind else value
            if isinstance(name, str) and name in closed:
                bits |= closed[name]
                answered |= items.turn[path]
    texts: dict[str, Any] = {name: str(about.get(name, "")) for name in COLUMNS[:9]}
    return (
        Measures(
            **texts,
            **_times(paradata, about.get("mode", "")),
            asked=asked,
            dont_know=dont_know,
            refused=refused,
            **_scale(items, answers),
            kept=len(kept) if isinstance(kept := paradata.get("kept"), Mapping) else 0,
        ),
        Details(
            bits,
            answered,
            {p: n for p in items.numbers if p in answers and p not in kinds and (n := _number(answers[p])) is not None},
            {p: text for p in items.others if isinstance(text := answers.get(p), str) and text.strip()},
            {path: known for path, value in contact.items() if (known := recognisable(value))},
        ),
    )


def _scale(items: Items, answers: Mapping[str, Any]) -> dict[str, Any]:
    places: dict[str, int] = {}
    neutral = run = longest = 0
    before, total = "", 0.0
    for path, order, size in items.scale:
        value = answers.get(path)
        place = order.get(value) if isinstance(value, str) else None
        if place is None:
            continue
        places[path] = place
        total += place / (size - 1)
        neutral += 2 * place == size - 1
        run = run + 1 if value == before else 1
        before, longest = str(value), max(longest, run)
    judged, straight, variances = 0, 0, []
    for battery in items.batteries:
        given = [places[path] for path in battery if path in places]
        if len(given) >= LEAST_BATTERY:
            judged += 1
            same = given.count(given[0]) == len(given)
            straight += same
            variances.append(0.0 if same else pvariance(given))
    return {
        "scale": len(places),
        "neutral": neutral,
        "run": longest,
        "batteries": judged,
        "straight": straight,
        "spread": fmean(variances) if variances else None,
        "level": total / len(places) if places else None,
    }


def _times(paradata: Mapping[str, Any], mode: str) -> dict[str, Any]:
    unknown = {"began": None, "ended": None, "hour": None, "seconds": None, "timed": 0, "quick": 0}
    events = paradata.get("events")
    events = [e for e in events if isinstance(e, dict)] if isinstance(events, list) else []
    if mode or not events:
        return unknown
    began, ended = _moment(paradata.get("started")) or _moment(events[0].get("time")), _moment(events[-1].get("time"))
    total, last, timed, quick = 0.0, None, 0, 0
    for event in events:
        ms, spent = event.get("ms"), event.get("seconds")
        if isinstance(spent, (int, float)) and spent > 0:
            timed += 1
            quick += spent < QUICK
            if last is None:
                total += min(spent, PAUSE)
        if isinstance(ms, (int, float)):
            # A clock that starts again with the machine goes back: that gap is not known.
            if last is not None and ms >= last:
                total += min((ms - last) / 1000, PAUSE)
            last = ms
    return {
        "began": began.timestamp() if began else None,
        "ended": ended.timestamp() if ended else None,
        "hour": began.hour + began.minute / 60 if began else None,
        "seconds": total if last is not None else None,
        "timed": timed,
        "quick": quick,
    }


def _moment(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else None


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def recognisable(value: Any) -> str:
    """What a name, telephone or address is compared by: ``text:`` and its words without case and diacritics, or
    ``tel:`` and the last nine digits, so that +84 and 0 are one. "" for what says nothing."""
    if not isinstance(value, str):
        return ""
    digits = re.sub(r"[\s.()+-]", "", value)
    if digits.isdigit() and len(digits) >= 9:
        return f"tel:{digits[-9:]}" if len(set(digits[-9:])) > 1 else ""
    words = " ".join(fold(value).split())
    return f"text:{words}" if words else ""


def decoded(items: Items, bits: int) -> Iterator[tuple[str, str]]:
    """(path, choice) of the closed answers in ``bits``; a missing kind has ``?`` before it."""
    for path, own in items.bits.items():
        for name, mask in own.items():
            if bits & mask:
                yield path, name
