"""``survey purge``: a laptop that goes back is emptied, once what it wrote is safe where its rounds ask for."""

from __future__ import annotations

import click

from survey.cli.base import FINDINGS, Command, instance_folder, json_option, open_store, option, say, say_json
from survey.cli.options import actor_option
from survey.cli.review import check_person
from survey.text import Text, many
from survey.vocabulary import TIERS


@click.command(
    cls=Command,
    help=Text(
        "Làm trống máy đi phỏng vấn trước khi trả: chỉ khi mọi bản ghi đã có giấy xác nhận của cấp mà đợt yêu cầu.",
        "Empty a laptop that goes back: only when the receipt that the round asks for names all that it wrote.",
    ),
    example="survey purge\nsurvey purge --yes --as plan",
)
@option("--yes", is_flag=True, help=Text("Làm trống thật, không lấy lại được.", "Do it; there is no way back."))
@actor_option(Text("Mã của giám sát viên quyết định.", "Id of the supervisor who decides."))
@json_option
def purge(yes: bool, actor: str, as_json: bool) -> int:
    from survey.store import purging

    with open_store() as store:
        check_person(store, actor, "people.revoke")
        now = purging.standing(store)
    if yes:
        now = purging.purge(instance_folder(), actor)
    if as_json:
        say_json({**now._asdict(), "is_safe": now.is_safe, "purged": yes})
        return 0 if now.is_safe else FINDINGS
    tier = TIERS[now.tier]
    say(
        Text(
            f"Máy đã ghi {now.created} bản ghi; cấp {tier.vi} đã xác nhận {now.safe}; {now.open} phiếu dở.",
            f"{many(now.created, 'entry was', 'entries were')} written here; the {tier.en} has receipted {now.safe}; "
            f"{now.open} unfinished.",
        )
    )
    if yes:
        say(
            Text(
                "Đã làm trống máy: khóa và kho dữ liệu không còn. Bản sao lưu trên USB, thư mục khác thì vẫn còn.",
                "The machine is emptied: keys and store are gone. Second copies on sticks and other disks are not.",
            )
        )
    elif now.is_safe:
        say(Text("Có thể làm trống: survey purge --yes", "It may be emptied: survey purge --yes"))
    else:
        say(Text("Chưa được làm trống: nộp hết và nhận giấy xác nhận.", "Not yet: hand over, and take the receipt in."))
    return 0 if now.is_safe else FINDINGS


commands: dict[str, click.Command] = {"purge": purge}
