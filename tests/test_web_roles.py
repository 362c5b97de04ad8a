"""Everything tried as everybody: each route by each role, another's work by its address, forged forms and sessions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from werkzeug.test import TestResponse

from survey.cli import cli
from survey.store import Store, current, drafts, frame
from survey.sync import rounds
from survey.vocabulary import ROLES
from survey.web import roles
from tests import field
from tests.field import ROUND, Visitor

PERSON = {role: f"p{role}" for role in ROLES}
STRANGER = "pkhac"
"""An enumerator to whom nothing was given."""

CLOSED = "không dành cho vai trò của bạn"
SECRETS = ("Đặng Thị Hoà", "Lường Thị Phượng", "Bản Khoang")


class Steady(Visitor):
    """A visitor whose session is put back before every request: some addresses lock the screen or sign out."""

    kept = ("", "")

    def stay(self) -> None:
        cookie = self.client.get_cookie("survey", domain="127.0.0.1")
        assert cookie is not None
        self.kept = (cookie.value, self.token)

    def ask(self, method: str, path: str) -> TestResponse:
        if self.kept[0]:
            self.client.set_cookie("survey", self.kept[0], domain="127.0.0.1")
            self.token = self.kept[1]
        page = self.get(path) if method == "GET" else self.post(path, follow=False)
        page.get_data()
        page.close()
        return page


class Office:
    """A hub with one person a role, a sealed interview, an open draft and the app over it."""

    def __init__(self, store: Store, app: Flask):
        self.store = store
        self.app = app
        self.sealed = field.sealed(store, "u1", field.small())
        self.draft = drafts.start(store, "u3", field.small().hash, field.HOA)

    def visitor(self, user: str) -> Steady:
        visitor = Steady(self.app)
        visitor.sign_in(user)
        visitor.stay()
        return visitor

    def addresses(self, **named: str) -> Iterator[tuple[str, str, str]]:
        """(endpoint, method, path) of everything that the app answers, with these ids in the addresses."""
        ids: Mapping[str, Any] = {
            **{"interview": self.sealed, "unit": "u1", "round": ROUND, "form": "fnone", "user": STRANGER},
            **{"number": 1, "filename": "survey.css"},
            **named,
        }
        adapter = self.app.url_map.bind("127.0.0.1:8450")
        for rule in self.app.url_map.iter_rules():
            path = adapter.build(
                rule.endpoint, {name: ids.get(name, "x") for name in rule.arguments}, force_external=False
            )
            for method in sorted((rule.methods or set()) & {"GET", "POST"}):
                yield rule.endpoint, method, path.removeprefix("http://127.0.0.1:8450")

    def revisions(self) -> int:
        return int(self.store.value("SELECT count(*) FROM revisions"))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    folder = tmp_path / "office"
    with Store.create(folder, "hub", name="hub") as store:
        people = [(user, f"Người {role}", [role]) for role, user in PERSON.items()]
        field.set_up(store, field.small(), [*field.PEOPLE, *people, (STRANGER, "Người Khác", ["enumerator"])])
        with field.running(folder) as app:
            # Any free port: other tests open their hubs at the same time.
            app.extensions["survey"].settings = replace(app.extensions["survey"].settings, hub_port=0)
            yield Office(store, app)
            app.extensions["survey.door"].shut()


@pytest.mark.parametrize("role", ROLES)
def test_every_address_opens_to_a_role_exactly_as_the_table_says(office: Office, role: str) -> None:
    visitor = office.visitor(PERSON[role])
    tried = opened = 0
    for endpoint, method, path in office.addresses():
        page = visitor.ask(method, path)
        allowed = roles.may(endpoint, frozenset({role}))
        assert page.status_code < 500, path
        assert (CLOSED in page.text) != allowed, (role, method, path)
        assert allowed or page.status_code == 403, (role, method, path)
        tried, opened = tried + 1, opened + allowed
    assert tried > 60
    assert opened > 5


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_whoever_is_not_signed_in_gets_no_further_than_the_door(office: Office, method: str) -> None:
    visitor = Steady(office.app)
    before = office.revisions()
    for endpoint, asked, path in office.addresses():
        if asked != method or roles.PAGES[endpoint] is roles.ANYONE:
            continue
        visitor.get("/sign-in/" + STRANGER)
        page = visitor.ask(method, path)
        assert (page.status_code, page.location) == (302, "/sign-in"), path
    assert office.revisions() == before


def test_an_observer_sees_counts_and_neither_names_nor_answers_and_changes_nothing(office: Office) -> None:
    before = office.revisions()
    visitor = office.visitor(PERSON["observer"])
    for endpoint, method, path in office.addresses():
        if endpoint != "static":
            text = visitor.ask(method, path).text
            assert not [secret for secret in SECRETS if secret in text], path
    assert office.revisions() == before
    page = visitor.get("/progress").text
    assert "xã Chiềng Mung" in page
    assert "AAPOR" in page


def test_an_enumerator_finds_nothing_of_anothers_work_by_its_address(office: Office) -> None:
    before = office.revisions()
    visitor = office.visitor(STRANGER)
    visitor.get("/today")
    for interview, unit in ((office.sealed, "u1"), (office.draft, "u3")):
        for endpoint, method, path in office.addresses(interview=interview, unit=unit):
            if interview not in path and f"/units/{unit}/" not in path:
                continue
            page = visitor.ask(method, path)
            assert page.status_code in (400, 403, 404), (method, path)
            assert not [secret for secret in SECRETS if secret in page.text], (endpoint, path)
    assert office.revisions() == before
    assert drafts.answers(office.store, office.draft) == {}


@pytest.mark.parametrize("made_up", ["x", "../../etc/passwd", "' OR 1=1 --", "0" * 400, "sha256:00"])
def test_an_id_that_was_made_up_is_not_found_and_breaks_nothing(office: Office, made_up: str) -> None:
    visitor = office.visitor(PERSON["supervisor"])
    for endpoint, method, path in office.addresses(interview=made_up, unit=made_up, form=made_up, round=made_up):
        assert visitor.ask(method, path).status_code < 500, (endpoint, path)


@pytest.mark.parametrize("role", ROLES)
def test_no_form_is_taken_without_the_token_of_the_page_it_stood_on(office: Office, role: str) -> None:
    visitor = office.visitor(PERSON[role])
    before = office.revisions()
    for _, method, path in office.addresses():
        if method == "POST":
            for token in ("", "forged"):
                visitor.token = token
                assert visitor.post(path, follow=False).status_code == 400, path
    assert office.revisions() == before
    assert visitor.get("/hand-over").status_code in (200, 403), "still signed in: no forged form signed anybody out"


def test_a_session_that_was_planted_before_the_sign_in_is_not_signed_in_by_it(office: Office) -> None:
    victim = Visitor(office.app)
    victim.get("/sign-in/" + PERSON["supervisor"])
    planted = victim.client.get_cookie("survey", domain="127.0.0.1")
    assert planted is not None
    victim.sign_in(PERSON["supervisor"])
    assert victim.get("/interviews").status_code == 200
    attacker = Visitor(office.app)
    attacker.client.set_cookie("survey", planted.value, domain="127.0.0.1")
    assert attacker.get("/interviews").location == "/sign-in"


def test_a_session_that_was_written_by_hand_is_nobodys(office: Office) -> None:
    attacker = Visitor(office.app)
    for value in ("", "x", "eyJ1c2VyIjoicGxhbiJ9.aaaaaa.bbbbbb"):
        attacker.client.set_cookie("survey", value, domain="127.0.0.1")
        assert attacker.get("/interviews").location == "/sign-in"


def test_a_supervisor_makes_no_administrator(office: Office) -> None:
    def known() -> set[str]:
        return {str(one["name"]) for one in frame.people(office.store)}

    for role, made in (("supervisor", False), ("administrator", True)):
        visitor = office.visitor(PERSON[role])
        visitor.get(f"/rounds/{ROUND}?step=people")
        visitor.post(f"/rounds/{ROUND}/people", name=f"Mới của {role}", roles="administrator", pin="4711")
        assert (f"Mới của {role}" in known()) == made


# -- one's own commune ---------------------------------------------------------------------------------------------


@pytest.fixture
def neighbour(office: Office) -> Steady:
    """A supervisor from the very commune that is interviewed."""
    person = frame.person(office.store, field.LAN)
    frame.issue(office.store, "user", field.LAN, {**(person or {}), "commune": "03646"})
    return office.visitor(field.LAN)


def test_nobody_sees_their_own_commune_before_publication_by_list_or_address(office: Office, neighbour: Steady) -> None:
    assert office.sealed not in neighbour.get("/interviews").text
    assert "0" in neighbour.get("/today").text
    before = office.revisions()
    closed = 0
    for interview, unit in ((office.sealed, "u1"), (office.draft, "u3")):
        for endpoint, method, path in office.addresses(interview=interview, unit=unit):
            if interview in path or f"/units/{unit}/" in path:
                page = neighbour.ask(method, path)
                assert page.status_code == 403, (method, path)
                assert "xã mình" in page.text or not roles.may(endpoint, frozenset({"supervisor"}))
                closed += 1
    assert closed > 20
    assert office.revisions() == before


def test_the_commune_opens_with_publication_and_another_was_never_closed(office: Office, neighbour: Steady) -> None:
    assert office.visitor(PERSON["supervisor"]).get(f"/interviews/{office.sealed}").status_code == 200
    document = frame.round_document(office.store, ROUND)
    frame.issue(office.store, "round", ROUND, {**document, "published": "2026-12-15"})
    assert neighbour.get(f"/interviews/{office.sealed}").status_code == 200
    assert office.sealed in neighbour.get("/interviews").text


# -- commands that a person runs by name -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("actor", "code"), [("pobserver", 2), ("pstatistician", 2), ("penumerator", 2), ("pnobody", 2), ("psupervisor", 0)]
)
def test_a_command_by_name_is_measured_by_the_same_table(office: Office, actor: str, code: int) -> None:
    result = run(office, "review", "approve", office.sealed, "--as", actor)
    assert result == code
    state = current.interviews(office.store, interview=office.sealed)[0]["state"]
    assert state == ("approved" if code == 0 else "sealed")


def test_a_command_keeps_out_of_ones_own_commune_until_it_is_published(office: Office, neighbour: Steady) -> None:
    assert run(office, "review", "void", office.sealed, "--reason", "x", "--as", field.LAN) == 2
    assert run(office, "review", "approve", "--all", "--as", field.LAN) == 0
    assert current.interviews(office.store, interview=office.sealed)[0]["state"] == "sealed"
    document = frame.round_document(office.store, ROUND)
    frame.issue(office.store, "round", ROUND, {**document, "published": "2026-12-15"})
    assert run(office, "review", "approve", "--all", "--as", field.LAN) == 0
    assert current.interviews(office.store, interview=office.sealed)[0]["state"] == "approved"


def test_publication_is_noted_by_the_hub_that_signs_the_round(tmp_path: Path) -> None:
    with Store.create(tmp_path, "hub", name="hub") as store:
        document = {"id": "r1", "title": {"vi": "Đợt", "en": "Round"}, "questionnaire_hash": field.small().hash}
        rounds.issue_round(store, document)
        result = CliRunner().invoke(cli, ["--instance", str(tmp_path), "round", "publish", "--round", "r1"])
        assert result.exit_code == 0
        published = frame.round_document(store, "r1")
        assert published["published"] in result.output
        assert rounds.signed_by(published)


def run(office: Office, *arguments: str) -> int:
    return CliRunner().invoke(cli, ["--instance", str(office.store.folder), *arguments]).exit_code
