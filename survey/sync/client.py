"""A laptop or hub that exchanges with a hub over HTTPS: the same union as by stick, in chunks that fit the line.

Each chunk is committed by itself, so a cut costs one chunk; a chunk whose answer was lost is known when it comes again.
Nothing counts as handed over but what a receipt that verifies names.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hmac import compare_digest
from pathlib import Path
from typing import Any

from survey.errors import InputError, Problem, SurveyError, VerifyError
from survey.store import Store, access_log, drafts, feed, receipts
from survey.store.framing import write_record
from survey.store.header import canonical
from survey.store.hearing import program
from survey.store.receipts import held_feeds
from survey.store.scope import here, wanted
from survey.store.signed import read_signed, write_signed
from survey.store.store import TIERS
from survey.sync import pairing, rounds
from survey.sync.bundle import SUFFIX, read_bundle, write_bundle
from survey.sync.envelope import NotForUs
from survey.sync.exchange import Report, merge_bundle, outgoing
from survey.sync.files import put, sweep
from survey.sync.keys import adopt_recovery, publish_age_key
from survey.sync.line import STILL_HERE, Cut, Over, Strange, Stranger, Talk, Unreachable, split
from survey.text import Text

HUBS = Path("keys", "hubs.json")
SMALLEST, FIRST, LARGEST = 8 << 10, 128 << 10, 4 << 20
"""Bytes of a chunk before packing: it doubles while the line is quick and halves when the line fails."""

QUICK_SECONDS = 4.0
WANTS = 5_000


@dataclass(frozen=True)
class Hub:
    """A hub whose certificate this machine has pinned."""

    address: str
    hub: str
    fingerprint: str
    tier: str = "supervisor"


def hubs(store: Store) -> list[Hub]:
    """The hubs that this machine is enrolled at, the last one used first."""
    try:
        found = [Hub(**row) for row in json.loads((store.folder / HUBS).read_bytes())]
        for hub in found:
            split(hub.address)
    except (FileNotFoundError, ValueError, TypeError, RecursionError, InputError):
        # Of a damaged file nothing is believed: whoever exchanges is told that this machine has to enrol.
        return []
    return found


def pin(store: Store, hub: Hub) -> None:
    """Keeps a hub's certificate and address, as the first of all."""
    host, port = split(hub.address)
    kept = [hub, *(other for other in hubs(store) if split(other.address) != (host, port))]
    put(store.folder / HUBS, json.dumps([asdict(one) for one in kept], indent=1).encode("ascii"))


def pinned_hub(store: Store, address: str) -> Hub:
    """The hub at ``address`` that this machine is enrolled at; InputError when it is at none there."""
    pinned = next((hub for hub in hubs(store) if split(hub.address) == split(address)), None)
    if pinned is None:
        raise InputError(
            address,
            Text("máy này chưa đăng ký ở máy chủ đó", "this machine is not enrolled at that hub"),
            Text("xin mã mời rồi chạy: survey device join", "ask for a code, then run: survey device join"),
        )
    return pinned


# -- enrolling ------------------------------------------------------------------------------------------------------


def join(store: Store, invitation: pairing.Invited) -> Hub:
    """Enrols this machine by an invitation, at the first of its addresses where the hub is."""
    wrong: SurveyError | None = None
    for address in invitation.addresses:
        try:
            return enrol(store, address, invitation.code, invitation.fingerprint)
        except (Unreachable, Stranger, Strange) as error:
            # Under an address of the hub's own network there may be anybody in another.
            wrong = error if wrong is None or isinstance(wrong, Unreachable) else wrong
    raise wrong or InputError(
        "?", Text("tệp mời không có địa chỉ", "the invitation has no address"), Text("gõ địa chỉ", "type the address")
    )


def enrol(store: Store, address: str, code: str, fingerprint: str = "") -> Hub:
    """Enrols this machine at a hub by an invitation's code: pins the hub's certificate and takes over which round keys
    are right. ``fingerprint``, where a file or QR code gave it, must be the certificate's.

    InputError when the hub cannot be reached or refuses; VerifyError when the hub does not know the code either.
    """
    typed = pairing.read_code(code)
    publish_age_key(store)
    talk = Talk(address, fingerprint)
    try:
        hello = _read(talk.ask("hello"), talk, hub=_word, nonce=_word, tier=_tier)
        hub, nonce, seen = hello["hub"], hello["nonce"], talk.seen
        if hub == store.device:
            raise InputError(
                talk.address,
                Text("địa chỉ này là của chính máy này", "this is the address of this very machine"),
                Text("gõ địa chỉ của máy chủ cấp trên", "type the address of the hub above it"),
            )
        key = pairing.derive(typed, hub)
        numbers = store.execute(
            "SELECT r.number FROM revisions r JOIN feeds f ON f.number = r.feed"
            " WHERE r.subject_type = 'device' AND r.subject = ? AND f.device = ? ORDER BY r.number",
            (store.device, store.device),
        ).fetchall()
        own = feed.records(store, [number for (number,) in numbers])
        statement = {
            "v": 1,
            "kind": "enrol",
            "device": store.device,
            "public_key": store.key.public.hex(),
            "hub": hub,
            "nonce": nonce,
            "invitation": typed.id,
            "proof": pairing.proof(key, "device", hub, store.device, seen, nonce),
            "records": b"".join(map(write_record, own)).hex(),
        }
        # The certificate that was proved over is the one that must answer.
        answering = Talk(address, seen)
        try:
            content = answering.ask("enrol", write_signed(statement, store.key))
            signed = read_signed(content, "enrolled", "hub", address)
        except VerifyError as error:
            raise error if isinstance(error, Stranger) else talk.wrong(error) from error
        finally:
            answering.close()
        answer = _of(signed, talk, hub=_word, proof=_word, round_keys=_each(_word))
        right = pairing.proof(key, "hub", hub, store.device, seen, nonce)
        if answer["hub"] != hub or not compare_digest(right, answer["proof"]):
            raise VerifyError(
                talk.address,
                Text("máy chủ này không biết mã mời: không phải máy chủ thật", "this hub does not know the code"),
                Text("báo giám sát viên; chưa gửi gì", "tell your supervisor; nothing was sent"),
            )
        for name in answer["round_keys"]:
            rounds.confirm(store, name)
        found = Hub(talk.address, hub, seen, hello["tier"])
        pin(store, found)
        return found
    finally:
        talk.close()


