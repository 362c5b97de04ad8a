"""Nộp phiếu: what is not confirmed yet goes onto a stick; confirmations and returned interviews come off it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from flask import Blueprint, g, render_template, request

from survey import vocabulary
from survey.errors import InputError, Problem, SurveyError
from survey.store.store import TIERS
from survey.store.whereabouts import whereabouts
from survey.sync.exchange import Exported, Report, about_keys, export, sync
from survey.text import Text, many
from survey.web import network, roles, words
from survey.web.desk import desk, store
from survey.web.sticks import sticks
from survey.web.words import t

pages = Blueprint("handover", __name__)


@pages.get("/hand-over")
def page() -> str:
    """What is still to hand over, and where it can go."""
    return _show()


@pages.post("/hand-over")
def hand_over() -> Any:
    """Writes to the chosen place, and reads what a hub left there."""
    typed = request.form.get("place", "").strip().strip('"')
    if not typed:
        return _show(), 400
    place = Path(typed)
    try:
        _there(place)
        read = sync(store(), [place], now=desk().now())
        written = export(store(), place, now=desk().now())
    except SurveyError as wrong:
        problem = wrong.problem
        lines = [words.sentence(problem.what(words.interface())), words.sentence(problem.todo(words.interface()))]
        return _show({"tone": "stop", "lines": [typed, *lines]}, typed), 400
    return _show(_told(written, read), typed)


def _there(place: Path) -> None:
    """Raises InputError unless ``place`` is a folder: made anew, it would lie on this laptop while everybody thinks it
    is on a stick."""
    if not place.is_dir():
        raise InputError(
            str(place),
            Text("không có thư mục này", "there is no such folder"),
            Text("kiểm tra đường dẫn, cắm lại USB", "check the path, plug the stick in again"),
        )


TIER_NAMES = {tier: Text(name.vi, f"the {name.en}") for tier, name in vocabulary.TIERS.items()}


def _above() -> list[str]:
    """The tiers above this machine, the nearest first: who confirms what is handed over here."""
    higher = TIERS[TIERS.index(store().tier) + 1 :]
    # A laptop counts on its supervisor and the province; the ministry never sees its stick.
    return list(higher[:2])


def _show(done: dict[str, Any] | None = None, typed: str = "") -> str:
    under_way = network.job().running
    if done is None:
        # Asked once: it may end between two questions, and what came of it would then be told to nobody.
        under_way, report, wrong = network.job().take_result()
        if report is not None:
            done = network.told(report, lambda tier: TIER_NAMES[tier](words.interface()))
            done["details"] = problems([*(problem for _, problem in report.quarantined), *report.problems])
        elif wrong is not None:
            what, todo = wrong.problem.what(words.interface()), wrong.problem.todo(words.interface())
            done = {"tone": "stop", "lines": [f"{wrong.problem.where}: {words.sentence(what)}", words.sentence(todo)]}
    return render_template(
        "hand_over.html",
        done=done,
        known=network.doors(),
        job=network.job(),
        under_way=under_way,
        may_print=roles.may("daysheet.page", frozenset(g.person["roles"])),
        sticks=sticks(),
        typed=typed,
        hub=store().role == "hub",
        confirmed=[
            (TIER_NAMES[tier](words.interface()), number)
            for tier, number in whereabouts(store()).items()
            if tier in _above()
        ],
        verb=t("Ghi vào", "Write to"),
        example=t("ví dụ D:\\ hoặc /media/usb", "for example D:\\ or /media/usb"),
    )


def _told(written: Exported, read: Report) -> dict[str, Any]:
    """What happened, in sentences: what lies on the stick, who confirmed what, what a person must look at."""
    counts = whereabouts(store())
    hub, above = store().role == "hub", _above()
    waiting = counts["device"] - counts[above[0]] if above else 0
    lines = []
    if written.path is not None:
        lines.append(
            t(
                f"Đã ghi và đọc lại kiểm tra: {waiting} phiếu chưa được xác nhận "
                f"({written.revisions} bản ghi, gói {written.path.name[:12]}…)",
                f"Written, and read back to check it: {many(waiting, 'interview')} not confirmed yet "
                f"({many(written.revisions, 'entry')}, bundle {written.path.name[:12]}…)",
            )
        )
        lines.append(
            t(
                "Rút USB an toàn: trả cho điều tra viên, hoặc chuyển lên cấp trên.",
                "Eject the stick: give it back to the enumerator, or pass it on to the next level.",
            )
            if hub
            else t(
                "Rút USB an toàn rồi đưa cho giám sát viên. Phiếu chỉ coi là đã nộp khi có giấy xác nhận.",
                "Eject the stick and give it to your supervisor. It counts as handed over once it is confirmed.",
            )
        )
    elif not written.waiting:
        lines.append(
            t("Không còn gì phải nộp: mọi bản ghi đã được xác nhận.", "Nothing is left to hand over: all is confirmed.")
        )
    if read.receipts_read and not hub:
        lines.append(
            t(
                f"Đã nhận giấy xác nhận: giám sát viên đang giữ {counts['supervisor']} phiếu của máy này, "
                f"tỉnh đang giữ {counts['province']}.",
                f"Confirmation taken in: the supervisor holds {many(counts['supervisor'], 'interview')} of this "
                f"laptop, the province {counts['province']}.",
            )
        )
    elif read.receipts_read and above and counts[above[0]]:
        name, held = TIER_NAMES[above[0]], counts[above[0]]
        lines.append(
            t(
                f"Giấy xác nhận của cấp trên: {name.vi} đang giữ {held} phiếu của máy chủ này.",
                f"Confirmation of the next level: {name.en} holds {many(held, 'interview')} of this hub.",
            )
        )
    if read.new and hub:
        lines.append(
            t(
                f"Nhận luôn {read.new} bản ghi mới có ở đó.",
                f"{many(read.new, 'new entry was', 'new entries were')} there and came in.",
            )
        )
    elif read.new:
        lines.append(
            t(
                f"Nhận về {read.new} bản ghi mới (giao việc, yêu cầu sửa, duyệt).",
                f"{many(read.new, 'new entry')} came back.",
            )
        )
    lines += [line(words.interface()) for line in about_keys(written)]
    details = problems([*(problem for _, problem in read.quarantined), *read.problems])
    return {"tone": "look" if details else "good", "lines": lines, "details": details}


def problems(found: Iterable[Problem]) -> list[str]:
    """What was set aside or could not be read, one sentence each with the name of the file, once."""
    return [f"{problem.where}: {words.advice(problem)}" for problem in found]
