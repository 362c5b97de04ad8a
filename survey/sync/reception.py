"""What a hub answers over the network: the exchange, and nothing of the pages (docs/formats.md, 11). A WSGI program.

::

    GET  /v1/hello      who this hub is, and a nonce to sign
    POST /v1/enrol      a laptop proves that it knows an invitation's code
    POST /v1/open       a device says who it is and signs the nonce; it gets a session and a receipt of its feed
    POST /v1/give       one bundle; the answer is the receipt that follows
    POST /v1/take       what the device holds; the answer is a bundle of what it lacks (204: nothing)
    POST /v1/receipts   the receipts that say where everything is now
"""

from __future__ import annotations

import io
import json
import secrets
import tempfile
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hmac import compare_digest
from pathlib import Path
from threading import Lock
from typing import IO, Any

from survey.errors import NotAllowed, SurveyError, VerifyError
from survey.store import Store, feed, frame, hearing, invitations, receipts
from survey.store.framing import read_records
from survey.store.header import Record, canonical, read_header
from survey.store.merge import unite
from survey.store.scope import Scope, missing_from
from survey.store.signed import read_signed, write_signed
from survey.store.whereabouts import whereabouts
from survey.sync import pairing, rounds
from survey.sync.bundle import SUFFIX, read_bundle, write_records
from survey.sync.exchange import Report, merge_bundle
from survey.sync.files import sweep
from survey.sync.keys import age_key_of
from survey.text import Text

LARGEST = 256 << 20
"""Bytes of one bundle. A chunk is far smaller; an interview with its pictures and recordings comes in one piece."""

LARGEST_ASKED = 16 << 20
"""Bytes of any other request of a device: what it holds and wants."""

LARGEST_UNKNOWN = 1 << 16
"""Bytes of a request by someone who has no session."""

CHUNK = 2 << 20
"""Bytes, before packing, of what goes down in one answer, unless the device asks for less."""

SESSION_SECONDS = 1_800

RATES: dict[str, tuple[int, float]] = {
    "hello": (1_200, 60.0),
    "enrol": (10, 60.0),
    "open": (1_200, 60.0),
    "give": (600, 60.0),
    "take": (600, 60.0),
    "receipts": (120, 60.0),
}
"""How many requests in so many seconds: of one address while it is unknown, of one device once it has a session."""

_SLOWEST = 4_096
"""Bytes in a second below which a body is cut off; a GPRS line carries more."""

_GRACE = 30.0

Answer = tuple[str, str, bytes]
"""Status, content type, body."""


@dataclass
class Seen:
    """A device that came: what people call it, when, how many entries it brought and interviews it left."""

    device: str
    name: str
    time: datetime
    new: int = 0
    interviews: int = 0
    conflicts: int = 0
    aside: int = 0


@dataclass
class _Session:
    device: str
    people: list[str]
    until: float
    seen: Seen


