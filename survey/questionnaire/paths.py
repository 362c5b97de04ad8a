"""Paths in expressions: which elements (or rows of a choice list) they lead to.

Inside a repeat an absolute path means the own instance as far as the names agree, unless it has a predicate there;
``/data/hh/age`` asked from ``/data/hh[2]/sex`` is ``/data/hh[2]/age``. Irrelevant elements are left out at the end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from survey.questionnaire.nodes import NOWHERE, Code, Move, Nodes, element_value, keep
from survey.questionnaire.rows import compile_column, compile_rows
from survey.questionnaire.syntax import BadExpression, Call, Name, Path, Step, parse
from survey.questionnaire.tree import Definition, Element, ancestor, kids
from survey.questionnaire.values import Atom, Fault
from survey.text import Text

if TYPE_CHECKING:
    from survey.questionnaire.expressions import Compiler, Scope


def compile_path(c: Compiler, tree: Path, scope: Scope) -> Nodes:
    """The nodes of a path in the interview or, after ``instance('x')`` and in its predicates, of a choice list."""
    start = tree.start
    if start == "/" and (fixed := _outside_repeats(c.root, tree.steps)):
        c.dependencies.add((fixed.of, None))
        known = c.fixed.get(fixed)
        if known is None:
            known = c.fixed[fixed] = _constant(fixed, fixed.of)
        return known
    if isinstance(start, Name):
        what = Text(f"chưa rõ ${{{start.name}}} là câu nào", f"${{{start.name}}} is not resolved")
        raise BadExpression(what, start.at)
    if isinstance(start, Call) and start.name == "instance":
        return compile_rows(c, start, tree, scope)
    if isinstance(start, Call) and start.name != "current":
        what = Text(f"không lọc được kết quả của {start.name}()", f"the result of {start.name}() cannot be filtered")
        raise BadExpression(what, tree.at)
    if start == "." and scope.here is None:
        return compile_column(c, tree)
    return _Route(c, tree, scope).nodes()


def _outside_repeats(root: Definition, steps: tuple[Step, ...]) -> Element | None:
    """The one element that plain steps from the root lead to, most paths by far; None where there may be several."""
    if not steps or steps[0].name != root.name:
        return None
    at = root
    for number, step in enumerate(steps):
        if step.axis != "child" or step.predicates:
            return None
        if number:
            found = at.by_name.get(step.name)
            if found is None:
                return None
            at = found
    return at.element


@dataclass
class _Route:
    """One path through the interview while it is compiled."""

    c: Compiler
    tree: Path
    scope: Scope

    def __post_init__(self) -> None:
        absolute = self.tree.start == "/"
        self.absolute = absolute
        self.from_origin = isinstance(self.tree.start, Call) or self.scope.here is None
        base = self.scope.origin if self.from_origin else self.scope.here
        assert base is not None
        self.base = base
        # How many levels above the base the path still is on the base's own way to the root.
        self.up = len(base.chain) if absolute else 0
        self.at: Definition | None = None if absolute else base
        self.moves: list[Move] = []
        self.repeats: list[Definition] = []
        self.plain: list[Definition] | None = []

    def nodes(self) -> Nodes:
        for step in self.tree.steps:
            if not self._step(step):
                self.c.unknown.append(_text(self.tree))
                return NOWHERE
        if self.at is None:
            return NOWHERE
        self._depend(self.at)
        return self._compiled(self.at)

    def _step(self, step: Step) -> bool:
        if step.axis == "self":
            if step.predicates:
                self._add(self._filter(step, self.at))
            return True
        if step.axis == "parent":
            if self.at is None or self.at.parent is None:
                return False
            self.at = self.at.parent
            if self.moves:
                self._add(lambda s, found, o: list(dict.fromkeys(n.parent for n in found)))
            else:
                self.up += 1
            if step.predicates:
                self._add(self._filter(step, self.at))
            return True
        if step.axis == "attribute":
            return False
        return self._child(step)

    def _child(self, step: Step) -> bool:
        if step.name == "*":
            return self._any(step)
        if self.at is None:
            child = self.c.root if step.name == self.c.root.name else None
        else:
            child = self.at.by_name.get(step.name)
        if child is None:
            return False
        self.at = child
        level = len(child.chain) - 1
        own = self.absolute and level < len(self.base.chain) and self.base.chain[level] is child
        if own and not step.predicates and not self.moves:
            self.up -= 1
            return True
        if child.parent is None:
            # The root has no siblings to choose among.
            self.up -= 1
            return True
        if child.is_repeat:
            self.repeats.append(child)
            if own and not step.predicates:
                self._add(_same_index(child, self.base, self.from_origin))
                return True
        elif self.plain is not None and not step.predicates:
            self.plain.append(child)
            self.moves.append(_to(child))
            return True
        self._add(_to(child))
        if step.predicates:
            self._add_grouped(step, child)
        return True

    def _any(self, step: Step) -> bool:
        if self.at is None:
            return False
        at = self.at
        for child in at.children:
            self._depend(child)
            self.repeats += [child] if child.is_repeat else []
        self._add(lambda s, found, o: [k for n in found for d in at.children for k in kids(n, d, s.instances)])
        if step.predicates:
            self._add(self._filter(step, None))
        return True

    def _add(self, move: Move) -> None:
        self.moves.append(move)
        self.plain = None

    def _add_grouped(self, step: Step, child: Definition) -> None:
        """Predicates count positions within each parent, so they act together with the step before them."""
        descend = self.moves.pop()
        keep = self._filter(step, child)
        self._add(lambda s, found, o: [k for n in found for k in keep(s, descend(s, [n], o), o)])

    def _filter(self, step: Step, at: Definition | None) -> Move:
        bound = _outer(self._tied(), self.scope.bound)
        scope = replace(self.scope, here=at or self.base, in_predicate=True, bound=bound)
        return keep([self.c.compile(p, scope) for p in step.predicates])

    def _tied(self) -> Definition | None:
        """The innermost repeat whose own instance the path is still in where it leaves the base's way to the root."""
        level = len(self.base.chain) - 1 - self.up
        return self.base.chain[level].repeat() if level >= 0 else None

    def _depend(self, target: Definition) -> None:
        tied = self._tied()
        if not self.from_origin and self.scope.in_predicate:
            tied = _outer(tied, self.scope.bound)
        for repeat in self.repeats:
            self.c.dependencies.add((repeat, tied))
        if target.is_repeat and not self.moves and target.parent is not None:
            # Its place among its siblings may be asked for.
            tied = _outer(tied, target.parent.repeat())
        self.c.dependencies.add((target, tied))

    def _compiled(self, at: Definition) -> Nodes:
        if self.plain is not None and at.element is not None:
            return _constant(at.element, at)
        up, from_origin, moves = self.up, self.from_origin, tuple(self.moves)
        if self.plain is not None:
            return _single(up, from_origin, tuple(self.plain), at)

        def all(s: Any, e: Any, o: Any, p: Any) -> list[Element]:
            node = o if from_origin else e
            for _ in range(up):
                node = node.parent
            found = [node]
            for move in moves:
                found = move(s, found, o)
            return found

        def shown(s: Any, e: Any, o: Any, p: Any) -> list[Element]:
            hidden = s.hidden
            return [n for n in all(s, e, o, p) if n not in hidden]

        return Nodes(shown, element_value, at, unfiltered=all)


