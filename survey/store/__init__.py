"""The store: the only place with SQL. Immutable revisions, drafts, the frame, and what is derived from them."""

from survey.store.store import Store

__all__ = ["Store"]
