"""The command line, run in this process by tests that need no instance of their own."""

from __future__ import annotations

from click.testing import CliRunner

from survey.cli import cli


def run(*arguments: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of ``survey`` with these arguments."""
    result = CliRunner().invoke(cli, [str(one) for one in arguments], catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr
