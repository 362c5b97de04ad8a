"""Two processes on one store: neither may take away what the other writes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from survey.store import Store, drafts
from survey.store.store import SCHEMA
from tests.laptops import FORM, set_back_to_the_first_release

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


OPEN = """
import sys
from survey.store import Store
sys.stdin.readline()
Store.open(sys.argv[1]).close()
"""


def test_programs_that_open_an_older_store_at_once_upgrade_it_once(instance: Path) -> None:
    Store.create(instance, "device").close()
    set_back_to_the_first_release(instance)
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, str(instance)], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for program in programs:
        assert program.stdin is not None
        program.stdin.write("now\n")
        program.stdin.flush()
    assert [program.communicate()[1] for program in programs] == [""] * 4
    with Store.open(instance) as store:
        assert store.value("PRAGMA user_version") == SCHEMA
