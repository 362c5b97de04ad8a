"""What keeps a stolen laptop silent: the instance's random key, and the two ways to it.

``keys/vault.json`` holds the key twice, each time wrapped: by the device passphrase (Argon2id), and to the public half
of every recovery key that the rounds of this device name (age). From it follow the key of the database and the key
that seals the other files in ``keys/``. The unwrapped key lives in this process's memory and nowhere else.

An instance without a vault is plain, by somebody's explicit choice: then nothing here changes anything.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from survey.errors import InputError, LockedError, NotAllowed, StoreError
from survey.text import Text, nfc

FILE = Path("keys", "vault.json")
SHORTEST = 10
"""Characters of a passphrase. Argon2id makes a guess cost a third of a second; four ordinary words are out of reach."""

# RFC 9106, second recommended option: 64 MiB, 3 passes. Kept in the file, so that a later release may raise them.
_COST = {"time": 3, "memory": 65_536, "lanes": 4}
_MOST = {"time": 20, "memory": 1 << 20, "lanes": 16}
_SEALED = b"survey-sealed 1\n"
_NONCE = 12


@dataclass(frozen=True)
class _Key:
    """The instance's random key, and what follows from it for each use."""

    root: bytes

    def of(self, use: str) -> bytes:
        return HKDF(SHA256(), 32, salt=None, info=f"survey {use}".encode()).derive(self.root)


_GUARD = RLock()
_UNLOCKED: dict[str, _Key] = {}


def _name(folder: str | Path) -> str:
    return os.path.normcase(os.path.realpath(folder))


# -- is it, and may we --------------------------------------------------------------------------------------------


def is_encrypted(folder: str | Path) -> bool:
    """Whether the instance in ``folder`` is encrypted at rest."""
    return (Path(folder) / FILE).exists()


def is_locked(folder: str | Path) -> bool:
    """Whether the instance is encrypted and this process has not been given its passphrase."""
    return is_encrypted(folder) and _name(folder) not in _UNLOCKED


def lock(folder: str | Path) -> None:
    """Forgets the key of the instance in ``folder``. Stores that are open stay open."""
    with _GUARD:
        _UNLOCKED.pop(_name(folder), None)


def check_passphrase(passphrase: str) -> str:
    """``passphrase`` as it is used (NFC, no blanks at its ends); InputError when it is too easy to guess."""
    clean = nfc(passphrase).strip()
    if len(clean) < SHORTEST or clean.isdigit() or len(set(clean)) < 5:
        raise InputError(
            "passphrase",
            Text("cụm mật khẩu quá dễ đoán", "the passphrase is too easy to guess"),
            Text(
                f"dùng ít nhất {SHORTEST} ký tự, không chỉ toàn chữ số; tốt nhất là bốn từ không liên quan",
                f"use at least {SHORTEST} characters, not only digits; four unrelated words are best",
            ),
        )
    return clean


# -- making and opening -------------------------------------------------------------------------------------------


def create(folder: str | Path, passphrase: str) -> None:
    """Makes the vault of a new instance and unlocks it. InputError for a weak passphrase.

    A vault that is there already (``init`` was interrupted) is opened with the passphrase instead.
    """
    if is_encrypted(folder):
        unlock(folder, passphrase)
        return
    draft(passphrase).write(folder)


@dataclass(frozen=True)
class Draft:
    """A vault that lies nowhere yet."""

    _key: _Key
    _passphrase: str

    def of(self, use: str) -> bytes:
        """As :func:`key_for`, once it is written."""
        return self._key.of(use)

    def write(self, folder: str | Path) -> None:
        """Makes it the vault of the instance in ``folder`` and unlocks that."""
        _write(Path(folder), {"v": 1, "passphrase": _wrapped(self._key, self._passphrase), "recovery": []})
        _remember(folder, self._key)


def draft(passphrase: str) -> Draft:
    """A new random key under a passphrase. InputError for a weak one."""
    return Draft(_Key(secrets.token_bytes(32)), check_passphrase(passphrase))


