"""``survey round rates | rules | place | targets``: outcome rates, rules of fieldwork, places that change, targets."""

from __future__ import annotations

import dataclasses
import math
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from survey.cli.base import Command, json_option, language, open_store, option, say, say_json, say_table
from survey.cli.frame import chosen_round, round_option
from survey.cli.options import FILE
from survey.errors import InputError
from survey.text import Text, many, nfc

RATES = (
    *("RR1", "RR2", "RR3", "RR4", "RR5", "RR6", "COOP1", "COOP2", "COOP3", "COOP4"),
    *("REF1", "REF2", "REF3", "CON1", "CON2", "CON3"),
)
_USUAL = ("RR1", "RR3", "COOP1", "REF1", "CON1")


@click.command(
    cls=Command,
    help=Text(
        "Tỷ lệ trả lời, hợp tác, từ chối, tiếp xúc theo AAPOR, tính từ kết quả các lần đến.",
        "Response, cooperation, refusal and contact rates (AAPOR) from the results of visits.",
    ),
    example="survey round rates --by commune --weighted",
)
@round_option
@option(
    "--by",
    default="",
    help=Text(
        "Chia theo cột của khung mẫu (ví dụ commune, assignee); nhiều cột cách nhau dấu phẩy.",
        "Group by columns of the frame (commune, assignee); several separated by commas.",
    ),
)
@option(
    "--weighted",
    is_flag=True,
    help=Text("Theo nghịch đảo xác suất chọn.", "Weighted by the inverse of the probability of selection."),
)
@option(
    "--e",
    "eligible",
    type=click.FloatRange(0, 1),
    help=Text(
        "Phần được coi là thuộc diện khảo sát trong số chưa rõ (mặc định: ước lượng từ các trường hợp đã rõ).",
        "Share of unknown cases taken as eligible (default: as among the known ones).",
    ),
)
@option("--all", "every", is_flag=True, help=Text("Hiện cả 16 tỷ lệ.", "Show all 16 rates."))
@json_option
def rates(round_id: str | None, by: str, weighted: bool, eligible: float | None, every: bool, as_json: bool) -> None:
    from survey.fieldwork.dispositions import Case, grouped_rates
    from survey.store import fieldlog

    columns = [name.strip() for name in by.split(",") if name.strip()]
    with open_store() as store:
        document = chosen_round(store, round_id)
        found = fieldlog.cases(store, document["id"])
    units = [unit for unit, _ in found]
    for name in columns:
        if not any(name in unit for unit in units):
            known = ", ".join(sorted({key for unit in units for key in unit}))
            raise InputError(
                f"--by {name}",
                Text("đơn vị mẫu không có cột này", "sample units have no such column"),
                Text(f"các cột có: {known}", f"they have {known}"),
            )
    cases = [
        Case(code, "|".join(str(unit.get(name, "")) for name in columns), _weight(unit) if weighted else 1)
        for unit, code in found
    ]
    groups = grouped_rates(cases, eligible)
    if as_json:
        say_json(
            {
                "round": document["id"],
                "by": columns,
                "weighted": weighted,
                "rates": [
                    {"group": name, "counts": one.counts, "open": one.open, "e": one.e, **one.rates}
                    for name, one in groups.items()
                ],
            }
        )
        return
    shown = RATES if every else _USUAL
    say_table(
        [
            Text(", ".join(columns) or "nhóm", ", ".join(columns) or "group"),
            Text("trường hợp", "cases"),
            Text("còn chờ", "open"),
            *(Text(name, name) for name in shown),
        ],
        [
            (
                name or Text("tất cả", "all")(language()),
                _count(sum(one.counts.values()) + one.open),
                _count(one.open),
                *(_percent(one.rates[rate]) for rate in shown),
            )
            for name, one in groups.items()
        ],
    )
    e = _percent(groups[""].e)
    say(
        Text(
            f"e = {e}. Công thức: AAPOR (2016). Trường hợp còn chờ không nằm trong tỷ lệ nào.",
            f"e = {e}. Formulas: AAPOR (2016). Open cases are in no rate.",
        )
    )


