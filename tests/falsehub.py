"""A hub that answers with something else: its certificate is the right one, its answers are what a test says."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Thread
from typing import NamedTuple

from survey.store import Store
from survey.store.vault import read_secret
from survey.sync import pairing
from survey.sync.server import Listening
from tests.network import HOST

Answers = Callable[[ssl.SSLSocket, bytes], None]
"""Writes an answer on the line; told the body of the true hub's answer."""


class Between(NamedTuple):
    """Where it listens, and the names of the requests that came."""

    address: str
    asked: list[str]


@contextmanager
def between(hub: Store, true: Listening, wrong: Mapping[str, Answers]) -> Iterator[Between]:
    """A machine with the hub's certificate that hands every request on to the true one and its answer back, but what
    it grants of those in ``wrong``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    password = read_secret(hub.folder / pairing.PASSWORD).decode("ascii")
    context.load_cert_chain(hub.folder / pairing.CERTIFICATE, hub.folder / pairing.PRIVATE_KEY, password)
    asked: list[str] = []
    with socket.create_server((HOST, 0)) as listener:
        Thread(target=_accept, args=(listener, context, true, wrong, asked), daemon=True).start()
        try:
            yield Between(f"https://{HOST}:{listener.getsockname()[1]}", asked)
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def _accept(
    listener: socket.socket, context: ssl.SSLContext, true: Listening, wrong: Mapping[str, Answers], asked: list[str]
) -> None:
    with suppress(OSError):
        while True:
            plain, _ = listener.accept()
            Thread(target=_serve, args=(plain, context, true, wrong, asked), daemon=True).start()


def _serve(
    plain: socket.socket, context: ssl.SSLContext, true: Listening, wrong: Mapping[str, Answers], asked: list[str]
) -> None:
    # A client that hangs up in the middle is what most of these trials come to.
    with suppress(OSError), plain, context.wrap_socket(plain, server_side=True) as line:
        reader = line.makefile("rb")
        while first := reader.readline():
            method, path, _ = first.decode("ascii").split(" ")
            head = http.client.parse_headers(reader)
            body = reader.read(int(head.get("Content-Length", "0")))
            name = path.removeprefix("/v1/")
            asked.append(name)
            status, content = _ask(true, method, path, body, head.get("Authorization", ""))
            if name in wrong and status < 300:
                wrong[name](line, content)
                return
            line.sendall(f"HTTP/1.1 {status} Said\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content)


def _ask(true: Listening, method: str, path: str, body: bytes, token: str) -> tuple[int, bytes]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    line = http.client.HTTPSConnection(HOST, true.port, timeout=30, context=context)
    line.request(method, path, body or None, {"Authorization": token} if token else {})
    answer = line.getresponse()
    content = answer.read()
    line.close()
    return answer.status, content


def says(content: bytes, status: str = "200 OK", *headers: str) -> Answers:
    """These bytes, whole."""
    lines = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", *headers))
    return lambda line, true: line.sendall(lines.encode() + b"\r\n" + content)


def makes(change: Callable[[bytes], bytes]) -> Answers:
    """What a function makes of the true answer."""
    return lambda line, true: says(change(true))(line, true)


def raw(head: str, piece: bytes = b"", times: int = 0) -> Answers:
    """A head as it is, and a piece so many times over, or until the other side has had enough."""

    def answer(line: ssl.SSLSocket, true: bytes) -> None:
        line.sendall(head.encode() + b"\r\n\r\n")
        for _ in range(times):
            line.sendall(piece)

    return answer


def cut(line: ssl.SSLSocket, true: bytes) -> None:
    """Half of the true answer, and gone."""
    whole = true or b"x" * 100
    line.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(whole)}\r\n\r\n".encode() + whole[: len(whole) // 2])
