"""How many answers two interviews share, against what is usual in their commune.

The share of equal answers between two people depends on how much their commune is of one mind: a fixed 85 % would
accuse a content village and miss a copied one. Kuriakose & Robbins (2016) look at each interview's nearest neighbour;
here its distance is told from the mean of pairs of *different* enumerators in the same commune.
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
    the mean share with the other interviews of the same enumerator (None with fewer than one)."""

    other: str
    match: float
    shared: int
    own: float | None


@dataclass(frozen=True)
class Group:
    """The matches of one commune. ``expected`` is the mean over pairs of different enumerators where there are enough
    of them (``independent``), else over all pairs; ``sd`` their standard deviation."""

    expected: float | None
    sd: float
    pairs: int
    independent: bool
    nearest: dict[str, Nearest]


def matches(answered: Sequence[Answered]) -> Group:
    """Compares the interviews of one commune and questionnaire pair by pair.

    Sorted by enumerator and time, please. Memory grows with the interviews, not with the pairs.
    """
    count = len(answered)
    best = [(0.0, -1, 0)] * count
    own_sum, own_count = [0.0] * count, [0] * count
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
                own_sum[j] += match
                own_count[j] += 1
            else:
                across, total, squares = across + 1, total + match, squares + match * match
        best[i] = near
        own_sum[i] += own_total
        own_count[i] += within
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
                answered[near].interview, match, shared, own_sum[i] / own_count[i] if own_count[i] else None
            )
            for i, (one, (match, near, shared)) in enumerate(zip(answered, best, strict=True))
            if near >= 0
        },
    )


def beyond(match: float, expected: float) -> float:
    """A match beyond what is expected, like Cohen's kappa: 0 as usual, 1 every answer the same."""
    return (match - expected) / (1 - expected) if expected < 1 else 0.0
