"""Lập đợt, on a hub: instrument, frame, draw, people, laptops, round file; each step shows what is there or missing."""

from __future__ import annotations

import secrets
from collections import Counter
from pathlib import Path
from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from survey.errors import InputError, NotAllowed, SurveyError
from survey.fieldwork import frames
from survey.fieldwork.sampling import Stage
from survey.store import frame
from survey.sync import founding, rounds
from survey.sync.keys import read_aloud
from survey.tables import read_table
from survey.text import Text, fold, many
from survey.vocabulary import ADMINISTRATOR, EMPLOYERS, ROLES
from survey.web import words
from survey.web.bringing import brought, day_of, sentences
from survey.web.desk import desk, store
from survey.web.sticks import sticks
from survey.web.words import t

pages = Blueprint("setting_up", __name__)

LARGEST_FILE = 64 << 20
"""Bytes of an instrument or frame that a person may bring: a province's list of people is well below."""

SIZES = ("persons", "households")
"""Columns that measure a cluster; the first that a frame has is offered."""

CLUSTERS = ("village", "commune", "agency")
"""Columns that people draw clusters by, the usual one first."""


@pages.before_request
def larger_files() -> None:
    """Here people bring workbooks; everywhere else the app takes small forms only."""
    request.max_content_length = LARGEST_FILE


# -- rounds ------------------------------------------------------------------------------------------------------


@pages.get("/rounds")
def page() -> str:
    """The rounds of this hub, and the form for another one."""
    return _all_rounds()


def _all_rounds(wrong: SurveyError | None = None) -> str:
    shown = []
    for document in frame.rounds(store()):
        steps = _steps(document)
        shown.append(
            {
                "id": document["id"],
                "title": document.get("title"),
                "pilot": bool(document.get("pilot")),
                "missing": [step["name"] for step in steps if step["done"] is False],
            }
        )
    return render_template(
        "rounds.html",
        rounds=shown,
        instruments=_instruments(),
        complaints=sentences(wrong) if wrong else [],
        typed=request.form,
        year=desk().now().year,
    )


def _instruments() -> list[dict[str, Any]]:
    """The shipped instruments that ask something (others are structures for published scores), with their titles."""
    from survey.questionnaire import xlsform

    found = ((name, xlsform.find(name)) for name in xlsform.shipped())
    return [{"id": name, "title": xlsform.title(path)} for name, path in found if (path / "survey.csv").exists()]


@pages.post("/rounds")
def create() -> Any:
    """Sets up a round with a shipped instrument or one that the office brings."""
    form = request.form
    given: dict[str, Any] = {
        "id": form.get("id", "").strip(),
        "title": founding.both(form.get("title", ""), form.get("title_en", "")),
        "starts": form.get("starts", ""),
        "ends": form.get("ends", ""),
        "contact_until": form.get("contact_until", ""),
        "legal_basis": founding.both(form.get("legal_basis", ""), ""),
        "label": founding.both(form.get("label", ""), ""),
        **({"pilot": True} if form.get("pilot") else {}),
    }
    try:
        for name in ("starts", "ends", "contact_until"):
            given[name] = day_of(given[name])
        if not given["contact_until"]:
            del given["contact_until"]
        if not given["title"]["vi"].strip():
            raise InputError(
                t("tên đợt", "title"), Text("chưa ghi tên đợt", "the title is empty"), Text("ghi tên", "write it")
            )

        def make(source: str | Path) -> dict[str, Any]:
            return founding.create_round(store(), source, given, g.person["id"])

        own = request.files.get("instrument_file")
        made = brought("instrument_file", make) if own and own.filename else make(form.get("instrument", ""))
    except SurveyError as wrong:
        return _all_rounds(wrong), 400
    flash(t(f"Đã lập đợt {made['id']}.", f"Round {made['id']} is set up."), "good")
    return redirect(url_for("setting_up.round", round=made["id"]))


# -- one round, step by step ---------------------------------------------------------------------------------------


