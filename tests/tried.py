"""How often a fault was tried: told by the tests that try one in a loop."""

from __future__ import annotations

times = 0
"""Since the running test began, where somebody counts."""


def tried(more: int = 1) -> None:
    """Counts ``more`` trials."""
    global times
    times += more
