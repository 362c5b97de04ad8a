"""What is wrong with a questionnaire, said in words with sheet, row and column; all of it at once.

Errors keep a questionnaire from being used; remarks are worth a look.
"""

from __future__ import annotations

import re

from survey.errors import Problem
from survey.questionnaire.form import Form, compiled, cycle_words
from survey.questionnaire.model import Node, Questionnaire, shown_media
from survey.questionnaire.sheet_rules import Rules
from survey.questionnaire.sheets import Book
from survey.questionnaire.tree import Definition
from survey.text import Text

LARGEST_MEDIA = 5 << 20
"""Bytes of one picture or recording of a questionnaire above which ``check`` says so."""

_COLUMNS = {"calculation": "calculation", "dynamic_default": "default", "read_only": "readonly", "trigger": "trigger"}

_PYXFORM: tuple[tuple[str, str], ...] = (
    (r"Question with no type", "dòng này có tên hoặc nhãn nhưng không có loại câu hỏi"),
    (r"Question or group with no name", "câu hỏi hoặc nhóm này không có tên"),
    (r"Missing calculation", "câu calculate này không có biểu thức tính"),
    (r"no label or hint", "câu hỏi này không có nhãn lẫn hướng dẫn"),
    (r"must be unique within their nearest parent", "tên câu hỏi trùng nhau trong cùng một nhóm"),
    (r"Repeat names must", "tên nhóm lặp không được trùng trong cả bảng hỏi"),
    (
        r"The name '?(?P<x>[^']*)'? appears more than once",
        "tên «{x}» có nhiều câu dùng, nên ${{{x}}} không rõ là câu nào",
    ),
    (r"Could not find the name '?(?P<x>[^']*)'?", "không có câu hỏi tên «{x}»"),
    (r"Unmatched 'end_(?P<x>\w+)'", "có end_{x} mà không có begin_{x} trước đó"),
    (r"Unmatched 'begin_(?P<x>\w+)'", "có begin_{x} mà không có end_{x} đóng lại"),
    (r"Unknown question type '?(?P<x>[^'.]*)'?", "không có loại câu hỏi «{x}»"),
    (r"List name not in choices sheet: (?P<x>\S+)", "không có danh sách phương án «{x}» trong trang choices"),
    (r"Choices should have a label", "phương án này không có nhãn"),
    (r"Choices must have a name", "phương án này không có mã"),
    (r"Choice names must be unique", "mã phương án trùng nhau trong một danh sách"),
    (r"Names must begin with a letter", "tên phải bắt đầu bằng chữ, chỉ gồm chữ, số, gạch dưới, gạch nối, dấu chấm"),
    (r"Duplicate column header: (?P<x>.*)", "cột «{x}» có hai lần"),
    (r"Reference variables must start", "tham chiếu phải có dạng ${{tên câu hỏi}}"),
    (r"headers were not found", "thiếu cột bắt buộc ở dòng tiêu đề"),
    (r"parameters? .*(?:invalid|must)", "cột parameters sai"),
    (r"Choice names with spaces", "mã phương án của select_multiple không được có dấu cách"),
    (r"default_language", "default_language không phải một trong các ngôn ngữ của bảng hỏi"),
)


class Refused(Exception):
    """pyxform does not take the sheets; its own words."""


def sheet_problems(book: Book) -> tuple[list[Problem], list[Problem]]:
    """Errors and remarks that can be told from the sheets alone."""
    rules = Rules(book)
    rules.check()
    return rules.errors, rules.remarks


