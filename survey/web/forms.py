"""How a question is asked and how its answer is read: one row of :data:`KINDS` per type.

A new type costs one row here, one partial in ``templates/widgets``, one reader below and one test. A reader gets the
entry of the path and what the browser sent, and returns the answer in the XForms lexical form, ``None`` for "nothing
answered", or raises :class:`NotUnderstood` with a sentence that helps. Constraints are the engine's business, not ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from survey.errors import NotUnderstood
from survey.questionnaire.codes import MISSING_KEYS, codes
from survey.questionnaire.model import ATTACHED_TYPES, MISSING, Node, Value
from survey.text import Text, nfc
from survey.web import positions

if TYPE_CHECKING:
    from survey.questionnaire.path import Entry

LONG_LIST = 30
"""From more choices than this on, buttons give way to a box that searches."""

GRID_COLUMNS = 8
GRID_LABEL = 32
"""The widest scale, and the longest word on it (in characters), that stands in a grid at 1366 × 768."""


@dataclass(frozen=True)
class Option:
    """One button: the value it sends, the key that presses it, its words."""

    value: str
    key: str
    label: str
    picture: str = ""
    sound: str = ""


@dataclass(frozen=True)
class Kind:
    """How one type of question is asked (``partial``) and its answer read (``read``)."""

    partial: str
    read: Callable[[Entry, Sequence[str]], Value | None]
    hint: Text = Text("", "")


# -- readers -----------------------------------------------------------------------------------------------------


def _one(values: Sequence[str]) -> str:
    """The text that was typed: NFC, without what spreadsheets and word processors hide at the edges."""
    return nfc(values[0]).strip("\ufeff\u200b\u00a0 \t\r\n") if values else ""


def _text(entry: Entry, values: Sequence[str]) -> Value | None:
    text = nfc(values[0]).replace("\r\n", "\n") if values else ""
    return text if text.strip() else None


def _integer(entry: Entry, values: Sequence[str]) -> Value | None:
    text = _one(values).replace("−", "-")
    if not text:
        return None
    grouped = re.fullmatch(r"[+-]?\d{1,3}(?:([ .,\u00a0\u202f])\d{3})(?:\1\d{3})*", text)
    plain = re.sub(r"[ .,\u00a0\u202f]", "", text) if grouped else text
    if not re.fullmatch(r"[+-]?\d{1,18}", plain, re.ASCII):
        raise NotUnderstood(
            Text("Ghi một số nguyên, chỉ gồm chữ số, ví dụ 35.", "Write a whole number, digits only, like 35.")
        )
    return str(int(plain))


def _decimal(entry: Entry, values: Sequence[str]) -> Value | None:
    text = re.sub(r"[ \u00a0\u202f]", "", _one(values)).replace("−", "-")
    if not text:
        return None
    if re.fullmatch(r"[+-]?\d{1,3}(?:\.\d{3})+,\d+", text) or re.fullmatch(r"[+-]?\d{1,3}(?:\.\d{3}){2,}", text):
        text = text.replace(".", "").replace(",", ".")
    elif re.fullmatch(r"[+-]?\d{1,3}(?:,\d{3})+\.\d+", text) or re.fullmatch(r"[+-]?\d{1,3}(?:,\d{3}){2,}", text):
        text = text.replace(",", "")
    elif re.fullmatch(r"[+-]?[1-9]\d{0,2}[.,]\d{3}", text):
        joined, point = re.sub("[.,]", "", text), text.replace(".", ",")
        raise NotUnderstood(
            Text(
                f"{text} có thể hiểu hai cách: ghi {joined} hoặc {point}0.",
                f"{text} can be read in two ways: write {joined} or {point.replace(',', '.')}0.",
            )
        )
    try:
        number = Decimal(text.replace(",", "."))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or not re.fullmatch(r"[+-]?[\d.,]{1,40}", text, re.ASCII):
        raise NotUnderstood(Text("Ghi một số, ví dụ 3,5.", "Write a number, like 3.5."))
    return f"{number:f}"


def _date(entry: Entry, values: Sequence[str]) -> Value | None:
    text, words = _one(values), entry.node.appearance.split()
    if not text:
        return None
    if "year" in words and re.fullmatch(r"\d{4}", text, re.ASCII):
        text = f"01/01/{text}"
    elif "month-year" in words and (found := re.fullmatch(r"(\d{1,2})[ ./-]?(\d{4})", text, re.ASCII)):
        text = f"01/{found[1]}/{found[2]}"
    return _read_date(text).isoformat()


def _read_date(text: str) -> date:
    found = re.fullmatch(r"(\d{1,2})[ ./-](\d{1,2})[ ./-](\d{4})", text) or re.fullmatch(r"(\d\d)(\d\d)(\d{4})", text)
    iso = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", text)
    try:
        if iso:
            return date(int(iso[1]), int(iso[2]), int(iso[3]))
        if found:
            return date(int(found[3]), int(found[2]), int(found[1]))
    except ValueError:
        pass  # the 31st of June: said below like any other date that is none
    raise NotUnderstood(
        Text("Ghi ngày/tháng/năm có thật, ví dụ 05/03/2026.", "Write a real day/month/year, like 05/03/2026.")
    )


def _read_time(text: str) -> time:
    found = re.fullmatch(r"(\d{1,2})[:hg. ](\d{2})", text) or re.fullmatch(r"(\d{2})(\d{2})", text)
    try:
        if found:
            return time(int(found[1]), int(found[2]))
    except ValueError:
        pass  # 25:70: said below
    raise NotUnderstood(Text("Ghi giờ:phút, ví dụ 14:30.", "Write hour:minute, like 14:30."))


def read_moment(text: str) -> str:
    """``25/11/2026 14:30`` or ``25/11/2026`` as ISO text; empty for nothing. Raises NotUnderstood."""
    text = nfc(text).strip()
    if not text:
        return ""
    day, _, clock = text.partition(" ")
    return _read_date(day).isoformat() + (f"T{_read_time(clock.strip()):%H:%M}" if clock.strip() else "")


def _time(entry: Entry, values: Sequence[str]) -> Value | None:
    text = _one(values)
    return f"{_read_time(text).isoformat()}.000+07:00" if text else None


def _date_time(entry: Entry, values: Sequence[str]) -> Value | None:
    text = _one(values)
    if not text:
        return None
    day, _, clock = text.replace("T", " ").partition(" ")
    return f"{_read_date(day).isoformat()}T{_read_time(clock.strip()).isoformat()}.000+07:00"


def _choice(entry: Entry, values: Sequence[str]) -> Value | None:
    value = _one(values)
    if value:
        _known([value], offered(entry))
    return value or None


def _choices(entry: Entry, values: Sequence[str]) -> Value | None:
    ticked = [value for value in values if value]
    names = offered(entry)
    _known(ticked, names)
    return [name for name in names if name in ticked] or None


def _rank(entry: Entry, values: Sequence[str]) -> Value | None:
    """Each choice sends ``name=place``. An order counts once every choice has a place of its own."""
    names = offered(entry)
    places = dict(value.rpartition("=")[::2] for value in values)
    _known(places, names)
    given = {name: place for name, place in places.items() if place}
    if not given:
        return None
    if sorted(given.values()) != sorted(str(n + 1) for n in range(len(names))):
        raise NotUnderstood(
            Text("Mỗi ý một thứ hạng, không ý nào trùng hạng.", "Give every item one place, no place twice.")
        )
    return sorted(names, key=lambda name: int(given[name]))


def _known(values: Sequence[str] | Mapping[str, str], names: Sequence[str]) -> None:
    if any(value not in names for value in values):
        raise NotUnderstood(
            Text(
                "Câu trả lời này không còn trong danh sách. Chọn lại.",
                "This answer is no longer offered. Choose again.",
            )
        )


def _acknowledged(entry: Entry, values: Sequence[str]) -> Value | None:
    return "OK" if _one(values) else None


def _nothing(entry: Entry, values: Sequence[str]) -> Value | None:
    return None


def _range(entry: Entry, values: Sequence[str]) -> Value | None:
    if range_steps(entry.node):
        return _choice(entry, values)
    typed = _decimal(entry, values)
    scale = _scale(entry.node)
    if isinstance(typed, str) and scale is not None:
        start, end, step = scale
        low, high = min(start, end), max(start, end)
        number = Decimal(typed)
        if not low <= number <= high or (number - start) % step:
            raise NotUnderstood(
                Text(
                    f"Ghi một số từ {low} đến {high}, mỗi bước {abs(step)}.",
                    f"Write a number from {low} to {high}, in steps of {abs(step)}.",
                )
            )
    return typed


def _scale(node: Node) -> tuple[Decimal, Decimal, Decimal] | None:
    """Start, end and step of a range; None where the sheet does not give numbers."""
    try:
        start, end, step = (
            Decimal(node.parameters.get(k, d)) for k, d in (("start", "1"), ("end", "10"), ("step", "1"))
        )
    except InvalidOperation:
        return None
    return (start, end, step) if step and step.is_finite() and start.is_finite() and end.is_finite() else None


def _point(entry: Entry, values: Sequence[str]) -> Value | None:
    text = _one(values)
    try:
        return positions.point(text) if text else None
    except positions.NoPosition:
        raise NotUnderstood(
            Text(
                "Ghi vĩ độ rồi kinh độ, tính bằng độ, ví dụ 21.3278, 103.9188.",
                "Write latitude, then longitude, in degrees, like 21.3278, 103.9188.",
            )
        ) from None


def _line(entry: Entry, values: Sequence[str]) -> Value | None:
    text, closed = _one(values), entry.node.type == "geoshape"
    try:
        return positions.line(text, closed) if text else None
    except positions.NoPosition:
        least = 3 if closed else 2
        raise NotUnderstood(
            Text(
                f"Ghi ít nhất {least} vị trí khác nhau, cách nhau bằng dấu ; như 21.32, 103.91; 21.33, 103.92.",
                f"Write at least {least} different positions, parted by ; like 21.32, 103.91; 21.33, 103.92.",
            )
        ) from None


def _file(entry: Entry, values: Sequence[str]) -> Value | None:
    """The name of the file that stands; a new file is taken in by the page (``uploads``)."""
    name = _one(values)
    if name and name != entry.value:
        raise NotUnderstood(Text("Chọn lại tệp.", "Choose the file again."))
    return name or None


# -- the table ---------------------------------------------------------------------------------------------------

KINDS: dict[str, Kind] = {
    "text": Kind("box", _text),
    "integer": Kind("box", _integer),
    "decimal": Kind("box", _decimal),
    "range": Kind("range", _range),
    "date": Kind("box", _date, Text("ngày/tháng/năm", "day/month/year")),
    "time": Kind("box", _time, Text("giờ:phút", "hour:minute")),
    "dateTime": Kind("box", _date_time, Text("ngày/tháng/năm giờ:phút", "day/month/year hour:minute")),
    "select_one": Kind("choices", _choice),
    "select_one_from_file": Kind("choices", _choice),
    "select_multiple": Kind("ticks", _choices),
    "select_multiple_from_file": Kind("ticks", _choices),
    "rank": Kind("rank", _rank),
    "acknowledge": Kind("acknowledge", _acknowledged),
    "note": Kind("note", _nothing),
    "geopoint": Kind("box", _point, Text("vĩ độ, kinh độ", "latitude, longitude")),
    "geotrace": Kind(
        "box", _line, Text("vĩ độ, kinh độ; vĩ độ, kinh độ; …", "latitude, longitude; latitude, longitude; …")
    ),
    "geoshape": Kind(
        "box", _line, Text("vĩ độ, kinh độ; vĩ độ, kinh độ; …", "latitude, longitude; latitude, longitude; …")
    ),
    "image": Kind("file", _file),
    "audio": Kind("file", _file),
    "video": Kind("file", _file),
    "file": Kind("file", _file),
    "barcode": Kind("box", _text, Text("gõ dãy số dưới mã vạch", "type the figures below the bars")),
}

UNKNOWN = Kind("unknown", _nothing)

TALL = frozenset({"geotrace", "geoshape"})
"""Types whose answer needs a box of several lines."""

_PARTS_OF_DATES = {"month-year": Text("tháng/năm", "month/year"), "year": Text("năm", "year")}
_WEEKDAYS = (
    Text("thứ Hai", "Monday"),
    Text("thứ Ba", "Tuesday"),
    Text("thứ Tư", "Wednesday"),
    Text("thứ Năm", "Thursday"),
    Text("thứ Sáu", "Friday"),
    Text("thứ Bảy", "Saturday"),
    Text("Chủ nhật", "Sunday"),
)
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)

MOMENTS = frozenset({"date", "time", "dateTime"})
"""Types whose box takes a date or a time: there the keys of the missing kinds work while it is empty."""

FIGURES = frozenset({"integer", "decimal", "range"})
"""Types whose box takes a number: there the keys of the missing kinds work."""


def takes_figures(node: Node) -> bool:
    """Whether the box of a question takes figures only: a number, or a text of figures like a telephone number."""
    return node.type in FIGURES or (node.type == "text" and "numbers" in node.appearance.split())


def kind(node: Node) -> Kind:
    """The row of the table for this question."""
    return KINDS.get(node.type, UNKNOWN)


def read(entry: Entry, values: Sequence[str], missing: str) -> Value | None:
    """The answer that the browser sent: ``values`` of the question's own boxes, or the kind in ``missing``.

    Raises NotUnderstood when it cannot be read as this type, or is a kind of missing answer not offered here.
    """
    if missing:
        if missing not in entry.node.missing:
            raise NotUnderstood(Text("Câu này không có lựa chọn đó.", "This question does not offer that."))
        return {"missing": missing}
    return kind(entry.node).read(entry, values)


# -- what a widget shows -----------------------------------------------------------------------------------------


def offered(entry: Entry) -> list[str]:
    """The values that the question's buttons send, in order."""
    if entry.node.type == "range":
        return range_steps(entry.node)
    return [choice.name for choice in entry.choices()]


