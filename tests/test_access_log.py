"""The log of access: what is noted, that it cannot silently be changed, that it travels, who may read it."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlcipher3.dbapi2 as sqlite3
from click.testing import CliRunner, Result

from survey import create_app
from survey.cli import cli
from survey.errors import NotAllowed
from survey.store import Store, access_log, audit, current, drafts, fieldlog, frame, people, vault
from survey.store.header import hash_text
from survey.sync import exchange
from survey.vocabulary import ACCESS
from tests import field
from tests.field import HOA, LAN, PIN, Clock, Visitor
from tests.laptops import clone, interview

QUAN = "pquan"


@pytest.fixture
def office(hub: Store) -> Store:
    """A hub with a round, people and an administrator."""
    field.set_up(hub, field.small(), (*field.PEOPLE, (QUAN, "Vũ Văn Quân", ["administrator"])))
    return hub


@pytest.fixture
def pages(office: Store) -> Iterator[Visitor]:
    """Somebody at the hub's pages."""
    app = create_app(office.folder, Clock())
    yield Visitor(app)
    app.extensions["survey"].close()


def run(store: Store, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--instance", str(store.folder), *arguments])


def said(store: Store, action: str = "") -> list[tuple[str, str, str]]:
    """(person, action, about) of what this machine noted itself, oldest first."""
    found = [entry for entry in reversed(access_log.entries(store, actions=[action] if action else [])) if entry.number]
    return [(entry.actor, entry.action, entry.subject) for entry in found]


# -- what is noted -------------------------------------------------------------------------------------------------


def test_a_sign_in_and_a_wrong_pin_are_noted_and_nothing_that_was_typed(pages: Visitor, office: Store) -> None:
    pages.sign_in(LAN, "135790")
    pages.sign_in(LAN)
    assert said(office)[:2] == [(LAN, "sign_in_failed", ""), (LAN, "sign_in", "")]
    with pytest.raises(NotAllowed):
        people.sign_in(office, "246813", "246813")
    last = access_log.entries(office, actions=["sign_in_failed"])
    assert {entry.actor for entry in last} == {LAN, ""}
    assert b"246813" not in b"".join(row[0] for row in office.execute("SELECT entry FROM audit"))


def test_a_name_that_is_shown_is_noted_once_a_day_however_often_the_page_is_drawn(
    pages: Visitor, office: Store
) -> None:
    interview(office, "u1")
    pages.sign_in(LAN)
    for _ in range(3):
        assert "Đặng Thị Hoà" in pages.get("/interviews").text
    assert said(office, "contact") == [(LAN, "contact", "u1")]
    # Another process, another day.
    audit.note_views(office, LAN, ["u1"], "records.page", Clock()())
    assert len(said(office, "contact")) == 1
    clock = Clock()
    clock.go_on(days=1)
    audit.note_views(office, LAN, ["u1"], "records.page", clock())
    assert len(said(office, "contact")) == 2


def test_a_page_without_names_notes_no_view(pages: Visitor, office: Store) -> None:
    interview(office, "u1")
    pages.sign_in(QUAN)
    assert pages.get("/interviews").status_code == 200
    assert said(office, "contact") == []


def test_exports_are_noted_with_what_went_out(office: Store, tmp_path: Path) -> None:
    id = interview(office, "u1")
    out = str(tmp_path / "copy.html")
    assert run(office, "person-export", id, "--out", out, "--as", QUAN).exit_code == 0
    assert said(office, "person_export") == [(QUAN, "person_export", f"interview {id}")]
    own = drafts.start(office, "u2", field.small().hash, HOA)
    drafts.seal(office, own, {"opening/consent": "yes"}, {}, {}, {}, HOA)
    current.decide(office, own, "approved", actor=LAN)
    assert run(office, "data", "export", str(tmp_path / "data.csv"), "--with-contact").exit_code == 0
    assert [row[1:] for row in said(office)[-2:]] == [("export", field.ROUND), ("export_contact", field.ROUND)]
    assert access_log.entries(office, actions=["export"])[0].detail["interviews"] == 1


def test_roles_erasures_and_machines_come_from_the_feeds(office: Store) -> None:
    frame.issue(office, "user", HOA, {**(frame.person(office, HOA) or {}), "roles": ["supervisor"]}, actor=QUAN)
    id = interview(office, "u1")
    assert run(office, "erase", id, "--reason", "yêu cầu", "--as", QUAN).exit_code == 0
    (changed,) = [entry for entry in access_log.entries(office, actions=["person"]) if entry.actor == QUAN]
    assert (changed.subject, changed.detail["roles"]) == (HOA, ["supervisor"])
    assert "pin" not in changed.detail
    (erased,) = access_log.entries(office, actions=["erased"])
    assert (erased.actor, erased.subject, erased.detail) == (QUAN, f"interview {id}", {"reason": "yêu cầu"})
    assert access_log.entries(office, actions=["device"])


def test_unlocking_is_noted_with_the_wrong_passphrases_before_it(instance: Path) -> None:
    Store.create(instance, passphrase="bốn con voi uống trà").close()
    vault.lock(instance)
    app = create_app(instance, Clock())
    someone = Visitor(app)
    for words in ("không phải cụm này", "cũng không phải", "bốn con voi uống trà"):
        someone.get("/unlock")
        someone.post("/unlock", passphrase=words)
    with Store.open(instance) as store:
        (entry,) = access_log.entries(store, actions=["unlock"])
    assert entry.detail == {"wrong": 2}
    app.extensions["survey"].close()
    vault.lock(instance)


# -- it cannot silently be changed ---------------------------------------------------------------------------------


def noted(store: Store, count: int = 4, actor: str = LAN) -> None:
    audit.note_all(store, "contact", [f"u{number}" for number in range(count)], actor=actor)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit SET entry = x'7b7d' WHERE number = 2",
        "DELETE FROM audit WHERE number = 4",
        "INSERT INTO audit (number, entry, hash) VALUES (9, x'7b7d', 'sha256:00')",
        "INSERT OR REPLACE INTO audit (number, entry, hash) VALUES (2, x'7b7d', 'sha256:00')",
    ],
)
def test_the_store_refuses_to_change_remove_or_insert_entries(hub: Store, sql: str) -> None:
    noted(hub)
    with pytest.raises(sqlite3.IntegrityError):
        hub.execute(sql)
    assert access_log.problems(hub) == []
    assert len(said(hub)) == 4


