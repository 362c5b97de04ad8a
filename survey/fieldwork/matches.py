"""How many answers two interviews share, against what is usual in their commune.

The share of equal answers between two people depends on how much their commune is of one mind: a fixed 85 % would
accuse a content village and miss a copied one. Kuriakose & Robbins (2016) look at each interview's nearest neighbour;
here its distance is told from the mean of pairs of *different* enumerators in the same commune, or from what two people
share by chance who use the scales as these two do, where that is more: two who answer "4" throughout share everything,
and none copied the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

NEIGHBOURS = 300
"""With how many others at most an interview is compared, so that time grows with the interviews and not their square.
In a group larger than that these are the nearest in the order given: of the same enumerator, in the order of time."""

LEAST_SHARED = 20
"""Closed questions that both must have answered before their match says anything."""

LEAST_PAIRS = 30


@dataclass(frozen=True)
class Answered:
    """The closed answers of one interview: ``bits`` of (question, answer), ``closed`` of questions."""

    interview: str
    enumerator: str
    bits: int
    closed: int


@dataclass(frozen=True)
class Nearest:
    """The interview most like this one: the share of equal answers among the ``shared`` questions both answered, and
    what was to be ``expected`` of these two (None where nothing can be said)."""

    other: str
    match: float
    shared: int
    expected: float | None

    @property
    def beyond(self) -> float | None:
        """The match beyond what was expected, like Cohen's kappa: 0 as expected, 1 every answer the same."""
        if self.expected is None:
            return None
        return (self.match - self.expected) / (1 - self.expected) if self.expected < 1 else 0.0


@dataclass(frozen=True)
class Group:
    """The matches of one commune. ``expected`` is the mean over pairs of different enumerators where there are enough
    of them (``independent``), else over all pairs; ``sd`` their standard deviation."""

    expected: float | None
    sd: float
    pairs: int
    independent: bool
    nearest: dict[str, Nearest]


def matches(answered: Sequence[Answered], codes: Sequence[int] = ()) -> Group:
    """Compares the interviews of one commune and questionnaire pair by pair.

    They come sorted by enumerator and time; ``codes`` are the bits of each place on a scale
    (:attr:`survey.fieldwork.measures.Items.codes`). Memory grows with the interviews, not with the pairs.
    """
    count = len(answered)
    best = [(0.0, -1, 0)] * count
    sums = {True: (0, 0.0, 0.0), False: (0, 0.0, 0.0)}
    for i, one in enumerate(answered):
        bits, closed, who = one.bits, one.closed, one.enumerator
        near = best[i]
        across, total, squares = 0, 0.0, 0.0
        within, own_total, own_squares = 0, 0.0, 0.0
        for j in range(max(0, i - NEIGHBOURS), i):
            other = answered[j]
            shared = (closed & other.closed).bit_count()
            if shared < LEAST_SHARED:
                continue
            match = (bits & other.bits).bit_count() / shared
            if match > near[0]:
                near = (match, j, shared)
            if match > best[j][0]:
                best[j] = (match, i, shared)
            if who == other.enumerator:
                within, own_total, own_squares = within + 1, own_total + match, own_squares + match * match
            else:
                across, total, squares = across + 1, total + match, squares + match * match
        best[i] = near
        sums[True] = (sums[True][0] + across, sums[True][1] + total, sums[True][2] + squares)
        sums[False] = (sums[False][0] + within, sums[False][1] + own_total, sums[False][2] + own_squares)
    independent = sums[True][0] >= LEAST_PAIRS
    pairs, total, squares = sums[True] if independent else tuple(a + b for a, b in zip(*sums.values(), strict=True))
    mean = total / pairs if pairs else None
    return Group(
        mean,
        sqrt(max(0.0, squares / pairs - mean * mean)) if mean is not None else 0.0,
        int(pairs),
        independent,
        {
            one.interview: Nearest(
                answered[near].interview, match, shared, _expected(mean, one, answered[near], shared, codes)
            )
            for one, (match, near, shared) in zip(answered, best, strict=True)
            if near >= 0
        },
    )


def _expected(mean: float | None, one: Answered, other: Answered, shared: int, codes: Sequence[int]) -> float | None:
    """What these two share as a pair of their commune, or by chance with their own ways of using the scales."""
    if mean is None:
        return None
    mine, theirs = ([(bits & code).bit_count() for code in codes] for bits in (one.bits, other.bits))
    if not sum(mine) or not sum(theirs):
        return mean
    chance = sum(a * b for a, b in zip(mine, theirs, strict=True)) / (sum(mine) * sum(theirs))
    on_scales = min(1.0, min(sum(mine), sum(theirs)) / shared)
    return max(mean, on_scales * chance + (1 - on_scales) * mean)
