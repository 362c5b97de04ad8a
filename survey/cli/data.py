"""``survey data export``: the responses as a file for other programs, with a codebook beside it."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path

import click

from survey.cli.base import Group, json_option, language, open_store, option, say, say_json
from survey.cli.frame import chosen_round, round_option
from survey.cli.scoring import STATES, VOLUNTEERS
from survey.text import Text

FORMATS = ("csv", "xlsx", "parquet", "dta", "sav")
CONTACT = Text(
    "Tệp liên hệ chứa dữ liệu cá nhân, được bảo vệ theo Luật số 91/2025/QH15: chỉ dùng đúng mục đích "
    "người dân đã đồng ý, chỉ giao cho người có trách nhiệm, xóa khi hết mục đích.",
    "The contact file holds personal data under Law 91/2025/QH15: use it only for what people consented to, "
    "give it only to those responsible, delete it when the purpose ends.",
)


@click.group(cls=Group, help=Text("Số liệu trả lời của đợt khảo sát.", "The responses of a round."))
def data() -> None:
    pass


@data.command(
    help=Text(
        "Ghi các phiếu ra tệp, kèm sổ mã (DDI và Excel), ảnh và tệp vào thư mục media; không có dữ liệu liên hệ.",
        "Write the interviews to a file with a codebook (DDI and Excel) beside it, photographs and files to the folder "
        "media; no contact data.",
    ),
    example="survey data export phieu.sav --round r2026",
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@round_option
@option(
    "--state",
    type=click.Choice(list(STATES)),
    default="approved",
    show_default=True,
    help=Text(
        "Phiếu đã duyệt, hoặc cả phiếu chưa duyệt (tạm tính).", "Approved interviews, or sealed too (provisional)."
    ),
)
@VOLUNTEERS
@option(
    "--format",
    "format",
    type=click.Choice(FORMATS),
    help=Text("Loại tệp (mặc định: theo đuôi của tên tệp).", "Kind of file (default: by the ending of its name)."),
)
@option(
    "--with-contact",
    is_flag=True,
    help=Text(
        "Ghi thêm tên, điện thoại, địa chỉ ra một tệp riêng.", "Also write names, phones, addresses to their own file."
    ),
)
@json_option
def export(
    file: Path,
    round_id: str | None,
    state: str,
    volunteers: bool,
    format: str | None,
    with_contact: bool,
    as_json: bool,
) -> None:
    from analysis import dataset
    from analysis.codebook import write_codebook
    from analysis.data_files import has_provisional, named, write_contact, write_data
    from analysis.data_media import contact_places, remove_media, with_places, write_media
    from survey.store import current
    from survey.store import files as attached
    from survey.store.contacts import contact_rows

    place, kind = named(file, format or "")
    with open_store() as store:
        document = chosen_round(store, round_id)
        is_here, content = partial(attached.is_here, store), partial(attached.content, store)
        found = dataset.load(store, document["id"], STATES[state], volunteers=volunteers)
        found, media, absent = with_places(found, is_here)
        rows = contact_rows(store, document["id"], STATES[state], volunteers=volunteers) if with_contact else ()
        contacts, private_media = contact_places(rows, is_here)
        # An earlier export may lie here, with the photographs of somebody who was erased since.
        erased = [row["interview"] for row in current.interviews(store, state="erased")]
        removed = remove_media(erased, place.parent)
        count = write_media(media, place.parent, content) + write_media(private_media, place.parent, content, 0o600)
    written = write_data(found, place, kind, language())
    made = datetime.now().astimezone().date().isoformat()
    files = list(dict.fromkeys(one.file for one in written))
    files += write_codebook(found, written, place, language(), made)
    private = write_contact(contacts, place, kind) if with_contact else None
    if as_json:
        say_json(
            {
                "round": document["id"],
                "interviews": len(found.table),
                "provisional": has_provisional(found),
                "synthetic": bool(document.get("synthetic")),
                "files": files,
                "contact": private,
                "media": count,
                "media_missing": absent,
                "media_removed": removed,
            }
        )
        return
    say(Text(f"Đã xuất {len(found.table)} phiếu của đợt {document['id']}.", f"Exported {len(found.table)} interviews."))
    if volunteers:
        say(dataset.VOLUNTEERS)
    if has_provisional(found):
        say(Text("Có phiếu chưa duyệt: số liệu tạm tính.", "Some are not approved yet: provisional."))
    if document.get("synthetic"):
        say(Text("Dữ liệu giả lập, không phải kết quả khảo sát.", "Synthetic data, not the result of any survey."))
    for one in [*files, *([private] if private else [])]:
        say(Text(f"Đã ghi {one}", f"Wrote {one}"))
    if count:
        said = f"{count} ảnh, bản ghi âm và tệp trả lời", f"{count} photographs, recordings and files"
        say(Text(f"Đã ghi {said[0]} vào {place.parent / 'media'}", f"Wrote {said[1]} to {place.parent / 'media'}"))
    if absent:
        say(Text(f"{absent} tệp chưa về máy này.", f"{absent} files have not come to this machine."))
    if removed:
        say(Text(f"Đã xóa {removed} tệp của phiếu đã xóa.", f"Deleted {removed} files of erased interviews."))
    if private:
        say(CONTACT)


commands: dict[str, click.Command] = {"data": data}
