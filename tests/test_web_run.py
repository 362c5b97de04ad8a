"""``survey run``: what it refuses in words, and what it must not load on a field laptop."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

from survey.store import Store
from tests import field

START = """
import sys
from survey import create_app
app = create_app(sys.argv[1])
client = app.test_client()
address = "http://127.0.0.1:8450"
assert client.get("/sign-in", base_url=address).status_code == 200
app.extensions["survey"].close()
print(sorted({"numpy", "pandas", "pyxform", "openpyxl", "analysis", "scipy"} & set(sys.modules)))
"""


def test_without_a_store_it_says_what_to_do(survey: Callable[..., Result], instance: Path) -> None:
    done = survey("run", "--no-browser")
    assert done.exit_code == 2
    assert "there is no store here; run: survey init" in done.output
    assert not instance.exists()


def test_a_port_in_use_is_said_in_words(survey: Callable[..., Result], device: Store) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = survey("run", "--no-browser", "--port", port)
    assert done.exit_code == 2
    assert f"127.0.0.1:{port}: this port is in use" in done.output


def test_an_uploaded_file_that_a_power_cut_left_is_gone_at_the_next_start(
    survey: Callable[..., Result], device: Store
) -> None:
    for name in ("brought-ab12cd_9", "brought-by-hand-1", "up-ab12cd_9"):
        (device.folder / name).mkdir()
        (device.folder / name / "mau.xlsx").write_bytes(b"names")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        survey("run", "--no-browser", "--port", taken.getsockname()[1])
    left = {file.name for file in device.folder.iterdir() if file.is_dir()}
    # A chunk of an exchange may be another process's of this minute; it holds nothing readable and goes later.
    assert {"brought-by-hand-1", "up-ab12cd_9"} == left - {"keys"}


def test_hub_is_refused_on_a_field_laptop(survey: Callable[..., Result], device: Store) -> None:
    done = survey("run", "--no-browser", "--hub", "--port", "0")
    assert done.exit_code == 2
    assert "this instance is not a hub" in done.output


def test_a_port_that_is_none_is_a_wrong_usage(survey: Callable[..., Result], device: Store) -> None:
    assert survey("run", "--port", "70000").exit_code == 2


def test_the_pages_start_without_anything_of_the_desk(device: Store, instance: Path) -> None:
    field.set_up(device, field.small())
    done = subprocess.run([sys.executable, "-c", START, str(instance)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
