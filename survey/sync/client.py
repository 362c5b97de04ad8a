"""A laptop or hub that exchanges with a hub over HTTPS: the same union as by stick, in chunks that fit the line.

Each chunk is committed by itself, so a cut costs one chunk; a chunk whose answer was lost is known when it comes again.
Nothing counts as handed over but what a receipt that verifies names.
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import socket
import ssl
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hmac import compare_digest
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from survey.errors import InputError, VerifyError
from survey.store import Store, access_log, drafts, feed, receipts
from survey.store.framing import write_record
from survey.store.header import canonical
from survey.store.hearing import program
from survey.store.receipts import held_feeds
from survey.store.scope import here, wanted
from survey.store.signed import read_signed, write_signed
from survey.sync import pairing, rounds
from survey.sync.bundle import SUFFIX, write_bundle
from survey.sync.exchange import Report, merge_bundle, outgoing
from survey.sync.files import sweep
from survey.sync.keys import adopt_recovery, publish_age_key
from survey.text import Text

HUBS = Path("keys", "hubs.json")
SMALLEST, FIRST, LARGEST = 8 << 10, 128 << 10, 4 << 20
"""Bytes of a chunk before packing: it doubles while the line is quick and halves when the line fails."""

QUICK_SECONDS = 4.0
TIMEOUT = 60.0
TRIES = 6
WANTS = 5_000


@dataclass(frozen=True)
class Hub:
    """A hub whose certificate this machine has pinned."""

    address: str
    hub: str
    fingerprint: str
    tier: str = "supervisor"


def split(address: str) -> tuple[str, int]:
    """Host and port of an address as a person types it. InputError for what is none, or plain ``http``."""
    typed = address.strip()
    try:
        parts = urlsplit(typed if "://" in typed else f"https://{typed}")
        host, port = parts.hostname or "", parts.port or pairing.PORT
    except ValueError:
        parts, host, port = urlsplit(""), "", 0
    if not host or parts.scheme != "https" or parts.path not in ("", "/") or parts.username:
        raise InputError(
            address or "?",
            Text("không phải địa chỉ máy chủ tiếp nhận", "not the address of a hub"),
            Text(
                "ví dụ 192.168.1.20 hoặc https://hub.example.vn:8451", "such as 192.168.1.20 or https://hub.example.vn"
            ),
        )
    return host, port


def hubs(store: Store) -> list[Hub]:
    """The hubs that this machine is enrolled at, the last one used first."""
    try:
        found = json.loads((store.folder / HUBS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    return [Hub(**row) for row in found]


def pin(store: Store, hub: Hub) -> None:
    """Keeps a hub's certificate and address, as the first of all."""
    host, port = split(hub.address)
    kept = [hub, *(other for other in hubs(store) if split(other.address) != (host, port))]
    file = store.folder / HUBS
    part = file.with_name(file.name + ".part")
    part.write_text(json.dumps([asdict(one) for one in kept], indent=1), encoding="utf-8")
    os.replace(part, file)


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


# -- the line -------------------------------------------------------------------------------------------------------


class _Line(http.client.HTTPSConnection):
    """A connection to the one hub whose certificate has the pinned fingerprint."""

    def __init__(self, host: str, port: int, pinned: str):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        # Neither names nor authorities nor clocks: the certificate itself is compared, before a byte is sent.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        super().__init__(host, port, timeout=TIMEOUT, context=context)
        self._pinned = pinned
        self.seen = ""

    def connect(self) -> None:
        super().connect()
        assert isinstance(self.sock, ssl.SSLSocket)
        self.seen = pairing.fingerprint(self.sock.getpeercert(binary_form=True) or b"")
        if self._pinned and not compare_digest(self.seen, self._pinned):
            self.close()
            raise VerifyError(
                f"{self.host}:{self.port}",
                Text(
                    "máy ở địa chỉ này không phải máy chủ đã đăng ký (chứng thư khác)",
                    "the machine at this address is not the hub that was enrolled (another certificate)",
                ),
                Text(
                    "không gửi gì; báo giám sát viên, rồi đăng ký lại bằng mã mời mới",
                    "nothing was sent; tell your supervisor, then enrol again with a new code",
                ),
            )


class _Unreachable(InputError):
    """No hub answers at this address."""


class _Cut(Exception):
    """The line failed; the same may be tried again."""