def labelled(entry: Entry, language: str) -> list[tuple[str, str]]:
    """(code, label) of the choices offered now, in order."""
    pairs = []
    for choice in entry.choices():
        label = choice.label.get(language)
        pairs.append((choice.name, label if label and "${" not in label else entry.choice_label(choice, language)))
    return pairs


def finds(node: Node, offered: int) -> bool:
    """Whether a question's choices are searched for rather than shown: there are many, or the sheet says so."""
    if not node.type.startswith("select_"):
        return False
    asked_for = {"autocomplete", "autocomplete_chars", "search"} & set(node.appearance.split())
    minimal = node.type.startswith("select_one") and "minimal" in node.appearance.split()
    return offered > LONG_LIST or bool(asked_for) or minimal


def range_steps(node: Node) -> list[str]:
    """The values of a range of at most eleven steps, which are shown as buttons; empty for a longer one."""
    scale = _scale(node)
    if scale is None:
        return []
    start, end, step = scale
    count = int((end - start) / step) + 1
    return [f"{start + step * i:f}" for i in range(count)] if 2 <= count <= 11 else []


def options(entry: Entry, language: str) -> list[Option]:
    """The buttons of a question with their keys: the code itself when every code is one digit, else the place up to
    nine, else the code to be typed and ended with Enter."""
    if entry.node.type == "range":
        pairs = [(step, step) for step in range_steps(entry.node)]
    else:
        pairs = labelled(entry, language)
    keys = codes([name for name, _ in pairs])
    return [Option(name, key, label) for (name, label), key in zip(pairs, keys, strict=True)]


