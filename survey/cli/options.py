"""Kinds of values, and options, that many commands take. What one command alone takes stands at that command; options
of the commands that read respondents or figures are in :mod:`survey.cli.figures`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import click

from survey.cli.base import option
from survey.errors import InputError
from survey.text import Text

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
"""A file that is read."""
NEW_FILE = click.Path(dir_okay=False, path_type=Path)
"""A file that is written."""
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
NEW_FOLDER = click.Path(file_okay=False, path_type=Path)
FILE_OR_FOLDER = click.Path(exists=True, path_type=Path)
DAY = click.DateTime(["%Y-%m-%d"])


def actor_option(help: Text, *, required: bool = False) -> Callable[[Any], Any]:
    """``--as ID``: on whose account a command works; the function gets ``actor: str``, blank where nobody is named."""
    return option("--as", "actor", required=required, default=None if required else "", help=help)


def day_option(name: str, parameter: str, help: Text) -> Callable[[Any], Any]:
    """A day of a list of places, as ISO text; blank where none is named."""
    return option(name, parameter, metavar="YYYY-MM-DD", default="", callback=_iso_day, help=help)


def _iso_day(context: click.Context, parameter: click.Parameter, value: str) -> str:
    try:
        return value and date.fromisoformat(value).isoformat()
    except ValueError:
        raise InputError(
            f"{parameter.opts[0]} {value}",
            Text("không phải là ngày", "is no day"),
            Text("ghi theo dạng 2025-06-30", "write it as 2025-06-30"),
        ) from None
