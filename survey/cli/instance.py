"""``survey init``, ``survey passphrase``, ``survey recover``, ``survey recovery-key``: this machine's instance and the
ways into it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from survey.cli.asking import ask_secret
from survey.cli.base import (
    Command,
    account,
    given_passphrase,
    instance_folder,
    json_option,
    open_store,
    option,
    say,
    say_json,
)
from survey.cli.options import FILE, NEW_FILE
from survey.errors import InputError
from survey.text import Text, many

_NEW = Text("Cụm mật khẩu mới của máy", "A new passphrase for this machine")


_NEW_FILE = option(
    "--new-file",
    type=FILE,
    help=Text("Tệp có cụm mật khẩu mới (mặc định: hỏi).", "File with the new passphrase (default: asked)."),
)


@click.command(
    cls=Command,
    help=Text(
        "Tạo kho dữ liệu được mã hóa, khóa và cấu hình của máy này.",
        "Make this machine's encrypted store, its keys and settings.",
    ),
    example="survey init --name 'Laptop 3'\nsurvey init --role hub --tier province --instance hub",
)
@option(
    "--role",
    type=click.Choice(["device", "hub"]),
    default="device",
    show_default=True,
    help=Text(
        "device: máy đi phỏng vấn; hub: máy chủ tiếp nhận.",
        "device: a laptop that interviews; hub: a machine that receives.",
    ),
)
@option(
    "--tier",
    type=click.Choice(["supervisor", "province", "ministry"]),
    help=Text("Cấp của máy chủ tiếp nhận (mặc định: supervisor).", "Where a hub stands (default: supervisor)."),
)
@option("--name", default="", help=Text("Tên gọi của máy, ghi trên nhãn máy.", "What people call this machine."))
@option(
    "--plain",
    is_flag=True,
    help=Text(
        "KHÔNG mã hóa: chỉ để làm thử; ai lấy được máy là đọc được hết.",
        "Do NOT encrypt: for trials only; whoever takes the machine reads everything.",
    ),
)
@json_option
def init(role: str, tier: str | None, name: str, plain: bool, as_json: bool) -> None:
    from survey import config
    from survey.store import Store
    from survey.sync.keys import publish_age_key

    folder = instance_folder()
    passphrase = "" if plain else _new_passphrase(_NEW)
    with Store.create(folder, role, tier=tier or "", name=name, passphrase=passphrase) as store:
        publish_age_key(store)
        if not (folder / config.FILE).exists():
            config.write(folder, config.Config())
        made: dict[str, object] = {
            "encrypted": not plain,
            "instance": str(folder),
            "role": store.role,
            "tier": store.tier,
            "device": store.device,
            "name": name,
        }
    if as_json:
        say_json(made)
        return
    say(
        Text(
            f"Đã tạo kho dữ liệu trong {folder}. Mã máy: {made['device']}",
            f"Made the store in {folder}. Device id: {made['device']}",
        )
    )
    if plain:
        say(
            Text(
                "KHÔNG MÃ HÓA: ai lấy được máy này là đọc được mọi phiếu. Chỉ dùng để làm thử.",
                "NOT ENCRYPTED: whoever takes this machine reads every interview. For trials only.",
            )
        )


@click.command(
    cls=Command,
    help=Text("Đổi cụm mật khẩu của máy này.", "Change this machine's passphrase."),
    example="survey passphrase\nsurvey passphrase --passphrase-file old.txt --new-file new.txt",
)
@_NEW_FILE
def passphrase(new_file: Path | None) -> None:
    from survey.store import audit, vault

    with open_store() as store:
        vault.change_passphrase(instance_folder(), _from(new_file) or _asked_twice(_NEW))
        audit.note(store, "passphrase", detail={"account": account()})
    _say_changed()


@click.command(
    cls=Command,
    help=Text(
        "Quên cụm mật khẩu: đặt cụm mới bằng khóa khôi phục của đợt.",
        "A forgotten passphrase: set a new one with the round's recovery key.",
    ),
    example="survey recover --key recovery.txt",
)
@option("--key", "key_file", required=True, type=FILE, help=Text("Tệp khóa khôi phục.", "File with the recovery key."))
@_NEW_FILE
def recover(key_file: Path, new_file: Path | None) -> None:
    from survey.store import Store, audit, vault

    folder = instance_folder()
    vault.recover(folder, read_recovery_key(key_file))
    with Store.open(folder) as store:
        audit.note(store, "recovered", detail={"account": account()})
        vault.change_passphrase(folder, _from(new_file) or _asked_twice(_NEW))
    _say_changed()


@click.command(
    cls=Command,
    name="recovery-key",
    help=Text(
        "Tạo khóa khôi phục cho các máy của đợt; phần bí mật ghi ra tệp để cất riêng.",
        "Make the recovery key for a round's machines; its secret half goes into a file to put away.",
    ),
    example="survey recovery-key --out E:\\khoa-khoi-phuc.txt",
)
@option(
    "--out",
    required=True,
    type=NEW_FILE,
    help=Text("Tệp để ghi khóa (không để trên máy này).", "File to write the key to (not on this machine)."),
)
@json_option
def recovery_key(out: Path, as_json: bool) -> None:
    from survey.sync import rounds

    with open_store() as store:
        public, reissued = rounds.make_recovery_key(store, out)
    if as_json:
        say_json({"file": out, "recovery": public, "rounds": reissued})
        return
    say(
        Text(
            f"Đã ghi khóa khôi phục vào {out}. In ra hoặc chép vào USB, cất trong két, rồi xóa khỏi máy này.",
            f"Wrote the recovery key to {out}. Print it or put it on a stick, lock it away, then delete it here.",
        )
    )
    say(
        Text(
            "Xuất lại tệp đợt khảo sát: survey round export. Máy nào nhập tệp đó thì mở được bằng khóa này.",
            "Write the round file again for the laptops: survey round export. Those that load it open with this key.",
        )
    )


def read_recovery_key(file: Path) -> str:
    """The key in a file that ``survey recovery-key`` wrote; lines that begin with # are words for people."""
    lines = file.read_text(encoding="utf-8-sig").splitlines()
    return next((line.strip() for line in lines if line.strip() and not line.startswith("#")), "")