def _weight(unit: dict[str, Any]) -> float:
    try:
        probability = float(unit.get("probability", ""))
    except (TypeError, ValueError):
        probability = math.nan
    if not 0 < probability <= 1:
        raise InputError(
            f"unit {unit['id']}",
            Text("đơn vị mẫu này không có xác suất chọn", "this unit has no probability of selection"),
            Text("tính tỷ lệ không có --weighted", "leave --weighted out"),
        )
    return 1 / probability


def _count(number: float) -> str:
    return f"{number:g}" if number == int(number) else f"{number:.1f}"


def _percent(share: float | None) -> str:
    if share is None:
        return "–"
    text = f"{share * 100:.1f} %"
    return text.replace(".", ",") if language() == "vi" else text


@click.command(
    cls=Command,
    help=Text(
        "Quy định của đợt: thay hộ, số phiếu mỗi địa bàn, chọn người trong hộ; không có tùy chọn thì chỉ xem.",
        "Rules of a round: replacement, target of each area, choice within a household; without options shows them.",
    ),
    example="survey round rules --visits 3 --target 16 --respondent kish",
)
@round_option
@option(
    "--visits",
    type=click.IntRange(1, 20),
    help=Text("Số lần đến trước khi được thay (khi còn có thể gặp).", "Visits before a unit is given up (default 3)."),
)
@option(
    "--replace-for",
    default=None,
    metavar="CODES",
    help=Text("Các mã kết quả được thay, cách nhau dấu phẩy.", "Dispositions that allow it, separated by commas."),
)
@option(
    "--target",
    type=click.IntRange(0),
    help=Text(
        "Số phiếu cần ở mỗi địa bàn (PAPI: 16); 0: hộ nào bỏ thì thay hộ ấy.",
        "Interviews wanted in each primary unit (PAPI: 16); 0: every unit given up is replaced.",
    ),
)
@option(
    "--replacement/--no-replacement",
    "allowed",
    default=None,
    help=Text("Cho hoặc không cho thay hộ.", "Whether units may be replaced at all."),
)
@option(
    "--respondent",
    "method",
    type=click.Choice(["kish", "next_birthday", "random", "none"]),
    help=Text("Cách chọn người trả lời trong hộ.", "How one adult of a household is chosen."),
)
@option(
    "--age",
    type=click.IntRange(0, 120),
    help=Text("Tuổi nhỏ nhất của người trả lời (mặc định 18).", "Youngest respondent (default 18)."),
)
@option(
    "--count-by",
    type=click.Choice(["person", "case"]),
    help=Text("Quyền số theo người hay theo hồ sơ (khung một cửa).", "Weight by person or by case (one-stop frame)."),
)
@option(
    "--least",
    type=click.IntRange(0),
    metavar="N",
    help=Text(
        "Không công bố ô có ít hơn N phiếu; 0: bỏ quy tắc này.",
        "Cells with fewer than N interviews are not published; 0: no such rule.",
    ),
)
@option(
    "--least-units",
    type=click.IntRange(1),
    metavar="N",
    help=Text("… hay ít hơn N đơn vị chọn mẫu (mặc định 2).", "… nor with fewer than N sampled units (default 2)."),
)
@option(
    "--second-approval/--one-approval",
    "second",
    default=None,
    help=Text("Phiếu có phải được duyệt hai lần không.", "Whether a statistician approves too before it counts."),
)
@option(
    "--read-share",
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help=Text(
        "Duyệt hàng loạt: phần phiếu không có dấu hiệu vẫn để người đọc (mặc định 0.1).",
        "Approving together: share of what no rule flagged that is read all the same (default 0.1).",
    ),
)
@json_option
def rules(
    round_id: str | None,
    visits: int | None,
    replace_for: str | None,
    target: int | None,
    allowed: bool | None,
    method: str | None,
    age: int | None,
    count_by: str | None,
    least: int | None,
    least_units: int | None,
    second: bool | None,
    read_share: float | None,
    as_json: bool,
) -> None:
    from survey.fieldwork import reviewing
    from survey.fieldwork.dispositions import disposition
    from survey.fieldwork.household import METHODS
    from survey.fieldwork.onestop import COUNT_BY
    from survey.fieldwork.replacement import Rule
    from survey.sync import rounds

    codes = None if replace_for is None else tuple(disposition(code.strip()).code for code in replace_for.split(","))
    given = {"visits": visits, "dispositions": codes, "target": target, "allowed": allowed}
    changed: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    with open_store() as store:
        document = dict(chosen_round(store, round_id))
        before = dict(document)
        if changed:
            document["replacement"] = dataclasses.replace(Rule.of(document), **changed).document
        if method is not None or age is not None:
            told = document.get("respondent") or {"method": "none", "age": 18}
            document["respondent"] = {
                "method": method or told["method"],
                "age": told.get("age", 18) if age is None else age,
            }
        if count_by is not None:
            document["count_by"] = count_by
        if least is not None or least_units is not None:
            document["publication"] = _publication(document, least, least_units)
        if second is not None or read_share is not None:
            reviewed = {"second": second, "share": read_share}
            kept: dict[str, Any] = {name: value for name, value in reviewed.items() if value is not None}
            document["review"] = dataclasses.replace(reviewing.Rule.of(document), **kept).document
        if document != before:
            rounds.issue_round(store, document)
    rule = Rule.of(document)
    chosen = document.get("respondent") or {"method": "none", "age": 18}
    weigh = str(document.get("count_by", "person"))
    published = document.get("publication")
    if as_json:
        told = {"replacement": rule.document, "respondent": chosen, "count_by": weigh, "publication": published}
        say_json({"round": document["id"], **told, "review": reviewing.Rule.of(document).document})
        return
    if rule.allowed:
        listed = ", ".join(rule.dispositions)
        say(
            Text(
                f"thay hộ: sau {rule.visits} lần đến, với {listed}",
                f"replaced after {many(rule.visits, 'visit')}: {listed}",
            )
        )
        say(Text(f"số phiếu mỗi địa bàn: {rule.target or '–'}", f"target of each area: {rule.target or '–'}"))
    else:
        say(Text("không cho thay hộ", "no replacement"))
    how = METHODS.get(chosen["method"], Text("không chọn trong hộ", "none"))
    say(
        Text(f"người trả lời: {how.vi}, từ {chosen['age']} tuổi", f"respondent: {how.en}, aged {chosen['age']} or more")
    )
    say(Text(f"quyền số: {COUNT_BY[weigh].vi}", f"weights: {COUNT_BY[weigh].en}"))
    review = reviewing.Rule.of(document)
    say(
        Text(
            f"duyệt: {'hai lần' if review.second else 'một lần'}; để đọc {_percent(review.share)}",
            f"approvals: {'two' if review.second else 'one'}; kept for reading {_percent(review.share)}",
        )
    )
    if published:
        n, units = published["least_n"], published["least_psu"]
        say(
            Text(
                f"công bố: từ {n} phiếu và {units} đơn vị chọn mẫu",
                f"published: from {many(n, 'interview')} and {many(units, 'sampled unit')} on",
            )
        )


