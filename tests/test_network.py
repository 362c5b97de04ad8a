"""Exchange over HTTPS: real TLS on this machine's own address, real stores, nothing in between."""

from __future__ import annotations

import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from survey.errors import InputError, VerifyError
from survey.store import Store, current, drafts, feed, files, frame, invitations, receipts, scope, verify
from survey.store.header import hash_text
from survey.store.whereabouts import whereabouts
from survey.sync import client, exchange, line, pairing, reception, rounds, server
from survey.text import Text
from survey.web import uploads
from tests import laptops, network
from tests.laptops import interview, stores
from tests.tried import tried


@pytest.fixture
def open_hub(hub: Store) -> Iterator[server.Listening]:
    network.round_of(hub)
    with network.listening(hub) as listening:
        yield listening


def test_a_laptop_joins_by_code_hands_over_and_holds_a_receipt(device: Store, hub: Store, open_hub: server.Listening):
    network.join(device, hub, open_hub)
    made = interview(device)
    report = exchange.sync(device, [network.address(open_hub)])
    assert report.given == 1
    assert report.receipt
    assert receipts.safe_at(device, made) == ["device", "supervisor"]
    assert receipts.conservation(device).pending == 0
    assert current.content(hub, made)["answers"] == {"q1": "4", "q2": "5"}
    assert rounds.is_enrolled(device, frame.document(device, "device", device.device) or {})
    for store in (device, hub):
        assert verify.verify(store).problems == []


def test_what_a_crash_left_of_chunks_goes_with_the_next_exchange_and_what_is_on_its_way_stays(
    device: Store, hub: Store, open_hub: server.Listening
):
    network.join(device, hub, open_hub)
    long_ago = time.time() - 7200
    for store in (device, hub):
        for name in ("up-abcdefgh", "down-ab12_xyz", "up-underway", "up-other-name"):
            (store.folder / name).mkdir()
            (store.folder / name / "chunk.bundle").write_bytes(b"x")
        for name in ("up-abcdefgh", "down-ab12_xyz", "up-other-name"):
            os.utime(store.folder / name, (long_ago, long_ago))
    exchange.sync(device, [network.address(open_hub)])
    for store in (device, hub):
        left = {file.name for file in store.folder.iterdir() if file.name.startswith(("up-", "down-"))}
        assert left == {"up-underway", "up-other-name"}


def test_the_exchange_brings_decisions_and_documents_down_too(device: Store, hub: Store, open_hub: server.Listening):
    network.join(device, hub, open_hub)
    made = interview(device)
    exchange.sync(device, [network.address(open_hub)])
    current.decide(hub, made, "returned", reason="Hỏi lại câu 2")
    frame.issue(hub, "unit", "u9", {"id": "u9", "round": "r2026", "assignee": "phoa"}, {"name": "Ơn"})
    exchange.sync(device, [network.address(open_hub)])
    assert current.decisions(device, made)[0]["reason"] == "Hỏi lại câu 2"
    assert frame.contact(device, "unit", "u9") == {"name": "Ơn"}
    again = exchange.sync(device, [network.address(open_hub)])
    assert (again.new, again.given, again.late_parts) == (0, 0, 0)


def test_another_laptops_content_is_withheld_and_its_headers_come(
    tmp_path: Path, device: Store, hub: Store, open_hub: server.Listening
):
    frame.issue(hub, "user", "phoa", {"id": "phoa", "roles": ["enumerator"]})
    frame.issue(hub, "user", "plan", {"id": "plan", "roles": ["enumerator"]})
    for unit, who in (("u1", "phoa"), ("u2", "plan")):
        frame.issue(hub, "unit", unit, {"id": unit, "round": "r2026", "assignee": who}, {"name": who})
    with stores(Store.create(tmp_path / "second")) as (second,):
        network.join(device, hub, open_hub, ["phoa"])
        network.join(second, hub, open_hub, ["plan"])
        hoas = interview(device, "u1", actor="phoa")
        for store in (device, second):
            exchange.sync(store, [network.address(open_hub)])
        head = current.interviews(hub, interview=hoas)[0]["head"]
        assert feed.header(second, head) is not None
        assert feed.part(second, head, "answers") is None
        assert feed.part(second, head, "contact") is None
        assert frame.contact(second, "unit", "u1") == {}
        assert frame.contact(second, "unit", "u2") == {"name": "plan"}
        assert whereabouts(second)["device"] == 0
        assert verify.verify(second).problems == []
        # The unit changes hands, and what was withheld is now its new enumerator's to have.
        frame.issue(hub, "unit", "u1", {"id": "u1", "round": "r2026", "assignee": "plan"}, {"name": "phoa"})
        exchange.sync(second, [network.address(open_hub)])
        exchange.sync(second, [network.address(open_hub)])
        assert feed.part(second, head, "answers") is not None


