"""Do 95 % intervals hold the truth 95 % of the time? Populations are made up, drawn from and scored again and again.

``make soak`` draws 2,000 samples a design and asks for a coverage of 93.5 to 96.5 %; the suite draws fewer and allows
for its own simulation error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from analysis import Design, score
from analysis.index import index_of

TREE = index_of(
    [
        {"code": "T", "combine": "share"},
        {"code": "D1", "parent": "T", "share": "0.6"},
        {"code": "A", "parent": "D1", "question": "a", "score": "linear", "from": "1..5", "to": "1..10"},
        {"code": "B", "parent": "D1", "question": "b", "score": "1", "from": "0..1", "to": "1..10"},
        {"code": "D2", "parent": "T", "share": "0.4", "combine": "geometric"},
        {"code": "C", "parent": "D2", "question": "c", "score": "linear", "from": "0..10", "to": "1..10"},
        {"code": "E", "parent": "D2", "question": "e", "score": "linear", "from": "1..4", "to": "10..1"},
    ],
    "coverage",
)


class Population:
    """Villages of 20, 40 or 60 people in strata; people of one village resemble each other, some leave blanks."""

    def __init__(self, strata: int, villages: int):
        chance = np.random.default_rng(20260101)
        self.size = chance.integers(1, 4, strata * villages) * 20
        self.first = np.concatenate([[0], np.cumsum(self.size)[:-1]])
        village = np.repeat(np.arange(strata * villages), self.size)
        self.stratum, n = village // villages, len(village)
        level = chance.normal(0, 0.5, strata)[self.stratum] + chance.normal(0, 0.6, strata * villages)[village]

        def answers(low: float, high: float) -> np.ndarray:
            raw = (low + high) / 2 + (high - low) / 6 * (level + chance.normal(0, 1, n))
            return np.where(chance.random(n) < 0.1, np.nan, np.clip(np.rint(raw), low, high))

        self.answers = {"a": answers(1, 5), "b": answers(0, 1), "c": answers(0, 10), "e": answers(1, 4)}
        self.strata, self.villages = strata, villages
        whole = score({**self.answers}, TREE, Design(), deff=False).table
        self.truth = float(whole.set_index("code").loc["T", "estimate"])

    def draw(self, chance: np.random.Generator, villages: int, people: int, by_size: bool) -> dict[str, np.ndarray]:
        """``villages`` a stratum with replacement, evenly or by size, and ``people`` in each hit."""
        rows, hit, weight = [], [], []
        for h in range(self.strata):
            own = np.arange(h * self.villages, (h + 1) * self.villages)
            p = self.size[own] / self.size[own].sum() if by_size else np.full(len(own), 1 / len(own))
            for number, village in enumerate(chance.choice(own, villages, p=p)):
                rows.append(self.first[village] + chance.choice(self.size[village], people, replace=False))
                hit.append(np.full(people, h * villages + number))
                weight.append(np.full(people, self.size[village] / (people * villages * p[village - own[0]])))
        chosen = np.concatenate(rows)
        data = {name: column[chosen] for name, column in self.answers.items()}
        return data | {"w": np.concatenate(weight), "h": self.stratum[chosen], "v": np.concatenate(hit)}


@dataclass(frozen=True)
class Plan:
    """One way to draw."""

    strata: int
    villages: int
    people: int
    by_size: bool
    design: Design


PLANS = {
    "people on their own": Plan(1, 150, 1, False, Design("w", psu="v")),
    "villages": Plan(1, 40, 6, False, Design("w", psu="v")),
    "villages in strata": Plan(6, 8, 6, False, Design("w", "h", "v")),
    "villages by size in strata": Plan(6, 8, 6, True, Design("w", "h", "v")),
}


@pytest.mark.soak
@pytest.mark.parametrize("name", PLANS)
def test_intervals_of_the_total_index_hold_the_truth_as_often_as_they_say(
    name: str, trials: Callable[[int, int], int]
) -> None:
    plan = PLANS[name]
    population = Population(plan.strata, 60)
    chance = np.random.default_rng(7)
    times = trials(150, 2000)
    held = 0
    for _ in range(times):
        data = population.draw(chance, plan.villages, plan.people, plan.by_size)
        total = score(data, TREE, plan.design, deff=False).table.set_index("code").loc["T"]
        held += bool(total["low"] <= population.truth <= total["high"])
    print(f"{name}: {held} of {times} intervals hold the total, {held / times:.2%}")
    error = np.sqrt(0.95 * 0.05 / times)
    slack = 0.015 if times >= 2000 else 3.5 * error
    assert abs(held / times - 0.95) <= slack, f"{name}: {held} of {times}"
