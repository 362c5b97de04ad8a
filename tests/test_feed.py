"""Revisions, feeds and the store's file.

1. A revision is a canonical header, hashed and signed, with parts under salted commitments.
2. A feed links each entry to the one before.
3. What was written never changes.
4. A file that is no store, or newer, or damaged, or in use, is told so and left as it is.
"""

from __future__ import annotations

import json
import resource
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from sqlcipher3 import dbapi2 as sqlite3

from survey.errors import InputError, NotAllowed, StoreError
from survey.store import Store, current, feed
from survey.store.header import Malformed, canonical, make_part, read_header, write_header
from survey.store.other import open_other
from survey.store.store import APPLICATION_ID, FILE, SCHEMA, now_text
from tests.laptops import headers, interview, records

KEYS = {
    *("v", "subject_type", "subject", "kind", "parents", "target", "questionnaire_hash", "actor"),
    *("device", "epoch", "seq", "prev", "time", "parts", "blobs"),
}

GOOD = {
    **dict.fromkeys(KEYS, "x"),
    **{"v": 1, "seq": 1, "parents": [], "blobs": [], "parts": {}},
}


def interview_that_fails(store: Store) -> None:
    """Seals an interview inside a transaction that does not end well."""
    with store.transaction():
        interview(store)
        raise RuntimeError


# -- 1 a revision -----------------------------------------------------------------------------------------------


def test_a_header_has_every_key_and_is_canonical(device: Store):
    interview(device)
    for record in records(device):
        header = json.loads(record.header)
        assert header.keys() == KEYS
        assert record.header == json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
            "utf-8"
        )


def test_the_id_is_the_hash_and_the_signature_is_the_devices(device: Store):
    interview(device)
    public = device.key.public
    assert device.device == "d" + sha256(public).hexdigest()[:40]
    for record in records(device):
        id = "sha256:" + sha256(record.header).hexdigest()
        Ed25519PublicKey.from_public_bytes(public).verify(record.signature, id.encode("ascii"))
        assert feed.header(device, id) == read_header(record.header)


def test_a_commitment_hides_the_content_behind_a_salt(device: Store):
    first, second = interview(device, "u1", {"q1": "4"}), interview(device, "u2", {"q1": "4"})
    parts = {h.subject: h.parts["answers"] for h in headers(device, "interview")}
    assert parts[first] != parts[second]
    for record in records(device):
        for name, part in record.parts.items():
            assert json.loads(record.header)["parts"][name] == "sha256:" + sha256(part.salt + part.content).hexdigest()


def test_the_first_revision_is_the_devices_own_document(device: Store):
    first = headers(device)[0]
    assert (first.subject_type, first.subject, first.seq, first.prev) == ("device", device.device, 1, "")
    assert feed.part_json(device, first.id, "document")["public_key"] == device.key.public.hex()


def test_bytes_are_kept_as_they_are(device: Store):
    odd = b'{"b" : 1,\n "a": "\xc4\x90"}'
    id = feed.append(device, subject_type="questionnaire", subject="sha256:1", kind="issued", parts={"document": odd})
    assert feed.part(device, id, "document") == odd


