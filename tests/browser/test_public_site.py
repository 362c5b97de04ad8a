"""The public site in a browser: nothing asked of others, a search without diacritics, whole without scripts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, Page

from survey.cli import cli
from tests.public_site import CHIENG_MUNG, HIDDEN_ONE, scores_files

pytestmark = pytest.mark.browser
SIZES = ((1366, 768), (390, 844))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the three communes, as files."""
    made = tmp_path_factory.mktemp("site")
    line = ["report", *map(str, scores_files(made)), "--index", "sipas_2026", "--site", str(made / "site")]
    assert CliRunner().invoke(cli, line, catch_exceptions=False).exit_code == 0
    return made / "site"


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """The site from a web server that does nothing but hand out files."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), lambda *given: Quiet(*given, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page whose every request must go to the site itself and whose console must stay empty."""
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    wrong: list[str] = []
    page.on("request", lambda one: None if one.url.startswith((address, "data:")) else wrong.append(one.url))
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    context.close()
    assert wrong == []


def axe(page: Page) -> list[str]:
    """What axe finds, from outside the page's own policy."""
    page.context.new_cdp_session(page).send("Page.setBypassCSP", {"enabled": True})
    page.reload()
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{page.url}: {rule['id']}: {json.dumps(node['target'])}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("name", ["index", "tinh-14", f"xa-{CHIENG_MUNG}", f"xa-{HIDDEN_ONE}", "tim-kiem"])
def test_axe_finds_nothing_and_no_page_is_wider_than_the_screen(
    page: Page, address: str, shots: Path, name: str
) -> None:
    for language in ("", "en/"):
        page.goto(f"{address}{language}{name}.html")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert axe(page) == []
        page.emulate_media(color_scheme="light")
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            page.screenshot(path=shots / f"site-{language[:2]}{name}-{width}.png")


def test_a_place_is_found_without_diacritics_from_any_page_by_keyboard(page: Page, address: str) -> None:
    page.goto(f"{address}xa-{CHIENG_MUNG}.html")
    page.get_by_label("Tìm tỉnh, xã").focus()
    page.keyboard.type("chieng mung son la")
    page.keyboard.press("Enter")
    page.wait_for_url("**/tim-kiem.html?q=chieng+mung+son+la")
    assert page.locator("#results a").all_inner_texts() == ["Xã Chiềng Mung"]
    assert page.locator("#found").inner_text() == "1 nơi"
    box = page.get_by_label("Tìm tỉnh, xã")
    box.fill("CHIỀNG SUNG")
    assert "chưa đủ phiếu để công bố" in page.locator("#results li").inner_text()
    box.fill("không có nơi này")
    assert page.locator("#found").inner_text() == "Không tìm thấy nơi nào"
    box.fill("mai son")
    page.locator("#results a").first.click()
    assert page.locator("h1").inner_text() == "Xã Mai Sơn"
    page.get_by_role("link", name="English").click()
    assert page.locator("h1").inner_text() == "Mai Sơn commune"


def test_without_scripts_every_place_is_reached_and_every_figure_is_there(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}tim-kiem.html?q=mai")
    assert page.get_by_text("Trình duyệt đang tắt JavaScript").is_visible()
    page.get_by_role("link", name="Tỉnh Sơn La").click()
    page.get_by_role("link", name="Xã Chiềng Mung").click()
    assert "80,50" in page.locator(".headline").inner_text()
    with page.expect_download() as download:
        page.get_by_role("link", name="Tải số liệu").click()
    assert "80.5" in Path(download.value.path()).read_text(encoding="utf-8-sig")
    context.close()


def test_the_site_works_from_a_folder_without_any_server(browser: Browser, folder: Path) -> None:
    page = browser.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))
    page.goto((folder / "tim-kiem.html").as_uri() + "?q=chieng+mung")
    page.locator("#results a").click()
    assert page.locator("h1").inner_text() == "Xã Chiềng Mung"
    assert page.locator("h1").evaluate("e => getComputedStyle(e).fontWeight") == "700"
    assert wrong == []
    page.close()
