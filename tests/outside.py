"""What the tests use but do not carry: folders of reference data and programs of the machine.

Where one is missing, its tests are skipped and counted; under ``CI`` they fail instead, so that nothing passes unseen.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parent.parent

SOAK = bool(os.environ.get("SURVEY_SOAK"))
"""Whether the long trials run whole (`make soak`)."""


def in_ci() -> bool:
    """Whether a missing program or folder must fail the run."""
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def folder(variable: str, default: str) -> Path | None:
    """The folder named by the environment ``variable``, else ``default`` beside the repository, if it exists."""
    path = Path(os.environ.get(variable) or ROOT.parent / "shared" / default)
    return path if path.is_dir() else None


def data_folder() -> Path | None:
    """Published figures (``SURVEY_DATA``)."""
    return folder("SURVEY_DATA", "data")


def oracles_folder() -> Path | None:
    """Statistical oracles (``SURVEY_ORACLES``)."""
    return folder("SURVEY_ORACLES", "oracles")


def walks_folder() -> Path | None:
    """Recorded walks through XLSForms (``SURVEY_WALKS``)."""
    return folder("SURVEY_WALKS", "xlsform_walks")


def missing(what: str) -> NoReturn:
    """Ends the running test for want of ``what``: a counted skip, a failure under CI."""
    if in_ci():
        pytest.fail(f"{what} is missing, and under CI nothing may be skipped", pytrace=False)
    pytest.skip(f"{what} is missing")


def program(*names: str) -> str:
    """Full path of the first of these programs that the machine has; :func:`missing` if it has none."""
    for name in names:
        path = shutil.which(name)
        if path:
            return path
    missing(names[0])
