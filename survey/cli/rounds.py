"""``survey round create | export | import | publish | privacy | show``: a round as a signed file for devices."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from survey.cli import fieldrules
from survey.cli.asking import confirm
from survey.cli.base import FINDINGS, Group, json_option, language, open_store, option, say, say_json
from survey.cli.frame import chosen_round, round_option
from survey.cli.options import DAY, FILE, NEW_FILE
from survey.errors import InputError
from survey.text import Text, many
from survey.vocabulary import STATES

if TYPE_CHECKING:
    from survey.sync.rounds import SignedRound


@click.group(cls=Group, help=Text("Đợt khảo sát: lập, xuất, nhập, xem.", "Rounds: create, export, import, show."))
def round_group() -> None:
    pass


@round_group.command(
    help=Text(
        "Lập đợt khảo sát trên máy chủ tiếp nhận; lần đầu tạo khóa ký của đợt.",
        "Set up a round on a hub; the first one makes the key that signs rounds.",
    ),
    example="survey round create r2026 --questionnaire sipas_2026 --title 'SIPAS 2026' --starts 2026-03-01",
)
@click.argument("round_id", metavar="ID")
@option(
    "--questionnaire",
    "source",
    required=True,
    help=Text("Mã bộ phiếu, thư mục hoặc tệp .xlsx.", "Id of an instrument, a folder or an .xlsx file."),
)
@option("--title", required=True, help=Text("Tên đợt bằng tiếng Việt.", "Title in Vietnamese."))
@option("--title-en", default="", help=Text("Tên đợt bằng tiếng Anh.", "Title in English."))
@option("--starts", type=DAY, metavar="DATE", help=Text("Ngày bắt đầu, ví dụ 2026-03-01.", "First day, 2026-03-01."))
@option("--ends", type=DAY, metavar="DATE", help=Text("Ngày kết thúc.", "Last day."))
@option(
    "--contact-until",
    type=DAY,
    metavar="DATE",
    help=Text("Giữ dữ liệu liên hệ tới ngày.", "Contact data are kept until this day."),
)
@option("--legal-basis", default="", help=Text("Căn cứ pháp lý, tiếng Việt.", "Legal basis, in Vietnamese."))
@option("--legal-basis-en", default="", help=Text("Căn cứ pháp lý, tiếng Anh.", "Legal basis, in English."))
@option(
    "--label", default="", help=Text("Ghi chú in trên mọi kết quả, tiếng Việt.", "Label on all results, Vietnamese.")
)
@option(
    "--label-en", default="", help=Text("Ghi chú in trên mọi kết quả, tiếng Anh.", "Label on all results, English.")
)
@option(
    "--level",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
    help=Text("Độ tin cậy.", "Confidence level."),
)
@option(
    "--receipt",
    type=click.Choice(["supervisor", "province", "ministry"]),
    default="supervisor",
    show_default=True,
    help=Text(
        "Cấp phải xác nhận trước khi máy được làm trống (survey purge).",
        "Whose receipt a laptop needs before it may be emptied (survey purge).",
    ),
)
@option(
    "--synthetic", is_flag=True, help=Text("Dữ liệu giả lập, ghi rõ ở mọi nơi.", "Made-up data, marked everywhere.")
)
@option(
    "--pilot",
    is_flag=True,
    help=Text("Đợt thí điểm, ghi rõ ở mọi nơi.", "A pilot round, marked everywhere, not compared with the main one."),
)
@json_option
def create(
    round_id: str,
    source: str,
    title: str,
    title_en: str,
    starts: datetime | None,
    ends: datetime | None,
    contact_until: datetime | None,
    legal_basis: str,
    legal_basis_en: str,
    label: str,
    label_en: str,
    level: float,
    receipt: str,
    synthetic: bool,
    pilot: bool,
    as_json: bool,
) -> None:
    from survey.store import frame
    from survey.sync import founding, rounds

    given = {
        "id": round_id,
        "title": founding.both(title, title_en),
        "starts": f"{starts:%Y-%m-%d}" if starts else "",
        "ends": f"{ends:%Y-%m-%d}" if ends else "",
        **({"contact_until": f"{contact_until:%Y-%m-%d}"} if contact_until else {}),
        "legal_basis": founding.both(legal_basis, legal_basis_en),
        "level": level,
        "receipt": receipt,
        "synthetic": synthetic,
        **({"pilot": True} if pilot else {}),
        "label": founding.both(label, label_en),
    }
    with open_store() as store:
        document = founding.create_round(store, source, given)
        fingerprint = rounds.signed_by(frame.round_document(store, round_id))
    if as_json:
        say_json({**document, "fingerprint": fingerprint})
        return
    say(Text(f"Đã lập đợt {round_id}.", f"Set up round {round_id}."))
    _say_key(fingerprint)


@round_group.command(
    help=Text(
        "Ghi đợt khảo sát thành một tệp để máy phỏng vấn nhập.", "Write a round as one file for devices to load."
    ),
    example="survey round export /media/usb/r2026.round",
)
@click.argument("file", type=NEW_FILE)
@round_option
@option(
    "--plain",
    is_flag=True,
    help=Text(
        "Ghi KHÔNG mã hóa: ai có tệp đều đọc được tên người dân.",
        "Write it unencrypted: whoever has the file reads people's names.",
    ),
)
@json_option
def export(file: Path, round_id: str | None, plain: bool, as_json: bool) -> None:
    from survey.sync import rounds

    with open_store() as store:
        document = chosen_round(store, round_id)
        revisions, without = rounds.export_round(store, document["id"], file, plain=plain)
        fingerprint = rounds.signed_by(document)
    if as_json:
        say_json(
            {
                "round": document["id"],
                "file": file,
                "revisions": revisions,
                "fingerprint": fingerprint,
                "without_key": without,
            }
        )
        return
    say(
        Text(
            f"Đã ghi đợt {document['id']} ({revisions} bản ghi) vào {file}",
            f"Wrote round {document['id']} ({many(revisions, 'revision')}) to {file}",
        )
    )
    if without:
        names = ", ".join(without)
        say(
            Text(
                f"Máy không mở được tệp này vì chưa có khóa (bản cũ hoặc không mã hóa): {names}",
                f"Cannot open it for want of a key (an older or a plain machine): {names}",
            )
        )
    _say_key(fingerprint)


@round_group.command(
    name="import",
    help=Text(
        "Nhập tệp đợt khảo sát sau khi so mã khóa với nơi lập đợt.",
        "Load a round file after comparing its key's fingerprint with those who set it up.",
    ),
    example="survey round import /media/usb/r2026.round",
)
@click.argument("file", type=FILE)
@option(
    "--fingerprint",
    "given",
    default="",
    help=Text(
        "Mã khóa đã được nghe đọc; không hỏi nữa.", "The fingerprint as it was read to you; then nothing is asked."
    ),
)
@json_option
def import_(file: Path, given: str, as_json: bool) -> int:
    from survey.sync import rounds

    with open_store() as store:
        found = rounds.rounds_in(file, store)
        accepted = {"".join(given.split()).lower()} if given else _ask(found, rounds.confirmed(store))
        report = rounds.import_round(store, file, accepted)
    names = [signed.document["id"] for signed in found]
    if as_json:
        say_json({"rounds": names, "report": report})
    else:
        spoken = language()
        for signed in found:
            title = signed.document.get("title", {})
            say(
                Text(
                    f"Đã nhập đợt {signed.document['id']}: {title.get('vi', '')}",
                    f"Loaded round {signed.document['id']}: {title.get('en', '')}",
                )
            )
        for _, problem in report.quarantined:
            click.echo(problem(spoken))
    return FINDINGS if report.needs_a_person else 0


@round_group.command(
    help=Text(
        "Ghi hôm nay là ngày công bố kết quả: từ đó người của xã xem được phiếu của xã mình.",
        "Note that the results are out today: from then on people may see interviews of their own commune.",
    ),
    example="survey round publish --round r2026",
)
@round_option
def publish(round_id: str | None) -> None:
    from survey.store.store import now_text
    from survey.sync import rounds

    today = now_text()[:10]
    with open_store() as store:
        document = chosen_round(store, round_id)
        rounds.issue_round(store, {**document, "published": today})
    say(Text(f"Đợt {document['id']} công bố ngày {today}.", f"Round {document['id']} is published on {today}."))


@round_group.command(
    help=Text(
        "Ghi điều cơ quan khai về dữ liệu cá nhân của đợt: ai chịu trách nhiệm, mục đích, ngày hết hạn giữ.",
        "State what the office says of a round's personal data: who answers for them, what for, how long.",
    ),
    example="survey round privacy --controller 'Sở Nội vụ tỉnh Sơn La' --officer 'Phòng Cải cách hành chính' "
    "--purpose 'Đo lường sự hài lòng' --contact-until 2026-12-31",
)
@round_option
@option("--controller", help=Text("Cơ quan kiểm soát dữ liệu.", "The body that answers for the data."))
@option("--contact", help=Text("Địa chỉ, điện thoại, thư điện tử của cơ quan.", "How that body is reached."))
@option("--officer", help=Text("Bộ phận, người phụ trách bảo vệ dữ liệu.", "Who is in charge of data protection."))
@option("--purpose", help=Text("Mục đích xử lý.", "What the data are processed for."))
@option("--recipients", help=Text("Bên khác được nhận dữ liệu.", "Who else is given data."))
@option(
    "--contact-until",
    type=DAY,
    metavar="DATE",
    help=Text("Giữ dữ liệu liên hệ tới ngày.", "Contact data are kept until this day."),
)
def privacy(round_id: str | None, contact_until: datetime | None, **stated: str | None) -> None:
    from survey.sync import rounds

    given = {name: value.strip() for name, value in stated.items() if value is not None}
    if not given and contact_until is None:
        raise InputError(
            "survey round privacy",
            Text("chưa ghi mục nào", "nothing is stated"),
            Text("xem: survey round privacy --help", "see: survey round privacy --help"),
        )
    with open_store() as store:
        document = chosen_round(store, round_id)
        new = {**document, "privacy": {**(document.get("privacy") or {}), **given}}
        if contact_until:
            new["contact_until"] = f"{contact_until:%Y-%m-%d}"
        rounds.issue_round(store, new)
    say(
        Text(
            f"Đã ghi cho đợt {document['id']}. Máy khác biết khi đồng bộ.",
            f"Stated for round {document['id']}. Other machines learn it as they sync.",
        )
    )


@round_group.command(
    help=Text(
        "Xem một đợt khảo sát và số đơn vị mẫu, số phiếu.", "Show a round with its numbers of units and interviews."
    ),
    example="survey round show --round r2026",
)
@round_option
@json_option
def show(round_id: str | None, as_json: bool) -> None:
    from survey.store import current, frame
    from survey.sync import rounds

    with open_store() as store:
        document = chosen_round(store, round_id)
        units = Counter(str(unit.get("list", "")) for unit in frame.everyone(store, document["id"]))
        interviews = Counter(row["state"] for row in current.interviews(store, document["id"]))
        signer = rounds.signed_by(document)
        known = signer in rounds.confirmed(store)
    body = {name: value for name, value in document.items() if name != "signed"}
    if as_json:
        say_json(
            {**body, "units": units, "interviews": interviews, "fingerprint": signer, "fingerprint_confirmed": known}
        )
        return
    for name, words in _SHOWN.items():
        value = body.get(name)
        if isinstance(value, dict):
            value = value.get(language()) or value.get("vi")
        elif isinstance(value, list):
            value = ", ".join(map(str, value))
        if value:
            say(Text(f"{words.vi}: {value}", f"{words.en}: {value}"))
    if body.get("synthetic"):
        say(Text("DỮ LIỆU GIẢ LẬP", "SYNTHETIC DATA"))
    if body.get("pilot"):
        say(Text("ĐỢT THÍ ĐIỂM", "PILOT ROUND"))
    _say_counts(Text("đơn vị mẫu", "sample units"), units, _LISTS)
    _say_counts(Text("phiếu", "interviews"), interviews, STATES)
    _say_key(signer)


_SHOWN = {
    "id": Text("mã đợt", "round"),
    "title": Text("tên đợt", "title"),
    "index": Text("bảng hỏi", "instrument"),
    "questionnaire_hash": Text("mã băm bảng hỏi", "its hash"),
    "starts": Text("ngày bắt đầu", "first day"),
    "ends": Text("ngày kết thúc", "last day"),
    "contact_until": Text("giữ dữ liệu liên hệ tới", "contact data kept until"),
    "published": Text("ngày công bố", "published on"),
    "legal_basis": Text("căn cứ", "legal basis"),
    "label": Text("ghi chú trên kết quả", "label on results"),
    "level": Text("độ tin cậy", "confidence level"),
    "receipt": Text("xác nhận phải có trước khi làm trống máy", "receipt before a laptop is emptied"),
    "frame_columns": Text("cột của khung mẫu", "frame columns"),
}
_LISTS = {
    "main": Text("chính thức", "main list"),
    "reserve": Text("dự phòng", "reserve"),
    "volunteer": Text("tự nguyện", "volunteers"),
}


def _say_counts(heading: Text, counts: Counter[str], names: dict[str, Text]) -> None:
    """``đơn vị mẫu: 27 chính thức, 18 dự phòng``; 0 where there is nothing to count."""

    def listed(spoken: str) -> str:
        return ", ".join(f"{count} {names[key](spoken) if key in names else key}" for key, count in counts.items())

    say(Text(f"{heading.vi}: {listed('vi') or '0'}", f"{heading.en}: {listed('en') or '0'}"))


def _say_key(fingerprint: str) -> None:
    from survey.sync.keys import read_aloud

    aloud = read_aloud(fingerprint)
    say(
        Text(
            f"Mã khóa của đợt (đọc cho người cài máy): {aloud}",
            f"Round key (read it to those who set up laptops): {aloud}",
        )
    )


def _ask(found: list[SignedRound], confirmed: set[str]) -> set[str]:
    """The fingerprints that the person at the keyboard says are right; asked once each."""
    from survey.sync.keys import read_aloud

    accepted: set[str] = set()
    for signed in found:
        if signed.fingerprint in confirmed | accepted:
            continue
        title: dict[str, Any] = signed.document.get("title", {})
        question = Text(
            f"Đợt {signed.document['id']} ({title.get('vi', '')})\nMã khóa: {read_aloud(signed.fingerprint)}\n"
            "Có đúng mã khóa mà nơi lập đợt đọc cho bạn không?",
            f"Round {signed.document['id']} ({title.get('en', '')})\nRound key: {read_aloud(signed.fingerprint)}\n"
            "Is this the key that was read to you?",
        )
        confirm(question)
        accepted.add(signed.fingerprint)
    return accepted


for command in (fieldrules.rates, fieldrules.rules, fieldrules.place, fieldrules.targets):
    round_group.add_command(command)

commands = {"round": round_group}
