"""``survey frame import`` and ``survey sample draw``: from a list of places or people to a round's sample units."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from survey.cli.base import Group, json_option, open_store, option, progress, say, say_json
from survey.errors import InputError
from survey.text import Text

if TYPE_CHECKING:
    from survey.fieldwork.sampling import Drawn, Stage
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
    from survey.fieldwork import frames
    from survey.store import frame
    from survey.tables import plain_numbers, read_table

    table = read_table(file, encoding or "")
    if not table.rows:
        raise InputError(
            str(file),
            Text("bảng chỉ có dòng tên cột", "the table has only its header"),
            Text("chọn tệp khác", "choose another"),
        )
    names = frames.standard_names(table.columns)
    plain = plain_numbers(table)
    rows, private = frames.frame_rows(plain, names), frames.private_columns(plain, names)
    with open_store() as store:
        document = chosen_round(store, round_id)
        count = frame.import_frame(store, document["id"], rows)
    apart = [name for name in names.values() if name in private]
    kept = [name for name in rows[0] if name != "contact"]
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
    from survey.fieldwork import sampling
    from survey.store import frame
    from survey.sync import rounds

    with open_store() as store:
        document = chosen_round(store, round_id)
        round_name = document["id"]
        if frame.units(store, round_name):
            raise InputError(
                f"round {round_name}",
                Text("đợt này đã có mẫu", "this round has a sample already"),
                Text("tạo đợt mới để chọn lại", "make a new round to draw again"),
            )
        rows = frame.frame_rows(store, round_name)
        contact = {row["id"]: row.pop("contact") for row in rows}
        by = [column.strip() for column in strata.split(",") if column.strip()]
        plan = [_stage(text) for text in stages]
        _check_order(plan)
        drawn = sampling.draw(rows, plan, seed, "id", by)
        people = [_enumerator(store, name.strip()) for name in assign.split(",") if name.strip()]
        units = _documents(drawn, round_name, people)
        with progress(Text("Ghi mẫu", "Writing the sample"), len(units)) as advance, store.transaction():
            for unit in units:
                frame.issue(store, "unit", unit["id"], unit, contact[unit["frame_id"]])
                advance(1)
            columns = [column for column in rows[0] if column != "id"]
            how = {"seed": seed, "strata": by, "stages": list(stages)}
            rounds.issue_round(store, {**document, "frame_columns": columns, "draw": how})
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


_NUMBERS = ("take", "total", "reserve")
_WORDS = ("method", "size", "certainty", "order")


def _stage(text: str) -> Stage:
    from survey.fieldwork.sampling import METHODS, Stage

    unit = ""
    given: dict[str, Any] = {}
    for word in text.split():
        name, equals, value = word.partition("=")
        if not equals and not unit:
            unit = name
        elif name in _NUMBERS and value.isascii() and value.isdigit():
            given[name] = int(value)
        elif name in _WORDS and value and (name != "method" or value in METHODS):
            given[name] = value
        else:
            raise InputError(
                f"--stage {text!r}",
                Text(f"không hiểu {word!r}", f"{word!r} is not understood"),
                Text(
                    "dùng: CỘT take=3 method=" + "|".join(METHODS) + " size=CỘT certainty=CỘT order=CỘT reserve=2",
                    "use: COLUMN take=3 method="
                    + "|".join(METHODS)
                    + " size=COLUMN certainty=COLUMN order=COLUMN reserve=2",
                ),
            )
    if ("take" in given) == ("total" in given):
        raise InputError(
            f"--stage {text!r}",
            Text("cần đúng một trong take= và total=", "needs one of take= and total="),
            Text("thêm take=SỐ", "add take=NUMBER"),
        )
    return Stage(unit=unit, **given)


def _check_order(plan: list[Stage]) -> None:
    from survey.fieldwork.sampling import check_plan

    try:
        check_plan(plan)
    except ValueError as error:
        raise InputError(
            "--stage",
            Text(f"các bậc chọn không hợp lệ ({error})", str(error)),
            Text("xem: survey sample draw --help", "see: survey sample draw --help"),
        ) from error


def _enumerator(store: Store, user: str) -> str:
    from survey.store import frame

    if frame.person(store, user) is None:
        raise InputError(
            f"--assign {user}",
            Text("không có người mang mã này", "there is no person with this id"),
            Text("xem: survey user list", "see: survey user list"),
        )
    return user


def _documents(drawn: list[Drawn], round_name: str, people: list[str]) -> list[dict[str, Any]]:
    """The unit documents of a sample. Their ids follow from round and frame, so that a draw repeated by its seed on
    another machine makes the same units."""
    turn: dict[tuple[str, str], int] = {}
    documents = []
    for unit in drawn:
        place = turn.setdefault((unit.stratum, unit.psu), len(turn))
        name = "\x1f".join([round_name, unit.stratum, unit.psu, unit.row["id"]])
        stages = {
            f"{key}_{number}": str(value)
            for number, (p, count, take) in enumerate(unit.stages, start=1)
            for key, value in (("p", repr(p)), ("N", count), ("n", take))
        }
        columns = {key: value for key, value in unit.row.items() if key != "id"}
        documents.append(
            {
                **columns,
                "id": "u" + hashlib.sha256(name.encode()).hexdigest()[:32],
                "frame_id": unit.row["id"],
                "round": round_name,
                "stratum": unit.stratum,
                "psu": unit.psu,
                "list": unit.list,
                "order": str(unit.order),
                **stages,
                "probability": repr(unit.probability),
                "certain": str(int(unit.certain)),
                "assignee": people[place % len(people)] if people else columns.get("assignee", ""),
            }
        )
    return documents


commands = {"frame": frame_group, "sample": sample}