REWRITTEN = "CAST(replace(CAST(entry AS TEXT), 'plan', 'phoa') AS BLOB)"


@pytest.mark.parametrize(
    "sql",
    [
        f"UPDATE audit SET entry = {REWRITTEN}, hash = hash_of({REWRITTEN}) WHERE number = 2",
        "UPDATE audit SET entry = CAST(replace(CAST(entry AS TEXT), 'plan', 'phoa') AS BLOB) WHERE number = 2",
        "DELETE FROM audit WHERE number = 2",
        "DELETE FROM audit WHERE number = 1",
    ],
)
def test_who_takes_the_triggers_away_and_edits_is_found_by_verify(hub: Store, sql: str) -> None:
    noted(hub)
    for (name,) in hub.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'audit'"
    ).fetchall():
        hub.execute(f"DROP TRIGGER {name}")
    hub.db.create_function("hash_of", 1, hash_text)
    hub.execute(sql)
    assert len(access_log.problems(hub)) == 1
    result = run(hub, "verify")
    assert result.exit_code == 1
    assert "the log of access breaks at entry" in run(hub, "--lang", "en", "verify").output
    read = run(hub, "--lang", "en", "audit", "--json")
    assert len(json.loads(read.stdout)["problems"]) == 1
    assert "the log of access breaks at entry" in read.stderr


