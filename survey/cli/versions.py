"""``survey questionnaire diff | carry``: two versions of an instrument, and a draft that moves between them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from survey.cli.base import FINDINGS, Command, json_option, language, open_store, option, say, say_json
from survey.errors import InputError
from survey.text import Text, many

if TYPE_CHECKING:
    from survey.questionnaire.model import Questionnaire

_HASH = re.compile(r"(?:sha256:)?([0-9a-f]{8,64})")


@click.command(
    cls=Command,
    help=Text(
        "So sánh hai bản của một bảng hỏi: thay đổi nào vẫn gộp được dữ liệu, thay đổi nào không.",
        "Compare two versions of a questionnaire: what stays compatible in one data set and what does not.",
    ),
    example="survey questionnaire diff sipas_2024 sipas_2026\nsurvey questionnaire diff sha256:3f2a9c1b ban_moi.xlsx",
)
@click.argument("a")
@click.argument("b")
@json_option
def diff(a: str, b: str, as_json: bool) -> int | None:
    from survey.questionnaire.compare import compare

    old, new = questionnaire_of(a), questionnaire_of(b)
    found = compare(old, new)
    broken = [difference for difference in found if not difference.compatible]
    if as_json:
        spoken = language()
        say_json(
            {
                "old": {"id": old.id, "version": old.version, "hash": old.hash},
                "new": {"id": new.id, "version": new.version, "hash": new.hash},
                "compatible": not broken,
                "differences": [
                    {
                        "kind": one.kind,
                        "compatible": one.compatible,
                        "sheet": one.sheet,
                        "name": one.name,
                        "old_row": one.old_row,
                        "new_row": one.new_row,
                        "what": one.what(spoken),
                        "remark": one.remark(spoken),
                    }
                    for one in found
                ],
            }
        )
        return FINDINGS if broken else None
    for head, differences in (
        (Text("Không tương thích", "Not compatible"), broken),
        (Text("Tương thích", "Compatible"), found[len(broken) :]),
    ):
        if differences:
            click.echo(f"{head(language())} ({len(differences)}):")
            for one in differences:
                click.echo(f"  {one(language())}")
    if not found:
        say(Text("Hai bản giống nhau.", "The two versions are the same."))
    return FINDINGS if broken else None


@click.command(
    cls=Command,
    help=Text(
        "Chuyển một phiếu đang làm dở sang bản khác của bảng hỏi; không câu trả lời nào bị mất.",
        "Carry a draft to another version of its questionnaire; no answer is lost.",
    ),
    example="survey questionnaire carry 0b9f… --to sha256:3f2a9c1b",
)
@click.argument("interview")
@option("--to", "to", required=True, metavar="HASH", help=Text("Mã của bản mới.", "Hash of the new version."))
@json_option
def carry(interview: str, to: str, as_json: bool) -> int | None:
    from survey.store.carrying import carry_draft

    match = _HASH.fullmatch(to)
    hash = held(match.group(1))[0] if match else to
    with open_store() as store:
        carried = carry_draft(store, interview, hash)
    spoken = language()
    # Names and reasons, never the answers themselves: one of them may be a telephone number.
    dropped = [{"path": one.path, "name": one.name, "reason": one.reason(spoken)} for one in carried.dropped]
    kept = len(carried.answers) - len(carried.aside)
    if as_json:
        say_json({"interview": interview, "to": hash, "kept": kept, "moved": carried.moved, "dropped": dropped})
        return FINDINGS if dropped else None
    say(
        Text(
            f"{interview}: {kept} câu trả lời sang bản mới, {len(dropped)} câu để riêng",
            f"{interview}: {many(kept, 'answer')} carried, {len(dropped)} put aside",
        )
    )
    for was, now in carried.moved:
        click.echo(f"  {was} → {now}")
    for one in dropped:
        click.echo(f"  {one['path']}: {one['reason']}")
    return FINDINGS if dropped else None


def questionnaire_of(source: str) -> Questionnaire:
    """The questionnaire that ``source`` names: a shipped id, a folder, a workbook, or a hash (its first eight digits
    or more) that the store of this machine holds."""
    from survey.questionnaire import xlsform

    if (match := _HASH.fullmatch(source)) and not xlsform.find(source).exists():
        return held(match.group(1))[1]
    return xlsform.load(source)


def held(digits: str) -> tuple[str, Questionnaire]:
    """Hash and questionnaire of the one in the store whose hash begins with these digits. InputError unless one."""
    from survey.questionnaire.model import Questionnaire
    from survey.store import frame

    with open_store() as store:
        known = [row["hash"] for row in frame.questionnaires(store) if row["hash"].startswith(f"sha256:{digits}")]
        compiled = frame.questionnaire(store, known[0]) if len(known) == 1 else None
    if compiled is None:
        raise InputError(
            digits,
            Text("mã này ứng với nhiều bảng hỏi", "several questionnaires have a hash like this")
            if len(known) > 1
            else Text("máy này không có bảng hỏi với mã này", "no questionnaire with this hash is on this machine"),
            Text("ghi thêm chữ số, hoặc dùng tệp của bản ấy", "give more digits, or name that version's file"),
        )
    return known[0], Questionnaire.from_json(compiled)


commands: dict[str, click.Command] = {"diff": diff, "carry": carry}
