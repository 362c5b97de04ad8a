"""Pages for those who do not interview: an observer follows the work by numbers alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from survey.store import Store
from tests import field
from tests.field import PIN
from tests.keyboard import Hand, Served

pytestmark = pytest.mark.browser

MAI = ("pmai", "Vũ Thị Mai", ["observer"])


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """A hub of the small round with an observer and a sealed interview."""
    folder = tmp_path / "office"
    with Store.create(folder, role="hub", name="hub") as store:
        field.set_up(store, field.small(), [*field.PEOPLE, MAI])
        field.sealed(store, "u1", field.small())
    return folder


def test_an_observer_lands_on_the_progress_of_the_communes(browser: Browser, office: Path, shots: Path) -> None:
    with Served(office) as served:
        hand = Hand(browser, served, shots, "mat-tran")
        hand.sign_in(MAI[1], PIN)
        row = hand.page.get_by_role("row", name="xã Chiềng Mung")
        expect(row.get_by_role("cell")).to_have_text(["3", "1", "0", "2", "0", "0", "0", "33,3 %", "0,0 %"])
        expect(hand.page.get_by_role("navigation").get_by_role("link")).to_have_text(["Tiến độ"])
        hand.shot("tien-do")
        assert hand.axe() == []
        hand.close()
