"""What every template can say: two languages, dates, numbers, and the line on top."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.util import find_spec
from typing import Any

from flask import Flask, current_app, g, request, session, url_for
from werkzeug.local import LocalProxy

from survey.errors import Problem
from survey.store import frame
from survey.text import LANGUAGES, Text, plural
from survey.vocabulary import OBSERVER, STATES
from survey.web import desk, roles

TONGUES = {"vi": ("VI", "Tiếng Việt"), "en": ("EN", "English")}

SIZES = 3
"""How many sizes the letters of the pages come in."""

TONES = {"approved": "good", "returned": "look", "conflict": "look", "voided": "", "sealed": "", "draft": ""}

DOORS: tuple[tuple[str, Text], ...] = (
    ("today.page", Text("Hôm nay", "Today")),
    ("mine.page", Text("Việc của tôi", "My work")),
    ("practice.page", Text("Tập huấn", "Training")),
    ("paper.page", Text("Phiếu giấy", "Paper forms")),
    ("records.page", Text("Phiếu", "Interviews")),
    ("progress.page", Text("Tiến độ", "Progress")),
    ("backchecks.page", Text("Phúc tra", "Back-checks")),
    ("live.page", Text("Chỉ số tạm tính", "Index so far")),
    ("receive.page", Text("Nhận phiếu", "Receive")),
    ("handover.page", Text("Nộp phiếu", "Hand over")),
    ("plans.page", Text("Kế hoạch", "Plans")),
    ("scorecards.page", Text("Chấm điểm", "Scorecards")),
    ("people.page", Text("Người và máy", "People, laptops")),
    ("setting_up.page", Text("Lập đợt", "Set up")),
    ("personal.page", Text("Dữ liệu cá nhân", "Personal data")),
)


ON_HUBS = frozenset({"setting_up.page", "plans.page", "scorecards.page", "backchecks.page", "live.page"})
"""Doors that a field laptop has not got."""

AT_DESKS = frozenset({"plans.page", "scorecards.page"})
"""Doors to pages that need the analysis part."""


def at_desk() -> bool:
    """Whether the analysis part is installed here: a supervisor's hub does without."""
    return find_spec("pandas") is not None


def interface() -> str:
    """The language of the pages, ``vi`` or ``en``."""
    chosen = session.get("ui")
    return chosen if chosen in LANGUAGES else desk.desk().settings.language


def tongue() -> str:
    """The language in which questions are asked: one of the questionnaire's own, else that of the pages."""
    return str(session.get("tongue") or interface())


def t(vi: str, en: str) -> str:
    """The sentence in the language of the pages."""
    return vi if interface() == "vi" else en


def pick(words: Mapping[str, str] | None, language: str | None = None) -> str:
    """A label of a document (``{"vi": …, "en": …}``) in the wanted language, else in any that it has."""
    words = words or {}
    return words.get(language or interface()) or words.get("vi") or next(iter(words.values()), "")


def sentence(words: str) -> str:
    """``words`` with a capital letter and a full stop: error texts are written as parts of a line."""
    words = words.strip()
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "!", "?", ":")) else ".") if words else ""


def advice(problem: Problem) -> str:
    """What is wrong and what to do about it, in sentences; where it is, the page knows."""
    said = (sentence(part(interface())) for part in (problem.what, problem.todo))
    return " ".join(filter(None, said))


def moment(when: str | datetime | None) -> str:
    """A stored time as people write it: ``23/11/2026 14:05``."""
    if not when:
        return ""
    try:
        time = when if isinstance(when, datetime) else datetime.fromisoformat(when)
    except ValueError:
        return str(when)
    return time.strftime("%d/%m/%Y %H:%M") if interface() == "vi" else time.strftime("%d %b %Y, %H:%M")


def day(when: str) -> str:
    """A stored date or time as ``23/11/2026``."""
    return moment(when)[:10] if interface() == "vi" else moment(when).partition(",")[0]


def decimal(number: float, places: int = 1) -> str:
    """A number with the decimal sign of the language of the pages."""
    written = f"{number:,.{places}f}"
    return written.translate(str.maketrans(",.", ".,")) if interface() == "vi" else written


def whole(number: int) -> str:
    """A count with its thousands apart, in the manner of the language of the pages."""
    return decimal(number, 0)


def teach(app: Flask) -> None:
    """Gives the words to the templates."""
    app.jinja_env.filters.update(
        sentence=sentence, moment=moment, day=day, pick=pick, decimal=decimal, say=lambda text: text(interface())
    )

    @app.context_processor
    def words() -> dict[str, Any]:
        person = g.get("person")
        return {
            "t": t,
            "plural": plural,
            "ui": interface(),
            "tongue": tongue(),
            "tongues": [(code, *names) for code, names in g.get("tongues", TONGUES).items()],
            "person": person,
            # Counted only where a page shows it: the reply to an answer does not.
            "top": LocalProxy(cache(desk.top_line)) if person else None,
            "doors": doors() if person else [],
            "practising": bool(g.get("practising") or g.get("desk")),
            "here": request.full_path.rstrip("?") if request.method == "GET" else url_for("account.home"),
            "letters": session.get("size", 1),
            "largest_letters": SIZES,
            "version": current_app.config["ASSETS"],
            "states": STATES,
            "tones": TONES,
        }


def _has_use(endpoint: str, mine: frozenset[str]) -> bool:
    """Whether a page that a person may open has anything for them on this machine."""
    if endpoint in ("mine.page", "practice.page", "people.page"):
        # A supervisor's row of doors is full: from a hub the way to training is the page of people.
        return (desk.store().role == "hub") == (endpoint == "people.page")
    if endpoint == "today.page" and not mine & roles.FIELD:
        return bool(frame.units(desk.store(), assignee=g.person["id"]))
    if endpoint == "handover.page" and mine == {OBSERVER}:
        return desk.store().role == "device"
    if endpoint in AT_DESKS and not at_desk():
        return False
    return endpoint not in ON_HUBS or desk.store().role == "hub"


def doors() -> list[dict[str, Any]]:
    """The pages that this person may open, for the row of links."""
    mine = frozenset(g.person["roles"])
    blueprint = request.blueprint
    return [
        {"url": url_for(endpoint), "name": name(interface()), "here": endpoint.partition(".")[0] == blueprint}
        for endpoint, name in DOORS
        if roles.may(endpoint, mine) and _has_use(endpoint, mine)
    ]
