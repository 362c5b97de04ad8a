"""What an interview page shows: one section's questions as plain data that templates write down and that can be
compared, so that after an answer only the pieces that changed are sent to the page."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from flask import url_for

from survey.questionnaire.model import Choice
from survey.questionnaire.path import Entry, RepeatEntry, Section
from survey.web import forms, uploads
from survey.web.desk import Open
from survey.web.rail import Step
from survey.web.words import interface, t

Typed = Mapping[str, tuple[list[str], str]]
"""Path to what was typed there and could not be taken, and why."""


def key(path: str) -> str:
    """A path as an HTML id: every character that an id or a selector may stumble over is written as its number."""
    return re.sub(r"[^A-Za-z0-9_-]", lambda found: f"_{ord(found[0]):x}_", path)


@dataclass
class Question:
    """One question as the page shows it."""

    path: str
    key: str
    post: str
    language: str
    type: str
    partial: str
    asks: bool
    shown: bool
    in_grid: bool = False
    label: str = ""
    hint: str = ""
    optional: bool = False
    options: list[forms.Option] = field(default_factory=list)
    missing: list[forms.Option] = field(default_factory=list)
    missing_columns: Sequence[Column] = ()
    value: str = ""
    values: list[str] = field(default_factory=list)
    missing_value: str = ""
    text: str = ""
    words: str = ""
    figures: bool = False
    tall: bool = False
    side: bool = False
    form: str = ""
    typed_codes: bool = False
    find: str = ""
    multiple: bool = False
    picture: str = ""
    sound: str = ""
    video: str = ""
    file: str = ""
    family: str = ""
    moment: bool = False
    read_back: str = ""
    scale: bool = False
    accept: str = ""
    pixels: str = ""
    answered: bool = False
    complaint: str = ""
    tone: str = "look"
    lost: list[str] = field(default_factory=list)
    lost_sentence: str = ""
    unsaved: bool = False
    comment: str = ""
    asked: str = ""
    doubt: str = ""
    kept: str = ""
    private: bool = False
    flagged: bool = False

    @property
    def id(self) -> str:
        """The id of its element on the page."""
        return f"q-{self.key}"

    @property
    def state(self) -> str:
        """How its answer stands, for the stylesheet."""
        return "not" if self.unsaved else "saved" if self.answered else ""

    @property
    def state_word(self) -> str:
        """How its answer stands, in a word: "saved" means that it is on disk."""
        if self.unsaved:
            return t("chưa lưu", "not saved")
        if not (self.answered and self.asks):
            return ""
        return t("đã lưu", "saved") + (f": {self.read_back}" if self.read_back else "")


@dataclass(frozen=True)
class Column:
    """The column of one missing kind in a grid."""

    kind: str

    def of(self, question: Question) -> forms.Option | None:
        """The button of this kind, when the row's question offers it."""
        return next((option for option in question.missing if option.value == self.kind), None)


@dataclass
class Heading:
    """The words above a nested group."""

    path: str
    key: str
    text: str
    shown: bool
    kind: str = "heading"

    @property
    def id(self) -> str:
        """The id of its element on the page."""
        return f"g-{self.key}"


@dataclass
class Instance:
    """The words above one instance of a repeat, and whether it can be taken away."""

    path: str
    text: str
    removable: bool
    kind: str = "instance"


@dataclass
class Add:
    """The button that adds an instance of a repeat."""

    path: str
    text: str
    kind: str = "add"


@dataclass
class Single:
    """One question standing by itself."""

    question: Question
    kind: str = "question"


@dataclass
class Grid:
    """Questions on one scale, one row each."""

    rows: list[Question]
    scale: list[forms.Option]
    columns: int
    kind: str = "grid"


Block = Heading | Instance | Add | Single | Grid


@dataclass
class Sheet:
    """Everything of one section that may change while it is on the page."""

    blocks: list[Block]
    questions: dict[str, Question]
    headings: dict[str, Heading]
    marks: dict[str, object]
    """path -> what a question's view follows from, to know without looking again that it has not changed."""
    steps: Sequence[Step] = ()
    """The list of sections beside it."""

    @property
    def is_through(self) -> bool:
        """Whether a person who stands at the end of the section may go on without looking back: nothing is left open,
        refused or to be explained, and no further instance of a repeat is offered."""
        return not any(isinstance(block, Add) for block in self.blocks) and all(
            (one.answered or one.optional) and not one.unsaved and not one.complaint and (not one.doubt or one.kept)
            for one in self.questions.values()
            if one.shown and one.asks
        )

    @property
    def shape(self) -> list[str]:
        """The order of the blocks' paths: when it changes the whole sheet is sent."""
        return [*self.questions, *self.headings, *(b.path for b in self.blocks if isinstance(b, (Instance, Add)))]


