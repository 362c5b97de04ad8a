"""Lập đợt when what people bring is wrong: a sentence at the step, what was typed stays, and nothing is kept."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest

from survey import create_app
from survey.store import Store, frame
from tests import field
from tests.field import LAN, Visitor


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """A hub with people and the small round."""
    with Store.create(tmp_path / "hub", role="hub", name="hub") as store:
        field.set_up(store, field.small())
    return tmp_path / "hub"


@pytest.fixture
def lan(office: Path) -> Visitor:
    visitor = Visitor(create_app(office))
    visitor.sign_in(LAN)
    return visitor


def rows(office: Path) -> int:
    with Store.open(office) as store:
        return len(frame.frame_rows(store, field.ROUND))


def test_a_machine_that_knows_people_lets_nobody_make_another_first_person(office: Path) -> None:
    visitor = Visitor(create_app(office))
    assert visitor.get("/first-person").status_code == 404
    assert visitor.get("/load-round").status_code == 404
    with Store.open(office) as store:
        before = len(frame.people(store))
    assert visitor.post("/first-person", name="Kẻ lạ", pin="1234", again="1234").status_code in (400, 404)
    with Store.open(office) as store:
        assert len(frame.people(store)) == before


def test_two_pins_that_differ_make_nobody(tmp_path: Path) -> None:
    with Store.create(tmp_path / "hub", role="hub", name="hub"):
        pass
    visitor = Visitor(create_app(tmp_path / "hub"))
    visitor.get("/first-person")
    page = visitor.post("/first-person", name="Lan", pin="1234", again="4321")
    assert page.status_code == 400
    assert "hai lần nhập không giống nhau" in page.text.lower()
    with Store.open(tmp_path / "hub") as store:
        assert frame.people(store) == []


def test_a_laptop_has_no_first_person(tmp_path: Path) -> None:
    with Store.create(tmp_path / "laptop", "device", name="laptop"):
        pass
    assert Visitor(create_app(tmp_path / "laptop")).get("/first-person").status_code == 404


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("ds.xlsx", b"not a workbook", "ds.xlsx"),
        ("ds.csv", "Mã;Tên\r\n1;A;thừa\r\n".encode(), "ds.csv, row 2"),
        ("ds.csv", b"", "trống"),
        ("", b"", "chưa chọn tệp"),
    ],
)
def test_a_list_that_cannot_be_read_is_told_and_not_kept(
    lan: Visitor, office: Path, name: str, content: bytes, told: str
) -> None:
    lan.get(f"/rounds/{field.ROUND}")
    page = lan.post(f"/rounds/{field.ROUND}/frame", file=(BytesIO(content), name))
    assert page.status_code == 400
    assert told in page.text.lower()
    assert rows(office) == 0
    assert not [path for path in office.iterdir() if path.name.startswith("tmp")]


def test_an_instrument_with_mistakes_is_told_row_by_row_and_the_title_stays(lan: Visitor, office: Path) -> None:
    lan.get("/rounds")
    page = lan.post("/rounds", id="r9", title="Đợt thử", instrument_file=(BytesIO(b"PK\x03\x04 cut"), "của xã.xlsx"))
    assert page.status_code == 400
    assert "của xã.xlsx" in page.text
    assert 'value="Đợt thử"' in page.text
    with Store.open(office) as store:
        assert frame.document(store, "round", "r9") is None


@pytest.mark.parametrize("day", ["31/06/2026", "tháng ba"])
def test_a_day_that_is_none_is_told(lan: Visitor, day: str) -> None:
    lan.get("/rounds")
    page = lan.post("/rounds", id="r9", title="Đợt thử", instrument="sipas_2026", starts=day)
    assert page.status_code == 400
    assert day in page.text


def test_the_last_day_of_names_and_phones_is_set_with_the_round(lan: Visitor, office: Path) -> None:
    lan.get("/rounds")
    wrong = lan.post("/rounds", id="r9", title="Đợt thử", instrument="sipas_2026", contact_until="31/02/2027")
    assert wrong.status_code == 400
    lan.post("/rounds", id="r9", title="Đợt thử", instrument="sipas_2026", contact_until="30/06/2027")
    lan.post("/rounds", id="r8", title="Đợt khác", instrument="sipas_2026")
    with Store.open(office) as store:
        assert frame.round_document(store, "r9")["contact_until"] == "2027-06-30"
        assert "contact_until" not in frame.round_document(store, "r8")


def test_a_file_name_with_a_path_stays_in_the_folder(lan: Visitor, office: Path) -> None:
    lan.get(f"/rounds/{field.ROUND}")
    lan.post(f"/rounds/{field.ROUND}/frame", file=(BytesIO(b"id;village\r\na1;v1\r\n"), "../../../ds.csv"))
    assert rows(office) == 1
    assert not list(office.parent.glob("*.csv"))


@pytest.mark.parametrize("typed", [{"take": "mười"}, {"take": "0"}, {"take": "3", "clusters": "-1"}, {"take": ""}])
def test_a_number_that_is_none_draws_nothing(lan: Visitor, office: Path, typed: dict[str, str]) -> None:
    with Store.open(office) as store:
        units = len(frame.units(store, field.ROUND))
    lan.get(f"/rounds/{field.ROUND}", step="sample")
    page = lan.post(f"/rounds/{field.ROUND}/sample", cluster="village", **typed)
    assert page.status_code == 400
    with Store.open(office) as store:
        assert len(frame.units(store, field.ROUND)) == units


def test_a_stick_that_is_not_there_is_told(lan: Visitor) -> None:
    lan.get(f"/rounds/{field.ROUND}", step="file")
    page = lan.post(f"/rounds/{field.ROUND}/file", place="/khong/co")
    assert page.status_code == 400
    assert "không có thư mục này" in page.text.lower()
