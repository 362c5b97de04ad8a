"""The numbers of questions on paper: ``A1.2`` where the section's heading begins with a code, else 1, 2, 3 …

Sections that share a code (two parts of "B.") are counted through, so every number stands for one question.
"""

from __future__ import annotations

import re
from collections import Counter

from survey.questionnaire.model import Node, Questionnaire

_CODE = re.compile(r"\s*([A-Z]{1,2}(?=[.:)]\s)|[A-Z]{1,2}\d+(?:\.\d+)*|\d+(?:\.\d+)+)[.:)]?\s")


def numbers(questionnaire: Questionnaire) -> dict[str, str]:
    """Path of every question that a person answers to its number, in document order."""
    counts: Counter[str] = Counter()
    found: dict[str, str] = {}
    for top in questionnaire.nodes:
        code = section_code(top)
        for node in top.walk():
            if is_asked(node):
                counts[code] += 1
                # 6.1-3 is the third question of section 6.1; 6.1.3 would read as an indicator's code.
                joint = "" if not code else "-" if code[0].isdigit() else "."
                found[node.path] = f"{code}{joint}{counts[code]}"
    return found


def section_code(node: Node) -> str:
    """The code with which a section's heading begins, or an empty text."""
    for words in node.label.values():
        if node.kind != "question" and (match := _CODE.match(words)):
            return match.group(1)
    return ""


def is_asked(node: Node) -> bool:
    """Whether a person answers it: no note, nothing calculated, nothing that a machine fills in."""
    return (
        node.kind == "question"
        and bool(node.control)
        and node.type != "note"
        and node.appearance != "label"
        and node.read_only not in ("true()", "yes", "true")
    )
