"""Bundles.

1. A bundle is one immutable file, named by its hash, that gives back what was put in.
2. Whatever is wrong with it is named, and nothing is merged from it.
3. A stick that is full, read-only or pulled never shows half a bundle.
4. A program written from docs/formats.md alone writes bundles that are accepted.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import resource
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from survey.errors import InputError, VerifyError
from survey.store import Store, current, frame, receipts
from survey.store.framing import LARGEST_HEADER, LARGEST_PART, read_records, write_record
from survey.store.header import Malformed, Part, Record
from survey.store.signing import SigningKey
from survey.sync.bundle import read_bundle, write_bundle, write_records
from survey.sync.exchange import export, sync
from survey.sync.files import write_named
from survey.sync.keys import publish_age_key
from tests.laptops import FORM, interview, keys, records, state
from tests.outside import ROOT
from tests.tried import tried


@pytest.fixture
def bundle(device: Store, tmp_path: Path) -> Path:
    """A bundle of two interviews."""
    interview(device, "u1")
    interview(device, "u2", {"q1": "Chiềng Mung", "q2": ["a", "b"], "q3": {"missing": "refused"}})
    path = export(device, tmp_path / "stick").path
    assert path is not None
    return path


def refused(path: Path, message: str = "damaged|signature does not hold") -> None:
    """``path`` is refused by name, with what to do."""
    with pytest.raises(VerifyError, match=message) as refusal:
        read_bundle(path)
    assert refusal.value.problem.where == str(path)
    assert refusal.value.problem.todo.en


def put(folder: Path, content: bytes, name: str = "copy.bundle") -> Path:
    """Writes a file with this content."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    return folder / name


# -- 1 the file -------------------------------------------------------------------------------------------------


def test_a_bundle_gives_back_what_was_put_in(device: Store, bundle: Path):
    assert bundle.parent.name == "bundles"
    assert bundle.name == hashlib.sha256(bundle.read_bytes()).hexdigest() + ".bundle"
    read = read_bundle(bundle)
    assert read.sender == device.device
    assert read.keys == keys(device)
    assert list(read.records()) == records(device)


def test_the_envelope_keeps_the_place_of_encryption(bundle: Path):
    assert bundle.read_bytes().split(b"\n")[0] == b'{"encryption":"none","format":"survey-bundle","v":1}'


def test_the_same_revisions_give_the_same_file(device: Store, bundle: Path, tmp_path: Path):
    assert write_bundle(device, tmp_path / "again", receipts.unsent(device)).read_bytes() == bundle.read_bytes()
    assert export(device, tmp_path / "stick").path == bundle
    assert list((tmp_path / "stick" / "bundles").iterdir()) == [bundle]


def test_a_large_bundle_does_not_pass_through_memory_only(device: Store, tmp_path: Path):
    chance = random.Random(1)
    for unit in range(9):
        interview(device, f"u{unit}", {"q1": chance.randbytes(600_000).hex()})
    path = export(device, tmp_path).path
    assert path is not None
    assert path.stat().st_size > 5_000_000
    assert list(read_bundle(path).records()) == records(device)
    assert sorted(file.name for file in device.folder.iterdir()) == [
        "keys",
        "survey.sqlite",
        "survey.sqlite-shm",
        "survey.sqlite-wal",
    ]


def test_another_name_is_no_reason_to_refuse(bundle: Path, tmp_path: Path):
    copy = shutil.copy(bundle, tmp_path / "bundle (1).bundle")
    assert len(list(read_bundle(copy).records())) == 3


# -- 2 damage ---------------------------------------------------------------------------------------------------