def _constant(element: Element, at: Definition) -> Nodes:
    def all(s: Any, e: Any, o: Any, p: Any) -> list[Element]:
        return [] if element in s.hidden else [element]

    def value(s: Any, e: Any, o: Any, p: Any) -> Atom:
        return "" if element in s.hidden else s.values.get(element, "")

    return Nodes(all, element_value, at, value, lambda s, e, o, p: [element])


def _single(up: int, from_origin: bool, down: tuple[Definition, ...], at: Definition) -> Nodes:
    def find(e: Any, o: Any) -> Element:
        node: Any = o if from_origin else e
        for _ in range(up):
            node = node.parent
        for child in down:
            node = node.kids[child]
        found: Element = node
        return found

    def all(s: Any, e: Any, o: Any, p: Any) -> list[Element]:
        element = find(e, o)
        return [] if element in s.hidden else [element]

    def value(s: Any, e: Any, o: Any, p: Any) -> Atom:
        element = find(e, o)
        return "" if element in s.hidden else s.values.get(element, "")

    return Nodes(all, element_value, at, value, lambda s, e, o, p: [find(e, o)])


def _to(child: Definition) -> Move:
    if child.is_repeat:
        return lambda s, found, o: [k for n in found for k in kids(n, child, s.instances)]
    return lambda s, found, o: [n.kids[child] for n in found]


