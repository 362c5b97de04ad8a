"""A small round on a laptop, for the tests of the pages: people with PINs, a questionnaire, sample units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from survey.questionnaire.model import Questionnaire
from survey.store import Store, frame

PIN = "246813"
ROUND = "r2026"
HOA, LAN, BINH = "phoa", "plan", "pbinh"

PEOPLE = (
    (HOA, "Lò Thị Hoa", ["enumerator"]),
    (LAN, "Nguyễn Thị Lan", ["supervisor"]),
    (BINH, "Trần Văn Bình", ["statistician"]),
)

RESPONDENTS = (
    ("u1", "Đặng Thị Hoà", "main"),
    ("u2", "Quàng Văn Ơn", "main"),
    ("u3", "Lường Thị Phượng", "main"),
    ("u4", "Cà Văn Đức", "reserve"),
)


def set_up(store: Store, questionnaire: Questionnaire, people: Sequence[tuple[str, str, list[str]]] = PEOPLE) -> None:
    """Puts people, questionnaire, round and units into a store, the way a round file brings them."""
    pin = frame.hash_pin(PIN)
    for user, name, roles in people:
        frame.issue(store, "user", user, {"id": user, "name": name, "roles": roles, "pin": pin})
    frame.issue(store, "questionnaire", questionnaire.hash, questionnaire.to_json())
    frame.issue(
        store,
        "round",
        ROUND,
        {
            "id": ROUND,
            "title": {"vi": "SIPAS 2026", "en": "SIPAS 2026"},
            "questionnaire_hash": questionnaire.hash,
            "index": questionnaire.id,
            "level": "0.95",
            "synthetic": True,
        },
    )
    for order, (unit, name, kind) in enumerate(RESPONDENTS, start=1):
        frame.issue(store, "unit", unit, unit_document(unit, order, kind), {"name": name, "address": "Bản Khoang"})


def unit_document(unit: str, order: int, kind: str = "main") -> dict[str, Any]:
    """One sample unit of the round, given to the enumerator."""
    return {
        "id": unit,
        "round": ROUND,
        "list": kind,
        "order": order,
        "province": "14",
        "province_name": "Sơn La",
        "commune": "03646",
        "commune_name": "xã Chiềng Mung",
        "village": "03646-07",
        "village_name": "bản Khoang",
        "stratum": "rural",
        "psu": "03646-07",
        "urban_rural": "rural",
        "assignee": HOA,
    }