@pytest.mark.soak
def test_one_flipped_bit_anywhere_is_seen(bundle: Path, tmp_path: Path, trials: Callable[[int, int], int]):
    whole = bundle.read_bytes()
    places = random.Random(3).sample(range(len(whole) * 8), trials(300, len(whole) * 8))
    for place in places:
        content = bytearray(whole)
        content[place // 8] ^= 1 << place % 8
        refused(put(tmp_path / "flipped", content), "damaged|signature|encrypted|newer version")
        tried()


@pytest.mark.soak
def test_a_bundle_cut_anywhere_is_seen(bundle: Path, tmp_path: Path, trials: Callable[[int, int], int]):
    whole = bundle.read_bytes()
    for length in random.Random(4).sample(range(len(whole)), trials(100, len(whole))):
        refused(put(tmp_path / "cut", whole[:length]))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda whole: whole + b"\0",
        lambda whole: whole + whole,
        lambda whole: b"",
        lambda whole: b"\n\n\n",
        lambda whole: b"PK\x03\x04" + whole,
        lambda whole: b'{"format":"survey-bundle"}',
        lambda whole: b"[" * 5000,
        lambda whole: os.urandom(5000),
    ],
)
def test_what_is_no_bundle_is_seen(bundle: Path, tmp_path: Path, spoil: Callable[[bytes], bytes]):
    refused(put(tmp_path / "spoilt", spoil(bundle.read_bytes())), "damaged|signature|newer")


def test_a_file_that_is_not_what_its_name_says_is_seen(bundle: Path, tmp_path: Path):
    refused(put(tmp_path, bundle.read_bytes(), "0" * 64 + ".bundle"))


@pytest.mark.parametrize("envelope", [{"encryption": "other", "v": 1}, {"encryption": "none", "v": 2}])
def test_a_newer_bundle_says_so(bundle: Path, tmp_path: Path, envelope: dict):
    rest = bundle.read_bytes().split(b"\n", 1)[1]
    first = json.dumps({"format": "survey-bundle", **envelope}).encode()
    refused(put(tmp_path, first + b"\n" + rest), "from a newer version; install the newer version")


def test_anothers_signature_is_seen(device: Store, hub: Store, bundle: Path, tmp_path: Path):
    envelope, manifest, _, payload = bundle.read_bytes().split(b"\n", 3)
    id = "sha256:" + hashlib.sha256(manifest).hexdigest()
    forged = json.dumps({"signature": hub.key.sign(id.encode()).hex()}).encode()
    refused(put(tmp_path, b"\n".join([envelope, manifest, forged, payload])))


def signed(manifest: dict, payload: bytes, key: SigningKey) -> bytes:
    line = json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()
    signature = key.sign(b"sha256:" + hashlib.sha256(line).hexdigest().encode())
    return b"\n".join(
        [
            b'{"encryption":"none","format":"survey-bundle","v":1}',
            line,
            json.dumps({"signature": signature.hex()}, separators=(",", ":")).encode(),
            payload,
        ]
    )


def manifest_of(key: SigningKey, content: bytes, packed: bytes, /, **more: object) -> dict:
    return {
        **{"v": 1, "kind": "bundle", "sender": key.device, "public_key": key.public.hex(), "tier": "device"},
        **{"compression": "zlib", "revisions": 1, "content_size": len(content), "payload_size": len(packed)},
        **{"payload": "sha256:" + hashlib.sha256(packed).hexdigest(), "keys": {}},
        **more,
    }


def test_what_is_signed_here_is_accepted_when_it_is_honest(device: Store, tmp_path: Path):
    """Else the refusals below would only show that the signature is wrong."""
    payload = zlib.compress(b"")
    manifest = manifest_of(device.key, b"", payload, revisions=0)
    assert list(read_bundle(put(tmp_path, signed(manifest, payload, device.key))).records()) == []


