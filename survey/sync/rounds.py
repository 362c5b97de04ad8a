"""A round as one signed file that devices load; which round keys a person has confirmed; enrolling devices.

A round file is a bundle with everything that a hub has for its devices. Its rounds carry the signature of the round
key, whose fingerprint a person compares once per device; after that further files under the same key are taken without
asking.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from survey.errors import InputError, NotAllowed, VerifyError
from survey.fieldwork import places
from survey.store import frame, invitations, receipts, vault
from survey.store.header import read_header
from survey.store.store import Store
from survey.sync import pairing
from survey.sync.bundle import is_plain_for, read_bundle, write_bundle
from survey.sync.exchange import Report, sync
from survey.sync.keys import (
    adopt_recovery,
    age_identity,
    certified_by,
    certify,
    confirm,
    confirmed,
    is_enrolled,
    publish_age_key,
    read_aloud,
    readers,
    round_key,
    sign_document,
    signed_by,
)
from survey.sync.keys import fingerprint as fingerprint_of
from survey.text import Text

__all__ = [
    "SignedRound",
    "certified_by",
    "confirm",
    "confirmed",
    "enrol",
    "export_round",
    "import_round",
    "is_enrolled",
    "issue_round",
    "make_recovery_key",
    "revoke",
    "rounds_in",
    "signed_by",
]

RECOVERY = Path("keys", "recovery.txt")
"""The public half of the recovery key that this hub puts into its rounds."""


class SignedRound(NamedTuple):
    """A round in a file: its document, and the fingerprint of the key that signed it."""

    document: dict[str, Any]
    fingerprint: str


def issue_round(store: Store, document: Mapping[str, Any], actor: str = "") -> str:
    """Signs a round document with this hub's round key (made at the first round) and issues it; returns the key's
    fingerprint, which is thereby confirmed here. NotAllowed when the round was set up, and signed, elsewhere."""
    current = frame.document(store, "round", str(document["id"]))
    key = round_key(store.folder, create=current is None)
    if key is None or (current is not None and signed_by(current) != fingerprint_of(key.public)):
        raise NotAllowed(
            f"round {document['id']}",
            Text("đợt này do máy khác lập và ký", "this round was set up and signed on another machine"),
            Text("làm việc này trên máy đã lập đợt", "do this on the machine where it was set up"),
        )
    signed = sign_document(key, {**document, **_keys_for_devices(store)})
    frame.issue(store, "round", str(document["id"]), signed, actor=actor)
    fingerprint = signed_by(signed)
    confirm(store, fingerprint)
    own = frame.document(store, "device", store.device)
    if own is not None and not own.get("revoked") and not is_enrolled(store, own):
        # What this hub decides for good (an erasure) counts on a laptop as a certified machine's word.
        enrol(store, own, actor=actor)
    return fingerprint


def change_place(store: Store, document: Mapping[str, Any], change: places.Change, actor: str = "") -> int:
    """Records in a round that a place was renamed, merged or split, signs and issues the round again; returns how many
    sample units lie there. InputError when none does. What was drawn stays as it was drawn."""
    listed = [*places.changes(document), change]
    units = frame.units(store, document["id"])
    touched = sum(
        places.placed_now(unit, listed, change.date) != places.placed_now(unit, listed[:-1], change.date)
        for unit in units
    )
    if not touched:
        known = ", ".join(sorted({str(unit.get(change.level, "")) for unit in units} - {""})[:20])
        raise InputError(
            f"{change.level} {change.old}",
            Text("không đơn vị mẫu nào ở đó", "no sample unit is there"),
            Text(f"các mã có: {known or '–'}", f"codes in the sample: {known or '–'}"),
        )
    issue_round(store, {**document, "places": [one.document for one in listed]}, actor)
    return touched


def _keys_for_devices(store: Store) -> dict[str, Any]:
    """What a round tells its devices: whose keys to encrypt to, and which recovery key opens them."""
    publish_age_key(store)
    identity = age_identity(store)
    recovery = store.folder / RECOVERY
    return {
        **({"readers": [str(identity.to_public())]} if identity else {}),
        **({"recovery": recovery.read_text(encoding="ascii").strip()} if recovery.exists() else {}),
    }


def make_recovery_key(store: Store, out: Path) -> tuple[str, list[str]]:
    """Makes a recovery key: the secret half goes into the new file ``out`` and nowhere else, the public half into this
    hub's vault and into the rounds that were set up here, which are issued again. Returns the public half and these
    rounds' ids. InputError when ``out`` exists or this instance is plain."""
    import pyrage

    if not vault.is_encrypted(store.folder):
        raise InputError(
            str(store.folder),
            Text("kho dữ liệu này không mã hóa", "this store is not encrypted"),
            Text("không cần khóa khôi phục", "it needs no recovery key"),
        )
    identity = pyrage.x25519.Identity.generate()
    public = str(identity.to_public())
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(
                "# Khóa khôi phục của đợt khảo sát. Ai có tệp này đều mở được các máy của đợt: cất trong két.\n"
                "# The round's recovery key. Whoever has this file opens the round's machines: lock it away.\n"
                f"# {public}\n{identity}\n"
            )
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise InputError(
            str(out),
            Text("đã có tệp tên này", "a file of this name exists"),
            Text("chọn tên khác", "choose another name"),
        ) from None
    (store.folder / RECOVERY).write_text(public + "\n", encoding="ascii")
    vault.add_recovery(store.folder, public)
    key = round_key(store.folder)
    own = [one for one in frame.rounds(store) if key and signed_by(one) == fingerprint_of(key.public)]
    for document in own:
        issue_round(store, {name: value for name, value in document.items() if name != "signed"})
    return public, [str(document["id"]) for document in own]


