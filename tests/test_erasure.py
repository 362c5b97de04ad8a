"""What the law gives a respondent, by the code of the interview: erased everywhere for good, on an administrator's word
alone; a copy of what is held; contact data that end with their date; consent that can be shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from survey.cli import cli
from survey.errors import InputError, NotAllowed
from survey.store import Store, board, current, drafts, feed, fieldlog, frame, personal, processing, quality
from survey.store.header import read_header
from survey.store.merge import unite
from survey.store.quarantine import quarantine
from survey.sync import rounds
from survey.text import fold
from tests import field
from tests.field import HOA, LAN, ROUND, Interviewer, Visitor
from tests.laptops import interview, keys, records, state

QUAN = "pquan"
NAME = "Đặng Thị Hoà"
PHONE = "0912 345 678"


@pytest.fixture
def office(hub: Store) -> Store:
    """A hub with an administrator, a round under its own key and one household."""
    rounds.issue_round(hub, {"id": ROUND, "title": {"vi": "Đợt", "en": "Round"}})
    for user, name, roles in (*field.PEOPLE, (QUAN, "Vũ Văn Quân", ["administrator"])):
        frame.issue(hub, "user", user, {"id": user, "name": name, "roles": roles, "pin": field._hashed_pin()})
    frame.issue(hub, "unit", "u1", {**field.unit_document("u1", 1), "frame_id": "h7"}, {"name": NAME})
    frame.import_frame(hub, ROUND, [{"id": "h7", "commune": "03646", "contact": {"name": NAME}}])
    return hub


@pytest.fixture
def laptop(tmp_path: Path, office: Store) -> Iterator[Store]:
    """A laptop that has loaded the round and is enrolled."""
    with Store.create(tmp_path / "laptop", name="laptop") as store:
        give(store, office)
        (own,) = (one for one in frame.devices(office) if one["id"] == store.device)
        rounds.enrol(office, own)
        give(office, store)
        rounds.confirm(store, rounds.signed_by(frame.round_document(office, ROUND)))
        yield store


def give(sender: Store, receiver: Store) -> None:
    """Everything that one holds, to the other."""
    unite(receiver, records(sender), "stick", keys(sender))


def written(store: Store) -> bytes:
    """Every byte in the instance folder."""
    return b"".join(file.read_bytes() for file in store.folder.rglob("*") if file.is_file())


def holds(store: Store, words: str) -> bool:
    """Whether the instance folder has these words anywhere, as they are or as JSON in ASCII writes them."""
    content = written(store)
    return words.encode() in content or json.dumps(words)[1:-1].encode() in content


def run(store: Store, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--instance", str(store.folder), *arguments])


def is_erased(store: Store, id: str) -> bool:
    return [row["state"] for row in current.interviews(store, interview=id)] == ["erased"]


# -- by the code ---------------------------------------------------------------------------------------------------


def test_a_withdrawal_takes_answers_and_contact_on_every_machine_and_no_merge_brings_them_back(
    office: Store, laptop: Store
) -> None:
    id = interview(laptop, "u1", {"q1": "điều rất riêng"})
    old = records(laptop)
    give(laptop, office)
    for secret in ("điều rất riêng", NAME, PHONE):
        assert holds(office, secret)
        assert holds(laptop, secret)
    done = run(office, "erase", personal.code_of(id).lower(), "--reason", "người dân yêu cầu", "--as", QUAN, "--json")
    assert json.loads(done.stdout) == {"erased": [f"interview {id}", "unit u1"]}
    give(office, laptop)
    unite(office, old, "stick", keys(laptop))
    unite(laptop, old, "stick", keys(laptop))
    for store in (office, laptop):
        assert is_erased(store, id)
        for secret in ("điều rất riêng", NAME, PHONE):
            assert not holds(store, secret)
        assert frame.unit(store, "u1") is not None, "the sample stays: weights and rates need it"
        assert current.verify(store).problems == []
    give(laptop, office)
    assert state(office) == state(laptop)


def test_erasing_again_finds_nothing_left_and_an_unknown_or_short_code_erases_nothing(office: Store) -> None:
    id = interview(office, "u1")
    personal.erase_person(office, id, QUAN, "yêu cầu")
    assert personal.erase_person(office, id, QUAN, "yêu cầu") == []
    for code in ("", "1C9E", "%", "0000-0000-0000", id[:4]):
        with pytest.raises(InputError):
            personal.by_code(office, code)
    assert personal.by_code(office, f" {personal.code_of(id).replace('-', ' ')} ") == id


@pytest.mark.parametrize(("actor", "code"), [(LAN, 2), (HOA, 2), ("pnobody", 2), (QUAN, 0)])
def test_only_an_administrator_erases_by_command(office: Store, actor: str, code: int) -> None:
    id = interview(office, "u1")
    result = run(office, "erase", id, "--reason", "yêu cầu", "--as", actor)
    assert result.exit_code == code
    assert is_erased(office, id) == (code == 0)


# -- whose tombstone is obeyed -----------------------------------------------------------------------------------


def test_a_tombstone_of_no_administrator_is_set_aside_and_erases_nothing(office: Store, laptop: Store) -> None:
    id = interview(laptop)
    give(laptop, office)
    current.erase(laptop, "interview", id, HOA, "muốn xóa dấu vết")
    later = interview(laptop, "u2")
    give(laptop, office)
    assert not is_erased(office, id)
    assert current.content(office, id)["answers"] == {"q1": "4", "q2": "5"}
    assert current.content(office, later)["answers"], "what was written after it is merged all the same"
    ((_, problem),) = quarantine(office)
    assert "administrator" in problem.what.en
    assert current.verify(office).problems == []


def test_an_unknown_machine_erases_nothing_even_in_the_administrators_name(office: Store, tmp_path: Path) -> None:
    id = interview(office, "u1")
    with Store.create(tmp_path / "rogue") as rogue:
        give(office, rogue)
        current.erase(rogue, "interview", id, QUAN, "giả danh")
        give(rogue, office)
    assert not is_erased(office, id)
    assert len(quarantine(office)) == 1


@pytest.mark.parametrize("gone", ["nobody", "administrator", "machine"])
def test_an_administrator_who_is_shut_out_and_a_machine_that_is_revoked_erase_nothing(
    office: Store, laptop: Store, gone: str
) -> None:
    id = interview(laptop)
    give(laptop, office)
    if gone == "administrator":
        frame.issue(office, "user", QUAN, {**(frame.person(office, QUAN) or {}), "disabled": True})
    elif gone == "machine":
        rounds.revoke(office, frame.document(office, "device", laptop.device) or {}, "mất máy")
    current.erase(laptop, "interview", id, QUAN, "yêu cầu")
    give(laptop, office)
    assert is_erased(office, id) == (gone == "nobody")
    assert len(quarantine(office)) == (gone != "nobody")


@pytest.mark.parametrize("whole", [True, False])
def test_what_was_set_aside_of_a_person_goes_with_the_rest(office: Store, laptop: Store, whole: bool) -> None:
    id = interview(laptop, "u1")
    give(laptop, office)
    for phone, answer in (("0999 111 222", "4"), ("0999 333 444", "điều rất riêng")):
        drafts.take_over(laptop, id, HOA)
        drafts.seal(laptop, id, {"q1": answer}, {}, {"phone": phone}, {}, HOA, "corrected")
    other, last = (record for record in records(laptop) if read_header(record.header).kind == "corrected")
    part = other.parts["contact"]
    spoilt = {**other.parts, "contact": part._replace(content=part.content.replace(b"0999", b"0888"))}
    damaged = [other._replace(parts=spoilt), last._replace(signature=bytes(64))]
    unite(office, damaged, "stick", keys(laptop))
    assert len(quarantine(office)) == 2
    assert all(holds(office, secret) for secret in ("0888 111 222", "0999 333 444", "điều rất riêng"))
    if whole:
        personal.erase_person(office, id, QUAN, "yêu cầu")
    else:
        personal.erase_contact(office, "u1", QUAN, "hết hạn")
    assert not holds(office, "0888 111 222")
    assert not holds(office, "0999 333 444")
    assert holds(office, "điều rất riêng") != whole
    assert current.verify(office).problems == []


def test_a_tombstone_that_was_set_aside_is_obeyed_once_its_writer_is_an_administrator(
    office: Store, laptop: Store
) -> None:
    id = interview(laptop)
    give(laptop, office)
    current.erase(laptop, "interview", id, LAN, "yêu cầu")
    give(laptop, office)
    assert not is_erased(office, id)
    frame.issue(office, "user", LAN, {**(frame.person(office, LAN) or {}), "roles": ["administrator"]})
    give(laptop, office)
    assert is_erased(office, id)
    assert quarantine(office) == []
    assert current.verify(office).problems == []


def test_an_enrolled_laptop_takes_back_what_was_never_finished_when_consent_is_refused(
    office: Store, laptop: Store
) -> None:
    id = drafts.start(laptop, "u1", "sha256:" + "ab" * 32, HOA)
    drafts.save(laptop, id, {"q1": "4"})
    drafts.partials(laptop)
    give(laptop, office)
    drafts.discard(laptop, id)
    give(laptop, office)
    assert is_erased(office, id)
    assert quarantine(office) == []


@pytest.mark.parametrize("whole", [True, False])
def test_what_was_made_of_names_for_searching_and_comparing_goes_with_them(
    office: Store, laptop: Store, whole: bool
) -> None:
    form = field.small()
    frame.issue(office, "questionnaire", form.hash, form.to_json())
    give(office, laptop)
    id = drafts.start(laptop, "u1", form.hash, HOA)
    drafts.seal(laptop, id, {"opening/consent": "yes", "a/age": "47"}, {}, {"phone": PHONE}, {}, HOA)
    give(laptop, office)
    document = frame.round_document(office, ROUND)
    rounds.issue_round(office, {**document, "contact_until": "2026-01-31"})
    give(office, laptop)
    compared = "SELECT count(*) FROM quality_known WHERE interview = ?"
    for store in (office, laptop):
        board.refresh(store)
        quality.refresh(store)
        assert store.value(compared, (id,)) == 1, "phones of several interviews are compared by their hashes"
        assert holds(store, fold(NAME)), "the lists are searched without diacritics"
    if whole:
        personal.erase_person(office, id, QUAN, "yêu cầu")
    else:
        personal.erase_due(office, "2026-11-26", QUAN, "hết hạn")
    give(office, laptop)
    for store in (office, laptop):
        for made in (NAME, fold(NAME), PHONE, PHONE.replace(" ", "")):
            assert not holds(store, made)
        assert store.value("SELECT count(*) FROM quality_details WHERE interview = ?", (id,)) == 0
        board.refresh(store)
        quality.refresh(store)
        assert store.value(compared, (id,)) == 0
        assert not holds(store, fold(NAME)), "nor does it come back"


# -- contact data alone --------------------------------------------------------------------------------------------


def test_contact_data_end_with_their_date_and_the_answers_stay(office: Store, laptop: Store) -> None:
    id = interview(laptop, "u1")
    fieldlog.write(laptop, fieldlog.SELECTION, {}, round=ROUND, unit="u1", contact={"name": "Đặng Văn Tý"}, actor=HOA)
    give(laptop, office)
    document = frame.round_document(office, ROUND)
    rounds.issue_round(office, {**document, "contact_until": "2999-01-01"})
    assert json.loads(run(office, "erase", "--contact-due", "--as", QUAN, "--json").stdout) == {"erased": []}
    rounds.issue_round(office, {**document, "contact_until": "2026-01-31"})
    done = json.loads(run(office, "erase", "--contact-due", "--as", QUAN, "--json").stdout)["erased"]
    (visit,) = frame.visit_documents(office, unit="u1")
    assert done == ["unit u1", f"visit {visit['id']}", f"interview {id}", f"frame {ROUND}"]
    give(office, laptop)
    for store in (office, laptop):
        for secret in (NAME, PHONE, "Đặng Văn Tý"):
            assert not holds(store, secret)
        assert current.content(store, id)["answers"] == {"q1": "4", "q2": "5"}
        assert frame.contact(store, "unit", "u1") == {}
        assert current.verify(store).problems == []
        assert store.value("SELECT count(*) FROM missing") == 0
    assert json.loads(run(office, "erase", "--contact-due", "--as", QUAN, "--json").stdout) == {"erased": []}
    before = state(office)
    current.rebuild(office)
    assert state(office) == before


def test_contact_data_that_were_erased_are_not_written_again_and_answers_still_are(office: Store) -> None:
    id = interview(office, "u1")
    personal.erase_contact(office, "u1", QUAN, "hết hạn")
    with pytest.raises(NotAllowed, match="contact data were erased"):
        frame.issue(office, "unit", "u1", field.unit_document("u1", 1), {"name": NAME})
    frame.issue(office, "unit", "u1", {**field.unit_document("u1", 1), "assignee": LAN})
    drafts.take_over(office, id, HOA)
    drafts.seal(office, id, {"q1": "2"}, {}, {"phone": PHONE}, {}, HOA, "corrected")
    content = current.content(office, id)
    assert (content["answers"], content["contact"]) == ({"q1": "2"}, {})


# -- a copy for the person, and consent ----------------------------------------------------------------------------


def test_the_export_has_everything_about_the_interview_and_of_nobody_else(office: Store, tmp_path: Path) -> None:
    id, other = interview(office, "u1", {"q1": "của tôi"}), interview(office, "u2", {"q1": "của người khác"})
    household = {"name": NAME, "listed": [NAME, "Đặng Văn Tý"]}
    fieldlog.write(office, fieldlog.SELECTION, {}, round=ROUND, unit="u1", contact=household, actor=HOA)
    current.decide(office, id, "returned", reason="hỏi lại", actor=LAN)
    out = tmp_path / "held.json"
    assert run(office, "person-export", personal.code_of(id), "--out", str(out)).exit_code == 0
    text = out.read_text(encoding="utf-8")
    held = json.loads(text)
    assert held["versions"][0]["answers"] == {"q1": "của tôi"}
    assert held["versions"][0]["contact"] == {"phone": PHONE}
    assert held["contact"] == {"name": NAME}
    assert held["decisions"][0]["decision"]["reason"] == "hỏi lại"
    assert held["held_by"] == [{"device": office.device, "tier": "supervisor"}]
    assert "của người khác" not in text
    assert other not in text
    assert held["visits"][0]["contact"] == {"name": NAME}
    assert "Đặng Văn Tý" not in text, "who else lives there is not the respondent's to know from us"
    assert "argon2" not in text


@pytest.fixture
def hoa(device: Store, instance: Path) -> Iterator[Interviewer]:
    field.set_up(device, field.small())
    with field.running(instance) as app:
        interviewer = Interviewer(app)
        interviewer.sign_in(HOA)
        yield interviewer


def test_the_wording_time_and_way_of_consent_are_sealed_with_the_interview(hoa: Interviewer, device: Store) -> None:
    hoa.start("u1")
    hoa.open(1)
    hoa.answers(field.WHOLE)
    hoa.finish()
    told = current.content(device, hoa.interview)["paradata"]["consent"]
    said = "Kính chào Ông/Bà ở xã 03646\nÔng/Bà có đồng ý không?"
    assert told == {
        "question": "opening/consent",
        "answer": "yes",
        "version": field.small().version,
        "language": "vi",
        "text": "sha256:" + sha256(said.encode()).hexdigest(),
        "time": "2026-11-23T09:00:00+07:00",
        "way": "spoken",
    }


def test_the_record_of_processing_has_the_wording_that_was_consented_to(
    hoa: Interviewer, device: Store, tmp_path: Path
) -> None:
    hoa.start("u1")
    hoa.open(1)
    hoa.answers(field.WHOLE)
    hoa.finish()
    (one,) = processing.record(device, ROUND)["consent"]
    assert one["text"] == "Kính chào Ông/Bà ở xã {commune}\nÔng/Bà có đồng ý không?"
    assert one["sha256"] == (current.content(device, hoa.interview)["paradata"]["consent"])["text"]
    assert (one["language"], one["way"], one["wordings"], one["interviews"]) == ("vi", "spoken", 1, 1)


def test_a_correction_keeps_the_consent_that_was_given(hoa: Interviewer, device: Store) -> None:
    hoa.start("u1")
    hoa.open(1)
    hoa.answers(field.WHOLE)
    hoa.finish()
    before = current.content(device, hoa.interview)["paradata"]["consent"]
    current.decide(device, hoa.interview, "returned", reason="tuổi?", actor=LAN)
    hoa.get("/today")
    hoa.post(f"/interviews/{hoa.interview}/open-again")
    hoa.open(2)
    hoa.answers({"a/age": "48"})
    hoa.finish()
    content = current.content(device, hoa.interview)
    assert content["kind"] == "corrected"
    assert content["paradata"]["consent"] == before


def test_the_respondent_gets_the_code_before_the_seal_and_the_slip_can_be_printed_after(hoa: Interviewer) -> None:
    hoa.start("u1")
    hoa.open(1)
    hoa.answers(field.WHOLE)
    code = personal.code_of(hoa.interview)
    page = hoa.get(f"/interviews/{hoa.interview}/finish").text
    assert code in page
    assert f"/interviews/{hoa.interview}/slip" in page
    hoa.finish()
    slip = hoa.get(f"/interviews/{hoa.interview}/slip").text
    assert code in slip
    assert NAME not in slip


# -- the administrator's page ------------------------------------------------------------------------------------


@pytest.fixture
def quan(office: Store) -> Iterator[Visitor]:
    """The administrator, at the hub's pages."""
    with field.running(office.folder) as app:
        visitor = Visitor(app)
        visitor.sign_in(QUAN)
        yield visitor


