"""What answers in a hub's place, or a hub gone wrong: the person is told in a sentence, nothing counts as handed over
but what a receipt names, and the next exchange with the true hub brings everything over."""

from __future__ import annotations

import json
import socket
import ssl
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import IO, Any, NamedTuple

import pytest
from click.testing import CliRunner

from survey.cli import cli
from survey.errors import InputError, SurveyError, VerifyError
from survey.store import Store, current, receipts, verify
from survey.store.signed import write_signed
from survey.sync import bundle, client, exchange, line, reception, rounds, server
from survey.sync.keys import confirmed
from tests import falsehub, network
from tests.falsehub import Answers, cut, makes, raw, says
from tests.laptops import interview, stores
from tests.tried import tried

PAGE = "<!doctype html><title>Wi-Fi khách sạn</title><p>Mời đăng nhập…".encode()
DEEP = b"[" * 50_000


class Room(NamedTuple):
    """A laptop that is enrolled at a hub, and another hub that is nobody's."""

    device: Store
    hub: Store
    open: server.Listening
    other: Store


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    folder = tmp_path_factory.mktemp("room")
    with stores(
        Store.create(folder / "laptop", "device", name="laptop"),
        Store.create(folder / "hub", "hub", name="hub"),
        Store.create(folder / "other", "hub", name="other"),
    ) as (device, hub, other):
        network.round_of(hub)
        network.round_of(other)
        with network.listening(hub) as listening:
            network.join(device, hub, listening)
            exchange.sync(device, [network.address(listening)])
            yield Room(device, hub, listening, other)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "TRIES", 2)
    monkeypatch.setattr(line, "WAIT", 0.0)
    # A room's worth of trials within a minute, all from one address.
    for name in reception.RATES:
        monkeypatch.setitem(reception.RATES, name, (100_000, 60.0))


Came = tuple[SurveyError | exchange.Report, list[str]]
"""What came of an exchange, and which requests came to whoever answered."""


def in_place_of_the_hub(room: Room, wrong: dict[str, Answers]) -> Came:
    """An interview is made, and handed over to whoever answers ``wrong``; what came of it. Then to the true hub."""
    made = interview(room.device, f"u{len(current.interviews(room.device))}")
    came = handed_to(room, wrong)
    brought_to_the_true_hub(room, made)
    return came


def handed_to(room: Room, wrong: dict[str, Answers]) -> Came:
    """What comes of an exchange with whoever answers ``wrong``."""
    came: SurveyError | exchange.Report
    with falsehub.between(room.hub, room.open, wrong) as false:
        client.pin(room.device, replace(client.hubs(room.device)[0], address=false.address))
        try:
            came = exchange.sync(room.device, [false.address])
        except SurveyError as error:
            came = error
            told(error, false.address)
    counts_only_what_the_hub_holds(room)
    assert [file.name for file in room.device.folder.iterdir() if file.name.startswith(("up-", "down-"))] == []
    tried()
    return came, false.asked


def brought_to_the_true_hub(room: Room, made: str) -> None:
    """Whatever was answered in its place before."""
    assert exchange.sync(room.device, [network.address(room.open)]).problems == []
    assert receipts.conservation(room.device).pending == 0
    assert current.content(room.hub, made)["answers"] == {"q1": "4", "q2": "5"}


def told(error: SurveyError, address: str) -> None:
    """One sentence in both languages: where, what, what to do."""
    problem = error.problem
    assert problem.where == address
    for language in ("vi", "en"):
        assert problem.what(language)
        assert problem.todo(language)
        assert "\n" not in error(language)
        assert len(error(language)) < 500
    assert error("vi") != error("en")


def counts_only_what_the_hub_holds(room: Room) -> None:
    count = receipts.conservation(room.device)
    assert count.created == count.receipted + count.pending
    named = {
        id
        for (id,) in room.device.execute(
            "SELECT r.id FROM revisions r JOIN receipted s ON s.revision = r.number WHERE s.hub = ?", (room.hub.device,)
        )
    }
    assert named <= {id for (id,) in room.hub.execute("SELECT id FROM revisions")}
    assert room.device.value("SELECT count(*) FROM receipted WHERE hub <> ?", (room.hub.device,)) == 0