def _same_index(child: Definition, base: Definition, from_origin: bool) -> Move:
    """Below another instance of the outer repeat the inner one is the one with the own number."""

    def move(s: Any, found: list[Any], o: Any) -> list[Any]:
        own = ancestor(o, child)
        index = s.position.get(own, 1) - 1
        return [k for n in found for k in kids(n, child, s.instances)[index : index + 1]]

    return move


def _outer(a: Definition | None, b: Definition | None) -> Definition | None:
    """The outer of two repeats; None is outermost."""
    if a is None or b is None:
        return None
    return a if len(a.chain) <= len(b.chain) else b


# -- functions that name places ------------------------------------------------------------------------------------


def definition_of(c: Compiler, text: str, scope: Scope) -> Definition | None:
    """The definition that the path ``text`` (of jr:choice-name) names; None when there is none."""
    try:
        tree = parse(text)
    except BadExpression:
        return None
    return _resolve(c, tree, scope) if isinstance(tree, Path) else None


def _resolve(c: Compiler, tree: Path, scope: Scope) -> Definition | None:
    at = None if tree.start == "/" else scope.origin if isinstance(tree.start, Call) else scope.here or scope.origin
    for step in tree.steps:
        if step.axis == "parent":
            at = at.parent if at else None
        elif step.axis == "child":
            at = at.by_name.get(step.name) if at else c.root if step.name == c.root.name else None
        if at is None:
            return None
    return at


def compile_indexed_repeat(c: Compiler, call: Call, scope: Scope) -> Code:
    """``indexed-repeat(field, repeat, number, …)``: the field in that instance; beyond the last it is empty."""
    targets = [a for a in call.args if isinstance(a, Path)]
    paths = [call.args[0], *call.args[1::2]]
    if len(call.args) % 2 == 0 or any(not isinstance(p, Path) for p in paths) or not targets:
        what = Text("indexed-repeat() cần câu hỏi, nhóm lặp, số thứ tự", "indexed-repeat() needs field, repeat, number")
        raise BadExpression(what, call.at)
    found = [_resolve(c, p, scope) for p in paths if isinstance(p, Path)]
    target, repeats = found[0], found[1:]
    if target is None or any(r is None or r not in target.chain for r in repeats):
        what = Text(
            "câu hỏi trong indexed-repeat() phải nằm trong nhóm lặp",
            "the field of indexed-repeat() must be in the repeat",
        )
        raise BadExpression(what, call.at)
    numbers = dict(zip(repeats, (c.compile(a, scope) for a in call.args[2::2]), strict=True))
    base = scope.here or scope.origin
    outermost = min((r for r in repeats if r), key=lambda r: len(r.chain))
    tied = outermost.parent.repeat() if outermost.parent and outermost.parent in base.chain else None
    tied = _outer(tied, scope.bound) if scope.in_predicate else tied
    for definition in (target, *(d for d in target.chain if d.is_repeat)):
        c.dependencies.add((definition, tied))
    chain = target.chain[1:]
    own = {d for d in chain if d in base.chain}

    def value(s: Any, e: Any, o: Any, p: Any) -> Atom:
        nodes: list[Any] = [s.root]
        for step in chain:
            if step in numbers:
                number = numbers[step](s, e, o, p)
                index = max(1, s.whole(number)) - 1
                nodes = [k for n in nodes for k in kids(n, step, s.instances)[index : index + 1]]
            elif step.is_repeat and step in own:
                index = s.position.get(ancestor(e if isinstance(e, Element) else o, step), 1) - 1
                nodes = [k for n in nodes for k in kids(n, step, s.instances)[index : index + 1]]
            else:
                nodes = [k for n in nodes for k in kids(n, step, s.instances)]
        nodes = [n for n in nodes if n not in s.hidden]
        if len(nodes) > 1:
            raise Fault("indexed-repeat() leads to several answers; give the number of every repeat")
        return s.values.get(nodes[0], "") if nodes else ""

    return value


def _text(tree: Path) -> str:
    """The path as a person would write it, for a message."""
    head = "/" if tree.start == "/" else "current()/" if isinstance(tree.start, Call) else ""
    parts = {"parent": "..", "self": "."}
    return head + "/".join(parts.get(s.axis, ("@" if s.axis == "attribute" else "") + s.name) for s in tree.steps)
