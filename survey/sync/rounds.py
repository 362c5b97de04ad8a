"""A round as one signed file that devices load; which round keys a person has confirmed; enrolling devices.

A round file is a bundle with everything that a hub has for its devices. Its rounds carry the signature of the round
key, whose fingerprint a person compares once per device; after that further files under the same key are taken without
asking.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from survey.errors import InputError, NotAllowed, VerifyError
from survey.store import frame, receipts
from survey.store.header import read_header
from survey.store.store import Store
from survey.sync.bundle import read_bundle, write_bundle
from survey.sync.exchange import Report, sync
from survey.sync.keys import certified_by, certify, read_aloud, round_key, sign_document, signed_by
from survey.sync.keys import fingerprint as fingerprint_of
from survey.text import Text

CONFIRMED = Path("keys", "round-keys.txt")


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
    signed = sign_document(key, document)
    frame.issue(store, "round", str(document["id"]), signed, actor=actor)
    fingerprint = signed_by(signed)
    confirm(store, fingerprint)
    return fingerprint


def export_round(store: Store, round: str, file: Path) -> int:
    """Writes the round file: everything that this hub has for its devices; returns how many revisions.

    InputError when there is no such round, or the disk is full or read-only.
    """
    frame.round_document(store, round)
    numbers = receipts.downward(store)
    bundle = write_bundle(store, file.parent, numbers)
    os.replace(bundle, file)
    return len(numbers)


def rounds_in(file: Path) -> list[SignedRound]:
    """The rounds in a round file; nothing is merged.

    VerifyError when the file is damaged or a round's signature does not hold, InputError when it holds no round.
    """
    found: dict[str, SignedRound] = {}
    for record in read_bundle(file).records():
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
    signers = {signed.fingerprint for signed in rounds_in(file)}
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
    return report


def confirmed(store: Store) -> set[str]:
    """Fingerprints of the round keys that a person has confirmed on this machine."""
    file = store.folder / CONFIRMED
    return set(file.read_text(encoding="ascii").split()) if file.exists() else set()


def confirm(store: Store, fingerprint: str) -> None:
    """Notes that a person has compared this fingerprint."""
    known = confirmed(store)
    if fingerprint not in known:
        file = store.folder / CONFIRMED
        part = file.with_name(file.name + ".part")
        part.write_text("".join(f"{name}\n" for name in sorted({*known, fingerprint})), encoding="ascii")
        os.replace(part, file)


def enrol(store: Store, device: Mapping[str, Any], name: str = "", actor: str = "") -> dict[str, Any]:
    """Issues a device's document with a certificate under this hub's round key; returns the document.

    InputError when this machine has no round key.
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
    frame.issue(store, "device", str(device["id"]), document, actor=actor)
    return document


def revoke(store: Store, device: Mapping[str, Any], reason: str, actor: str = "") -> None:
    """Withdraws a device's certificate; what it wrote so far stays."""
    frame.issue(store, "device", str(device["id"]), {**device, "certificate": {}, "revoked": reason}, actor=actor)


def is_enrolled(store: Store, device: Mapping[str, Any]) -> bool:
    """Whether a device's certificate holds under a round key that was confirmed here."""
    return certified_by(device) in confirmed(store)