def missing_options(kinds: Sequence[str], language: str) -> list[Option]:
    """The buttons of the missing kinds that a question offers in an interview, always in one order."""
    return [Option(name, MISSING_KEYS[name], MISSING[name](language)) for name in MISSING_KEYS if name in kinds]


def written(node: Node, value: Any) -> str:
    """A stored answer as it stands in a box: dates the way people write them, a decimal with its comma."""
    if not isinstance(value, str) or not value:
        return ""
    if node.type == "date":
        return "/".join(reversed(value[: {"year": 4, "month-year": 7}.get(node.appearance.strip(), 10)].split("-")))
    if node.type == "time":
        return value[:5]
    if node.type == "dateTime":
        return "/".join(reversed(value[:10].split("-"))) + " " + value[11:16]
    if node.type in ("decimal", "range"):
        return value.replace(".", ",")
    if node.type in ("geopoint", "geotrace", "geoshape"):
        return positions.written(value)
    return value


def placeholder(node: Node) -> Text:
    """How an answer is written in the box."""
    return _PARTS_OF_DATES.get(node.appearance.strip(), kind(node).hint) if node.type == "date" else kind(node).hint


def read_back(node: Node, value: Any, language: str) -> str:
    """A date in words, so that a slip of the keys is seen: ``thứ Năm, 5 tháng 3 năm 2026``; empty for any other answer
    and for a date that the calendar does not have."""
    if node.type not in ("date", "dateTime") or not isinstance(value, str):
        return ""
    try:
        day = date.fromisoformat(value[:10])
    except ValueError:
        return ""
    appearance = node.appearance.strip()
    if appearance == "year":
        return ""
    if appearance == "month-year":
        return Text(f"tháng {day.month} năm {day.year}", f"{_MONTHS[day.month - 1]} {day.year}")(language)
    clock = f", {value[11:16]}" if node.type == "dateTime" else ""
    weekday = _WEEKDAYS[day.weekday()]
    return Text(
        f"{weekday.vi}, {day.day} tháng {day.month} năm {day.year}{clock}",
        f"{weekday.en}, {day.day} {_MONTHS[day.month - 1]} {day.year}{clock}",
    )(language)


