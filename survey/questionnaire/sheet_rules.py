"""The rules that a questionnaire's sheets must keep, checked row by row before pyxform sees them, so that every
problem is named at once and not only the first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from survey.errors import Problem
from survey.questionnaire import standard, standard_rules
from survey.questionnaire.expressions import check_call
from survey.questionnaire.model import MISSING
from survey.questionnaire.sheets import SHEETS, Book, Row, head_of
from survey.questionnaire.standard_rules import meant
from survey.questionnaire.syntax import BadExpression, Call, Name, parse, walk
from survey.text import Text

EXPRESSIONS = (
    "relevant",
    "relevance",
    "constraint",
    "soft_constraint",
    "required",
    "read_only",
    "readonly",
    "calculation",
    "calculate",
    "repeat_count",
    "choice_filter",
)
TEXTS = ("label", "caption", "hint", "guidance_hint", "constraint_message", "required_message", "constraining_message")
MEDIA = ("image", "audio", "video", "big-image")
LIST_TYPES = ("select_one", "select_multiple", "rank", "select_one_external")
FILE_TYPES = ("select_one_from_file", "select_multiple_from_file")
NAME = re.compile(r"[^\W\d][\w.\-]*")
REFERENCE = re.compile(r"\$\{\s*([^{}]*?)\s*\}")
_STRAIGHT = str.maketrans("‘’“”", "''\"\"")
CONSTANTS = frozenset({"yes", "no", "true", "false", "true()", "false()"})


@dataclass
class Rules:
    """Goes through one book; ``errors`` keep it from being used, ``remarks`` do not."""

    book: Book
    errors: list[Problem] = field(default_factory=list)
    remarks: list[Problem] = field(default_factory=list)

    def check(self) -> None:
        self.names = {row["name"] for _, row in self.rows("survey") if row.get("name")}
        self.lists: dict[str, list[tuple[int, Row]]] = {}
        for number, row in self.rows("choices"):
            self.lists.setdefault(list_of(row), []).append((number, row))
        self.sheet_names()
        self.standard()
        self.survey_rows()
        self.choices_rows()
        self.translations("survey", (*TEXTS, *MEDIA))
        self.translations("choices", ("label", *MEDIA))

    # -- helpers -------------------------------------------------------------------------------------------------

    def rows(self, sheet: str) -> Iterator[tuple[int, Row]]:
        if sheet in self.book.sheets:
            for number, row in self.book.sheets[sheet].numbered():
                if row.get("disabled", "").lower() not in ("yes", "true"):
                    yield number, row

    def error(self, sheet: str, row: int | None, column: str, what: Text, todo: Text = Text("", "")) -> None:
        self.errors.append(Problem(self.book.place(sheet, row, column), what, todo))

    def remark(self, sheet: str, row: int | None, column: str, what: Text, todo: Text = Text("", "")) -> None:
        self.remarks.append(Problem(self.book.place(sheet, row, column), what, todo))

    # -- sheets and columns --------------------------------------------------------------------------------------

    def sheet_names(self) -> None:
        for name in self.book.other_sheets:
            close = meant(name.lower(), [s for s in SHEETS if s not in self.book.sheets])
            if close.en and not name.startswith("_"):
                what = Text(f"trang «{name}» không được đọc", f"the sheet “{name}” is not read")
                self.remarks.append(Problem(self.book.where, what, close))
        if "entities" in self.book.sheets:
            self.remark("entities", None, "", Text("chưa hỗ trợ entities của ODK", "ODK entities are not supported"))

    def standard(self) -> None:
        """Names what of the standard is used here and not carried out."""
        rows = {sheet: list(self.rows(sheet)) for sheet in ("survey", "choices")}
        for remark in standard_rules.remarks(self.book, rows):
            self.remark(*remark)

    # -- survey ------------------------------------------------------------------------------------------------

    def survey_rows(self) -> None:
        if "survey" not in self.book.sheets:
            return
        if not self.book.sheets["survey"].rows:
            self.error("survey", None, "", Text("trang survey không có dòng nào", "the sheet survey has no rows"))
        open_groups: list[tuple[str, str, int]] = []
        taken: list[dict[str, int]] = [{}]
        for number, row in self.rows("survey"):
            kind = " ".join(row.get("type", row.get("command", "")).split())
            simple = kind.lower().replace("_", " ")
            if simple.startswith("end ") and simple.split()[1] in ("group", "repeat", "loop", "lgroup"):
                self.close_group(number, kind, simple.split()[1], open_groups, taken)
                continue
            self.named(number, row, kind, taken[-1])
            if simple.startswith("begin "):
                open_groups.append((simple.split()[1], row.get("name", ""), number))
                taken.append({})
            elif kind:
                self.typed(number, kind)
            self.expressions(number, row)
            self.ours(number, row)
        for kind, name, number in open_groups:
            what = Text(f"nhóm «{name}» chưa đóng", f"the {kind} “{name}” is not closed")
            self.error("survey", number, "type", what, Text(f"thêm dòng end_{kind}", f"add a row end_{kind}"))

    def close_group(
        self, number: int, kind: str, closes: str, groups: list[tuple[str, str, int]], taken: list[dict[str, int]]
    ) -> None:
        if not groups:
            what = Text(f"«{kind}» không có nhóm nào đang mở", f"“{kind}” closes nothing")
            self.error("survey", number, "type", what)
            return
        opened, name, row = groups.pop()
        taken.pop()
        if opened != closes and {opened, closes} != {"lgroup", "repeat"}:
            what = Text(
                f"«{kind}» đóng nhóm «{name}» mở bằng begin_{opened} ở dòng {row}",
                f"“{kind}” closes “{name}”, which begin_{opened} opened in row {row}",
            )
            self.error("survey", number, "type", what)

    def named(self, number: int, row: Row, kind: str, taken: dict[str, int]) -> None:
        name = row.get("name") or row.get("tag") or ""
        if not name:
            says_something = kind.startswith("begin") or any(head_of(c) in (*TEXTS, "calculation") for c in row)
            if kind and kind not in ("note", "audit") and says_something:
                self.error("survey", number, "name", Text("thiếu tên câu hỏi", "the name is missing"))
            return
        if not NAME.fullmatch(name):
            what = Text(f"tên «{name}» không hợp lệ", f"the name “{name}” is not valid")
            todo = Text(
                "dùng chữ, số, gạch dưới; bắt đầu bằng chữ", "use letters, digits and underscores; begin with a letter"
            )
            self.error("survey", number, "name", what, todo)
        elif name in taken:
            what = Text(
                f"tên «{name}» đã dùng ở dòng {taken[name]}", f"the name “{name}” is taken by row {taken[name]}"
            )
            self.error("survey", number, "name", what, Text("đặt tên khác", "choose another name"))
        taken.setdefault(name, number)

    def typed(self, number: int, kind: str) -> None:
        head, *rest = kind.split()
        if head in FILE_TYPES:
            self.file_list(number, rest)
        elif head in LIST_TYPES and rest:
            self.listed(number, head, rest[0])
        elif head in LIST_TYPES:
            what = Text(f"«{head}» thiếu tên danh sách phương án", f"“{head}” lacks the name of its list of choices")
            self.error("survey", number, "type", what)
        elif len(kind.split()) == 1 and not _known_type(kind):
            what = Text(f"không có loại câu hỏi «{kind}»", f"there is no question type “{kind}”")
            todo = meant(kind, standard.TYPES)
            self.error("survey", number, "type", what, todo)

    def listed(self, number: int, kind: str, name: str) -> None:
        if "${" in name and kind != "select_one":
            what = Text(
                f"«{kind}» không lấy phương án từ nhóm lặp được", f"“{kind}” cannot take its choices from a repeat"
            )
            self.error("survey", number, "type", what, Text("dùng select_one", "use select_one"))
        if name in self.lists or "${" in name or kind == "select_one_external":
            return
        what = Text(f"không có danh sách «{name}» trong choices", f"there is no list “{name}” in the sheet choices")
        self.error("survey", number, "type", what, meant(name, self.lists))

    def file_list(self, number: int, rest: list[str]) -> None:
        if not rest:
            self.error("survey", number, "type", Text("thiếu tên tệp", "the name of the file is missing"))
        elif rest[0].endswith(".csv") and rest[0][:-4] not in self.book.files:
            what = Text(f"không thấy tệp «{rest[0]}»", f"the file “{rest[0]}” is not there")
            todo = Text("đặt tệp cạnh bảng hỏi hoặc trong thư mục TÊN-media", "put it beside the form or in NAME-media")
            self.remark("survey", number, "type", what, todo)
        elif not rest[0].endswith(".csv"):
            what = Text(f"chỉ đọc được tệp .csv, không đọc «{rest[0]}»", f"only .csv files are read, not “{rest[0]}”")
            self.remark("survey", number, "type", what)

    # -- expressions -------------------------------------------------------------------------------------------

    def expressions(self, number: int, row: Row) -> None:
        for column, text in row.items():
            head = head_of(column)
            if head in EXPRESSIONS and text.strip().lower() not in CONSTANTS:
                self.expression(number, column, text)
            elif head in TEXTS or head in ("default", "trigger", "parameters"):
                for name in REFERENCE.findall(text):
                    self.reference(number, column, name)

    def expression(self, number: int, column: str, text: str) -> None:
        try:
            # Word processors curl the quotation marks; pyxform straightens them.
            tree = parse(text.strip().translate(_STRAIGHT))
        except BadExpression as error:
            what = Text(
                f"biểu thức sai ở ký tự {error.at + 1}: {error.what.vi}",
                f"the expression is wrong at character {error.at + 1}: {error.what.en}",
            )
            self.error("survey", number, column, what)
            return
        for part in walk(tree):
            if isinstance(part, Name):
                self.reference(number, column, part.name)
            elif isinstance(part, Call):
                self.function(number, column, part)

    def function(self, number: int, column: str, call: Call) -> None:
        from survey.questionnaire.functions import BUILT_IN, FUNCTIONS

        try:
            check_call(call)
        except BadExpression as error:
            known = (*FUNCTIONS, *BUILT_IN)
            todo = meant(call.name, known) if call.name not in known else Text("", "")
            self.error("survey", number, column, error.what, todo)

    def reference(self, number: int, column: str, name: str) -> None:
        if name.startswith("last-saved#"):
            what = Text("chưa hỗ trợ ${last-saved#…}", "${last-saved#…} is not supported")
            self.remark("survey", number, column, what)
        elif name not in self.names:
            what = Text(f"«{name}» không phải tên câu hỏi nào", f"“{name}” is not the name of any question")
            self.error("survey", number, column, what, meant(name, self.names))

    # -- our columns -------------------------------------------------------------------------------------------

    def ours(self, number: int, row: Row) -> None:
        for kind in row.get("missing", "").replace(",", " ").split():
            self.kind("survey", number, "missing", kind)
        for part in row.get("missing_codes", "").split():
            code, _, kind = part.partition("=")
            if code and kind:
                self.kind("survey", number, "missing_codes", kind)
            else:
                what = Text(f"«{part}» không có dạng mã=loại", f"“{part}” is not of the form code=kind")
                self.error(
                    "survey", number, "missing_codes", what, Text("ví dụ 888=dont_know", "such as 888=dont_know")
                )

        if row.get("soft_constraint", "").strip() and row.get("contact", "").strip():
            # The reason is kept with the answer, outside the part for what people can be found by.
            what = Text("câu liên hệ không có kiểm tra mềm", "a contact question cannot have a soft check")
            self.error("survey", number, "soft_constraint", what, Text("dùng constraint", "use constraint"))
        for column, text in row.items():
            if head_of(column) == "soft_constraint_message" and "${" in text:
                what = Text("thông báo này không nhận ${…}", "this message takes no ${…}")
                self.error("survey", number, column, what, Text("viết không dùng ${…}", "write it without ${…}"))

    def kind(self, sheet: str, number: int, column: str, kind: str) -> None:
        if kind not in MISSING:
            what = Text(f"không có loại trả lời thiếu «{kind}»", f"there is no missing kind “{kind}”")
            todo = Text("các loại: " + ", ".join(MISSING), "the kinds are " + ", ".join(MISSING))
            self.error(sheet, number, column, what, todo)

    # -- choices -----------------------------------------------------------------------------------------------

    def choices_rows(self) -> None:
        settings = next((row for _, row in self.rows("settings")), {})
        twice = settings.get("allow_choice_duplicates", "").lower() in ("yes", "true", "true()")
        for name, rows in self.lists.items():
            taken: dict[str, int] = {}
            for number, row in rows:
                choice = row.get("name", row.get("value", ""))
                if row.get("missing_kind"):
                    self.kind("choices", number, "missing_kind", row["missing_kind"])
                if not name:
                    continue
                if not choice:
                    self.error("choices", number, "name", Text("phương án thiếu mã", "the choice has no name"))
                elif choice in taken and not twice:
                    what = Text(
                        f"mã «{choice}» của danh sách «{name}» đã có ở dòng {taken[choice]}",
                        f"“{choice}” is in the list “{name}” already, row {taken[choice]}",
                    )
                    self.error("choices", number, "name", what)
                taken.setdefault(choice, number)

    # -- translations ------------------------------------------------------------------------------------------

    def translations(self, sheet: str, columns: Iterable[str]) -> None:
        if sheet not in self.book.sheets:
            return
        written = self.book.sheets[sheet].columns
        for column in columns:
            languages = [c for c in written if head_of(c) == column and "::" in c]
            for number, row in self.rows(sheet):
                missing = [c.partition("::")[2] for c in languages if not row.get(c)]
                if missing and len(missing) < len(languages):
                    what = Text(
                        f"thiếu bản dịch {', '.join(missing)}", f"the translation into {', '.join(missing)} is missing"
                    )
                    self.remark(sheet, number, column, what)


def _known_type(kind: str) -> bool:
    from pyxform.question_type_dictionary import QUESTION_TYPE_DICT

    return kind in QUESTION_TYPE_DICT or kind.lower() in QUESTION_TYPE_DICT


def list_of(row: Row) -> str:
    """The list that a row of the sheet ``choices`` belongs to."""
    return row.get("list_name", "")
