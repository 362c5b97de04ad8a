"""Every kind of question that a page arranges or reads in its own way, answered by keys alone: one laptop for all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from survey.questionnaire import xlsform
from survey.store import Store, drafts
from tests import field
from tests.field import PIN
from tests.keyboard import Hand, Served

pytestmark = pytest.mark.browser

KINDS = Path(__file__).parent.parent / "fixtures" / "kinds"


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A laptop with one question of each of these kinds."""
    folder = tmp_path_factory.mktemp("kinds") / "instance"
    with Store.create(folder, "device", name="laptop") as store:
        field.set_up(store, xlsform.load(KINDS))
    return folder


@pytest.fixture(scope="module")
def module_hand(browser: Browser, kinds: Path, shots: Path) -> Iterator[Hand]:
    with Served(kinds) as served:
        hand = Hand(browser, served, shots, "kinds")
        hand.sign_in("Lò Thị Hoa", PIN)
        hand.start()
        yield hand
        hand.close()


@pytest.fixture
def at(module_hand: Hand) -> At:
    return At(module_hand)


class At:
    """Goes to a question of the one interview."""

    def __init__(self, hand: Hand):
        self.hand = hand
        self.page = hand.page

    def question(self, section: int, path: str) -> str:
        """Opens the section with the focus on the question; returns the id of its form."""
        key = path.replace("/", "_2f_")
        base = re.match(r".*/interviews/[^/]+", self.page.url)
        assert base
        self.page.goto(f"{base[0]}/{section}?at={key}")
        form = f"q-{key}"
        expect(self.page.locator(f"#{form} :focus")).to_have_count(1)
        return form

    def saved(self, form: str, words: str = "đã lưu") -> None:
        expect(self.page.locator(f"#{form} .state")).to_have_text(words)

    def saved_after(self, form: str, words: str) -> None:
        self.hand.write(words)
        self.hand.press("Enter")
        self.saved(form)


def on_disk(laptop: Path) -> drafts.Answers:
    with Store.open(laptop) as store:
        (draft,) = drafts.drafts(store)
        return drafts.answers(store, draft["interview"])


def test_other_asks_which_and_is_in_vietnamese(at: At, kinds: Path) -> None:
    form = at.question(1, "lists/how")
    expect(at.page.locator(f"#{form} .choice").last).to_contain_text("Khác")
    at.hand.press("4")
    other = at.page.locator("#q-lists_2f_how_other")
    expect(other.locator("input[type=text]")).to_be_focused()
    expect(other.locator(".ask")).to_have_text("Ghi rõ")
    at.hand.write("Nhờ trưởng bản")
    at.hand.press("Enter")
    at.saved("q-lists_2f_how_other")
    assert on_disk(kinds)["lists/how_other"] == "Nhờ trưởng bản"


def test_a_scale_stands_in_one_line_and_a_digit_goes_on(at: At, kinds: Path) -> None:
    form = at.question(1, "lists/polite")
    boxes = [one.bounding_box() for one in at.page.locator(f"#{form} .choices .choice").all()]
    assert len({round(box["y"]) for box in boxes if box}) == 1
    at.hand.press("4")
    expect(at.page.locator("#q-lists_2f_again :focus")).to_have_count(1)
    at.hand.press("2")
    expect(at.page.locator("#q-lists_2f_shuffled :focus")).to_have_count(1)
    assert (on_disk(kinds)["lists/polite"], on_disk(kinds)["lists/again"]) == ("4", "2")


def test_choices_in_random_order_stay_in_that_order(at: At, kinds: Path) -> None:
    form = at.question(1, "lists/shuffled")
    shown = at.page.locator(f"#{form} .choice span").all_text_contents()
    assert sorted(shown) == sorted(["Cổng dịch vụ công", "Bộ phận một cửa", "Bưu điện", "Khác"])
    assert shown != ["Cổng dịch vụ công", "Bộ phận một cửa", "Bưu điện", "Khác"]
    at.hand.press("3")
    at.saved(form)
    at.question(1, "lists/shuffled")
    assert at.page.locator(f"#{form} .choice span").all_text_contents() == shown
    expect(at.page.locator(f"#{form} input:checked + kbd")).to_have_text("3")