@dataclass
class Reception:
    """The exchange of one hub. ``take_store`` and ``give_back`` lend an open store to one request."""

    folder: Path
    take_store: Callable[[], Store]
    give_back: Callable[[Store], None]
    fingerprint: str
    now: Callable[[], datetime] = lambda: datetime.now(UTC).astimezone()
    allow: Callable[[float], None] = lambda seconds: None
    """Told how many more seconds the connection that asks may take."""
    clock: Callable[[], float] = time.monotonic
    seen: OrderedDict[str, Seen] = field(default_factory=OrderedDict)
    _nonces: OrderedDict[str, float] = field(default_factory=OrderedDict)
    _sessions: dict[str, _Session] = field(default_factory=dict)
    _requests: dict[tuple[str, str], deque[float]] = field(default_factory=dict)
    _enrolled: OrderedDict[bytes, Answer] = field(default_factory=OrderedDict)
    """What was answered to the last enrolments, by what was asked: an answer may be lost on the line, a code counts
    once."""
    _memory: Lock = field(default_factory=Lock)
    _writing: Lock = field(default_factory=Lock)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """One request."""
        try:
            status, kind, body = self._answer(environ)
        except _Refused as refused:
            status, kind, body = refused.status, "application/json", canonical({"vi": refused.vi, "en": refused.en})
        except SurveyError as wrong:
            problem = wrong.problem
            said = {name: f"{problem.what(name)}; {problem.todo(name)}" for name in ("vi", "en")}
            forbidden = isinstance(wrong, NotAllowed)
            status, kind, body = "403 Forbidden" if forbidden else "422 Not taken", "application/json", canonical(said)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            status, kind, body = "400 Bad Request", "application/json", canonical({"vi": "?", "en": "?"})
        start(status, [("Content-Type", kind), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")])
        return [body]

    def _answer(self, environ: dict[str, Any]) -> Answer:
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        name = path.removeprefix("/v1/")
        if path != f"/v1/{name}" or name not in RATES or method != ("GET" if name == "hello" else "POST"):
            raise _Refused("404 Not Found", "không có gì ở đây", "there is nothing here")
        if name in ("hello", "enrol", "open"):
            self._limit(name, environ.get("REMOTE_ADDR", ""))
            body = self._body(environ, LARGEST_UNKNOWN) if method == "POST" else b""
            answers: dict[str, Callable[[bytes], Answer]] = {"enrol": self._enrol, "open": self._open}
            return answers[name](body) if body else self._hello()
        session = self._session(environ)
        self._limit(name, session.device)
        with self._store() as store:
            if (frame.document(store, "device", session.device) or {}).get("revoked"):
                raise _revoked()
        if name == "give":
            with self._spooled(environ) as file:
                return self._give(session, file)
        body = self._body(environ, LARGEST_ASKED)
        return self._take(session, body) if name == "take" else self._receipts(session, body)

    # -- limits -----------------------------------------------------------------------------------------------------

    def _limit(self, name: str, whose: str) -> None:
        most, seconds = RATES[name]
        now = self.clock()
        with self._memory:
            times = self._requests.setdefault((name, whose), deque())
            while times and times[0] < now - seconds:
                times.popleft()
            if len(times) >= most:
                raise _Refused("429 Too Many Requests", "quá nhiều yêu cầu, chờ một phút", "too often, wait a minute")
            times.append(now)
            if len(self._requests) > 10_000:
                for key in [key for key, times in self._requests.items() if times[-1] < now - seconds]:
                    del self._requests[key]

    def _body(self, environ: dict[str, Any], largest: int) -> bytes:
        content = io.BytesIO()
        self._copy(environ, largest, content)
        return content.getvalue()

    def _copy(self, environ: dict[str, Any], largest: int, to: IO[bytes]) -> None:
        try:
            size = int(environ.get("CONTENT_LENGTH") or "")
        except ValueError:
            raise _Refused("411 Length Required", "thiếu độ dài", "the length is missing") from None
        if not 0 < size <= largest:
            raise _Refused("413 Content Too Large", "gói quá lớn", "the bundle is too large")
        self.allow(_GRACE + size / _SLOWEST)
        while size:
            piece: bytes = environ["wsgi.input"].read(min(size, 1 << 16))
            if not piece:
                raise _Refused("400 Bad Request", "yêu cầu bị cắt", "the request was cut")
            to.write(piece)
            size -= len(piece)
        # What is done with it and the answer have their own time.
        self.allow(10 * _GRACE)

    def _session(self, environ: dict[str, Any]) -> _Session:
        token = environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
        with self._memory:
            session = self._sessions.get(token)
            if session is None or session.until < self.clock():
                raise _Refused("401 Unauthorized", "phiên đã hết", "the session is over")
            return session

    def _spend(self, nonce: str) -> None:
        with self._memory:
            if self._nonces.pop(nonce, -1.0) < self.clock():
                raise _Refused("401 Unauthorized", "làm lại từ đầu", "begin again")

    @contextmanager
    def _store(self) -> Iterator[Store]:
        store = self.take_store()
        try:
            yield store
        finally:
            self.give_back(store)

    # -- before a session -------------------------------------------------------------------------------------------

    def _hello(self) -> Answer:
        nonce = secrets.token_hex(16)
        with self._memory:
            self._nonces[nonce] = self.clock() + 300
            while len(self._nonces) > 10_000:
                self._nonces.popitem(last=False)
        with self._store() as store:
            age = age_key_of(frame.document(store, "device", store.device) or {})
            hello = {"v": 1, "hub": store.device, "tier": store.tier, "nonce": nonce, "largest": LARGEST, "age": age}
            return _json(hello)

    def _enrol(self, body: bytes) -> Answer:
        statement = read_signed(body, "enrol", "device", "enrol")
        device, nonce, id = str(statement["device"]), str(statement["nonce"]), str(statement["invitation"])
        with self._writing:
            before = self._enrolled.get(body)
        if before is not None:
            return before
        self._spend(nonce)
        with self._store() as store, self._writing:
            key = invitations.key_for(store, id, self.now())
            shown = pairing.proof(key or b"", "device", store.device, device, self.fingerprint, nonce)
            if key is None or not compare_digest(shown, str(statement["proof"])):
                raise NotAllowed(
                    "enrol",
                    Text("mã mời sai, đã dùng hoặc đã hết hạn", "the code is wrong, used or over"),
                    Text("kiểm tra lại mã, hoặc xin mã mới", "check the code, or ask for another"),
                )
            known = frame.document(store, "device", device)
            if known and known.get("revoked"):
                raise _revoked()
            own = list(read_records(io.BytesIO(bytes.fromhex(str(statement["records"])))))
            about = {(h.subject_type, h.subject, h.device) for h in (read_header(record.header) for record in own)}
            if about != {("device", device, device)}:
                raise VerifyError(
                    "enrol",
                    Text("không phải giấy tờ của máy này", "not this device's own document"),
                    Text("thử lại", "try again"),
                )
            with store.transaction():
                invitation = invitations.use_up(store, id)
                unite(store, own, "enrol", {device: bytes.fromhex(str(statement["public_key"]))})
                document = frame.document(store, "device", device)
                if invitation is None or document is None:
                    raise VerifyError(
                        "enrol", Text("không ghi được", "it was not taken"), Text("xin mã mới", "ask for another code")
                    )
                rounds.enrol(store, document, invitation.name, people=list(invitation.people))
            answer = {
                "v": 1,
                "kind": "enrolled",
                "hub": store.device,
                "public_key": store.key.public.hex(),
                "device": device,
                "proof": pairing.proof(key, "hub", store.device, device, self.fingerprint, nonce),
                "round_keys": sorted(rounds.confirmed(store)),
            }
            done = "200 OK", "application/octet-stream", write_signed(answer, store.key)
            self._enrolled[body] = done
            while len(self._enrolled) > 100:
                self._enrolled.popitem(last=False)
            return done

    def _open(self, body: bytes) -> Answer:
        statement = read_signed(body, "open", "device", "open")
        device = str(statement["device"])
        self._spend(str(statement["nonce"]))
        sweep(self.folder)
        with self._store() as store:
            if statement["hub"] != store.device:
                raise _Refused("401 Unauthorized", "gửi nhầm máy chủ", "meant for another hub")
            document = frame.document(store, "device", device)
            if document is not None and document.get("revoked"):
                raise _revoked()
            if document is None or not rounds.is_enrolled(store, document):
                raise NotAllowed(
                    device,
                    Text("máy này chưa được đăng ký ở máy chủ này", "this device is not enrolled at this hub"),
                    Text("xin giám sát viên một mã mời", "ask the supervisor for an invitation code"),
                )
            hearing.note(store, device, "network", str(statement.get("program", "")), self.now())
            token = secrets.token_hex(32)
            name = str(document.get("name") or device[:9])
            with self._memory:
                seen = self.seen.get(device) or Seen(device, name, self.now())
            seen.name, seen.time = name, self.now()
            session = _Session(device, [str(who) for who in statement["people"]], self.clock() + SESSION_SECONDS, seen)
            with self._memory:
                self._sessions = {t: s for t, s in self._sessions.items() if s.until >= self.clock()}
                self._sessions[token] = session
                self.seen[device] = seen
                self.seen.move_to_end(device)
                while len(self.seen) > 500:
                    self.seen.popitem(last=False)
            receipt = receipts.make_receipt(store, self.now(), {device})
            return _json({"v": 1, "session": token, "receipt": receipt.hex()})

    # -- in a session -----------------------------------------------------------------------------------------------

    def _give(self, session: _Session, file: Path) -> Answer:
        with self._store() as store:
            bundle = read_bundle(file, store)
            if bundle.sender != session.device:
                raise _Refused("403 Forbidden", "gói của máy khác", "another device's bundle")
            with self._writing:
                before = whereabouts(store)["device"]
                report = Report()
                merge_bundle(store, file, report, self.now())
                wrote = {session.device, *bundle.keys}
                receipt = receipts.make_receipt(store, self.now(), wrote)
                gained = whereabouts(store)["device"] - before
            seen = session.seen
            seen.new += report.new
            seen.interviews += gained
            seen.conflicts += len(report.conflicts)
            seen.aside += len(report.quarantined)
            return "200 OK", "application/octet-stream", receipt

    def _take(self, session: _Session, body: bytes) -> Answer:
        have = json.loads(body)
        wants = [str(name) for name in have["wants"]][:5_000]
        most = min(CHUNK, max(1, int(have["largest"])))
        with self._store() as store:
            scope = Scope(store, session.device, session.people)
            numbers = missing_from(store, scope, have["feeds"], wants)
            chunk: list[Record] = []
            size = 0
            for record in feed.records(store, numbers, scope.may_have):
                length = len(record.header) + sum(len(part.content) for part in record.parts.values()) + 100
                if chunk and size + length > most:
                    break
                chunk.append(record)
                size += length
            if not chunk:
                return "204 No Content", "application/octet-stream", b""
            with tempfile.TemporaryDirectory(dir=store.folder, prefix="down-") as spool:
                keys = receipts.keys_of(store, numbers[: len(chunk)])
                # Under TLS anyway: this is for the file, should the power go before it is removed.
                age = age_key_of(frame.document(store, "device", session.device) or {})
                to = [age] if age else []
                path = write_records(store.key, store.tier, Path(spool), chunk, keys, store.folder, to, lasting=False)
                return "200 OK", "application/octet-stream", path.read_bytes()

    def _receipts(self, session: _Session, body: bytes) -> Answer:
        with self._store() as store, self._writing:
            document = frame.document(store, "device", session.device) or {}
            # A hub hands our receipt on to its devices, so it needs the whole; to a device only its own feeds matter.
            devices = None if document.get("role") == "hub" else {session.device}
            own = receipts.make_receipt(store, self.now(), devices)
            return _json({"v": 1, "receipts": [content.hex() for content in (own, *receipts.held_receipts(store))]})

    @contextmanager
    def _spooled(self, environ: dict[str, Any]) -> Iterator[Path]:
        """A body as a file, so that it is read the same way as a bundle on a stick."""
        with tempfile.TemporaryDirectory(dir=self.folder, prefix="up-") as spool:
            file = Path(spool, f"chunk{SUFFIX}")
            with file.open("wb") as stream:
                self._copy(environ, LARGEST, stream)
            yield file


class _Refused(Exception):
    """An answer other than what was asked for."""

    def __init__(self, status: str, vi: str, en: str):
        super().__init__(status)
        self.status, self.vi, self.en = status, vi, en


def _revoked() -> NotAllowed:
    return NotAllowed(
        "device",
        Text("đăng ký của máy này đã bị thu hồi", "this device was revoked"),
        Text("hỏi giám sát viên; phiếu vẫn còn trên máy", "ask the supervisor; the interviews are still on it"),
    )


def _json(value: dict[str, Any]) -> Answer:
    return "200 OK", "application/json", canonical(value)
