"""How many to interview: n = N / (1 + N·e²), what the design costs, and what can be reached. Pure.

Sources: Yamane (1967), *Statistics: An Introductory Analysis*, p. 886 (p = 0.5, two standard errors for 95 %); Kish
(1965), *Survey Sampling*, 5.4 (deff = 1 + (b − 1)·ρ) and 2.2 (finite population).
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """``formula``: n = N/(1+N·e²), which takes a simple random sample. ``needed``: the same precision under the design
    effect. ``to_draw``: with the expected response. ``attainable``: interviews that can be had at most, of N and the
    response. ``margin``: half-width of the 95 % interval of a share of one half with min(needed, attainable)."""

    population: int
    error: float
    deff: float
    response: float
    formula: int
    needed: int
    to_draw: int
    attainable: int
    margin: float


def deff_of_clusters(per_cluster: float, icc: float) -> float:
    """Kish's design effect of a sample with ``per_cluster`` interviews in each cluster: 1 + (b − 1)·ρ."""
    return 1 + (per_cluster - 1) * icc


def sample_size(population: int, error: float, deff: float = 1.0, response: float = 1.0) -> Size:
    """The size of a sample that estimates a share of one half within ± ``error``.

    ValueError unless 0 < error < 1, deff > 0, 0 < response ≤ 1, population ≥ 1.
    """
    if population < 1 or not 0 < error < 1 or deff <= 0 or not 0 < response <= 1:
        raise ValueError("population ≥ 1, 0 < error < 1, deff > 0, 0 < response ≤ 1")
    formula = population / (1 + population * error**2)
    # The design multiplies the variance of a sample from an endless population; the finite one then takes its part.
    endless = deff / error**2
    needed = endless / (1 + endless / population)
    attainable = math.floor(population * response)
    n = min(math.ceil(needed), attainable)
    # Two standard errors, as the formula has it, so that its own n gives back its own e.
    spread = deff * 0.25 / n * max(0.0, 1 - n / population) if n else math.inf
    return Size(
        population,
        error,
        deff,
        response,
        math.ceil(formula - 1e-9),
        math.ceil(needed - 1e-9),
        min(math.ceil(needed / response - 1e-9), population),
        attainable,
        2 * math.sqrt(spread),
    )
