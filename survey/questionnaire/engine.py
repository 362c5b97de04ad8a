"""How one answer carries on to everything that depends on it.

An ``Engine`` works on a copy of a state: it puts an answer, runs what is due in dependency order, then settles: answers
that their filter no longer offers are dropped, counted repeats get as many instances as their count says, and so on
until nothing moves. A state therefore follows from the answers alone.
"""

from __future__ import annotations

import hashlib
import heapq
import math
from collections.abc import Sequence
from typing import Any

from survey.questionnaire import lexical
from survey.questionnaire.form import Trigger
from survey.questionnaire.model import Node, Value
from survey.questionnaire.state import TROUBLE, State
from survey.questionnaire.tree import Definition, Element, Slot, ancestor, below, descendants
from survey.questionnaire.values import Atom, Fault, to_boolean, to_number, to_string
from survey.text import nfc

MOST_INSTANCES = 1000
"""A counted repeat stops here: a count of a million is a slip of the keyboard, and would hold up the page."""


class Engine:
    """Carries changes through one state, which it changes in place."""

    def __init__(self, state: State):
        self.s = state
        self.form = state.form
        self.due: dict[int, dict[Element, None]] = {}
        self.line: list[int] = []
        self.filters: set[Element] = set()
        self.counts: set[Slot] = set()
        self.steps = 0
        self.altered: dict[Element, None] = {}
        # While an interview is taken up again, what people made of editable calculations stands.
        self.resuming = False

    # -- putting values -----------------------------------------------------------------------------------------

    def put(self, element: Element, given: Value | None, value: Atom) -> bool:
        """Puts an answer (``given``, or the value of a calculation) in its place; True if the value changed."""
        s = self.s
        self.altered[element] = None
        old = s.values.get(element, "")
        if given is None or given == "":
            s.given.pop(element, None)
        else:
            s.given[element] = given
        changed = type(old) is not type(value) or old != value
        if value == "":
            s.values.pop(element, None)
        else:
            s.values[element] = value
        if changed:
            self.touch(element.of, element)
        if element.of in self.form.filters:
            self.filters.add(element)
        return changed

    def answer(self, element: Element, given: Value, value: Atom) -> None:
        """A person's answer, or one written by a trigger: it also overwrites editable calculations downstream."""
        changed = self.put(element, given, value)
        self.overwrite(element)
        self.run()
        node = element.of.node
        if changed and node is not None:
            for path, text in node.sets:
                self._write(element, path, text)

    def overwrite(self, element: Element) -> None:
        """Makes the editable calculations that depend on ``element`` due even if nothing they use has changed."""
        for trigger in self.form.standing.get(element.of, ()):
            common = next((d for d in reversed(trigger.of.chain) if d in element.of.chain and d.is_repeat), None)
            top = ancestor(element, common) if common else self.s.root
            if top is not None:
                self._enqueue(trigger, below(top, trigger.of, self.s.instances))

    def _write(self, source: Element, path: str, text: str) -> None:
        """Carries out one ``trigger``: works ``text`` out and answers the question at ``path`` with it."""
        target = self.form.by_path.get(path)
        if target is None or target.node is None:
            return
        common = next((d for d in reversed(target.chain) if d in source.of.chain), None)
        top = ancestor(source, common) if common else None
        found = below(top or self.s.root, target, self.s.instances)
        if len(found) == 1:
            self.set_to(found[0], text, "trigger")

    def set_to(self, element: Element, text: str, kind: str) -> None:
        """Answers a question with the value of an expression (a trigger or a dynamic default)."""
        node = element.of.node
        assert node is not None
        value: Atom = ""
        if text:
            code = self.form.code(element.of, kind, text)
            value = self._worked_out(element, kind, code) if code else ""
        stored = lexical.write(node.data_type, value, self.s.zone)
        self.answer(element, *self.stored(element, stored))

    def stored(self, element: Element, answer: Value, keep: bool = False) -> tuple[Value, Atom]:
        """A stored answer and its value; one that is not of its type is empty, its text kept only if ``keep``."""
        node = element.of.node
        assert node is not None
        try:
            return lexical.read(node, answer, self.s.now, self.s.zone)
        except lexical.NotOfType as error:
            self.s.trouble[element, "value"] = str(error)
            return (answer if keep else ""), ""

    # -- what depends on what ------------------------------------------------------------------------------------

    def touch(self, definition: Definition, element: Element) -> None:
        """Makes due all that uses ``definition``; ``element`` is where it changed."""
        s = self.s
        s.changed[definition] = s.tick
        for trigger, scope in self.form.dependents.get(definition, ()):
            self._enqueue(trigger, self._within(element, scope, trigger.of))
        for target, scope in self.form.filter_dependents.get(definition, ()):
            self.filters.update(self._within(element, scope, target))
        for repeat, scope in self.form.count_dependents.get(definition, ()):
            assert repeat.parent is not None
            for parent in self._within(element, scope if scope is not repeat else None, repeat.parent):
                slot = parent.kids[repeat]
                if isinstance(slot, Slot):
                    self.counts.add(slot)
        s.trouble.pop((element, "value"), None)

    def _within(self, element: Element, scope: Definition | None, target: Definition) -> list[Element]:
        if target.element is not None:
            return [target.element]
        top = ancestor(element, scope) if scope else None
        return below(top if top is not None and scope in target.chain else self.s.root, target, self.s.instances)

    def _enqueue(self, trigger: Trigger, elements: Sequence[Element]) -> None:
        if not elements or (self.resuming and trigger.stands):
            return
        waiting = self.due.get(trigger.order)
        if waiting is None:
            waiting = self.due[trigger.order] = {}
            heapq.heappush(self.line, trigger.order)
        for element in elements:
            waiting[element] = None

    def everything_below(self, element: Element) -> None:
        """Makes due every expression and filter at and below ``element``."""
        for one in descendants(element, self.s.instances):
            for trigger in self.form.by_definition.get(one.of, ()):
                self._enqueue(trigger, (one,))
            if one.of in self.form.filters:
                self.filters.add(one)
            self.counts.update(k for k in one.kids.values() if isinstance(k, Slot) and k.of in self.form.counts)

    # -- running -------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Works out what is due, each expression after those that it uses."""
        limit = 10_000 + 50 * len(self.form.triggers) * (1 + len(self.s.position))
        while self.line:
            order = heapq.heappop(self.line)
            trigger = self.form.triggers[order]
            for element in self.due.pop(order):
                self.steps += 1
                if self.steps > limit:
                    # A circle of expressions that never comes to rest; ``check`` names such circles.
                    self.line.clear()
                    self.due.clear()
                    return
                self._apply(trigger, element)

    def _worked_out(self, element: Element, kind: str, code: Any) -> Atom:
        node = element.of.node
        assert node is not None
        s = self.s
        try:
            value = lexical.wrap(node.data_type, code(s, element, element, None), s.now, s.zone)
        except TROUBLE as error:
            s.trouble[element, kind] = str(error)
            return ""
        if s.trouble:
            s.trouble.pop((element, kind), None)
        return value

    def _apply(self, trigger: Trigger, element: Element) -> None:
        s, kind = self.s, trigger.kind
        if kind == "calculation":
            value = self._worked_out(element, kind, trigger.code)
            old = s.values.get(element, "")
            if type(old) is not type(value) or old != value or element in s.given:
                self.put(element, None, value)
            return
        try:
            outcome = to_boolean(trigger.code(s, element, element, None))
            if s.trouble:
                s.trouble.pop((element, kind), None)
        except TROUBLE as error:
            s.trouble[element, kind] = str(error)
            # Better ask a question too many than hide one.
            outcome = kind == "relevant"
        if kind == "required":
            (s.required.add if outcome else s.required.discard)(element)
        elif kind == "read_only":
            (s.read_only.add if outcome else s.read_only.discard)(element)
        elif outcome is (element in s.off):
            (s.off.discard if outcome else s.off.add)(element)
            self.show(element, element.parent not in s.hidden)

    def show(self, element: Element, parent_shown: bool) -> None:
        """Brings the visibility of ``element`` and all below it in line with its own and its parent's relevance."""
        s = self.s
        shown = parent_shown and element not in s.off
        if shown is (element not in s.hidden):
            return
        (s.hidden.discard if shown else s.hidden.add)(element)
        self.touch(element.of, element)
        if shown and element.of in self.form.filters:
            self.filters.add(element)
        for kid in element.kids.values():
            if isinstance(kid, Element):
                self.show(kid, shown)
            else:
                if shown and kid.of in self.form.counts:
                    self.counts.add(kid)
                for instance in s.instances.get(kid, ()):
                    self.show(instance, shown)

    # -- settling ------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Runs, drops answers that are no longer offered and fits counted repeats, until nothing moves."""
        while True:
            self.run()
            if self.filters:
                waiting = sorted(self.filters, key=lambda e: e.of.index)
                self.filters.clear()
                for i, element in enumerate(waiting):
                    if self._drop(element):
                        self.filters.update(waiting[i + 1 :])
                        break
            elif self.counts:
                slot = min(self.counts, key=lambda one: one.of.index)
                self.counts.discard(slot)
                self._fit(slot)
            else:
                return

    def _drop(self, element: Element) -> bool:
        s = self.s
        value = s.values.get(element, "")
        if value == "" or element in s.hidden:
            return False
        node = element.of.node
        assert node is not None
        offered = s.offered(element)
        if node.is_list:
            chosen = to_string(value).split()
            kept = [c for c in chosen if c in offered]
            if len(kept) == len(chosen):
                return False
            self.put(element, kept or None, " ".join(kept))
        else:
            if to_string(value) in offered:
                return False
            self.put(element, None, "")
        self.overwrite(element)
        return True

    def _fit(self, slot: Slot) -> None:
        s = self.s
        if slot.parent in s.hidden or not self.may_be_asked(slot):
            return
        wanted = self._count(slot)
        while len(s.instances.get(slot, ())) < wanted:
            self.add(slot)
            self.run()
        while len(found := s.instances.get(slot, ())) > wanted:
            self.remove(found[-1])
            self.run()

    def may_be_asked(self, slot: Slot) -> bool:
        """Whether the repeat is relevant, also while it has no instance."""
        for trigger in self.form.by_definition.get(slot.of, ()):
            if trigger.kind == "relevant":
                try:
                    return to_boolean(trigger.code(self.s, slot.ghost, slot.ghost, None))
                except TROUBLE:
                    return True
        return True

    def _count(self, slot: Slot) -> int:
        s = self.s
        found = self.form.counts[slot.of].unfiltered(s, slot.ghost, slot.ghost, None)
        value = to_number(s.values.get(found[0], "")) if found else math.nan
        if math.isnan(value):
            return 0
        if value > MOST_INSTANCES:
            s.trouble[slot.ghost, "repeat_count"] = f"a count of {value:.0f} is too large"
        return int(max(0, min(MOST_INSTANCES, math.floor(value))))

    # -- repeats -------------------------------------------------------------------------------------------------

    def new_id(self, slot: Slot) -> str:
        """An id for a new instance, which stays with it; it follows from interview, place and time."""
        s, taken = self.s, {e.id for e in self.s.instances.get(slot, ())}
        seed = f"{s.interview}\x1f{slot.path}\x1f{s.context.now.isoformat()}\x1f{','.join(sorted(taken))}"
        for attempt in range(10_000):
            found = "r" + hashlib.sha256(f"{seed}\x1f{attempt}".encode()).hexdigest()[: 3 + attempt // 100]
            if found not in taken:
                return found
        raise Fault("no id is left for another instance")

    def build(self, slot: Slot, id: str) -> Element:
        """Puts an empty instance at the end of ``slot``; nothing is worked out."""
        s = self.s
        element = Element(slot.of, slot.parent, id)
        s.instances[slot] = (*s.instances.get(slot, ()), element)
        s.position[element] = len(s.instances[slot])
        if slot.parent in s.hidden:
            s.hidden.update(descendants(element, s.instances))
        return element

    def add(self, slot: Slot) -> Element:
        """A new instance with its defaults, everything in it and all that looks at it due."""
        resuming, self.resuming = self.resuming, False
        element = self.build(slot, self.new_id(slot))
        self.defaults(element)
        for one in list(descendants(element, self.s.instances)):
            node = one.of.node
            if node is not None and node.dynamic_default and not one.kids:
                self.set_to(one, node.dynamic_default, "dynamic_default")
        self.everything_below(element)
        self.touch(slot.of, slot.parent)
        self.resuming = resuming
        return element

    def remove(self, element: Element) -> None:
        """Takes an instance away with all its answers; those after it move up."""
        s, parent = self.s, element.parent
        assert parent is not None
        slot = parent.kids[element.of]
        assert isinstance(slot, Slot)
        for one in list(descendants(element, s.instances)):
            for kept in (s.values, s.given, s.position):
                kept.pop(one, None)
            for flags in (s.hidden, s.off, s.required, s.read_only):
                flags.discard(one)
            self.filters.discard(one)
            for kid in one.kids.values():
                if isinstance(kid, Slot):
                    s.instances.pop(kid, None)
                    self.counts.discard(kid)
            for waiting in self.due.values():
                waiting.pop(one, None)
        s.instances[slot] = tuple(e for e in s.instances[slot] if e is not element)
        for i, other in enumerate(s.instances[slot], 1):
            s.position[other] = i
        self.touch(slot.of, parent)

    def defaults(self, top: Element) -> None:
        """Fixed defaults and what the device knows (start, today …) at and below a new element."""
        for one in descendants(top, self.s.instances):
            node = one.of.node
            if node is None or one.kids:
                continue
            if node.default:
                self.put(one, *self.stored(one, node.default))
            if node.preload:
                self.put(one, None, self.preloaded(node))
            self.fill(one, node)

    def fill(self, element: Element, node: Node) -> None:
        """A hidden question named like a column of the frame gets the sample unit's value."""
        if node.type == "hidden" and node.name in self.s.context.frame:
            text = nfc(self.s.context.frame[node.name])
            self.put(element, *self.stored(element, text))

    def preloaded(self, node: Node) -> Atom:
        """What the device knows: the time, the date, a property."""
        s = self.s
        kind, _, name = node.preload.partition(":")
        if kind == "timestamp":
            return s.now
        if kind == "date":
            return s.now.replace(hour=0, minute=0, second=0, microsecond=0)
        if kind == "uid":
            return f"uuid:{s.interview}" if s.interview else ""
        return s.property(name) if kind == "property" else ""
