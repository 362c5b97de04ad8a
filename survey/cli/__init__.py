"""The ``survey`` command: a table of commands, each imported when it is called.

Start-up stays fast because nothing below this package is imported before its command is asked for, and because the
command modules themselves import the store, Flask or ``analysis`` only inside their functions.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import click

from survey.cli.base import Root, utf8_output
from survey.text import Text

# Command -> module of this package that holds it, in the order of the work.
COMMANDS = {
    "init": "instance",
    "encrypt": "instance",
    "passphrase": "instance",
    "recover": "instance",
    "recovery-key": "instance",
    "run": "serve",
    "demo": "demo",
    "questionnaire": "questionnaire",
    "round": "rounds",
    "paper": "paper_forms",
    "papers": "papers",
    "import": "importing",
    "frame": "frame",
    "sample": "frame",
    "user": "people",
    "practice": "practice",
    "device": "devices",
    "export": "exchange",
    "sync": "exchange",
    "verify": "exchange",
    "backup": "second_copy",
    "restore": "second_copy",
    "purge": "purging",
    "quarantine": "quarantine",
    "review": "review",
    "quality": "quality",
    "backcheck": "backcheck",
    "live": "live",
    "erase": "personal",
    "person-export": "personal",
    "processing-record": "personal",
    "request": "personal",
    "audit": "audit",
    "weight": "weighting",
    "data": "data",
    "score": "scoring",
    "units": "units",
    "compare": "comparing",
    "rank": "ranking",
    "drivers": "drivers",
    "report": "reporting",
    "plan": "planning",
    "scorecard": "scorecards",
}


class Survey(Root):
    """The root command with its lazily imported commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name, module in COMMANDS.items() if find_spec(f"survey.cli.{module}")]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        commands: dict[str, click.Command] = import_module(f"survey.cli.{COMMANDS[cmd_name]}").commands
        return commands.get(cmd_name)


cli = Survey(
    name="survey",
    help=Text(
        "Khảo sát hài lòng không cần mạng: phỏng vấn, gộp phiếu, tính chỉ số, lập báo cáo.",
        "Satisfaction surveys without a network: interview, merge, score, report.",
    ),
    example="survey demo",
)


def main() -> None:
    """Entry point of the console script; leaves by ``SystemExit`` with 0, 1 or 2."""
    utf8_output()
    cli.main(prog_name="survey")