# -- one question ------------------------------------------------------------------------------------------------


def question(opened: Open, entry: Entry, language: str, typed: Typed) -> Question:
    """The question as it stands now."""
    node = entry.node
    kind = forms.kind(node)
    partial = kind.partial
    if partial not in ("note", "unknown") and entry.read_only:
        partial = "shown"
    shown = Question(
        path=entry.path,
        key=key(entry.path),
        post=url_for("interview.answer", interview=opened.draft["interview"]),
        language=language,
        type=node.type,
        partial=partial,
        asks=partial not in ("note", "shown", "unknown"),
        shown=entry.relevant,
    )
    if not entry.relevant:
        return shown
    if entry.path in opened.alone:
        return _told(opened, entry, shown)
    shown.private = node.private and shown.asks
    shown.label = entry.label(language)
    shown.hint = "\n".join(words for words in (entry.hint(language), entry.guidance(language)) if words)
    shown.answered = entry.is_answered
    shown.picture, shown.sound, shown.video = (
        _media(opened, node.media, form, language) for form in ("image", "audio", "video")
    )
    if partial == "shown":
        shown.words = forms.in_words(entry, language)
    if shown.asks:
        shown.comment = opened.comments.get(entry.path, "")
        shown.asked = opened.asked.get(entry.path, "")
        shown.flagged = entry.path in opened.flags
        _fill(shown, opened, entry, language, typed)
    return shown


def _told(opened: Open, entry: Entry, shown: Question) -> Question:
    """A question that the respondent answered alone: that there is an answer, and no word more. Of several in a section
    one line stands for all: which of them were asked would tell what was answered."""
    first = next(one.path for one in entry.section.entries if one.path in opened.alone and one.relevant)
    shown.partial, shown.asks, shown.shown = "told", False, entry.path == first
    shown.label = t("Người dân đã tự trả lời phần hỏi riêng.", "The person has answered the private part alone.")
    return shown


def _fill(shown: Question, opened: Open, entry: Entry, language: str, typed: Typed) -> None:
    """What is needed to answer: buttons, boxes, the answer that stands, what is wrong with it."""
    node, value = entry.node, entry.value
    shown.optional = not entry.required
    shown.missing = forms.missing_options(node.missing, interface())
    shown.missing_value = value.get("missing", "") if isinstance(value, dict) else ""
    shown.value = value if isinstance(value, str) else ""
    shown.values = value if isinstance(value, list) else []
    shown.text = forms.written(node, value)
    shown.figures = node.type in forms.FIGURES
    shown.tall = node.type in forms.TALL or (node.type == "text" and "multiline" in node.appearance)
    shown.moment = node.type in forms.MOMENTS
    shown.form = forms.placeholder(node)(interface())
    shown.read_back = forms.read_back(node, value, interface())
    if shown.partial in ("choices", "ticks") and forms.finds(node, len(offered := entry.choices())):
        _finder(shown, opened, entry, {choice.name: choice for choice in offered}, language)
    elif shown.partial == "file":
        _file(shown, opened, entry)
    elif shown.partial != "box":
        shown.options = forms.options(entry, language)
        if opened.questionnaire.media:
            shown.options = _with_media(opened, entry, shown.options, language)
        shown.typed_codes = any(len(option.key) > 1 for option in shown.options)
        shown.side = node.type == "range" or any(
            word in node.appearance for word in ("horizontal", "likert", "columns")
        )
        shown.scale = "likert" in node.appearance and 2 <= len(shown.options) <= forms.GRID_COLUMNS
    if node.soft_constraint and entry.doubtful:
        shown.doubt, shown.kept = entry.doubt(language), opened.reasons.get(entry.path, "")
    if shown.answered and not entry.valid:
        shown.complaint, shown.tone = entry.message(language), "look"
    if entry.path in typed:
        values, complaint = typed[entry.path]
        shown.text = shown.value = values[0] if values else ""
        shown.values = values
        shown.complaint, shown.tone, shown.unsaved = complaint, "stop", True


