"""What is current, in one place: derived by a pure fold from what happened, read, decided on, and proved."""

from survey.store import board, derived
from survey.store.decisions import decide, settle
from survey.store.erasure import erase
from survey.store.findings import Finding, findings
from survey.store.fold import fold
from survey.store.reading import (
    asked_again,
    conflicts,
    content,
    decisions,
    document_bytes,
    interviewers,
    interviews,
    remarks_about,
    responses,
)
from survey.store.store import Store
from survey.store.verify import Report, verify

__all__ = [
    "Finding",
    "Report",
    "asked_again",
    "conflicts",
    "content",
    "decide",
    "decisions",
    "document_bytes",
    "erase",
    "findings",
    "fold",
    "interviewers",
    "interviews",
    "rebuild",
    "remarks_about",
    "responses",
    "settle",
    "verify",
]


def rebuild(store: Store) -> None:
    """Makes everything that is derived anew from the revisions; the board follows when it is next looked at."""
    with store.transaction():
        derived.rebuild(store)
        board.forget(store)
