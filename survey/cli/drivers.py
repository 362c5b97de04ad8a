"""``survey drivers``: what goes with overall satisfaction, how well it is done, and the picture of both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from survey.cli.base import Command, json_option, language, option, say, say_json, say_table
from survey.cli.figures import INDEX, LEVEL, OUT, WEIGHTS, say_written, write
from survey.cli.options import FILE, FILE_OR_FOLDER, NEW_FILE
from survey.cli.scoring import shorten, together
from survey.text import Text

if TYPE_CHECKING:
    from analysis.drivers import Drivers


@click.command(
    cls=Command,
    help=Text(
        "Mối liên hệ với hài lòng chung: mức quan trọng, mức đạt được của từng yếu tố, khoảng tin cậy, hình bốn ô.",
        "What goes with overall satisfaction: importance and performance of attributes, with intervals and a picture.",
    ),
    example="survey drivers phieu.csv --index sipas_2026 --outcome POL --attribute SVC.1 --attribute SVC.2",
)
@click.argument("data", type=FILE)
@option("--outcome", required=True, help=Text("Mã hoặc cột hài lòng chung.", "Code or column of the outcome."))
@option(
    "--attribute",
    "attributes",
    multiple=True,
    metavar="CODE",
    help=Text("Mã hoặc cột của một yếu tố; nêu nhiều lần.", "Code or column of an attribute; repeat it."),
)
@INDEX
@option("--design", type=FILE_OR_FOLDER, help=Text("Tệp design.toml.", "A design.toml."))
@WEIGHTS
@option(
    "--method",
    type=click.Choice(["lmg", "relative"]),
    help=Text("Cách phân rã R² (mặc định: lmg đến 12 yếu tố).", "How R² is shared (default: lmg up to 12 attributes)."),
)
@option(
    "--least",
    type=click.IntRange(1),
    metavar="N",
    help=Text("Từ chối khi ít hơn N phiếu có đủ câu trả lời.", "Refuse with fewer than N complete interviews."),
)
@LEVEL
@option(
    "--figure",
    type=NEW_FILE,
    help=Text("Vẽ hình bốn ô ra .svg hoặc .png.", "Draw the four quadrants to .svg or .png."),
)
@OUT
@json_option
def drivers(
    data: Path,
    outcome: str,
    attributes: tuple[str, ...],
    index: str | None,
    design: Path | None,
    weights: Path | None,
    method: str | None,
    least: int | None,
    level: float | None,
    figure: Path | None,
    out: Path | None,
    as_json: bool,
) -> int:
    together(out, data, level)
    from analysis import Design, load_design
    from analysis.drivers import drivers as found_drivers
    from analysis.reading import read_table
    from survey.cli.scoring import published, weighted

    table, chosen = weighted(read_table(data), load_design(design) if design else Design(), weights)
    chosen = published(chosen, least)
    found = found_drivers(
        table, outcome, attributes, chosen, index, method=method or "", level=level, language=language()
    )
    write(found.table, out)
    if figure is not None:
        from analysis.quadrants import draw

        draw(found, figure, language())
    if as_json:
        say_json(_plain(found))
    else:
        _show(found)
        say_written(out, figure)
    return 0


def _plain(found: Drivers) -> dict[str, Any]:
    from analysis.output import rows_of

    return {
        "outcome": found.outcome,
        "method": found.method,
        "r2": found.r2,
        "n": found.n,
        "df": found.df,
        "level": found.level,
        "notes": [note._asdict() for note in found.notes],
        "drivers": rows_of(found.table),
    }


def _show(found: Drivers) -> None:
    from analysis.drivers import METHODS, QUADRANTS
    from analysis.scores import note_in

    spoken, words = language(), METHODS[found.method]
    say(
        Text(
            f"{found.outcome}: R² = {found.r2:.3f}, n = {found.n}, {found.df:g} bậc tự do, {words.vi}",
            f"{found.outcome}: R² = {found.r2:.3f}, n = {found.n}, {found.df:g} df, {words.en}",
        )
    )
    for note in found.notes:
        say(note)
    headings = [
        Text("mã", "code"),
        Text("yếu tố", "attribute"),
        Text("% của R²", "% of R²"),
        Text("từ", "low"),
        Text("đến", "high"),
        Text("mức đạt", "performance"),
        Text("từ", "low"),
        Text("đến", "high"),
        Text("ô", "quadrant"),
        Text("ghi chú", "note"),
    ]
    keys = ("importance", "low", "high", "performance", "performance_low", "performance_high")
    rows = []
    for row in found.table.sort_values("importance", ascending=False).to_dict("records"):
        figures = ["" if row[key] != row[key] else f"{row[key]:.1f}" for key in keys]
        quadrant, said = QUADRANTS[row["quadrant"]](spoken), note_in(row["note"], spoken)
        rows.append([row["code"], shorten(row["name"]), *figures, quadrant, said])
    say_table(headings, rows)


commands: dict[str, click.Command] = {"drivers": drivers}
