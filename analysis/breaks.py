"""Breaks in a series: where two versions of an index do not measure the same thing under the same code."""

from __future__ import annotations

import re

from analysis.index import Index
from survey.questionnaire.index_sheet import IndexNode
from survey.text import Text

_LEAF_RULES = (
    ("score", Text("cách cho điểm khác", "another scoring rule")),
    ("base", Text("hỏi đối tượng khác", "asked of other people")),
    ("dont_know", Text("xử lý “không biết” khác", "don't know counts differently")),
    ("refused", Text("xử lý từ chối trả lời khác", "refusals count differently")),
)
_RESCALE = Text("quy đổi thang điểm khác", "another rescale")


def breaks(before: Index, after: Index, rounds: tuple[str, str] = ("", "")) -> dict[str, Text]:
    """Of the codes that both indices have, those whose figures cannot be compared, each with the reason.

    A node is broken by another rule of its own (combination, rescale, scoring, base), by other parts or shares, and by
    a broken part, and where either sheet declares in `break_from` that a new series began between the two ``rounds``
    (told by the years in their names). A leaf reported in its own unit is not broken by its rescale, only what is above
    it is.
    """
    found: dict[str, Text] = {}
    rescaled: dict[str, Text] = {}  # a node whose value in its parents differs, though its own may not
    for node in after.upwards:
        old = before.by_code.get(node.code)
        if old is None:
            continue
        leaf = not after.below[node.code] and not before.below[node.code]
        reason = _declared(old, node, rounds)
        reason = reason or (_leaf(old, node) if leaf else _node(before, after, old, node, found | rescaled))
        other_scale = old.rescale() != node.rescale()
        own_unit = leaf and before.in_own_unit(old) and after.in_own_unit(node)
        if reason is None and other_scale:
            target = rescaled if own_unit else found
            target[node.code] = _RESCALE
        elif reason is not None:
            found[node.code] = reason
    return found


def _declared(old: IndexNode, new: IndexNode, rounds: tuple[str, str]) -> Text | None:
    first, last = (_year(name) for name in rounds)
    if not first or not last:
        return None
    for start in dict.fromkeys((*new.break_from, *old.break_from)):
        if min(first, last) < _year(start) <= max(first, last):
            return Text(
                f"chuỗi mới từ {start}, theo trang tính chỉ số", f"a new series from {start}, by the index sheet"
            )
    return None


def _year(name: str) -> int:
    found = re.search(r"\d{4}", name)
    return int(found[0]) if found else 0


def _leaf(old: IndexNode, new: IndexNode) -> Text | None:
    differing = [words for rule, words in _LEAF_RULES if getattr(old, rule) != getattr(new, rule)]
    if not differing or (not old.question and not new.question):
        return None
    return Text("; ".join(words.vi for words in differing), "; ".join(words.en for words in differing))


def _node(before: Index, after: Index, old: IndexNode, new: IndexNode, broken: dict[str, Text]) -> Text | None:
    if old.combine != new.combine or old.if_missing != new.if_missing:
        return Text("cách gộp khác", "combined differently")
    if new.combine == "pooled":
        parts = [[leaf.code for leaf in index.leaves_of(new.code)] for index in (before, after)]
    else:
        parts = [[child.code for child in index.children[new.code]] for index in (before, after)]
    gone = [code for code in parts[0] if code not in parts[1]]
    added = [code for code in parts[1] if code not in parts[0]]
    if gone or added:
        return Text(
            f"thành phần khác ({_listed(added, 'thêm', gone, 'bớt')})",
            f"other parts ({_listed(added, 'new', gone, 'gone')})",
        )
    weighted = [
        code
        for code in parts[1]
        if new.combine in ("share", "geometric") and _share(before, code) != _share(after, code)
    ]
    if weighted:
        return Text(f"tỷ trọng khác: {', '.join(weighted)}", f"other shares: {', '.join(weighted)}")
    for code in parts[1]:
        if code in broken:
            return Text(f"{code}: {broken[code].vi}", f"{code}: {broken[code].en}")
    return None


def _share(index: Index, code: str) -> float:
    share = index.by_code[code].share
    return 1.0 if share is None else share


def _listed(added: list[str], new: str, gone: list[str], old: str) -> str:
    return "; ".join(f"{word} {', '.join(codes)}" for word, codes in ((new, added), (old, gone)) if codes)
