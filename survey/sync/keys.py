"""Keys: a device signs what it writes; a round's key signs the round's documents and certifies its devices.

A key's fingerprint is what two people compare, once, by eye or by voice.
"""

from __future__ import annotations

from pathlib import Path

from survey.store.certificates import certified_by, certify, sign_document, signed_by
from survey.store.signing import SigningKey, device_id, fingerprint, verify

__all__ = [
    "SigningKey",
    "certified_by",
    "certify",
    "device_id",
    "fingerprint",
    "read_aloud",
    "round_key",
    "sign_document",
    "signed_by",
    "verify",
]

ROUND_KEY = Path("keys", "round.key")


def round_key(folder: str | Path, *, create: bool = False) -> SigningKey | None:
    """The round key in an instance folder; made when there is none and ``create`` is given, else None."""
    file = Path(folder) / ROUND_KEY
    if file.exists():
        return SigningKey.load(file)
    return SigningKey.create(file) if create else None


def read_aloud(fingerprint: str) -> str:
    """A fingerprint in groups of four, upper case: ``AB12 CD34 …``."""
    text = fingerprint.upper()
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4))
