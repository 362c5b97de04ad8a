"""Which question of one version is which question of another: by path, else by a name that is unique in both.

A name is what an answer goes by in the data set, so it decides; what a question says never does. Expressions are
compared by the names in them, so that a question that moves into another section changes no expression.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from survey.questionnaire.model import Node, Questionnaire
from survey.text import fold


@dataclass(frozen=True)
class Matching:
    """Two versions of a questionnaire beside each other."""

    old: Questionnaire
    new: Questionnaire

    @cached_property
    def pairs(self) -> dict[str, Node]:
        """Path of a node of the old version to the node of the new one that it is."""
        found: dict[str, Node] = {}
        taken: set[str] = set()
        for node in self.old.walk():
            same = self.new.by_path.get(node.path)
            if same is not None and _alike(node, same):
                found[node.path] = same
                taken.add(same.path)
        once_old, once_new = _names(self.old), _names(self.new)
        by_name = {node.name: node for node in self.new.walk()}
        for node in self.old.walk():
            same = by_name.get(node.name)
            if node.path in found or same is None or same.path in taken or not _alike(node, same):
                continue
            if once_old[node.name] == once_new[node.name] == 1:
                found[node.path] = same
                taken.add(same.path)
        return found

    @cached_property
    def added(self) -> list[Node]:
        """The nodes that only the new version has, in its order."""
        known = {node.path for node in self.pairs.values()}
        return [node for node in self.new.walk() if node.path not in known]

    @cached_property
    def removed(self) -> list[Node]:
        """The nodes that only the old version has, in its order."""
        return [node for node in self.old.walk() if node.path not in self.pairs]


def _names(questionnaire: Questionnaire) -> Counter[str]:
    return Counter(node.name for node in questionnaire.walk())


def _alike(one: Node, other: Node) -> bool:
    """A group may become a repeat, but neither becomes a question."""
    return (one.kind == "question") == (other.kind == "question")


def ancestors(questionnaire: Questionnaire, node: Node) -> list[Node]:
    """The groups and repeats that a node stands in, outermost first."""
    parts = node.path.split("/")[:-1]
    return [questionnaire.by_path["/".join(parts[: i + 1])] for i in range(len(parts))]


def repeats(questionnaire: Questionnaire, node: Node) -> list[str]:
    """The names of the repeats that a node stands in, itself included, outermost first."""
    return [one.name for one in (*ancestors(questionnaire, node), node) if one.kind == "repeat"]


def by_names(questionnaire: Questionnaire, expression: str) -> str:
    """An expression with ``${name}`` for every path from the root, and every blank where it does not matter gone."""
    root = re.escape(questionnaire.root)
    named = re.sub(rf"\s*/{root}/(?:[\w.-]+/)*([\w.-]+)\s?", r" ${\1} ", expression)
    return " ".join(named.split())


def offered(questionnaire: Questionnaire, node: Node) -> dict[str, Mapping[str, str]]:
    """Code to label (by language) of everything that a choice question may offer, filters aside."""
    if node.list_name in questionnaire.lists:
        return {choice.name: choice.label for choice in questionnaire.lists[node.list_name]}
    rows = questionnaire.files.get(node.list_name, ())
    return {row.get(node.value_column, ""): {"": row.get(node.label_column, "")} for row in rows}


def recoded(old: Mapping[str, Mapping[str, str]], new: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Old code to the code under which its very words stand now, where that is another one.

    Only equal words count (case and accents aside), in some language that both versions have.
    """
    found: dict[str, str] = {}
    for code, labels in old.items():
        if code in new and _same_words(labels, new[code]):
            continue
        now = [other for other, words in new.items() if other != code and _same_words(labels, words)]
        # Words that stand under their old code as well are no evidence: two choices were called alike.
        now = [other for other in now if other not in old or not _same_words(old[other], new[other])]
        if len(now) == 1:
            found[code] = now[0]
    return found


def _same_words(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    return any(one[language] and fold(one[language]) == fold(other[language]) for language in one.keys() & other.keys())
