"""The network's part of Nộp phiếu and Nhận phiếu: an exchange under way, joining a hub, letting laptops in."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for

from survey.errors import InputError, SurveyError
from survey.store import frame, invitations
from survey.store.whereabouts import whereabouts
from survey.sync.exchange import Report
from survey.text import Text, many
from survey.web import words
from survey.web.bringing import attached
from survey.web.desk import Desk, desk, store
from survey.web.listening import door
from survey.web.words import t

pages = Blueprint("network", __name__)


@dataclass
class Job:
    """One exchange under way, or done and not looked at yet. One at a time: they would wait for each other anyway."""

    address: str = ""
    way: str = ""
    done: int = 0
    whole: int = 0
    running: bool = False
    report: Report | None = None
    wrong: SurveyError | None = None
    lock: Lock = field(default_factory=Lock)

    def start(self, desk: Desk, address: str) -> bool:
        """Begins an exchange in a thread of its own; False when one is under way."""
        with self.lock:
            if self.running:
                return False
            self.address, self.way, self.done, self.whole = address, "", 0, 0
            self.report, self.wrong, self.running = None, None, True
        Thread(target=self._run, args=(desk,), daemon=True, name="exchange").start()
        return True

    def _run(self, desk: Desk) -> None:
        from survey.sync.client import exchange

        store = desk.take()
        try:
            self.report = exchange(store, self.address, now=desk.now(), progress=self._progress)
        except SurveyError as error:
            self.wrong = error
        except Exception:
            self.wrong = InputError(
                self.address,
                Text("có lỗi khi trao đổi dữ liệu; phiếu vẫn còn nguyên", "the exchange failed; nothing is lost"),
                Text("thử lại, hoặc dùng USB", "try again, or use a stick"),
            )
            raise
        finally:
            desk.give_back(store)
            self.running = False

    def _progress(self, way: str, done: int, whole: int) -> None:
        self.way, self.done, self.whole = way, done, whole

    def take_result(self) -> tuple[bool, Report | None, SurveyError | None]:
        """Whether it is still under way; if not, what came of it, once."""
        with self.lock:
            if self.running:
                return True, None, None
            found = False, self.report, self.wrong
            self.report = self.wrong = None
            return found


def job() -> Job:
    """The app's exchange."""
    found = current_app.extensions.setdefault("survey.job", Job())
    assert isinstance(found, Job)
    return found


# -- Nộp phiếu ------------------------------------------------------------------------------------------------------


@pages.post("/hand-over/network")
def exchange() -> Any:
    """Begins the exchange with a hub that this machine is enrolled at."""
    from survey.sync import client

    address = request.form.get("address", "")
    try:
        client.pinned_hub(store(), address)
    except SurveyError as wrong:
        tell(wrong)
    else:
        job().start(desk(), address)
    return redirect(url_for("handover.page"))


@pages.get("/hand-over/progress")
def progress() -> Any:
    """How far the exchange is; the page that waits is loaded anew when it has ended."""
    answer = Response(render_template("exchanging.html", job=job()))
    if not job().running:
        answer.headers["HX-Refresh"] = "true"
    return answer


@pages.post("/hand-over/join")
def join() -> Any:
    """Enrols this machine at a hub by the code, the scanned text or the file of an invitation."""
    from survey.sync import client, pairing

    typed, address = request.form.get("code", "").strip(), request.form.get("hub", "").strip()
    file = request.files.get("file")
    try:
        if file is not None and file.filename:
            invitation = pairing.understand(file.read(20_000), file.filename)
        elif typed.startswith("{"):
            invitation = pairing.understand(typed.encode(), t("mã QR", "QR code"))
        else:
            invitation = pairing.Invited((address,), typed)
        found = client.join(store(), invitation)
    except SurveyError as wrong:
        tell(wrong)
    else:
        job().start(desk(), found.address)
    return redirect(url_for("handover.page"))


def tell(wrong: SurveyError) -> None:
    """Shows on the next page what went wrong, and what to do."""
    where, said = wrong.problem.where, words.advice(wrong.problem)
    flash(f"{where}: {said}" if where else said, "stop")


