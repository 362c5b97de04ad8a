"""Answers of a draft under another version of its questionnaire: which go along, and which are put aside.

Nothing is lost. An answer that no longer fits is put aside under the hash of the version that asked it
(``sha256:…/b1/econ_a1``), where no question reads it; it is off the path, and returns when the draft is carried back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from survey.questionnaire.aside import aside, version_of
from survey.questionnaire.form import stored
from survey.questionnaire.matching import Matching, ancestors, offered, recoded, repeats
from survey.questionnaire.model import FROM_PAPER, Answers, Node, Questionnaire, Value, generic
from survey.text import Text

_STEP = re.compile(r"([^/\[\]]+)(?:\[([^\[\]]*)\])?")
_FROM_FILE = ({"select_one", "select_one_from_file"}, {"select_multiple", "select_multiple_from_file"})


@dataclass(frozen=True)
class Dropped:
    """An answer, or part of one, that the new version does not take, and why."""

    path: str
    name: str
    value: Value
    reason: Text


@dataclass(frozen=True)
class Carried:
    """What :func:`carry` made of a draft: the answers under the new version, the (old, new) paths of those that moved,
    and what was dropped. ``aside`` is where the dropped ones are kept."""

    answers: Answers
    moved: tuple[tuple[str, str], ...]
    dropped: tuple[Dropped, ...]
    aside: Answers


def carry(old: Questionnaire, new: Questionnaire, answers: Mapping[str, Value]) -> Carried:
    """The answers of a draft begun under ``old`` as a draft under ``new``.

    A question is found by its path, else by its name; instances of repeats keep their ids. An answer goes along when
    its question is of the same type (a whole number may become a decimal) and still offers it with the same meaning.
    Whether it is asked at all, and whether a constraint holds, is for the path of the new version to say.
    """
    matching = Matching(old, new)
    taken: Answers = {}
    put_aside: Answers = {}
    moved: list[tuple[str, str]] = []
    dropped: list[Dropped] = []
    returning: Answers = {}
    for path, value in answers.items():
        version, asked = version_of(path)
        if version == new.hash:
            returning[asked] = value
        elif version:
            put_aside.setdefault(path, value)
        else:
            place, fits, reason = _place(matching, path, value)
            if place and fits is not None:
                taken[place] = fits
                if place != path:
                    moved.append((path, place))
            if fits != value:
                node = old.by_path.get(generic(path))
                lost = [item for item in value if item not in fits] if isinstance(fits, list) else value
                dropped.append(Dropped(path, node.name if node else path, lost, reason))
                put_aside[aside(old.hash, path)] = value
    for path, value in returning.items():
        if path not in taken or _is_rest(taken[path], value):
            taken[path] = value
    return Carried({**taken, **put_aside}, tuple(moved), tuple(dropped), put_aside)


def _is_rest(kept: Value, whole: Value) -> bool:
    """Whether one is what had been left of the other; a newer answer is not replaced by one that was put aside."""
    return isinstance(kept, list) and isinstance(whole, list) and set(kept) < set(whole)


def _place(matching: Matching, path: str, value: Value) -> tuple[str, Value | None, Text]:
    """Where an answer stands in the new version, what of it goes along (None: nothing), and why not all of it."""
    was = matching.old.by_path.get(generic(path))
    now = matching.pairs.get(was.path) if was is not None else None
    if was is None or now is None:
        return "", None, Text("bản mới không còn câu này", "the new version has no such question")
    if repeats(matching.old, was) != repeats(matching.new, now):
        return "", None, Text("câu này không còn ở cùng nhóm lặp", "it no longer stands in the same repeat")
    place = _with_ids(matching.new, now, path)
    if was.kind != "question":
        return place, value, Text("", "")
    if not stored(now):
        return "", None, Text("bản mới tự tính câu này", "the new version works it out")
    fits, reason = _fitting(matching, was, now, value)
    return place, fits, reason


def _with_ids(questionnaire: Questionnaire, node: Node, path: str) -> str:
    """The new path of an answer: the ids of its repeat instances put to the repeats of the same names."""
    steps = [_STEP.fullmatch(part) for part in path.split("/")]
    ids = {step.group(1): step.group(2) for step in steps if step is not None and step.group(2) is not None}
    parts = []
    for one in (*ancestors(questionnaire, node), node):
        id = ids.get(one.name) if one.kind == "repeat" else None
        parts.append(one.name if id is None else f"{one.name}[{id}]")
    return "/".join(parts)


def _fitting(matching: Matching, was: Node, now: Node, value: Value) -> tuple[Value | None, Text]:
    if isinstance(value, dict):
        kind = value.get("missing", "")
        if kind in FROM_PAPER or kind in now.missing:
            return value, Text("", "")
        return None, Text("bản mới không còn ô này", "the new version does not offer this box")
    if not _same_type(was, now):
        return None, Text(
            f"loại câu đổi từ «{was.type}» thành «{now.type}»", f"the type was “{was.type}”, is “{now.type}”"
        )
    if not was.list_name or not now.list_name:
        return value, Text("", "")
    return _chosen(matching, was, now, value)


def _same_type(was: Node, now: Node) -> bool:
    if was.type == now.type or (was.type, now.type) == ("integer", "decimal"):
        return True
    return any({was.type, now.type} <= family for family in _FROM_FILE)


def _chosen(matching: Matching, was: Node, now: Node, value: Value) -> tuple[Value | None, Text]:
    """What of a choice is still offered and still means the same."""
    before, after = offered(matching.old, was), offered(matching.new, now)
    moved = recoded(before, after)
    unsafe = {*moved, *moved.values()}
    chosen = value if isinstance(value, list) else [str(value)]
    # A code that the old list did not have was typed for "other": it says what it says.
    kept = [code for code in chosen if code not in before or (code in after and code not in unsafe)]
    if kept == chosen:
        return value, Text("", "")
    gone = ", ".join(code for code in chosen if code not in kept)
    reason = (
        Text(f"mã {gone} nay mang nghĩa khác", f"the code {gone} has another meaning now")
        if set(chosen) & unsafe
        else Text(f"phương án {gone} không còn", f"the choice {gone} is gone")
    )
    if was.type == "rank" or not isinstance(value, list) or not kept:
        # An order without one of its items is no order that anybody gave.
        return None, reason
    return kept, reason
