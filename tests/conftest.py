"""Fixtures that several test modules share."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from hypothesis import settings

from survey.cli import cli
from survey.store import Store
from tests import field, outside
from tests.field import HOA, Clock, Interviewer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# The same examples on every run, and no clock: a slow machine is not a fault. `make soak` looks at many more.
settings.register_profile("suite", derandomize=True, deadline=None)
settings.register_profile("soak", max_examples=2000, deadline=None, print_blob=True)
settings.load_profile("soak" if outside.SOAK else "suite")


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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever has a long form is a long trial, so that `make soak` leaves none out."""
    for item in items:
        if "trials" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.soak)


@pytest.fixture
def trials() -> Callable[[int, int], int]:
    """``trials(short, long)``: how often to repeat a trial in the suite, or in ``make soak``"""
    return lambda short, long: long if outside.SOAK else short


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    """Where the test's own instance is or will be."""
    return tmp_path / "instance"


@pytest.fixture
def device(instance: Path) -> Iterator[Store]:
    """The open store of a field laptop in ``instance``."""
    with Store.create(instance, "device", name="laptop") as store:
        yield store


@pytest.fixture
def clock() -> Clock:
    """The clock of the app, which stands still until it is told to go on."""
    return Clock()


@pytest.fixture
def staff() -> Sequence[field.Person]:
    """Who is known on the laptop of ``app``."""
    return field.PEOPLE


@pytest.fixture
def app(device: Store, instance: Path, clock: Clock, staff: Sequence[field.Person]) -> Iterator[Flask]:
    """The app over a laptop with the small round."""
    field.set_up(device, field.small(), staff)
    with field.running(instance, clock) as app:
        yield app


@pytest.fixture
def hoa(app: Flask) -> Interviewer:
    """The enumerator, signed in."""
    person = Interviewer(app)
    person.sign_in(HOA)
    return person


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Store]:
    """The open store of a supervisor's hub."""
    with Store.create(tmp_path / "hub", "hub", name="hub") as store:
        yield store


@pytest.fixture
def province(tmp_path: Path) -> Iterator[Store]:
    """The open store of a hub above the supervisor's."""
    with Store.create(tmp_path / "province", "hub", tier="province") as store:
        yield store


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """An empty stick."""
    (tmp_path / "stick").mkdir()
    return tmp_path / "stick"


@pytest.fixture
def survey(instance: Path) -> Callable[..., Result]:
    """``survey("user", "list")`` runs the command line in this process on ``instance``; gives exit code and output."""

    def run(*arguments: object, input: str | None = None) -> Result:
        return CliRunner().invoke(cli, ["--instance", str(instance), *map(str, arguments)], input=input)

    return run


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, driven by Playwright. Without either, the tests that want it are skipped and counted."""
    from playwright.sync_api import sync_playwright

    executable = outside.program("chromium", "chromium-browser", "google-chrome")
    if subprocess.run([sys.executable, "-m", "playwright", "--version"], capture_output=True).returncode:
        outside.missing("a library of Playwright's driver (libatomic1)")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable)
        yield chromium
        chromium.close()


ORACLE = re.compile(r"tests/test_oracles\.py::test_oracle\[.*:(?P<kind>[^:]+)\]")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says how many cases of the statistical oracles there were of each kind and how they ended, and how many tests
    were skipped for want of which program or folder."""
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for outcome in ("passed", "failed", "error", "xfailed", "skipped"):
        for report in terminalreporter.stats.get(outcome, ()):
            if found := ORACLE.fullmatch(report.nodeid):
                kinds[found["kind"]][outcome] += 1
    if kinds:
        terminalreporter.section(f"oracles: {sum(one.total() for one in kinds.values())} cases of {len(kinds)} kinds")
        for kind, outcomes in sorted(kinds.items()):
            terminalreporter.line(f"{kind}: " + ", ".join(f"{count} {name}" for name, count in outcomes.items()))
    if terminalreporter.stats.get("skipped"):
        reasons: dict[str, int] = {}
        for report in terminalreporter.stats["skipped"]:
            reason = str(report.longrepr[2]).removeprefix("Skipped: ")
            reasons[reason] = reasons.get(reason, 0) + 1
        terminalreporter.section("skipped")
        for reason, count in sorted(reasons.items()):
            terminalreporter.line(f"{count} × {reason}")