# -- exchanging -----------------------------------------------------------------------------------------------------

Progress = Callable[[str, int, int], None]
"""Told ``give`` or ``take``, how many entries are through, and of how many (0: not known)."""


def exchange(
    store: Store, address: str, *, now: datetime | None = None, progress: Progress = lambda way, done, whole: None
) -> Report:
    """Both ways with the hub at ``address``: gives what no receipt names, takes what the hub has for this machine, and
    reads the receipts. InputError when the hub cannot be reached, refuses, or was never enrolled at."""
    pinned = pinned_hub(store, address)
    report = Report(sources=1)
    sweep(store.folder)
    publish_age_key(store)
    talk = Talk(pinned.address, pinned.fingerprint)
    try:
        age = _open(store, talk, pinned)
        talk.again = lambda: _open(store, talk, pinned)
        # Only now: a laptop that was restored has just learnt that its feed goes on elsewhere, and begun another.
        drafts.partials(store, now)
        access_log.carry(store, now)
        given = _give(store, talk, pinned, age, progress)
        _take(store, talk, pinned, report, progress)
        _conclude(store, talk, pinned, given, report)
    finally:
        talk.close()
    adopt_recovery(store)
    if hubs(store)[:1] != [pinned]:
        pin(store, pinned)
    return report


def _open(store: Store, talk: Talk, pinned: Hub) -> list[str]:
    """Opens a session; returns the age key of the hub, if it has one."""
    for attempt in range(3):
        hello = _read(talk.ask("hello"), talk, hub=_word, nonce=_word, age=_age)
        if hello["hub"] != pinned.hub:
            raise VerifyError(
                talk.address,
                Text("máy chủ ở địa chỉ này đã đổi", "another hub answers at this address"),
                Text("đăng ký lại bằng mã mời mới", "enrol again with a new code"),
            )
        statement = {
            "v": 1,
            "kind": "open",
            "device": store.device,
            "public_key": store.key.public.hex(),
            "hub": pinned.hub,
            "nonce": hello["nonce"],
            "people": here(store),
            "program": program(),
        }
        try:
            content = talk.ask("open", write_signed(statement, store.key))
            break
        except Over:
            # The answer to the first try was lost on the line, and a nonce counts once.
            if attempt == 2:
                raise
    answer = _read(content, talk, session=_word, receipt=bytes.fromhex)
    talk.token = answer["session"]
    # What the hub has of us: "have". What it lacks follows from it: "missing".
    _confirm(store, talk, pinned, answer["receipt"])
    return [hello["age"]] if hello["age"] else []


def _confirm(store: Store, talk: Talk, pinned: Hub, content: bytes) -> None:
    """Reads the hub's own receipt. VerifyError for one that does not hold, or is another's."""
    try:
        if read_signed(content, "receipt", "hub", talk.address)["hub"] != pinned.hub:
            raise VerifyError(
                talk.address,
                Text("giấy xác nhận là của máy chủ khác", "the receipt is another hub's"),
            )
        receipts.read_receipt(store, content, talk.address, keep=False, vouched=True)
    except VerifyError as error:
        raise talk.wrong(error) from error