def test_a_lost_answer_after_the_commit_is_harmless(
    device: Store, hub: Store, open_hub: server.Listening, monkeypatch: pytest.MonkeyPatch
):
    network.join(device, hub, open_hub)
    for number in range(5):
        interview(device, f"u{number}")
    really = reception.Reception._give
    lost = []

    def lose_the_first(self, session, file):  # the hub commits; the line dies before the answer is out
        answer = really(self, session, file)
        if not lost:
            lost.append(file)
            raise OSError("the line was cut")
        return answer

    monkeypatch.setattr(reception.Reception, "_give", lose_the_first)
    report = exchange.sync(device, [network.address(open_hub)])
    assert lost
    assert receipts.conservation(device).pending == 0
    assert report.problems == []
    assert len(current.interviews(hub)) == 5


def test_a_cut_costs_one_chunk(device: Store, hub: Store, open_hub: server.Listening, monkeypatch: pytest.MonkeyPatch):
    network.join(device, hub, open_hub)
    for number in range(30):
        interview(device, f"u{number}")
    monkeypatch.setattr(client, "FIRST", 8_192)
    monkeypatch.setattr(client, "LARGEST", 8_192)
    really = line.Talk.once
    given = []

    def cut_at_the_third(self, name, body=None):
        if name == "give":
            given.append(body)
            if len(given) > 2:
                raise line.Cut(Text("bị cắt", "cut"))
        return really(self, name, body)

    monkeypatch.setattr(line.Talk, "once", cut_at_the_third)
    monkeypatch.setattr(line, "TRIES", 2)
    with pytest.raises(InputError, match="cannot be reached"):
        exchange.sync(device, [network.address(open_hub)])
    held = len(current.interviews(hub))
    assert 0 < held < 30
    # What was confirmed before the cut is not sent again.
    assert receipts.conservation(device).receipted >= held
    monkeypatch.setattr(line.Talk, "once", really)
    exchange.sync(device, [network.address(open_hub)])
    assert len(current.interviews(hub)) == 30
    assert receipts.conservation(device).pending == 0


def test_an_interview_with_long_recordings_goes_up_and_comes_down_in_one_piece(
    tmp_path: Path, device: Store, hub: Store, open_hub: server.Listening
):
    frame.issue(hub, "user", "phoa", {"id": "phoa", "roles": ["enumerator"]})
    network.join(device, hub, open_hub, ["phoa"])
    made = drafts.start(device, "u1", laptops.FORM, "phoa")
    recordings = [os.urandom(uploads.LARGEST), os.urandom(uploads.LARGEST - 1)]
    for content in recordings:
        files.put(device, made, content)
    answers: drafts.Answers = {f"said{n}": files.name_of(content, "wav") for n, content in enumerate(recordings)}
    drafts.seal(device, made, answers, {}, {}, {}, "phoa")
    after = interview(device, "u2")
    assert exchange.sync(device, [network.address(open_hub)]).problems == []
    assert receipts.conservation(device).pending == 0
    assert current.content(hub, after)["answers"] == {"q1": "4", "q2": "5"}
    head = current.interviews(hub, interview=made)[0]["head"]
    for content in recordings:
        assert feed.part(hub, head, hash_text(content)) == content
    current.decide(hub, made, "returned", reason="Nghe lại")
    with stores(Store.create(tmp_path / "second")) as (second,):
        network.join(second, hub, open_hub, ["phoa"])
        frame.issue(hub, "unit", "u1", {"id": "u1", "round": "r2026", "assignee": "phoa"}, {})
        exchange.sync(second, [network.address(open_hub)])
        assert feed.part(second, head, hash_text(recordings[0])) == recordings[0]


