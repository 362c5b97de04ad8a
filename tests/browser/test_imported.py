"""What a supervisor sees of a form that was keyed in a spreadsheet: where it came from and what is odd about it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from survey.store import Store, current, frame
from tests import field
from tests.field import LAN, PIN, ROUND
from tests.keyboard import Hand, Served, survey

pytestmark = pytest.mark.browser

MAP = "column,question,value,choice\nSTT,#key,,\nHộ,#unit,,\n,#mode,,web\n" + "".join(
    f"{name},{name},,\n" for name in ("consent", "age", "job", "what_job", "channels", "b1", "b2", "b3")
)
ROWS = """STT,Hộ,consent,age,job,what_job,channels,b1,b2,b3
1,u1,yes,12,no,thợ mộc,radio none,4,,5
2,,yes,40,no,,radio,4,3,5
"""


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_record_of_an_imported_form_reads_well(
    browser: Browser, served: Served, laptop: Path, shots: Path, tmp_path: Path, language: str
) -> None:
    (tmp_path / "map.csv").write_text(MAP, encoding="utf-8")
    (tmp_path / "phieu.csv").write_text(ROWS, encoding="utf-8")
    said = survey(laptop, "import", "responses", str(tmp_path / "phieu.csv"), "--map", str(tmp_path / "map.csv"))
    assert "1 of the sample, 1 volunteer," in said
    with Store.open(laptop) as store:
        (drawn,) = current.interviews(store, ROUND, unit="u1")
        (unit,) = frame.units(store, ROUND, list="volunteer")
        (own,) = current.interviews(store, ROUND, unit=unit["id"])
    hand = Hand(browser, served, shots, f"import-{language}")
    hand.sign_in(next(name for user, name, _ in field.PEOPLE if user == LAN), PIN)
    if language == "en":
        hand.page.locator("button", has_text="EN").click()
    hand.page.goto(f"{served.address}/interviews/{drawn['interview']}")
    words = {
        "vi": ("tự điền trên mạng · tệp phieu.csv, dòng 2", "ngoài giới hạn cho phép", "Người tự nguyện"),
        "en": ("on the web · file phieu.csv, row 2", "outside what is allowed", "Volunteer"),
    }[language]
    expect(hand.page.get_by_text(words[0])).to_be_visible()
    expect(hand.page.get_by_text(words[1]).first).to_be_visible()
    expect(hand.page.get_by_text("thợ mộc")).to_be_visible()
    hand.shot("phieu")
    assert hand.axe() == []
    hand.page.goto(f"{served.address}/interviews/{own['interview']}")
    expect(hand.page.locator("h1")).to_contain_text(words[2])
    assert hand.axe() == []
    hand.close()
