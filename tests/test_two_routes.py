"""Two routes to one error: linearisation, and the Rao–Wu bootstrap, on every node of PAPI's tree."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from analysis import Design, load_index, score
from analysis.design import Replicates
from analysis.layout import lay
from analysis.replicates import make_factors
from analysis.table import Table

PAPI = load_index("papi_2023")
DESIGN = Design("w", "stratum", "village")


def people(strata: int = 12, villages: int = 6, size: int = 10) -> pd.DataFrame:
    """Answers to every question of PAPI: people of a village resemble each other; some do not know or leave blank."""
    chance = np.random.default_rng(2023)
    village = np.repeat(np.arange(strata * villages), size)
    n = len(village)
    level = chance.normal(0, 0.7, strata * villages)[village] + chance.normal(0, 0.3, strata)[village // villages]
    data: dict[str, object] = {
        "stratum": village // villages,
        "village": village,
        "province": village // (villages * strata // 3),
        "w": chance.uniform(1, 4, strata * villages)[village] * chance.uniform(0.8, 1.2, n),
    }
    for question in dict.fromkeys(leaf.question for leaf in PAPI.leaves):
        asking = [leaf for leaf in PAPI.leaves if leaf.question == question]
        mood = level + chance.normal(0, 1, n)
        if asking[0].score is not None and asking[0].score.kind == "linear":
            low, high = asking[0].from_ or (0.0, 1.0)
            steps = np.clip(np.rint((low + high) / 2 + (high - low) / 3 * mood), low, high)
            answers = np.array([f"{step:g}" for step in steps], dtype=object)
        else:
            choices = [leaf.score.values[0][0] for leaf in asking if leaf.score is not None]
            place = np.clip(np.floor((mood + 1) * (len(choices) + 1) / 2), 0, len(choices)).astype(int)
            answers = np.array([*choices, "something_else"], dtype=object)[place]
        lost = chance.random(n)
        answers[lost < 0.12] = None
        data[question] = answers
        data[f"{question}__missing"] = np.where(lost < 0.08, "dont_know", np.where(lost < 0.12, "refused", None))
    return pd.DataFrame(data)


def bootstrapped(data: pd.DataFrame, count: int) -> tuple[pd.DataFrame, Design]:
    """The data with ``count`` columns of Rao–Wu factors, and the design that uses them."""
    sample = lay(DESIGN, Table.of(data))
    factors, _, _ = make_factors(sample, Replicates("bootstrap"), count, seed=64)
    by_row = factors[sample.stages[0].unit[sample.unit]]
    columns = pd.DataFrame(by_row, columns=[f"rw_{k}" for k in range(count)])
    given = Replicates("given", "rw_*", mse=True, combined=False)
    return pd.concat([data, columns], axis=1), Design("w", "stratum", "village", replicates=given)


def test_linearisation_and_the_bootstrap_agree_on_every_node_of_papi(trials: Callable[[int, int], int]) -> None:
    """Nationally and in three provinces: within five Monte-Carlo errors of each variance, taken from the replicates
    themselves, and 3 % for curvature; on average over all nodes, which covary, within three Monte-Carlo errors."""
    data, count = people(), trials(250, 4000)
    linear = score(data, PAPI, DESIGN, "province", total=True, deff=False)
    more, design = bootstrapped(data, count)
    again = score(more, PAPI, design, "province", total=True, deff=False)
    assert len(linear.table) == len(PAPI.nodes) * 4
    assert again.table["estimate"].to_numpy() == pytest.approx(linear.table["estimate"].to_numpy(), rel=1e-12)
    variance = linear.table["se"].to_numpy() ** 2
    assert (variance > 0).all()
    squares = np.hstack([block.sums**2 for block in again.blocks])
    assert squares.shape == (count, len(variance))
    error = squares.std(axis=0) / np.sqrt(count)
    off = np.abs(squares.mean(axis=0) - variance) / (5 * error + 0.03 * variance)
    worst = linear.table.iloc[int(off.argmax())]
    assert off.max() < 1, f"{worst['domain']} {worst['code']}: {off.max():.2f}"
    assert np.sqrt(squares.mean(axis=0) / variance).mean() == pytest.approx(1, abs=3 / np.sqrt(2 * count))
