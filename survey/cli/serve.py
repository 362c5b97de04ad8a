"""``survey run``: the app on this machine, and the browser on its front page."""

from __future__ import annotations

import errno
import socket
from typing import Any

import click

from survey.cli.base import Command, account, instance_folder, option, say, unlock_instance
from survey.errors import InputError, NotAllowed
from survey.text import Text

HOST = "127.0.0.1"
THREADS = 4


@click.command(
    cls=Command,
    help=Text(
        "Mở các trang của chương trình trong trình duyệt, chỉ trên máy này.",
        "Serve the pages to the browser of this machine, and to no other.",
    ),
    example="survey run --port 8450",
)
@option(
    "--port",
    type=click.IntRange(0, 65535),
    help=Text("Cổng (mặc định: trong config.toml; 0 = tự chọn).", "Port (default: config.toml; 0 = any free one)."),
)
@option(
    "--hub",
    is_flag=True,
    help=Text(
        "Máy chủ tiếp nhận: mở trang Nhận phiếu và nhận phiếu qua mạng (TLS).",
        "A hub: open the page where interviews are received, and listen for devices (TLS).",
    ),
)
@option(
    "--listen",
    metavar="HOST:PORT",
    default="",
    help=Text(
        "Địa chỉ nhận phiếu qua mạng (mặc định: mọi địa chỉ, cổng hub_port).",
        "Where a hub listens for devices (default: every address, port hub_port).",
    ),
)
@option(
    "--browser/--no-browser",
    default=True,
    help=Text("Có hoặc không mở trình duyệt.", "Open the browser or not."),
)
def run(port: int | None, hub: bool, listen: str, browser: bool) -> None:
    """Serves until it is stopped with Ctrl+C."""
    from waitress.server import create_server

    from survey import config, create_app
    from survey.store import Store, audit, vault
    from survey.sync.files import sweep

    folder = instance_folder()
    if folder.is_dir():
        sweep(folder, starting=True)
    # Nobody is asked here: a laptop is started by a double click, and its first page asks.
    unlock_instance(ask=False)
    app = create_app(folder)
    if vault.is_encrypted(folder) and not vault.is_locked(folder):
        with Store.open(folder) as store:
            audit.note(store, "unlock", detail={"account": account()})
    desk = app.extensions["survey"]
    if hub or listen:
        _require_hub(desk)
    listening = _listen(config.load(folder).port if port is None else port)
    server = create_server(app, sockets=[listening], threads=THREADS, ident=None)
    address = f"http://{HOST}:{listening.getsockname()[1]}/" + ("receive" if hub else "")
    say(Text(f"Mở tại {address} (dừng: Ctrl+C)", f"Open at {address} (stop: Ctrl+C)"))
    door = app.extensions["survey.door"]
    if hub or listen:
        _open_door(door, listen)
    if browser:
        _open_browser(address)
    try:
        server.run()
    finally:
        server.close()
        door.shut()
        desk.close()


def _listen(port: int) -> socket.socket:
    """A socket bound to this machine alone. Raises InputError when the port is in use."""
    listening = socket.socket()
    # On Windows this option would let a second program take the port from the first; elsewhere a restart needs it.
    listening.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR), 1)
    try:
        listening.bind((HOST, port))
    except OSError as error:
        listening.close()
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise InputError(
            f"{HOST}:{port}",
            Text("cổng này đang được dùng", "this port is in use"),
            Text(
                "có thể chương trình đã mở sẵn: thử địa chỉ đó trong trình duyệt, hoặc chọn cổng khác bằng --port",
                "the program may already be open: try that address in the browser, or choose another with --port",
            ),
        ) from error
    return listening


def _open_door(door: Any, listen: str) -> None:
    """Opens a hub to the network. A port that is taken ends nothing unless it was asked for: sticks still work."""
    try:
        if door.is_locked():
            door.waiting = _address(listen) if listen else (door.EVERYWHERE, None)
            said = Text("Nhận phiếu qua mạng sau khi nhập cụm mật khẩu.", "Listens for devices once it is unlocked.")
            say(said)
            return
        if listen:
            door.open(*_address(listen))
        else:
            door.open()
    except InputError as error:
        if listen:
            raise
        say(Text(error("vi"), error("en")))
        return
    where = ", ".join(f"https://{place}" for place in door.places())
    say(
        Text(
            f"Nhận phiếu qua mạng tại {where}; chứng thư {door.fingerprint[:16]}…",
            f"Listening for devices at {where}; certificate {door.fingerprint[:16]}…",
        )
    )


def _address(listen: str) -> tuple[str, int]:
    """Host and port of ``--listen``; InputError for anything else."""
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit():
        raise InputError(
            f"--listen {listen}",
            Text("không phải địa chỉ và cổng", "not an address and a port"),
            Text("ví dụ --listen 0.0.0.0:8451", "such as --listen 0.0.0.0:8451"),
        )
    return host, int(port)


def _require_hub(desk: object) -> None:
    from survey.store import vault
    from survey.web.desk import Desk

    assert isinstance(desk, Desk)
    if vault.is_locked(desk.instance):
        return  # its pages say so to whoever unlocks it
    store = desk.take()
    role = store.role
    desk.give_back(store)
    if role != "hub":
        raise NotAllowed(
            str(desk.instance),
            Text("máy này không phải máy chủ tiếp nhận", "this instance is not a hub"),
            Text(
                "bỏ --hub, hoặc tạo bằng: survey init --role hub",
                "leave --hub out, or make one: survey init --role hub",
            ),
        )


def _open_browser(address: str) -> None:
    """In a thread of its own: some systems wait for the browser to end."""
    import webbrowser
    from threading import Thread

    Thread(target=webbrowser.open, args=(address,), daemon=True).start()


commands: dict[str, click.Command] = {"run": run}
