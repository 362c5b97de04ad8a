"""What one interview says about how it was made, as a row of numbers: the raw material of quality findings.

A measure looks at one interview alone, so it never changes while the content stays and is kept beside its id
(:mod:`survey.store.quality`). What is unusual follows from many such rows (:mod:`survey.fieldwork.quality`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from operator import mul, sub
from typing import Any, NamedTuple

from survey.questionnaire.model import Node, Questionnaire
from survey.text import fold

VERSION = 2
"""To be raised when a measure changes its meaning: rows of another version are measured again."""

PAUSE = 600
"""Seconds without a key after which an interview is taken to rest: a longer gap counts as this much."""

QUICK = 1.0
"""Seconds within which nobody has read a question out and heard an answer."""

LEAST_BATTERY = 4
"""Answers that a battery must have before sameness in it says anything."""

MISSING_BITS = ("dont_know", "refused", "other")
_NO_CHOICE = "?"
_get: Callable[..., Any] = dict.get
_PLACES = tuple(range(1_000))
_SQUARES = tuple(place * place for place in _PLACES)

_EVENT = re.compile(rb'\{"cleared":\d+,"ms":(\d+),"path":"[^"{}]*+","seconds":([\d.]++),"time":"')
_TIME = re.compile(rb'"time":"([^"\\]*)"\}')
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


class _Closed(NamedTuple):
    """A closed question; ``typed`` are the codes of its missing kinds."""

    path: str
    control: bool
    typed: Mapping[str, str]


class Items:
    """What there is to look at in one questionnaire: its scales, batteries, closed and numeric questions.

    A *scale* is a list of three or more ordered codes (1, 2, 3 …; codes of missing kinds apart) that three or more
    questions use; a *battery* is four or more questions of one group that follow each other with the same scale.
    ``bits`` give the answers of closed questions their places in packed answers, each question beginning a byte;
    ``codes`` are all bits of the first, second … place of scales. ``gates`` are questions on whose answers others
    depend.
    """

    def __init__(self, questionnaire: Questionnaire):
        self.questionnaire = questionnaire
        self.scales = _scales(questionnaire)
        self.bits: dict[str, dict[str, int]] = {}
        self.closed: list[_Closed] = []
        # Of each closed question: its path, its answers packed, none packed, and the codes of a scale as a letter each.
        self.paths: list[str] = []
        self.packed: list[dict[str, bytes]] = []
        self.blanks: list[bytes] = []
        self.letters: list[dict[str, str]] = []
        self._letters: dict[str, str] = {}
        self.open: dict[str, dict[str, str]] = {}
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
                self._closed(node, [choice.name for choice in choices if choice.name not in typed], typed)
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
            if node.control and node.path not in self.bits:
                self.open[node.path] = typed
        self.batteries = [battery for battery in self.batteries if len(battery) >= LEAST_BATTERY]
        self.scale = [
            (path, order)
            for path, node in self.names.items()
            if path in self.bits and (order := self.scales.get(node.list_name))
        ]
        self._sum_up()

    def _closed(self, node: Node, names: Sequence[str], typed: Mapping[str, str]) -> None:
        own = {name: 1 << bit for bit, name in enumerate([*names, *(f"?{kind}" for kind in MISSING_BITS)])}
        size = (len(own) + 7) // 8
        packed = {name: mask.to_bytes(size, "little") for name, mask in own.items()}
        for code, kind in typed.items():
            if node.control and kind != "not_applicable":
                packed[code] = packed[_unanswered(kind)]
        letters = {
            code: self._letters.setdefault(code, chr(256 + len(self._letters)))
            for code in self.scales.get(node.list_name, ())
        }
        self.closed.append(_Closed(node.path, bool(node.control), typed))
        self.paths.append(node.path)
        self.packed.append(packed)
        self.blanks.append(bytes(size))
        self.letters.append(letters)
        self.bits[node.path] = {name: mask << self.width for name, mask in own.items()}
        self.width += 8 * size

    def _sum_up(self) -> None:
        """The bits by what is counted of them."""
        self.missing = {
            kind: sum(own[f"?{kind}"] for one in self.closed if one.control and (own := self.bits[one.path]))
            for kind in MISSING_BITS
        }
        places: dict[int, int] = {}
        heights: dict[float, int] = {}
        for path, order in self.scale:
            for code, place in order.items():
                height, bit = place / (len(order) - 1), self.bits[path][code]
                places[place] = places.get(place, 0) | bit
                heights[height] = heights.get(height, 0) | bit
        self.codes = tuple(places.values())
        self.heights = sorted(heights.items())
        self.neutral = heights.get(0.5, 0)
        self.all_closed = (1 << len(self.closed)) - 1
        self.blocks = [self._block(battery) for battery in self.batteries]

    def _block(self, battery: Sequence[str]) -> tuple[int, int, list[int]]:
        """Where the packed answers of a battery begin and end, in bytes, and the bits of each place in them."""
        own = [self.bits[path] for path in battery]
        lowest = min(mask for bits in own for mask in bits.values()).bit_length() - 1
        highest = max(mask for bits in own for mask in bits.values()).bit_length()
        places: dict[int, int] = {}
        for code, place in self.scales[self.names[battery[0]].list_name].items():
            places[place] = sum(bits[code] for bits in own) >> lowest
        return lowest // 8, (highest + 7) // 8, [mask for _, mask in sorted(places.items())]

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
    values = list(map(answers.get, items.paths))
    try:
        found = list(map(_get, items.packed, values))
    except TypeError:
        # A missing kind is no text, and nothing that a table could have.
        values = [_plain(value) for value in values]
        found = list(map(_get, items.packed, values))
    answered = len(found) - found.count(None)
    asked = answered
    if answered + values.count(None) < len(found):
        # Something that is no choice, as an older program or another one may have written it.
        asked += sum(
            piece is None and value is not None and one.control and one.typed.get(value) != "not_applicable"
            for one, piece, value in zip(items.closed, found, values, strict=True)
        )
    packed = b"".join([piece or blank for piece, blank in zip(found, items.blanks, strict=True)])
    bits = int.from_bytes(packed, "little")
    dont_know, refused = ((bits & items.missing[kind]).bit_count() for kind in ("dont_know", "refused"))
    unsaid = set()
    for path in answers.keys() & items.open.keys():
        kind = _kind(answers[path], items.open[path])
        if kind:
            unsaid.add(path)
        asked += kind != "not_applicable"
        dont_know += kind == "dont_know"
        refused += kind == "refused"
    texts: dict[str, Any] = {name: str(about.get(name, "")) for name in COLUMNS[:9]}
    return (
        Measures(
            **texts,
            **_times(paradata, about.get("mode", "")),
            asked=asked,
            dont_know=dont_know,
            refused=refused,
            **_scale(items, values, packed, bits),
            kept=len(kept) if isinstance(kept := paradata.get("kept"), Mapping) else 0,
        ),
        Details(
            bits,
            items.all_closed if answered == len(found) else _positions(found),
            {
                path: n
                for path in items.numbers
                if path in answers and path not in unsaid and (n := _number(answers[path])) is not None
            },
            {path: text for path in items.others if isinstance(text := answers.get(path), str) and text.strip()},
            {path: known for path, value in contact.items() if (known := recognisable(value))},
        ),
    )


def _positions(found: Sequence[object]) -> int:
    """A bit for each place at which there is something."""
    return int("".join(["0" if one is None else "1" for one in reversed(found)]) or "0", 2)


def _kind(value: Any, typed: Mapping[str, str]) -> str:
    """The missing kind that an answer is; empty for one that says something."""
    if isinstance(value, Mapping):
        return str(value.get("missing", ""))
    return typed.get(value, "") if isinstance(value, str) else ""


def _unanswered(kind: str) -> str:
    return f"?{kind}" if kind in MISSING_BITS else "?other"


def _plain(value: Any) -> str | None:
    """An answer to a closed question as a key: of a missing kind the name of its bit, None for what was not asked."""
    if isinstance(value, str) or value is None:
        return value
    kind = _kind(value, {})
    return None if kind == "not_applicable" else _unanswered(kind) if kind else _NO_CHOICE


def _scale(items: Items, values: Sequence[Any], packed: bytes, bits: int) -> dict[str, Any]:
    letters = "".join(filter(None, map(_get, items.letters, values)))
    run = min(1, len(letters))
    for letter in set(letters):
        while letter * (run + 1) in letters:
            run += 1
    judged = []
    for start, end, places in items.blocks:
        block = int.from_bytes(packed[start:end], "little")
        counts = [(block & mask).bit_count() for mask in places]
        n = sum(counts)
        s = sum(map(mul, counts, _PLACES))
        squares = sum(map(mul, counts, _SQUARES))
        if n >= LEAST_BATTERY:
            judged.append((squares - s * s / n) / n)
    return {
        "scale": len(letters),
        "neutral": (bits & items.neutral).bit_count(),
        "run": run,
        "batteries": len(judged),
        # Sums of whole numbers below 2**53: a variance of nothing is nothing, not nearly nothing.
        "straight": sum(abs(variance) < 1e-9 for variance in judged),
        "spread": sum(judged) / len(judged) if judged else None,
        "level": sum(height * (bits & mask).bit_count() for height, mask in items.heights) / len(letters)
        if letters
        else None,
    }


def scanned(content: bytes) -> dict[str, Any]:
    """The part ``paradata`` of an interview, with its events as this program needs and writes them read by a scan: 250
    events take longer to build as JSON than everything else that is measured. Anything unusual is read as JSON, and
    what is no JSON object says nothing."""
    start = content.find(b'"events":[{') + len(b'"events":[')
    end = content.rfind(b"}]")
    if start >= len(b'"events":[') and end > start:
        found = _EVENT.findall(content, start, end + 1)
        first = _TIME.search(content, start, end + 1)
        last = _TIME.match(content, content.rfind(b'"time":"', start, end), end + 1)
        rest = _read(content[:start] + content[end + 1 :])
        if rest and first and last and len(found) == content.count(b"{", start, end):
            stamps, spent = zip(*found, strict=True)
            with suppress(ValueError):
                return {
                    **rest,
                    "events": Events(_numbers(stamps), _numbers(spent), first[1].decode(), last[1].decode()),
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
    # A clock that starts again with the machine goes back: that gap is not known, and counts as none.
    gaps = list(map(sub, stamps[1:], stamps))
    if gaps and (min(gaps) < 0 or max(gaps) > PAUSE * 1000):
        gaps = [min(gap, PAUSE * 1000) for gap in gaps if gap > 0]
    timed = [seconds for seconds in spent if seconds > 0]
    return {
        "began": began.timestamp() if began else None,
        "ended": ended.timestamp() if ended else None,
        "hour": began.hour + began.minute / 60 if began else None,
        "seconds": min(spent[0], PAUSE) + sum(gaps) / 1000,
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
