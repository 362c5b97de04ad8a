"""Answers as they are stored (XForms lexical forms) and as expressions see them.

``read`` turns a stored answer into a value and says when it is none of its type; ``write`` turns the value of a
calculation into its stored form; ``wrap`` fits the result of an expression to the type of its node, as JavaRosa does.
"""

from __future__ import annotations

import math
import re
from datetime import datetime, tzinfo
from typing import Any

from survey.questionnaire.model import Node, Value
from survey.questionnaire.values import (
    Atom,
    Fault,
    date_text,
    java_double,
    read_date,
    read_datetime,
    read_time,
    time_text,
    to_boolean,
)
from survey.text import Text, nfc

_WHOLE = re.compile(r"[+-]?\d{1,18}")
_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")
_POSITION = re.compile(r"\s*-?\d+(\.\d+)?\s+-?\d+(\.\d+)?(\s+-?\d+(\.\d+)?){0,2}\s*")


class NotOfType(Exception):
    """An answer that is not of the question's type; ``what`` says what is expected."""

    def __init__(self, what: Text):
        super().__init__(what.en)
        self.what = what


NUMBER_EXPECTED = Text("Nhập một số, ví dụ 12 hoặc 3,5", "Enter a number, such as 12 or 3.5")
WHOLE_EXPECTED = Text("Nhập một số nguyên", "Enter a whole number")
DATE_EXPECTED = Text("Nhập một ngày có thật", "Enter a date that exists")
TIME_EXPECTED = Text("Nhập giờ và phút, ví dụ 14:30", "Enter hours and minutes, such as 14:30")
POSITION_EXPECTED = Text("Nhập vĩ độ và kinh độ", "Enter latitude and longitude")
LIST_EXPECTED = Text("Cần một danh sách phương án", "A list of options is expected")
TEXT_EXPECTED = Text("Cần một giá trị", "A single value is expected")


def read(node: Node, answer: Value, now: datetime, zone: tzinfo | None) -> tuple[Value, Atom]:
    """The answer in its normal form, and its value in expressions. Raises NotOfType.

    Text is brought to NFC; a decimal comma becomes a point. An empty answer is ``("", "")``.
    """
    if isinstance(answer, dict):
        return answer, ""
    if node.is_list:
        chosen = answer.split() if isinstance(answer, str) else list(answer)
        if any(not isinstance(c, str) or " " in c for c in chosen):
            raise NotOfType(LIST_EXPECTED)
        chosen = list(dict.fromkeys(nfc(c) for c in chosen if c))
        return (chosen, " ".join(chosen)) if chosen else ("", "")
    if not isinstance(answer, str):
        raise NotOfType(TEXT_EXPECTED)
    text = nfc(answer)
    if text == "":
        return "", ""
    return _READERS.get(node.data_type, _read_text)(text, now, zone)


def _read_text(text: str, now: datetime, zone: tzinfo | None) -> tuple[Value, Atom]:
    return text, text


def _read_whole(text: str, now: datetime, zone: tzinfo | None) -> tuple[Value, Atom]:
    text = text.strip()
    if not _WHOLE.fullmatch(text):
        raise NotOfType(WHOLE_EXPECTED)
    return str(int(text)), float(int(text))


def _read_decimal(text: str, now: datetime, zone: tzinfo | None) -> tuple[Value, Atom]:
    text = text.strip().replace(",", ".")
    if not _DECIMAL.fullmatch(text) or math.isinf(float(text)):
        raise NotOfType(NUMBER_EXPECTED)
    return text, float(text)


def _read_date(text: str, now: datetime, zone: tzinfo | None) -> tuple[Value, Atom]:
    found = read_datetime(text, zone)
    if found is None:
        raise NotOfType(DATE_EXPECTED)
    found = found.replace(hour=0, minute=0, second=0, microsecond=0)
    return date_text(found), found


def _read_moment(text: str, now: datetime, zone: tzinfo | None) -> tuple[Value, Atom]:
    found = read_datetime(text, zone)
    if found is None:
        raise NotOfType(DATE_EXPECTED)
    return text, found


def _read_time(text: str, now: datetime, zone: tzinfo | None) -> tuple[Value, Atom]:
    found = read_time(text, now.replace(hour=0, minute=0, second=0, microsecond=0), zone)
    if found is None:
        raise NotOfType(TIME_EXPECTED)
    return text, found


def _read_boolean(text: str, now: datetime, zone: tzinfo | None) -> tuple[Value, Atom]:
    return text, text.strip().lower() in ("true", "1")


def _read_position(text: str, now: datetime, zone: tzinfo | None) -> tuple[Value, Atom]:
    if not _POSITION.fullmatch(text):
        raise NotOfType(POSITION_EXPECTED)
    return " ".join(text.split()), " ".join(text.split())


_READERS: dict[str, Any] = {
    "int": _read_whole,
    "decimal": _read_decimal,
    "date": _read_date,
    "dateTime": _read_moment,
    "time": _read_time,
    "boolean": _read_boolean,
    "geopoint": _read_position,
}


def wrap(data_type: str, value: Atom, now: datetime, zone: tzinfo | None) -> Atom:
    """The result of an expression as the node keeps it; ``""`` is empty. Raises Fault for a text that is no date."""
    if value == "" or (isinstance(value, float) and math.isnan(value)):
        return ""
    if data_type == "boolean" and not isinstance(value, datetime):
        return to_boolean(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, float):
        if math.isinf(value):
            return value if data_type != "int" else math.copysign(2147483647.0, value)
        whole = float(math.trunc(value))
        return whole if data_type == "int" or abs(value - whole) < 1e-9 else value
    if data_type not in ("date", "dateTime", "time"):
        return value
    if isinstance(value, str):
        if data_type == "time":
            found = read_time(value, now.replace(hour=0, minute=0, second=0, microsecond=0), zone)
        else:
            found = read_date(value) if data_type == "date" else read_datetime(value, zone)
        if found is None:
            raise Fault(f"“{value}” is not a {data_type}")
        return found
    return value


def write(data_type: str, value: Atom, zone: tzinfo | None) -> str:
    """The stored form of a value: ``3``, ``2.5``, ``1`` for true, ``2026-11-22``, moments with their zone."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        if math.isinf(value):
            return "-Infinity" if value < 0 else "Infinity"
        return str(int(value)) if value == math.trunc(value) and abs(value) < 1e15 else java_double(value)
    if data_type == "date":
        return date_text(value)
    if data_type == "time":
        return time_text(value, zone)
    return f"{date_text(value)}T{time_text(value, zone)}"
