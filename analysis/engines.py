"""Where the pass over the respondents runs: in threads of this machine, or in a cluster of Spark.

Which designs it suits: those whose sampled units are columns of the data. A calibrated or replicated design, and rows
that are units themselves, need every row at hand and go the longer way (:class:`analysis.totals.Rows`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from analysis.cells import Cells, CellSums, Declared, Pass, gather, key_tuples, merge, spread_of
from analysis.design import Design
from analysis.layout import lay
from analysis.table import Table
from analysis.totals import Slopes, Spread
from survey.errors import Problems

Made = TypeVar("Made")
ENGINES = ("local", "spark")


def suits(design: Design, table: Table) -> bool:
    """Whether sums by cell are all that the variance under ``design`` needs, and its columns are there."""
    known = {"weight", "strata", "psu", "fpc", "nest", "lonely_psu", "collapse", "lonely_domain", "df", "level"}
    known |= {"sensitivity", "publication"}  # these are seen to after the scores
    plain = all(getattr(design, name) == getattr(Design(), name) for name in set(vars(Design())) - known)
    weighted = bool(design.weight) or not design.fpc  # else the weights follow from the population counts
    named = (design.weight, *design.strata, *design.psu, *design.fpc, design.collapse)
    there = all(name in table for name in named if name)
    return plain and weighted and there and len(design.psu) >= max(1, len(design.fpc))


def keys_of(design: Design, table: Table, by: Iterable[str]) -> tuple[str, ...]:
    """The columns that tell the cells of a score apart."""
    named = [*design.strata, *design.psu, *design.fpc, design.collapse, *by]
    return tuple(dict.fromkeys(name for name in [*named, "round"] if name in table))


def local(declared: Declared, design: Design, table: Table) -> CellSums | None:
    """The declared sums of ``table``, added up by the threads of this machine; ``None`` where the design is unsound."""
    one = Pass(declared, table)

    def add_up(part: Callable[[], Iterable[Table]]) -> list[Cells]:
        sums = [one.add_up(chunk) for chunk in part()]
        return [merge(sums, declared.keys)] if sums else []

    parts = _in_threads(add_up, table.parts(declared.columns(table)))
    cells = gather((part for found in parts for part in found), declared.keys)

    def again(domain: np.ndarray, slopes: Slopes, counts: np.ndarray) -> Spread:
        places = dict(zip(key_tuples(cells.keys), domain.tolist(), strict=True))

        def squares(part: Callable[[], Iterable[Table]]) -> Spread:
            return _added((spread_of(one, chunk, places, slopes, counts) for chunk in part()), slopes)

        found = _added(_in_threads(squares, table.parts(declared.columns(table))), slopes)
        return Spread(found.n, found.weight, found.squares * found.weight**2)

    return _laid(cells, declared, design, table.source, again)


def _laid(
    cells: Cells,
    declared: Declared,
    design: Design,
    source: str,
    again: Callable[[np.ndarray, Slopes, np.ndarray], Spread],
) -> CellSums | None:
    if not cells.sound:
        return None
    keys = Table(cells.keys, source)
    if declared.weight:
        keys = keys.with_columns({declared.weight: cells.sums[0]})
    try:
        sample = lay(design, keys)
    except Problems:
        return None
    return CellSums(sample, cells, len(declared.leaves), again)


def _in_threads(
    work: Callable[[Callable[[], Iterable[Table]]], Made], parts: list[Callable[[], Iterable[Table]]]
) -> Iterable[Made]:
    """What ``work`` makes of each part, in the order of the parts whatever the number of threads."""
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        yield from pool.map(work, parts)


def _added(spreads: Iterable[Spread], slopes: Slopes) -> Spread:
    shape = slopes.numerator.shape[:2]
    n, weight, squares = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for one in spreads:
        n += one.n
        weight += one.weight
        squares += one.squares
    return Spread(n, weight, squares)
