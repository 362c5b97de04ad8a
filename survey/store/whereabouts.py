"""Where the interviews are: how many this machine holds, and how many a hub of each tier has confirmed."""

from __future__ import annotations

from math import inf

from survey.store import board, progress
from survey.store.store import TIERS, Store
from survey.store.where import Where

# An interview of which only the header is here (another laptop's) is not kept here.
_COUNTED = """
    state NOT IN ('draft', 'partial', 'erased') AND EXISTS (
        SELECT 1 FROM json_each(interviews.heads) h
        JOIN revisions r ON r.subject = interviews.interview AND 'sha256:' || lower(hex(r.id)) = h.value
        JOIN parts p ON p.revision = r.number AND p.name = 'answers'
    )
"""

_REACHED = f"""
    SELECT count(*) FROM interviews WHERE {_COUNTED} AND NOT EXISTS (
        SELECT 1 FROM json_each(interviews.heads) h WHERE NOT EXISTS (
            SELECT 1 FROM revisions r JOIN receipted c ON c.revision = r.number
            WHERE r.subject = interviews.interview AND 'sha256:' || lower(hex(r.id)) = h.value AND c.tier = ?
        )
    )
"""


def whereabouts(store: Store, seconds: float = inf) -> dict[str, int]:
    """Interviews with sealed content: ``device`` (held here), ``supervisor``, ``province``, ``ministry``.

    A tier counts an interview when every current version of it is in a receipt that verified, or when this machine
    itself stands at that tier. A hub may hold a hundred thousand, and every page shows these numbers: there they are
    counted from the board, brought up to date for some ``seconds`` at most, once there is one.
    """
    if store.role == "hub":
        board.refresh(store, seconds)
        if board.being_made(store) is None:
            return progress.safe(store, Where())
    here = int(store.value(f"SELECT count(*) FROM interviews WHERE {_COUNTED}"))
    return {
        "device": here,
        **{tier: here if tier == store.tier else int(store.value(_REACHED, (tier,))) for tier in TIERS[1:]},
    }


def reached(store: Store) -> dict[str, list[str]]:
    """For each interview with sealed content held here, the tiers that hold every current version of it, this store's
    own first (:func:`survey.store.receipts.safe_at` for all at once)."""
    found = {
        interview: [store.tier] for (interview,) in store.execute(f"SELECT interview FROM interviews WHERE {_COUNTED}")
    }
    rows = store.execute(
        "SELECT i.interview, c.tier FROM interviews i JOIN json_each(i.heads) h"
        " JOIN revisions r ON r.subject = i.interview AND 'sha256:' || lower(hex(r.id)) = h.value"
        " JOIN receipted c ON c.revision = r.number"
        " GROUP BY i.interview, c.tier HAVING count(DISTINCT r.number) = json_array_length(i.heads)"
    )
    for interview, tier in rows:
        if interview in found and tier not in found[interview]:
            found[interview].append(tier)
    return {interview: [tier for tier in TIERS if tier in tiers] for interview, tiers in found.items()}
