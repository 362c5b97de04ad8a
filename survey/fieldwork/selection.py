"""The draws themselves: simple random, systematic, proportional to size, with and without replacement.

Only ``random.random()`` is used: of Python's generator it alone is promised to stay the same between versions.

Sources: Särndal, Swensson & Wretman, *Model Assisted Survey Sampling* (1992), chapters 2 and 3; Hansen & Hurwitz (1943)
for draws with replacement and their expected number of hits.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate

from survey.errors import InputError
from survey.text import Text, many


def stream(*names: object) -> random.Random:
    """The random stream of this name; equal names give equal streams on every machine and version of Python."""
    return random.Random("/".join(str(n) for n in names))


def permutation(count: int, source: random.Random) -> list[int]:
    """The numbers 0 … count − 1 in random order."""
    keys = [source.random() for _ in range(count)]
    return sorted(range(count), key=keys.__getitem__)


def systematic(count: int, take: int, source: random.Random) -> list[int]:
    """Every (count / take)-th number from a random start; each has probability take / count exactly."""
    interval = count / take
    start = source.random() * interval
    return [min(int(start + step * interval), count - 1) for step in range(take)]


def inclusion(sizes: Sequence[float], take: int, certain: Sequence[bool] = ()) -> list[float]:
    """Inclusion probabilities of a pps draw of ``take``: proportional to size, 1 for certain units and for those so
    large that they would exceed 1; these leave and the rest share what remains, until none exceeds."""
    fixed = list(certain) or [False] * len(sizes)
    while True:
        left = take - sum(fixed)
        total = sum(size for size, is_fixed in zip(sizes, fixed, strict=True) if not is_fixed)
        large = [
            not f and left > 0 and size * left >= total * (1 - 1e-12) for size, f in zip(sizes, fixed, strict=True)
        ]
        if not any(large):
            share = left / total if total else 0.0
            return [1.0 if f else size * share for size, f in zip(sizes, fixed, strict=True)]
        fixed = [f or g for f, g in zip(fixed, large, strict=True)]


def pps_systematic(probabilities: Sequence[float], source: random.Random) -> list[int]:
    """The units hit by a grid of step 1 with a random start, laid over the cumulated inclusion probabilities.

    Units of probability 1 are taken; the others have exactly their probability, none twice.
    """
    certain = [i for i, p in enumerate(probabilities) if p == 1.0]
    others = [i for i, p in enumerate(probabilities) if 0.0 < p < 1.0]
    ends = list(accumulate(probabilities[i] for i in others))
    take = round(ends[-1]) if ends else 0
    start = source.random()
    hits = (min(bisect_right(ends, start + step), len(others) - 1) for step in range(take))
    return sorted([*certain, *(others[hit] for hit in hits)])


def pps_with_replacement(sizes: Sequence[float], take: int, source: random.Random) -> list[int]:
    """``take`` independent draws with probability proportional to size; a unit may come several times."""
    ends = list(accumulate(sizes))
    return [min(bisect_right(ends, source.random() * ends[-1]), len(ends) - 1) for _ in range(take)]


def allocate(total: int, sizes: Mapping[str, float], at_least: int = 1) -> dict[str, int]:
    """``total`` shared among strata in proportion to size by largest remainders; a stratum whose share is less than
    ``at_least`` gets that many, and the others share the rest.

    Two PSUs a stratum are the least from which a variance can be estimated.
    """
    if total < at_least * len(sizes):
        raise InputError(
            "allocation",
            Text(
                f"{total} không đủ cho {len(sizes)} tầng, mỗi tầng ít nhất {at_least}",
                f"{total} is not enough for {many(len(sizes), 'stratum', 'strata')} with at least {at_least} each",
            ),
            Text("tăng cỡ mẫu hoặc gộp tầng", "enlarge the sample or merge strata"),
        )
    left = dict(sizes)
    while True:
        spare = total - at_least * (len(sizes) - len(left))
        whole = sum(left.values())
        exact = {name: spare * size / whole if whole else 0.0 for name, size in left.items()}
        small = [name for name, share in exact.items() if share < at_least]
        if not small:
            break
        left = {name: size for name, size in left.items() if name not in small}
    given = {name: int(exact.get(name, at_least)) for name in sizes}
    by_remainder = sorted(exact, key=lambda name: (int(exact[name]) - exact[name], name))
    for name in by_remainder[: total - sum(given.values())]:
        given[name] += 1
    return given
