"""``survey import map | responses``: forms that were keyed in Excel or Google Forms come into a round."""

from __future__ import annotations

import csv
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from survey.cli.base import Group, json_option, open_store, option, say, say_json
from survey.cli.frame import chosen_round, round_option
from survey.cli.options import FILE, NEW_FILE, actor_option
from survey.cli.review import check_person
from survey.errors import InputError
from survey.text import Text, many

if TYPE_CHECKING:
    from survey.questionnaire.model import Questionnaire
    from survey.store import Store

# As survey.paper.importing has them; a test compares. The command line starts without the questionnaire's engine.
MODES = ("paper", "web", "phone", "interview")
_TCVN3 = option(
    "--from-tcvn3", "encoding", flag_value="tcvn3", help=Text("Chữ trong tệp là mã TCVN3.", "Text is TCVN3.")
)
_VNI = option("--from-vni", "encoding", flag_value="vni", help=Text("Chữ trong tệp là mã VNI.", "Text is VNI."))


@click.group(
    cls=Group,
    name="import",
    help=Text("Đưa phiếu đã nhập bằng Excel, Google Forms vào đợt.", "Bring forms keyed in Excel or Google Forms."),
)
def import_group() -> None:
    pass


@import_group.command(
    name="map",
    help=Text(
        "Lập dự thảo bảng đối chiếu (MAP): cột nào là câu nào, giá trị nào là phương án nào; xem lại rồi dùng.",
        "Draft the MAP: which column is which question, which value which choice; look it through before use.",
    ),
    example="survey import map phieu.xlsx --round r2026 --out map.csv",
)
@click.argument("file", type=FILE)
@round_option
@option(
    "--out",
    type=NEW_FILE,
    help=Text("Tệp MAP (mặc định: tên tệp và .map.csv).", "The MAP (default: the file's name with .map.csv)."),
)
@_TCVN3
@_VNI
@json_option
def map_(file: Path, round_id: str | None, out: Path | None, encoding: str | None, as_json: bool) -> None:
    from survey.paper.importing import COLUMNS, draft
    from survey.tables import read_table

    table = read_table(file, encoding or "")
    with open_store() as store:
        questionnaire = _questionnaire(store, chosen_round(store, round_id))
    rows = draft(table, questionnaire)
    out = out or file.with_suffix(".map.csv")
    if out.exists():
        raise InputError(
            str(out),
            Text("tệp này đã có, có thể đã được sửa tay", "this file exists, and may hold somebody's work"),
            Text("chọn tên khác bằng --out, hoặc xóa tệp cũ", "choose another name with --out, or delete the old one"),
        )
    with out.open("w", encoding="utf-8-sig", newline="") as stream:  # the mark lets Excel read the diacritics
        csv.writer(stream).writerows([COLUMNS, *rows])
    heads = [(column, question) for column, question, value, _ in rows if column and not value]
    unknown = [column for column, question in heads if not question]
    open_values = [(column, value) for column, _, value, choice in rows if value and not choice]
    if as_json:
        say_json(
            {"file": out, "columns": len(table.columns), "not_matched": unknown, "values_not_matched": open_values}
        )
        return
    say(Text(f"Đã ghi {out}; hãy xem lại từng dòng.", f"Wrote {out}; look through every row."))
    if unknown:
        listed = "; ".join(unknown)
        say(Text(f"Chưa rõ là câu nào: {listed}", f"No question found for: {listed}"))
    for column, value in open_values[:20]:
        said = f"{column}: {value!r}"
        say(Text(f"Chưa rõ là phương án nào: {said}", f"No choice found for: {said}"))


@import_group.command(
    help=Text(
        "Đưa phiếu đã nhập vào đợt theo MAP: dòng có mã đơn vị mẫu là phiếu của đơn vị đó, còn lại là phiếu tự nguyện "
        "(để riêng, không gộp với mẫu). Nhập lại tệp cũ không đổi gì.",
        "Bring keyed forms into a round by a MAP: a row with a sample unit is that unit's, others are volunteers (kept "
        "apart, never pooled with the sample). The same file again changes nothing.",
    ),
    example="survey import responses phieu.xlsx --map phieu.map.csv --round r2026 --as plan",
)
@click.argument("file", type=FILE)
@option(
    "--map",
    "map_file",
    type=FILE,
    required=True,
    help=Text("Bảng đối chiếu, tạo bằng survey import map.", "The MAP, made by survey import map."),
)
@round_option
@option(
    "--mode", type=click.Choice(MODES), help=Text("Phiếu được điền bằng cách nào.", "How the forms were filled in.")
)
@option("--correct", is_flag=True, help=Text("Dòng đã đổi là bản sửa lại.", "Rows that changed are corrections."))
@actor_option(Text("Người nhập.", "Who brings them."))
@_TCVN3
@_VNI
@json_option
def responses(
    file: Path,
    map_file: Path,
    round_id: str | None,
    mode: str | None,
    correct: bool,
    actor: str,
    encoding: str | None,
    as_json: bool,
) -> None:
    from survey.paper.importing import MODES as WORDS
    from survey.paper.importing import read_map, read_rows
    from survey.store.importing import bring
    from survey.tables import read_table

    table, meanings = read_table(file, encoding or ""), read_table(map_file)
    with open_store() as store:
        check_person(store, actor)
        document = chosen_round(store, round_id)
        questionnaire = _questionnaire(store, document)
        meant = read_map(meanings, table, questionnaire, mode or "")
        rows, problems = read_rows(table, meant, questionnaire)
        done = bring(
            store,
            document,
            questionnaire,
            rows,
            source=file.name,
            mode=meant.mode,
            correct=correct,
            problems=problems,
            actor=actor,
        )
    left = [column for column in table.columns if column not in meant.columns]
    if as_json:
        say_json({"round": document["id"], "rows": len(rows), "mode": meant.mode, **asdict(done), "left_out": left})
        return
    how = WORDS[meant.mode]
    say(
        Text(
            f"{len(rows)} dòng ({how.vi}): {done.drawn} phiếu của mẫu, {done.volunteers} phiếu tự nguyện, "
            f"{done.corrected} bản sửa, {done.unchanged} đã có từ trước.",
            f"{many(len(rows), 'row')} ({how.en}): {done.drawn} of the sample, {many(done.volunteers, 'volunteer')}, "
            f"{done.corrected} corrected, {done.unchanged} as before.",
        )
    )
    _say_rest(done, left)


def _say_rest(done: Any, left: list[str]) -> None:
    if done.invalid:
        say(Text(f"Phiếu không hợp lệ: {done.invalid}", f"Not valid by the round's rule: {done.invalid}"))
    if done.refused:
        say(Text(f"Không đồng ý tham gia: {done.refused}", f"Refused consent, nothing kept: {done.refused}"))
    if done.volunteers:
        say(
            Text(
                "Phiếu tự nguyện không tính vào chỉ số; xem riêng: survey score --volunteers",
                "Volunteers are in no score; on their own: survey score --volunteers",
            )
        )
    if left:
        names = "; ".join(left)
        say(Text(f"Cột không dùng: {names}", f"Columns left out: {names}"))


def _questionnaire(store: Store, document: dict[str, Any]) -> Questionnaire:
    from survey.questionnaire.model import Questionnaire
    from survey.store import frame

    return Questionnaire.from_json(frame.compiled(store, str(document.get("questionnaire_hash", ""))))


commands: dict[str, click.Command] = {"import": import_group}
