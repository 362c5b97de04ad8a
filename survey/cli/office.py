"""``--office``: who issues a document that a command writes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from survey.cli.base import instance_folder, option
from survey.cli.options import FILE
from survey.text import Text

if TYPE_CHECKING:
    from analysis.report.office import Office

OFFICE = option(
    "--office",
    "office",
    type=FILE,
    help=Text(
        "Tệp .toml về cơ quan ban hành: name, parent, abbreviation, place … (mặc định: office.toml của máy này).",
        "A .toml on the issuing office: name, parent, abbreviation, place … (default: this machine's office.toml).",
    ),
)


def issuing(file: Path | None) -> Office:
    """The office of a file, else the one kept in the instance folder, else one without a name."""
    from analysis.report.office import own_office, read_office

    return read_office(file) if file else own_office(instance_folder())
