"""``survey quarantine list | dismiss``: what was set aside because it does not verify."""

from __future__ import annotations

import click

from survey.cli.base import FINDINGS, Group, json_option, language, open_store, option, say, say_json, say_table
from survey.cli.options import actor_option
from survey.text import Text


@click.group(
    cls=Group,
    help=Text("Những gì để riêng vì không kiểm chứng được.", "What was set aside because it does not verify."),
)
def quarantine() -> None:
    pass


@quarantine.command(
    name="list",
    help=Text("Xem những gì đang để riêng, lý do và việc cần làm.", "List what is set aside, why, and what to do."),
    example="survey quarantine list",
)
@json_option
def list_(as_json: bool) -> int:
    from survey.store import quarantine as store_quarantine

    with open_store() as store:
        aside = store_quarantine.quarantine(store)
    if as_json:
        say_json({"quarantined": aside})
    elif aside:
        spoken = language()
        say_table(
            [Text("tên", "name"), Text("lý do", "reason"), Text("cần làm", "what to do")],
            [(name, problem.what(spoken), problem.todo(spoken)) for name, problem in aside],
        )
    else:
        say(Text("Không có gì để riêng.", "Nothing is set aside."))
    return FINDINGS if aside else 0


@quarantine.command(
    help=Text(
        "Bỏ qua một mục để riêng đã giải quyết xong; nội dung vẫn được giữ.",
        "Dismiss something set aside that is settled; its bytes are kept.",
    ),
    example="survey quarantine dismiss NAME --reason 'Máy 3 đã nộp lại đủ'",
)
@click.argument("name")
@option("--reason", required=True, help=Text("Đã giải quyết thế nào, một câu.", "How it was settled, one sentence."))
@actor_option(Text("Mã của người quyết định.", "Id of the person who decides."))
def dismiss(name: str, reason: str, actor: str) -> None:
    from survey.cli.review import check_person
    from survey.store import quarantine as store_quarantine

    with open_store() as store:
        check_person(store, actor, "receive.dismiss")
        store_quarantine.dismiss(store, name, reason, actor)
    say(Text(f"Đã bỏ qua {name}.", f"Dismissed {name}."))


commands: dict[str, click.Command] = {"quarantine": quarantine}
