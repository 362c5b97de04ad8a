"""``survey compare``: the change between two rounds, tested."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from survey.cli.base import FINDINGS, Command, json_option, language, option, say, say_json, say_table
from survey.cli.figures import LEVEL, OUT, say_written, write
from survey.cli.options import FILE, day_option
from survey.cli.scoring import together
from survey.errors import InputError
from survey.text import Text

if TYPE_CHECKING:
    from analysis.change import Changes
    from analysis.succession import Rule

VERDICTS = {
    "up": Text("tăng", "up"),
    "down": Text("giảm", "down"),
    "unclear": Text("chưa rõ", "unclear"),
    "": Text("", ""),
}


@click.command(
    cls=Command,
    help=Text(
        "So sánh hai đợt: thay đổi, khoảng tin cậy, kiểm định, cạnh quy tắc 5 % của PAPI.",
        "Compare two rounds: changes, intervals and tests, beside PAPI's 5 % rule.",
    ),
    example="survey compare diem_2025.csv diem_2026.csv --code SIPAS --out thay_doi.csv\n"
    "survey compare papi.csv --before 2016 --after 2017 --code TOTAL_UNW",
)
@click.argument("first", type=FILE)
@click.argument("second", required=False, type=FILE)
@option(
    "--before", default="", help=Text("Đợt trước, nếu tệp có nhiều đợt.", "The earlier round of a file of several.")
)
@option("--after", default="", help=Text("Đợt sau, nếu tệp có nhiều đợt.", "The later round of a file of several."))
@option("--code", multiple=True, help=Text("Chỉ so sánh mã này; lặp lại được.", "Compare this code; may be repeated."))
@option("--by", default="", help=Text("Loại nhóm (cột domain_level).", "Kind of domain (column domain_level)."))
@option(
    "--index",
    multiple=True,
    help=Text(
        "Chỉ số của hai đợt, hoặc của từng đợt (lặp lại); mặc định: cột index.",
        "Index of both rounds, or of each (repeat it); default: the column index.",
    ),
)
@option(
    "--adjust",
    type=click.Choice(["holm", "bh", "none"]),
    default="holm",
    show_default=True,
    help=Text("Hiệu chỉnh theo số lần kiểm định.", "How the number of tests is taken into account."),
)
@option(
    "--independent",
    is_flag=True,
    help=Text("Bỏ qua các đơn vị chọn mẫu chung.", "Leave shared sampled units out of account."),
)
@LEVEL
@day_option(
    "--before-date",
    "before_date",
    Text("Ngày của danh mục tỉnh mà đợt trước dùng.", "Day of the list of provinces that the earlier round uses."),
)
@day_option(
    "--after-date",
    "after_date",
    Text("Ngày của danh mục tỉnh mà đợt sau dùng.", "Day of the list of provinces that the later round uses."),
)
@option(
    "--carry",
    type=click.Choice(["population", "mean"]),
    help=Text(
        "Nối chuỗi qua sáp nhập tỉnh: theo dân số (--population) hay bình quân đơn giản; không phải số công bố.",
        "Carry the series over a merger of provinces: by population (--population) or plain mean; not official.",
    ),
)
@option(
    "--population",
    type=FILE,
    help=Text("Dân số các tỉnh cũ: province, population.", "People of the former provinces: province, population."),
)
@option(
    "--with-pilot",
    is_flag=True,
    help=Text("So cả đợt thí điểm với đợt chính.", "Compare a pilot round with a main one all the same."),
)
@OUT
@json_option
def compare(
    first: Path,
    second: Path | None,
    before: str,
    after: str,
    code: tuple[str, ...],
    by: str,
    index: tuple[str, ...],
    adjust: str,
    independent: bool,
    level: float | None,
    before_date: str,
    after_date: str,
    carry: str | None,
    population: Path | None,
    with_pilot: bool,
    out: Path | None,
    as_json: bool,
) -> int:
    together(out, first, level)
    together(out, second, level)
    if second is None and not (before and after):
        raise InputError(
            first.name,
            Text("cần hai tệp, hoặc hai đợt trong một tệp", "two files are needed, or two rounds of one file"),
            Text("thêm tệp thứ hai, hoặc --before và --after", "add the second file, or --before and --after"),
        )
    from analysis.change import compare as compared

    options: dict[str, Any] = {"codes": code, "by": by, "indices": index, "level": level, "adjust": adjust}
    options |= {"pilots": with_pilot, "days": (before_date, after_date), "carry": _rule(carry, population, before_date)}
    found = compared(first, second or first, rounds=(before, after), independent=independent, **options)
    write(found.table, out)
    if as_json:
        say_json(_plain(found))
    else:
        _show(found)
        say_written(out)
    for problem in found.breaks:
        click.echo(problem(language()), err=True)
    return FINDINGS if found.breaks else 0


def _rule(carry: str | None, population: Path | None, day: str) -> Rule | None:
    from analysis.succession import REORGANISED, Rule, population_rule

    if (carry == "population") != (population is not None):
        raise InputError(
            "--carry",
            Text("--carry population đi cùng --population TỆP", "--carry population goes with --population FILE"),
            Text("thêm cả hai, hoặc dùng --carry mean", "give both, or use --carry mean"),
        )
    if carry is None:
        return None
    if population is None:
        return Rule(carry)
    return population_rule(population, day if day and day < REORGANISED else "2025-06-30")


def _plain(found: Changes) -> dict[str, Any]:
    from analysis.output import rows_of

    return {
        "before": found.before,
        "after": found.after,
        "level": found.level,
        "adjust": found.adjust,
        "notes": [note._asdict() for note in found.notes],
        "breaks": [{"code": b.where, "what": b.what._asdict()} for b in found.breaks],
        "changes": rows_of(found.table),
    }


def _show(found: Changes) -> None:
    from analysis.change import ADJUST
    from analysis.scores import note_in

    spoken, words = language(), ADJUST[found.adjust]
    rounds = " → ".join(part for part in (found.before, found.after) if part)
    if rounds:
        say(Text(rounds, rounds))
    say(Text(f"p hiệu chỉnh: {words.vi}", f"adjusted p: {words.en}"))
    for note in found.notes:
        say(note)
    headings = [
        Text("nhóm", "domain"),
        Text("mã", "code"),
        Text("trước", "before"),
        Text("sau", "after"),
        Text("thay đổi", "change"),
        Text("từ", "low"),
        Text("đến", "high"),
        Text("p hiệu chỉnh", "adjusted p"),
        Text("kết luận", "verdict"),
        Text("% thay đổi", "% change"),
        Text("quy tắc 5 %", "5 % rule"),
        Text("ghi chú", "note"),
    ]
    rows = []
    for row in found.table.to_dict("records"):
        rows.append(
            [
                row["domain"],
                row["code"],
                *(_figure(row[key], ".6g") for key in ("before", "after", "change", "low", "high")),
                _figure(row["p_adjusted"], ".3g"),
                VERDICTS[row["verdict"]](spoken),
                _figure(100 * row["relative"], "+.1f"),
                VERDICTS[row["rule5"]](spoken),
                note_in(row["note"], spoken),
            ]
        )
    say_table(headings, rows)


def _figure(value: float, how: str) -> str:
    return "" if value != value else format(value, how)


commands: dict[str, click.Command] = {"compare": compare}
