"""``survey weight``: the weights of a round or of a file, step by step, with what each step did."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from survey.cli.base import FINDINGS, Command, json_option, language, open_store, option, say, say_json, say_table
from survey.cli.figures import OUT, STATE, STATES, say_written, write
from survey.cli.frame import chosen_round
from survey.cli.options import FILE, FILE_OR_FOLDER
from survey.cli.scoring import together
from survey.errors import InputError
from survey.text import Text, many

if TYPE_CHECKING:
    from analysis.design import Design
    from analysis.weight_steps import Weights

NOT_DECLARED = Text(
    "design.toml chưa có mục [calibration] với tệp margins này: hãy ghi vào để `survey score` tính đúng phương sai",
    "design.toml has no [calibration] with these margins: write it there, so that `survey score` has its variance",
)
_SHOWN = 40


@click.command(
    cls=Command,
    help=Text(
        "Tính quyền số: gốc, không trả lời, hiệu chỉnh theo tổng đã biết, cắt ngưỡng; kèm số liệu kiểm tra mỗi bước.",
        "Make weights: base, nonresponse, calibration to known totals, trimming; with a diagnosis of each step.",
    ),
    example="survey weight --round r2026 --design design.toml --class stratum --trim 5 --out weights.csv",
)
@click.argument("data", required=False, type=FILE)
@option("--round", "round_id", help=Text("Đợt khảo sát trong kho.", "Round of the store."))
@STATE
@option(
    "--design",
    type=FILE_OR_FOLDER,
    help=Text("Tệp design.toml; mục [calibration] nêu cách hiệu chỉnh.", "A design.toml; [calibration] says how."),
)
@option(
    "--margins",
    type=FILE,
    help=Text("Tổng đã biết: variable, category, total.", "Known totals: variable, category, total."),
)
@option(
    "--probability",
    multiple=True,
    metavar="COL",
    help=Text("Cột xác suất chọn; nhiều bậc thì nhân với nhau.", "Column of probabilities; several are multiplied."),
)
@option(
    "--class",
    "classes",
    multiple=True,
    metavar="COL",
    help=Text("Cột lớp hiệu chỉnh không trả lời; nhiều cột thì kết hợp.", "Weighting classes; several are crossed."),
)
@option(
    "--propensity",
    multiple=True,
    metavar="COL",
    help=Text("Cột phân loại của mô hình khả năng trả lời.", "Column of categories of the response propensity."),
)
@option(
    "--propensity-number",
    "numbers",
    multiple=True,
    metavar="COL",
    help=Text("Cột số của mô hình khả năng trả lời.", "Column of numbers of the response propensity."),
)
@option(
    "--groups",
    type=click.IntRange(2, 20),
    default=5,
    show_default=True,
    help=Text("Số lớp chia theo khả năng trả lời.", "Classes of the response propensity."),
)
@option(
    "--least",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help=Text("Lớp ít người trả lời hơn số này thì được nhắc.", "A class with fewer respondents is pointed out."),
)
@option(
    "--trim",
    "trim_at",
    help=Text("Ngưỡng cắt: 5 = 5 lần trung vị, 99% = phân vị.", "Cap: 5 = 5 times the median, 99% = a quantile."),
)
@OUT
@option(
    "--replicates",
    type=click.IntRange(50, 2000),
    metavar="N",
    help=Text(
        "Thêm N bộ quyền số lặp, mỗi bộ làm lại mọi bước, để sai số có phần của từng bước.",
        "Add N replicate weights that repeat every step, so that each has its part in the errors.",
    ),
)
@option("--from-tcvn3", "encoding", flag_value="tcvn3", help=Text("Chữ trong tệp là mã TCVN3 (ABC).", "Text is TCVN3."))
@option("--from-vni", "encoding", flag_value="vni", help=Text("Chữ trong tệp là mã VNI.", "Text is VNI."))
@json_option
def weight(
    data: Path | None,
    round_id: str | None,
    state: str,
    design: Path | None,
    margins: Path | None,
    probability: tuple[str, ...],
    classes: tuple[str, ...],
    propensity: tuple[str, ...],
    numbers: tuple[str, ...],
    groups: int,
    least: int,
    trim_at: str | None,
    out: Path | None,
    replicates: int | None,
    encoding: str | None,
    as_json: bool,
) -> int:
    together(out, data, None)
    from analysis.design import Design, load_design
    from analysis.trimming import parse_trim
    from analysis.weight_steps import Plan, make_weights

    trimming = parse_trim(trim_at) if trim_at else None
    plan = Plan(probability, classes, propensity, numbers, groups, least, trimming)
    declared = load_design(design) if design else None
    if data is not None:
        from analysis.reading import read_table

        if round_id:
            raise InputError(
                "--round",
                Text("không dùng cùng tệp số liệu", "of no use with a data file"),
                Text("bỏ một trong hai", "leave one of them out"),
            )
        table, chosen = read_table(data, encoding or ""), declared or Design()
    else:
        from analysis import dataset

        with open_store() as store:
            sample = dataset.load_sample(store, chosen_round(store, round_id)["id"], STATES[state])
        table, chosen = sample.table, declared or sample.design
    made = make_weights(table, _calibrated(chosen, margins), plan)
    if replicates:
        import pandas as pd

        from analysis.weight_replicates import recipe_replicates

        columns, told = recipe_replicates(table, _calibrated(chosen, margins), plan, replicates)
        made = replace(made, table=made.table.join(pd.DataFrame(columns)), notes=(*made.notes, *told))
    if margins and (chosen.calibration is None or not _same(chosen.calibration.margins, margins)):
        made = replace(made, notes=(*made.notes, NOT_DECLARED))
    write(made.table, out)
    if as_json:
        say_json(_plain(made, out))
    else:
        _show(made, out)
    for finding in made.findings:
        click.echo(finding(language()), err=True)
    return FINDINGS if made.findings else 0


def _same(declared: Any, margins: Path) -> bool:
    return isinstance(declared, str) and bool(declared) and Path(declared).resolve() == margins.resolve()


def _calibrated(design: Design, margins: Path | None) -> Design:
    """The design with the margins to meet. Calibration is done here even where the design says that it has been:
    that is for the scores, which read the weights made here."""
    from analysis.design import Calibration

    if margins is not None:
        rule = replace(design.calibration or Calibration(), margins=str(margins))
        return replace(design, calibration=rule)
    if design.calibration is not None and not design.calibration.margins:
        raise InputError(
            "design.toml, [calibration]",
            Text("chưa nêu tệp tổng đã biết", "no file of known totals is named"),
            Text('thêm margins = "margins.csv", hoặc --margins', 'add margins = "margins.csv", or --margins'),
        )
    return design


def _plain(made: Weights, out: Path | None) -> dict[str, Any]:
    from analysis.output import rows_of

    return {
        "steps": rows_of(made.steps),
        "classes": [asdict(row) for row in made.classes],
        "margins": rows_of(made.margins),
        "notes": [note._asdict() for note in made.notes],
        "findings": [{"where": f.where, "what": f.what.en, "todo": f.todo.en, "vi": f("vi")} for f in made.findings],
        "files": [out] if out else [],
        **({} if out else {"weights": rows_of(made.table)}),
    }


def _show(made: Weights, out: Path | None) -> None:
    from analysis.weight_steps import WORDS

    spoken = language()
    for note in made.notes:
        say(note)
    headings = [
        Text("quyền số", "weight"),
        Text("phiếu", "n"),
        Text("tổng", "sum"),
        Text("nhỏ nhất", "min"),
        Text("trung vị", "median"),
        Text("lớn nhất", "max"),
        Text("hiệu ứng quyền số (Kish)", "deff (Kish)"),
        Text("cỡ mẫu hiệu dụng", "effective n"),
    ]
    keys = ("n", "sum", "min", "median", "max", "deff", "n_effective")
    say_table(
        headings,
        [
            [f"{row['column']}: {WORDS[row['column']](spoken)}", *(f"{row[key]:.6g}" for key in keys)]
            for row in made.steps.to_dict("records")
        ],
    )
    if made.classes:
        say(Text("", ""))
        _show_classes(made)
    if len(made.margins):
        say(Text("", ""))
        headings = [
            Text("biến", "variable"),
            Text("nhóm", "category"),
            Text("tổng đã biết", "total"),
            Text("trước", "before"),
            Text("sau", "after"),
        ]
        rows = made.margins.to_dict("records")
        figures = [[f"{row[key]:.10g}" for key in ("total", "before", "after")] for row in rows]
        say_table(headings, [[row["variable"], row["category"], *f] for row, f in zip(rows, figures, strict=True)])
    say_written(out)


def _show_classes(made: Weights) -> None:
    headings = [
        Text("lớp", "class"),
        Text("trả lời", "responded"),
        Text("không trả lời", "did not"),
        Text("chưa rõ", "unknown"),
        Text("ngoài diện", "not eligible"),
        Text("hệ số", "factor"),
    ]
    steepest = sorted(made.classes, key=lambda row: -row.factor)
    say_table(
        headings,
        [
            [row.name, row.respondents, row.nonrespondents, row.unknown, row.ineligible, f"{row.factor:.4g}"]
            for row in steepest[:_SHOWN]
        ],
    )
    more = len(steepest) - _SHOWN
    if more > 0:
        say(Text(f"… và {more} lớp có hệ số nhỏ hơn", f"… and {many(more, 'class')} with smaller factors"))


commands: dict[str, click.Command] = {"weight": weight}
