"""axe reads every page that a signed-in person can reach, in both languages and both colour schemes. The pages are
those of the app's own table of addresses, so that a new page is read too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from analysis.scorecard import read_structure
from survey.paper.serial import serial
from survey.store import Store, current, drafts, frame, keying, paper, scorecards
from tests import field, outside
from tests.field import HOA, LAN, PIN, ROUND
from tests.keyboard import Hand, Served
from tests.test_scorecard import CRITERIA

pytestmark = pytest.mark.browser

EVERYBODY = ("pall", "Vì Thị Kim", ["enumerator", "supervisor", "statistician", "administrator"])

ELSEWHERE = {
    "account.home": "leads on",
    "interview.resume": "leads on",
    "finding.choices": "a piece of a page: test_finder.py",
    "today.units": "a piece of a page",
    "progress.units": "a piece of a page: test_people.py",
    "network.progress": "a piece of a page: test_network_pages.py",
    "private.page": "while the screen is turned over: test_private.py",
    "paper_double.page": "once a form was keyed twice: test_paper_village.py",
    "beginning.first_person": "while the machine knows nobody: test_setting_up.py",
    "beginning.load": "while the machine knows nobody: test_setting_up.py",
    "unlock.page": "while the machine is locked: test_unlock.py",
    "backchecks.compared": "once there are back-checks: test_backchecks.py",
    "practice.results": "once there is a set: test_training.py",
    "practice.export": "a file",
    "static": "no page",
    "media.answer": "a file",
    "media.shown": "a file",
    "records.file": "a file",
    "scorecards.evidence_file": "a file",
    "agencies.page": "of a plan's unit: test_plans.py",
    "agencies.found": "a piece of a page: test_plans.py",
    "agencies.file": "a file",
    "plans.plan": "once there are scores: test_plans.py",
    "plans.item": "once there are scores: test_plans.py",
    "plans.sheet": "a file",
    "plans.document": "a file",
    "plans.extracts": "a file",
    "plans.quarter": "a file",
}
"""Addresses that are not read here, and why."""

LOOKS = [("vi", "light"), ("en", "dark")]
"""Each language and each scheme once; ``make soak`` looks at the other two pairs as well."""
if outside.SOAK:
    LOOKS += [("vi", "dark"), ("en", "light")]


@pytest.fixture
def laptop(instance: Path) -> Path:
    """A hub on which a bit of everything has happened: drafts, sealed, returned and torn interviews, paper, visits."""
    with Store.create(instance, "hub", name="hub") as store:
        field.set_up(store, field.small(), [*field.PEOPLE, EVERYBODY])
        for order in (5, 6):
            frame.issue(store, "unit", f"u{order}", field.unit_document(f"u{order}", order), {"name": f"Hộ {order}"})
    return instance


def happened(store: Store) -> dict[str, dict[str, Any]]:
    """Lets it all happen; the names in the addresses of each group of pages."""
    small = field.small()
    returned = field.sealed(store, "u2", small)
    current.decide(store, returned, "returned", reason="Hỏi lại tuổi", actor=LAN)
    torn = field.sealed(store, "u3", small)
    field.torn(store, torn)
    visit = {"id": "v1", "unit": "u3", "disposition": "2.24", "time": "2026-11-20T09:00:00"}
    frame.issue(store, "visit", "v1", visit)
    draft = drafts.start(store, "u1", small.hash, HOA)
    serials = [serial(ROUND, small.hash, number) for number in (1, 2)]
    lying, keyed = paper.issue_range(store, ROUND, serials, ["u5", "u6"], HOA, due="2026-11-24")
    keying.begin(store, keyed, small.hash, EVERYBODY[0], datetime.now(UTC))
    criteria = Path(store.folder).with_name("criteria.csv")
    criteria.write_text(CRITERIA, encoding="utf-8")
    structure = read_structure(criteria, "tinh-2026", "province").document
    body = {
        "unit_name": "Sơn La",
        "level": "province",
        "period": "2026",
        "version": "tinh-2026",
        "structure": structure,
    }
    card = scorecards.create(store, body, EVERYBODY[0])
    common = {"unit": "u1", "round": ROUND, "user": HOA, "interview": draft, "number": 1, "card": card, "code": "1.1"}
    return {
        "": {**common, "form": keyed.id},
        "records.record": {"interview": returned},
        "records.conflict": {"interview": torn},
        "paper.form_page": {"form": lying.id},
    }


def addresses(laptop: Path, named: dict[str, dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """(endpoint, address) of every page that is opened by its address."""
    with field.running(laptop) as app:
        adapter = app.url_map.bind("127.0.0.1")
        for rule in app.url_map.iter_rules():
            if "GET" in (rule.methods or ()) and rule.endpoint not in ELSEWHERE:
                names = {**named[""], **named.get(rule.endpoint, {})}
                yield rule.endpoint, adapter.build(rule.endpoint, {name: names[name] for name in rule.arguments})


@pytest.mark.soak
@pytest.mark.parametrize(("language", "scheme"), LOOKS)
def test_axe_finds_nothing_on_any_page(
    browser: Browser, served: Served, laptop: Path, shots: Path, language: str, scheme: str
) -> None:
    with Store.open(laptop) as store:
        named = happened(store)
    hand = Hand(browser, served, shots, f"{language}-{scheme}", color_scheme=scheme)
    found = []
    hand.page.goto(served.address + "/sign-in")
    if language == "en":
        hand.page.get_by_role("button", name="English").click()
    hand.page.goto(f"{served.address}/sign-in/{EVERYBODY[0]}")
    hand.write("0000")
    hand.go("Enter")
    found.extend(hand.axe())
    hand.write(PIN)
    hand.go("Enter")
    start = f"{served.address}/interviews/{named['']['interview']}"
    hand.page.goto(start + "/1")
    hand.at(".question")
    hand.consent()
    for section in range(2, 6):
        hand.page.goto(f"{start}/{section}")
        found.extend(hand.axe())
        hand.shot(f"muc-{section}")
    hand.page.goto(start + "/2")
    hand.at(".question")
    hand.write("170")
    hand.press("Enter")
    expect(hand.page.locator("#q-a_2f_age")).to_contain_text("110")
    found.extend(hand.axe())
    seen = 0
    for endpoint, address in addresses(laptop, named):
        answer = hand.page.goto(served.address + address)
        assert answer is not None
        assert answer.ok, (endpoint, address, answer.status)
        found.extend(hand.axe())
        hand.shot(endpoint)
        seen += 1
    hand.page.goto(served.address + "/no-such-page")
    found.extend(hand.axe())
    hand.close()
    assert found == []
    assert seen > 20
