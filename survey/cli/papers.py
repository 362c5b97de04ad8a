"""``survey papers``: what auditors ask for on paper – forms handed out and collected, signatures, pay, hand-over."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from survey.cli.base import FINDINGS, Group, account, json_option, language, open_store, option, say, say_json
from survey.cli.figures import STATE, STATES
from survey.cli.frame import chosen_round, round_option
from survey.cli.office import OFFICE, issuing
from survey.cli.options import NEW_FILE, actor_option
from survey.cli.review import check_person
from survey.errors import InputError
from survey.text import Text, many

if TYPE_CHECKING:
    from survey.fieldwork.papers import Fieldwork, Machine, Paper
    from survey.store import Store

_FILE = click.argument("file", type=NEW_FILE)
_DONG = click.IntRange(min=1)


def _common(function: Callable[..., Any]) -> Any:
    """FILE, and the options of every paper."""
    commune = option(
        "--commune", default="", help=Text("Chỉ một xã, phường: mã hoặc tên.", "One commune: code or name.")
    )
    actor = actor_option(Text("Mã của người in.", "Id of the person who prints it."))
    for one in (json_option, actor, OFFICE, STATE, commune, round_option, _FILE):
        function = one(function)
    return function


@click.group(
    cls=Group,
    help=Text(
        "Giấy tờ cho kiểm tra, quyết toán (.docx, .xlsx): phát – thu phiếu, ký nhận, tính công, giao nhận.",
        "Papers for audit (.docx, .xlsx): forms out and in, signatures, pay, hand-over.",
    ),
)
def papers() -> None:
    pass


@papers.command(
    help=Text(
        "Danh sách phát – thu phiếu: từng phiếu giấy, từng hộ đã đến, ngày và kết quả.",
        "Forms handed out and collected: every paper form, every household visited, days and outcome.",
    ),
    example="survey papers forms phat_thu.docx --round r2026 --commune 03646 --as plan",
)
@_common
def forms(file: Path, **asked: Any) -> int:
    from survey.fieldwork.papers import handed_out

    return _print("forms", file, lambda work, _: handed_out(work), private=True, **asked)


@papers.command(
    "sign-for",
    help=Text(
        "Danh sách ký nhận tiền, quà: mỗi hộ có phiếu hợp lệ một dòng; đối chiếu chữ ký với phiếu hợp lệ.",
        "Signature list for money or gifts: a line a household with a valid form; signatures against valid forms.",
    ),
    example="survey papers sign-for ky_nhan.docx --round r2026 --amount 50000 --as plan",
)
@option("--amount", type=_DONG, help=Text("Số tiền mỗi người, đồng (không nêu: để trống).", "VND a person (or blank)."))
@option("--gift", default="", help=Text("Quà của mỗi người, ví dụ 'khăn mặt'.", "The gift, such as 'a towel'."))
@_common
def sign_for_(file: Path, amount: int | None, gift: str, **asked: Any) -> int:
    from survey.fieldwork.papers_paid import sign_for

    return _print("sign-for", file, lambda work, _: sign_for(work, amount, gift), private=True, **asked)


@papers.command(
    help=Text(
        "Bảng tính công theo phiếu của từng người; không nêu đơn giá thì để trống cột tiền.",
        "Pay by form for each person; without a rate the money columns stay blank.",
    ),
    example="survey papers pay tinh_cong.xlsx --round r2026 --rate 45000",
)
@option("--rate", type=_DONG, help=Text("Đơn giá một phiếu hợp lệ, đồng.", "VND for a valid form."))
@option("--keying-rate", type=_DONG, help=Text("Đơn giá nhập một phiếu giấy, đồng.", "VND for keying a paper form."))
@_common
def pay(file: Path, rate: int | None, keying_rate: int | None, **asked: Any) -> int:
    from survey.fieldwork.papers_paid import pay as paid

    return _print("pay", file, lambda work, _: paid(work, rate, keying_rate), **asked)


@papers.command(
    help=Text(
        "Biên bản giao nhận phiếu: phiếu và phiếu giấy theo thôn, bản ghi theo máy.",
        "Record of hand-over: interviews and paper forms by village, entries by machine.",
    ),
    example="survey papers handover giao_nhan.docx --round r2026",
)
@_common
def handover(file: Path, **asked: Any) -> int:
    from survey.fieldwork.papers import handed_over

    def made(work: Fieldwork, store: Store) -> Paper:
        return handed_over(work, _machines(store) if not asked["commune"] else (), hub=store.role == "hub")

    return _print("handover", file, made, **asked)


def _machines(store: Store) -> list[Machine]:
    from survey.store import papers as read

    return read.machines(store, _today())


def _print(
    kind: str,
    file: Path,
    make: Callable[[Fieldwork, Store], Paper],
    *,
    round_id: str | None,
    commune: str,
    state: str,
    office: Path | None,
    actor: str,
    as_json: bool,
    private: bool = False,
) -> int:
    """Makes and writes one paper. Names of respondents are for those who check the visits, on a page as here; each
    such paper is in the log of access before it is written."""
    from analysis.output import whole_file
    from analysis.report.field_papers import About, word, workbook
    from survey.store import audit
    from survey.store import papers as read

    ways = {".docx": word, ".xlsx": workbook}
    if file.suffix.lower() not in ways:
        raise InputError(
            str(file),
            Text("không ghi được loại tệp này", "files of this kind are not written"),
            Text("dùng .docx hoặc .xlsx", "use .docx or .xlsx"),
        )
    issuer = issuing(office)
    with open_store() as store:
        check_person(store, actor, "records.decide" if private else "receive.page")
        document = chosen_round(store, round_id)
        round = str(document["id"])
        closed = _closed(store, round, actor) if private else set()
        work = read.gather(store, round, STATES[state], commune=commune, closed=closed)
        made = make(work, store)
        told = {"paper": kind, "file": file.name, "state": state, "commune": commune, "lines": made.lines}
        audit.note(
            store,
            "export_contact" if made.private else "export",
            actor=actor,
            subject=round,
            detail={name: value for name, value in {**told, "account": account()}.items() if value != ""},
        )
    marks = {name: bool(document.get(name)) for name in ("synthetic", "pilot")}
    about = About(_facts(document, work, commune, state, closed), **marks)
    if not issuer.symbol:
        issuer = replace(issuer, symbol=made.symbol.replace("…", issuer.abbreviation or "…"))
    content = ways[file.suffix.lower()](made, about, issuer, language())
    whole_file(file, lambda path: path.write_bytes(content))
    if as_json:
        say_json(
            {
                "round": round,
                "paper": kind,
                "file": str(file),
                "lines": made.lines,
                "private": made.private,
                "left_out": sorted(closed),
                "findings": [one._asdict() for one in made.findings],
            }
        )
    else:
        say(Text(f"Đã ghi {file} ({made.lines} dòng).", f"Wrote {file} ({many(made.lines, 'line')})."))
        for finding in made.findings:
            say(finding)
        if made.private:
            from analysis.report.field_papers import PRIVATE

            say(PRIVATE)
    return FINDINGS if made.findings else 0


def _closed(store: Store, round: str, actor: str) -> set[str]:
    """Communes of the round that the person may not be shown yet: their own, until it is published."""
    from survey.store import commune, frame

    person = (frame.person(store, actor) if actor else None) or {}
    own = {code for of, code in commune.closed_communes(store, person) if of == round}
    return own & {str(unit.get("commune", "")) for unit in frame.units(store, round)} if own else own


def _facts(
    document: dict[str, Any], work: Fieldwork, commune: str, state: str, closed: Collection[str]
) -> tuple[Text, ...]:
    title = document.get("title")
    named = title if isinstance(title, dict) else {}
    id = str(document["id"])
    facts = [Text(f"Đợt: {named.get('vi') or id} ({id})", f"Round: {named.get('en') or id} ({id})")]
    if commune:
        one = work.units[0]
        place = f"{one.commune_name} ({one.commune})"
        facts.append(Text(f"Xã, phường: {place}", f"Commune: {place}"))
    facts.append(
        Text("Phiếu hợp lệ: phiếu đã duyệt", "Valid forms: approved interviews")
        if state == "approved"
        else Text("Phiếu hợp lệ: đã duyệt và chờ duyệt (tạm tính)", "Valid forms: approved and sealed (provisional)")
    )
    if closed and not commune:
        codes = ", ".join(sorted(closed))
        facts.append(
            Text(f"Không gồm xã của người in: {codes}", f"Without the commune of the person who prints it: {codes}")
        )
    day = datetime.now().astimezone().strftime("%d/%m/%Y")
    return (*facts, Text(f"Lập ngày {day}", f"Made on {day}"))


def _today() -> str:
    return datetime.now().astimezone().date().isoformat()


commands: dict[str, click.Command] = {"papers": papers}
