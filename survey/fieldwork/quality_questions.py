"""The checks of questions: often left open, one answer only, answers that depend on who asks.

Everything comes from counts of the closed answers, commune by commune and enumerator by enumerator. The counts are
taken from the packed answers of many interviews at once: a number is a row of bits, and adding rows with carries (a
half adder a bit) counts all positions together.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import sqrt
from operator import itemgetter, mul
from typing import NamedTuple

from survey.fieldwork.measures import Items
from survey.fieldwork.quality import QUESTION, Finding, percent
from survey.text import Text, many

LEAST_ANSWERS = 50
LEAST_ENUMERATORS = 5
"""Degrees of freedom between enumerators from which on their share of the variance is told."""

_UNIT = 1 << 24
_COUNT, _SUM = "I", "Q"

CERTAIN = 4.0
"""Normal deviates from which on it is: hundreds of questions are looked at, and chance alone must not be told."""


def bit_counts(rows: Iterable[int], width: int) -> list[int]:
    """How many of ``rows`` have each of the ``width`` lowest bits."""
    planes: list[int] = []
    for row in rows:
        carry = row
        for place in range(len(planes)):
            planes[place], carry = planes[place] ^ carry, planes[place] & carry
            if not carry:
                break
        if carry:
            planes.append(carry)
    return _from_lanes(_COUNT, sum(_spread(plane) << place for place, plane in enumerate(planes)), width)


def _spread(plane: int) -> int:
    """A number with a lane for each bit of ``plane``."""
    return int(f"{plane:b}".replace("1", "x").replace("0", f"{0:08x}").replace("x", f"{1:08x}"), 16)


def _lanes(lane: str, values: Sequence[int]) -> int:
    """Whole numbers from zero on as one; ``lane`` is what :mod:`struct` calls their size."""
    return int.from_bytes(struct.pack(f"<{len(values)}{lane}", *values), "little")


def _from_lanes(lane: str, number: int, count: int) -> list[int]:
    return list(struct.unpack(f"<{count}{lane}", number.to_bytes(struct.calcsize(f"<{lane}") * count, "little")))


class Counted(NamedTuple):
    """The closed answers of one commune, or of many: each is one large whole number that has a lane for every count, so
    that communes are added up by one addition.

    ``answers``: how often each bit is set. ``between``: for each scale question what lies between the enumerators of a
    commune and within: squares between, degrees of freedom, squares within, degrees of freedom, mean size, in units of
    1/2**24; all 0 where there are fewer than two.
    """

    answers: int
    between: int

    @classmethod
    def sum(cls, counted: Iterable[Counted]) -> Counted:
        """All of them together."""
        answers = between = 0
        for one in counted:
            answers, between = answers + one.answers, between + one.between
        return cls(answers, between)

    def parts(self, items: Items) -> dict[str, tuple[float, ...]]:
        """Path of each scale question to the five sums between and within enumerators."""
        found = _from_lanes(_SUM, self.between, 5 * len(items.scale))
        return {
            path: tuple([value / _UNIT for value in found[5 * turn : 5 * turn + 5]])
            for turn, (path, _) in enumerate(items.scale)
        }


def count(items: Items, by_enumerator: Mapping[str, Sequence[int]]) -> Counted:
    """Counts the packed answers of one commune, given by enumerator."""
    each = [bit_counts(rows, items.width) for rows in by_enumerator.values()]
    total = list(map(sum, zip(*each, strict=True)))
    between: list[int] = []
    if len(each) > 1:
        for path, order in items.scale:
            bits = itemgetter(*[items.bits[path][code].bit_length() - 1 for code in order])
            between += _parts(list(order.values()), [bits(counts) for counts in each])
    return Counted(_lanes(_COUNT, total), _lanes(_SUM, between))


def _parts(places: Sequence[int], each: Iterable[Sequence[int]]) -> list[int]:
    """One-way analysis of variance of a question within a commune, as :class:`Counted` keeps it; ``each`` has the
    counts of an enumerator by place."""
    groups = []
    for counts in each:
        if n := sum(counts):
            weighted = list(map(mul, places, counts))
            groups.append((n, sum(weighted), sum(map(mul, places, weighted))))
    n = sum([group[0] for group in groups])
    if len(groups) < 2 or n <= len(groups):
        return [0] * 5
    mean = sum([group[1] for group in groups]) / n
    own = sum([group[1] ** 2 / group[0] for group in groups])
    between = own - n * mean * mean
    within = sum([group[2] for group in groups]) - own
    size = n - sum([group[0] ** 2 for group in groups]) / n
    told = between, len(groups) - 1.0, within, float(n - len(groups)), size
    return [max(0, round(value * _UNIT)) for value in told]


def effect(parts: Sequence[float]) -> tuple[float, float, float, float] | None:
    """(share of the variance between enumerators, F, its two degrees of freedom) from the five sums over communes
    (:meth:`Counted.parts`), by the estimator of analysis of variance: ρ = (B − W) / (B + (m − 1) W). None where it
    cannot be said."""
    between, freedom, within, free, size = parts
    if not freedom or not free or not within:
        return None
    square, rest, m = between / freedom, within / free, size / freedom
    return (square - rest) / (square + (m - 1) * rest), square / rest, freedom, free


def deviates(ratio: float, freedom: float, free: float) -> float:
    """The normal deviate that is as unlikely as this F: Paulson (1942), from the cube roots of Wilson and Hilferty."""
    a, b, root = 2 / (9 * freedom), 2 / (9 * free), ratio ** (1 / 3)
    return ((1 - b) * root - (1 - a)) / sqrt(b * root * root + a)


def question_findings(items: Items, counted: Counted, limits: Mapping[str, float]) -> Iterator[Finding]:
    """The findings of one questionnaire from the counts of all its communes."""
    total = _from_lanes(_COUNT, counted.answers, items.width)
    for path, own in items.bits.items():
        counts = {name: total[mask.bit_length() - 1] for name, mask in own.items()}
        asked = sum(counts.values())
        if asked < LEAST_ANSWERS:
            continue
        missing = sum(n for name, n in counts.items() if name.startswith("?"))
        if (share := missing / asked) > limits["unanswered"]:
            told = percent(share)
            words = Text(
                f"{told.vi} trong {asked} người không trả lời được câu này",
                f"{told.en} of {many(asked, 'person', 'people')} gave no answer",
            )
            yield Finding(QUESTION, path, "unanswered", share, limits["unanswered"], words, question=path)
        answered = asked - missing
        most = max((n, name) for name, n in counts.items() if not name.startswith("?"))
        if (
            path not in items.gates
            and answered >= LEAST_ANSWERS
            and (share := most[0] / answered) > limits["one_answer"]
        ):
            told = percent(share)
            words = Text(f"{told.vi} trả lời “{most[1]}”", f"{told.en} answer “{most[1]}”")
            yield Finding(QUESTION, path, "one_answer", share, limits["one_answer"], words, question=path)
    for path, parts in counted.parts(items).items():
        found = effect(parts)
        if found is None or found[2] < LEAST_ENUMERATORS:
            continue
        share, ratio, freedom, free = found
        if share > limits["effect"] and deviates(ratio, freedom, free) > CERTAIN:
            told = percent(share)
            words = Text(
                f"{told.vi} khác biệt trong cùng xã là do người hỏi",
                f"{told.en} of the variance within communes lies between enumerators",
            )
            yield Finding(QUESTION, path, "effect", share, limits["effect"], words, question=path)
