"""Training: a key that marks, and practice interviews that no hub, count, score or paper ever knows of."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from analysis import dataset
from survey import create_app
from survey.errors import InputError, NotAllowed, Problems
from survey.fieldwork.practice import Key, hardest, key_of, numbered, read_key, score
from survey.store import (
    Store,
    assigning,
    backcheck,
    board,
    current,
    drafts,
    feed,
    fieldlog,
    frame,
    merge,
    papers,
    practice,
    progress,
    quality,
    reading,
    vault,
)
from survey.store.header import PRACTICE, read_header
from survey.store.where import Where
from survey.store.whereabouts import whereabouts
from survey.sync import exchange, training
from survey.tables import read_table
from tests import field
from tests.field import HOA, LAN, ROUND, WHOLE, Clock, Interviewer, Visitor

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
SMALL = field.small()


# -- the key ------------------------------------------------------------------------------------------------------


def key(*rows: tuple[str, ...]) -> Key:
    heads = ("question", "answer", "tolerance")
    cells = [dict(zip(heads, (*row, "", ""), strict=False)) for row in rows]
    return read_key(SMALL, heads, [(f"row {n}", row) for n, row in enumerate(cells, start=2)])


def test_an_answer_is_right_wrong_left_out_or_asked_needlessly():
    made = key(
        ("age", "47", "1"),
        ("a/job", "no"),
        ("what_job", ""),
        ("channels", "radio people"),
        ("b1", "4|5"),
        ("b2", "không trả lời"),
        ("b3", "5"),
        ("hours", "1,5", "0,5"),
        ("day", "2026-11-20"),
    )
    found = score(
        made,
        {
            "a/age": "48",
            "a/job": "no",
            "a/what_job": "thợ may",
            "a/channels": ["people", "radio"],
            "b/b1": "5",
            "b/b2": {"missing": "dont_know"},
            "c/hours": "2.1",
            "c/mark": "7",
            "c/day": "2026-11-20",
        },
    )
    assert {mark.path: mark.outcome for mark in found.marks} == {
        "a/age": "right",
        "a/job": "right",
        "a/what_job": "extra",
        "a/channels": "right",
        "b/b1": "right",
        "b/b2": "wrong",
        "b/b3": "left",
        "c/hours": "wrong",
        "c/day": "right",
    }
    assert (found.right, round(found.percent, 1), found.others) == (5, 55.6, 1)


def test_words_are_compared_as_people_write_them_and_a_rank_in_its_order():
    made = key(("what_job", "Thợ  Điện | thợ hàn"), ("order", "radio people none"))
    assert score(made, {"a/what_job": "tho dien", "c/order": ["radio", "people", "none"]}).right == 2
    assert score(made, {"a/what_job": "thợ hàng", "c/order": ["people", "radio", "none"]}).right == 0


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (("wage", "1"), "no such question"),
        (("birth", "1979"), "not answered by an enumerator"),
        (("b1", "9"), "there is no choice 9"),
        (("age", "old"), "'old' is no number"),
        (("b1", "4", "1"), "a tolerance is a number, for numbers"),
        (("member_age", "12"), "say which instance"),
    ],
)
def test_a_row_that_marks_nothing_is_named_with_its_place(row: tuple[str, ...], says: str):
    with pytest.raises(Problems, match=f"row 3.*{says}"):
        key(("age", "47"), row)


def test_a_question_that_stands_twice_is_said_and_a_table_without_answers_too():
    with pytest.raises(Problems, match="stands twice"):
        key(("age", "47"), ("a/age", "48"))
    with pytest.raises(InputError, match="question or answer"):
        read_key(SMALL, ["question"], [])


def test_people_of_a_repeat_are_compared_by_their_place_and_not_by_their_random_ids():
    one = {"member": ["x1", "x2"], "member[x1]/member_age": "4", "member[x2]/member_age": "9"}
    other = {"member": ["q", "p"], "member[p]/member_age": "9", "member[q]/member_age": "4"}
    assert numbered(one) == numbered(other) == {"member[1]/member_age": "4", "member[2]/member_age": "9"}
    made = key_of(SMALL, one)
    assert score(made, other).percent == 100
    assert key(("member[2]/member_age", "9")) == {"member[2]/member_age": made["member[2]/member_age"]}


PLAYED: dict[str, Any] = {
    "a/age": "47",
    "a/birth": "1979",
    "opening/commune": "03646",
    "opening/consent": "yes",
    "b/b1": "4",
    "b/b2": {"missing": "refused"},
}


@given(st.dictionaries(st.sampled_from(sorted(PLAYED)), st.sampled_from(["4", "47", "yes", {"missing": "refused"}])))
def test_a_filled_interview_marks_itself_whole_and_every_score_adds_up(other: dict[str, Any]):
    made = key_of(SMALL, PLAYED)
    assert sorted(made) == ["a/age", "b/b1", "b/b2", "opening/consent"]  # no calculation, nothing from the frame
    assert score(made, PLAYED).percent == 100
    found = score(made, other)
    assert len(found.marks) == len(made)
    assert 0 <= found.percent <= 100
    (first, *_) = hardest([found, score(made, {})])
    assert first.wrong == max(1 + (mark.outcome != "right") for mark in found.marks)


# -- a store of its own -------------------------------------------------------------------------------------------


@pytest.fixture
def trained(device: Store, instance: Path, clock: Clock) -> Iterator[Flask]:
    """The app over a laptop with the small round and a practice set of three questions."""
    field.set_up(device, SMALL)
    document = frame.round_document(device, ROUND)
    made = {
        "id": "t1",
        "title": {"vi": "Tình huống 1", "en": "Scene 1"},
        "pass": "60",
        "questionnaire_hash": SMALL.hash,
        "columns": {"commune": "03646"},
        "key": key(("age", "47"), ("b1", "5"), ("hours", "1")),
    }
    frame.issue(device, "round", ROUND, {**document, "practice": [made]})
    with field.running(instance, clock) as app:
        yield app


def play(hoa: Interviewer, set: str = "t1") -> None:
    """Plays a practice interview to its end."""
    hoa.get("/practice")
    page = hoa.post(f"/practice/{ROUND}/start", set=set)
    hoa.interview = page.request.path.split("/")[2]
    hoa.answers(WHOLE)
    hoa.finish()


@pytest.fixture
def hoa(trained: Flask) -> Interviewer:
    person = Interviewer(trained)
    person.sign_in(HOA)
    return person


def counted(store: Store) -> dict[str, Any]:
    """What every reader of a store makes of its interviews: if practice counted anywhere, it would be here."""
    board.refresh(store)
    where = Where(round=ROUND)
    out: dict[str, Any] = {
        "interviews": reading.interviews(store),
        "revisions": [row["id"] for row in store.rows("SELECT id FROM revisions WHERE subject_type <> 'visit'")],
        "heads": store.rows("SELECT subject, head FROM documents WHERE subject_type IN ('unit', 'user')"),
        "drafts": drafts.drafts(store),
        "visits": frame.visits(store),
        "outcomes": fieldlog.outcomes(store, ROUND),
        "cases": fieldlog.cases(store, ROUND),
        "replacements": {k: len(v) for k, v in fieldlog.primary_units(store, ROUND).items()},
        "progress": {by: [vars(one) for one in progress.groups(store, where, by)] for by in progress.BY},
        "days": progress.days(store, where),
        "safe": progress.safe(store, where),
        "whereabouts": whereabouts(store),
        "devices": {k: {**v, "heard": ""} for k, v in progress.devices(store, ROUND).items()},
        "backchecks": backcheck.cases(store, ROUND),
        "independence": assigning.tied(store, ROUND),
        "quality": quality.rows(store, ROUND),
        "findings": quality.findings(store, ROUND, NOW),
        "responses": list(current.responses(store, ROUND, ("sealed", "approved"))),
    }
    if out["responses"]:
        out["papers"] = papers.gather(store, ROUND, ("sealed", "approved"))
        out["data"] = dataset.load(store, ROUND, ("sealed",)).table.arrow.to_pydict()
        out["sample"] = dataset.load_sample(store, ROUND, ("sealed",)).table.arrow.to_pydict()
    return out


def test_a_practice_interview_leaves_every_count_of_its_laptop_and_hub_as_it_was(
    trained: Flask, hoa: Interviewer, device: Store, hub: Store, stick: Path
):
    field.set_up(hub, SMALL)
    field.sealed(device, "u1", SMALL)
    exchange.export(device, stick, plain=True)
    exchange.sync(hub, [stick])
    before, at_hub = counted(device), counted(hub)
    play(hoa)
    play(hoa, "")
    assert counted(device) == before
    exchange.export(device, stick, plain=True)
    report = exchange.sync(hub, [stick])
    assert not report.needs_a_person
    assert counted(hub) == at_hub
    assert current.verify(hub).problems == current.verify(device).problems == []
    (event,) = fieldlog.read(hub, practice.ATTEMPT)  # the result of the set, and nothing of the free practice
    assert (event["actor"], event["set"], event["answers"]["a/age"]) == (HOA, "t1", "47")


def test_no_machine_takes_a_practice_revision_by_whatever_road_it_comes(
    trained: Flask, hoa: Interviewer, device: Store, instance: Path, hub: Store, province: Store, tmp_path: Path
):
    field.set_up(hub, SMALL)
    play(hoa)
    before = counted(hub)
    with practice.opened(instance) as own:
        assert own.is_practice
        headers = [read_header(row["header"]) for row in own.rows("SELECT header FROM revisions")]
        assert all(header.epoch.startswith(PRACTICE) for header in headers)  # its first revision already
        numbers = [row["number"] for row in own.rows("SELECT number FROM revisions")]
        with pytest.raises(NotAllowed, match="practice"):
            exchange.export(own, tmp_path / "usb", plain=True)
        own.new_epoch()
        assert own.is_practice  # a copy that was put back stays practice
        with pytest.raises(NotAllowed, match="practice"):
            merge.unite(own, feed.records(hub, [1]))
        records = list(feed.records(own, numbers))
        keys = {own.device: own.key.public}
    for store in (hub, device, province):
        outcome = merge.unite(store, records, "usb", keys)
        assert outcome.new == 0
        assert len(outcome.quarantined) == len(records)
        assert "practice" in outcome.quarantined[0][1]("en")
    report = exchange.sync(hub, [instance / practice.FOLDER])
    assert report.new == 0
    assert counted(hub) == before


def test_another_programs_bundle_of_practice_is_set_aside_and_the_rest_of_it_taken(
    trained: Flask, hoa: Interviewer, device: Store, instance: Path, hub: Store, tmp_path: Path
):
    """A bundle that mixes real and practice revisions, as only a program of somebody else's could write it."""
    field.set_up(hub, SMALL)
    sealed = field.sealed(device, "u1", SMALL)
    play(hoa)
    with practice.opened(instance) as own:
        records = [*feed.records(own, [row["number"] for row in own.rows("SELECT number FROM revisions")])]
        keys = {own.device: own.key.public, device.device: device.key.public}
        played = {row["interview"] for row in reading.interviews(own)}
    real = [*feed.records(device, [row["number"] for row in device.rows("SELECT number FROM revisions")])]
    merge.unite(hub, [*records, *real], "x.bundle", keys)
    assert {row["interview"] for row in reading.interviews(hub)} == {sealed}
    assert played.isdisjoint(row["subject"] for row in hub.rows("SELECT subject FROM revisions"))


