"""Whoever tries: text that wants to be code on every page, forged forms, borrowed sessions, other people's interviews,
thousands of PINs, bodies without end, browsers that never finish a sentence."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask

from survey.errors import NotAllowed
from survey.store import Store, current, drafts, frame
from survey.store.people import delay
from survey.web import roles
from survey.web.uploads import LARGEST_REQUEST
from tests import field
from tests.field import BINH, HOA, LAN, WHOLE, Clock, Interviewer, Visitor
from tests.outside import ROOT
from tests.tried import tried

EVIL = "\"'><evil onclick=alert(1)>{{7*191}}</script><!--'); DROP TABLE drafts; --%s"
"""Breaks out of an attribute, a tag, a template, a script, a comment, a statement, a format: where it can."""

MAY = "pmay"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(device: Store, instance: Path, clock: Clock) -> Iterator[Flask]:
    """A laptop on which everything that a person can type is :data:`EVIL`."""
    people = [
        (HOA, f"Hoa {EVIL}", ["enumerator"]),
        (LAN, f"Lan {EVIL}", ["supervisor", "administrator"]),
        (BINH, f"Bình {EVIL}", ["statistician"]),
        (MAY, f"May {EVIL}", ["enumerator"]),
    ]
    field.set_up(device, field.small(), people)
    title = {"vi": f"Đợt {EVIL}", "en": f"Round {EVIL}"}
    document = frame.document(device, "round", field.ROUND)
    frame.issue(device, "round", field.ROUND, {**(document or {}), "title": title})
    for order, unit in enumerate(("u1", "u2", "u3"), start=1):
        columns = dict.fromkeys(("province_name", "commune_name", "village_name", "stratum", "procedure"), EVIL)
        contact = dict.fromkeys(("name", "address", "phone", "note"), EVIL)
        frame.issue(device, "unit", unit, {**field.unit_document(unit, order), **columns}, contact)
    with field.running(instance, clock) as app:
        yield app


@pytest.fixture
def hoa(app: Flask) -> Interviewer:
    """The enumerator, in the middle of the interview at u1."""
    hoa = Interviewer(app)
    hoa.sign_in(HOA)
    hoa.start("u1")
    return hoa


# -- texts that want to be code -----------------------------------------------------------------------------------


class Page(HTMLParser):
    """The tags and attributes that a browser would see, and where the links of a page lead."""

    def __init__(self, text: str):
        super().__init__()
        self.faults: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes what only the text of a person could have put there."""
        given = dict(attrs)
        if tag == "evil" or any(
            name.startswith("on") or not re.fullmatch(r"[a-z][a-z0-9:_-]*", name) for name in given
        ):
            self.faults.append(f"<{tag} {attrs}>")
        for name in ("href", "src", "action", "formaction"):
            target = (given.get(name) or "").strip().lower()
            if target.startswith(("javascript:", "data:", "vbscript:", "//")):
                self.faults.append(f"{name}={target}")
        if tag == "a" and (given.get("href") or "").startswith("/"):
            self.links.append(str(given["href"]))

    def handle_comment(self, data: str) -> None:
        """No page of ours has comments."""
        self.faults.append(f"<!--{data}")


def crawl(visitor: Visitor, *starts: str) -> tuple[dict[str, str], list[str]]:
    """Opens everything that links lead to; gives the pages and what was wrong with them."""
    waiting, seen, faults = list(starts), {}, []
    while waiting:
        path = waiting.pop()
        # One of each kind of list is enough; its pages and sortings hold the same rows.
        if path in seen or path.partition("?")[0] in seen or path.startswith("/static/"):
            continue
        answer = visitor.get(path)
        assert answer.status_code < 500, path
        if answer.mimetype != "text/html":
            continue
        page = Page(answer.text)
        seen[path.partition("?")[0]] = answer.text
        faults += [f"{path}: {fault}" for fault in page.faults]
        if "1337" in answer.text:
            faults.append(f"{path}: the template was computed")
        assert "'unsafe" not in answer.headers["Content-Security-Policy"]
        waiting += page.links
    return seen, faults


