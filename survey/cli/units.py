"""``survey units``: a province, commune or agency by any spelling of its name, and what it was or became."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from survey.cli.base import FINDINGS, Command, json_option, language, option, say_json, say_table
from survey.cli.options import FILE, day_option
from survey.errors import InputError
from survey.text import Text

if TYPE_CHECKING:
    from analysis.units import Register, Unit


@click.command(
    cls=Command,
    help=Text(
        "Tra đơn vị theo tên (không cần dấu, chính tả cũ) hoặc mã, ở một ngày; và đơn vị ấy là gì ở ngày khác.",
        "Look units up by name (no diacritics needed, old spellings) or code, on a day; and what they are on another.",
    ),
    example='survey units "Hoà Bình" 91 --date 2024-12-31 --then 2026-01-01\nsurvey units --date 2026-01-01',
)
@click.argument("names", nargs=-1)
@day_option("--date", "day", Text("Ngày (mặc định: hôm nay).", "The day (default: today)."))
@day_option(
    "--then",
    "then",
    Text("Ngày khác: các đơn vị kế thừa, hoặc các đơn vị cũ.", "Another day: successors, or what they were."),
)
@option(
    "--communes",
    metavar="PROVINCE",
    default="",
    help=Text("Tra xã, phường, đặc khu của tỉnh này.", "Look up communes of this province."),
)
@option(
    "--file",
    type=FILE,
    help=Text("Danh mục riêng, ví dụ agencies.csv.", "A list of your own, such as agencies.csv."),
)
@json_option
def units(names: tuple[str, ...], day: str, then: str, communes: str, file: Path | None, as_json: bool) -> int:
    when = day or datetime.now().astimezone().date().isoformat()
    register = _register(communes, file, when)
    found: list[Unit] = []
    wrong = []
    for name in names:
        try:
            found.append(register.find(name, when))
        except InputError as error:
            wrong.append(error.problem)
    found = found if names else list(register.on(when))
    if as_json:
        say_json([_plain(register, unit, then) for unit in found])
    elif found:
        headings = [
            Text("mã", "code"),
            Text("tên", "name"),
            Text("loại", "kind"),
            Text("từ", "from"),
            Text("đến", "to"),
        ]
        headings += [Text(f"ngày {then}", f"on {then}")] if then else []
        say_table(headings, [_row(register, unit, then) for unit in found])
    for problem in wrong:
        click.echo(problem(language()), err=True)
    return FINDINGS if wrong else 0


def _register(communes: str, file: Path | None, day: str) -> Register:
    from analysis import units

    if file is not None:
        return units.read_register(file)
    return units.communes(units.provinces().find(communes, day).code) if communes else units.provinces()


def _row(register: Register, unit: Unit, then: str) -> list[str]:
    there = ", ".join(f"{one.code} {one.name}" for one in register.at(unit, then)) if then else ""
    return [unit.code, unit.name, unit.kind, unit.valid_from, unit.valid_to, *([there] if then else [])]


def _plain(register: Register, unit: Unit, then: str) -> dict[str, Any]:
    told: dict[str, Any] = {"code": unit.code, "name": unit.name, "kind": unit.kind}
    told |= {"valid_from": unit.valid_from, "valid_to": unit.valid_to}
    if then:
        told["then"] = [
            {"code": one.code, "name": one.name, "valid_from": one.valid_from} for one in register.at(unit, then)
        ]
    return told


commands: dict[str, click.Command] = {"units": units}
