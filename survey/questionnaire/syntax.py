"""The text of an expression, read into a tree: XPath 1.0 as ODK XForms uses it, and XLSForm's ``${name}``.

Only what the ODK XForms specification has is accepted; ``//`` and axes other than child, parent, self and attribute
are refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from survey.text import Text


class BadExpression(Exception):
    """An expression that cannot be read: ``what`` in words, ``at`` the position in the text (from 0)."""

    def __init__(self, what: Text, at: int):
        super().__init__(what.en)
        self.what = what
        self.at = at


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Literal:
    value: str


@dataclass(frozen=True, slots=True)
class Name:
    """``${name}`` as the sheet writes it; pyxform turns it into a path."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Binary:
    op: str
    left: Tree
    right: Tree


@dataclass(frozen=True, slots=True)
class Negative:
    operand: Tree


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    args: tuple[Tree, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Step:
    """``axis`` is child, parent, self or attribute; ``name`` may be ``*``."""

    axis: str
    name: str
    predicates: tuple[Tree, ...] = ()


@dataclass(frozen=True, slots=True)
class Path:
    """``start`` is ``/`` (from the root), ``.`` (from here) or the call or ``${name}`` that the path hangs on."""

    start: str | Call | Name
    steps: tuple[Step, ...]
    at: int


Tree: TypeAlias = Number | Literal | Name | Binary | Negative | Call | Path

_REST = r"""
        (?P<op>!=|<=|>=|//|::|\.\.|[=<>+\-*|/\[\](),@]|\.(?!\d))
      | (?P<name>[^\W\d][\w.\-]*(?::[^\W\d][\w.\-]*)?)
      | (?P<number>\d+(?:\.\d*)?|\.\d+)
      | (?P<string>'[^']*'|"[^"]*")
      | (?P<ref>\$\{\s*(?:last-saved\#)?[^{}]*\})
      | (?P<end>\Z)"""
# A whole path of plain names from the root, which is what pyxform makes of most ${name}: one token instead of many.
_PLAIN_PATH = r"(?P<path>(?:/[^\W\d][\w.\-]*)+(?!\s*[\[(/:]|[\w.\-]))"
# After a value a name can only be an operator, and may stand close to what follows: `1 and2`.
_AFTER_VALUE = re.compile(rf"\s*(?:(?P<word>and|or|div|mod)|{_REST})", re.VERBOSE)
_TOKEN = re.compile(rf"\s*(?:{_PLAIN_PATH}|{_REST})", re.VERBOSE)
_LEVELS = (("or",), ("and",), ("=", "!="), ("<", "<=", ">", ">="), ("+", "-"), ("*", "div", "mod"))
_BINDS = {op: level for level, ops in enumerate(_LEVELS) for op in ops}
_ENDING_OPS = frozenset({")", "]", ".", ".."})


_Token: TypeAlias = tuple[str, str, int]
"""Its kind, its text, where it begins. Thousands are made when a large form is opened: nothing here is for show."""


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at, after_value = 0, False
    while True:
        match = (_AFTER_VALUE if after_value else _TOKEN).match(text, at)
        if match is None:
            raise _not_understood(text, at)
        kind = match.lastgroup or ""
        start, at = match.span(kind)
        token = text[start:at]
        found.append(("op" if kind == "word" else kind, token, start))
        if kind == "end":
            return found
        # `*` after a value multiplies; elsewhere it is a wildcard, itself a value.
        after_value = kind not in ("op", "word") or token in _ENDING_OPS or (token == "*" and not after_value)


def _not_understood(text: str, at: int) -> BadExpression:
    while text[at].isspace():
        at += 1
    if text[at] in "'\"":
        return BadExpression(Text("thiếu dấu nháy đóng", "a quotation mark is not closed"), at)
    what = Text(f"không hiểu ký tự «{text[at]}»", f"the character “{text[at]}” is not understood")
    return BadExpression(what, at)


class _Parser:
    def __init__(self, text: str):
        self.tokens = _tokens(text)
        self.i = -1
        self.advance()

    def advance(self) -> None:
        self.i += 1
        self.kind, self.text, self.at = self.tokens[self.i]

    def take(self, text: str) -> bool:
        """Goes past the operator ``text`` if it is next."""
        if self.text == text and self.kind == "op":
            self.advance()
            return True
        return False

    def need(self, text: str) -> None:
        if not self.take(text):
            raise self.wrong(Text(f"thiếu «{text}»", f"“{text}” is missing"))

    def wrong(self, what: Text | None = None) -> BadExpression:
        if what is None:
            if self.kind == "end":
                what = Text("biểu thức kết thúc giữa chừng", "the expression ends too early")
            else:
                what = Text(f"không mong đợi «{self.text}»", f"“{self.text}” is not expected here")
        return BadExpression(what, self.at)

    def whole(self) -> Tree:
        tree = self.binary(0)
        if self.kind != "end":
            raise self.wrong()
        return tree

    def binary(self, weakest: int) -> Tree:
        """Operators of at least this level, by precedence climbing; all associate to the left."""
        left = self.unary()
        while self.kind == "op" and (level := _BINDS.get(self.text, -1)) >= weakest:
            op = self.text
            self.advance()
            left = Binary(op, left, self.binary(level + 1))
        return left

    def unary(self) -> Tree:
        if self.text == "-" and self.take("-"):
            return Negative(self.unary())
        tree = self.primary()
        while self.text == "|" and self.take("|"):
            tree = Binary("|", tree, self.primary())
        return tree

    def primary(self) -> Tree:
        kind, text, at = self.tokens[self.i]
        if kind == "path":
            self.advance()
            return Path("/", _plain_steps(text), at)
        if kind == "number":
            self.advance()
            return Number(float(text))
        if kind == "string":
            self.advance()
            return Literal(text[1:-1])
        if kind == "ref":
            self.advance()
            return self.path_from(Name(text[2:-1].strip(), at), at)
        if self.take("("):
            tree = self.binary(0)
            self.need(")")
            if self.kind == "op" and self.text in ("[", "/"):
                raise self.wrong(
                    Text("không lọc hay đi tiếp từ ngoặc đơn được", "a path cannot continue from parentheses")
                )
            return tree
        if kind == "name" and self.tokens[self.i + 1][1] == "(":
            call = self.call()
            if call.name in ("instance", "current", "randomize"):
                return self.path_from(call, at)
            return call
        if kind == "name" or (kind == "op" and text in ("/", ".", "..", "@", "*", "//")):
            return self.location(at)
        raise self.wrong()

    def call(self) -> Call:
        name, at = self.text, self.at
        self.advance()
        self.advance()
        args: list[Tree] = []
        if not self.take(")"):
            args.append(self.binary(0))
            while self.take(","):
                args.append(self.binary(0))
            self.need(")")
        return Call(name, tuple(args), at)

    def path_from(self, start: Call | Name, at: int) -> Tree:
        """What follows ``instance('x')``, ``current()`` or ``${name}``: predicates of its own, then steps."""
        predicates = self.predicates()
        steps: list[Step] = []
        if predicates:
            steps.append(Step("self", "", predicates))
        if self.take("/"):
            steps += self.steps()
        if not steps and (isinstance(start, Name) or start.name != "current"):
            return start
        return Path(start, tuple(steps), at)

    def location(self, at: int) -> Path:
        if self.text == "//":
            raise self.wrong(Text("không hỗ trợ «//»", "“//” is not supported"))
        if self.take("/"):
            return Path("/", tuple(self.steps()), at)
        return Path(".", tuple(self.steps()), at)

    def steps(self) -> list[Step]:
        steps = [self.step()]
        while self.take("/"):
            steps.append(self.step())
        if self.text == "//":
            raise self.wrong(Text("không hỗ trợ «//»", "“//” is not supported"))
        return steps

    def step(self) -> Step:
        if self.kind == "name" and self.tokens[self.i + 1][1] not in ("::", "("):
            name = self.text
            self.advance()
            return Step("child", name, self.predicates())
        if self.take("."):
            return Step("self", "", self.predicates())
        if self.take(".."):
            return Step("parent", "", self.predicates())
        return self.rare_step()

    def rare_step(self) -> Step:
        """``@x``, ``*``, ``node()``, ``child::x``."""
        axis = "attribute" if self.take("@") else "child"
        if self.kind == "name" and self.tokens[self.i + 1][1] == "::":
            axis = self.text
            if axis not in ("child", "parent", "self", "attribute"):
                raise self.wrong(Text(f"không hỗ trợ trục «{axis}»", f"the axis “{axis}” is not supported"))
            self.advance()
            self.advance()
        if self.take("*"):
            return Step(axis, "*", self.predicates())
        if self.kind != "name":
            raise self.wrong()
        name = self.text
        self.advance()
        if self.take("("):
            self.need(")")
            if name != "node":
                raise self.wrong(Text(f"không hỗ trợ «{name}()»", f"“{name}()” is not supported in a path"))
            return Step(axis, "*" if axis == "child" else "", self.predicates())
        return Step(axis, name, self.predicates())

    def predicates(self) -> tuple[Tree, ...]:
        if self.text != "[":
            return ()
        found = []
        while self.take("["):
            found.append(self.binary(0))
            self.need("]")
        return tuple(found)


@lru_cache(maxsize=4096)
def _plain_steps(path: str) -> tuple[Step, ...]:
    return tuple(Step("child", name) for name in path.split("/")[1:])


@lru_cache(maxsize=256)
def parse(text: str) -> Tree:
    """The tree of an expression. Raises BadExpression saying what is wrong and at which character."""
    try:
        return _Parser(text).whole()
    except RecursionError:
        raise BadExpression(Text("biểu thức lồng quá sâu", "the expression is nested too deeply"), 0) from None


def walk(tree: Tree) -> Iterator[Tree]:
    """The tree and everything in it, arguments and predicates included."""
    yield tree
    parts: tuple[Tree, ...] = ()
    if isinstance(tree, Binary):
        parts = (tree.left, tree.right)
    elif isinstance(tree, Negative):
        parts = (tree.operand,)
    elif isinstance(tree, Call):
        parts = tree.args
    elif isinstance(tree, Path):
        start: tuple[Tree, ...] = () if isinstance(tree.start, str) else (tree.start,)
        parts = start + tuple(p for step in tree.steps for p in step.predicates)
    for part in parts:
        yield from walk(part)