def test_an_encrypted_laptop_keeps_its_practice_encrypted_too(tmp_path: Path, clock: Clock):
    folder = tmp_path / "laptop"
    with Store.create(folder, name="laptop", passphrase="bon tu khong lien quan") as store:
        field.set_up(store, SMALL)
        with practice.opened(folder) as own:
            practice.begin(store, own, frame.person(store, HOA) or {}, ROUND, "", NOW, name="Bà Hoà đóng vai")
    assert "đóng vai".encode() not in (folder / "practice" / "survey.sqlite").read_bytes()
    vault.lock(folder / "practice")
    with practice.opened(folder) as own:
        assert len(drafts.drafts(own)) == 1


# -- on the pages ---------------------------------------------------------------------------------------------------


BANNER = "TẬP HUẤN – không tính vào số liệu"


def test_every_page_of_a_practice_interview_says_so_and_no_page_of_a_real_one(trained: Flask, hoa: Interviewer):
    hoa.start("u1")
    real = hoa.interview
    assert BANNER not in hoa.open(1).text
    hoa.get("/practice")
    page = hoa.post(f"/practice/{ROUND}/start", set="t1")
    hoa.interview = page.request.path.split("/")[2]
    for address in ("1", "2", "3", "finish"):
        assert BANNER in hoa.get(f"/interviews/{hoa.interview}/{address}").text
    assert BANNER in hoa.get("/practice").text
    assert "Làm tiếp" in hoa.get("/practice").text
    for address in ("/today", "/mine", "/hand-over"):
        assert BANNER not in hoa.get(address).text
    # A page of the real interview that stayed open in another tab goes on saving where it was.
    hoa.interview = real
    hoa.open(1)
    hoa.answers({"opening/consent": "yes"})
    assert hoa.get(f"/slip/{page.request.path.split('/')[2]}").status_code == 404