def _media(opened: Open, media: Mapping[str, Mapping[str, str]], form: str, language: str) -> str:
    """The address of a question's or choice's picture or recording in this language; empty when it has none here."""
    texts = media.get(form, {})
    name = texts.get(language) or texts.get(opened.questionnaire.default_language) or next(iter(texts.values()), "")
    if name not in opened.questionnaire.media:
        return ""
    return url_for("media.shown", interview=opened.draft["interview"], name=name)


def _with_media(opened: Open, entry: Entry, options: list[forms.Option], language: str) -> list[forms.Option]:
    """The buttons with the pictures and recordings of their choices."""
    media = {choice.name: choice.media for choice in entry.choices() if choice.media}
    return [
        replace(
            option,
            picture=_media(opened, media[option.value], "image", language),
            sound=_media(opened, media[option.value], "audio", language),
        )
        if option.value in media
        else option
        for option in options
    ]


def _file(shown: Question, opened: Open, entry: Entry) -> None:
    """A question answered by a file: where the file that stands is shown from, and what may be chosen."""
    kind = entry.node.type
    shown.accept = "" if kind == "file" else f"{kind}/*"
    shown.pixels = entry.node.parameters.get("max-pixels", "2048") if kind == "image" else ""
    if shown.value:
        interview = opened.draft["interview"]
        shown.file = url_for("media.answer", interview=interview, question=entry.path, name=shown.value)
        shown.family = uploads.by_name(shown.value).family


def _finder(shown: Question, opened: Open, entry: Entry, offered: Mapping[str, Choice], language: str) -> None:
    """A box that searches a long list: of its options only those chosen are on the page."""
    shown.partial, shown.multiple = "finder", entry.node.is_list
    shown.find = url_for("finding.choices", interview=opened.draft["interview"], question=entry.path)
    chosen = [offered[name] for name in (shown.values or [shown.value]) if name in offered]
    shown.options = [forms.Option(one.name, "", entry.choice_label(one, language)) for one in chosen]
    if not shown.multiple:
        shown.words = shown.options[0].label if shown.options else ""


def _mark(opened: Open, entry: Entry, language: str, typed: Typed) -> tuple[object, ...]:
    """Everything that a question's view follows from."""
    path = entry.path
    stands = (entry.relevant, entry.value, entry.required, entry.read_only, entry.seen_change, typed.get(path))
    said = (opened.comments.get(path, ""), path in opened.flags, opened.reasons.get(path, ""))
    return (*stands, *said, opened.alone, language, interface())


# -- one section -------------------------------------------------------------------------------------------------


