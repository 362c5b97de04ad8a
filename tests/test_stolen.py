"""The stolen laptop: an encrypted instance with known content, and a search through every file of its folder."""

from __future__ import annotations

import base64
import shutil
import unicodedata
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from click.testing import Result

from survey import create_app
from survey.store import Store, drafts, files, frame, requests, vault
from survey.store.store import KEY_FILE, SCHEMA
from survey.sync import exchange, pairing, rounds
from survey.sync.backup import back_up
from survey.sync.keys import age_identity, round_key
from tests import field, laptops
from tests.field import HOA, Interviewer

Survey = Callable[..., Result]

PASSPHRASE = "bốn con voi uống trà"
NAME, PHONE, ANSWER, COMMENT = "Quàng Văn Ơn", "0912 345 678", "chờ dấu giáp lai rất lâu", "bà cụ nghe không rõ"
DAMAGED = "phiếu hỏng của ông Lường Văn Pấng"
LOGGED = "Sùng A Chớ"
ASKED = "ông Pấng muốn xóa số điện thoại"
PHOTO = bytes(range(1, 65)) * 3
"""Of a file given as an answer."""


def spellings(known: bytes) -> Iterator[tuple[str, bytes]]:
    """``known`` in every form in which a thief's search would look for it."""
    yield "as it is", known
    yield "hex", known.hex().encode()
    yield "HEX", known.hex().upper().encode()
    for lead in range(3):
        # Of base64 the first and last letters depend on the neighbours; what lies between does not.
        whole = base64.b64encode(b"\0" * lead + known)
        yield f"base64 +{lead}", whole[4 if lead else 0 : len(whole) // 4 * 4 - 4]


def forms(text: str) -> Iterator[tuple[str, bytes]]:
    """A text in the encodings and normal forms in which a program may have written it."""
    for normal in ("NFC", "NFD"):
        for coding in ("utf-8", "utf-16-le", "utf-16-be"):
            yield f"{normal} {coding}", unicodedata.normalize(normal, text).encode(coding)
    escaped = text.encode("ascii", "backslashreplace")
    if escaped != text.encode():
        yield "escaped", escaped


def found(folder: Path, secrets: dict[str, bytes | str]) -> list[str]:
    """Which secrets are in which files of ``folder``, in which spelling."""
    wanted = [
        (f"{what}, {form}, {spelling}", needle)
        for what, secret in secrets.items()
        for form, content in ([("bytes", secret)] if isinstance(secret, bytes) else forms(secret))
        for spelling, needle in spellings(content)
    ]
    return [
        f"{file.relative_to(folder)}: {what}"
        for file in sorted(folder.rglob("*"))
        if file.is_file()
        for content in [file.read_bytes() + file.name.encode()]
        for what, needle in wanted
        if needle in content
    ]


def test_the_search_finds_what_is_there(tmp_path: Path):
    for number, (_, content) in enumerate(forms(NAME)):
        (tmp_path / f"{number}.txt").write_bytes(b"x" * number + content)
    raw = bytes(range(32))
    for number in range(3):
        (tmp_path / f"b{number}.txt").write_bytes(base64.b64encode(b"y" * number + raw + b"zz"))
    (tmp_path / "hex.txt").write_text(raw.hex())
    hits = {hit.partition(":")[0] for hit in found(tmp_path, {"name": NAME, "key": raw})}
    assert hits == {file.name for file in tmp_path.iterdir()}


@pytest.mark.parametrize("plain", [True, False])
def test_nothing_in_a_stolen_instance_folder_can_be_read(
    tmp_path: Path, instance: Path, survey: Survey, plain: bool, monkeypatch: pytest.MonkeyPatch
):
    with Store.create(instance, "hub", name="hub", passphrase="" if plain else PASSPHRASE) as store:
        secrets = fill(store, tmp_path, survey, monkeypatch)
        # Taken while it runs, with its write-ahead log, and once more when it was closed.
        shutil.copytree(instance, tmp_path / "stolen")
    hits = [*found(tmp_path / "stolen", secrets), *found(instance, secrets)]
    vault.lock(instance)
    if plain:
        # What the same search finds in a plain instance: every secret but the passphrase, so it does look.
        assert {hit.split(": ")[1].partition(",")[0] for hit in hits} >= {
            "name", "phone", "answer", "draft", "comment", "damaged", "pin hash", "device key",
        }  # fmt: skip
    else:
        assert hits == []


def fill(store: Store, tmp_path: Path, survey: Survey, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes | str]:
    """Puts known content everywhere where an instance keeps any; returns it."""
    instance = store.folder
    field.set_up(
        store, field.small(), [(HOA, "Lò Thị Hoa", ["enumerator"]), ("plan", "Nguyễn Thị Lan", ["supervisor"])]
    )
    frame.issue(store, "unit", "u2", field.unit_document("u2", 2), {"name": NAME, "phone": PHONE})
    rounds.issue_round(store, {"id": "r7", "title": {"vi": "Đợt bảy", "en": "Round seven"}})
    laptops.interview(store, "u1", {"q1": ANSWER, "q2": "5"})
    draft = drafts.start(store, "u2", field.small().hash, HOA)
    drafts.save(store, draft, {"a/job": ANSWER[::-1]})
    drafts.comment(store, draft, "a/job", COMMENT)
    files.put(store, draft, PHOTO)
    requests.add(store, "erase", date(2026, 11, 20), "plan", note=ASKED)
    # The door to the network was open once, so there is a certificate with its key.
    pairing.ensure_certificate(instance, store.device)
    # A damaged file set aside, with readable words in it.
    (tmp_path / "usb").mkdir()
    (tmp_path / "usb" / "x.bundle").write_bytes(DAMAGED.encode() * 3)
    exchange.sync(store, [tmp_path / "usb"])
    # The pages were used: sessions, and a page that failed.
    hoa = Interviewer(create_app(instance))
    hoa.sign_in(HOA)
    hoa.get("/today")
    # A command met an error of the program with a person's name on its line.
    monkeypatch.setattr("survey.store.people.hash_pin", lambda pin: (_ for _ in ()).throw(RuntimeError(LOGGED)))
    survey("user", "add", "--id", "pcho", "--name", LOGGED, "--role", "enumerator", "--pin", "918273")
    # Backups: of an upgrade, and the second copy in the same folder.
    store.execute(f"PRAGMA user_version = {SCHEMA - 1}")
    Store.open(instance).close()
    (instance / "copy").mkdir()
    back_up(store, instance / "copy")
    person = frame.person(store, HOA)
    assert person is not None
    device = store.key._private.private_bytes_raw()
    key = round_key(instance)
    assert key is not None
    secrets: dict[str, bytes | str] = {
        "name": NAME,
        "enumerator": "Lò Thị Hoa",
        "phone": PHONE,
        "answer": ANSWER,
        "draft": ANSWER[::-1],
        "comment": COMMENT,
        "damaged": DAMAGED,
        "log": LOGGED,
        "request": ASKED,
        "photo": PHOTO,
        "password of the network key": vault.read_secret(instance / pairing.PASSWORD),
        "pin hash": str(person["pin"]).rpartition("$")[2],
        "device key": device,
        "round key": key._private.private_bytes_raw(),
        "passphrase": PASSPHRASE,
    }
    if identity := age_identity(store):
        secrets |= {"age key": str(identity), "PEM": "BEGIN PRIVATE KEY"}
    for use in ("store", "files", "sessions"):
        if (one := vault.key_for(instance, use)) is not None:
            secrets[f"{use} key"] = one
    assert (instance / KEY_FILE).exists()
    return secrets
