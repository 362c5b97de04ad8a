"""The `base` of an index leaf: whom an indicator is asked of.

``${visited} = 'yes' and not(selected(${channel}, 'web'))`` — stored columns, comparisons, ``selected()``, ``and``,
``or``, ``not()`` and brackets, nothing else, so that the rule can be evaluated on whole columns. A question is written
``${name}``; a column of the frame by its bare name. This module only reads the rule into a small tree; what the tree
means for data is :mod:`analysis.base`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<question>\$\{\s*[^{}\s]+\s*\})
  | (?P<number>-?\d+(?:\.\d+)?)
  | (?P<string>'[^']*'|"[^"]*")
  | (?P<operator>!=|<=|>=|=|<|>|\(|\)|,)
  | (?P<name>[^\W\d][\w.-]*)
)""",
    re.VERBOSE,
)
COMPARISONS = ("=", "!=", "<=", ">=", "<", ">")


class BaseRuleError(ValueError):
    """The rule cannot be read; the message is the piece at which reading stopped."""


@dataclass(frozen=True, slots=True)
class Column:
    """The stored answers of a question, or a column of the frame (``question`` is then false)."""

    name: str
    question: bool


@dataclass(frozen=True, slots=True)
class Literal:
    """A number or a text written in the rule."""

    value: float | str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two columns or literals compared; ``operator`` is one of :data:`COMPARISONS`."""

    operator: str
    left: Column | Literal
    right: Column | Literal


@dataclass(frozen=True, slots=True)
class Selected:
    """``selected(${q}, 'web')``: the choice is among the answers."""

    column: Column
    choice: str


@dataclass(frozen=True, slots=True)
class Not:
    """``not(…)``."""

    rule: Rule


@dataclass(frozen=True, slots=True)
class Both:
    """``and``."""

    left: Rule
    right: Rule


@dataclass(frozen=True, slots=True)
class Either:
    """``or``."""

    left: Rule
    right: Rule


Rule = Comparison | Selected | Not | Both | Either


def read(text: str) -> Rule:
    """The tree of ``text``.

    Raises:
        BaseRuleError: what is there is not in the language; its message is the offending piece.
    """
    return _Reader(text).whole()


def columns(rule: Rule) -> Iterator[Column]:
    """Every column that ``rule`` reads, in order, with repeats."""
    match rule:
        case Comparison(_, left, right):
            yield from (side for side in (left, right) if isinstance(side, Column))
        case Selected(column, _):
            yield column
        case Not(inner):
            yield from columns(inner)
        case Both(left, right) | Either(left, right):
            yield from columns(left)
            yield from columns(right)


class _Reader:
    """Recursive descent over the tokens of one rule; ``or`` binds loosest, then ``and``."""

    def __init__(self, text: str):
        self.tokens: list[tuple[str, str]] = []
        position, text = 0, text.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise BaseRuleError(text[position:].strip())
            self.tokens.append((str(match.lastgroup), match.group(str(match.lastgroup))))
            position = match.end()
        self.at = 0

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def take(self, *wanted: str) -> str | None:
        """The next token if it is one of ``wanted``."""
        kind, text = self.peek()
        if kind in ("operator", "name") and text in wanted:
            self.at += 1
            return text
        return None

    def need(self, wanted: str) -> None:
        if self.take(wanted) is None:
            raise BaseRuleError(self.peek()[1] or "…")

    def whole(self) -> Rule:
        rule = self.either()
        if self.peek()[0] != "end":
            raise BaseRuleError(self.peek()[1])
        return rule

    def either(self) -> Rule:
        rule = self.both()
        while self.take("or"):
            rule = Either(rule, self.both())
        return rule

    def both(self) -> Rule:
        rule = self.single()
        while self.take("and"):
            rule = Both(rule, self.single())
        return rule

    def single(self) -> Rule:
        if self.take("("):
            rule = self.either()
            self.need(")")
            return rule
        following = self.tokens[self.at + 1][1] if self.at + 1 < len(self.tokens) else ""
        if following == "(" and self.take("not"):
            self.need("(")
            rule = self.either()
            self.need(")")
            return Not(rule)
        if following == "(" and self.take("selected"):
            self.need("(")
            column = self.operand()
            self.need(",")
            choice = self.operand()
            self.need(")")
            if not isinstance(column, Column) or not isinstance(choice, Literal):
                raise BaseRuleError("selected")
            return Selected(column, literal_text(choice))
        left = self.operand()
        operator = self.take(*COMPARISONS)
        if operator is None:
            raise BaseRuleError(self.peek()[1] or "…")
        return Comparison(operator, left, self.operand())

    def operand(self) -> Column | Literal:
        kind, text = self.peek()
        self.at += 1
        if kind == "question":
            return Column(text[2:-1].strip(), True)
        if kind == "name" and text not in ("and", "or", "not", "selected"):
            return Column(text, False)
        if kind == "number":
            return Literal(float(text))
        if kind == "string":
            return Literal(text[1:-1])
        raise BaseRuleError(text or "…")


def literal_text(literal: Literal) -> str:
    """A literal as a stored answer is written: ``1`` for the number 1."""
    return literal.value if isinstance(literal.value, str) else f"{literal.value:g}"
