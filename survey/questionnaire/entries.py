"""What pages show of an interview: entries (questions, groups, repeat instances), sections, and what a change does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from survey.questionnaire.form import editable
from survey.questionnaire.model import Choice, Node, Value
from survey.questionnaire.tree import Element
from survey.text import Text

if TYPE_CHECKING:
    from survey.questionnaire.path import Path


@dataclass(frozen=True)
class Change:
    """What an answer does.

    ``verdict`` is ``ok``, ``required``, ``constraint`` or ``type``; unless ``ok`` nothing has changed and ``path`` is
    the old one. ``lost`` are entries (of the old path) whose answers leave the path, ``appeared`` questions that are
    asked now, ``changed`` other entries with a new value. ``save`` is what a draft must store: None deletes.
    """

    verdict: str
    message: Text | str
    path: Path
    lost: tuple[Entry, ...] = ()
    appeared: tuple[Entry, ...] = ()
    changed: tuple[Entry, ...] = ()
    save: dict[str, Value | None] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the answer was taken."""
        return self.verdict == "ok"


class Entry:
    """One question, group or repeat instance as it stands now."""

    __slots__ = ("_path", "element", "node")

    def __init__(self, path: Path, element: Element):
        self._path = path
        self.element = element
        node = element.of.node
        assert node is not None
        self.node: Node = node

    def __repr__(self) -> str:
        return f"<{self.path}={self.value!r}>"

    @property
    def path(self) -> str:
        """Where the answer stands: ``hh[r7f]/age``."""
        return self.element.path

    @property
    def kind(self) -> str:
        """``question``, ``group`` or ``repeat`` (one instance)."""
        return self.node.kind

    @property
    def relevant(self) -> bool:
        """Whether it is on the path."""
        return self.element not in self._path.state.hidden

    @property
    def required(self) -> bool:
        """Whether an answer is required (where the question is asked)."""
        return self.element in self._path.state.required

    @property
    def read_only(self) -> bool:
        """Whether a person cannot answer here: notes, calculations, what the sheet says is read only."""
        element = self.element
        if not self.node.control or element in self._path.state.read_only or self.node.type == "note":
            return True
        if self.node.appearance == "label":
            # The head of a table-list shows the scale; nobody answers it.
            return True
        return bool(self.node.calculation) and not editable(self.node)

    @property
    def asked(self) -> bool:
        """Whether it is a question on the path that a person answers."""
        return self.kind == "question" and self.relevant and not self.read_only

    @property
    def value(self) -> Value:
        """The answer or calculated value; ``""`` when there is none."""
        return self._path.state.answer(self.element)

    @property
    def is_answered(self) -> bool:
        """Whether there is an answer; a missing kind is one."""
        return self.element in self._path.state.given or self.element in self._path.state.values

    @property
    def position(self) -> int:
        """Number of the repeat instance, from 1; 0 for what is none."""
        return self._path.state.position.get(self.element, 0)

    @property
    def valid(self) -> bool:
        """Whether the answer holds: required and present, constraint kept."""
        return not self.relevant or self.problem == ""

    @property
    def problem(self) -> str:
        """``required``, ``constraint`` or ``""``."""
        if self.kind != "question":
            return ""
        if not self.is_answered:
            return "required" if self.required else ""
        return "" if self._path.holds(self.element) else "constraint"

    @property
    def doubtful(self) -> bool:
        """Whether the answer is taken but fails the soft check, so that a person should look again."""
        return self.asked and not self._path.usual(self.element)

    def doubt(self, language: str = "") -> str:
        """What the soft check says."""
        return self._path.doubt(self.element, language)

    def label(self, language: str = "") -> str:
        """The question's text, answers piped in."""
        return self._path.words(self.element, self.node.label, language)

    def hint(self, language: str = "") -> str:
        """The hint below the question."""
        return self._path.words(self.element, self.node.hint, language)

    def guidance(self, language: str = "") -> str:
        """The instruction to the enumerator."""
        return self._path.words(self.element, self.node.guidance, language)

    def message(self, language: str = "") -> str:
        """What to say about the present problem; ``""`` when there is none."""
        return self._path.complaint(self.element, self.problem, language)

    @property
    def seen_change(self) -> int:
        """The number of the change with which something that the question as shown follows from, beside its own answer,
        changed last."""
        state = self._path.state
        return max((state.changed.get(cause, 0) for cause in state.form.seen(self.element.of)), default=0)

    def choices(self) -> list[Choice]:
        """The options offered now, filtered and in their order."""
        return self._path.state.choices(self.element)

    def choice_label(self, choice: Choice, language: str = "") -> str:
        """A choice's label, answers piped in."""
        return self._path.words(self.element, choice.label, language) or choice.name

    @property
    def section(self) -> Section:
        """The section (page) that it belongs to."""
        return self._path.section_of(self.element)


@dataclass(frozen=True)
class RepeatEntry:
    """A repeat at one place: its instances, and whether the enumerator adds and removes them.

    ``place`` is where it stands while it has no instance.
    """

    path: str
    node: Node
    relevant: bool
    instances: tuple[Entry, ...]
    counted: bool
    place: Element


@dataclass(frozen=True)
class Page:
    """What stands on a page as long as no repeat instance comes or goes: the group or repeat whose page it is (None: a
    run of questions outside any), the elements it begins with, all of it in document order, and of that what a person
    sees or is led by: questions with a control, groups, instances."""

    node: Node | None
    tops: tuple[Element, ...]
    elements: tuple[Element, ...]
    seen: tuple[Element, ...]
    questions: tuple[Element, ...]


@dataclass(frozen=True)
class Section:
    """A page: a top-level group or repeat, or a run of questions outside any group.

    ``state`` is ``done``, ``todo`` or ``not_asked``; with ``Path.sections_at`` the current one is ``here``.
    """

    path: str
    page: Page
    state: str
    answered: int
    total: int
    owner: Path = field(repr=False, compare=False)

    @property
    def node(self) -> Node | None:
        """The group or repeat whose page it is."""
        return self.page.node

    def label(self, language: str = "") -> str:
        """The group's label; of a run outside groups, the label of its first question that has one."""
        for element in self.page.tops:
            if element.of.node is not None and (self.node is None or element.of.node is self.node):
                words = self.owner.words(element, element.of.node.label, language)
                if words:
                    return words
        return self.node.name if self.node else ""

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Everything on the page, in document order."""
        return tuple(Entry(self.owner, e) for e in self.page.elements)

    @property
    def seen(self) -> tuple[Entry, ...]:
        """What a person sees or is led by, in document order: no calculations."""
        return tuple(Entry(self.owner, e) for e in self.page.seen)
