"""What stands behind an interview: its versions and what changed between them, the time that each question took, and
why it wants to be read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from survey.errors import InputError
from survey.questionnaire.path import Path
from survey.store import board, current, feed
from survey.store.header import CONTENT_KINDS, Header
from survey.text import Text
from survey.web import conflicts, words
from survey.web.desk import store
from survey.web.naming import device_name, person_name
from survey.web.words import t

KINDS: dict[str, Text] = {
    "partial": Text("Bản làm dở", "Unfinished version"),
    "sealed": Text("Khóa lần đầu", "Sealed"),
    "corrected": Text("Bản sửa", "Corrected"),
    "combined": Text("Bản ghép", "Combined"),
}


def contents(interview: str) -> list[Header]:
    """The finished versions of an interview, in feed order."""
    found = feed.revisions(store(), "interview", interview)
    return [one for one in found if one.kind in CONTENT_KINDS and one.kind != "partial"]


def versions(found: Sequence[Header]) -> list[dict[str, str]]:
    """Each version in words: what it is, whose, from which laptop, when, and why it was made."""
    return [
        {
            "words": KINDS[one.kind](words.interface()),
            "actor": person_name(one.actor) if one.actor else t("máy tự ghép", "put together by the hub"),
            "device": device_name(one.device),
            "time": one.time,
            "reason": str((feed.part_json(store(), one.id, "decision") or {}).get("reason", "")),
        }
        for one in found
    ]


def spent(found: Sequence[Header]) -> dict[str, float]:
    """path -> seconds that the pages measured at a question, over all the versions."""
    seconds: dict[str, float] = defaultdict(float)
    for one in found:
        events = (feed.part_json(store(), one.id, "paradata") or {}).get("events")
        for event in events if isinstance(events, list) else []:
            if isinstance(event, dict) and isinstance(event.get("seconds"), (int, float)):
                seconds[str(event.get("path", ""))] += event["seconds"]
    return dict(seconds)


def changes(
    interview: str, content: Mapping[str, Any], path: Path, opened: Callable[[Mapping[str, Any]], Path]
) -> list[dict[str, Any]]:
    """What the current version says otherwise than those it was made from: question, before, now. ``opened`` gives the
    path of another version's content."""
    shown = []
    for parent in content["parents"] if content["kind"] in ("corrected", "combined") else []:
        try:
            older = current.content(store(), interview, parent)
            way = opened(older)
        except InputError:
            continue  # it is not here, or its questionnaire is not
        lines = conflicts.lines(interview, [older, content], [way, path], {}, words.tongue())
        shown.append({"actor": person_name(older["actor"]), "time": older["time"], "lines": lines})
    return shown


def short(seconds: float) -> str:
    """A duration as people say it: ``45 giây``, ``12 phút 5 giây``."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return t(f"{rest} giây", f"{rest} s")
    return (
        t(f"{minutes} phút {rest} giây", f"{minutes} min {rest} s") if rest else t(f"{minutes} phút", f"{minutes} min")
    )


def reasons(row: Mapping[str, Any], signs: Sequence[board.Sign]) -> list[str]:
    """Why an interview of the board wants to be read, in words; empty when nothing speaks for it."""
    said = []
    if row["opposed"]:
        said.append(
            t(
                "Hai quyết định trái ngược nhau về cùng một bản: cần một quyết định tiếp theo.",
                "Two decisions contradict each other: a further one is needed.",
            )
        )
    if row["twice"]:
        said.append(t("Đơn vị mẫu này có hơn một phiếu.", "This sample unit has more than one interview."))
    said += [sign.words(words.interface()) for sign in signs]
    for count, vi, en in (
        (row["kept"], "câu trả lời ít gặp được giữ nguyên, có lý do", "unusual answers kept, with a reason"),
        (row["flags"], "câu còn đánh dấu xem lại", "questions still marked to come back to"),
        (row["comments"], "ghi chú của điều tra viên", "comments by the enumerator"),
    ):
        if count:
            said.append(t(f"{count} {vi}.", f"{count} {en}."))
    return said
