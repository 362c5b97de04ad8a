"""What a person touches: keys, mouse, an input method at work, two windows, small screens, and pages axe has read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from survey.store import Store, drafts
from tests.keyboard import Hand, Served

pytestmark = pytest.mark.browser


def on_disk(laptop: Path) -> drafts.Answers:
    with Store.open(laptop) as store:
        (draft,) = drafts.drafts(store)
        return drafts.answers(store, draft["interview"])


def state(hand: Hand, key: str) -> Any:
    return expect(hand.page.locator(f"#s-{key}"))


# -- keys ---------------------------------------------------------------------------------------------------------


def test_digits_choose_and_go_on_and_kinds_of_missing_answers_have_their_keys(hand: Hand, laptop: Path) -> None:
    hand.section(3)
    hand.press("4", "/")
    hand.shot("luoi")
    hand.press("+")
    hand.page.wait_for_url("**/4")
    answers = on_disk(laptop)
    assert [answers["b/b1"], answers["b/b2"], answers["b/b3"]] == [
        "4",
        {"missing": "dont_know"},
        {"missing": "not_applicable"},
    ]


def test_a_fast_hand_loses_no_key(hand: Hand, laptop: Path) -> None:
    hand.section(2)
    hand.page.keyboard.type("47", delay=0)
    for key in ("Enter", "1", "C", "h", "ợ", "Enter", "1", "2", "Enter"):
        hand.page.keyboard.press(key) if len(key) > 1 or key.isdigit() else hand.page.keyboard.insert_text(key)
    hand.page.wait_for_url("**/3")
    answers = on_disk(laptop)
    assert answers["a/age"] == "47"
    assert answers["a/job"] == "yes"
    assert answers["a/channels"] == ["radio", "people"]


def test_enter_goes_on_and_shift_enter_back(hand: Hand) -> None:
    hand.section(2)
    assert hand.where()["path"] == "a/age"
    hand.calmly("Enter")
    assert hand.where()["path"] == "a/job"
    hand.calmly("Shift+Enter")
    assert hand.where()["path"] == "a/age"


def test_keys_pressed_while_the_next_section_comes_answer_its_questions(hand: Hand, laptop: Path) -> None:
    hand.section(2)
    hand.page.keyboard.type("47", delay=0)
    for key in ("Enter", "2", "1", "Enter", "4", "5", "/"):
        hand.page.keyboard.press(key)
    hand.page.wait_for_url("**/4")
    answers = on_disk(laptop)
    assert [answers[path] for path in ("a/channels", "b/b1", "b/b2", "b/b3")] == [
        ["radio"],
        "4",
        "5",
        {"missing": "dont_know"},
    ]


def test_the_page_goes_on_by_itself_and_an_enter_out_of_habit_skips_nothing(hand: Hand, laptop: Path) -> None:
    hand.section(2)
    hand.write("47")
    hand.at("#q-a_2f_job")
    hand.press("Enter")
    assert hand.where()["path"] == "a/job"
    hand.press("Backspace")
    assert hand.where()["path"] == "a/job"
    hand.calmly("2", "1", "Enter")
    hand.page.wait_for_url("**/3")
    hand.press("Enter")
    assert hand.where()["path"] == "b/b1"


def test_what_is_left_open_keeps_the_page_and_so_does_a_section_that_was_finished_before(hand: Hand) -> None:
    hand.section(3)
    hand.calmly("4", "Enter", "4")
    expect(hand.page.locator("#onward")).to_be_focused()
    hand.section(3)
    hand.press("5")
    hand.at("#q-b_2f_b3")
    hand.press("3")
    hand.page.wait_for_url("**/4")
    hand.section(3)
    hand.calmly("4", "4", "4")
    expect(hand.page.locator("#onward")).to_be_focused()
    hand.calmly("Shift+Tab")
    hand.go("Enter")
    assert hand.page.url.endswith("/2?at=last")


def test_arrows_move_the_focus_and_never_the_answer(hand: Hand, laptop: Path) -> None:
    hand.section(3)
    hand.calmly("2", "ArrowUp")
    assert hand.where()["path"] == "b/b1"
    hand.calmly("ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown")
    assert hand.where()["path"] == "b/b3"
    assert on_disk(laptop)["b/b1"] == "2"


def test_escape_leads_to_the_list_of_sections_and_back(hand: Hand) -> None:
    hand.section(2)
    hand.press("Escape")
    expect(hand.page.locator("#rail [aria-current]")).to_be_focused()
    hand.press("Escape")
    assert hand.where()["path"] == "a/age"
    hand.press("Escape", "ArrowDown")
    hand.go("Enter")
    assert hand.page.url.endswith("/3")


def test_f8_changes_the_language_at_the_same_question(hand: Hand) -> None:
    hand.section(2)
    hand.press("Enter")
    hand.go("F8")
    assert hand.where()["path"] == "a/job"
    expect(hand.page.get_by_text("Do you have a job?")).to_be_visible()
    hand.go("F8")
    expect(hand.page.get_by_text("Ông/Bà có việc làm không?")).to_be_visible()


def test_the_keys_of_the_vietnamese_layout_of_windows_count_by_their_place(hand: Hand, laptop: Path) -> None:
    hand.section(3)
    hand.page.evaluate(
        """() => document.activeElement.dispatchEvent(
            new KeyboardEvent('keydown', {key: 'ô', code: 'Digit4', bubbles: true, cancelable: true}))"""
    )
    state(hand, "b_2f_b1").to_have_text("đã lưu")
    assert on_disk(laptop)["b/b1"] == "4"


# -- boxes --------------------------------------------------------------------------------------------------------


def test_text_is_saved_by_itself_while_someone_writes(hand: Hand, laptop: Path) -> None:
    hand.section(2)
    hand.write("47")
    state(hand, "a_2f_age").to_have_text("đã lưu")
    assert on_disk(laptop)["a/age"] == "47"
    hand.press("Backspace")
    state(hand, "a_2f_age").to_have_text("chưa lưu")


def test_digits_and_signs_belong_to_the_text_that_is_being_written(hand: Hand, laptop: Path) -> None:
    hand.section(2)
    hand.write("47")
    hand.calmly("Enter", "1")
    hand.write("Bán hàng 1/2 buổi * + 3")
    hand.calmly("Enter")
    assert hand.where()["path"] == "a/channels"
    assert on_disk(laptop)["a/what_job"] == "Bán hàng 1/2 buổi * + 3"


def test_an_input_method_at_work_keeps_every_key(hand: Hand, laptop: Path) -> None:
    hand.section(2)
    hand.write("47")
    hand.calmly("Enter", "1")
    chrome = hand.context.new_cdp_session(hand.page)
    for composing in ("t", "tr", "trô", "trồ", "trồn", "trồng"):
        chrome.send("Input.imeSetComposition", {"text": composing, "selectionStart": 9, "selectionEnd": 9})
        chrome.send("Input.dispatchKeyEvent", {"type": "keyDown", "windowsVirtualKeyCode": 229, "key": "Process"})
        chrome.send(
            "Input.dispatchKeyEvent", {"type": "keyDown", "windowsVirtualKeyCode": 229, "key": "Enter", "code": "Enter"}
        )
        assert hand.where()["path"] == "a/what_job"
    chrome.send("Input.insertText", {"text": "trồng cấy"})
    hand.calmly("Enter")
    assert hand.where()["path"] == "a/channels"
    assert on_disk(laptop)["a/what_job"] == "trồng cấy"


def test_a_refused_answer_stays_in_its_box_with_the_reason_and_never_traps(hand: Hand, laptop: Path) -> None:
    hand.section(2)
    hand.write("170")
    hand.press("Enter")
    expect(hand.page.get_by_text("Ghi tuổi từ 18 đến 110.")).to_be_visible()
    assert hand.where()["path"] == "a/age"
    expect(hand.page.locator("#q-a_2f_age-box")).to_have_value("170")
    hand.shot("tu-choi")
    hand.press("Enter")
    assert hand.where()["path"] == "a/job"
    assert "a/age" not in on_disk(laptop)
    hand.page.reload()
    expect(hand.page.locator("#q-a_2f_age-box")).to_have_value("170")


def test_leaving_the_page_saves_what_stands_in_the_box(hand: Hand, laptop: Path) -> None:
    hand.section(2)
    hand.write("47")
    hand.page.get_by_role("link", name="B. Hài lòng").first.click()
    hand.page.wait_for_url("**/3")
    assert on_disk(laptop)["a/age"] == "47"


def test_closing_the_window_saves_what_stands_in_the_box(hand: Hand, laptop: Path) -> None:
    hand.section(2)
    hand.write("47")
    hand.page.goto("about:blank")
    hand.page.wait_for_timeout(300)
    assert on_disk(laptop)["a/age"] == "47"


def test_whoever_writes_without_a_pause_is_saved_all_the_same(hand: Hand, laptop: Path) -> None:
    hand.section(2)
    hand.write("47")
    hand.calmly("Enter", "1")
    hand.at("#q-a_2f_what_job")
    text = "trồng cà phê, nuôi ong " * 20
    for letter in text:  # less than the pause after which a text is saved lies between two letters
        hand.page.keyboard.insert_text(letter)
        hand.page.wait_for_timeout(5)
        if on_disk(laptop).get("a/what_job"):
            break
    assert text.startswith(on_disk(laptop)["a/what_job"])
    assert hand.where()["path"] == "a/what_job"


@pytest.mark.parametrize("way", ["reload", "F5", "another page"])
def test_leaving_at_once_after_a_letter_loses_none(hand: Hand, laptop: Path, way: str) -> None:
    hand.section(2)
    hand.write("47")
    hand.calmly("Enter", "1")
    hand.at("#q-a_2f_what_job")
    hand.write("làm ruộng, trồng cà phê")
    if way == "F5":
        with hand.page.expect_navigation():
            hand.press("F5")
    elif way == "reload":
        hand.page.reload()
    else:
        hand.page.goto(hand.served.address + "/today")
    if way != "another page":
        hand.at(".question")
    for _ in range(50):  # what is sent on leaving arrives when it arrives, and nobody is told
        if on_disk(laptop).get("a/what_job") == "làm ruộng, trồng cà phê":
            break
        hand.page.wait_for_timeout(100)
    assert on_disk(laptop)["a/what_job"] == "làm ruộng, trồng cà phê"
    assert on_disk(laptop)["a/age"] == "47"


def test_an_input_method_that_takes_letters_back_writes_right_while_an_answer_is_on_its_way(
    hand: Hand, laptop: Path
) -> None:
    hand.section(2)
    hand.write("47")
    hand.calmly("Enter")
    for key in ("1", "d", "Backspace", "đ", "i", " ", "c", "a", "Backspace", "â", "y", "Enter"):
        hand.page.keyboard.press(key) if len(key) > 1 or key.isascii() else hand.page.keyboard.insert_text(key)
    hand.at("#q-a_2f_channels")
    assert on_disk(laptop)["a/what_job"] == "đi cây"


def test_a_kind_of_missing_answer_empties_the_box_and_writing_takes_it_back(hand: Hand, laptop: Path) -> None:
    hand.section(2)
    hand.write("47")
    hand.calmly("*")
    state(hand, "a_2f_age").to_have_text("đã lưu")
    assert on_disk(laptop)["a/age"] == {"missing": "refused"}
    hand.calmly("Shift+Enter")
    expect(hand.page.locator("#q-a_2f_age-box")).to_have_value("")
    hand.page.locator("#q-a_2f_age-box").fill("48")
    expect(hand.page.locator("#q-a_2f_age-refused")).not_to_be_checked()
    state(hand, "a_2f_age").to_have_text("đã lưu")
    assert on_disk(laptop)["a/age"] == "48"


def test_every_kind_of_question_can_be_answered_with_the_mouse(hand: Hand, laptop: Path) -> None:
    hand.section(4)
    hand.page.locator("#q-c_2f_hours-box").fill("3,5")
    hand.page.locator("#q-c_2f_day-box").fill("5/3/2026")
    hand.page.locator("#q-c_2f_mark").get_by_text("7", exact=True).last.click()
    for item in ("Hàng xóm", "Đài"):  # and the last one takes its place by itself
        hand.page.locator("#q-c_2f_order").get_by_text(item).click()
    hand.page.get_by_text("Đã rõ").click()
    state(hand, "c_2f_read_out").to_have_text("đã lưu")
    state(hand, "c_2f_order").to_have_text("đã lưu")
    hand.shot("cac-loai")
    answers = on_disk(laptop)
    assert {name: answers[f"c/{name}"] for name in ("hours", "day", "mark", "order", "read_out")} == {
        "hours": "3.5",
        "day": "2026-03-05",
        "mark": "7",
        "order": ["people", "radio", "none"],
        "read_out": "OK",
    }


def test_instances_of_a_repeat_by_their_buttons(hand: Hand, laptop: Path) -> None:
    hand.section(5)
    hand.write("Ơn")
    hand.page.get_by_role("button", name="Thêm: Thành viên").click()
    expect(hand.page.get_by_text("Tên gọi")).to_have_count(2)
    hand.page.locator("input[type=text]").nth(2).fill("Phượng")
    hand.page.get_by_role("button", name="Bỏ phần này").first.click()
    expect(hand.page.get_by_text("Tên gọi")).to_have_count(1)
    expect(hand.page.locator("input[type=text]").first).to_have_value("Phượng")
    hand.shot("lap")
    answers = on_disk(laptop)
    assert [value for path, value in answers.items() if path.endswith("member_name")] == ["Phượng"]


# -- what a change takes away -------------------------------------------------------------------------------------


def test_before_answers_are_dropped_the_page_asks_and_enter_alone_decides_nothing(hand: Hand, laptop: Path) -> None:
    hand.section(2)
    hand.write("47")
    hand.calmly("Enter", "1")
    hand.write("làm ruộng")
    hand.calmly("Enter", "Shift+Enter", "Shift+Enter", "2")
    ask = hand.page.get_by_role("alertdialog")
    expect(ask).to_be_visible()
    expect(ask).to_contain_text("1 câu trả lời ở mục “A. Người trả lời” sẽ không dùng nữa")
    hand.shot("hoi-truoc")
    hand.calmly("Enter")
    assert on_disk(laptop)["a/job"] == "yes"
    hand.press("2")
    expect(ask).to_be_hidden()
    expect(hand.page.locator("#q-a_2f_job-1")).to_be_checked()
    hand.calmly("2", "1")
    expect(hand.page.get_by_text("Làm nghề gì?")).to_be_hidden()
    assert on_disk(laptop)["a/job"] == "no"


# -- two windows --------------------------------------------------------------------------------------------------


def test_the_older_of_two_windows_is_told_and_can_take_the_interview_back(hand: Hand, laptop: Path) -> None:
    hand.section(2)
    newer = hand.context.new_page()
    newer.goto(hand.page.url)
    newer.locator("#q-a_2f_job-1").check()
    expect(newer.locator("#s-a_2f_job")).to_have_text("đã lưu")
    hand.page.bring_to_front()
    hand.page.locator("#q-a_2f_age-box").fill("47")
    expect(hand.page.get_by_text("Phiếu này đang mở ở một cửa sổ khác.")).to_be_visible()
    hand.shot("hai-cua-so")
    assert "a/age" not in on_disk(laptop)
    with hand.page.expect_navigation():
        hand.page.get_by_role("button", name="Làm tiếp ở cửa sổ này").click()
    expect(hand.page.locator("#q-a_2f_job-1")).to_be_checked()
    assert on_disk(laptop)["a/age"] == "47"


# -- the screen ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1366, 683])
def test_nothing_needs_sideways_scrolling(hand: Hand, width: int) -> None:
    """683 is 1366 at 200 %."""
    hand.page.set_viewport_size({"width": width, "height": 768 if width == 1366 else 384})
    for section in range(1, 6):
        hand.section(section)
        wide = hand.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide[0] <= wide[1], (section, wide)
        hand.shot(f"rong-{width}-{section}")


def test_what_can_be_pressed_is_large_enough(hand: Hand) -> None:
    for section in range(1, 6):
        hand.section(section)
        small = hand.page.evaluate(
            """() => [...document.querySelectorAll(
                    'a[href], button, .choice, .cell:has(input), input[type=text], select')]
                .filter(e => e.getClientRects().length && !e.matches('.skip'))
                .map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
                .filter(([, box]) => box.width < 44 || box.height < 44).map(([html]) => html)"""
        )
        assert small == []


def test_browser_storage_holds_nothing(hand: Hand, served: Served) -> None:
    hand.section(2)
    hand.write("47")
    state(hand, "a_2f_age").to_have_text("đã lưu")
    hand.page.goto(served.address + "/sign-in")  # a page whose scripts hide no storage
    assert hand.page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
    assert hand.page.evaluate("indexedDB.databases()") == []
    assert [cookie["name"] for cookie in hand.context.cookies()] == ["survey"]


def test_larger_letters_stay_for_the_session_and_need_no_sideways_scrolling(hand: Hand, laptop: Path) -> None:
    def height() -> float:
        return float(hand.page.evaluate("parseFloat(getComputedStyle(document.querySelector('.ask')).fontSize)"))

    hand.section(2)
    usual = height()
    hand.page.keyboard.type("47", delay=0)
    with hand.page.expect_navigation():
        hand.page.get_by_role("button", name="Chữ lớn hơn").click()
    hand.at("#q-a_2f_job, #q-a_2f_age")
    assert on_disk(laptop)["a/age"] == "47"
    with hand.page.expect_navigation():
        hand.page.get_by_role("button", name="Chữ lớn hơn").click()
    assert height() == pytest.approx(usual * 24 / 18, abs=0.1)
    expect(hand.page.get_by_role("button", name="Chữ lớn hơn")).to_be_disabled()
    found = []
    for section in range(1, 6):
        hand.section(section)
        wide = hand.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide[0] <= wide[1], (section, wide)
        found.extend(hand.axe())
        hand.shot(f"lon-{section}")
    assert found == []
