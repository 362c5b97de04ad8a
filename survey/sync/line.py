"""The line to a hub: only to the certificate that is meant, bounded in time and in size, cuts told from refusals.

Whoever answers may be anybody: a portal of a hotel, a proxy, another program, a hub gone wrong. An answer is of the
hub only when it has the form that docs/formats.md (11) says; everything else is told in one sentence.
"""

from __future__ import annotations

import http.client
import io
import json
import secrets
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from hmac import compare_digest
from pathlib import Path
from threading import Timer
from typing import IO, Any
from urllib.parse import urlsplit

from survey.errors import InputError, SurveyError, VerifyError
from survey.sync import pairing
from survey.text import Text

TIMEOUT = 60.0
"""Seconds in which something must move on the line."""

PATIENCE = 360.0
"""Seconds in which an answer must begin: a hub merges what it was given before it answers."""

SLOWEST = 4_096
"""Bytes in a second below which an answer is given up; a GPRS line carries more."""

TRIES, WAIT = 6, 0.25
"""How often a request is tried, and the seconds before the second time; they double from then on."""

MOST = {
    "hello": 64 << 10,
    "enrol": 1 << 20,
    "open": 16 << 20,
    "give": 16 << 20,
    "take": 256 << 20,
    "receipts": 64 << 20,
}
"""Bytes of each answer. One interview with its pictures and recordings comes in one piece."""

_WORDS = 64 << 10
"""Bytes of a refusal that are read."""

_LATER = (400, 408, 429, 500, 502, 503, 504)

KEPT = Text("phiếu vẫn còn nguyên trên máy này", "nothing is lost: it is all still here")
STILL_HERE = Text(
    "thử lại, hoặc dùng USB; vẫn vậy thì báo giám sát viên. Phiếu vẫn còn nguyên trên máy này",
    "try again, or use a stick; if it stays so, tell your supervisor. Nothing is lost: it is all still here",
)


def split(address: str) -> tuple[str, int]:
    """Host and port of an address as a person types it. InputError for what is none, or plain ``http``."""
    typed = address.strip()
    try:
        parts = urlsplit(typed if "://" in typed else f"https://{typed}")
        host, port = parts.hostname or "", parts.port or pairing.PORT
        host.encode("idna")
    except ValueError:
        parts, host, port = urlsplit(""), "", 0
    spaced = any(letter.isspace() or not letter.isprintable() for letter in host)
    if not host or spaced or parts.scheme != "https" or parts.path not in ("", "/") or parts.username:
        raise InputError(
            address or "?",
            Text("không phải địa chỉ máy chủ tiếp nhận", "not the address of a hub"),
            Text(
                "ví dụ 192.168.1.20 hoặc https://hub.example.vn:8451", "such as 192.168.1.20 or https://hub.example.vn"
            ),
        )
    return host, port


def join(host: str, port: int) -> str:
    """The address of a host and port."""
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


# -- what can go wrong ----------------------------------------------------------------------------------------------


class Cut(Exception):
    """The line failed; the same may be tried again."""

    def __init__(self, reason: Text):
        self.reason = reason
        super().__init__(reason.en)


class Unreachable(InputError):
    """No hub answers at this address."""


class Stranger(VerifyError):
    """Another certificate than the one that was pinned."""


class Strange(InputError):
    """An answer that no hub gives."""


class Over(InputError):
    """The hub knows no such session (any more)."""


# -- one connection -------------------------------------------------------------------------------------------------


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
            raise Stranger(
                join(self.host, self.port),
                Text(
                    "máy ở địa chỉ này không phải máy chủ đã đăng ký (chứng thư khác); chưa gửi gì",
                    "the machine at this address is not the hub that was enrolled (another certificate); "
                    "nothing was sent",
                ),
                Text(
                    "kiểm tra có đúng mạng không (Wi-Fi khách sạn hay trả lời thay); đúng mạng mà vẫn vậy thì báo "
                    "giám sát viên, rồi đăng ký lại bằng mã mời mới",
                    "check that this is the right network (a hotel's Wi-Fi answers in a hub's place); if it is, tell "
                    "your supervisor, then enrol again with a new code",
                ),
            )

    def ask(self, path: str, body: bytes | Path | None, headers: dict[str, str]) -> http.client.HTTPResponse:
        """Sends one request and reads the head of its answer."""
        if self.sock is None:
            self.connect()
        size = body.stat().st_size if isinstance(body, Path) else len(body or b"")
        with ExitStack() as stack:
            sent = stack.enter_context(body.open("rb")) if isinstance(body, Path) else body
            stack.enter_context(_within(self.sock, PATIENCE + size / SLOWEST))
            if body is not None:
                headers["Content-Length"] = str(size)
            self.request("GET" if body is None else "POST", path, sent, headers)
            return self.getresponse()