def test_what_was_handed_over_stays_with_the_hub_and_shows_a_log_that_was_replaced(
    office: Store, device: Store, tmp_path: Path
) -> None:
    noted(device)
    interview(device)
    exchange.export(device, tmp_path / "one")
    exchange.sync(office, [tmp_path / "one"])
    carried = [entry for entry in access_log.entries(office, device=device.device) if entry.number]
    assert [entry.subject for entry in carried] == ["u3", "u2", "u1", "u0"]
    assert access_log.problems(office) == access_log.problems(device) == []
    # Whoever holds the laptop writes the whole log anew, with hashes that fit.
    for name in ("audit_stays", "audit_is_kept"):
        device.execute(f"DROP TRIGGER {name}")
    device.execute("DELETE FROM audit")
    noted(device, 6, HOA)
    assert len(access_log.problems(device)) == 1, "its own feed says otherwise"
    interview(device)
    exchange.export(device, tmp_path / "two")
    exchange.sync(office, [tmp_path / "two"])
    assert [problem.where for problem in access_log.problems(office)] == [f"device {device.device}"]
    assert len([entry for entry in access_log.entries(office) if entry.number]) > 4, "what it had before is kept"


LINE = {"time": "2026-11-20T08:00:00+07:00", "actor": HOA, "subject": "u1", "detail": {}, "number": 1, "prev": ""}
NEWER = json.dumps({**LINE, "action": "seen_by_drone"})
HEAD = hash_text(NEWER.encode())


def test_a_kind_of_entry_that_only_a_newer_program_knows_is_shown_by_its_name(pages: Visitor, office: Store) -> None:
    fieldlog.write(office, fieldlog.LOG, {"from": "1", "to": "1", "head": HEAD, "entries": [NEWER]}, round="")
    pages.sign_in(QUAN)
    assert "seen_by_drone" in pages.get("/access-log").text
    assert "seen_by_drone" in run(office, "audit").output
    assert "seen_by_drone" in access_log.as_csv(access_log.entries(office))


@pytest.mark.parametrize(
    "body",
    [
        {"to": "1", "head": HEAD, "entries": [NEWER]},
        {"from": "1", "to": "?", "head": HEAD, "entries": [NEWER]},
        {"from": "1", "to": "1", "head": HEAD, "entries": 7},
        {"from": "1", "to": "1", "head": hash_text(b"{}"), "entries": ["{}"]},
        {"from": "1", "to": "1", "head": hash_text(b"["), "entries": ["["]},
    ],
)
def test_a_log_that_a_machine_wrote_wrong_is_named_and_stops_nothing(hub: Store, body: dict[str, object]) -> None:
    noted(hub)
    held = access_log.entries(hub)
    fieldlog.write(hub, fieldlog.LOG, body, round="")
    assert access_log.entries(hub) == held or NEWER in str(body)
    assert [problem.where for problem in current.verify(hub).problems] == [f"device {hub.device}"]


def test_a_hand_over_without_news_stays_one_and_carries_no_log(device: Store, hub: Store, tmp_path: Path) -> None:
    interview(device)
    exchange.export(device, tmp_path)
    exchange.sync(hub, [tmp_path])
    exchange.sync(device, [tmp_path])
    noted(device)
    done = exchange.export(device, tmp_path)
    assert done.path is None
    interview(device, "u2")
    assert exchange.export(device, tmp_path).path is not None
    exchange.sync(hub, [tmp_path])
    assert len([entry for entry in access_log.entries(hub, device=device.device) if entry.number]) == 4
    assert current.verify(hub).problems == current.verify(device).problems == []


def test_a_log_that_goes_on_after_several_hand_overs_is_one_chain(device: Store, hub: Store, tmp_path: Path) -> None:
    for round in range(3):
        noted(device, 2)
        interview(device, f"u{round}")
        exchange.export(device, tmp_path)
    exchange.sync(hub, [tmp_path])
    assert [entry.number for entry in access_log.entries(hub, actions=["contact"])] == [6, 5, 4, 3, 2, 1]
    assert access_log.problems(hub) == []


def test_a_restored_or_cloned_laptop_begins_another_chain_and_hides_nothing(
    device: Store, hub: Store, tmp_path: Path
) -> None:
    noted(device, 2)
    interview(device)
    exchange.export(device, tmp_path / "usb")
    exchange.sync(hub, [tmp_path / "usb"])
    with clone(device, tmp_path / "copy") as copy:
        copy.new_epoch()
        noted(copy, 3)
        interview(copy, "u2")
        exchange.export(copy, tmp_path / "usb")
        assert access_log.problems(copy) == []
    exchange.sync(hub, [tmp_path / "usb"])
    assert access_log.problems(hub) == []
    assert len([entry for entry in access_log.entries(hub) if entry.number]) == 5


