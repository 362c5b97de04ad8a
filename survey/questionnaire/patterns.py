r"""Regular expressions of forms, which are Java's, rewritten for Python.

What differs: ``\p{L}`` and its kin, a hyphen after ``\w`` in a class, a class inside a class, ``\Q…\E``, ``\z``,
``(?<name>…)``. ``\d`` and ``\w`` mean ASCII, as in ODK Collect.
"""

from __future__ import annotations

import re
import unicodedata
import warnings
from functools import lru_cache

from survey.questionnaire.values import Fault

_NAMES = {
    "Alpha": "L",
    "Alphabetic": "L",
    "Letter": "L",
    "Lower": "Ll",
    "Lowercase": "Ll",
    "Upper": "Lu",
    "Uppercase": "Lu",
    "Digit": "Nd",
    "Punct": "P",
    "Alnum": "L N",
    "Space": "Z",
}
_CLASS_ESCAPES = frozenset("dDwWsSpPhH")


@lru_cache(maxsize=256)
def pattern(text: str) -> re.Pattern[str]:
    """The compiled expression, to be matched against the whole text. Raises Fault when it is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            return re.compile(_translated(text), re.ASCII)
    except (re.error, RecursionError, IndexError) as error:
        raise Fault(f"“{text}” is not a regular expression: {error}") from None


def _translated(text: str) -> str:
    out: list[str] = []
    depth = i = 0
    after_class = False
    while i < len(text):
        c, was_class = text[i], after_class
        after_class = False
        if c == "\\":
            piece, i = _escape(text, i, depth > 0)
            after_class = depth > 0 and text[i - 1 : i] != "" and _is_class(piece)
            out.append(piece)
            continue
        if depth and c == "-" and was_class:
            out.append("\\-")
        elif c == "[" and depth:
            if text[i + 1 : i + 2] == "^":
                raise Fault(f"“{text}” has a negated class inside a class, which is not supported")
            depth += 1
        elif c == "[":
            depth = 1
            out.append("[")
            if text[i + 1 : i + 2] == "^":
                out.append("^")
                i += 1
        elif c == "]" and depth:
            depth -= 1
            if not depth:
                out.append("]")
        elif depth and text.startswith("&&", i):
            raise Fault(f"“{text}” intersects classes (&&), which is not supported")
        elif not depth and text.startswith("(?<", i) and text[i + 3 : i + 4] not in ("=", "!"):
            out.append("(?P<")
            i += 2
        else:
            out.append(c)
        i += 1
    return "".join(out)


def _is_class(piece: str) -> bool:
    return len(piece) > 2 or (len(piece) == 2 and piece[1] in _CLASS_ESCAPES)


def _escape(text: str, i: int, in_class: bool) -> tuple[str, int]:
    """The escape that begins at ``i`` for Python, and where the text goes on."""
    kind = text[i + 1 : i + 2]
    if kind in ("p", "P"):
        match = re.compile(r"\{(?:Is|javaLetter)?(\w*)\}|(\w)").match(text, i + 2)
        if match is None:
            raise Fault(f"“{text}” is not a regular expression")
        name = match.group(1) or match.group(2)
        inside = _category(_NAMES.get(name, name), kind == "P")
        return (inside if in_class else f"[{inside}]"), match.end()
    if kind == "Q":
        end = text.find("\\E", i)
        end = len(text) if end < 0 else end
        return re.escape(text[i + 2 : end]), end + 2
    if kind == "z":
        return "\\Z", i + 2
    if kind == "h":
        return (r" \t\u00a0" if in_class else r"[ \t\u00a0]"), i + 2
    if kind.isalpha() and kind not in "abfnrtvxuUdDwWsSbBAZ":
        # Python refuses escapes that mean nothing; Java too, but forms are written for many programs.
        return re.escape(kind), i + 2
    return text[i : i + 2], i + 2


@lru_cache(maxsize=32)
def _category(wanted: str, inverted: bool) -> str:
    """The characters up to U+2FFF of Unicode categories (``L``, ``L N``), as the inside of a class."""
    prefixes = tuple(wanted.split())
    ranges, start = [], -1
    for code in range(0x3001):
        hit = code < 0x3000 and unicodedata.category(chr(code)).startswith(prefixes) != inverted
        if hit and start < 0:
            start = code
        elif not hit and start >= 0:
            ranges.append(f"\\u{start:04x}-\\u{code - 1:04x}")
            start = -1
    return "".join(ranges)
