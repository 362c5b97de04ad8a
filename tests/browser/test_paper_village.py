"""A village on paper, from the hand-out to the sealed forms, by keyboard alone; what is seen while entries differ."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from survey import create_app
from survey.paper.serial import serial
from survey.paper.states import Tally, form_id
from survey.store import Store, current, drafts, frame, keying, paper, verify
from tests import field
from tests.field import HOA, LAN, PIN, ROUND
from tests.forms import form
from tests.keyboard import Hand, Served, survey
from tests.test_paper_keying import Keyer

pytestmark = pytest.mark.browser

VILLAGE = "03646-07"
OUT, BACK = 20, 17
SEEN = 6
"""So many forms are keyed in the browser, the others by the same requests without a screen: a tenth of the time."""

QUESTIONS = form(
    """
    type | name | label::Tiếng Việt (vi) | label::English (en) | required | relevant | constraint | missing | appearance
    begin_group | a | A. Người trả lời | A. The respondent | | | | |
    select_one yn | consent | Ông/Bà đồng ý trả lời? | Do you agree? | yes | | | |
    integer | age | Tuổi | Age | yes | ${consent} = 'yes' | . >= 18 | refused |
    select_one yn | office | Đã đến xã làm thủ tục? | Been to the commune office? | yes | ${consent} = 'yes' | | |
    end_group | | | | | | | |
    begin_group | b | B. Hài lòng | B. Satisfaction | | ${office} = 'yes' | | |
    select_one scale | b1 | Biển chỉ dẫn | The signs | yes | | | dont_know refused | likert
    select_one scale | b2 | Thái độ công chức | The staff | yes | | | dont_know refused | likert
    select_one scale | b3 | Thời gian chờ | The wait | yes | | | dont_know refused | likert
    end_group | | | | | | | |
    """,
    choices="""
    list_name | name | label::Tiếng Việt (vi) | label::English (en)
    yn | yes | Có | Yes
    yn | no | Không | No
    scale | 1 | Rất không hài lòng | Very dissatisfied
    scale | 2 | Không hài lòng | Dissatisfied
    scale | 3 | Bình thường | Neutral
    scale | 4 | Hài lòng | Satisfied
    scale | 5 | Rất hài lòng | Very satisfied
    """,
)


@pytest.fixture
def laptop(instance: Path) -> Path:
    """A laptop with a village of twenty households, every form of which is keyed twice."""
    with Store.create(instance, "device", name="laptop") as store:
        field.set_up(store, QUESTIONS)
        frame.issue(store, "round", ROUND, {**frame.round_document(store, ROUND), "paper": {"double": 1.0}})
        for order in range(1, OUT + 1):
            document = field.unit_document(f"u{order}", order)
            frame.issue(store, "unit", f"u{order}", document, {"name": f"Hộ số {order:02d}"})
    return instance


@pytest.fixture
def hoa(browser: Browser, served: Served, shots: Path) -> Iterator[Hand]:
    hand = Hand(browser, served, shots, "phieu-giay")
    hand.sign_in("Lò Thị Hoa", PIN)
    yield hand
    hand.close()


@pytest.fixture
def lan(browser: Browser, served: Served, shots: Path) -> Iterator[Hand]:
    hand = Hand(browser, served, shots, "phieu-giay")
    hand.sign_in("Nguyễn Thị Lan", PIN)
    yield hand
    hand.close()


def printed(n: int) -> str:
    return serial(ROUND, QUESTIONS.hash, n).printed


def at(hand: Hand, step: str) -> None:
    """Opens the page at one of its steps; the box for the serial has the focus."""
    hand.page.goto(f"{hand.served.address}/paper?do={step}&village={VILLAGE}")
    hand.at("#serial")


def key_form(hand: Hand, n: int, keys: str) -> None:
    """Keys a form: its serial, then key after key as the paper says; ends at the page after."""
    at(hand, "keyed")
    hand.write(printed(n))
    hand.go("Enter")
    hand.at(".keyed input")
    for piece in keys.split():
        hand.write(piece.strip("↵"))
        if len(piece) > 1:
            hand.press("Enter")
    expect(hand.page.locator("#onward")).to_be_focused()
    hand.go("F10")
    hand.at("button.next.big")
    hand.go("Enter")


def the_others(laptop: Path) -> None:
    """The other forms, keyed by both people."""
    app = create_app(laptop)
    for user in (HOA, LAN):
        person = Keyer(app)
        person.sign_in(user)
        for n in range(SEEN + 1, BACK + 1):
            person.form = form_id(ROUND, serial(ROUND, QUESTIONS.hash, n))
            person.get("/paper", do="keyed")
            person.post("/paper", do="keyed", village=VILLAGE, serial=printed(n))
            for path, keyed in WHOLE.items():
                assert person.key(path, keyed)["saved"]
            person.get(f"/paper/key/{person.form}/finish")
            page = person.post(f"/paper/key/{person.form}/finish")
            if user == LAN:
                assert page.request.path == f"/paper/double/{person.form}"
                person.post(page.request.path)
    app.extensions["survey"].close()


WHOLE = {"a/consent": "1", "a/age": "47", "a/office": "1", "b/b1": "4", "b/b2": "5", "b/b3": "3"}


def test_twenty_out_seventeen_back_one_spoilt_keyed_twice_sealed_and_counted_right(
    hoa: Hand, lan: Hand, laptop: Path
) -> None:
    # Twenty forms go out in one go.
    at(hoa, "issued")
    hoa.write(printed(1))
    hoa.press("Tab")
    hoa.write(printed(OUT))
    hoa.shot("01-phat")
    hoa.go("Enter")
    expect(hoa.page.get_by_text("Đã phát 20 phiếu")).to_be_visible()
    assert not hoa.axe()

    # Seventeen come back, one serial after the other; one is spoilt; two stay out.
    at(hoa, "collected")
    for n in range(1, BACK + 1):
        hoa.at("#serial")
        hoa.write(printed(n))
        hoa.go("Enter")
    at(hoa, "lost")
    hoa.write(printed(BACK + 1))
    hoa.press("Tab")
    hoa.write("ướt mưa")
    hoa.go("Enter")
    hoa.shot("02-thon")
    with Store.open(laptop) as store:
        assert paper.tallies(store, ROUND) == {VILLAGE: Tally(issued=20, collected=17, outstanding=2, lost=1)}

    # Keyed by one person: one form has everything wrong that paper may have, one is left almost blank, one refuses.
    whole = "1 47 1 4 5 3"
    odd = {2: "1 12 1 4 . -", 3: "1 -↵ -"}
    for n in range(1, SEEN + 1):
        if n == 4:
            at(hoa, "keyed")
            hoa.write(printed(n))
            hoa.go("Enter")
            hoa.at(".keyed input")
            hoa.write("2")
            expect(hoa.page.locator("#onward")).to_be_focused()
            hoa.go("F10")
            hoa.at("button.next.big")
            hoa.shot("04-khong-dong-y")
            hoa.go("Enter")
            continue
        key_form(hoa, n, odd.get(n, whole))
    # And keyed again by another, who sees nothing of it; in two forms a finger slipped.
    slips = {5: "1 74 1 4 5 3", 6: "1 47 1 4 4 2"}
    for n in range(1, SEEN + 1):
        if n == 4:
            continue  # refused: no answer is kept, so nothing is keyed again
        key_form(lan, n, slips.get(n, odd.get(n, whole)))
        if n == 5:
            lan.shot("05-khac-nhau")
            assert not lan.axe()
            lan.page.locator('input[type="radio"]').first.focus()
            lan.press("Space")
        if n == 6:
            lan.page.locator('input[type="radio"]').first.focus()
            lan.press("Space", "Tab", "Tab")
            # The second row: neither is what the paper says.
            lan.page.locator('input[name="other.b/b3"]').focus()
            lan.write("1")
        lan.page.locator("button.next.big").focus()
        lan.go("Enter")
    the_others(laptop)
    at(lan, "collected")
    lan.shot("06-xong")

    with Store.open(laptop) as store:
        tally = paper.tallies(store, ROUND)[VILLAGE]
        assert tally == Tally(issued=20, collected=17, outstanding=2, lost=1, keyed=15, invalid=2)
        assert tally.holds
        states = [row["state"] for row in current.interviews(store)]
        assert sorted(states) == ["sealed"] * 15 + ["voided"]
        answers = {
            n: current.content(store, found.interview)["answers"]
            for n in range(1, BACK + 1)
            if n != 4 and (found := paper.by_id(store, form_id(ROUND, serial(ROUND, QUESTIONS.hash, n)))) is not None
        }
        assert answers[1]["a/age"] == answers[5]["a/age"] == "47"
        assert answers[2] | {"b/b2": {"missing": "multiple"}, "b/b3": {"missing": "blank"}, "a/age": "12"} == answers[2]
        assert (answers[6]["b/b2"], answers[6]["b/b3"]) == ("5", "1")
        rates = keying.error_rates(store)
        assert (rates[HOA]["errors"], rates[LAN]["errors"]) == (1, 3)
        assert rates[HOA]["fields"] == rates[LAN]["fields"] >= 16 * 3
        assert not verify.verify(store).problems
    said = survey(laptop, "paper", "list")
    assert VILLAGE in said
    assert "3 of" in said


def arrives(hand: Hand, laptop: Path, path: str, value: str) -> None:
    """Waits until a form that is being keyed holds this on disk: what is sent on leaving arrives when it arrives."""
    for _ in range(100):
        with Store.open(laptop) as store:
            (row,) = keying.all_open(store).values()
            if drafts.answers(store, row["interview"]).get(path) == value:
                return
        hand.page.wait_for_timeout(50)
    raise AssertionError(f"{path} is not {value}")


def test_a_page_of_keys_reads_well_and_survives_a_program_that_stops(hoa: Hand, laptop: Path) -> None:
    with Store.open(laptop) as store:
        paper.record(store, ROUND, serial(ROUND, QUESTIONS.hash, 1), "issued", HOA, unit="u1")
    at(hoa, "keyed")
    hoa.write(printed(1))
    hoa.go("Enter")
    hoa.at(".keyed input")
    hoa.write("1")
    hoa.write("12")
    hoa.press("Enter")
    expect(hoa.page.get_by_text("ngoài giới hạn cho phép")).to_be_visible()
    hoa.write("7")
    expect(hoa.page.get_by_text("không phải mã của câu này")).to_be_visible()
    hoa.shot("03-nhap")
    assert not hoa.axe()
    # The program stops; what is keyed meanwhile waits on the page, and is saved when it is back.
    hoa.press("Backspace")
    hoa.write("1")
    expect(hoa.page.locator("#b-b_2f_b1")).to_be_focused()
    hoa.served.stop()
    hoa.write("4")
    expect(hoa.page.locator("#silent")).to_be_visible()
    hoa.served.start()
    expect(hoa.page.locator("#k-b_2f_b1 .state.saved")).to_be_visible(timeout=15_000)
    expect(hoa.page.locator("#silent")).to_be_hidden()
    with Store.open(laptop) as store:
        (row,) = keying.all_open(store).values()
        assert drafts.answers(store, row["interview"])["b/b1"] == "4"
    # What stands in a box is on disk whichever way the page is left, though nobody has pressed Enter.
    hoa.page.locator("#b-a_2f_age").fill("33")
    with hoa.page.expect_navigation():
        hoa.press("F5")
    expect(hoa.page.locator("#b-a_2f_age")).to_have_value("33")
    hoa.at(".keyed input")
    hoa.page.locator("#b-a_2f_age").fill("44")
    hoa.page.reload()
    arrives(hoa, laptop, "a/age", "44")
    # A skipped question is passed over, and can be reached where the paper has an answer.
    hoa.page.locator("#b-a_2f_office").focus()
    hoa.page.locator("#b-a_2f_office").select_text()
    hoa.write("2")
    expect(hoa.page.locator("#onward")).to_be_focused()
    expect(hoa.page.locator("#k-b_2f_b1 .flag")).to_contain_text("lẽ ra không phải trả lời")
    hoa.page.locator("button", has_text="EN").click()
    expect(hoa.page.get_by_text("should have been skipped")).to_be_visible()
    assert not hoa.axe()
    hoa.go("F10")
    assert not hoa.axe()
    hoa.shot("07-finish-en")
