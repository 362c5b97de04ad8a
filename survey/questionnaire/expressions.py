"""Expressions compiled to closures over an interview.

``Compiler.compile`` turns a tree of ``syntax`` into a function of the state and the element where the expression
stands, and collects what it depends on. Paths are resolved once, when compiling: a path that does not enter a repeat
becomes one look-up in a dict. Meanings (empty values, irrelevant nodes, which instance a path means inside a repeat)
are those of JavaRosa, the engine inside ODK Collect.

A compiled expression has the signature ``f(state, element, origin, place)``: ``origin`` is the node that owns the
expression (``current()``), ``place`` the (position, size) inside a predicate, None outside.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from survey.questionnaire import paths
from survey.questionnaire.functions import BUILT_IN, FUNCTIONS, UNSUPPORTED, random_number, seed_of, shuffled
from survey.questionnaire.functions import whole as whole_number
from survey.questionnaire.nodes import Code, Nodes
from survey.questionnaire.rows import compile_pulldata
from survey.questionnaire.syntax import BadExpression, Binary, Call, Literal, Name, Negative, Number, Path, Tree
from survey.questionnaire.tree import Definition, Element
from survey.questionnaire.values import Atom, Fault, is_empty, to_boolean, to_number, to_string
from survey.text import Text

Dependency: TypeAlias = tuple[Definition, "Definition | None"]


@dataclass(frozen=True)
class Scope:
    """Where an expression stands while it is compiled.

    ``here`` is the node the path starts from (None: a row of a choice list), ``origin`` the owner of the expression.
    ``bound`` is the innermost repeat whose instance is the owner's own; paths from a predicate cannot be tied closer.
    """

    here: Definition | None
    origin: Definition
    in_predicate: bool = False
    bound: Definition | None = None


class Compiler:
    """Compiles the expressions of one questionnaire whose root is ``root``.

    ``dependencies`` collects (definition, repeat): a change below the same instance of ``repeat`` (None: anywhere)
    makes the expression due. ``unknown`` collects the paths that lead nowhere, ``named`` the questions whose choices
    are shown by name; ``lists`` are the names of lists and files that there are. ``fixed`` keeps the nodes of paths
    outside repeats, which are the same for every expression.
    """

    def __init__(
        self, root: Definition, lists: frozenset[str] = frozenset(), fixed: dict[Element, Nodes] | None = None
    ):
        self.root = root
        self.lists = lists
        self.fixed: dict[Element, Nodes] = {} if fixed is None else fixed
        self.dependencies: set[Dependency] = set()
        self.unknown: list[str] = []
        self.named: set[Definition] = set()

    def compile(self, tree: Tree, scope: Scope) -> Code:
        """The value of ``tree`` as a closure. Raises BadExpression for what cannot be compiled."""
        if isinstance(tree, (Number, Literal)):
            constant = tree.value
            return lambda s, e, o, p: constant
        if isinstance(tree, Path):
            return self.nodes(tree, scope).value
        if isinstance(tree, Binary):
            return self._binary(tree, scope)
        if isinstance(tree, Negative):
            operand = self.compile(tree.operand, scope)
            return lambda s, e, o, p: -to_number(operand(s, e, o, p))
        if isinstance(tree, Name):
            what = Text(f"chưa rõ ${{{tree.name}}} là câu nào", f"${{{tree.name}}} is not resolved")
            raise BadExpression(what, tree.at)
        return self._call(tree, scope)

    def nodes(self, tree: Path, scope: Scope) -> Nodes:
        """The nodes that a path leads to."""
        return paths.compile_path(self, tree, scope)

    def nodeset(self, tree: Tree, scope: Scope) -> Nodes:
        """The nodes of a choice list: a path, or ``randomize(path, seed)``."""
        if isinstance(tree, Call) and tree.name == "randomize" and tree.args and isinstance(tree.args[0], Path):
            inner = self.nodes(tree.args[0], scope)
            seed = self.compile(tree.args[1], scope) if len(tree.args) > 1 else None

            def order(s: Any, e: Any, o: Any, p: Any) -> list[Any]:
                number = s.random_seed(o.path) if seed is None else seed_of(seed(s, e, o, p))
                return shuffled(inner.all(s, e, o, p), number)

            return Nodes(order, inner.value_of, inner.definition)
        if isinstance(tree, Path):
            return self.nodes(tree, scope)
        raise BadExpression(Text("danh sách phương án phải là một đường dẫn", "a choice list must be a path"), 0)

    # -- operators ----------------------------------------------------------------------------------------------

    def _binary(self, tree: Binary, scope: Scope) -> Code:
        op = tree.op
        if op == "|":
            raise BadExpression(Text("không hỗ trợ phép hợp «|»", "the union “|” is not supported"), 0)
        a, b = self.compile(tree.left, scope), self.compile(tree.right, scope)
        if op in ("=", "!="):
            return _equality(a, b, op == "=", tree.right if isinstance(tree.right, (Literal, Number)) else None)
        return _OPERATORS[op](a, b)

    # -- functions ----------------------------------------------------------------------------------------------

    def _call(self, call: Call, scope: Scope) -> Code:
        name = call.name
        check_call(call)
        builder = getattr(self, "_do_" + name.replace("-", "_").replace(":", "_"), None) if name in BUILT_IN else None
        if builder:
            code: Code = builder(call, scope)
            return code
        function = FUNCTIONS[name]
        apply = function.call
        if call.args and len(call.args) == function.spread and isinstance(call.args[-1], Path):
            return self._spread(call, scope)
        codes = [self.compile(a, scope) for a in call.args]
        if len(codes) == 1:
            only = codes[0]
            return lambda s, e, o, p: apply(s, only(s, e, o, p))
        if len(codes) == 2:
            first, second = codes
            return lambda s, e, o, p: apply(s, first(s, e, o, p), second(s, e, o, p))
        return lambda s, e, o, p: apply(s, *[c(s, e, o, p) for c in codes])

    def _spread(self, call: Call, scope: Scope) -> Code:
        """A function whose last argument is a path: its nodes' values become arguments one by one."""
        apply, nothing = FUNCTIONS[call.name].call, _OF_NOTHING.get(call.name)
        head = [self.compile(a, scope) for a in call.args[:-1]]
        values = self.nodes(call.args[-1], scope).values  # type: ignore[arg-type]  # spread functions end in a path

        def spread(s: Any, e: Any, o: Any, p: Any) -> Atom:
            found = values(s, e, o, p)
            if not found and nothing is not None:
                return nothing
            return apply(s, *[c(s, e, o, p) for c in head], *found)

        return spread

    def _do_if(self, call: Call, scope: Scope) -> Code:
        test, yes, no = (self.compile(a, scope) for a in call.args)
        return lambda s, e, o, p: yes(s, e, o, p) if to_boolean(test(s, e, o, p)) else no(s, e, o, p)

    def _do_coalesce(self, call: Call, scope: Scope) -> Code:
        first, second = (self.compile(a, scope) for a in call.args)

        def coalesce(s: Any, e: Any, o: Any, p: Any) -> Atom:
            value: Atom = first(s, e, o, p)
            return second(s, e, o, p) if is_empty(value) else value

        return coalesce

    def _do_true(self, call: Call, scope: Scope) -> Code:
        return lambda s, e, o, p: True

    def _do_false(self, call: Call, scope: Scope) -> Code:
        return lambda s, e, o, p: False

    def _path_argument(self, call: Call, scope: Scope) -> Nodes:
        if not call.args or not isinstance(call.args[0], Path):
            raise BadExpression(
                Text(f"{call.name}() cần tên một câu hay một nhóm lặp", f"{call.name}() needs a question or a repeat"),
                call.at,
            )
        return self.nodes(call.args[0], scope)

    def _do_count(self, call: Call, scope: Scope) -> Code:
        nodes = self._path_argument(call, scope).all
        return lambda s, e, o, p: float(len(nodes(s, e, o, p)))

    def _do_count_non_empty(self, call: Call, scope: Scope) -> Code:
        nodes = self._path_argument(call, scope)
        if nodes.definition is not None and not nodes.definition.is_leaf:
            return lambda s, e, o, p: float(len(nodes.all(s, e, o, p)))
        return lambda s, e, o, p: float(sum(v != "" for v in nodes.values(s, e, o, p)))

    def _do_sum(self, call: Call, scope: Scope) -> Code:
        values = self._path_argument(call, scope).values

        def total(s: Any, e: Any, o: Any, p: Any) -> float:
            result = 0.0
            for value in values(s, e, o, p):
                number = to_number(value)
                if number == number:
                    result += number
            return result

        return total

    def _do_position(self, call: Call, scope: Scope) -> Code:
        if call.args:
            nodes = self._path_argument(call, scope)

            def of_first(s: Any, e: Any, o: Any, p: Any) -> float:
                found = nodes.all(s, e, o, p)
                return float(s.position.get(found[0], 1)) if found else 0.0

            return of_first
        if scope.in_predicate:
            return lambda s, e, o, p: float(p[0])
        if scope.here is not None and scope.here.is_repeat and scope.here.parent is not None:
            self.dependencies.add((scope.here, scope.here.parent.repeat()))
        return lambda s, e, o, p: float(s.position.get(e, 1))

    def _do_last(self, call: Call, scope: Scope) -> Code:
        if not scope.in_predicate:
            raise BadExpression(Text("last() chỉ dùng trong […]", "last() stands only inside […]"), call.at)
        return lambda s, e, o, p: float(p[1])

    def _do_once(self, call: Call, scope: Scope) -> Code:
        value = self.compile(call.args[0], scope)

        def once(s: Any, e: Any, o: Any, p: Any) -> Atom:
            kept: Atom = s.values.get(o, "") if o not in s.hidden else ""
            return value(s, e, o, p) if kept == "" else kept

        return once

    def _self(self, call: Call, scope: Scope) -> Code:
        if call.args:
            return self.compile(call.args[0], scope)
        return self.nodes(Path(".", (), call.at), scope).value

    def _do_string_length(self, call: Call, scope: Scope) -> Code:
        value = self._self(call, scope)
        # Java counts UTF-16 units; a person counts letters. They differ only beyond the Basic Multilingual Plane.
        return lambda s, e, o, p: float(len(to_string(value(s, e, o, p)).encode("utf-16-le")) // 2)

    def _do_normalize_space(self, call: Call, scope: Scope) -> Code:
        value = self._self(call, scope)
        return lambda s, e, o, p: " ".join(to_string(value(s, e, o, p)).split())

    def _do_random(self, call: Call, scope: Scope) -> Code:
        return lambda s, e, o, p: random_number(s.interview, o.path, "random")

    def _do_uuid(self, call: Call, scope: Scope) -> Code:
        length = self.compile(call.args[0], scope) if call.args else None
        return lambda s, e, o, p: s.uuid(o.path, None if length is None else whole_number(length(s, e, o, p)))

    def _do_indexed_repeat(self, call: Call, scope: Scope) -> Code:
        return paths.compile_indexed_repeat(self, call, scope)

    def _do_jr_choice_name(self, call: Call, scope: Scope) -> Code:
        value, question = self.compile(call.args[0], scope), call.args[1]
        if not isinstance(question, Literal):
            what = Text("jr:choice-name() cần tên câu hỏi trong nháy", "jr:choice-name() needs the question in quotes")
            raise BadExpression(what, call.at)
        target = paths.definition_of(self, question.value.strip(), scope)
        if target is None:
            self.unknown.append(question.value.strip())
            return lambda s, e, o, p: ""
        self.named.add(target)
        return lambda s, e, o, p: s.choice_label(target, to_string(value(s, e, o, p)), o)

    def _do_jr_itext(self, call: Call, scope: Scope) -> Code:
        key = self.compile(call.args[0], scope)
        return lambda s, e, o, p: s.itext(to_string(key(s, e, o, p)))

    def _do_instance(self, call: Call, scope: Scope) -> Code:
        raise BadExpression(Text("instance() cần đường dẫn theo sau", "instance() needs a path after it"), call.at)

    _do_current = _do_instance

    def _do_pulldata(self, call: Call, scope: Scope) -> Code:
        return compile_pulldata(self, call, scope)

    def _do_randomize(self, call: Call, scope: Scope) -> Code:
        return self.nodeset(call, scope).value


def check_call(call: Call) -> None:
    """Raises BadExpression when the function is unknown, unsupported, or has the wrong number of arguments."""
    name, count = call.name, len(call.args)
    if name in FUNCTIONS:
        least, most = FUNCTIONS[name].least, FUNCTIONS[name].most
    elif name in BUILT_IN:
        least, most = BUILT_IN[name]
    else:
        if name in UNSUPPORTED:
            what = Text(f"chưa hỗ trợ hàm {name}()", f"the function {name}() is not supported")
        else:
            what = Text(f"không có hàm {name}()", f"there is no function {name}()")
        raise BadExpression(what, call.at)
    if count < least or (most is not None and count > most):
        needs = str(least) if least == most else f"{least}–{most}" if most is not None else f"{least}+"
        raise BadExpression(
            Text(f"{name}() cần {needs} đối số, đang có {count}", f"{name}() takes {needs} arguments, not {count}"),
            call.at,
        )


# What is said of a path without nodes: the largest of nothing is empty.
_OF_NOTHING: dict[str, Atom] = {"max": math.nan, "min": math.nan}


def equal(a: Atom, b: Atom) -> bool:
    """XPath's ``=`` between two values: as booleans, else as numbers, else as text."""
    if isinstance(a, bool) or isinstance(b, bool):
        return to_boolean(a) == to_boolean(b)
    if isinstance(a, float) or isinstance(b, float):
        x, y = to_number(a), to_number(b)
        return x == y or abs(x - y) < 1e-12
    return to_string(a) == to_string(b)


def _equality(a: Code, b: Code, wanted: bool, constant: Literal | Number | None) -> Code:
    if isinstance(constant, Literal):
        text = constant.value
        as_number = to_number(text)

        def with_text(s: Any, e: Any, o: Any, p: Any) -> bool:
            value = a(s, e, o, p)
            if type(value) is str:
                return (value == text) is wanted
            if type(value) is float:
                return (value == as_number or abs(value - as_number) < 1e-12) is wanted
            return equal(value, text) is wanted

        return with_text
    return lambda s, e, o, p: equal(a(s, e, o, p), b(s, e, o, p)) is wanted


def _divide(x: float, y: float) -> float:
    try:
        return x / y
    except ZeroDivisionError:
        return math.nan if x == 0 or math.isnan(x) else math.copysign(math.inf, x) * math.copysign(1.0, y)


def _modulo(x: float, y: float) -> float:
    try:
        return math.fmod(x, y)
    except ValueError:
        return math.nan


def _numeric(combine: Callable[[float, float], Any]) -> Callable[[Code, Code], Code]:
    def build(a: Code, b: Code) -> Code:
        return lambda s, e, o, p: combine(to_number(a(s, e, o, p)), to_number(b(s, e, o, p)))

    return build


_OPERATORS: dict[str, Callable[[Code, Code], Code]] = {
    "or": lambda a, b: lambda s, e, o, p: to_boolean(a(s, e, o, p)) or to_boolean(b(s, e, o, p)),
    "and": lambda a, b: lambda s, e, o, p: to_boolean(a(s, e, o, p)) and to_boolean(b(s, e, o, p)),
    "<": _numeric(lambda x, y: x < y),
    ">": _numeric(lambda x, y: x > y),
    "<=": _numeric(lambda x, y: x <= y),
    ">=": _numeric(lambda x, y: x >= y),
    "+": _numeric(lambda x, y: x + y),
    "-": _numeric(lambda x, y: x - y),
    "*": _numeric(lambda x, y: x * y),
    "div": _numeric(_divide),
    "mod": _numeric(_modulo),
}

__all__ = ["Code", "Compiler", "Dependency", "Fault", "Scope", "check_call", "equal"]