@pytest.mark.parametrize(
    ("content", "more"),
    [
        (bytes(50_000_000), {"content_size": 1000}),
        (b"\x00\x00\x00\x05nope", {}),
        (b"\xff\xff\xff\xff", {}),
        (b"", {}),
        (struct.pack(">I", 2) + b"{}" + bytes(64) + b"\x01\x02\xff\xff" + bytes(36), {}),
    ],
)
def test_a_sender_who_lies_about_the_content_changes_nothing(
    device: Store, hub: Store, tmp_path: Path, content: bytes, more: dict
):
    payload = zlib.compress(content, 9)
    path = put(tmp_path, signed(manifest_of(device.key, content, payload, **more), payload, device.key))
    before = state(hub)
    report = sync(hub, [path])
    assert [name for name, _ in report.quarantined] == ["copy.bundle"]
    assert report.new == 0
    assert state(hub) == before
    assert current.verify(hub).problems == []


class InPieces(io.BytesIO):
    """Bytes of which no more than ``most`` come at once."""

    def __init__(self, content: bytes, most: int):
        super().__init__(content)
        self.most = most

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self.most if size is None or size < 0 else min(size, self.most))


@pytest.mark.parametrize("most", [1, 3, 64, 300 << 10])
def test_records_are_read_whole_however_their_bytes_come(device: Store, most: int):
    held = [*records(device), Record(b"{}", bytes(64), {"ảnh": Part(bytes(32), random.Random(1).randbytes(700_000))})]
    held = [*held, *held] if most > 64 else held[:-1]
    content = b"".join(map(write_record, held))
    assert list(read_records(InPieces(content, most))) == held
    with pytest.raises(Malformed):
        list(read_records(InPieces(content[:-1], most)))


@pytest.mark.parametrize("more", [1, 2, 3, 8, 50, 259])
def test_a_payload_that_ends_just_after_what_was_asked_for_is_read_to_its_end(tmp_path: Path, more: int):
    """What unpacks may hold the end back although it has had the last byte."""
    record = Record(b"{}", bytes(64), {"paradata": Part(bytes(32), b"")})
    room = (256 << 10) + more - len(write_record(record))
    record = record._replace(parts={"paradata": Part(bytes(32), bytes(room))})
    key = SigningKey(Ed25519PrivateKey.generate())
    path = write_records(key, "device", tmp_path, [record], {key.device: key.public.hex()})
    assert list(read_bundle(path).records()) == [record]


@pytest.mark.parametrize(
    "start",
    [
        struct.pack(">I", LARGEST_HEADER + 1),
        struct.pack(">I", 2) + b"{}" + bytes(64) + b"\x01\x01a" + bytes(32) + struct.pack(">I", LARGEST_PART + 1),
    ],
)
def test_a_length_that_nobody_needs_is_refused_before_so_much_is_read(start: bytes):
    class Asked(io.BytesIO):
        most = 0

        def read(self, size: int | None = -1, /) -> bytes:
            self.most = max(self.most, size or 0)
            return super().read(size)

    stream = Asked(start + bytes(100))
    with pytest.raises(Malformed):
        list(read_records(stream))
    assert stream.most < LARGEST_HEADER


