"""Who gets in, which page is for whom, and what the browser is told."""

from __future__ import annotations

import hashlib
import mimetypes
import os
import re
import stat
from pathlib import Path

import pytest
from flask import Flask

import survey.web
from survey import create_app
from survey.errors import Problems, StoreError
from survey.store import Store, drafts, frame
from survey.web import roles
from tests import field
from tests.field import BINH, HOA, LAN, PIN, Clock, Interviewer, Visitor


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app)


@pytest.fixture
def interviewer(app: Flask) -> Interviewer:
    return Interviewer(app)


def test_nobody_sees_anything_before_signing_in(app: Flask, visitor: Visitor) -> None:
    closed = [rule for rule in app.url_map.iter_rules() if roles.PAGES[rule.endpoint] is not roles.ANYONE]
    assert len(closed) > 15
    for rule in closed:
        page = rule.rule.replace("<int:number>", "1").replace("<interview>", "x").replace("<unit>", "u1")
        answer = visitor.get(page) if "GET" in (rule.methods or ()) else visitor.post(page, follow=False)
        assert answer.status_code in (302, 400), page
        assert "Hoà" not in answer.text
        assert answer.status_code == 400 or answer.location == "/sign-in"


def test_a_person_signs_in_with_the_pin_and_lands_where_the_work_is(visitor: Visitor) -> None:
    assert "Lò Thị Hoa" in visitor.get("/").text or "Lò Thị Hoa" in visitor.get("/sign-in").text
    assert visitor.sign_in(HOA).request.path == "/today"
    assert Visitor(visitor.client.application).sign_in(BINH).request.path == "/interviews"


def test_wrong_pins_cost_a_growing_delay_that_is_shown(visitor: Visitor, clock: Clock) -> None:
    for _ in range(3):
        page = visitor.sign_in(HOA, "000000")
        assert page.status_code == 403
    assert "thử lại sau 2 giây" in page.text.lower()
    assert "nhiều lần" in visitor.sign_in(HOA).text
    clock.go_on(seconds=3)
    assert visitor.sign_in(HOA).request.path == "/today"


def test_an_unknown_person_has_no_sign_in_page(visitor: Visitor) -> None:
    assert visitor.get("/sign-in/pnobody").status_code == 404


def test_a_disabled_person_is_out_at_once(device: Store, visitor: Visitor) -> None:
    visitor.sign_in(HOA)
    frame.issue(device, "user", HOA, {"id": HOA, "name": "Lò Thị Hoa", "roles": ["enumerator"], "disabled": True})
    assert visitor.get("/today").location == "/sign-in"
    assert "Lò Thị Hoa" not in visitor.get("/sign-in").text


def test_a_laptop_that_nobody_uses_is_locked_until_its_person_gives_the_pin(visitor: Visitor, clock: Clock) -> None:
    visitor.sign_in(HOA)
    clock.go_on(minutes=29)
    assert visitor.get("/today").status_code == 200
    clock.go_on(minutes=31)
    assert visitor.get("/today?q=hoa").location == f"/sign-in/{HOA}?next=/today?q%3Dhoa"
    visitor.get(f"/sign-in/{HOA}")
    assert visitor.post(f"/sign-in/{HOA}?next=/today", follow=False, pin="0000").status_code == 403
    assert visitor.get("/today").status_code == 302
    assert visitor.post(f"/sign-in/{HOA}?next=/today", follow=False, pin=PIN).location == "/today"
    assert visitor.get("/today").status_code == 200


def test_an_answer_is_refused_while_the_screen_is_locked_and_taken_once_it_is_open(
    device: Store, interviewer: Interviewer, clock: Clock
) -> None:
    interviewer.sign_in(HOA)
    interviewer.start("u1")
    interviewer.open(1)
    clock.go_on(minutes=31)
    refused = interviewer.answer("opening/consent", "yes")
    assert (refused.status_code, refused.headers["X-Answer"]) == (401, "locked")
    assert drafts.answers(device, interviewer.interview).get("opening/consent") is None
    assert interviewer.post("/pin", pin="0000").status_code == 403
    assert interviewer.post("/pin", pin=PIN).status_code == 204
    assert interviewer.answer("opening/consent", "yes").headers["X-Answer"] == "saved"
    assert interviewer.post("/lock").status_code == 204
    assert interviewer.answer("opening/consent", "no").headers["X-Answer"] == "locked"


@pytest.mark.parametrize(
    ("user", "allowed", "closed"),
    [
        (HOA, ["/today", "/hand-over"], ["/receive", "/interviews"]),
        (LAN, ["/today", "/hand-over", "/receive", "/interviews"], []),
        (BINH, ["/interviews", "/hand-over"], ["/today", "/receive"]),
    ],
)
def test_each_role_opens_its_own_pages(visitor: Visitor, user: str, allowed: list[str], closed: list[str]) -> None:
    start = visitor.sign_in(user).text
    for page in allowed:
        assert visitor.get(page).status_code == 200
        assert f'href="{page}"' in start
    for page in closed:
        answer = visitor.get(page)
        assert answer.status_code == 403
        assert "không dành cho vai trò của bạn" in answer.text
        assert f'href="{page}"' not in start


