"""``survey user add | import | set | list | pin | disable``: the people who sign in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from survey.cli.asking import ask_secret
from survey.cli.base import Group, json_option, language, open_store, option, say, say_json, say_table
from survey.cli.options import FILE
from survey.errors import InputError
from survey.text import LANGUAGES, Text, many
from survey.vocabulary import EMPLOYERS, ROLES

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
employer_option = option(
    "--employer",
    help=Text(
        "Cơ quan công tác: tên hoặc mã cơ quan của khung mẫu; trống để bỏ.",
        "Who employs them: a name, or a code of the frame; empty takes it away.",
    ),
)
kind_option = option(
    "--employer-kind", type=click.Choice(list(EMPLOYERS)), help=Text("Loại cơ quan công tác.", "Kind of employer.")
)
team_option = option("--team", help=Text("Nhóm, ví dụ tên giám sát viên.", "Team, such as its supervisor's name."))


@click.group(
    cls=Group,
    help=Text("Người dùng: thêm, xem, ghi rõ, đổi PIN, ngừng.", "People: add, list, describe, new PIN, disable."),
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
@employer_option
@kind_option
@team_option
@json_option
def add(
    name: str,
    roles: tuple[str, ...],
    user_id: str | None,
    pin: str | None,
    speaks: str,
    commune: str,
    employer: str | None,
    employer_kind: str | None,
    team: str | None,
    as_json: bool,
) -> None:
    from survey.sync import founding

    chosen = _chosen(pin)
    with open_store() as store:
        about = _told(commune=commune, employer=employer, employer_kind=employer_kind, team=team)
        document = founding.add_person(store, name, roles, chosen, user_id or "", speaks, **about)
    subject = document["id"]
    if as_json:
        say_json({"id": subject, "name": document["name"], "roles": document["roles"]})
    else:
        say(Text(f"Đã thêm {name}, mã {subject}", f"Added {name}, id {subject}"))


@user.command(
    name="set",
    help=Text(
        "Ghi xã, cơ quan công tác, nhóm của một người đã có.", "Tell the commune, employer or team of a known person."
    ),
    example="survey user set phoa --employer 'UBND xã Chiềng Mung' --employer-kind commune --team 'Nhóm 2'",
)
@click.argument("user_id", metavar="ID")
@option(
    "--commune",
    help=Text("Mã xã của người này; trống để bỏ.", "Code of the commune they belong to; empty takes it away."),
)
@employer_option
@kind_option
@team_option
def set_(user_id: str, **about: str | None) -> None:
    from survey.sync import staffing

    told = _told(**about)
    if not told:
        raise InputError(
            "survey user set",
            Text("chưa ghi mục nào", "nothing is told"),
            Text("xem: survey user set --help", "see: survey user set --help"),
        )
    with open_store() as store:
        person = staffing.change(store, user_id, told)
    say(Text(f"Đã ghi cho {person.get('name', user_id)}.", f"Noted for {person.get('name', user_id)}."))


@user.command(
    name="import",
    help=Text(
        "Thêm và ghi rõ nhiều người từ một bảng: mã, họ tên, vai trò, PIN, xã, cơ quan, loại cơ quan, nhóm.",
        "Add and describe many people from a table: id, name, roles, pin, commune, employer, employer_kind, team.",
    ),
    example="survey user import nguoi.xlsx",
)
@click.argument("file", type=FILE)
@json_option
def import_(file: Path, as_json: bool) -> None:
    from survey.sync import staffing
    from survey.tables import read_table

    with open_store() as store:
        done = staffing.bring(store, read_table(file))
    if as_json:
        say_json(done._asdict())
    else:
        say(
            Text(
                f"Đã thêm {len(done.added)} người, ghi lại {len(done.changed)} người.",
                f"Added {many(len(done.added), 'person', 'people')}, changed {len(done.changed)}.",
            )
        )


def _told(**about: str | None) -> dict[str, str]:
    return {name: value for name, value in about.items() if value is not None}


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
        [
            Text("mã", "id"),
            Text("họ tên", "name"),
            Text("vai trò", "roles"),
            Text("nhóm", "team"),
            Text("cơ quan công tác", "employer"),
            Text("trạng thái", "state"),
        ],
        [
            (
                person["id"],
                person.get("name", ""),
                ", ".join(ROLES[role](spoken) if role in ROLES else role for role in person.get("roles", [])),
                person.get("team", ""),
                person.get("employer", ""),
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

    return founding.check_pin(pin or ask_secret(Text("Mã PIN", "PIN"), twice=True))


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
