"""``survey user add | list | disable``: the people who sign in."""

from __future__ import annotations

import re

import click

from survey.cli.base import Group, json_option, language, open_store, option, say, say_json, say_table
from survey.errors import InputError
from survey.text import LANGUAGES, Text, nfc

ROLES = {
    "enumerator": Text("điều tra viên", "enumerator"),
    "supervisor": Text("giám sát viên", "supervisor"),
    "statistician": Text("cán bộ thống kê", "statistician"),
    "administrator": Text("quản trị viên", "administrator"),
}


@click.group(cls=Group, help=Text("Người dùng: thêm, xem, ngừng.", "People: add, list, disable."))
def user() -> None:
    pass


@user.command(
    help=Text("Thêm một người và đặt mã PIN.", "Add a person and set the PIN."),
    example="survey user add --name 'Lò Thị Hoa' --role enumerator",
)
@option("--name", required=True, help=Text("Họ và tên.", "Full name."))
@option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice(list(ROLES)),
    help=Text("Vai trò; lặp lại được.", "Role; may be repeated."),
)
@option("--id", "user_id", help=Text("Mã, bắt đầu bằng chữ cái (mặc định: tự đặt).", "Id, beginning with a letter."))
@option("--pin", help=Text("Mã PIN 4–12 chữ số (mặc định: hỏi).", "PIN of 4–12 digits (default: asks for it)."))
@option(
    "--language", "speaks", type=click.Choice(LANGUAGES), default="vi", help=Text("Ngôn ngữ làm việc.", "Language.")
)
@json_option
def add(name: str, roles: tuple[str, ...], user_id: str | None, pin: str | None, speaks: str, as_json: bool) -> None:
    from survey.store import frame

    chosen = pin or click.prompt("PIN", hide_input=True, confirmation_prompt=True, err=True)
    if not re.fullmatch(r"\d{4,12}", chosen, re.ASCII):
        raise InputError(
            "--pin",
            Text("mã PIN phải gồm 4 đến 12 chữ số", "a PIN has 4 to 12 digits"),
            Text("đặt mã khác", "choose another"),
        )
    with open_store() as store:
        subject = user_id or frame.new_id("user")
        if frame.person(store, subject):
            raise InputError(
                f"--id {subject}",
                Text("đã có người mang mã này", "there is a person with this id"),
                Text("chọn mã khác", "choose another"),
            )
        document = {
            "id": subject,
            "name": nfc(name),
            "roles": sorted(set(roles)),
            "pin": frame.hash_pin(chosen),
            "language": speaks,
        }
        frame.issue(store, "user", subject, document)
    if as_json:
        say_json({"id": subject, "name": document["name"], "roles": document["roles"]})
    else:
        say(Text(f"Đã thêm {name}, mã {subject}", f"Added {name}, id {subject}"))


@user.command(
    name="list",
    help=Text("Xem những người dùng trên máy này.", "List the people known here."),
    example="survey user list",
)
@json_option
def list_(as_json: bool) -> None:
    from survey.store import frame

    with open_store() as store:
        people = [{key: value for key, value in person.items() if key != "pin"} for person in frame.people(store)]
    if as_json:
        say_json(people)
        return
    spoken = language()
    say_table(
        [Text("mã", "id"), Text("họ tên", "name"), Text("vai trò", "roles"), Text("trạng thái", "state")],
        [
            (
                person["id"],
                person.get("name", ""),
                ", ".join(ROLES[role](spoken) if role in ROLES else role for role in person.get("roles", [])),
                Text("đã ngừng", "disabled")(spoken) if person.get("disabled") else "",
            )
            for person in people
        ],
    )


@user.command(
    help=Text("Ngừng cho một người đăng nhập; phiếu đã làm vẫn giữ nguyên.", "Stop a person from signing in."),
    example="survey user disable p7f3…",
)
@click.argument("user_id", metavar="ID")
def disable(user_id: str) -> None:
    from survey.store import frame

    with open_store() as store:
        person = frame.person(store, user_id)
        if person is None:
            raise InputError(
                user_id,
                Text("không có người mang mã này", "there is no person with this id"),
                Text("xem: survey user list", "see: survey user list"),
            )
        frame.issue(store, "user", user_id, {**person, "disabled": True})
    say(Text(f"Đã ngừng {person.get('name', user_id)}", f"Disabled {person.get('name', user_id)}"))


commands = {"user": user}
