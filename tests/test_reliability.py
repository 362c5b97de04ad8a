"""The fault table: every test that it names is there, both languages show what was counted, and none of it is older
than its test."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from tests.outside import ROOT
from tools import reliability
from tools.reliability import COUNTED, PAGES, TABLE, page

ROW = re.compile(r"^\| (.+?) \| `([^`]+)` \| ([\d.,]+)(?: \*)? \| (\d+) \|$", re.M)


@pytest.mark.parametrize("fault", TABLE, ids=lambda fault: fault.en)
def test_every_fault_has_its_test(fault: reliability.Fault):
    file, _, name = fault.test.partition("::")
    assert re.search(rf"^def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.M)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_pages_show_what_was_counted(language: str):
    text = PAGES[language].read_text(encoding="utf-8")
    counted = json.loads(COUNTED.read_text(encoding="utf-8"))
    assert page(text, counted, language) == text
    rows = ROW.findall(text)
    assert [test for _, test, _, _ in rows] == [fault.test for fault in TABLE]
    assert all(int(re.sub(r"\D", "", number)) > 0 and lost == "0" for _, _, number, lost in rows)


def test_a_fault_whose_test_failed_or_never_ran_is_not_written_down():
    text = "<!-- faults -->\n<!-- end of faults -->"
    counted = {fault.test: {"tried": 1_234, "passed": True, "long": True} for fault in TABLE}
    assert "| 1,234 | 0 |" in page(text, counted, "en")
    assert "| 1.234 | 0 |" in page(text, counted, "vi")
    counted[TABLE[3].test]["passed"] = False
    with pytest.raises(ValueError, match="tried and failed"):
        page(text, counted, "en")
    del counted[TABLE[3].test]
    with pytest.raises(ValueError, match="not tried"):
        page(text, counted, "en")


def test_a_test_that_counts_and_one_that_does_not_are_both_counted():
    counting = reliability.Counting()
    name = "tests/test_drafts.py::test_text_is_kept_in_one_normal_form"
    steps = "tests/test_drafts.py::test_a_clock_that_steps_in_the_middle_of_an_interview_changes_no_answer_and_no_order"
    assert (
        pytest.main([str(ROOT / name), str(ROOT / steps), "-q", "-n", "0", "-p", "no:cacheprovider"], [counting]) == 0
    )
    assert [counting.found[test]["tried"] for test in (name, steps)] == [1, 4]


CHEAP = "tests/test_drafts.py::test_text_is_kept_in_one_normal_form"


def test_a_run_that_was_cut_goes_on_with_what_was_not_tried_at_this_commit():
    first, second, third = (fault.test for fault in TABLE[:3])
    counted: reliability.Counted = {fault.test: {"passed": True, "commit": "new", "seconds": 1.0} for fault in TABLE}
    counted[first]["commit"] = "old"
    counted[second] |= {"passed": False, "seconds": 9.0}
    assert reliability.left(counted, "new") == [second, first]
    del counted[third]
    assert reliability.left(counted, "new") == [second, first, third]
    assert CHEAP in reliability.left(counted, "new", ["normal_form"])
    assert len(reliability.left({}, "new")) == len(TABLE)


def test_a_form_that_takes_too_long_is_stopped_and_one_that_is_done_is_counted():
    assert reliability.try_one(CHEAP, long=True, minutes=0.001) is None
    one = reliability.try_one(CHEAP, long=False, minutes=5.0)
    assert one is not None
    assert (one["tried"], one["passed"], one["long"]) == (1, True, False)


PARTS = """
import time
from pathlib import Path

import pytest

from tests.tried import tried


@pytest.mark.parametrize("part", [0, 1])
def test_part(part):
    if part:
        Path(__file__).with_name("second").touch()
        time.sleep(600)
    tried(7)
"""


def test_of_a_form_that_is_stopped_the_parts_that_were_done_count(tmp_path: Path):
    file, out = tmp_path / "test_parts.py", tmp_path / "counted.json"
    file.write_text(PARTS)
    process = reliability.started(f"{file}::test_part", out, long=False)
    while not (tmp_path / "second").exists():
        assert process.poll() is None
        time.sleep(0.05)
    reliability.ended(process)
    (one,) = json.loads(out.read_text()).values()
    assert (one["tried"], one["passed"]) == (7, True)


def test_under_the_table_stands_at_which_commit_it_was_tried_and_which_rows_are_short():
    counted: reliability.Counted = {
        fault.test: {"tried": 1, "passed": True, "long": True, "commit": "abc", "date": "2026-11-26"} for fault in TABLE
    }
    counted[TABLE[1].test] |= {"long": False}
    told = page("<!-- faults -->\n<!-- end of faults -->", counted, "en")
    assert (
        f"Tried at commit `abc`, 2026-11-26: {len(TABLE) - 1} of {len(TABLE)} rows in their long form to the end"
        in told
    )
    assert told.count("| 1 * | 0 |") == 1
    counted[TABLE[1].test] |= {"commit": "abc+", "date": "2026-11-27"}
    assert "`abc`, `abc+`, 2026-11-26 – 2026-11-27" in reliability.whence(counted, "en")
