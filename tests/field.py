"""A small round on a laptop, for the tests of the pages: people with PINs, a questionnaire, sample units."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from survey import create_app
from survey.questionnaire import xlsform
from survey.questionnaire.model import Answers, Questionnaire
from survey.questionnaire.path import Context, open_path
from survey.store import Store, current, drafts, feed, frame

PIN = "246813"
ROUND = "r2026"
HOA, LAN, BINH = "phoa", "plan", "pbinh"

Person = tuple[str, str, list[str]]
"""Id, name, roles."""

PEOPLE: tuple[Person, ...] = (
    (HOA, "Lò Thị Hoa", ["enumerator"]),
    (LAN, "Nguyễn Thị Lan", ["supervisor"]),
    (BINH, "Trần Văn Bình", ["statistician"]),
)

RESPONDENTS = (
    ("u1", "Đặng Thị Hoà", "main"),
    ("u2", "Quàng Văn Ơn", "main"),
    ("u3", "Lường Thị Phượng", "main"),
    ("u4", "Cà Văn Đức", "reserve"),
)


def set_up(store: Store, questionnaire: Questionnaire, people: Sequence[Person] = PEOPLE) -> None:
    """Puts people, questionnaire, round and units into a store, the way a round file brings them."""
    pin = _hashed_pin()
    for user, name, roles in people:
        frame.issue(store, "user", user, {"id": user, "name": name, "roles": roles, "pin": pin})
    frame.issue(store, "questionnaire", questionnaire.hash, questionnaire.to_json())
    frame.issue(
        store,
        "round",
        ROUND,
        {
            "id": ROUND,
            "title": {"vi": "SIPAS 2026", "en": "SIPAS 2026"},
            "questionnaire_hash": questionnaire.hash,
            "index": questionnaire.id,
            "level": "0.95",
            "synthetic": True,
        },
    )
    for order, (unit, name, kind) in enumerate(RESPONDENTS, start=1):
        frame.issue(store, "unit", unit, unit_document(unit, order, kind), {"name": name, "address": "Bản Khoang"})


@cache
def _hashed_pin() -> str:
    return frame.hash_pin(PIN)


def unit_document(unit: str, order: int, kind: str = "main") -> dict[str, Any]:
    """One sample unit of the round, given to the enumerator."""
    return {
        "id": unit,
        "round": ROUND,
        "list": kind,
        "order": order,
        "province": "14",
        "province_name": "Sơn La",
        "commune": "03646",
        "commune_name": "xã Chiềng Mung",
        "village": "03646-07",
        "village_name": "bản Khoang",
        "stratum": "rural",
        "psu": "03646-07",
        "urban_rural": "rural",
        "assignee": HOA,
    }


@cache
def small() -> Questionnaire:
    """The small questionnaire with one question of every kind, in ``tests/fixtures/small``, read once."""
    return xlsform.load(Path(__file__).parent / "fixtures" / "small")


# -- a browser without a screen ----------------------------------------------------------------------------------

ADDRESS = "http://127.0.0.1:8450"


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 23, 9, 0, tzinfo=timezone(timedelta(hours=7)))

    def __call__(self) -> datetime:
        return self.time

    def go_on(self, **by: float) -> None:
        """``go_on(minutes=5)``"""
        self.time += timedelta(**by)


class Visitor:
    """Someone at the laptop: keeps cookies, sends the CSRF token of the page last seen, as a browser does."""

    def __init__(self, app: Flask):
        self.client = app.test_client()
        self.token = ""
        self.lease = ""

    def get(self, path: str, **query: str) -> TestResponse:
        """Opens a page."""
        return self._seen(self.client.get(path, base_url=ADDRESS, query_string=query or None))

    def post(self, path: str, follow: bool = True, **fields: Any) -> TestResponse:
        """Sends a form."""
        data = {"csrf_token": self.token, **fields}
        return self._seen(self.client.post(path, base_url=ADDRESS, data=data, follow_redirects=follow))

    def _seen(self, page: TestResponse) -> TestResponse:
        if page.mimetype != "text/html":
            return page  # a picture
        for name in ("csrf_token", "lease"):
            if found := re.search(rf'name="{name}" value="([^"]+)"', page.text):
                setattr(self, "token" if name == "csrf_token" else "lease", found[1])
        return page

    def sign_in(self, user: str, pin: str = PIN) -> TestResponse:
        """Signs in and lands on the first page of that person."""
        self.get(f"/sign-in/{user}")
        return self.post(f"/sign-in/{user}", pin=pin)


@contextmanager
def running(folder: Path, clock: Clock | None = None) -> Iterator[Flask]:
    """The app over the store in ``folder``, by the test's clock; the store is closed at the end."""
    app = create_app(folder, clock or Clock())
    try:
        yield app
    finally:
        app.extensions["survey"].close()


