"""What one interview says about how it was made, as a row of numbers: the raw material of quality findings.

A measure looks at one interview alone, so it never changes while the content stays and is kept beside its id
(:mod:`survey.store.quality`). What is unusual follows from many such rows (:mod:`survey.fieldwork.quality`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

from survey.questionnaire.model import Node, Questionnaire
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
_UNANSWERED = {kind: f"?{kind}" for kind in MISSING_BITS}

_EVENT = re.compile(rb'\{"cleared":\d+,"ms":(\d+),"path":"[^"{}]*","seconds":([\d.]+),"time":"([^"]*)"\}')
_PATH = re.compile(r"/[\w./-]+")
_OTHER = re.compile(r"""selected\s*\(\s*(/[\w./-]+)\s*,\s*['"]([^'"]+)['"]\s*\)|(/[\w./-]+)\s*=\s*['"]([^'"]+)['"]""")


class Measures(NamedTuple):
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


COLUMNS = Measures._fields


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
    ``bits`` and ``turn`` give closed questions their places in packed answers, ``codes`` all bits of the first, second
    … place of scales. ``gates`` are questions on whose answers others depend.
    """

    def __init__(self, questionnaire: Questionnaire):
        self.questionnaire = questionnaire
        self.scales = _scales(questionnaire)
        self.bits: dict[str, dict[str, int]] = {}
        self.turn: dict[str, int] = {}
        self.looks: dict[str, tuple[dict[str, str], bool, dict[str, int]]] = {}
        self.numbers: list[str] = []
        self.others: dict[str, tuple[str, str]] = {}
        self.names: dict[str, Node] = {}
        self.gates = frozenset(
            path.removeprefix(f"/{questionnaire.root}/")
            for node in questionnaire.walk()
            for path in _PATH.findall(node.relevant)
        )
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
            typed |= node.missing_codes
            if node.type == "select_one" and choices and not node.contact:
                self._closed(node, [choice.name for choice in choices if choice.name not in typed])
            elif node.type in ("integer", "decimal") and node.control and not node.contact:
                self.numbers.append(node.path)
            elif node.type == "text" and node.control and not node.contact:
                self._other(node, questionnaire)
            if node.path in self.bits and node.list_name in self.scales:
                here = node.path.rpartition("/")[0], node.list_name
                if here != last:
                    battery, last = [], here
                    self.batteries.append(battery)
                battery.append(node.path)
            elif node.control:
                last = None
            self.looks[node.path] = (typed, bool(node.control), {})
        for path, own in self.bits.items():
            # The bit of the answer, and above all of those the bit of the question.
            masks = {name: mask | self.turn[path] << self.width for name, mask in own.items()}
            self.looks[path] = (*self.looks[path][:2], masks)
        self.batteries = [battery for battery in self.batteries if len(battery) >= LEAST_BATTERY]
        turns = {path: turn for turn, battery in enumerate(self.batteries) for path in battery}
        self.scale = [
            (path, order, len(order), turns.get(path, -1))
            for path, node in self.names.items()
            if path in self.bits and (order := self.scales.get(node.list_name))
        ]
        places: dict[int, int] = {}
        for path, order, _, _ in self.scale:
            for code, place in order.items():
                places[place] = places.get(place, 0) | self.bits[path].get(code, 0)
        self.codes = tuple(places.values())

    def _closed(self, node: Node, names: Sequence[str]) -> None:
        own = {}
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


def _scales(questionnaire: Questionnaire) -> dict[str, dict[str, int]]:
    """The lists that are scales, with the place of each code."""
    asking: dict[str, list[Node]] = {}
    for node in questionnaire.walk():
        if node.type == "select_one":
            asking.setdefault(node.list_name, []).append(node)
    found = {}
    for name, nodes in asking.items():
        typed = {code for node in nodes for code in node.missing_codes}
        choices = questionnaire.lists.get(name, ())
        codes = [choice.name for choice in choices if not choice.missing_kind and choice.name not in typed]
        numbers = [int(code) if code.isdigit() else None for code in codes]
        if len(nodes) < 3 or len(codes) < 3 or (first := numbers[0]) is None:
            continue
        if numbers == list(range(first, first + len(codes))):
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
    asked = dont_know = refused = both = 0
    kinds: dict[str, str] = {}
    looks = items.looks
    for path, value in answers.items():
        look = looks.get(path)
        if look is None:
            continue
        typed, control, masks = look
        if value.__class__ is str and (mask := masks.get(value)) is not None:
            # Nearly every answer: one choice of a closed question.
            asked += 1
            both |= mask
            continue
        kind = ""
        if value.__class__ is dict:
            kind = str(value.get("missing", ""))
        elif typed and value.__class__ is str:
            kind = typed.get(value, "")
        if kind:
            kinds[path] = kind
        if not control or kind == "not_applicable":
            continue
        asked += 1
        dont_know += kind == "dont_know"
        refused += kind == "refused"
        if kind and masks:
            both |= masks[_UNANSWERED.get(kind, "?other")]
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
            both & ((1 << items.width) - 1),
            both >> items.width,
            {
                path: n
                for path in items.numbers
                if path in answers and path not in kinds and (n := _number(answers[path])) is not None
            },
            {path: text for path in items.others if isinstance(text := answers.get(path), str) and text.strip()},
            {path: known for path, value in contact.items() if (known := recognisable(value))},
        ),
    )


