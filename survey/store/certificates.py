"""The round key's signature under documents and devices. Pure.

Whoever sets up a round makes its key; people compare its fingerprint once, at enrolment. Round documents carry the
signature in themselves (``signed``), devices in their ``certificate``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from survey.store.header import canonical, hash_text
from survey.store.signing import SigningKey, fingerprint, verify


def sign_document(key: SigningKey, document: Mapping[str, Any]) -> dict[str, Any]:
    """``document`` with ``signed``: the key and its signature over the document without that field."""
    body = {name: value for name, value in document.items() if name != "signed"}
    signature = key.sign(hash_text(canonical(body)).encode("ascii"))
    return {**body, "signed": {"key": key.public.hex(), "signature": signature.hex()}}


def signed_by(document: Mapping[str, Any]) -> str:
    """The fingerprint of the key whose signature in ``document`` holds; empty when there is none that does."""
    signed: Any = document.get("signed")
    body = {name: value for name, value in document.items() if name != "signed"}
    try:
        key, signature = bytes.fromhex(signed["key"]), bytes.fromhex(signed["signature"])
        message = hash_text(canonical(body)).encode("ascii")
    except (TypeError, KeyError, ValueError):
        return ""
    return fingerprint(key) if verify(key, signature, message) else ""


def certify(key: SigningKey, device: str, name: str = "") -> dict[str, Any]:
    """A certificate of a device: its id under the round key's signature."""
    return sign_document(key, {"device": device, "name": name})


def certified_by(document: Mapping[str, Any]) -> str:
    """The fingerprint of the round key that certified the device of this ``device`` document; empty when none did."""
    certificate = document.get("certificate")
    if not isinstance(certificate, dict) or certificate.get("device") != document.get("id"):
        return ""
    return signed_by(certificate)