class _Builder:
    """Lays one section out as blocks, in document order."""

    def __init__(self, opened: Open, section: Section, language: str, typed: Typed, before: Sheet | None):
        self.opened = opened
        self.section = section
        self.language = language
        self.typed = typed
        self.before = before
        self.built = Sheet([], {}, {}, {})
        self.run: list[Entry] = []
        self.seen: set[str] = set()
        top = section.path.partition("/")[0]
        self.adds = [
            repeat
            for repeat in opened.path.repeats
            if section.node is not None
            and re.split(r"[/\[]", repeat.path)[0] == top
            and repeat.relevant
            and not repeat.counted
        ]

    def build(self) -> Sheet:
        for entry in self.section.seen:
            if "[]" in entry.path:
                continue  # the place of a repeat that has no instance yet
            self._close_repeats(entry)
            self.seen.add(entry.path)
            if entry.kind == "question":
                self._question(entry)
            elif entry.kind == "repeat":
                self._end_run()
                self._instance(entry)
            elif entry.node is not self.section.node:
                self._end_run()
                self._heading(entry)
        self._end_run()
        for repeat in self._inner_first():
            self._add(repeat)
        return self.built

    def _question(self, entry: Entry) -> None:
        if self.run and not forms.battery([self.run[0], entry]):
            self._end_run()
        self.run.append(entry)

    def _end_run(self) -> None:
        """Puts down the questions gathered so far: as a grid when they are several on one short scale."""
        run, self.run = self.run, []
        if forms.grid(run):
            self.built.blocks.append(self._grid(run))
        else:
            self.built.blocks.extend(Single(self._view(entry)) for entry in run)

    def _view(self, entry: Entry, grid: bool = False) -> Question:
        mark = _mark(self.opened, entry, self.language, self.typed)
        if self.before is not None and self.before.marks.get(entry.path) == mark:
            found = self.before.questions[entry.path]
        else:
            found = question(self.opened, entry, self.language, self.typed)
            found.in_grid = grid
        self.built.marks[entry.path] = mark
        self.built.questions[entry.path] = found
        return found

    def _grid(self, entries: list[Entry]) -> Grid:
        rows = [self._view(entry, grid=True) for entry in entries]
        kinds = [kind for kind in forms.MISSING_KEYS if any(kind in entry.node.missing for entry in entries)]
        for row in rows:
            row.missing_columns = tuple(map(Column, kinds))
        scale = [*forms.options(entries[0], self.language), *forms.missing_options(kinds, interface())]
        return Grid(rows, scale, len(scale))

    def _heading(self, entry: Entry) -> None:
        words = entry.label(self.language) if entry.relevant else ""
        heading = Heading(entry.path, key(entry.path), words, bool(words))
        self.built.headings[entry.path] = heading
        self.built.blocks.append(heading)

    def _instance(self, entry: Entry) -> None:
        words = entry.label(self.language)
        removable = any(entry.path.startswith(repeat.path + "[") for repeat in self.adds)
        if entry.relevant:
            self.built.blocks.append(Instance(entry.path, f"{words} {entry.position}".strip(), removable))

    def _close_repeats(self, entry: Entry) -> None:
        """Before ``entry``, the button that adds an instance to every repeat that ends here."""
        definitions = self.opened.path.form.by_path
        for repeat in self._inner_first():
            parent = repeat.path.rpartition("/")[0]
            if entry.path.startswith(repeat.path + "[") or (parent and parent not in self.seen):
                continue
            has_left = bool(parent) and not entry.path.startswith(parent + "/")
            if has_left or entry.element.of.index > definitions[repeat.node.path].index:
                self._end_run()
                self._add(repeat)
                self.adds.remove(repeat)

    def _inner_first(self) -> list[RepeatEntry]:
        """The repeats in the order in which they end: one inside another ends before it."""
        ended: list[RepeatEntry] = []
        around: list[RepeatEntry] = []
        for repeat in self.adds:
            while around and not repeat.path.startswith(around[-1].path + "["):
                ended.append(around.pop())
            around.append(repeat)
        return [*ended, *reversed(around)]

    def _add(self, repeat: RepeatEntry) -> None:
        words = self.opened.path.words(repeat.place, repeat.node.label, self.language)
        self.built.blocks.append(Add(repeat.path, words or repeat.node.name))


def sheet(opened: Open, section: Section, language: str, typed: Typed, before: Sheet | None = None) -> Sheet:
    """The section as it stands now. Questions of which nothing changed are taken over from ``before`` as they are."""
    return _Builder(opened, section, language, typed, before).build()


def changed(before: Sheet, after: Sheet, answered: str = "") -> tuple[list[Question], list[Heading]]:
    """The pieces of the page that are no longer right. Of the question just answered only what is not its answer
    counts: the page shows that already, and what is being typed must stay in its box."""
    questions = [
        now
        for path, now in after.questions.items()
        if (old := before.questions[path]) is not now
        and (_but_answer(old) != _but_answer(now) if path == answered else old != now)
    ]
    return questions, [now for path, now in after.headings.items() if before.headings[path] != now]


def _but_answer(question: Question) -> Question:
    return replace(
        question,
        value="",
        values=[],
        missing_value="",
        text="",
        words="",
        options=[] if question.partial == "finder" else question.options,
        answered=False,
        complaint="",
        doubt="",
        kept="",
        tone="",
        unsaved=False,
    )


def lost_words(lost: Iterable[Entry], language: str, alone: Collection[str] = ()) -> tuple[str, list[str]]:
    """A sentence about the answers that would no longer be used, and the questions they belong to."""
    entries = list(lost)
    sections = list(dict.fromkeys(entry.section.label(language) for entry in entries))
    where = f" {t('ở mục', 'in')} “{sections[0]}”" if len(sections) == 1 else ""
    sentence = t(
        f"Đổi câu này thì {len(entries)} câu trả lời{where} sẽ không dùng nữa. Nếu sau này đổi lại, chúng sẽ trở lại.",
        f"With this change {len(entries)} answer(s){where} will no longer be used. If it is changed back, they return.",
    )
    told = t("đã trả lời", "answered")
    shown = [
        f"{entry.label(language)} – {told if entry.path in alone else forms.in_words(entry, language)}"
        for entry in entries[:6]
    ]
    if len(entries) > 6:
        shown.append(t(f"và {len(entries) - 6} câu khác", f"and {len(entries) - 6} more"))
    return sentence, shown
