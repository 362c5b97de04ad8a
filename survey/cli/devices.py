"""``survey device enrol | list | revoke``: the laptops of a round."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from survey.cli.base import Group, json_option, language, open_store, option, say, say_json, say_table
from survey.cli.options import NEW_FILE
from survey.errors import InputError
from survey.text import Text, many

if TYPE_CHECKING:
    from survey.store import Store


_FOR = option(
    "--for",
    "people",
    multiple=True,
    metavar="USER",
    help=Text(
        "Người làm việc trên máy (lặp lại được): máy chỉ nhận liên hệ của đơn vị mẫu của họ.",
        "Who works on it (repeatable): it then gets the contact data of their sample units alone.",
    ),
)


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
@_FOR
@json_option
def enrol(devices: tuple[str, ...], every: bool, name: str, people: tuple[str, ...], as_json: bool) -> None:
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
            done = [rounds.enrol(store, found, name, people=list(people)) for found in wanted]
    if as_json:
        say_json([{"id": document["id"], "name": document["name"]} for document in done])
        return
    for document in done:
        say(Text(f"Đã đăng ký {document['id']} {document['name']}", f"Enrolled {document['id']} {document['name']}"))
    if not done:
        say(Text("Không có máy nào cần đăng ký.", "There is nothing to enrol."))


@device.command(
    help=Text(
        "Tạo mã mời: một máy dùng một lần, trong một giờ, để đăng ký qua mạng.",
        "Make an invitation code: one laptop enrols with it over the network, once, within an hour.",
    ),
    example="survey device invite --name 'Máy 3' --for phoa\nsurvey device invite --file may3.invitation",
)
@option("--name", default="", help=Text("Tên gọi của máy.", "What people call the laptop."))
@_FOR
@option(
    "--address",
    default="",
    metavar="HOST[:PORT]",
    help=Text("Địa chỉ máy chủ ghi trong tệp mời.", "The hub's address to write into the file."),
)
@option(
    "--file",
    type=NEW_FILE,
    help=Text("Ghi luôn mã, địa chỉ và chứng thư ra tệp.", "Also write code, address and certificate into a file."),
)
@json_option
def invite(name: str, people: tuple[str, ...], address: str, file: Path | None, as_json: bool) -> None:
    from datetime import UTC, datetime

    from survey import config
    from survey.store import invitations
    from survey.sync import pairing, rounds
    from survey.sync.server import addresses

    with open_store() as store:
        code = rounds.invite(store, name, list(people), datetime.now(UTC).astimezone())
        fingerprint = pairing.ensure_certificate(store.folder, store.device)
        port = config.load(store.folder).hub_port
    places = [address] if address else [f"{host}:{port}" for host in addresses()]
    made = {"code": str(code), "addresses": places, "fingerprint": fingerprint, "minutes": invitations.MINUTES}
    if file is not None:
        file.write_text(pairing.write_invitation(places, str(code), fingerprint), encoding="utf-8")
    if as_json:
        say_json(made)
        return
    say(Text(f"Mã mời: {code}", f"Invitation code: {code}"))
    shown = ", ".join(places) or "?"
    say(
        Text(
            f"Địa chỉ: {shown} · dùng một lần, trong {invitations.MINUTES} phút",
            f"Address: {shown} · works once, for {many(invitations.MINUTES, 'minute')}",
        )
    )


@device.command(
    help=Text(
        "Đăng ký máy này ở máy chủ tiếp nhận bằng mã mời (hoặc tệp mời).",
        "Enrol this machine at a hub with an invitation code (or its file).",
    ),
    example="survey device join 192.168.1.20 K7Q2-MHWP-R5TN\nsurvey device join may3.invitation",
)
@click.argument("where", metavar="HOST[:PORT]|FILE")
@click.argument("code", required=False, default="")
@json_option
def join(where: str, code: str, as_json: bool) -> None:
    from survey.sync import client, pairing

    with open_store() as store:
        invitation = pairing.Invited((where,), code) if code else pairing.read_invitation(Path(where))
        found = client.join(store, invitation)
    if as_json:
        say_json(found)
    else:
        say(
            Text(
                f"Đã đăng ký ở {found.address}. Nộp và nhận: survey sync {found.address}",
                f"Enrolled at {found.address}. To exchange: survey sync {found.address}",
            )
        )


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
