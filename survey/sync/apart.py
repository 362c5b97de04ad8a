"""A hub's stick, where nobody finds parts that are not theirs (decision 82): each lies only in bundles whose
readers may all have it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from survey.store import receipts
from survey.store.header import Header, Record, read_header
from survey.store.scope import Scope
from survey.store.store import Store
from survey.sync.bundle import write_bundle
from survey.sync.keys import Readers


def write_apart(store: Store, folder: Path, numbers: list[int], audience: Readers) -> tuple[Path | None, list[int]]:
    """Writes the revisions with these database numbers as up to three kinds of bundles: everything, for hubs of this
    tier and above; what all laptops may have, for all of them and hubs below; and for each laptop what it, but not
    every one, may have. Hubs can open all of the latter, so none is left on a stick that a hub cannot account for.
    Returns the path of the first, None when nobody could read any, and what was written."""
    hubs = [key for key in (audience.own, *audience.above, *audience.lower) if key]
    paths, written = [], set[int]()
    if audience.above:
        above = [key for key in hubs if key not in audience.lower]
        paths.append(write_bundle(store, folder, numbers, only=above))
        written |= set(numbers)
    down = receipts.in_feed_order(store, set(numbers) & set(receipts.downward(store)))
    if (audience.laptops or audience.lower) and down:
        scopes = [Scope(store, device) for device, _ in audience.laptops]

        def is_common(header: Header, part: str) -> bool:
            return all(scope.may_have(header, part) for scope in scopes)

        keys = [*hubs, *(key for _, key in audience.laptops)]
        paths.append(write_bundle(store, folder, down, only=keys, strip=_keeping(is_common)))
        written |= set(down)
        restricted = [held for held in _parts(store, down) if not is_common(held[1], held[2])]
        for scope, (_, key) in zip(scopes, audience.laptops, strict=True):
            mine = {number for number, header, part in restricted if scope.may_have(header, part)}
            if mine:
                own, strip = receipts.in_feed_order(store, mine), _keeping(scope.may_have)
                paths.append(write_bundle(store, folder, own, only=[*hubs, key], strip=strip))
    return paths[0] if paths else None, receipts.in_feed_order(store, written)


def _keeping(may_have: Callable[[Header, str], bool]) -> Callable[[Record], Record]:
    def strip(record: Record) -> Record:
        header = read_header(record.header)
        return record._replace(parts={name: part for name, part in record.parts.items() if may_have(header, name)})

    return strip


def _parts(store: Store, numbers: list[int]) -> list[tuple[int, Header, str]]:
    """The parts held of these revisions: number, header, name."""
    found = []
    headers: dict[int, Header] = {}
    for number, name, content in store.execute(
        "SELECT p.revision, p.name, r.header FROM json_each(?) w CROSS JOIN parts p ON p.revision = w.value"
        " JOIN revisions r ON r.number = p.revision",
        (json.dumps(numbers),),
    ):
        header = headers.get(number) or headers.setdefault(number, read_header(content))
        found.append((number, header, name))
    return found
