"""What every command shares: two languages, the options that work everywhere, JSON, progress, and the one place
where an error becomes a sentence and an exit code.

Exit codes: 0 done; 1 done, with findings that need a person (a command returns :data:`FINDINGS`); 2 not done.
"""

from __future__ import annotations

import copy
import dataclasses
import getpass
import json
import locale
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from survey.cli.messages import of_os, of_usage
from survey.errors import SurveyError
from survey.text import LANGUAGES, Text

if TYPE_CHECKING:
    from survey.store import Store

FINDINGS = 1
"""Returned by a command that did its work and found something that a person must look at."""

_LOG = "survey-errors.log"
# What a desk has beyond a field laptop (setup.cfg, extra `analysis`).
_DESK = ("docx", "fpdf", "matplotlib", "numpy", "pandas", "pyarrow", "pyreadstat", "scipy", "statsmodels")


# -- language ---------------------------------------------------------------------------------------------------


def language() -> str:
    """``"vi"`` or ``"en"``: ``--lang``, else ``SURVEY_LANG``, else Vietnamese where the machine speaks Vietnamese."""
    chosen = str(_asked().get("lang") or os.environ.get("SURVEY_LANG"))
    if chosen in LANGUAGES:
        return chosen
    return "vi" if _machine_language().lower().startswith("vi") else "en"


def _machine_language() -> str:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if os.environ.get(name):
            return os.environ[name]
    return locale.getlocale()[0] or ""


# -- options that work everywhere -------------------------------------------------------------------------------


class Option(click.Option):
    """An option whose ``help`` is a :class:`Text`."""

    def __init__(self, names: Sequence[str], *, help: Text, **attributes: Any):
        self.text = help
        super().__init__(names, help=help.en, **attributes)

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        shown = copy.copy(self)
        shown.help = self.text(language())
        return click.Option.get_help_record(shown, ctx)


def option(*names: str, help: Text, **attributes: Any) -> Callable[[Any], Any]:
    """``click.option`` with a bilingual help."""
    return click.option(*names, cls=Option, help=help, **attributes)


def json_option(function: Callable[..., Any]) -> Any:
    """Adds ``--json``; the function gets ``as_json: bool``."""
    return option("--json", "as_json", is_flag=True, help=Text("In ra JSON.", "Print JSON."))(function)


def _asked() -> dict[str, Any]:
    context = click.get_current_context(silent=True)
    return context.obj or {} if context else {}


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    # The same option may stand before and after the command's name: the one given last wins, an absent one is silent.
    if value not in (None, False):
        ctx.obj[str(param.name)] = value


def _everywhere(hidden: bool) -> list[click.Parameter]:
    common: dict[str, Any] = {"expose_value": False, "is_eager": True, "hidden": hidden, "callback": _remember}
    return [
        Option(
            ["--instance"],
            type=click.Path(file_okay=False, path_type=Path),
            metavar="DIR",
            help=Text(
                "Thư mục dữ liệu của máy này (mặc định: SURVEY_INSTANCE, hoặc ./instance).",
                "Folder with this machine's data (default: SURVEY_INSTANCE, or ./instance).",
            ),
            **common,
        ),
        Option(
            ["--passphrase-file"],
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            metavar="FILE",
            help=Text(
                "Tệp có cụm mật khẩu của máy (mặc định: SURVEY_PASSPHRASE, hoặc hỏi).",
                "File with this machine's passphrase (default: SURVEY_PASSPHRASE, or asked).",
            ),
            **common,
        ),
        Option(
            ["--lang"],
            type=click.Choice(LANGUAGES),
            help=Text("Ngôn ngữ của thông báo.", "Language of the messages."),
            **common,
        ),
        Option(
            ["--debug"],
            is_flag=True,
            help=Text("Khi có lỗi chương trình, in đầy đủ chi tiết.", "Print every detail of a program error."),
            **common,
        ),
    ]


def instance_folder() -> Path:
    """The instance folder that the person chose: ``--instance``, else ``SURVEY_INSTANCE``, else ``./instance``."""
    return Path(_asked().get("instance") or os.environ.get("SURVEY_INSTANCE") or "instance")


def open_store() -> Store:
    """The store of the chosen instance (a context manager), unlocked with the passphrase where it is encrypted.

    Raises StoreError when there is none or it is newer, LockedError when nobody is there to be asked.
    """
    from survey.store import Store

    unlock_instance()
    return Store.open(instance_folder())