def test_the_page_erases_only_with_a_reason_and_the_tick(office: Store, quan: Visitor) -> None:
    id = interview(office, "u1")
    page = quan.get("/personal-data", code=personal.code_of(id))
    assert page.status_code == 200
    assert NAME not in page.text
    for fields in ({"reason": "", "sure": "yes"}, {"reason": "yêu cầu"}):
        refused = quan.post("/personal-data/erase", code=id, **fields)
        assert refused.status_code == 400
        assert not is_erased(office, id)
    assert quan.post("/personal-data/erase", code="0000-0000-0000", reason="x", sure="yes").status_code == 400
    assert json.loads(quan.post("/personal-data/export", code=id, **{"as": "json"}).text)["interview"] == id
    assert personal.code_of(id) in quan.post("/personal-data/erase", code=id, reason="yêu cầu", sure="yes").text
    assert is_erased(office, id)
    assert [h.actor for h in feed.revisions(office, "interview", id) if h.kind == "erased"] == [QUAN]


# -- what the office owes ------------------------------------------------------------------------------------------


def test_a_date_that_has_passed_is_named_by_verify_and_on_the_page_until_the_data_are_gone(
    office: Store, quan: Visitor
) -> None:
    frame.import_frame(office, ROUND, [{"id": "h9", "contact": {"name": "Người không được chọn"}}])
    document = frame.round_document(office, ROUND)
    rounds.issue_round(office, {**document, "contact_until": "2026-01-31"})
    told = run(office, "--lang", "en", "verify")
    assert told.exit_code == 1
    assert "kept until 2026-01-31 are still here" in told.output
    assert "survey erase --contact-due" in told.output
    assert "quá hạn" in quan.get("/personal-data").text
    assert quan.post("/personal-data/erase-due").status_code == 400
    assert personal.contact_held(office, ROUND) > 0
    assert holds(office, "Người không được chọn")
    assert quan.post("/personal-data/erase-due", sure="yes").status_code == 200
    assert "quá hạn" not in quan.get("/personal-data").text
    assert personal.contact_held(office, ROUND) == 0
    for name in (NAME, "Người không được chọn"):
        assert not holds(office, name), "the frame's names go too, drawn or not"
    assert "2026-01-31 are still here" not in run(office, "--lang", "en", "verify").output