def pyxform_problem(book: Book, refused: Refused, known: list[Problem]) -> Problem | None:
    """What pyxform says, with its row and sheet; None when the same row has been named already.

    pyxform stops at its first error, so without a row of its own it adds nothing to errors that are known.
    """
    text = " ".join(str(refused).split())
    row = re.search(r"\[row ?: ?(\d+)\]", text)
    sheet = next((s for s in ("choices", "settings", "entities") if f"'{s}' sheet" in text), "survey")
    number = int(row.group(1)) if row else None
    place = book.place(sheet, number)
    if known and (number is None or any(p.where.startswith(place) for p in known)):
        return None
    english = re.sub(r"\[row ?: ?\d+\]\s*", "", text)
    for pattern, vietnamese in _PYXFORM:
        match = re.search(pattern, text)
        if match:
            return Problem(place, Text(vietnamese.format(**match.groupdict()), english))
    return Problem(place, Text(f"pyxform không nhận bảng hỏi: {english}", f"pyxform refuses the form: {english}"))


def compiled_problems(book: Book, questionnaire: Questionnaire) -> tuple[list[Problem], list[Problem]]:
    """Errors and remarks about expressions: what does not compile, goes round in circles or leads nowhere."""
    form = compiled(questionnaire)
    for definition in form.definitions[1:]:
        _compile_all(form, definition)
    errors = [Problem(_place(book, node, kind), error.what) for node, kind, error in form.faults]
    for cycle in form.cycles:
        node = cycle[0].of.node
        todo = Text("bỏ một trong các tham chiếu này", "take one of these references out")
        errors.append(Problem(_place(book, node, cycle[0].kind), cycle_words(cycle), todo))
    remarks = [
        Problem(
            _place(book, node, kind),
            Text(f"đường dẫn «{path}» không dẫn tới câu nào", f"the path “{path}” leads to no question"),
        )
        for node, kind, path in form.unknown
    ]
    remarks += _media_problems(book, questionnaire)
    return list(dict.fromkeys(errors)), list(dict.fromkeys(remarks))


def _media_problems(book: Book, questionnaire: Questionnaire) -> list[Problem]:
    """Pictures and recordings that are not there, or too large for a stick."""
    found = []
    for node, name in shown_media(questionnaire):
        place = book.place("survey", node.row or None, "media") if node is not None else book.place("choices")
        if name not in book.media:
            todo = Text(
                "đặt tệp vào thư mục media cạnh bảng hỏi (với tệp .xlsx: TÊN-media)",
                "put it into the folder media beside the sheets (of a workbook: NAME-media)",
            )
            found.append(Problem(place, Text(f"không thấy tệp «{name}»", f"the file “{name}” is not there"), todo))
        elif (size := book.media[name].stat().st_size) > LARGEST_MEDIA:
            what = Text(f"tệp «{name}» nặng {size >> 20} MB", f"the file “{name}” has {size >> 20} MB")
            todo = Text(
                "thu nhỏ ảnh, nén tiếng: máy nào cũng phải chép tệp này", "make it smaller: every laptop copies it"
            )
            found.append(Problem(place, what, todo))
    return found


def _compile_all(form: Form, definition: Definition) -> None:
    """Compiles what an interview would compile only when it comes to it, so that its faults are known now."""
    node = definition.node
    assert node is not None
    for kind, text in form.shown(node):
        form.code(definition, kind, text)
    if node.dynamic_default:
        form.code(definition, "dynamic_default", node.dynamic_default)
    for path, text in node.sets:
        target = form.by_path.get(path)
        if target is not None and text:
            form.code(target, "trigger", text)


def _place(book: Book, node: Node | None, kind: str) -> str:
    column = _COLUMNS.get(kind, kind)
    if node is None or not node.row:
        return book.place("survey", None, f"{column} ({node.path})" if node else column)
    return book.place("survey", node.row, column)


def index_problems(book: Book, questionnaire: Questionnaire) -> list[Problem]:
    """What the check of the ``index`` sheet finds."""
    from survey.questionnaire import index_sheet

    if "index" not in book.sheets:
        return []
    whole = questionnaire if questionnaire.nodes else None
    _, problems = index_sheet.parse(book.rows("index"), whole, book.place("index"))
    return list(problems)
