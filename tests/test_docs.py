"""What is written about the program keeps up with it: every command and setting is in both READMEs, both say the same,
links lead somewhere, and nothing is named that lies outside the repository."""

from __future__ import annotations

import dataclasses
import re
import shlex
import tomllib
from collections.abc import Iterator

import click
import pytest

from survey.cli import cli
from survey.config import Config
from tests.outside import ROOT

READMES = ("README.md", "README.vi.md")
GUIDES = ("enumerator", "supervisor", "statistician")
PAGES = sorted(
    str(file.relative_to(ROOT)) for file in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")] if file.is_file()
)


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def commands(command: click.Command = cli, path: str = "survey") -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with the words that call it."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner is not None
        yield from commands(inner, f"{path} {name}")


COMMANDS = dict(commands())


def rows(page: str, first: str) -> dict[str, list[str]]:
    """The rows of the tables whose first cell is code that begins with ``first``, by that code."""
    found = {}
    for line in text_of(page).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `" + first):
            found[cells[0].strip("`")] = cells[1:]
    return found


def code(page: str) -> list[str]:
    """The lines of a page's code blocks, without comments and what is not meant for the command line."""
    blocks = re.findall(r"^```\n(.*?)^```$", text_of(page), re.M | re.S)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def spoken(page: str) -> list[str]:
    """Every `survey …` that a page tells its reader to type, from code blocks and from running text."""
    running = re.sub(r"^```\n.*?^```$", "", text_of(page), flags=re.M | re.S)
    lines = code(page) + [" ".join(piece.split()) for piece in re.findall(r"`(survey [^`]+)`", running)]
    return [line for line in lines if line.startswith("survey ")]


# -- nothing is missing -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", READMES)
def test_every_command_has_its_row_and_every_row_its_command(page: str):
    listed = rows(page, "survey")
    assert sorted(listed) == sorted(COMMANDS)
    assert all(len(cells) == 1 and cells[0] for cells in listed.values())


@pytest.mark.parametrize("page", READMES)
def test_every_setting_has_its_row_with_its_default(page: str):
    listed = rows(page, "")
    for setting in dataclasses.fields(Config):
        default, meaning = listed[setting.name]
        assert tomllib.loads(f"value = {default.strip('`')}")["value"] == setting.default
        assert meaning
    assert {field.name for field in dataclasses.fields(Config)} == {
        name for name in listed if not name.startswith("survey")
    }


@pytest.mark.parametrize("page", READMES)
@pytest.mark.parametrize("name", ["--instance", "--lang", "--debug", "--json", "SURVEY_INSTANCE", "SURVEY_LANG"])
def test_what_works_everywhere_is_named(page: str, name: str):
    assert name in text_of(page)


@pytest.mark.parametrize("page", READMES)
def test_the_two_commands_stand_alone_in_code_blocks(page: str):
    blocks = re.findall(r"^```\n(.*?)^```$", text_of(page), re.M | re.S)
    assert "make demo\n" in blocks
    assert "make test\n" in blocks
    (windows,) = (block for block in blocks if "py -m venv" in block)
    assert "survey demo" in windows


@pytest.mark.parametrize("page", READMES)
def test_every_goal_of_the_makefile_is_named(page: str):
    goals = set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.M)) - {"help"}
    assert {"demo", "test", "stick"} <= goals
    assert all(f"make {goal}" in text_of(page) for goal in goals)


# -- what is written can be typed ---------------------------------------------------------------------------------


# Decision records and the changelog also tell of commands that are to come, or were.
@pytest.mark.parametrize("page", [page for page in PAGES if not page.startswith(("docs/decisions", "CHANGELOG"))])
def test_commands_in_the_text_exist_with_their_options(page: str):
    assert [line for line in spoken(page) if not can_be_typed(line)] == []


@pytest.mark.parametrize(
    "line", ["survey sing", "survey score x.csv --sing", "survey user add --role", "survey user", "survey run # --sing"]
)
def test_a_command_that_does_not_exist_is_seen(line: str):
    assert can_be_typed(line) == ("sing" not in line or "#" in line)


