"""What an index sheet must fulfil as a whole: its tree, and its leaves against the questions they score."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from survey.text import Text

if TYPE_CHECKING:
    from survey.questionnaire.index_sheet import IndexNode, Score

NONE = Text("", "")


class Checks:
    """The checks of the nodes of one sheet. ``told`` are the cells (row, column) already complained of."""

    def __init__(
        self, complain: Callable[[int, str, Text, Text], None], questions: Mapping[str, Any], lists: Mapping[str, Any]
    ):
        self._complain = complain
        self.questions, self.lists = questions, lists

    def complain(self, row: int, column: str, what: Text, todo: Text = NONE) -> None:
        self._complain(row, column, what, todo)

    def check(self, nodes: Sequence[IndexNode], told: Iterable[tuple[int, str]] = ()) -> None:
        """Reports everything that is wrong with the tree and with each leaf."""
        self.told = set(told)
        self.check_tree(nodes)
        parents = {parent for node in nodes for parent in node.parents}
        for node in nodes:
            self.check_leaf(node, has_children=node.code in parents)

    def check_tree(self, nodes: Sequence[IndexNode]) -> None:
        rows: dict[str, int] = {}
        for node in nodes:
            first = rows.setdefault(node.code, node.row)
            if first != node.row and node.code:
                self.complain(
                    node.row,
                    "code",
                    Text(f"mã “{node.code}” đã có ở dòng {first}", f"code '{node.code}' already stands in row {first}"),
                    Text("mỗi mã chỉ dùng một lần", "use each code once"),
                )
        by_code = {node.code: node for node in nodes}
        for node in nodes:
            for parent in node.parents:
                if parent not in by_code:
                    self.complain(
                        node.row,
                        "parent",
                        Text(f"không có mã cấp trên “{parent}”", f"there is no node with the code '{parent}'"),
                        did_you_mean(parent, by_code),
                    )
                elif node.share is None and by_code[parent].combine == "share":
                    self.complain(
                        node.row,
                        "share",
                        Text(
                            f"“{parent}” cộng theo hệ số nhưng dòng này không có hệ số",
                            f"'{parent}' combines by share but this row has none",
                        ),
                        Text("ghi hệ số; 0 nếu không tính", "write the share; 0 if it does not count"),
                    )
            if _own_ancestor(node.code, by_code):
                self.complain(
                    node.row,
                    "parent",
                    Text(f"“{node.code}” nằm dưới chính nó", f"'{node.code}' stands below itself"),
                    Text("sửa mã cấp trên", "correct the parent code"),
                )

    def check_leaf(self, node: IndexNode, *, has_children: bool) -> None:
        if node.to is not None and node.from_ is None:
            self.complain(
                node.row, "from", Text("có `to` nhưng không có `from`", "there is a `to` but no `from` to rescale")
            )
        if not node.question:
            if node.score is not None:
                self.complain(
                    node.row, "question", Text("có cách tính điểm nhưng không có câu hỏi", "a score without a question")
                )
            if not has_children and self.questions:
                self.complain(
                    node.row,
                    "question",
                    Text(
                        f"“{node.code}” không có câu hỏi và cũng không có mục con",
                        f"'{node.code}' has neither a question nor children",
                    ),
                    Text("ghi câu hỏi, hoặc bỏ dòng này", "name its question or remove the row"),
                )
            return
        if has_children:
            self.complain(
                node.row,
                "question",
                Text(
                    f"“{node.code}” vừa có câu hỏi vừa có mục con",
                    f"'{node.code}' has both a question and children",
                ),
                Text("thêm một dòng riêng cho câu hỏi", "give the question a row of its own"),
            )
        if node.score is None:
            if (node.row, "score") not in self.told:
                self.complain(
                    node.row,
                    "score",
                    Text("câu hỏi này chưa có cách tính điểm", "the question has no scoring rule"),
                    Text("ghi ví dụ “4 5” hoặc “linear”", "write for example '4 5' or 'linear'"),
                )
            return
        if self.questions:
            self.check_question(node, node.score)

    def check_question(self, node: IndexNode, score: Score) -> None:
        question = self.questions.get(node.question)
        if question is None:
            self.complain(
                node.row,
                "question",
                Text(f"không có câu hỏi “{node.question}”", f"there is no question '{node.question}'"),
                did_you_mean(node.question, self.questions),
            )
            return
        kind = str(question.type).partition(" ")[0]
        if (kind == "select_multiple") != (score.kind in ("any", "count")):
            self.complain(
                node.row,
                "score",
                Text(f"cách tính này không hợp với câu hỏi kiểu {kind}", f"the rule does not suit a {kind} question"),
                Text(
                    "`any 1 2` và `count` chỉ dùng cho câu chọn nhiều",
                    "`any 1 2` and `count` are for select_multiple, and it takes no other",
                ),
            )
            return
        choices = [c.name for c in self.lists.get(question.list_name, ()) if not c.missing_kind]
        if not question.list_name or not choices:
            return
        unknown = [answer for answer, _ in score.values if answer not in choices]
        if unknown:
            self.complain(
                node.row,
                "score",
                Text(
                    f"danh sách {question.list_name} không có lựa chọn {', '.join(unknown)}",
                    f"list {question.list_name} has no choice {', '.join(unknown)}",
                ),
                did_you_mean(unknown[0], choices),
            )
        scored = {answer for answer, _ in score.values}
        unlisted = {
            "map": [choice for choice in choices if choice not in scored],
            "linear": [choice for choice in choices if not _is_number(choice)],
        }.get(score.kind, [])
        if unlisted:
            self.complain(
                node.row,
                "score",
                Text(
                    f"lựa chọn {', '.join(unlisted)} không có điểm",
                    f"the rule gives no number to {', '.join(unlisted)}",
                ),
                Text("ghi điểm cho mọi lựa chọn", "give every choice its number"),
            )


def questions(nodes: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """Every question that is answered once per person, by path and by name."""
    for node in nodes:
        if node.kind == "question":
            yield node.path, node
            yield node.name, node
        elif node.kind == "group":
            yield from questions(node.children)


def _own_ancestor(code: str, by_code: Mapping[str, IndexNode]) -> bool:
    seen: set[str] = set()
    waiting = list(by_code[code].parents)
    while waiting:
        parent = waiting.pop()
        if parent == code:
            return True
        if parent in by_code and parent not in seen:
            seen.add(parent)
            waiting += by_code[parent].parents
    return False


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def did_you_mean(word: str, known: Iterable[str]) -> Text:
    """The known word nearest to ``word``, as what to do."""
    close = get_close_matches(word, list(known), 1)
    if not close:
        return Text("kiểm tra lại cách viết", "check the spelling")
    return Text(f"có phải là “{close[0]}” không?", f"did you mean '{close[0]}'?")