def test_a_page_proves_what_came_since_the_last_one_and_finds_what_a_whole_proof_finds(
    device: Store, hub: Store, tmp_path: Path
) -> None:
    proved = access_log.NOTHING
    for round in range(3):
        noted(hub, 2)
        noted(device, 2)
        interview(device, f"u{round}")
        exchange.export(device, tmp_path / str(round))
    for round in (1, 0, 2):  # also a document of the log that comes before one that was proved
        exchange.sync(hub, [tmp_path / str(round)])
        problems, proved = access_log.prove(hub, proved)
        assert problems == access_log.problems(hub) == []
        assert access_log.prove(hub)[1] == proved
    read: list[str] = []
    hub.db.set_trace_callback(read.append)
    noted(hub, 1)
    _, proved = access_log.prove(hub, proved)
    hub.db.set_trace_callback(None)
    assert proved.number == 7
    assert any("FROM audit WHERE number > 6" in sql for sql in read), "the six before are not read again"
    hub.execute("DROP TRIGGER audit_is_kept")
    hub.execute("DELETE FROM audit WHERE number > 5")
    noted(hub, 4, HOA)
    # The end that was proved is gone; what stands there now is a chain, and the log is proved anew.
    assert access_log.prove(hub, proved) == access_log.prove(hub)
    hub.execute("DROP TRIGGER audit_stays")
    hub.execute(f"UPDATE audit SET entry = {REWRITTEN} WHERE number = 2")
    assert access_log.prove(hub, proved)[0] == access_log.problems(hub) != []
    assert access_log.prove(hub, proved)[1] == access_log.NOTHING


def test_a_restored_laptop_that_hands_its_log_over_again_shows_no_entry_twice(
    device: Store, hub: Store, tmp_path: Path
) -> None:
    interview(device)
    noted(device, 3)
    with clone(device, tmp_path / "backup") as restored:
        noted(device, 2, HOA)
        exchange.export(device, tmp_path / "one")
        exchange.sync(hub, [tmp_path / "one"])
        # What it had before the backup leaves once more, under the numbers and in the words of the first time.
        exchange.sync(restored, [tmp_path / "one"])
        noted(restored, 1, QUAN)
        interview(restored, "u2")
        exchange.export(restored, tmp_path / "two")
        exchange.sync(hub, [tmp_path / "two"])
        assert access_log.problems(hub) == access_log.problems(restored) == []
        for store in (hub, restored):
            found = [entry for entry in access_log.entries(store, device=device.device) if entry.number]
            assert sorted((entry.number, entry.actor) for entry in found) == [
                *((number, LAN) for number in (1, 2, 3)),
                *sorted([(4, HOA), (4, QUAN)]),
                (5, HOA),
            ]
            assert access_log.count(store, device=device.device) == len(access_log.entries(store, device=device.device))


@pytest.mark.parametrize(
    "narrowed",
    [
        {},
        {"actor": HOA},
        {"actions": ["contact", "device"]},
        {"actions": ["contact'); DROP TABLE audit; --"]},
        {"device": "d"},
        {"since": "2026-11-21", "until": "2026-11-22"},
        {"actor": LAN, "since": "2026-11-22"},
    ],
    ids=str,
)
def test_page_by_page_the_log_is_the_same_as_at_once_whatever_its_clocks_said(
    device: Store, hub: Store, tmp_path: Path, narrowed: dict[str, Any]
) -> None:
    day = datetime(2026, 11, 20, 8, tzinfo=UTC)
    for round in range(4):
        for store, actor, hours in ((hub, LAN, 20), (device, HOA, -7)):
            # The laptop's clock goes backwards.
            audit.note_all(store, "contact", ["u1", "u2"], actor=actor, now=day + timedelta(hours=hours * round))
        interview(device, f"u{round}")
        exchange.export(device, tmp_path)
    exchange.sync(hub, [tmp_path])
    frame.issue(hub, "user", HOA, {"id": HOA, "roles": ["enumerator"]}, actor=LAN)
    whole = access_log.entries(hub)
    assert len(whole) > 16
    assert whole == sorted(whole, key=lambda entry: (entry.time, entry.device, entry.number), reverse=True)
    found = access_log.entries(hub, **narrowed)
    assert [entry for entry in whole if entry in found] == found
    assert access_log.count(hub, **narrowed) == len(found)
    pages = [access_log.entries(hub, most=3, skip=skip, **narrowed) for skip in range(0, len(found) + 3, 3)]
    assert [entry for page in pages for entry in page] == found
    if "actor" in narrowed:
        assert all(narrowed["actor"] in (entry.actor, entry.subject) for entry in found)
        assert found
    if "actions" in narrowed:
        assert {entry.action for entry in found} == {"contact", "device"} & set(narrowed["actions"])
    if "since" in narrowed:
        assert min(entry.time[:10] for entry in found) >= narrowed["since"]
        assert len(found) < len(whole)
    assert access_log.kinds(hub) == Counter(entry.action for entry in whole)


