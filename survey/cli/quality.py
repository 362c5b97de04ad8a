"""``survey quality``: signs that deserve a second look, and the figures behind them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from survey.cli.base import (
    FINDINGS,
    Command,
    account,
    json_option,
    language,
    open_store,
    option,
    say,
    say_json,
    say_table,
)
from survey.cli.frame import chosen_round, round_option
from survey.cli.options import NEW_FILE
from survey.errors import InputError
from survey.text import Text, many, plural

if TYPE_CHECKING:
    from survey.fieldwork.others import Other
    from survey.fieldwork.quality import Finding
    from survey.fieldwork.quality_summary import Summary


@click.command(
    cls=Command,
    help=Text(
        "Dấu hiệu cần xem lại ở phiếu, điều tra viên, xã, câu hỏi; tỷ lệ trả lời; ngưỡng của đợt.",
        "Signs to look at again in interviews, enumerators, communes, questions; response rates; the round's limits.",
    ),
    example="survey quality --by enumerator\nsurvey quality --set short=0.5 --set latest=20",
)
@round_option
@option(
    "--by",
    type=click.Choice(["enumerator", "commune", "day"]),
    help=Text("Bảng số liệu theo điều tra viên, xã hoặc ngày.", "A table of figures by enumerator, commune or day."),
)
@option(
    "--check",
    "checks",
    multiple=True,
    help=Text("Chỉ các phép kiểm tra này (lặp lại được).", "These checks alone (may be repeated)."),
)
@option(
    "--thresholds",
    "show_limits",
    is_flag=True,
    help=Text("Xem các ngưỡng của đợt.", "Show the thresholds of the round."),
)
@option(
    "--set",
    "changes",
    multiple=True,
    metavar="NAME=VALUE",
    help=Text("Đặt một ngưỡng của đợt; để trống số: về mặc định.", "Set a threshold of the round; no value: default."),
)
@option(
    "--others",
    "others_file",
    type=NEW_FILE,
    help=Text(
        "Ghi ra tệp CSV mọi câu trả lời “khác, ghi rõ”, kèm cột để mã hóa lại.",
        "Write every “other, specify” to a CSV file with a column for coding it anew.",
    ),
)
@json_option
def quality(
    round_id: str | None,
    by: str | None,
    checks: Sequence[str],
    show_limits: bool,
    changes: Sequence[str],
    others_file: Path | None,
    as_json: bool,
) -> int:
    from survey.fieldwork import quality_summary
    from survey.fieldwork.quality import CHECKS, THRESHOLDS, WORDING, thresholds
    from survey.store import audit
    from survey.store import quality as found

    for name in checks:
        if name not in CHECKS:
            known = ", ".join(CHECKS)
            raise InputError(
                f"--check {name}",
                Text("không có phép kiểm tra này", "there is no such check"),
                Text(f"chọn một: {known}", f"choose one: {known}"),
            )
    with open_store() as store:
        document = chosen_round(store, round_id)
        if changes:
            document = _changed(store, document, changes)
        limits = thresholds(document)
        if changes or show_limits:
            if as_json:
                say_json({"round": document["id"], "thresholds": limits})
            else:
                spoken = language()
                say_table(
                    [Text("ngưỡng", "threshold"), Text("giá trị", "value"), Text("nghĩa", "meaning")],
                    [(name, f"{limits[name]:g}", THRESHOLDS[name][1](spoken)) for name in THRESHOLDS],
                )
            return 0
        if others_file:
            said = found.others(store, document["id"])
            told = {"file": others_file.name, "others": len(said), "account": account()}
            audit.note(store, "export", subject=str(document["id"]), detail=told)
            return _write_others(others_file, said, as_json)
        signs = found.findings(store, document["id"])
        signs = [one for one in signs if not checks or one.check in checks]
        rows = found.rows(store, document["id"])
        waiting = found.unmeasured(store, document["id"])
        rates = _rates(store, document["id"], by) if by in ("enumerator", "commune") else {}
    summaries = quality_summary.summaries(rows, signs, by) if by else []
    if as_json:
        say_json(
            {
                "round": document["id"],
                "interviews": len(rows),
                "unmeasured": waiting,
                "findings": [
                    {**vars(one), "name": CHECKS[one.check].name._asdict(), "words": one.words._asdict()}
                    for one in signs
                ],
                "by": [{**vars(one), "rates": rates.get(one.name)} for one in summaries],
                "rates": rates.get(""),
            }
        )
        return FINDINGS if signs else 0
    if by:
        _show_summaries(quality_summary.BY[by][0], summaries, rates)
    else:
        _show_findings(signs)
    say(
        Text(
            f"{len(rows)} phiếu, {len(signs)} dấu hiệu.", f"{many(len(rows), 'interview')}, {many(len(signs), 'sign')}."
        )
    )
    if waiting:
        say(
            Text(
                f"{waiting} phiếu chưa xem được: nội dung hoặc bảng hỏi chưa về máy này.",
                f"{many(waiting, 'interview')} cannot be looked at yet: "
                f"{plural(waiting, 'its', 'their')} content or questionnaire has not come here.",
            )
        )
    if signs:
        say(WORDING)
    return FINDINGS if signs else 0


def _changed(store: Any, document: dict[str, Any], changes: Sequence[str]) -> dict[str, Any]:
    """The round's document with other thresholds, issued anew. InputError for what is no NAME=VALUE."""
    from survey.fieldwork.quality import thresholds
    from survey.sync import rounds

    told = dict(document.get("quality") or {})
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals:
            raise InputError(
                f"--set {change}",
                Text("thiếu dấu =", "there is no ="),
                Text("ví dụ: --set short=0.5", "for example: --set short=0.5"),
            )
        if value.strip():
            told[name.strip()] = value.strip().replace(",", ".")
        else:
            told.pop(name.strip(), None)
    changed = {**document, "quality": told}
    if not told:
        changed.pop("quality")
    thresholds(changed)
    rounds.issue_round(store, changed)
    return changed


