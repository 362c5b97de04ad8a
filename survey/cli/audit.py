"""``survey audit``: the log of access, narrowed by person, action, machine and day."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click

from survey.cli.base import (
    FINDINGS,
    Command,
    account,
    json_option,
    language,
    open_store,
    option,
    say,
    say_json,
    say_table,
)
from survey.cli.options import DAY, NEW_FILE, actor_option
from survey.cli.review import check_person
from survey.text import Text, many
from survey.vocabulary import ACCESS


@click.command(
    cls=Command,
    help=Text(
        "Nhật ký truy cập: đăng nhập, xem dữ liệu liên hệ, xuất dữ liệu, mở khóa, đổi vai trò, xóa.",
        "The log of access: sign-ins, views of contact data, exports, unlocks, changes of roles, erasures.",
    ),
    example="survey audit --since 2026-11-01 --action contact\nsurvey audit --limit 50\n"
    "survey audit --person plan --csv nhat-ky.csv",
)
@option("--person", default="", help=Text("Chỉ của người này (mã).", "Of this person alone (id)."))
@option("--action", type=click.Choice(list(ACCESS)), help=Text("Chỉ việc này.", "This kind alone."))
@option("--machine", default="", help=Text("Chỉ của máy này (mã hoặc đầu mã).", "Of this machine (id or its start)."))
@option("--since", type=DAY, metavar="DATE", help=Text("Từ ngày, ví dụ 2026-11-01.", "From this day on."))
@option("--until", type=DAY, metavar="DATE", help=Text("Đến hết ngày.", "To this day."))
@option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    help=Text("Chỉ N mục mới nhất; không có thì tất cả.", "The newest N entries alone; all without it."),
)
@option("--csv", type=NEW_FILE, help=Text("Ghi ra tệp CSV.", "Write a CSV file."))
@actor_option(Text("Mã của người xem.", "Id of the person who looks."))
@json_option
def audit(
    person: str,
    action: str | None,
    machine: str,
    since: datetime | None,
    until: datetime | None,
    limit: int | None,
    csv: Path | None,
    actor: str,
    as_json: bool,
) -> int:
    from survey.store import access_log
    from survey.store import audit as log

    days = [f"{day:%Y-%m-%d}" if day else "" for day in (since, until)]
    with open_store() as store:
        if actor:
            check_person(store, actor, "access.page")
        found = access_log.entries(
            store,
            actor=person,
            actions=[action] if action else [],
            device=machine,
            since=days[0],
            until=days[1],
            most=limit or -1,
        )
        problems = access_log.problems(store)
        if csv is not None:
            log.note(store, "log_export", actor=actor, subject=csv.name, detail={"account": account()})
    if csv is not None:
        csv.write_text(access_log.as_csv(found), encoding="utf-8", newline="")
    if as_json:
        say_json({"entries": [entry._asdict() for entry in found], "problems": problems})
    elif csv is None:
        spoken = language()
        say_table(
            [Text("lúc", "at"), Text("máy", "machine"), Text("ai", "who"), Text("việc", "what"), Text("về", "about")],
            [
                (
                    entry.time[:19].replace("T", " "),
                    entry.device[:9],
                    entry.actor,
                    entry.name(spoken),
                    " ".join(filter(None, (entry.subject, json.dumps(entry.detail, ensure_ascii=False)))),
                )
                for entry in found
            ],
        )
    else:
        say(Text(f"Đã ghi {len(found)} mục vào {csv}", f"Wrote {many(len(found), 'entry')} to {csv}"))
    for problem in problems:
        click.echo(problem(language()), err=True)
    return FINDINGS if problems else 0


commands: dict[str, click.Command] = {"audit": audit}
