"""``survey backup`` and ``survey restore``: the second copy of this machine, and this machine from its second copy."""

from __future__ import annotations

from pathlib import Path

import click

from survey.cli.asking import ask_secret
from survey.cli.base import (
    FINDINGS,
    Command,
    given_passphrase,
    instance_folder,
    json_option,
    language,
    open_store,
    option,
    say,
    say_json,
)
from survey.cli.options import FILE, FOLDER, NEW_FOLDER
from survey.errors import InputError
from survey.text import Text, many


@click.command(
    cls=Command,
    help=Text(
        "Sao lưu máy này sang thư mục hoặc USB khác; chỉ ghi phần mới.",
        "Copy this machine to another folder or stick; only what is new is written.",
    ),
    example="survey backup --to E:\\",
)
@option(
    "--to",
    type=NEW_FOLDER,
    help=Text("Nơi sao lưu (mặc định: backup trong config.toml).", "Where to (default: backup in config.toml)."),
)
@json_option
def backup(to: Path | None, as_json: bool) -> None:
    from survey import config
    from survey.sync import backup as second

    chosen = str(to) if to else config.load(instance_folder()).backup
    if not chosen:
        raise InputError(
            "survey backup",
            Text("chưa nêu nơi sao lưu", "there is no place to copy to"),
            Text("dùng --to, hoặc đặt backup trong config.toml", "use --to, or set backup in config.toml"),
        )
    with open_store() as store:
        done = second.back_up(store, Path(chosen))
    if as_json:
        say_json(done)
        return
    say(
        Text(
            f"Đã sao lưu vào {done.folder}: {done.revisions} bản ghi mới.",
            f"Copied to {done.folder}: {many(done.revisions, 'new revision')}.",
        )
    )


@click.command(
    cls=Command,
    help=Text(
        "Dựng lại máy bị mất hoặc hỏng từ bản sao lưu của nó.", "Set a lost or broken machine up again from its backup."
    ),
    example="survey restore E:\\ --instance instance\nsurvey restore E:\\ --recovery-key khoa-khoi-phuc.txt",
)
@click.argument("source", type=FOLDER)
@option(
    "--recovery-key",
    "key_file",
    type=FILE,
    help=Text("Mở bằng khóa khôi phục thay cho cụm mật khẩu.", "Open it with the recovery key, not the passphrase."),
)
@json_option
def restore(source: Path, key_file: Path | None, as_json: bool) -> int:
    from survey.cli.instance import read_recovery_key
    from survey.store import vault
    from survey.sync import backup as second

    def unlock(folder: Path) -> None:
        if key_file is not None:
            vault.recover(folder, read_recovery_key(key_file))
            return
        given = given_passphrase()
        vault.unlock(folder, given if given is not None else ask_secret(_ASKED))

    report = second.restore(source, instance_folder(), unlock)
    if as_json:
        say_json(report)
    else:
        say(
            Text(
                f"Đã khôi phục {report.new} bản ghi vào {instance_folder()}. Phiếu làm dở mở lại từ trang Hôm nay.",
                f"Restored {many(report.new, 'revision')} into {instance_folder()}. "
                "Open drafts go on from the page Today.",
            )
        )
        for problem in [problem for _, problem in report.quarantined] + report.problems:
            click.echo(problem(language()))
    return FINDINGS if report.needs_a_person else 0


_ASKED = Text("Cụm mật khẩu của máy được sao lưu", "The passphrase of the machine that was copied")

commands: dict[str, click.Command] = {"backup": backup, "restore": restore}