def unlock_instance(*, ask: bool = True) -> None:
    """Unlocks the chosen instance for this process, if it is encrypted: with the passphrase that was given, else, with
    ``ask`` and at a terminal, by asking. NotAllowed when it is wrong."""
    from survey.store import vault

    folder = instance_folder()
    if not vault.is_locked(folder):
        return
    passphrase = given_passphrase()
    if passphrase is None and ask and sys.stdin.isatty():
        from survey.cli.asking import ask_secret

        passphrase = ask_secret(Text("Cụm mật khẩu của máy", "This machine's passphrase"))
    if passphrase is not None:
        vault.unlock(folder, passphrase)


def account() -> str:
    """The account of the operating system under which this command runs; empty where it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""


def given_passphrase() -> str | None:
    """The passphrase in ``--passphrase-file``, else in ``SURVEY_PASSPHRASE``, else None."""
    file = _asked().get("passphrase_file")
    if file is not None:
        return Path(file).read_text(encoding="utf-8-sig").rstrip("\r\n")
    return os.environ.get("SURVEY_PASSPHRASE") or None


# -- commands and groups ----------------------------------------------------------------------------------------


class _Bilingual(click.Command):
    """Help in the reader's language: a sentence, the options, an example."""

    def __init__(
        self, name: str | None = None, *, help: Text, example: str = "", root: bool = False, **attributes: Any
    ):
        self.text = help
        self.example = example
        attributes["params"] = [*(attributes.get("params") or []), *_everywhere(hidden=not root)]
        super().__init__(name, help=help.en, **attributes)

    def get_short_help_str(self, limit: int = 45) -> str:
        return self.text(language())

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        plain = super().get_help_option(ctx)
        if plain is not None:
            plain.help = Text("Hiện hướng dẫn này.", "Show this message.")(language())
        return plain

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        pieces = " ".join(self.collect_usage_pieces(ctx))
        formatter.write_usage(ctx.command_path, pieces, prefix=Text("Cách dùng: ", "Usage: ")(language()))

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(self.text(language()))

    def _format_option_list(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        # Arguments stand in the line of usage; newer versions of click would list them here, without a word on them.
        options = [one for one in self.get_params(ctx) if isinstance(one, click.Option)]
        records = [record for one in options if (record := one.get_help_record(ctx)) is not None]
        if records:
            with formatter.section(Text("Tùy chọn", "Options")(language())):
                formatter.write_dl(records)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self._format_option_list(ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.example:
            with formatter.section(Text("Ví dụ", "Example")(language())):
                for line in self.example.splitlines():
                    formatter.write(" " * formatter.current_indent + line + "\n")


class Command(_Bilingual):
    """One command: ``@click.command(cls=Command, help=Text(…), example="survey …")``."""


class Group(_Bilingual, click.Group):
    """A command with commands of its own; they are listed with their one-line help."""

    command_class = Command

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self._format_option_list(ctx, formatter)
        rows = [
            (name, command.get_short_help_str())
            for name in self.list_commands(ctx)
            if (command := self.get_command(ctx, name)) is not None and not command.hidden
        ]
        if rows:
            with formatter.section(Text("Lệnh", "Commands")(language())):
                formatter.write_dl(rows)


class Root(Group):
    """The whole command line, and the one place where what goes wrong is told to the person."""

    def __init__(self, name: str | None = None, **attributes: Any):
        super().__init__(name, root=True, **attributes)
        self.params.append(_version_option())

    def main(  # type: ignore[override]  # standalone_mode of click is what this method replaces
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> None:
        """Runs one command and leaves by ``SystemExit``: 0 done, 1 done with findings, 2 not done."""
        arguments = list(sys.argv[1:] if args is None else args)
        extra.pop("standalone_mode", None)
        asked: dict[str, Any] = {"lang": _early_language(arguments)}
        # The outer context keeps what was asked for known after an error has closed click's own.
        with click.Context(self, obj=asked).scope():
            code = 2
            try:
                result = super().main(arguments, prog_name=prog_name, standalone_mode=False, obj=asked, **extra)
                code = result if isinstance(result, int) else 0
            except click.exceptions.Exit as finished:
                code = finished.exit_code
            except click.Abort:
                _tell(Text("Đã dừng theo yêu cầu.", "Stopped on request."))
            except click.exceptions.NoArgsIsHelpError as help_asked:
                click.echo(help_asked.format_message(), err=True)
            except click.UsageError as error:
                _tell(of_usage(error, prog_name or "survey"))
            except click.ClickException as error:
                _tell(Text(error.format_message(), error.format_message()))
            except SurveyError as error:
                click.echo(error(language()), err=True)
            except BrokenPipeError:
                # The reader of our output (``| head``) has gone: nothing left to say to it.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            except Exception as error:
                _tell_unexpected(error, _log_details(asked))
            sys.exit(code)


def _version_option() -> click.Option:
    def show(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        if value:
            from importlib.metadata import version

            click.echo(f"survey {version('citizen-survey')}")
            ctx.exit()

    return Option(
        ["--version"],
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=show,
        help=Text("Hiện phiên bản.", "Show the version."),
    )


def _early_language(arguments: Sequence[str]) -> str | None:
    """The language asked for anywhere on the line: ``--help --lang en`` prints the help before ``--lang`` is parsed."""
    joined = " ".join(arguments).replace("=", " ").split()
    values = [value for name, value in pairwise(joined) if name == "--lang" and value in LANGUAGES]
    return values[-1] if values else None


def _tell(text: Text) -> None:
    click.echo(text(language()), err=True)


def _tell_unexpected(error: Exception, log: Path) -> None:
    if isinstance(error, OSError) and error.filename:
        _tell(of_os(error))
        return
    if isinstance(error, ModuleNotFoundError) and str(error.name).partition(".")[0] in _DESK:
        _tell(
            Text(
                "survey: máy này chưa cài phần phân tích; chạy trên máy để bàn, hoặc cài citizen-survey[analysis]",
                "survey: the analysis part is not installed here; use a desktop or install citizen-survey[analysis]",
            )
        )
        return
    name = type(error).__name__
    _tell(
        Text(
            f"survey: lỗi trong chương trình ({name}); dữ liệu đã lưu vẫn an toàn, gửi tệp {log} cho người hỗ trợ",
            f"survey: an error in the program ({name}); what was saved is safe, send the file {log} to your support",
        )
    )


def _log_details(asked: dict[str, Any]) -> Path:
    """Appends the current exception to the error log and returns the log's path; prints it too with ``--debug``."""
    from survey.store import vault

    details = traceback.format_exc()
    if asked.get("debug"):
        click.echo(details, err=True)
    folder = instance_folder()
    log = (folder if folder.is_dir() else Path(tempfile.gettempdir())) / _LOG
    try:
        with log.open("a", encoding="utf-8") as file:
            said, command = details, " ".join(sys.argv[1:])
            if vault.is_encrypted(folder):
                # A stolen laptop's log must not tell whose name stood on the command line or in a message.
                said, command = _places(sys.exc_info()[1]), "…"
            file.write(f"{datetime.now(UTC).isoformat(timespec='seconds')} {command}\n{said}\n")
    except OSError:
        click.echo(details, err=True)
    return log


def _places(error: BaseException | None) -> str:
    """Where an error and those before it arose, without a value that the program worked on."""
    lines = []
    while error is not None:
        lines += [*traceback.format_tb(error.__traceback__), f"{type(error).__name__}\n"]
        error = error.__cause__ or error.__context__
    return "".join(lines)


# -- output -----------------------------------------------------------------------------------------------------


def utf8_output() -> None:
    """Vietnamese in a pipe on Windows would otherwise meet a code page that cannot write it."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="replace")


def say(text: Text) -> None:
    """One line on standard output, in the reader's language."""
    click.echo(text(language()))


def say_json(value: Any) -> None:
    """``value`` as JSON on standard output; dataclasses, paths and dates are understood."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_jsonable))


def _jsonable(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (set, frozenset, tuple, Iterable)):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def say_table(headings: Sequence[Text], rows: Iterable[Sequence[object]]) -> None:
    """Columns aligned on standard output, one line a row."""
    spoken = language()
    lines = [[heading(spoken) for heading in headings], *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


@contextmanager
def progress(label: Text, length: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on a terminal and nothing in a pipe; yields the function that advances it by n steps."""
    stream: TextIO = sys.stderr
    if not stream.isatty():
        yield lambda steps: None
        return
    with click.progressbar(length=length, label=label(language()), file=stream) as bar:
        yield bar.update
