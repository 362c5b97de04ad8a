"""What an enumerator adds to the answers of a draft: a comment at a question, a reason why an unusual answer stays.
Sealed in the part ``paradata``.

Only :mod:`survey.store.drafts` writes here, inside its transactions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from survey.errors import InputError
from survey.store.store import Store
from survey.text import Text, nfc

LONGEST = 2_000
"""Characters (in NFC) that a comment or a reason may have."""


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


def reasons(store: Store, interview: str) -> dict[str, str]:
    """path -> why an unusual answer of a draft stays. A reason counts for the answer it was given for alone."""
    return {path: said["reason"] for path, said in _kept(store, interview).items()}


def _kept(store: Store, interview: str) -> dict[str, dict[str, Any]]:
    rows = store.execute(
        "SELECT k.path, k.reason, k.value FROM draft_kept k JOIN draft_answers a"
        " ON a.interview = k.interview AND a.path = k.path AND a.value = k.value"
        " WHERE k.interview = ? ORDER BY k.path",
        (interview,),
    )
    return {path: {"reason": reason, "value": json.loads(value)} for path, reason, value in rows}


def put_reason(store: Store, interview: str, path: str, reason: str) -> bool:
    """Writes why the answer that stands at a question of a draft is kept, or takes the reason away when it is empty;
    whether anything changed."""
    if not reason:
        cursor = store.execute("DELETE FROM draft_kept WHERE interview = ? AND path = ?", (interview, path))
    else:
        cursor = store.execute(
            "INSERT INTO draft_kept (interview, path, value, reason)"
            " SELECT interview, path, value, ? FROM draft_answers WHERE interview = ? AND path = ?"
            " ON CONFLICT (interview, path) DO UPDATE SET value = excluded.value, reason = excluded.reason"
            " WHERE value <> excluded.value OR reason <> excluded.reason",
            (reason, interview, path),
        )
    return bool(cursor.rowcount)


def sealed_reasons(paradata: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """path -> ``reason`` and ``value`` of the unusual answers that an interview's ``paradata`` explains."""
    found = paradata.get("kept")
    if not isinstance(found, dict):
        return {}
    return {
        path: said
        for path, said in found.items()
        if isinstance(said, dict) and isinstance(said.get("reason"), str) and said["reason"] and "value" in said
    }


def sealed_comments(paradata: Mapping[str, Any]) -> dict[str, str]:
    """path -> comment of an interview's part ``paradata``."""
    found = paradata.get("comments")
    if not isinstance(found, dict):
        return {}
    return {path: words for path, words in found.items() if isinstance(words, str) and words}


def bring(store: Store, interview: str, paradata: Mapping[str, Any]) -> None:
    """Puts what an interview's ``paradata`` holds into the draft that goes on with it, its answers being there."""
    for path, words in sealed_comments(paradata).items():
        put_comment(store, interview, path, nfc(words))
    for path in sealed_flags(paradata) - flags(store, interview):
        turn_flag(store, interview, path)
    for path in sealed_alone(paradata):
        put_alone(store, interview, path)
    answers = store.execute("SELECT path, value FROM draft_answers WHERE interview = ?", (interview,))
    given = {path: json.loads(value) for path, value in answers.fetchall()}
    for path, said in sealed_reasons(paradata).items():
        if path in given and given[path] == said["value"]:
            put_reason(store, interview, path, nfc(said["reason"]))


def flags(store: Store, interview: str) -> frozenset[str]:
    """The paths of an open draft that the enumerator marked to come back to."""
    rows = store.execute("SELECT path FROM draft_flags WHERE interview = ?", (interview,))
    return frozenset(path for (path,) in rows)


def turn_flag(store: Store, interview: str, path: str) -> bool:
    """Sets the mark at a path, or takes it away where it is set; whether it is set now."""
    gone = store.execute("DELETE FROM draft_flags WHERE interview = ? AND path = ?", (interview, path)).rowcount
    if not gone:
        store.execute("INSERT INTO draft_flags (interview, path) VALUES (?, ?)", (interview, path))
    return not gone


def sealed_flags(paradata: Mapping[str, Any]) -> frozenset[str]:
    """The paths that an interview's ``paradata`` calls marked to come back to."""
    return _paths(paradata.get("flags"))


def _paths(found: Any) -> frozenset[str]:
    return frozenset(path for path in found if isinstance(path, str)) if isinstance(found, list) else frozenset()


def alone(store: Store, interview: str) -> frozenset[str]:
    """The paths of an open draft that the respondent answered alone, unseen by the enumerator."""
    rows = store.execute("SELECT path FROM draft_alone WHERE interview = ?", (interview,))
    return frozenset(path for (path,) in rows)


def put_alone(store: Store, interview: str, path: str) -> bool:
    """Notes that the respondent answered alone at ``path``; whether that is new."""
    return bool(
        store.execute("INSERT OR IGNORE INTO draft_alone (interview, path) VALUES (?, ?)", (interview, path)).rowcount
    )


def take_alone(store: Store, interview: str, path: str) -> None:
    """Takes that note away."""
    store.execute("DELETE FROM draft_alone WHERE interview = ? AND path = ?", (interview, path))


def sealed_alone(paradata: Mapping[str, Any]) -> frozenset[str]:
    """The paths that an interview's ``paradata`` calls answered by the respondent alone."""
    return _paths(paradata.get("self_completed"))


def written(store: Store, interview: str) -> dict[str, Any]:
    """The keys that a draft's remarks add to ``paradata``; none where nothing was remarked."""
    found = {
        "comments": comments(store, interview),
        "kept": _kept(store, interview),
        "self_completed": sorted(alone(store, interview)),
        "flags": sorted(flags(store, interview)),
    }
    return {name: said for name, said in found.items() if said}
