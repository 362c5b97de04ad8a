"""What hub and laptop agree on before they trust each other: the hub's TLS certificate, and a code used once.

The code authenticates both sides: each proves that it knows it, over the certificate that it sees. Somebody in between
would have to show another certificate, and could then give neither proof. The key is derived slowly (Argon2id), so that
trying all codes after listening in takes longer than anyone has.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from argon2.low_level import Type, hash_secret_raw

from survey.errors import InputError
from survey.store import vault
from survey.sync.files import put
from survey.text import Text

CERTIFICATE = Path("keys", "hub.crt")
PRIVATE_KEY = Path("keys", "hub.key.pem")
PASSWORD = Path("keys", "hub.key")
"""The password of the private key's file, kept as every secret of the instance is."""

PORT = 8451

_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""No 0 and O, no 1 and I: a code is read aloud and typed."""
_ID, _SECRET = 2, 10


class Invited(NamedTuple):
    """What a person or a file brings: where the hub may be, the code, and from a file the certificate's fingerprint."""

    addresses: tuple[str, ...]
    code: str
    fingerprint: str = ""


class Code(NamedTuple):
    """A code in its two halves: which invitation it is, and what proves it."""

    id: str
    secret: str

    def __str__(self) -> str:
        text = self.id + self.secret
        return "-".join(text[i : i + 4] for i in range(0, len(text), 4))


def new_code() -> Code:
    """A code nobody can guess: 50 random bits beside its two letters."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(_ID + _SECRET))
    return Code(letters[:_ID], letters[_ID:])


def read_code(typed: str) -> Code:
    """A code as a person types it, in any case and with any spaces and dashes. InputError when it cannot be one."""
    letters = "".join(letter for letter in typed.upper() if letter.isalnum())
    if len(letters) != _ID + _SECRET or not set(letters) <= set(_LETTERS):
        raise InputError(
            typed or "?",
            Text("mã mời có 12 chữ và số", "an invitation code has 12 letters and digits"),
            Text("gõ lại mã mà giám sát viên đưa", "type the code that your supervisor gave you again"),
        )
    return Code(letters[:_ID], letters[_ID:])


def write_invitation(addresses: Sequence[str], code: str, fingerprint: str) -> str:
    """An invitation as a file or QR code has it: one line of JSON."""
    return json.dumps({"survey": 1, "hubs": list(addresses), "code": code, "certificate": fingerprint}) + "\n"


def read_invitation(file: Path) -> Invited:
    """The invitation in a file. InputError when there is none in it."""
    try:
        content = file.read_bytes()
    except OSError:
        content = b""
    return understand(content, str(file))


def understand(content: bytes, where: str) -> Invited:
    """The invitation that a file or a scanned QR code brought. InputError when it is none."""
    try:
        said = json.loads(content)
        code, certificate = str(said["code"]), str(said["certificate"])
        if not isinstance(said["hubs"], list) or not (certificate == "" or _is_fingerprint(certificate)):
            raise ValueError(said)
        return Invited(tuple(map(str, said["hubs"])), code, certificate)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            where,
            Text("không phải tệp mời của máy chủ tiếp nhận", "not a hub's invitation"),
            Text("gõ địa chỉ và mã mời, hoặc xin lại tệp", "type the address and the code, or ask for the file again"),
        ) from error


def derive(code: Code, hub: str) -> bytes:
    """The key that a code stands for at one hub."""
    salt = sha256(f"survey-invitation {hub} {code.id}".encode()).digest()[:16]
    return hash_secret_raw(code.secret.encode(), salt, 2, 19_456, 1, 32, Type.ID)


def proof(key: bytes, side: str, hub: str, device: str, fingerprint: str, nonce: str) -> str:
    """What ``side`` (``device`` or ``hub``) shows to prove that it knows the code and sees this certificate."""
    return hmac.new(key, "\n".join((side, hub, device, fingerprint, nonce)).encode(), "sha256").hexdigest()


def fingerprint(certificate: bytes) -> str:
    """SHA-256 of a certificate's DER bytes, hexadecimal: what a laptop pins."""
    return sha256(certificate).hexdigest()


def _is_fingerprint(text: str) -> bool:
    return len(text) == 64 and set(text) <= set("0123456789abcdef")


def ensure_certificate(folder: Path, hub: str) -> str:
    """Makes the hub's self-signed certificate where there is none; returns its fingerprint.

    It is valid from 2000 to 2100: it is known by its fingerprint, and a laptop's clock may be years off.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    file, key_file = folder / CERTIFICATE, folder / PRIVATE_KEY
    if not (file.exists() and key_file.exists() and (folder / PASSWORD).exists()):
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hub)])
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime(2000, 1, 1, tzinfo=UTC))
            .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        password = secrets.token_hex(32).encode("ascii")
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(password),
        )
        vault.write_secret(folder / PASSWORD, password)
        put(key_file, private)
        put(file, made.public_bytes(serialization.Encoding.PEM), 0o644)
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    return fingerprint(certificate.public_bytes(serialization.Encoding.DER))
