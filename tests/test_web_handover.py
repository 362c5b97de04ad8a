"""Nộp phiếu and Nhận phiếu over a stick that is a folder, and the supervisor's decisions on the pages."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from survey import create_app
from survey.fieldwork.backcheck import INTERVIEWED, VISITED, Plan
from survey.questionnaire.path import Context, open_path
from survey.store import Store, backcheck, current, drafts, frame, receipts, verify
from survey.sync import backchecks, exchange, rounds
from survey.web import conflicts, records, roles, sticks
from tests import field
from tests.field import BINH, HOA, LAN, ROUND, WHOLE, Clock, Interviewer, Visitor


def serving(store: Store) -> Flask:
    return create_app(store.folder, Clock())


@pytest.fixture
def laptop(device: Store) -> Iterator[Flask]:
    field.set_up(device, field.small())
    app = serving(device)
    yield app
    app.extensions["survey"].close()


@pytest.fixture
def office(hub: Store) -> Iterator[Flask]:
    field.set_up(hub, field.small())
    app = serving(hub)
    yield app
    app.extensions["survey"].close()


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "USB của Hoa"
    folder.mkdir()
    return folder


@pytest.fixture
def hoa(laptop: Flask) -> Interviewer:
    person = Interviewer(laptop)
    person.sign_in(HOA)
    person.start("u1")
    person.answers(WHOLE)
    person.finish()
    return person


@pytest.fixture
def lan(office: Flask) -> Visitor:
    person = Visitor(office)
    person.sign_in(LAN)
    return person


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def handed_over(hoa: Visitor, stick: Path) -> str:
    hoa.get("/hand-over")
    return words(hoa.post("/hand-over", place=str(stick)).text)


def received(lan: Visitor, stick: Path) -> str:
    lan.get("/receive")
    return words(lan.post("/receive", place=str(stick)).text)


def test_the_whole_way_of_an_interview_up_and_its_confirmation_down(
    hoa: Interviewer, lan: Visitor, stick: Path
) -> None:
    assert "● máy này 1 ◐ giám sát viên 0" in words(hoa.get("/today").text)
    told = handed_over(hoa, stick)
    assert "Đã ghi và đọc lại kiểm tra: 1 phiếu chưa được xác nhận" in told
    assert "chỉ coi là đã nộp khi có giấy xác nhận" in told
    told = received(lan, stick)
    assert "Đã nhận 1 phiếu mới" in told
    assert "Giấy xác nhận đã ghi vào đó" in told
    assert "đã khóa, chờ duyệt" in words(lan.get("/interviews").text)
    told = handed_over(hoa, stick)
    assert "giám sát viên đang giữ 1 phiếu của máy này" in told
    assert "● máy này 1 ◐ giám sát viên 1" in words(hoa.get("/today").text)


def test_receiving_the_same_again_says_that_nothing_is_new(hoa: Interviewer, lan: Visitor, stick: Path) -> None:
    handed_over(hoa, stick)
    received(lan, stick)
    assert "Không có gì mới" in received(lan, stick)


def test_a_returned_interview_comes_back_to_its_enumerator(
    device: Store, hoa: Interviewer, lan: Visitor, stick: Path
) -> None:
    handed_over(hoa, stick)
    received(lan, stick)
    lan.get(f"/interviews/{hoa.interview}")
    head = current.content(device, hoa.interview)["head"]
    lan.post(f"/interviews/{hoa.interview}/decide", kind="returned", reason="Hỏi lại tuổi", head=head)
    assert "trả cho điều tra viên" in handed_over(lan, stick)
    handed_over(hoa, stick)
    assert "Giám sát viên: “Hỏi lại tuổi”" in words(hoa.get("/today").text)


def test_a_bundle_with_a_flipped_bit_is_set_aside_by_name_and_the_rest_is_received(
    hoa: Interviewer, lan: Visitor, stick: Path
) -> None:
    handed_over(hoa, stick)
    (good,) = (stick / "bundles").iterdir()
    content = bytearray(good.read_bytes())
    content[len(content) // 2] ^= 1
    (stick / "bundles" / ("0" * 64 + good.suffix)).write_bytes(content)
    told = received(lan, stick)
    assert "0" * 64 in told
    assert "Để riêng, chưa dùng được" in told
    assert "đã khóa, chờ duyệt" in words(lan.get("/interviews").text)


def test_what_is_set_aside_stays_on_the_page_until_a_supervisor_settles_it(
    hub: Store, lan: Visitor, stick: Path
) -> None:
    (stick / "broken.bundle").write_bytes(b"broken")
    assert received(lan, stick).count("broken.bundle") == 1
    page = words(lan.get("/receive").text)
    assert page.count("broken.bundle") == 1
    assert "Lấy lại từ máy gốc; phần còn lại đã được nhận." in page
    assert "chưa ghi lý do" in words(lan.post("/receive/dismiss", name="broken.bundle").text).lower()
    assert "broken.bundle" in lan.get("/receive").text
    lan.post("/receive/dismiss", name="broken.bundle", reason="Hoa đã nộp lại")
    assert "broken.bundle" not in lan.get("/receive").text
    assert hub.rows("SELECT reason, actor FROM dismissed") == [{"reason": "Hoa đã nộp lại", "actor": LAN}]
    assert "Không có gì đang để riêng dưới tên này" in lan.post("/receive/dismiss", name="x", reason="y").text


@pytest.mark.parametrize("place", ["", "/nowhere/at/all"])
def test_a_place_that_is_not_there_is_said_and_nothing_is_lost(lan: Visitor, place: str) -> None:
    lan.get("/receive")
    page = lan.post("/receive", place=place)
    assert page.status_code == 400
    assert place in page.text


def test_a_full_or_locked_stick_is_said(hoa: Interviewer, stick: Path) -> None:
    (stick / "bundles").write_text("a file stands where the folder should be", encoding="utf-8")
    hoa.get("/hand-over")
    page = hoa.post("/hand-over", place=str(stick))
    assert page.status_code == 400
    assert "note stop" in page.text


def test_nothing_is_written_to_a_stick_that_is_not_plugged_in(hoa: Interviewer, tmp_path: Path) -> None:
    hoa.get("/hand-over")
    page = hoa.post("/hand-over", place=str(tmp_path / "media" / "usb"))
    assert page.status_code == 400
    assert "Không có thư mục này." in words(page.text)
    assert not (tmp_path / "media").exists()


def test_sticks_are_the_mount_points_below_the_usual_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("hoa/KINGSTON", "hoa/documents", "BACKUP"):
        (tmp_path / name).mkdir(parents=True)
    plugged = {str(tmp_path / "hoa/KINGSTON"), str(tmp_path / "BACKUP")}
    monkeypatch.setattr("os.path.ismount", lambda folder: str(folder) in plugged)
    monkeypatch.setattr(sticks, "_MOUNTED_UNDER", (str(tmp_path), str(tmp_path / "absent")))
    monkeypatch.setattr("sys.platform", "linux")
    found = sticks.sticks()
    assert [stick.name for stick in found] == ["BACKUP", "KINGSTON"]
    assert found[0].free.endswith("GB")


# -- the hub's own words -------------------------------------------------------------------------------------------


def test_today_at_a_hub_tells_what_waits_for_the_supervisor_and_leads_there(
    hub: Store, lan: Visitor, conflict: str, stick: Path
) -> None:
    sealed = [field.sealed(hub, unit, field.small()) for unit in ("u2", "u3", "u4")]
    current.decide(hub, sealed[0], "returned", reason="Hỏi lại tuổi", actor=LAN)
    (stick / "broken.bundle").write_bytes(b"broken")
    received(lan, stick)
    page = lan.get("/today").text
    assert "Phỏng vấn tiếp theo" not in page
    told = dict(re.findall(r'<a href="([^"]+)"><b>(\d+)</b>', page))
    assert told == {
        "/interviews?state=conflict": "1",
        "/interviews?state=sealed": "2",
        "/interviews?state=returned": "1",
        "/receive#aside": "1",
    }
    assert 'id="aside"' in lan.get("/receive").text
    assert f'href="{conflict}">So hai bản và chọn' in page
    current.settle(hub, conflict.split("/")[2], current.conflicts(hub)[0]["heads"][0], reason="đã hỏi", actor=LAN)
    assert "Duyệt phiếu tiếp theo" in lan.get("/today").text
    for row in current.interviews(hub, state="sealed"):
        current.decide(hub, row["interview"], "approved", actor=LAN)
    assert "Không còn phiếu nào chờ giám sát viên." in lan.get("/today").text


def test_a_supervisor_who_visits_units_keeps_the_list_of_them(hub: Store, lan: Visitor) -> None:
    frame.issue(hub, "unit", "u9", field.unit_document("u9", 9) | {"assignee": LAN}, {"name": "Người Chín"})
    assert "Người Chín" in lan.get("/today").text


def test_a_hub_calls_itself_so_and_hands_over_to_the_next_level(
    device: Store, hoa: Interviewer, lan: Visitor, stick: Path, read: str
) -> None:
    assert "● máy chủ này 1" in words(lan.get("/today").text)
    page = words(lan.get("/hand-over").text)
    assert "1 phiếu" not in page
    assert "phiếu đã khóa trên máy chủ này" in page
    assert "tỉnh đã xác nhận" in page
    assert "giám sát viên đã xác nhận" not in page
    assert "máy này" not in page
    assert "cấp trên" in page
    told = handed_over(lan, stick)
    assert "máy này" not in told
    assert "giám sát viên đang giữ" not in told
    page = words(hoa.get("/hand-over").text)
    assert "giám sát viên đã xác nhận" in page
    assert "cấp trên" not in page
    assert "bộ đã xác nhận" not in page


def test_the_confirmation_of_the_next_level_is_told_at_the_hub(
    tmp_path: Path, lan: Visitor, stick: Path, read: str
) -> None:
    handed_over(lan, stick)
    with Store.create(tmp_path / "province", role="hub", tier="province") as province:
        exchange.sync(province, [stick])
    told = handed_over(lan, stick)
    assert "Giấy xác nhận của cấp trên: tỉnh đang giữ 1 phiếu của máy chủ này." in told


# -- reading and deciding -----------------------------------------------------------------------------------------


@pytest.fixture
def read(hoa: Interviewer, lan: Visitor, stick: Path) -> str:
    """The address of an interview that the hub has received."""
    handed_over(hoa, stick)
    received(lan, stick)
    return f"/interviews/{hoa.interview}"


def test_an_interview_reads_like_a_page(lan: Visitor, read: str) -> None:
    page = words(lan.get(read).text)
    assert "Đặng Thị Hoà đã khóa, chờ duyệt" in page
    assert "Ông/Bà bao nhiêu tuổi? 47" in page
    assert "Biển chỉ dẫn Hài lòng" in page
    assert "Chỗ ngồi Không trả lời" in page
    assert "Làm nghề gì?" not in page


def test_approving_is_one_press(hub: Store, lan: Visitor, read: str) -> None:
    page = lan.get(read).text
    lan.post(read + "/decide", kind="approved", head=_head(page))
    (row,) = current.interviews(hub)
    assert row["state"] == "approved"
    assert "đã duyệt" in words(lan.get(read).text)
    assert "Nguyễn Thị Lan" in words(lan.get(read).text)


def _head(page: str) -> str:
    found = re.search(r'name="head" value="([^"]+)"', page)
    assert found
    return found[1]


@pytest.mark.parametrize("kind", ["returned", "voided"])
def test_returning_and_voiding_need_a_sentence(hub: Store, lan: Visitor, read: str, kind: str) -> None:
    head = _head(lan.get(read).text)
    assert "nêu lý do" in lan.post(read + "/decide", kind=kind, head=head).text
    assert current.interviews(hub)[0]["state"] == "sealed"
    lan.post(read + "/decide", kind=kind, head=head, reason="Hai câu trái nhau")
    assert current.interviews(hub)[0]["state"] == kind
    assert "Hai câu trái nhau" in lan.get(read).text


def test_nobody_decides_on_a_version_that_they_have_not_seen(hub: Store, lan: Visitor, read: str) -> None:
    lan.get(read)
    page = lan.post(read + "/decide", kind="approved", head="sha256:" + "0" * 64)
    assert page.status_code == 400
    assert current.interviews(hub)[0]["state"] == "sealed"


def test_a_statistician_reads_but_neither_decides_nor_sees_contact_data(
    office: Flask, laptop: Flask, hub: Store, stick: Path
) -> None:
    hoa = Interviewer(laptop)
    hoa.sign_in(HOA)
    hoa.start("u2")
    hoa.answers({**WHOLE, "c/phone": "0912345678"})
    hoa.finish()
    handed_over(hoa, stick)
    lan = Visitor(office)
    lan.sign_in(LAN)
    received(lan, stick)
    assert "0912345678" in lan.get(f"/interviews/{hoa.interview}").text
    binh = Visitor(office)
    binh.sign_in(BINH)
    page = binh.get(f"/interviews/{hoa.interview}").text
    assert "47" in page
    assert "0912345678" not in page
    assert "Quyết định" not in page
    assert binh.post(f"/interviews/{hoa.interview}/decide", kind="approved").status_code == 403


# -- two versions -------------------------------------------------------------------------------------------------


@pytest.fixture
def conflict(device: Store, hub: Store, hoa: Interviewer, lan: Visitor, stick: Path, read: str) -> str:
    """The address of an interview that was corrected on the laptop and on the hub, each without the other."""
    for store, age in ((device, "48"), (hub, "49")):
        drafts.take_over(store, hoa.interview, HOA)
        answers = {**current.content(store, hoa.interview)["answers"], "a/age": age}
        drafts.seal(store, hoa.interview, answers, {}, {}, {}, HOA, "corrected")
    handed_over(hoa, stick)
    assert "hai bản khác nhau 1" in received(lan, stick) or "1 hai bản khác nhau" in received(lan, stick)
    return read + "/conflict"


def test_a_conflict_is_shown_side_by_side_with_only_the_differences_to_choose(lan: Visitor, conflict: str) -> None:
    page = lan.get(conflict).text
    assert page.count('class="differs"') == 1
    assert "Ông/Bà có việc làm không?" not in page
    assert "birth" not in page
    assert "commune" not in page
    row = page.partition('class="differs"')[2].partition("</tr>")[0]
    assert "Ông/Bà bao nhiêu tuổi?" in row
    assert "48" in row
    assert "49" in row


def version_with(page: str, age: str) -> str:
    """The number of the version that says this age."""
    cells = re.findall(r'value="(\d)"[^>]*>\s*<span[^>]*>(\d+)<', page.partition('class="differs"')[2])
    return next(version for version, said in cells if said == age)


def test_versions_are_told_apart_by_laptop_person_and_time(
    device: Store, hub: Store, lan: Visitor, conflict: str
) -> None:
    head = words(lan.get(conflict).text.partition("<thead>")[2].partition("</thead>")[0])
    assert head.count("Lò Thị Hoa") == 2
    assert str((frame.document(hub, "device", device.device) or {})["name"] or device.device[:9]) in head
    assert len(re.findall(r"\d\d/\d\d/\d{4} \d\d:\d\d", head)) == 2


@pytest.mark.parametrize("change", [False, True])
def test_a_whole_version_is_one_choice_after_which_single_rows_can_be_changed(
    device: Store, hub: Store, hoa: Interviewer, lan: Visitor, stick: Path, conflict: str, change: bool
) -> None:
    drafts.take_over(device, hoa.interview, HOA)
    answers = {**current.content(device, hoa.interview)["answers"], "b/b1": "2"}
    drafts.seal(device, hoa.interview, answers, {}, {}, {}, HOA, "corrected")
    handed_over(hoa, stick)
    received(lan, stick)
    page = lan.get(conflict).text
    assert page.count('class="differs"') == 2
    heads = re.findall(r'name="head" value="([^"]+)"', page)
    whole = version_with(page, "48")
    rows: dict[str, Any] = {"row.b/b1": "10"[int(whole)]} if change else {}
    lan.post(conflict.replace("conflict", "settle"), head=heads, reason="máy của Hoa đúng", whole=whole, **rows)
    content = current.content(hub, hoa.interview)
    assert content["answers"]["a/age"] == "48"
    assert content["answers"]["b/b1"] == ("4" if change else "2")
    if not change:
        assert content["answers"] == answers


def test_a_conflict_is_settled_row_by_row_with_one_reason(
    hub: Store, hoa: Interviewer, lan: Visitor, conflict: str
) -> None:
    page = lan.get(conflict).text
    heads = re.findall(r'name="head" value="([^"]+)"', page)
    settle = conflict.replace("conflict", "settle")
    chosen = version_with(page, "48")
    unknown: dict[str, Any] = {"row.a/age": "7"}
    first: dict[str, Any] = {"row.a/age": "0"}
    right: dict[str, Any] = {"row.a/age": chosen}
    assert "Còn dòng chưa chọn" in lan.post(settle, head=heads, reason="gọi điện hỏi lại").text
    assert "Ghi lý do" in lan.post(settle, head=heads, **first).text
    assert lan.post(settle, head=heads, reason="x", **unknown).status_code == 400
    assert current.interviews(hub)[0]["state"] == "conflict"
    done = lan.post(settle, head=heads, reason="gọi điện hỏi lại", **right)
    assert "Đã chọn xong" in done.text
    content = current.content(hub, hoa.interview)
    assert (content["kind"], content["answers"]["a/age"]) == ("combined", "48")
    assert content["answers"]["b/b1"] == "4"
    assert content["answers"]["a/birth"] == "1978"
    assert not verify.verify(hub).problems


# -- the list of interviews -----------------------------------------------------------------------------------------


def rows_of(page: str) -> list[str]:
    return [words(row) for row in re.findall(r"<tr><th scope=\"row\">.*?</tr>", page)]


def test_the_list_names_village_and_commune_and_who_interviewed(lan: Visitor, read: str) -> None:
    (row,) = rows_of(lan.get("/interviews").text)
    assert row.startswith("Đặng Thị Hoà bản Khoang · xã Chiềng Mung Lò Thị Hoa")


def test_whoever_settles_an_interview_does_not_take_it_from_its_enumerator(
    hub: Store, hoa: Interviewer, lan: Visitor, conflict: str
) -> None:
    (row,) = current.conflicts(hub)
    current.settle(hub, row["interview"], row["heads"][0], reason="đã hỏi lại", actor=LAN)
    assert current.interviews(hub)[0]["actor"] == LAN
    assert "Lò Thị Hoa" in rows_of(lan.get("/interviews").text)[0]
    assert "bản Khoang · xã Chiềng Mung · Lò Thị Hoa" in words(lan.get(f"/interviews/{hoa.interview}").text)


def many(hub: Store, number: int) -> None:
    """Sealed interviews at as many units, in villages of twelve."""
    for n in range(1, number + 1):
        unit = field.unit_document(f"m{n}", n) | {"village": f"v{n % 3}", "village_name": f"Bản {n % 3}"}
        frame.issue(hub, "unit", f"m{n}", unit, {"name": f"Người Số {n}"})
        field.sealed(hub, f"m{n}", field.small())


def test_a_long_list_comes_in_pages_that_together_show_every_interview_once(
    hub: Store, lan: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "SHOWN", 4)
    many(hub, 10)
    address, seen = "/interviews?state=sealed&q=nguoi", []
    while address:
        page = lan.get(address).text
        seen += [re.search(r"Người Số \d+", row) for row in rows_of(page)]
        found = re.search(r'rel="next" href="([^"]+)"', page)
        address = html.unescape(found[1]) if found else ""
    assert len(seen) == 10
    assert len({name[0] for name in seen if name}) == 10
    assert "Phiếu 9–10 / 10" in words(page)
    assert "Trang trước" in page
    assert len(rows_of(lan.get("/interviews", after="nobody").text)) == 4
    before = html.unescape(re.search(r'rel="prev" href="([^"]+)"', page)[1])
    assert "Phiếu 5–8 / 10" in words(lan.get(before).text)


@pytest.mark.parametrize(
    ("query", "found"),
    [("nguoi so 3", ["Người Số 3"]), ("NGƯỜI 4", ["Người Số 4"]), ("ban 2", ["Người Số 2", "Người Số 5"]), ("xyz", [])],
)
def test_the_list_is_searched_without_diacritics(hub: Store, lan: Visitor, query: str, found: list[str]) -> None:
    many(hub, 5)
    page = lan.get("/interviews", q=query).text
    assert sorted(re.findall(r"Người Số \d+", " ".join(rows_of(page)))) == found
    assert ("Không tìm thấy phiếu nào với “xyz”" in page) is not found
    assert lan.get("/interviews", q="lo thi hoa").text.count("<tr>") == 6


def test_a_statistician_sees_no_name_address_or_phone_on_any_page(
    office: Flask, hub: Store, lan: Visitor, conflict: str, read: str
) -> None:
    many(hub, 2)
    frame.issue(
        hub, "unit", "u1", field.unit_document("u1", 1) | {"note": "x"}, {"name": "Đặng Thị Hoà", "phone": "0912"}
    )
    private = re.compile("Đặng Thị Hoà|Người Số|0912|Bản Khoang")
    addresses = ["/interviews", "/interviews?q=dang", "/interviews?q=nguoi+so", read, conflict, "/hand-over"]
    addresses += [f"/interviews/{row['interview']}" for row in current.interviews(hub)]
    assert private.search(lan.get("/interviews").text)
    binh = Visitor(office)
    binh.sign_in(BINH)
    for address in addresses:
        page = binh.get(address)
        assert page.status_code == 200
        assert not private.search(page.text), address
    assert any(
        row.startswith("Đơn vị mẫu số 1 bản Khoang · xã Chiềng Mung") for row in rows_of(binh.get("/interviews").text)
    )
    assert rows_of(binh.get("/interviews", q="dang").text) == []


def test_a_reserve_unit_without_a_name_is_told_from_the_main_one_of_the_same_number(office: Flask, hub: Store) -> None:
    for unit, kind in (("m1", "main"), ("r1", "reserve")):
        frame.issue(hub, "unit", unit, field.unit_document(unit, 1, kind), {"name": "Người Số 1"})
        field.sealed(hub, unit, field.small())
    binh = Visitor(office)
    binh.sign_in(BINH)
    said = sorted(row.partition(" bản")[0] for row in rows_of(binh.get("/interviews").text))
    assert said == ["Đơn vị mẫu số 1", "Đơn vị mẫu số 1 dự phòng"]


def test_every_page_that_tells_names_is_closed_to_those_who_only_count_or_administer(office: Flask) -> None:
    told = {"today.page", "today.units", "today.visit", "interview.section", "finishing.finish"}
    for role in (roles.STATISTICIAN, roles.ADMINISTRATOR):
        assert not roles.may_contact({role})
        assert not any(roles.may(page, frozenset({role})) for page in told)
    assert roles.may_contact({roles.SUPERVISOR, roles.STATISTICIAN})


def test_rows_of_different_versions_keep_the_instances_of_a_repeat_that_they_speak_of(
    hub: Store, lan: Visitor, conflict: str
) -> None:
    base, *_ = (current.content(hub, conflict.split("/")[2], head) for head in current.conflicts(hub)[0]["heads"])
    told: list[dict[str, Any]] = [
        {"member": ["ra"], "member[ra]/member_name": "Ánh"},
        {"member": ["ra", "rb"], "member[ra]/member_name": "Ảnh", "member[rb]/member_name": "Bình"},
    ]
    versions = [{**base, "answers": base["answers"] | more} for more in told]
    ways = [open_path(field.small(), version["answers"], Context()) for version in versions]
    rows = {"member[ra]/member_name": 0, "member[rb]/member_name": 1}
    _, answers = conflicts.combined(versions, ways, None, rows)
    assert answers is not None
    assert answers["member"] == ["ra", "rb"]
    assert (answers["member[ra]/member_name"], answers["member[rb]/member_name"]) == ("Ánh", "Bình")
    _, answers = conflicts.combined(versions, ways, None, rows | {"member[rb]/member_name": 0})
    assert answers is not None
    assert answers["member"] == ["ra"]
    with pytest.raises(conflicts.NotChosen):
        conflicts.combined(versions, ways, None, {"member[ra]/member_name": 0})


MAI = ("pmai", "Vũ Thị Mai", ["observer"])


def test_an_observer_hands_over_back_checks_from_a_laptop_of_their_own(
    device: Store, hub: Store, stick: Path, tmp_path: Path
) -> None:
    field.set_up(hub, field.small(), [*field.PEOPLE, MAI])
    rounds.issue_round(hub, {**frame.round_document(hub, ROUND), "id": "r1"})
    for unit in frame.units(hub, ROUND):
        frame.issue(hub, "unit", unit["id"], {**unit, "round": "r1"}, frame.contact(hub, "unit", unit["id"]))
    for unit in ("u1", "u2"):
        field.sealed(hub, unit, field.small())
    own, _ = backchecks.draw_backchecks(hub, "r1", Plan({"age": 1, "b1": 3}, share=1), [MAI[0]])
    exchange.export(hub, stick)
    exchange.sync(device, [stick])
    app = serving(device)
    mai = Interviewer(app)
    mai.sign_in(MAI[0])
    (first, *_) = frame.units(device, own["id"])
    mai.start(first["id"])

    mai.answers({VISITED: INTERVIEWED, "opening/consent": "yes", "a/age": "52", "b/b1": "4"})
    mai.finish()
    home = mai.get("/progress").text
    assert 'href="/hand-over"' in home
    assert "Đã ghi và đọc lại kiểm tra: 1 phiếu chưa được xác nhận" in handed_over(mai, stick)
    exchange.sync(hub, [stick])
    assert backcheck.progress(hub, own["id"]) == {HOA: (2, 1)}
    assert "giám sát viên đang giữ 1 phiếu của máy này" in handed_over(mai, stick)
    assert receipts.conservation(device).pending == 0
    app.extensions["survey"].close()
    at_hub = serving(hub)
    visitor = Visitor(at_hub)
    visitor.sign_in(MAI[0])
    assert 'href="/hand-over"' not in visitor.get("/progress").text, "nothing of theirs is to be carried from a hub"
    at_hub.extensions["survey"].close()
