"""A laptop with its server and a person who has only a keyboard, for the browser tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from urllib.request import urlopen

from playwright.sync_api import Browser, ConsoleMessage, Page, Response

from tests.field import PIN

COMMAND = [sys.executable, "-c", "from survey.cli import main; main()"]

LIGHT = {"viewport": {"width": 1366, "height": 768}, "color_scheme": "light", "locale": "vi-VN"}


def survey(instance: Path, *arguments: object, input: str = "", code: int = 0) -> str:
    """Runs the ``survey`` command on an instance in a process of its own; returns what it printed."""
    done = subprocess.run(
        [*COMMAND, "--instance", str(instance), *map(str, arguments)],
        input=input,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "SURVEY_LANG": "en"},
        check=False,
    )
    assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout


class Served:
    """``survey run`` on an instance, as a process that can be killed and started again on the same address."""

    def __init__(self, instance: Path):
        self.instance = instance
        self.port = 0
        self.process: subprocess.Popen[str] | None = None
        self.start()

    def start(self) -> None:
        """Starts the server and waits until it says where it is."""
        self.process = subprocess.Popen(
            [*COMMAND, "--instance", str(self.instance), "run", "--port", str(self.port), "--no-browser"],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "SURVEY_LANG": "en"},
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().split()[2].rstrip("/")
        self.port = int(self.address.rpartition(":")[2])
        with urlopen(self.address + "/sign-in") as first:
            assert first.status == 200

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Ends this server's process: SIGKILL is the power cut."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(timeout=20)
        if self.process is not None and self.process.stdout is not None:
            self.process.stdout.close()

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()


class Hand:
    """Presses keys on a page and reads what it says; knows which answers the page has confirmed."""

    def __init__(self, browser: Browser, served: Served, shots: Path, name: str, **look: Any):
        self.context = browser.new_context(**{**LIGHT, **look})
        self.page: Page = self.context.new_page()
        self.served = served
        self.shots = shots
        self.name = name
        self.confirmed: dict[str, str | list[str]] = {}
        self.complaints: list[str] = []
        self.presses = 0
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._said)
        self.page.on("request", lambda asked: self._asked(asked.url))
        self.page.on("response", self._answered)

    def _said(self, message: ConsoleMessage) -> None:
        if "Content Security" in message.text:
            self.complaints.append(f"{message.text[:60]} {message.location}")

    def _asked(self, url: str) -> None:
        if not url.startswith(self.served.address):
            self.complaints.append(f"a request to another host: {url}")

    def _answered(self, response: Response) -> None:
        if response.headers.get("x-answer") != "saved":
            return
        sent = parse_qs(response.request.post_data or "")
        question = sent.get("question", [""])[0]
        if sent.get("missing"):
            self.confirmed[question] = "?" + sent["missing"][0]
        elif sent.get("value"):
            self.confirmed[question] = sent["value"][0] if len(sent["value"]) == 1 else sent["value"]

    def ready(self) -> None:
        """Waits until the page is whole and has given its box the focus: a page just loaded does that a little late."""
        self.page.wait_for_function(
            """() => document.readyState === 'complete'
                && (document.activeElement !== document.body
                    || ![...document.querySelectorAll('[autofocus]')].some(one => one.checkVisibility()))"""
        )

    def at(self, place: str) -> None:
        """Waits until the focus is at what ``place`` selects, or inside it.

        It asks for the active element: ``:focus`` holds only while the browser takes its window for the one in front,
        which it may forget after an error page or while another tab is open.
        """
        self.page.wait_for_function("place => document.activeElement?.closest(place)", arg=place)

    def press(self, *keys: str) -> None:
        """Presses keys one after the other, once the page is ready for the first."""
        self.ready()
        for key in keys:
            self.page.keyboard.press(key)
            self.presses += 1

    def calmly(self, *keys: str) -> None:
        """Presses keys as a person does, one after the page has answered the last."""
        for key in keys:
            self.press(key)
            self.page.wait_for_timeout(80)
            self.page.wait_for_function("() => !document.querySelector('.htmx-request')")

    def write(self, text: str) -> None:
        """Types a text letter by letter, once something on the page has the focus to take it."""
        self.ready()
        self.page.wait_for_function("() => document.activeElement && document.activeElement !== document.body")
        self.page.keyboard.type(text)
        self.presses += len(text)

    def tab_to(self, words: str) -> None:
        """Goes on with Tab until what is focused bears these words."""
        for _ in range(120):
            self.page.keyboard.press("Tab")
            focused = "document.activeElement.innerText || document.activeElement.ariaLabel || ''"
            if words in str(self.page.evaluate(focused)):
                return
        raise AssertionError(f"no way to “{words}” by Tab")

    def go(self, *keys: str) -> None:
        """Presses keys that lead to another page, and waits until it is there."""
        with self.page.expect_navigation():
            self.press(*keys)

    def sign_in(self, who: str, pin: str) -> None:
        """Signs in by keyboard alone."""
        self.page.goto(self.served.address)
        self.tab_to(who)
        self.go("Enter")
        self.at("#pin")
        self.write(pin)
        self.go("Enter")

    def start(self) -> None:
        """Presses the big button of Today and waits until the interview listens to keys."""
        self.page.locator("form.first button").click()
        self.at(".question")

    def begin(self, who: str = "Lò Thị Hoa", pin: str = PIN) -> None:
        """Signs in, starts the next interview of the small round and records consent."""
        self.sign_in(who, pin)
        self.start()
        self.consent()

    def consent(self) -> None:
        """Answers yes to the first question, and waits until that is on disk: everything else hangs on it."""
        self.press("1")
        self.page.wait_for_url("**/2")  # nothing else stands in this section, so the page goes on by itself

    def section(self, number: int) -> None:
        """Opens a section of the interview and waits until a question has the focus."""
        self.page.goto(self.page.url.rpartition("/")[0] + f"/{number}")
        self.at(".question")

    def axe(self) -> list[str]:
        """What axe finds on the page once it has come to rest: page, rule, and the element it speaks of."""
        self.page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
        self.page.wait_for_timeout(200)
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{self.page.url}: {rule['id']}: {json.dumps(node['target'])} {node['failureSummary']}"
            for rule in found["violations"]
            for node in rule["nodes"]
        ]

    def shot(self, name: str) -> None:
        """Keeps a picture of the screen for a person to look at."""
        self.page.wait_for_timeout(200)
        self.page.screenshot(path=self.shots / f"{self.name}-{name}.png")

    def where(self) -> dict[str, Any]:
        """What has the focus: the question, the kind of box, the key that its button bears."""
        found: dict[str, Any] = self.page.evaluate(
            """() => {
                const a = document.activeElement, q = a.closest('.question');
                const state = q && q.querySelector('.state');
                return {id: a.id, type: a.type || a.tagName, question: q ? q.id : '', key: a.dataset.key || '',
                        figures: a.hasAttribute('data-figures'), typed: Boolean(q && q.querySelector('.typed')),
                        path: q ? q.querySelector('[name=question]').value : '', state: state ? state.innerText : ''};
            }"""
        )
        return found

    def answer_here(self, choose: dict[str, str]) -> str:
        """Answers the focused question by keys and waits until the focus has moved on; returns the question's path.

        ``choose`` says what to press or write at questions where the first choice will not do.
        """
        here = self.where()
        self.answer(here, choose.get(here["path"].rpartition("/")[2], ""))
        self.page.wait_for_function(
            """id => {
                const at = document.activeElement, q = at.closest('.question');
                return q ? q.id !== id : at.id === 'onward';
            }""",
            arg=here["question"],
        )
        return str(here["path"])

    def answer(self, here: dict[str, Any], words: str) -> None:
        """Answers the question ``here`` by keys: with ``words``, else with what stands first."""
        if here["type"] in ("text", "textarea"):
            self.write(words or ("35" if here["figures"] else "Chợ phiên"))
            if not here["figures"] or self.rests(here["question"]):
                self.press("Enter")
            return
        for key in words.split() or [here["key"]]:
            self.write(key)
            if self.page.locator(f"#{here['question']} .typed[data-code]:not([data-code=''])").count():
                self.press("Enter")  # a longer code begins with this one
        if here["type"] != "radio" and self.rests(here["question"]):
            if here["typed"]:
                self.page.wait_for_timeout(750)  # an Enter at once would be taken for the end of the code
            self.press("Enter")

    def rests(self, question: str) -> bool:
        """Whether the focus stays at an answer that was saved: one to which nothing can be added goes on by itself."""
        self.page.wait_for_function(
            "id => !document.getElementById(id) || document.querySelector(`#${id} .state.saved`)", arg=question
        )
        self.page.wait_for_timeout(100)
        return bool(self.where()["question"] == question)

    def seal(self) -> None:
        """Presses Enter at the review page; at once it would be taken for the end of the answer before."""
        self.at("button#onward")
        self.page.wait_for_timeout(750)
        self.go("Enter")

    def interview(self, choose: dict[str, str], until: int = 10_000) -> int:
        """Goes through the interview by keys until the review page, or until so many questions are answered."""
        asked = 0
        while asked < until and not self.page.url.endswith("/finish"):
            if self.where()["id"] == "onward":
                self.go("Enter")
            else:
                self.answer_here(choose)
                asked += 1
        return asked

    def close(self) -> None:
        """Leaves; anything the page complained about fails the test."""
        self.context.close()
        assert not self.complaints, self.complaints
