"""A printed form as it is keyed: which boxes, in the order of the paper, and what the keys in each mean. Pure.

A question is one box to type into. The codes are those printed (:mod:`survey.questionnaire.codes`); the kinds of
missing answers have a key each, those that only paper brings too. Nothing here asks whether an answer is allowed: it is
what the paper says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal, InvalidOperation

from survey.errors import NotUnderstood
from survey.paper.boxes import range_steps
from survey.paper.numbering import is_asked, numbers
from survey.questionnaire.codes import MISSING_KEYS, codes
from survey.questionnaire.matching import offered
from survey.questionnaire.model import FROM_PAPER, MISSING, Node, Questionnaire, Value
from survey.text import Text, fold, many, nfc

KEYS = {**MISSING_KEYS, "blank": "-", "multiple": "."}
"""The key of each missing kind; the last two are of paper alone: nothing is ticked, or several boxes are."""

WRITTEN = frozenset({"text", "integer", "decimal", "range", "date", "time", "dateTime"})
"""Types whose answer is written rather than ticked."""

LONGEST_LIST = 40
"""A longer list of choices is not printed: its code or name is written."""


@dataclass(frozen=True)
class Field:
    """One box. ``codes`` maps what is keyed to the choice, ``labels`` the choice to its words, ``missing`` a key to the
    kind of missing answer."""

    node: Node
    number: str
    kind: str
    codes: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)

    @property
    def at_once(self) -> bool:
        """Whether one key is the whole answer, so that the next box follows without Enter."""
        return self.kind == "one" and all(len(code) == 1 for code in self.codes)


def fields(questionnaire: Questionnaire) -> dict[str, Field]:
    """Path of each question that paper can answer to its box, in the order of the form."""
    printed = numbers(questionnaire)
    found = {}
    for node in questionnaire.walk():
        if is_asked(node) and (made := _field(questionnaire, node, printed.get(node.path, ""))):
            found[node.path] = made
    return found


def _field(questionnaire: Questionnaire, node: Node, number: str) -> Field | None:
    kinds = {KEYS[kind]: kind for kind in KEYS if kind in FROM_PAPER or kind in node.missing}
    if node.type == "acknowledge":
        return Field(node, number, "one", {"1": "OK"}, {"OK": {}}, kinds)
    if node.type == "range" and (steps := range_steps(node)):
        # A step above nine is keyed as it is printed.
        return Field(node, number, "one", {step: step for step in steps}, {step: {} for step in steps}, kinds)
    if node.list_name:
        names = offered(questionnaire, node)
        kind = "rank" if node.type == "rank" else "many" if node.is_list else "one"
        if len(names) > LONGEST_LIST and kind == "one":
            kind = "list"
        return Field(node, number, kind, dict(zip(codes(list(names)), names, strict=True)), names, kinds)
    if node.type in WRITTEN:
        return Field(node, number, "decimal" if node.type == "range" else node.type, missing=kinds)
    return None


# -- what was keyed ------------------------------------------------------------------------------------------------


def read(box: Field, keyed: str) -> Value | None:
    """The answer that was keyed; None for an empty box. Raises NotUnderstood."""
    text = nfc(keyed).strip("\ufeff\u200b\u00a0 \t\r\n")
    if not text:
        return None
    sign = "." if text == "," else text
    if sign in box.missing:
        return {"missing": box.missing[sign]}
    if box.kind in _TICKED:
        return _TICKED[box.kind](box, text)
    return _READERS[box.kind](text)


def _one(box: Field, text: str) -> Value:
    found = _choice(box, text)
    if found is None:
        raise NotUnderstood(_expected(box))
    return found


def _many(box: Field, text: str) -> Value:
    pieces = [piece for piece in re.split(r"[\s,;]+", text) if piece]
    if len(pieces) == 1 and _choice(box, text) is None and all(len(code) == 1 for code in box.codes):
        pieces = list(text)
    found = [_choice(box, piece) for piece in pieces]
    if None in found:
        raise NotUnderstood(_expected(box))
    return [name for name in box.codes.values() if name in found]


def _rank(box: Field, text: str) -> Value:
    """The ranks written into the boxes, in the order of the items: ``3 1 2``."""
    pieces = re.split(r"[\s,;]+", text) if re.search(r"[\s,;]", text) else list(text)
    names = list(box.codes.values())
    if sorted(pieces, key=lambda p: p.zfill(4)) != [str(n + 1) for n in range(len(names))]:
        raise NotUnderstood(
            Text(
                f"Ghi thứ hạng của từng ý theo thứ tự trên phiếu, từ 1 đến {len(names)}, không trùng.",
                f"Key the rank of each item in the order of the form, 1 to {len(names)}, none twice.",
            )
        )
    return [name for _, name in sorted(zip((int(piece) for piece in pieces), names, strict=True))]


def _listed(box: Field, text: str) -> Value:
    """A choice of a long list by its code, its name, or the beginning of its words without diacritics."""
    found = _choice(box, text)
    if found is not None:
        return found
    wanted = fold(text)
    told = [(name, fold(words)) for name, labels in box.labels.items() for words in labels.values()]
    same = {name for name, words in told if words == wanted} or {n for n, words in told if words.startswith(wanted)}
    same = same or {name for name, words in told if wanted in words}
    if len(same) == 1:
        return same.pop()
    count = len(same)
    raise NotUnderstood(
        Text(
            f"Có {count} tên giống vậy; ghi rõ hơn hoặc ghi mã.",
            f"{many(count, 'name is', 'names are')} like this; key more, or the code.",
        )
        if same
        else Text("Không có tên hoặc mã này trong danh mục.", "The list has no such name or code.")
    )


_TICKED = {"one": _one, "many": _many, "rank": _rank, "list": _listed}


def _choice(box: Field, text: str) -> str | None:
    if text in box.codes:
        return box.codes[text]
    same = [name for code, name in box.codes.items() if code.casefold() == text.casefold()]
    return same[0] if len(same) == 1 else text if text in box.labels and box.kind == "list" else None


def _expected(box: Field) -> Text:
    known = ", ".join([*list(box.codes)[:12], *(["…"] if len(box.codes) > 12 else [])])
    signs = ", ".join(f"{key} {MISSING[kind].vi.lower()}" for key, kind in box.missing.items())
    signs_en = ", ".join(f"{key} {MISSING[kind].en.lower()}" for key, kind in box.missing.items())
    return Text(f"Mã in trên phiếu: {known}; hoặc {signs}.", f"The codes printed are {known}; or {signs_en}.")


def _text(text: str) -> Value:
    return text


def _integer(text: str) -> Value:
    plain = re.sub(r"[ .,\u00a0\u202f](?=\d{3}(?:\D|$))", "", text)
    if not re.fullmatch(r"[+-]?\d{1,18}", plain, re.ASCII):
        raise NotUnderstood(Text("Ghi một số nguyên.", "Key a whole number."))
    return str(int(plain))


def _decimal(text: str) -> Value:
    try:
        number = Decimal(re.sub(r"[\s\u00a0\u202f]", "", text).replace(",", "."))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or len(text) > 40:
        raise NotUnderstood(Text("Ghi một số, ví dụ 3,5.", "Key a number, like 3.5."))
    return f"{number:f}"


def _date(text: str) -> Value:
    return read_day(text).isoformat()


def read_day(text: str) -> date:
    """A day as people write it: ``5/3/2026``, ``05032026``, ``2026-03-05``. Raises NotUnderstood."""
    found = re.fullmatch(r"(\d{1,2})[ ./-](\d{1,2})[ ./-](\d{4})", text) or re.fullmatch(r"(\d\d)(\d\d)(\d{4})", text)
    iso = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", text)
    try:
        if iso:
            return date(int(iso[1]), int(iso[2]), int(iso[3]))
        if found:
            return date(int(found[3]), int(found[2]), int(found[1]))
    except ValueError:
        pass  # the 31st of June: said below like any other day that is none
    raise NotUnderstood(
        Text("Ghi ngày/tháng/năm có thật, ví dụ 05032026.", "Key a real day/month/year, like 05032026.")
    )


def _time(text: str) -> Value:
    return f"{_clock(text).isoformat()}.000+07:00"


def _clock(text: str) -> time:
    found = re.fullmatch(r"(\d{1,2})[:hg. ]?(\d{2})(?::(\d{2}))?", text)
    try:
        if found:
            return time(int(found[1]), int(found[2]), int(found[3] or 0))
    except ValueError:
        pass  # 25:70: said below
    raise NotUnderstood(Text("Ghi giờ:phút, ví dụ 1430.", "Key hour:minute, like 1430."))


def _moment(text: str) -> Value:
    day, _, clock = text.replace("T", " ").partition(" ")
    return f"{read_day(day).isoformat()}T{_clock(clock.strip()).isoformat()}.000+07:00"


_READERS = {
    "text": _text,
    "integer": _integer,
    "decimal": _decimal,
    "date": _date,
    "time": _time,
    "dateTime": _moment,
}


# -- what stands in the box ----------------------------------------------------------------------------------------


def written(box: Field, value: Value | None) -> str:
    """What a person keys for this answer; reading it gives the answer again."""
    if value is None or value == "" or value == []:
        return ""
    if isinstance(value, dict):
        return next((key for key, kind in box.missing.items() if kind == value.get("missing")), "")
    by_name = {name: code for code, name in box.codes.items()}
    if isinstance(value, list):
        if box.kind == "rank":
            return " ".join(str(value.index(name) + 1) for name in box.codes.values() if name in value)
        return " ".join(by_name.get(name, name) for name in value)
    if box.codes:
        return by_name.get(value, value)
    if box.kind == "date":
        return "/".join(reversed(value[:10].split("-")))
    if box.kind == "time":
        return value[:5]
    if box.kind == "dateTime":
        return "/".join(reversed(value[:10].split("-"))) + " " + value[11:16]
    return value.replace(".", ",") if box.kind == "decimal" else value


def words(box: Field, value: Value | None, language: str) -> str:
    """The answer in words, shown beside what was keyed."""
    if value is None or value == "":
        return ""
    if isinstance(value, dict):
        return MISSING[value["missing"]](language) if value.get("missing") in MISSING else ""
    if not box.labels:
        return ""
    names = value if isinstance(value, list) else [value]
    told = [box.labels.get(name, {}) for name in names]
    return "; ".join(labels.get(language) or next(iter(labels.values()), "") for labels in told if labels)
