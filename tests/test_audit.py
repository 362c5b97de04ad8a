"""The audit in CI: what was reviewed passes, one finding more or one less does not, and a reason is never missing."""

from __future__ import annotations

import json
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


SQL = """
NAMES = "a, b"


def read(db, table, wanted, which):
    rows = db.execute(
        f"SELECT {NAMES} FROM {table}" " WHERE x = ?" + which,
        (wanted,),
    )
    return rows, "SELECT {} FROM t".format(table), "SELECT %s" % wanted


class Board:
    def read(self, db):
        return db.execute(f"SELECT 1 FROM {self.table}")
"""


def test_of_sql_it_is_told_what_is_put_in_and_in_which_function():
    assert audit.put_in(SQL, [6, 7]) == {"read: table", "read: which"}, "NAMES is a literal"
    changed = SQL + "\n\ndef change(x):\n    global NAMES\n    NAMES = x\n"
    assert audit.put_in(changed, [6, 7]) == {"read: NAMES", "read: table", "read: which"}
    assert audit.put_in(SQL, [10]) == {"read: table", "read: wanted"}
    assert audit.put_in(SQL, [15]) == {"Board.read: self.table"}
    assert audit.put_in('A = "x"\n\n\ndef f():\n    return f"SELECT {A}"\n', [5]) == set()
    assert audit.put_in('def f():\n    x = "SELECT 1"\n', [2]) == {"f: ?"}, "a person has to look"


def test_another_expression_in_sql_is_named_and_another_statement_with_the_same_is_not(tmp_path: Path):
    for folder in audit.CODE:
        (tmp_path / folder).mkdir()
    rows, file = tmp_path / "audit.toml", tmp_path / "survey" / "new.py"
    row = '[[reviewed]]\nrule = "B608"\nfile = "survey/new.py"\nputs = ["f: NAMES"]\nwhy = "looked up in a table"\n'
    rows.write_text(row)
    one = '    db.execute(f"SELECT {%s} FROM t WHERE x = 1")\n'
    file.write_text("def f(db, NAMES, asked):\n" + one % "NAMES")
    assert audit.code(tmp_path, rows) == []
    file.write_text("# moved\n\ndef f(db, NAMES, asked):\n" + one % "NAMES" + one % "NAMES")
    assert audit.code(tmp_path, rows) == []
    file.write_text("def f(db, NAMES, asked):\n" + one % "NAMES" + one % "asked")
    assert audit.code(tmp_path, rows) == ["survey/new.py: f: asked is put into SQL and was not reviewed (B608)"]
    file.write_text("def g(db, NAMES, asked):\n" + one % "NAMES")
    assert audit.code(tmp_path, rows) == [
        "survey/new.py: g: NAMES is put into SQL and was not reviewed (B608)",
        "survey/new.py: B608 f: NAMES is reviewed but not found any more",
    ]


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


def advisory(folder: Path, id: str, **affected: object) -> None:
    package = {"ecosystem": "PyPI", "name": "Some_Package"}
    told = {"id": id, "modified": "2026-11-01T00:00:00Z", "affected": [{"package": package, **affected}]}
    (folder / f"{id}.json").write_text(json.dumps(told))


@pytest.mark.parametrize(
    ("version", "ids"),
    [("1.9", ["A", "B"]), ("2.0", ["B"]), ("2.4.1", ["B", "C"]), ("2.5", ["B"]), ("2.10", []), ("3.1", ["D"])],
)
def test_a_copy_of_the_advisories_is_asked_without_a_network(tmp_path: Path, version: str, ids: list[str]):
    def between(*events: dict[str, str]) -> list[dict[str, object]]:
        return [{"type": "ECOSYSTEM", "events": list(events)}]

    advisory(tmp_path, "A", ranges=between({"introduced": "0"}, {"fixed": "2.0"}))
    advisory(tmp_path, "B", ranges=between({"introduced": "1.0"}, {"last_affected": "2.9"}))
    advisory(tmp_path, "C", versions=["2.4.1"])
    advisory(tmp_path, "D", ranges=between({"introduced": "0"}, {"fixed": "1.0"}, {"introduced": "3.0"}))
    assert audit.advised(tmp_path, {"some-package": version, "other": "1.9"}) == [
        f"some-package {version}: {id}" for id in ids
    ]


def test_a_folder_without_advisories_checks_nothing_and_says_so(tmp_path: Path):
    with pytest.raises(ValueError, match="no advisory"):
        audit.advised(tmp_path, {"some-package": "1.0"})
