"""Finding an option in a long list by a few letters: case and diacritics do not count (``đ`` is ``d``).

An option is found by the beginnings of its words in any order, then by any part of its words, or by its code. What a
label is without its diacritics is worked out once and kept, so a list of 15,000 is searched in a few milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from survey.text import fold

MOST = 50
"""So many options are shown at a time; whoever needs another types one letter more."""

_WORDS = re.compile(r"[^\W_]+")


class Found(NamedTuple):
    """The options to show, best first, as (code, label); and how many there are in all."""

    options: list[tuple[str, str]]
    total: int


@lru_cache(maxsize=1 << 16)
def _plain(text: str) -> str:
    """The words of a text without case, diacritics and punctuation, a blank before each."""
    return "".join(f" {word}" for word in _WORDS.findall(fold(text)))


def search(options: Iterable[tuple[str, str]], query: str, most: int = MOST) -> Found:
    """Those of ``options`` (code, label) that ``query`` may mean; all of them, in their order, for an empty query."""
    wanted = _plain(query)
    words = wanted.split()
    if not words:
        everything = list(options)
        return Found(everything[:most], len(everything))
    begins = [f" {word}" for word in words]
    ranked: list[list[tuple[str, str]]] = [[], [], [], []]
    for option in options:
        plain = _plain(option[1])
        if plain == wanted or option[0] == query.strip():
            ranked[0].append(option)
        elif plain.startswith(wanted):
            ranked[1].append(option)
        elif all(begin in plain for begin in begins):
            ranked[2].append(option)
        elif all(word in plain for word in words):
            ranked[3].append(option)
    found = [option for rank in ranked for option in rank]
    return Found(found[:most], len(found))
