"""The code that stands for a choice on the keyboard and in the box on paper: one rule, so that both say the same."""

from __future__ import annotations

import re
from collections.abc import Sequence

MISSING_KEYS = {"dont_know": "/", "refused": "*", "not_applicable": "+"}
"""The key of each missing kind, always in this order; the kinds of paper forms have none, nobody says them."""


def codes(names: Sequence[str]) -> list[str]:
    """The code itself when every code is one digit, else the place up to nine, else the code to be typed as it is
    (or the place, where a code is more than eight letters and digits)."""
    if all(re.fullmatch(r"\d", name, re.ASCII) for name in names) or (
        len(names) > 9 and all(re.fullmatch(r"[0-9A-Za-z]{1,8}", name) for name in names)
    ):
        return list(names)
    return [str(place + 1) for place in range(len(names))]
