"""The stick: complete for every laptop, and installed without a network in a folder with spaces and diacritics.

``install.bat`` cannot be run here; that it only looks for Python and hands over to ``install.py`` is what is tested.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from survey.store import Store, frame, vault
from survey.sync import exchange, rounds
from tests import outside
from tools import stick
from tools.stick import LINUX, TARGETS, Target, missing

FILES = outside.ROOT / "tools" / "stick_files"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def wheel(folder: Path, name: str, *needs: str, tag: str = "py3-none-any") -> Path:
    """A wheel with nothing but what it says that it needs."""
    project, version = name.split("-")
    file = folder / f"{project}-{version}-{tag}.whl"
    metadata = [f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}", *(f"Requires-Dist: {n}" for n in needs)]
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{project}-{version}.dist-info/METADATA", "\n".join(metadata) + "\n")
    return file


WINDOWS_311, LINUX_311 = TARGETS[0], TARGETS[1]


def test_there_is_a_target_for_each_python_and_system():
    assert [(t.python, t.system) for t in TARGETS] == [
        (python, system) for python in ("3.11", "3.12", "3.13") for system in ("Windows", "Linux")
    ]


def test_what_only_windows_needs_is_noticed_on_linux(tmp_path: Path):
    wheels = [
        wheel(tmp_path, "citizen_survey-0.1.0", "click>=8"),
        wheel(tmp_path, "click-8.1", 'colorama; sys_platform == "win32"'),
    ]
    assert missing(wheels, LINUX_311) == []
    assert [need.name for need in missing(wheels, WINDOWS_311)] == ["colorama"]
    wheels.append(wheel(tmp_path, "colorama-0.4"))
    assert missing(wheels, WINDOWS_311) == []


def test_a_wheel_for_another_system_python_or_version_does_not_count(tmp_path: Path):
    own = wheel(tmp_path, "citizen_survey-0.1.0", "cffi>=2")
    for other in (
        wheel(tmp_path, "cffi-2.0", tag="cp311-cp311-win_amd64"),
        wheel(tmp_path, "cffi-2.0", tag="cp312-cp312-manylinux_2_17_x86_64"),
        wheel(tmp_path, "cffi-2.0", tag="cp311-cp311-manylinux_2_39_x86_64"),
        wheel(tmp_path, "cffi-1.9", tag="cp311-cp311-manylinux_2_17_x86_64"),
    ):
        assert [str(need) for need in missing([own, other], LINUX_311)] == ["cffi>=2"]
    good = wheel(tmp_path, "cffi-2.1", tag="cp39-abi3-manylinux2014_x86_64")
    assert missing([own, good], LINUX_311) == []


def test_a_need_in_an_extra_counts_only_when_the_extra_is_asked_for(tmp_path: Path):
    wheels = [
        wheel(tmp_path, "citizen_survey-0.1.0", "a[fast]"),
        wheel(tmp_path, "a-1", 'b; extra == "fast"', 'c; extra == "slow"'),
    ]
    assert [need.name for need in missing(wheels, LINUX_311)] == ["b"]


def test_the_batch_file_is_ascii_with_windows_line_ends_and_only_looks_for_python():
    content = (FILES / "install.bat").read_bytes()
    assert content.isascii()
    assert content.count(b"\n") == content.count(b"\r\n") > 0
    lines = content.decode().splitlines()
    assert "chcp 65001 >nul" in lines
    assert "for %%v in (3.13 3.12 3.11) do (" in lines
    assert sum('"%~dp0files\\install.py"' in line for line in lines) == 2


@pytest.mark.parametrize("name", ["HUONG-DAN.txt", "no-python.txt"])
def test_what_people_read_on_the_stick_is_in_both_languages(name: str):
    text = (FILES / name).read_text(encoding="utf-8")
    assert "Python" in text or "USB" in text
    assert "Windows" in text
    assert any(word in text for word in ("Máy này", "CÀI ĐẶT"))
    assert any(word in text for word in ("This machine", "INSTALLING"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stick for this machine's Python alone, in a folder with a space and diacritics."""
    out = tmp_path_factory.mktemp("usb") / "Ổ đĩa USB" / "khảo sát"
    out.parent.mkdir()
    try:
        list(stick.build(out, [Target(PYTHON, "Linux", LINUX)]))
    except subprocess.CalledProcessError:
        outside.missing("a package index")
    return out


@pytest.fixture
def with_round(made: Path, hub: Store) -> Iterator[Path]:
    """The stick with a round file beside ``install.sh``."""
    rounds.issue_round(hub, {"id": "r1", "title": {"vi": "Đợt một", "en": "Round one"}})
    file = made / "r1.round"
    rounds.export_round(hub, "r1", file)
    yield made
    file.unlink()


PASSPHRASE = "bốn con voi uống trà"


