"""``survey scorecard``: PAR INDEX from the command line: structure, new card, entries from a table, results, trail."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from survey.cli.base import (
    FINDINGS,
    Command,
    Group,
    json_option,
    language,
    open_store,
    option,
    say,
    say_json,
    say_table,
)
from survey.cli.options import FILE, FOLDER, NEW_FILE
from survey.cli.review import check_person
from survey.errors import InputError, Problem, Problems, SurveyError
from survey.text import Text, many

if TYPE_CHECKING:
    from analysis.scorecard import Entry, Result, Structure
    from survey.store import Store

_AS = option("--as", "person", required=True, metavar="ID", help=Text("Người thực hiện.", "Who does it."))
_PAGES = {"self": "scorecards.self_score", "appraisal": "scorecards.appraise", "survey": "scorecards.survey_points"}
_YES = {"1", "x", "có", "co", "yes", "true"}


@click.group(
    cls=Group,
    help=Text(
        "Chấm điểm cải cách hành chính (PAR INDEX): tự chấm, thẩm định, kết quả.",
        "PAR INDEX scorecards: self-score, appraisal, result.",
    ),
    example="survey scorecard show",
)
def scorecard() -> None:
    pass


@scorecard.command(
    cls=Command,
    help=Text(
        "Lập bảng bộ tiêu chí từ tệp các phiên bản đã biết; điểm chưa biết để trống cho người dùng nhập.",
        "Make a table of criteria from a file of known versions; points it does not know are left blank to be entered.",
    ),
    example="survey scorecard structure parindex_tree.json --version par-876-province --out bo_tieu_chi.csv",
)
@click.argument("tree", type=FILE)
@option("--version", "version", required=True, help=Text("Mã phiên bản trong tệp.", "Id of the version in the file."))
@option("--out", required=True, type=NEW_FILE, help=Text("Tệp .csv hoặc .xlsx.",
        "The .csv or .xlsx."))  # fmt: skip
def structure(tree: Path, version: str, out: Path) -> int:
    import pandas as pd

    from analysis.output import write_table
    from analysis.scorecard import structure_rows

    rows = structure_rows(tree, version)
    write_table(pd.DataFrame(rows), out)
    blank = sum(not row["points_max"] for row in rows)
    say(
        Text(
            f"Đã ghi {len(rows)} dòng vào {out}; {blank} dòng cần nhập điểm tối đa",
            f"Wrote {many(len(rows), 'row')} to {out}; the points of {blank} are to be entered",
        )
    )
    return 0


@scorecard.command(
    cls=Command,
    help=Text("Mở một phiếu chấm điểm từ bảng bộ tiêu chí.", "Open a scorecard from a table of criteria."),
    example="survey scorecard new bo_tieu_chi.csv --unit 'Sơn La' --level province --period 2026 --name 876 --as phanh",
)
@click.argument("criteria", type=FILE)
@option("--unit", required=True, help=Text("Đơn vị được chấm.", "The unit that is scored."))
@option("--level", required=True, help=Text("Cấp: ministry, province, department, commune.",
        "Level: ministry, province, department, commune."))  # fmt: skip
@option("--period", required=True, help=Text("Kỳ (năm).", "Period (year)."))
@option("--name", required=True, help=Text("Tên bộ tiêu chí.", "Name of the criteria's version."))
@_AS
def new(criteria: Path, unit: str, level: str, period: str, name: str, person: str) -> int:
    from analysis.scorecard import read_structure
    from survey.store import scorecards

    made = read_structure(criteria, name, level)
    with open_store() as store:
        check_person(store, person, "scorecards.create")
        body = {"unit_name": unit, "level": level, "period": period, "version": name, "structure": made.document}
        card = scorecards.create(store, body, person)
    say(Text(f"Đã mở phiếu {card}", f"Opened {card}"))
    return 0


@scorecard.command(
    cls=Command,
    help=Text(
        "Nhập điểm từ bảng: code, points, not_applicable, reason, evidence (tên tệp cách nhau bằng ;).",
        "Enter points from a table: code, points, not_applicable, reason, evidence (files separated by ;).",
    ),
    example="survey scorecard enter s0a1… tu_cham.xlsx --step self --evidence tai_lieu/ --as plan",
)
@click.argument("card")
@click.argument("table", type=FILE)
@option("--step", type=click.Choice(list(_PAGES)), required=True, help=Text("Bước.", "Which step."))
@option("--evidence", "folder", type=FOLDER,
        help=Text("Thư mục tài liệu kiểm chứng.", "Folder of the evidence."))  # fmt: skip
@_AS
def enter(card: str, table: Path, step: str, folder: Path | None, person: str) -> int:
    """All rows are checked first; one that may not stand leaves everything as it was."""
    from analysis.scorecard import check
    from survey.store import scorecards
    from survey.tables import read_table

    rows = read_table(table)
    with open_store() as store:
        check_person(store, person, _PAGES[step])
        document, made, standing = standing_of(store, card)
        if step == "self" and document["state"] != "open":
            raise InputError(
                card,
                Text("phiếu đã nộp, không tự chấm thêm được", "it was handed in: no more self-scores"),
                Text("nhờ người thẩm định trả lại", "ask the appraiser to give it back"),
            )
        ready: list[tuple[str, dict[str, Any], list[tuple[str, bytes]]]] = []
        problems: list[Problem] = []
        for k, row in enumerate(rows.rows):
            try:
                entry, body, files = _entry(made, row, step, person, folder, rows.decimal_comma)
                check(made, entry, standing, rows.where(k))
                ready.append((entry.code, body, files))
            except Problems as wrong:
                problems += wrong.problems
            except SurveyError as wrong:
                problems.append(
                    Problem(f"{rows.where(k)}, {wrong.problem.where}", wrong.problem.what, wrong.problem.todo)
                )
        if problems:
            raise Problems(problems)
        with store.transaction():
            for code, body, files in ready:
                scorecards.enter(store, card, code, step, body, files, person)
    say(Text(f"Đã nhập {len(ready)} tiêu chí", f"Entered {many(len(ready), 'criterion', 'criteria')}"))
    return 0


@scorecard.command(
    cls=Command,
    help=Text(
        "Kết quả: mọi phiếu kèm hạng, hoặc một phiếu theo từng tiêu chí.",
        "Results: all scorecards with their ranks, or one criterion by criterion.",
    ),
    example="survey scorecard show --json",
)
@click.argument("card", required=False)
@json_option
def show(card: str | None, as_json: bool) -> int:
    with open_store() as store:
        return _one(store, card, as_json) if card else _all(store, as_json)


@scorecard.command(
    cls=Command,
    help=Text("Nhật ký: ai nhập gì, lúc nào, vì sao.", "The audit trail: who entered what, when, why."),
    example="survey scorecard trail s0a1…",
)
@click.argument("card")
@json_option
def trail(card: str, as_json: bool) -> int:
    from survey.store import scorecards

    with open_store() as store:
        scorecards.read(store, card)
        found = scorecards.trail(store, card)
    if as_json:
        plain = [
            {**one._asdict(), "document": {k: v for k, v in one.document.items() if k != "structure"}} for one in found
        ]
        say_json(plain)
        return 0
    headings = [Text("lúc", "when"), Text("người", "who"), Text("mã", "code"), Text("bước", "step"),
                Text("điểm", "points"), Text("lý do", "reason")]  # fmt: skip
    names = ("code", "step", "points", "reason")
    say_table(headings, [[one.time, one.actor, *(one.document.get(name, "") for name in names)] for one in found])
    return 0


def standing_of(store: Store, card: str) -> tuple[dict[str, Any], Structure, dict[tuple[str, str], Entry]]:
    """A card's document, its structure, and the entries that stand by (code, step)."""
    from analysis.scorecard import Structure, entry_of
    from survey.store import scorecards

    document = scorecards.read(store, card)
    standing = {(one["code"], one["step"]): entry_of(one) for one in scorecards.entries(store, card)}
    return document, Structure.of(document["structure"]), standing


