"""``survey frame import`` and ``survey sample draw``: from a list of places or people to a round's sample units."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from survey.cli.base import (
    FINDINGS,
    Group,
    json_option,
    language,
    open_store,
    option,
    progress,
    say,
    say_json,
    say_table,
)
from survey.cli.options import DAY, FILE
from survey.errors import InputError, Problem, Problems
from survey.text import Text, many

if TYPE_CHECKING:
    from survey.store import Store


round_option = option(
    "--round",
    "round_id",
    help=Text("Mã đợt khảo sát (mặc định: đợt duy nhất trên máy).", "Id of the round (default: the only one here)."),
)


def chosen_round(store: Store, round_id: str | None) -> dict[str, Any]:
    """The document of the named round, or of the only one; InputError when there is none or the choice is open."""
    from survey.store import backcheck, frame

    if round_id:
        return frame.round_document(store, round_id)
    # A round of back-checks is meant only where it is named.
    rounds = [one for one in frame.rounds(store) if not one.get(backcheck.OF)]
    if len(rounds) == 1:
        return rounds[0]
    known = ", ".join(str(document["id"]) for document in rounds)
    raise InputError(
        "--round",
        Text(f"có {len(rounds)} đợt khảo sát trên máy này", f"there are {len(rounds)} rounds on this machine"),
        Text(f"chọn một: {known}", f"choose one: {known}")
        if rounds
        else Text("tạo đợt: survey round create", "make one: survey round create"),
    )


# -- frame --------------------------------------------------------------------------------------------------------


@click.group(cls=Group, help=Text("Khung mẫu của đợt khảo sát.", "The sampling frame of a round."))
def frame_group() -> None:
    pass


@frame_group.command(
    name="import",
    help=Text(
        "Nhập khung mẫu từ .xlsx hoặc CSV; họ tên, điện thoại, địa chỉ được để riêng.",
        "Import a frame from .xlsx or CSV; names, phones and addresses are kept apart.",
    ),
    example="survey frame import danh_sach_ho.xlsx --round r2026",
)
@click.argument("file", type=FILE)
@round_option
@option(
    "--one-stop",
    is_flag=True,
    help=Text(
        "Danh sách hồ sơ đã trả kết quả ở một cửa: gộp hồ sơ theo người.",
        "A list of finished one-stop cases: someone with several is one unit.",
    ),
)
@option("--since", type=DAY, metavar="DATE", help=Text("Trả kết quả từ ngày.", "Cases returned from this day on."))
@option("--until", type=DAY, metavar="DATE", help=Text("Trả kết quả đến hết ngày.", "Cases returned up to this day."))
@option("--skip-bad", is_flag=True, help=Text("Bỏ các dòng sai, vẫn nêu tên.", "Leave bad rows out, naming them."))
@option("--from-tcvn3", "encoding", flag_value="tcvn3", help=Text("Chữ trong tệp là mã TCVN3 (ABC).", "Text is TCVN3."))
@option("--from-vni", "encoding", flag_value="vni", help=Text("Chữ trong tệp là mã VNI.", "Text is VNI."))
@json_option
def import_(
    file: Path,
    round_id: str | None,
    one_stop: bool,
    since: datetime | None,
    until: datetime | None,
    skip_bad: bool,
    encoding: str | None,
    as_json: bool,
) -> int:
    from survey.sync import founding
    from survey.tables import read_table

    table = read_table(file, encoding or "")
    problems: list[Problem] = []
    cases = 0

    def people(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        nonlocal cases
        places = [table.where(number) for number in range(len(rows))]
        found, wrong = _people(file, rows, places, since, until)
        if wrong and not skip_bad:
            raise Problems(wrong)
        problems.extend(wrong)
        cases = sum(int(row["cases"]) for row in found)
        return found

    with open_store() as store:
        document = chosen_round(store, round_id)
        count, kept, apart, _ = founding.import_frame(store, document["id"], table, people if one_stop else None)
    if as_json:
        left = [problem("en") for problem in problems]
        say_json({"round": document["id"], "rows": count, "columns": kept, "contact": apart, "left_out": left})
        return FINDINGS if problems else 0
    say(
        Text(
            f"Đã nhập {count} dòng vào đợt {document['id']}.",
            f"Imported {many(count, 'row')} into round {document['id']}.",
        )
    )
    say(Text("Cột: " + ", ".join(kept), "Columns: " + ", ".join(kept)))
    if apart:
        say(Text("Để riêng (liên hệ): " + ", ".join(apart), "Kept apart (contact): " + ", ".join(apart)))
    if one_stop:
        say(Text(f"{cases} hồ sơ của {count} người.", f"{many(cases, 'case')} of {many(count, 'person', 'people')}."))
    for problem in problems:
        say(Text(problem("vi"), problem("en")))
    return FINDINGS if problems else 0


def _people(
    file: Path, rows: list[dict[str, Any]], places: list[str], since: datetime | None, until: datetime | None
) -> tuple[list[dict[str, Any]], list[Problem]]:
    """One row a person of a list of cases; InputError when it is no such list, or nobody is left."""
    from survey.fieldwork import onestop

    for name, words in (("case_id", "Mã hồ sơ"), ("returned", "Ngày trả kết quả")):
        if name not in rows[0]:
            raise InputError(
                str(file),
                Text(f"bảng không có cột {words}", f"the table has no column {words}"),
                Text("đặt lại tên cột", "name the column so"),
            )
    people, problems = onestop.people(rows, places, since.date() if since else None, until.date() if until else None)
    if not people and not problems:
        raise InputError(
            str(file),
            Text("không hồ sơ nào trả kết quả trong khoảng ngày này", "no case was returned within these dates"),
            Text("kiểm tra --since và --until", "check --since and --until"),
        )
    return people, problems


# -- sample -------------------------------------------------------------------------------------------------------


@click.group(cls=Group, help=Text("Mẫu của đợt khảo sát.", "The sample of a round."))
def sample() -> None:
    pass


@sample.command(
    help=Text(
        "Chọn mẫu từ khung mẫu: danh sách chính thức và dự phòng, theo số gieo.",
        "Draw a sample from the frame: main and reserve list, by seed.",
    ),
    example=(
        "survey sample draw --seed 2026 --strata province --stage 'village total=60 method=pps size=persons' "
        "--stage 'take=16 reserve=10'"
    ),
)
@round_option
@option(
    "--seed", required=True, help=Text("Số gieo; cùng số gieo cho cùng mẫu.", "Seed; the same gives the same sample.")
)
@option(
    "--strata", default="", help=Text("Các cột phân tầng, cách nhau dấu phẩy.", "Stratum columns, comma-separated.")
)
@option(
    "--stage",
    "stages",
    multiple=True,
    required=True,
    help=Text(
        "Một bậc chọn, từ lớn đến nhỏ: tên cột của cụm (bậc cuối không ghi), rồi take=, total= (chia theo tầng), "
        "method=srs|systematic|pps|pps_wr, size=, certainty=, order=, reserve=.",
        "One stage, large to small: the cluster's column (none for the last), then take=, total= (shared among "
        "strata), method=srs|systematic|pps|pps_wr, size=, certainty=, order=, reserve=.",
    ),
)
@option(
    "--assign",
    default="",
    help=Text(
        "Mã điều tra viên, cách nhau dấu phẩy; địa bàn được chia lần lượt.",
        "Ids of enumerators, comma-separated; they get the areas in turn.",
    ),
)
@option(
    "--quota",
    "quota",
    type=FILE,
    help=Text(
        "Bảng chỉ tiêu: các cột phân tầng (ví dụ agency, field) và cột take; thay cho take= ở bậc đầu.",
        "Table of quotas: the stratum columns (agency, field) and a column take; instead of take= in the first stage.",
    ),
)
@option(
    "--because",
    default="",
    metavar="REASON",
    help=Text(
        "Lý do giao địa bàn cho người của cơ quan được đánh giá ở đó; in trong phụ lục phương pháp.",
        "Why areas go to somebody who works for the authority rated there; the method annex prints it.",
    ),
)
@json_option
def draw(
    round_id: str | None,
    seed: str,
    strata: str,
    stages: tuple[str, ...],
    assign: str,
    quota: Path | None,
    because: str,
    as_json: bool,
) -> None:
    from survey.store import frame
    from survey.sync import founding

    with open_store() as store:
        round_name = chosen_round(store, round_id)["id"]
        plan = [founding.read_stage(text) for text in stages]
        by = [column.strip() for column in strata.split(",") if column.strip()]
        if quota is not None:
            plan[0] = replace(plan[0], take=_quotas(quota, by, frame.frame_rows(store, round_name)), total=0)
        people = [name.strip() for name in assign.split(",") if name.strip()]
        units = founding.draw_sample(
            store,
            round_name,
            plan,
            seed,
            by,
            people,
            reason=because,
            watch=lambda total: progress(Text("Ghi mẫu", "Writing"), total),
        )
    main = sum(unit["list"] == "main" for unit in units)
    psus = len({(unit["stratum"], unit["psu"]) for unit in units})
    result = {
        "round": round_name,
        "main": main,
        "reserve": len(units) - main,
        "psus": psus,
        "strata": len({unit["stratum"] for unit in units}),
    }
    if as_json:
        say_json(result)
        return
    say(
        Text(
            f"Đợt {round_name}: {main} đơn vị chính thức, {len(units) - main} dự phòng, {psus} đơn vị cấp một, "
            f"{result['strata']} tầng.",
            f"Round {round_name}: {many(main, 'main unit')}, {len(units) - main} reserve, "
            f"{many(psus, 'primary unit')}, {many(result['strata'], 'stratum', 'strata')}.",
        )
    )


def _quotas(file: Path, by: list[str], rows: list[dict[str, Any]]) -> dict[str, int]:
    """stratum -> how many, from a table. Problems name the rows that are wrong, that no row of the frame belongs to, or
    that ask for more than there are."""
    from survey.fieldwork.frames import standard_names
    from survey.tables import read_table

    table = read_table(file)
    names = {new: old for old, new in standard_names(table.columns).items()}
    lacking = [name for name in (*by, "take") if name not in names]
    if lacking or not by:
        raise InputError(
            str(file),
            Text(f"bảng thiếu cột {', '.join(lacking)}", f"the table lacks {', '.join(lacking)}")
            if by
            else Text("cần --strata", "--strata is needed"),
            Text("cần các cột phân tầng và cột take", "it needs the stratum columns and take"),
        )
    have = Counter("|".join(str(row.get(name, "")) for name in by) for row in rows)
    wanted: dict[str, int] = {}
    problems = []
    for number, row in enumerate(table.rows):
        stratum, take = "|".join(row[names[name]] for name in by), row[names["take"]]
        if not (take.isascii() and take.isdigit()):
            what = Text(f"{take!r} không phải số", f"{take!r} is not a number")
        elif stratum in wanted:
            what = Text(f"{stratum} đã có ở trên", f"{stratum} stands above already")
        elif int(take) > have[stratum]:
            what = Text(f"khung mẫu chỉ có {have[stratum]}", f"the frame has only {have[stratum]}")
        else:
            wanted[stratum] = int(take)
            continue
        problems.append(Problem(table.where(number), what, Text("sửa dòng này", "correct this row")))
    if problems:
        raise Problems(problems)
    return wanted


@sample.command(
    help=Text(
        "Cỡ mẫu n = N/(1+N·e²), kèm hiệu ứng thiết kế và số phiếu có thể đạt.",
        "The sample size n = N/(1+N·e²), with the design effect and what can be reached.",
    ),
    example="survey sample size --error 0.05 --per-cluster 16 --icc 0.03 --response 0.8 --by agency",
)
@round_option
@option(
    "--population", type=click.IntRange(1), help=Text("N (mặc định: khung mẫu của đợt).", "N (default: the frame).")
)
@option(
    "--error",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.05,
    show_default=True,
    help=Text("Sai số e ở độ tin cậy 95 %.", "Margin e at 95 %."),
)
@option("--deff", type=click.FloatRange(0, min_open=True), help=Text("Hiệu ứng thiết kế.", "Design effect."))
@option("--per-cluster", type=click.FloatRange(1), default=1.0, help=Text("Số phiếu mỗi cụm.", "Interviews a cluster."))
@option(
    "--icc",
    type=click.FloatRange(0, 1),
    default=0.0,
    help=Text("Tương quan trong cụm, cho deff = 1 + (b − 1)·ρ.", "Correlation in clusters: deff = 1 + (b − 1)·ρ."),
)
@option(
    "--response",
    type=click.FloatRange(0, 1, min_open=True),
    default=1.0,
    help=Text("Tỷ lệ trả lời dự kiến.", "Expected response rate."),
)
@option("--by", default="", help=Text("Mỗi nhóm của cột này một cỡ mẫu.", "One size for each value of a column."))
@json_option
def size(
    round_id: str | None,
    population: int | None,
    error: float,
    deff: float | None,
    per_cluster: float,
    icc: float,
    response: float,
    by: str,
    as_json: bool,
) -> None:
    from survey.fieldwork.size import deff_of_clusters, sample_size
    from survey.store import frame

    counts = {"": population or 0}
    if population is None:
        with open_store() as store:
            rows = frame.frame_rows(store, chosen_round(store, round_id)["id"])
        if not rows or (by and by not in rows[0]):
            raise InputError(
                f"--by {by}" if rows else "frame",
                Text("khung mẫu không có cột này", "the frame has no such column")
                if rows
                else Text("khung mẫu trống", "the frame has no rows"),
                Text("nhập khung mẫu, hoặc dùng --population", "import a frame, or give --population"),
            )
        counts = dict(sorted(Counter(str(row[by]) if by else "" for row in rows).items()))
    effect = deff if deff is not None else deff_of_clusters(per_cluster, icc)
    sizes = {name: sample_size(count, error, effect, response) for name, count in counts.items()}
    if as_json:
        say_json([{"group": name, **asdict(one)} for name, one in sizes.items()])
        return
    say_table(
        [
            Text(by or "nhóm", by or "group"),
            Text("N", "N"),
            Text("n = N/(1+N·e²)", "n = N/(1+N·e²)"),
            Text("deff", "deff"),
            Text("n cần", "n needed"),
            Text("cần chọn", "to draw"),
            Text("có thể đạt", "attainable"),
            Text("± khi ấy", "± then"),
        ],
        [
            (
                name or Text("tất cả", "all")(language()),
                *(one.population, one.formula, f"{one.deff:.2f}", one.needed, one.to_draw, one.attainable),
                f"{one.margin:.3f}",
            )
            for name, one in sizes.items()
        ],
    )


commands = {"frame": frame_group, "sample": sample}