def unlock(folder: str | Path, passphrase: str) -> None:
    """Opens the instance for this process. NotAllowed when the passphrase is wrong, StoreError for a damaged vault."""
    vault = _read(Path(folder))
    try:
        kept: Mapping[str, Any] = vault["passphrase"]
        salt, wrapped = bytes.fromhex(kept["salt"]), bytes.fromhex(kept["wrapped"])
        cost = {name: int(kept[name]) for name in _COST}
        # A vault that someone changed must not make this laptop swallow all its memory.
        if kept["kdf"] != "argon2id" or any(not 1 <= cost[name] <= _MOST[name] for name in cost):
            raise ValueError("cost")
    except (KeyError, TypeError, ValueError):
        raise _damaged(folder) from None
    try:
        root = AESGCM(_stretched(nfc(passphrase).strip(), salt, cost)).decrypt(
            wrapped[:_NONCE], wrapped[_NONCE:], b"passphrase"
        )
    except InvalidTag:
        raise NotAllowed(
            "passphrase",
            Text("cụm mật khẩu không đúng", "the passphrase is not right"),
            Text(
                "thử lại: kiểm tra phím Caps Lock và bộ gõ tiếng Việt",
                "try again: look at Caps Lock and the Vietnamese keyboard",
            ),
        ) from None
    _remember(folder, _Key(root))


def recover(folder: str | Path, recovery_key: str) -> None:
    """Opens the instance with a round's recovery key (``AGE-SECRET-KEY-1…``). NotAllowed when it is not one of its."""
    import pyrage

    try:
        identity = pyrage.x25519.Identity.from_str(recovery_key.strip())
    except pyrage.IdentityError:
        raise InputError(
            "recovery key",
            Text("đây không phải khóa khôi phục", "this is not a recovery key"),
            Text("dùng tệp khóa đã cất khi lập đợt", "use the key file that was put away when the round was set up"),
        ) from None
    for kept in _read(Path(folder)).get("recovery", []):
        if kept.get("recipient") == str(identity.to_public()):
            try:
                root = pyrage.decrypt(bytes.fromhex(kept["wrapped"]), [identity])
            except (pyrage.DecryptError, ValueError, KeyError):
                raise _damaged(folder) from None
            _remember(folder, _Key(root))
            return
    raise NotAllowed(
        "recovery key",
        Text("khóa khôi phục này không phải của máy này", "this recovery key is not one of this machine's"),
        Text("lấy khóa của đợt khảo sát mà máy này đã nhập", "take the key of the round that was loaded here"),
    )


def change_passphrase(folder: str | Path, passphrase: str) -> None:
    """Another passphrase for an unlocked instance; the old one opens nothing any more. InputError for a weak one."""
    clean = check_passphrase(passphrase)
    vault = _read(Path(folder))
    _write(Path(folder), {**vault, "passphrase": _wrapped(_key(folder), clean)})


def add_recovery(folder: str | Path, recipient: str) -> bool:
    """Wraps the instance's key to a recovery key's public half (``age1…``) too; False when that was done already, or
    the instance is plain. InputError when it is no such key."""
    import pyrage

    if not is_encrypted(folder):
        return False
    vault = _read(Path(folder))
    if any(kept["recipient"] == recipient for kept in vault["recovery"]):
        return False
    try:
        wrapped = pyrage.encrypt(_key(folder).root, [pyrage.x25519.Recipient.from_str(recipient)])
    except pyrage.RecipientError:
        raise InputError(
            recipient,
            Text("đây không phải khóa khôi phục công khai", "this is not the public half of a recovery key"),
            Text("lấy lại tệp đợt khảo sát", "get the round file again"),
        ) from None
    recovery = [*vault["recovery"], {"recipient": recipient, "wrapped": wrapped.hex()}]
    _write(Path(folder), {**vault, "recovery": recovery})
    return True


def recipients(folder: str | Path) -> list[str]:
    """The public halves of the recovery keys that open this instance."""
    return [str(kept["recipient"]) for kept in _read(Path(folder))["recovery"]] if is_encrypted(folder) else []


# -- using it -----------------------------------------------------------------------------------------------------


def key_for(folder: str | Path, use: str) -> bytes | None:
    """32 bytes for one use, always the same in one instance; None when it is plain. LockedError when it is locked."""
    return _key(folder).of(use) if is_encrypted(folder) else None