def test_the_person_sees_the_own_score_and_what_was_not_right(trained: Flask, hoa: Interviewer, device: Store):
    play(hoa)
    page = hoa.get("/practice").text
    assert "<b>33 %</b> (1/3)" in page
    assert "chưa đạt" in page
    assert "bỏ sót" in page
    assert "hỏi thêm 5 câu ngoài đáp án" in page  # no calculation and nothing from the frame among them
    play(hoa)
    assert len(practice.attempts(device, ROUND, "t1", HOA)) == 2
    assert practice.attempts(device, ROUND, "t1", LAN) == []


def test_whoever_refuses_consent_in_practice_leaves_nothing_in_the_real_store(
    trained: Flask, hoa: Interviewer, device: Store
):
    before = counted(device)
    hoa.get("/practice")
    hoa.interview = hoa.post(f"/practice/{ROUND}/start", set="t1").request.path.split("/")[2]
    hoa.answers({"opening/consent": "no"})
    hoa.get(f"/interviews/{hoa.interview}/finish")
    page = hoa.post(f"/interviews/{hoa.interview}/refused", lease=hoa.lease)
    assert page.request.path == "/practice"
    assert counted(device) == before


@pytest.fixture
def school(survey: Callable[..., Result], hub: Store, tmp_path: Path) -> Callable[..., Result]:
    """The command line on a hub with a signed round of the small questionnaire."""
    folder = Path(__file__).parent / "fixtures" / "small"

    def run(*arguments: object) -> Result:
        return survey("--instance", hub.folder, *arguments)

    done = run("round", "create", ROUND, "--questionnaire", folder, "--title", "Đợt")
    assert done.exit_code == 0, done.output
    return run