class Interviewer(Visitor):
    """An enumerator in the middle of an interview."""

    interview = ""

    def start(self, unit: str) -> TestResponse:
        """Begins the interview at a sample unit; gives its first page."""
        self.get("/today")
        page = self.post(f"/units/{unit}/start")
        self.interview = page.request.path.split("/")[2]
        return page

    def open(self, section: int) -> TestResponse:
        """Opens a section of the interview."""
        return self.get(f"/interviews/{self.interview}/{section}")

    def answer(self, question: str, value: str | list[str] = "", **fields: str) -> TestResponse:
        """Answers a question on the page that is open, as its script does."""
        data = {"question": question, "value": value, "lease": self.lease, "why": "leave", "ms": "1500", **fields}
        return self.client.post(
            f"/interviews/{self.interview}/answer",
            base_url=ADDRESS,
            data=data,
            headers={"X-CSRFToken": self.token, "HX-Request": "true"},
        )

    def answers(self, given: Mapping[str, str | list[str]]) -> None:
        """Answers several questions; each must be taken."""
        for question, value in given.items():
            fields = {"missing": value[1:]} if isinstance(value, str) and value.startswith("?") else {}
            reply = self.answer(question, "" if fields else value, **fields)
            assert reply.headers["X-Answer"] == "saved", (question, value, reply.text)

    def consented(self) -> Interviewer:
        """Begins the interview at u1, records consent and opens the second section."""
        self.start("u1")
        self.answers({"opening/consent": "yes"})
        self.open(2)
        return self

    def comment(self, question: str, words: str, about: str = "comment") -> TestResponse:
        """Writes a comment, or with ``about="reason"`` why an answer stays, as the script of the page does."""
        return self.client.post(
            f"/interviews/{self.interview}/comment",
            base_url=ADDRESS,
            data={"question": question, "about": about, "comment": words, "lease": self.lease},
            headers={"X-CSRFToken": self.token, "HX-Request": "true"},
        )

    def finish(self, disposition: str = "1.1") -> TestResponse:
        """Goes to the review page and seals."""
        self.get(f"/interviews/{self.interview}/finish")
        return self.post(f"/interviews/{self.interview}/finish", disposition=disposition, lease=self.lease)


WHOLE: dict[str, str | list[str]] = {
    "opening/consent": "yes",
    "a/age": "47",
    "a/job": "no",
    "a/channels": ["radio", "people"],
    "b/b1": "4",
    "b/b2": "?refused",
    "b/b3": "5",
}
"""Answers to everything that must be answered."""


def sealed(store: Store, unit: str, questionnaire: Questionnaire, answers: Answers | None = None) -> str:
    """An interview at ``unit`` that was made and sealed without pages; returns its id."""
    given: Answers = {
        path: {"missing": value[1:]} if isinstance(value, str) and value.startswith("?") else value
        for path, value in (answers or WHOLE).items()
    }
    interview = drafts.start(store, unit, questionnaire.hash, HOA)
    way = open_path(questionnaire, given, Context(frame={"commune": "03646"}, interview=interview))
    drafts.seal(store, interview, *way.sealed, {}, HOA)
    return interview


def torn(store: Store, interview: str) -> None:
    """Gives a sealed interview two versions, as when two laptops correct it without knowing of each other."""
    content = current.content(store, interview)
    for age in ("48", "49"):
        feed.append(
            store,
            subject_type="interview",
            subject=interview,
            kind="corrected",
            parts={"answers": {**content["answers"], "a/age": age}, "paradata": {}},
            parents=[content["head"]],
            target=content["unit"],
            questionnaire_hash=content["questionnaire_hash"],
            actor=HOA,
        )
