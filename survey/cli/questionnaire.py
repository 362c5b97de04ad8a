"""``survey questionnaire``: the instruments; ``diff``, ``carry`` and ``print`` are in modules of their own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from survey.cli import paper, versions
from survey.cli.base import FINDINGS, Group, json_option, language, say, say_json, say_table
from survey.cli.figures import say_written
from survey.cli.options import NEW_FILE
from survey.errors import Problem, Problems
from survey.text import Text, many

if TYPE_CHECKING:
    from survey.questionnaire.model import Node, Questionnaire


@click.group(
    cls=Group,
    help=Text("Bảng hỏi: liệt kê, kiểm tra, xem, xuất Excel.", "Questionnaires: list, check, show, export."),
)
def questionnaire() -> None:
    pass


@questionnaire.command(
    name="list",
    help=Text("Xem các bảng hỏi có sẵn.", "List the questionnaires that come with the program."),
    example="survey questionnaire list",
)
@json_option
def list_(as_json: bool) -> None:
    from survey.questionnaire import xlsform

    rows = [_facts(xlsform.load(name)) for name in xlsform.shipped()]
    if as_json:
        say_json(rows)
        return
    say_table(
        [Text("Mã", "Id"), Text("Bản", "Version"), Text("Số câu", "Questions"), Text("Tên", "Title")],
        [(row["id"], row["version"], row["questions"] or "–", _title(row["title"])) for row in rows],
    )


@questionnaire.command(
    help=Text(
        "Kiểm tra một bảng hỏi: nêu mọi lỗi cùng lúc, kèm trang, dòng, cột.",
        "Check a questionnaire: every problem at once, with sheet, row and column.",
    ),
    example="survey questionnaire check sipas_2024",
)
@click.argument("path")
@json_option
def check(path: str, as_json: bool) -> int | None:
    from survey.questionnaire import xlsform

    found, problems = xlsform.check(path)
    if as_json:
        usable = found is not None
        say_json({"path": path, "usable": usable, "problems": [_plain(p) for p in problems], **_facts(found)})
        return 2 if not usable else FINDINGS if problems else None
    if found is None:
        raise Problems(problems)
    for problem in problems:
        click.echo(problem(language()))
    questions, languages, remarks = _facts(found)["questions"], len(found.languages) or 1, len(problems)
    say(
        Text(
            f"{found.id}: {questions} câu hỏi, {languages} ngôn ngữ, {remarks} điều cần xem lại",
            f"{found.id}: {many(questions, 'question')}, {many(languages, 'language')}, {many(remarks, 'remark')}",
        )
    )
    return FINDINGS if problems else None


@questionnaire.command(
    help=Text("Xem nội dung một bảng hỏi, theo thứ tự hỏi.", "Show a questionnaire's content in order."),
    example="survey questionnaire show sipas_2024",
)
@click.argument("path")
@json_option
def show(path: str, as_json: bool) -> None:
    from survey.questionnaire import xlsform

    found = xlsform.load(path)
    if as_json:
        say_json({**_facts(found), "hash": found.hash, "nodes": [_outline(n) for n in found.walk()]})
        return
    click.echo(f"{_title(found.title)} ({found.id}, {found.version})")
    for node in found.walk():
        depth = node.path.count("/")
        asked = f"  [{_short(node.relevant, found.root)}]" if node.relevant else ""
        label = node.label.get(language()) or node.label.get(found.default_language) or ""
        click.echo(f"{'  ' * depth}{node.name} · {node.type}  {label.splitlines()[0] if label else ''}{asked}")


@questionnaire.command(
    help=Text("Xuất một bảng hỏi thành tệp Excel.", "Write a questionnaire into an Excel file."),
    example="survey questionnaire export sipas_2024 sipas_2024.xlsx",
)
@click.argument("path")
@click.argument("file", type=NEW_FILE)
def export(path: str, file: Path) -> None:
    from survey.questionnaire import xlsform

    xlsform.write_xlsx(path, file)
    say_written(file)


def _facts(found: Questionnaire | None) -> dict[str, Any]:
    if found is None:
        return {}
    return {
        "id": found.id,
        "version": found.version,
        "title": dict(found.title),
        "questions": sum(bool(n.kind == "question" and n.control and n.type != "note") for n in found.walk()),
        "languages": len(found.languages) or 1,
        "index": sum(bool(row) for row in found.index),
    }


def _title(title: Any) -> str:
    return str(title.get(language()) or next(iter(title.values()), ""))


def _short(expression: str, root: str) -> str:
    """The expression with ``${name}`` for paths from the root, as the sheet writes it."""
    return re.sub(rf"\s*/{re.escape(root)}/(?:[\w.-]+/)*([\w.-]+)\s?", r" ${\1} ", expression).strip()


def _outline(node: Node) -> dict[str, str]:
    return {"path": node.path, "kind": node.kind, "type": node.type, "relevant": node.relevant}


def _plain(problem: Problem) -> dict[str, str]:
    return {"where": problem.where, "what": problem.what(language()), "todo": problem.todo(language())}


for command in (*versions.commands.values(), *paper.commands.values()):
    questionnaire.add_command(command)

commands = {"questionnaire": questionnaire}