def test_a_set_is_written_from_a_table_and_everybodys_results_from_the_command_line(
    school: Callable[..., Result], hub: Store, tmp_path: Path
):
    file = tmp_path / "key.csv"
    file.write_text("Câu hỏi;Đáp án;Sai lệch\nage;47;1\nb1;4|5;\nwhat_job;;\nhours;1,5;0,5\n", encoding="utf-8")
    made = json.loads(school("practice", "key", file, "--title", "Tình huống 1", "--pass", "75", "--json").stdout)
    assert made["key"]["c/hours"] == {"answers": ["1.5"], "tolerance": "0.5"}
    field_people = (("pa", "Lò Thị Hoa", "Nhóm 1"), ("pb", "Vì Thị Mai", ""))
    for user, name, team in field_people:
        frame.issue(hub, "user", user, {"id": user, "name": name, "roles": ["enumerator"], "team": team})
    unit = {"set": made["id"], "round": ROUND}
    played = (
        ("pa", {"a/age": "60", "b/b1": "4"}),
        ("pa", {"a/age": "48", "b/b1": "4", "c/hours": "1"}),
        ("pb", {"a/age": "48", "b/b1": "1", "a/what_job": "x"}),
    )
    for minute, (actor, answers) in enumerate(played):
        practice.note(hub, unit, answers, actor, "", NOW + timedelta(minutes=minute))
    told = json.loads(school("practice", "results", "--json").stdout)
    assert [(one["person"], one["attempts"], one["first"], one["last"], one["passed"]) for one in told["people"]] == [
        ("pa", 2, 50.0, 100.0, True),
        ("pb", 1, 25.0, 25.0, False),
    ]
    assert told["wrong"] == {"b/b1": 1, "a/what_job": 1, "c/hours": 1}
    out = tmp_path / "out.csv"
    assert "Vì Thị Mai" in school("practice", "results", made["id"], "--out", out).stdout
    lines = out.read_text(encoding="utf-8-sig").splitlines()
    assert lines[1].startswith("Lò Thị Hoa,Nhóm 1,2,50.0,100.0,passed,4,0,0,0,right,right,right,right")
    assert lines[-1].endswith("2,1,1,1")
    assert school("practice", "results", made["id"], "--out", tmp_path / "out.xlsx").exit_code == 0
    assert [row["name"] for row in read_table(tmp_path / "out.xlsx").rows[:2]] == ["Lò Thị Hoa", "Vì Thị Mai"]
    again = school("practice", "key", file, "--id", made["id"], "--pass", "20", "--json")  # the title stays
    assert json.loads(again.stdout)["title"] == made["title"]
    assert [one.passed for one in training.results(hub, training.chosen(hub, ROUND))] == [True, True]
    assert school("practice", "drop", made["id"]).exit_code == 0
    assert json.loads(school("practice", "list", "--json").stdout) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--title", "A", "--pass", "120"], "a number from 1 to 100"),
        (["--title", " "], "no title"),
        (["--title", "A", "--interview", "x"], "a file with the key, or --interview"),
    ],
)
def test_a_set_that_cannot_be_kept_is_told(
    school: Callable[..., Result], hub: Store, tmp_path: Path, arguments: list[str], says: str
):
    file = tmp_path / "key.csv"
    file.write_text("question,answer\nage,47\n", encoding="utf-8")
    done = school("practice", "key", file, *arguments)
    assert (done.exit_code, says in done.output) == (2, True), done.output
    assert practice.sets(hub) == []


