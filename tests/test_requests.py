"""What respondents ask for under the law: registered, with its days, closed by what was done, named when late."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from survey.cli import cli
from survey.errors import InputError
from survey.store import Store, current, personal, requests
from survey.sync import exchange
from tests import field
from tests.field import LAN, Visitor
from tests.laptops import interview

QUAN = "pquan"


@pytest.fixture
def office(hub: Store) -> Store:
    """A hub with a round, people and an administrator."""
    field.set_up(hub, field.small(), (*field.PEOPLE, (QUAN, "Vũ Văn Quân", ["administrator"])))
    return hub


@pytest.fixture
def quan(office: Store) -> Iterator[Visitor]:
    """The administrator, at the hub's pages."""
    with field.running(office.folder) as app:
        visitor = Visitor(app)
        visitor.sign_in(QUAN)
        yield visitor


def run(store: Store, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--instance", str(store.folder), *arguments])


@pytest.mark.parametrize(
    ("received", "by"),
    [
        ("2026-11-23", "2026-11-25"),
        ("2026-11-26", "2026-11-30"),
        ("2026-11-27", "2026-12-01"),
        ("2026-11-28", "2026-12-01"),
    ],
)
def test_two_working_days_pass_over_the_week_end(received: str, by: str) -> None:
    assert requests.answer_by(date.fromisoformat(received)).isoformat() == by


def test_a_request_runs_until_it_is_done_and_is_late_first_for_the_answer_then_for_the_deed(office: Store) -> None:
    id = interview(office, "u1")
    asked = requests.add(office, "withdraw", date(2026, 11, 23), QUAN, interview=id)
    (one,) = requests.everything(office)
    assert (one.answer_by, one.do_by) == ("2026-11-25", "2026-12-08")
    assert [one.late(day) for day in ("2026-11-25", "2026-11-26", "2026-12-08", "2026-12-09")] == [
        "",
        "answer",
        "answer",
        "do",
    ]
    requests.step(office, asked, "answered", QUAN)
    (one,) = requests.everything(office)
    assert [one.late(day) for day in ("2026-11-26", "2026-12-09")] == ["", "do"]
    requests.step(office, asked, "done", QUAN)
    (one,) = requests.everything(office)
    assert (one.late("2030-01-01"), one.outcome) == ("", "done")
    for what in requests.STEPS:
        with pytest.raises(InputError):
            requests.step(office, asked, what, QUAN, "lần nữa")


def test_erasing_and_handing_out_close_what_asked_for_it_and_nothing_else(office: Store, tmp_path: Path) -> None:
    mine, other = interview(office, "u1"), interview(office, "u2")
    for kind in ("erase", "withdraw", "access", "correct"):
        requests.add(office, kind, date(2026, 11, 23), QUAN, interview=mine)
    requests.add(office, "erase", date(2026, 11, 23), QUAN, interview=other)
    personal.erase_person(office, mine, QUAN, "yêu cầu")
    closed = {(one.kind, one.interview) for one in requests.everything(office) if one.closed}
    assert closed == {("erase", mine), ("withdraw", mine)}
    assert run(office, "person-export", mine, "--out", str(tmp_path / "copy.html"), "--as", QUAN).exit_code == 0
    closed = {(one.kind, one.interview) for one in requests.everything(office) if one.closed}
    assert closed == {("erase", mine), ("withdraw", mine), ("access", mine)}


def test_what_is_late_is_named_by_list_and_verify_until_it_is_done(office: Store) -> None:
    id = interview(office, "u1")
    made = run(
        office,
        "request",
        "add",
        "erase",
        "--code",
        personal.code_of(id),
        "--received",
        "2026-01-05",
        "--as",
        QUAN,
        "--json",
    )
    asked = json.loads(made.stdout)
    assert (asked["answer_by"], asked["do_by"]) == ("2026-01-07", "2026-01-15")
    assert run(office, "request", "list").exit_code == 1
    assert json.loads(run(office, "request", "list", "--json").stdout)[0]["late"] == "do"
    told = run(office, "--lang", "en", "verify")
    assert told.exit_code == 1
    assert "was to be done by 2026-01-15" in told.output
    assert run(office, "request", "step", asked["id"], "refused", "--as", QUAN).exit_code == 2, "a refusal has a reason"
    assert run(office, "request", "step", asked["id"], "done", "--as", QUAN).exit_code == 0
    assert run(office, "request", "list").exit_code == 0
    assert "was to be done" not in run(office, "--lang", "en", "verify").output
    for actor in (LAN, "pnobody"):
        assert run(office, "request", "add", "erase", "--note", "x", "--as", actor).exit_code == 2
    assert run(office, "request", "add", "erase", "--as", QUAN).exit_code == 2, "neither code nor note"
    assert run(office, "request", "add", "erase", "--code", "0000-0000-0000", "--as", QUAN).exit_code == 2


def test_two_machines_note_steps_about_one_request_and_both_are_kept(
    office: Store, device: Store, tmp_path: Path
) -> None:
    asked = requests.add(device, "access", date(2026, 11, 23), QUAN, note="mất tờ giấy")
    exchange.export(device, tmp_path / "usb")
    exchange.sync(office, [tmp_path / "usb"])
    requests.step(device, asked, "answered", QUAN)
    requests.step(office, asked, "refused", QUAN, "không tìm được phiếu")
    exchange.export(device, tmp_path / "usb")
    exchange.sync(office, [tmp_path / "usb"])
    (one,) = requests.everything(office)
    assert (one.outcome, one.reason) == ("refused", "không tìm được phiếu")
    assert one.answered
    assert current.verify(office).problems == []


def test_the_page_registers_shows_what_is_late_and_takes_the_steps(office: Store, quan: Visitor) -> None:
    id = interview(office, "u1")
    quan.get("/personal-data")
    wrong = quan.post("/personal-data/requests", kind="erase", asked_code="0000-0000-0000", received="20/11/2026")
    assert wrong.status_code == 400
    assert quan.post("/personal-data/requests", kind="erase", received="20/11/2026").status_code == 400
    assert quan.post("/personal-data/requests", kind="erase", note="x", received="31/02/2026").status_code == 400
    assert requests.everything(office) == []
    page = quan.post("/personal-data/requests", kind="erase", asked_code=personal.code_of(id), received="10/11/2026")
    assert "quá hạn" in page.text
    assert "trả lời trước hết 12/11/2026" in page.text
    (one,) = requests.everything(office)
    assert quan.post(f"/personal-data/requests/{one.id}", step="refused").status_code == 400
    assert quan.post(f"/personal-data/requests/{one.id}", step="refused", reason="<b>trùng</b>").status_code == 200
    page = quan.get("/personal-data").text
    assert "&lt;b&gt;trùng&lt;/b&gt;" in page
    assert "quá hạn" not in page