def test_a_header_is_hashed_as_it_is_stored_and_never_written_again():
    loose = json.dumps(GOOD, indent=1).encode()
    assert read_header(loose).id == "sha256:" + sha256(loose).hexdigest()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not JSON"),
        (b"[1]", "lacks fields"),
        (b"[" * 100_000, "not JSON"),
        (b"{}", "lacks fields"),
        (json.dumps({**GOOD, "more": ""}).encode(), "unknown ones"),
        (json.dumps({**GOOD, "v": 2, "more": ""}).encode(), "newer version"),
        (json.dumps({**GOOD, "v": 2}).encode(), "format version 2"),
        (json.dumps({**GOOD, "v": True}).encode(), "format version True"),
        (json.dumps({**GOOD, "seq": 0}).encode(), "wrong type"),
        (json.dumps({**GOOD, "seq": "1"}).encode(), "wrong type"),
        (json.dumps({**GOOD, "seq": 2**60}).encode(), "wrong type"),
        (json.dumps({**GOOD, "device": 1}).encode(), "wrong type"),
        (json.dumps({**GOOD, "parents": "x"}).encode(), "wrong type"),
        (json.dumps({**GOOD, "parents": [1]}).encode(), "wrong type"),
        (json.dumps({**GOOD, "parts": {"answers": 1}}).encode(), "wrong type"),
        (json.dumps({**GOOD, "parts": []}).encode(), "wrong type"),
        (json.dumps(GOOD).encode("utf-16"), "not JSON"),
        (json.dumps(GOOD).encode().replace(b'"actor": "', b'"actor": "\xed\xa0\x80'), "not JSON"),
        (json.dumps({**GOOD, "subject": "\ud800"}).encode(), "no text"),
        (json.dumps({**GOOD, "target": "u1\0"}).encode(), "no text"),
        (json.dumps({**GOOD, "parents": ["\ud800"]}).encode(), "no text"),
        (json.dumps({**GOOD, "parts": {"\ud800": ""}}).encode(), "no text"),
    ],
)
def test_a_header_that_is_none_says_why(content: bytes, reason: str):
    with pytest.raises(Malformed, match=reason):
        read_header(content)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
HEADERS = st.fixed_dictionaries(
    {
        **dict.fromkeys(sorted(KEYS), TEXTS),
        "v": st.just(1),
        "seq": st.integers(1, 2**53 - 1),
        "parents": st.lists(TEXTS, max_size=3),
        "blobs": st.lists(TEXTS, max_size=3),
        "parts": st.dictionaries(TEXTS, TEXTS, max_size=3),
    }
)


def told(content: bytes) -> object:
    """What a header says apart from its id, or that it is none."""
    try:
        return read_header(content)._replace(id="")
    except Malformed:
        return "none"


@given(HEADERS, st.data())
def test_a_header_says_the_same_whatever_its_white_space(header: dict, data: st.DataObject):
    """One written as all programs write it is read in a shorter way, which must find neither more nor less."""
    short = canonical(header)
    assert told(short) == told(json.dumps(header, indent=1).encode())
    at = data.draw(st.integers(0, len(short) - 1))
    byte = data.draw(st.sampled_from([b"", b'"', b"\\", b",", b"]", b"0", b"\x1f", b"\xff"]))
    spoiled = short[:at] + byte + short[at + 1 :]
    assert told(spoiled) == told(b" " + spoiled)


def test_a_number_as_an_id_stays_text():
    plain = dict.fromkeys(KEYS - {"v", "seq", "parents", "parts", "blobs"}, "0017")
    header = read_header(write_header(**plain, seq=1, parents=(), parts={}, blobs=()))
    assert (header.subject, header.device) == ("0017", "0017")


def test_the_time_carries_its_zone():
    assert now_text()[-6] in "+-"


# -- 2 a feed ---------------------------------------------------------------------------------------------------


def test_each_entry_links_to_the_one_before(device: Store):
    for unit in ("u1", "u2", "u3"):
        interview(device, unit)
    own = headers(device)
    assert [header.seq for header in own] == [1, 2, 3, 4]
    assert [header.prev for header in own] == ["", *(header.id for header in own[:-1])]
    assert {header.epoch for header in own} == {device.epoch}


def test_a_new_epoch_begins_a_new_feed(device: Store):
    before = device.epoch
    assert device.new_epoch() != before
    interview(device)
    latest = [header for header in headers(device) if header.epoch == device.epoch]
    assert [(header.seq, header.prev) for header in latest] == [(1, "")]
    assert current.verify(device).problems == []


def test_two_processes_write_one_feed_without_a_fork(device: Store):
    with Store.open(device.folder) as other:
        for unit in ("u1", "u2"):
            interview(device, unit)
            interview(other, unit)
    assert [header.seq for header in headers(device)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("subject_type", "subject", "parts"), [("person", "p1", {}), ("user", "", {}), ("user", "p1", {"secret": "1"})]
)
def test_what_the_format_does_not_know_is_not_written(device: Store, subject_type: str, subject: str, parts: dict):
    with pytest.raises(ValueError, match="no such subject or part"):
        feed.append(device, subject_type=subject_type, subject=subject, kind="issued", parts=parts)


