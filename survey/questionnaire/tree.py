"""The shape of an interview: definitions (one per row of the sheet) and elements (one per place an answer can stand).

Elements never change; what changes (answers, relevance, which repeat instances there are) is in ``State`` and is keyed
by element. So a new state is a few copied dicts, and everything outside repeats is shared by all interviews.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from survey.questionnaire.model import Node


class Definition:
    """One node of the questionnaire, or its root."""

    __slots__ = (
        "by_name",
        "chain",
        "children",
        "element",
        "holds_repeats",
        "index",
        "is_repeat",
        "name",
        "node",
        "parent",
        "path",
        "stored",
    )

    def __init__(self, name: str, parent: Definition | None, node: Node | None):
        self.name = name
        self.node = node
        self.parent = parent
        self.path = node.path if node else ""
        self.is_repeat = node is not None and node.kind == "repeat"
        self.chain: tuple[Definition, ...] = (*parent.chain, self) if parent else (self,)
        self.children: list[Definition] = []
        self.by_name: dict[str, Definition] = {}
        self.index = 0
        # Whether it is a repeat or has one below it.
        self.holds_repeats = False
        if self.is_repeat:
            for level in self.chain:
                level.holds_repeats = True
        # Whether a draft stores its answer: not what is worked out again at any time.
        self.stored = False
        # The one element of a definition outside all repeats.
        self.element: Element | None = None

    @property
    def is_leaf(self) -> bool:
        """A question or calculation, as opposed to a group or repeat."""
        return self.node is not None and self.node.kind == "question"

    def repeat(self) -> Definition | None:
        """The innermost repeat that contains this definition, itself included."""
        return next((d for d in reversed(self.chain) if d.is_repeat), None)

    def walk(self) -> Iterator[Definition]:
        """This definition and all below it in document order."""
        yield self
        for child in self.children:
            yield from child.walk()


class Slot:
    """The place of a repeat inside one parent; its instances are in the state."""

    __slots__ = ("_ghost", "of", "parent", "path")
    path: str

    def __init__(self, of: Definition, parent: Element):
        self.of = of
        self.parent = parent
        self.path = f"{parent.path}/{of.name}" if parent.path else of.name
        self._ghost: Element | None = None

    @property
    def ghost(self) -> Element:
        """An instance that is not there: where the relevance of a repeat without instances is worked out."""
        if self._ghost is None:
            self._ghost = Element(self.of, self.parent, "")
        return self._ghost


class Element:
    """One place in the interview: a question, a group, or one instance of a repeat (which has an ``id``)."""

    __slots__ = ("id", "kids", "of", "parent", "path")
    path: str

    def __init__(self, of: Definition, parent: Element | None, id: str = ""):
        self.of = of
        self.parent = parent
        self.id = id
        head = f"{parent.path}/{of.name}" if parent and parent.path else of.name if parent else ""
        self.path = f"{head}[{id}]" if of.is_repeat else head
        self.kids: dict[Definition, Element | Slot] = {
            child: Slot(child, self) if child.is_repeat else Element(child, self) for child in of.children
        }

    def __repr__(self) -> str:
        return f"<{self.path}>"


Instances: TypeAlias = dict[Slot, tuple[Element, ...]]


def kids(element: Element, child: Definition, instances: Instances) -> tuple[Element, ...]:
    """The elements of ``child`` directly below ``element``."""
    found = element.kids[child]
    return instances.get(found, ()) if isinstance(found, Slot) else (found,)


def below(element: Element, target: Definition, instances: Instances) -> list[Element]:
    """The elements of ``target`` at or below ``element``, whose definition lies on the way to ``target``."""
    found = [element]
    for step in target.chain[len(element.of.chain) :]:
        found = [kid for parent in found for kid in kids(parent, step, instances)]
    return found


def descendants(element: Element, instances: Instances) -> Iterator[Element]:
    """``element`` and everything below it, in document order."""
    yield element
    for child in element.of.children:
        for kid in kids(element, child, instances):
            yield from descendants(kid, instances)


def ancestor(element: Element | None, of: Definition) -> Element | None:
    """The element of definition ``of`` at or above ``element``."""
    while element is not None and element.of is not of:
        element = element.parent
    return element
