"""``survey erase`` and ``survey person-export``: what the law gives a respondent, by the code of the interview."""

from __future__ import annotations

import json
from pathlib import Path

import click

from survey.cli.base import Command, json_option, open_store, option, say, say_json
from survey.cli.review import check_person
from survey.errors import InputError
from survey.text import Text


@click.command(
    cls=Command,
    help=Text(
        "Xóa vĩnh viễn một phiếu theo mã, hoặc dữ liệu liên hệ đã hết hạn giữ.",
        "Erase an interview by its code for good, or the contact data whose time is over.",
    ),
    example="survey erase 1C9E-04AB-77F0 --reason 'Người dân yêu cầu' --as pquan\n"
    "survey erase --contact-due --as pquan",
)
@click.argument("code", required=False, default="")
@option("--reason", default="", help=Text("Lý do, một câu, không ghi tên người dân.", "The reason, without a name."))
@option(
    "--contact-due", is_flag=True, help=Text("Dữ liệu liên hệ quá hạn của đợt.", "Contact data past the round's date.")
)
@option("--as", "actor", required=True, help=Text("Mã của quản trị viên quyết định.", "Id of the administrator."))
@json_option
def erase(code: str, reason: str, contact_due: bool, actor: str, as_json: bool) -> None:
    from survey.store import personal
    from survey.store.store import now_text

    if bool(code) == contact_due or (code and not reason.strip()):
        raise InputError(
            "survey erase",
            Text("nêu mã phiếu kèm --reason, hoặc --contact-due", "name a code with --reason, or --contact-due"),
            Text("xem: survey erase --help", "see: survey erase --help"),
        )
    with open_store() as store:
        check_person(store, actor, "personal.erase")
        if contact_due:
            done = []
            for unit in personal.due(store, now_text()[:10]):
                done += personal.erase_contact(store, unit, actor, reason or "hết hạn giữ / retention is over")
        else:
            done = personal.erase_person(store, personal.by_code(store, code), actor, reason.strip())
    if as_json:
        say_json({"erased": done})
        return
    for line in done:
        click.echo(line)
    say(
        Text(
            f"Đã xóa {len(done)} mục; máy khác xóa khi đồng bộ.",
            f"Erased {len(done)}; other machines follow as they sync.",
        )
    )


@click.command(
    name="person-export",
    cls=Command,
    help=Text("Xuất mọi dữ liệu đang giữ về một phiếu, cho người trả lời.", "Everything held about one interview."),
    example="survey person-export 1C9E-04AB-77F0 --out phieu.json",
)
@click.argument("code")
@option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help=Text("Tệp JSON (mặc định: in ra).", "JSON file.")
)
def person_export(code: str, out: Path | None) -> None:
    from survey.store import personal

    with open_store() as store:
        held = personal.everything(store, personal.by_code(store, code))
    if out is None:
        say_json(held)
        return
    out.write_text(json.dumps(held, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    say(Text(f"Đã ghi {out}.", f"Wrote {out}."))


commands = {"erase": erase, "person-export": person_export}
