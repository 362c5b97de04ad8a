"""What does not verify is kept by name, apart, until a good copy of the same thing comes."""

from __future__ import annotations

from survey.errors import Problem
from survey.store.header import hash_text
from survey.store.store import Store
from survey.text import Text

GET_AGAIN = Text(
    "lấy lại từ máy gốc; phần còn lại đã được nhận", "get it again from the device that made it; the rest was merged"
)


def set_aside(store: Store, name: str, content: bytes, reason: Text, source: str) -> None:
    """Keeps bytes that do not verify, under a name, until a good copy of the same thing comes."""
    store.execute(
        "INSERT OR IGNORE INTO quarantine (name, hash, reason_vi, reason_en, source, content)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (name, hash_text(content), reason.vi, reason.en, source, content),
    )


def clear_quarantine(store: Store, name: str) -> None:
    """Forgets what was set aside under a name, now that a good copy came."""
    store.execute("DELETE FROM quarantine WHERE name = ?", (name,))


def quarantine(store: Store) -> list[tuple[str, Problem]]:
    """Everything that is set aside now, by name."""
    rows = store.rows("SELECT name, reason_vi, reason_en, source FROM quarantine ORDER BY name, hash")
    return [
        (row["name"], Problem(_where(row["source"], row["name"]), Text(row["reason_vi"], row["reason_en"]), GET_AGAIN))
        for row in rows
    ]


def _where(source: str, name: str) -> str:
    return source if source.endswith(name) else f"{source}: {name}" if source else name
