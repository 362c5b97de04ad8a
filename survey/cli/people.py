"""``survey user add | list | pin | disable``: the people who sign in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from survey.cli.base import Group, json_option, language, open_store, option, say, say_json, say_table
from survey.errors import InputError
from survey.text import LANGUAGES, Text
from survey.vocabulary import ROLES

if TYPE_CHECKING:
    from survey.store import Store

pin_option = option(
    "--pin", help=Text("Mã PIN 4–12 chữ số (mặc định: hỏi).", "PIN of 4–12 digits (default: asks for it).")
)


commune_option = option(
    "--commune",
    default="",
    help=Text(
        "Mã xã của người này: không xem được phiếu của xã mình trước khi công bố.",
        "Code of the commune they belong to: its interviews stay closed to them until published.",
    ),
)


@click.group(
    cls=Group, help=Text("Người dùng: thêm, xem, đổi PIN, ngừng.", "People: add, list, give a new PIN, disable.")
)
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
@pin_option
@option(
    "--language", "speaks", type=click.Choice(LANGUAGES), default="vi", help=Text("Ngôn ngữ làm việc.", "Language.")
)
@commune_option
@json_option
def add(
    name: str,
    roles: tuple[str, ...],
    user_id: str | None,
    pin: str | None,
    speaks: str,
    commune: str,
    as_json: bool,
) -> None:
    from survey.sync import founding

    chosen = _chosen(pin)
    with open_store() as store:
        document = founding.add_person(store, name, roles, chosen, user_id or "", speaks, commune=commune)
    subject = document["id"]
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
    help=Text("Đặt mã PIN mới cho người quên PIN; tới các máy theo USB.", "Give a person a new PIN."),
    example="survey user pin p7f3…",
)
@click.argument("user_id", metavar="ID")
@pin_option
def pin(user_id: str, pin: str | None) -> None:
    from survey.store import frame

    with open_store() as store:
        person = _known(store, user_id)
        frame.issue(store, "user", user_id, {**person, "pin": frame.hash_pin(_chosen(pin))})
    say(Text(f"Đã đổi PIN của {person.get('name', user_id)}", f"New PIN for {person.get('name', user_id)}"))


@user.command(
    help=Text("Ngừng cho một người đăng nhập; phiếu đã làm vẫn giữ nguyên.", "Stop a person from signing in."),
    example="survey user disable p7f3…",
)
@click.argument("user_id", metavar="ID")
def disable(user_id: str) -> None:
    from survey.store import frame

    with open_store() as store:
        person = _known(store, user_id)
        frame.issue(store, "user", user_id, {**person, "disabled": True})
    say(Text(f"Đã ngừng {person.get('name', user_id)}", f"Disabled {person.get('name', user_id)}"))


def _chosen(pin: str | None) -> str:
    """The PIN given or asked for. InputError unless it has 4 to 12 digits."""
    from survey.sync import founding

    return founding.check_pin(pin or str(click.prompt("PIN", hide_input=True, confirmation_prompt=True, err=True)))


def _known(store: Store, user_id: str) -> dict[str, Any]:
    """The person with this id; InputError when there is none."""
    from survey.store import frame

    person = frame.person(store, user_id)
    if person is None:
        raise InputError(
            user_id,
            Text("không có người mang mã này", "there is no person with this id"),
            Text("xem: survey user list", "see: survey user list"),
        )
    return person


commands = {"user": user}
