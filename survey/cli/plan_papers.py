"""``survey plan draft``, ``write``, ``extract``, ``collect``: the plan as a sheet, its papers, what comes back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from survey.cli.base import FINDINGS, Command, json_option, language, option, say, say_json
from survey.cli.figures import say_written
from survey.cli.office import OFFICE, issuing
from survey.cli.options import FILE, NEW_FILE, NEW_FOLDER
from survey.errors import InputError
from survey.text import Text, many, plural

if TYPE_CHECKING:
    from analysis.plan_sheet import Item

_AGENCIES = option(
    "--agencies",
    type=FILE,
    help=Text(
        "agencies.csv: cơ quan có ngày hiệu lực; cơ quan đã đổi được thay bằng cơ quan kế thừa.",
        "agencies.csv: agencies with dates; one that was replaced becomes its successor.",
    ),
)
_UNIT = option("--unit", required=True, help=Text("Đơn vị lập kế hoạch, như trong bảng điểm.", "The unit, by name."))
_INDEX = option("--index", "index", required=True, help=Text("Mã chỉ số hoặc thư mục.", "Id or folder of the index."))
_ROUND = option("--round", "round_id", required=True, help=Text("Đợt của bảng điểm.", "Round of the scores."))
_BASELINE = option("--since", default="", help=Text("Đợt để so sánh thay đổi.", "Round to tell the change since."))


def rules(function: Callable[..., Any]) -> Any:
    """``--ties``, ``--missing``: how groups are cut."""
    ties = option(
        "--ties",
        type=click.Choice(["up", "down"]),
        default="up",
        show_default=True,
        help=Text("Điểm đúng bằng ngưỡng nhóm: lên hay xuống.", "A value on a group's cut goes up or down."),
    )
    missing = option(
        "--missing",
        type=click.Choice(["drop", "zero"]),
        default="drop",
        show_default=True,
        help=Text(
            "Đơn vị không có điểm khi lập ngưỡng nhóm: bỏ ra, hay tính là 0.",
            "Units without an estimate when groups are cut: left out, or kept as zeros.",
        ),
    )
    return ties(missing(function))


@click.command(
    "draft",
    cls=Command,
    help=Text(
        "Lập bảng kế hoạch từ điểm: mỗi chỉ số một dòng, ưu điểm hay hạn chế, chờ điền nhiệm vụ.",
        "Make the plan's sheet from scores: a row an indicator, strength or weakness, tasks to be filled in.",
    ),
    example="survey plan draft papi.csv --index papi_2022 --round 2022 --unit 'Sơn La' --out ke_hoach.xlsx",
)
@click.argument("scores", nargs=-1, required=True, type=FILE)
@_INDEX
@_ROUND
@_UNIT
@_BASELINE
@rules
@_AGENCIES
@option("--out", required=True, type=NEW_FILE, help=Text("Tệp .xlsx.", "The .xlsx."))
def draft(
    scores: tuple[Path, ...],
    index: str,
    round_id: str,
    unit: str,
    since: str,
    ties: str,
    missing: str,
    agencies: Path | None,
    out: Path,
) -> int:
    from analysis.agencies import assigned
    from analysis.index import load_index
    from analysis.plan import Figures, Rules
    from analysis.plan_sheet import draft as drafted
    from analysis.report.plan_books import plan_book
    from analysis.standing import tree_of_parts
    from analysis.units import read_register

    parts = tree_of_parts(Figures(scores, Rules(ties, missing)), index, unit, round_id, since)
    if not parts:
        raise InputError(
            f"{index}, {round_id}",
            Text("bảng điểm không có phần nào của chỉ số này", "the scores have no part of this index"),
            Text("kiểm tra --index và --round", "check --index and --round"),
        )
    register = read_register(agencies) if agencies else None
    items = drafted(parts, assigned(load_index(index), register, _today()), language(), since)
    _save(out, plan_book(items, language()))
    say(Text(f"Đã ghi {len(items)} dòng vào {out}", f"Wrote {many(len(items), 'row')} to {out}"))
    if any(item.assigned for item in items):
        say(
            Text(
                "Cơ quan chủ trì, phối hợp là gợi ý theo nội dung chỉ số; xóa chữ ở cột Phân công khi đã xác nhận.",
                "Agencies are suggested by what an indicator is about; empty the column Assignment when confirmed.",
            )
        )
    return 0


@click.command(
    "agencies",
    cls=Command,
    help=Text(
        "Ghi danh sách cơ quan mẫu (agencies.csv) của một tỉnh: sở, ngành, UBND từng xã, có ngày hiệu lực; để sửa lại.",
        "Write the example list (agencies.csv) of a province: departments, communes' committees, with dates; to edit.",
    ),
    example="survey plan agencies --unit 'Sơn La' --out agencies.csv",
)
@_UNIT
@option("--out", required=True, type=NEW_FILE, help=Text("Tệp .csv.", "The .csv."))
def agencies(unit: str, out: Path) -> int:
    from analysis.agencies import COLUMNS, example
    from survey.tables import written

    rows = example(unit, _today())
    _save(out, written(COLUMNS, rows))
    say(
        Text(
            f"Đã ghi {len(rows)} cơ quan (danh sách mẫu) vào {out}; sửa theo tỉnh mình trước khi dùng.",
            f"Wrote {many(len(rows), 'agency')} (an example) to {out}; make it your province's before it is used.",
        )
    )
    return 0


@click.command(
    "write",
    cls=Command,
    help=Text(
        "Viết dự thảo kế hoạch (.docx) từ bảng kế hoạch đã điền.",
        "Write the draft plan (.docx) from the filled sheet.",
    ),
    example="survey plan write kh.xlsx papi.csv --index papi_2022 --round 2022 --unit 'Sơn La' --out kh.docx",
)
@click.argument("sheet", type=FILE)
@click.argument("scores", nargs=-1, type=FILE)
@_INDEX
@_ROUND
@_UNIT
@_BASELINE
@rules
@option("--targets", type=FILE, help=Text("Bảng mục tiêu.", "Table of targets."))
@option("--basis", multiple=True, help=Text("Văn bản căn cứ, lặp lại được.", "Document it follows from; repeatable."))
@_AGENCIES
@OFFICE
@option("--out", required=True, type=NEW_FILE, help=Text("Tệp .docx.", "The .docx."))
def write(
    sheet: Path,
    scores: tuple[Path, ...],
    index: str,
    round_id: str,
    unit: str,
    since: str,
    ties: str,
    missing: str,
    targets: Path | None,
    basis: tuple[str, ...],
    agencies: Path | None,
    office: Path | None,
    out: Path,
) -> int:
    from analysis.index import load_index
    from analysis.plan import Figures, Rules, outcome, outlook
    from analysis.report.plan_papers import Plan, plan_document
    from analysis.standing import tree_of_parts
    from analysis.targets import read_targets

    figures, items = Figures(scores, Rules(ties, missing)), _items(sheet, agencies)
    wanted = read_targets(targets) if targets else []
    ahead = [outlook(one, figures) for one in wanted if one.round != round_id]
    behind = [outcome(one, figures) for one in wanted if one.round == round_id]
    node = load_index(index).nodes[0]
    made = Plan(
        unit=unit,
        index=Text(node.name("vi"), node.name("en")),
        round=ahead[0].target.round if ahead else _today()[:4],
        known=round_id,
        items=tuple(items),
        parts=tuple(tree_of_parts(figures, index, unit, round_id, since)) if scores else (),
        targets=tuple(ahead),
        results=tuple(behind),
        basis=basis or tuple(dict.fromkeys(one.source for one in wanted if one.source)),
        own=figures.own,
    )
    _save(out, plan_document(made, issuing(office), language()))
    say_written(out)
    return 0


@click.command(
    "extract",
    cls=Command,
    help=Text(
        "Trích cho từng cơ quan một tệp .xlsx; cho xã thêm cẩm nang hai trang.",
        "An extract (.xlsx) for each agency; for a commune also its two-page handbook.",
    ),
    example="survey plan extract ke_hoach.xlsx --name KH-2023 --to trich/",
)
@click.argument("sheet", type=FILE)
@option(
    "--name", required=True, help=Text("Tên kế hoạch, để nhận lại đúng tệp.", "Name of the plan, to know it again.")
)
@option("--to", "folder", required=True, type=NEW_FOLDER,
        help=Text("Thư mục ghi vào.", "Folder to write to."))  # fmt: skip
@click.argument("scores", nargs=-1, type=FILE)
@option("--index", "index", default="", help=Text("Chỉ số, cho cẩm nang.", "The index, for the handbook."))
@option("--round", "round_id", default="", help=Text("Đợt của bảng điểm.", "Round of the scores."))
@option("--unit", default="", help=Text("Tỉnh có điểm.", "The province that was scored."))
@_AGENCIES
@OFFICE
@json_option
def extract(
    sheet: Path,
    name: str,
    folder: Path,
    scores: tuple[Path, ...],
    index: str,
    round_id: str,
    unit: str,
    agencies: Path | None,
    office: Path | None,
    as_json: bool,
) -> int:
    from analysis.index import load_index
    from analysis.plan import Figures
    from analysis.plan_sheet import extracts
    from analysis.report.plan_books import extract_book
    from analysis.report.plan_papers import Plan, handbook, is_commune, plain_name
    from analysis.standing import tree_of_parts

    if scores and not (index and round_id and unit):
        raise InputError(
            "--index",
            Text("có bảng điểm thì cần --index, --round, --unit", "scores need --index, --round and --unit"),
            Text("thêm ba tùy chọn này", "add these three options"),
        )
    items = _items(sheet, agencies)
    node = load_index(index).nodes[0] if index else None
    title = Text(node.name("vi"), node.name("en")) if node else Text(name, name)
    figures = Figures(scores)
    parts = tuple(tree_of_parts(figures, index, unit, round_id, "")) if scores else ()
    about = Plan(unit or name, title, "", round_id or name, tuple(items), parts, own=figures.own)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for agency, own in extracts(items).items():
        file = folder / f"{plain_name(agency)}.xlsx"
        _save(file, extract_book(own, agency, name, language()))
        written.append(file)
        if is_commune(agency):
            paper = folder / f"{plain_name(agency)}.docx"
            _save(paper, handbook(about, agency, own, issuing(office), language()))
            written.append(paper)
    waiting = sum(bool(item.assigned) for item in items)
    if waiting:
        click.echo(
            Text(
                f"{waiting} nhiệm vụ còn phân công gợi ý, chưa trích cho ai; xóa chữ ở cột Phân công khi đã xác nhận.",
                f"{many(waiting, 'item is', 'items are')} assigned by suggestion and {plural(waiting, 'goes', 'go')} "
                "to nobody; empty the column Assignment to confirm.",
            )(language()),
            err=True,
        )
    if as_json:
        say_json([str(file) for file in written])
    else:
        say(Text(f"Đã ghi {len(written)} tệp vào {folder}", f"Wrote {many(len(written), 'file')} to {folder}"))
    return 0


@click.command(
    "collect",
    cls=Command,
    help=Text(
        "Gộp các tệp trích đã điền thành báo cáo quý; hai người báo cáo khác nhau thì giữ cả hai.",
        "Merge the filled extracts to the quarterly report; where two people differ, both are kept.",
    ),
    example="survey plan collect ke_hoach.xlsx trich/*.xlsx --name KH-2023 --quarter 'quý III/2023' --out bao_cao.docx",
)
@click.argument("sheet", type=FILE)
@click.argument("extracts", nargs=-1, required=True, type=FILE)
@option("--name", required=True, help=Text("Tên kế hoạch đã ghi trong tệp trích.", "The plan's name in the extracts."))
@option("--quarter", required=True, help=Text("Kỳ báo cáo, ví dụ quý III/2026.", "What it is for, such as Q3 2026."))
@option("--unit", default="", help=Text("Đơn vị của kế hoạch.", "The plan's unit."))
@_AGENCIES
@OFFICE
@option("--out", required=True, type=NEW_FILE,
        help=Text("Tệp .xlsx hoặc .docx.", "The .xlsx or .docx."))  # fmt: skip
@json_option
def collect(
    sheet: Path,
    extracts: tuple[Path, ...],
    name: str,
    quarter: str,
    unit: str,
    agencies: Path | None,
    office: Path | None,
    out: Path,
    as_json: bool,
) -> int:
    from analysis.plan_sheet import collect as collected
    from analysis.plan_sheet import read_answers
    from analysis.report.plan_books import quarter_book
    from analysis.report.plan_papers import Plan, quarter_document
    from survey.tables import read_table

    items = _items(sheet, agencies)
    answers, problems = [], []
    for file in extracts:
        some, wrong = read_answers(read_table(file), name)
        answers += some
        problems += wrong
    found = collected(items, answers)
    problems += found.problems
    if out.suffix.lower() == ".docx":
        about = Plan(unit or name, Text(name, name), "", "", tuple(items))
        _save(out, quarter_document(about, found, quarter, issuing(office), language()))
    elif out.suffix.lower() == ".xlsx":
        _save(out, quarter_book(found, language()))
    else:
        raise InputError(
            str(out),
            Text("không ghi được loại tệp này", "files of this kind are not written"),
            Text("dùng .xlsx hoặc .docx", "use .xlsx or .docx"),
        )
    if as_json:
        say_json(
            {
                "counts": found.counts(),
                "conflicts": {item: [vars(one) for one in held] for item, held in found.conflicts.items()},
                "silent": [item.id for item in found.silent],
                "problems": [{"where": one.where, "what": one.what._asdict()} for one in problems],
            }
        )
    else:
        _told(found.counts(), len(found.silent), out)
    for held in found.conflicts.values():
        for one in held:
            words = f"{one.item}, {one.agency}, {one.by or '?'} ({one.where}): {one.progress or one.status}"
            click.echo(Text(f"báo cáo khác nhau: {words}", f"reports differ: {words}")(language()), err=True)
    for problem in problems:
        click.echo(problem(language()), err=True)
    return FINDINGS if found.conflicts or problems else 0


def _told(counts: dict[str, int], silent: int, out: Path) -> None:
    total = sum(counts.values())
    say(
        Text(
            f"{total} nhiệm vụ: {counts['done']} hoàn thành, {counts['doing']} đang thực hiện, "
            f"{counts['planned']} chưa, {counts['stopped']} dừng, {counts['conflict']} báo cáo khác nhau; "
            f"{silent} chưa có báo cáo của chủ trì",
            f"{many(total, 'item')}: {counts['done']} done, {counts['doing']} under way, "
            f"{counts['planned']} not begun, {counts['stopped']} stopped, {counts['conflict']} differ; "
            f"the lead of {silent} has not reported",
        )
    )
    say_written(out)


def agency_names(file: Path | None, day: str = "") -> Callable[[str], str]:
    """Gives the name of an agency that a cell names by code or name: that of its successor where it was replaced.
    Without a list every name is taken as it is."""
    if file is None:
        return str
    from analysis.units import read_register

    register, today = read_register(file), day or _today()

    def named(text: str) -> str:
        now = register.at(register.find(text), today)
        return "; ".join(unit.name for unit in now) or register.find(text).name

    return named


def _items(sheet: Path, agencies: Path | None) -> list[Item]:
    from analysis.plan_sheet import read_sheet
    from survey.tables import read_table

    return read_sheet(read_table(sheet), agency_names(agencies))


def _save(file: Path, content: bytes) -> None:
    from analysis.output import whole_file

    whole_file(file, lambda path: path.write_bytes(content))


def _today() -> str:
    return datetime.now().astimezone().date().isoformat()


commands: dict[str, click.Command] = {str(one.name): one for one in (draft, write, extract, collect, agencies)}