# -- reading it ----------------------------------------------------------------------------------------------------


def test_the_command_narrows_by_person_action_machine_and_day(office: Store, tmp_path: Path) -> None:
    noted(office, 2)
    audit.note(office, "export", actor=QUAN, subject="=cmd|' /C calc'!A0", detail={"interviews": 3})
    found = json.loads(run(office, "audit", "--person", QUAN, "--action", "export", "--json").stdout)
    assert [entry["detail"] for entry in found["entries"]] == [{"interviews": 3}]
    assert found["problems"] == []
    assert json.loads(run(office, "audit", "--until", "2020-01-01", "--json").stdout)["entries"] == []
    assert json.loads(run(office, "audit", "--machine", "dffffffff", "--json").stdout)["entries"] == []
    assert json.loads(run(office, "audit", "--machine", office.device[:6], "--action", "contact", "--json").stdout)[
        "entries"
    ]
    table = run(office, "--lang", "vi", "audit", "--action", "contact")
    assert "xem dữ liệu liên hệ" in table.output
    out = tmp_path / "log.csv"
    assert run(office, "audit", "--csv", str(out)).exit_code == 0
    rows = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8-sig"))))
    (exported,) = [row for row in rows if row["action"] == "export"]
    assert exported["subject"] == "'=cmd|' /C calc'!A0", "a spreadsheet runs no formula of it"
    assert (exported["action_vi"], exported["action_en"]) == ACCESS["export"]
    assert said(office)[-1][1:] == ("log_export", "log.csv")


@pytest.mark.parametrize(("actor", "code"), [(QUAN, 0), (LAN, 2), (HOA, 2), ("pnobody", 2)])
def test_only_an_administrator_reads_it_by_name(office: Store, actor: str, code: int) -> None:
    assert run(office, "audit", "--as", actor).exit_code == code


def test_the_page_shows_filters_and_gives_a_file_and_notes_that_too(pages: Visitor, office: Store) -> None:
    interview(office, "u1")
    pages.sign_in(LAN, "135790")
    pages.sign_in(QUAN, PIN)
    page = pages.get("/access-log")
    assert "nhập sai PIN" in page.text
    audit.note_views(office, LAN, ["u1"], "progress.units", Clock()())
    shown = pages.get("/access-log", action="contact").text
    assert "Đơn vị mẫu số 1, bản Khoang · xã Chiềng Mung · trang Tiến độ" in shown
    assert "Đặng Thị Hoà" not in shown
    assert "1 mục" in pages.get("/access-log", action="sign_in_failed", actor=LAN).text
    assert "Không có mục nào" in pages.get("/access-log", since="2031-01-01").text
    file = pages.post("/access-log", action="sign_in_failed", follow=False)
    assert file.mimetype == "text/csv"
    assert "sign_in_failed" in file.text
    assert "đăng nhập" not in file.text.replace("nhập sai", "")
    assert said(office)[-1] == (QUAN, "log_export", "")
    pages.post("/sign-out")
    pages.sign_in(LAN)
    assert pages.get("/access-log").status_code == 403
