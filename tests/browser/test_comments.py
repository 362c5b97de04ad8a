"""F9: a comment at a question, by keyboard alone."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from playwright.sync_api import expect

from survey.store import Store, drafts, remarks
from tests.keyboard import Hand, Served

pytestmark = pytest.mark.browser


def on_disk(laptop: Path) -> dict[str, str]:
    with Store.open(laptop) as store:
        (draft,) = drafts.drafts(store)
        return remarks.comments(store, draft["interview"])


def test_f9_opens_a_box_at_the_question_and_gives_the_focus_back(hand: Hand, laptop: Path) -> None:
    hand.section(3)
    hand.calmly("4", "F9")
    expect(hand.page.locator("#comment-text")).to_be_focused()
    hand.write("Hàng ghế 1/2 hỏng")
    expect(hand.page.locator("#comment-state")).to_have_text("đã lưu")
    assert on_disk(laptop) == {"b/b2": "Hàng ghế 1/2 hỏng"}
    hand.shot("luoi")
    hand.calmly("Escape")
    assert hand.where()["path"] == "b/b2"
    expect(hand.page.locator("#c-b_2f_b2")).to_contain_text("Hàng ghế 1/2 hỏng")
    hand.shot("da-ghi")
    hand.calmly("5")
    assert hand.where()["path"] == "b/b3"
    hand.page.reload()
    expect(hand.page.locator("#c-b_2f_b2")).to_contain_text("Hàng ghế 1/2 hỏng")


def test_closing_the_box_at_once_saves_and_a_second_look_shows_the_words(hand: Hand, laptop: Path) -> None:
    hand.section(2)
    hand.write("47")
    hand.press("F9")
    hand.write("khoảng")
    hand.press("F9")
    expect(hand.page.locator("#comment")).to_be_hidden()
    assert on_disk(laptop) == {"a/age": "khoảng"}
    expect(hand.page.locator("#q-a_2f_age-box")).to_be_focused()
    expect(hand.page.locator("#q-a_2f_age-box")).to_have_value("47")
    hand.page.get_by_role("button", name="F9 ghi chú").click()
    expect(hand.page.locator("#comment-text")).to_have_value("khoảng")
    hand.press("Control+a", "Delete", "F9")
    expect(hand.page.locator("#comment")).to_be_hidden()
    assert on_disk(laptop) == {}


def test_a_comment_survives_a_power_cut_while_it_is_written(hand: Hand, served: Served, laptop: Path) -> None:
    hand.section(2)
    hand.press("F9")
    served.stop(signal.SIGKILL)
    hand.write("không chắc")
    expect(hand.page.locator("#comment-state")).to_contain_text("chưa lưu được")
    hand.press("F9")
    expect(hand.page.locator("#comment-text")).to_have_value("không chắc")
    served.start()
    expect(hand.page.locator("#comment-state")).to_have_text("đã lưu", timeout=10_000)
    assert on_disk(laptop) == {"a/age": "không chắc"}


def test_a_comment_typed_without_a_pause_is_on_disk_within_a_second(hand: Hand, laptop: Path) -> None:
    """The page's clock is the test's: a tenth of a second between letters, which no slow machine can stretch into a
    pause, and no time at all after the last letter."""
    clock = hand.page.clock
    clock.install()
    hand.section(2)
    hand.press("F9")
    expect(hand.page.locator("#comment-text")).to_be_focused()
    clock.pause_at(hand.page.evaluate("Date.now() / 1000 + 30"))
    with hand.page.expect_response("**/comment"):
        for letter in "không nghỉ tay":
            clock.run_for(100)
            hand.write(letter)
    assert on_disk(laptop) == {"a/age": "không nghỉ"}


def test_the_older_of_two_windows_takes_the_interview_back_with_its_comment(hand: Hand, laptop: Path) -> None:
    hand.section(2)
    newer = hand.context.new_page()
    newer.goto(hand.page.url)
    hand.page.bring_to_front()
    hand.press("F9")
    hand.write("hỏi lại")
    expect(hand.page.locator("#comment-take")).to_be_visible()
    assert on_disk(laptop) == {}
    hand.shot("hai-cua-so")
    hand.page.locator("#comment-take").click()
    expect(hand.page.locator("#comment")).to_be_hidden()
    assert on_disk(laptop) == {"a/age": "hỏi lại"}


@pytest.mark.parametrize("language", ["vi", "en"])
def test_axe_finds_nothing_with_the_box_open(hand: Hand, language: str) -> None:
    hand.section(3)
    if language == "en":
        hand.go("F8")
        hand.at(".question")
    hand.press("F9")
    hand.write("x" * 40)
    expect(hand.page.locator("#comment-state .saved")).to_be_visible()
    hand.shot(f"axe-{language}")
    assert hand.axe() == []
