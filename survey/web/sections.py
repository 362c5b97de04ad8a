"""What an interview page shows: one section's questions as plain data that templates write down and that can be
compared, so that after an answer only the pieces that changed are sent to the page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from survey.questionnaire.path import Entry, RepeatEntry, Section
from survey.web import forms
from survey.web.desk import Open
from survey.web.questions import Column, Question, Typed, but_answer, key, mark, question
from survey.web.rail import Step
from survey.web.words import interface


@dataclass
class Heading:
    """The words above a nested group."""

    path: str
    key: str
    text: str
    shown: bool
    kind: str = "heading"

    @property
    def id(self) -> str:
        """The id of its element on the page."""
        return f"g-{self.key}"


@dataclass
class Instance:
    """The words above one instance of a repeat, and whether it can be taken away."""

    path: str
    text: str
    removable: bool
    kind: str = "instance"


@dataclass
class Add:
    """The button that adds an instance of a repeat."""

    path: str
    text: str
    kind: str = "add"


@dataclass
class Single:
    """One question standing by itself."""

    question: Question
    kind: str = "question"


@dataclass
class Grid:
    """Questions on one scale, one row each."""

    rows: list[Question]
    scale: list[forms.Option]
    columns: int
    kind: str = "grid"


Block = Heading | Instance | Add | Single | Grid


@dataclass
class Sheet:
    """Everything of one section that may change while it is on the page."""

    blocks: list[Block]
    questions: dict[str, Question]
    headings: dict[str, Heading]
    marks: dict[str, object]
    """path -> what a question's view follows from, to know without looking again that it has not changed."""
    steps: Sequence[Step] = ()
    """The list of sections beside it."""

    @property
    def is_through(self) -> bool:
        """Whether a person who stands at the end of the section may go on without looking back: nothing is left open,
        refused or to be explained, and no further instance of a repeat is offered."""
        return not any(isinstance(block, Add) for block in self.blocks) and all(
            (one.answered or one.optional) and not one.unsaved and not one.complaint and (not one.doubt or one.kept)
            for one in self.questions.values()
            if one.shown and one.asks
        )

    @property
    def has_last_words(self) -> bool:
        """Whether something to be read out stands below the last question."""
        shown = [one for one in self.questions.values() if one.shown]
        return bool(shown) and shown[-1].partial in ("note", "shown")

    @property
    def shape(self) -> list[str]:
        """The order of the blocks' paths: when it changes the whole sheet is sent."""
        return [*self.questions, *self.headings, *(b.path for b in self.blocks if isinstance(b, (Instance, Add)))]


# -- one section -------------------------------------------------------------------------------------------------


class _Builder:
    """Lays one section out as blocks, in document order."""

    def __init__(self, opened: Open, section: Section, language: str, typed: Typed, before: Sheet | None):
        self.opened = opened
        self.section = section
        self.language = language
        self.typed = typed
        self.before = before
        self.built = Sheet([], {}, {}, {})
        self.run: list[Entry] = []
        self.seen: set[str] = set()
        top = section.path.partition("/")[0]
        self.adds = [
            repeat
            for repeat in opened.path.repeats
            if section.node is not None
            and re.split(r"[/\[]", repeat.path)[0] == top
            and repeat.relevant
            and not repeat.counted
        ]

    def build(self) -> Sheet:
        for entry in self.section.seen:
            if "[]" in entry.path:
                continue  # the place of a repeat that has no instance yet
            self._close_repeats(entry)
            self.seen.add(entry.path)
            if entry.kind == "question":
                self._question(entry)
            elif entry.kind == "repeat":
                self._end_run()
                self._instance(entry)
            elif entry.node is not self.section.node:
                self._end_run()
                self._heading(entry)
        self._end_run()
        for repeat in self._inner_first():
            self._add(repeat)
        return self.built

    def _question(self, entry: Entry) -> None:
        if self.run and not forms.battery([self.run[0], entry]):
            self._end_run()
        self.run.append(entry)

    def _end_run(self) -> None:
        """Puts down the questions gathered so far: as a grid when they are several on one short scale."""
        run, self.run = self.run, []
        if forms.grid(run):
            self.built.blocks.append(self._grid(run))
        else:
            self.built.blocks.extend(Single(self._view(entry)) for entry in run)

    def _view(self, entry: Entry, grid: bool = False) -> Question:
        seen = mark(self.opened, entry, self.language, self.typed)
        if self.before is not None and self.before.marks.get(entry.path) == seen:
            found = self.before.questions[entry.path]
        else:
            found = question(self.opened, entry, self.language, self.typed)
            found.in_grid = grid
        self.built.marks[entry.path] = seen
        self.built.questions[entry.path] = found
        return found

    def _grid(self, entries: list[Entry]) -> Grid:
        rows = [self._view(entry, grid=True) for entry in entries]
        kinds = [kind for kind in forms.MISSING_KEYS if any(kind in entry.node.missing for entry in entries)]
        for row in rows:
            row.missing_columns = tuple(map(Column, kinds))
        scale = [*forms.options(entries[0], self.language), *forms.missing_options(kinds, interface())]
        return Grid(rows, scale, len(scale))

    def _heading(self, entry: Entry) -> None:
        words = entry.label(self.language) if entry.relevant else ""
        heading = Heading(entry.path, key(entry.path), words, bool(words))
        self.built.headings[entry.path] = heading
        self.built.blocks.append(heading)

    def _instance(self, entry: Entry) -> None:
        words = entry.label(self.language)
        removable = any(entry.path.startswith(repeat.path + "[") for repeat in self.adds)
        if entry.relevant:
            self.built.blocks.append(Instance(entry.path, f"{words} {entry.position}".strip(), removable))

    def _close_repeats(self, entry: Entry) -> None:
        """Before ``entry``, the button that adds an instance to every repeat that ends here."""
        definitions = self.opened.path.form.by_path
        for repeat in self._inner_first():
            parent = repeat.path.rpartition("/")[0]
            if entry.path.startswith(repeat.path + "[") or (parent and parent not in self.seen):
                continue
            has_left = bool(parent) and not entry.path.startswith(parent + "/")
            if has_left or entry.element.of.index > definitions[repeat.node.path].index:
                self._end_run()
                self._add(repeat)
                self.adds.remove(repeat)

    def _inner_first(self) -> list[RepeatEntry]:
        """The repeats in the order in which they end: one inside another ends before it."""
        ended: list[RepeatEntry] = []
        around: list[RepeatEntry] = []
        for repeat in self.adds:
            while around and not repeat.path.startswith(around[-1].path + "["):
                ended.append(around.pop())
            around.append(repeat)
        return [*ended, *reversed(around)]

    def _add(self, repeat: RepeatEntry) -> None:
        words = self.opened.path.words(repeat.place, repeat.node.label, self.language)
        self.built.blocks.append(Add(repeat.path, words or repeat.node.name))


def sheet(opened: Open, section: Section, language: str, typed: Typed, before: Sheet | None = None) -> Sheet:
    """The section as it stands now. Questions of which nothing changed are taken over from ``before`` as they are."""
    return _Builder(opened, section, language, typed, before).build()


def changed(before: Sheet, after: Sheet, answered: str = "") -> tuple[list[Question], list[Heading]]:
    """The pieces of the page that are no longer right. Of the question just answered only what is not its answer
    counts: the page shows that already, and what is being typed must stay in its box."""
    questions = [
        now
        for path, now in after.questions.items()
        if (old := before.questions[path]) is not now
        and (but_answer(old) != but_answer(now) if path == answered else old != now)
    ]
    return questions, [now for path, now in after.headings.items() if before.headings[path] != now]