@contextmanager
def _within(sock: socket.socket, seconds: float) -> Iterator[None]:
    """Hangs up after so many seconds, whatever has trickled in until then."""

    def hang_up() -> None:
        with suppress(OSError):  # it may have ended already
            # Of the socket underneath: an orderly goodbye in TLS would wait for the other side.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)

    timer = Timer(seconds, hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _copy(answer: http.client.HTTPResponse, length: int, to: IO[bytes]) -> None:
    """A body of exactly this length; IncompleteRead or TimeoutError when it ends before, or trickles."""
    left, start = length, time.monotonic()
    while left:
        piece = answer.read1(min(left, 1 << 16))
        if not piece:
            raise http.client.IncompleteRead(b"", left)
        to.write(piece)
        left -= len(piece)
        if time.monotonic() - start > TIMEOUT + (length - left) / SLOWEST:
            raise TimeoutError


# -- talking --------------------------------------------------------------------------------------------------------


class Talk:
    """Requests to one hub, tried again where that is harmless: every one of them is.

    ``again`` opens another session where the hub has forgotten this one: it was started anew, or the line is so slow
    that the session is over.
    """

    def __init__(self, address: str, pinned: str, sleep: Callable[[float], None] = time.sleep):
        self.host, self.port = split(address)
        self.address = join(self.host, self.port)
        self._pinned = pinned
        self._line: _Line | None = None
        self._sleep = sleep
        self.token = ""
        self.again: Callable[[], object] | None = None

    @property
    def seen(self) -> str:
        """The fingerprint of the certificate that the hub showed."""
        return self._line.seen if self._line else ""

    def once(self, name: str, body: bytes | Path | None = None) -> bytes:
        """One request, with what a file holds where that is given. Cut when the line fails, InputError in the hub's own
        words when it refuses, Strange when the answer has not the form of any."""
        content = io.BytesIO()
        self.fetch(name, body, content)
        return content.getvalue()

    def fetch(self, name: str, body: bytes | Path | None, to: IO[bytes]) -> bool:
        """One request as :meth:`once` makes it, the answer written into ``to``; False where there is nothing to take.
        What stands in ``to`` counts only when it returns."""
        try:
            return self._once(name, body, to)
        except Over:
            if not self.token or self.again is None:
                raise
            self.token = ""
            self.again()
            return self._once(name, body, to)

    def _once(self, name: str, body: bytes | Path | None, to: IO[bytes]) -> bool:
        if self._line is None:
            self._line = _Line(self.host, self.port, self._pinned)
        headers = {"Content-Type": "application/octet-stream"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            answer = self._line.ask(f"/v1/{name}", body, headers)
            taken = answer.status == 200
            most = MOST[name] if taken else _WORDS
            # Without its length an answer could go on for ever, or end anywhere; a hub always tells it.
            told = not answer.chunked and answer.length is not None and answer.length <= most
            # A head that was cut looks like one without a length: then nothing comes after it.
            cut = answer.length is None and not answer.chunked
            length, words = answer.length or 0 if told else int(cut), io.BytesIO()
            _copy(answer, length, to if taken and told else words)
            answer.close()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Cut(_reason(error)) from error
        if answer.will_close or not told:
            self.close(keep_seen=True)
        if taken and told and length:
            return True
        if answer.status == 204 and name == "take":
            return False
        if answer.status in _LATER:
            raise Cut(Text(str(answer.status), str(answer.status)))
        if taken or answer.status == 204:
            unbounded = Text("không có độ dài, hoặc quá dài", "no length, or too long")
            raise self.strange(Text("trống", "empty") if told else unbounded)
        raise self._refused(words.getvalue(), answer.status)

    def ask(self, name: str, body: bytes | Path | None = None) -> bytes:
        """One request, tried a few times; InputError when the hub cannot be reached."""
        for attempt in range(TRIES):
            try:
                return self.once(name, body)
            except Cut as cut:
                reason = cut.reason
                if attempt + 1 < TRIES:
                    # Not all laptops of a room at the same moment again.
                    self._sleep(min(8.0, WAIT * 2**attempt) * (0.5 + secrets.randbelow(1_000) / 1_000))
        raise self.unreachable(reason)

    def wait(self, cut: Cut, failures: int) -> None:
        """Waits before a chunk is tried again; InputError when it has failed too often."""
        if failures >= TRIES:
            raise self.unreachable(cut.reason) from cut
        self._sleep(min(8.0, WAIT * 2**failures))

    def unreachable(self, reason: Text) -> InputError:
        """That the hub cannot be reached, in words."""
        return Unreachable(
            self.address,
            Text(f"không nối được tới máy chủ tiếp nhận ({reason.vi})", f"the hub cannot be reached ({reason.en})"),
            Text(
                "kiểm tra mạng và máy chủ đã mở nhận phiếu chưa; hoặc dùng USB. Phiếu vẫn còn nguyên trên máy này",
                "check the network, and that the hub is open; or use a stick. Nothing is lost: it is all still here",
            ),
        )

    def strange(self, what: Text) -> InputError:
        """That something else than a hub has answered, in words."""
        return Strange(
            self.address,
            Text(
                f"trả lời không phải của máy chủ tiếp nhận ({what.vi}); không tính là đã nộp",
                f"an answer that no hub gives ({what.en}); nothing counts as handed over by it",
            ),
            Text(
                "mạng này có thể trả lời thay máy chủ (trang đăng nhập Wi-Fi khách sạn, proxy): đổi mạng hoặc dùng "
                "USB; vẫn vậy thì báo giám sát viên. Phiếu vẫn còn nguyên trên máy này",
                "the network may answer in the hub's place (the sign-in page of a hotel's Wi-Fi, a proxy): change it, "
                "or use a stick; if it stays so, tell your supervisor. Nothing is lost: it is all still here",
            ),
        )

    def wrong(self, error: SurveyError) -> VerifyError:
        """That what the hub sent does not hold, in words; ``error`` says what of it."""
        return VerifyError(self.address, error.problem.what, STILL_HERE)

    def _refused(self, content: bytes, status: int) -> InputError:
        try:
            said = json.loads(content)
            words = Text(_printable(said["vi"]), _printable(said["en"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            return self.strange(Text(str(status), str(status)))
        if status == 401:
            return Over(self.address, words, STILL_HERE)
        # What to do stands in the hub's words.
        return InputError(self.address, words, KEPT)

    def close(self, *, keep_seen: bool = False) -> None:
        """Ends the connection."""
        if self._line is not None:
            self._line.close()
            if not keep_seen:
                self._line = None


def _printable(said: Any) -> str:
    """A hub's words as they may be shown: they could come from anybody, and a terminal obeys what is no letter."""
    if not isinstance(said, str):
        raise TypeError(said)
    return "".join(letter if letter.isprintable() else " " for letter in said[:500])


_REASONS: tuple[tuple[type[Exception], Text], ...] = (
    (socket.gaierror, Text("không tìm thấy tên máy", "no machine of this name")),
    (TimeoutError, Text("hết giờ chờ", "timed out")),
    (ConnectionRefusedError, Text("không có chương trình nào nhận ở đó", "nothing listens there")),
    (ssl.SSLEOFError, Text("bị ngắt", "hung up")),
    (ssl.SSLError, Text("bắt tay TLS không thành: có thể không phải máy chủ tiếp nhận", "no TLS: perhaps no hub")),
    (http.client.IncompleteRead, Text("trả lời bị cắt giữa chừng", "the answer was cut")),
    (http.client.RemoteDisconnected, Text("bị ngắt", "hung up")),
    (ConnectionError, Text("bị ngắt", "hung up")),
    (http.client.HTTPException, Text("trả lời không phải của máy chủ tiếp nhận", "an answer that no hub gives")),
)


def _reason(error: Exception) -> Text:
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return reason
    said = getattr(error, "strerror", None) or type(error).__name__
    return Text(said, said)