def _entry(
    made: Structure, row: dict[str, str], step: str, actor: str, folder: Path | None, decimal_comma: bool
) -> tuple[Entry, dict[str, Any], list[tuple[str, bytes]]]:
    from analysis.scorecard import entered
    from survey import evidence
    from survey.tables import numbers

    text = row.get("points", "")
    points = numbers([text], decimal_comma)[0] if text else None
    if text and points is None:
        raise InputError(
            "points", Text(f"“{text}” không phải số", f"'{text}' is no number"), Text("ghi số", "give one")
        )
    files = []
    for name in filter(None, (part.strip() for part in row.get("evidence", "").split(";"))):
        file = (folder or Path()) / name
        if folder is None or not file.is_file():
            raise InputError(
                name,
                Text("không có tệp này trong thư mục tài liệu", "there is no such file in the folder of evidence"),
                Text("kiểm tra --evidence và tên tệp", "check --evidence and the name"),
            )
        evidence.too_large(name, file.stat().st_size)
        kept = evidence.taken(name, file.read_bytes())
        files.append((kept.name, kept.content))
    out = row.get("not_applicable", "").casefold() in _YES
    entry, body = entered(made, row.get("code", ""), step, points, out, row.get("reason", ""), actor)
    return entry, body, files


def _all(store: Store, as_json: bool) -> int:
    from analysis.scorecard import count, places
    from survey.store import scorecards

    found = []
    for document in scorecards.cards(store):
        _, made, standing = standing_of(store, document["id"])
        found.append((document, count(made, standing.values())))
    order = places(found)
    names = ("id", "unit_name", "period", "level", "version", "state")
    rows = [
        {**{name: one[name] for name in names}, **_totals(result), "rank": order.get(one["id"])}
        for one, result in found
    ]
    if as_json:
        say_json(rows)
        return 0
    headings = [
        Text("mã", "id"),
        Text("đơn vị", "unit"),
        Text("kỳ", "period"),
        Text("cấp", "level"),
        Text("chỉ số, %", "index, %"),
        Text("nhóm", "group"),
        Text("hạng", "rank"),
        Text("thiếu", "missing"),
    ]
    say_table(
        headings,
        [
            [row["id"], row["unit_name"], row["period"], row["level"], _figure(row["percent"]), row["group"],
             row["rank"] or "", len(row["missing"])]
            for row in rows
        ],
    )  # fmt: skip
    return 0


