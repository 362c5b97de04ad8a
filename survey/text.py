"""Words in two languages, and Vietnamese text made comparable.

Everything a person sees is written at the place where it is used as one :class:`Text`, Vietnamese first:
``Text("Đã lưu", "Saved")``. Nothing can then be translated halfway.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

LANGUAGES = ("vi", "en")


class Text(NamedTuple):
    """One sentence, label or word in Vietnamese and English."""

    vi: str
    en: str

    def __call__(self, language: str) -> str:
        """The text in ``language`` (``"vi"`` or ``"en"``); any other language reads English."""
        return self.vi if language == "vi" else self.en


def plural(number: float, one: str, more: str = "") -> str:
    """The English noun for ``number`` of it: ``plural(1, "entry") == "entry"``, ``plural(0, "entry") == "entries"``.

    ``more`` is the plural where it is not regular (``"person", "people"``) or where more than the noun changes
    (``"unit stays", "units stay"``). Vietnamese nouns stay as they are.
    """
    if number == 1:
        return one
    if more:
        return more
    if one.endswith("y") and one[-2:-1] not in "aeiou":
        return f"{one[:-1]}ies"
    return f"{one}es" if one.endswith(("s", "x", "ch", "sh")) else f"{one}s"


def many(number: int, one: str, more: str = "") -> str:
    """A number with its English noun: ``many(1, "interview") == "1 interview"``; the plural as for :func:`plural`."""
    return f"{number} {plural(number, one, more)}"


def nfc(text: str) -> str:
    """``text`` in Unicode normalisation form C, the form in which all text is stored and hashed."""
    return unicodedata.normalize("NFC", text)


def fold(text: str) -> str:
    """``text`` without case and diacritics, for searching: ``fold("Đặng Thị Hoà") == "dang thi hoa"``.

    ``đ`` has no decomposition in Unicode, so it is replaced by hand.
    """
    decomposed = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def natural(text: str) -> tuple[str, ...]:
    """``text`` for sorting as people count, without case and diacritics: Bản 4 before Bản 18."""
    return tuple(part.zfill(12) if part.isdigit() else part for part in re.split(r"(\d+)", fold(text)))
