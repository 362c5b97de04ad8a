"""Values inside expressions and how they turn into each other, as JavaRosa (ODK Collect) does it.

A value is a ``float``, ``str``, ``bool`` or a ``datetime`` in local wall time without zone; ``""`` is empty.
Numbers convert by XPath 1.0 with a decimal comma allowed; a date is its number of days since 1970-01-01.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import TypeAlias

Atom: TypeAlias = float | str | bool | datetime

NAN = math.nan
EPOCH = datetime.fromtimestamp(0, UTC).replace(tzinfo=None)
DAY = timedelta(days=1)

_NUMBER = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")
_DATE = re.compile(r"([+-]?\d{1,4})-(\d{1,2})-(\d{1,2})")
_TIME = re.compile(r"(\d{1,2}):(\d{1,2})(?::(\d{1,2})(\.\d*)?)?\s*(Z|[+-]\d{1,2}(?::?\d{2})?)?")


class Fault(Exception):
    """An expression that cannot be worked out for these answers, with the reason in English."""


def to_number(value: Atom) -> float:
    """XPath's number(): NaN for what is not a number; ``3,5`` is 3.5; a date is its day since 1970."""
    if isinstance(value, float):
        return value
    if isinstance(value, str):
        text = value.replace(",", ".").strip()
        return float(text) if _NUMBER.fullmatch(text) else NAN
    if isinstance(value, bool):
        return 1.0 if value else 0.0
    return float((value.date() - EPOCH.date()).days)


def to_string(value: Atom) -> str:
    """XPath's string(): whole numbers without a point, dates as ``2026-11-22`` without their time."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number_text(value)
    return date_text(value)


def to_boolean(value: Atom) -> bool:
    """XPath's boolean(): false for the empty text, for zero and for NaN."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value != ""
    if isinstance(value, float):
        return abs(value) > 1e-12 and not math.isnan(value)
    return True


def is_empty(value: Atom) -> bool:
    """Whether ``coalesce()`` passes over the value: the empty text and NaN."""
    return value == "" or (isinstance(value, float) and math.isnan(value))


def number_text(value: float) -> str:
    """A number as JavaRosa writes it in text: ``3``, ``2.5``, ``3.0E-4``, ``NaN``, ``-Infinity``."""
    if math.isnan(value):
        return "NaN"
    if abs(value) < 1e-12:
        return "0"
    if math.isinf(value):
        return "-Infinity" if value < 0 else "Infinity"
    if -2147483648 <= value <= 2147483647 and abs(value - int(value)) < 1e-12:
        return str(int(value))
    return java_double(value)


def java_double(value: float) -> str:
    """``Double.toString``: at least one decimal; a power of ten below 0.001 and from ten million on."""
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    power = len(digits) + int(exponent) - 1
    text = "".join(map(str, digits))
    minus = "-" if sign else ""
    if not 1e-3 <= abs(value) < 1e7:
        return f"{minus}{text[0]}.{text[1:] or '0'}E{power}"
    plain = f"{abs(Decimal(repr(value))):f}"
    return minus + (plain if "." in plain else plain + ".0")


def date_text(value: datetime) -> str:
    """``2026-11-22``."""
    return f"{value.year:04d}-{value.month:02d}-{value.day:02d}"


def time_text(value: datetime, zone: tzinfo | None) -> str:
    """``07:20:00.000+07:00``, with ``Z`` for UTC."""
    offset = value.replace(tzinfo=zone).utcoffset() if zone else None
    minutes = 0 if offset is None else int(offset.total_seconds() // 60)
    text = f"{value.hour:02d}:{value.minute:02d}:{value.second:02d}.{value.microsecond // 1000:03d}"
    if not minutes:
        return text + "Z"
    sign, minutes = ("-", -minutes) if minutes < 0 else ("+", minutes)
    return f"{text}{sign}{minutes // 60:02d}:{minutes % 60:02d}"


def read_date(text: str) -> datetime | None:
    """Midnight of ``2026-11-22``; None when it is no date."""
    match = _DATE.fullmatch(text.strip())
    if not match:
        return None
    try:
        year, month, day = (int(part) for part in match.groups())
        return EPOCH.replace(year, month, day)
    except ValueError:
        return None


def read_time(text: str, day: datetime, zone: tzinfo | None) -> datetime | None:
    """``09:30``, ``09:30:00.000+07:00`` on ``day``; a written offset is turned into local time. None: not a time."""
    match = _TIME.fullmatch(text.strip())
    if not match:
        return None
    hour, minute, second, part, offset = match.groups()
    try:
        moment = day.replace(
            hour=int(hour), minute=int(minute), second=int(second or 0), microsecond=int(float(part or 0) * 1000) * 1000
        )
        if offset is None or zone is None:
            return moment
        if offset == "Z":
            shift = timedelta()
        else:
            hours, minutes = offset[1:3].rstrip(":"), offset.replace(":", "")[3:] or "0"
            shift = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if offset[0] == "-" else 1)
        return (moment - shift).replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None


def read_datetime(text: str, zone: tzinfo | None) -> datetime | None:
    """``2026-11-22`` or ``2026-11-22T09:30:00.000+07:00`` as local wall time; None when it is neither."""
    head, t, tail = text.partition("T")
    day = read_date(head)
    if day is None or not t:
        return day
    return read_time(tail, day, zone)


def to_datetime(value: Atom, zone: tzinfo | None, keep_time: bool) -> Atom:
    """``date()`` and ``date-time()``: text, days since 1970 or a date. Empty stays empty. Raises Fault otherwise."""
    if isinstance(value, datetime):
        return value if keep_time else value.replace(hour=0, minute=0, second=0, microsecond=0)
    if isinstance(value, bool):
        raise Fault(f"{to_string(value)} is not a date")
    if isinstance(value, float):
        if math.isnan(value):
            return value
        try:
            if keep_time:
                # Days since the epoch are counted in UTC; a whole date has no zone.
                moment = datetime.fromtimestamp(0, UTC) + DAY * value
                return moment.astimezone(zone).replace(tzinfo=None)
            return EPOCH + DAY * math.trunc(value)
        except (OverflowError, ValueError):
            raise Fault(f"{value} is out of range for a date") from None
    if value == "":
        return value
    found = read_datetime(value, zone)
    if found is None:
        raise Fault(f"“{value}” is not a date")
    return found


def days_since_epoch(value: datetime, zone: tzinfo | None) -> float:
    """Days with fraction since 1970-01-01T00:00Z (``decimal-date-time()``)."""
    return (value.replace(tzinfo=zone or UTC) - datetime(1970, 1, 1, tzinfo=UTC)) / DAY


def time_of_day(value: datetime) -> float:
    """The part of the day gone by, 0 to 1 (``decimal-time()``)."""
    return (value - value.replace(hour=0, minute=0, second=0, microsecond=0)) / DAY
