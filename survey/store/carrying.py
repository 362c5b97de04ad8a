"""A draft carried from one version of its questionnaire to another, wholly or not at all."""

from __future__ import annotations

from datetime import datetime

from survey.questionnaire.carry import Carried, carry
from survey.questionnaire.model import Questionnaire, Value
from survey.store import drafts, frame
from survey.store.store import Store


def carry_draft(store: Store, interview: str, questionnaire_hash: str, now: datetime | None = None) -> Carried:
    """Puts an open draft under the version ``questionnaire_hash`` of its questionnaire, in one transaction.

    What does not fit stays in the draft, put aside under the old version's hash, and is sealed with it off the path.
    InputError when there is no such draft, or one of the two versions is not on this machine.
    """
    with store.transaction():
        answers = drafts.answers(store, interview)
        row = drafts.draft(store, interview)
        assert row is not None
        hashes = (str(row["questionnaire_hash"]), questionnaire_hash)
        old, new = (Questionnaire.from_json(frame.compiled(store, hash)) for hash in hashes)
        carried = carry(old, new, answers)
        if new.hash != old.hash:
            gone: dict[str, Value | None] = dict.fromkeys(path for path in answers if path not in carried.answers)
            drafts.change_version(store, interview, questionnaire_hash, {**gone, **carried.answers}, now=now)
    return carried