def _give(store: Store, talk: Talk, pinned: Hub, age: list[str], progress: Progress) -> Sequence[int]:
    """Gives what no receipt names; returns the database numbers of what was given."""
    given: Sequence[int] = outgoing(store, to_hub=True)
    waiting: Sequence[int] = given
    whole, size, failures = len(waiting), FIRST, 0
    progress("give", 0, whole)
    while waiting:
        chunk, rest = _cut_off(store, waiting, size)
        with tempfile.TemporaryDirectory(dir=store.folder, prefix="up-") as spool:
            file = write_bundle(store, Path(spool), chunk, also=age, lasting=False)
            start = time.monotonic()
            try:
                answer = talk.once("give", file)
            except Cut as cut:
                failures += 1
                size = max(SMALLEST, size // 2)
                talk.wait(cut, failures)
                continue
        _confirm(store, talk, pinned, answer)
        failures, waiting = 0, rest
        if time.monotonic() - start < QUICK_SECONDS:
            size = min(LARGEST, size * 2)
        progress("give", whole - len(waiting), whole)
    return given


def _cut_off(store: Store, numbers: Sequence[int], size: int) -> tuple[Sequence[int], Sequence[int]]:
    """As many of the first revisions as fit into ``size`` bytes, one at least; and the rest."""
    used = count = 0
    for _, length in receipts.sizes(store, numbers):
        if count and used + length > size:
            break
        used += length
        count += 1
    return numbers[:count], numbers[count:]


def _take(store: Store, talk: Talk, pinned: Hub, report: Report, progress: Progress) -> None:
    size, failures, taken, came, asked = FIRST, 0, 0, 0, 0
    progress("take", 0, 0)
    # Which parts should be here costs a look at everything that has none: asked at the start, and of what has come.
    wants = wanted(store, WANTS)
    while True:
        have = {"feeds": held_feeds(store), "wants": wants, "largest": size}
        start = time.monotonic()
        got = Report()
        with tempfile.TemporaryDirectory(dir=store.folder, prefix="down-") as spool:
            file = Path(spool, f"chunk{SUFFIX}")
            try:
                with file.open("wb") as stream:
                    is_more = talk.fetch("take", canonical(have), stream)
            except Cut as cut:
                failures += 1
                size = max(SMALLEST, size // 2)
                talk.wait(cut, failures)
                continue
            if not is_more:
                if came == asked:
                    return
                asked, wants = came, wanted(store, WANTS)
                continue
            failures, wants = 0, []
            try:
                if read_bundle(file, store).sender != pinned.hub:
                    raise VerifyError("", Text("gói dữ liệu là của máy khác", "the bundle is another machine's"))
                merge_bundle(store, file, got)
            except (VerifyError, NotForUs) as error:
                raise talk.wrong(error) from error
        report.add(got)
        taken += got.new
        came += got.new + got.late_parts
        progress("take", taken, 0)
        if not got.new and not got.late_parts:
            # The hub sends what we hold, or hold apart: asking again would bring the same.
            return
        if time.monotonic() - start < QUICK_SECONDS:
            size = min(LARGEST, size * 2)


def _conclude(store: Store, talk: Talk, pinned: Hub, given: Sequence[int], report: Report) -> None:
    """Reads the receipts that say where everything is now, and counts by them what the hub has taken."""
    for content in _read(talk.ask("receipts", b"{}"), talk, receipts=_each(bytes.fromhex))["receipts"]:
        try:
            receipt = receipts.read_receipt(store, content, talk.address, vouched=True)
        except VerifyError as error:
            raise talk.wrong(error) from error
        report.receipts_read += 1
        if receipt["hub"] == pinned.hub and not report.receipt:
            report.receipt = receipts.code(content)
    if not report.receipt:
        lacks = Text("máy chủ không gửi giấy xác nhận của nó", "the hub sent no receipt of its own")
        raise talk.wrong(VerifyError("", lacks))
    report.given, left = receipts.taken(store, given, pinned.hub)
    if left:
        report.problems.append(
            Problem(
                talk.address,
                Text(
                    f"máy chủ chưa xác nhận {left} bản ghi vừa nộp; vẫn tính là chưa nộp",
                    f"the hub has not confirmed {left} of the entries given; they still count as not handed over",
                ),
                STILL_HERE,
            )
        )


# -- what is read ---------------------------------------------------------------------------------------------------


def _read(content: bytes, talk: Talk, **named: Callable[[Any], Any]) -> dict[str, Any]:
    """A JSON answer, read as :func:`_of` does."""
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        said = None
    return _of(said, talk, **named)


def _of(said: Any, talk: Talk, **named: Callable[[Any], Any]) -> dict[str, Any]:
    """What an answer says under these names, each read by its function. Strange for what is of another form."""
    try:
        return {name: read(said[name]) for name, read in named.items()}
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        raise talk.strange(Text("sai cấu trúc", "malformed")) from None


def _word(said: Any) -> str:
    """An id, a nonce, a fingerprint, a token: letters and digits."""
    if not isinstance(said, str) or len(said) > 200 or not (said.isascii() and said.isalnum()):
        raise ValueError(said)
    return said


def _age(said: Any) -> str:
    """An age key, or nothing."""
    if said == "":
        return ""
    import pyrage

    try:
        return str(pyrage.x25519.Recipient.from_str(said))
    except pyrage.RecipientError:
        raise ValueError(said) from None


def _tier(said: Any) -> str:
    if said not in TIERS:
        raise ValueError(said)
    return str(said)


def _each(read: Callable[[Any], Any]) -> Callable[[Any], list[Any]]:
    """Reads a list of what ``read`` reads."""

    def read_all(said: Any) -> list[Any]:
        if not isinstance(said, list):
            raise TypeError(said)
        return [read(one) for one in said]

    return read_all
