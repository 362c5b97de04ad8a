"""The fault table: every test that it names is there, both languages show what was counted, and none of it is older
than its test."""

from __future__ import annotations

import json
import re

import pytest

from tests.outside import ROOT
from tools import reliability
from tools.reliability import COUNTED, PAGES, TABLE, page

ROW = re.compile(r"^\| (.+?) \| `([^`]+)` \| ([\d.,]+) \| (\d+) \|$", re.M)


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
    counted = {fault.test: {"tried": 1_234, "passed": True} for fault in TABLE}
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