def fill(app: Flask, device: Store, hoa: Interviewer) -> str:
    """Types :data:`EVIL` into every box there is; returns a sealed interview."""
    for section in (1, 2, 3):
        hoa.open(section)
    hoa.answers(WHOLE)
    questions = [node for node in field.small().walk() if node.kind == "question"]
    for node in questions:
        hoa.answer(node.path, EVIL)  # most refuse it, and show it again
        hoa.post(f"/interviews/{hoa.interview}/comment", question=node.path, comment=EVIL, lease=hoa.lease)
    hoa.answers(WHOLE)
    texts = [node.path for node in questions if node.type == "text"]
    on_disk = drafts.answers(device, hoa.interview)
    assert [path for path in texts if on_disk.get(path) == EVIL]
    sealed = hoa.interview
    hoa.finish()
    assert current.interviews(device, interview=sealed)[0]["state"] == "sealed"
    hoa.get("/units/u2/visit")
    hoa.post("/units/u2/visit", disposition="2.24", note=EVIL)
    lan = Visitor(app)
    lan.sign_in(LAN)
    lan.get(f"/interviews/{sealed}")
    for decision in ("commented", "returned"):
        lan.post(f"/interviews/{sealed}/decide", kind=decision, reason=EVIL)
    field.torn(device, field.sealed(device, "u3", field.small(), {**WHOLE, texts[0]: EVIL}))
    return sealed


def test_no_text_of_a_person_becomes_part_of_a_page(app: Flask, device: Store, hoa: Interviewer) -> None:
    sealed = fill(app, device, hoa)
    hoa.get("/today")
    hoa.post(f"/interviews/{sealed}/open-again")
    assert drafts.drafts(device)
    shown = 0
    for user in (HOA, LAN, BINH, MAY):
        visitor = hoa if user == HOA else Visitor(app)
        visitor.sign_in(user)
        starts = ["/", "/today", "/interviews", f"/interviews/{sealed}", "/hand-over", "/receive", "/rounds", "/paper"]
        starts += [f"/rounds/{field.ROUND}", "/handing/code", "/handing/take-over", f"/sign-in/{HOA}"]
        starts += [f"/interviews/{row['interview']}/conflict" for row in current.interviews(device)]
        starts += [f"/interviews/{row['interview']}/{n}" for row in drafts.drafts(device) for n in (1, 2, 3, "finish")]
        starts += [f"/units/{unit}/{page}" for unit in ("u1", "u2") for page in ("visit", "replace", "respondent")]
        pages, faults = crawl(visitor, *starts)
        assert faults == []
        shown += sum("evil onclick" in text for text in pages.values())
    # It was there to be seen: escaped.
    assert shown > 20
    tried(shown)


def test_text_that_wants_to_be_sql_or_a_format_is_kept_letter_by_letter(
    app: Flask, device: Store, hoa: Interviewer
) -> None:
    sealed = fill(app, device, hoa)
    assert {told["reason"] for told in current.decisions(device, sealed)} == {EVIL}
    assert frame.contact(device, "unit", "u1")["address"] == EVIL
    assert [visit["note"] for visit in frame.visits(device, "u2")] == [EVIL]
    assert current.verify(device).problems == []
    for path in ("/interviews", "/today/units", "/today", "/paper"):
        for name in ("q", "search", "sort", "state", "page", "unit", "village", "round"):
            assert hoa.get(path, **{name: EVIL}).status_code < 500, (path, name)
            tried()
    assert current.verify(device).problems == []


# -- forged forms, borrowed sessions ------------------------------------------------------------------------------


def test_no_form_of_any_page_is_taken_without_its_token(app: Flask, device: Store, hoa: Interviewer) -> None:
    before = device.value("SELECT count(*) FROM revisions"), drafts.answers(device, hoa.interview)
    count = 0
    for rule in app.url_map.iter_rules():
        if "POST" not in (rule.methods or ()):
            continue
        path = rule.rule.replace("<interview>", hoa.interview).replace("<unit>", "u1").replace("<user>", HOA)
        path = re.sub(r"<[^>]+>", "x", path.replace("<round>", field.ROUND))
        for user in (HOA, LAN):
            visitor = Visitor(app)
            visitor.sign_in(user)
            for token in ("", "forged"):
                answer = visitor.client.post(
                    path, base_url=field.ADDRESS, data={"csrf_token": token, "pin": field.PIN, "lease": hoa.lease}
                )
                # 403, 404: not for this role, not there. Signing in looks at the form itself and shows it again.
                assert answer.status_code in (400, 403, 404), (path, user, answer.status_code)
                count += 1
    assert count > 80
    tried(count)
    assert (device.value("SELECT count(*) FROM revisions"), drafts.answers(device, hoa.interview)) == before


def test_a_session_from_before_signing_in_is_worth_nothing_afterwards(app: Flask) -> None:
    victim, thief = Visitor(app), Visitor(app)
    victim.get(f"/sign-in/{HOA}")
    planted = victim.client.get_cookie("survey", "127.0.0.1")
    assert planted is not None
    victim.post(f"/sign-in/{HOA}", pin=field.PIN)
    assert victim.get("/today").status_code == 200
    after = victim.client.get_cookie("survey", "127.0.0.1")
    assert after is not None
    assert after.value != planted.value
    thief.client.set_cookie("survey", planted.value, domain="127.0.0.1")
    assert thief.get("/today").request.path == "/today"
    assert thief.get("/today").location == "/sign-in"
    for changed in (after.value[:20] + "A" + after.value[20:], after.value.replace(".", "..", 1), "x" * 4_000):
        thief.client.set_cookie("survey", changed, domain="127.0.0.1")
        assert thief.get("/today").location == "/sign-in"
        tried()