def test_a_trainer_fills_the_model_interview_on_the_hub_and_makes_it_the_key(
    school: Callable[..., Result], hub: Store, clock: Clock
):
    frame.issue(
        hub,
        "user",
        LAN,
        {"id": LAN, "name": "Lan", "roles": ["supervisor"], "pin": frame.hash_pin(field.PIN), "language": "vi"},
    )
    frame.issue(hub, "unit", "u1", field.unit_document("u1", 1), {"name": "Đặng Thị Hoà"})
    app = create_app(hub.folder, clock)
    lan = Interviewer(app)
    lan.sign_in(LAN)
    play(lan, "")
    page = lan.get("/practice").text
    assert 'name="interview"' in page
    (row,) = _played(hub)
    done = lan.post(f"/practice/{ROUND}/set", title="Tình huống 1", interview=row["interview"])
    assert "Đã lưu bài tập huấn" in done.text
    (made,) = practice.sets(hub)
    assert set(made["key"]) == set(WHOLE)
    assert made["columns"]["commune"] == "03646"
    assert made["columns"]["village_name"] == "bản Khoang"
    assert "Hoà" not in json.dumps(made, ensure_ascii=False)
    assert "Chưa ai nộp kết quả" in done.text
    app.extensions["survey"].close()


def _played(hub: Store) -> list[dict[str, Any]]:
    with practice.opened(hub.folder) as own:
        return practice.played(own)


def test_a_supervisor_opens_training_and_an_enumerator_not_the_results(trained: Flask, hoa: Interviewer):
    assert hoa.get(f"/practice/{ROUND}/t1").status_code == 403
    lan = Visitor(trained)
    lan.sign_in(LAN)
    assert "Tình huống 1" in lan.get(f"/practice/{ROUND}/t1").text
