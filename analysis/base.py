"""The `base` of a leaf evaluated on whole columns.

XPath's rules hold: an empty answer is the empty text and no number, so that it equals nothing but empty and is neither
above nor below anything.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from analysis.table import Table, take, text_of
from survey.questionnaire.base_rule import Both, Column, Comparison, Either, Literal, Not, Rule, Selected, literal_text

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def holds(rule: Rule, table: Table) -> np.ndarray:
    """The rows of ``table`` for which ``rule`` is true. Raises InputError for a column that is not there."""
    match rule:
        case Not(inner):
            return ~holds(inner, table)
        case Both(left, right):
            return holds(left, table) & holds(right, table)
        case Either(left, right):
            return holds(left, table) | holds(right, table)
        case Selected(column, choice):
            codes, answers = _answers(column, table)
            return take(np.array([choice in text_of(a).split() for a in answers], dtype=bool), codes, False)
        case Comparison(sign, left, right):
            return _compare(_COMPARE[sign], left, right, table)


def _answers(column: Column, table: Table) -> tuple[np.ndarray, list[Any]]:
    return table.codes(table.find(column.name) or column.name)


def _compare(
    sign: Callable[[Any, Any], Any], left: Column | Literal, right: Column | Literal, table: Table
) -> np.ndarray:
    ordered = sign not in (operator.eq, operator.ne)
    numeric = ordered or any(isinstance(s, Literal) and not isinstance(s.value, str) for s in (left, right))
    values = [_side(side, table, numeric) for side in (left, right)]
    return np.broadcast_to(sign(*values), (len(table),))


def _side(side: Column | Literal, table: Table, numeric: bool) -> Any:
    if isinstance(side, Literal):
        if not numeric:
            return literal_text(side)
        return table.number(side.value)
    codes, answers = _answers(side, table)
    if numeric:
        return take(np.array([table.number(answer) for answer in answers], dtype=float), codes, np.nan)
    return take(np.array([*(text_of(answer) for answer in answers), ""], dtype=object)[:-1], codes, "")
