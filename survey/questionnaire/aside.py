"""Where an answer is put aside that the present version of its questionnaire does not take: under the hash of the
version that asked it, ``sha256:…/b1/econ_a1``. No question has such a path, so the answer is off the path."""

from __future__ import annotations

import re

_ASIDE = re.compile(r"(sha256:[0-9a-f]{64})/(.+)", re.DOTALL)


def aside(hash: str, path: str) -> str:
    """The path under which the answer at ``path`` of the version ``hash`` is put aside."""
    return f"{hash}/{path}"


def version_of(path: str) -> tuple[str, str]:
    """(hash, path) of an answer that is put aside; ``("", path)`` for any other."""
    match = _ASIDE.fullmatch(path)
    return (match.group(1), match.group(2)) if match else ("", path)
