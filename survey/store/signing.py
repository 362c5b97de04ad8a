"""The device's key: who signed what. An id of a device *is* the fingerprint of its key, so a key proves itself."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from survey.errors import StoreError
from survey.store.vault import read_secret, write_secret
from survey.text import Text


def fingerprint(public: bytes) -> str:
    """The first 40 hexadecimal digits of SHA-256 of a raw public key (32 bytes)."""
    return sha256(public).hexdigest()[:40]


def device_id(public: bytes) -> str:
    """The id of the device that owns a raw public key: ``"d"`` and the key's fingerprint."""
    return "d" + fingerprint(public)


def verify(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether ``signature`` (64 bytes, Ed25519) of ``message`` was made with the key of ``public``."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


class SigningKey:
    """An Ed25519 private key kept in a file that only its owner may read, sealed where the instance is encrypted."""

    def __init__(self, private: Ed25519PrivateKey):
        self._private = private
        self.public: bytes = private.public_key().public_bytes_raw()

    @property
    def device(self) -> str:
        """The device id that belongs to this key."""
        return device_id(self.public)

    def sign(self, message: bytes) -> bytes:
        """The Ed25519 signature (64 bytes) of ``message``."""
        return self._private.sign(message)

    @classmethod
    def create(cls, file: Path) -> SigningKey:
        """Makes a key and writes it to ``file`` (PEM, PKCS 8), safely on disk when this returns."""
        key = cls(Ed25519PrivateKey.generate())
        write_secret(file, key._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return key

    @classmethod
    def load(cls, file: Path) -> SigningKey:
        """The key in ``file``; StoreError when it is missing or not an Ed25519 key, LockedError when it is sealed."""
        try:
            private = load_pem_private_key(read_secret(file), password=None)
        except FileNotFoundError:
            raise StoreError(
                str(file),
                Text("không thấy khóa của máy này", "the key of this device is missing"),
                Text("chép lại thư mục keys từ bản sao lưu", "put the keys folder back from a backup"),
            ) from None
        except (ValueError, TypeError):
            private = None
        if not isinstance(private, Ed25519PrivateKey):
            raise StoreError(
                str(file),
                Text("tệp khóa bị hỏng", "the key file is damaged"),
                Text("chép lại thư mục keys từ bản sao lưu", "put the keys folder back from a backup"),
            )
        return cls(private)
