"""The report in a browser: the language switch without script, nothing fetched, readable, and A4 in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from analysis.report.cells import cells
from analysis.report.page import build
from tests.test_report import COMMUNES, META, SEX, WHOLE, index, own

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the small index as a file, as a person opens it."""
    file = tmp_path_factory.mktemp("report") / "báo cáo.html"
    file.write_text(build(cells(WHOLE + COMMUNES + SEX), index(), META), encoding="utf-8")
    return file


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    """The report at the size of a field laptop; anything it asks of a server or complains about fails the test."""
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: asked.append(message.text))
    page.on("pageerror", lambda error: asked.append(str(error)))
    page.goto(report.as_uri())
    yield page
    context.close()
    assert asked == [report.as_uri()]


def test_the_switch_shows_one_language_at_a_time_and_tells_the_browser(page: Page) -> None:
    assert page.locator("article:visible h1").all_inner_texts() == ["Khảo sát Sơn La"]
    page.get_by_text("English", exact=True).click()
    assert page.locator("article:visible h1").all_inner_texts() == ["Survey of Sơn La"]
    assert page.locator("html").get_attribute("lang") == "en"
    page.get_by_text("Tiếng Việt", exact=True).click()
    assert page.locator("html").get_attribute("lang") == "vi"


def test_the_switch_works_from_the_keyboard_and_shows_its_focus(page: Page) -> None:
    page.keyboard.press("Tab")
    outline = page.locator("label[for=show-vi]").evaluate("e => getComputedStyle(e).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("ArrowRight")
    assert page.locator("article:visible").get_attribute("lang") == "en"


def test_the_switch_needs_no_script(browser: Browser, report: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    page.get_by_text("English", exact=True).click()
    assert page.locator("article:visible").count() == 1
    assert page.locator("article:visible").get_attribute("lang") == "en"
    context.close()


def test_an_address_may_name_the_language(browser: Browser, report: Path) -> None:
    page = browser.new_page()
    page.goto(report.as_uri() + "#en")
    assert page.locator("article:visible").get_attribute("lang") == "en"
    page.close()


@pytest.mark.parametrize(("width", "zoom"), [(1366, 1), (1366, 2), (390, 1)])
def test_the_page_never_scrolls_sideways(browser: Browser, report: Path, width: int, zoom: int) -> None:
    # Zooming to 200 % halves the page's width in its own pixels.
    page = browser.new_page(viewport={"width": width // zoom, "height": 768 // zoom})
    page.goto(report.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.close()


CONTRAST = """() => {
  const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if (!/, 0\\)$/.test(c)) return c; } return 'rgb(255, 255, 255)'; };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT); const found = [];
  for (let n; (n = walk.nextNode());) { const e = n.parentElement;
    if (!n.data.trim() || !e.checkVisibility() || ['SCRIPT', 'STYLE', 'title', 'desc'].includes(e.tagName)) continue;
    const style = getComputedStyle(e);
    const [a, b] = [light(e instanceof SVGElement ? style.fill : style.color), light(behind(e))].sort((x, y) => y - x);
    found.push([(a + 0.05) / (b + 0.05), n.data.trim()]); }
  return found; }"""


def test_every_text_has_enough_contrast(page: Page) -> None:
    ratios = page.evaluate(CONTRAST)
    assert len(ratios) > 100
    assert [text for ratio, text in ratios if ratio < 4.5] == []


def test_no_text_of_a_chart_is_cut_or_runs_into_another(page: Page) -> None:
    for chart in page.locator("article:visible svg.chart").all():
        boxes = chart.evaluate(
            """svg => { const frame = svg.getBoundingClientRect();
            return [...svg.querySelectorAll('text')].map(t => { const b = t.getBoundingClientRect();
            return [b.left - frame.left, b.top, b.right - frame.left, b.bottom, frame.width, t.textContent]; }); }"""
        )
        assert boxes
        for left, _, right, _, width, text in boxes:
            assert left >= -1, text
            assert right <= width + 1, text
        for k, (left, top, right, bottom, _, text) in enumerate(boxes):
            for other_left, other_top, other_right, other_bottom, _, other in boxes[k + 1 :]:
                apart = right <= other_left or other_right <= left or bottom <= other_top + 2 or other_bottom <= top + 2
                assert apart, f"{text} / {other}"


@pytest.mark.parametrize("language", ["vi", "en"])
def test_it_prints_on_a4_in_the_language_shown(page: Page, language: str, tmp_path: Path) -> None:
    page.locator(f"label[for=show-{language}]").click()
    file = tmp_path / "report.pdf"
    page.pdf(path=file, prefer_css_page_size=True)
    data = file.read_bytes()
    sizes = set(re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", data))
    assert {(round(float(w)), round(float(h))) for w, h in sizes} == {(595, 842)}
    pages = len(re.findall(rb"/Type /Page\b", data))
    assert 1 < pages <= 6
    page.emulate_media(media="print")
    assert page.locator("article:visible").get_attribute("lang") == language
    assert page.locator("label:visible").count() == 0


def _column(page: Page) -> list[str]:
    rows = page.locator("article:visible table").first.locator("tbody tr:not([hidden]) th")
    return [text.strip() for text in rows.all_inner_texts()]


def test_a_press_on_a_heading_sorts_and_a_third_brings_the_order_back(page: Page) -> None:
    printed = _column(page)
    head = page.locator("article:visible table").first.get_by_role("button", name="Ước lượng")
    head.focus()
    for key, order in (("Enter", "descending"), ("Enter", "ascending")):
        page.keyboard.press(key)
        assert page.locator(f"article:visible th[aria-sort={order}]").count() == 1
        cells = page.locator("article:visible table").first.locator("tbody td:nth-of-type(1)").all_inner_texts()
        values = [float(text.replace(",", ".")) for text in cells]
        assert values == sorted(values, reverse=order == "descending")
    page.keyboard.press("Enter")
    assert _column(page) == printed
    assert page.locator("article:visible th[aria-sort]").count() == 0


def test_long_tables_are_searched_without_diacritics(browser: Browser, tmp_path: Path) -> None:
    rows = [own("T", 60 + k, level="commune", domain=name) for k, name in enumerate(
        ["Đức Hòa", "Đông Hoà", *(f"Xã {k}" for k in range(12))])]  # fmt: skip
    file = tmp_path / "many.html"
    file.write_text(build(cells(rows), index(), META), encoding="utf-8")
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(file.as_uri())
    page.get_by_label("Tìm trong bảng").first.fill("duc hoa")
    assert _column(page) == ["Đức Hòa"]
    page.get_by_label("Tìm trong bảng").first.fill("hoa")
    assert sorted(_column(page)) == ["Đông Hoà", "Đức Hòa"]
    page.get_by_label("Tìm trong bảng").first.fill("")
    assert len(_column(page)) == 14
    page.close()


def test_resting_on_a_mark_tells_the_interval(page: Page) -> None:
    said = page.locator("article:visible svg.chart title").all_text_contents()
    assert "Chiềng Mung: 80,00 (75,00–85,00)" in said


@pytest.mark.parametrize("width", [1366, 390])
def test_the_page_has_no_barrier_that_axe_finds(browser: Browser, report: Path, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 768}, bypass_csp=True)
    page = context.new_page()
    page.goto(report.as_uri())
    for language in ("Tiếng Việt", "English"):
        page.get_by_text(language, exact=True).click()
        assert [found["id"] for found in Axe().run(page).response["violations"]] == []
    context.close()
