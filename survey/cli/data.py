"""``survey data export``: the responses as a file for other programs, with a codebook beside it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from survey.cli.base import Group, account, json_option, language, open_store, option, say, say_json, say_table
from survey.cli.figures import STATE, STATES, VOLUNTEERS, say_written
from survey.cli.frame import chosen_round, round_option
from survey.cli.options import FILE, NEW_FILE
from survey.errors import InputError
from survey.text import Text, many

if TYPE_CHECKING:
    from analysis.dataset import Dataset
    from analysis.design import Design
    from analysis.disclosure import Protected, Rules

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
@click.argument("file", type=NEW_FILE)
@round_option
@STATE
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
@option(
    "--open",
    "as_open",
    is_flag=True,
    help=Text(
        "Dữ liệu mở theo quy tắc của đợt (survey data rules): không nhận ra được ai.",
        "Open data by the rules of the round (survey data rules): nobody can be recognised.",
    ),
)
@option(
    "--weights",
    type=FILE,
    help=Text("Tệp quyền số của survey weight, nối theo cột interview.", "Weights of survey weight, by interview."),
)
@option(
    "--recode",
    "recode_file",
    type=FILE,
    help=Text(
        "Bảng mã hóa lại câu “khác, ghi rõ” (survey quality --others).",
        "Table for coding “other, specify” anew (survey quality --others).",
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
    as_open: bool,
    weights: Path | None,
    recode_file: Path | None,
    as_json: bool,
) -> None:
    from analysis import dataset
    from analysis.codebook import write_codebook
    from analysis.data_files import has_provisional, named, write_contact, write_data
    from analysis.data_media import contact_places, remove_media, with_places, write_media
    from analysis.data_syntax import write_syntax
    from survey.store import audit, current
    from survey.store import files as attached
    from survey.store.contacts import contact_rows

    place, kind = named(file, format or "")
    if as_open and with_contact:
        raise InputError(
            "--open --with-contact",
            Text("dữ liệu mở không bao giờ có dữ liệu liên hệ", "open data never have contact data"),
            Text("bỏ một trong hai", "leave one of them out"),
        )
    protected = None
    with open_store() as store:
        document = chosen_round(store, round_id)
        is_here, content = partial(attached.is_here, store), partial(attached.content, store)
        found = dataset.load(store, document["id"], STATES[state], volunteers=volunteers)
        recoded = 0
        if recode_file:
            found, recoded = _recoded(found, recode_file)
        found, design = _designed(found, weights)
        if as_open:
            protected = _opened(found, design)
            found, design = protected.data, protected.design
        found, media, absent = with_places(found, is_here)
        rows = contact_rows(store, document["id"], STATES[state], volunteers=volunteers) if with_contact else ()
        contacts, private_media = contact_places(rows, is_here)
        told = {"file": place.name, "format": kind, "state": state, "interviews": len(found.table), "open": as_open}
        for action in ("export", *(["export_contact"] if with_contact else [])):
            audit.note(store, action, subject=str(document["id"]), detail={**told, "account": account()})
        # An earlier export may lie here, with the photographs of somebody who was erased since.
        erased = [row["interview"] for row in current.interviews(store, state="erased")]
        removed = remove_media(erased, place.parent)
        # Of open data no question with a file is left, unless the rules of the round keep it.
        count = write_media(media, place.parent, content) + write_media(private_media, place.parent, content, 0o600)
    written = write_data(found, place, kind, language())
    made = datetime.now().astimezone().date().isoformat()
    files = list(dict.fromkeys(one.file for one in written))
    files += write_codebook(found, written, place, language(), made)
    files += write_syntax(written, design, place, language())
    if protected:
        files.append(_write_report(protected, place))
    private = write_contact(contacts, place, kind) if with_contact else None
    if as_json:
        say_json(
            {
                "round": document["id"],
                "interviews": len(found.table),
                "recoded": recoded,
                "provisional": has_provisional(found),
                "synthetic": bool(document.get("synthetic")),
                "files": files,
                "contact": private,
                "media": count,
                "media_missing": absent,
                "media_removed": removed,
                "open": _told(protected) if protected else None,
            }
        )
        return
    say(
        Text(
            f"Đã xuất {len(found.table)} phiếu của đợt {document['id']}.",
            f"Exported {many(len(found.table), 'interview')}.",
        )
    )
    if recode_file:
        say(Text(f"Đã mã hóa lại {recoded} câu trả lời “khác”.", f"Recoded {many(recoded, 'answer')} “other”."))
    if volunteers:
        say(dataset.VOLUNTEERS)
    if has_provisional(found):
        say(Text("Có phiếu chưa duyệt: số liệu tạm tính.", "Some are not approved yet: provisional."))
    if document.get("synthetic"):
        say(Text("Dữ liệu giả lập, không phải kết quả khảo sát.", "Synthetic data, not the result of any survey."))
    if document.get("pilot"):
        say(Text("Đợt thí điểm, không phải kết quả của đợt chính.", "A pilot round, not the result of the main one."))
    if protected:
        _say_protected(protected)
    say_written(*files, private)
    if count:
        said = f"{count} ảnh, bản ghi âm và tệp trả lời", f"{count} photographs, recordings and files"
        say(Text(f"Đã ghi {said[0]} vào {place.parent / 'media'}", f"Wrote {said[1]} to {place.parent / 'media'}"))
    if absent:
        say(
            Text(
                f"{absent} tệp chưa về máy này.", f"{many(absent, 'file has', 'files have')} not come to this machine."
            )
        )
    if removed:
        say(Text(f"Đã xóa {removed} tệp của phiếu đã xóa.", f"Deleted {many(removed, 'file')} of erased interviews."))
    if private:
        say(CONTACT)


def _recoded(found: Dataset, file: Path) -> tuple[Dataset, int]:
    from analysis.recode import recode
    from survey.tables import read_table

    return recode(found, read_table(file))


def _designed(data: Dataset, weights: Path | None) -> tuple[Dataset, Design | None]:
    """The data with the weights of a file, and their design; none where a design column is blank for some."""
    try:
        design = data.design
    except InputError:
        if weights is not None:
            raise
        return data, None
    if weights is None:
        return data, design
    from analysis.reading import read_table
    from analysis.weighting import join_weights, joined_design

    file = read_table(weights)
    design = joined_design(design, file)
    return replace(data, table=join_weights(data.table, file), declared=design), design


def _opened(data: Dataset, design: Design | None) -> Protected:
    from analysis.design import Design
    from analysis.disclosure import Rules, protect

    protected = protect(data, design or Design(), Rules.of(data.round) or Rules(), data.publication)
    return replace(protected, data=replace(protected.data, declared=protected.design))


def _told(found: Protected) -> dict[str, Any]:
    return {
        "keys": found.rules.keys,
        "k": found.rules.k,
        "before": vars(found.before),
        "after": vars(found.after),
        "blanked": found.blanked,
        "coded": found.coded,
        "left_out": {name: why._asdict() for name, why in found.left_out.items()},
        "small_cells": sum(small for *_, small in found.cells),
        "unique_weights": found.weights,
    }


def _protection(found: Protected) -> list[tuple[Text, str]]:
    """The lines of the report on disclosure."""
    lines = [
        (Text("Biến khóa", "Keys"), ", ".join(found.rules.keys)),
        (Text("k khai báo", "k declared"), str(found.rules.k)),
        (Text("Lớp nhỏ nhất trước khi bảo vệ", "Smallest class before"), str(found.before.smallest)),
        (Text("Người duy nhất trong lớp, trước", "People alone in their class, before"), str(found.before.unique)),
        (Text("Người trong lớp nhỏ hơn k, trước", "People in classes below k, before"), str(found.before.below)),
        (Text("Lớp nhỏ nhất sau khi bảo vệ", "Smallest class after"), str(found.after.smallest)),
        (Text("Người trong lớp nhỏ hơn k, sau", "People in classes below k, after"), str(found.after.below)),
    ]
    for name, count in found.blanked.items():
        lines.append((Text(f"Ô bị ẩn ở {name}", f"Cells hidden in {name}"), str(count)))
    for name, count in found.coded.items():
        lines.append((Text(f"Số bị mã hóa trần, sàn ở {name}", f"Numbers at a limit in {name}"), str(count)))
    small = sum(small for *_, small in found.cells)
    return [
        *lines,
        (Text("Ô nhỏ của biến khóa và cặp biến khóa", "Small cells of keys and pairs of keys"), str(small)),
        (Text("Người có quyền số không ai khác có", "People whose weight nobody else has"), str(found.weights)),
    ]


def _say_protected(found: Protected) -> None:
    spoken = language()
    say_table(
        [Text("Bảo vệ người trả lời", "Protection of respondents"), Text("", "")],
        [(words(spoken), value) for words, value in _protection(found)],
    )


def _write_report(found: Protected, place: Path) -> Path:
    """``X.csv.disclosure.xlsx``, for the office alone: what was hidden, which cells are small, what was left out."""
    from analysis.data_files import write_workbook

    book = place.with_name(f"{place.name}.disclosure.xlsx")
    both = [[f"{words.vi} / {words.en}", value] for words, value in _protection(found)]
    cells = [[keys, values, n, "x" if small else ""] for keys, values, n, small in found.cells]
    gone = [[name, why.vi, why.en] for name, why in found.left_out.items()]
    sheets: dict[str, list[list[Any]]] = {
        "Tổng hợp - Summary": [["Nội bộ, không công bố / For the office, not to be published", ""], *both],
        "Ô nhỏ - Small cells": [["Biến khóa / Keys", "Giá trị / Values", "n", "Nhỏ / Small"], *cells],
        "Đã bỏ - Left out": [["Cột / Column", "Lý do", "Reason"], *gone],
    }
    write_workbook(book, sheets, mode=0o600)
    return book


@data.command(
    help=Text(
        "Quy tắc dữ liệu mở của đợt: biến khóa, k, mã hóa trần và sàn, cột giữ và bỏ; không có tùy chọn thì chỉ xem.",
        "Rules of a round for open data: keys, k, ceilings and floors, columns kept and dropped; without options "
        "shows them.",
    ),
    example="survey data rules --key province --key sex --key age --k 5 --top age=80",
)
@round_option
@option(
    "--key",
    "keys",
    multiple=True,
    metavar="COL",
    help=Text(
        "Biến khóa (có thể nhận ra người); lặp lại, quan trọng nhất đứng trước.",
        "Key by which somebody could be recognised; may be repeated, the most important first.",
    ),
)
@option(
    "--k",
    "least",
    type=click.IntRange(2),
    help=Text("Số người ít nhất cùng một tổ hợp khóa (mặc định 3).", "Fewest people who share their keys (default 3)."),
)
@option(
    "--top",
    multiple=True,
    metavar="COL=N",
    help=Text("Mã hóa trần: từ N trở lên ghi N.", "Top-code: N stands for N and more."),
)
@option(
    "--bottom",
    multiple=True,
    metavar="COL=N",
    help=Text("Mã hóa sàn: từ N trở xuống ghi N.", "Bottom-code: N stands for N and less."),
)
@option(
    "--keep",
    multiple=True,
    metavar="COL",
    help=Text("Cột vẫn giữ dù là chữ, ngày giờ.", "Column to keep although it is text or a date."),
)
@option("--drop", multiple=True, metavar="COL", help=Text("Cột bỏ đi.", "Column to leave out."))
@json_option
def rules(
    round_id: str | None,
    keys: tuple[str, ...],
    least: int | None,
    top: tuple[str, ...],
    bottom: tuple[str, ...],
    keep: tuple[str, ...],
    drop: tuple[str, ...],
    as_json: bool,
) -> None:
    from analysis.disclosure import Rules
    from survey.sync import rounds

    given: dict[str, Any] = {"keys": keys, "k": least, "keep": keep, "drop": drop}
    given |= {"top": _numbers("--top", top), "bottom": _numbers("--bottom", bottom)}
    changed = {name: value for name, value in given.items() if value}
    with open_store() as store:
        document = dict(chosen_round(store, round_id))
        told = Rules.of(document)
        if changed:
            told = replace(told or Rules(), **changed)
            document["open_data"] = told.document
            rounds.issue_round(store, document)
    if as_json:
        say_json({"round": document["id"], "open_data": told.document if told else None})
    elif told is None:
        say(Text("đợt chưa có quy tắc dữ liệu mở", "the round has no rules for open data"))
    else:
        say_table([Text("Quy tắc", "Rule"), Text("", "")], _shown(told))


def _shown(rules: Rules) -> list[tuple[str, str]]:
    from analysis.table import text_of

    def listed(limits: Any) -> str:
        return ", ".join(f"{name} {text_of(limit)}" for name, limit in limits.items()) or "–"

    rows = [
        (Text("biến khóa", "keys"), ", ".join(rules.keys) or "–"),
        (Text("k", "k"), str(rules.k)),
        (Text("mã hóa trần", "top-coded"), listed(rules.top)),
        (Text("mã hóa sàn", "bottom-coded"), listed(rules.bottom)),
        (Text("cột giữ", "kept"), ", ".join(rules.keep) or "–"),
        (Text("cột bỏ", "left out"), ", ".join(rules.drop) or "–"),
    ]
    return [(words(language()), value) for words, value in rows]


def _numbers(option_name: str, given: tuple[str, ...]) -> dict[str, float]:
    found = {}
    for text in given:
        name, equals, number = text.rpartition("=")
        try:
            found[name] = float(number.replace(",", "."))
        except ValueError:
            equals = ""
        if not equals or not name:
            raise InputError(
                f"{option_name} {text}",
                Text("không đúng dạng CỘT=SỐ", "is not of the form COLUMN=NUMBER"),
                Text(f"ví dụ {option_name} age=80", f"for example {option_name} age=80"),
            )
    return found


commands: dict[str, click.Command] = {"data": data}
