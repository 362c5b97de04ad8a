"""A questionnaire as a form on paper: sections, questions with their boxes, batteries as grids, and what to skip.

Nothing here knows HTML. Contact questions stand apart (:attr:`Form.contacts`): names and telephone numbers never share
a sheet with answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from survey.paper.boxes import Boxes, boxes
from survey.paper.conditions import FRAME, Wording, both, flat, parsed
from survey.paper.numbering import is_asked, numbers
from survey.paper.skips import END, Item, conditions, key, targets
from survey.questionnaire.codes import MISSING_KEYS, codes
from survey.questionnaire.matching import offered
from survey.questionnaire.model import MISSING, Node, Questionnaire
from survey.questionnaire.syntax import Tree
from survey.text import Text

GRID_COLUMNS = 8
"""The most boxes (scale and missing kinds) that a row of a grid has on A4."""

GRID_WORDS = 40
"""The longest word on a scale, in characters, that stands above a column."""

LIST_LENGTH = 40
"""A longer list (communes, say) is not printed: its code is written."""

INSTANCES = 3
"""How often a repeat is printed."""


@dataclass(frozen=True)
class Box:
    """A box to tick: the code printed in it, the words beside it, and where an arrow leads."""

    code: str
    label: Text
    arrow: Text = Text("", "")


@dataclass(frozen=True)
class Question:
    """One question on paper. ``kind`` is ``one``, ``many``, ``rank`` (boxes with choices) or ``write``; ``width`` tells
    how many choices stand side by side (0: as many as fit)."""

    path: str
    number: str
    kind: str
    label: Text
    hint: Text = Text("", "")
    guidance: Text = Text("", "")
    condition: Text = Text("", "")
    options: tuple[Box, ...] = ()
    missing: tuple[Box, ...] = ()
    write: Boxes | None = None
    width: int = 1
    arrow: Text = Text("", "")


@dataclass(frozen=True)
class Grid:
    """Questions on one scale: a row each, the scale once above. ``kinds`` are the columns of missing answers."""

    rows: tuple[Question, ...]
    options: tuple[Box, ...]
    kinds: tuple[Box, ...]
    condition: Text = Text("", "")


@dataclass(frozen=True)
class Words:
    """Something to read: a note, a heading inside a section, or a rule. ``kind`` is ``note``, ``heading``, ``gate``,
    ``elsewhere``."""

    kind: str
    label: Text
    hint: Text = Text("", "")
    guidance: Text = Text("", "")
    condition: Text = Text("", "")


Block = Question | Grid | Words


@dataclass(frozen=True)
class Section:
    """A top-level group: its heading, whom it is asked of, its blocks."""

    title: Text
    condition: Text
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Form:
    """Everything to print. ``places`` are the lines of the header that the sample list would fill."""

    title: Text
    version: str
    places: tuple[Text, ...]
    sections: tuple[Section, ...]
    contacts: tuple[Question, ...] = ()


def lay_out(questionnaire: Questionnaire) -> Form:
    """The form that belongs to a questionnaire."""
    return _Layout(questionnaire).form()


@dataclass
class _Layout:
    questionnaire: Questionnaire
    contacts: list[Question] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.numbers = numbers(self.questionnaire)
        self.wording = Wording(self.questionnaire, self.numbers)
        asked = [node for node in self.questionnaire.walk() if is_asked(node)]
        self.items = [Item(node, conditions(self.wording, node)) for node in asked]
        self.place = {item.node.path: at for at, item in enumerate(self.items)}
        self.gates = _gates(self.questionnaire, self.wording)

    def form(self) -> Form:
        sections = tuple(section for section in self._sections() if section.blocks)
        hidden = [node for node in self.questionnaire.walk() if node.type == "hidden"]
        places = tuple(_capital(FRAME[node.name]) for node in hidden if node.name in FRAME and node.name not in _TICKED)
        title = both(self.questionnaire.title)
        return Form(title, self.questionnaire.version, places, sections, tuple(self.contacts))

    def _sections(self) -> Iterator[Section]:
        loose: list[Block] = []
        for top in self.questionnaire.nodes:
            if top.kind == "question":
                loose += self._blocks([top], ())
                continue
            if loose:
                yield Section(Text("", ""), Text("", ""), tuple(loose))
                loose = []
            own = [tree for tree in _own(top) if key(tree) not in self.gates]
            blocks = [*self._blocks(top.children, tuple(own)), *self._gate(top)]
            if top.kind == "repeat":
                blocks = self._instances(blocks)
            yield Section(self._words(top.label), self.wording.sentence(own), tuple(blocks))
        if loose:
            yield Section(Text("", ""), Text("", ""), tuple(loose))

    def _gate(self, top: Node) -> list[Block]:
        """The rule after which the form goes on, where the last question that it is about stands in this section."""
        last = [tree for tree, path in self.gates.values() if path.startswith(top.path + "/")]
        if not last or any(not path.startswith(top.path + "/") for _, path in self.gates.values()):
            return []
        said = self.wording.words(last)
        return [
            Words(
                "gate",
                Text(
                    f"Chỉ hỏi tiếp nếu {said.vi}. Nếu không: cảm ơn và kết thúc phiếu.",
                    f"Go on only if {said.en}. Otherwise thank the person and end here.",
                ),
            )
        ]

    def _instances(self, blocks: Sequence[Block]) -> list[Block]:
        return [
            block
            for n in range(1, INSTANCES + 1)
            for block in (Words("heading", Text(f"Lần {n}", f"No. {n}")), *blocks)
        ]

    def _blocks(self, nodes: Sequence[Node], known: tuple[Tree, ...]) -> list[Block]:
        """The blocks of these nodes; ``known`` are conditions that stand above them already."""
        found: list[Block] = []
        run: list[Node] = []

        def end_run() -> None:
            found.extend(self._run(run, known))
            run.clear()

        for node in nodes:
            if node.kind != "question":
                end_run()
                found += self._group(node, known)
            elif is_asked(node) and node.contact:
                end_run()
                self.contacts.append(self._question(node, known))
                found.append(self._elsewhere(node, known))
            elif is_asked(node):
                if run and not self._one_scale(run[0], node):
                    end_run()
                run.append(node)
            elif node.type == "note" or node.appearance == "label":
                end_run()
                said = self.wording.sentence(self._unknown(node, known))
                texts = self._words(node.label), self._words(node.hint), self._words(node.guidance)
                found.append(Words("note", *texts, said))
        end_run()
        return list(_said_once(found))

    def _group(self, node: Node, known: tuple[Tree, ...]) -> list[Block]:
        own = self._unknown(node, known)
        inside = self._blocks(node.children, (*known, *own))
        if node.kind == "repeat":
            inside = self._instances(inside)
        if not inside or not (node.label or own):
            return inside
        return [Words("heading", self._words(node.label), condition=self.wording.sentence(own)), *inside]

    def _elsewhere(self, node: Node, known: tuple[Tree, ...]) -> Words:
        number = self.numbers[node.path]
        label = self._words(node.label)
        return Words(
            "elsewhere",
            Text(
                f"{number}. {label.vi}: ghi ở Phiếu liên hệ (tờ rời), không ghi ở đây.",
                f"{number}. {label.en}: write it on the contact sheet (a sheet of its own), not here.",
            ),
            condition=self.wording.sentence(self._unknown(node, known)),
        )

    # -- questions -----------------------------------------------------------------------------------------------

    def _run(self, nodes: Sequence[Node], known: tuple[Tree, ...]) -> list[Block]:
        """Neighbours on one scale as a grid; a single question as it is."""
        questions = [self._question(node, known) for node in nodes]
        if len(questions) < 2:
            return list(questions)
        kinds = [kind for kind in MISSING_KEYS if any(kind in node.missing for node in nodes)]
        rows = tuple(replace(question, condition=Text("", "")) for question in questions)
        options = tuple(replace(box, arrow=Text("", "")) for box in questions[0].options)
        return [Grid(rows, options, tuple(_missing(kind) for kind in kinds), questions[0].condition)]

    def _one_scale(self, first: Node, node: Node) -> bool:
        names = offered(self.questionnaire, node)
        return (
            node.type == first.type == "select_one"
            and node.list_name == first.list_name
            and [key(tree) for tree in _own(node)] == [key(tree) for tree in _own(first)]
            and not node.choice_filter
            and 2 <= len(names) + len({*node.missing, *first.missing}) <= GRID_COLUMNS
            and all(len(word) <= GRID_WORDS for label in names.values() for word in label.values())
            and not any(targets(self.wording, self.items, self.place[one.path]) for one in (first, node))
        )

    def _question(self, node: Node, known: tuple[Tree, ...]) -> Question:
        each, everywhere = self._arrows(node)
        names = offered(self.questionnaire, node) if node.list_name else {}
        kind = {"select_one": "one", "select_one_from_file": "one", "rank": "rank"}.get(node.type, "many")
        options: tuple[Box, ...] = ()
        write = None
        if names and len(names) <= LIST_LENGTH:
            options = tuple(
                Box(code, self._words(label) if label else Text(name, name), each.get(name, Text("", "")))
                for code, (name, label) in zip(codes(list(names)), names.items(), strict=True)
            )
        else:
            kind, write = "write", boxes(node)
            if write.steps:
                kind, options = "one", tuple(Box(step, Text("", "")) for step in write.steps)
        return Question(
            node.path,
            self.numbers[node.path],
            kind,
            self._words(node.label) if node.label else self._words(node.hint),
            self._words(node.hint) if node.label else Text("", ""),
            self._words(node.guidance),
            self.wording.sentence(self._unknown(node, known)),
            options,
            tuple(replace(_missing(k), arrow=each.get("", Text("", ""))) for k in MISSING_KEYS if k in node.missing),
            write,
            _width(options),
            everywhere,
        )

    def _arrows(self, node: Node) -> tuple[dict[str, Text], Text]:
        """Choice to where its arrow leads, and the one arrow of the question where all answers lead to one place.

        What goes on with the next question has no arrow.
        """
        at = self.place[node.path]
        found = targets(self.wording, self.items, at)
        following = self.items[at + 1].node.path if at + 1 < len(self.items) else END
        if len(set(found.values())) == 1:
            (path,) = set(found.values())
            return {}, Text("", "") if path == following else self._arrow(path)
        return {choice: self._arrow(path) for choice, path in found.items() if path != following}, Text("", "")

    def _arrow(self, path: str) -> Text:
        if path == END:
            return Text("kết thúc", "end")
        return Text(f"câu {self.numbers[path]}", self.numbers[path])

    def _unknown(self, node: Node, known: Sequence[Tree]) -> list[Tree]:
        said = {key(tree) for tree in known} | self.gates.keys()
        inside = self._section_of_gates == node.path.partition("/")[0]
        return [tree for tree in _own(node) if key(tree) not in (set() if inside else said)]

    @property
    def _section_of_gates(self) -> str:
        """The section in which the gates are asked: inside it they are conditions like any other."""
        return max((path for _, path in self.gates.values()), default="").partition("/")[0]

    def _words(self, label: Mapping[str, str]) -> Text:
        words = both(label)
        return Text(self._piped(words.vi, "câu "), self._piped(words.en, ""))

    def _piped(self, words: str, before: str) -> str:
        """An answer piped into a text is told by its number: ``(câu A1.2)``, or left open."""

        def number(match: re.Match[str]) -> str:
            path = match.group(1).strip().removeprefix(f"/{self.questionnaire.root}/")
            found = self.numbers.get(path)
            return f"({before}{found})" if found else "……"

        return re.sub(r"\$\{([^{}]*)\}", number, words)


# -- inside --------------------------------------------------------------------------------------------------------

_TICKED = frozenset({"urban_rural"})
"""Frame columns that the form asks as a question where the list does not say."""


def _said_once(blocks: Sequence[Block]) -> Iterator[Block]:
    """A condition that a note has told is not told again by the question or grid right below it."""
    before = Text("", "")
    for block in blocks:
        if isinstance(block, Words):
            before = block.condition if block.kind == "note" else Text("", "")
            yield block
        else:
            yield replace(block, condition=Text("", "")) if block.condition == before else block
            before = Text("", "")


def _own(node: Node) -> list[Tree]:
    tree = parsed(node.relevant) if node.relevant else None
    return flat(tree) if tree is not None else []


def _gates(questionnaire: Questionnaire, wording: Wording) -> dict[str, tuple[Tree, str]]:
    """Conditions that every later section shares: key to (tree, path of the last question it is about).

    They are told once, where the form goes on or ends, and not again above each section.
    """
    groups = [top for top in questionnaire.nodes if top.kind != "question" and any(map(is_asked, top.walk()))]
    if len(groups) < 3:
        return {}
    paths = {number: path for path, number in wording.numbers.items()}
    found: dict[str, tuple[Tree, str]] = {}
    for tree in _own(groups[-1]):
        asked = wording.asked_in(tree)
        path = paths[asked[-1]] if asked else ""
        first = next((at for at, top in enumerate(groups) if path.startswith(top.path + "/")), len(groups))
        later = groups[first + 1 :]
        if len(later) > 1 and all(key(tree) in {key(own) for own in _own(top)} for top in later):
            found[key(tree)] = (tree, path)
    # Only gates of one section make one rule; others are told above every section.
    section = max((path for _, path in found.values()), default="").partition("/")[0]
    return {name: gate for name, gate in found.items() if gate[1].startswith(section + "/")}


def _missing(kind: str) -> Box:
    return Box(MISSING_KEYS[kind], MISSING[kind])


def _capital(words: Text) -> Text:
    return Text(words.vi[:1].upper() + words.vi[1:], words.en[:1].upper() + words.en[1:])


def _width(options: Sequence[Box]) -> int:
    """How many choices stand side by side: 0 for as many as fit, where all are short."""
    longest = max((len(word) + 8 * bool(box.arrow.vi) for box in options for word in box.label), default=0)
    if longest <= 22 and len(options) <= 6:
        return 0
    if longest <= 20:
        return 4
    if longest <= 30:
        return 3
    return 2 if longest <= 76 else 1
