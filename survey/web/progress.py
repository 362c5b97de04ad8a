"""Tiến độ: how far the sample of a round is, commune by commune. Numbers only: no name, no answer, no button."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from flask import Blueprint, render_template, request

from survey.fieldwork.dispositions import Case, Rates, grouped_rates
from survey.store import current, fieldlog, frame
from survey.web import words
from survey.web.desk import place_name, store
from survey.web.naming import natural
from survey.web.words import t

pages = Blueprint("progress", __name__)

FINISHED = frozenset({"sealed", "approved", "returned", "conflict"})
"""An interview in one of these was conducted to its end."""


@pages.get("/progress")
def page() -> str:
    """The rounds, and the communes of the chosen one."""
    rounds = frame.rounds(store())
    named = request.args.get("round", "")
    round = next((one for one in rounds if one.get("id") == named), rounds[0] if rounds else None)
    rows = _communes(str(round["id"])) if round else []
    return render_template("progress.html", rounds=rounds, round=round, rows=rows)


def _communes(round: str) -> list[dict[str, Any]]:
    """One row a commune and one for all of them: units to interview, how they ended, interviews approved, rates."""
    cases = fieldlog.cases(store(), round)
    names = {str(unit.get("commune", "")): place_name(unit, "commune") for unit, _ in cases}
    communes = {str(unit["id"]): str(unit.get("commune", "")) for unit, _ in cases}
    states: dict[str, Counter[str]] = defaultdict(Counter)
    untouched = Counter(group for unit, code in cases if code == "3.11" for group in {str(unit.get("commune", "")), ""})
    for row in current.interviews(store(), round):
        for group in {communes.get(row["unit"], ""), ""}:
            states[group][row["state"]] += 1
    grouped = grouped_rates(Case(code, str(unit.get("commune", ""))) for unit, code in cases)
    rows = [
        _row(names.get(code, code), rates, states[code], untouched[code]) for code, rates in grouped.items() if code
    ]
    rows.sort(key=lambda row: natural(row["name"]))
    return [*rows, _row("", grouped[""], states[""], untouched[""])] if cases else []


def _row(name: str, rates: Rates, states: Counter[str], untouched: int) -> dict[str, Any]:
    counts = rates.counts
    return {
        "name": name or t("Tất cả", "All"),
        "whole": not name,
        "units": int(sum(counts.values()) + rates.open),
        "finished": sum(states[state] for state in FINISHED),
        "approved": states["approved"],
        "untouched": untouched,
        "refused": int(counts["R"]),
        "absent": int(counts["NC"]),
        "waiting": int(rates.open),
        "response": _percent(rates.rates["RR3"]),
        "refusal": _percent(rates.rates["REF2"]),
    }


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{words.decimal(share * 100)} %"