def export_round(store: Store, round: str, file: Path, *, plain: bool = False) -> tuple[int, tuple[str, ...]]:
    """Writes the round file: everything that this hub has for its devices, encrypted to the enrolled ones; returns how
    many revisions, and the names of the enrolled devices that cannot open it because no key of theirs is known.

    InputError when there is no such round, no device's key is known and ``plain`` was not asked for, or the disk is
    full or read-only.
    """
    frame.round_document(store, round)
    plain = plain or is_plain_for(store)
    audience = readers(store)
    if not plain and not audience.others:
        raise InputError(
            str(file),
            Text(
                "chưa biết khóa của máy nào, nên không mã hóa được tệp đợt khảo sát",
                "no laptop's key is known, so the round file cannot be encrypted to any",
            ),
            Text(
                "cài các máy, nhận USB của chúng (survey sync), đăng ký (survey device enrol --all) rồi làm lại; "
                "hoặc --plain để ghi không mã hóa: ai có tệp đều đọc được tên người dân",
                "set the laptops up, sync their stick, enrol them (survey device enrol --all), and try again; "
                "or --plain to write it unencrypted: whoever has the file then reads people's names",
            ),
        )
    numbers = receipts.downward(store)
    bundle = write_bundle(store, file.parent, numbers, plain=plain)
    os.replace(bundle, file)
    return len(numbers), () if plain else audience.without


def rounds_in(file: Path, store: Store | None = None) -> list[SignedRound]:
    """The rounds in a round file; nothing is merged. ``store`` opens an encrypted one.

    NotForUs when it is encrypted to others, VerifyError when the file is damaged or a
    round's signature does not hold, InputError when it holds no round.
    """
    found: dict[str, SignedRound] = {}
    for record in read_bundle(file, store).records():
        if read_header(record.header).subject_type == "round" and "document" in record.parts:
            document = json.loads(record.parts["document"].content)
            found[str(document["id"])] = SignedRound(document, signed_by(document))
    if not found:
        raise InputError(
            str(file),
            Text("trong tệp không có đợt khảo sát", "there is no round in this file"),
            Text("xin lại tệp đợt khảo sát (survey round export)", "ask for the round file (survey round export)"),
        )
    for round, signed in found.items():
        if not signed.fingerprint:
            raise VerifyError(
                f"{file}, round {round}",
                Text("chữ ký của đợt khảo sát không đúng", "the signature of the round does not hold"),
                Text("xin lại tệp từ nơi lập đợt", "ask for the file again where the round was set up"),
            )
    return list(found.values())


def import_round(store: Store, file: Path, fingerprints: set[str]) -> Report:
    """Merges a round file whose rounds are all signed by keys in ``fingerprints`` or confirmed earlier, and remembers
    these keys. VerifyError, and nothing merged, when one is signed by another key."""
    signers = {signed.fingerprint for signed in rounds_in(file, store)}
    strangers = signers - fingerprints - confirmed(store)
    if strangers:
        shown = ", ".join(read_aloud(name) for name in sorted(strangers))
        raise VerifyError(
            str(file),
            Text(f"đợt khảo sát do khóa khác ký: {shown}", f"the round is signed by another key: {shown}"),
            Text(
                "gọi cho nơi lập đợt và so lại mã khóa", "call those who set the round up and compare the fingerprint"
            ),
        )
    report = sync(store, [file])
    for name in sorted(signers):
        confirm(store, name)
    adopt_recovery(store)
    return report


def enrol(
    store: Store, device: Mapping[str, Any], name: str = "", actor: str = "", people: list[str] | None = None
) -> dict[str, Any]:
    """Issues a device's document with a certificate under this hub's round key; returns the document. ``people`` names
    those who work on it (default: as before).

    InputError when this machine has no round key, or knows none of such people.
    """
    key = round_key(store.folder)
    if key is None:
        raise InputError(
            str(store.folder),
            Text("máy này chưa có khóa của đợt khảo sát", "this machine has no round key"),
            Text("lập đợt ở máy này trước: survey round create", "set a round up here first: survey round create"),
        )
    called = name or str(device.get("name", ""))
    document = {field: value for field, value in device.items() if field != "revoked"}
    document |= {"name": called, "certificate": certify(key, str(device["id"]), called)}
    if people:
        _known(store, people)
        document["people"] = people
    frame.issue(store, "device", str(device["id"]), document, actor=actor)
    return document


def revoke(store: Store, device: Mapping[str, Any], reason: str, actor: str = "") -> None:
    """Withdraws a device's certificate; what it wrote so far stays."""
    frame.issue(store, "device", str(device["id"]), {**device, "certificate": {}, "revoked": reason}, actor=actor)


def invite(store: Store, name: str, people: list[str], now: datetime) -> pairing.Code:
    """Makes an invitation for one laptop, to be called ``name``, on which ``people`` work; returns its code.

    InputError when this machine has no round key, or knows none of such people.
    """
    if store.role != "hub" or round_key(store.folder) is None:
        raise InputError(
            str(store.folder),
            Text("máy này chưa có khóa của đợt khảo sát", "this machine has no round key"),
            Text("lập đợt ở máy này trước: survey round create", "set a round up here first: survey round create"),
        )
    _known(store, people)
    code = pairing.new_code()
    invitations.add(store, code.id, pairing.derive(code, store.device), name, people, now)
    return code


def _known(store: Store, people: list[str]) -> None:
    """Raises InputError unless all of these people are known here."""
    known = {str(person["id"]) for person in frame.people(store)}
    if strangers := sorted(set(people) - known):
        raise InputError(
            ", ".join(strangers),
            Text("không có người này", "there is no such person"),
            Text("xem: survey user list", "see: survey user list"),
        )