class _Talk:
    """Requests to one hub, tried again where that is harmless: every one of them is."""

    def __init__(self, address: str, pinned: str, sleep: Callable[[float], None] = time.sleep):
        self.host, self.port = split(address)
        self.address = f"https://{self.host}:{self.port}"
        self._pinned = pinned
        self._line: _Line | None = None
        self._sleep = sleep
        self.token = ""

    @property
    def seen(self) -> str:
        """The fingerprint of the certificate that the hub showed."""
        return self._line.seen if self._line else ""

    def once(self, name: str, body: bytes | None = None) -> bytes:
        """One request; _Cut when the line fails, InputError in the hub's own words when it refuses."""
        if self._line is None:
            self._line = _Line(self.host, self.port, self._pinned)
        headers = {"Content-Type": "application/octet-stream"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            self._line.request("GET" if body is None else "POST", f"/v1/{name}", body, headers)
            answer = self._line.getresponse()
            content = answer.read(64 << 20)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise _Cut(_words(error)) from error
        if answer.will_close:
            self.close(keep_seen=True)
        if answer.status in (200, 204):
            return content
        if answer.status in (400, 408, 429, 500, 502, 503, 504):
            raise _Cut(f"{answer.status}")
        raise self._told(content, answer.status)

    def ask(self, name: str, body: bytes | None = None) -> bytes:
        """One request, tried a few times; InputError when the hub cannot be reached."""
        for attempt in range(TRIES):
            try:
                return self.once(name, body)
            except _Cut as cut:
                reason = str(cut)
                if attempt + 1 < TRIES:
                    # Not all laptops of a room at the same moment again.
                    self._sleep(min(8.0, 0.25 * 2**attempt) * (0.5 + secrets.randbelow(1_000) / 1_000))
        raise self.unreachable(reason)

    def unreachable(self, reason: str) -> InputError:
        """That the hub cannot be reached, in words."""
        return _Unreachable(
            self.address,
            Text(f"không nối được tới máy chủ tiếp nhận ({reason})", f"the hub cannot be reached ({reason})"),
            Text(
                "kiểm tra mạng và máy chủ đã mở nhận phiếu chưa; hoặc dùng USB. Phiếu vẫn còn nguyên trên máy này",
                "check the network, and that the hub is open; or use a stick. Nothing is lost: it is all still here",
            ),
        )

    def _told(self, content: bytes, status: int) -> InputError:
        try:
            said = json.loads(content)
            words = Text(str(said["vi"])[:500], str(said["en"])[:500])
        except (ValueError, KeyError, TypeError):
            # A proxy of the hotel answers in the hub's place, for one.
            words = Text(f"trả lời lạ ({status})", f"an answer that no hub gives ({status})")
        return InputError(self.address, words)

    def close(self, *, keep_seen: bool = False) -> None:
        """Ends the connection."""
        if self._line is not None:
            self._line.close()
            if not keep_seen:
                self._line = None


def _words(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return "DNS"
    return getattr(error, "strerror", None) or type(error).__name__


# -- enrolling ------------------------------------------------------------------------------------------------------


def join(store: Store, invitation: pairing.Invited) -> Hub:
    """Enrols this machine by an invitation, at the first of its addresses that can be reached."""
    wrong: InputError | None = None
    for address in invitation.addresses:
        try:
            return enrol(store, address, invitation.code, invitation.fingerprint)
        except _Unreachable as error:
            wrong = error
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
    talk = _Talk(address, fingerprint)
    try:
        hello = _read(talk.ask("hello"), talk, "hub", "nonce")
        hub, nonce, seen = str(hello["hub"]), str(hello["nonce"]), talk.seen
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
        answering = _Talk(address, seen)
        try:
            answer = read_signed(answering.ask("enrol", write_signed(statement, store.key)), "enrolled", "hub", address)
        finally:
            answering.close()
        right = pairing.proof(key, "hub", hub, store.device, seen, nonce)
        if answer["hub"] != hub or not compare_digest(right, str(answer["proof"])):
            raise VerifyError(
                talk.address,
                Text("máy chủ này không biết mã mời: không phải máy chủ thật", "this hub does not know the code"),
                Text("báo giám sát viên; chưa gửi gì", "tell your supervisor; nothing was sent"),
            )
        for name in answer["round_keys"]:
            rounds.confirm(store, str(name))
        found = Hub(talk.address, hub, seen, str(hello.get("tier", "supervisor")))
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
    talk = _Talk(pinned.address, pinned.fingerprint)
    try:
        age = _open(store, talk, pinned)
        # Only now: a laptop that was restored has just learnt that its feed goes on elsewhere, and begun another.
        drafts.partials(store, now)
        access_log.carry(store, now)
        _give(store, talk, age, report, progress)
        _take(store, talk, report, progress)
        for content in _read(talk.ask("receipts", b"{}"), talk, "receipts")["receipts"]:
            receipts.read_receipt(store, bytes.fromhex(content), talk.address)
            report.receipts_read += 1
            report.receipt = report.receipt or receipts.code(bytes.fromhex(content))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise VerifyError(
            talk.address,
            Text("máy chủ trả lời sai cấu trúc", "the hub's answer is malformed"),
            Text("báo giám sát viên", "tell your supervisor"),
        ) from error
    finally:
        talk.close()
    adopt_recovery(store)
    pin(store, pinned)
    return report


def _open(store: Store, talk: _Talk, pinned: Hub) -> list[str]:
    """Opens a session; returns the age key of the hub, if it has one."""
    hello = _read(talk.ask("hello"), talk, "hub", "nonce")
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
        "nonce": str(hello["nonce"]),
        "people": here(store),
        "program": program(),
    }
    answer = _read(talk.ask("open", write_signed(statement, store.key)), talk, "session", "receipt")
    talk.token = str(answer["session"])
    # What the hub has of us: "have". What it lacks follows from it: "missing".
    receipts.read_receipt(store, bytes.fromhex(answer["receipt"]), talk.address, keep=False)
    return [str(hello["age"])] if hello.get("age") else []


def _give(store: Store, talk: _Talk, age: list[str], report: Report, progress: Progress) -> None:
    waiting: Sequence[int] = outgoing(store, to_hub=True)
    whole, size, failures = len(waiting), FIRST, 0
    progress("give", 0, whole)
    while waiting:
        chunk, rest = _cut_off(store, waiting, size)
        with tempfile.TemporaryDirectory(dir=store.folder, prefix="up-") as spool:
            body = write_bundle(store, Path(spool), chunk, also=age, lasting=False).read_bytes()
        start = time.monotonic()
        try:
            answer = talk.once("give", body)
        except _Cut as cut:
            failures += 1
            size = max(SMALLEST, size // 2)
            if failures >= TRIES:
                raise talk.unreachable(str(cut)) from cut
            talk._sleep(min(8.0, 0.25 * 2**failures))
            continue
        receipts.read_receipt(store, answer, talk.address, keep=False)
        failures, waiting = 0, rest
        report.given += len(chunk)
        if time.monotonic() - start < QUICK_SECONDS:
            size = min(LARGEST, size * 2)
        progress("give", whole - len(waiting), whole)


def _cut_off(store: Store, numbers: Sequence[int], size: int) -> tuple[Sequence[int], Sequence[int]]:
    """As many of the first revisions as fit into ``size`` bytes, one at least; and the rest."""
    used = count = 0
    for _, length in receipts.sizes(store, numbers):
        if count and used + length > size:
            break
        used += length
        count += 1
    return numbers[:count], numbers[count:]


def _take(store: Store, talk: _Talk, report: Report, progress: Progress) -> None:
    size, failures, taken, came, asked = FIRST, 0, 0, 0, 0
    progress("take", 0, 0)
    # Which parts should be here costs a look at everything that has none: asked at the start, and of what has come.
    wants = wanted(store, WANTS)
    while True:
        have = {"feeds": held_feeds(store), "wants": wants, "largest": size}
        start = time.monotonic()
        try:
            body = talk.once("take", canonical(have))
        except _Cut as cut:
            failures += 1
            size = max(SMALLEST, size // 2)
            if failures >= TRIES:
                raise talk.unreachable(str(cut)) from cut
            talk._sleep(min(8.0, 0.25 * 2**failures))
            continue
        if not body:
            if came == asked:
                return
            asked, wants = came, wanted(store, WANTS)
            continue
        failures, wants = 0, []
        got = Report()
        with tempfile.TemporaryDirectory(dir=store.folder, prefix="down-") as spool:
            file = Path(spool, f"chunk{SUFFIX}")
            file.write_bytes(body)
            merge_bundle(store, file, got)
        report.add(got)
        taken += got.new
        came += got.new + got.late_parts
        progress("take", taken, 0)
        if not got.new and not got.late_parts:
            # The hub sends what we hold, or hold apart: asking again would bring the same.
            return
        if time.monotonic() - start < QUICK_SECONDS:
            size = min(LARGEST, size * 2)


def _read(content: bytes, talk: _Talk, *names: str) -> dict[str, Any]:
    """A JSON answer with these keys. A page of a proxy is not taken for one."""
    try:
        said = json.loads(content)
        if isinstance(said, dict) and all(name in said for name in names):
            return said
    except ValueError:
        pass
    raise talk._told(content, 200)
