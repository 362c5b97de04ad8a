"""Replacing a unit, choosing whom of a household to ask, and handing on work, by keyboard, in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from survey.store import Store, fieldlog, frame
from tests import field
from tests.keyboard import Hand, Served


@pytest.fixture
def laptop(instance: Path) -> Path:
    """A laptop of a round with a target and Kish's grid, where one person has refused."""
    with Store.create(instance, "device", name="laptop") as store:
        field.set_up(store, field.small(), (*field.PEOPLE, ("pmai", "Vì Thị Mai", ["enumerator"])))
        document = frame.round_document(store, field.ROUND)
        rules = {"replacement": {"target": 3}, "respondent": {"method": "kish", "age": 18}}
        moved = [{"level": "commune", "old": "03646", "new": "03650", "name": "xã Mường Bú", "date": "2026-07-01"}]
        frame.issue(store, "round", field.ROUND, {**document, **rules, "places": moved})
        visit = {"id": "v1", "unit": "u2", "round": field.ROUND, "disposition": "2.112", "time": "2026-11-23T08:00"}
        frame.issue(store, "visit", "v1", visit, actor=field.HOA)
    return instance


@pytest.fixture
def person(browser: Browser, served: Served, shots: Path) -> Iterator[Hand]:
    hand = Hand(browser, served, shots, "fieldwork")
    yield hand
    hand.close()


def test_a_unit_is_replaced_and_a_respondent_chosen_by_keyboard(person: Hand, instance: Path):
    person.sign_in("Lò Thị Hoa", field.PIN)
    expect(person.page.get_by_text("chưa mở")).to_be_visible()
    person.shot("today")
    assert not person.axe()
    person.tab_to("Thay hộ")
    person.go("Enter")
    person.at("#reason")
    person.shot("replace")
    assert not person.axe()
    person.write("Từ chối, không tiếp")
    person.tab_to("Mở hộ dự phòng")
    person.go("Enter")
    expect(person.page.get_by_text("Đã mở hộ dự phòng: Cà Văn Đức")).to_be_visible()
    person.tab_to("Phỏng vấn tiếp theo")
    person.go("Enter")
    person.at("input[name=name]")
    for name, sex, age in (("Hoà", ["ArrowDown", "ArrowDown"], "41"), ("Pó", ["ArrowDown"], "44")):
        person.write(name)
        person.press("Tab", *sex, "Tab")
        person.write(age)
        person.press("Tab")
    person.shot("adults")
    assert not person.axe()
    person.tab_to("Chọn người")
    person.go("Enter")
    expect(person.page.get_by_text("Chỉ phỏng vấn người này")).to_be_visible()
    person.shot("chosen")
    assert not person.axe()
    person.at("button.next")
    person.go("Enter")
    assert "/interviews/" in person.page.url
    with Store.open(instance) as store:
        assert len(fieldlog.read(store, fieldlog.REPLACEMENT)) == 1
        assert len(fieldlog.read(store, fieldlog.SELECTION)) == 1


def test_a_supervisor_reads_out_a_code_and_work_changes_hands(
    person: Hand, browser: Browser, served: Served, shots: Path
):
    person.sign_in("Nguyễn Thị Lan", field.PIN)
    person.page.goto(person.served.address + "/handing/code")
    person.page.select_option("#giver", "phoa")
    person.page.select_option("#taker", "pmai")
    person.tab_to("Lấy mã")
    person.go("Enter")
    code = person.page.locator("p.code").inner_text()
    assert re.fullmatch(r"\d{4}( \d{4}){3}", code)
    person.shot("code")
    assert not person.axe()
    mai = Hand(browser, served, shots, "fieldwork")
    mai.sign_in("Vì Thị Mai", field.PIN)
    mai.tab_to("Nhận bàn giao")
    mai.go("Enter")
    mai.page.select_option("#giver", "phoa")
    mai.page.locator("#code").focus()
    mai.write(code)
    mai.shot("take-over")
    assert not mai.axe()
    mai.go("Enter")
    expect(mai.page.get_by_text("Đã nhận từ Lò Thị Hoa: 4 đơn vị mẫu")).to_be_visible()
    mai.shot("taken")
    mai.close()
