"""Fixtures that several test modules share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from tests import outside

SOAK = bool(os.environ.get("SURVEY_SOAK"))

# The same examples on every run, and no clock: a slow machine is not a fault. `make soak` looks at many more.
settings.register_profile("suite", derandomize=True, deadline=None)
settings.register_profile("soak", max_examples=2000, deadline=None, print_blob=True)
settings.load_profile("soak" if SOAK else "suite")


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests see neither the person's own instance nor language: English, and no instance but the test's."""
    monkeypatch.delenv("SURVEY_INSTANCE", raising=False)
    monkeypatch.setenv("SURVEY_LANG", "en")


@pytest.fixture
def shared_data() -> Path:
    """The folder of published figures."""
    return outside.data_folder() or outside.missing("SURVEY_DATA")


@pytest.fixture
def oracles() -> Path:
    """The folder of statistical oracles."""
    return outside.oracles_folder() or outside.missing("SURVEY_ORACLES")


@pytest.fixture
def walks() -> Path:
    """The folder of XLSForm walks."""
    return outside.walks_folder() or outside.missing("SURVEY_WALKS")


@pytest.fixture
def trials() -> Callable[[int, int], int]:
    """``trials(short, long)``: how often to repeat a trial in the suite, or in ``make soak``"""
    return lambda short, long: long if SOAK else short


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says how many tests were skipped for want of which program or folder."""
    if terminalreporter.stats.get("skipped"):
        reasons: dict[str, int] = {}
        for report in terminalreporter.stats["skipped"]:
            reason = str(report.longrepr[2]).removeprefix("Skipped: ")
            reasons[reason] = reasons.get(reason, 0) + 1
        terminalreporter.section("skipped")
        for reason, count in sorted(reasons.items()):
            terminalreporter.line(f"{count} × {reason}")
