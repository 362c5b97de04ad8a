"""Paths into choice lists and files: ``instance('communes')/root/item[province = /data/province]/name``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from survey.questionnaire.nodes import NOWHERE, Code, Nodes, keep
from survey.questionnaire.syntax import BadExpression, Binary, Call, Literal, Path, Step, Tree, walk
from survey.questionnaire.values import Atom, to_string
from survey.text import Text

if TYPE_CHECKING:
    from survey.questionnaire.expressions import Compiler, Scope


def compile_rows(c: Compiler, start: Call, tree: Path, scope: Scope) -> Nodes:
    """``instance('x')/root/item[…]/column``."""
    if len(start.args) != 1 or not isinstance(start.args[0], Literal):
        raise BadExpression(Text("instance() cần tên danh sách", "instance() needs the name of a list"), start.at)
    name, steps = start.args[0].value, [s for s in tree.steps if s.axis != "self" or s.predicates]
    if any(s.axis not in ("child", "self") for s in steps) or len(steps) < 2:
        what = Text("đường dẫn của danh sách phải là root/item", "a path into a list must be root/item")
        raise BadExpression(what, tree.at)
    if name not in c.lists:
        c.unknown.append(f"instance('{name}')")
    item, rest = steps[1], steps[2:]
    inner = replace(scope, here=None, in_predicate=True)
    fetch = _fetch(c, name, item, inner)
    if len(rest) > 1:
        return NOWHERE
    column = rest[0].name if rest else ""

    def all(s: Any, e: Any, o: Any, p: Any) -> list[Any]:
        found = fetch(s, o)
        return [row for row in found if column in row] if column else found

    return Nodes(all, lambda s, row: row.get(column, ""))


def _fetch(c: Compiler, name: str, item: Step, inner: Scope) -> Callable[[Any, Any], list[Any]]:
    """The rows that pass the predicates; ``column = value`` is looked up, not searched, in long lists."""
    first = _conjuncts(item.predicates[0]) if item.predicates else []
    positional = any(isinstance(t, Call) and t.name in ("position", "last") for p in item.predicates for t in walk(p))
    key = next((pair for part in first if (pair := _lookup(part))), None) if not positional else None
    everything = keep([c.compile(p, inner) for p in item.predicates])
    if key is None:
        return lambda s, o: everything(s, s.rows(name), o)
    column, wanted, used = key
    code = c.compile(wanted, inner)
    others = [p for p in first if p is not used] + list(item.predicates[1:])
    remaining = keep([c.compile(p, inner) for p in others])

    def fetch(s: Any, o: Any) -> list[Any]:
        value = code(s.standing or s, o, o, None)
        if type(value) is str:
            return remaining(s, s.rows_where(name, column, value), o)
        return everything(s, s.rows(name), o)

    return fetch


def _conjuncts(tree: Tree) -> list[Tree]:
    if isinstance(tree, Binary) and tree.op == "and":
        return _conjuncts(tree.left) + _conjuncts(tree.right)
    return [tree]


def _lookup(tree: Tree) -> tuple[str, Tree, Tree] | None:
    """(column, other side, the whole) of ``column = something that does not look at the row``."""
    if not isinstance(tree, Binary) or tree.op != "=":
        return None
    for side, other in ((tree.left, tree.right), (tree.right, tree.left)):
        if isinstance(side, Path) and side.start == "." and (column := _column_name(side)) and not _reads_row(other):
            return column, other, tree
    return None


def _reads_row(tree: Tree) -> bool:
    return any(
        (isinstance(t, Path) and t.start == ".")
        or (isinstance(t, Call) and t.name in ("position", "last", "string-length", "normalize-space") and not t.args)
        for t in walk(tree)
    )


def _column_name(tree: Path) -> str:
    steps = [s for s in tree.steps if s.axis != "self"]
    if len(steps) == 1 and steps[0].axis == "child" and not any(s.predicates for s in tree.steps):
        return steps[0].name
    return ""


def compile_column(c: Compiler, tree: Path) -> Nodes:
    """A path inside a predicate on rows: the value of a column."""
    column = _column_name(tree)
    if not column:
        return NOWHERE

    def value(s: Any, row: Any, o: Any, p: Any) -> Atom:
        found: Atom = row.get(column, "")
        return found

    return Nodes(lambda s, row, o, p: [row] if column in row else [], lambda s, row: row.get(column, ""), None, value)


def compile_pulldata(c: Compiler, call: Call, scope: Scope) -> Code:
    """``pulldata('file', 'column', 'key column', key)``: the column of the first row with this key; else empty."""
    named = [part.value.strip() for part in call.args[:3] if isinstance(part, Literal)]
    if len(named) < 3:
        what = Text(
            "pulldata() cần tên tệp, cột và cột khóa trong nháy",
            "pulldata() needs the file, the column and the key column in quotes",
        )
        raise BadExpression(what, call.at)
    name, column, key_column = named[0].removesuffix(".csv"), named[1], named[2]
    key = c.compile(call.args[3], scope)
    if name not in c.lists:
        c.unknown.append(f"pulldata('{name}')")

    def pulled(s: Any, e: Any, o: Any, p: Any) -> Atom:
        found = s.rows_where(name, key_column, to_string(key(s, e, o, p)))
        value: Atom = found[0].get(column, "") if found else ""
        return value

    return pulled
