"""The two READMEs: nothing that the program has is missing there, and nothing that they name is missing here."""

from __future__ import annotations

import dataclasses
import re
import shlex
from collections.abc import Iterator

import click
import pytest

from survey.cli import cli
from survey.config import Config
from tests.outside import ROOT

READMES = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.vi.md")}


def blocks(text: str) -> list[str]:
    """The code blocks of a page."""
    return re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands(group: click.Group, name: str) -> Iterator[str]:
    """The full name of every command below ``group``."""
    context = click.Context(group)
    for child in group.list_commands(context):
        command = group.get_command(context, child)
        if isinstance(command, click.Group):
            yield from commands(command, f"{name} {child}")
        else:
            yield f"{name} {child}"


@pytest.mark.parametrize("name", READMES)
def test_every_command_has_a_row_and_every_row_a_command(name: str):
    rows = re.findall(r"^\| `(survey [^`]+)` \|", READMES[name], re.MULTILINE)
    assert sorted(rows) == sorted(commands(cli, "survey"))


@pytest.mark.parametrize("name", READMES)
def test_every_setting_is_told_with_its_default(name: str):
    for setting in dataclasses.fields(Config):
        written = f'"{setting.default}"' if isinstance(setting.default, str) else str(setting.default)
        assert f"| `{setting.name}` | `{written}` |" in READMES[name]


@pytest.mark.parametrize("name", READMES)
def test_the_two_commands_for_a_fresh_machine_are_given(name: str):
    lines = [line.split("#")[0].strip() for block in blocks(READMES[name]) for line in block.splitlines()]
    assert "make demo" in lines
    assert "make test" in lines


@pytest.mark.parametrize("name", READMES)
def test_every_target_of_make_that_is_named_exists(name: str):
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"\bmake ([a-z]+)\b", "\n".join(blocks(READMES[name])))) <= set(targets)


@pytest.mark.parametrize("name", READMES)
def test_every_command_line_that_is_shown_is_one_that_the_program_reads(name: str):
    shown = [line for block in blocks(READMES[name]) for line in block.splitlines() if line.startswith("survey ")]
    assert shown
    for line in shown:
        words = shlex.split(line.replace("\\", "/"), comments=True)[1:]
        command: click.Command = cli
        while isinstance(command, click.Group):
            found = command.get_command(click.Context(command), words[0])
            assert found is not None, f"{name}: {line}"
            command, words = found, words[1:]
        known = {option for parameter in command.params for option in parameter.opts + parameter.secondary_opts}
        assert {word.split("=")[0] for word in words if word.startswith("--")} <= known, f"{name}: {line}"


def test_the_two_pages_show_the_same_commands():
    assert blocks(READMES["README.md"]) == blocks(READMES["README.vi.md"])


@pytest.mark.parametrize("name", READMES)
def test_every_file_that_a_page_links_to_is_there(name: str):
    links = re.findall(r"\]\(([^)#:]+)\)", READMES[name])
    assert [link for link in links if not (ROOT / link).exists()] == []
