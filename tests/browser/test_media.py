"""Pictures, sound and files on the page: chosen, seen, heard by one key, made smaller before they are kept."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from playwright.sync_api import expect

from survey.questionnaire import xlsform
from survey.store import Store, drafts, files, frame
from tests import field
from tests.forms import write
from tests.keyboard import Hand
from tests.test_blobs import png

pytestmark = pytest.mark.browser

SURVEY = """
type           | name  | label::Việt (vi) | label::English (en)     | media::image::Việt (vi) | media::audio::Việt (vi)
select_one map | here  | Ông/Bà ở vùng nào?     | Where do you live?      | ban-do.png                    | hoi.wav
image          | house | Ảnh mặt trước nhà      | Picture of the house    |                               |
geopoint       | place | Vị trí nhà             | Position of the house   |                               |
text           | why   | Ghi thêm               | Notes                   |                               |
"""
CHOICES = """
list_name | name | label::Việt (vi) | label::English (en) | media::image::Việt (vi) | media::audio::Việt (vi)
map       | 1    | Vùng cao               | Uplands             | cao.png                       | cao.wav
map       | 2    | Vùng thấp              | Lowlands            | thap.png                      |
"""


def wav(seconds: float) -> bytes:
    """Silence of a length."""
    size = int(8000 * seconds)
    head = struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)
    return (
        b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt " + head + b"data" + struct.pack("<I", size) + b"\x80" * size
    )


@pytest.fixture
def laptop(instance: Path, tmp_path: Path) -> Path:
    folder = write(tmp_path / "form", survey=SURVEY, choices=CHOICES)
    (folder / "media").mkdir()
    pieces = {"ban-do.png": png(520, 200), "cao.png": png(90, 60, 40), "thap.png": png(90, 60, 200)}
    pieces |= {"hoi.wav": wav(1.0), "cao.wav": wav(30.0)}
    for name, content in pieces.items():
        (folder / "media" / name).write_bytes(content)
    questionnaire = xlsform.load(folder)
    with Store.create(instance, "device", name="laptop") as store:
        field.set_up(store, questionnaire)
        media: dict[str, bytes | None] = {**xlsform.media_files(folder, questionnaire)}
        frame.issue(store, "questionnaire", questionnaire.hash, questionnaire.to_json(), blobs=media)
    return instance


@pytest.fixture
def hand(starting: Hand) -> Hand:
    return starting


def kept(laptop: Path, question: str) -> bytes | None:
    with Store.open(laptop) as store:
        (draft,) = drafts.drafts(store)
        interview = draft["interview"]
        return files.content(store, interview, drafts.answers(store, interview).get(question))


def test_one_key_plays_the_question_and_its_answers_and_stops_them(hand: Hand) -> None:
    page = hand.page
    assert page.evaluate("[...document.images].every((one) => one.complete && one.naturalWidth > 0)")
    hand.shot("hinh-va-tieng")
    assert not hand.axe()
    hand.press("F4")
    expect(page.locator("#q-here button.playing")).to_be_visible()
    expect(page.locator("#q-here .choice.playing")).to_contain_text("Vùng cao")
    hand.press("F4")
    expect(page.locator(".playing")).to_have_count(0)
    hand.press("2")
    expect(page.locator("#s-here.saved")).to_be_visible()


def test_a_photograph_is_made_smaller_kept_seen_and_taken_away(hand: Hand, laptop: Path, tmp_path: Path) -> None:
    page = hand.page
    (tmp_path / "nha.png").write_bytes(png(4000, 3000))
    page.set_input_files("#q-house-file", tmp_path / "nha.png")
    expect(page.locator("#s-house.saved")).to_be_visible()
    picture = page.locator("#q-house .given img")
    expect(picture).to_be_visible()
    picture.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('#q-house .given img').naturalWidth === 2048")
    content = kept(laptop, "house")
    assert content is not None
    assert content[:3] == b"\xff\xd8\xff"
    hand.shot("anh-da-chon")
    assert not hand.axe()
    page.locator("#q-house [data-drop]").focus()
    hand.press("Enter")
    expect(picture).to_have_count(0)
    assert kept(laptop, "house") is None


def test_what_is_no_picture_is_said_at_the_question(hand: Hand, laptop: Path, tmp_path: Path) -> None:
    (tmp_path / "nha.jpg").write_bytes(b"%PDF-1.7 no picture")
    hand.page.set_input_files("#q-house-file", tmp_path / "nha.jpg")
    expect(hand.page.locator("#m-house")).to_contain_text("không phải một ảnh")
    assert kept(laptop, "house") is None
    hand.page.locator("#q-why-box").fill("vẫn ghi tiếp được")
    expect(hand.page.locator("#s-why.saved")).to_be_visible()


def test_a_position_is_typed_and_checked(hand: Hand, laptop: Path) -> None:
    box = hand.page.locator("#q-place-box")
    box.focus()
    hand.write("103,9188 21,3278")
    hand.press("Enter")
    expect(hand.page.locator("#m-place")).to_contain_text("vĩ độ rồi kinh độ")
    hand.shot("vi-tri")
    box.fill("21,3278 103,9188")
    hand.press("Enter")
    expect(hand.page.locator("#q-why-box")).to_be_focused()
    with Store.open(laptop) as store:
        (draft,) = drafts.drafts(store)
        assert drafts.answers(store, draft["interview"])["place"] == "21.3278 103.9188 0 0"


def test_everything_speaks_english_too(hand: Hand) -> None:
    hand.press("F8")
    expect(hand.page.locator("html")).to_have_attribute("lang", "en")
    assert not hand.axe()