def test_what_belongs_together_is_written_together_or_not_at_all(device: Store):
    before = records(device)
    with pytest.raises(RuntimeError):
        interview_that_fails(device)
    assert records(device) == before
    assert current.interviews(device) == []


def test_an_inner_failure_leaves_the_outer_transaction_whole(device: Store):
    with device.transaction():
        kept = interview(device)
        with pytest.raises(RuntimeError):
            interview_that_fails(device)
    assert [row["interview"] for row in current.interviews(device)] == [kept]


# -- 3 what was written never changes ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE revisions SET header = x'00'",
        "UPDATE revisions SET id = zeroblob(32)",
        "UPDATE revisions SET kind = 'approved'",
        "UPDATE revisions SET subject = 'x'",
        "DELETE FROM revisions",
        "UPDATE parts SET content = x'00'",
        "DELETE FROM parts",
        "UPDATE feeds SET device = 'x'",
        "DELETE FROM feeds",
    ],
)
def test_the_database_itself_refuses_to_change_what_was_written(device: Store, statement: str):
    interview(device)
    before = records(device)
    with pytest.raises(sqlite3.IntegrityError):
        device.execute(statement)
    assert records(device) == before


# -- 4 the file -------------------------------------------------------------------------------------------------


def test_a_store_is_durable_and_strict(device: Store):
    pragmas = {name: device.value(f"PRAGMA {name}") for name in ("journal_mode", "synchronous", "foreign_keys")}
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    tables = device.rows("SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '%sqlite_%'")
    assert len(tables) > 15
    # The index of words keeps its tables itself.
    loose = [table["name"] for table in tables if "STRICT" not in table["sql"]]
    assert [name for name in loose if not name.startswith("board_words")] == []


def test_the_key_is_for_its_owner_alone(device: Store):
    assert (device.folder / "keys" / "device.key").stat().st_mode & 0o077 == 0


def test_a_folder_with_a_store_does_not_get_another(device: Store):
    with pytest.raises(StoreError, match="already has a store"):
        Store.create(device.folder)


def test_a_key_that_is_there_is_kept(tmp_path: Path):
    with Store.create(tmp_path) as first:
        name, epoch = first.device, first.epoch
    (tmp_path / FILE).unlink()
    with Store.create(tmp_path) as second:
        assert second.device == name
        assert second.epoch != epoch


@pytest.mark.parametrize(("role", "tier"), [("king", ""), ("device", "province"), ("hub", "device"), ("hub", "moon")])
def test_a_role_and_a_tier_go_together(tmp_path: Path, role: str, tier: str):
    with pytest.raises(InputError, match="not a role and tier"):
        Store.create(tmp_path / "x", role, tier=tier)
    assert not (tmp_path / "x").exists()


def _foreign(file: Path) -> None:
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE t (x)")
    db.close()


def _newer(file: Path) -> None:
    with sqlite3.connect(file) as db:
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {SCHEMA + 1}")
        db.execute("CREATE TABLE t (x)")
    db.close()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda file: None, "there is no store here; run: survey init"),
        (lambda file: file.write_bytes(b""), "not a survey store"),
        (lambda file: file.write_text("Xin chào" * 100, encoding="utf-8"), "not a survey store"),
        (_foreign, "not a survey store"),
        (_newer, "comes from a newer version; install the newer version"),
    ],
)
def test_a_file_that_cannot_be_opened_is_told_and_left_alone(tmp_path: Path, make, message: str):
    make(tmp_path / FILE)
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(StoreError, match=message):
        Store.open(tmp_path)
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_store_that_a_newer_program_left_without_closing_is_not_set_back(device: Store, tmp_path: Path):
    killed = tmp_path / "killed"
    device.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    shutil.copytree(device.folder, killed)
    assert (killed / (FILE + "-wal")).stat().st_size > 0
    for _ in range(2):
        with pytest.raises(StoreError, match="comes from a newer version"):
            Store.open(killed)
    with pytest.raises(StoreError, match="comes from a newer version"), open_other(killed / FILE):
        pass


