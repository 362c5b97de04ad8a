"""What an enumerator adds to the answers of a draft: a comment at a question. Sealed in the part ``paradata``.

Only :mod:`survey.store.drafts` writes here, inside its transactions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from survey.errors import InputError
from survey.store.store import Store
from survey.text import Text, nfc

LONGEST = 2_000
"""Characters (in NFC) that a comment may have."""


def tidy(comment: str) -> str:
    """A comment as it is kept: NFC, one kind of line end, no blanks around it. InputError when it is too long."""
    comment = nfc(comment.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if len(comment) > LONGEST:
        raise InputError(
            "comment",
            Text(
                f"ghi chú dài {len(comment)} ký tự, nhiều nhất là {LONGEST}",
                f"the comment has {len(comment)} characters, at most {LONGEST} fit",
            ),
            Text("viết ngắn lại", "make it shorter"),
        )
    return comment


def comments(store: Store, interview: str) -> dict[str, str]:
    """path -> comment of an open draft."""
    rows = store.execute("SELECT path, comment FROM draft_comments WHERE interview = ? ORDER BY path", (interview,))
    return dict(rows.fetchall())


def put_comment(store: Store, interview: str, path: str, comment: str) -> bool:
    """Writes the comment at a question of a draft, or takes it away when it is empty; whether anything changed."""
    if not comment:
        cursor = store.execute("DELETE FROM draft_comments WHERE interview = ? AND path = ?", (interview, path))
    else:
        cursor = store.execute(
            "INSERT INTO draft_comments (interview, path, comment) VALUES (?, ?, ?)"
            " ON CONFLICT (interview, path) DO UPDATE SET comment = excluded.comment"
            " WHERE comment <> excluded.comment",
            (interview, path, comment),
        )
    return bool(cursor.rowcount)


def sealed_comments(paradata: Mapping[str, Any]) -> dict[str, str]:
    """path -> comment of an interview's part ``paradata``."""
    found = paradata.get("comments")
    if not isinstance(found, dict):
        return {}
    return {path: words for path, words in found.items() if isinstance(words, str) and words}


def bring(store: Store, interview: str, paradata: Mapping[str, Any]) -> None:
    """Puts what an interview's ``paradata`` holds into the draft that goes on with it."""
    for path, words in sealed_comments(paradata).items():
        put_comment(store, interview, path, nfc(words))


def written(store: Store, interview: str) -> dict[str, Any]:
    """The keys that a draft's remarks add to ``paradata``; none where nothing was remarked."""
    found = comments(store, interview)
    return {"comments": found} if found else {}
