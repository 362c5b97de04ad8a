"""Nhận phiếu, on a hub: merge what a stick or folder holds, say what came, leave the confirmation there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for

from survey.errors import SurveyError
from survey.store import current
from survey.store import quarantine as store_quarantine
from survey.store.whereabouts import whereabouts
from survey.sync.exchange import Report, about_keys, export, sync
from survey.text import many
from survey.web import network, roles, words
from survey.web.desk import desk, store
from survey.web.handover import problems
from survey.web.naming import respondent
from survey.web.sticks import sticks
from survey.web.words import t

pages = Blueprint("receive", __name__)


@pages.get("/receive")
def page() -> str:
    """Where interviews can be received from."""
    return show()


@pages.post("/receive")
def take() -> Any:
    """Merges the chosen place and leaves the confirmation and what devices need there."""
    typed = request.form.get("place", "").strip().strip('"')
    if not typed:
        return show(), 400
    place = Path(typed)
    try:
        before = whereabouts(store())["device"]
        report = sync(store(), [place], now=desk().now())
        keys = about_keys(export(store(), place, now=desk().now())) if place.is_dir() and store().role == "hub" else []
    except SurveyError as wrong:
        problem = wrong.problem
        lines = [words.sentence(problem.what(words.interface())), words.sentence(problem.todo(words.interface()))]
        return show({"tone": "stop", "lines": [typed, *lines], "counts": []}, typed), 400
    told = _told(report, whereabouts(store())["device"] - before)
    told["lines"] += [line(words.interface()) for line in keys]
    return show(told, typed)


@pages.post("/receive/dismiss")
def dismiss() -> Any:
    """A person has settled something that was set aside: it need not be told again."""
    name, reason = request.form.get("name", ""), request.form.get("reason", "")
    try:
        store_quarantine.dismiss(store(), name, reason, g.person["id"], now=desk().now())
    except SurveyError as wrong:
        flash(words.advice(wrong.problem), "look")
    else:
        flash(t("Đã bỏ qua; tệp vẫn được giữ.", "Dismissed; the file is kept."), "good")
    return redirect(url_for("receive.page"))


def show(done: dict[str, Any] | None = None, typed: str = "", invitation: dict[str, Any] | None = None) -> str:
    """The page, with what was just done, or the invitation that was just made."""
    return render_template(
        "receive.html",
        hub=store().role == "hub",
        room=network.room() if store().role == "hub" else None,
        invitation=invitation,
        done=done,
        sticks=sticks(),
        typed=typed,
        verb=t("Nhận từ", "Receive from"),
        example=t("ví dụ E:\\ hoặc /media/usb", "for example E:\\ or /media/usb"),
        aside=[
            {
                "name": name,
                "what": words.sentence(problem.what(words.interface())),
                "todo": words.sentence(problem.todo(words.interface())),
            }
            for name, problem in store_quarantine.quarantine(store())
        ],
        dismissing=roles.may("receive.dismiss", frozenset(g.person["roles"])),
        findings=[_found(finding) for finding in current.findings(store())],
    )


def _found(finding: current.Finding) -> dict[str, Any]:
    """A finding in words, with the door to where it can be settled."""
    language = words.interface()
    interview = finding.where.removeprefix("interview ") if finding.where.startswith("interview ") else ""
    endpoint = "records.conflict" if finding.kind == "conflict" else "records.record"
    return {
        "what": words.sentence(finding.what(language)),
        "where": respondent(interview) if interview else finding.where,
        "todo": words.sentence(finding.todo(language)),
        "url": url_for(endpoint, interview=interview) if interview else "",
    }


def _told(report: Report, interviews: int) -> dict[str, Any]:
    lines = []
    if report.new:
        lines.append(
            t(
                f"Đã nhận {interviews} phiếu mới ({report.new} bản ghi).",
                f"{many(interviews, 'new interview')} received ({many(report.new, 'entry')}).",
            )
        )
    else:
        lines.append(t("Không có gì mới: mọi bản ghi ở đó đã có ở đây.", "Nothing new: all that is there is here."))
    if report.receipts_written:
        lines.append(
            t(
                "Giấy xác nhận đã ghi vào đó. Đưa USB lại cho điều tra viên.",
                "The confirmation is written there. Give the stick back to the enumerator.",
            )
        )
    return {
        "tone": "look" if report.needs_a_person else "good",
        "lines": lines,
        "counts": [
            (t("mới", "new"), report.new),
            (t("đã biết", "known"), report.known),
            (t("hai bản khác nhau", "versions differ"), len(report.conflicts)),
            (t("để riêng", "set aside"), len(report.quarantined) + len(report.problems)),
        ],
        "details": problems(report.problems),
        "conflicts": [
            {"url": url_for("records.conflict", interview=name), "name": respondent(name)} for name in report.conflicts
        ],
    }
