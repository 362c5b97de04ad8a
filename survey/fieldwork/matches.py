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
from operator import mul

NEIGHBOURS = 300
"""With how many others at most an interview is compared, so that time grows with the interviews and not their square.
In a group larger than that these are the nearest in the order given: of the same enumerator, in the order of time."""

LEAST_SHARED = 20
"""Closed questions that both must have answered before their match says anything."""

LEAST_PAIRS = 30

_UNIT = 30
"""Matches are added up in units of 1/2**30, as whole numbers: a sum of them is the same in whatever order they come."""


@dataclass(frozen=True)
class Answered:
    """The closed answers of one interview: ``bits`` of (question, answer), ``closed`` of questions. ``head`` names this
    content, where the comparison is to be gone on with later."""

    interview: str
    enumerator: str
    bits: int
    closed: int
    head: str = ""

    @property
    def name(self) -> str:
        """What stands for this content in what is kept."""
        return self.head or self.interview


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
class Compared:
    """How far a comparison has come: for each content (by ``heads``) the place of the nearest other among them, the
    equal answers and the shared questions ((-1, 0, 0) where there is none); the pairs of different enumerators and of
    one, with the sums of their matches in units."""

    heads: tuple[str, ...] = ()
    nearest: tuple[tuple[int, int, int], ...] = ()
    across: tuple[int, int] = (0, 0)
    within: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Group:
    """The matches of one commune. ``expected`` is the mean over pairs of different enumerators where there are enough
    of them (``independent``), else over all pairs. With ``compared`` the comparison goes on when there are more."""

    expected: float | None
    pairs: int
    independent: bool
    nearest: dict[str, Nearest]
    compared: Compared


def matches(answered: Sequence[Answered], codes: Sequence[int] = (), before: Compared | None = None) -> Group:
    """Compares the interviews of one commune and questionnaire pair by pair.

    They come sorted by enumerator and time; ``codes`` are the bits of each place on a scale
    (:attr:`survey.fieldwork.measures.Items.codes`). Memory grows with the interviews, not with the pairs. With
    ``before``, what some of them gave, only pairs with one of the others are looked at; the result is the same.
    """
    compared = _compare(answered, before)
    pairs, total = compared.across
    independent = pairs >= LEAST_PAIRS
    if not independent:
        pairs, total = pairs + compared.within[0], total + compared.within[1]
    mean = total / (pairs << _UNIT) if pairs else None
    used = [[(one.bits & code).bit_count() for code in codes] for one in answered]
    return Group(
        mean,
        pairs,
        independent,
        {
            one.interview: Nearest(
                answered[near].interview, equal / shared, shared, _expected(mean, used[place], used[near], shared)
            )
            for place, (one, (near, equal, shared)) in enumerate(zip(answered, compared.nearest, strict=True))
            if near >= 0
        },
        compared,
    )


def _compare(answered: Sequence[Answered], before: Compared | None) -> Compared:
    places = {one.name: place for place, one in enumerate(answered)}
    # Where somebody is gone, or each is compared with some neighbours only, what was found before does not hold.
    if before is None or len(answered) > NEIGHBOURS + 1 or not places.keys() >= set(before.heads):
        before = Compared()
    best = [(0.0, -1, 0, 0)] * len(answered)
    old = [places[head] for head in before.heads]
    for place, (other, equal, shared) in zip(old, before.nearest, strict=True):
        if other >= 0:
            best[place] = (equal / shared, old[other], equal, shared)
    (across, total), (within, own_total) = before.across, before.within
    known = set(old)
    for i, one in enumerate(answered):
        if i in known:
            continue
        bits, closed, who = one.bits, one.closed, one.enumerator
        near = best[i]
        for j in (*range(max(0, i - NEIGHBOURS), i), *(place for place in old if place > i)):
            two = answered[j]
            shared = (closed & two.closed).bit_count()
            if shared < LEAST_SHARED:
                continue
            equal = (bits & two.bits).bit_count()
            match = equal / shared
            # Of several that are equally near the first is told.
            if match > near[0]:
                near = (match, j, equal, shared)
            if match > best[j][0] or (match == best[j][0] and i < best[j][1]):
                best[j] = (match, i, equal, shared)
            if who == two.enumerator:
                within, own_total = within + 1, own_total + (equal << _UNIT) // shared
            else:
                across, total = across + 1, total + (equal << _UNIT) // shared
        best[i] = near
    return Compared(tuple(places), tuple([found[1:] for found in best]), (across, total), (within, own_total))


def _expected(mean: float | None, mine: Sequence[int], theirs: Sequence[int], shared: int) -> float | None:
    """What two share as a pair of their commune, or by chance with their own ways of using the scales: how often each
    uses which place."""
    if mean is None:
        return None
    own, other = sum(mine), sum(theirs)
    if not own or not other:
        return mean
    chance = sum(map(mul, mine, theirs)) / (own * other)
    on_scales = min(1.0, min(own, other) / shared)
    return max(mean, on_scales * chance + (1 - on_scales) * mean)