def test_a_ranking_is_a_run_of_digits_and_the_last_place_fills_itself(at: At, kinds: Path) -> None:
    form = at.question(1, "lists/order")
    places = at.page.locator(f"#{form} .place")
    at.hand.press("3", "1")
    expect(places).to_have_text(["hạng 2", "", "hạng 1", ""])
    at.hand.shot("xep-hang")
    at.hand.press("3")  # taken out: the gap closes
    expect(places).to_have_text(["hạng 1", "", "", ""])
    assert "lists/order" not in on_disk(kinds)
    at.hand.press("4", "3")
    at.saved(form)
    assert on_disk(kinds)["lists/order"] == ["road", "water", "school", "clinic"]
    at.question(1, "lists/order")
    expect(places).to_have_text(["hạng 1", "hạng 4", "hạng 3", "hạng 2"])
    assert not at.hand.axe()
    at.hand.press("/")
    at.saved(form)
    expect(places).to_have_text(["", "", "", ""])
    assert on_disk(kinds)["lists/order"] == {"missing": "dont_know"}


def test_an_unfinished_ranking_is_said_when_one_goes_on(at: At) -> None:
    form = at.question(1, "lists/order")
    at.hand.press("2", "Enter")
    expect(at.page.locator(f"#{form} .complaint")).to_contain_text("Mỗi ý một thứ hạng")


def test_a_grid_has_one_heading_and_a_row_a_question(at: At, kinds: Path) -> None:
    at.question(2, "table/place")
    at.hand.press("5")
    expect(at.page.locator("#q-table_2f_forms :focus")).to_have_count(1)
    at.hand.press("2")
    at.saved("q-table_2f_forms")
    assert (on_disk(kinds)["table/place"], on_disk(kinds)["table/forms"]) == ("5", "2")


@pytest.mark.parametrize(
    ("name", "keys", "stored", "said"),
    [
        ("born", "05031980", "1980-03-05", "đã lưu: thứ Tư, 5 tháng 3 năm 1980"),
        ("came", "1430", "14:30:00.000+07:00", "đã lưu"),
        ("handed", "25112026 0915", "2026-11-25T09:15:00.000+07:00", "đã lưu: thứ Tư, 25 tháng 11 năm 2026, 09:15"),
        ("began", "032019", "2019-03-01", "đã lưu: tháng 3 năm 2019"),
    ],
)
def test_dates_and_times_are_figures_and_are_read_back_in_words(
    at: At, kinds: Path, name: str, keys: str, stored: str, said: str
) -> None:
    form = at.question(3, f"times/{name}")
    at.hand.write(keys)
    at.hand.press("Enter")
    at.saved(form, said)
    assert on_disk(kinds)[f"times/{name}"] == stored


def test_in_an_empty_date_the_key_of_a_missing_kind_works(at: At, kinds: Path) -> None:
    form = at.question(3, "times/born")
    at.hand.press("Control+a", "Delete", "*")
    at.saved(form)
    assert on_disk(kinds)["times/born"] == {"missing": "refused"}


def test_repeats_inside_repeats_are_added_and_taken_away(at: At, kinds: Path) -> None:
    member = next(iter(on_disk(kinds)["member"]))
    name = f"member[{member}]/nick".replace("[", "_5b_").replace("]", "_5d_")
    at.saved_after(at.question(4, name), "Mai")
    at.question(4, name)
    adds = at.page.get_by_role("button", name=re.compile("^Thêm"))
    expect(adds.first).to_have_text("Thêm: Việc làm của Mai")
    expect(adds.last).to_have_text("Thêm: Thành viên")
    at.hand.tab_to("Thêm: Việc làm của Mai")
    at.hand.press("Enter")
    expect(at.page.get_by_role("button", name="Bỏ phần này")).to_have_count(3)
    assert len(on_disk(kinds)[f"member[{member}]/job"]) == 2
    at.hand.shot("lap-trong-lap")
    assert not at.hand.axe()
    at.page.get_by_role("button", name="Bỏ phần này").last.focus()
    at.hand.press("Enter")
    expect(at.page.get_by_role("button", name="Bỏ phần này")).to_have_count(2)
    assert len(on_disk(kinds)[f"member[{member}]/job"]) == 1