def test_the_copy_for_the_person_has_the_wording_in_both_languages_and_nothing_of_others(
    hoa: Interviewer, device: Store, tmp_path: Path
) -> None:
    hoa.start("u1")
    hoa.open(1)
    hoa.answers(field.WHOLE)
    hoa.finish()
    code = personal.code_of(hoa.interview)
    assert run(device, "person-export", code, "--out", str(tmp_path / "copy.html")).exit_code == 0
    page = (tmp_path / "copy.html").read_text(encoding="utf-8")
    questions = [node for node in field.small().walk() if node.kind == "question" and node.name == "consent"]
    for words in questions[0].label.values():
        assert words in page
    assert code in page
    assert "Đặng Thị Hoà" in page
    assert "Lò Thị Hoa" not in page, "the enumerator's name is her own"
    assert "Quàng Văn Ơn" not in page
    assert "<script" not in page
    assert "http" not in page
    wrong = run(device, "person-export", code, "--out", str(tmp_path / "copy.pdf"))
    assert wrong.exit_code == 2


def test_the_record_of_processing_says_what_is_held_and_what_was_done(office: Store, tmp_path: Path) -> None:
    first, second = interview(office, "u1"), interview(office, "u1")
    personal.erase_person(office, second, QUAN, "yêu cầu <b>")
    given = ("--controller", "Sở Nội vụ", "--officer", "Phòng CCHC", "--contact-until", "2027-06-30")
    assert run(office, "round", "privacy", *given).exit_code == 0
    assert run(office, "round", "privacy", "--purpose", "Đo lường").exit_code == 0
    assert run(office, "round", "privacy").exit_code == 2
    assert run(office, "processing-record", str(tmp_path / "record.json"), "--as", QUAN).exit_code == 0
    told = json.loads((tmp_path / "record.json").read_text(encoding="utf-8"))
    assert told["privacy"] == {
        "controller": "Sở Nội vụ",
        "contact": "",
        "officer": "Phòng CCHC",
        "purpose": "Đo lường",
        "recipients": "",
    }
    assert told["subjects"]["interviews"] == {"erased": 1, "sealed": 1}
    assert told["retention"]["contact_until"] == "2027-06-30"
    assert [(one["text"], one["wordings"], one["interviews"]) for one in told["consent"]] == [("", 0, 1)]
    erased = {request["subject"] for request in told["requests"] if request["action"] == "erased"}
    assert erased == {f"interview {second}"}
    gone = {request["subject"] for request in told["requests"] if request["action"] == "contact_erased"}
    assert gone == {"unit u1", f"interview {first}"}, "they lived in one household"
    assert [one["name"] for one in told["machines"]] == ["hub"]
    assert NAME not in json.dumps(told, ensure_ascii=False), "it tells of kinds of data, never of a person"
    assert run(office, "processing-record", str(tmp_path / "record.html")).exit_code == 0
    page = (tmp_path / "record.html").read_text(encoding="utf-8")
    assert "yêu cầu &lt;b&gt;" in page
    assert "Sở Nội vụ" in page
    assert "cơ quan ghi" in page, "what the office has not stated is shown as open"
    assert run(office, "processing-record", str(tmp_path / "record.docx")).exit_code == 2
    assert run(office, "processing-record", str(tmp_path / "r.html"), "--as", LAN).exit_code == 2
