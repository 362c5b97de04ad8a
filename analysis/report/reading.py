"""Scores files as the report takes them: our own tidy ones, and foreign ones with ``year, province, mean``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analysis.index import Index
from analysis.rollup import DOMAIN, ESTIMATE, ROUND
from analysis.table import Table, text_of
from survey.errors import InputError, Problems
from survey.text import Text

_NUMBERS = ("se", "low", "high", "df", "n", "n_psu", "deff")


def read_scores(paths: Sequence[str | Path], index: Index, round: str = "") -> list[dict[str, Any]]:
    """The rows of one round from ``paths`` taken together, under the names of the tidy table.

    Files may be of different domain levels; the same figure twice is taken once.

    Raises:
        Problems, InputError: a file or column that is missing, several rounds of which none was chosen, another index.
    """
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    rounds: dict[str, None] = {}
    for path in paths:
        for row in _rows(Table.of(path), index):
            rounds.setdefault(row["round"])
            if not round or row["round"] == round:
                found.setdefault((row["domain_level"], row["domain"], row["code"]), row)
    source = ", ".join(str(path) for path in paths)
    listed = ", ".join(rounds)
    if round and not found:
        raise InputError(
            f"{source}, round",
            Text(f"không có đợt “{round}”", f"there is no round '{round}'"),
            Text(f"các đợt: {listed}", f"the rounds are {listed}"),
        )
    if not round and len(rounds) > 1:
        raise InputError(
            f"{source}, round",
            Text(f"có nhiều đợt: {listed}", f"there are several rounds: {listed}"),
            Text("chọn một đợt bằng --round", "choose one with --round"),
        )
    if not any(code in index.by_code for _, _, code in found):
        raise InputError(
            f"{source}, column code",
            Text(f"không mã nào thuộc chỉ số {index.id}", f"none of the codes belongs to the index {index.id}"),
            Text("chọn chỉ số khác bằng --index", "name another index with --index"),
        )
    return list(found.values())


def _rows(table: Table, index: Index) -> list[dict[str, Any]]:
    names = {key: _first(table, known) for key, known in
             (("code", ("code",)), ("domain", DOMAIN), ("estimate", ESTIMATE))}  # fmt: skip
    missing = [table.missing_column(key) for key, name in names.items() if name is None]
    if missing:
        raise Problems(missing)
    if "index" in table and set(others := table.labels("index")[1]) - {index.id}:
        raise InputError(
            f"{table.source}, column index",
            Text(f"tệp này là điểm của {', '.join(others)}", f"these are scores of {', '.join(others)}"),
            Text("chọn chỉ số đó bằng --index", "name that index with --index"),
        )
    level = "province" if names["domain"] == "province" else "domain"
    texts = {
        "round": _texts(table, _first(table, ROUND)),
        "domain_level": _texts(table, _first(table, ("domain_level",)), level),
        "domain": _texts(table, names["domain"]),
        "code": _texts(table, names["code"]),
        "note": _texts(table, _first(table, ("note",))),
    }
    numbers = {"estimate": table.numbers(str(names["estimate"]))}
    numbers |= {name: table.numbers(name) for name in _NUMBERS if name in table}
    columns = {**texts, **{name: values.tolist() for name, values in numbers.items()}}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _texts(table: Table, column: str | None, otherwise: str = "") -> list[str]:
    if column is None:
        return [otherwise] * len(table)
    return [text_of(value) for value in table.arrow.column(column).to_pylist()]


def _first(table: Table, names: Sequence[str]) -> str | None:
    return next((name for name in names if name in table), None)
