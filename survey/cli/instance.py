"""``survey init``: makes this machine's instance."""

from __future__ import annotations

import click

from survey.cli.base import Command, instance_folder, json_option, option, say, say_json
from survey.text import Text


@click.command(
    cls=Command,
    help=Text("Tạo kho dữ liệu, khóa và cấu hình của máy này.", "Make this machine's store, keys and settings."),
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
@json_option
def init(role: str, tier: str | None, name: str, as_json: bool) -> None:
    from survey import config
    from survey.store import Store

    folder = instance_folder()
    with Store.create(folder, role, tier=tier or "", name=name) as store:
        if not (folder / config.FILE).exists():
            config.write(folder, config.Config())
        made = {"instance": str(folder), "role": store.role, "tier": store.tier, "device": store.device, "name": name}
    if as_json:
        say_json(made)
    else:
        say(
            Text(
                f"Đã tạo kho dữ liệu trong {folder}. Mã máy: {made['device']}",
                f"Made the store in {folder}. Device id: {made['device']}",
            )
        )


commands = {"init": init}
