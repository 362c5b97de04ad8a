"""What does not verify is kept by name, apart, until a good copy of it comes or a person has settled it."""

from __future__ import annotations

from datetime import datetime

from survey.errors import InputError, Problem
from survey.store.header import hash_text
from survey.store.store import Store, now_text
from survey.text import Text

GET_AGAIN = Text(
    "lấy lại từ máy gốc; phần còn lại đã được nhận", "get it again from the device that made it; the rest was merged"
)


OPEN = "FROM quarantine q WHERE NOT EXISTS (SELECT 1 FROM dismissed d WHERE d.name = q.name AND d.hash = q.hash)"
"""What is set aside, and no person has dismissed."""


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


def is_dismissed(store: Store, name: str, content: bytes) -> bool:
    """Whether a person has already dismissed exactly these bytes under this name."""
    sql = "SELECT 1 FROM dismissed WHERE name = ? AND hash = ?"
    return store.value(sql, (name, hash_text(content))) is not None


def dismiss(store: Store, name: str, reason: str, actor: str = "", *, now: datetime | None = None) -> None:
    """Notes on this machine that a person has settled what is set aside under ``name``, and why; the bytes stay.

    From then on it needs nobody. Other bytes under the same name are told again. InputError when nothing open has this
    name, or without a reason.
    """
    if not reason.strip():
        raise InputError(
            name,
            Text("chưa ghi lý do", "there is no reason"),
            Text("ghi một câu: đã giải quyết thế nào", "write a sentence that says how it was settled"),
        )
    with store.transaction():
        hashes = [row["hash"] for row in store.rows(f"SELECT q.hash {OPEN} AND q.name = ?", (name,))]
        if not hashes:
            raise InputError(
                name,
                Text("không có gì đang để riêng dưới tên này", "nothing that is set aside has this name"),
                Text("xem: survey quarantine list", "see: survey quarantine list"),
            )
        store.executemany(
            "INSERT INTO dismissed (name, hash, reason, actor, time) VALUES (?, ?, ?, ?, ?)",
            [(name, hash, reason.strip(), actor, now_text(now)) for hash in hashes],
        )


def quarantine(store: Store) -> list[tuple[str, Problem]]:
    """Everything that is set aside now and that no person has dismissed, by name."""
    rows = store.rows(f"SELECT q.name, q.reason_vi, q.reason_en, q.source {OPEN} ORDER BY q.name, q.hash")
    return [
        (row["name"], Problem(_where(row["source"], row["name"]), Text(row["reason_vi"], row["reason_en"]), GET_AGAIN))
        for row in rows
    ]


def _where(source: str, name: str) -> str:
    return source if source.endswith(name) else f"{source}: {name}" if source else name
