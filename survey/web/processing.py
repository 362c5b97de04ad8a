"""The record of processing as one file for the dossier: HTML with both languages side by side, or JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from survey.text import Text
from survey.vocabulary import ACCESS, REQUESTS, ROLES, STATES, TIERS
from survey.web.handout import FIELDS, WAYS, document


def as_json(record: Mapping[str, Any]) -> str:
    """The record as JSON."""
    return json.dumps(record, ensure_ascii=False, indent=2) + "\n"


def as_html(record: Mapping[str, Any]) -> str:
    """The record as a page to print, sign and keep."""
    return document("processing.html").render(
        **record,
        both=_both,
        moment=lambda time: str(time)[:16].replace("T", " "),
        states=STATES,
        roles=ROLES,
        tiers=TIERS,
        ways=WAYS,
        fields=FIELDS,
        actions=ACCESS,
        kinds=REQUESTS,
    )


def _both(value: Any) -> Text:
    """Words of a document in both languages, where it has only one in that one."""
    if isinstance(value, Mapping):
        first = str(next(iter(value.values()), ""))
        return Text(str(value.get("vi") or first), str(value.get("en") or value.get("vi") or first))
    return Text(str(value), str(value))
