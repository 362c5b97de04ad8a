"""What every browser test has: a place for pictures, a laptop with the small questionnaire, its server, and a hand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from survey.store import Store
from tests import field
from tests.field import PIN
from tests.keyboard import Hand, Served


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pictures go: ``SURVEY_SCREENSHOTS``, else a folder that is thrown away."""
    folder = Path(os.environ.get("SURVEY_SCREENSHOTS") or tmp_path_factory.mktemp("shots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def laptop(instance: Path) -> Path:
    """A laptop with the small questionnaire, which has one question of every kind."""
    with Store.create(instance, "device", name="laptop") as store:
        field.set_up(store, field.small())
    return instance


@pytest.fixture
def served(laptop: Path) -> Iterator[Served]:
    """The laptop's server, in a process of its own."""
    with Served(laptop) as served:
        yield served


@pytest.fixture
def starting(browser: Browser, served: Served, shots: Path, request: pytest.FixtureRequest) -> Iterator[Hand]:
    """The enumerator, signed in, at the first question of an interview."""
    hand = Hand(browser, served, shots, request.module.__name__.rpartition("test_")[2])
    hand.sign_in("Lò Thị Hoa", PIN)
    hand.start()
    yield hand
    hand.close()


@pytest.fixture
def hand(starting: Hand) -> Hand:
    """The enumerator in an interview of the small questionnaire, with consent given."""
    starting.consent()
    return starting
