"""Documents, people and the frame.

1. A document is issued, replaced, and never silently lost.
2. Contact data stand apart.
3. A PIN can be tried, and guessed only slowly.
4. The frame of a round stays on the machine that draws.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from survey.errors import InputError, NotAllowed
from survey.store import Store, current, feed, frame, people
from survey.store.certificates import certified_by, certify, sign_document, signed_by
from survey.sync.keys import SigningKey, fingerprint, read_aloud, round_key
from tests.laptops import FORM, headers, records

NOON = datetime.fromisoformat("2026-11-23T12:00:00+07:00")


def unit(number: int, **more: object) -> dict[str, object]:
    """A unit document of round r1."""
    return {"id": f"u{number}", "round": "r1", "list": "main", "order": number, "assignee": "phoa", **more}


# -- 1 documents ------------------------------------------------------------------------------------------------


def test_issuing_the_same_again_changes_nothing(hub: Store):
    first = frame.issue(hub, "unit", "u1", unit(1), {"name": "Lò Thị Hoa"})
    before = records(hub)
    assert frame.issue(hub, "unit", "u1", unit(1), {"name": "Lò Thị Hoa"}) == first
    assert records(hub) == before


def test_issuing_anew_replaces_and_keeps_the_old(hub: Store):
    first = frame.issue(hub, "unit", "u1", unit(1))
    second = frame.issue(hub, "unit", "u1", unit(1, assignee="pmai"))
    assert frame.unit(hub, "u1") == unit(1, assignee="pmai")
    assert feed.header(hub, second).parents == (first,)  # type: ignore[union-attr]
    assert feed.part_json(hub, first, "document") == unit(1)


def test_units_are_listed_by_list_and_order_drawn(hub: Store):
    frame.issue_many(
        hub,
        "unit",
        [
            (f"u{n}", unit(n, **more), None)
            for n, more in [
                (10, {}),
                (9, {}),
                (2, {"list": "reserve"}),
                (3, {"round": "r2"}),
                (4, {"assignee": "pmai"}),
            ]
        ],
    )
    assert [u["id"] for u in frame.units(hub, "r1")] == ["u4", "u9", "u10", "u2"]
    assert [u["id"] for u in frame.units(hub, "r1", assignee="phoa", list="main")] == ["u9", "u10"]
    assert [u["id"] for u in frame.units(hub)] == ["u3", "u4", "u9", "u10", "u2"]


def test_many_documents_are_issued_together_or_not_at_all(hub: Store):
    with pytest.raises(InputError, match="an id begins with a letter"):
        frame.issue_many(hub, "unit", [("u1", unit(1), None), ("01", unit(1), None)])
    assert frame.units(hub) == []


@pytest.mark.parametrize(("subject_type", "subject"), [("interview", "i1"), ("person", "p1"), ("unit", "")])
def test_only_documents_are_issued(hub: Store, subject_type: str, subject: str):
    with pytest.raises(ValueError, match="can be issued"):
        frame.issue(hub, subject_type, subject, {})


def test_an_unknown_round_names_those_there_are(hub: Store):
    frame.issue(hub, "round", "r2026", {"id": "r2026"})
    assert frame.round_document(hub, "r2026") == {"id": "r2026"}
    with pytest.raises(InputError, match="rounds on this device: r2026"):
        frame.round_document(hub, "r2025")


def test_a_questionnaire_is_kept_byte_for_byte(hub: Store):
    compiled = b'{"id":"sipas","title":{"vi":"Kh\xe1\xba\xa3o s\xc3\xa1t"},"version":"1"}'
    frame.issue(hub, "questionnaire", FORM, compiled)
    assert frame.questionnaire(hub, FORM) == compiled
    assert frame.questionnaires(hub) == [{"hash": FORM, "id": "sipas", "version": "1", "title": {"vi": "Khảo sát"}}]
    assert frame.questionnaire(hub, "sha256:00") is None


def test_visits_are_listed_by_unit_and_time(hub: Store):
    for number, (at, time) in enumerate([("u1", "2026-11-02"), ("u1", "2026-11-01"), ("u2", "2026-11-03")]):
        frame.issue(hub, "visit", f"v{number}", {"id": f"v{number}", "unit": at, "time": time, "disposition": "2.10"})
    assert [visit["time"] for visit in frame.visits(hub, "u1")] == ["2026-11-01", "2026-11-02"]
    assert len(frame.visits(hub)) == 3


def test_new_ids_begin_with_a_letter():
    assert [frame.new_id(kind)[0] for kind in ("unit", "user", "visit", "round")] == ["u", "p", "v", "r"]


def test_a_document_that_is_not_json_is_listed_nowhere_and_harms_nothing(hub: Store):
    frame.issue(hub, "unit", "u1", unit(1))
    feed.append(hub, subject_type="unit", subject="u2", kind="issued", parts={"document": b"\xff\x00["})
    assert [u["id"] for u in frame.units(hub, "r1")] == ["u1"]
    assert current.verify(hub).problems == []


# -- 2 contact data ---------------------------------------------------------------------------------------------


def test_contact_data_stand_in_a_part_of_their_own(hub: Store):
    revision = frame.issue(hub, "unit", "u1", unit(1), {"name": "Lò Thị Hoa", "phone": "0912"})
    assert frame.contact(hub, "unit", "u1") == {"name": "Lò Thị Hoa", "phone": "0912"}
    assert "Hoa" not in str(frame.unit(hub, "u1"))
    assert "Hoa" not in (feed.part(hub, revision, "document") or b"").decode()
    assert frame.contact(hub, "unit", "u2") == {}


def test_an_erased_unit_is_listed_no_more(hub: Store):
    frame.issue(hub, "unit", "u1", unit(1), {"name": "Lò Thị Hoa"})
    current.erase(hub, "unit", "u1", "padmin")
    assert frame.units(hub) == []
    assert frame.contact(hub, "unit", "u1") == {}
    with pytest.raises(NotAllowed, match="erased on request"):
        frame.issue(hub, "unit", "u1", unit(1), {"name": "Lò Thị Hoa"})


# -- 3 people ---------------------------------------------------------------------------------------------------


@pytest.fixture
def hoa(device: Store) -> str:
    """An enumerator with the PIN 4711."""
    document = {"id": "phoa", "name": "Hoa", "roles": ["enumerator"], "pin": frame.hash_pin("4711")}
    frame.issue(device, "user", "phoa", document)
    return "phoa"


def test_the_right_pin_signs_in(device: Store, hoa: str):
    assert frame.sign_in(device, hoa, "4711", NOON)["name"] == "Hoa"


def test_a_pin_is_kept_as_argon2id(device: Store, hoa: str):
    assert str(frame.person(device, hoa)["pin"]).startswith("$argon2id$")  # type: ignore[index]


@pytest.mark.parametrize("wrong", ["4712", "", "4711 ", "४७११"])
def test_a_wrong_pin_does_not(device: Store, hoa: str, wrong: str):
    with pytest.raises(NotAllowed, match="not right"):
        frame.sign_in(device, hoa, wrong, NOON)


@pytest.mark.parametrize("who", ["pnobody", "", "phoa' OR '1'='1"])
def test_an_unknown_person_is_told_nothing_more(device: Store, hoa: str, who: str):
    with pytest.raises(NotAllowed, match="not right"):
        frame.sign_in(device, who, "4711", NOON)


def test_a_disabled_person_does_not_sign_in(device: Store, hoa: str):
    frame.issue(device, "user", hoa, {**frame.person(device, hoa), "disabled": True})  # type: ignore[dict-item]
    with pytest.raises(NotAllowed, match="not right"):
        frame.sign_in(device, hoa, "4711", NOON)


def test_a_person_without_a_pin_does_not_sign_in(device: Store):
    frame.issue(device, "user", "pmai", {"id": "pmai", "name": "Mai", "pin": ""})
    with pytest.raises(NotAllowed, match="not right"):
        frame.sign_in(device, "pmai", "nobody has this PIN", NOON)


def wrong(store: Store, user: str, times: int, now: datetime) -> datetime:
    """Tries a wrong PIN so often, waiting each time as long as asked; returns when the last try was."""
    for failures in range(times):
        now += timedelta(seconds=people.delay(failures))
        with pytest.raises(NotAllowed, match="not right"):
            frame.sign_in(store, user, "0000", now)
    return now


def test_the_wait_doubles_and_holds_for_the_right_pin_too(device: Store, hoa: str):
    assert [people.delay(n) for n in (0, 2, 3, 4, 5, 11, 12, 10_000)] == [0, 0, 2, 4, 8, 512, 900, 900]
    last = wrong(device, hoa, 5, NOON)
    with pytest.raises(NotAllowed, match="try again in 8 seconds"):
        frame.sign_in(device, hoa, "4711", last)
    with Store.open(device.folder) as restarted, pytest.raises(NotAllowed, match="try again in 1 second"):
        frame.sign_in(restarted, hoa, "4711", last + timedelta(seconds=7))
    assert frame.sign_in(device, hoa, "4711", last + timedelta(seconds=8))["id"] == hoa
    with pytest.raises(NotAllowed, match=r"not right; try again$"):
        frame.sign_in(device, hoa, "0000", last + timedelta(seconds=8))


def test_many_tries_at_once_count_one_by_one(device: Store, hoa: str):
    def guess(pin: int) -> str:
        with Store.open(device.folder) as store, pytest.raises(NotAllowed) as refusal:
            frame.sign_in(store, hoa, str(pin), NOON)
        return refusal.value.problem.what.en

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(guess, range(16)))
    assert told.count("the person or the PIN is not right") == people.FREE_TRIES
    assert told.count("the PIN was wrong several times") == 16 - people.FREE_TRIES


def test_one_persons_mistakes_do_not_hold_up_another(device: Store, hoa: str):
    frame.issue(device, "user", "pmai", {"id": "pmai", "name": "Mai", "pin": frame.hash_pin("2468")})
    last = wrong(device, hoa, 4, NOON)
    assert frame.sign_in(device, "pmai", "2468", last)["id"] == "pmai"


def test_a_clock_set_back_does_not_lock_a_person_out(device: Store, hoa: str):
    wrong(device, hoa, 4, NOON)
    long_ago = NOON - timedelta(days=3650)
    with pytest.raises(NotAllowed, match="try again in 4 seconds"):
        frame.sign_in(device, hoa, "4711", long_ago)
    assert frame.sign_in(device, hoa, "4711", long_ago + timedelta(seconds=4))["id"] == hoa


# -- 4 the frame ------------------------------------------------------------------------------------------------


def test_the_frame_keeps_its_rows_in_order_and_contact_apart(hub: Store):
    rows = [
        {"village": "Bản Mòn", "code": "01", "contact": {"name": "Lò Thị Hoa"}},
        {"village": "Bản Nà", "code": "02"},
    ]
    assert frame.import_frame(hub, "r1", rows) == 2
    assert frame.frame_rows(hub, "r1") == [rows[0], {**rows[1], "contact": {}}]
    assert "Hoa" not in "".join(row["row"] for row in hub.rows("SELECT row FROM frame"))
    assert frame.frame_rows(hub, "r2") == []


def test_a_frame_imported_again_replaces_the_first_and_is_never_sent(hub: Store):
    frame.import_frame(hub, "r1", [{"code": "01"}, {"code": "02"}])
    frame.import_frame(hub, "r1", [{"code": "03"}])
    assert [row["code"] for row in frame.frame_rows(hub, "r1")] == ["03"]
    assert [header.subject_type for header in headers(hub)] == ["device"]


# -- the round's key --------------------------------------------------------------------------------------------


def test_the_round_key_is_made_once_and_signs(tmp_path: Path):
    assert round_key(tmp_path) is None
    key = round_key(tmp_path, create=True)
    assert key is not None
    again = round_key(tmp_path)
    assert again is not None
    assert again.public == key.public
    signed = sign_document(key, {"id": "r1", "title": {"vi": "Đợt 1"}})
    assert signed_by(signed) == fingerprint(key.public)
    assert signed_by(sign_document(key, signed)) == fingerprint(key.public)
    for changed in ({**signed, "id": "r2"}, {**signed, "signed": {}}, {"id": "r1"}, {**signed, "signed": "x"}):
        assert signed_by(changed) == ""


def test_a_fingerprint_is_read_aloud_in_groups():
    assert read_aloud("ab12cd34ef") == "AB12 CD34 EF"


def test_a_device_without_a_certificate_is_a_finding_until_it_has_one(hub: Store, tmp_path: Path):
    assert [finding.kind for finding in current.findings(hub)] == ["uncertified"]
    key = SigningKey.create(tmp_path / "round.key")
    document = frame.document(hub, "device", hub.device)
    assert document is not None
    elsewhere = {**document, "certificate": certify(key, "d" + "0" * 40)}
    frame.issue(hub, "device", hub.device, elsewhere)
    assert certified_by(elsewhere) == ""
    assert [finding.kind for finding in current.findings(hub)] == ["uncertified"]
    frame.issue(hub, "device", hub.device, {**document, "certificate": certify(key, hub.device)})
    assert current.findings(hub) == []
