"""The audit in CI: what was reviewed passes, one finding more or one less does not, and a reason is never missing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.outside import ROOT
from tools import audit
from tools.audit import Place, judge


def test_what_was_reviewed_passes_and_one_more_or_one_less_is_named():
    reviewed = {Place("B608", "a.py"): 2, Place("B101", ""): None}
    assert judge({Place("B608", "a.py"): 2, Place("B101", "b.py"): 9}, reviewed) == []
    assert judge({Place("B608", "a.py"): 3, Place("B101", "b.py"): 9}, reviewed) == [
        "a.py: B608 found 3 times, reviewed 2"
    ]
    assert judge({Place("B101", "b.py"): 9}, reviewed) == ["a.py: B608 is reviewed but not found any more"]
    assert judge({Place("B608", "a.py"): 2}, reviewed) == ["everywhere: B101 is reviewed but not found any more"]


def test_a_row_without_a_reason_is_refused(tmp_path: Path):
    (tmp_path / "audit.toml").write_text('[[reviewed]]\nrule = "B608"\nfile = "a.py"\ntimes = 1\nwhy = "fine"\n')
    with pytest.raises(ValueError, match="says not why"):
        audit.read_reviewed(tmp_path / "audit.toml")


def test_our_code_has_no_finding_that_was_not_reviewed_and_a_new_one_is_seen(tmp_path: Path):
    assert audit.code() == []
    for folder in audit.CODE:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "survey" / "new.py").write_text("import subprocess\nsubprocess.call('ls ' + input(), shell=True)\n")
    assert [said for said in audit.code(tmp_path) if "B602" in said] == [
        "survey/new.py: B602 found 1 times, reviewed 0"
    ]
