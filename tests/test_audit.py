"""The audit in CI: what was reviewed passes, one finding more or one less does not, and a reason is never missing."""

from __future__ import annotations

from pathlib import Path

import pytest

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


def test_a_finding_in_the_code_is_named_with_its_file_until_a_row_answers_for_it(tmp_path: Path):
    for folder in audit.CODE:
        (tmp_path / folder).mkdir()
    (tmp_path / "survey" / "new.py").write_text("import subprocess\nsubprocess.call('ls ' + input(), shell=True)\n")
    rows = tmp_path / "audit.toml"
    row = '[[reviewed]]\nrule = "{}"\nfile = "survey/new.py"\ntimes = 1\nwhy = "a trial of the audit itself"\n'
    rows.write_text(row.format("B404"))
    assert audit.code(tmp_path, rows) == ["survey/new.py: B602 found 1 times, reviewed 0"]
    rows.write_text(row.format("B404") + row.format("B602"))
    assert audit.code(tmp_path, rows) == []