def test_another_enumerator_opens_and_changes_nothing_of_an_interview(
    app: Flask, device: Store, hoa: Interviewer
) -> None:
    hoa.open(1)
    hoa.answers({"opening/consent": "yes"})
    before = drafts.answers(device, hoa.interview), device.value("SELECT count(*) FROM revisions")
    may = Visitor(app)
    may.sign_in(MAY)
    count = 0
    for rule in app.url_map.iter_rules():
        if not {"<interview>", "<unit>"} & set(re.findall(r"<[^>]+>", rule.rule)):
            continue
        if not roles.may(rule.endpoint, frozenset({"enumerator"})):
            continue
        path = rule.rule.replace("<interview>", hoa.interview).replace("<unit>", "u1").replace("<int:number>", "1")
        path = re.sub(r"<[^>]+>", "x", path)
        for method in sorted({"GET", "POST"} & (rule.methods or set())):
            if method == "GET":
                answer = may.get(path)
            else:
                answer = may.post(
                    path, follow=False, question="opening/consent", value="no", lease=hoa.lease, disposition="2.2"
                )
            assert answer.status_code in (400, 403, 404), (method, path, answer.status_code)
            count += 1
    assert count > 10
    tried(count)
    assert (drafts.answers(device, hoa.interview), device.value("SELECT count(*) FROM revisions")) == before


# -- thousands of PINs --------------------------------------------------------------------------------------------


def test_ten_thousand_wrong_pins_try_hardly_any_and_the_right_person_gets_in(device: Store) -> None:
    field.set_up(device, field.small())
    now = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    looked_at = 0
    for pin in range(10_000):
        now += timedelta(seconds=1)
        with pytest.raises(NotAllowed) as refused:
            frame.sign_in(device, HOA, f"{pin:06}", now)
        looked_at += refused.value.problem.what.en == "the person or the PIN is not right"
        tried()
    # Three at once, then after 2, 4, … 512, 900, 900 … seconds.
    assert looked_at < 30
    assert sum(delay(failures) for failures in range(10_000)) > 100 * 86_400
    with pytest.raises(NotAllowed, match="several times"):
        frame.sign_in(device, HOA, field.PIN, now)
    assert frame.sign_in(device, HOA, field.PIN, now + timedelta(seconds=901))["id"] == HOA


# -- bodies without end, browsers that never finish ---------------------------------------------------------------


def test_a_body_larger_than_any_form_is_refused_and_nothing_of_it_is_kept(
    app: Flask, device: Store, hoa: Interviewer
) -> None:
    before = drafts.answers(device, hoa.interview)
    assert hoa.post("/language", language="x" * (3 << 20)).status_code == 413
    data = {"csrf_token": hoa.token, "question": "opening/consent", "value": "y" * (LARGEST_REQUEST + 1)}
    answer = hoa.client.post(f"/interviews/{hoa.interview}/answer", base_url=field.ADDRESS, data=data)
    assert answer.status_code in (400, 413)
    assert drafts.answers(device, hoa.interview) == before


def test_browsers_that_never_finish_a_sentence_keep_nobody_out(device: Store, instance: Path) -> None:
    field.set_up(device, field.small())
    program = "import sys; from survey.cli import main; sys.exit(main())"
    arguments = ["--instance", str(instance), "run", "--port", "0", "--no-browser"]
    with subprocess.Popen(
        [sys.executable, "-u", "-c", program, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as running:
        slow: list[socket.socket] = []
        try:
            assert running.stdout is not None
            port = int(re.findall(r"127\.0\.0\.1:(\d+)", running.stdout.readline())[0])
            for number in range(40):
                line = socket.create_connection(("127.0.0.1", port), timeout=30)
                slow.append(line)
                tried()
                line.sendall(
                    (b"GET /sign-in HT", b"POST /language HTTP/1.1\r\nContent-Length: 90\r\n\r\nx")[number % 2 :][0]
                )
            began = time.monotonic()
            with socket.create_connection(("127.0.0.1", port), timeout=60) as quick:
                quick.sendall(b"GET /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                assert quick.recv(12) == b"HTTP/1.1 200"
            assert time.monotonic() - began < 60
        finally:
            for line in slow:
                line.close()
            running.terminate()
