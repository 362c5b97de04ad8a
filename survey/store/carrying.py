"""A draft carried from one version of its questionnaire to another, wholly or not at all."""

from __future__ import annotations

from datetime import datetime

from survey.errors import InputError
from survey.questionnaire.carry import Carried, carry
from survey.questionnaire.model import Questionnaire, Value
from survey.store import drafts, frame
from survey.store.store import Store
from survey.text import Text


def carry_draft(store: Store, interview: str, questionnaire_hash: str, now: datetime | None = None) -> Carried:
    """Puts an open draft under the version ``questionnaire_hash`` of its questionnaire, in one transaction.

    What does not fit stays in the draft, put aside under the old version's hash, and is sealed with it off the path.
    InputError when there is no such draft, or one of the two versions is not on this machine.
    """
    with store.transaction():
        answers = drafts.answers(store, interview)
        row = drafts.draft(store, interview)
        assert row is not None
        old, new = (_version(store, hash) for hash in (row["questionnaire_hash"], questionnaire_hash))
        carried = carry(old, new, answers)
        if new.hash != old.hash:
            gone: dict[str, Value | None] = dict.fromkeys(path for path in answers if path not in carried.answers)
            drafts.change_version(store, interview, questionnaire_hash, {**gone, **carried.answers}, now=now)
    return carried


def _version(store: Store, hash: str) -> Questionnaire:
    compiled = frame.questionnaire(store, hash)
    if compiled is None:
        raise InputError(
            hash,
            Text("máy này không có bảng hỏi với mã này", "no questionnaire with this hash is on this machine"),
            Text("nạp tệp đợt khảo sát có bản ấy", "load the round file that has that version"),
        )
    return Questionnaire.from_json(compiled)
