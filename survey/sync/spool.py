"""Room for what does not fit into memory, in a temporary file that nobody can read off the disk afterwards."""

from __future__ import annotations

import secrets
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

_IN_MEMORY = 4 << 20


class Spool(SpooledTemporaryFile[bytes]):
    """Written once, then read from its start as often as wished. Beyond 4 MiB the content lies in a file of ``folder``
    under a key that exists in this object alone: a file that was deleted can be found again on a disk."""

    def __init__(self, folder: Path | None = None):
        super().__init__(_IN_MEMORY, dir=str(folder) if folder else None)
        self._cipher = Cipher(AES(secrets.token_bytes(32)), CTR(secrets.token_bytes(16)))
        self._stream = self._cipher.encryptor()

    def write(self, content: Any) -> int:
        """Appends ``content``."""
        return super().write(self._stream.update(content))

    def rewind(self) -> None:
        """Goes to the start; from now on it is read."""
        self.seek(0)
        self._stream = self._cipher.decryptor()

    def read(self, size: int = -1, /) -> bytes:
        """The next ``size`` bytes, fewer at the end."""
        return self._stream.update(super().read(size))

    def __del__(self) -> None:
        # What was decrypted lives as long as the bundle that it belongs to, and nobody closes a bundle.
        self.close()
