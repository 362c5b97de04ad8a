"""Conditions of a form in words: ``C2 = 1 (Có)`` for ``/data/c/c2 = 'yes'``, in both languages.

A calculation that is compared with a constant is put in words by what makes it so: where ``known`` is
``if(${basis} = 'nothing', 0, 1)``, the condition ``${known} = 1`` reads "A5.3 khác 5". What has no words (a sum, a
date, a repeat) is told by the questions that it depends on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from survey.questionnaire.codes import codes
from survey.questionnaire.matching import offered
from survey.questionnaire.model import Node, Questionnaire
from survey.questionnaire.syntax import BadExpression, Binary, Call, Literal, Negative, Number, Path, Tree, parse, walk
from survey.text import Text

FRAME = {
    "province": Text("tỉnh, thành phố", "province"),
    "district": Text("quận, huyện", "district"),
    "commune": Text("xã, phường, đặc khu", "commune"),
    "village": Text("thôn, tổ dân phố", "village"),
    "urban_rural": Text("khu vực thành thị, nông thôn", "urban or rural area"),
    "agency": Text("cơ quan giải quyết", "agency"),
}
"""Columns of a sample list in words; others go by their name."""

_OPPOSITE = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_MIRROR = {"=": "=", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}


class _NoWords(Exception):
    """This expression has no sentence."""


@dataclass(frozen=True)
class Wording:
    """Puts the conditions of one questionnaire into words, with the numbers that its questions have on paper."""

    questionnaire: Questionnaire
    numbers: Mapping[str, str]

    def sentence(self, conditions: Sequence[Tree]) -> Text:
        """``Chỉ hỏi nếu …`` for conditions that must all hold; empty when there are none.

        What must *not* be is told as such: "do not ask if A5.3 = 5" holds for whoever skipped A5.3, too.
        """
        must = [tree for tree in conditions if not self._excludes(tree)]
        must_not = [tree for tree in conditions if self._excludes(tree)]
        parts = []
        if must:
            said = self.words(must)
            parts.append(Text(f"chỉ hỏi nếu {said.vi}", f"ask only if {said.en}"))
        if must_not:
            said = _join([self._say(tree, False) for tree in must_not], Text(" hoặc ", " or "))
            parts.append(Text(f"không hỏi nếu {said.vi}", f"do not ask if {said.en}"))
        joined = _join(parts, Text("; ", "; "))
        return Text(joined.vi[:1].upper() + joined.vi[1:], joined.en[:1].upper() + joined.en[1:])

    def _excludes(self, tree: Tree) -> bool:
        """Whether a condition says which one answer must not be given."""
        if isinstance(tree, Call) and tree.name == "not":
            inner = tree.args[0] if len(tree.args) == 1 else tree
            return isinstance(inner, Call) and inner.name == "selected" and self._has_words(inner)
        if not isinstance(tree, Binary) or tree.op not in ("=", "!=") or not self._has_words(tree):
            return False
        node, value = self.node(tree.left), constant(tree.right)
        if node is None or value in (None, ""):
            return False
        if node.calculation and node.path not in self.numbers:
            inner_if = parsed(node.calculation)
            assert isinstance(inner_if, Call)
            turned = _same(constant(inner_if.args[1]), str(value)) != (tree.op == "=")
            condition = inner_if.args[0]
            return turned and isinstance(condition, Binary) and condition.op == "="
        return tree.op == "!="

    def _has_words(self, tree: Tree) -> bool:
        try:
            self._say(tree)
        except _NoWords:
            return False
        return True

    def words(self, conditions: Sequence[Tree]) -> Text:
        """The conditions joined by *and*; those without words are told by the questions they depend on."""
        told: list[Text] = []
        several = len(conditions) > 1
        for tree in conditions:
            try:
                words = self._say(tree)
                told.append(_bracket(words) if several and isinstance(tree, Binary) and tree.op == "or" else words)
            except _NoWords:
                told.append(self._depends(tree))
        return _join(list(dict.fromkeys(told)), Text(" và ", " and "))

    # -- what an expression names --------------------------------------------------------------------------------

    def node(self, tree: Tree) -> Node | None:
        """The question or calculation that a path from the root leads to, if it is one."""
        if not isinstance(tree, Path) or tree.start != "/" or any(step.predicates for step in tree.steps):
            return None
        names = [step.name for step in tree.steps if step.axis == "child"]
        if len(names) != len(tree.steps) or names[:1] != [self.questionnaire.root]:
            return None
        return self.questionnaire.by_path.get("/".join(names[1:]))

    def asked_in(self, tree: Tree) -> list[str]:
        """The numbers of the questions that an expression depends on, through calculations, in order."""
        found: list[str] = []
        waiting, seen = [tree], set()
        while waiting:
            for part in walk(waiting.pop(0)):
                node = self.node(part)
                if node is None or node.path in seen:
                    continue
                seen.add(node.path)
                if node.path in self.numbers:
                    found.append(self.numbers[node.path])
                elif node.calculation and (inner := parsed(node.calculation)) is not None:
                    waiting.append(inner)
        return sorted(dict.fromkeys(found), key=list(self.numbers.values()).index)

    def _depends(self, tree: Tree) -> Text:
        asked = ", ".join(self.asked_in(tree))
        if not asked:
            return Text("danh sách mẫu quy định như vậy", "the sample list says so")
        return Text(f"phù hợp với trả lời ở câu {asked}", f"the answers to {asked} call for it")

    def _name(self, node: Node) -> Text:
        number = self.numbers.get(node.path)
        if number:
            return Text(f"câu {number}", f"question {number}")
        if node.calculation:
            raise _NoWords
        words = FRAME.get(node.name, Text(f"“{node.name}”", f"“{node.name}”"))
        return Text(f"{words.vi} (theo danh sách mẫu)", f"the {words.en} (by the sample list)")

    def choice(self, node: Node, name: str) -> Text:
        """``1 (Có)``: the code in the box and the words beside it."""
        names = offered(self.questionnaire, node)
        if name not in names:
            return Text(name, name)
        code = codes(list(names))[list(names).index(name)]
        words = both(names[name])
        return Text(f"{code} ({words.vi})", f"{code} ({words.en})") if words.vi else Text(code, code)

    # -- sentences -----------------------------------------------------------------------------------------------

    def _say(self, tree: Tree, holds: bool = True) -> Text:
        """The tree in words, or its contrary."""
        if isinstance(tree, Binary):
            if tree.op in ("and", "or"):
                return self._joined(tree, holds)
            if tree.op in _OPPOSITE:
                return self._compared(tree.op if holds else _OPPOSITE[tree.op], tree.left, tree.right)
        if isinstance(tree, Call):
            if tree.name == "not" and len(tree.args) == 1:
                return self._say(tree.args[0], not holds)
            if tree.name == "selected" and len(tree.args) == 2:
                return self._selected(tree, holds)
        raise _NoWords

    def _joined(self, tree: Binary, holds: bool) -> Text:
        op = tree.op if holds else {"and": "or", "or": "and"}[tree.op]
        parts = []
        for side in flat(tree, tree.op):
            words = self._say(side, holds)
            mixed = isinstance(side, Binary) and side.op in ("and", "or")
            parts.append(_bracket(words) if mixed else words)
        return _join(parts, Text(" và ", " and ") if op == "and" else Text(" hoặc ", " or "))

    def _selected(self, tree: Call, holds: bool) -> Text:
        node, choice = self.node(tree.args[0]), tree.args[1]
        if node is None or not isinstance(choice, Literal):
            raise _NoWords
        if not node.is_list:
            return self._compared("=" if holds else "!=", tree.args[0], choice)
        name, word = self._name(node), self.choice(node, choice.value)
        if holds:
            return Text(f"{name.vi} có chọn {word.vi}", f"{name.en} includes {word.en}")
        return Text(f"{name.vi} không chọn {word.vi}", f"{name.en} does not include {word.en}")

    def _compared(self, op: str, left: Tree, right: Tree) -> Text:
        if isinstance(left, (Literal, Number)):
            op, left, right = _MIRROR[op], right, left
        value = constant(right)
        if value is None:
            raise _NoWords
        if isinstance(left, Call) and left.name == "count-selected" and len(left.args) == 1:
            counted = self.node(left.args[0])
            if counted is None:
                raise _NoWords
            name = self._name(counted)
            return Text(f"số ý chọn ở {name.vi} {_SIGNS[op]} {value}", f"the count in {name.en} {_SIGNS[op]} {value}")
        node = self.node(left)
        if node is None:
            raise _NoWords
        if node.calculation and node.path not in self.numbers:
            return self._calculated(node, op, value)
        name = self._name(node)
        if value == "":
            if node.path not in self.numbers:
                name = FRAME.get(node.name, Text(f"“{node.name}”", f"“{node.name}”"))
            return _EMPTY[op in ("=", "<=", ">=")](name, node.path in self.numbers)
        if op in ("=", "!="):
            word = self.choice(node, value)
            return Text(
                f"{name.vi} {'=' if op == '=' else 'khác'} {word.vi}",
                f"{name.en} {'=' if op == '=' else 'is not'} {word.en}",
            )
        return _ORDER[op](name, value)

    def _calculated(self, node: Node, op: str, value: str) -> Text:
        """``${known} = 1`` by the condition of the ``if()`` that makes it 1."""
        inner = parsed(node.calculation)
        if not isinstance(inner, Call) or inner.name != "if" or len(inner.args) != 3 or op not in ("=", "!="):
            raise _NoWords
        yes, no = (_same(constant(arm), value) for arm in inner.args[1:])
        if yes is None or no is None or yes == no:
            raise _NoWords
        return self._say(inner.args[0], yes == (op == "="))


_SIGNS = {"=": "=", "!=": "≠", "<": "<", ">": ">", "<=": "≤", ">=": "≥"}
_ORDER: dict[str, Callable[[Text, str], Text]] = {
    ">=": lambda name, n: Text(f"{name.vi} từ {n} trở lên", f"{name.en} is {n} or more"),
    "<=": lambda name, n: Text(f"{name.vi} từ {n} trở xuống", f"{name.en} is {n} or less"),
    ">": lambda name, n: Text(f"{name.vi} trên {n}", f"{name.en} is more than {n}"),
    "<": lambda name, n: Text(f"{name.vi} dưới {n}", f"{name.en} is less than {n}"),
}
_EMPTY: dict[bool, Callable[[Text, bool], Text]] = {
    True: lambda name, asked: (
        Text(f"{name.vi} không có câu trả lời", f"{name.en} has no answer")
        if asked
        else Text(f"danh sách mẫu không ghi {name.vi}", f"the sample list does not give the {name.en}")
    ),
    False: lambda name, asked: (
        Text(f"{name.vi} có câu trả lời", f"{name.en} has an answer")
        if asked
        else Text(f"danh sách mẫu có ghi {name.vi}", f"the sample list gives the {name.en}")
    ),
}


def both(label: Mapping[str, str]) -> Text:
    """A label in the two languages of the program; where it lacks one, in the other or in any."""
    other = label.get("vi") or label.get("en") or next((words for words in label.values() if words), "")
    return Text(label.get("vi") or other, label.get("en") or other)


def parsed(expression: str) -> Tree | None:
    """The tree of an expression, or None where it cannot be read (which ``check`` has said)."""
    try:
        return parse(expression)
    except BadExpression:
        return None


def flat(tree: Tree, op: str = "and") -> list[Tree]:
    """The parts that an *and* (or another operator) joins, however it is nested."""
    if isinstance(tree, Binary) and tree.op == op:
        return flat(tree.left, op) + flat(tree.right, op)
    return [tree]


def constant(tree: Tree) -> str | None:
    """The text of a constant, numbers as people write them; None for anything else."""
    if isinstance(tree, Literal):
        return tree.value
    if isinstance(tree, Number):
        return f"{tree.value:g}"
    if isinstance(tree, Negative) and isinstance(tree.operand, Number):
        return f"{-tree.operand.value:g}"
    return None


def _same(one: str | None, other: str) -> bool | None:
    return None if one is None else one == other


def _bracket(words: Text) -> Text:
    return Text(f"({words.vi})", f"({words.en})")


def _join(parts: Sequence[Text], by: Text) -> Text:
    return Text(by.vi.join(part.vi for part in parts), by.en.join(part.en for part in parts))
