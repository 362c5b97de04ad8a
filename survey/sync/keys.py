"""Keys: a device signs what it writes and opens what was encrypted to it; a round's key signs the round's documents and
certifies its devices.

A key's fingerprint is what two people compare, once, by eye or by voice. Everything else follows from it: whom to
encrypt to is told by documents that a confirmed round key signed, or by a device whose certificate it signed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from survey.store import frame, vault
from survey.store.authority import CONFIRMED, confirmed
from survey.store.certificates import certified_by, certify, sign_document, signed_by
from survey.store.signing import SigningKey, device_id, fingerprint, verify
from survey.store.store import TIERS, Store
from survey.sync.files import put

if TYPE_CHECKING:
    from pyrage.x25519 import Identity

__all__ = [
    "Readers",
    "SigningKey",
    "adopt_recovery",
    "age_identity",
    "age_key_of",
    "certified_by",
    "certify",
    "confirm",
    "confirmed",
    "device_id",
    "fingerprint",
    "is_enrolled",
    "publish_age_key",
    "read_aloud",
    "readers",
    "round_key",
    "sign_document",
    "signed_by",
    "verify",
]

ROUND_KEY = Path("keys", "round.key")
AGE_KEY = Path("keys", "age.key")

_SIGNED_AGE = b"survey age key "


def round_key(folder: str | Path, *, create: bool = False) -> SigningKey | None:
    """The round key in an instance folder; made when there is none and ``create`` is given, else None."""
    file = Path(folder) / ROUND_KEY
    if file.exists():
        return SigningKey.load(file)
    return SigningKey.create(file) if create else None


def read_aloud(fingerprint: str) -> str:
    """A fingerprint in groups of four, upper case: ``AB12 CD34 …``."""
    text = fingerprint.upper()
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4))


# -- what a person has confirmed ----------------------------------------------------------------------------------


def confirm(store: Store, fingerprint: str) -> None:
    """Notes that a person has compared this fingerprint."""
    known = confirmed(store)
    if fingerprint not in known:
        names = "".join(f"{name}\n" for name in sorted({*known, fingerprint}))
        put(store.folder / CONFIRMED, names.encode("ascii"))


def is_enrolled(store: Store, device: Mapping[str, Any]) -> bool:
    """Whether a device's certificate holds under a round key that was confirmed here."""
    return certified_by(device) in confirmed(store)


# -- age: who can open what ---------------------------------------------------------------------------------------


def age_identity(store: Store) -> Identity | None:
    """The key with which this device opens what was encrypted to it; None in a plain instance, which has none."""
    import pyrage

    file = store.folder / AGE_KEY
    return pyrage.x25519.Identity.from_str(vault.read_secret(file).decode("ascii")) if file.exists() else None


def publish_age_key(store: Store) -> None:
    """Makes this device's age key where the instance is encrypted, and writes its public half, signed by the device,
    into the device's own document. A second call changes nothing."""
    import pyrage

    if not vault.is_encrypted(store.folder):
        return
    if not (store.folder / AGE_KEY).exists():
        vault.write_secret(store.folder / AGE_KEY, str(pyrage.x25519.Identity.generate()).encode("ascii"))
    identity = age_identity(store)
    own = frame.document(store, "device", store.device)
    if identity is None or own is None or age_key_of(own) == str(identity.to_public()):
        return
    public = str(identity.to_public())
    signature = store.key.sign(_SIGNED_AGE + public.encode("ascii"))
    frame.issue(store, "device", store.device, {**own, "age": public, "age_signature": signature.hex()})


def age_key_of(device: Mapping[str, Any]) -> str:
    """The public age key (``age1…``) in a device's document; empty when it has none that the device itself signed.

    Anybody may issue a document about a device; only the device can say whom to encrypt to.
    """
    try:
        public, signature = bytes.fromhex(device["public_key"]), bytes.fromhex(device["age_signature"])
        age = str(device["age"])
        right = device_id(public) == device["id"] and verify(public, signature, _SIGNED_AGE + age.encode("ascii"))
    except (KeyError, TypeError, ValueError):
        return ""
    return age if right else ""


@dataclass(frozen=True)
class Readers:
    """Who shall be able to open what this machine hands over: public age keys, this machine's own (``own``) among them,
    and the names of the enrolled devices for which none is known. ``others`` is False when nobody else is among them.
    ``laptops`` are the enrolled ones as device and key, ``lower`` the keys of hubs of a lower tier: they get a part of
    what is held."""

    keys: tuple[str, ...]
    without: tuple[str, ...]
    others: bool
    own: str = ""
    lower: tuple[str, ...] = ()
    laptops: tuple[tuple[str, str], ...] = ()

    @property
    def above(self) -> tuple[str, ...]:
        """The keys of the others, who may have everything."""
        less = {self.own, *self.lower, *(key for _, key in self.laptops)}
        return tuple(key for key in self.keys if key not in less)


def readers(store: Store) -> Readers:
    """Who can open what leaves this machine: the hubs that its confirmed rounds name, the enrolled machines above it,
    and from a hub every enrolled machine. A revoked device is none of them."""
    trusted = confirmed(store)
    keys: set[str] = set()
    without: list[str] = []
    lower: list[str] = []
    laptops: list[tuple[str, str]] = []
    for document in frame.rounds(store):
        if signed_by(document) in trusted:
            keys.update(str(key) for key in document.get("readers", ()))
    for device in frame.devices(store):
        if device["id"] == store.device or certified_by(device) not in trusted:
            continue
        if store.role == "hub" or _rank(device) > _rank({"tier": store.tier}):
            key = age_key_of(device)
            if key:
                keys.add(key)
                if device.get("role") != "hub":
                    laptops.append((str(device["id"]), key))
                elif _rank(device) < _rank({"tier": store.tier}):
                    lower.append(key)
            else:
                without.append(str(device.get("name") or device["id"]))
    identity = age_identity(store)
    own = {str(identity.to_public())} if identity else set()
    return Readers(
        tuple(sorted(keys | own)),
        tuple(sorted(without)),
        bool(keys - own),
        "".join(own),
        tuple(sorted(lower)),
        tuple(sorted(laptops)),
    )


def _rank(device: Mapping[str, Any]) -> int:
    return TIERS.index(device["tier"]) if device.get("tier") in TIERS else 0


def adopt_recovery(store: Store) -> None:
    """Lets the recovery keys of the confirmed rounds open this instance too (an encrypted one)."""
    if not vault.is_encrypted(store.folder):
        return
    trusted = confirmed(store)
    for document in frame.rounds(store):
        if document.get("recovery") and signed_by(document) in trusted:
            vault.add_recovery(store.folder, str(document["recovery"]))