def is_sealed(content: bytes) -> bool:
    """Whether these bytes of a file of ``keys/`` are sealed."""
    return content.startswith(_SEALED)


def write_secret(file: Path, content: bytes) -> None:
    """Writes a file of ``keys/`` that only its owner may read, sealed where the instance is encrypted; safely on disk
    when this returns. A key that is half on disk would lock its device out: written beside, then renamed. StoreError
    when the disk is full or cannot be written."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = key_for(file.parent.parent, "files")
    if key is not None:
        nonce = secrets.token_bytes(_NONCE)
        content = _SEALED + nonce + AESGCM(key).encrypt(nonce, content, file.name.encode())
    part = file.with_name(file.name + ".part")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise StoreError(
            str(file),
            Text(f"không ghi được ({error.strerror})", f"it cannot be written ({error.strerror})"),
            Text("giải phóng dung lượng, kiểm tra quyền ghi", "free some space, check that the folder is writable"),
        ) from error


def read_secret(file: Path) -> bytes:
    """The content of a file of ``keys/``. LockedError when it is sealed and the instance is locked, StoreError when it
    is sealed and damaged or another instance's; OSError as reading a file raises it."""
    content = file.read_bytes()
    if not is_sealed(content):
        return content
    nonce, sealed = content[len(_SEALED) :][:_NONCE], content[len(_SEALED) + _NONCE :]
    try:
        return AESGCM(_key(file.parent.parent).of("files")).decrypt(nonce, sealed, file.name.encode())
    except (InvalidTag, ValueError):
        raise _damaged(file) from None


# -- inside -------------------------------------------------------------------------------------------------------


def _key(folder: str | Path) -> _Key:
    key = _UNLOCKED.get(_name(folder))
    if key is None:
        raise LockedError(
            str(folder),
            Text("kho dữ liệu đã mã hóa và đang khóa", "the store is encrypted, and locked"),
            Text(
                "nhập cụm mật khẩu của máy (hỏi khi mở; hoặc --passphrase-file, SURVEY_PASSPHRASE)",
                "give this machine's passphrase (asked at the start; or --passphrase-file, SURVEY_PASSPHRASE)",
            ),
        )
    return key


def _remember(folder: str | Path, key: _Key) -> None:
    with _GUARD:
        _UNLOCKED[_name(folder)] = key


def _stretched(passphrase: str, salt: bytes, cost: Mapping[str, int]) -> bytes:
    return hash_secret_raw(
        passphrase.encode(), salt, cost["time"], cost["memory"], cost["lanes"], hash_len=32, type=Type.ID
    )


def _wrapped(key: _Key, passphrase: str) -> dict[str, Any]:
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(_NONCE)
    sealed = AESGCM(_stretched(passphrase, salt, _COST)).encrypt(nonce, key.root, b"passphrase")
    return {"kdf": "argon2id", **_COST, "salt": salt.hex(), "wrapped": (nonce + sealed).hex()}


def _read(folder: Path) -> dict[str, Any]:
    try:
        vault = json.loads((folder / FILE).read_text(encoding="ascii"))
        if vault["v"] != 1 or not isinstance(vault["recovery"], list):
            raise ValueError("version")
    except FileNotFoundError:
        raise StoreError(
            str(folder),
            Text("kho dữ liệu này không mã hóa", "this store is not encrypted"),
            Text("không cần cụm mật khẩu", "no passphrase is needed"),
        ) from None
    except (ValueError, KeyError, TypeError):
        raise _damaged(folder) from None
    return dict(vault)


def _write(folder: Path, vault: Mapping[str, Any]) -> None:
    file = folder / FILE
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = file.with_name(file.name + ".part")
    with part.open("w", encoding="ascii") as stream:
        json.dump(vault, stream, indent=1, sort_keys=True)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(part, file)


def _damaged(where: str | Path) -> StoreError:
    return StoreError(
        str(where),
        Text("khóa của kho dữ liệu bị hỏng hoặc là của máy khác", "the store's keys are damaged or another machine's"),
        Text("chép lại thư mục keys từ bản sao lưu", "put the keys folder back from a backup"),
    )