def _publication(document: dict[str, Any], least: int | None, units: int | None) -> dict[str, Any] | None:
    """The round's rule for small cells after ``--least`` and ``--least-units``."""
    if least == 0:
        return None
    before = document.get("publication") or {}
    known = {"least_n": before.get("least_n", 15) if least is None else least}
    known["least_psu"] = before.get("least_psu", 2) if units is None else units
    return {**known, "complementary": bool(before.get("complementary", True))}


@click.command(
    cls=Command,
    help=Text(
        "Ghi việc thôn, xã, tỉnh đổi tên, nhập, tách giữa đợt; mẫu giữ nguyên mã, tầng và xác suất.",
        "Record that a village, commune or province was renamed, merged or split; drawn units stay as they were drawn.",
    ),
    example="survey round place commune 03646 --to 03650 --name 'xã Mường Bú' --date 2026-07-01 --kind merged",
)
@click.argument("level", type=click.Choice(["province", "district", "commune", "village"]))
@click.argument("old", metavar="CODE")
@round_option
@option("--to", "new", default="", help=Text("Mã mới (mặc định: như cũ).", "New code (default: as before)."))
@option("--name", required=True, help=Text("Tên mới.", "New name."))
@option(
    "--date", "day", required=True, type=click.DateTime(["%Y-%m-%d"]), help=Text("Ngày có hiệu lực.", "In force from.")
)
@option("--kind", type=click.Choice(["renamed", "merged", "split"]), default="renamed", help=Text("Việc gì.", "What."))
@option(
    "--village",
    default="",
    help=Text("Khi tách: chỉ thôn có mã này sang nơi mới.", "Of a split: only the village with this code went there."),
)
@option("--basis", default="", help=Text("Nghị quyết.", "The resolution."))
@json_option
def place(
    level: str,
    old: str,
    round_id: str | None,
    new: str,
    name: str,
    day: datetime,
    kind: str,
    village: str,
    basis: str,
    as_json: bool,
) -> None:
    from survey.fieldwork.places import KINDS, Change
    from survey.sync import rounds

    change = Change(level, old, new or old, nfc(name), f"{day:%Y-%m-%d}", kind, village, nfc(basis))
    with open_store() as store:
        document = chosen_round(store, round_id)
        touched = rounds.change_place(store, document, change)
    if as_json:
        say_json({"round": document["id"], **change.document, "units": touched})
        return
    say(
        Text(
            f"{old} {KINDS[kind].vi} {name} từ {change.date}: {touched} đơn vị mẫu, giữ nguyên mã, tầng, xác suất.",
            f"{old} {KINDS[kind].en} {name} from {change.date}: {many(touched, 'unit')}, drawn as they were.",
        )
    )


