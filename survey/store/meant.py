"""What of a merge is meant for this machine: a hub keeps all that comes, a laptop what its people need for their work.

What another store may be given is :mod:`survey.store.scope`; this is the second lock on the same door.
"""

from __future__ import annotations

import json

from survey.store.entry import Entry
from survey.store.header import CONTENT_KINDS, Header
from survey.store.reading import document_bytes
from survey.store.store import Store


class Meant:
    """As this store knows it now."""

    def __init__(self, store: Store):
        self.store = store
        own = document_bytes(store, "device", store.device) if store.role == "device" else None
        self._named: list[str] = (json.loads(own).get("people") or []) if own else []

    def for_us(self, header: Header) -> bool:
        """A laptop keeps the content of its own interviews, and of units assigned to people who work on it; what
        others were told is not its business. Headers, documents and decisions it keeps all."""
        store = self.store
        if store.role == "hub" or header.kind not in CONTENT_KINDS or header.device == store.device:
            return True
        return bool(
            store.value(
                "SELECT EXISTS (SELECT 1 FROM documents u WHERE u.subject_type = 'unit' AND u.subject = ?"
                "  AND u.assignee IN (SELECT user FROM sign_ins WHERE was_here UNION SELECT value FROM json_each(?)))"
                " OR EXISTS (SELECT 1 FROM drafts WHERE interview = ?)"
                " OR EXISTS (SELECT 1 FROM revisions r JOIN feeds f ON f.number = r.feed"
                "  WHERE r.subject = ? AND r.subject_type = 'interview' AND f.device = ?)",
                (header.target, json.dumps(self._named), header.subject, header.subject, store.device),
            )
        )

    def to_call_on(self, entry: Entry) -> bool:
        """Whether a laptop whose people are named keeps who lives at a sample unit: only at those people's units."""
        if entry.header.subject_type != "unit" or not self._named or "document" not in entry.parts:
            return True
        try:
            assignee = json.loads(entry.part("document")).get("assignee")
        except (ValueError, AttributeError, RecursionError):
            return False
        here = self.store.value("SELECT 1 FROM sign_ins WHERE user = ? AND was_here", (str(assignee),))
        return assignee in self._named or here is not None
