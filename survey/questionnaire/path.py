"""The path of an interview: which questions are asked, given the answers.

A ``Path`` never changes; ``set``, ``add`` and ``remove`` give a ``Change`` with the new path. What follows from the
answers is recomputed, never stored, and answers off the path never count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property

from survey.questionnaire import lexical
from survey.questionnaire.engine import Engine
from survey.questionnaire.entries import Change, Entry, Page, RepeatEntry, Section
from survey.questionnaire.form import PIPED, Form, compiled, kept_whole
from survey.questionnaire.model import FROM_PAPER, Answers, Node, Questionnaire, Value, is_missing
from survey.questionnaire.opening import begin, resume
from survey.questionnaire.state import TROUBLE, Context, State
from survey.questionnaire.tree import Element, Slot, descendants
from survey.questionnaire.values import Atom, to_boolean, to_string
from survey.text import Text

__all__ = ["Change", "Context", "Entry", "Path", "RepeatEntry", "Section", "open_path"]

REQUIRED = Text("Câu này phải có câu trả lời", "This question needs an answer")
DOUBTED = Text("Câu trả lời này ít gặp, xem lại có đúng không", "This answer is unusual, see whether it is right")
REFUSED = Text("Câu trả lời này không hợp lệ", "This answer is not valid")
NOT_OFFERED = Text("Phương án này không có trong danh sách", "This option is not on the list")
KIND_NOT_OFFERED = Text("Câu này không có lựa chọn đó", "This question does not offer that")
READ_ONLY = Text("Câu này không sửa được", "This question cannot be changed")


class Path:
    """An interview at one moment. Made by ``open_path``, ``set``, ``add`` and ``remove``."""

    def __init__(self, state: State, fresh: bool = False):
        self.state = state
        self.fresh = fresh

    @property
    def form(self) -> Form:
        """The compiled questionnaire."""
        return self.state.form

    @property
    def questionnaire(self) -> Questionnaire:
        """The questionnaire."""
        return self.state.form.questionnaire

    # -- looking -------------------------------------------------------------------------------------------------

    @cached_property
    def _elements(self) -> dict[str, Element]:
        return {e.path: e for e in self.state.elements()}

    @property
    def entries(self) -> list[Entry]:
        """Everything in document order, on the path or not; groups and instances stand before what is in them."""
        return [Entry(self, e) for e in self._elements.values()]

    @property
    def questions(self) -> list[Entry]:
        """The questions on the path that a person sees, notes included."""
        return [e for e in self.entries if e.kind == "question" and e.relevant and e.node.control]

    def entry(self, path: str) -> Entry:
        """The entry at ``path``. Raises KeyError when there is none."""
        return Entry(self, self._element(path))

    def _element(self, path: str) -> Element:
        definition = self.form.by_path.get(path)
        if definition is not None and definition.element is not None and definition.node is not None:
            return definition.element
        return self._elements[path]

    @property
    def repeats(self) -> list[RepeatEntry]:
        """The repeats, those without instances included, in document order."""
        return list(self._repeats(self.state.root))

    def _repeats(self, element: Element) -> Iterator[RepeatEntry]:
        """The repeats at and below ``element``: those directly below it before those further down."""
        state = self.state
        kids = [kid for kid in element.kids.values() if kid.of.holds_repeats]
        for kid in kids:
            if isinstance(kid, Slot) and kid.of.node is not None:
                inside = tuple(Entry(self, e) for e in state.instances.get(kid, ()))
                shown = element not in state.hidden and (
                    any(e.relevant for e in inside) if inside else Engine(state).may_be_asked(kid)
                )
                counted = bool(kid.of.node.repeat_count)
                yield RepeatEntry(kid.path, kid.of.node, shown, inside, counted, kid.ghost)
        for kid in kids:
            for below in state.instances.get(kid, ()) if isinstance(kid, Slot) else (kid,):
                yield from self._repeats(below)

    @property
    def values(self) -> Answers:
        """Answers and calculations on the path, and the order of repeat instances: what is sealed."""
        return self._collect(lambda e: e not in self.state.hidden)

    @property
    def off_path(self) -> Answers:
        """Answers that are kept but do not count, because their question is not asked."""
        hidden = self.state.hidden
        return self._collect(lambda e: e in hidden and e.of.stored)

    @property
    def answers(self) -> Answers:
        """What a draft stores: every answer on and off the path, but nothing that is worked out again."""
        return self._collect(lambda e: e.of.is_repeat or e.of.stored)

    @property
    def sealed(self) -> tuple[Answers, Answers, Answers]:
        """What a sealed interview keeps: answers on the path, answers off it, and contact answers apart from both."""
        private = {entry.path for entry in self.entries if entry.node.contact}
        values, off_path = self.values, self.off_path
        return (
            {path: value for path, value in values.items() if path not in private},
            {path: value for path, value in off_path.items() if path not in private},
            {path: value for path, value in values.items() if path in private},
        )

    @property
    def initial(self) -> Answers:
        """What to store when the interview is begun: defaults, start time, values from the frame."""
        return self.answers if self.fresh else {}

    def _collect(self, wanted: Callable[[Element], bool]) -> Answers:
        state = self.state
        found: Answers = {}
        for slot, instances in state.instances.items():
            if ids := [e.id for e in instances if wanted(e)]:
                found[slot.path] = ids
        for element in (*state.values, *(e for e in state.given if e not in state.values)):
            node = element.of.node
            if node is not None and not node.preload.startswith("uid") and wanted(element):
                value = state.answer(element)
                if value != "":
                    found[element.path] = value
        return found

    @property
    def trouble(self) -> list[tuple[Entry, str, str]]:
        """Expressions that could not be worked out for these answers: (entry, property, reason in English)."""
        return [(Entry(self, e), kind, why) for (e, kind), why in self.state.trouble.items() if e.of.node]

    def problems(self) -> list[tuple[Entry, str, Text | str]]:
        """Questions on the path that are required and empty, or whose constraint does not hold."""
        found = []
        for entry in self.entries:
            if entry.kind == "question" and entry.node.control and entry.relevant and (problem := entry.problem):
                found.append((entry, problem, self._complaint_text(entry.element, problem)))
        return found

    # -- words ---------------------------------------------------------------------------------------------------

    def words(self, element: Element, texts: Mapping[str, str], language: str) -> str:
        """The text in ``language`` (or the default language, or any), answers piped in."""
        text = texts.get(language) or texts.get(self.questionnaire.default_language) or next(iter(texts.values()), "")
        if "${" not in text:
            return str(text)
        return PIPED.sub(lambda match: self._piped(element, match.group(1)), text)

    def _piped(self, element: Element, expression: str) -> str:
        code = self.form.code(element.of, "label", expression)
        if code is None:
            return ""
        try:
            return to_string(code(self.state, element, element, None))
        except TROUBLE:
            return "…"

    def _complaint_text(self, element: Element, problem: str) -> Text | str:
        node = element.of.node
        if node is None or not problem:
            return ""
        own = node.required_message if problem == "required" else node.constraint_message
        general = REQUIRED if problem == "required" else REFUSED
        if own:
            return Text(
                self.words(element, own, "vi") or general.vi,
                self.words(element, own, "en") or general.en,
            )
        return general

    def complaint(self, element: Element, problem: str, language: str) -> str:
        """The form's own message about a problem, else a general one."""
        node = element.of.node
        if node is None or not problem:
            return ""
        own = node.required_message if problem == "required" else node.constraint_message
        general = REQUIRED if problem == "required" else REFUSED
        return self.words(element, own, language) or general(language or self.questionnaire.default_language)

    def holds(self, element: Element) -> bool:
        """Whether the constraint on an answer holds; an empty or missing answer has none."""
        return self._true_of(element, "constraint")

    def usual(self, element: Element) -> bool:
        """Whether the soft check on an answer holds; an empty or missing answer has none."""
        return self._true_of(element, "soft_constraint")

    def _true_of(self, element: Element, kind: str) -> bool:
        node, state = element.of.node, self.state
        text = getattr(node, kind) if node is not None else ""
        if not text or state.values.get(element, "") == "":
            return True
        code = self.form.code(element.of, kind, text)
        if code is None:
            return True
        try:
            return to_boolean(code(state, element, element, None))
        except TROUBLE as error:
            state.trouble[element, kind] = str(error)
            return True

    def doubts(self) -> list[Entry]:
        """The questions on the path whose answer is taken but fails its soft check, in document order."""
        return [e for e in self.entries if e.node.soft_constraint and e.doubtful]

    def doubt(self, element: Element, language: str) -> str:
        """The form's own message of a soft check, else a general one."""
        node = element.of.node
        own = self.words(element, node.soft_message, language) if node is not None and node.soft_message else ""
        return own or DOUBTED(language or self.questionnaire.default_language)

    # -- sections ------------------------------------------------------------------------------------------------

    @cached_property
    def sections(self) -> list[Section]:
        """The sections in order."""
        return [self._section(page) for page in self._pages if page.questions]

    @cached_property
    def _pages(self) -> list[Page]:
        """What stands on which page; a change that leaves the repeat instances as they are leaves it as it is."""
        runs: list[tuple[Node | None, list[Element]]] = []
        for element in self._top():
            node = element.of.node
            assert node is not None
            whole = node if node.kind in ("group", "repeat") else None
            if runs and runs[-1][0] is whole:
                runs[-1][1].append(element)
            else:
                runs.append((whole, [element]))
        return [self._page(node, tops) for node, tops in runs]

    def _top(self) -> Iterator[Element]:
        for definition in self.state.root.of.children:
            if definition.name == "meta" and definition.children:
                continue
            kid = self.state.root.kids[definition]
            if isinstance(kid, Slot):
                yield from self.state.instances.get(kid, ()) or (kid.ghost,)
            else:
                yield kid

    def _page(self, node: Node | None, tops: list[Element]) -> Page:
        below = [e for top in tops for e in descendants(top, self.state.instances)]
        questions = [e for e in below if e.of.is_leaf and e.of.node is not None and e.of.node.control]
        asked = set(questions)
        seen = [e for e in below if not e.of.is_leaf or e in asked]
        return Page(node, tuple(tops), tuple(below), tuple(seen), tuple(questions))

    def _section(self, page: Page) -> Section:
        state = self.state
        shown = [e for e in page.questions if e not in state.hidden]
        asked = [e for e in shown if not Entry(self, e).read_only]
        answered = sum(e in state.given or e in state.values for e in asked)
        if not shown:
            stands = "not_asked"
        elif answered == len(asked) or (answered and not any(self._is_wanting(e) for e in asked)):
            stands = "done"
        else:
            stands = "todo"
        name = page.node.path if page.node else page.tops[0].path
        return Section(name, page, stands, answered, len(asked), self)

    def _is_wanting(self, element: Element) -> bool:
        state = self.state
        return element in state.required and element not in state.given and element not in state.values

    def sections_at(self, here: str) -> list[Section]:
        """The sections, with the one whose path is ``here`` in state ``here``."""
        from dataclasses import replace

        return [replace(s, state="here") if s.path == here else s for s in self.sections]

    @cached_property
    def _section_by_top(self) -> dict[Element, Section]:
        return {e: section for section in self.sections for e in section.page.tops}

    def section_of(self, element: Element) -> Section:
        """The section that an element belongs to. Raises KeyError for what is on no page."""
        top = element
        while top.parent is not None and top.parent is not self.state.root:
            top = top.parent
        return self._section_by_top[top]

    # -- changing ------------------------------------------------------------------------------------------------

    def set(self, path: str, value: Value) -> Change:
        """Answers the question at ``path``; ``""`` or ``[]`` clears it.

        Raises KeyError when there is no such question. An answer is looked at in this order: its type and options,
        required, constraint.
        """
        element = self._element(path)
        entry = Entry(self, element)
        node = entry.node
        if node.kind != "question" or entry.read_only:
            return Change("type", READ_ONLY, self)
        try:
            given, atom = lexical.read(node, value, self.state.now, self.state.zone)
        except lexical.NotOfType as error:
            return Change("type", error.what, self)
        if is_missing(given):
            kind = given.get("missing", "") if isinstance(given, dict) else ""
            if kind not in (*node.missing, *FROM_PAPER):
                return Change("type", KIND_NOT_OFFERED, self)
        elif atom == "":
            if entry.required:
                return Change("required", self._complaint_text(element, "required"), self)
        else:
            refused = self._refused(element, node, given, atom)
            if refused:
                return refused
        state = self.state.copy()
        engine = Engine(state)
        engine.answer(element, given, atom)
        engine.settle()
        return self._changed(engine, element)

    preview = set
    """The same as ``set``: nothing is stored, so a change can be looked at and thrown away."""

    def _refused(self, element: Element, node: Node, given: Value, atom: Atom) -> Change | None:
        if element.of in self.form.filters:
            offered = self.state.offered(element)
            if any(c not in offered for c in (given if isinstance(given, list) else [given])):
                return Change("type", NOT_OFFERED, self)
        if not node.constraint:
            return None
        trial = Path(self.state.trying(element, atom))
        if not trial.holds(element):
            return Change("constraint", trial._complaint_text(element, "constraint"), self)
        return None

    def _slot(self, path: str) -> Slot:
        head, _, name = path.rpartition("/")
        parent = self._element(head) if head else self.state.root
        for kid in parent.kids.values():
            if isinstance(kid, Slot) and kid.of.name == name:
                return kid
        raise KeyError(path)

    def add(self, path: str) -> Change:
        """Adds an instance at the end of the repeat at ``path`` (``hh`` or ``hh[r7f]/visit``)."""
        slot = self._slot(path)
        if slot.of in self.form.counts:
            return Change("type", READ_ONLY, self)
        state = self.state.copy()
        engine = Engine(state)
        engine.add(slot)
        engine.settle()
        return self._changed(engine, None)

    def remove(self, path: str) -> Change:
        """Removes the repeat instance at ``path`` (``hh[r7f]``) with its answers."""
        element = self._element(path)
        if not element.of.is_repeat:
            raise KeyError(path)
        if element.of in self.form.counts:
            return Change("type", READ_ONLY, self)
        state = self.state.copy()
        engine = Engine(state)
        engine.remove(element)
        engine.settle()
        return self._changed(engine, None)

    def _changed(self, engine: Engine, target: Element | None) -> Change:
        old, state = self.state, engine.s
        new = Path(state)
        if "_pages" in self.__dict__ and self.state.instances == state.instances:
            new._pages = self._pages
        gone = self._gone(state)
        lost = [e for e in (*(state.hidden - old.hidden), *gone) if e not in old.hidden and _answered(old, e)]
        appeared = [e for e in old.hidden - state.hidden if e.of.node is not None and e.of.node.control]
        for instances in state.instances.values():
            for instance in instances:
                if instance not in old.position:
                    inside = descendants(instance, state.instances)
                    appeared += [e for e in inside if e not in state.hidden and e.of.node and e.of.node.control]
        removed = set(gone)
        altered = [e for e in engine.altered if e not in removed and old.answer(e) != state.answer(e)]
        save: dict[str, Value | None] = {e.path: state.answer(e) or None for e in altered if e.of.stored}
        save.update((e.path, None) for e in gone if e.of.stored and old.answer(e) != "")
        save.update(self._orders(state))
        return Change(
            "ok",
            "",
            new,
            tuple(Entry(self, e) for e in _ordered(lost)),
            tuple(Entry(new, e) for e in _ordered(appeared)),
            tuple(Entry(new, e) for e in _ordered(altered) if e is not target and e not in state.hidden),
            save,
        )

    def _gone(self, state: State) -> list[Element]:
        """Everything in repeat instances that the new state has no more."""
        if self.state.instances == state.instances:
            return []
        found: list[Element] = []
        for instances in self.state.instances.values():
            for instance in instances:
                if instance not in state.position:
                    found += descendants(instance, {})
        return found

    def _orders(self, state: State) -> Iterator[tuple[str, list[str] | None]]:
        """The repeats whose instances changed, with their new order; None where none is left."""
        old = self.state.instances
        if old == state.instances:
            return
        for slot in old.keys() | state.instances.keys():
            before, after = old.get(slot, ()), state.instances.get(slot, ())
            if before != after:
                yield slot.path, [e.id for e in after] or None


def _answered(state: State, element: Element) -> bool:
    """Whether a person has answered there, as opposed to a calculation."""
    node = element.of.node
    return node is not None and bool(node.control) and element.of.stored and state.answer(element) != ""


def _ordered(elements: Iterable[Element]) -> list[Element]:
    return sorted(elements, key=lambda e: e.of.index)


def open_path(questionnaire: Questionnaire, answers: Answers, context: Context) -> Path:
    """The path for these answers, everything worked out. ``answers`` is not changed.

    Without answers the interview begins: defaults are filled in and ``Path.initial`` says what to store. Answers to
    questions that the questionnaire does not have are left alone: they are not on this path.
    """
    state = State(compiled(questionnaire), context)
    engine = Engine(state)
    with kept_whole():
        if answers:
            resume(engine, answers)
        else:
            begin(engine)
        engine.everything_below(state.root)
        engine.settle()
    return Path(state, fresh=not answers)
