"""Programs that are killed at their n-th SQL statement, without warning: once for every statement there is.

One process imports everything once; for each statement it forks a child that opens the store, works and kills itself.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.outside import ROOT
from tests.tried import tried

PASSPHRASE = "bốn con voi uống trà"

_PARENT = """
import json, os, signal, sys, traceback
from survey.store import Store, vault

folder, passphrase, program, arguments = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
exec(program)
if passphrase:
    vault.unlock(folder, passphrase)

def child(at):
    count = 0
    def statement(sql):
        nonlocal count
        count += 1
        if count == at:
            os.kill(os.getpid(), signal.SIGKILL)
    with Store.open(folder) as store:
        store.db.set_trace_callback(statement)
        work(store, lambda *said: print(*said, flush=True), *arguments)
        store.db.set_trace_callback(None)
    print("statements", count, flush=True)

for line in sys.stdin:
    at, out = json.loads(line)
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
        try:
            child(at)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


class Death(NamedTuple):
    """``at`` which statement of ``of`` the program died, and what it had said until then."""

    at: int
    of: int
    said: list[list[str]]


class Victim:
    """``program`` defines ``work(store, say, *arguments)``; it runs on the store in ``folder``, from the state in which
    ``folder`` is now, as often as it is asked to."""

    def __init__(self, process: subprocess.Popen[str], folder: Path):
        self._process, self._folder = process, folder
        self._before = folder.with_name(folder.name + "-before")
        shutil.copytree(folder, self._before)

    def run(self, at: int = 0) -> tuple[int, list[list[str]]]:
        """Runs it until its ``at``-th statement (0: to its end); gives the exit code and the words of each line."""
        shutil.rmtree(self._folder)
        shutil.copytree(self._before, self._folder)
        out = self._folder.with_name(self._folder.name + "-said")
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([at, str(out)]) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        return code, [line.split() for line in out.read_text().splitlines()]

    def everywhere(self, trials: int) -> Iterator[Death]:
        """Kills it at each of its statements, or at ``trials`` of them spread evenly when it has more."""
        code, said = self.run()
        assert code == 0, said
        of = int(said[-1][1])
        for number in range(min(trials, of)):
            at = 1 + number * of // min(trials, of)
            code, said = self.run(at)
            assert code == -signal.SIGKILL, (at, said)
            tried()
            yield Death(at, of, said)
        print(f"killed at {min(trials, of)} of {of} statements")


@contextmanager
def victim(program: str, folder: Path, *arguments: str, passphrase: str = "") -> Iterator[Victim]:
    """See :class:`Victim`. No store may be open in ``folder``."""
    command = [sys.executable, "-c", _PARENT, str(folder), passphrase, program, *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Victim(process, folder)
        assert process.stdin is not None
        process.stdin.close()