def _steps(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The steps of a round in order: what each is called, whether it is done, and what is there in words."""
    held = store()
    rows = frame.frame_rows(held, document["id"])
    units = frame.units(held, document["id"])
    lists = Counter(str(unit.get("list", "main")) for unit in units)
    working = [person for person in frame.people(held) if not person.get("disabled")]
    enumerators = [person for person in working if "enumerator" in person.get("roles", ())]
    laptops = [device for device in frame.devices(held) if device["id"] != held.device and not device.get("revoked")]
    enrolled = [device for device in laptops if rounds.is_enrolled(held, device)]
    main, reserve = lists.get("main", 0), lists.get("reserve", 0)
    return [
        {
            "id": "frame",
            "name": t("Khung mẫu", "Frame"),
            "done": bool(rows or units),
            "told": t(f"{len(rows)} dòng", f"{many(len(rows), 'row')}"),
        },
        {
            "id": "people",
            "name": t("Người làm", "People"),
            "done": bool(enumerators),
            "told": t(
                f"{len(enumerators)} điều tra viên, {len(working)} người tất cả",
                f"{many(len(enumerators), 'enumerator')}, {many(len(working), 'person', 'people')} in all",
            ),
        },
        {
            "id": "sample",
            "name": t("Chọn mẫu", "Draw"),
            "done": bool(units),
            "told": t(f"{main} chính thức, {reserve} dự phòng", f"{main} main, {reserve} reserve"),
        },
        {
            "id": "devices",
            "name": t("Máy phỏng vấn", "Laptops"),
            "done": bool(enrolled),
            "told": t(
                f"{len(enrolled)} máy đã đăng ký, {len(laptops) - len(enrolled)} chưa",
                f"{len(enrolled)} enrolled, {len(laptops) - len(enrolled)} not yet",
            ),
        },
        {
            "id": "file",
            "name": t("Tệp đợt khảo sát", "Round file"),
            "done": None,
            "told": t("ghi lại sau mỗi thay đổi", "write it after every change"),
        },
    ]


def _round(name: str) -> dict[str, Any]:
    document = frame.document(store(), "round", name)
    if document is None:
        abort(404)
    return document


@pages.get("/rounds/<round>")
def round(round: str) -> str:
    """The steps of one round; the first that is not done stands open."""
    return _one_round(round)


def _one_round(name: str, step: str = "", wrong: SurveyError | None = None, done: list[str] | None = None) -> str:
    document = _round(name)
    steps = _steps(document)
    at = step or request.args.get("step", "") or next((s["id"] for s in steps if s["done"] is False), "file")
    rows = frame.frame_rows(store(), name)
    columns = [column for column in rows[0] if column not in ("id", "contact")] if rows else []
    offered = [*(c for c in CLUSTERS if c in columns), *(c for c in columns if c not in CLUSTERS)]
    people = [person for person in frame.people(store()) if not person.get("disabled")]
    communes = {
        str(row["commune"]): str(row.get("commune_name") or row["commune"]) for row in rows if row.get("commune")
    }
    signer = rounds.signed_by(document)
    return render_template(
        "round.html",
        round=document,
        steps=steps,
        at=at,
        complaints=sentences(wrong) if wrong else [],
        done=done or [],
        typed=request.form,
        chosen=request.form.getlist,
        columns=columns,
        called={column: frames.WORDS.get(column, Text(column, column))(words.interface()) for column in columns},
        offered=offered,
        clusters={column: len({row.get(column) for row in rows}) for column in offered},
        communes=communes,
        smallest=_smallest(rows, offered[0]) if offered else 0,
        sized_by=next((column for column in SIZES if column in columns), ""),
        rows=len(rows),
        people=[
            {
                "id": person["id"],
                "name": person.get("name", person["id"]),
                "roles": [ROLES[role](words.interface()) for role in person.get("roles", ()) if role in ROLES],
                "enumerator": "enumerator" in person.get("roles", ()),
                "commune": communes.get(str(person.get("commune", "")), person.get("commune", "")),
            }
            for person in sorted(people, key=lambda one: fold(str(one.get("name", ""))))
        ],
        roles={role: name(words.interface()) for role, name in ROLES.items()},
        kinds=EMPLOYERS,
        tied=any(EMPLOYERS[kind].rated for one in people if (kind := one.get("employer_kind")) in EMPLOYERS),
        laptops=[
            {
                "id": device["id"],
                "name": device.get("name", ""),
                "enrolled": rounds.is_enrolled(store(), device),
                "revoked": device.get("revoked", ""),
            }
            for device in frame.devices(store())
            if device["id"] != store().device
        ],
        seed=secrets.randbelow(900_000) + 100_000,
        key=read_aloud(signer) if signer else "",
        sticks=sticks(),
        verb=t("Ghi vào", "Write to"),
        example=t("ví dụ E:\\ hoặc /media/usb", "for example E:\\ or /media/usb"),
    )


def _smallest(rows: list[dict[str, Any]], column: str) -> int:
    """How many people the smallest cluster of the frame has: no more can be taken from each."""
    return min(Counter(row.get(column) for row in rows).values(), default=0)


def _did(name: str, told: str) -> Response:
    """Says what was done and leads on to the next step that is missing."""
    flash(told, "good")
    return redirect(url_for("setting_up.round", round=name))


@pages.post("/rounds/<round>/frame")
def import_frame(round: str) -> Any:
    """The office's own list becomes the frame."""
    _round(round)
    encoding = request.form.get("encoding", "")
    try:
        if encoding not in ("", "tcvn3", "vni"):
            abort(400)
        taken = brought("file", lambda file: founding.import_frame(store(), round, read_table(file, encoding)))
    except SurveyError as wrong:
        return _one_round(round, "frame", wrong), 400
    apart = ", ".join(taken.headings) or "–"
    return _did(
        round,
        t(
            f"Đã nhập {taken.rows} dòng. Để riêng, không vào dữ liệu phân tích: {apart}.",
            f"{many(taken.rows, 'row')} imported. Kept apart from the data set: {apart}.",
        ),
    )


@pages.post("/rounds/<round>/sample")
def draw(round: str) -> Any:
    """Draws main and reserve list, by seed."""
    _round(round)
    form = request.form
    try:
        cluster = form.get("cluster", "")
        take, reserve = _number(form, "take", t("số người", "people")), _number(form, "reserve", "")
        first = []
        if cluster:
            method = form.get("method", "srs")
            first = [
                Stage(
                    unit=cluster,
                    total=_number(form, "clusters", t("số cụm", "number of clusters")),
                    take=1,
                    method=method,
                    size=form.get("size", "") if method.startswith("pps") else "",
                )
            ]
        units = founding.draw_sample(
            store(),
            round,
            [*first, Stage(take=take, reserve=reserve)],
            form.get("seed", "").strip() or "1",
            form.getlist("strata"),
            form.getlist("people"),
            g.person["id"],
            form.get("tie_reason", ""),
        )
    except SurveyError as wrong:
        return _one_round(round, "sample", wrong), 400
    main = sum(unit["list"] == "main" for unit in units)
    return _did(
        round,
        t(
            f"Đã chọn {main} đơn vị chính thức và {len(units) - main} dự phòng.",
            f"{many(main, 'main unit')} and {many(len(units) - main, 'reserve unit')} are drawn.",
        ),
    )


def _number(form: Any, name: str, called: str) -> int:
    text = str(form.get(name, "")).strip()
    if text.isascii() and text.isdigit() and (int(text) or not called):
        return int(text)
    if not text and not called:
        return 0
    raise InputError(
        called or name,
        Text(f"“{text}” không phải một số dương", f"“{text}” is not a positive number"),
        Text("ghi bằng chữ số, ví dụ 16", "write digits, like 16"),
    )


@pages.post("/rounds/<round>/people")
def add_person(round: str) -> Any:
    """One more person with a PIN."""
    _round(round)
    form = request.form
    try:
        wanted = form.getlist("roles")
        if ADMINISTRATOR in wanted and ADMINISTRATOR not in g.person["roles"]:
            raise NotAllowed(
                t("Vai trò", "Roles"),
                Text("chỉ quản trị viên mới thêm được quản trị viên", "only an administrator adds an administrator"),
                Text("bỏ chọn vai trò này, hoặc nhờ quản trị viên", "leave that role out, or ask an administrator"),
            )
        person = founding.add_person(
            store(),
            form.get("name", ""),
            wanted,
            form.get("pin", ""),
            actor=g.person["id"],
            commune=form.get("commune", ""),
            employer=form.get("employer", ""),
            employer_kind=form.get("employer_kind", ""),
            team=form.get("team", ""),
        )
    except SurveyError as wrong:
        return _one_round(round, "people", wrong), 400
    flash(t(f"Đã thêm {person['name']}.", f"{person['name']} is added."), "good")
    return redirect(url_for("setting_up.round", round=round, step="people"))


@pages.post("/rounds/<round>/devices")
def enrol(round: str) -> Any:
    """Signs the certificates of the laptops that a person ticked."""
    _round(round)
    ticked = set(request.form.getlist("devices"))
    chosen = [device for device in frame.devices(store()) if device["id"] in ticked and not device.get("revoked")]
    try:
        with store().transaction():
            done = [rounds.enrol(store(), device, actor=g.person["id"]) for device in chosen]
    except SurveyError as wrong:
        return _one_round(round, "devices", wrong), 400
    return _did(round, t(f"Đã đăng ký {len(done)} máy.", f"{many(len(done), 'laptop is', 'laptops are')} enrolled."))


@pages.post("/rounds/<round>/file")
def carry(round: str) -> Any:
    """Writes the round file into a folder: what laptops load."""
    _round(round)
    place = Path(request.form.get("place", "").strip().strip('"'))
    file = place / f"{round}.round"
    try:
        if not place.is_absolute() or not place.is_dir():
            raise InputError(
                str(place),
                Text("không có thư mục này", "there is no such folder"),
                Text("cắm USB, hoặc ghi đường dẫn đầy đủ của thư mục", "plug the stick in, or type a whole path"),
            )
        revisions, without = rounds.export_round(store(), round, file)
    except SurveyError as wrong:
        return _one_round(round, "file", wrong), 400
    told = [
        t(f"Đã ghi {file} ({revisions} bản ghi).", f"Wrote {file} ({many(revisions, 'entry')})."),
        t(
            "Trên mỗi máy: chạy lại bộ cài từ USB này, hoặc mở chương trình và chọn Nhận tệp đợt khảo sát; "
            "so mã khóa dưới đây trước khi đồng ý.",
            "On every laptop: run the installer on this stick again, or open the program and choose Load a round file; "
            "compare the key below before you agree.",
        ),
    ]
    if without:
        names = ", ".join(without)
        told.append(
            t(
                f"Chưa mở được tệp này (chưa biết khóa của máy): {names}. Nhận USB của máy đó rồi ghi lại.",
                f"These cannot open it yet (their key is unknown): {names}. Take in their stick, then write it again.",
            )
        )
    return _one_round(round, "file", done=told)
