"""``survey live``: the index so far, while interviews still come in."""

from __future__ import annotations

import click

from survey.cli.base import Command, json_option, language, open_store, option, say, say_json, say_table
from survey.cli.frame import chosen_round, round_option
from survey.cli.options import actor_option
from survey.cli.review import check_person
from survey.text import Text, many


@click.command(
    cls=Command,
    help=Text(
        "Chỉ số tạm tính theo địa bàn: khoảng tin cậy, cỡ mẫu hữu hiệu, cần thêm mấy phiếu.",
        "The index so far by area: intervals, effective sample size, how many more interviews are needed.",
    ),
    example="survey live --margin 3",
)
@round_option
@option("--by", default="commune", show_default=True, help=Text("Cột của khung mẫu.", "A column of the frame."))
@option("--code", default="", help=Text("Mã trong chỉ số (mặc định: cả chỉ số).", "Code in the index (default: all)."))
@option(
    "--margin",
    type=click.FloatRange(min=0, min_open=True),
    help=Text(
        "Sai số mong muốn, theo điểm (mặc định: 3 % của thang).", "Wanted margin in points (default: 3 % of the scale)."
    ),
)
@actor_option(Text("Mã của người xem.", "Id of the person who looks."))
@json_option
def live(round_id: str | None, by: str, code: str, margin: float | None, actor: str, as_json: bool) -> None:
    from analysis import dataset
    from analysis import live as lively
    from survey.store import frame
    from survey.store.commune import closed_units

    with open_store() as store:
        check_person(store, actor, "live.page")
        document = chosen_round(store, round_id)
        data = dataset.load(store, document["id"], ("sealed", "approved"))
        closed = closed_units(store, frame.person(store, actor) or {}) if actor else set()
    found = lively.live(data, by, code=code, margin=margin, closed=closed)
    if as_json:
        areas = [{**vars(area), "more": area.more} for area in found.areas]
        told = {"code": found.code, "label": found.label._asdict(), "wanted": found.wanted, "left_out": found.left_out}
        say_json({"round": document["id"], "provisional": True, **told, "areas": areas})
        return
    say(lively.PROVISIONAL)
    say(found.label)

    def number(value: float | None, digits: int = 1) -> str:
        text = "–" if value is None else f"{value:.{digits}f}"
        return text.replace(".", ",") if language() == "vi" else text

    say_table(
        [
            Text(by, by),
            Text("phiếu", "interviews"),
            Text("hữu hiệu", "effective"),
            Text("điểm", "score"),
            Text("khoảng 95 %", "95 % interval"),
            Text("±", "±"),
            Text("cần thêm", "still needed"),
        ],
        [
            (
                area.name,
                area.n,
                number(area.effective, 0),
                number(area.estimate),
                f"{number(area.low)} – {number(area.high)}",
                number(area.margin),
                number(area.more, 0),
            )
            for area in found.areas
        ],
    )
    wanted = number(found.wanted)
    say(
        Text(
            f"Cần thêm: để nửa khoảng tin cậy còn {wanted} điểm.",
            f"Still needed: for an interval of ± {wanted} points.",
        )
    )
    if found.left_out:
        say(
            Text(
                f"Không gồm {found.left_out} phiếu của xã mình.",
                f"Without {many(found.left_out, 'interview')} of one's own commune.",
            )
        )


commands: dict[str, click.Command] = {"live": live}
