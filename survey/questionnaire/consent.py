"""What a person was told before consenting, and that they consented. Pure."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from survey.questionnaire.path import Path

QUESTION = "consent"
REFUSED = "no"
"""The gate: the question of this name answered so. Then only the visit and its disposition may remain."""


def record(path: Path, language: str) -> dict[str, Any]:
    """``question, answer, version`` (of the questionnaire), ``language`` and ``text``, the SHA-256 of what was read out
    up to and with the question of consent, line by line; empty where none was asked or nothing answered."""
    told: list[str] = []
    for entry in path.entries:
        if not entry.relevant or entry.node.kind != "question":
            continue
        told.append(entry.label(language))
        if entry.node.name == QUESTION:
            if not entry.is_answered:
                return {}
            said = "\n".join(line for line in told if line)
            return {
                "question": entry.path,
                "answer": entry.value,
                "version": path.questionnaire.version,
                "language": language,
                "text": "sha256:" + sha256(said.encode("utf-8")).hexdigest(),
            }
    return {}
