"""The index of words: interviews found by the beginnings of words, whoever types them with or without diacritics.

``board_words`` is SQLite's own full-text index (FTS5), a row an interview, with a column for each of what it may be
found by: its place and number, the respondent's name (contact data), the name of who interviewed. Which columns are
looked into is decided here alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from survey.store.store import Store
from survey.text import fold

_MANY = 2_000

_MARKS = {code: 0xE000 + code for code in range(128) if not chr(code).isalnum()}
"""The tokenizer ends words at ASCII characters that are no letters and digits. People end them at spaces alone: 12/4
is one word. So every other such character becomes one that it knows nothing of."""


def indexed(text: str) -> str:
    """``text`` as the index holds it: its words without case and diacritics."""
    return " ".join(_split(text))


def _split(text: str) -> list[str]:
    return [word.translate(_MARKS) for word in fold(text).split()]


@dataclass(frozen=True)
class Words:
    """What is looked for: every word of ``query`` begins a word of the place, of the number, of the interviewer's name
    or, where ``named`` says that the reader may know it, of the respondent's."""

    query: str = ""
    named: bool = False

    def sql(self, store: Store) -> tuple[str, list[str]]:
        """The condition on ``board_interviews b``, and its values."""
        words = _split(self.query)
        if not words:
            return "1", []
        columns = "place name person" if self.named else "place person"
        looked = f"{{{columns}}} : (" + " AND ".join(f'"{word}"*' for word in words) + ")"
        found = int(store.value("SELECT count(*) FROM board_words WHERE board_words MATCH ?", (looked,)))
        # Few are looked up one by one; where many are found, a page of them is soon full in the list's own order.
        way = "+" if found > _MANY else ""
        return f"{way}b.number IN (SELECT rowid FROM board_words WHERE board_words MATCH ?)", [looked]
