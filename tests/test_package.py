"""The wheel: complete, and at work in an empty environment, from another folder."""

from __future__ import annotations

import json
import os
import subprocess
import venv
import zipfile
from pathlib import Path

import pytest

from tests import outside
from tools import stick

PACKAGES = ("survey", "analysis", "questionnaires")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stick.own_wheel(tmp_path_factory.mktemp("wheel"))


def test_the_wheel_holds_every_file_of_the_packages(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    files = {
        path.relative_to(outside.ROOT).as_posix()
        for package in PACKAGES
        for path in (outside.ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert packed == files


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """The ``bin`` folder of a new environment with the wheel and what it asks for, nothing else."""
    folder = tmp_path_factory.mktemp("môi trường trống")
    venv.create(folder, with_pip=True, symlinks=os.name != "nt")
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    command = [programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel]
    if subprocess.run(command, check=False).returncode:
        outside.missing("a package index")
    return programs


def run(program: Path, *arguments: str, folder: Path) -> str:
    environment = {"PATH": str(program.parent), "SURVEY_LANG": "en", "HOME": str(folder)}
    done = subprocess.run([program, *arguments], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_command_runs_from_another_folder_without_the_desk_packages(empty: Path, tmp_path: Path):
    assert "Usage: survey" in run(empty / "survey", "--help", folder=tmp_path)
    assert "survey " in run(empty / "survey", "--version", folder=tmp_path)
    assert "Usage: survey" in run(empty / "python", "-m", "survey", "--help", folder=tmp_path).replace(
        "python -m survey", "survey"
    )
    installed = {
        row["name"]
        for row in json.loads(run(empty / "python", "-m", "pip", "list", "--format", "json", folder=tmp_path))
    }
    assert "citizen-survey" in installed
    assert installed.isdisjoint({"numpy", "pandas", "scipy", "pyarrow", "matplotlib"})


def test_a_shipped_instrument_is_found_and_checked_from_another_folder(empty: Path, tmp_path: Path):
    run(empty / "survey", "questionnaire", "check", "sipas_2024", folder=tmp_path)


def test_an_instance_is_made_and_listed_there(empty: Path, tmp_path: Path):
    run(empty / "survey", "init", "--plain", folder=tmp_path)
    assert "enrolled" in run(empty / "survey", "device", "list", folder=tmp_path)
