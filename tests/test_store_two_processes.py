"""Two processes on one store: neither may take away what the other writes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from survey.store import Store, drafts
from tests.laptops import FORM

LOOK = """
import sys
from survey.store import Store, drafts
with Store.open(sys.argv[1]) as store:
    print(len(drafts.answers(store, sys.argv[2])))
"""


def test_another_process_that_looks_in_and_leaves_does_not_cut_off_the_ones_that_write(
    device: Store, instance: Path
) -> None:
    """The app keeps several connections open while ``survey export`` runs beside it. Had opening the second one let go
    of the first one's locks (closing any handle of a file does, on POSIX), the visitor would take itself for the
    last one out and remove the write-ahead log under the app: what is saved afterwards would be nowhere."""
    interview = drafts.start(device, "u1", FORM, "phoa")
    with Store.open(instance) as second:
        for number in range(1, 6):
            drafts.save(second if number % 2 else device, interview, {f"q{number}": "4"})
            looked = subprocess.run(
                [sys.executable, "-c", LOOK, str(instance), interview], capture_output=True, text=True, check=True
            )
            assert looked.stdout.split() == [str(number)]
