"""What a round asks of review: a second approval, and how much of what no rule flagged a person still reads. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Rule:
    """The round's rule (key ``review`` of its document). ``second``: what a supervisor approved counts only once a
    statistician has approved it too. ``share``: of what no rule flagged, the share that is read all the same."""

    second: bool = False
    share: float = 0.1

    @classmethod
    def of(cls, round: Mapping[str, Any]) -> Rule:
        """The rule of a round document; the default one where it declares none, or something that is no share."""
        told = round.get("review")
        if not isinstance(told, Mapping):
            return cls()
        try:
            share = float(told.get("share", cls.share))
        except (TypeError, ValueError):
            share = cls.share
        return cls(told.get("second") is True, share if 0 <= share <= 1 else cls.share)

    @property
    def document(self) -> dict[str, Any]:
        """The rule as a round document holds it."""
        return {"second": self.second, "share": f"{self.share:g}"}


class Waiting(NamedTuple):
    """An interview that waits for a decision and that nothing speaks against."""

    interview: str
    enumerator: str
    first: bool
    """Whether it is the first one that this person made."""


def kept_for_reading(waiting: Iterable[Waiting], share: float, seed: str) -> set[str]:
    """Which of these a person reads before they are approved: everybody's first interview, and the share drawn by the
    seed.

    Whether one is drawn follows from the seed and its own id alone. So a second pass keeps what the first one kept,
    whatever came meanwhile, and nobody can tell beforehand which it will be.
    """
    return {one.interview for one in waiting if one.first or _chance(one.interview, seed) < share}


def _chance(interview: str, seed: str) -> float:
    """The number from 0 up to 1 that the seed gives an interview."""
    return int.from_bytes(sha256(f"{seed}\x1f{interview}".encode()).digest()[:8]) / 2**64
