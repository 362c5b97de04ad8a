"""The functions that expressions may call, in one table: name, how many arguments, what it does.

Names and results follow the ODK XForms specification as ODK Collect carries it out. Functions that need more than the
values of their arguments (paths, the node itself, laziness) are built in ``expressions``; ``BUILT_IN`` lists them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import random
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, tzinfo
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple, Protocol

from survey.questionnaire.geometry import area, distance, inside
from survey.questionnaire.patterns import pattern
from survey.questionnaire.values import (
    NAN,
    Atom,
    Fault,
    date_text,
    days_since_epoch,
    time_of_day,
    to_boolean,
    to_datetime,
    to_number,
    to_string,
)


class Surroundings(Protocol):
    """What a function may know about the interview besides its arguments."""

    now: datetime
    zone: tzinfo | None

    def property(self, name: str) -> str: ...

    version: str


class Function(NamedTuple):
    """``call`` gets the surroundings and the arguments' values; ``most`` None = any number.

    ``spread``: with so many arguments, a path as the last one gives the values of all its nodes (0: never).
    """

    least: int
    most: int | None
    call: Callable[..., Atom]
    spread: int = 0


BUILT_IN: dict[str, tuple[int, int | None]] = {
    "if": (3, 3),
    "coalesce": (2, 2),
    "indexed-repeat": (3, 11),
    "position": (0, 1),
    "last": (0, 0),
    "count": (1, 1),
    "count-non-empty": (1, 1),
    "sum": (1, 1),
    "once": (1, 1),
    "randomize": (1, 2),
    "string-length": (0, 1),
    "normalize-space": (0, 1),
    "jr:choice-name": (2, 2),
    "jr:itext": (1, 1),
    "instance": (1, 1),
    "current": (0, 0),
    "pulldata": (4, 4),
    "random": (0, 0),
    "uuid": (0, 1),
    "true": (0, 0),
    "false": (0, 0),
}
"""Functions compiled by ``expressions`` itself, with the fewest and most arguments."""

UNSUPPORTED = frozenset(
    {
        *("search", "extract-signed", "intersects", "phone-call", "duration-between", "plug-in", "rank-index"),
        *("rank-value", "sum-if", "count-if", "min-if", "max-if", "join-if", "index", "linebreak", "hash"),
    }
)
"""Functions that people write and this program does not carry out; ``check`` names them."""


def _number(call: Callable[..., float]) -> Callable[..., Atom]:
    def applied(s: Surroundings, *args: Atom) -> Atom:
        try:
            return float(call(*(_with_fraction(a, s.zone) for a in args)))
        except (ValueError, ZeroDivisionError):
            return NAN
        except OverflowError:
            return math.inf

    return applied


def _with_fraction(value: Atom, zone: tzinfo | None) -> float:
    return days_since_epoch(value, zone) if isinstance(value, datetime) else to_number(value)


def to_int(value: Atom) -> float:
    """``int()``: towards zero."""
    number = to_number(value)
    return number if math.isnan(number) or math.isinf(number) else float(math.trunc(number))


def whole(value: Atom) -> int:
    """An argument that counts, as Java casts it: NaN is 0."""
    number = to_number(value)
    if math.isnan(number):
        return 0
    return int(max(-2147483648, min(2147483647, number)))


def round_half_up(s: Surroundings, value: Atom, places: Atom = 0.0) -> Atom:
    """``round()`` on the decimal digits; halves go up: 2.5 to 3, -2.5 to -2."""
    number, digits = to_number(value), whole(places)
    if math.isnan(number) or math.isinf(number):
        return number
    if abs(digits) > 30:
        return NAN
    if digits >= 0:
        # Only a decimal that ends in a 5 right behind the wanted place is a half; elsewhere the nearest is the nearest.
        written = repr(number)
        behind = len(written) - written.find(".") - 1
        if "e" not in written and (behind <= digits or behind != digits + 1 or written[-1] != "5"):
            return number if behind <= digits else round(number, digits)
    exact = Decimal(repr(number))
    if digits >= 0:
        # Decimal keeps 28 digits; a quantum finer than the number's own last digit changes nothing.
        if -int(exact.as_tuple().exponent) <= digits:
            return number
        mode = ROUND_HALF_DOWN if number < 0 else ROUND_HALF_UP
        return float(exact.quantize(Decimal(1).scaleb(-digits), rounding=mode))
    scaled = float(exact.scaleb(digits))
    return float(Decimal(math.trunc(scaled + 0.5)).scaleb(-digits))


def _power(a: float, b: float) -> float:
    try:
        result = a**b
    except ZeroDivisionError:
        return math.inf
    return NAN if isinstance(result, complex) else result


def _log(value: float) -> float:
    return -math.inf if value == 0 else math.log(value)


def _log10(value: float) -> float:
    return -math.inf if value == 0 else math.log10(value)


def _max(s: Surroundings, *values: Atom) -> Atom:
    numbers = [n for n in map(to_number, values) if not math.isnan(n)]
    # ODK Collect starts from the smallest positive double, so nothing comes out below it.
    return max(5e-324, *numbers) if numbers else NAN


def _min(s: Surroundings, *values: Atom) -> Atom:
    numbers = [n for n in map(to_number, values) if not math.isnan(n)]
    return min(numbers) if numbers else NAN


def _substr(s: Surroundings, value: Atom, start: Atom, end: Atom | None = None) -> Atom:
    text = to_string(value)
    first, last = whole(start), len(text) if end is None else whole(end)
    first = len(text) + first if first < 0 else first
    last = len(text) + last if last < 0 else last
    return text[max(0, first) : max(0, last)] if first <= last else ""


def _translate(s: Surroundings, value: Atom, source: Atom, target: Atom) -> Atom:
    letters, others = to_string(source), to_string(target)
    table: dict[str, str] = {}
    for i, letter in enumerate(letters):
        table.setdefault(letter, others[i] if i < len(others) else "")
    return "".join(table.get(c, c) for c in to_string(value))


def codes(value: Atom) -> list[str]:
    """The names selected in an answer to select_multiple."""
    return [code for code in to_string(value).split(" ") if code]


def _selected(s: Surroundings, value: Atom, code: Atom) -> Atom:
    return f" {to_string(code).strip()} " in f" {to_string(value)} "


def _selected_at(s: Surroundings, value: Atom, index: Atom) -> Atom:
    chosen, i = codes(value), whole(index)
    return chosen[i] if 0 <= i < len(chosen) else ""


def _checklist(s: Surroundings, least: Atom, most: Atom, *factors: Atom) -> Atom:
    low, high, count = whole(least), whole(most), sum(map(to_boolean, factors))
    return (low < 0 or count >= low) and (high < 0 or count <= high)


def _weighted_checklist(s: Surroundings, least: Atom, most: Atom, *pairs: Atom) -> Atom:
    if len(pairs) % 2:
        raise Fault("weighted-checklist() needs a weight for each factor")
    total = sum(to_number(w) for f, w in zip(pairs[::2], pairs[1::2], strict=True) if to_boolean(f))
    return to_number(least) <= total <= to_number(most)


def _regex(s: Surroundings, value: Atom, expression: Atom) -> Atom:
    return pattern(to_string(expression)).fullmatch(to_string(value)) is not None


def _as_number_of_days(keep_date: bool) -> Callable[..., Atom]:
    def call(s: Surroundings, value: Atom) -> Atom:
        if isinstance(value, float):
            return value if keep_date or math.isnan(value) else value - math.floor(value)
        moment = to_datetime(value, s.zone, keep_time=True)
        if not isinstance(moment, datetime):
            return moment
        return days_since_epoch(moment, s.zone) if keep_date else time_of_day(moment)

    return call


def _week(value: datetime) -> int:
    """Week of the year as ODK Collect counts in English: from Sunday, the first week holds 1 January."""
    sunday = value.date() - timedelta(days=(value.weekday() + 1) % 7)
    first = (sunday + timedelta(days=6)).replace(month=1, day=1)
    return (sunday - first + timedelta(days=(first.weekday() + 1) % 7)).days // 7 + 1


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DATE_ESCAPES: dict[str, Callable[[datetime], str]] = {
    "%": lambda d: "%",
    "Y": lambda d: f"{d.year:04d}",
    "y": lambda d: f"{d.year:04d}"[2:],
    "m": lambda d: f"{d.month:02d}",
    "n": lambda d: str(d.month),
    "b": lambda d: _MONTHS[d.month - 1],
    "d": lambda d: f"{d.day:02d}",
    "e": lambda d: str(d.day),
    "H": lambda d: f"{d.hour:02d}",
    "h": lambda d: str(d.hour),
    "M": lambda d: f"{d.minute:02d}",
    "S": lambda d: f"{d.second:02d}",
    "3": lambda d: f"{d.microsecond // 1000:03d}",
    "a": lambda d: _DAYS[d.weekday()],
    "W": lambda d: str(_week(d)),
}


def _format_date(s: Surroundings, value: Atom, form: Atom) -> Atom:
    moment = to_datetime(value, s.zone, keep_time=True)
    if not isinstance(moment, datetime):
        return ""

    def one(match: re.Match[str]) -> str:
        escape = _DATE_ESCAPES.get(match.group(1))
        if escape is None:
            raise Fault(f"“%{match.group(1)}” is not known in a date format")
        return escape(moment)

    return re.sub(r"%(.?)", one, to_string(form), flags=re.DOTALL)


def _digest(s: Surroundings, value: Atom, algorithm: Atom, encoding: Atom = "base64") -> Atom:
    name = to_string(algorithm).lower().replace("-", "")
    if name not in ("md5", "sha1", "sha256", "sha384", "sha512"):
        raise Fault(f"“{to_string(algorithm)}” is not a digest that is known")
    raw = hashlib.new(name, to_string(value).encode()).digest()
    return raw.hex() if to_string(encoding).lower() == "hex" else base64.b64encode(raw).decode()


def _base64_decode(s: Surroundings, value: Atom) -> Atom:
    try:
        return base64.b64decode(to_string(value)).decode("utf-8", "replace")
    except binascii.Error:
        raise Fault("the text is not Base64") from None


def _shift_substring(after: bool) -> Callable[..., Atom]:
    def call(s: Surroundings, value: Atom, part: Atom) -> Atom:
        text, wanted = to_string(value), to_string(part)
        if not wanted:
            return text if after else ""
        head, found, tail = text.partition(wanted)
        return "" if not found else tail if after else head

    return call


def _join(s: Surroundings, separator: Atom, *values: Atom) -> Atom:
    return to_string(separator).join(map(to_string, values))


FUNCTIONS: dict[str, Function] = {
    "boolean": Function(1, 1, lambda s, v: to_boolean(v)),
    "boolean-from-string": Function(1, 1, lambda s, v: to_string(v).lower() in ("true", "1")),
    "not": Function(1, 1, lambda s, v: not to_boolean(v)),
    "number": Function(1, 1, lambda s, v: to_number(v)),
    "int": Function(1, 1, lambda s, v: to_int(v)),
    "round": Function(1, 2, round_half_up),
    "floor": Function(1, 1, _number(math.floor)),
    "ceiling": Function(1, 1, _number(math.ceil)),
    "abs": Function(1, 1, _number(abs)),
    "pow": Function(2, 2, _number(_power)),
    "sqrt": Function(1, 1, _number(math.sqrt)),
    "exp": Function(1, 1, _number(math.exp)),
    "exp10": Function(1, 1, _number(lambda v: 10.0**v)),
    "log": Function(1, 1, _number(_log)),
    "log10": Function(1, 1, _number(_log10)),
    "pi": Function(0, 0, lambda s: math.pi),
    "sin": Function(1, 1, _number(math.sin)),
    "cos": Function(1, 1, _number(math.cos)),
    "tan": Function(1, 1, _number(math.tan)),
    "asin": Function(1, 1, _number(math.asin)),
    "acos": Function(1, 1, _number(math.acos)),
    "atan": Function(1, 1, _number(math.atan)),
    "atan2": Function(2, 2, _number(math.atan2)),
    "max": Function(1, None, _max, spread=1),
    "min": Function(1, None, _min, spread=1),
    "string": Function(1, 1, lambda s, v: to_string(v)),
    "concat": Function(1, None, lambda s, *v: "".join(map(to_string, v)), spread=1),
    "join": Function(1, None, _join, spread=2),
    "substr": Function(2, 3, _substr),
    "substring-before": Function(2, 2, _shift_substring(after=False)),
    "substring-after": Function(2, 2, _shift_substring(after=True)),
    "translate": Function(3, 3, _translate),
    "contains": Function(2, 2, lambda s, v, part: to_string(part) in to_string(v)),
    "starts-with": Function(2, 2, lambda s, v, part: to_string(v).startswith(to_string(part))),
    "ends-with": Function(2, 2, lambda s, v, part: to_string(v).endswith(to_string(part))),
    "regex": Function(2, 2, _regex),
    "selected": Function(2, 2, _selected),
    "is-selected": Function(2, 2, _selected),
    "selected-at": Function(2, 2, _selected_at),
    "count-selected": Function(1, 1, lambda s, v: float(len(codes(v)))),
    "checklist": Function(2, None, _checklist, spread=3),
    "weighted-checklist": Function(2, None, _weighted_checklist),
    "depend": Function(1, None, lambda s, *v: v[0]),
    "today": Function(0, 0, lambda s: s.now.replace(hour=0, minute=0, second=0, microsecond=0)),
    "now": Function(0, 0, lambda s: s.now),
    "date": Function(1, 1, lambda s, v: to_datetime(v, s.zone, keep_time=False)),
    "date-time": Function(1, 1, lambda s, v: to_datetime(v, s.zone, keep_time=True)),
    "decimal-date-time": Function(1, 1, _as_number_of_days(keep_date=True)),
    "decimal-time": Function(1, 1, _as_number_of_days(keep_date=False)),
    "format-date": Function(2, 2, _format_date),
    "format-date-time": Function(2, 2, _format_date),
    "version": Function(0, 0, lambda s: s.version),
    "property": Function(1, 1, lambda s, name: s.property(to_string(name))),
    "digest": Function(2, 3, _digest),
    "base64-decode": Function(1, 1, _base64_decode),
    "area": Function(1, 1, lambda s, *points: area(points), spread=1),
    "enclosed-area": Function(1, 1, lambda s, *points: area(points), spread=1),
    "distance": Function(1, None, lambda s, *points: distance(points), spread=1),
    "geofence": Function(2, 2, lambda s, point, shape: inside(point, shape)),
}


def shuffled(items: Sequence[Any], seed: int) -> list[Any]:
    """``items`` in the order that every ODK client gives for ``seed``: Fisher-Yates driven by Park-Miller."""
    modulus = 2147483647
    state = seed % modulus if seed >= 0 else -(-seed % modulus)
    if state <= 0:
        state += modulus - 1
    out: list[Any] = []
    for i, item in enumerate(items):
        state = state * 16807 % modulus
        j = int((state - 1) / (modulus - 1) * (i + 1))
        if j == i:
            out.append(item)
        else:
            out.append(out[j])
            out[j] = item
    return out


def seed_of(value: Atom) -> int:
    """The seed that a value stands for: its whole number, or 64 bits of the hash of a text that is none."""
    number = to_number(value)
    if math.isnan(number):
        text = to_string(value)
        if not text or isinstance(value, float):
            return 0
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big", signed=True)
    return int(max(-(2**63), min(2**63 - 1, number)))


def random_number(*seed: str) -> float:
    """A number from 0 to 1 that follows from ``seed`` alone, so that a form opened again shows the same."""
    return random.Random("\x1f".join(seed)).random()


def day(value: datetime) -> str:
    """``2026-11-22``: what a date question stores."""
    return date_text(value)
