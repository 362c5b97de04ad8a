"""One question as an interview page shows it: plain data that a template writes down and that can be compared."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from flask import url_for

from survey.questionnaire.model import Choice
from survey.questionnaire.path import Entry
from survey.text import many, plural
from survey.web import forms, uploads
from survey.web.desk import Open
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
    shown.figures = forms.takes_figures(node)
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


def mark(opened: Open, entry: Entry, language: str, typed: Typed) -> tuple[object, ...]:
    """Everything that a question's view follows from."""
    path = entry.path
    stands = (entry.relevant, entry.value, entry.required, entry.read_only, entry.seen_change, typed.get(path))
    said = (opened.comments.get(path, ""), path in opened.flags, opened.reasons.get(path, ""))
    return (*stands, *said, opened.asked.get(path, ""), opened.alone, language, interface())


def but_answer(question: Question) -> Question:
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
        f"With this change {many(len(entries), 'answer')}{where} will no longer be used. "
        f"If it is changed back, {plural(len(entries), 'it returns', 'they return')}.",
    )
    told = t("đã trả lời", "answered")
    shown = [
        f"{entry.label(language)} – {told if entry.path in alone else forms.in_words(entry, language)}"
        for entry in entries[:6]
    ]
    if len(entries) > 6:
        shown.append(t(f"và {len(entries) - 6} câu khác", f"and {len(entries) - 6} more"))
    return sentence, shown