def test_a_hub_is_not_enrolled_at_itself(hub: Store, open_hub: server.Listening):
    with pytest.raises(InputError, match="this very machine"):
        network.join(hub, hub, open_hub)
    assert client.hubs(hub) == []


def test_a_code_lets_one_laptop_in_once(tmp_path: Path, device: Store, hub: Store, open_hub: server.Listening):
    code = network.invited(hub)
    client.enrol(device, network.address(open_hub), code.lower().replace("-", " "))
    with stores(Store.create(tmp_path / "second")) as (second,), pytest.raises(InputError, match="wrong, used or over"):
        client.enrol(second, network.address(open_hub), code)


def test_a_wrong_code_is_over_after_five_tries_even_when_the_right_one_comes(
    device: Store, hub: Store, open_hub: server.Listening
):
    code = network.invited(hub)
    wrong = code[:-1] + ("2" if code[-1] != "2" else "3")
    for typed in [wrong] * 5 + [code]:
        with pytest.raises(InputError, match="wrong, used or over"):
            client.enrol(device, network.address(open_hub), typed)
    assert client.hubs(device) == []


def test_codes_cannot_be_tried_without_end(
    device: Store, hub: Store, open_hub: server.Listening, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(reception.RATES, "enrol", (2, 60.0))
    monkeypatch.setattr(line, "TRIES", 1)
    for _ in range(2):
        with pytest.raises(InputError, match="wrong, used or over"):
            client.enrol(device, network.address(open_hub), "AAAA-AAAA-AAAA")
    with pytest.raises(InputError, match="429"):
        client.enrol(device, network.address(open_hub), "AAAA-AAAA-AAAA")


def test_somebody_in_between_with_another_certificate_gets_neither_code_nor_data(
    tmp_path: Path, device: Store, hub: Store, open_hub: server.Listening
):
    with stores(Store.create(tmp_path / "false", "hub")) as (false,), network.listening(false) as between:
        network.round_of(false)
        # It has another key than the code's, whatever it answers.
        network.invited(false)
        with pytest.raises(InputError):
            client.enrol(device, network.address(between), network.invited(hub))
        network.join(device, hub, open_hub)
        known = client.hubs(device)[0]
        client.pin(device, client.Hub(network.address(between), known.hub, known.fingerprint))
        interview(device)
        with pytest.raises(VerifyError, match="another certificate"):
            exchange.sync(device, [network.address(between)])
        assert current.interviews(false) == []


def test_a_hub_that_lets_in_without_knowing_the_code_is_found_out(
    device: Store, hub: Store, open_hub: server.Listening, monkeypatch: pytest.MonkeyPatch
):
    code = network.invited(hub)
    monkeypatch.setattr(invitations, "key_for", lambda store, id, now: b"k" * 32)
    monkeypatch.setattr(reception, "compare_digest", lambda shown, right: True)
    with pytest.raises(VerifyError, match="does not know the code"):
        client.enrol(device, network.address(open_hub), code)
    assert client.hubs(device) == []


def test_a_revoked_laptop_is_refused_and_keeps_its_interviews(device: Store, hub: Store, open_hub: server.Listening):
    network.join(device, hub, open_hub)
    exchange.sync(device, [network.address(open_hub)])
    rounds.revoke(hub, frame.document(hub, "device", device.device) or {}, "lost")
    interview(device)
    with pytest.raises(InputError, match="revoked"):
        exchange.sync(device, [network.address(open_hub)])
    assert current.interviews(hub) == []
    assert receipts.conservation(device).pending == 1


def test_a_laptop_that_is_revoked_while_it_exchanges_gets_and_gives_nothing_more(
    device: Store, hub: Store, open_hub: server.Listening, monkeypatch: pytest.MonkeyPatch
):
    network.join(device, hub, open_hub)
    interview(device)
    really = reception.Reception._open

    def revoke_then(self, body):
        answer = really(self, body)
        rounds.revoke(hub, frame.document(hub, "device", device.device) or {}, "stolen")
        return answer

    monkeypatch.setattr(reception.Reception, "_open", revoke_then)
    with pytest.raises(InputError, match="revoked"):
        exchange.sync(device, [network.address(open_hub)])
    assert current.interviews(hub) == []


def test_a_laptop_cannot_take_its_revocation_back(
    tmp_path: Path, device: Store, hub: Store, open_hub: server.Listening
):
    network.join(device, hub, open_hub)
    exchange.sync(device, [network.address(open_hub)])
    enrolled = frame.document(device, "device", device.device) or {}
    rounds.revoke(hub, frame.document(hub, "device", device.device) or {}, "stolen")
    for way in ("without knowing of it", "knowing of it"):
        # It writes down about itself what stood there before, and somebody carries its stick to the hub.
        frame.issue(device, "device", device.device, {**enrolled, "name": way})
        interview(device, way)
        exchange.export(device, tmp_path / "up", plain=True)
        exchange.sync(hub, [tmp_path / "up"])
        for said in (
            frame.document(hub, "device", device.device) or {},
            *(one for one in frame.devices(hub) if one["id"] == device.device),
        ):
            assert (said["revoked"], rounds.is_enrolled(hub, said)) == ("stolen", False)
        with pytest.raises(InputError, match="revoked"):
            exchange.sync(device, [network.address(open_hub)])
        exchange.export(hub, tmp_path / "down", plain=True)
        exchange.sync(device, [tmp_path / "down"])
    (late,) = [found for found in current.findings(hub) if found.kind == "late"]
    assert "(2 interviews undecided)" in late.what("en")
    # Whom the hub enrols again is enrolled again.
    rounds.enrol(hub, frame.document(hub, "device", device.device) or {})
    assert exchange.sync(device, [network.address(open_hub)]).problems == []
    assert verify.verify(hub).problems == []


@pytest.mark.parametrize("about", [{"people": []}, {"role": "hub"}, {"role": "hub", "tier": "ministry"}], ids=str)
def test_a_laptop_cannot_say_that_it_is_a_hub_or_whose_it_is(
    device: Store, hub: Store, open_hub: server.Listening, about: dict[str, object]
):
    frame.issue(hub, "user", "phoa", {"id": "phoa", "roles": ["enumerator"]})
    frame.issue(hub, "unit", "u2", {"id": "u2", "round": "r2026", "assignee": "plan"}, {"name": "Vũ Thị Lan"})
    network.join(device, hub, open_hub, ["phoa"])
    frame.issue(device, "device", device.device, {**(frame.document(device, "device", device.device) or {}), **about})
    for _ in range(3):
        exchange.sync(device, [network.address(open_hub)])
    assert frame.contact(device, "unit", "u2") == {}
    its = scope.Scope(hub, device.device)
    assert (its.is_hub, its.named) == (False, ["phoa"])


def test_about_a_machine_another_laptop_decides_nothing(
    tmp_path: Path, device: Store, hub: Store, open_hub: server.Listening
):
    with stores(Store.create(tmp_path / "second")) as (second,):
        network.join(device, hub, open_hub)
        network.join(second, hub, open_hub)
        exchange.sync(second, [network.address(open_hub)])
        before = frame.document(second, "device", device.device) or {}
        rounds.revoke(hub, frame.document(hub, "device", device.device) or {}, "stolen")
        frame.issue(second, "device", device.device, {**before, "name": "x"})
        exchange.sync(second, [network.address(open_hub)])
        with pytest.raises(InputError, match="revoked"):
            exchange.sync(device, [network.address(open_hub)])


def test_who_never_joined_is_told_how(device: Store, hub: Store, open_hub: server.Listening):
    with pytest.raises(InputError, match="survey device join"):
        exchange.sync(device, [network.address(open_hub)])
    client.pin(device, client.Hub(network.address(open_hub), hub.device, open_hub.reception.fingerprint))
    with pytest.raises(InputError, match="not enrolled"):
        exchange.sync(device, [network.address(open_hub)])


def talk(listening: server.Listening) -> Callable[[bytes], bytes]:
    """Says bytes to a hub and reads all of its answer, as a stranger does."""

    def say(content: bytes) -> bytes:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with (
            socket.create_connection((network.HOST, listening.port), timeout=10) as plain,
            context.wrap_socket(plain) as line,
        ):
            line.sendall(content)
            answer = b""
            while more := line.recv(65_536):
                answer += more
            return answer

    return say


@pytest.mark.parametrize(
    "path", ["/", "/today", "/sign-in", "/static/survey.css", "/v1/", "/v1/give/../hello", "/receive"]
)
def test_no_page_of_people_is_open_to_the_network(open_hub: server.Listening, path: str):
    answer = talk(open_hub)(f"GET {path} HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 404")
    assert b"<" not in answer


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("open", b"{}", b"422"),
        ("enrol", b"\xff\n\xff\n", b"422"),
        ("give", b"x", b"401"),
        ("take", b"{}", b"401"),
    ],
)
def test_strangers_are_refused_in_words(open_hub: server.Listening, name: str, body: bytes, status: bytes):
    head = f"POST /v1/{name} HTTP/1.1\r\nHost: hub\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    assert talk(open_hub)(head.encode() + body).split(b" ")[1] == status


