"""A questionnaire compiled to run: definitions, expressions as closures, and what depends on what.

Compiling happens once per questionnaire and program start (``compiled``); interviews share the result.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import NamedTuple

from survey.questionnaire.expressions import Code, Compiler, Dependency, Scope
from survey.questionnaire.model import Choice, Node, Questionnaire
from survey.questionnaire.paths import Nodes
from survey.questionnaire.syntax import BadExpression, Call, parse, walk
from survey.questionnaire.tree import Definition, Element
from survey.text import Text

KINDS = ("relevant", "read_only", "required", "calculation")
"""The properties of a node that are recomputed when what they depend on changes."""

PIPED = re.compile(r"\$\{([^{}]*)\}")
"""An expression in a text, in whose place its value is shown."""

Dependents = dict[Definition, list[tuple["Trigger", "Definition | None"]]]


class _Compiled(NamedTuple):
    """An expression as a closure, what it depends on, and the questions of which it shows choices by name."""

    code: Code
    dependencies: frozenset[Dependency]
    named: frozenset[Definition]


class Trigger:
    """One expression that is kept up to date: its kind, its definition, its closure, its place in line."""

    __slots__ = ("code", "dependencies", "kind", "of", "order", "stands")

    def __init__(self, kind: str, of: Definition, code: Code, dependencies: frozenset[Dependency], stands: bool):
        self.kind = kind
        self.of = of
        self.code = code
        self.dependencies = dependencies
        # The calculation of a question that people can edit: their answer stands until something it uses changes.
        self.stands = stands
        self.order = 0


class Row(dict[str, str]):
    """A row of a choice list or file as expressions see it, with the choice it stands for."""

    __slots__ = ("choice", "made")
    choice: Choice | None

    def __init__(self, values: Iterable[tuple[str, str]], choice: Choice | None = None):
        super().__init__(values)
        self.choice = choice
        # Of a file's row: the choices made of it so far, by (column of the name, column of the label).
        self.made: dict[tuple[str, str], Choice] = {}


class Form:
    """The compiled questionnaire. ``faults`` holds (node, property, BadExpression) of what did not compile."""

    def __init__(self, questionnaire: Questionnaire):
        self.questionnaire = questionnaire
        self.root = Definition(questionnaire.root, None, None)
        self.lists = frozenset((*questionnaire.lists, *questionnaire.files))
        self.faults: list[tuple[Node, str, BadExpression]] = []
        self.unknown: list[tuple[Node, str, str]] = []
        _grow(self.root, questionnaire.nodes)
        self.definitions = list(self.root.walk())
        self.by_path = {d.path: d for d in self.definitions}
        for i, definition in enumerate(self.definitions):
            definition.index = i
            if definition.node is not None:
                definition.stored = stored(definition.node)
        self.element = Element(self.root, None)
        _settle_elements(self.element)
        self.triggers: list[Trigger] = []
        self.by_definition: dict[Definition, list[Trigger]] = {}
        self.filters: dict[Definition, Nodes] = {}
        self.filter_causes: dict[Definition, frozenset[Dependency]] = {}
        self.counts: dict[Definition, Nodes] = {}
        self.dependents: Dependents = {}
        self.filter_dependents: dict[Definition, list[tuple[Definition, Definition | None]]] = {}
        self.count_dependents: dict[Definition, list[tuple[Definition, Definition | None]]] = {}
        self.cycles: list[list[Trigger]] = []
        self._fixed: dict[Element, Nodes] = {}
        self._codes: dict[tuple[str, Definition], Code | None] = {}
        self._causes: dict[tuple[str, Definition], frozenset[Definition]] = {}
        self._seen: dict[Definition, frozenset[Definition]] = {}
        for definition in self.definitions[1:]:
            self._compile_node(definition)
        self._sort()
        self.first_load = [d for d in self.definitions if d.node and d.node.dynamic_default]

    # -- compiling ----------------------------------------------------------------------------------------------

    def _compiler(self) -> Compiler:
        return Compiler(self.root, self.lists, self._fixed)

    def _compile(self, definition: Definition, kind: str, text: str) -> _Compiled | None:
        compiler, node = self._compiler(), definition.node
        assert node is not None
        scope = Scope(definition, definition, bound=definition.repeat())
        try:
            code = compiler.compile(parse(text), scope)
        except BadExpression as error:
            self.faults.append((node, kind, error))
            return None
        self.unknown += [(node, kind, path) for path in compiler.unknown]
        return _Compiled(code, frozenset(compiler.dependencies), frozenset(compiler.named))

    def _compile_nodes(
        self, definition: Definition, kind: str, text: str
    ) -> tuple[Nodes, frozenset[Dependency]] | None:
        compiler, node = self._compiler(), definition.node
        assert node is not None
        try:
            nodes = compiler.nodeset(parse(text), Scope(definition, definition, bound=definition.repeat()))
        except BadExpression as error:
            self.faults.append((node, kind, error))
            return None
        self.unknown += [(node, kind, path) for path in compiler.unknown]
        return nodes, frozenset(compiler.dependencies)

    def _compile_node(self, definition: Definition) -> None:
        node = definition.node
        assert node is not None
        for kind in KINDS:
            text = getattr(node, kind)
            if not text:
                continue
            found = self._compile(definition, kind, text)
            if found:
                trigger = Trigger(
                    kind, definition, found.code, found.dependencies, kind == "calculation" and editable(node)
                )
                self.by_definition.setdefault(definition, []).append(trigger)
                self.triggers.append(trigger)
        if node.itemset and (listed := self._compile_nodes(definition, "choice_filter", node.itemset)):
            self.filters[definition] = listed[0]
            # Of choices that are answers themselves also the name and the label may change.
            whole = listed[0].definition
            named = [whole.by_name.get(column) for column in (node.value_column, node.label_column)] if whole else []
            tied = {scope for _, scope in listed[1]}
            causes = listed[1] | {(column, scope) for column in named if column for scope in tied}
            self.filter_causes[definition] = causes
            for target, scope in causes:
                self.filter_dependents.setdefault(target, []).append((definition, scope))
        if node.repeat_count and (counted := self._compile_nodes(definition, "repeat_count", node.repeat_count)):
            self.counts[definition] = counted[0]
            causes = counted[1].union(*(t.dependencies for t in self.by_definition.get(definition, ())))
            for target, scope in causes:
                self.count_dependents.setdefault(target, []).append((definition, scope))

    def code(self, definition: Definition, kind: str, text: str) -> Code | None:
        """The closure of an expression that is worked out on demand (constraint, default, text piped into a label).

        None when the expression does not compile; it is then among ``faults``.
        """
        key = (f"{kind}\x1f{text}", definition)
        if key not in self._codes:
            found = self._compile(definition, kind, text)
            self._codes[key] = found.code if found else None
            if found:
                named = (self.filter_causes.get(target, frozenset()) for target in found.named)
                self._causes[key] = frozenset(cause for cause, _ in found.dependencies.union(*named))
        return self._codes[key]

    def seen(self, definition: Definition) -> frozenset[Definition]:
        """What a question as it is shown follows from beside its own answer: all that its texts, its checks and its
        choices look at."""
        found = self._seen.get(definition)
        if found is None:
            causes = {cause for cause, _ in self.filter_causes.get(definition, ())}
            assert definition.node is not None
            for kind, text in self.shown(definition.node):
                if self.code(definition, kind, text) is not None:
                    causes |= self._causes[f"{kind}\x1f{text}", definition]
            found = self._seen[definition] = frozenset(causes)
        return found

    def shown(self, node: Node) -> Iterator[tuple[str, str]]:
        """(property, expression) of what is worked out only when a question is shown: its checks, and the answers piped
        into its texts and those of its choices."""
        for kind in ("constraint", "soft_constraint"):
            if text := getattr(node, kind):
                yield kind, text
        messages = (node.constraint_message, node.required_message, node.soft_message)
        for texts in (node.label, node.hint, node.guidance, *messages):
            for text in texts.values():
                yield from (("label", expression) for expression in PIPED.findall(text))
        yield from (("label", expression) for expression in self._in_choices.get(node.list_name, ()))

    @cached_property
    def _in_choices(self) -> dict[str, tuple[str, ...]]:
        """The expressions in the labels of each list that has any."""
        found: dict[str, tuple[str, ...]] = {}
        for name, choices in self.questionnaire.lists.items():
            labels = [text for choice in choices for text in choice.label.values() if "${" in text]
            if labels:
                found[name] = tuple(dict.fromkeys(one for text in labels for one in PIPED.findall(text)))
        return found

    # -- order --------------------------------------------------------------------------------------------------

    def _sort(self) -> None:
        """Puts the triggers in an order in which each comes after all it depends on, and notes the cycles."""
        for trigger in self.triggers:
            for target, scope in trigger.dependencies:
                self.dependents.setdefault(target, []).append((trigger, scope))
        order: list[Trigger] = []
        state: dict[Trigger, int] = {}
        for first in self.triggers:
            if first in state:
                continue
            state[first] = 1
            stack: list[tuple[Trigger, Iterator[Trigger]]] = [(first, self._before(first))]
            while stack:
                trigger, before = stack[-1]
                needed = next(before, None)
                if needed is None:
                    stack.pop()
                    state[trigger] = 2
                    order.append(trigger)
                elif needed not in state:
                    state[needed] = 1
                    stack.append((needed, self._before(needed)))
                elif state[needed] == 1:
                    chain = [t for t, _ in stack]
                    self.cycles.append(chain[chain.index(needed) :])
        for i, trigger in enumerate(order):
            trigger.order = i
        self.triggers = order

    def _before(self, trigger: Trigger) -> Iterator[Trigger]:
        """The triggers whose outcome ``trigger`` uses: calculations, and the relevance of all above."""
        for target, _ in trigger.dependencies:
            for level in target.chain:
                for other in self.by_definition.get(level, ()):
                    if other.kind == "relevant" or (other.kind == "calculation" and level is target):
                        yield other

    @cached_property
    def standing(self) -> dict[Definition, tuple[Trigger, ...]]:
        """For each definition the editable calculations downstream of it, which a new answer there overwrites."""
        found: dict[Definition, tuple[Trigger, ...]] = {}
        if not any(t.stands for t in self.triggers):
            return found
        for definition in self.definitions:
            seen: set[Trigger] = set()
            todo = [definition]
            while todo:
                for trigger, _ in self.dependents.get(todo.pop(), ()):
                    if trigger in seen:
                        continue
                    seen.add(trigger)
                    if trigger.kind == "calculation":
                        todo.append(trigger.of)
                    elif trigger.kind == "relevant":
                        todo += trigger.of.walk()
            if any(t.stands for t in seen):
                found[definition] = tuple(t for t in seen if t.stands)
        return found

    # -- lists --------------------------------------------------------------------------------------------------

    @cached_property
    def rows(self) -> dict[str, list[Row]]:
        """Choice lists and files of the questionnaire as expressions see them."""
        found: dict[str, list[Row]] = {}
        default = self.questionnaire.default_language
        for name, choices in self.questionnaire.lists.items():
            found[name] = [
                Row(
                    [
                        *c.columns.items(),
                        ("name", c.name),
                        ("label", c.label.get(default, "")),
                        ("itextId", f"{name}-{i}"),
                    ],
                    c,
                )
                for i, c in enumerate(choices)
            ]
        for name, rows in self.questionnaire.files.items():
            found[name] = [Row(row.items()) for row in rows]
        return found

    @cached_property
    def itext(self) -> dict[str, str]:
        """Labels of choices, in the default language, under the keys that pyxform gives them."""
        return {row["itextId"]: row["label"] for rows in self.rows.values() for row in rows if "itextId" in row}

    @cached_property
    def indexes(self) -> dict[tuple[str, str], dict[str, list[Row]]]:
        """(list, column) to value to rows; filled as expressions ask."""
        return {}


def _grow(parent: Definition, nodes: Iterable[Node]) -> None:
    for node in nodes:
        child = Definition(node.name, parent, node)
        parent.children.append(child)
        parent.by_name[node.name] = child
        _grow(child, node.children)


def _settle_elements(element: Element) -> None:
    element.of.element = element
    for kid in element.kids.values():
        if isinstance(kid, Element):
            _settle_elements(kid)


def editable(node: Node) -> bool:
    """A calculation on a question that people can answer too."""
    return bool(node.calculation and node.control) and node.read_only not in ("true()", "yes", "true")


def stored(node: Node) -> bool:
    """Whether a draft stores the answer: what a person, a default or ``once()`` gave, not what is worked out again."""
    if node.kind != "question" or node.preload.partition(":")[0] == "uid":
        return False
    return not node.calculation or editable(node) or keeps_first(node)


def keeps_first(node: Node) -> bool:
    """A calculation with ``once()``: its value must be stored, it cannot be worked out again."""
    if "once" not in node.calculation:
        return False
    try:
        return any(isinstance(t, Call) and t.name == "once" for t in walk(parse(node.calculation)))
    except BadExpression:
        return False


@contextmanager
def kept_whole() -> Iterator[None]:
    """While much is made that stays: looking for garbage in it again and again would be a third of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def compiled(questionnaire: Questionnaire) -> Form:
    """The compiled form of a questionnaire, made at its first use and kept with it."""
    kept = questionnaire.__dict__
    if "form" not in kept:
        with kept_whole():
            kept["form"] = Form(questionnaire)
    form: Form = kept["form"]
    return form


def cycle_words(cycle: list[Trigger]) -> Text:
    """The chain of a cycle by question names: ``a → b → a``."""
    names = [t.of.name for t in cycle]
    chain = " → ".join([*names, names[0]])
    return Text(f"biểu thức phụ thuộc vòng tròn: {chain}", f"expressions depend on each other in a circle: {chain}")
