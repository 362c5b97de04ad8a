"""The printed form in a browser: sheets of A4 on which nothing is cut off, numbered, each with its serial."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from survey.paper.layout import lay_out
from survey.paper.page import render
from survey.paper.serial import serial
from survey.questionnaire import xlsform
from tests.test_paper import questions

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


def opened(browser: Browser, file: Path, name: str, languages: list[str], copies: int = 1, font: str = "Arial") -> Page:
    """The form as the browser lays it out for printing, in ``font`` where the machine has it."""
    questionnaire = xlsform.load(name)
    numbers = [serial("r1", questionnaire.hash, number) for number in range(1, copies + 1)]
    written = render(questionnaire, languages, numbers)
    assert "font: 10pt/1.3 Arial," in written
    file.write_text(written.replace("1.3 Arial,", f'1.3 "{font}",'), encoding="utf-8")
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    page.emulate_media(media="print")
    page.goto(file.as_uri())
    page.wait_for_selector("body[data-sheets]")
    return page


@pytest.mark.parametrize("font", ["Arial", "Noto Sans"])
@pytest.mark.parametrize("name", ["sipas_2017", "sipas_2026", "papi_2023"])
@pytest.mark.parametrize("languages", [["vi"], ["en"], ["vi", "en"]], ids="+".join)
def test_nothing_is_cut_off_and_nothing_is_lost(
    browser: Browser, tmp_path: Path, name: str, languages: list[str], font: str
):
    page = opened(browser, tmp_path / "form.html", name, languages, font=font)
    cut = page.eval_on_selector_all(
        ".sheet .body",
        "all => all.filter(b => b.scrollHeight > b.clientHeight + 1 || b.scrollWidth > b.clientWidth + 1).length",
    )
    assert cut == 0
    shown = page.eval_on_selector_all(".sheet .number", "all => all.map(n => n.textContent)")
    expected = [f"{question.number}." for question in questions(lay_out(xlsform.load(name)))]
    assert sorted(shown) == sorted(expected)
    wide = page.eval_on_selector_all(
        "th.scale", "all => all.filter(t => t.scrollWidth > t.clientWidth + 1).map(t => t.textContent)"
    )
    assert wide == []
    page.close()


def test_sheets_are_numbered_and_the_contact_sheet_begins_a_leaf_of_its_own(browser: Browser, tmp_path: Path):
    page = opened(browser, tmp_path / "form.html", "sipas_2026", ["vi"], copies=3)
    sheets = page.eval_on_selector_all(
        ".sheet",
        """all => all.map(s => ({
            contact: s.classList.contains('contact'),
            at: s.querySelector('.at') ? s.querySelector('.at').textContent : '',
            serial: s.querySelector('.serial') ? s.querySelector('.serial').textContent : '',
            code: !!s.querySelector('.qr svg'),
        }))""",
    )
    assert len(sheets) % 6 == 0
    of_one = len(sheets) // 3
    hash = xlsform.load("sipas_2026").hash
    for copy in range(3):
        own = sheets[copy * of_one : (copy + 1) * of_one]
        count = sum(bool(sheet["at"]) for sheet in own)
        assert [sheet["at"] for sheet in own[:count]] == [f"{n}/{count}" for n in range(1, count + 1)]
        assert {sheet["serial"] for sheet in own} - {""} == {serial("r1", hash, copy + 1).printed}
        assert [sheet["code"] for sheet in own] == [True] + [False] * (of_one - 1)
        (contact,) = [n for n, sheet in enumerate(own) if sheet["contact"]]
        assert contact % 2 == 0
        assert contact >= count
    page.close()


def test_it_prints_as_many_pages_as_it_has_sheets(browser: Browser, tmp_path: Path):
    page = opened(browser, tmp_path / "form.html", "sipas_2017", ["vi"], copies=2)
    sheets = int(page.eval_on_selector("body", "body => body.dataset.sheets"))
    pdf = page.pdf(prefer_css_page_size=True)
    assert pdf.count(b"/Type /Page\n") == sheets
    page.close()
