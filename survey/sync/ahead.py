"""The bundles of one exchange, and a second process that reads ahead: it decrypts, unpacks, hashes and packs the next
ones while this process writes the ones before to the database (decision 135).

Worth its start only for many revisions; where it cannot run, or is killed, everything is read here. The two speak
pickle over a pipe that nobody else has an end of: first what is to be read and the keys to it, then for each file in
turn ``(file, "opened", (hash, manifest))``, any number of ``(file, "entries", […])``, ``(file, "end", None)``; or
``(file, "failed", error)``.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import IO, Any, Self

from survey.errors import SurveyError
from survey.store import receipts
from survey.store.entry import Entry, Refused, check
from survey.store.store import Store
from survey.sync.bundle import SUFFIX, Bundle, Opened, read_bundle
from survey.sync.envelope import content_of
from survey.sync.keys import age_identity

LEAST = 8 << 20
"""Bytes of bundles below which the start of a process costs more than it saves."""

_HANDFUL = 500
_LARGE = 4 << 20
_AHEAD = 8
"""Revisions, and bytes before packing, that are told at once; and how often that may wait to be taken."""


class Bundles:
    """Opens the bundles among ``files``, which are asked for in this order; each may be left out."""

    def __init__(self, store: Store, files: Iterable[Path] = ()):
        self._store = store
        self._contents: dict[Path, str] = {}
        self._ahead: _Reader | None = None
        bundles = [file for file in files if file.suffix == SUFFIX]
        if _processors() > 1 and sum(map(_size, bundles)) >= LEAST:
            wanted = [file for file in bundles if self._is_news(file)]
            # The first of several is read here, while the other process starts.
            wanted = wanted[1:] or wanted
            if sum(map(_size, wanted)) >= LEAST:
                self._ahead = _Reader(store, wanted)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._ahead is not None:
            self._ahead.close()

    def known(self, file: Path) -> int | None:
        """How many revisions a bundle has that was merged before; None for any other. OSError when it cannot be
        read."""
        content = self._contents.get(file)
        if content is None:
            content = self._contents[file] = content_of(file)
        return receipts.bundle_known(self._store, content)

    def open(self, file: Path) -> Opened:
        """The bundle, checked; its entries are to be read before the next is opened. Raises what
        :func:`survey.sync.bundle.read_bundle` does."""
        return (self._ahead and self._ahead.open(file)) or read_bundle(file, self._store)

    def _is_news(self, file: Path) -> bool:
        # What is wrong with a file is told when its turn comes.
        with suppress(OSError):
            return self.known(file) is None
        return False


@dataclass(frozen=True)
class _ReadAhead(Opened):
    """A bundle that the other process opened."""

    _reader: _Reader

    def entries(self) -> Iterator[Entry | Refused]:
        """The entries as they come; once."""
        return self._reader.entries(self.path)


class _Reader:
    """The other process, seen from this one."""

    def __init__(self, store: Store, files: Sequence[Path]):
        self._store = store
        self._coming = deque(files)
        self._process: subprocess.Popen[bytes] | None = None
        identity = age_identity(store)
        task = ([str(identity)] if identity else [], store.folder, list(files))
        with suppress(OSError):
            self._process = subprocess.Popen(
                # -P: nothing that lies in the folder where people are, which may be the stick itself.
                [sys.executable, "-P", "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # The very program that runs here, wherever it lies.
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
            assert self._process.stdin is not None
            pickle.dump(task, self._process.stdin)
            self._process.stdin.close()

    def open(self, file: Path) -> _ReadAhead | None:
        """The bundle; None when it is not among those that are read ahead, or the process is gone."""
        if file not in self._coming:
            return None
        while self._coming.popleft() != file:
            pass
        while True:
            at, kind, value = self._next()
            # Of a bundle that was passed over, or known once it was open, things are still to come.
            if at == file and kind == "failed":
                raise value
            if at == file and kind == "opened":
                hash, manifest = value
                return _ReadAhead(file, hash, manifest, self)
            if at is None:
                return None

    def entries(self, file: Path) -> Iterator[Entry | Refused]:
        """The entries of the bundle that was opened last. VerifyError where the payload is not what it should be."""
        given, finished = 0, False
        try:
            while True:
                at, kind, value = self._next()
                if at != file:
                    # The process is gone.
                    yield from islice(read_bundle(file, self._store).entries(), given, None)
                    return
                finished = kind in ("end", "failed")
                if kind == "entries":
                    yield from value
                    given += len(value)
                elif kind == "end":
                    return
                else:
                    raise value
        finally:
            if not finished:
                # Whoever asked stopped in the middle, and so does this.
                self.close()

    def _next(self) -> tuple[Path | None, str, Any]:
        """What the other process says next, and of which file; ``(None, "", None)`` when it is no more."""
        process = self._process
        if process is not None and process.stdout is not None:
            with suppress(EOFError, OSError, pickle.UnpicklingError):
                file, kind, value = pickle.load(process.stdout)
                return file, kind, value
        self.close()
        return None, "", None

    def close(self) -> None:
        """Ends the other process."""
        process, self._process = self._process, None
        self._coming.clear()
        if process is not None:
            process.kill()
            with suppress(OSError), process:
                pass


def _processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _size(file: Path) -> int:
    with suppress(OSError):
        return file.stat().st_size
    return 0


# -- the other process ------------------------------------------------------------------------------------------------


class _Out:
    """What was read, waiting to be taken: a pipe alone holds so little that the two would work by turns."""

    def __init__(self, pipe: IO[bytes]):
        self._pipe = pipe
        self._waiting: Queue[bytes | None] = Queue(_AHEAD)
        self._thread = Thread(target=self._write, daemon=True)
        self._thread.start()

    def say(self, file: Path, kind: str, value: object = None) -> None:
        """Waits only when much is waiting already."""
        self._waiting.put(pickle.dumps((file, kind, value), protocol=5))

    def close(self) -> None:
        """Waits until all is taken."""
        self._waiting.put(None)
        self._thread.join()

    def _write(self) -> None:
        try:
            while (said := self._waiting.get()) is not None:
                self._pipe.write(said)
                self._pipe.flush()
        except OSError:
            # Nobody is there to read it any more.
            os._exit(0)


def read_ahead(orders: IO[bytes], pipe: IO[bytes]) -> None:
    """Reads what ``orders`` ask for and writes it to ``pipe``."""
    keys, scratch, files = pickle.load(orders)
    identities = []
    if keys:
        import pyrage

        identities = [pyrage.x25519.Identity.from_str(key) for key in keys]
    out = _Out(pipe)
    for file in files:
        try:
            bundle = read_bundle(file, identities=identities, scratch=scratch)
            out.say(file, "opened", (bundle.hash, bundle.manifest))
            for handful in _handfuls(bundle):
                out.say(file, "entries", handful)
        except SurveyError as error:
            out.say(file, "failed", error)
        else:
            out.say(file, "end")
    out.close()


def _handfuls(bundle: Bundle) -> Iterator[list[Entry | Refused]]:
    handful: list[Entry | Refused] = []
    size = 0
    for record in bundle.records():
        handful.append(check(record))
        size += sum([len(part.content) for part in record.parts.values()])
        if len(handful) == _HANDFUL or size > _LARGE:
            yield handful
            handful, size = [], 0
    yield handful


if __name__ == "__main__":
    # Ctrl+C is for the process that asked; when that one ends, so does the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()
    read_ahead(sys.stdin.buffer, sys.stdout.buffer)
