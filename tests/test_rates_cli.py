"""``survey round rates``: AAPOR rates of a round from what is in the store."""

from __future__ import annotations

import json
from collections.abc import Callable

from click.testing import Result

from survey.store import Store, current, frame
from tests import field

Survey = Callable[..., Result]


def visit(store: Store, unit: str, code: str, at: str, interview: str = "") -> None:
    body = {"unit": unit, "round": field.ROUND, "disposition": code, "time": f"2026-11-23T{at}"}
    identity = frame.new_id("visit")
    frame.issue(store, "visit", identity, {"id": identity, **body, **({"interview": interview} if interview else {})})


def test_rates_come_from_visits_and_interviews_and_leave_untouched_reserve_units_out(device: Store, survey: Survey):
    field.set_up(device, field.small())
    interview = field.sealed(device, "u1", field.small())
    visit(device, "u2", "2.24", "08:00")
    visit(device, "u2", "2.112", "17:00")
    (whole,) = json.loads(survey("round", "rates", "--json").output)["rates"]
    assert (whole["RR1"], whole["REF1"], whole["COOP1"]) == (1 / 3, 1 / 3, 1 / 2)
    assert whole["counts"] == {"I": 1, "P": 0, "R": 1, "NC": 0, "O": 0, "UH": 1, "UO": 0, "NE": 0}
    visit(device, "u1", "1.1", "09:00", interview)
    current.decide(device, interview, "voided", reason="không có thật")
    (whole,) = json.loads(survey("round", "rates", "--json").output)["rates"]
    assert whole["RR1"] == 0


def test_rates_by_any_column_of_the_frame_and_weighted(device: Store, survey: Survey):
    field.set_up(device, field.small())
    for unit, village, probability in (("u1", "A", "0.5"), ("u2", "A", "0.1"), ("u3", "B", "0.5")):
        body = {**field.unit_document(unit, 1), "village": village, "probability": probability}
        frame.issue(device, "unit", unit, body, {"name": unit})
    visit(device, "u1", "1.1", "08:00")
    visit(device, "u2", "2.112", "08:00")
    visit(device, "u3", "1.1", "08:00")
    found = json.loads(survey("round", "rates", "--by", "village", "--weighted", "--json").output)["rates"]
    assert [(row["group"], row["RR1"]) for row in found] == [("A", 2 / 12), ("B", 1.0), ("", 4 / 14)]
    shown = survey("round", "rates", "--by", "village", "--all").output
    assert "CON3" in shown
    assert "50.0 %" in shown


def test_a_column_that_is_not_there_is_named(device: Store, survey: Survey):
    field.set_up(device, field.small())
    wrong = survey("round", "rates", "--by", "thon")
    assert wrong.exit_code == 2
    assert "--by thon: sample units have no such column" in wrong.output
    assert "no probability of selection" in survey("round", "rates", "--weighted").output
