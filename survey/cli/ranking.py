"""``survey rank``: ranks and groups of domains with their uncertainty, from a scores file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from survey.cli.base import Command, json_option, language, option, say, say_json, say_table
from survey.cli.figures import LEVEL, OUT, say_written, write
from survey.cli.options import FILE, day_option
from survey.cli.scoring import together
from survey.text import Text

if TYPE_CHECKING:
    from analysis.ranking import Ranking

METHODS = ("holm", "bonferroni", "unadjusted", "interval-bonferroni", "interval-sidak")


@click.command(
    cls=Command,
    help=Text(
        "Xếp hạng và chia nhóm kèm độ không chắc chắn, từ tệp điểm.",
        "Rank and group domains with their uncertainty, from a scores file.",
    ),
    example="survey rank diem.csv --code SIPAS --first 30 --out xep_hang.csv",
)
@click.argument("scores", type=FILE)
@option("--code", default="", help=Text("Mã chỉ số (mặc định: cao nhất).", "Code of the node (default: the top one)."))
@option("--by", default="", help=Text("Loại nhóm (cột domain_level).", "Kind of domain (column domain_level)."))
@option("--round", "round_id", default="", help=Text("Đợt hoặc năm trong tệp.", "Round or year of the file."))
@option(
    "--method",
    type=click.Choice(METHODS),
    default="holm",
    show_default=True,
    help=Text("Cách lập tập tin cậy của thứ hạng.", "How the confidence sets for ranks are made."),
)
@option(
    "--first",
    type=click.IntRange(min=1),
    default=None,
    metavar="N",
    help=Text("Tính xác suất đứng trong N vị trí đầu.", "Give the probability of being among the first N."),
)
@LEVEL
@option(
    "--ties",
    type=click.Choice(["up", "down"]),
    default="up",
    show_default=True,
    help=Text("Điểm đúng bằng ngưỡng nhóm: lên hay xuống.", "A value on a group's cut goes up or down."),
)
@option(
    "--missing",
    type=click.Choice(["drop", "zero"]),
    default="drop",
    show_default=True,
    help=Text(
        "Đơn vị không có điểm khi lập ngưỡng nhóm: bỏ ra, hay tính là 0.",
        "Units without an estimate when groups are cut: left out, or kept as zeros.",
    ),
)
@option(
    "--as",
    "shown_as",
    type=click.Choice(["classes", "places"]),
    help=Text(
        "Ba lớp so với mức chung (mặc định cho xã), hoặc thứ hạng (phụ lục).",
        "Three classes against the whole (default for communes), or places (annex).",
    ),
)
@option(
    "--model",
    is_flag=True,
    help=Text("Thêm ước lượng theo mô hình Fay–Herriot.", "Add model-based (Fay–Herriot) estimates."),
)
@option("--seed", type=int, default=1, show_default=True, help=Text("Số gieo của mô phỏng.", "Seed of the simulation."))
@day_option(
    "--date", "day", Text("Ngày của danh mục tỉnh mà đợt dùng.", "Day of the list of provinces that the round uses.")
)
@OUT
@json_option
def rank(
    scores: Path,
    code: str,
    by: str,
    round_id: str,
    method: str,
    first: int | None,
    level: float | None,
    ties: str,
    missing: str,
    shown_as: str | None,
    model: bool,
    seed: int,
    day: str,
    out: Path | None,
    as_json: bool,
) -> int:
    together(out, scores, level)
    from analysis.ranking import rank as ranked
    from analysis.score_file import score_table
    from analysis.small_area import is_commune_level

    table = score_table(scores)
    kind = str(table.choose(code, by, round_id)["domain_level"].iloc[0])
    if shown_as == "classes" or model or (shown_as is None and is_commune_level(kind)):
        return _classes(table, code, by, round_id, level, model, out, as_json)

    options: dict[str, Any] = {"by": by, "round": round_id, "ties": ties, "missing": missing, "seed": seed}
    options["day"] = day
    found = ranked(table, code, method=method, level=level, first=first or 0, **options)
    write(found.table, out)
    if as_json:
        say_json(_plain(found))
    else:
        _show(found)
        say_written(out)
    return 0


def _classes(
    table: Any, code: str, by: str, round_id: str, level: float | None, model: bool, out: Path | None, as_json: bool
) -> int:
    """Three classes against the level of the whole; with ``model`` the Fay–Herriot estimates beside them."""
    from analysis.output import rows_of, write_table
    from analysis.scores import note_in
    from analysis.small_area import CLASSES, MODEL, model_estimates
    from analysis.small_area import classes as classed

    found = classed(table, code, by=by, round=round_id, level=level)
    rows, notes = found.table, list(found.notes)
    if model:
        fitted = model_estimates(table, code, by=by, round=round_id).set_index("domain")
        rows = rows.assign(
            model=rows["domain"].map(fitted["estimate"]).to_numpy(),
            model_rmse=rows["domain"].map(fitted["rmse"]).to_numpy(),
        )
        notes.append(MODEL)
    if out is not None:
        write_table(rows, out)
    if as_json:
        plain = {"code": found.code, "round": found.round, "by": found.by, "whole": found.level_of_whole}
        say_json({**plain, "notes": [note._asdict() for note in notes], "classes": rows_of(rows)})
        return 0
    spoken = language()
    level_text = f"{100 * found.level:g} %"
    say(
        Text(
            f"{found.code}: ba lớp so với mức chung {found.level_of_whole:.6g}, hiệu chỉnh Holm, {level_text}",
            f"{found.code}: three classes against the whole, {found.level_of_whole:.6g}, Holm, {level_text}",
        )
    )
    say(
        Text(
            "thứ hạng của đơn vị nhỏ chỉ để trong phụ lục (--as places)",
            "places of small units belong in an annex (--as places)",
        )
    )
    for note in notes:
        say(note)
    headings = [Text("nhóm", "domain"), Text("ước lượng", "estimate"), Text("chênh lệch", "difference")]
    headings += [Text("p hiệu chỉnh", "adjusted p"), Text("lớp", "class")]
    headings += [Text("theo mô hình", "model-based"), Text("RMSE", "RMSE")] if model else []
    shown = []
    for row in rows.to_dict("records"):
        keys = ("estimate", "difference", "p_adjusted")
        cells = [row["domain"], *("" if row[key] != row[key] else f"{row[key]:.4g}" for key in keys)]
        cells.append(CLASSES[row["class"]](spoken))
        cells += [f"{row['model']:.4g}", f"{row['model_rmse']:.3g}"] if model else []
        shown.append([*cells, note_in(row["note"], spoken)])
    say_table([*headings, Text("ghi chú", "note")], shown)
    say_written(out)
    return 0


def _plain(found: Ranking) -> dict[str, Any]:
    from analysis.output import rows_of

    return {
        "code": found.code,
        "round": found.round,
        "by": found.by,
        "method": found.method,
        "level": found.level,
        "first": found.first,
        "groups": {"sizes": dict(found.groups.sizes), "bounds": dict(found.groups.bounds), "cuts": found.groups.cuts},
        "notes": [note._asdict() for note in found.notes],
        "ranks": rows_of(found.table),
    }


def _show(found: Ranking) -> None:
    from analysis.ranking import GROUP_WORDS
    from analysis.ranking import METHODS as METHOD_WORDS
    from analysis.scores import note_in

    spoken, percent = language(), f"{100 * found.level:g} %"
    words = METHOD_WORDS[found.method]
    say(
        Text(
            f"{found.code} {found.round}: tập tin cậy {percent} của thứ hạng ({words.vi})",
            f"{found.code} {found.round}: {percent} confidence sets for ranks ({words.en})",
        )
    )
    for note in found.notes:
        say(note)
    headings = [
        Text("hạng", "rank"),
        Text("từ", "from"),
        Text("đến", "to"),
        Text("đơn vị", "domain"),
        Text("ước lượng", "estimate"),
        Text("sai số chuẩn", "se"),
        Text("nhóm", "group"),
        *([Text(f"P({found.first} vị trí đầu)", f"P(first {found.first})")] if found.first else []),
        Text("P(nhóm cao nhất)", "P(best group)"),
        Text("ghi chú", "note"),
    ]
    rows = []
    for row in found.table.astype(object).where(found.table.notna(), None).to_dict("records"):
        chances = [row["p_first"]] if found.first else []
        rows.append(
            [
                *("" if row[key] is None else row[key] for key in ("rank", "rank_low", "rank_high")),
                row["domain"],
                *("" if row[key] is None else f"{row[key]:.6g}" for key in ("estimate", "se")),
                GROUP_WORDS[row["group"]](spoken),
                *("" if chance is None else f"{chance:.2f}" for chance in [*chances, row["p_best"]]),
                note_in(row["note"], spoken),
            ]
        )
    say_table(headings, rows)


commands: dict[str, click.Command] = {"rank": rank}
