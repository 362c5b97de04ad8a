"""A respondent's own copy of what is held: one HTML file with the wording of the questions in both languages.

It needs no network and no program but a browser. Nothing of other people is in it: who asked and decided is told by
role, and the other members of the household are left out.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from survey.questionnaire.model import ATTACHED_TYPES, Questionnaire
from survey.questionnaire.path import Context, Entry, open_path
from survey.store import files, frame
from survey.store.store import Store
from survey.text import LANGUAGES, Text
from survey.vocabulary import STATES
from survey.web import forms, uploads
from survey.web.desk import frame_columns

KINDS: dict[str, Text] = {
    "partial": Text("đang làm dở", "unfinished"),
    "sealed": Text("hoàn thành", "finished"),
    "corrected": Text("đã sửa", "corrected"),
    "combined": Text("đã ghép", "combined"),
}
DONE: dict[str, Text] = {
    **{kind: STATES[kind] for kind in ("approved", "returned", "voided", "erased")},
    "commented": Text("ghi chú", "comment"),
}
FIELDS: dict[str, Text] = {
    "name": Text("họ tên", "name"),
    "phone": Text("điện thoại", "phone"),
    "address": Text("địa chỉ", "address"),
}
WAYS: dict[str, Text] = {"spoken": Text("lời nói", "spoken"), "paper": Text("trên phiếu giấy", "on paper")}


def document(name: str) -> Template:
    """The template of a file that leaves the program: it carries its own style and no script."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "documents"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    return environment.get_template(name)


def html(store: Store, held: Mapping[str, Any], now: datetime) -> str:
    """The page for ``held`` (:func:`survey.store.personal.everything`), Vietnamese and English side by side."""
    round = frame.document(store, "round", str(held["unit"].get("round", ""))) or {}
    versions = [_version(store, held, version, now) for version in reversed(held["versions"])]
    if held["draft"]:
        versions.insert(0, _version(store, held, _of_draft(held), now))
    return document("handout.html").render(
        code=held["code"],
        made=f"{now:%d/%m/%Y %H:%M}",
        title=_both(round.get("title")),
        basis=_both(round.get("legal_basis")),
        until=str(round.get("contact_until", "")),
        state=STATES[held["state"]],
        contact=[(FIELDS.get(name, Text(name, name)), str(value)) for name, value in held["contact"].items()],
        visits=[
            {"time": str(visit.get("time", ""))[:16].replace("T", " "), "note": str(visit.get("note", ""))}
            for visit in held["visits"]
            if "disposition" in visit
        ],
        versions=versions,
        decisions=[
            {
                "time": _moment(one["time"]),
                "what": DONE[one["kind"]],
                "reason": str((one.get("decision") or {}).get("reason", "")),
            }
            for one in held["decisions"]
        ],
        holders=len(held["held_by"]),
    )


def _of_draft(held: Mapping[str, Any]) -> dict[str, Any]:
    return {"kind": "partial", "time": "", "questionnaire": held["questionnaire"], "answers": held["draft"]}


def _version(store: Store, held: Mapping[str, Any], version: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    compiled = frame.questionnaire(store, str(version["questionnaire"]))
    answers = {**version.get("off_path", {}), **version.get("answers", {}), **version.get("contact", {})}
    consent = (version.get("paradata") or {}).get("consent") or {}
    lines = []
    told = set()
    if compiled is not None:
        context = Context(frame=frame_columns(held["unit"]), now=now, interview=str(held["interview"]))
        way = open_path(Questionnaire.from_json(compiled), answers, context)
        for entry in way.entries:
            if entry.is_answered and entry.path in answers:
                told.add(entry.path)
                lines.append(_line(store, str(held["interview"]), entry))
    # What this machine cannot put into words (the questionnaire has not come) is told as it is kept; what is left of a
    # known one is the order of the repeated parts.
    lines += [
        {"question": Text(path, path), "answer": Text(str(value), str(value)), "file": None}
        for path, value in answers.items()
        if path not in told and value not in ("", None) and not (compiled and isinstance(value, list))
    ]
    way_given = WAYS.get(str(consent.get("way", "")), Text("", ""))
    return {
        "time": _moment(version["time"]),
        "kind": KINDS[version["kind"]],
        "consent": {"time": _moment(consent.get("time", "")), "way": way_given} if consent else None,
        "elsewhere": sum(
            not files.is_here(store, str(held["interview"]), f"{name[7:]}.bin") for name in version["files"]
        )
        if version.get("files")
        else 0,
        "lines": lines,
    }


def _line(store: Store, interview: str, entry: Entry) -> dict[str, Any]:
    question = [entry.label(language) or entry.node.name for language in LANGUAGES]
    answer = [forms.in_words(entry, language) for language in LANGUAGES]
    return {"question": Text(*question), "answer": Text(*answer), "file": _file(store, interview, entry)}


def _file(store: Store, interview: str, entry: Entry) -> dict[str, str] | None:
    """A photograph, recording or other file given as the answer, inside the page itself."""
    if entry.node.type not in ATTACHED_TYPES or not isinstance(entry.value, str):
        return None
    content = files.content(store, interview, entry.value)
    if content is None:
        return None
    sort = uploads.by_name(entry.value)
    data = f"data:{sort.media_type};base64,{b64encode(content).decode('ascii')}"
    return {"family": sort.family, "data": data, "name": f"{entry.node.name}.{sort.ending}"}


def _both(value: Any) -> Text:
    if isinstance(value, Mapping):
        vi = str(value.get("vi", ""))
        return Text(vi, str(value.get("en") or vi))
    return Text(str(value or ""), str(value or ""))


def _moment(time: Any) -> str:
    return str(time)[:16].replace("T", " ")