class Laptop:
    """A person's home folder with spaces and diacritics, on a machine that reaches no network."""

    def __init__(self, folder: Path):
        self.home = folder / "nhà Lò Thị Hoa"
        (self.home / "Desktop").mkdir(parents=True)
        self.base = self.home / ".local" / "share" / "citizen-survey"
        # An unreachable proxy: whatever asked the network would fail. C: a laptop that knows no language.
        closed = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "LANG": "C"}
        path = f"{Path(sys.executable).resolve().parent}:/usr/bin:/bin"
        self.environment = {"PATH": path, "HOME": str(self.home), "SURVEY_PASSPHRASE": PASSPHRASE, **closed}

    def run(self, *command: str | Path, answer: str = "") -> str:
        done = subprocess.run(
            command, env=self.environment, input=answer.encode(), capture_output=True, cwd=self.home, timeout=300
        )
        assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
        return done.stdout.decode()

    def data(self) -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in (self.base / "instance").rglob("*") if path.is_file()}


@pytest.mark.skipif(sys.platform != "linux" or not "3.11" <= PYTHON <= "3.13", reason="the stick is for other Pythons")
def test_a_laptop_is_installed_and_upgraded_without_a_network_and_keeps_its_data(
    with_round: Path, hub: Store, tmp_path: Path
):
    laptop = Laptop(tmp_path)
    said = laptop.run("sh", with_round / "install.sh", answer="y\n")
    assert "Đã cài xong" in said
    assert "Installed." in said
    assert "sipas_2024" in os.listdir(with_round / "questionnaires")

    # The command, the desktop's icon, and a round whose key was confirmed.
    listed = json.loads(laptop.run(laptop.home / ".local" / "bin" / "survey", "round", "show", "--json"))
    assert (listed["id"], listed["fingerprint_confirmed"]) == ("r1", True)
    icon = (laptop.home / "Desktop" / "citizen-survey.desktop").read_text(encoding="utf-8")
    assert f'Exec=sh "{laptop.base / "start.sh"}"' in icon
    # The hub learns of the laptop from the stick.
    vault.unlock(laptop.base / "instance", PASSPHRASE)
    with Store.open(laptop.base / "instance") as store:
        device = store.device
    exchange.sync(hub, [with_round])
    assert device in [document["id"] for document in frame.devices(hub)]

    (first,) = laptop.base.glob("program-*")
    os.rename(first, laptop.base / "program-20000101-000000")
    (with_round / "r1.round").rename(tmp_path / "r1.round")
    before = laptop.data()
    laptop.run("sh", with_round / "install.sh")
    (tmp_path / "r1.round").rename(with_round / "r1.round")
    assert laptop.data() == before
    assert len(list(laptop.base.glob("program-*"))) == 1
    assert not (laptop.base / "program-20000101-000000").exists()
    (backup,) = laptop.base.glob("backups/*")
    vault.unlock(backup, PASSPHRASE)
    with Store.open(backup) as copy:
        assert copy.device == device
        assert [document["id"] for document in frame.rounds(copy)] == ["r1"]


@pytest.mark.skipif(sys.platform != "linux", reason="install.sh is for Linux")
def test_an_install_that_fails_leaves_program_and_data_and_says_so_in_both_languages(tmp_path: Path):
    files = tmp_path / "stick" / "files"
    files.mkdir(parents=True)
    for source, name in ((FILES / "install.sh", "install.sh"), (FILES / "install.py", "files/install.py")):
        (tmp_path / "stick" / name).write_bytes(source.read_bytes())
    (files / "wheels").mkdir()
    base = tmp_path / "home"
    base.mkdir()
    (base / "start.sh").write_text("the earlier one")
    environment = {"PATH": f"{Path(sys.executable).resolve().parent}:/usr/bin:/bin", "SURVEY_HOME": str(base)}
    done = subprocess.run(
        ["sh", tmp_path / "stick" / "install.sh"], env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 1
    assert "Dữ liệu và bản cũ vẫn nguyên" in done.stdout
    assert "The data and the earlier version are as they were" in done.stdout
    assert [path.name for path in base.iterdir()] == ["start.sh"]


@pytest.mark.skipif(sys.platform != "linux", reason="install.sh is for Linux")
def test_a_laptop_without_python_is_told_what_to_install(tmp_path: Path):
    (tmp_path / "files").mkdir()
    for name, source in (("install.sh", FILES / "install.sh"), ("files/no-python.txt", FILES / "no-python.txt")):
        (tmp_path / name).write_bytes(source.read_bytes())
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("dirname", "cat"):
        (tools / name).symlink_to(f"/usr/bin/{name}")
    done = subprocess.run(["/bin/sh", tmp_path / "install.sh"], env={"PATH": str(tools)}, capture_output=True)
    assert done.returncode == 1
    assert "Máy này chưa có Python 3.11" in done.stdout.decode()
