"""Nodes that a compiled path leads to, and predicates that choose among them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from survey.questionnaire.tree import Definition, Element
from survey.questionnaire.values import Atom, Fault, to_boolean

Code: TypeAlias = Callable[[Any, Any, Any, Any], Any]
Move: TypeAlias = Callable[[Any, list[Any], Any], list[Any]]


class Nodes:
    """A compiled path: ``all`` the nodes, their ``values``, the one ``value`` (Fault if there are several)."""

    def __init__(
        self,
        all: Code,
        value_of: Callable[[Any, Any], Atom],
        definition: Definition | None = None,
        value: Code | None = None,
        unfiltered: Code | None = None,
    ):
        self.all = all
        # The same with irrelevant elements; a repeat's count is read even where its question is not asked.
        self.unfiltered = unfiltered or all
        self.value_of = value_of
        self.definition = definition
        self.value = value or self._value

    def values(self, s: Any, e: Any, o: Any, p: Any) -> list[Atom]:
        value_of = self.value_of
        return [value_of(s, node) for node in self.all(s, e, o, p)]

    def _value(self, s: Any, e: Any, o: Any, p: Any) -> Atom:
        found = self.all(s, e, o, p)
        if not found:
            return ""
        if len(found) > 1:
            raise Fault("a path leads to several answers where one is needed; use indexed-repeat() or a position")
        return self.value_of(s, found[0])


def element_value(s: Any, element: Element) -> Atom:
    found: Atom = s.values.get(element, "")
    return found


NOWHERE = Nodes(lambda s, e, o, p: [], lambda s, node: "", None, lambda s, e, o, p: "")


def keep(predicates: list[Code]) -> Move:
    """The nodes for which every predicate holds; a number is a position."""

    def kept_of(s: Any, found: list[Any], o: Any) -> list[Any]:
        s = s.standing or s
        for predicate in predicates:
            size, kept = len(found), []
            for i, node in enumerate(found, 1):
                value = predicate(s, node, o, (i, size))
                if value is True or (value == i if type(value) is float else value is not False and to_boolean(value)):
                    kept.append(node)
            found = kept
        return found

    return kept_of
