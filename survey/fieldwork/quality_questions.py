"""The checks of questions: often left open, one answer only, answers that depend on who asks.

Everything comes from counts of the closed answers, commune by commune and enumerator by enumerator. The counts are
taken from the packed answers of many interviews at once: a number is a row of bits, and adding rows with carries (a
half adder a bit) counts all positions together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from operator import add

from survey.fieldwork.measures import Items
from survey.fieldwork.quality import QUESTION, Finding, percent
from survey.text import Text, many

LEAST_ANSWERS = 50
LEAST_ENUMERATORS = 5
"""Degrees of freedom between enumerators from which on their share of the variance is told."""

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
    counts = [0] * width
    for place, plane in enumerate(planes):
        for position, bit in enumerate(reversed(f"{plane:b}")):
            if bit == "1":
                counts[position] += 1 << place
    return counts


@dataclass(frozen=True)
class Counted:
    """The closed answers of one commune: how often each bit is set, and for each scale question what lies between its
    enumerators and within: (squares between, degrees of freedom, squares within, degrees of freedom, mean size)."""

    counts: list[int]
    between: dict[str, tuple[float, float, float, float, float]]


def count(items: Items, by_enumerator: Mapping[str, Sequence[int]]) -> Counted:
    """Counts the packed answers of one commune, given by enumerator."""
    each = {who: bit_counts(rows, items.width) for who, rows in by_enumerator.items()}
    total = [0] * items.width
    for counts in each.values():
        total = list(map(add, total, counts))
    between = {}
    if len(each) > 1:
        for path, order in items.scale:
            places = [(place, items.bits[path][code].bit_length() - 1) for code, place in order.items()]
            found = _parts(places, each.values())
            if found:
                between[path] = found
    return Counted(total, between)


def _parts(
    places: Sequence[tuple[int, int]], each: Iterable[Sequence[int]]
) -> tuple[float, float, float, float, float] | None:
    """One-way analysis of variance of a question within a commune; None with fewer than two enumerators."""
    groups = []
    for counts in each:
        n = sum(counts[bit] for _, bit in places)
        if n:
            total = sum(place * counts[bit] for place, bit in places)
            squares = sum(place * place * counts[bit] for place, bit in places)
            groups.append((n, total, squares))
    n = sum(group[0] for group in groups)
    if len(groups) < 2 or n <= len(groups):
        return None
    mean = sum(group[1] for group in groups) / n
    own = sum(group[1] ** 2 / group[0] for group in groups)
    between = own - n * mean * mean
    within = sum(group[2] for group in groups) - own
    size = n - sum(group[0] ** 2 for group in groups) / n
    return between, len(groups) - 1.0, within, float(n - len(groups)), size


def effect(parts: Iterable[tuple[float, float, float, float, float]]) -> tuple[float, float, float, float] | None:
    """(share of the variance between enumerators, F, its two degrees of freedom) over communes, by the estimator of
    analysis of variance: ρ = (B − W) / (B + (m − 1) W). None where it cannot be said."""
    between = freedom = within = free = size = 0.0
    for b, df, w, dfw, m in parts:
        between, freedom, within, free, size = between + b, freedom + df, within + w, free + dfw, size + m
    if not freedom or not free or not within:
        return None
    square, rest, m = between / freedom, within / free, size / freedom
    return (square - rest) / (square + (m - 1) * rest), square / rest, freedom, free


def deviates(ratio: float, freedom: float, free: float) -> float:
    """The normal deviate that is as unlikely as this F: Paulson (1942), from the cube roots of Wilson and Hilferty."""
    a, b, root = 2 / (9 * freedom), 2 / (9 * free), ratio ** (1 / 3)
    return ((1 - b) * root - (1 - a)) / sqrt(b * root * root + a)


def question_findings(items: Items, counted: Sequence[Counted], limits: Mapping[str, float]) -> Iterator[Finding]:
    """The findings of one questionnaire from the counts of its communes."""
    total = [0] * items.width
    for one in counted:
        total = list(map(add, total, one.counts))
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
    for path, _ in items.scale:
        found = effect(one.between[path] for one in counted if path in one.between)
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
