"""``survey device enrol | list | revoke``: the laptops of a round."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from survey.cli.base import Group, json_option, language, open_store, option, say, say_json, say_table
from survey.errors import InputError
from survey.text import Text

if TYPE_CHECKING:
    from survey.store import Store


@click.group(cls=Group, help=Text("Máy tham gia khảo sát: đăng ký, xem, thu hồi.", "Laptops: enrol, list, revoke."))
def device() -> None:
    pass


@device.command(
    help=Text(
        "Đăng ký máy vào đợt: ký chứng nhận cho máy bằng khóa của đợt.",
        "Enrol laptops: sign their certificates with the round key.",
    ),
    example="survey device enrol d3f2a --name 'Máy 3'\nsurvey device enrol --all",
)
@click.argument("devices", nargs=-1, metavar="ID…")
@option("--all", "every", is_flag=True, help=Text("Mọi máy chưa đăng ký.", "Every laptop not yet enrolled."))
@option("--name", default="", help=Text("Tên gọi của máy (khi nêu một máy).", "What people call it (for one laptop)."))
@json_option
def enrol(devices: tuple[str, ...], every: bool, name: str, as_json: bool) -> None:
    from survey.store import frame
    from survey.sync import rounds

    if bool(devices) == every or (name and len(devices) != 1):
        raise InputError(
            "survey device enrol",
            Text("nêu mã máy hoặc --all; --name chỉ cho một máy", "name laptops or --all; --name is for one laptop"),
            Text("xem: survey device list", "see: survey device list"),
        )
    with open_store() as store:
        wanted = [_one(store, text) for text in devices]
        if every:
            wanted = [
                found
                for found in frame.devices(store)
                if not found.get("revoked") and not rounds.is_enrolled(store, found)
            ]
        with store.transaction():
            done = [rounds.enrol(store, found, name) for found in wanted]
    if as_json:
        say_json([{"id": document["id"], "name": document["name"]} for document in done])
        return
    for document in done:
        say(Text(f"Đã đăng ký {document['id']} {document['name']}", f"Enrolled {document['id']} {document['name']}"))
    if not done:
        say(Text("Không có máy nào cần đăng ký.", "There is nothing to enrol."))


@device.command(
    name="list",
    help=Text("Xem các máy đã biết.", "List the laptops known here."),
    example="survey device list",
)
@json_option
def list_(as_json: bool) -> None:
    from survey.store import frame
    from survey.sync import rounds

    with open_store() as store:
        rows = [
            {
                "id": found["id"],
                "name": found.get("name", ""),
                "role": found.get("role", ""),
                "tier": found.get("tier", ""),
                "state": "revoked"
                if found.get("revoked")
                else ("enrolled" if rounds.is_enrolled(store, found) else "not enrolled"),
                "this": found["id"] == store.device,
            }
            for found in frame.devices(store)
        ]
    if as_json:
        say_json(rows)
        return
    spoken = language()
    states = {
        "revoked": Text("đã thu hồi", "revoked"),
        "enrolled": Text("đã đăng ký", "enrolled"),
        "not enrolled": Text("chưa đăng ký", "not enrolled"),
    }
    say_table(
        [Text("mã máy", "id"), Text("tên", "name"), Text("cấp", "tier"), Text("trạng thái", "state"), Text("", "")],
        [
            (
                row["id"],
                row["name"],
                row["tier"],
                states[row["state"]](spoken),
                Text("máy này", "this one")(spoken) if row["this"] else "",
            )
            for row in rows
        ],
    )


@device.command(
    help=Text(
        "Thu hồi đăng ký của một máy; phiếu đã nhận vẫn giữ nguyên.",
        "Revoke a laptop's enrolment; what it handed over stays.",
    ),
    example="survey device revoke d3f2a --reason 'Mất máy'",
)
@click.argument("device_id", metavar="ID")
@option("--reason", required=True, help=Text("Lý do, một câu.", "The reason, one sentence."))
def revoke(device_id: str, reason: str) -> None:
    from survey.sync import rounds

    with open_store() as store:
        found = _one(store, device_id)
        rounds.revoke(store, found, reason)
    say(Text(f"Đã thu hồi đăng ký của {found['id']}", f"Revoked {found['id']}"))


def _one(store: Store, text: str) -> dict[str, Any]:
    """The device whose id begins with ``text``; InputError when none or several do."""
    from survey.store import frame

    found = [document for document in frame.devices(store) if str(document["id"]).startswith(text)]
    if len(found) == 1:
        return found[0]
    raise InputError(
        f"device {text}",
        Text(
            "không có máy nào có mã bắt đầu như vậy" if not found else f"có {len(found)} máy có mã bắt đầu như vậy",
            "no laptop's id begins so" if not found else f"{len(found)} laptops' ids begin so",
        ),
        Text("xem: survey device list", "see: survey device list"),
    )


commands = {"device": device}