def doors() -> dict[str, list[dict[str, str]]]:
    """The hubs that this machine knows: those of this room's network, and those on the internet."""
    from survey.sync import client, line

    found: dict[str, list[dict[str, str]]] = {"room": [], "internet": []}
    for hub in client.hubs(store()):
        host, _ = line.split(hub.address)
        body = frame.document(store(), "device", hub.hub) or {}
        name = str(body.get("name") or "") or host
        found["room" if _near(host) else "internet"].append(
            {"address": hub.address, "name": name, "shown": hub.address.removeprefix("https://")}
        )
    return found


def _near(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith((".local", ".lan"))
    return address.is_private or address.is_link_local


def told(report: Report, tier_name: Callable[[str], str]) -> dict[str, Any]:
    """What an exchange did, in words: first what is confirmed, with the receipt's code."""
    counts = whereabouts(store())
    above = [(tier_name(tier), counts[tier]) for tier in counts if tier != "device" and tier in _above_me()]
    lines = []
    if above and report.receipt:
        name, held = above[0]
        lines.append(
            t(
                f"{name[:1].upper()}{name[1:]} đã nhận {held} phiếu, mã xác nhận {report.receipt}.",
                f"{name[:1].upper()}{name[1:]} has {many(held, 'interview')}, confirmation code {report.receipt}.",
            )
        )
        pending = counts["device"] - held
        if pending:
            lines.append(
                t(
                    f"Còn {pending} phiếu chưa được xác nhận.",
                    f"{many(pending, 'interview is', 'interviews are')} not confirmed yet.",
                )
            )
    if report.new:
        lines.append(
            t(
                f"Nhận về {report.new} bản ghi mới (giao việc, yêu cầu sửa, duyệt).",
                f"{many(report.new, 'new entry')} came back.",
            )
        )
    return {"tone": "look" if report.needs_a_person else "good", "lines": lines}


def _above_me() -> tuple[str, ...]:
    from survey.store.store import TIERS

    return TIERS[TIERS.index(store().tier) + 1 :]


# -- Nhận phiếu -----------------------------------------------------------------------------------------------------


@pages.post("/receive/network")
def open_door() -> Any:
    """Opens the hub to the machines of this room, or shuts it."""
    try:
        if request.form.get("what") == "shut":
            door().shut()
        else:
            door().open()
    except SurveyError as wrong:
        tell(wrong)
    return redirect(url_for("receive.page", _anchor="network"))


@pages.post("/receive/invite")
def invite() -> Any:
    """Makes an invitation: shown once with its QR code, or as a file to carry on a stick."""
    from survey.sync import pairing, rounds
    from survey.web import receive

    people = [who for who in request.form.getlist("people") if who]
    try:
        code = str(rounds.invite(store(), request.form.get("name", "").strip()[:60], people, desk().now()))
        fingerprint = pairing.ensure_certificate(store().folder, store().device)
    except SurveyError as wrong:
        tell(wrong)
        return redirect(url_for("receive.page", _anchor="network"))
    content = pairing.write_invitation(door().places(), code, fingerprint)
    if request.form.get("what") == "file":
        return attached(content, f"{code[:4]}.invitation", "application/octet-stream")
    return receive.show(invitation={"code": code, "qr": qr(content), "minutes": invitations.MINUTES})


def qr(text: str) -> str:
    """A QR code as an SVG element."""
    import segno

    made = segno.make(text.strip(), error="l" if len(text) > 150 else "m")
    look = {"svgclass": "qr", "lineclass": None, "dark": "#000", "light": "#fff"}
    return str(made.svg_inline(scale=4, border=2, omitsize=True, **look))


def room() -> dict[str, Any]:
    """What the page says of the hub's door: whether it is open, where, and who has come."""
    found = door()
    return {
        "open": bool(found.port),
        "places": found.places(),
        "seen": found.seen(),
        "people": [
            (str(person["id"]), str(person.get("name") or person["id"]))
            for person in frame.people(store())
            if not person.get("disabled")
        ],
        "invitations": invitations.still_open(store(), desk().now()),
        "fingerprint": found.fingerprint,
    }