GARBAGE: dict[str, Answers] = {
    "a page": says(PAGE, "200 OK", "Content-Type: text/html"),
    "nothing": says(b""),
    "a redirect": says(b"", "302 Found", "Location: http://portal.example/login"),
    "a redirect to itself": says(PAGE, "307 Temporary Redirect", "Location: /v1/hello"),
    "a page of an error": says(PAGE, "403 Forbidden"),
    "words of another form": says(b'{"vi": 5, "en": []}', "403 Forbidden"),
    "204": raw("HTTP/1.1 204 No Content"),
    "cut JSON": says(b'{"v": 1, "hub": "d'),
    "a list": says(b"[]"),
    "null": says(b"null"),
    "a number": says(b"5"),
    "missing keys": says(b"{}"),
    "numbers": says(b'{"hub":1,"nonce":2,"age":3,"session":4,"receipt":5,"receipts":[6]}'),
    "half a character": says(json.dumps(dict.fromkeys(("hub", "nonce", "session", "receipts"), "\ud800")).encode()),
    "deeply nested": says(DEEP),
    "deeply nested in a key": says(b'{"hub":' + DEEP),
    "no text": says(bytes(range(256))),
    "no HTTP": raw("SSH-2.0-OpenSSH_9.2"),
    "no length": raw("HTTP/1.1 200 OK", b"x" * 65_536, 100_000),
    "chunks for ever": raw(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", b"10000\r\n" + b"x" * 65_536 + b"\r\n", 100_000
    ),
    "an enormous length": raw(f"HTTP/1.1 200 OK\r\nContent-Length: {1 << 40}", b"x" * 65_536, 100_000),
    "a negative length": raw("HTTP/1.1 200 OK\r\nContent-Length: -1", b"x" * 65_536, 100),
    "endless headers": raw("HTTP/1.1 200 OK\r\nX: " + "x" * 70_000, b"X: x\r\n", 10_000),
    "cut in the middle": cut,
}


@pytest.mark.parametrize("name", ["hello", "open", "give", "take", "receipts"])
def test_an_answer_that_no_hub_gives_is_told_and_nothing_counts_as_handed_over(room: Room, name: str):
    for what, answer in GARBAGE.items():
        made = interview(room.device, f"{name} {what}")
        came, asked = handed_to(room, {name: answer})
        if (name, what) == ("take", "204"):
            assert isinstance(came, exchange.Report), "with these very words a hub says that there is nothing"
            continue
        assert isinstance(came, InputError | VerifyError), what
        assert asked[-1] == name
    brought_to_the_true_hub(room, made)


@pytest.mark.parametrize("answer", ["no length", "chunks for ever", "an enormous length", "endless headers"])
def test_an_answer_without_an_end_is_not_read_into_memory(room: Room, answer: str):
    tracemalloc.start()
    try:
        in_place_of_the_hub(room, {"take": GARBAGE[answer]})
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 24 << 20


def hello(**changed: Any) -> Answers:
    return makes(lambda true: json.dumps({**json.loads(true), **changed}).encode())


@pytest.mark.parametrize(
    "changed",
    [
        {"age": "age1"},
        {"age": None},
        {"age": ["age1"]},
        {"nonce": "a\r\nX: y"},
        {"nonce": "é"},
        {"nonce": ""},
        {"hub": "d" * 10_000},
    ],
    ids=str,
)
def test_a_greeting_whose_texts_cannot_be_is_refused(room: Room, changed: dict[str, Any]):
    came, asked = in_place_of_the_hub(room, {"hello": hello(**changed)})
    assert isinstance(came, line.Strange)
    assert asked == ["hello"]


@pytest.mark.parametrize("session", ["a\r\nX-Other: b", "é", " ", "", None, 5, "x" * 10_000], ids=repr)
def test_a_session_that_would_write_headers_is_refused(room: Room, session: Any):
    came, asked = in_place_of_the_hub(room, {"open": hello(session=session)})
    assert isinstance(came, line.Strange)
    assert asked == ["hello", "open"]


def receipt(room: Room, of: str) -> Callable[[bytes], bytes]:
    """A receipt that is not the hub's for this laptop, made of the true one."""

    def make(true: bytes) -> bytes:
        if of == "another hub":
            return receipts.make_receipt(room.other)
        if of == "a flipped bit":
            return true[:200] + bytes([true[200] ^ 1]) + true[201:]
        if of == "a broken signature":
            first, second, rest = true.split(b"\n")
            signature = bytearray(bytes.fromhex(json.loads(second)["signature"]))
            signature[7] ^= 1
            return b"\n".join((first, json.dumps({"signature": signature.hex()}, separators=(",", ":")).encode(), rest))
        if of == "this laptop":
            statement = {**json.loads(true.split(b"\n")[0]), "hub": room.device.device}
            return write_signed({**statement, "public_key": room.device.key.public.hex()}, room.device.key)
        statement = json.loads(true.split(b"\n")[0])
        return write_signed({**statement, of: {"feeds": 5, "tier": "village", "v": 2}[of]}, room.hub.key)

    return make