def in_words(entry: Entry, language: str) -> str:
    """A stored answer as a reader sees it: labels instead of codes, missing kinds by name."""
    value = entry.value
    if isinstance(value, dict):
        return MISSING[value["missing"]](language) if value.get("missing") in MISSING else ""
    wanted = set(value if isinstance(value, list) else [value])
    labels = {c.name: entry.choice_label(c, language) for c in entry.choices() if c.name in wanted}
    if isinstance(value, list):
        return "; ".join(labels.get(name, name) for name in value)
    if entry.node.type in ATTACHED_TYPES and value:
        return Text("có tệp kèm theo", "a file is attached")(language)
    if entry.node.type == "acknowledge" and value:
        return Text("đã xác nhận", "confirmed")(language)
    return labels.get(value, "") or written(entry.node, value)


def battery(entries: Sequence[Entry]) -> bool:
    """Whether these two neighbours or more may stand as rows of one grid: one scale, short words, nothing special."""
    first = entries[0].node
    return all(_same_scale(first, entry.node) for entry in entries) and _fits(entries[0])


def grid(run: Sequence[Entry]) -> bool:
    """Whether neighbours on one scale are enough to be a grid: three, or two that the sheet calls ``likert``. Two plain
    yes-or-no questions read better one below the other, in large type."""
    enough = 2 if run and "likert" in run[0].node.appearance else 3
    return len(run) >= enough and battery(run)


def _same_scale(first: Node, node: Node) -> bool:
    return (
        node.type == "select_one"
        and node.list_name == first.list_name
        and node.path.rpartition("/")[0] == first.path.rpartition("/")[0]
        and node.relevant == first.relevant
        and not node.choice_filter
        and not node.media
        and not node.private
        and "minimal" not in node.appearance
        and "autocomplete" not in node.appearance
        and node.parameters == first.parameters
    )


def _fits(entry: Entry) -> bool:
    choices = entry.choices()
    return (
        2 <= len(choices) + len(entry.node.missing) <= GRID_COLUMNS
        and all(len(word) <= GRID_LABEL for choice in choices for word in choice.label.values())
        and not any(choice.media for choice in choices)
    )
