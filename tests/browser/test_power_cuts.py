"""Power cuts at random moments of an interview on the page: what the page called saved is there, and it goes on."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from random import Random
from threading import Timer
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from survey.store import Store, drafts
from tests.keyboard import Hand, Served

pytestmark = pytest.mark.browser

LEDGER = """(() => {
    // What the page sends of each question and what it is told, written down at that very moment and kept over pages.
    const storage = window.sessionStorage; // the page itself goes without
    const ledger = (window.ledger = JSON.parse(storage.ledger || "[]"));
    const keep = () => (storage.ledger = JSON.stringify(ledger));
    const sent = (way, body) => {
        const value = body.get("missing") ? "?" + body.get("missing") : body.get("value") || "";
        ledger.push({way, question: body.get("question"), value, told: ""});
        keep();
        return ledger[ledger.length - 1];
    };
    const isAnswer = (url) => String(url).endsWith("/answer");
    const {open, send} = XMLHttpRequest.prototype;
    XMLHttpRequest.prototype.open = function (method, url, ...more) {
        this.forAnswer = isAnswer(url);
        return open.call(this, method, url, ...more);
    };
    XMLHttpRequest.prototype.send = function (body) {
        if (this.forAnswer) {
            const line = sent("page", body instanceof FormData ? body : new URLSearchParams(String(body)));
            this.addEventListener("load", () => {
                line.told = this.getResponseHeader("X-Answer") || String(this.status);
                keep();
            });
        }
        return send.call(this, body);
    };
    const fetched = window.fetch;
    window.fetch = (url, options) => {
        if (isAnswer(url)) sent("leaving", options.body);
        return fetched(url, options);
    };
})()"""


def answers(laptop: Path) -> dict[str, Any]:
    """The answers of the one open draft on disk, missing kinds written as the page sends them."""
    with Store.open(laptop) as store:
        (draft,) = drafts.drafts(store)
        found = drafts.answers(store, draft["interview"])
    return {path: "?" + value["missing"] if isinstance(value, dict) else value for path, value in found.items()}


def losses(ledger: list[dict[str, str]], held: dict[str, Any]) -> list[Any]:
    """The questions whose answer on disk is neither the last one that was called saved nor one that was sent after it.

    A later one may be on disk too: the cut can come before anybody was told so.
    """
    lost = []
    for question in {line["question"] for line in ledger if line["told"] == "saved"}:
        lines = [line for line in ledger if line["question"] == question]
        last = max(n for n, line in enumerate(lines) if line["told"] == "saved")
        if held.get(question, "") not in [line["value"] for line in lines[last:]]:
            lost.append((question, held.get(question), lines[-6:]))
    return lost


def test_a_loss_would_be_seen() -> None:
    told = [
        {"way": "page", "question": "a", "value": "3", "told": "saved"},
        {"way": "page", "question": "a", "value": "4", "told": "saved"},
        {"way": "leaving", "question": "a", "value": "5", "told": ""},
    ]
    assert [question for question, *_ in losses(told, {"a": "3"})] == ["a"]
    assert [question for question, *_ in losses(told, {})] == ["a"]
    assert losses(told, {"a": "4"}) == losses(told, {"a": "5"}) == []


@pytest.mark.soak
def test_no_power_cut_loses_a_confirmed_answer_and_every_draft_goes_on(
    browser: Browser, served: Served, laptop: Path, shots: Path, trials: Callable[[int, int], int]
) -> None:
    source = Random(20261126)
    hand = Hand(browser, served, shots, "mat-dien")
    hand.begin()
    hand.page.add_init_script(LEDGER)
    cuts = trials(6, 200)
    for _ in range(cuts):
        hand.section(source.choice((2, 3, 3)))
        place = hand.page.url
        # The cut comes while keys are being pressed: before, during or after an answer's way to the disk.
        cut = Timer(source.uniform(0.0, 0.35), served.stop, (signal.SIGKILL,))
        cut.start()
        if hand.page.url.endswith("/2"):
            hand.page.locator("#q-a_2f_age-box").focus()
            hand.page.keyboard.press("Control+a")
            hand.page.keyboard.type(str(source.randint(18, 99)), delay=source.randint(0, 60))
            keys = ["Enter", source.choice("12")]
        else:
            keys = [source.choice("12345/*") for _ in range(3)]
        for key in keys:
            hand.page.keyboard.press(key)
            hand.page.wait_for_timeout(source.randint(0, 60))
        cut.join()
        held = answers(laptop)
        stays = source.random() < 0.5 and hand.page.url.startswith(served.address)
        if not stays:
            # Whoever went on to a page that no longer came goes back to the interview.
            served.start()
            hand.page.goto(place)
        ledger = hand.page.evaluate("ledger")
        assert losses(ledger, held if stays else answers(laptop)) == []
        if stays:
            # The page that stayed open notices, and saves what it still holds.
            served.start()
            expect(hand.page.locator("#silent")).to_be_hidden(timeout=15_000)
    saved = sum(line["told"] == "saved" for line in ledger)
    left = sum(line["way"] == "leaving" for line in ledger)
    assert saved > 0
    print(f"{cuts} cuts; {saved} answers called saved, {left} more sent while a page closed; none lost")
    hand.page.goto(served.address + "/today")
    hand.start()
    hand.close()
