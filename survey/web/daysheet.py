"""Biên bản giao nhận phiếu: the day's counts of this laptop, or of all at a hub, to print and sign."""

from __future__ import annotations

import json

from flask import Blueprint, render_template, url_for

from survey.store import daysheet, frame
from survey.web.desk import desk, store, top_line
from survey.web.network import qr

pages = Blueprint("daysheet", __name__)


@pages.get("/day-sheet")
def page() -> str:
    """The sheet."""
    now = desk().now()
    found = daysheet.lines(store(), now.date().isoformat())
    top = top_line()
    hub = store().role == "hub"
    told = [
        [line.device[:9], line.interviews, line.created, line.safe, line.open, line.seq, line.head[7:23]]
        for line in found
    ]
    # More than a dozen laptops fill a QR code: then it names the sum alone.
    content = told if len(told) <= 12 else [sum(line.interviews for line in found), sum(line.created for line in found)]
    return render_template(
        "day_sheet.html",
        hub=hub,
        where=top["where"],
        synthetic=top["synthetic"],
        pilot=top["pilot"],
        now=now,
        back=url_for("receive.page" if hub else "handover.page"),
        lines=[
            {**line._asdict(), "name": frame.device_name(store(), line.device), "mark": daysheet.mark(line.head)}
            for line in found
        ],
        broken=any(line.created != line.safe + line.open for line in found),
        qr=qr(json.dumps({"day": now.date().isoformat(), "laptops": content}, separators=(",", ":"))),
    )
