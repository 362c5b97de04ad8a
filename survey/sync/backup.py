"""The second copy: a folder or stick from which this machine can be set up again on another laptop.

``<place>/<device>/`` holds the bundles, each with what is new since the last (encrypted to this device, its recovery
keys and its hubs), and ``keys/`` as they lie in the instance: sealed, and opened by the passphrase or a recovery key.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from survey.errors import InputError, StoreError
from survey.store import copied, drafts, vault
from survey.store.store import FILE, ROLES, TIERS, Store
from survey.sync.bundle import write_bundle
from survey.sync.exchange import BUNDLES, Report, sync
from survey.sync.keys import age_identity, publish_age_key
from survey.text import Text

INFO = "instance.json"
KEYS = "keys"


@dataclass(frozen=True)
class Copied:
    """What a backup did: the folder of this device's copy, and how many revisions were new to it."""

    folder: Path
    revisions: int


def back_up(store: Store, place: Path, *, now: datetime | None = None) -> Copied:
    """Brings the second copy at ``place`` up to date; open drafts are written as ``partial`` first.

    Only what is new is written. A stick that was changed or emptied gets everything again. InputError when ``place`` is
    not there (the stick is not plugged in), full, or read-only.
    """
    if not place.is_dir():
        raise InputError(
            str(place),
            Text("không có thư mục sao lưu này", "the folder for backups is not there"),
            Text(
                "cắm USB sao lưu, hoặc sửa backup trong config.toml",
                "plug the stick in, or change backup in config.toml",
            ),
        )
    publish_age_key(store)
    drafts.partials(store, now)
    folder = place / store.device
    try:
        folder.mkdir(exist_ok=True)
        _copy_keys(store.folder, folder)
        _write(folder / INFO, json.dumps({"device": store.device, "role": store.role, "tier": store.tier}).encode())
    except OSError as error:
        raise InputError(
            str(folder),
            Text(f"không sao lưu được ({error.strerror})", f"the backup cannot be written ({error.strerror})"),
            Text("kiểm tra USB hoặc dùng ổ khác", "look at the stick, or use another disk"),
        ) from error
    last = copied.last_bundle(store, folder)
    if last and not (folder / BUNDLES / last).exists():
        copied.forget(store, folder)
    numbers = copied.pending(store, folder)
    if numbers:
        identity = age_identity(store)
        also = [str(identity.to_public()), *vault.recipients(store.folder)] if identity else []
        path = write_bundle(store, folder / BUNDLES, numbers, also=also)
        copied.note(store, folder, path.name)
    return Copied(folder, len(numbers))


def _copy_keys(instance: Path, folder: Path) -> None:
    """The files of ``keys/`` and the settings, as they are: of an encrypted instance all that is secret is sealed."""
    for file in (*sorted((instance / KEYS).glob("*.*")), instance / "config.toml"):
        if file.is_file() and file.suffix != ".part":
            _write(folder / file.relative_to(instance), file.read_bytes())


def _write(file: Path, content: bytes) -> None:
    """Writes a small file that is whole or not there; one that is the same already is left alone."""
    if file.exists() and file.read_bytes() == content:
        return
    file.parent.mkdir(exist_ok=True)
    part = file.with_name(file.name + ".part")
    with part.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(part, file)


def find(source: Path) -> Path:
    """The folder of one device's copy: ``source`` itself, or the only one in it. InputError otherwise."""
    if (source / INFO).is_file():
        return source
    found = sorted(file.parent for file in source.glob(f"*/{INFO}"))
    if len(found) == 1:
        return found[0]
    names = ", ".join(folder.name for folder in found)
    raise InputError(
        str(source),
        Text("ở đây có bản sao của nhiều máy", "there are copies of several machines here")
        if found
        else Text("ở đây không có bản sao lưu", "there is no backup here"),
        Text(f"nêu thư mục của một máy: {names}", f"name the folder of one machine: {names}")
        if found
        else Text("kiểm tra đường dẫn, cắm lại USB", "check the path, plug the stick in again"),
    )


def restore(source: Path, instance: Path, unlock: Callable[[Path], None]) -> Report:
    """Makes the instance of a lost or broken laptop again in the empty folder ``instance``, from its second copy.

    ``unlock`` opens the vault of the folder that it is given. The device keeps its name and key and writes a new epoch
    from now on, so whatever the old disk still holds can come later without harm. StoreError when ``instance`` has a
    store; nothing in it is touched then.
    """
    source = find(source)
    if (instance / FILE).exists():
        raise StoreError(
            str(instance / FILE),
            Text("thư mục này đã có kho dữ liệu", "this folder already has a store"),
            Text("khôi phục vào thư mục khác (--instance)", "restore into another folder (--instance)"),
        )
    try:
        info = json.loads((source / INFO).read_text(encoding="utf-8"))
        role, tier = str(info["role"]), str(info["tier"])
        if role not in ROLES or tier not in TIERS:
            raise ValueError(role)
    except (ValueError, KeyError, TypeError):
        raise InputError(
            str(source / INFO),
            Text("tệp này bị hỏng", "this file is damaged"),
            Text("dùng bản sao lưu khác", "use another backup"),
        ) from None
    (instance / KEYS).mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in (*(source / KEYS).glob("*.*"), source / "config.toml"):
        if file.is_file() and file.suffix != ".part":
            shutil.copyfile(file, instance / file.relative_to(source))
    if vault.is_locked(instance):
        unlock(instance)
    with Store.create(instance, role, tier=tier, introduce=False) as store:
        return sync(store, [source / BUNDLES])