@pytest.mark.parametrize(("name", "size"), [("give", 99_999_999_999), ("open", reception.LARGEST_UNKNOWN + 1)])
def test_a_body_beyond_all_bounds_is_refused_before_it_is_sent(open_hub: server.Listening, name: str, size: int):
    head = f"POST /v1/{name} HTTP/1.1\r\nHost: hub\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n"
    assert talk(open_hub)(head.encode()).split(b" ")[1] == b"413"


def test_a_slow_client_is_cut_off_and_keeps_nobody_else_out(
    device: Store, hub: Store, open_hub: server.Listening, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(server, "HEADER_SECONDS", 1.0)
    silent = [socket.create_connection((network.HOST, open_hub.port), timeout=30) for _ in range(10)]
    try:
        network.join(device, hub, open_hub)
        interview(device)
        assert exchange.sync(device, [network.address(open_hub)]).given > 0
        # The hub hangs up on each, though none has sent a byte.
        assert [line.recv(1) for line in silent] == [b""] * 10
        tried(len(silent))
    finally:
        for line in silent:
            line.close()


def test_plain_http_and_old_tls_get_nothing(open_hub: server.Listening):
    with socket.create_connection((network.HOST, open_hub.port), timeout=10) as plain:
        plain.sendall(b"GET /v1/hello HTTP/1.1\r\nHost: hub\r\n\r\n")
        assert b"nonce" not in plain.recv(4_096)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection((network.HOST, open_hub.port), timeout=10) as plain, pytest.raises(ssl.SSLError):
        context.wrap_socket(plain)


def test_supervisor_province_and_ministry_are_the_same_operation(tmp_path: Path, device: Store, hub: Store):
    with (
        stores(
            Store.create(tmp_path / "province", "hub", tier="province"),
            Store.create(tmp_path / "ministry", "hub", tier="ministry"),
        ) as (province, ministry),
    ):
        network.round_of(hub)
        network.round_of(province)
        network.round_of(ministry)
        with (
            network.listening(hub) as first,
            network.listening(province) as second,
            network.listening(ministry) as third,
        ):
            network.join(device, hub, first)
            network.join(hub, province, second)
            network.join(province, ministry, third)
            made = interview(device)
            for store, to in ((device, first), (hub, second), (province, third), (hub, second), (device, first)):
                exchange.sync(store, [network.address(to)])
        assert receipts.safe_at(device, made) == ["device", "supervisor", "province", "ministry"]
        assert [whereabouts(store)["device"] for store in (hub, province, ministry)] == [1, 1, 1]
        for store in (device, hub, province, ministry):
            assert verify.verify(store).problems == []


def test_a_restored_laptop_opens_a_new_epoch_by_itself(
    tmp_path: Path, device: Store, hub: Store, open_hub: server.Listening
):
    network.join(device, hub, open_hub)
    backup = laptops.clone(device, tmp_path / "backup")
    made = interview(device)
    exchange.sync(device, [network.address(open_hub)])
    with stores(backup) as (restored,):
        before = restored.epoch
        exchange.sync(restored, [network.address(open_hub)])
        assert restored.epoch != before
        assert current.content(restored, made)["answers"]


def test_a_restored_laptop_with_an_open_interview_is_not_taken_for_a_copied_disk(
    tmp_path: Path, device: Store, hub: Store, open_hub: server.Listening
):
    network.join(device, hub, open_hub)
    draft = drafts.start(device, "u2", laptops.FORM, "phoa")
    drafts.save(device, draft, {"q1": "3"})
    backup = laptops.clone(device, tmp_path / "backup")
    interview(device)
    exchange.sync(device, [network.address(open_hub)])
    with stores(backup) as (restored,):
        # It knows nothing yet of what it wrote after the backup: the open interview must not take that number.
        exchange.sync(restored, [network.address(open_hub)])
        assert drafts.answers(restored, draft) == {"q1": "3"}
        assert receipts.conservation(restored).pending == 0
    assert "forked" not in [found.kind for found in current.findings(hub)]
    assert verify.verify(hub).problems == []


def test_the_address_of_a_hub_is_understood_as_people_type_it():
    assert line.split("192.168.1.20") == ("192.168.1.20", pairing.PORT)
    assert line.split("https://hub.example.vn:8443/") == ("hub.example.vn", 8443)
    assert line.split("[2001:DB8::1]") == ("2001:db8::1", pairing.PORT)
    assert line.split(line.Talk("[2001:db8::1]:8452", "").address) == ("2001:db8::1", 8452)
    for typed in (
        "",
        "http://hub",
        "https://",
        "https://a:b",
        "ftp://hub",
        "https://hub/page",
        "https://me@hub",
        "a..b",
        "a b",
    ):
        with pytest.raises(InputError):
            line.split(typed)


def test_of_several_addresses_the_one_where_the_hub_is_counts(
    tmp_path: Path, device: Store, hub: Store, open_hub: server.Listening, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(line, "TRIES", 1)
    certificate = open_hub.reception.fingerprint
    with stores(Store.create(tmp_path / "false", "hub")) as (false,), network.listening(false) as another:
        places = ("127.0.0.1:1", network.address(another), network.address(open_hub))
        found = client.join(device, pairing.Invited(places, network.invited(hub), certificate))
        assert found.address == network.address(open_hub)
        with pytest.raises(VerifyError, match="another certificate"):
            client.join(device, pairing.Invited(places[:2], network.invited(hub), certificate))


@pytest.mark.parametrize("content", [b"", b"[", b"[1]", b'[{"address": "https://a b", "hub": "", "fingerprint": ""}]'])
def test_a_list_of_hubs_that_a_power_cut_left_damaged_is_told_as_not_enrolled(
    device: Store, hub: Store, open_hub: server.Listening, content: bytes
):
    network.join(device, hub, open_hub)
    (device.folder / client.HUBS).write_bytes(content)
    with pytest.raises(InputError, match="not enrolled"):
        exchange.sync(device, [network.address(open_hub)])
    network.join(device, hub, open_hub)
    assert exchange.sync(device, [network.address(open_hub)]).problems == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"[" * 50_000,
        '{"hubs": ["a"], "code": "K7Q2-MHWP-R5TN", "certificate": "é"}'.encode(),
        b'{"hubs": "192.168.1.20", "code": "K7Q2-MHWP-R5TN", "certificate": ""}',
    ],
)
def test_an_invitation_that_is_none_is_told(content: bytes):
    with pytest.raises(InputError, match="not a hub's invitation"):
        pairing.understand(content, "may3.invitation")


def test_parts_that_are_wanted_are_only_those_of_the_own_work(device: Store, hub: Store):
    assert scope.wanted(device, 10) == []
