"""What makes a keyed form valid (phiếu hợp lệ): the rule of the round, judged when all is keyed. Pure.

A form that is kept from counting is kept all the same, with the reason. Nothing here blocks keying: what breaks the
rules of the questionnaire is flagged, and scored by the path like every other interview.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from survey.errors import InputError
from survey.questionnaire.consent import QUESTION, REFUSED
from survey.questionnaire.model import FROM_PAPER, Answers, Questionnaire, Value
from survey.questionnaire.path import Entry, Path
from survey.questionnaire.state import TROUBLE
from survey.questionnaire.values import to_boolean
from survey.text import Text, many

FLAGS: dict[str, Text] = {
    "constraint": Text("ngoài giới hạn cho phép", "outside what is allowed"),
    "off_path": Text("lẽ ra không phải trả lời", "should have been skipped"),
    "not_offered": Text("phương án không dùng cho trường hợp này", "an option that does not go with the other answers"),
    "required": Text("câu bắt buộc bị bỏ trống", "needed, and left blank"),
    "doubt": Text("ít gặp", "unusual"),
}
"""What may be wrong with an answer on paper."""


@dataclass(frozen=True)
class Rule:
    """The round's rules for forms on paper: the least share of core questions answered, a condition in the
    questionnaire's own expressions, and the share of forms that are keyed twice."""

    share: float = 0.5
    condition: str = ""
    double: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """Whether a form is valid. ``core`` counts the core questions on its path, ``answered`` those with an answer."""

    valid: bool
    answered: int
    core: int
    reason: Text = Text("", "")
    refused: bool = False


def rule_of(round_document: Mapping[str, Any]) -> Rule:
    """The rule that a round document declares under ``paper``; what it leaves out is as in :class:`Rule`."""
    said = round_document.get("paper") or {}
    return Rule(
        float(said.get("valid_share", Rule.share)),
        str(said.get("valid_if", "")),
        float(said.get("double", Rule.double)),
    )


def keyed_twice(rule: Rule, form: str) -> bool:
    """Whether a form is among those keyed twice: the same on every laptop, in nobody's choice, known beforehand to
    nobody who has only the sheet of paper."""
    drawn = int.from_bytes(sha256(f"twice\x1f{form}".encode()).digest()[:8], "big") / 2**64
    return drawn < rule.double


def judge(path: Path, rule: Rule) -> Verdict:
    """Whether the form is valid. Core questions are those on the path that must be answered, contact apart; a blank
    one and one with several boxes ticked is not answered. Raises InputError when the condition cannot be worked out."""
    core = [e for e in path.entries if e.asked and e.required and not e.node.contact]
    answered = sum(is_answer(entry.value) for entry in core)
    if any(e.node.name == QUESTION and e.relevant and e.value == REFUSED for e in path.entries):
        return Verdict(False, answered, len(core), Text("không đồng ý tham gia", "consent was refused"), refused=True)
    if core and answered < rule.share * len(core):
        needed = f"{rule.share:.0%}"
        return Verdict(
            False,
            answered,
            len(core),
            Text(
                f"trả lời {answered}/{len(core)} câu bắt buộc, cần ít nhất {needed}",
                f"{answered} of {many(len(core), 'core question')} answered, at least {needed} are needed",
            ),
        )
    if rule.condition and not holds(path, rule.condition):
        return Verdict(
            False,
            answered,
            len(core),
            Text(f"không đạt điều kiện {rule.condition}", f"does not meet the condition {rule.condition}"),
        )
    return Verdict(True, answered, len(core))


def is_answer(value: Value | None) -> bool:
    """Whether something was answered; *don't know* and *refused* are answers that a person ticked."""
    if isinstance(value, dict):
        return value.get("missing", "") not in ("", *FROM_PAPER)
    return bool(value)


def xpath(questionnaire: Questionnaire, condition: str) -> str:
    """A condition with ``${name}`` as the path of that question. InputError for a name that there is not."""

    def named(match: re.Match[str]) -> str:
        paths = [node.path for node in questionnaire.walk() if node.name == match.group(1)]
        if not paths:
            raise InputError(
                f"${{{match.group(1)}}}",
                Text("bảng hỏi không có câu này", "the questionnaire has no such question"),
                Text("xem: survey questionnaire show", "see: survey questionnaire show"),
            )
        return f"/{questionnaire.root}/{paths[0]}"

    return re.sub(r"\$\{\s*([^{}\s]+)\s*\}", named, condition)


def holds(path: Path, condition: str) -> bool:
    """Whether a condition such as ``${consent} = 'yes' and ${age} >= 18`` holds. InputError when it is none."""
    text = xpath(path.questionnaire, condition)
    element = next(e for e in path.state.elements() if e.of.node is not None and e.of.repeat() is None)
    code = path.form.code(element.of, "valid_if", text)
    try:
        if code is not None:
            return to_boolean(code(path.state, element, element, None))
    except TROUBLE:
        pass  # said below, as for a condition that does not compile
    raise InputError(
        condition,
        Text("điều kiện này không tính được", "this condition cannot be worked out"),
        Text("sửa bằng: survey paper rule --valid-if", "correct it: survey paper rule --valid-if"),
    )


def flags(path: Path, answers: Answers) -> dict[str, str]:
    """Path to what is wrong with its answer, by :data:`FLAGS`; ``answers`` are what was keyed."""
    found = {}
    for entry in path.entries:
        if entry.kind == "question" and entry.node.control and (flag := _flag(entry, answers.get(entry.path))):
            found[entry.path] = flag
    return found


def _flag(entry: Entry, keyed: Value | None) -> str:
    if not entry.relevant:
        return "off_path" if is_answer(keyed) else ""
    if is_answer(keyed) and not entry.is_answered:
        return "not_offered"
    if not is_answer(keyed):
        return "required" if entry.asked and entry.required else ""
    if entry.problem == "constraint":
        return "constraint"
    return "doubt" if entry.node.soft_constraint and entry.doubtful else ""


def sealed(path: Path, answers: Answers) -> tuple[Answers, Answers, Answers]:
    """What is sealed of a form: answers on the path, off it, and contact answers. What a filter no longer offers was on
    the paper all the same, and stays off the path; contact answers stay apart wherever they stand."""
    values, off_path, contact = path.sealed
    lost = {p: v for p, v in answers.items() if p not in values and p not in off_path and p not in contact}
    private = {entry.path for entry in path.entries if entry.node.contact}
    return (
        values,
        {**off_path, **{p: v for p, v in lost.items() if p not in private}},
        {**contact, **{p: v for p, v in lost.items() if p in private}},
    )


def whole(path: Path, answers: Answers) -> Answers:
    """What was keyed, and ``blank`` for every question on the path of which nothing was keyed."""
    open_ = {
        e.path: {"missing": "blank"} for e in path.entries if e.asked and e.path not in answers and "[]" not in e.path
    }
    repeats = {e.path.rpartition("/")[0] for e in path.entries if "[" in e.path and e.path in answers}
    # An instance of a repeat that the paper has room for, and nobody wrote into, was not left blank: it is not there.
    return {**answers, **{p: v for p, v in open_.items() if "[" not in p or p.rpartition("/")[0] in repeats}}
