"""The one pass over the respondents: from rows to the small table from which every score follows.

A cell is what the declared keys tell apart: stratum, sampling stages, population counts, domain. For each cell are kept
the respondents, Σ w, and for each leaf of the index Σ w·y and Σ w·o, where o says that y is observed. The pass goes
chunk by chunk, so that only one chunk a thread is in memory, and the same function runs in a worker of Spark.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_array

from analysis import leaves
from analysis.leaves import Odd, Scored
from analysis.sample import Sample
from analysis.table import MISSING_SUFFIX, Table
from analysis.totals import Slopes, Spread, Totals
from survey.errors import InputError
from survey.questionnaire import base_rule
from survey.questionnaire.index_sheet import IndexNode

_LOW, _HIGH = -10, 100
_HELD = 1 << 28


@dataclass(frozen=True)
class Declared:
    """What the pass adds up: for whom (``keys``), by which weight (none: each row counts 1), for which leaves.

    With ``plain`` the sums without weights are kept beside the others, as pooled nodes are published.
    """

    keys: tuple[str, ...]
    weight: str
    leaves: tuple[IndexNode, ...]
    plain: bool = False

    def columns(self, table: Table) -> list[str]:
        """The columns of ``table`` that the pass reads."""
        names = [*self.keys, self.weight]
        for leaf in self.leaves:
            found = table.find(leaf.question)
            names += [found, found + MISSING_SUFFIX] if found else leaves.choice_columns(leaf, table)
            rule = base_rule.columns(base_rule.read(leaf.base)) if leaf.base else ()
            names += [table.find(column.name) or column.name for column in rule]
        return [name for name in dict.fromkeys(names) if name in table]


@dataclass
class Cells:
    """Sums by cell. ``sums`` has a row each for Σ w, the leaves' Σ w·y and Σ w·o (then the same without weights).

    ``sound`` is false where a weight is missing or not above 0.
    """

    keys: pa.Table
    count: np.ndarray
    sums: np.ndarray
    odd: list[Odd]
    sound: bool = True

    def __len__(self) -> int:
        return len(self.count)


class Pass:
    """The declared sums of chunks of one data set, one leaf prepared once for all of them."""

    def __init__(self, declared: Declared, like: Table):
        self.declared = declared
        self._small = [_Small.of(leaf, like) for leaf in declared.leaves]

    def add_up(self, chunk: Table) -> Cells:
        """The sums of ``chunk`` by cell."""
        declared, leaf_count = self.declared, len(self.declared.leaves)
        cell, first = cells_of(chunk, declared.keys)
        cells, rows = len(first), len(chunk)
        weight, sound = np.ones(rows), True
        if declared.weight:
            try:
                weight = chunk.numbers(declared.weight)
                sound = bool((weight > 0).all())
            except InputError:
                sound = False
        order = np.arange(rows) if (cell[1:] >= cell[:-1]).all() else np.argsort(cell, kind="stable")
        count = np.bincount(cell, minlength=cells)
        edges = np.concatenate([[0], np.cumsum(count)])
        by_cell = csr_array((weight[order], order, edges), shape=(cells, rows))
        plain = csr_array((np.ones(rows), order, edges), shape=(cells, rows)) if declared.plain else None
        sums = np.empty((1 + 2 * leaf_count * (1 + declared.plain), cells))
        sums[0] = by_cell @ np.ones(rows)
        odd: list[Odd] = []
        for k in range(leaf_count):
            y, o, strange = self.pair(k, chunk)
            odd += strange
            sums[1 + k] = by_cell @ y
            sums[1 + leaf_count + k] = by_cell @ o
            if plain is not None:
                sums[1 + 2 * leaf_count + k] = plain @ y
                sums[1 + 3 * leaf_count + k] = plain @ o
        return Cells(_rows_of(chunk, declared.keys, first), count, sums, odd, sound)

    def pair(self, k: int, chunk: Table) -> tuple[np.ndarray, np.ndarray, list[Odd]]:
        """y and o of leaf ``k`` by row of ``chunk``, both 0 where not observed, and what is strange about them."""
        small = self._small[k]
        found = small.pair(chunk) if small is not None else None
        if found is not None:
            return (*found, [])
        coded, odd = leaves.statistic(self.declared.leaves[k], chunk)
        return (*coded(), odd)


@dataclass(frozen=True)
class _Small:
    """A leaf of small whole numbers that all have their score: looked up in a table of 256, straight from Arrow."""

    column: str
    low: int
    high: int
    scores: np.ndarray | None
    """By the answer's byte; ``None`` where every answer scores itself."""

    @property
    def fill(self) -> int:
        """An answer that scores, of any kind of whole number."""
        return max(self.low, 0)

    @classmethod
    def of(cls, leaf: IndexNode, table: Table) -> _Small | None:
        """``leaf`` so prepared, or ``None`` where it takes more than its own column to score it."""
        column = table.find(leaf.question)
        if column is None or leaf.base or column + MISSING_SUFFIX in table:
            return None
        answers = np.arange(_LOW, _HIGH)
        scored = Scored.of(leaf, answers.tolist(), table)
        clean = np.isfinite(scored.values) & ~scored.beyond
        if not clean.any():
            return None
        start = int(np.argmax(clean))
        run = int(np.argmin(np.append(clean[start:], False)))
        low, values = int(answers[start]), scored.values[start : start + run]
        scores = np.zeros(256)
        scores[answers[start : start + run].astype(np.int8).view(np.uint8)] = values
        if low + run <= 0:
            return None
        return cls(column, low, low + run - 1, None if (values == np.arange(low, low + run)).all() else scores)

    def pair(self, chunk: Table) -> tuple[np.ndarray, np.ndarray] | None:
        """y and o, or ``None`` where this chunk's answers are of another kind or range."""
        array = chunk.whole(self.column)
        if not pa.types.is_integer(array.type) or not len(array):
            return None
        valid, data = array.buffers()
        kind = array.type.to_pandas_dtype()
        values = np.frombuffer(data, kind, len(array), array.offset * array.type.bit_width // 8)
        there = np.ones(len(array), dtype=np.uint8)
        if array.null_count:
            bits = np.frombuffer(valid, np.uint8)
            there = np.unpackbits(bits, count=array.offset + len(array), bitorder="little")[array.offset :]
            here = there.astype(kind)
            # What lies under a blank is anything: it takes a value that scores, and counts 0 all the same.
            values = values * here + kind(self.fill) * (kind(1) - here)
        if values.min() < self.low or values.max() > self.high:
            return None
        o = there.astype(float)
        if self.scores is None:
            return (values.astype(float) * o if array.null_count else values.astype(float)), o
        y = self.scores.take(values.astype(np.int8, copy=False).view(np.uint8))
        return (y * o if array.null_count else y), o


def cells_of(table: Table, keys: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """``(cell of each row, first row of each cell)``; cells in the order in which they appear."""
    rows = len(table)
    code = np.zeros(rows, dtype=np.int64)
    for name in keys:
        codes, values = table.codes(name)
        if code.max(initial=0) > (1 << 62) // (len(values) + 1):
            code = np.unique(code, return_inverse=True)[1].reshape(rows).astype(np.int64)
        code = code * (len(values) + 1) + codes + 1
    if not rows:
        return code, code
    starts = np.flatnonzero(np.concatenate([[True], code[1:] != code[:-1]]))
    _, first, inside = np.unique(code[starts], return_index=True, return_inverse=True)
    appearance = np.argsort(first, kind="stable")
    rank = np.empty(len(first), dtype=np.int64)
    rank[appearance] = np.arange(len(first))
    return np.repeat(rank[inside.reshape(-1)], np.diff(np.append(starts, rows))), starts[first[appearance]]


def _rows_of(table: Table, keys: Sequence[str], rows: np.ndarray) -> pa.Table:
    columns = {}
    for name in keys:
        column = table.column(name).take(pa.array(rows))
        columns[name] = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
    return pa.table(columns)


def merge(parts: list[Cells], keys: Sequence[str]) -> Cells:
    """The cells of several parts of the data as one; ``parts`` is emptied on the way, for what it holds is large."""
    if len(parts) == 1:
        return parts.pop()
    rows = pa.concat_tables([part.keys for part in parts], promote_options="permissive")
    cell, first = cells_of(Table(rows), keys)
    apart = len(first) == len(cell)
    sums = (np.empty if apart else np.zeros)((parts[0].sums.shape[0], len(first)))
    count = np.zeros(len(first), dtype=np.int64)
    odd: list[Odd] = []
    sound, at = True, 0
    parts.reverse()
    while parts:
        part = parts.pop()
        place = cell[at : at + len(part)]
        at += len(part)
        if apart:
            sums[:, place[0] : place[0] + len(part)] = part.sums
        else:
            sums[:, place] += part.sums
        count[place] += part.count
        odd += part.odd
        sound &= part.sound
    return Cells(rows.take(pa.array(first)) if not apart else rows, count, sums, leaves.gathered(odd), sound)


def gather(parts: Iterable[Cells], keys: Sequence[str]) -> Cells:
    """Cells that arrive part by part, merged whenever many are held: unsorted data bring the same cells again."""
    held: list[Cells] = []
    floor = 0
    for part in parts:
        held.append(part)
        if (size := sum(one.sums.nbytes for one in held)) > max(_HELD, 2 * floor) and len(held) > 1:
            held = [merge(held, keys)]
            floor = min(size, held[0].sums.nbytes)
    return merge(held, keys)


@dataclass(frozen=True)
class CellSums:
    """Cells under a design: what a crossing of domains takes its totals from.

    ``sample`` is the design laid on the cells, ``again`` the second pass over the rows: from the domain of each cell,
    slopes and which leaves count for a result, the :class:`Spread`.
    """

    sample: Sample
    cells: Cells
    leaves: int
    again: Callable[[np.ndarray, Slopes, np.ndarray], Spread]

    def collect(self, domain: np.ndarray, domains: int, plain: bool = False) -> Totals:
        """The totals of the leaves in ``domains`` domains, ``domain`` being that of each cell (−1: none)."""
        sample, sums, units = self.sample, self.cells.sums, self.sample.units
        key = np.where(domain >= 0, domain * units + sample.unit, -1)
        order = np.argsort(key, kind="stable")
        order = order[np.searchsorted(key[order], 0) :]
        sorted_key = key[order]
        starts = np.flatnonzero(np.concatenate([[True], sorted_key[1:] != sorted_key[:-1]])[: len(order)])
        as_it_is = len(order) == len(key) and (order[1:] > order[:-1]).all()

        def by_unit(values: np.ndarray) -> np.ndarray:
            values = values if as_it_is else values[..., order]
            return values if len(starts) == len(order) else np.add.reduceat(values, starts, axis=-1)

        count = by_unit(self.cells.count)
        first = 1 + (2 * self.leaves if plain else 0)
        middle = first + self.leaves
        here = sorted_key[starts]
        return Totals(
            sample=sample,
            domain=domain,
            start=np.searchsorted(here, np.arange(domains + 1) * units),
            unit=here % max(units, 1),
            count=count.astype(np.int64),
            weight=count.astype(float) if plain else by_unit(sums[0]),
            numerator=by_unit(sums[first:middle]).T,
            denominator=by_unit(sums[middle : middle + self.leaves]).T,
        )

    def spread(self, totals: Totals, slopes: Slopes, counts: np.ndarray) -> Spread:
        """The second pass over the rows (see :func:`analysis.totals.spread`)."""
        return self.again(totals.domain, slopes, counts)


def spread_of(
    one: Pass, chunk: Table, places: Mapping[tuple[Any, ...], int], slopes: Slopes, counts: np.ndarray
) -> Spread:
    """The share of ``chunk`` in the second pass; ``places`` tells the domain of each cell by its keys."""
    domains, results = slopes.numerator.shape[:2]
    n, weight, squares = (np.zeros((domains, results)) for _ in range(3))
    cell, first = cells_of(chunk, one.declared.keys)
    of_cell = np.array([places[key] for key in key_tuples(_rows_of(chunk, one.declared.keys, first))], dtype=np.int64)
    domain = of_cell[cell]
    w_all = chunk.numbers(one.declared.weight) if one.declared.weight else np.ones(len(chunk))
    pairs = [one.pair(k, chunk)[:2] for k in range(len(one.declared.leaves))]
    y_all, o_all = (np.array([pair[part] for pair in pairs]) for part in (0, 1))
    counted = counts.astype(np.float32)
    for d in np.unique(domain[domain >= 0]):
        rows = slice(None) if (domain == d).all() else np.flatnonzero(domain == d)
        w, y, o = w_all[rows], y_all[:, rows], o_all[:, rows]
        here = counted @ (o != 0).astype(np.float32) > 0
        n[d] += here.sum(axis=1)
        weight[d] += here @ w
        u = slopes.numerator[d] @ y
        u -= slopes.denominator[d] @ o
        u *= u
        squares[d] += u @ w
    return Spread(n, weight, squares)


def key_tuples(keys: pa.Table) -> list[tuple[Any, ...]]:
    """The keys of each cell as they are compared: not-a-number is nothing."""
    columns = []
    for name in keys.column_names:
        codes, values = Table(keys).codes(name)
        values = [*values, None]
        columns.append([values[code] for code in codes.tolist()])
    return list(zip(*columns, strict=True))
