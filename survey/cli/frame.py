"""``survey frame import`` and ``survey sample draw``: from a list of places or people to a round's sample units."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from survey.cli.base import Group, json_option, open_store, option, progress, say, say_json
from survey.errors import InputError
from survey.text import Text

if TYPE_CHECKING:
    from survey.store import Store

round_option = option(
    "--round",
    "round_id",
    help=Text("Mã đợt khảo sát (mặc định: đợt duy nhất trên máy).", "Id of the round (default: the only one here)."),
)


def chosen_round(store: Store, round_id: str | None) -> dict[str, Any]:
    """The document of the named round, or of the only one; InputError when there is none or the choice is open."""
    from survey.store import frame

    if round_id:
        return frame.round_document(store, round_id)
    rounds = frame.rounds(store)
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
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@round_option
@option("--from-tcvn3", "encoding", flag_value="tcvn3", help=Text("Chữ trong tệp là mã TCVN3 (ABC).", "Text is TCVN3."))
@option("--from-vni", "encoding", flag_value="vni", help=Text("Chữ trong tệp là mã VNI.", "Text is VNI."))
@json_option
def import_(file: Path, round_id: str | None, encoding: str | None, as_json: bool) -> None:
    from survey.sync import founding
    from survey.tables import read_table

    table = read_table(file, encoding or "")
    with open_store() as store:
        document = chosen_round(store, round_id)
        count, kept, apart, _ = founding.import_frame(store, document["id"], table)
    if as_json:
        say_json({"round": document["id"], "rows": count, "columns": kept, "contact": apart})
        return
    say(Text(f"Đã nhập {count} dòng vào đợt {document['id']}.", f"Imported {count} rows into round {document['id']}."))
    say(Text("Cột: " + ", ".join(kept), "Columns: " + ", ".join(kept)))
    if apart:
        say(Text("Để riêng (liên hệ): " + ", ".join(apart), "Kept apart (contact): " + ", ".join(apart)))


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
@json_option
def draw(round_id: str | None, seed: str, strata: str, stages: tuple[str, ...], assign: str, as_json: bool) -> None:
    from survey.sync import founding

    with open_store() as store:
        round_name = chosen_round(store, round_id)["id"]
        plan = [founding.read_stage(text) for text in stages]
        by = [column.strip() for column in strata.split(",") if column.strip()]
        people = [name.strip() for name in assign.split(",") if name.strip()]
        units = founding.draw_sample(
            store, round_name, plan, seed, by, people, watch=lambda total: progress(Text("Ghi mẫu", "Writing"), total)
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
            f"Round {round_name}: {main} main units, {len(units) - main} reserve, {psus} primary units, "
            f"{result['strata']} strata.",
        )
    )


commands = {"frame": frame_group, "sample": sample}
