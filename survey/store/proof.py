"""Which of the entries that came hold: their own signature does, or an accepted entry continues them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from survey.store.entry import Entry
from survey.store.feed import public_key
from survey.store.header import follows, read_header
from survey.store.signing import device_id, verify
from survey.store.store import Store


class Proof:
    """The keys that are known while one merge lasts, and what they prove."""

    def __init__(self, store: Store, keys: Mapping[str, bytes]):
        """``keys`` came along, by device; one that is not its device's is ignored."""
        self.store = store
        self._keys: dict[str, bytes | None] = {name: key for name, key in keys.items() if device_id(key) == name}

    def accepted(self, entries: dict[str, Entry]) -> dict[str, Entry]:
        """The entries that verify: their own signature holds, or an accepted successor covers them."""
        accepted: set[str] = set()
        tried: set[str] = set()
        before = {
            id: entry.header.prev
            for id, entry in entries.items()
            if (earlier := entries.get(entry.header.prev)) is not None and follows(entry.header, earlier.header)
        }
        covered = set(before.values())
        stack = [id for id in entries if id not in covered]
        while stack:
            id = stack.pop()
            if id in tried or id in accepted:
                continue
            tried.add(id)
            if self._holds(entries[id]):
                run: str | None = id
                while run is not None and run not in accepted:
                    accepted.add(run)
                    run = before.get(run)
            elif id in before:
                stack.append(before[id])
        return dict(entries) if len(accepted) == len(entries) else {id: entries[id] for id in entries if id in accepted}

    def _holds(self, entry: Entry) -> bool:
        header = entry.header
        key = self.key(header.device)
        if key is None:
            return False
        if verify(key, entry.signature, header.id.encode("ascii")):
            return True
        feed = self.store.value(
            "SELECT number FROM feeds WHERE device = ? AND epoch = ?", (header.device, header.epoch)
        )
        later = self.store.execute(
            "SELECT header FROM revisions WHERE feed = ? AND seq = ?", (feed, header.seq + 1)
        ).fetchall()
        return any(read_header(content).prev == header.id for (content,) in later)

    def key(self, device: str) -> bytes | None:
        """A device's public key, where it is known."""
        if device not in self._keys:
            self._keys[device] = public_key(self.store, device)
        return self._keys[device]

    def learn(self, entry: Entry) -> None:
        """A device document carries the device's key, and the device's id proves that it is the key's."""
        header = entry.header
        if header.subject_type != "device" or "document" not in entry.parts or self.key(header.subject):
            return
        try:
            key = bytes.fromhex(json.loads(entry.part("document"))["public_key"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return
        if device_id(key) == header.subject:
            self._keys[header.subject] = key
