"""Numbers, intervals and dates as a reader writes them, in Vietnamese and in English.

The only place of the project that rounds. Vietnamese: ``1.234,5``; English: ``1,234.5``. What is missing is an en dash.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date
from typing import TypeGuard

from survey.text import plural

MISSING = "–"
_NO_BREAK = "\u00a0"
_MINUS = "\u2212"
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def known(value: float | None) -> TypeGuard[float]:
    """Whether there is a figure: neither absent nor NaN."""
    return value is not None and not math.isnan(value)


def number(value: float | None, decimals: int, language: str) -> str:
    """``value`` with ``decimals`` decimals; a dash if it is absent or NaN, ∞ if it is infinite."""
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "∞" if value > 0 else _MINUS + "∞"
    text = f"{abs(value):,.{decimals}f}"
    if language == "vi":
        text = text.translate(str.maketrans(",.", ".,"))
    # A figure that rounds to zero is written without a sign.
    return _MINUS + text if value < 0 and any(c in "123456789" for c in text) else text


def short(value: float, language: str) -> str:
    """A number with the decimals that it has, four at most: the ends of a scale, a share, what somebody typed."""
    return number(value, next((p for p in range(4) if abs(round(value, p) - value) < 1e-9), 4), language)


def count(value: float | None, language: str) -> str:
    """A count or degrees of freedom: whole numbers without decimals, others with one."""
    if value is None or math.isnan(value) or math.isinf(value):
        return number(value, 0, language)
    return number(value, 0 if abs(value - round(value)) < 1e-9 else 1, language)


def counts(value: float, one: str, more: str = "") -> str:
    """A count with its English noun: ``counts(1200, "interview") == "1,200 interviews"``."""
    return f"{count(value, 'en')} {plural(value, one, more)}"


def interval(low: float | None, high: float | None, decimals: int, language: str) -> str:
    """``low–high``; a dash alone if there is no interval; with a word between when a minus sign would confuse."""
    if not (known(low) and known(high)):
        return MISSING
    ends = number(low, decimals, language), number(high, decimals, language)
    if any(end.startswith(_MINUS) for end in ends):
        return (" đến " if language == "vi" else " to ").join(ends)
    return "–".join(ends)


def percent(share: float | None, decimals: int, language: str) -> str:
    """A share of one as a percentage: 0.95 is ``95 %`` in Vietnamese and ``95%`` in English."""
    if share is None or math.isnan(share):
        return MISSING
    sign = _NO_BREAK + "%" if language == "vi" else "%"
    return number(100 * share, decimals, language) + sign


def level(share: float, language: str) -> str:
    """A confidence level: ``95 %``, and only as many decimals as it has (``99,9 %``)."""
    decimals = next((d for d in range(4) if abs(100 * share - round(100 * share, d)) < 1e-9), 4)
    return percent(share, decimals, language)


def day(text: str, language: str) -> str:
    """An ISO date as ``23/11/2026`` or ``23 November 2026``; what is no ISO date stays as it is."""
    try:
        when = date.fromisoformat(text[:10])
    except ValueError:
        return text
    if language == "vi":
        return f"{when.day:02d}/{when.month:02d}/{when.year}"
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"


def days(start: str, end: str, language: str) -> str:
    """A period; one day if both ends are the same or one is unknown."""
    ends = [day(text, language) for text in dict.fromkeys((start, end)) if text]
    return " – ".join(ends)


def decimals(width: float) -> int:
    """Decimals of a value on a scale of this ``width``: two as published, three on scales such as 0–1."""
    return 2 if width >= 2 else 3


def listed(words: Iterable[str], language: str) -> str:
    """``a, b và c`` / ``a, b and c``."""
    *first, last = words
    return f"{', '.join(first)} {'và' if language == 'vi' else 'and'} {last}" if first else last