def test_a_damaged_store_is_told(device: Store):
    for unit in range(50):
        interview(device, f"u{unit}")
    device.close()
    file = device.folder / FILE
    content = bytearray(file.read_bytes())
    content[4096:-4096] = bytes(len(content) - 8192)
    file.write_bytes(content)
    with pytest.raises(StoreError, match="the store is damaged"), Store.open(device.folder) as store:
        current.interviews(store)
    assert file.read_bytes() == content


def test_a_store_cut_short_is_told(device: Store):
    device.close()
    file = device.folder / FILE
    file.write_bytes(file.read_bytes()[:9000])
    with pytest.raises(StoreError), Store.open(device.folder) as store:
        current.verify(store)


def test_a_store_in_use_by_another_program_is_told(device: Store):
    with Store.open(device.folder) as other:
        other.execute("PRAGMA busy_timeout = 10")
        with (
            device.transaction(),
            pytest.raises(StoreError, match="in use by another program"),
            other.transaction(),
        ):
            pass


def test_without_its_key_a_store_reads_and_does_not_write(device: Store):
    (device.folder / "keys" / "device.key").unlink()
    with Store.open(device.folder) as store:
        assert current.verify(store).problems == []
        with pytest.raises(StoreError, match="the key of this device is missing"):
            interview(store)
        assert current.interviews(store, state="sealed") == []


def test_anothers_key_does_not_sign(device: Store, hub: Store):
    (device.folder / "keys" / "device.key").write_bytes((hub.folder / "keys" / "device.key").read_bytes())
    with Store.open(device.folder) as store, pytest.raises(StoreError, match="belongs to another device"):
        interview(store)


def test_a_damaged_key_is_told(device: Store):
    (device.folder / "keys" / "device.key").write_bytes(b"-----BEGIN")
    with Store.open(device.folder) as store, pytest.raises(StoreError, match="the key file is damaged"):
        interview(store)


@pytest.fixture
def file_limit() -> Iterator[None]:
    """Gives the process back its right to write files of any size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("file_limit")
def test_a_disk_that_fills_up_at_any_write_leaves_what_was_there(device: Store):
    interview(device)
    before = records(device)
    log = device.folder / (FILE + "-wal")
    base, refused = log.stat().st_size, 0
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    for room in range(0, 40_000, 2_000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (base + room, hard))
        try:
            with pytest.raises(StoreError) as refusal, device.transaction():
                interview(device, "u2", {f"q{n}": "5" * 50 for n in range(400)})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        assert "the disk failed while reading or writing" in str(refusal.value)
        refused += 1
        assert records(device) == before
    assert refused == 20
    assert current.verify(device).problems == []
    interview(device)


@pytest.mark.usefixtures("file_limit")
def test_a_store_is_made_whole_or_not_at_all(tmp_path: Path):
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    for room in range(1_000, 60_000, 6_000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
        try:
            with pytest.raises(StoreError):
                Store.create(tmp_path)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        assert not (tmp_path / FILE).exists()
    with Store.create(tmp_path) as store:
        assert [header.seq for header in headers(store)] == [1]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["keys", FILE]


def test_a_full_database_is_told_as_a_full_disk(device: Store):
    pages = device.value("PRAGMA page_count")
    device.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="the disk is full; what was saved before is safe"):
        interview(device, "u1", {f"q{n}": "5" * 50 for n in range(2_000)})
    assert current.verify(device).problems == []


def test_an_erased_subject_gets_no_more_revisions(device: Store):
    id = interview(device)
    current.erase(device, "interview", id, "padmin", "asked to")
    with pytest.raises(NotAllowed, match="erased on request"):
        feed.append(device, subject_type="interview", subject=id, kind="sealed", parts={"answers": {"q1": "1"}})
    head = feed.raw_id(headers(device, "interview", id)[0].id)
    number = device.value("SELECT number FROM revisions WHERE id = ?", (head,))
    part = make_part({"q1": "4"})
    with pytest.raises(sqlite3.IntegrityError, match="the subject was erased"):
        device.execute("INSERT INTO parts (revision, name, salt, content) VALUES (?, 'answers', ?, ?)", (number, *part))
