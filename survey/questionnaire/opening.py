"""How an interview begins and how it is taken up again."""

from __future__ import annotations

import re

from survey.questionnaire.engine import Engine
from survey.questionnaire.model import Answers, generic
from survey.questionnaire.tree import Element, Slot


def begin(engine: Engine) -> None:
    """A new interview: one instance of each repeat, defaults, then dynamic defaults in document order."""
    state = engine.s

    def plant(element: Element) -> None:
        for kid in element.kids.values():
            plant(engine.build(kid, engine.new_id(kid)) if isinstance(kid, Slot) else kid)

    plant(state.root)
    engine.defaults(state.root)
    for element in list(state.elements()):
        node = element.of.node
        if node is not None and node.dynamic_default and not element.kids:
            engine.set_to(element, node.dynamic_default, "dynamic_default")


def resume(engine: Engine, answers: Answers) -> None:
    """An interview that was begun: instances in their stored order, answers as they were stored."""
    state = engine.s
    engine.resuming = True
    wanted: dict[str, list[str]] = {}
    for path, value in answers.items():
        for match in re.finditer(r"\[([^\[\]]*)\]", path):
            ids = wanted.setdefault(path[: match.start()], [])
            if match.group(1) not in ids:
                ids.append(match.group(1))
        definition = state.form.by_path.get(generic(path))
        if definition is not None and definition.is_repeat and isinstance(value, list):
            wanted[path] = list(dict.fromkeys([*value, *wanted.get(path, [])]))

    def plant(element: Element) -> None:
        for kid in element.kids.values():
            if isinstance(kid, Slot):
                for id in wanted.get(kid.path, ()):
                    plant(engine.build(kid, id))
            else:
                plant(kid)

    plant(state.root)
    for element in state.elements():
        node = element.of.node
        if node is None or node.kind != "question":
            continue
        if element.of.stored and element.path in answers:
            engine.put(element, *engine.stored(element, answers[element.path], keep=True))
        if node.preload.endswith(":end") or node.preload.startswith("uid"):
            engine.put(element, None, engine.preloaded(node))
        engine.fill(element, node)
