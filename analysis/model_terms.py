"""The columns of a regression: an intercept, numbers as they are, answers as indicators of all but the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from analysis.table import Table
from survey.errors import InputError, Problems
from survey.text import Text

INTERCEPT = "(Intercept)"


@dataclass(frozen=True)
class Terms:
    """A design matrix by row of the data, NaN where a value is missing; ``places`` says which columns a term has."""

    names: tuple[str, ...]
    matrix: np.ndarray
    places: dict[str, tuple[int, ...]]


def expand(terms: Sequence[str]) -> list[str]:
    """Terms written out: ``a*b`` is ``a``, ``b`` and ``a:b``; each once, main effects first."""
    found: dict[str, None] = {}
    for term in terms:
        factors = [part.strip() for part in term.split("*")]
        for size in range(1, len(factors) + 1):
            for chosen in combinations(factors, size):
                found.setdefault(":".join(chosen))
    return sorted(found, key=lambda name: name.count(":"))


def terms_of(table: Table, terms: Sequence[str], categorical: Sequence[str] = ()) -> Terms:
    """The columns of ``terms`` (``a``, ``a:b``, ``a*b``). A column of texts, or one of ``categorical``, becomes
    indicators of its answers but the first, named ``column`` + ``answer``.

    Raises:
        Problems: columns that are missing. InputError: a column with a single answer.
    """
    written = expand(terms)
    factors = list(dict.fromkeys(part for term in written for part in term.split(":")))
    missing = [table.missing_column(name) for name in factors if name not in table]
    if missing:
        raise Problems(missing)
    coded = {name: _columns(table, name, name in categorical) for name in factors}
    names, columns = [INTERCEPT], [np.ones(len(table))]
    places: dict[str, tuple[int, ...]] = {}
    for term in written:
        crossed: list[tuple[str, np.ndarray]] = [("", np.ones(len(table)))]
        for part in term.split(":"):
            # R's order: the first factor changes fastest.
            crossed = [(f"{left}:{right}" if left else right, a * b) for right, b in coded[part] for left, a in crossed]
        places[term] = tuple(range(len(names), len(names) + len(crossed)))
        names += [name for name, _ in crossed]
        columns += [column for _, column in crossed]
    return Terms(tuple(names), np.column_stack(columns), places)


def is_categorical(table: Table, name: str) -> bool:
    """Whether a column holds answers that are no numbers."""
    _, values = table.labels(name)
    return any(np.isnan(table.number(value)) for value in values)


def _columns(table: Table, name: str, chosen: bool) -> list[tuple[str, np.ndarray]]:
    if not chosen and not is_categorical(table, name):
        return [(name, table.numbers(name))]
    codes, labels = table.labels(name)
    if len(labels) < 2:
        raise InputError(
            f"{table.source}, column {name}",
            Text("chỉ có một câu trả lời, không đưa vào mô hình được", "it has a single answer and explains nothing"),
            Text("bỏ cột này", "leave it out"),
        )
    return [
        (f"{name}{label}", np.where(codes < 0, np.nan, (codes == k).astype(float)))
        for k, label in enumerate(labels)
        if k
    ]
