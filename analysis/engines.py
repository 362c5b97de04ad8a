"""Where the pass over the respondents runs: in threads of this machine, or in a cluster of Spark.

Which designs it suits: those whose sampled units are columns of the data. A calibrated or replicated design, and rows
that are units themselves, need every row at hand and go the longer way (:class:`analysis.totals.Rows`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import numpy as np

from analysis.cells import Cells, CellSums, Declared, Pass, gather, key_tuples, merge, spread_of
from analysis.design import Design
from analysis.layout import lay
from analysis.table import Table
from analysis.totals import Slopes, Spread
from survey.errors import InputError, Problems
from survey.text import Text

Made = TypeVar("Made")
ENGINES = ("local", "spark")


def suits(design: Design, table: Table) -> bool:
    """Whether sums by cell are all that the variance under ``design`` needs, and its columns are there."""
    known = {"weight", "strata", "psu", "fpc", "nest", "lonely_psu", "collapse", "lonely_domain", "df", "level"}
    known |= {"sensitivity", "publication"}  # these are seen to after the scores
    plain = all(getattr(design, name) == getattr(Design(), name) for name in set(vars(Design())) - known)
    weighted = bool(design.weight) or not design.fpc  # else the weights follow from the population counts
    # A weight that also tells cells apart (a population count that is one) would be summed under its own name.
    weighted = weighted and design.weight not in (*design.strata, *design.psu, *design.fpc, design.collapse or None)
    there = all(name in table for name in _columns(design))
    return plain and weighted and there and len(design.psu) >= max(1, len(design.fpc))


def keys_of(design: Design, table: Table, by: Iterable[str]) -> tuple[str, ...]:
    """The columns that tell the cells of a score apart."""
    named = [*design.strata, *design.psu, *design.fpc, design.collapse, *by]
    return tuple(dict.fromkeys(name for name in [*named, "round"] if name in table))


def table_of(data: Any, engine: str) -> Table:
    """``data`` as a table for ``engine``. Raises InputError for an engine that there is not, or that does not start."""
    if engine == "spark":
        from analysis.spark import spark_table

        return spark_table(data)
    if engine not in ENGINES:
        listed = ", ".join(ENGINES)
        raise InputError(
            engine,
            Text("không có cách chạy này", "there is no such engine"),
            Text(f"dùng {listed}", f"use {listed}"),
        )
    return Table.of(data)


def by_cell(declared: Declared, design: Design, table: Table) -> CellSums | None:
    """The declared sums of ``table`` under ``design``, added up where the table lies; ``None`` if it is unsound."""
    return _spark(declared, design, table) if hasattr(table, "frame") else _local(declared, design, table)


def brought(table: Any, design: Design, every_row: bool = False) -> Table:
    """The columns of ``design`` from a cluster to this machine, for what is wrong with them to be told.

    Raises:
        InputError: nothing is: the design needs every row at hand, or what was asked does (``every_row``).
    """
    names = [name for name in _columns(design) if name in table]
    if every_row or (not suits(design, table) and len(names) == len(_columns(design))):
        raise InputError(
            "--engine spark",
            Text(
                "thiết kế này cần từng phiếu (hiệu chỉnh, quyền số lặp, hoặc mỗi dòng là một đơn vị)",
                "this design needs every row (calibration, replicates, or rows as units)",
            ),
            Text("dùng --engine local", "use --engine local"),
        )
    return table.only(names)


def _columns(design: Design) -> list[str]:
    named = (design.weight, *design.strata, *design.psu, *design.fpc, design.collapse)
    return list(dict.fromkeys(name for name in named if name))


def _local(declared: Declared, design: Design, table: Table) -> CellSums | None:
    one = Pass(declared, table)

    def add_up(part: Callable[[], Iterable[Table]]) -> list[Cells]:
        sums = [one.add_up(chunk) for chunk in part()]
        return [merge(sums, declared.keys)] if sums else []

    def second(places: Mapping[Any, int], slopes: Slopes, counts: np.ndarray) -> Iterable[Spread]:
        def squares(part: Callable[[], Iterable[Table]]) -> list[Spread]:
            return [spread_of(one, chunk, places, slopes, counts) for chunk in part()]

        return (share for found in _in_threads(squares, table.parts(columns)) for share in found)

    columns = declared.columns(table)
    parts = _in_threads(add_up, table.parts(columns))
    cells = gather((part for found in parts for part in found), declared.keys)
    return _laid(cells, declared, design, table.source, second)


def _spark(declared: Declared, design: Design, table: Any) -> CellSums | None:
    from analysis import spark

    return _laid(spark.sums(declared, table), declared, design, table.source, partial(spark.spread, declared, table))


def _laid(
    cells: Cells,
    declared: Declared,
    design: Design,
    source: str,
    second: Callable[[Mapping[Any, int], Slopes, np.ndarray], Iterable[Spread]],
) -> CellSums | None:
    """The cells under the design; ``second`` gives the shares of the second pass by the domain of each cell."""
    if not cells.sound:
        return None
    keys = Table(cells.keys, source)
    if declared.weight:
        keys = keys.with_columns({declared.weight: cells.sums[0]})
    try:
        sample = lay(design, keys)
    except Problems:
        return None

    def again(domain: np.ndarray, slopes: Slopes, counts: np.ndarray) -> Spread:
        places = dict(zip(key_tuples(cells.keys), domain.tolist(), strict=True))
        n, weight, squares = (np.zeros(slopes.numerator.shape[:2]) for _ in range(3))
        for share in second(places, slopes, counts):
            n += share.n
            weight += share.weight
            squares += share.squares
        return Spread(n, weight, squares * weight**2)

    return CellSums(sample, cells, len(declared.leaves), again)


def _in_threads(
    work: Callable[[Callable[[], Iterable[Table]]], Made], parts: list[Callable[[], Iterable[Table]]]
) -> Iterable[Made]:
    """What ``work`` makes of each part, in the order of the parts whatever the number of threads."""
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        yield from pool.map(work, parts)