BROKEN = ["another hub", "a flipped bit", "a broken signature", "this laptop", "feeds", "tier", "v"]


@pytest.mark.parametrize("of", BROKEN)
@pytest.mark.parametrize("name", ["open", "give", "receipts"])
def test_a_receipt_that_is_not_the_hubs_makes_nothing_safe(room: Room, name: str, of: str):
    make = receipt(room, of)

    def in_json(true: bytes) -> bytes:
        said = json.loads(true)
        if name == "open":
            said["receipt"] = make(bytes.fromhex(said["receipt"])).hex()
        else:
            said["receipts"] = [make(bytes.fromhex(one)).hex() for one in said["receipts"]]
        return json.dumps(said).encode()

    came, asked = in_place_of_the_hub(room, {name: makes(make if name == "give" else in_json)})
    assert isinstance(came, VerifyError)
    assert asked[-1] == name


def test_a_receipt_of_another_laptop_is_no_receipt_of_this_one(room: Room):
    def of_nobody(true: bytes) -> bytes:
        with Store.open(room.hub.folder) as hub:
            return receipts.make_receipt(hub, devices={"d" + "0" * 40})

    def in_json(true: bytes) -> bytes:
        return json.dumps({"receipts": [of_nobody(true).hex()]}).encode()

    came, _ = in_place_of_the_hub(room, {"give": makes(of_nobody), "receipts": makes(in_json)})
    assert isinstance(came, exchange.Report)
    assert came.given == 0
    (problem,) = came.problems
    assert "not confirmed" in problem("en")
    assert "chưa xác nhận" in problem("vi")


def bundle_of(store: Store) -> bytes:
    """A bundle that a machine signed."""
    folder = store.folder / "written"
    return bundle.write_bundle(store, folder, receipts.everything(store), plain=True).read_bytes()


BUNDLES: dict[str, Callable[[Room, bytes], bytes]] = {
    "none": lambda room, true: b"x" * 1_000,
    "a page": lambda room, true: PAGE,
    "cut": lambda room, true: true[:-10],
    "with something after it": lambda room, true: true + b"x",
    "a flipped bit": lambda room, true: true[:-20] + bytes([true[-20] ^ 1]) + true[-19:],
    "another hub's": lambda room, true: bundle_of(room.other),
    "the laptop's own": lambda room, true: bundle_of(room.device),
    "a first line for ever": lambda room, true: b"x" * (2 << 20),
}


@pytest.mark.parametrize("kind", BUNDLES)
def test_what_comes_down_and_is_no_bundle_of_the_hub_is_not_taken(room: Room, kind: str):
    held = room.device.value("SELECT count(*) FROM revisions")
    rounds.issue_round(room.hub, {"id": "r2026", "title": {"vi": f"Đợt {kind}", "en": kind}})
    came, _ = in_place_of_the_hub(room, {"take": makes(lambda true: BUNDLES[kind](room, true))})
    assert isinstance(came, VerifyError)
    assert room.device.value("SELECT count(*) FROM revisions") > held, "the true hub brought the round"
    assert verify.verify(room.device).problems == []


TRUE = makes(lambda true: true)


def once(wrong: Answers, then: Answers = TRUE) -> Answers:
    """Something else at the first request, and from then on ``then``."""
    first = iter([wrong])
    return lambda line, true: next(first, then)(line, true)


NOTHING = raw("HTTP/1.1 204 No Content")


def silent(line: ssl.SSLSocket, true: bytes) -> None:
    """Hangs up."""


@pytest.mark.parametrize("name", ["hello", "open", "give", "take", "receipts"])
@pytest.mark.parametrize("how", [cut, silent])
def test_an_answer_that_was_lost_on_the_line_is_asked_for_again(room: Room, name: str, how: Answers):
    came, asked = in_place_of_the_hub(room, {name: once(how, NOTHING) if name == "take" else once(how)})
    assert isinstance(came, exchange.Report)
    assert came.problems == []
    assert asked.count(name) > 1


TRICKLES = {
    "a head": (b"HTTP/1.1 200 OK\r\n", b"X"),
    "100 Continue for ever": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a body": (b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n", b"x"),
}


@pytest.mark.parametrize("kind", TRICKLES)
def test_an_answer_that_trickles_is_given_up(room: Room, kind: str, monkeypatch: pytest.MonkeyPatch):
    really, gone = line.Talk._once, Event()

    def impatient(self: line.Talk, name: str, body: bytes | Path | None, to: IO[bytes]) -> bool:
        for limit in ("PATIENCE", "TIMEOUT"):
            monkeypatch.setattr(line, limit, 0.5 if name == "give" else 60.0)
        return really(self, name, body, to)

    def trickle(to: ssl.SSLSocket, true: bytes) -> None:
        begin, piece = TRICKLES[kind]
        to.sendall(begin)
        while not gone.wait(0.05):
            to.sendall(piece)

    monkeypatch.setattr(line.Talk, "_once", impatient)
    try:
        came, _ = in_place_of_the_hub(room, {"give": trickle})
    finally:
        gone.set()
    assert isinstance(came, line.Unreachable)


