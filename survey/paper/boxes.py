"""What a written answer looks like on paper: a box for each digit, lines for text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from survey.paper.conditions import parsed
from survey.questionnaire.model import Node
from survey.questionnaire.syntax import Binary, Call, Literal, Number, walk
from survey.text import Text

_DIGITS = {"integer": 4, "decimal": 4, "range": 3}
_FIXED = {"date": "##/##/####", "time": "##:##", "dateTime": "##/##/####  ##:##"}
_LINES = {"text": 1, "geopoint": 1, "barcode": 1}


@dataclass(frozen=True)
class Boxes:
    """``pattern`` has a box for every ``#`` and its other characters between them; ``lines`` are lines to write on;
    ``steps`` are values to tick; ``said`` is what to write, in words."""

    pattern: str = ""
    lines: int = 0
    steps: tuple[str, ...] = ()
    said: Text = Text("", "")


def boxes(node: Node) -> Boxes:
    """Where the answer to a question without printed choices is written."""
    if node.type in _FIXED:
        return Boxes(_FIXED[node.type])
    if node.type == "range" and (steps := range_steps(node)):
        return Boxes(steps=steps)
    if node.type in _DIGITS:
        digits = "#" * (_largest(node) or _DIGITS[node.type])
        return Boxes(f"{digits},#" if node.data_type == "decimal" and node.type != "range" else digits)
    if node.list_name:
        # A list too long to print is carried apart, or looked up when the form is keyed.
        return Boxes(lines=1, said=Text("ghi tên hoặc mã theo danh mục", "write the name or code from the list"))
    if node.type == "acknowledge":
        return Boxes(steps=("1",))
    if node.type == "text" and (length := _length(node)):
        return Boxes("#" * length)
    if node.type in _LINES:
        return Boxes(lines=4 if "multiline" in node.appearance else 1)
    return Boxes(lines=1, said=Text("chỉ ghi được trên máy", "can be recorded on the laptop only"))


def range_steps(node: Node) -> tuple[str, ...]:
    """The values of a range of at most eleven steps; none for a longer one."""
    given = [node.parameters.get(name, usual) for name, usual in (("start", "1"), ("end", "10"), ("step", "1"))]
    try:
        start, end, step = map(Decimal, given)
        count = int((end - start) / step) + 1
    except (InvalidOperation, ArithmeticError):
        return ()
    return tuple(f"{start + step * i:f}" for i in range(count)) if 2 <= count <= 11 else ()


def _largest(node: Node) -> int:
    """The digits of the largest number that the constraint names above the answer; 0 when it names none."""
    if node.type == "range":
        return len(node.parameters.get("end", "10").partition(".")[0])
    tree = parsed(node.constraint) if node.constraint else None
    found = [
        part.right.value
        for part in (walk(tree) if tree is not None else ())
        if isinstance(part, Binary) and part.op in ("<", "<=", "=") and isinstance(part.right, Number)
    ]
    return len(str(int(max(found)))) if found else 0


def _length(node: Node) -> int:
    """The one length that a ``regex()`` of the constraint allows, where it is made of digits only; else 0."""
    tree = parsed(node.constraint) if node.constraint else None
    for part in walk(tree) if tree is not None else ():
        if isinstance(part, Call) and part.name == "regex" and isinstance(part.args[-1], Literal):
            pattern = part.args[-1].value.removeprefix("^").removesuffix("$")
            pieces = re.fullmatch(r"(?:(?:\[0-9\]|\\d|[0-9])(?:\{\d+\})?)+", pattern)
            if pieces:
                return sum(int(n or 1) for n in re.findall(r"(?:\[0-9\]|\\d|[0-9])(?:\{(\d+)\})?", pattern))
    return 0