def _write_others(file: Path, said: Sequence[Other], as_json: bool) -> int:
    from survey.fieldwork.others import COLUMNS

    with file.open("w", encoding="utf-8-sig", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(COLUMNS)
        writer.writerows([getattr(one, name) for name in COLUMNS] for one in said)
    if as_json:
        say_json({"path": file, "others": said})
    else:
        say(
            Text(
                f"Đã ghi {len(said)} câu trả lời khác nhau vào {file}",
                f"Wrote {many(len(said), 'different answer')} to {file}",
            )
        )
    return 0


def _rates(store: Any, round: str, by: str) -> dict[str, dict[str, float | None]]:
    """Group to its AAPOR rates, "" for all: by the enumerator to whom the unit is given, or by commune."""
    from survey.fieldwork.dispositions import Case, grouped_rates
    from survey.store import fieldlog

    column = "assignee" if by == "enumerator" else by
    cases = [Case(code, str(unit.get(column, ""))) for unit, code in fieldlog.cases(store, round)]
    return {name: dict(one.rates) for name, one in grouped_rates(cases).items()} if cases else {}


def _show_findings(signs: Sequence[Finding]) -> None:
    from survey.fieldwork.quality import CHECKS, SUBJECTS

    spoken = language()
    if signs:
        say_table(
            [Text("đối tượng", "subject"), Text("dấu hiệu", "sign"), Text("số liệu", "figures")],
            [
                (
                    f"{SUBJECTS[one.subject_type](spoken)} {one.subject}",
                    CHECKS[one.check].name(spoken),
                    " · ".join(filter(None, (one.question, one.words(spoken)))),
                )
                for one in signs
            ],
        )


def _show_summaries(heading: Text, summaries: Sequence[Summary], rates: dict[str, dict[str, float | None]]) -> None:
    say_table(
        [
            heading,
            Text("phiếu", "interviews"),
            Text("phút (giữa)", "minutes (median)"),
            Text("không biết", "don't know"),
            Text("không trả lời", "refused"),
            Text("ở giữa", "neutral"),
            Text("một kiểu", "straight"),
            Text("mức chung", "level"),
            Text("RR3", "RR3"),
            Text("cần xem", "to look at"),
        ],
        [
            (
                one.name or "–",
                one.interviews,
                f"{one.minutes[2]:.0f}" if one.minutes else "–",
                *(_percent(share) for share in (one.dont_know, one.refused, one.neutral, one.straight, one.level)),
                _percent(rates.get(one.name, {}).get("RR3")),
                one.flagged,
            )
            for one in summaries
        ],
    )


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share * 100:.0f} %"


commands: dict[str, click.Command] = {"quality": quality}