def test_a_session_that_the_hub_has_forgotten_is_opened_again(room: Room, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(client, "FIRST", 8_192)
    monkeypatch.setattr(client, "LARGEST", 8_192)
    for number in range(30):
        interview(room.device, f"v{number}")

    def forget(true: bytes) -> bytes:
        room.open.reception._sessions.clear()
        return true

    came, asked = in_place_of_the_hub(room, {"give": makes(forget)})
    assert isinstance(came, exchange.Report)
    assert came.problems == []
    assert asked.count("open") > 2


def test_a_machine_with_another_certificate_or_none_is_told_from_the_hub(room: Room):
    interview(room.device, "of nobody")
    pinned = client.hubs(room.device)[0]
    with network.listening(room.other) as other, falsehub.between(room.other, other, {}) as false:
        client.pin(room.device, replace(pinned, address=false.address))
        with pytest.raises(line.Stranger) as error:
            exchange.sync(room.device, [false.address])
        assert false.asked == []
    told(error.value, false.address)
    with socket.create_server((network.HOST, 0)) as portal:
        address = f"https://{network.HOST}:{portal.getsockname()[1]}"
        client.pin(room.device, replace(pinned, address=address))
        Thread(target=plain_portal, args=(portal,), daemon=True).start()
        with pytest.raises(line.Unreachable, match="no TLS") as unreachable:
            exchange.sync(room.device, [address])
        portal.shutdown(socket.SHUT_RDWR)
    told(unreachable.value, address)
    assert receipts.conservation(room.device).pending == 1
    assert exchange.sync(room.device, [network.address(room.open)]).problems == []
    assert receipts.conservation(room.device).pending == 0


def plain_portal(listener: socket.socket) -> None:
    """Answers whatever comes with a page, without TLS, as the Wi-Fi of a hotel does."""
    with suppress(OSError):
        while True:
            visitor, _ = listener.accept()
            with visitor:
                visitor.recv(65_536)
                visitor.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" + PAGE)


@pytest.mark.parametrize("name", ["hello", "enrol"])
def test_whoever_answers_an_enrolment_in_the_hubs_place_is_neither_pinned_nor_believed(
    room: Room, tmp_path: Path, name: str
):
    with Store.create(tmp_path / "new", "device", name="new") as newcomer:
        for answer in GARBAGE.values():
            with falsehub.between(room.hub, room.open, {name: answer}) as false:
                with pytest.raises((InputError, VerifyError)) as error:
                    client.enrol(newcomer, false.address, network.invited(room.hub))
                told(error.value, false.address)
            assert client.hubs(newcomer) == []
            assert confirmed(newcomer) == set()
            tried()
        network.join(newcomer, room.hub, room.open)
        assert exchange.sync(newcomer, [network.address(room.open)]).problems == []


@pytest.mark.parametrize("name", ["hello", "enrol"])
def test_an_enrolment_whose_answer_was_lost_is_finished_with_the_same_code(room: Room, tmp_path: Path, name: str):
    with Store.create(tmp_path / "new", "device") as store:
        with falsehub.between(room.hub, room.open, {name: once(cut)}) as false:
            client.enrol(store, false.address, network.invited(room.hub))
        interview(store)
        client.pin(store, replace(client.hubs(store)[0], address=network.address(room.open)))
        assert exchange.sync(store, [network.address(room.open)]).problems == []


def test_the_command_line_says_it_in_one_line_of_either_language(room: Room, monkeypatch: pytest.MonkeyPatch):
    pinned = client.hubs(room.device)[0]
    for language, word in (("vi", "Wi-Fi khách sạn"), ("en", "a hotel's Wi-Fi")):
        monkeypatch.setenv("SURVEY_LANG", language)
        with falsehub.between(room.hub, room.open, {"hello": GARBAGE["a page"]}) as false:
            client.pin(room.device, replace(pinned, address=false.address))
            arguments = ["--instance", str(room.device.folder), "sync", false.address]
            result = CliRunner().invoke(cli, arguments)
        assert result.exit_code != 0
        assert word in result.output
        assert false.address in result.output
        assert "Traceback" not in result.output
        assert not (room.device.folder / "error.log").exists()
