"""What of the XLSForm standard a form uses and this program does not carry out, named with its place: nothing that the
author wrote is passed over in silence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from survey.questionnaire import standard
from survey.questionnaire.sheets import Book, Row, head_of
from survey.questionnaire.standard import Part
from survey.text import Text

Remark = tuple[str, int | None, str, Text, Text]
"""Sheet, row, column, what, what to do."""

NOTHING = Text("", "")


def meant(word: str, known: Iterable[str], cutoff: float = 0.6) -> Text:
    """“Did you mean …?”, or nothing when no known word is close."""
    close = get_close_matches(word, list(known), 1, cutoff)
    if not close:
        return NOTHING
    return Text(f"có phải ý bạn là «{close[0]}»?", f"did you mean “{close[0]}”?")


def remarks(book: Book, rows: dict[str, list[tuple[int, Row]]]) -> Iterator[Remark]:
    """Everything that is not carried out. ``rows`` are the rows of each sheet that count."""
    yield from _survey_columns(book)
    yield from _choices_columns(book, rows)
    yield from _settings(book)
    screen: dict[str, None] = {}
    for number, row in rows.get("survey", ()):
        kind = " ".join(row.get("type", row.get("command", "")).split())
        yield from _type(number, kind)
        yield from _parameters(number, kind, row, screen)
        yield from _appearances(number, row, screen)
    if screen:
        said = ", ".join(screen)
        what = Text(
            f"chỉ xếp màn hình điện thoại, ở đây không có tác dụng: {said}",
            f"only arranges a telephone's screen, no effect here: {said}",
        )
        yield "survey", None, "appearance", what, NOTHING


def _said(part: Part, name_vi: str, name_en: str) -> Text:
    return Text(f"{name_vi} chưa hỗ trợ: {part.what.vi}", f"{name_en} is not supported: {part.what.en}")


def _survey_columns(book: Book) -> Iterator[Remark]:
    for column in book.sheets["survey"].columns if "survey" in book.sheets else ():
        head, name = head_of(column), column.partition("::")[2].strip()
        if ":" in head and head not in standard.SURVEY:
            head, _, name = head.partition(":")
        part = standard.SURVEY.get(head)
        if head in standard.GROUPED:
            part = standard.attribute(head, name.partition("::")[0])
        if part is None:
            what = Text(f"không có cột «{column}»", f"there is no column “{column}”")
            yield "survey", 1, column, what, meant(head, standard.SURVEY)
        elif part.stands == "not":
            yield "survey", 1, column, _said(part, f"cột «{column}»", f"the column “{column}”"), NOTHING


def _choices_columns(book: Book, rows: dict[str, list[tuple[int, Row]]]) -> Iterator[Remark]:
    used = " ".join(value for _, row in rows.get("survey", ()) for value in row.values())
    for column in book.sheets["choices"].columns if "choices" in book.sheets else ():
        part = standard.CHOICES.get(head_of(column))
        if part is not None and part.stands == "not":
            yield "choices", 1, column, _said(part, f"cột «{column}»", f"the column “{column}”"), NOTHING
        if part is not None or re.search(rf"(?<![\w.-]){re.escape(column)}(?![\w.-])", used):
            continue
        # Any other column may serve a filter; only what looks like a slip is worth a word.
        close = meant(head_of(column), standard.CHOICES, 0.8)
        if close.en:
            what = Text(f"cột «{column}» không dùng ở đâu", f"the column “{column}” is used nowhere")
            yield "choices", 1, column, what, close


def _settings(book: Book) -> Iterator[Remark]:
    for column in book.sheets["settings"].columns if "settings" in book.sheets else ():
        part = standard.SETTINGS.get(head_of(column))
        if part is None:
            what = Text(f"không có thiết lập «{column}»", f"there is no setting “{column}”")
            yield "settings", 1, column, what, meant(head_of(column), standard.SETTINGS)
        elif part.stands == "not" and any(row.get(column) for row in book.rows("settings")):
            yield "settings", 1, column, _said(part, f"thiết lập «{column}»", f"the setting “{column}”"), NOTHING


def _type(number: int, kind: str) -> Iterator[Remark]:
    head = kind.split()[0] if kind else ""
    part = standard.TYPES.get(head) or standard.TYPES.get(kind.replace(" ", ""))
    if part is not None and part.stands == "not":
        what = Text(
            f"loại «{head}» chưa hỗ trợ ({part.what.vi})", f"the type “{head}” is not supported ({part.what.en})"
        )
        yield "survey", number, "type", what, NOTHING


def _parameters(number: int, kind: str, row: Row, screen: dict[str, None]) -> Iterator[Remark]:
    known = standard.PARAMETERS.get(standard.family(kind.split()[0] if kind else ""), {})
    for word in re.split(r"[\s,;]+", row.get("parameters", "")):
        name, equals, _ = word.partition("=")
        if not equals:
            continue
        part = known.get(name.strip().lower())
        if part is None:
            what = Text(f"loại này không có parameters «{name}»", f"this type has no parameter “{name}”")
            yield "survey", number, "parameters", what, meant(name, known)
        elif part.stands == "not":
            yield "survey", number, "parameters", _said(part, f"«{name}»", f"the parameter “{name}”"), NOTHING
        elif part.stands == "screen":
            screen[name] = None


def _appearances(number: int, row: Row, screen: dict[str, None]) -> Iterator[Remark]:
    written = next((value for column, value in row.items() if column in _LOOKS), "")
    for word in written.split():
        part = standard.APPEARANCES.get(word.lower())
        if part is None and standard.ARRANGED.fullmatch(word.lower()):
            screen[word] = None
        elif part is None and standard.OPENS_APPS.fullmatch(word):
            what = Text(
                f"appearance «{word}» chưa hỗ trợ: không mở được ứng dụng khác",
                f"the appearance “{word}” is not supported: no other app is opened",
            )
            yield "survey", number, "appearance", what, NOTHING
        elif part is None:
            what = Text(
                f"appearance «{word}» chưa hỗ trợ: câu được hỏi như thường",
                f"the appearance “{word}” is not supported: the question is asked in the plain way",
            )
            yield "survey", number, "appearance", what, meant(word.lower(), standard.APPEARANCES, 0.8)
        elif part.stands == "not":
            yield (
                "survey",
                number,
                "appearance",
                _said(part, f"appearance «{word}»", f"the appearance “{word}”"),
                NOTHING,
            )
        elif part.stands == "screen":
            screen[word] = None


_LOOKS = frozenset({"appearance", "control::appearance", "body::appearance"})