def test_every_page_is_in_the_table_of_roles(app: Flask) -> None:
    assert {rule.endpoint for rule in app.url_map.iter_rules()} == set(roles.PAGES)


def test_a_form_without_its_token_does_nothing(visitor: Visitor) -> None:
    visitor.sign_in(HOA)
    visitor.token = "forged"
    answer = visitor.post("/units/u1/start")
    assert answer.status_code == 400
    assert "chưa được thực hiện" in answer.text


def test_only_this_machines_own_name_is_answered(visitor: Visitor) -> None:
    rebound = visitor.client.get("/sign-in", base_url="http://evil.example:8450")
    assert (rebound.status_code, rebound.text) == (400, "Bad host")
    assert visitor.client.get("/sign-in", base_url="http://localhost:9999").status_code == 200


def test_every_answer_forbids_inline_code_and_other_hosts(visitor: Visitor) -> None:
    for page in (visitor.get("/sign-in"), visitor.get("/static/survey.css"), visitor.get("/nowhere")):
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        page.close()


def test_scripts_are_scripts_whatever_the_machine_takes_them_for(device: Store, instance: Path) -> None:
    before = mimetypes.guess_type("a.js")[0]
    mimetypes.add_type("text/plain", ".js")  # so it stands in the registry of many a Windows laptop
    try:
        script = Visitor(create_app(instance)).get("/static/interview.js")
        assert script.mimetype == "text/javascript"
        script.close()
    finally:
        mimetypes.add_type(before or "text/javascript", ".js")


def test_pages_are_never_kept_by_the_browser(visitor: Visitor) -> None:
    visitor.sign_in(HOA)
    assert visitor.get("/today").headers["Cache-Control"] == "no-store"


def test_the_session_cookie_is_for_this_site_and_out_of_reach_of_scripts(visitor: Visitor) -> None:
    visitor.get("/sign-in/" + HOA)
    cookie = visitor.post("/sign-in/" + HOA, follow=False, pin=field.PIN).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Expires" not in cookie


def test_the_secret_key_is_made_once_and_kept_in_the_instance(app: Flask, instance: Path, clock: Clock) -> None:
    key = instance / "keys" / "session.key"
    assert len(key.read_bytes()) == 32
    assert os.name == "nt" or stat.S_IMODE(key.stat().st_mode) == 0o600
    again = create_app(instance, clock)
    assert again.secret_key == app.secret_key == key.read_bytes()


def test_the_language_changes_at_once_and_stays_on_the_page(visitor: Visitor) -> None:
    visitor.sign_in(HOA)
    assert "Hôm nay" in visitor.get("/today").text
    english = visitor.post("/language", language="en", next="/today?q=hoa")
    assert english.request.path == "/today"
    assert '<html lang="en">' in english.text


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:1", ""])
def test_no_form_leads_away_from_this_app(visitor: Visitor, target: str) -> None:
    visitor.get("/sign-in")
    assert visitor.post("/language", follow=False, language="en", next=target).location == "/"


def test_a_folder_without_a_store_is_said_before_anything_is_served(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no store here"):
        create_app(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_setting_that_is_not_understood_is_said_before_anything_is_served(device: Store, instance: Path) -> None:
    (instance / "config.toml").write_text("prot = 1\n", encoding="utf-8")
    with pytest.raises(Problems, match="did you mean port"):
        create_app(instance)


def test_no_template_and_no_static_file_names_another_host() -> None:
    folder = Path(survey.web.__file__).parent
    own = [*folder.glob("templates/**/*.html"), *folder.glob("static/*.*")]
    assert len(own) > 25
    for file in own:
        assert not re.search(r"(?:src|href|url\()\s*=?\s*[\"'(]?(?:https?:)?//", file.read_text(encoding="utf-8")), file


def test_no_template_has_inline_code_or_style() -> None:
    for file in (Path(survey.web.__file__).parent / "templates").glob("**/*.html"):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"\sstyle=|\son[a-z]+=|<style|<script(?! src)|hx-on", text), file


def test_the_vendored_file_is_the_one_its_readme_names() -> None:
    vendor = Path(survey.web.__file__).parent / "static" / "vendor"
    readme = (vendor / "README.md").read_text(encoding="utf-8")
    assert hashlib.sha256((vendor / "htmx.min.js").read_bytes()).hexdigest() in readme
    assert 'version:"2.0.11"' in (vendor / "htmx.min.js").read_text(encoding="utf-8")
    assert "0BSD" in readme
    assert {file.name for file in vendor.iterdir()} == {"README.md", "htmx.min.js"}
