"""The short form of a back-check, made from the questionnaire itself: blind, since it holds no answer."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from survey.errors import InputError, Problem, Problems
from survey.fieldwork.backcheck import CAME, INTERVIEWED, NOBODY, UNSURE, VISITED
from survey.questionnaire.model import Choice, Node, Questionnaire
from survey.text import Text

GROUP, QUESTION = VISITED.split("/")
_LIST = "phuc_tra_visited"

_TITLE = Text("Phúc tra", "Back-check")
_ASKED = Text(
    "Trong đợt khảo sát này đã có điều tra viên đến hỏi Ông/Bà chưa?",
    "Has an enumerator of this survey come to you yet?",
)
_READ = Text(
    "Đọc nguyên văn. Không nói lần trước Ông/Bà đã trả lời gì.",
    "Read out as it stands. Say nothing of what was answered last time.",
)
_CHOICES: dict[str, Text] = {
    INTERVIEWED: Text("Có đến và đã hỏi Ông/Bà", "Came, and interviewed you"),
    CAME: Text("Có đến nhưng không hỏi", "Came, but did not interview you"),
    NOBODY: Text("Chưa có ai đến", "Nobody came"),
    UNSURE: Text("Không nhớ, không rõ", "Does not remember"),
}


def comparable(questionnaire: Questionnaire) -> dict[str, Node]:
    """The questions that can be asked again: those a person answers once (not inside repeats), contact apart."""
    repeats = tuple(node.path + "/" for node in questionnaire.walk() if node.kind == "repeat")
    return {
        node.path: node
        for node in questionnaire.walk()
        if node.kind == "question" and node.control and not node.contact and node.type not in ("note", "image", "audio")
        if not node.path.startswith(repeats)
    }


def chosen(questionnaire: Questionnaire, named: Mapping[str, int]) -> dict[str, int]:
    """Paths to types of the questions named by name or path. Problems for all that cannot be asked again."""
    found, problems, known = {}, [], comparable(questionnaire)
    for name, type in named.items():
        try:
            path = questionnaire.question(name).path
        except KeyError:
            path = ""
        if path in known:
            found[path] = type
        else:
            problems.append(
                Problem(
                    f"--question {name}",
                    Text("không hỏi lại được câu này", "this cannot be asked again")
                    if path
                    else Text("bảng hỏi không có câu này", "the questionnaire has no such question"),
                    Text(
                        "chọn câu hỏi một lần, không phải thông tin liên hệ",
                        "choose one that is asked once, no contact",
                    ),
                )
            )
    if problems:
        raise Problems(problems)
    return found


def short_form(questionnaire: Questionnaire, variables: Collection[str]) -> Questionnaire:
    """The questionnaire of a back-check of these questions (paths): whether anybody came, and if there was an interview
    the questions themselves, with every question on which it depends whether they are asked.

    Paths are those of the questionnaire, so answers compare by path. It has no index: nobody can score it.

    Raises:
        InputError: the questionnaire has a group of the name that is needed.
    """
    if GROUP in {node.name for node in questionnaire.nodes}:
        raise InputError(
            f"questionnaire {questionnaire.id}",
            Text(f"đã có nhóm tên {GROUP}", f"it has a group called {GROUP} already"),
            Text("đổi tên nhóm ấy", "rename that group"),
        )
    wanted = _needed(questionnaire, variables)
    interviewed = f"/{questionnaire.root}/{VISITED} = '{INTERVIEWED}'"
    kept = []
    for node in questionnaire.nodes:
        pruned = _pruned(node, wanted)
        if pruned is not None:
            relevant = f"{interviewed} and ({node.relevant})" if node.relevant else interviewed
            kept.append(replace(pruned, relevant=relevant))
    lists = {
        name: choices
        for name, choices in questionnaire.lists.items()
        if any(node.list_name == name or f"'{name}'" in node.itemset for top in kept for node in top.walk())
    }
    own = tuple(Choice(name, label=_in_languages(label, questionnaire)) for name, label in _CHOICES.items())
    first = Node(
        "question",
        QUESTION,
        VISITED,
        type="select_one",
        control="select1",
        label=_in_languages(_ASKED, questionnaire),
        guidance=_in_languages(_READ, questionnaire),
        list_name=_LIST,
        itemset=f"instance('{_LIST}')/root/item",
        required="true()",
    )
    opening = Node("group", GROUP, GROUP, label=_in_languages(_TITLE, questionnaire), children=(first,))
    title = {
        code: f"{_TITLE('vi' if code == 'vi' else 'en')}: {text}" for code, text in (questionnaire.title or {}).items()
    }
    return replace(
        questionnaire,
        id=f"{questionnaire.id}_phuc_tra",
        title=title,
        nodes=(opening, *kept),
        lists={**lists, _LIST: own},
        index=(),
    )


def _in_languages(text: Text, questionnaire: Questionnaire) -> dict[str, str]:
    """The text in each language of the questionnaire; in Vietnamese where it names none."""
    return {code: text("vi" if code in ("vi", "default") else "en") for code in questionnaire.languages or ("vi",)}


def _needed(questionnaire: Questionnaire, variables: Collection[str]) -> set[str]:
    """The paths of these questions, and of all that decide whether and how they are asked."""
    by_path = questionnaire.by_path
    reference = re.compile(rf"/{re.escape(questionnaire.root)}/([\w.\-/]+)")
    wanted: set[str] = set()
    waiting = list(variables)
    while waiting:
        path = waiting.pop()
        if path in wanted or path not in by_path:
            continue
        wanted.add(path)
        parts = path.split("/")
        # A group that holds the question decides with it.
        above = [by_path[name] for n in range(1, len(parts)) if (name := "/".join(parts[:n])) in by_path]
        for node in (by_path[path], *above):
            waiting += reference.findall(" ".join(_expressions(node)))
            waiting += re.findall(r"\$\{([^}]+)\}", " ".join([*node.label.values(), *node.hint.values()]))
    return wanted


def _expressions(node: Node) -> Iterable[str]:
    yield from (node.relevant, node.constraint, node.required, node.calculation, node.choice_filter, node.read_only)
    yield from (node.default, node.dynamic_default, node.repeat_count, node.itemset)


def _pruned(node: Node, wanted: Collection[str]) -> Node | None:
    """A node with what is wanted below it; None where nothing is. Soft checks are left out: no reason is asked for."""
    if node.kind == "question":
        return replace(node, soft_constraint="", sets=(), trigger=()) if node.path in wanted else None
    children = tuple(one for child in node.children if (one := _pruned(child, wanted)) is not None)
    return replace(node, children=children) if children else None