def _scale(items: Items, answers: Mapping[str, Any]) -> dict[str, Any]:
    given = neutral = run = longest = 0
    before: Any = None
    total = 0.0
    sums = [[0, 0, 0] for _ in items.batteries]
    for path, order, size, battery in items.scale:
        value = answers.get(path)
        if value.__class__ is not str or (place := order.get(value)) is None:
            continue
        given += 1
        total += place / (size - 1)
        if 2 * place == size - 1:
            neutral += 1
        if value == before:
            run += 1
        else:
            run, before = 1, value
        if run > longest:
            longest = run
        if battery >= 0:
            one = sums[battery]
            one[0] += 1
            one[1] += place
            one[2] += place * place
    judged = [(n, (squares - s * s / n) / n) for n, s, squares in sums if n >= LEAST_BATTERY]
    return {
        "scale": given,
        "neutral": neutral,
        "run": longest,
        "batteries": len(judged),
        # Sums of whole numbers below 2**53: a variance of nothing is nothing, not nearly nothing.
        "straight": sum(abs(variance) < 1e-9 for _, variance in judged),
        "spread": sum(variance for _, variance in judged) / len(judged) if judged else None,
        "level": total / given if given else None,
    }


def scanned(content: bytes) -> dict[str, Any]:
    """The part ``paradata`` of an interview, with its events as this program needs and writes them read by a scan: 250
    events take longer to build as JSON than everything else that is measured. Anything unusual is read as JSON, and
    what is no JSON object says nothing."""
    start = content.find(b'"events":[{') + len(b'"events":[')
    end = content.find(b"}]", start)
    if start >= len(b'"events":[') and end > 0:
        found = _EVENT.findall(content, start, end + 1)
        rest = _read(content[:start] + content[end + 1 :])
        if rest and len(found) == content.count(b"{", start, end):
            stamps, spent, times = zip(*found, strict=True)
            with suppress(ValueError):
                return {
                    **rest,
                    "events": Events(_numbers(stamps), _numbers(spent), times[0].decode(), times[-1].decode()),
                }
    return _read(content)


def _numbers(digits: Iterable[bytes]) -> list[float]:
    """Numbers written as JSON; read in one piece, which is a fraction of one by one."""
    found: list[float] = json.loads(b"[%b]" % b",".join(digits))
    return found


def _read(content: bytes) -> dict[str, Any]:
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


class Events(NamedTuple):
    """The times of an interview's answers: the monotonic clock in milliseconds, seconds on the question, and the wall
    clock at the first and last."""

    stamps: list[float]
    spent: list[float]
    first: Any
    last: Any


def _events(told: Any) -> Events | None:
    """Events as paradata tell them; None where there are none or another program wrote what is not understood."""
    if isinstance(told, Events):
        return told
    if not isinstance(told, list) or not told:
        return None
    try:
        return Events(
            [float(event["ms"]) for event in told],
            [float(event["seconds"]) for event in told],
            told[0].get("time"),
            told[-1].get("time"),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _times(paradata: Mapping[str, Any], mode: str) -> dict[str, Any]:
    events = None if mode else _events(paradata.get("events"))
    if events is None:
        return {"began": None, "ended": None, "hour": None, "seconds": None, "timed": 0, "quick": 0}
    stamps, spent, first, last = events
    began, ended = _moment(paradata.get("started")) or _moment(first), _moment(last)
    most, total = PAUSE * 1000.0, 0.0
    for before, after in pairwise(stamps):
        # A clock that starts again with the machine goes back: that gap is not known, and counts as none.
        if after > before:
            total += after - before if after - before < most else most
    timed = [seconds for seconds in spent if seconds > 0]
    return {
        "began": began.timestamp() if began else None,
        "ended": ended.timestamp() if ended else None,
        "hour": began.hour + began.minute / 60 if began else None,
        "seconds": min(spent[0], PAUSE) + total / 1000,
        "timed": len(timed),
        "quick": len([1 for seconds in timed if seconds < QUICK]),
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
