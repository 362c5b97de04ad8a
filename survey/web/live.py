"""Chỉ số tạm tính: what the index says so far, for those who steer fieldwork. Needs the analysis part of a desk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flask import Blueprint, g, render_template, request

from survey.errors import SurveyError
from survey.store import backcheck, frame
from survey.store.commune import closed_units
from survey.web import words
from survey.web.desk import asked_round, place_name, store
from survey.web.words import t

if TYPE_CHECKING:
    from analysis.live import Area

pages = Blueprint("live", __name__)


@pages.get("/live")
def page() -> str:
    """The communes of a round with their score so far, its interval, and how many more interviews are needed."""
    rounds = [one for one in frame.rounds(store()) if not one.get(backcheck.OF)]
    round = asked_round(rounds)
    margin, trouble = _margin(request.args.get("margin", ""))
    shown: dict[str, Any] = {}
    if round and not trouble:
        try:
            shown = _live(round["id"], margin)
        except ModuleNotFoundError:
            trouble = t("Máy này chưa cài phần phân tích.", "The analysis part is not installed on this machine.")
        except SurveyError as error:
            trouble = words.advice(error.problem)
    return render_template("live.html", rounds=rounds, round=round, trouble=trouble, **shown)


def _margin(told: str) -> tuple[float | None, str]:
    if not told.strip():
        return None, ""
    try:
        margin = float(told.replace(",", "."))
    except ValueError:
        margin = 0.0
    if not 0 < margin < float("inf"):
        return None, t("Sai số mong muốn phải là số lớn hơn 0.", "The wanted margin must be a number above 0.")
    return margin, ""


def _live(round: str, margin: float | None) -> dict[str, Any]:
    from analysis import dataset
    from analysis.live import PROVISIONAL, live

    data = dataset.load(store(), round, ("sealed", "approved"))
    names = {str(unit.get("commune", "")): place_name(unit, "commune") for unit in frame.units(store(), round)}
    found = live(data, margin=margin, closed=closed_units(store(), g.person), names=list(names.items()))
    bars = _bars(found.areas)
    return {
        "provisional": PROVISIONAL(words.interface()),
        "label": found.label(words.interface()),
        "wanted": words.decimal(found.wanted),
        "left_out": found.left_out,
        "areas": [
            {
                "name": t("Tất cả", "All") if area.domain == "all" else area.name,
                "whole": area.domain == "all",
                "n": area.n,
                "effective": _shown(area.effective, 0),
                "estimate": _shown(area.estimate),
                "interval": f"{_shown(area.low)} – {_shown(area.high)}" if area.low is not None else "–",
                "margin": _shown(area.margin),
                "more": _shown(area.more, 0),
                "bar": bars.get(area.domain),
            }
            for area in found.areas
        ],
    }


def _bars(areas: Sequence[Area]) -> dict[str, tuple[float, ...]]:
    """Where low end, score and high end lie on one scale for all areas, in per cent of the picture's width."""
    known = {
        area.domain: (area.low, area.estimate, area.high)
        for area in areas
        if area.low is not None and area.estimate is not None and area.high is not None
    }
    if not known:
        return {}
    least, most = min(one[0] for one in known.values()), max(one[2] for one in known.values())
    width = (most - least) or 1
    return {domain: tuple(round(100 * (one - least) / width, 1) for one in found) for domain, found in known.items()}


def _shown(value: float | None, places: int = 1) -> str:
    return "–" if value is None else words.decimal(value, places)
