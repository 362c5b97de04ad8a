"""What an interview is at one moment: a handful of dicts keyed by element, and what expressions may ask of it."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any

from survey.questionnaire import lexical
from survey.questionnaire.form import Form, Row
from survey.questionnaire.functions import whole
from survey.questionnaire.model import Choice, Node, Value, language_code
from survey.questionnaire.syntax import BadExpression
from survey.questionnaire.tree import Definition, Element, Slot, ancestor, descendants, kids
from survey.questionnaire.values import Atom, Fault, to_string

TROUBLE = (Fault, BadExpression, ArithmeticError, ValueError, RecursionError)
"""What an expression may stumble over for these answers; it is noted, and the interview goes on."""


@dataclass(frozen=True)
class Context:
    """What an interview knows besides its answers.

    ``frame`` fills hidden questions of the same name; ``now`` is an aware datetime, whose zone is the local one;
    ``interview`` (a UUID) seeds everything random, so that a form opened again looks the same; ``files`` are rows of
    CSV files by name without ending, which come before those compiled into the questionnaire.
    """

    frame: Mapping[str, str] = field(default_factory=dict)
    now: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    username: str = ""
    deviceid: str = ""
    interview: str = ""
    files: Mapping[str, Sequence[Mapping[str, str]]] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)


_COPIED = ("values", "given", "hidden", "off", "required", "read_only", "instances", "position", "trouble", "changed")


class State:
    """The interview at one moment. Expressions read it; nothing changes it once it is part of a ``Path``."""

    __slots__ = (
        "changed",
        "context",
        "file_rows",
        "form",
        "given",
        "hidden",
        "instances",
        "interview",
        "now",
        "off",
        "position",
        "read_only",
        "required",
        "root",
        "standing",
        "tick",
        "trouble",
        "values",
        "version",
        "zone",
    )

    def __init__(self, form: Form, context: Context):
        self.form = form
        self.context = context
        self.zone: tzinfo | None = context.now.tzinfo
        self.now = context.now.replace(tzinfo=None)
        self.interview = context.interview
        self.version = form.questionnaire.version
        self.root = form.element
        self.file_rows = {name: [Row(r.items()) for r in rows] for name, rows in context.files.items()}
        self.values: dict[Element, Atom] = {}
        self.given: dict[Element, Value] = {}
        self.hidden: set[Element] = set()
        self.off: set[Element] = set()
        self.required: set[Element] = set()
        self.read_only: set[Element] = set()
        self.instances: dict[Slot, tuple[Element, ...]] = {}
        self.position: dict[Element, int] = {}
        self.trouble: dict[tuple[Element, str], str] = {}
        # How many changes the interview has seen, and with which of them each definition changed last.
        # Of a state in which an answer is only tried by its constraint: the state that stands. ODK Collect puts the
        # answer on trial where the constraint names its question, but its predicates choose among what stands.
        self.standing: State | None = None
        self.tick = 0
        self.changed: dict[Definition, int] = {}

    def copy(self) -> State:
        """A state that can be changed without changing this one."""
        new = State.__new__(State)
        for name in ("form", "context", "zone", "now", "interview", "version", "root", "file_rows"):
            setattr(new, name, getattr(self, name))
        for name in _COPIED:
            setattr(new, name, getattr(self, name).copy())
        new.standing = None
        new.tick = self.tick + 1
        return new

    def trying(self, element: Element, value: Atom) -> State:
        """A state in which ``value`` is the answer to ``element`` for as long as its constraint is worked out."""
        trial = self.copy()
        trial.values[element] = value
        trial.standing = self
        return trial

    # -- what expressions ask for -------------------------------------------------------------------------------

    whole = staticmethod(whole)

    def rows(self, name: str) -> list[Row]:
        """The rows of a choice list or file; none when there is no such list, which ``check`` has said."""
        found = self.file_rows.get(name)
        if found is None:
            found = self.form.rows.get(name)
        return found or []

    def rows_where(self, name: str, column: str, value: str) -> list[Row]:
        """The rows whose ``column`` equals ``value``, in order, from an index made at the first question."""
        if name in self.file_rows:
            return [row for row in self.file_rows[name] if row.get(column, "") == value]
        index = self.form.indexes.get((name, column))
        if index is None:
            index = {}
            for row in self.rows(name):
                index.setdefault(row.get(column, ""), []).append(row)
            self.form.indexes[name, column] = index
        return index.get(value, [])

    def choices(self, element: Element) -> list[Choice]:
        """The options that a question offers now, filtered and in their order."""
        node = element.of.node
        return [self._choice(node, item) for item in self._items(element)] if node else []

    def offered(self, element: Element) -> set[str]:
        """The names of the options that a question offers now."""
        node = element.of.node
        if node is None:
            return set()
        column = node.value_column
        return {
            self._column(item, column) if isinstance(item, Element) else item.get(column, "")
            for item in self._items(element)
        }

    def _items(self, element: Element) -> list[Any]:
        nodes = self.form.filters.get(element.of)
        if nodes is None:
            return []
        try:
            found: list[Any] = nodes.all(self, element, element, None)
        except TROUBLE as error:
            self.trouble[element, "choice_filter"] = str(error)
            return []
        return found

    def _choice(self, node: Node, item: Any) -> Choice:
        if isinstance(item, Element):
            return Choice(self._column(item, node.value_column), {"": self._column(item, node.label_column)})
        if item.choice is not None and node.value_column == "name":
            choice: Choice = item.choice
            return choice
        key = (node.value_column, node.label_column)
        made: dict[tuple[str, str], Choice] = item.made
        if key not in made:
            made[key] = self._of_row(node, item)
        return made[key]

    def _of_row(self, node: Node, item: Row) -> Choice:
        label = item.get(node.label_column, "")
        labels = {
            language_code(k.partition("::")[2]): v for k, v in item.items() if k.startswith(node.label_column + "::")
        }
        return Choice(item.get(node.value_column, ""), labels or {"": label}, columns=dict(item))

    def _column(self, item: Element, name: str) -> str:
        child = item.of.by_name.get(name)
        found = item.kids.get(child) if child else None
        return to_string(self.values.get(found, "")) if isinstance(found, Element) else ""

    def choice_label(self, target: Definition, name: str, origin: Element) -> str:
        """``jr:choice-name()``: the label, in the default language, of a choice of the question ``target``."""
        element: Element = self.root
        for step in target.chain[1:]:
            own = ancestor(origin, step)
            found = (own,) if own else kids(element, step, self.instances)
            if not found:
                return ""
            element = found[0]
        for choice in self.choices(element):
            if choice.name == name:
                label = choice.label.get(self.form.questionnaire.default_language)
                return label if label is not None else next(iter(choice.label.values()), "")
        return ""

    def itext(self, key: str) -> str:
        """``jr:itext()``: the label of a choice by its ``itextId``; an unknown key is shown as ODK Collect shows it."""
        return self.form.itext.get(key, f"[itext:{key}]")

    def property(self, name: str) -> str:
        """A property of the device or person."""
        known = {"username": self.context.username, "deviceid": self.context.deviceid}
        return known.get(name) or self.context.properties.get(name, "")

    def random_seed(self, *place: str) -> int:
        """A seed that follows from the interview and the place in it."""
        return int.from_bytes(hashlib.sha256("\x1f".join((self.interview, *place)).encode()).digest()[:6], "big")

    def uuid(self, path: str, length: int | None) -> str:
        """``uuid()``: follows from the interview and the place, so that opening again does not change it."""
        if length is None:
            return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.interview}\x1f{path}"))
        letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        digest = hashlib.sha512(f"{self.interview}\x1f{path}".encode()).digest() * (length // 64 + 1)
        return "".join(letters[b % 36] for b in digest[: max(0, length)])

    # -- what pages ask for -------------------------------------------------------------------------------------

    def answer(self, element: Element) -> Value:
        """The stored form of an element's answer or calculation; ``""`` when it has none."""
        found = self.given.get(element)
        if found is not None:
            return found
        value = self.values.get(element, "")
        node = element.of.node
        if value == "" or node is None:
            return ""
        text = lexical.write(node.data_type, value, self.zone)
        return text.split() if node.is_list else text

    def elements(self) -> Iterator[Element]:
        """Every element but the root, in document order."""
        found = descendants(self.root, self.instances)
        next(found)
        return found