@pytest.mark.parametrize(
    "more",
    [
        {"revisions": "1"},
        {"content_size": -1},
        {"keys": []},
        {"keys": {"d1": "zz"}},
        {"keys": {"d1": 7}},
        {"payload": 7},
        {"compression": "lzma"},
        {"tier": None},
        {"kind": "receipt"},
        {"sender": "d" + "0" * 40},
        {"public_key": "00"},
        {"v": 2},
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(device: Store, tmp_path: Path, more: dict):
    payload = zlib.compress(b"")
    manifest = manifest_of(device.key, b"", payload, **more)
    refused(put(tmp_path, signed(manifest, payload, device.key)), "damaged|signature|newer")


def test_a_bundle_that_breaks_off_inside_leaves_nothing_behind(device: Store, hub: Store, tmp_path: Path):
    """The signed manifest announces one record more than there is: the records before it are not kept either."""
    interview(device)
    path = write_records(
        device.key, "device", tmp_path, records(device), {device.device: device.key.public.hex()}, tmp_path
    )
    _, manifest, _, payload = path.read_bytes().split(b"\n", 3)
    more = {**json.loads(manifest), "revisions": 3}
    before = records(hub)
    assert sync(hub, [put(tmp_path, signed(more, payload, device.key))]).new == 0
    assert records(hub) == before
    assert sync(hub, [path]).new == 2


def test_a_bundle_that_unpacks_to_more_than_it_announces_is_refused(device: Store, hub: Store, tmp_path: Path):
    interview(device)
    path = write_records(
        device.key, "device", tmp_path, records(device), {device.device: device.key.public.hex()}, tmp_path
    )
    _, manifest, _, payload = path.read_bytes().split(b"\n", 3)
    told = json.loads(manifest)
    less = {**told, "content_size": told["content_size"] - 1}
    before = records(hub)
    report = sync(hub, [put(tmp_path, signed(less, payload, device.key))])
    assert (report.new, len(report.quarantined)) == (0, 1)
    assert records(hub) == before


# -- 3 the stick ------------------------------------------------------------------------------------------------


@pytest.fixture
def file_limit() -> Iterator[None]:
    """Gives the process back its right to write files of any size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("file_limit")
def test_a_stick_that_fills_up_at_any_byte_shows_no_half_bundle(device: Store, bundle: Path, tmp_path: Path):
    size, target = bundle.stat().st_size, tmp_path / "full"
    numbers = receipts.unsent(device)
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    for room in range(0, size, 64):
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
        try:
            with pytest.raises(InputError, match="cannot be written"):
                write_bundle(device, target, numbers)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        assert list(target.iterdir()) == []
        tried()
    assert write_bundle(device, target, numbers).read_bytes() == bundle.read_bytes()


def test_a_stick_that_gives_back_other_bytes_than_were_written_is_told(tmp_path: Path):
    def dying() -> Iterator[bytes]:
        yield bytes(1 << 20)
        (part,) = tmp_path.iterdir()
        with part.open("r+b") as stick:
            stick.write(b"\x01")

    with pytest.raises(InputError, match="what was read back is not what was written"):
        write_named(tmp_path, ".bundle", dying())
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_forced_to_disk_before_it_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    happened: list[str] = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *told, name=name, real=real: (happened.append(name), real(*told)))
    write_named(tmp_path, ".bundle", [b"x"])
    assert happened == ["fsync", "replace", "fsync"]


def test_a_stick_that_is_a_file_is_told(device: Store, bundle: Path, tmp_path: Path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="file/bundles: it cannot be written"):
        export(device, tmp_path / "file")


def test_a_stick_pulled_while_writing_shows_a_whole_bundle_or_none(device: Store, bundle: Path, tmp_path: Path):
    """The writer is killed at each of its calls that touch the stick, and then not at all."""
    program = (
        "import os, random, signal, sys\n"
        "from pathlib import Path\n"
        "from survey.store import Store, receipts\n"
        "from survey.sync.bundle import write_bundle\n"
        "count = 0\n"
        "def watch(event, arguments):\n"
        "    global count\n"
        "    if event in ('open', 'os.rename', 'os.mkdir') and 'pulled' in str(arguments[0]):\n"
        "        count += 1\n"
        "        if count == int(sys.argv[3]):\n"
        "            os.kill(os.getpid(), signal.SIGKILL)\n"
        "store = Store.open(sys.argv[1])\n"
        "sys.addaudithook(watch)\n"
        "write_bundle(store, Path(sys.argv[2]), receipts.unsent(store))\n"
    )
    seen = set()
    for at in range(1, 12):
        folder = tmp_path / f"pulled{at}"
        done = subprocess.run([sys.executable, "-c", program, device.folder, folder, str(at)], cwd=ROOT, check=False)
        files = [file for file in folder.glob("*") if not file.name.startswith(".")]
        seen.add((done.returncode, len(files)))
        tried()
        assert all(file.read_bytes() == bundle.read_bytes() for file in files)
    assert {(-9, 0), (0, 1)} <= seen


# -- 4 another program ------------------------------------------------------------------------------------------


def _bundle_written_from_the_document(folder: Path, readers: list[str]) -> tuple[Path, str]:
    """What docs/formats.md says, with nothing but the standard library, Ed25519, and age when there are readers."""

    def canonical(value: object) -> bytes:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")

    def sha256(content: bytes) -> str:
        return "sha256:" + hashlib.sha256(content).hexdigest()

    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    device = "d" + hashlib.sha256(public).hexdigest()[:40]
    content, prev = b"", ""
    entries = [
        ("device", device, "issued", "", {"document": {"id": device, "public_key": public.hex()}}),
        ("interview", "i-1", "sealed", "u1", {"answers": {"q1": "4"}, "contact": {"phone": "09"}}),
    ]
    for seq, (subject_type, subject, kind, target, parts) in enumerate(entries, start=1):
        salted = {name: (os.urandom(32), canonical(body)) for name, body in parts.items()}
        header = canonical(
            {
                **{"v": 1, "subject_type": subject_type, "subject": subject, "kind": kind, "parents": []},
                **{"target": target, "questionnaire_hash": FORM, "actor": "phoa", "device": device, "epoch": "e1"},
                **{"seq": seq, "prev": prev, "time": "2026-11-23T08:00:00+07:00", "blobs": []},
                "parts": {name: sha256(salt + body) for name, (salt, body) in salted.items()},
            }
        )
        prev = sha256(header)
        content += struct.pack(">I", len(header)) + header + key.sign(prev.encode()) + bytes([len(salted)])
        for name, (salt, body) in salted.items():
            content += bytes([len(name)]) + name.encode() + salt + struct.pack(">I", len(body)) + body
    payload = zlib.compress(content)
    manifest = canonical(
        {
            **{"v": 1, "kind": "bundle", "sender": device, "public_key": public.hex(), "tier": "device"},
            **{"compression": "zlib", "revisions": 2, "content_size": len(content), "payload_size": len(payload)},
            **{"payload": sha256(payload), "keys": {device: public.hex()}},
            **({"recipients": sorted(readers)} if readers else {}),
        }
    )
    signature = canonical({"signature": key.sign(sha256(manifest).encode()).hex()})
    inside = b"\n".join([manifest, signature, payload])
    outer: dict[str, object] = {"encryption": "none", "format": "survey-bundle", "v": 1}
    if readers:
        outer |= {"encryption": "age", "content": sha256(inside), "recipients": sorted(readers)}
        inside = pyrage.encrypt(inside, [pyrage.x25519.Recipient.from_str(reader) for reader in readers])
    whole = canonical(outer) + b"\n" + inside
    return put(folder, whole, hashlib.sha256(whole).hexdigest() + ".bundle"), device


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_program_written_from_the_document_is_understood(tmp_path: Path, encrypted: bool):
    with Store.create(tmp_path / "hub", "hub", passphrase="bốn con voi uống trà" if encrypted else "") as hub:
        publish_age_key(hub)
        own = frame.document(hub, "device", hub.device)
        assert own is not None
        _is_understood(
            hub, tmp_path, [own["age"], str(pyrage.x25519.Identity.generate().to_public())] if encrypted else []
        )


def _is_understood(hub: Store, tmp_path: Path, readers: list[str]) -> None:
    path, device = _bundle_written_from_the_document(tmp_path / "other", readers)
    assert (sync(hub, [path]).new, sync(hub, [path]).known) == (2, 2)
    (row,) = current.interviews(hub)
    assert (row["interview"], row["state"], row["unit"], row["device"]) == ("i-1", "sealed", "u1", device)
    assert current.content(hub, "i-1")["answers"] == {"q1": "4"}
    assert current.verify(hub).problems == []