def _new_passphrase(prompt: Text) -> str:
    given = given_passphrase()
    return given if given is not None else _asked_twice(prompt)


def _asked_twice(prompt: Text) -> str:
    if not sys.stdin.isatty():
        raise InputError(
            "passphrase",
            Text("chưa có cụm mật khẩu và không có ai để hỏi", "there is no passphrase, and nobody to ask"),
            Text(
                "đặt SURVEY_PASSPHRASE, dùng --passphrase-file (--new-file khi đổi), hoặc init --plain để làm thử",
                "set SURVEY_PASSPHRASE, use --passphrase-file (--new-file to change it), or init --plain for a trial",
            ),
        )
    return ask_secret(prompt, twice=True)


def _from(file: Path | None) -> str:
    return file.read_text(encoding="utf-8-sig").rstrip("\r\n") if file else ""


def _say_changed() -> None:
    say(
        Text(
            "Đã đổi cụm mật khẩu. Cụm cũ không mở được nữa; bản sao lưu cũ vẫn mở bằng cụm cũ.",
            "The passphrase is changed. The old one opens this machine no more; older backups still open with it.",
        )
    )


@click.command(
    cls=Command,
    help=Text(
        "Mã hóa kho dữ liệu đang để trần (init --plain): dữ liệu giữ nguyên, bản cũ bị xóa đè.",
        "Encrypt a plain store (init --plain): its data stay, the plain file is overwritten.",
    ),
    example="survey encrypt --instance may-3",
)
@json_option
def encrypt(as_json: bool) -> None:
    from survey.store import Store, audit, converting
    from survey.sync.keys import adopt_recovery, publish_age_key

    folder = instance_folder()
    revisions = converting.encrypt(folder, _new_passphrase(_NEW))
    with Store.open(folder) as store:
        publish_age_key(store)
        adopt_recovery(store)
        audit.note(store, "encrypted", detail={"account": account()})
    if as_json:
        say_json({"instance": str(folder), "revisions": revisions})
        return
    say(
        Text(
            f"Đã mã hóa kho dữ liệu ({revisions} bản ghi). Từ nay máy hỏi cụm mật khẩu khi mở.",
            f"The store is encrypted ({many(revisions, 'entry')}). From now on the passphrase is asked at the start.",
        )
    )
    say(
        Text(
            "Ổ SSD và USB có thể còn giữ dấu vết bản cũ; tệp đã chép đi nơi khác không đổi.",
            "An SSD or a stick may still hold traces of the plain file; what was copied elsewhere is as it was.",
        )
    )


commands = {
    "init": init,
    "encrypt": encrypt,
    "passphrase": passphrase,
    "recover": recover,
    "recovery-key": recovery_key,
}
