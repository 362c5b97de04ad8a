"""``survey demo``: the whole job on made-up fieldwork."""

from __future__ import annotations

from pathlib import Path

import click

from survey.cli.base import Command, json_option, option, progress, say, say_json
from survey.cli.options import NEW_FOLDER
from survey.text import Text


@click.command(
    cls=Command,
    help=Text(
        "Làm thử cả đợt khảo sát trên dữ liệu giả lập: phỏng vấn, gộp phiếu, tính chỉ số, báo cáo.",
        "Do the whole job on synthetic fieldwork: interview, merge, score, report.",
    ),
    example="survey demo --seed 2026 --out demo",
)
@option("--seed", type=int, default=2026, show_default=True, help=Text("Số gieo.", "Seed."))
@option(
    "--out",
    type=NEW_FOLDER,
    default=Path("demo"),
    show_default=True,
    help=Text("Thư mục để làm thử.", "Folder to work in."),
)
@json_option
def demo(seed: int, out: Path, as_json: bool) -> None:
    from survey import demo as story

    def tell(step: Text) -> None:
        if not as_json:
            say(step)

    with progress(Text("Phỏng vấn", "Interviewing"), story.interviews_planned()) as advance:
        made = story.run(out, seed, tell, advance)
    if as_json:
        say_json(made)
        return
    say(Text(f"{story.SYNTHETIC.vi}.", f"{story.SYNTHETIC.en}."))
    say(Text(f"Báo cáo: {made.report.resolve()}", f"Report: {made.report.resolve()}"))


commands = {"demo": demo}
