"""Bàn giao: a code that a supervisor reads out over the telephone and that a laptop checks without a network. Pure.

Sixteen digits: four that make it single, ten of an HMAC-SHA-256 over round, from, to and village, two check digits
(ISO/IEC 7064 MOD 97-10), so that a slip of the tongue is told from a wrong code. The key comes from the supervisor's
own PIN hash, which every laptop of the round has and no page shows (decision 41).
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256

from survey.errors import InputError
from survey.text import Text

EVERYWHERE = ""
"""The village of a code that hands over all of a person's units."""


@dataclass(frozen=True)
class Scope:
    """What a code hands over: the units of ``giver`` in ``round`` (in one village, by its code, or everywhere), to
    ``taker``."""

    round: str
    giver: str
    taker: str
    village: str = EVERYWHERE


def make_code(scope: Scope, pin_hash: str, used: Collection[str] = ()) -> str:
    """A new code for ``scope`` under the supervisor's PIN hash; its first four digits are none of ``used``."""
    while (number := f"{secrets.randbelow(10_000):04}") in used and len(set(used)) < 9_000:
        pass
    return _whole(number, scope, pin_hash)


def number_of(code: str) -> str:
    """The four digits that a code is known by."""
    return code[:4]


def read_code(typed: str) -> str:
    """The sixteen digits of what was typed, in any grouping. InputError for a wrong length or check digits."""
    digits = re.sub(r"[\s.\-]", "", typed)
    if not re.fullmatch(r"\d{16}", digits, re.ASCII) or int(digits) % 97 != 1:
        raise InputError(
            "code",
            Text("mã bàn giao gõ chưa đúng", "the code was not typed correctly"),
            Text(
                "gõ lại 16 chữ số, nhờ giám sát viên đọc lại", "type the 16 digits again as your supervisor reads them"
            ),
        )
    return digits


def holds(code: str, scope: Scope, pin_hash: str) -> bool:
    """Whether a code (as :func:`read_code` gives it) is this supervisor's for exactly this scope."""
    return hmac.compare_digest(code, _whole(number_of(code), scope, pin_hash))


def grouped(code: str) -> str:
    """A code as it is read out: ``1234 5678 9012 3456``."""
    return " ".join(code[place : place + 4] for place in range(0, len(code), 4))


def _whole(number: str, scope: Scope, pin_hash: str) -> str:
    words = "\x1f".join(["handover-1", number, scope.round, scope.giver, scope.taker, scope.village])
    key = sha256(b"handover-1\x1f" + pin_hash.encode()).digest()
    digest = hmac.new(key, words.encode(), "sha256").digest()
    body = f"{number}{int.from_bytes(digest[:16]) % 10**10:010}"
    return f"{body}{98 - int(body + '00') % 97:02}"
