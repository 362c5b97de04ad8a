"""Two versions of a questionnaire: what changed, and whether answers to both still go into one data set.

*Compatible* is what leaves the meaning of every stored answer alone: words, added questions and choices, order. Not
compatible is what changes it: another type or list, a question or code that is gone or means something else, other
missing kinds, another calculation, whoever is asked something else, another leaf of the index. Whether new words still
mean the same nobody can compute: words that are very different are pointed out, and a question that is gone and one
that is new and reads alike are pointed out as perhaps renamed. Neither decides anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from survey.questionnaire import compare_index
from survey.questionnaire.matching import Matching, ancestors, by_names, offered, recoded, repeats
from survey.questionnaire.model import MISSING, Node, Questionnaire
from survey.text import Text, fold

ALIKE = 0.8
"""From this similarity of their words on, a question that is gone and a new one are shown as perhaps renamed."""

UNLIKE = 0.5
"""Below this similarity the words of one question are shown as perhaps another question."""


@dataclass(frozen=True)
class Difference:
    """One thing that changed: its kind (a word for programs), the question or code, its row in either version's sheet
    (0 where it has none), the sentence, and what may help a person to judge it."""

    kind: str
    compatible: bool
    sheet: str
    name: str
    old_row: int
    new_row: int
    what: Text
    remark: Text = Text("", "")

    def __call__(self, language: str) -> str:
        """``name (sheet survey, row 12 → 14): what; remark`` in one line."""
        rows = [str(row) if row else "–" for row in (self.old_row, self.new_row)]
        row = Text("dòng", "row")(language)
        where = f"{self.sheet}, {row} {' → '.join(rows)}" if self.old_row or self.new_row else self.sheet
        remark = self.remark(language)
        return f"{self.name} ({where}): {self.what(language)}" + (f"; {remark}" if remark else "")


def compare(old: Questionnaire, new: Questionnaire) -> list[Difference]:
    """Everything that differs between two versions, what is not compatible first, each in the order of the sheets."""
    matching = Matching(old, new)
    found = [
        *_settings(old, new),
        *_removed(matching),
        *_changed(matching),
        *_lists(matching),
        *_added(matching),
        *_order(matching),
        *(Difference(*row) for row in compare_index.differences(old, new)),
    ]
    return sorted(found, key=lambda difference: difference.compatible)


# -- the whole -----------------------------------------------------------------------------------------------------


def _settings(old: Questionnaire, new: Questionnaire) -> Iterator[Difference]:
    if old.id != new.id:
        yield _whole(
            "id",
            Text(f"mã bảng hỏi khác nhau: «{old.id}» và «{new.id}»", f"the form ids differ: “{old.id}” and “{new.id}”"),
        )
    if old.title != new.title:
        yield _whole("title", Text("tên bảng hỏi khác", "the title is another one"))
    for code in sorted(old.languages.keys() - new.languages.keys()):
        yield _whole("language", Text(f"không còn ngôn ngữ «{code}»", f"the language “{code}” is gone"))
    for code in sorted(new.languages.keys() - old.languages.keys()):
        yield _whole("language", Text(f"thêm ngôn ngữ «{code}»", f"the language “{code}” is added"))


def _whole(kind: str, what: Text) -> Difference:
    return Difference(kind, True, "settings", "settings", 0, 0, what)


# -- questions that came and went ----------------------------------------------------------------------------------


def _removed(matching: Matching) -> Iterator[Difference]:
    for node in matching.removed:
        if node.kind != "question":
            repeat = node.kind == "repeat"
            what = Text("nhóm lặp bị bỏ", "the repeat is gone") if repeat else Text("nhóm bị bỏ", "the group is gone")
            yield _at("group_removed", not repeat, node, None, what)
        elif node.type == "note":
            yield _at("note_removed", True, node, None, Text("lời dẫn bị bỏ", "the note is gone"))
        else:
            what = Text("câu hỏi bị bỏ", "the question is gone")
            yield _at("question_removed", False, node, None, what, _renamed(node, matching.added))


def _renamed(node: Node, added: list[Node]) -> Text:
    """A question among ``added`` that reads like ``node`` and is of its type, in words; empty when there is none."""
    likely = [(_similarity(node.label, one.label), one.name) for one in added if one.type == node.type]
    share, name = max(likely, default=(0.0, ""))
    if share < ALIKE:
        return Text("", "")
    return Text(f"có thể đã đổi tên thành «{name}»?", f"perhaps renamed to “{name}”?")


def _added(matching: Matching) -> Iterator[Difference]:
    for node in matching.added:
        what = {
            "group": Text("nhóm mới", "a new group"),
            "repeat": Text("nhóm lặp mới", "a new repeat"),
        }.get(node.kind, Text("câu hỏi mới", "a new question"))
        if node.type == "note":
            what = Text("lời dẫn mới", "a new note")
        yield _at("question_added" if node.kind == "question" else "group_added", True, None, node, what)


# -- questions that are in both ------------------------------------------------------------------------------------


def _changed(matching: Matching) -> Iterator[Difference]:
    for path, now in matching.pairs.items():
        was = matching.old.by_path[path]
        yield from _shape(matching, was, now)
        yield from _rules(matching, was, now)
        yield from _missing(was, now)
        yield from _words(was, now)


def _shape(matching: Matching, was: Node, now: Node) -> Iterator[Difference]:
    if was.kind == "question" and was.type != now.type:
        what = Text(f"loại câu đổi từ «{was.type}» thành «{now.type}»", f"the type was “{was.type}”, is “{now.type}”")
        yield _at("type", False, was, now, what)
    before, after = repeats(matching.old, was), repeats(matching.new, now)
    if before != after:
        what = Text("không còn ở cùng nhóm lặp", "it no longer stands in the same repeat")
        yield _at("repeat", False, was, now, what)
    elif was.path != now.path:
        what = Text(f"chuyển từ «{was.path}» sang «{now.path}»", f"moved from “{was.path}” to “{now.path}”")
        yield _at("moved", True, was, now, what)
    if was.contact != now.contact:
        what = (
            Text("nay là thông tin liên hệ, lưu riêng", "it is contact information now and kept apart")
            if now.contact
            else Text("không còn là thông tin liên hệ", "it is no longer contact information")
        )
        yield _at("contact", False, was, now, what)


_RULES: tuple[tuple[str, Text], ...] = (
    ("relevant", Text("thay đổi người được hỏi (relevant)", "changes who is asked (relevant)")),
    ("repeat_count", Text("thay đổi số lần hỏi (repeat_count)", "changes how often it is asked (repeat_count)")),
    ("calculation", Text("thay đổi cách tính (calculation)", "changes how it is worked out (calculation)")),
    ("constraint", Text("thay đổi câu trả lời được nhận (constraint)", "changes which answers are taken (constraint)")),
    ("sets", Text("thay đổi câu mà câu này ghi giá trị (trigger)", "changes what an answer here writes (trigger)")),
    ("choice_filter", Text("thay đổi phương án được đưa ra (choice_filter)", "changes which choices are offered")),
    ("read_only", Text("thay đổi việc ai được trả lời (readonly)", "changes whether it can be answered (readonly)")),
)


def _rules(matching: Matching, was: Node, now: Node) -> Iterator[Difference]:
    for column, what in _RULES:
        before, after = _expression(matching.old, was, column), _expression(matching.new, now, column)
        if before != after:
            yield _at(column, False, was, now, what, _both(before, after))
    if was.kind == "question" and _own_section(matching, was, now):
        outer, outer_now = _sections(matching.old, was), _sections(matching.new, now)
        if outer != outer_now:
            what = Text("thay đổi người được hỏi (nhóm mới)", "changes who is asked (by its new group)")
            yield _at("relevant", False, was, now, what, _both(" and ".join(outer), " and ".join(outer_now)))
    before_limits, after_limits = _limits(was), _limits(now)
    if before_limits != after_limits and now.type == was.type == "range":
        what = Text("thay đổi khoảng giá trị (parameters)", "changes the range (parameters)")
        yield _at("parameters", False, was, now, what)
    for column, what in (
        ("required", Text("thay đổi việc bắt buộc trả lời", "changes whether an answer is required")),
        ("default", Text("giá trị đặt sẵn khác", "another default")),
        ("dynamic_default", Text("giá trị đặt sẵn khác", "another default")),
        ("appearance", Text("cách trình bày khác", "it looks different")),
    ):
        if _expression(matching.old, was, column) != _expression(matching.new, now, column):
            yield _at(column, True, was, now, what)


def _expression(questionnaire: Questionnaire, node: Node, column: str) -> str:
    value = getattr(node, column)
    text = value if isinstance(value, str) else " ".join(part for pair in value for part in pair)
    return by_names(questionnaire, text)


def _both(before: str, after: str) -> Text:
    return Text(f"«{before}» → «{after}»", f"“{before}” → “{after}”")


def _own_section(matching: Matching, was: Node, now: Node) -> bool:
    """Whether a question stands in other groups than before: then no group of its tells that who is asked changed."""
    pairs = [matching.pairs.get(group.path) for group in ancestors(matching.old, was)]
    return pairs != ancestors(matching.new, now)


def _sections(questionnaire: Questionnaire, node: Node) -> list[str]:
    return [by_names(questionnaire, group.relevant) for group in ancestors(questionnaire, node) if group.relevant]


def _limits(node: Node) -> list[str | None]:
    return [node.parameters.get(name) for name in ("start", "end", "step")]


def _missing(was: Node, now: Node) -> Iterator[Difference]:
    gone = [MISSING[kind] for kind in was.missing if kind not in now.missing and kind in MISSING]
    come = [MISSING[kind] for kind in now.missing if kind not in was.missing and kind in MISSING]
    if gone:
        yield _at("missing", False, was, now, _listed(Text("không còn ô", "no longer offers"), gone))
    if come:
        yield _at("missing", False, was, now, _listed(Text("thêm ô", "now offers"), come))
    if was.missing_codes != now.missing_codes:
        what = Text("mã của các loại thiếu đổi (missing_codes)", "other codes stand for missing kinds (missing_codes)")
        yield _at("missing", False, was, now, what)


def _listed(head: Text, kinds: list[Text]) -> Text:
    return Text(
        f"{head.vi} «{'», «'.join(kind.vi for kind in kinds)}»",
        f"{head.en} “{'”, “'.join(kind.en for kind in kinds)}”",
    )


_WORDS = (
    *("label", "hint", "guidance", "constraint_message", "required_message", "media"),
    *("soft_constraint", "soft_message"),
)


def _words(was: Node, now: Node) -> Iterator[Difference]:
    if was.label != now.label:
        share = _similarity(was.label, now.label)
        remark = Text("", "")
        if was.label and now.label and share < UNLIKE:
            remark = Text(
                "lời rất khác, xem lại có còn là câu ấy không",
                "the words are very different: see whether it is still that question",
            )
        yield _at("label", True, was, now, Text("lời câu hỏi đổi", "its words changed"), remark)
    if any(getattr(was, column) != getattr(now, column) for column in _WORDS[1:]):
        yield _at("hint", True, was, now, Text("lời hướng dẫn đổi", "its hints or messages changed"))


# -- choices -------------------------------------------------------------------------------------------------------


def _lists(matching: Matching) -> Iterator[Difference]:
    """Differences between choice lists, told once for all questions on the same pair of lists."""
    users: dict[tuple[str, str], list[tuple[Node, Node]]] = {}
    for path, now in matching.pairs.items():
        was = matching.old.by_path[path]
        if was.list_name and now.list_name:
            users.setdefault((was.list_name, now.list_name), []).append((was, now))
    for (_, name), both in users.items():
        was, now = both[0]
        before, after = offered(matching.old, was), offered(matching.new, now)
        asked = was.name if len(both) == 1 else f"{was.name} (+{len(both) - 1})"
        for kind, compatible, what in _choices(before, after):
            yield Difference(kind, compatible, "survey", f"{asked}, {name}", was.row, now.row, what)
        kinds = [
            {choice.name: choice.missing_kind for choice in side.lists.get(node.list_name, ()) if choice.missing_kind}
            for side, node in ((matching.old, was), (matching.new, now))
        ]
        if any(kinds[0].get(code, "") != kinds[1].get(code, "") for code in before.keys() & after.keys()):
            what = Text("phương án được xếp loại thiếu khác", "choices are typed as other missing kinds")
            yield Difference("missing", False, "survey", f"{asked}, {name}", was.row, now.row, what)


def _choices(
    before: Mapping[str, Mapping[str, str]], after: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[str, bool, Text]]:
    moved = recoded(before, after)
    for code, now in moved.items():
        vi, en = _word(before[code])
        yield (
            "choice_recoded",
            False,
            Text(f"phương án «{vi}» đổi mã từ {code} thành {now}", f"the choice “{en}” was {code}, is {now}"),
        )
    for code, label in before.items():
        vi, en = _word(label)
        if code in moved:
            continue
        if code not in after:
            yield "choice_removed", False, Text(f"bỏ phương án {code} ({vi})", f"the choice {code} ({en}) is gone")
        elif code in moved.values():
            what = Text(f"mã {code} ({vi}) nay mang nghĩa khác", f"the code {code} ({en}) has another meaning now")
            yield "choice_recoded", False, what
        elif label != after[code]:
            now_vi, now_en = _word(after[code])
            what = Text(
                f"lời của phương án {code} đổi: {vi} → {now_vi}", f"the choice {code} has new words: {en} → {now_en}"
            )
            yield "choice_label", True, what
    for code, label in after.items():
        if code not in before and code not in moved.values():
            vi, en = _word(label)
            yield "choice_added", True, Text(f"thêm phương án {code} ({vi})", f"a new choice {code} ({en})")
    common = [code for code in before if code in after]
    if common != [code for code in after if code in before]:
        yield "choice_order", True, Text("thứ tự phương án đổi", "the choices stand in another order")


def _word(label: Mapping[str, str]) -> Text:
    other = next((words for words in label.values() if words), "")
    return Text(label.get("vi") or other, label.get("en") or other)


# -- order ---------------------------------------------------------------------------------------------------------


def _order(matching: Matching) -> Iterator[Difference]:
    """The questions that stand elsewhere than their neighbours, by the longest order that both versions share."""
    came_from = {
        matching.pairs[was.path].path: was for was in matching.old.walk() if was.control and was.path in matching.pairs
    }
    before = list(came_from)
    after = [node.path for node in matching.new.walk() if node.path in came_from]
    for step, start, end, _, _ in SequenceMatcher(None, after, before, autojunk=False).get_opcodes():
        if step in ("delete", "replace"):
            for path in after[start:end]:
                what = Text("đứng ở chỗ khác trong thứ tự hỏi", "it is asked at another place")
                yield _at("order", True, came_from[path], matching.new.by_path[path], what)


# -- inside --------------------------------------------------------------------------------------------------------


def _at(
    kind: str, compatible: bool, was: Node | None, now: Node | None, what: Text, remark: Text = Text("", "")
) -> Difference:
    node = now or was
    assert node is not None
    return Difference(kind, compatible, "survey", node.name, was.row if was else 0, now.row if now else 0, what, remark)


def _similarity(one: Mapping[str, str], other: Mapping[str, str]) -> float:
    """How alike the words are, 0 to 1, in the language in which they are most alike."""
    return max(
        (
            SequenceMatcher(None, fold(one[language]), fold(other[language]), autojunk=False).ratio()
            for language in one.keys() & other.keys()
        ),
        default=0.0,
    )
