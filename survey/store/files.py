"""Photographs, sound and other files given as answers: bytes by their hash, beside a draft, then beneath its revision.

The answer itself is the file's name: its SHA-256 in hexadecimal and the ending of its kind, ``3f2a….jpg``. So the name
says for ever which bytes it means, and tells nothing about the person whose telephone took the picture.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from survey.store import feed
from survey.store.store import Store

_NAME = re.compile(r"([0-9a-f]{64})\.[a-z0-9]{1,8}")


def name_of(content: bytes, ending: str) -> str:
    """The answer that stands for these bytes."""
    return f"{sha256(content).hexdigest()}.{ending}"


def hash_of(answer: Any) -> str:
    """The blob that an answer means, as ``sha256:…``; empty for any other answer."""
    found = _NAME.fullmatch(answer) if isinstance(answer, str) else None
    return f"sha256:{found[1]}" if found else ""


def put(store: Store, interview: str, content: bytes) -> None:
    """Keeps a file of an open draft; when this returns it is on disk."""
    row = (interview, f"sha256:{sha256(content).hexdigest()}", content)
    with store.transaction():
        store.execute("INSERT OR IGNORE INTO draft_files (interview, hash, content) VALUES (?, ?, ?)", row)


def content(store: Store, interview: str, answer: Any) -> bytes | None:
    """The bytes that an answer of this interview means, from its draft or from what was sealed; None when not here."""
    hash = hash_of(answer)
    found = store.value("SELECT content FROM draft_files WHERE interview = ? AND hash = ?", (interview, hash))
    if found is None:
        found = store.value(
            "SELECT p.content FROM parts p JOIN revisions r ON r.number = p.revision"
            " WHERE r.subject_type = 'interview' AND r.subject = ? AND p.name = ? LIMIT 1",
            (interview, hash),
        )
    return None if found is None else bytes(found)


def is_here(store: Store, interview: str, answer: Any) -> bool:
    """Whether the sealed bytes that an answer means have come to this machine, without reading them."""
    return bool(
        store.value(
            "SELECT count(*) FROM parts p JOIN revisions r ON r.number = p.revision"
            " WHERE r.subject_type = 'interview' AND r.subject = ? AND p.name = ?",
            (interview, hash_of(answer)),
        )
    )


def of_answers(store: Store, interview: str, answers: Iterable[Any]) -> dict[str, bytes | None]:
    """What a revision with these answers carries: file by hash, None for one that this machine was never given.

    Only what looks like a file's name *and* is known here as a file of this interview counts: a text that somebody
    wrote like one is text.
    """
    wanted = {hash for answer in answers if (hash := hash_of(answer))}
    if not wanted:
        return {}
    named = {
        hash for header in feed.revisions(store, "interview", interview) for hash in header.blobs if hash in wanted
    }
    held = {hash: content(store, interview, f"{hash.removeprefix('sha256:')}.bin") for hash in wanted}
    return {hash: found for hash, found in held.items() if found is not None or hash in named}


def of_questionnaire(store: Store, questionnaire_hash: str, hash: str) -> bytes | None:
    """A picture or recording of a questionnaire; None when it has not come to this machine."""
    found = store.value(
        "SELECT p.content FROM parts p JOIN revisions r ON r.number = p.revision"
        " WHERE r.subject_type = 'questionnaire' AND r.subject = ? AND p.name = ? LIMIT 1",
        (questionnaire_hash, hash),
    )
    return None if found is None else bytes(found)