def can_be_typed(line: str) -> bool:
    """Whether a line names a command, or a group of them, with options that it has."""
    words = shlex.split(line.replace("\\", "/"), comments=True)
    names = [" ".join(words[:n]) for n in range(len(words), 0, -1)]
    known = next((name for name in names if name in COMMANDS), "")
    options = {option for parameter in COMMANDS[known].params for option in parameter.opts} if known else set()
    used = {word.partition("=")[0] for word in words if word.startswith("--")}
    group = any(name.startswith(" ".join(words) + " ") for name in COMMANDS)
    return used <= options | {"--help"} and bool(known or group)


# -- two languages, one content -----------------------------------------------------------------------------------


PAIRS = [READMES, *((f"docs/guides/{name}.md", f"docs/guides/{name}.vi.md") for name in (*GUIDES, "quality"))]


@pytest.mark.parametrize(("english", "vietnamese"), PAIRS)
def test_both_languages_have_the_same_headings_commands_tables_and_lists(english: str, vietnamese: str):
    def shape(page: str) -> dict[str, list[str]]:
        running = re.sub(r"^```\n.*?^```$", "", text_of(page), flags=re.M | re.S)
        return {
            "headings": re.findall(r"^(#+) ", running, re.M),
            "items": re.findall(r"^(\*|\d+\.) ", running, re.M),
            "code": code(page),
            "rows": [line.split("|")[1].strip() for line in running.splitlines() if line.startswith("| `")],
            "commands": sorted(re.sub(r'"[^"]*"', '""', line) for line in spoken(page)),
            "keys": sorted(set(re.findall(r"`(Enter|Shift\+Enter|Esc|F\d|[/*+])`", running))),
            "targets": sorted(target.replace(".vi.md", ".md") for target in links(page)),
        }

    assert shape(english) == shape(vietnamese)


def test_every_decision_has_a_number_of_its_own_which_its_heading_repeats():
    files = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [int(file.name[:4]) for file in files]
    assert len(set(numbers)) == len(numbers)
    for file, number in zip(files, numbers, strict=True):
        assert re.match(rf"# 0*{number} · ", file.read_text(encoding="utf-8")), file.name


# -- links and places ---------------------------------------------------------------------------------------------


def links(page: str) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", text_of(page))


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files_of_the_repository(page: str):
    near = [link.partition("#")[0] for link in links(page) if not re.match(r"\w+:|#", link)]
    targets = {link: ((ROOT / page).parent / link).resolve() for link in near}
    assert [link for link, file in targets.items() if not (file.exists() and file.is_relative_to(ROOT))] == []


@pytest.mark.parametrize("image", ["interview.png", "report.png"])
def test_screenshots_have_the_size_of_a_field_laptops_screen_and_are_small(image: str):
    content = (ROOT / "docs" / "images" / image).read_bytes()
    assert content.startswith(b"\x89PNG")
    assert (int.from_bytes(content[16:20]), int.from_bytes(content[20:24])) == (1366, 768)
    assert len(content) < 150_000


@pytest.mark.parametrize("page", PAGES)
def test_no_page_names_a_folder_outside_the_repository(page: str):
    text = text_of(page)
    outside = re.findall(r"(?:\.\./)+shared\b|(?<![\w:/.])/(?:home|work|root|tmp|mnt|Users)/\S*", text)
    assert outside == []


# -- the words of the pages ---------------------------------------------------------------------------------------

SPOKEN = " ".join(
    file.read_text(encoding="utf-8")
    for folder in ("web", "cli")
    for pattern in ("*.py", "*.html")
    for file in [ROOT / "survey" / "vocabulary.py", *sorted((ROOT / "survey" / folder).rglob(pattern))]
).casefold()


@pytest.mark.parametrize("page", [page for pair in PAIRS[1:3] for page in pair])
def test_what_a_guide_says_stands_on_a_page_does(page: str):
    steps = " ".join(text_of(page).partition("\n## ")[2].replace("**", "").split())
    on_buttons = re.findall(r"(?<![\w`])\*(\w[^*`]+?)\*(?!\w)", steps)
    in_messages = re.findall(r"[“\"]([^”\"]+\.)[”\"]", steps)
    assert len(on_buttons) > 10
    assert [words for words in on_buttons + in_messages if words.rstrip(".").casefold() not in SPOKEN] == []
