"""What is current, in one place: derived by a pure fold from what happened, read, decided on, and proved."""

from survey.store.decisions import decide, erase, settle
from survey.store.derived import rebuild
from survey.store.findings import Finding, findings
from survey.store.fold import fold
from survey.store.reading import conflicts, content, decisions, document_bytes, interviews, responses

__all__ = [
    "Finding",
    "conflicts",
    "content",
    "decide",
    "decisions",
    "document_bytes",
    "erase",
    "findings",
    "fold",
    "interviews",
    "rebuild",
    "responses",
    "settle",
]
