"""What can go wrong, in one small tree.

::

    SurveyError
    ├── InputError      what a person brought is wrong: a file, a cell, an option
    │   └── Problems    several of them at once
    ├── StoreError      the store cannot be used: missing, newer, damaged
    │   ├── InUseError  another program is writing to it; later it can be
    │   └── LockedError it is encrypted, and nobody has given the passphrase yet
    ├── VerifyError     a hash, a link, a commitment or a signature does not hold
    └── NotAllowed      the person may not do this

Each says *where*, *what* and *what to do*, in both languages. Libraries raise; only ``cli`` and ``web`` speak to
people.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from survey.text import Text


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where it stands, what it is, what to do about it."""

    where: str
    what: Text
    todo: Text = Text("", "")

    def __call__(self, language: str) -> str:
        """``where: what; what to do`` in one line."""
        todo = self.todo(language)
        return f"{self.where}: {self.what(language)}" + (f"; {todo}" if todo else "")


class SurveyError(Exception):
    """The root of this program's exceptions; carries one :class:`Problem`."""

    def __init__(self, where: str, what: Text, todo: Text = Text("", "")):
        self.problem = Problem(where, what, todo)
        super().__init__(self.problem("en"))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problem.where, self.problem.what, self.problem.todo)

    def __call__(self, language: str) -> str:
        """The message in ``language``."""
        return self.problem(language)


class InputError(SurveyError):
    """Something a person brought is wrong."""


class Problems(InputError):
    """Several problems found in one go; nothing was changed."""

    def __init__(self, problems: Iterable[Problem]):
        self.problems = tuple(problems)
        if not self.problems:
            raise ValueError("Problems needs at least one problem")
        super().__init__(self.problems[0].where, self.problems[0].what, self.problems[0].todo)
        self.args = ("\n".join(p("en") for p in self.problems),)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems,)

    def __call__(self, language: str) -> str:
        return "\n".join(p(language) for p in self.problems)


class StoreError(SurveyError):
    """The store cannot be used as it is."""


class InUseError(StoreError):
    """Another program is writing to the store."""


class LockedError(StoreError):
    """The store is encrypted, and this process has not been given its passphrase."""


class VerifyError(SurveyError):
    """A hash, link, commitment or signature does not hold."""


class NotAllowed(SurveyError):
    """The person who asks may not do this."""


class NotUnderstood(Exception):
    """What was typed or keyed cannot be read as an answer; ``reason`` says what can."""

    def __init__(self, reason: Text):
        self.reason = reason
        super().__init__(reason.en)
