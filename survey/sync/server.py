"""Serving :mod:`survey.sync.reception` over TLS with cheroot, to whoever can reach the address, cutting off the slow.

The TLS handshake is done by the thread that serves the connection, never by the one that accepts: a client that opens
connections and says nothing keeps nobody else out.
"""

from __future__ import annotations

import errno
import logging
import socket
import ssl
import time
from pathlib import Path
from threading import Lock, Thread, local

from cheroot import wsgi
from cheroot.server import HTTPConnection
from cheroot.ssl.builtin import BuiltinSSLAdapter

from survey.errors import InputError
from survey.store import vault
from survey.sync import pairing
from survey.sync.reception import LARGEST, Reception
from survey.text import Text

THREADS = 24
HEADER_SECONDS = 15.0
"""How long a connection may take for the handshake and the head of a request."""

_LOG = logging.getLogger(__name__)


class _Adapter(BuiltinSSLAdapter):
    """TLS 1.3 alone, the handshake left to the connection's own thread."""

    def __init__(self, certificate: str, private_key: str, password: str):
        super().__init__(certificate, private_key, private_key_password=password)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_3

    def wrap(self, sock: socket.socket) -> tuple[ssl.SSLSocket, dict[str, str]]:
        wrapped = self.context.wrap_socket(sock, do_handshake_on_connect=False, server_side=True)
        return wrapped, {"wsgi.url_scheme": "https", "HTTPS": "on"}


class _Connection(HTTPConnection):
    """A connection that is cut when one request takes longer than it may."""

    shaken = False

    def communicate(self) -> bool:
        watch: _Watch = self.server.watch
        watch.begin(self.socket)
        try:
            if not self.shaken:
                self.socket.do_handshake()
                self.shaken = True
            return bool(super().communicate())
        except (OSError, ValueError):
            return False
        finally:
            watch.end(self.socket)


class _Watch(Thread):
    """Shuts the socket of every request whose time is over."""

    def __init__(self) -> None:
        super().__init__(daemon=True, name="slow clients")
        self._until: dict[socket.socket, float] = {}
        self._lock = Lock()
        self._mine = local()
        self.going = True

    def begin(self, sock: socket.socket) -> None:
        self._mine.sock = sock
        with self._lock:
            self._until[sock] = time.monotonic() + HEADER_SECONDS

    def allow(self, seconds: float) -> None:
        """Gives the request of this thread so many seconds from now."""
        with self._lock:
            if self._mine.sock in self._until:
                self._until[self._mine.sock] = time.monotonic() + seconds

    def end(self, sock: socket.socket) -> None:
        with self._lock:
            self._until.pop(sock, None)

    def run(self) -> None:
        while self.going:
            time.sleep(0.5)
            now = time.monotonic()
            with self._lock:
                late = [sock for sock, until in self._until.items() if until < now]
                for sock in late:
                    try:
                        # Of the socket underneath: an orderly goodbye in TLS would wait for the client again.
                        socket.socket.shutdown(sock, socket.SHUT_RDWR)
                    except OSError:
                        _LOG.debug("a slow client had gone already")


class _Server(wsgi.Server):
    """cheroot's server that says nothing on the terminal: what strangers send belongs into no terminal."""

    def __init__(self, address: tuple[str, int], reception: Reception, watch: _Watch):
        super().__init__(address, reception, numthreads=THREADS, request_queue_size=256, timeout=20)
        self.watch = watch

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        _LOG.log(level, msg, exc_info=traceback)


class Listening:
    """A hub that listens. Made by :func:`listen`; :meth:`stop` ends it."""

    def __init__(self, server: _Server, watch: _Watch, reception: Reception):
        self._server = server
        self._watch = watch
        self.reception = reception
        self.port: int = server.bind_addr[1]
        self.host: str = server.bind_addr[0]
        self._thread = Thread(target=self._serve, daemon=True, name="hub")
        self._watch.start()
        self._thread.start()

    def _serve(self) -> None:
        self._server.serve()

    def stop(self) -> None:
        """Stops listening; requests under way are given a moment to end."""
        self._watch.going = False
        self._server.stop()
        self._thread.join(timeout=10)
        self._watch.join(timeout=5)


def listen(reception: Reception, folder: Path, hub: str, host: str, port: int) -> Listening:
    """Listens on ``host:port`` over TLS with the hub's own certificate. InputError when the port is taken.

    ``reception.fingerprint`` must be that certificate's: :func:`survey.sync.pairing.ensure_certificate`.
    """
    pairing.ensure_certificate(folder, hub)
    watch = _Watch()
    server = _Server((host, port), reception, watch)
    server.ssl_adapter = _Adapter(
        str(folder / pairing.CERTIFICATE),
        str(folder / pairing.PRIVATE_KEY),
        vault.read_secret(folder / pairing.PASSWORD).decode("ascii"),
    )
    server.max_request_header_size = 16 << 10
    server.max_request_body_size = LARGEST
    server.server_name = "survey"
    server.ConnectionClass = _Connection
    # On Windows this option would let a second program take the port from the first.
    server.reuse_port = False
    reception.allow = watch.allow
    try:
        server.prepare()
    except OSError as error:
        if server.socket is not None:
            server.socket.close()
        raise InputError(
            f"{host}:{port}",
            Text("không mở được địa chỉ này để nhận phiếu", f"cannot listen here ({error.strerror or error})"),
            Text(
                "có thể chương trình đã mở sẵn; hoặc chọn cổng khác (hub_port trong config.toml)",
                "the program may already listen; or choose another port (hub_port in config.toml)",
            ),
        ) from error
    return Listening(server, watch, reception)


def addresses() -> list[str]:
    """The addresses under which other machines of the room may reach this one, likeliest first."""
    found = []
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        # Nothing is sent: this only asks which way out the system would take.
        probe.connect(("192.0.2.1", 9))
        found.append(str(probe.getsockname()[0]))
    except OSError as error:
        if error.errno not in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL):
            _LOG.debug("no way out: %s", error)
    finally:
        probe.close()
    try:
        for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET):
            found.append(str(info[4][0]))
    except OSError:
        _LOG.debug("this machine's name has no address")
    return [address for address in dict.fromkeys(found) if not address.startswith("127.")]