@click.command(
    help=Text(
        "Đặt mục tiêu số phiếu theo tỉnh, xã hoặc thôn từ một bảng (nơi, mục tiêu); không nêu tệp thì xem.",
        "Set from a table how many interviews a province, commune or village is to bring; without a file, show them.",
    ),
    cls=Command,
    example="survey round targets muc_tieu.xlsx --by commune",
)
@click.argument("file", required=False, type=FILE)
@round_option
@option("--by", default="commune", type=click.Choice(["province", "commune", "village"]), help=Text("Cấp.", "Level."))
@option(
    "--clear", is_flag=True, help=Text("Bỏ hết: theo danh sách chính thức.", "Take them away: the main list counts.")
)
@json_option
def targets(file: Path | None, round_id: str | None, by: str, clear: bool, as_json: bool) -> None:
    from survey.fieldwork import workload
    from survey.store import frame
    from survey.sync import rounds
    from survey.tables import read_table

    with open_store() as store:
        document = chosen_round(store, round_id)
        own = workload.of_round(document)
        if file is not None:
            units = frame.units(store, document["id"])
            names = {str(unit[by]): str(unit.get(f"{by}_name") or unit[by]) for unit in units if unit.get(by)}
            table = read_table(file)
            rows = [(table.where(number), row) for number, row in enumerate(table.rows)]
            own = workload.read(by, names, table.columns, rows)
        if file is not None or clear:
            own = None if clear else own
            kept = {name: value for name, value in document.items() if name != "workload"}
            told = {"workload": {"level": own.level, "of": dict(own.of)}} if own and own.of else {}
            rounds.issue_round(store, kept | told)
    if as_json:
        say_json({"round": document["id"], "level": own.level if own else "", "of": own.of if own else {}})
    elif own:
        total, count = sum(own.of.values()), len(own.of)
        said = workload.LEVELS[own.level]
        say(
            Text(
                f"Mục tiêu theo {said.vi}: {count} nơi, {total} phiếu.",
                f"By {said.en}: {many(count, 'place')}, {many(total, 'interview')}.",
            )
        )
    else:
        say(Text("Mục tiêu là danh sách chính thức.", "The main list is the target."))
