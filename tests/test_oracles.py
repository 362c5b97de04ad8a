"""Our estimators against R ``survey``'s: every case of every JSON file in ``SURVEY_ORACLES`` is one test here.

A case says what the data, the design, the weighting and the estimator are; :mod:`tests.oracle_cases` turns that into a
call of ours and compares figure by figure. A kind that is not built yet is an expected failure that names it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests import oracle_cases, outside


def _cases() -> list[Any]:
    folder = outside.oracles_folder()
    found = []
    for file in sorted(folder.glob("*.json")) if folder else ():
        for case in json.loads(file.read_text(encoding="utf-8"))["cases"]:
            missing = oracle_cases.not_built(case)
            marks = [pytest.mark.xfail(reason=f"not built: {missing}", raises=NotImplementedError, strict=True)]
            name = f"{file.stem}:{case['id']}:{case['estimator']['kind']}"
            found.append(pytest.param(folder, case, id=name, marks=marks if missing else []))
    return found or [pytest.param(None, None, id="none")]


@pytest.mark.parametrize(("folder", "case"), _cases())
def test_oracle(folder: Path | None, case: dict[str, Any] | None) -> None:
    if folder is None or case is None:
        outside.missing("SURVEY_ORACLES")
    if missing := oracle_cases.not_built(case):
        raise NotImplementedError(missing)
    oracle_cases.check(case, folder)