def _one(store: Store, card: str, as_json: bool) -> int:
    from analysis.scorecard import count
    from survey.store import scorecards

    document, made, standing = standing_of(store, card)
    result = count(made, standing.values())
    conflicts = sorted({one["code"] for one in scorecards.entries(store, card) if one["conflict"]})
    rows: list[dict[str, Any]] = [
        {
            "code": code,
            "name": row.node.label._asdict(),
            "most": row.most,
            "self": row.self,
            "final": row.appraised,
            "difference": row.difference,
            "percent": row.percent,
            "not_applicable": row.not_applicable,
        }
        for code, row in result.rows.items()
    ]
    if as_json:
        say_json({"unit": document["unit_name"], **_totals(result), "conflicts": conflicts, "criteria": rows})
    else:
        spoken = language()
        total = f"{document['unit_name']}, {document['period']}: {_figure(result.percent) or '–'} % {result.grade}"
        say(Text(total, total))
        headings = [Text("mã", "code"), Text("tiêu chí", "criterion"), Text("tối đa", "most"), Text("tự chấm", "self"),
                    Text("điểm cuối", "final"), Text("chênh lệch", "difference")]  # fmt: skip
        say_table(
            headings,
            [
                [
                    row["code"],
                    row["name"][spoken],
                    *(_figure(row[key]) for key in ("most", "self", "final", "difference")),
                ]
                for row in rows
            ],
        )
    return FINDINGS if conflicts else 0


def _totals(result: Result) -> dict[str, Any]:
    return {
        "appraised": result.appraised,
        "survey": result.survey,
        "total": result.total,
        "most": result.most,
        "self": result.self,
        "percent": result.percent,
        "group": result.grade,
        "missing": list(result.missing),
    }


def _figure(value: float | None) -> str:
    from analysis.report.format import number

    return "" if value is None else number(value, 2, language())


commands: dict[str, click.Command] = {"scorecard": scorecard}
