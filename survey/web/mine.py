"""Việc của tôi, an enumerator's own page: how far my units are, what came back, what was said about my interviews.
Help, not a ranking: nobody else's numbers are on it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, render_template

from survey.fieldwork.pace import Pace, pace
from survey.store import current, frame, lists, progress
from survey.store.progress import Group
from survey.store.where import Where
from survey.text import natural
from survey.web import words
from survey.web.counting import up_to_date
from survey.web.desk import desk, place_name, store
from survey.web.naming import person_name, question_label, unit_name, unit_place
from survey.web.words import t

pages = Blueprint("mine", __name__)

SAID = {
    "returned": ("yêu cầu sửa", "asked for a correction"),
    "voided": ("hủy phiếu", "voided it"),
    "commented": ("ghi chú", "commented"),
}

REMARKS = 50
"""The last remarks on the page; older ones stand on the interviews."""


@pages.get("/mine")
def page() -> str:
    """My progress, my returned interviews, what was said about my interviews."""
    up_to_date()
    me = str(g.person["id"])
    rounds = [_round(one, me) for one in frame.rounds(store())]
    where = Where(person=me)
    returned = [_returned(row["interview"]) for row in lists.interviews(store(), where.also(state="returned")).rows]
    states = lists.states(store(), where)
    return render_template(
        "mine.html",
        rounds=[one for one in rounds if one["target"] or one["done"]],
        returned=returned,
        approved=words.whole(states.get("approved", 0)),
        waiting=words.whole(states.get("sealed", 0)),
        remarks=_remarks(me),
    )


def _round(round: dict[str, Any], me: str) -> dict[str, Any]:
    """How far my units of one round are, village by village, and my last days."""
    where = Where(round=str(round["id"]), person=me)
    found = progress.groups(store(), where, "village")
    total = Group("")
    for one in found:
        named = place_name({"round": where.round, "village": one.key, "village_name": one.name}, "village")
        one.name = " · ".join(filter(None, [named, one.within]))
        total.add(one)
    days = progress.days(store(), where)
    starts, ends = str(round.get("starts") or ""), str(round.get("ends") or "")
    # Units taken over from somebody may have their interview already: what is left are units, not my interviews.
    speed = pace({**days, "": _done(total) - sum(days.values())}, total.main, starts, ends, desk().now().date())
    return {
        "title": words.pick(round.get("title")) or round["id"],
        "done": _done(total),
        "target": total.main,
        "share": min(1.0, _done(total) / total.main) if total.main else 0,
        "words": _speed(speed, ends),
        "villages": [
            {"name": one.name or "–", "done": _done(one), "target": one.main, "untouched": one.codes["3.11"]}
            for one in sorted(found, key=lambda one: natural(one.name))
        ],
        "days": [{"day": words.day(day), "count": count} for day, count in sorted(days.items(), reverse=True)[:7]],
    }


def _done(group: Group) -> int:
    """How many of the units have their interview."""
    return group.codes["1.1"] + group.codes["1.2"]


def _speed(speed: Pace, ends: str) -> str:
    if not speed.left:
        return t("Đã đủ số phiếu được giao.", "Everything that was given to you is done.")
    said = t(f"Còn {speed.left} phiếu.", f"{speed.left} left.")
    if speed.needed is not None:
        need, end = words.decimal(speed.needed), words.day(ends)
        said += t(f" Mỗi ngày {need} phiếu thì kịp ngày {end}.", f" {need} a day are in time for {end}.")
    return said


def _returned(interview: str) -> dict[str, Any]:
    row = current.interviews(store(), interview=interview)[0]
    asked = [
        {
            "words": told["reason"],
            "label": question_label(row["questionnaire_hash"], told["question"]),
            "actor": person_name(told["actor"]),
            "time": told["time"],
        }
        for told in current.asked_again(store(), interview)
    ]
    return {
        "interview": interview,
        "name": unit_name(row["unit"]),
        "place": unit_place(row["unit"]),
        "asked": asked,
        "draft": row["draft"],
    }


def _remarks(me: str) -> list[dict[str, Any]]:
    """What was said about my interviews, the last first."""
    shown = []
    for told in current.remarks_about(store(), me, REMARKS):
        vi, en = SAID[told["kind"]]
        shown.append(
            {
                **told,
                "said": t(vi, en),
                "actor": person_name(told["actor"]),
                "name": unit_name(told["unit"]),
                "label": question_label(told["questionnaire_hash"], told["question"]),
            }
        )
    return shown
