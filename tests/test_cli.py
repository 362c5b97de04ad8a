"""The command line: two languages, exit codes, and errors that say where, what and what to do."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from survey.cli import COMMANDS, cli
from survey.cli.base import FINDINGS, Command, Group, Root, instance_folder, language, progress
from survey.errors import InputError, Problem, Problems, StoreError
from survey.store import Store
from survey.text import Text, many, plural

Survey = Callable[..., Result]


def leaves(command: click.Command, name: str = "survey") -> Iterator[tuple[str, click.Command]]:
    """Every command below ``command`` with its full name."""
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            assert found is not None, f"{name} lists {child} and has no such command"
            yield from leaves(found, f"{name} {child}")


ALL = dict(leaves(cli))


# -- help ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_every_command_has_a_line_in_both_languages_and_an_example_of_itself(name: str):
    command = ALL[name]
    assert isinstance(command, (Command, Group)), f"{name} is not bilingual"
    assert command.text.vi
    assert command.text.en
    assert command.text.vi != command.text.en
    if not isinstance(command, click.Group):
        assert all(line.startswith(name) for line in command.example.splitlines())
        assert command.example


@pytest.mark.parametrize("name", ALL)
def test_every_option_is_explained_in_both_languages(name: str):
    for parameter in ALL[name].params:
        if isinstance(parameter, click.Option):
            text = getattr(parameter, "text", None)
            assert text is not None, f"{name} {parameter.opts[0]} has no bilingual help"
            assert text.vi
            assert text.en


@pytest.mark.parametrize("name", ALL)
def test_the_help_of_every_command_comes_in_the_language_asked_for(name: str):
    path = name.split()[1:]
    for spoken in ("vi", "en"):
        shown = CliRunner().invoke(cli, [*path, "--help", "--lang", spoken])
        assert shown.exit_code == 0
        words = " ".join(shown.stdout.split())
        assert ALL[name].text(spoken) in words  # type: ignore[attr-defined]
        wordless = {one.human_readable_name for one in ALL[name].params if isinstance(one, click.Argument)}
        assert not {line.strip(" [].") for line in shown.stdout.splitlines()} & wordless, "options have words"


def test_the_table_of_commands_is_what_the_modules_hold():
    for name, module in COMMANDS.items():
        assert name in import_module(f"survey.cli.{module}").commands
    held = {command for module in set(COMMANDS.values()) for command in import_module(f"survey.cli.{module}").commands}
    assert held == set(COMMANDS)


# -- language -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"SURVEY_LANG": "vi", "LANG": "en_US.UTF-8"}, "vi"),
        ({"SURVEY_LANG": "en", "LANG": "vi_VN.UTF-8"}, "en"),
        ({"LANG": "vi_VN.UTF-8"}, "vi"),
        ({"LC_ALL": "C.UTF-8", "LANG": "vi_VN.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
    ],
)
def test_the_language_is_the_one_asked_for_else_that_of_the_machine(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: str
):
    for name in ("SURVEY_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert language() == expected


def test_the_option_wins_over_the_environment_before_and_after_the_command(survey: Survey, device: Store):
    for arguments in (
        ["--lang", "vi", "user", "list"],
        ["user", "list", "--lang", "vi"],
        ["user", "--lang=vi", "list"],
    ):
        assert "họ tên" in survey(*arguments).stdout


# -- errors -------------------------------------------------------------------------------------------------------


def failing(error: BaseException) -> Root:
    """A command line whose one command raises ``error``."""
    root = Root(name="survey", help=Text("thử", "try"), example="survey go")

    @root.command(help=Text("đi", "go"), example="survey go")
    def go() -> None:
        raise error

    return root


WRONG = InputError("frame.csv, row 3", Text("sai", "is wrong"), Text("sửa", "mend it"))
TWO = Problems(
    [Problem("a", Text("sai", "is wrong")), Problem("b", Text("thiếu", "is missing"), Text("thêm", "add it"))]
)


@pytest.mark.parametrize(
    ("error", "english", "vietnamese"),
    [
        (WRONG, "frame.csv, row 3: is wrong; mend it", "frame.csv, row 3: sai; sửa"),
        (StoreError("x", Text("hỏng", "damaged")), "x: damaged", "x: hỏng"),
        (TWO, "a: is wrong\nb: is missing; add it", "a: sai\nb: thiếu; thêm"),
        (
            FileNotFoundError(2, "No such file", "m.csv"),
            "m.csv: there is no such file or folder; check the path",
            "m.csv: không có tệp hoặc thư mục này; kiểm tra lại đường dẫn",
        ),
        (
            OSError(28, "No space left on device", "/mnt/usb/b.bundle"),
            "/mnt/usb/b.bundle: the disk is full; free some space and try again",
            "/mnt/usb/b.bundle: ổ đĩa đã đầy; giải phóng dung lượng rồi làm lại",
        ),
        (
            ModuleNotFoundError("No module named 'numpy'", name="numpy"),
            "survey: the analysis part is not installed here; use a desktop or install citizen-survey[analysis]",
            "survey: máy này chưa cài phần phân tích; chạy trên máy để bàn, hoặc cài citizen-survey[analysis]",
        ),
        (click.Abort(), "Stopped on request.", "Đã dừng theo yêu cầu."),
    ],
)
def test_an_error_is_one_sentence_on_stderr_and_exit_code_2(error: BaseException, english: str, vietnamese: str):
    for spoken, sentence in (("en", english), ("vi", vietnamese)):
        result = CliRunner().invoke(failing(error), ["go", "--lang", spoken])
        assert result.stderr == sentence + "\n"
        assert result.stdout == ""
        assert result.exit_code == 2


def test_an_error_of_the_program_is_a_sentence_with_the_place_of_its_details(tmp_path: Path):
    result = CliRunner().invoke(failing(ZeroDivisionError("by zero")), ["--instance", str(tmp_path), "go"])
    log = tmp_path / "survey-errors.log"
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert "ZeroDivisionError" in result.stderr
    assert str(log) in result.stderr
    assert "Traceback" not in result.stderr
    assert "ZeroDivisionError: by zero" in log.read_text(encoding="utf-8")


def test_debug_prints_the_details(tmp_path: Path):
    result = CliRunner().invoke(failing(ZeroDivisionError("by zero")), ["go", "--debug", "--instance", str(tmp_path)])
    assert "Traceback" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "english", "vietnamese"),
    [
        (["scroe"], "survey: there is no command scroe", "survey: không có lệnh scroe"),
        (
            ["user", "lisst"],
            "survey user: there is no command lisst (did you mean list?)",
            "survey user: không có lệnh lisst",
        ),
        (
            ["user", "list", "--jsn"],
            "survey user list: there is no option --jsn (did you mean --json?)",
            "survey user list",
        ),
        (["user", "disable"], "survey user disable: ID is missing; see survey user disable --help", "thiếu ID"),
        (
            ["init", "--role", "boss"],
            "survey init: --role: 'boss' is not one of",
            "survey init: --role: giá trị không dùng",
        ),
    ],
)
def test_wrong_usage_names_the_command_and_where_its_help_is(arguments: list[str], english: str, vietnamese: str):
    for spoken, sentence in (("en", english), ("vi", vietnamese)):
        result = CliRunner().invoke(cli, ["--lang", spoken, *arguments], prog_name="survey")
        assert result.exit_code == 2
        assert sentence in result.stderr
        assert "--help" in result.stderr
        assert result.stderr.count("\n") == 1


def test_work_done_with_findings_is_exit_code_1():
    root = Root(name="survey", help=Text("thử", "try"), example="survey go")

    @root.command(help=Text("đi", "go"), example="survey go")
    def go() -> int:
        return FINDINGS

    assert CliRunner().invoke(root, ["go"]).exit_code == 1


def test_a_reader_that_goes_away_is_no_error():
    code = "from survey.cli import main; import sys; sys.argv[1:] = ['--help']; main()"
    done = subprocess.run(
        ["bash", "-c", f'set -o pipefail; "{sys.executable}" -c "{code}" | true'], capture_output=True, text=True
    )
    assert done.stderr == ""


# -- progress -----------------------------------------------------------------------------------------------------


def test_no_progress_bar_in_a_pipe(capsys: pytest.CaptureFixture[str]):
    with progress(Text("Gộp", "Merging"), 3) as advance:
        advance(3)
    assert capsys.readouterr() == ("", "")


class Terminal(io.StringIO):
    """A stream that says that a person looks at it."""

    def isatty(self) -> bool:
        return True


def test_a_progress_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress(Text("Gộp", "Merging"), 3) as advance:
        advance(3)
    assert "Merging" in terminal.getvalue()
    assert "100%" in terminal.getvalue()


# -- instance -----------------------------------------------------------------------------------------------------


def test_the_instance_is_the_one_named_else_that_of_the_environment(monkeypatch: pytest.MonkeyPatch):
    assert instance_folder() == Path("instance")
    monkeypatch.setenv("SURVEY_INSTANCE", "/somewhere/else")
    assert instance_folder() == Path("/somewhere/else")


def test_init_makes_an_instance_once(survey: Survey, instance: Path):
    made = json.loads(survey("init", "--plain", "--name", "Máy số 3", "--json").stdout)
    assert made["role"] == "device"
    assert {path.name for path in instance.iterdir()} >= {"config.toml", "keys", "survey.sqlite"}
    again = survey("init", "--plain")
    assert again.exit_code == 2
    assert "this folder already has a store" in again.stderr


def test_a_hub_has_a_tier(survey: Survey):
    assert (
        json.loads(survey("init", "--plain", "--role", "hub", "--tier", "province", "--json").stdout)["tier"]
        == "province"
    )


def test_a_command_without_an_instance_says_how_to_make_one(survey: Survey, instance: Path):
    result = survey("user", "list")
    assert result.exit_code == 2
    assert "there is no store here; run: survey init" in result.stderr
    assert not instance.exists()


def test_one_of_a_thing_is_told_in_the_singular():
    assert [many(n, "interview") for n in (0, 1, 2)] == ["0 interviews", "1 interview", "2 interviews"]
    assert [plural(2, one) for one in ("entry", "day", "class", "box", "batch")] == (
        ["entries", "days", "classes", "boxes", "batches"]
    )
    assert [many(n, "person is", "people are") for n in (1, 3)] == ["1 person is", "3 people are"]
