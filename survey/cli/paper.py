"""``survey questionnaire print``: an instrument as a form on paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from survey.cli.base import Command, json_option, language, open_store, option, progress, say, say_json
from survey.cli.figures import say_written
from survey.cli.options import NEW_FILE
from survey.cli.versions import questionnaire_of
from survey.errors import InputError
from survey.text import LANGUAGES, Text, many

if TYPE_CHECKING:
    from survey.paper.page import Round
    from survey.questionnaire.model import Questionnaire

BATCH = 50
"""How many copies stand in one file; a browser prints that many in one go."""


@click.command(
    name="print",
    cls=Command,
    help=Text(
        "In bảng hỏi ra phiếu giấy: tệp HTML khổ A4, mở bằng trình duyệt rồi in hoặc lưu PDF.",
        "Print a questionnaire as a paper form: an A4 HTML file to print from any browser or save as PDF.",
    ),
    example="survey questionnaire print sipas_2026 --lang vi --out phieu.html\n"
    "survey questionnaire print sipas_2026 --round r2026 --serials 200 --start 1 --out phieu.html",
)
@click.argument("source", metavar="ID")
@option(
    "--out",
    "out",
    type=NEW_FILE,
    help=Text("Tệp HTML (mặc định: phieu_ID.html).", "The HTML file (default: phieu_ID.html)."),
)
@option("--both", is_flag=True, help=Text("Cả hai thứ tiếng trên một phiếu.", "Both languages on one form."))
@option(
    "--serials",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help=Text(
        "Số phiếu cần in, mỗi phiếu một số; 0: bản gốc để trống số phiếu.",
        "How many copies, each with its serial; 0: a master with a blank for it.",
    ),
)
@option(
    "--start", type=click.IntRange(1), default=1, show_default=True, help=Text("Số phiếu đầu.", "The first serial.")
)
@option(
    "--round",
    "round_id",
    default="",
    help=Text("Mã đợt khảo sát trên máy này.", "Id of a round on this machine."),
)
@json_option
def print_(source: str, out: Path | None, both: bool, serials: int, start: int, round_id: str, as_json: bool) -> None:
    from survey.paper.page import render
    from survey.paper.serial import serial

    questionnaire = questionnaire_of(source)
    head = _round(round_id, questionnaire)
    languages = LANGUAGES if both else (language(),)
    out = out or Path(f"phieu_{questionnaire.id}.html")
    forms = [serial(round_id, questionnaire.hash, number) for number in range(start, start + serials)]
    batches = [forms[at : at + BATCH] for at in range(0, len(forms), BATCH)] or [[]]
    written = []
    with progress(Text("Tạo phiếu", "Making forms"), len(batches)) as step:
        for batch in batches:
            file = out if len(batches) == 1 else out.with_stem(f"{out.stem}-{batch[0].number:06d}")
            file.write_text(render(questionnaire, languages, batch, head), encoding="utf-8", newline="\n")
            written.append(file)
            step(1)
    if as_json:
        say_json(
            {
                "files": written,
                "hash": questionnaire.hash,
                "round": round_id,
                "serials": [one.printed for one in forms],
            }
        )
        return
    for file in written:
        say_written(file)
    if forms:
        say(
            Text(
                f"{len(forms)} phiếu, từ số {forms[0].printed} đến {forms[-1].printed}",
                f"{many(len(forms), 'form')}, {forms[0].printed} to {forms[-1].printed}",
            )
        )


def _round(round_id: str, questionnaire: Questionnaire) -> Round:
    """What the round says in the header. InputError when it is not here or asks another version."""
    from survey.paper.page import Round, round_words
    from survey.store import frame

    if not round_id:
        return Round()
    with open_store() as store:
        document = frame.round_document(store, round_id)
    if document.get("questionnaire_hash") != questionnaire.hash:
        raise InputError(
            round_id,
            Text("đợt này dùng bản khác của bảng hỏi", "this round uses another version of the questionnaire"),
            Text(
                f"in đúng bản của đợt: {document.get('questionnaire_hash', '')}",
                f"print the round's own: {document.get('questionnaire_hash', '')}",
            ),
        )
    return round_words(document)


commands: dict[str, click.Command] = {"print": print_}
