"""Which question comes next on paper: for every choice, the first question that it does not rule out.

Conditions are worked out in three values (true, false, not known yet): what has not been answered is not known, what
was skipped is empty. So an arrow is drawn only where the form itself leaves no doubt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from survey.paper.conditions import Wording, constant, flat, parsed
from survey.questionnaire.matching import ancestors, offered
from survey.questionnaire.model import Node
from survey.questionnaire.syntax import Binary, Call, Literal, Tree

END = ""
"""Where an arrow leads when nothing more is asked."""

_Known = dict[str, str]
_LOGIC: dict[str, bool] = {"and": False, "or": True}


@dataclass(frozen=True)
class Item:
    """A question in its place: its node and everything that must hold for it to be asked."""

    node: Node
    conditions: tuple[Tree, ...]


def conditions(wording: Wording, node: Node) -> tuple[Tree, ...]:
    """The conditions of a node and of the groups it stands in, taken apart at *and*, each once."""
    found: list[Tree] = []
    for one in (*ancestors(wording.questionnaire, node), node):
        tree = parsed(one.relevant) if one.relevant else None
        found += flat(tree) if tree is not None else []
    return tuple({key(tree): tree for tree in found}.values())


def targets(wording: Wording, items: Sequence[Item], at: int) -> dict[str, str]:
    """Choice (``""`` for a missing answer) of the question at this place to the path that is asked next, or END.

    Empty where every choice goes on with the next question, and for questions without single choices.
    """
    node = items[at].node
    if node.type not in ("select_one", "select_one_from_file"):
        return {}
    found: dict[str, str] = {}
    plain = True
    for choice in [*offered(wording.questionnaire, node), *([""] if node.missing else [])]:
        known: _Known = _implied(wording, items[at].conditions) | {node.path: choice}
        found[choice] = END
        skipped: list[Node] = []
        for item in items[at + 1 :]:
            if any(_holds(wording, tree, known) is False for tree in item.conditions):
                known[item.node.path] = ""
                skipped.append(item.node)
                continue
            found[choice] = item.node.path
            break
        # "Other, please specify" needs no arrow round it: its own condition stands beside it.
        plain = plain and (not skipped or (len(skipped) == 1 and skipped[0].type == "text"))
    return {} if plain else found


def _implied(wording: Wording, known: Sequence[Tree]) -> _Known:
    """What is known because the question is asked at all: ``${own} = 'yes'`` among its conditions."""
    found: _Known = {}
    for tree in known:
        if isinstance(tree, Binary) and tree.op == "=" and (node := wording.node(tree.left)) is not None:
            value = constant(tree.right)
            if value is not None and not node.calculation:
                found[node.path] = value
    return found


# -- three values --------------------------------------------------------------------------------------------------


def _holds(wording: Wording, tree: Tree, known: Mapping[str, str]) -> bool | None:
    """Whether a condition holds; None when that is not known."""
    if isinstance(tree, Binary):
        if tree.op in _LOGIC:
            sides = [_holds(wording, side, known) for side in (tree.left, tree.right)]
            decides = _LOGIC[tree.op]
            return decides if decides in sides else None if None in sides else not decides
        if tree.op in _COMPARE:
            left, right = (_value(wording, side, known) for side in (tree.left, tree.right))
            return None if left is None or right is None else _COMPARE[tree.op](left, right)
    if isinstance(tree, Call):
        if tree.name == "not" and len(tree.args) == 1:
            inner = _holds(wording, tree.args[0], known)
            return None if inner is None else not inner
        if tree.name == "selected" and len(tree.args) == 2 and isinstance(tree.args[1], Literal):
            value = _value(wording, tree.args[0], known)
            return None if value is None else tree.args[1].value in value.split()
        if tree.name in ("true", "false"):
            return tree.name == "true"
    return None


def _value(wording: Wording, tree: Tree, known: Mapping[str, str]) -> str | None:
    """The value of a side of a comparison; None when it is not known."""
    value = constant(tree)
    if value is not None:
        return value
    node = wording.node(tree)
    if node is not None:
        if node.path in known:
            return known[node.path]
        inner = parsed(node.calculation) if node.calculation and not node.control else None
        return _value(wording, inner, known) if inner is not None else None
    if isinstance(tree, Call) and tree.name == "if" and len(tree.args) == 3:
        holds = _holds(wording, tree.args[0], known)
        if holds is not None:
            return _value(wording, tree.args[1 if holds else 2], known)
    return None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _equal(left: str, right: str) -> bool:
    if left == right:
        return True
    one, other = _number(left), _number(right)
    return one is not None and one == other


def _ordered(than: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def compare(left: str, right: str) -> bool:
        one, other = _number(left), _number(right)
        # An empty answer is in no order with anything.
        return one is not None and other is not None and than(one, other)

    return compare


_COMPARE: dict[str, Callable[[str, str], bool]] = {
    "=": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "<": _ordered(lambda left, right: left < right),
    ">": _ordered(lambda left, right: left > right),
    "<=": _ordered(lambda left, right: left <= right),
    ">=": _ordered(lambda left, right: left >= right),
}


def _without_place(tree: Tree) -> object:
    """A tree that compares equal wherever in a text the expression stood."""
    if isinstance(tree, Binary):
        return (tree.op, _without_place(tree.left), _without_place(tree.right))
    if isinstance(tree, Call):
        return (tree.name, *map(_without_place, tree.args))
    steps = getattr(tree, "steps", None)
    return (steps, str(getattr(tree, "start", ""))) if steps is not None else tree


def key(tree: Tree) -> str:
    """A text that two conditions share exactly when they say the same in the same way."""
    return repr(_without_place(tree))
