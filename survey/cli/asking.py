"""What a command asks at the terminal, in the reader's language: a secret, or yes and no."""

from __future__ import annotations

import click

from survey.cli.base import language
from survey.text import Text, fold

_AGAIN = Text("Nhập lại", "Once more")
_CHOICE = Text("c/K", "y/N")
_YES, _NO = ("y", "yes", "c", "co"), ("n", "no", "k", "khong", "")


def ask_secret(prompt: Text, *, twice: bool = False) -> str:
    """Asks without showing what is typed; ``twice`` for a new secret, until both are the same."""
    spoken = language()
    while True:
        given = str(click.prompt(prompt(spoken), hide_input=True, err=True))
        if not twice or given == str(click.prompt(_AGAIN(spoken), hide_input=True, err=True)):
            return given
        click.echo(Text("Hai lần nhập khác nhau; nhập lại từ đầu.", "The two differ; begin again.")(spoken), err=True)


def confirm(question: Text) -> None:
    """Asks yes or no, in either language; an empty line is no. Raises click.Abort unless the answer is yes."""
    spoken = language()
    while True:
        typed = click.prompt(f"{question(spoken)} [{_CHOICE(spoken)}]", default="", show_default=False, err=True)
        given = fold(str(typed)).strip()
        if given in _YES:
            return
        if given in _NO:
            raise click.Abort
        click.echo(Text("Gõ c (có) hoặc k (không).", "Type y (yes) or n (no).")(spoken), err=True)
