"""``survey erase``, ``person-export``, ``processing-record``: what the law gives a respondent, by the code of the
interview, and asks of the office."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click

from survey.cli.base import (
    FINDINGS,
    Command,
    Group,
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
from survey.cli.options import NEW_FILE, actor_option
from survey.cli.review import check_person
from survey.errors import InputError
from survey.text import Text
from survey.vocabulary import REQUESTS

_KINDS = (
    Text("không biết loại tệp này", "not a kind of file that is written here"),
    Text("đặt tên tệp .html hoặc .json", "name a .html or a .json file"),
)
OVER = "hết hạn giữ / retention is over"


@click.command(
    cls=Command,
    help=Text(
        "Xóa vĩnh viễn một phiếu theo mã, hoặc dữ liệu liên hệ đã hết hạn giữ.",
        "Erase an interview by its code for good, or the contact data whose time is over.",
    ),
    example="survey erase 1C9E-04AB-77F0 --reason 'Người dân yêu cầu' --as pquan\n"
    "survey erase --contact-due --as pquan",
)
@click.argument("code", required=False, default="")
@option("--reason", default="", help=Text("Lý do, một câu, không ghi tên người dân.", "The reason, without a name."))
@option(
    "--contact-due", is_flag=True, help=Text("Dữ liệu liên hệ quá hạn của đợt.", "Contact data past the round's date.")
)
@actor_option(Text("Mã của quản trị viên quyết định.", "Id of the administrator."), required=True)
@json_option
def erase(code: str, reason: str, contact_due: bool, actor: str, as_json: bool) -> None:
    from survey.store import personal
    from survey.store.store import now_text

    if bool(code) == contact_due or (code and not reason.strip()):
        raise InputError(
            "survey erase",
            Text("nêu mã phiếu kèm --reason, hoặc --contact-due", "name a code with --reason, or --contact-due"),
            Text("xem: survey erase --help", "see: survey erase --help"),
        )
    with open_store() as store:
        check_person(store, actor, "personal.erase")
        if contact_due:
            done = personal.erase_due(store, now_text()[:10], actor, reason or OVER)
        else:
            done = personal.erase_person(store, personal.by_code(store, code), actor, reason.strip())
    if as_json:
        say_json({"erased": done})
        return
    for line in done:
        click.echo(line)
    say(
        Text(
            f"Đã xóa {len(done)} mục; máy khác xóa khi đồng bộ.",
            f"Erased {len(done)}; other machines follow as they sync.",
        )
    )


@click.command(
    name="person-export",
    cls=Command,
    help=Text("Xuất mọi dữ liệu đang giữ về một phiếu, cho người trả lời.", "Everything held about one interview."),
    example="survey person-export 1C9E-04AB-77F0 --out ban-sao.html\n"
    "survey person-export 1C9E-04AB-77F0 --out phieu.json --as pquan",
)
@click.argument("code")
@option(
    "--out",
    type=NEW_FILE,
    help=Text(
        "Tệp .html cho người dân (câu hỏi hai ngôn ngữ) hoặc .json (mặc định: in JSON).",
        "A .html file for the person (questions in both languages) or .json (default: JSON is printed).",
    ),
)
@actor_option(Text("Mã của quản trị viên giao bản sao.", "Id of who hands it out."))
def person_export(code: str, out: Path | None, actor: str) -> None:
    from survey.store import audit, personal, requests
    from survey.web import handout

    kind = out.suffix.lower().lstrip(".") if out else "json"
    if kind not in ("html", "json"):
        raise InputError(str(out), *_KINDS)
    with open_store() as store:
        interview = personal.by_code(store, code)
        check_person(store, actor, "personal.export", [interview])
        held = personal.everything(store, interview)
        body = json.dumps(held, ensure_ascii=False, indent=2) + "\n"
        if kind == "html":
            body = handout.html(store, held, datetime.now().astimezone())
        told = {"format": kind, "account": account()}
        audit.note(store, "person_export", actor=actor, subject=f"interview {interview}", detail=told)
        requests.carried_out(store, interview, ["access"], actor)
    if out is None:
        click.echo(body, nl=False)
        return
    out.write_text(body, encoding="utf-8")
    say(Text(f"Đã ghi {out}.", f"Wrote {out}."))


@click.command(
    name="processing-record",
    cls=Command,
    help=Text(
        "Hồ sơ xử lý dữ liệu cá nhân của một đợt: giữ gì, của ai, căn cứ, ở đâu, tới bao giờ, đã làm gì.",
        "The record of processing of a round: what is held, of whom, on what basis, where, how long, what was done.",
    ),
    example="survey processing-record ho-so.html --round r2026\nsurvey processing-record ho-so.json",
)
@click.argument("file", type=NEW_FILE)
@round_option
@actor_option(Text("Mã của người lập.", "Id of the person who makes it."))
def processing_record(file: Path, round_id: str | None, actor: str) -> None:
    from survey.store import audit, processing
    from survey.web import processing as shown

    if file.suffix.lower() not in (".html", ".json"):
        raise InputError(str(file), *_KINDS)
    with open_store() as store:
        check_person(store, actor, "personal.record")
        document = chosen_round(store, round_id)
        found = processing.record(store, document["id"])
        told = {"file": file.name, "account": account()}
        audit.note(store, "record", actor=actor, subject=document["id"], detail=told)
    write = shown.as_html if file.suffix.lower() == ".html" else shown.as_json
    file.write_text(write(found), encoding="utf-8")
    say(Text(f"Đã ghi {file}.", f"Wrote {file}."))
    absent = [name for name, value in found["privacy"].items() if not value]
    if absent or not found["retention"]["contact_until"]:
        say(
            Text(
                "Còn mục cơ quan phải ghi: survey round privacy --help",
                "The office has yet to state some of it: survey round privacy --help",
            )
        )


@click.group(name="request", cls=Group, help=Text("Sổ yêu cầu của người dân về dữ liệu.", "What respondents ask for."))
def request_group() -> None:
    pass


@request_group.command(
    name="add",
    help=Text("Ghi một yêu cầu vào sổ.", "Register a request."),
    example="survey request add erase --code 1C9E-04AB-77F0 --as pquan",
)
@click.argument("kind", type=click.Choice(list(REQUESTS)))
@option("--code", default="", help=Text("Mã phiếu.", "Interview code."))
@option("--received", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help=Text("Ngày nhận.", "Day it came."))
@option("--note", default="", help=Text("Ghi chú, không ghi tên người dân.", "A note, without the person's name."))
@actor_option(Text("Mã của người ghi.", "Id of the person who registers."), required=True)
@json_option
def request_add(kind: str, code: str, received: datetime | None, note: str, actor: str, as_json: bool) -> None:
    from survey.store import personal, requests

    day = (received or datetime.now().astimezone()).date()
    with open_store() as store:
        check_person(store, actor, "personal.register")
        interview = personal.by_code(store, code) if code else ""
        id = requests.add(store, kind, day, actor, interview=interview, note=note)
        (made,) = (one for one in requests.everything(store) if one.id == id)
    if as_json:
        say_json(made._asdict())
        return
    say(
        Text(
            f"Đã ghi yêu cầu {id}: trả lời trước hết {made.answer_by}, thực hiện trước hết {made.do_by}.",
            f"Registered {id}: to be answered by {made.answer_by}, done by {made.do_by}.",
        )
    )


@request_group.command(
    name="step",
    help=Text("Ghi đã trả lời, đã thực hiện, hoặc từ chối.", "Note that it was answered, done, or refused."),
    example="survey request step v1a2b answered --as pquan",
)
@click.argument("request")
@click.argument("what", type=click.Choice(["answered", "done", "refused"]))
@option("--reason", default="", help=Text("Lý do từ chối.", "Why it was refused."))
@actor_option(Text("Mã của người ghi.", "Id of the person who notes it."), required=True)
def request_step(request: str, what: str, reason: str, actor: str) -> None:
    from survey.store import requests

    with open_store() as store:
        check_person(store, actor, "personal.register")
        requests.step(store, request, what, actor, reason)
    say(Text("Đã ghi.", "Noted."))


@request_group.command(
    name="list",
    help=Text("Các yêu cầu và hạn; quá hạn thì mã thoát là 1.", "Requests and their days; late ones exit with 1."),
    example="survey request list --json",
)
@json_option
def request_list(as_json: bool) -> int:
    from survey.store import personal, requests
    from survey.store.store import now_text

    today = now_text()[:10]
    with open_store() as store:
        found = requests.everything(store)
    if as_json:
        say_json([{**one._asdict(), "late": one.late(today)} for one in found])
    else:
        heads = ("yêu cầu|request", "loại|kind", "mã phiếu|code", "nhận|received", "trả lời|answer by", "làm|do by")
        say_table(
            [Text(*head.split("|")) for head in (*heads, "đã|so far")],
            [
                (
                    one.id,
                    REQUESTS[one.kind].name(language()),
                    personal.code_of(one.interview) if one.interview else "",
                    one.received,
                    one.answer_by,
                    one.do_by,
                    one.outcome or ("answered" if one.answered else "") or (one.late(today) and "!"),
                )
                for one in found
            ],
        )
    return FINDINGS if any(one.late(today) for one in found) else 0


commands = {
    "erase": erase,
    "person-export": person_export,
    "processing-record": processing_record,
    "request": request_group,
}
